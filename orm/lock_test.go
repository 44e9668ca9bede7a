package orm_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

func TestLockOptions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		if kind.Name == "sqlite" {
			return // where a transaction that writes is the only one
		}
		ctx := blog(t, kind)
		p := Posts.Fields()
		first := Posts.Where(orm.Eq(&p.Title, "a"))
		// other runs a query in a transaction of its own and returns how many rows it got.
		other := func(q orm.QuerySet[Post]) (n int, err error) {
			err = orm.Atomic(ctx, func(ctx context.Context) error {
				rows, err := q.All(ctx)
				n = len(rows)
				return err
			})
			return n, err
		}
		locked := func(q orm.QuerySet[Post], check func()) {
			t.Helper()
			must(t, orm.Atomic(ctx, func(ctx context.Context) error {
				_, err := q.All(ctx)
				check()
				return err
			}))
		}
		locked(first.ForUpdate(), func() {
			if _, err := other(first.ForUpdate(orm.NoWait)); !errors.Is(err, orm.ErrLocked) {
				t.Errorf("NoWait: %v", err)
			}
			if _, err := other(first.ForUpdate(orm.ForShare, orm.NoWait)); !errors.Is(err, orm.ErrLocked) {
				t.Errorf("ForShare of a locked row: %v", err)
			}
			if n, err := other(Posts.OrderBy(orm.Asc(&p.ID)).ForUpdate(orm.SkipLocked)); n != 4 || err != nil {
				t.Errorf("SkipLocked: %d rows, %v", n, err)
			}
		})
		locked(first.ForUpdate(orm.ForShare), func() {
			if n, err := other(first.ForUpdate(orm.ForShare, orm.NoWait)); n != 1 || err != nil {
				t.Errorf("a second ForShare: %d rows, %v", n, err)
			}
			if _, err := other(first.ForUpdate(orm.NoWait)); !errors.Is(err, orm.ErrLocked) {
				t.Errorf("a row that is shared: %v", err)
			}
		})
		with := first.With(&p.Author)
		if _, err := other(first.ForUpdate(orm.NoWait, orm.SkipLocked)); err == nil {
			t.Error("NoWait and SkipLocked: no error")
		}
		if kind.Name == "mysql" {
			if _, err := other(first.ForUpdate(orm.NoKey)); err == nil || !strings.Contains(err.Error(), "NoKey") {
				t.Errorf("NoKey: %v", err)
			}
			return
		}
		author := Users.Where(orm.Eq(&Users.Fields().Username, "alice"))
		locked(with.ForUpdate(orm.LockOf(p)), func() { // and not the author
			must(t, orm.Atomic(ctx, func(ctx context.Context) error { return second(author.ForUpdate(orm.NoWait).All(ctx)) }))
		})
		locked(with.ForUpdate(orm.LockOf(p, &p.Author)), func() {
			err := orm.Atomic(ctx, func(ctx context.Context) error { return second(author.ForUpdate(orm.NoWait).All(ctx)) })
			if !errors.Is(err, orm.ErrLocked) {
				t.Errorf("LockOf a relation: %v", err)
			}
		})
		locked(first.ForUpdate(orm.NoKey), func() {
			must(t, orm.Atomic(ctx, func(ctx context.Context) error {
				post, err := first.Get(ctx)
				must(t, err)
				comment := &Comment{Name: "x", Text: "x"}
				comment.Post.SetID(post.ID)
				return Comments.Insert(ctx, comment)
			}))
		})
	})
}

func TestCountOfDistinctRows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		if n, err := Posts.Distinct().OrderBy(orm.Asc(&p.Author.To().Username)).Limit(3).Count(ctx); n != 3 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if n, err := Posts.OrderBy(orm.Asc(&p.Title)).Offset(1).Limit(10).Count(ctx); n != 4 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})
}

func TestAnySetSteps(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		few, many := Posts.Where(orm.Lt(&p.Views, 2)).Any(), Posts.Where(orm.Ge(&p.Views, 2)).Any()
		all := Posts.Any()
		for name, tt := range map[string]struct {
			q    orm.AnySet
			want int64
		}{
			"union": {few.Union(many), 5}, "union all": {all.UnionAll(few).Union(many), 5}, "intersect": {few.Intersect(many), 0},
			"except": {all.Except(all), 0}, "derived": {all.Limit(2).Derived(), 2}, "distinct": {all.Distinct(), 5},
		} {
			if n, err := tt.q.Count(ctx); n != tt.want || err != nil {
				t.Errorf("%s: %d, %v", name, n, err)
			}
		}
		if text, err := few.Explain(ctx); text == "" || err != nil {
			t.Errorf("Explain: %q, %v", text, err)
		}
		must(t, orm.Atomic(ctx, func(ctx context.Context) error {
			row, err := few.ForUpdate().First(ctx)
			if _, ok := row.(*Post); !ok {
				t.Errorf("%T", row)
			}
			return err
		}))
	})
}
