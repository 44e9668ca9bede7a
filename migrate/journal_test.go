package migrate

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

func note(name string) schema.Column {
	return schema.Column{Name: name, Type: schema.Text, Null: true}
}

// bareSet adds a migration to blog that runs without a transaction and fails in
// its middle as long as fails is true.
func bareSet(p *project, fails *bool, runs *int) {
	p.sets["blog"].Add(Migration{Name: "0002_x", NonAtomic: true, Dependencies: []string{"blog.0001_initial"}, Operations: []Operation{
		AddField{Model: "Tag", Column: note("a")},
		RunCode{Name: "count", Code: func(context.Context, Database) error { *runs++; return nil }, ReverseCode: NoCode},
		RunCode{Name: "fail", Code: func(context.Context, Database) error {
			if *fails {
				return errors.New("boom")
			}
			return nil
		}, ReverseCode: NoCode},
		AddField{Model: "Tag", Column: note("b")},
	}})
}

func TestMigrationThatFailedInItsMiddleGoesOn(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		p.migrate(t, db)
		fails, runs := true, 0
		bareSet(p, &fails, &runs)
		for range 2 {
			_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{})
			contains(t, err, nil, "blog.0002_x", "Run Go code: fail", "boom", "2 of its 4 statements are done", JournalTable, "goes on with: -- Run Go code: fail")
		}
		// Nothing else is done before it is finished.
		_, err := p.graph(t).Apply(t.Context(), db, Target{App: "blog", Name: Zero}, Options{})
		contains(t, err, nil, "blog.0002_x was broken off while being applied, with 2 of its statements done", "migrate blog 0002_x", "--fake")
		fails = false
		p.migrate(t, db)
		if runs != 1 {
			t.Errorf("the code that was done ran %d times", runs)
		}
		tables := blogTables()
		tag := pick(t, tables, "Tag")
		tag.Columns = append(tag.Columns, note("a"), note("b"))
		if diff := cmp.Diff(dumpOf(t, kind, tables), dump(t, db)); diff != "" {
			t.Error(diff)
		}
		if left := db.rows(t, "SELECT name FROM "+JournalTable); len(left) != 0 {
			t.Errorf("left in the journal: %v", left)
		}
		p.to(t, db, Target{App: "blog", Name: "0001"})
		if diff := cmp.Diff(dumpOf(t, kind, blogTables()), dump(t, db)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestMigrationThatChangedAfterItFailedIsRefused(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		p.migrate(t, db)
		fails, runs := true, 0
		bareSet(p, &fails, &runs)
		_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{})
		contains(t, err, nil, "boom")
		changed := p.sets["blog"].migrations["0002_x"]
		before := changed.Operations
		changed.Operations = append([]Operation{AddField{Model: "Tag", Column: note("c")}}, before[1:]...)
		_, err = p.graph(t).Apply(t.Context(), db, Target{}, Options{})
		contains(t, err, nil, "has been changed since", "statement 1 was", "put it back as it was", "--fake")
		changed.Operations = before[:1]
		_, err = p.graph(t).Apply(t.Context(), db, Target{}, Options{})
		contains(t, err, nil, "has fewer now")
		// Who has done the rest by hand records it.
		changed.Operations = before
		db.exec(t, "ALTER TABLE blog_tag ADD COLUMN b "+longText[kind.Name])
		if _, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{Fake: true}); err != nil {
			t.Fatal(err)
		}
		if steps := p.to(t, db, Target{}); len(steps) != 0 {
			t.Errorf("did %s", planned(steps))
		}
		if left := db.rows(t, "SELECT name FROM "+JournalTable); len(left) != 0 {
			t.Errorf("left in the journal: %v", left)
		}
	})
}

func TestFakeInitialLooksAtColumns(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		tables := blogTables()
		tag := pick(t, tables, "Tag")
		tag.Columns = tag.Columns[:1]
		db.exec(t, schema.CreateTables(db.Dialect(), tables)...)
		_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{FakeInitial: true})
		contains(t, err, nil, "the tables of blog.0001_initial exist, but lack blog_tag.name", "by hand")
		if got := db.rows(t, db.Dialect().TableNames()); len(got) != 4 {
			t.Errorf("it was refused, but the tables are %v", got)
		}
	})
}

func TestWaitingIsTold(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		if kind.Name == "sqlite" {
			t.Skip("a transaction is the lock: TestMigrationWaitsForALongWriter")
		}
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		unlock, err := db.Lock(t.Context(), lockName)
		if err != nil {
			t.Fatal(err)
		}
		told := make(chan time.Duration, 8)
		go func() {
			<-told
			unlock()
		}()
		steps, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{Waiting: func(elapsed time.Duration) { told <- elapsed }})
		if err != nil || len(steps) != 2 {
			t.Error(steps, err)
		}
		// A context that ends while it waits ends it.
		unlock, err = db.Lock(t.Context(), lockName)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err = p.graph(t).Apply(ctx, db, Target{}, Options{}); err == nil || !strings.Contains(err.Error(), "wait for other processes") {
			t.Error(err)
		}
	})
}
