package template

import "strconv"

// object is a value that only exists inside the engine: macros, modules, the
// loop variable and so on. What else one can do shows in further methods:
// attr, call, iterate, length, contains, equal, appendHTML, appendRepr.
type object interface {
	typeName() string
	appendText(dst []byte) []byte
}

type attrObject interface {
	attr(x *exec, name string) (value, bool)
}

type itemObject interface {
	item(x *exec, key value) (value, bool)
}

type callObject interface {
	call(x *exec, a *callArgs) value
}

// method is a function bound to a value.
type method struct {
	name string
	call func(x *exec, a *callArgs) value
}

func (m *method) typeName() string { return "builtin_function_or_method" }

func (m *method) appendText(dst []byte) []byte {
	return append(append(append(dst, "<built-in method "...), m.name...), '>')
}

// boundMethod makes callable values of methods.
type boundMethod struct{ *method }

func (m boundMethod) call(x *exec, a *callArgs) value { return m.method.call(x, a) }

// module is an imported template: what its top level exported.
type module struct {
	template *Template
	attrs    map[string]value
	body     string
}

func (m *module) typeName() string { return "TemplateModule" }

func (m *module) appendText(dst []byte) []byte { return append(dst, m.body...) }

func (m *module) appendRepr(dst []byte) []byte {
	return append(appendQuoted(append(dst, "<TemplateModule "...), m.template.name), '>')
}

func (m *module) appendHTML(dst []byte) []byte { return append(dst, m.body...) }

func (m *module) attr(_ *exec, name string) (value, bool) {
	v, ok := m.attrs[name]
	return v, ok
}

// namespace is an object with attributes a template may assign.
type namespace struct{ attrs *Dict }

func (n *namespace) typeName() string { return "Namespace" }

func (n *namespace) appendText(dst []byte) []byte {
	return append(appendRepr(append(dst, "<Namespace "...), dictValue(n.attrs)), '>')
}

func (n *namespace) attr(_ *exec, name string) (value, bool) { return n.attrs.getString(name) }

// cycler steps through its items each time next is called.
type cycler struct {
	items []value
	at    int
}

func (c *cycler) typeName() string { return "Cycler" }

func (c *cycler) appendText(dst []byte) []byte { return append(dst, "<Cycler>"...) }

func (c *cycler) attr(_ *exec, name string) (value, bool) {
	switch name {
	case "next":
		return methodValue("next", func(_ *exec, a *callArgs) value {
			noArguments("next", a)
			v := c.items[c.at]
			c.at = (c.at + 1) % len(c.items)
			return v
		}), true
	case "current":
		return c.items[c.at], true
	case "reset":
		return methodValue("reset", func(_ *exec, a *callArgs) value {
			noArguments("reset", a)
			c.at = 0
			return none
		}), true
	case "items":
		return tupleValue(c.items...), true
	case "pos":
		return intValue(int64(c.at)), true
	}
	return value{}, false
}

// joiner gives nothing when called first, and its separator from then on.
type joiner struct {
	separator value
	used      bool
}

func (j *joiner) typeName() string { return "Joiner" }

func (j *joiner) appendText(dst []byte) []byte { return append(dst, "<Joiner>"...) }

func (j *joiner) call(_ *exec, a *callArgs) value {
	noArguments("joiner", a)
	if !j.used {
		j.used = true
		return empty
	}
	return j.separator
}

func (j *joiner) attr(_ *exec, name string) (value, bool) {
	switch name {
	case "sep":
		return j.separator, true
	case "used":
		return boolValue(j.used), true
	}
	return value{}, false
}

func methodValue(name string, call func(x *exec, a *callArgs) value) value {
	return objectValue(boundMethod{&method{name, call}})
}

func noArguments(name string, a *callArgs) {
	if len(a.pos)+len(a.kw) > 0 {
		panic(runtimeError("%s() takes no arguments (%d given)", name, len(a.pos)+len(a.kw)))
	}
}

