package template

import (
	"slices"
	"strconv"
)

// expr reads a full expression, inline conditions included.
func (p *parser) expr() expression {
	p.enter()
	defer p.leave()
	return p.condition()
}

func (p *parser) condition() expression {
	at := p.cur().at
	e := p.or()
	for n := 0; p.skipName("if"); n++ {
		p.chain(n)
		c := &condExpr{test: p.or(), yes: e, at: at}
		if p.skipName("else") {
			c.no = p.expr()
		}
		e = c
		at = p.cur().at
	}
	return e
}

// chain limits the operators of one expression.
func (p *parser) chain(n int) {
	if n >= maxChain {
		p.fail(p.cur().at, "the expression has too many operators in a row (limit %d)", maxChain)
	}
}

func (p *parser) or() expression {
	e := p.and()
	for n := 0; p.skipName("or"); n++ {
		p.chain(n)
		e = &binaryExpr{op: "or", a: e, b: p.and()}
	}
	return e
}

func (p *parser) and() expression {
	e := p.not()
	for n := 0; p.skipName("and"); n++ {
		p.chain(n)
		e = &binaryExpr{op: "and", a: e, b: p.not()}
	}
	return e
}

func (p *parser) not() expression {
	if p.skipName("not") {
		p.enter()
		defer p.leave()
		return &unaryExpr{op: "not", e: p.not()}
	}
	return p.compare()
}

func (p *parser) compare() expression {
	first := p.sum()
	var c *compareExpr
	for n := 0; ; n++ {
		p.chain(n)
		t := p.cur()
		op := ""
		switch {
		case t.kind == tokenOperator && slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, t.text):
			op = t.text
			p.pos++
		case t.isName("in"):
			op = "in"
			p.pos++
		case t.isName("not") && p.peek().isName("in"):
			op = "not in"
			p.pos += 2
		default:
			if c == nil {
				return first
			}
			return c
		}
		if c == nil {
			c = &compareExpr{first: first}
		}
		c.ops = append(c.ops, op)
		c.rest = append(c.rest, p.sum())
	}
}

func (p *parser) sum() expression {
	e := p.concat()
	for n := 0; p.cur().isOp("+") || p.cur().isOp("-"); n++ {
		p.chain(n)
		e = &binaryExpr{op: p.advance().text, a: e, b: p.concat()}
	}
	return e
}

func (p *parser) concat() expression {
	items := []expression{p.product()}
	for p.skipOp("~") {
		items = append(items, p.product())
	}
	if len(items) == 1 {
		return items[0]
	}
	return &concatExpr{items}
}

func (p *parser) product() expression {
	e := p.power()
	for n := 0; ; n++ {
		p.chain(n)
		switch t := p.cur(); {
		case t.isOp("*"), t.isOp("/"), t.isOp("//"), t.isOp("%"):
			p.pos++
			e = &binaryExpr{op: t.text, a: e, b: p.power()}
		default:
			return e
		}
	}
}

func (p *parser) power() expression {
	e := p.unary(true)
	for n := 0; p.skipOp("**"); n++ {
		p.chain(n)
		e = &binaryExpr{op: "**", a: e, b: p.unary(true)}
	}
	return e
}

// unary reads a sign and what it applies to. A filter binds after the sign.
func (p *parser) unary(filtered bool) expression {
	var e expression
	if t := p.cur(); t.isOp("-") || t.isOp("+") {
		p.enter()
		p.pos++
		e = &unaryExpr{op: t.text, e: p.unary(false)}
		p.leave()
	} else {
		e = p.primary(false)
	}
	e = p.postfix(e)
	if filtered {
		e = p.filtersAndTests(e)
	}
	return e
}

