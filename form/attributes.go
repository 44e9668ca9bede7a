package form

import (
	"fmt"
	"html"
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

// appendText appends text with the characters replaced that mean something in
// HTML text or a quoted attribute.
func appendText(dst []byte, text string) []byte { return append(dst, html.EscapeString(text)...) }
