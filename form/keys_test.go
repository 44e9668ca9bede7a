package form_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
)

// Country and Parcel have keys that the database does not make.
type Country struct {
	Code string `orm:"pk,size=2"`
	Name string `orm:"size=40"`
}

func (c *Country) String() string { return c.Name }

type Parcel struct {
	ID    uuid.UUID `orm:"pk"`
	To    orm.ForeignKey[Country, string]
	State *Status `orm:"size=10"`
	Via   orm.ManyToMany[Country]
}

var (
	Countries = orm.Register[Country]()
	Parcels   = orm.Register[Parcel]()
)

func TestKeysOfOtherTypes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	must(t, Countries.Insert(s.ctx, &Country{"fr", "France"}, &Country{"pe", "Peru"}))
	options := func(p *Parcel) form.Options {
		return form.Options{Fields: form.Fields(&p.To, &p.State, &p.Via)}
	}
	s.serve(get(), func(c *retort.Ctx) {
		f := form.For(c, options)
		_, err := f.Render()
		must(t, err)
		if got := f.Field(&f.Value().To).Options(); len(got) != 2 || got[1] != (form.Option{Value: "pe", Label: "Peru"}) {
			t.Error(got)
		}
		if got := f.Field(&f.Value().State).Options(); len(got) != 2 || got[0].Value != "draft" {
			t.Error("a nullable field has lost the choices of its type: ", got)
		}
	})
	s.serve(post("to", "xx", "state", "lost"), func(c *retort.Ctx) {
		f := form.For(c, options)
		if f.Valid() || f.Errors().Error() != "to: is not one of the choices; state: is not one of the choices" {
			t.Error(f.Errors())
		}
	})
	var id uuid.UUID
	// The row has its key before it is saved.
	s.serve(post("to", "pe", "via", "fr", "state", "live"), func(c *retort.Ctx) {
		f := form.For(c, options).Instance(Parcels.New())
		saved, err := f.Save(c)
		if !saved || err != nil {
			t.Fatal(saved, err, f.Errors())
		}
		id = f.Value().ID
	})
	s.serve(post("to", "fr", "via", "fr", "via", "pe", "state", ""), func(c *retort.Ctx) {
		row, err := Parcels.Get(c)
		must(t, err)
		f := form.For(c, options).Instance(row)
		if saved, err := f.Save(c); !saved || err != nil || f.Value().ID != id {
			t.Fatal(saved, err, f.Errors())
		}
	})
	row, err := Parcels.With(&Parcels.Fields().Via).Get(s.ctx)
	must(t, err)
	if via, err := row.Via.Get(); err != nil || len(via) != 2 || row.To.ID != "fr" || row.State != nil {
		t.Errorf("%+v %v %v", row, via, err)
	}
}

// Clash has fields called like what a template asks of a form.
type Clash struct{ Errors, Fields string }

func TestFieldsCalledLikePartsOfTheForm(t *testing.T) {
	t.Parallel()
	plain(t).serve(get(), func(c *retort.Ctx) {
		must(t, c.RenderString(`{{ form["errors"].id }} {{ form.errors|length }}`, map[string]any{"form": form.For[Clash](c)}))
		if got := string(c.ResponseBody()); got != "id_errors 0" {
			t.Error(got)
		}
	})
}

func TestAttrsOfTheOptions(t *testing.T) {
	t.Parallel()
	plain(t).serve(get(), func(c *retort.Ctx) {
		f := form.For(c, func(l *Login) form.Options {
			return form.Options{Attrs: form.Attrs{&l.Email: {"autocomplete", "email"}}}
		})
		got, _ := f.Field(&f.Value().Email).TemplateAttr("input")
		if want := `<input type="email" id="id_email" name="email" required autocomplete="email">`; textOf(got) != want {
			t.Error(got)
		}
	})
	plain(t).serve(get(), func(c *retort.Ctx) {
		f := form.For(c, func(l *Login) form.Options {
			return form.Options{Attrs: form.Attrs{&l.Email: {"on load"}}}
		})
		if f.Err() == nil {
			t.Error("half a pair is accepted")
		}
	})
}

