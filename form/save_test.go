package form_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// complete are the inputs of a post that is right, with changes.
func complete(changes ...string) []string {
	pairs := []string{
		"title", "New", "slug", "new", "body", "text", "status", "live", "stars", "4", "year", "2026", "number", "2",
		"published", "2026-05-06T07:08", "author", "2", "editor", "", "tags", "1", "tags", "3",
	}
	for i := 0; i < len(changes); i += 2 {
		for j := len(pairs) - 2; j >= 0; j -= 2 {
			if pairs[j] == changes[i] {
				pairs = append(pairs[:j], pairs[j+2:]...)
			}
		}
		pairs = append(pairs, changes[i], changes[i+1])
	}
	return pairs
}

func tagNames(t *testing.T, ctx context.Context, p *Post) string {
	t.Helper()
	row, err := Posts.Where(orm.Eq(&Posts.Fields().ID, p.ID)).With(&Posts.Fields().Tags).Get(ctx)
	must(t, err)
	tags, err := row.Tags.Get()
	must(t, err)
	var names []string
	for _, tag := range tags {
		names = append(names, tag.Name)
	}
	return strings.Join(names, " ")
}

func TestSaveInserts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.serve(post(complete()...), func(c *retort.Ctx) {
		f := form.For(c, postForm)
		saved, err := f.Save(c)
		if !saved || err != nil {
			t.Fatal(saved, err, f.Errors())
		}
		row, err := Posts.Where(orm.Eq(&Posts.Fields().Slug, "new")).Get(c)
		must(t, err)
		if row.Title != "New" || row.Status != Live || row.Stars != 4 || row.Author.ID != 2 || !row.Editor.IsNull() ||
			!row.Published.Equal(time.Date(2026, 5, 6, 7, 8, 0, 0, time.UTC)) || row.Created.IsZero() {
			t.Errorf("%+v", row)
		}
		if f.Value().ID != row.ID {
			t.Error("the value has not got its key")
		}
		if got := tagNames(t, c, row); got != "go <b>" {
			t.Error(got)
		}
		if author, err := f.Value().Author.Get(); err != nil || author.Name != "adam" {
			t.Error("the row that was looked up is not loaded: ", err)
		}
		if _, err := f.Save(c); err == nil {
			t.Error("the row is inserted twice")
		}
	})
}

func TestSaveUpdatesTheFormsFieldsOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.serve(post("title", "Changed", "tags", "3", "published", "2026-01-02T03:04:05"), func(c *retort.Ctx) {
		row, err := Posts.First(c)
		must(t, err)
		published := *row.Published
		// Meanwhile somebody else changes another column.
		_, err = Posts.Where(orm.Eq(&Posts.Fields().ID, row.ID)).Update(c, orm.Set(&Posts.Fields().Stars, 1))
		must(t, err)
		f := form.For(c, func(p *Post) form.Options {
			return form.Options{
				Fields: form.Fields(&p.Title, &p.Published, &p.Tags),
				Clean: form.Clean(func(_ context.Context, p *Post) error {
					p.Slug = strings.ToLower(p.Title)
					return nil
				}),
			}
		}).Instance(row)
		if saved, err := f.Save(c); !saved || err != nil {
			t.Fatal(saved, err, f.Errors())
		}
		if row.Title != "Changed" || row.Slug != "changed" {
			t.Error("the instance has not got the new values")
		}
		after, err := Posts.Get(c)
		must(t, err)
		if after.Title != "Changed" || after.Slug != "changed" || after.Stars != 1 {
			t.Errorf("%+v", after)
		}
		if !after.Published.Equal(published) {
			t.Error("a time that was not changed lost its fraction: ", after.Published)
		}
		if diff := cmp.Diff([]string{"title", "tags"}, f.Changed()); diff != "" {
			t.Error(diff)
		}
		if got := tagNames(t, c, after); got != "<b>" {
			t.Error(got)
		}
	})
}

