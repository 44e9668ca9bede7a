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
//
// Its methods are those of [HasOneOf].
type HasOne[T any] = HasOneOf[*T]

// HasOneOf is what a [HasOne] is, by the pointer to its row: as with [Query], its methods
// are compiled once for all models.
type HasOneOf[P any] struct {
	// What follows is a many.
	rows   []P
	loaded bool
	key    rowKey
	link   *link
}

// To returns, in a prototype, the names of the related model's fields. In a row it
// returns the loaded row, or nil if there is none; it panics with a *NotLoadedError
// where [HasOneOf.Get] would return one.
func (h *HasOneOf[P]) To() P {
	if h.link != nil && h.link.node != nil {
		return rowOf[P]((*many)(unsafe.Pointer(h)).to(targetOf[P]()))
	}
	row, err := h.Get()
	if err != nil {
		panic(err)
	}
	return row
}

// Get returns the row that the query loaded with With, nil if there is none, or a
// *NotLoadedError.
func (h *HasOneOf[P]) Get() (P, error) {
	row, err := (*many)(unsafe.Pointer(h)).one(targetOf[P]())
	return rowOf[P](row), err
}

// Loaded reports whether Get has an answer.
func (h *HasOneOf[P]) Loaded() bool { return h.loaded }

// Load returns the row, with a query of its own if it is not loaded; nil if there is
// none.
func (h *HasOneOf[P]) Load(ctx context.Context) (P, error) {
	if _, err := (*many)(unsafe.Pointer(h)).all(ctx, targetOf[P]()); err != nil {
		return rowOf[P](nil), err
	}
	return h.Get()
}

// TemplateValue is what a template sees: the row, or nil.
func (h HasOneOf[P]) TemplateValue() (any, error) {
	row, err := h.Get()
	if err != nil || base(row) == nil {
		return nil, err
	}
	return row, nil
}

// TemplateType is the type of what a template sees, for checks.
func (HasOneOf[P]) TemplateType() reflect.Type { return reflect.PointerTo(targetOf[P]()) }

// String tells whether a row is loaded.
func (h HasOneOf[P]) String() string { return (*many)(unsafe.Pointer(&h)).String() }

// MarshalJSON writes the loaded row, or null.
func (h HasOneOf[P]) MarshalJSON() ([]byte, error) {
	row, _ := h.Get()
	return json.Marshal(row)
}

func (h *HasOneOf[P]) spec() relationSpec {
	s := (*many)(unsafe.Pointer(h)).spec(ToMany, targetOf[P]())
	s.one = true
	return s
}
