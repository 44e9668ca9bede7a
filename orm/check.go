package orm

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/retort-web/retort/orm/schema"
	"github.com/retort-web/retort/validate"
)

// misfit is why a value does not fit its column, in words for who writes the program and
// for who gave the value.
type misfit struct {
	text  string
	fault *validate.FieldError
}

// Error is for who writes the program.
func (m *misfit) Error() string { return m.text }

// Fault is what is wrong in words for who gave the value, by code and parameters; it
// names the field as forms and JSON do.
func (e *ValueError) Fault() *validate.FieldError {
	fault := validate.Fault("invalid", nil)
	if m, ok := errors.AsType[*misfit](e.Err); ok {
		fault = new(*m.fault)
	}
	fault.Field = e.Field.Snake
	return fault
}

// check holds a value to what its column takes, on every database alike: SQLite would take
// a text of any length, MySQL round a decimal, PostgreSQL refuse a NUL with an error of its
// own.
func (f *FieldInfo) check(v any) error {
	switch v := v.(type) {
	case string:
		return f.checkString(v)
	case int64:
		return f.checkInteger(v)
	case float64:
		if f.Kind == schema.Float64 && (math.IsNaN(v) || math.IsInf(v, 0)) {
			return &misfit{"is not a finite number, which not every database can store", validate.Fault("type", map[string]any{"type": "number"})}
		}
	case ArrayValue:
		return f.checkArray(v)
	}
	return nil
}

func (f *FieldInfo) checkString(text string) error {
	if err := checkText(text); err != nil {
		return err
	}
	switch f.Kind {
	case schema.String:
		if f.Size > 0 && len(text) > f.Size {
			return checkLength(text, f.Size)
		}
	case schema.Decimal:
		return f.checkDecimal(text)
	case schema.UUID:
		if len(text) != 36 {
			return &misfit{fmt.Sprintf("%q is not a UUID such as 018f3f5e-7a2b-7c3d-8e4f-5a6b7c8d9e0f", text), validate.Fault("uuid", nil)}
		}
	}
	return nil
}

func checkLength(text string, size int) error {
	if n := utf8.RuneCountInString(text); n > size {
		return &misfit{fmt.Sprintf("has %d characters where %d are allowed", n, size), validate.Fault("max_length", map[string]any{"max": size})}
	}
	return nil
}

// checkText refuses what not every database can store as text.
func checkText(v any) error {
	text, ok := v.(string)
	switch {
	case !ok:
	case strings.IndexByte(text, 0) >= 0:
		return errNUL
	case !utf8.ValidString(text):
		return errEncoding
	}
	return nil
}

var (
	errNUL      = &misfit{"has a NUL character, which text cannot have; use []byte", validate.Fault("null_character", nil)}
	errEncoding = &misfit{"is not valid UTF-8; use []byte, or strings.ToValidUTF8", validate.Fault("encoding", nil)}
	errNull     = &misfit{"is null, which the column forbids", validate.Fault("required", nil)}
	errNotSet   = &misfit{"is not set; a foreign key that may be empty is tagged null", validate.Fault("required", nil)}
)

func (f *FieldInfo) checkInteger(n int64) error {
	bits := 0
	switch f.Kind {
	case schema.Int16:
		bits = 16
	case schema.Int32:
		bits = 32
	default:
		return nil
	}
	if limit := int64(1) << (bits - 1); n < -limit || n >= limit {
		return &misfit{
			fmt.Sprintf("%d is out of range of the column, which has %d bits", n, bits),
			validate.Fault("range", map[string]any{"min": -limit, "max": limit - 1}),
		}
	}
	return nil
}

// checkDecimal counts digits. A number in exponential form is left to the database.
func (f *FieldInfo) checkDecimal(text string) error {
	whole, fraction, _ := strings.Cut(strings.TrimLeft(text, "+-"), ".")
	if whole+fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		if strings.ContainsAny(text, "eE") {
			return nil
		}
		return &misfit{fmt.Sprintf("%q is not a decimal number", text), validate.Fault("type", map[string]any{"type": "number"})}
	}
	tooMany := func(digits int, where string, allowed int) error {
		return &misfit{
			fmt.Sprintf("has %d digits %s the point where %d are allowed", digits, where, allowed),
			validate.Fault("digits", map[string]any{"digits": f.Size - f.Scale, "places": f.Scale}),
		}
	}
	if digits := len(strings.TrimRight(fraction, "0")); digits > f.Scale {
		return tooMany(digits, "after", f.Scale)
	}
	if digits := len(strings.TrimLeft(whole, "0")); digits > f.Size-f.Scale {
		return tooMany(digits, "before", f.Size-f.Scale)
	}
	return nil
}

func (f *FieldInfo) checkArray(a ArrayValue) error {
	for i, v := range a.Values {
		if text, ok := v.(string); ok && f.Size > 0 && len(text) > f.Size {
			if err := checkLength(text, f.Size); err != nil {
				return fmt.Errorf("item %d %w", i, err)
			}
		}
	}
	return nil
}
