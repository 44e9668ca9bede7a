package orm

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unsafe"

	"github.com/retort-web/retort/orm/schema"
)

// ValueWriter takes the values of a row in the order of its columns. Times are in UTC.
type ValueWriter interface {
	Null()
	Bool(v bool)
	Int64(v int64)
	Float64(v float64)
	Text(v string)
	Bytes(v []byte)
	Time(v time.Time)
}

// columnWriter checks the values of a field on their way, as FieldInfo.value does.
type columnWriter struct {
	to    ValueWriter
	field *FieldInfo
}

// writeTo writes the field of a row: what value loads, without a box around it where the type
// is a usual one.
func (f *FieldInfo) writeTo(w *columnWriter, row unsafe.Pointer) error {
	if put := f.codec.put; put != nil {
		w.field = f
		if err := put(w, unsafe.Add(row, f.offset)); !errors.Is(err, errUsual) {
			return err
		}
	}
	v, err := f.value(row)
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		w.to.Null()
	case bool:
		w.to.Bool(v)
	case int64:
		w.to.Int64(v)
	case float64:
		w.to.Float64(v)
	case string:
		w.to.Text(v)
	case []byte:
		w.to.Bytes(v)
	case time.Time:
		w.to.Time(v)
	case ArrayValue:
		w.to.Text(v.Braces())
	default:
		return f.fault(fmt.Errorf("a %T cannot be written", v))
	}
	return nil
}

// errUsual is returned by a put that leaves the value to load, for example because it is NULL.
var errUsual = errors.New("orm: the value is for load")

func putBool(w *columnWriter, p unsafe.Pointer) error {
	w.to.Bool(*(*bool)(p))
	return nil
}

func putSigned[I ~int | ~int8 | ~int16 | ~int32 | ~int64](w *columnWriter, p unsafe.Pointer) error {
	v := int64(*(*I)(p))
	if err := w.field.checkInteger(v); err != nil {
		return w.field.fault(err)
	}
	w.to.Int64(v)
	return nil
}

func putFloat64(w *columnWriter, p unsafe.Pointer) error {
	v := *(*float64)(p)
	if w.field.Kind != schema.Float64 || math.IsNaN(v) || math.IsInf(v, 0) {
		return errUsual
	}
	w.to.Float64(v)
	return nil
}

func putString(w *columnWriter, p unsafe.Pointer) error {
	v := *(*string)(p)
	if err := w.field.checkString(v); err != nil {
		return w.field.fault(err)
	}
	w.to.Text(v)
	return nil
}

func putTime(w *columnWriter, p unsafe.Pointer) error {
	w.to.Time((*time.Time)(p).UTC().Truncate(time.Microsecond))
	return nil
}

// putPointer puts what a pointer points to.
func putPointer(elem *codec) func(w *columnWriter, p unsafe.Pointer) error {
	if elem.put == nil {
		return nil
	}
	return func(w *columnWriter, p unsafe.Pointer) error {
		if p = *(*unsafe.Pointer)(p); p == nil {
			return errUsual
		}
		return elem.put(w, p)
	}
}