func TestSaveDoesNothingUnlessSubmittedAndRight(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, r := range map[string]*http.Request{"GET": get(), "wrong": post("title", "x")} {
		s.serve(r, func(c *retort.Ctx) {
			saved, err := form.For(c, postForm).Save(c)
			if n, _ := Posts.Count(c); saved || err != nil || n != 1 {
				t.Error(name, saved, err, n)
			}
		})
	}
}

func TestWhatTheDatabaseKnows(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		pairs  []string
		errors string
		html   string
	}{
		"unique": {complete("slug", "hello"), "slug: is taken already", "Slug is taken already."},
		"unique together": {
			complete("number", "1"), "A post with this year and number exists already",
			"<li>A post with this year and number exists already.</li>",
		},
		"author is missing":      {complete("author", ""), "author: is required", ""},
		"author is not there":    {complete("author", "99"), "author: is not one of the choices", ""},
		"author is no key":       {complete("author", "x"), "author: is not one of the choices", ""},
		"author is null's key":   {complete("author", "0"), "author: is not one of the choices", ""},
		"author is out of range": {complete("author", "99999999999999999999"), "author: is not one of the choices", ""},
		"two authors":            {append(complete(), "author", "1"), "author: is not one of the choices", ""},
		"one tag is not there":   {complete("tags", "1,99"), "tags: is not one of the choices", ""},
		"a tag is no key":        {complete("tags", "go"), "tags: is not one of the choices", ""},
		"a tag is hostile":       {complete("tags", "1\x00"), "tags: must not contain the null character", ""},
		"check":                  {complete("title", "Macbeth"), "title: is not allowed", ""},
		"all at once": {
			complete("slug", "hello", "author", "99", "stars", "6", "title", ""),
			"title: is required; slug: is taken already; stars: must be at most 5; author: is not one of the choices", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.serve(post(tt.pairs...), func(c *retort.Ctx) {
				f := form.For(c, postForm)
				saved, err := f.Save(c)
				if got := f.Errors().Error(); saved || err != nil || got != tt.errors {
					t.Errorf("%v %v\n got %s\nwant %s", saved, err, got, tt.errors)
				}
				html, err := f.Render()
				if err != nil || !strings.Contains(string(html), tt.html) || f.Status() != 422 {
					t.Error(f.Status(), err, html)
				}
				if n, _ := Posts.Count(c); n != 1 {
					t.Error("a post was written")
				}
			})
		})
	}
}

func TestWhatOnlyTheDatabaseFinds(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		meanwhile func(ctx context.Context) error
		errors    string
	}{
		"unique": {func(ctx context.Context) error {
			return Posts.Insert(ctx, &Post{Title: "t", Slug: "new", Year: 1, Author: orm.FK[Author]{ID: 1}})
		}, "slug: is taken already"},
		"unique together": {func(ctx context.Context) error {
			return Posts.Insert(ctx, &Post{Title: "t", Slug: "t", Year: 2026, Number: 2, Author: orm.FK[Author]{ID: 1}})
		}, "A post with this year and number exists already"},
		"author": {func(ctx context.Context) error {
			_, err := Authors.Where(orm.Eq(&Authors.Fields().ID, 2)).Delete(ctx)
			return err
		}, "Something chosen here has been deleted meanwhile"},
		"tag": {func(ctx context.Context) error {
			_, err := Tags.Where(orm.Eq(&Tags.Fields().ID, 3)).Delete(ctx)
			return err
		}, "Something chosen here has been deleted meanwhile"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.serve(post(complete()...), func(c *retort.Ctx) {
				f := form.For(c, postForm)
				if !f.Valid() {
					t.Fatal(f.Errors())
				}
				must(t, tt.meanwhile(c))
				before, _ := Posts.Count(c)
				saved, err := f.Save(c)
				if saved || err != nil || f.Errors().Error() != tt.errors {
					t.Error(saved, err, f.Errors())
				}
				if after, _ := Posts.Count(c); after != before || f.Value().ID != 0 {
					t.Error("a part of it was written")
				}
			})
		})
	}
}

