package migrate

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
)

// testDatabase is a database of any kind, as programs have it.
type testDatabase struct {
	*orm.DB
}

// openPath opens an SQLite file that is soon found busy.
func openPath(path string) (*testDatabase, error) {
	return openURL("sqlite:" + filepath.ToSlash(path) + "?busy_timeout=100ms&synchronous=OFF")
}

func openURL(url string) (*testDatabase, error) {
	db, err := orm.Open(context.Background(), url)
	return &testDatabase{db}, err
}

// openTest opens a new SQLite file that goes away with the test.
func openTest(t testing.TB) *testDatabase {
	t.Helper()
	return openKind(t, testdb.SQLite)
}

// openKind opens a new database that goes away with the test.
func openKind(t testing.TB, kind testdb.Kind) *testDatabase {
	t.Helper()
	db, err := openURL(newURL(t, kind))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// newURL makes a new database that several processes can open.
func newURL(t testing.TB, kind testdb.Kind) string {
	t.Helper()
	if kind.Name == "sqlite" {
		return "sqlite:" + filepath.ToSlash(filepath.Join(t.TempDir(), "test.db")) + "?busy_timeout=100ms&synchronous=OFF"
	}
	return kind.URL(t)
}

func (d *testDatabase) Dialect() schema.Dialect { return d.Schema() }

func (d *testDatabase) Exec(ctx context.Context, query string, args ...any) error {
	_, err := d.DB.Exec(ctx, query, args...)
	return err
}

func (d *testDatabase) Query(ctx context.Context, query string, args ...any) ([][]any, error) {
	return d.Values(ctx, query, args...)
}

func (d *testDatabase) Transaction(ctx context.Context, options TransactionOptions, fn func(context.Context) error) error {
	return d.Atomic(ctx, orm.TxOptions{WithoutForeignKeys: options.WithoutForeignKeys}, fn)
}

// exec runs statements and fails the test on an error.
func (d *testDatabase) exec(t testing.TB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := d.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// tables returns the names of the tables but those of this package.
func (d *testDatabase) tables(t testing.TB) []string {
	t.Helper()
	names := []string{}
	for _, name := range d.rows(t, d.Dialect().TableNames()) {
		if name != HistoryTable && name != JournalTable {
			names = append(names, name)
		}
	}
	return names
}

// rows returns the rows of a query as text, "a|b" each.
func (d *testDatabase) rows(t testing.TB, query string) []string {
	t.Helper()
	rows, err := d.Query(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	all := []string{}
	for _, row := range rows {
		line := ""
		for i, value := range row {
			if i > 0 {
				line += "|"
			}
			if value == nil {
				line += "NULL"
			} else {
				line += text(value)
			}
		}
		all = append(all, line)
	}
	return all
}

// keysAreOn fails the test unless the database enforces foreign keys.
func (d *testDatabase) keysAreOn(t testing.TB) {
	t.Helper()
	if d.Dialect().Name() != "sqlite" {
		return
	}
	err := d.Atomic(t.Context(), orm.TxOptions{}, func(ctx context.Context) error {
		on, err := d.Values(ctx, "PRAGMA foreign_keys")
		if err == nil && fmt.Sprint(on) != "[[1]]" {
			t.Error("foreign keys were left off")
		}
		dangling, err2 := d.Values(ctx, "PRAGMA foreign_key_check")
		if len(dangling) > 0 {
			t.Errorf("dangling references: %v", dangling)
		}
		if err != nil {
			return err
		}
		return err2
	})
	if err != nil {
		t.Error(err)
	}
}
