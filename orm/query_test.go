package orm_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// blog fills the database with a small blog:
//
//	title  author  editor  tags       comments     views  published
//	a      alice   bob     go, web    x(1), y(5)       1  2024-01-01
//	b      alice   -       web        y(1)             2  2025-06-01
//	c      bob     alice   go         -                3  -
//	d      bob     -       -          z(5)             4  2025-12-31 23:59
//	e_%    carol   -       db, web    -                5  2026-01-01
func blog(t testing.TB, kind testdb.Kind) context.Context {
	t.Helper()
	ctx := open(t, kind)
	no, se := &Country{Code: "NO", Name: "Norway"}, &Country{Code: "SE", Name: "Sweden"}
	must(t, Countries.Insert(ctx, no, se))
	alice, bob, carol := &User{Username: "alice"}, &User{Username: "bob"}, &User{Username: "carol"}
	alice.Country.Set(no)
	bob.Country.Set(se)
	must(t, Users.Insert(ctx, alice))
	bob.Boss.Set(alice)
	must(t, Users.Insert(ctx, bob, carol))
	tags := map[string]*Tag{}
	for _, name := range []string{"go", "web", "db", "unused"} {
		tags[name] = &Tag{Name: name}
		must(t, Tags.Insert(ctx, tags[name]))
	}
	day := func(s string) *time.Time { return new(must1[time.Time](t)(orm.ParseTime(s))) }
	for i, row := range []struct {
		title          string
		author, editor *User
		tags, comments string
		published      *time.Time
	}{
		{"a", alice, bob, "go web", "x1 y5", day("2024-01-01")},
		{"b", alice, nil, "web", "y1", day("2025-06-01")},
		{"c", bob, alice, "go", "", nil},
		{"d", bob, nil, "", "z5", day("2025-12-31 23:59")},
		{"e_%", carol, nil, "db web", "", day("2026-01-01")},
	} {
		p := &Post{Title: row.title, Slug: fmt.Sprint("slug-", i), Views: i + 1, Published: row.published}
		if row.title == "c" {
			p.Body = "Été, Smørrebrød"
		}
		p.Author.Set(row.author)
		p.Editor.Set(row.editor)
		must(t, Posts.Insert(ctx, p))
		for name := range strings.FieldsSeq(row.tags) {
			must(t, p.Tags.Add(ctx, tags[name]))
		}
		for c := range strings.FieldsSeq(row.comments) {
			must(t, Comments.Insert(ctx, &Comment{Post: orm.FK[Post]{ID: p.ID}, Name: c[:1], Votes: int(c[1] - '0')}))
		}
	}
	return ctx
}

// titles runs a query of posts and joins their titles.
func titles(t *testing.T, ctx context.Context, q orm.QuerySet[Post]) string {
	t.Helper()
	rows, err := q.OrderBy(orm.Asc(&Posts.Fields().ID)).All(ctx)
	must(t, err)
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(row.Title[:1])
	}
	n, err := q.Count(ctx)
	must(t, err)
	if int(n) != len(rows) {
		t.Errorf("Count is %d, All has %d", n, len(rows))
	}
	return b.String()
}

