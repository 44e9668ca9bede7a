package template

import (
	"fmt"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEOF tokenKind = iota
	tokenData
	tokenBlockBegin
	tokenBlockEnd
	tokenVariableBegin
	tokenVariableEnd
	tokenName
	tokenString
	tokenInteger
	tokenFloat
	tokenOperator
	tokenError // the text says what is wrong; only the parser fails
)

type token struct {
	kind tokenKind
	text string // the operator, the name, the unescaped string, the data
	at   spot
}

func (t token) String() string {
	switch t.kind {
	case tokenEOF:
		return "end of template"
	case tokenBlockBegin:
		return "begin of statement block"
	case tokenBlockEnd:
		return "end of statement block"
	case tokenVariableBegin:
		return "begin of print statement"
	case tokenVariableEnd:
		return "end of print statement"
	case tokenData:
		return "template data"
	}
	return "'" + t.text + "'"
}

// syntax is the delimiters and whitespace rules, prepared once per engine.
type syntax struct {
	blockStart, blockEnd       string
	variableStart, variableEnd string
	commentStart, commentEnd   string
	lineStatement, lineComment string
	trimBlocks, lstripBlocks   bool
	keepTrailingNewline        bool
	django                     bool // verbatim and comment are tags
	newline                    string
	starts                     []startRule
	first                      [256]bool // bytes a start delimiter can begin with
}

type startKind uint8

const (
	startBlock startKind = iota
	startComment
	startLineComment
	startLineStatement
	startVariable
)

type startRule struct {
	kind   startKind
	prefix string
}

// prepare orders the start delimiters: where several match at one place the
// longest wins.
func (s *syntax) prepare() {
	s.starts = []startRule{{startBlock, s.blockStart}, {startComment, s.commentStart}, {startVariable, s.variableStart}}
	if s.lineStatement != "" {
		s.starts = append(s.starts, startRule{startLineStatement, s.lineStatement})
	}
	if s.lineComment != "" {
		s.starts = append(s.starts, startRule{startLineComment, s.lineComment})
	}
	sort.SliceStable(s.starts, func(i, j int) bool {
		a, b := s.starts[i], s.starts[j]
		if len(a.prefix) != len(b.prefix) {
			return len(a.prefix) > len(b.prefix)
		}
		return a.kind > b.kind
	})
	for _, r := range s.starts {
		s.first[r.prefix[0]] = true
	}
}

// lexer cuts a source into tokens. Positions are byte offsets.
type lexer struct {
	*syntax
	src    string
	pos    int
	tokens []token
	// rawName and rawLabel are the tag and the label of text that is not read.
	rawName, rawLabel string
	// lineStart says whether the last match ended a line, so that the text
	// after it begins one.
	lineStart bool
}

// tokenize cuts a source that normalize has prepared, and appends to tokens.
func (s *syntax) tokenize(src string, tokens []token) []token {
	l := &lexer{syntax: s, src: src, tokens: tokens, lineStart: true}
	for l.pos < len(l.src) {
		l.text()
	}
	l.emit(tokenEOF, "")
	return l.tokens
}

// normalize makes every newline "\n" and removes the last one if asked to.
func (s *syntax) normalize(src string) string {
	src = normalizeNewlines(src, "\n")
	if !s.keepTrailingNewline {
		src = strings.TrimSuffix(src, "\n")
	}
	return src
}

func normalizeNewlines(s, newline string) string {
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	if newline != "\n" {
		s = strings.ReplaceAll(s, "\n", newline)
	}
	return s
}

func (l *lexer) here() spot { return spot(l.pos + 1) }

func (l *lexer) emit(k tokenKind, text string) {
	l.tokens = append(l.tokens, token{k, text, l.here()})
}

func (l *lexer) fail(format string, args ...any) {
	panic(&Error{Kind: Syntax, at: l.here(), Message: fmt.Sprintf(format, args...)})
}

// advance moves to the byte offset to.
func (l *lexer) advance(to int) {
	if to > l.pos {
		l.lineStart = l.src[to-1] == '\n'
	}
	l.pos = to
}

