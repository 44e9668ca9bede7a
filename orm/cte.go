package orm

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/retort-web/retort/internal/naming"
)

// CTE is a common table expression: a query that has a name within a statement, whose rows
// can be joined to those of others, or read by themselves. It is made by [NewCTE] and
// [NewRecursiveCTE], and is immutable.
type CTE[Row any] struct {
	_ [0]Row
	c *cte
}

// CommonTable is a [CTE] of any type.
type CommonTable interface{ commonTable() *cte }

// cte is a CTE without the type of its rows.
type cte struct {
	name         string
	model        *ModelInfo // stands for the Row: its names, and how they are read
	start        selected
	step         *selected // of a recursive one
	distinct     bool
	materialized string
	err          error
}

// NewCTE gives the rows of a Select a name. Each column is that of the field of Row that it
// names; Fields names them in conditions, orders and columns of the queries that join it:
//
//	type total struct{ Author, Votes int64 }
//	totals := orm.NewCTE("totals", orm.Select[total](Posts.GroupBy(&p.Author.ID),
//		orm.As("Author", &p.Author.ID), orm.As("Votes", orm.Sum(&p.Comments.To().Votes))))
//	t := totals.Fields()
//	Users.Join(totals, orm.EqField(&u.ID, &t.Author)).Where(orm.Gt(&t.Votes, 100))
//
// The first field of Row must not be NULL in any row: it tells whether there is one.
func NewCTE[Row any](name string, rows Projection[Row]) *CTE[Row] {
	return &CTE[Row]{c: newCTE(name, reflect.TypeFor[Row](), rows.selected)}
}

// NewRecursiveCTE begins with the rows of a Select and adds those that step makes of the
// rows added last, until it makes none. What step returns joins the table to itself:
//
//	tree := orm.NewRecursiveCTE("tree",
//		orm.Select[branch](Categories.Where(orm.IsNull(&c.Parent.ID)), orm.As("ID", &c.ID), orm.As("Path", &c.Name)),
//		func(tree *orm.CTE[branch]) orm.Projection[branch] {
//			t := tree.Fields()
//			return orm.Select[branch](Categories.Join(tree, orm.EqField(&c.Parent.ID, &t.ID)),
//				orm.As("ID", &c.ID), orm.As("Path", orm.Concat(&t.Path, "/", &c.Name)))
//		})
//
// Where the rows may go in circles, step needs a condition that ends them, or Distinct does.
// [Query.Walk] is the shorter way along a relation.
func NewRecursiveCTE[Row any](name string, start Projection[Row], step func(self *CTE[Row]) Projection[Row]) *CTE[Row] {
	t := NewCTE(name, start)
	next := step(t)
	t.c.step = &next.selected
	return t
}

// Fields returns the prototype of the rows, whose fields' addresses are their names.
func (t *CTE[Row]) Fields() *Row { return (*Row)(t.c.model.names.root.base) }

// Rows is the query of the rows by themselves.
func (t *CTE[Row]) Rows() QuerySet[Row] {
	return typed[*Row](&query{model: t.c.model, unusual: &unusual{from: t.c, err: t.c.err}})
}

// Distinct keeps, of the rows of a recursive one that are the same, one.
func (t *CTE[Row]) Distinct() *CTE[Row] {
	c := *t.c
	c.distinct = true
	return &CTE[Row]{c: &c}
}

// Materialized makes PostgreSQL and SQLite compute all rows first, once.
func (t *CTE[Row]) Materialized() *CTE[Row] { return t.as(" MATERIALIZED") }

// NotMaterialized makes PostgreSQL and SQLite treat the rows as a part of the query that uses
// them, even if it does so twice.
func (t *CTE[Row]) NotMaterialized() *CTE[Row] { return t.as(" NOT MATERIALIZED") }

func (t *CTE[Row]) as(materialized string) *CTE[Row] {
	c := *t.c
	c.materialized = materialized
	return &CTE[Row]{c: &c}
}

func (t *CTE[Row]) commonTable() *cte {
	if t == nil {
		return nil
	}
	return t.c
}

// Join joins the rows of a common table expression that meet the conditions: a row is there
// once for each of those, and not at all without one.
func (s *Query[P]) Join(table CommonTable, on ...Cond) *Query[P] {
	return typed[P](s.use().joinTable(table, false, on))
}

// LeftJoin is Join that keeps rows for which there is none; the other table's fields are then
// NULL.
func (s *Query[P]) LeftJoin(table CommonTable, on ...Cond) *Query[P] {
	return typed[P](s.use().joinTable(table, true, on))
}

// Join is [Query.Join].
func (s AnySet) Join(table CommonTable, on ...Cond) AnySet {
	return AnySet{s.use().joinTable(table, false, on)}
}

