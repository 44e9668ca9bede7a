package keytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// fill stores two shipments of three parcels each: 1 to 3 and 1 to 3.
func fill(t testing.TB, ctx context.Context) (a, b *Shipment) {
	t.Helper()
	a, b = &Shipment{Name: "a"}, &Shipment{Name: "b"}
	must(t, Shipments.Insert(ctx, a, b))
	for _, s := range []*Shipment{a, b} {
		for n := 1; n <= 3; n++ {
			must(t, Parcels.Insert(ctx, &Parcel{Key: key(s.ID, n), Name: fmt.Sprintf("%s%d", s.Name, n), Weight: n}))
		}
	}
	return a, b
}

func names(parcels []*Parcel) string {
	var list []string
	for _, p := range parcels {
		list = append(list, p.Name)
	}
	return strings.Join(list, " ")
}

func TestConditionsOnAKeyOfSeveralColumns(t *testing.T) {
	t.Parallel()
	p := Parcels.Fields()
	s := Scans.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		a, b := fill(t, ctx)
		parcel := must1[*Parcel](t)(Parcels.Where(orm.Eq(&p.Key, key(a.ID, 2))).Get(ctx))
		must(t, Scans.Insert(ctx, &Scan{Parcel: orm.ForeignKey[Parcel, ParcelKey]{ID: parcel.Key}, Place: "Ulm"}))
		for _, c := range []struct {
			name string
			cond orm.Cond
			want string
		}{
			{"eq", orm.Eq(&p.Key, key(b.ID, 3)), "b3"},
			{"ne", orm.Ne(&p.Key, key(b.ID, 3)), "a1 a2 a3 b1 b2"},
			{"not eq", orm.Not(orm.Eq(&p.Key, key(b.ID, 3))), "a1 a2 a3 b1 b2"},
			{"lt", orm.Lt(&p.Key, key(b.ID, 1)), "a1 a2 a3"},
			{"gt", orm.Gt(&p.Key, key(a.ID, 2)), "a3 b1 b2 b3"},
			{"between", orm.Between(&p.Key, key(a.ID, 3), key(b.ID, 2)), "a3 b1 b2"},
			{"in", orm.In(&p.Key, key(a.ID, 1), key(b.ID, 2), key(b.ID, 3)), "a1 b2 b3"},
			{"in one", orm.In(&p.Key, key(a.ID, 1)), "a1"},
			{"in none", orm.In(&p.Key), ""},
			{"not in", orm.NotIn(&p.Key, key(a.ID, 1), key(b.ID, 2)), "a2 a3 b1 b3"},
			{"one column", orm.Eq(&p.Key.Number, 2), "a2 b2"},
			{"the foreign key in it", orm.Is(&p.Key.Shipment, b), "b1 b2 b3"},
			{"behind the foreign key in it", orm.Eq(&p.Key.Shipment.To().Name, "a"), "a1 a2 a3"},
			{"null", orm.IsNull(&p.Inside), "a1 a2 a3 b1 b2 b3"},
			{"not null", orm.NotNull(&p.Inside), ""},
			{"ne of null", orm.Ne(&p.Inside.ID, key(a.ID, 1)), "a1 a2 a3 b1 b2 b3"},
			{"not in of null", orm.NotIn(&p.Inside.ID, key(a.ID, 1)), "a1 a2 a3 b1 b2 b3"},
			{"has", orm.Has(&p.Scans), "a2"},
			{"has not", orm.Not(orm.Has(&p.Scans)), "a1 a3 b1 b2 b3"},
			{"behind to many", orm.Eq(&p.Scans.To().Place, "Ulm"), "a2"},
			{"exists", orm.Exists(Scans.Where(orm.EqField(&s.Parcel.ID, orm.Outer(&p.Key)))), "a2"},
			{"in query", orm.InQuery(&p.Key, Scans.Where(orm.Eq(&s.Place, "Ulm")), &s.Parcel.ID), "a2"},
			{"lookup", orm.Lookup("pk", fmt.Sprintf("%d,2", b.ID)), "b2"},
			{"lookup in", orm.Lookup("key__in", []any{key(a.ID, 1), fmt.Sprintf("%d,1", b.ID)}), "a1 b1"},
			{"lookup of a part", orm.Lookup("key_number__gte", 3), "a3 b3"},
		} {
			got, err := Parcels.Where(c.cond).OrderBy(orm.Asc(&p.Key)).All(ctx)
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			} else if names(got) != c.want {
				t.Errorf("%s: %q, want %q", c.name, names(got), c.want)
			}
		}
		down := must1[[]*Parcel](t)(Parcels.OrderBy(orm.Desc(&p.Key)).Limit(2).All(ctx))
		if names(down) != "b3 b2" {
			t.Errorf("downwards: %s", names(down))
		}
		page := must1[orm.Page[Parcel]](t)(Parcels.Page(ctx, 2, 4))
		if names(page.Items) != "b2 b3" {
			t.Errorf("second page: %s", names(page.Items))
		}
		var pages []string
		for cursor := ""; ; {
			page := must1[orm.CursorPage[Parcel]](t)(Parcels.OrderBy(orm.Desc(&p.Weight)).CursorPage(ctx, cursor, 2))
			pages = append(pages, names(page.Items))
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if got := strings.Join(pages, "|"); got != "a3 b3|a2 b2|a1 b1" {
			t.Errorf("pages by cursor: %s", got)
		}
		if n := must1[int64](t)(Parcels.Distinct().Count(ctx)); n != 6 {
			t.Errorf("%d distinct rows", n)
		}
		if first := must1[*Parcel](t)(Parcels.First(ctx)); first.Name != "a1" {
			t.Errorf("the first is %s", first.Name)
		}
		var many []ParcelKey
		for n := range 2000 {
			many = append(many, key(a.ID, n+2), key(b.ID+int64(n), 1))
		}
		if got := must1[[]*Parcel](t)(Parcels.Where(orm.In(&p.Key, many...)).OrderBy(orm.Asc(&p.Key)).All(ctx)); names(got) != "a2 a3 b1" {
			t.Errorf("among 4000 keys: %s", names(got))
		}
	})
}

