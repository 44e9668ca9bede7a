package keytest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// countries stores Austria, Belgium and Chad, of which Chad has no city. Numbers are not
// those of the rows.
func countries(t testing.TB, ctx context.Context) (at, be, td *Country) {
	t.Helper()
	at, be, td = &Country{Code: "AT", Number: 3, Name: "Austria"}, &Country{Code: "BE", Number: 1, Name: "Belgium"}, &Country{Code: "TD", Number: 2, Name: "Chad"}
	must(t, Countries.Insert(ctx, at, be, td))
	linz, gent := &City{Name: "Linz", People: 1}, &City{Name: "Gent", People: 5}
	linz.Country.Set(at) // of a row that was not made by New
	linz.Twin.Set(be)
	gent.Country.SetID("BE")
	must(t, Cities.Insert(ctx, linz, gent, &City{Name: "Graz", People: 3, Country: orm.ForeignKey[Country, string]{ID: "AT"}}))
	if linz.Country.ID != "AT" || linz.Twin.ID != 1 {
		t.Fatalf("the keys taken from rows: %s and %d", linz.Country.ID, linz.Twin.ID)
	}
	return at, be, td
}

func cityNames(cities []*City) string {
	var list []string
	for _, c := range cities {
		list = append(list, c.Name)
	}
	return strings.Join(list, " ")
}

func TestQueriesByAForeignKeyToAnotherField(t *testing.T) {
	t.Parallel()
	c, k := Cities.Fields(), Countries.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		at, be, td := countries(t, ctx)
		for _, q := range []struct {
			name string
			cond orm.Cond
			want string
		}{
			{"the key", orm.Eq(&c.Country.ID, "AT"), "Linz Graz"},
			{"the field behind it", orm.Eq(&c.Country.To().Code, "AT"), "Linz Graz"},
			{"another field", orm.Eq(&c.Country.To().Name, "Belgium"), "Gent"},
			{"the primary key", orm.Eq(&c.Country.To().ID, at.ID), "Linz Graz"},
			{"a row", orm.Is(&c.Country, be), "Gent"},
			{"another row", orm.Is(&c.Twin, be), "Linz"},
			{"null", orm.IsNull(&c.Twin), "Gent Graz"},
			{"in", orm.In(&c.Country.ID, "BE", "TD"), "Gent"},
			{"lookup", orm.Lookup("country", "AT"), "Linz Graz"},
			{"lookup of a row", orm.Lookup("twin", be), "Linz"},
			{"lookup of the field", orm.Lookup("country__code__in", []string{"AT"}), "Linz Graz"},
			{"lookup of the primary key", orm.Lookup("country__pk", be.ID), "Gent"},
			{"in query", orm.InQuery(&c.Country.ID, Countries.Where(orm.Eq(&k.Number, 1)), &k.Code), "Gent"},
			{"exists", orm.Exists(Countries.Where(orm.EqField(&k.Code, orm.Outer(&c.Country.ID)), orm.Eq(&k.Number, 3))), "Linz Graz"},
		} {
			got, err := Cities.Where(q.cond).OrderBy(orm.Asc(&c.ID)).All(ctx)
			if err != nil || cityNames(got) != q.want {
				t.Errorf("%s: %q, want %q: %v", q.name, cityNames(got), q.want, err)
			}
		}
		if sql, _, err := Cities.Where(orm.Eq(&c.Country.To().Code, "AT")).SQL(ctx); err != nil || strings.Contains(sql, "JOIN") {
			t.Errorf("a join for what the foreign key holds: %s, %v", sql, err)
		}
		codes := func(q orm.QuerySet[Country]) string {
			t.Helper()
			list, err := orm.Pluck(ctx, q.OrderBy(orm.Asc(&k.Code)), &k.Code)
			must(t, err)
			return strings.Join(list, " ")
		}
		for want, q := range map[string]orm.QuerySet[Country]{
			"AT BE": Countries.Where(orm.Has(&k.Cities)),
			"TD":    Countries.Where(orm.Not(orm.Has(&k.Cities))),
			"BE":    Countries.Where(orm.Has(&k.Twins)),
			"AT":    Countries.Where(orm.Count(&k.Cities).Gt(1)),
			"AT TD": Countries.Where(orm.Or(orm.Eq(&k.Cities.To().Twin.ID, 1), orm.Eq(&k.Number, 2))),
		} {
			if got := codes(q); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		type people struct {
			Code   string
			People int64
		}
		rows, err := orm.Select[people](Countries.OrderBy(orm.Asc(&k.Code)), orm.As("Code", &k.Code), orm.As("People", orm.Sum(&k.Cities.To().People).Default(0))).All(ctx)
		if want := []people{{"AT", 4}, {"BE", 5}, {"TD", 0}}; err != nil || !slices.Equal(rows, want) {
			t.Errorf("sums %v, want %v: %v", rows, want, err)
		}
		grouped, err := orm.Select[people](Cities.GroupBy(&c.Country.To().Name).OrderBy(orm.Asc(&c.Country.To().Name)), orm.As("Code", &c.Country.To().Name), orm.As("People", orm.Sum(&c.People))).All(ctx)
		if err != nil || len(grouped) != 2 || grouped[0] != (people{"Austria", 4}) {
			t.Errorf("grouped %v: %v", grouped, err)
		}
		if _, err := Countries.Walk(&k.Cities).All(ctx); err == nil {
			t.Error("walked to another model")
		}
		_ = td
	})
}

