package template

import (
	"strconv"
	"time"
)

// strftime formats a time by the conversions of C's and Python's strftime, in
// English. Unknown conversions are left as they are.
func strftime(t time.Time, layout string) string {
	return string(appendStrftime(nil, t, layout))
}

func appendStrftime(dst []byte, t time.Time, layout string) []byte {
	for i := 0; i < len(layout); i++ {
		if layout[i] != '%' || i+1 == len(layout) {
			dst = append(dst, layout[i])
			continue
		}
		i++
		bare := layout[i] == '-' && i+1 < len(layout)
		if bare {
			i++
		}
		start := len(dst)
		dst = appendTimePart(dst, t, layout[i])
		if len(dst) == start {
			dst = append(dst, '%', layout[i])
		}
		if bare { // %-d: without the leading zero
			from := start
			for from < len(dst)-1 && dst[from] == '0' {
				from++
			}
			dst = append(dst[:start], dst[from:]...)
		}
	}
	return dst
}

// appendTimePart appends what one conversion gives; nothing if there is none.
func appendTimePart(dst []byte, t time.Time, verb byte) []byte {
	switch verb {
	case 'a':
		return append(dst, t.Weekday().String()[:3]...)
	case 'A':
		return append(dst, t.Weekday().String()...)
	case 'b', 'h':
		return append(dst, t.Month().String()[:3]...)
	case 'B':
		return append(dst, t.Month().String()...)
	case 'p':
		return t.AppendFormat(dst, "PM")
	case 'z':
		return t.AppendFormat(dst, "-0700")
	case 'Z':
		return t.AppendFormat(dst, "MST")
	case 'c':
		return t.AppendFormat(dst, "Mon Jan _2 15:04:05 2006")
	case 'x', 'D':
		return appendStrftime(dst, t, "%m/%d/%y")
	case 'X', 'T':
		return appendStrftime(dst, t, "%H:%M:%S")
	case 'F':
		return appendStrftime(dst, t, "%Y-%m-%d")
	case 'R':
		return appendStrftime(dst, t, "%H:%M")
	case 's':
		return strconv.AppendInt(dst, t.Unix(), 10)
	case 'n':
		return append(dst, '\n')
	case 't':
		return append(dst, '\t')
	case '%':
		return append(dst, '%')
	}
	n, width, pad := timeNumber(t, verb)
	if width < 0 {
		return dst
	}
	if n < 0 {
		return strconv.AppendInt(dst, int64(n), 10)
	}
	for limit := 10; width > 1; width-- {
		if n < limit {
			for ; width > 1; width-- {
				dst = append(dst, pad)
			}
			break
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// timeNumber gives the conversions that are numbers, with the least number of
// digits, and what fills them up; a width of -1 means there is no such one.
func timeNumber(t time.Time, verb byte) (n, width int, pad byte) {
	switch verb {
	case 'w':
		return int(t.Weekday()), 1, '0'
	case 'u':
		return (int(t.Weekday())+6)%7 + 1, 1, '0'
	case 'd':
		return t.Day(), 2, '0'
	case 'e':
		return t.Day(), 2, ' '
	case 'm':
		return int(t.Month()), 2, '0'
	case 'y':
		return t.Year() % 100, 2, '0'
	case 'Y':
		return t.Year(), 1, '0'
	case 'C':
		return t.Year() / 100, 2, '0'
	case 'H':
		return t.Hour(), 2, '0'
	case 'k':
		return t.Hour(), 2, ' '
	case 'I':
		return (t.Hour()+11)%12 + 1, 2, '0'
	case 'l':
		return (t.Hour()+11)%12 + 1, 2, ' '
	case 'M':
		return t.Minute(), 2, '0'
	case 'S':
		return t.Second(), 2, '0'
	case 'f':
		return t.Nanosecond() / 1000, 6, '0'
	case 'j':
		return t.YearDay(), 3, '0'
	case 'U':
		return (t.YearDay() + 6 - int(t.Weekday())) / 7, 2, '0'
	case 'W':
		return (t.YearDay() + 6 - (int(t.Weekday())+6)%7) / 7, 2, '0'
	case 'G':
		year, _ := t.ISOWeek()
		return year, 1, '0'
	case 'V':
		_, week := t.ISOWeek()
		return week, 2, '0'
	}
	return 0, -1, 0
}
