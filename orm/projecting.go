package orm

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"unsafe"
)

// projecting is one run of a [Projection]: its statement, and the cells that tie the
// columns to the fields of a Row in memory.
type projecting struct {
	q         *query
	db        *DB
	statement Statement
	row       reflect.Value // what the cells fill
	cells     []Cell
	values    []string // the keys of a Row that is a map
	reader    *reader  // of a whole row of the model, nil if there is none
	whole     reflect.StructField
}

func (p Projection[Row]) run(ctx context.Context, row *Row) (*projecting, error) {
	r := &projecting{q: p.q, row: reflect.ValueOf(row).Elem()}
	if err := p.ready(); err != nil {
		return nil, err
	}
	if p.q.rare().lock != nil {
		return nil, fmt.Errorf("orm: ForUpdate is for rows of %s, not for a Select", p.q.model.Name)
	}
	columns := p.columns
	if p.set == nil {
		var err error
		if columns, err = r.take(columns); err != nil {
			return nil, err
		}
	}
	if err := r.tie(columns); err != nil {
		return nil, err
	}
	var err error
	if r.db, err = p.q.model.database(ctx, Read); err != nil {
		return nil, err
	}
	c := newCompiler(r.db.backend.Dialect(), p.q.model)
	c.inZone(p.q.zoned(ctx))
	if p.set != nil {
		c.selected(p.selected, columns)
	} else {
		c.project(p.q, columns, r.reader)
	}
	r.statement = Statement{SQL: string(c.buf), Args: c.args}
	return r, c.err
}

// take finds the column that stands for the whole row, and returns the others.
func (r *projecting) take(columns []Column) ([]Column, error) {
	m, t := r.q.model, r.row.Type()
	var rest []Column
	name := ""
	for _, column := range columns {
		switch {
		case column.of == nil:
			return nil, fmt.Errorf("orm: an empty Column{}")
		case !m.isWhole(column.of):
			rest = append(rest, column)
		case name != "":
			return nil, fmt.Errorf("orm: a Select of the whole row both as %s and as %s", name, column.name)
		default:
			name = column.name
		}
	}
	if name == "" && t.Kind() == reflect.Struct {
		for f := range t.Fields() {
			if f.Anonymous && f.Type == m.Type {
				name = f.Name
			}
		}
	}
	if name == "" {
		if len(r.q.with) > 0 {
			return nil, fmt.Errorf("orm: With loads relations of %s, and the rows of this Select have none; embed %s in %s", m.Name, m.Name, t)
		}
		return rest, nil
	}
	f, err := rowField(t, name)
	if err != nil {
		return nil, err
	}
	if f.Type != m.Type {
		return nil, fmt.Errorf("orm: As(%q): a row of %s does not fit into a %s", name, m.Name, f.Type)
	}
	if len(r.q.rare().choices) > 0 {
		return nil, fmt.Errorf("orm: a Select of whole rows of %s with LoadOnly or Omit; name the columns with As", m.Name)
	}
	plan, err := r.q.loadPlan()
	r.whole, r.reader = f, newReader(m, plan)
	return rest, err
}

// rowField is the field of a Row that a column names.
func rowField(t reflect.Type, name string) (reflect.StructField, error) {
	if t.Kind() == reflect.Struct {
		if f, ok := t.FieldByName(name); ok && f.IsExported() && len(f.Index) == 1 {
			return f, nil
		}
	}
	return reflect.StructField{}, fmt.Errorf("orm: As(%q): %s has no exported field of that name", name, t)
}

