package migrate

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/retort-web/retort/orm/schema"
	"github.com/retort-web/retort/orm/schema/sqlite"
)

// testDatabase is the least a Database can be: one SQLite file through
// database/sql.
type testDatabase struct {
	pool *sql.DB
}

type runnerKey struct{}

// runner is what sql.DB, sql.Conn and sql.Tx have in common.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// openPath opens an SQLite file as Retort does: foreign keys on, WAL, and
// transactions that write from the beginning.
func openPath(path string) (*testDatabase, error) {
	pool, err := sql.Open("sqlite", "file:"+path+
		"?_txlock=immediate&_pragma=foreign_keys(1)&_pragma=journal_mode(wal)&_pragma=busy_timeout(100)&_pragma=synchronous(off)")
	return &testDatabase{pool: pool}, err
}

// openTest opens a new database file that goes away with the test.
func openTest(t testing.TB) *testDatabase {
	t.Helper()
	db, err := openPath(filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.pool.Close() })
	return db
}

func (d *testDatabase) runner(ctx context.Context) runner {
	if r, ok := ctx.Value(runnerKey{}).(runner); ok {
		return r
	}
	return d.pool
}

func (d *testDatabase) Dialect() schema.Dialect { return sqlite.Dialect{} }

func (d *testDatabase) Exec(ctx context.Context, query string, args ...any) error {
	_, err := d.runner(ctx).ExecContext(ctx, query, args...)
	return err
}

func (d *testDatabase) Query(ctx context.Context, query string, args ...any) ([][]any, error) {
	rows, err := d.runner(ctx).QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var all [][]any
	for rows.Next() {
		row, cells := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			cells[i] = &row[i]
		}
		if err := rows.Scan(cells...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

func (d *testDatabase) Transaction(ctx context.Context, options TransactionOptions, fn func(context.Context) error) error {
	conn, err := d.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if options.WithoutForeignKeys {
		if _, err := conn.ExecContext(ctx, "PRAGMA foreign_keys = OFF"); err != nil {
			return err
		}
		defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA foreign_keys = ON") }()
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := fn(context.WithValue(ctx, runnerKey{}, tx)); err != nil {
		return err
	}
	return tx.Commit()
}

func (d *testDatabase) Lock(context.Context, string) (unlock func(), err error) {
	return func() {}, nil
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
