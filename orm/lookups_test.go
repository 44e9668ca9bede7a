package orm_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
)

func init() {
	orm.RegisterTransform(orm.Transform{Name: "doubled", Of: []schema.Type{schema.Int64}, Apply: func(e orm.Expr) orm.Expr { return e.Mul(2) }})
	orm.RegisterComparison(orm.Comparison{Name: "divides", Of: []schema.Type{schema.Int64}, Apply: func(e orm.Expr, v any) (orm.Cond, error) {
		if v == "0" {
			return orm.Cond{}, errors.New("nothing is divided by 0")
		}
		return e.Mod(v.(int)).Eq(0), nil
	}})
}

func TestLookupsWithTransforms(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		for _, tt := range []struct {
			path  string
			value any
			want  string
		}{
			{"published__year__gte", "2025", "bde"},
			{"published__month", 12, "d"},
			{"published__month__in", "1,6", "abe"},
			{"published__quarter__lt", 3, "abe"},
			{"published__week_day", 4, "d"},
			{"published__hour", "23", "d"},
			{"published__date__gte", "2025-12-31", "de"},
			{"published__date__range", "2025-01-01,2025-12-31", "bd"},
			{"published__year__isnull", true, "c"},
			{"title__upper", "B", "b"},
			{"title__upper__in", "A,B", "ab"},
			{"title__length__gt", 1, "e"},
			{"title__reverse__startswith", "%", "e"},
			{"slug__upper__lower__contains", "g-1", "b"},
			{"slug__regex", "^slug-[01]$", "ab"},
			{"slug__iregex", "^SLUG-4", "e"},
			{"slug__upper__regex", "^SLUG-4", "e"},
			{"views__doubled", 8, "d"},
			{"views__doubled__gte", "8", "de"},
			{"views__divides", 2, "bd"},
			{"rating__abs__lt", "1", "abcde"},
			{"author__username__length", 3, "cd"},
			{"tags__name__upper", "DB", "e"},
			{"comments__votes__doubled__gt", 8, "ad"},
		} {
			if got := titles(t, ctx, Posts.Where(orm.Lookup(tt.path, tt.value))); got != tt.want {
				sql, args, err := Posts.Where(orm.Lookup(tt.path, tt.value)).SQL(ctx)
				t.Errorf("%s = %v: %q, want %q by\n%s %v %v", tt.path, tt.value, got, tt.want, sql, args, err)
			}
		}
		for path, value := range map[string]any{
			"published__year__lik": 1, "published__yaer": 1, "title__year__gt": 1, "slug__regex": "(", "published__month__gt": "x", "published__hour__contains": "1",
			"views__lower": 1, "views__divides": "0", "published__month__range": "1", "title__upper__exact__exact": "x", "published__date__gte": "soon", "title__upper": "a\x00",
			"title__length__isnull": "perhaps", "slug__iregex": strings.Repeat("x", 1000),
		} {
			_, err := Posts.Where(orm.Lookup(path, value)).All(ctx)
			if _, ok := errors.AsType[*orm.LookupError](err); !ok {
				t.Errorf("%s = %v: %v", path, value, err)
			}
		}
		post, err := Posts.OrderBy(orm.OrderLookup("-title__length"), orm.OrderLookup("id")).First(ctx)
		if err != nil || post.Title != "e_%" {
			t.Error(post, err)
		}
		must(t, Settings.Insert(ctx, &Setting{Name: "a", Data: map[string]any{"mail": map[string]any{"to": []any{"x@y"}, "n": 3}}}, &Setting{Name: "b"}))
		for path, value := range map[string]any{
			"data__mail__to__0": "x@y", "data__mail__to__0__endswith": "@y", "data__mail__n__gt": "2", "data__mail__n": 3, "data__has_key": "mail", "data__mail__to__len": 1,
			"data__mail__has_keys": "to,n", "data__has_any_keys": []string{"zzz", "mail"}, "data__mail__isnull": false, "data__mail__n__in": "3,4",
		} {
			row, err := Settings.Where(orm.Lookup(path, value)).Get(ctx)
			if err != nil || row.Name != "a" {
				t.Errorf("%s = %v: %v, %v", path, value, row, err)
			}
		}
	})
}

func TestAllowedLookups(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) { testAllowedLookups(t, blog(t, kind)) })
}

