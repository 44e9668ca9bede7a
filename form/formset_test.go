package form_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/validate"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// Order has lines, which are edited on its page.
type Order struct {
	orm.Model
	Name  string `orm:"size=40"`
	Lines orm.HasMany[Line]
}

type Line struct {
	orm.Model
	Order    orm.FK[Order]  `orm:"on_delete=cascade"`
	Text     string         `orm:"size=20" validate:"min=2"`
	Price    int            `orm:"default=1"`
	Place    int            `orm:"default=0"`
	Code     *string        `orm:"size=10,unique"`
	Author   orm.FK[Author] `orm:"null,on_delete=protect"`
	Tags     orm.ManyToMany[Tag]
	Secret   string `orm:"size=10,blank"`
	Supplies orm.HasMany[Supply]
}

func (l *Line) String() string { return l.Text }

func (Line) Meta(l *Line) orm.Meta {
	return orm.Meta{
		VerboseName: "line", VerboseNamePlural: "lines",
		OrderBy: orm.By(orm.Asc(&l.Place), orm.Asc(&l.ID)),
		Unique:  orm.Uniques(orm.UniqueTogether(&l.Order, &l.Text)),
	}
}

// Supply keeps a line from being deleted.
type Supply struct {
	orm.Model
	Line orm.FK[Line] `orm:"on_delete=protect"`
}

var (
	Orders   = orm.Register[Order]()
	Lines    = orm.Register[Line]()
	Supplies = orm.Register[Supply]()
)

// orders are two orders; the first has the lines aa and bb, the second cc.
func orders(t *testing.T, kind testdb.Kind) *site {
	t.Helper()
	ctx := kind.Context(t)
	must(t, Authors.Insert(ctx, &Author{Name: "Zoe"}, &Author{Name: "adam"}))
	must(t, Tags.Insert(ctx, &Tag{Name: "go"}, &Tag{Name: "web"}))
	one, two := &Order{Name: "one"}, &Order{Name: "two"}
	must(t, Orders.Insert(ctx, one, two))
	line := func(o *Order, text string, place int) *Line {
		l := &Line{Text: text, Price: 5, Place: place, Secret: "kept"}
		l.Order.Set(o)
		return l
	}
	must(t, Lines.Insert(ctx, line(one, "aa", 1), line(one, "bb", 2), line(two, "cc", 1)))
	return &site{t, nil, ctx}
}

func lineForm(l *Line) form.FormsetOptions {
	return form.FormsetOptions{
		Form:  form.Options{Fields: form.Fields(&l.Text, &l.Price, &l.Code, &l.Author, &l.Tags)},
		Extra: 1, CanDelete: true, OrderBy: &l.Place,
	}
}

// rowID is the key of the line with a text.
func rowID(t *testing.T, ctx context.Context, text string) string {
	t.Helper()
	row, err := Lines.Where(orm.Eq(&Lines.Fields().Text, text)).Get(ctx)
	must(t, err)
	return fmt.Sprint(row.ID)
}

func order(t *testing.T, ctx context.Context, name string) *Order {
	t.Helper()
	row, err := Orders.Where(orm.Eq(&Orders.Fields().Name, name)).Get(ctx)
	must(t, err)
	return row
}

// linesOf writes the lines of an order: "aa=5 bb=5".
func linesOf(t *testing.T, ctx context.Context, name string) string {
	t.Helper()
	o := Lines.Fields()
	rows, err := Lines.Where(orm.Eq(&o.Order.To().Name, name)).All(ctx)
	must(t, err)
	var texts []string
	for _, row := range rows {
		texts = append(texts, fmt.Sprintf("%s=%d", row.Text, row.Price))
	}
	return strings.Join(texts, " ")
}

