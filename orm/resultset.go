package orm

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"unsafe"
)

// Union is the rows of this Select and of others, each once. The columns of the others are
// found by their names, whatever their order, and the queries may be of other models:
//
//	type entry struct { Kind, Title string; At time.Time }
//	feed := orm.Select[entry](Posts, …).Union(orm.Select[entry](Photos, …)).OrderBy(orm.Desc(orm.Col("At"))).Limit(20)
//
// OrderBy, Limit and Offset of the result are of all rows together.
func (p Projection[Row]) Union(others ...Projection[Row]) Projection[Row] {
	return p.combine("UNION", others)
}

// UnionAll is the rows of this Select and of others; those that are the same stay several.
func (p Projection[Row]) UnionAll(others ...Projection[Row]) Projection[Row] {
	return p.combine("UNION ALL", others)
}

// Intersect is the rows that this Select and all others have.
func (p Projection[Row]) Intersect(others ...Projection[Row]) Projection[Row] {
	return p.combine("INTERSECT", others)
}

// Except is the rows of this Select that none of the others has.
func (p Projection[Row]) Except(others ...Projection[Row]) Projection[Row] {
	return p.combine("EXCEPT", others)
}

func (p Projection[Row]) combine(operator string, others []Projection[Row]) Projection[Row] {
	// The memory of a Projection is that of what it embeds.
	arms := add([]selected{p.selected}, *(*[]selected)(unsafe.Pointer(&others))...)
	return Projection[Row]{selected: selected{q: p.q, columns: p.columns, set: &setOperation{operator: operator, arms: arms}}}
}

// OrderBy sets the order of the rows, in place of an earlier one. [Col] names a column of
// the Select; what orders a set is always one.
func (p Projection[Row]) OrderBy(terms ...Order) Projection[Row] {
	return Projection[Row]{selected: p.orderBy(terms)}
}

// Limit returns at most n rows.
func (p Projection[Row]) Limit(n int) Projection[Row] {
	return Projection[Row]{selected: p.bounded(func(q *query) *query { return q.limitTo(n) })}
}

// Offset leaves out the first n rows.
func (p Projection[Row]) Offset(n int) Projection[Row] {
	return Projection[Row]{selected: p.bounded(func(q *query) *query { return q.skip(n) })}
}

// Count returns how many rows there are.
func (p Projection[Row]) Count(ctx context.Context) (int64, error) { return p.count(ctx) }

// Col is, in the order of a Select or of a set of them, the column of that name.
func Col(column string) Expr { return Expr{resultColumn(column)} }

type resultColumn string

func (e resultColumn) write(c *compiler) {
	c.failf("Col(%q) is for the OrderBy of a Select", string(e))
}

func (resultColumn) visit(*compiler, func(*node)) {}

func (resultColumn) mayBeNull(*compiler) bool { return true }

func (resultColumn) target(*compiler) target { return target{} }

// selected is a [Projection] without its type.
type selected struct {
	q       *query
	columns []Column
	set     *setOperation
}

// setOperation is a set of several selects; its query has the order and the limits.
type setOperation struct {
	operator string
	arms     []selected
	bounds   query
}

func (s selected) orderBy(terms []Order) selected {
	if s.set != nil {
		return s.bounded(func(q *query) *query { return q.orderBy(terms) })
	}
	terms = add[Order](nil, terms...)
	for i, term := range terms {
		name, ok := term.of.(resultColumn)
		if !ok {
			continue
		}
		n := s.column(string(name))
		if n < 0 {
			s.q = s.q.derive()
			s.q.fail(fmt.Errorf("orm: Col(%q): the Select has no column of that name", string(name)))
			return s
		}
		terms[i].of = s.columns[n].of
	}
	s.q = s.q.orderBy(terms)
	return s
}

// bounded changes the order or the limits.
func (s selected) bounded(change func(q *query) *query) selected {
	if s.set == nil {
		s.q = change(s.q)
		return s
	}
	set := *s.set
	set.bounds = *change(&set.bounds)
	s.set = &set
	return s
}

