package template

import (
	"fmt"
	"sync/atomic"
	"unsafe"
)

// eval compiles an expression at a place.
func (c *compiler) eval(e expression, p place) evalFunc {
	c.deeper()
	defer func() { c.depth-- }()
	switch n := e.(type) {
	case constant:
		v := n.v
		return func(*frame) value { return v }
	case dataText:
		v := stringValue(n.text)
		return func(*frame) value { return v }
	case *nameExpr:
		return c.read(n.name, p)
	case *namespaceRef:
		return c.read(n.name, p)
	case *attrExpr:
		return c.attribute(n, p)
	case *itemExpr:
		return c.item(n, p)
	case *callExpr:
		return c.call(n, p, nil)
	case *filterExpr:
		return c.filter(n, p)
	case *testExpr:
		return c.test(n, p)
	case *listExpr:
		items := c.evalAll(n.items, p)
		return func(f *frame) value { return listValue(evaluated(f, items)) }
	case *tupleExpr:
		items := c.evalAll(n.items, p)
		return func(f *frame) value { return tupleValue(evaluated(f, items)...) }
	case *dictExpr:
		keys, vals := c.evalAll(n.keys, p), c.evalAll(n.vals, p)
		return func(f *frame) value {
			d := &Dict{keys: make([]value, 0, len(keys)), vals: make([]value, 0, len(keys))}
			for i := range keys {
				k := keys[i](f)
				d.set(k, vals[i](f))
			}
			return dictValue(d)
		}
	case *unaryExpr:
		return c.unary(n, p)
	case *binaryExpr:
		return c.binary(n, p)
	case *concatExpr:
		return c.concat(n, p)
	case *compareExpr:
		return c.compare(n, p)
	case *condExpr:
		return c.cond(n, p)
	case *trustedExpr:
		get := c.eval(n.e, p)
		return func(f *frame) value {
			v := get(f)
			if safeHere(f, p.escape) {
				return safeValue(v.text())
			}
			return v
		}
	case *sliceExpr:
		c.fail("a slice cannot stand here")
	}
	panic(fmt.Sprintf("template: no code for %T", e))
}

func (c *compiler) evalAll(list []expression, p place) []evalFunc {
	out := make([]evalFunc, len(list))
	for i, e := range list {
		out[i] = c.eval(e, p)
	}
	return out
}

func evaluated(f *frame, list []evalFunc) []value {
	out := make([]value, len(list))
	for i, e := range list {
		out[i] = e(f)
	}
	return out
}

func (c *compiler) unary(n *unaryExpr, p place) evalFunc {
	get := c.eval(n.e, p)
	switch n.op {
	case "not":
		return func(f *frame) value { return boolValue(!get(f).truth()) }
	case "-":
		return func(f *frame) value { return negate(get(f)) }
	}
	return func(f *frame) value { return positive(get(f)) }
}

func (c *compiler) binary(n *binaryExpr, p place) evalFunc {
	a, b := c.eval(n.a, p), c.eval(n.b, p)
	switch n.op {
	case "and":
		return func(f *frame) value {
			if v := a(f); !v.truth() {
				return v
			}
			return b(f)
		}
	case "or":
		return func(f *frame) value {
			if v := a(f); v.truth() {
				return v
			}
			return b(f)
		}
	case "+":
		return func(f *frame) value {
			v := a(f)
			return add(f.x, v, b(f))
		}
	case "-":
		return func(f *frame) value {
			v := a(f)
			return subtract(v, b(f))
		}
	case "*":
		return func(f *frame) value {
			v := a(f)
			return multiply(f.x, v, b(f))
		}
	case "/":
		return func(f *frame) value {
			v := a(f)
			return divide(v, b(f))
		}
	case "//":
		return func(f *frame) value {
			v := a(f)
			return floorDivide(v, b(f))
		}
	case "%":
		return func(f *frame) value {
			v := a(f)
			return modulo(f.x, v, b(f))
		}
	}
	return func(f *frame) value {
		v := a(f)
		return power(v, b(f))
	}
}

// concat joins printed forms. With autoescape the result is safe if a part is
// a safe string, and then the others are escaped; but a chain of nothing but
// literals is joined before it is known to be HTML and stays plain.
func (c *compiler) concat(n *concatExpr, p place) evalFunc {
	items := c.evalAll(n.items, p)
	on := p.escape == escapeOn && !c.isConstant(n)
	return func(f *frame) value {
		parts := evaluated(f, items)
		safe := false
		for i, v := range parts {
			if on {
				parts[i] = soft(v)
				safe = safe || v.kind == kindSafe
			}
		}
		var buf []byte
		for _, v := range parts {
			if safe {
				buf = appendHTML(buf, v)
			} else {
				buf = appendText(buf, v)
			}
			f.x.allowBytes(len(buf))
		}
		return textValue(string(buf), safe)
	}
}

