package orm

import (
	"fmt"
	"reflect"
)

// F is the value of a field, where an expression is asked for: it copies one field
// to another in [Set], and lends a field the methods of [Expr]. A condition is a value
// too, true or false.
func F(field any) Expr { return Expr{operandOf(field)} }

// V is a Go value where an expression is asked for.
func V(v any) Expr { return Expr{&value{v}} }

// Func applies a function of the database, by its name, to fields, expressions and
// values. It is for those that this package does not know; what they are called, and
// mean, depends on the database.
func Func(name string, args ...any) Expr {
	if !validName(name) {
		return Expr{&invalid{fmt.Errorf("orm: %q cannot be the name of a function", name)}}
	}
	e := newCall(name, args...)
	e.f.Name, e.null = customFunction+name, true
	return Expr{e}
}

// customFunction marks the name of a function of the database.
const customFunction = "()"

// Coalesce is the first of fields, expressions and values that is not NULL.
func Coalesce(first any, others ...any) Expr {
	return likeFirst(&call{f: Function{Name: "coalesce"}, skips: true}, first, others)
}

// Greatest is the greatest of several, NULL if one of them is.
func Greatest(first any, others ...any) Expr {
	return likeFirst(&call{f: Function{Name: "greatest"}}, first, others)
}

// Least is the least of several, NULL if one of them is.
func Least(first any, others ...any) Expr {
	return likeFirst(&call{f: Function{Name: "least"}}, first, others)
}

// NullIf is the first, or NULL where both are equal.
func NullIf(first, other any) Expr {
	return likeFirst(&call{f: Function{Name: "nullif"}, null: true}, first, []any{other})
}

// likeFirst completes a call whose result has the type of its first argument.
func likeFirst(e *call, first any, others []any) Expr {
	e.args = append(e.args, argument(first))
	for _, other := range others {
		e.args = append(e.args, argument(other))
	}
	e.f.Args = len(e.args)
	return Expr{e}
}

// Cast is a field, or an expression, as the type that a column of V would have:
//
//	orm.Cast[float64](&p.Views)
func Cast[V any](field any) Expr {
	e := newCall("cast", field)
	c, err := codecOf(reflect.TypeFor[V](), false)
	if err != nil {
		return Expr{&invalid{fmt.Errorf("orm: Cast: %w", err)}}
	}
	e.f.Type = c.typ
	return Expr{e}
}

// Collate compares and orders a text by a collation of the database, by its name there.
func Collate(field any, collation string) Expr {
	if !validCollation(collation) {
		return Expr{&invalid{fmt.Errorf("orm: %q cannot be the name of a collation", collation)}}
	}
	return Expr{&collate{operandOf(field), collation}}
}

func validCollation(name string) bool {
	for _, r := range name {
		ok := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '-' || r == '.' || r == '@'
		if !ok {
			return false
		}
	}
	return name != "" && len(name) <= 63
}

// collate is a text with a collation.
type collate struct {
	of   operand
	name string
}

func (e *collate) write(c *compiler) {
	e.of.write(c)
	c.text(" COLLATE ")
	c.quote(e.name)
}

func (e *collate) parts() []expr { return []expr{e.of} }

func (e *collate) visit(c *compiler, f func(*node)) { e.of.visit(c, f) }

func (e *collate) mayBeNull(c *compiler) bool { return e.of.mayBeNull(c) }

func (e *collate) target(c *compiler) target { return e.of.target(c) }

// truth is a condition as a value: true or false, never NULL.
type truth struct{ cond expr }

func (e *truth) write(c *compiler) {
	c.scope = &scope{outer: c.scope, barrier: true}
	c.text("((")
	c.all1(e.cond)
	c.text(") IS TRUE)")
	c.scope = c.scope.outer
}

// visit reports nothing: the condition looks at related rows on its own.
func (*truth) visit(*compiler, func(*node)) {}

func (*truth) mayBeNull(*compiler) bool { return false }

func (*truth) target(*compiler) target { return target{} }

// Xor is true if one of two conditions is and the other is not.
func Xor(a, b Cond) Cond {
	return Cond{&compare{"<>", &truth{a.orInvalid()}, &truth{b.orInvalid()}}}
}

// Case is the value of the first [When] whose condition is true, or that of [Else]; NULL
// if there is none:
//
//	orm.Case(orm.When(orm.Gt(&p.Views, 1000), "much read"), orm.Else("little read"))
func Case(branches ...Branch) Expr { return Expr{&caseWhen{branches}} }

// Branch is one of the alternatives of [Case].
type Branch struct {
	cond  expr // nil for Else
	value operand
}

// When is the value, or field, or expression, of [Case] where a condition is true.
func When(cond Cond, value any) Branch { return Branch{cond.orInvalid(), argument(value)} }

// Else is the value of [Case] where no condition is true.
func Else(value any) Branch { return Branch{nil, argument(value)} }

type caseWhen struct{ branches []Branch }

func (e *caseWhen) write(c *compiler) {
	t := e.target(c)
	c.text("CASE")
	for i, b := range e.branches {
		switch last := i == len(e.branches)-1; {
		case b.value == nil, b.cond == nil && !last, b.cond == nil && i == 0:
			c.failf("Case takes When, at least once, and Else as the last")
			return
		case b.cond == nil:
			c.text(" ELSE ")
		default:
			c.scope = &scope{outer: c.scope, barrier: true}
			c.text(" WHEN ")
			c.all1(b.cond)
			c.scope = c.scope.outer
			c.text(" THEN ")
		}
		c.argument(b.value, t)
	}
	if len(e.branches) == 0 {
		c.failf("Case without a When")
	}
	c.text(" END")
}

func (e *caseWhen) parts() []expr {
	var list []expr
	for _, b := range e.branches {
		if b.cond != nil {
			list = append(list, b.cond)
		}
		if b.value != nil {
			list = append(list, b.value)
		}
	}
	return list
}

// visit reports the values only: conditions look at related rows on their own.
func (e *caseWhen) visit(c *compiler, f func(*node)) {
	for _, b := range e.branches {
		if b.value != nil {
			b.value.visit(c, f)
		}
	}
}

func (e *caseWhen) mayBeNull(c *compiler) bool {
	for _, b := range e.branches {
		if b.value != nil && b.value.mayBeNull(c) {
			return true
		}
	}
	return len(e.branches) == 0 || e.branches[len(e.branches)-1].cond != nil
}

// target is the field that a branch names, if all do that are no values.
func (e *caseWhen) target(c *compiler) target {
	for _, b := range e.branches {
		if b.value != nil {
			if t := b.value.target(c); t.field != nil {
				return t
			}
		}
	}
	return target{}
}

// Random is a random number from 0 to 1, another one for each row.
func Random() Expr { return Expr{newCall("random")} }

// NewUUID is a new random UUID for each row.
func NewUUID() Expr { return Expr{newCall("uuid")} }
