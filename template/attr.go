package template

import (
	"reflect"
	"strings"
)

// getAttr is obj.name: an attribute, else an element of that name.
func getAttr(x *exec, obj value, name string) value {
	switch obj.kind {
	case kindUndefined:
		if strings.HasPrefix(name, "__") {
			obj.undefined().fail()
		}
		return lookupUndefined(obj)
	case kindDict:
		if m := dictMethod(name); m != nil {
			return bind(obj, name, m)
		}
		if v, ok := obj.dict().getString(name); ok {
			return v
		}
	case kindGo:
		if obj.isOrdered() {
			if m := dictMethod(name); m != nil {
				return bind(obj, name, m)
			}
		}
		if v, ok := goAttr(x, obj, name); ok {
			return v
		}
		if m := methodOf(obj, name); m != nil {
			return bind(obj, name, m)
		}
		if v, ok := goItem(obj, stringValue(name)); ok {
			return v
		}
	case kindObject:
		if v, ok := objectAttr(x, obj.object(), name); ok {
			return v
		}
	case kindTuple:
		if obj.list().group {
			switch name {
			case "grouper":
				return obj.list().items[0]
			case "list":
				return obj.list().items[1]
			}
		}
		fallthrough
	default:
		if v, ok := numberAttr(obj, name); ok {
			return v
		}
		if m := methodOf(obj, name); m != nil {
			return bind(obj, name, m)
		}
	}
	return missingAttribute(x.engine.options.Undefined, obj, stringValue(name))
}

// attribute is getAttr for the filter attr: attributes only.
func attribute(x *exec, obj value, name string) (value, bool) {
	switch obj.kind {
	case kindUndefined:
		return lookupUndefined(obj), true
	case kindGo:
		if v, ok := goAttr(x, obj, name); ok {
			return v, true
		}
	case kindObject:
		if v, ok := objectAttr(x, obj.object(), name); ok {
			return v, true
		}
	default:
		if v, ok := numberAttr(obj, name); ok {
			return v, true
		}
	}
	if m := methodOf(obj, name); m != nil {
		return bind(obj, name, m), true
	}
	return value{}, false
}

// getItem is obj[key]: an element, else for a string an attribute of that name.
func getItem(x *exec, obj, key value) value {
	key = key.plain()
	switch obj.kind {
	case kindUndefined:
		return lookupUndefined(obj)
	case kindDict:
		if hashable(key) {
			if v, ok := obj.dict().get(key); ok {
				return v
			}
		}
	case kindList, kindTuple:
		items := obj.list().items
		if i, ok := index(key, len(items)); ok {
			return items[i]
		}
	case kindRange:
		if i, ok := index(key, obj.span().len()); ok {
			return obj.span().at(int64(i))
		}
	case kindString, kindSafe:
		if v, ok := stringItem(obj, key); ok {
			return v
		}
	case kindGo:
		if v, ok := goItem(obj, key); ok {
			return v
		}
	case kindObject:
		if o, ok := obj.object().(itemObject); ok {
			if v, ok := o.item(x, key); ok {
				return v
			}
		}
	}
	if key.isString() {
		if v, ok := attribute(x, obj, key.str()); ok {
			return v
		}
	}
	return missingAttribute(x.engine.options.Undefined, obj, key)
}

func hashable(v value) bool {
	switch v.kind {
	case kindList, kindDict:
		return false
	case kindObject:
		d, ok := v.dictView()
		return !ok || d.what == 'v'
	case kindTuple:
		for _, e := range v.list().items {
			if !hashable(e) {
				return false
			}
		}
	case kindGo:
		return v.typ.class != classMap && v.typ.class != classSlice
	}
	return true
}

// index resolves an integer key of a sequence of n elements.
func index(key value, n int) (int, bool) {
	if key.kind != kindInt && key.kind != kindBool {
		return 0, false
	}
	i := key.int()
	if i < 0 {
		i += int64(n)
	}
	return int(i), i >= 0 && i < int64(n)
}

