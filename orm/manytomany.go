package orm

import (
	"context"
	"encoding/json"
	"reflect"
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
//
// They are those of [ManyToManyOf].
type ManyToMany[T any] = ManyToManyOf[*T]

// ManyToManyOf is what a [ManyToMany] is, by the pointer to its rows: as with [Query], its
// methods are compiled once for all models.
type ManyToManyOf[P any] struct {
	// What follows is a many.
	rows   []P
	loaded bool
	key    rowKey
	link   *link
}

// To returns, in a prototype, the names of the related model's fields. In a
// row it panics: rows are read with [ManyToManyOf.Get] or [ManyToManyOf.All].
func (m *ManyToManyOf[P]) To() P { return rowOf[P]((*many)(unsafe.Pointer(m)).to(targetOf[P]())) }

// Get returns the rows that the query loaded with With, or a *NotLoadedError.
func (m *ManyToManyOf[P]) Get() ([]P, error) {
	rows, err := (*many)(unsafe.Pointer(m)).get(targetOf[P]())
	return rowsOf[P](rows), err
}

// Loaded reports whether Get has an answer.
func (m *ManyToManyOf[P]) Loaded() bool { return m.loaded }

// All returns the rows, with a query of its own if they are not loaded.
func (m *ManyToManyOf[P]) All(ctx context.Context) ([]P, error) {
	rows, err := (*many)(unsafe.Pointer(m)).all(ctx, targetOf[P]())
	return rowsOf[P](rows), err
}

// Query is the query of the related rows, to be refined and run. An error, if
// the row is not saved, comes when it runs.
func (m *ManyToManyOf[P]) Query() *Query[P] {
	return typed[P]((*many)(unsafe.Pointer(m)).query(targetOf[P]()))
}

// Add relates rows. Those related already stay so, once.
func (m *ManyToManyOf[P]) Add(ctx context.Context, rows ...P) error {
	return (*many)(unsafe.Pointer(m)).add(ctx, targetOf[P](), bases(rows))
}

// Remove ends the relation to rows. They themselves are not deleted.
func (m *ManyToManyOf[P]) Remove(ctx context.Context, rows ...P) error {
	return (*many)(unsafe.Pointer(m)).remove(ctx, targetOf[P](), bases(rows))
}

// Set relates exactly the rows given: it adds what is missing and removes the
// rest, in one transaction.
func (m *ManyToManyOf[P]) Set(ctx context.Context, rows ...P) error {
	return (*many)(unsafe.Pointer(m)).set(ctx, targetOf[P](), bases(rows))
}

// Clear ends the relation to all rows.
func (m *ManyToManyOf[P]) Clear(ctx context.Context) error {
	return (*many)(unsafe.Pointer(m)).set(ctx, targetOf[P](), nil)
}

// TemplateValue is what a template sees: the rows.
func (m ManyToManyOf[P]) TemplateValue() (any, error) {
	if !m.loaded {
		return nil, notLoaded(m.link, targetOf[P]())
	}
	return m.rows, nil
}

// TemplateType is the type of what a template sees, for checks.
func (ManyToManyOf[P]) TemplateType() reflect.Type { return reflect.TypeOf([]P(nil)) }

// String tells how many rows are loaded.
func (m ManyToManyOf[P]) String() string { return (*many)(unsafe.Pointer(&m)).String() }

// MarshalJSON writes the loaded rows, or null if they are not loaded.
func (m ManyToManyOf[P]) MarshalJSON() ([]byte, error) {
	if !m.loaded {
		return []byte("null"), nil
	}
	return json.Marshal(m.rows)
}

func (m *ManyToManyOf[P]) spec() relationSpec {
	return (*many)(unsafe.Pointer(m)).spec(ManyMany, targetOf[P]())
}
