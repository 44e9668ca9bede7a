package form_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/validate"
)

// Picked has the rarer kinds of fields.
type Picked struct {
	Tint   string    `widget:"color"`
	Volume int       `widget:"range" validate:"min=0,max=10"`
	Month  time.Time `widget:"month"`
	Week   time.Time `widget:"week"`
	Period string    `widget:"month"`
	Start  time.Time `widget:"split"`
	Born   orm.Date  `widget:"select-date"`
	Day    orm.Date
	Clock  orm.TimeOfDay
	Weekly orm.Date `widget:"week"`
	Price  Decimal
	ID     uuid.UUID
	Addr   netip.Addr
	Extra  json.RawMessage
	Words  map[string]int `widget:"json"`
	Phone  string         `widget:"tel" autocomplete:"tel"`
	List   string         `validate:"int_list"`
	Home   Place
}

// Decimal stands for such types of other packages.
type Decimal struct{ text string }

func (d Decimal) MarshalText() ([]byte, error) { return []byte(d.text), nil }

func (d *Decimal) UnmarshalText(b []byte) error {
	d.text = string(b)
	_, err := strconv.ParseFloat(d.text, 64)
	return err
}

type Place struct {
	Street string
	Zip    string `validate:"pattern=^[0-9]{5}$"`
}

func (p *Place) Validate() error {
	if p.Street == "" && p.Zip != "" {
		return validate.NewError("street", "required", "")
	}
	return nil
}

func TestRarerKinds(t *testing.T) {
	t.Parallel()
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	for _, tt := range []struct {
		pairs []string
		get   func(p *Picked) any
		want  any // a value, or "field code"
	}{
		{[]string{"tint", "#1a2B3c"}, func(p *Picked) any { return p.Tint }, "#1a2B3c"},
		{[]string{"tint", "red"}, nil, "tint type"},
		{[]string{"tint", "#1a2b3c;x"}, nil, "tint type"},
		{[]string{"volume", "11"}, nil, "volume max"},
		{[]string{"month", "2026-05"}, func(p *Picked) any { return p.Month }, day(2026, 5, 1)},
		{[]string{"month", "2026-13"}, nil, "month type"},
		{[]string{"month", "2026-05-07"}, nil, "month type"},
		{[]string{"week", "2026-W05"}, func(p *Picked) any { return p.Week }, day(2026, 1, 26)},
		{[]string{"week", "2021-W01"}, func(p *Picked) any { return p.Week }, day(2021, 1, 4)},
		{[]string{"week", "2020-W53"}, func(p *Picked) any { return p.Week }, day(2020, 12, 28)},
		{[]string{"week", "2021-W53"}, nil, "week type"},
		{[]string{"week", "2021-W00"}, nil, "week type"},
		{[]string{"weekly", "2026-W05"}, func(p *Picked) any { return p.Weekly.String() }, "2026-01-26"},
		{[]string{"period", "2026-05"}, func(p *Picked) any { return p.Period }, "2026-05"},
		{[]string{"period", "May"}, nil, "period type"},
		{[]string{"start_date", "2026-05-07", "start_time", "08:09"}, func(p *Picked) any { return p.Start }, day(2026, 5, 7).Add(8*time.Hour + 9*time.Minute)},
		{[]string{"start_date", "2026-05-07", "start_time", ""}, nil, "start type"},
		{[]string{"start_date", "", "start_time", ""}, func(p *Picked) any { return p.Start }, time.Time{}},
		{[]string{"born_year", "1999", "born_month", "2", "born_day", "3"}, func(p *Picked) any { return p.Born.String() }, "1999-02-03"},
		{[]string{"born_year", "1999", "born_month", "2", "born_day", "30"}, nil, "born type"},
		{[]string{"born_year", "1999", "born_month", "", "born_day", "3"}, nil, "born type"},
		{[]string{"born_year", strings.Repeat("9", 300), "born_month", "1", "born_day", "1"}, nil, "born type"},
		{[]string{"day", "2026-01-31"}, func(p *Picked) any { return p.Day.String() }, "2026-01-31"},
		{[]string{"day", "31.1.2026"}, nil, "day type"},
		{[]string{"clock", "23:59"}, func(p *Picked) any { return p.Clock.SinceMidnight() }, 24*time.Hour - time.Minute},
		{[]string{"clock", "25:00"}, nil, "clock type"},
		{[]string{"price", "12.50"}, func(p *Picked) any { return p.Price.text }, "12.50"},
		{[]string{"price", "twelve"}, nil, "price invalid"},
		{[]string{"id", "018f2f6c-7a1e-7c3b-9d51-0a1b2c3d4e5f"}, func(p *Picked) any { return p.ID.String() }, "018f2f6c-7a1e-7c3b-9d51-0a1b2c3d4e5f"},
		{[]string{"id", "x"}, nil, "id invalid"},
		{[]string{"addr", "::1"}, func(p *Picked) any { return p.Addr.String() }, "::1"},
		{[]string{"addr", "1.2.3"}, nil, "addr invalid"},
		{[]string{"extra", `{"a":[1]}`}, func(p *Picked) any { return string(p.Extra) }, `{"a":[1]}`},
		{[]string{"extra", `{"a"`}, nil, "extra type"},
		{[]string{"words", `{"a":1}`}, func(p *Picked) any { return p.Words["a"] }, 1},
		{[]string{"words", `{"a":"b"}`}, nil, "words type"},
		{[]string{"list", "1, 2"}, func(p *Picked) any { return p.List }, "1, 2"},
		{[]string{"list", "1,x"}, nil, "list int_list"},
		{[]string{"home.street", "Main", "home.zip", "12345"}, func(p *Picked) any { return p.Home }, Place{"Main", "12345"}},
		{[]string{"home.street", "Main", "home.zip", "x"}, nil, "home.zip pattern"},
		{[]string{"home.zip", "12345"}, nil, "home.street required"},
	} {
		t.Run(strings.Join(tt.pairs, "="), func(t *testing.T) {
			t.Parallel()
			plain(t).serve(post(tt.pairs...), func(c *retort.Ctx) {
				f := form.For[Picked](c)
				page, err := f.Render()
				must(t, err)
				if tt.get == nil {
					field, code, _ := strings.Cut(tt.want.(string), " ")
					if f.Valid() || !f.Errors().Has(field, code) || len(f.Errors()) != 1 {
						t.Errorf("errors %v, want %v", f.Errors(), tt.want)
					}
					return
				}
				if !f.Valid() {
					t.Fatal(f.Errors(), f.Err())
				}
				if diff := cmp.Diff(tt.want, tt.get(f.Value())); diff != "" {
					t.Error(diff)
				}
				// What is saved is shown again so that sending it changes nothing.
				again := form.For[Picked](c).Instance(f.Value())
				if again.Valid(); len(again.Changed()) > 0 {
					t.Error(again.Changed(), page)
				}
			})
		})
	}
}

