package orm

import (
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"unsafe"

	"github.com/retort-web/retort/orm/schema"
	"github.com/retort-web/retort/validate"
)

// ModelInfo is what is known of a model: for forms, admin, migrations and
// everything else that is made from one definition. It must not be changed.
type ModelInfo struct {
	App   string // "blog"
	Name  string // "Post"
	Table string // "blog_post"; with the schema that Meta names "site.blog_post"

	VerboseName       string // "post"
	VerboseNamePlural string // "posts"

	Package string       // import path of the package that declares it
	File    string       // of the Register call
	Line    int          // of the Register call
	Type    reflect.Type // Post

	// Fields are all fields in the order of the struct, those of embedded
	// structs in their place; relations to many, which have no column, too.
	Fields []*FieldInfo
	// PrimaryKey is the field that identifies a row.
	PrimaryKey *FieldInfo

	alias      string       // of the table in a statement: its name without the schema
	columns    []*FieldInfo // those with a column
	generics   []*genericField
	attach     []*FieldInfo // those whose rows need their link set
	byColumn   map[string]*FieldInfo
	bySnake    map[string]*FieldInfo
	byName     map[string]*FieldInfo
	byAddress  map[address]target
	alloc      func() unsafe.Pointer
	allocMany  func(n int) unsafe.Pointer
	meta       Meta
	names      *tree
	outer      atomic.Pointer[tree] // the names for Outer
	registered bool

	computed   []*FieldInfo // those that the database computes
	filled     []*FieldInfo // those that it fills in where they are left out
	version    *FieldInfo   // counts the updates of a row, for optimistic locking
	softDelete *FieldInfo   // when the row was marked as deleted
	hooks      [eventKinds]bool
	listeners  listeners
	referrers  atomic.Pointer[referrers]
	cascades   atomic.Pointer[[]genericCascade]
	common     *cte // the common table expression whose rows these are

	extends    *ModelInfo                // the model whose rows these are with more columns
	partOffset uintptr                   // where its struct is in this one
	ownMeta    Meta                      // what an extension says itself
	extension  atomic.Pointer[ModelInfo] // the model that extends this one

	buildErr   error // why the type cannot be a model
	mistake    error // why it was not registered
	resolution resolution

	selectLists selectLists
}

// address is what a pointer into a prototype says: where, and as what.
// Neither is enough alone, for a struct and its first field share an address.
type address struct {
	offset uintptr
	typ    reflect.Type
}

// target is what an address means: a field, read and written as that type.
type target struct {
	field *FieldInfo
	codec *codec
}

// FieldInfo is what is known of one field of a model. It must not be changed.
type FieldInfo struct {
	Name   string // "Author"
	Snake  string // "author", its name in lookups, forms and JSON
	Column string // "author_id"; empty for a relation to many, and where Parts are
	Label  string // for people: "Author"
	Help   string // from the tag "help"

	Type      reflect.Type // of the Go field
	Kind      schema.Type  // of the column
	Size      int          // most characters, or digits; 0 for no limit
	Scale     int          // digits after the point
	Null      bool         // NULL is allowed
	Blank     bool         // a form may leave it empty
	Unique    bool
	Index     bool
	Editable  bool // false for keys and automatic times: forms leave them out
	AutoNow   bool // set on every insert and update of a row
	AutoAdd   bool // set on insert
	Choices   []Choice
	Default   string // as in the tag; see HasDefault
	Collation string
	Comment   string

	Elem          schema.Type       // of the values of an array
	Native        map[string]string // types of single databases; see ColumnType
	HasDefault    bool
	DBDefault     bool // the database fills in what an insert leaves out
	Computed      bool // the database computes it; see [Compute]
	Version       bool // counts the updates of the row: see the tag "version"
	SoftDelete    bool // marks the row as deleted: see [SoftDelete]
	PrimaryKey    bool
	AutoIncrement bool

	// Relation is set for ForeignKey, HasMany and ManyToMany fields.
	Relation *RelationInfo
	// Parts are the columns of a field that has several: of a primary key that is a
	// struct, and of a foreign key to one. They are in [ModelInfo.Fields] with it, not by
	// themselves.
	Parts []*FieldInfo

	model      *ModelInfo
	offset     uintptr
	codec      *codec
	defaultGo  func(p unsafe.Pointer) error // applies the default
	defaultNew bool                         // only in New: zero is a value in itself
	defaultSQL *string
	defaultNow bool // the database's own default is the moment of the insert
	tag        reflect.StructTag
	rules      *validate.Checker     // beyond what the column asks
	own        func(value any) error // the Validate method of the field's type
	link       *link
	uniqueFor  []uniqueFor
	noIndex    bool // a foreign key without the index that it would have

	inherits  *FieldInfo   // the field of the extended model that this is
	whole     *FieldInfo   // the field that this is a part of
	keyFields []*FieldInfo // of a composite primary key: the fields of its struct
	keyCodec  *codec       // of a composite foreign key: that of the key's struct
	single    *codec       // of a part of a foreign key: of its column, whatever the other parts hold
	keyMemory reflect.Type // of a foreign key: the type of the key, with which it begins
}

// Model is the model the field belongs to.
func (f *FieldInfo) Model() *ModelInfo { return f.model }

// Get returns the field's value in a row, which must be a pointer to the
// model's struct.
func (f *FieldInfo) Get(row any) (any, error) {
	base, err := f.model.rowBase(row)
	if err != nil {
		return nil, err
	}
	return reflect.NewAt(f.Type, unsafe.Add(base, f.offset)).Elem().Interface(), nil
}