// blockRef is super or an attribute of self: a block that can be called.
type blockRef struct {
	ctx   *runContext
	name  string
	level int
}

func (b *blockRef) typeName() string { return "BlockReference" }

func (b *blockRef) appendText(dst []byte) []byte {
	return append(dst, "<BlockReference "+strconv.Quote(b.name)+">"...)
}

func (b *blockRef) call(x *exec, a *callArgs) value {
	noArguments("block "+b.name, a)
	start := x.hold()
	b.ctx.renderBlock(b.name, b.level, extent{})
	v := x.keepText(x.out[start:], b.ctx.eval.autoescape)
	x.takeBack(start)
	return v
}

// attr gives the next version of the block for super.super.
func (b *blockRef) attr(x *exec, name string) (value, bool) {
	if name != "super" {
		return value{}, false
	}
	return b.ctx.super(b.name, b.level), true
}

// selfRef is the variable self: the template's blocks.
type selfRef struct{ ctx *runContext }

func (s *selfRef) typeName() string { return "TemplateReference" }

func (s *selfRef) appendText(dst []byte) []byte { return append(dst, "<TemplateReference>"...) }

func (s *selfRef) attr(_ *exec, name string) (value, bool) {
	if len(s.ctx.blocks[name]) == 0 {
		return value{}, false
	}
	return objectValue(&blockRef{s.ctx, name, 0}), true
}

// templateObject is a template handed over by the program, for include and
// extends.
type templateObject struct{ t *Template }

func (t *templateObject) typeName() string { return "Template" }

func (t *templateObject) appendText(dst []byte) []byte {
	return append(dst, "<Template "+strconv.Quote(t.t.name)+">"...)
}

// dictView is what a mapping's keys, values and items methods give.
type dictView struct {
	d    *Dict
	what byte // 'k', 'v', 'i'
}

func (d *dictView) typeName() string {
	return map[byte]string{'k': "dict_keys", 'v': "dict_values", 'i': "dict_items"}[d.what]
}

func (d *dictView) at(i int) value {
	switch d.what {
	case 'k':
		return d.d.keys[i]
	case 'v':
		return d.d.vals[i]
	}
	return tupleValue(d.d.keys[i], d.d.vals[i])
}

func (d *dictView) length() int { return d.d.Len() }

func (d *dictView) iterate() iterator { return &dictViewIterator{view: d} }

type dictViewIterator struct {
	view *dictView
	i    int
}

func (it *dictViewIterator) next(*exec) (value, bool) {
	if it.i >= it.view.length() {
		return value{}, false
	}
	it.i++
	return it.view.at(it.i - 1), true
}

func (it *dictViewIterator) length() int { return it.view.length() }

func (d *dictView) contains(item value) bool {
	switch d.what {
	case 'k':
		_, ok := d.d.get(item)
		return ok
	case 'v':
		for _, v := range d.d.vals {
			if equal(v, item) {
				return true
			}
		}
		return false
	}
	for i := range d.d.keys {
		if equal(d.at(i), item) {
			return true
		}
	}
	return false
}

func (d *dictView) equal(o object) bool {
	other, ok := o.(*dictView)
	if !ok || d.what == 'v' || other.length() != d.length() {
		return ok && d == other
	}
	for i := range d.d.keys {
		if !other.contains(d.at(i)) {
			return false
		}
	}
	return true
}

// dictView gives the view a value is.
func (v value) dictView() (*dictView, bool) {
	if v.kind != kindObject {
		return nil, false
	}
	d, ok := v.object().(*dictView)
	return d, ok
}

func (d *dictView) appendText(dst []byte) []byte {
	p := printer{dst: append(append(dst, d.typeName()...), '(')}
	items := make([]value, d.length())
	for i := range items {
		items[i] = d.at(i)
	}
	p.sequence('[', items, ']')
	return append(p.dst, ')')
}
