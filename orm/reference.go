package orm

import (
	"context"
	"fmt"
	"reflect"
	"unsafe"
)

// reference is a foreign key in memory, of any type.
type reference struct {
	key     unsafe.Pointer  // where its key is
	row     *unsafe.Pointer // where the address of its row is
	link    *link
	keyType reflect.Type
	target  reflect.Type
	to      string // the field of the target; empty for the primary key
}

// field is the field of the target that the key holds.
func (r reference) field() *FieldInfo { return typeInfo(r.target).keyNamed(r.to) }

// reference is the foreign key at an address.
func (s *relationSpec) reference(p unsafe.Pointer) reference {
	r := reference{
		key: p, row: (*unsafe.Pointer)(unsafe.Add(p, s.rowOffset)), link: *(**link)(unsafe.Add(p, s.linkOffset)),
		keyType: s.key, target: s.target, to: s.to,
	}
	if r.to == "" {
		r.to = r.link.to()
	}
	return r
}

// loaded reports whether the row is there, or the key is NULL.
func (r reference) loaded() bool {
	if zero := r.keyIsZero(r.key); zero || *r.row == nil {
		return zero
	}
	if pk := r.field(); pk != nil && pk.Type == r.keyType && r.keyType.Kind() == reflect.Int64 {
		return *(*int64)(unsafe.Add(*r.row, pk.offset)) == *(*int64)(r.key)
	}
	key := reflect.New(r.keyType).UnsafePointer()
	r.rowKey(key)
	return r.sameKeys(key, r.key)
}

func (r reference) isNull() bool { return *r.row == nil && r.keyIsZero(r.key) }

// keyIsZero reports whether a key has no value.
func (r reference) keyIsZero(key unsafe.Pointer) bool {
	return isZeroMemory(key, r.keyType) ||
		r.keyType.Kind() == reflect.Struct && r.sameKeys(key, reflect.New(r.keyType).UnsafePointer())
}

// sameKeys compares keys by what is stored: a composite one may hold foreign keys, whose
// loaded rows do not count.
func (r reference) sameKeys(a, b unsafe.Pointer) bool {
	same := reflect.NewAt(r.keyType, a).Elem().Equal(reflect.NewAt(r.keyType, b).Elem())
	if same || r.keyType.Kind() != reflect.Struct {
		return same
	}
	pk := typeInfo(r.target).PrimaryKey
	if pk == nil || pk.Type != r.keyType {
		return false
	}
	x, err := pk.codec.load(a)
	y, otherErr := pk.codec.load(b)
	return err == nil && otherErr == nil && mapKey(x) == mapKey(y)
}

// rowKey writes the key of the row to an address that holds the zero key.
func (r reference) rowKey(key unsafe.Pointer) {
	pk := r.field()
	if pk == nil || pk.memory() != r.keyType {
		return
	}
	p := unsafe.Add(*r.row, pk.offset)
	if len(pk.Parts) == 0 {
		reflect.NewAt(r.keyType, key).Elem().Set(reflect.NewAt(r.keyType, p).Elem())
		return
	}
	// Only what is stored is copied, not rows that foreign keys in the key have loaded.
	if v, err := pk.codec.load(p); err == nil {
		_ = pk.codec.store(key, v)
	}
}

// readKey makes the key that of the row, if there is one.
func (r reference) readKey() {
	if *r.row != nil {
		r.rowKey(r.key)
	}
}

// takeKey moves the key of a row that was set before it was inserted.
func (r reference) takeKey() error {
	if *r.row == nil {
		return nil
	}
	if r.link == nil && r.to != "" {
		// When the row was set it was not known which of its fields the key is.
		reflect.NewAt(r.keyType, r.key).Elem().SetZero()
	}
	if !r.keyIsZero(r.key) {
		return nil
	}
	switch r.readKey(); {
	case !r.keyIsZero(r.key):
		return nil
	case r.to != "":
		return fmt.Errorf("refers to a %s whose %s is empty", r.target.Name(), r.to)
	default:
		return fmt.Errorf("refers to a %s that is not saved; insert it first", r.target.Name())
	}
}

// fetch reads the row of a key, which must stay as it is.
func (r reference) fetch(ctx context.Context, key unsafe.Pointer) (unsafe.Pointer, error) {
	info, err := registeredInfo(r.target)
	if err != nil {
		return nil, err
	}
	field := info.keyNamed(r.to)
	if field == nil {
		return nil, fmt.Errorf("orm: %s has no field %s, to which the key leads", info.Name, r.to)
	}
	of := ref{unsafe.Add(info.names.root.base, field.offset), field.memory()}
	q := &query{model: info, where: []expr{&compare{op: "=", left: of, right: &literal{key}}}}
	if r.link != nil {
		q.own().relation = r.link.field
	}
	return q.get(ctx)
}

// queryArg is what stands for a foreign key in a query: its key. The field may be shared,
// so that a key to be taken is taken by a copy.
func (s *relationSpec) queryArg(field reflect.Value) (any, error) {
	box := reflect.New(field.Type())
	box.Elem().Set(field)
	r := s.reference(box.UnsafePointer())
	if err := r.takeKey(); err != nil || r.isNull() {
		return nil, err
	}
	if pk := r.field(); pk != nil && len(pk.Parts) > 0 && pk.Type == r.keyType {
		return pk.codec.load(r.key)
	}
	return plainValue(reflect.NewAt(r.keyType, r.key).Elem().Interface())
}

// foreignKeySpec tells whether a type is that of a foreign key, and what it says.
func foreignKeySpec(t reflect.Type) (relationSpec, bool) {
	if t.Kind() != reflect.Struct {
		return relationSpec{}, false
	}
	r, ok := reflect.New(t).Interface().(relation)
	if !ok {
		return relationSpec{}, false
	}
	s := r.spec()
	return s, s.kind == ToOne
}
