package template

import (
	"fmt"
	"slices"
	"sync"

	"github.com/retort-web/retort/internal/closest"
)

const (
	// maxNesting bounds how deep tags and brackets may be nested in a source.
	maxNesting = 200
	// maxChain bounds how many operators may follow each other in one expression.
	maxChain = 1000
)

// parser builds the syntax tree of one template.
type parser struct {
	engine *Engine
	source string
	tokens []token
	pos    int
	// The cycle tags by name, and the last one, for Django's tags.
	cycles    map[string]*callExpr
	silent    map[string]bool
	lastCycle *callExpr
	localize  bool // what is printed here goes through the filter localize

	tags  []openTag // innermost last, for messages
	depth int
	errs  []*Error
}

type openTag struct {
	name string
	at   spot
	ends []string
}

// spareTokens are used again; what is parsed does not refer to them.
var spareTokens sync.Pool

const largestSpareTokens = 1 << 16

// parse gives the body of a template whose source has been normalized, and
// the errors in it.
func parse(e *Engine, source string) ([]statement, []*Error) {
	held, _ := spareTokens.Get().(*[]token)
	if held == nil {
		held = new([]token)
	}
	p := &parser{engine: e, source: source, tokens: e.syntax.tokenize(source, (*held)[:0])}
	defer func() {
		if cap(p.tokens) <= largestSpareTokens {
			clear(p.tokens)
			*held = p.tokens[:0]
			spareTokens.Put(held)
		}
	}()
	var body []statement
	p.guarded(func() {
		for more := true; more; more = p.cur().kind != tokenEOF {
			p.attempt(func() { body = append(body, p.statements(nil)...) })
		}
	})
	return body, p.errs
}

// fail reports an error of the source. It does not return: parsing goes on
// behind the tag it is in.
func (p *parser) fail(at spot, format string, args ...any) {
	e := &Error{Kind: Syntax, at: at, Message: fmt.Sprintf(format, args...)}
	for _, t := range p.tokens[max(p.pos-1, 0) : p.pos+1] {
		if t.kind == tokenError {
			e.at, e.Message = t.at, t.text
		}
	}
	panic(e)
}

func (p *parser) cur() token { return p.tokens[p.pos] }

// peek is the token after the current one.
func (p *parser) peek() token { return p.tokens[min(p.pos+1, len(p.tokens)-1)] }

func (p *parser) advance() token {
	t := p.tokens[p.pos]
	if t.kind != tokenEOF {
		p.pos++
	}
	return t
}

func (t token) isOp(op string) bool { return t.kind == tokenOperator && t.text == op }

func (t token) isName(names ...string) bool {
	if t.kind != tokenName {
		return false
	}
	for _, n := range names {
		if t.text == n {
			return true
		}
	}
	return false
}

func (p *parser) skipOp(op string) bool {
	if p.cur().isOp(op) {
		p.pos++
		return true
	}
	return false
}

func (p *parser) skipName(name string) bool {
	if p.cur().isName(name) {
		p.pos++
		return true
	}
	return false
}

func (p *parser) expectOp(op string) {
	if !p.skipOp(op) {
		p.unexpected("'" + op + "'")
	}
}

func (p *parser) expectName(name string) {
	if !p.skipName(name) {
		p.unexpected("'" + name + "'")
	}
}

func (p *parser) expect(k tokenKind, what string) token {
	if p.cur().kind != k {
		p.unexpected(what)
	}
	return p.advance()
}

// unexpected reports that the current token is not what should stand here.
func (p *parser) unexpected(want string) {
	t := p.cur()
	if t.kind == tokenEOF {
		p.unexpectedEnd(nil)
	}
	p.fail(t.at, "expected %s, got %s%s", want, t, p.filterHint())
}

// filterHint explains a colon behind a filter, as Django writes arguments; it
// is empty elsewhere.
func (p *parser) filterHint() string {
	colon := p.pos
	if !p.cur().isOp(":") {
		colon--
	}
	if colon < 2 || !p.tokens[colon].isOp(":") || p.tokens[colon-1].kind != tokenName || !p.tokens[colon-2].isOp("|") {
		return ""
	}
	return "; the arguments of a filter stand in parentheses: " + p.tokens[colon-1].text + "(…)"
}

func (p *parser) unexpectedEnd(ends []string) {
	at := p.cur().at
	if len(p.tags) > 0 {
		tag := p.tags[len(p.tags)-1]
		if ends == nil {
			ends = tag.ends
		}
		if len(ends) > 0 {
			p.fail(at, "unexpected end of template: the '%s' of line %d needs %s", tag.name, tag.at.line(p.source), either(ends))
		}
	}
	p.fail(at, "unexpected end of template")
}

// either writes the tags that could follow.
func either(tags []string) string {
	out := ""
	for i, t := range tags {
		if i > 0 {
			out += " or "
		}
		out += "'" + t + "'"
	}
	return out
}

// enter guards against sources nested so deeply that they would exhaust the stack.
func (p *parser) enter() {
	p.depth++
	if p.depth > maxNesting {
		p.errs = append(p.errs, &Error{Kind: Syntax, at: p.cur().at, Message: fmt.Sprintf("the template is nested too deeply (limit %d)", maxNesting)})
		panic(stopParsing{})
	}
}

func (p *parser) leave() { p.depth-- }