func TestInlineFormset(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := orders(t, kind)
		aa, bb, cc := rowID(t, s.ctx, "aa"), rowID(t, s.ctx, "bb"), rowID(t, s.ctx, "cc")
		for _, tt := range []struct {
			name   string
			pairs  []string
			errors string
			one    string // the lines afterwards
		}{
			{"another parent's row", []string{"lines-TOTAL_FORMS", "1", "lines-0-ID", cc, "lines-0-text", "stolen", "lines-0-price", "1"}, "lines-0: This entry is not part of the list any more", "aa=5 bb=5"},
			{"another parent's row deleted", []string{"lines-TOTAL_FORMS", "1", "lines-0-ID", cc, "lines-0-DELETE", "true"}, "lines-0: This entry is not part of the list any more", "aa=5 bb=5"},
			{"the same row twice", []string{
				"lines-TOTAL_FORMS", "2", "lines-0-ID", aa, "lines-0-text", "a1", "lines-0-price", "1", "lines-1-ID", aa, "lines-1-text", "a2", "lines-1-price", "1",
			}, "lines-1: This entry is not part of the list any more", "aa=5 bb=5"},
			{"no row at all", []string{"lines-TOTAL_FORMS", "1", "lines-0-ID", "x' OR 1=1", "lines-0-text", "a1"}, "lines-0: This entry is not part of the list any more", "aa=5 bb=5"},
			{"no management data", []string{"lines-0-text", "new"}, "The page sent its list incompletely. Load it again", "aa=5 bb=5"},
			{"forged management data", []string{"lines-TOTAL_FORMS", "-1"}, "The page sent its list incompletely. Load it again", "aa=5 bb=5"},
			{"a million forms", []string{"lines-TOTAL_FORMS", "1000000"}, "Send at most 1000 entries", "aa=5 bb=5"},
			{"an overflow", []string{"lines-TOTAL_FORMS", "99999999999999999999"}, "The page sent its list incompletely. Load it again", "aa=5 bb=5"},
			{"fields outside the form", []string{
				"lines-TOTAL_FORMS", "1", "lines-0-ID", aa, "lines-0-text", "aa", "lines-0-price", "6", "lines-0-order", cc, "lines-0-secret", "x", "lines-0-place", "9",
			}, "", "aa=6 bb=5"},
			{"a wrong field", []string{"lines-TOTAL_FORMS", "1", "lines-0-ID", aa, "lines-0-text", "a", "lines-0-price", "x"}, "lines-0-text: must have at least 2 characters; lines-0-price: must be a whole number", "aa=6 bb=5"},
			{"a wrong form that is deleted", []string{"lines-TOTAL_FORMS", "1", "lines-0-ID", bb, "lines-0-text", "", "lines-0-DELETE", "on"}, "", "aa=6"},
			{"an empty form", []string{"lines-TOTAL_FORMS", "2", "lines-0-text", "", "lines-0-price", "1", "lines-1-text", " ", "lines-1-price", "1"}, "", "aa=6"},
			{"a new row", []string{"lines-TOTAL_FORMS", "2", "lines-0-text", "", "lines-0-price", "1", "lines-1-text", "dd", "lines-1-price", "7"}, "", "aa=6 dd=7"},
			{"unique in the set", []string{"lines-TOTAL_FORMS", "2", "lines-0-text", "xx", "lines-0-price", "1", "lines-0-code", "c", "lines-1-text", "yy", "lines-1-price", "1", "lines-1-code", "c"}, "lines-1-code: is the same as in another entry", "aa=6 dd=7"},
			{"unique together in the set", []string{"lines-TOTAL_FORMS", "2", "lines-0-text", "xx", "lines-0-price", "1", "lines-1-text", "xx", "lines-1-price", "1"}, "lines-1: Two entries have the same text", "aa=6 dd=7"},
			{"unique in the database", []string{"lines-TOTAL_FORMS", "1", "lines-0-text", "aa", "lines-0-price", "1"}, "lines-0: A line with this order and text exists already", "aa=6 dd=7"},
			{"a choice that is none", []string{"lines-TOTAL_FORMS", "1", "lines-0-ID", aa, "lines-0-text", "aa", "lines-0-price", "6", "lines-0-author", "99"}, "lines-0-author: is not one of the choices", "aa=6 dd=7"},
		} {
			s.serve(post(append(tt.pairs, "name", "one")...), func(c *retort.Ctx) {
				f := form.For(c, func(o *Order) form.Options { return form.Options{Fields: form.Fields(&o.Name)} }).Instance(order(t, s.ctx, "one"))
				lines := form.InlineFor(c, f, lineForm)
				saved, err := form.SaveAll(c, f, lines)
				must(t, err)
				got := ""
				if !saved {
					got = lines.Errors().Error()
				}
				if got != tt.errors {
					t.Errorf("%s: errors %q, want %q", tt.name, got, tt.errors)
				}
				if !saved {
					_, err := lines.Render()
					must(t, err)
				}
			})
			if got := linesOf(t, s.ctx, "one"); got != tt.one {
				t.Errorf("%s: lines %q, want %q", tt.name, got, tt.one)
			}
			if got := linesOf(t, s.ctx, "two"); got != "cc=5" {
				t.Errorf("%s: the lines of another order are %q", tt.name, got)
			}
		}
		row, err := Lines.Where(orm.Eq(&Lines.Fields().Text, "aa")).Get(s.ctx)
		must(t, err)
		if row.Secret != "kept" {
			t.Error("a field that no form has was set")
		}
	})
}

