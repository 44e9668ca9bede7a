package orm_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

func TestLookup(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		for _, tt := range []struct {
			path  string
			value any
			want  string
		}{
			{"title", "b", "b"},
			{"title__exact", "b", "b"},
			{"title__iexact", "B", "b"},
			{"title__ne", "b", "acde"},
			{"slug__contains", "lug-1", "b"},
			{"slug__contains", "LUG-1", ""},
			{"slug__icontains", "LUG-1", "b"},
			{"slug__startswith", "slug", "abcde"},
			{"slug__istartswith", "SLUG-0", "a"},
			{"slug__endswith", "-4", "e"},
			{"slug__iendswith", "G-4", "e"},
			{"title__contains", "%", "e"},
			{"id", "2", "b"},
			{"pk", 2, "b"},
			{"pk__in", []int{1, 3}, "ac"},
			{"pk__in", "1,3", "ac"},
			{"pk__in", "", ""},
			{"views__gt", "3", "de"},
			{"views__gte", 3, "cde"},
			{"views__lt", int8(3), "ab"},
			{"views__lte", "3", "abc"},
			{"views__range", "2,3", "bc"},
			{"views__range", []string{"2", "3"}, "bc"},
			{"rating", "0", "abcde"},
			{"status", "draft", "abcde"},
			{"status", Live, ""},
			{"published__isnull", "true", "c"},
			{"published__isnull", false, "abde"},
			{"published", nil, "c"},
			{"published__ne", nil, "abde"},
			{"published__gte", "2025-12-31T00:00", "de"},
			{"published__lt", time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), "a"},
			{"published__year", "2025", "bd"},
			{"published__year", 2024, "a"},
			{"published__date", "2025-12-31", "d"},
			{"published__date", time.Date(2025, 12, 31, 15, 0, 0, 0, time.UTC), "d"},
			{"author", "1", "ab"},
			{"author_id", 1, "ab"},
			{"author", &User{Model: orm.Model{ID: 1}}, "ab"},
			{"author__id", 1, "ab"},
			{"author__pk__in", "1,2", "abcd"},
			{"author__in", "1,2", "abcd"},
			{"editor__isnull", true, "bde"},
			{"editor", nil, "bde"},
			{"author__username", "bob", "cd"},
			{"author__username__icontains", "LIC", "ab"},
			{"author__country__code__in", "NO,SE", "abcd"},
			{"author__boss__username", "alice", "cd"},
			{"tags", 1, "ac"},
			{"tags__name", "web", "abe"},
			{"tags__name__in", []string{"go", "db"}, "ace"},
			{"comments__votes__gt", 4, "ad"},
			{"author__posts__tags__name", "go", "abcd"},
		} {
			if got := titles(t, ctx, Posts.Where(orm.Lookup(tt.path, tt.value))); got != tt.want {
				t.Errorf("%s = %v: %q, want %q", tt.path, tt.value, got, tt.want)
			}
		}
		// A foreign key's "related" is a name even where the model has no field for it.
		if n, err := Countries.Where(orm.Lookup("citizens__username", "alice"), orm.Not(orm.Lookup("citizens__username", "bob"))).Count(ctx); n != 1 || err != nil {
			t.Error(n, err)
		}
		// Lookups and pointers share joins and related rows.
		p := Posts.Fields()
		both := Posts.OrderBy().Where(orm.Lookup("comments__name", "y"), orm.Eq(&p.Comments.To().Votes, 5), orm.Lookup("author__username", "alice"), orm.Eq(&p.Author.To().Username, "alice"))
		if got := titles(t, ctx, both); got != "a" {
			t.Error(got)
		}
		sql, _, err := both.SQL(ctx)
		must(t, err)
		if strings.Count(sql, "JOIN") != 1 || strings.Count(sql, "EXISTS") != 1 {
			t.Error(sql)
		}
		for order, want := range map[string]string{"title": "a", "-title": "e_%", "-author__username": "e_%", "pk": "a"} {
			post, err := Posts.OrderBy(orm.OrderLookup(order), orm.Asc(&p.ID)).First(ctx)
			if err != nil || post.Title != want {
				t.Errorf("%s: %v, %v", order, post, err)
			}
		}
	})
}

