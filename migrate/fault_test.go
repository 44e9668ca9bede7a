package migrate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/orm/schema"
)

// childVariable makes the test binary a process that migrates the database
// file it names, instead of running tests.
const childVariable = "RETORT_MIGRATE_TEST_FILE"

func TestMain(m *testing.M) {
	if file := os.Getenv(childVariable); file != "" {
		if err := migrateChild(file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// childGraph has a migration that rebuilds a table with rows and, when told
// so, dies in the middle of it.
func childGraph(die func()) (*Graph, error) {
	post := schema.Table{Model: "Post", Name: "blog_post", Columns: []schema.Column{
		idColumn(), {Name: "title", Type: schema.String, Size: 100},
	}}
	wide := post.Columns[1]
	wide.Size = 200
	s := NewSet("blog", "")
	s.Add(Migration{Name: "0001_initial", Operations: []Operation{
		CreateModel{Table: post},
		RunSQL{SQL: "INSERT INTO blog_post (title) VALUES ('One'), ('Two')", ReverseSQL: Noop},
	}})
	s.Add(Migration{Name: "0002_wide", Dependencies: []string{"blog.0001_initial"}, Operations: []Operation{
		AlterField{Model: "Post", Column: wide},
		RunCode{Code: func(ctx context.Context, db Database) error {
			die()
			return db.Exec(ctx, "INSERT INTO blog_post (title) VALUES ('Three')")
		}, ReverseCode: NoCode},
		AddIndex{Model: "Post", Index: schema.Index{Name: "blog_post_title", Columns: []schema.IndexColumn{{Name: "title"}}}},
	}})
	s.Add(Migration{Name: "0003_views", Dependencies: []string{"blog.0002_wide"}, Operations: []Operation{
		AddField{Model: "Post", Column: schema.Column{Name: "views", Type: schema.Int64, Default: new("0")}},
	}})
	return Load(s)
}

func migrateChild(file string) error {
	db, err := openPath(file)
	if err != nil {
		return err
	}
	die := func() {}
	if os.Getenv(childVariable+"_DIE") != "" {
		die = func() {
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = self.Kill()
			}
			panic(fmt.Sprint("still alive after kill -9: ", err, time.Now()))
		}
	}
	g, err := childGraph(die)
	if err != nil {
		return err
	}
	steps, err := g.Apply(context.Background(), db, Target{}, Options{})
	fmt.Print(planned(steps))
	return errors.Join(err, db.pool.Close())
}

func child(t *testing.T, file string, environment ...string) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(binary)
	c.Env = append(append(os.Environ(), childVariable+"="+file), environment...)
	return c
}

func TestKilledProcessLeavesAllOrNothing(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "killed.db")
	out, err := child(t, file, childVariable+"_DIE=1").CombinedOutput()
	if err == nil || strings.Contains(string(out), "still alive") {
		t.Fatalf("the child was not killed: %v, %s", err, out)
	}
	db, err := openPath(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.pool.Close()
	if got := db.rows(t, "SELECT name FROM retort_migrations"); len(got) != 1 || got[0] != "0001_initial" {
		t.Errorf("recorded after the kill: %v", got)
	}
	if got := db.rows(t, "SELECT title FROM blog_post"); len(got) != 2 {
		t.Errorf("rows after the kill: %v", got)
	}
	if got := db.rows(t, "SELECT type FROM pragma_table_info('blog_post') WHERE name = 'title'"); got[0] != "varchar(100)" {
		t.Errorf("title after the kill is %s", got)
	}
	out, err = child(t, file).CombinedOutput()
	if err != nil || string(out) != "+blog.0002_wide +blog.0003_views" {
		t.Errorf("the next run did %s (%v)", out, err)
	}
	if got := db.rows(t, "SELECT title, views FROM blog_post"); strings.Join(got, " ") != "One|0 Two|0 Three|0" {
		t.Errorf("rows after the next run: %v", got)
	}
}

func TestProcessesThatMigrateAtOnceDoEachStepOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "shared.db")
	const processes = 4
	var wait sync.WaitGroup
	outputs := make([]string, processes)
	for i := range processes {
		c := child(t, file)
		wait.Go(func() {
			out, err := c.CombinedOutput()
			outputs[i] = string(out)
			if err != nil {
				t.Errorf("process %d: %v: %s", i, err, out)
			}
		})
	}
	wait.Wait()
	all := strings.Join(outputs, " ")
	for _, id := range []string{"0001_initial", "0002_wide", "0003_views"} {
		if n := strings.Count(all, id); n != 1 {
			t.Errorf("%s was done %d times: %q", id, n, outputs)
		}
	}
	db, err := openPath(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.pool.Close()
	if got := db.rows(t, "SELECT title FROM blog_post"); len(got) != 3 {
		t.Errorf("rows: %v", got)
	}
}

func TestMigrationWaitsForALongWriter(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "busy.db")
	writer, err := openPath(file)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.pool.Close()
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
	g, err := childGraph(func() {})
	if err != nil {
		t.Fatal(err)
	}
	db, err := openPath(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.pool.Close()
	// It gives up when its context does …
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := g.Apply(ctx, db, Target{}, Options{}); !errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		t.Errorf("with a deadline: %v", err)
	}
	// … and otherwise goes on as soon as it can: longer than the busy timeout.
	time.AfterFunc(400*time.Millisecond, func() { close(release) })
	steps, err := g.Apply(t.Context(), db, Target{}, Options{})
	if err != nil || len(steps) != 3 {
		t.Errorf("did %s: %v", planned(steps), err)
	}
	wait.Wait()
}

func TestFailedMigrationChangesNothing(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for _, test := range []struct {
		name       string
		operations []Operation
		want       []string
	}{
		{
			"code that fails after a rebuild",
			[]Operation{
				AddField{Model: "Post", Column: schema.Column{Name: "n", Type: schema.Int64, Null: true, Unique: true}},
				RenameField{Model: "Post", From: "status", To: "state"},
				RunCode{Name: "count", Code: func(context.Context, Database) error { return boom }},
			},
			[]string{"apply blog.0002_x", "Run Go code: count", "boom", "nothing of it was changed"},
		},
		{
			"rows that break a new check",
			[]Operation{AddCheck{Model: "Post", Check: schema.Check{Name: "short", SQL: `length("title") < 4`}}},
			[]string{"apply blog.0002_x", "Create check short on Post", "CHECK"},
		},
		{
			"rows that a unique index forbids",
			[]Operation{AddIndex{Model: "Post", Index: schema.Index{Name: "u", Unique: true, Columns: []schema.IndexColumn{{Name: "author_id"}}}}},
			[]string{"Create index u on Post", "UNIQUE"},
		},
		{
			"NULL in a column that forbids it now",
			[]Operation{AlterField{Model: "Post", Column: schema.Column{Name: "parent_id", Type: schema.Int64}}},
			[]string{"Alter field parent_id on Post", "NOT NULL"},
		},
		{
			"references that lead nowhere",
			[]Operation{
				RunSQL{SQL: "DELETE FROM auth_user WHERE username = 'bob'"},
				AlterField{Model: "Tag", Column: schema.Column{Name: "name", Type: schema.Text}},
			},
			[]string{"foreign keys would be broken", "row 3 of blog_post points to a missing row of auth_user"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, db := newProject(), openTest(t)
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
			if got := db.rows(t, "PRAGMA foreign_keys"); got[0] != "1" {
				t.Error("foreign keys were left off")
			}
		})
	}
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
