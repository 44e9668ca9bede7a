package form

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// Form is a form for one request. Make it with [For]. Its methods are for the
// goroutine that serves the request.
type Form[T any] struct {
	core
	value    *T
	instance *T
}

// core is a form without its type.
type core struct {
	c          *retort.Ctx
	plan       *plan
	fields     []*Field
	prefix     string
	location   *time.Location
	locale     Locale
	unforced   bool // the browser is not to insist on required fields
	maxOptions int
	clean      func(ctx context.Context, v any) error

	initial reflect.Value // the struct as it was before input
	value   reflect.Value // and with it
	isNew   bool
	blank   bool // a zero number is not filled in yet
	query   bool // sent by GET
	bound   bool
	cleaned bool
	saved   bool
	others  validate.Errors // about the whole form
	err     error           // why the form cannot be used
	ready   bool            // options are loaded
	view    view

	theme    *Theme
	template string // in place of the theme's
	idPrefix string
	lenient  bool // the browser is not to check
	inForm   bool // the form's template is at work
	sections []section
	rest     []*Field // that no section has

	member *member  // of a form in a formset
	lists  listings // options that the forms of a formset share
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
// returned by [Form.Err] and [Form.Save]; rendering the form fails with it.
func For[T any](c *retort.Ctx, options ...func(v *T) Options) *Form[T] {
	p := planOf[T]()
	var o Options
	if p.err == nil && len(options) > 0 {
		o = options[0]((*T)(p.names))
	}
	f := newForm[T](c, p, o)
	if f.err == nil && len(options) > 1 {
		f.err = fmt.Errorf("one options function is enough")
	}
	if f.err != nil {
		f.err = fmt.Errorf("form: For[%s]: %w", reflect.TypeFor[T](), f.err)
		return f
	}
	f.read()
	return f
}

// newForm makes a form that has not looked at the request yet.
func newForm[T any](c *retort.Ctx, p *plan, o Options) *Form[T] {
	f := &Form[T]{core: core{c: c, plan: p, isNew: true, blank: true}}
	f.use(new(T))
	if f.err = p.err; f.err == nil {
		f.err = f.apply(o)
	}
	if f.err == nil && p.info != nil {
		f.use(p.info.New().(*T))
	}
	return f
}

// use makes a copy of row what the form starts from.
func (f *Form[T]) use(row *T) {
	before := new(T)
	*before = *row
	f.value = new(T)
	*f.value = *row
	f.initial, f.core.value = reflect.ValueOf(before).Elem(), reflect.ValueOf(f.value).Elem()
}

// read takes the request's form.
func (f *core) read() {
	switch f.c.Method() {
	case http.MethodGet, http.MethodHead:
		if !f.query {
			return
		}
		query := sent{data: &bind.FormData{Values: f.c.QueryValues()}}
		for _, field := range f.fields {
			field.read(query)
			f.bound = f.bound || field.present
		}
		return
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		if f.query {
			return
		}
	default:
		return
	}
	var s sent
	if s, f.err = sentBy(f.c); f.err != nil {
		f.bound = true
		return
	}
	f.bound = true
	if f.prefix != "" {
		if s, f.bound = s.below(f.prefix); !f.bound {
			return
		}
	}
	f.take(s)
}

// take gives the fields what was sent.
func (f *core) take(s sent) {
	f.bound = true
	for _, field := range f.fields {
		field.read(s)
	}
}

func hasPrefix(data *bind.FormData, prefix string) bool {
	for name := range data.Values {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	for name := range data.Files {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// Instance gives the form the value it shows and changes: a row to edit, or one
// that is not saved with values to begin with. The row itself changes only when
// [Form.Save] has written it. It is called before the form is asked anything, and
// returns the form.
func (f *Form[T]) Instance(row *T) *Form[T] {
	if f.err != nil {
		return f
	}
	if row == nil || f.cleaned || f.ready {
		f.err = fmt.Errorf("form: Instance of the form of %s is called with nil, or too late: it comes right after For", f.plan.typ)
		return f
	}
	f.instance, f.blank = row, false
	f.use(row)
	if f.plan.info != nil {
		f.isNew, f.err = f.unsaved(f.c, row)
		f.blank = f.isNew
	}
	return f
}

// unsaved reports whether a row is not in the database yet. One that has its key
// from the program, such as a UUID, does not tell by having it.
func (f *core) unsaved(ctx context.Context, row any) (bool, error) {
	pk := f.plan.info.PrimaryKey
	key, err := pk.Get(row)
	if err != nil || reflect.ValueOf(key).IsZero() {
		return true, err
	}
	if pk.AutoIncrement {
		return false, nil
	}
	found, err := f.plan.info.Query().Where(orm.Lookup(pk.Snake, key)).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("form: %s: %w", f.plan.info.Name, err)
	}
	return !found, nil
}

// Submitted reports whether the request sent the form.
func (f *Form[T]) Submitted() bool { return f.bound }

// Valid reports whether the form was submitted and nothing is wrong with it. The
// first call does the checking.
func (f *Form[T]) Valid() bool {
	if !f.bound || f.err != nil {
		return false
	}
	f.validate(f.value)
	return f.err == nil && f.isRight()
}

// Value returns the value as the form changed it: to be used when [Form.Valid]
// says so. Relations to many are only in it after [Form.Save].
func (f *Form[T]) Value() *T { return f.value }

// Status is the status of the page that shows the form: 422 if something is wrong
// with what was sent, else 200.
func (f *Form[T]) Status() int {
	if f.bound && (f.err != nil || !f.isRight()) {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// Err returns why the form cannot be used: a mistake in its options, a request
// that cannot be read, a database that does not answer.
func (f *Form[T]) Err() error { return f.err }

// Errors returns what is wrong with the input, in the order of the fields and
// last what concerns the whole, by the names of the inputs.
func (f *Form[T]) Errors() validate.Errors {
	var all validate.Errors
	for _, field := range f.fields {
		all = append(all, field.faults...)
	}
	return append(all, f.others...)
}

// AddError adds an error, to a field or with a nil pointer to the whole form:
//
//	f.AddError(&f.Value().Email, "taken", "is taken already")
//
// The field is named as in the options, or by its address in [Form.Value]. The
// message has no subject, or is a sentence with a capital letter; an empty one is
// that of the code.
func (f *Form[T]) AddError(ptr any, code, message string) {
	if message == "" {
		message = validate.Message(code, nil)
	}
	fault := validate.FieldError{Code: code, Message: message}
	if ptr == nil {
		f.others = append(f.others, fault)
		return
	}
	field, err := f.field(ptr)
	if err != nil {
		f.err = err
		return
	}
	field.fail(&fault)
}

// HasError reports whether a field, or with a nil pointer the whole form, was found wrong
// with a code. An empty code asks for any.
func (f *Form[T]) HasError(ptr any, code string) bool {
	f.Valid()
	faults := f.others
	if ptr != nil {
		field, err := f.field(ptr)
		if err != nil {
			return false
		}
		faults = field.faults
	}
	return slices.ContainsFunc(faults, func(e validate.FieldError) bool { return code == "" || e.Code == code })
}

// Field returns a field of the form, named as in the options or by its address in
// [Form.Value], or nil.
func (f *Form[T]) Field(ptr any) *Field {
	field, _ := f.field(ptr)
	return field
}

func (f *Form[T]) field(ptr any) (*Field, error) {
	v := reflect.ValueOf(ptr)
	if v.Kind() == reflect.Pointer && f.value != nil {
		for _, field := range f.fields {
			if own := field.in(f.core.value).Addr(); own.Pointer() == v.Pointer() && own.Type() == v.Type() {
				return field, nil
			}
		}
	}
	return f.named(ptr)
}

// Changed lists the names of the fields whose submitted value is not the one they
// had.
func (f *Form[T]) Changed() []string {
	if !f.bound || f.err != nil {
		return nil
	}
	f.validate(f.value)
	return f.changedNames()
}

func (f *core) changedNames() []string {
	var names []string
	for _, field := range f.fields {
		if field.changed {
			names = append(names, field.spec.name)
		}
	}
	return names
}

// isRight reports that no error was found so far.
func (f *core) isRight() bool {
	for _, field := range f.fields {
		if len(field.faults) > 0 {
			return false
		}
	}
	return len(f.others) == 0
}

// multipart reports that the form sends files.
func (f *core) multipart() bool {
	for _, field := range f.fields {
		if field.isFile() {
			return true
		}
	}
	return false
}