func TestConditions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		c := p.Comments.To()
		never := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
		summer := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
		for _, tt := range []struct {
			name string
			cond orm.Cond
			want string
		}{
			{"eq", orm.Eq(&p.Title, "b"), "b"},
			{"eq on a named string type", orm.Eq(&p.Status, Draft), "abcde"},
			{"ne", orm.Ne(&p.Title, "b"), "acde"},
			{"ne takes NULL in", orm.Ne(&p.Published, &summer), "acde"},
			{"eq nil is NULL", orm.Eq(&p.Published, nil), "c"},
			{"ne nil is NOT NULL", orm.Ne(&p.Published, nil), "abde"},
			{"lt", orm.Lt(&p.Views, 3), "ab"},
			{"le", orm.Le(&p.Views, 3), "abc"},
			{"gt", orm.Gt(&p.Views, 3), "de"},
			{"ge", orm.Ge(&p.Views, 3), "cde"},
			{"an untyped constant takes the field's type", orm.Lt(&p.Rating, 3), "abcde"},
			{"time", orm.Le(&p.Published, &summer), "ab"},
			{"between", orm.Between(&p.Views, 2, 4), "bcd"},
			{"in", orm.In(&p.Title, "a", "c", "zzz"), "ac"},
			{"in nothing", orm.In(&p.Title), ""},
			{"in with NULL", orm.In(&p.Published, nil, &summer), "bc"},
			{"in only NULL", orm.In(&p.Published, nil), "c"},
			{"not in", orm.NotIn(&p.Title, "a", "c"), "bde"},
			{"not in nothing", orm.NotIn(&p.Title), "abcde"},
			{"not in takes NULL in", orm.NotIn(&p.Published, &summer), "acde"},
			{"not in with NULL", orm.NotIn(&p.Published, nil, &summer), "ade"},
			{"not in only NULL", orm.NotIn(&p.Published, nil), "abde"},
			{"is null", orm.IsNull(&p.Editor), "bde"},
			{"not null", orm.NotNull(&p.Editor), "ac"},
			{"foreign key is NULL", orm.Eq(&p.Editor, orm.FK[User]{}), "bde"},
			{"is nil", orm.Is(&p.Editor, nil), "bde"},
			{"and", orm.And(orm.Gt(&p.Views, 1), orm.Lt(&p.Views, 4)), "bc"},
			{"and of nothing", orm.And(), "abcde"},
			{"or", orm.Or(orm.Eq(&p.Title, "a"), orm.Eq(&p.Views, 4)), "ad"},
			{"or of nothing", orm.Or(), ""},
			{"or in and keeps together", orm.And(orm.Or(orm.Eq(&p.Title, "a"), orm.Eq(&p.Title, "b")), orm.Gt(&p.Views, 1)), "b"},
			{"and in or", orm.Or(orm.And(orm.Eq(&p.Title, "a"), orm.Eq(&p.Views, 9)), orm.Eq(&p.Title, "b")), "b"},
			{"not", orm.Not(orm.Eq(&p.Title, "a")), "bcde"},
			{"not takes NULL in", orm.Not(orm.Lt(&p.Published, &summer)), "bcde"},
			{"not not", orm.Not(orm.Not(orm.Lt(&p.Published, &summer))), "a"},
			{"not or", orm.Not(orm.Or(orm.Eq(&p.Title, "a"), orm.Lt(&p.Published, &summer))), "bcde"},
			{"not between", orm.Not(orm.Between(&p.Published, &never, &summer)), "cde"},
			{"contains tells case apart", orm.Contains(&p.Title, "A"), ""},
			{"contains", orm.Contains(&p.Slug, "lug-1"), "b"},
			{"icontains", orm.IContains(&p.Slug, "LUG-1"), "b"},
			{"starts with", orm.StartsWith(&p.Slug, "slug"), "abcde"},
			{"istarts with", orm.IStartsWith(&p.Slug, "SLUG-2"), "c"},
			{"ends with", orm.EndsWith(&p.Slug, "-3"), "d"},
			{"iends with", orm.IEndsWith(&p.Slug, "G-3"), "d"},
			{"iexact", orm.IExact(&p.Slug, "SLUG-3"), "d"},
			{"contains takes % as it is", orm.Contains(&p.Title, "%"), "e"},
			{"contains takes * as it is", orm.Contains(&p.Title, "*"), ""},
			{"contains takes [ as it is", orm.Contains(&p.Title, "[a]"), ""},
			{"icontains takes _ as it is", orm.IContains(&p.Title, "_"), "e"},
			{"icontains takes % as it is", orm.IContains(&p.Title, "%"), "e"},
			{"icontains in letters that are not ASCII", orm.IContains(&p.Body, "SMØR"), "c"},
			{"istarts with letters that are not ASCII", orm.IStartsWith(&p.Body, "éTÉ"), "c"},
			{"iexact in letters that are not ASCII", orm.IExact(&p.Body, "été, SMØRREBRØD"), "c"},
			{"contains tells case apart beyond ASCII", orm.Contains(&p.Body, "smø"), ""},
			{"icontains takes \\ as it is", orm.IContains(&p.Title, "\\"), ""},
			{"eqfield", orm.EqField(&p.Author.ID, &p.Editor.ID), ""},
			{"nefield takes NULL in", orm.NeField(&p.Author.ID, &p.Editor.ID), "abcde"},
			{"gtfield", orm.GtField(&p.Author.ID, &p.Editor.ID), "c"},
			{"ltfield", orm.LtField(&p.Author.ID, &p.Editor.ID), "a"},
			{"through a foreign key", orm.Eq(&p.Author.To().Username, "alice"), "ab"},
			{"through two, one of them NULL", orm.Eq(&p.Author.To().Country.To().Code, "SE"), "cd"},
			{"not through one that is NULL", orm.Not(orm.Eq(&p.Editor.To().Username, "bob")), "bcde"},
			{"ne through one that is NULL", orm.Ne(&p.Editor.To().Username, "bob"), "bcde"},
			{"related is NULL because the key is", orm.IsNull(&p.Editor.To().Username), "bde"},

			{"to many", orm.Eq(&p.Tags.To().Name, "web"), "abe"},
			{"to many by key", orm.In(&p.Tags.To().ID, 1, 2), "abce"},
			{"any of two names does not repeat rows", orm.In(&p.Tags.To().Name, "go", "web"), "abce"},
			{"same related row", orm.And(orm.Eq(&c.Name, "y"), orm.Eq(&c.Votes, 5)), "a"},
			{"same related row, none", orm.And(orm.Eq(&c.Name, "x"), orm.Eq(&c.Votes, 5)), ""},
			{"same related row in nested and", orm.And(orm.Eq(&c.Name, "y"), orm.And(orm.Eq(&c.Votes, 5), orm.Eq(&p.Title, "a"))), "a"},
			{"same related row with or", orm.And(orm.Eq(&c.Name, "y"), orm.Or(orm.Eq(&c.Votes, 5), orm.Eq(&p.Title, "zzz"))), "a"},
			{"or over one relation", orm.Or(orm.Eq(&c.Name, "z"), orm.Eq(&c.Votes, 1)), "abd"},
			{"or over two relations", orm.Or(orm.Eq(&c.Name, "z"), orm.Eq(&p.Tags.To().Name, "go")), "acd"},
			{"or of to many and own field", orm.Or(orm.Eq(&p.Title, "d"), orm.Eq(&p.Tags.To().Name, "go")), "acd"},
			{"or of to many and own field that has no related row", orm.Or(orm.Eq(&p.Tags.To().Name, "db"), orm.Eq(&p.Author.To().Username, "bob")), "cde"},
			{"not to many is none", orm.Not(orm.Eq(&p.Tags.To().Name, "go")), "bde"},
			{"ne to many is some other", orm.Ne(&p.Tags.To().Name, "go"), "abe"},
			{"not of two on one row", orm.Not(orm.And(orm.Eq(&c.Name, "y"), orm.Eq(&c.Votes, 5))), "bcde"},
			{"has", orm.Has(&p.Comments), "abd"},
			{"not has", orm.Not(orm.Has(&p.Comments)), "ce"},
			{"has with a condition", orm.And(orm.Has(&p.Comments), orm.Eq(&c.Votes, 1)), "ab"},
			{"to many, then to one, back again", orm.Eq(&p.Tags.To().Posts.To().Author.To().Username, "carol"), "abe"},
			{"to one, then to many", orm.Eq(&p.Author.To().Posts.To().Title, "c"), "cd"},
			{"a field compared across a relation to many", orm.EqField(&c.Votes, &p.Views), "a"},
			{"in query", orm.InQuery(&p.Author.ID, Users.Where(orm.Eq(&Users.Fields().Country.To().Code, "NO")), &Users.Fields().ID), "ab"},
			{"in query of the same model", orm.InQuery(&p.ID, Posts.Where(orm.Eq(&p.Title, "a")), &p.ID), "a"},
			{"not in query", orm.Not(orm.InQuery(&p.Editor.ID, Users.Where(orm.Eq(&Users.Fields().Username, "bob")), &Users.Fields().ID)), "bcde"},
			{"expression", orm.Lower(&p.Title).Eq("a"), "a"},
			{"arithmetic", orm.Add(&p.Views, 1).Gt(4), "de"},
			{"length", orm.Length(&p.Title).Eq(3), "e"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if got := titles(t, ctx, Posts.Where(tt.cond)); got != tt.want {
					sql, args, _ := Posts.Where(tt.cond).SQL(ctx)
					t.Errorf("got %q, want %q by\n%s %v", got, tt.want, sql, args)
				}
				if got := titles(t, ctx, Posts.Where(orm.Not(tt.cond))); len(got)+len(tt.want) != 5 && !strings.HasPrefix(tt.name, "ne to many") {
					sql, args, _ := Posts.Where(orm.Not(tt.cond)).SQL(ctx)
					t.Errorf("Not of it gives %q, beside %q, by\n%s %v", got, tt.want, sql, args)
				}
			})
		}
	})
}

