package template

import (
	"strings"
	"time"
)

// filterDate writes a time by a format, see formatTime. Default: DATE_FORMAT.
// None, undefined and the zero time give nothing.
func filterDate(f *frame, in value, a []value) value {
	return f.timeBy("date", "DATE_FORMAT", in, a[0])
}

func filterTime(f *frame, in value, a []value) value {
	return f.timeBy("time", "TIME_FORMAT", in, a[0])
}

func (f *frame) timeBy(what, layout string, in, format value) value {
	if !format.isZeroArgument() {
		layout = wantString(what, format)
	}
	t, ok := wantTime(what, in)
	if !ok {
		return empty
	}
	return stringValue(formatTime(f.x, t, layout))
}

// wantTime reads a time; ok is false for what stands for no time at all.
func wantTime(what string, v value) (time.Time, bool) {
	if t, ok := v.goTime(); ok {
		return t, !t.IsZero()
	}
	if v.kind == kindNone || v.isUndefined() {
		return time.Time{}, false
	}
	if s := v.plain(); s.isString() {
		for _, layout := range [...]string{
			time.RFC3339Nano, "2006-01-02 15:04:05.999999999-07:00", time.DateTime, time.DateOnly,
			"2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", // as forms send them
		} {
			if t, err := time.Parse(layout, s.str()); err == nil {
				return t, true
			}
		}
	}
	panic(runtimeError("%s: expected a time, not '%s'", what, v.typeName()))
}

// filterTimezone moves a time to another zone, given by its name or as a
// *time.Location.
func filterTimezone(_ *frame, in value, a []value) value {
	t, ok := wantTime("timezone", in)
	if !ok {
		return empty
	}
	return fromAny(t.In(wantZone("timezone", a[0])))
}

func filterUTC(_ *frame, in value, _ []value) value {
	t, ok := wantTime("utc", in)
	if !ok {
		return empty
	}
	return fromAny(t.UTC())
}

// filterLocaltime moves a time to the zone that dates are shown in.
func filterLocaltime(f *frame, in value, _ []value) value {
	t, ok := wantTime("localtime", in)
	if !ok {
		return empty
	}
	return fromAny(f.x.reader.local(t))
}

func filterTimesince(f *frame, in value, a []value) value {
	t, ok := wantTime("timesince", in)
	if !ok {
		return empty
	}
	return stringValue(span2(f.x, t, f.now(a[0])))
}

func filterTimeuntil(f *frame, in value, a []value) value {
	t, ok := wantTime("timeuntil", in)
	if !ok {
		return empty
	}
	return stringValue(span2(f.x, f.now(a[0]), t))
}

func (f *frame) now(v value) time.Time {
	if !v.isZeroArgument() {
		if t, ok := wantTime("now", v); ok {
			return t
		}
	}
	return f.x.engine.now()
}

// units are those a span is written in, with their names for the translator.
var units = [...][2]string{
	{"%(num)d year", "%(num)d years"},
	{"%(num)d month", "%(num)d months"},
	{"%(num)d week", "%(num)d weeks"},
	{"%(num)d day", "%(num)d days"},
	{"%(num)d hour", "%(num)d hours"},
	{"%(num)d minute", "%(num)d minutes"},
}

// span2 writes the time between two moments in its two largest units that
// follow each other, as "1 week, 3 days"; a moment in the future is
// "0 minutes" ago.
func span2(x *exec, from, to time.Time) string {
	counts := [len(units)]int{}
	if to.After(from) {
		counts = spanUnits(from, to)
	}
	var parts []string
	for i, n := range counts {
		if n == 0 {
			if len(parts) > 0 {
				break
			}
			continue
		}
		parts = append(parts, x.translatedCount(units[i][0], units[i][1], n))
		if len(parts) == 2 {
			break
		}
	}
	if len(parts) == 0 {
		return x.translatedCount(units[len(units)-1][0], units[len(units)-1][1], 0)
	}
	return strings.Join(parts, x.translated(", "))
}

func spanUnits(from, to time.Time) [len(units)]int {
	months := (to.Year()-from.Year())*12 + int(to.Month()) - int(from.Month())
	if addMonths(from, months).After(to) {
		months--
	}
	rest := to.Sub(addMonths(from, months))
	days := int(rest.Hours()) / 24
	return [...]int{months / 12, months % 12, days / 7, days % 7, int(rest.Hours()) % 24, int(rest.Minutes()) % 60}
}

// addMonths keeps the day of the month where the month has it, else takes the
// month's last day.
func addMonths(t time.Time, n int) time.Time {
	if n == 0 {
		return t // which of two equal hours it is, where clocks go back, stays known
	}
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

// filterNaturaltime is a time as people say it: "now", "3 minutes ago",
// "2 days from now".
func filterNaturaltime(f *frame, in value, a []value) value {
	t, ok := wantTime("naturaltime", in)
	if !ok {
		return empty
	}
	at, x := f.now(a[0]), f.x
	d, future := at.Sub(t), false
	if d < 0 {
		d, future = -d, true
	}
	say := func(one, many string, n time.Duration) value {
		if future {
			one, many = strings.Replace(one, " ago", " from now", 1), strings.Replace(many, " ago", " from now", 1)
		}
		return stringValue(x.translatedCount(one, many, int(n)))
	}
	switch {
	case d < time.Second:
		return stringValue(x.translated("now"))
	case d < time.Minute:
		return say("a second ago", "%(num)d seconds ago", d/time.Second)
	case d < time.Hour:
		return say("a minute ago", "%(num)d minutes ago", d/time.Minute)
	case d < 24*time.Hour:
		return say("an hour ago", "%(num)d hours ago", d/time.Hour)
	case future:
		return stringValue(strings.Replace(x.translated("%(delta)s from now"), "%(delta)s", span2(x, at, t), 1))
	}
	return stringValue(strings.Replace(x.translated("%(delta)s ago"), "%(delta)s", span2(x, t, at), 1))
}

// filterNaturalday is "today", "yesterday" or "tomorrow", and the date else.
func filterNaturalday(f *frame, in value, a []value) value {
	t, ok := wantTime("naturalday", in)
	if !ok {
		return empty
	}
	now := f.x.engine.now()
	t = f.x.reader.local(t)
	now = now.In(t.Location())
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	switch day(t).Sub(day(now)) {
	case 0:
		return stringValue(f.x.translated("today"))
	case 24 * time.Hour:
		return stringValue(f.x.translated("tomorrow"))
	case -24 * time.Hour:
		return stringValue(f.x.translated("yesterday"))
	}
	return f.timeBy("naturalday", "DATE_FORMAT", in, a[0])
}