// Display is the value of the field in a row as people read it: the label of its choice, or
// else the value as text, which is empty for NULL. Of a foreign key it is the key.
func (f *FieldInfo) Display(row any) (string, error) {
	if f.toMany() {
		return "", fmt.Errorf("orm: %s.%s is a relation to many, which has no value of its own", f.model.Name, f.Name)
	}
	value, err := f.Get(row)
	if err != nil {
		return "", err
	}
	text, err := f.KeyText(value)
	if err != nil {
		return "", err
	}
	for _, choice := range f.Choices {
		if other, err := f.KeyText(choice.Value); err == nil && other == text {
			return choice.Label, nil
		}
	}
	return text, nil
}

// Set changes the field in a row. The value is of the field's own type, of a
// type that converts without loss, a string in the form of the type, or nil
// where the field can hold none. For a relation it is the key.
func (f *FieldInfo) Set(row, value any) error {
	base, err := f.model.rowBase(row)
	if err != nil {
		return err
	}
	p := unsafe.Add(base, f.offset)
	v := reflect.ValueOf(value)
	if v.IsValid() && v.Type() == f.Type {
		reflect.NewAt(f.Type, p).Elem().Set(v)
		return nil
	}
	if f.toMany() {
		return fmt.Errorf("orm: %s.%s holds rows of a relation and is not set by value", f.model.Name, f.Name)
	}
	plain, err := f.convert(value, true)
	if err != nil {
		return f.fault(err)
	}
	if f.Relation != nil {
		f.clearLoaded(p)
	}
	if plain == nil && !f.codec.null {
		return f.fault(errors.New("cannot be null"))
	}
	return f.codec.store(p, plain)
}

// rowBase checks that row is a *T of the model and returns its address.
func (m *ModelInfo) rowBase(row any) (unsafe.Pointer, error) {
	v := reflect.ValueOf(row)
	if v.Kind() != reflect.Pointer || v.Type().Elem() != m.Type || v.IsNil() {
		return nil, fmt.Errorf("orm: a *%s is needed, not a %T", m.Name, row)
	}
	return v.UnsafePointer(), nil
}

// Label names the model as "blog.Post".
func (m *ModelInfo) Label() string { return m.App + "." + m.Name }

// Field finds the field that a pointer into the prototype names: one of the
// model's own, not of a related model.
func (m *ModelInfo) Field(ptr any) (*FieldInfo, error) {
	r, err := refOf(ptr)
	if err != nil {
		return nil, err
	}
	n, t, err := r.resolve(m.names.root)
	if err != nil {
		return nil, err
	}
	if n != m.names.root {
		return nil, fmt.Errorf("orm: %s.%s is a field of a related model, not of %s", n.path, t.field.Name, m.Name)
	}
	return t.field, nil
}

// Path finds the fields that a pointer into the prototype names: the relations
// stepped through, and last the field itself.
func (m *ModelInfo) Path(ptr any) ([]*FieldInfo, error) {
	r, err := refOf(ptr)
	if err != nil {
		return nil, err
	}
	n, t, err := r.resolve(m.names.root)
	if err != nil {
		return nil, err
	}
	return append(n.fields(), t.field), nil
}

// FieldNamed finds a field by its Go name or its name in snake case, or
// returns nil.
func (m *ModelInfo) FieldNamed(name string) *FieldInfo {
	if f := m.byName[name]; f != nil {
		return f
	}
	return m.bySnake[name]
}

// Pointer returns the field's pointer in the prototype, for use wherever a
// field is named: orm.Asc(info.Pointer(f)).
func (m *ModelInfo) Pointer(f *FieldInfo) any {
	return reflect.NewAt(f.Type, unsafe.Add(m.names.root.base, f.offset)).Interface()
}

// Prototype returns what Fields of the model's query returns, as a *T: the struct whose
// fields' addresses are their names.
func (m *ModelInfo) Prototype() any { return m.rowOf(m.names.root.base) }

// New returns a new row, a *T, with defaults applied.
func (m *ModelInfo) New() any {
	return reflect.NewAt(m.Type, m.newRow()).Interface()
}

func (m *ModelInfo) newRow() unsafe.Pointer {
	row := m.alloc()
	for _, f := range m.columns {
		if f.defaultGo != nil {
			// The default was tried at registration: it cannot fail.
			_ = f.defaultGo(unsafe.Add(row, f.offset))
		}
	}
	m.attachRow(row)
	return row
}

// attachRow tells a row's relations which field they are, and those to many
// which row they belong to.
func (m *ModelInfo) attachRow(row unsafe.Pointer) {
	for _, f := range m.attach {
		r := f.Relation
		p := unsafe.Add(row, f.offset)
		*(**link)(unsafe.Add(p, r.spec.linkOffset)) = f.link
		if r.spec.many {
			key := unsafe.Add(p, r.spec.keyOffset)
			if r.via != nil && r.via.Relation.spec.to != "" {
				*(*rowKey)(key) = f.ownerKey().rowKey(row)
			} else {
				*(*rowKey)(key) = m.keyOf(row)
			}
		}
	}
}

// keyOf returns a row's primary key, which has no value if it is zero.
func (m *ModelInfo) keyOf(row unsafe.Pointer) rowKey {
	return m.PrimaryKey.rowKey(row)
}

func (f *FieldInfo) rowKey(row unsafe.Pointer) rowKey {
	p := unsafe.Add(row, f.offset)
	if f.Type.Kind() == reflect.Int64 {
		return rowKey{number: *(*int64)(p)}
	}
	if n := f.integer(row); n != 0 {
		return rowKey{number: n}
	}
	if f.isZero(p) {
		return rowKey{}
	}
	if v, err := f.codec.load(p); err == nil {
		return rowKey{other: v}
	}
	return rowKey{}
}