func (p *parser) primary(namespaces bool) expression {
	t := p.cur()
	switch t.kind {
	case tokenName:
		p.pos++
		switch t.text {
		case "true", "True":
			return constant{yes}
		case "false", "False":
			return constant{no}
		case "none", "None":
			return constant{none}
		}
		if namespaces && p.skipOp(".") {
			return &namespaceRef{name: t.text, attr: p.expect(tokenName, "an attribute name").text}
		}
		return &nameExpr{name: t.text, at: t.at}
	case tokenString:
		p.pos++
		if p.cur().kind != tokenString {
			return constant{stringValue(t.text)}
		}
		whole := []byte(t.text)
		for p.cur().kind == tokenString {
			whole = append(whole, p.advance().text...)
		}
		return constant{stringValue(string(whole))}
	case tokenInteger:
		p.pos++
		v, ok := integerLiteral(t.text)
		if !ok {
			p.fail(t.at, "the integer has too many digits")
		}
		return constant{v}
	case tokenFloat:
		p.pos++
		f, _ := strconv.ParseFloat(t.text, 64) // out of range gives an infinity, as it should
		return constant{floatValue(f)}
	case tokenOperator:
		switch t.text {
		case "(":
			p.enter()
			defer p.leave()
			p.pos++
			e := p.tuple(tupleRules{conditions: true, parentheses: true})
			p.expectOp(")")
			return e
		case "[":
			return p.list()
		case "{":
			return p.dict()
		}
	}
	if t.kind == tokenEOF {
		p.unexpectedEnd(nil)
	}
	p.fail(t.at, "unexpected %s", t)
	return nil
}

func (p *parser) list() expression {
	p.enter()
	defer p.leave()
	p.pos++
	n := &listExpr{}
	for !p.cur().isOp("]") {
		if len(n.items) > 0 {
			p.expectOp(",")
		}
		if p.cur().isOp("]") {
			break
		}
		n.items = append(n.items, p.expr())
	}
	p.expectOp("]")
	return n
}

func (p *parser) dict() expression {
	p.enter()
	defer p.leave()
	p.pos++
	n := &dictExpr{}
	for !p.cur().isOp("}") {
		if len(n.keys) > 0 {
			p.expectOp(",")
		}
		if p.cur().isOp("}") {
			break
		}
		n.keys = append(n.keys, p.expr())
		p.expectOp(":")
		n.vals = append(n.vals, p.expr())
	}
	p.expectOp("}")
	return n
}

// tupleRules says what a tuple may consist of and where it ends.
type tupleRules struct {
	simple      bool // only names and literals
	namespaces  bool // attributes of names too
	conditions  bool // a if b
	parentheses bool // may be empty
}

// tuple reads one expression, or several with commas between them.
func (p *parser) tuple(r tupleRules) expression {
	p.enter()
	defer p.leave()
	var items []expression
	isTuple := false
	for {
		if len(items) > 0 {
			p.expectOp(",")
		}
		if t := p.cur(); t.kind == tokenVariableEnd || t.kind == tokenBlockEnd || t.isOp(")") {
			break
		}
		switch {
		case r.simple:
			items = append(items, p.primary(r.namespaces))
		case r.conditions:
			items = append(items, p.condition())
		default:
			items = append(items, p.or())
		}
		if !p.cur().isOp(",") {
			break
		}
		isTuple = true
	}
	if !isTuple {
		if len(items) > 0 {
			return items[0]
		}
		if !r.parentheses {
			if p.cur().kind == tokenEOF {
				p.unexpectedEnd(nil)
			}
			p.fail(p.cur().at, "expected an expression, got %s", p.cur())
		}
	}
	return &tupleExpr{items}
}

func (p *parser) postfix(e expression) expression {
	for n := 0; ; n++ {
		p.chain(n)
		before := p.tokens[max(p.pos-1, 0)].at
		switch t := p.cur(); {
		case t.isOp("."), t.isOp("["):
			e = p.subscript(e)
		case t.isOp("("):
			e = &callExpr{fn: e, args: p.arguments(), at: before}
		default:
			return e
		}
	}
}

func (p *parser) filtersAndTests(e expression) expression {
	for n := 0; ; n++ {
		p.chain(n)
		before := p.tokens[max(p.pos-1, 0)].at
		switch t := p.cur(); {
		case t.isOp("|"):
			e = p.filters(e, false)
		case t.isName("is"):
			e = p.test(e)
		case t.isOp("("):
			e = &callExpr{fn: e, args: p.arguments(), at: before}
		default:
			return e
		}
	}
}

