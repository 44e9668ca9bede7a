package template

import "strings"

func (p *parser) forTag(line int) statement {
	n := &forNode{line: line}
	n.target = p.assignTarget(true, false)
	p.expectName("in")
	n.iter = p.tuple(tupleRules{})
	if p.skipName("if") {
		n.test = p.expr()
	}
	n.recursive = p.skipName("recursive")
	n.body = p.body(false, "endfor", "else")
	if p.advance().text == "else" {
		n.orElse = p.body(true, "endfor")
	}
	return n
}

func (p *parser) ifTag(line int) statement {
	root := &ifNode{line: line}
	n := root
	for {
		n.test = p.tuple(tupleRules{})
		n.body = p.body(false, "elif", "else", "endif")
		switch t := p.advance(); t.text {
		case "elif":
			n = &ifNode{line: t.line}
			root.elifs = append(root.elifs, n)
		case "else":
			root.orElse = p.body(true, "endif")
			return root
		default:
			return root
		}
	}
}

func (p *parser) blockTag(line int) statement {
	n := &blockNode{line: line}
	n.name = p.expect(tokenName, "the block's name").text
	n.scoped = p.skipName("scoped")
	n.required = p.skipName("required")
	if p.cur().isOp("-") {
		p.fail(p.cur().line, "block names cannot contain '-'; use an underscore")
	}
	n.body = p.body(true, "endblock")
	if n.required {
		for _, s := range n.body {
			out, ok := s.(*outputNode)
			if !ok {
				p.fail(line, "a required block can only contain comments or whitespace")
			}
			for _, part := range out.parts {
				if d, ok := part.(dataText); !ok || strings.TrimSpace(d.text) != "" {
					p.fail(line, "a required block can only contain comments or whitespace")
				}
			}
		}
	}
	p.skipName(n.name)
	return n
}

func (p *parser) printTag(line int) statement {
	n := &outputNode{line: line}
	for p.cur().kind != tokenBlockEnd {
		if len(n.parts) > 0 {
			p.expectOp(",")
		}
		n.parts = append(n.parts, p.expr())
	}
	return n
}

func (p *parser) includeTag(line int) statement {
	n := &includeNode{template: p.expr(), line: line, withContext: true}
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

func (p *parser) importTag(line int) statement {
	n := &importNode{template: p.expr(), line: line}
	p.expectName("as")
	n.target = p.assignName()
	p.importContext(&n.withContext)
	return n
}

func (p *parser) fromTag(line int) statement {
	n := &fromImportNode{template: p.expr(), line: line}
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
			p.fail(t.line, "names starting with an underscore cannot be imported")
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

func (p *parser) setTag(line int) statement {
	target := p.assignTarget(true, true)
	if p.skipOp("=") {
		return &setNode{target: target, e: p.tuple(tupleRules{conditions: true}), line: line}
	}
	n := &setBlockNode{target: target, line: line}
	n.filter, _ = p.filters(nil, false).(*filterExpr)
	n.body = p.body(true, "endset")
	return n
}

func (p *parser) withTag(line int) statement {
	n := &withNode{line: line}
	for p.cur().kind != tokenBlockEnd {
		if len(n.targets) > 0 {
			p.expectOp(",")
		}
		n.targets = append(n.targets, p.assignTarget(true, false))
		p.expectOp("=")
		n.values = append(n.values, p.expr())
	}
	n.body = p.body(true, "endwith")
	return n
}

func (p *parser) macroTag(line int) statement {
	n := &macroNode{line: line, name: p.assignName()}
	p.signature(n)
	n.body = p.body(true, "endmacro")
	return n
}

func (p *parser) callTag(line int) statement {
	n := &callNode{line: line, macro: &macroNode{line: line}}
	if p.cur().isOp("(") {
		p.signature(n.macro)
	}
	call, ok := p.expr().(*callExpr)
	if !ok {
		p.fail(line, "expected a call, such as {%% call name() %%}")
	}
	n.call = call
	n.macro.body = p.body(true, "endcall")
	return n
}

func (p *parser) signature(n *macroNode) {
	p.expectOp("(")
	for !p.cur().isOp(")") {
		if len(n.params) > 0 {
			p.expectOp(",")
		}
		t := p.cur()
		name := p.assignName()
		for _, q := range n.params {
			if q.name == name {
				p.fail(t.line, "the parameter '%s' is declared twice", name)
			}
		}
		n.params = append(n.params, &nameExpr{name: name, store: true})
		switch {
		case p.skipOp("="):
			n.defaults = append(n.defaults, p.expr())
		case len(n.defaults) > 0:
			p.fail(t.line, "a parameter without a default cannot follow one with a default")
		}
	}
	p.expectOp(")")
}

// assignName reads a single name to assign to.
func (p *parser) assignName() string {
	t := p.expect(tokenName, "a name")
	p.assignable(t.line, &nameExpr{name: t.text})
	return t.text
}

// assignTarget reads what stands left of an assignment: a name, a tuple of
// names, or an attribute of a namespace where that is allowed.
func (p *parser) assignTarget(tuple, namespaces bool) expression {
	line := p.cur().line
	var e expression
	if tuple {
		e = p.tuple(tupleRules{simple: true, namespaces: namespaces})
	} else {
		e = p.primary(namespaces)
	}
	p.assignable(line, e)
	return e
}

func (p *parser) assignable(line int, e expression) {
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
			p.assignable(line, it)
		}
		return
	}
	p.fail(line, "cannot assign to that")
}
