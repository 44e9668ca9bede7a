package template

import (
	"slices"
)

func (c *compiler) ifElse(n *ifNode, p place) execFunc {
	p = p.conditional()
	type branch struct {
		test evalFunc
		at   spot
		body execFunc
	}
	c.at = n.at
	branches := []branch{{c.settled(n.test, p), n.at, c.body(n.body, p)}}
	for _, e := range n.elifs {
		c.at = e.at
		branches = append(branches, branch{c.settled(e.test, p), e.at, c.body(e.body, p)})
	}
	orElse := c.body(n.orElse, p)
	if len(branches) == 1 {
		b := branches[0]
		return func(f *frame) control {
			f.x.at = b.at
			if b.test(f).truth() {
				return b.body(f)
			}
			return orElse(f)
		}
	}
	return func(f *frame) control {
		for i := range branches {
			f.x.at = branches[i].at
			if branches[i].test(f).truth() {
				return branches[i].body(f)
			}
		}
		return orElse(f)
	}
}

func (c *compiler) set(n *setNode, p place) execFunc {
	get := c.settled(n.e, p)
	put := c.assign(n.target, p, true)
	check := c.checkNamespaces(n.target, p)
	return func(f *frame) control {
		f.x.at = n.at
		if check != nil {
			check(f)
		}
		put(f, get(f))
		return goOn
	}
}

// checkNamespaces fails before the value is computed if an attribute is
// assigned to something that is no namespace; nil if there is none to check.
func (c *compiler) checkNamespaces(target expression, p place) func(f *frame) {
	switch t := target.(type) {
	case *namespaceRef:
		read := c.read(t.name, p)
		return func(f *frame) { namespaceOf(read(f)) }
	case *tupleExpr:
		var checks []func(f *frame)
		for _, it := range t.items {
			if check := c.checkNamespaces(it, p); check != nil {
				checks = append(checks, check)
			}
		}
		if len(checks) > 0 {
			return func(f *frame) {
				for _, check := range checks {
					check(f)
				}
			}
		}
	}
	return nil
}

func namespaceOf(v value) *namespace {
	if v.kind == kindObject {
		if n, ok := v.object().(*namespace); ok {
			return n
		}
	}
	panic(runtimeError("cannot assign an attribute of '%s', which is no namespace", v.typeName()))
}

func (c *compiler) setBlock(n *setBlockNode, p place) execFunc {
	in := p.inner()
	in.checkOutput, in.skips = false, false
	in.scope.analyze(n.body)
	code := c.body(n.body, in)
	var filter func(f *frame, v value) value
	if n.filter != nil {
		filter = c.filterCaptured(n.filter, in)
	}
	enter := c.enter(in)
	put := c.assign(n.target, p, true)
	// Jinja trusts whatever a filter made of the block. Where values are
	// escaped by context that is not good enough: striptags, say, gives back
	// what was escaped.
	trusts := c.plan == nil
	return func(f *frame) control {
		if enter != nil {
			enter(f)
		}
		v, ctl := capture(f, code, f.ctx.eval.autoescape)
		if ctl != goOn {
			return ctl
		}
		if filter != nil {
			f.x.at = n.at
			v = filter(f, v)
			if trusts && v.kind != kindSafe && f.ctx.eval.autoescape {
				v = safeValue(v.text())
			}
		}
		put(f, v)
		return goOn
	}
}

func (c *compiler) filterBlock(n *filterNode, p place) execFunc {
	in := p.inner()
	in.scope.analyze(n.body)
	in.scope.visit(n.filter)
	code := c.body(n.body, in)
	filter := c.filterCaptured(n.filter, in)
	enter := c.enter(in)
	write := c.captured(n, in)
	return func(f *frame) control {
		if enter != nil {
			enter(f)
		}
		v, ctl := capture(f, code, safeHere(f, in.escape))
		if ctl != goOn {
			return ctl
		}
		f.x.at = n.at
		write(f, filter(f, v))
		return goOn
	}
}

