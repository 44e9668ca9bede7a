package orm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unsafe"
)

// UpdateRow writes the fields named of a row that is saved, and the times tagged
// auto_now. Other fields of the row are not written, whatever they hold. If the
// row is gone the error is ErrNotFound.
func (s QuerySet[T]) UpdateRow(ctx context.Context, row *T, fields ...any) error {
	db, err := s.use().writer(ctx)
	if err != nil {
		return err
	}
	m := s.use().model
	if row == nil || len(fields) == 0 {
		return fmt.Errorf("orm: UpdateRow of %s needs a row and the fields to write, such as &p.%s", m.Name, m.columns[len(m.columns)-1].Name)
	}
	list, err := m.own(fields)
	if err != nil {
		return err
	}
	for _, f := range m.columns {
		if f.AutoNow && !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	p := unsafe.Pointer(row)
	c := newCompiler(db.backend.Dialect(), m)
	c.updateRow(p, list)
	if c.err != nil {
		return c.err
	}
	result, err := db.exec(ctx, Statement{SQL: string(c.buf), Args: c.args, Write: true})
	if err == nil && result.Affected == 0 {
		err = s.use().notFound()
	}
	return err
}

func (c *compiler) updateRow(row unsafe.Pointer, fields []*FieldInfo) {
	m := c.root.model
	c.text("UPDATE ")
	c.quote(m.Table)
	for i, f := range fields {
		p := unsafe.Add(row, f.offset)
		var err error
		switch {
		case f.PrimaryKey:
			err = f.fault(errors.New("is the primary key and cannot be updated"))
		case f.AutoNow:
			err = f.codec.store(p, time.Now().UTC().Truncate(time.Microsecond))
		case f.Relation != nil:
			if err = f.takeKey(p); err != nil {
				err = f.fault(err)
			}
		}
		if i == 0 {
			c.text(" SET ")
		} else {
			c.text(", ")
		}
		c.quote(f.Column)
		c.text(" = ")
		v, valueErr := f.value(row)
		if err = cmp.Or(err, valueErr); err != nil {
			c.fail(err)
			return
		}
		c.arg(v)
	}
	c.text(" WHERE ")
	c.quote(m.PrimaryKey.Column)
	c.text(" = ")
	key, err := m.savedKey(row)
	if err != nil {
		c.fail(err)
	}
	c.arg(key)
}

// savedKey is a row's primary key, which must not be zero.
func (m *ModelInfo) savedKey(row unsafe.Pointer) (any, error) {
	p := unsafe.Add(row, m.PrimaryKey.offset)
	if isZeroMemory(p, m.PrimaryKey.Type) {
		return nil, fmt.Errorf("orm: the %s is not saved: its %s is zero", m.Name, m.PrimaryKey.Name)
	}
	return m.PrimaryKey.value(row)
}

// DeleteRow deletes rows. If one is gone already the error is ErrNotFound, and the
// others are deleted.
func (s QuerySet[T]) DeleteRow(ctx context.Context, rows ...*T) error {
	if len(rows) == 0 {
		return nil
	}
	if err := s.use().ready(); err != nil {
		return err
	}
	m := s.use().model
	keys := make([]expr, len(rows))
	for i, row := range rows {
		if row == nil {
			return fmt.Errorf("orm: DeleteRow of %s: row %d is nil", m.Name, i)
		}
		key, err := m.savedKey(unsafe.Pointer(row))
		if err != nil {
			return err
		}
		keys[i] = &variable{key}
	}
	q := &query{model: m, where: []expr{&inList{of: m.keyRef(), values: keys}}}
	n, err := q.delete(ctx)
	if err == nil && n < int64(len(rows)) {
		err = s.use().notFound()
	}
	return err
}

// Reload reads a row again, as it is stored now. Relations that were loaded no longer
// are. If the row is gone the error is ErrNotFound.
func (s QuerySet[T]) Reload(ctx context.Context, row *T) error {
	if err := s.use().ready(); err != nil {
		return err
	}
	m := s.use().model
	if row == nil {
		return fmt.Errorf("orm: Reload of %s: the row is nil", m.Name)
	}
	key, err := m.savedKey(unsafe.Pointer(row))
	if err != nil {
		return err
	}
	fresh, err := QuerySet[T]{&query{model: m, where: []expr{&compare{"=", m.keyRef(), &variable{key}}}}}.Get(ctx)
	if err == nil {
		*row = *fresh
	}
	return err
}
