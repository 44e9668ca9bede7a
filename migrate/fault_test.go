package migrate

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

func TestMigrationWaitsForALongWriter(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "busy.db")
	writer, err := openPath(file)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	writer.exec(t, "CREATE TABLE other (id INTEGER)")
	held, release := make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		err := writer.Transaction(context.Background(), TransactionOptions{}, func(context.Context) error {
			close(held)
			<-release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-held
	g, err := childGraph()
	if err != nil {
		t.Fatal(err)
	}
	db, err := openPath(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	// It gives up when its context does …
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := g.Apply(ctx, db, Target{}, Options{}); !errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		t.Errorf("with a deadline: %v", err)
	}
	// … and otherwise goes on as soon as it can: longer than the busy timeout.
	time.AfterFunc(400*time.Millisecond, func() { close(release) })
	steps, err := g.Apply(t.Context(), db, Target{}, Options{})
	if err != nil || len(steps) != 4 {
		t.Errorf("did %s: %v", planned(steps), err)
	}
	wait.Wait()
}

func TestFailedMigrationChangesNothing(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		boom := errors.New("boom")
		for _, test := range []struct {
			name       string
			operations []Operation
			want       []string
			kinds      string
		}{
			{
				"code that fails after a rebuild",
				[]Operation{
					AddField{Model: "Post", Column: schema.Column{Name: "n", Type: schema.Int64, Null: true, Unique: true}},
					RenameField{Model: "Post", From: "status", To: "state"},
					RunCode{Name: "count", Code: func(context.Context, Database) error { return boom }},
				},
				[]string{"apply blog.0002_x", "Run Go code: count", "boom", "nothing of it was changed"},
				"sqlite postgres",
			},
			{
				"rows that break a new check",
				[]Operation{AddCheck{Model: "Post", Check: schema.Check{Name: "short", SQL: `length("title") < 4`}}},
				[]string{"apply blog.0002_x", "Create check short on Post", "check constraint"},
				"sqlite postgres mysql",
			},
			{
				"rows that a unique index forbids",
				[]Operation{AddIndex{Model: "Post", Index: schema.Index{Name: "u", Unique: true, Columns: []schema.IndexColumn{{Name: "author_id"}}}}},
				[]string{"Create index u on Post", "unique constraint"},
				"sqlite postgres mysql",
			},
			{
				"NULL in a column that forbids it now",
				[]Operation{AlterField{Model: "Post", Column: schema.Column{Name: "parent_id", Type: schema.Int64}}},
				[]string{"Alter field parent_id on Post"},
				"sqlite postgres",
			},
			{
				"references that lead nowhere",
				[]Operation{
					RunSQL{SQL: "DELETE FROM auth_user WHERE username = 'bob'"},
					AlterField{Model: "Tag", Column: schema.Column{Name: "name", Type: schema.Text}},
				},
				[]string{"foreign keys would be broken", "row 3 of blog_post points to a missing row of auth_user"},
				"sqlite", // others look at each statement
			},
		} {
			if !strings.Contains(test.kinds, kind.Name) {
				continue
			}
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				p, db := newProject(), openKind(t, kind)
				p.make(t, blogTables(), nil)
				p.migrate(t, db)
				seed(t, db)
				tables, rows := dump(t, db), everyRow(t, db)
				p.add(t, "blog", "0002_x", test.operations...)
				_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{})
				contains(t, err, nil, test.want...)
				if diff := cmp.Diff(tables, dump(t, db)); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(rows, everyRow(t, db)); diff != "" {
					t.Error(diff)
				}
				db.keysAreOn(t)
			})
		}
	})
}

// keysStayOn is a database whose transactions ignore WithoutForeignKeys.
type keysStayOn struct{ *testDatabase }

func (d keysStayOn) Transaction(ctx context.Context, _ TransactionOptions, fn func(context.Context) error) error {
	return d.testDatabase.Transaction(ctx, TransactionOptions{}, fn)
}

func TestRebuildIsRefusedWhileForeignKeysAreOn(t *testing.T) {
	t.Parallel()
	p, db := newProject(), openTest(t)
	p.make(t, blogTables(), nil)
	p.migrate(t, db)
	seed(t, db)
	rows := everyRow(t, db)
	p.add(t, "blog", "0002_x", AlterField{Model: "Post", Column: schema.Column{Name: "title", Type: schema.Text}})
	_, err := p.graph(t).Apply(t.Context(), keysStayOn{db}, Target{}, Options{})
	contains(t, err, nil, "foreign keys are enforced")
	if diff := cmp.Diff(rows, everyRow(t, db)); diff != "" {
		t.Error(diff)
	}
}
