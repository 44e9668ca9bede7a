package orm

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"sync"
)

// selectRows writes the SELECT of a query's rows and of the relations to one
// that are loaded with them.
func (c *compiler) selectRows(q *query, order []Order, r *reader) {
	if q.distinct && len(q.rare().choices) > 0 {
		// Rows with their keys are distinct, and PostgreSQL would want the order among them.
		q = q.derive()
		q.distinct = false
	}
	c.selection(q, order, r.through, r.keys, func() {
		if r.through != nil {
			c.columnNamesOf(throughAlias, r.through.owner)
			c.text(", ")
		}
		c.columns(c.alias, r.root)
		c.joined(c.root, r.root)
		for _, of := range r.extra {
			c.text(", ")
			of.write(c)
		}
	}, func() []func() { return c.columnsOf(r) })
	if q.rare().lock != nil {
		c.lock(q)
	}
}

// selection writes a SELECT. The columns are written by columns or, if each needs a
// name, by what listed returns, one by one.
func (c *compiler) selection(q *query, order []Order, through *joinTable, keys []expr, columns func(), listed func() []func()) {
	c.declare(q)
	c.joinTables(q)
	buf, args := len(c.buf), len(c.args)
	c.source, c.withDeleted = q.rare().source, q.withDeleted
	c.text("SELECT ")
	if q.distinct {
		c.text("DISTINCT ")
	}
	columns()
	c.tail(q, order, through, keys)
	if c.err != nil && errors.Is(c.err, errWindow) {
		c.buf, c.args, c.err = c.buf[:buf], c.args[:args], nil
		c.base.joins = nil
		c.filtered(q, order, through, keys, listed())
	}
}

// throughAlias is the join table's alias when relations to many are loaded. No
// path of relations has this name, for Go names do not begin with _.
const throughAlias = "__join"

// columns writes the columns of a loaded table. For the table of the query itself,
// the usual case, the text is made once.
func (c *compiler) columns(alias string, s *loadSegment) {
	if alias != s.model.aliasIn(c.dialect) || s.fields != nil {
		c.writeColumns(alias, s)
		return
	}
	list, ok := s.model.selectLists.of(c.dialect.Name())
	if !ok {
		list = c.sub(func() { c.writeColumns(alias, s) })
		s.model.selectLists.keep(c.dialect.Name(), list)
	}
	c.text(list)
}

// selectLists are the SQL of all columns of a model's unaliased table, by dialect. It is
// no sync.Map, which every package that has a model would compile.
type selectLists struct {
	mu    sync.RWMutex
	lists map[string]string
}

func (l *selectLists) of(dialect string) (string, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	list, ok := l.lists[dialect]
	return list, ok
}

func (l *selectLists) keep(dialect, list string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lists == nil {
		l.lists = map[string]string{}
	}
	l.lists[dialect] = list
}