// LeftJoin is [Query.LeftJoin].
func (s AnySet) LeftJoin(table CommonTable, on ...Cond) AnySet {
	return AnySet{s.use().joinTable(table, true, on)}
}

// tableJoin is a common table expression joined to a query.
type tableJoin struct {
	cte  *cte
	on   []expr
	left bool
}

func (q *query) joinTable(table CommonTable, left bool, on []Cond) *query {
	d := q.derive()
	t := table.commonTable()
	switch {
	case t == nil:
		d.fail(errors.New("orm: Join of a nil CTE"))
		return d
	case t.err != nil:
		d.fail(t.err)
	case len(on) == 0:
		d.fail(fmt.Errorf("orm: Join of the CTE %s without a condition, which would join each row to all others", t.name))
	}
	d.own().tables = add(d.rare().tables, tableJoin{t, exprs(on), left})
	return d
}

// fail keeps the first mistake made while the query was built.
func (q *query) fail(err error) {
	if q.rare().err == nil {
		q.own().err = err
	}
}

func newCTE(name string, row reflect.Type, start selected) *cte {
	c := &cte{name: name, start: start}
	c.model = &ModelInfo{
		Name: row.Name(), Package: row.PkgPath(), Table: name, alias: name, Type: row, registered: true, common: c,
		byColumn: map[string]*FieldInfo{}, bySnake: map[string]*FieldInfo{}, byName: map[string]*FieldInfo{},
		byAddress: map[address]target{}, alloc: allocator(row), allocMany: manyAllocator(row),
	}
	c.err = c.build(row)
	c.model.resolution.done.Store(true)
	c.model.names = newTree(c.model)
	return c
}

// build reads the struct of the rows.
func (c *cte) build(row reflect.Type) error {
	m := c.model
	if row.Kind() != reflect.Struct {
		return fmt.Errorf("orm: the CTE %s has rows of the type %s; give it a struct with a field for each column", c.name, row)
	}
	if mistakes := m.addFields(row, 0); len(mistakes) > 0 {
		return fmt.Errorf("orm: the rows of the CTE %s: %w", c.name, &modelMistakes{m.Name, mistakes})
	}
	switch {
	case !naming.IsIdentifier(c.name) || infoOfTable("", c.name) != nil:
		return fmt.Errorf("orm: %q cannot name a CTE: it is the table of a model, or has quotes, points, backslashes or control characters", c.name)
	case len(m.columns) == 0 || len(m.attach) > 0:
		return fmt.Errorf("orm: the rows of the CTE %s are %s, which has no columns, or relations; a key is a plain field", c.name, row)
	case m.columns[0].Null:
		return fmt.Errorf("orm: the first field of %s, rows of the CTE %s, may be NULL; put one that may not first", row, c.name)
	}
	if m.PrimaryKey == nil {
		m.PrimaryKey = m.columns[0]
	}
	return nil
}

// body is the model whose rows the table is made of, by which its database is chosen.
func (c *cte) body() *ModelInfo {
	m := c.start.q.model
	if m != nil && m.common != nil {
		return m.common.body()
	}
	return m
}

// common are the common table expressions that a query uses itself.
func (q *query) common() []*cte {
	var list []*cte
	if q.rare().from != nil {
		list = append(list, q.rare().from)
	}
	for _, t := range q.rare().tables {
		list = append(list, t.cte)
	}
	return list
}

// declare writes the WITH of a SELECT.
func (c *compiler) declare(q *query) {
	before := ""
	for _, t := range q.common() {
		if c.commonName(t.model.names) != "" {
			continue
		}
		if before == "" {
			c.text("WITH ")
			if recursive(q) {
				c.text("RECURSIVE ")
			}
		}
		c.text(before)
		before = ", "
		c.define(t)
	}
	if before != "" {
		c.text(" ")
	}
}

func recursive(q *query) bool {
	for _, t := range q.common() {
		if t.step != nil {
			return true
		}
	}
	return false
}

// define writes one common table expression.
func (c *compiler) define(t *cte) {
	if c.inline {
		c.failf("a CTE cannot stand in a constraint or index")
		return
	}
	if c.aliases == nil {
		c.aliases = map[string]bool{strings.ToLower(c.alias): true}
	}
	name := t.name
	if t != c.rootCTE() {
		name = c.newAlias(t.name)
	}
	if c.commons == nil {
		c.commons = map[*tree]string{}
	}
	if t.step != nil {
		c.commons[t.model.names] = name
	}
	columns := t.start.columnsOf(c, t)
	c.quote(name)
	c.text(" (")
	var names []string
	for _, f := range columns {
		names = append(names, f.Column)
	}
	c.columnNamesOf("", names)
	c.text(") AS")
	if !c.dialect.Quirks().NoMaterialized {
		c.text(t.materialized)
	}
	c.text(" (")
	c.arm(t, t.start, columns)
	if t.step != nil {
		c.text(" UNION ")
		if !t.distinct {
			c.text("ALL ")
		}
		c.arm(t, *t.step, columns)
	}
	c.text(")")
	c.commons[t.model.names] = name
}

