package orm_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

func TestLoadOnlyAndOmit(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		full := must1[[]*Post](t)(Posts.OrderBy(orm.Asc(&p.ID)).All(ctx))
		query := Posts.LoadOnly(&p.Title, &p.Author.To().Username).With(&p.Author, &p.Editor, &p.Tags).OrderBy(orm.Asc(&p.ID))
		sql, _, err := query.SQL(ctx)
		must(t, err)
		if strings.Contains(sql, "slug") || strings.Contains(sql, "body") {
			t.Error(sql)
		}
		rows := must1[[]*Post](t)(query.Distinct().All(ctx))
		if len(rows) != len(full) {
			t.Fatalf("%d rows of %d", len(rows), len(full))
		}
		got, want := rows[0], full[0]
		if got.Title != want.Title || got.Slug != "" || got.Views != 0 || !got.Created.IsZero() || got.Author.ID != want.Author.ID || got.Editor.ID != want.Editor.ID {
			t.Errorf("%+v", got)
		}
		if a := got.Author.To(); a.Username != "alice" || a.Country.ID == 0 || got.Editor.To().Username != "bob" || len(must1[[]*Tag](t)(got.Tags.Get())) != 2 {
			t.Errorf("%+v", a)
		}
		for _, field := range []struct {
			of   any
			read bool
		}{{&p.ID, true}, {&p.Title, true}, {&p.Author, true}, {&p.Slug, false}, {&p.Views, false}} {
			if read := must1[bool](t)(Posts.Loaded(got, field.of)); read != field.read || !must1[bool](t)(Posts.Loaded(want, field.of)) {
				t.Errorf("%v: read %v", field, read)
			}
		}

		// What was not read is not written, unless it was given a value.
		edit := must1[*orm.Edit[Post]](t)(Posts.Edit(got))
		got.Title, got.Views = "Changed", 9
		must(t, edit.Save(ctx))
		stored := must1[*Post](t)(Posts.Where(orm.Eq(&p.ID, got.ID)).Get(ctx))
		if stored.Title != "Changed" || stored.Views != 9 || stored.Slug != want.Slug || stored.Body != want.Body {
			t.Errorf("%+v", stored)
		}
		must(t, Posts.Validate(ctx, got))
		for verb, err := range map[string]error{
			"Insert":     Posts.Insert(ctx, got),
			"Upsert":     Posts.Upsert(ctx, got, orm.Conflict{}),
			"UpsertRows": Posts.UpsertRows(ctx, []*Post{got}, orm.Conflict{}),
		} {
			if err == nil || !strings.Contains(err.Error(), verb+" of a Post that was read without Slug") {
				t.Errorf("%s: %v", verb, err)
			}
		}
		must(t, Posts.Reload(ctx, got, &p.Slug))
		if !must1[bool](t)(Posts.Loaded(got, &p.Slug)) || must1[bool](t)(Posts.Loaded(got, &p.Body)) || got.Slug != want.Slug {
			t.Errorf("a field read again: %+v", got)
		}
		must(t, Posts.Reload(ctx, got))
		if !must1[bool](t)(Posts.Loaded(got, &p.Body)) || got.Body != want.Body {
			t.Errorf("all read again: %+v", got)
		}

		without := must1[*Post](t)(Posts.Omit(&p.Body, &p.Slug).Where(orm.Eq(&p.ID, got.ID)).Get(ctx))
		if without.Views != 9 || without.Slug != "" || must1[bool](t)(Posts.Loaded(without, &p.Body)) {
			t.Errorf("%+v", without)
		}
		keys := must1[[]*Post](t)(Posts.LoadOnly().Limit(2).Union(Posts.LoadOnly(&p.Title)).All(ctx))
		if len(keys) != len(full) || keys[0].Title != "" {
			t.Errorf("only keys: %+v", keys[0])
		}
		c := Comments.Fields()
		withComments := must1[*Post](t)(Posts.Where(orm.Has(&p.Comments)).With(orm.Only(&p.Comments, Comments.LoadOnly(&c.Name))).First(ctx))
		if list := must1[[]*Comment](t)(withComments.Comments.Get()); len(list) == 0 || list[0].Name == "" || list[0].Text != "" || list[0].Post.ID != withComments.ID {
			t.Errorf("%+v", list)
		}
		for post, err := range Posts.LoadOnly(&p.Title).Each(ctx) {
			must(t, err)
			if post.Slug != "" || post.Title == "" {
				t.Errorf("%+v", post)
			}
		}
	})
}

func TestLoadOnlyRefuses(t *testing.T) {
	t.Parallel()
	ctx := blog(t, testdb.Kinds()[0])
	p := Posts.Fields()
	type row struct{ Post }
	_, ofSelect := orm.Select[row](Posts.LoadOnly(&p.Title), orm.As("Post", p)).All(ctx)
	for want, err := range map[string]error{
		"add the relation to With":         second(Posts.LoadOnly(&p.Author.To().Username).All(ctx)),
		"a relation to many":               second(Posts.LoadOnly(&p.Tags).All(ctx)),
		"always read":                      second(Posts.Omit(&p.Author).All(ctx)),
		"name the columns with As":         ofSelect,
		"is named in a query of Post":      second(Posts.Omit(&Comments.Fields().Name).All(ctx)),
		"keys, foreign keys, versions and": second(Posts.Omit(&p.ID).First(ctx)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// What is known of rows goes with them.
func TestPartialRowsAreForgotten(t *testing.T) {
	ctx := blog(t, testdb.Kinds()[0])
	p := Posts.Fields()
	before := orm.PartialRows()
	for range 50 {
		must1[[]*Post](t)(Posts.Omit(&p.Body).All(ctx))
	}
	for range 1000 {
		if runtime.GC(); orm.PartialRows() <= before+100 {
			return
		}
	}
	t.Errorf("%d rows are remembered, %d before", orm.PartialRows(), before)
}