// statements reads up to one of the given end tags, whose name is then the
// current token; with none, up to the end of the template.
func (p *parser) statements(ends []string) []statement {
	p.enter()
	defer p.leave()
	var body []statement
	var out *outputNode
	output := func(at spot, part expression) {
		if out == nil {
			out = &outputNode{at: at}
			body = append(body, out)
		}
		out.parts = append(out.parts, part)
	}
	for {
		t := p.cur()
		switch t.kind {
		case tokenData:
			p.pos++
			output(t.at, dataText{t.text})
		case tokenVariableBegin:
			p.pos++
			out = nil
			at := p.cur().at
			p.attempt(func() {
				e := p.tuple(tupleRules{conditions: true})
				p.expect(tokenVariableEnd, "end of print statement")
				output(at, p.shown(e, at))
			})
			out = nil
		case tokenBlockBegin:
			p.pos++
			out = nil
			if p.cur().isName(ends...) {
				return body
			}
			p.attempt(func() {
				body = append(body, p.statement()...)
				p.expect(tokenBlockEnd, "end of statement block")
			})
		case tokenEOF:
			if ends != nil {
				p.unexpectedEnd(ends)
			}
			return body
		default:
			p.unexpected("template data")
		}
	}
}

// body reads the inside of a tag, from the end of the opening tag to one of
// the end tags.
func (p *parser) body(drop bool, ends ...string) []statement {
	p.skipOp(":")
	p.expect(tokenBlockEnd, "end of statement block")
	if len(p.tags) > 0 {
		p.tags[len(p.tags)-1].ends = ends
	}
	list := p.statements(ends)
	if drop {
		p.pos++
	}
	return list
}

func (p *parser) statement() []statement {
	t := p.cur()
	if t.kind != tokenName {
		p.fail(t.at, "tag name expected")
	}
	p.tags = append(p.tags, openTag{name: t.text, at: t.at})
	p.pos++
	ext := &p.engine.options.Extensions
	var s statement
	switch t.text {
	case "for":
		s = p.forTag(t.at)
	case "if":
		s = p.ifTag(t.at)
	case "block":
		s = p.blockTag(t.at)
	case "extends":
		s = &extendsNode{template: p.expr(), at: t.at}
	case "print":
		s = p.printTag(t.at)
	case "macro":
		s = p.macroTag(t.at)
	case "include":
		list := p.includeVariables(p.includeTag(t.at).(*includeNode))
		p.tags = p.tags[:len(p.tags)-1]
		return list
	case "from":
		s = p.fromTag(t.at)
	case "import":
		s = p.importTag(t.at)
	case "set":
		s = p.setTag(t.at)
	case "with":
		s = p.withTag(t.at)
	case "autoescape":
		s = p.autoescapeTag(t.at)
	case "call":
		s = p.callTag(t.at)
	case "filter":
		f := p.filters(nil, true)
		s = &filterNode{filter: f.(*filterExpr), body: p.body(true, "endfilter"), at: t.at}
	default:
		switch {
		case ext.Do && t.text == "do":
			s = &doNode{e: p.tuple(tupleRules{conditions: true}), at: t.at}
		case ext.LoopControls && (t.text == "break" || t.text == "continue"):
			s = &loopControlNode{stop: t.text == "break", at: t.at}
		case ext.Debug && t.text == "debug":
			s = &debugNode{at: t.at}
		case ext.I18n && t.text == "trans":
			list := p.transTag(t.at)
			p.tags = p.tags[:len(p.tags)-1]
			return list
		default:
			list := p.extensionTag(t)
			p.tags = p.tags[:len(p.tags)-1]
			return list
		}
	}
	p.tags = p.tags[:len(p.tags)-1]
	return []statement{s}
}

// unknownTag explains a tag that does not exist or does not belong here.
func (p *parser) unknownTag(t token) {
	p.tags = p.tags[:len(p.tags)-1]
	p.pos-- // back to the name
	msg := fmt.Sprintf("unknown tag '%s'", t.text)
	if len(p.tags) > 0 {
		if open := p.tags[len(p.tags)-1]; len(open.ends) > 0 {
			msg += fmt.Sprintf("; the innermost open tag is the '%s' of line %d, which needs %s", open.name, open.at.line(p.source), either(open.ends))
			p.fail(t.at, "%s", msg)
		}
	}
	option := map[string]string{"do": "Do", "break": "LoopControls", "continue": "LoopControls", "trans": "I18n", "debug": "Debug"}[t.text]
	if slices.Contains(djangoTags[:], t.text) {
		option = "Django"
	}
	if option != "" {
		msg += "; turn it on with Options.Extensions." + option
	} else if len(p.errs) > 0 && belongsToTag(t.text) {
		p.fail(t.at, "%s", msg) // not shown anyway
	} else if near := closest.Name(t.text, slices.Values(p.knownTags())); near != "" {
		msg += "; did you mean '" + near + "'?"
	}
	p.fail(t.at, "%s", msg)
}

// knownTags are the names a tag may have.
func (p *parser) knownTags() []string {
	names := slices.Concat(tagNames[:], translationTags[:], sortedKeys(p.engine.tags))
	if p.engine.options.Extensions.Django {
		names = append(names, djangoTags[:]...)
	}
	return names
}

var tagNames = [...]string{
	"autoescape", "block", "call", "elif", "else", "endautoescape", "endblock", "endcall", "endfilter", "endfor", "endif",
	"endmacro", "endset", "endwith", "extends", "filter", "for", "from", "if", "import", "include", "macro", "print", "raw", "set", "with",
}
