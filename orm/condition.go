package orm

import (
	"errors"
	"reflect"
)

// The value of the methods below is a Go value, a pointer that names a field, or
// another Expr.

// Eq is e = value. A nil value stands for NULL.
func (e Expr) Eq(value any) Cond { return e.compare("=", value) }

// Ne is true wherever Eq is not, so also where one of the two is NULL.
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
	if j, ok := e.e.(*jsonPath); ok {
		return Cond{j.compare(op, value)}
	}
	return Cond{&compare{op, operandOf(e), comparand(value)}}
}

// comparand is the right-hand side of a comparison. Values are encoded as the left-hand
// side is.
func comparand(v any) expr {
	if of, isValue := argument(v).(*value); isValue {
		return &variable{of.v}
	}
	return argument(v)
}

// In is true if e is one of the values.
func (e Expr) In(values ...any) Cond {
	return Cond{&inList{e.comparable(values), false, comparands(values)}}
}

// NotIn is true wherever In is not, so also for NULL.
func (e Expr) NotIn(values ...any) Cond {
	return Cond{&inList{e.comparable(values), true, comparands(values)}}
}

func comparands(values []any) []expr {
	list := make([]expr, len(values))
	for i, v := range values {
		list[i] = &variable{v}
		switch v := v.(type) {
		case Expr:
			list[i] = &invalid{errors.New("orm: In compares with values; compare expressions with Or of Eq, or use InQuery")}
		case nil:
		default:
			if reflect.TypeOf(v).Kind() == reflect.Pointer {
				list[i] = &invalid{errors.New("orm: In compares with values, not with fields; compare fields with Or of EqField")}
			}
		}
	}
	return list
}

// Between is low <= e <= high.
func (e Expr) Between(low, high any) Cond {
	return Cond{&between{e.comparable([]any{low}), comparand(low), comparand(high)}}
}

// IsNull is true if e is NULL.
func (e Expr) IsNull() Cond { return Cond{&isNull{e.presence(), false}} }

// NotNull is true if e is not NULL.
func (e Expr) NotNull() Cond { return Cond{&isNull{e.presence(), true}} }

// Contains is true if the text is found in e, in the same case.
func (e Expr) Contains(text string) Cond { return matching(e.text(), MatchAnywhere, false, text) }

// IContains is true if the text is found in e in any case.
func (e Expr) IContains(text string) Cond { return matching(e.text(), MatchAnywhere, true, text) }

// StartsWith is true if e begins with the text.
func (e Expr) StartsWith(text string) Cond { return matching(e.text(), MatchStart, false, text) }

// IStartsWith is true if e begins with the text in any case.
func (e Expr) IStartsWith(text string) Cond { return matching(e.text(), MatchStart, true, text) }

// EndsWith is true if e ends with the text.
func (e Expr) EndsWith(text string) Cond { return matching(e.text(), MatchEnd, false, text) }

// IEndsWith is true if e ends with the text in any case.
func (e Expr) IEndsWith(text string) Cond { return matching(e.text(), MatchEnd, true, text) }

// IExact is true if e is the text in any case.
func (e Expr) IExact(text string) Cond { return matching(e.text(), MatchWhole, true, text) }

// Regex is true if e has a part that matches a regular expression; see the function
// [Regex].
func (e Expr) Regex(pattern string) Cond { return Cond{newCall("regex", Expr{e.text()}, pattern)} }

// IRegex is [Expr.Regex] in any case of letters.
func (e Expr) IRegex(pattern string) Cond { return Cond{newCall("iregex", Expr{e.text()}, pattern)} }

// InQuery is true if e is among the values of a column, or expression, in the rows of a
// query, which [Query.Any] gives. For a field there is the function [InQuery].
func (e Expr) InQuery(q AnySet, column any) Cond {
	return Cond{&inQuery{operandOf(e), q.q, operandOf(column)}}
}

// presence is what is NULL where e is: for a value in JSON, its type.
func (e Expr) presence() operand {
	if j, ok := e.e.(*jsonPath); ok {
		return j.as("json_type")
	}
	return operandOf(e)
}

// comparable is e as what compares with values: a value in JSON as one of the type of
// the first.
func (e Expr) comparable(values []any) operand {
	j, ok := e.e.(*jsonPath)
	if !ok || len(values) == 0 {
		return operandOf(e)
	}
	function, err := jsonFunction(values[0])
	if err != nil {
		return &invalid{err}
	}
	return j.as(function)
}
