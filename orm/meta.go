package orm

import (
	"reflect"
	"slices"
	"unsafe"
)

// inherited adds to a model's Meta what the structs embedded in it say in a Meta of their
// own, which gets the embedded struct's part of the prototype for its names:
//
//   - lists are joined, the model's own first; of two checks, or indexes with a name, that
//     have the same name the outer one counts;
//   - OrderBy and LatestBy are those of the outermost struct that has any;
//   - ValidateOnSave holds if any says so;
//   - names, comments and Unmanaged are the model's own affair.
//
// Only structs at places that are of interest have a say.
func (m *ModelInfo) inherited(meta Meta, of func(at unsafe.Pointer) bool) Meta {
	walkAbstract(m.Type, m.names.root.base, func(t reflect.Type, at unsafe.Pointer) {
		if !of(at) {
			return
		}
		method, ok := t.MethodByName("Meta")
		// A method that t has from a struct embedded in it takes that one's names.
		if !ok || method.Type.NumIn() != 2 || method.Type.In(1) != reflect.PointerTo(t) {
			return
		}
		names := reflect.NewAt(t, at)
		if base, ok := method.Func.Call([]reflect.Value{reflect.Zero(t), names})[0].Interface().(Meta); ok {
			meta = meta.over(base)
		}
	})
	meta.Indexes = slices.Concat(meta.Indexes, m.genericIndexes(of))
	return meta
}

// walkAbstract visits the structs whose fields are those of t, outer ones first.
func walkAbstract(t reflect.Type, at unsafe.Pointer, visit func(t reflect.Type, at unsafe.Pointer)) {
	type part struct {
		t  reflect.Type
		at unsafe.Pointer
	}
	for parts := []part{{t, at}}; len(parts) > 0; parts = parts[1:] {
		if parts[0].t != t {
			visit(parts[0].t, parts[0].at)
		}
		for sf := range parts[0].t.Fields() {
			if isAbstract(sf) {
				parts = append(parts, part{sf.Type, unsafe.Add(parts[0].at, sf.Offset)})
			}
		}
	}
}

// over returns the Meta of a struct that embeds one with the Meta base.
func (m Meta) over(base Meta) Meta {
	if len(m.OrderBy) == 0 {
		m.OrderBy = base.OrderBy
	}
	if len(m.LatestBy) == 0 {
		m.LatestBy = base.LatestBy
	}
	m.Indexes = joinedDefs(m.Indexes, base.Indexes, func(d IndexDef) string { return d.name })
	m.Unique = joinedDefs(m.Unique, base.Unique, func(d UniqueDef) string { return d.name })
	m.Checks = joinedDefs(m.Checks, base.Checks, func(d CheckDef) string { return d.name })
	m.Exclusions = joinedDefs(m.Exclusions, base.Exclusions, func(d ExclusionDef) string { return d.name })
	m.Computed = slices.Concat(m.Computed, base.Computed)
	m.DBDefaults = slices.Concat(m.DBDefaults, base.DBDefaults)
	m.ValidateOnSave = m.ValidateOnSave || base.ValidateOnSave
	return m
}

// joinedDefs appends what base has and own has not under the same name.
func joinedDefs[E any](own, base []E, name func(E) string) []E {
	all := slices.Clip(own)
	for _, def := range base {
		same := func(e E) bool { return name(e) != "" && name(e) == name(def) }
		if !slices.ContainsFunc(own, same) {
			all = append(all, def)
		}
	}
	return all
}