func TestEditing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		pairs []string
		want  string
	}{
		"a row is not in its own way": {complete("slug", "hello", "number", "1"), ""},
		"but another one is":          {complete("slug", "other", "number", "1"), "slug: is taken already"},
		"also for a set":              {complete("slug", "hello", "number", "7"), "A post with this year and number exists already"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			must(t, Posts.Insert(s.ctx, &Post{Title: "o", Slug: "other", Year: 2026, Number: 7, Author: orm.FK[Author]{ID: 1}}))
			s.serve(post(tt.pairs...), func(c *retort.Ctx) {
				row, err := Posts.Where(orm.Eq(&Posts.Fields().Slug, "hello")).Get(c)
				must(t, err)
				was := *row
				f := form.For(c, postForm).Instance(row)
				saved, err := f.Save(c)
				if saved != (tt.want == "") || err != nil || tt.want != "" && f.Errors().Error() != tt.want {
					t.Error(saved, err, f.Errors())
				}
				if !saved && row.Title != was.Title {
					t.Error("the instance changed although nothing was saved")
				}
			})
		})
	}
}

func TestEditingARowThatIsGone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.serve(post(complete()...), func(c *retort.Ctx) {
		row, err := Posts.First(c)
		must(t, err)
		f := form.For(c, postForm).Instance(row)
		must(t, Posts.DeleteRow(c, row))
		if saved, err := f.Save(c); saved || !errors.Is(err, orm.ErrNotFound) {
			t.Error(saved, err, f.Errors())
		}
	})
}

func TestManyToManyIsClearedByLeavingOutAll(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.serve(post("title", "Hello"), func(c *retort.Ctx) {
		row, err := Posts.First(c)
		must(t, err)
		f := form.For(c, func(p *Post) form.Options { return form.Options{Fields: form.Fields(&p.Tags)} }).Instance(row)
		saved, err := f.Save(c)
		if !saved || err != nil || tagNames(t, c, row) != "" {
			t.Error(saved, err, f.Errors(), tagNames(t, c, row))
		}
	})
}

func TestRulesOfManyToMany(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, tt := range map[string]struct {
		pairs  []string
		errors string
		want   string
	}{
		"how many":           {[]string{"tags", "1", "tags", "2", "tags", "3"}, "tags: must have at most 2 items", "go web"},
		"refused":            {[]string{"tags", "1", "tags", "3"}, "tags: do not go together", "go web"},
		"changed":            {[]string{"tags", "3"}, "", "<b> web"},
		"not sent otherwise": {[]string{"tags", "2", "tags", "1"}, "", "go web"},
	} {
		s.serve(post(tt.pairs...), func(c *retort.Ctx) {
			row, err := Posts.First(c)
			must(t, err)
			tags, err := Tags.All(c)
			must(t, err)
			must(t, row.Tags.Set(c, tags[:2]...))
			f := form.For(c, func(p *Post) form.Options {
				return form.Options{
					Fields: form.Fields(&p.Tags),
					Check: form.Checks{&p.Tags: form.Check(func(_ context.Context, chosen []*Tag) ([]*Tag, error) {
						switch {
						case len(chosen) == 2 && chosen[1].Name == "<b>":
							return nil, validate.NewError("", "pair", "do not go together")
						case len(chosen) == 1:
							return append(chosen, tags[1]), nil
						}
						return chosen, nil
					})},
				}
			}).Instance(row)
			saved, err := f.Save(c)
			if err != nil || saved != (tt.errors == "") || tt.errors != "" && f.Errors().Error() != tt.errors {
				t.Error(name, saved, err, f.Errors())
			}
			names := strings.Fields(tagNames(t, c, row))
			slices.Sort(names)
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("%s: %s, want %s", name, got, tt.want)
			}
		})
	}
}

func TestTooManyKeysAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var keys strings.Builder
	for i := range 20_000 {
		fmt.Fprint(&keys, i+1, ",")
	}
	s.serve(post("tags", keys.String()), func(c *retort.Ctx) {
		f := form.For(c, func(p *Post) form.Options { return form.Options{Fields: form.Fields(&p.Tags)} })
		if f.Valid() || !f.Errors().Has("tags", "max_items") {
			t.Error(f.Errors(), f.Err())
		}
	})
}

