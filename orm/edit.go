package orm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unsafe"
)

// Edit remembers what a row holds, so that only what changes is written:
//
//	edit, err := Posts.Edit(post)
//	post.Title = "New"
//	err = edit.Save(ctx) // UPDATE … SET title = …, updated = …
//
// It belongs to its row and, like it, to one goroutine at a time. It is an [EditOf] a
// pointer to the row.
type Edit[T any] = EditOf[*T]

// EditOf has the methods of an [Edit].
type EditOf[P any] struct {
	_ [0]P
	e edit
}

// Edit remembers what a row that is saved holds now.
func (s *Query[P]) Edit(row P) (*EditOf[P], error) {
	e, err := s.use().edit(base(row))
	return (*EditOf[P])(unsafe.Pointer(e)), err
}

// Row is the row that is edited.
func (e *EditOf[P]) Row() P { return rowOf[P](e.e.row) }

// Changed lists the fields whose values would be stored as others than before.
func (e *EditOf[P]) Changed() ([]*FieldInfo, error) { return e.e.changed() }

// Has reports whether a field, named by a pointer from Fields, has changed.
func (e *EditOf[P]) Has(field any) (bool, error) { return e.e.has(field) }

// Save writes the fields that changed, as [Query.UpdateRow] does, and remembers what
// the row holds then. If none did it writes nothing, and no hook runs.
func (e *EditOf[P]) Save(ctx context.Context) error { return e.e.save(ctx) }

// edit is an [Edit] of a row of any type.
type edit struct {
	row    unsafe.Pointer
	q      *query
	before []any // of each column, as the database stores it
}

func (q *query) edit(row unsafe.Pointer) (*edit, error) {
	if err := q.ready(); err != nil {
		return nil, err
	}
	if row == nil {
		return nil, fmt.Errorf("orm: Edit of %s: the row is nil", q.model.Name)
	}
	e := &edit{row: row, q: q}
	return e, e.remember()
}

func (e *edit) remember() error {
	e.before = make([]any, len(e.q.model.columns))
	for i, f := range e.q.model.columns {
		v, err := f.codec.load(unsafe.Add(e.row, f.offset))
		if err != nil {
			return f.fault(err)
		}
		if b, ok := v.([]byte); ok {
			v = slices.Clone(b) // the program may change it in place
		}
		e.before[i] = v
	}
	return nil
}

func (e *edit) changed() ([]*FieldInfo, error) {
	var changed []*FieldInfo
	for i, f := range e.q.model.columns {
		if f.Computed || f.Version {
			continue
		}
		if err := f.takeOwnKey(e.row); err != nil {
			return nil, err
		}
		v, err := f.codec.load(unsafe.Add(e.row, f.offset))
		if err != nil {
			return nil, f.fault(err)
		}
		if !sameValue(e.before[i], v) {
			changed = append(changed, f)
		}
	}
	return changed, nil
}

func (e *edit) has(field any) (bool, error) {
	f, err := e.q.model.Field(field)
	if err != nil {
		return false, err
	}
	changed, err := e.changed()
	return slices.Contains(changed, f), err
}

func (e *edit) save(ctx context.Context) error {
	changed, err := e.changed()
	if err != nil || len(changed) == 0 {
		return err
	}
	if err := e.q.updateRow(ctx, e.row, changed); err != nil {
		return err
	}
	return e.remember()
}

// sameValue compares two values of a column.
func sameValue(a, b any) bool {
	switch a := a.(type) {
	case []byte:
		b, ok := b.([]byte)
		return ok && bytes.Equal(a, b)
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.Equal(b)
	}
	if _, ok := b.([]byte); ok {
		return false
	}
	return a == b
}

// UpdateOrInsert looks for the row that has the same values as row in the fields given and
// lets change alter it; if there is none it inserts row. What change alters, and nothing
// else, is written. Either way row then holds what is stored; the result tells whether it
// was inserted.
//
//	visit := &Visit{Page: "/", Count: 1}
//	inserted, err := Visits.UpdateOrInsert(ctx, visit, orm.Fields(&v.Page), func(found *Visit) error {
//		found.Count++
//		return nil
//	})
//
// The row found stays locked until it is written, and two that insert at the same time end
// up with one row, provided that the fields are unique together. If that makes a deadlock,
// it is tried again, and change called with a row that was read anew; inside of a
// transaction the error is [ErrDeadlock], as only the whole of it can be tried again.
func (s *Query[P]) UpdateOrInsert(ctx context.Context, row P, fields []any, change func(found P) error) (inserted bool, err error) {
	return s.use().updateOrInsert(ctx, base(row), fields, func(found unsafe.Pointer) error { return change(rowOf[P](found)) })
}

func (q *query) updateOrInsert(ctx context.Context, row unsafe.Pointer, fields []any, change func(found unsafe.Pointer) error) (inserted bool, err error) {
	find, err := q.sameAs("UpdateOrInsert", row, fields)
	if err != nil {
		return false, err
	}
	// The insert has a transaction of its own: one that failed would leave locks behind
	// that get in the way of others that wait to lock the row.
	for range updateOrInsertTries {
		if _, inserted, err = find.orInsert(ctx, q, row); err != nil || inserted {
			return inserted, err
		}
		var there bool
		if there, err = q.updateLocked(ctx, find, row, change); there || !errors.Is(err, ErrNotFound) {
			break
		}
		// It was deleted since.
	}
	return false, err
}

// updateOrInsertTries is how often a row may be deleted by others while it is looked for.
const updateOrInsertTries = 5

// updateLocked locks the row of a query, changes it and writes what changed.
func (q *query) updateLocked(ctx context.Context, find *query, row unsafe.Pointer, change func(found unsafe.Pointer) error) (there bool, err error) {
	err = AtomicWith(ctx, TxOptions{Retries: raceRetries}, func(ctx context.Context) error {
		found, err := find.forUpdate(nil).get(ctx)
		if there = err == nil; err != nil {
			return err
		}
		edit, err := q.edit(found)
		if err != nil {
			return err
		}
		if err := change(found); err != nil {
			return err
		}
		if err := edit.save(ctx); err != nil {
			return err
		}
		q.model.copyRow(row, found)
		return nil
	})
	return there, err
}