// writeString appends a value that must be a string already.
func (x *exec) writeString(v value) {
	if !v.isString() {
		if v.isUndefined() {
			panic(runtimeError("expected a string to print: %s", v.undefined().message()))
		}
		panic(runtimeError("expected a string to print, got '%s'", v.typeName()))
	}
	x.out = append(x.out, v.str()...)
	x.written()
}

func (c *compiler) with(n *withNode, p place) execFunc {
	in := p.inner()
	for _, t := range n.targets {
		in.scope.storeParameters(t)
	}
	in.scope.analyze(n.body)
	values := make([]evalFunc, len(n.values))
	puts := make([]func(*frame, value), len(n.values))
	for i := range n.values {
		values[i] = c.eval(n.values[i], p)
		puts[i] = c.assign(n.targets[i], in, false)
	}
	code := c.body(n.body, in)
	enter := c.enter(in)
	return func(f *frame) control {
		f.x.at = n.at
		if enter != nil {
			enter(f)
		}
		for i := range values {
			puts[i](f, values[i](f))
		}
		return code(f)
	}
}

// setting compiles a tag that changes, for its body, how things are shown to
// the reader.
func (c *compiler) setting(n *settingNode, p place) execFunc {
	get := c.eval(n.e, p)
	in := p.inner()
	in.scope.analyze(n.body)
	code := c.body(n.body, in)
	enter := c.enter(in)
	return func(f *frame) control {
		f.x.at = n.at
		v := get(f)
		if enter != nil {
			enter(f)
		}
		before := f.x.reader
		n.apply(f.x, v)
		ctl := code(f)
		f.x.reader = before
		return ctl
	}
}

func (c *compiler) autoescape(n *autoescapeNode, p place) execFunc {
	in := p.inner()
	in.scope.visit(n.e)
	in.scope.analyze(n.body)
	get := c.eval(n.e, in)
	if k, ok := n.e.(constant); ok {
		in.escape = escapeOff
		if k.v.truth() {
			in.escape = escapeOn
		}
	} else {
		if p.escape != escapeAsked {
			in.literal = p.escape
		}
		in.escape = escapeAsked
	}
	code := c.body(n.body, in)
	enter := c.enter(in)
	return func(f *frame) control {
		f.x.at = n.at
		if enter != nil {
			enter(f)
		}
		eval := f.ctx.eval
		before := eval.autoescape
		eval.autoescape = get(f).truth()
		ctl := code(f)
		eval.autoescape = before
		return ctl
	}
}

func (c *compiler) do(n *doNode, p place) execFunc {
	get := c.eval(n.e, p)
	return func(f *frame) control {
		f.x.at = n.at
		get(f)
		return goOn
	}
}

func (c *compiler) debug(p place) execFunc {
	vars := p.scope.nameList()
	depth := p.scope.fn.depth
	engine := c.engine
	return func(f *frame) control {
		names := f.ctx.names()
		for k, v := range vars.values(f, depth) {
			names.set(stringValue(k), v)
		}
		list := func(names []string) value {
			slices.Sort(names)
			items := make([]value, len(names))
			for i, n := range names {
				items[i] = stringValue(n)
			}
			return listValue(items)
		}
		d := NewDict()
		d.set(stringValue("context"), dictValue(names))
		d.set(stringValue("filters"), list(engine.filterNames()))
		d.set(stringValue("tests"), list(engine.testNames()))
		text := string(prettyPrint(dictValue(d)))
		if safeHere(f, p.escape) {
			text = escapeString(text)
		}
		f.x.writeString(stringValue(text))
		return goOn
	}
}

// blockRef compiles a block where it stands: it renders whichever version of
// the block is the outermost child's.
func (c *compiler) blockRef(n *blockNode, p place) execFunc {
	switch n.partial {
	case partialApart:
		return nil
	case partialUse:
		if c.blocks[n.name] == nil {
			c.fail("no partial named '%s'", n.name)
		}
	}
	checked := false
	if p.toplevel {
		if c.known {
			return nil
		}
		checked = c.extends > 0
	}
	var vars *nameList
	if n.scoped {
		vars = p.scope.nameList()
	}
	depth := p.scope.fn.depth
	at := c.plan.blockAt(n)
	return func(f *frame) control {
		if checked && f.root.parent != nil || f.x.blocksOff {
			return goOn
		}
		f.x.at = n.at
		chain := f.ctx.blocks[n.name]
		if n.required && len(chain) <= 1 {
			panic(runtimeError("required block '%s' not found", n.name))
		}
		ctx := f.ctx
		if n.scoped {
			ctx = ctx.derive(vars.values(f, depth))
		}
		ctx.renderBlock(n.name, 0, at)
		return goOn
	}
}

