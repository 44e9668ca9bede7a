package config

import (
	"strings"
)

// dotenvVariable is a line of a .env file.
type dotenvVariable struct {
	name, value string
	line        int
}

// dotenvError is a mistake in a .env file. It never quotes the file, which is
// there for secrets.
type dotenvError struct {
	line    int
	message string
}

// parseDotEnv reads the text of a .env file:
//
//	# comment
//	NAME=value            # comment after a space
//	export NAME=value
//	NAME='as it stands'
//	NAME="with \n, \t, \" and \\, over several lines if need be"
//	NAME=${OTHER}/path
//
// ${OTHER} stands for a variable set further up, or else what lookup knows,
// except in single quotes; every other dollar sign is one, so that passwords
// survive. A name that is set twice keeps its last value.
func parseDotEnv(text string, lookup func(name string) string) ([]dotenvVariable, *dotenvError) {
	p := dotenvParser{rest: strings.TrimPrefix(text, "\ufeff"), line: 1, index: map[string]int{}, lookup: lookup}
	for p.rest != "" {
		if err := p.statement(); err != nil {
			return nil, err
		}
	}
	return p.variables, nil
}

type dotenvParser struct {
	rest      string
	line      int
	variables []dotenvVariable
	index     map[string]int // name → place in variables
	lookup    func(string) string
	expanded  int // bytes that came from ${…}
}

// statement reads one line, or the lines of one quoted value.
func (p *dotenvParser) statement() *dotenvError {
	line := p.line
	head, _, _ := strings.Cut(p.rest, "\n")
	statement := strings.TrimSpace(head)
	if statement == "" || statement[0] == '#' {
		p.skipLine()
		return nil
	}
	name, _, ok := strings.Cut(head, "=")
	if !ok {
		return &dotenvError{line, "has no =; write NAME=value"}
	}
	p.rest = p.rest[len(name)+1:]
	name = strings.TrimSpace(name)
	if after, ok := strings.CutPrefix(name, "export"); ok && strings.TrimLeft(after, " \t") != after {
		name = strings.TrimSpace(after)
	}
	if !isVariableName(name) {
		return &dotenvError{line, "does not begin with a name of letters, digits and underscores"}
	}
	value, err := p.value()
	if err != nil {
		return err
	}
	if p.expanded > maxExpanded {
		return &dotenvError{line, "makes the values of variables in each other too long"}
	}
	v := dotenvVariable{name: name, value: value, line: line}
	if i, ok := p.index[name]; ok {
		p.variables[i] = v
		return nil
	}
	p.index[name] = len(p.variables)
	p.variables = append(p.variables, v)
	return nil
}

func (p *dotenvParser) skipLine() string {
	line, rest, found := strings.Cut(p.rest, "\n")
	p.rest = rest
	if found {
		p.line++
	}
	return line
}

func (p *dotenvParser) value() (string, *dotenvError) {
	p.rest = strings.TrimLeft(p.rest, " \t")
	if p.rest != "" && (p.rest[0] == '"' || p.rest[0] == '\'') {
		return p.quoted(p.rest[0])
	}
	line := strings.TrimSuffix(p.skipLine(), "\r")
	for i := range len(line) {
		if line[i] == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			line = line[:i]
			break
		}
	}
	return p.expand(strings.TrimRight(line, " \t")), nil
}

// quoted reads up to the closing quote and checks that nothing follows it.
func (p *dotenvParser) quoted(quote byte) (string, *dotenvError) {
	start := p.line
	var b, raw strings.Builder // raw collects what ${…} may stand in
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == quote:
			b.WriteString(p.expandIf(quote, raw.String()))
			p.rest = p.rest[i+1:]
			end := strings.TrimSpace(p.skipLine())
			if end != "" && end[0] != '#' {
				return "", &dotenvError{start, "has text after the closing quote"}
			}
			return b.String(), nil
		case c == '\\' && quote == '"' && i+1 < len(p.rest):
			i++
			b.WriteString(p.expandIf(quote, raw.String()))
			raw.Reset()
			b.WriteString(unescape(p.rest[i]))
		default:
			if c == '\n' {
				p.line++
			}
			raw.WriteByte(c)
		}
	}
	return "", &dotenvError{start, "opens a quote that is never closed"}
}

func unescape(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 'r':
		return "\r"
	case 't':
		return "\t"
	case '"', '\\', '$', '\'':
		return string(rune(c))
	}
	return "\\" + string([]byte{c})
}

func (p *dotenvParser) expandIf(quote byte, text string) string {
	if quote == '\'' {
		return text
	}
	return p.expand(text)
}

// maxExpanded bounds what variables may add to each other in one file, in
// bytes: doubling sixty times would fill any memory.
const maxExpanded = 1 << 20

func (p *dotenvParser) expand(text string) string {
	if !strings.Contains(text, "${") {
		return text
	}
	var b strings.Builder
	for p.expanded <= maxExpanded {
		before, after, ok := strings.Cut(text, "${")
		b.WriteString(before)
		if !ok {
			break
		}
		// Only as far as a name goes: searching on for the brace would take
		// quadratic time for a file full of openings.
		end := strings.IndexFunc(after, func(r rune) bool { return !isNameRune(r) })
		if end < 0 || after[end] != '}' || !isVariableName(after[:end]) {
			b.WriteString("${")
			text = after
			continue
		}
		name, rest := after[:end], after[end+1:]
		value := ""
		if i, ok := p.index[name]; ok {
			value = p.variables[i].value
		} else {
			value = p.lookup(name)
		}
		p.expanded += len(value)
		b.WriteString(value)
		text = rest
	}
	return b.String()
}

func isVariableName(name string) bool {
	return name != "" && (name[0] < '0' || name[0] > '9') && name[0] != '.' &&
		!strings.ContainsFunc(name, func(r rune) bool { return !isNameRune(r) })
}

func isNameRune(r rune) bool {
	return r == '_' || r == '.' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
