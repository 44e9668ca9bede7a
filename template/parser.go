package template

import (
	"fmt"
	"slices"

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
	name   string
	tokens []token
	pos    int
	tags   []openTag // innermost last, for messages
	depth  int
}

type openTag struct {
	name string
	line int
	ends []string
}

// parse gives the body of a template. Errors are panics of *Error.
func parse(e *Engine, name, src string) []statement {
	p := &parser{engine: e, name: name, tokens: e.syntax.tokenize(name, src)}
	return p.statements(nil)
}

func (p *parser) fail(line int, format string, args ...any) {
	panic(&Error{Kind: Syntax, Name: p.name, Line: line, Message: fmt.Sprintf(format, args...)})
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
	p.fail(t.line, "expected %s, got %s", want, t)
}

func (p *parser) unexpectedEnd(ends []string) {
	line := p.cur().line
	if len(p.tags) > 0 {
		tag := p.tags[len(p.tags)-1]
		if ends == nil {
			ends = tag.ends
		}
		if len(ends) > 0 {
			p.fail(line, "unexpected end of template: the '%s' of line %d needs %s", tag.name, tag.line, either(ends))
		}
	}
	p.fail(line, "unexpected end of template")
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
		p.fail(p.cur().line, "the template is nested too deeply (limit %d)", maxNesting)
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
	output := func(line int, part expression) {
		if out == nil {
			out = &outputNode{line: line}
			body = append(body, out)
		}
		out.parts = append(out.parts, part)
	}
	for {
		t := p.cur()
		switch t.kind {
		case tokenData:
			p.pos++
			output(t.line, dataText{t.text})
		case tokenVariableBegin:
			p.pos++
			out = nil
			line := p.cur().line
			e := p.tuple(tupleRules{conditions: true})
			p.expect(tokenVariableEnd, "end of print statement")
			output(line, e)
			out = nil
		case tokenBlockBegin:
			p.pos++
			out = nil
			if p.cur().isName(ends...) {
				return body
			}
			body = append(body, p.statement()...)
			p.expect(tokenBlockEnd, "end of statement block")
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
		p.fail(t.line, "tag name expected")
	}
	p.tags = append(p.tags, openTag{name: t.text, line: t.line})
	p.pos++
	ext := &p.engine.options.Extensions
	var s statement
	switch t.text {
	case "for":
		s = p.forTag(t.line)
	case "if":
		s = p.ifTag(t.line)
	case "block":
		s = p.blockTag(t.line)
	case "extends":
		s = &extendsNode{template: p.expr(), line: t.line}
	case "print":
		s = p.printTag(t.line)
	case "macro":
		s = p.macroTag(t.line)
	case "include":
		s = p.includeTag(t.line)
	case "from":
		s = p.fromTag(t.line)
	case "import":
		s = p.importTag(t.line)
	case "set":
		s = p.setTag(t.line)
	case "with":
		s = p.withTag(t.line)
	case "autoescape":
		s = &autoescapeNode{e: p.expr(), body: p.body(true, "endautoescape"), line: t.line}
	case "call":
		s = p.callTag(t.line)
	case "filter":
		f := p.filters(nil, true)
		s = &filterNode{filter: f.(*filterExpr), body: p.body(true, "endfilter"), line: t.line}
	default:
		switch {
		case ext.Do && t.text == "do":
			s = &doNode{e: p.tuple(tupleRules{conditions: true}), line: t.line}
		case ext.LoopControls && (t.text == "break" || t.text == "continue"):
			s = &loopControlNode{stop: t.text == "break", line: t.line}
		case ext.Debug && t.text == "debug":
			s = &debugNode{line: t.line}
		case ext.I18n && t.text == "trans":
			list := p.transTag(t.line)
			p.tags = p.tags[:len(p.tags)-1]
			return list
		default:
			p.unknownTag(t)
		}
	}
	p.tags = p.tags[:len(p.tags)-1]
	return []statement{s}
}

// unknownTag explains a tag that does not exist or does not belong here.
func (p *parser) unknownTag(t token) {
	p.tags = p.tags[:len(p.tags)-1]
	msg := fmt.Sprintf("unknown tag '%s'", t.text)
	if len(p.tags) > 0 {
		if open := p.tags[len(p.tags)-1]; len(open.ends) > 0 {
			msg += fmt.Sprintf("; the innermost open tag is the '%s' of line %d, which needs %s", open.name, open.line, either(open.ends))
			p.fail(t.line, "%s", msg)
		}
	}
	hints := map[string]string{
		"do": "Do", "break": "LoopControls", "continue": "LoopControls", "trans": "I18n", "debug": "Debug",
	}
	if option := hints[t.text]; option != "" {
		msg += "; turn it on with Options.Extensions." + option
	} else if near := closest.Name(t.text, slices.Values(tagNames[:])); near != "" {
		msg += "; did you mean '" + near + "'?"
	}
	p.fail(t.line, "%s", msg)
}

var tagNames = [...]string{
	"autoescape", "block", "call", "elif", "else", "endautoescape", "endblock", "endcall", "endfilter", "endfor", "endif",
	"endmacro", "endset", "endwith", "extends", "filter", "for", "from", "if", "import", "include", "macro", "print", "raw", "set", "with",
}
