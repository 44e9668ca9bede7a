package template

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// kind tells what a value holds. Kinds up to kindMissing never leave a
// frame's slots: reading such a slot gives a looked-up or an undefined value.
type kind uint8

const (
	kindLazy    kind = iota // a slot whose name has not been looked up yet
	kindMissing             // a slot that nothing was assigned to
	kindUndefined
	kindNone
	kindBool
	kindInt
	kindFloat
	kindBig
	kindString
	kindSafe
	kindList
	kindTuple
	kindDict
	kindRange
	kindIterator
	kindObject
	kindGo
)

// value is what an expression evaluates to. It is passed by value and fits in
// four registers, so numbers, strings and fields of Go structs travel through
// an expression without touching the heap.
type value struct {
	// ptr is the string's bytes, the container, the object's box, or the Go
	// data: the address of a struct, slice header or scalar, but the map or
	// function word itself for those two.
	ptr unsafe.Pointer
	// num is an integer, the bits of a float, a bool, the length of a string,
	// or for Go data 1 if the program handed over a pointer.
	num  uint64
	typ  *goType
	kind kind
}

// Safe is a string that is HTML already: autoescaping leaves it alone, and it
// stays safe in combinations because what is joined to it is escaped first.
type Safe string

var (
	none  = value{kind: kindNone}
	yes   = value{kind: kindBool, num: 1}
	no    = value{kind: kindBool}
	empty = value{kind: kindString}
)

func boolValue(b bool) value {
	if b {
		return yes
	}
	return no
}

func intValue(n int64) value { return value{kind: kindInt, num: uint64(n)} }

func floatValue(f float64) value { return value{kind: kindFloat, num: math.Float64bits(f)} }

func stringValue(s string) value {
	return value{kind: kindString, ptr: unsafe.Pointer(unsafe.StringData(s)), num: uint64(len(s))}
}

func safeValue(s string) value {
	v := stringValue(s)
	v.kind = kindSafe
	return v
}

// textValue is a safe string if safe, else a plain one.
func textValue(s string, safe bool) value {
	if safe {
		return safeValue(s)
	}
	return stringValue(s)
}

func listValue(items []value) value {
	return value{kind: kindList, ptr: unsafe.Pointer(&List{items: items})}
}

func tupleValue(items ...value) value {
	return value{kind: kindTuple, ptr: unsafe.Pointer(&List{items: items})}
}

func dictValue(d *Dict) value { return value{kind: kindDict, ptr: unsafe.Pointer(d)} }

func objectValue(o object) value {
	return value{kind: kindObject, ptr: unsafe.Pointer(&objectBox{o})}
}

func iteratorValue(it iterator) value {
	return value{kind: kindIterator, ptr: unsafe.Pointer(&iteratorBox{it})}
}

// bigValue takes ownership of n and gives the smallest kind that holds it.
func bigValue(n *big.Int) value {
	if n.IsInt64() {
		return intValue(n.Int64())
	}
	return value{kind: kindBig, ptr: unsafe.Pointer(n)}
}

type (
	objectBox   struct{ object }
	iteratorBox struct{ iterator }
)

func (v value) int() int64           { return int64(v.num) }
func (v value) float() float64       { return math.Float64frombits(v.num) }
func (v value) bool() bool           { return v.num != 0 }
func (v value) big() *big.Int        { return (*big.Int)(v.ptr) }
func (v value) list() *List          { return (*List)(v.ptr) }
func (v value) dict() *Dict          { return (*Dict)(v.ptr) }
func (v value) span() *span          { return (*span)(v.ptr) }
func (v value) object() object       { return (*objectBox)(v.ptr).object }
func (v value) iterator() iterator   { return (*iteratorBox)(v.ptr).iterator }
func (v value) undefined() *missing  { return (*missing)(v.ptr) }
func (v value) str() string          { return unsafe.String((*byte)(v.ptr), int(v.num)) }
func (v value) isString() bool       { return v.kind == kindString || v.kind == kindSafe }
func (v value) isUndefined() bool    { return v.kind <= kindUndefined }
func (v value) isSequence() bool     { return v.kind == kindList || v.kind == kindTuple }
func (v value) isNumber() bool       { return v.kind >= kindBool && v.kind <= kindBig }
func (v value) isInteger() bool      { return v.kind == kindInt || v.kind == kindBool || v.kind == kindBig }
func (v value) given() bool          { return v.kind != kindLazy } // for optional arguments
func (v value) isZeroArgument() bool { return v.kind == kindLazy || v.kind == kindNone }

// plain gives the basic value of a Go value whose type has a basic kind and
// methods of its own, such as time.Duration; any other value as it is.
func (v value) plain() value {
	if v.kind == kindGo && v.typ.scalar != nil {
		return v.typ.scalar(v.ptr)
	}
	return v
}

// truth is Python's: zero, empty, none and undefined are false.
func (v value) truth() bool {
	switch v.kind {
	case kindBool, kindInt:
		return v.num != 0
	case kindFloat:
		return v.float() != 0
	case kindString, kindSafe:
		return v.num != 0
	case kindList, kindTuple:
		return len(v.list().items) > 0
	case kindDict:
		return v.dict().Len() > 0
	case kindRange:
		return v.span().len() > 0
	case kindNone, kindLazy, kindMissing:
		return false
	case kindUndefined:
		if m := v.undefined(); m.mode == UndefinedStrict {
			m.fail()
		}
		return false
	case kindObject:
		if l, ok := v.object().(interface{ length() int }); ok {
			return l.length() > 0
		}
		return true
	case kindGo:
		return v.typ.truth(v)
	}
	return true
}

