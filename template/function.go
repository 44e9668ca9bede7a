package template

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unsafe"
)

// Func is a function, filter or test with access to the render. As a filter
// or test its first argument is the value it is applied to.
type Func func(c *Call) (any, error)

// Call is one call of a [Func]. It is only valid until the function returns.
type Call struct {
	x       *exec
	frame   *frame
	visible *[]localVar
	name    string
	args    *callArgs
}

// Context is the render's context.
func (c *Call) Context() context.Context { return c.x.ctx() }

// Autoescape tells whether autoescape is on where the call stands.
func (c *Call) Autoescape() bool { return c.frame != nil && c.frame.ctx.eval.autoescape }

// NumArgs is the number of positional arguments.
func (c *Call) NumArgs() int { return len(c.args.pos) }

// Arg is a positional argument in its Go form; nil if there are not so many.
func (c *Call) Arg(i int) any {
	if i >= len(c.args.pos) {
		return nil
	}
	return c.args.pos[i].toAny()
}

// ArgValue is [Call.Arg] as the template has it; the zero Value if there are
// not so many.
func (c *Call) ArgValue(i int) Value {
	if i >= len(c.args.pos) {
		return Value{}
	}
	return Value{c.args.pos[i]}
}

// Keywords lists the names of the keyword arguments, in the order given.
func (c *Call) Keywords() []string {
	names := make([]string, len(c.args.kw))
	for i, k := range c.args.kw {
		names[i] = k.name
	}
	return names
}

// Keyword is a keyword argument in its Go form.
func (c *Call) Keyword(name string) (any, bool) {
	for _, k := range c.args.kw {
		if k.name == name {
			return k.v.toAny(), true
		}
	}
	return nil, false
}

// KeywordValue is [Call.Keyword] as the template has it.
func (c *Call) KeywordValue(name string) (Value, bool) {
	for _, k := range c.args.kw {
		if k.name == name {
			return Value{k.v}, true
		}
	}
	return Value{}, false
}

// Bind sorts the arguments by parameter names, as a Python function does. A
// name that ends in "?" is optional and nil if not given. Too many, unknown or
// missing arguments are an error.
func (c *Call) Bind(params ...string) ([]any, error) {
	bound, err := c.bind(params...)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(params))
	for i, v := range bound {
		if v.given() {
			out[i] = v.toAny()
		}
	}
	return out, nil
}

func (c *Call) bind(params ...string) ([]value, error) {
	names := make([]string, len(params))
	required := 0
	for i, p := range params {
		names[i] = strings.TrimSuffix(p, "?")
		if names[i] == p {
			required = i + 1
		}
	}
	bound := make([]value, len(params))
	return bound, bindArguments(c.name, names, required, c.args.pos, c.args.kw, bound)
}

// Lookup finds a name as the template sees it where the call stands: what its
// top level or the loop or block around assigned, the data, the globals.
func (c *Call) Lookup(name string) (any, bool) {
	v, ok := c.lookup(name)
	if !ok || v.kind <= kindUndefined {
		return nil, false
	}
	return v.toAny(), true
}

func (c *Call) lookup(name string) (value, bool) {
	if c.frame == nil {
		return value{}, false
	}
	if c.visible != nil {
		depth := -1
		for _, v := range *c.visible {
			if v.name != name {
				continue
			}
			if depth < 0 {
				depth = frameDepth(c.frame)
			}
			if e := c.frame.up(depth - v.at.fn.depth).slots[v.at.slot]; e.kind > kindMissing {
				return e, true
			}
		}
	}
	return c.frame.ctx.lookup(name)
}

func frameDepth(f *frame) int {
	n := 0
	for ; f.parent != nil; f = f.parent {
		n++
	}
	return n
}

// Values is [Call.Bind] with the arguments as the template has them. An
// optional one that was not given is the zero [Value].
func (c *Call) Values(params ...string) ([]Value, error) {
	bound, err := c.bind(params...)
	if err != nil {
		return nil, err
	}
	out := make([]Value, len(bound))
	for i, v := range bound {
		out[i].v = v
	}
	return out, nil
}

