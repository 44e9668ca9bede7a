package orm_test

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
)

// Celsius says itself how it is stored.
type Celsius struct{ degrees float64 }

func (Celsius) ColumnType() orm.ColumnType {
	return orm.ColumnType{Type: schema.Decimal, Size: 6, Scale: 2}
}

func (c Celsius) Value() (driver.Value, error) { return fmt.Sprintf("%.2f", c.degrees), nil }

func (c *Celsius) Scan(v any) error {
	if b, ok := v.([]byte); ok {
		v = string(b)
	}
	_, err := fmt.Sscan(fmt.Sprint(v), &c.degrees)
	return err
}

func (c Celsius) Validate() error {
	if c.degrees < -273.15 {
		return errors.New("is below absolute zero")
	}
	return nil
}

type Kind struct {
	orm.Model
	Day       orm.Date
	MaybeDay  *orm.Date
	Opens     orm.TimeOfDay
	MaybeOpen *orm.TimeOfDay
	Addr      netip.Addr   `orm:"null"`
	Net       netip.Prefix `orm:"null"`
	Token     [16]byte
	Price     string  `orm:"type=decimal,size=20,scale=3,default=0"`
	Temp      Celsius `orm:"unique"`
	Email     string  `orm:"email"`
	Site      string  `orm:"url,blank"`
	Slug      string  `orm:"slug"`
	Plate     string  `orm:"size=10,regex='^[A-Z]{2} [0-9]+$'"`
	Data      orm.JSON[map[string]any]
	Words     []string  `orm:"array"`
	Numbers   []int64   `orm:"array,null"`
	Ratios    []float64 `orm:"array"`
	Flags     []bool    `orm:"array"`
	Small     int       `orm:"type=int16"`
}

func kind1() *Kind {
	return &Kind{
		Day: orm.NewDate(2024, 2, 29), MaybeDay: new(orm.NewDate(1969, 12, 31)),
		Opens: orm.NewTimeOfDay(23, 59, 59, 123456), MaybeOpen: new(orm.NewTimeOfDay(0, 0, 0, 0)),
		Addr: netip.MustParseAddr("2001:db8::1"), Net: netip.MustParsePrefix("10.0.0.0/8"),
		Token: [16]byte{1, 2, 255}, Price: "12345678901234567.125", Temp: Celsius{-12.5},
		Email: "a@example.com", Slug: "x", Plate: "AB 12",
		Data:  orm.JSONOf(map[string]any{"a": []any{1.0, "<b>"}}),
		Words: []string{"", `a "b" \ {c},`, "é漢", "NULL", "null"}, Numbers: []int64{math.MinInt64, math.MaxInt64},
		Ratios: []float64{0.1, -2e300}, Flags: []bool{true, false}, Small: -32768,
	}
}

var TestKinds = orm.Register[Kind]()

func TestKindsSurviveTheRoundTrip(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		k := TestKinds.Fields()
		full := kind1()
		empty := &Kind{Words: []string{}, Ratios: []float64{}, Flags: []bool{}}
		must(t, TestKinds.Insert(ctx, full, empty))
		for _, want := range []*Kind{full, empty} {
			got, err := TestKinds.Where(orm.Eq(&k.ID, want.ID)).Get(ctx)
			must(t, err)
			if want == empty {
				want.Price = "0.000"
			}
			options := cmp.Options{
				cmp.Comparer(func(a, b orm.Date) bool { return a == b }), cmp.Comparer(func(a, b orm.TimeOfDay) bool { return a == b }),
				cmp.Comparer(func(a, b Celsius) bool { return a == b }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
				cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
			}
			if d := cmp.Diff(want, got, options); d != "" {
				t.Error(d)
			}
		}
		for name, cond := range map[string]orm.Cond{
			"date": orm.Eq(&k.Day, orm.NewDate(2024, 2, 29)), "date range": orm.Gt(&k.Day, orm.NewDate(2024, 2, 28)),
			"date lookup": orm.Lookup("maybe_day", "1969-12-31"), "time": orm.Gt(&k.Opens, orm.NewTimeOfDay(12, 0, 0, 0)),
			"time lookup": orm.Lookup("opens__gte", "23:59"), "address": orm.Eq(&k.Addr, full.Addr), "address text": orm.Lookup("addr", "2001:db8::1"),
			"network": orm.Eq(&k.Net, full.Net), "uuid": orm.Eq(&k.Token, full.Token), "own type": orm.Eq(&k.Temp, Celsius{-12.5}), "no number": orm.NotNull(&k.Numbers),
		} {
			if n, err := TestKinds.Where(cond).Count(ctx); n != 1 || err != nil {
				t.Errorf("%s: %d, %v", name, n, err)
			}
		}
	})
}

