package template

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"
)

// Execution is what one render works on.
type Execution struct {
	// Context ends a long render when it is done; functions of the program
	// whose first parameter is a context get it. Default: context.Background.
	Context context.Context
	// Data is where variables come from: a map[string]any, another map with
	// string keys, a *Dict, or a struct or pointer to one, whose fields and
	// methods are the variables.
	Data any
	// Globals answers for names that Data does not have, before the engine's
	// globals are asked. Imported templates see them too.
	Globals func(name string) (any, bool)
	// Location is the time zone that the reader is shown dates in. Default:
	// [Options.Location].
	Location *time.Location
}

// Panic is the cause of an error when code of the program panicked during a
// render.
type Panic struct {
	Value any
	Stack []byte
}

func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// exec is one render.
type exec struct {
	engine  *Engine
	context context.Context
	data    value
	globals func(name string) (any, bool)
	out     []byte
	room    int // how long out may get before spill is called
	stream  *stream
	steps   int64
	depth   int

	// Where the render is, for errors.
	tpl   *Template
	at    spot
	trail []placeIn

	stack []value // arguments of calls under way

	spare spareParts

	// The frame a function is called from, and the names assigned in the loop
	// or block around the call, for functions that look at the context.
	caller  *frame
	visible *[]localVar

	reader reader // whom the page is for

	states    map[stateKey]int // of tags that count
	modules   map[*Template]*module
	templates []*Template    // found in this render
	open      []*seqIterator // unfinished, perhaps
	blocksOff bool           // the top level runs without rendering its blocks

	root runContext // of the template the render began with
	// lent says that something may outlive the render that refers to it, so
	// that it is not used again.
	lent bool
}

// newExec prepares a render that appends to dst.
func (t *Template) newExec(dst []byte, in Execution) *exec {
	e := t.engine
	x, _ := idle.Get().(*exec)
	if x == nil {
		x = &exec{}
	}
	x.engine, x.tpl, x.context, x.globals, x.out = e, t, in.Context, in.Globals, dst
	x.room, x.steps = e.limits.Output, e.limits.Steps
	x.reader.own = cmp.Or(in.Location, e.options.Location)
	x.reader.zone = x.reader.own
	if x.room += len(dst); x.room < 0 {
		x.room = int(^uint(0) >> 1)
	}
	if in.Data != nil {
		x.data = fromAny(in.Data)
	}
	return x
}

// run calls do and turns panics into errors with their place.
func (x *exec) run(do func()) (out []byte, err error) {
	defer func() {
		r := recover()
		for _, s := range x.open {
			if p := recovered(s.halt); r == nil {
				r = p
			}
		}
		if r != nil {
			err = x.failure(r, 0)
			return
		}
		out = x.out
		x.retire()
	}()
	do()
	return nil, nil
}

// recovered runs code of the program and gives the value it panicked with.
func recovered(do func()) (r any) {
	defer func() { r = recover() }()
	do()
	return nil
}

// mainContext makes the context of the template the render begins with.
func (x *exec) mainContext() *runContext {
	x.tpl.prepare(&x.root, x, nil, true)
	return &x.root
}

// failure gives the error for a recovered panic; of the places that led there
// it leaves out the outermost ones.
func (x *exec) failure(r any, outermost int) error {
	e, ok := r.(*Error)
	if !ok {
		cause := &Panic{Value: r, Stack: debug.Stack()}
		e = &Error{Kind: Runtime, Message: cause.Error(), Cause: cause}
	}
	located := *e
	if e.Line == 0 {
		located.at = x.at
		located.locate(x.tpl.name, x.tpl.path, x.tpl.source)
		located.Trail = nil
		if e.lacking != nil {
			located.Message += x.suggestion(e.lacking)
		}
	} else {
		located.Trail = append(slices.Clone(e.Trail), placeIn{x.tpl, x.at}.place())
	}
	for i := len(x.trail) - 1; i >= outermost; i-- {
		if x.trail[i].at > 0 {
			located.Trail = append(located.Trail, x.trail[i].place())
		}
	}
	return &located
}

func (x *exec) ctx() context.Context {
	if x.context == nil {
		return context.Background()
	}
	return x.context
}

// step counts the rounds of loops and of lazy sequences, so that no template
// runs for ever, and now and then looks whether the context is done.
func (x *exec) step() {
	if x == nil {
		return
	}
	x.steps--
	if x.steps&1023 == 0 {
		x.checkTime()
	}
}

