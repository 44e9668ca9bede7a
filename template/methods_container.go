package template

import (
	"slices"
	"strings"
	"time"
)

// dictMethod finds a method of mappings.
func dictMethod(name string) methodFunc {
	switch name {
	case "items", "keys", "values":
		return func(_ *exec, self value, a *callArgs) value {
			noArguments(name, a)
			d, _ := asDict(self)
			return objectValue(&dictView{d, name[0]})
		}
	case "get":
		return func(_ *exec, self value, a *callArgs) value {
			args := positional("get", 1, 2, a)
			if v, ok := mappingGet(self, args[0]); ok {
				return v
			}
			if args[1].given() {
				return args[1]
			}
			return none
		}
	case "fromkeys":
		return func(x *exec, _ value, a *callArgs) value { return dictFromKeys(x, a) }
	case "copy":
		return func(_ *exec, self value, a *callArgs) value {
			noArguments("copy", a)
			d, _ := asDict(self)
			return dictValue(d.clone())
		}
	case "update", "pop", "popitem", "setdefault", "clear":
		return func(x *exec, self value, a *callArgs) value {
			if self.kind != kindDict {
				panic(runtimeError("the mapping belongs to the program and cannot be changed; make a copy with dict(…)"))
			}
			x.allowChange("mapping", name)
			return changeDict(x, self.dict(), name, a)
		}
	}
	return nil
}

// dictFromKeys is a mapping of the keys, all to one value.
func dictFromKeys(x *exec, a *callArgs) value {
	args := positional("fromkeys", 1, 2, a)
	v := args[1]
	if !v.given() {
		v = none
	}
	d := NewDict()
	for _, k := range collect(x, args[0]) {
		d.set(k, v)
	}
	return dictValue(d)
}

func mappingGet(m, key value) (value, bool) {
	if m.kind == kindDict {
		return m.dict().get(key)
	}
	return mapGet(m, key)
}

func changeDict(x *exec, d *Dict, name string, a *callArgs) value {
	switch name {
	case "update":
		if len(a.pos) > 1 {
			panic(runtimeError("update() takes at most 1 argument (%d given)", len(a.pos)))
		}
		if len(a.pos) == 1 {
			if a.pos[0].isUndefined() {
				a.pos[0].undefined().fail()
			}
			fillDict(x, d, a.pos[0])
		}
		for _, k := range a.kw {
			d.set(stringValue(k.name), k.v)
		}
		x.allowItems(d.Len())
		return none
	case "pop":
		args := positional("pop", 1, 2, a)
		if i := d.find(args[0]); i >= 0 {
			v := d.vals[i]
			d.remove(i)
			return v
		}
		if args[1].given() {
			return args[1]
		}
		panic(runtimeError("pop(): key not found: %s", string(appendRepr(nil, args[0]))))
	case "popitem":
		noArguments(name, a)
		i := d.Len() - 1
		if i < 0 {
			panic(runtimeError("popitem(): dictionary is empty"))
		}
		v := tupleValue(d.keys[i], d.vals[i])
		d.remove(i)
		return v
	case "setdefault":
		args := positional("setdefault", 1, 2, a)
		if v, ok := d.get(args[0]); ok {
			return v
		}
		if !args[1].given() {
			args[1] = none
		}
		d.set(args[0], args[1])
		return args[1]
	}
	noArguments(name, a)
	*d = Dict{}
	return none
}

// fillDict adds the entries of a mapping or of a sequence of pairs.
func fillDict(x *exec, d *Dict, v value) {
	if from, ok := asDict(v); ok {
		for i, k := range from.keys {
			d.set(k, from.vals[i])
		}
		return
	}
	if v.kind == kindObject {
		if n, ok := v.object().(*namespace); ok {
			fillDict(x, d, dictValue(n.attrs))
			return
		}
	}
	var c cursor
	c.start(x, v)
	for i := 0; ; i++ {
		e, ok := c.next()
		if !ok {
			return
		}
		pair := collect(x, e)
		if len(pair) != 2 {
			panic(runtimeError("dictionary update sequence element #%d has length %d; 2 is required", i, len(pair)))
		}
		d.set(pair[0], pair[1])
	}
}

// listMethod finds a method of lists.
func listMethod(name string) methodFunc {
	switch name {
	case "append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse":
		return func(x *exec, self value, a *callArgs) value {
			if self.kind != kindList {
				panic(runtimeError("the list belongs to the program and cannot be changed; make a copy with |list"))
			}
			x.allowChange("list", name)
			return changeList(x, self.list(), name, a)
		}
	case "copy":
		return func(_ *exec, self value, a *callArgs) value {
			noArguments("copy", a)
			return listValue(slices.Clone(itemsOf(self)))
		}
	}
	return sequenceMethod(name)
}

