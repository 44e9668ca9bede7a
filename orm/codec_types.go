package orm

import (
	"bytes"
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"unsafe"

	"github.com/retort-web/retort/orm/schema"
)

// ColumnType is what a type of a program says of the columns that hold it.
type ColumnType struct {
	// Type is the logical type. Default: what Value returns for the zero value.
	Type schema.Type
	// Size is the most characters of a text, or the digits of a decimal; Scale those
	// after the point. The tag of a field may say otherwise.
	Size, Scale int
	// Native are types of single databases, by the dialect's name, that take the place
	// of Type there: {"postgres": "citext"}.
	Native map[string]string
	// Null says that Value may return nil, for NULL.
	Null bool
}

// ColumnTyper is implemented by a type that says what its columns are. It also implements
// [driver.Valuer], and on its pointer [sql.Scanner], and so decides how it is stored. If it
// has a method Validate() error, [Query.Validate] asks it.
type ColumnTyper interface {
	driver.Valuer
	ColumnType() ColumnType
}

// JSON holds any Go value in a JSON column, and tells NULL from the JSON value null: the
// first is !Valid, the second a V that is encoded so. A field that need not tell them apart
// can be of the type itself, tagged "json".
type JSON[T any] struct {
	V     T
	Valid bool
}

// JSONOf returns a JSON that holds v.
func JSONOf[T any](v T) JSON[T] { return JSON[T]{v, true} }

// ColumnType is a JSON column that may be NULL.
func (JSON[T]) ColumnType() ColumnType { return ColumnType{Type: schema.JSON, Null: true} }

// Value encodes V; nil if it is not valid.
func (j JSON[T]) Value() (driver.Value, error) {
	if !j.Valid {
		return nil, nil
	}
	return encodeJSON(j.V)
}

// Scan decodes V.
func (j *JSON[T]) Scan(v any) error {
	*j = JSON[T]{}
	if v == nil {
		return nil
	}
	j.Valid = true
	switch v := v.(type) {
	case string:
		return json.Unmarshal([]byte(v), &j.V)
	case []byte:
		return json.Unmarshal(v, &j.V)
	}
	return mismatch(v, "JSON")
}

// MarshalJSON writes V, or null.
func (j JSON[T]) MarshalJSON() ([]byte, error) {
	if !j.Valid {
		return []byte("null"), nil
	}
	return json.Marshal(j.V)
}

// UnmarshalJSON reads V; null is V's own null, and not NULL.
func (j *JSON[T]) UnmarshalJSON(b []byte) error {
	j.Valid = true
	return json.Unmarshal(b, &j.V)
}

func encodeJSON(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

var (
	dateType        = reflect.TypeFor[Date]()
	timeOfDayType   = reflect.TypeFor[TimeOfDay]()
	addrType        = reflect.TypeFor[netip.Addr]()
	prefixType      = reflect.TypeFor[netip.Prefix]()
	columnTyperType = reflect.TypeFor[ColumnTyper]()
)

// The longest texts of an address and a prefix of addresses; a zone is not stored.
const (
	addrSize   = 45
	prefixSize = 49
)

// knownCodec serves the types that this package knows by name or shape.
func knownCodec(t reflect.Type) *codec {
	switch {
	case t == dateType:
		return &codec{goType: t, typ: schema.Date, load: loadCivilDate, store: storeCivilDate}
	case t == timeOfDayType:
		return &codec{goType: t, typ: schema.Time, load: loadTimeOfDay, store: storeTimeOfDay}
	case t == addrType:
		return &codec{goType: t, typ: schema.String, size: addrSize, null: true, zeroNull: true, load: loadAddr, store: storeAddr}
	case t == prefixType:
		return &codec{goType: t, typ: schema.String, size: prefixSize, null: true, zeroNull: true, load: loadPrefix, store: storePrefix}
	case t.Kind() == reflect.Array && t.Len() == 16 && t.Elem().Kind() == reflect.Uint8:
		return &codec{goType: t, typ: schema.UUID, load: loadUUID, store: storeUUID, direct: reflect.Array}
	}
	return nil
}

// typedCodec serves the types that say what their columns are.
func typedCodec(t reflect.Type) *codec {
	c := scannerCodec(t)
	own := reflect.Zero(t).Interface().(ColumnTyper).ColumnType()
	if own.Type != "" {
		c.typ, c.direct = own.Type, reflect.Invalid
	}
	c.size, c.scale, c.native = own.Size, own.Scale, own.Native
	c.null = own.Null
	return c
}

func loadAddr(p unsafe.Pointer) (any, error) {
	a := *(*netip.Addr)(p)
	if !a.IsValid() {
		return nil, nil
	}
	return a.WithZone("").String(), nil
}

func storeAddr(p unsafe.Pointer, v any) error {
	text, err := textOf(v)
	a := (*netip.Addr)(p)
	if *a = (netip.Addr{}); err != nil || v == nil {
		return err
	}
	*a, err = netip.ParseAddr(text)
	return err
}

func loadPrefix(p unsafe.Pointer) (any, error) {
	x := *(*netip.Prefix)(p)
	if !x.IsValid() {
		return nil, nil
	}
	return x.String(), nil
}

func storePrefix(p unsafe.Pointer, v any) error {
	text, err := textOf(v)
	x := (*netip.Prefix)(p)
	if *x = (netip.Prefix{}); err != nil || v == nil {
		return err
	}
	*x, err = netip.ParsePrefix(text)
	return err
}

// textOf reads what a driver gives for a text; nil is empty.
func textOf(v any) (string, error) {
	var s string
	if v == nil {
		return s, nil
	}
	err := storeString(unsafe.Pointer(&s), v)
	return s, err
}

func loadUUID(p unsafe.Pointer) (any, error) { return formatUUID(*(*[16]byte)(p)), nil }

func storeUUID(p unsafe.Pointer, v any) error {
	u := (*[16]byte)(p)
	if b, ok := v.([]byte); ok && len(b) == len(u) {
		copy(u[:], b)
		return nil
	}
	text, err := textOf(v)
	if err != nil {
		return err
	}
	digits := make([]byte, 0, 32)
	for i := range len(text) {
		if text[i] != '-' {
			digits = append(digits, text[i])
		}
	}
	if len(digits) != 32 {
		return fmt.Errorf("%q is not a UUID", text)
	}
	if _, err := hex.Decode(u[:], digits); err != nil {
		return fmt.Errorf("%q is not a UUID", text)
	}
	return nil
}

// fixDecimal makes a decimal arrive as text with all its digits, whatever number a
// database gave.
func fixDecimal(store func(p unsafe.Pointer, v any) error, scale int) func(p unsafe.Pointer, v any) error {
	return func(p unsafe.Pointer, v any) error {
		switch n := v.(type) {
		case float64:
			v = strconv.FormatFloat(n, 'f', scale, 64)
		case int64:
			v = withScale(strconv.FormatInt(n, 10), scale)
		case string:
			v = withScale(n, scale)
		case []byte:
			v = withScale(string(n), scale)
		}
		return store(p, v)
	}
}

// withScale fills up a decimal number to so many digits after the point.
func withScale(number string, scale int) string {
	whole, fraction, point := strings.Cut(number, ".")
	if len(fraction) >= scale || strings.Trim(whole, "+-0123456789") != "" || whole == "" {
		return number
	}
	if !point {
		number += "."
	}
	return number + strings.Repeat("0", scale-len(fraction))
}
