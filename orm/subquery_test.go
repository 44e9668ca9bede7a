package orm_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

func TestSubqueries(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p, c, u := Posts.Fields(), Comments.Fields(), Users.Fields()
		ofPost := Comments.Where(orm.EqField(&c.Post.ID, orm.Outer(&p.ID)))
		last := orm.Subquery(ofPost.OrderBy(orm.Desc(&c.ID)), &c.Name)
		sameAuthor := Posts.Where(orm.EqField(&p.Author.ID, orm.Outer(&p.Author.ID)))
		for name, tt := range map[string]struct {
			cond orm.Cond
			want string
		}{
			"exists":                       {orm.Exists(ofPost), "abd"},
			"exists with a condition":      {orm.Exists(ofPost.Where(orm.Gt(&c.Votes, 4))), "ad"},
			"not exists":                   {orm.Not(orm.Exists(ofPost)), "ce"},
			"not correlated":               {orm.Exists(Tags.Where(orm.Eq(&Tags.Fields().Name, "none"))), ""},
			"exists in a relation":         {orm.Or(orm.Exists(ofPost), orm.Eq(&p.Tags.To().Name, "db")), "abde"},
			"the same model":               {orm.Exists(sameAuthor.Where(orm.GtField(&p.Views, orm.Outer(&p.Views)))), "ac"},
			"through a relation outside":   {orm.Exists(Users.Where(orm.EqField(&u.Country.ID, orm.Outer(&p.Author.To().Country.ID)), orm.Eq(&u.Username, "alice"))), "ab"},
			"outer field not a key":        {orm.Exists(Users.Where(orm.EqField(&u.Username, orm.Outer(&p.Author.To().Username)), orm.Eq(&u.Username, "bob"))), "cd"},
			"two deep":                     {orm.Exists(ofPost.Where(orm.Exists(Comments.Where(orm.EqField(&c.Post.ID, orm.Outer(&p.ID)), orm.NeField(&c.ID, orm.Outer(&c.ID)))))), "a"},
			"value of a subquery":          {last.Eq("y"), "ab"},
			"aggregate of a subquery":      {orm.Subquery(ofPost, orm.Max(&c.Votes)).Gt(1), "ad"},
			"count of a subquery":          {orm.Subquery(ofPost, orm.Count(&c.ID)).Eq(0), "ce"},
			"compared with a field":        {orm.F(&p.Views).Eq(orm.Subquery(Posts, orm.Max(&p.Views))), "e"},
			"aggregate after a limit":      {orm.F(&p.Views).Gt(orm.Subquery(Posts.OrderBy(orm.Asc(&p.Views)).Limit(2), orm.Sum(&p.Views))), "de"},
			"expression in a query":        {orm.Upper(&p.Title).InQuery(Posts.Where(orm.Gt(&p.Views, 3)).Any(), orm.Upper(&p.Title)), "de"},
			"in a query with outer fields": {orm.InQuery(&p.Title, Posts.Where(orm.EqField(&p.Views, orm.Outer(&p.Views)), orm.Gt(&p.Views, 3)), &p.Title), "de"},
			"limited exists":               {orm.Exists(ofPost.Offset(1)), "a"},
			"exists of none":               {orm.Exists(Comments.None()), ""},
			"count":                        {orm.Count(&p.Comments).Gt(1), "a"},
			"count of none":                {orm.Count(&p.Comments).Eq(0), "ce"},
			"sum":                          {orm.Sum(&p.Comments.To().Votes).Ge(5), "ad"},
			"two relations":                {orm.Count(&p.Comments).Add(orm.Count(&p.Tags)).Ge(3), "a"},
			"compared aggregates":          {orm.Count(&p.Tags).Gt(orm.Count(&p.Comments)), "ce"},
			"filtered":                     {orm.Count(&p.Comments).Filter(orm.Gt(&p.Comments.To().Votes, 1)).Eq(1), "ad"},
			"not of an aggregate":          {orm.Not(orm.Count(&p.Tags).Gt(0)), "d"},
			"with conditions on rows":      {orm.And(orm.Eq(&p.Comments.To().Name, "y"), orm.Count(&p.Comments).Eq(1)), "b"},
			"in an or":                     {orm.Or(orm.Count(&p.Comments).Gt(1), orm.Eq(&p.Tags.To().Name, "db")), "ae"},
			"avg":                          {orm.Avg(&p.Comments.To().Votes).Eq(3.0), "a"},
			"min":                          {orm.Min(&p.Comments.To().Name).Eq("x"), "a"},
			"of the author":                {orm.Count(&p.Author.To().Posts).Eq(1), "e"},
			"distinct through two":         {orm.CountDistinct(&p.Author.To().Posts.To().Tags.To().ID).Eq(2), "abe"},
		} {
			if got := titles(t, ctx, Posts.Where(tt.cond)); got != tt.want {
				sql, args, _ := Posts.Where(tt.cond).SQL(ctx)
				t.Errorf("%s: %q, want %q by\n%s %v", name, got, tt.want, sql, args)
			}
		}
		var order []string
		rows, err := Posts.OrderBy(orm.Desc(orm.Count(&p.Comments)), orm.Asc(last).NullsLast(), orm.Asc(&p.ID)).All(ctx)
		must(t, err)
		for _, row := range rows {
			order = append(order, row.Title[:1])
		}
		if got := strings.Join(order, ""); got != "abdce" {
			t.Errorf("ordered by aggregates: %s", got)
		}
		_, err = Posts.UpdateAll(ctx, orm.Set(&p.Views, orm.Count(&p.Comments)), orm.Set(&p.Body, orm.Coalesce(last, "")))
		must(t, err)
		if got := titles(t, ctx, Posts.Where(orm.Eq(&p.Views, 1), orm.Ne(&p.Body, ""))); got != "bd" {
			t.Errorf("updated by subqueries: %q", got)
		}
		for name, q := range map[string]orm.QuerySet[Post]{
			"outer without a query around": Posts.Where(orm.EqField(&p.ID, orm.Outer(&p.ID))),
			"outer of another model":       Posts.Where(orm.Exists(Comments.Where(orm.EqField(&c.Post.ID, orm.Outer(&u.ID))))),
			"outer of a row":               Posts.Where(orm.Exists(Comments.Where(orm.EqField(&c.Post.ID, orm.Outer(new(int64)))))),
			"names of another model":       Posts.Where(orm.Exists(Comments.Where(orm.EqField(&c.Post.ID, &p.ID)))),
			"zero query":                   Posts.Where(orm.Exists(orm.QuerySet[Comment](nil))),
			"over rows themselves":         Posts.Where(orm.Sum(&p.Views).Gt(1)),
			"over two relations":           Posts.Where(orm.Sum(orm.F(&p.Comments.To().Votes).Add(&p.Tags.To().ID)).Gt(1)),
		} {
			if _, err := q.All(ctx); err == nil || !strings.HasPrefix(err.Error(), "orm: ") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestAggregates(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p, u := Posts.Fields(), Users.Fields()

		type row struct {
			Post
			Comments, Tags int64
			Votes          *int64
		}
		rows, err := orm.Select[row](Posts.OrderBy(orm.Asc(&p.ID)).With(&p.Author, &p.Tags, &p.Comments),
			orm.As("Comments", orm.Count(&p.Comments)), orm.As("Tags", orm.Count(&p.Tags)), orm.As("Votes", orm.Sum(&p.Comments.To().Votes))).All(ctx)
		must(t, err)
		for i, want := range []struct {
			title, author  string
			comments, tags int64
			votes          *int64
		}{{"a", "alice", 2, 2, new(int64(6))}, {"b", "alice", 1, 1, new(int64(1))}, {"c", "bob", 0, 1, nil}, {"d", "bob", 1, 0, new(int64(5))}, {"e_%", "carol", 0, 2, nil}} {
			got := rows[i]
			tags, err := got.Post.Tags.Get()
			must(t, err)
			comments, err := got.Post.Comments.Get()
			must(t, err)
			if got.Title != want.title || got.Author.To().Username != want.author || got.Comments != want.comments || got.Tags != want.tags ||
				cmp.Diff(got.Votes, want.votes) != "" || len(tags) != int(want.tags) || len(comments) != int(want.comments) {
				t.Errorf("row %d: %+v", i, got)
			}
			for _, comment := range comments {
				if post, err := comment.Post.Get(); err != nil || post != &rows[i].Post {
					t.Error("a comment does not know its post:", err)
				}
			}
		}
		for r, err := range orm.Select[row](Posts.OrderBy(orm.Asc(&p.ID)).With(&p.Author, &p.Tags), orm.As("Comments", orm.Count(&p.Comments))).Each(ctx) {
			must(t, err)
			if tags, err := r.Post.Tags.Get(); err != nil || r.Title == "a" && len(tags) != 2 {
				t.Error(tags, err)
			}
		}

		type totals struct {
			Posts, Views, Comments, Votes, Tags int
			Mean, Top                           float64
			Names                               string
		}
		got, err := orm.Aggregate[totals](ctx, Posts,
			orm.As("Posts", orm.Count(&p.ID)), orm.As("Views", orm.Sum(&p.Views)), orm.As("Comments", orm.Count(&p.Comments)),
			orm.As("Votes", orm.Sum(&p.Comments.To().Votes)), orm.As("Tags", orm.Count(&p.Tags)), orm.As("Mean", orm.Avg(&p.Comments.To().Votes)),
			orm.As("Top", orm.Max(&p.Comments.To().Votes)), orm.As("Names", orm.StringAgg(&p.Title, "/").OrderBy(orm.Desc(&p.Title)).Filter(orm.Lt(&p.Views, 4))))
		must(t, err)
		if d := cmp.Diff(totals{5, 15, 4, 12, 6, 3, 5, "c/b/a"}, got); d != "" {
			t.Error(d)
		}
		limited, err := orm.Aggregate[int](ctx, Posts.OrderBy(orm.Desc(&p.Views)).Limit(2), orm.As("", orm.Sum(&p.Views)))
		if err != nil || limited != 9 {
			t.Error(limited, err)
		}
		none, err := orm.Aggregate[*int](ctx, Posts.None(), orm.As("", orm.Sum(&p.Views)))
		if err != nil || none != nil {
			t.Error(none, err)
		}

		type author struct {
			Name                  string
			Posts, Views, Tagged  int
			Comments, DistinctTag int
		}
		authors, err := orm.Select[author](Posts.GroupBy(&p.Author.To().Username).OrderBy(orm.Asc(&p.Author.To().Username)),
			orm.As("Name", &p.Author.To().Username), orm.As("Posts", orm.Count(&p.ID)), orm.As("Views", orm.Sum(&p.Views)),
			orm.As("Tagged", orm.Count(&p.Tags)), orm.As("Comments", orm.Count(&p.Comments))).All(ctx)
		must(t, err)
		if d := cmp.Diff([]author{{"alice", 2, 3, 3, 3, 0}, {"bob", 2, 7, 1, 1, 0}, {"carol", 1, 5, 2, 0, 0}}, authors); d != "" {
			t.Error(d)
		}
		// What is counted apart may be joined: nothing else counts rows here.
		distinct, err := orm.Select[author](Posts.GroupBy(&p.Author.To().Username).OrderBy(orm.Asc(&p.Author.To().Username)),
			orm.As("Name", &p.Author.To().Username), orm.As("DistinctTag", orm.CountDistinct(&p.Tags.To().ID))).All(ctx)
		must(t, err)
		if d := cmp.Diff([]author{{Name: "alice", DistinctTag: 2}, {Name: "bob", DistinctTag: 1}, {Name: "carol", DistinctTag: 2}}, distinct); d != "" {
			t.Error(d)
		}
		if _, err := orm.Select[author](Posts.GroupBy(&p.Author.To().Username),
			orm.As("DistinctTag", orm.CountDistinct(&p.Tags.To().ID)), orm.As("Views", orm.Sum(&p.Views))).All(ctx); err == nil || !strings.Contains(err.Error(), "query of its own") {
			t.Error("a sum whose rows a join repeats:", err)
		}
		type tag struct {
			Name                   string
			Posts, Views, Comments int
		}
		tags, err := orm.Select[tag](Posts.GroupBy(&p.Tags.To().Name).Where(orm.Has(&p.Tags)).OrderBy(orm.Asc(&p.Tags.To().Name)).Having(orm.Sum(&p.Views).Gt(4)),
			orm.As("Name", &p.Tags.To().Name), orm.As("Posts", orm.Count(&p.Tags)), orm.As("Views", orm.Sum(&p.Views)), orm.As("Comments", orm.Count(&p.Comments))).All(ctx)
		must(t, err)
		if d := cmp.Diff([]tag{{"db", 1, 5, 0}, {"web", 3, 8, 3}}, tags); d != "" {
			t.Error(d)
		}
		boss, err := orm.Select[map[string]any](Users.Where(orm.Eq(&u.Username, "alice")), orm.As("name", &u.Username), orm.As("staff", orm.Count(&u.Staff)), orm.As("boss", &u.Boss.To().Username)).Get(ctx)
		if err != nil || boss["name"] != "alice" || boss["staff"] != int64(1) || boss["boss"] != nil {
			t.Error(boss, err)
		}
		names, err := orm.Pluck(ctx, Users.OrderBy(orm.Desc(&u.Username)), &u.Username)
		if err != nil || !slices.Equal(names, []string{"carol", "bob", "alice"}) {
			t.Error(names, err)
		}
		for name, tt := range map[string]struct {
			e    orm.Expr
			want float64
		}{
			"standard deviation": {orm.StdDev(&p.Views), 1.4142135623730951}, "of a sample": {orm.StdDevSample(&p.Views), 1.5811388300841898},
			"variance": {orm.Variance(&p.Views), 2}, "variance of a sample": {orm.VarianceSample(&p.Views), 2.5},
			"bit and": {orm.BitAnd(&p.Views).Filter(orm.Gt(&p.Views, 3)), 4}, "bit or": {orm.BitOr(&p.Views), 7}, "bit xor": {orm.BitXor(&p.Views), 1},
			"any": {orm.AnyValue(&p.Author.ID).Filter(orm.Eq(&p.Title, "a")), 1}, "any of the last": {orm.AnyValue(&p.Views).Filter(orm.Eq(&p.Title, "e_%")), 5}, "sum of distinct": {orm.Sum(&p.Author.ID).Distinct(), 6},
		} {
			got, err := orm.Aggregate[float64](ctx, Posts, orm.As("", tt.e))
			if err != nil || got < tt.want-1e-9 || got > tt.want+1e-9 {
				t.Errorf("%s: %v, want %v (%v)", name, got, tt.want, err)
			}
		}
		if joined, err := orm.Aggregate[string](ctx, Posts, orm.As("", orm.StringAgg(&p.Author.To().Username, "+").Distinct().OrderBy(orm.Asc(&p.Author.To().Username)))); err != nil || joined != "alice+bob+carol" {
			t.Error(joined, err)
		}
		for name, run := range map[string]func() error{
			"no aggregate": func() error { _, err := orm.Aggregate[string](ctx, Posts, orm.As("", &p.Title)); return err },
			"over of a field": func() error {
				_, err := orm.Select[int](Posts, orm.As("", orm.F(&p.Views).Over(orm.Window{}))).All(ctx)
				return err
			},
			"With and no model": func() error {
				_, err := orm.Select[int](Posts.With(&p.Author), orm.As("", &p.Views)).All(ctx)
				return err
			},
			"lock": func() error {
				return orm.Atomic(ctx, func(ctx context.Context) error {
					_, err := orm.Select[int](Posts.ForUpdate(), orm.As("", &p.Views)).All(ctx)
					return err
				})
			},
		} {
			if err := run(); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if _, err := orm.Select[row](Posts.None()).First(ctx); !errors.Is(err, orm.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestWindows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		byAuthor := orm.Window{PartitionBy: orm.Fields(&p.Author.ID), OrderBy: orm.By(orm.Desc(&p.Views))}
		all := orm.Window{OrderBy: orm.By(orm.Asc(&p.Views))}
		type row struct {
			Title         string
			Row, Of       int
			Before, After *int
			Running       int
			Tile          int
			First, Last   int
			Moving        float64
		}
		rows, err := orm.Select[row](Posts.OrderBy(orm.Asc(&p.ID)),
			orm.As("Title", &p.Title), orm.As("Row", orm.RowNumber().Over(byAuthor)), orm.As("Of", orm.Count(&p.ID).Over(orm.Window{PartitionBy: orm.Fields(&p.Author.ID)})),
			orm.As("Before", orm.Lag(&p.Views, 1).Over(all)), orm.As("After", orm.Lead(&p.Views, 2).Over(all)), orm.As("Running", orm.Sum(&p.Views).Over(all)),
			orm.As("Tile", orm.NTile(2).Over(all)), orm.As("First", orm.FirstValue(&p.Views).Over(byAuthor)),
			orm.As("Last", orm.NthValue(&p.Views, 5).Over(orm.Window{OrderBy: all.OrderBy, Frame: orm.RowsBetween(orm.UnboundedPreceding, orm.UnboundedFollowing)})),
			orm.As("Moving", orm.Avg(&p.Views).Over(orm.Window{OrderBy: all.OrderBy, Frame: orm.RowsBetween(orm.Preceding(1), orm.Following(1))}))).All(ctx)
		must(t, err)
		want := []row{
			{"a", 2, 2, nil, new(3), 1, 1, 2, 5, 1.5},
			{"b", 1, 2, new(1), new(4), 3, 1, 2, 5, 2},
			{"c", 2, 2, new(2), new(5), 6, 1, 4, 5, 3},
			{"d", 1, 2, new(3), nil, 10, 2, 4, 5, 4},
			{"e_%", 1, 1, new(4), nil, 15, 2, 5, 5, 4.5},
		}
		if d := cmp.Diff(want, rows); d != "" {
			t.Error(d)
		}
		type ranks struct {
			Rank, Dense   int
			Percent, Cume float64
		}
		byAuthorID := orm.Window{OrderBy: orm.By(orm.Asc(&p.Author.ID))}
		ranked, err := orm.Select[ranks](Posts.OrderBy(orm.Asc(&p.ID)), orm.As("Rank", orm.Rank().Over(byAuthorID)), orm.As("Dense", orm.DenseRank().Over(byAuthorID)),
			orm.As("Percent", orm.PercentRank().Over(byAuthorID)), orm.As("Cume", orm.CumeDist().Over(byAuthorID))).All(ctx)
		must(t, err)
		if d := cmp.Diff([]ranks{{1, 1, 0, 0.4}, {1, 1, 0, 0.4}, {3, 2, 0.5, 0.8}, {3, 2, 0.5, 0.8}, {5, 3, 1, 1}}, ranked); d != "" {
			t.Error(d)
		}

		top := orm.RowNumber().Over(byAuthor).Eq(1)
		for name, tt := range map[string]struct {
			q    orm.QuerySet[Post]
			want string
		}{
			"the best of each author":   {Posts.Where(top), "bde"},
			"after other conditions":    {Posts.Where(top).Where(orm.Ne(&p.Title, "b")), "ade"},
			"not":                       {Posts.Where(orm.Not(top)), "ac"},
			"or with another condition": {Posts.Where(orm.Or(top, orm.Eq(&p.Tags.To().Name, "go"))), "abcde"},
			"distinct on":               {Posts.OrderBy(orm.Asc(&p.Views)).DistinctOn(&p.Author), "ace"},
		} {
			if got := titles(t, ctx, tt.q); got != tt.want {
				sql, args, _ := tt.q.SQL(ctx)
				t.Errorf("%s: %q, want %q by\n%s %v", name, got, tt.want, sql, args)
			}
		}
		// Values over a window are those from before the choice.
		chosen, err := orm.Select[row](Posts.Where(orm.RowNumber().Over(byAuthor).Eq(2)).OrderBy(orm.Desc(&p.Title)).Limit(5),
			orm.As("Title", &p.Title), orm.As("Row", orm.RowNumber().Over(byAuthor)), orm.As("Running", orm.Count(&p.Comments))).All(ctx)
		must(t, err)
		if d := cmp.Diff([]row{{Title: "c", Row: 2}, {Title: "a", Row: 2, Running: 2}}, chosen); d != "" {
			t.Error(d)
		}
		posts, err := Posts.Where(top).With(&p.Author, &p.Tags).OrderBy(orm.Desc(&p.Author.To().Username)).Limit(2).All(ctx)
		must(t, err)
		if len(posts) != 2 || posts[0].Title != "e_%" || posts[0].Author.To().Username != "carol" || len(must1[[]*Tag](t)(posts[0].Tags.Get())) != 2 {
			t.Errorf("%v", posts)
		}
		if n, err := Posts.Where(top).Update(ctx, orm.Set(&p.Body, "best")); n != 3 || err != nil {
			t.Error(n, err)
		}
		if n, err := Posts.Where(orm.InQuery(&p.ID, Posts.Where(top), &p.ID)).Count(ctx); n != 3 || err != nil {
			t.Error(n, err)
		}
		if _, err := orm.Select[int](Posts.Where(top), orm.As("", orm.Count(&p.ID))).All(ctx); err == nil {
			t.Error("groups of rows that a window chooses: no error")
		}
		if _, err := orm.Select[int](Posts.GroupBy(&p.Title).Having(top), orm.As("", orm.Count(&p.ID))).All(ctx); err == nil {
			t.Error("a window in Having: no error")
		}
	})
}

func TestSetOperationsAndDerived(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		ab, bc := Posts.Where(orm.Le(&p.Views, 2)), Posts.Where(orm.Between(&p.Views, 2, 3))
		last := Posts.OrderBy(orm.Desc(&p.Views)).Limit(1)
		for name, tt := range map[string]struct {
			q    orm.QuerySet[Post]
			want string
		}{
			"union":                  {ab.Union(bc), "abc"},
			"union all":              {ab.UnionAll(bc), "abbc"},
			"intersect":              {ab.Intersect(bc), "b"},
			"except":                 {ab.Except(bc), "a"},
			"union of three":         {ab.Union(bc, last), "abce"},
			"with limits in it":      {last.Union(Posts.OrderBy(orm.Asc(&p.Views)).Limit(2)), "abe"},
			"then a condition":       {ab.Union(bc).Where(orm.Eq(&p.Tags.To().Name, "go")), "ac"},
			"then another":           {ab.Union(bc).Except(last.Union(ab)), "c"},
			"then through relations": {ab.Union(bc).Where(orm.Eq(&p.Author.To().Username, "bob")), "c"},
			"of none":                {ab.Union(Posts.None()), "ab"},
			"where after limit":      {Posts.OrderBy(orm.Desc(&p.Views)).Limit(3).Derived().Where(orm.Lt(&p.Views, 5)), "cd"},
			"windows in it":          {Posts.OrderBy(orm.Asc(&p.Views)).DistinctOn(&p.Author).Union(ab), "abce"},
			"distinct":               {ab.UnionAll(bc).Distinct(), "abc"},
		} {
			if got := titles(t, ctx, tt.q); got != tt.want {
				sql, args, _ := tt.q.SQL(ctx)
				t.Errorf("%s: %q, want %q by\n%s %v", name, got, tt.want, sql, args)
			}
		}
		rows, err := ab.Union(bc).With(&p.Author, &p.Tags).OrderBy(orm.Desc(orm.Count(&p.Comments))).Limit(1).All(ctx)
		must(t, err)
		if len(rows) != 1 || rows[0].Title != "a" || rows[0].Author.To().Username != "alice" {
			t.Errorf("%v", rows)
		}
		if n, err := ab.Union(bc).Where(orm.Gt(&p.Views, 1)).Update(ctx, orm.Set(&p.Body, "x")); n != 2 || err != nil {
			t.Error(n, err)
		}
		if _, err := ab.Union(orm.QuerySet[Post](nil)).All(ctx); err == nil {
			t.Error("a union with a zero query: no error")
		}
		if _, err := ab.Union(Posts.Limit(-1)).All(ctx); err == nil {
			t.Error("a union with a wrong query: no error")
		}
	})
}

