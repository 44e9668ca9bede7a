package template

import (
	"cmp"
	"math"
	"math/big"
	"reflect"
	"strings"
)

// equal is Python's ==: numbers by value whatever their type, containers by
// their elements, and values of different sorts are just not equal.
func equal(a, b value) bool { return equalDeep(a, b, 0) }

func equalDeep(a, b value, depth int) bool {
	if depth > maxDataDepth {
		panic(recursionError())
	}
	if a.kind == kindGo || b.kind == kindGo {
		a, b = a.plain(), b.plain()
	}
	switch {
	case a.isString():
		if b.kind == kindGo {
			s, ok := b.typ.text(b)
			return ok && s == a.str()
		}
		return b.isString() && a.str() == b.str() || strictEqual(b)
	case a.isNumber() && b.isNumber():
		return compareNumbers(a, b) == 0 && !isNaN(a) && !isNaN(b)
	case a.kind == kindUndefined || b.kind == kindUndefined:
		strictEqual(a)
		strictEqual(b)
		return a.kind == b.kind
	case a.kind == kindNone || b.kind == kindNone:
		return a.kind == b.kind
	case a.kind == kindGo && b.isString():
		return equalDeep(b, a, depth+1)
	}
	if a.kind == kindGo && b.kind == kindGo {
		if s, ok := a.goTime(); ok {
			t, ok := b.goTime()
			return ok && s.Equal(t)
		}
	}
	if a.isMapping() && b.isMapping() {
		x, _ := asDict(a)
		y, _ := asDict(b)
		if x.Len() != y.Len() {
			return false
		}
		for i, k := range x.keys {
			e, ok := y.get(k)
			if !ok || !equalDeep(x.vals[i], e, depth+1) {
				return false
			}
		}
		return true
	}
	if (a.isSequence() || isGoSlice(a)) && (b.isSequence() || isGoSlice(b)) {
		if (a.kind == kindTuple) != (b.kind == kindTuple) {
			return false
		}
		if a.kind == b.kind && a.ptr == b.ptr && a.typ == b.typ {
			return true
		}
		x, y := itemsOf(a), itemsOf(b)
		if len(x) != len(y) {
			return false
		}
		for i := range x {
			if !equalDeep(x[i], y[i], depth+1) {
				return false
			}
		}
		return true
	}
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case kindRange:
		x, y := a.span(), b.span()
		n := x.len()
		return n == y.len() && (n == 0 || x.start == y.start && (n == 1 || x.step == y.step))
	case kindObject:
		if e, ok := a.object().(interface{ equal(o object) bool }); ok {
			return e.equal(b.object())
		}
		return a.object() == b.object()
	case kindGo:
		return goEqual(a, b)
	}
	return a.ptr == b.ptr
}

func isNaN(v value) bool { return v.kind == kindFloat && math.IsNaN(v.float()) }

// strictEqual fails on a strict undefined value, which must not be compared.
func strictEqual(v value) bool {
	if v.kind == kindUndefined && v.undefined().mode == UndefinedStrict {
		v.undefined().fail()
	}
	return false
}

func isGoSlice(v value) bool { return v.kind == kindGo && v.typ.class == classSlice }

// itemsOf is the elements of a list or tuple themselves, a copy for Go slices.
func itemsOf(v value) []value {
	if v.isSequence() {
		return v.list().items
	}
	return sequenceItems(v)
}

func goEqual(a, b value) bool {
	if a.typ != b.typ {
		return false
	}
	if a.ptr == b.ptr {
		return true
	}
	if a.typ.rt.Comparable() {
		x, y := a.goValue(), b.goValue()
		if x.Type() != y.Type() {
			return false
		}
		return x.Comparable() && y.Comparable() && x.Interface() == y.Interface()
	}
	return false
}

// compareNumbers orders two numbers exactly, also integers beyond the
// precision of a float. A NaN is equal to everything here.
func compareNumbers(a, b value) int {
	small := func(v value) bool { return v.kind == kindInt || v.kind == kindBool }
	switch {
	case small(a) && small(b):
		return cmp.Compare(a.int(), b.int())
	case a.kind == kindFloat && b.kind == kindFloat:
		x, y := a.float(), b.float()
		if x < y {
			return -1
		}
		if x > y {
			return 1
		}
		return 0
	case a.kind == kindFloat:
		return -compareNumbers(b, a)
	case b.kind == kindFloat:
		f := b.float()
		switch {
		case math.IsNaN(f):
			return 0
		case math.IsInf(f, 1):
			return -1
		case math.IsInf(f, -1):
			return 1
		}
		return new(big.Float).SetInt(a.asBig()).Cmp(big.NewFloat(f))
	}
	return a.asBig().Cmp(b.asBig())
}

