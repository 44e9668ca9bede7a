package form

import (
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// Color is an input for a colour, a text such as "#1a2b3c".
type Color struct{}

// Range is a slider for a number; the rules min and max are its ends.
type Range struct {
	Step string // as in [Number]
}

// Date, Time and DateTime are inputs for a time.Time, an orm.Date or orm.TimeOfDay,
// or a text. Min and Max bound them, in the browser and on the server; they are
// written as the input sends them: "2026-01-31", "15:04", "2026-01-31T15:04".
type (
	Date     struct{ Min, Max string }
	Time     struct{ Min, Max string }
	DateTime struct{ Min, Max string }
)

// Month is an input for a month: a text such as "2026-01", or the first day of it.
type Month struct{ Min, Max string }

// Week is an input for a week: a text such as "2026-W05", or the Monday of it.
type Week struct{ Min, Max string }

// SplitDateTime has one input for the date and one for the time of a time.Time. They
// are called like the field with "_date" and "_time".
type SplitDateTime struct{ Min, Max string }

// SelectDate has a list each for year, month and day of a date, where people look up
// a date and do not pick it: birthdays. They are called like the field with "_year",
// "_month" and "_day".
type SelectDate struct {
	From, To int // years; default: the last 120
}

// The texts of months and weeks, as browsers send them.
const (
	monthLayout = "2006-01"
	weekLayout  = "week"
)

// Render appends the input.
func (Color) Render(dst []byte, f *Field) []byte { return f.moment(dst, "color", "", "") }

// Render appends the input.
func (w Range) Render(dst []byte, f *Field) []byte {
	t := f.beginInput(dst, "range")
	f.addBounds(&t, w.Step)
	return f.endInput(&t)
}

// Render appends the input.
func (w Date) Render(dst []byte, f *Field) []byte {
	return f.moment(dst, "date", w.Min, w.Max)
}

// Render appends the input.
func (w Time) Render(dst []byte, f *Field) []byte {
	return f.moment(dst, "time", w.Min, w.Max)
}

// Render appends the input.
func (w DateTime) Render(dst []byte, f *Field) []byte {
	return f.moment(dst, "datetime-local", w.Min, w.Max)
}

// Render appends the input.
func (w Month) Render(dst []byte, f *Field) []byte {
	return f.moment(dst, "month", w.Min, w.Max)
}

// Render appends the input.
func (w Week) Render(dst []byte, f *Field) []byte {
	return f.moment(dst, "week", w.Min, w.Max)
}

// moment writes an input for a moment, or another text that a browser lets one pick.
func (f *Field) moment(dst []byte, kind, least, most string) []byte {
	t := f.beginInput(dst, kind)
	if kind == "time" || kind == "datetime-local" {
		f.addSeconds(&t)
	}
	addRange(&t, least, most)
	return f.endInput(&t)
}

func addRange(t *tag, least, most string) {
	if least != "" {
		t.set("min", least)
	}
	if most != "" {
		t.set("max", most)
	}
}

// addSeconds lets a browser accept the seconds that a value has.
func (f *Field) addSeconds(t *tag) {
	if strings.Count(f.Value(), ":") >= 2 {
		t.set("step", "1")
	}
}

// Group makes the inputs one group.
func (SplitDateTime) Group() bool { return true }

// Collect makes one text of the two.
func (SplitDateTime) Collect(sent url.Values, name string) []string {
	dates, times := sent[name+"_date"], sent[name+"_time"]
	if dates == nil && times == nil {
		return nil
	}
	date, clock := strings.TrimSpace(first(dates)), strings.TrimSpace(first(times))
	if date == "" && clock == "" {
		return []string{""}
	}
	return []string{date + "T" + clock}
}

// Render appends the inputs.
func (w SplitDateTime) Render(dst []byte, f *Field) []byte {
	date, clock, _ := strings.Cut(f.Value(), "T")
	dst = append(dst, `<div class="options">`...)
	for i, part := range [...]struct{ suffix, kind, label, value string }{
		{"date", "date", "Date", date}, {"time", "time", "Time", clock},
	} {
		dst = append(dst, "<label>"...)
		dst = appendText(dst, f.form.translate(part.label))
		t := f.beginInput(append(dst, ' '), part.kind)
		if part.value != "" {
			t.set("value", part.value)
		}
		if i == 0 {
			least, _, _ := strings.Cut(w.Min, "T")
			most, _, _ := strings.Cut(w.Max, "T")
			addRange(&t, least, most)
		} else {
			f.addSeconds(&t)
		}
		dst = append(f.endPart(&t, part.suffix, i == 0), "></label> "...)
	}
	return append(dst, "</div>"...)
}

// Group makes the lists one group.
func (SelectDate) Group() bool { return true }

// Collect makes one text of the three.
func (SelectDate) Collect(sent url.Values, name string) []string {
	years, months, days := sent[name+"_year"], sent[name+"_month"], sent[name+"_day"]
	if years == nil && months == nil && days == nil {
		return nil
	}
	year, month, day := first(years), first(months), first(days)
	if year == "" && month == "" && day == "" {
		return []string{""}
	}
	pad := func(text string, size int) string {
		if len(text) < size {
			text = strings.Repeat("0", size-len(text)) + text
		}
		return text
	}
	return []string{pad(year, 4) + "-" + pad(month, 2) + "-" + pad(day, 2)}
}

// Render appends the lists.
func (w SelectDate) Render(dst []byte, f *Field) []byte {
	from, to := w.From, w.To
	if from == 0 && to == 0 {
		to = time.Now().Year()
		from = to - 119
	}
	chosen := [3]string{}
	copy(chosen[:], strings.SplitN(f.Value(), "-", 3))
	dst = append(dst, `<div class="options">`...)
	dst = f.numberList(dst, "year", "Year", chosen[0], to, from, nil)
	dst = f.numberList(dst, "month", "Month", chosen[1], 1, 12, monthNames)
	dst = f.numberList(dst, "day", "Day", chosen[2], 1, 31, nil)
	return append(dst, "</div>"...)
}

var monthNames = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}