func TestWhereCallsMayMeetDifferentRelatedRows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		tag := p.Tags.To()
		if got := titles(t, ctx, Posts.Where(orm.Eq(&tag.Name, "go"), orm.Eq(&tag.Name, "web"))); got != "" {
			t.Errorf("one tag of two names: %q", got)
		}
		if got := titles(t, ctx, Posts.Where(orm.Eq(&tag.Name, "go")).Where(orm.Eq(&tag.Name, "web"))); got != "a" {
			t.Errorf("two tags: %q", got)
		}
		if got := titles(t, ctx, Posts.Exclude(orm.Eq(&tag.Name, "go")).Where(orm.Eq(&tag.Name, "web"))); got != "be" {
			t.Errorf("one tag but not the other: %q", got)
		}
		if got := titles(t, ctx, Posts.Where(orm.Or(orm.Eq(&p.Title, "a"), orm.Eq(&p.Title, "b"))).Where(orm.Or(orm.Eq(&p.Views, 2), orm.Eq(&p.Views, 3)))); got != "b" {
			t.Errorf("two Ors: %q", got)
		}
	})
}

func TestVerbsThatRead(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		if got := titles(t, ctx, Posts); got != "abcde" {
			t.Error(got)
		}
		if got := titles(t, ctx, Posts.Where().Exclude()); got != "abcde" {
			t.Error(got)
		}
		if got := titles(t, ctx, Posts.None()); got != "" {
			t.Error(got)
		}
		rows, err := Posts.OrderBy(orm.Desc(&p.Views)).Limit(2).Offset(1).All(ctx)
		must(t, err)
		if len(rows) != 2 || rows[0].Title != "d" {
			t.Errorf("%v", rows)
		}
		rows, err = Posts.OrderBy(orm.Asc(&p.Published).NullsLast()).Offset(3).All(ctx)
		must(t, err)
		if len(rows) != 2 || rows[1].Title != "c" {
			t.Errorf("nulls last: %v", rows)
		}
		rows, err = Posts.OrderBy(orm.Desc(&p.Published).NullsFirst()).All(ctx)
		must(t, err)
		if rows[0].Title != "c" {
			t.Errorf("nulls first: %v", rows)
		}
		rows, err = Posts.OrderBy(orm.Asc(&p.Author.To().Username), orm.Desc(orm.Lower(&p.Title))).All(ctx)
		must(t, err)
		if rows[0].Title != "b" || rows[1].Title != "a" {
			t.Errorf("by author: %v", rows)
		}
		first, err := Posts.First(ctx)
		must(t, err)
		if first.Title != "e_%" {
			t.Errorf("the model's own order: %v", first)
		}
		tag, err := Tags.First(ctx)
		must(t, err)
		if tag.ID != 1 {
			t.Errorf("First without order: %v", tag)
		}
		if _, err := Posts.Where(orm.Eq(&p.Title, "zzz")).First(ctx); !errors.Is(err, orm.ErrNotFound) {
			t.Error(err)
		}
		if _, err := Posts.Where(orm.Eq(&p.Title, "zzz")).Get(ctx); !errors.Is(err, orm.ErrNotFound) || !strings.Contains(err.Error(), "orm_test.Post") {
			t.Error(err)
		}
		if _, err := Posts.Where(orm.Gt(&p.Views, 1)).Get(ctx); !errors.Is(err, orm.ErrMultiple) {
			t.Error(err)
		}
		if post, err := Posts.Where(orm.Eq(&p.Title, "c")).Get(ctx); err != nil || post.Views != 3 || post.Published != nil {
			t.Error(post, err)
		}
		for q, want := range map[orm.QuerySet[Post]]bool{
			Posts.Where(orm.Eq(&p.Title, "a")): true, Posts.Where(orm.Eq(&p.Title, "zzz")): false,
			Posts.None(): false, Posts.Offset(4): true, Posts.Offset(5): false, Posts.Limit(0): false,
		} {
			if got, err := q.Exists(ctx); err != nil || got != want {
				t.Error(got, err)
			}
		}
		if n, err := Posts.Limit(2).Offset(4).Count(ctx); err != nil || n != 1 {
			t.Error(n, err)
		}
		if _, err := Posts.Limit(-1).All(ctx); err == nil {
			t.Error("negative limit")
		}
		if _, err := Posts.Offset(-1).All(ctx); err == nil {
			t.Error("negative offset")
		}
	})
}

