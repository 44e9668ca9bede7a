package orm

import (
	"errors"

	"github.com/retort-web/retort/orm/schema"
)

// number is the types that can be computed with.
type number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Add is field + by.
func Add[V number](field *V, by V) Expr { return Expr{&arithmetic{" + ", refTo(field), &variable{by}}} }

// Sub is field - by.
func Sub[V number](field *V, by V) Expr { return Expr{&arithmetic{" - ", refTo(field), &variable{by}}} }

// Mul is field * by.
func Mul[V number](field *V, by V) Expr { return Expr{&arithmetic{" * ", refTo(field), &variable{by}}} }

// AddField is field + other, between two fields.
func AddField[V number](field, other *V) Expr {
	return Expr{&arithmetic{" + ", refTo(field), refTo(other)}}
}

// SubField is field - other, between two fields.
func SubField[V number](field, other *V) Expr {
	return Expr{&arithmetic{" - ", refTo(field), refTo(other)}}
}

// F is the value of a field, where an expression is asked for: it copies one field
// to another in [Set].
func F(field any) Expr { return Expr{operandOf(field)} }

// Lower is the text of a field in lower case. On SQLite only ASCII letters change.
func Lower(field any) Expr { return Expr{&function{"LOWER", operandOf(field)}} }

// Upper is the text of a field in upper case. On SQLite only ASCII letters change.
func Upper(field any) Expr { return Expr{&function{"UPPER", operandOf(field)}} }

// Length is the number of characters of a field's text.
func Length(field any) Expr { return Expr{&function{"LENGTH", operandOf(field)}} }

// Coalesce is a field or [Expr], or value where that is NULL. The value is a Go value or
// another Expr.
func Coalesce(field, value any) Expr {
	of := operandOf(field)
	if other, ok := value.(Expr); ok {
		return Expr{&coalesce{of, operandOf(other)}}
	}
	return Expr{&coalesce{of, &variable{value}}}
}

// Year is the year of a time, in UTC, as text: "2025". It groups the rows of an
// archive; to compare with a year, compare the time with its bounds.
func Year(field any) Expr { return Expr{&period{4, operandOf(field)}} }

// Month is the year and month of a time, in UTC, as text: "2025-06".
func Month(field any) Expr { return Expr{&period{7, operandOf(field)}} }

// Day is the day of a time, in UTC, as text: "2025-06-01".
func Day(field any) Expr { return Expr{&period{10, operandOf(field)}} }

// Count is the number of rows, in the group, whose field is not NULL. Given a
// relation to many, such as &p.Comments, it counts related rows.
func Count(field any) Expr { return Expr{&aggregate{name: "COUNT", of: operandOf(field)}} }

// CountDistinct is the number of different values of a field in the group.
func CountDistinct(field any) Expr {
	return Expr{&aggregate{name: "COUNT", of: operandOf(field), distinct: true}}
}

// Sum is the sum of a field in the group; NULL if there is nothing to add.
func Sum(field any) Expr { return Expr{&aggregate{name: "SUM", of: operandOf(field)}} }

// Avg is the average of a field in the group; NULL if there is nothing to average.
func Avg(field any) Expr { return Expr{&aggregate{name: "AVG", of: operandOf(field)}} }

// Min is the least value of a field in the group; NULL if there is none.
func Min(field any) Expr { return Expr{&aggregate{name: "MIN", of: operandOf(field)}} }

// Max is the greatest value of a field in the group; NULL if there is none.
func Max(field any) Expr { return Expr{&aggregate{name: "MAX", of: operandOf(field)}} }

// Filter makes an aggregate take only the rows that meet all conditions. If it counts
// rows of a relation to many, conditions on the relation concern the row counted:
//
//	orm.Count(&p.ID).Filter(orm.Eq(&p.Status, Live))
//	orm.Count(&a.Posts).Filter(orm.Eq(&a.Posts.To().Status, Live))
func (e Expr) Filter(conds ...Cond) Expr {
	a, ok := e.e.(*aggregate)
	if !ok {
		return Expr{&invalid{errors.New("orm: Filter is for aggregates such as Count")}}
	}
	filtered := *a
	filtered.filter = &logic{kids: exprs(conds)}
	if a.filter != nil {
		filtered.filter.kids = add(filtered.filter.kids, a.filter.kids...)
	}
	return Expr{&filtered}
}

// Eq is e = value. The value, here as in the methods below, is a Go value or
// another Expr.
func (e Expr) Eq(value any) Cond { return e.compare("=", value) }

// Ne is e <> value, true also where e is NULL.
func (e Expr) Ne(value any) Cond { return e.compare("<>", value) }

// Lt is e < value.
func (e Expr) Lt(value any) Cond { return e.compare("<", value) }

// Le is e <= value.
func (e Expr) Le(value any) Cond { return e.compare("<=", value) }

// Gt is e > value.
func (e Expr) Gt(value any) Cond { return e.compare(">", value) }

// Ge is e >= value.
func (e Expr) Ge(value any) Cond { return e.compare(">=", value) }