func TestRarerInputs(t *testing.T) {
	t.Parallel()
	row := &Picked{Born: orm.NewDate(1850, 2, 3), Start: time.Date(2026, 5, 7, 8, 9, 10, 0, time.UTC)}
	plain(t).serve(get(), func(c *retort.Ctx) {
		page, err := form.For(c, func(p *Picked) form.Options {
			return form.Options{
				Widgets: form.Widgets{&p.Day: form.Date{Min: "2026-01-01", Max: "2026-12-31"}},
				From:    form.Sources{&p.Period: form.Groups{{"Spring", form.Choices{{Value: "2026-04", Label: "April"}}}, {"", form.Choices{{Value: "2026-07"}}}}},
			}
		}).Instance(row).Render()
		must(t, err)
		for _, want := range []string{
			`<input type="color" id="id_tint" name="tint">`,
			`<input type="range" min="0" max="10" id="id_volume" name="volume" value="0">`,
			`<fieldset class="field splitdatetime" id="id_start">`,
			`<legend>Start</legend>`,
			`<label>Date <input type="date" value="2026-05-07" id="id_start_date" name="start_date"></label>`,
			`<input type="time" value="08:09:10" step="1" id="id_start_time" name="start_time">`,
			`<select id="id_born_year" name="born_year"><option value=""></option><option value="1850" selected>1850</option>`,
			`<option value="2" selected>February</option>`,
			`<input type="date" min="2026-01-01" max="2026-12-31" id="id_day" name="day">`,
			`<input type="time" id="id_clock" name="clock"`,
			`<input type="tel" id="id_phone" name="phone" autocomplete="tel">`,
			`<textarea rows="6" id="id_words" name="words">`,
			`<label for="id_home.street">Home street</label>`,
		} {
			if !strings.Contains(string(page), want) {
				t.Errorf("no %s in\n%s", want, page)
			}
		}
	})
	plain(t).serve(post("day", "2027-01-01"), func(c *retort.Ctx) {
		f := form.For(c, func(p *Picked) form.Options {
			return form.Options{
				Fields:  form.Fields(&p.Day, &p.Period),
				Widgets: form.Widgets{&p.Day: form.Date{Min: "2026-01-01", Max: "2026-12-31"}, &p.Period: form.Select{}},
				From:    form.Sources{&p.Period: form.Groups{{"Spring", form.Choices{{Value: "2026-04", Label: "April"}}}, {"", form.Choices{{Value: "2026-07"}}}}},
			}
		})
		if f.Valid() || !f.HasError(&f.Value().Day, "max") || f.HasError(&f.Value().Day, "min") || f.HasError(nil, "") {
			t.Error(f.Errors())
		}
		page, err := f.Render()
		must(t, err)
		want := `<option value="">---------</option><optgroup label="Spring"><option value="2026-04">April</option></optgroup><option value="2026-07">2026-07</option></select>`
		if !strings.Contains(string(page), want) {
			t.Error(string(page))
		}
	})
}

