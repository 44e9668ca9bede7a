package template

import (
	"slices"
	"strings"
)

func (p *parser) forTag(at spot) statement {
	n := &forNode{at: at}
	n.target = p.assignTarget(true, false)
	p.expectName("in")
	n.iter = p.tuple(tupleRules{})
	if p.skipName("if") {
		n.test = p.expr()
	}
	n.recursive = p.skipName("recursive")
	ends := []string{"endfor", "else"}
	if p.engine.options.Extensions.Django {
		ends = append(ends, "empty")
	}
	n.body = p.body(false, ends...)
	if p.advance().text != "endfor" {
		n.orElse = p.body(true, "endfor")
	}
	return n
}

func (p *parser) ifTag(at spot) statement {
	root := &ifNode{at: at}
	n := root
	for {
		n.test = p.tuple(tupleRules{})
		n.body = p.body(false, "elif", "else", "endif")
		switch t := p.advance(); t.text {
		case "elif":
			n = &ifNode{at: t.at}
			root.elifs = append(root.elifs, n)
		case "else":
			root.orElse = p.body(true, "endif")
			return root
		default:
			return root
		}
	}
}

func (p *parser) blockTag(at spot) statement {
	n := &blockNode{at: at}
	n.name = p.expect(tokenName, "the block's name").text
	n.scoped = p.skipName("scoped")
	n.required = p.skipName("required")
	if p.cur().isOp("-") {
		p.fail(p.cur().at, "block names cannot contain '-'; use an underscore")
	}
	n.body = p.body(true, "endblock")
	if n.required {
		for _, s := range n.body {
			out, ok := s.(*outputNode)
			if !ok {
				p.fail(at, "a required block can only contain comments or whitespace")
			}
			for _, part := range out.parts {
				if d, ok := part.(dataText); !ok || strings.TrimSpace(d.text) != "" {
					p.fail(at, "a required block can only contain comments or whitespace")
				}
			}
		}
	}
	p.skipName(n.name)
	return n
}

func (p *parser) printTag(at spot) statement {
	n := &outputNode{at: at}
	for p.cur().kind != tokenBlockEnd {
		if len(n.parts) > 0 {
			p.expectOp(",")
		}
		n.parts = append(n.parts, p.shown(p.expr(), at))
	}
	return n
}

func (p *parser) includeTag(at spot) statement {
	n := &includeNode{template: p.expr(), at: at, withContext: true}
	if p.cur().isName("ignore") && p.peek().isName("missing") {
		n.ignoreMissing = true
		p.pos += 2
	}
	p.importContext(&n.withContext)
	return n
}

func (p *parser) importContext(with *bool) bool {
	if p.cur().isName("with", "without") && p.peek().isName("context") {
		*with = p.advance().text == "with"
		p.pos++
		return true
	}
	return false
}

func (p *parser) importTag(at spot) statement {
	n := &importNode{template: p.expr(), at: at}
	p.expectName("as")
	n.target = p.assignName()
	p.importContext(&n.withContext)
	return n
}

func (p *parser) fromTag(at spot) statement {
	n := &fromImportNode{template: p.expr(), at: at}
	p.expectName("import")
	for {
		if len(n.names) > 0 {
			p.expectOp(",")
		}
		if p.cur().kind != tokenName {
			p.expect(tokenName, "a name to import")
		}
		if p.importContext(&n.withContext) {
			break
		}
		t := p.cur()
		name := p.assignName()
		if strings.HasPrefix(name, "_") {
			p.fail(t.at, "names starting with an underscore cannot be imported")
		}
		alias := name
		if p.skipName("as") {
			alias = p.assignName()
		}
		n.names = append(n.names, [2]string{name, alias})
		if p.importContext(&n.withContext) || !p.cur().isOp(",") {
			break
		}
	}
	return n
}