func (l *lexer) data(text string) {
	if text != "" {
		l.emit(tokenData, normalizeNewlines(text, l.newline))
	}
}

// text reads up to the next delimiter and what that one begins.
func (l *lexer) text() {
	start := l.pos
	rule, at, end, raw := l.findStart()
	if at < 0 {
		l.data(l.src[start:])
		l.advance(len(l.src))
		return
	}
	text := l.src[start:at]
	sign := byte(0)
	if end < len(l.src) && (l.src[end] == '-' || l.src[end] == '+') {
		sign = l.src[end]
		end++
	}
	switch {
	case sign == '-':
		text = strings.TrimRightFunc(text, isSpace)
	case sign != '+' && l.lstripBlocks && (rule != startVariable || raw > 0):
		text = l.stripLine(text)
	}
	l.data(text)
	if raw > 0 {
		l.advance(raw)
		l.rawBlock()
		return
	}
	l.advance(end)
	switch rule {
	case startBlock:
		l.emit(tokenBlockBegin, "")
		l.tag(tokenBlockEnd, l.blockEnd, l.trimBlocks, true)
	case startVariable:
		l.emit(tokenVariableBegin, "")
		l.tag(tokenVariableEnd, l.variableEnd, false, false)
	case startLineStatement:
		l.emit(tokenBlockBegin, "")
		l.tag(tokenBlockEnd, "", false, false)
	case startComment:
		l.comment()
	case startLineComment:
		rest := strings.IndexByte(l.src[l.pos:], '\n')
		if rest < 0 {
			rest = len(l.src) - l.pos
		}
		l.advance(l.pos + rest)
	}
}

// stripLine removes the whitespace between the begin of the line and a block.
func (l *lexer) stripLine(text string) string {
	from := strings.LastIndexByte(text, '\n') + 1
	if (from > 0 || l.lineStart) && strings.TrimLeftFunc(text[from:], isSpace) == "" {
		return text[:from]
	}
	return text
}

// findStart finds the next delimiter: its place, the end of it, and for a raw
// block the end of its whole opening tag.
func (l *lexer) findStart() (rule startKind, at, end, raw int) {
	lines := l.lineStatement != "" || l.lineComment != ""
	for i := l.pos; i < len(l.src); i++ {
		if !lines && !l.first[l.src[i]] {
			continue
		}
		if strings.HasPrefix(l.src[i:], l.blockStart) {
			if end := l.rawOpening(i); end > 0 {
				return startBlock, i, i + len(l.blockStart), end
			}
		}
		for _, r := range l.starts {
			if end := l.matchStart(r, i); end >= 0 {
				return r.kind, i, end, 0
			}
		}
	}
	return 0, -1, 0, 0
}

func (l *lexer) matchStart(r startRule, i int) int {
	lineBegin := i == 0 || l.src[i-1] == '\n'
	j := i
	switch r.kind {
	case startLineStatement:
		if !lineBegin {
			return -1
		}
		for j < len(l.src) && (l.src[j] == ' ' || l.src[j] == '\t' || l.src[j] == '\v') {
			j++
		}
	case startLineComment:
		if !lineBegin {
			if r, _ := utf8.DecodeLastRuneInString(l.src[:i]); isSpace(r) {
				return -1
			}
		}
		for j < len(l.src) {
			r, n := utf8.DecodeRuneInString(l.src[j:])
			if !isSpace(r) || r == '\n' || r == '\r' {
				break
			}
			j += n
		}
	}
	if strings.HasPrefix(l.src[j:], r.prefix) {
		return j + len(r.prefix)
	}
	return -1
}

// skipSpace gives the first offset from i on that is not whitespace.
func (l *lexer) skipSpace(i int) int {
	for i < len(l.src) {
		r, n := utf8.DecodeRuneInString(l.src[i:])
		if !isSpace(r) {
			break
		}
		i += n
	}
	return i
}

// tagWord matches a start delimiter with an optional sign and one word, and
// gives the offset behind the word and the whitespace after it.
func (l *lexer) tagWord(i int, word string) int {
	i += len(l.blockStart)
	if i < len(l.src) && (l.src[i] == '-' || l.src[i] == '+') {
		i++
	}
	i = l.skipSpace(i)
	if !strings.HasPrefix(l.src[i:], word) {
		return -1
	}
	return l.skipSpace(i + len(word))
}

