package orm

import (
	"reflect"
	"unsafe"
)

// gathering are the rows behind a relation to many while they are read, each with the number
// of the key of its owners.
type gathering struct {
	keys    keyNumbers
	rows    []unsafe.Pointer
	numbers []int32
}

// add adds a row behind the owners with a key.
func (g *gathering) add(key any, row unsafe.Pointer) {
	if n, ok := g.keys.find(key); ok {
		g.rows, g.numbers = append(g.rows, row), append(g.numbers, n)
	}
}

// addInt is add for an integer.
func (g *gathering) addInt(key int64, row unsafe.Pointer) {
	if n, ok := g.keys.ints[key]; ok {
		g.rows, g.numbers = append(g.rows, row), append(g.numbers, n)
	}
}

// addOwned adds a row that has the key of its owner in a foreign key.
func (g *gathering) addOwned(row unsafe.Pointer, via *FieldInfo) error {
	if n := via.integer(row); n != 0 {
		g.addInt(n, row)
		return nil
	}
	key, err := via.codec.load(unsafe.Add(row, via.offset))
	if err == nil {
		g.add(key, row)
	}
	return err
}

// addShared adds a row that came with the key of its owner. A row behind several owners is
// one row in memory: the first that was read, which the reader has met or is in shared.
func (g *gathering) addShared(row unsafe.Pointer, r *reader, shared map[any]unsafe.Pointer) error {
	switch {
	case row == nil:
		row = r.root.met
	case shared != nil:
		id := mapKey(r.root.model.mustKey(row))
		if first := shared[id]; first != nil {
			row = first
		}
		shared[id] = row
	}
	if r.owners == nil {
		g.addInt(r.number, row)
		return nil
	}
	key, err := r.owner()
	if err == nil {
		g.add(key, row)
	}
	return err
}

// dealt is how many rows the lists that share memory have together: an owner that is kept
// keeps no more of the others' rows.
const dealt = 256

// deal returns the rows behind each key, in their order.
func (g *gathering) deal() [][]unsafe.Pointer {
	lists := make([][]unsafe.Pointer, g.keys.len())
	if len(lists) == 1 {
		lists[0] = g.rows[:len(g.rows):len(g.rows)]
		return lists
	}
	counts := make([]int, len(lists))
	for _, n := range g.numbers {
		counts[n]++
	}
	var free []unsafe.Pointer
	left := len(g.rows)
	for n, count := range counts {
		if count == 0 {
			continue
		}
		if count > len(free) {
			free = make([]unsafe.Pointer, max(count, min(left, dealt)))
		}
		lists[n], free = free[:0:count], free[count:]
		left -= count
	}
	for i, row := range g.rows {
		n := g.numbers[i]
		lists[n] = append(lists[n], row)
	}
	return lists
}

// keyNumbers numbers keys in the order in which they come first. Integers, the usual case,
// are kept without a box around each.
type keyNumbers struct {
	ints   map[int64]int32
	others map[any]int32 // as mapKey makes them
	values []any         // the keys, each once
}

func newKeyNumbers(keys int) keyNumbers {
	return keyNumbers{ints: make(map[int64]int32, keys), values: make([]any, 0, keys)}
}

func (k *keyNumbers) len() int { return len(k.values) }

// number is the number of a key, a new one if it comes first.
func (k *keyNumbers) number(key any) int32 {
	if n, ok := k.find(key); ok {
		return n
	}
	n := int32(len(k.values))
	k.values = append(k.values, key)
	if i, ok := key.(int64); ok {
		k.ints[i] = n
		return n
	}
	if k.others == nil {
		k.others = map[any]int32{}
	}
	k.others[mapKey(key)] = n
	return n
}

func (k *keyNumbers) find(key any) (int32, bool) {
	if i, ok := key.(int64); ok {
		n, ok := k.ints[i]
		return n, ok
	}
	n, ok := k.others[mapKey(key)]
	return n, ok
}

// isInteger reports whether the field's memory is an integer that is stored as it is.
func (f *FieldInfo) isInteger() bool {
	switch f.codec.direct {
	case reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64:
		return f.codec.put != nil
	}
	return false
}

// integer is the value of a field of a row, if it is an integer; zero if it is something else
// or, perhaps, missing.
func (f *FieldInfo) integer(row unsafe.Pointer) int64 {
	if f.codec.put == nil {
		return 0
	}
	p := unsafe.Add(row, f.offset)
	switch f.codec.direct {
	case reflect.Int:
		return int64(*(*int)(p))
	case reflect.Int16:
		return int64(*(*int16)(p))
	case reflect.Int32:
		return int64(*(*int32)(p))
	case reflect.Int64:
		return *(*int64)(p)
	}
	return 0
}
