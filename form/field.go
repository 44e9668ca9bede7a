package form

import (
	"context"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/validate"
)

// Field is one field of a form, as widgets and templates see it.
type Field struct {
	form *core
	spec *spec
	*traits
	name  string
	owned bool // traits are of this field alone

	inField, inWidget bool // its template is at work
	blank             bool // it stands for no value, whatever the form has

	present bool     // the request has the name
	exact   bool     // raw comes from JSON: lists are lists, and numbers plain
	more    bool     // there are more options than are listed
	unnamed bool     // the input shows keys and needs the names beside them
	changed bool     // the value is another than before
	raw     []string // as submitted
	misfit  string   // the type that JSON should have had and has not
	faults  validate.Errors
	options []Option

	files *uploaded // of a field of files
	many  *related  // of a field of rows
	was   *initialSent
}

// traits are what is known of a field before there is a request. They are the plan's, for
// all forms of the struct, unless the options say something of the field.
type traits struct {
	label    string
	help     string
	widget   Widget
	chosen   bool // widget was asked for, and is not that of the type
	required bool
	disabled bool
	hidden   bool
	source   Source
	// hiddenInitial is whether the initial value goes along in a hidden input.
	hiddenInitial bool
	check         func(ctx context.Context, v reflect.Value) error
	template      string     // in place of the theme's
	upload        *Upload    // the rules for files, if there are any
	extra         attributes // further ones of the input
}

// change are the traits of this field alone, to be changed.
func (f *Field) change() *traits {
	if !f.owned {
		f.traits, f.owned = new(*f.traits), true
	}
	return f.traits
}

// settle works out what follows from the rest.
func (t *traits) settle(f *Field) {
	if !t.chosen {
		t.widget = f.defaultWidget()
	}
	_, t.hidden = t.widget.(Hidden)
}

// uploaded is what a request has for a field of files.
type uploaded struct {
	sent    []*bind.File
	cleared bool   // the file that is kept is to go
	kept    string // the name of what was stored by this request
}

// related is what is known of the rows of a relation.
type related struct {
	keys   []string
	rows   reflect.Value // a []*T: what a many-to-many relation is to refer to
	pool   map[any]any   // rows found for a whole formset, by key
	chosen []string      // labels of what is chosen, where options do not tell
}

// Option is one choice of a field.
type Option struct {
	Value    string
	Label    string
	Group    string // the heading that it is listed under, if any
	Selected bool
}

// Name is the name of the input, with the form's prefix.
func (f *Field) Name() string { return f.name }

// ID is the id of the input: "id_", or what Options.IDPrefix says, and the name.
func (f *Field) ID() string {
	if f.name == f.spec.name && f.form.idPrefix == idPrefix {
		return f.spec.id
	}
	return f.form.idPrefix + f.name
}

const idPrefix = "id_"

// Label is the text of the label.
func (f *Field) Label() string { return f.form.translate(f.label) }

// Help is the text below the input.
func (f *Field) Help() string { return f.form.translate(f.help) }

// Required reports whether the field must be filled in.
func (f *Field) Required() bool { return f.required }

// Disabled reports whether the field only shows its value.
func (f *Field) Disabled() bool { return f.disabled }

// Hidden reports whether the field is an input that is not seen.
func (f *Field) Hidden() bool { return f.hidden }

// Multiple reports whether the field takes several values.
func (f *Field) Multiple() bool {
	return f.spec.shape == list || f.spec.shape == toMany || f.spec.shape == files
}

// Changed reports whether the submitted value is not the one the field had.
func (f *Field) Changed() bool { return f.changed }

// Options are the choices of a field that has some: those that a widget with the
// method UsesOptions lists.
func (f *Field) Options() []Option { return f.options }

// TooMany reports that the field has more choices than Options lists.
func (f *Field) TooMany() bool { return f.more }

// Errors are the field's errors as sentences.
func (f *Field) Errors() []string {
	if len(f.faults) == 0 {
		return nil
	}
	list := make([]string, len(f.faults))
	for i := range f.faults {
		list[i] = f.sentence(f.form.message(&f.faults[i]))
	}
	return list
}

// sentence puts the label before a message that has no subject: "is required" is
// "Title is required.". One with a capital letter is a sentence already.
func (f *Field) sentence(message string) string {
	s := f.form.speech()
	if first, _ := utf8.DecodeRuneInString(message); f.label != "" && !unicode.IsUpper(first) {
		message = s.subject(f.Label(), message)
	}
	return s.stop(message)
}

// Value is the text that the input shows: what was typed, or the field's value.
func (f *Field) Value() string {
	if values := f.Values(); len(values) > 0 {
		return values[0]
	}
	return ""
}

// Values are the texts of a field that takes several values. A password has none.
func (f *Field) Values() []string {
	if _, secret := f.widget.(Password); secret || f.blank {
		return nil
	}
	if f.form.bound && !f.disabled && !f.isFile() {
		return presentable(f.raw)
	}
	return f.localForm(f.shown())
}

