package template

// Scopes decide, before a template runs, where each of its names lives. The
// rules are Jinja's: every loop, macro, block and so on is a scope; a name
// assigned in a scope belongs to it; all other names are looked up outwards
// and at last in the context. Conditions do not make scopes.

// function owns the slots of one frame: a template's top level, a block, a
// macro or a recursive loop. Scopes inside it share its frame.
type function struct {
	depth int
	slots int
}

type ref struct {
	fn   *function
	slot int
}

// loadKind says what a name holds when its scope is entered.
type loadKind uint8

const (
	loadParameter loadKind = iota // set by whoever enters the scope
	loadResolve                   // looked up in the context on first use
	loadOuter                     // a copy of an outer scope's value
	loadMissing                   // nothing yet
)

type load struct {
	kind  loadKind
	outer ref
}

type scope struct {
	parent *scope
	fn     *function
	slots  map[string]int // shared by the branches of a condition
	loads  map[string]load
	stores map[string]bool
	order  []string // names of loads in order of appearance
}

func newScope(parent *scope, fn *function) *scope {
	return &scope{parent: parent, fn: fn, slots: map[string]int{}, loads: map[string]load{}, stores: map[string]bool{}}
}

func (s *scope) define(name string, l load) ref {
	slot, ok := s.slots[name]
	if !ok {
		slot = s.fn.slots
		s.fn.slots++
		s.slots[name] = slot
	}
	if _, ok := s.loads[name]; !ok {
		s.order = append(s.order, name)
	}
	s.loads[name] = l
	return ref{s.fn, slot}
}

func (s *scope) find(name string) (ref, bool) {
	for ; s != nil; s = s.parent {
		if _, ok := s.loads[name]; ok {
			return ref{s.fn, s.slots[name]}, true
		}
	}
	return ref{}, false
}

func (s *scope) load(name string) {
	if _, ok := s.find(name); !ok {
		s.define(name, load{kind: loadResolve})
	}
}

func (s *scope) store(name string) {
	s.stores[name] = true
	if _, ok := s.loads[name]; ok {
		return
	}
	if s.parent != nil {
		if outer, ok := s.parent.find(name); ok {
			s.define(name, load{loadOuter, outer})
			return
		}
	}
	s.define(name, load{kind: loadMissing})
}

func (s *scope) parameter(name string) ref {
	s.stores[name] = true
	return s.define(name, load{kind: loadParameter})
}

func (s *scope) copy() *scope {
	c := &scope{parent: s.parent, fn: s.fn, slots: s.slots, loads: map[string]load{}, stores: map[string]bool{}}
	for k, v := range s.loads {
		c.loads[k] = v
	}
	for k := range s.stores {
		c.stores[k] = true
	}
	c.order = append([]string(nil), s.order...)
	return c
}

// merge takes in what the branches of a condition did. A name that only some
// of them assign must hold its outer value in the others.
func (s *scope) merge(branches []*scope) {
	count := map[string]int{}
	var partial []string
	for _, b := range branches {
		for name := range b.stores {
			if !s.stores[name] {
				if count[name] == 0 {
					partial = append(partial, name)
				}
				count[name]++
			}
		}
	}
	for _, b := range branches {
		for _, name := range b.order {
			if _, ok := s.loads[name]; !ok {
				s.order = append(s.order, name)
			}
			s.loads[name] = b.loads[name]
		}
		for name := range b.stores {
			s.stores[name] = true
		}
	}
	for _, name := range partial {
		if count[name] == len(branches) {
			continue
		}
		if s.parent != nil {
			if outer, ok := s.parent.find(name); ok {
				s.loads[name] = load{loadOuter, outer}
				continue
			}
		}
		s.loads[name] = load{kind: loadResolve}
	}
}

// analyze visits the statements of a scope's body.
func (s *scope) analyze(body []statement) {
	for _, n := range body {
		s.visit(n)
	}
}

// visit finds the names a node uses in this scope, leaving out what will be
// in scopes of its own.
func (s *scope) visit(n any) {
	if n == nil {
		return
	}
	walk(n, func(n any) bool {
		switch n := n.(type) {
		case *nameExpr:
			if n.store {
				s.store(n.name)
			} else {
				s.load(n.name)
			}
		case *namespaceRef:
			s.load(n.name)
		case *setNode:
			s.visit(n.e)
			s.visit(n.target)
			return false
		case *setBlockNode:
			s.visit(n.target)
			return false
		case *ifNode:
			s.visitIf(n)
			return false
		case *forNode:
			s.visit(n.iter)
			return false
		case *macroNode:
			s.store(n.name)
			return false
		case *callNode:
			s.visit(n.call)
			return false
		case *filterNode:
			s.visit(n.filter)
			return false
		case *withNode:
			for _, v := range n.values {
				s.visit(v)
			}
			return false
		case *importNode:
			s.visit(n.template)
			s.store(n.target)
			return false
		case *fromImportNode:
			s.visit(n.template)
			for _, names := range n.names {
				s.store(names[1])
			}
			return false
		case *blockNode, *autoescapeNode:
			return false
		}
		return true
	})
}

func (s *scope) visitIf(n *ifNode) {
	s.visit(n.test)
	branch := func(visit func(b *scope)) *scope {
		b := s.copy()
		visit(b)
		return b
	}
	s.merge([]*scope{
		branch(func(b *scope) { b.analyze(n.body) }),
		branch(func(b *scope) {
			for _, e := range n.elifs {
				b.visitIf(e)
			}
		}),
		branch(func(b *scope) { b.analyze(n.orElse) }),
	})
}

// storeParameters declares the names of an assignment target as set by
// whoever enters the scope.
func (s *scope) storeParameters(target expression) {
	switch t := target.(type) {
	case *nameExpr:
		s.parameter(t.name)
	case *tupleExpr:
		for _, it := range t.items {
			s.storeParameters(it)
		}
	}
}

// stored lists the names assigned here and in all scopes around, with where
// the innermost assignment lives.
func (s *scope) stored() map[string]ref {
	out := map[string]ref{}
	for at := s; at != nil; at = at.parent {
		for name := range at.stores {
			if _, ok := out[name]; !ok {
				if r, ok := s.find(name); ok {
					out[name] = r
				}
			}
		}
	}
	return out
}

// mentions reports which of the names a body reads before it assigns them
// itself. Blocks inside are bodies of their own.
func mentions(body []statement, names ...string) map[string]bool {
	found, open := map[string]bool{}, map[string]bool{}
	for _, n := range names {
		open[n] = true
	}
	for _, s := range body {
		walk(s, func(n any) bool {
			switch n := n.(type) {
			case *nameExpr:
				if open[n.name] {
					if n.store {
						delete(open, n.name)
					} else {
						found[n.name] = true
					}
				}
			case *blockNode:
				return false
			}
			return true
		})
	}
	return found
}