func TestInlineFormsetOfANewParent(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := orders(t, kind)
		send := func(pairs ...string) (saved bool, errors string) {
			s.serve(post(pairs...), func(c *retort.Ctx) {
				f := form.For(c, func(o *Order) form.Options { return form.Options{Fields: form.Fields(&o.Name)} })
				lines := form.InlineFor(c, f, lineForm)
				var err error
				saved, err = form.SaveAll(c, f, lines)
				must(t, err)
				errors = append(f.Errors(), lines.Errors()...).Error()
			})
			return saved, errors
		}
		if saved, errors := send("name", "", "lines-TOTAL_FORMS", "1", "lines-0-text", "x"); saved || errors != "name: is required; lines-0-text: must have at least 2 characters" {
			t.Error("all errors of all forms: ", saved, errors)
		}
		// Places decide about the order, whichever the page had.
		if saved, errors := send("name", "three", "lines-TOTAL_FORMS", "2", "lines-0-text", "second", "lines-0-price", "1", "lines-0-ORDER", "2",
			"lines-1-text", "first", "lines-1-price", "2", "lines-1-ORDER", "1", "lines-1-tags", "1", "lines-1-tags", "2"); !saved {
			t.Error(errors)
		}
		if got := linesOf(t, s.ctx, "three"); got != "first=2 second=1" {
			t.Error(got)
		}
		row, err := Lines.Where(orm.Eq(&Lines.Fields().Text, "first")).With(&Lines.Fields().Tags).Get(s.ctx)
		must(t, err)
		if tags, err := row.Tags.Get(); err != nil || len(tags) != 2 || row.Place != 1 {
			t.Error(tags, row.Place, err)
		}
	})
}

