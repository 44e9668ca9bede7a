package template

import (
	"fmt"
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
		return c.charged(c.call(n, p, nil))
	case *filterExpr:
		return c.charged(c.filter(n, p))
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
		return c.charged(c.unary(n, p))
	case *binaryExpr:
		return c.charged(c.binary(n, p))
	case *concatExpr:
		return c.charged(c.concat(n, p))
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
	if n.op == "not" {
		return func(f *frame) value { return boolValue(!get(f).truth()) }
	}
	apply := positive
	if n.op == "-" {
		apply = negate
	}
	if instead := c.intercepted(n.op); instead != nil {
		return func(f *frame) value {
			v := get(f)
			return instead(nil, v.toAny(), func() value { return apply(v) })
		}
	}
	return func(f *frame) value { return apply(get(f)) }
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
	}
	apply := arithmeticOperator(n.op)
	if instead := c.intercepted(n.op); instead != nil {
		return func(f *frame) value {
			v := a(f)
			w := b(f)
			return instead(v.toAny(), w.toAny(), func() value { return apply(f.x, v, w) })
		}
	}
	return func(f *frame) value {
		v := a(f)
		return apply(f.x, v, b(f))
	}
}

// arithmeticOperator gives what an operator does. It is no map: that would be
// filled when a program starts, which would then link all that modulo needs.
func arithmeticOperator(name string) func(x *exec, a, b value) value {
	switch name {
	case "+":
		return add
	case "*":
		return multiply
	case "%":
		return modulo
	case "-":
		return func(_ *exec, a, b value) value { return subtract(a, b) }
	case "/":
		return func(_ *exec, a, b value) value { return divide(a, b) }
	case "//":
		return func(_ *exec, a, b value) value { return floorDivide(a, b) }
	}
	return func(_ *exec, a, b value) value { return power(a, b) }
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
		line := c.lineOf(n.at)
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
				mode := f.x.engine.options.Undefined
				if mode == UndefinedStrict {
					panic(runtimeError("'%s' object is not subscriptable", obj.typeName()))
				}
				parts := tupleValue(from(f), to(f), by(f))
				return (&missing{mode: mode, owner: ownerText(obj), element: "slice" + string(appendRepr(nil, parts)), slice: true}).value()
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

// settled is the value of a whole expression that is kept or decided by: there
// a cut through something without elements is an error at last.
func (c *compiler) settled(e expression, p place) evalFunc {
	get := c.eval(e, p)
	cuts := false
	walk(e, func(n any) bool {
		_, slice := n.(*sliceExpr)
		cuts = cuts || slice
		return true
	})
	if !cuts {
		return get
	}
	return func(f *frame) value {
		v := get(f)
		if v.kind == kindUndefined && v.undefined().slice {
			v.undefined().fail()
		}
		return v
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
	at    spot
	frame *frame
}

func (f *frame) beginCall(args argsFunc, at spot) openCall {
	x := f.x
	if at > 0 {
		x.at = at
	}
	o := openCall{base: len(x.stack), tpl: x.tpl, at: x.at, frame: f}
	if n := len(x.spare.args); n > 0 {
		o.args, x.spare.args = x.spare.args[n-1], x.spare.args[:n-1]
	} else {
		o.args = &callArgs{}
	}
	args(f, o.args)
	return o
}

func (o *openCall) end() {
	x := o.frame.x
	x.tpl, x.at = o.tpl, o.at
	x.stack = x.stack[:o.base]
	*o.args = callArgs{}
	x.spare.args = append(x.spare.args, o.args)
}

// call compiles a call; caller, if not nil, is passed as keyword too.
func (c *compiler) call(n *callExpr, p place, caller func(f *frame) value) evalFunc {
	return c.callBy(n, p, caller, callValue)
}

// printedCall compiles a call whose result is printed as HTML text: a macro
// or super() writes to the output itself and gives nothing.
func (c *compiler) printedCall(n *callExpr, p place) evalFunc {
	return c.callBy(n, p, nil, func(x *exec, fn value, a *callArgs) value {
		if fn.kind == kindObject {
			switch o := fn.object().(type) {
			case *macro:
				return o.run(x, a, true)
			case *blockRef:
				if o.ctx.eval.autoescape {
					noArguments("block "+o.name, a)
					o.ctx.renderBlock(o.name, o.level, extent{})
					return empty
				}
			}
		}
		return callValue(x, fn, a)
	})
}

// callBy compiles a call with the way to call.
func (c *compiler) callBy(n *callExpr, p place, caller func(f *frame) value, call func(x *exec, fn value, a *callArgs) value) evalFunc {
	args := c.arguments(&n.args, p)
	visible, at := p.assigned, n.at
	if m, ok := n.fn.(*attrExpr); ok && caller == nil {
		get := c.eval(m.obj, p)
		name := m.name
		return func(f *frame) value {
			obj := get(f)
			if obj.isUndefined() {
				f.x.at = m.at
				getAttr(f.x, obj, name)
			}
			o := f.beginCall(args, at)
			f.x.caller, f.x.visible = f, visible
			var v value
			if obj.kind == kindObject {
				v = call(f.x, getAttr(f.x, obj, name), o.args)
			} else {
				v = callMethod(f.x, obj, name, o.args)
			}
			o.end()
			return v
		}
	}
	get := c.eval(n.fn, p)
	return func(f *frame) value {
		fn := get(f)
		o := f.beginCall(args, at)
		if caller != nil {
			o.args.kw = append(o.args.kw, keyword{"caller", caller(f)})
		}
		f.x.caller, f.x.visible = f, visible
		v := call(f.x, fn, o.args)
		o.end()
		return v
	}
}
