package template

import "strings"

// innerState is where in a script or style sheet a position stands.
type innerState uint8

const (
	inCode innerState = iota
	inDoubleQuotes
	inSingleQuotes
	inTemplateLiteral
	inRegexp
	inRegexpClass
	inLineComment
	inBlockComment
	// Of style sheets only.
	inURL // url( without quotes
	inURLDouble
	inURLSingle
)

func (s innerState) describe(where string) string {
	switch s {
	case inDoubleQuotes, inSingleQuotes:
		return "a string of " + where
	case inTemplateLiteral:
		return "a template literal of " + where
	case inRegexp, inRegexpClass:
		return "a regular expression of " + where
	case inLineComment, inBlockComment:
		return "a comment of " + where
	case inURL, inURLDouble, inURLSingle:
		return "an address of " + where
	}
	return where
}

// slashKind is what a slash would mean at a place in a script.
type slashKind uint8

const (
	slashNone     slashKind = iota // not in code
	slashRegexp                    // begins a regular expression
	slashDivision                  // divides
	slashUnknown
	dollarBefore // in a template literal, behind a $ that a brace may follow
)

// lostReason says why the tokenizer does not know where in a script it is.
// That matters only if a value is printed there.
type lostReason uint8

const (
	notLost lostReason = iota
	lostSlash
	lostString
	lostRegexp
	lostNesting
	lostCut
)

func (r lostReason) explain() string {
	switch r {
	case lostSlash:
		return "a / before it may begin a regular expression or divide; put the expression around that / into brackets, or the value into a script of its own"
	case lostString:
		return "a string before it is not closed on its line"
	case lostRegexp:
		return "a regular expression before it is not closed on its line; put spaces around a / that divides"
	case lostNesting:
		return "template literals are nested too deeply before it"
	}
	return "the ways that lead to it end with parts of an end tag"
}

// regexpKeywords are the words of a script after which a / begins a regular
// expression; after other words it divides.
var regexpKeywords = map[string]bool{
	"await": true, "break": true, "case": true, "continue": true, "delete": true, "do": true, "else": true,
	"finally": true, "in": true, "instanceof": true, "new": true, "of": true, "return": true, "throw": true,
	"try": true, "typeof": true, "void": true, "yield": true,
}

// script follows a piece of a script.
func (p position) script(text string) position {
	for i := 0; i < len(text) && p.lost == notLost; {
		switch p.inner {
		case inCode:
			p, i = p.scriptCode(text, i)
		case inDoubleQuotes:
			p, i = p.scriptString(text, i, '"')
		case inSingleQuotes:
			p, i = p.scriptString(text, i, '\'')
		case inTemplateLiteral:
			p, i = p.scriptLiteral(text, i)
		case inRegexp, inRegexpClass:
			p, i = p.scriptRegexp(text, i)
		case inLineComment:
			p, i = p.lineComment(text, i)
		default:
			p, i = p.blockComment(text, i)
		}
	}
	return p
}

// code is the position in code, where a slash has that meaning.
func (p position) code(slash slashKind) position {
	p.inner, p.slash = inCode, slash
	return p
}

func (p position) within(s innerState) position {
	p.inner, p.slash = s, slashNone
	return p
}

func (p position) lose(why lostReason) position {
	p.lost = why
	return p
}

// scriptCode reads one token.
func (p position) scriptCode(text string, i int) (position, int) {
	c, rest := text[i], text[i:]
	switch {
	case c <= ' ':
		return p, i + 1
	case wordByte(c):
		n := i + 1
		for n < len(text) && wordByte(text[n]) {
			n++
		}
		if regexpKeywords[text[i:n]] && (i == 0 || text[i-1] != '.') {
			return p.code(slashRegexp), n
		}
		return p.code(slashDivision), n
	case c == '"':
		return p.within(inDoubleQuotes), i + 1
	case c == '\'':
		return p.within(inSingleQuotes), i + 1
	case c == '`':
		return p.openLiteral(), i + 1
	case strings.HasPrefix(rest, "//"):
		return p.comment(inLineComment), i + 2
	case strings.HasPrefix(rest, "/*"):
		return p.comment(inBlockComment), i + 2
	case c == '/':
		return p.scriptSlash(text, i), i + 1
	case strings.HasPrefix(rest, "<!--"):
		return p.comment(inLineComment), i + 4
	case strings.HasPrefix(rest, "++"), strings.HasPrefix(rest, "--"):
		// What follows x++ divides; what follows ++ before a name cannot be a
		// regular expression in any program that makes sense.
		return p.code(slashDivision), i + 2
	case c == ')', c == '}' && p.literals == 0, c == ']':
		if c == ']' {
			return p.code(slashDivision), i + 1
		}
		return p.code(slashUnknown), i + 1
	case c == '{' && p.literals > 0:
		if p.braces[p.literals-1] == 255 {
			return p.lose(lostNesting), len(text)
		}
		p.braces[p.literals-1]++
	case c == '}':
		if p.braces[p.literals-1] == 0 {
			return p.within(inTemplateLiteral), i + 1
		}
		p.braces[p.literals-1]--
		return p.code(slashUnknown), i + 1
	}
	return p.code(slashRegexp), i + 1
}

