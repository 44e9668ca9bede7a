package config

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// tomlTime is a date, a time or both as RFC 3339 writes them; the zone is
// missing if the file gives none.
type tomlTime string

const notAValue = "this is no value: text stands in quotes, the rest is a number, true, false, a date, a list or a table"

// value reads a value; the next byte is its first.
func (p *tomlParser) value() (any, bool) {
	switch c := p.peek(); c {
	case '"', '\'':
		p.pos++
		return p.quoted(c, true)
	case '[', '{':
		if p.depth++; p.depth > maxTOMLDepth {
			return nil, p.fail("nested too deeply")
		}
		defer func() { p.depth-- }()
		p.pos++
		if c == '[' {
			return p.list()
		}
		return p.inline()
	}
	word := p.word()
	switch word {
	case "":
		return nil, p.fail("a value is missing")
	case "true", "false":
		return word == "true", true
	}
	if len(word) == len("2006-01-02") && p.peek() == ' ' && p.pos+1 < len(p.text) && isDigit(p.text[p.pos+1]) && word[4] == '-' {
		p.pos++
		word += "T" + p.word()
	}
	if t, ok := parseTOMLTime(word); ok {
		return t, true
	}
	if n, ok := parseTOMLNumber(word); ok {
		return n, true
	}
	return nil, p.fail(notAValue)
}

// word reads up to what may follow a value.
func (p *tomlParser) word() string {
	start := p.pos
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n,]}#=", p.text[p.pos]) < 0 {
		p.pos++
	}
	return p.text[start:p.pos]
}

func (p *tomlParser) list() (any, bool) {
	list := []any{}
	for {
		if !p.blank() {
			return nil, false
		}
		if p.skip("]") {
			return list, true
		}
		value, ok := p.value()
		if !ok {
			return nil, false
		}
		list = append(list, value)
		if !p.blank() {
			return nil, false
		}
		if !p.skip(",") && p.peek() != ']' {
			return nil, p.fail("the values of a list stand in brackets, with commas between them")
		}
	}
}

func (p *tomlParser) inline() (any, bool) {
	table := &tomlTable{}
	for {
		if !p.blank() {
			return nil, false
		}
		if p.skip("}") {
			table.state = tableClosed
			return table, true
		}
		if !p.pair(table) || !p.blank() {
			return nil, false
		}
		if !p.skip(",") && p.peek() != '}' {
			return nil, p.fail("the values of a table stand in braces, with commas between them")
		}
	}
}

// quoted reads a string after its first quote, basic in double quotes and
// literal in single ones. Of three quotes it may have several lines.
func (p *tomlParser) quoted(quote byte, allowLines bool) (string, bool) {
	fence := strings.Repeat(string(rune(quote)), 3)
	lines := allowLines && p.skip(fence[1:])
	if lines {
		p.newline() // right after the fence it does not count
	}
	var b strings.Builder
	for p.pos < len(p.text) {
		start := p.pos
		c := p.text[p.pos]
		switch {
		case c == quote && !lines:
			p.pos++
			return b.String(), true
		case c == quote && p.skip(fence):
			for range 2 { // quotes of the text that touch the fence
				if p.peek() == quote {
					b.WriteByte(quote)
					p.pos++
				}
			}
			return b.String(), true
		case c == '\\' && quote == '"':
			p.pos++
			if lines && p.continued() {
				continue
			}
			r, ok := p.escape()
			if !ok {
				return "", p.fail(`a backslash in double quotes begins an escape such as \n or \u00e9; use single quotes for text as it is`)
			}
			b.WriteRune(r)
		case lines && p.newline():
			b.WriteString(p.text[start:p.pos])
		case isControl(c):
			return "", p.fail("the text in quotes has no end on this line, or holds a control character")
		default:
			b.WriteByte(c)
			p.pos++
		}
	}
	return "", p.fail("the text in quotes has no end")
}

// continued reads the end of a line after a backslash and all space and line
// ends that follow.
func (p *tomlParser) continued() bool {
	start := p.pos
	p.space()
	if !p.newline() {
		p.pos = start
		return false
	}
	for p.space(); p.newline(); p.space() {
	}
	return true
}

