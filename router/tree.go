package router

import (
	"cmp"
	"slices"
	"strings"
)

// A tree is a radix tree over the bytes of paths. Static text lies on edges;
// where a variable begins, a node has a list of branches, most specific first.
// A branch takes the rest of one segment, however many variables that holds
// (or, with a path variable, all the rest of the path), so a node can be
// reached at one offset of a given path only, and a lookup visits each node at
// most once: backtracking costs no more than the size of the table.

// node is a place in the tree; prefix is the static text on the edge to it.
type node struct {
	prefix   string
	first    string      // first bytes of children's prefixes
	table    *[256]uint8 // place in children plus 1, when there are many of them
	children []*node     // parallel to first
	branches []*branch   // by specificity
	plain    *node       // what follows the only branch, when that is a plain str
	leaf     *leaf       // nil: no path ends here
}

// manyChildren is where an indexed table beats scanning bytes.
const manyChildren = 4

// branch is a run of variables and literals that fills the rest of a segment.
type branch struct {
	parts []part
	only  textRule // of the one variable, when that is all
	rest  bool     // holds a path variable: takes the rest of the path
	slash bool     // of a rest: the pattern ends in "/", which is not in parts
	shape string   // parts without names
	next  *node    // nil for a rest
	leaf  *leaf    // of a rest
}

// part is a variable and the literal after it, which belongs to the same
// segment (in a rest it may hold slashes).
type part struct {
	name   string // of the first route of this shape
	rule   rule
	text   textRule  // rule, when it is built in
	custom Converter // otherwise
	after  string
}

// step is what one level of the tree takes: static text or a branch.
type step struct {
	static string
	branch *branch
}

// steps groups the elements of a pattern.
func steps(elements []element) []step {
	var list []step
	for i := 0; i < len(elements); {
		if e := elements[i]; e.rule == nil {
			list = append(list, step{static: e.literal})
			i++
			continue
		}
		b, used, remainder := newBranch(elements[i:])
		list = append(list, step{branch: b})
		i += used
		if remainder != "" {
			list = append(list, step{static: remainder})
		}
	}
	return list
}

// newBranch takes elements up to the end of the segment, or all of them when a
// path variable is among these. remainder is the part of the last element used
// that lies in the next segment.
func newBranch(elements []element) (b *branch, used int, remainder string) {
	b = &branch{}
	for _, e := range elements {
		if e.rule == nil && strings.Contains(e.literal, "/") {
			break
		}
		if e.rule != nil && e.rule.rank() == rankPath {
			b.rest = true
		}
	}
	for used < len(elements) && remainder == "" {
		e := elements[used]
		used++
		if e.rule != nil {
			p := part{name: e.name, rule: e.rule}
			switch r := e.rule.(type) {
			case textRule:
				p.text = r
			case customRule:
				p.custom = r.converter
			}
			b.parts = append(b.parts, p)
			continue
		}
		last := &b.parts[len(b.parts)-1]
		last.after = e.literal
		if slash := strings.IndexByte(e.literal, '/'); slash >= 0 && !b.rest {
			last.after, remainder = e.literal[:slash], e.literal[slash:]
		}
	}
	last := &b.parts[len(b.parts)-1]
	if b.rest && strings.HasSuffix(last.after, "/") {
		b.slash, last.after = true, strings.TrimSuffix(last.after, "/")
	}
	if len(b.parts) == 1 && last.after == "" {
		b.only = last.text
	}
	b.shape = shapeOf(b)
	return b, used, remainder
}

func shapeOf(b *branch) string {
	var shape strings.Builder
	for _, p := range b.parts {
		// NUL cannot be in a literal, so shapes cannot be confused.
		shape.WriteString("\x00" + p.rule.spec() + "\x00" + p.after)
	}
	if b.slash {
		shape.WriteByte('/')
	}
	return shape.String()
}

// specificity compares branches: path variables last; then those whose every
// variable is constrained first; then more literal text; then the variables one
// by one. Equal ones differ by text only, so that the order of registration
// never decides.
func specificity(a, b *branch) int {
	return cmp.Or(
		compareBool(a.rest, b.rest),
		compareBool(a.open(), b.open()),
		cmp.Compare(b.literals(), a.literals()),
		slices.CompareFunc(a.parts, b.parts, func(x, y part) int { return cmp.Compare(x.rule.rank(), y.rule.rank()) }),
		strings.Compare(a.shape, b.shape),
	)
}

// open reports whether a variable accepts text of any kind.
func (b *branch) open() bool {
	return slices.ContainsFunc(b.parts, func(p part) bool { return p.rule.rank() >= rankText })
}

func (b *branch) literals() (n int) {
	for _, p := range b.parts {
		n += len(p.after)
	}
	if b.slash {
		n++
	}
	return n
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// child finds the static edge that begins with c.
func (n *node) child(c byte) *node {
	if n.table != nil {
		if at := n.table[c]; at > 0 {
			return n.children[at-1]
		}
		return nil
	}
	for i := range len(n.first) {
		if n.first[i] == c {
			return n.children[i]
		}
	}
	return nil
}

// leafFor walks to the end of a pattern, growing the tree as needed.
func (n *node) leafFor(list []step) *leaf {
	for _, s := range list {
		if s.branch == nil {
			n = n.static(s.static)
			continue
		}
		b := n.branch(s.branch)
		if b.rest {
			if b.leaf == nil {
				b.leaf = &leaf{}
			}
			return b.leaf
		}
		n = b.next
	}
	if n.leaf == nil {
		n.leaf = &leaf{}
	}
	return n.leaf
}

// static walks or adds text below n, splitting an edge that shares a part.
func (n *node) static(text string) *node {
	for text != "" {
		kid := n.child(text[0])
		if kid == nil {
			kid = &node{prefix: text}
			n.attach(kid)
			return kid
		}
		shared := sharedPrefix(kid.prefix, text)
		if shared < len(kid.prefix) {
			upper := &node{prefix: kid.prefix[:shared]}
			n.replace(kid, upper)
			kid.prefix = kid.prefix[shared:]
			upper.attach(kid)
			kid = upper
		}
		n, text = kid, text[shared:]
	}
	return n
}

func (n *node) attach(kid *node) {
	n.first += kid.prefix[:1]
	n.children = append(n.children, kid)
	if len(n.children) > manyChildren {
		n.table = new([256]uint8)
		for i := range len(n.first) {
			n.table[n.first[i]] = uint8(i + 1) // literals hold no control characters: fewer than 255
		}
	}
}

func (n *node) replace(old, kid *node) {
	n.children[slices.Index(n.children, old)] = kid
}

// branch finds the branch of the same shape, or adds this one in its place.
func (n *node) branch(b *branch) *branch {
	at, found := slices.BinarySearchFunc(n.branches, b, specificity)
	if found {
		return n.branches[at]
	}
	if !b.rest {
		b.next = &node{}
	}
	n.branches = slices.Insert(n.branches, at, b)
	n.plain = nil
	if len(n.branches) == 1 && b.only != nil && b.only.rank() == rankStr {
		n.plain = b.next
	}
	return b
}

func sharedPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
