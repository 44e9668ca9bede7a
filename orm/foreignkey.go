package orm

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"unsafe"
)

// FK is a foreign key to a model whose primary key is an int64, which is what
// embedding [Model] gives.
type FK[T any] = ForeignKey[T, int64]

// ForeignKey is a reference to a row of T, whose primary key is a K. It knows
// the key, and the row once a query loaded it. In a prototype it names the
// column: &p.Author and &p.Author.ID name the same.
//
// The zero key is NULL; a field that may be NULL is tagged "null". The tag
// "on_delete" is cascade, restrict (the default), set_null, set_default or
// no_action; "unique" makes a one-to-one relation; "to=Code" makes K the type of
// another unique field of T, whose values the column holds; "no_constraint" keeps the
// database out of it.
//
// Its methods are those of [ForeignKeyOf].
type ForeignKey[T any, K comparable] = ForeignKeyOf[*T, K]

// ForeignKeyOf is what a [ForeignKey] is, by the pointer to its row: as with [Query], its
// methods are compiled once for all models.
type ForeignKeyOf[P any, K comparable] struct {
	// ID is the key. Setting it is enough to refer to another row; a row
	// loaded before is then no longer returned.
	ID K

	row  P
	link *link
}

// referenceOf is the foreign key without its types.
func referenceOf[P any, K comparable](f *ForeignKeyOf[P, K]) reference {
	return reference{
		key: unsafe.Pointer(&f.ID), row: (*unsafe.Pointer)(unsafe.Pointer(&f.row)), link: f.link,
		keyType: reflect.TypeOf((*K)(nil)).Elem(), target: targetOf[P](), to: f.link.to(),
	}
}

// targetOf is the type that a P points to.
func targetOf[P any]() reflect.Type { return reflect.TypeOf((*P)(nil)).Elem().Elem() }

// To steps to the related model. In a prototype it returns the names of its
// fields. In a row it returns the loaded row, or nil for NULL; it panics with
// a *NotLoadedError where [ForeignKeyOf.Get] would return one.
func (f *ForeignKeyOf[P, K]) To() P {
	if f.link != nil && f.link.node != nil {
		return rowOf[P](f.link.node.child(f.link.field).base)
	}
	row, err := f.Get()
	if err != nil {
		panic(err)
	}
	return row
}

// Get returns the row the key refers to. For NULL it returns nil and no error;
// for a row that was not loaded, a *NotLoadedError that names the missing With.
func (f *ForeignKeyOf[P, K]) Get() (P, error) {
	if r := referenceOf(f); !r.loaded() {
		return rowOf[P](nil), notLoaded(r.link, r.target)
	}
	return f.row, nil
}

// Loaded reports whether Get has an answer: the row is loaded, or the key is NULL.
func (f *ForeignKeyOf[P, K]) Loaded() bool { return referenceOf(f).loaded() }

// IsNull reports whether the key refers to no row.
func (f *ForeignKeyOf[P, K]) IsNull() bool { return referenceOf(f).isNull() }

// Set makes the key refer to a row, or to none if row is nil. A row that is
// not inserted yet may be set: its key is taken when the row that holds f is
// written.
func (f *ForeignKeyOf[P, K]) Set(row P) {
	var zero K
	f.ID, f.row = zero, row
	referenceOf(f).readKey()
}

// SetID makes the key refer to the row with that primary key.
func (f *ForeignKeyOf[P, K]) SetID(id K) {
	f.ID, f.row = id, rowOf[P](nil)
}

// Load fetches the row with a query of its own, unless it is loaded, and
// returns it; nil for NULL. Queries that need the row of many keys use With.
func (f *ForeignKeyOf[P, K]) Load(ctx context.Context) (P, error) {
	if r := referenceOf(f); !r.loaded() {
		id := f.ID
		row, err := r.fetch(ctx, unsafe.Pointer(&id))
		if err != nil {
			return rowOf[P](nil), err
		}
		f.row = rowOf[P](row)
	}
	return f.row, nil
}

// TemplateValue is what a template sees: the row, or nil for NULL.
func (f ForeignKeyOf[P, K]) TemplateValue() (any, error) {
	row, err := f.Get()
	if err != nil || base(row) == nil {
		return nil, err
	}
	return row, nil
}

// TemplateType is the type of what a template sees, for checks.
func (ForeignKeyOf[P, K]) TemplateType() reflect.Type { return reflect.PointerTo(targetOf[P]()) }

// String is the key, or "NULL".
func (f ForeignKeyOf[P, K]) String() string {
	if f.IsNull() {
		return "NULL"
	}
	return fmt.Sprint(f.ID)
}

// MarshalJSON writes the key, or null.
func (f ForeignKeyOf[P, K]) MarshalJSON() ([]byte, error) {
	if f.IsNull() {
		return []byte("null"), nil
	}
	return json.Marshal(f.ID)
}

// UnmarshalJSON reads a key or null.
func (f *ForeignKeyOf[P, K]) UnmarshalJSON(b []byte) error {
	var id K
	if string(b) != "null" {
		if err := json.Unmarshal(b, &id); err != nil {
			return err
		}
	}
	f.SetID(id)
	return nil
}

func (f *ForeignKeyOf[P, K]) spec() relationSpec {
	return relationSpec{
		kind: ToOne, target: targetOf[P](), key: reflect.TypeOf(f.ID),
		rowOffset: unsafe.Offsetof(f.row), linkOffset: unsafe.Offsetof(f.link),
	}
}