// TestFormsetSavesAllOrNothing: the last row fails in the database, so nothing is written.
func TestFormsetSavesAllOrNothing(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := orders(t, kind)
		supply := &Supply{}
		supply.Line.Set(first(t, s.ctx, "bb"))
		must(t, Supplies.Insert(s.ctx, supply))
		aa, bb := rowID(t, s.ctx, "aa"), rowID(t, s.ctx, "bb")
		pairs := []string{
			"name", "renamed", "lines-TOTAL_FORMS", "3", "lines-0-ID", aa, "lines-0-DELETE", "true", "lines-1-text", "new", "lines-1-price", "1",
			"lines-2-ID", bb, "lines-2-DELETE", "true",
		}
		s.serve(post(pairs...), func(c *retort.Ctx) {
			f := form.For(c, func(o *Order) form.Options { return form.Options{Fields: form.Fields(&o.Name)} }).Instance(order(t, s.ctx, "one"))
			lines := form.InlineFor(c, f, lineForm)
			saved, err := form.SaveAll(c, f, lines)
			must(t, err)
			if want := "lines-2: An entry cannot be deleted: others refer to it"; saved || lines.Errors().Error() != want || lines.Status() != 422 {
				t.Error(saved, lines.Errors())
			}
			page, err := lines.Render()
			must(t, err)
			if !strings.Contains(string(page), `<a href="#id_lines-2">Line 3: An entry cannot be deleted: others refer to it.</a>`) {
				t.Error(page)
			}
		})
		if got := linesOf(t, s.ctx, "one"); got != "aa=5 bb=5" {
			t.Error(got)
		}
		// A value taken by somebody between the check and the write.
		taken := func(c *retort.Ctx) *form.Formset[Line] {
			f := form.For(c, func(o *Order) form.Options { return form.Options{Fields: form.Fields(&o.Name)} }).Instance(order(t, s.ctx, "one"))
			lines := form.InlineFor(c, f, lineForm)
			if !lines.Valid() {
				t.Fatal(lines.Errors())
			}
			other := &Line{Text: "other", Code: new("code")}
			other.Order.Set(order(t, s.ctx, "two"))
			must(t, Lines.Insert(s.ctx, other))
			saved, err := form.SaveAll(c, f, lines)
			must(t, err)
			if saved {
				t.Error("saved")
			}
			return lines
		}
		s.serve(post("name", "renamed", "lines-TOTAL_FORMS", "2", "lines-0-text", "n1", "lines-0-price", "1", "lines-1-text", "n2", "lines-1-price", "1", "lines-1-code", "code"), func(c *retort.Ctx) {
			if got := taken(c).Errors().Error(); got != "lines-1-code: is taken already" {
				t.Error(got)
			}
		})
		if got := linesOf(t, s.ctx, "one"); got != "aa=5 bb=5" {
			t.Error("a part of a formset was saved: ", got)
		}
	})
}

func first(t *testing.T, ctx context.Context, text string) *Line {
	t.Helper()
	row, err := Lines.Where(orm.Eq(&Lines.Fields().Text, text)).Get(ctx)
	must(t, err)
	return row
}

