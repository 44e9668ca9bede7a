package template

// macroCode is a compiled macro or call block.
type macroCode struct {
	name     string // empty for a call block
	template *Template
	at       spot
	fn       *function
	params   []macroParam
	// Slots of the special names, or -1 where the body does not mention them.
	caller, kwargs, varargs int
	// ownCaller says that the parameter list has a caller of its own.
	ownCaller bool
	enter     func(f *frame)
	body      execFunc
}

type macroParam struct {
	name     string
	slot     int
	fallback evalFunc // nil if there is no default
}

// macroBody compiles the function of a macro or call block.
func (c *compiler) macroBody(n *macroNode, p place) *macroCode {
	in := p.innerFunction()
	in.checkOutput = false
	m := &macroCode{name: n.name, template: c.tpl, at: n.at, fn: in.scope.fn, caller: -1, kwargs: -1, varargs: -1}
	declared := map[string]int{}
	for i, a := range n.params {
		slot := in.scope.parameter(a.name).slot
		m.params = append(m.params, macroParam{name: a.name, slot: slot})
		declared[a.name] = i
	}
	special := c.bodyFacts(n.body)
	if special.reads(nameCaller) {
		if i, ok := declared["caller"]; ok {
			if i < len(n.params)-len(n.defaults) {
				c.fail("the special argument 'caller' must be left out of the parameters or have a default")
			}
			m.ownCaller = true
		} else {
			m.caller = in.scope.parameter("caller").slot
		}
	}
	if _, ok := declared["kwargs"]; !ok && special.reads(nameKwargs) {
		m.kwargs = in.scope.parameter("kwargs").slot
	}
	if _, ok := declared["varargs"]; !ok && special.reads(nameVarargs) {
		m.varargs = in.scope.parameter("varargs").slot
	}
	for _, d := range n.defaults {
		in.scope.visit(d)
	}
	in.scope.analyze(n.body)
	first := len(n.params) - len(n.defaults)
	for i, d := range n.defaults {
		m.params[first+i].fallback = c.eval(d, in)
	}
	m.body = c.body(n.body, in)
	m.enter = c.enter(in)
	return m
}

func (c *compiler) macro(n *macroNode, p place) execFunc {
	code := c.macroBody(n, p)
	r, _ := p.scope.find(n.name)
	slot, up := r.slot, p.scope.fn.depth-r.fn.depth
	return func(f *frame) control {
		f.keep()
		m := objectValue(&macro{code: code, home: f})
		f.up(up).slots[slot] = m
		if p.toplevel {
			f.ctx.set(n.name, m)
			f.ctx.export(n.name, true)
		}
		return goOn
	}
}

func (c *compiler) callBlock(n *callNode, p place) execFunc {
	code := c.macroBody(n.macro, p)
	call := c.call(n.call, p, func(f *frame) value {
		f.keep()
		return objectValue(&macro{code: code, home: f})
	})
	write := c.captured(n, p)
	return func(f *frame) control {
		if p.skips && f.x.blocksOff {
			return goOn
		}
		f.x.at = n.at
		write(f, call(f))
		return goOn
	}
}

// macro is a macro as a value: the code, and the frame it was defined in.
type macro struct {
	code *macroCode
	home *frame
}

func (m *macro) typeName() string { return "Macro" }

func (m *macro) appendText(dst []byte) []byte {
	if m.code.name == "" {
		return append(dst, "<Macro anonymous>"...)
	}
	dst = append(dst, "<Macro "...)
	return append(appendQuoted(dst, m.code.name), '>')
}

func (m *macro) attr(_ *exec, name string) (value, bool) {
	switch name {
	case "name":
		if m.code.name == "" {
			return none, true
		}
		return stringValue(m.code.name), true
	case "arguments":
		items := make([]value, len(m.code.params))
		for i, p := range m.code.params {
			items[i] = stringValue(p.name)
		}
		return tupleValue(items...), true
	case "catch_kwargs":
		return boolValue(m.code.kwargs >= 0), true
	case "catch_varargs":
		return boolValue(m.code.varargs >= 0), true
	case "caller":
		return boolValue(m.code.caller >= 0 || m.code.ownCaller), true
	case "explicit_caller":
		return boolValue(m.code.ownCaller), true
	}
	return value{}, false
}

// call binds the arguments and renders the body. The result is safe if
// autoescape is on where the call stands.
func (m *macro) call(x *exec, a *callArgs) value { return m.run(x, a, false) }

// run is call; with print a result that is safe is left in the output.
func (m *macro) run(x *exec, a *callArgs, print bool) value {
	code := m.code
	f := x.newFrame(m.home.ctx, m.home, code.fn.slots)
	m.bind(x, f, a)
	safe := m.home.ctx.eval.autoescape
	if x.caller != nil {
		safe = x.caller.ctx.eval.autoescape
	}
	x.enter()
	x.push(code.template, code.at)
	if code.enter != nil {
		code.enter(f)
	}
	for i := range code.params {
		p := &code.params[i]
		if f.slots[p.slot].kind != kindMissing {
			continue
		}
		if p.fallback != nil {
			f.slots[p.slot] = p.fallback(f)
			continue
		}
		f.slots[p.slot] = missingHint(x.engine.options.Undefined, p.name, "parameter '"+p.name+"' was not provided")
	}
	out := empty
	if print && safe {
		code.body(f)
	} else {
		out, _ = capture(f, code.body, safe)
	}
	f.release()
	x.pop()
	x.leave()
	return out
}

func (m *macro) bind(x *exec, f *frame, a *callArgs) {
	code := m.code
	kw := a.kw
	take := func(name string) (value, bool) {
		for i := range kw {
			if kw[i].name == name {
				v := kw[i].v
				kw = append(append([]keyword(nil), kw[:i]...), kw[i+1:]...)
				return v, true
			}
		}
		return value{}, false
	}
	found := code.ownCaller && len(a.pos) >= len(code.params)
	for i, p := range code.params {
		v := value{kind: kindMissing}
		if i < len(a.pos) {
			v = a.pos[i]
		} else {
			if k, ok := take(p.name); ok {
				v = k
			}
			found = found || p.name == "caller"
		}
		f.slots[p.slot] = v
	}
	if code.caller >= 0 && !found {
		v, ok := take("caller")
		if !ok || v.kind == kindNone {
			v = missingHint(x.engine.options.Undefined, "caller", "no caller defined: this macro must be used with {% call %}")
		}
		f.slots[code.caller] = v
	}
	switch {
	case code.kwargs >= 0:
		d := NewDict()
		for _, k := range kw {
			d.set(stringValue(k.name), k.v)
		}
		f.slots[code.kwargs] = dictValue(d)
	case len(kw) > 0:
		if kw[0].name == "caller" {
			panic(runtimeError("macro '%s' does not use caller(), so it cannot be used with a call block", code.name))
		}
		panic(runtimeError("macro '%s' takes no keyword argument '%s'", code.name, kw[0].name))
	}
	rest := a.pos[min(len(code.params), len(a.pos)):]
	switch {
	case code.varargs >= 0:
		f.slots[code.varargs] = tupleValue(append([]value(nil), rest...)...)
	case len(rest) > 0:
		panic(runtimeError("macro '%s' takes not more than %d arguments", code.name, len(code.params)))
	}
}
