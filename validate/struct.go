package validate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// maxDepth bounds how deep values are followed, so that data that contains
// itself ends in an error.
const maxDepth = 64

// Options change how [StructWith] works. The zero value is what [Struct] does.
type Options struct {
	// Naming says by whose names fields are called in errors.
	Naming Naming

	// Given reports whether a field, by its name in errors, was in the input.
	// It is asked when a required number or bool is zero. Default: zero counts
	// as missing.
	Given func(field string) bool

	// Known are errors found earlier, for instance while converting the input.
	// They come first in the result; their fields are not checked again, and
	// a type with such a field is not asked by its Validate method.
	Known Errors
}

// Struct checks a struct, or a list or map of structs, through pointers and
// nested values, by the rules of its validate tags and by the Validate methods.
// It returns [Errors] with all that is wrong, a [*TagError] for a mistake in a
// tag, or the error of a Validate method that could not decide. At most 100
// failures are listed.
func Struct(v any) error {
	return StructWith(context.Background(), v, Options{})
}

// StructWith is [Struct] with options, and the context for Validate methods.
func StructWith(ctx context.Context, v any, o Options) error {
	value := reflect.ValueOf(v)
	if !value.IsValid() {
		return errors.New("validate: Struct was called with nil")
	}
	for value.Kind() == reflect.Pointer && !value.IsNil() {
		value = value.Elem()
	}
	switch value.Kind() {
	case reflect.Struct, reflect.Slice, reflect.Array, reflect.Map:
	case reflect.Pointer:
		return fmt.Errorf("validate: Struct was called with a nil %s", value.Type())
	default:
		return fmt.Errorf("validate: Struct was called with %s; it takes a struct, a list or a map", value.Type())
	}
	n, err := nodeFor(value.Type())
	if err != nil {
		return err
	}
	path := paths.Get().(*[8]segment)
	w := walker{ctx: ctx, options: o, path: path[:0]}
	err = w.value(n, value, 0)
	*path = [8]segment{}
	paths.Put(path)
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if len(o.Known) > 0 {
		return append(slices.Clone(o.Known), w.errors...)
	}
	return w.errors.Err()
}

// A Checker checks single values by rules, for those who have no struct.
type Checker struct {
	node *node
}

// For compiles the rules for values of type t. A rule that makes no sense for t
// is an error.
func (r Rules) For(t reflect.Type) (*Checker, error) {
	b := builder{plans: map[reflect.Type]*plan{}}
	n, err := b.node(t, r, 0)
	if err != nil {
		return nil, fmt.Errorf("validate: %w", err)
	}
	return &Checker{n}, nil
}

// Check returns what is wrong with value, which must have the type the rules
// were compiled for, under the name field.
func (c *Checker) Check(ctx context.Context, field string, value any) error {
	v := reflect.ValueOf(value)
	want := c.node.base
	for range c.node.pointers {
		want = reflect.PointerTo(want)
	}
	if !v.IsValid() || v.Type() != want {
		return fmt.Errorf("validate: %s was to be checked as %s, and is %T", field, want, value)
	}
	w := walker{ctx: ctx}
	w.push(field)
	if err := w.value(c.node, v, 0); err != nil && !errors.Is(err, errEnough) {
		return err
	}
	return w.errors.Err()
}

// errEnough ends a walk that has found maxErrors failures.
var errEnough = errors.New("validate: too many errors")

type walker struct {
	ctx     context.Context
	options Options
	path    []segment
	errors  Errors
}

// paths keeps room for paths that are not deeper than most.
var paths = sync.Pool{New: func() any { return new([8]segment) }}

// A segment is one step from the outermost value to the one at hand. The path is
// only written out for errors.
type segment struct {
	name  string // empty for an item of a list
	index int
}

func (w *walker) push(name string) {
	if name != "" {
		w.path = append(w.path, segment{name: name})
	}
}

// field writes the path as [Options.Naming] has it.
func (w *walker) field() string {
	var b []byte
	for _, s := range w.path {
		switch {
		case s.name == "" && w.options.Naming != NamingForm:
			b = append(b, '[')
			b = strconv.AppendInt(b, int64(s.index), 10)
			b = append(b, ']')
			continue
		case len(b) > 0 && s.name != "" && s.name[0] == '[':
			// A name that a Validate method of a list gave begins with an index.
		case len(b) > 0:
			b = append(b, '.')
		}
		if s.name != "" {
			b = append(b, s.name...)
		} else {
			b = strconv.AppendInt(b, int64(s.index), 10)
		}
	}
	return string(b)
}

