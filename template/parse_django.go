package template

import (
	"slices"
)

// djangoTags are the tags of Django's that Jinja lacks.
var djangoTags = [...]string{
	"cache", "comment", "cycle", "firstof", "get_current_timezone", "ifchanged", "localize", "localtime", "lorem",
	"now", "partial", "partialdef", "querystring", "regroup", "resetcycle", "spaceless", "templatetag", "timezone", "verbatim", "widthratio",
}

// translationTags are tags of Django's that every template has: pages that come with a
// package are written with them, whatever the engine of the site turns on.
var translationTags = [...]string{"blocktrans", "blocktranslate", "translate"}

// djangoTag reads one of Django's tags, see Extensions.Django. Most become a
// call of a function that the tags share with nobody.
func (p *parser) djangoTag(t token) (list []statement, ok bool) {
	switch t.text {
	case "cycle":
		return p.cycleTag(t), true
	case "resetcycle":
		return p.resetCycleTag(t), true
	case "firstof":
		return p.functionTag(t, tagFirstof), true
	case "ifchanged":
		return p.ifChangedTag(t), true
	case "regroup":
		return p.regroupTag(t), true
	case "querystring":
		return p.functionTag(t, tagQuerystring), true
	case "now":
		return p.functionTag(t, tagNow), true
	case "widthratio":
		return p.functionTag(t, tagWidthratio), true
	case "lorem":
		return p.loremTag(t), true
	case "templatetag":
		return p.templateTag(t), true
	case "spaceless":
		return p.blockCall(t, p.callOf(t, tagSpaceless, arguments{}), ""), true
	case "cache":
		args := p.tagArguments()
		if len(args.pos) < 2 {
			p.fail(t.at, "cache needs a number of seconds and a name: {%% cache 300 \"sidebar\" user.id %%}")
		}
		return p.blockCall(t, p.callOf(t, tagCache, args), p.tagTarget()), true
	case "partialdef":
		return p.partialDefinition(t), true
	case "partial":
		name := p.expect(tokenName, "the partial's name").text
		return []statement{&blockNode{name: name, scoped: true, partial: partialUse, at: t.at}}, true
	case "timezone":
		return p.settingTag(t, p.tagValue(), applyTimezone), true
	case "localtime":
		return p.settingTag(t, p.onOff(), applyLocaltime), true
	case "localize":
		return p.localizeTag(t), true
	case "get_current_timezone":
		return p.functionTag(t, tagCurrentTimezone), true
	case "debug":
		return nil, true // in production it shows nothing, see Extensions.Debug
	case "load":
		p.fail(t.at, "load is not needed: filters and tags are there for every template; remove it")
	}
	return nil, false
}

func (p *parser) callOf(t token, fn tagFunction, args arguments) *callExpr {
	return &callExpr{fn: constant{objectValue(&builtinFunction{t.text, fn})}, args: args, at: t.at}
}

// functionTag reads a tag that prints or assigns what a function gives.
func (p *parser) functionTag(t token, fn tagFunction) []statement {
	call := p.callOf(t, fn, p.tagArguments())
	return p.result(t.at, call, p.tagTarget())
}

// settingTag reads a tag that changes how things are shown in its body.
func (p *parser) settingTag(t token, e expression, apply func(x *exec, v value)) []statement {
	return []statement{&settingNode{e: e, apply: apply, body: p.body(true, "end"+t.text), at: t.at}}
}

// onOff reads on, off or nothing, which is on.
func (p *parser) onOff() expression {
	if p.skipName("off") {
		return constant{no}
	}
	p.skipName("on")
	return constant{yes}
}

// localizeTag reads {% localize on %} … {% endlocalize %}. Numbers and times
// that are printed in it go through the filter localize.
func (p *parser) localizeTag(t token) []statement {
	before := p.localize
	p.localize = p.onOff().(constant).v.truth()
	body := p.body(true, "endlocalize")
	p.localize = before
	return body
}

// shown is a value as it is printed here.
func (p *parser) shown(e expression, at spot) expression {
	if !p.localize {
		return e
	}
	return &filterExpr{in: e, name: "localize", at: at}
}

// cycleTag reads {% cycle a b c as name silent %} and {% cycle name %}, which
// goes on with the cycle of that name; a silent one stays silent.
func (p *parser) cycleTag(t token) []statement {
	name, silent := "", false
	var call *callExpr
	if first := p.cur(); first.kind == tokenName && p.peek().kind == tokenBlockEnd && p.cycles[first.text] != nil {
		name, call = first.text, p.cycles[first.text]
		silent = p.silent[name]
		p.pos++
	} else {
		args := p.tagArguments()
		if len(args.pos) == 0 || len(args.kw) > 0 {
			p.fail(t.at, "cycle needs values: {%% cycle \"odd\" \"even\" %%}")
		}
		call = &callExpr{fn: constant{objectValue(&cycleTag{})}, args: args, at: t.at}
		if name = p.tagTarget(); name != "" {
			silent = p.skipName("silent")
			if p.cycles == nil {
				p.cycles, p.silent = map[string]*callExpr{}, map[string]bool{}
			}
			p.cycles[name], p.silent[name] = call, silent
		}
	}
	p.lastCycle = call
	if name == "" {
		return p.result(t.at, call, "")
	}
	list := p.result(t.at, call, name)
	if !silent {
		list = append(list, p.result(t.at, &nameExpr{name: name}, "")...)
	}
	return list
}

