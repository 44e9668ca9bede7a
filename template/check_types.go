package template

import (
	"reflect"
	"strings"
)

// known is what a check knows of a value: its Go type, or that of its result if
// it is a method, or the macro or imported template it is, or nothing.
type known struct {
	rt, out reflect.Type
	module  *checked
	macro   *macroNode // of module
}

func ofType(rt reflect.Type) known { return known{rt: rt} }

// through follows pointers, and values that stand for others.
func (k known) through() known {
	for range 10 {
		switch {
		case k.rt == nil:
			return k
		case k.rt.Kind() == reflect.Interface:
			return known{}
		}
		if v, ok := reflect.New(k.rt).Interface().(TypedValuer); ok && k.rt.Kind() != reflect.Pointer {
			k = ofType(v.TemplateType())
			continue
		}
		if k.rt.Kind() != reflect.Pointer {
			return k
		}
		k = ofType(k.rt.Elem())
	}
	return known{}
}

// merged is what is known of a value that is one or the other.
func (k known) merged(o known) known {
	if k == o || k.rt != nil && k.through() == o.through() {
		return k
	}
	return known{}
}

// elements is what a loop over the value gives: a key and value for pairs.
func (k known) elements() (first, second known) {
	k = k.through()
	if k.rt == nil || typeFor(k.rt).caps&capValue != 0 {
		return known{}, known{}
	}
	switch k.rt.Kind() {
	case reflect.Slice, reflect.Array:
		return ofType(k.rt.Elem()), known{}
	case reflect.Map:
		return ofType(k.rt.Key()), known{}
	case reflect.Func:
		if yield := typeFor(k.rt); yield.class == classSeq {
			in := k.rt.In(0)
			if yield.pairs {
				return ofType(in.In(0)), ofType(in.In(1))
			}
			return ofType(in.In(0)), known{}
		}
	}
	return known{}, known{}
}

// item is what value[key] gives.
func (k known) item() known {
	k = k.through()
	if k.rt == nil || typeFor(k.rt).caps&(capItem|capValue) != 0 {
		return known{}
	}
	switch k.rt.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		return ofType(k.rt.Elem())
	}
	return known{}
}

// result is what calling the value gives.
func (k known) result() known {
	if k.out != nil {
		return ofType(k.out)
	}
	if k.rt == nil || k.rt.Kind() != reflect.Func || k.rt.NumOut() == 0 || k.rt.Out(0) == reflect.TypeFor[error]() {
		return known{}
	}
	return ofType(k.rt.Out(0))
}

// attr is what value.name gives. Lacking says that the type has no such
// attribute, and names those it has.
func (k known) attr(name string) (v known, lacking bool, names []string) {
	k = k.through()
	if k.rt == nil {
		return known{}, false, nil
	}
	t := typeFor(k.rt)
	switch {
	case t.caps&(capAttr|capItem|capValue|capTime) != 0, t.null, strings.HasPrefix(name, "__"):
		return known{}, false, nil
	case t.class == classMap:
		if dictMethod(name) == nil {
			v.rt = t.rt.Elem()
		}
		return v, false, nil
	case t.class != classStruct || k.rt.PkgPath() == reflect.TypeFor[Dict]().PkgPath():
		return known{}, false, nil
	}
	m := t.member(name)
	if m == nil {
		return known{}, true, attributeNames(value{kind: kindGo, typ: t})
	}
	if m.method >= 0 {
		method := reflect.PointerTo(k.rt).Method(m.method).Type
		if method.NumOut() > 0 && method.Out(0) != reflect.TypeFor[error]() {
			v.out = method.Out(0)
		}
		return v, false, nil
	}
	if m.method == isField {
		v.rt = m.typ.rt
	}
	return v, false, nil
}

// dataTypes lists what is known of the variables of an example of data.
func dataTypes(example any) map[string]known {
	types := map[string]known{}
	rv := reflect.ValueOf(example)
	for rv.IsValid() && rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	switch {
	case !rv.IsValid():
	case rv.Kind() == reflect.Map && rv.Type().Key().Kind() == reflect.String:
		for it := rv.MapRange(); it.Next(); {
			types[it.Key().String()] = typeOf(it.Value())
		}
	default:
		k := ofType(rv.Type()).through()
		if k.rt == nil || k.rt.Kind() != reflect.Struct {
			return types
		}
		for _, name := range attributeNames(value{kind: kindGo, typ: typeFor(k.rt)}) {
			types[name], _, _ = k.attr(name)
		}
	}
	return types
}

func typeOf(rv reflect.Value) known {
	if rv.Kind() == reflect.Interface {
		rv = rv.Elem()
	}
	if !rv.IsValid() {
		return known{}
	}
	return ofType(rv.Type())
}

func sliceOf(k known) known {
	if k.rt == nil {
		return known{}
	}
	return ofType(reflect.SliceOf(k.rt))
}