// shown are the texts for the value that the field had before input.
func (f *Field) shown() []string {
	v := f.in(f.form.initial)
	switch f.spec.shape {
	case toMany:
		return f.many.keys
	case toOne:
		if v.Field(0).IsZero() {
			return nil
		}
		if len(f.targetKey().Parts) > 0 {
			if text, err := f.spec.info.KeyText(v.Interface()); err == nil && text != "" {
				return []string{text}
			}
			return nil
		}
		return []string{f.text(v.Field(0))}
	case list:
		texts := make([]string, v.Len())
		for i := range texts {
			texts[i] = f.text(v.Index(i))
		}
		return texts
	case single:
		if v.Kind() == reflect.Pointer && f.spec.elem != v.Type() {
			if v.IsNil() {
				return nil
			}
			v = v.Elem()
		} else if f.form.blank && v.IsZero() && f.startsBlank() {
			return nil
		}
		if text := f.text(v); text != "" {
			return []string{text}
		}
	}
	return nil
}

// startsBlank reports that the zero of a number or duration is no value in a new
// form, but one that is not filled in yet.
func (f *Field) startsBlank() bool {
	k := f.spec.codec.kind
	return (k == intKind || k == floatKind || f.spec.elem == durationType) && (f.spec.info == nil || !f.spec.info.HasDefault)
}

func (f *Field) text(v reflect.Value) string {
	return f.shorten(f.spec.codec.format(v, f.form.location, f.layout()))
}

// layout is how the widget wants times.
func (f *Field) layout() string {
	switch f.widget.(type) {
	case Date, SelectDate:
		return dateLayout
	case Time:
		return minuteLayout
	case Month:
		return monthLayout
	case Week:
		return weekLayout
	}
	return dateTimeLayout
}

// in is the field in a value of the form's struct.
func (f *Field) in(v reflect.Value) reflect.Value { return v.FieldByIndex(f.spec.index) }

// read takes what the request has for the field.
func (f *Field) read(s sent) {
	if s.object != nil {
		f.readJSON(s)
		return
	}
	data := s.data
	f.readInitial(data)
	if f.isFile() {
		for _, upload := range data.Files[f.name] {
			// A browser sends an input without a file as one without name and
			// content.
			if upload.Filename != "" || upload.Size > 0 {
				f.files.sent = append(f.files.sent, upload)
			}
		}
		f.files.cleared = f.stores() && isOn(first(data.Values[f.name+clearSuffix]))
		f.present = len(f.files.sent) > 0 || f.files.cleared
		return
	}
	if w, ok := f.widget.(interface {
		Collect(sent url.Values, name string) []string
	}); ok {
		if f.raw = w.Collect(data.Values, f.name); f.raw != nil {
			f.present = true
			return
		}
	}
	f.raw, f.present = data.Values[f.name]
}

func (f *Field) isFile() bool {
	return f.spec.shape == file || f.spec.shape == files || f.stores()
}

// normal is a submitted text as the field's type takes it: without the carriage
// returns that browsers put in, and without space around what is not free text.
func (f *Field) normal(text string) string {
	if strings.Contains(text, "\r") {
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	switch f.widget.(type) {
	case Textarea, Password, JSON:
		if f.spec.codec.kind == textKind {
			return text
		}
	}
	return strings.TrimSpace(text)
}

// oneLine reports that the widget has no line ends to offer.
func (f *Field) oneLine() bool {
	switch f.widget.(type) {
	case Textarea, JSON, Hidden:
		return false
	}
	return true
}

func (f *Field) fail(fault *validate.FieldError) {
	e := *fault
	e.Field = f.name
	f.faults = append(f.faults, e)
}

// Attr returns a copy of the field whose input has further attributes, given as
// pairs of name and value. A class is added to those there are, true makes an
// attribute without value, and false or nil takes one away. The values are
// escaped; a name that is no name is an error.
func (f *Field) Attr(pairs ...any) (*Field, error) {
	c := *f
	c.owned = false
	own := c.change()
	own.extra = slices.Clone(f.extra)
	if err := own.extra.add(pairs); err != nil {
		return nil, fmt.Errorf("form: %s: %w", f.spec.goName, err)
	}
	return &c, nil
}

// defaultWidget is the widget that the field's type asks for.
func (f *Field) defaultWidget() Widget {
	s := f.spec
	if f.stores() {
		return File{}
	}
	switch s.shape {
	case file, files:
		return File{}
	case toOne:
		return Select{}
	case toMany:
		return CheckboxList{}
	case list:
		if f.source != nil {
			return CheckboxList{}
		}
		return Text{}
	}
	if f.source != nil {
		return Select{}
	}
	if w := s.momentWidget(); w != nil {
		return w
	}
	if s.decimal() && s.info != nil {
		return Number{}
	}
	switch s.codec.kind {
	case boolKind:
		if s.typ.Kind() == reflect.Pointer {
			return Select{}
		}
		return Checkbox{}
	case intKind, floatKind:
		return Number{}
	case timeKind:
		return s.timeWidget()
	case jsonKind:
		return JSON{}
	case textKind:
		return s.textWidget()
	}
	return Text{}
}