// isConstant reports whether an expression is made of literals only, so that
// Jinja would compute it at compile time.
func (c *compiler) isConstant(e expression) bool {
	switch n := e.(type) {
	case nil, constant:
		return true
	case *unaryExpr:
		return c.isConstant(n.e)
	case *binaryExpr:
		return c.isConstant(n.a) && c.isConstant(n.b)
	case *concatExpr:
		return c.areConstant(n.items)
	case *listExpr:
		return c.areConstant(n.items)
	case *tupleExpr:
		return c.areConstant(n.items)
	case *dictExpr:
		return c.areConstant(n.keys) && c.areConstant(n.vals)
	case *compareExpr:
		return c.isConstant(n.first) && c.areConstant(n.rest)
	case *condExpr:
		return n.no != nil && c.isConstant(n.test) && c.isConstant(n.yes) && c.isConstant(n.no)
	case *attrExpr:
		return c.isConstant(n.obj)
	case *itemExpr:
		return c.isConstant(n.obj) && c.isConstant(n.key)
	case *sliceExpr:
		return c.isConstant(n.start) && c.isConstant(n.stop) && c.isConstant(n.step)
	case *testExpr:
		return c.isConstant(n.in) && c.constantArguments(&n.args)
	case *filterExpr:
		switch n.name {
		case "map", "select", "reject", "selectattr", "rejectattr", "random":
			return false
		}
		return n.in != nil && c.isConstant(n.in) && c.constantArguments(&n.args)
	}
	return false
}

func (c *compiler) areConstant(list []expression) bool {
	for _, e := range list {
		if !c.isConstant(e) {
			return false
		}
	}
	return true
}

func (c *compiler) constantArguments(a *arguments) bool {
	for _, k := range a.kw {
		if !c.isConstant(k.e) {
			return false
		}
	}
	return c.areConstant(a.pos) && c.isConstant(a.dynPos) && c.isConstant(a.dyn)
}

func (c *compiler) compare(n *compareExpr, p place) evalFunc {
	first := c.eval(n.first, p)
	rest := c.evalAll(n.rest, p)
	if len(rest) == 1 {
		second := rest[0]
		switch op := n.ops[0]; op {
		case "==":
			return func(f *frame) value {
				v := first(f)
				return boolValue(equal(v, second(f)))
			}
		case "!=":
			return func(f *frame) value {
				v := first(f)
				return boolValue(!equal(v, second(f)))
			}
		default:
			return func(f *frame) value {
				v := first(f)
				return boolValue(applyCompare(f.x, op, v, second(f)))
			}
		}
	}
	return func(f *frame) value {
		left := first(f)
		for i, get := range rest {
			right := get(f)
			if !applyCompare(f.x, n.ops[i], left, right) {
				return no
			}
			left = right
		}
		return yes
	}
}

func applyCompare(x *exec, op string, a, b value) bool {
	switch op {
	case "==":
		return equal(a, b)
	case "!=":
		return !equal(a, b)
	case "in":
		return contains(x, b, a)
	case "not in":
		return !contains(x, b, a)
	}
	return ordered(op, a, b)
}

func (c *compiler) cond(n *condExpr, p place) evalFunc {
	p = p.conditional()
	test, then := c.eval(n.test, p), c.eval(n.yes, p)
	if n.no == nil {
		line := n.line
		return func(f *frame) value {
			if test(f).truth() {
				return then(f)
			}
			// A missing else is lenient in every mode.
			return missingHint(UndefinedDefault, "", fmt.Sprintf("the inline if-expression on line %d evaluated to false and no else section was defined", line))
		}
	}
	orElse := c.eval(n.no, p)
	return func(f *frame) value {
		if test(f).truth() {
			return then(f)
		}
		return orElse(f)
	}
}

// attribute compiles obj.name. The plan for the Go type met last is kept
// beside the code, so that rows of one type are read without a lookup.
func (c *compiler) attribute(n *attrExpr, p place) evalFunc {
	get := c.eval(n.obj, p)
	name := n.name
	cache := new(atomic.Pointer[fieldPlan])
	return func(f *frame) value {
		obj := get(f)
		if obj.kind == kindGo {
			if plan := cache.Load(); plan != nil && plan.owner == obj.typ {
				return plan.typ.read(unsafe.Add(obj.ptr, plan.offset))
			}
			if plan := obj.typ.plan(name); plan != nil {
				cache.Store(plan)
				return plan.typ.read(unsafe.Add(obj.ptr, plan.offset))
			}
		}
		return getAttr(f.x, obj, name)
	}
}

// fieldPlan reads one field of one struct type.
type fieldPlan struct {
	owner  *goType
	typ    *goType
	offset uintptr
}

// plan gives the plan for a plain field; nil for everything else.
func (t *goType) plan(name string) *fieldPlan {
	if t.class != classStruct || t.caps&capAttr != 0 {
		return nil
	}
	m := t.member(name)
	if m == nil || m.method >= 0 || len(m.steps) > 0 {
		return nil
	}
	return &fieldPlan{t, m.typ, m.offset}
}