func TestValuesAreCheckedBeforeTheyAreSent(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		for _, test := range []struct {
			want  string
			code  string
			shown string // to who gave the value
			spoil func(k *Kind)
		}{
			{"Kind.Plate: has 11 characters where 10 are allowed", "max_length", "must have at most 10 characters", func(k *Kind) { k.Plate = "éééééééééé1" }},
			{"Kind.Slug: has a NUL character", "null_character", "must not contain the null character", func(k *Kind) { k.Slug = "a\x00b" }},
			{"Kind.Email: is not valid UTF-8", "encoding", "must be text in UTF-8", func(k *Kind) { k.Email = "a\xff" }},
			{"Kind.Words: is not valid UTF-8", "encoding", "must be text in UTF-8", func(k *Kind) { k.Words = []string{"a\xff"} }},
			{"Kind.Words: is null", "required", "is required", func(k *Kind) { k.Words = nil }},
			{"Kind.Small: 32768 is out of range", "range", "must be between -32768 and 32767", func(k *Kind) { k.Small = 32768 }},
			{"Kind.Price: has 4 digits after the point", "digits", "must have at most 17 digits before the point and 3 after it", func(k *Kind) { k.Price = "1.2345" }},
			{"Kind.Price: has 18 digits before the point", "digits", "must have at most 17 digits before the point and 3 after it", func(k *Kind) { k.Price = "123456789012345678" }},
			{`Kind.Price: "many" is not a decimal number`, "type", "must be a number", func(k *Kind) { k.Price = "many" }},
			{"Kind.Temp: has 5 digits before the point", "digits", "must have at most 4 digits before the point and 2 after it", func(k *Kind) { k.Temp = Celsius{12345} }},
		} {
			k := kind1()
			test.spoil(k)
			err := TestKinds.Insert(ctx, k)
			wrong, ok := errors.AsType[*orm.ValueError](err)
			if !ok || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v", test.want, err)
				continue
			}
			if fault := wrong.Fault(); fault.Field != wrong.Field.Snake || fault.Code != test.code || fault.Message != test.shown {
				t.Errorf("%s: %+v", test.want, fault)
			}
		}
	})
}

func TestJSONTellsNullFromNull(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		k := TestKinds.Fields()
		null, missing := kind1(), kind1()
		null.Data, missing.Data = orm.JSONOf[map[string]any](nil), orm.JSON[map[string]any]{}
		missing.Temp.degrees = 1
		must(t, TestKinds.Insert(ctx, null, missing))
		got, err := TestKinds.Where(orm.IsNull(&k.Data)).All(ctx)
		if err != nil || len(got) != 1 || got[0].ID != missing.ID || got[0].Data.Valid {
			t.Error(got, err)
		}
		got, err = TestKinds.Where(orm.NotNull(&k.Data)).All(ctx)
		if err != nil || len(got) != 1 || !got[0].Data.Valid || got[0].Data.V != nil {
			t.Error(got, err)
		}
	})
	var j orm.JSON[[]int]
	if b, err := json.Marshal(j); string(b) != "null" || err != nil {
		t.Error(string(b), err)
	}
	if err := json.Unmarshal([]byte("[1,2]"), &j); err != nil || !j.Valid || len(j.V) != 2 {
		t.Error(j, err)
	}
	if err := j.Scan(5); err == nil {
		t.Error("a number is JSON text")
	}
}

