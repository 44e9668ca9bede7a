package template

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"sync"
)

// Keywords marks a struct as the keyword arguments of a Go function that is a
// filter, test, global or tag: embed it, and each exported field is an
// argument under its name in snake case. The tag `name:"…"` gives another
// name, `default:"…"` the value of an argument that is left out, and
// `required:"true"` forbids to leave it out. The struct is the function's last
// parameter, or the one before a variadic one.
type Keywords struct{}

// signature is what a Go function takes, worked out once per type.
type signature struct {
	context, call int // their places among the parameters, or -1
	first, fixed  int // the first plain parameter, and how many there are
	keywords      *keywordPlan
	variadic      bool
	fails         bool // the last result is an error
	results       int  // without the error
}

// keywordPlan fills a struct with keyword arguments.
type keywordPlan struct {
	rt     reflect.Type
	fields []keywordField
}

type keywordField struct {
	name     string
	index    int
	fallback reflect.Value // invalid: the zero value
	required bool
}

var signatures sync.Map // reflect.Type of a function to *signature or error

// signatureOf gives the signature of a function's type, or what is wrong with it.
func signatureOf(rt reflect.Type) (*signature, error) {
	found, ok := signatures.Load(rt)
	if !ok {
		s, err := newSignature(rt)
		if found = any(s); err != nil {
			found = err
		}
		signatures.Store(rt, found)
	}
	if s, ok := found.(*signature); ok {
		return s, nil
	}
	return nil, found.(error)
}

func newSignature(rt reflect.Type) (*signature, error) {
	s := &signature{context: -1, call: -1, variadic: rt.IsVariadic(), results: rt.NumOut()}
	n := 0
	for ; n < rt.NumIn(); n++ {
		if in := rt.In(n); in == reflect.TypeFor[context.Context]() && s.context < 0 {
			s.context = n
		} else if in == reflect.TypeFor[*Call]() && s.call < 0 {
			s.call = n
		} else {
			break
		}
	}
	s.first = n
	last := rt.NumIn()
	if s.variadic {
		last--
		if what := unusable(rt.In(last).Elem()); what != "" {
			return nil, fmt.Errorf("parameter %d has type %s: %s", last+1, rt.In(last), what)
		}
	}
	if last > n && isKeywords(rt.In(last-1)) {
		last--
		plan, err := newKeywordPlan(rt.In(last))
		if err != nil {
			return nil, err
		}
		s.keywords = plan
	}
	for i := n; i < last; i++ {
		if what := unusable(rt.In(i)); what != "" {
			return nil, fmt.Errorf("parameter %d has type %s: %s", i+1, rt.In(i), what)
		}
	}
	s.fixed = last - n
	if n := rt.NumOut(); n > 0 && rt.Out(n-1) == reflect.TypeFor[error]() {
		s.fails, s.results = true, n-1
	}
	return s, nil
}

func isKeywords(rt reflect.Type) bool {
	if rt.Kind() != reflect.Struct {
		return false
	}
	f, ok := rt.FieldByName("Keywords")
	return ok && f.Anonymous && f.Type == reflect.TypeFor[Keywords]()
}

// unusable tells why no value of a template can be an argument of that type.
func unusable(rt reflect.Type) string {
	switch {
	case rt.Kind() == reflect.Chan, rt.Kind() == reflect.UnsafePointer, rt.Kind() == reflect.Complex64, rt.Kind() == reflect.Complex128:
		return "no value of a template can be that"
	case rt == reflect.TypeFor[context.Context](), rt == reflect.TypeFor[*Call]():
		return "a context.Context or *template.Call must come first"
	case isKeywords(rt):
		return "the struct of keyword arguments must come last"
	}
	return ""
}

func newKeywordPlan(rt reflect.Type) (*keywordPlan, error) {
	p := &keywordPlan{rt: rt}
	for i := range rt.NumField() {
		f := rt.Field(i)
		if f.Anonymous && f.Type == reflect.TypeFor[Keywords]() || !f.IsExported() {
			continue
		}
		k := keywordField{name: f.Tag.Get("name"), index: i, required: f.Tag.Get("required") == "true"}
		if k.name == "" {
			k.name = snakeCase(f.Name)
		}
		if what := unusable(f.Type); what != "" {
			return nil, fmt.Errorf("the keyword argument %s.%s has type %s: %s", rt, f.Name, f.Type, what)
		}
		if text, ok := f.Tag.Lookup("default"); ok {
			v, err := parseDefault(text, f.Type)
			if err != nil {
				return nil, fmt.Errorf("the default %q of %s.%s: %w", text, rt, f.Name, err)
			}
			k.fallback = v
		}
		p.fields = append(p.fields, k)
	}
	return p, nil
}

// parseDefault reads the value in a tag.
func parseDefault(text string, rt reflect.Type) (reflect.Value, error) {
	var v value
	switch rt.Kind() {
	case reflect.String, reflect.Interface:
		v = stringValue(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return reflect.Value{}, errors.New("not a bool")
		}
		v = boolValue(b)
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return reflect.Value{}, errors.New("not a number")
		}
		v = floatValue(f)
	default:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return reflect.Value{}, fmt.Errorf("not a value for %s; only strings, numbers and bools have defaults", rt)
		}
		v = intValue(n)
	}
	return convertTo(v, rt)
}

// fill makes the struct of keyword arguments.
func (p *keywordPlan) fill(name string, kw []keyword) reflect.Value {
	out := reflect.New(p.rt).Elem()
	used := 0
	for i := range p.fields {
		f := &p.fields[i]
		given := false
		for _, k := range kw {
			if k.name != f.name {
				continue
			}
			rv, err := convertTo(k.v, out.Field(f.index).Type())
			if err != nil {
				panic(argumentError(name, "'"+f.name+"'", err))
			}
			out.Field(f.index).Set(rv)
			given = true
			used++
		}
		switch {
		case given:
		case f.required:
			panic(runtimeError("%s() needs the keyword argument '%s'", name, f.name))
		case f.fallback.IsValid():
			out.Field(f.index).Set(f.fallback)
		}
	}
	if used < len(kw) {
		p.unknown(name, kw)
	}
	return out
}

func (p *keywordPlan) unknown(name string, kw []keyword) {
	known := ""
	for i, f := range p.fields {
		if i > 0 {
			known += ", "
		}
		known += f.name
	}
	for _, k := range kw {
		found := false
		for _, f := range p.fields {
			found = found || f.name == k.name
		}
		if !found {
			panic(runtimeError("%s() got an unexpected keyword argument '%s'; it knows %s", name, k.name, known))
		}
	}
}

func argumentError(name, argument string, err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return runtimeError("%s(): argument %s: %s", name, argument, err)
}