// rawOpening matches the opening tag of text that is not read, and gives the
// offset behind it.
func (l *lexer) rawOpening(at int) int {
	i := l.tagWord(at, "raw")
	l.rawName, l.rawLabel = "raw", ""
	if i < 0 && l.django {
		i = l.djangoRaw(at)
	}
	switch {
	case i < 0:
		return 0
	case strings.HasPrefix(l.src[i:], "-"+l.blockEnd):
		return l.skipSpace(i + 1 + len(l.blockEnd))
	case strings.HasPrefix(l.src[i:], l.blockEnd):
		return i + len(l.blockEnd)
	}
	return 0
}

// closing matches the end delimiter of a block or comment at i, with its sign
// and what it swallows; -1 if it is not there.
func (l *lexer) closing(i int, end string, trim, plus bool) int {
	switch {
	case plus && strings.HasPrefix(l.src[i:], "+") && strings.HasPrefix(l.src[i+1:], end):
		return i + 1 + len(end)
	case strings.HasPrefix(l.src[i:], "-") && strings.HasPrefix(l.src[i+1:], end):
		return l.skipSpace(i + 1 + len(end))
	case strings.HasPrefix(l.src[i:], end):
		i += len(end)
		if trim && i < len(l.src) && l.src[i] == '\n' {
			i++
		}
		return i
	}
	return -1
}

func (l *lexer) rawBlock() {
	for i := l.pos; i < len(l.src); i++ {
		if !strings.HasPrefix(l.src[i:], l.blockStart) {
			continue
		}
		word := l.tagWord(i, "end"+l.rawName)
		if word < 0 {
			continue
		}
		if l.rawLabel != "" {
			if !strings.HasPrefix(l.src[word:], l.rawLabel) {
				continue
			}
			word = l.skipSpace(word + len(l.rawLabel))
		}
		end := l.closing(word, l.blockEnd, l.trimBlocks, true)
		if end < 0 {
			continue
		}
		text := l.src[l.pos:i]
		switch sign := l.src[i+len(l.blockStart)]; {
		case sign == '-':
			text = strings.TrimRightFunc(text, isSpace)
		case sign != '+' && l.lstripBlocks:
			text = l.stripLine(text)
		}
		if l.rawName != "comment" {
			l.data(text)
		}
		l.advance(end)
		return
	}
	if l.pos < len(l.src) { // nothing after the opening tag is nothing to close
		l.unclosed("missing end of raw directive")
	}
}

func (l *lexer) comment() {
	for i := l.pos; i < len(l.src); i++ {
		if c := l.src[i]; c != l.commentEnd[0] && c != '-' && c != '+' {
			continue
		}
		if end := l.closing(i, l.commentEnd, l.trimBlocks, true); end >= 0 {
			l.advance(end)
			return
		}
	}
	if l.pos < len(l.src) {
		l.unclosed("missing end of comment tag")
	}
}

// lineEnd matches the end of a line statement: the line's end and the blank
// lines after it.
func (l *lexer) lineEnd() int {
	end := l.skipSpace(l.pos)
	if end == len(l.src) {
		return end
	}
	if last := strings.LastIndexByte(l.src[l.pos:end], '\n'); last >= 0 {
		return l.pos + last + 1
	}
	return -1
}

// unclosed reports what lacks its end, and with it the rest of the source.
func (l *lexer) unclosed(message string) {
	l.emit(tokenError, message)
	l.advance(len(l.src))
}

// tag reads a tag. What is wrong in it becomes a token, and reading goes on
// behind the tag, so that the parser can report more than the first mistake.
func (l *lexer) tag(kind tokenKind, end string, trim, plus bool) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		e, ok := r.(*Error)
		if !ok {
			panic(r)
		}
		l.tokens = append(l.tokens, token{tokenError, e.Message, e.at})
		rest, stop := l.src[l.pos:], end
		if end == "" {
			stop = "\n"
		}
		at := strings.Index(rest, stop)
		if at < 0 {
			l.advance(len(l.src))
			return
		}
		l.advance(l.pos + at)
		l.emit(kind, "")
		l.advance(l.pos + len(stop))
	}()
	l.code(kind, end, trim, plus)
}