// column is the place of a column among those of a select; -1 if it has none of that name.
func (s selected) column(name string) int {
	for i, column := range s.columns {
		if column.name == name {
			return i
		}
	}
	return -1
}

// ready reports what stands against running the select.
func (s selected) ready() error {
	if s.set == nil {
		return s.q.ready()
	}
	for _, arm := range s.set.arms {
		if err := arm.ready(); err != nil {
			return err
		}
		for _, column := range arm.columns {
			if column.of == nil || arm.q.model.isWhole(column.of) {
				return errors.New("orm: a set of selects has whole rows, or an empty Column; name the columns with As")
			}
		}
	}
	return s.set.bounds.rare().err
}

func (s selected) count(ctx context.Context) (int64, error) {
	if err := s.ready(); err != nil {
		return 0, err
	}
	db, err := s.q.model.database(ctx, Read)
	if err != nil {
		return 0, err
	}
	c := newCompiler(db.backend.Dialect(), s.q.model)
	c.inZone(s.q.zoned(ctx))
	c.text("SELECT COUNT(*) FROM (")
	c.selected(s, s.columns)
	c.text(") AS ")
	c.quote(c.newAlias("counted"))
	if c.err != nil {
		return 0, c.err
	}
	rows, err := db.query(ctx, Statement{SQL: string(c.buf), Args: c.args})
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var n int64
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return 0, err
		}
		if err := storeInt64(unsafe.Pointer(&n), values[0]); err != nil {
			return 0, err
		}
	}
	return n, closeRows(rows)
}

// selected writes a select within a statement, its columns in the order of others by their
// names.
func (c *compiler) selected(s selected, order []Column) {
	columns := make([]Column, len(order))
	names := make([]string, len(order))
	for i, wanted := range order {
		n := s.column(wanted.name)
		if n < 0 || len(s.columns) != len(order) {
			c.failf("the parts of a set, or of a CTE, have other columns: one has %s", columnNamesIn(order))
			return
		}
		columns[i] = s.columns[n]
		names[i] = derivedName("c", i)
	}
	if s.set != nil {
		c.set(s.set, order)
		return
	}
	q := s.q
	if !q.limited && q.offset == 0 {
		q = q.orderBy(nil)
	}
	c.nested(q, func(inner *compiler) {
		inner.columnNames = names
		inner.project(q, columns, nil)
	})
}

func columnNamesIn(columns []Column) string {
	text := ""
	for i, column := range columns {
		if i > 0 {
			text += ", "
		}
		text += strconv.Quote(column.name)
	}
	return text
}

// set writes a set of selects.
func (c *compiler) set(s *setOperation, order []Column) {
	for i, arm := range s.arms {
		if i > 0 {
			c.text(" " + s.operator + " ")
		}
		// SQLite takes no ORDER BY and no LIMIT in an arm, and MySQL no parentheses around
		// one: a table of its own has neither.
		whole := arm.set != nil || arm.q.limited || arm.q.offset > 0 || len(arm.q.common()) > 0
		if whole {
			c.text("SELECT * FROM (")
		}
		c.selected(arm, order)
		if whole {
			c.text(") AS ")
			c.quote(c.newAlias("arm"))
		}
	}
	terms := add[Order](nil, s.bounds.order...)
	for i, term := range terms {
		name, ok := term.of.(resultColumn)
		n := (selected{columns: order}).column(string(name))
		switch {
		case !ok || n < 0:
			c.failf("a set of selects is ordered by its columns: orm.Asc(orm.Col(name)), with one of %s", columnNamesIn(order))
			return
		case term.nulls != "" && c.dialect.Quirks().NoNullsOrder && (term.nulls == nullsFirst) == term.desc:
			c.failf("a set of selects with NULL in another place than its own is not for %s", c.dialect.Name())
			return
		case c.dialect.Quirks().NoNullsOrder:
			term.nulls = ""
		}
		term.of = ordinal(n + 1)
		terms[i] = term
	}
	c.order(terms)
	c.limit(&s.bounds)
}
