package orm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// Voucher has values that the database makes of expressions.
type Voucher struct {
	orm.Model
	Name   string `orm:"size=40"`
	Code   string `orm:"size=40"`
	Amount int
	Since  time.Time
	Day    orm.Date
	Note   *string `orm:"size=40"`
}

func (Voucher) Meta(v *Voucher) orm.Meta {
	return orm.Meta{DBDefaults: orm.DBDefaults(
		orm.DBDefault(&v.Code, orm.Upper(orm.V("it's new"))),
		orm.DBDefault(&v.Amount, orm.RawExpr("2 + 3")),
		orm.DBDefault(&v.Since, orm.Now()),
		orm.DBDefault(&v.Day, orm.Now()),
		orm.DBDefault(&v.Note, orm.Coalesce(orm.Lower(orm.V("NONE")), "x")),
	)}
}

var Vouchers = orm.Register[Voucher]()

func TestDBDefaultsOfExpressions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		v := Vouchers.Fields()
		own, empty := &Voucher{Code: "mine", Amount: 7, Note: new("noted")}, &Voucher{Name: "empty"}
		must(t, Vouchers.Insert(ctx, own, empty))
		if empty.Code != "IT'S NEW" || empty.Amount != 5 || *empty.Note != "none" || empty.Since.IsZero() || empty.Day.IsZero() {
			t.Errorf("%+v", empty)
		}
		if own.Code != "mine" || own.Amount != 7 || *own.Note != "noted" {
			t.Errorf("%+v", own)
		}
		must(t, Vouchers.Upsert(ctx, &Voucher{Amount: 9}, orm.Conflict{}))
		stored := must1[*Voucher](t)(Vouchers.Where(orm.Eq(&v.Amount, 9)).Get(ctx))
		if stored.Code != "IT'S NEW" || time.Since(stored.Since) > time.Hour {
			t.Errorf("%+v", stored)
		}
	})
}

type (
	defaultOfField struct {
		orm.Model
		A, B string
	}
	defaultTwice struct {
		orm.Model
		A string `orm:"default=x"`
	}
	defaultOfTime struct {
		orm.Model
		A string
	}
	defaultOfOne struct {
		orm.Model
		A time.Time
	}
)

func (defaultOfField) Meta(d *defaultOfField) orm.Meta {
	return orm.Meta{DBDefaults: orm.DBDefaults(orm.DBDefault(&d.A, orm.Lower(&d.B)))}
}

func (defaultTwice) Meta(d *defaultTwice) orm.Meta {
	return orm.Meta{DBDefaults: orm.DBDefaults(orm.DBDefault(&d.A, orm.V("y")))}
}

func (defaultOfTime) Meta(d *defaultOfTime) orm.Meta {
	return orm.Meta{DBDefaults: orm.DBDefaults(orm.DBDefault(&d.A, orm.Now()))}
}

func (defaultOfOne) Meta(d *defaultOfOne) orm.Meta {
	return orm.Meta{DBDefaults: orm.DBDefaults(orm.DBDefault(&d.A, orm.F(orm.Now()).Add(time.Hour)))}
}

func TestDBDefaultsRefuse(t *testing.T) {
	t.Parallel()
	for want, register := range map[string]func() error{
		"a default knows no fields": orm.TryRegister[defaultOfField],
		"filled in in another way":  orm.TryRegister[defaultTwice],
		"Now is for times":          orm.TryRegister[defaultOfTime],
		"sql has no function":       orm.TryRegister[defaultOfOne],
	} {
		if err := register(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
