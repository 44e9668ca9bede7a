package generictest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// statements counts what is sent.
type statements struct{ n atomic.Int64 }

func (s *statements) QueryStart(ctx context.Context, _ *orm.QueryEvent) context.Context { return ctx }

func (s *statements) QueryEnd(context.Context, *orm.QueryEvent) { s.n.Add(1) }

func texts(comments []*Comment) string {
	var list []string
	for _, c := range comments {
		list = append(list, c.Text)
	}
	return strings.Join(list, ", ")
}

// name is that of a row of any model.
func name(row any) string {
	switch row := row.(type) {
	case *Post:
		return row.Title
	case *Photo:
		return row.Name
	case *Page:
		return row.Name
	case *Seat:
		return row.Name
	case *Draft:
		return row.Title
	case *Person:
		return row.Name
	}
	return fmt.Sprintf("a %T", row)
}

func TestQueriesOfGenericForeignKeys(t *testing.T) {
	t.Parallel()
	c := Comments.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		r := fill(t, ctx)
		p := Posts.Fields()
		for _, test := range []struct {
			name string
			cond orm.Cond
			want string
		}{
			{"a row", orm.BelongsTo(&c.On, r.post), "post, post again"},
			{"a UUID", orm.BelongsTo(&c.On, r.photo), "photo"},
			{"a text", orm.BelongsTo(&c.On, r.page), "page"},
			{"two columns", orm.BelongsTo(&c.On, r.seat), "seat"},
			{"an extension", orm.BelongsTo(&c.On, r.member), "member"},
			{"what it extends", orm.BelongsTo(&c.On, &r.member.Person), "member"},
			{"not", orm.Not(orm.BelongsTo(&c.On, r.post)), "photo, page, seat, draft, member, other"},
			{"a model", orm.BelongsToModel(&c.On, Posts), "post, other, post again"},
			{"an extension's model", orm.BelongsToModel(&c.On, Members), "member"},
			{"a query", orm.BelongsToQuery(&c.On, Posts.Where(orm.Eq(&p.Title, "other"))), "other"},
			{"a limited query", orm.BelongsToQuery(&c.On, Posts.OrderBy(orm.Desc(&p.ID)).Limit(1)), "other"},
			{"a query of UUIDs", orm.BelongsToQuery(&c.On, Photos), "photo"},
			{"a query of texts", orm.BelongsToQuery(&c.On, Pages), "page"},
			{"another key", orm.IsNull(&c.About.Model), "post, photo, page, seat, draft, member, other, post again"},
			{"a column", orm.Eq(&c.On.Model, "generictest.Seat"), "seat"},
			{"a lookup", orm.Lookup("on_model", "generictest.Seat"), "seat"},
		} {
			got, err := Comments.Where(test.cond).OrderBy(orm.Asc(&c.ID)).All(ctx)
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
			} else if texts(got) != test.want {
				t.Errorf("%s: %s, want %s", test.name, texts(got), test.want)
			}
		}
		v := Votes.Fields()
		first := must1[*Comment](t)(Comments.Where(orm.Eq(&c.Text, "seat")).Get(ctx))
		must(t, Votes.Insert(ctx, &Vote{Comment: orm.FK[Comment]{ID: first.ID}}))
		if n := must1[int64](t)(Votes.Where(orm.BelongsTo(&v.Comment.To().On, r.seat)).Count(ctx)); n != 1 {
			t.Errorf("%d votes behind a foreign key", n)
		}
		for what, cond := range map[string]orm.Cond{
			"not saved":      orm.BelongsTo(&c.On, &Post{}),
			"not a register": orm.BelongsTo(&c.On, &Stranger{}),
			"not to a <nil>": orm.BelongsTo(&c.On, nil),
			"as text":        orm.BelongsToQuery(&c.On, Seats),
			"nil pointer":    orm.BelongsTo(nil, r.post),
		} {
			if _, err := Comments.Where(cond).All(ctx); err == nil || !strings.Contains(err.Error(), what) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestLoadingOfGenericForeignKeys(t *testing.T) {
	t.Parallel()
	c := Comments.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		r := fill(t, ctx)
		must(t, Drafts.DeleteRow(ctx, r.draft))
		// What other programs may have left in the table.
		p := Pages.Fields()
		must1[int64](t)(Pages.Where(orm.Eq(&p.Path, r.page.Path)).Delete(ctx))
		bad := []*Comment{
			{Text: "no model", On: orm.GenericForeignKey{Model: "shop.Gone'; DROP TABLE x", Key: "1"}},
			{Text: "no key", On: orm.GenericForeignKey{Model: "generictest.Post", Key: "1 OR 1=1"}},
			{Text: "no number", On: orm.GenericForeignKey{Model: "generictest.Post", Key: strings.Repeat("9", 200)}},
			{Text: "no UUID", On: orm.GenericForeignKey{Model: "generictest.Photo", Key: "x"}},
			{Text: "one column", On: orm.GenericForeignKey{Model: "generictest.Seat", Key: "a"}},
		}
		must(t, Comments.Insert(ctx, bad...))
		all := must1[[]*Comment](t)(Comments.OrderBy(orm.Asc(&c.ID)).All(ctx))

		var missing *orm.NotLoadedError
		if _, err := all[0].On.Get(); !errors.As(err, &missing) || !strings.Contains(err.Error(), "LoadGeneric") {
			t.Errorf("not loaded: %v", err)
		}
		if row, err := all[0].About.Get(); row != nil || err != nil {
			t.Errorf("NULL: %v %v", row, err)
		}
		count := &statements{}
		db := must1[*orm.DB](t)(orm.DBFrom(ctx))
		db.AddHook(count)
		must(t, orm.LoadGeneric(ctx, all, &c.On))
		if n := count.n.Load(); n != 6 {
			t.Errorf("%d statements for 6 models", n)
		}
		must(t, orm.LoadGeneric(ctx, all, &c.On))
		if n := count.n.Load(); n != 6 {
			t.Errorf("%d statements for rows that are loaded", n)
		}
		for i, want := range []string{"post", "photo", "a <nil>", "seat", "draft", "member", "other", "post"} {
			row, err := all[i].On.Get()
			if err != nil || name(row) != want {
				t.Errorf("%s: %s %v", all[i].Text, name(row), err)
			}
		}
		for _, comment := range all[8:] {
			row, err := comment.On.Get()
			var bad *orm.GenericKeyError
			if row != nil || !errors.As(err, &bad) || bad.Model != comment.On.Model || bad.Key != comment.On.Key {
				t.Errorf("%s: %v %v", comment.Text, row, err)
			}
		}

		again := must1[*Comment](t)(Comments.Where(orm.Eq(&c.Text, "seat")).Get(ctx))
		if row := must1[any](t)(again.On.Load(ctx)); name(row) != "seat" {
			t.Errorf("Load: %s", name(row))
		}
		// Another key is another row.
		again.On.Model, again.On.Key = "generictest.Post", fmt.Sprint(r.other.ID)
		if again.On.Loaded() {
			t.Error("loaded, of another key")
		}
		if row := must1[any](t)(again.On.Load(ctx)); name(row) != "other" {
			t.Errorf("Load of another key: %s", name(row))
		}
		must(t, Comments.UpdateRow(ctx, again, c.On.Columns()...))
		if n := must1[int64](t)(Comments.Where(orm.BelongsTo(&c.On, r.other)).Count(ctx)); n != 2 {
			t.Errorf("%d comments after UpdateRow", n)
		}
		edit := must1[*orm.Edit[Comment]](t)(Comments.Edit(again))
		must(t, again.On.Set(r.post))
		must(t, Comments.Validate(ctx, again))
		must(t, edit.Save(ctx))
		if n := must1[int64](t)(Comments.Where(orm.BelongsTo(&c.On, r.post)).Count(ctx)); n != 3 {
			t.Errorf("%d comments after Save", n)
		}
		if _, err := Comments.With(&c.On).All(ctx); err == nil || !strings.Contains(err.Error(), "LoadGeneric") {
			t.Errorf("With: %v", err)
		}
		if err := Comments.UpdateRow(ctx, again, &c.On); err == nil || !strings.Contains(err.Error(), "Columns()") {
			t.Errorf("UpdateRow: %v", err)
		}
		if err := orm.LoadGeneric(ctx, all, &all[0].On); err == nil {
			t.Error("LoadGeneric by the address of a row")
		}
	})
}

