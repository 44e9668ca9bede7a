package template

// Sandbox restricts what templates may reach, for templates that come from
// people who may not do all that the program can. Together with [Limits] it
// bounds what such a template can read, change and use up; it is no substitute
// for showing it as little data as possible.
//
// In a sandbox the size of what a template computes counts too: 64 bytes of
// text, 64 bits of an integer or 8 elements of a list are one of
// [Limits].Steps, so that these bound the memory of a render as they do its time.
type Sandbox struct {
	// Allow says whether a template may read a field of a Go value, or call a
	// method of it. The name is that of Go. Default: fields, but no methods.
	Allow func(owner any, name string, method bool) bool
	// AllowCall says whether a template may call a function that the program
	// handed over, in the data, as a global or as the result of another one. The
	// name is empty where a function has none of its own, as in the data. Methods
	// that are not called at once are asked for here too. Default: all.
	AllowCall func(name string, function any) bool
	// AllowOperator says whether an operator may be applied: + - * / // % **
	// and, with left nil, the signs + and -. It is asked each time, with the
	// operands as Go values. Default: all; what they can make is bounded by Limits.
	AllowOperator func(operator string, left, right any) bool
	// Operators are what the operators listed do instead of what they usually
	// do; an error ends the render. Default: none is replaced.
	Operators map[string]func(left, right any) (any, error)
	// Immutable forbids the methods that change lists and mappings, such as
	// append and update.
	Immutable bool
}

// operators are those that a sandbox can forbid and replace.
var operators = [...]string{"+", "-", "*", "/", "//", "%", "**"}

// sandboxRange is how long a range may be in a sandbox, unless Limits say it.
const sandboxRange = 100_000

// allowMember fails if a template may not use a field or method.
func (x *exec) allowMember(obj value, m *member) {
	if x == nil || x.engine.options.Sandbox == nil {
		return
	}
	isMethod := m.method >= 0
	allowed := !isMethod
	if allow := x.engine.options.Sandbox.Allow; allow != nil {
		allowed = allow(obj.goValue().Interface(), m.name, isMethod)
	}
	if !allowed {
		panic(runtimeError("access to '%s' of '%s' is not allowed in the sandbox", m.name, obj.typeName()))
	}
}

// allowCall fails if a template may not call a function of the program.
func (x *exec) allowCall(g *goFunction) {
	s := x.engine.options.Sandbox
	if s == nil || s.AllowCall == nil || s.AllowCall(g.name, g.function()) {
		return
	}
	name := g.name
	if name == "" {
		name = "the function"
	}
	panic(runtimeError("calling %s is not allowed in the sandbox", name))
}

// intercepted gives what happens where an operator is applied: the question
// whether it may be, and what it is replaced by. It is nil if the operator does
// what it does anywhere.
func (c *compiler) intercepted(operator string) func(left, right any, usual func() value) value {
	s := c.engine.options.Sandbox
	if s == nil || s.AllowOperator == nil && s.Operators[operator] == nil {
		return nil
	}
	replaced := s.Operators[operator]
	return func(left, right any, usual func() value) value {
		if s.AllowOperator != nil && !s.AllowOperator(operator, left, right) {
			panic(runtimeError("the operator %s is not allowed in the sandbox for these operands", operator))
		}
		if replaced == nil {
			return usual()
		}
		v, err := replaced(left, right)
		if err != nil {
			panic(causeError("the operator "+operator, err))
		}
		return fromAny(v)
	}
}

// charged counts what an expression has made as steps, in a sandbox.
func (c *compiler) charged(get evalFunc) evalFunc {
	if c.engine.options.Sandbox == nil {
		return get
	}
	return func(f *frame) value {
		v := get(f)
		f.x.charge(v)
		return v
	}
}

// charge counts the size of a value as steps, in a sandbox.
func (x *exec) charge(v value) {
	if x == nil || x.engine.options.Sandbox == nil {
		return
	}
	n := 0
	switch v.kind {
	case kindBig:
		n = v.big().BitLen() / 64
	case kindString, kindSafe:
		n = len(v.str()) / 64
	case kindList, kindTuple:
		n = len(v.list().items) / 8
	}
	if n > 0 {
		x.steps -= int64(n)
		x.checkTime()
	}
}

// allowChange fails if a template may not change lists and mappings.
func (x *exec) allowChange(what, method string) {
	if x != nil && x.engine.options.Sandbox != nil && x.engine.options.Sandbox.Immutable {
		panic(runtimeError("%s() is not allowed in the sandbox, because it changes the %s", method, what))
	}
}
