package template

import (
	"math"
	"math/big"
	"strings"
	"unsafe"
)

// List is a list a template may change with append, insert, pop and so on.
// Slices of the program can be read by a template but never changed; pass a
// List to let it. A List must not be used by two renders at once.
type List struct {
	items []value
	group bool // a group made by groupby, with the attributes grouper and list
}

// NewList returns a list of the given values.
func NewList(items ...any) *List {
	l := &List{items: make([]value, len(items))}
	for i, it := range items {
		l.items[i] = fromAny(it)
	}
	return l
}

// Append adds a value at the end.
func (l *List) Append(v any) { l.items = append(l.items, fromAny(v)) }

// Len returns the number of values.
func (l *List) Len() int { return len(l.items) }

// At returns the value at index i in its Go form; it panics if i is out of range.
func (l *List) At(i int) any { return l.items[i].toAny() }

// Dict is a mapping that keeps the order in which keys were added and that a
// template may change. Maps of the program are read in sorted order and never
// changed. A Dict must not be used by two renders at once.
type Dict struct {
	keys  []value
	vals  []value
	index map[dictKey]int // nil while the dict is small
}

// dictKey is the comparable form of a key: equal values have equal keys, as
// 1, 1.0 and true have.
type dictKey struct {
	class byte
	num   uint64
	text  string
}

const smallDict = 8

// NewDict returns an empty mapping.
func NewDict() *Dict { return &Dict{} }

// Set adds the key or replaces its value. It panics if the key is a list or
// a mapping, which cannot be keys.
func (d *Dict) Set(key, val any) { d.set(fromAny(key), fromAny(val)) }

// Get returns the value of a key in its Go form.
func (d *Dict) Get(key any) (any, bool) {
	v, ok := d.get(fromAny(key))
	if !ok {
		return nil, false
	}
	return v.toAny(), true
}

// Len returns the number of keys.
func (d *Dict) Len() int { return len(d.keys) }

func (d *Dict) find(key value) int {
	if d.index != nil {
		if i, ok := d.index[keyOf(key)]; ok {
			return i
		}
		return -1
	}
	if key.isString() {
		s := key.str()
		for i := range d.keys {
			if d.keys[i].isString() && d.keys[i].str() == s {
				return i
			}
		}
		return -1
	}
	k := keyOf(key)
	for i := range d.keys {
		if keyOf(d.keys[i]) == k {
			return i
		}
	}
	return -1
}

func (d *Dict) get(key value) (value, bool) {
	if i := d.find(key); i >= 0 {
		return d.vals[i], true
	}
	return value{}, false
}

func (d *Dict) getString(key string) (value, bool) { return d.get(stringValue(key)) }

func (d *Dict) set(key, val value) {
	if i := d.find(key); i >= 0 {
		d.vals[i] = val
		return
	}
	k := keyOf(key)
	d.keys = append(d.keys, key)
	d.vals = append(d.vals, val)
	switch {
	case d.index != nil:
		d.index[k] = len(d.keys) - 1
	case len(d.keys) > smallDict:
		d.reindex()
	}
}

func (d *Dict) reindex() {
	d.index = nil
	if len(d.keys) <= smallDict {
		return
	}
	d.index = make(map[dictKey]int, len(d.keys))
	for i := range d.keys {
		d.index[keyOf(d.keys[i])] = i
	}
}

func (d *Dict) remove(i int) {
	last := i == len(d.keys)-1
	if last && d.index != nil {
		delete(d.index, keyOf(d.keys[i]))
	}
	d.keys = append(d.keys[:i], d.keys[i+1:]...)
	d.vals = append(d.vals[:i], d.vals[i+1:]...)
	if !last {
		d.reindex()
	}
}

func (d *Dict) clone() *Dict {
	c := &Dict{keys: append([]value(nil), d.keys...), vals: append([]value(nil), d.vals...)}
	c.reindex()
	return c
}

func (d *Dict) goForm(depth int) any {
	texts := true
	for _, k := range d.keys {
		texts = texts && k.isString()
	}
	if texts {
		m := make(map[string]any, len(d.keys))
		for i, k := range d.keys {
			m[k.str()] = d.vals[i].goForm(depth + 1)
		}
		return m
	}
	m := make(map[any]any, len(d.keys))
	for i, k := range d.keys {
		if k.kind == kindTuple {
			m[string(appendRepr(nil, k))] = d.vals[i].goForm(depth + 1)
			continue
		}
		m[k.goForm(depth+1)] = d.vals[i].goForm(depth + 1)
	}
	return m
}

