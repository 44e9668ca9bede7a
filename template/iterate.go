package template

import (
	"iter"
	"reflect"
	"unicode/utf8"
	"unsafe"
)

// iterator is a one-shot sequence made on demand, as filters such as map and
// select give: it has no length and can be read once.
type iterator interface {
	next(x *exec) (value, bool)
}

// cursor steps through anything that can be iterated. It lives on the stack of
// its loop; only lazy sequences need memory of their own.
type cursor struct {
	x     *exec
	mode  uint8
	items *List // read again each step: a template may append while it loops
	i, n  int
	span  *span
	text  string
	typ   *goType
	data  unsafe.Pointer
	it    iterator
}

const (
	cursorItems = iota + 1
	cursorKeys
	cursorSpan
	cursorText
	cursorSlice
	cursorLazy
	cursorEmpty
)

// start begins the iteration of v or fails.
func (c *cursor) start(x *exec, v value) {
	if !c.tryStart(x, v) {
		panic(runtimeError("'%s' object is not iterable", v.typeName()))
	}
}

// begin is start for lazy sequences, which begin when first read.
func (c *cursor) begin(x *exec, v value) {
	if c.mode == 0 {
		c.start(x, v)
	}
}

// tryStart begins the iteration of v if it can be iterated.
func (c *cursor) tryStart(x *exec, v value) bool {
	c.x = x
	switch v.kind {
	case kindList, kindTuple:
		c.mode, c.items = cursorItems, v.list()
	case kindDict:
		c.mode, c.items = cursorKeys, &List{items: v.dict().keys}
		c.n = v.dict().Len()
	case kindRange:
		c.mode, c.span, c.n = cursorSpan, v.span(), v.span().len()
		if x != nil && c.n > x.engine.limits.Range {
			panic(runtimeError("range() of %d elements is too long to go through (limit %d)", c.n, x.engine.limits.Range))
		}
	case kindString, kindSafe:
		c.mode, c.text = cursorText, v.str()
	case kindUndefined:
		v.undefined().iterable()
		c.mode = cursorEmpty
	case kindIterator:
		c.mode, c.it = cursorLazy, v.iterator()
	case kindObject:
		o, ok := v.object().(interface{ iterate() iterator })
		if !ok {
			return false
		}
		c.mode, c.it = cursorLazy, o.iterate()
	case kindGo:
		return c.startGo(x, v)
	default:
		return false
	}
	return true
}

func (c *cursor) startGo(x *exec, v value) bool {
	t := v.typ
	if v.isGoMapping() {
		d := mapDict(v)
		c.mode, c.items, c.n = cursorKeys, &List{items: d.keys}, d.Len()
		return true
	}
	switch t.class {
	case classSlice:
		c.mode, c.typ = cursorSlice, t
		c.data, c.n = t.slice(v)
	case classSeq:
		if x == nil {
			return false
		}
		c.mode, c.it = cursorLazy, pullSeq(x, v)
	case classScalar:
		if t.scalar != nil {
			return c.tryStart(x, v.plain())
		}
		return false
	default:
		if t.collection == nil {
			return false
		}
		return c.tryStart(x, reflectResult(v.callPlain(t.collection.all)[0]))
	}
	return true
}

// next gives the next element.
func (c *cursor) next() (value, bool) {
	switch c.mode {
	case cursorItems:
		if c.i < len(c.items.items) {
			c.i++
			return c.items.items[c.i-1], true
		}
	case cursorKeys:
		if c.i < c.n {
			c.i++
			return c.items.items[c.i-1], true
		}
	case cursorSpan:
		if c.i < c.n {
			c.i++
			return c.span.at(int64(c.i - 1)), true
		}
	case cursorText:
		if c.i < len(c.text) {
			_, n := utf8.DecodeRuneInString(c.text[c.i:])
			c.i += n
			return stringValue(c.text[c.i-n : c.i]), true
		}
	case cursorSlice:
		if c.i < c.n {
			c.i++
			return c.typ.at(c.data, c.i-1), true
		}
	case cursorLazy:
		c.x.step()
		return c.it.next(c.x)
	}
	return value{}, false
}

