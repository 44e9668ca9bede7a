package template

import (
	"fmt"
	"strings"
)

// A template is compiled to closures: expressions give a value, statements
// append to the render's buffer and say how to go on.
type (
	evalFunc func(f *frame) value
	execFunc func(f *frame) control
)

// control says what follows a statement.
type control uint8

const (
	goOn control = iota
	breakLoop
	continueLoop
)

// maxDepth bounds how deep the closures of one template call each other; with
// the render's depth limit it keeps the stack small.
const maxDepth = 1400

// block is one template's version of a block.
type block struct {
	name     string
	template *Template
	body     execFunc
	slots    int
	super    int // slot of super, or -1
	self     int // slot of self, or -1

	// Where the block was compiled for, why it cannot stand there, and the
	// versions of it for other places.
	extent   extent
	failure  *Error
	variants variants[*block]
}

type escapeMode uint8

const (
	escapeOff escapeMode = iota
	escapeOn
	escapeAsked // decided at run time
)

// place is where in its template a piece of code stands.
type place struct {
	scope *scope
	// toplevel is true at the top level and in conditions there; there
	// assignments reach the context.
	toplevel bool
	// rootlevel is true at the top level outside of conditions.
	rootlevel bool
	// checkOutput says that output must be left out once the template has
	// been found to extend another.
	checkOutput bool
	// lenient is true in conditions, where unknown filters fail only when run.
	lenient bool
	escape  escapeMode
	// literal is the setting that holds for literals where escape is decided
	// at run time: the one around.
	literal escapeMode
	// assigned collects the names assigned in a loop's or block's body, which
	// functions with access to the context can see.
	assigned *[]localVar
	inLoop   bool // break and continue are allowed
	// skips says that the code only prints, at the top level of a template with
	// blocks, and so is left out when one of the blocks is rendered alone.
	skips bool
	// before is text to be written before what is printed there.
	before string
}

// inner is the place in a scope of its own.
func (p place) inner() place {
	return place{scope: newScope(p.scope, p.scope.fn), checkOutput: p.checkOutput, escape: p.escape, literal: p.literal, inLoop: p.inLoop, skips: p.skips}
}

// innerFunction is the place in a function of its own.
func (p place) innerFunction() place {
	fn := &function{depth: p.scope.fn.depth + 1}
	return place{scope: newScope(p.scope, fn), checkOutput: p.checkOutput, escape: p.escape, literal: p.literal}
}

// conditional is the place in a condition.
func (p place) conditional() place {
	p.rootlevel, p.lenient = false, true
	return p
}

// compiler turns the tree of one template into closures.
type compiler struct {
	engine   *Engine
	tpl      *Template
	at       spot
	depth    int
	hasBase  bool // the template contains extends
	extends  int  // extends tags so far
	known    bool // one of them runs in any case
	blocks   map[string]*blockNode
	ordered  []string
	rootSelf int
	errs     []*Error
	facts    map[any]facts
	// counted is how far lines have been counted.
	counted spot
	lines   int
	plan    *plan // nil unless values are escaped by context
}

// compile fills in the template and gives the errors found on the way.
func (t *Template) compile(body []statement, autoescape bool) []*Error {
	c := newCompiler(t, body)
	if t.contextual {
		c.plan = newPlan()
		t.failure = c.plan.add(t, body, t.extent, "the template", 1)
	}
	p := place{toplevel: true, rootlevel: true, checkOutput: c.hasBase, skips: c.hasBase || len(c.blocks) > 0}
	if autoescape {
		p.escape = escapeOn
	}
	p.scope = newScope(nil, &function{})
	if c.bodyFacts(body).reads(nameSelf) {
		c.rootSelf = p.scope.parameter("self").slot
	}
	p.scope.analyze(body)
	code := c.body(body, p)
	enter := c.enter(p)
	t.main, t.mainSelf, t.hasBase = c.joined(enter, code), c.rootSelf, c.hasBase
	escape := p.escape
	t.blocks = make(map[string]*block, len(c.blocks))
	t.order = c.ordered
	for _, name := range c.ordered {
		t.blocks[name] = c.placedBlock(c.blocks[name], escape)
	}
	t.slots = p.scope.fn.slots
	return c.errs
}

func newCompiler(t *Template, body []statement) *compiler {
	c := &compiler{engine: t.engine, tpl: t, blocks: map[string]*blockNode{}, rootSelf: -1}
	for _, s := range body {
		walk(s, func(n any) bool {
			switch n := n.(type) {
			case *blockNode:
				if n.partial == partialUse {
					return true
				}
				if _, twice := c.blocks[n.name]; twice {
					c.note(&Error{Kind: Syntax, at: n.at, Message: "block '" + n.name + "' defined twice"})
					return true
				}
				c.blocks[n.name] = n
				c.ordered = append(c.ordered, n.name)
			case *extendsNode:
				c.hasBase = true
			}
			return true
		})
	}
	return c
}