func TestWalk(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		u := Users.Fields()
		carol, err := Users.Where(orm.Eq(&u.Username, "carol")).Get(ctx)
		must(t, err)
		bob, err := Users.Where(orm.Eq(&u.Username, "bob")).Get(ctx)
		must(t, err)
		carol.Boss.Set(bob)
		must(t, Users.UpdateRow(ctx, carol, &u.Boss))
		names := func(q orm.QuerySet[User]) string {
			t.Helper()
			list, err := orm.Pluck(ctx, q.OrderBy(orm.Asc(&u.ID)), &u.Username)
			if err != nil {
				sql, args, _ := q.SQL(ctx)
				t.Errorf("%v by\n%s %v", err, sql, args)
			}
			return strings.Join(list, " ")
		}
		alice := Users.Where(orm.Eq(&u.Username, "alice"))
		for name, tt := range map[string]struct {
			q    orm.QuerySet[User]
			want string
		}{
			"down":             {alice.Walk(&u.Staff), "alice bob carol"},
			"up":               {Users.Where(orm.Eq(&u.Username, "carol")).Walk(&u.Boss), "alice bob carol"},
			"one step":         {alice.WalkTo(1, &u.Staff), "alice bob"},
			"by depth":         {alice.WalkTo(5, &u.Staff).Where(orm.Depth().Ge(1)), "bob carol"},
			"from a limit":     {Users.OrderBy(orm.Desc(&u.ID)).Limit(1).Walk(&u.Boss), "alice bob carol"},
			"then a condition": {alice.Walk(&u.Staff).Where(orm.Eq(&u.Boss.To().Username, "bob")), "carol"},
			"in a union":       {alice.Union(Users.Where(orm.Eq(&u.Username, "carol")).Walk(&u.Staff)), "alice carol"},
		} {
			if got := names(tt.q); got != tt.want {
				t.Errorf("%s: %q, want %q", name, got, tt.want)
			}
		}
		_, err = alice.Update(ctx, orm.Set(&u.Boss, carol))
		must(t, err)
		if got := names(alice.Walk(&u.Staff)); got != "alice bob carol" {
			t.Errorf("in a circle: %q", got)
		}
		if n, err := alice.WalkTo(4, &u.Staff).Where(orm.Depth().Eq(2)).Count(ctx); n != 1 || err != nil {
			t.Error(n, err)
		}
		for name, q := range map[string]orm.QuerySet[User]{
			"to another model":   alice.Walk(&u.Posts),
			"no relation":        alice.Walk(&u.Username),
			"no steps":           alice.WalkTo(0, &u.Staff),
			"depth without walk": Users.Where(orm.Depth().Eq(1)),
			"depth without end":  alice.Walk(&u.Staff).Where(orm.Depth().Eq(1)),
		} {
			if _, err := q.All(ctx); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})
}
