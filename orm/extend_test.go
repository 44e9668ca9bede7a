package orm_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
)

// Holder is a model of a library, which a site extends.
type Holder struct {
	orm.Model
	Email string `orm:"size=100,unique"`
	Key   string `orm:"size=100,blank"`
	Rings orm.ManyToMany[Ring]
	Keys  orm.HasMany[DoorKey]
	log   *[]string
}

func (Holder) Meta(h *Holder) orm.Meta {
	return orm.Meta{OrderBy: orm.By(orm.Asc(&h.Email)), Checks: orm.Checks(orm.Check("holder_email", orm.Ne(&h.Email, "")))}
}

func (h *Holder) BeforeSave(_ context.Context, e orm.Event) error {
	h.Key = strings.ToLower(h.Email)
	if h.log != nil {
		*h.log = append(*h.log, "holder "+e.Model.Name)
	}
	return nil
}

type Ring struct {
	orm.Model
	Name    string                 `orm:"size=20"`
	Holders orm.ManyToMany[Holder] `orm:"reverse=Rings"`
}

// DoorKey refers to the model of the library.
type DoorKey struct {
	orm.Model
	Holder orm.FK[Holder] `orm:"on_delete=cascade"`
	Door   string         `orm:"size=20"`
}

type Tariff struct {
	orm.Model
	Name string `orm:"size=20"`
}

// Tenant is the site's own, whose struct does not even begin with that of the library.
type Tenant struct {
	Phone *string `orm:"size=20,unique"`
	Holder
	Tariff orm.FK[Tariff] `orm:"null,on_delete=set_null"`
	Marks  orm.ManyToMany[Tariff]
	Pets   int `orm:"default=0"`
}

func (Tenant) Meta(t *Tenant) orm.Meta {
	return orm.Meta{
		Checks:  orm.Checks(orm.Check("tenant_pets", orm.Ge(&t.Pets, 0))),
		Indexes: orm.Indexes(orm.Index(&t.Pets, &t.Email)),
	}
}

func (t *Tenant) BeforeSave(ctx context.Context, e orm.Event) error {
	if t.log != nil {
		*t.log = append(*t.log, "tenant "+e.Model.Name)
	}
	return nil
}

// Rent refers to the model of the site.
type Rent struct {
	orm.Model
	Tenant orm.FK[Tenant] `orm:"on_delete=cascade"`
}

var (
	Holders  = orm.Register[Holder]()
	Rings    = orm.Register[Ring]()
	DoorKeys = orm.Register[DoorKey]()
	Tariffs  = orm.Register[Tariff]()
	Tenants  = orm.Extend[Tenant](Holders)
	Rents    = orm.Register[Rent]()
)

