package orm_test

import (
	"math"
	"reflect"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// Aggregates over a relation are values of single rows wherever rows are not grouped yet:
// in conditions, in what is grouped by, and in what is aggregated.
func TestAggregatesOfRowsThatAreGrouped(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		u := Users.Fields()
		for i, name := range []string{"none", "one", "two", "also two"} {
			user := &User{Username: name}
			must(t, Users.Insert(ctx, user))
			for n := range min(i, 2) {
				must(t, Posts.Insert(ctx, &Post{Title: name, Slug: name + string(rune('a'+n)), Author: orm.FK[User]{ID: user.ID}}))
			}
		}
		type histogram struct{ Posts, Users int64 }
		got, err := orm.Select[histogram](
			Users.GroupBy(orm.Count(&u.Posts)).OrderBy(orm.Asc(orm.Count(&u.Posts))),
			orm.As("Posts", orm.Count(&u.Posts)), orm.As("Users", orm.Count(&u.ID)),
		).All(ctx)
		if want := []histogram{{0, 1}, {1, 1}, {2, 2}}; err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("grouped by an aggregate: %v, %v", got, err)
		}
		type total struct{ Users, Busy int64 }
		sum, err := orm.Aggregate[total](
			ctx, Users.Where(orm.Count(&u.Posts).Gt(0)),
			orm.As("Users", orm.Count(&u.ID)), orm.As("Busy", orm.Count(&u.ID).Filter(orm.Count(&u.Posts).Gt(1))),
		)
		if err != nil || sum != (total{3, 2}) {
			t.Errorf("in conditions: %v, %v", sum, err)
		}
	})
}

func TestNeOfExpressionsCountsNull(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		u := Users.Fields()
		boss := &User{Username: "boss"}
		must(t, Users.Insert(ctx, boss))
		must(t, Users.Insert(ctx, &User{Username: "one", Boss: orm.FK[User]{ID: boss.ID}}))
		for name, tt := range map[string]struct {
			cond orm.Cond
			want int64
		}{
			"NULL on the left":  {orm.F(&u.Boss.ID).Ne(&u.ID), 2},
			"NULL on the right": {orm.F(&u.ID).Ne(&u.Boss.ID), 2},
			"not negated":       {orm.Not(orm.F(&u.ID).Ne(&u.Boss.ID)), 0},
			"two texts":         {orm.F(&u.Username).Ne(orm.Upper(&u.Username)), 2},
		} {
			if n, err := Users.Where(tt.cond).OrderBy(orm.Desc(orm.V(7))).Count(ctx); n != tt.want || err != nil {
				t.Errorf("%s: %d, %v", name, n, err)
			}
		}
		// A value orders nothing; for MySQL a number would be that of a column.
		if rows, err := Users.OrderBy(orm.Desc(orm.V(7)), orm.Asc(&u.ID)).All(ctx); err != nil || rows[0].ID != boss.ID {
			t.Error(err)
		}
	})
}

// The average of whole numbers has all its digits on all databases.
func TestAverageOfWholeNumbers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		c, u := Comments.Fields(), &User{Username: "a"}
		must(t, Users.Insert(ctx, u))
		post := &Post{Title: "a", Slug: "a", Author: orm.FK[User]{ID: u.ID}}
		must(t, Posts.Insert(ctx, post))
		for _, votes := range []int{1, 2, 2} {
			must(t, Comments.Insert(ctx, &Comment{Post: orm.FK[Post]{ID: post.ID}, Votes: votes}))
		}
		type average struct{ Votes float64 }
		got, err := orm.Aggregate[average](ctx, Comments, orm.As("Votes", orm.Avg(&c.Votes)))
		related, relatedErr := orm.Aggregate[average](ctx, Posts, orm.As("Votes", orm.Avg(&Posts.Fields().Comments.To().Votes)))
		for _, v := range []float64{got.Votes, related.Votes} {
			if math.Abs(v-5.0/3) > 1e-9 {
				t.Errorf("%v, %v, %v", v, err, relatedErr)
			}
		}
	})
}
