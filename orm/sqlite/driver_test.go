package sqlite_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"testing"

	modernc "modernc.org/sqlite"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/sqlite"
)

// foreign is a driver whose errors have their codes in fields, as those of
// mattn/go-sqlite3.
type foreign struct{ modernc.Driver }

type foreignError struct {
	Code         int
	ExtendedCode extendedCode
	text         string
}

type extendedCode int

func (e foreignError) Error() string { return e.text }

func (d *foreign) Open(name string) (driver.Conn, error) {
	c, err := d.Driver.Open(name)
	return foreignConn{c}, translated(err)
}

type foreignConn struct{ driver.Conn }

func (c foreignConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	st, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	return foreignStmt{st}, translated(err)
}

type foreignStmt struct{ driver.Stmt }

func (s foreignStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	r, err := s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	return r, translated(err)
}

func (s foreignStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	r, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	return r, translated(err)
}

func translated(err error) error {
	if e, ok := errors.AsType[*modernc.Error](err); ok {
		return foreignError{e.Code() & 0xff, extendedCode(e.Code()), e.Error()}
	}
	return err
}

// TestDriversOfOthers runs on the driver of a *sql.DB, and on one that is not like ours.
func TestDriversOfOthers(t *testing.T) {
	t.Parallel()
	pool, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	for name, d := range map[string]driver.Driver{"of a sql.DB": pool.Driver(), "with codes in fields": &foreign{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, db := open(t, filepath.Join(t.TempDir(), "x.db"), sqlite.Options{Driver: d})
			exec(t, ctx, db, "CREATE TABLE t (n INTEGER NOT NULL UNIQUE CONSTRAINT positive CHECK (n > 0))")
			exec(t, ctx, db, "INSERT INTO t VALUES (?)", 1)
			for value, is := range map[any]func(error) bool{int64(1): orm.IsUnique, int64(-1): orm.IsCheck, nil: orm.IsNotNull} {
				if _, err := db.Exec(ctx, "INSERT INTO t VALUES (?)", value); !is(err) {
					t.Errorf("%v: %v", value, err)
				}
			}
			if journal := one(t, ctx, db, "PRAGMA journal_mode"); journal != "wal" {
				t.Error(journal)
			}
			err := orm.Atomic(ctx, func(ctx context.Context) error {
				exec(t, ctx, db, "INSERT INTO t VALUES (2)")
				return errors.New("no")
			})
			if n := one(t, ctx, db, "SELECT COUNT(*) FROM t"); err == nil || n != int64(1) {
				t.Error(n, err)
			}
		})
	}
}
