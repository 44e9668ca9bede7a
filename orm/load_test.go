package orm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p, c := Posts.Fields(), Comments.Fields()
		rows, err := Posts.OrderBy(orm.Asc(&p.ID)).All(ctx)
		must(t, err)
		db, _ := orm.DBFrom(ctx)
		log := &queryLog{}
		db.AddHook(log)
		must(t, orm.Load(ctx, rows, &p.Author.To().Country, &p.Editor, &p.Tags, orm.Only(&p.Comments, Comments.Where(orm.Gt(&c.Votes, 1)))))
		if n := len(log.all()); n != 4 {
			t.Errorf("%d statements for four relations", n)
		}
		if a := rows[0]; a.Author.To().Country.To().Code != "NO" || a.Editor.To().Username != "bob" || len(must1[[]*Tag](t)(a.Tags.Get())) != 2 || len(must1[[]*Comment](t)(a.Comments.Get())) != 1 {
			t.Errorf("%+v", a)
		}
		if b := rows[1]; b.Editor.To() != nil || b.Author.To() != rows[0].Author.To() {
			t.Error("one author is two rows")
		}
		// What is loaded stays; what is behind it is loaded.
		author := rows[0].Author.To()
		must(t, orm.Load(ctx, rows, &p.Author.To().Boss, &p.Author.To().Posts))
		if rows[0].Author.To() != author || len(must1[[]*Post](t)(author.Posts.Get())) != 2 || rows[2].Author.To().Boss.To().Username != "alice" {
			t.Error("loaded behind what is loaded")
		}
		log.all()
		must(t, orm.Load(ctx, rows, &p.Author))
		must(t, orm.Load(ctx, []*Post{}, &p.Author))
		if n := len(log.all()); n != 0 {
			t.Errorf("%d statements for what is there", n)
		}
		for name, err := range map[string]error{
			"nil row":       orm.Load(ctx, []*Post{nil}, &p.Author),
			"no relation":   orm.Load(ctx, rows, &p.Title),
			"another model": orm.Load(ctx, rows, &c.Post),
		} {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})
}

func TestLimitForEachRow(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p, c, u := Posts.Fields(), Comments.Fields(), Users.Fields()
		rows, err := Posts.OrderBy(orm.Asc(&p.ID)).With(
			orm.Only(&p.Comments, Comments.OrderBy(orm.Desc(&c.Votes)).Limit(1)),
			orm.Only(&p.Tags, Tags.OrderBy(orm.Desc(&Tags.Fields().Name)).Limit(1)),
		).All(ctx)
		must(t, err)
		got := ""
		for _, row := range rows {
			got += row.Title[:1]
			for _, comment := range must1[[]*Comment](t)(row.Comments.Get()) {
				got += fmt.Sprint(comment.Votes)
			}
			for _, tag := range must1[[]*Tag](t)(row.Tags.Get()) {
				got += tag.Name
			}
			got += " "
		}
		if got != "a5web b1web cgo d5 eweb " {
			t.Error(got)
		}
		users, err := Users.OrderBy(orm.Asc(&u.ID)).With(orm.Only(&u.Posts, Posts.OrderBy(orm.Asc(&p.ID)).Offset(1).With(&p.Tags))).All(ctx)
		must(t, err)
		if posts := must1[[]*Post](t)(users[0].Posts.Get()); len(posts) != 1 || posts[0].Title != "b" || len(must1[[]*Tag](t)(posts[0].Tags.Get())) != 1 {
			t.Errorf("%v", posts)
		}
	})
}