// typeName is the name of v's type as Python users know it; a Go type's own
// name for Go values.
func (v value) typeName() string {
	switch v.kind {
	case kindUndefined, kindLazy, kindMissing:
		return "Undefined"
	case kindNone:
		return "None"
	case kindBool:
		return "bool"
	case kindInt, kindBig:
		return "int"
	case kindFloat:
		return "float"
	case kindString:
		return "str"
	case kindSafe:
		return "Markup"
	case kindList:
		return "list"
	case kindTuple:
		return "tuple"
	case kindDict:
		return "dict"
	case kindRange:
		return "range"
	case kindIterator:
		return "generator"
	case kindObject:
		return v.object().typeName()
	}
	return v.typ.name()
}

// identical reports whether a and b are the same object, for "is sameas".
func identical(a, b value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case kindNone, kindUndefined:
		return a.kind == kindNone || a.ptr == b.ptr
	case kindBool, kindInt:
		return a.num == b.num
	case kindFloat:
		return a.num == b.num
	case kindString, kindSafe:
		return a.str() == b.str()
	case kindBig:
		return a.big().Cmp(b.big()) == 0
	case kindTuple:
		return a.ptr == b.ptr || len(a.list().items)+len(b.list().items) == 0
	case kindObject:
		return a.object() == b.object()
	}
	return a.ptr == b.ptr && a.typ == b.typ
}

// fromAny makes a value of anything a Go program hands over. Maps, slices and
// structs are not copied: they are read in place, when the template asks.
func fromAny(a any) value {
	switch a := a.(type) {
	case nil:
		return none
	case string:
		return stringValue(a)
	case Safe:
		return safeValue(string(a))
	case bool:
		return boolValue(a)
	case int:
		return intValue(int64(a))
	case int64:
		return intValue(a)
	case int32:
		return intValue(int64(a))
	case float64:
		return floatValue(a)
	case uint:
		return uintValue(uint64(a))
	case uint64:
		return uintValue(a)
	case []byte:
		return stringValue(string(a))
	case json.Number:
		return numberValue(string(a))
	case *List:
		if a == nil {
			return none
		}
		return value{kind: kindList, ptr: unsafe.Pointer(a)}
	case *Dict:
		if a == nil {
			return none
		}
		return dictValue(a)
	case *big.Int:
		if a == nil {
			return none
		}
		return bigValue(new(big.Int).Set(a))
	case Func:
		if a == nil {
			return none
		}
		return objectValue(&goFunction{free: a})
	case func(*Call) (any, error):
		if a == nil {
			return none
		}
		return objectValue(&goFunction{free: a})
	case *Template:
		if a == nil {
			return none
		}
		return objectValue(&templateObject{a})
	case Value:
		if !a.v.given() {
			return none
		}
		return a.v
	}
	return boxedValue(a)
}

func uintValue(n uint64) value {
	if n <= math.MaxInt64 {
		return intValue(int64(n))
	}
	return value{kind: kindBig, ptr: unsafe.Pointer(new(big.Int).SetUint64(n))}
}

// numberValue reads the text of a JSON number with full precision.
func numberValue(s string) value {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return intValue(n)
	}
	// Conversion to a big integer takes more than linear time.
	if n, ok := new(big.Int).SetString(s, 10); ok && len(s) < maxIntegerDigits {
		return bigValue(n)
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return floatValue(f)
	}
	return stringValue(s)
}

// toAny gives the Go form of v for functions of the program: basic types,
// []any, map[string]any (map[any]any with other keys), Safe, nil for none and
// undefined, *big.Int, or the very Go value that came in.
func (v value) toAny() any { return v.goForm(0) }

func (v value) goForm(depth int) any {
	if depth > maxDataDepth {
		panic(runtimeError("the data is nested too deeply to hand to Go"))
	}
	switch v.kind {
	case kindBool:
		return v.bool()
	case kindInt:
		return v.int()
	case kindFloat:
		return v.float()
	case kindBig:
		return v.big()
	case kindString:
		return v.ownString()
	case kindSafe:
		return Safe(v.ownString())
	case kindList, kindTuple:
		items := v.list().items
		out := make([]any, len(items))
		for i, e := range items {
			out[i] = e.goForm(depth + 1)
		}
		return out
	case kindDict:
		return v.dict().goForm(depth)
	case kindRange:
		s := v.span()
		out := make([]any, s.len())
		for i := range out {
			out[i] = s.at(int64(i)).int()
		}
		return out
	case kindObject:
		if f, ok := v.object().(*goFunction); ok && f.free != nil {
			return f.free
		}
		return Value{v}
	case kindIterator:
		return Value{v}
	case kindGo:
		return v.goValue().Interface()
	}
	return nil
}

// runeCount is the length of a string as Python counts it.
func runeCount(s string) int { return utf8.RuneCountInString(s) }