func TestExtendedModels(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		tariff := &Tariff{Name: "flat"}
		must(t, Tariffs.Insert(ctx, tariff))
		var log []string
		ann := Tenants.New()
		ann.Email, ann.Phone, ann.Pets, ann.log = "Ann@example.com", new("123"), 2, &log
		ann.Tariff.Set(tariff)
		must(t, Tenants.Insert(ctx, ann))
		if want := []string{"holder Holder", "tenant Tenant"}; !slices.Equal(log, want) {
			t.Errorf("the hooks were %v, want %v", log, want)
		}
		// Code of the library, which does not know of tenants.
		bob := &Holder{Email: "bob@example.com"}
		must(t, Holders.Insert(ctx, bob))
		h, p := Holders.Fields(), Tenants.Fields()
		read := must1[*Holder](t)(Holders.Where(orm.Eq(&h.Key, "ann@example.com")).Get(ctx))
		if read.ID != ann.ID || read.Email != "Ann@example.com" {
			t.Errorf("%+v", read)
		}
		whole := must1[[]*Tenant](t)(Tenants.Where(orm.Or(orm.Eq(&p.Phone, new("123")), orm.Eq(&p.Email, "bob@example.com"))).With(&p.Tariff).All(ctx))
		if len(whole) != 2 || whole[0].ID != ann.ID || whole[0].Tariff.To().Name != "flat" || whole[1].Phone != nil || whole[1].Pets != 0 || whole[1].Email != "bob@example.com" {
			t.Fatalf("%+v", whole)
		}
		// What the library writes leaves the site's columns alone, and the other way around.
		read.Email = "anna@example.com"
		must(t, Holders.UpdateRow(ctx, read, &h.Email, &h.Key))
		whole[0].Pets = 3
		must(t, Tenants.UpdateRow(ctx, whole[0], &p.Pets))
		again := must1[*Tenant](t)(Tenants.Where(orm.Eq(&p.ID, ann.ID)).Get(ctx))
		if again.Email != "anna@example.com" || *again.Phone != "123" || again.Pets != 3 {
			t.Errorf("%+v", again)
		}
		if n := must1[int64](t)(Tenants.Where(orm.Lookup("tariff__name", "flat"), orm.Lookup("email__startswith", "anna")).Count(ctx)); n != 1 {
			t.Error(n)
		}
		// Constraints of both hold, and say which field it was.
		for _, wrong := range []*Tenant{{Holder: Holder{Email: "anna@example.com"}}, {Holder: Holder{Email: "x@example.com"}, Phone: new("123")}} {
			err := Tenants.Insert(ctx, wrong)
			e, ok := errors.AsType[*orm.ConstraintError](err)
			if !ok || e.Kind != orm.UniqueConstraint {
				t.Fatal(err)
			}
			if fields := e.FieldsOf(Tenants.Info()); len(fields) != 1 || fields[0].Model() != Tenants.Info() {
				t.Errorf("%v: fields %v", err, fields)
			}
		}
		if err := Tenants.Insert(ctx, &Tenant{Holder: Holder{Email: "y@example.com"}, Pets: -1}); err == nil {
			t.Error("the check of the extension does not hold")
		}
		if err := Tenants.Insert(ctx, &Tenant{}); err == nil {
			t.Error("the check of the extended model does not hold")
		}
	})
}

func TestExtendedRelations(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		h, p := Holders.Fields(), Tenants.Fields()
		ann, bob := &Tenant{Holder: Holder{Email: "ann@example.com"}}, &Tenant{Holder: Holder{Email: "bob@example.com"}}
		must(t, Tenants.Insert(ctx, ann, bob))
		ring, tariff := &Ring{Name: "red"}, &Tariff{Name: "flat"}
		must(t, Rings.Insert(ctx, ring))
		must(t, Tariffs.Insert(ctx, tariff))
		// A relation of the library's is one table, whoever names it.
		must(t, ann.Rings.Add(ctx, ring))
		must(t, ann.Marks.Add(ctx, tariff))
		if n := must1[int64](t)(Holders.Where(orm.Eq(&h.Rings.To().Name, "red")).Count(ctx)); n != 1 {
			t.Error("rings of holders", n)
		}
		for _, tenant := range []*Tenant{ann, bob} {
			key := &DoorKey{Door: tenant.Email}
			key.Holder.Set(&tenant.Holder)
			rent := &Rent{}
			rent.Tenant.Set(tenant)
			must(t, DoorKeys.Insert(ctx, key))
			must(t, Rents.Insert(ctx, rent))
		}
		read := must1[*Tenant](t)(Tenants.Where(orm.Eq(&p.Rings.To().Name, "red")).With(&p.Rings, &p.Keys, &p.Marks).Get(ctx))
		if read.ID != ann.ID || len(loaded(read.Rings.Get())) != 1 || len(loaded(read.Keys.Get())) != 1 || len(loaded(read.Marks.Get())) != 1 {
			t.Fatalf("%+v", read)
		}
		// A key of the library's leads back to the part that it knows.
		if back := loaded(read.Keys.Get())[0].Holder.To(); back.Email != "ann@example.com" || back != &read.Holder {
			t.Errorf("%+v", back)
		}
		k, r := DoorKeys.Fields(), Rents.Fields()
		if n := must1[int64](t)(DoorKeys.Where(orm.Eq(&k.Holder.To().Email, "ann@example.com")).Count(ctx)); n != 1 {
			t.Error(n)
		}
		if n := must1[int64](t)(Rents.Where(orm.Eq(&r.Tenant.To().Email, "ann@example.com")).Count(ctx)); n != 1 {
			t.Error(n)
		}
		// Deleting either way takes what refers to both.
		must(t, Tenants.DeleteRow(ctx, ann))
		must(t, Holders.DeleteRow(ctx, &bob.Holder))
		for name, count := range map[string]func(context.Context) (int64, error){"keys": DoorKeys.Count, "rents": Rents.Count, "holders": Holders.Count} {
			if n := must1[int64](t)(count(ctx)); n != 0 {
				t.Errorf("%d %s are left", n, name)
			}
		}
	})
}

