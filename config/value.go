package config

import (
	"cmp"
	"encoding"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mistake is a value that a field cannot take: what it must be, as in "must be
// a whole number", and the text that is not.
type mistake struct {
	want string
	text string
}

func want(format string, args ...any) *mistake {
	return &mistake{want: fmt.Sprintf(format, args...)}
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	sizeType     = reflect.TypeFor[Size]()
)

func isNumber(t reflect.Type) bool {
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64 && t.Kind() != reflect.Uintptr
}

// isScalar reports whether one text without separators sets the type.
func isScalar(t reflect.Type) bool {
	return t.Kind() == reflect.String || t.Kind() == reflect.Bool || isNumber(t) ||
		reflect.PointerTo(t).Implements(textUnmarshaler)
}

func supported(t reflect.Type) bool {
	switch {
	case isScalar(t):
		return true
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice:
		return isScalar(t.Elem())
	case t.Kind() == reflect.Map:
		return t.Key().Kind() == reflect.String && isScalar(t.Elem())
	}
	return false
}

// parseText reads the text of a variable or tag into v.
func parseText(v reflect.Value, text string) *mistake {
	t := v.Type()
	switch {
	case isScalar(t):
		return parseScalar(v, text)
	case t.Kind() == reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		return parseScalar(v.Elem(), text)
	case t.Kind() == reflect.Slice:
		parts := splitList(text)
		v.Set(reflect.MakeSlice(t, len(parts), len(parts)))
		for i, part := range parts {
			if wrong := parseScalar(v.Index(i), part); wrong != nil {
				return want("a list, separated by commas, each %s", wrong.want)
			}
		}
	case t.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(t))
		for _, part := range splitList(text) {
			name, value, ok := strings.Cut(part, "=")
			if !ok {
				return want("pairs name=value, separated by commas")
			}
			if wrong := setPair(v, strings.TrimSpace(name), func(item reflect.Value) *mistake {
				return parseScalar(item, strings.TrimSpace(value))
			}); wrong != nil {
				return wrong
			}
		}
	}
	return nil
}

func setPair(m reflect.Value, name string, parse func(reflect.Value) *mistake) *mistake {
	item := reflect.New(m.Type().Elem()).Elem()
	if wrong := parse(item); wrong != nil {
		return want("a map of which each value is %s", wrong.want)
	}
	m.SetMapIndex(reflect.ValueOf(name).Convert(m.Type().Key()), item)
	return nil
}

// splitList splits at commas and drops what is empty.
func splitList(text string) []string {
	parts := []string{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

func parseScalar(v reflect.Value, text string) *mistake {
	t := v.Type()
	switch {
	case t == durationType:
		d, ok := parseDuration(text)
		if !ok {
			return want("a duration with a unit, such as 90s, 15m, 1h30m or 31d")
		}
		v.SetInt(int64(d))
		return nil
	case t == sizeType:
		s, ok := parseSize(text)
		if !ok {
			return want("a size, such as 512kB, 10MB or 1GiB")
		}
		v.SetInt(int64(s))
		return nil
	}
	if v.CanAddr() {
		if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
			if err := u.UnmarshalText([]byte(text)); err != nil {
				// Not the error: it may quote a secret.
				return want("%s", article(t))
			}
			return nil
		}
	}
	trimmed := strings.TrimSpace(text)
	switch kind := t.Kind(); {
	case kind == reflect.String:
		v.SetString(text)
	case kind == reflect.Bool:
		b, ok := parseBool(trimmed)
		if !ok {
			return want("true or false (also yes, no, on, off, 1, 0)")
		}
		v.SetBool(b)
	case v.CanInt():
		n, err := strconv.ParseInt(plainNumber(trimmed), 10, t.Bits())
		if err != nil {
			return want("a whole number%s", rangeOf(t))
		}
		v.SetInt(n)
	case v.CanUint():
		n, err := strconv.ParseUint(plainNumber(trimmed), 10, t.Bits())
		if err != nil {
			return want("a whole number%s", rangeOf(t))
		}
		v.SetUint(n)
	default:
		n, err := strconv.ParseFloat(plainNumber(trimmed), t.Bits())
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return want("a number")
		}
		v.SetFloat(n)
	}
	return nil
}

// article names a type that reads itself, as in "a valid netip.Prefix".
func article(t reflect.Type) string {
	if t == reflect.TypeFor[time.Time]() {
		return "a time as in 2006-01-02T15:04:05Z"
	}
	return "a valid " + t.String()
}

func rangeOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int8, reflect.Int16, reflect.Int32:
		limit := int64(1) << (t.Bits() - 1)
		return fmt.Sprintf(" from %d to %d", -limit, limit-1)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return fmt.Sprintf(" from 0 to %d", uint64(1)<<t.Bits()-1)
	case reflect.Uint, reflect.Uint64:
		return " of at least 0"
	}
	return ""
}

