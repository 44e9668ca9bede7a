package template

import (
	"slices"
	"strings"
)

// templateNames gives the names an expression can stand for; known is false if
// it depends on data.
func templateNames(e expression) (names []string, known bool) {
	list := func(items []expression) ([]string, bool) {
		for _, it := range items {
			n, ok := templateNames(it)
			if !ok {
				return nil, false
			}
			names = append(names, n...)
		}
		return names, true
	}
	switch n := e.(type) {
	case constant:
		if n.v.isString() {
			return []string{n.v.str()}, true
		}
		if n.v.isSequence() {
			for _, it := range n.v.list().items {
				if !it.isString() {
					return nil, false
				}
				names = append(names, it.str())
			}
			return names, true
		}
	case *listExpr:
		return list(n.items)
	case *tupleExpr:
		return list(n.items)
	}
	return nil, false
}

// oneName is the template an expression names, if that is certain.
func oneName(e expression) string {
	if names, ok := templateNames(e); ok && len(names) == 1 {
		return names[0]
	}
	return ""
}

// references reports templates, filters and tests that do not exist, and what
// an imported template does not export.
func (c *checker) references(s *checked) {
	walkAll(s.body, func(n any) {
		switch n := n.(type) {
		case *extendsNode:
			c.exists(s, n.template, n.at)
		case *includeNode:
			if !n.ignoreMissing {
				c.exists(s, n.template, n.at)
			}
		case *importNode:
			c.exists(s, n.template, n.at)
			c.moduleUses(s, n)
		case *fromImportNode:
			c.exists(s, n.template, n.at)
			c.imported(s, n)
		case *filterExpr:
			if c.engine.filters[n.name] == nil {
				c.report(s, n.at, true, "no filter named '"+n.name+"'"+meant(n.name, c.engine.filterNames())+" (an error if this is run)")
			}
		case *testExpr:
			if c.engine.tests[n.name] == nil {
				c.report(s, n.at, true, "no test named '"+n.name+"'"+meant(n.name, c.engine.testNames())+" (an error if this is run)")
			}
		}
	})
}

func (c *checker) exists(s *checked, e expression, at spot) {
	names, ok := templateNames(e)
	if !ok || len(names) == 0 {
		return
	}
	for _, name := range names {
		if slices.Contains(c.names, name) {
			return
		}
		if _, err := c.engine.get(name); err == nil {
			return // a loader may have more than it lists
		}
	}
	if len(names) > 1 {
		c.report(s, at, false, "none of the templates exists: "+strings.Join(names, ", "))
		return
	}
	c.report(s, at, false, "template '"+names[0]+"' not found"+meant(names[0], c.names))
}

// exports lists what importing a template gives; known is false if some of it
// is decided at run time.
func (c *checker) exports(s *checked) (names []string, known bool) {
	known = true
	var collect func(body []statement)
	collect = func(body []statement) {
		for _, st := range body {
			switch n := st.(type) {
			case *macroNode:
				names = append(names, n.name)
			case *setNode:
				names = append(names, targets(n.target)...)
			case *setBlockNode:
				names = append(names, targets(n.target)...)
			case *importNode, *fromImportNode:
				// What is imported is not exported again.
			case *ifNode:
				collect(n.body)
				for _, e := range n.elifs {
					collect(e.body)
				}
				collect(n.orElse)
			case *extendsNode:
				known = false
			}
		}
	}
	collect(s.body)
	return names, known
}

// targets lists the names an assignment sets.
func targets(e expression) (names []string) {
	switch t := e.(type) {
	case *nameExpr:
		return []string{t.name}
	case *tupleExpr:
		for _, it := range t.items {
			names = append(names, targets(it)...)
		}
	}
	return names
}

func (c *checker) imported(s *checked, n *fromImportNode) {
	from := c.source(oneName(n.template))
	if from == nil {
		return
	}
	names, known := c.exports(from)
	for _, pair := range n.names {
		if known && !slices.Contains(names, pair[0]) {
			c.report(s, n.at, true, "the template '"+from.name+"' does not export '"+pair[0]+"'"+meant(pair[0], names))
		}
	}
}

// moduleUses looks at the attributes of an imported template, if its name is
// used for nothing else.
func (c *checker) moduleUses(s *checked, imported *importNode) {
	from := c.source(oneName(imported.template))
	if from == nil || assignments(s.body, imported.target) != 1 {
		return
	}
	names, known := c.exports(from)
	if !known {
		return
	}
	walkAll(s.body, func(n any) {
		a, ok := n.(*attrExpr)
		if !ok {
			return
		}
		if obj, ok := a.obj.(*nameExpr); ok && obj.name == imported.target && !slices.Contains(names, a.name) {
			c.report(s, a.at, true, "the template '"+from.name+"' does not export '"+a.name+"'"+meant(a.name, names))
		}
	})
}

// assignments counts how often a name is given a meaning in a template.
func assignments(body []statement, name string) (n int) {
	walkAll(body, func(node any) {
		switch s := node.(type) {
		case *nameExpr:
			if s.store && s.name == name {
				n++
			}
		case *macroNode:
			for _, p := range s.params {
				if p.name == name {
					n++
				}
			}
			if s.name == name {
				n++
			}
		case *importNode:
			if s.target == name {
				n++
			}
		case *fromImportNode:
			for _, pair := range s.names {
				if pair[1] == name {
					n++
				}
			}
		}
	})
	return n
}

// inheritance finds the parent, and reports blocks that nothing shows.
func (c *checker) inheritance(s *checked) {
	var extends []*extendsNode
	walkAll(s.body, func(n any) {
		if e, ok := n.(*extendsNode); ok {
			extends = append(extends, e)
		}
	})
	if len(extends) != 1 || !slices.Contains(s.body, statement(extends[0])) {
		return
	}
	s.parent = c.source(oneName(extends[0].template))
	if s.parent == nil {
		return
	}
	declared, known := c.declared(s.parent)
	if !known {
		return
	}
	for _, st := range s.body {
		if b, ok := st.(*blockNode); ok && b.partial == partialNone && !slices.Contains(declared, b.name) {
			c.report(s, b.at, true, "no template that this one extends has a block '"+b.name+"', so it is not shown"+meant(b.name, declared))
		}
	}
}

// declared lists the blocks of a template and of those it extends.
func (c *checker) declared(s *checked) (names []string, known bool) {
	for seen := map[*checked]bool{}; s != nil && !seen[s]; {
		seen[s] = true
		for name := range s.blocks {
			names = append(names, name)
		}
		var base expression
		walkAll(s.body, func(n any) {
			if e, ok := n.(*extendsNode); ok {
				base = e.template
			}
		})
		if base == nil {
			return names, true
		}
		s = c.source(oneName(base))
	}
	return names, false
}

// chain is a template and those it extends, as far as they are known.
func (s *checked) chain() (list []*checked) {
	for ; s != nil && !slices.Contains(list, s); s = s.parent {
		list = append(list, s)
	}
	return list
}
