package form

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/orm/schema"
	"github.com/retort-web/retort/validate"
)

// Widget writes the input of a field. It begins with [Field.Attributes], which
// carry what makes the input work: id, name, what is required, what is wrong.
//
// It may have further methods:
//
//	UsesOptions() bool   true: the field's options are loaded, which it lists
//	Group() bool         true: it writes several inputs, which a fieldset with a
//	                     legend holds together; their attributes are [Field.Part]
//	Collect(sent url.Values, name string) []string
//	                     makes the field's text of what its inputs sent; nil if
//	                     they sent nothing
//	Media() Media        the style sheets and scripts that it needs
type Widget interface {
	// Render appends the HTML of the input. Values of its own it escapes, with
	// html.EscapeString.
	Render(dst []byte, f *Field) []byte
}

// Text is a line of text.
type Text struct{ Placeholder string }

// Email is a line for an e-mail address.
type Email struct{ Placeholder string }

// URL is a line for a web address.
type URL struct{ Placeholder string }

// Search is a line for what is looked for.
type Search struct{ Placeholder string }

// Tel is a line for a telephone number.
type Tel struct{ Placeholder string }

// Password is a line whose text is not shown, nor sent back with an error.
type Password struct{}

// Textarea is an area for text of several lines.
type Textarea struct {
	Rows        int // default: 6
	Placeholder string
}

// Number is an input for a number.
type Number struct {
	// Step is the distance between values. Default: 1 for whole numbers, any
	// for others.
	Step string
}

// Checkbox is a box for a bool.
type Checkbox struct{}

// JSON is an area for JSON; a field of any type that package encoding/json reads and
// writes can have it.
type JSON struct {
	Rows int // default: 6
}

// Hidden is an input that is not seen. What is in it can be changed by whoever
// sends the form, like everything else.
type Hidden struct{}

// File is an input for uploads.
type File struct {
	// Accept are the types a browser offers: "image/*,.pdf". The server does
	// not rely on it.
	Accept string
}

// widgetNamed finds the widget of a struct tag.
func widgetNamed(name string) Widget {
	for _, w := range tagWidgets {
		if w.name == name {
			return w.widget
		}
	}
	return nil
}

func widgetNames() string {
	names := make([]string, len(tagWidgets))
	for i, w := range tagWidgets {
		names[i] = w.name
	}
	return strings.Join(names, ", ")
}

var tagWidgets = []struct {
	name   string
	widget Widget
}{
	{"checkbox", Checkbox{}},
	{"checkboxes", CheckboxList{}},
	{"color", Color{}},
	{"date", Date{}},
	{"datetime", DateTime{}},
	{"email", Email{}},
	{"file", File{}},
	{"hidden", Hidden{}},
	{"json", JSON{}},
	{"key", Key{}},
	{"month", Month{}},
	{"number", Number{}},
	{"password", Password{}},
	{"radio", Radio{}},
	{"range", Range{}},
	{"search", Search{}},
	{"select", Select{}},
	{"select-date", SelectDate{}},
	{"split", SplitDateTime{}},
	{"tel", Tel{}},
	{"text", Text{}},
	{"textarea", Textarea{}},
	{"time", Time{}},
	{"url", URL{}},
	{"week", Week{}},
}

// textWidget is the widget for a text by its rules and size.
func (s *spec) textWidget() Widget {
	for _, rule := range s.rules {
		switch rule.Name {
		case "email":
			return Email{}
		case "url":
			return URL{}
		}
	}
	if s.long {
		return Textarea{}
	}
	return Text{}
}

func (s *spec) timeWidget() Widget {
	if s.info != nil {
		switch s.info.Kind {
		case schema.Date:
			return Date{}
		case schema.Time:
			return Time{}
		}
	}
	return DateTime{}
}

// Attributes returns the attributes of the input as HTML, each after a space,
// further ones given as in [Field.Attr] included; those of the template win.
func (f *Field) Attributes(pairs ...any) (string, error) {
	var more attributes
	if err := more.add(pairs); err != nil {
		return "", fmt.Errorf("form: %s: %w", f.spec.goName, err)
	}
	return string(f.appendAttributes(nil, more...)), nil
}

// appendAttributes writes the attributes that every input has, then those of the
// widget, then those of the template.
func (f *Field) appendAttributes(dst []byte, own ...attribute) []byte {
	a := make(attributes, 0, 12)
	a = append(a, own...)
	a.set("id", f.ID())
	a.set("name", f.name)
	a.flag("required", f.required && !f.hidden && !f.form.unforced)
	f.addState(&a)
	for _, n := range f.extra {
		a.put(n)
	}
	return a.append(dst)
}

