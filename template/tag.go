package template

import (
	"fmt"
	"reflect"
	"strings"
)

// Tag is a tag of the program's own, made by [SimpleTag], [BlockTag] or
// [InclusionTag] and registered in [Options.Tags]. Its arguments are values
// with spaces or commas between them, then keyword arguments:
//
//	{% badge post.status size=2 %}
//	{% badge post.status, size=2 as html %}
//
// With "as" the result becomes a variable instead of being printed. A longer
// expression as an argument stands in parentheses. What a tag gives is
// escaped like anything printed, unless it is [Safe].
type Tag struct {
	kind     tagKind
	fn       any
	template string
}

type tagKind uint8

const (
	tagNone tagKind = iota
	tagSimple
	tagBlock
	tagInclusion
)

// SimpleTag is a tag that prints what a function gives. The function is as for
// filters, without the filtered value.
func SimpleTag(fn any) Tag { return Tag{kind: tagSimple, fn: fn} }

// BlockTag is a tag with a body, up to the tag "end" + name. The function's
// first parameter is the body: [Safe] for the rendered text, or
// func() (Safe, error) to render it when, and as often as, it is called.
func BlockTag(fn any) Tag { return Tag{kind: tagBlock, fn: fn} }

// InclusionTag is a tag that renders a template with the data that a function
// gives: a map, a *Dict or a struct. That template sees this data and the
// globals, not the variables around the tag.
func InclusionTag(name string, fn any) Tag {
	return Tag{kind: tagInclusion, fn: fn, template: name}
}

// tagDef is a registered tag.
type tagDef struct {
	block bool
	fn    value // what is called
}

// newTag checks a tag and gives its definition.
func newTag(name string, t Tag) (*tagDef, error) {
	if t.kind == tagNone {
		return nil, fmt.Errorf("template: the tag %q must be made by SimpleTag, BlockTag or InclusionTag", name)
	}
	if isTagName(name) {
		return nil, fmt.Errorf("template: the tag %q has the name of a tag of the language", name)
	}
	fn, err := functionOf("tag", name, t.fn)
	if err != nil {
		return nil, err
	}
	switch t.kind {
	case tagBlock:
		if rt := fn.fn; rt.IsValid() && !takesBody(rt.Type()) {
			return nil, fmt.Errorf("template: the first parameter of the block tag %q must be the body, a template.Safe or func() (template.Safe, error), not %s", name, rt.Type())
		}
		return &tagDef{block: true, fn: objectValue(&blockTag{fn})}, nil
	case tagInclusion:
		return &tagDef{fn: objectValue(&inclusionTag{fn, t.template})}, nil
	}
	return &tagDef{fn: objectValue(fn)}, nil
}

func takesBody(rt reflect.Type) bool {
	s, err := signatureOf(rt)
	if err != nil || s.fixed == 0 {
		return false
	}
	first := rt.In(s.first)
	return first.Kind() == reflect.String || first == reflect.TypeFor[func() (Safe, error)]() || first.Kind() == reflect.Interface
}

// blockTag calls a function with the body of a block tag.
type blockTag struct{ fn *goFunction }

func (b *blockTag) typeName() string { return "function" }

func (b *blockTag) appendText(dst []byte) []byte { return b.fn.appendText(dst) }

func (b *blockTag) call(x *exec, a *callArgs) value {
	caller, kw := takeCaller(a.kw)
	f := x.caller
	var body value
	if rt := b.fn.fn; rt.IsValid() && rt.Type().In(firstParameter(rt.Type())) == reflect.TypeFor[func() (Safe, error)]() {
		body = fromAny(func() (out Safe, err error) {
			err = x.attempt(func() {
				x.caller = f
				out = Safe(strings.Clone(callValue(x, caller, &callArgs{}).text()))
			})
			return out, err
		})
	} else {
		body = safeValue(strings.Clone(callValue(x, caller, &callArgs{}).text()))
	}
	x.caller = f
	v := b.fn.call(x, &callArgs{append([]value{body}, a.pos...), kw})
	return printed(f, v)
}

func firstParameter(rt reflect.Type) int {
	s, err := signatureOf(rt)
	if err != nil {
		return 0
	}
	return s.first
}

// takeCaller splits the body of a block tag from the keyword arguments.
func takeCaller(kw []keyword) (caller value, rest []keyword) {
	for _, k := range kw {
		if k.name == "caller" {
			caller = k.v
			continue
		}
		rest = append(rest, k)
	}
	return caller, rest
}

// printed is a value as it is printed where f is: text, safe if autoescape is on.
func printed(f *frame, v value) value {
	if f != nil && f.autoescapeOn() {
		return safeValue(string(appendHTML(nil, v)))
	}
	return stringValue(v.text())
}

// inclusionTag renders a template with what a function gives.
type inclusionTag struct {
	fn       *goFunction
	template string
}

func (t *inclusionTag) typeName() string { return "function" }

func (t *inclusionTag) appendText(dst []byte) []byte { return t.fn.appendText(dst) }

func (t *inclusionTag) call(x *exec, a *callArgs) value {
	data := t.fn.call(x, a)
	tpl := x.template(stringValue(t.template))
	before, start := x.data, x.hold()
	x.data = data
	x.renderMain(tpl, tpl.context(x, nil, true))
	x.data = before
	s := string(x.out[start:])
	x.takeBack(start)
	return safeValue(s)
}