// code reads the tokens of a tag up to its end. While a bracket is open the
// end is not looked for, so an empty end (a line statement) can span lines.
func (l *lexer) code(kind tokenKind, end string, trim, plus bool) {
	var open []byte
	for l.pos < len(l.src) {
		if len(open) == 0 {
			var stop int
			if end == "" {
				stop = l.lineEnd()
			} else {
				stop = l.closing(l.pos, end, trim, plus)
			}
			if stop >= 0 {
				l.emit(kind, "")
				l.advance(stop)
				return
			}
		}
		c := l.src[l.pos]
		r, width := rune(c), 1
		if c >= utf8.RuneSelf {
			r, width = utf8.DecodeRuneInString(l.src[l.pos:])
		}
		switch {
		case isSpace(r):
			l.advance(l.pos + width)
		case c >= '0' && c <= '9':
			l.number()
		case c == '_' || unicode.IsLetter(r) || unicode.IsNumber(r):
			l.word()
		case c == '"' || c == '\'':
			l.quotedString(c)
		default:
			open = l.operator(open, r)
		}
	}
	if end == "" && len(open) == 0 {
		l.emit(kind, "")
	}
}

func (l *lexer) operator(open []byte, r rune) []byte {
	op := l.src[l.pos : l.pos+1]
	if two := l.src[l.pos:]; len(two) >= 2 {
		switch two[:2] {
		case "//", "**", "==", "!=", ">=", "<=":
			op = two[:2]
		}
	}
	switch op {
	case "(", "[", "{":
		open = append(open, op[0])
	case ")", "]", "}":
		if len(open) == 0 {
			l.fail("unexpected '%s'", op)
		}
		want := map[byte]string{'(': ")", '[': "]", '{': "}"}[open[len(open)-1]]
		if want != op {
			l.fail("unexpected '%s', expected '%s'", op, want)
		}
		open = open[:len(open)-1]
	case "+", "-", "/", "//", "*", "**", "%", "~", "==", "!=", ">", ">=", "<", "<=", "=", ".", ":", "|", ",", ";":
	default:
		l.fail("unexpected character %q", r)
	}
	l.emit(tokenOperator, op)
	l.advance(l.pos + len(op))
	return open
}

func (l *lexer) word() {
	end := l.pos
	for end < len(l.src) {
		r, n := utf8.DecodeRuneInString(l.src[end:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsNumber(r) && !(r >= utf8.RuneSelf && unicode.In(r, unicode.Mn, unicode.Mc)) {
			break
		}
		end += n
	}
	word := l.src[l.pos:end]
	if first, _ := utf8.DecodeRuneInString(word); first != '_' && !unicode.IsLetter(first) && !unicode.Is(unicode.Nl, first) {
		l.fail("invalid character in identifier")
	}
	l.emit(tokenName, word)
	l.advance(end)
}

func isSpace(r rune) bool {
	return r == ' ' || r >= '\t' && r <= '\r' || r >= 0x1c && r <= 0x1f || r >= utf8.RuneSelf && unicode.IsSpace(r)
}

// djangoRaw matches the opening of Django's verbatim and comment up to the
// end delimiter; -1 if there is none.
func (l *lexer) djangoRaw(at int) int {
	for _, name := range [...]string{"verbatim", "comment"} {
		i := l.tagWord(at, name)
		if i < 0 {
			continue
		}
		length := strings.Index(l.src[i:], l.blockEnd)
		if length < 0 {
			return -1
		}
		label := l.src[i : i+length]
		if word := at + len(l.blockStart); label != "" && !strings.ContainsAny(l.src[word:i], " \t\n") {
			return -1 // the begin of a longer name
		}
		l.rawName = name
		if dash := strings.HasSuffix(label, "-"); dash {
			length--
		}
		if name == "verbatim" {
			l.rawLabel = strings.TrimSpace(strings.TrimSuffix(label, "-"))
		}
		return i + length
	}
	return -1
}