func TestNothingIsSentForWhatIsNever(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		db, _ := orm.DBFrom(ctx)
		log := &queryLog{}
		db.AddHook(log)
		for _, cond := range []orm.Cond{orm.In(&p.ID), orm.And(orm.Eq(&p.ID, 1), orm.In(&p.ID)), orm.Or(orm.In(&p.ID), orm.In(&p.Title))} {
			q := Posts.Where(cond)
			if got := titles(t, ctx, q); got != "" {
				t.Error(got)
			}
			n, err := q.Delete(ctx)
			if n != 0 || err != nil {
				t.Error(n, err)
			}
		}
		if n := len(log.all()); n != 0 {
			t.Errorf("%d statements sent", n)
		}
	})
}

func TestInWithMoreValuesThanParameters(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		ids, names := make([]int64, 40_000), make([]string, 40_000)
		for i := range ids {
			ids[i], names[i] = int64(i+2), fmt.Sprint("x", i)
		}
		names[39_999] = "a"
		if got := titles(t, ctx, Posts.Where(orm.In(&p.ID, ids...))); got != "bcde" {
			t.Error(got)
		}
		if got := titles(t, ctx, Posts.Where(orm.NotIn(&p.ID, ids...))); got != "a" {
			t.Error(got)
		}
		if got := titles(t, ctx, Posts.Where(orm.In(&p.Title, names...), orm.Eq(&p.Views, 1))); got != "a" {
			t.Error(got)
		}
		times := make([]*time.Time, 100)
		for i := range times {
			times[i] = new(time.Date(2025, 6, 1+i, 0, 0, 0, 0, time.UTC))
		}
		if got := titles(t, ctx, Posts.Where(orm.In(&p.Published, times...))); got != "b" {
			t.Error(got)
		}
	})
}

func TestManyAlternatives(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		var conds []orm.Cond
		for i := range 1100 {
			conds = append(conds, orm.Eq(&p.Views, i-1096))
		}
		conds = append(conds, orm.Eq(&p.Tags.To().Name, "db"))
		if got := titles(t, ctx, Posts.Where(orm.Or(conds...))); got != "abce" {
			t.Error(got)
		}
	})
}

func TestConditionsKeepTheirOwnValues(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		ids := []int64{1, 2}
		q := Posts.Where(orm.In(&p.ID, ids...))
		ids[0] = 5
		if got := titles(t, ctx, q); got != "ab" {
			t.Error(got)
		}
	})
}

