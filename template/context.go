package template

import (
	"maps"
	"slices"
	"sync/atomic"
)

// runContext is what a template sees of the world while it runs: what its own
// top level assigned, what was in reach where it was included, the render's
// data, and the globals. It also knows which blocks override which.
type runContext struct {
	x        *exec
	vars     map[string]value
	exported map[string]bool
	// frozen says that a derived context holds vars, so that the next
	// assignment must not be seen by it; handed is vars as such a layer.
	frozen bool
	handed *layer
	outer  *layer
	data   bool // false for what is imported without context
	blocks map[string][]*block
	table  *blockTable // where blocks come from
	eval   *evalContext

	// An included template's context has these in itself, so that including
	// takes no memory; it is used again unless something keeps it.
	ownEval evalContext
	live    layer
	kept    bool
}

// layer is a set of names handed down to an included template: a map, or the
// local names of the frame that the include stands in, which does not run on
// before the included template has ended.
type layer struct {
	vars   map[string]value
	frame  *frame
	depth  int
	locals *nameList
	next   *layer
}

func (l *layer) get(name string) (value, bool) {
	if l.frame == nil {
		v, ok := l.vars[name]
		return v, ok
	}
	return l.locals.value(l.frame, l.depth, name)
}

// frozenCopy gives the layers with the values they have now.
func (l *layer) frozenCopy() *layer {
	if l == nil {
		return nil
	}
	vars := l.vars
	if l.frame != nil {
		vars = l.locals.values(l.frame, l.depth)
	}
	return &layer{vars: vars, next: l.next.frozenCopy()}
}

// evalContext is the autoescape setting at run time, which filters and macros
// ask for; it is shared by all contexts derived from one.
type evalContext struct{ autoescape bool }

// context makes the context of a template that is about to run.
func (t *Template) context(x *exec, outer *layer, data bool) *runContext {
	ctx := &runContext{}
	t.prepare(ctx, x, outer, data)
	return ctx
}

func (t *Template) prepare(ctx *runContext, x *exec, outer *layer, data bool) {
	ctx.x, ctx.outer, ctx.data = x, outer, data
	ctx.ownEval.autoescape = t.autoescape
	ctx.eval = &ctx.ownEval
	if t.table != nil {
		ctx.table, ctx.blocks = t.table, t.table.blocks
	}
}

// included makes the context of a template included in frame f, where vars
// are the local names.
func (t *Template) included(f *frame, depth int, vars *nameList) *runContext {
	x := f.x
	var ctx *runContext
	if n := len(x.spare.contexts); n > 0 {
		ctx, x.spare.contexts = x.spare.contexts[n-1], x.spare.contexts[:n-1]
	} else {
		ctx = &runContext{}
	}
	outer := f.ctx.handDown(nil)
	if vars != nil {
		ctx.live = layer{frame: f, depth: depth, locals: vars, next: outer}
		outer = &ctx.live
	}
	t.prepare(ctx, x, outer, f.ctx.data)
	return ctx
}

// release ends the use of an included template's context.
func (c *runContext) release() {
	if !c.kept {
		x := c.x
		*c = runContext{}
		x.spare.contexts = append(x.spare.contexts, c)
	}
}

// keep is called when something may outlive the template's run that refers to
// its context.
func (c *runContext) keep() {
	if !c.kept {
		c.kept, c.handed, c.x.lent = true, nil, true
		c.outer = c.outer.frozenCopy()
	}
}

func (c *runContext) lookup(name string) (value, bool) {
	if v, ok := c.vars[name]; ok {
		return v, true
	}
	for l := c.outer; l != nil; l = l.next {
		if v, ok := l.get(name); ok {
			return v, true
		}
	}
	if c.data {
		if v, ok := c.x.dataVar(name); ok {
			return v, true
		}
	}
	return c.x.global(name)
}

func (c *runContext) set(name string, v value) {
	switch {
	case c.vars == nil:
		c.vars = map[string]value{}
	case c.frozen:
		c.vars = maps.Clone(c.vars)
	}
	c.frozen, c.handed = false, nil
	c.vars[name] = v
}

func (c *runContext) export(name string, on bool) {
	if name[0] == '_' {
		return
	}
	if !on {
		delete(c.exported, name)
		return
	}
	if c.exported == nil {
		c.exported = map[string]bool{}
	}
	c.exported[name] = true
}

// handDown gives the names in reach as a layer for another template.
func (c *runContext) handDown(locals map[string]value) *layer {
	l := c.outer
	if len(c.vars) > 0 {
		if c.handed == nil {
			c.frozen, c.handed = true, &layer{vars: c.vars, next: l}
		}
		l = c.handed
	}
	if len(locals) > 0 {
		l = &layer{vars: locals, next: l}
	}
	return l
}

// derive makes the context of a scoped block: the same, with the local names.
func (c *runContext) derive(locals map[string]value) *runContext {
	if len(locals) == 0 && len(c.vars) == 0 {
		return c
	}
	c.keep()
	return &runContext{x: c.x, outer: c.handDown(locals), data: c.data, blocks: c.blocks, table: c.table, eval: c.eval, kept: true}
}

// names collects everything in reach, for the debug tag.
func (c *runContext) names() *Dict {
	d := c.x.globalNames()
	if c.data {
		c.x.dataNames(d)
	}
	var layers []*layer
	for l := c.outer.frozenCopy(); l != nil; l = l.next {
		layers = append(layers, l)
	}
	for i := len(layers) - 1; i >= 0; i-- {
		for k, v := range layers[i].vars {
			d.set(stringValue(k), v)
		}
	}
	for k, v := range c.vars {
		d.set(stringValue(k), v)
	}
	return d
}

// blockTable says which version of each block comes first and what super
// leads to, for a template and those it extends. It is the same in each render,
// so it is made once for each chain of templates.
type blockTable struct {
	blocks map[string][]*block
	next   atomic.Pointer[extension]
}

// extension is the table for the chain with one more template.
type extension struct {
	parent *Template
	table  *blockTable
}

// newBlockTable is the table of a template alone.
func (t *Template) newBlockTable() *blockTable {
	if len(t.blocks) == 0 && !t.hasBase {
		return nil
	}
	table := &blockTable{blocks: make(map[string][]*block, len(t.blocks))}
	for name, b := range t.blocks {
		table.blocks[name] = []*block{b}
	}
	return table
}

// inherit adds the blocks of a template behind those that override them.
func (c *runContext) inherit(t *Template) {
	if e := c.table.next.Load(); e != nil && e.parent == t {
		c.table, c.blocks = e.table, e.table.blocks
		return
	}
	table := &blockTable{blocks: maps.Clone(c.blocks)}
	for name, b := range t.blocks {
		table.blocks[name] = append(slices.Clip(table.blocks[name]), b)
	}
	c.table.next.Store(&extension{t, table})
	c.table, c.blocks = table, table.blocks
}
