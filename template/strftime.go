package template

import (
	"fmt"
	"strings"
	"time"
)

// strftime formats a time by the conversions of C's and Python's strftime, in
// English. Unknown conversions are left as they are.
func strftime(t time.Time, layout string) string {
	var sb strings.Builder
	for i := 0; i < len(layout); i++ {
		if layout[i] != '%' || i+1 == len(layout) {
			sb.WriteByte(layout[i])
			continue
		}
		i++
		bare := layout[i] == '-' && i+1 < len(layout)
		if bare {
			i++
		}
		s := timePart(t, layout[i])
		if s == "" {
			s = "%" + layout[i:i+1]
		}
		if bare { // %-d: without the leading zero
			if cut := strings.TrimLeft(s, "0"); cut != "" {
				s = cut
			} else {
				s = "0"
			}
		}
		sb.WriteString(s)
	}
	return sb.String()
}

func timePart(t time.Time, verb byte) string {
	hour := t.Hour() % 12
	if hour == 0 {
		hour = 12
	}
	switch verb {
	case 'a':
		return t.Weekday().String()[:3]
	case 'A':
		return t.Weekday().String()
	case 'w':
		return fmt.Sprint(int(t.Weekday()))
	case 'u':
		return fmt.Sprint((int(t.Weekday())+6)%7 + 1)
	case 'd':
		return fmt.Sprintf("%02d", t.Day())
	case 'e':
		return fmt.Sprintf("%2d", t.Day())
	case 'b', 'h':
		return t.Month().String()[:3]
	case 'B':
		return t.Month().String()
	case 'm':
		return fmt.Sprintf("%02d", int(t.Month()))
	case 'y':
		return fmt.Sprintf("%02d", t.Year()%100)
	case 'Y':
		return fmt.Sprint(t.Year())
	case 'C':
		return fmt.Sprintf("%02d", t.Year()/100)
	case 'H':
		return fmt.Sprintf("%02d", t.Hour())
	case 'I':
		return fmt.Sprintf("%02d", hour)
	case 'k':
		return fmt.Sprintf("%2d", t.Hour())
	case 'l':
		return fmt.Sprintf("%2d", hour)
	case 'p':
		return t.Format("PM")
	case 'M':
		return fmt.Sprintf("%02d", t.Minute())
	case 'S':
		return fmt.Sprintf("%02d", t.Second())
	case 'f':
		return fmt.Sprintf("%06d", t.Nanosecond()/1000)
	case 'z':
		return t.Format("-0700")
	case 'Z':
		return t.Format("MST")
	case 'j':
		return fmt.Sprintf("%03d", t.YearDay())
	case 'U':
		return fmt.Sprintf("%02d", (t.YearDay()+6-int(t.Weekday()))/7)
	case 'W':
		return fmt.Sprintf("%02d", (t.YearDay()+6-(int(t.Weekday())+6)%7)/7)
	case 'G':
		year, _ := t.ISOWeek()
		return fmt.Sprint(year)
	case 'V':
		_, week := t.ISOWeek()
		return fmt.Sprintf("%02d", week)
	case 'c':
		return t.Format("Mon Jan _2 15:04:05 2006")
	case 'x', 'D':
		return t.Format("01/02/06")
	case 'X', 'T':
		return t.Format("15:04:05")
	case 'F':
		return t.Format("2006-01-02")
	case 'R':
		return t.Format("15:04")
	case 's':
		return fmt.Sprint(t.Unix())
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case '%':
		return "%"
	}
	return ""
}
