package orm_test

import (
	"context"
	"errors"
	"flag"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

var streamed = flag.Int("rows", 100_000, "how many rows the test of streaming reads at least")

// openStream opens a new database. That of SQLite is a file: one in memory cannot be written
// while it is read, and so all rows are read first.
func openStream(t *testing.T, kind testdb.Kind) context.Context {
	t.Helper()
	if kind.Name == "sqlite" {
		return openURL(t, "sqlite:"+filepath.Join(t.TempDir(), "stream.db"))
	}
	return open(t, kind)
}

// TestLoopsInATransaction does in the loop what may disturb it: every row comes once, as it was
// when the loop began.
func TestLoopsInATransaction(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := openStream(t, kind)
		s := Stocks.Fields()
		var stocks []*Stock
		for n := range 700 {
			stocks = append(stocks, &Stock{Amount: n, Version: 1})
		}
		must(t, Stocks.Insert(ctx, stocks...))
		failed := errors.New("failed")
		for name, during := range map[string]func(ctx context.Context, n int, stock *Stock) error{
			"nothing": func(context.Context, int, *Stock) error { return nil },
			"reading": func(ctx context.Context, n int, stock *Stock) error {
				if n%100 != 3 {
					return nil
				}
				inner := 0
				for other, err := range Stocks.Where(orm.Lt(&s.Amount, 5)).Each(ctx) {
					if err != nil {
						return err
					}
					inner += other.Amount
				}
				if inner != 0+1+2+3+4 {
					t.Errorf("%s: the inner loop has %d", kind.Name, inner)
				}
				return nil
			},
			"writing": func(ctx context.Context, n int, stock *Stock) error {
				// By the order of the loop they would come again, if it saw them.
				_, err := Stocks.Where(orm.Eq(&s.ID, stock.ID)).Update(ctx, orm.Set(&s.Amount, stock.Amount+10_000))
				if err == nil && n < 20 {
					err = Stocks.Insert(ctx, &Stock{Amount: 50_000 + n, Version: 1})
				}
				return err
			},
			"rolling back": func(ctx context.Context, n int, stock *Stock) error {
				if n%300 != 7 {
					return nil
				}
				err := orm.Atomic(ctx, func(ctx context.Context) error {
					if _, err := Stocks.Where(orm.Gt(&s.ID, stock.ID)).Delete(ctx); err != nil {
						return err
					}
					return failed
				})
				if !errors.Is(err, failed) {
					return err
				}
				return nil
			},
		} {
			sum, n := 0, 0
			err := orm.Atomic(ctx, func(ctx context.Context) error {
				for stock, err := range Stocks.OrderBy(orm.Asc(&s.Amount)).Each(ctx) {
					if err != nil {
						return err
					}
					sum, n = sum+stock.Amount, n+1
					if err := during(ctx, n, stock); err != nil {
						return err
					}
				}
				for range Stocks.Each(ctx) {
					break // what is left is no hindrance
				}
				if count, err := Stocks.Count(ctx); err != nil || count < 700 {
					t.Errorf("%s: %d rows after the loop, %v", name, count, err)
				}
				return failed
			})
			if !errors.Is(err, failed) || n != 700 || sum != 700*699/2 {
				t.Errorf("%s: %d rows, and %d all together: %v", name, n, sum, err)
			}
		}
	})
}

// TestEachKeepsNoRows streams many rows and looks at the memory meanwhile. It has the
// process for itself: what other tests allocate would count.
func TestEachKeepsNoRows(t *testing.T) { //nolint:paralleltest // see above
	for _, kind := range testdb.Kinds() {
		t.Run(kind.Name, func(t *testing.T) { //nolint:paralleltest // see above
			ctx := openStream(t, kind)
			db, err := orm.DBFrom(ctx)
			must(t, err)
			s := Stocks.Fields()
			must(t, Stocks.Insert(ctx, &Stock{Amount: 0, Version: 1}))
			rows := 1
			for table := Stocks.Info().Table; rows < *streamed; rows *= 2 {
				_, err := db.Exec(ctx, kind.SQL("INSERT INTO "+table+" (amount, version) SELECT amount + ?, 1 FROM "+table), rows)
				must(t, err)
			}
			heap := func() int64 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				return int64(m.HeapAlloc)
			}
			check := func(ctx context.Context) {
				base, most := heap(), int64(0)
				count, sum := 0, 0
				for stock, err := range Stocks.OrderBy(orm.Asc(&s.ID)).Each(ctx) {
					must(t, err)
					sum += stock.Amount
					if count++; count%(rows/4) == 0 {
						most = max(most, heap()-base)
					}
				}
				if count != rows || sum != rows*(rows-1)/2 {
					t.Errorf("%d rows, and %d all together, of %d", count, sum, rows)
				}
				t.Logf("%d rows: the heap grew by %d KB at most", rows, most>>10)
				if most > 4<<20 {
					t.Errorf("after some of %d rows the heap has grown by %d bytes", rows, most)
				}
			}
			check(ctx)
			must(t, orm.Atomic(ctx, func(ctx context.Context) error {
				check(ctx)
				return nil
			}))
		})
	}
}