func TestWritingRowsWithAKeyOfSeveralColumns(t *testing.T) {
	t.Parallel()
	p := Parcels.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		a, b := fill(t, ctx)
		if err := Parcels.Insert(ctx, &Parcel{Key: key(a.ID, 1)}); !orm.IsUnique(err) {
			t.Errorf("the same key again: %v", err)
		}
		if err := Parcels.Insert(ctx, &Parcel{}); err == nil || !strings.Contains(err.Error(), "must be set") {
			t.Errorf("no key: %v", err)
		}
		zero := &Parcel{Key: key(b.ID, 0), Name: "b0"}
		must(t, Parcels.Insert(ctx, zero, &Parcel{Key: key(b.ID, 9), Name: "b9"}))

		zero.Name, zero.Weight = "zero", 7
		must(t, Parcels.UpdateRow(ctx, zero, &p.Name))
		must(t, Parcels.Reload(ctx, zero))
		if zero.Name != "zero" || zero.Weight != 0 {
			t.Errorf("after the update: %+v", zero)
		}
		one := must1[*Parcel](t)(Parcels.Where(orm.Eq(&p.Key, key(a.ID, 1))).Get(ctx))
		one.Weight, zero.Weight = 11, 12
		must(t, Parcels.UpdateRows(ctx, []*Parcel{one, zero}, &p.Weight))
		if err := Parcels.UpdateRow(ctx, one, &p.Key); err == nil {
			t.Error("the key was updated")
		}
		edit := must1[*orm.Edit[Parcel]](t)(Parcels.Edit(one))
		one.Inside.Set(zero)
		changed := must1[[]*orm.FieldInfo](t)(edit.Changed())
		if len(changed) != 2 {
			t.Errorf("%d columns changed, want the two of Inside", len(changed))
		}
		must(t, edit.Save(ctx))
		must(t, Parcels.Reload(ctx, one))
		if one.Weight != 11 || one.Inside.ID != key(b.ID, 0) {
			t.Errorf("after Save: %+v", one)
		}
		n := must1[int64](t)(Parcels.Where(orm.Eq(&p.Key, one.Key)).Update(ctx, orm.Set(&p.Inside.ID, key(a.ID, 3))))
		must(t, Parcels.Reload(ctx, one))
		if n != 1 || one.Inside.ID != key(a.ID, 3) {
			t.Errorf("%d updated: %+v", n, one.Inside)
		}
		must1[int64](t)(Parcels.Where(orm.Eq(&p.Key.Shipment.To().Name, "a")).Update(ctx, orm.Set(&p.Inside, orm.ForeignKey[Parcel, ParcelKey]{})))
		must(t, Parcels.Reload(ctx, one))
		if !one.Inside.IsNull() {
			t.Errorf("Inside is %v", one.Inside)
		}

		same := &Parcel{Key: key(a.ID, 1), Name: "upserted", Weight: 1}
		must(t, Parcels.Upsert(ctx, same, orm.Conflict{}))
		must(t, Parcels.UpsertRows(ctx, []*Parcel{{Key: key(a.ID, 2), Name: "upserted"}, {Key: key(a.ID, 4), Name: "a4"}}, orm.Conflict{}))
		got := must1[[]*Parcel](t)(Parcels.Where(orm.Is(&p.Key.Shipment, a)).OrderBy(orm.Asc(&p.Key)).All(ctx))
		if names(got) != "upserted upserted a3 a4" {
			t.Errorf("after upserts: %s", names(got))
		}
		nine := &Parcel{Key: key(b.ID, 9), Name: "other"}
		if inserted := must1[bool](t)(Parcels.GetOrInsert(ctx, nine, &p.Key)); inserted || nine.Name != "b9" {
			t.Errorf("GetOrInsert: %v %s", inserted, nine.Name)
		}
		ten := &Parcel{Key: key(b.ID, 10), Name: "ten"}
		if inserted := must1[bool](t)(Parcels.GetOrInsert(ctx, ten, &p.Key)); !inserted {
			t.Error("GetOrInsert found what is not there")
		}
		bulk := must1[map[ParcelKey]*Parcel](t)(orm.InBulk(ctx, Parcels.With(&p.Key.Shipment), &p.Key, ten.Key, key(a.ID, 1)))
		if len(bulk) != 2 || bulk[key(b.ID, 10)].Name != "ten" {
			t.Errorf("in bulk: %v", bulk)
		}
		keys := must1[[]ParcelKey](t)(orm.Pluck(ctx, Parcels.Where(orm.Gt(&p.Key, key(b.ID, 3))).OrderBy(orm.Desc(&p.Key)), &p.Key))
		if len(keys) != 2 || keys[0] != key(b.ID, 10) {
			t.Errorf("keys alone: %v", keys)
		}
		inside := must1[[]ParcelKey](t)(orm.Pluck(ctx, Parcels.Where(orm.Eq(&p.Key, ten.Key)), &p.Inside.ID))
		if len(inside) != 1 || inside[0] != (ParcelKey{}) {
			t.Errorf("keys that are NULL: %v", inside)
		}
		must(t, Parcels.DeleteRow(ctx, ten, nine))
		if err := Parcels.DeleteRow(ctx, ten); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("deleting it again: %v", err)
		}
	})
}

