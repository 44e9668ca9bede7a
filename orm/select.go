package orm

import "math"

// selectRows writes the SELECT of a query's rows and of the relations to one
// that are loaded with them. It returns the cells of the columns.
func (c *compiler) selectRows(q *query, order []Order, r *reader) {
	c.text("SELECT ")
	if q.distinct {
		c.text("DISTINCT ")
	}
	if r.through != nil {
		c.qualified(throughAlias, r.through.owner)
		c.text(", ")
	}
	c.columns(c.alias, r.root)
	c.joined(c.root, r.root)
	c.tail(q, order, r)
	if q.lock {
		c.buf = c.dialect.ForUpdate(c.buf, c.alias)
	}
}

// throughAlias is the join table's alias when relations to many are loaded. No
// path of relations has this name, for Go names do not begin with _.
const throughAlias = "__join"

// columns writes the columns of a loaded table. For the table of the query itself,
// the usual case, the text is made once.
func (c *compiler) columns(alias string, s *loadSegment) {
	if alias != s.model.Table {
		c.writeColumns(alias, s)
		return
	}
	list, ok := s.model.selectLists.Load(c.dialect.Name())
	if !ok {
		list = c.sub(func() { c.writeColumns(alias, s) })
		s.model.selectLists.Store(c.dialect.Name(), list)
	}
	c.text(list.(string))
}

func (c *compiler) writeColumns(alias string, s *loadSegment) {
	for i, f := range s.model.reading() {
		if i > 0 {
			c.text(", ")
		}
		c.qualified(alias, f.Column)
	}
}

// joined writes the columns of the relations to one behind s.
func (c *compiler) joined(n *node, s *loadSegment) {
	for _, kid := range s.kids {
		child := n.step(kid.via)
		c.text(", ")
		c.columns(c.aliasOf(child), kid)
		c.joined(child, kid)
	}
}

// tail writes a SELECT from FROM on. The text of the joins is known only when
// the rest is written.
func (c *compiler) tail(q *query, order []Order, r *reader) {
	var through *joinTable
	if r != nil {
		through = r.through
	}
	rest := c.sub(func() {
		where := q.where
		if through != nil {
			where = add[expr](where, &inList{of: throughColumn{through.owner}, values: r.keys})
		}
		c.where(where)
		c.group(q)
		c.order(order)
		c.limit(q)
	})
	c.text(" FROM ")
	c.table(c.root.model.Table, c.alias)
	if through != nil {
		c.text(" JOIN ")
		c.table(through.table, throughAlias)
		c.text(" ON ")
		c.qualified(throughAlias, through.target)
		c.text(" = ")
		c.qualified(c.alias, c.root.model.PrimaryKey.Column)
	}
	c.joins(&c.base)
	c.text(rest)
}

// throughColumn is a column of the join table.
type throughColumn struct{ name string }

func (e throughColumn) write(c *compiler) { c.qualified(throughAlias, e.name) }

func (throughColumn) visit(*compiler, func(*node)) {}

func (throughColumn) mayBeNull(*compiler) bool { return false }

func (throughColumn) target(*compiler) target { return target{} }

func (c *compiler) group(q *query) {
	for i, of := range q.group {
		if i == 0 {
			c.text(" GROUP BY ")
		} else {
			c.text(", ")
		}
		of.write(c)
	}
	for i, cond := range q.having {
		if i == 0 {
			c.text(" HAVING ")
		} else {
			c.text(" AND ")
		}
		c.text("(")
		cond.write(c)
		c.text(")")
	}
}

func (c *compiler) limit(q *query) {
	switch {
	case q.limited:
		c.text(" LIMIT ")
		c.arg(int64(q.limit))
	case q.offset > 0:
		// No database takes an OFFSET without a LIMIT but PostgreSQL.
		c.text(" LIMIT ")
		c.arg(int64(math.MaxInt64))
	}
	if q.offset > 0 {
		c.text(" OFFSET ")
		c.arg(int64(q.offset))
	}
}

// selectColumn writes the SELECT of one column, for a subquery.
func (c *compiler) selectColumn(q *query, column operand) {
	c.text("SELECT ")
	if q.distinct {
		c.text("DISTINCT ")
	}
	column.write(c)
	var order []Order
	if q.limited || q.offset > 0 {
		order = q.keyOrder()
	}
	c.tail(q, order, nil)
}

// selectCount writes a SELECT of the number of rows.
func (c *compiler) selectCount(q *query) {
	if q.limited || q.offset > 0 || q.distinct {
		c.text("SELECT COUNT(*) FROM (")
		c.selectColumn(q, q.model.keyRef())
		c.text(") AS ")
		c.quote("counted")
		return
	}
	c.text("SELECT COUNT(*)")
	c.tail(q, nil, nil)
}

// selectExists writes a SELECT of one row that says nothing, if there is any.
func (c *compiler) selectExists(q *query) {
	q = q.derive()
	if !q.limited || q.limit > 1 {
		q.limit, q.limited = 1, true
	}
	c.text("SELECT 1")
	c.tail(q, nil, nil)
}
