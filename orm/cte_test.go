package orm_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

type authorTotal struct {
	Author int64
	Posts  int64
	Views  *int64
}

// authorTotals has the posts of authors, but not those of a title.
func authorTotals(without string) *orm.CTE[authorTotal] {
	p := Posts.Fields()
	return orm.NewCTE("totals", orm.Select[authorTotal](Posts.Where(orm.Ne(&p.Title, without)).GroupBy(&p.Author.ID),
		orm.As("Views", orm.Sum(&p.Views)), orm.As("Author", &p.Author.ID), orm.As("Posts", orm.Count(&p.ID))))
}

func TestCTE(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		u, p := Users.Fields(), Posts.Fields()
		totals := authorTotals("b")
		c := totals.Fields()
		type row struct {
			Name  string
			Posts int64
		}
		rows := must1[[]row](t)(orm.Select[row](
			Users.LeftJoin(totals, orm.EqField(&u.ID, &c.Author), orm.Ge(&c.Posts, 1)).Where(orm.Ne(&u.Username, "nobody")).OrderBy(orm.Asc(&u.Username)),
			orm.As("Name", &u.Username), orm.As("Posts", orm.Coalesce(&c.Posts, 0))).All(ctx))
		want := map[string]int64{}
		for _, post := range must1[[]*Post](t)(Posts.Where(orm.Ne(&p.Title, "b")).With(&p.Author).All(ctx)) {
			want[post.Author.To().Username]++
		}
		if n := must1[int64](t)(Users.Count(ctx)); int(n) != len(rows) {
			t.Errorf("%d rows for %d users", len(rows), n)
		}
		for _, r := range rows {
			if r.Posts != want[r.Name] {
				t.Errorf("%+v, not %d", r, want[r.Name])
			}
		}
		for name, table := range map[string]*orm.CTE[authorTotal]{"plain": totals, "materialized": totals.Materialized(), "not": totals.NotMaterialized()} {
			busy := Users.Join(table, orm.EqField(&u.ID, &c.Author)).Where(orm.Gt(&c.Posts, 1), orm.Lt(&c.Posts, 100)).With(&u.Country).OrderBy(orm.Desc(&c.Posts), orm.Asc(&u.ID))
			users := must1[[]*User](t)(busy.All(ctx))
			for _, user := range users {
				if want[user.Username] < 2 {
					t.Errorf("%s: %s has %d posts", name, user.Username, want[user.Username])
				}
			}
			if n := must1[int64](t)(busy.Count(ctx)); len(users) == 0 || int(n) != len(users) {
				t.Errorf("%s: %d users, counted %d", name, len(users), n)
			}
			if first := must1[*User](t)(busy.First(ctx)); first.ID != users[0].ID {
				t.Errorf("%s: %v", name, first)
			}
			some := Users.Where(orm.InQuery(&u.ID, busy, &u.ID)).Union(busy, busy.Limit(1))
			if n := must1[int64](t)(some.Count(ctx)); int(n) != len(users) {
				t.Errorf("%s: %d in subqueries, not %d", name, n, len(users))
			}
			sql, _, err := busy.SQL(ctx)
			if must(t, err); kind.Name != "mysql" && name != "plain" && !strings.Contains(sql, "MATERIALIZED (") {
				t.Error(sql)
			}
		}
		// The rows by themselves, and a condition that asks for them.
		own := must1[[]*authorTotal](t)(totals.Rows().Where(orm.Gt(&c.Posts, 0)).OrderBy(orm.Asc(&c.Author)).All(ctx))
		if len(own) != len(want) || own[0].Views == nil {
			t.Errorf("%v of %v", own, want)
		}
		if n := must1[int64](t)(totals.Rows().Derived().Limit(1).Count(ctx)); n != 1 {
			t.Errorf("%d rows", n)
		}
		exists := Users.Where(orm.Exists(totals.Rows().Where(orm.EqField(&c.Author, orm.Outer(&u.ID)), orm.Ge(&c.Posts, 2))))
		if n := must1[int64](t)(exists.Count(ctx)); n == 0 {
			t.Error("no user has two posts")
		}
		// One may be made of another, and of values; and rows are changed by it.
		more := orm.NewCTE("more", orm.Select[authorTotal](totals.Rows().Where(orm.Ge(&c.Posts, 2)), orm.As("Author", &c.Author), orm.As("Posts", &c.Posts), orm.As("Views", &c.Views)))
		m := more.Fields()
		both := Users.Join(totals, orm.EqField(&u.ID, &c.Author)).Join(more, orm.EqField(&u.ID, &m.Author), orm.EqField(&m.Posts, &c.Posts))
		if n := must1[int64](t)(both.Count(ctx)); n == 0 {
			t.Error("no rows are in both")
		}
		n, err := both.Where(orm.Gt(&u.ID, 0)).Update(ctx, orm.Set(&u.Username, orm.Concat(&u.Username, "!")))
		if must(t, err); n == 0 {
			t.Error("nothing was changed")
		}
		if left := must1[int64](t)(Users.LeftJoin(more, orm.EqField(&u.ID, &m.Author)).Where(orm.Ne(&m.Posts, 2)).Count(ctx)); left == 0 {
			t.Error("Ne leaves out the rows without one")
		}
	})
}

type branch struct {
	ID    int64
	Path  string
	Depth int
}

