package template

import (
	"maps"
	"slices"
	"strings"
)

// attributes walks each page for which there is an example of data, with the
// templates it extends and includes, and compares attributes with the types.
func (c *checker) attributes() {
	for _, name := range slices.Sorted(maps.Keys(c.options.Data)) {
		s := c.source(name)
		if s == nil {
			if !slices.Contains(c.names, name) {
				c.add(Problem{Place: Place{Name: name}, Message: "there is data for the template '" + name + "', which does not exist" + meant(name, c.names)})
			}
			continue
		}
		w := &typer{checker: c, names: c.globalTypes(), visited: map[*checked]bool{}, called: map[string]bool{}}
		maps.Copy(w.names, dataTypes(c.options.Data[name]))
		w.page(s)
	}
}

// globalTypes is what is known of the names that all templates see.
func (c *checker) globalTypes() map[string]known {
	globals := map[string]known{}
	for name := range c.engine.globals {
		globals[name] = known{}
	}
	maps.Copy(globals, dataTypes(c.engine.options.Globals))
	maps.Copy(globals, dataTypes(c.options.Globals))
	return globals
}

// typer knows the types of the names in reach.
type typer struct {
	*checker
	s       *checked
	names   map[string]known
	visited map[*checked]bool // templates of this page that were looked at
	called  map[string]bool   // macros, with the types they were called with
	quiet   int               // inside of what asks whether something exists
}

// page looks at a template and at those it extends.
func (w *typer) page(s *checked) {
	if w.visited[s] {
		return
	}
	chain := s.chain()
	overridden := map[string]bool{}
	for _, t := range chain {
		w.visited[t] = true
		w.template(t, overridden)
		for name, b := range t.blocks {
			if !(&compiler{}).bodyFacts(b.body).reads(nameSuper) {
				overridden[name] = true
			}
		}
	}
}

func (w *typer) template(s *checked, overridden map[string]bool) {
	before := w.s
	w.s = s
	w.list(s.body, overridden)
	w.s = before
}

func (w *typer) list(body []statement, overridden map[string]bool) {
	for _, st := range body {
		w.statement(st, overridden)
	}
}

// apart looks at statements whose assignments are not seen behind them.
func (w *typer) apart(body []statement, overridden map[string]bool) {
	before := maps.Clone(w.names)
	w.list(body, overridden)
	w.names = before
}

func (w *typer) statement(st statement, overridden map[string]bool) {
	switch n := st.(type) {
	case *outputNode:
		for _, e := range n.parts {
			w.eval(e)
		}
	case *ifNode:
		w.ifElse(n, overridden)
	case *forNode:
		w.loop(n, overridden)
	case *setNode:
		w.assign(n.target, w.eval(n.e))
	case *setBlockNode:
		w.apart(n.body, overridden)
		w.assign(n.target, known{})
	case *macroNode:
		w.macro(n)
	case *callNode:
		w.eval(n.call)
		w.macro(n.macro)
	case *filterNode:
		w.apart(n.body, overridden)
	case *withNode:
		before := maps.Clone(w.names)
		for i, e := range n.values {
			k := w.eval(e)
			w.forget(n.targets[i])
			w.assign(n.targets[i], k)
		}
		w.list(n.body, overridden)
		w.names = before
	case *settingNode:
		w.eval(n.e)
		w.list(n.body, overridden)
	case *autoescapeNode:
		w.list(n.body, overridden)
	case *blockNode:
		if !overridden[n.name] {
			w.apart(n.body, overridden)
		}
	case *includeNode:
		w.include(n)
	case *importNode:
		w.names[n.target] = known{module: w.source(oneName(n.template))}
	case *fromImportNode:
		from := w.source(oneName(n.template))
		for _, pair := range n.names {
			w.names[pair[1]] = macroOf(from, pair[0])
		}
	case *doNode:
		w.eval(n.e)
	}
}

func (w *typer) include(n *includeNode) {
	t := w.source(oneName(n.template))
	if t == nil || !n.withContext || w.visited[t] {
		return
	}
	before := maps.Clone(w.names)
	s := w.s
	w.page(t)
	w.s, w.names = s, before
}