// numberList writes a list of the numbers between two, in either direction.
func (f *Field) numberList(dst []byte, suffix, label, chosen string, from, to int, names []string) []byte {
	number, _ := strconv.Atoi(chosen)
	dst = append(dst, "<label>"...)
	dst = appendText(dst, f.form.translate(label))
	t := f.begin(append(dst, " <select"...))
	dst = append(f.endPart(&t, suffix, suffix == "year"), `><option value=""></option>`...)
	if number != 0 && suffix == "year" && (number < min(from, to) || number > max(from, to)) {
		// A value from before stays choosable.
		dst = (&Option{Value: strconv.Itoa(number), Label: strconv.Itoa(number), Selected: true}).append(dst)
	}
	for n, step := from, sign(to-from); ; n += step {
		o := Option{Value: strconv.Itoa(n), Label: strconv.Itoa(n), Selected: n == number}
		if names != nil {
			o.Label = f.form.translate(names[n-1])
		}
		dst = o.append(dst)
		if n == to {
			break
		}
	}
	return append(dst, "</select></label> "...)
}

func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

func first(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return texts[0]
}

// bounds are the least and the greatest text of a widget that has them.
func (f *Field) bounds() (least, most string) {
	switch w := f.widget.(type) {
	case Date:
		return w.Min, w.Max
	case Time:
		return w.Min, w.Max
	case DateTime:
		return w.Min, w.Max
	case Month:
		return w.Min, w.Max
	case Week:
		return w.Min, w.Max
	case SplitDateTime:
		return w.Min, w.Max
	}
	return "", ""
}

// checkBounds compares texts, which all have the largest unit first.
func (f *Field) checkBounds(text string) {
	least, most := f.bounds()
	if least != "" && text < least {
		f.fail(validate.Fault("min", map[string]any{"min": least}))
	}
	if most != "" && text > most && !strings.HasPrefix(text, most) {
		f.fail(validate.Fault("max", map[string]any{"max": most}))
	}
}

