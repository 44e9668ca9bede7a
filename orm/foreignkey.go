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
// no_action; "unique" makes a one-to-one relation.
type ForeignKey[T any, K comparable] struct {
	// ID is the key. Setting it is enough to refer to another row; a row
	// loaded before is then no longer returned.
	ID K

	row  *T
	link *link
}

// To steps to the related model. In a prototype it returns the names of its
// fields. In a row it returns the loaded row, or nil for NULL; it panics with
// a *NotLoadedError where [ForeignKey.Get] would return one.
func (f *ForeignKey[T, K]) To() *T {
	if f.link != nil && f.link.node != nil {
		return (*T)(f.link.node.child(f.link.field).base)
	}
	row, err := f.Get()
	if err != nil {
		panic(err)
	}
	return row
}

// Get returns the row the key refers to. For NULL it returns nil and no error;
// for a row that was not loaded, a *NotLoadedError that names the missing With.
func (f *ForeignKey[T, K]) Get() (*T, error) {
	if f.Loaded() {
		return f.row, nil
	}
	return nil, notLoaded(f.link, reflect.TypeFor[T]())
}

// Loaded reports whether Get has an answer: the row is loaded, or the key is NULL.
func (f *ForeignKey[T, K]) Loaded() bool {
	if f.row == nil {
		return f.IsNull()
	}
	return f.keyIsZero() || sameKeys[T](f.rowKey(), f.ID)
}

// keyIsZero reports whether the key has no value.
func (f *ForeignKey[T, K]) keyIsZero() bool {
	var zero K
	return f.ID == zero || isComposite[K]() && sameKeys[T](f.ID, zero)
}

func isComposite[K any]() bool { return reflect.TypeFor[K]().Kind() == reflect.Struct }

// sameKeys compares keys by what is stored: a composite one may hold foreign keys, whose
// loaded rows do not count.
func sameKeys[T any, K comparable](a, b K) bool {
	if a == b || !isComposite[K]() {
		return a == b
	}
	pk := typeInfo(reflect.TypeFor[T]()).PrimaryKey
	if pk == nil || pk.Type != reflect.TypeFor[K]() {
		return false
	}
	x, err := pk.codec.load(unsafe.Pointer(&a))
	y, otherErr := pk.codec.load(unsafe.Pointer(&b))
	return err == nil && otherErr == nil && mapKey(x) == mapKey(y)
}

// rowKey is the primary key of the loaded row.
func (f *ForeignKey[T, K]) rowKey() (key K) {
	pk := typeInfo(reflect.TypeFor[T]()).PrimaryKey
	if pk.memory() != reflect.TypeFor[K]() {
		return key
	}
	p := unsafe.Add(unsafe.Pointer(f.row), pk.offset)
	if len(pk.Parts) == 0 {
		return *(*K)(p)
	}
	// Only what is stored is copied, not rows that foreign keys in the key have loaded.
	if v, err := pk.codec.load(p); err == nil {
		_ = pk.codec.store(unsafe.Pointer(&key), v)
	}
	return key
}

// IsNull reports whether the key refers to no row.
func (f *ForeignKey[T, K]) IsNull() bool {
	return f.row == nil && f.keyIsZero()
}

// Set makes the key refer to a row, or to none if row is nil. A row that is
// not inserted yet may be set: its key is taken when the row that holds f is
// written.
func (f *ForeignKey[T, K]) Set(row *T) {
	f.row = row
	var zero K
	f.ID = zero
	if row != nil {
		f.ID = f.rowKey()
	}
}

// SetID makes the key refer to the row with that primary key.
func (f *ForeignKey[T, K]) SetID(id K) {
	f.ID, f.row = id, nil
}

// Load fetches the row with a query of its own, unless it is loaded, and
// returns it; nil for NULL. Queries that need the row of many keys use With.
func (f *ForeignKey[T, K]) Load(ctx context.Context) (*T, error) {
	if f.Loaded() {
		return f.row, nil
	}
	info, err := registeredInfo(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	id := f.ID
	key := ref{unsafe.Add(info.names.root.base, info.PrimaryKey.offset), info.PrimaryKey.memory()}
	q := &query{model: info}
	if f.link != nil {
		q.relation = f.link.field
	}
	q.where = []expr{&compare{op: "=", left: key, right: &literal{unsafe.Pointer(&id)}}}
	row, err := typed[*T](q).Get(ctx)
	if err != nil {
		return nil, err
	}
	f.row = row
	return row, nil
}

// takeKey moves the key of a row that was set before it was inserted.
func (f *ForeignKey[T, K]) takeKey() error {
	if f.row == nil || !f.keyIsZero() {
		return nil
	}
	if f.ID = f.rowKey(); f.keyIsZero() {
		return fmt.Errorf("refers to a %s that is not saved; insert it first", reflect.TypeFor[T]().Name())
	}
	return nil
}

// TemplateValue is what a template sees: the row, or nil for NULL.
func (f ForeignKey[T, K]) TemplateValue() (any, error) {
	row, err := f.Get()
	if err != nil || row == nil {
		return nil, err
	}
	return row, nil
}

// TemplateType is the type of what a template sees, for checks.
func (ForeignKey[T, K]) TemplateType() reflect.Type { return reflect.TypeFor[*T]() }

// String is the key, or "NULL".
func (f ForeignKey[T, K]) String() string {
	if f.IsNull() {
		return "NULL"
	}
	return fmt.Sprint(f.ID)
}

// MarshalJSON writes the key, or null.
func (f ForeignKey[T, K]) MarshalJSON() ([]byte, error) {
	if f.IsNull() {
		return []byte("null"), nil
	}
	return json.Marshal(f.ID)
}

// UnmarshalJSON reads a key or null.
func (f *ForeignKey[T, K]) UnmarshalJSON(b []byte) error {
	var id K
	if string(b) != "null" {
		if err := json.Unmarshal(b, &id); err != nil {
			return err
		}
	}
	f.SetID(id)
	return nil
}

func (f *ForeignKey[T, K]) spec() relationSpec {
	return relationSpec{
		kind: ToOne, target: reflect.TypeFor[T](), key: reflect.TypeFor[K](),
		rowOffset: unsafe.Offsetof(f.row), linkOffset: unsafe.Offsetof(f.link),
	}
}

// keyTaker is a foreign key of any type.
type keyTaker interface{ takeKey() error }

func (f ForeignKey[T, K]) queryArg() (any, error) {
	if err := f.takeKey(); err != nil || f.IsNull() {
		return nil, err
	}
	if pk := typeInfo(reflect.TypeFor[T]()).PrimaryKey; pk != nil && len(pk.Parts) > 0 && pk.Type == reflect.TypeFor[K]() {
		return pk.codec.load(unsafe.Pointer(&f.ID))
	}
	return plainValue(f.ID)
}