// Order has columns that the database fills in.
type Order struct {
	orm.Model
	Count  int
	Price  int
	Total  int `orm:"index"`
	Double int
	State  string    `orm:"size=10,db_default=new"`
	Weight float64   `orm:"db_default=1.5"`
	Placed time.Time `orm:"db_default=now"`
}

func (Order) Meta(o *Order) orm.Meta {
	return orm.Meta{
		Table: "shop_order",
		Computed: orm.Computed(
			orm.Compute(&o.Total, orm.AddField(&o.Count, &o.Price)).Stored(),
			orm.Compute(&o.Double, orm.Mul(&o.Price, 2)),
		),
	}
}

var Orders = orm.Register[Order]()

func TestDatabaseFillsAndComputes(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		o := Orders.Fields()
		day := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
		plain := &Order{Count: 2, Price: 5, Total: 999}
		given := &Order{Count: 3, Price: 5, State: "paid", Weight: 2, Placed: day}
		must(t, Orders.Insert(ctx, plain, given))
		if plain.Total != 7 || plain.Double != 10 || plain.State != "new" || plain.Weight != 1.5 || time.Since(plain.Placed).Abs() > time.Minute {
			t.Errorf("%+v", plain)
		}
		if given.Total != 8 || given.State != "paid" || given.Weight != 2 || !given.Placed.Equal(day) {
			t.Errorf("%+v", given)
		}
		plain.Price = 7
		must(t, Orders.UpdateRow(ctx, plain, &o.Price))
		if plain.Total != 9 {
			t.Errorf("%+v", plain)
		}
		plain.Price, given.Price = 1, 1
		must(t, Orders.UpdateRows(ctx, []*Order{plain, given}, &o.Price))
		if plain.Total != 3 || given.Total != 4 {
			t.Error(plain.Total, given.Total)
		}
		if err := Orders.UpdateRow(ctx, plain, &o.Total); err == nil {
			t.Error("a computed field is written")
		}
		if _, err := Orders.UpdateAll(ctx, orm.Set(&o.Total, 1)); err == nil {
			t.Error("a computed field is set")
		}
		alone := &Order{Count: 1, Price: 1}
		must(t, Orders.Insert(ctx, alone))
		if alone.ID == 0 || alone.State != "new" || alone.Total != 2 {
			t.Errorf("%+v", alone)
		}
		if n, err := Orders.Where(orm.Eq(&o.Total, 4)).Count(ctx); n != 1 || err != nil {
			t.Error(n, err)
		}
	})
}

func TestUpsertRows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		g := Tags.Fields()
		old := &Tag{Name: "tag 7"}
		must(t, Tags.Insert(ctx, old))
		tags := make([]*Tag, 250)
		for i := range tags {
			tags[i] = &Tag{Name: fmt.Sprint("tag ", i)}
		}
		must(t, Tags.UpsertRows(ctx, tags, orm.Conflict{Fields: orm.Fields(&g.Name), Nothing: true}))
		if tags[7].ID != old.ID {
			t.Error(tags[7].ID, old.ID)
		}
		for _, tag := range tags {
			if got, err := Tags.Where(orm.Eq(&g.ID, tag.ID)).Get(ctx); err != nil || got.Name != tag.Name {
				t.Fatal(got, tag, err)
			}
		}
		p := Pages.Fields()
		pages := []*Page{{Path: "/1", Title: "one"}, {Path: "/2", Title: "two"}}
		must(t, Pages.Insert(ctx, &Page{Path: "/2", Title: "old", Visits: 5}))
		must(t, Pages.UpsertRows(ctx, pages, orm.Conflict{Fields: orm.Fields(&p.Path), Update: orm.Fields(&p.Title)}))
		got, err := Pages.Where(orm.Eq(&p.Path, "/2")).Get(ctx)
		if err != nil || got.Title != "two" || got.Visits != 5 || got.ID != pages[1].ID {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
