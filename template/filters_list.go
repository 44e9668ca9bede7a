package template

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

func filterLength(_ *frame, in value, _ []value) value {
	n, ok := lengthOf(in)
	if !ok {
		panic(runtimeError("object of type '%s' has no length", in.typeName()))
	}
	return intValue(int64(n))
}

func filterList(f *frame, in value, _ []value) value { return listValue(collect(f.x, in)) }

func filterFirst(f *frame, in value, _ []value) value {
	var c cursor
	c.start(f.x, in)
	defer c.stop()
	if e, ok := c.next(); ok {
		return e
	}
	return missingHint(f.x.engine.options.Undefined, "", "No first item, sequence was empty.")
}

func filterLast(f *frame, in value, _ []value) value {
	if in.isString() && in.num > 0 {
		v, _ := stringItem(in, intValue(-1))
		return v
	}
	items := reversible(f.x, in)
	if len(items) == 0 {
		return missingHint(f.x.engine.options.Undefined, "", "No last item, sequence was empty.")
	}
	return items[len(items)-1]
}

// reversible gives the elements of a sequence that can be read backwards.
func reversible(x *exec, v value) []value {
	switch v.kind {
	case kindList, kindTuple:
		return v.list().items
	case kindUndefined:
		v.undefined().iterable()
		return nil
	case kindString, kindSafe, kindDict, kindRange:
		return collect(x, v)
	case kindObject:
		if _, ok := v.object().(*dictView); ok {
			return collect(x, v)
		}
	case kindGo:
		if v.typ.class == classSlice || v.isGoMapping() {
			return collect(x, v)
		}
	}
	panic(runtimeError("'%s' object is not reversible", v.typeName()))
}

func filterReverse(f *frame, in value, _ []value) value {
	in = in.plain()
	if in.isString() {
		runes := []rune(in.str())
		slices.Reverse(runes)
		return textValue(string(runes), in.kind == kindSafe)
	}
	if in.kind == kindIterator || in.kind == kindGo && in.typ.class == classSeq {
		items := collect(f.x, in)
		slices.Reverse(items)
		return listValue(items)
	}
	items := slices.Clone(reversible(f.x, in))
	slices.Reverse(items)
	return iteratorValue(&sliceIterator{items: items})
}

func filterRandom(f *frame, in value, _ []value) value {
	n, ok := lengthOf(in)
	if !ok {
		panic(runtimeError("object of type '%s' has no length", in.typeName()))
	}
	if n == 0 {
		return missingHint(f.x.engine.options.Undefined, "", "No random item, sequence was empty.")
	}
	return getItem(f.x, in, intValue(rand.Int64N(int64(n))))
}

func filterBatch(f *frame, in value, a []value) value {
	size := int64(-1) // a size that is no whole number is never reached
	if n, ok := a[0].plain().asFloat(); ok && n == math.Trunc(n) {
		size = int64(min(max(n, -1), 1<<40))
	} else if a[0].isUndefined() && a[0].undefined().mode == UndefinedStrict {
		a[0].undefined().fail()
	}
	a0, fill := a[0].plain(), a[1]
	var c cursor
	var row []value
	done := false
	return iteratorValue(iteratorFunc(func(x *exec) (value, bool) {
		if done {
			return value{}, false
		}
		c.begin(x, in)
		for {
			e, ok := c.next()
			if !ok {
				break
			}
			if int64(len(row)) == size {
				full := row
				row = []value{e}
				return listValue(full), true
			}
			row = append(row, e)
		}
		done = true
		if len(row) == 0 {
			return value{}, false
		}
		if !fill.isZeroArgument() {
			if !a0.isNumber() {
				if a0.kind == kindUndefined {
					a0.undefined().fail()
				}
				panic(runtimeError("batch: expected an integer, not '%s'", a0.typeName()))
			}
			x.allowItems(int(min(size, 1<<31)))
			for int64(len(row)) < size {
				row = append(row, fill)
			}
		}
		return listValue(row), true
	}))
}