func TestRelationsByAKeyOfSeveralColumns(t *testing.T) {
	t.Parallel()
	p, s, sh := Parcels.Fields(), Scans.Fields(), Shipments.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		a, b := fill(t, ctx)
		one := must1[*Parcel](t)(Parcels.Where(orm.Eq(&p.Key, key(a.ID, 1))).Get(ctx))
		two := must1[*Parcel](t)(Parcels.Where(orm.Eq(&p.Key, key(b.ID, 2))).Get(ctx))
		scan := &Scan{Place: "Ulm"}
		scan.Parcel.Set(one)
		scan.Before.Set(two)
		other := &Scan{Place: "Rom"}
		other.Parcel.SetID(key(b.ID, 2))
		must(t, Scans.Insert(ctx, scan, other))
		if err := Scans.Insert(ctx, &Scan{Place: "?"}); err == nil || !strings.Contains(err.Error(), "is not set") {
			t.Errorf("a scan of nothing: %v", err)
		}
		err := Scans.Insert(ctx, &Scan{Place: "?", Parcel: orm.ForeignKey[Parcel, ParcelKey]{ID: key(a.ID, 77)}})
		if !orm.IsForeignKey(err) {
			t.Errorf("a scan of a parcel that is not there: %v", err)
		}

		scans := must1[[]*Scan](t)(Scans.With(&s.Parcel, &s.Before, &s.Parcel.To().Key.Shipment).OrderBy(orm.Asc(&s.ID)).All(ctx))
		if got := scans[0].Parcel.To().Name + scans[0].Before.To().Name + scans[0].Parcel.To().Key.Shipment.To().Name; got != "a1b2a" {
			t.Errorf("the first scan: %s", got)
		}
		if scans[1].Before.To() != nil || scans[1].Before.ID != (ParcelKey{}) {
			t.Errorf("the second scan: %+v", scans[1].Before)
		}
		found := must1[[]*Scan](t)(Scans.Where(orm.Is(&s.Parcel, two)).All(ctx))
		if len(found) != 1 || found[0].Place != "Rom" {
			t.Errorf("scans of %s: %v", two.Name, found)
		}
		// A value that is compared with one part has no other parts beside it in memory.
		found = must1[[]*Scan](t)(Scans.Where(orm.Eq(&s.Parcel.ID.Number, 2), orm.Ge(&s.Parcel.ID.Number, 0)).All(ctx))
		if len(found) != 1 || found[0].Place != "Rom" {
			t.Errorf("scans of parcels with the number 2: %v", found)
		}
		sql, _, err := Scans.Where(orm.Eq(&s.Parcel.To().Key.Number, 2)).SQL(ctx)
		if err != nil || strings.Contains(sql, "JOIN") {
			t.Errorf("a column of the key behind a foreign key is its own: %s %v", sql, err)
		}
		row := must1[*Parcel](t)(found[0].Parcel.Load(ctx))
		if row.Name != "b2" || !found[0].Parcel.Loaded() {
			t.Errorf("loaded %v", row)
		}

		shipments := must1[[]*Shipment](t)(Shipments.With(&sh.Parcels, &sh.Parcels.To().Scans).OrderBy(orm.Asc(&sh.ID)).All(ctx))
		parcels := must1[[]*Parcel](t)(shipments[1].Parcels.Get())
		if names(parcels) != "b1 b2 b3" {
			t.Errorf("of b: %s", names(parcels))
		}
		if of := must1[[]*Scan](t)(parcels[1].Scans.Get()); len(of) != 1 || of[0].Place != "Rom" || of[0].Parcel.To() != parcels[1] {
			t.Errorf("scans of b2: %v", of)
		}
		if of := must1[[]*Scan](t)(one.Scans.All(ctx)); len(of) != 1 || of[0].ID != scan.ID {
			t.Errorf("scans of a1: %v", of)
		}

		must1[int64](t)(Parcels.Where(orm.Eq(&p.Key, one.Key)).Update(ctx, orm.Set(&p.Inside.ID, two.Key)))
		walked := must1[[]*Parcel](t)(Parcels.Where(orm.Eq(&p.Key, two.Key)).Walk(&p.Contents).OrderBy(orm.Asc(&p.Key)).All(ctx))
		if names(walked) != "a1 b2" {
			t.Errorf("walked: %s", names(walked))
		}
		type count struct {
			Name  string
			Scans int64
		}
		counts, err := orm.Select[count](Parcels.OrderBy(orm.Asc(&p.Key)).Limit(2), orm.As("Name", &p.Name), orm.As("Scans", orm.Count(&p.Scans))).All(ctx)
		if err != nil || fmt.Sprint(counts) != "[{a1 1} {a2 0}]" {
			t.Errorf("counts: %v %v", counts, err)
		}

		// Deleting a parcel takes its scans with it and is forgotten by those after it.
		if n := must1[int64](t)(Parcels.Where(orm.Eq(&p.Key, two.Key)).Delete(ctx)); n != 1 {
			t.Errorf("%d deleted", n)
		}
		scans = must1[[]*Scan](t)(Scans.All(ctx))
		if len(scans) != 1 || !scans[0].Before.IsNull() {
			t.Errorf("left: %+v", scans)
		}
		must1[int64](t)(Shipments.Where(orm.Eq(&sh.ID, a.ID)).Delete(ctx))
		if left := must1[[]*Parcel](t)(Parcels.OrderBy(orm.Asc(&p.Key)).All(ctx)); names(left) != "b1 b3" {
			t.Errorf("left: %s", names(left))
		}
	})
}