var pickedTexts = map[string]*regexp.Regexp{
	"color": regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`),
	"month": regexp.MustCompile(`^[0-9]{4,6}-(0[1-9]|1[0-2])$`),
	"week":  regexp.MustCompile(`^[0-9]{4,6}-W(0[1-9]|[1-4][0-9]|5[0-3])$`),
}

// momentKind is the kind of text that the widget sends, as validate names it; "" for
// one that may send any.
func (f *Field) momentKind() string {
	switch f.widget.(type) {
	case Color:
		return "color"
	case Date, SelectDate:
		return "date"
	case Time:
		return "time"
	case DateTime, SplitDateTime:
		return "local-date-time"
	case Month:
		return "month"
	case Week:
		return "week"
	}
	return ""
}

// checkPicked checks what a browser would not send: a text that its input cannot make.
func (f *Field) checkPicked(text string) {
	kind := f.momentKind()
	ok := true
	switch kind {
	case "color", "month":
		ok = pickedTexts[kind].MatchString(text)
	case "week":
		ok = pickedTexts[kind].MatchString(text)
		if ok {
			_, ok = mondayOf(text)
		}
	case "date", "time", "local-date-time":
		if f.spec.codec.kind == textKind {
			ok = momentText(kind, text)
		}
	}
	if !ok {
		f.fail(wrongType(kind))
		return
	}
	f.checkBounds(text)
}

// momentText reports whether a text is a date or time as inputs send it.
func momentText(kind, text string) bool {
	layouts := map[string][]string{
		"date": {dateLayout}, "time": {minuteLayout, minuteLayout + ":05"},
		"local-date-time": {dateTimeLayout, dateTimeLayout + ":05"},
	}
	for _, layout := range layouts[kind] {
		if _, err := time.Parse(layout, text); err == nil {
			return true
		}
	}
	return false
}

// mondayOf is the date on which a week such as "2026-W05" begins.
func mondayOf(text string) (time.Time, bool) {
	year, week, ok := strings.Cut(text, "-W")
	y, err := strconv.Atoi(year)
	n, err2 := strconv.Atoi(week)
	if !ok || err != nil || err2 != nil {
		return time.Time{}, false
	}
	// The fourth of January is in the first week.
	day := time.Date(y, 1, 4, 0, 0, 0, 0, time.UTC)
	day = day.AddDate(0, 0, -(int(day.Weekday())+6)%7+(n-1)*7)
	_, got := day.ISOWeek()
	return day, got == n
}

// expand turns the text of a month or week into that of a date, for a field that
// holds one.
func (f *Field) expand(text string) string {
	if f.spec.codec.kind == textKind {
		return text
	}
	switch f.widget.(type) {
	case Month:
		return text + "-01"
	case Week:
		if day, ok := mondayOf(text); ok {
			return day.Format(dateLayout)
		}
	}
	return text
}

// shorten is expand in the other direction, for types that write themselves.
func (f *Field) shorten(text string) string {
	if f.spec.elem != dateType || len(text) < len(dateLayout) {
		return text
	}
	switch f.widget.(type) {
	case Month:
		return text[:len(monthLayout)]
	case Week:
		if day, err := time.Parse(dateLayout, text); err == nil {
			return weekOf(day)
		}
	}
	return text
}

func weekOf(t time.Time) string {
	year, week := t.ISOWeek()
	return fmt.Sprintf("%04d-W%02d", year, week)
}

// momentWidget is the widget for a type of package orm, or nil.
func (s *spec) momentWidget() Widget {
	switch s.elem {
	case dateType:
		return Date{}
	case timeOfDayType:
		return Time{}
	}
	return nil
}

var (
	dateType      = reflect.TypeFor[orm.Date]()
	timeOfDayType = reflect.TypeFor[orm.TimeOfDay]()
)