// length is the number of all elements, if that is known without stepping.
func (c *cursor) length() (int, bool) {
	switch c.mode {
	case cursorItems:
		return len(c.items.items), true
	case cursorText:
		return utf8.RuneCountInString(c.text), true
	case cursorLazy:
		if l, ok := c.it.(interface{ length() int }); ok {
			return l.length(), true
		}
		return 0, false
	}
	return c.n, true
}

// stop releases what an unfinished iteration holds.
func (c *cursor) stop() {
	if s, ok := c.it.(*seqIterator); ok && c.mode == cursorLazy {
		s.close(c.x)
	}
}

// collect gives all elements of v as a new slice.
func collect(x *exec, v value) []value {
	var c cursor
	c.start(x, v)
	n, ok := c.length()
	if !ok {
		n = 0
	}
	x.allowItems(n)
	out := make([]value, 0, n)
	for {
		e, ok := c.next()
		if !ok {
			return out
		}
		out = append(out, e)
		if len(out) > n {
			x.allowItems(len(out))
		}
	}
}

// seqIterator pulls from an iter.Seq of the program.
type seqIterator struct {
	pull func() (value, bool)
	halt func()
	done bool
}

func (s *seqIterator) next(x *exec) (value, bool) {
	v, ok := s.pull()
	if !ok {
		s.forget(x)
	}
	return v, ok
}

func (s *seqIterator) close(x *exec) {
	s.halt()
	s.forget(x)
}

// forget frees what a finished sequence holds; a page may go through one for
// each of its rows.
func (s *seqIterator) forget(x *exec) {
	s.done = true
	n := len(x.open)
	for n > 0 && x.open[n-1].done {
		n--
	}
	clear(x.open[n:])
	x.open = x.open[:n]
}

// pullSeq adapts iter.Seq and iter.Seq2 of any element types. The render
// closes those that its templates left unfinished.
func pullSeq(x *exec, v value) iterator {
	rv := v.goValue()
	if rv.Kind() == reflect.Pointer {
		rv = rv.Elem()
	}
	var seq iter.Seq[value]
	if v.typ.pairs {
		seq = func(yield func(value) bool) {
			for k, e := range rv.Seq2() {
				if !yield(tupleValue(reflectResult(k), reflectResult(e))) {
					return
				}
			}
		}
	} else {
		seq = func(yield func(value) bool) {
			for e := range rv.Seq() {
				if !yield(reflectResult(e)) {
					return
				}
			}
		}
	}
	next, stop := iter.Pull(seq)
	s := &seqIterator{pull: next, halt: stop}
	x.open = append(x.open, s)
	return s
}

// sliceIterator steps through values made beforehand.
type sliceIterator struct {
	items []value
	i     int
}

func (s *sliceIterator) next(*exec) (value, bool) {
	if s.i < len(s.items) {
		s.i++
		return s.items[s.i-1], true
	}
	return value{}, false
}

// iteratorFunc is a lazy sequence made by a function.
type iteratorFunc func(x *exec) (value, bool)

func (f iteratorFunc) next(x *exec) (value, bool) { return f(x) }

// lengthOf is Python's len; ok is false for what has none.
func lengthOf(v value) (n int, ok bool) {
	switch v.kind {
	case kindString, kindSafe:
		return runeCount(v.str()), true
	case kindList, kindTuple:
		return len(v.list().items), true
	case kindDict:
		return v.dict().Len(), true
	case kindRange:
		return v.span().len(), true
	case kindUndefined:
		v.undefined().iterable()
		return 0, true
	case kindObject:
		if l, ok := v.object().(interface{ length() int }); ok {
			return l.length(), true
		}
	case kindGo:
		if v.isGoMapping() {
			return v.goLength(), true
		}
		switch v.typ.class {
		case classSlice:
			_, n := v.typ.slice(v)
			return n, true
		case classScalar:
			if v.typ.scalar != nil {
				return lengthOf(v.plain())
			}
		}
	}
	return 0, false
}
