package orm

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"unsafe"
)

// ComputedDef declares a column that the database computes; see [Compute].
type ComputedDef struct {
	field  any
	expr   Expr
	stored bool
}

// Compute declares that the database computes a field from other fields of the row. The
// field is never written; after an insert or update of a row it holds what the database
// made of it.
//
//	Computed: orm.Computed(orm.Compute(&p.Total, orm.Mul(&p.Price, 2)))
//
// The column is computed when it is read, where the database can do that, unless Stored
// asks for it to be kept with the row.
func Compute(field any, expr Expr) ComputedDef { return ComputedDef{field: field, expr: expr} }

// Stored keeps the value with the row, so that it can be indexed everywhere.
func (c ComputedDef) Stored() ComputedDef {
	c.stored = true
	return c
}

// Computed lists the computed columns of a [Meta].
func Computed(defs ...ComputedDef) []ComputedDef { return defs }

// markComputed notes which fields the model's Meta says are computed.
func (m *ModelInfo) markComputed() error {
	for _, def := range m.meta.Computed {
		f, err := m.indexed(def.field)
		if err != nil {
			return fmt.Errorf("Meta of %s: Computed: %w", m.Name, err)
		}
		if f.PrimaryKey || f.Relation != nil || f.HasDefault || f.DBDefault || f.AutoNow || f.AutoAdd || f.Version {
			return fmt.Errorf("Meta of %s: %s is computed by the database and cannot be a key, or filled in another way", m.Name, f.Name)
		}
		f.Computed, f.Editable = true, false
		m.computed = append(m.computed, f)
	}
	return nil
}

// computation is the SQL of a computed field.
func (m *ModelInfo) computation(f *FieldInfo) (sql string, stored bool, err error) {
	for _, def := range m.meta.Computed {
		if own, err := m.indexed(def.field); err != nil || own != f {
			continue
		}
		c := newCompiler(portable{}, m)
		c.inline = true
		operandOf(def.expr).write(c)
		if c.err != nil {
			return "", false, fmt.Errorf("Computed %s: %w", f.Name, c.err)
		}
		return string(c.buf), def.stored, nil
	}
	return "", false, nil
}

// insertGroup is rows that are inserted with the same columns.
type insertGroup struct {
	columns  []*FieldInfo
	left     []*FieldInfo // filled in by the database
	giveKeys bool
	key      string // tells groups with other columns apart
	rows     []unsafe.Pointer
}

// group finds the columns that an insert of the row writes: all but those that the
// database fills in.
func (m *ModelInfo) group(row unsafe.Pointer) (g insertGroup) {
	g.giveKeys = m.keyIsMissing(row)
	if len(m.computed) == 0 && len(m.filled) == 0 {
		g.columns = m.columns
		if g.giveKeys {
			g.columns = m.withoutKey()
			g.key = "k"
		}
		return g
	}
	for _, f := range m.columns {
		switch {
		case f == m.PrimaryKey && g.giveKeys:
			g.key += "k"
		case f.Computed:
			g.left = append(g.left, f)
		case f.DBDefault && isZeroMemory(unsafe.Add(row, f.offset), f.Type):
			g.left = append(g.left, f)
			g.key += " " + f.Column
		default:
			g.columns = append(g.columns, f)
		}
	}
	return g
}

// groups sorts rows by the columns that their insert writes.
func (m *ModelInfo) groups(rows []unsafe.Pointer) []*insertGroup {
	var groups []*insertGroup
	byKey := map[string]*insertGroup{}
	for i, row := range rows {
		g := m.group(row)
		known := byKey[g.key]
		if known == nil {
			known = new(insertGroup)
			*known = g
			if groups == nil {
				known.rows = make([]unsafe.Pointer, 0, len(rows)-i)
			}
			byKey[g.key] = known
			groups = append(groups, known)
		}
		known.rows = append(known.rows, row)
	}
	// Keys that are given take their place before the database makes others.
	slices.SortStableFunc(groups, func(a, b *insertGroup) int {
		switch {
		case a.giveKeys == b.giveKeys:
			return 0
		case b.giveKeys:
			return -1
		}
		return 1
	})
	return groups
}

// reread fetches what the database made of fields.
func (m *ModelInfo) reread(ctx context.Context, rows []unsafe.Pointer, fields []*FieldInfo) error {
	if len(fields) == 0 {
		return nil
	}
	found, err := (&query{model: m, withDeleted: true, where: []expr{m.keyIn(m.keysOf(rows))}}).all(ctx, nil)
	if err != nil {
		return err
	}
	byKey := make(map[any]unsafe.Pointer, len(found))
	for _, row := range found {
		byKey[mapKey(m.mustKey(row))] = row
	}
	for _, row := range rows {
		fresh := byKey[mapKey(m.mustKey(row))]
		if fresh == nil {
			continue
		}
		for _, f := range fields {
			reflect.NewAt(f.Type, unsafe.Add(row, f.offset)).Elem().Set(reflect.NewAt(f.Type, unsafe.Add(fresh, f.offset)).Elem())
		}
	}
	return nil
}
