package orm

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// tree holds a model's prototype and the prototypes reached from it through
// relations, which are made when a program first names them. The lock is here
// and not in the relation fields, so that rows can be copied.
type tree struct {
	root  *node
	outer bool // the names mean the query around a subquery, see Outer
	mu    sync.Mutex
	// sorted by address; replaced, never changed
	nodes atomic.Pointer[[]*node]
}

// node is one model's names at the end of a path of relations.
type node struct {
	tree     *tree
	model    *ModelInfo
	parent   *node      // nil for the root
	field    *FieldInfo // the relation that leads here from the parent
	path     string     // "author__country"; empty for the root
	base     unsafe.Pointer
	children map[*FieldInfo]*node // guarded by tree.mu
}

// link ties a relation field to its declaration. In a prototype it has the
// node too, which is how To knows that it is to name and not to read.
type link struct {
	field *FieldInfo
	node  *node
}

// to is the field that a foreign key leads to; empty for the primary key, and for a foreign
// key of which it is not known what field it is.
func (l *link) to() string {
	if l == nil || l.field.Relation == nil {
		return ""
	}
	return l.field.Relation.spec.to
}

func newTree(m *ModelInfo) *tree {
	t := &tree{}
	t.root = &node{tree: t, model: m}
	t.root.makePrototype()
	t.nodes.Store(&[]*node{t.root})
	return t
}

// makePrototype allocates the struct whose addresses are the node's names. It
// is on the heap and is kept by the tree: its addresses never move.
func (n *node) makePrototype() {
	n.base = n.model.alloc()
	for _, f := range n.model.attach {
		p := unsafe.Add(n.base, f.offset+f.Relation.spec.linkOffset)
		*(**link)(p) = &link{field: f, node: n}
	}
}

// child returns the prototype behind a relation.
func (n *node) child(f *FieldInfo) *node {
	t := n.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := n.children[f]; c != nil {
		return c
	}
	c := n.step(f)
	c.makePrototype()
	if n.children == nil {
		n.children = map[*FieldInfo]*node{}
	}
	n.children[f] = c
	old := *t.nodes.Load()
	i, _ := slices.BinarySearchFunc(old, uintptr(c.base), compareBase)
	nodes := slices.Insert(slices.Clone(old), i, c)
	t.nodes.Store(&nodes)
	return c
}

// step makes a node without a prototype, for paths that come as strings: they
// must not make the tree grow.
func (n *node) step(f *FieldInfo) *node {
	path := f.Snake
	if n.path != "" {
		path = n.path + "__" + path
	}
	return &node{tree: n.tree, model: f.Relation.Target(), parent: n, field: f, path: path}
}

// fields are the relations from the root to the node.
func (n *node) fields() []*FieldInfo {
	if n.parent == nil {
		return nil
	}
	return append(n.parent.fields(), n.field)
}

// many is the nearest relation to many on the way from the root, itself
// included, or nil: rows behind it are any number for one row of the root.
func (n *node) many() *node {
	for ; n.parent != nil; n = n.parent {
		if n.field.Relation.spec.many {
			return n
		}
	}
	return nil
}

func compareBase(n *node, address uintptr) int { return cmp.Compare(uintptr(n.base), address) }

// find returns the node whose prototype holds an address, or nil.
func (t *tree) find(p unsafe.Pointer) *node {
	nodes := *t.nodes.Load()
	if len(nodes) == 1 {
		if n := nodes[0]; n.holds(p) {
			return n
		}
		return nil
	}
	i, exact := slices.BinarySearchFunc(nodes, uintptr(p), compareBase)
	if !exact {
		i--
	}
	if i < 0 || !nodes[i].holds(p) {
		return nil
	}
	return nodes[i]
}

func (n *node) holds(p unsafe.Pointer) bool {
	return uintptr(p) >= uintptr(n.base) && uintptr(p)-uintptr(n.base) < n.model.Type.Size()
}

// ref is a field named by its address, not yet looked up. The pointer keeps
// the prototype alive and is never followed.
type ref struct {
	ptr unsafe.Pointer
	typ reflect.Type
}

// asRef is what names a field as a ref: it may be the address of one that lies in a condition.
func asRef(of any) (ref, bool) {
	switch r := of.(type) {
	case *ref:
		return *r, true
	case ref:
		return r, true
	}
	return ref{}, false
}

func refTo[V any](field *V) ref { return ref{unsafe.Pointer(field), reflect.TypeFor[V]()} }

// refOf makes a ref of a pointer whose type is known only at run time.
func refOf(ptr any) (ref, error) {
	v := reflect.ValueOf(ptr)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return ref{}, fmt.Errorf("orm: a field is named by its address, such as &p.Title, not by a %T", ptr)
	}
	return ref{v.UnsafePointer(), v.Type().Elem()}, nil
}

// resolve finds the field within the query's own model.
func (r ref) resolve(root *node) (*node, target, error) {
	n := root.tree.find(r.ptr)
	if n == nil {
		return nil, target{}, unknownAddress(r, root.model)
	}
	return r.within(n)
}

// within finds the field of a node that a ref names.
func (r ref) within(n *node) (*node, target, error) {
	t, ok := n.model.byAddress[address{uintptr(r.ptr) - uintptr(n.base), r.typ}]
	if !ok && r.typ == genericType {
		return nil, target{}, fmt.Errorf("orm: a generic foreign key of %s is named where a column or a relation is needed: its columns are those of its Columns(), its rows are loaded by LoadGeneric", n.model.Name)
	}
	if !ok {
		return nil, target{}, fmt.Errorf("orm: the address given is inside the prototype of %s but is not one of its fields (type %s)", n.model.Name, r.typ)
	}
	return n, t, nil
}

// unknownAddress says what the address was instead of a name of the model.
func unknownAddress(r ref, m *ModelInfo) error {
	if r.ptr == nil {
		return fmt.Errorf("orm: a field of %s is named by a nil pointer", m.Name)
	}
	for _, other := range Models() {
		n := other.names.find(r.ptr)
		if t := other.outer.Load(); n == nil && t != nil && t.find(r.ptr) != nil {
			return fmt.Errorf("orm: a query of %s names a field of %s by Outer, and there is no query of %s around it", m.Name, other.Name, other.Name)
		}
		if n == nil || other == m {
			continue
		}
		what := other.Name
		if t, ok := n.model.byAddress[address{uintptr(r.ptr) - uintptr(n.base), r.typ}]; ok {
			what = n.model.Name + "." + t.field.Name
			if n.path != "" {
				what = fmt.Sprintf("%s (%s__%s of %s)", what, n.path, t.field.Snake, other.Name)
			}
		}
		return fmt.Errorf("orm: %s is named in a query of %s; reach it from %s's own Fields() through a relation and To()", what, m.Name, m.Name)
	}
	return fmt.Errorf("orm: a field named in a query of %s is not from its Fields(); the addresses of a row, or of a copy of Fields(), name nothing (type %s)", m.Name, r.typ)
}
