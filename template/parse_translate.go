package template

import "strings"

// translateTag reads {% translate "text" noop context "where" as name %}.
func (p *parser) translateTag(t token) []statement {
	if p.tagEnds() {
		p.fail(t.at, "translate needs a text: {%% translate \"Welcome\" %%}")
	}
	m := &message{}
	message := p.tagValue()
	var context expression = constant{none}
	for !p.tagEnds() {
		switch option := p.advance(); {
		case option.isName("noop"):
			m.noop = true
		case option.isName("context"):
			context = p.tagValue()
		default:
			p.fail(option.at, "translate takes noop, context \"…\" and as name after its text, not %s", option)
		}
	}
	known, trusted := message.(constant)
	m.trusted = trusted
	call := p.callOf(t, m.translate, arguments{pos: []expression{message, context}})
	target := p.tagTarget()
	if trusted && target == "" && p.engine.options.Translator == nil {
		// Nobody translates it, so that it costs no more than text outside of a tag.
		return p.result(t.at, constant{safeValue(known.v.text())}, "")
	}
	return p.result(t.at, call, target)
}

// blockTranslateTag reads {% blocktranslate with a=x count n=y context "where"
// trimmed asvar name %} … {% plural %} … {% endblocktranslate %}.
func (p *parser) blockTranslateTag(t token) []statement {
	m := &message{}
	args := arguments{pos: []expression{constant{none}}}
	given := map[string]bool{}
	variable := func() (name string) {
		at := p.cur().at
		var e expression
		if p.cur().kind == tokenName && p.peek().isOp("=") {
			name = p.advance().text
			p.pos++
			e = p.tagValue()
		} else { // the older spelling: value as name
			e = p.tagValue()
			p.expectName("as")
			name = p.expect(tokenName, "a variable's name").text
		}
		if given[name] {
			p.fail(at, "the variable '%s' is given twice", name)
		}
		given[name] = true
		args.kw = append(args.kw, keywordArg{name, e})
		return name
	}
	trimmed, target := p.engine.options.Policies.TrimTranslations, ""
	for p.cur().kind != tokenBlockEnd {
		switch option := p.expect(tokenName, "with, count, context, trimmed or asvar"); option.text {
		case "with":
			variable()
			for p.skipName("and") || p.cur().kind == tokenName && p.peek().isOp("=") {
				variable()
			}
		case "count":
			m.counted = variable()
		case "context":
			args.pos[0] = p.tagValue()
		case "trimmed":
			trimmed = true
		case "asvar":
			target = p.assignName()
		default:
			p.fail(option.at, "%s takes with, count, context, trimmed and asvar, not '%s'", t.text, option.text)
		}
	}
	p.expect(tokenBlockEnd, "end of statement block")
	p.tags[len(p.tags)-1].ends = []string{"end" + t.text}
	m.singular = p.messageText(m, t, "plural")
	if p.cur().isName("plural") {
		p.pos++
		if m.counted == "" {
			p.fail(t.at, "plural needs a number: {%% %s count n=items|length %%}", t.text)
		}
		p.expect(tokenBlockEnd, "end of statement block")
		m.plural = p.messageText(m, t, "")
	} else if m.counted != "" {
		p.fail(t.at, "%s with count needs {%% plural %%} and the text for several", t.text)
	}
	p.pos++
	if trimmed {
		m.singular, m.plural = trimTranslation(m.singular), trimTranslation(m.plural)
	}
	for _, name := range m.names {
		if !given[name] {
			given[name] = true
			args.kw = append(args.kw, keywordArg{name, &nameExpr{name: name}})
		}
	}
	return p.result(t.at, p.callOf(t, m.translateBlock, args), target)
}

// messageText reads text and plain variables up to plural, where that may
// come, or the end of the tag, whose name is then the current token.
func (p *parser) messageText(m *message, t token, plural string) string {
	var sb strings.Builder
	for {
		switch c := p.cur(); c.kind {
		case tokenData:
			p.pos++
			sb.WriteString(strings.ReplaceAll(c.text, "%", "%%"))
		case tokenVariableBegin:
			p.pos++
			name := p.expect(tokenName, "a variable's name; other expressions are given one by with").text
			if p.cur().kind != tokenVariableEnd {
				p.fail(p.cur().at, "only plain variables can stand in a translation; name the value in the tag: {%% %s with %s=… %%}", t.text, name)
			}
			p.pos++
			m.names = append(m.names, name)
			sb.WriteString("%(" + name + ")s")
		case tokenBlockBegin:
			p.pos++
			switch c := p.cur(); {
			case c.isName("end" + t.text), plural != "" && c.isName(plural):
				return sb.String()
			default:
				p.fail(c.at, "other tags cannot stand in a translation, got %s", c)
			}
		default:
			p.unexpectedEnd(nil)
		}
	}
}
