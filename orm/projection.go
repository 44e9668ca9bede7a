package orm

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"unsafe"
)

// Column is a column of a [Select]; see [As].
type Column struct {
	name string
	of   operand
}

// As computes a value, a field's or an [Expr]'s, into the field of that name of the
// row that [Select] fills.
func As(name string, value any) Column { return Column{name, operandOf(value)} }

// Projection is a query whose rows are not models. It is made by [Select].
type Projection[Row any] struct {
	q       *query
	columns []Column
}

// Select makes a query of chosen or computed columns. Row is a struct, whose fields
// the columns name, or, for a single column, a type that a field can have:
//
//	type row struct {
//		Author string
//		Posts  int
//	}
//	stats, err := orm.Select[row](Posts.GroupBy(&p.Author.To().Username),
//		orm.As("Author", &p.Author.To().Username),
//		orm.As("Posts", orm.Count(&p.ID))).All(ctx)
//
// Beside an aggregate every column that is none is grouped by. Relations to many
// are joined, and so may repeat rows; an aggregate that would count rows twice
// because of that is an error. The model's own order applies only without
// aggregates.
func Select[Row, T any](q QuerySet[T], columns ...Column) Projection[Row] {
	return Projection[Row]{q.use(), columns}
}

// All returns the rows.
func (p Projection[Row]) All(ctx context.Context) ([]Row, error) {
	var list []Row
	for row, err := range p.Each(ctx) {
		if err != nil {
			return nil, err
		}
		list = append(list, row)
	}
	return list, nil
}

// Get returns the only row. Without one the error is ErrNotFound, with more than
// one it is ErrMultiple.
func (p Projection[Row]) Get(ctx context.Context) (Row, error) {
	var zero Row
	rows, err := p.All(ctx)
	switch {
	case err != nil:
		return zero, err
	case len(rows) == 0:
		return zero, p.q.notFound()
	case len(rows) > 1:
		return zero, fmt.Errorf("%w of the Select of %s", ErrMultiple, p.q.model.Label())
	}
	return rows[0], nil
}

// Each returns the rows one by one as they arrive. The loop may end early.
func (p Projection[Row]) Each(ctx context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		var row Row
		err := p.each(ctx, &row, func() bool {
			ok := yield(row, nil)
			clear(unsafe.Slice(&row, 1))
			return ok
		})
		if err != nil {
			yield(row, err)
		}
	}
}

func (p Projection[Row]) each(ctx context.Context, row *Row, yield func() bool) error {
	db, s, err := p.statement(ctx)
	if err != nil {
		return err
	}
	cells, err := p.cells(row)
	if err != nil {
		return err
	}
	rows, err := db.query(ctx, s)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		for i := range cells {
			cells[i].segment.base = unsafe.Pointer(row)
		}
		if err := rows.Scan(cells); err != nil {
			return fmt.Errorf("orm: reading a Select of %s: %w", p.q.model.Name, err)
		}
		if !yield() {
			return nil
		}
	}
	return closeRows(rows)
}

// SQL returns the statement that All would send to the context's database, and its
// arguments.
func (p Projection[Row]) SQL(ctx context.Context) (string, []any, error) {
	_, s, err := p.statement(ctx)
	return s.SQL, s.Args, err
}

func (p Projection[Row]) statement(ctx context.Context) (*DB, Statement, error) {
	if err := p.q.ready(); err != nil {
		return nil, Statement{}, err
	}
	if len(p.q.with) > 0 {
		return nil, Statement{}, errors.New("orm: With loads relations of models; a Select has none")
	}
	db, err := DBFrom(ctx)
	if err != nil {
		return nil, Statement{}, err
	}
	c := newCompiler(db.backend.Dialect(), p.q.model)
	c.project(p.q, p.columns)
	return db, Statement{SQL: string(c.buf), Args: c.args}, c.err
}

// cells ties the columns to the fields of Row.
func (p Projection[Row]) cells(row *Row) ([]Cell, error) {
	t := reflect.TypeFor[Row]()
	s := &segment{base: unsafe.Pointer(row)}
	if len(p.columns) == 0 {
		return nil, errors.New("orm: a Select without columns")
	}
	if t.Kind() != reflect.Struct || t == timeType {
		codec, err := codecOf(t, false)
		if err != nil || len(p.columns) != 1 {
			return nil, fmt.Errorf("orm: a Select of %d columns into a %s; give it a struct with a field for each", len(p.columns), t)
		}
		return []Cell{{codec: codec, segment: s}}, nil
	}
	cells := make([]Cell, len(p.columns))
	for i, column := range p.columns {
		f, ok := t.FieldByName(column.name)
		if !ok || !f.IsExported() || len(f.Index) != 1 {
			return nil, fmt.Errorf("orm: As(%q): %s has no exported field of that name", column.name, t)
		}
		codec, err := codecOf(f.Type, false)
		if err != nil {
			return nil, fmt.Errorf("orm: As(%q): %w", column.name, err)
		}
		cells[i] = Cell{codec: codec, offset: f.Offset, segment: s}
	}
	return cells, nil
}

// project writes the SELECT of a projection.
func (c *compiler) project(q *query, columns []Column) {
	c.flat, c.grouped = true, true
	var list []string
	aggregates := false
	for _, column := range columns {
		list = append(list, c.sub(func() { column.of.write(c) }))
		aggregates = aggregates || isAggregate(column.of)
	}
	q = q.derive()
	if aggregates || len(q.group) > 0 {
		q.group = c.allGroups(q.group, columns)
		if !q.ordered {
			q.order, q.ordered = nil, true
		}
	}
	c.checkRepeats(columns, q.group)
	c.text("SELECT ")
	if q.distinct {
		c.text("DISTINCT ")
	}
	c.text(strings.Join(list, ", "))
	c.tail(q, q.orderTerms(), nil)
}

// allGroups adds the columns that are no aggregates to what the query groups by.
func (c *compiler) allGroups(group []operand, columns []Column) []operand {
	seen := map[string]bool{}
	group = add(group)
	for _, of := range group {
		seen[c.probe(of)] = true
	}
	for _, column := range columns {
		sql := c.probe(column.of)
		if !isAggregate(column.of) && !seen[sql] {
			seen[sql] = true
			group = append(group, column.of)
		}
	}
	return group
}

func isAggregate(of operand) bool {
	switch of := of.(type) {
	case *aggregate:
		return true
	case *function:
		return isAggregate(of.of)
	}
	return false
}

// checkRepeats refuses aggregates whose rows a join of another relation to many
// repeats: their result would be too large, and nobody would see it.
func (c *compiler) checkRepeats(columns []Column, group []operand) {
	var joined, grouped []*node
	note := func(list *[]*node) func(*node) {
		return func(n *node) {
			for m := n.many(); m != nil; m = m.parent.many() {
				if !contains(*list, m) {
					*list = append(*list, m)
				}
			}
		}
	}
	for _, column := range columns {
		column.of.visit(c, note(&joined))
	}
	for _, of := range group {
		of.visit(c, note(&grouped))
	}
	for _, column := range columns {
		a, ok := column.of.(*aggregate)
		if !ok || !a.multiplies() {
			continue
		}
		var own []*node
		a.visit(c, note(&own))
		for _, m := range joined {
			if !contains(own, m) && !contains(grouped, m) {
				c.failf("the column %s counts rows once for each row of %s; use CountDistinct, or a query of its own", column.name, m.path)
				return
			}
		}
	}
}
