package propertytest_test

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/retort-web/retort/orm"
)

// int makes a whole number. Depth bounds its size: three multiplications of small
// numbers stay far from overflow.
func (g *generator) int(depth int) expr {
	if depth <= 0 || g.IntN(3) == 0 {
		if g.IntN(4) == 0 {
			n := number(g.Rand)
			return expr{orm.V(n), func(env) any { return int64(n) }, fmt.Sprint(n)}
		}
		return pick(g, g.ints...)
	}
	a, b := g.int(depth-1), g.int(depth-1)
	small := pick(g, g.ints...) // what is multiplied stays small
	switch g.IntN(15) {
	case 0:
		return call("add", a.sql.Add(b.sql), func(v ...any) any { return v[0].(int64) + v[1].(int64) }, a, b)
	case 1:
		return call("sub", a.sql.Sub(b.sql), func(v ...any) any { return v[0].(int64) - v[1].(int64) }, a, b)
	case 2:
		return call("mul", a.sql.Mul(small.sql), func(v ...any) any { return v[0].(int64) * v[1].(int64) }, a, small)
	case 3:
		n := 1 + g.IntN(7)
		return call(fmt.Sprintf("mod %d", n), a.sql.Mod(n), func(v ...any) any { return v[0].(int64) % int64(n) }, a)
	case 4:
		return call("neg", a.sql.Neg(), func(v ...any) any { return -v[0].(int64) }, a)
	case 5:
		return call("abs", orm.Abs(a.sql), func(v ...any) any { return max(v[0].(int64), -v[0].(int64)) }, a)
	case 6:
		return call("greatest", orm.Greatest(a.sql, b.sql), func(v ...any) any { return max(v[0].(int64), v[1].(int64)) }, a, b)
	case 7:
		return call("least", orm.Least(a.sql, b.sql), func(v ...any) any { return min(v[0].(int64), v[1].(int64)) }, a, b)
	case 8:
		s := g.string(1)
		return call("length", orm.Length(s.sql), func(v ...any) any { return int64(utf8.RuneCountInString(v[0].(string))) }, s)
	case 9:
		return call("sign", orm.Sign(a.sql), func(v ...any) any { return int64(compareValues(v[0], int64(0))) }, a)
	case 10:
		s, part := g.string(1), text(g.Rand, "aAb%")
		return call(fmt.Sprintf("position %q", part), orm.Position(s.sql, part), func(v ...any) any {
			before, _, found := strings.Cut(v[0].(string), part)
			if !found {
				return int64(0)
			}
			return int64(utf8.RuneCountInString(before) + 1)
		}, s)
	case 11:
		if len(g.times) > 0 {
			return g.extract()
		}
	case 12, 13:
		if len(g.computed) > 0 {
			return pick(g, g.computed...)(g)
		}
	}
	return g.either(a, b, depth)
}

// either makes what values of all types have.
func (g *generator) either(a, b expr, depth int) expr {
	kinds := 3
	if g.flat {
		kinds = 2
	}
	switch g.IntN(kinds) {
	case 0:
		return expr{orm.Coalesce(a.sql, b.sql), func(e env) any {
			if v := a.eval(e); v != nil {
				return v
			}
			return b.eval(e)
		}, "coalesce(" + texts(a, b) + ")"}
	case 1:
		return expr{orm.NullIf(a.sql, b.sql), func(e env) any {
			v, other := a.eval(e), b.eval(e)
			if v != nil && other != nil && compareValues(v, other) == 0 {
				return nil
			}
			return v
		}, "nullif(" + texts(a, b) + ")"}
	}
	c := g.apart().cond(depth - 1)
	if g.IntN(3) == 0 {
		return expr{orm.Case(orm.When(c.sql, a.sql)), func(e env) any {
			if c.eval(e) == isTrue {
				return a.eval(e)
			}
			return nil
		}, "case(" + c.text + " then " + a.text + ")"}
	}
	return expr{orm.Case(orm.When(c.sql, a.sql), orm.Else(b.sql)), func(e env) any {
		if c.eval(e) == isTrue {
			return a.eval(e)
		}
		return b.eval(e)
	}, "case(" + c.text + " then " + a.text + " else " + b.text + ")"}
}