// tie makes the cells of the columns.
func (r *projecting) tie(columns []Column) error {
	t := r.row.Type()
	base := r.row.Addr().UnsafePointer()
	own := &segment{base: base}
	if r.reader != nil {
		root := r.reader.root
		root.base = unsafe.Add(base, r.whole.Offset)
		for _, f := range root.reading() {
			r.cells = append(r.cells, Cell{codec: f.codec, offset: f.offset, segment: &root.segment, field: f})
		}
		for _, kid := range root.kids {
			r.reader.addCells(kid)
		}
		r.cells = append(r.cells, r.reader.cells...)
	}
	if t.Kind() == reflect.Map && t.Key().Kind() == reflect.String && t.Elem().Kind() == reflect.Interface {
		for _, column := range columns {
			r.values = append(r.values, column.name)
		}
		return nil
	}
	if c, err := codecOf(t, false); err == nil && r.reader == nil {
		if len(columns) != 1 {
			return fmt.Errorf("orm: a Select of %d columns into a %s; give it a struct with a field for each", len(columns), t)
		}
		r.cells = []Cell{{codec: c, segment: own}}
		return nil
	}
	if t.Kind() != reflect.Struct {
		return fmt.Errorf("orm: a Select into a %s; give it a struct with a field for each column", t)
	}
	for _, column := range columns {
		f, err := rowField(t, column.name)
		if err != nil {
			return err
		}
		c, err := codecOf(f.Type, hasTag(f, "json"))
		if err != nil {
			return fmt.Errorf("orm: As(%q): %w", column.name, err)
		}
		r.cells = append(r.cells, Cell{codec: c, offset: f.Offset, segment: own})
	}
	return nil
}

// hasTag reports whether a field of a Row has a word in its orm tag.
func hasTag(f reflect.StructField, word string) bool {
	words, err := parseTag(f.Tag.Get("orm"))
	return err == nil && words.has(word)
}

// each reads the rows, one after the other into the same memory.
func (r *projecting) each(ctx context.Context, yield func() bool) error {
	rows, err := r.db.query(ctx, r.statement)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		r.row.SetZero() // nothing of the row before stays
		if err := r.scan(rows); err != nil {
			return fmt.Errorf("orm: reading a Select of %s: %w", r.q.model.Name, err)
		}
		if !yield() {
			return nil
		}
	}
	return closeRows(rows)
}

func (r *projecting) scan(rows Rows) error {
	if r.values != nil {
		values, err := rows.Values()
		if err != nil {
			return err
		}
		r.row.Set(reflect.MakeMapWithSize(r.row.Type(), len(values)))
		for i, v := range values {
			if v != nil {
				r.row.SetMapIndex(reflect.ValueOf(r.values[i]).Convert(r.row.Type().Key()), reflect.ValueOf(v))
				continue
			}
			r.row.SetMapIndex(reflect.ValueOf(r.values[i]).Convert(r.row.Type().Key()), reflect.Zero(r.row.Type().Elem()))
		}
		return nil
	}
	if err := rows.Scan(r.cells); err != nil {
		return err
	}
	if r.reader != nil {
		root := r.reader.root
		root.finish()
		root.rows = nil // the row moves: see loadMany
	}
	return nil
}

// buffered reports that the rows must all be read before the first is handed out.
func (r *projecting) buffered(ctx context.Context) bool {
	if r.db.mustBuffer(ctx) {
		return true
	}
	return r.reader != nil && slices.ContainsFunc(r.reader.segments(), func(s *loadSegment) bool { return len(s.many) > 0 })
}

// loadMany loads the relations to many of the models in n rows, where they are now.
func (r *projecting) loadMany(ctx context.Context, n int, row func(i int) unsafe.Pointer) error {
	if r.reader == nil {
		return nil
	}
	root := r.reader.root
	if len(root.many) > 0 {
		for i := range n {
			root.rows = append(root.rows, unsafe.Add(row(i), r.whole.Offset))
		}
	}
	return root.loadMany(ctx, r.db)
}

func pointers[Row any](list []Row) func(i int) unsafe.Pointer {
	return func(i int) unsafe.Pointer { return unsafe.Pointer(&list[i]) }
}

// isWhole reports whether an operand is the model's prototype itself.
func (m *ModelInfo) isWhole(of operand) bool {
	r, ok := asRef(of)
	return ok && r.ptr == m.names.root.base && r.typ == m.Type
}

