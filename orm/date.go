package orm

import (
	"cmp"
	"fmt"
	"time"
	"unsafe"
)

// Date is a day of the calendar, without a time or a zone: a birthday, a due date. The
// zero value is the first of January of the year 1, as that of time.Time. Dates can be
// compared with == and used as keys of maps.
type Date struct{ days int32 } // since the zero value

const secondsPerDay = 24 * 60 * 60

var firstDay = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

// NewDate returns a day. Months and days outside of their range are carried over, as
// time.Date does: the 32nd of January is the first of February.
func NewDate(year int, month time.Month, day int) Date {
	return Date{int32((time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() - firstDay) / secondsPerDay)}
}

// DateOf returns the day that t is in its own zone.
func DateOf(t time.Time) Date { return NewDate(t.Date()) }

// Today returns the day it is in a zone now; nil is UTC.
func Today(zone *time.Location) Date {
	if zone == nil {
		zone = time.UTC
	}
	return DateOf(time.Now().In(zone))
}

// ParseDate reads a day written as 2006-01-02.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a date such as 2006-01-02", s)
	}
	return DateOf(t), nil
}

// Date returns year, month and day.
func (d Date) Date() (year int, month time.Month, day int) { return d.In(nil).Date() }

// Year returns the year.
func (d Date) Year() int { return d.In(nil).Year() }

// Month returns the month.
func (d Date) Month() time.Month { return d.In(nil).Month() }

// Day returns the day of the month.
func (d Date) Day() int { return d.In(nil).Day() }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.In(nil).Weekday() }

// In returns the moment at which the day begins in a zone; nil is UTC.
func (d Date) In(zone *time.Location) time.Time {
	t := time.Unix(firstDay+int64(d.days)*secondsPerDay, 0).UTC()
	if zone == nil {
		return t
	}
	year, month, day := t.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, zone)
}

// AddDays returns the day that is n days later, or earlier if n is negative.
func (d Date) AddDays(n int) Date { return Date{d.days + int32(n)} }

// AddDate returns the day that is so many years, months and days later, as
// time.Time.AddDate does.
func (d Date) AddDate(years, months, days int) Date {
	return DateOf(d.In(nil).AddDate(years, months, days))
}

// DaysSince returns how many days d is later than other.
func (d Date) DaysSince(other Date) int { return int(d.days - other.days) }

// Compare returns -1, 0 or +1 as d is before, the same as or after other.
func (d Date) Compare(other Date) int { return cmp.Compare(d.days, other.days) }

// Before reports whether d is earlier than other.
func (d Date) Before(other Date) bool { return d.days < other.days }

// After reports whether d is later than other.
func (d Date) After(other Date) bool { return d.days > other.days }

// IsZero reports whether d is the zero value.
func (d Date) IsZero() bool { return d.days == 0 }

// String returns the day as 2006-01-02.
func (d Date) String() string { return d.In(nil).Format(time.DateOnly) }

// MarshalText writes the day as 2006-01-02.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a day written as 2006-01-02; an empty text is the zero value.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	parsed, err := ParseDate(string(text))
	if err == nil {
		*d = parsed
	}
	return err
}

func loadCivilDate(p unsafe.Pointer) (any, error) { return (*Date)(p).String(), nil }

func storeCivilDate(p unsafe.Pointer, v any) error {
	t, err := instant(v)
	*(*Date)(p) = DateOf(t)
	return err
}

// TimeOfDay is a time on the clock, to the microsecond, without a day or a zone: the hour
// at which a shop opens. The zero value is midnight.
type TimeOfDay struct{ micros int64 }

const microsPerDay = secondsPerDay * 1_000_000

// NewTimeOfDay returns a time of day. What is more than a day is left out.
func NewTimeOfDay(hour, minute, second, micro int) TimeOfDay {
	n := ((int64(hour)*60+int64(minute))*60+int64(second))*1_000_000 + int64(micro)
	return TimeOfDay{(n%microsPerDay + microsPerDay) % microsPerDay}
}

// TimeOfDayOf returns what the clock says at t in its own zone.
func TimeOfDayOf(t time.Time) TimeOfDay {
	return NewTimeOfDay(t.Hour(), t.Minute(), t.Second(), t.Nanosecond()/1000)
}

// timeOfDayLayouts are the forms in which a time of day is read.
var timeOfDayLayouts = []string{"15:04:05.999999999", "15:04", time.Kitchen}

// ParseTimeOfDay reads a time of day written as 15:04, 15:04:05, with or without a
// fraction, or 3:04PM.
func ParseTimeOfDay(s string) (TimeOfDay, error) {
	for _, layout := range timeOfDayLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return TimeOfDayOf(t), nil
		}
	}
	return TimeOfDay{}, fmt.Errorf("%q is not a time of day such as 15:04:05", s)
}

// SinceMidnight returns how long after midnight it is, on a day without a change of clocks.
func (d TimeOfDay) SinceMidnight() time.Duration {
	return time.Duration(d.micros) * time.Microsecond
}

// Clock returns hour, minute and second.
func (d TimeOfDay) Clock() (hour, minute, second int) {
	seconds := int(d.micros / 1_000_000)
	return seconds / 3600, seconds / 60 % 60, seconds % 60
}

// On returns the moment of a day at which the clock says so in a zone; nil is UTC.
func (d TimeOfDay) On(day Date, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	year, month, number := day.Date()
	hour, minute, second := d.Clock()
	return time.Date(year, month, number, hour, minute, second, int(d.micros%1_000_000)*1000, zone)
}

// Compare returns -1, 0 or +1 as d is before, the same as or after other.
func (d TimeOfDay) Compare(other TimeOfDay) int { return cmp.Compare(d.micros, other.micros) }

// String returns the time as 15:04:05, with a fraction if there is one.
func (d TimeOfDay) String() string { return d.On(Date{}, nil).Format("15:04:05.999999") }

// MarshalText writes the time as String does.
func (d TimeOfDay) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [ParseTimeOfDay] does; an empty text is midnight.
func (d *TimeOfDay) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = TimeOfDay{}
		return nil
	}
	parsed, err := ParseTimeOfDay(string(text))
	if err == nil {
		*d = parsed
	}
	return err
}

// timeOfDayLayout is how a time of day is stored as text: of fixed width, so that text
// order is time order.
const timeOfDayLayout = "15:04:05.000000"

func loadTimeOfDay(p unsafe.Pointer) (any, error) {
	return (*TimeOfDay)(p).On(Date{}, nil).Format(timeOfDayLayout), nil
}

func storeTimeOfDay(p unsafe.Pointer, v any) error {
	var err error
	d := (*TimeOfDay)(p)
	switch v := v.(type) {
	case time.Time:
		*d = TimeOfDayOf(v)
	case int64: // microseconds
		*d = NewTimeOfDay(0, 0, 0, int(v))
	case string:
		*d, err = ParseTimeOfDay(v)
	case []byte:
		*d, err = ParseTimeOfDay(string(v))
	default:
		err = mismatch(v, "time of day")
	}
	return err
}
