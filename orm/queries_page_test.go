package orm_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// The page docs/queries.md quotes the functions of this file, so that its code runs.

func TestQueriesPage(t *testing.T) {
	t.Parallel()
	for name, section := range map[string]func(t *testing.T, ctx context.Context) error{
		"conditions": pageConditions, "relations": pageRelations, "values": pageValues, "aggregates": pageAggregates, "subqueries": pageSubqueries,
		"windows": pageWindows, "sets": pageSets, "times": pageTimes, "loading": pageLoading, "picking": pagePicking, "text": pageText, "raw": pageRaw,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
				if name == "raw" && kind.Name == "postgres" {
					return // there the parameters of SQL are $1 and so on
				}
				must(t, section(t, blog(t, kind)))
			})
		})
	}
}

func pageConditions(t *testing.T, ctx context.Context) error {
	p := Posts.Fields()
	posts, err := Posts.
		Where(orm.IContains(&p.Title, "a"), orm.Gt(&p.Views, 0)).
		Exclude(orm.Eq(&p.Status, Live)).
		OrderBy(orm.Desc(&p.Published).NullsLast(), orm.Asc(&p.Title)).
		Limit(20).
		All(ctx)

	either := Posts.Where(orm.Or(orm.Eq(&p.Title, "a"), orm.Not(orm.Lt(&p.Views, 5))))
	own := Posts.Where(orm.LeField(&p.Created, &p.Updated))
	computed := Posts.Where(orm.F(&p.Views).Mul(2).Gt(orm.F(&p.ID).Add(3)))
	if len(posts) != 1 || titles(t, ctx, either) != "ae" || titles(t, ctx, own) != "abcde" || titles(t, ctx, computed) != "de" {
		t.Error("the conditions of the page", posts)
	}
	return err
}

func pageRelations(t *testing.T, ctx context.Context) error {
	p := Posts.Fields()
	c := p.Comments.To()
	one := Posts.Where(orm.Eq(&c.Name, "y"), orm.Gt(&c.Votes, 4))
	two := Posts.Where(orm.Eq(&c.Name, "y")).Where(orm.Gt(&c.Votes, 4))
	none := Posts.Where(orm.Not(orm.Eq(&c.Name, "y")))
	some := Posts.Where(orm.Ne(&c.Name, "y"))
	nothing := Posts.Where(orm.Not(orm.Has(&p.Comments)))
	if titles(t, ctx, one) != "a" || titles(t, ctx, two) != "a" || titles(t, ctx, none) != "cde" || titles(t, ctx, some) != "ad" || titles(t, ctx, nothing) != "ce" {
		t.Error("the conditions on relations of the page")
	}
	return nil
}

func pageValues(_ *testing.T, ctx context.Context) error {
	p := Posts.Fields()
	titles, err := orm.Pluck(ctx, Posts.Limit(10), &p.Title)
	if err != nil {
		return err
	}
	type row struct {
		Title, Author string
	}
	rows, err := orm.Select[row](Posts,
		orm.As("Title", &p.Title), orm.As("Author", &p.Author.To().Username)).All(ctx)
	if err != nil {
		return err
	}
	maps, err := orm.Select[map[string]any](Posts, orm.As("title", orm.Upper(&p.Title))).All(ctx)
	_, _, _ = titles, rows, maps
	return err
}

func pageAggregates(t *testing.T, ctx context.Context) error {
	p, u := Posts.Fields(), Users.Fields()
	type totals struct {
		Posts, Views, Comments int64
	}
	sums, err := orm.Aggregate[totals](ctx, Posts, orm.As("Posts", orm.Count(&p.ID)),
		orm.As("Views", orm.Sum(&p.Views)), orm.As("Comments", orm.Count(&p.Comments)))
	if err != nil {
		return err
	}
	type annotated struct {
		Post
		Comments, Tags int64
	}
	posts, err := orm.Select[annotated](Posts.With(&p.Author),
		orm.As("Comments", orm.Count(&p.Comments)), orm.As("Tags", orm.Count(&p.Tags))).All(ctx)
	if err != nil {
		return err
	}
	busy := Posts.Where(orm.Count(&p.Comments).Gt(1)).OrderBy(orm.Desc(orm.Sum(&p.Comments.To().Votes)))
	type author struct {
		Name  string
		Posts int64
		Live  int64
	}
	authors, err := orm.Select[author](Posts.GroupBy(&p.Author.To().Username).Having(orm.Count(&p.ID).Gt(1)),
		orm.As("Name", &p.Author.To().Username), orm.As("Posts", orm.Count(&p.ID)),
		orm.As("Live", orm.Count(&p.ID).Filter(orm.Eq(&p.Status, Live)))).All(ctx)
	if err != nil {
		return err
	}
	names, err := orm.Aggregate[string](ctx, Users,
		orm.As("", orm.StringAgg(&u.Username, ", ").OrderBy(orm.Asc(&u.Username))))
	if sums != (totals{5, 15, 4}) || len(posts) != 5 || titles(t, ctx, busy) != "a" || len(authors) != 2 || names != "alice, bob, carol" {
		t.Error("the aggregates of the page", sums, len(posts), authors, names)
	}
	return err
}