func TestFormsetPage(t *testing.T) {
	t.Parallel()
	s := orders(t, testdb.SQLite)
	for i := range 20 {
		l := &Line{Text: fmt.Sprintf("more %02d", i), Place: 10 + i}
		l.Order.Set(order(t, s.ctx, "one"))
		l.Author.SetID(1)
		must(t, Lines.Insert(s.ctx, l))
	}
	s.serve(get(), func(c *retort.Ctx) {
		// However many rows there are, the options are loaded once.
		c = c.WithContext(retorttest.NoRepeatedQueries(t, c))
		f := form.For(c, func(o *Order) form.Options { return form.Options{Fields: form.Fields(&o.Name)} }).Instance(order(t, s.ctx, "one"))
		lines := form.InlineFor(c, f, lineForm)
		must(t, c.RenderString(`{{ lines }}|{% for l in lines %}{{ l.legend }}{{ l.is_new }},{% endfor %}{{ lines|length }}|{{ lines.empty.text.name }}|{{ lines.prefix }}`, map[string]any{"lines": lines}))
		page := string(c.ResponseBody())
		for _, want := range []string{
			`<div class="formset" id="id_lines" data-formset="lines">`,
			`name="lines-TOTAL_FORMS" value="23"`, `name="lines-INITIAL_FORMS" value="22"`,
			"<fieldset class=\"member\" id=\"id_lines-0\">\n<legend>Line 1</legend>\n<input type=\"hidden\" name=\"lines-0-ID\" value=\"1\">",
			`<input type="text" minlength="2" maxlength="20" id="id_lines-0-text" name="lines-0-text" value="aa">`,
			`<option value="1" selected>Zoe</option>`,
			`<input type="number" id="id_lines-1-ORDER" name="lines-1-ORDER" value="2">`,
			`<input type="checkbox" value="true" id="id_lines-1-DELETE" name="lines-1-DELETE"> <label for="id_lines-1-DELETE">Delete</label>`,
			"<template>\n<fieldset class=\"member new\" id=\"id_lines-__prefix__\">\n<legend>Line</legend>\n",
			`<button type="button" class="add" hidden>Add another</button>`,
			"Line 23True,23|lines-__prefix__-text|lines",
		} {
			if !strings.Contains(page, want) {
				t.Errorf("no %s in\n%s", want, page)
			}
		}
		if strings.Contains(page, "csrf_token") || strings.Contains(page, " required>") || strings.Contains(page, " required ") {
			t.Error("a token too many, or inputs that the browser insists on")
		}
	})
	pairs := []string{"lines-TOTAL_FORMS", "20"}
	for i := range 20 {
		name := fmt.Sprintf("lines-%d-", i)
		pairs = append(pairs, name+"ID", rowID(t, s.ctx, fmt.Sprintf("more %02d", i)), name+"text", fmt.Sprintf("more %02d", i), name+"author", fmt.Sprint(1+i%2), name+"tags", "1")
	}
	s.serve(post(pairs...), func(c *retort.Ctx) {
		// Nor are the rows that the forms refer to looked up one by one.
		c = c.WithContext(retorttest.NoRepeatedQueries(t, c))
		set := form.FormsetFor(c, func(l *Line) form.FormsetOptions {
			return form.FormsetOptions{Form: form.Options{Fields: form.Fields(&l.Author, &l.Tags)}}
		}).From(Lines.OrderBy(orm.Asc(&Lines.Fields().ID)))
		if !set.Valid() || set.Values()[3].Author.ID != 2 {
			t.Error(set.Errors())
		}
	})
	s.serve(get(), func(c *retort.Ctx) {
		c = c.WithContext(retorttest.NoRepeatedQueries(t, c))
		set := form.FormsetFor(c, func(l *Line) form.FormsetOptions {
			o := lineForm(l)
			o.Form.Widgets = form.Widgets{&l.Author: form.Key{}}
			o.Offset, o.Limit, o.NoAdd = 2, 3, true
			return o
		}).From(Lines.OrderBy(orm.Asc(&Lines.Fields().ID)))
		page, err := set.Render()
		must(t, err)
		if n := len(set.Forms()); n != 3 || strings.Count(string(page), `class="chosen"`) != 2 || strings.Contains(string(page), "<template>") || !strings.Contains(string(page), "csrf_token") {
			t.Error(n, page)
		}
	})
}

// Guest is a row of a formset without a model.
type Guest struct {
	Name string `validate:"required"`
	Age  int
	Veg  bool
}

func guests(g *Guest) form.FormsetOptions {
	return form.FormsetOptions{
		Min: 1, Max: 3, Extra: 2, CanDelete: true, Unique: [][]any{{&g.Name}},
		Clean: form.CleanAll(func(_ context.Context, rows []*Guest) error {
			if len(rows) == 2 && rows[0].Age+rows[1].Age < 18 {
				return validate.NewError("", "young", "Somebody must be grown up")
			}
			return nil
		}),
	}
}

