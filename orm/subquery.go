package orm

import (
	"strings"
	"unsafe"
)

// Outer names, within a subquery, a field of the query around it, by that query's own
// Fields. It is a name of the same type, so that it stands where any other name does:
//
//	c := Comments.Fields()
//	orm.Exists(Comments.Where(orm.EqField(&c.Post.ID, orm.Outer(&p.ID)), orm.Gt(&c.Votes, 5)))
//
// The query around is the nearest one of that model. Anywhere else the name is an
// error of the query.
func Outer[V any](field *V) *V {
	p := unsafe.Pointer(field)
	for _, m := range Models() {
		n := m.names.find(p)
		if n == nil {
			continue
		}
		o := m.outerNames().root
		for _, f := range n.fields() {
			o = o.child(f)
		}
		return (*V)(unsafe.Add(o.base, uintptr(p)-uintptr(n.base)))
	}
	return field // names nothing, which the query says when it runs
}

// outerNames are the model's names for [Outer], made when it first asks for them.
func (m *ModelInfo) outerNames() *tree {
	if t := m.outer.Load(); t != nil {
		return t
	}
	t := newTree(m)
	t.outer = true
	m.outer.CompareAndSwap(nil, t)
	return m.outer.Load()
}

// outerNode finds the node of the nearest query around whose names for [Outer] hold p.
func (c *compiler) outerNode(p unsafe.Pointer) *node {
	for o := c.outer; o != nil; o = o.outer {
		if t := o.root.model.outer.Load(); t != nil {
			if n := t.find(p); n != nil {
				return n
			}
		}
	}
	return nil
}

// Exists is true if the query has a row. It usually compares a field with an [Outer]
// one:
//
//	Posts.Where(orm.Not(orm.Exists(Comments.Where(orm.EqField(&c.Post.ID, orm.Outer(&p.ID))))))
//
// For a relation that the model has, [Has] says it shorter.
func Exists[T any](rows QuerySet[T]) Cond { return Cond{&existsQuery{rows.use()}} }

// Subquery is the value of a column, or of an expression, in the first row of a query,
// in its order; NULL if there is no row:
//
//	orm.Subquery(Comments.Where(orm.EqField(&c.Post.ID, orm.Outer(&p.ID))).OrderBy(orm.Desc(&c.ID)), &c.Name)
//
// An aggregate, such as orm.Max(&c.Votes), is computed over all the rows.
func Subquery[T any](rows QuerySet[T], column any) Expr {
	return Expr{&subquery{rows.use(), operandOf(column)}}
}

// InQuery is true if the field is among the values of column in the rows of q,
// a query of this or another model:
//
//	orm.InQuery(&u.ID, Posts.Where(orm.Eq(&p.Status, Live)), &p.Author.ID)
func InQuery[V, T any](field *V, q QuerySet[T], column *V) Cond {
	return Cond{&inQuery{refTo(field), q.use(), refTo(column)}}
}

// nested writes a SELECT inside of c's statement.
func (c *compiler) nested(q *query, write func(inner *compiler)) {
	if c.inline {
		c.failf("a subquery cannot stand in a constraint or index")
		return
	}
	if err := q.ready(); err != nil {
		c.fail(err)
		return
	}
	if c.aliases == nil {
		c.aliases = map[string]bool{strings.ToLower(c.alias): true}
	}
	inner := newCompiler(c.dialect, q.model)
	inner.outer, inner.aliases, inner.args, inner.zone = c, c.aliases, c.args, c.zone
	inner.alias = inner.newAlias(q.model.alias)
	write(inner)
	if inner.err != nil {
		c.fail(inner.err)
		return
	}
	c.args = inner.args
	c.buf = append(c.buf, inner.buf...)
}

// outward finds the query around that a node of a name made by Outer belongs to, and
// the node there.
func (c *compiler) outward(n *node) (*compiler, *node) {
	for o := c.outer; o != nil; o = o.outer {
		if o.root.model != n.tree.root.model {
			continue
		}
		at := o.root
		for _, f := range n.fields() {
			at = o.step(at, f)
		}
		return o, at
	}
	c.failf("Outer names a field of %s, and there is no query of it around", n.tree.root.model.Name)
	return c, nil
}

type existsQuery struct{ query *query }

func (e *existsQuery) write(c *compiler) {
	if e.query.never() {
		c.nested(e.query, func(*compiler) {})
		c.text("1 = 0")
		return
	}
	c.text("EXISTS (")
	c.nested(e.query, func(inner *compiler) { inner.selectExists(e.query) })
	c.text(")")
}

func (*existsQuery) visit(*compiler, func(*node)) {}

func (*existsQuery) mayBeNull(*compiler) bool { return false }

type subquery struct {
	query  *query
	column operand
}

func (e *subquery) write(c *compiler) {
	q := e.query
	c.text("(")
	c.nested(q, func(inner *compiler) {
		if hasAggregate(e.column) {
			inner.selectAggregate(q, e.column)
			return
		}
		if !q.limited || q.limit > 1 {
			q = q.derive()
			q.limit, q.limited = 1, true
		}
		inner.selectColumn(q, e.column)
	})
	c.text(")")
}

func (*subquery) visit(*compiler, func(*node)) {}

func (*subquery) mayBeNull(*compiler) bool { return true }

// target is that of the column, found in a compiler of the subquery's model.
func (e *subquery) target(c *compiler) target {
	if e.query.model == nil {
		return target{}
	}
	inner := newCompiler(c.dialect, e.query.model)
	inner.outer = c
	t := e.column.target(inner)
	if inner.err != nil {
		c.fail(inner.err)
	}
	return t
}

// inQuery is operand IN (SELECT column FROM …).
type inQuery struct {
	of     operand
	query  *query
	column operand
}

func (e *inQuery) write(c *compiler) {
	c.operandAsRow(e.of)
	c.text(" IN (")
	c.nested(e.query, func(inner *compiler) {
		inner.derivable(e.query.limited || e.query.offset > 0, func() { inner.selectColumn(e.query, e.column) })
	})
	c.text(")")
}

func (e *inQuery) visit(c *compiler, f func(*node)) { e.of.visit(c, f) }

func (e *inQuery) mayBeNull(c *compiler) bool { return e.of.mayBeNull(c) }