// LookupValue is [Call.Lookup] with the value as the template has it, which
// may be an undefined one that was assigned to the name.
func (c *Call) LookupValue(name string) (Value, bool) {
	v, ok := c.lookup(name)
	return Value{v}, ok
}

// Text is the printed form of a value, as {{ value }} without escaping.
func (c *Call) Text(v any) string { return fromAny(v).text() }

// goFunction is a function or method of the program as a value.
type goFunction struct {
	name string
	free Func          // with access to the render
	fn   reflect.Value // or any Go function
}

// function is what the program handed over.
func (g *goFunction) function() any {
	if g.free != nil {
		return g.free
	}
	return g.fn.Interface()
}

func (g *goFunction) typeName() string { return "function" }

func (g *goFunction) appendText(dst []byte) []byte {
	return append(append(append(dst, "<function "...), g.name...), '>')
}

func (g *goFunction) call(x *exec, a *callArgs) value {
	if g.free == nil {
		return callGo(x, g.name, g.fn, a.pos, a.kw)
	}
	name := g.name
	if name == "" {
		name = "function"
	}
	out, err := g.free(&Call{x: x, frame: x.caller, visible: x.visible, name: name, args: a})
	if err != nil {
		panic(causeError(name+"()", err))
	}
	return fromAny(out)
}

// globalValue is the value of a global name. Functions of [Execution].Globals are made for
// each render, so that they take one allocation here.
func globalValue(name string, a any) value {
	free, ok := a.(Func)
	if !ok || free == nil {
		return named(name, fromAny(a))
	}
	b := &struct {
		box objectBox
		fn  goFunction
	}{fn: goFunction{name: name, free: free}}
	b.box.object = &b.fn
	return value{kind: kindObject, ptr: unsafe.Pointer(&b.box)}
}

// named gives a global function its name, for messages.
func named(name string, v value) value {
	switch v.kind {
	case kindObject:
		if g, ok := v.object().(*goFunction); ok && g.name == "" {
			return objectValue(&goFunction{name: name, free: g.free, fn: g.fn})
		}
	case kindGo:
		if v.typ.class == classFunc {
			return objectValue(&goFunction{name: name, fn: v.goValue()})
		}
	}
	return v
}

// functionOf wraps a filter, test, tag or global function of the options and
// checks what can be known of it before it is called.
func functionOf(what, name string, f any) (*goFunction, error) {
	bad := func(format string, args ...any) (*goFunction, error) {
		return nil, fmt.Errorf("template: the %s %q "+format, append([]any{what, name}, args...)...)
	}
	if !validFunctionName(name) {
		return bad("has a name that templates cannot write; use letters, digits, underscores and, for filters and tests, points")
	}
	switch f := f.(type) {
	case Func:
		if f != nil {
			return &goFunction{name: name, free: f}, nil
		}
	case func(*Call) (any, error):
		if f != nil {
			return &goFunction{name: name, free: f}, nil
		}
	}
	rv := reflect.ValueOf(f)
	if rv.Kind() != reflect.Func || rv.IsNil() {
		return bad("must be a function, not %T", f)
	}
	rt := rv.Type()
	s, err := signatureOf(rt)
	switch {
	case err != nil:
		return bad("has a parameter that cannot be used: %w", err)
	case (what == "filter" || what == "test") && s.fixed == 0 && !s.variadic:
		return bad("must take the value as its first parameter, not %s", rt)
	case s.results != 1:
		return bad("must give one result, or one and an error, not %s", rt)
	case what == "test" && rt.Out(0).Kind() != reflect.Bool:
		return bad("must give a bool, not %s", rt.Out(0))
	}
	return &goFunction{name: name, fn: rv}, nil
}

// validFunctionName accepts names joined by points.
func validFunctionName(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		for i, r := range part {
			if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsNumber(r)) {
				return false
			}
		}
		if part == "" {
			return false
		}
	}
	return true
}

