// Package migratetest gives tests databases that have tables, and runs migrations
// forward and back on rows.
//
// # A database for each test
//
//	func TestPublish(t *testing.T) {
//		t.Parallel()
//		ctx := migratetest.Context(t)
//		err := Posts.Insert(ctx, &Post{Title: "Hello"})
//		…
//	}
//
// [Context] makes the tables of all registered models in one step instead of
// replaying the migrations, or, with [Options].Migrated, replays them once and
// copies what they made, rows included.
//
// # A test of a migration
//
//	func TestSlugsAreFilled(t *testing.T) {
//		m := migratetest.Start(t, "blog", "0004_fill_slugs")
//		m.Insert("blog_post", migratetest.Row{"id": 1, "title": "Hello World"})
//		m.Forward()
//		m.Want("SELECT id, slug FROM blog_post", "1|hello-world")
//		m.Backward()
//	}
//
// The package of the driver must be imported; without a URL it is orm/sqlite.
package migratetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/migrate/migratedb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
)

// Options are the details of [Context] and [Start].
type Options struct {
	// URL is that of a server, "postgres://…" or "mysql://…", in which each test
	// gets a schema, or database, of its own. Default: a new file of SQLite.
	URL string
	// Migrated has [Context] make the tables by the migrations, with the rows that
	// those insert. On SQLite they run once for all tests of the program, on a
	// server for each. Default: the tables are made from the models.
	Migrated bool
	// Sets are the migrations. Default: those of the program, migrate.Sets().
	Sets []*migrate.Set
}

func only(options []Options) Options {
	if len(options) == 0 {
		return Options{}
	}
	return options[0]
}

func (o Options) graph() (*migrate.Graph, error) {
	if o.Sets != nil {
		return migrate.Load(o.Sets...)
	}
	return migrate.Load(migrate.Sets()...)
}

// Context returns the test's context with a new database that has the tables of all
// registered models. It is gone when the test ends.
func Context(t testing.TB, options ...Options) context.Context {
	t.Helper()
	o := only(options)
	if o.URL != "" {
		db := open(t, newServerDatabase(t, o.URL))
		if err := fill(t.Context(), db, o); err != nil {
			t.Fatal(err)
		}
		return orm.WithDB(t.Context(), db)
	}
	content, err := snapshot(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return orm.WithDB(t.Context(), open(t, fileURL(file)))
}

// fileURL is that of a file which need not survive the machine.
func fileURL(file string) string {
	return "sqlite:" + filepath.ToSlash(file) + "?synchronous=OFF"
}

func open(t testing.TB, address string) *orm.DB {
	t.Helper()
	db, err := orm.Open(t.Context(), address)
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

// fill makes the tables.
func fill(ctx context.Context, db *orm.DB, o Options) error {
	if o.Migrated {
		graph, err := o.graph()
		if err != nil {
			return err
		}
		_, err = graph.Apply(ctx, migratedb.Connection{DB: db}, migrate.Target{}, migrate.Options{})
		return err
	}
	tables, err := orm.Tables()
	if err != nil {
		return err
	}
	return db.Atomic(ctx, orm.TxOptions{}, func(ctx context.Context) error {
		for _, statement := range schema.CreateTables(db.Schema(), tables) {
			if _, err := db.Exec(ctx, statement); err != nil {
				return fmt.Errorf("migratetest: %w in %s", err, statement)
			}
		}
		return nil
	})
}

// snapshots are the files of SQLite that were made for this program, to be copied, by what
// made them.
var snapshots struct {
	sync.Mutex
	files map[string]snapshotFile
}

// snapshotFile holds on to what made it, whose address is its key.
type snapshotFile struct {
	content []byte
	sets    []*migrate.Set
}

// snapshot returns a file of SQLite with all tables.
func snapshot(ctx context.Context, o Options) ([]byte, error) {
	key := "models"
	if o.Migrated {
		key = fmt.Sprintf("migrated %p", o.Sets)
	}
	snapshots.Lock()
	defer snapshots.Unlock()
	if kept, ok := snapshots.files[key]; ok {
		return kept.content, nil
	}
	content, err := newSnapshot(ctx, o)
	if err != nil {
		return nil, err
	}
	if snapshots.files == nil {
		snapshots.files = map[string]snapshotFile{}
	}
	snapshots.files[key] = snapshotFile{content, o.Sets}
	return content, nil
}

func newSnapshot(ctx context.Context, o Options) ([]byte, error) {
	folder, err := os.MkdirTemp("", "migratetest")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	file := filepath.Join(folder, "snapshot.db")
	db, err := orm.Open(ctx, fileURL(file))
	if err != nil {
		return nil, err
	}
	err = fill(ctx, db, o)
	if closed := db.Close(); err == nil {
		err = closed // which writes all of it into the one file
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

// newServerDatabase makes a schema of PostgreSQL, or a database of MySQL, that goes away
// with the test, and returns its URL.
func newServerDatabase(t testing.TB, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("migratetest: the URL of the server cannot be read; write it as postgres://user@127.0.0.1/test or mysql://user@127.0.0.1/test")
	}
	name := "migratetest_" + strings.ToLower(rand.Text()[:16])
	var create, drop string
	switch u.Scheme {
	case "postgres", "postgresql":
		create, drop = "CREATE SCHEMA "+name, "DROP SCHEMA "+name+" CASCADE"
		query := u.Query()
		query.Set("search_path", name)
		u.RawQuery = query.Encode()
	case "mysql", "mariadb":
		create, drop = "CREATE DATABASE "+name, "DROP DATABASE "+name
		u.Path = "/" + name
	default:
		t.Fatalf("migratetest: the URL of a server begins with postgres: or mysql:, and not with %s:; leave it out for SQLite", u.Scheme)
	}
	run := func(ctx context.Context, sql string) error {
		db, err := orm.Open(ctx, server)
		if err != nil {
			return err
		}
		defer func() { _ = db.Close() }()
		_, err = db.Exec(ctx, sql)
		return err
	}
	if err := run(t.Context(), create); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		defer stop()
		if err := run(ctx, drop); err != nil {
			t.Error(err)
		}
	})
	return u.String()
}