func wordByte(c byte) bool { return c == '_' || c == '$' || c >= 0x80 || digitValue(c) < 36 }

// comment enters a comment, behind which a slash means what it did before.
func (p position) comment(s innerState) position {
	p.inner = s
	return p
}

func (p position) openLiteral() position {
	if p.literals == maxLiterals {
		return p.lose(lostNesting)
	}
	p.literals++
	p.braces[p.literals-1] = 0
	return p.within(inTemplateLiteral)
}

// scriptSlash decides what a slash is. Behind brackets it may be both, but that
// matters only if there is a quote it could hide.
func (p position) scriptSlash(text string, i int) position {
	switch p.slash {
	case slashRegexp:
		return p.within(inRegexp)
	case slashUnknown:
		line := text[i+1:]
		if end := strings.IndexAny(line, "\r\n"); end >= 0 {
			line = line[:end]
		}
		if strings.Contains(line, "/") && strings.ContainsAny(line, "\"'`") {
			return p.lose(lostSlash)
		}
	}
	return p.code(slashRegexp)
}

// scriptString reads on to the quote that ends a string.
func (p position) scriptString(text string, i int, quote byte) (position, int) {
	for i < len(text) {
		switch c := text[i]; c {
		case '\\':
			if strings.HasPrefix(text[i:], "\\\r\n") {
				i++
			}
			i++
		case '\n', '\r':
			return p.lose(lostString), len(text)
		case quote:
			return p.code(slashDivision), i + 1
		}
		i++
	}
	return p.escapeAtEnd(text, i)
}

// escapeAtEnd notices text that ends behind a backslash, which would swallow
// the first character of a value.
func (p position) escapeAtEnd(text string, i int) (position, int) {
	if i > len(text) {
		return p.lose(lostString), len(text)
	}
	return p, i
}

func (p position) scriptLiteral(text string, i int) (position, int) {
	if p.slash != slashNone && text[i] == '{' {
		if p.slash == slashUnknown {
			return p.lose(lostNesting), len(text)
		}
		return p.code(slashRegexp), i + 1
	}
	p.slash = slashNone
	for i < len(text) {
		switch {
		case text[i] == '\\':
			i++
		case text[i] == '`':
			p.literals--
			p.braces[p.literals] = 0
			return p.code(slashDivision), i + 1
		case strings.HasPrefix(text[i:], "${"):
			p.braces[p.literals-1] = 0
			return p.code(slashRegexp), i + 2
		}
		i++
	}
	if i == len(text) && text[i-1] == '$' && (i < 2 || text[i-2] != '\\') {
		p.slash = dollarBefore
	}
	return p.escapeAtEnd(text, i)
}

func (p position) scriptRegexp(text string, i int) (position, int) {
	for i < len(text) {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '\n' || c == '\r':
			return p.lose(lostRegexp), len(text)
		case c == '[':
			p.inner = inRegexpClass
		case c == ']':
			p.inner = inRegexp
		case c == '/' && p.inner == inRegexp:
			return p.code(slashDivision), i + 1
		}
		i++
	}
	return p.escapeAtEnd(text, i)
}

func (p position) lineComment(text string, i int) (position, int) {
	rest := text[i:]
	end := strings.IndexAny(rest, "\r\n\u2028\u2029")
	if end < 0 {
		return p, len(text)
	}
	p.inner = inCode
	return p, i + end
}

func (p position) blockComment(text string, i int) (position, int) {
	end := strings.Index(text[i:], "*/")
	if end < 0 {
		return p, len(text)
	}
	p.inner = inCode
	return p, i + end + 2
}
