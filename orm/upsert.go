package orm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unsafe"
)

// Conflict says what [QuerySet.Upsert] does with a row that exists.
type Conflict struct {
	// Fields are the unique fields by which a row is the same. Default: the
	// primary key.
	Fields []any
	// Update are the fields that get their new values. Default: all but the
	// Fields, the primary key and those set on insert only.
	Update []any
	// Nothing leaves the existing row as it is; the row given then keeps a
	// zero primary key.
	Nothing bool
}

// Fields lists fields, for [Conflict].
func Fields(fields ...any) []any { return fields }

// Upsert inserts a row or, if there is one with the same values in the conflict's
// fields, updates that. The row's primary key is set in both cases.
func (s QuerySet[T]) Upsert(ctx context.Context, row *T, conflict Conflict) error {
	db, err := s.use().writer(ctx)
	if err != nil {
		return err
	}
	if row == nil {
		return fmt.Errorf("orm: Upsert of %s: the row is nil", s.use().model.Name)
	}
	m, p := s.use().model, unsafe.Pointer(row)
	if err := m.prepare(p); err != nil {
		return err
	}
	same, err := m.own(conflict.Fields)
	if err != nil {
		return err
	}
	if len(same) == 0 {
		same = []*FieldInfo{m.PrimaryKey}
	}
	update, err := m.own(conflict.Update)
	if err != nil {
		return err
	}
	for _, f := range m.columns {
		skip := f == m.PrimaryKey || slices.Contains(same, f) || slices.Contains(update, f)
		if !skip && (f.AutoNow || len(conflict.Update) == 0 && !f.AutoAdd) {
			update = append(update, f)
		}
	}
	columns, giveKey := m.columns, m.keyIsMissing(p)
	if giveKey {
		columns = m.withoutKey()
	}
	c := newCompiler(db.backend.Dialect(), m)
	c.insertInto(columns, []unsafe.Pointer{p})
	c.onConflict(same, update, conflict.Nothing)
	if c.err != nil {
		return c.err
	}
	rows, err := db.query(ctx, Statement{SQL: string(c.buf), Args: c.args, Write: true})
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return err
		}
		if err := m.PrimaryKey.codec.store(unsafe.Add(p, m.PrimaryKey.offset), values[0]); err != nil {
			return m.PrimaryKey.fault(err)
		}
		m.attachRow(p)
	}
	return closeRows(rows)
}

func (c *compiler) onConflict(same, update []*FieldInfo, nothing bool) {
	c.text(" ON CONFLICT (")
	for i, f := range same {
		if i > 0 {
			c.text(", ")
		}
		c.quote(f.Column)
	}
	c.text(") DO ")
	if nothing {
		c.text("NOTHING")
		c.returningKey()
		return
	}
	c.text("UPDATE SET ")
	if len(update) == 0 {
		// Something must be set for the key to be returned.
		update = same[:1]
	}
	for i, f := range update {
		if i > 0 {
			c.text(", ")
		}
		c.quote(f.Column)
		c.text(" = excluded.")
		c.quote(f.Column)
	}
	c.returningKey()
}

// GetOrInsert looks for the row that has the same values as row in the fields
// given, and inserts row if there is none. Either way row then holds what is stored;
// the result tells whether it was inserted. Two that do this at the same time end up
// with one row, provided that the fields are unique together.
func (s QuerySet[T]) GetOrInsert(ctx context.Context, row *T, fields ...any) (inserted bool, err error) {
	if _, err := s.use().writer(ctx); err != nil {
		return false, err
	}
	m := s.use().model
	if row == nil || len(fields) == 0 {
		return false, fmt.Errorf("orm: GetOrInsert of %s needs a row and the fields to find it by", m.Name)
	}
	same, err := m.own(fields)
	if err != nil {
		return false, err
	}
	kids := make([]expr, len(same))
	for i, f := range same {
		if f.Relation != nil {
			if err := f.takeKey(unsafe.Add(unsafe.Pointer(row), f.offset)); err != nil {
				return false, f.fault(err)
			}
		}
		v, err := f.value(unsafe.Pointer(row))
		if err != nil {
			return false, err
		}
		kids[i] = &compare{"=", place{m.names.root, target{f, f.codec}}, &variable{v}}
	}
	find := QuerySet[T]{&query{model: m, where: []expr{&logic{kids: kids}}}}
	found, err := find.Get(ctx)
	if errors.Is(err, ErrNotFound) {
		err = Atomic(ctx, func(ctx context.Context) error { return s.Insert(ctx, row) })
		if err == nil {
			return true, nil
		}
		if IsUnique(err) {
			// Somebody else was faster; or another field is in the way.
			again, findErr := find.Get(ctx)
			if found = again; findErr == nil {
				err = nil
			}
		}
	}
	if err == nil {
		*row = *found
	}
	return false, err
}
