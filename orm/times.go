package orm

import (
	"errors"
	"fmt"
	"time"

	"github.com/retort-web/retort/orm/schema"
)

// Unit is a part of a date or time.
type Unit string

// The parts of a date or time. A week begins on Monday, as in ISO 8601, and its year is
// ISOYear. WeekDay counts from 1 for Sunday to 7 for Saturday, ISOWeekDay from 1 for
// Monday to 7 for Sunday.
const (
	Year       Unit = "year"
	ISOYear    Unit = "iso_year"
	Quarter    Unit = "quarter"
	Month      Unit = "month"
	Week       Unit = "week"
	WeekDay    Unit = "week_day"
	ISOWeekDay Unit = "iso_week_day"
	Day        Unit = "day"
	YearDay    Unit = "year_day"
	Hour       Unit = "hour"
	Minute     Unit = "minute"
	Second     Unit = "second"
)

// Extract is a part of a date or time, a number: the year 2025, the hour 17. Times are
// looked at in the zone that [Expr.AtZone] gives, or that of the query, see [WithZone]:
//
//	orm.Extract(orm.Hour, &p.Published).AtZone(oslo)
func Extract(unit Unit, field any) Expr { return timeCall("extract", unit, field) }

// Trunc is the beginning of the year, quarter, month, week, day, hour, minute or second
// that a date or time is in, a date or time itself. It groups the rows of an archive.
// Days and longer units are those of the zone that [Expr.AtZone] gives, or of the query's.
func Trunc(unit Unit, field any) Expr { return timeCall("trunc", unit, field) }

func timeCall(name string, unit Unit, field any) Expr {
	of := operandOf(field)
	return Expr{&timePart{call{f: Function{Name: name, Args: 1, Unit: unit}, args: []operand{of}, like: -1}}}
}

// AtZone makes Extract and Trunc see times as the clocks of a time zone show them,
// which must be one of the IANA database, such as time.LoadLocation returns.
func (e Expr) AtZone(zone *time.Location) Expr {
	t, ok := e.e.(*timePart)
	switch {
	case !ok:
		return Expr{&invalid{errors.New("orm: AtZone is for Extract and Trunc")}}
	case zone == nil || zone == time.Local:
		return Expr{&invalid{errors.New("orm: AtZone needs a zone with a name that databases know; take one from time.LoadLocation")}}
	}
	if _, err := time.LoadLocation(zone.String()); err != nil {
		return Expr{&invalid{fmt.Errorf("orm: AtZone needs a zone with a name that databases know: %w", err)}}
	}
	zoned := *t
	zoned.f.Zone = zone.String()
	return Expr{&zoned}
}

// Now is the time at which the statement runs, by the clock of the database.
func Now() Expr { return Expr{newCall("now")} }

// timePart is a function of a date or time with a unit.
type timePart struct{ call }

// units are all there are, and whether Trunc takes them. Dialects write a unit into the
// SQL: no other may reach them.
var units = map[Unit]bool{
	Year: true, ISOYear: true, Quarter: true, Month: true, Week: true, Day: true, Hour: true, Minute: true, Second: true,
	WeekDay: false, ISOWeekDay: false, YearDay: false,
}

func (e *timePart) write(c *compiler) {
	t := e.args[0].target(c)
	f := e.f
	if t.field != nil {
		f.Type = t.field.Kind
	}
	if f.Zone == "" {
		f.Zone = "UTC"
		if f.Type != schema.Date {
			f.Zone = c.zoneName()
		}
	}
	clock := f.Unit == Hour || f.Unit == Minute || f.Unit == Second
	switch {
	case c.err != nil:
		return
	case f.Type == schema.Date && (clock || f.Zone != "UTC"):
		c.failf("%s is a date and has neither an hour nor a zone", t.name())
		return
	case f.Type == "" || f.Type == schema.DateTime:
		f.Type = schema.DateTime
	case f.Type != schema.Date:
		c.failf("%s is not a time", t.name())
		return
	}
	truncates, known := units[f.Unit]
	if !known && f.Name == "extract" {
		c.fail(&LookupError{t.field.model.Name, string(f.Unit), "it is no unit of a date or time"})
		return
	}
	if !truncates && f.Name == "trunc" {
		c.fail(&LookupError{t.field.model.Name, string(f.Unit), "a time is truncated to year, iso_year, quarter, month, week, day, hour, minute or second"})
		return
	}
	c.spelled(f, func(int) { e.args[0].write(c) })
}

// target of a truncated time is the time itself: it is compared with times.
func (e *timePart) target(c *compiler) target {
	if e.f.Name == "trunc" {
		return e.args[0].target(c)
	}
	return target{}
}