func filterSlice(f *frame, in value, a []value) value {
	number, fill := a[0], a[1]
	var items []value
	var parts, per, extra int64
	begun := false
	i, offset := int64(0), int64(0)
	return iteratorValue(iteratorFunc(func(x *exec) (value, bool) {
		if !begun {
			begun = true
			items = collect(x, in)
			parts = wantSize("slice", number)
			x.allowItems(int(min(parts, 1<<31)))
			if parts == 0 {
				panic(runtimeError("slice: division by zero"))
			}
			per, extra = int64(len(items))/max(parts, 1), int64(len(items))%max(parts, 1)
		}
		if i >= parts {
			return value{}, false
		}
		start := offset + i*per
		if i < extra {
			offset++
		}
		end := offset + (i+1)*per
		row := slices.Clone(items[start:end])
		if !fill.isZeroArgument() && i >= extra {
			row = append(row, fill)
		}
		i++
		return listValue(row), true
	}))
}

func filterJoin(f *frame, in value, a []value) value {
	sep := empty
	if a[0].given() {
		sep = a[0]
	}
	var get func(value) value
	if !a[1].isZeroArgument() {
		get = attributeGetter(f, a[1], value{}, false)
	}
	// The items wait on the argument stack: all must be known before the first
	// is written, since one that is safe makes the others be escaped.
	x := f.x
	base := len(x.stack)
	auto := f.autoescapeOn()
	safe := auto && isEscaped(sep)
	var c cursor
	c.start(x, in)
	for {
		v, ok := c.next()
		if !ok {
			break
		}
		if get != nil {
			v = get(v)
		}
		safe = safe || auto && isEscaped(v)
		x.stack = append(x.stack, v)
		x.allowItems(len(x.stack) - base)
	}
	buf := x.scratch()
	for i := range len(x.stack) - base {
		if i > 0 {
			buf = appendPart(buf, sep, safe)
		}
		buf = appendPart(buf, x.stack[base+i], safe)
		x.allowBytes(len(buf))
	}
	clear(x.stack[base:])
	x.stack = x.stack[:base]
	return x.keepScratch(buf, safe)
}

// appendPart appends the printed form of a part of a joined string.
func appendPart(dst []byte, v value, safe bool) []byte {
	if safe {
		return appendHTML(dst, v)
	}
	return appendText(dst, v)
}

// attributeGetter reads an attribute named by a string with dots or an
// integer from each element; with fold, strings come in lower case.
func attributeGetter(f *frame, attribute, fallback value, fold bool) func(value) value {
	var parts []value
	attribute = attribute.plain()
	switch {
	case attribute.isZeroArgument():
	case attribute.isString():
		for _, p := range strings.Split(attribute.str(), ".") {
			if n, err := strconv.ParseInt(p, 10, 64); err == nil && p[0] != '-' && p[0] != '+' {
				parts = append(parts, intValue(n))
			} else {
				parts = append(parts, stringValue(p))
			}
		}
	default:
		parts = []value{attribute}
	}
	return func(v value) value {
		for _, p := range parts {
			v = getItem(f.x, v, p)
			if v.kind == kindUndefined && !fallback.isZeroArgument() {
				v = fallback
			}
		}
		if fold {
			return folded(v)
		}
		return v
	}
}

// folded ignores case where there is one.
func folded(v value) value {
	if p := v.plain(); p.isString() {
		return stringValue(lowerCase(p.str()))
	}
	return v
}

func filterSort(f *frame, in value, a []value) value {
	reverse, fold := isSet("sort", a[0]), !a[1].truth()
	var gets []func(value) value
	if attr := a[2].plain(); attr.isString() {
		for _, p := range strings.Split(attr.str(), ",") {
			gets = append(gets, attributeGetter(f, stringValue(p), value{}, fold))
		}
	} else {
		gets = append(gets, attributeGetter(f, attr, value{}, fold))
	}
	return listValue(sorted(f, collect(f.x, in), gets, reverse, false))
}

