package template

import "slices"

// customTag reads a tag of the program's own. Tags become calls, so that
// scopes, escaping and checks know nothing of them.
func (p *parser) customTag(t token, def *tagDef) []statement {
	args := p.tagArguments()
	target := p.tagTarget()
	call := &callExpr{fn: constant{def.fn}, args: args, at: t.at}
	if !def.block {
		return p.result(t.at, call, target)
	}
	return p.blockCall(t, call, target)
}

// blockCall reads the body of a block tag, which is handed to the call.
func (p *parser) blockCall(t token, call *callExpr, target string) []statement {
	n := &callNode{at: t.at, call: call, macro: &macroNode{at: t.at}}
	n.macro.body = p.body(true, "end"+t.text)
	if target == "" {
		return []statement{n}
	}
	return []statement{&setBlockNode{target: &nameExpr{name: target, store: true}, body: []statement{n}, at: t.at}}
}

// result prints a value, or assigns it where the tag ended with "as name".
func (p *parser) result(at spot, e expression, target string) []statement {
	if target != "" {
		return []statement{&setNode{target: &nameExpr{name: target, store: true}, e: e, at: at}}
	}
	return []statement{&outputNode{parts: []expression{e}, at: at}}
}

// tagTarget reads "as name" at the end of a tag.
func (p *parser) tagTarget() string {
	if p.skipName("as") {
		return p.assignName()
	}
	return ""
}

// tagEnds tells whether the arguments of a tag end here.
func (p *parser) tagEnds() bool {
	t := p.cur()
	return t.kind == tokenBlockEnd || t.kind == tokenEOF || t.isName("as") && p.peek().kind == tokenName
}

// tagArguments reads values with spaces or commas between them, and keyword
// arguments.
func (p *parser) tagArguments() arguments {
	var a arguments
	for n := 0; !p.tagEnds(); n++ {
		p.chain(n)
		t := p.cur()
		if t.kind == tokenName && p.peek().isOp("=") {
			p.pos += 2
			for _, k := range a.kw {
				if k.name == t.text {
					p.fail(t.at, "keyword argument '%s' is given twice", t.text)
				}
			}
			a.kw = append(a.kw, keywordArg{t.text, p.tagValue()})
		} else {
			if len(a.kw) > 0 {
				p.fail(t.at, "a plain argument cannot follow keyword arguments")
			}
			a.pos = append(a.pos, p.tagValue())
		}
		p.skipOp(",")
	}
	return a
}

// tagValue reads one argument: a name, a literal or something in brackets,
// with attributes, calls and filters, but without operators.
func (p *parser) tagValue() expression {
	t := p.cur()
	if t.isOp("-") || t.isOp("+") {
		p.pos++
		return &unaryExpr{op: t.text, e: p.tagValue()}
	}
	var e expression
	if t.kind == tokenString { // one only: two are two arguments
		p.pos++
		e = constant{stringValue(t.text)}
	} else {
		e = p.primary(false)
	}
	return p.filters(p.postfix(e), false)
}

// extensionTag reads a tag that Jinja does not have.
func (p *parser) extensionTag(t token) []statement {
	if def := p.engine.tags[t.text]; def != nil {
		return p.customTag(t, def)
	}
	switch t.text {
	case "translate":
		return p.translateTag(t)
	case "blocktranslate", "blocktrans":
		return p.blockTranslateTag(t)
	}
	if p.engine.options.Extensions.Django {
		if list, ok := p.djangoTag(t); ok {
			return list
		}
	}
	p.unknownTag(t)
	return nil
}

// isTagName reports whether the language has a tag of that name.
func isTagName(name string) bool {
	switch name {
	case "do", "break", "continue", "trans", "pluralize", "debug", "import", "include":
		return true
	}
	return slices.Contains(tagNames[:], name)
}
