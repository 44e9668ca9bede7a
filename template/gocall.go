package template

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
)

// convertTo makes a Go value of type rt for a parameter of a function.
func convertTo(v value, rt reflect.Type) (reflect.Value, error) {
	return convertDeep(v, rt, 0)
}

func convertDeep(v value, rt reflect.Type, depth int) (reflect.Value, error) {
	bad := func() (reflect.Value, error) {
		return reflect.Value{}, fmt.Errorf("cannot use %s as %s", v.typeName(), rt)
	}
	if depth > maxDataDepth {
		return reflect.Value{}, errors.New("the data is nested too deeply")
	}
	if v.kind == kindGo {
		rv := v.goValue()
		if rv.Type().AssignableTo(rt) {
			return rv, nil
		}
		if v.typ.class != classMap {
			if p := reflect.NewAt(v.typ.rt, v.ptr); p.Type().AssignableTo(rt) {
				return p, nil
			}
			if v.num == 1 && rv.Elem().Type().AssignableTo(rt) {
				return rv.Elem(), nil
			}
		}
		if v.typ.scalar == nil {
			if s, ok := v.typ.text(v); ok && rt.Kind() == reflect.String {
				return reflect.ValueOf(s).Convert(rt), nil
			}
			if v.typ.class == classSlice && rt.Kind() == reflect.Slice {
				return convertItems(v, rt, depth)
			}
			return bad()
		}
		v = v.plain()
	}
	switch rt.Kind() {
	case reflect.Interface:
		if rt.NumMethod() != 0 {
			return bad()
		}
		if a := v.toAny(); a != nil {
			return reflect.ValueOf(a), nil
		}
		return reflect.Zero(rt), nil
	case reflect.String:
		if v.isString() {
			if rt == reflect.TypeFor[Safe]() && v.kind == kindString {
				v = escaped(v)
			}
			return reflect.ValueOf(v.ownString()).Convert(rt), nil
		}
		if v.kind == kindUndefined {
			return reflect.ValueOf(v.text()).Convert(rt), nil
		}
	case reflect.Bool:
		if v.kind == kindBool {
			return reflect.ValueOf(v.bool()).Convert(rt), nil
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if v.kind == kindInt {
			out := reflect.New(rt).Elem()
			if out.OverflowInt(v.int()) {
				return reflect.Value{}, fmt.Errorf("%d does not fit %s", v.int(), rt)
			}
			out.SetInt(v.int())
			return out, nil
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if v.kind == kindInt {
			out := reflect.New(rt).Elem()
			if v.int() < 0 || out.OverflowUint(v.num) {
				return reflect.Value{}, fmt.Errorf("%d does not fit %s", v.int(), rt)
			}
			out.SetUint(v.num)
			return out, nil
		}
	case reflect.Float32, reflect.Float64:
		if f, ok := v.asFloat(); ok && v.kind != kindBool {
			return reflect.ValueOf(f).Convert(rt), nil
		}
	case reflect.Pointer:
		switch {
		case v.kind == kindNone || v.kind == kindUndefined:
			return reflect.Zero(rt), nil
		case v.isInteger() && rt == reflect.TypeFor[*big.Int]():
			return reflect.ValueOf(v.asBig()), nil
		case v.kind == kindList && rt == reflect.TypeFor[*List]():
			return reflect.ValueOf(v.list()), nil
		case v.kind == kindDict && rt == reflect.TypeFor[*Dict]():
			return reflect.ValueOf(v.dict()), nil
		}
		inner, err := convertDeep(v, rt.Elem(), depth+1)
		if err != nil {
			return bad()
		}
		out := reflect.New(rt.Elem())
		out.Elem().Set(inner)
		return out, nil
	case reflect.Slice:
		if v.isString() && rt.Elem().Kind() == reflect.Uint8 {
			return reflect.ValueOf([]byte(v.str())).Convert(rt), nil
		}
		if v.kind == kindNone {
			return reflect.Zero(rt), nil
		}
		if v.isSequence() || v.kind == kindRange {
			return convertItems(v, rt, depth)
		}
	case reflect.Map:
		if v.kind == kindNone {
			return reflect.Zero(rt), nil
		}
		if v.kind == kindDict {
			out := reflect.MakeMap(rt)
			d := v.dict()
			for i := range d.keys {
				k, err := convertDeep(d.keys[i], rt.Key(), depth+1)
				if err != nil {
					return k, err
				}
				e, err := convertDeep(d.vals[i], rt.Elem(), depth+1)
				if err != nil {
					return e, err
				}
				out.SetMapIndex(k, e)
			}
			return out, nil
		}
	}
	if v.kind == kindUndefined {
		return reflect.Value{}, v.undefined().error()
	}
	return bad()
}

func convertItems(v value, rt reflect.Type, depth int) (reflect.Value, error) {
	items := sequenceItems(v)
	out := reflect.MakeSlice(rt, 0, len(items))
	for _, it := range items {
		e, err := convertDeep(it, rt.Elem(), depth+1)
		if err != nil {
			return e, err
		}
		out = reflect.Append(out, e)
	}
	return out, nil
}

// sequenceItems copies the elements of a list, tuple, range or Go slice.
func sequenceItems(v value) []value {
	var c cursor
	c.start(nil, v)
	var items []value
	for {
		e, ok := c.next()
		if !ok {
			return items
		}
		items = append(items, e)
	}
}

// callGo calls a function or method of the program. Leading parameters of type
// context.Context and *Call get the render's and the call itself; a last
// result of type error ends the render if it is not nil.
func callGo(x *exec, name string, fn reflect.Value, args []value, kw []keyword) value {
	ft := fn.Type()
	s, err := signatureOf(ft)
	if err != nil {
		panic(runtimeError("%s() cannot be called from a template: %s", name, err))
	}
	if len(kw) > 0 && s.keywords == nil {
		panic(runtimeError("%s() takes no keyword arguments", name))
	}
	if len(args) < s.fixed || len(args) > s.fixed && !s.variadic {
		panic(runtimeError("%s() takes %d arguments but %d were given", name, s.fixed, len(args)))
	}
	in := make([]reflect.Value, s.first, len(args)+s.first+1)
	if s.context >= 0 {
		in[s.context] = reflect.ValueOf(x.ctx())
	}
	if s.call >= 0 {
		in[s.call] = reflect.ValueOf(&Call{x: x, frame: x.caller, visible: x.visible, name: name, args: &callArgs{args, kw}})
	}
	for i, a := range args[:s.fixed] {
		in = append(in, argument(name, i, a, ft.In(s.first+i)))
	}
	if s.keywords != nil {
		in = append(in, s.keywords.fill(name, kw))
	}
	for i, a := range args[s.fixed:] {
		in = append(in, argument(name, s.fixed+i, a, ft.In(ft.NumIn()-1).Elem()))
	}
	return goResult(name, fn.Call(in))
}

func argument(name string, i int, v value, rt reflect.Type) reflect.Value {
	rv, err := convertTo(v, rt)
	if err != nil {
		panic(argumentError(name, strconv.Itoa(i+1), err))
	}
	return rv
}

func goResult(name string, out []reflect.Value) value {
	if n := len(out); n > 0 && out[n-1].Type() == reflect.TypeFor[error]() {
		if err, _ := out[n-1].Interface().(error); err != nil {
			panic(causeError(name+"()", err))
		}
		out = out[:n-1]
	}
	switch len(out) {
	case 0:
		return none
	case 1:
		return reflectResult(out[0])
	}
	items := make([]value, len(out))
	for i := range out {
		items[i] = reflectResult(out[i])
	}
	return tupleValue(items...)
}

func reflectResult(rv reflect.Value) value {
	if rv.Kind() == reflect.Interface && rv.IsNil() {
		return none
	}
	return fromAny(rv.Interface())
}

// asFloat gives a number as a float.
func (v value) asFloat() (float64, bool) {
	switch v.kind {
	case kindInt, kindBool:
		return float64(v.int()), true
	case kindFloat:
		return v.float(), true
	case kindBig:
		f, _ := new(big.Float).SetInt(v.big()).Float64()
		return f, !math.IsInf(f, 0)
	}
	return 0, false
}

// asBig gives an integer as a new big one.
func (v value) asBig() *big.Int {
	if v.kind == kindBig {
		return new(big.Int).Set(v.big())
	}
	return big.NewInt(v.int())
}
