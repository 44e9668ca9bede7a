package form_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
)

// Each test here is one of the classes of faults that other frameworks had.

// TestSecurityMassAssignment: whatever a request names, only the fields of the form are set
// (Rails 2012, ASVS 15.3.3).
func TestSecurityMassAssignment(t *testing.T) {
	t.Parallel()
	names := []string{
		"id", "ID", "Id", "pk", "slug", "Slug", "SLUG", "stars", "pinned", "author", "author_id", "Author.ID", "author.id", "tags", "tags[]",
		"created", "post.slug", "Post.Slug", "title.slug", "model.id", "__proto__", "value", "0", "",
	}
	s := newSite(t)
	only := func(p *Post) form.Options { return form.Options{Fields: form.Fields(&p.Title)} }
	check := func(c *retort.Ctx) {
		row, err := Posts.First(c)
		must(t, err)
		before := *row
		f := form.For(c, only).Instance(row)
		saved, err := f.Save(c)
		if !saved || err != nil {
			t.Fatal(err, f.Errors())
		}
		after, err := Posts.Where(orm.Eq(&Posts.Fields().ID, before.ID)).Get(c)
		must(t, err)
		if after.Title != "New" || after.Slug != before.Slug || after.Stars != before.Stars || after.Pinned || after.Author.ID != before.Author.ID || tagNames(t, s.ctx, after) != "go web" {
			t.Errorf("%+v", after)
		}
		n, err := Posts.Count(c)
		must(t, err)
		if n != 1 {
			t.Error(n, " rows")
		}
	}
	pairs := []string{"title", "New"}
	members := []string{`"title": "New"`}
	for _, name := range names {
		pairs = append(pairs, name, "2")
		members = append(members, fmt.Sprintf("%q: 2", name))
	}
	s.serve(post(pairs...), check)
	s.serve(jsonRequest(http.MethodPost, "{"+strings.Join(members, ", ")+"}"), check)
}

// TestSecurityDisabledFields: a field that is only shown ignores what is sent for it, in all
// its ways of being sent.
func TestSecurityDisabledFields(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	options := func(p *Post) form.Options {
		return form.Options{Fields: form.Fields(&p.Title, &p.Stars, &p.Author, &p.Tags, &p.Pinned), Disabled: form.Fields(&p.Stars, &p.Author, &p.Tags, &p.Pinned)}
	}
	for _, r := range []*http.Request{
		post("title", "T", "stars", "1", "author", "2", "tags", "3", "pinned", "on"),
		jsonRequest(http.MethodPost, `{"title": "T", "stars": 1, "author": 2, "tags": [3], "pinned": true}`),
	} {
		s.serve(r, func(c *retort.Ctx) {
			row, err := Posts.First(c)
			must(t, err)
			f := form.For(c, options).Instance(row)
			if saved, err := f.Save(c); !saved || err != nil {
				t.Fatal(err, f.Errors())
			}
			if row.Stars != 5 || row.Author.ID != 1 || row.Pinned || tagNames(t, s.ctx, row) != "go web" {
				t.Errorf("%+v", row)
			}
		})
	}
}

