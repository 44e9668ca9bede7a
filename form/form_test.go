package form_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

func TestTextBecomesValues(t *testing.T) {
	t.Parallel()
	day := func(y, m, d, h, min, s int) time.Time { return time.Date(y, time.Month(m), d, h, min, s, 0, time.UTC) }
	for _, tt := range []struct {
		name, text string
		get        func(e *Every) any
		want       any // a value, or the code of the error
	}{
		{"text", "  spaces around \t", func(e *Every) any { return e.Text }, "spaces around"},
		{"text", "two\r\nlines", nil, "single_line"},
		{"text", "bell\a", nil, "single_line"},
		{"text", "nul\x00", nil, "null_character"},
		{"text", "\xff\xfe", nil, "encoding"},
		{"area", " two\r\nlines\n", func(e *Every) any { return e.Area }, " two\nlines\n"},
		{"area", strings.Repeat("ä", 31), nil, "max_length"},
		{"area", strings.Repeat("ä\r\n", 15), func(e *Every) any { return e.Area }, strings.Repeat("ä\n", 15)},
		{"secret", " kept ", func(e *Every) any { return e.Secret }, " kept "},
		{"email", "a@b.example", func(e *Every) any { return e.Email }, "a@b.example"},
		{"email", "a@b", nil, "email"},
		{"link", "javascript:alert(1)", nil, "url"},
		{"link", "example.com/a?b=c", func(e *Every) any { return e.Link }, "https://example.com/a?b=c"},
		{"link", "example", nil, "url"},
		{"link", "//example.com", nil, "url"},
		{"color", "red", func(e *Every) any { return e.Color }, "red"},
		{"color", "blue", nil, "choice"},
		{"status", "live", func(e *Every) any { return e.Status }, Live},
		{"status", "LIVE", nil, "choice"},
		{"int", " 42 ", func(e *Every) any { return e.Int }, 42},
		{"int", "007", func(e *Every) any { return e.Int }, 7},
		{"int", "101", nil, "max"},
		{"int", "4.5", nil, "type"},
		{"int", "1e1", nil, "type"},
		{"int", "99999999999999999999", nil, "range"},
		{"tiny", "128", nil, "range"},
		{"tiny", "-128", func(e *Every) any { return e.Tiny }, int8(-128)},
		{"count", "-1", nil, "range"},
		{"count", "+5", func(e *Every) any { return e.Count }, uint16(5)},
		{"float", "1.5e3", func(e *Every) any { return e.Float }, 1500.0},
		{"float", "NaN", nil, "type"},
		{"float", "Inf", nil, "type"},
		{"float", "0x10", nil, "type"},
		{"float", "1e999", nil, "range"},
		{"ratio", "1e39", nil, "range"},
		{"bool", "on", func(e *Every) any { return e.Bool }, true},
		{"bool", "False", func(e *Every) any { return e.Bool }, false},
		{"bool", "maybe", nil, "type"},
		{"maybe", "false", func(e *Every) any { return *e.Maybe }, false},
		{"maybe", "", func(e *Every) any { return e.Maybe }, (*bool)(nil)},
		{"age", "30", func(e *Every) any { return *e.Age }, 30},
		{"age", " ", func(e *Every) any { return e.Age }, (*int)(nil)},
		{"when", "2026-01-31T10:20", func(e *Every) any { return e.When }, day(2026, 1, 31, 10, 20, 0)},
		{"when", "2026-01-31T10:20:30", func(e *Every) any { return e.When }, day(2026, 1, 31, 10, 20, 30)},
		{"when", "2026-02-30T10:20", nil, "type"},
		{"day", "2026-01-31", func(e *Every) any { return e.Day }, day(2026, 1, 31, 0, 0, 0)},
		{"day", "31.01.2026", nil, "type"},
		{"clock", "23:59", func(e *Every) any { return e.Clock }, day(0, 1, 1, 23, 59, 0)},
		{"clock", "24:00", nil, "type"},
		{"wait", "1h30m", func(e *Every) any { return e.Wait }, 90 * time.Minute},
		{"wait", "an hour", nil, "type"},
		{"words", "a, b,, a ,c", func(e *Every) any { return e.Words }, []string{"a", "b", "c"}},
		{"numbers", "1, 2", func(e *Every) any { return e.Numbers }, []int{1, 2}},
		{"numbers", "1, x", nil, "type"},
		{"colors", "blue", func(e *Every) any { return e.Colors }, []string{"blue"}},
		{"colors", "blue,red", nil, "choice"},
		{"token", "t", func(e *Every) any { return e.Token }, "t"},
	} {
		t.Run(tt.name+"="+tt.text, func(t *testing.T) {
			t.Parallel()
			plain(t).serve(post(tt.name, tt.text), func(c *retort.Ctx) {
				f := form.For[Every](c)
				if tt.get == nil {
					if f.Valid() || !f.Errors().Has(tt.name, tt.want.(string)) || len(f.Errors()) != 1 {
						t.Errorf("errors %v, want the code %v", f.Errors(), tt.want)
					}
					return
				}
				if !f.Valid() {
					t.Fatal(f.Errors(), f.Err())
				}
				if diff := cmp.Diff(tt.want, tt.get(f.Value())); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestOnlyTheFormsFieldsAreSet(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.serve(post("title", "New", "slug", "hacked", "id", "1", "created", "2000-01-01", "author", "2"), func(c *retort.Ctx) {
		f := form.For(c, func(p *Post) form.Options { return form.Options{Fields: form.Fields(&p.Title)} })
		if !f.Valid() {
			t.Fatal(f.Errors())
		}
		if v := f.Value(); v.Title != "New" || v.Slug != "" || v.ID != 0 || !v.Created.IsZero() || v.Author.ID != 0 {
			t.Errorf("%+v", v)
		}
	})
	plain(t).serve(post("internal", "x", "Internal", "x", "id", "7", "text", "t"), func(c *retort.Ctx) {
		f := form.For[Every](c)
		if !f.Valid() || f.Value().Internal != "" || f.Value().ID != 0 || f.Value().Text != "t" {
			t.Errorf("%+v %v", f.Value(), f.Errors())
		}
	})
}

func TestWhatIsNotSent(t *testing.T) {
	t.Parallel()
	type Settings struct {
		Name  string
		Email string `validate:"required,email"`
		News  bool
		Tags  []string `validate:"each,one_of=a|b"`
		Limit int
	}
	now := func() *Settings {
		return &Settings{Name: "n", Email: "a@b.example", News: true, Tags: []string{"a"}, Limit: 5}
	}
	for name, tt := range map[string]struct {
		r       *http.Request
		want    *Settings
		errors  string
		changed []string
	}{
		"a POST means nothing and false": {
			r: post("email", "a@b.example"), want: &Settings{Email: "a@b.example", Tags: []string{}},
			changed: []string{"name", "news", "tags", "limit"},
		},
		"bound input never falls back to the value before": {
			r: post("email", "", "name", "n"), errors: "email: is required",
			changed: []string{"email", "news", "tags", "limit"},
		},
		"a PATCH leaves it alone": {
			r: send(http.MethodPatch, "limit", "6"), want: &Settings{Name: "n", Email: "a@b.example", News: true, Tags: []string{"a"}, Limit: 6},
			changed: []string{"limit"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain(t).serve(tt.r, func(c *retort.Ctx) {
				row := now()
				f := form.For[Settings](c).Instance(row)
				valid := f.Valid()
				if tt.errors != "" && (valid || f.Errors().Error() != tt.errors) {
					t.Errorf("errors %v, want %s", f.Errors(), tt.errors)
				}
				if tt.want != nil {
					if diff := cmp.Diff(tt.want, f.Value()); diff != "" || !valid {
						t.Error(diff, f.Errors())
					}
				}
				if diff := cmp.Diff(tt.changed, f.Changed()); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(now(), row); diff != "" {
					t.Error("the instance changed: " + diff)
				}
			})
		})
	}
}

func TestAModelKeepsItsDefaultForWhatIsNotSent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	fields := func(p *Post) form.Options { return form.Options{Fields: form.Fields(&p.Status, &p.Stars)} }
	s.serve(post("x", ""), func(c *retort.Ctx) {
		f := form.For(c, fields)
		if !f.Valid() || f.Value().Status != Draft || f.Value().Stars != 3 {
			t.Errorf("%+v %v", f.Value(), f.Errors())
		}
	})
	s.serve(post("status", "", "stars", ""), func(c *retort.Ctx) {
		f := form.For(c, fields)
		if f.Valid() || f.Errors().Error() != "status: is required; stars: is required" {
			t.Error(f.Errors())
		}
	})
	s.serve(post("x", ""), func(c *retort.Ctx) {
		row, err := Posts.First(c)
		must(t, err)
		if f := form.For(c, fields).Instance(row); f.Valid() {
			t.Error("a row that is edited has no use for defaults")
		}
	})
}

func TestChanged(t *testing.T) {
	t.Parallel()
	type V struct {
		Text   string
		Number int
		Float  float64
		Bool   bool
		Age    *int
		When   time.Time
		List   []int
		Locked string
	}
	when := time.Date(2026, 1, 2, 3, 4, 0, 567, time.UTC)
	row := V{Text: "a", Number: 7, Float: 1.5, Bool: true, When: when, List: []int{1, 2}, Locked: "l"}
	same := []string{
		"text", "a", "number", "7", "float", "1.5", "bool", "true", "age", "", "when", "2026-01-02T03:04", "list", "1, 2", "locked", "forged",
	}
	for name, tt := range map[string]struct {
		set  []string
		want []string
	}{
		"nothing":                      {nil, nil},
		"none is the same as blank":    {[]string{"age", "  "}, nil},
		"another spelling is the same": {[]string{"number", "007", "float", "1.50", "bool", "on", "list", "2,1,1"}, nil},
		"a value":                      {[]string{"number", "8", "age", "1"}, []string{"number", "age"}},
		"what cannot be read":          {[]string{"number", "x", "when", "x", "list", "x"}, []string{"number", "when", "list"}},
		"a set":                        {[]string{"list", "1,2,3"}, []string{"list"}},
		"a bool that is left out":      {[]string{"bool", ""}, []string{"bool"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pairs := append([]string(nil), same...)
			for i := 0; i < len(tt.set); i += 2 {
				for j := 0; j < len(pairs); j += 2 {
					if pairs[j] == tt.set[i] {
						pairs[j+1] = tt.set[i+1]
					}
				}
			}
			plain(t).serve(post(pairs...), func(c *retort.Ctx) {
				f := form.For(c, func(v *V) form.Options { return form.Options{Disabled: form.Fields(&v.Locked)} })
				f.Instance(&row)
				if diff := cmp.Diff(tt.want, f.Changed()); diff != "" {
					t.Error(diff)
				}
				if f.Value().Locked != "l" {
					t.Error("a disabled field took input")
				}
				if !f.Value().When.Equal(when) && !strings.Contains(name, "read") {
					t.Error("a time that was not changed lost its fraction")
				}
			})
		})
	}
}

func TestRequired(t *testing.T) {
	t.Parallel()
	type V struct {
		Text   string   `validate:"required"`
		Number int      `validate:"required"`
		Agree  bool     `validate:"required"`
		Color  string   `validate:"required,one_of=a|b"`
		List   []string `validate:"required"`
		Area   string   `validate:"required" widget:"textarea"`
	}
	plain(t).serve(post("text", "  ", "area", " \n "), func(c *retort.Ctx) {
		f := form.For[V](c)
		f.Valid()
		want := "text: is required; number: is required; agree: is required; color: is required; list: is required; area: is required"
		if f.Errors().Error() != want {
			t.Error(f.Errors())
		}
	})
	plain(t).serve(post("text", "x", "number", "0", "agree", "on", "color", "a", "list", "x", "area", " x"), func(c *retort.Ctx) {
		f := form.For[V](c)
		if !f.Valid() {
			t.Error(f.Errors())
		}
	})
	plain(t).serve(post("text", "x", "agree", "false"), func(c *retort.Ctx) {
		f := form.For(c, func(v *V) form.Options {
			return form.Options{Fields: form.Fields(&v.Agree, &v.Text), Required: form.Fields(&v.Text)}
		})
		if f.Valid() || f.Errors().Error() != "agree: is required" {
			t.Error(f.Errors())
		}
	})
}

// Booking has rules about several fields.
type Booking struct {
	From, Until int
	Name        string `validate:"max=5"`
}

func (b *Booking) Validate(ctx context.Context) error {
	if ctx == nil {
		return errors.New("no context")
	}
	if b.From > b.Until {
		return validate.NewError("until", "order", "is before from")
	}
	return nil
}

func TestTheOrderOfChecks(t *testing.T) {
	t.Parallel()
	broken := errors.New("no connection")
	for name, tt := range map[string]struct {
		pairs  []string
		errors string
		err    error
		calls  string
	}{
		"all is right":                    {pairs: []string{"from", "1", "until", "2", "name", "ann"}, calls: "check clean"},
		"a field is wrong":                {pairs: []string{"from", "3", "until", "x", "name", "too long"}, errors: "until: must be a whole number; name: must have at most 5 characters"},
		"the check of a field":            {pairs: []string{"from", "3", "until", "1", "name", "root"}, errors: "name: is reserved", calls: "check"},
		"the check of a field cannot be":  {pairs: []string{"from", "3", "until", "1", "name", "down"}, err: broken, calls: "check"},
		"the struct's own":                {pairs: []string{"from", "3", "until", "1", "name", "ann"}, errors: "until: is before from", calls: "check"},
		"clean, a field and the whole":    {pairs: []string{"from", "9", "until", "9", "name", "ann"}, errors: "from: is too late; Sold out", calls: "check clean"},
		"clean, a field that is not here": {pairs: []string{"from", "8", "until", "9", "name", "ann"}, errors: "hotel: is closed", calls: "check clean"},
		"clean cannot be":                 {pairs: []string{"from", "7", "until", "9", "name", "ann"}, err: broken, calls: "check clean"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain(t).serve(post(tt.pairs...), func(c *retort.Ctx) {
				var calls []string
				f := form.For(c, func(b *Booking) form.Options {
					return form.Options{
						Check: form.Checks{&b.Name: form.Check(func(_ context.Context, name string) (string, error) {
							calls = append(calls, "check")
							switch name {
							case "root":
								return name, validate.NewError("", "reserved", "is reserved")
							case "down":
								return name, broken
							}
							return strings.ToUpper(name), nil
						})},
						Clean: form.Clean(func(_ context.Context, b *Booking) error {
							calls = append(calls, "clean")
							switch b.From {
							case 9:
								var e validate.Errors
								e.Add("from", "late", "is too late")
								e.Add("", "sold", "Sold out")
								return e
							case 8:
								return validate.NewError("hotel", "closed", "is closed")
							case 7:
								return broken
							}
							return nil
						}),
					}
				})
				valid := f.Valid()
				if !errors.Is(f.Err(), tt.err) || tt.errors != "" && f.Errors().Error() != tt.errors {
					t.Error(f.Errors(), f.Err())
				}
				if valid != (tt.errors == "" && tt.err == nil) || f.Valid() != valid {
					t.Error("valid", valid)
				}
				if valid && f.Value().Name != "ANN" {
					t.Error("the check's value is lost: ", f.Value().Name)
				}
				if got := strings.Join(calls, " "); got != tt.calls {
					t.Errorf("calls %q, want %q", got, tt.calls)
				}
			})
		})
	}
}

func TestAddError(t *testing.T) {
	t.Parallel()
	plain(t).serve(post("email", "a@b.example", "password", "longer than 8"), func(c *retort.Ctx) {
		f := form.For[Login](c)
		if !f.Submitted() || !f.Valid() || f.Status() != 200 {
			t.Fatal(f.Errors())
		}
		f.AddError(&f.Value().Email, "unknown_user", "is not known")
		f.AddError(nil, "locked", "Try again tomorrow")
		f.AddError(nil, "required", "")
		want := validate.Errors{
			{Field: "email", Code: "unknown_user", Message: "is not known"},
			{Code: "locked", Message: "Try again tomorrow"},
			{Code: "required", Message: "is required"},
		}
		if diff := cmp.Diff(want, f.Errors()); diff != "" {
			t.Error(diff)
		}
		if f.Valid() || f.Status() != 422 {
			t.Error("the form is still right")
		}
		if f.Field(&f.Value().Email).Errors()[0] != "Email is not known." || f.Field(nil) != nil {
			t.Error(f.Field(&f.Value().Email).Errors())
		}
		f.AddError(new(string), "x", "")
		if f.Err() == nil {
			t.Error("an error for a field that is not there is lost")
		}
	})
}

func TestSeveralFormsOnAPage(t *testing.T) {
	t.Parallel()
	type Vote struct{ Yes bool }
	options := func(prefix string) func(*Vote) form.Options {
		return func(*Vote) form.Options { return form.Options{Prefix: prefix} }
	}
	for name, tt := range map[string]struct {
		pairs []string
		a, b  bool
	}{
		"one":                       {[]string{"a-yes", "on"}, true, false},
		"the other, nothing ticked": {[]string{"b-submitted", "1"}, false, true},
		"none":                      {[]string{"yes", "on", "ab", "1"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain(t).serve(post(tt.pairs...), func(c *retort.Ctx) {
				a, b := form.For(c, options("a")), form.For(c, options("b"))
				if a.Submitted() != tt.a || a.Valid() != tt.a || b.Submitted() != tt.b || b.Valid() != tt.b {
					t.Error(a.Submitted(), b.Submitted())
				}
				if a.Value().Yes != tt.a || b.Value().Yes {
					t.Error("the forms are mixed up")
				}
			})
		})
	}
	plain(t).serve(get(), func(c *retort.Ctx) {
		html, err := form.For(c, options("a")).Render()
		must(t, err)
		for _, want := range []string{`name="a-submitted"`, `id="id_a-yes" name="a-yes"`, `for="id_a-yes"`} {
			if !strings.Contains(string(html), want) {
				t.Errorf("no %s in %s", want, html)
			}
		}
	})
}

func TestSearchFormReadsTheQuery(t *testing.T) {
	t.Parallel()
	type Search struct {
		Q    string `widget:"search"`
		Page int    `validate:"min=1"`
	}
	options := func(*Search) form.Options { return form.Options{Query: true} }
	plain(t).serve(httptest.NewRequest(http.MethodGet, "/?q=go+web&page=2", nil), func(c *retort.Ctx) {
		f := form.For(c, options)
		if !f.Submitted() || !f.Valid() || *f.Value() != (Search{"go web", 2}) {
			t.Error(f.Errors(), f.Value())
		}
		html, err := f.Render()
		must(t, err)
		if strings.Contains(string(html), "csrf") || !strings.Contains(string(html), `value="go web"`) {
			t.Error(html)
		}
	})
	plain(t).serve(httptest.NewRequest(http.MethodGet, "/?other=1", nil), func(c *retort.Ctx) {
		if form.For(c, options).Submitted() {
			t.Error("a page without a search is no search")
		}
	})
	plain(t).serve(post("q", "x"), func(c *retort.Ctx) {
		if form.For(c, options).Submitted() {
			t.Error("a form of the query takes no body")
		}
	})
}

func TestRequestsThatAreNoForm(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		contentType, body string
		status            int
	}{
		"XML":          {"application/xml", `<email/>`, 415},
		"broken JSON":  {"application/json", `{"email": `, 400},
		"deep JSON":    {"application/json", `{"email": ` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, 400},
		"broken":       {"application/x-www-form-urlencoded", "email=%zz", 400},
		"too many":     {"application/x-www-form-urlencoded", strings.Repeat("a=&", 2000), 413},
		"no multipart": {"multipart/form-data; boundary=x", "email", 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
			r.Header.Set("Content-Type", tt.contentType)
			plain(t).serve(r, func(c *retort.Ctx) {
				f := form.For[Login](c)
				if f.Valid() || retort.StatusOf(f.Err()) != tt.status {
					t.Errorf("status %d: %v", retort.StatusOf(f.Err()), f.Err())
				}
				if _, err := f.Render(); !errors.Is(err, f.Err()) {
					t.Error("the page hides the error: ", err)
				}
				if _, err := f.TemplateValue(); !errors.Is(err, f.Err()) {
					t.Error("a template hides the error: ", err)
				}
			})
		})
	}
}

func TestMistakesInOptions(t *testing.T) {
	t.Parallel()
	type Deep struct{ Inner struct{ A map[string]int } }
	type Bad struct {
		A string `widget:"slider"`
	}
	type Rule struct {
		A string `validate:"max=x"`
	}
	type Name struct {
		A string `form:"a b"`
	}
	type Twice struct {
		A string `form:"x"`
		B string `form:"x"`
	}
	type Unregistered struct {
		orm.Model
		Name string
	}
	var other Post
	post := func(change func(p *Post, o *form.Options)) func(c *retort.Ctx) error {
		return func(c *retort.Ctx) error {
			return form.For(c, func(p *Post) form.Options {
				o := form.Options{Fields: form.Fields(&p.Title, &p.Author)}
				change(p, &o)
				return o
			}).Err()
		}
	}
	plain(t).serve(get(), func(c *retort.Ctx) {
		f := form.For[Post](c)
		if f.AddError(&f.Value().Title, "x", ""); f.Valid() || f.Err() == nil {
			t.Error("a form that cannot be used can")
		}
	})
	for want, fn := range map[string]func(c *retort.Ctx) error{
		"a model's form needs Options.Fields": func(c *retort.Ctx) error { return form.For[Post](c).Err() },
		"not from its Fields()":               post(func(p *Post, o *form.Options) { o.Fields = form.Fields(&other.Title) }),
		"Fields lists Post.Title twice":       post(func(p *Post, o *form.Options) { o.Fields = form.Fields(&p.Title, &p.Title) }),
		"not by a string":                     post(func(p *Post, o *form.Options) { o.Fields = form.Fields("title") }),
		"Created is set by the program":       post(func(p *Post, o *form.Options) { o.Fields = form.Fields(&p.Created) }),
		"which Fields does not list":          post(func(p *Post, o *form.Options) { o.Labels = form.Texts{&p.Slug: "x"} }),
		"does not refer to rows of Tag":       post(func(p *Post, o *form.Options) { o.From = form.Sources{&p.Author: form.Rows(Tags)} }),
		"takes no Choices":                    post(func(p *Post, o *form.Options) { o.From = form.Sources{&p.Author: form.Choices{}} }),
		"the Check of Post.Title is for int": post(func(p *Post, o *form.Options) {
			o.Check = form.Checks{&p.Title: form.Check(func(_ context.Context, n int) (int, error) { return n, nil })}
		}),
		"Clean is for form_test.Tag": post(func(p *Post, o *form.Options) {
			o.Clean = form.Clean(func(context.Context, *Tag) error { return nil })
		}),
		`the prefix "a b"`:                post(func(p *Post, o *form.Options) { o.Prefix = "a b" }),
		"for which there is no input":     func(c *retort.Ctx) error { return form.For[Deep](c).Err() },
		"known: checkbox, checkboxes":     func(c *retort.Ctx) error { return form.For[Bad](c).Err() },
		"whole number from 0 up":          func(c *retort.Ctx) error { return form.For[Rule](c).Err() },
		`called "a b" in the form`:        func(c *retort.Ctx) error { return form.For[Name](c).Err() },
		"Twice.A and Twice.B are both":    func(c *retort.Ctx) error { return form.For[Twice](c).Err() },
		"embeds orm.Model and is not":     func(c *retort.Ctx) error { return form.For[Unregistered](c).Err() },
		"string is not a struct":          func(c *retort.Ctx) error { return form.For[string](c).Err() },
		"one options function is enough":  func(c *retort.Ctx) error { return form.For(c, postForm, postForm).Err() },
		"is called with nil, or too late": func(c *retort.Ctx) error { return form.For(c, postForm).Instance(nil).Err() },
	} {
		plain(t).serve(get(), func(c *retort.Ctx) {
			if err := fn(c); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "form: ") {
				t.Errorf("%q is not in: %v", want, err)
			}
		})
	}
}

func TestFieldsOfEmbeddedStructsAndTypesOfOnesOwn(t *testing.T) {
	t.Parallel()
	plain(t).serve(post("street", "Main", "level", "high", "name", "n"), func(c *retort.Ctx) {
		f := form.For[Contact](c)
		if !f.Valid() || f.Value().Street != "Main" || f.Value().Level != 2 {
			t.Errorf("%+v %v %v", f.Value(), f.Errors(), f.Err())
		}
	})
	plain(t).serve(post("level", "sideways"), func(c *retort.Ctx) {
		f := form.For[Contact](c)
		if f.Valid() || !f.Errors().Has("level", "invalid") {
			t.Error(f.Errors())
		}
	})
}

type Address struct{ Street string }

type Contact struct {
	Address
	Name  string
	Level Level
}

// Level reads itself from text.
type Level int

func (l Level) MarshalText() ([]byte, error) {
	return fmt.Append(nil, []string{"none", "low", "high"}[l]), nil
}

func (l *Level) UnmarshalText(b []byte) error {
	for i, name := range []string{"none", "low", "high"} {
		if name == string(b) {
			*l = Level(i)
			return nil
		}
	}
	return errors.New("no level")
}

func TestOptionsMayDependOnTheRequest(t *testing.T) {
	t.Parallel()
	for _, label := range []string{"first", "second"} {
		plain(t).serve(get(), func(c *retort.Ctx) {
			f := form.For(c, func(l *Login) form.Options {
				return form.Options{Labels: form.Texts{&l.Email: label}, Help: form.Texts{&l.Email: "help " + label}}
			})
			if field := f.Field(&f.Value().Email); field.Label() != label || field.Help() != "help "+label {
				t.Error("the options of another request are used")
			}
		})
	}
}

func TestEveryWidgetHasAnImplementation(t *testing.T) {
	t.Parallel()
	for _, w := range []form.Widget{
		form.Text{},
		form.Email{},
		form.URL{},
		form.Search{},
		form.Tel{},
		form.Password{},
		form.Textarea{},
		form.Number{},
		form.Date{},
		form.Time{},
		form.DateTime{},
		form.Checkbox{},
		form.Hidden{},
		form.File{},
		form.Select{},
		form.Radio{},
		form.CheckboxList{},
		form.Color{},
		form.Range{},
		form.Month{},
		form.Week{},
		form.SplitDateTime{},
		form.SelectDate{},
		form.JSON{},
		form.Key{},
		form.Suggest{URL: "/x"},
	} {
		plain(t).serve(get(), func(c *retort.Ctx) {
			f := form.For(c, func(l *Login) form.Options { return form.Options{Widgets: form.Widgets{&l.Next: w}} })
			html, err := f.Render()
			if err != nil || !strings.Contains(string(html), "id_next") {
				t.Errorf("%s: %v %s", reflect.TypeOf(w), err, html)
			}
		})
	}
}
