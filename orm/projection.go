package orm

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"unsafe"
)

// Column is a column of a [Select]; see [As].
type Column struct {
	name string
	of   operand
}

// As computes a value, a field's or an [Expr]'s, into the field of that name of the
// row that [Select] fills. The prototype itself stands for the whole row of the model:
//
//	type row struct {
//		Author
//		Posts int
//	}
//	rows, err := orm.Select[row](Authors, orm.As("Author", a), orm.As("Posts", orm.Count(&a.Posts))).All(ctx)
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
	var row Row
	err := p.each(ctx, &row, func() bool {
		list = append(list, row)
		return true
	})
	if err != nil {
		return nil, err
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
		var err error
		if db, dbErr := DBFrom(ctx); dbErr == nil && db.mustBuffer(ctx) {
			var list []Row
			list, err = p.All(ctx)
			for _, item := range list {
				if !yield(item, nil) {
					return
				}
			}
		} else {
			err = p.each(ctx, &row, func() bool { return yield(row, nil) })
		}
		if err != nil {
			var none Row
			yield(none, err)
		}
	}
}

// each reads the rows into row, one after the other.
func (p Projection[Row]) each(ctx context.Context, row *Row, yield func() bool) error {
	db, s, err := p.statement(ctx)
	if err != nil {
		return err
	}
	cells, whole, err := p.cells(row)
	if err != nil {
		return err
	}
	rows, err := db.query(ctx, s)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var zero Row
		*row = zero // nothing of the row before stays
		if err := rows.Scan(cells); err != nil {
			return fmt.Errorf("orm: reading a Select of %s: %w", p.q.model.Name, err)
		}
		for _, offset := range whole {
			p.q.model.attachRow(unsafe.Add(unsafe.Pointer(row), offset))
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

// cells ties the columns to the fields of Row. The offsets are those of whole rows.
func (p Projection[Row]) cells(row *Row) (cells []Cell, whole []uintptr, err error) {
	t := reflect.TypeFor[Row]()
	s := &segment{base: unsafe.Pointer(row)}
	if c, err := codecOf(t, false); err == nil {
		if len(p.columns) != 1 {
			return nil, nil, fmt.Errorf("orm: a Select of %d columns into a %s; give it a struct with a field for each", len(p.columns), t)
		}
		return []Cell{{codec: c, segment: s}}, nil, nil
	}
	if t.Kind() != reflect.Struct {
		return nil, nil, fmt.Errorf("orm: a Select into a %s; give it a struct with a field for each column", t)
	}
	for _, column := range p.columns {
		f, ok := t.FieldByName(column.name)
		if !ok || !f.IsExported() || len(f.Index) != 1 {
			return nil, nil, fmt.Errorf("orm: As(%q): %s has no exported field of that name", column.name, t)
		}
		if p.q.model.isWhole(column.of) {
			if f.Type != p.q.model.Type {
				return nil, nil, fmt.Errorf("orm: As(%q): a row of %s does not fit into a %s", column.name, p.q.model.Name, f.Type)
			}
			for _, g := range p.q.model.reading() {
				cells = append(cells, Cell{codec: g.codec, offset: f.Offset + g.offset, segment: s, field: g})
			}
			whole = append(whole, f.Offset)
			continue
		}
		c, err := codecOf(f.Type, false)
		if err != nil {
			return nil, nil, fmt.Errorf("orm: As(%q): %w", column.name, err)
		}
		cells = append(cells, Cell{codec: c, offset: f.Offset, segment: s})
	}
	return cells, whole, nil
}

// isWhole reports whether an operand is the model's prototype itself.
func (m *ModelInfo) isWhole(of operand) bool {
	r, ok := of.(ref)
	return ok && r.ptr == m.names.root.base && r.typ == m.Type
}

// wholeRow is all columns of the query's own table.
type wholeRow struct{ place }

func (e wholeRow) write(c *compiler) { c.columns(c.alias, &loadSegment{model: c.root.model}) }

// project writes the SELECT of a projection.
func (c *compiler) project(q *query, columns []Column) {
	c.flat, c.grouped = true, true
	if len(columns) == 0 {
		c.failf("a Select without columns")
		return
	}
	columns = slices.Clone(columns)
	for i, column := range columns {
		if m := c.root.model; m.isWhole(column.of) {
			columns[i].of = wholeRow{place{c.root, target{m.PrimaryKey, m.PrimaryKey.codec}}}
		}
	}
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
		of := column.of
		if row, ok := of.(wholeRow); ok {
			of = row.place // the other columns follow from the key
		}
		if sql := c.probe(of); !isAggregate(of) && !seen[sql] {
			seen[sql] = true
			group = append(group, of)
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
	case *coalesce:
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