func (x *exec) checkTime() {
	if x.steps <= 0 {
		panic(runtimeError("the template takes too many steps (limit %d)", x.engine.limits.Steps))
	}
	if x.context != nil {
		x.checkContext()
	}
}

func (x *exec) checkContext() {
	if err := x.context.Err(); err != nil {
		panic(&Error{Kind: Runtime, Message: "the render was stopped: " + err.Error(), Cause: err})
	}
}

// enter and leave count calls of macros, blocks, includes and recursive loops.
func (x *exec) enter() {
	x.step()
	x.depth++
	if x.depth > x.engine.limits.Depth {
		panic(recursionError())
	}
}

func (x *exec) leave() { x.depth-- }

// push notes that the render goes on in another template or macro.
func (x *exec) push(t *Template, at spot) {
	x.trail = append(x.trail, placeIn{x.tpl, x.at})
	x.tpl, x.at = t, at
}

func (x *exec) pop() {
	x.trail = x.trail[:len(x.trail)-1]
}

func (x *exec) tooMuchOutput() {
	panic(runtimeError("the output is too large (limit %d bytes)", x.engine.limits.Output))
}

// allowBytes bounds the size of computed strings.
func (x *exec) allowBytes(n int) {
	if x != nil && n > x.engine.limits.Output {
		panic(runtimeError("the string is too large (limit %d bytes)", x.engine.limits.Output))
	}
}

func (x *exec) allowProduct(n int, times int64) {
	if n > 0 && times > int64(x.engine.limits.Output/n) {
		panic(runtimeError("the string is too large (limit %d bytes)", x.engine.limits.Output))
	}
}

// allowItems bounds the size of computed lists.
func (x *exec) allowItems(n int) {
	if x != nil && n > x.engine.limits.Items {
		panic(runtimeError("the list is too long (limit %d)", x.engine.limits.Items))
	}
}

// dataVar looks a variable up in the render's data.
func (x *exec) dataVar(name string) (value, bool) {
	switch x.data.kind {
	case kindDict:
		return x.data.dict().getString(name)
	case kindGo:
		if x.data.typ.class == classMap {
			return mapGet(x.data, stringValue(name))
		}
		return goAttr(x, x.data, name)
	}
	return value{}, false
}

// dataNames adds all variables of the data to d.
func (x *exec) dataNames(d *Dict) {
	if vars, ok := asDict(x.data); ok {
		for i, k := range vars.keys {
			d.set(k, vars.vals[i])
		}
		return
	}
	if x.data.kind == kindGo {
		x.data.typ.member("")
		for name, m := range x.data.typ.members {
			if m.method < 0 && name == snakeCase(m.name) {
				d.set(stringValue(name), m.load(x.data.ptr))
			}
		}
	}
}

func (x *exec) global(name string) (value, bool) {
	if x.globals != nil {
		if a, ok := x.globals(name); ok {
			return globalValue(name, a), true
		}
	}
	v, ok := x.engine.globals[name]
	return v, ok
}

func (x *exec) globalNames() *Dict {
	d := NewDict()
	for _, name := range sortedKeys(x.engine.globals) {
		d.set(stringValue(name), x.engine.globals[name])
	}
	return d
}

// maxRemembered is how many templates a render finds without the engine.
const maxRemembered = 16

// template finds the template an expression names.
func (x *exec) template(v value) *Template {
	if t, ok := loadedTemplate(v); ok {
		return t
	}
	if v.kind == kindUndefined {
		v.undefined().fail()
	}
	v = v.plain()
	if !v.isString() {
		keyOf(v) // fails on what cannot be a name at all
		panic(&Error{Kind: NotFound, Message: "a template's name must be a string, not " + v.typeName()})
	}
	name := v.str()
	for _, t := range x.templates {
		if t.name == name {
			return t
		}
	}
	t, err := x.engine.get(name)
	if err != nil {
		var e *Error
		if errors.As(err, &e) && e.Kind == NotFound {
			panic(&Error{Kind: NotFound, Message: "template '" + name + "' " + e.Message, Cause: e.Cause})
		}
		panic(causeError("template "+name, err))
	}
	if len(x.templates) < maxRemembered {
		x.templates = append(x.templates, t)
	}
	return t
}