// project writes the SELECT of a projection: the whole row of the reader, if there is
// one, and then the columns.
func (c *compiler) project(q *query, columns []Column, r *reader) {
	c.flat = true
	c.joinTables(q)
	if len(columns) == 0 && r == nil {
		c.failf("a Select without columns")
		return
	}
	c.noteJoined(q, columns)
	grouped := len(q.rare().group) > 0 || q.rare().whole || len(q.rare().having) > 0
	for _, column := range columns {
		grouped = grouped || c.groupsRows(column.of)
	}
	before := 0
	var list []func()
	if r != nil {
		list = c.columnsOf(r)
		before = len(list)
	}
	keys := slices.Clone(q.rare().group)
	for _, column := range columns {
		if c.partsOf(column.of) != nil {
			c.failf("the column %s of a Select is a key of several columns; name each, such as &l.Key.Number", column.name)
			return
		}
		list = append(list, func() {
			if isOneOf(column.of, keys) {
				c.ofRows(func() { column.of.write(c) })
				return
			}
			column.of.write(c)
		})
	}
	order := q.orderTerms()
	if grouped {
		c.groups = true
		q = q.derive()
		q.own().group = c.allGroups(q.rare().group, q.rare().whole, columns, r)
		if !q.ordered {
			order = nil
		}
	}
	q = q.derive()
	for i, of := range q.rare().group {
		q.rare().group[i] = position(of, columns, before)
	}
	order = slices.Clone(order)
	for i := range order {
		// A database without NULLS FIRST gets two terms, one of which looks at the value.
		if order[i].of != nil && (order[i].nulls == "" || !c.dialect.Quirks().NoNullsOrder) {
			order[i].of = position(order[i].of, columns, before)
		}
	}
	c.selection(q, order, nil, nil, func() {
		for i, column := range list {
			if i > 0 {
				c.text(", ")
			}
			column()
			if c.columnNames != nil {
				c.text(" AS ")
				c.quote(c.columnNames[i])
			}
		}
	}, func() []func() { return list })
	c.checkRepeats()
}

// noteJoined finds the relations to many that the columns and groups join.
func (c *compiler) noteJoined(q *query, columns []Column) {
	note := func(n *node) {
		for m := n.many(); m != nil && !n.tree.outer; m = m.parent.many() {
			if !contains(c.joinedTo, m) {
				c.joinedTo = append(c.joinedTo, m)
			}
		}
	}
	for _, column := range columns {
		column.of.visit(c, note)
	}
	for _, of := range q.rare().group {
		of.visit(c, note)
	}
}

// groupsRows reports whether a part of a column is an aggregate over the rows of the
// query.
func (c *compiler) groupsRows(of operand) bool {
	return find(of, func(part expr) bool {
		a, ok := part.(*aggregate)
		if !ok {
			return false
		}
		m, _ := a.relation(c)
		return m == nil
	})
}

// allGroups adds the columns that are no aggregates to what the query groups by.
func (c *compiler) allGroups(group []operand, whole bool, columns []Column, r *reader) []operand {
	group = add(group)
	put := func(of operand) {
		if !isOneOf(of, group) {
			group = append(group, of)
		}
	}
	if r != nil {
		// The other columns follow from the keys.
		var walk func(n *node, s *loadSegment)
		walk = func(n *node, s *loadSegment) {
			put(place{n, target{s.model.PrimaryKey, s.model.PrimaryKey.codec}})
			for _, kid := range s.kids {
				walk(n.step(kid.via), kid)
			}
		}
		walk(c.root, r.root)
	}
	for _, column := range columns {
		_, isValue := column.of.(*value)
		switch {
		case hasAggregate(column.of), hasWindow(column.of), isValue:
		case whole:
			c.failf("the column %s of an Aggregate is no aggregate; use Select with GroupBy", column.name)
		default:
			put(column.of)
		}
	}
	return group
}

func isOneOf(of operand, list []operand) bool {
	return slices.ContainsFunc(list, func(other operand) bool { return sameExpr(of, other) })
}

// position names an expression by its place among the columns, where it is one of them:
// that its text comes twice is not enough for databases whose parameters are numbered.
func position(of operand, columns []Column, before int) operand {
	if _, ok := asRef(of); ok {
		return of
	}
	for i, column := range columns {
		if sameExpr(of, column.of) {
			return ordinal(before + i + 1)
		}
	}
	return of
}

// ordinal is the number of a column, in GROUP BY and ORDER BY.
type ordinal int

func (e ordinal) write(c *compiler) { c.buf = strconv.AppendInt(c.buf, int64(e), 10) }

func (ordinal) visit(*compiler, func(*node)) {}

func (ordinal) mayBeNull(*compiler) bool { return true }

func (ordinal) target(*compiler) target { return target{} }