func (c *compiler) extend(n *extendsNode, p place) execFunc {
	if !p.toplevel {
		c.fail("extends must be at the top level of the template")
	}
	get := c.eval(n.template, p)
	again, sure := c.extends > 0, c.extends > 0 && c.known
	if p.rootlevel {
		c.known = true
	}
	c.extends++
	contextual, at := c.plan != nil, c.tpl.extent
	return func(f *frame) control {
		f.x.at = n.at
		if again && (sure || f.root.parent != nil) {
			panic(runtimeError("extended multiple times"))
		}
		parent := f.x.template(get(f))
		if contextual {
			parent = parent.in(at)
		}
		f.root.parent, f.root.at = parent, n.at
		f.ctx.inherit(parent)
		return goOn
	}
}

func (c *compiler) include(n *includeNode, p place) execFunc {
	get := c.eval(n.template, p)
	vars := p.scope.nameList()
	depth := p.scope.fn.depth
	contextual, at := c.plan != nil, c.plan.includeAt(n)
	return func(f *frame) control {
		if p.skips && f.x.blocksOff {
			return goOn
		}
		f.x.at = n.at
		t := f.x.chooseTemplate(get(f), n.ignoreMissing)
		if t == nil {
			return goOn
		}
		if contextual && (t.contextual || p.escape != escapeOff) {
			t = t.in(at)
		}
		if n.only != nil {
			own := map[string]value{}
			for _, name := range n.only {
				if v, ok := vars.value(f, depth, name); ok {
					own[name] = v
				}
			}
			f.x.renderMain(t, t.context(f.x, &layer{vars: own}, false))
			return goOn
		}
		if n.withContext {
			ctx := t.included(f, depth, vars)
			f.x.renderMain(t, ctx)
			ctx.release()
		} else {
			f.x.writeString(stringValue(f.x.module(t).body))
		}
		return goOn
	}
}

func (c *compiler) importAs(n *importNode, p place) execFunc {
	load := c.loadModule(n.template, n.withContext, p)
	put := c.assign(&nameExpr{name: n.target, store: true}, p, false)
	return func(f *frame) control {
		f.x.at = n.at
		m := objectValue(load(f))
		put(f, m)
		if p.toplevel {
			f.ctx.set(n.target, m)
			f.ctx.export(n.target, false)
		}
		return goOn
	}
}

func (c *compiler) fromImport(n *fromImportNode, p place) execFunc {
	load := c.loadModule(n.template, n.withContext, p)
	puts := make([]func(*frame, value), len(n.names))
	for i, names := range n.names {
		puts[i] = c.assign(&nameExpr{name: names[1], store: true}, p, false)
	}
	mode := c.engine.options.Undefined
	return func(f *frame) control {
		f.x.at = n.at
		m := load(f)
		for i, names := range n.names {
			v, ok := m.attrs[names[0]]
			if !ok {
				v = missingHint(mode, names[0], "the template '"+m.template.name+"' does not export the requested name '"+names[0]+"'")
			}
			puts[i](f, v)
			if p.toplevel {
				f.ctx.set(names[1], v)
				f.ctx.export(names[1], false)
			}
		}
		return goOn
	}
}

func (c *compiler) loadModule(name expression, withContext bool, p place) func(f *frame) *module {
	get := c.eval(name, p)
	if !withContext {
		return func(f *frame) *module { return f.x.module(f.x.template(get(f))) }
	}
	vars := p.scope.nameList()
	depth := p.scope.fn.depth
	return func(f *frame) *module {
		t := f.x.template(get(f))
		return f.x.makeModule(t, t.context(f.x, f.ctx.handDown(vars.values(f, depth)), f.ctx.data))
	}
}