func TestManyToManyOfKeysOfSeveralColumns(t *testing.T) {
	t.Parallel()
	p, l := Parcels.Fields(), Labels.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		a, _ := fill(t, ctx)
		one := must1[*Parcel](t)(Parcels.Where(orm.Eq(&p.Key, key(a.ID, 1))).Get(ctx))
		two := must1[*Parcel](t)(Parcels.Where(orm.Eq(&p.Key, key(a.ID, 2))).Get(ctx))
		var labels []*Label
		for _, code := range []string{"x", "y", "z"} {
			labels = append(labels, &Label{Key: LabelKey{"de", code}, Text: code})
		}
		must(t, Labels.Insert(ctx, labels...))
		must(t, one.Labels.Set(ctx, labels[0], labels[1]))
		must(t, one.Labels.Add(ctx, labels[1], labels[2]))
		must(t, one.Labels.Remove(ctx, labels[0]))
		must(t, two.Labels.Add(ctx, labels[2]))
		texts := func(labels []*Label, err error) string {
			t.Helper()
			must(t, err)
			var list []string
			for _, label := range labels {
				list = append(list, label.Text)
			}
			slices.Sort(list)
			return strings.Join(list, " ")
		}
		if got := texts(one.Labels.Query().All(ctx)); got != "y z" {
			t.Errorf("labels of a1: %s", got)
		}
		rows := must1[[]*Parcel](t)(Parcels.With(&p.Labels).OrderBy(orm.Asc(&p.Key)).Limit(2).All(ctx))
		if got := texts(rows[0].Labels.Get()) + "|" + texts(rows[1].Labels.Get()); got != "y z|z" {
			t.Errorf("loaded: %s", got)
		}
		back := must1[[]*Label](t)(Labels.With(&l.Parcels).Where(orm.Eq(&l.Key.Code, "z")).All(ctx))
		if got := names(must1[[]*Parcel](t)(back[0].Parcels.Get())); got != "a1 a2" {
			t.Errorf("back: %s", got)
		}
		having := must1[[]*Parcel](t)(Parcels.Where(orm.Eq(&p.Labels.To().Text, "y")).All(ctx))
		if names(having) != "a1" {
			t.Errorf("with y: %s", names(having))
		}
		d, err := Labels.Where(orm.Eq(&l.Key.Code, "z")).Deletion(ctx)
		if err != nil || d.Total() != 3 {
			t.Errorf("Deletion: %+v %v", d, err)
		}

		sign := &Sign{}
		sign.Label.Set(labels[0])
		must(t, Signs.Insert(ctx, sign))
		if err := Signs.Insert(ctx, &Sign{Label: sign.Label}); !orm.IsUnique(err) {
			t.Errorf("a second sign: %v", err)
		}
		_, err = Labels.Where(orm.Eq(&l.Key, labels[0].Key)).Delete(ctx)
		if protected, ok := errors.AsType[*orm.ProtectedError](err); !ok || protected.By[0].Field.Name != "Label" {
			t.Errorf("deleting a label in use: %v", err)
		}
		if err := Signs.Validate(ctx, &Sign{Label: sign.Label}); err == nil {
			t.Error("a second sign is valid")
		}
		missing := orm.ForeignKey[Label, LabelKey]{ID: LabelKey{"de", "none"}}
		if err := Signs.Validate(ctx, &Sign{Label: missing}); err == nil || !strings.Contains(err.Error(), "does not exist") {
			t.Errorf("a sign of no label: %v", err)
		}
	})
}

