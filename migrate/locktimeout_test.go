package migrate

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// hold keeps a transaction open that has read a table, until release is called.
func hold(t *testing.T, db *testDatabase, table string) (release func()) {
	t.Helper()
	held, done := make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		err := db.Transaction(context.Background(), TransactionOptions{}, func(ctx context.Context) error {
			_, err := db.Query(ctx, "SELECT * FROM "+table)
			close(held)
			<-done
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-held
	return sync.OnceFunc(func() { close(done); wait.Wait() })
}

// eachServer runs a test on the databases that have locks of tables.
func eachServer(t *testing.T, test func(t *testing.T, kind testdb.Kind)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		if kind.Name == "sqlite" {
			t.Skip("the whole database is locked: TestMigrationWaitsForALongWriter")
		}
		test(t, kind)
	})
}

func TestMigrationGivesWayAndTriesAgain(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, kind testdb.Kind) {
		for _, nonAtomic := range []bool{false, true} {
			p, db := newProject(), openKind(t, kind)
			p.make(t, blogTables(), nil)
			p.migrate(t, db)
			seed(t, db)
			release := hold(t, db, "blog_tag")
			defer release()
			p.sets["blog"].Add(Migration{Name: "0002_x", NonAtomic: nonAtomic, Dependencies: []string{"blog.0001_initial"}, Operations: []Operation{
				AddField{Model: "Tag", Column: note("a")},
				RunSQL{SQL: "UPDATE blog_tag SET a = concat(coalesce(a, ''), 'x')", ReverseSQL: Noop},
			}})
			var told []Blocked
			_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{LockTimeout: time.Second, Blocked: func(b Blocked) {
				told = append(told, b)
				if len(told) >= 2 && len(b.By) > 0 {
					release()
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			if len(told) < 2 || told[0].Step.ID() != "blog.0002_x" || told[1].Attempt != 2 || told[1].Of != defaultLockAttempts {
				t.Errorf("told of %v", told)
			}
			if by := fmt.Sprint(told); kind.Name == "postgres" && !strings.Contains(by, "SELECT * FROM blog_tag") || !strings.Contains(by, "in a transaction since") {
				t.Errorf("told of %v", told)
			}
			if diff := cmp.Diff([]string{"x", "x"}, db.rows(t, "SELECT a FROM blog_tag")); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestMigrationThatGetsNoLockSaysWhoHasIt(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		p.migrate(t, db)
		release := hold(t, db, "blog_post")
		defer release()
		p.add(t, "blog", "0002_x", AddField{Model: "Tag", Column: note("a")}, AddField{Model: "Post", Column: note("a")})
		_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{LockTimeout: 4 * time.Second, LockAttempts: 2})
		words := []string{"Add field a to Post", "it waited 2 times", "in a transaction since", "migrate again", "--lock-timeout"}
		if kind.Name == "postgres" {
			words = append(words, "locks held by process", "SELECT * FROM blog_post", "nothing of it was changed")
		} else {
			words = append(words, "1 of its 2 statements are done")
		}
		contains(t, err, nil, words...)
		release()
		p.migrate(t, db)
		if kind.Name == "postgres" {
			if diff := cmp.Diff([]string{"0"}, db.rows(t, "SHOW lock_timeout")); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestNegativeLockTimeoutWaits(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		p.migrate(t, db)
		release := hold(t, db, "blog_tag")
		defer release()
		p.add(t, "blog", "0002_x", AddField{Model: "Tag", Column: schema.Column{Name: "a", Type: schema.Int64, Null: true}})
		ended := make(chan error, 1)
		go func() {
			_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{LockTimeout: -1, LockAttempts: 1, Blocked: func(b Blocked) { t.Error("gave way", b) }})
			ended <- err
		}()
		waiting := map[string]string{
			"postgres": "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'blog_tag'::regclass",
			"mysql":    "SELECT 1 FROM information_schema.processlist WHERE db = DATABASE() AND state LIKE '%metadata lock%'",
		}[kind.Name]
		for len(db.rows(t, waiting)) == 0 && len(ended) == 0 {
			time.Sleep(10 * time.Millisecond)
		}
		release()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
