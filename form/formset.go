package form

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// FormsetOptions describe a formset. What names fields is, as in [Options], a pointer
// to a field of the struct that the options function was given.
type FormsetOptions struct {
	// Form are the options of each form in the set. Its Prefix and Query do not count.
	Form Options
	// Prefix goes before the names of all inputs. Default: the model's plural,
	// "comments"; of other structs their name with an "s".
	Prefix string
	// Extra is how many empty forms are shown to add rows.
	Extra int
	// Min and Max bound how many rows there are when all is saved. Min empty forms are
	// shown at least, and must be filled in. Default of Max: 1000. A request with more
	// than 1000 forms over Max is refused unread.
	Min, Max int
	// CanDelete gives each form a checkbox that deletes its row.
	CanDelete bool
	// CanOrder gives each form a number for its place; see OrderBy.
	CanOrder bool
	// OrderBy is the whole number that keeps the place, counted from 1. It implies
	// CanOrder.
	OrderBy any
	// NoAdd allows changes of rows and no new ones.
	NoAdd bool
	// Unique are sets of fields that no two forms may have alike. What the model
	// declares unique is added.
	Unique [][]any
	// Parent is, for [InlineFor], the foreign key to the parent's model. Default: the
	// only one there is.
	Parent any
	// Clean sees all rows when each of them is right; see [CleanAll].
	Clean SetCleaning
	// Limit and Offset show a part of the rows only, where there are many.
	Limit, Offset int
}

// SetCleaning is a check of all rows of a formset; see [CleanAll].
type SetCleaning struct {
	typ reflect.Type
	run func(ctx context.Context, rows []unsafe.Pointer) error
}

// CleanAll makes the check of all rows of a formset together, in their order, without
// those to be deleted. A *validate.FieldError or validate.Errors is shown above the forms;
// any other error means that the check could not be made.
func CleanAll[T any](fn func(ctx context.Context, rows []*T) error) SetCleaning {
	return SetCleaning{
		typ: reflect.TypeFor[T](),
		run: func(ctx context.Context, rows []unsafe.Pointer) error { return fn(ctx, rowsOf[*T](rows)) },
	}
}

// setCore is a formset without its type.
type setCore struct {
	c       *retort.Ctx
	plan    *plan
	options FormsetOptions
	prefix  string
	rows    []unsafe.Pointer // given by the program
	query   *orm.AnySet      // the rows that may be changed
	parent  *core
	key     *spec  // the foreign key to parent
	one     string // what a row is called

	canDelete, canOrder bool

	parts      []*core
	written    []unsafe.Pointer // rows that were inserted or changed
	empty      *core
	existing   int
	firstWrong int // the form that takes the focus; -1 for none
	bound      bool
	built      bool
	checked    bool
	ready      bool
	done       bool
	others     validate.Errors
	err        error
}

// member is what a form is within its formset.
type member struct {
	set       *setCore
	index     int    // -1 for the one that scripts copy
	key       string // of the row, as sent
	deleted   bool
	untouched bool // an empty form that was left empty
	order     int
	orderText string
}

// maxForms is the default of FormsetOptions.Max, and how many forms over Max a request
// may send before it is refused.
const maxForms = 1000

// formsetFor makes a formset.
func formsetFor(c *retort.Ctx, t reflect.Type, options func(v unsafe.Pointer) FormsetOptions) *setCore {
	s := &setCore{c: c, plan: planOf(t)}
	if s.err = s.plan.err; s.err == nil {
		s.options = options(s.plan.names)
		s.err = s.apply()
	}
	if s.err != nil {
		s.err = fmt.Errorf("form: FormsetFor[%s]: %w", t, s.err)
	}
	return s
}

func (s *setCore) apply() error {
	o := &s.options
	if s.one = words(snake(s.plan.typ.Name())); s.plan.info != nil {
		s.one = words(s.plan.info.VerboseName)
	}
	if s.prefix = o.Prefix; s.prefix == "" {
		s.prefix = snake(s.plan.typ.Name()) + "s"
		if s.plan.info != nil {
			s.prefix = strings.ReplaceAll(s.plan.info.VerboseNamePlural, " ", "_")
		}
	}
	if !validName(s.prefix) {
		return fmt.Errorf("the prefix %q is not made of letters, digits, _ and -; set FormsetOptions.Prefix", s.prefix)
	}
	if o.Max <= 0 {
		o.Max = maxForms
	}
	if o.Min > o.Max {
		return fmt.Errorf("Min is %d and Max %d", o.Min, o.Max)
	}
	if o.Clean.run != nil && o.Clean.typ != s.plan.typ {
		return fmt.Errorf("Clean is for %s", o.Clean.typ)
	}
	s.canDelete, s.canOrder = o.CanDelete, o.CanOrder || o.OrderBy != nil
	if o.OrderBy != nil {
		spec, err := s.plan.find(o.OrderBy)
		if err != nil {
			return err
		}
		if spec.codec == nil || spec.codec.kind != intKind || spec.shape != single || spec.typ.Kind() == reflect.Pointer {
			return fmt.Errorf("OrderBy is %s, which is no whole number", spec.goName)
		}
	}
	for _, set := range o.Unique {
		for _, ptr := range set {
			if _, err := s.plan.find(ptr); err != nil {
				return err
			}
		}
	}
	return s.form(0).err
}