func changeList(x *exec, l *List, name string, a *callArgs) value {
	switch name {
	case "append":
		l.items = append(l.items, positional(name, 1, 1, a)[0])
		x.allowItems(len(l.items))
	case "extend":
		more := collect(x, positional(name, 1, 1, a)[0])
		x.allowItems(len(l.items) + len(more))
		l.items = append(l.items, more...)
	case "insert":
		args := positional(name, 2, 2, a)
		if args[0].kind != kindBig {
			wantInt(name, args[0])
		}
		i, _, _ := sliceBounds(args[0], none, none, int64(len(l.items)))
		l.items = slices.Insert(l.items, int(i), args[1])
		x.allowItems(len(l.items))
	case "remove":
		args := positional(name, 1, 1, a)
		i := slices.IndexFunc(l.items, func(v value) bool { return equal(v, args[0]) })
		if i < 0 {
			panic(runtimeError("list.remove(x): x not in list"))
		}
		l.items = slices.Delete(l.items, i, i+1)
	case "pop":
		args := positional(name, 0, 1, a)
		if len(l.items) == 0 {
			panic(runtimeError("pop from empty list"))
		}
		at := intValue(-1)
		if args[0].given() {
			at = intValue(wantInt(name, args[0]))
		}
		i, ok := index(at, len(l.items))
		if !ok {
			panic(runtimeError("pop index out of range"))
		}
		v := l.items[i]
		l.items = slices.Delete(l.items, i, i+1)
		return v
	case "clear":
		noArguments(name, a)
		l.items = nil
	case "reverse":
		noArguments(name, a)
		slices.Reverse(l.items)
	case "sort":
		if len(a.pos) > 0 {
			panic(runtimeError("sort() takes no positional arguments"))
		}
		args := bindTo(name, "key,reverse", 0, a)
		get := func(v value) value { return v }
		if !args[0].isZeroArgument() {
			get = func(v value) value { return callValue(x, args[0], &callArgs{pos: []value{v}}) }
		}
		l.items = sorted(&frame{x: x}, l.items, []func(value) value{get}, isSet(name, args[1]), true)
	}
	return none
}

// sequenceMethod finds a method that lists, tuples and ranges share.
func sequenceMethod(name string) methodFunc {
	switch name {
	case "count":
		return func(x *exec, self value, a *callArgs) value {
			item := positional(name, 1, 1, a)[0]
			n := int64(0)
			for _, v := range collect(x, self) {
				if equal(v, item) {
					n++
				}
			}
			return intValue(n)
		}
	case "index":
		return func(x *exec, self value, a *callArgs) value {
			args := positional(name, 1, 3, a)
			items := collect(x, self)
			start, stop, _ := sliceBounds(args[1], args[2], none, int64(len(items)))
			for i := start; i < stop; i++ {
				if equal(items[i], args[0]) {
					return intValue(i)
				}
			}
			panic(runtimeError("%s is not in %s", string(appendRepr(nil, args[0])), self.typeName()))
		}
	}
	return nil
}

// timeAttr gives the parts of a time under the names of Python's datetime; Go's
// own methods keep theirs.
func timeAttr(t time.Time, name string) (value, bool) {
	n := 0
	switch name {
	case "year":
		n = t.Year()
	case "month":
		n = int(t.Month())
	case "day":
		n = t.Day()
	case "hour":
		n = t.Hour()
	case "minute":
		n = t.Minute()
	case "second":
		n = t.Second()
	case "microsecond":
		n = t.Nanosecond() / 1000
	default:
		return value{}, false
	}
	return intValue(int64(n)), true
}

// timeMethod finds the methods that templates written for Python's datetime
// expect of a time.
func timeMethod(name string) methodFunc {
	switch name {
	case "strftime":
		return timeStrftime
	case "isoformat":
		return timeISO
	case "date":
		return timeDate
	}
	return nil
}

func timeStrftime(x *exec, self value, a *callArgs) value {
	t, _ := self.goTime()
	if len(a.pos) != 1 || len(a.kw) > 0 {
		positional("strftime", 1, 1, a) // fails
	}
	return x.keepScratch(appendStrftime(x.scratch(), t, wantString("strftime", a.pos[0])), false)
}

func timeISO(_ *exec, self value, a *callArgs) value {
	noArguments("isoformat", a)
	t, _ := self.goTime()
	return stringValue(strings.Replace(t.Format(time.RFC3339Nano), "Z", "+00:00", 1))
}

func timeDate(_ *exec, self value, a *callArgs) value {
	noArguments("date", a)
	t, _ := self.goTime()
	return stringValue(t.Format(time.DateOnly))
}
