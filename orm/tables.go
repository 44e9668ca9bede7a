package orm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort/internal/naming"
	"github.com/retort-web/retort/orm/schema"
)

// Tables returns the tables of all registered models and their join tables, in
// the order of their names: what migrations compare with what they have made.
func Tables() ([]*schema.Table, error) {
	tables, err := checkedTables()
	if err != nil {
		return nil, err
	}
	slices.SortFunc(tables, func(a, b *schema.Table) int { return strings.Compare(a.Key(), b.Key()) })
	for i := 1; i < len(tables); i++ {
		for _, other := range tables[:i] {
			if other.Name == tables[i].Name {
				return nil, fmt.Errorf("orm: %s and %s have the same table %s", other.Key(), tables[i].Key(), other.Name)
			}
		}
	}
	return tables, nil
}

// Tables returns the model's table and the join tables that it declares. A table that
// another model extends has the columns of both.
func (m *ModelInfo) Tables() ([]*schema.Table, error) {
	if err := m.resolve(); err != nil || m.meta.Unmanaged {
		return nil, err
	}
	root := m
	if m.extends != nil {
		root = m.extends
		if err := root.resolve(); err != nil || root.meta.Unmanaged {
			return nil, err
		}
	}
	t := &schema.Table{App: root.App, Model: root.Name, Name: m.Table}
	if err := root.describe(t); err != nil {
		return nil, err
	}
	if err := root.addExtension(t); err != nil {
		return nil, err
	}
	tables := []*schema.Table{t}
	for _, f := range m.Fields {
		if f.Relation != nil && f.Relation.join != nil && f.Relation.join.declared == f {
			tables = append(tables, m.joinSchema(f))
		}
	}
	return tables, nil
}

// describe adds to a table what the model itself says of it.
func (m *ModelInfo) describe(t *schema.Table) error {
	for _, f := range m.Fields {
		if f.inherits != nil {
			continue
		}
		for _, part := range f.columns() {
			column := part.schemaColumn()
			var err error
			if column.Generated, column.Stored, err = m.computation(part); err != nil {
				return fmt.Errorf("orm: Meta of %s: %w", m.Name, err)
			}
			t.Columns = append(t.Columns, column)
		}
		if !f.PrimaryKey {
			t.Indexes = append(t.Indexes, m.fieldIndexes(f)...)
		}
		for i, part := range f.keyFields {
			// The first is served by the index of the key.
			if i > 0 {
				t.Indexes = append(t.Indexes, m.fieldIndexes(part)...)
			}
		}
	}
	t.ForeignKeys = m.foreignKeys()
	meta := &m.meta
	if m.extends != nil {
		meta = &m.ownMeta
	}
	if err := m.addMeta(t, meta); err != nil {
		return fmt.Errorf("orm: Meta of %s: %w", m.Name, err)
	}
	return nil
}

// objectPrefix begins the names of a table's indexes, which have no schema of their own, and
// on SQLite are those of one file.
func objectPrefix(table string) string { return strings.ReplaceAll(table, ".", "_") }

// fieldIndexes are the indexes that a field has by itself.
func (m *ModelInfo) fieldIndexes(f *FieldInfo) []schema.Index {
	names := f.columnNames()
	index := schema.Index{}
	for _, name := range names {
		index.Columns = append(index.Columns, schema.IndexColumn{Name: name})
	}
	parts := append([]string{objectPrefix(m.Table)}, names...)
	switch {
	case len(f.Parts) > 0 && f.Unique:
		index.Name, index.Unique = objectName(append(parts, "uniq")...), true
	case f.Index, f.Relation != nil && !f.toMany() && !f.Unique && !f.noIndex:
		// Foreign keys are joined on and looked up by: they need one.
		index.Name = objectName(append(parts, "idx")...)
	default:
		return nil
	}
	return []schema.Index{index}
}