func stringItem(obj, key value) (value, bool) {
	s := obj.str()
	if ascii(s) {
		i, ok := index(key, len(s))
		if !ok {
			return value{}, false
		}
		return textValue(s[i:i+1], obj.kind == kindSafe), true
	}
	runes := []rune(s)
	i, ok := index(key, len(runes))
	if !ok {
		return value{}, false
	}
	return textValue(string(runes[i]), obj.kind == kindSafe), true
}

func ascii(s string) bool {
	at := 0
	for ; at+8 <= len(s); at += 8 {
		if wordAt(s, at)&topBits != 0 {
			return false
		}
	}
	for i := at; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// sliceable reports whether getSlice works on a value.
func sliceable(v value) bool {
	v = v.plain()
	switch v.kind {
	case kindList, kindTuple, kindString, kindSafe, kindRange, kindUndefined:
		return true
	}
	return isGoSlice(v)
}

// getSlice is obj[from:to:by].
func getSlice(x *exec, obj, from, to, by value) value {
	obj = obj.plain()
	switch obj.kind {
	case kindList, kindTuple:
		items := obj.list().items
		start, stop, step := sliceBounds(from, to, by, int64(len(items)))
		out := sliceItems(items, start, stop, step)
		if obj.kind == kindTuple {
			return tupleValue(out...)
		}
		return listValue(out)
	case kindString, kindSafe:
		s := obj.str()
		if ascii(s) {
			start, stop, step := sliceBounds(from, to, by, int64(len(s)))
			if step == 1 {
				return textValue(s[start:max(start, stop)], obj.kind == kindSafe)
			}
			return textValue(string(sliceItems([]byte(s), start, stop, step)), obj.kind == kindSafe)
		}
		runes := []rune(s)
		start, stop, step := sliceBounds(from, to, by, int64(len(runes)))
		return textValue(string(sliceItems(runes, start, stop, step)), obj.kind == kindSafe)
	case kindRange:
		s := obj.span()
		start, stop, step := sliceBounds(from, to, by, int64(s.len()))
		return spanValue(s.slice(start, stop, step))
	case kindUndefined:
		return lookupUndefined(obj)
	case kindGo:
		if obj.typ.class == classSlice {
			data, n := obj.typ.slice(obj)
			start, stop, step := sliceBounds(from, to, by, int64(n))
			if step == 1 && obj.typ.rk == reflect.Slice {
				held := reflect.New(obj.typ.rt)
				held.Elem().Set(reflect.NewAt(obj.typ.rt, obj.ptr).Elem().Slice(int(start), int(max(start, stop))))
				return value{kind: kindGo, ptr: held.UnsafePointer(), typ: obj.typ}
			}
			out := make([]value, 0, sliceLen(start, stop, step))
			for i := range sliceLen(start, stop, step) {
				out = append(out, obj.typ.at(data, int(start+i*step)))
			}
			return listValue(out)
		}
	}
	panic(runtimeError("'%s' object is not subscriptable", obj.typeName()))
}

func objectAttr(x *exec, o object, name string) (value, bool) {
	switch o := o.(type) {
	case attrObject:
		return o.attr(x, name)
	}
	return value{}, false
}

// goAttr finds an attribute of a Go value: what it answers itself, a field, a
// method, or the key of a relation.
func goAttr(x *exec, obj value, name string) (value, bool) {
	t := obj.typ
	if t.caps&capAttr != 0 {
		if a, ok := obj.addressed().Interface().(Attributer).TemplateAttr(name); ok {
			return fromAny(a), true
		}
	}
	if at, ok := obj.goTime(); ok {
		if v, ok := timeAttr(at, name); ok {
			return v, true
		}
	}
	m := t.member(name)
	switch {
	case m == nil:
		return value{}, false
	case m.method < 0:
		x.allowMember(obj, m)
		return m.load(obj.ptr), true
	}
	x.allowMember(obj, m)
	return objectValue(&goFunction{name: m.name, fn: obj.addressed().Method(m.method)}), true
}

// goItem finds an element of a Go value.
func goItem(obj, key value) (value, bool) {
	t := obj.typ
	if t.caps&capItem != 0 {
		if a, ok := obj.addressed().Interface().(Indexer).TemplateItem(key.toAny()); ok {
			return fromAny(a), true
		}
	}
	if obj.isGoMapping() {
		return mapGet(obj, key)
	}
	switch t.class {
	case classSlice:
		data, n := t.slice(obj)
		if i, ok := index(key, n); ok {
			return t.at(data, i), true
		}
	case classScalar:
		if t.scalar != nil && t.rk == reflect.String {
			return stringItem(obj.plain(), key)
		}
	}
	return value{}, false
}

// bind makes a callable value of a built-in method.
func bind(obj value, name string, m methodFunc) value {
	return methodValue(name, func(x *exec, a *callArgs) value { return m(x, obj, a) })
}

// methodFunc is a built-in method of strings, lists and so on.
type methodFunc func(x *exec, self value, a *callArgs) value

// methodOf finds a built-in method of a value.
func methodOf(v value, name string) methodFunc {
	switch v.kind {
	case kindString:
		if name == "striptags" || name == "unescape" { // of safe strings only
			return nil
		}
		return stringMethod(name)
	case kindSafe:
		return stringMethod(name)
	case kindDict:
		return dictMethod(name)
	case kindList:
		return listMethod(name)
	case kindTuple, kindRange:
		return sequenceMethod(name)
	case kindInt, kindBool, kindBig, kindFloat:
		return numberMethod(v.kind, name)
	case kindGo:
		switch {
		case v.isGoMapping():
			return dictMethod(name)
		case v.typ.class == classSlice:
			return listMethod(name)
		case v.typ.scalar != nil && v.typ.rk == reflect.String:
			if m := stringMethod(name); m != nil {
				return func(x *exec, self value, a *callArgs) value { return m(x, self.plain(), a) }
			}
		}
		if _, ok := v.goTime(); ok {
			return timeMethod(name)
		}
	}
	return nil
}

// callMethod is obj.name(…) without a value for the method in between.
func callMethod(x *exec, obj value, name string, a *callArgs) value {
	switch obj.kind {
	case kindString, kindSafe, kindList, kindTuple, kindDict:
		if m := methodOf(obj, name); m != nil {
			return m(x, obj, a)
		}
	case kindGo:
		if obj.isOrdered() && dictMethod(name) != nil {
			break
		}
		if m := obj.typ.member(name); m != nil && m.method >= 0 && obj.typ.caps&capAttr == 0 {
			x.allowMember(obj, m)
			return callGo(x, m.name, obj.addressed().Method(m.method), a.pos, a.kw)
		}
		if obj.typ.caps&capTime != 0 {
			if m := timeMethod(name); m != nil {
				return m(x, obj, a)
			}
		}
	}
	return callValue(x, getAttr(x, obj, name), a)
}

// callValue calls whatever can be called.
func callValue(x *exec, fn value, a *callArgs) value {
	switch fn.kind {
	case kindObject:
		if o, ok := fn.object().(callObject); ok {
			if g, ok := o.(*goFunction); ok {
				x.allowCall(g)
			}
			return o.call(x, a)
		}
	case kindUndefined:
		fn.undefined().fail()
	case kindGo:
		if fn.typ.class == classFunc || fn.typ.class == classSeq {
			rv := fn.goValue()
			x.allowCall(&goFunction{fn: rv})
			return callGo(x, "function", rv, a.pos, a.kw)
		}
		if m := fn.typ.member("Call"); m != nil && m.method >= 0 {
			x.allowMember(fn, m)
			return callGo(x, "Call", fn.addressed().Method(m.method), a.pos, a.kw)
		}
	}
	panic(runtimeError("'%s' object is not callable", fn.typeName()))
}

// callable is the test of that name.
func callable(v value) bool {
	switch v.kind {
	case kindObject:
		_, ok := v.object().(callObject)
		return ok
	case kindUndefined:
		return true
	case kindGo:
		return v.typ.class == classFunc
	}
	return false
}
