package orm

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"time"
	"unsafe"
)

// Cell is where one column of a result is stored: a field of the row being
// read, at its offset, with a function chosen once for its type.
//
// A backend whose driver makes values of its own hands them to Set. One that
// decodes what the database sent calls the setter of the column's type, which
// stores the usual types without an allocation for the value itself.
type Cell struct {
	codec   *codec
	offset  uintptr
	segment *segment
	first   bool       // the primary key of its segment: NULL means no row there
	field   *FieldInfo // for errors; nil outside of models
}

// Set stores a value as the database gave it: nil, bool, int64, float64,
// string, []byte (which the cell may keep) or time.Time.
func (c *Cell) Set(value any) error {
	if value == nil {
		return c.SetNull()
	}
	if n, ok := value.(int64); ok {
		return c.setInt64(n, value)
	}
	p, kind := c.memory()
	switch v := value.(type) {
	case string:
		if kind == reflect.String {
			*(*string)(p) = v
			return nil
		}
	case time.Time:
		if kind == reflect.Struct {
			*(*time.Time)(p) = v.UTC()
			return nil
		}
	}
	return c.otherwise(p, kind, value)
}

// SetNull stores NULL.
func (c *Cell) SetNull() error {
	if c.first {
		c.segment.base = nil
		return nil
	}
	p := c.place()
	if p == nil {
		return nil
	}
	if c.codec.elem != nil {
		*(*unsafe.Pointer)(p) = nil
		return nil
	}
	return c.store(p, nil)
}

// SetBool stores a bool.
func (c *Cell) SetBool(v bool) error {
	p, kind := c.memory()
	if kind == reflect.Bool {
		*(*bool)(p) = v
		return nil
	}
	return c.otherwise(p, kind, v)
}

// SetInt64 stores a whole number of any size.
func (c *Cell) SetInt64(v int64) error { return c.setInt64(v, nil) }

// setInt64 stores a number; boxed is the same if there is a box around it already.
func (c *Cell) setInt64(v int64, boxed any) error {
	known := c.first && c.segment.known != nil
	if known && c.segment.meet(v) {
		return nil
	}
	p, kind := c.memory()
	if known {
		c.segment.known[v] = c.segment.base
	}
	switch kind {
	case reflect.Int64:
		*(*int64)(p) = v
		return nil
	case reflect.Int:
		if int64(int(v)) == v {
			*(*int)(p) = int(v)
			return nil
		}
	case reflect.Int32:
		if int64(int32(v)) == v {
			*(*int32)(p) = int32(v)
			return nil
		}
	case reflect.Int16:
		if int64(int16(v)) == v {
			*(*int16)(p) = int16(v)
			return nil
		}
	}
	if p == nil {
		return nil
	}
	if boxed == nil {
		boxed = v
	}
	return c.otherwise(p, kind, boxed)
}

// SetFloat64 stores a float.
func (c *Cell) SetFloat64(v float64) error {
	p, kind := c.memory()
	switch kind {
	case reflect.Float64:
		*(*float64)(p) = v
		return nil
	case reflect.Float32:
		*(*float32)(p) = float32(v)
		return nil
	}
	return c.otherwise(p, kind, v)
}

// SetText stores text, JSON among it. The bytes are only read during the call.
func (c *Cell) SetText(v []byte) error {
	p, kind := c.memory()
	switch {
	case kind == reflect.String:
		*(*string)(p) = string(v)
		return nil
	case p == nil:
		return nil
	case kind == reflect.Slice:
		*(*[]byte)(p) = append([]byte{}, v...)
		return nil
	case c.codec.borrows:
		return c.store(p, v)
	}
	return c.otherwise(p, kind, string(v))
}

// SetBytes stores bytes, of which it makes a copy.
func (c *Cell) SetBytes(v []byte) error {
	p, kind := c.memory()
	if kind == reflect.Slice {
		*(*[]byte)(p) = append([]byte{}, v...)
		return nil
	}
	if p == nil {
		return nil
	}
	return c.otherwise(p, kind, append([]byte{}, v...))
}

// SetTime stores an instant, which must be in UTC.
func (c *Cell) SetTime(v time.Time) error {
	p, kind := c.memory()
	if kind == reflect.Struct {
		*(*time.Time)(p) = v
		return nil
	}
	return c.otherwise(p, kind, v)
}

// SetDate stores a day, which is midnight in UTC. What is no time gets it as text,
// 2006-01-02.
func (c *Cell) SetDate(v time.Time) error {
	p, kind := c.memory()
	if kind == reflect.Struct {
		*(*time.Time)(p) = v
		return nil
	}
	return c.otherwise(p, kind, v.Format(time.DateOnly))
}

// SetUUID stores the 16 bytes of a UUID.
func (c *Cell) SetUUID(v [16]byte) error {
	p, kind := c.memory()
	if kind == reflect.Array {
		*(*[16]byte)(p) = v
		return nil
	}
	return c.otherwise(p, kind, formatUUID(v))
}

// formatUUID writes a UUID in its usual form, as SQLite has it as text.
func formatUUID(u [16]byte) string {
	var b [36]byte
	hex.Encode(b[:], u[:4])
	b[8] = '-'
	hex.Encode(b[9:], u[4:6])
	b[13] = '-'
	hex.Encode(b[14:], u[6:8])
	b[18] = '-'
	hex.Encode(b[19:], u[8:10])
	b[23] = '-'
	hex.Encode(b[24:], u[10:])
	return string(b[:])
}

// place is the cell's memory in the row being read, which the first cell of a
// row makes; nil if there is no row.
func (c *Cell) place() unsafe.Pointer {
	if c.first {
		c.segment.base = c.segment.row()
	} else if c.segment.base == nil {
		return nil
	}
	return unsafe.Add(c.segment.base, c.offset)
}

// memory is where a value that is not NULL goes, and the kind that may be
// written there; Invalid where the codec must do it. For a pointer it makes what
// is pointed to.
func (c *Cell) memory() (unsafe.Pointer, reflect.Kind) {
	p := c.place()
	if p == nil {
		return nil, reflect.Invalid
	}
	elem := c.codec.elem
	if elem == nil {
		return p, c.codec.direct
	}
	var q unsafe.Pointer
	switch elem.direct {
	case reflect.Int64:
		q = unsafe.Pointer(new(int64))
	case reflect.String:
		q = unsafe.Pointer(new(string))
	case reflect.Struct:
		q = unsafe.Pointer(new(time.Time))
	default:
		q = reflect.New(elem.goType).UnsafePointer()
	}
	*(*unsafe.Pointer)(p) = q
	return q, elem.direct
}

// otherwise stores a value that does not fit the memory as it is: p is the
// memory itself or, for a pointer, what it points to.
func (c *Cell) otherwise(p unsafe.Pointer, kind reflect.Kind, v any) error {
	if p == nil {
		return nil
	}
	if kind != reflect.Invalid && c.codec.elem != nil {
		return c.fault(c.codec.elem.store(p, v))
	}
	return c.store(p, v)
}

func (c *Cell) store(p unsafe.Pointer, v any) error { return c.fault(c.codec.store(p, v)) }

func (c *Cell) fault(err error) error {
	if err != nil && c.field != nil {
		return fmt.Errorf("orm: reading %s.%s: %w", c.field.model.Name, c.field.Name, err)
	}
	return err
}