func TestRowsBelongingToMany(t *testing.T) {
	t.Parallel()
	c := Comments.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		r := fill(t, ctx)
		lonely, twin := &Post{Title: "lonely"}, &Post{Title: "post"}
		must(t, Posts.Insert(ctx, lonely))
		twin.ID = r.post.ID
		posts := []*Post{r.post, lonely, r.other, twin}
		belonging, err := orm.BelongingTo(ctx, Comments.OrderBy(orm.Desc(&c.ID)), &c.On, posts)
		must(t, err)
		for i, want := range []string{"post again, post", "", "other", "post again, post"} {
			if got := texts(belonging[posts[i]]); got != want {
				t.Errorf("%d: %s", i, got)
			}
		}
		if row, err := belonging[r.post][0].On.Get(); row != r.post || err != nil {
			t.Errorf("not loaded: %v %v", row, err)
		}
		seats, err := orm.BelongingTo(ctx, Comments, &c.On, []*Seat{r.seat})
		must(t, err)
		if got := texts(seats[r.seat]); got != "seat" {
			t.Errorf("of a key of two columns: %s", got)
		}
		if none, err := orm.BelongingTo(ctx, Comments, &c.On, []*Post{}); err != nil || len(none) > 0 {
			t.Errorf("of none: %v %v", none, err)
		}
		if _, err := orm.BelongingTo(ctx, Comments.Limit(2), &c.On, posts); err == nil {
			t.Error("a Limit is not refused")
		}
		if _, err := orm.BelongingTo(ctx, Comments, &c.On, []*Post{{}}); err == nil {
			t.Error("a row that is not saved is not refused")
		}
	})
}

