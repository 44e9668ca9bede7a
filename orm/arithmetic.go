package orm

import (
	"time"

	"github.com/retort-web/retort/orm/schema"
)

// number is the types that can be computed with.
type number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Add is field + by. For expressions there is [Expr.Add].
func Add[V number](field *V, by V) Expr { return F(field).Add(by) }

// Sub is field - by. For expressions there is [Expr.Sub].
func Sub[V number](field *V, by V) Expr { return F(field).Sub(by) }

// Mul is field * by. For expressions there is [Expr.Mul].
func Mul[V number](field *V, by V) Expr { return F(field).Mul(by) }

// AddField is field + other, between two fields.
func AddField[V number](field, other *V) Expr { return F(field).Add(other) }

// SubField is field - other, between two fields.
func SubField[V number](field, other *V) Expr { return F(field).Sub(other) }

// The operand x of the methods below is a Go value, a pointer that names a field, or
// another Expr.

// Add is e + x. A time and a [time.Duration], as a value or a field, make another time:
//
//	orm.F(&p.Published).Add(24 * time.Hour)
func (e Expr) Add(x any) Expr { return e.operator("add", x) }

// Sub is e - x. A time and a duration make a time, two times a duration.
func (e Expr) Sub(x any) Expr { return e.operator("sub", x) }

// Mul is e * x.
func (e Expr) Mul(x any) Expr { return e.operator("mul", x) }

// Div is e / x. What becomes of the remainder of whole numbers depends on the database;
// [Cast] one of them to float64 to keep it, or use [Floor].
func (e Expr) Div(x any) Expr { return e.operator("div", x) }

// Mod is the remainder of e / x.
func (e Expr) Mod(x any) Expr { return e.operator("mod", x) }

// Pow is e to the power of x.
func (e Expr) Pow(x any) Expr { return e.operator("pow", x) }

// BitAnd is the bits set in both e and x.
func (e Expr) BitAnd(x any) Expr { return e.operator("bitand", x) }

// BitOr is the bits set in e or x.
func (e Expr) BitOr(x any) Expr { return e.operator("bitor", x) }

// BitXor is the bits set in one of e and x.
func (e Expr) BitXor(x any) Expr { return e.operator("bitxor", x) }

// ShiftLeft is e with its bits moved up by x.
func (e Expr) ShiftLeft(x any) Expr { return e.operator("bitleft", x) }

// ShiftRight is e with its bits moved down by x.
func (e Expr) ShiftRight(x any) Expr { return e.operator("bitright", x) }

// Neg is -e.
func (e Expr) Neg() Expr { return Expr{newCall("neg", e)} }

func (e Expr) operator(name string, x any) Expr {
	return Expr{&arithmetic{*newCall(name, e, x)}}
}

// arithmetic is an operator between two operands.
type arithmetic struct{ call }

func (e *arithmetic) write(c *compiler) {
	if name := e.withTimes(c); name != "" {
		f := Function{Name: name, Args: 2}
		c.spelled(f, func(i int) { e.args[i].write(c) })
		return
	}
	e.call.write(c)
}

// withTimes is the function for times and durations, if the operands are such. A
// duration is a number of nanoseconds, as in a column.
func (e *arithmetic) withTimes(c *compiler) string {
	if e.f.Name != "add" && e.f.Name != "sub" || !isTime(e.args[0], c) {
		return ""
	}
	if e.f.Name == "sub" && isTime(e.args[1], c) {
		return "time_diff"
	}
	return "time_" + e.f.Name
}

func isTime(of operand, c *compiler) bool {
	switch of := of.(type) {
	case *value:
		_, ok := of.v.(time.Time)
		return ok
	case *timePart:
		return of.f.Name == "trunc"
	case *arithmetic:
		name := of.withTimes(c)
		return name == "time_add" || name == "time_sub"
	case *call:
		if of.f.Name == "now" {
			return true
		}
	}
	t := of.target(c)
	return t.field != nil && t.field.Kind == schema.DateTime
}