func testAllowedLookups(t *testing.T, ctx context.Context) {
	t.Helper()
	allowed := orm.Allow(Posts, "views__gte", "title__icontains", "author__username", "published__year").OrderBy("title", "views", "author__username")
	must(t, allowed.Check())
	values := url.Values{"views__gte": {"2"}, "author__username": {"bob"}, "title__icontains": {""}, "page": {"3"}, "author__password": {"x"}}
	if got := titles(t, ctx, Posts.Where(allowed.Where(values)...)); got != "cd" {
		t.Error(got)
	}
	if got := allowed.Unknown(values, "page"); len(got) != 1 || got[0] != "author__password" {
		t.Error(got)
	}
	order, err := allowed.Order("-author__username, views")
	must(t, err)
	if post, err := Posts.OrderBy(order...).First(ctx); err != nil || post.Title != "e_%" {
		t.Error(post, err)
	}
	if _, err := allowed.Order("title,author__password"); err == nil || !strings.Contains(err.Error(), "author__password") {
		t.Error(err)
	}
	if order, err := allowed.Order(" , "); len(order) != 0 || err != nil {
		t.Error(order, err)
	}
	for _, wrong := range []orm.Allowed{orm.Allow(Posts, "titel"), orm.Allow(Posts, "title__year"), orm.Allow(Posts).OrderBy("title__icontains")} {
		if wrong.Check() == nil {
			t.Error("a lookup that does not fit: no error")
		}
	}
}

func TestCursorPages(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		for name, q := range map[string]orm.QuerySet[Post]{
			"the model's order, with NULL":  Posts,
			"by key":                        Posts.OrderBy(),
			"upwards":                       Posts.OrderBy(orm.Asc(&p.Published)),
			"NULL last":                     Posts.OrderBy(orm.Asc(&p.Published).NullsLast()),
			"NULL first":                    Posts.OrderBy(orm.Desc(&p.Published).NullsFirst()),
			"by a relation":                 Posts.OrderBy(orm.Desc(&p.Author.To().Username), orm.Asc(&p.Editor.To().Username)),
			"by an aggregate":               Posts.OrderBy(orm.Desc(orm.Count(&p.Comments)), orm.Asc(&p.Rating)),
			"with conditions and relations": Posts.Where(orm.Gt(&p.Views, 1)).With(&p.Author, &p.Tags).OrderBy(orm.Asc(&p.Status), orm.Desc(orm.Lower(&p.Title))),
			"of a union":                    Posts.Where(orm.Le(&p.Views, 2)).Union(Posts.Where(orm.Ge(&p.Views, 2))).OrderBy(orm.Desc(&p.Views)),
		} {
			for size := 1; size <= 6; size++ {
				whole, err := q.CursorPage(ctx, "", 100)
				must(t, err)
				if whole.Next != "" || whole.Previous != "" {
					t.Errorf("%s: one page has others beside it", name)
				}
				want := fmt.Sprint(whole.Items)
				var forth, back []*Post
				page, err := q.CursorPage(ctx, "", size)
				must(t, err)
				for {
					forth = append(forth, page.Items...)
					if page.Next == "" {
						break
					}
					page, err = q.CursorPage(ctx, page.Next, size)
					must(t, err)
				}
				for {
					back = append(append([]*Post(nil), page.Items...), back...)
					if page.Previous == "" {
						break
					}
					page, err = q.CursorPage(ctx, page.Previous, size)
					must(t, err)
				}
				if fmt.Sprint(forth) != want || fmt.Sprint(back) != want {
					t.Errorf("%s, pages of %d: %v and back %v, want %s", name, size, forth, back, want)
				}
			}
		}
		first, err := Posts.CursorPage(ctx, "", 2)
		must(t, err)
		for name, cursor := range map[string]string{
			"no cursor": "x", "no base64": "%%%", "another order": must1[orm.CursorPage[Post]](t)(Posts.OrderBy().CursorPage(ctx, "", 1)).Next,
			"cut off": first.Next[:len(first.Next)-3], "too long": strings.Repeat("A", 10_000), "other values": base64.RawURLEncoding.EncodeToString([]byte(`{"o":"","v":["z"]}`)),
		} {
			if _, err := Posts.CursorPage(ctx, cursor, 2); !errors.Is(err, orm.ErrCursor) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := Posts.CursorPage(ctx, "", 0); err == nil {
			t.Error("a page of no rows: no error")
		}
		if _, err := Posts.Limit(2).CursorPage(ctx, "", 1); err == nil {
			t.Error("of a limit: no error")
		}
		if page, err := Posts.None().CursorPage(ctx, "", 1); err != nil || len(page.Items) != 0 || page.Next != "" {
			t.Error(page, err)
		}
	})
}