func TestEach(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		for name, ctx := range map[string]context.Context{"memory": ctx, "file": fileBlog(t, 700)} {
			count := 0
			for post, err := range Posts.OrderBy(orm.Asc(&p.ID)).With(&p.Author, &p.Tags).Each(ctx) {
				must(t, err)
				if _, err := post.Tags.Get(); err != nil {
					t.Fatal(err)
				}
				count++
				// The database stays free for others while the loop runs.
				if count%100 == 1 {
					must(t, Posts.UpdateRow(ctx, post, &p.Views))
				}
			}
			n, err := Posts.Count(ctx)
			must(t, err)
			if count != int(n) {
				t.Errorf("%s: %d of %d", name, count, n)
			}
			for range Posts.Each(ctx) {
				break
			}
			must(t, orm.Atomic(ctx, func(ctx context.Context) error {
				for post, err := range Posts.Each(ctx) {
					must(t, err)
					must(t, Posts.UpdateRow(ctx, post, &p.Views))
				}
				return nil
			}))
		}
		for _, err := range Posts.OrderBy(orm.Asc("x")).Each(ctx) {
			if err == nil {
				t.Error("no error")
			}
		}
	})
}

// fileBlog is a database in a file with n posts.
func fileBlog(t testing.TB, n int) context.Context {
	t.Helper()
	ctx := openURL(t, "sqlite:"+t.TempDir()+"/blog.db")
	author := &User{Username: "author"}
	must(t, Users.Insert(ctx, author))
	tag := &Tag{Name: "tag"}
	must(t, Tags.Insert(ctx, tag))
	posts := make([]*Post, n)
	for i := range posts {
		posts[i] = &Post{Title: fmt.Sprint("title ", i), Slug: fmt.Sprint("slug-", i), Views: i, Rating: float64(i) / 2}
		posts[i].Author.Set(author)
	}
	must(t, Posts.Insert(ctx, posts...))
	return ctx
}

func TestPage(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		for _, tt := range []struct {
			number, size int
			want         string
		}{
			{1, 2, "ed 1/3 of 5, 1-2, next"},
			{2, 2, "ba 2/3 of 5, 3-4, previous, next"},
			{3, 2, "c 3/3 of 5, 5-5, previous"},
			{99, 2, "c 3/3 of 5, 5-5, previous"},
			{-5, 2, "ed 1/3 of 5, 1-2, next"},
			{1, 5, "edbac 1/1 of 5, 1-5"},
		} {
			page, err := Posts.Page(ctx, tt.number, tt.size)
			must(t, err)
			got := ""
			for _, post := range page.Items {
				got += post.Title[:1]
			}
			got += fmt.Sprintf(" %d/%d of %d, %d-%d", page.Number, page.Pages, page.Total, page.First(), page.Last())
			if page.HasPrevious() {
				got += ", previous"
			}
			if page.HasNext() {
				got += ", next"
			}
			if got != tt.want {
				t.Errorf("Page(%d, %d) = %s, want %s", tt.number, tt.size, got, tt.want)
			}
		}
		if page, err := Posts.None().Page(ctx, 4, 10); err != nil || page.Pages != 1 || page.Number != 1 || page.First() != 0 || page.Last() != 0 {
			t.Errorf("%+v %v", page, err)
		}
		if _, err := Posts.Page(ctx, 1, 0); err == nil {
			t.Error("a page of no rows")
		}
		if page, err := Posts.Limit(3).Page(ctx, 2, 2); err != nil || len(page.Items) != 1 || page.Total != 3 {
			t.Errorf("%+v %v", page, err)
		}
	})
}