// ifElse keeps of the names only what holds whichever way was taken.
func (w *typer) ifElse(n *ifNode, overridden map[string]bool) {
	start := maps.Clone(w.names)
	asked := asksForExistence(n.test)
	for _, e := range n.elifs {
		asked = asked || asksForExistence(e.test)
	}
	if asked {
		w.quiet++
		defer func() { w.quiet-- }()
	}
	var ends []map[string]known
	way := func(body []statement) {
		w.names = maps.Clone(start)
		w.list(body, overridden)
		ends = append(ends, w.names)
	}
	w.eval(n.test)
	way(n.body)
	for _, e := range n.elifs {
		w.names = start
		w.eval(e.test)
		way(e.body)
	}
	way(n.orElse)
	w.names = start
	for _, end := range ends {
		for name, k := range end {
			if old, ok := w.names[name]; ok {
				k = old.merged(k)
			}
			w.names[name] = k
		}
	}
}

func asksForExistence(e expression) bool {
	found := false
	walk(e, func(n any) bool {
		if t, ok := n.(*testExpr); ok && (t.name == "defined" || t.name == "undefined") {
			found = true
		}
		return !found
	})
	return found
}

func (w *typer) loop(n *forNode, overridden map[string]bool) {
	first, second := w.pairs(n.iter)
	before := maps.Clone(w.names)
	// What a round assigns is not seen by the next, so one look is enough.
	w.forget(n.target)
	if t, ok := n.target.(*tupleExpr); ok && len(t.items) == 2 {
		w.assign(t.items[0], first)
		w.assign(t.items[1], second)
	} else if _, ok := n.target.(*nameExpr); ok && second == (known{}) {
		w.assign(n.target, first)
	}
	if n.recursive {
		// Deeper levels may be of another type.
		w.forget(n.target)
	}
	w.names["loop"] = known{}
	if n.test != nil {
		w.eval(n.test)
	}
	w.list(n.body, overridden)
	w.names = before
	w.apart(n.orElse, overridden)
}

// pairs is what a loop over an expression gives; second is set for pairs.
func (w *typer) pairs(e expression) (first, second known) {
	if call, ok := e.(*callExpr); ok {
		if a, ok := call.fn.(*attrExpr); ok && (a.name == "items" || a.name == "values") {
			if m := w.eval(a.obj).through(); m.rt != nil && typeFor(m.rt).class == classMap {
				if a.name == "items" {
					return ofType(m.rt.Key()), ofType(m.rt.Elem())
				}
				return ofType(m.rt.Elem()), known{}
			}
		}
	}
	return w.eval(e).elements()
}

func (w *typer) macro(n *macroNode) {
	for _, d := range n.defaults {
		w.eval(d)
	}
	before := maps.Clone(w.names)
	for _, p := range n.params {
		w.names[p.name] = known{}
	}
	w.list(n.body, nil)
	w.names = before
	if n.name != "" {
		w.names[n.name] = known{module: w.s, macro: n}
	}
}

// forget drops what was known of the names of a target.
func (w *typer) forget(target expression) {
	for _, name := range targets(target) {
		delete(w.names, name)
	}
}

// assign notes the type of a name; one that had another before is not known.
func (w *typer) assign(target expression, k known) {
	t, ok := target.(*nameExpr)
	if !ok {
		for _, name := range targets(target) {
			w.names[name] = known{}
		}
		return
	}
	w.names[t.name] = k
}

// eval looks at an expression and gives what is known of its value.
func (w *typer) eval(e expression) known {
	switch n := e.(type) {
	case nil:
		return known{}
	case *nameExpr:
		return w.name(n)
	case *attrExpr:
		return w.attr(n)
	case *itemExpr:
		obj := w.eval(n.obj)
		if _, slice := n.key.(*sliceExpr); slice {
			w.children(n.key)
			return obj
		}
		w.eval(n.key)
		if k, ok := n.key.(constant); ok && k.v.isString() {
			if o := obj.through(); o.rt != nil && typeFor(o.rt).class == classStruct {
				return known{}
			}
		}
		return obj.item()
	case *callExpr:
		fn := w.eval(n.fn)
		if fn.macro != nil {
			w.callMacro(fn, &n.args)
			return known{}
		}
		w.arguments(&n.args)
		return fn.result()
	case *filterExpr:
		return w.filter(n)
	case *testExpr:
		if n.name == "defined" || n.name == "undefined" {
			w.quietly(n.in)
		} else {
			w.eval(n.in)
		}
		w.arguments(&n.args)
		return known{}
	case *condExpr:
		asked := asksForExistence(n.test)
		if asked {
			w.quiet++
		}
		w.eval(n.test)
		k := w.eval(n.yes)
		if n.no != nil {
			k = k.merged(w.eval(n.no))
		}
		if asked {
			w.quiet--
		}
		return k
	case *binaryExpr:
		a, b := w.eval(n.a), w.eval(n.b)
		if n.op == "or" || n.op == "and" {
			return a.merged(b)
		}
		return known{}
	}
	w.children(e)
	return known{}
}