func TestLookupsThatDoNotFit(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		for _, tt := range []struct {
			path  string
			value any
			want  string
		}{
			{"", "x", `no field`},
			{"titel", "x", `Post has no field "titel"; it has id, title, slug`},
			{"Title", "x", `no field`},
			{"title__", "x", `no field and no comparison`},
			{"__title", "x", ``},
			{"title__lik", "x", `"lik" is no comparison; allowed are`},
			{"title__exact__exact", "x", ``},
			{"author__usernam", "x", `User has no field "usernam"`},
			{"author__username__x__y", "x", ``},
			{"exact", "x", `no field`},
			{"title; DROP TABLE", "x", ``},
			{`title"`, "x", ``},
			{"id", "x", `not a whole number`},
			{"id", "99999999999999999999", `not a whole number`},
			{"id", 1.5, `a float64 is given`},
			{"id__in", "1,x", `not a whole number`},
			{"id__in", 5, `a slice`},
			{"id__range", "1", `two values`},
			{"id__isnull", "perhaps", `not true or false`},
			{"id__contains", "1", `not text`},
			{"title__contains", 1, `needs a string`},
			{"title", "a\x00b", `NUL`},
			{"title__contains", "a\x00b", `NUL`},
			{"title__year", "2024", `not a time`},
			{"published__year", "x", `not a year`},
			{"published__date", "2024-13-01", `not a date`},
			{"published", "soon", `not a time`},
			{"title__icontains", strings.Repeat("x", 60_000), `too long`},
			{"published__gt", nil, `null cannot`},
			{"author", &User{}, `not saved`},
			{"rating", "NaN", `not a number`},
			{strings.Repeat("author__boss__", 50) + "id", 1, ``},
			{strings.Repeat("author__posts__", 4) + "author__id", 1, `more than`},
		} {
			_, err := Posts.Where(orm.Lookup(tt.path, tt.value)).All(ctx)
			e, ok := errors.AsType[*orm.LookupError](err)
			if !ok || !strings.Contains(e.Reason, tt.want) || e.Model != "Post" || e.Path != tt.path {
				t.Errorf("%s = %v: %v", tt.path, tt.value, err)
			}
		}
		for _, order := range []string{"", "-", "x", "title__exact", "-tags__x"} {
			if _, err := Posts.OrderBy(orm.OrderLookup(order)).All(ctx); err == nil {
				t.Errorf("order %q: no error", order)
			}
		}
		if _, err := Posts.OrderBy(orm.OrderLookup("tags__name")).All(ctx); err == nil {
			t.Error("order by a relation to many: no error")
		}
	})
}

func FuzzLookup(f *testing.F) {
	for _, seed := range []string{"title", "author__username__icontains", "tags__name__in", "published__year", "__", "a__b__c", "author__boss__boss__pk", "-views"} {
		f.Add(seed, "x,1")
		f.Add(seed, "2024-01-01")
	}
	ctx := open(f, testdb.SQLite)
	f.Fuzz(func(t *testing.T, path, value string) {
		_, err := Posts.Where(orm.Or(orm.Lookup(path, value), orm.Not(orm.Lookup(path, value)))).Count(ctx)
		if _, ok := errors.AsType[*orm.LookupError](err); err != nil && !ok {
			t.Errorf("%q = %q: %v", path, value, err)
		}
		if _, err := Posts.OrderBy(orm.OrderLookup(path)).All(ctx); err != nil && !strings.Contains(err.Error(), "orm: ") {
			t.Errorf("%q: %v", path, err)
		}
	})
}
