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
	// base is what a branch of a condition adds to; nil for a scope of its own.
	base   *scope
	fn     *function
	slots  map[string]int // of the scope and its branches; nil in those
	loads  map[string]load
	stores map[string]bool
	order  []string // names of loads in order of appearance
	names  *nameList
}

func newScope(parent *scope, fn *function) *scope {
	return &scope{parent: parent, fn: fn, slots: map[string]int{}}
}

// branch is a scope for one branch of a condition: it has what s has, and
// what is added to it does not show in s before [scope.merge].
func (s *scope) branch() *scope {
	base := s
	for base.base != nil && base.isEmpty() {
		base = base.base
	}
	return &scope{parent: s.parent, base: base, fn: s.fn}
}

func (s *scope) isEmpty() bool { return len(s.loads)+len(s.stores) == 0 }

// home is the scope a branch belongs to.
func (s *scope) home() *scope {
	for s.base != nil {
		s = s.base
	}
	return s
}

func (s *scope) loaded(name string) bool {
	for ; s != nil; s = s.base {
		if _, ok := s.loads[name]; ok {
			return true
		}
	}
	return false
}

func (s *scope) stored(name string) bool {
	for ; s != nil; s = s.base {
		if s.stores[name] {
			return true
		}
	}
	return false
}

func (s *scope) setLoad(name string, l load) {
	if !s.loaded(name) {
		s.order = append(s.order, name)
	}
	if s.loads == nil {
		s.loads = map[string]load{}
	}
	s.loads[name] = l
}

func (s *scope) setStored(name string) {
	if s.stores == nil {
		s.stores = map[string]bool{}
	}
	s.stores[name] = true
}

func (s *scope) define(name string, l load) ref {
	slots := s.home().slots
	slot, ok := slots[name]
	if !ok {
		slot = s.fn.slots
		s.fn.slots++
		slots[name] = slot
	}
	s.setLoad(name, l)
	return ref{s.fn, slot}
}

func (s *scope) find(name string) (ref, bool) {
	for ; s != nil; s = s.parent {
		if s.loaded(name) {
			return ref{s.fn, s.home().slots[name]}, true
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
	s.setStored(name)
	if s.loaded(name) {
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
	s.setStored(name)
	return s.define(name, load{kind: loadParameter})
}

// merge takes in what the branches of a condition did. A name that only some
// of them assign must hold its outer value in the others.
func (s *scope) merge(branches ...*scope) {
	partial := s.partlyStored(branches)
	for _, b := range branches {
		if s.base != nil && s.isEmpty() {
			s.loads, s.stores, s.order = b.loads, b.stores, b.order
			continue
		}
		for _, name := range b.order {
			s.setLoad(name, b.loads[name])
		}
		for name := range b.stores {
			s.setStored(name)
		}
	}
	for _, name := range partial {
		if s.parent != nil {
			if outer, ok := s.parent.find(name); ok {
				s.setLoad(name, load{loadOuter, outer})
				continue
			}
		}
		s.setLoad(name, load{kind: loadResolve})
	}
}

// partlyStored lists the names that some of the branches assign, but not all,
// and that s does not.
func (s *scope) partlyStored(branches []*scope) []string {
	count := map[string]int{}
	for _, b := range branches {
		for name := range b.stores {
			if !s.stored(name) {
				count[name]++
			}
		}
	}
	var names []string
	for name, n := range count {
		if n < len(branches) {
			names = append(names, name)
		}
	}
	return names
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
		case *settingNode:
			s.visit(n.e)
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
		b := s.branch()
		visit(b)
		return b
	}
	s.merge(
		branch(func(b *scope) { b.analyze(n.body) }),
		branch(func(b *scope) {
			for _, e := range n.elifs {
				b.visitIf(e)
			}
		}),
		branch(func(b *scope) { b.analyze(n.orElse) }),
	)
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