// children looks at the parts of an expression of which nothing is known.
func (w *typer) children(e expression) {
	top := true
	walk(e, func(n any) bool {
		if top {
			top = false
			return true
		}
		w.eval(n)
		return false
	})
}

func (w *typer) quietly(e expression) known {
	w.quiet++
	defer func() { w.quiet-- }()
	return w.eval(e)
}

func (w *typer) arguments(a *arguments) {
	for _, e := range a.pos {
		w.eval(e)
	}
	for _, k := range a.kw {
		w.eval(k.e)
	}
	w.eval(a.dynPos)
	w.eval(a.dyn)
}

func (w *typer) name(n *nameExpr) known {
	k, ok := w.names[n.name]
	if !ok && w.quiet == 0 && assignments(w.s.body, n.name) == 0 && specialName(n.name) == 0 {
		// A handler may set names that the example does not have, so only what
		// looks like a misspelt name is worth a word.
		if guess := meant(n.name, slices.Sorted(maps.Keys(w.names))); guess != "" {
			w.report(w.s, n.at, true, "nothing is known of a variable '"+n.name+"'"+guess)
		}
	}
	return k
}

func (w *typer) attr(n *attrExpr) known {
	obj := w.eval(n.obj)
	if obj.module != nil {
		return macroOf(obj.module, n.name)
	}
	k, lacking, names := obj.attr(n.name)
	if lacking && w.quiet == 0 {
		w.lacking(n.at, obj, n.name, names)
	}
	return k
}

func (w *typer) lacking(at spot, obj known, name string, names []string) {
	message := "'" + obj.through().rt.String() + "' has no attribute '" + name + "'"
	if guess := meant(name, names); guess != "" {
		message += guess
	} else if len(names) > 0 && len(names) <= maxListed {
		message += "; it has " + strings.Join(names, ", ")
	}
	w.report(w.s, at, false, message)
}

// filter follows the filters that give their input, or elements of it, and
// looks at those that take the name of an attribute.
func (w *typer) filter(n *filterExpr) known {
	var in known
	if n.name == "default" || n.name == "d" || n.name == "default_if_none" {
		in = w.quietly(n.in)
	} else {
		in = w.eval(n.in)
	}
	w.arguments(&n.args)
	element, second := in.elements()
	if second != (known{}) {
		element = known{}
	}
	if name := attributeArgument(n); name != "" {
		element = w.path(n.at, element, name)
		if n.name == "map" {
			return sliceOf(element)
		}
	}
	switch n.name {
	case "sort", "reverse", "unique", "list", "selectattr", "rejectattr", "select", "reject":
		if k := in.through(); k.rt != nil && typeFor(k.rt).class == classSlice {
			return in
		}
	case "first", "last", "random", "min", "max":
		if attributeArgument(n) == "" {
			return element
		}
		first, _ := in.elements()
		return first
	}
	return known{}
}

// attributeArgument is the constant name of the attribute a filter goes by.
func attributeArgument(n *filterExpr) string {
	position := -1
	switch n.name {
	case "map", "sort", "unique", "min", "max", "sum", "join":
	case "groupby", "selectattr", "rejectattr":
		position = 0
	default:
		return ""
	}
	for _, k := range n.args.kw {
		if k.name == "default" {
			return ""
		}
	}
	for _, k := range n.args.kw {
		if c, ok := k.e.(constant); ok && k.name == "attribute" && c.v.isString() {
			return c.v.str()
		}
	}
	if position >= 0 && position < len(n.args.pos) {
		if c, ok := n.args.pos[position].(constant); ok && c.v.isString() {
			if len(n.args.pos) > 1 && n.args.pos[1] != nil && asksByName(n.args.pos[1]) {
				return ""
			}
			return c.v.str()
		}
	}
	return ""
}

// asksByName reports whether selectattr asks if the attribute exists.
func asksByName(e expression) bool {
	c, ok := e.(constant)
	return ok && c.v.isString() && (c.v.str() == "defined" || c.v.str() == "undefined")
}

// path follows a dotted name, or several with commas between.
func (w *typer) path(at spot, k known, path string) known {
	if strings.Contains(path, ",") {
		for part := range strings.SplitSeq(path, ",") {
			w.path(at, k, part)
		}
		return known{}
	}
	for name := range strings.SplitSeq(path, ".") {
		next, lacking, names := k.attr(name)
		if lacking && w.quiet == 0 {
			w.lacking(at, k, name, names)
		}
		k = next
	}
	return k
}