func staffTree(c *User, more ...orm.Cond) *orm.CTE[branch] {
	return orm.NewRecursiveCTE("tree",
		orm.Select[branch](Users.Where(orm.Eq(&c.Username, "alice")), orm.As("ID", &c.ID), orm.As("Path", &c.Username), orm.As("Depth", orm.V(0))),
		func(tree *orm.CTE[branch]) orm.Projection[branch] {
			t := tree.Fields()
			return orm.Select[branch](Users.Join(tree, orm.EqField(&c.Boss.ID, &t.ID)).Where(more...).Where(orm.Lt(&t.Depth, 5)),
				orm.As("Depth", orm.F(&t.Depth).Add(1)), orm.As("ID", &c.ID), orm.As("Path", orm.Concat(&t.Path, "/", &c.Username)))
		})
}

func TestRecursiveCTE(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		u := Users.Fields()
		tree := staffTree(u)
		b := tree.Fields()
		rows := must1[[]*branch](t)(tree.Rows().OrderBy(orm.Asc(&b.Depth), orm.Asc(&b.Path)).All(ctx))
		walked := must1[int64](t)(Users.Where(orm.Eq(&u.Username, "alice")).Walk(&u.Staff).Count(ctx))
		if len(rows) != int(walked) || rows[0].Path != "alice" || !strings.HasPrefix(rows[len(rows)-1].Path, "alice/") || rows[len(rows)-1].Depth < 1 {
			for _, r := range rows {
				t.Errorf("%+v", *r)
			}
		}
		// Joined back to the model, with its relations.
		users := must1[[]*User](t)(Users.Join(tree, orm.EqField(&u.ID, &b.ID)).Where(orm.Ge(&b.Depth, 1)).With(&u.Boss).OrderBy(orm.Asc(&b.Path)).All(ctx))
		if len(users) != int(walked)-1 || users[0].Boss.To() == nil {
			t.Errorf("%v", users)
		}
		// In a circle, with the bound of the step; Distinct ends one without.
		must1[int64](t)(Users.Where(orm.Eq(&u.Username, "alice")).Update(ctx, orm.Set(&u.Boss, users[0])))
		type id struct{ ID int64 }
		circle := orm.NewRecursiveCTE("circle", orm.Select[id](Users.Where(orm.Eq(&u.Username, "alice")), orm.As("ID", &u.ID)),
			func(self *orm.CTE[id]) orm.Projection[id] {
				return orm.Select[id](Users.Join(self, orm.EqField(&u.Boss.ID, &self.Fields().ID)), orm.As("ID", &u.ID))
			}).Distinct()
		if n := must1[int64](t)(circle.Rows().Count(ctx)); n != walked {
			t.Errorf("%d rows in a circle of %d", n, walked)
		}
		if n := must1[int64](t)(staffTree(u).Rows().Count(ctx)); n <= walked {
			t.Errorf("%d rows, going round", n)
		}
	})
}

func TestCTERefuses(t *testing.T) {
	t.Parallel()
	ctx := blog(t, testdb.Kinds()[0])
	u := Users.Fields()
	totals := authorTotals("")
	c := totals.Fields()
	type wrong struct{ Boss orm.FK[User] }
	type nothing struct{ ID *int64 }
	plain := orm.Select[branch](Users, orm.As("ID", &u.ID))
	for want, err := range map[string]error{
		"without a condition":         second(Users.Join(totals).All(ctx)),
		"it is the table of a model":  second(orm.NewCTE("orm_test_user", plain).Rows().All(ctx)),
		"relations; a key is a plain": second(orm.NewCTE("x", orm.Select[wrong](Users, orm.As("Boss", &u.Boss))).Rows().All(ctx)),
		"may be NULL":                 second(orm.NewCTE("x", orm.Select[nothing](Users, orm.As("ID", &u.ID))).Rows().All(ctx)),
		"has no field of that name":   second(orm.NewCTE("x", orm.Select[branch](Users, orm.As("Other", &u.ID))).Rows().All(ctx)),
		"not from its Fields()":       second(Users.Where(orm.Gt(&c.Posts, 1)).All(ctx)),
		"cannot be written":           totals.Rows().Insert(ctx, &authorTotal{}),
		"have 1 and 3 columns": second(orm.NewRecursiveCTE("x", plain, func(self *orm.CTE[branch]) orm.Projection[branch] {
			return orm.Select[branch](Users, orm.As("ID", &u.ID), orm.As("Path", &u.Username), orm.As("Depth", orm.V(1)))
		}).Rows().All(ctx)),
		"has a Limit or Offset": second(orm.NewRecursiveCTE("x", orm.Select[branch](Users.Limit(1), orm.As("ID", &u.ID)), func(*orm.CTE[branch]) orm.Projection[branch] { return plain }).Rows().All(ctx)),
		"of a nil CTE":          second(Users.Join((*orm.CTE[branch])(nil), orm.Gt(&u.ID, 1)).All(ctx)),
		"a slice; give it a struct": func() error {
			_, err := orm.NewCTE("x", orm.Select[int64](Users, orm.As("", &u.ID))).Rows().All(ctx)
			if err != nil && strings.Contains(err.Error(), "give it a struct") {
				return fmt.Errorf("a slice; %w", err)
			}
			return err
		}(),
	} {
		if err == nil || !strings.Contains(err.Error(), want) && want != "a slice; give it a struct" {
			t.Errorf("%q: %v", want, err)
		}
	}
}