// escape reads what follows a backslash.
func (p *tomlParser) escape() (rune, bool) {
	c := p.peek()
	p.pos++
	if i := strings.IndexByte(`btnfre"\`, c); i >= 0 {
		return rune("\b\t\n\f\r\x1b\"\\"[i]), true
	}
	length := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	if length == 0 || p.pos+length > len(p.text) {
		return 0, false
	}
	for i := range length {
		if !isBase(p.text[p.pos+i], 16) {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(p.text[p.pos:p.pos+length], 16, 32)
	p.pos += length
	return rune(n), err == nil && n <= utf8.MaxRune && utf8.ValidRune(rune(n))
}

// parseTOMLNumber reads an int64 or float64.
func parseTOMLNumber(word string) (any, bool) {
	unsigned := strings.TrimPrefix(word, "-")
	if unsigned == word {
		unsigned = strings.TrimPrefix(word, "+")
	}
	switch {
	case unsigned == "inf" && word[0] == '-':
		return math.Inf(-1), true
	case unsigned == "inf":
		return math.Inf(1), true
	case unsigned == "nan":
		return math.NaN(), true
	}
	if len(word) > 2 && word[0] == '0' {
		if base := map[byte]byte{'x': 16, 'o': 8, 'b': 2}[word[1]]; base != 0 {
			if digitsTOML(word[2:], base) != len(word)-2 {
				return nil, false
			}
			n, err := strconv.ParseInt(strings.ReplaceAll(word[2:], "_", ""), int(base), 64)
			return n, err == nil
		}
	}
	whole := digitsTOML(unsigned, 10)
	if whole == 0 || whole > 1 && unsigned[0] == '0' {
		return nil, false
	}
	clean := strings.ReplaceAll(word, "_", "")
	rest := unsigned[whole:]
	if rest == "" {
		n, err := strconv.ParseInt(clean, 10, 64)
		return n, err == nil
	}
	if rest[0] == '.' {
		n := digitsTOML(rest[1:], 10)
		if n == 0 {
			return nil, false
		}
		rest = rest[1+n:]
	}
	if rest != "" && rest[0]|0x20 == 'e' {
		rest = rest[1:]
		if rest != "" && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		n := digitsTOML(rest, 10)
		if n == 0 {
			return nil, false
		}
		rest = rest[n:]
	}
	if rest != "" {
		return nil, false
	}
	f, err := strconv.ParseFloat(clean, 64)
	return f, err == nil
}

// digitsTOML counts the leading digits, with single underscores between them.
func digitsTOML(text string, base byte) int {
	n := 0
	for n < len(text) && (isBase(text[n], base) ||
		text[n] == '_' && n > 0 && text[n-1] != '_' && n+1 < len(text) && isBase(text[n+1], base)) {
		n++
	}
	return n
}

func isBase(c, base byte) bool {
	switch {
	case isDigit(c):
		return c-'0' < base
	case base == 16:
		return 'a' <= c|0x20 && c|0x20 <= 'f'
	}
	return false
}

// parseTOMLTime reads a date, a time of the day, or both with or without a
// zone, and writes them in the one form of RFC 3339.
func parseTOMLTime(word string) (tomlTime, bool) {
	date, clock := "", word
	if hasShape(word, "0000-00-00") {
		date, clock = word[:10], word[10:]
		if clock == "" {
			return valid(word, time.DateOnly)
		}
		if strings.IndexByte("Tt ", clock[0]) < 0 {
			return "", false
		}
		clock = clock[1:]
	}
	if !hasShape(clock, "00:00") {
		return "", false
	}
	seconds, zone := ":00", clock[5:]
	if hasShape(zone, ":00") {
		n := 3
		if hasShape(zone[n:], ".0") {
			for n++; n < len(zone) && isDigit(zone[n]); n++ {
			}
		}
		seconds, zone = zone[:n], zone[n:]
	}
	clock = clock[:5] + seconds
	if date == "" {
		if zone != "" {
			return "", false
		}
		return valid(clock, time.TimeOnly)
	}
	switch {
	case zone == "":
		t, ok := valid(date+"T"+clock+"Z", time.RFC3339)
		return t[:max(0, len(t)-1)], ok
	case zone == "Z" || zone == "z":
		zone = "Z"
	case len(zone) != 6 || !hasShape(zone[1:], "00:00") || zone[0] != '+' && zone[0] != '-':
		return "", false
	}
	return valid(date+"T"+clock+zone, time.RFC3339)
}

// valid makes sure that a day is in the calendar and an hour on the clock.
func valid(text, layout string) (tomlTime, bool) {
	if _, err := time.Parse(layout, text); err != nil {
		return "", false
	}
	return tomlTime(text), true
}

// hasShape reports whether text begins like shape, in which 0 is any digit.
func hasShape(text, shape string) bool {
	if len(text) < len(shape) {
		return false
	}
	for i := range len(shape) {
		if shape[i] == '0' && !isDigit(text[i]) || shape[i] != '0' && text[i] != shape[i] {
			return false
		}
	}
	return true
}
