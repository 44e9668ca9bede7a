package form

import (
	"context"
	"fmt"
	"reflect"
	"time"
)

// Options describe a form. The keys of its maps, and what Fields lists, are
// pointers to fields of the struct that the options function was given.
type Options struct {
	// Fields are the form's fields, in order. A model's form must list them.
	// Default: for other structs all fields.
	Fields []any
	// Widgets replace the widgets that the fields' types ask for.
	Widgets Widgets
	// Attrs are further attributes of inputs, as in [Field.Attr].
	Attrs Attrs
	// Labels and Help replace the texts of the model or the tags.
	Labels Texts
	Help   Texts
	// From says where the choices of a field come from. Default: the choices of
	// the type; the rows of the related model, in the order that its Meta says
	// or else of their names.
	From Sources
	// Uploads are the rules for files; see [Upload].
	Uploads Uploads
	// Required and Disabled list fields. What is disabled is shown, and
	// ignores input.
	Required []any
	Disabled []any
	// HiddenInitial lists fields whose value, as the page shows it, goes along in a
	// hidden input. Whether the field is changed is decided by that, not by what the
	// value is when the form comes back: what the visitor has left alone stays as
	// somebody else has changed it meanwhile. Not for passwords and files.
	HiddenInitial []any
	// Check has a further check for single fields; see [Check].
	Check Checks
	// Clean sees the whole value when all fields are right; see [Clean].
	Clean Cleaning
	// Prefix keeps several forms on one page apart: it goes before the names of
	// the inputs, with a hyphen. The form is then submitted only if the request
	// has such names.
	Prefix string
	// IDPrefix goes before the names to make the ids of the inputs. Default: "id_".
	IDPrefix string
	// Sections put the fields into fieldsets and rows.
	Sections []Section
	// Theme replaces that of the app, see [New]. Template is the template of this form,
	// and Templates are those of single fields.
	Theme     *Theme
	Template  string
	Templates Texts
	// NoValidate keeps browsers from checking: the attributes of <form> have novalidate.
	// The server checks in any case.
	NoValidate bool
	// Query reads the form from the query of the address, as a form with method
	// "get" sends it: a search. It is submitted if one of its fields is there.
	Query bool
	// MaxOptions is how many rows of a related model are listed; of larger
	// tables the form asks for the key. Default: 200.
	MaxOptions int
	// Location is the time zone of times in the form. Default: UTC.
	Location *time.Location
}

// Fields lists fields.
func Fields(fields ...any) []any { return fields }

// Widgets are widgets by field: form.Widgets{&p.Body: form.Textarea{Rows: 12}}.
type Widgets map[any]Widget

// Attrs are attributes by field, in pairs of name and value:
//
//	form.Attrs{&l.Email: {"autocomplete", "email", "spellcheck", "false"}}
type Attrs map[any][]any

// Texts are texts by field: form.Texts{&p.Title: "Headline"}.
type Texts map[any]string

// Sources are sources of choices by field:
//
//	form.Sources{
//		&p.Author: form.Rows(Users.Where(orm.Eq(&u.Active, true))),
//		&p.Color:  form.Choices{{Value: "red", Label: "Red"}},
//	}
type Sources map[any]Source

// Checks are checks by field, each made by [Check].
type Checks map[any]FieldCheck

// FieldCheck is a check of one field; see [Check].
type FieldCheck struct {
	typ reflect.Type
	run func(ctx context.Context, v reflect.Value) error
}

// Check makes a check of a field of type V. The function gets the value after all
// other checks found it right, and returns it or another one in its place. An
// error from validate.NewError, or another *validate.FieldError, is shown beside
// the field; any other error means that the check could not be made. For a
// many-to-many relation to T it gets the rows, a []*T.
//
//	form.Checks{&p.Slug: form.Check(func(ctx context.Context, slug string) (string, error) {
//		if slug == "new" {
//			return slug, validate.NewError("", "reserved", "is reserved")
//		}
//		return strings.ToLower(slug), nil
//	})}
func Check[V any](fn func(ctx context.Context, value V) (V, error)) FieldCheck {
	return FieldCheck{
		typ: reflect.TypeFor[V](),
		run: func(ctx context.Context, v reflect.Value) error {
			cleaned, err := fn(ctx, v.Interface().(V))
			if err == nil {
				v.Set(reflect.ValueOf(&cleaned).Elem())
			}
			return err
		},
	}
}

// Cleaning is a check of the whole value; see [Clean].
type Cleaning struct {
	typ reflect.Type
	run func(ctx context.Context, v any) error
}

// Clean makes the check of a form's whole value. The function runs when all
// fields, and the struct's own Validate method, found nothing wrong. It may change
// the value. A *validate.FieldError or validate.Errors is shown beside the fields
// it names, or without a name at the top; any other error means that the check
// could not be made.
func Clean[T any](fn func(ctx context.Context, v *T) error) Cleaning {
	return Cleaning{
		typ: reflect.TypeFor[T](),
		run: func(ctx context.Context, v any) error { return fn(ctx, v.(*T)) },
	}
}