// TestSecurityHugeIndexes: names with large numbers in them cost what they are long
// (gorilla/schema 2024-37298, fiber 2025-48075).
func TestSecurityHugeIndexes(t *testing.T) { //nolint:paralleltest // it measures memory
	bodies := []string{
		"a[999999999]=1&words[999999999]=1&words.999999999=1&int[]=1",
		"guests-TOTAL_FORMS=999999999&guests-999999998-name=x",
		"guests-TOTAL_FORMS=2000000000000",
		"guests-TOTAL_FORMS=1&guests-999999999-name=x&guests-0-name=x",
		"guests-TOTAL_FORMS=-5&guests-INITIAL_FORMS=999999999",
		"words=" + strings.Repeat(",", 100_000),
		"int=" + strings.Repeat("9", 100_000) + "&float=" + strings.Repeat("9", 100_000) + "e" + strings.Repeat("9", 1000) + "&when=" + strings.Repeat("9", 1000),
	}
	app := retort.New(retort.Config{SecretKey: testKey})
	app.Post("/", func(c *retort.Ctx) error {
		f, s := form.For[Every](c), form.FormsetFor(c, guests)
		f.Valid()
		s.Valid()
		return c.Status(f.Status()).RenderString("{{ form }}{{ set }}", map[string]any{"form": f, "set": s})
	})
	send := func(body string) int {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		return w.Code
	}
	send("int=1")
	for _, body := range bodies {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		status := send(body)
		runtime.ReadMemStats(&after)
		if status != http.StatusOK && status != http.StatusUnprocessableEntity {
			t.Errorf("%.60s: status %d", body, status)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 32<<20 {
			t.Errorf("%.60s: %d MB allocated for %d bytes", body, got>>20, len(body))
		}
	}
}

// TestSecurityManyFields: a million fields are refused before they are kept (2023-24580,
// Werkzeug 2023-25577).
func TestSecurityManyFields(t *testing.T) {
	t.Parallel()
	app := retort.New(retort.Config{SecretKey: testKey})
	app.Post("/", func(c *retort.Ctx) error {
		f := form.For[Every](c)
		return errOr(f.Err(), c.Text("read"))
	})
	client := retorttest.New(t, app)
	for _, tt := range []struct {
		kind, body string
		status     int
	}{
		{"application/x-www-form-urlencoded", strings.Repeat("a=&", 1_000_000), 413},
		{"application/x-www-form-urlencoded", "text=" + strings.Repeat("a", 5<<20), 413},
		{"multipart/form-data; boundary=b", strings.Repeat("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n", 100_000) + "--b--\r\n", 413},
		{"application/json", "{" + strings.Repeat(`"a":1,`, 1_000_000) + `"b":1}`, 413},
		{"application/json", `{"words":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "}", 400},
	} {
		r := client.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
		r.Header.Set("Content-Type", tt.kind)
		client.Do(r).Status(tt.status)
	}
}

// hostile are texts that have broken something somewhere.
var hostile = []string{
	"\x00", "a\x00b", "\xff\xfe", "\xed\xa0\x80", "\u202e", "\u2028", "\r\nSet-Cookie: a=b", strings.Repeat("9", 400), "-9223372036854775809", "1e309", "NaN", "0x1", "1_000",
	"2026-02-30", "0000-00-00", "10000-01-01", "2026-W54", "24:00", "99999-12-31T23:59", "'; DROP TABLE posts; --", "%s%n", "{{ 7*7 }}", "../../etc/passwd",
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "javascript:alert(1)", "[]", "{}", "null", "true", "-1", "١٢٣", strings.Repeat("(", 3000),
}

// TestSecurityNoInputIsAnError: every hostile text in every input of every kind is an error
// beside its field, or harmless; the page shows it without a tag of its own.
func TestSecurityNoInputIsAnError(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := orders(t, kind)
		db, err := orm.DBFrom(s.ctx)
		must(t, err)
		app := retort.New(retort.Config{SecretKey: testKey})
		app.Use(func(next retort.Handler) retort.Handler {
			return func(c *retort.Ctx) error { return next(c.WithContext(orm.WithDB(c, db))) }
		})
		app.Post("/picked", func(c *retort.Ctx) error {
			f := form.For[Picked](c)
			f.Valid()
			return c.Status(f.Status()).RenderString("{{ form }}", map[string]any{"form": f})
		})
		app.Post("/model", func(c *retort.Ctx) error {
			f := form.For(c, postForm)
			saved, err := f.Save(c)
			if err != nil || saved {
				return errOr(err, c.Text("saved"))
			}
			return c.Status(f.Status()).RenderString("{{ form }}", map[string]any{"form": f})
		})
		app.Post("/set", func(c *retort.Ctx) error {
			set := form.FormsetFor(c, lineForm).From(Lines.OrderBy(orm.Asc(&Lines.Fields().ID)))
			saved, err := set.Save(c)
			if err != nil || saved {
				return errOr(err, c.Text("saved"))
			}
			return c.Status(set.Status()).RenderString("{{ set }}", map[string]any{"set": set})
		})
		for path, names := range map[string][]string{
			"/picked": {
				"tint", "volume", "month", "week", "period", "start", "start_date", "start_time", "born_year", "born_month", "born_day", "day", "clock", "weekly",
				"price", "id", "addr", "extra", "words", "phone", "list", "home.street", "home.zip",
			},
			"/model": {"title", "slug", "body", "status", "stars", "year", "number", "pinned", "published", "author", "editor", "tags"},
			"/set": {
				"lines-0-ID", "lines-0-text", "lines-0-price", "lines-0-code", "lines-0-author", "lines-0-tags", "lines-0-DELETE", "lines-0-ORDER", "lines-INITIAL_FORMS",
			},
		} {
			for _, text := range hostile {
				values := url.Values{"lines-TOTAL_FORMS": {"1"}, "lines-0-text": {"fresh"}}
				for _, name := range names {
					values.Set(name, text)
				}
				r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(values.Encode()))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				w := httptest.NewRecorder()
				app.ServeHTTP(w, r)
				page := w.Body.String()
				if w.Code != http.StatusOK && w.Code != http.StatusUnprocessableEntity {
					t.Errorf("%s %q: status %d: %s", path, text, w.Code, page)
				}
				if !utf8.ValidString(page) || strings.ContainsRune(page, 0) || strings.Contains(page, "<script") || strings.Contains(page, "<img") {
					t.Errorf("%s %q: the page has what it must not:\n%s", path, text, page)
				}
			}
		}
	})
}

// TestSecurityWidgetsEscape: what the program has from its database or its users is text in
// every place of the page (2019-12308, 2026-15920: a link that runs a script).
func TestSecurityWidgetsEscape(t *testing.T) {
	t.Parallel()
	const evil = `"><script>alert(1)</script>`
	s := newSite(t)
	must(t, Authors.Insert(s.ctx, &Author{Name: evil}))
	must(t, Tags.Insert(s.ctx, &Tag{Name: evil}))
	store := &shelf{files: map[string]int64{}}
	s.serve(get(), func(c *retort.Ctx) {
		pages := []func() (string, error){
			func() (string, error) {
				f, err := form.For(c, func(p *Post) form.Options {
					o := postForm(p)
					o.Labels, o.Help = form.Texts{&p.Title: evil}, form.Texts{&p.Title: evil}
					o.Attrs = form.Attrs{&p.Title: {"data-x", evil}}
					o.Sections = []form.Section{{Legend: evil, Help: evil, Class: evil, Fields: form.Fields(&p.Title)}}
					o.Widgets = form.Widgets{&p.Author: form.Radio{}, &p.Body: form.Text{Placeholder: evil}}
					return o
				}).Instance(&Post{Title: evil, Body: evil}).Render()
				return string(f), err
			},
			func() (string, error) {
				f, err := form.For(c, func(p *Post) form.Options {
					return form.Options{
						Fields:  form.Fields(&p.Author, &p.Tags),
						Widgets: form.Widgets{&p.Author: form.Suggest{URL: evil}, &p.Tags: form.Select{Empty: evil}},
					}
				}).Instance(&Post{Author: orm.FK[Author]{ID: 3}}).Render()
				return string(f), err
			},
			func() (string, error) {
				f, err := form.For(c, func(p *Card) form.Options {
					return form.Options{Fields: form.Fields(&p.Picture), Uploads: form.Uploads{&p.Picture: {Store: linked{store}}}}
				}).Instance(&Card{Picture: `javascript:alert(1)//"><script>`}).Render()
				if strings.Contains(string(f), `href="javascript`) {
					t.Error("a link that runs a script: ", f)
				}
				return string(f), err
			},
			func() (string, error) {
				f, err := form.For(c, func(v *Visit) form.Options {
					return form.Options{From: form.Sources{&v.Zip: form.Groups{{evil, form.Choices{{Value: evil, Label: evil}}}}}, Widgets: form.Widgets{&v.Zip: form.Radio{}}}
				}).Render()
				return string(f), err
			},
		}
		for i, page := range pages {
			text, err := page()
			must(t, err)
			if strings.Contains(text, "<script") || !strings.Contains(text, "&lt;script") {
				t.Errorf("page %d:\n%s", i, text)
			}
		}
	})
}

// linked is a store whose addresses are the names.
type linked struct{ *shelf }

func (linked) URL(name string) string { return name }

// TestSecurityRepeatedNames: of a field of one value the first counts for the check and for
// the value alike (ASVS 15.3.7).
func TestSecurityRepeatedNames(t *testing.T) {
	t.Parallel()
	plain(t).serve(post("int", "5", "int", "101", "email", "a@b.example", "email", "x"), func(c *retort.Ctx) {
		f := form.For[Every](c)
		if !f.Valid() || f.Value().Int != 5 || f.Value().Email != "a@b.example" {
			t.Errorf("%+v %v", f.Value(), f.Errors())
		}
	})
	plain(t).serve(post("color", "pink", "color", "red"), func(c *retort.Ctx) {
		if f := form.For[Every](c); f.Valid() {
			t.Errorf("%+v", f.Value())
		}
	})
}