func TestLoadingByAForeignKeyToAnotherField(t *testing.T) {
	t.Parallel()
	c, k := Cities.Fields(), Countries.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		_, be, _ := countries(t, ctx)
		cities, err := Cities.With(&c.Country, &c.Twin).OrderBy(orm.Asc(&c.ID)).All(ctx)
		must(t, err)
		if cities[0].Country.To().Name != "Austria" || cities[0].Twin.To().Name != "Belgium" || cities[1].Twin.To() != nil {
			t.Errorf("loaded %v, %v", cities[0], cities[1])
		}
		check := func(rows []*Country, err error) {
			t.Helper()
			must(t, err)
			var got []string
			for _, row := range rows {
				mine, err := row.Cities.Get()
				must(t, err)
				got = append(got, cityNames(mine))
				for _, city := range mine {
					if city.Country.To() != row {
						t.Error("a city does not know its country")
					}
				}
			}
			if text := strings.Join(got, "|"); text != "Linz Graz|Gent|" {
				t.Errorf("loaded %s", text)
			}
		}
		byCode := Countries.OrderBy(orm.Asc(&k.Code))
		check(byCode.With(&k.Cities).All(ctx))
		check(byCode.LoadOnly(&k.Name).With(&k.Cities).All(ctx))
		rows, err := byCode.All(ctx)
		must(t, err)
		must(t, orm.Load(ctx, rows, &k.Cities))
		check(rows, nil)
		limited, err := byCode.With(orm.Only(&k.Cities, Cities.OrderBy(orm.Desc(&c.People)).Limit(1))).All(ctx)
		must(t, err)
		if mine, err := limited[0].Cities.Get(); err != nil || cityNames(mine) != "Graz" {
			t.Errorf("the largest: %s, %v", cityNames(mine), err)
		}
		bare, err := Cities.OrderBy(orm.Asc(&c.ID)).All(ctx)
		must(t, err)
		if country, err := bare[1].Country.Load(ctx); err != nil || country.Code != "BE" {
			t.Errorf("loaded alone: %v, %v", country, err)
		}
		must(t, orm.Load(ctx, bare, &c.Country))
		if bare[2].Country.To().Code != "AT" || bare[0].Country.To() != bare[2].Country.To() {
			t.Error("loaded onto rows")
		}
		if mine, err := be.Cities.All(ctx); err != nil || cityNames(mine) != "Gent" {
			t.Errorf("of one row: %s, %v", cityNames(mine), err)
		}
		if n, err := be.Twins.Query().Count(ctx); err != nil || n != 1 {
			t.Errorf("the query of one row: %d, %v", n, err)
		}
		bare[0].Country.ID = "BE"
		if bare[0].Country.Loaded() {
			t.Error("a row of another key counts as loaded")
		}
		if text, err := json.Marshal(bare[1].Country); err != nil || string(text) != `"BE"` {
			t.Errorf("as JSON: %s, %v", text, err)
		}
		must(t, Anthems.Insert(ctx, &Anthem{Title: "Brabançonne", Country: orm.UniqueForeignKey[Country, string]{ForeignKey: orm.ForeignKey[Country, string]{ID: "BE"}}}))
		if one, err := Countries.With(&k.Anthem).Where(orm.Eq(&k.Anthem.To().Title, "Brabançonne")).Get(ctx); err != nil || one.Code != "BE" {
			t.Errorf("by the other side of one to one: %v, %v", one, err)
		} else if anthem, err := one.Anthem.Get(); err != nil || anthem.Title != "Brabançonne" {
			t.Errorf("the other side of one to one: %v, %v", anthem, err)
		}
		sight := &Attractions{Name: "Atomium"}
		must(t, Sights.Insert(ctx, sight))
		must(t, be.Sights.Add(ctx, sight))
		if n, err := Countries.Where(orm.Eq(&k.Sights.To().Name, "Atomium")).Count(ctx); err != nil || n != 1 {
			t.Errorf("many to many beside it: %d, %v", n, err)
		}
	})
}