func (p *parser) setTag(at spot) statement {
	target := p.assignTarget(true, true)
	if p.skipOp("=") {
		return &setNode{target: target, e: p.tuple(tupleRules{conditions: true}), at: at}
	}
	n := &setBlockNode{target: target, at: at}
	n.filter, _ = p.filters(nil, false).(*filterExpr)
	n.body = p.body(true, "endset")
	return n
}

func (p *parser) withTag(at spot) statement {
	n := &withNode{at: at}
	for p.cur().kind != tokenBlockEnd {
		if len(n.targets) > 0 && (!p.engine.options.Extensions.Django || p.cur().isOp(",")) {
			p.expectOp(",")
		}
		n.targets = append(n.targets, p.assignTarget(true, false))
		p.expectOp("=")
		n.values = append(n.values, p.expr())
	}
	n.body = p.body(true, "endwith")
	return n
}

func (p *parser) macroTag(at spot) statement {
	n := &macroNode{at: at, name: p.assignName()}
	p.signature(n)
	n.body = p.body(true, "endmacro")
	return n
}

func (p *parser) autoescapeTag(at spot) statement {
	n := &autoescapeNode{at: at}
	if t := p.cur(); p.engine.options.Extensions.Django && t.isName("on", "off") {
		p.pos++
		n.e = constant{boolValue(t.text == "on")}
	} else {
		n.e = p.expr()
	}
	n.body = p.body(true, "endautoescape")
	return n
}

func (p *parser) callTag(at spot) statement {
	n := &callNode{at: at, macro: &macroNode{at: at}}
	if p.cur().isOp("(") {
		p.signature(n.macro)
	}
	call, ok := p.expr().(*callExpr)
	if !ok {
		p.fail(at, "expected a call, such as {%% call name() %%}")
	}
	n.call = call
	n.macro.body = p.body(true, "endcall")
	return n
}

func (p *parser) signature(n *macroNode) {
	var declared nameSet
	p.expectOp("(")
	for !p.cur().isOp(")") {
		if len(n.params) > 0 {
			p.expectOp(",")
		}
		t := p.cur()
		name := p.assignName()
		if !declared.add(name) {
			p.fail(t.at, "the parameter '%s' is declared twice", name)
		}
		n.params = append(n.params, &nameExpr{name: name, store: true})
		switch {
		case p.skipOp("="):
			n.defaults = append(n.defaults, p.expr())
		case len(n.defaults) > 0:
			p.fail(t.at, "a parameter without a default cannot follow one with a default")
		}
	}
	p.expectOp(")")
}

// assignName reads a single name to assign to.
func (p *parser) assignName() string {
	t := p.expect(tokenName, "a name")
	p.assignable(t.at, &nameExpr{name: t.text})
	return t.text
}

// assignTarget reads what stands left of an assignment: a name, a tuple of
// names, or an attribute of a namespace where that is allowed.
func (p *parser) assignTarget(tuple, namespaces bool) expression {
	at := p.cur().at
	var e expression
	if tuple {
		e = p.tuple(tupleRules{simple: true, namespaces: namespaces})
	} else {
		e = p.primary(namespaces)
	}
	p.assignable(at, e)
	return e
}

func (p *parser) assignable(at spot, e expression) {
	switch e := e.(type) {
	case *nameExpr:
		switch e.name {
		case "true", "false", "none", "True", "False", "None":
		default:
			e.store = true
			return
		}
	case *namespaceRef:
		return
	case *tupleExpr:
		for _, it := range e.items {
			p.assignable(at, it)
		}
		return
	}
	p.fail(at, "cannot assign to that")
}

// nameSet holds names; few of them in a slice, many in a map.
type nameSet struct {
	few  []string
	many map[string]bool
}

// add reports whether a name is new.
func (s *nameSet) add(name string) bool {
	if s.many[name] || slices.Contains(s.few, name) {
		return false
	}
	if len(s.few) < 8 {
		s.few = append(s.few, name)
		return true
	}
	if s.many == nil {
		s.many = map[string]bool{}
	}
	s.many[name] = true
	return true
}
