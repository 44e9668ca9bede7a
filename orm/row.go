package orm

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"
	"unsafe"
)

// UpdateRow writes the fields named of a row that is saved, and the times tagged
// auto_now. Other fields of the row are not written, whatever they hold. If the
// row is gone the error is ErrNotFound.
//
// In a model with a field tagged "version" the row is written only if it still has the
// version it was read with, and then gets the next one; otherwise the error is ErrStale.
func (s *Query[P]) UpdateRow(ctx context.Context, row P, fields ...any) error {
	return s.use().updateNamed(ctx, base(row), fields)
}

func (q *query) updateNamed(ctx context.Context, row unsafe.Pointer, fields []any) error {
	list, err := q.namedFields("UpdateRow", row, fields)
	if err != nil {
		return err
	}
	return q.updateRow(ctx, row, list)
}

// UpdateRows writes the fields named of many rows, each with its own values, in few
// statements and one transaction. If one of the rows is gone the error is ErrNotFound, and
// if one has another version than it was read with, ErrStale; then nothing is written.
func (s *Query[P]) UpdateRows(ctx context.Context, rows []P, fields ...any) error {
	return s.use().updateNamedRows(ctx, bases(rows), fields)
}

func (q *query) updateNamedRows(ctx context.Context, rows []unsafe.Pointer, fields []any) error {
	if err := q.ready(); err != nil || len(rows) == 0 {
		return err
	}
	for i, row := range rows {
		if row == nil {
			return fmt.Errorf("orm: UpdateRows of %s: row %d is nil", q.model.Name, i)
		}
	}
	named, err := q.namedFields("UpdateRows", rows[0], fields)
	if err != nil {
		return err
	}
	return q.updateRows(ctx, rows, named)
}

// namedFields finds the fields to write.
func (q *query) namedFields(verb string, row unsafe.Pointer, pointers []any) ([]*FieldInfo, error) {
	if err := q.ready(); err != nil {
		return nil, err
	}
	m := q.model
	if row == nil || len(pointers) == 0 {
		return nil, fmt.Errorf("orm: %s of %s needs a row and the fields to write, such as &p.%s", verb, m.Name, m.columns[len(m.columns)-1].Name)
	}
	return m.own(pointers)
}

// updateRow writes fields of one row.
func (q *query) updateRow(ctx context.Context, row unsafe.Pointer, fields []*FieldInfo) error {
	db, err := q.writer(ctx)
	if err != nil {
		return err
	}
	m := q.model
	fields = m.withAutomatic(fields)
	return m.saving(ctx, db, []unsafe.Pointer{row}, Event{Fields: fields}, func(ctx context.Context) error {
		s, err := m.updateRowStatement(db, row, fields)
		if err != nil {
			return err
		}
		result, err := db.exec(ctx, s)
		switch {
		case err != nil:
			return err
		case result.Affected == 0:
			return q.missing(ctx, []unsafe.Pointer{row}, 0, true)
		}
		if err := m.countVersion(row); err != nil {
			return err
		}
		return m.reread(ctx, []unsafe.Pointer{row}, m.computed)
	})
}

// withAutomatic adds the fields that every update of a row writes.
func (m *ModelInfo) withAutomatic(fields []*FieldInfo) []*FieldInfo {
	for _, f := range m.columns {
		if f.AutoNow && !slices.Contains(fields, f) {
			fields = append(fields, f)
		}
	}
	return fields
}

func (c *compiler) updateRow(row unsafe.Pointer, fields []*FieldInfo) {
	m := c.root.model
	c.text("UPDATE ")
	c.quote(m.Table)
	c.text(" SET ")
	for i, f := range fields {
		if i > 0 {
			c.text(", ")
		}
		c.quote(f.Column)
		c.text(" = ")
		v, err := f.updated(row)
		if err != nil {
			c.fail(err)
			return
		}
		c.arg(v)
	}
	c.setVersion()
	c.text(" WHERE ")
	key, err := m.savedKey(row)
	if err != nil {
		c.fail(err)
		return
	}
	c.equalKey("", m.PrimaryKey.columnNames(), key)
	if m.version != nil {
		c.text(" AND ")
		c.quote(m.version.Column)
		c.text(" = ")
		v, err := m.version.value(row)
		if err != nil {
			c.fail(err)
		}
		c.arg(v)
	}
}

// updated brings a field into the state in which it is written, and loads it.
func (f *FieldInfo) updated(row unsafe.Pointer) (any, error) {
	p := unsafe.Add(row, f.offset)
	var err error
	switch {
	case f.PrimaryKey:
		err = errors.New("is the primary key and cannot be updated")
	case f.Version:
		err = errors.New("is the version, which counts by itself")
	case f.Computed:
		err = errors.New("is computed by the database")
	case f.AutoNow:
		err = f.codec.store(p, time.Now().UTC().Truncate(time.Microsecond))
	default:
		if err := f.takeOwnKey(row); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, f.fault(err)
	}
	return f.value(row)
}