func TestFormsetOfAStruct(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pairs  []string
		errors string
		names  string
	}{
		{[]string{"guests-TOTAL_FORMS", "2", "guests-0-name", "Ann", "guests-0-age", "30"}, "", "Ann"},
		{[]string{"guests-TOTAL_FORMS", "2", "guests-0-name", "Ann", "guests-0-age", "30", "guests-1-veg", "on"}, "guests-1-name: is required", ""},
		{[]string{"guests-TOTAL_FORMS", "2"}, "guests-0-name: is required", ""},
		{[]string{"guests-TOTAL_FORMS", "0"}, "Fill in at least 1 entry", ""},
		{[]string{"guests-TOTAL_FORMS", "4", "guests-0-name", "a", "guests-1-name", "b", "guests-2-name", "c", "guests-3-name", "d"}, "Send at most 3 entries", ""},
		{[]string{"guests-TOTAL_FORMS", "4", "guests-0-name", "a", "guests-1-name", "b", "guests-2-name", "c", "guests-3-name", "d", "guests-0-DELETE", "1"}, "", "b c d"},
		{[]string{"guests-TOTAL_FORMS", "2", "guests-0-name", "a", "guests-1-name", "a"}, "guests-1-name: is the same as in another entry", ""},
		{[]string{"guests-TOTAL_FORMS", "2", "guests-0-name", "a", "guests-1-name", "b"}, "Somebody must be grown up", ""},
		{[]string{"guests-TOTAL_FORMS", "1", "guests-0-name", "a", "guests-7-name", "b"}, "", "a"},
	} {
		plain(t).serve(post(tt.pairs...), func(c *retort.Ctx) {
			s := form.FormsetFor(c, guests)
			if s.Valid() != (tt.errors == "") {
				t.Errorf("%v: %v", tt.pairs, s.Errors())
			}
			if tt.errors != "" {
				if got := s.Errors().Error(); got != tt.errors {
					t.Errorf("%v: %s, want %s", tt.pairs, got, tt.errors)
				}
				return
			}
			var names []string
			for _, g := range s.Values() {
				names = append(names, g.Name)
			}
			if got := strings.Join(names, " "); got != tt.names {
				t.Errorf("%v: %s, want %s", tt.pairs, got, tt.names)
			}
		})
	}
	plain(t).serve(get(), func(c *retort.Ctx) {
		s := form.FormsetFor(c, guests).Rows(&Guest{Name: "Bob", Age: 3})
		if s.Submitted() || s.Valid() || len(s.Forms()) != 3 || s.Forms()[0].Value().Name != "Bob" || s.Status() != 200 {
			t.Error(len(s.Forms()))
		}
	})
	plain(t).serve(post("guests-TOTAL_FORMS", "1", "guests-0-name", "Bob", "guests-0-age", "3", "guests-0-DELETE", "on"), func(c *retort.Ctx) {
		bob := &Guest{Name: "Bob", Age: 3}
		s := form.FormsetFor(c, func(g *Guest) form.FormsetOptions {
			return form.FormsetOptions{CanDelete: true}
		}).Rows(bob)
		if !s.Valid() || len(s.Values()) != 0 || len(s.Deleted()) != 1 {
			t.Error(s.Errors(), s.Values())
		}
	})
}

func TestFormsetFromJSON(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := orders(t, kind)
		aa, bb := rowID(t, s.ctx, "aa"), rowID(t, s.ctx, "bb")
		body := fmt.Sprintf(`{"name": "one", "lines": [{"ID": %s, "text": "a1", "price": 9}, {"ID": %q, "DELETE": true}, {"text": "new", "price": 3, "tags": [1]}]}`, aa, bb)
		s.serve(jsonRequest(http.MethodPost, body), func(c *retort.Ctx) {
			f := form.For(c, func(o *Order) form.Options { return form.Options{Fields: form.Fields(&o.Name)} }).Instance(order(t, s.ctx, "one"))
			lines := form.InlineFor(c, f, lineForm)
			saved, err := form.SaveAll(c, f, lines)
			if err != nil || !saved || len(lines.Saved()) != 2 || len(lines.Deleted()) != 1 {
				t.Error(err, lines.Errors())
			}
		})
		if got := linesOf(t, s.ctx, "one"); got != "a1=9 new=3" {
			t.Error(got)
		}
	})
	for body, want := range map[string]string{
		`{"guests": {"a": 1}}`:     "The page sent its list incompletely. Load it again",
		`{"guests": [null, 1]}`:    "The page sent its list incompletely. Load it again",
		`{"guests": [{}]}`:         "guests-0-name: is required",
		`{"guests": [{"name":1}]}`: "guests-0-name: must be text",
	} {
		plain(t).serve(jsonRequest(http.MethodPost, body), func(c *retort.Ctx) {
			s := form.FormsetFor(c, guests)
			if s.Valid() || s.Errors().Error() != want {
				t.Error(body, s.Errors())
			}
		})
	}
}

