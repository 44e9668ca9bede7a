package template

import (
	"cmp"
	"reflect"
	"slices"
	"unsafe"
)

// Maps of the program are read in place; whatever needs their order sees the
// keys sorted, so that a page looks the same each time.

func (v value) isMapping() bool {
	return v.kind == kindDict || v.isGoMapping()
}

// mapGet looks a key up in a map of the program.
func mapGet(m, key value) (value, bool) {
	t := m.typ
	if t.class != classMap {
		return orderedGet(m, key)
	}
	if key.isString() && t.rt.Key().Kind() == reflect.String {
		word := m.ptr
		switch {
		case t.rt == reflect.TypeFor[map[string]any]():
			e, ok := (*(*map[string]any)(unsafe.Pointer(&word)))[key.str()]
			if !ok {
				return value{}, false
			}
			return fromAny(e), true
		case t.rt == reflect.TypeFor[map[string]string]():
			e, ok := (*(*map[string]string)(unsafe.Pointer(&word)))[key.str()]
			return stringValue(e), ok
		}
	}
	rk, err := convertTo(key, t.rt.Key())
	if err != nil || !rk.Comparable() {
		return value{}, false
	}
	e := m.goValue().MapIndex(rk)
	if !e.IsValid() {
		return value{}, false
	}
	return reflectElement(e), true
}

// reflectElement makes a value of one taken out of a map.
func reflectElement(e reflect.Value) value {
	if e.Kind() == reflect.Interface {
		if e.IsNil() {
			return none
		}
		return fromAny(e.Interface())
	}
	return fromAny(e.Interface())
}

// mapDict copies a map of the program, its keys sorted unless it has an order.
func mapDict(m value) *Dict {
	if m.isOrdered() {
		return orderedDict(m)
	}
	rv := m.goValue()
	d := &Dict{keys: make([]value, 0, rv.Len()), vals: make([]value, 0, rv.Len())}
	type pair struct{ key, val value }
	pairs := make([]pair, 0, rv.Len())
	for it := rv.MapRange(); it.Next(); {
		pairs = append(pairs, pair{reflectElement(it.Key()), reflectElement(it.Value())})
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		x, y := a.key.plain(), b.key.plain()
		if x.kind == kindInt && y.kind == kindInt {
			return cmp.Compare(x.int(), y.int())
		}
		return cmp.Compare(x.text(), y.text())
	})
	for _, p := range pairs {
		d.keys = append(d.keys, p.key)
		d.vals = append(d.vals, p.val)
	}
	d.reindex()
	return d
}

// asDict gives v as a dict: itself, or a sorted copy of a Go map.
func asDict(v value) (*Dict, bool) {
	switch {
	case v.kind == kindDict:
		return v.dict(), true
	case v.isGoMapping():
		return mapDict(v), true
	}
	return nil, false
}
