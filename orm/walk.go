package orm

import "fmt"

// Walk is the rows of the query and all that are reached from them by a relation of the
// model to itself, followed again and again: the whole tree below a row by its children,
// the way to the root by the parent. Each row comes once, also where the relation goes in
// circles. Steps that follow, such as Where, OrderBy and With, are of all of them.
//
//	Categories.Where(orm.Eq(&c.ID, 5)).Walk(&c.Children)
func (s *Query[P]) Walk(relation any) *Query[P] { return typed[P](s.use().walk(relation, 0)) }

// WalkTo is [Query.Walk] that follows the relation at most so many times. How often it
// did, is [Depth].
func (s *Query[P]) WalkTo(depth int, relation any) *Query[P] {
	return typed[P](s.use().walkTo(depth, relation))
}

func (q *query) walkTo(depth int, relation any) *query {
	w := q.walk(relation, depth)
	if depth < 1 && w.rare().err == nil {
		w.own().err = fmt.Errorf("orm: WalkTo(%d) follows nothing", depth)
	}
	return w
}

func (q *query) walk(relation any, depth int) *query {
	r, err := refOf(relation)
	walked := q.over(walk{q, r, depth})
	walked.withDeleted = q.withDeleted
	if walked.rare().err == nil {
		walked.own().err = err
	}
	return walked
}

// Depth is, in the rows of [Query.WalkTo], how many times the relation was followed to
// reach the row: 0 for the rows it began with.
func Depth() Expr { return Expr{depth{}} }

type depth struct{}

func (depth) write(c *compiler) {
	if w, ok := c.source.(walk); !ok || w.depth == 0 {
		c.failf("Depth is for the rows of WalkTo")
		return
	}
	c.qualified(c.alias, depthColumn)
}

func (depth) visit(*compiler, func(*node)) {}

func (depth) mayBeNull(*compiler) bool { return false }

func (depth) target(*compiler) target { return target{} }

// depthColumn is a column beside those of the model: none of those begins with _.
const depthColumn = "__depth"

// walk is the rows reached by a relation.
type walk struct {
	query    *query
	relation ref
	depth    int // 0 for any
}

func (s walk) write(c *compiler) {
	m := s.query.model
	if err := s.query.ready(); err != nil {
		c.fail(err)
		return
	}
	_, t, err := s.relation.resolve(m.names.root)
	switch {
	case err != nil:
		c.fail(err)
		return
	case t.field.model != m || t.field.Relation == nil || t.field.Relation.Target() != m:
		c.failf("Walk needs a relation of %s to %s itself, which %s is not", m.Name, m.Name, t.name())
		return
	}
	if t.field.Relation.spec.to != "" || t.field.Relation.via != nil && t.field.Relation.via.Relation.spec.to != "" {
		c.failf("Walk goes along primary keys, which %s does not; use orm.NewRecursiveCTE", t.name())
		return
	}
	name, key := c.newAlias("walked"), m.PrimaryKey.columnNames()
	c.text("WITH RECURSIVE ")
	c.quote(name)
	c.text(" (")
	c.columnNamesOf("", key)
	if s.depth > 0 {
		c.text(", ")
		c.quote(depthColumn)
	}
	c.text(") AS (")
	c.nested(s.query, func(inner *compiler) { inner.selectStart(s.query, s.depth > 0) })
	c.text(" UNION ")
	s.step(c, t.field, name)
	c.text(") ")
	s.rows(c, name)
}

// selectStart writes the SELECT of the keys where a walk begins.
func (c *compiler) selectStart(q *query, depth bool) {
	if q.limited || q.offset > 0 {
		q = q.derived()
	}
	var columns []func()
	for _, key := range q.model.PrimaryKey.columnNames() {
		columns = append(columns, func() { c.qualified(c.alias, key) })
	}
	if depth {
		columns = append(columns, func() { c.text("0") })
	}
	c.selection(q, nil, nil, nil, func() {
		for i, column := range columns {
			if i > 0 {
				c.text(", ")
			}
			column()
		}
	}, func() []func() { return columns })
}

// step writes the SELECT of the keys that one more step reaches.
func (s walk) step(c *compiler, f *FieldInfo, name string) {
	m := s.query.model
	alias := c.newAlias("step")
	key := m.PrimaryKey.columnNames()
	table, from, to := m.Table, key, f.columnNames()
	switch f.Relation.Kind {
	case ToMany:
		from, to = f.Relation.via.columnNames(), key
	case ManyMany:
		table, from, to = f.Relation.join.table, f.Relation.join.owner, f.Relation.join.target
	}
	c.text("SELECT ")
	c.columnNamesOf(alias, to)
	if s.depth > 0 {
		c.text(", ")
		c.qualified(name, depthColumn)
		c.text(" + 1")
	}
	c.text(" FROM ")
	c.table(table, alias)
	c.text(" JOIN ")
	c.quote(name)
	c.text(" ON ")
	c.equalColumns(alias, from, name, key)
	c.text(" WHERE ")
	c.qualified(alias, to[0])
	c.text(" IS NOT NULL")
	if s.depth > 0 {
		c.text(" AND ")
		c.qualified(name, depthColumn)
		c.text(" < ")
		c.arg(int64(s.depth))
	}
}

// rows writes the SELECT of the rows of the keys found.
func (s walk) rows(c *compiler, name string) {
	m := s.query.model
	alias, key := c.newAlias("reached"), m.PrimaryKey.columnNames()
	c.text("SELECT ")
	c.writeColumns(alias, &loadSegment{model: m})
	if s.depth == 0 {
		c.text(" FROM ")
		c.table(m.Table, alias)
		c.text(" WHERE ")
		c.rowValue(alias, key)
		c.text(" IN (SELECT ")
		c.columnNamesOf("", key)
		c.text(" FROM ")
		c.quote(name)
		c.text(")")
		return
	}
	least := c.newAlias("least")
	c.text(", ")
	c.qualified(least, depthColumn)
	c.text(" FROM ")
	c.table(m.Table, alias)
	c.text(" JOIN (SELECT ")
	c.columnNamesOf("", key)
	c.text(", MIN(")
	c.quote(depthColumn)
	c.text(") AS ")
	c.quote(depthColumn)
	c.text(" FROM ")
	c.quote(name)
	c.text(" GROUP BY ")
	c.columnNamesOf("", key)
	c.text(") AS ")
	c.quote(least)
	c.text(" ON ")
	c.equalColumns(least, key, alias, key)
}