// compareValues orders two values, as Python's < does, or fails: only numbers,
// strings, times, and lists or tuples of such have an order.
func compareValues(op string, a, b value) int { return compareDeep(op, a, b, 0) }

func compareDeep(op string, a, b value, depth int) int {
	if depth > maxDataDepth {
		panic(recursionError())
	}
	a, b = a.plain(), b.plain()
	switch {
	case a.isString() && b.isString():
		return strings.Compare(a.str(), b.str())
	case a.isNumber() && b.isNumber():
		return compareNumbers(a, b)
	case a.isUndefined() || b.isUndefined():
		panic(undefinedOperand(a, b))
	case a.isSequence() && a.kind == b.kind, isGoSlice(a) && (isGoSlice(b) || b.kind == kindList), isGoSlice(b) && a.kind == kindList:
		x, y := itemsOf(a), itemsOf(b)
		for i := range min(len(x), len(y)) {
			if !equalDeep(x[i], y[i], depth+1) {
				return compareDeep(op, x[i], y[i], depth+1)
			}
		}
		return cmp.Compare(len(x), len(y))
	}
	if s, ok := a.goTime(); ok {
		if t, ok := b.goTime(); ok {
			return s.Compare(t)
		}
	}
	if a.kind == kindGo && a.typ == b.typ {
		if c, ok := ownCompare(a, b); ok {
			return c
		}
	}
	if x, ok := a.dictView(); ok && op != "" {
		if y, ok := b.dictView(); ok && x.equal(y) {
			return 0
		}
	}
	panic(runtimeError("'%s' not supported between '%s' and '%s'", op, a.typeName(), b.typeName()))
}

// ownCompare orders two Go values of one type that has a method Compare or
// Cmp, as times, addresses and decimals have.
func ownCompare(a, b value) (int, bool) {
	for _, name := range [...]string{"Compare", "Cmp"} {
		m := a.typ.member(name)
		if m == nil || m.method < 0 || m.name != name {
			continue
		}
		fn := a.addressed().Method(m.method)
		ft := fn.Type()
		if ft.NumIn() == 1 && ft.In(0) == a.typ.rt && ft.NumOut() == 1 && ft.Out(0).Kind() == reflect.Int {
			return int(fn.Call([]reflect.Value{b.addressed().Elem()})[0].Int()), true
		}
	}
	return 0, false
}

// ordered applies one of the four order operators; NaN is never in order.
func ordered(op string, a, b value) bool {
	if isNaN(a) || isNaN(b) {
		if a.isNumber() && b.isNumber() {
			return false
		}
	}
	c := compareValues(op, a, b)
	switch op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

// contains is Python's "item in container".
func contains(x *exec, container, item value) bool {
	switch container.kind {
	case kindString, kindSafe:
		item = item.plain()
		if !item.isString() {
			panic(runtimeError("'in <string>' requires string as left operand, not %s", item.typeName()))
		}
		return strings.Contains(container.str(), item.str())
	case kindDict:
		_, ok := container.dict().get(item)
		return ok
	case kindRange:
		item = item.plain()
		switch {
		case item.kind == kindInt || item.kind == kindBool:
			return container.span().contains(item.int())
		case item.kind == kindFloat && item.float() == math.Trunc(item.float()) && math.Abs(item.float()) < 1<<62:
			return container.span().contains(int64(item.float()))
		}
		return false
	case kindUndefined:
		container.undefined().iterable()
		return false
	case kindObject:
		if c, ok := container.object().(interface{ contains(item value) bool }); ok {
			return c.contains(item)
		}
	case kindGo:
		if container.isGoMapping() {
			_, ok := mapGet(container, item)
			return ok
		}
		if container.typ.scalar != nil {
			return contains(x, container.plain(), item)
		}
	}
	var c cursor
	if !c.tryStart(x, container) {
		panic(runtimeError("argument of type '%s' is not iterable", container.typeName()))
	}
	defer c.stop()
	for {
		e, ok := c.next()
		if !ok {
			return false
		}
		if equal(e, item) || e.kind == item.kind && e.ptr == item.ptr && e.num == item.num && e.kind >= kindList {
			return true
		}
	}
}