// updateRows writes the same fields of many rows.
func (q *query) updateRows(ctx context.Context, rows []unsafe.Pointer, fields []*FieldInfo) error {
	db, err := q.writer(ctx)
	if err != nil {
		return err
	}
	m := q.model
	fields = m.withAutomatic(fields)
	if done, err := q.updateAtOnce(ctx, db, rows, fields); done || err != nil {
		return err
	}
	return db.Atomic(ctx, TxOptions{}, func(ctx context.Context) error {
		return m.saving(ctx, db, rows, Event{Fields: fields}, func(ctx context.Context) error {
			size := min(insertBatch, max(1, db.backend.Dialect().MaxParameters()/(2*len(fields)+2)))
			if m.arrayTypes(db.backend.Dialect(), fields) != nil {
				size = arrayBatch
			}
			for batch := range slices.Chunk(rows, size) {
				if err := q.updateBatch(ctx, db, batch, fields); err != nil {
					return err
				}
			}
			return m.countVersions(rows)
		})
	})
}

func (q *query) updateBatch(ctx context.Context, db *DB, rows []unsafe.Pointer, fields []*FieldInfo) error {
	c := newCompiler(db.backend.Dialect(), q.model)
	again := c.updateArrays(rows, fields)
	if !again {
		c.updateEach(rows, fields)
		again = len(rows) == insertBatch
	}
	if c.err != nil {
		return c.err
	}
	result, err := db.exec(ctx, Statement{SQL: string(c.buf), Args: c.args, Write: true, Once: !again})
	if err == nil && result.Affected < int64(len(rows)) {
		err = q.missing(ctx, rows, result.Affected, true)
	}
	if err != nil {
		return err
	}
	return q.model.reread(ctx, rows, q.model.computed)
}

// updateEach writes an UPDATE with a CASE per column.
func (c *compiler) updateEach(rows []unsafe.Pointer, fields []*FieldInfo) {
	m := c.root.model
	keys, key := make([]any, len(rows)), m.PrimaryKey.columnNames()
	for i, row := range rows {
		key, err := m.savedKey(row)
		if err != nil {
			c.fail(err)
			return
		}
		keys[i] = key
	}
	c.text("UPDATE ")
	c.quote(m.Table)
	c.text(" SET ")
	for i, f := range fields {
		if i > 0 {
			c.text(", ")
		}
		c.quote(f.Column)
		c.text(" = CASE ")
		if len(key) == 1 {
			c.quote(key[0])
		}
		for j, row := range rows {
			v, err := f.updated(row)
			if err != nil {
				c.fail(err)
				return
			}
			c.text(" WHEN ")
			if len(key) == 1 {
				c.arg(keys[j])
			} else {
				c.equalKey("", key, keys[j])
			}
			c.text(" THEN ")
			c.arg(v)
		}
		// The column in ELSE tells a strict database the type of the values.
		c.text(" ELSE ")
		c.quote(f.Column)
		c.text(" END")
	}
	c.setVersion()
	c.text(" WHERE ")
	where, err := m.unchanged(rows)
	if err != nil {
		c.fail(err)
		return
	}
	where.write(c)
}

// savedKey is a row's primary key, which must not be zero.
func (m *ModelInfo) savedKey(row unsafe.Pointer) (any, error) {
	p := unsafe.Add(row, m.PrimaryKey.offset)
	if m.PrimaryKey.isZero(p) {
		return nil, fmt.Errorf("orm: the %s is not saved: its %s is zero", m.Name, m.PrimaryKey.Name)
	}
	return m.PrimaryKey.value(row)
}

// Reload reads a row again, as it is stored now, or only the fields named. Relations that
// were loaded no longer are. If the row is gone the error is ErrNotFound. Of the query only
// ForUpdate counts: Posts.ForUpdate().Reload(ctx, post) locks the row as well.
func (s *Query[P]) Reload(ctx context.Context, row P, fields ...any) error {
	return s.use().reloadNamed(ctx, base(row), fields)
}

func (q *query) reloadNamed(ctx context.Context, row unsafe.Pointer, fields []any) error {
	if err := q.ready(); err != nil {
		return err
	}
	if row == nil {
		return fmt.Errorf("orm: Reload of %s: the row is nil", q.model.Name)
	}
	list, err := q.model.own(fields)
	if err != nil {
		return err
	}
	return q.reload(ctx, row, list)
}

// reload reads a row again: all of it if no fields are given.
func (q *query) reload(ctx context.Context, row unsafe.Pointer, fields []*FieldInfo) error {
	m := q.model
	key, err := m.savedKey(row)
	if err != nil {
		return err
	}
	found, err := (&query{model: m, withDeleted: true, unusual: &unusual{lock: q.rare().lock}, where: []expr{m.keyIn([]any{key})}}).all(ctx, nil)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return q.notFound()
	}
	if len(fields) == 0 {
		reflect.NewAt(m.Type, row).Elem().Set(reflect.NewAt(m.Type, found[0]).Elem())
		noteReload(row, nil)
		return nil
	}
	for _, f := range fields {
		reflect.NewAt(f.Type, unsafe.Add(row, f.offset)).Elem().Set(reflect.NewAt(f.Type, unsafe.Add(found[0], f.offset)).Elem())
	}
	noteReload(row, fields)
	return nil
}