func (f *FieldInfo) schemaColumn() schema.Column {
	c := schema.Column{
		Name: f.Column, Field: f.Name, Type: f.Kind, Size: f.Size, Scale: f.Scale, Null: f.Null,
		PrimaryKey: f.PrimaryKey, AutoIncrement: f.AutoIncrement, Unique: f.Unique && !f.PrimaryKey,
		Default: f.defaultSQL, DefaultNow: f.defaultNow, Elem: f.Elem, Native: f.Native, Collation: f.Collation, Comment: f.Comment,
	}
	if r := f.Relation; r != nil {
		to, key := r.Target(), r.Key()
		c.Size, c.Scale, c.Type = key.Size, key.Scale, key.Kind
		c.Native, c.Collation = key.Native, key.Collation
		if r.NoConstraint {
			return c
		}
		c.References = &schema.Reference{Table: to.Table, Column: key.Column, OnDelete: r.OnDelete, Model: to.tableLabel()}
	}
	return c
}

// joinSchema is the join table of a many-to-many field. The pair is its primary
// key; the second index serves the way back.
func (m *ModelInfo) joinSchema(f *FieldInfo) *schema.Table {
	j, to := f.Relation.join, f.Relation.Target()
	t := &schema.Table{App: m.App, Model: m.Name + "_" + f.Snake, Name: j.table}
	addJoinSide(t, j.owner, m)
	addJoinSide(t, j.target, to)
	index := schema.Index{Name: objectName(append(append([]string{objectPrefix(j.table)}, j.target...), "idx")...)}
	for _, name := range j.target {
		index.Columns = append(index.Columns, schema.IndexColumn{Name: name})
	}
	t.Indexes = []schema.Index{index}
	return t
}

// addJoinSide adds the columns of a join table that refer to a model.
func addJoinSide(t *schema.Table, names []string, m *ModelInfo) {
	pk := m.PrimaryKey
	for i, part := range pk.columns() {
		column := schema.Column{Name: names[i], Field: names[i], Type: part.Kind, Size: part.Size, PrimaryKey: true}
		if len(names) == 1 {
			column.References = &schema.Reference{Table: m.Table, Column: pk.Column, OnDelete: schema.Cascade, Model: m.tableLabel()}
		}
		t.Columns = append(t.Columns, column)
	}
	if len(names) > 1 {
		t.ForeignKeys = append(t.ForeignKeys, schema.ForeignKey{
			Columns: names, Table: m.Table, References: pk.columnNames(), OnDelete: schema.Cascade, Model: m.tableLabel(),
		})
	}
}

// addMeta adds what the model's Meta declares.
func (m *ModelInfo) addMeta(t *schema.Table, meta *Meta) error {
	t.Comment = meta.Comment
	for _, def := range meta.Indexes {
		index, err := m.index(def, "idx")
		if err != nil {
			return err
		}
		t.Indexes = append(t.Indexes, index)
	}
	for _, def := range meta.Unique {
		index, err := m.index(IndexDef{name: def.name, fields: def.fields, where: def.where, include: def.include}, "uniq")
		if err != nil {
			return err
		}
		index.Unique, index.NullsNotDistinct, index.Deferred = true, def.nullsNotDistinct, def.delayed
		if index.Deferred && (index.Where != "" || slices.ContainsFunc(index.Columns, func(c schema.IndexColumn) bool { return c.Expr != "" || c.Desc || c.OpClass != "" })) {
			return fmt.Errorf("the unique constraint %s is Deferred, which only one over fields, without a condition, can be", index.Name)
		}
		t.Indexes = append(t.Indexes, index)
	}
	for _, def := range meta.Exclusions {
		index, err := m.exclusion(def)
		if err != nil {
			return err
		}
		t.Indexes = append(t.Indexes, index)
	}
	for _, def := range meta.Checks {
		sql, err := m.condition(def.cond)
		if err != nil {
			return err
		}
		if !naming.IsIdentifier(def.name) {
			return fmt.Errorf("%q cannot name a check: no quotes, points, backslashes, control characters or spaces at the ends, at most 63 bytes", def.name)
		}
		t.Checks = append(t.Checks, schema.Check{Name: def.name, SQL: sql})
	}
	return nil
}