func (p *parser) resetCycleTag(t token) []statement {
	call := p.lastCycle
	if name := p.cur(); name.kind == tokenName {
		p.pos++
		if call = p.cycles[name.text]; call == nil {
			p.fail(name.at, "no cycle is named '%s'", name.text)
		}
	}
	if call == nil {
		p.fail(t.at, "resetcycle needs a cycle before it")
	}
	cycle := call.fn.(constant).v.object().(*cycleTag)
	reset := &builtinFunction{"resetcycle", func(x *exec, _ *callArgs) value {
		delete(x.states, cycle.key(x))
		return none
	}}
	return []statement{&doNode{e: &callExpr{fn: constant{objectValue(reset)}, at: t.at}, at: t.at}}
}

// ifChangedTag reads a condition on whether values, or else what the body
// prints, differ from the last round of the loop.
func (p *parser) ifChangedTag(t token) []statement {
	if !slices.ContainsFunc(p.tags, func(o openTag) bool { return o.name == "for" }) {
		p.fail(t.at, "ifchanged belongs into a loop")
	}
	args := p.tagArguments()
	n := &ifNode{at: t.at}
	changed := &attrExpr{obj: &nameExpr{name: "loop"}, name: hiddenName("changed", t.at), at: t.at}
	n.body = p.body(false, "endifchanged", "else")
	if p.advance().text == "else" {
		n.orElse = p.body(true, "endifchanged")
	}
	if len(args.pos)+len(args.kw) > 0 {
		n.test = &callExpr{fn: changed, args: args, at: t.at}
		return []statement{n}
	}
	content := hiddenName("content", t.at)
	capture := &setBlockNode{target: &nameExpr{name: content, store: true}, body: n.body, at: t.at}
	n.test = &callExpr{fn: changed, args: arguments{pos: []expression{&nameExpr{name: content}}}, at: t.at}
	n.body = p.result(t.at, &nameExpr{name: content}, "")
	return []statement{capture, n}
}

// regroupTag reads {% regroup list by attribute as name %}.
func (p *parser) regroupTag(t token) []statement {
	list := p.tagValue()
	p.expectName("by")
	path := p.expect(tokenName, "an attribute's name").text
	for p.skipOp(".") {
		path += "." + p.advance().text
	}
	target := p.tagTarget()
	if target == "" {
		p.fail(t.at, "regroup needs a name for the result: {%% regroup cities by country as countries %%}")
	}
	args := arguments{pos: []expression{list, constant{stringValue(path)}}}
	return p.result(t.at, p.callOf(t, tagRegroup, args), target)
}

// loremTag reads {% lorem count method random %}.
func (p *parser) loremTag(t token) []statement {
	args := arguments{pos: []expression{constant{intValue(1)}, constant{stringValue("b")}, constant{no}}}
	if !p.cur().isName("w", "p", "b", "random") && !p.tagEnds() {
		args.pos[0] = p.tagValue()
	}
	if m := p.cur(); m.isName("w", "p", "b") {
		p.pos++
		args.pos[1] = constant{stringValue(m.text)}
	}
	if p.skipName("random") {
		args.pos[2] = constant{yes}
	}
	return p.result(t.at, p.callOf(t, tagLorem, args), p.tagTarget())
}

func (p *parser) templateTag(t token) []statement {
	s := &p.engine.syntax
	what := p.expect(tokenName, "openblock, closevariable or the like")
	text := map[string]string{
		"openblock": s.blockStart, "closeblock": s.blockEnd, "openvariable": s.variableStart, "closevariable": s.variableEnd,
		"openbrace": "{", "closebrace": "}", "opencomment": s.commentStart, "closecomment": s.commentEnd,
	}[what.text]
	if text == "" {
		p.fail(what.at, "templatetag knows openblock, closeblock, openvariable, closevariable, openbrace, closebrace, opencomment and closecomment, not '%s'", what.text)
	}
	return []statement{&outputNode{parts: []expression{dataText{text}}, at: t.at}}
}

// partialDefinition reads {% partialdef name inline %}: a block that prints
// nothing where it stands unless it is inline.
func (p *parser) partialDefinition(t token) []statement {
	n := &blockNode{name: p.expect(tokenName, "the partial's name").text, partial: partialApart, at: t.at}
	if p.skipName("inline") {
		n.partial, n.scoped = partialNone, true
	}
	n.body = p.body(true, "endpartialdef")
	p.skipName(n.name)
	return []statement{n}
}

// includeVariables reads what Django puts behind an include: with a=1 b=2 only.
func (p *parser) includeVariables(n *includeNode) []statement {
	if !p.engine.options.Extensions.Django {
		return []statement{n}
	}
	with := &withNode{at: n.at}
	if p.cur().isName("with") && !p.peek().isName("context") {
		p.pos++
		for p.cur().kind == tokenName && p.peek().isOp("=") {
			with.targets = append(with.targets, &nameExpr{name: p.assignName(), store: true})
			p.expectOp("=")
			with.values = append(with.values, p.tagValue())
			p.skipOp(",")
		}
	}
	if p.skipName("only") {
		n.only = make([]string, 0, len(with.targets))
		for _, t := range with.targets {
			n.only = append(n.only, t.(*nameExpr).name)
		}
	}
	if len(with.targets) == 0 {
		return []statement{n}
	}
	with.body = []statement{n}
	return []statement{with}
}

// hiddenName is a name that no template can write, one for each tag.
func hiddenName(what string, at spot) string {
	return "=" + what + intValue(int64(at)).text()
}
