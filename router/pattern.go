package router

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// PatternError reports a pattern, host or converter argument that cannot be
// understood.
type PatternError struct {
	Pattern string // the whole pattern or host as it was given
	Offset  int    // byte offset of the fault in Pattern, from 0
	Reason  string // what is wrong and what to write instead
	Where   string // Route.Where of the registration
}

// Error names the pattern, the column counted from 1, and the remedy.
func (e *PatternError) Error() string {
	msg := fmt.Sprintf("router: pattern %q, column %d: %s", e.Pattern, e.Offset+1, e.Reason)
	if e.Where != "" {
		msg += " (" + e.Where + ")"
	}
	return msg
}

// element is one piece of a parsed pattern: literal text, or a variable when
// rule is not nil.
type element struct {
	literal string
	name    string
	rule    rule
}

// maxVariables bounds what one route can hold, so that a lookup's work and
// memory are bounded by the table.
const maxVariables = 64

// patternParser reads one pattern or host. In a host the separator is "." and
// literals are folded to lower case.
type patternParser struct {
	text       string
	pos        int
	host       bool
	converters map[string]Converter
	names      map[string]bool
}

func (p *patternParser) fail(at int, format string, args ...any) error {
	return &PatternError{Pattern: p.text, Offset: at, Reason: fmt.Sprintf(format, args...)}
}

// parse returns the elements in order; neighbouring literals are joined.
func (p *patternParser) parse() ([]element, error) {
	if !utf8.ValidString(p.text) {
		return nil, p.fail(0, "is not valid UTF-8")
	}
	if !p.host && !strings.HasPrefix(p.text, "/") {
		return nil, p.fail(0, `must start with "/"`)
	}
	var (
		elements []element
		literal  strings.Builder
	)
	flush := func() {
		if literal.Len() > 0 {
			elements = append(elements, element{literal: literal.String()})
			literal.Reset()
		}
	}
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		doubled := p.pos+1 < len(p.text) && p.text[p.pos+1] == c
		switch {
		case (c == '{' || c == '}') && doubled:
			if p.host {
				return nil, p.fail(p.pos, "a host cannot hold braces")
			}
			literal.WriteByte(c)
			p.pos += 2
		case c == '}':
			return nil, p.fail(p.pos, `"}" without "{"; write "}}" for a brace in the path`)
		case c == '{':
			flush()
			variable, err := p.variable()
			if err != nil {
				return nil, err
			}
			if len(p.names) > maxVariables {
				return nil, p.fail(p.pos, "more than %d variables", maxVariables)
			}
			elements = append(elements, variable)
		default:
			if err := p.checkLiteral(c); err != nil {
				return nil, err
			}
			if p.host && 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			literal.WriteByte(c)
			p.pos++
		}
	}
	flush()
	return elements, p.checkSegments(elements)
}

// checkLiteral refuses bytes that could never be met, or not in this form.
func (p *patternParser) checkLiteral(c byte) error {
	switch {
	case c < ' ' || c == 0x7f:
		return p.fail(p.pos, "control character %q", c)
	case p.host:
		if isLetter(c) || isDigit(c) || c == '.' || c == '-' || c == '_' {
			return nil
		}
		if c == ':' {
			return p.fail(p.pos, "ports are ignored when hosts are compared; leave the port out")
		}
		return p.fail(p.pos, "a host holds ASCII letters, digits, dots and hyphens (international names in their xn-- form), not %q", p.text[p.pos:p.pos+1])
	case c == '?' || c == '#':
		return p.fail(p.pos, "%q starts the query or fragment, which are no part of a pattern", c)
	case c == '%' && p.pos+2 < len(p.text) && isHex(p.text[p.pos+1]) && isHex(p.text[p.pos+2]):
		return p.fail(p.pos, "patterns are written decoded: write the character, not %q", p.text[p.pos:p.pos+3])
	}
	return nil
}

// checkSegments refuses shapes that no canonical path has.
func (p *patternParser) checkSegments(elements []element) error {
	var shape strings.Builder // with a placeholder for each variable
	for _, e := range elements {
		if e.rule != nil {
			shape.WriteByte('*')
		}
		shape.WriteString(e.literal)
	}
	text := shape.String()
	if p.host {
		if text == "" || strings.HasPrefix(text, ".") || strings.HasSuffix(text, ".") || strings.Contains(text, "..") {
			return p.fail(0, "a host is labels joined by single dots")
		}
		return nil
	}
	if strings.Contains(text, "//") {
		return p.fail(strings.Index(p.text, "//"), `"//" is no canonical path: requests for it are redirected to the path with one slash`)
	}
	if hasDotSegment(text, 0) {
		return p.fail(0, `"." and ".." segments are resolved before a request is made, so they never match`)
	}
	return nil
}

