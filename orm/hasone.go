package orm

import (
	"context"
	"encoding/json"
	"reflect"
	"unsafe"
)

// HasOne is the other side of a foreign key that is unique: the one row of T that
// refers to the row that holds it, or none. It has no column. Conditions treat it as a
// relation to many that happens to have at most one row.
type HasOne[T any] struct{ many HasMany[T] }

// To returns, in a prototype, the names of the related model's fields. In a row it
// returns the loaded row, or nil if there is none; it panics with a *NotLoadedError
// where [HasOne.Get] would return one.
func (h *HasOne[T]) To() *T {
	if h.many.link != nil && h.many.link.node != nil {
		return h.many.To()
	}
	row, err := h.Get()
	if err != nil {
		panic(err)
	}
	return row
}

// Get returns the row that the query loaded with With, nil if there is none, or a
// *NotLoadedError.
func (h *HasOne[T]) Get() (*T, error) {
	rows, err := h.many.Get()
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0], nil
}

// Loaded reports whether Get has an answer.
func (h *HasOne[T]) Loaded() bool { return h.many.loaded }

// Load returns the row, with a query of its own if it is not loaded; nil if there is
// none.
func (h *HasOne[T]) Load(ctx context.Context) (*T, error) {
	if _, err := h.many.All(ctx); err != nil {
		return nil, err
	}
	return h.Get()
}

// TemplateValue is what a template sees: the row, or nil.
func (h HasOne[T]) TemplateValue() (any, error) {
	row, err := h.Get()
	if err != nil || row == nil {
		return nil, err
	}
	return row, nil
}

// TemplateType is the type of what a template sees, for checks.
func (HasOne[T]) TemplateType() reflect.Type { return reflect.TypeFor[*T]() }

// String tells whether a row is loaded.
func (h HasOne[T]) String() string { return h.many.String() }

// MarshalJSON writes the loaded row, or null.
func (h HasOne[T]) MarshalJSON() ([]byte, error) {
	row, _ := h.Get()
	return json.Marshal(row)
}

func (h *HasOne[T]) spec() relationSpec {
	s := h.many.spec()
	s.one = true
	s.rowOffset += unsafe.Offsetof(h.many)
	s.loadedOffset += unsafe.Offsetof(h.many)
	s.keyOffset += unsafe.Offsetof(h.many)
	s.linkOffset += unsafe.Offsetof(h.many)
	return s
}