func (g *generator) float(depth int) expr {
	if depth <= 0 || len(g.floats) == 0 || g.IntN(3) == 0 {
		if len(g.floats) == 0 || g.IntN(4) == 0 {
			f := quarter(g.Rand)
			return expr{orm.V(f), func(env) any { return f }, fmt.Sprint(f)}
		}
		return pick(g, g.floats...)
	}
	a, b := g.float(depth-1), g.float(depth-1)
	switch g.IntN(10) {
	case 0:
		return call("add", a.sql.Add(b.sql), func(v ...any) any { return v[0].(float64) + v[1].(float64) }, a, b)
	case 1:
		return call("sub", a.sql.Sub(b.sql), func(v ...any) any { return v[0].(float64) - v[1].(float64) }, a, b)
	case 2:
		return call("mul", a.sql.Mul(b.sql), func(v ...any) any { return v[0].(float64) * v[1].(float64) }, a, b)
	case 3:
		n := pick(g, 0.5, 2.0, -4.0)
		return call(fmt.Sprint("div ", n), a.sql.Div(n), func(v ...any) any { return v[0].(float64) / n }, a)
	case 4:
		return call("floor", orm.Floor(a.sql), func(v ...any) any { return math.Floor(v[0].(float64)) }, a)
	case 5:
		return call("ceil", orm.Ceil(a.sql), func(v ...any) any { return math.Ceil(v[0].(float64)) }, a)
	case 6:
		n := g.int(1)
		return call("float", orm.Cast[float64](n.sql), func(v ...any) any { return float64(v[0].(int64)) }, n)
	}
	return g.either(a, b, depth)
}

// string makes a text.
func (g *generator) string(depth int) expr {
	if depth <= 0 || g.IntN(3) == 0 {
		if g.IntN(4) == 0 {
			s := text(g.Rand, letters)
			return expr{orm.V(s), func(env) any { return s }, fmt.Sprintf("%q", s)}
		}
		return pick(g, g.texts...)
	}
	a, b, n, m := g.string(depth-1), g.string(depth-1), g.IntN(4), 1+g.IntN(4)
	switch g.IntN(12) {
	case 0, 1:
		// Only letters of ASCII have a case on all databases.
		if len(g.ascii) == 0 {
			break
		}
		a = pick(g, g.ascii...)
		if n == 0 {
			return call("lower", orm.Lower(a.sql), func(v ...any) any { return strings.ToLower(v[0].(string)) }, a)
		}
		return call("upper", orm.Upper(a.sql), func(v ...any) any { return strings.ToUpper(v[0].(string)) }, a)
	case 2:
		return expr{orm.Concat(a.sql, b.sql), func(e env) any {
			x, _ := a.eval(e).(string)
			y, _ := b.eval(e).(string)
			return x + y
		}, "concat(" + texts(a, b) + ")"}
	case 3:
		return call("trim", orm.Trim(a.sql), func(v ...any) any { return strings.Trim(v[0].(string), " ") }, a)
	case 4:
		return call(fmt.Sprint("left ", n), orm.Left(a.sql, n), func(v ...any) any { return cutRunes(v[0].(string), 0, n) }, a)
	case 5:
		return call(fmt.Sprint("right ", n), orm.Right(a.sql, n), func(v ...any) any {
			s := v[0].(string)
			return cutRunes(s, max(0, utf8.RuneCountInString(s)-n), n)
		}, a)
	case 6:
		return call(fmt.Sprint("substr ", m, " ", n), orm.Substr(a.sql, m, n), func(v ...any) any { return cutRunes(v[0].(string), m-1, n) }, a)
	case 7:
		return call("replace a", orm.Replace(a.sql, "a", "A%"), func(v ...any) any { return strings.ReplaceAll(v[0].(string), "a", "A%") }, a)
	case 8:
		return call("reverse", orm.Reverse(a.sql), func(v ...any) any {
			runes := []rune(v[0].(string))
			for i, j := 0, len(runes)-1; i < j; i, j = i+1, j-1 {
				runes[i], runes[j] = runes[j], runes[i]
			}
			return string(runes)
		}, a)
	case 9:
		return call(fmt.Sprint("repeat ", n), orm.Repeat(a.sql, n), func(v ...any) any { return strings.Repeat(v[0].(string), n) }, a)
	}
	return g.either(a, b, depth)
}

