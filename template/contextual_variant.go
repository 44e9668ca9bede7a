package template

import "sync"

// variants are the versions of a template or block for the places it was met
// in. How many there are is bounded by the program's templates.
type variants[T any] struct {
	mu    sync.RWMutex
	known map[extent]T
}

// get gives the version for a place, made at the first call.
func (v *variants[T]) get(at extent, make func() T) T {
	v.mu.RLock()
	t, ok := v.known[at]
	v.mu.RUnlock()
	if ok {
		return t
	}
	t = make()
	v.mu.Lock()
	defer v.mu.Unlock()
	if other, ok := v.known[at]; ok {
		return other
	}
	if v.known == nil {
		v.known = map[extent]T{}
	}
	v.known[at] = t
	return t
}

// in is the template as it must be where another one needs it. A template that
// is not escaped by its name is, when it becomes a part of one that is.
func (t *Template) in(at extent) *Template {
	if t.contextual && t.extent == at {
		return t
	}
	if t.part != "" {
		return t.whole.partAt(t.part, at)
	}
	return t.variants.get(at, func() *Template {
		v := &Template{
			engine: t.engine, name: t.name, path: t.path, source: t.source,
			autoescape: true, contextual: true, extent: at,
		}
		body, _ := parse(t.engine, t.source)
		v.compile(body, true)
		v.table = v.newBlockTable()
		return v
	})
}

// in is the block as it must be in a place.
func (b *block) in(at extent) *block {
	if b.extent == at && b.failure == nil || !b.template.contextual {
		return b
	}
	if b.extent != at {
		b = b.variants.get(at, func() *block { return b.compiledFor(at) })
	}
	if b.failure != nil {
		panic(b.failure)
	}
	return b
}

func (b *block) compiledFor(at extent) *block {
	t := b.template
	body, _ := parse(t.engine, t.source)
	c := newCompiler(t, body)
	c.plan = newPlan()
	n := c.blocks[b.name]
	failure := c.plan.add(t, n.body, at, "the block '"+b.name+"'", n.at)
	v := c.block(n, escapeOn)
	v.extent, v.failure = at, failure
	return v
}

// placedBlock compiles a block for where its own template has it. A block of a
// template that extends another stands where that one says, which is found out
// when they meet; until then it is taken to be in text, as most are.
func (c *compiler) placedBlock(n *blockNode, escape escapeMode) *block {
	if c.plan == nil {
		return c.block(n, escape)
	}
	at, placed := c.plan.blocks[n]
	var failure *Error
	if !placed {
		failure = c.plan.add(c.tpl, n.body, at, "the block '"+n.name+"'", n.at)
	}
	b := c.block(n, escape)
	b.extent, b.failure = at, failure
	return b
}

func (p *plan) blockAt(n *blockNode) extent {
	if p == nil {
		return extent{}
	}
	return p.blocks[n]
}

func (p *plan) includeAt(n *includeNode) extent {
	if p == nil {
		return extent{}
	}
	return p.includes[n]
}

func (p *plan) inlined(n *callExpr) (at extent, ok bool) {
	if p == nil {
		return extent{}, false
	}
	at, ok = p.inline[n]
	return at, ok
}

// captured gives the code that writes what a call or filter block has made. By
// Jinja's rules that is written as it is, even if it is no markup.
func (c *compiler) captured(n statement, p place) func(f *frame, v value) {
	if c.plan == nil || p.escape == escapeOff {
		return func(f *frame, v value) { f.x.writeString(v) }
	}
	escape := c.plan.captured[n]
	if escape == nil {
		escape = func(_ *exec, dst []byte, v value) []byte { return appendHTML(dst, v) }
	}
	return func(f *frame, v value) {
		x := f.x
		if p.escape == escapeAsked && !f.ctx.eval.autoescape {
			x.writeString(v)
			return
		}
		x.out = escape(x, x.out, v)
		x.written()
	}
}

// printInline compiles {{ super() }}, {{ self.name() }} or {{ loop(…) }} where
// what it prints is made for the place and must not be escaped for it.
func (c *compiler) printInline(n *callExpr, p place, at extent) execFunc {
	callee, call := c.eval(n.fn, p), c.eval(n, p)
	return func(f *frame) control {
		f.x.at = n.at
		fn := callee(f)
		if fn.kind == kindObject {
			switch o := fn.object().(type) {
			case *blockRef:
				o.ctx.renderBlock(o.name, o.level, at)
				return goOn
			case *loopState:
				f.x.writeString(call(f))
				return goOn
			}
		}
		call(f) // fails if it is undefined
		panic(runtimeError("super, self and loop cannot be names of one's own where they are printed into a script, style or tag"))
	}
}
