package template

import (
	"encoding"
	"fmt"
	"math/big"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// class sorts Go types by what a template can do with their values.
type class uint8

const (
	classOther  class = iota
	classScalar       // a basic kind
	classStruct
	classSlice // and arrays
	classMap
	classFunc
	classSeq // iter.Seq and iter.Seq2
)

// Abilities of a Go type, found out once.
const (
	capText  = 1 << iota // error, fmt.Stringer or encoding.TextMarshaler
	capHTML              // HTML() string
	capValue             // TemplateValue() (any, error)
	capAttr              // Attributer
	capItem              // Indexer
	capZero              // IsZero() bool
	capTime              // is time.Time
)

// Attributer is implemented by Go values that answer for their attributes
// themselves, before their fields and methods are looked at.
type Attributer interface {
	TemplateAttr(name string) (v any, ok bool)
}

// Indexer is implemented by Go values that have elements: obj[key] in a
// template. The key is a string, int64 or another basic value.
type Indexer interface {
	TemplateItem(key any) (v any, ok bool)
}

// Valuer is implemented by Go values that stand for another one wherever a
// template meets them, as a loaded relation stands for its object. An error
// ends the render.
type Valuer interface {
	TemplateValue() (any, error)
}

// goType is the plan for reading values of one Go type: made once, then used
// for every value of it.
type goType struct {
	rt      reflect.Type
	rk      reflect.Kind
	class   class
	caps    uint8
	pairs   bool // an iter.Seq2
	null    bool // database/sql's Null types: the first field, if Valid
	size    uintptr
	length  int // of an array
	elemRT  reflect.Type
	elem    atomic.Pointer[goType]
	scalar  func(p unsafe.Pointer) value // basic kinds with methods of their own
	once    sync.Once
	members map[string]*member
}

// member is a field or a method, under its Go name and in snake case.
type member struct {
	typ    *goType
	steps  []uintptr // embedded pointers on the way
	offset uintptr
	method int // index into the method set of the pointer type; -1 for a field
	name   string
}

// goTypes holds the plans of all types met so far. It grows with the types of
// the program, not with its data.
var goTypes sync.Map // reflect.Type to *goType

func typeFor(rt reflect.Type) *goType {
	if t, ok := goTypes.Load(rt); ok {
		return t.(*goType)
	}
	t, _ := goTypes.LoadOrStore(rt, newGoType(rt))
	return t.(*goType)
}

func newGoType(rt reflect.Type) *goType {
	t := &goType{rt: rt, rk: rt.Kind(), size: rt.Size()}
	pt := reflect.PointerTo(rt)
	for _, c := range [...]struct {
		cap  uint8
		face reflect.Type
	}{
		{capText, reflect.TypeFor[error]()},
		{capText, reflect.TypeFor[fmt.Stringer]()},
		{capText, reflect.TypeFor[encoding.TextMarshaler]()},
		{capHTML, reflect.TypeFor[interface{ HTML() string }]()},
		{capValue, reflect.TypeFor[Valuer]()},
		{capAttr, reflect.TypeFor[Attributer]()},
		{capItem, reflect.TypeFor[Indexer]()},
		{capZero, reflect.TypeFor[interface{ IsZero() bool }]()},
	} {
		if t.rk != reflect.Pointer && t.rk != reflect.Interface && pt.Implements(c.face) {
			t.caps |= c.cap
		}
	}
	if rt == reflect.TypeFor[time.Time]() {
		t.caps |= capTime | capText
	}
	switch t.rk {
	case reflect.Struct:
		t.class = classStruct
		if f, ok := rt.FieldByName("Valid"); ok && rt.PkgPath() == "database/sql" && f.Type.Kind() == reflect.Bool {
			t.null = true
		}
	case reflect.Slice:
		t.class, t.elemRT = classSlice, rt.Elem()
	case reflect.Array:
		t.class, t.elemRT, t.length = classSlice, rt.Elem(), rt.Len()
	case reflect.Pointer:
		t.elemRT = rt.Elem()
	case reflect.Map:
		t.class, t.elemRT = classMap, rt.Elem()
	case reflect.Func:
		t.class = classFunc
		if rt.CanSeq() && rt.NumIn() == 1 {
			t.class = classSeq
		} else if rt.CanSeq2() && rt.NumIn() == 1 {
			t.class, t.pairs = classSeq, true
		}
	case reflect.Chan, reflect.UnsafePointer, reflect.Interface, reflect.Complex64, reflect.Complex128:
	default:
		t.class = classScalar
		if t.caps&(capText|capHTML) != 0 {
			t.scalar = basicReader(t.rk)
		}
	}
	return t
}

func (t *goType) element() *goType {
	if e := t.elem.Load(); e != nil {
		return e
	}
	e := typeFor(t.elemRT)
	t.elem.Store(e)
	return e
}

// name is the type's name for messages.
func (t *goType) name() string { return t.rt.String() }

// basicReader reads a basic kind without regard to methods.
func basicReader(k reflect.Kind) func(p unsafe.Pointer) value {
	return func(p unsafe.Pointer) value { return readBasic(k, p) }
}

func readBasic(k reflect.Kind, p unsafe.Pointer) value {
	switch k {
	case reflect.String:
		return stringValue(*(*string)(p))
	case reflect.Bool:
		return boolValue(*(*bool)(p))
	case reflect.Int:
		return intValue(int64(*(*int)(p)))
	case reflect.Int8:
		return intValue(int64(*(*int8)(p)))
	case reflect.Int16:
		return intValue(int64(*(*int16)(p)))
	case reflect.Int32:
		return intValue(int64(*(*int32)(p)))
	case reflect.Int64:
		return intValue(*(*int64)(p))
	case reflect.Uint:
		return uintValue(uint64(*(*uint)(p)))
	case reflect.Uint8:
		return uintValue(uint64(*(*uint8)(p)))
	case reflect.Uint16:
		return uintValue(uint64(*(*uint16)(p)))
	case reflect.Uint32:
		return uintValue(uint64(*(*uint32)(p)))
	case reflect.Uint64:
		return uintValue(*(*uint64)(p))
	case reflect.Uintptr:
		return uintValue(uint64(*(*uintptr)(p)))
	case reflect.Float32:
		return floatValue(float64(*(*float32)(p)))
	case reflect.Float64:
		return floatValue(*(*float64)(p))
	}
	return none
}

// read gives the value stored at p.
func (t *goType) read(p unsafe.Pointer) value {
	if t.caps&capValue != 0 {
		return t.standIn(p)
	}
	switch t.rk {
	case reflect.String:
		if t.scalar != nil {
			return value{kind: kindGo, ptr: p, typ: t}
		}
		if t.rt == reflect.TypeFor[Safe]() {
			return safeValue(*(*string)(p))
		}
		return stringValue(*(*string)(p))
	case reflect.Struct:
		if t.null {
			return t.nullable(p)
		}
		return value{kind: kindGo, ptr: p, typ: t}
	case reflect.Pointer:
		return t.element().target(*(*unsafe.Pointer)(p))
	case reflect.Interface:
		var a any
		if t.rt.NumMethod() == 0 {
			a = *(*any)(p)
		} else {
			a = reflect.NewAt(t.rt, p).Elem().Interface()
		}
		return fromAny(a)
	case reflect.Slice:
		if t.elemRT.Kind() == reflect.Uint8 && t.caps&capText == 0 {
			return stringValue(string(*(*[]byte)(p)))
		}
		return value{kind: kindGo, ptr: p, typ: t}
	case reflect.Map:
		return value{kind: kindGo, ptr: *(*unsafe.Pointer)(p), typ: t}
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		if *(*unsafe.Pointer)(p) == nil {
			return none
		}
		if t.rt == reflect.TypeFor[Func]() {
			return fromAny(*(*Func)(p))
		}
		return value{kind: kindGo, ptr: p, typ: t}
	case reflect.Array, reflect.Complex64, reflect.Complex128:
		return value{kind: kindGo, ptr: p, typ: t}
	}
	if t.scalar != nil {
		return value{kind: kindGo, ptr: p, typ: t}
	}
	return readBasic(t.rk, p)
}

// target gives what a pointer of the program points to.
func (t *goType) target(p unsafe.Pointer) value {
	if p == nil {
		return none
	}
	switch t.rt {
	case reflect.TypeFor[big.Int]():
		return bigValue(new(big.Int).Set((*big.Int)(p)))
	case reflect.TypeFor[List]():
		return value{kind: kindList, ptr: p}
	case reflect.TypeFor[Dict]():
		return value{kind: kindDict, ptr: p}
	}
	v := t.read(p)
	if v.kind == kindGo && v.ptr == p && v.typ == t {
		v.num = 1
	}
	return v
}

func (t *goType) standIn(p unsafe.Pointer) value {
	a, err := reflect.NewAt(t.rt, p).Interface().(Valuer).TemplateValue()
	if err != nil {
		panic(causeError(t.name(), err))
	}
	return fromAny(a)
}

func (t *goType) nullable(p unsafe.Pointer) value {
	rv := reflect.NewAt(t.rt, p).Elem()
	if !rv.FieldByName("Valid").Bool() {
		return none
	}
	return typeFor(rv.Field(0).Type()).read(rv.Field(0).Addr().UnsafePointer())
}

// reflectValue makes a value of one that fromAny does not know by its type.
func reflectValue(rv reflect.Value) value {
	t := typeFor(rv.Type())
	switch t.rk {
	case reflect.Pointer:
		return t.element().target(rv.UnsafePointer())
	case reflect.Map:
		if t.caps&capValue == 0 {
			return value{kind: kindGo, ptr: rv.UnsafePointer(), typ: t}
		}
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if t.caps == 0 {
			if rv.Kind() == reflect.Bool {
				return boolValue(rv.Bool())
			}
			return intValue(rv.Int())
		}
	case reflect.String:
		if t.caps == 0 {
			return textValue(rv.String(), t.rt == reflect.TypeFor[Safe]())
		}
	}
	held := reflect.New(t.rt)
	held.Elem().Set(rv)
	return t.read(held.UnsafePointer())
}

// goValue gives back the value of the program that v stands for.
func (v value) goValue() reflect.Value {
	if v.typ.class == classMap {
		word := v.ptr
		return reflect.NewAt(v.typ.rt, unsafe.Pointer(&word)).Elem()
	}
	p := reflect.NewAt(v.typ.rt, v.ptr)
	if v.num == 1 {
		return p
	}
	return p.Elem()
}

// addressed gives the value with the methods of its pointer too.
func (v value) addressed() reflect.Value {
	if v.typ.class == classMap {
		held := reflect.New(v.typ.rt)
		held.Elem().Set(v.goValue())
		return held
	}
	return reflect.NewAt(v.typ.rt, v.ptr)
}

// goTime gives the time v holds.
func (v value) goTime() (time.Time, bool) {
	if v.kind == kindGo && v.typ.caps&capTime != 0 {
		return *(*time.Time)(v.ptr), true
	}
	return time.Time{}, false
}

// text is the text form of types that have one.
func (t *goType) text(v value) (string, bool) {
	if t.caps&capText == 0 {
		return "", false
	}
	if t.caps&capTime != 0 {
		return (*(*time.Time)(v.ptr)).Format("2006-01-02 15:04:05.999999-07:00"), true
	}
	switch a := v.addressed().Interface().(type) {
	case error:
		return a.Error(), true
	case fmt.Stringer:
		return a.String(), true
	case encoding.TextMarshaler:
		b, err := a.MarshalText()
		if err != nil {
			panic(causeError(t.name(), err))
		}
		return string(b), true
	}
	return "", false
}

// html is the HTML form of types that have one.
func (t *goType) html(v value) (string, bool) {
	if t.caps&capHTML == 0 {
		return "", false
	}
	return v.addressed().Interface().(interface{ HTML() string }).HTML(), true
}

func (t *goType) truth(v value) bool {
	if t.scalar != nil {
		return t.scalar(v.ptr).truth()
	}
	if t.caps&capZero != 0 {
		return !v.addressed().Interface().(interface{ IsZero() bool }).IsZero()
	}
	switch t.class {
	case classSlice:
		_, n := t.slice(v)
		return n > 0
	case classMap:
		return v.goValue().Len() > 0
	}
	return true
}

// slice gives the first element's address and the number of elements.
func (t *goType) slice(v value) (unsafe.Pointer, int) {
	if t.rk == reflect.Array {
		return v.ptr, t.length
	}
	s := (*[]byte)(v.ptr) // the header is laid out the same for all types
	return unsafe.Pointer(unsafe.SliceData(*s)), len(*s)
}

// at gives element i of a slice whose data begins at p.
func (t *goType) at(p unsafe.Pointer, i int) value {
	e := t.element()
	return e.read(unsafe.Add(p, uintptr(i)*e.size))
}

// member finds a field or method by its Go name or in snake case.
func (t *goType) member(name string) *member {
	t.once.Do(t.findMembers)
	return t.members[name]
}

func (t *goType) findMembers() {
	t.members = map[string]*member{}
	var fields, methods, keys []*member
	if t.class == classStruct {
		for _, f := range reflect.VisibleFields(t.rt) {
			if !f.IsExported() {
				continue
			}
			m := t.fieldMember(f)
			fields = append(fields, m)
			if key := m.key(); key != nil {
				keys = append(keys, key)
			}
		}
	}
	if t.rk != reflect.Interface && t.rk != reflect.Pointer {
		pt := reflect.PointerTo(t.rt)
		for i := range pt.NumMethod() {
			methods = append(methods, &member{method: i, name: pt.Method(i).Name})
		}
	}
	for _, spell := range []func(string) string{func(s string) string { return s }, snakeCase} {
		for _, set := range [][]*member{fields, methods, keys} {
			for _, m := range set {
				if name := spell(m.name); t.members[name] == nil {
					t.members[name] = m
				}
			}
		}
	}
}

func (t *goType) fieldMember(f reflect.StructField) *member {
	m := &member{typ: typeFor(f.Type), method: -1, name: f.Name}
	at := t.rt
	for i, index := range f.Index {
		if i > 0 && at.Kind() == reflect.Pointer {
			m.steps = append(m.steps, m.offset)
			m.offset = 0
			at = at.Elem()
		}
		field := at.Field(index)
		m.offset += field.Offset
		at = field.Type
	}
	return m
}

// hasFields reports whether a struct has a field that others may see.
func (t *goType) hasFields() bool {
	t.once.Do(t.findMembers)
	for _, m := range t.members {
		if m.method < 0 {
			return true
		}
	}
	return false
}

// key gives the key of a relation as a member beside it: where Author stands
// for the object that it relates to, author_id is its field ID, which is there
// even if the object was not loaded.
func (m *member) key() *member {
	if m.typ.caps&capValue == 0 || m.typ.class != classStruct {
		return nil
	}
	id, ok := m.typ.rt.FieldByName("ID")
	if !ok || len(id.Index) != 1 {
		return nil
	}
	return &member{typ: typeFor(id.Type), steps: m.steps, offset: m.offset + id.Offset, method: -1, name: m.name + "ID"}
}

// load reads the field of the struct at p.
func (m *member) load(p unsafe.Pointer) value {
	for _, s := range m.steps {
		p = *(*unsafe.Pointer)(unsafe.Add(p, s))
		if p == nil {
			return none
		}
	}
	return m.typ.read(unsafe.Add(p, m.offset))
}

// snakeCase spells a Go name as templates do: PublishedAt is published_at,
// AuthorID is author_id, HTMLBody is html_body.
func snakeCase(name string) string {
	upper := func(i int) bool { return i < len(name) && name[i] >= 'A' && name[i] <= 'Z' }
	lower := func(i int) bool {
		return i < len(name) && (name[i] >= 'a' && name[i] <= 'z' || name[i] >= '0' && name[i] <= '9')
	}
	out := make([]byte, 0, len(name)+4)
	for i := range len(name) {
		c := name[i]
		if upper(i) {
			if i > 0 && name[i-1] != '_' && (lower(i-1) || lower(i+1) && upper(i-1)) {
				out = append(out, '_')
			}
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	return string(out)
}
