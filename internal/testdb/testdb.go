// Package testdb gives tests new databases, of every kind that package orm works
// with.
//
//	func TestX(t *testing.T) {
//		t.Parallel()
//		testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
//			ctx := kind.Context(t)
//			…
//		})
//	}
//
// SQLite needs nothing. The others are tested when a variable of the environment
// holds the URL of a server, in the form of DATABASE_URL; then a server that does
// not answer is a failure.
//
//	RETORT_TEST_POSTGRES=postgres://postgres@127.0.0.1:5432/test
//	RETORT_TEST_MYSQL=mysql://root@127.0.0.1:3306/test
//
// Each test has a database, or a schema in one, of its own that goes away with it,
// so that tests run in parallel, also those of several packages. [Main] makes many
// of them cheap.
package testdb

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
	_ "github.com/retort-web/retort/orm/sqlite" // the driver
)

// Kind is a kind of database to test on.
type Kind struct {
	// Name is "sqlite", "postgres" or "mysql", as DB.Dialect says.
	Name string

	server string // the URL of the server
	create func(t testing.TB, server string) database
}

// database is a database of a test, or a schema in one.
type database struct {
	url  string
	drop func(ctx context.Context) error
}

// servers are the kinds that need a server, by the variable that names one.
var servers = []struct {
	variable string
	name     string
	// create makes an empty database, or schema, which the caller drops.
	create func(t testing.TB, server string) database
}{
	{"RETORT_TEST_MYSQL", "mysql", createMySQL},
	{"RETORT_TEST_POSTGRES", "postgres", createPostgres},
}

// SQLite is the kind that is always there.
var SQLite = Kind{Name: "sqlite", create: func(testing.TB, string) database {
	return database{"sqlite::memory:", func(context.Context) error { return nil }}
}}

// Kinds returns the kinds of database to test on.
func Kinds() []Kind {
	kinds := []Kind{SQLite}
	for _, s := range servers {
		if url := os.Getenv(s.variable); url != "" {
			kinds = append(kinds, Kind{Name: s.name, server: url, create: s.create})
		}
	}
	return kinds
}

// Each runs a test on every kind of database, in parallel subtests named after
// the kinds.
func Each(t *testing.T, test func(t *testing.T, kind Kind)) {
	t.Helper()
	for _, kind := range Kinds() {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			test(t, kind)
		})
	}
}

// URL makes a new, empty database and returns its URL. It is gone when the test
// ends; a database of SQLite in memory is a new one for each connection.
func (k Kind) URL(t testing.TB) string {
	t.Helper()
	d := k.create(t, k.server)
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
		defer stop()
		if err := d.drop(ctx); err != nil {
			t.Error(err)
		}
	})
	return d.url
}

// Open opens a new, empty database.
func (k Kind) Open(t testing.TB) *orm.DB {
	t.Helper()
	return OpenURL(t, k.URL(t))
}

// Context returns a context with a new database that has the tables of all
// registered models. It may be one that an earlier test has used: see [Main].
func (k Kind) Context(t testing.TB) context.Context {
	t.Helper()
	if _, ok := emptiers[k.Name]; ok && kept.keeping {
		return orm.WithDB(t.Context(), OpenURL(t, k.withTables(t)))
	}
	db := k.Open(t)
	CreateTables(t, db)
	return orm.WithDB(t.Context(), db)
}

// SQL writes the parameters of a statement, each a ?, as the database has them.
func (k Kind) SQL(statement string) string {
	if k.Name != "postgres" {
		return statement
	}
	parts := strings.Split(statement, "?")
	var b strings.Builder
	for i, part := range parts {
		if i > 0 {
			fmt.Fprintf(&b, "$%d", i)
		}
		b.WriteString(part)
	}
	return b.String()
}

// OpenURL opens a database until the test ends.
func OpenURL(t testing.TB, url string) *orm.DB {
	t.Helper()
	db, err := orm.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// CreateTables creates the tables of all registered models.
func CreateTables(t testing.TB, db *orm.DB) {
	t.Helper()
	tables, err := orm.Tables()
	if err != nil {
		t.Fatal(err)
	}
	err = db.Atomic(t.Context(), orm.TxOptions{}, func(ctx context.Context) error {
		for _, sql := range schema.CreateTables(db.Schema(), tables) {
			if _, err := db.Exec(ctx, sql); err != nil {
				t.Errorf("%v in %s", err, sql)
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
