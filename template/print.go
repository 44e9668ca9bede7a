package template

import (
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

// maxDataDepth bounds the nesting of data that is printed, compared or
// converted, so that no data can exhaust the stack.
const maxDataDepth = 400

// appendText appends the printed form of v, as Python's str gives it.
func appendText(dst []byte, v value) []byte {
	switch v.kind {
	case kindString, kindSafe:
		return append(dst, v.str()...)
	case kindInt:
		return strconv.AppendInt(dst, v.int(), 10)
	case kindUndefined:
		return append(dst, v.undefined().text()...)
	case kindObject:
		return v.object().appendText(dst)
	case kindGo:
		if s, ok := v.typ.text(v); ok {
			return append(dst, s...)
		}
	}
	return appendRepr(dst, v)
}

// text is the printed form as a string.
func (v value) text() string {
	if v.isString() {
		return v.str()
	}
	return string(appendText(nil, v))
}

// appendRepr appends the form v has inside a printed list, as Python's repr
// gives it.
func appendRepr(dst []byte, v value) []byte {
	p := printer{dst: dst}
	p.repr(v)
	return p.dst
}

// printer writes nested containers and notices those that contain themselves.
type printer struct {
	dst  []byte
	open []unsafe.Pointer
}

func (p *printer) enter(at unsafe.Pointer, again string) bool {
	for _, o := range p.open {
		if o == at {
			p.dst = append(p.dst, again...)
			return false
		}
	}
	if len(p.open) > maxDataDepth {
		panic(recursionError())
	}
	p.open = append(p.open, at)
	return true
}

func (p *printer) leave() { p.open = p.open[:len(p.open)-1] }

func (p *printer) repr(v value) {
	switch v.kind {
	case kindNone:
		p.dst = append(p.dst, "None"...)
	case kindBool:
		if v.bool() {
			p.dst = append(p.dst, "True"...)
		} else {
			p.dst = append(p.dst, "False"...)
		}
	case kindInt:
		p.dst = strconv.AppendInt(p.dst, v.int(), 10)
	case kindFloat:
		p.dst = appendFloat(p.dst, v.float())
	case kindBig:
		p.dst = appendBig(p.dst, v)
	case kindString:
		p.dst = appendQuoted(p.dst, v.str())
	case kindSafe:
		p.dst = append(p.dst, "Markup("...)
		p.dst = appendQuoted(p.dst, v.str())
		p.dst = append(p.dst, ')')
	case kindList:
		if p.enter(v.ptr, "[...]") {
			p.sequence('[', v.list().items, ']')
			p.leave()
		}
	case kindTuple:
		if p.enter(v.ptr, "(...)") {
			items := v.list().items
			p.sequence('(', items, ')')
			if len(items) == 1 {
				p.dst = append(p.dst[:len(p.dst)-1], ",)"...)
			}
			p.leave()
		}
	case kindDict:
		if p.enter(v.ptr, "{...}") {
			d := v.dict()
			p.dst = append(p.dst, '{')
			for i := range d.keys {
				if i > 0 {
					p.dst = append(p.dst, ", "...)
				}
				p.repr(d.keys[i])
				p.dst = append(p.dst, ": "...)
				p.repr(d.vals[i])
			}
			p.dst = append(p.dst, '}')
			p.leave()
		}
	case kindRange:
		s := v.span()
		p.dst = append(p.dst, "range("...)
		p.dst = strconv.AppendInt(p.dst, s.start, 10)
		p.dst = append(p.dst, ", "...)
		p.dst = strconv.AppendInt(p.dst, s.stop, 10)
		if s.step != 1 {
			p.dst = append(p.dst, ", "...)
			p.dst = strconv.AppendInt(p.dst, s.step, 10)
		}
		p.dst = append(p.dst, ')')
	case kindUndefined:
		p.dst = append(p.dst, "Undefined"...)
	case kindIterator:
		p.dst = append(p.dst, "<generator object>"...)
	case kindObject:
		if o, ok := v.object().(interface{ appendRepr(dst []byte) []byte }); ok {
			p.dst = o.appendRepr(p.dst)
			return
		}
		p.dst = v.object().appendText(p.dst)
	case kindGo:
		p.goRepr(v)
	}
}

func (p *printer) sequence(left byte, items []value, right byte) {
	p.dst = append(p.dst, left)
	for i := range items {
		if i > 0 {
			p.dst = append(p.dst, ", "...)
		}
		p.repr(items[i])
	}
	p.dst = append(p.dst, right)
}

// goRepr prints Go data: slices as lists, maps as mappings, what has a text
// form by it, and other structs by their type's name, since dumping a model
// into a page would show what nobody meant to show.
func (p *printer) goRepr(v value) {
	t := v.typ
	if s, ok := t.text(v); ok {
		p.dst = append(p.dst, s...)
		return
	}
	if v.typ.scalar != nil {
		p.repr(v.plain())
		return
	}
	if v.isGoMapping() {
		p.goMapping(v)
		return
	}
	switch t.class {
	case classSlice:
		if len(p.open) > maxDataDepth {
			panic(recursionError())
		}
		p.open = append(p.open, nil)
		data, n := t.slice(v)
		p.dst = append(p.dst, '[')
		for i := range n {
			if i > 0 {
				p.dst = append(p.dst, ", "...)
			}
			p.repr(t.at(data, i))
		}
		p.dst = append(p.dst, ']')
		p.leave()
	default:
		p.dst = append(p.dst, '<')
		p.dst = append(p.dst, t.name()...)
		p.dst = append(p.dst, '>')
	}
}

func (p *printer) goMapping(v value) {
	if p.enter(v.ptr, "{...}") {
		d := mapDict(v)
		p.dst = append(p.dst, '{')
		for i := range d.keys {
			if i > 0 {
				p.dst = append(p.dst, ", "...)
			}
			p.repr(d.keys[i])
			p.dst = append(p.dst, ": "...)
			p.repr(d.vals[i])
		}
		p.dst = append(p.dst, '}')
		p.leave()
	}
}

// appendFloat writes the shortest digits that read back as f, in the layout
// of Python's repr: an exponent from 1e16 on and below 1e-4.
func appendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	case math.IsNaN(f):
		return append(dst, "nan"...)
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	for _, c := range dst[start:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

// appendQuoted writes s as a Python string literal: single quotes, unless it
// contains some and no double ones.
func appendQuoted(dst []byte, s string) []byte {
	quote := byte('\'')
	single, double := false, false
	for i := range len(s) {
		single = single || s[i] == '\''
		double = double || s[i] == '"'
	}
	if single && !double {
		quote = '"'
	}
	dst = append(dst, quote)
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case c == quote || c == '\\':
				dst = append(dst, '\\', c)
			case c == '\n':
				dst = append(dst, '\\', 'n')
			case c == '\r':
				dst = append(dst, '\\', 'r')
			case c == '\t':
				dst = append(dst, '\\', 't')
			case c < ' ' || c == 0x7f:
				dst = appendHex(append(dst, '\\', 'x'), uint32(c), 2)
			default:
				dst = append(dst, c)
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			dst = appendHex(append(dst, '\\', 'x'), uint32(c), 2)
		case unicode.IsPrint(r):
			dst = append(dst, s[i:i+n]...)
		case r <= 0xff:
			dst = appendHex(append(dst, '\\', 'x'), uint32(r), 2)
		case r <= 0xffff:
			dst = appendHex(append(dst, '\\', 'u'), uint32(r), 4)
		default:
			dst = appendHex(append(dst, '\\', 'U'), uint32(r), 8)
		}
		i += n
	}
	return append(dst, quote)
}

func appendHex(dst []byte, n uint32, digits int) []byte {
	const hex = "0123456789abcdef"
	for shift := (digits - 1) * 4; shift >= 0; shift -= 4 {
		dst = append(dst, hex[n>>shift&15])
	}
	return dst
}

// maxIntegerDigits bounds conversions between big integers and text, which
// take more than linear time; Python has the same limit.
const maxIntegerDigits = 4300

func appendBig(dst []byte, v value) []byte {
	n := v.big()
	if n.BitLen() > maxIntegerDigits*10/3 {
		panic(runtimeError("the integer has too many digits to print (limit %d)", maxIntegerDigits))
	}
	return n.Append(dst, 10)
}
