package generictest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

func left(t testing.TB, ctx context.Context) string {
	t.Helper()
	c := Comments.Fields()
	return texts(must1[[]*Comment](t)(Comments.OrderBy(orm.Asc(&c.ID)).All(ctx)))
}

func TestCascadeGeneric(t *testing.T) {
	t.Parallel()
	c := Comments.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		r := fill(t, ctx)
		on := must1[*Comment](t)(Comments.Where(orm.Eq(&c.Text, "post again")).Get(ctx))
		must(t, Votes.Insert(ctx, &Vote{Comment: orm.FK[Comment]{ID: on.ID}}))

		// The author takes the post along, which takes its comments, and one its vote.
		authors := Authors.Where(orm.Eq(&Authors.Fields().Name, "ann"))
		plan := must1[*orm.Deletion](t)(authors.Deletion(ctx))
		counts := map[string]int64{}
		for _, rows := range plan.Models {
			counts[rows.Model.Name] = rows.Rows
		}
		if fmt.Sprint(counts) != "map[Author:1 Comment:2 Post:1 Vote:1]" {
			t.Errorf("the plan is %v", counts)
		}
		undone := errors.New("undone")
		err := orm.Atomic(ctx, func(ctx context.Context) error {
			must1[int64](t)(authors.Delete(ctx))
			if got := left(t, ctx); got != "photo, page, seat, draft, member, other" {
				t.Errorf("left are %s", got)
			}
			return undone
		})
		if !errors.Is(err, undone) || left(t, ctx) != "post, photo, page, seat, draft, member, other, post again" {
			t.Errorf("undone: %s (%v)", left(t, ctx), err)
		}
		if n := must1[int64](t)(authors.Delete(ctx)); n != 1 {
			t.Errorf("%d authors deleted", n)
		}
		if n := must1[int64](t)(Votes.Count(ctx)); n != 0 {
			t.Errorf("%d votes are left", n)
		}

		must(t, Photos.DeleteRow(ctx, r.photo))
		must(t, Seats.DeleteRow(ctx, r.seat))
		if got := left(t, ctx); got != "page, draft, member, other" {
			t.Errorf("left are %s", got)
		}
		// Pages do not ask for it, and what is only marked keeps its comments.
		must(t, Pages.DeleteRow(ctx, r.page))
		must(t, Drafts.DeleteRow(ctx, r.draft))
		if got := left(t, ctx); got != "page, draft, member, other" {
			t.Errorf("left are %s", got)
		}
		must1[int64](t)(Drafts.OnlyDeleted().Where(orm.Eq(&Drafts.Fields().Title, "draft")).HardDelete(ctx))
		must(t, Persons.DeleteRow(ctx, &r.member.Person))
		if got := left(t, ctx); got != "page, other" {
			t.Errorf("left are %s", got)
		}
		must1[int64](t)(Posts.DeleteAll(ctx))
		if got := left(t, ctx); got != "page" {
			t.Errorf("left are %s", got)
		}
	})
}

func TestCascadeGenericOfAnExtensionsRow(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		r := fill(t, ctx)
		must(t, Members.DeleteRow(ctx, r.member))
		if got := left(t, ctx); got != "post, photo, page, seat, draft, other, post again" {
			t.Errorf("left are %s", got)
		}
	})
}

func TestCascadeGenericTellsListeners(t *testing.T) {
	t.Parallel()
	ctx := testdb.Kinds()[0].Context(t)
	r := fill(t, ctx)
	var mu sync.Mutex
	var seen []string
	stop := Comments.Listen(orm.BeforeDelete, func(listened context.Context, c *Comment, _ orm.Event) error {
		if !orm.InTransaction(listened) {
			t.Error("not in the transaction of the delete")
		}
		mu.Lock()
		defer mu.Unlock()
		if c.On.Model == "generictest.Post" && c.On.Key == fmt.Sprint(r.other.ID) && c.Text == "heard" {
			seen = append(seen, c.Text)
		}
		return nil
	})
	defer stop()
	comment(t, ctx, "heard", r.other)
	must(t, Posts.DeleteRow(ctx, r.other))
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 1 {
		t.Errorf("heard of %v", seen)
	}
}

// TestGenericForeignKeysConcurrently is for the race detector: prototypes, registry and
// cascades are shared.
func TestGenericForeignKeysConcurrently(t *testing.T) {
	t.Parallel()
	ctx := testdb.Kinds()[0].Context(t)
	r := fill(t, ctx)
	c := Comments.Fields()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			orm.CascadeGeneric(&c.On, Posts)
			all, err := Comments.Where(orm.BelongsTo(&c.On, r.post)).All(ctx)
			if err == nil {
				err = orm.LoadGeneric(ctx, all, &c.On)
			}
			if err == nil {
				_, err = orm.BelongingTo(ctx, Comments, &c.On, []*Post{r.other})
			}
			if err != nil || len(all) != 2 {
				t.Errorf("%d comments, %v", len(all), err)
			}
			post := &Post{Title: "short-lived"}
			if err := Posts.Insert(ctx, post); err != nil {
				t.Error(err)
			} else if err := Posts.DeleteRow(ctx, post); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}
