package orm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// Dated is an abstract model with a Meta.
type Dated struct {
	Day   *orm.Date
	Place string `orm:"size=20"`
}

func (Dated) Meta(d *Dated) orm.Meta {
	return orm.Meta{
		Table: "not_inherited", Comment: "not inherited",
		OrderBy:  orm.By(orm.Desc(&d.Day)),
		LatestBy: orm.Fields(&d.Day),
		Indexes:  orm.Indexes(orm.Index(&d.Day, &d.Place)),
		Checks:   orm.Checks(orm.Check("place", orm.Ne(&d.Place, "")), orm.Check("kept", orm.Ne(&d.Place, "nowhere"))),
	}
}

// Named embeds an abstract model, and is one itself.
type Named struct {
	Dated
	Name string `orm:"size=20"`
}

func (Named) Meta(n *Named) orm.Meta {
	return orm.Meta{Unique: orm.Uniques(orm.UniqueTogether(&n.Day, &n.Name))}
}

// Concert says more than what it embeds.
type Concert struct {
	orm.Model
	Named
}

func (Concert) Meta(c *Concert) orm.Meta {
	return orm.Meta{
		OrderBy: orm.By(orm.Asc(&c.Name)),
		Checks:  orm.Checks(orm.Check("place", orm.Ne(&c.Place, "here"))),
	}
}

// Fair has no Meta of its own.
type Fair struct {
	orm.Model
	Named
}

var (
	Concerts = orm.Register[Concert]()
	Fairs    = orm.Register[Fair]()
)

func TestMetaOfEmbeddedStructs(t *testing.T) {
	t.Parallel()
	for info, place := range map[*orm.ModelInfo]string{Concerts.Info(): "here", Fairs.Info(): ""} {
		tables, err := info.Tables()
		must(t, err)
		table := tables[0]
		if table.Comment != "" || table.Name == "not_inherited" {
			t.Errorf("%+v", table)
		}
		if len(table.Indexes) != 2 || !table.Indexes[1].Unique && !table.Indexes[0].Unique {
			t.Errorf("%+v", table.Indexes)
		}
		checks := map[string]string{}
		for _, check := range table.Checks {
			checks[check.Name] = check.SQL
		}
		if len(table.Checks) != 2 || !strings.Contains(checks["place"], "'"+place+"'") || !strings.Contains(checks["kept"], "nowhere") {
			t.Errorf("%+v", table.Checks)
		}
	}
}

func TestNextPreviousLatest(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		f := Fairs.Fields()
		day := func(n int) *orm.Date { return new(orm.DateOf(time.Date(2026, 5, n, 0, 0, 0, 0, time.UTC))) }
		for i, d := range []*orm.Date{day(2), day(1), day(2), nil, day(3)} {
			must(t, Fairs.Insert(ctx, &Fair{Named: Named{Dated{d, "x"}, fmt.Sprint(i)}}))
		}
		first, err := Fairs.Earliest(ctx)
		must(t, err)
		names := []string{first.Name}
		for row := first; ; names = append(names, row.Name) {
			if row, err = Fairs.Next(ctx, row, &f.Day); err != nil {
				break
			}
		}
		if !errors.Is(err, orm.ErrNotFound) || !slices.Equal(names, []string{"1", "0", "2", "4"}) {
			t.Error(names, err)
		}
		last, err := Fairs.Latest(ctx)
		must(t, err)
		before, err := Fairs.Where(orm.Ne(&f.Name, "2")).Previous(ctx, last, &f.Day)
		if err != nil || before.Name != "0" || last.Name != "4" {
			t.Error(before, last, err)
		}
		if row, err := Fairs.Next(ctx, before, &f.ID); err != nil || row.Name != "1" {
			t.Error(row, err)
		}
		undated, err := Fairs.Where(orm.IsNull(&f.Day)).Get(ctx)
		must(t, err)
		for _, err := range []error{
			second(Fairs.Next(ctx, undated, &f.Day)),
			second(Fairs.Next(ctx, nil, &f.Day)),
			second(Fairs.Next(ctx, &Fair{}, &f.Day)),
			second(Fairs.Limit(3).Next(ctx, last, &f.Day)),
			second(Fairs.Next(ctx, last, &last.Day)),
		} {
			if err == nil || errors.Is(err, orm.ErrNotFound) {
				t.Error(err)
			}
		}
	})
}

func second[V any](_ V, err error) error { return err }

// Seat is a place that one Guest has, known by a text.
type Seat struct {
	Code  string `orm:"pk,size=4"`
	Guest orm.HasOne[Guest]
}

// Guest has a seat and perhaps somebody with them.
type Guest struct {
	orm.Model
	Name string                             `orm:"size=20"`
	Seat orm.UniqueForeignKey[Seat, string] `orm:"on_delete=cascade"`
	With orm.OneToOne[Guest]                `orm:"null,on_delete=set_null"`
}

var (
	Seats  = orm.Register[Seat]()
	Guests = orm.Register[Guest]()
)

func TestOneToOne(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		g := Guests.Fields()
		must(t, Seats.Insert(ctx, &Seat{Code: "A1"}, &Seat{Code: "A2"}))
		ann, bob := &Guest{Name: "ann"}, &Guest{Name: "bob"}
		ann.Seat.SetID("A1")
		must(t, Guests.Insert(ctx, ann))
		bob.Seat.SetID("A1")
		if err := Guests.Insert(ctx, bob); !orm.IsUnique(err) {
			t.Error(err)
		}
		if err := Guests.Validate(ctx, bob); err == nil || !strings.Contains(err.Error(), "seat") {
			t.Error(err)
		}
		bob.Seat.SetID("A2")
		bob.With.Set(ann)
		must(t, Guests.Insert(ctx, bob))

		got, err := Guests.With(&g.Seat, &g.With).Where(orm.Is(&g.With.ForeignKey, ann), orm.Eq(&g.Seat.ID, "A2")).Get(ctx)
		must(t, err)
		if got.With.To().Name != "ann" || got.Seat.To().Code != "A2" {
			t.Errorf("%+v", got)
		}
		text, err := json.Marshal(got)
		if err != nil || string(text) != fmt.Sprintf(`{"ID":%d,"Name":"bob","Seat":"A2","With":1}`, bob.ID) {
			t.Error(string(text), err)
		}
		var back Guest
		if err := json.Unmarshal(text, &back); err != nil || back.Seat.ID != "A2" || back.With.ID != 1 {
			t.Errorf("%+v %v", back, err)
		}
		if value, err := got.Seat.TemplateValue(); err != nil || value.(*Seat).Code != "A2" {
			t.Error(value, err)
		}
		s := Seats.Fields()
		seat, err := Seats.With(&s.Guest).Where(orm.Eq(&s.Guest.To().With.To().Name, "ann")).Get(ctx)
		if err != nil || seat.Guest.To().Name != "bob" {
			t.Error(seat, err)
		}
		if _, err := Guests.Where(orm.Eq(&g.ID, ann.ID)).Delete(ctx); err != nil {
			t.Error(err)
		}
		must(t, Guests.Reload(ctx, bob))
		if !bob.With.IsNull() || Guests.Info().FieldNamed("With").Relation == nil || !Guests.Info().FieldNamed("With").Unique {
			t.Errorf("%+v", bob)
		}
	})
}
