package validate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Validator is a type with rules that tags cannot say. See the package comment
// for the errors it may return.
type Validator interface {
	Validate() error
}

// ContextValidator is a [Validator] that needs the request's context, for
// instance to ask a database.
type ContextValidator interface {
	Validate(ctx context.Context) error
}

// A TagError is a mistake in a validate tag, found when the struct is first
// used.
type TagError struct {
	Struct string // the Go type, such as "blog.Post"
	Field  string // the Go field
	Tag    string
	Reason error
}

// Error names the field, its tag and what is wrong.
func (e *TagError) Error() string {
	reason := strings.TrimPrefix(e.Reason.Error(), "validate: ")
	return fmt.Sprintf("validate: %s.%s has the tag `validate:%q`: %s", e.Struct, e.Field, e.Tag, reason)
}

// Unwrap returns the reason.
func (e *TagError) Unwrap() error { return e.Reason }

var (
	validatorType        = reflect.TypeFor[Validator]()
	contextValidatorType = reflect.TypeFor[ContextValidator]()
)

// A node is the plan for one value.
type node struct {
	pointers int
	base     reflect.Type // without the pointers
	required bool
	checks   []check
	items    *node // for each item of a list or value of a map
	object   *plan // for the fields of a struct
	method   bool  // the type is a Validator or ContextValidator
}

func (n *node) idle() bool {
	return !n.required && len(n.checks) == 0 && n.items == nil && n.object == nil && !n.method
}

// A plan is the work to be done on the fields of a struct type.
type plan struct {
	fields []fieldPlan
}

type fieldPlan struct {
	*node
	index int
	names [namings]string // empty when the fields belong to the outer struct
}

type compiled struct {
	node *node
	err  error
}

var nodes sync.Map // of reflect.Type to *compiled

// Prepare compiles the plan for values of type t, and returns the mistakes in
// its tags. The plan is kept, so that a program may ask at its start for what
// would otherwise be an error of the first request.
func Prepare(t reflect.Type) error {
	_, err := nodeFor(t)
	return err
}

func nodeFor(t reflect.Type) (*node, error) {
	if known, ok := nodes.Load(t); ok {
		c := known.(*compiled)
		return c.node, c.err
	}
	b := builder{plans: map[reflect.Type]*plan{}}
	n, err := b.node(t, nil, 0)
	known, _ := nodes.LoadOrStore(t, &compiled{n, err})
	c := known.(*compiled)
	return c.node, c.err
}

// builder holds the plans under way, so that a type may contain itself.
type builder struct {
	plans map[reflect.Type]*plan
}

// maxTypeDepth bounds types that contain themselves without a struct between,
// such as type T []T. Values are bounded by maxDepth.
const maxTypeDepth = 16

func (b *builder) node(t reflect.Type, rules Rules, depth int) (*node, error) {
	n := &node{base: t}
	for n.base.Kind() == reflect.Pointer {
		n.base = n.base.Elem()
		if n.pointers++; n.pointers > maxTypeDepth {
			return &node{base: t}, nil
		}
	}
	own, each := rules.split()
	for _, rule := range own {
		if rule.Name == "required" {
			n.required = true
			continue
		}
		c, err := compileRule(rule, n.base)
		if err != nil {
			return nil, err
		}
		n.checks = append(n.checks, c)
	}
	n.method = hasMethod(n.base)
	switch n.base.Kind() {
	case reflect.Struct:
		if n.base == timeType {
			break
		}
		object, err := b.plan(n.base, depth)
		if err != nil {
			return nil, err
		}
		n.object = object
	case reflect.Slice, reflect.Array, reflect.Map:
		if depth >= maxTypeDepth {
			break
		}
		items, err := b.node(n.base.Elem(), each, depth+1)
		if err != nil {
			return nil, err
		}
		if !items.idle() {
			n.items = items
		}
		return n, nil
	}
	if slices.ContainsFunc(rules, func(r Rule) bool { return r.Name == "each" }) {
		return nil, wrongKind(Rule{Name: "each"}, n.base, "lists and maps")
	}
	return n, nil
}

// plan returns nil for a struct without rules.
func (b *builder) plan(t reflect.Type, depth int) (*plan, error) {
	if p, ok := b.plans[t]; ok {
		return p, nil
	}
	p := &plan{}
	b.plans[t] = p
	for field := range t.Fields() {
		if !field.IsExported() && (!field.Anonymous || field.Type.Kind() != reflect.Struct) {
			continue
		}
		tag := field.Tag.Get("validate")
		rules, err := Parse(tag)
		if err != nil {
			return nil, &TagError{t.String(), field.Name, tag, err}
		}
		n, err := b.node(field.Type, rules, depth)
		if err != nil {
			if _, inner := errors.AsType[*TagError](err); inner {
				return nil, err
			}
			return nil, &TagError{t.String(), field.Name, tag, err}
		}
		f := fieldPlan{node: n, index: field.Index[0]}
		for naming := range f.names {
			f.names[naming] = FieldName(field, Naming(naming))
		}
		if field.Anonymous && (hasMethod(t) || !field.IsExported()) {
			// The outer type has the method from this very field, or has
			// replaced it: calling it here too would report everything twice.
			n.method = false
		}
		if tag != "-" && !n.idle() {
			p.fields = append(p.fields, f)
		}
	}
	if len(p.fields) == 0 {
		b.plans[t] = nil
		return nil, nil
	}
	return p, nil
}

func hasMethod(t reflect.Type) bool {
	if t.Kind() == reflect.Interface {
		return false
	}
	p := reflect.PointerTo(t)
	return p.Implements(validatorType) || p.Implements(contextValidatorType)
}