func TestSelect(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p, u := Posts.Fields(), Users.Fields()
		type stat struct {
			Name  string
			Posts int
			Views float64
			Last  *time.Time
		}
		got, err := orm.Select[stat](Posts.GroupBy(&p.Author.To().Username).OrderBy(orm.Desc(orm.Count(&p.ID)), orm.Asc(&p.Author.To().Username)),
			orm.As("Name", &p.Author.To().Username), orm.As("Posts", orm.Count(&p.ID)),
			orm.As("Views", orm.Avg(&p.Views)), orm.As("Last", orm.Max(&p.Published))).All(ctx)
		must(t, err)
		at := func(s string) *time.Time { return new(must1[time.Time](t)(orm.ParseTime(s))) }
		want := []stat{{"alice", 2, 1.5, at("2025-06-01")}, {"bob", 2, 3.5, at("2025-12-31 23:59")}, {"carol", 1, 5, at("2026-01-01")}}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}

		type count struct {
			Name string
			N    int
		}
		counts, err := orm.Select[count](Users.OrderBy(orm.Asc(&u.Username)), orm.As("Name", &u.Username), orm.As("N", orm.Count(&u.Posts))).All(ctx)
		must(t, err)
		if d := cmp.Diff([]count{{"alice", 2}, {"bob", 2}, {"carol", 1}}, counts); d != "" {
			t.Error(d)
		}
		counts, err = orm.Select[count](Posts.GroupBy(&p.Tags.To().Name).Where(orm.NotNull(&p.Published)).Having(orm.Count(&p.ID).Gt(1)).OrderBy(orm.Asc(&p.Tags.To().Name)),
			orm.As("Name", orm.F(&p.Tags.To().Name)), orm.As("N", orm.Sum(&p.Views))).All(ctx)
		must(t, err)
		if d := cmp.Diff([]count{{"web", 8}}, counts); d != "" {
			t.Error(d)
		}

		flat, err := orm.Select[string](Posts.OrderBy(orm.Asc(&p.ID)).Limit(2), orm.As("", &p.Title)).All(ctx)
		must(t, err)
		if !slices.Equal(flat, []string{"a", "b"}) {
			t.Error(flat)
		}
		names, err := orm.Select[string](Posts.Distinct().OrderBy(orm.Asc(&p.Author.To().Username)), orm.As("", &p.Author.To().Username)).All(ctx)
		must(t, err)
		if !slices.Equal(names, []string{"alice", "bob", "carol"}) {
			t.Error(names)
		}
		total, err := orm.Select[int](Posts, orm.As("", orm.Sum(&p.Views))).Get(ctx)
		if err != nil || total != 15 {
			t.Error(total, err)
		}
		none, err := orm.Select[*int](Posts.None(), orm.As("", orm.Sum(&p.Views))).Get(ctx)
		if err != nil || none != nil {
			t.Error(none, err)
		}
		n, err := orm.Select[int](Posts.None(), orm.As("", orm.Count(&p.ID))).Get(ctx)
		if err != nil || n != 0 {
			t.Error(n, err)
		}
		distinct, err := orm.Select[int](Posts, orm.As("", orm.CountDistinct(&p.Author.ID))).Get(ctx)
		if err != nil || distinct != 3 {
			t.Error(distinct, err)
		}
		computed, err := orm.Select[count](Posts.Where(orm.Eq(&p.Title, "d")), orm.As("Name", orm.Upper(&p.Title)), orm.As("N", orm.Mul(&p.Views, 10))).Get(ctx)
		if err != nil || computed != (count{"D", 40}) {
			t.Error(computed, err)
		}
		for name, run := range map[string]func() error{
			"no such field": func() error {
				_, err := orm.Select[stat](Posts, orm.As("Missing", &p.Title)).All(ctx)
				return err
			},
			"whole row into another": func() error {
				_, err := orm.Select[stat](Posts, orm.As("Name", p)).All(ctx)
				return err
			},
			"a related whole row": func() error {
				_, err := orm.Select[struct{ User User }](Posts, orm.As("User", p.Author.To())).All(ctx)
				return err
			},
			"filter of no aggregate": func() error {
				_, err := orm.Select[string](Posts, orm.As("", orm.Lower(&p.Title).Filter(orm.Eq(&p.ID, 1)))).All(ctx)
				return err
			},
			"no column": func() error { _, err := orm.Select[stat](Posts).All(ctx); return err },
			"NULL into a string": func() error {
				_, err := orm.Select[string](Posts, orm.As("", &p.Editor.To().Username)).All(ctx)
				return err
			},
			"With": func() error {
				_, err := orm.Select[string](Posts.With(&p.Author), orm.As("", &p.Title)).All(ctx)
				return err
			},
			"GroupBy without Select": func() error { _, err := Posts.GroupBy(&p.Title).All(ctx); return err },
			"aggregate in Where":     func() error { _, err := Posts.Where(orm.Count(&p.ID).Gt(1)).All(ctx); return err },
			"aggregate in OrderBy":   func() error { _, err := Posts.OrderBy(orm.Asc(orm.Count(&p.ID))).All(ctx); return err },
			"empty Expr":             func() error { _, err := Posts.OrderBy(orm.Asc(orm.Expr{})).All(ctx); return err },
		} {
			if err := run(); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		type author struct {
			User
			Posts, Viewed int
		}
		authors, err := orm.Select[author](Users.OrderBy(orm.Asc(&u.ID)), orm.As("User", u), orm.As("Posts", orm.Count(&u.Posts)),
			orm.As("Viewed", orm.Count(&u.Posts).Filter(orm.Gt(&u.Posts.To().Views, 1), orm.Ne(&u.Posts.To().Title, "c")))).All(ctx)
		must(t, err)
		if len(authors) != 3 || authors[1].Username != "bob" || authors[1].Boss.ID != 1 || authors[1].Posts != 2 || authors[1].Viewed != 1 || authors[0].Viewed != 1 {
			t.Errorf("%+v", authors)
		}
		if posts, err := authors[0].User.Posts.All(ctx); err != nil || len(posts) != 2 {
			t.Error("a whole row does not know its relations:", posts, err)
		}
		zero, err := orm.Select[int](Posts.None(), orm.As("", orm.Coalesce(orm.Sum(&p.Views), 0))).Get(ctx)
		if err != nil || zero != 0 {
			t.Error(zero, err)
		}
		text, err := orm.Select[string](Posts.OrderBy(orm.Asc(&p.ID)).Limit(1), orm.As("", orm.Coalesce(&p.Editor.To().Username, orm.Upper(&p.Title)))).Get(ctx)
		if err != nil || text != "bob" {
			t.Error(text, err)
		}
		// CountDistinct is right where Count would not be.
		type two struct{ Tags, Comments int }
		both, err := orm.Select[two](Posts.Where(orm.Eq(&p.Title, "a")), orm.As("Tags", orm.CountDistinct(&p.Tags.To().ID)), orm.As("Comments", orm.CountDistinct(&p.Comments.To().ID))).Get(ctx)
		if err != nil || both != (two{2, 2}) {
			t.Error(both, err)
		}
	})
}