func (c *compiler) item(n *itemExpr, p place) evalFunc {
	get := c.eval(n.obj, p)
	if s, ok := n.key.(*sliceExpr); ok {
		part := func(e expression) evalFunc {
			if e == nil {
				return func(*frame) value { return none }
			}
			return c.eval(e, p)
		}
		from, to, by := part(s.start), part(s.stop), part(s.step)
		lenient := c.isConstant(n) && p.escape != escapeAsked
		return func(f *frame) value {
			obj := get(f)
			if lenient && !sliceable(obj) {
				return missingAttribute(f.x.engine.options.Undefined, obj, stringValue("slice"))
			}
			start := from(f)
			stop := to(f)
			return getSlice(f.x, obj, start, stop, by(f))
		}
	}
	if t, ok := n.key.(*tupleExpr); ok {
		for _, it := range t.items {
			if _, ok := it.(*sliceExpr); ok {
				return func(*frame) value {
					panic(runtimeError("indices cannot be several slices"))
				}
			}
		}
	}
	key := c.eval(n.key, p)
	return func(f *frame) value {
		obj := get(f)
		return getItem(f.x, obj, key(f))
	}
}

// argsFunc evaluates the arguments of a call on the render's argument stack;
// the caller pops it.
type argsFunc func(f *frame, a *callArgs)

// callArgs is the arguments of one call. The slices are only valid during it.
type callArgs struct {
	pos []value
	kw  []keyword
}

type keyword struct {
	name string
	v    value
}

func (c *compiler) arguments(n *arguments, p place) argsFunc {
	pos := c.evalAll(n.pos, p)
	kw := make([]evalFunc, len(n.kw))
	for i, k := range n.kw {
		kw[i] = c.eval(k.e, p)
	}
	var dynPos, dyn evalFunc
	if n.dynPos != nil {
		dynPos = c.eval(n.dynPos, p)
	}
	if n.dyn != nil {
		dyn = c.eval(n.dyn, p)
	}
	names := n.kw
	return func(f *frame, a *callArgs) {
		x := f.x
		base := len(x.stack)
		for _, get := range pos {
			v := get(f)
			x.stack = append(x.stack, v)
		}
		if dynPos != nil {
			x.stack = append(x.stack, collect(x, dynPos(f))...)
		}
		a.pos = x.stack[base:len(x.stack):len(x.stack)]
		if len(kw) > 0 {
			a.kw = make([]keyword, len(kw))
			for i, get := range kw {
				a.kw[i] = keyword{names[i].name, get(f)}
			}
		}
		if dyn != nil {
			spreadKeywords(a, dyn(f))
		}
	}
}

// spreadKeywords adds the entries of **mapping.
func spreadKeywords(a *callArgs, v value) {
	d, ok := asDict(v)
	if !ok {
		if v.isUndefined() {
			v.undefined().fail()
		}
		panic(runtimeError("argument after ** must be a mapping, not %s", v.typeName()))
	}
	for i, k := range d.keys {
		if !k.isString() {
			panic(runtimeError("keywords must be strings"))
		}
		for _, have := range a.kw {
			if have.name == k.str() {
				panic(runtimeError("got multiple values for keyword argument '%s'", k.str()))
			}
		}
		a.kw = append(a.kw, keyword{k.str(), d.vals[i]})
	}
}

// openCall is the state of a render that a call must leave as it was.
type openCall struct {
	args  *callArgs
	base  int
	tpl   *Template
	line  int
	frame *frame
}

func (f *frame) beginCall(args argsFunc, line int) openCall {
	x := f.x
	if line > 0 {
		x.line = line
	}
	o := openCall{base: len(x.stack), tpl: x.tpl, line: x.line, frame: f}
	if n := len(x.spareArgs); n > 0 {
		o.args, x.spareArgs = x.spareArgs[n-1], x.spareArgs[:n-1]
	} else {
		o.args = &callArgs{}
	}
	args(f, o.args)
	return o
}

func (o *openCall) end() {
	x := o.frame.x
	x.tpl, x.line = o.tpl, o.line
	x.stack = x.stack[:o.base]
	*o.args = callArgs{}
	x.spareArgs = append(x.spareArgs, o.args)
}

// call compiles a call; caller, if not nil, is passed as keyword too.
func (c *compiler) call(n *callExpr, p place, caller func(f *frame) value) evalFunc {
	args := c.arguments(&n.args, p)
	visible, line := p.assigned, n.line
	if m, ok := n.fn.(*attrExpr); ok && caller == nil {
		get := c.eval(m.obj, p)
		name := m.name
		return func(f *frame) value {
			obj := get(f)
			if obj.isUndefined() {
				getAttr(f.x, obj, name)
			}
			o := f.beginCall(args, line)
			f.x.caller, f.x.visible = f, visible
			v := callMethod(f.x, obj, name, o.args)
			o.end()
			return v
		}
	}
	get := c.eval(n.fn, p)
	return func(f *frame) value {
		fn := get(f)
		o := f.beginCall(args, line)
		if caller != nil {
			o.args.kw = append(o.args.kw, keyword{"caller", caller(f)})
		}
		f.x.caller, f.x.visible = f, visible
		v := callValue(f.x, fn, o.args)
		o.end()
		return v
	}
}
