package form

import (
	"context"
	"reflect"
	"unsafe"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/template"
	"github.com/retort-web/retort/validate"
)

// Form is a form of the struct T for one request. Make it with [For]. Its methods are
// those of [FormOf], and are for the goroutine that serves the request.
type Form[T any] = FormOf[*T]

// FormOf is what a [Form] is: that of a struct Signup is a FormOf[*Signup], and no other P
// is of use. Because all pointers are alike to the compiler, the methods below are compiled
// once, and not for each struct.
//
// They have no code of their own to speak of: what they do is done by the core, which knows
// the struct by its plan.
type FormOf[P any] struct {
	_    [0]P
	core core
}

// formOf is the core as a form of a type, in the same memory.
func formOf[P any](f *core) *FormOf[P] { return (*FormOf[P])(unsafe.Pointer(f)) }

// rowOf reads an address as the struct there.
func rowOf[P any](row unsafe.Pointer) P { return *(*P)(unsafe.Pointer(&row)) }

// rowsOf reads a list of addresses as one of structs: the memory is the same.
func rowsOf[P any](rows []unsafe.Pointer) []P { return *(*[]P)(unsafe.Pointer(&rows)) }

// base is the address of a struct.
func base[P any](row P) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&row)) }

// describe is the options function of a struct without its type; nil if there is none.
func describe[T, O any](options []func(v *T) O) func(v unsafe.Pointer) O {
	if len(options) == 0 {
		return nil
	}
	return func(v unsafe.Pointer) O { return options[0]((*T)(v)) }
}

// For makes the form of a struct for a request. Options come from a function that
// gets the struct whose fields' addresses are their names; for a model it is the
// one that Fields of the model returns. The function is called for each form, so
// that it may use what it finds in the request. A struct that is no model may do
// without.
//
// A body of JSON is an object with members called like the inputs: text must be text,
// numbers numbers, lists lists; null is an empty input. A form with a prefix is the member
// of that name. Everything else is as for an HTML form.
//
// A mistake in the options, and a request whose form cannot be read, is kept and
// returned by [FormOf.Err] and [FormOf.Save]; rendering the form fails with it.
func For[T any](c *retort.Ctx, options ...func(v *T) Options) *Form[T] {
	return formOf[*T](formFor(c, reflect.TypeFor[T](), describe(options), len(options)))
}

// Instance gives the form the value it shows and changes: a row to edit, or one
// that is not saved with values to begin with. The row itself changes only when
// [FormOf.Save] has written it. It is called before the form is asked anything, and
// returns the form.
func (f *FormOf[P]) Instance(row P) *FormOf[P] {
	f.core.setInstance(base(row))
	return f
}

// Submitted reports whether the request sent the form.
func (f *FormOf[P]) Submitted() bool { return f.core.bound }

// Valid reports whether the form was submitted and nothing is wrong with it. The
// first call does the checking.
func (f *FormOf[P]) Valid() bool { return f.core.valid() }

// Value returns the value as the form changed it: to be used when [FormOf.Valid]
// says so. Relations to many are only in it after [FormOf.Save].
func (f *FormOf[P]) Value() P { return rowOf[P](f.core.row()) }

// Status is the status of the page that shows the form: 422 if something is wrong
// with what was sent, else 200.
func (f *FormOf[P]) Status() int { return f.core.status() }

// Err returns why the form cannot be used: a mistake in its options, a request
// that cannot be read, a database that does not answer.
func (f *FormOf[P]) Err() error { return f.core.err }

// Errors returns what is wrong with the input, in the order of the fields and
// last what concerns the whole, by the names of the inputs.
func (f *FormOf[P]) Errors() validate.Errors { return f.core.faults() }

// AddError adds an error, to a field or with a nil pointer to the whole form:
//
//	f.AddError(&f.Value().Email, "taken", "is taken already")
//
// The field is named as in the options, or by its address in [FormOf.Value]. The
// message has no subject, or is a sentence with a capital letter; an empty one is
// that of the code.
func (f *FormOf[P]) AddError(ptr any, code, message string) { f.core.addError(ptr, code, message) }

// HasError reports whether a field, or with a nil pointer the whole form, was found wrong
// with a code. An empty code asks for any.
func (f *FormOf[P]) HasError(ptr any, code string) bool { return f.core.hasError(ptr, code) }

// Field returns a field of the form, named as in the options or by its address in
// [FormOf.Value], or nil.
func (f *FormOf[P]) Field(ptr any) *Field {
	field, _ := f.core.field(ptr)
	return field
}

// Changed lists the names of the fields whose submitted value is not the one they
// had.
func (f *FormOf[P]) Changed() []string { return f.core.changes() }

// Render returns the HTML of the form without <form> and buttons, for a page that
// is not made by a template. A template prints the form itself.
func (f *FormOf[P]) Render() (template.Safe, error) { return f.core.render() }

// TemplateValue gives templates the form with all that rendering it needs. It is
// how an error ends the render in place of half a form.
func (f *FormOf[P]) TemplateValue() (any, error) { return f.core.TemplateValue() }

// Save checks the form if it was submitted, and writes its value: a new row is
// inserted, the row given to [FormOf.Instance] updated. It reports whether that
// happened; if not, and without an error, the form is to be shown, for the first
// time or again with what is wrong.
//
//	if saved, err := f.Save(c); err != nil {
//		return err
//	} else if saved {
//		return c.Redirect("/posts")
//	}
//
// An update writes the form's fields and those that [Options.Clean] changed, and
// no others. The row and its relations to many are written in one transaction.
// What the database refuses because a value must be unique, a row referred to is
// gone, or a check fails becomes an error of the form. A row that is gone itself
// is orm.ErrNotFound.
func (f *FormOf[P]) Save(ctx context.Context) (saved bool, err error) {
	return saveAll(ctx, []writer{&f.core})
}

func (f *FormOf[P]) writer() writer { return &f.core }
