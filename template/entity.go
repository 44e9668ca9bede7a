package template

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// unescape replaces the character references of HTML, "&lt;" as well as "&#60;"
// and "&#x3c;", by what they stand for, as browsers do in text
// (https://html.spec.whatwg.org, section 13.2.5.72). The html package would do
// that too, but its table is in every program that imports it, used or not.
func unescape(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "&")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		text, n := reference(rest)
		b.WriteString(text)
		s = rest[n:]
	}
}

// reference returns what stands for the reference after an ampersand and its
// length; what is none stands for itself.
func reference(s string) (text string, n int) {
	if strings.HasPrefix(s, "#") {
		return numericReference(s)
	}
	for n < len(s) && isAlphanumeric(s[n]) {
		n++
	}
	if n < len(s) && s[n] == ';' {
		if text := entities.get(s[:n+1]); text != "" {
			return text, n + 1
		}
	}
	for n = min(n, longestLegacy); n > 0; n-- {
		if text := entities.get(s[:n]); text != "" {
			return text, n
		}
	}
	return "&", 0
}

// longestLegacy is the length of the longest name that needs no semicolon.
const longestLegacy = len("frac12")

// numericReference reads "#60;" and "#x3c;", the semicolon of which may miss.
func numericReference(s string) (text string, n int) {
	base, n := rune(10), 1
	if n < len(s) && s[n]|0x20 == 'x' {
		base, n = 16, 2
	}
	first, code := n, rune(0)
	for ; n < len(s); n++ {
		digit := rune(-1)
		switch c := s[n]; {
		case '0' <= c && c <= '9':
			digit = rune(c - '0')
		case base == 16 && 'a' <= c|0x20 && c|0x20 <= 'f':
			digit = rune(c|0x20-'a') + 10
		}
		if digit < 0 {
			break
		}
		code = min(code*base+digit, utf8.MaxRune+1)
	}
	switch {
	case n == first:
		return "&", 0
	case code == 0 || !utf8.ValidRune(code):
		code = utf8.RuneError
	case 0x80 <= code && code < 0xa0:
		code = windows1252[code-0x80]
	}
	if n < len(s) && s[n] == ';' {
		n++
	}
	return string(code), n
}

// windows1252 are the characters that pages mean by 128 to 159, which are
// control characters in Unicode.
var windows1252 = [...]rune{
	'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8d, 'Ž', 0x8f,
	0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9d, 'ž', 'Ÿ',
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// entities finds references by their name, with its semicolon unless it is a
// legacy one. The index is made when the first text is unescaped.
var entities entityIndex

type entityIndex struct {
	once  sync.Once
	index map[string]string
}

func (e *entityIndex) get(name string) string {
	e.once.Do(func() {
		e.index = make(map[string]string, 2400)
		for item := range strings.SplitSeq(entityTable, " ") {
			end := strings.IndexByte(item, ';') + 1
			e.index[item[:end]] = item[end:]
		}
		for legacy := range strings.SplitSeq(legacyEntities, " ") {
			e.index[legacy] = e.index[legacy+";"]
		}
	})
	return e.index[name]
}