func TestExtendedTables(t *testing.T) {
	t.Parallel()
	tables := must1[[]*schema.Table](t)(orm.Tables())
	named := map[string]*schema.Table{}
	for _, table := range tables {
		named[table.Name] = table
	}
	table := named[Holders.Info().Table]
	owners := map[string]string{}
	for _, c := range table.Columns {
		owners[c.Name] = c.Owner
	}
	app := Tenants.Info().App
	want := map[string]string{"id": "", "email": "", "key": "", "phone": app, "tariff_id": app, "pets": app}
	if table.Key() != Holders.Info().Label() || !reflect.DeepEqual(owners, want) {
		t.Errorf("%s: %v", table.Key(), owners)
	}
	if table.Check("holder_email").Owner != "" || table.Check("tenant_pets").Owner != app {
		t.Errorf("%+v", table.Checks)
	}
	if part := table.Part(app); part.App != app || part.Model != Holders.Info().Label() || len(part.Columns) != 3 || len(part.Indexes) != 2 || part.Key() != table.Key() {
		t.Errorf("%+v", part)
	}
	if own := table.Part(""); len(own.Columns) != 3 || len(own.Checks) != 1 || len(own.Indexes) != 0 {
		t.Errorf("%+v", own)
	}
	if Tenants.Info().Extends() != Holders.Info() || Holders.Info().Extension() != Tenants.Info() {
		t.Error("the two do not know of each other")
	}
	ann := &Tenant{Holder: Holder{Email: "ann"}}
	if part := must1[any](t)(Tenants.Info().Part(ann)); part != any(&ann.Holder) {
		t.Errorf("%v", part)
	}
}

type (
	badExtensionOther struct{ Holder }
	badExtensionNone  struct {
		orm.Model
		Name string
	}
	badExtensionOfOne struct{ Tenant }
)

func TestExtensionMistakes(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"does already (at ": orm.TryExtend[badExtensionOther](Holders),
		"does not embed it": orm.TryExtend[badExtensionNone](Tariffs),
		"which extends orm": orm.TryExtend[badExtensionOfOne](Tenants),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Listeners of the library hear of the site's rows as of their own.
func TestExtendedListeners(t *testing.T) {
	t.Parallel()
	ctx := open(t, testdb.SQLite)
	var heard []string
	for _, stop := range []func(){
		Holders.Listen(orm.AfterSave, func(_ context.Context, h *Holder, e orm.Event) error {
			if strings.HasPrefix(h.Email, "listened") {
				heard = append(heard, h.Email+" "+e.Model.Name)
			}
			return nil
		}),
		Tenants.Listen(orm.AfterSave, func(_ context.Context, h *Tenant, e orm.Event) error {
			if strings.HasPrefix(h.Email, "listened") {
				heard = append(heard, h.Email+" "+e.Model.Name)
			}
			return nil
		}),
	} {
		defer stop()
	}
	must(t, Tenants.Insert(ctx, &Tenant{Holder: Holder{Email: "listened 1"}}))
	must(t, Holders.Insert(ctx, &Holder{Email: "listened 2"}))
	if want := []string{"listened 1 Holder", "listened 1 Tenant", "listened 2 Holder"}; !slices.Equal(heard, want) {
		t.Errorf("%v, want %v", heard, want)
	}
}

// loaded are rows that With has loaded; without it there are none.
func loaded[T any](rows []T, err error) []T {
	if err != nil {
		return nil
	}
	return rows
}
