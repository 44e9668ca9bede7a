package orm

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unsafe"

	"github.com/retort-web/retort/orm/schema"
)

// ArrayValue is the value of an array column, as a dialect's Bind gets it. It becomes an
// array where the database has them, and a JSON array elsewhere.
type ArrayValue struct {
	Elem   schema.Type
	Values []any // bool, int64, float64 or string
}

// JSON writes the values as a JSON array.
func (a ArrayValue) JSON() string {
	values := a.Values
	if values == nil {
		values = []any{}
	}
	b, err := encodeJSON(values)
	if err != nil {
		return "[]" // bools, numbers and texts can be encoded; an infinite number was refused before
	}
	return b
}

// Braces writes the values as PostgreSQL writes an array: {1,2}, {"a","b \"c\"",NULL}.
func (a ArrayValue) Braces() string {
	b := append(make([]byte, 0, 2+8*len(a.Values)), '{')
	for i, v := range a.Values {
		if i > 0 {
			b = append(b, ',')
		}
		switch v := v.(type) {
		case nil:
			b = append(b, "NULL"...)
		case int64:
			b = strconv.AppendInt(b, v, 10)
		case string:
			b = append(b, '"')
			for j := range len(v) {
				if v[j] == '"' || v[j] == '\\' {
					b = append(b, '\\')
				}
				b = append(b, v[j])
			}
			b = append(b, '"')
		default:
			b = fmt.Append(b, v)
		}
	}
	return string(append(b, '}'))
}

// arrayCodec keeps a slice of bools, numbers or texts. A nil slice is NULL only if the
// column allows it.
func arrayCodec(t reflect.Type) (*codec, schema.Type, error) {
	if t.Kind() != reflect.Slice {
		return nil, "", fmt.Errorf("array in the orm tag is for slices, which a %s is not", t)
	}
	elem := basicCodecs[t.Elem().Kind()]
	if elem.load == nil || t.Elem().Kind() == reflect.Uint8 {
		return nil, "", fmt.Errorf("array in the orm tag is for slices of bools, numbers and texts, which a %s is not; tag it json", t)
	}
	size := t.Elem().Size()
	c := &codec{goType: t, typ: schema.Array, null: true, zeroNull: true}
	c.load = func(p unsafe.Pointer) (any, error) {
		slice := reflect.NewAt(t, p).Elem()
		if slice.IsNil() {
			return nil, nil
		}
		a := ArrayValue{Elem: elem.typ, Values: make([]any, slice.Len())}
		for i := range a.Values {
			v, err := elem.load(unsafe.Add(slice.UnsafePointer(), uintptr(i)*size))
			if err != nil {
				return nil, err
			}
			if err := checkText(v); err != nil {
				return nil, err
			}
			a.Values[i] = v
		}
		return a, nil
	}
	c.store = func(p unsafe.Pointer, v any) error {
		slice := reflect.NewAt(t, p).Elem()
		slice.SetZero()
		if v == nil {
			return nil
		}
		values, err := arrayValues(v)
		if err != nil {
			return err
		}
		made := reflect.MakeSlice(t, len(values), len(values))
		for i, v := range values {
			if err := elem.store(unsafe.Add(made.UnsafePointer(), uintptr(i)*size), v); err != nil {
				return err
			}
		}
		slice.Set(made)
		return nil
	}
	return c, elem.typ, nil
}

// arrayValues reads an array in any of the forms in which databases give it.
func arrayValues(v any) ([]any, error) {
	switch v := v.(type) {
	case ArrayValue:
		return v.Values, nil
	case []any:
		return v, nil
	case string:
		return parseArray(v)
	case []byte:
		return parseArray(string(v))
	}
	return nil, mismatch(v, "array")
}

func parseArray(text string) ([]any, error) {
	if strings.HasPrefix(text, "{") {
		return parseBraces(text)
	}
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, fmt.Errorf("%q is not an array", text)
	}
	values := make([]any, len(raw))
	for i, item := range raw {
		switch item[0] {
		case '"':
			var s string
			if err := json.Unmarshal(item, &s); err != nil {
				return nil, err
			}
			values[i] = s
		case 't', 'f':
			values[i] = item[0] == 't'
		case '{', '[', 'n':
			return nil, fmt.Errorf("an array holds %s, which is neither a bool, a number nor a text", item)
		default:
			values[i] = string(item) // a number, read as the type of the field
		}
	}
	return values, nil
}

// parseBraces reads an array as PostgreSQL writes it,
// https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO.
func parseBraces(text string) ([]any, error) {
	bad := func() ([]any, error) {
		return nil, fmt.Errorf("%s is not an array of one dimension", strconv.Quote(text))
	}
	if len(text) < 2 || text[len(text)-1] != '}' {
		return bad()
	}
	rest := text[1 : len(text)-1]
	values := []any{}
	for rest != "" {
		var item []byte
		quoted := rest[0] == '"'
		i := 0
		if quoted {
			for i = 1; i < len(rest) && rest[i] != '"'; i++ {
				if rest[i] == '\\' {
					i++
				}
				if i < len(rest) {
					item = append(item, rest[i])
				}
			}
			i++
		} else {
			for i < len(rest) && rest[i] != ',' {
				if strings.IndexByte(`{}"\`, rest[i]) >= 0 {
					return bad()
				}
				item = append(item, rest[i])
				i++
			}
		}
		if i > len(rest) || i < len(rest) && (rest[i] != ',' || i+1 == len(rest)) || !quoted && len(item) == 0 {
			return bad()
		}
		switch s := string(item); {
		case !quoted && strings.EqualFold(s, "NULL"):
			return nil, fmt.Errorf("an array holds NULL, for which a Go slice has no place")
		case !quoted && (s == "t" || s == "f"):
			values = append(values, s == "t")
		default:
			values = append(values, s)
		}
		rest = rest[min(i+1, len(rest)):]
	}
	return values, nil
}