// Fixed has fields that no form may set, and some of rarer types.
type Fixed struct {
	orm.Model
	Key   string `orm:"size=9,editable=false"`
	Parts orm.HasMany[Part]
	Extra map[string]int `orm:"json,blank"`
	Maybe sql.NullString
	Level int `orm:"choices=1:Low|2:High"`
}

func (Fixed) Meta(f *Fixed) orm.Meta { return orm.Meta{OrderBy: orm.By(orm.Desc(&f.ID))} }

func (f *Fixed) String() string { return fmt.Sprint("fixed ", f.ID) }

type Part struct {
	orm.Model
	Of orm.FK[Fixed]
}

var (
	Fixeds = orm.Register[Fixed]()
	_      = orm.Register[Part]()
)

func TestFieldsThatNoFormMaySet(t *testing.T) {
	t.Parallel()
	plain(t).serve(get(), func(c *retort.Ctx) {
		p := Fixeds.Fields()
		for _, field := range []any{&p.ID, &p.Key, &p.Parts} {
			f := form.For(c, func(*Fixed) form.Options { return form.Options{Fields: form.Fields(field)} })
			if err := f.Err(); err == nil || !strings.Contains(err.Error(), "cannot be in a form") {
				t.Error(err)
			}
		}
	})
}

func TestRarerTypes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	options := func(p *Fixed) form.Options {
		return form.Options{Fields: form.Fields(&p.Extra, &p.Maybe, &p.Level)}
	}
	s.serve(post("extra", ` {"b": 1} `, "maybe", "x", "level", "2"), func(c *retort.Ctx) {
		f := form.For(c, options)
		saved, err := f.Save(c)
		if v := f.Value(); !saved || err != nil || v.Extra["b"] != 1 || v.Maybe.String != "x" || !v.Maybe.Valid || v.Level != 2 {
			t.Errorf("%v %v %v %+v", saved, err, f.Errors(), f.Value())
		}
	})
	s.serve(get(), func(c *retort.Ctx) {
		row, err := Fixeds.Get(c)
		must(t, err)
		page, err := form.For(c, options).Instance(row).Render()
		must(t, err)
		for _, want := range []string{"{\n  &#34;b&#34;: 1\n}</textarea>", `name="maybe" value="x"`, `<option value="2" selected>High`} {
			if !strings.Contains(string(page), want) {
				t.Errorf("no %s in\n%s", want, page)
			}
		}
	})
	for pairs, want := range map[[2]string]string{
		{"extra", "{"}:           "type",
		{"extra", `{"b": "x"}`}:  "type",
		{"level", "3"}:           "choice",
		{"level", "low"}:         "type",
		{"maybe", "a\u0000b"}:    "null_character",
		{"extra", "[[[[[[[[[[["}: "type",
	} {
		s.serve(post(pairs[0], pairs[1], "level", "1"), func(c *retort.Ctx) {
			f := form.For(c, options)
			if f.Valid() || !f.Errors().Has(pairs[0], want) {
				t.Error(pairs, f.Errors())
			}
		})
	}
	s.serve(post("extra", "", "maybe", "", "level", "1"), func(c *retort.Ctx) {
		f := form.For(c, options)
		if !f.Valid() || f.Value().Maybe.Valid || f.Value().Extra != nil {
			t.Errorf("%+v %v", f.Value(), f.Errors())
		}
	})
}

func TestRowsAreListedInTheOrderOfTheirModel(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	must(t, Fixeds.Insert(s.ctx, &Fixed{Level: 1}, &Fixed{Level: 1}))
	s.serve(get(), func(c *retort.Ctx) {
		f := form.For(c, func(p *Part) form.Options { return form.Options{Fields: form.Fields(&p.Of)} })
		_, err := f.Render()
		must(t, err)
		if got := f.Field(&f.Value().Of).Options(); len(got) != 2 || got[0].Label != "fixed 2" {
			t.Error(got)
		}
	})
}