func TestPickingRows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p, u := Posts.Fields(), Users.Fields()
		bySlug, err := orm.InBulk(ctx, Posts, &p.Slug, "slug-1", "slug-3", "none")
		must(t, err)
		if len(bySlug) != 2 || bySlug["slug-3"].Title != "d" {
			t.Errorf("%v", bySlug)
		}
		if none, err := orm.InBulk(ctx, Posts, &p.ID); len(none) != 0 || err != nil {
			t.Error(none, err)
		}
		if _, err := orm.InBulk(ctx, Posts, &p.Author.To().ID, 1); err == nil {
			t.Error("InBulk by a related field: no error")
		}
		title := func(post *Post, err error) string {
			t.Helper()
			must(t, err)
			return post.Title[:1]
		}
		byViews := Posts.OrderBy(orm.Asc(&p.Views))
		for name, tt := range map[string][2]string{
			"last":             {title(byViews.Last(ctx)), "e"},
			"last of a limit":  {title(byViews.Limit(3).Last(ctx)), "c"},
			"last by default":  {title(Posts.Where(orm.NotNull(&p.Published)).Last(ctx)), "a"},
			"latest":           {title(Posts.Latest(ctx, &p.Published)), "e"},
			"earliest":         {title(Posts.Earliest(ctx, &p.Published)), "a"},
			"latest of two":    {title(Posts.Latest(ctx, &p.Author.To().Username, &p.Views)), "e"},
			"reverse":          {title(byViews.Reverse().First(ctx)), "e"},
			"reverse of nulls": {title(Posts.OrderBy(orm.Asc(&p.Published).NullsLast()).Reverse().First(ctx)), "c"},
		} {
			if tt[0] != tt[1] {
				t.Errorf("%s: %s, want %s", name, tt[0], tt[1])
			}
		}
		if _, err := Posts.None().Last(ctx); !errors.Is(err, orm.ErrNotFound) {
			t.Error(err)
		}
		if _, err := Posts.Latest(ctx); err == nil {
			t.Error("Latest by nothing: no error")
		}
		a := must1[*Post](t)(Posts.Where(orm.Eq(&p.Title, "a")).Get(ctx))
		for q, want := range map[orm.QuerySet[Post]]bool{Posts: true, byViews.Limit(1): true, byViews.Offset(1): false, Posts.Where(orm.Gt(&p.Views, 1)): false} {
			if got, err := q.Contains(ctx, a); got != want || err != nil {
				t.Error(got, err)
			}
		}
		if _, err := Posts.Contains(ctx, &Post{}); err == nil {
			t.Error("Contains a row that is not saved: no error")
		}
		if plan, err := Posts.Where(orm.Eq(&p.Slug, "x")).Explain(ctx); err != nil || plan == "" {
			t.Error(plan, err)
		}

		type row struct {
			Username string
			N        *int64 `orm:"column=posts"`
		}
		table := Users.Info().Table
		raw, err := orm.RawSelect[row](ctx, "SELECT username, id + 1 AS posts FROM "+table+" ORDER BY id")
		must(t, err)
		if len(raw) != 3 || raw[0].Username != "alice" || *raw[1].N != 3 {
			t.Errorf("%+v", raw)
		}
		names, err := orm.RawSelect[string](ctx, "SELECT username FROM "+table+" ORDER BY id")
		if err != nil || !slices.Equal(names, []string{"alice", "bob", "carol"}) {
			t.Error(names, err)
		}
		for _, sql := range []string{"SELECT 1 AS nothing", "SELECT username, id FROM " + table, "SELECT"} {
			if _, err := orm.RawSelect[string](ctx, sql); err == nil && strings.Contains(sql, ",") {
				t.Errorf("%s: no error", sql)
			}
		}
		if _, err := orm.RawSelect[row](ctx, "SELECT 1 AS nothing"); err == nil || !strings.Contains(err.Error(), `"nothing"`) {
			t.Error(err)
		}
		if n, err := Users.Where(orm.RawCond("{} = {}", &u.Username, "bob")).Count(ctx); n != 1 || err != nil {
			t.Error(n, err)
		}
		if got := ofPost[int](t, ctx, "d", orm.RawExpr("{} + 1", &p.Views)); got != 5 {
			t.Error(got)
		}
		if _, err := Users.Where(orm.RawCond("{} = 1")).Count(ctx); err == nil {
			t.Error("an argument is missing: no error")
		}
	})
}

