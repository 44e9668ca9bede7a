package orm

import (
	"errors"
	"strconv"
	"unsafe"
)

// errWindow is met where a value over a window stands in a Where: the query is then
// written in the other way, see filtered.
var errWindow = errors.New("orm: a window in Where")

var errWindowPlace = errors.New("orm: a value over a window stands in Select, OrderBy and Where, and nowhere else")

// source is what stands in a FROM in place of the model's table: a SELECT with the
// table's columns.
type source interface{ write(c *compiler) }

// derivedColumn is a column of a subquery in FROM.
type derivedColumn struct{ table, name string }

func derivedName(prefix string, i int) string { return prefix + strconv.Itoa(i) }

func (e derivedColumn) write(c *compiler) { c.qualified(e.table, e.name) }

func (derivedColumn) visit(*compiler, func(*node)) {}

func (derivedColumn) mayBeNull(*compiler) bool { return true }

func (derivedColumn) target(*compiler) target { return target{} }

// Derived makes the rows of the query, as it is so far, a table of which the steps that
// follow make another query. So a Where after a Limit chooses among the rows within
// the limit, and an order among them is another:
//
//	Posts.OrderBy(orm.Desc(&p.Views)).Limit(10).Derived().OrderBy(orm.Asc(&p.Title))
func (s *Query[P]) Derived() *Query[P] { return typed[P](s.use().derived()) }

func (q *query) derived() *query { return q.over(derived{q}) }

// over is a query of the same model over another source, which has left out rows marked
// as deleted where it should. Relations to load stay.
func (q *query) over(s source) *query {
	return &query{model: q.model, with: q.with, withDeleted: true, unusual: &unusual{err: q.rare().err, choices: q.rare().choices, source: s}}
}

type derived struct{ query *query }

func (s derived) write(c *compiler) {
	c.nested(s.query, func(inner *compiler) { inner.selectTable(s.query) })
}

// selectTable writes the SELECT of all columns of a query's model by their own names.
func (c *compiler) selectTable(q *query) {
	if len(q.rare().group) > 0 || len(q.rare().having) > 0 {
		c.failf("a query of %s with GroupBy or Having has no rows to go on with", q.model.Name)
		return
	}
	var order []Order
	if q.limited || q.offset > 0 {
		order = q.keyOrder()
	}
	root := &loadSegment{model: q.model}
	list := func() (columns []func()) {
		for _, f := range q.model.reading() {
			columns = append(columns, func() { c.qualified(c.alias, f.Column) })
		}
		return columns
	}
	c.columnNames = tableColumns(q.model)
	c.selection(q, order, nil, nil, func() { c.writeColumns(c.alias, root) }, list)
	c.columnNames = nil
}

func tableColumns(m *ModelInfo) []string {
	var names []string
	for _, f := range m.reading() {
		names = append(names, f.Column)
	}
	return names
}

// Union is the rows of this query and of others, each once. Steps that follow, such as
// Where, OrderBy, Limit and With, are of all of them together. An order counts within
// one of them only together with a Limit.
func (s *Query[P]) Union(others ...*Query[P]) *Query[P] {
	return typed[P](s.use().combine("UNION", queries(others)))
}

// UnionAll is the rows of this query and of others; one that is in several comes
// several times.
func (s *Query[P]) UnionAll(others ...*Query[P]) *Query[P] {
	return typed[P](s.use().combine("UNION ALL", queries(others)))
}

// Intersect is the rows that are in this query and in all others.
func (s *Query[P]) Intersect(others ...*Query[P]) *Query[P] {
	return typed[P](s.use().combine("INTERSECT", queries(others)))
}

// Except is the rows of this query that are in none of the others.
func (s *Query[P]) Except(others ...*Query[P]) *Query[P] {
	return typed[P](s.use().combine("EXCEPT", queries(others)))
}

// queries reads a list of queries as one without their type: the memory is the same.
func queries[P any](list []*Query[P]) []*query { return *(*[]*query)(unsafe.Pointer(&list)) }

func (q *query) combine(operator string, others []*query) *query {
	arms := []*query{q}
	err := q.rare().err
	for _, other := range others {
		if other == nil {
			other = &query{}
		}
		arms = append(arms, other)
		if err == nil {
			err = other.rare().err
		}
	}
	combined := q.over(combination{operator, arms})
	combined.own().err = err
	return combined
}

// combination is a set operation on queries of one model.
type combination struct {
	operator string
	arms     []*query
}

func (s combination) write(c *compiler) {
	for i, arm := range s.arms {
		if i > 0 {
			c.text(" " + s.operator + " ")
		}
		if arm.model == nil {
			c.fail(arm.ready())
			return
		}
		// SQLite takes no ORDER BY and no LIMIT in an arm, and MySQL no parentheses
		// around one: a table of its own has neither.
		whole := arm.limited || arm.offset > 0 || len(arm.common()) > 0
		if whole {
			c.text("SELECT * FROM (")
		}
		derived{arm}.write(c)
		if whole {
			c.text(") AS ")
			c.quote(c.newAlias("arm"))
		}
	}
}

// DistinctOn keeps one row of those that have the same values in the fields, the first
// in the query's order:
//
//	Posts.OrderBy(orm.Desc(&p.Published)).DistinctOn(&p.Author)    // the latest of each author
func (s *Query[P]) DistinctOn(fields ...any) *Query[P] { return typed[P](s.use().distinctOn(fields)) }

func (q *query) distinctOn(fields []any) *query {
	first := RowNumber().Over(Window{PartitionBy: fields, OrderBy: q.keyOrder()}).Eq(1)
	return q.filter([]Cond{first})
}