func (p *parser) subscript(e expression) expression {
	before := p.tokens[max(p.pos-1, 0)].at
	t := p.advance()
	if t.text == "." {
		switch a := p.advance(); a.kind {
		case tokenName:
			return &attrExpr{obj: e, name: a.text, at: before}
		case tokenInteger:
			v, ok := integerLiteral(a.text)
			if !ok {
				p.fail(a.at, "the integer has too many digits")
			}
			return &itemExpr{obj: e, key: constant{v}}
		default:
			p.fail(a.at, "expected a name or a number after the point, got %s", a)
		}
	}
	p.enter()
	defer p.leave()
	var keys []expression
	for !p.cur().isOp("]") {
		if len(keys) > 0 {
			p.expectOp(",")
		}
		keys = append(keys, p.subscriptPart())
	}
	p.expectOp("]")
	if len(keys) == 1 {
		return &itemExpr{obj: e, key: keys[0]}
	}
	return &itemExpr{obj: e, key: &tupleExpr{keys}}
}

func (p *parser) subscriptPart() expression {
	s := &sliceExpr{}
	if !p.cur().isOp(":") {
		e := p.expr()
		if !p.cur().isOp(":") {
			return e
		}
		s.start = e
	}
	p.pos++
	ends := func() bool { return p.cur().isOp(":") || p.cur().isOp("]") || p.cur().isOp(",") }
	if !ends() {
		s.stop = p.expr()
	}
	if p.skipOp(":") && !ends() {
		s.step = p.expr()
	}
	return s
}

func (p *parser) arguments() arguments {
	p.enter()
	defer p.leave()
	open := p.cur()
	p.expectOp("(")
	var a arguments
	var given nameSet
	comma := false
	ensure := func(ok bool) {
		if !ok {
			p.fail(open.at, "invalid syntax for function call expression")
		}
	}
	for !p.cur().isOp(")") {
		if comma {
			p.expectOp(",")
			if p.cur().isOp(")") {
				break
			}
		}
		switch t := p.cur(); {
		case t.isOp("*"):
			ensure(a.dynPos == nil && a.dyn == nil)
			p.pos++
			a.dynPos = p.expr()
		case t.isOp("**"):
			ensure(a.dyn == nil)
			p.pos++
			a.dyn = p.expr()
		case t.kind == tokenName && p.peek().isOp("="):
			ensure(a.dyn == nil)
			p.pos += 2
			if !given.add(t.text) {
				p.fail(t.at, "keyword argument '%s' is given twice", t.text)
			}
			a.kw = append(a.kw, keywordArg{t.text, p.expr()})
		default:
			ensure(a.dynPos == nil && a.dyn == nil && len(a.kw) == 0)
			a.pos = append(a.pos, p.expr())
		}
		comma = true
	}
	p.expectOp(")")
	return a
}

// dottedName reads the name of a filter or test.
func (p *parser) dottedName() string {
	name := p.expect(tokenName, "a name").text
	for p.skipOp(".") {
		name += "." + p.expect(tokenName, "a name").text
	}
	return name
}

// filters reads a chain of filters; inline begins without a bar.
func (p *parser) filters(e expression, inline bool) expression {
	for n := 0; inline || p.cur().isOp("|"); n++ {
		p.chain(n)
		if !inline {
			p.pos++
		}
		inline = false
		at := p.cur().at
		f := &filterExpr{in: e, name: p.dottedName(), at: at}
		if p.cur().isOp("(") {
			f.args = p.arguments()
		}
		e = f
	}
	return e
}

func (p *parser) test(e expression) expression {
	at := p.advance().at
	negated := p.skipName("not")
	t := &testExpr{in: e, name: p.dottedName(), at: at}
	switch c := p.cur(); {
	case c.isOp("("):
		t.args = p.arguments()
	case c.kind == tokenName, c.kind == tokenString, c.kind == tokenInteger, c.kind == tokenFloat, c.isOp("["), c.isOp("{"):
		if c.isName("else", "or", "and") {
			break
		}
		if c.isName("is") {
			p.fail(c.at, "tests cannot be chained with 'is'")
		}
		t.args.pos = []expression{p.postfix(p.primary(false))}
	}
	if negated {
		return &unaryExpr{op: "not", e: t}
	}
	return t
}
