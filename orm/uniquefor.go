package orm

import (
	"fmt"
	"slices"
	"time"
	"unsafe"

	"github.com/retort-web/retort/orm/schema"
	"github.com/retort-web/retort/validate"
)

// uniqueFor is a tag unique_for_date, _month or _year: no two rows of one day, month or
// year have the same value. It is a rule of Validate and not of the database.
type uniqueFor struct {
	unit string // "date", "month" or "year"
	name string // of the field that has the time
	by   *FieldInfo
}

// uniqueForWords are the words of the tag, with their units.
var uniqueForWords = []struct{ word, unit string }{
	{"unique_for_date", "date"}, {"unique_for_month", "month"}, {"unique_for_year", "year"},
}

func (f *FieldInfo) makeUniqueFor(words tag) {
	for _, w := range uniqueForWords {
		if words.has(w.word) {
			f.uniqueFor = append(f.uniqueFor, uniqueFor{unit: w.unit, name: words[w.word]})
		}
	}
}

// markUniqueFor finds the fields that tags unique_for_… name.
func (m *ModelInfo) markUniqueFor() error {
	for _, f := range m.columns {
		for i := range f.uniqueFor {
			u := &f.uniqueFor[i]
			u.by = m.FieldNamed(u.name)
			if u.by == nil || u.by.Kind != schema.DateTime && u.by.Kind != schema.Date {
				return fmt.Errorf("%s.%s: unique_for_%s=%s in the orm tag does not name a time or day of the model", m.Name, f.Name, u.unit, u.name)
			}
		}
	}
	return nil
}

// span returns the times from which and before which another row is of the same day,
// month or year, in UTC; false if the row has no time.
func (u *uniqueFor) span(row unsafe.Pointer) (from, until any, ok bool) {
	p := unsafe.Add(row, u.by.offset)
	value, err := u.by.codec.load(p)
	at, isTime := value.(time.Time)
	if text, isText := value.(string); isText {
		at, err = time.Parse(time.DateOnly, text)
		isTime = err == nil
	}
	if isZeroMemory(p, u.by.Type) && (u.by.AutoAdd || u.by.AutoNow) {
		at, isTime = time.Now(), true
	}
	if err != nil || !isTime || at.IsZero() {
		return nil, nil, false
	}
	year, month, day := at.UTC().Date()
	years, months, days := 0, 0, 0
	switch u.unit {
	case "year":
		month, day, years = time.January, 1, 1
	case "month":
		day, months = 1, 1
	default:
		days = 1
	}
	start := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	end := start.AddDate(years, months, days)
	if u.by.Kind == schema.Date {
		return start.Format(time.DateOnly), end.Format(time.DateOnly), true
	}
	return start, end, true
}

// uniqueFor looks for another row of the same day, month or year with the same value.
func (v *validation) uniqueFor(f *FieldInfo) error {
	for i := range f.uniqueFor {
		u := &f.uniqueFor[i]
		from, until, ok := u.span(v.row)
		value, err := f.codec.load(unsafe.Add(v.row, f.offset))
		if err != nil || !ok || value == nil || v.errors.Has(u.by.Snake, "") {
			continue // said before, or NULL, which is like nothing else
		}
		q := &query{model: v.m, withDeleted: true, where: []expr{
			&compare{"=", v.m.ref(f), &variable{value}},
			&compare{">=", v.m.ref(u.by), &variable{from}},
			&compare{"<", v.m.ref(u.by), &variable{until}},
		}}
		if key := v.m.keyOf(v.row).value(); key != nil {
			q.where = append(q.where, &compare{"<>", v.m.keyRef(), &variable{key}})
		}
		taken, err := q.exists(v.ctx)
		if err != nil {
			return err
		}
		if taken {
			v.fail(f, &validate.FieldError{
				Code: "taken", Message: fmt.Sprintf("is taken already for this %s", u.unit),
				Params: map[string]any{"unit": u.unit, "field": u.by.Snake},
			})
		}
	}
	return nil
}

// uniqueForFields are the fields whose uniqueness is a matter of the fields given.
func (f *FieldInfo) uniqueForFields() []*FieldInfo {
	fields := []*FieldInfo{f}
	for i := range f.uniqueFor {
		fields = append(fields, f.uniqueFor[i].by)
	}
	return slices.Clip(fields)
}