// rootCTE is the common table expression that the query itself reads; nil for a table.
func (c *compiler) rootCTE() *cte { return c.root.model.common }

// rootTable is the table that the query reads.
func (c *compiler) rootTable() string {
	if t := c.rootCTE(); t != nil {
		return c.commonName(t.model.names)
	}
	return c.root.model.Table
}

// columnsOf are the fields of the rows in the order of the columns.
func (s selected) columnsOf(c *compiler, t *cte) []*FieldInfo {
	var list []*FieldInfo
	for _, column := range s.columns {
		f := t.model.byName[column.name]
		if f == nil || f.Column == "" {
			c.failf("As(%q) in the CTE %s: %s has no field of that name", column.name, t.name, t.model.Type)
			return list
		}
		list = append(list, f)
	}
	return list
}

// arm writes the SELECT of one part of a common table expression, with its columns in the
// order of the first part.
func (c *compiler) arm(t *cte, s selected, order []*FieldInfo) {
	own := s.columnsOf(c, t)
	if c.err != nil {
		return
	}
	if len(own) != len(order) {
		c.failf("the parts of the CTE %s have %d and %d columns", t.name, len(order), len(own))
		return
	}
	var columns []Column
	for _, f := range order {
		found := false
		for i, column := range s.columns {
			if own[i] != f {
				continue
			}
			found = true
			if column.of == nil {
				c.failf("an empty Column{} in the CTE %s", t.name)
				return
			}
			if t.step != nil {
				// The parts must have the same types, to the letter.
				e := &call{f: Function{Name: "cast_wide", Args: 1, Type: f.codec.typ}, args: []operand{column.of}}
				column.of = e
			}
			columns = append(columns, column)
		}
		if !found {
			c.failf("a part of the CTE %s has no column %s", t.name, f.Name)
			return
		}
	}
	q := s.q
	if s.set != nil {
		if t.step != nil {
			c.failf("a part of the recursive CTE %s is a set of selects; give the sets names of their own", t.name)
			return
		}
		c.selected(s, columns)
		return
	}
	if t.step != nil && (q.limited || q.offset > 0) {
		c.failf("a part of the recursive CTE %s has a Limit or Offset, which databases do not take there; give it a Derived query", t.name)
		return
	}
	if !q.limited && q.offset == 0 {
		q = q.orderBy(nil)
	}
	c.nested(q, func(inner *compiler) { inner.project(q, columns, nil) })
}

// commonName is the name of a common table expression in reach; empty if it is not.
func (c *compiler) commonName(names *tree) string {
	for ; c != nil; c = c.outer {
		if name := c.commons[names]; name != "" {
			return name
		}
	}
	return ""
}

// joinedTable finds the table joined to this query, or one around it, whose names hold r.
func (c *compiler) joinedTable(r ref) *node {
	for ; c != nil; c = c.outer {
		for _, t := range c.tables {
			if n := t.names.find(r.ptr); n != nil {
				return n
			}
		}
	}
	return nil
}

// joinedAs is the alias of a joined table, and whether it may have no row.
func (c *compiler) joinedAs(names *tree) (alias string, left bool) {
	for ; c != nil; c = c.outer {
		for _, t := range c.tables {
			if t.names == names {
				return t.alias, t.left
			}
		}
	}
	return "", false
}

// joinedTable is a common table expression in the FROM of a SELECT.
type joinedTable struct {
	names *tree
	alias string
	left  bool
}

// joinTables notes, once, the tables that the query joins, whose names can stand in it then.
func (c *compiler) joinTables(q *query) {
	c.inZone(q)
	if c.tables != nil {
		return
	}
	for _, t := range q.rare().tables {
		c.tables = append(c.tables, joinedTable{t.cte.model.names, c.newAlias(t.cte.name), t.left})
	}
}

// tableJoins writes the joins.
func (c *compiler) tableJoins(q *query) {
	for i, t := range q.rare().tables {
		if t.left {
			c.text(" LEFT")
		}
		c.text(" JOIN ")
		c.table(c.commonName(t.cte.model.names), c.tables[i].alias)
		c.text(" ON ")
		c.text(parenthesised(c.sub(func() { c.all(t.on) })))
	}
}
