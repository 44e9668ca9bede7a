package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	modernc "modernc.org/sqlite"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/sqlite"
)

func open(t testing.TB, path string, o sqlite.Options) (context.Context, *orm.DB) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return orm.WithDB(t.Context(), db), db
}

func one(t testing.TB, ctx context.Context, db *orm.DB, sql string) any {
	t.Helper()
	rows, err := db.Values(ctx, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	if len(rows) != 1 {
		t.Fatalf("%s: %d rows", sql, len(rows))
	}
	return rows[0][0]
}

func exec(t testing.TB, ctx context.Context, db *orm.DB, sql string, args ...any) {
	t.Helper()
	if _, err := db.Exec(ctx, sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestConnectionsAreSetUp(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, filepath.Join(t.TempDir(), "x.db"), sqlite.Options{BusyTimeout: 1234 * time.Millisecond, CacheSize: -4000, Synchronous: "FULL"})
	for pragma, want := range map[string]any{
		"journal_mode": "wal", "foreign_keys": int64(1), "busy_timeout": int64(1234), "synchronous": int64(2), "cache_size": int64(-4000), "trusted_schema": int64(0),
	} {
		// QueryRows sends a pragma to the writer, pragma_… to a reader.
		if got := one(t, ctx, db, "PRAGMA "+pragma); got != want {
			t.Errorf("writer: %s is %v, want %v", pragma, got, want)
		}
		if pragma == "busy_timeout" {
			continue // its column has another name
		}
		if got := one(t, ctx, db, "SELECT * FROM pragma_"+pragma); got != want {
			t.Errorf("reader: %s is %v, want %v", pragma, got, want)
		}
	}
	if db.Dialect() != "sqlite" || db.Schema().Name() != "sqlite" {
		t.Error(db.Dialect())
	}
}

func TestMemoryIsSharedAndPrivate(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, ":memory:", sqlite.Options{})
	other, otherDB := open(t, ":memory:", sqlite.Options{})
	exec(t, ctx, db, "CREATE TABLE t (n)")
	exec(t, other, otherDB, "CREATE TABLE t (n)")
	exec(t, ctx, db, "INSERT INTO t VALUES (1)")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			rows, err := db.Values(ctx, "SELECT COUNT(*) FROM t")
			if err != nil || rows[0][0] != int64(1) {
				t.Error(rows, err)
			}
		})
	}
	wg.Wait()
	if n := one(t, other, otherDB, "SELECT COUNT(*) FROM t"); n != int64(0) {
		t.Error("two databases in memory are one")
	}
}