// loadedTemplate is a template that the program handed over itself.
func loadedTemplate(v value) (*Template, bool) {
	if v.kind == kindObject {
		if t, ok := v.object().(*templateObject); ok {
			return t.t, true
		}
	}
	return nil, false
}

// chooseTemplate finds the template of an include: one name or several of
// which the first that exists is taken. Nil means none, where that is allowed.
func (x *exec) chooseTemplate(v value, optional bool) *Template {
	if _, loaded := loadedTemplate(v); loaded || v.plain().isString() {
		if optional {
			return x.tryTemplate(v)
		}
		return x.template(v)
	}
	if v.kind == kindUndefined {
		v.undefined().fail()
	}
	if v.truth() {
		for _, name := range collect(x, v) {
			if t := x.tryTemplate(name); t != nil {
				return t
			}
		}
	}
	if !optional {
		panic(&Error{Kind: NotFound, Message: "none of the templates to include exists: " + v.text()})
	}
	return nil
}

// tryTemplate gives nil for a template that does not exist; that a template
// it needs in turn does not exist is an error all the same.
func (x *exec) tryTemplate(name value) (t *Template) {
	defer func() {
		if r := recover(); r != nil {
			if e, ok := r.(*Error); !ok || e.Kind != NotFound && (e.Kind != Undefined || name.kind != kindUndefined) {
				panic(r)
			}
			t = nil
		}
	}()
	return x.template(name)
}

// renderMain renders a template, or the one block of it that is asked for.
func (x *exec) renderMain(t *Template, ctx *runContext) {
	if t.part != "" {
		x.renderPart(t.whole, t.part, t.extent, ctx)
		return
	}
	x.renderTop(t, ctx)
}

// renderTop runs a template's top level and those of the templates it extends.
func (x *exec) renderTop(t *Template, ctx *runContext) {
	x.enter()
	tpl, at := x.tpl, x.at
	levels := 0
	for t != nil {
		if levels > 0 {
			x.step()
			if levels > x.engine.limits.Depth {
				panic(recursionError())
			}
		}
		if t.failure != nil {
			panic(t.failure)
		}
		levels++
		x.push(t, 0)
		f := x.newFrame(ctx, nil, t.slots)
		f.root = &f.own
		if t.mainSelf >= 0 {
			ctx.keep()
			f.slots[t.mainSelf] = objectValue(&selfRef{ctx})
		}
		t.main(f)
		root := f.own
		f.release()
		if root.parent != nil {
			x.tpl, x.at = t, root.at
		}
		t = root.parent
	}
	x.trail = x.trail[:len(x.trail)-levels]
	x.tpl, x.at = tpl, at
	x.leave()
}

// renderBlock runs a block in a place; level 0 is the version of the outermost
// child.
func (c *runContext) renderBlock(name string, level int, at extent) {
	x := c.x
	b := c.blocks[name][level].in(at)
	x.enter()
	tpl, from := x.tpl, x.at
	x.push(b.template, 0)
	f := x.newFrame(c, nil, b.slots)
	if b.self >= 0 {
		c.keep()
		f.slots[b.self] = objectValue(&selfRef{c})
	}
	if b.super >= 0 {
		c.keep()
		f.slots[b.super] = c.super(name, level)
	}
	b.body(f)
	f.release()
	x.pop()
	x.tpl, x.at = tpl, from
	x.leave()
}

func (c *runContext) super(name string, level int) value {
	if level+1 >= len(c.blocks[name]) {
		return missingHint(c.x.engine.options.Undefined, "super", "there is no parent block called '"+name+"'")
	}
	return objectValue(&blockRef{c, name, level + 1})
}

// module imports a template without context, once in a render.
func (x *exec) module(t *Template) *module {
	if m := x.modules[t]; m != nil {
		return m
	}
	m := x.makeModule(t, t.context(x, nil, false))
	if x.modules == nil {
		x.modules = map[*Template]*module{}
	}
	x.modules[t] = m
	return m
}

func (x *exec) makeModule(t *Template, ctx *runContext) *module {
	start := x.hold()
	x.renderMain(t, ctx)
	m := &module{template: t, body: string(x.out[start:])}
	x.takeBack(start)
	m.attrs = make(map[string]value, len(ctx.exported))
	for name := range ctx.exported {
		m.attrs[name] = ctx.vars[name]
	}
	return m
}