func (c *compiler) note(e *Error) {
	if len(c.errs) < maxSyntaxErrors {
		c.errs = append(c.errs, e)
	}
}

// compiled is statement, with errors noted instead of thrown.
func (c *compiler) compiled(s statement, p place) (run execFunc) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			c.note(e)
		}
	}()
	return c.statement(s, p)
}

func (c *compiler) block(n *blockNode, escape escapeMode) *block {
	b := &block{name: n.name, template: c.tpl, super: -1, self: -1}
	p := place{scope: newScope(nil, &function{}), escape: escape, assigned: new([]localVar)}
	names := c.bodyFacts(n.body)
	if names.reads(nameSelf) {
		b.self = p.scope.parameter("self").slot
	}
	if names.reads(nameSuper) {
		b.super = p.scope.parameter("super").slot
	}
	p.scope.analyze(n.body)
	code := c.body(n.body, p)
	b.body = c.joined(c.enter(p), code)
	b.slots = p.scope.fn.slots
	return b
}

func (c *compiler) fail(format string, args ...any) {
	panic(&Error{Kind: Syntax, at: c.at, Message: fmt.Sprintf(format, args...)})
}

// lineOf is the line of a spot. Most are asked for in order.
func (c *compiler) lineOf(at spot) int {
	if at < c.counted || c.counted == 0 {
		c.counted, c.lines = 1, 1
	}
	c.lines += strings.Count(c.tpl.source[c.counted-1:at-1], "\n")
	c.counted = at
	return c.lines
}

func (c *compiler) deeper() {
	c.depth++
	if c.depth > maxDepth {
		c.fail("the template is too complex: more than %d expressions inside each other", maxDepth)
	}
}

// enter gives the code that prepares the slots of a scope; nil if none is needed.
func (c *compiler) enter(p place) func(f *frame) {
	s := p.scope
	type copied struct {
		slot, up, from int
		name           string
	}
	var missing, lazy []int
	var copies []copied
	for _, name := range s.order {
		l, slot := s.loads[name], s.slots[name]
		switch l.kind {
		case loadMissing:
			missing = append(missing, slot)
		case loadResolve:
			if c.tpl.lookups != nil {
				c.tpl.lookups[name] = true
			}
			if s.stored(name) {
				lazy = append(lazy, slot)
			}
		case loadOuter:
			copies = append(copies, copied{slot, s.fn.depth - l.outer.fn.depth, l.outer.slot, name})
		}
	}
	if len(missing)+len(lazy)+len(copies) == 0 {
		return nil
	}
	return func(f *frame) {
		for _, i := range missing {
			f.slots[i] = value{kind: kindMissing}
		}
		for _, i := range lazy {
			f.slots[i] = value{}
		}
		for _, cp := range copies {
			v, ok := f.up(cp.up).peek(cp.from, cp.name)
			if !ok {
				v = value{kind: kindMissing}
			}
			f.slots[cp.slot] = v
		}
	}
}

func (c *compiler) joined(enter func(f *frame), code execFunc) execFunc {
	if enter == nil {
		return code
	}
	return func(f *frame) control {
		enter(f)
		return code(f)
	}
}

// body compiles statements in the place they stand in.
func (c *compiler) body(list []statement, p place) execFunc {
	c.deeper()
	defer func() { c.depth-- }()
	code := make([]execFunc, 0, len(list))
	for i := 0; i < len(list); i++ {
		at := p
		if before, ok := joinsText(list[i:], p); ok {
			at.before = before
			i++
		}
		if e := c.compiled(list[i], at); e != nil {
			code = append(code, e)
		}
	}
	switch len(code) {
	case 0:
		return func(*frame) control { return goOn }
	case 1:
		return code[0]
	case 2:
		first, second := code[0], code[1]
		return func(f *frame) control {
			if ctl := first(f); ctl != goOn {
				return ctl
			}
			return second(f)
		}
	}
	return func(f *frame) control {
		for _, run := range code {
			if ctl := run(f); ctl != goOn {
				return ctl
			}
		}
		return goOn
	}
}