func jsonRequest(method, body string) *http.Request {
	r := httptest.NewRequest(method, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	return r
}

func TestJSONBody(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"int": 5, "text": "t", "bool": true, "words": ["a,b", "c"], "maybe": null, "when": "2026-01-31T10:20:30Z", "float": 1.5}`: "",
		`{"int": "5", "age": 7}`: "",
		`{"int": "x"}`:           "int type",
		`{"int": 5.5}`:           "int type",
		`{"int": 1e400}`:         "int type",
		`{"int": [1]}`:           "int type",
		`{"text": 5}`:            "text type",
		`{"text": {"a": 1}}`:     "text type",
		`{"bool": 1}`:            "bool type",
		`{"bool": "on"}`:         "",
		`{"words": "a"}`:         "words type",
		`{"words": [["a"]]}`:     "words type",
		`{"words": [null]}`:      "words type",
		`{"colors": ["blue"]}`:   "",
		`{"colors": ["pink"]}`:   "colors choice",
		`{"upload": "x"}`:        "upload type",
		`{"upload": null}`:       "",
		`{"internal": "x", "ID": 7, "Internal": "x"}`: "",
		`null`: "",
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			plain(t).serve(jsonRequest(http.MethodPost, body), func(c *retort.Ctx) {
				f := form.For[Every](c)
				if !f.Submitted() || f.Err() != nil {
					t.Fatal(f.Err())
				}
				_, err := f.Render()
				must(t, err)
				if want == "" {
					if !f.Valid() || f.Value().Internal != "" || f.Value().ID != 0 {
						t.Errorf("%v %+v", f.Errors(), f.Value())
					}
					return
				}
				field, code, _ := strings.Cut(want, " ")
				if f.Valid() || !f.Errors().Has(field, code) {
					t.Errorf("%v, want %s", f.Errors(), want)
				}
			})
		})
	}
	plain(t).serve(jsonRequest(http.MethodPost, `{"words": ["a,b", "c"], "int": 5}`), func(c *retort.Ctx) {
		f := form.For[Every](c)
		if !f.Valid() || len(f.Value().Words) != 2 || f.Value().Words[0] != "a,b" || f.Value().Int != 5 {
			t.Errorf("%+v %v", f.Value(), f.Errors())
		}
	})
	plain(t).serve(jsonRequest(http.MethodPatch, `{"int": 6}`), func(c *retort.Ctx) {
		f := form.For[Every](c).Instance(&Every{Text: "kept", Bool: true})
		if !f.Valid() || f.Value().Text != "kept" || !f.Value().Bool || f.Value().Int != 6 {
			t.Errorf("%+v %v", f.Value(), f.Errors())
		}
	})
	plain(t).serve(jsonRequest(http.MethodPost, `{"home": {"street": "Main"}}`), func(c *retort.Ctx) {
		f := form.For[Picked](c)
		if !f.Valid() || f.Value().Home.Street != "Main" {
			t.Errorf("%+v %v", f.Value(), f.Errors())
		}
	})
	plain(t).serve(jsonRequest(http.MethodPost, `{"a": {"email": "a@b.example", "password": "12345678"}, "email": "x"}`), func(c *retort.Ctx) {
		a := form.For(c, func(*Login) form.Options { return form.Options{Prefix: "a"} })
		b := form.For(c, func(*Login) form.Options { return form.Options{Prefix: "b"} })
		if !a.Valid() || a.Value().Email != "a@b.example" || b.Submitted() {
			t.Error(a.Errors(), b.Submitted())
		}
	})
}

func TestJSONSavesRelations(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	body := `{"title": "J", "slug": "j", "status": "live", "stars": 4, "year": 2026, "number": 9, "author": 2, "tags": [1, "3"], "pinned": true}`
	s.serve(jsonRequest(http.MethodPost, body), func(c *retort.Ctx) {
		f := form.For(c, postForm)
		saved, err := f.Save(c)
		if !saved || err != nil {
			t.Fatal(err, f.Errors())
		}
		if v := f.Value(); v.Author.ID != 2 || v.Year != 2026 || tagNames(t, s.ctx, v) != "go <b>" && tagNames(t, s.ctx, v) != "<b> go" {
			t.Errorf("%+v %s", v, tagNames(t, s.ctx, v))
		}
	})
	s.serve(jsonRequest(http.MethodPost, `{"author": 99, "tags": [{}]}`), func(c *retort.Ctx) {
		f := form.For(c, postForm)
		if f.Valid() || !f.Errors().Has("author", "choice") || !f.Errors().Has("tags", "type") {
			t.Error(f.Errors())
		}
	})
}

func TestKeysAndSuggestions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.app.Get("/suggest", form.Suggestions(Authors.OrderBy(orm.Asc(&Authors.Fields().Name)), func(a *Author) []any { return form.Fields(&a.Name) }))
	options := func(p *Post) form.Options {
		return form.Options{
			Fields:  form.Fields(&p.Author, &p.Tags),
			Widgets: form.Widgets{&p.Author: form.Suggest{URL: "/suggest"}, &p.Tags: form.Key{}},
		}
	}
	s.serve(post("author", "2", "tags", "1, 3"), func(c *retort.Ctx) {
		f := form.For(c, options)
		page, err := f.Render()
		must(t, err)
		for _, want := range []string{
			`<input type="text" data-suggest="/suggest" list="id_author_list" autocomplete="off" placeholder="Key" id="id_author" name="author" required value="2">`,
			`<p class="chosen" id="id_author_chosen">adam</p>`, `value="1, 3"`,
		} {
			if !strings.Contains(string(page), want) {
				t.Errorf("no %s in\n%s", want, page)
			}
		}
		if !f.Valid() || f.Value().Author.ID != 2 {
			t.Error(f.Errors())
		}
	})
	client := retorttest.New(t, s.app)
	var found []struct{ Value, Label string }
	client.Get("/suggest?q=AD").Status(200).JSON(&found)
	if len(found) != 1 || found[0].Value != "2" || found[0].Label != "adam" {
		t.Error(found)
	}
	client.Get("/suggest").Status(200).Contains("adam")
	client.Get("/suggest?q=%25").Status(200).Lacks("adam")
	client.Get("/suggest?q=%00").Status(400)
	client.Get("/suggest?q=%ff").Status(400)
}

// german is a little of a language.
type german struct{}

func (german) Language() string { return "de" }

func (german) Text(_ context.Context, text, other string, n int) string {
	switch {
	case text == "is required":
		return "ist erforderlich"
	case text == "must have at least {min} character" && n == 1:
		return "braucht mindestens ein Zeichen"
	case other == "must have at least {min} characters":
		return "braucht mindestens {min} Zeichen"
	case text == "As on your card":
		return "Wie auf der Karte"
	case text == "Please correct what is marked.":
		return "Bitte berichtigen."
	}
	return text
}

func (german) Parse(_ context.Context, kind, text string) (string, bool) {
	if kind != "number" {
		return "", false
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, ".", ""), ",", "."), true
}

func (german) Format(_ context.Context, kind, plain string) string {
	return strings.ReplaceAll(plain, ".", ",")
}

func TestLocale(t *testing.T) {
	t.Parallel()
	options := func(p *Profile) form.Options {
		return form.Options{Widgets: form.Widgets{&p.Height: form.Text{}}}
	}
	plain(t).serve(post("name", "x", "height", "1.234,5"), func(c *retort.Ctx) {
		c = c.WithContext(form.WithLocale(c, german{}))
		f := form.For(c, options)
		if f.Valid() {
			t.Fatal("valid")
		}
		page, err := f.Render()
		must(t, err)
		for _, want := range []string{"Name braucht mindestens 2 Zeichen.", "Agree ist erforderlich.", "Wie auf der Karte", "Bitte berichtigen.", `value="1.234,5"`} {
			if !strings.Contains(string(page), want) {
				t.Errorf("no %s in\n%s", want, page)
			}
		}
		if f.HasError(&f.Value().Height, "") || f.Value().Height != 1234.5 {
			t.Error(f.Value().Height, f.Errors())
		}
		again := form.For(c.WithContext(c), options).Instance(f.Value())
		if got := again.Field(&again.Value().Height).Changed(); got {
			t.Error("changed")
		}
	})
	plain(t).serve(get(), func(c *retort.Ctx) {
		c = c.WithContext(form.WithLocale(c, german{}))
		f := form.For(c, options).Instance(&Profile{Height: 1.5})
		if got := f.Field(&f.Value().Height).Value(); got != "1,5" {
			t.Error(got)
		}
	})
}

func TestPaths(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"reports/a.csv": {}, "reports/b.csv": {}, "reports/c.txt": {}, "secret.csv": {}}
	options := func(p *Picked) form.Options {
		return form.Options{Fields: form.Fields(&p.Phone), From: form.Sources{&p.Phone: form.Paths(files, "reports/*.csv")}, Widgets: form.Widgets{&p.Phone: form.Select{}}}
	}
	for path, want := range map[string]bool{"reports/a.csv": true, "reports/c.txt": false, "secret.csv": false, "reports/../secret.csv": false} {
		plain(t).serve(post("phone", path), func(c *retort.Ctx) {
			if f := form.For(c, options); f.Valid() != want {
				t.Error(path, f.Errors())
			}
		})
	}
	if got := form.Paths(files, "["); got != nil {
		t.Error(got)
	}
}

// Priced has a number with a bounded number of digits.
type Priced struct {
	orm.Model
	Amount string `orm:"type=decimal,size=6,scale=2"`
	Small  int16  `orm:"default=0"`
}

var Priceds = orm.Register[Priced]()

func TestDecimalsOfModels(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := &site{t, nil, kind.Context(t)}
		options := func(p *Priced) form.Options { return form.Options{Fields: form.Fields(&p.Amount, &p.Small)} }
		s.serve(get(), func(c *retort.Ctx) {
			page, err := form.For(c, options).Render()
			must(t, err)
			if !strings.Contains(string(page), `<input type="number" step="0.01" id="id_amount" name="amount" required>`) {
				t.Error(page)
			}
		})
		for text, want := range map[string]string{
			"1234.56": "", "-0.5": "", "+7": "", "0001234.50": "", "12345.6": "digits", "1.234": "digits", "x": "type", "1e3": "type", ".": "type", "--1": "type", "1,5": "type", "NaN": "type", "1.": "type",
		} {
			s.serve(post("amount", text), func(c *retort.Ctx) {
				f := form.For(c, options)
				saved, err := f.Save(c)
				must(t, err)
				if saved != (want == "") || want != "" && !f.HasError(&f.Value().Amount, want) {
					t.Errorf("%q: %v %v", text, saved, f.Errors())
				}
			})
		}
		s.serve(post("amount", "1", "small", "40000"), func(c *retort.Ctx) {
			if f := form.For(c, options); f.Valid() || !f.HasError(&f.Value().Small, "range") {
				t.Error(f.Errors())
			}
		})
	})
}
