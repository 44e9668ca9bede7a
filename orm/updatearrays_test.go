package orm_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// Stock is a model of numbers with a version, and without methods that hear of saving.
type Stock struct {
	orm.Model
	Amount  int
	Version int `orm:"version"`
}

var Stocks = orm.Register[Stock]()

func TestUpdateRowsOfNumbersIsAllOrNothing(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		s := Stocks.Fields()
		stocks := make([]*Stock, 300)
		for i := range stocks {
			stocks[i] = &Stock{Amount: i}
		}
		must(t, Stocks.Insert(ctx, stocks...))
		sum := func() int64 {
			t.Helper()
			all, err := Stocks.All(ctx)
			must(t, err)
			sum := int64(0)
			for _, stock := range all {
				sum += int64(stock.Amount)
			}
			return sum
		}
		first := sum()
		add := func(n int) {
			for _, stock := range stocks {
				stock.Amount += n
			}
		}
		add(1)
		must(t, Stocks.UpdateRows(ctx, stocks, &s.Amount))
		if got := sum(); got != first+300 || stocks[7].Version != 2 {
			t.Fatal(got, stocks[7].Version)
		}

		stale := *stocks[7]
		stale.Version = 1
		gone := &Stock{Model: orm.Model{ID: 999_999}, Version: 1}
		add(1)
		for name, tt := range map[string]struct {
			row  *Stock
			want error
		}{"another version": {&stale, orm.ErrStale}, "gone": {gone, orm.ErrNotFound}} {
			rows := append(append([]*Stock{}, stocks[:7]...), tt.row)
			if err := Stocks.UpdateRows(ctx, rows, &s.Amount); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v", name, err)
			}
			err := orm.Atomic(ctx, func(ctx context.Context) error {
				if err := Stocks.UpdateRows(ctx, rows, &s.Amount); !errors.Is(err, tt.want) {
					t.Errorf("%s in a transaction: %v", name, err)
				}
				_, err := Stocks.Count(ctx)
				return err
			})
			must(t, err)
			if got := sum(); got != first+300 || stocks[0].Version != 2 {
				t.Errorf("%s: something was written: %d, version %d", name, got, stocks[0].Version)
			}
		}
		must(t, Stocks.UpdateRows(ctx, stocks, &s.Amount))
		if got := sum(); got != first+600 {
			t.Error(got)
		}
	})
}

// TestUpdateRowsAtTheSameTime has many write the same rows: the version lets one of them
// through each time.
func TestUpdateRowsAtTheSameTime(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		s := Stocks.Fields()
		must(t, Stocks.Insert(ctx, &Stock{}, &Stock{}, &Stock{}))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for done := 0; done < 5; {
					rows, err := Stocks.OrderBy(orm.Asc(&s.ID)).All(ctx)
					if err != nil {
						t.Error(err)
						return
					}
					for _, row := range rows {
						row.Amount++
					}
					switch err := Stocks.UpdateRows(ctx, rows, &s.Amount); {
					case err == nil:
						done++
					case !errors.Is(err, orm.ErrStale) && !orm.IsRetryable(err):
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		rows, err := Stocks.All(ctx)
		must(t, err)
		for _, row := range rows {
			if row.Amount != 20 || row.Version != 21 {
				t.Errorf("%+v", row)
			}
		}
	})
}
