package orm

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"unsafe"
)

// HasMany is the other side of a foreign key: the rows of T that refer to the
// row that holds it. It has no column. If T has several foreign keys to the
// model, the tag "reverse" names the one meant, or the foreign key's tag
// "related" names this field.
type HasMany[T any] struct {
	rows   []*T
	loaded bool
	key    rowKey
	link   *link
}

// To returns, in a prototype, the names of the related model's fields. In a
// row it panics: rows are read with [HasMany.Get] or [HasMany.All].
func (h *HasMany[T]) To() *T { return names[T](h.link) }

// Get returns the rows that the query loaded with With, or a *NotLoadedError.
func (h *HasMany[T]) Get() ([]*T, error) {
	if !h.loaded {
		return nil, notLoaded(h.link, reflect.TypeFor[T]())
	}
	return h.rows, nil
}

// Loaded reports whether Get has an answer.
func (h *HasMany[T]) Loaded() bool { return h.loaded }

// All returns the rows, with a query of its own if they are not loaded.
func (h *HasMany[T]) All(ctx context.Context) ([]*T, error) {
	if h.loaded {
		return h.rows, nil
	}
	rows, err := h.Query().All(ctx)
	if err == nil {
		h.rows, h.loaded = rows, true
	}
	return rows, err
}

// Query is the query of the related rows, to be refined and run. An error, if
// the row is not saved, comes when it runs.
func (h *HasMany[T]) Query() QuerySet[T] {
	return related[T](h.link, h.key, func(f *FieldInfo, key any) expr {
		via := f.Relation.via
		names := typeInfo(f.Relation.spec.target).names.root
		return &compare{"=", ref{unsafe.Add(names.base, via.offset), via.Type}, &variable{key}}
	})
}

// TemplateValue is what a template sees: the rows.
func (h HasMany[T]) TemplateValue() (any, error) {
	rows, err := h.Get()
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// TemplateType is the type of what a template sees, for checks.
func (HasMany[T]) TemplateType() reflect.Type { return reflect.TypeFor[[]*T]() }

// String tells how many rows are loaded.
func (h HasMany[T]) String() string { return manyString(h.loaded, len(h.rows)) }

// MarshalJSON writes the loaded rows, or null if they are not loaded.
func (h HasMany[T]) MarshalJSON() ([]byte, error) {
	if !h.loaded {
		return []byte("null"), nil
	}
	return json.Marshal(h.rows)
}

func (h *HasMany[T]) spec() relationSpec {
	return relationSpec{
		kind: ToMany, many: true, target: reflect.TypeFor[T](),
		rowOffset: unsafe.Offsetof(h.rows), loadedOffset: unsafe.Offsetof(h.loaded),
		keyOffset: unsafe.Offsetof(h.key), linkOffset: unsafe.Offsetof(h.link),
	}
}

// names returns the prototype behind a relation to many.
func names[T any](l *link) *T {
	if l == nil || l.node == nil {
		panic(fmt.Sprintf("orm: To of a relation to many of %s names fields and is for Fields(); read rows with Get or All", reflect.TypeFor[T]().Name()))
	}
	return (*T)(l.node.child(l.field).base)
}

// related makes the query of the rows behind a relation of one row.
func related[T any](l *link, key rowKey, condition func(f *FieldInfo, key any) expr) QuerySet[T] {
	m := typeInfo(reflect.TypeFor[T]())
	q := &query{model: m}
	switch {
	case l == nil || key.value() == nil:
		q.err = fmt.Errorf("orm: a relation to %s is used on a row that was neither read nor inserted", m.Name)
	default:
		if q.err = l.field.model.resolve(); q.err == nil {
			q.relation, q.where = l.field, []expr{condition(l.field, key.value())}
		}
	}
	return typed[*T](q)
}

func manyString(loaded bool, n int) string {
	if !loaded {
		return "(not loaded)"
	}
	return fmt.Sprintf("(%d rows)", n)
}
