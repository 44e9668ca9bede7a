package orm

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
	"unsafe"

	"github.com/retort-web/retort/orm/schema"
)

// codec moves values of one Go type between a field's memory and a database.
// The functions take the address of the field, so that reading a row needs no
// reflection for the types that matter.
type codec struct {
	goType reflect.Type
	typ    schema.Type
	null   bool // a Go value of the type can mean NULL
	// zeroNull tells that the zero value does, but only in a column tagged "null";
	// elsewhere it is a value that is missing.
	zeroNull bool
	size     int // default size of a text, or digits of a decimal
	scale    int
	native   map[string]string // see ColumnType
	// load returns nil, bool, int64, float64, string, []byte or time.Time.
	load func(p unsafe.Pointer) (any, error)
	// put writes what load returns; nil if it is only known by load. Whoever replaces load
	// clears it.
	put func(w *columnWriter, p unsafe.Pointer) error
	// store accepts what a driver returns.
	store func(p unsafe.Pointer, v any) error
	// direct is the kind of the memory, if a value of that kind may be written
	// to it without store: Slice stands for bytes, Struct for time.Time and
	// Array for the 16 bytes of a UUID. Whoever replaces store clears it.
	direct reflect.Kind
	// elem is what a pointer points to, if it may be made without store.
	elem *codec
	// borrows tells that store does not keep a []byte it is given.
	borrows bool
}

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	rawJSONType  = reflect.TypeFor[json.RawMessage]()
	scannerType  = reflect.TypeFor[sql.Scanner]()
	valuerType   = reflect.TypeFor[driver.Valuer]()
)

// codecOf chooses the codec of a type, or says that there is none.
func codecOf(t reflect.Type, asJSON bool) (*codec, error) {
	if asJSON {
		return jsonCodec(t), nil
	}
	switch {
	case t == timeType:
		return &codec{goType: t, typ: schema.DateTime, load: loadTime, put: putTime, store: storeTime, direct: reflect.Struct}, nil
	case t == durationType:
		return &codec{goType: t, typ: schema.Duration, load: loadInt64, put: putSigned[int64], store: storeInt64, direct: reflect.Int64}, nil
	case t == rawJSONType:
		return &codec{goType: t, typ: schema.JSON, null: true, zeroNull: true, load: loadRawJSON, store: storeBytes, direct: reflect.Slice}, nil
	case t.Implements(columnTyperType) && reflect.PointerTo(t).Implements(scannerType):
		return typedCodec(t), nil
	case t.Implements(valuerType) && reflect.PointerTo(t).Implements(scannerType):
		return scannerCodec(t), nil
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return &codec{goType: t, typ: schema.Bytes, load: loadBytes, store: storeBytes, direct: reflect.Slice}, nil
	case t.Kind() == reflect.Pointer:
		return pointerCodec(t)
	}
	if c := knownCodec(t); c != nil {
		return c, nil
	}
	c := basicCodecs[t.Kind()]
	if c.load == nil {
		return nil, fmt.Errorf("type %s cannot be stored; add orm:\"json\" to keep it as JSON, orm:\"-\" to leave it out, or give it Scan and Value methods", t)
	}
	c.goType, c.direct = t, t.Kind()
	return &c, nil
}

// basicCodecs serve the basic kinds and every named type over them, whose
// memory is the same.
var basicCodecs = [reflect.UnsafePointer + 1]codec{
	reflect.Bool:    {typ: schema.Bool, load: loadBool, put: putBool, store: storeBool},
	reflect.Int:     {typ: schema.Int64, load: loadSigned[int], put: putSigned[int], store: storeSigned[int]},
	reflect.Int8:    {typ: schema.Int16, load: loadSigned[int8], put: putSigned[int8], store: storeSigned[int8]},
	reflect.Int16:   {typ: schema.Int16, load: loadSigned[int16], put: putSigned[int16], store: storeSigned[int16]},
	reflect.Int32:   {typ: schema.Int32, load: loadSigned[int32], put: putSigned[int32], store: storeSigned[int32]},
	reflect.Int64:   {typ: schema.Int64, load: loadInt64, put: putSigned[int64], store: storeInt64},
	reflect.Uint:    {typ: schema.Int64, load: loadUnsigned[uint], store: storeUnsigned[uint]},
	reflect.Uint8:   {typ: schema.Int16, load: loadUnsigned[uint8], store: storeUnsigned[uint8]},
	reflect.Uint16:  {typ: schema.Int32, load: loadUnsigned[uint16], store: storeUnsigned[uint16]},
	reflect.Uint32:  {typ: schema.Int64, load: loadUnsigned[uint32], store: storeUnsigned[uint32]},
	reflect.Uint64:  {typ: schema.Int64, load: loadUnsigned[uint64], store: storeUnsigned[uint64]},
	reflect.Float32: {typ: schema.Float64, load: loadFloat32, store: storeFloat32},
	reflect.Float64: {typ: schema.Float64, load: loadFloat64, put: putFloat64, store: storeFloat64},
	reflect.String:  {typ: schema.Text, load: loadString, put: putString, store: storeString},
}

