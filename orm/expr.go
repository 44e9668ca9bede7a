package orm

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/retort-web/retort/orm/schema"
)

// expr is a node of the one expression tree that pointers and lookup strings
// both build. Nodes never change once made; they are shared by all queries
// derived from one another.
type expr interface {
	// write appends the expression's SQL.
	write(c *compiler)
	// visit calls f for each part that stands for a field, except within Not,
	// which looks at related rows on its own.
	visit(c *compiler, f func(*node))
	// mayBeNull reports whether the value can be NULL.
	mayBeNull(c *compiler) bool
}

// operand is an expression with a value.
type operand interface {
	expr
	// target says how values compared with it are encoded; its codec is nil
	// if any value goes.
	target(c *compiler) target
}

// Expr is a computed value: an aggregate, an arithmetic expression or a
// function of a field. It is used in [Set], [As], [Asc], [Desc] and GroupBy.
type Expr struct{ e operand }

// Cond is a condition. It is a value that can be kept, shared and combined.
type Cond struct{ e expr }

func (r ref) target(c *compiler) target {
	_, t := c.resolve(r)
	return t
}

func (r ref) write(c *compiler) {
	n, t := c.resolve(r)
	c.column(n, t.field)
}

func (r ref) visit(c *compiler, f func(*node)) {
	if n, _ := c.resolve(r); n != nil {
		f(n)
	}
}

func (r ref) mayBeNull(c *compiler) bool {
	n, t := c.resolve(r)
	if n == nil || columnMayBeNull(n, t.field) {
		return true
	}
	_, left := c.joinedAs(n.tree)
	return left
}

func columnMayBeNull(n *node, f *FieldInfo) bool {
	if f.Null {
		return true
	}
	for ; n.parent != nil; n = n.parent {
		if n.field.mayLeadNowhere() {
			return true
		}
	}
	return false
}

// literal is a value typed by the field it is compared with: the field's codec
// reads it from memory as it would read the field.
type literal struct{ p unsafe.Pointer }

// variable is a value whose type is known only at run time.
type variable struct{ v any }

// value encodes a literal, variable or other right-hand side for comparison
// with t. The second result is false if e is not a value but an expression.
func (c *compiler) value(e expr, t target) (any, bool) {
	switch e := e.(type) {
	case *literal:
		if t.codec == nil {
			return nil, true
		}
		v, err := t.codec.load(e.p)
		if err != nil {
			c.fail(t.misfit(err))
		}
		c.loads = append(c.loads, loaded{e, t.codec})
		return v, true
	case *variable:
		if t.field == nil {
			v, err := plainValue(e.v)
			if err != nil {
				c.fail(fmt.Errorf("orm: %w", err))
			}
			return v, true
		}
		v, err := t.field.convert(e.v, false)
		if err != nil {
			c.fail(t.misfit(err))
		}
		return v, true
	}
	return nil, false
}

// misfit is the error of a value that is none of the field's.
func (t target) misfit(err error) error {
	return fmt.Errorf("%w: the value given for %s: %w", ErrValue, t.name(), err)
}

func (t target) name() string {
	if t.field == nil {
		return "an expression"
	}
	return t.field.model.Name + "." + t.field.Name
}

func (*literal) write(c *compiler) { c.fail(errors.New("orm: a value stands where a field is needed")) }

func (*literal) visit(*compiler, func(*node)) {}

func (*literal) mayBeNull(*compiler) bool { return false }

func (v *variable) write(c *compiler) {
	if value, ok := c.value(v, target{}); ok {
		c.arg(value)
	}
}

func (*variable) visit(*compiler, func(*node)) {}

func (*variable) mayBeNull(*compiler) bool { return false }

// compare is left op right.
type compare struct {
	op    string // = <> < <= > >=
	left  operand
	right expr
}

