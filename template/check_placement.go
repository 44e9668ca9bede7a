package template

// placements follows values and parts into the places they end up in: blocks
// where a parent has them, included templates where they are included.
func (c *checker) placements() {
	c.included = map[string]bool{}
	for _, name := range c.names {
		if s := c.sources[name]; s != nil {
			walkAll(s.body, func(n any) {
				if i, ok := n.(*includeNode); ok {
					names, _ := templateNames(i.template)
					for _, name := range names {
						c.included[name] = true
					}
				}
			})
		}
	}
	p := &placer{checker: c, seen: map[placed]bool{}}
	for _, name := range c.names {
		// What others include need not be fit for anything else.
		if s := c.sources[name]; s != nil && s.contextual && !c.included[name] {
			p.template(s, extent{})
		}
	}
}

type placer struct {
	*checker
	seen map[placed]bool
}

// placed is a template, or a block of it as seen from the template that is
// rendered, in a place.
type placed struct {
	in    *checked
	block string
	at    extent
}

// template checks a template, with those it extends, in a place.
func (p *placer) template(s *checked, at extent) {
	if p.seen[placed{s, "", at}] {
		return
	}
	p.seen[placed{s, "", at}] = true
	for _, t := range s.chain() {
		plan := newPlan()
		p.failed(plan.add(t.Template, t.body, at, "the template", 1))
		p.follow(s, plan, "")
	}
}

// follow goes on with the parts of what was planned in the page of s.
func (p *placer) follow(s *checked, plan *plan, within string) {
	for n, at := range plan.blocks {
		p.block(s, n.name, at)
	}
	for call, at := range plan.inline {
		switch fn := call.fn.(type) {
		case *attrExpr:
			if obj, ok := fn.obj.(*nameExpr); ok && obj.name == "self" {
				p.block(s, fn.name, at)
			}
		case *nameExpr:
			if fn.name == "super" && within != "" {
				p.block(s, within, at)
			}
		}
	}
	for n, at := range plan.includes {
		names, _ := templateNames(n.template)
		for _, name := range names {
			if t := p.source(name); t != nil {
				p.template(t, at)
			}
		}
	}
}

// block checks all versions of a block in the page of s.
func (p *placer) block(s *checked, name string, at extent) {
	if p.seen[placed{s, name, at}] {
		return
	}
	p.seen[placed{s, name, at}] = true
	for _, t := range s.chain() {
		if n := t.blocks[name]; n != nil && t.contextual {
			plan := newPlan()
			p.failed(plan.add(t.Template, n.body, at, "the block '"+name+"'", n.at))
			p.follow(s, plan, name)
		}
	}
}

func (p *placer) failed(e *Error) {
	if e != nil {
		p.reportError(e)
	}
}