func loadBool(p unsafe.Pointer) (any, error) { return *(*bool)(p), nil }

func storeBool(p unsafe.Pointer, v any) error {
	switch v := v.(type) {
	case bool:
		*(*bool)(p) = v
	case int64:
		*(*bool)(p) = v != 0
	default:
		return mismatch(v, "bool")
	}
	return nil
}

func loadInt64(p unsafe.Pointer) (any, error) { return *(*int64)(p), nil }

func storeInt64(p unsafe.Pointer, v any) error {
	n, err := integer(v)
	*(*int64)(p) = n
	return err
}

func loadSigned[I ~int | ~int8 | ~int16 | ~int32](p unsafe.Pointer) (any, error) {
	return int64(*(*I)(p)), nil
}

func storeSigned[I ~int | ~int8 | ~int16 | ~int32](p unsafe.Pointer, v any) error {
	n, err := integer(v)
	if err == nil && int64(I(n)) != n {
		err = fmt.Errorf("%d is out of range", n)
	}
	*(*I)(p) = I(n)
	return err
}

func loadUnsigned[U ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64](p unsafe.Pointer) (any, error) {
	u := uint64(*(*U)(p))
	if u > math.MaxInt64 {
		return nil, fmt.Errorf("%d is more than a database integer can hold", u)
	}
	return int64(u), nil
}

func storeUnsigned[U ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64](p unsafe.Pointer, v any) error {
	n, err := integer(v)
	if err == nil && (n < 0 || int64(U(n)) != n) {
		err = fmt.Errorf("%d is out of range", n)
	}
	*(*U)(p) = U(n)
	return err
}

func integer(v any) (int64, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case float64:
		if n := int64(v); float64(n) == v {
			return n, nil
		}
	case string:
		return strconv.ParseInt(v, 10, 64)
	case []byte:
		return strconv.ParseInt(string(v), 10, 64)
	}
	return 0, mismatch(v, "integer")
}

func loadFloat64(p unsafe.Pointer) (any, error) { return *(*float64)(p), nil }

func storeFloat64(p unsafe.Pointer, v any) error {
	f, err := float(v)
	*(*float64)(p) = f
	return err
}

func loadFloat32(p unsafe.Pointer) (any, error) { return float64(*(*float32)(p)), nil }

func storeFloat32(p unsafe.Pointer, v any) error {
	f, err := float(v)
	*(*float32)(p) = float32(f)
	return err
}

func float(v any) (float64, error) {
	switch v := v.(type) {
	case float64:
		return v, nil
	case int64:
		return float64(v), nil
	case string:
		return strconv.ParseFloat(v, 64)
	case []byte:
		return strconv.ParseFloat(string(v), 64)
	}
	return 0, mismatch(v, "float")
}

func loadString(p unsafe.Pointer) (any, error) { return *(*string)(p), nil }

func storeString(p unsafe.Pointer, v any) error {
	switch v := v.(type) {
	case string:
		*(*string)(p) = v
	case []byte:
		*(*string)(p) = string(v)
	case int64:
		*(*string)(p) = strconv.FormatInt(v, 10)
	case float64:
		*(*string)(p) = strconv.FormatFloat(v, 'g', -1, 64)
	case time.Time:
		*(*string)(p) = v.Format(time.RFC3339Nano)
	default:
		return mismatch(v, "string")
	}
	return nil
}

// loadBytes keeps an empty slice apart from NULL: a column that is not
// nullable gets an empty value for nil too.
func loadBytes(p unsafe.Pointer) (any, error) {
	b := *(*[]byte)(p)
	if b == nil {
		b = []byte{}
	}
	return b, nil
}

func storeBytes(p unsafe.Pointer, v any) error {
	switch v := v.(type) {
	case []byte:
		*(*[]byte)(p) = v
	case string:
		*(*[]byte)(p) = []byte(v)
	case nil:
		*(*[]byte)(p) = nil
	default:
		return mismatch(v, "bytes")
	}
	return nil
}

func loadRawJSON(p unsafe.Pointer) (any, error) {
	raw := *(*json.RawMessage)(p)
	if raw == nil {
		return nil, nil
	}
	if !json.Valid(raw) {
		return nil, fmt.Errorf("the value is not valid JSON")
	}
	return string(raw), nil
}

// loadTime cuts to microseconds, the precision that every database keeps, so
// that a time read back equals the one written.
func loadTime(p unsafe.Pointer) (any, error) {
	return (*time.Time)(p).UTC().Truncate(time.Microsecond), nil
}

// loadDate takes the day that the time's own zone has, as who wrote it meant.
func loadDate(p unsafe.Pointer) (any, error) {
	return (*time.Time)(p).Format(time.DateOnly), nil
}

func storeTime(p unsafe.Pointer, v any) error {
	t, err := instant(v)
	*(*time.Time)(p) = t
	return err
}

