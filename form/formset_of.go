package form

import (
	"context"
	"reflect"
	"unsafe"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/template"
	"github.com/retort-web/retort/validate"
)

// Formset is several forms of one struct in one page, for a request: the rows that
// there are, and empty ones to add. Make it with [FormsetFor], or with [InlineFor] for
// rows that belong to the row of another form. Its methods are those of [FormsetOf].
type Formset[T any] = FormsetOf[*T]

// FormsetOf is what a [Formset] is, as [FormOf] is what a [Form] is.
type FormsetOf[P any] struct {
	_    [0]P
	core setCore
}

// formsetOf is the core as a formset of a type, in the same memory.
func formsetOf[P any](s *setCore) *FormsetOf[P] { return (*FormsetOf[P])(unsafe.Pointer(s)) }

// FormsetFor makes a formset for a request.
//
//	s := form.FormsetFor(c, func(l *Line) form.FormsetOptions {
//		return form.FormsetOptions{Form: form.Options{Fields: form.Fields(&l.Text, &l.Price)}, Extra: 2, CanDelete: true}
//	}).From(Lines.Where(orm.Eq(&l.Open, true)))
//	if saved, err := s.Save(c); err != nil { … }
//
// Without [FormsetOf.From] or [FormsetOf.Rows] it only adds rows. Which rows a request can
// change is decided by the query alone, never by what it sends.
func FormsetFor[T any](c *retort.Ctx, options func(v *T) FormsetOptions) *Formset[T] {
	return formsetOf[*T](formsetFor(c, reflect.TypeFor[T](), describe([]func(v *T) FormsetOptions{options})))
}

// InlineFor makes a formset of the rows that belong to the row of another form: the
// lines of an order, the choices of a question. Save both with [SaveAll].
//
//	f := form.For(c, orderForm).Instance(order)
//	lines := form.InlineFor(c, f, func(l *Line) form.FormsetOptions {
//		return form.FormsetOptions{Form: form.Options{Fields: form.Fields(&l.Text, &l.Price)}, Extra: 1, CanDelete: true}
//	})
//	if saved, err := form.SaveAll(c, f, lines); err != nil { … }
//
// A request can neither change rows of another parent nor give a row another parent.
func InlineFor[T, P any](c *retort.Ctx, parent *Form[P], options func(v *T) FormsetOptions) *Formset[T] {
	s := FormsetFor(c, options)
	s.core.below(&parent.core)
	return s
}

// From gives a formset of a model the rows that it shows and may change, in their
// order. It is called right after FormsetFor, and returns the formset. The formset of
// [InlineFor] has the parent's rows of the query; without From, all of them.
func (s *FormsetOf[P]) From(query *orm.Query[P]) *FormsetOf[P] {
	s.core.from(query.Any())
	return s
}

// Rows gives a formset the values to begin with. Of a model they are new rows, to be
// saved if they are changed or not; rows that are saved come by [FormsetOf.From].
func (s *FormsetOf[P]) Rows(rows ...P) *FormsetOf[P] {
	s.core.begin(*(*[]unsafe.Pointer)(unsafe.Pointer(&rows)))
	return s
}

// Forms are the forms of the set, in the order of the page.
func (s *FormsetOf[P]) Forms() []*FormOf[P] {
	s.core.build()
	return *(*[]*FormOf[P])(unsafe.Pointer(&s.core.parts))
}

// Submitted reports whether the request sent the formset.
func (s *FormsetOf[P]) Submitted() bool {
	s.core.build()
	return s.core.bound
}

// Err returns why the formset cannot be used, as [FormOf.Err] does.
func (s *FormsetOf[P]) Err() error {
	s.core.build()
	return s.core.mistake()
}

// Valid reports whether the formset was submitted and nothing is wrong with it. An
// empty form that was left empty is right, and skipped, unless Min asks for it; a form
// marked for deletion is not looked at.
func (s *FormsetOf[P]) Valid() bool { return s.core.valid() }

// Status is the status of the page that shows the formset, as [FormOf.Status].
func (s *FormsetOf[P]) Status() int { return s.core.status() }

// Errors returns what is wrong with the input: of the forms in their order, by the names
// of the inputs ("lines-0-price", or "lines-0" for a form as a whole), and last what
// concerns all of them.
func (s *FormsetOf[P]) Errors() validate.Errors { return s.core.faults() }

// AddError adds an error above the forms; those of one form are added by its own
// method, see [FormsetOf.Forms].
func (s *FormsetOf[P]) AddError(code, message string) { s.core.addError(code, message) }

// Values are the rows as they are to be, in their order, without those to be deleted.
func (s *FormsetOf[P]) Values() []P {
	s.core.build()
	return rowsOf[P](s.core.values())
}

// Saved are the rows that Save inserted or changed.
func (s *FormsetOf[P]) Saved() []P { return rowsOf[P](s.core.written) }

// Deleted are the rows that are to be deleted, and after Save have been.
func (s *FormsetOf[P]) Deleted() []P {
	s.core.build()
	return rowsOf[P](s.core.deleted())
}

// Save checks the formset if it was submitted, and writes its rows in one transaction:
// those marked are deleted, changed ones updated, new ones inserted. It reports whether
// that happened, as [FormOf.Save] does. Together with other forms use [SaveAll].
func (s *FormsetOf[P]) Save(ctx context.Context) (saved bool, err error) {
	return saveAll(ctx, []writer{&s.core})
}

// Render returns the HTML of the formset without <form> and buttons, for a page that is
// not made by a template. A template prints the formset itself.
func (s *FormsetOf[P]) Render() (template.Safe, error) { return s.core.render() }

// TemplateValue gives templates the formset with all that rendering it needs.
func (s *FormsetOf[P]) TemplateValue() (any, error) { return s.core.templateValue() }

func (s *FormsetOf[P]) writer() writer { return &s.core }
