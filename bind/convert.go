package bind

import (
	"encoding"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/retort-web/retort/validate"
)

// A converter makes a value of one type, without pointers, from text.
type converter struct {
	// set stores text in v, which can be set. The failure has no field yet.
	set Parse

	// blank says that an empty text is a value, and not an input left blank.
	blank bool
}

var (
	durationType        = reflect.TypeFor[time.Duration]()
	fileType            = reflect.TypeFor[*File]()
	filesType           = reflect.TypeFor[[]*File]()
	rawMessageType      = reflect.TypeFor[json.RawMessage]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType            = reflect.TypeFor[time.Time]()
)

// Parse reads text into v, which can be set, as a parameter or the input of a
// form is read into a field of its type. Times without a zone are in the one
// given, or UTC. The error has no field yet.
type Parse func(v reflect.Value, text string, zone *time.Location) *validate.FieldError

// ParseOf returns how text sets values of a type; nil if text cannot, as for
// pointers, structs and lists.
func ParseOf(t reflect.Type) Parse {
	if c := converterFor(t); c != nil {
		return c.set
	}
	return nil
}

// converterFor returns nil for a type that text cannot set.
func converterFor(t reflect.Type) *converter {
	switch {
	case t == timeType:
		return &converter{set: setTime}
	case t == durationType:
		return &converter{set: setDuration}
	case t == rawMessageType:
		return &converter{set: setRawMessage}
	case reflect.PointerTo(t).Implements(textUnmarshalerType):
		return &converter{set: setUnmarshaler}
	}
	switch t.Kind() {
	case reflect.String:
		return &converter{set: setString, blank: true}
	case reflect.Bool:
		return &converter{set: setBool}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &converter{set: setInt}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &converter{set: setUint}
	case reflect.Float32, reflect.Float64:
		return &converter{set: setFloat}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return &converter{set: setBytes, blank: true}
		}
	}
	return nil
}

func wrongType(kind string) *validate.FieldError {
	return validate.Fault("type", map[string]any{"type": kind})
}

func setString(v reflect.Value, text string, _ *time.Location) *validate.FieldError {
	if fault := validate.TextFault(text); fault != nil {
		return fault
	}
	v.SetString(text)
	return nil
}

func setBytes(v reflect.Value, text string, _ *time.Location) *validate.FieldError {
	v.SetBytes([]byte(text))
	return nil
}

func setBool(v reflect.Value, text string, _ *time.Location) *validate.FieldError {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "1", "t", "true", "y", "yes", "on":
		v.SetBool(true)
	case "0", "f", "false", "n", "no", "off":
		v.SetBool(false)
	default:
		return wrongType("boolean")
	}
	return nil
}

func setInt(v reflect.Value, text string, _ *time.Location) *validate.FieldError {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil && !isRange(err) {
		return wrongType("integer")
	}
	if err != nil || v.OverflowInt(n) {
		return rangeFault(v.Type())
	}
	v.SetInt(n)
	return nil
}

func setUint(v reflect.Value, text string, _ *time.Location) *validate.FieldError {
	text = strings.TrimSpace(text)
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "+"), 10, 64)
	if err != nil && !isRange(err) {
		if _, negative := strconv.ParseInt(text, 10, 64); negative == nil || isRange(negative) {
			return rangeFault(v.Type())
		}
		return wrongType("integer")
	}
	if err != nil || v.OverflowUint(n) {
		return rangeFault(v.Type())
	}
	v.SetUint(n)
	return nil
}

// setFloat takes decimal numbers only: no NaN, infinity, hexadecimals or
// underscores, which strconv would read.
func setFloat(v reflect.Value, text string, _ *time.Location) *validate.FieldError {
	text = strings.TrimSpace(text)
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return wrongType("number")
	}
	f, err := strconv.ParseFloat(text, v.Type().Bits())
	if err != nil {
		if isRange(err) {
			return rangeFault(v.Type())
		}
		return wrongType("number")
	}
	v.SetFloat(f)
	return nil
}

func isRange(err error) bool {
	return errors.Is(err, strconv.ErrRange)
}

// rangeFault says what a number type can hold.
func rangeFault(t reflect.Type) *validate.FieldError {
	params := map[string]any{}
	switch {
	case t.Kind() == reflect.Float32:
		params["min"], params["max"] = -math.MaxFloat32, math.MaxFloat32
	case t.Kind() == reflect.Float64:
		params["min"], params["max"] = -math.MaxFloat64, math.MaxFloat64
	case t.Kind() >= reflect.Uint:
		params["min"], params["max"] = uint64(0), uint64(math.MaxUint64)>>(64-t.Bits())
	default:
		params["min"], params["max"] = int64(math.MinInt64)>>(64-t.Bits()), int64(math.MaxInt64)>>(64-t.Bits())
	}
	return validate.Fault("range", params)
}

// timeLayouts are RFC 3339 and what HTML inputs of type datetime-local, date and
// time send. Fractions of seconds are read without being mentioned.
var timeLayouts = []string{
	time.RFC3339,
	"2006-01-02T15:04",
	"2006-01-02T15:04:05",
	"2006-01-02 15:04",
	"2006-01-02 15:04:05",
	time.DateOnly,
	"15:04",
	time.TimeOnly,
}

func setTime(v reflect.Value, text string, zone *time.Location) *validate.FieldError {
	text = strings.TrimSpace(text)
	if zone == nil {
		zone = time.UTC
	}
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			*v.Addr().Interface().(*time.Time) = t
			return nil
		}
	}
	return wrongType("date-time")
}

func setDuration(v reflect.Value, text string, _ *time.Location) *validate.FieldError {
	d, err := time.ParseDuration(strings.TrimSpace(text))
	if err != nil {
		return wrongType("duration")
	}
	v.SetInt(int64(d))
	return nil
}

func setRawMessage(v reflect.Value, text string, _ *time.Location) *validate.FieldError {
	if fault := validate.TextFault(text); fault != nil {
		return fault
	}
	// The limits of a JSON body hold here too; the text is bounded already.
	if err := checkJSON([]byte(text), Limits{}.withDefaults()); err != nil || !json.Valid([]byte(text)) {
		return wrongType("json")
	}
	v.SetBytes([]byte(text))
	return nil
}

func setUnmarshaler(v reflect.Value, text string, _ *time.Location) *validate.FieldError {
	if fault := validate.TextFault(text); fault != nil {
		return fault
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil {
		return validate.Fault("invalid", nil)
	}
	return nil
}

// typeFault says what JSON a type takes.
func typeFault(t reflect.Type) *validate.FieldError {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case timeType:
		return wrongType("date-time")
	case fileType.Elem():
		return wrongType("file")
	}
	if decodesItself(t) {
		return validate.Fault("invalid", nil)
	}
	switch kind := t.Kind(); kind {
	case reflect.String:
		return wrongType("string")
	case reflect.Bool:
		return wrongType("boolean")
	case reflect.Float32, reflect.Float64:
		return wrongType("number")
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return validate.Fault("invalid", nil)
		}
		return wrongType("array")
	case reflect.Struct, reflect.Map:
		return wrongType("object")
	default:
		if kind >= reflect.Int && kind <= reflect.Uintptr {
			return wrongType("integer")
		}
		return validate.Fault("invalid", nil)
	}
}
