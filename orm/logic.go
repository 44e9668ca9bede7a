package orm

import (
	"errors"
	"slices"
)

// logic is kids joined by AND or OR.
type logic struct {
	or   bool
	kids []expr
}

// And is true if all conditions are; with none it is true.
func And(conds ...Cond) Cond { return Cond{&logic{false, exprs(conds)}} }

// Or is true if one of the conditions is; with none it is false.
func Or(conds ...Cond) Cond { return Cond{&logic{true, exprs(conds)}} }

// Not is true if cond is not: false or, because of a NULL, unknown. Around a
// condition on a relation to many it means that no related row meets it.
func Not(cond Cond) Cond { return Cond{&not{cond.orInvalid()}} }

func exprs(conds []Cond) []expr {
	kids := make([]expr, len(conds))
	for i, cond := range conds {
		kids[i] = cond.orInvalid()
	}
	return kids
}

func (cond Cond) orInvalid() expr {
	if cond.e == nil {
		return &invalid{errors.New("orm: an empty Cond{}")}
	}
	return cond.e
}

func (e *logic) visit(c *compiler, f func(*node)) {
	for _, kid := range e.kids {
		kid.visit(c, f)
	}
}

func (e *logic) mayBeNull(c *compiler) bool {
	for _, kid := range e.kids {
		if kid.mayBeNull(c) {
			return true
		}
	}
	return false
}

func (e *logic) write(c *compiler) {
	switch {
	case e.or:
		c.any(e.kids)
	default:
		c.all(e.kids)
	}
}

type not struct{ kid expr }

// visit reports nothing: what is negated looks at related rows on its own.
func (e *not) visit(*compiler, func(*node)) {}

func (e *not) mayBeNull(*compiler) bool { return false }

func (e *not) write(c *compiler) {
	c.scope = &scope{outer: c.scope, barrier: true}
	null := c.nullable(e.kid)
	if !null {
		c.text("NOT ")
	}
	c.text("(")
	c.all1(e.kid)
	c.text(")")
	if null {
		c.text(" IS NOT TRUE")
	}
	c.scope = c.scope.outer
}

// nullable reports whether a condition, as it will be written, can be NULL.
// An EXISTS never is.
func (c *compiler) nullable(e expr) bool {
	if l, ok := e.(*logic); ok {
		return slices.ContainsFunc(l.kids, c.nullable)
	}
	return len(c.unboundIn(e)) == 0 && e.mayBeNull(c)
}

// all writes conditions that must hold together. Those that concern the same
// relation to many concern the same related row: they go into one EXISTS,
// provided that one of them needs such a row. (An Or that also has a branch
// without one does not: each of its branches then stands alone.)
func (c *compiler) all(kids []expr) {
	kids = flatten(kids)
	if len(kids) == 0 {
		c.text("1 = 1")
		return
	}
	var done []bool
	for i, kid := range kids {
		if done != nil && done[i] || c.err != nil {
			continue
		}
		if i > 0 {
			c.text(" AND ")
		}
		m := c.neededBy(kids, c.unboundIn(kid))
		if m == nil {
			c.one(kid, len(kids) > 1)
			continue
		}
		if done == nil {
			done = make([]bool, len(kids))
		}
		var group []expr
		for j := i; j < len(kids); j++ {
			if !done[j] && contains(c.unboundIn(kids[j]), m) {
				group = append(group, kids[j])
				done[j] = true
			}
		}
		c.exists(m, func() { c.all(group) })
	}
}

// all1 is all for a single condition.
func (c *compiler) all1(e expr) {
	if l, ok := e.(*logic); ok && !l.or {
		c.all(l.kids)
		return
	}
	if len(c.unboundIn(e)) == 0 {
		c.one(e, false)
		return
	}
	c.all([]expr{e})
}

// neededBy returns the first of the relations that a condition needs a row of.
func (c *compiler) neededBy(kids []expr, relations []*node) *node {
	for _, m := range relations {
		for _, kid := range kids {
			if c.needs(kid, m) {
				return m
			}
		}
	}
	return nil
}