// addState adds what assistive technology and the keyboard need to know.
func (f *Field) addState(a *attributes) {
	a.flag("disabled", f.disabled)
	if f.hidden {
		return
	}
	if f.spec.autocomplete != "" {
		a.set("autocomplete", f.spec.autocomplete)
	}
	if len(f.faults) > 0 {
		a.set("aria-invalid", "true")
	}
	switch {
	case f.help != "" && len(f.faults) > 0:
		a.set("aria-describedby", f.ID()+"_help "+f.ID()+"_errors")
	case f.help != "":
		a.set("aria-describedby", f.ID()+"_help")
	case len(f.faults) > 0:
		a.set("aria-describedby", f.ID()+"_errors")
	}
	a.flag("autofocus", f.form.firstInvalid() == f.spec)
}

// Part returns the attributes, each after a space, of one of several inputs that a
// widget writes for a field: called like the field with "_" and suffix, and further
// pairs as in [Field.Attr]. First tells that it is the one that takes the focus.
func (f *Field) Part(suffix string, first bool, pairs ...any) (string, error) {
	var more attributes
	if err := more.add(pairs); err != nil {
		return "", fmt.Errorf("form: %s: %w", f.spec.goName, err)
	}
	return string(f.appendPart(nil, suffix, first, more...)), nil
}

func (f *Field) appendPart(dst []byte, suffix string, first bool, own ...attribute) []byte {
	a := append(make(attributes, 0, 12), own...)
	a.set("id", f.ID()+"_"+suffix)
	a.set("name", f.name+"_"+suffix)
	a.flag("required", f.required && !f.form.unforced)
	a.flag("disabled", f.disabled)
	if len(f.faults) > 0 {
		a.set("aria-invalid", "true")
	}
	a.flag("autofocus", first && f.form.firstInvalid() == f.spec)
	for _, n := range f.extra {
		a.put(n)
	}
	return a.append(dst)
}

// firstInvalid is where the cursor goes when a form is shown again.
func (f *core) firstInvalid() *spec {
	if m := f.member; m != nil && (m.index != m.set.firstWrong || m.set.parent != nil && !m.set.parent.isRight()) {
		return nil
	}
	for _, field := range f.fields {
		if len(field.faults) > 0 && !field.hidden && !field.disabled {
			return field.spec
		}
	}
	return nil
}

// input writes an <input> with the field's value.
func (f *Field) input(dst []byte, kind string, own ...attribute) []byte {
	dst = append(dst, `<input type="`...)
	dst = append(dst, kind...)
	dst = append(dst, '"')
	dst = f.appendAttributes(dst, own...)
	if text := strings.Join(f.Values(), ", "); text != "" {
		dst = append(dst, ` value="`...)
		dst = appendText(dst, text)
		dst = append(dst, '"')
	}
	return append(dst, '>')
}

// line writes an input for text with the limits that the field has.
func (f *Field) line(dst []byte, kind, placeholder string) []byte {
	return f.input(dst, kind, f.limits(placeholder)...)
}

// limits are the attributes by which a browser keeps text within bounds.
func (f *Field) limits(placeholder string) attributes {
	var a attributes
	if f.spec.shape == single {
		least, most := f.spec.lengths()
		if least > 0 {
			a.set("minlength", strconv.Itoa(least))
		}
		if most > 0 {
			a.set("maxlength", strconv.Itoa(most))
		}
	}
	if f.spec.codec.kind == textKind && f.oneLine() {
		for _, rule := range f.spec.rules {
			if pattern := browserPattern(rule); pattern != "" {
				a.set("pattern", pattern)
				a.set("title", f.sentence(f.form.message(validate.Fault(rule.Name, nil))))
			}
		}
	}
	if placeholder != "" {
		a.set("placeholder", f.form.translate(placeholder))
	}
	return a
}

