package template

import "strconv"

// output compiles a piece of text and printed expressions. What is known
// beforehand becomes one piece of text.
func (c *compiler) output(n *outputNode, p place) execFunc {
	if p.checkOutput && c.known {
		return nil
	}
	var code []execFunc
	text := []byte(p.before)
	flush := func() {
		if len(text) > 0 {
			code = append(code, outputText(string(text)))
			text = nil
		}
	}
	for i, part := range n.parts {
		escape := c.plan.escaper(n, i)
		switch e := part.(type) {
		case dataText:
			text = append(text, e.text...)
			continue
		case constant:
			if c.engine.options.Finalize == nil && escape == nil {
				if p.escape == escapeOn || p.escape == escapeAsked && p.literal == escapeOn {
					text = appendHTML(text, e.v)
				} else {
					text = appendText(text, e.v)
				}
				continue
			}
		case *callExpr:
			if at, ok := c.plan.inlined(e); ok {
				flush()
				code = append(code, c.printInline(e, p, at))
				continue
			}
		}
		code = append(code, c.print(part, p, n.at, escape, string(text)))
		text = nil
	}
	flush()
	var run execFunc
	switch len(code) {
	case 0:
		return nil
	case 1:
		run = code[0]
	default:
		run = func(f *frame) control {
			for _, e := range code {
				e(f)
			}
			return goOn
		}
	}
	if p.checkOutput || p.skips {
		inner := run
		run = func(f *frame) control {
			if p.checkOutput && f.root.parent != nil || p.skips && f.x.blocksOff {
				return goOn
			}
			return inner(f)
		}
	}
	return run
}

// joinsText reports whether the first two statements are a piece of text and
// a printed value, which are then written at once.
func joinsText(list []statement, p place) (before string, ok bool) {
	if len(list) < 2 || p.checkOutput || p.skips {
		return "", false
	}
	first, ok1 := list[0].(*outputNode)
	second, ok2 := list[1].(*outputNode)
	if !ok1 || !ok2 || len(first.parts) != 1 || len(second.parts) != 1 {
		return "", false
	}
	text, ok := first.parts[0].(dataText)
	return text.text, ok
}

func outputText(s string) execFunc {
	return func(f *frame) control {
		x := f.x
		x.out = append(x.out, s...)
		if len(x.out) > x.room {
			x.spill()
		}
		return goOn
	}
}

// print compiles a printed value, and the text before it.
func (c *compiler) print(e expression, p place, at spot, escape escaper, before string) execFunc {
	if call, ok := e.(*callExpr); ok && p.escape == escapeOn && escape == nil && c.engine.options.Finalize == nil {
		return c.printCall(c.printedCall(call, p), at, before)
	}
	get := c.eval(e, p)
	if final := c.engine.options.Finalize; final != nil {
		inner := get
		get = func(f *frame) value { return finalized(final, inner(f)) }
	}
	mode := p.escape
	if mode == escapeAsked && c.isConstant(e) && !filtered(e) {
		mode = p.literal // decided at compile time, like single literals
	}
	if escape != nil && mode != escapeOff {
		return func(f *frame) control {
			x := f.x
			x.at = at
			v := get(f)
			x.out = append(x.out, before...)
			if mode == escapeAsked && !f.ctx.eval.autoescape {
				x.out = appendText(x.out, v)
			} else {
				x.out = escape(x, x.out, v)
			}
			return x.written()
		}
	}
	switch mode {
	case escapeOn:
		return func(f *frame) control {
			x := f.x
			x.at = at
			v := get(f)
			out := append(x.out, before...)
			switch v.kind {
			case kindString:
				out = appendEscaped(out, v.str())
			case kindInt:
				out = strconv.AppendInt(out, v.int(), 10)
			default:
				out = appendHTML(out, v)
			}
			x.out = out
			return x.written()
		}
	case escapeOff:
		return func(f *frame) control {
			x := f.x
			x.at = at
			v := get(f)
			x.out = appendText(append(x.out, before...), v)
			return x.written()
		}
	}
	return func(f *frame) control {
		x := f.x
		x.at = at
		v := get(f)
		x.out = append(x.out, before...)
		if f.ctx.eval.autoescape {
			x.out = appendHTML(x.out, v)
		} else {
			x.out = appendText(x.out, v)
		}
		return x.written()
	}
}

// printCall prints what a call gives that may have written something itself.
func (c *compiler) printCall(call evalFunc, at spot, before string) execFunc {
	return func(f *frame) control {
		x := f.x
		x.at = at
		x.out = append(x.out, before...)
		v := call(f)
		x.out = appendHTML(x.out, v)
		return x.written()
	}
}

// written sees to it that there is room for more output.
func (x *exec) written() control {
	if len(x.out) > x.room {
		x.spill()
	}
	return goOn
}

// filtered reports whether an expression contains a filter or test.
func filtered(e expression) bool {
	found := false
	walk(e, func(n any) bool {
		switch n.(type) {
		case *filterExpr, *testExpr:
			found = true
		}
		return !found
	})
	return found
}

// finalized passes a value through the program's function before printing.
// Containers stay what they are unless the function replaces them.
func finalized(final func(any) any, v value) value {
	switch v.kind {
	case kindUndefined:
		return v
	case kindList:
		return fromAny(final(v.list()))
	case kindDict:
		return fromAny(final(v.dict()))
	case kindTuple, kindRange:
		return fromAny(final(Value{v}))
	}
	return fromAny(final(v.toAny()))
}

// capture runs code and gives what it printed. A loop control leaving the code
// drops the output.
func capture(f *frame, run execFunc, safe bool) (value, control) {
	x := f.x
	start := x.hold()
	ctl := run(f)
	v := x.keepText(x.out[start:], safe)
	x.takeBack(start)
	return v, ctl
}

// safeHere tells whether captured text counts as safe, by the setting in
// force where the code stands or at run time.
func safeHere(f *frame, mode escapeMode) bool {
	return mode == escapeOn || mode == escapeAsked && f.ctx.eval.autoescape
}