func (c *compiler) writeColumns(alias string, s *loadSegment) {
	for i, f := range s.reading() {
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

// columnsOf lists the columns that selectRows writes, each by itself.
func (c *compiler) columnsOf(r *reader) (list []func()) {
	if r.through != nil {
		for _, name := range r.through.owner {
			list = append(list, func() { c.qualified(throughAlias, name) })
		}
	}
	var walk func(n *node, s *loadSegment)
	walk = func(n *node, s *loadSegment) {
		for _, f := range s.reading() {
			list = append(list, func() { c.qualified(c.aliasOf(n), f.Column) })
		}
		for _, kid := range s.kids {
			walk(n.step(kid.via), kid)
		}
	}
	walk(c.root, r.root)
	for _, of := range r.extra {
		list = append(list, func() { of.write(c) })
	}
	return list
}

// tail writes a SELECT from FROM on. The text of the joins is known only when
// the rest is written.
func (c *compiler) tail(q *query, order []Order, through *joinTable, keys []expr) {
	source := ""
	if q.rare().source != nil {
		source = c.sub(func() { q.rare().source.write(c) })
	}
	tables := c.sub(func() { c.tableJoins(q) })
	rest := c.sub(func() {
		where := q.conditions()
		if through != nil {
			where = add[expr](where, &inList{of: columnList{throughAlias, through.owner}, values: keys})
		}
		c.noWindow = errWindow
		joined := c.joinedTo
		c.joinedTo = nil
		c.ofRows(func() { c.where(where) })
		c.joinedTo = joined
		c.noWindow = errWindowPlace
		c.group(q)
		c.noWindow = nil
		c.order(order)
		c.limit(q)
	})
	c.text(" FROM ")
	if q.rare().source != nil {
		c.text("(")
		c.text(source)
		c.text(") AS ")
		c.quote(c.alias)
	} else {
		c.table(c.rootTable(), c.alias)
	}
	if through != nil {
		c.text(" JOIN ")
		c.table(through.table, throughAlias)
		c.text(" ON ")
		c.equalColumns(throughAlias, through.target, c.alias, c.root.model.PrimaryKey.columnNames())
	}
	c.joins(&c.base)
	c.text(tables)
	c.text(rest)
}

// ofRows writes what is of single rows, before they are grouped.
func (c *compiler) ofRows(write func()) {
	groups := c.groups
	c.groups = false
	write()
	c.groups = groups
}

func (c *compiler) group(q *query) {
	for i, of := range q.rare().group {
		if i == 0 {
			c.text(" GROUP BY ")
		} else {
			c.text(", ")
		}
		if _, isValue := of.(*value); isValue {
			// MySQL would take it for the number of a column.
			c.text("(SELECT ")
			of.write(c)
			c.text(")")
			continue
		}
		c.ofRows(func() { of.write(c) })
	}
	for i, cond := range q.rare().having {
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

// plainLimit is the most that is written as a number: such limits are few in a program,
// and PostgreSQL plans a statement anew each time if it does not know how many rows are
// wanted. Larger ones are parameters.
const plainLimit = 1000

func (c *compiler) limit(q *query) {
	switch {
	case q.limited && q.limit <= plainLimit:
		c.text(" LIMIT ")
		c.buf = strconv.AppendInt(c.buf, int64(q.limit), 10)
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
	var order []Order
	if q.limited || q.offset > 0 {
		order = q.keyOrder()
	}
	write := func() { column.write(c) }
	c.selection(q, order, nil, nil, write, func() []func() { return []func(){write} })
}

// selectAggregate writes the SELECT of an aggregate over all rows.
func (c *compiler) selectAggregate(q *query, column operand) {
	c.groups = true
	if q.limited || q.offset > 0 || q.distinct || q.ordered {
		q = q.derived()
	}
	write := func() { column.write(c) }
	c.selection(q, nil, nil, nil, write, func() []func() { return []func(){write} })
	c.checkRepeats()
}

// derivable writes a subquery, as a table of its own if it must be one.
func (c *compiler) derivable(needed bool, write func()) {
	if !needed || !c.dialect.Quirks().DeriveSubqueries {
		write()
		return
	}
	c.text("SELECT * FROM (")
	write()
	c.text(") AS ")
	c.quote(c.newAlias("derived"))
}

// selectCount writes a SELECT of the number of rows.
func (c *compiler) selectCount(q *query) {
	if q.limited || q.offset > 0 || q.distinct {
		// The number does not depend on the order, by which PostgreSQL would not have
		// distinct rows ordered unless it is among the columns.
		c.text("SELECT COUNT(*) FROM (")
		key := func() { q.model.keyRef().write(c) }
		c.selection(q, nil, nil, nil, key, func() []func() { return []func(){key} })
		c.text(") AS ")
		c.quote("counted")
		return
	}
	write := func() { c.text("COUNT(*)") }
	c.selection(q, nil, nil, nil, write, func() []func() { return nil })
}

// anyRow is the query for one of its rows, whichever.
func (q *query) anyRow() *query {
	if q.limited && q.limit <= 1 {
		return q
	}
	q = q.derive()
	q.limit, q.limited = 1, true
	return q
}

// selectExists writes a SELECT of one row that says nothing, if there is any.
func (c *compiler) selectExists(q *query) {
	q = q.anyRow()
	write := func() { c.text("1") }
	c.selection(q, nil, nil, nil, write, func() []func() { return []func(){write} })
}

// filtered writes a SELECT whose rows are chosen by values over a window, which is
// computed over the rows that the other conditions leave: what chooses is a column of a
// subquery.
func (c *compiler) filtered(q *query, order []Order, through *joinTable, keys []expr, columns []func()) {
	if len(q.rare().group) > 0 || c.groups {
		c.failf("a condition on a window in a query of groups; choose the rows in a query of their own, by InQuery")
		return
	}
	name := c.newAlias("windowed")
	inner := q.derive()
	inner.where, inner.limited, inner.limit, inner.offset, inner.distinct = nil, false, 0, 0, false
	var chosen []expr
	for _, e := range q.where {
		if hasWindow(e) {
			chosen = append(chosen, e)
		} else {
			inner.where = append(inner.where, e)
		}
	}
	terms := slices.Clone(c.eachColumn(order))
	list := c.sub(func() {
		for i, column := range columns {
			column()
			c.text(" AS ")
			c.quote(derivedName("c", i))
			c.text(", ")
		}
		for i := range terms {
			if terms[i].of == nil {
				c.failf("an empty Order{}")
				return
			}
			if n, ok := terms[i].of.(ordinal); ok {
				terms[i].of = derivedColumn{name, derivedName("c", int(n)-1)}
				continue
			}
			terms[i].of.write(c)
			c.text(" AS ")
			c.quote(derivedName("o", i))
			c.text(", ")
			terms[i].of = derivedColumn{name, derivedName("o", i)}
		}
		(&truth{&logic{kids: chosen}}).write(c)
		c.text(" AS ")
		c.quote("chosen")
	})
	c.text("SELECT ")
	if q.distinct {
		c.text("DISTINCT ")
	}
	for i := range columns {
		if i > 0 {
			c.text(", ")
		}
		c.qualified(name, derivedName("c", i))
		if c.columnNames != nil {
			c.text(" AS ")
			c.quote(c.columnNames[i])
		}
	}
	if len(columns) == 0 {
		c.text("COUNT(*)")
	}
	c.text(" FROM (SELECT ")
	c.text(list)
	c.tail(inner, nil, through, keys)
	c.text(") AS ")
	c.quote(name)
	c.text(" WHERE ")
	c.qualified(name, "chosen")
	c.order(terms)
	c.limit(q)
}
