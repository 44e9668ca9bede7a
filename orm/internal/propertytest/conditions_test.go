package propertytest_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm"
)

// cond makes a condition.
func (g *generator) cond(depth int) cond {
	if depth <= 0 || g.IntN(3) == 0 {
		if len(g.conds) > 0 && g.IntN(3) == 0 {
			return pick(g, g.conds...)(g)
		}
		return g.plain(depth)
	}
	kinds := 6
	if g.flat {
		kinds = 4
	}
	switch g.IntN(kinds) {
	case 0, 1:
		return and(g.cond(depth-1), g.cond(depth-1))
	case 2, 3:
		return or(g.cond(depth-1), g.cond(depth-1), g.cond(depth-2))
	case 4:
		a, b := g.apart().cond(depth-1), g.apart().cond(depth-1)
		return cond{orm.Xor(a.sql, b.sql), func(e env) truth {
			return truthOf((a.eval(e) == isTrue) != (b.eval(e) == isTrue))
		}, "xor(" + a.text + ", " + b.text + ")"}
	}
	return not(g.apart().cond(depth - 1))
}

func and(kids ...cond) cond {
	sql, text := parts(kids)
	return cond{orm.And(sql...), func(e env) truth {
		least := isTrue
		for _, kid := range kids {
			least = min(least, kid.eval(e))
		}
		return least
	}, "and(" + text + ")"}
}

func or(kids ...cond) cond {
	sql, text := parts(kids)
	return cond{orm.Or(sql...), func(e env) truth {
		most := isFalse
		for _, kid := range kids {
			most = max(most, kid.eval(e))
		}
		return most
	}, "or(" + text + ")"}
}

// not is true wherever the condition is not, also where that is unknown.
func not(kid cond) cond {
	return cond{orm.Not(kid.sql), func(e env) truth { return truthOf(kid.eval(e) != isTrue) }, "not(" + kid.text + ")"}
}

func parts(kids []cond) (sql []orm.Cond, text string) {
	var list []string
	for _, kid := range kids {
		sql = append(sql, kid.sql)
		list = append(list, kid.text)
	}
	return sql, strings.Join(list, ", ")
}

// plain makes a condition on values of the row.
func (g *generator) plain(depth int) cond {
	if g.flat {
		// What does not concern the related row would need none.
		switch g.IntN(4) {
		case 0:
			return g.compare(pick(g, g.ints...), g.int(depth))
		case 1:
			return g.compare(pick(g, g.texts...), g.string(depth))
		case 2:
			return g.match(pick(g, g.texts...))
		}
		return g.present(pick(g, slices.Concat(g.ints, g.texts)...))
	}
	switch g.IntN(8) {
	case 0, 1:
		return g.compare(g.int(depth), g.int(depth))
	case 2:
		return g.compare(g.float(depth), g.float(depth))
	case 3:
		return g.compare(g.string(depth), g.string(depth))
	case 4:
		if len(g.times) > 0 {
			return g.compare(g.time(depth), g.time(depth))
		}
	case 5:
		return g.match(g.string(depth))
	case 6:
		return g.among(depth)
	}
	return g.present(pick(g, g.int(depth), g.float(depth), g.string(depth)))
}

// present makes a condition on whether there is a value.
func (g *generator) present(of expr) cond {
	if g.IntN(2) == 0 {
		return cond{of.sql.IsNull(), func(e env) truth { return truthOf(of.eval(e) == nil) }, "null(" + of.text + ")"}
	}
	return cond{of.sql.NotNull(), func(e env) truth { return truthOf(of.eval(e) != nil) }, "notnull(" + of.text + ")"}
}

// compare compares two values, or a value with one that may be NULL.
func (g *generator) compare(a, b expr) cond {
	type comparison struct {
		name string
		sql  func(any) orm.Cond
		true func(order int) bool
	}
	how := pick(
		g,
		comparison{"=", a.sql.Eq, func(o int) bool { return o == 0 }},
		comparison{"<>", a.sql.Ne, func(o int) bool { return o != 0 }},
		comparison{"<", a.sql.Lt, func(o int) bool { return o < 0 }},
		comparison{"<=", a.sql.Le, func(o int) bool { return o <= 0 }},
		comparison{">", a.sql.Gt, func(o int) bool { return o > 0 }},
		comparison{">=", a.sql.Ge, func(o int) bool { return o >= 0 }},
	)
	return cond{how.sql(b.sql), func(e env) truth {
		x, y := a.eval(e), b.eval(e)
		switch {
		case (x == nil || y == nil) && how.name == "<>":
			return isTrue // what is not equal is everything else
		case x == nil || y == nil:
			return isUnknown
		}
		return truthOf(how.true(compareValues(x, y)))
	}, "(" + a.text + " " + how.name + " " + b.text + ")"}
}

// among makes a condition on several values.
func (g *generator) among(depth int) cond {
	of := g.int(depth)
	low, high := number(g.Rand), number(g.Rand)
	if g.IntN(3) == 0 {
		return cond{of.sql.Between(low, high), func(e env) truth {
			n, ok := of.eval(e).(int64)
			if !ok {
				return isUnknown
			}
			return truthOf(int64(low) <= n && n <= int64(high))
		}, fmt.Sprintf("between(%s, %d, %d)", of.text, low, high)}
	}
	// More than stand in the SQL one by one, now and then.
	values := make([]any, g.IntN(3)+g.IntN(2)*g.IntN(2)*30)
	null := false
	for i := range values {
		if values[i] = number(g.Rand); g.IntN(6) == 0 {
			values[i], null = nil, true
		}
	}
	is := func(e env) truth {
		n := of.eval(e)
		if n == nil {
			switch {
			case null:
				return isTrue // the list has a nil, which is NULL as in Go
			case len(values) == 0:
				return isFalse
			}
			return isUnknown
		}
		for _, v := range values {
			if plain(v) == n {
				return isTrue
			}
		}
		return isFalse
	}
	if g.IntN(2) == 0 {
		return cond{of.sql.In(values...), is, fmt.Sprintf("in(%s, %v)", of.text, values)}
	}
	return cond{of.sql.NotIn(values...), func(e env) truth { return truthOf(is(e) != isTrue) }, fmt.Sprintf("notin(%s, %v)", of.text, values)}
}

// match makes a text match.
func (g *generator) match(of expr) cond {
	text := text(g.Rand, letters)
	type place struct {
		name          string
		sql, foldedBy func(string) orm.Cond
		found         func(s, part string) bool
	}
	exact := func(s string) orm.Cond { return of.sql.Eq(s) }
	where := pick(
		g,
		place{"contains", of.sql.Contains, of.sql.IContains, strings.Contains},
		place{"startswith", of.sql.StartsWith, of.sql.IStartsWith, strings.HasPrefix},
		place{"endswith", of.sql.EndsWith, of.sql.IEndsWith, strings.HasSuffix},
		place{"exact", exact, of.sql.IExact, func(s, part string) bool { return s == part }},
	)
	folded, sql := g.IntN(2) == 0, where.sql(text)
	if folded {
		sql = where.foldedBy(text)
	}
	return cond{sql, func(e env) truth {
		s, ok := of.eval(e).(string)
		if !ok {
			return isUnknown
		}
		if folded {
			return truthOf(where.found(strings.ToLower(s), strings.ToLower(text)))
		}
		return truthOf(where.found(s, text))
	}, fmt.Sprintf("%s(%s, %q, fold %v)", where.name, of.text, text, folded)}
}
