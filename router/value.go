package router

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
)

// textOf writes a value as it appears in a URL before escaping: texts, numbers
// and booleans of any named type, and what implements
// [encoding.TextMarshaler] or [fmt.Stringer].
func textOf(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case []byte:
		return string(v), nil
	}
	if isNil(value) {
		return "", errors.New("the value is nil")
	}
	switch v := value.(type) {
	case encoding.TextMarshaler:
		text, err := v.MarshalText()
		return string(text), err
	case fmt.Stringer:
		return v.String(), nil
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.FormatUint(v.Uint(), 10), nil
	case reflect.Float32:
		return strconv.FormatFloat(v.Float(), 'g', -1, 32), nil
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64), nil
	case reflect.Pointer:
		return textOf(v.Elem().Interface())
	}
	return "", fmt.Errorf("a %T cannot be written in a URL", value)
}

// intOf accepts whole numbers of any named type and texts that hold one.
func intOf(value any) (int64, error) {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if u := v.Uint(); u <= 1<<63-1 {
			return int64(u), nil
		}
		return 0, fmt.Errorf("%v does not fit int64", value)
	case reflect.Pointer:
		if !v.IsNil() {
			return intOf(v.Elem().Interface())
		}
	case reflect.Float32, reflect.Float64, reflect.Bool:
		return 0, fmt.Errorf("%v (%T) is not a whole number", value, value)
	}
	text, err := textOf(value)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number", text)
	}
	return n, nil
}

// floatOf accepts numbers of any named type and texts that hold one.
func floatOf(value any) (float64, error) {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Float32:
		// The shortest digits of the float32, not of its float64 neighbour.
		return strconv.ParseFloat(strconv.FormatFloat(v.Float(), 'g', -1, 32), 64)
	case reflect.Float64:
		return v.Float(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return float64(v.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return float64(v.Uint()), nil
	case reflect.Pointer:
		if !v.IsNil() {
			return floatOf(v.Elem().Interface())
		}
	}
	text, err := textOf(value)
	if err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return f, nil
}

// isNil reports an absent value: nil itself or a nil pointer, map, slice or
// interface.
func isNil(value any) bool {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
		return v.IsNil()
	}
	return false
}
