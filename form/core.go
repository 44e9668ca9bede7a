package form

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/template"
	"github.com/retort-web/retort/validate"
)

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

	initial  reflect.Value // the struct as it was before input; the plan's if that is empty
	value    reflect.Value // and with it
	instance reflect.Value // the one that the program gave, if it did
	isNew    bool
	blank    bool // a zero number is not filled in yet
	query    bool // sent by GET
	bound    bool
	cleaned  bool
	saved    bool
	others   validate.Errors // about the whole form
	err      error           // why the form cannot be used
	ready    bool            // options are loaded
	view     view

	theme    *Theme
	template string // in place of the theme's
	idPrefix string
	lenient  bool // the browser is not to check
	inForm   bool // the form's template is at work
	sections []section
	rest     []*Field // that no section has
	tail     *Field   // the one behind those of the view, which leads to the form

	member *member  // of a form in a formset
	lists  listings // options that the forms of a formset share
}

// formFor makes a form and looks at the request; n is how many options functions there are.
func formFor(c *retort.Ctx, t reflect.Type, options func(v unsafe.Pointer) Options, n int) *core {
	p := planOf(t)
	f := newForm(c, p, p.options(options))
	if f.err == nil && n > 1 {
		f.err = fmt.Errorf("one options function is enough")
	}
	if f.err != nil {
		f.err = fmt.Errorf("form: For[%s]: %w", t, f.err)
		return f
	}
	f.read()
	return f
}

// options asks the function of the program; without one, or for a struct that cannot have a
// form, there are none.
func (p *plan) options(ask func(v unsafe.Pointer) Options) Options {
	if ask == nil || p.err != nil {
		return Options{}
	}
	return ask(p.names)
}

// newForm makes a form that has not looked at the request yet.
func newForm(c *retort.Ctx, p *plan, o Options) *core {
	f := &core{c: c, plan: p, isNew: true, blank: true}
	if f.err = p.err; f.err == nil {
		f.err = f.apply(o)
	}
	if f.err == nil && p.info != nil {
		f.use(reflect.ValueOf(p.info.New()).Elem())
	} else {
		f.initial, f.value = p.zero, reflect.New(p.typ).Elem()
	}
	return f
}

// use makes a copy of row what the form starts from.
func (f *core) use(row reflect.Value) {
	f.initial, f.value = reflect.New(f.plan.typ).Elem(), reflect.New(f.plan.typ).Elem()
	f.initial.Set(row)
	f.value.Set(row)
}

// row is the address of the value.
func (f *core) row() unsafe.Pointer { return f.value.Addr().UnsafePointer() }

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

// setInstance makes the struct at an address what the form shows and changes.
func (f *core) setInstance(row unsafe.Pointer) {
	if f.err != nil {
		return
	}
	if row == nil || f.cleaned || f.ready {
		f.err = fmt.Errorf("form: Instance of the form of %s is called with nil, or too late: it comes right after For", f.plan.typ)
		return
	}
	own := reflect.NewAt(f.plan.typ, row)
	f.instance, f.blank = own.Elem(), false
	f.use(f.instance)
	if f.plan.info != nil {
		f.isNew, f.err = f.unsaved(f.c, own.Interface())
		f.blank = f.isNew
	}
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

// valid does the checking at its first call.
func (f *core) valid() bool {
	if !f.bound || f.err != nil {
		return false
	}
	f.validate()
	return f.err == nil && f.isRight()
}

func (f *core) status() int {
	if f.bound && (f.err != nil || !f.isRight()) {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// faults are all failures, those of the fields first.
func (f *core) faults() validate.Errors {
	var all validate.Errors
	for _, field := range f.fields {
		all = append(all, field.faults...)
	}
	return f.spoken(append(all, f.others...))
}

func (f *core) addError(ptr any, code, message string) {
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

func (f *core) hasError(ptr any, code string) bool {
	f.valid()
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

// field finds the field that a pointer names, be it one of the form's value.
func (f *core) field(ptr any) (*Field, error) {
	v := reflect.ValueOf(ptr)
	if v.Kind() == reflect.Pointer && f.value.IsValid() {
		for _, field := range f.fields {
			if own := field.in(f.value).Addr(); own.Pointer() == v.Pointer() && own.Type() == v.Type() {
				return field, nil
			}
		}
	}
	return f.named(ptr)
}

// changes does the checking, too, which finds out what has changed.
func (f *core) changes() []string {
	if !f.bound || f.err != nil {
		return nil
	}
	f.validate()
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

func (f *core) render() (template.Safe, error) {
	if err := f.prepare(f.c); err != nil {
		return "", err
	}
	return template.Safe(f.view.HTML()), nil
}

// TemplateValue is that of the form; a wizard gives the core itself to its page.
func (f *core) TemplateValue() (any, error) {
	if err := f.prepare(f.c); err != nil {
		return nil, err
	}
	return f.view, nil
}