func (e Expr) compare(op string, value any) Cond {
	left := operandOf(e)
	if other, ok := value.(Expr); ok {
		return Cond{&compare{op, left, operandOf(other)}}
	}
	return Cond{&compare{op, left, &variable{value}}}
}

// arithmetic is left op right.
type arithmetic struct {
	op    string
	left  operand
	right expr
}

func (e *arithmetic) write(c *compiler) {
	c.text("(")
	e.left.write(c)
	c.text(e.op)
	if v, ok := c.value(e.right, target{}); ok {
		c.arg(v)
	} else {
		e.right.write(c)
	}
	c.text(")")
}

func (e *arithmetic) visit(c *compiler, f func(*node)) {
	e.left.visit(c, f)
	e.right.visit(c, f)
}

func (e *arithmetic) mayBeNull(c *compiler) bool {
	return e.left.mayBeNull(c) || e.right.mayBeNull(c)
}

func (e *arithmetic) target(c *compiler) target { return target{} }

// function is a function of one value.
type function struct {
	name string
	of   operand
}

func (e *function) write(c *compiler) {
	c.text(e.name)
	c.text("(")
	e.of.write(c)
	c.text(")")
}

func (e *function) visit(c *compiler, f func(*node)) { e.of.visit(c, f) }

func (e *function) mayBeNull(c *compiler) bool { return e.of.mayBeNull(c) }

func (e *function) target(*compiler) target { return target{} }

// coalesce is of, or value if that is NULL.
type coalesce struct {
	of    operand
	value expr
}

func (e *coalesce) write(c *compiler) {
	c.text("COALESCE(")
	e.of.write(c)
	c.text(", ")
	if v, ok := c.value(e.value, e.of.target(c)); ok {
		c.arg(v)
	} else {
		e.value.write(c)
	}
	c.text(")")
}

func (e *coalesce) visit(c *compiler, f func(*node)) {
	e.of.visit(c, f)
	e.value.visit(c, f)
}

func (e *coalesce) mayBeNull(c *compiler) bool { return e.value.mayBeNull(c) }

func (e *coalesce) target(c *compiler) target { return e.of.target(c) }

// period is the first characters of a time in ISO 8601.
type period struct {
	length int
	of     operand
}

func (e *period) write(c *compiler) {
	if t := e.of.target(c); c.err == nil && (t.field == nil || t.field.Kind != schema.DateTime) {
		c.failf("%s is not a time", t.name())
	}
	c.buf = c.dialect.Period(c.buf, c.sub(func() { e.of.write(c) }), e.length)
}

func (e *period) visit(c *compiler, f func(*node)) { e.of.visit(c, f) }

func (e *period) mayBeNull(c *compiler) bool { return e.of.mayBeNull(c) }

func (e *period) target(*compiler) target { return target{} }

// aggregate is a value computed of all rows of a group.
type aggregate struct {
	name     string
	of       operand
	distinct bool
	filter   *logic // nil for all rows
}

func (e *aggregate) write(c *compiler) {
	if !c.grouped {
		c.failf("an aggregate stands where there is no group; use orm.Select, and Having for its conditions")
		return
	}
	c.text(e.name)
	c.text("(")
	if e.distinct {
		c.text("DISTINCT ")
	}
	if e.filter != nil {
		// FILTER (WHERE …) says the same, but not on every database.
		c.text("CASE WHEN ")
		outer := c.scope
		e.visit(c, c.bindJoined)
		c.all(e.filter.kids)
		c.scope = outer
		c.text(" THEN ")
	}
	if n, t := e.related(c); n != nil {
		c.column(c.step(n, t.field), t.field.Relation.Target().PrimaryKey)
	} else {
		e.of.write(c)
	}
	if e.filter != nil {
		c.text(" END")
	}
	c.text(")")
}

// bindJoined makes conditions on the relations to many that lead to n concern the row
// that is joined, which is the one being counted.
func (c *compiler) bindJoined(n *node) {
	for m := n.many(); m != nil && c.err == nil; m = m.parent.many() {
		c.scope = &scope{outer: c.scope, bound: m, alias: c.aliasOf(m), joined: true}
	}
}

// related finds the relation to many that is counted, if that is what of names.
func (e *aggregate) related(c *compiler) (*node, target) {
	if r, ok := e.of.(ref); ok && e.name == "COUNT" {
		if n, t := c.resolve(r); n != nil && t.field.Column == "" {
			return n, t
		}
	}
	return nil, target{}
}

func (e *aggregate) visit(c *compiler, f func(*node)) {
	if n, t := e.related(c); n != nil {
		f(c.step(n, t.field))
		return
	}
	e.of.visit(c, f)
}

func (e *aggregate) mayBeNull(*compiler) bool { return e.name != "COUNT" }

func (e *aggregate) target(c *compiler) target {
	if e.name == "MIN" || e.name == "MAX" {
		return e.of.target(c)
	}
	return target{}
}

// multiplies reports an aggregate that counts a row as often as it comes.
func (e *aggregate) multiplies() bool {
	return !e.distinct && e.name != "MIN" && e.name != "MAX"
}
