package form

import (
	"database/sql"
	"database/sql/driver"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/validate"
)

// codec turns the text of an input into a value of one type and back. The
// value given to parse is addressable and zero; a failure has no field yet.
type codec struct {
	kind   kind
	parse  bind.Parse
	format func(v reflect.Value, zone *time.Location, layout string) string
}

// kind decides about the widget.
type kind int

const (
	textKind kind = iota
	boolKind
	intKind
	floatKind
	timeKind
	otherKind // a type that reads itself from text
	jsonKind
)

// codecOf returns nil for a type that one text cannot set.
func codecOf(t reflect.Type) *codec {
	p := reflect.PointerTo(t)
	switch {
	case t == timeType:
		return &codec{timeKind, bind.ParseOf(t), formatTime}
	case t == durationType:
		return &codec{otherKind, bind.ParseOf(t), formatDuration}
	case p.Implements(textUnmarshalerType) && p.Implements(textMarshalerType):
		return &codec{otherKind, bind.ParseOf(t), formatMarshaler}
	case p.Implements(reflect.TypeFor[sql.Scanner]()) && p.Implements(reflect.TypeFor[driver.Valuer]()):
		return &codec{otherKind, parseScanner, formatValuer}
	}
	switch t.Kind() {
	case reflect.String:
		return &codec{textKind, bind.ParseOf(t), formatString}
	case reflect.Bool:
		return &codec{boolKind, bind.ParseOf(t), formatBool}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &codec{intKind, bind.ParseOf(t), formatInt}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &codec{intKind, bind.ParseOf(t), formatUint}
	case reflect.Float32, reflect.Float64:
		return &codec{floatKind, bind.ParseOf(t), formatFloat}
	}
	return nil
}

func wrongType(kind string) *validate.FieldError {
	return validate.Fault("type", map[string]any{"type": kind})
}

func formatString(v reflect.Value, _ *time.Location, _ string) string { return v.String() }

func formatBool(v reflect.Value, _ *time.Location, _ string) string {
	return strconv.FormatBool(v.Bool())
}

func formatInt(v reflect.Value, _ *time.Location, _ string) string {
	return strconv.FormatInt(v.Int(), 10)
}

func formatUint(v reflect.Value, _ *time.Location, _ string) string {
	return strconv.FormatUint(v.Uint(), 10)
}

func formatFloat(v reflect.Value, _ *time.Location, _ string) string {
	return strconv.FormatFloat(v.Float(), 'f', -1, v.Type().Bits())
}

// The layouts of the HTML standard, section 2.3.5, as browsers send them.
const (
	dateLayout     = "2006-01-02"
	minuteLayout   = "15:04"
	dateTimeLayout = "2006-01-02T15:04"
)

// formatTime shows seconds only where there are any: a browser then offers them.
func formatTime(v reflect.Value, zone *time.Location, layout string) string {
	t := v.Interface().(time.Time)
	if t.IsZero() {
		return ""
	}
	if layout == "" {
		layout = dateTimeLayout
	}
	t = t.In(zone)
	if layout == weekLayout {
		return weekOf(t)
	}
	if layout != dateLayout && layout != monthLayout && t.Second() != 0 {
		layout += ":05"
	}
	return t.Format(layout)
}

func formatDuration(v reflect.Value, _ *time.Location, _ string) string {
	return time.Duration(v.Int()).String()
}

func formatMarshaler(v reflect.Value, _ *time.Location, _ string) string {
	if v.IsZero() {
		return ""
	}
	text, err := v.Addr().Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil {
		return ""
	}
	return string(text)
}

func parseScanner(v reflect.Value, text string, _ *time.Location) *validate.FieldError {
	if err := v.Addr().Interface().(sql.Scanner).Scan(text); err != nil {
		return validate.Fault("invalid", nil)
	}
	return nil
}

func formatValuer(v reflect.Value, _ *time.Location, _ string) string {
	value, err := v.Addr().Interface().(driver.Valuer).Value()
	if err != nil || value == nil {
		return ""
	}
	if text, ok := value.([]byte); ok {
		return string(text)
	}
	return fmt.Sprint(value)
}

// jsonCodec is for model fields that are kept as JSON.
func jsonCodec() *codec {
	return &codec{
		kind: jsonKind,
		parse: func(v reflect.Value, text string, _ *time.Location) *validate.FieldError {
			if err := json.Unmarshal([]byte(text), v.Addr().Interface()); err != nil {
				return wrongType("json")
			}
			return nil
		},
		format: func(v reflect.Value, _ *time.Location, _ string) string {
			if v.IsZero() {
				return ""
			}
			text, err := json.MarshalIndent(v.Interface(), "", "  ")
			if err != nil {
				return ""
			}
			return string(text)
		},
	}
}
