package template

import (
	"slices"

	"github.com/retort-web/retort/internal/closest"
)

func (c *compiler) filter(n *filterExpr, p place) evalFunc {
	in := c.eval(n.in, p)
	apply := c.filterCaptured(n, p)
	return func(f *frame) value { return apply(f, in(f)) }
}

// filterCaptured compiles a filter, or a chain of them, applied to a value
// given at run time where the chain begins with nothing.
func (c *compiler) filterCaptured(n *filterExpr, p place) func(f *frame, v value) value {
	apply := c.applyFilter(n, p)
	if inner, ok := n.in.(*filterExpr); ok && startsEmpty(inner) {
		first := c.filterCaptured(inner, p)
		return func(f *frame, v value) value { return apply(f, first(f, v)) }
	}
	return apply
}

// startsEmpty reports whether a chain of filters has no input of its own.
func startsEmpty(n *filterExpr) bool {
	for n.in != nil {
		inner, ok := n.in.(*filterExpr)
		if !ok {
			return false
		}
		n = inner
	}
	return true
}

func (c *compiler) applyFilter(n *filterExpr, p place) func(f *frame, v value) value {
	name := n.name
	def := c.engine.filters[name]
	if def == nil {
		msg := "no filter named '" + name + "'"
		if isDjangoFilter(name) {
			msg += "; turn it on with Options.Extensions.Django"
		} else if near := closest.Name(name, slices.Values(c.engine.filterNames())); near != "" {
			msg += "; did you mean '" + near + "'?"
		}
		if !p.lenient {
			c.at = n.at
			c.fail("%s", msg)
		}
		c.arguments(&n.args, p)
		return func(*frame, value) value { panic(runtimeError("%s", msg)) }
	}
	if def.fn != nil && n.args.dynPos == nil && n.args.dyn == nil {
		gets, err := c.bindStatic(name, def.params, def.required, &n.args, p)
		if err != nil {
			return func(f *frame, _ value) value { panic(err.after(f, gets)) }
		}
		at := n.at
		if len(gets) == 0 {
			return func(f *frame, v value) value {
				before := f.x.at
				f.x.at = at
				v = def.fn(f, v, nil)
				f.x.at = before
				return f.lazy(v)
			}
		}
		return func(f *frame, v value) value {
			before := f.x.at
			a, base := pushed(f, gets)
			f.x.at = at
			v = def.fn(f, v, a)
			f.x.at = before
			f.x.stack = f.x.stack[:base]
			return f.lazy(v)
		}
	}
	args := c.arguments(&n.args, p)
	visible := p.assigned
	return func(f *frame, v value) value {
		o := f.beginCall(args, n.at)
		f.x.visible = visible
		v = def.apply(f, v, o.args)
		o.end()
		return f.lazy(v)
	}
}

// lazy keeps the frame if a filter gave a sequence made on demand, which may
// look at the frame later.
func (f *frame) lazy(v value) value {
	if v.kind == kindIterator {
		f.keep()
	}
	return v
}

// after is a fresh copy of an error found at compile time, to be stamped with
// the place of the render. The arguments are evaluated first, as they may fail
// in a way that says more.
func (e *Error) after(f *frame, args []evalFunc) *Error {
	for _, get := range args {
		if get != nil {
			get(f)
		}
	}
	c := *e
	return &c
}

// bindStatic sorts the arguments of a filter or test by parameter at compile
// time. Absent ones are nil.
func (c *compiler) bindStatic(name, params string, required int, n *arguments, p place) ([]evalFunc, *Error) {
	names := splitParams(params)
	gets := make([]evalFunc, len(names))
	var failed *Error
	put := func(i int, e expression) {
		get := c.eval(e, p)
		if i >= 0 {
			gets[i] = get
		} else {
			gets = append(gets, get)
		}
	}
	for i, e := range n.pos {
		if i >= len(names) {
			failed = runtimeError("%s() takes at most %d arguments but %d were given", name, len(names), len(n.pos))
			put(-1, e)
			continue
		}
		put(i, e)
	}
	for _, k := range n.kw {
		at := -1
		for i, have := range names {
			if have == k.name {
				at = i
			}
		}
		switch {
		case at < 0:
			failed = runtimeError("%s() got an unexpected keyword argument '%s'", name, k.name)
		case gets[at] != nil:
			failed = runtimeError("%s() got multiple values for argument '%s'", name, k.name)
			at = -1
		}
		put(at, k.e)
	}
	for i := range required {
		if gets[i] == nil && failed == nil {
			failed = runtimeError("%s() is missing the argument '%s'", name, names[i])
		}
	}
	return gets, failed
}

// pushed evaluates bound arguments on the argument stack; the caller cuts the
// stack back to base.
func pushed(f *frame, gets []evalFunc) (a []value, base int) {
	x := f.x
	base = len(x.stack)
	for range gets {
		x.stack = append(x.stack, value{})
	}
	for i, get := range gets {
		if get != nil {
			v := get(f)
			x.stack[base+i] = v
		}
	}
	end := base + len(gets)
	return x.stack[base:end:end], base
}

func (c *compiler) test(n *testExpr, p place) evalFunc {
	in := c.eval(n.in, p)
	name := n.name
	if name == "defined" && len(n.args.pos)+len(n.args.kw) == 0 && n.args.dynPos == nil && n.args.dyn == nil && c.engine.tests[name].function == nil {
		return func(f *frame) value { return boolValue(!in(f).isUndefined()) }
	}
	def := c.engine.tests[name]
	if def == nil {
		msg := "no test named '" + name + "'"
		if near := closest.Name(name, slices.Values(c.engine.testNames())); near != "" {
			msg += "; did you mean '" + near + "'?"
		}
		if !p.lenient {
			c.at = n.at
			c.fail("%s", msg)
		}
		c.arguments(&n.args, p)
		return func(*frame) value { panic(runtimeError("%s", msg)) }
	}
	if def.fn != nil && n.args.dynPos == nil && n.args.dyn == nil {
		gets, err := c.bindStatic(name, def.params, len(splitParams(def.params)), &n.args, p)
		if err != nil {
			return func(f *frame) value {
				in(f)
				panic(err.after(f, gets))
			}
		}
		return func(f *frame) value {
			v := in(f)
			a, base := pushed(f, gets)
			ok := def.fn(f, v, a)
			f.x.stack = f.x.stack[:base]
			return boolValue(ok)
		}
	}
	args := c.arguments(&n.args, p)
	visible := p.assigned
	return func(f *frame) value {
		v := in(f)
		o := f.beginCall(args, n.at)
		f.x.visible = visible
		ok := def.holds(f, v, o.args)
		o.end()
		return boolValue(ok)
	}
}