func TestSelectEach(t *testing.T) {
	t.Parallel()
	contexts := map[string]context.Context{"file": fileBlog(t, 10)}
	for _, kind := range testdb.Kinds() {
		contexts[kind.Name] = blog(t, kind)
	}
	for name, ctx := range contexts {
		p := Posts.Fields()
		type row struct {
			ID        int64
			Published *time.Time
		}
		q := orm.Select[row](Posts.OrderBy(orm.Asc(&p.ID)), orm.As("ID", &p.ID), orm.As("Published", &p.Published))
		count := 0
		for r, err := range q.Each(ctx) {
			must(t, err)
			if count++; count == 3 {
				break
			}
			if _, err := Posts.Where(orm.Eq(&p.ID, r.ID)).Update(ctx, orm.Set(&p.Views, 1)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if count != 3 {
			t.Errorf("%s: %d rows", name, count)
		}
		all, err := q.All(ctx)
		must(t, err)
		if name != "file" && (all[2].Published != nil || all[1].Published == nil) {
			t.Error("a row keeps a value of another")
		}
		for _, err := range orm.Select[row](Posts, orm.As("No", &p.ID)).Each(ctx) {
			if err == nil {
				t.Error("no error")
			}
		}
	}
}

func TestRaw(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		rows, err := Posts.Raw(ctx, kind.SQL(`SELECT title, id FROM orm_test_post WHERE views > ? ORDER BY id`), 3)
		must(t, err)
		if len(rows) != 2 || rows[0].Title != "d" || rows[0].ID != 4 {
			t.Errorf("%v", rows)
		}
		if tags, err := rows[1].Tags.All(ctx); err != nil || len(tags) != 2 {
			t.Error(tags, err)
		}
		for _, sql := range []string{`SELECT title FROM orm_test_post`, `SELECT id, 1 AS nonsense FROM orm_test_post`, `SELECT FROM`} {
			if _, err := Posts.Raw(ctx, sql); err == nil {
				t.Errorf("%s: no error", sql)
			}
		}
	})
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		type archive struct {
			Month time.Time
			Posts int
		}
		month := orm.Trunc(orm.Month, &p.Published)
		months, err := orm.Select[archive](Posts.Where(orm.NotNull(&p.Published)).GroupBy(month).OrderBy(orm.Desc(month)),
			orm.As("Month", month), orm.As("Posts", orm.Count(&p.ID))).All(ctx)
		must(t, err)
		at := func(year int, month time.Month) time.Time { return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC) }
		if d := cmp.Diff([]archive{{at(2026, 1), 1}, {at(2025, 12), 1}, {at(2025, 6), 1}, {at(2024, 1), 1}}, months); d != "" {
			t.Error(d)
		}
		if got := titles(t, ctx, Posts.Where(orm.Extract(orm.Year, &p.Published).Eq(2025))); got != "bd" {
			t.Error(got)
		}
		if got := titles(t, ctx, Posts.Where(orm.Trunc(orm.Day, &p.Published).Eq(at(2025, 6)))); got != "b" {
			t.Error(got)
		}
		if _, err := Posts.Where(orm.Extract(orm.Year, &p.Title).Eq(2025)).All(ctx); err == nil {
			t.Error("the year of a title: no error")
		}
	})
}