func TestQueryGuard(t *testing.T) {
	t.Parallel()
	ctx := blog(t, testdb.SQLite)
	db, _ := orm.DBFrom(ctx)
	var found []orm.RepeatedQuery
	guard := &orm.QueryGuard{Report: func(_ context.Context, r orm.RepeatedQuery) { found = append(found, r) }}
	db.AddHook(guard)
	posts, err := Posts.All(ctx)
	must(t, err)
	load := func(ctx context.Context) {
		for _, post := range posts {
			post := *post
			if _, err := post.Author.Load(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	load(ctx)
	if len(found) != 0 {
		t.Errorf("a context that is not watched: %v", found)
	}
	for range 2 {
		found = nil
		load(guard.Watch(ctx))
		if len(found) != 1 || !strings.HasSuffix(found[0].File, "load_test.go") || found[0].Times != 5 || !strings.Contains(found[0].String(), "add With(&p.Author) to the query of Post") {
			t.Errorf("%v", found)
		}
	}
	found = nil
	watched := guard.Watch(ctx)
	must(t, orm.Load(watched, posts, &Posts.Fields().Author))
	for post, err := range Posts.With(&Posts.Fields().Author).Each(watched) {
		must(t, err)
		_ = post.Author.To()
	}
	if len(found) != 0 {
		t.Errorf("%v", found)
	}
}

type Setting struct {
	orm.Model
	Name string         `orm:"size=20"`
	Data map[string]any `orm:"json,null"`
}

var Settings = orm.Register[Setting]()

func TestJSONPaths(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		s := Settings.Fields()
		must(t, Settings.Insert(ctx,
			&Setting{Name: "a", Data: map[string]any{"n": 1, "s": "x", "b": true, "list": []any{1, "two", map[string]any{"deep": "y"}}, "null": nil, `we"ird.key`: "w"}},
			&Setting{Name: "b", Data: map[string]any{"n": "1", "s": "X", "b": false, "list": []any{}}},
			&Setting{Name: "c", Data: map[string]any{"n": 10.5, "b": 1}},
			&Setting{Name: "d"},
		))
		data := func(path ...any) orm.Expr { return orm.JSONPath(&s.Data, path...) }
		for name, tt := range map[string]struct {
			cond orm.Cond
			want string
		}{
			"number":                  {data("n").Eq(1), "a"},
			"text is no number":       {data("n").Eq("1"), "b"},
			"greater":                 {data("n").Gt(5), "c"},
			"bool":                    {data("b").Eq(true), "a"},
			"false":                   {data("b").Eq(false), "b"},
			"not equal takes NULL in": {data("s").Ne("x"), "bcd"},
			"in":                      {data("s").In("x", "X"), "ab"},
			"between":                 {data("n").Between(1, 20), "ac"},
			"contains":                {data("s").IContains("X"), "ab"},
			"index":                   {data("list", 1).Eq("two"), "a"},
			"from the end":            {data("list", -1, "deep").Eq("y"), "a"},
			"odd key":                 {data(`we"ird.key`).Eq("w"), "a"},
			"is JSON null":            {data("null").Eq(nil), "a"},
			"is not there":            {data("null").IsNull(), "bcd"},
			"is there":                {data("null").NotNull(), "a"},
			"has key":                 {orm.HasKey(&s.Data, "s"), "ab"},
			"has keys":                {orm.HasKeys(&s.Data, "n", "list"), "ab"},
			"has any key":             {orm.HasAnyKey(&s.Data, "null", "zzz"), "a"},
			"column is NULL":          {orm.IsNull(&s.Data), "d"},
			"contains a value":        {orm.JSONContains(&s.Data, map[string]any{"s": "x", "b": true}), "a"},
			"contains an element":     {orm.JSONContains(data("list"), []any{"two"}), "a"},
			"length":                  {data("list").JSONLength().Eq(3), "a"},
			"type":                    {data("n").JSONType().Eq("string"), "b"},
			"as number":               {data("n").AsNumber().Add(1).Gt(11), "c"},
		} {
			names, err := orm.Pluck(ctx, Settings.Where(tt.cond).OrderBy(orm.Asc(&s.ID)), &s.Name)
			if got := strings.Join(names, ""); got != tt.want || err != nil {
				sql, args, _ := Settings.Where(tt.cond).SQL(ctx)
				t.Errorf("%s: %q, want %q (%v) by\n%s %v", name, got, tt.want, err, sql, args)
			}
		}
		type row struct {
			S    *string
			N    *float64
			List any `orm:"json"`
		}
		rows, err := orm.Select[row](Settings.OrderBy(orm.Asc(data("n").AsNumber()).NullsLast(), orm.Asc(&s.ID)), orm.As("S", data("s")), orm.As("N", data("n").AsNumber()), orm.As("List", orm.JSONArray(1, orm.JSONObject("name", &s.Name)))).All(ctx)
		must(t, err)
		if d := cmp.Diff(row{new("x"), new(1.0), []any{1.0, map[string]any{"name": "a"}}}, rows[0]); d != "" || *rows[1].N != 10.5 {
			t.Error(d, rows)
		}
		for name, cond := range map[string]orm.Cond{
			"a path of floats": orm.JSONPath(&s.Data, 1.5).Eq(1), "no JSON": orm.JSONPath(&s.Name, "x").Eq(1), "a struct": data("n").Eq(struct{}{}), "no path": orm.F(&s.Name).AsNumber().Eq(1),
		} {
			if _, err := Settings.Where(cond).All(ctx); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})
}
