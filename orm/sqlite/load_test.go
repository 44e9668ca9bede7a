package sqlite_test

import (
	"context"
	"errors"
	"flag"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/sqlite"
)

// load is how long the tests under load run; `make load` gives them longer.
var load = flag.Duration("load", 500*time.Millisecond, "how long the tests under load run")

// TestManyWritersLoseNothing has 64 goroutines write at the same time, some in
// transactions that read first, some cancelled, while others read.
func TestManyWritersLoseNothing(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, filepath.Join(t.TempDir(), "x.db"), sqlite.Options{Readers: 4})
	exec(t, ctx, db, "CREATE TABLE counter (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)")
	exec(t, ctx, db, "CREATE TABLE entry (id INTEGER PRIMARY KEY, writer INTEGER NOT NULL, number INTEGER NOT NULL)")
	exec(t, ctx, db, "INSERT INTO counter VALUES (1, 0)")
	end := time.Now().Add(*load)
	var written, counted, cancelled atomic.Int64
	var wg sync.WaitGroup
	for writer := range 64 {
		wg.Go(func() {
			for number := 0; number == 0 || time.Now().Before(end); number++ {
				switch number % 4 {
				case 0, 1:
					if _, err := db.Exec(ctx, "INSERT INTO entry (writer, number) VALUES (?, ?)", writer, number); err != nil {
						t.Error(err)
						return
					}
					written.Add(1)
				case 2:
					// What was read is still true when it is written.
					err := orm.Atomic(ctx, func(ctx context.Context) error {
						rows, err := db.Values(ctx, "SELECT n FROM counter WHERE id = 1")
						if err != nil {
							return err
						}
						_, err = db.Exec(ctx, "UPDATE counter SET n = ? WHERE id = 1", rows[0][0].(int64)+1)
						return err
					})
					if err != nil {
						t.Error(err)
						return
					}
					counted.Add(1)
				case 3:
					short, cancel := context.WithTimeout(ctx, time.Duration(writer)*20*time.Microsecond)
					_, err := db.Exec(short, "INSERT INTO entry (writer, number) VALUES (?, ?)", -1, number)
					cancel()
					if err != nil && !errors.Is(err, context.DeadlineExceeded) {
						t.Error(err)
						return
					}
					if err != nil {
						cancelled.Add(1)
					}
				}
			}
		})
	}
	for range 8 {
		wg.Go(func() {
			for time.Now().Before(end) {
				if _, err := db.Values(ctx, "SELECT COUNT(*), MAX(id) FROM entry"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := one(t, ctx, db, "SELECT COUNT(*) FROM entry WHERE writer >= 0"); n != written.Load() {
		t.Errorf("%v rows are there, %d were written", n, written.Load())
	}
	if n := one(t, ctx, db, "SELECT n FROM counter"); n != counted.Load() {
		t.Errorf("the counter is at %v after %d transactions", n, counted.Load())
	}
	t.Logf("%d rows, %d transactions, %d cancelled", written.Load(), counted.Load(), cancelled.Load())
	// Every connection is back: as many as there are can be had at once.
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if err := orm.AtomicWith(ctx, orm.TxOptions{ReadOnly: true}, func(ctx context.Context) error { return db.Ping(ctx) }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if ok := one(t, ctx, db, "PRAGMA integrity_check"); ok != "ok" {
		t.Error(ok)
	}
}

// TestReadingDuringALongWrite holds the write lock for a while, in which readers see
// what was there before, and do not wait.
func TestReadingDuringALongWrite(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, filepath.Join(t.TempDir(), "x.db"), sqlite.Options{})
	exec(t, ctx, db, "CREATE TABLE t (n)")
	err := orm.Atomic(ctx, func(inner context.Context) error {
		for i := range 100 {
			if _, err := db.Exec(inner, "INSERT INTO t VALUES (?)", "row "+strconv.Itoa(i)); err != nil {
				return err
			}
			short, cancel := context.WithTimeout(ctx, 5*time.Second)
			rows, err := db.Values(short, "SELECT COUNT(*) FROM t")
			cancel()
			if err != nil || rows[0][0] != int64(0) {
				t.Fatal(rows, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if n := one(t, ctx, db, "SELECT COUNT(*) FROM t"); n != int64(100) {
		t.Error(n)
	}
}