func (c *compiler) statement(s statement, p place) execFunc {
	switch n := s.(type) {
	case *outputNode:
		c.at = n.at
		return c.output(n, p)
	case *forNode:
		c.at = n.at
		return c.forLoop(n, p)
	case *ifNode:
		return c.ifElse(n, p)
	case *setNode:
		c.at = n.at
		return c.set(n, p)
	case *setBlockNode:
		c.at = n.at
		return c.setBlock(n, p)
	case *macroNode:
		c.at = n.at
		return c.macro(n, p)
	case *callNode:
		c.at = n.at
		return c.callBlock(n, p)
	case *filterNode:
		c.at = n.at
		return c.filterBlock(n, p)
	case *withNode:
		c.at = n.at
		return c.with(n, p)
	case *blockNode:
		c.at = n.at
		return c.blockRef(n, p)
	case *extendsNode:
		c.at = n.at
		return c.extend(n, p)
	case *includeNode:
		c.at = n.at
		return c.include(n, p)
	case *importNode:
		c.at = n.at
		return c.importAs(n, p)
	case *fromImportNode:
		c.at = n.at
		return c.fromImport(n, p)
	case *settingNode:
		c.at = n.at
		return c.setting(n, p)
	case *autoescapeNode:
		c.at = n.at
		return c.autoescape(n, p)
	case *doNode:
		c.at = n.at
		return c.do(n, p)
	case *loopControlNode:
		c.at = n.at
		if !p.inLoop {
			c.fail("break and continue can only be used in a loop")
		}
		ctl := continueLoop
		if n.stop {
			ctl = breakLoop
		}
		return func(*frame) control { return ctl }
	case *debugNode:
		c.at = n.at
		return c.debug(p)
	}
	panic(fmt.Sprintf("template: no code for %T", s))
}

// read gives the code that reads a name at a place.
func (c *compiler) read(name string, p place) evalFunc {
	r, ok := p.scope.find(name)
	if !ok {
		p.scope.load(name)
		r, _ = p.scope.find(name)
	}
	slot := r.slot
	undefined := missingName(c.engine.options.Undefined, name)
	switch up := p.scope.fn.depth - r.fn.depth; up {
	case 0:
		return func(f *frame) value {
			if v := f.slots[slot]; v.kind > kindMissing {
				return v
			}
			return f.resolve(slot, name, undefined)
		}
	default:
		return func(f *frame) value {
			g := f.up(up)
			if v := g.slots[slot]; v.kind > kindMissing {
				return v
			}
			return g.resolve(slot, name, undefined)
		}
	}
}

// assign gives the code that assigns to a target. With export the names go to
// the context too if the place is the top level.
func (c *compiler) assign(target expression, p place, export bool) func(f *frame, v value) {
	switch t := target.(type) {
	case *nameExpr:
		r, ok := p.scope.find(t.name)
		if !ok {
			p.scope.store(t.name)
			r, _ = p.scope.find(t.name)
		}
		slot, up, name := r.slot, p.scope.fn.depth-r.fn.depth, t.name
		if export && p.assigned != nil {
			// Functions that look at the context see the name once it has been
			// assigned, so the assignment is noted in a slot of its own.
			shadow := p.scope.define("="+name, load{kind: loadMissing})
			*p.assigned = append(*p.assigned, localVar{name, shadow})
			return func(f *frame, v value) {
				f.up(up).slots[slot] = v
				f.slots[shadow.slot] = v
			}
		}
		if export && p.toplevel {
			return func(f *frame, v value) {
				f.slots[slot] = v
				f.ctx.set(name, v)
				f.ctx.export(name, true)
			}
		}
		if up == 0 {
			return func(f *frame, v value) { f.slots[slot] = v }
		}
		return func(f *frame, v value) { f.up(up).slots[slot] = v }
	case *namespaceRef:
		read := c.read(t.name, p)
		return func(f *frame, v value) {
			namespaceOf(read(f)).attrs.set(stringValue(t.attr), v)
		}
	case *tupleExpr:
		parts := make([]func(*frame, value), len(t.items))
		for i, it := range t.items {
			parts[i] = c.assign(it, p, export)
		}
		return func(f *frame, v value) {
			if v.isSequence() && len(v.list().items) == len(parts) {
				items := v.list().items
				for i, set := range parts {
					set(f, items[i])
				}
				return
			}
			var cur cursor
			if !cur.tryStart(f.x, v) {
				panic(runtimeError("cannot unpack non-iterable %s", v.typeName()))
			}
			defer cur.stop()
			items := make([]value, 0, len(parts))
			for {
				e, ok := cur.next()
				if !ok {
					break
				}
				if len(items) == len(parts) {
					panic(runtimeError("too many values to unpack (expected %d)", len(parts)))
				}
				items = append(items, e)
			}
			if len(items) < len(parts) {
				panic(runtimeError("not enough values to unpack (expected %d, got %d)", len(parts), len(items)))
			}
			for i, set := range parts {
				set(f, items[i])
			}
		}
	}
	c.fail("cannot assign to that")
	return nil
}
