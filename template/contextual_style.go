package template

import "strings"

// style follows a piece of a style sheet or of a style attribute.
func (p position) style(text string) position {
	for i := 0; i < len(text) && p.lost == notLost; {
		switch p.inner {
		case inCode:
			p, i = p.styleCode(text, i)
		case inDoubleQuotes:
			p, i = p.styleString(text, i, '"')
		case inSingleQuotes:
			p, i = p.styleString(text, i, '\'')
		case inBlockComment:
			p, i = p.blockComment(text, i)
		case inURL:
			p, i = p.styleAddress(text, i, ')')
		case inURLDouble:
			p, i = p.styleAddress(text, i, '"')
		default:
			p, i = p.styleAddress(text, i, '\'')
		}
	}
	return p
}

func (p position) styleCode(text string, i int) (position, int) {
	switch c := text[i]; {
	case c == '\\':
		if i+1 == len(text) {
			return p.lose(lostString), len(text)
		}
		return p, i + 2
	case c == '"':
		return p.styleQuote(text[:i], inDoubleQuotes, inURLDouble), i + 1
	case c == '\'':
		return p.styleQuote(text[:i], inSingleQuotes, inURLSingle), i + 1
	case strings.HasPrefix(text[i:], "/*"):
		return p.comment(inBlockComment), i + 2
	case c == '(' && endsWithFold(text[:i], "url"):
		return p.openAddress(text, i+1)
	}
	return p, i + 1
}

// styleQuote enters a string, which is an address behind @import.
func (p position) styleQuote(before string, str, address innerState) position {
	if endsWithFold(strings.TrimRight(before, " \t\r\n\f"), "@import") {
		p.inner, p.address = address, addressStart
		return p
	}
	return p.within(str)
}

func (p position) openAddress(text string, i int) (position, int) {
	for i < len(text) && strings.IndexByte(" \t\r\n\f", text[i]) >= 0 {
		i++
	}
	p.inner, p.address = inURL, addressStart
	if i < len(text) {
		switch text[i] {
		case '"':
			p.inner = inURLDouble
			i++
		case '\'':
			p.inner = inURLSingle
			i++
		}
	}
	return p, i
}

func endsWithFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

func (p position) styleString(text string, i int, quote byte) (position, int) {
	for i < len(text) {
		switch c := text[i]; c {
		case '\\':
			i++
		case '\n', '\r', '\f':
			return p.lose(lostString), len(text)
		case quote:
			return p.code(slashNone), i + 1
		}
		i++
	}
	return p.escapeAtEnd(text, i)
}

// styleAddress reads on to what ends an address: a quote, or the bracket.
func (p position) styleAddress(text string, i int, end byte) (position, int) {
	start := i
	for i < len(text) {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == end:
			p.inner, p.address = inCode, noAddress
			return p, i + 1
		case c == '\n' && end != ')':
			return p.lose(lostString), len(text)
		}
		i++
	}
	if i > len(text) {
		return p.lose(lostString), len(text)
	}
	p, _ = p.addressText(text[start:i])
	return p, i
}