func instant(v any) (time.Time, error) {
	switch v := v.(type) {
	case time.Time:
		return v.UTC(), nil
	case string:
		return ParseTime(v)
	case []byte:
		return ParseTime(string(v))
	}
	return time.Time{}, mismatch(v, "time")
}

// pointerCodec makes a nullable column of a pointer.
func pointerCodec(t reflect.Type) (*codec, error) {
	elem, err := codecOf(t.Elem(), false)
	if err != nil {
		return nil, err
	}
	if t.Elem().Kind() == reflect.Pointer {
		return nil, fmt.Errorf("type %s points to a pointer", t)
	}
	size := t.Elem()
	c := &codec{
		goType: t, typ: elem.typ, null: true, size: elem.size, scale: elem.scale, native: elem.native,
		load: func(p unsafe.Pointer) (any, error) {
			q := *(*unsafe.Pointer)(p)
			if q == nil {
				return nil, nil
			}
			return elem.load(q)
		},
		store: func(p unsafe.Pointer, v any) error {
			if v == nil {
				*(*unsafe.Pointer)(p) = nil
				return nil
			}
			q := reflect.New(size).UnsafePointer()
			*(*unsafe.Pointer)(p) = q
			return elem.store(q, v)
		},
	}
	c.put = putPointer(elem)
	if elem.direct != reflect.Invalid {
		c.elem = elem
	}
	return c, nil
}

// scannerCodec serves types that know how to store themselves. Their column
// type is taken from the value they give when zero, or from the tag "type".
func scannerCodec(t reflect.Type) *codec {
	c := &codec{goType: t, typ: schema.Text, null: true}
	c.load = func(p unsafe.Pointer) (any, error) {
		v, err := reflect.NewAt(t, p).Interface().(driver.Valuer).Value()
		if err != nil {
			return nil, err
		}
		return plain(v)
	}
	c.store = func(p unsafe.Pointer, v any) error {
		if text, ok := v.(string); ok && c.typ == schema.DateTime {
			parsed, err := ParseTime(text)
			if err != nil {
				return err
			}
			v = parsed
		}
		return reflect.NewAt(t, p).Interface().(sql.Scanner).Scan(v)
	}
	zero, err := c.load(reflect.New(t).UnsafePointer())
	switch zero.(type) {
	case bool:
		c.typ = schema.Bool
	case int64:
		c.typ = schema.Int64
	case float64:
		c.typ = schema.Float64
	case []byte:
		c.typ = schema.Bytes
	case time.Time:
		c.typ = schema.DateTime
	}
	// A type whose zero value is not NULL is not nullable by itself.
	c.null = err == nil && zero == nil
	if c.null {
		c.typ = nullableType(t)
	}
	if isUUID(t) {
		c.typ, c.direct = schema.UUID, reflect.Array
	}
	return c
}

// nullableType finds the column type of sql.Null… and types like it, structs
// of a value and Valid.
func nullableType(t reflect.Type) schema.Type {
	if t.Kind() == reflect.Struct && t.NumField() == 2 && t.Field(1).Name == "Valid" {
		if c, err := codecOf(t.Field(0).Type, false); err == nil {
			return c.typ
		}
	}
	return schema.Text
}

// isUUID recognises the UUID types in use by shape, so that none need be
// imported here.
func isUUID(t reflect.Type) bool {
	return t.Kind() == reflect.Array && t.Len() == 16 && t.Elem().Kind() == reflect.Uint8 && t.Name() == "UUID"
}

// plain reduces what a Valuer returned to the values a Querier takes.
func plain(v driver.Value) (any, error) {
	switch v := v.(type) {
	case nil, bool, int64, float64, string, []byte:
		return v, nil
	case time.Time:
		return v.UTC().Truncate(time.Microsecond), nil
	case driver.Valuer:
		return nil, fmt.Errorf("Value of %T returns a Valuer", v)
	}
	r := reflect.ValueOf(v)
	c, err := codecOf(r.Type(), false)
	if err != nil {
		return nil, err
	}
	box := reflect.New(r.Type())
	box.Elem().Set(r)
	return c.load(box.UnsafePointer())
}

// jsonCodec keeps any type as JSON text. A nil pointer, map or slice is NULL
// only if the column allows it; see newField.
func jsonCodec(t reflect.Type) *codec {
	c := &codec{goType: t, typ: schema.JSON, borrows: true}
	c.load = func(p unsafe.Pointer) (any, error) {
		return encodeJSON(reflect.NewAt(t, p).Interface())
	}
	c.store = func(p unsafe.Pointer, v any) error {
		target := reflect.NewAt(t, p)
		target.Elem().SetZero()
		switch v := v.(type) {
		case nil:
			return nil
		case string:
			return json.Unmarshal([]byte(v), target.Interface())
		case []byte:
			return json.Unmarshal(v, target.Interface())
		}
		return mismatch(v, "JSON")
	}
	return c
}

func mismatch(v any, want string) error {
	if v == nil {
		return fmt.Errorf("the column is NULL where a %s was expected; make the field a pointer", want)
	}
	return fmt.Errorf("cannot read a %T as a %s", v, want)
}
