package orm

import (
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/retort-web/retort/orm/schema"
)

// call is a function of the library, or an operator, applied to its arguments.
type call struct {
	f    Function
	args []operand
	// like is the argument whose type the result has; -1 if it has one of its own.
	like int
	// null tells that the result can be NULL though no argument is.
	null bool
	// skips tells that NULL among the arguments is passed over, so that the result is
	// NULL only if all of them are.
	skips bool
}

// newCall makes a call whose arguments are given as the API takes them: see
// argument.
func newCall(name string, args ...any) *call {
	e := &call{f: Function{Name: name, Args: len(args)}, like: -1}
	for _, arg := range args {
		e.args = append(e.args, argument(arg))
	}
	return e
}

// argument makes an operand of what stands among fields and values alike: a pointer
// names a field, an Expr or Cond is itself, and everything else is a value.
func argument(arg any) operand {
	switch arg.(type) {
	case nil, Expr, Cond:
	default:
		if reflect.TypeOf(arg).Kind() != reflect.Pointer {
			return &value{arg}
		}
	}
	if arg == nil {
		return &value{}
	}
	return operandOf(arg)
}

func (e *call) write(c *compiler) {
	c.spelled(e.f, func(i int) { c.argument(e.args[i], e.siblings(c, i)) })
}

// siblings is what the type of a value among fields is taken from.
func (e *call) siblings(c *compiler, i int) target {
	if e.like < 0 || i == e.like {
		return target{}
	}
	return e.args[e.like].target(c)
}

// argument writes an operand; a value is encoded as t, if that is a field.
func (c *compiler) argument(arg operand, t target) {
	v, isValue := arg.(*value)
	if !isValue {
		arg.write(c)
		return
	}
	if t.field == nil {
		v.write(c)
		return
	}
	plain, err := t.field.convert(v.v, false)
	if err != nil {
		c.fail(t.misfit(err))
		return
	}
	c.typed(plain)
}

func (e *call) parts() []expr { return operands(e.args) }

func operands(args []operand) []expr {
	list := make([]expr, len(args))
	for i, arg := range args {
		list[i] = arg
	}
	return list
}

func (e *call) visit(c *compiler, f func(*node)) {
	for _, arg := range e.args {
		arg.visit(c, f)
	}
}

func (e *call) mayBeNull(c *compiler) bool {
	if e.null {
		return true
	}
	for _, arg := range e.args {
		if arg.mayBeNull(c) != e.skips {
			return !e.skips
		}
	}
	return e.skips
}

func (e *call) target(c *compiler) target {
	if e.like < 0 || e.like >= len(e.args) {
		return target{}
	}
	return e.args[e.like].target(c)
}

// value is a Go value that stands where an expression can.
type value struct{ v any }

func (e *value) write(c *compiler) {
	v, err := plainValue(e.v)
	if err != nil {
		c.fail(fmt.Errorf("orm: %w", err))
		return
	}
	c.typed(v)
}

// typed writes a value of which the SQL around does not tell the type.
func (c *compiler) typed(v any) {
	if v == nil {
		c.text("NULL")
		return
	}
	c.spelled(Function{Name: "value", Args: 1, Type: typeOf(v)}, func(int) { c.arg(v) })
}

// typeOf is the column type of a plain value.
func typeOf(v any) schema.Type {
	switch v.(type) {
	case bool:
		return schema.Bool
	case int64:
		return schema.Int64
	case float64:
		return schema.Float64
	case []byte:
		return schema.Bytes
	case time.Time:
		return schema.DateTime
	}
	return schema.Text
}

func (*value) parts() []expr { return nil }

func (*value) visit(*compiler, func(*node)) {}

func (e *value) mayBeNull(*compiler) bool { return e.v == nil }

func (*value) target(*compiler) target { return target{} }

// constant is a whole number that stands in the SQL itself: functions take some of their
// arguments only in a type that a parameter would not have.
type constant int

func whole(n int) Expr { return Expr{constant(n)} }

func (e constant) write(c *compiler) { c.buf = strconv.AppendInt(c.buf, int64(e), 10) }

func (constant) parts() []expr { return nil }

func (constant) visit(*compiler, func(*node)) {}

func (constant) mayBeNull(*compiler) bool { return false }

func (constant) target(*compiler) target { return target{} }