// needs reports whether e cannot hold without a row of the relation m.
func (c *compiler) needs(e expr, m *node) bool {
	l, ok := e.(*logic)
	if !ok {
		return contains(c.unboundIn(e), m)
	}
	for _, kid := range l.kids {
		if c.needs(kid, m) != l.or {
			return !l.or
		}
	}
	return l.or
}

// maxChain is how many alternatives are written in a row: parsers nest a chain as
// deep as it is long, SQLite at most 1000 deep.
const maxChain = 200

// any writes alternatives. If all need a row of one relation to many, one
// EXISTS serves them.
func (c *compiler) any(kids []expr) {
	if len(kids) == 0 {
		c.text("1 = 0")
		return
	}
	for _, m := range c.unboundIn(kids[0]) {
		if c.needs(&logic{or: true, kids: kids}, m) {
			c.exists(m, func() { c.any(kids) })
			return
		}
	}
	if half := len(kids) / 2; half > maxChain {
		c.text("(")
		c.any(kids[:half])
		c.text(") OR (")
		c.any(kids[half:])
		c.text(")")
		return
	}
	for i, kid := range kids {
		if i > 0 {
			c.text(" OR ")
		}
		if l, ok := kid.(*logic); ok && !l.or && len(l.kids) > 1 {
			c.text("(")
			c.all(l.kids)
			c.text(")")
			continue
		}
		c.all1(kid)
	}
}

// one writes a condition on its own, in parentheses if it is an Or among
// others.
func (c *compiler) one(kid expr, among bool) {
	l, ok := kid.(*logic)
	if !ok {
		kid.write(c)
		return
	}
	if among && len(l.kids) > 1 {
		c.text("(")
		c.any(l.kids)
		c.text(")")
		return
	}
	c.any(l.kids)
}

// unboundIn lists the relations to many that e concerns and that no EXISTS
// around it has taken yet, the outermost of each path.
func (c *compiler) unboundIn(e expr) []*node {
	if k, ok := e.(*compare); ok {
		// The commonest condition needs no list.
		r, isRef := asRef(k.left)
		if _, isValue := k.right.(*literal); isRef && isValue {
			if n, _ := c.resolve(r); n == nil || n.many() == nil {
				return nil
			}
		}
	}
	var list []*node
	e.visit(c, func(n *node) {
		if m := c.firstUnbound(n); m != nil && !contains(list, m) {
			list = append(list, m)
		}
	})
	return list
}

// firstUnbound finds the outermost relation to many on the way to n that is
// not bound by the scopes around.
func (c *compiler) firstUnbound(n *node) *node {
	if n.tree.outer {
		return nil // it is the query around that has it
	}
	var found *node
	for m := n.many(); m != nil; m = m.parent.many() {
		if c.boundScope(m) == nil {
			found = m
		}
	}
	return found
}

func contains(list []*node, n *node) bool {
	for _, m := range list {
		if m.path == n.path {
			return true
		}
	}
	return false
}

// flatten opens nested Ands, so that conditions on one related row meet.
func flatten(kids []expr) []expr {
	nested := false
	for _, kid := range kids {
		if l, ok := kid.(*logic); ok && !l.or {
			nested = true
		}
	}
	if !nested {
		return kids
	}
	var flat []expr
	for _, kid := range kids {
		if l, ok := kid.(*logic); ok && !l.or {
			flat = append(flat, flatten(l.kids)...)
			continue
		}
		flat = append(flat, kid)
	}
	return flat
}

// never reports whether a condition is false whatever the rows are, so that a
// query need not be sent.
func never(e expr) bool {
	switch e := e.(type) {
	case *inList:
		return !e.not && len(e.values) == 0
	case *logic:
		for _, kid := range e.kids {
			if never(kid) != e.or {
				return !e.or
			}
		}
		return e.or
	}
	return false
}
