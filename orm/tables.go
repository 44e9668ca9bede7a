package orm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// Tables returns the tables of all registered models and their join tables, in
// the order of their names: what migrations compare with what they have made.
func Tables() ([]*schema.Table, error) {
	var tables []*schema.Table
	for _, m := range Models() {
		t, err := m.Tables()
		if err != nil {
			return nil, err
		}
		tables = append(tables, t...)
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

// Tables returns the model's table and the join tables that it declares.
func (m *ModelInfo) Tables() ([]*schema.Table, error) {
	if err := m.resolve(); err != nil {
		return nil, err
	}
	t := &schema.Table{App: m.App, Model: m.Name, Name: m.Table}
	tables := []*schema.Table{t}
	for _, f := range m.Fields {
		switch {
		case f.Column != "":
			t.Columns = append(t.Columns, f.schemaColumn())
			if f.Index || f.Relation != nil && !f.Unique && !f.PrimaryKey {
				// Foreign keys are joined on and looked up by: they need one.
				t.Indexes = append(t.Indexes, schema.Index{
					Name: objectName(m.Table, f.Column, "idx"), Columns: []schema.IndexColumn{{Name: f.Column}},
				})
			}
		case f.Relation.join != nil && f.Relation.join.declared == f:
			tables = append(tables, m.joinSchema(f))
		}
	}
	if err := m.addMeta(t); err != nil {
		return nil, fmt.Errorf("orm: Meta of %s: %w", m.Name, err)
	}
	return tables, nil
}

func (f *FieldInfo) schemaColumn() schema.Column {
	c := schema.Column{
		Name: f.Column, Field: f.Name, Type: f.Kind, Size: f.Size, Scale: f.Scale, Null: f.Null,
		PrimaryKey: f.PrimaryKey, AutoIncrement: f.AutoIncrement, Unique: f.Unique && !f.PrimaryKey,
		Default: f.defaultSQL, Collation: f.Collation, Comment: f.Comment,
	}
	if r := f.Relation; r != nil {
		to := r.Target()
		c.Size, c.Scale, c.Type = to.PrimaryKey.Size, to.PrimaryKey.Scale, to.PrimaryKey.Kind
		c.References = &schema.Reference{Table: to.Table, Column: to.PrimaryKey.Column, OnDelete: r.OnDelete, Model: to.Label()}
	}
	return c
}

// joinSchema is the join table of a many-to-many field. The pair is its primary
// key; the second index serves the way back.
func (m *ModelInfo) joinSchema(f *FieldInfo) *schema.Table {
	j, to := f.Relation.join, f.Relation.Target()
	side := func(column string, m *ModelInfo) schema.Column {
		pk := m.PrimaryKey
		return schema.Column{
			Name: column, Field: column, Type: pk.Kind, Size: pk.Size, PrimaryKey: true,
			References: &schema.Reference{Table: m.Table, Column: pk.Column, OnDelete: schema.Cascade, Model: m.Label()},
		}
	}
	return &schema.Table{
		App: m.App, Model: m.Name + "_" + f.Snake, Name: j.table,
		Columns: []schema.Column{side(j.owner, m), side(j.target, to)},
		Indexes: []schema.Index{{Name: objectName(j.table, j.target, "idx"), Columns: []schema.IndexColumn{{Name: j.target}}}},
	}
}

// addMeta adds what the model's Meta declares.
func (m *ModelInfo) addMeta(t *schema.Table) error {
	for _, def := range m.meta.Indexes {
		index, err := m.index(def.name, def.fields, "idx")
		if err != nil {
			return err
		}
		if def.where != nil {
			if index.Where, err = m.condition(*def.where); err != nil {
				return err
			}
		}
		t.Indexes = append(t.Indexes, index)
	}
	for _, def := range m.meta.Unique {
		index, err := m.index(def.name, def.fields, "uniq")
		if err != nil {
			return err
		}
		index.Unique = true
		t.Indexes = append(t.Indexes, index)
	}
	for _, def := range m.meta.Checks {
		sql, err := m.condition(def.cond)
		if err != nil {
			return err
		}
		if !validName(def.name) {
			return fmt.Errorf("%q cannot name a check: letters, digits and _", def.name)
		}
		t.Checks = append(t.Checks, schema.Check{Name: def.name, SQL: sql})
	}
	return nil
}

func (m *ModelInfo) index(name string, fields []any, suffix string) (schema.Index, error) {
	index := schema.Index{Name: name}
	parts := []string{m.Table}
	for _, field := range fields {
		desc := false
		if o, ok := field.(Order); ok {
			r, isRef := o.of.(ref)
			if !isRef {
				return index, fmt.Errorf("an index is over fields, not over expressions")
			}
			desc, field = o.desc, r
		}
		f, err := m.indexed(field)
		if err != nil {
			return index, err
		}
		index.Columns = append(index.Columns, schema.IndexColumn{Name: f.Column, Desc: desc})
		parts = append(parts, f.Column)
	}
	if len(index.Columns) == 0 {
		return index, fmt.Errorf("an index without fields")
	}
	if name == "" {
		index.Name = objectName(append(parts, suffix)...)
	}
	if !validName(index.Name) {
		return index, fmt.Errorf("%q cannot name an index: letters, digits and _", index.Name)
	}
	return index, nil
}

func (m *ModelInfo) indexed(field any) (*FieldInfo, error) {
	r, ok := field.(ref)
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
