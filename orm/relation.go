package orm

import (
	"reflect"
	"time"
	"unsafe"

	"github.com/retort-web/retort/orm/schema"
)

// RelationKind is the kind of a relation field.
type RelationKind string

// The kinds of relations.
const (
	ToOne    RelationKind = "to one"       // ForeignKey
	ToMany   RelationKind = "to many"      // HasMany, HasOne
	ManyMany RelationKind = "many to many" // ManyToMany
)

// RelationInfo describes a relation field.
type RelationInfo struct {
	Kind     RelationKind
	OnDelete schema.OnDelete // of a foreign key
	// Protect is on_delete=protect: Restrict that also holds for rows that would be
	// deleted with what they refer to.
	Protect bool
	// InDatabase is on_delete=db_cascade and its family: the database does it without
	// this package looking at the rows, so that their hooks do not run.
	InDatabase bool
	// Related is the tag "related": the name of the field in the target that
	// is the other side of this foreign key.
	Related string
	// Reverse is the tag "reverse": the name of the target's foreign key, or
	// many-to-many relation, whose other side this field is.
	Reverse string
	// Through is the tag "through": the model that is the join table; ThroughFields
	// its foreign keys, if they had to be named.
	Through, ThroughFields string
	// Symmetrical is a relation of a model to itself that holds in both directions.
	Symmetrical bool
	// OneToOne is a foreign key that is unique, or its other side.
	OneToOne bool

	// NoConstraint is the tag "no_constraint": the database does not know of the foreign
	// key, so that a value may lead to no row, and on_delete is done by this package alone.
	NoConstraint bool
	// ToField is the tag "to": the name of the field of the target that a foreign key
	// holds in place of the primary key. See [RelationInfo.Key].
	ToField string

	spec relationSpec
	// found by resolve
	via  *FieldInfo // of a HasMany: the foreign key in the target
	join *joinTable // of a ManyToMany
}

// relationSpec is what a relation field's type says, and where it keeps what.
type relationSpec struct {
	kind         RelationKind
	target       reflect.Type
	key          reflect.Type // of a foreign key
	to           string       // of a foreign key: the field it leads to; empty for the primary key
	many         bool
	one          bool // at most one: a HasOne, or a foreign key that is unique by its type
	linkOffset   uintptr
	rowOffset    uintptr // the row, or the slice of rows
	loadedOffset uintptr // to many: whether they are loaded
	keyOffset    uintptr // to many: the rowKey
}

// relation is implemented by pointers to all relation fields.
type relation interface{ spec() relationSpec }

// joinTable is the table behind a many-to-many relation, seen from one side.
type joinTable struct {
	table  string
	owner  []string // columns of the side that has the field
	target []string // columns of the other side
	// declared is the side that makes the table.
	declared *FieldInfo
	// through is the model whose table it is, nil for one that nobody sees.
	through                 *ModelInfo
	ownerField, targetField *FieldInfo
}

// Target is the model the relation leads to.
func (r *RelationInfo) Target() *ModelInfo { return typeInfo(r.spec.target) }

// Key is the field of the target whose values a foreign key holds: the primary key, or the
// unique field that the tag "to" names.
func (r *RelationInfo) Key() *FieldInfo { return r.Target().keyNamed(r.spec.to) }

// keyNamed is the field that foreign keys with that tag "to" lead to.
func (m *ModelInfo) keyNamed(to string) *FieldInfo {
	if to == "" {
		return m.PrimaryKey
	}
	return m.byName[to]
}

// mayLeadNowhere reports whether there are rows that a foreign key has no row for.
func (f *FieldInfo) mayLeadNowhere() bool { return f.Null || f.Relation.NoConstraint }

// ownerKey is the field of the row that has a relation to many by whose value the related
// rows are found.
func (f *FieldInfo) ownerKey() *FieldInfo {
	if via := f.Relation.via; via != nil {
		return f.model.keyNamed(via.Relation.spec.to)
	}
	return f.model.PrimaryKey
}

// Via is the foreign key in the target that a HasMany is the other side of.
func (r *RelationInfo) Via() *FieldInfo { return r.via }

// rowKey is a row's primary key, kept by its relations to many. Integers, the
// common case, are kept without an allocation.
type rowKey struct {
	number int64
	other  any
}

func (k rowKey) value() any {
	if k.other != nil {
		return k.other
	}
	if k.number != 0 {
		return k.number
	}
	return nil
}

// mapKey makes a key fit for a map and for ==.
func mapKey(v any) any {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case time.Time:
		return v.UnixMicro()
	case Tuple:
		return v.mapKey()
	}
	return v
}

// setRow stores the row a foreign key refers to.
func (f *FieldInfo) setRow(field, row unsafe.Pointer) {
	*(*unsafe.Pointer)(unsafe.Add(field, f.Relation.spec.rowOffset)) = row
}

// setRows stores the rows of a relation to many. All slices of pointers have
// the same memory layout.
func (f *FieldInfo) setRows(field unsafe.Pointer, rows []unsafe.Pointer) {
	*(*[]unsafe.Pointer)(unsafe.Add(field, f.Relation.spec.rowOffset)) = rows
	*(*bool)(unsafe.Add(field, f.Relation.spec.loadedOffset)) = true
}

// clearLoaded forgets a loaded row, because the key is about to change.
func (f *FieldInfo) clearLoaded(field unsafe.Pointer) {
	if f.Relation.Kind == ToOne {
		f.setRow(field, nil)
	}
}

func notLoaded(l *link, target reflect.Type) error {
	if l == nil {
		return &NotLoadedError{Model: target.Name()}
	}
	return &NotLoadedError{Model: l.field.model.Name, Field: l.field.Name}
}
