package orm

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"unsafe"
)

// ManyToMany relates rows of the model to any number of rows of T and the
// other way round, through a join table that is made with the model's table.
// The other side, if it has a field, tags it "reverse" with this field's name.
//
// The tag "through" names a model of the program's own that is the join table, with foreign
// keys to both sides and fields of its own; "through_fields=Team|Member" says which of several
// are meant, that to this model first. Add then inserts rows of it that have their defaults;
// to give its fields other values, insert rows of it. A relation of a model to itself that is
// tagged "symmetrical" holds in both directions at once.
//
// Its methods that write take rows that are saved, and write at once.
type ManyToMany[T any] struct {
	rows   []*T
	loaded bool
	key    rowKey
	link   *link
}

// To returns, in a prototype, the names of the related model's fields. In a
// row it panics: rows are read with [ManyToMany.Get] or [ManyToMany.All].
func (m *ManyToMany[T]) To() *T { return names[T](m.link) }

// Get returns the rows that the query loaded with With, or a *NotLoadedError.
func (m *ManyToMany[T]) Get() ([]*T, error) {
	if !m.loaded {
		return nil, notLoaded(m.link, reflect.TypeFor[T]())
	}
	return m.rows, nil
}

// Loaded reports whether Get has an answer.
func (m *ManyToMany[T]) Loaded() bool { return m.loaded }

// All returns the rows, with a query of its own if they are not loaded.
func (m *ManyToMany[T]) All(ctx context.Context) ([]*T, error) {
	if m.loaded {
		return m.rows, nil
	}
	rows, err := m.Query().All(ctx)
	if err == nil {
		m.rows, m.loaded = rows, true
	}
	return rows, err
}

// Query is the query of the related rows, to be refined and run. An error, if
// the row is not saved, comes when it runs.
func (m *ManyToMany[T]) Query() QuerySet[T] {
	return related[T](m.link, m.key, func(f *FieldInfo, key any) expr {
		return &joined{f.Relation.join, f.Relation.Target().PrimaryKey, key}
	})
}

// Add relates rows. Those related already stay so, once.
func (m *ManyToMany[T]) Add(ctx context.Context, rows ...*T) error {
	keys, err := m.keysOf(rows)
	if err != nil || len(keys) == 0 {
		return err
	}
	if err := (&relationChange{field: m.link.field, owner: m.key.value(), keys: keys}).run(ctx); err != nil {
		return err
	}
	if m.loaded {
		have := m.rows
		m.rows = slices.Clone(have)
		for i, row := range rows {
			if m.index(have, keys[i]) < 0 {
				m.rows = append(m.rows, row)
			}
		}
	}
	return nil
}

// Remove ends the relation to rows. They themselves are not deleted.
func (m *ManyToMany[T]) Remove(ctx context.Context, rows ...*T) error {
	keys, err := m.keysOf(rows)
	if err != nil || len(keys) == 0 {
		return err
	}
	if err := (&relationChange{field: m.link.field, owner: m.key.value(), keys: keys, remove: true}).run(ctx); err != nil {
		return err
	}
	if m.loaded {
		m.rows = slices.DeleteFunc(slices.Clone(m.rows), func(row *T) bool {
			return m.index(rows, m.keyOf(row)) >= 0
		})
	}
	return nil
}

// Set relates exactly the rows given: it adds what is missing and removes the
// rest, in one transaction.
func (m *ManyToMany[T]) Set(ctx context.Context, rows ...*T) error {
	keys, err := m.keysOf(rows)
	if err != nil {
		return err
	}
	err = (&relationChange{field: m.link.field, owner: m.key.value(), keys: keys, exactly: true}).run(ctx)
	if err == nil {
		m.rows, m.loaded = slices.Clone(rows), true
	}
	return err
}

// Clear ends the relation to all rows.
func (m *ManyToMany[T]) Clear(ctx context.Context) error { return m.Set(ctx) }

// keysOf checks that the relation can be written and returns the rows' keys.
func (m *ManyToMany[T]) keysOf(rows []*T) ([]any, error) {
	if m.link == nil || m.link.node != nil || m.key.value() == nil {
		return nil, fmt.Errorf("orm: a relation to %s is written on a row that was neither read nor inserted", reflect.TypeFor[T]().Name())
	}
	if err := m.link.field.model.resolve(); err != nil {
		return nil, err
	}
	keys := make([]any, len(rows))
	for i, row := range rows {
		if row == nil {
			return nil, fmt.Errorf("orm: a nil row is given to %s.%s", m.link.field.model.Name, m.link.field.Name)
		}
		if keys[i] = m.keyOf(row); keys[i] == nil {
			return nil, fmt.Errorf("orm: %s.%s is given a %s that is not saved; insert it first", m.link.field.model.Name, m.link.field.Name, reflect.TypeFor[T]().Name())
		}
	}
	return keys, nil
}

func (m *ManyToMany[T]) keyOf(row *T) any {
	return typeInfo(reflect.TypeFor[T]()).keyOf(unsafe.Pointer(row)).value()
}

func (m *ManyToMany[T]) index(rows []*T, key any) int {
	return slices.IndexFunc(rows, func(row *T) bool { return mapKey(m.keyOf(row)) == mapKey(key) })
}

// TemplateValue is what a template sees: the rows.
func (m ManyToMany[T]) TemplateValue() (any, error) {
	rows, err := m.Get()
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// TemplateType is the type of what a template sees, for checks.
func (ManyToMany[T]) TemplateType() reflect.Type { return reflect.TypeFor[[]*T]() }

// String tells how many rows are loaded.
func (m ManyToMany[T]) String() string { return manyString(m.loaded, len(m.rows)) }

// MarshalJSON writes the loaded rows, or null if they are not loaded.
func (m ManyToMany[T]) MarshalJSON() ([]byte, error) {
	if !m.loaded {
		return []byte("null"), nil
	}
	return json.Marshal(m.rows)
}

func (m *ManyToMany[T]) spec() relationSpec {
	return relationSpec{
		kind: ManyMany, many: true, target: reflect.TypeFor[T](),
		rowOffset: unsafe.Offsetof(m.rows), loadedOffset: unsafe.Offsetof(m.loaded),
		keyOffset: unsafe.Offsetof(m.key), linkOffset: unsafe.Offsetof(m.link),
	}
}
