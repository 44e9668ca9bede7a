package form

import (
	"fmt"
	"strconv"
	"strings"
)

// attributes are the attributes of an element, in order.
type attributes []attribute

type attribute struct {
	name  string
	value string
	bare  bool // without a value
	gone  bool // takes one away that is there
}

// set replaces or appends an attribute. Classes are joined.
func (a *attributes) set(name, value string) { a.put(attribute{name: name, value: value}) }

// flag appends an attribute without value, if on.
func (a *attributes) flag(name string, on bool) {
	if on {
		a.put(attribute{name: name, bare: true})
	}
}

func (a *attributes) put(n attribute) {
	for i := range *a {
		if old := &(*a)[i]; old.name == n.name {
			if n.name == "class" && !n.gone && old.value != "" {
				n.value = old.value + " " + n.value
			}
			*old = n
			return
		}
	}
	*a = append(*a, n)
}

// add puts pairs of name and value.
func (a *attributes) add(pairs []any) error {
	if len(pairs)%2 != 0 {
		return fmt.Errorf("attr takes pairs of name and value, and has %d arguments", len(pairs))
	}
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok || !attributeName(name) {
			return fmt.Errorf("%q is not the name of an attribute", fmt.Sprint(pairs[i]))
		}
		name = strings.ToLower(name)
		switch value := pairs[i+1].(type) {
		case nil:
			a.put(attribute{name: name, gone: true})
		case bool:
			a.put(attribute{name: name, bare: value, gone: !value})
		default:
			a.put(attribute{name: name, value: fmt.Sprint(value)})
		}
	}
	return nil
}

// attributeName accepts what HTML, htmx and Alpine use; nothing that could end
// the name or the tag.
func attributeName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte("-_:.@", c) < 0 {
			return false
		}
	}
	return s != ""
}

// append writes the attributes, each after a space.
func (a attributes) append(dst []byte) []byte {
	for i := range a {
		n := &a[i]
		if n.gone {
			continue
		}
		dst = append(dst, ' ')
		dst = append(dst, n.name...)
		if !n.bare {
			dst = append(dst, `="`...)
			dst = appendText(dst, n.value)
			dst = append(dst, '"')
		}
	}
	return dst
}

// tag is an element whose attributes are being written. They go straight to dst, unless
// the program gave the field some more: a later attribute may replace an earlier one, so
// that all are held until the last is known.
type tag struct {
	dst  []byte
	held attributes
	hold bool
}

// begin begins the element of a field; what stands before the attributes is written.
func (f *Field) begin(dst []byte) tag { return tag{dst: dst, hold: len(f.extra) > 0} }

func (t *tag) set(name, value string) {
	if t.hold {
		t.held.set(name, value)
		return
	}
	t.dst = append(t.dst, ' ')
	t.dst = append(t.dst, name...)
	t.dst = append(t.dst, `="`...)
	t.dst = appendText(t.dst, value)
	t.dst = append(t.dst, '"')
}

func (t *tag) number(name string, n int) {
	if t.hold {
		t.held.set(name, strconv.Itoa(n))
		return
	}
	t.dst = append(t.dst, ' ')
	t.dst = append(t.dst, name...)
	t.dst = append(t.dst, `="`...)
	t.dst = strconv.AppendInt(t.dst, int64(n), 10)
	t.dst = append(t.dst, '"')
}

// flag writes an attribute without value, if on.
func (t *tag) flag(name string, on bool) {
	switch {
	case !on:
	case t.hold:
		t.held.flag(name, true)
	default:
		t.dst = append(t.dst, ' ')
		t.dst = append(t.dst, name...)
	}
}

// end writes what is held, with the attributes that the program adds.
func (t *tag) end(extra attributes) []byte {
	if !t.hold {
		return t.dst
	}
	for _, n := range extra {
		t.held.put(n)
	}
	return t.held.append(t.dst)
}

// appendText appends text with the characters replaced that mean something in
// HTML text or a quoted attribute.
func appendText(dst []byte, text string) []byte {
	done := 0
	for i := range len(text) {
		reference := ""
		switch text[i] {
		case '&':
			reference = "&amp;"
		case '<':
			reference = "&lt;"
		case '>':
			reference = "&gt;"
		case '"':
			reference = "&#34;"
		case '\'':
			reference = "&#39;"
		default:
			continue
		}
		dst = append(append(dst, text[done:i]...), reference...)
		done = i + 1
	}
	return append(dst, text[done:]...)
}