func TestKeyInAKey(t *testing.T) {
	t.Parallel()
	n, an := Notes.Fields(), Answers.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		a, _ := fill(t, ctx)
		note := &Note{Text: "fragile"}
		note.Key.Parcel.SetID(key(a.ID, 3))
		note.Key.Page = 1
		must(t, Notes.Insert(ctx, note))
		answer := &Answer{}
		answer.Note.Set(note)
		must(t, Answers.Insert(ctx, answer))
		got := must1[*Answer](t)(Answers.With(&an.Note, &an.Note.To().Key.Parcel).Where(orm.Eq(&an.Note.To().Key.Page, 1)).Get(ctx))
		if got.Note.To().Text != "fragile" || got.Note.To().Key.Parcel.To().Name != "a3" {
			t.Errorf("%+v", got.Note.To())
		}
		count := must1[int64](t)(Notes.Where(orm.Eq(&n.Key.Parcel.To().Name, "a3"), orm.Eq(&n.Key.Parcel.ID, key(a.ID, 3))).Count(ctx))
		if count != 1 {
			t.Errorf("%d notes", count)
		}
	})
}

func TestKeyAsJSONAndText(t *testing.T) {
	t.Parallel()
	scan := Scan{Place: "Ulm"}
	scan.Parcel.SetID(key(5, 2))
	b, err := json.Marshal(&scan)
	if err != nil || !strings.Contains(string(b), `"Parcel":{"Shipment":5,"Number":2}`) || !strings.Contains(string(b), `"Before":null`) {
		t.Errorf("%s %v", b, err)
	}
	var back Scan
	if err := json.Unmarshal(b, &back); err != nil || back.Parcel.ID != scan.Parcel.ID || !back.Before.IsNull() {
		t.Errorf("%+v %v", back, err)
	}
	pk := Labels.Info().PrimaryKey
	text, err := pk.KeyText(LabelKey{"de,at", "50%"})
	if err != nil || text != "de%2Cat,50%25" {
		t.Errorf("%q %v", text, err)
	}
	var label Label
	if err := pk.Set(&label, text); err != nil || label.Key != (LabelKey{"de,at", "50%"}) {
		t.Errorf("%+v %v", label.Key, err)
	}
	for _, bad := range []string{"", "a", "a,b,c", "%zz,b"} {
		if err := pk.Set(&label, bad); err == nil {
			t.Errorf("%q is read as a key", bad)
		}
	}
	if err := Parcels.Info().PrimaryKey.Set(&Parcel{}, "1,x"); err == nil {
		t.Error("a number that is none is read as a key")
	}
}
