package template

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// number reads an integer or a float. Digits may be grouped by underscores;
// a float needs digits on both sides of its point.
func (l *lexer) number() {
	s := l.src[l.pos:]
	if base := numberBase(s); base != 0 {
		digit := func(c byte) bool { return digitValue(c) < base }
		if end := digitRun(s, 2, digit); end > 2 {
			l.emit(tokenInteger, strings.ReplaceAll(s[:end], "_", ""))
			l.advance(l.pos + end)
			return
		}
	}
	decimal := func(c byte) bool { return c >= '0' && c <= '9' }
	end := digitRun(s, 0, decimal)
	if l.pos == 0 || l.src[l.pos-1] != '.' {
		stop := end
		if stop+1 < len(s) && s[stop] == '.' && decimal(s[stop+1]) {
			stop = digitRun(s, stop+1, decimal)
		}
		if stop < len(s) && (s[stop] == 'e' || s[stop] == 'E') {
			exp := stop + 1
			if exp < len(s) && (s[exp] == '+' || s[exp] == '-') {
				exp++
			}
			if exp < len(s) && decimal(s[exp]) {
				stop = digitRun(s, exp, decimal)
			}
		}
		if stop > end {
			l.emit(tokenFloat, strings.ReplaceAll(s[:stop], "_", ""))
			l.advance(l.pos + stop)
			return
		}
	}
	if s[0] == '0' { // only zeros may follow a leading zero
		end = digitRun(s, 0, func(c byte) bool { return c == '0' })
	}
	l.emit(tokenInteger, strings.ReplaceAll(s[:end], "_", ""))
	l.advance(l.pos + end)
}

func numberBase(s string) int {
	if len(s) > 2 && s[0] == '0' {
		switch s[1] {
		case 'x', 'X':
			return 16
		case 'o', 'O':
			return 8
		case 'b', 'B':
			return 2
		}
	}
	return 0
}

func digitValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	}
	return 99
}

// digitRun gives the end of the digits from i on, single underscores between
// them included (and one before the first, as after a base prefix).
func digitRun(s string, i int, digit func(byte) bool) int {
	end := i
	for i < len(s) {
		if s[i] == '_' && (end > 0) && i == end {
			i++
			continue
		}
		if !digit(s[i]) {
			break
		}
		i++
		end = i
	}
	return end
}

// integerLiteral reads the text of an integer token.
func integerLiteral(text string) (value, bool) {
	if n, err := strconv.ParseInt(text, 0, 64); err == nil && (len(text) < 2 || text[0] != '0' || numberBase(text) != 0) {
		return intValue(n), true
	}
	if len(text) > maxIntegerDigits {
		return value{}, false
	}
	base := numberBase(text)
	if base != 0 {
		text = text[2:]
	} else {
		base = 10
	}
	n, ok := new(big.Int).SetString(text, base)
	if !ok {
		return value{}, false
	}
	return bigValue(n), true
}

func (l *lexer) quotedString(quote byte) {
	s := l.src
	i := l.pos + 1
	for ; i < len(s) && s[i] != quote; i++ {
		if s[i] == '\\' {
			i++
		}
	}
	if i >= len(s) {
		l.fail("unexpected character %q: the string is not closed", quote)
	}
	l.emit(tokenString, l.unescape(normalizeNewlines(s[l.pos+1:i], l.newline)))
	l.advance(i + 1)
}

// unescape resolves the escapes of Python's string literals; a backslash
// before any other character stands for itself.
func (l *lexer) unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var sb strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			sb.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case '\n':
		case '\\', '\'', '"':
			sb.WriteByte(c)
		case 'a':
			sb.WriteByte('\a')
		case 'b':
			sb.WriteByte('\b')
		case 'f':
			sb.WriteByte('\f')
		case 'n':
			sb.WriteByte('\n')
		case 'r':
			sb.WriteByte('\r')
		case 't':
			sb.WriteByte('\t')
		case 'v':
			sb.WriteByte('\v')
		case 'x':
			i += l.hexEscape(&sb, s[i+1:], 2)
		case 'u':
			i += l.hexEscape(&sb, s[i+1:], 4)
		case 'U':
			i += l.hexEscape(&sb, s[i+1:], 8)
		case 'N':
			l.fail("named characters are not supported in strings; use \\u and the code")
		default:
			if c >= '0' && c <= '7' {
				n, j := 0, i
				for ; j < len(s) && j < i+3 && s[j] >= '0' && s[j] <= '7'; j++ {
					n = n*8 + int(s[j]-'0')
				}
				sb.WriteRune(rune(n))
				i = j - 1
				continue
			}
			sb.WriteByte('\\')
			if c < utf8.RuneSelf {
				sb.WriteByte(c)
				continue
			}
			r, n := utf8.DecodeRuneInString(s[i:])
			if r <= 0xff {
				sb.WriteString("x" + strconv.FormatInt(int64(r), 16))
			} else {
				sb.WriteString(s[i : i+n])
			}
			i += n - 1
		}
	}
	return sb.String()
}

func (l *lexer) hexEscape(sb *strings.Builder, s string, digits int) int {
	if len(s) >= digits {
		if n, err := strconv.ParseUint(s[:digits], 16, 32); err == nil && n <= utf8.MaxRune {
			sb.WriteRune(rune(n))
			return digits
		}
	}
	l.fail("a character escape in a string needs %d hexadecimal digits", digits)
	return 0
}
