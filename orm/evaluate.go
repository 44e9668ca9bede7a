package orm

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/retort-web/retort/orm/schema"
)

// evaluator computes conditions of a constraint from the values of one row, as the
// database would. What it does not know for sure it leaves to the database.
type evaluator struct {
	c   *compiler
	row unsafe.Pointer
}

// verdict is the three-valued logic of SQL.
type verdict int

const (
	isFalse verdict = iota - 1
	isUnknown
	isTrue
)

// errCannotTell says that an expression is left to the database.
var errCannotTell = errors.New("orm: only the database can tell")

func newEvaluator(m *ModelInfo, row unsafe.Pointer) *evaluator {
	return &evaluator{newCompiler(portable{}, m), row}
}

func verdictOf(b bool) verdict {
	if b {
		return isTrue
	}
	return isFalse
}

// cond computes a condition.
func (v *evaluator) cond(e expr) (verdict, error) {
	switch e := e.(type) {
	case *logic:
		return v.logic(e)
	case *not:
		kid, err := v.cond(e.kid)
		return verdictOf(kid != isTrue), err
	case *isNull:
		value, _, err := v.value(e.of, target{})
		return verdictOf((value == nil) != e.not), err
	case *compare:
		return v.compare(e)
	case *between:
		low, err := v.compare(&compare{">=", e.of, e.low})
		if err != nil {
			return isUnknown, err
		}
		high, err := v.compare(&compare{"<=", e.of, e.high})
		return min(low, high), err
	case *inList:
		return v.inList(e)
	case *match:
		return v.match(e)
	}
	return isUnknown, errCannotTell
}

// logic computes AND as the least of its parts, and OR as the greatest.
func (v *evaluator) logic(e *logic) (verdict, error) {
	result := verdictOf(!e.or)
	for _, kid := range e.kids {
		t, err := v.cond(kid)
		if err != nil {
			return isUnknown, err
		}
		if e.or {
			result = max(result, t)
		} else {
			result = min(result, t)
		}
	}
	return result, nil
}

func (v *evaluator) compare(e *compare) (verdict, error) {
	left, t, err := v.value(e.left, target{})
	if err != nil {
		return isUnknown, err
	}
	right, _, err := v.value(e.right, t)
	if err != nil {
		return isUnknown, err
	}
	_, isField := asRef(e.right)
	switch {
	case right == nil && !isField && e.op == "=":
		return verdictOf(left == nil), nil
	case right == nil && !isField && e.op == "<>":
		return verdictOf(left != nil), nil
	case (left == nil || right == nil) && e.op == "<>":
		return isTrue, nil // what is not equal is everything else
	case left == nil || right == nil:
		return isUnknown, nil
	}
	order, err := compareValues(left, right, t)
	if err != nil {
		return isUnknown, err
	}
	switch e.op {
	case "=":
		return verdictOf(order == 0), nil
	case "<>":
		return verdictOf(order != 0), nil
	case "<":
		return verdictOf(order < 0), onlyOrdered(left, t)
	case "<=":
		return verdictOf(order <= 0), onlyOrdered(left, t)
	case ">":
		return verdictOf(order > 0), onlyOrdered(left, t)
	case ">=":
		return verdictOf(order >= 0), onlyOrdered(left, t)
	}
	return isUnknown, errCannotTell
}

// onlyOrdered refuses to order texts, which each database does by its own collation.
func onlyOrdered(v any, t target) error {
	if _, isText := v.(string); isText && (t.field == nil || t.field.Kind == schema.String || t.field.Kind == schema.Text) {
		return errCannotTell
	}
	return nil
}

// compareValues orders two values that are not nil.
func compareValues(a, b any, t target) (int, error) {
	if t.field != nil && t.field.Kind == schema.Decimal {
		x, okX := rational(a)
		y, okY := rational(b)
		if okX && okY {
			return x.Cmp(y), nil
		}
		return 0, errCannotTell
	}
	switch a := a.(type) {
	case string:
		if b, ok := b.(string); ok {
			return strings.Compare(a, b), nil
		}
	case []byte:
		if b, ok := b.([]byte); ok {
			return bytes.Compare(a, b), nil
		}
	case time.Time:
		if b, ok := b.(time.Time); ok {
			return a.Compare(b), nil
		}
	case bool:
		if b, ok := b.(bool); ok {
			return verdictDifference(a, b), nil
		}
	case int64, float64:
		x, okX := rational(a)
		y, okY := rational(b)
		if okX && okY {
			return x.Cmp(y), nil
		}
	}
	return 0, errCannotTell
}

func verdictDifference(a, b bool) int { return int(verdictOf(a)-verdictOf(b)) / 2 }

func rational(v any) (*big.Rat, bool) {
	switch v := v.(type) {
	case int64:
		return new(big.Rat).SetInt64(v), true
	case float64:
		r := new(big.Rat).SetFloat64(v)
		return r, r != nil
	case string:
		if strings.ContainsAny(v, "eE/_xX") {
			return nil, false // forms of which databases and Go think differently, or huge
		}
		return new(big.Rat).SetString(v)
	}
	return nil, false
}

func (v *evaluator) inList(e *inList) (verdict, error) {
	list := &logic{or: true}
	for _, item := range e.values {
		list.kids = append(list.kids, &compare{"=", e.of, item})
	}
	t, err := v.logic(list)
	if e.not {
		return verdictOf(t != isTrue), err
	}
	return t, err
}

func (v *evaluator) match(e *match) (verdict, error) {
	value, _, err := v.value(e.of, target{})
	if err != nil || value == nil {
		return isUnknown, err
	}
	text, ok := value.(string)
	if !ok {
		return isUnknown, errCannotTell
	}
	pattern := e.text
	if e.kind.FoldCase {
		text, pattern = strings.ToLower(text), strings.ToLower(pattern)
	}
	switch e.kind.Place {
	case MatchAnywhere:
		return verdictOf(strings.Contains(text, pattern)), nil
	case MatchStart:
		return verdictOf(strings.HasPrefix(text, pattern)), nil
	case MatchEnd:
		return verdictOf(strings.HasSuffix(text, pattern)), nil
	}
	return verdictOf(text == pattern), nil
}

// value computes an operand; t is what it is compared with.
func (v *evaluator) value(e expr, t target) (any, target, error) {
	if value, ok := v.c.value(e, t); ok {
		return value, t, v.c.err
	}
	if r, ok := asRef(e); ok {
		n, own := v.c.resolve(r)
		if v.c.err != nil {
			return nil, own, v.c.err
		}
		return v.field(n, own)
	}
	switch e := e.(type) {
	case place:
		return v.field(e.node, e.t)
	case *call:
		if len(e.args) == 1 {
			return v.call(e.f.Name, e.args[0])
		}
	}
	return nil, target{}, errCannotTell
}

func (v *evaluator) field(n *node, t target) (any, target, error) {
	if n.parent != nil || t.field.Column == "" || t.field.Computed {
		return nil, t, errCannotTell
	}
	value, err := t.field.codec.load(unsafe.Add(v.row, t.field.offset))
	return value, t, err
}

// call computes the functions that constraints use most.
func (v *evaluator) call(name string, of expr) (any, target, error) {
	value, t, err := v.value(of, target{})
	text, ok := value.(string)
	if err != nil || !ok {
		return nil, t, errors.Join(err, errCannotTell)
	}
	switch name {
	case "lower":
		return strings.ToLower(text), t, nil
	case "upper":
		return strings.ToUpper(text), t, nil
	case "length":
		return int64(utf8.RuneCountInString(text)), target{}, nil
	}
	return nil, t, errCannotTell
}