// TestManyKeys has more keys than a statement has parameters.
func TestManyKeys(t *testing.T) {
	t.Parallel()
	c := Comments.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		r := fill(t, ctx)
		const many = 70_000
		comments := make([]*Comment, many)
		posts := make([]*Post, many)
		for i := range many {
			comments[i] = &Comment{On: orm.GenericForeignKey{Model: "generictest.Post", Key: fmt.Sprint(r.post.ID + int64(i))}}
			posts[i] = &Post{}
			posts[i].ID = r.post.ID + int64(i)
		}
		must(t, orm.LoadGeneric(ctx, comments, &c.On))
		var names []string
		for _, comment := range comments {
			if row := must1[any](t)(comment.On.Get()); row != nil {
				names = append(names, name(row))
			}
		}
		if !slices.Equal(names, []string{"post", "other"}) {
			t.Errorf("loaded %v", names)
		}
		belonging, err := orm.BelongingTo(ctx, Comments, &c.On, posts)
		if err != nil || len(belonging) != 2 {
			t.Errorf("%d posts with comments, %v", len(belonging), err)
		}
	})
}

func TestSettingOfGenericForeignKeys(t *testing.T) {
	t.Parallel()
	post := &Post{Model: orm.Model{ID: 5}, Title: "post"}
	var key orm.GenericForeignKey
	must(t, key.Set(post))
	if key.String() != "generictest.Post 5" || key.IsNull() || !key.Loaded() {
		t.Errorf("%v", key)
	}
	if same := must1[orm.GenericForeignKey](t)(orm.GenericKeyTo(&Post{Model: orm.Model{ID: 5}})); !same.Equal(key) {
		t.Errorf("%v is not %v", same, key)
	}
	for what, row := range map[string]any{"insert it first": &Post{}, "not a registered model": &Stranger{}, "not to a string": "5", "not to a generictest.Post": *post} {
		if err := key.Set(row); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if key.Key != "5" {
		t.Errorf("after an error it is %v", key)
	}
	b := must1[[]byte](t)(json.Marshal(Comment{On: key, Text: "x"}))
	if want := `"On":{"model":"generictest.Post","key":"5"},"About":null`; !strings.Contains(string(b), want) {
		t.Errorf("%s", b)
	}
	var read Comment
	if err := json.Unmarshal(b, &read); err == nil || read.On.Model != "" {
		t.Errorf("a visitor chose %v (%v)", read.On, err)
	}
	for _, f := range Comments.Info().Fields {
		if (strings.HasPrefix(f.Snake, "on_") || strings.HasPrefix(f.Snake, "about_")) && f.Editable {
			t.Errorf("a form would have %s", f.Name)
		}
	}
	must(t, key.Set(nil))
	if !key.IsNull() || key.String() != "NULL" {
		t.Errorf("%v", key)
	}
}

func TestGenericForeignKeysMustLeadSomewhere(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		err := Comments.Insert(ctx, &Comment{Text: "x"})
		if !errors.Is(err, orm.ErrValue) || !strings.Contains(err.Error(), "On") || !strings.Contains(err.Error(), "refers to no row") {
			t.Errorf("%v", err)
		}
	})
}
