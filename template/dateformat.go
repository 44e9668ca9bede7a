package template

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Localizer writes dates and numbers as the reader is used to. The context is
// the render's, so that one serves each request in its own language. The names
// of months and days go through the [Translator] instead.
type Localizer interface {
	// DateFormat gives the format called DATE_FORMAT, SHORT_DATE_FORMAT,
	// TIME_FORMAT and so on, in the letters of the filter date; empty for the
	// default.
	DateFormat(ctx context.Context, name string) string
	// Number writes a number given in plain digits, such as "-1234.50", and
	// groups its digits if asked to.
	Number(ctx context.Context, digits string, group bool) string
}

// dateFormats are the formats with names, as in American English.
var dateFormats = map[string]string{
	"DATE_FORMAT": "N j, Y", "TIME_FORMAT": "P", "DATETIME_FORMAT": "N j, Y, P", "YEAR_MONTH_FORMAT": "F Y", "MONTH_DAY_FORMAT": "F j",
	"SHORT_DATE_FORMAT": "m/d/Y", "SHORT_DATETIME_FORMAT": "m/d/Y P",
}

// formatTime writes a time by a format: one with a name, one of strftime's,
// recognised by its percent signs, or the letters of Django's.
func formatTime(x *exec, t time.Time, format string) string {
	o := &x.engine.options
	t = x.reader.local(t)
	if named, ok := dateFormats[format]; ok {
		if format, named = named, format; o.Localizer != nil {
			if local := o.Localizer.DateFormat(x.ctx(), named); local != "" {
				format = local
			}
		}
	}
	if strings.IndexByte(format, '%') >= 0 {
		return strftime(t, format)
	}
	var sb strings.Builder
	for i := 0; i < len(format); i++ {
		c := format[i]
		if c == '\\' && i+1 < len(format) {
			i++
			sb.WriteByte(format[i])
			continue
		}
		if s, ok := dateLetter(x, t, c); ok {
			sb.WriteString(s)
		} else {
			sb.WriteByte(c)
		}
	}
	return sb.String()
}

// dateLetter is what one letter of a format stands for.
func dateLetter(x *exec, t time.Time, letter byte) (string, bool) {
	switch letter {
	case 'a', 'A', 'f', 'g', 'G', 'h', 'H', 'i', 'P', 's', 'u':
		return clockLetter(x, t, letter), true
	case 'e', 'I', 'O', 'T', 'Z':
		return zoneLetter(t, letter), true
	}
	two := func(n int) (string, bool) { return fmt.Sprintf("%02d", n), true }
	plain := func(n int) (string, bool) { return strconv.Itoa(n), true }
	word := func(s string) (string, bool) { return x.translated(s), true }
	switch letter {
	case 'b':
		return strings.ToLower(x.translated(t.Month().String()[:3])), true
	case 'c':
		return isoFormat(t), true
	case 'd':
		return two(t.Day())
	case 'D':
		return word(t.Weekday().String()[:3])
	case 'E', 'F':
		return word(t.Month().String())
	case 'j':
		return plain(t.Day())
	case 'l':
		return word(t.Weekday().String())
	case 'L':
		year := t.Year()
		return boolValue(year%4 == 0 && (year%100 != 0 || year%400 == 0)).text(), true
	case 'm':
		return two(int(t.Month()))
	case 'M':
		return word(t.Month().String()[:3])
	case 'n':
		return plain(int(t.Month()))
	case 'N':
		return word(pressMonths[t.Month()-1])
	case 'o':
		year, _ := t.ISOWeek()
		return plain(year)
	case 'r':
		return t.Format("Mon, 2 Jan 2006 15:04:05 -0700"), true
	case 'S':
		return ordinalSuffix(t.Day()), true
	case 't':
		return plain(time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day())
	case 'U':
		return strconv.FormatInt(t.Unix(), 10), true
	case 'w':
		return plain(int(t.Weekday()))
	case 'W':
		_, week := t.ISOWeek()
		return plain(week)
	case 'y':
		return two(t.Year() % 100)
	case 'Y':
		return fmt.Sprintf("%04d", t.Year()), true
	case 'z':
		return plain(t.YearDay())
	}
	return "", false
}

// pressMonths are the names of the months as newspapers shorten them.
var pressMonths = [...]string{"Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec."}

func clockLetter(x *exec, t time.Time, letter byte) string {
	hour := (t.Hour()+11)%12 + 1
	switch letter {
	case 'a', 'A':
		half := map[byte][2]string{'a': {"a.m.", "p.m."}, 'A': {"AM", "PM"}}[letter]
		return x.translated(half[t.Hour()/12])
	case 'f':
		if t.Minute() == 0 {
			return strconv.Itoa(hour)
		}
		return fmt.Sprintf("%d:%02d", hour, t.Minute())
	case 'g':
		return strconv.Itoa(hour)
	case 'G':
		return strconv.Itoa(t.Hour())
	case 'h':
		return fmt.Sprintf("%02d", hour)
	case 'H':
		return fmt.Sprintf("%02d", t.Hour())
	case 'i':
		return fmt.Sprintf("%02d", t.Minute())
	case 'P':
		switch {
		case t.Minute() == 0 && t.Hour() == 0:
			return x.translated("midnight")
		case t.Minute() == 0 && t.Hour() == 12:
			return x.translated("noon")
		}
		return clockLetter(x, t, 'f') + " " + clockLetter(x, t, 'a')
	case 's':
		return fmt.Sprintf("%02d", t.Second())
	}
	return fmt.Sprintf("%06d", t.Nanosecond()/1000)
}

func zoneLetter(t time.Time, letter byte) string {
	name, offset := t.Zone()
	switch letter {
	case 'e', 'T':
		return name
	case 'I':
		if t.IsDST() {
			return "1"
		}
		return "0"
	case 'O':
		return t.Format("-0700")
	}
	return strconv.Itoa(offset)
}

// isoFormat is ISO 8601 as Python writes it.
func isoFormat(t time.Time) string {
	layout := "2006-01-02T15:04:05-07:00"
	if t.Nanosecond()/1000 != 0 {
		layout = "2006-01-02T15:04:05.000000-07:00"
	}
	return t.Format(layout)
}

func ordinalSuffix(n int) string {
	if n%100 >= 11 && n%100 <= 13 {
		return "th"
	}
	switch n % 10 {
	case 1:
		return "st"
	case 2:
		return "nd"
	case 3:
		return "rd"
	}
	return "th"
}

// translated is a word of the engine's own in the reader's language.
func (x *exec) translated(word string) string {
	return x.message(messageContext{}, word, "", 0)
}

// translatedCount is a text with a number in the reader's language.
func (x *exec) translatedCount(one, many string, n int) string {
	return strings.Replace(x.message(messageContext{}, one, many, n), "%(num)d", strconv.Itoa(n), 1)
}

// localNumber writes a number, given in plain digits, for the reader.
func (x *exec) localNumber(digits string, group bool) string {
	if l := x.engine.options.Localizer; l != nil {
		return l.Number(x.ctx(), digits, group)
	}
	if !group {
		return digits
	}
	sign := ""
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		sign, digits = digits[:1], digits[1:]
	}
	f := formatSpec{comma: ','}
	return sign + f.grouped(digits, 0)
}
