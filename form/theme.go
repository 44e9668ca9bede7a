package form

import (
	"fmt"

	"github.com/retort-web/retort/template"
)

// Theme is the look of forms: templates in place of the HTML that this package writes,
// and a few of its details. Each template may print what it stands for, {{ form }},
// {{ field }} or {{ field.input }}, and gets the HTML of this package then.
type Theme struct {
	// Form is the template of a whole form, which it sees as form.
	Form string
	// Field is the template of a field with label, help and errors, which it sees as
	// field, with form beside it.
	Field string
	// Widgets are the templates of inputs by the kind of widget, such as "text" or
	// "checkboxlist"; see [Field.Kind]. They see field, whose attributes are
	// {{ field.attributes }}.
	Widgets map[string]string
	// LabelSuffix goes behind each label: ":".
	LabelSuffix string
	// RequiredClass and InvalidClass are further classes of fields that must be filled
	// in, and of those with errors.
	RequiredClass, InvalidClass string

	plain bool // it says nothing; found out by New
}

// Template is a widget whose input is written by a template; see [Theme] for what it sees.
// Data is there as data.
type Template struct {
	Name string
	Data any
	// Options makes the form load the choices of the field.
	Options bool
}

// UsesOptions makes the form load the options.
func (w Template) UsesOptions() bool { return w.Options }

// Render appends what the template makes.
func (w Template) Render(dst []byte, f *Field) []byte {
	return f.appendTemplate(dst, w.Name, map[string]any{"field": f, "form": f.form.view, "data": w.Data})
}

// appendTemplate writes what a template of the program makes. A mistake in it ends the
// render of the page it stands in, as one in the page itself would.
func (f *Field) appendTemplate(dst []byte, name string, data map[string]any) []byte {
	text, err := f.form.c.Rendered(name, data)
	if err != nil {
		panic(fmt.Errorf("form: %w", err))
	}
	return append(dst, text...)
}

// look is the theme of the form.
func (f *core) look() *Theme {
	if f.theme == nil {
		return &noTheme
	}
	return f.theme
}

var noTheme Theme

// appendInput writes the input, by a template if there is one, and the initial value.
func (f *Field) appendInput(dst []byte) []byte {
	if f.inWidget {
		return f.widget.Render(dst, f)
	}
	if name := f.form.look().Widgets[f.Kind()]; name != "" {
		inner := *f
		inner.inWidget = true
		dst = f.appendTemplate(dst, name, map[string]any{"field": &inner, "form": f.form.view})
	} else {
		dst = f.widget.Render(dst, f)
	}
	return f.appendInitial(dst)
}

// byTemplate writes the field by its template, if it has one.
func (f *Field) byTemplate(dst []byte) ([]byte, bool) {
	name := f.template
	if name == "" {
		name = f.form.look().Field
	}
	if name == "" || f.inField {
		return dst, false
	}
	inner := *f
	inner.inField = true
	return f.appendTemplate(dst, name, map[string]any{"field": &inner, "form": f.form.view}), true
}

// byTemplate writes the whole form by its template, if it has one.
func (f *core) byTemplate(dst []byte) ([]byte, bool) {
	name := f.template
	if name == "" {
		name = f.look().Form
	}
	if name == "" || f.inForm {
		return dst, false
	}
	f.inForm = true
	defer func() { f.inForm = false }()
	return (&Field{form: f}).appendTemplate(dst, name, map[string]any{"form": f.view}), true
}

// with is the function attrs of templates: the field with more attributes, given by name.
// An underscore in a name is a hyphen: field.attrs(class="wide", data_unit="km").
func (f *Field) with(c *template.Call) (any, error) {
	var pairs []any
	for i := range c.NumArgs() {
		pairs = append(pairs, c.Arg(i))
	}
	for _, name := range c.Keywords() {
		value, _ := c.Keyword(name)
		pairs = append(pairs, hyphens(name), value)
	}
	return f.Attr(pairs...)
}

func hyphens(name string) string {
	b := []byte(name)
	for i := range b {
		if b[i] == '_' {
			b[i] = '-'
		}
	}
	return string(b)
}
