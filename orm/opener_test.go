package orm_test

import (
	"context"
	"errors"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

func TestOpenerGivesTheDatabaseOfEachQuery(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		db, err := orm.DBFrom(open(t, kind))
		must(t, err)
		away := errors.New("away")
		calls := 0
		ctx := orm.WithOpener(t.Context(), func(context.Context) (*orm.DB, error) {
			if calls++; calls == 1 {
				return nil, away
			}
			return db, nil
		})
		if calls != 0 {
			t.Error("it was opened before the first query")
		}
		if _, err := Posts.Count(ctx); !errors.Is(err, away) {
			t.Errorf("the first query: %v", err)
		}
		if _, err := Posts.Count(ctx); err != nil {
			t.Errorf("the second query: %v", err)
		}
		must(t, orm.Atomic(ctx, func(ctx context.Context) error {
			before := calls
			if !orm.InTransaction(ctx) {
				t.Error("not in the transaction")
			}
			_, err := Posts.Count(ctx)
			if calls != before {
				t.Error("a query in a transaction asked for another database")
			}
			return err
		}))
	})
}

func TestDatabaseOfAnInnerContextHidesTheOpener(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		db, err := orm.DBFrom(open(t, kind))
		must(t, err)
		ctx := orm.WithOpener(t.Context(), func(context.Context) (*orm.DB, error) {
			t.Error("the opener of the outer context was asked")
			return nil, orm.ErrUnavailable
		})
		if got, err := orm.DBFrom(orm.WithDB(ctx, db)); err != nil || got != db {
			t.Errorf("got %v, %v", got, err)
		}
		outer := orm.WithDB(t.Context(), db)
		inner := orm.WithOpener(outer, func(context.Context) (*orm.DB, error) { return nil, orm.ErrUnavailable })
		if _, err := orm.DBFrom(inner); !errors.Is(err, orm.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	})
}
