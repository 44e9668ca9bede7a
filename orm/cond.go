package orm

import "unsafe"

// Eq is field = value. A nil pointer compares with NULL.
func Eq[V any](field *V, value V) Cond { return comparison(field, "=", value) }

// Ne is true wherever Eq is not, so also for NULL, unless value is NULL.
func Ne[V any](field *V, value V) Cond { return comparison(field, "<>", value) }

// Lt is field < value.
func Lt[V any](field *V, value V) Cond { return comparison(field, "<", value) }

// Le is field <= value.
func Le[V any](field *V, value V) Cond { return comparison(field, "<=", value) }

// Gt is field > value.
func Gt[V any](field *V, value V) Cond { return comparison(field, ">", value) }

// Ge is field >= value.
func Ge[V any](field *V, value V) Cond { return comparison(field, ">=", value) }

func comparison[V any](field *V, op string, value V) Cond {
	// One allocation for all of them: conditions are made for each query.
	made := &struct {
		compare
		literal
		field ref
		value V
	}{field: refTo(field), value: value}
	made.literal.p = unsafe.Pointer(&made.value)
	made.compare = compare{op, &made.field, &made.literal}
	return Cond{&made.compare}
}

// EqField is field = other, between two fields.
func EqField[V any](field, other *V) Cond { return fieldComparison(field, "=", other) }

// NeField is field <> other, true also where one of them is NULL.
func NeField[V any](field, other *V) Cond { return Not(fieldComparison(field, "=", other)) }

// LtField is field < other.
func LtField[V any](field, other *V) Cond { return fieldComparison(field, "<", other) }

// LeField is field <= other.
func LeField[V any](field, other *V) Cond { return fieldComparison(field, "<=", other) }

// GtField is field > other.
func GtField[V any](field, other *V) Cond { return fieldComparison(field, ">", other) }

// GeField is field >= other.
func GeField[V any](field, other *V) Cond { return fieldComparison(field, ">=", other) }

func fieldComparison[V any](field *V, op string, other *V) Cond {
	return Cond{&compare{op, refTo(field), refTo(other)}}
}

// In is true if the field is one of the values, of which there may be any
// number; with none it is false and the query is not even sent.
func In[V any](field *V, values ...V) Cond {
	return Cond{&inList{refTo(field), false, literals(values)}}
}

// NotIn is true wherever In is not, so also for NULL.
func NotIn[V any](field *V, values ...V) Cond {
	return Cond{&inList{refTo(field), true, literals(values)}}
}

func literals[V any](values []V) []expr {
	list := make([]expr, len(values))
	boxes := make([]literal, len(values))
	// The condition keeps its own copy: the caller may change the slice.
	own := append([]V(nil), values...)
	for i := range own {
		boxes[i].p = unsafe.Pointer(&own[i])
		list[i] = &boxes[i]
	}
	return list
}

// Between is low <= field <= high.
func Between[V any](field *V, low, high V) Cond {
	return Cond{&between{refTo(field), &literal{unsafe.Pointer(&low)}, &literal{unsafe.Pointer(&high)}}}
}

// IsNull is true if the field is NULL. Whether a relation to many has rows is
// asked with [Has].
func IsNull[V any](field *V) Cond { return Cond{&isNull{refTo(field), false}} }

// NotNull is true if the field is not NULL.
func NotNull[V any](field *V) Cond { return Cond{&isNull{refTo(field), true}} }

// Has is true if the relation to many has a row; in one Where with other
// conditions on the relation, one that meets them. Not(Has(…)) is true if it
// has none.
func Has[V any](relation *V) Cond { return Cond{&hasRow{refTo(relation)}} }

// Is is true if the foreign key refers to row; nil means NULL.
func Is[T any, K comparable](field *ForeignKey[T, K], row *T) Cond {
	// By its link the key knows which field of the row it is.
	key := ForeignKey[T, K]{link: field.link}
	key.Set(row)
	return Eq(field, key)
}

// Contains is true if the text is found in the field, in the same case.
func Contains[V ~string | ~*string](field *V, text string) Cond {
	return matching(refTo(field), MatchAnywhere, false, text)
}

// IContains is true if the text is found in the field in any case.
func IContains[V ~string | ~*string](field *V, text string) Cond {
	return matching(refTo(field), MatchAnywhere, true, text)
}

// StartsWith is true if the field begins with the text.
func StartsWith[V ~string | ~*string](field *V, text string) Cond {
	return matching(refTo(field), MatchStart, false, text)
}

// IStartsWith is true if the field begins with the text in any case.
func IStartsWith[V ~string | ~*string](field *V, text string) Cond {
	return matching(refTo(field), MatchStart, true, text)
}

// EndsWith is true if the field ends with the text.
func EndsWith[V ~string | ~*string](field *V, text string) Cond {
	return matching(refTo(field), MatchEnd, false, text)
}

// IEndsWith is true if the field ends with the text in any case.
func IEndsWith[V ~string | ~*string](field *V, text string) Cond {
	return matching(refTo(field), MatchEnd, true, text)
}

// IExact is true if the field is the text in any case.
func IExact[V ~string | ~*string](field *V, text string) Cond {
	return matching(refTo(field), MatchWhole, true, text)
}

func matching(of operand, place MatchPlace, fold bool, text string) Cond {
	return Cond{&match{of, Match{place, fold}, text}}
}

// hasRow asks for a row behind a relation to many.
type hasRow struct{ relation ref }

// node is the one behind the relation, without a prototype of its own.
func (e *hasRow) node(c *compiler) *node {
	n, t := c.resolve(e.relation)
	if n == nil {
		return nil
	}
	if t.field.Relation == nil || !t.field.Relation.spec.many {
		c.failf("Has needs a relation to many, which %s is not; use NotNull", t.name())
		return nil
	}
	return c.step(n, t.field)
}

func (e *hasRow) write(c *compiler) { c.text("1 = 1") }

func (e *hasRow) visit(c *compiler, f func(*node)) {
	if n := e.node(c); n != nil {
		f(n)
	}
}

func (e *hasRow) mayBeNull(*compiler) bool { return false }