// variable reads "{name}", "{name:converter}" or "{name:converter(arguments)}".
func (p *patternParser) variable() (element, error) {
	open := p.pos
	p.pos++
	at := p.pos
	name := p.identifier()
	switch {
	case name == "":
		return element{}, p.fail(at, "expected a variable name of letters, digits and underscores, as in {name} or {id:int}")
	case name == anchorKey:
		return element{}, p.fail(at, "%s names the fragment when a URL is built and cannot be a variable", anchorKey)
	case p.names[name]:
		return element{}, p.fail(at, "variable %q appears twice in one route", name)
	}
	p.names[name] = true

	converter, arguments, argumentsAt := "str", []Argument(nil), p.pos
	converterAt := p.pos
	if p.peek() == ':' {
		p.pos++
		converterAt = p.pos
		if converter = p.identifier(); converter == "" {
			return element{}, p.fail(converterAt, "expected a converter name after %q", ":")
		}
		argumentsAt = p.pos
		if p.peek() == '(' {
			var err error
			if arguments, err = p.arguments(); err != nil {
				return element{}, err
			}
		}
	}
	if p.peek() != '}' {
		if p.pos >= len(p.text) {
			return element{}, p.fail(open, `"{" is never closed`)
		}
		return element{}, p.fail(p.pos, `expected "}", found %q`, p.text[p.pos:p.pos+1])
	}
	p.pos++

	r, known, err := newRule(converter, arguments, p.converters)
	if !known {
		return element{}, p.fail(converterAt, "unknown converter %q; known are %s", converter, strings.Join(converterNames(p.converters), ", "))
	}
	if err != nil {
		return element{}, p.fail(argumentsAt, "converter %s: %v", converter, err)
	}
	if _, spans := r.(pathRule); spans && p.host {
		return element{}, p.fail(converterAt, "path cannot be used in a host: a host variable is one label")
	}
	return element{name: name, rule: r}, nil
}

// Argument is one argument of a converter in a pattern: min=1 has a name,
// those of any(en,de) have none. Quotes are gone from Value.
type Argument struct {
	Name  string
	Value string
}

// arguments reads "(a, b=1, 'c d')".
func (p *patternParser) arguments() ([]Argument, error) {
	open := p.pos
	p.pos++
	var list []Argument
	for {
		p.spaces()
		if p.peek() == ')' && len(list) == 0 {
			p.pos++
			return nil, nil
		}
		at := p.pos
		value, quoted, err := p.argumentValue()
		if err != nil {
			return nil, err
		}
		argument := Argument{Value: value}
		p.spaces()
		if p.peek() == '=' && !quoted {
			p.pos++
			p.spaces()
			argument.Name = value
			if argument.Value, quoted, err = p.argumentValue(); err != nil {
				return nil, err
			}
			p.spaces()
		}
		if argument.Value == "" && !quoted && p.pos < len(p.text) {
			return nil, p.fail(at, "expected an argument")
		}
		list = append(list, argument)
		switch p.peek() {
		case ',':
			p.pos++
		case ')':
			p.pos++
			return list, nil
		default:
			if p.pos >= len(p.text) {
				return nil, p.fail(open, `"(" is never closed`)
			}
			return nil, p.fail(p.pos, `expected "," or ")", found %q; quote values that hold other characters`, p.text[p.pos:p.pos+1])
		}
	}
}

// argumentValue reads a quoted text, or a bare one up to a delimiter.
func (p *patternParser) argumentValue() (value string, quoted bool, err error) {
	start := p.pos
	if quote := p.peek(); quote == '"' || quote == '\'' {
		end := strings.IndexByte(p.text[start+1:], quote)
		if end < 0 {
			return "", true, p.fail(start, "quote is never closed")
		}
		p.pos = start + 1 + end + 1
		return p.text[start+1 : start+1+end], true, nil
	}
	for p.pos < len(p.text) && !strings.ContainsRune(" ,=(){}\"'", rune(p.text[p.pos])) {
		p.pos++
	}
	return p.text[start:p.pos], false, nil
}

func (p *patternParser) identifier() string {
	start := p.pos
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		if !isLetter(c) && c != '_' && (!isDigit(c) || p.pos == start) {
			break
		}
		p.pos++
	}
	return p.text[start:p.pos]
}

func (p *patternParser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *patternParser) spaces() {
	for p.peek() == ' ' {
		p.pos++
	}
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isHex(c byte) bool    { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
