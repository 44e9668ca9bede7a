package template

import "reflect"

// collection is how a type of the program that is no map or slice is gone
// through: by its method All. With Get and Len it is a mapping that keeps its
// order.
type collection struct {
	all, get, length int // indexes into the method set of the pointer type
	mapping          bool
}

// collectionOf looks for the methods All() iter.Seq or iter.Seq2,
// Get(key) (value, bool) and Len() int; nil if the first is not there.
func collectionOf(rt reflect.Type) *collection {
	pt := reflect.PointerTo(rt)
	all, ok := pt.MethodByName("All")
	if !ok || all.Type.NumIn() != 1 || all.Type.NumOut() != 1 || !all.Type.Out(0).CanSeq() && !all.Type.Out(0).CanSeq2() {
		return nil
	}
	c := &collection{all: all.Index}
	get, hasGet := pt.MethodByName("Get")
	length, hasLen := pt.MethodByName("Len")
	if !hasGet || !hasLen || !all.Type.Out(0).CanSeq2() {
		return c
	}
	g, l := get.Type, length.Type
	c.mapping = g.NumIn() == 2 && g.NumOut() == 2 && g.Out(1).Kind() == reflect.Bool && l.NumIn() == 1 && l.NumOut() == 1 && l.Out(0).Kind() == reflect.Int
	c.get, c.length = get.Index, length.Index
	return c
}

// isOrdered reports whether v is a mapping by its methods.
func (v value) isOrdered() bool {
	return v.kind == kindGo && v.typ.collection != nil && v.typ.collection.mapping
}

// isGoMapping reports whether v is a map of the program or acts as one.
func (v value) isGoMapping() bool {
	return v.kind == kindGo && (v.typ.class == classMap || v.isOrdered())
}

func (v value) callPlain(method int, in ...reflect.Value) []reflect.Value {
	return v.addressed().Method(method).Call(in)
}

// goLength is the number of entries of a mapping of the program.
func (v value) goLength() int {
	if v.isOrdered() {
		return int(v.callPlain(v.typ.collection.length)[0].Int())
	}
	return v.goValue().Len()
}

func orderedGet(m, key value) (value, bool) {
	c := m.typ.collection
	rk, err := convertTo(key, m.addressed().Method(c.get).Type().In(0))
	if err != nil {
		return value{}, false
	}
	out := m.callPlain(c.get, rk)
	if !out[1].Bool() {
		return value{}, false
	}
	return reflectResult(out[0]), true
}

// orderedDict copies a mapping in its own order.
func orderedDict(m value) *Dict {
	d := NewDict()
	for k, e := range m.callPlain(m.typ.collection.all)[0].Seq2() {
		d.set(reflectResult(k), reflectResult(e))
	}
	return d
}
