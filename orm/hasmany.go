package orm

import (
	"context"
	"encoding/json"
	"reflect"
	"unsafe"
)

// HasMany is the other side of a foreign key: the rows of T that refer to the
// row that holds it. It has no column. If T has several foreign keys to the
// model, the tag "reverse" names the one meant, or the foreign key's tag
// "related" names this field.
//
// Its methods are those of [HasManyOf].
type HasMany[T any] = HasManyOf[*T]

// HasManyOf is what a [HasMany] is, by the pointer to its rows: as with [Query], its
// methods are compiled once for all models.
type HasManyOf[P any] struct {
	// What follows is a many.
	rows   []P
	loaded bool
	key    rowKey
	link   *link
}

// To returns, in a prototype, the names of the related model's fields. In a
// row it panics: rows are read with [HasManyOf.Get] or [HasManyOf.All].
func (h *HasManyOf[P]) To() P { return rowOf[P]((*many)(unsafe.Pointer(h)).to(targetOf[P]())) }

// Get returns the rows that the query loaded with With, or a *NotLoadedError.
func (h *HasManyOf[P]) Get() ([]P, error) {
	rows, err := (*many)(unsafe.Pointer(h)).get(targetOf[P]())
	return rowsOf[P](rows), err
}

// Loaded reports whether Get has an answer.
func (h *HasManyOf[P]) Loaded() bool { return h.loaded }

// All returns the rows, with a query of its own if they are not loaded.
func (h *HasManyOf[P]) All(ctx context.Context) ([]P, error) {
	rows, err := (*many)(unsafe.Pointer(h)).all(ctx, targetOf[P]())
	return rowsOf[P](rows), err
}

// Query is the query of the related rows, to be refined and run. An error, if
// the row is not saved, comes when it runs.
func (h *HasManyOf[P]) Query() *Query[P] {
	return typed[P]((*many)(unsafe.Pointer(h)).query(targetOf[P]()))
}

// TemplateValue is what a template sees: the rows.
func (h HasManyOf[P]) TemplateValue() (any, error) {
	if !h.loaded {
		return nil, notLoaded(h.link, targetOf[P]())
	}
	return h.rows, nil
}

// TemplateType is the type of what a template sees, for checks.
func (HasManyOf[P]) TemplateType() reflect.Type { return reflect.TypeOf([]P(nil)) }

// String tells how many rows are loaded.
func (h HasManyOf[P]) String() string { return (*many)(unsafe.Pointer(&h)).String() }

// MarshalJSON writes the loaded rows, or null if they are not loaded.
func (h HasManyOf[P]) MarshalJSON() ([]byte, error) {
	if !h.loaded {
		return []byte("null"), nil
	}
	return json.Marshal(h.rows)
}

func (h *HasManyOf[P]) spec() relationSpec {
	return (*many)(unsafe.Pointer(h)).spec(ToMany, targetOf[P]())
}
