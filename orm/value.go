package orm

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/retort-web/retort/orm/schema"
)

// plainValue reduces a value to what a Querier takes.
func plainValue(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, int64, float64, string, []byte, Tuple:
		return v, nil
	case int:
		return int64(v), nil
	case time.Time:
		return v.UTC().Truncate(time.Microsecond), nil
	}
	r := reflect.ValueOf(v)
	if s, ok := foreignKeySpec(r.Type()); ok {
		return s.queryArg(r)
	}
	c, err := codecOf(r.Type(), false)
	if err != nil {
		return nil, err
	}
	return c.loadValue(r)
}

func (c *codec) loadValue(r reflect.Value) (any, error) {
	if c.put != nil && c.direct == r.Kind() && r.CanInt() {
		return r.Int(), nil // which needs no memory to be loaded from
	}
	box := reflect.New(r.Type())
	box.Elem().Set(r)
	return c.load(box.UnsafePointer())
}

// convert makes the plain value of a field from a Go value of its own type, of
// one that converts to it without loss, or nil. With text true a string is
// read in the form of the field's type, as it comes from a URL or a form.
func (f *FieldInfo) convert(v any, text bool) (any, error) {
	if v == nil {
		return nil, nil
	}
	if s, ok := v.(string); ok && text {
		return f.parse(s)
	}
	r := reflect.ValueOf(v)
	if r.Type() == f.Type {
		// A part of a key stands alone here, without the other parts beside it.
		return f.lone().loadValue(r)
	}
	if f.keyCodec != nil && r.Type() == f.keyCodec.goType {
		return f.keyCodec.loadValue(r)
	}
	if r.Kind() == reflect.Pointer {
		if r.IsNil() {
			return nil, nil
		}
		if f.Relation != nil && r.Type().Elem() == f.Relation.spec.target {
			return f.keyOf(r)
		}
		if !r.Type().Implements(valuerType) {
			return f.convert(r.Elem().Interface(), text)
		}
	}
	p, err := plainValue(v)
	if err != nil || p == nil {
		return p, err
	}
	return f.fit(p, v)
}

// keyOf takes the key of a row given for a foreign key.
func (f *FieldInfo) keyOf(row reflect.Value) (any, error) {
	pk := f.Relation.Key()
	base, err := pk.model.rowBase(row.Interface())
	if err != nil {
		return nil, err
	}
	p := unsafe.Add(base, pk.offset)
	if pk.isZero(p) && !pk.PrimaryKey {
		return nil, fmt.Errorf("the %s of the %s is empty", pk.Name, pk.model.Name)
	}
	if pk.isZero(p) {
		return nil, fmt.Errorf("the %s is not saved; insert it first", f.Relation.Target().Name)
	}
	return pk.codec.load(p)
}

// fit checks that a plain value suits the kind of the column.
func (f *FieldInfo) fit(p, v any) (any, error) {
	if len(f.Parts) > 0 {
		if values, is := p.(Tuple); is && len(values) == len(f.Parts) {
			return p, nil
		}
		return nil, fmt.Errorf("a %T is given where a key of %d columns is needed", v, len(f.Parts))
	}
	ok := false
	switch f.Kind {
	case schema.Bool:
		_, ok = p.(bool)
	case schema.Int16, schema.Int32, schema.Int64, schema.Duration:
		n, is := p.(int64)
		if ok = is; ok && !f.holds(n) {
			return nil, fmt.Errorf("%d is out of range", n)
		}
	case schema.Float64:
		if n, is := p.(int64); is {
			p = float64(n)
		}
		_, ok = p.(float64)
	case schema.DateTime:
		_, ok = p.(time.Time)
	case schema.Date:
		if day, is := v.(time.Time); is {
			return day.Format(time.DateOnly), nil
		}
		if text, is := p.(string); is {
			_, err := time.Parse(time.DateOnly, text)
			return text, err
		}
	case schema.Bytes:
		_, ok = p.([]byte)
	case schema.JSON:
		return nil, fmt.Errorf("a %T is given where a %s is needed", v, f.Type)
	case schema.String, schema.Text, schema.UUID:
		_, ok = p.(string)
	default:
		ok = true
	}
	if !ok {
		return nil, fmt.Errorf("a %T is given where a %s is needed", v, f.Type)
	}
	return p, nil
}

// holds reports whether an integer fits the field's Go type.
func (f *FieldInfo) holds(n int64) bool {
	t := f.codec.goType
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if f.Relation != nil {
		t = f.Relation.spec.key
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return !reflect.Zero(t).OverflowInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return n >= 0 && !reflect.Zero(t).OverflowUint(uint64(n))
	}
	return true
}

// parse reads a string in the form of the field's type.
func (f *FieldInfo) parse(s string) (any, error) {
	if len(f.Parts) > 0 {
		return f.parseTuple(s)
	}
	kind := f.Kind
	if f.Relation != nil {
		kind = f.Relation.Key().Kind
	}
	if strings.IndexByte(s, 0) >= 0 {
		return nil, errors.New("a NUL character is not allowed")
	}
	switch kind {
	case schema.Bool:
		switch strings.ToLower(s) {
		case "true", "1", "on", "yes", "t":
			return true, nil
		case "false", "0", "off", "no", "f":
			return false, nil
		}
		return nil, fmt.Errorf("%q is not true or false", s)
	case schema.Int16, schema.Int32, schema.Int64:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || !f.holds(n) {
			return nil, fmt.Errorf("%q is not a whole number in range", s)
		}
		return n, nil
	case schema.Float64:
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return nil, fmt.Errorf("%q is not a number", s)
		}
		return n, nil
	case schema.DateTime, schema.Date:
		t, err := ParseTime(s)
		if err != nil {
			return nil, err
		}
		if kind == schema.Date {
			return t.Format(time.DateOnly), nil
		}
		return t, nil
	case schema.Duration:
		if d, err := time.ParseDuration(s); err == nil {
			return int64(d), nil
		}
		return nil, fmt.Errorf("%q is not a duration such as 1h30m", s)
	case schema.Bytes:
		return []byte(s), nil
	}
	return f.parseText(s)
}

// parseText lets a type that is stored as text, such as a UUID, check it.
func (f *FieldInfo) parseText(s string) (any, error) {
	t := f.codec.goType
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if f.Relation != nil {
		t = f.Relation.spec.key
	}
	if t.Kind() == reflect.String {
		return s, nil
	}
	c, err := codecOf(t, f.Kind == schema.JSON)
	if err != nil {
		return nil, err
	}
	box := reflect.New(t).UnsafePointer()
	if err := c.store(box, s); err != nil {
		return nil, fmt.Errorf("%q is not a valid %s", s, t)
	}
	return c.load(box)
}