func TestAnySet(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		info := orm.InfoNamed("orm_test.Post")
		all := info.Query()
		p := Posts.Fields()
		rows, err := all.Where(orm.Lookup("views__gt", 1)).Exclude(orm.Lookup("title", "c")).OrderBy(orm.OrderLookup("-views")).With(info.Pointer(info.FieldNamed("author"))).Limit(2).Offset(1).All(ctx)
		must(t, err)
		if len(rows) != 2 || rows[0].(*Post).Title != "d" || rows[0].(*Post).Author.To().Username != "bob" {
			t.Errorf("%v", rows)
		}
		if n, err := all.Count(ctx); n != 5 || err != nil {
			t.Error(n, err)
		}
		if ok, err := all.Where(orm.Lookup("pk", "99")).Exists(ctx); ok || err != nil {
			t.Error(ok, err)
		}
		row, err := all.Where(orm.Lookup("pk", "1")).Get(ctx)
		must(t, err)
		if info.RowString(row) != "a" || orm.InfoNamed("orm_test.Tag").RowString(&Tag{Model: orm.Model{ID: 3}}) != "Tag 3" {
			t.Error(info.RowString(row))
		}
		page, err := Posts.Where(orm.Gt(&p.Views, 1)).Any().Page(ctx, 2, 3)
		if err != nil || len(page.Items) != 1 || page.Pages != 2 || page.HasNext() {
			t.Errorf("%+v %v", page, err)
		}
		post := info.New()
		for name, value := range map[string]any{"title": "any", "slug": "any", "author": "1"} {
			must(t, info.FieldNamed(name).Set(post, value))
		}
		must(t, all.Insert(ctx, post))
		must(t, info.FieldNamed("views").Set(post, "77"))
		must(t, all.UpdateRow(ctx, post, info.FieldNamed("views")))
		must(t, info.FieldNamed("tags").SetMany(ctx, post, "1", 2))
		if got, err := Posts.Where(orm.Eq(&p.Views, 77)).With(&p.Tags).Get(ctx); err != nil || len(must1[[]*Tag](t)(got.Tags.Get())) != 2 {
			t.Error(got, err)
		}
		must(t, info.FieldNamed("tags").SetMany(ctx, post))
		must(t, all.DeleteRow(ctx, post))
		for name, err := range map[string]error{
			"other row":       all.Insert(ctx, &Tag{}),
			"value":           all.Insert(ctx, Post{}),
			"other field":     all.UpdateRow(ctx, row, orm.InfoNamed("orm_test.Tag").FieldNamed("name")),
			"many of a field": info.FieldNamed("title").SetMany(ctx, row),
			"bad key":         info.FieldNamed("tags").SetMany(ctx, row, "x"),
			"unsaved row":     info.FieldNamed("tags").SetMany(ctx, &Post{}, 1),
			"no such tag":     info.FieldNamed("tags").SetMany(ctx, row, 999),
			"delete":          all.DeleteRow(ctx, 5),
		} {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if _, err := all.Where(orm.Lookup("pk", "99")).Get(ctx); !errors.Is(err, orm.ErrNotFound) {
			t.Error(err)
		}
	})
}

// TestConditionsFollowSetAlgebra makes random conditions of leaves whose rows are known
// and compares with what Go's two-valued logic makes of those rows: NULL must never
// make Not, Or or And lose one.
func TestConditionsFollowSetAlgebra(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		summer := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
		type leaf struct {
			cond orm.Cond
			rows string
		}
		leaves := []leaf{
			{orm.Lt(&p.Published, &summer), "a"},
			{orm.Ne(&p.Published, &summer), "acde"},
			{orm.Eq(&p.Editor.To().Username, "bob"), "a"},
			{orm.IContains(&p.Editor.To().Country.To().Code, "n"), "c"},
			{orm.Gt(&p.Views, 3), "de"},
			{orm.GtField(&p.Author.ID, &p.Editor.ID), "c"},
			{orm.NotIn(&p.Published, &summer), "acde"},
			{orm.Lookup("author__country__code", "NO"), "ab"},
			{orm.IsNull(&p.Published), "c"},
		}
		many := []leaf{ // each once in a condition: together they would mean one row
			{orm.Eq(&p.Tags.To().Name, "web"), "abe"},
			{orm.Gt(&p.Comments.To().Votes, 1), "ad"},
			{orm.Eq(&p.Author.To().Posts.To().Title, "c"), "cd"},
		}
		random := rand.New(rand.NewPCG(1, 2))
		var grow func(depth int) (orm.Cond, func(row rune) bool)
		grow = func(depth int) (orm.Cond, func(row rune) bool) {
			if depth == 0 || random.IntN(4) == 0 {
				l := leaves[random.IntN(len(leaves))]
				if len(many) > 0 && random.IntN(3) == 0 {
					i := random.IntN(len(many))
					l = many[i]
					many = slices.Delete(slices.Clone(many), i, i+1)
				}
				return l.cond, func(row rune) bool { return strings.ContainsRune(l.rows, row) }
			}
			if random.IntN(3) == 0 {
				cond, holds := grow(depth - 1)
				return orm.Not(cond), func(row rune) bool { return !holds(row) }
			}
			one, first := grow(depth - 1)
			two, second := grow(depth - 1)
			if random.IntN(2) == 0 {
				return orm.And(one, two), func(row rune) bool { return first(row) && second(row) }
			}
			return orm.Or(one, two), func(row rune) bool { return first(row) || second(row) }
		}
		all := many
		for range 400 {
			many = all
			cond, holds := grow(5)
			want := strings.Map(func(row rune) rune {
				if holds(row) {
					return row
				}
				return -1
			}, "abcde")
			if got := titles(t, ctx, Posts.Where(cond)); got != want {
				sql, args, _ := Posts.Where(cond).SQL(ctx)
				t.Fatalf("got %q, want %q by\n%s\n%v", got, want, sql, args)
			}
		}
	})
}
