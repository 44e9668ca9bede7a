package template

import (
	"encoding/json"
	"math/big"
	"reflect"
	"time"
	"unsafe"
)

// fastRead is how a value of a type is read where nothing but the kind of the
// type matters.
type fastRead uint8

const (
	readAny fastRead = iota // by goType.readAny
	readString
	readInt
	readInt32
	readBool
	readFloat
	readInPlace // structs and slices are referred to
)

func (t *goType) fastRead() fastRead {
	if t.caps&capValue != 0 || t.null {
		return readAny
	}
	switch t.rk {
	case reflect.Struct:
		if t.rt != reflect.TypeFor[big.Int]() {
			return readInPlace
		}
	case reflect.Slice:
		if t.elemRT.Kind() != reflect.Uint8 {
			return readInPlace
		}
	case reflect.String:
		if t.scalar == nil && !t.safe && t.mark == nil && t.rt != reflect.TypeFor[json.Number]() {
			return readString
		}
	case reflect.Int, reflect.Int64:
		if t.scalar == nil && t.size == 8 {
			return readInt
		}
	case reflect.Int32:
		if t.scalar == nil {
			return readInt32
		}
	case reflect.Bool:
		if t.scalar == nil {
			return readBool
		}
	case reflect.Float64:
		if t.scalar == nil {
			return readFloat
		}
	}
	return readAny
}

// read gives the value stored at p.
func (t *goType) read(p unsafe.Pointer) value {
	switch t.fast {
	case readString:
		return stringValue(*(*string)(p))
	case readInt:
		return intValue(*(*int64)(p))
	case readInt32:
		return intValue(int64(*(*int32)(p)))
	case readBool:
		return boolValue(*(*bool)(p))
	case readFloat:
		return floatValue(*(*float64)(p))
	case readInPlace:
		return value{kind: kindGo, ptr: p, typ: t}
	}
	return t.readAny(p)
}

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

// readAny is read for types that need a closer look.
func (t *goType) readAny(p unsafe.Pointer) value {
	if t.caps&capValue != 0 {
		return t.standIn(p)
	}
	switch t.rk {
	case reflect.String:
		if t.scalar != nil {
			return value{kind: kindGo, ptr: p, typ: t}
		}
		if t.rt == reflect.TypeFor[json.Number]() {
			return numberValue(*(*string)(p))
		}
		return t.stringOf(*(*string)(p))
	case reflect.Struct:
		if t.rt == reflect.TypeFor[big.Int]() {
			return bigValue(new(big.Int).Set((*big.Int)(p)))
		}
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

// boxedValue makes a value of what is in an interface, without a copy where
// no method could change it.
func boxedValue(a any) value {
	t := typeFor(reflect.TypeOf(a))
	word := (*[2]unsafe.Pointer)(unsafe.Pointer(&a))[1]
	switch {
	case t.boxed:
		return t.read(word)
	case t.rk == reflect.Pointer:
		return t.element().target(word)
	}
	return reflectValue(reflect.ValueOf(a))
}

// holdsPointerWord reports whether an interface may keep values of the type in
// its own second word instead of pointing to them.
func holdsPointerWord(rt reflect.Type) bool {
	switch rt.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Interface:
		return true
	case reflect.Struct, reflect.Array:
		return rt.Size() <= unsafe.Sizeof(uintptr(0))
	}
	return false
}

// changeable reports whether a method could change a value of the type in
// place. Times are copied before their methods are called.
func changeable(rt reflect.Type) bool {
	if rt == reflect.TypeFor[time.Time]() {
		return false
	}
	if reflect.PointerTo(rt).NumMethod() != rt.NumMethod() {
		return true
	}
	switch rt.Kind() {
	case reflect.Struct:
		for i := range rt.NumField() {
			if changeable(rt.Field(i).Type) {
				return true
			}
		}
	case reflect.Array:
		return changeable(rt.Elem())
	}
	return false
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
			return t.stringOf(rv.String())
		}
	}
	held := reflect.New(t.rt)
	held.Elem().Set(rv)
	return t.read(held.UnsafePointer())
}