func TestWritesByAForeignKeyToAnotherField(t *testing.T) {
	t.Parallel()
	c, k := Cities.Fields(), Countries.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		at, be, td := countries(t, ctx)
		if n, err := Cities.Where(orm.Eq(&c.Name, "Gent")).Update(ctx, orm.Set(&c.Country, td), orm.Set(&c.Twin, at)); err != nil || n != 1 {
			t.Errorf("update: %d, %v", n, err)
		}
		gent, err := Cities.Where(orm.Eq(&c.Name, "Gent")).Get(ctx)
		must(t, err)
		if gent.Country.ID != "TD" || gent.Twin.ID != 3 {
			t.Errorf("after the update: %+v", gent)
		}
		edit, err := Cities.Edit(gent)
		must(t, err)
		gent.Country.Set(be)
		must(t, edit.Save(ctx))
		gent.Twin.Set(nil)
		must(t, Cities.UpdateRows(ctx, []*City{gent}, &c.Twin, &c.Country))
		must(t, Cities.Reload(ctx, gent))
		if gent.Country.ID != "BE" || !gent.Twin.IsNull() {
			t.Errorf("after the edit: %+v", gent)
		}
		if err := Cities.Insert(ctx, &City{Name: "x", Country: orm.ForeignKey[Country, string]{ID: "XX"}}); !orm.IsForeignKey(err) {
			t.Errorf("a country that does not exist: %v", err)
		}
		nowhere := &City{Name: "x"}
		nowhere.Country.Set(&Country{Name: "no code"})
		if err := Cities.Insert(ctx, nowhere); err == nil || !strings.Contains(err.Error(), "whose Code is empty") {
			t.Errorf("a country without a code: %v", err)
		}
		err = Cities.Validate(ctx, &City{Name: "x", People: 1, Country: orm.ForeignKey[Country, string]{ID: "XX"}})
		if faults, ok := errors.AsType[validate.Errors](err); !ok || !faults.Has("country", "not_found") {
			t.Errorf("validated: %v", err)
		}
		must(t, Cities.Validate(ctx, gent))
		if err := Countries.UpdateRow(ctx, &Country{Model: at.Model, Code: "AU", Number: 9, Name: "x"}, &k.Code); !orm.IsForeignKey(err) {
			t.Errorf("the code of a country with cities: %v", err)
		}
	})
}

func TestDeletesByAForeignKeyToAnotherField(t *testing.T) {
	t.Parallel()
	k := Countries.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		at, be, _ := countries(t, ctx)
		linz, err := at.Cities.Query().OrderBy(orm.Asc(&Cities.Fields().ID)).First(ctx)
		must(t, err)
		must(t, Streets.Insert(ctx, &Street{Name: "Landstraße", City: orm.FK[City]{ID: linz.ID}}))
		plan, err := Countries.Where(orm.Eq(&k.Code, "AT")).Deletion(ctx)
		must(t, err)
		found := map[string]int64{}
		for _, rows := range append(plan.Models, plan.Changed...) {
			found[rows.Model.Name] += rows.Rows
		}
		if found["Country"] != 1 || found["City"] != 2 || found["Street"] != 1 {
			t.Errorf("the delete concerns %v", found)
		}
		must(t, Anthems.Insert(ctx, &Anthem{Title: "x", Country: orm.UniqueForeignKey[Country, string]{ForeignKey: orm.ForeignKey[Country, string]{ID: "BE"}}}))
		err = Countries.DeleteRow(ctx, be)
		if p, ok := errors.AsType[*orm.ProtectedError](err); !ok || len(p.By) != 1 || p.By[0].Field.Model().Name != "Anthem" {
			t.Errorf("a country with an anthem: %v", err)
		}
		if _, err := Anthems.DeleteAll(ctx); err != nil {
			t.Error(err)
		}
		must(t, Countries.DeleteRow(ctx, be))
		must(t, Cities.Reload(ctx, linz))
		if !linz.Twin.IsNull() {
			t.Error("the twin of a city is still the country that is gone")
		}
		// A listener makes this package find the rows, which the database did before.
		heard := 0
		stop := Streets.Listen(orm.AfterDelete, func(ctx context.Context, _ *Street, _ orm.Event) error {
			if db, err := orm.DBFrom(ctx); err == nil && db.Dialect() == kind.Name {
				heard++
			}
			return nil
		})
		defer stop()
		must(t, Countries.DeleteRow(ctx, at))
		if n, err := Cities.Count(ctx); err != nil || n != 0 || heard != 1 {
			t.Errorf("%d cities are left, %d streets were heard of, %v", n, heard, err)
		}
	})
}