func TestMistakesInFormsets(t *testing.T) {
	t.Parallel()
	s := orders(t, testdb.SQLite)
	bare := func(o *Order) form.Options { return form.Options{Fields: form.Fields(&o.Name)} }
	s.serve(get(), func(c *retort.Ctx) {
		for want, err := range map[string]error{
			"needs Options.Fields": form.FormsetFor(c, func(*Line) form.FormsetOptions { return form.FormsetOptions{} }).Err(),
			"is no whole number": form.FormsetFor(c, func(l *Line) form.FormsetOptions {
				o := lineForm(l)
				o.OrderBy = &l.Text
				return o
			}).Err(),
			"which is no foreign key to": form.InlineFor(c, form.For(c, bare), func(l *Line) form.FormsetOptions {
				o := lineForm(l)
				o.Parent = &l.Author
				return o
			}).Err(),
			"cannot be in its forms": form.InlineFor(c, form.For(c, bare), func(l *Line) form.FormsetOptions {
				return form.FormsetOptions{Form: form.Options{Fields: form.Fields(&l.Order)}}
			}).Err(),
			"has 0 foreign keys to": form.InlineFor(c, form.For(c, bare), func(a *Author) form.FormsetOptions {
				return form.FormsetOptions{Form: form.Options{Fields: form.Fields(&a.Name)}}
			}).Err(),
			"must both be models": form.InlineFor(c, form.For(c, bare), guests).Err(),
			"use Rows in place":   form.FormsetFor(c, guests).From(nil).Err(),
			"Min is 5 and Max 2":  form.FormsetFor(c, func(*Guest) form.FormsetOptions { return form.FormsetOptions{Min: 5, Max: 2} }).Err(),
			`the prefix "a b"`:    form.FormsetFor(c, func(*Guest) form.FormsetOptions { return form.FormsetOptions{Prefix: "a b"} }).Err(),
		} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		}
	})
	s.serve(post("guests-TOTAL_FORMS", "1", "guests-0-name", "a"), func(c *retort.Ctx) {
		if _, err := form.FormsetFor(c, guests).Save(c); err == nil || !strings.Contains(err.Error(), "is not a model") {
			t.Error(err)
		}
	})
}

// TestFormsetOverHTTP goes the way a browser goes: the inputs of the page are sent back.
func TestFormsetOverHTTP(t *testing.T) {
	t.Parallel()
	s := orders(t, testdb.SQLite)
	db, err := orm.DBFrom(s.ctx)
	must(t, err)
	app := retort.New(retort.Config{SecretKey: testKey})
	app.ExtendContext(func(ctx context.Context) context.Context { return orm.WithDB(ctx, db) })
	app.Methods([]string{"GET", "POST"}, "/", func(c *retort.Ctx) error {
		set := form.FormsetFor(c, lineForm).From(Lines.OrderBy(orm.Asc(&Lines.Fields().ID)))
		if saved, err := set.Save(c); err != nil || saved {
			return errOr(err, c.Redirect("/"))
		}
		return c.Status(set.Status()).RenderString(`<form {{ set.attrs }}>{{ set }}</form>`, map[string]any{"set": set})
	})
	client := retorttest.New(t, app)
	client.EnforceCSRF = true
	page := client.Get("/").Status(200)
	values := url.Values{}
	for _, name := range []string{
		"csrf_token", "lines-TOTAL_FORMS", "lines-INITIAL_FORMS", "lines-0-ID", "lines-0-text", "lines-0-price", "lines-1-ID", "lines-1-text", "lines-1-price",
		"lines-2-ID", "lines-2-text", "lines-2-price", "lines-3-text", "lines-3-price",
	} {
		values.Set(name, page.Field(name))
	}
	before := linesOf(t, s.ctx, "one") + linesOf(t, s.ctx, "two")
	client.PostForm("/", values).Status(303)
	if diff := cmp.Diff(before, linesOf(t, s.ctx, "one")+linesOf(t, s.ctx, "two")); diff != "" {
		t.Error("sending a page back changes something: ", diff)
	}
	values.Set("lines-0-text", "x")
	client.PostForm("/", values).Status(422).Contains(`<a href="#id_lines-0-text">Text must have at least 2 characters.</a>`, "autofocus")
}

func errOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
