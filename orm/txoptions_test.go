package orm_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

func TestIsolationOfTransactions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		for _, tt := range []struct {
			options orm.TxOptions
			sees    int64 // what was written by others since the first look
		}{
			{orm.TxOptions{Isolation: orm.ReadCommitted, ReadOnly: true}, 1},
			{orm.TxOptions{Isolation: orm.RepeatableRead, ReadOnly: true}, 0},
			{orm.TxOptions{Isolation: orm.Serializable, ReadOnly: true, Deferrable: true}, 0},
		} {
			if kind.Name == "mysql" && tt.options.Isolation == orm.Serializable {
				continue // there it locks what it reads, and the other would wait
			}
			if kind.Name == "sqlite" {
				tt.sees = 0
			}
			// In a file: in memory readers of SQLite hold up writers.
			ctx := openURL(t, sharedURL(t, kind))
			must(t, orm.AtomicWith(ctx, tt.options, func(inside context.Context) error {
				before := must1[int64](t)(Tags.Count(inside))
				must(t, Tags.Insert(orm.Outside(inside), &Tag{Name: "new"}))
				if n := must1[int64](t)(Tags.Count(inside)) - before; n != tt.sees {
					t.Errorf("%+v sees %d new rows, not %d", tt.options, n, tt.sees)
				}
				if tt.options.Deferrable && kind.Name == "postgres" {
					db := must1[*orm.DB](t)(orm.DBFrom(inside))
					if got := must1[[][]any](t)(db.Values(inside, "SHOW transaction_deferrable")); got[0][0] != "on" {
						t.Errorf("deferrable: %v", got)
					}
				}
				return nil
			}))
			err := orm.AtomicWith(ctx, tt.options, func(ctx context.Context) error { return Tags.Insert(ctx, &Tag{Name: "x"}) })
			if !errors.Is(err, orm.ErrReadOnly) {
				t.Errorf("%+v: writing: %v", tt.options, err)
			}
		}
	})
}

// sharedURL is the URL of a new database on which readers and a writer work side by side.
func sharedURL(t *testing.T, kind testdb.Kind) string {
	t.Helper()
	if kind.Name == "sqlite" {
		return "sqlite:" + t.TempDir() + "/test.db"
	}
	return kind.URL(t)
}

func TestTransactionOptionsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	ctx := open(t, testdb.SQLite)
	for want, options := range map[string]orm.TxOptions{
		"no isolation level":             {Isolation: "SERIALIZABLE; DROP TABLE x"},
		"ReadOnly and Serializable can":  {Deferrable: true, Isolation: orm.Serializable},
		"Serializable can be Deferrable": {Deferrable: true, ReadOnly: true},
	} {
		err := orm.AtomicWith(ctx, options, func(context.Context) error { return nil })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", options, err)
		}
	}
}

// Raw goes where the queries of its model go.
func TestRawIsRouted(t *testing.T) {
	t.Parallel()
	main, reports, replica := newCounted(t), newCounted(t), newCounted(t)
	databases := &orm.Databases{
		Default: orm.Opened(main.DB), Named: map[string]orm.Opener{"reports": orm.Opened(reports.DB)}, Replicas: []orm.Opener{orm.Opened(replica.DB)},
		Routers: []orm.Router{orm.RouterFunc(func(_ context.Context, m *orm.ModelInfo, _ orm.Operation) string {
			if m.Name == "Tag" {
				return "reports"
			}
			return ""
		})},
	}
	const users, tags = "SELECT * FROM orm_test_user", "SELECT * FROM orm_test_tag"
	for name, tt := range map[string]struct {
		run  func(ctx context.Context) error
		want *counted
	}{
		"router":   {func(ctx context.Context) error { return second(Tags.Raw(ctx, tags)) }, reports},
		"replica":  {func(ctx context.Context) error { return second(Users.Raw(ctx, " -- all\n"+users)) }, replica},
		"no model": {func(ctx context.Context) error { return second(orm.RawSelect[int](ctx, "SELECT 1")) }, main},
		"using":    {func(ctx context.Context) error { return second(Users.Raw(orm.Using(ctx, "reports"), users)) }, reports},
		"default":  {func(ctx context.Context) error { return second(Users.Raw(orm.Using(ctx, "default"), users)) }, main},
		"using plain": {func(ctx context.Context) error {
			return second(orm.RawSelect[int](orm.Using(ctx, "reports"), "SELECT 1"))
		}, reports},
		"writes": {func(ctx context.Context) error { return second(Users.Raw(ctx, "WITH x AS (SELECT 1) "+users)) }, main},
		"transaction": {func(ctx context.Context) error {
			return orm.Atomic(ctx, func(ctx context.Context) error { return second(Users.Raw(ctx, users)) })
		}, main},
		"own writing": {func(ctx context.Context) error {
			must(t, Users.Insert(ctx, &User{Username: "me"}))
			main.took()
			return second(Users.Raw(ctx, users))
		}, main},
	} {
		for _, db := range []*counted{main, reports, replica} {
			db.took()
		}
		must(t, tt.run(databases.Context(t.Context())))
		for _, db := range []*counted{main, reports, replica} {
			if n := db.took(); (n > 0) != (db == tt.want) {
				t.Errorf("%s: %d statements where %v was expected", name, n, db == tt.want)
			}
		}
	}
}
