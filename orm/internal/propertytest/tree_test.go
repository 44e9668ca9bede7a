package propertytest_test

import (
	"cmp"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/retort-web/retort/orm"
)

// env is the row, or rows, that an expression is computed for.
type env struct {
	world *world
	item  *Item
	part  *Part
	label *Label
}

// truth is the three-valued logic of SQL.
type truth int8

const (
	isFalse truth = iota - 1
	isUnknown
	isTrue
)

func truthOf(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

// expr is a value: as it is given to the databases, as it is computed here, and as it is
// shown when the two differ. A value is nil, int64, float64, string, bool or time.Time.
type expr struct {
	sql  orm.Expr
	eval func(env) any
	text string
}

// cond is a condition, in the same three ways.
type cond struct {
	sql  orm.Cond
	eval func(env) truth
	text string
}

// scope is what expressions of one kind of row are made of.
type scope struct {
	ints, floats, texts, ascii, times []expr
	// computed and conds are values and conditions made of related rows.
	computed []func(g *generator) expr
	conds    []func(g *generator) cond
}

// generator makes random trees.
type generator struct {
	*rand.Rand
	*scope
	world *world
	// used are the relations to many that the conditions around concern already: two
	// conditions on one of them in one Where are about one related row.
	used map[string]bool
	// flat leaves out what would look at another related row than the one that is
	// asked for: negations, and conditions within values.
	flat bool
}

// in is the generator for another kind of rows.
func (g *generator) in(s *scope) *generator {
	return &generator{Rand: g.Rand, scope: s, world: g.world, used: map[string]bool{}, flat: g.flat}
}

// apart is the generator for what does not share related rows with what is around it.
func (g *generator) apart() *generator { return g.in(g.scope) }

// related is the generator for conditions on one related row.
func (g *generator) related(s *scope) *generator {
	inner := g.in(s)
	inner.flat = true
	return inner
}

func pick[V any](g *generator, list ...V) V { return list[g.IntN(len(list))] }

// leaf is a field.
func leaf[V any](text string, field *V, eval func(env) any) expr {
	return expr{orm.F(field), eval, text}
}

// deref is what a field that may be NULL has as a value.
func deref[V int | float64 | string | time.Time](v *V) any {
	if v == nil {
		return nil
	}
	return plain(*v)
}

func plain(v any) any {
	if n, ok := v.(int); ok {
		return int64(n)
	}
	return v
}

// compareValues orders two values of one kind that are not NULL; false is less than true.
func compareValues(a, b any) int {
	switch a := a.(type) {
	case int64:
		if f, ok := b.(float64); ok {
			return cmp.Compare(float64(a), f)
		}
		return cmp.Compare(a, b.(int64))
	case float64:
		if n, ok := b.(int64); ok {
			return cmp.Compare(a, float64(n))
		}
		return cmp.Compare(a, b.(float64))
	case string:
		return strings.Compare(a, b.(string))
	case time.Time:
		return a.Compare(b.(time.Time))
	case bool:
		return cmp.Compare(truthOf(a), truthOf(b.(bool)))
	}
	panic("a value of a kind that is not compared")
}

func key(v any) any {
	if t, ok := v.(time.Time); ok {
		return t.UnixMicro()
	}
	return v
}

// strict computes a function that is NULL if an argument is.
func strict(f func(args ...any) any, args ...expr) func(env) any {
	return func(e env) any {
		values := make([]any, len(args))
		for i, arg := range args {
			if values[i] = arg.eval(e); values[i] == nil {
				return nil
			}
		}
		return f(values...)
	}
}

func texts(args ...expr) string {
	list := make([]string, len(args))
	for i, arg := range args {
		list[i] = arg.text
	}
	return strings.Join(list, ", ")
}

func call(name string, sql orm.Expr, f func(args ...any) any, args ...expr) expr {
	return expr{sql, strict(f, args...), name + "(" + texts(args...) + ")"}
}