// browserPattern is a rule as the attribute pattern has it: a regular expression
// of JavaScript for the whole text. One that might mean something else there is
// left to the server.
func browserPattern(rule validate.Rule) string {
	if rule.Name == "slug" {
		return `[A-Za-z0-9_\-]+`
	}
	inner, begins := strings.CutPrefix(rule.Param, "^")
	inner, ends := strings.CutSuffix(inner, "$")
	if rule.Name != "pattern" || !begins || !ends || strings.HasSuffix(inner, `\`) {
		return ""
	}
	for _, special := range []string{"|", "(?", "[[:", "^", "$", `\A`, `\z`, `\Q`, `\p`, `\P`, `\x`, `\a`, `\C`} {
		if strings.Contains(inner, special) {
			return ""
		}
	}
	return inner
}

// lengths are the bounds of a text's length, 0 for none.
func (s *spec) lengths() (least, most int) {
	if s.codec.kind != textKind {
		return 0, 0
	}
	most = s.size
	number := func(name string) int {
		param, _ := s.rules.Get(name)
		n, _ := strconv.Atoi(param)
		return n
	}
	least = number("min")
	if n := number("max"); n > 0 && (most == 0 || n < most) {
		most = n
	}
	if n := number("len"); n > 0 {
		least, most = n, n
	}
	return least, most
}

// Render appends the input.
func (w Text) Render(dst []byte, f *Field) []byte { return f.line(dst, "text", w.Placeholder) }

// Render appends the input.
func (w Email) Render(dst []byte, f *Field) []byte { return f.line(dst, "email", w.Placeholder) }

// Render appends the input.
func (w URL) Render(dst []byte, f *Field) []byte { return f.line(dst, "url", w.Placeholder) }

// Render appends the input.
func (w Search) Render(dst []byte, f *Field) []byte { return f.line(dst, "search", w.Placeholder) }

// Render appends the input.
func (w Tel) Render(dst []byte, f *Field) []byte { return f.line(dst, "tel", w.Placeholder) }

// Render appends the input.
func (w Password) Render(dst []byte, f *Field) []byte {
	dst = append(dst, `<input type="password"`...)
	dst = f.appendAttributes(dst, f.limits("")...)
	return append(dst, '>')
}

// Render appends the input.
func (w Textarea) Render(dst []byte, f *Field) []byte {
	rows := w.Rows
	if rows <= 0 {
		rows = 6
	}
	a := f.limits(w.Placeholder)
	a.set("rows", strconv.Itoa(rows))
	dst = append(dst, "<textarea"...)
	dst = f.appendAttributes(dst, a...)
	// A browser drops a line end right after the tag.
	dst = append(dst, ">\n"...)
	dst = appendText(dst, f.Value())
	return append(dst, "</textarea>"...)
}

// Render appends the area.
func (w JSON) Render(dst []byte, f *Field) []byte { return Textarea{Rows: w.Rows}.Render(dst, f) }

// Render appends the input.
func (w Number) Render(dst []byte, f *Field) []byte {
	return f.input(dst, "number", f.numberLimits(w.Step)...)
}

// numberLimits are the attributes by which a browser keeps a number within bounds.
func (f *Field) numberLimits(step string) attributes {
	var a attributes
	if rule, ok := f.spec.rules.Get("multiple_of"); ok && step == "" {
		step = rule
	}
	switch {
	case step != "":
	case f.spec.decimal() && f.spec.info != nil && f.spec.info.Scale > 0:
		step = "0." + strings.Repeat("0", f.spec.info.Scale-1) + "1"
	case f.spec.codec.kind == floatKind, f.spec.decimal() && f.spec.info == nil:
		step = "any"
	}
	if lowest, ok := f.spec.rules.Get("min"); ok {
		a.set("min", lowest)
	} else if k := f.spec.elem.Kind(); k >= reflect.Uint && k <= reflect.Uint64 {
		a.set("min", "0")
	}
	if highest, ok := f.spec.rules.Get("max"); ok {
		a.set("max", highest)
	}
	if step != "" {
		a.set("step", step)
	}
	return a
}

// Render appends the input.
func (Checkbox) Render(dst []byte, f *Field) []byte {
	parse := bind.ParseOf(reflect.TypeFor[bool]())
	checked := slices.ContainsFunc(f.Values(), func(text string) bool {
		v := reflect.New(reflect.TypeFor[bool]()).Elem()
		return parse(v, text, nil) == nil && v.Bool()
	})
	dst = append(dst, `<input type="checkbox" value="true"`...)
	dst = f.appendAttributes(dst)
	if checked {
		dst = append(dst, " checked"...)
	}
	return append(dst, '>')
}

// Render appends the inputs, one for each value.
func (Hidden) Render(dst []byte, f *Field) []byte {
	values := f.Values()
	if len(values) == 0 {
		values = []string{""}
	}
	for i, value := range values {
		dst = append(dst, `<input type="hidden" name="`...)
		dst = append(dst, f.name...)
		if i == 0 {
			dst = append(dst, `" id="`...)
			dst = append(dst, f.ID()...)
		}
		dst = append(dst, `" value="`...)
		dst = appendText(dst, value)
		dst = append(dst, `">`...)
	}
	return dst
}

// Render appends the input.
func (w File) Render(dst []byte, f *Field) []byte {
	var a attributes
	accept := w.Accept
	if u := f.upload; u != nil && accept == "" {
		if accept = strings.Join(slices.Concat(u.Types, u.Extensions), ","); accept == "" && u.Image {
			accept = "image/*"
		}
	}
	if accept != "" {
		a.set("accept", accept)
	}
	a.flag("multiple", f.Multiple())
	if f.stores() {
		dst = f.appendKept(dst)
		if f.in(f.form.initial).Len() > 0 {
			g := *f // what is kept is enough
			g.required = false
			f = &g
		}
	}
	dst = append(dst, `<input type="file"`...)
	dst = f.appendAttributes(dst, a...)
	return append(dst, '>')
}
