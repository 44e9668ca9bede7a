package template

import (
	"encoding"
	"encoding/json"
	"fmt"
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

// TypedValuer is a [Valuer] that knows the type of what it stands for without
// having it, so that [Engine.Check] can look into it.
type TypedValuer interface {
	Valuer
	TemplateType() reflect.Type
}

// goType is the plan for reading values of one Go type: made once, then used
// for every value of it.
type goType struct {
	rt     reflect.Type
	word   unsafe.Pointer // rt as an interface holds it
	rk     reflect.Kind
	class  class
	caps   uint8
	fast   fastRead
	pairs  bool    // an iter.Seq2
	safe   bool    // Safe, or the HTML of html/template
	mark   *goType // of strings that are trusted elsewhere, see trustOf
	null   bool    // database/sql's Null types: the first field, if Valid
	boxed  bool    // can be read where an interface keeps it
	size   uintptr
	length int // of an array
	elemRT reflect.Type
	elem   atomic.Pointer[goType]
	scalar func(p unsafe.Pointer) value // basic kinds with methods of their own
	// collection is set for types that are gone through by a method.
	collection *collection
	once       sync.Once
	members    map[string]*member
	asMap      member // stands for any key of a map
}

// goTypes holds the plans of all types met so far. It grows with the types of
// the program, not with its data.
var goTypes sync.Map // reflect.Type to *goType

// recentTypes answers most questions for a plan without a look into the map.
var recentTypes [256]atomic.Pointer[goType]

func typeFor(rt reflect.Type) *goType {
	word := interfaceData(rt)
	recent := &recentTypes[uintptr(word)>>5%uintptr(len(recentTypes))]
	if t := recent.Load(); t != nil && t.word == word {
		return t
	}
	found, ok := goTypes.Load(rt)
	if !ok {
		found, _ = goTypes.LoadOrStore(rt, newGoType(rt))
	}
	t := found.(*goType)
	recent.Store(t)
	return t
}

// interfaceData is the data word of an interface that is not empty.
func interfaceData(rt reflect.Type) unsafe.Pointer {
	return (*[2]unsafe.Pointer)(unsafe.Pointer(&rt))[1]
}

func newGoType(rt reflect.Type) *goType {
	t := &goType{rt: rt, word: interfaceData(rt), rk: rt.Kind(), size: rt.Size()}
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
	case reflect.String:
		t.class = classScalar
		t.safe, t.mark = isSafe(rt), trustOf(rt)
		if t.caps&(capText|capHTML) != 0 && rt != reflect.TypeFor[json.Number]() {
			t.scalar = basicReader(t.rk)
		}
	default:
		t.class = classScalar
		if t.caps&(capText|capHTML) != 0 {
			t.scalar = basicReader(t.rk)
		}
	}
	if t.class == classStruct || t.class == classOther && t.rk != reflect.Pointer && t.rk != reflect.Interface {
		t.collection = collectionOf(rt)
	}
	t.asMap = member{owner: t, method: isKey}
	t.fast = t.fastRead()
	t.boxed = t.caps&capValue == 0 && !holdsPointerWord(rt) && !changeable(rt)
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
	switch {
	case v.typ.class == classMap:
		held := reflect.New(v.typ.rt)
		held.Elem().Set(v.goValue())
		return held
	case v.typ.caps&capTime != 0:
		return reflect.ValueOf(new(*(*time.Time)(v.ptr)))
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

// appendHTML appends the HTML form of types that have one.
func (t *goType) appendHTML(dst []byte, v value) ([]byte, bool) {
	if t.caps&capHTML == 0 {
		return dst, false
	}
	switch h := v.addressed().Interface().(type) {
	case interface{ AppendHTML(dst []byte) []byte }:
		return h.AppendHTML(dst), true
	case interface{ HTML() string }:
		return append(dst, h.HTML()...), true
	}
	return dst, false
}

func (t *goType) truth(v value) bool {
	if t.scalar != nil {
		return t.scalar(v.ptr).truth()
	}
	if t.caps&capZero != 0 {
		return !v.addressed().Interface().(interface{ IsZero() bool }).IsZero()
	}
	if v.isGoMapping() {
		return v.goLength() > 0
	}
	if t.class == classSlice {
		_, n := t.slice(v)
		return n > 0
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
