package template

// output compiles a piece of text and printed expressions. What is known
// beforehand becomes one piece of text.
func (c *compiler) output(n *outputNode, p place) execFunc {
	if p.checkOutput && c.known {
		return nil
	}
	var code []execFunc
	var text []byte
	flush := func() {
		if len(text) > 0 {
			code = append(code, outputText(string(text)))
			text = nil
		}
	}
	for _, part := range n.parts {
		switch e := part.(type) {
		case dataText:
			text = append(text, e.text...)
			continue
		case constant:
			if c.engine.options.Finalize == nil {
				if p.escape == escapeOn || p.escape == escapeAsked && p.literal == escapeOn {
					text = appendHTML(text, e.v)
				} else {
					text = appendText(text, e.v)
				}
				continue
			}
		}
		flush()
		code = append(code, c.print(part, p, n.line))
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

func outputText(s string) execFunc {
	return func(f *frame) control {
		x := f.x
		x.out = append(x.out, s...)
		if len(x.out) > x.maxOutput {
			x.tooMuchOutput()
		}
		return goOn
	}
}

func (c *compiler) print(e expression, p place, line int) execFunc {
	get := c.eval(e, p)
	if final := c.engine.options.Finalize; final != nil {
		inner := get
		get = func(f *frame) value { return finalized(final, inner(f)) }
	}
	done := func(x *exec) control {
		if len(x.out) > x.maxOutput {
			x.tooMuchOutput()
		}
		return goOn
	}
	mode := p.escape
	if mode == escapeAsked && c.isConstant(e) && !filtered(e) {
		mode = p.literal // decided at compile time, like single literals
	}
	switch mode {
	case escapeOn:
		return func(f *frame) control {
			x := f.x
			x.line = line
			v := get(f)
			if v.kind == kindString {
				x.out = appendEscaped(x.out, v.str())
			} else {
				x.out = appendHTML(x.out, v)
			}
			return done(x)
		}
	case escapeOff:
		return func(f *frame) control {
			x := f.x
			x.line = line
			v := get(f)
			x.out = appendText(x.out, v)
			return done(x)
		}
	}
	return func(f *frame) control {
		x := f.x
		x.line = line
		v := get(f)
		if f.ctx.eval.autoescape {
			x.out = appendHTML(x.out, v)
		} else {
			x.out = appendText(x.out, v)
		}
		return done(x)
	}
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
		return fromAny(final(wrapped{v}))
	}
	return fromAny(final(v.toAny()))
}

// capture runs code and gives what it printed. A loop control leaving the code
// drops the output.
func capture(f *frame, run execFunc) (string, control) {
	start := len(f.x.out)
	ctl := run(f)
	s := string(f.x.out[start:])
	f.x.out = f.x.out[:start]
	return s, ctl
}

// safeHere tells whether captured text counts as safe, by the setting in
// force where the code stands or at run time.
func safeHere(f *frame, mode escapeMode) bool {
	return mode == escapeOn || mode == escapeAsked && f.ctx.eval.autoescape
}
