package template

import "strings"

// transTag reads {% trans %} … {% pluralize %} … {% endtrans %} and turns it
// into a call of the gettext functions found in the context.
func (p *parser) transTag(at spot) []statement {
	t := transTag{vars: map[string]expression{}}
	if p.cur().kind == tokenString {
		s := p.advance().text
		t.context = &s
	}
	p.transVariables(&t)
	p.expect(tokenBlockEnd, "end of statement block")
	singular := p.transText(&t, true)
	if t.plural == nil && len(t.names) > 0 {
		t.plural, t.pluralName = &nameExpr{name: t.names[0]}, t.names[0]
	}
	var plural *string
	if p.cur().isName("pluralize") {
		p.pos++
		if p.cur().kind != tokenBlockEnd {
			name := p.expect(tokenName, "a variable name")
			e, ok := t.vars[name.text]
			if !ok {
				p.fail(name.at, "unknown variable '%s' for pluralization", name.text)
			}
			t.plural, t.pluralName = e, name.text
		}
		p.expect(tokenBlockEnd, "end of statement block")
		s := p.transText(&t, false)
		plural = &s
	}
	p.pos++
	for _, name := range t.names {
		if _, ok := t.vars[name]; !ok {
			t.add(name, &nameExpr{name: name})
		}
	}
	if plural != nil && t.plural == nil {
		p.fail(at, "pluralize without variables")
	}
	trim := p.engine.options.Policies.TrimTranslations
	if t.trimmed != nil {
		trim = *t.trimmed
	}
	if trim {
		singular = trimTranslation(singular)
		if plural != nil {
			s := trimTranslation(*plural)
			plural = &s
		}
	}
	out := &outputNode{parts: []expression{p.transCall(&t, singular, plural, at)}, at: at}
	if t.assign != nil {
		return []statement{&setNode{target: &nameExpr{name: transCount, store: true}, e: t.assign, at: at}, out}
	}
	return []statement{out}
}

// transCount holds the count of a trans tag that is given by a call, so that
// the call happens once.
const transCount = "_trans"

type transTag struct {
	context    *string
	order      []string
	vars       map[string]expression
	names      []string // variables used in the text, in order
	plural     expression
	pluralName string
	assign     expression
	trimmed    *bool
}

func (t *transTag) add(name string, e expression) {
	t.order = append(t.order, name)
	t.vars[name] = e
}

func (p *parser) transVariables(t *transTag) {
	for p.cur().kind != tokenBlockEnd {
		if len(t.vars) > 0 {
			p.expectOp(",")
		}
		if p.skipOp(":") {
			return
		}
		name := p.expect(tokenName, "a variable name")
		if _, twice := t.vars[name.text]; twice {
			p.fail(name.at, "translatable variable '%s' defined twice", name.text)
		}
		var e expression
		switch {
		case p.skipOp("="):
			e = p.expr()
		case t.trimmed == nil && name.isName("trimmed", "notrimmed"):
			on := name.text == "trimmed"
			t.trimmed = &on
			continue
		default:
			e = &nameExpr{name: name.text}
		}
		if t.plural == nil {
			if _, ok := e.(*callExpr); ok {
				t.assign = e
				e = &nameExpr{name: transCount}
			}
			t.plural, t.pluralName = e, name.text
		}
		t.add(name.text, e)
	}
}

// transText reads text and plain variables up to pluralize or endtrans, whose
// name is then the current token. The result is a format for the % operator.
func (p *parser) transText(t *transTag, pluralAllowed bool) string {
	var sb strings.Builder
	for {
		switch c := p.cur(); c.kind {
		case tokenData:
			p.pos++
			sb.WriteString(strings.ReplaceAll(c.text, "%", "%%"))
		case tokenVariableBegin:
			p.pos++
			name := p.expect(tokenName, "a variable name; other expressions are assigned in the trans tag").text
			p.expect(tokenVariableEnd, "end of print statement")
			t.names = append(t.names, name)
			sb.WriteString("%(" + name + ")s")
		case tokenBlockBegin:
			p.pos++
			switch c := p.cur(); {
			case c.isName("endtrans"):
				return sb.String()
			case c.isName("pluralize"):
				if pluralAllowed {
					return sb.String()
				}
				p.fail(c.at, "a translatable section can have only one pluralize section")
			case c.isName("trans"):
				p.fail(c.at, "trans blocks cannot be nested; did you mean 'endtrans'?")
			default:
				p.fail(c.at, "control structures are not allowed in a translatable section")
			}
		default:
			p.fail(c.at, "unclosed translation block")
		}
	}
}

func trimTranslation(s string) string {
	lines := strings.Split(strings.TrimFunc(s, isSpace), "\n")
	for i := range lines {
		if i > 0 {
			lines[i] = strings.TrimLeftFunc(lines[i], isSpace)
		}
		if i < len(lines)-1 {
			lines[i] = strings.TrimRightFunc(lines[i], isSpace)
		}
	}
	out := lines[:0]
	for _, l := range lines {
		if l != "" {
			out = append(out, l)
		}
	}
	return strings.Join(out, " ")
}

// transCall builds the call. The new style functions expand the variables
// themselves; for the old style the result goes through the % operator.
func (p *parser) transCall(t *transTag, singular string, plural *string, at spot) expression {
	newStyle := p.engine.options.NewStyle
	if len(t.names) == 0 && !newStyle {
		singular = strings.ReplaceAll(singular, "%%", "%")
		if plural != nil {
			s := strings.ReplaceAll(*plural, "%%", "%")
			plural = &s
		}
	}
	name := "gettext"
	args := []expression{constant{stringValue(singular)}}
	if t.context != nil {
		name = "p" + name
		args = append([]expression{constant{stringValue(*t.context)}}, args...)
	}
	if plural != nil {
		name = "n" + name
		args = append(args, constant{stringValue(*plural)}, t.plural)
	}
	call := &callExpr{fn: &nameExpr{name: name}, args: arguments{pos: args}, at: at}
	if newStyle {
		for _, k := range t.order {
			if k == "num" && plural != nil && t.pluralName == "num" {
				continue
			}
			call.args.kw = append(call.args.kw, keywordArg{k, t.vars[k]})
		}
		return call
	}
	var e expression = &trustedExpr{call}
	if len(t.vars) > 0 {
		d := &dictExpr{}
		for _, k := range t.order {
			d.keys = append(d.keys, constant{stringValue(k)})
			d.vals = append(d.vals, t.vars[k])
		}
		e = &binaryExpr{op: "%", a: e, b: d}
	}
	return e
}