// apply makes the form's fields as the options describe them.
func (f *core) apply(o Options) error {
	f.prefix, f.location, f.maxOptions, f.query = o.Prefix, o.Location, o.MaxOptions, o.Query
	f.common()
	f.template, f.lenient, f.idPrefix = o.Template, o.NoValidate, o.IDPrefix
	if o.Theme != nil {
		f.theme = o.Theme
	}
	if f.idPrefix == "" {
		f.idPrefix = idPrefix
	} else if !validName(f.idPrefix) {
		return fmt.Errorf("the IDPrefix %q is not made of letters, digits, _ and -", f.idPrefix)
	}
	if f.location == nil {
		f.location = time.UTC
	}
	if f.maxOptions <= 0 {
		f.maxOptions = 200
	}
	if f.prefix != "" && !validName(f.prefix) {
		return fmt.Errorf("the prefix %q is not made of letters, digits, _ and -", f.prefix)
	}
	specs, err := f.listed(o)
	if err != nil {
		return err
	}
	all := make([]Field, len(specs)+1) // the last is that of the view
	f.fields = make([]*Field, len(specs), len(specs)+1)
	for i, s := range specs {
		if s.err != nil {
			return s.err
		}
		field := &all[i]
		field.form, field.spec, field.traits, field.name = f, s, &s.traits, s.name
		if f.prefix != "" {
			field.name = f.prefix + "-" + s.name
		}
		f.fields[i] = field
	}
	f.tail = &all[len(specs)]
	f.tail.form = f
	if err := f.override(o); err != nil {
		return err
	}
	if err := f.applyUploads(o.Uploads); err != nil {
		return err
	}
	if err := f.applySections(o.Sections); err != nil {
		return err
	}
	if o.Clean.run != nil {
		if o.Clean.typ != f.plan.typ {
			return fmt.Errorf("Clean is for %s", o.Clean.typ)
		}
		f.clean = o.Clean.run
	}
	for _, field := range f.fields {
		if field.owned {
			field.traits.settle(field)
		}
		switch {
		case field.isFile():
			field.files = &uploaded{}
		case field.spec.shape == toOne, field.spec.shape == toMany:
			field.many = &related{}
		}
	}
	return nil
}

func (f *core) listed(o Options) ([]*spec, error) {
	if len(o.Fields) == 0 {
		if f.plan.info != nil {
			return nil, fmt.Errorf("a model's form needs Options.Fields: only what is listed there can be set by a request")
		}
		return f.plan.specs, nil
	}
	specs := make([]*spec, len(o.Fields))
	for i, ptr := range o.Fields {
		s, err := f.plan.find(ptr)
		if err != nil {
			return nil, err
		}
		for _, other := range specs[:i] {
			if other == s {
				return nil, fmt.Errorf("Fields lists %s twice", s.goName)
			}
		}
		specs[i] = s
	}
	return specs, nil
}

// override applies what the options say of single fields.
func (f *core) override(o Options) error {
	for ptr, w := range o.Widgets {
		field, err := f.named(ptr)
		if err != nil {
			return err
		}
		own := field.change()
		own.widget, own.chosen = w, w != nil
	}
	for ptr, pairs := range o.Attrs {
		field, err := f.named(ptr)
		if err != nil {
			return err
		}
		if err := field.change().extra.add(pairs); err != nil {
			return err
		}
	}
	for ptr, text := range o.Labels {
		field, err := f.named(ptr)
		if err != nil {
			return err
		}
		field.change().label = text
	}
	for ptr, text := range o.Help {
		field, err := f.named(ptr)
		if err != nil {
			return err
		}
		field.change().help = text
	}
	for ptr, name := range o.Templates {
		field, err := f.named(ptr)
		if err != nil {
			return err
		}
		field.change().template = name
	}
	for ptr, source := range o.From {
		field, err := f.named(ptr)
		if err != nil {
			return err
		}
		if err := source.suits(field.spec); err != nil {
			return err
		}
		field.change().source = source
	}
	for _, ptr := range o.Required {
		field, err := f.named(ptr)
		if err != nil {
			return err
		}
		field.change().required = true
	}
	for _, ptr := range o.Disabled {
		field, err := f.named(ptr)
		if err != nil {
			return err
		}
		field.change().disabled = true
	}
	if err := f.applyInitial(o.HiddenInitial); err != nil {
		return err
	}
	for ptr, check := range o.Check {
		field, err := f.named(ptr)
		if err != nil {
			return err
		}
		if want := field.spec.checkType(); check.typ != want {
			return fmt.Errorf("the Check of %s is for %s, and should be for %s", field.spec.goName, check.typ, want)
		}
		field.change().check = check.run
	}
	return nil
}

// named finds the form's field that a pointer names.
func (f *core) named(ptr any) (*Field, error) {
	s, err := f.plan.find(ptr)
	if err != nil {
		return nil, err
	}
	for _, field := range f.fields {
		if field.spec == s {
			return field, nil
		}
	}
	return nil, fmt.Errorf("the options speak of %s, which Fields does not list", s.goName)
}

// checkType is the type that a Check of the field must be for.
func (s *spec) checkType() reflect.Type {
	if s.shape == toMany {
		return s.rowsType()
	}
	return s.typ
}

// validName reports whether s can stand in names and ids of HTML as it is.
func validName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != ""
}