// plainNumber drops the underscores of 10_000, which only stand between digits.
func plainNumber(text string) string {
	for i := range len(text) {
		if text[i] == '_' && (i == 0 || i == len(text)-1 || !isDigit(text[i-1]) || !isDigit(text[i+1])) {
			return text
		}
	}
	return strings.ReplaceAll(text, "_", "")
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func parseBool(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "true", "t", "1", "yes", "y", "on":
		return true, true
	case "false", "f", "0", "no", "n", "off":
		return false, true
	}
	return false, false
}

// parseTOMLValue reads a value of a TOML file into v. A text is read like that
// of a variable; for the rest the kinds must agree, so that version = 1.10 does
// not become the string "1.1".
func parseTOMLValue(v reflect.Value, value any) *mistake {
	t := v.Type()
	switch value := value.(type) {
	case string:
		return parseText(v, value)
	case []any:
		if t.Kind() != reflect.Slice || isScalar(t) {
			return want("%s, not a list", kindText(t))
		}
		v.Set(reflect.MakeSlice(t, len(value), len(value)))
		for i, item := range value {
			if wrong := parseTOMLValue(v.Index(i), item); wrong != nil {
				return want("a list of which each entry is %s", wrong.want)
			}
		}
		return nil
	case map[string]any:
		if t.Kind() != reflect.Map || isScalar(t) {
			return want("%s, not a table", kindText(t))
		}
		v.Set(reflect.MakeMapWithSize(t, len(value)))
		for name, item := range value {
			if wrong := setPair(v, name, func(v reflect.Value) *mistake { return parseTOMLValue(v, item) }); wrong != nil {
				return wrong
			}
		}
		return nil
	}
	if t.Kind() == reflect.Pointer {
		v.Set(reflect.New(t.Elem()))
		return parseTOMLValue(v.Elem(), value)
	}
	if !isScalar(t) || t.Kind() == reflect.String && !reflect.PointerTo(t).Implements(textUnmarshaler) {
		return want("%s", kindText(t))
	}
	if b, ok := value.(bool); ok && t.Kind() != reflect.Bool {
		return want("%s, not %t", kindText(t), b)
	}
	if t.Kind() == reflect.Bool {
		if _, ok := value.(bool); !ok {
			return want("true or false")
		}
	}
	return parseScalar(v, tomlText(value))
}

func kindText(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Pointer:
		return kindText(t.Elem())
	case t == durationType:
		return "a duration in quotes, such as \"15m\""
	case t == sizeType:
		return "a size in quotes, such as \"10MB\""
	case reflect.PointerTo(t).Implements(textUnmarshaler):
		return article(t)
	case t.Kind() == reflect.String:
		return "text in quotes"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice:
		return "a list in brackets, each " + kindText(t.Elem())
	case t.Kind() == reflect.Map:
		return "a table, each value " + kindText(t.Elem())
	case t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64:
		return "a number"
	}
	return "a whole number" + rangeOf(t)
}

// tomlText writes a value of a TOML file as text.
func tomlText(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case tomlTime:
		return string(value)
	case bool:
		return strconv.FormatBool(value)
	case int64:
		return strconv.FormatInt(value, 10)
	case float64:
		return strconv.FormatFloat(value, 'g', -1, 64)
	case []any:
		parts := make([]string, len(value))
		for i, item := range value {
			parts[i] = tomlText(item)
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		parts := make([]string, 0, len(value))
		for name, item := range value {
			parts = append(parts, name+"="+tomlText(item))
		}
		slices.Sort(parts)
		return strings.Join(parts, ", ")
	}
	return ""
}

// format writes a value as the text that parseText would read.
func format(v reflect.Value) string {
	t := v.Type()
	switch {
	case t.Kind() == reflect.Pointer:
		if v.IsNil() {
			return ""
		}
		return format(v.Elem())
	case t == durationType:
		return formatDuration(time.Duration(v.Int()))
	case t.Kind() == reflect.Slice && !isScalar(t):
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = format(v.Index(i))
		}
		return strings.Join(parts, ", ")
	case t.Kind() == reflect.Map && !isScalar(t):
		parts := make([]string, 0, v.Len())
		for it := v.MapRange(); it.Next(); {
			parts = append(parts, it.Key().String()+"="+format(it.Value()))
		}
		slices.Sort(parts)
		return strings.Join(parts, ", ")
	}
	switch m := addressable(v).Interface().(type) {
	case encoding.TextMarshaler:
		if text, err := m.MarshalText(); err == nil {
			return string(text)
		}
	case fmt.Stringer:
		return m.String()
	}
	return fmt.Sprint(v.Interface())
}

// addressable returns a pointer to v or a copy of it, whose methods include
// those of pointers.
func addressable(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return v.Addr()
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p
}

// items are the parts of a list, or the value itself; none for a nil pointer.
func items(v reflect.Value) []reflect.Value {
	switch {
	case v.Kind() == reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return []reflect.Value{v.Elem()}
	case v.Kind() == reflect.Slice && !isScalar(v.Type()):
		parts := make([]reflect.Value, v.Len())
		for i := range parts {
			parts[i] = v.Index(i)
		}
		return parts
	}
	return []reflect.Value{v}
}

func compareNumbers(a, b reflect.Value) int {
	switch {
	case a.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	}
	return cmp.Compare(a.Float(), b.Float())
}