func (w *walker) value(n *node, v reflect.Value, depth int) error {
	for range n.pointers {
		if v.IsNil() {
			if n.required {
				return w.fail(Fault("required", nil))
			}
			return nil
		}
		v = v.Elem()
	}
	if n.required && w.missing(n, v) {
		return w.fail(Fault("required", nil))
	}
	if v.Kind() == reflect.String && v.Len() == 0 {
		return nil
	}
	before := len(w.errors)
	for _, c := range n.checks {
		if failure := c(v); failure != nil {
			if err := w.fail(failure); err != nil {
				return err
			}
		}
	}
	if n.object != nil || n.items != nil && v.Len() > 0 {
		if depth >= maxDepth {
			return w.fail(Fault("too_deep", nil))
		}
		if err := w.inside(n, v, depth+1); err != nil {
			return err
		}
	}
	if n.method && len(w.errors) == before && !w.knownBelow() {
		return w.ask(v)
	}
	return nil
}

func (w *walker) missing(n *node, v reflect.Value) bool {
	switch kind := v.Kind(); kind {
	case reflect.String:
		return strings.TrimSpace(v.String()) == ""
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	default:
		if n.pointers > 0 || !v.IsZero() {
			return false
		}
		scalar := kind == reflect.Bool || isInt(kind) || isUint(kind) || isFloat(kind)
		return !scalar || w.options.Given == nil || !w.options.Given(w.field())
	}
}

// inside checks the fields or items of v.
func (w *walker) inside(n *node, v reflect.Value, depth int) error {
	size := len(w.path)
	if n.object != nil {
		for i := range n.object.fields {
			f := &n.object.fields[i]
			w.push(f.names[w.options.Naming])
			err := w.value(f.node, v.Field(f.index), depth)
			w.path = w.path[:size]
			if err != nil {
				return err
			}
		}
		return nil
	}
	if v.Kind() == reflect.Map {
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(keyText(a), keyText(b)) })
		for _, key := range keys {
			w.push(shortKey(keyText(key)))
			err := w.value(n.items, v.MapIndex(key), depth)
			w.path = w.path[:size]
			if err != nil {
				return err
			}
		}
		return nil
	}
	for i := range v.Len() {
		w.path = append(w.path, segment{index: i})
		err := w.value(n.items, v.Index(i), depth)
		w.path = w.path[:size]
		if err != nil {
			return err
		}
	}
	return nil
}

func keyText(key reflect.Value) string {
	if key.Kind() == reflect.String {
		return key.String()
	}
	return fmt.Sprint(key.Interface())
}

// maxKeyInPath bounds what the keys of maps, which clients choose, add to the
// name of each error.
const maxKeyInPath = 64

func shortKey(key string) string {
	if len(key) > maxKeyInPath {
		return strings.ToValidUTF8(key[:maxKeyInPath], "") + "…"
	}
	return key
}

// ask calls the Validate method of v. Errors about fields get the path of v in
// front.
func (w *walker) ask(v reflect.Value) error {
	if !v.CanAddr() {
		copied := reflect.New(v.Type()).Elem()
		copied.Set(v)
		v = copied
	}
	var err error
	switch validator := v.Addr().Interface().(type) {
	case Validator:
		err = validator.Validate()
	case ContextValidator:
		err = validator.Validate(w.ctx)
	}
	if err == nil {
		return nil
	}
	if single, ok := errors.AsType[*FieldError](err); ok {
		return w.adopt(single)
	}
	if several, ok := errors.AsType[Errors](err); ok {
		for i := range several {
			if err := w.adopt(&several[i]); err != nil {
				return err
			}
		}
		return nil
	}
	return err
}

func (w *walker) adopt(e *FieldError) error {
	if e == nil {
		return nil
	}
	size := len(w.path)
	failure := *e
	w.push(e.Field)
	err := w.fail(&failure)
	w.path = w.path[:size]
	return err
}

// fail notes a failure of the value at hand.
func (w *walker) fail(failure *FieldError) error {
	field := w.field()
	for i := range w.options.Known {
		if within(field, w.options.Known[i].Field) {
			return nil
		}
	}
	failure.Field = field
	w.errors = append(w.errors, *failure)
	if len(w.errors)+len(w.options.Known) >= maxErrors {
		return errEnough
	}
	return nil
}

// knownBelow reports whether something in the value at hand was found wrong
// before.
func (w *walker) knownBelow() bool {
	if len(w.options.Known) == 0 {
		return false
	}
	field := w.field()
	for i := range w.options.Known {
		if within(w.options.Known[i].Field, field) {
			return true
		}
	}
	return false
}

// within reports whether field is outer or a part of it.
func within(field, outer string) bool {
	if outer == "" || field == outer {
		return true
	}
	return len(field) > len(outer) && strings.HasPrefix(field, outer) && (field[len(outer)] == '.' || field[len(outer)] == '[')
}