// sorted orders items by the values the getters give, stably. With direct the
// only key must have an order even where two are equal.
func sorted(f *frame, items []value, gets []func(value) value, reverse, direct bool) []value {
	type entry struct {
		item value
		keys []value
	}
	entries := make([]entry, len(items))
	keys := make([]value, 0, len(items)*len(gets))
	for i, it := range items {
		start := len(keys)
		for _, get := range gets {
			keys = append(keys, get(it))
		}
		entries[i] = entry{it, keys[start:len(keys):len(keys)]}
	}
	slices.SortStableFunc(entries, func(p, q entry) int {
		f.x.step()
		for i := range p.keys {
			if direct || !equal(p.keys[i], q.keys[i]) {
				c := compareValues("<", p.keys[i], q.keys[i])
				if reverse {
					return -c
				}
				return c
			}
		}
		return 0
	})
	for i := range entries {
		items[i] = entries[i].item
	}
	return items
}

func filterDictsort(f *frame, in value, a []value) value {
	by := 0
	if a[1].given() {
		switch a[1].text() {
		case "key":
		case "value":
			by = 1
		default:
			panic(runtimeError("dictsort: you can only sort by either \"key\" or \"value\""))
		}
	}
	d, ok := asDict(in)
	if !ok {
		panic(methodMissing(in, "items"))
	}
	items := make([]value, d.Len())
	for i := range items {
		items[i] = tupleValue(d.keys[i], d.vals[i])
	}
	fold := !a[0].truth()
	get := func(v value) value {
		k := v.list().items[by]
		if fold {
			return folded(k)
		}
		return k
	}
	return listValue(sorted(f, items, []func(value) value{get}, isSet("dictsort", a[2]), true))
}

// methodMissing is the error of a filter that needs a mapping or the like.
func methodMissing(v value, name string) *Error {
	if v.isUndefined() {
		return v.undefined().error()
	}
	return runtimeError("'%s' object has no attribute '%s'", v.typeName(), name)
}

func filterItems(_ *frame, in value, _ []value) value {
	if in.kind == kindUndefined {
		return iteratorValue(&sliceIterator{})
	}
	var it iterator
	return iteratorValue(iteratorFunc(func(x *exec) (value, bool) {
		if it == nil {
			d, ok := asDict(in)
			if !ok {
				panic(runtimeError("can only get item pairs from a mapping"))
			}
			it = &dictViewIterator{view: &dictView{d, 'i'}}
		}
		return it.next(x)
	}))
}

func filterUnique(f *frame, in value, a []value) value {
	get := attributeGetter(f, a[1], value{}, !a[0].truth())
	var c cursor
	seen := map[dictKey]bool{}
	return iteratorValue(iteratorFunc(func(x *exec) (value, bool) {
		c.begin(x, in)
		for {
			e, ok := c.next()
			if !ok {
				return e, false
			}
			f.x.step()
			k := keyOf(get(e))
			if !seen[k] {
				seen[k] = true
				return e, true
			}
		}
	}))
}

func filterGroupby(f *frame, in value, a []value) value {
	fold := !a[2].truth()
	get := attributeGetter(f, a[0], a[1], fold)
	shown := attributeGetter(f, a[0], a[1], false)
	items := sorted(f, collect(f.x, in), []func(value) value{get}, false, true)
	var groups []value
	var last value
	for i, it := range items {
		k := get(it)
		if i == 0 || !equal(k, last) {
			g := tupleValue(shown(it), listValue(nil))
			g.list().group = true
			groups = append(groups, g)
			last = k
		}
		members := groups[len(groups)-1].list().items[1].list()
		members.items = append(members.items, it)
	}
	return listValue(groups)
}

func filterMin(f *frame, in value, a []value) value { return extreme(f, in, a, -1) }

func filterMax(f *frame, in value, a []value) value { return extreme(f, in, a, 1) }

func extreme(f *frame, in value, a []value, sign int) value {
	get := attributeGetter(f, a[1], value{}, !a[0].truth())
	var c cursor
	c.start(f.x, in)
	best, ok := c.next()
	if !ok {
		return missingHint(f.x.engine.options.Undefined, "", "No aggregated item, sequence was empty.")
	}
	key := get(best)
	for {
		e, ok := c.next()
		if !ok {
			return best
		}
		f.x.step()
		k := get(e)
		op := ">"
		if sign < 0 {
			op = "<"
		}
		if ordered(op, k, key) {
			best, key = e, k
		}
	}
}