func (e *compare) write(c *compiler) {
	if parts := c.partsOf(e.left); parts != nil {
		c.compareParts(e, parts)
		return
	}
	t := e.left.target(c)
	v, isValue := c.value(e.right, t)
	if c.err != nil {
		return
	}
	if isValue && v == nil {
		switch e.op {
		case "=":
			(&isNull{e.left, false}).write(c)
		case "<>":
			(&isNull{e.left, true}).write(c)
		default:
			c.fail(fmt.Errorf("orm: %s is compared with NULL by %s, which is never true", t.name(), e.op))
		}
		return
	}
	// What is not equal is everything else, as in Go: NULL is not left out.
	if e.op == "<>" && !isValue && (e.left.mayBeNull(c) || e.right.mayBeNull(c)) {
		c.text("(")
		e.left.write(c)
		c.text(" = ")
		e.right.write(c)
		c.text(") IS NOT TRUE")
		return
	}
	orNull := e.op == "<>" && e.left.mayBeNull(c)
	if orNull {
		c.text("(")
	}
	e.left.write(c)
	c.text(" " + e.op + " ")
	if isValue {
		c.arg(v)
	} else {
		e.right.write(c)
	}
	if orNull {
		c.text(" OR ")
		e.left.write(c)
		c.text(" IS NULL)")
	}
}

func (e *compare) visit(c *compiler, f func(*node)) {
	e.left.visit(c, f)
	e.right.visit(c, f)
}

func (e *compare) mayBeNull(c *compiler) bool {
	return e.op != "<>" && (e.left.mayBeNull(c) || e.right.mayBeNull(c))
}

// isNull is operand IS [NOT] NULL.
type isNull struct {
	of  operand
	not bool
}

func (e *isNull) write(c *compiler) {
	if parts := c.partsOf(e.of); parts != nil {
		c.nullParts(parts, e.not)
		return
	}
	e.of.write(c)
	if e.not {
		c.text(" IS NOT NULL")
	} else {
		c.text(" IS NULL")
	}
}

func (e *isNull) visit(c *compiler, f func(*node)) { e.of.visit(c, f) }

func (e *isNull) mayBeNull(*compiler) bool { return false }

// between is operand BETWEEN low AND high, both included.
type between struct {
	of        operand
	low, high expr
}

func (e *between) write(c *compiler) {
	if parts := c.partsOf(e.of); parts != nil {
		c.compareParts(&compare{">=", e.of, e.low}, parts)
		c.text(" AND ")
		c.compareParts(&compare{"<=", e.of, e.high}, parts)
		return
	}
	t := e.of.target(c)
	low, _ := c.value(e.low, t)
	high, _ := c.value(e.high, t)
	if c.err == nil && (low == nil || high == nil) {
		c.fail(fmt.Errorf("orm: Between on %s has a NULL bound", t.name()))
		return
	}
	e.of.write(c)
	c.text(" BETWEEN ")
	c.arg(low)
	c.text(" AND ")
	c.arg(high)
}

func (e *between) visit(c *compiler, f func(*node)) { e.of.visit(c, f) }

func (e *between) mayBeNull(c *compiler) bool { return e.of.mayBeNull(c) }

// inList is operand [NOT] IN values.
type inList struct {
	of     operand
	not    bool
	values []expr
}

// inlineValues is how many values stand in the SQL one by one. Longer lists go
// in one array parameter, so that the limit on parameters is never met
// and the text of the statement stays the same.
const inlineValues = 24

func (e *inList) write(c *compiler) {
	t := e.of.target(c)
	values := make([]any, 0, len(e.values))
	hasNull := false
	for _, x := range e.values {
		v, _ := c.value(x, t)
		if v == nil {
			hasNull = true
			continue
		}
		values = append(values, v)
	}
	if c.err != nil {
		return
	}
	if len(values) == 0 {
		switch {
		case hasNull:
			(&isNull{e.of, e.not}).write(c)
		case e.not:
			c.text("1 = 1")
		default:
			c.text("1 = 0")
		}
		return
	}
	null := e.of.mayBeNull(c)
	withNull := null && hasNull != e.not // NULL meets the condition
	if withNull || e.not && hasNull {
		c.text("(")
	}
	c.in(e.of, e.not, values)
	switch {
	case withNull:
		c.text(" OR ")
		(&isNull{e.of, false}).write(c)
		c.text(")")
	case e.not && hasNull:
		c.text(" AND ")
		(&isNull{e.of, true}).write(c)
		c.text(")")
	}
}

