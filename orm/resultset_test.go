package orm_test

import (
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

func TestSetsOfSelects(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p, u, g := Posts.Fields(), Users.Fields(), Tags.Fields()
		type entry struct {
			Kind, Name string
			Weight     *int64
		}
		posts := orm.Select[entry](Posts, orm.As("Kind", orm.V("post")), orm.As("Name", &p.Title), orm.As("Weight", &p.Views))
		users := orm.Select[entry](Users, orm.As("Name", &u.Username), orm.As("Weight", orm.Count(&u.Posts)), orm.As("Kind", orm.V("user")))
		tags := orm.Select[entry](Tags, orm.As("Kind", orm.V("tag")), orm.As("Name", &g.Name), orm.As("Weight", orm.NullIf(&g.ID, &g.ID)))
		counts := [3]int64{must1[int64](t)(Posts.Count(ctx)), must1[int64](t)(Users.Count(ctx)), must1[int64](t)(Tags.Count(ctx))}
		all := posts.UnionAll(users, tags)
		rows := must1[[]entry](t)(all.OrderBy(orm.Asc(orm.Col("Kind")), orm.Desc(orm.Col("Weight")), orm.Asc(orm.Col("Name"))).All(ctx))
		if int64(len(rows)) != counts[0]+counts[1]+counts[2] || rows[0].Kind != "post" || *rows[0].Weight < *rows[1].Weight || rows[len(rows)-1].Kind != "user" {
			t.Errorf("%v", rows)
		}
		if n := must1[int64](t)(all.Count(ctx)); n != int64(len(rows)) {
			t.Errorf("%d of %d", n, len(rows))
		}
		page := must1[[]entry](t)(all.OrderBy(orm.Asc(orm.Col("Kind")), orm.Asc(orm.Col("Name"))).Offset(1).Limit(2).All(ctx))
		sorted := must1[[]entry](t)(posts.OrderBy(orm.Asc(orm.Col("Name"))).All(ctx))
		if len(page) != 2 || page[0].Name != sorted[1].Name || page[1].Name != sorted[2].Name {
			t.Errorf("%v of %v", page, sorted)
		}
		if first := must1[entry](t)(all.OrderBy(orm.Desc(orm.Col("Kind")), orm.Asc(orm.Col("Name"))).First(ctx)); first.Kind != "user" {
			t.Errorf("%v", first)
		}
		// What is limited is so by itself; sets are made of sets.
		two := posts.OrderBy(orm.Desc(&p.Views)).Limit(2)
		for name, tt := range map[string]struct {
			of   orm.Projection[entry]
			want int64
		}{
			"once":         {posts.Union(posts), counts[0]},
			"all":          {posts.UnionAll(posts), 2 * counts[0]},
			"limited":      {two.UnionAll(tags), 2 + counts[2]},
			"both":         {posts.Intersect(two), 2},
			"without":      {posts.Except(two), counts[0] - 2},
			"of sets":      {posts.Union(users).Except(two.UnionAll(users)), counts[0] - 2},
			"limited sets": {posts.Union(users).OrderBy(orm.Asc(orm.Col("Name"))).Limit(3).Union(tags), 3 + counts[2]},
		} {
			n, err := tt.of.Count(ctx)
			list, listErr := tt.of.All(ctx)
			if err != nil || listErr != nil || n != tt.want || int64(len(list)) != n {
				t.Errorf("%s: %d counted, %d read, want %d: %v %v", name, n, len(list), tt.want, err, listErr)
			}
		}
		// The rows of a CTE can be a set, and those of a set join one.
		type name struct{ Name string }
		names := orm.NewCTE("names", orm.Select[name](Posts, orm.As("Name", &p.Title)).Union(orm.Select[name](Users.Limit(1), orm.As("Name", &u.Username))))
		found := orm.Select[name](Posts.Join(names, orm.EqField(&p.Title, &names.Fields().Name)), orm.As("Name", &p.Title))
		if n := must1[int64](t)(found.Union(found.Limit(1)).Count(ctx)); n != counts[0] {
			t.Errorf("%d of %d titles", n, counts[0])
		}
	})
}

func TestSetsOfSelectsRefuse(t *testing.T) {
	t.Parallel()
	ctx := blog(t, testdb.Kinds()[0])
	u := Users.Fields()
	type row struct{ A, B string }
	one := orm.Select[row](Users, orm.As("A", &u.Username))
	both := orm.Select[row](Users, orm.As("A", &u.Username), orm.As("B", &u.Username))
	type whole struct{ User }
	for want, err := range map[string]error{
		"have other columns":             second(one.Union(both).All(ctx)),
		"is ordered by its columns":      second(one.Union(one).OrderBy(orm.Asc(&u.Username)).All(ctx)),
		"with one of \"A\"":              second(one.Union(one).OrderBy(orm.Asc(orm.Col("B"))).All(ctx)),
		"has no column of that name":     second(one.OrderBy(orm.Asc(orm.Col("B"))).All(ctx)),
		"has whole rows":                 second(orm.Select[whole](Users, orm.As("User", u)).Union(orm.Select[whole](Users, orm.As("User", u))).All(ctx)),
		"Limit(-1) is negative":          second(one.Union(one).Limit(-1).Count(ctx)),
		"is for the OrderBy of a Select": second(Users.OrderBy(orm.Asc(orm.Col("A"))).All(ctx)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
