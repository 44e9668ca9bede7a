package migratetest_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/migrate/migratetest"
	"github.com/retort-web/retort/orm"
	_ "github.com/retort-web/retort/orm/mysql"
	_ "github.com/retort-web/retort/orm/postgres"
	"github.com/retort-web/retort/orm/schema"
	_ "github.com/retort-web/retort/orm/sqlite"
)

// Page is a model.
type Page struct {
	orm.Model
	Title string  `orm:"size=100"`
	Slug  *string `orm:"size=100,unique"`
}

var Pages = orm.Register[Page]()

// All is the migrations of Page, and of a table of rows that they insert.
var All = migrate.Register("migratetest_test")

func init() {
	All.Add(migrate.Migration{Name: "0001_initial", Operations: []migrate.Operation{
		migrate.CreateModel{Table: schema.Table{Model: "Page", Name: "migratetest_test_page", Columns: []schema.Column{
			{Name: "id", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
			{Name: "title", Type: schema.String, Size: 100},
		}}},
		migrate.RunSQL{SQL: "INSERT INTO migratetest_test_page (title) VALUES ('Home')", ReverseSQL: migrate.Noop},
	}})
	All.Add(migrate.Migration{Name: "0002_slug", Dependencies: []string{"migratetest_test.0001_initial"}, Operations: []migrate.Operation{
		migrate.AddField{Model: "Page", Column: schema.Column{Name: "slug", Type: schema.String, Size: 100, Null: true}},
		migrate.FillField{Model: "Page", Column: "slug", Value: `lower("title")`},
		migrate.AddUnique{Model: "Page", Column: "slug"},
	}, NonAtomic: true})
}

// urls are the databases to test on: SQLite, and the servers that are there.
func urls() map[string]string {
	all := map[string]string{"sqlite": ""}
	for name, variable := range map[string]string{"postgres": "RETORT_TEST_POSTGRES", "mysql": "RETORT_TEST_MYSQL"} {
		if server := os.Getenv(variable); server != "" {
			all[name] = server
		}
	}
	return all
}

func TestContextHasTables(t *testing.T) {
	t.Parallel()
	for name, url := range urls() {
		for _, migrated := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " migrated ", migrated), func(t *testing.T) {
				t.Parallel()
				o := migratetest.Options{URL: url, Migrated: migrated}
				one, two := migratetest.Context(t, o), migratetest.Context(t, o)
				if err := Pages.Insert(one, &Page{Title: "A", Slug: new("a")}); err != nil {
					t.Fatal(err)
				}
				rows := 0
				if migrated {
					rows = 1 // of the migrations
				}
				for i, ctx := range []context.Context{two, one} {
					if n, err := Pages.Count(ctx); err != nil || n != int64(rows+i) {
						t.Errorf("%d rows, want %d: %v", n, rows+i, err)
					}
				}
				if err := Pages.Insert(one, &Page{Title: "A", Slug: new("a")}); !orm.IsUnique(err) {
					t.Errorf("the unique column: %v", err)
				}
			})
		}
	}
}

func TestMigrationForwardAndBack(t *testing.T) {
	t.Parallel()
	for name, url := range urls() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := migratetest.Start(t, "migratetest_test", "0002", migratetest.Options{URL: url})
			m.Insert("migratetest_test_page", migratetest.Row{"id": 11, "title": "Hello"}, migratetest.Row{"id": 12, "title": "There"})
			m.Forward()
			m.Want("SELECT slug FROM migratetest_test_page ORDER BY id", "home", "hello", "there")
			m.Backward()
			m.Want("SELECT title FROM migratetest_test_page ORDER BY id", "Home", "Hello", "There")
			m.Insert("migratetest_test_page", migratetest.Row{"id": 17, "title": "Hello"})
			if err := m.Fails(); !orm.IsUnique(err) {
				t.Error(err)
			}
		})
	}
}

// recorder notes what a test is told, in place of failing.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestReverseThatLeavesSomethingIsFound(t *testing.T) {
	t.Parallel()
	set := migrate.NewSet("x", "")
	set.Add(migrate.Migration{Name: "0001_x", Operations: []migrate.Operation{
		migrate.RunSQL{SQL: "CREATE TABLE x (id INTEGER)", ReverseSQL: migrate.Noop},
	}})
	r := &recorder{TB: t}
	m := migratetest.Start(r, "x", "0001_x", migratetest.Options{Sets: []*migrate.Set{set}})
	m.Forward()
	m.Want("SELECT 1", "2")
	m.Backward()
	if len(r.errors) != 2 || !strings.Contains(r.errors[0], "returns\n\t1\nwant\n\t2") || !strings.Contains(r.errors[1], "x column") {
		t.Error(r.errors)
	}
}