func TestReadersDoNotWaitForTheWriter(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, filepath.Join(t.TempDir(), "x.db"), sqlite.Options{})
	exec(t, ctx, db, "CREATE TABLE t (n)")
	err := orm.Atomic(ctx, func(inner context.Context) error {
		exec(t, inner, db, "INSERT INTO t VALUES (1)")
		if n := one(t, inner, db, "SELECT COUNT(*) FROM t"); n != int64(1) {
			t.Error("the transaction does not see its own row")
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if n := one(t, short, db, "SELECT COUNT(*) FROM t"); n != int64(0) {
			t.Error("a row that is not committed is seen")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, ":memory:", sqlite.Options{})
	exec(t, ctx, db, "CREATE TABLE t (n)")
	err := orm.AtomicWith(ctx, orm.TxOptions{ReadOnly: true}, func(ctx context.Context) error {
		_, err := db.Exec(ctx, "INSERT INTO t VALUES (1)")
		return err
	})
	if !errors.Is(err, orm.ErrReadOnly) {
		t.Error(err)
	}
	// A statement that writes and returns rows goes to the writer.
	rows, err := db.Values(ctx, "INSERT INTO t VALUES (1) RETURNING n")
	if err != nil || rows[0][0] != int64(1) {
		t.Error(rows, err)
	}
}

func TestAnotherProcessHoldsTheLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	ctx, db := open(t, path, sqlite.Options{})
	exec(t, ctx, db, "CREATE TABLE t (n)")
	other, otherDB := open(t, path, sqlite.Options{BusyTimeout: 50 * time.Millisecond})
	err := orm.Atomic(ctx, func(inner context.Context) error {
		exec(t, inner, db, "INSERT INTO t VALUES (1)")
		if _, err := otherDB.Exec(other, "INSERT INTO t VALUES (2)"); !errors.Is(err, orm.ErrLocked) {
			t.Error(err)
		}
		if err := orm.Atomic(other, func(context.Context) error { return nil }); !errors.Is(err, orm.ErrLocked) {
			t.Error(err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	exec(t, other, otherDB, "INSERT INTO t VALUES (2)")
	if n := one(t, ctx, db, "SELECT COUNT(*) FROM t"); n != int64(2) {
		t.Error(n)
	}
}

func TestDatabaseThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"missing directory": filepath.Join(dir, "no", "x.db"), "a directory": dir, "garbage": garbage} {
		if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); !errors.Is(err, orm.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "none.db"), sqlite.Options{ReadOnly: true}); err == nil {
		t.Error("read only and missing: no error")
	}
	if _, err := os.Stat(filepath.Join(dir, "none.db")); err == nil {
		t.Error("a read-only open made the file")
	}
	for name, o := range map[string]sqlite.Options{"timeout": {BusyTimeout: -1}, "readers": {Readers: -1}, "statements": {Statements: -1}, "synchronous": {Synchronous: "SOMETIMES"}} {
		if _, err := sqlite.Open(t.Context(), ":memory:", o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	ctx, db := open(t, path, sqlite.Options{})
	exec(t, ctx, db, "CREATE TABLE t (n)")
	readCtx, read := open(t, path, sqlite.Options{ReadOnly: true})
	if n := one(t, readCtx, read, "SELECT COUNT(*) FROM t"); n != int64(0) {
		t.Error(n)
	}
	if _, err := read.Exec(readCtx, "INSERT INTO t VALUES (1)"); !errors.Is(err, orm.ErrReadOnly) {
		t.Error(err)
	}
}

func TestStrangePaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a b.db", "a?b.db", "a#b.db", "a%20b.db", "é.db", "a'b.db"} {
		path := "/" + filepath.Join(dir, name)
		ctx, db := open(t, path, sqlite.Options{})
		exec(t, ctx, db, "CREATE TABLE t (n)")
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestStatementsAreKeptAndForgotten(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, ":memory:", sqlite.Options{Statements: 3})
	exec(t, ctx, db, "CREATE TABLE t (n)")
	for range 3 {
		for i := range 10 {
			if n := one(t, ctx, db, fmt.Sprintf("SELECT COUNT(*) + %d FROM t", i)); n != int64(i) {
				t.Error(n)
			}
		}
	}
	// The schema changes under a prepared statement.
	exec(t, ctx, db, "ALTER TABLE t ADD COLUMN m")
	if n := one(t, ctx, db, "SELECT COUNT(*) + 9 FROM t"); n != int64(9) {
		t.Error(n)
	}
}

func TestSameStatementInsideItself(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, filepath.Join(t.TempDir(), "x.db"), sqlite.Options{})
	exec(t, ctx, db, "CREATE TABLE t (n)")
	exec(t, ctx, db, "INSERT INTO t VALUES (1), (2), (3)")
	err := orm.Atomic(ctx, func(ctx context.Context) error {
		const sql = "SELECT n FROM t ORDER BY n"
		outer, err := db.QueryRows(ctx, sql)
		if err != nil {
			return err
		}
		defer outer.Close()
		count := 0
		for outer.Next() {
			rows, err := db.Values(ctx, sql)
			if err != nil {
				return err
			}
			count += len(rows)
		}
		if count != 9 {
			t.Errorf("%d rows", count)
		}
		return outer.Err()
	})
	if err != nil {
		t.Error(err)
	}
}

func TestReadersAreLimited(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, filepath.Join(t.TempDir(), "x.db"), sqlite.Options{Readers: 1})
	exec(t, ctx, db, "CREATE TABLE t (n)")
	exec(t, ctx, db, "INSERT INTO t VALUES (1)")
	rows, err := db.QueryRows(ctx, "SELECT n FROM t")
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if _, err := db.Values(short, "SELECT 1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	rows.Close()
	rows.Close()
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
	if n := one(t, ctx, db, "SELECT 1"); n != int64(1) {
		t.Error(n)
	}
}

func TestCloseWaitsForOpenRows(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := orm.WithDB(t.Context(), db)
	exec(t, ctx, db, "CREATE TABLE t (n)")
	exec(t, ctx, db, "INSERT INTO t VALUES (1), (2)")
	rows, err := db.QueryRows(ctx, "SELECT n FROM t")
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- db.Close() }()
	for range 2 {
		if !rows.Next() {
			t.Error(rows.Err())
		}
	}
	rows.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestFullDatabase(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, filepath.Join(t.TempDir(), "x.db"), sqlite.Options{})
	exec(t, ctx, db, "CREATE TABLE t (n)")
	if _, err := db.Values(ctx, "PRAGMA max_page_count = 3"); err != nil {
		t.Fatal(err)
	}
	err := orm.Atomic(ctx, func(ctx context.Context) error {
		_, err := db.Exec(ctx, "INSERT INTO t VALUES (zeroblob(100000))")
		return err
	})
	if !errors.Is(err, orm.ErrFull) {
		t.Error(err)
	}
	if n := one(t, ctx, db, "SELECT COUNT(*) FROM t"); n != int64(0) {
		t.Error(n)
	}
	exec(t, ctx, db, "INSERT INTO t VALUES (1)")
}

func TestMisspeltColumnIsAnError(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, ":memory:", sqlite.Options{})
	exec(t, ctx, db, "CREATE TABLE t (n)")
	if rows, err := db.Values(ctx, `SELECT "m" FROM t`); err == nil {
		t.Errorf("a column that does not exist is read as a text: %v", rows)
	}
}

func TestAnotherDriver(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, ":memory:", sqlite.Options{Driver: &modernc.Driver{}})
	exec(t, ctx, db, "CREATE TABLE t (n UNIQUE)")
	exec(t, ctx, db, "INSERT INTO t VALUES (?)", 1)
	if _, err := db.Exec(ctx, "INSERT INTO t VALUES (?)", 1); !orm.IsUnique(err) {
		t.Error(err)
	}
}

func TestWriteInsideAtomicWithTheOuterContext(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, ":memory:", sqlite.Options{QueueTimeout: 30 * time.Millisecond})
	exec(t, ctx, db, "CREATE TABLE t (n)")
	err := orm.Atomic(ctx, func(context.Context) error {
		_, err := db.Exec(ctx, "INSERT INTO t VALUES (1)")
		return err
	})
	if !errors.Is(err, orm.ErrLocked) || !strings.Contains(err.Error(), "use the context that it gives") {
		t.Error(err)
	}
}
