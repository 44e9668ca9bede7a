package template

import "maps"

// runContext is what a template sees of the world while it runs: what its own
// top level assigned, what was in reach where it was included, the render's
// data, and the globals. It also knows which blocks override which.
type runContext struct {
	x        *exec
	vars     map[string]value
	exported map[string]bool
	// frozen says that a derived context holds vars, so that the next
	// assignment must not be seen by it.
	frozen bool
	outer  *layer
	data   bool // false for what is imported without context
	blocks map[string][]*block
	eval   *evalContext
}

// layer is a set of names handed down to an included template.
type layer struct {
	vars map[string]value
	next *layer
}

// evalContext is the autoescape setting at run time, which filters and macros
// ask for; it is shared by all contexts derived from one.
type evalContext struct{ autoescape bool }

func (c *runContext) lookup(name string) (value, bool) {
	if v, ok := c.vars[name]; ok {
		return v, true
	}
	for l := c.outer; l != nil; l = l.next {
		if v, ok := l.vars[name]; ok {
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
	c.frozen = false
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
		c.frozen = true
		l = &layer{c.vars, l}
	}
	if len(locals) > 0 {
		l = &layer{locals, l}
	}
	return l
}

// derive makes the context of a scoped block: the same, with the local names.
func (c *runContext) derive(locals map[string]value) *runContext {
	if len(locals) == 0 && len(c.vars) == 0 {
		return c
	}
	return &runContext{x: c.x, outer: c.handDown(locals), data: c.data, blocks: c.blocks, eval: c.eval}
}

// names collects everything in reach, for the debug tag.
func (c *runContext) names() *Dict {
	d := c.x.globalNames()
	if c.data {
		c.x.dataNames(d)
	}
	var layers []*layer
	for l := c.outer; l != nil; l = l.next {
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