// form makes the form at an index; -1 is the one that scripts copy.
func (s *setCore) form(index int) *core {
	o := s.options.Form
	o.Query = false
	if o.Prefix = fmt.Sprintf("%s-%d", s.prefix, index); index < 0 {
		o.Prefix = s.prefix + "-__prefix__"
	}
	f := newForm(s.c, s.plan, o)
	f.member = &member{set: s, index: index}
	f.unforced = true
	return f
}

// from is From of the formset.
func (s *setCore) from(query orm.AnySet) {
	switch {
	case s.err != nil:
	case s.built:
		s.err = fmt.Errorf("form: From of the formset of %s is called too late: it comes right after FormsetFor", s.plan.typ)
	case s.plan.info == nil:
		s.err = fmt.Errorf("form: %s is not a model; use Rows in place of From", s.plan.typ)
	default:
		s.query = &query
	}
}

// begin is Rows of the formset.
func (s *setCore) begin(rows []unsafe.Pointer) {
	if s.err == nil && s.built {
		s.err = fmt.Errorf("form: Rows of the formset of %s is called too late: it comes right after FormsetFor", s.plan.typ)
	}
	s.rows = append(s.rows, rows...)
}

// below makes the formset one of the rows of a parent.
func (s *setCore) below(parent *core) {
	if s.err != nil {
		return
	}
	if s.err = parent.err; s.err != nil {
		return
	}
	key, err := s.parentKey(parent)
	if err != nil {
		s.err = fmt.Errorf("form: InlineFor[%s]: %w", s.plan.typ, err)
		return
	}
	s.parent, s.key = parent, key
}

// adopt makes a row one of the parent's, if there is one.
func (s *setCore) adopt(row *core) {
	if s.parent == nil {
		return
	}
	// Set of ForeignKey[P, K] takes a *P, which no interface can say. It takes over
	// the key when a new parent has got one.
	for _, v := range []reflect.Value{row.initial, row.value} {
		v.FieldByIndex(s.key.index).Addr().MethodByName("Set").Call([]reflect.Value{s.parent.value.Addr()})
	}
}

// narrow narrows the query to the rows of the parent, if there is one. It reports whether
// there can be any rows.
func (s *setCore) narrow() (bool, error) {
	if s.parent == nil {
		return s.query != nil, nil
	}
	if s.parent.isNew {
		return false, nil
	}
	id, err := s.key.info.Relation.Key().Get(s.parent.value.Addr().Interface())
	if err != nil {
		return false, err
	}
	query := s.plan.info.Query()
	if s.query != nil {
		query = *s.query
	}
	query = query.Where(orm.Lookup(s.key.info.Snake, id))
	s.query = &query
	return true, nil
}

// parentKey finds the foreign key to the parent's model.
func (s *setCore) parentKey(parent *core) (*spec, error) {
	if s.plan.info == nil || parent.plan.info == nil {
		return nil, fmt.Errorf("%s and %s must both be models; use FormsetFor for other structs", s.plan.typ, parent.plan.typ)
	}
	leads := func(spec *spec) bool {
		return spec.shape == toOne && spec.info.Relation.Target() == parent.plan.info
	}
	if s.options.Parent != nil {
		spec, err := s.plan.find(s.options.Parent)
		if err == nil && !leads(spec) {
			err = fmt.Errorf("Parent is %s, which is no foreign key to %s", spec.goName, parent.plan.typ)
		}
		return spec, err
	}
	var found []*spec
	for _, spec := range s.plan.specs {
		if leads(spec) {
			found = append(found, spec)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%s has %d foreign keys to %s; name the one that is meant in FormsetOptions.Parent", s.plan.typ, len(found), parent.plan.typ)
	}
	for _, field := range s.form(0).fields {
		if field.spec == found[0] {
			return nil, fmt.Errorf("%s is set by the formset and cannot be in its forms", field.spec.goName)
		}
	}
	return found[0], nil
}