func cutRunes(s string, from, n int) string {
	runes := []rune(s)
	from = min(from, len(runes))
	return string(runes[from:min(from+n, len(runes))])
}

func (g *generator) extract() expr {
	of := g.time(1)
	unit := pick(g, orm.Year, orm.Quarter, orm.Month, orm.Day, orm.Hour, orm.Minute, orm.Second, orm.YearDay, orm.ISOYear, orm.Week, orm.ISOWeekDay, orm.WeekDay)
	return call("extract "+string(unit), orm.Extract(unit, of.sql), func(v ...any) any { return extract(unit, v[0].(time.Time)) }, of)
}

func extract(unit orm.Unit, t time.Time) int64 {
	year, week := t.ISOWeek()
	n := map[orm.Unit]int{
		orm.Year: t.Year(), orm.Quarter: (int(t.Month()) + 2) / 3, orm.Month: int(t.Month()), orm.Day: t.Day(), orm.Hour: t.Hour(),
		orm.Minute: t.Minute(), orm.Second: t.Second(), orm.YearDay: t.YearDay(), orm.ISOYear: year, orm.Week: week,
		orm.ISOWeekDay: (int(t.Weekday())+6)%7 + 1, orm.WeekDay: int(t.Weekday()) + 1,
	}[unit]
	return int64(n)
}

// time makes a time of those that the scope has.
func (g *generator) time(depth int) expr {
	of := pick(g, g.times...)
	if depth <= 0 {
		return of
	}
	switch g.IntN(5) {
	case 0:
		d := time.Duration(g.IntN(400)-200) * time.Hour
		return call("add "+d.String(), of.sql.Add(d), func(v ...any) any { return v[0].(time.Time).Add(d) }, of)
	case 1:
		d := time.Duration(g.IntN(1_000_000)) * time.Microsecond
		return call("sub "+d.String(), of.sql.Sub(d), func(v ...any) any { return v[0].(time.Time).Add(-d) }, of)
	case 2:
		unit := pick(g, orm.Year, orm.Quarter, orm.Month, orm.Week, orm.Day, orm.Hour, orm.Minute, orm.Second, orm.ISOYear)
		return call("trunc "+string(unit), orm.Trunc(unit, of.sql), func(v ...any) any { return trunc(unit, v[0].(time.Time)) }, of)
	case 3:
		return g.either(of, pick(g, g.times...), 1)
	}
	return of
}

func trunc(unit orm.Unit, t time.Time) time.Time {
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	monday := func(t time.Time) time.Time { return t.AddDate(0, 0, -(int(t.Weekday())+6)%7) }
	switch unit {
	case orm.Year:
		return time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	case orm.Quarter:
		return time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
	case orm.Month:
		return day.AddDate(0, 0, 1-t.Day())
	case orm.Week:
		return monday(day)
	case orm.ISOYear:
		year, _ := t.ISOWeek()
		return monday(time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC))
	case orm.Day:
		return day
	case orm.Hour:
		return t.Truncate(time.Hour)
	case orm.Minute:
		return t.Truncate(time.Minute)
	}
	return t.Truncate(time.Second)
}