// builtinFunction is a global function of the engine.
type builtinFunction struct {
	name string
	fn   func(x *exec, a *callArgs) value
}

func (b *builtinFunction) typeName() string {
	if className(b.name) != "" {
		return "type"
	}
	return "function"
}

func (b *builtinFunction) appendText(dst []byte) []byte {
	if class := className(b.name); class != "" {
		return append(append(append(dst, "<class '"...), class...), "'>"...)
	}
	return append(append(append(dst, "<function "...), b.name...), '>')
}

// className is the name of the class that a global function is in Jinja.
func className(function string) string {
	switch function {
	case "range", "dict":
		return function
	case "cycler", "joiner", "namespace":
		return "jinja2.utils." + strings.ToUpper(function[:1]) + function[1:]
	}
	return ""
}

func (b *builtinFunction) attr(_ *exec, name string) (value, bool) {
	if b.name == "dict" && name == "fromkeys" {
		return methodValue(name, dictFromKeys), true
	}
	return value{}, false
}

func (b *builtinFunction) call(x *exec, a *callArgs) value { return b.fn(x, a) }

// filterDef is a filter: a built-in one with the names of its parameters, one
// that takes any arguments, or a function of the program.
type filterDef struct {
	name     string
	params   string // comma-separated, without the filtered value
	required int
	fn       func(f *frame, in value, a []value) value
	free     func(f *frame, in value, a *callArgs) value
	function *goFunction
}

// testDef is a test in the same manner.
type testDef struct {
	name     string
	params   string
	fn       func(f *frame, in value, a []value) bool
	function *goFunction
}

func splitParams(params string) []string {
	if params == "" {
		return nil
	}
	return strings.Split(params, ",")
}

// bindArguments sorts arguments by parameter; those not given stay zero.
func bindArguments(name string, params []string, required int, pos []value, kw []keyword, out []value) error {
	if len(pos) > len(params) {
		return runtimeError("%s() takes at most %d arguments but %d were given", name, len(params), len(pos))
	}
	copy(out, pos)
	for _, k := range kw {
		at := -1
		for i, p := range params {
			if p == k.name {
				at = i
			}
		}
		switch {
		case at < 0:
			return runtimeError("%s() got an unexpected keyword argument '%s'", name, k.name)
		case out[at].given():
			return runtimeError("%s() got multiple values for argument '%s'", name, k.name)
		}
		out[at] = k.v
	}
	for i := range required {
		if !out[i].given() {
			return runtimeError("%s() is missing the argument '%s'", name, params[i])
		}
	}
	return nil
}

// bindTo is bindArguments for built-in functions and methods.
func bindTo(name, params string, required int, a *callArgs) []value {
	names := splitParams(params)
	out := make([]value, len(names))
	if err := bindArguments(name, names, required, a.pos, a.kw, out); err != nil {
		panic(err)
	}
	return out
}

// apply runs a filter with arguments known only at run time.
func (d *filterDef) apply(f *frame, in value, a *callArgs) (out value) {
	switch {
	case d.free != nil:
		out = d.free(f, in, a)
	case d.function != nil:
		out = d.function.applied(f, in, a)
	default:
		out = d.fn(f, in, bindTo(d.name, d.params, d.required, a))
	}
	f.x.charge(out)
	return out
}

// holds runs a test with arguments known only at run time.
func (d *testDef) holds(f *frame, in value, a *callArgs) bool {
	if d.function != nil {
		return d.function.applied(f, in, a).truth()
	}
	names := splitParams(d.params)
	return d.fn(f, in, bindTo(d.name, d.params, len(names), a))
}

// applied calls a function of the program with the value as first argument.
func (g *goFunction) applied(f *frame, in value, a *callArgs) value {
	x := f.x
	base := len(x.stack)
	x.stack = append(append(x.stack, in), a.pos...)
	all := callArgs{pos: x.stack[base:len(x.stack):len(x.stack)], kw: a.kw}
	x.caller = f
	v := g.call(x, &all)
	x.stack = x.stack[:base]
	return v
}