// in writes a test for values that are not NULL.
func (c *compiler) in(of operand, not bool, values []any) {
	parts := c.partsOf(of)
	if parts == nil {
		c.inPlain(of, not, values)
		return
	}
	if len(values)*len(parts) > c.dialect.MaxParameters() {
		// Tuples that begin alike need fewer, but nobody should count on that.
		c.failf("%d keys of %d columns are more than one query can compare with", len(values), len(parts))
		return
	}
	tuples := make([]Tuple, len(values))
	for i, v := range values {
		t, ok := v.(Tuple)
		if !ok || len(t) != len(parts) {
			c.failf("a %T is given where a key of %d columns is needed", v, len(parts))
			return
		}
		tuples[i] = t
	}
	if not {
		c.text("NOT ")
	}
	c.inTuples(parts, tuples)
}

// inPlain writes a test of a single column.
func (c *compiler) inPlain(of operand, not bool, values []any) {
	if c.inArray(of, not, values) {
		return
	}
	of.write(c)
	if not {
		c.text(" NOT")
	}
	c.text(" IN (")
	for i, v := range values {
		if i > 0 {
			c.text(", ")
		}
		c.arg(v)
	}
	c.text(")")
}

// inArray writes a long list as one parameter.
func (c *compiler) inArray(of operand, not bool, values []any) bool {
	if len(values) <= inlineValues || c.inline {
		return false
	}
	for i, v := range values {
		values[i] = c.dialect.Bind(v)
	}
	column := c.sub(func() { of.write(c) })
	if not {
		c.text("NOT ")
	}
	b, arg, ok := c.dialect.InArray(c.buf, column, c.nextPlaceholder(), values)
	if !ok {
		if len(values) > c.dialect.MaxParameters() {
			c.fail(fmt.Errorf("orm: %d values are more than one query can compare with", len(values)))
		}
		if not {
			c.buf = c.buf[:len(c.buf)-len("NOT ")]
		}
		return false
	}
	c.buf = b
	c.args = append(c.args, arg)
	return true
}

func (e *inList) visit(c *compiler, f func(*node)) { e.of.visit(c, f) }

func (e *inList) mayBeNull(c *compiler) bool { return e.of.mayBeNull(c) }

// match is a text match.
type match struct {
	of   operand
	kind Match
	text string
}

func (e *match) write(c *compiler) {
	t := e.of.target(c)
	if c.err == nil && t.field != nil && t.field.Kind != schema.String && t.field.Kind != schema.Text {
		c.fail(fmt.Errorf("orm: %s is not text and cannot be matched", t.name()))
	}
	if strings.IndexByte(e.text, 0) >= 0 || !utf8.ValidString(e.text) {
		// SQLite would look for what stands before the NUL, and MariaDB for nothing.
		c.fail(fmt.Errorf("%w: no text has a NUL or bytes that are not UTF-8, and cannot be matched with them", ErrValue))
	}
	column := c.sub(func() { e.of.write(c) })
	if c.err != nil {
		return
	}
	b, pattern := c.dialect.Match(c.buf, e.kind, column, c.nextPlaceholder(), e.text)
	c.buf = b
	c.args = append(c.args, pattern)
}

func (e *match) visit(c *compiler, f func(*node)) { e.of.visit(c, f) }

func (e *match) mayBeNull(c *compiler) bool { return e.of.mayBeNull(c) }

// invalid is an expression whose making failed; the query returns the error.
type invalid struct{ err error }

func (e *invalid) write(c *compiler) { c.fail(e.err) }

func (e *invalid) visit(c *compiler, _ func(*node)) { c.fail(e.err) }

func (e *invalid) mayBeNull(*compiler) bool { return false }

func (e *invalid) target(c *compiler) target {
	c.fail(e.err)
	return target{}
}

// operandOf makes an operand of what the API takes as any: a pointer to a
// field, an Expr, or a Cond, which is a value too.
func operandOf(field any) operand {
	if e, ok := field.(Expr); ok {
		if e.e == nil {
			return &invalid{errors.New("orm: an empty Expr")}
		}
		return e.e
	}
	if cond, ok := field.(Cond); ok {
		return &truth{cond.orInvalid()}
	}
	r, err := refOf(field)
	if err != nil {
		return &invalid{err}
	}
	return r
}
