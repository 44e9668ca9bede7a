package debugpage

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Around a line, so many lines are shown on either side.
const excerptRadius = 6

const (
	maxSourceFile = 4 << 20
	maxSourceLine = 400
)

// goExcerpt reads the lines around line of a Go file, and the state in which a
// highlighter meets the first of them.
func goExcerpt(path string, line int) ([]Line, lexState) {
	return goExcerptOf(path, line, excerptRadius, excerptRadius)
}

// goExcerptOf is goExcerpt with so many lines before and after.
func goExcerptOf(path string, line, before, after int) ([]Line, lexState) {
	if filepath.Ext(path) != ".go" || !filepath.IsAbs(path) {
		return nil, lexCode
	}
	text, ok := readSource(path)
	if !ok {
		return nil, lexCode
	}
	excerpt, skipped := cutExcerpt(text, line, before, after)
	return excerpt, lexAfter(skipped)
}

// readSource reads a regular file of reasonable size. A page must not wait for
// a pipe or fill the memory because a path is odd.
func readSource(path string) (string, bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSourceFile {
		return "", false
	}
	b, err := os.ReadFile(path)
	if err != nil || bytes.IndexByte(b, 0) >= 0 {
		return "", false
	}
	return string(b), true
}

// cutExcerpt returns the lines around line (counted from 1) and the text that
// it skipped to reach them.
func cutExcerpt(text string, line, before, after int) (excerpt []Line, skipped string) {
	if line < 1 {
		return nil, ""
	}
	first := max(1, line-before)
	start := 0
	for n := 1; n < first; n++ {
		i := strings.IndexByte(text[start:], '\n')
		if i < 0 {
			return nil, ""
		}
		start += i + 1
	}
	skipped = text[:start]
	rest := text[start:]
	for n := first; n <= line+after; n++ {
		s, tail, more := strings.Cut(rest, "\n")
		if !more && s == "" && n > first {
			break
		}
		excerpt = append(excerpt, Line{n, clip(strings.TrimSuffix(s, "\r"), maxSourceLine)})
		if !more {
			break
		}
		rest = tail
	}
	if len(excerpt) == 0 || excerpt[len(excerpt)-1].Number < line {
		return nil, "" // the file is shorter now than when it was built
	}
	return excerpt, skipped
}

// clip shortens s to at most n bytes on a character's border.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// lexState is what the highlighter must remember from one line to the next.
type lexState uint8

const (
	lexCode    lexState = iota
	lexComment          // inside /* */
	lexRaw              // inside ` `
)

// A token is a run of bytes of one colour. Class is 'k' for keywords, 's' for
// strings, 'c' for comments, 'n' for numbers, 'f' for a name that is called, 0
// for the rest.
type token struct {
	text  string
	class byte
}

// lexAfter is the state after text.
func lexAfter(text string) lexState {
	state := lexCode
	for line := range strings.Lines(text) {
		state, _ = lexLine(line, state, nil)
	}
	return state
}

// lexLine splits one line of Go into tokens, by as much of the language as
// colours need. It appends to tokens.
func lexLine(line string, state lexState, tokens []token) (lexState, []token) {
	add := func(n int, class byte) {
		if n > 0 {
			tokens = append(tokens, token{line[:n], class})
			line = line[n:]
		}
	}
	through := func(from int, end string) (n int, closed bool) {
		if i := strings.Index(line[from:], end); i >= 0 {
			return from + i + len(end), true
		}
		return len(line), false
	}
	for line != "" {
		var n int
		var closed bool
		switch c := line[0]; {
		case state == lexComment:
			if n, closed = through(0, "*/"); closed {
				state = lexCode
			}
			add(n, 'c')
		case state == lexRaw:
			if n, closed = through(0, "`"); closed {
				state = lexCode
			}
			add(n, 's')
		case strings.HasPrefix(line, "//"):
			add(len(line), 'c')
		case strings.HasPrefix(line, "/*"):
			if n, closed = through(2, "*/"); !closed {
				state = lexComment
			}
			add(n, 'c')
		case c == '`':
			if n, closed = through(1, "`"); !closed {
				state = lexRaw
			}
			add(n, 's')
		case c == '"' || c == '\'':
			add(quotedLength(line), 's')
		case isWordByte(c):
			n = 1
			for n < len(line) && (isWordByte(line[n]) || c <= '9' && line[n] == '.') {
				n++
			}
			add(n, wordClass(line[:n], line[n:]))
		default:
			n = 1
			for n < len(line) && !isWordByte(line[n]) && strings.IndexByte("\"'`/", line[n]) < 0 {
				n++
			}
			add(n, 0)
		}
	}
	return state, tokens
}

func quotedLength(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		}
	}
	return len(s)
}

func isWordByte(c byte) bool {
	return c == '_' || c >= utf8.RuneSelf || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func wordClass(word, rest string) byte {
	switch {
	case word[0] >= '0' && word[0] <= '9':
		return 'n'
	case isKeyword(word):
		return 'k'
	case strings.HasPrefix(rest, "("):
		return 'f'
	}
	return 0
}

func isKeyword(word string) bool {
	switch word {
	case "break", "case", "chan", "const", "continue", "default", "defer", "else", "fallthrough", "for", "func",
		"go", "goto", "if", "import", "interface", "map", "package", "range", "return", "select", "struct",
		"switch", "type", "var", "nil", "true", "false", "iota":
		return true
	}
	return false
}
