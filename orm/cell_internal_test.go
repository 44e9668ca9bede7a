package orm

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"github.com/google/uuid"
)

// named types have the memory of those they are made of.
type (
	color string
	level int16
)

// cellRow has a field of each kind of memory.
type cellRow struct {
	Bool    bool
	Int     int
	Int8    int8
	Level   level
	Int32   int32
	Int64   int64
	Uint    uint
	Float   float64
	Float32 float32
	Color   color
	Bytes   []byte
	Raw     json.RawMessage
	Time    time.Time
	Span    time.Duration
	UUID    uuid.UUID
	PBool   *bool
	PInt    *int
	PInt64  *int64
	PColor  *color
	PFloat  *float64
	PTime   *time.Time
	PUUID   *uuid.UUID
	Any     map[string]int `json:"as JSON"`
}

// TestSettersStoreWhatSetStores compares the direct way of each setter with the way
// through the codec, which takes a boxed value.
func TestSettersStoreWhatSetStores(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("0193c8a4-7f0e-7000-8000-0123456789ab")
	now := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	type way struct {
		name   string
		boxed  any
		direct func(c *Cell) error
	}
	ways := []way{
		{"null", nil, func(c *Cell) error { return c.SetNull() }},
		{"true", true, func(c *Cell) error { return c.SetBool(true) }},
		{"float", 2.5, func(c *Cell) error { return c.SetFloat64(2.5) }},
		{"whole float", 3.0, func(c *Cell) error { return c.SetFloat64(3) }},
		{"text", "red", func(c *Cell) error { return c.SetText([]byte("red")) }},
		{"digits", "12", func(c *Cell) error { return c.SetText([]byte("12")) }},
		{"JSON", `{"a":1}`, func(c *Cell) error { return c.SetText([]byte(`{"a":1}`)) }},
		{"no text", "", func(c *Cell) error { return c.SetText(nil) }},
		{"bytes", []byte{1, 2}, func(c *Cell) error { return c.SetBytes([]byte{1, 2}) }},
		{"no bytes", []byte{}, func(c *Cell) error { return c.SetBytes(nil) }},
		{"time", now, func(c *Cell) error { return c.SetTime(now) }},
		{"uuid", id.String(), func(c *Cell) error { return c.SetUUID(id) }},
	}
	for _, n := range []int64{0, 1, -1, 127, 128, 300, 40000, 1 << 40, -1 << 40} {
		ways = append(ways, way{"int", n, func(c *Cell) error { return c.SetInt64(n) }})
	}
	typ := reflect.TypeFor[cellRow]()
	for i := range typ.NumField() {
		f := typ.Field(i)
		c, err := codecOf(f.Type, f.Tag != "")
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range ways {
			var one, two cellRow
			a := Cell{codec: c, offset: f.Offset, segment: &segment{base: unsafe.Pointer(&one)}}
			b := Cell{codec: c, offset: f.Offset, segment: &segment{base: unsafe.Pointer(&two)}}
			errA, errB := a.Set(w.boxed), w.direct(&b)
			if (errA == nil) != (errB == nil) {
				t.Errorf("%s <- %s %v: Set says %v, the setter %v", f.Name, w.name, w.boxed, errA, errB)
			}
			if errA == nil && !reflect.DeepEqual(one, two) {
				t.Errorf("%s <- %s %v: Set stores %+v, the setter %+v", f.Name, w.name, w.boxed, one, two)
			}
		}
	}
}

func TestSettersKeepNoBorrowedBytes(t *testing.T) {
	t.Parallel()
	text := []byte(`{"a":1}`)
	var row cellRow
	typ := reflect.TypeFor[cellRow]()
	for _, name := range []string{"Color", "Bytes", "Raw", "PColor", "Any"} {
		f, _ := typ.FieldByName(name)
		c, err := codecOf(f.Type, f.Tag != "")
		if err != nil {
			t.Fatal(err)
		}
		cell := Cell{codec: c, offset: f.Offset, segment: &segment{base: unsafe.Pointer(&row)}}
		if err := cell.SetText(text); err != nil {
			t.Fatal(err)
		}
	}
	clear(text)
	if row.Color != `{"a":1}` || string(row.Bytes) != `{"a":1}` || string(row.Raw) != `{"a":1}` || *row.PColor != `{"a":1}` || row.Any["a"] != 1 {
		t.Errorf("%+v", row)
	}
}

func TestFirstCellMakesTheRow(t *testing.T) {
	t.Parallel()
	c, err := codecOf(reflect.TypeFor[int64](), false)
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	s := &segment{alloc: func() unsafe.Pointer { made++; return unsafe.Pointer(new(int64)) }}
	key, other := Cell{codec: c, segment: s, first: true}, Cell{codec: c, segment: s}
	for range 2 {
		if err := key.SetInt64(5); err != nil || *(*int64)(s.base) != 5 {
			t.Error(err)
		}
		if err := other.SetInt64(6); err != nil || *(*int64)(s.base) != 6 {
			t.Error(err)
		}
	}
	if err := key.SetNull(); err != nil || s.base != nil || made != 2 {
		t.Error(err, s.base, made)
	}
	if err := other.SetText([]byte("x")); err != nil {
		t.Error("a cell without a row:", err)
	}
}
