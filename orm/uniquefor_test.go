package orm_test

import (
	"errors"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

type Edition struct {
	orm.Model
	Slug  string     `orm:"size=20,unique_for_date=Out"`
	Title string     `orm:"size=20,blank,unique_for_month=Day,unique_for_year=out"`
	Out   *time.Time `orm:"blank"`
	Day   orm.Date   `orm:"blank"`
}

var Editions = orm.Register[Edition]()

func TestUniqueForDate(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		e := Editions.Fields()
		at := func(month time.Month, day, hour int) *time.Time {
			return new(time.Date(2026, month, day, hour, 0, 0, 0, time.UTC))
		}
		date := func(month time.Month, day int) orm.Date { return orm.DateOf(*at(month, day, 0)) }
		there := &Edition{Slug: "a", Title: "T", Out: at(5, 1, 0), Day: date(5, 1)}
		must(t, Editions.Insert(ctx, there))
		for name, test := range map[string]struct {
			row    *Edition
			fields []any
			wrong  []string
		}{
			"itself":          {there, nil, nil},
			"the same day":    {&Edition{Slug: "a", Title: "x", Out: at(5, 1, 23), Day: date(6, 1)}, nil, []string{"slug"}},
			"the next day":    {&Edition{Slug: "a", Title: "x", Out: at(5, 2, 0), Day: date(6, 1)}, nil, nil},
			"the day before":  {&Edition{Slug: "a", Title: "x", Out: at(4, 30, 23), Day: date(6, 1)}, nil, nil},
			"another":         {&Edition{Slug: "b", Title: "x", Out: at(5, 1, 1), Day: date(5, 1)}, nil, nil},
			"no time":         {&Edition{Slug: "a", Title: "x", Day: date(5, 1)}, nil, nil},
			"month and year":  {&Edition{Slug: "c", Title: "T", Out: at(12, 31, 23), Day: date(5, 31)}, nil, []string{"title", "title"}},
			"another month":   {&Edition{Slug: "c", Title: "T", Day: date(6, 1)}, nil, nil},
			"the other field": {&Edition{Slug: "a", Title: "x", Out: at(5, 1, 2)}, []any{&e.Out}, []string{"slug"}},
			"not concerned":   {&Edition{Slug: "a", Title: "x", Out: at(5, 1, 2)}, []any{&e.Day}, nil},
		} {
			err := Editions.Validate(ctx, test.row, test.fields...)
			faults, _ := errors.AsType[validate.Errors](err)
			if len(faults) != len(test.wrong) || err != nil && len(faults) == 0 {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for _, field := range test.wrong {
				if !faults.Has(field, "taken") {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	})
}

type badUniqueFor struct {
	orm.Model
	A string `orm:"unique_for_date=B"`
	B string
}

func TestUniqueForNamesATime(t *testing.T) {
	t.Parallel()
	if err := orm.TryRegister[badUniqueFor](); err == nil {
		t.Error("no error")
	}
}