// keyOf gives the comparable form of a key, or fails as unhashable.
func keyOf(v value) dictKey {
	v = v.plain()
	switch v.kind {
	case kindString, kindSafe:
		return dictKey{class: 's', text: v.str()}
	case kindInt, kindBool:
		return dictKey{class: 'i', num: v.num}
	case kindFloat:
		f := v.float()
		switch {
		case f != math.Trunc(f) || math.IsInf(f, 0):
		case math.Abs(f) < 1<<63:
			return dictKey{class: 'i', num: uint64(int64(f))}
		default: // the same key as the integer
			n, _ := big.NewFloat(f).Int(nil)
			return keyOf(bigValue(n))
		}
		return dictKey{class: 'f', num: v.num}
	case kindBig:
		return dictKey{class: 'b', text: v.big().String()}
	case kindNone:
		return dictKey{class: 'n'}
	case kindTuple:
		var sb strings.Builder
		appendTupleKey(&sb, v, 0)
		return dictKey{class: 't', text: sb.String()}
	case kindList, kindDict:
		panic(runtimeError("unhashable type: '%s'", v.typeName()))
	case kindUndefined:
		if m := v.undefined(); m.mode == UndefinedStrict {
			m.fail()
		}
		return dictKey{class: 'u'}
	case kindObject:
		if d, ok := v.dictView(); ok && d.what != 'v' {
			panic(runtimeError("unhashable type: '%s'", v.typeName()))
		}
		return dictKey{class: 'o', num: uint64(uintptr(objectAddress(v.object())))}
	case kindGo:
		if t, ok := v.goTime(); ok {
			return dictKey{class: 'T', num: uint64(t.UnixNano()), text: t.Location().String()}
		}
		switch v.typ.class {
		case classMap, classSlice:
			panic(runtimeError("unhashable type: '%s'", v.typeName()))
		}
	}
	return dictKey{class: 'p', num: uint64(uintptr(v.ptr))}
}

func objectAddress(o object) unsafe.Pointer {
	return (*[2]unsafe.Pointer)(unsafe.Pointer(&o))[1]
}

func appendTupleKey(sb *strings.Builder, v value, depth int) {
	if depth > maxDataDepth {
		panic(recursionError())
	}
	for _, e := range v.list().items {
		if e.kind == kindTuple {
			sb.WriteString("(")
			appendTupleKey(sb, e, depth+1)
			sb.WriteString(")")
			continue
		}
		k := keyOf(e)
		sb.WriteByte(k.class)
		var n [8]byte
		for i := range n {
			n[i] = byte(k.num >> (8 * i))
		}
		sb.Write(n[:])
		length := len(k.text)
		for ; length >= 255; length -= 255 {
			sb.WriteByte(255)
		}
		sb.WriteByte(byte(length))
		sb.WriteString(k.text)
	}
}

// span is Python's range.
type span struct{ start, stop, step int64 }

func (s *span) len() int {
	switch {
	case s.step > 0 && s.start < s.stop:
		return int((uint64(s.stop-s.start)-1)/uint64(s.step)) + 1
	case s.step < 0 && s.start > s.stop:
		return int((uint64(s.start-s.stop)-1)/uint64(-s.step)) + 1
	}
	return 0
}

func (s *span) at(i int64) value { return intValue(s.start + i*s.step) }

func (s *span) contains(n int64) bool {
	if s.step > 0 && (n < s.start || n >= s.stop) || s.step < 0 && (n > s.start || n <= s.stop) {
		return false
	}
	return (n-s.start)%s.step == 0
}

// slice applies Python's slice to a range; the bounds are resolved already.
func (s *span) slice(start, stop, step int64) *span {
	return &span{s.start + start*s.step, s.start + stop*s.step, s.step * step}
}

// sliceBounds resolves the parts of a slice of n elements, as Python does:
// absent parts have defaults, negative ones count from the end, all is clamped.
func sliceBounds(from, to, by value, n int64) (start, stop, step int64) {
	step = 1
	if !by.isZeroArgument() {
		step = sliceIndex(by)
		if step == 0 {
			panic(runtimeError("slice step cannot be zero"))
		}
	}
	low, high := int64(0), n
	if step < 0 {
		low, high = -1, n-1
	}
	clamp := func(v value, missing int64) int64 {
		if v.isZeroArgument() {
			return missing
		}
		i := sliceIndex(v)
		if i < 0 {
			i += n
		}
		return min(max(i, low), high)
	}
	if step > 0 {
		return clamp(from, low), clamp(to, high), step
	}
	return clamp(from, high), clamp(to, low), step
}

// sliceIndex reads a slice part; it stays far inside int64 so that sums cannot wrap.
func sliceIndex(v value) int64 {
	const far = 1 << 50
	v = v.plain()
	switch v.kind {
	case kindInt, kindBool:
		return min(max(v.int(), -far), far)
	case kindBig:
		return int64(v.big().Sign()) * far
	}
	panic(runtimeError("slice indices must be integers or None, not %s", v.typeName()))
}

// sliceLen is the number of elements a resolved slice takes.
func sliceLen(start, stop, step int64) int64 {
	s := span{start, stop, step}
	return int64(s.len())
}

func sliceItems[T any](items []T, start, stop, step int64) []T {
	n := sliceLen(start, stop, step)
	out := make([]T, 0, n)
	for i := int64(0); i < n; i++ {
		out = append(out, items[start+i*step])
	}
	return out
}