func TestSaveIsForModels(t *testing.T) {
	t.Parallel()
	plain(t).serve(post("email", "a@b.example", "password", "long enough"), func(c *retort.Ctx) {
		if saved, err := form.For[Login](c).Save(c); saved || err == nil || !strings.Contains(err.Error(), "is not a model") {
			t.Error(saved, err)
		}
	})
}

func TestChoicesOfAQuery(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, tag := Authors.Fields(), Tags.Fields()
	options := func(p *Post) form.Options {
		return form.Options{
			Fields: form.Fields(&p.Author, &p.Tags),
			From: form.Sources{
				&p.Author: form.Rows(Authors.Where(orm.Eq(&a.Name, "Zoe"))),
				&p.Tags:   form.Rows(Tags.Where(orm.Ne(&tag.Name, "web")).OrderBy(orm.Desc(&tag.Name))),
			},
		}
	}
	s.serve(get(), func(c *retort.Ctx) {
		f := form.For(c, options)
		_, err := f.Render()
		must(t, err)
		if got := f.Field(&f.Value().Author).Options(); len(got) != 1 || got[0] != (form.Option{Value: "1", Label: "Zoe"}) {
			t.Error(got)
		}
		if got := f.Field(&f.Value().Tags).Options(); len(got) != 2 || got[0].Label != "go" || got[1].Label != "<b>" {
			t.Error(got)
		}
	})
	s.serve(post("author", "2", "tags", "2"), func(c *retort.Ctx) {
		f := form.For(c, options)
		if f.Valid() || f.Errors().Error() != "author: is not one of the choices; tags: is not one of the choices" {
			t.Error(f.Errors())
		}
	})
	s.serve(post("author", "1", "tags", "1", "tags", "3"), func(c *retort.Ctx) {
		if f := form.For(c, options); !f.Valid() {
			t.Error(f.Errors(), f.Err())
		}
	})
}

func TestWithoutADatabase(t *testing.T) {
	t.Parallel()
	plain(t).serve(get(), func(c *retort.Ctx) {
		if _, err := form.For(c, postForm).Render(); !errors.Is(err, orm.ErrNoDatabase) {
			t.Error(err)
		}
	})
	plain(t).serve(post(complete()...), func(c *retort.Ctx) {
		f := form.For(c, postForm)
		if f.Valid() || !errors.Is(f.Err(), orm.ErrNoDatabase) {
			t.Error(f.Errors(), f.Err())
		}
		if saved, err := f.Save(c); saved || !errors.Is(err, orm.ErrNoDatabase) {
			t.Error(err)
		}
	})
}

// counter counts statements.
type counter struct{ n atomic.Int64 }

func (h *counter) QueryStart(ctx context.Context, _ *orm.QueryEvent) context.Context { return ctx }

func (h *counter) QueryEnd(_ context.Context, e *orm.QueryEvent) {
	if strings.HasPrefix(e.SQL, "SELECT") {
		h.n.Add(1)
	}
}

func TestQueriesAreFew(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var h counter
	db, err := orm.DBFrom(s.ctx)
	must(t, err)
	db.AddHook(&h)
	for _, tt := range []struct {
		name string
		r    *http.Request
		want int64
	}{
		// Authors, shared by author and editor; tags.
		{"a new form", get(), 2},
		// Author and tags exist; slug; year and number.
		{"a form that is right", post(complete()...), 4},
	} {
		s.serve(tt.r, func(c *retort.Ctx) {
			h.n.Store(0)
			f := form.For(c, postForm)
			if !f.Submitted() {
				_, err := f.Render()
				must(t, err)
			} else if !f.Valid() {
				t.Error(f.Errors())
			}
			if got := h.n.Load(); got != tt.want {
				t.Errorf("%s: %d queries, want %d", tt.name, got, tt.want)
			}
		})
	}
}
