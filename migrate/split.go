package migrate

import (
	"regexp"
	"strings"
)

// splitSQL returns the statements of a text, without the semicolons between
// them. Those in quotes, comments and dollar quotes do not count. hash tells that
// it is that of MySQL, which has comments that begin with # and no dollar quotes.
func splitSQL(sql string, hash bool) []string {
	var all []string
	start := 0
	empty := true // no more than comments since start
	add := func(end int) {
		if !empty {
			all = append(all, strings.TrimSpace(sql[start:end]))
		}
		start, empty = end+1, true
	}
	for i := 0; i < len(sql); {
		n, comment := lexeme(sql[i:], hash)
		switch {
		case comment:
		case sql[i] == ';':
			if !empty && hasBody(sql[start:]) {
				// Nobody but the server knows where it ends.
				return append(all, strings.TrimRight(strings.TrimSpace(sql[start:]), ";"))
			}
			add(i)
		case !strings.ContainsRune(" \t\r\n", rune(sql[i])):
			empty = false
		}
		i += n
	}
	add(len(sql))
	return all
}

// bodied is a statement with statements in it that are not in quotes.
var bodied = regexp.MustCompile(`(?is)^\s*CREATE\s[^;]*?\b(FUNCTION|PROCEDURE|TRIGGER|EVENT)\b[^;$']*?\bBEGIN\b`)

func hasBody(sql string) bool { return bodied.MatchString(sql) }

// lexeme returns the length of what s begins with: something in quotes, a
// comment, or one byte.
func lexeme(s string, hash bool) (n int, comment bool) {
	switch {
	case strings.HasPrefix(s, "--"), hash && s[0] == '#':
		return until(s, 0, "\n"), true
	case strings.HasPrefix(s, "/*"):
		return blockComment(s), true
	case s[0] == '\'' || s[0] == '"' || s[0] == '`':
		return quoted(s, false), false
	case !hash && (s[0] == 'E' || s[0] == 'e') && len(s) > 1 && s[1] == '\'':
		return 1 + quoted(s[1:], true), false
	case s[0] == '$' && !hash:
		if end := strings.IndexByte(s[1:], '$'); end >= 0 && isTag(s[1:1+end]) {
			tag := s[:end+2]
			return until(s, len(tag), tag), false
		}
	case isWord(s[0]):
		// All of it, so that the e of a name is not taken for a prefix.
		n = 1
		for n < len(s) && isWord(s[n]) {
			n++
		}
		return n, false
	}
	return 1, false
}

// until returns where the first end after from has ended, or the length of s.
func until(s string, from int, end string) int {
	if i := strings.Index(s[from:], end); i >= 0 {
		return from + i + len(end)
	}
	return len(s)
}

// blockComment returns the length of a comment; there may be others in it.
func blockComment(s string) int {
	depth := 0
	for i := 0; i+1 < len(s); i++ {
		switch s[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

func quoted(s string, backslash bool) int {
	for i := 1; i < len(s); i++ {
		switch {
		case backslash && s[i] == '\\':
			i++
		case s[i] == s[0]:
			return i + 1 // a doubled quote begins another quoted part
		}
	}
	return len(s)
}

func isTag(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0x7f || !isWord(byte(r)) || r == '$' }) < 0
}

func isWord(b byte) bool {
	return b == '_' || b == '$' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || b > 0x7f
}
