package orm_test

import (
	"context"
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
		})
	}
}