func pageSubqueries(t *testing.T, ctx context.Context) error {
	p, c, u := Posts.Fields(), Comments.Fields(), Users.Fields()
	ofPost := Comments.Where(orm.EqField(&c.Post.ID, orm.Outer(&p.ID)))
	praised := Posts.Where(orm.Exists(ofPost.Where(orm.Gt(&c.Votes, 4))))
	newest := orm.Subquery(ofPost.OrderBy(orm.Desc(&c.ID)), &c.Name)
	byYves := Posts.Where(newest.Eq("y"))
	_, err := Posts.UpdateAll(ctx, orm.Set(&p.Body, orm.Coalesce(newest, "nobody")))
	writers := Users.Where(orm.InQuery(&u.ID, Posts.Where(orm.Gt(&p.Views, 3)), &p.Author.ID))
	if n, _ := writers.Count(ctx); n != 2 || titles(t, ctx, praised) != "ad" || titles(t, ctx, byYves) != "ab" {
		t.Error("the subqueries of the page", n)
	}
	return err
}

func pageWindows(t *testing.T, ctx context.Context) error {
	p := Posts.Fields()
	byAuthor := orm.Window{PartitionBy: orm.Fields(&p.Author.ID), OrderBy: orm.By(orm.Desc(&p.Views))}
	type ranked struct {
		Post
		Rank    int
		Running int
	}
	rows, err := orm.Select[ranked](Posts.Where(orm.Rank().Over(byAuthor).Le(3)),
		orm.As("Rank", orm.Rank().Over(byAuthor)),
		orm.As("Running", orm.Sum(&p.Views).Over(orm.Window{OrderBy: orm.By(orm.Asc(&p.ID))}))).All(ctx)
	latest := Posts.OrderBy(orm.Desc(&p.Views)).DistinctOn(&p.Author)
	if len(rows) != 5 || titles(t, ctx, latest) != "bde" {
		t.Error("the windows of the page", rows)
	}
	return err
}

func pageSets(t *testing.T, ctx context.Context) error {
	p, u := Posts.Fields(), Users.Fields()
	few, many := Posts.Where(orm.Lt(&p.Views, 2)), Posts.Where(orm.Gt(&p.Views, 4))
	ends := few.Union(many).Where(orm.Has(&p.Tags)).OrderBy(orm.Asc(&p.Title))
	top := Posts.OrderBy(orm.Desc(&p.Views)).Limit(3).Derived().Where(orm.Has(&p.Tags))
	alice := Users.Where(orm.Eq(&u.Username, "alice"))
	team, err := alice.Walk(&u.Staff).With(&u.Country).All(ctx)
	if err != nil {
		return err
	}
	second := alice.WalkTo(2, &u.Staff).Where(orm.Depth().Eq(1))

	type total struct{ Author, Posts int64 }
	totals := orm.NewCTE("totals", orm.Select[total](Posts.GroupBy(&p.Author.ID),
		orm.As("Author", &p.Author.ID), orm.As("Posts", orm.Count(&p.ID))))
	n := totals.Fields()
	prolific, err2 := Users.Join(totals, orm.EqField(&u.ID, &n.Author)).Where(orm.Gt(&n.Posts, 1)).All(ctx)

	type entry struct{ Kind, Name string }
	posts := orm.Select[entry](Posts, orm.As("Kind", orm.V("post")), orm.As("Name", &p.Title))
	users := orm.Select[entry](Users, orm.As("Kind", orm.V("user")), orm.As("Name", &u.Username))
	index, err4 := posts.Union(users).OrderBy(orm.Asc(orm.Col("Name"))).Limit(20).All(ctx)
	if err4 != nil || len(index) < 4 || index[0].Name > index[1].Name {
		t.Error("the set of selects of the page", err4, index)
	}

	type branch struct {
		ID   int64
		Path string
	}
	paths, err3 := orm.NewRecursiveCTE("tree", orm.Select[branch](alice, orm.As("ID", &u.ID), orm.As("Path", &u.Username)),
		func(tree *orm.CTE[branch]) orm.Projection[branch] {
			t := tree.Fields()
			return orm.Select[branch](Users.Join(tree, orm.EqField(&u.Boss.ID, &t.ID)),
				orm.As("ID", &u.ID), orm.As("Path", orm.Concat(&t.Path, "/", &u.Username)))
		}).Rows().All(ctx)
	if err2 != nil || err3 != nil || len(prolific) == 0 || len(paths) != 2 {
		t.Error("the common table expressions of the page", err2, err3, prolific, paths)
	}
	if n, _ := second.Count(ctx); n != 1 || len(team) != 2 || titles(t, ctx, ends) != "ae" || titles(t, ctx, top) != "ce" {
		t.Error("the sets of the page", n, team)
	}
	return err
}

