package orm

import (
	"encoding/binary"
	"unsafe"
)

// updateStatement is the UPDATE of the query's rows, of a shape that was compiled before if
// it can.
func (q *query) updateStatement(db *DB, set []Assignment) (Statement, error) {
	d := db.backend.Dialect()
	o := outlines.Get().(*outline)
	defer o.done()
	o.query = q
	o.traceUpdate(set)
	if !o.unknown {
		if known := db.shapes.find(q.model, o.form); known != nil {
			args, ok, err := o.updateArgs(d, known, set)
			if ok || err != nil {
				return Statement{SQL: known.sql, Args: args, Write: true}, err
			}
		}
	}
	c, err := q.updateAnew(db, set)
	if err != nil {
		return Statement{}, err
	}
	s := Statement{SQL: string(c.buf), Args: c.args, Write: true}
	if !o.unknown {
		if made := o.updateShape(c, &s, set); made != nil {
			db.shapes.keep(q.model, o.form, made)
		}
	}
	return s, nil
}

// traceUpdate writes the form of an UPDATE: the fields, and the conditions.
func (o *outline) traceUpdate(set []Assignment) {
	q := o.query
	if q.rare().source != nil || q.limited || q.offset > 0 {
		o.unknown = true
		return
	}
	o.form = append(o.form, 'S', flag(q.withDeleted))
	o.number(len(set))
	for _, a := range set {
		if _, computed := a.value.(Expr); computed {
			o.unknown = true
			return
		}
		o.ref(a.field)
	}
	o.list(q.where)
	o.unknown = o.unknown || len(o.form) > maxForm
}

// updateArgs are the arguments of an UPDATE of a known shape; false if the text may be
// another one for them.
func (o *outline) updateArgs(d Dialect, known *shape, set []Assignment) ([]any, bool, error) {
	args := make([]any, 0, len(set)+len(known.codecs))
	for i, a := range set {
		v, err := known.set[i].assigned(a.value)
		if err != nil {
			return nil, false, err
		}
		args = append(args, d.Bind(v))
	}
	args, ok := o.appendValues(args, d, known.codecs)
	return args, ok, nil
}

// updateShape makes the shape of an UPDATE; nil if its arguments are not just the values
// set and those of its conditions.
func (o *outline) updateShape(c *compiler, s *Statement, set []Assignment) *shape {
	made := &shape{sql: s.SQL, set: make([]*FieldInfo, len(set))}
	for i, a := range set {
		_, t, err := c.find(a.field)
		if err != nil || len(t.field.Parts) > 0 {
			return nil
		}
		made.set[i] = t.field
	}
	if made.codecs = o.codecs(c.loads); made.codecs == nil {
		return nil
	}
	args, ok, err := o.updateArgs(c.dialect, made, set)
	if !ok || err != nil || !sameArgs(args, s.Args) {
		return nil
	}
	return made
}

// updateRowStatement is the UPDATE of one row, whose text is kept for the next one.
func (m *ModelInfo) updateRowStatement(db *DB, row unsafe.Pointer, fields []*FieldInfo) (Statement, error) {
	var memory [256]byte
	form := append(memory[:0], 'R')
	for _, f := range fields {
		form = binary.NativeEndian.AppendUint64(form, uint64(uintptr(unsafe.Pointer(f))))
	}
	if known := db.shapes.find(m, form); known != nil {
		args, err := m.updateRowArgs(db.backend.Dialect(), row, fields)
		return Statement{SQL: known.sql, Args: args, Write: true}, err
	}
	c := newCompiler(db.backend.Dialect(), m)
	c.updateRow(row, fields)
	s := Statement{SQL: string(c.buf), Args: c.args, Write: true}
	if c.err == nil && len(m.PrimaryKey.Parts) == 0 {
		db.shapes.keep(m, form, &shape{sql: s.SQL})
	}
	return s, c.err
}

// updateRowArgs are the arguments of compiler.updateRow.
func (m *ModelInfo) updateRowArgs(d Dialect, row unsafe.Pointer, fields []*FieldInfo) ([]any, error) {
	args := make([]any, 0, len(fields)+2)
	for _, f := range fields {
		v, err := f.updated(row)
		if err != nil {
			return nil, err
		}
		args = append(args, d.Bind(v))
	}
	key, err := m.savedKey(row)
	if err != nil {
		return nil, err
	}
	args = append(args, d.Bind(key))
	if m.version != nil {
		v, err := m.version.value(row)
		if err != nil {
			return nil, err
		}
		args = append(args, d.Bind(v))
	}
	return args, nil
}
