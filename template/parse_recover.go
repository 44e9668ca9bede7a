package template

import "strings"

// maxSyntaxErrors is how many errors of one template are reported.
const maxSyntaxErrors = 20

// stopParsing unwinds the parser when there is nothing more to find out.
type stopParsing struct{}

// guarded runs parse until it ends or gives up.
func (p *parser) guarded(parse func()) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(stopParsing); !ok {
				panic(r)
			}
		}
	}()
	parse()
}

// attempt parses one tag. If that fails it notes the error and goes to the
// end of the tag; the body of a tag whose head is wrong is parsed all the same,
// so that its end is not taken for a mistake of its own.
func (p *parser) attempt(parse func()) {
	depth, tags := p.depth, len(p.tags)
	if p.parsed(parse) {
		return
	}
	var failed openTag
	if len(p.tags) > tags {
		failed = p.tags[tags]
	}
	p.depth, p.tags = depth, p.tags[:tags]
	for p.cur().kind != tokenBlockEnd && p.cur().kind != tokenVariableEnd && p.cur().kind != tokenEOF {
		p.pos++
	}
	p.advance()
	if end := "end" + failed.name; failed.ends == nil && p.hasBody(failed.name) && !p.shortSet(failed) {
		p.tags = append(p.tags, failed)
		for p.cur().kind != tokenEOF {
			p.statements([]string{end, "else", "elif", "pluralize", "plural"})
			name := p.advance().text
			for p.cur().kind != tokenBlockEnd && p.cur().kind != tokenEOF {
				p.pos++
			}
			p.advance()
			if name == end {
				break
			}
		}
		p.tags = p.tags[:tags]
	}
}

// parsed reports whether parse succeeded, and notes the error if not.
func (p *parser) parsed(parse func()) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			e, isError := r.(*Error)
			if !isError {
				panic(r)
			}
			p.note(e)
		}
	}()
	parse()
	return true
}

// note keeps an error, unless it only follows from an earlier one.
func (p *parser) note(e *Error) {
	if len(p.errs) > 0 {
		if t := p.cur(); t.kind == tokenEOF || t.kind == tokenName && belongsToTag(t.text) {
			return
		}
	}
	p.errs = append(p.errs, e)
	if len(p.errs) == maxSyntaxErrors {
		panic(stopParsing{})
	}
}

// belongsToTag reports whether a tag only exists as a part of another one.
func belongsToTag(name string) bool {
	switch name {
	case "else", "elif", "pluralize", "plural":
		return true
	}
	return strings.HasPrefix(name, "end")
}

func (p *parser) hasBody(tag string) bool {
	switch tag {
	case "for", "if", "block", "macro", "with", "autoescape", "call", "filter", "set", "trans":
		return true
	}
	if def := p.engine.tags[tag]; def != nil {
		return def.block
	}
	switch tag {
	case "blocktrans", "blocktranslate":
		return true
	case "cache", "ifchanged", "localize", "localtime", "partialdef", "spaceless", "timezone":
		return p.engine.options.Extensions.Django
	}
	return false
}

// shortSet reports whether a set tag is one without a body.
func (p *parser) shortSet(t openTag) bool {
	if t.name != "set" {
		return false
	}
	for i := p.pos - 1; i > 0 && p.tokens[i].kind != tokenBlockBegin; i-- {
		if p.tokens[i].isOp("=") {
			return true
		}
	}
	return false
}