func (m *ModelInfo) index(def IndexDef, suffix string) (schema.Index, error) {
	index := schema.Index{Name: def.name, Method: def.method}
	parts := []string{objectPrefix(m.Table)}
	for _, member := range m.eachColumn(def.fields) {
		column, part, err := m.indexColumn(member)
		if err != nil {
			return index, err
		}
		index.Columns = append(index.Columns, column)
		parts = append(parts, part)
	}
	for _, field := range def.include {
		f, err := m.indexed(field)
		if err != nil {
			return index, err
		}
		index.Include = append(index.Include, f.Column)
	}
	if def.where != nil {
		var err error
		if index.Where, err = m.condition(*def.where); err != nil {
			return index, err
		}
	}
	if len(index.Columns) == 0 {
		return index, fmt.Errorf("an index without fields")
	}
	if def.name == "" {
		index.Name = objectName(append(parts, suffix)...)
	}
	if !naming.IsIdentifier(index.Name) {
		return index, fmt.Errorf("%q cannot name an index: no quotes, points, backslashes, control characters or spaces at the ends, at most 63 bytes", index.Name)
	}
	return index, nil
}

// eachColumn puts the columns of composite fields in their place.
func (m *ModelInfo) eachColumn(members []any) []any {
	var list []any
	for _, member := range members {
		field := member
		o, ordered := member.(Order)
		if ordered {
			field = o.of
		}
		r, ok := asRef(field)
		if !ok {
			r, _ = refOf(field)
		}
		if _, t, err := r.resolve(m.names.root); err == nil && len(t.field.Parts) > 0 {
			for _, part := range t.field.Parts {
				if ordered {
					list = append(list, Order{of: m.ref(part), desc: o.desc})
				} else {
					list = append(list, m.ref(part))
				}
			}
			continue
		}
		list = append(list, member)
	}
	return list
}

// indexColumn is a member of an index and its part in the index's name.
func (m *ModelInfo) indexColumn(member any) (column schema.IndexColumn, part string, err error) {
	if classed, ok := member.(OpClassed); ok {
		if !validName(classed.class) {
			return column, "", fmt.Errorf("%q cannot be an operator class: letters, digits and _", classed.class)
		}
		member, column.OpClass = classed.field, classed.class
	}
	if o, ok := member.(Order); ok {
		column.Desc = o.desc
		if member = o.of; o.of == nil {
			return column, "", fmt.Errorf("an empty Order in an index")
		}
	}
	of, isOperand := member.(operand)
	if e, isExpr := member.(Expr); isExpr {
		of, isOperand = operandOf(e), true
	}
	if _, isRef := asRef(of); isRef || !isOperand {
		f, err := m.indexed(member)
		if err != nil {
			return column, "", err
		}
		column.Name = f.Column
		return column, f.Column, nil
	}
	c := newCompiler(portable{}, m)
	c.inline = true
	of.write(c)
	column.Expr = string(c.buf)
	for _, f := range m.fieldsIn(of) {
		part += f.Column + "_"
	}
	return column, part + "expr", c.err
}

func (m *ModelInfo) indexed(field any) (*FieldInfo, error) {
	r, ok := asRef(field)
	if !ok {
		var err error
		if r, err = refOf(field); err != nil {
			return nil, err
		}
	}
	n, t, err := r.resolve(m.names.root)
	if err != nil {
		return nil, err
	}
	if n.parent != nil || t.field.Column == "" {
		return nil, fmt.Errorf("%s has no column in this table", t.name())
	}
	return t.field, nil
}

// condition compiles a condition over the model's own columns into SQL that
// every database reads.
func (m *ModelInfo) condition(cond Cond) (string, error) {
	c := newCompiler(portable{}, m)
	c.inline = true
	c.all([]expr{cond.orInvalid()})
	return string(c.buf), c.err
}
