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
	t := tag{hold: true}
	if err := t.held.add(pairs); err != nil {
		return "", fmt.Errorf("form: %s: %w", f.spec.goName, err)
	}
	return string(f.end(&t)), nil
}

// end writes, after the attributes of the widget, those that every input has, and those
// of the template.
func (f *Field) end(t *tag) []byte {
	t.set("id", f.ID())
	t.set("name", f.name)
	t.flag("required", f.required && !f.hidden && !f.form.unforced)
	t.flag("disabled", f.disabled)
	if !f.hidden {
		if f.spec.autocomplete != "" {
			t.set("autocomplete", f.spec.autocomplete)
		}
		if len(f.faults) > 0 {
			t.set("aria-invalid", "true")
		}
		f.addDescription(t)
		t.flag("autofocus", f.form.firstInvalid() == f.spec)
	}
	return t.end(f.extra)
}

// addDescription names what stands below the input, for assistive technology.
func (f *Field) addDescription(t *tag) {
	switch {
	case f.help != "" && len(f.faults) > 0:
		t.set("aria-describedby", f.ID()+"_help "+f.ID()+"_errors")
	case f.help != "":
		t.set("aria-describedby", f.ID()+"_help")
	case len(f.faults) > 0:
		t.set("aria-describedby", f.ID()+"_errors")
	}
}

// Part returns the attributes, each after a space, of one of several inputs that a
// widget writes for a field: called like the field with "_" and suffix, and further
// pairs as in [Field.Attr]. First tells that it is the one that takes the focus.
func (f *Field) Part(suffix string, first bool, pairs ...any) (string, error) {
	t := tag{hold: true}
	if err := t.held.add(pairs); err != nil {
		return "", fmt.Errorf("form: %s: %w", f.spec.goName, err)
	}
	return string(f.endPart(&t, suffix, first)), nil
}

func (f *Field) endPart(t *tag, suffix string, first bool) []byte {
	t.set("id", f.ID()+"_"+suffix)
	t.set("name", f.name+"_"+suffix)
	t.flag("required", f.required && !f.form.unforced)
	t.flag("disabled", f.disabled)
	if len(f.faults) > 0 {
		t.set("aria-invalid", "true")
	}
	t.flag("autofocus", first && f.form.firstInvalid() == f.spec)
	return t.end(f.extra)
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

// beginInput begins an <input> of a type.
func (f *Field) beginInput(dst []byte, kind string) tag {
	dst = append(dst, `<input type="`...)
	dst = append(dst, kind...)
	return f.begin(append(dst, '"'))
}

// endInput ends an <input> with the field's value.
func (f *Field) endInput(t *tag) []byte {
	return append(f.appendValue(f.end(t)), '>')
}

// appendValue writes the attribute value, if there is a text.
func (f *Field) appendValue(dst []byte) []byte {
	text := strings.Join(f.Values(), ", ")
	if text == "" {
		return dst
	}
	dst = append(dst, ` value="`...)
	dst = appendText(dst, text)
	return append(dst, '"')
}

// line writes an input for text with the limits that the field has.
func (f *Field) line(dst []byte, kind, placeholder string) []byte {
	t := f.beginInput(dst, kind)
	f.addLimits(&t, placeholder)
	return f.endInput(&t)
}

// addLimits adds the attributes by which a browser keeps text within bounds.
func (f *Field) addLimits(t *tag, placeholder string) {
	s := f.spec
	if s.least > 0 {
		t.number("minlength", s.least)
	}
	if s.most > 0 {
		t.number("maxlength", s.most)
	}
	if len(s.patterns) > 0 && f.oneLine() {
		last := s.patterns[len(s.patterns)-1]
		t.set("pattern", last.text)
		t.set("title", f.sentence(f.form.message(validate.Fault(last.rule, nil))))
	}
	if placeholder != "" {
		t.set("placeholder", f.form.translate(placeholder))
	}
}

// pattern is a rule as the attribute of that name has it.
type pattern struct{ rule, text string }

// browserPatterns are the rules of a text that a browser can check.
func (s *spec) browserPatterns() (all []pattern) {
	if s.codec == nil || s.codec.kind != textKind {
		return nil
	}
	for _, rule := range s.rules {
		if text := browserPattern(rule); text != "" {
			all = append(all, pattern{rule.Name, text})
		}
	}
	return all
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
	if s.codec == nil || s.codec.kind != textKind || s.shape != single {
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
	t := f.beginInput(dst, "password")
	f.addLimits(&t, "")
	return append(f.end(&t), '>')
}

// Render appends the input.
func (w Textarea) Render(dst []byte, f *Field) []byte {
	rows := w.Rows
	if rows <= 0 {
		rows = 6
	}
	t := f.begin(append(dst, "<textarea"...))
	f.addLimits(&t, w.Placeholder)
	t.number("rows", rows)
	dst = f.end(&t)
	// A browser drops a line end right after the tag.
	dst = append(dst, ">\n"...)
	dst = appendText(dst, f.Value())
	return append(dst, "</textarea>"...)
}

// Render appends the area.
func (w JSON) Render(dst []byte, f *Field) []byte { return Textarea{Rows: w.Rows}.Render(dst, f) }

// Render appends the input.
func (w Number) Render(dst []byte, f *Field) []byte {
	t := f.beginInput(dst, "number")
	f.addBounds(&t, w.Step)
	return f.endInput(&t)
}

// addBounds adds the attributes by which a browser keeps a number within bounds.
func (f *Field) addBounds(t *tag, step string) {
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
		t.set("min", lowest)
	} else if k := f.spec.elem.Kind(); k >= reflect.Uint && k <= reflect.Uint64 {
		t.set("min", "0")
	}
	if highest, ok := f.spec.rules.Get("max"); ok {
		t.set("max", highest)
	}
	if step != "" {
		t.set("step", step)
	}
}

// Render appends the input.
func (Checkbox) Render(dst []byte, f *Field) []byte {
	parse := bind.ParseOf(reflect.TypeFor[bool]())
	checked := slices.ContainsFunc(f.Values(), func(text string) bool {
		v := reflect.New(reflect.TypeFor[bool]()).Elem()
		return parse(v, text, nil) == nil && v.Bool()
	})
	t := f.begin(append(dst, `<input type="checkbox" value="true"`...))
	dst = f.end(&t)
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
	accept := w.Accept
	if u := f.upload; u != nil && accept == "" {
		if accept = strings.Join(slices.Concat(u.Types, u.Extensions), ","); accept == "" && u.Image {
			accept = "image/*"
		}
	}
	if f.stores() {
		dst = f.appendKept(dst)
		if f.in(f.form.initial).Len() > 0 {
			g := *f // what is kept is enough
			g.owned = false
			g.change().required = false
			f = &g
		}
	}
	t := f.beginInput(dst, "file")
	if accept != "" {
		t.set("accept", accept)
	}
	t.flag("multiple", f.Multiple())
	return append(f.end(&t), '>')
}
