package migrate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// childVariable makes the test binary a process that migrates the database of
// the URL it holds, instead of running tests.
const childVariable = "RETORT_MIGRATE_TEST_URL"

// dieVariable is the statement at which that process is killed, and when:
// "12 before", "12 after" or "12 within".
const dieVariable = "RETORT_MIGRATE_TEST_DIE"

// proofVariable makes tests go all the way, which takes minutes.
const proofVariable = "RETORT_MIGRATE_PROOF"

func TestMain(m *testing.M) {
	if url := os.Getenv(childVariable); url != "" {
		if err := migrateChild(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// childGraph has migrations with everything that can be broken off: tables with
// references, rows that are changed by SQL and by Go code, which must not happen
// twice, changed columns, keys and indexes.
func childGraph() (*Graph, error) {
	author := schema.Table{Model: "Author", Name: "blog_author", Columns: []schema.Column{
		idColumn(), {Name: "name", Type: schema.String, Size: 50, Unique: true},
	}}
	post := schema.Table{Model: "Post", Name: "blog_post", Columns: []schema.Column{
		idColumn(),
		{Name: "title", Type: schema.String, Size: 100},
		{Name: "count", Type: schema.Int64, Default: new("0")},
		{Name: "author_id", Type: schema.Int64, Null: true, References: &schema.Reference{Table: "blog_author", Column: "id", OnDelete: schema.Cascade, Model: "blog.Author"}},
	}}
	wide := post.Columns[1]
	wide.Size = 200
	needed := post.Columns[3]
	needed.Null = false
	s := NewSet("blog", "")
	s.Add(Migration{Name: "0001_initial", Operations: []Operation{
		CreateModel{Table: author},
		CreateModel{Table: post},
		RunSQL{SQL: "INSERT INTO blog_author (id, name) VALUES (1, 'ann'); INSERT INTO blog_post (id, title) VALUES (1, 'One'), (2, 'Two')", ReverseSQL: Noop},
	}})
	s.Add(Migration{Name: "0002_wide", Dependencies: []string{"blog.0001_initial"}, Operations: []Operation{
		AlterField{Model: "Post", Column: wide},
		RunCode{Name: "count", Code: func(ctx context.Context, db Database) error {
			if err := db.Exec(ctx, "UPDATE blog_post SET count = count + 1"); err != nil {
				return err
			}
			return db.Exec(ctx, "INSERT INTO blog_post (id, title) VALUES (3, 'Three')")
		}, ReverseCode: NoCode},
		RunSQL{SQL: "UPDATE blog_post SET count = count + 10", ReverseSQL: Noop},
		AlterField{Model: "Post", Column: needed, Backfill: new("1")},
		AddIndex{Model: "Post", Index: schema.Index{Name: "blog_post_title", Columns: []schema.IndexColumn{{Name: "title"}}}},
		RenameField{Model: "Post", From: "author_id", To: "writer_id"},
	}})
	s.Add(Migration{Name: "0003_views", Dependencies: []string{"blog.0002_wide"}, Operations: []Operation{
		AddField{Model: "Post", Column: schema.Column{Name: "views", Type: schema.Int64}, Backfill: new("7")},
		RenameModel{From: "Post", To: "Article", Table: "blog_article"},
		RemoveIndex{Model: "Article", Name: "blog_post_title"},
	}})
	s.Add(Migration{Name: "0004_beside", NonAtomic: true, Dependencies: []string{"blog.0003_views"}, Operations: []Operation{
		AddIndex{Model: "Article", Index: schema.Index{Name: "blog_article_count", Columns: []schema.IndexColumn{{Name: "count"}}}, Concurrently: true},
		AddField{Model: "Article", Column: schema.Column{Name: "note", Type: schema.Text, Null: true}},
		SetNotNull{Model: "Article", Column: "note", Value: new("''"), BatchSize: 2},
		AddUnique{Model: "Article", Column: "title"},
	}})
	return Load(s)
}

// childRows is what is in the tables in the end.
var childRows = []string{"One|11|1|7", "Two|11|1|7", "Three|10|1|7"}

// childTables is how the tables are in the end.
func childTables(t testing.TB) []*schema.Table {
	t.Helper()
	g, err := childGraph()
	if err != nil {
		t.Fatal(err)
	}
	state, err := g.replay(func(*node) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	return state.Tables()
}

func migrateChild(url string) error {
	conn, err := openURL(url)
	if err != nil {
		return err
	}
	var db Database = conn
	if at, when, found := strings.Cut(os.Getenv(dieVariable), " "); found {
		n, err := strconv.Atoi(at)
		if err != nil {
			return err
		}
		db = &mortal{testDatabase: conn, left: n, when: when}
	}
	g, err := childGraph()
	if err != nil {
		return err
	}
	steps, err := g.Apply(context.Background(), db, Target{}, Options{})
	fmt.Print(planned(steps))
	return errors.Join(err, conn.Close())
}

// mortal is a database whose process is killed at one of its statements.
type mortal struct {
	*testDatabase
	left int
	when string
}

func (d *mortal) Exec(ctx context.Context, query string, args ...any) error {
	d.left--
	if d.left != 0 {
		return d.testDatabase.Exec(ctx, query, args...)
	}
	switch d.when {
	case "after":
		if err := d.testDatabase.Exec(ctx, query, args...); err != nil {
			return err
		}
	case "within":
		go func() { _ = d.testDatabase.Exec(ctx, query, args...) }()
		time.Sleep(time.Duration(rand.Int64N(int64(3 * time.Millisecond))))
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	time.Sleep(time.Minute)
	panic(fmt.Sprint("still alive after kill -9: ", err))
}

func child(t testing.TB, url string, environment ...string) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(binary)
	c.Env = append(append(os.Environ(), childVariable+"="+url), environment...)
	return c
}

// openAt opens a database of a URL until the test ends.
func openAt(t testing.TB, url string) *testDatabase {
	t.Helper()
	db, err := openURL(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestKilledProcessLosesNothing kills a process that migrates at one statement
// after another; the next process must bring the database to where one that was
// never killed does.
func TestKilledProcessLosesNothing(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		stride, moments := 6, []string{"before", "after", "within"}
		if os.Getenv(proofVariable) != "" {
			stride = 1
		}
		want := dumpOf(t, kind, childTables(t))
		kills := 0
		for at := 1; ; at++ {
			ended := false
			for m, when := range moments {
				if (at+2*m)%stride != 0 {
					continue
				}
				url := newURL(t, kind)
				out, err := child(t, url, fmt.Sprintf("%s=%d %s", dieVariable, at, when)).CombinedOutput()
				if ended = err == nil; ended {
					break // there are no more statements
				}
				if !strings.Contains(err.Error(), "killed") {
					t.Fatalf("%d %s: the child was not killed: %v, %s", at, when, err, out)
				}
				kills++
				if out, err = child(t, url).CombinedOutput(); err != nil {
					t.Fatalf("killed %s statement %d; the next run: %v: %s", when, at, err, out)
				}
				db := openAt(t, url)
				if diff := cmp.Diff(want, dump(t, db)); diff != "" {
					t.Errorf("killed %s statement %d (-want +got):\n%s", when, at, diff)
				}
				if diff := cmp.Diff(childRows, db.rows(t, "SELECT title, count, writer_id, views FROM blog_article ORDER BY id")); diff != "" {
					t.Errorf("killed %s statement %d (-want +got):\n%s", when, at, diff)
				}
				db.keysAreOn(t)
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			}
			if ended {
				break
			}
		}
		t.Logf("killed %d times", kills)
	})
}

func TestProcessesThatMigrateAtOnceDoEachStepOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		rounds := 5
		if os.Getenv(proofVariable) != "" {
			rounds = 50
		}
		for range rounds {
			url := newURL(t, kind)
			const processes = 3
			var wait sync.WaitGroup
			outputs := make([]string, processes)
			for i := range processes {
				c := child(t, url)
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
			for _, id := range []string{"0001_initial", "0002_wide", "0003_views", "0004_beside"} {
				if n := strings.Count(all, id); n != 1 {
					t.Errorf("%s was done %d times: %q", id, n, outputs)
				}
			}
			db := openAt(t, url)
			if diff := cmp.Diff(childRows, db.rows(t, "SELECT title, count, writer_id, views FROM blog_article ORDER BY id")); diff != "" {
				t.Error(diff)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