func pageTimes(t *testing.T, ctx context.Context) error {
	p := Posts.Fields()
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		return err
	}
	type archive struct {
		Month time.Time
		Posts int
	}
	month := orm.Trunc(orm.Month, &p.Published).AtZone(oslo)
	months, err := orm.Select[archive](Posts.Where(orm.NotNull(&p.Published)).GroupBy(month).OrderBy(orm.Desc(month)),
		orm.As("Month", month), orm.As("Posts", orm.Count(&p.ID))).All(ctx)
	if err != nil {
		return err
	}
	late := Posts.Where(orm.Extract(orm.Hour, &p.Published).Ge(22))
	recent := Posts.Where(orm.F(&p.Published).Add(365 * 24 * time.Hour).Gt(orm.Now()))
	years, err := orm.Dates(ctx, Posts, orm.Year, &p.Published)
	today := Posts.Where(orm.Lookup("published__date", "2025-06-01"), orm.Lookup("published__time__gte", "08:00"))
	n, err2 := today.Count(orm.WithZone(ctx, oslo))
	same, err3 := today.InZone(oslo).Count(ctx)
	if err2 != nil || err3 != nil || n != same {
		t.Error("the zones of the page", err2, err3, n, same)
	}
	_, _ = recent, late
	if len(months) != 3 || len(years) != 3 {
		t.Error("the archive of the page", months, years)
	}
	return err
}

func pageLoading(t *testing.T, ctx context.Context) error {
	p, c := Posts.Fields(), Comments.Fields()
	posts, err := Posts.With(&p.Author.To().Country, &p.Tags,
		orm.Only(&p.Comments, Comments.OrderBy(orm.Desc(&c.Votes)).Limit(3))).All(ctx)
	if err != nil {
		return err
	}
	if err := orm.Load(ctx, posts, &p.Editor); err != nil {
		return err
	}
	lean, err := Posts.LoadOnly(&p.Title, &p.Author.To().Username).With(&p.Author).All(ctx)
	light, err2 := Posts.Omit(&p.Body).All(ctx)
	if err2 != nil || len(lean) != len(light) {
		t.Error("the parts of rows of the page", err2)
	}
	return err
}

func pagePicking(t *testing.T, ctx context.Context) error {
	p := Posts.Fields()
	latest, err := Posts.Latest(ctx, &p.Published)
	if err != nil {
		return err
	}
	bySlug, err := orm.InBulk(ctx, Posts, &p.Slug, "slug-1", "slug-2")
	if err != nil {
		return err
	}
	page, err := Posts.OrderBy(orm.Desc(&p.Published)).CursorPage(ctx, "", 2)
	if err != nil {
		return err
	}
	next, err := Posts.OrderBy(orm.Desc(&p.Published)).CursorPage(ctx, page.Next, 2)
	if latest.Title != "e_%" || len(bySlug) != 2 || next.Items[0].Title != "b" {
		t.Error("the rows of the page", latest, bySlug, next)
	}
	return err
}

var postFilters = orm.Allow(Posts, "status", "title__icontains", "published__year", "author__username").
	OrderBy("published", "title")

func pageText(t *testing.T, ctx context.Context) error {
	p := Posts.Fields()
	query := url.Values{"author__username": {"alice"}, "order": {"-published"}}
	order, err := postFilters.Order(query.Get("order"))
	if err != nil {
		return err
	}
	posts, err := Posts.Where(postFilters.Where(query)...).OrderBy(order...).All(ctx)
	found := Posts.Where(orm.Search(`"été smørrebrød" -php`, &p.Title, &p.Body)).
		OrderBy(orm.Desc(orm.SearchRank("été", &p.Title, &p.Body)))
	level := orm.Case(orm.When(orm.Gt(&p.Views, 4), "much read"), orm.Else("little read"))
	if len(posts) != 2 || titles(t, ctx, found) != "c" || titles(t, ctx, Posts.Where(level.Eq("much read"))) != "e" {
		t.Error("the texts of the page", posts)
	}
	return err
}

func pageRaw(_ *testing.T, ctx context.Context) error {
	u := Users.Fields()
	type row struct {
		Username string
		Posts    int
	}
	_, err := orm.RawSelect[row](ctx, `SELECT username, 1 AS posts FROM orm_test_user WHERE id > ?`, 1)
	if err != nil {
		return err
	}
	_, err = Users.Where(orm.RawCond("length({}) > {}", &u.Username, 3)).All(ctx)
	return err
}