func filterSum(f *frame, in value, a []value) value {
	get := attributeGetter(f, a[0], value{}, false)
	total := intValue(0)
	if a[1].given() {
		total = a[1]
	}
	if total.isString() {
		panic(runtimeError("sum() can't sum strings; use join instead"))
	}
	var c cursor
	c.start(f.x, in)
	for {
		e, ok := c.next()
		if !ok {
			return total
		}
		f.x.step()
		total = add(f.x, total, get(e))
	}
}

// filterMap is lazy: the filter it names is looked up for the first element.
func filterMap(f *frame, in value, args *callArgs) value {
	a := keepArguments(args)
	var fn func(value) value
	prepare := func() {
		if len(a.pos) == 0 {
			attribute, ok := a.take("attribute")
			if !ok {
				panic(runtimeError("map requires a filter argument"))
			}
			fallback, _ := a.take("default")
			if len(a.kw) > 0 {
				panic(runtimeError("map: unexpected keyword argument '%s'", a.kw[0].name))
			}
			fn = attributeGetter(f, attribute, fallback, false)
			return
		}
		def := f.x.filterNamed(a.pos[0])
		rest := &callArgs{a.pos[1:], a.kw}
		fn = func(v value) value { return def.apply(f, v, rest) }
	}
	return lazily(f, in, func(c *cursor) (value, bool) {
		if fn == nil {
			prepare()
		}
		e, ok := c.next()
		if !ok {
			return e, false
		}
		return fn(e), true
	})
}

// lazily makes a lazy sequence of a value's elements; false values are empty.
func lazily(f *frame, in value, next func(c *cursor) (value, bool)) value {
	var c *cursor
	return iteratorValue(iteratorFunc(func(x *exec) (value, bool) {
		if c == nil {
			if !in.truth() {
				return value{}, false
			}
			c = &cursor{}
			c.start(f.x, in)
		}
		x.step()
		return next(c)
	}))
}

// keepArguments copies arguments that outlive their call.
func keepArguments(a *callArgs) *callArgs {
	return &callArgs{slices.Clone(a.pos), slices.Clone(a.kw)}
}

// take removes a keyword argument.
func (a *callArgs) take(name string) (value, bool) {
	for i, k := range a.kw {
		if k.name == name {
			a.kw = slices.Delete(a.kw, i, i+1)
			return k.v, true
		}
	}
	return value{}, false
}

func (x *exec) filterNamed(v value) *filterDef {
	if d := x.engine.filters[v.text()]; d != nil {
		return d
	}
	panic(runtimeError("no filter named '%s'", v.text()))
}

func (x *exec) testNamed(v value) *testDef {
	if d := x.engine.tests[v.text()]; d != nil {
		return d
	}
	panic(runtimeError("no test named '%s'", v.text()))
}

func filterSelect(f *frame, in value, a *callArgs) value { return choose(f, in, a, true, false) }

func filterReject(f *frame, in value, a *callArgs) value { return choose(f, in, a, false, false) }

func filterSelectattr(f *frame, in value, a *callArgs) value { return choose(f, in, a, true, true) }

func filterRejectattr(f *frame, in value, a *callArgs) value { return choose(f, in, a, false, true) }

func choose(f *frame, in value, args *callArgs, want, byAttribute bool) value {
	a := keepArguments(args)
	var holds func(value) bool
	prepare := func() {
		get := func(v value) value { return v }
		if byAttribute {
			if len(a.pos) == 0 {
				panic(runtimeError("missing parameter for attribute name"))
			}
			get = attributeGetter(f, a.pos[0], value{}, false)
			a.pos = a.pos[1:]
		}
		if len(a.pos) == 0 {
			holds = func(v value) bool { return get(v).truth() }
			return
		}
		def := f.x.testNamed(a.pos[0])
		rest := &callArgs{a.pos[1:], a.kw}
		holds = func(v value) bool { return def.holds(f, get(v), rest) }
	}
	return lazily(f, in, func(c *cursor) (value, bool) {
		if holds == nil {
			prepare()
		}
		for {
			e, ok := c.next()
			if !ok || holds(e) == want {
				return e, ok
			}
			f.x.step()
		}
	})
}
