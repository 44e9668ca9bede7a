package template

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// autoescapeOn is the setting at run time, which filters go by.
func (f *frame) autoescapeOn() bool { return f.ctx.eval.autoescape }

// onText applies a function to the printed form of a value, keeping safety.
func onText(in value, fn func(string) string) value {
	v := soft(in)
	return textValue(fn(v.str()), v.kind == kindSafe)
}

func filterUpper(f *frame, in value, _ []value) value { return changeCase(f.x, in, 'a', upperCase) }

func filterLower(f *frame, in value, _ []value) value { return changeCase(f.x, in, 'A', lowerCase) }

// changeCase moves the 26 letters from first on to the other case, and leaves
// text beyond ASCII to a function.
func changeCase(x *exec, in value, first byte, full func(string) string) value {
	v := soft(in)
	s := v.str()
	if !ascii(s) {
		return textValue(full(s), v.kind == kindSafe)
	}
	at := 0
	for at < len(s) && s[at]-first > 'z'-'a' {
		at++
	}
	if at == len(s) {
		return v
	}
	buf := append(x.scratch(), s...)
	for i := at; i < len(buf); i++ {
		if buf[i]-first <= 'z'-'a' {
			buf[i] ^= 'a' - 'A'
		}
	}
	return x.keepScratch(buf, v.kind == kindSafe)
}

func filterCapitalize(_ *frame, in value, _ []value) value { return onText(in, capitalized) }

// filterTitle begins each word with a capital. Words begin after whitespace,
// hyphens and opening brackets; the result is not safe.
func filterTitle(_ *frame, in value, _ []value) value {
	var sb strings.Builder
	word := 0
	s := soft(in).str()
	starts := func(r rune) bool { return isSpace(r) || strings.ContainsRune("-({[<", r) }
	flush := func(end int) {
		if word < end {
			_, n := utf8.DecodeRuneInString(s[word:])
			sb.WriteString(upperCase(s[word : word+n]))
			sb.WriteString(lowerCase(s[word+n : end]))
		}
	}
	for i, r := range s {
		if starts(r) {
			flush(i)
			sb.WriteRune(r)
			word = i + utf8.RuneLen(r)
		}
	}
	flush(len(s))
	return stringValue(sb.String())
}

func filterTrim(_ *frame, in value, a []value) value {
	if a[0].isZeroArgument() {
		return onText(in, func(s string) string { return strings.TrimFunc(s, isSpace) })
	}
	chars := wantString("trim", a[0])
	return onText(in, func(s string) string { return trimSet(s, chars, true, true) })
}

func filterString(_ *frame, in value, _ []value) value { return soft(in) }

func filterSafe(_ *frame, in value, _ []value) value {
	if isEscaped(in) {
		return escaped(in)
	}
	return safeValue(in.text())
}

func filterEscape(_ *frame, in value, _ []value) value { return escaped(in) }

func filterForceEscape(_ *frame, in value, _ []value) value {
	if isEscaped(in) {
		in = escaped(in)
	}
	return safeValue(escapeString(in.text()))
}

func filterCenter(f *frame, in value, a []value) value {
	width := int64(80)
	if a[0].given() {
		width = wantInt("center", a[0])
	}
	return onText(in, func(s string) string { return padded(f.x, s, width, " ", 'c') })
}

// padded fills s up to a width; side is l, r or c for where the text stays.
func padded(x *exec, s string, width int64, fill string, side byte) string {
	n := width - int64(runeCount(s))
	if n <= 0 {
		return s
	}
	x.allowProduct(len(fill), n)
	left := int64(0)
	switch side {
	case 'c':
		left = n/2 + n&width&1
	case 'r':
		left = n
	}
	return strings.Repeat(fill, int(left)) + s + strings.Repeat(fill, int(n-left))
}

func filterReplace(f *frame, in value, a []value) value {
	count := -1
	if !a[2].isZeroArgument() {
		count = int(wantInt("replace", a[2]))
	}
	if !f.autoescapeOn() {
		return stringValue(replaceText(f.x, in.text(), a[0].text(), a[1].text(), count))
	}
	s := soft(in)
	if isEscaped(a[0]) || isEscaped(a[1]) && !isEscaped(in) {
		s = escaped(in)
	}
	return replaceIn(f.x, s, soft(a[0]), soft(a[1]), count)
}

// replaceIn replaces in a string; what goes into a safe one is escaped.
func replaceIn(x *exec, s, from, to value, count int) value {
	if s.kind == kindSafe {
		to = escaped(to)
	}
	return textValue(replaceText(x, s.str(), from.str(), to.str(), count), s.kind == kindSafe)
}

func replaceText(x *exec, s, from, to string, count int) string {
	if growth := len(to) - len(from); growth > 0 {
		n := strings.Count(s, from)
		if count >= 0 {
			n = min(n, count)
		}
		x.allowProduct(growth, int64(n))
	}
	return strings.Replace(s, from, to, count)
}

func filterStriptags(_ *frame, in value, _ []value) value {
	if isEscaped(in) {
		in = escaped(in)
	}
	return stringValue(stripTags(in.text()))
}

// stripTags removes comments and tags, in one pass each, then joins runs of
// whitespace and resolves references.
func stripTags(s string) string {
	var out []byte
	rest := s
	for {
		start := strings.Index(rest, "<!--")
		overlap := 0
		if len(out) > 0 { // a removed comment may have put a new opening together
			for k := 3; k > 0; k-- {
				if strings.HasSuffix(string(out[max(0, len(out)-3):]), "<!--"[:k]) && strings.HasPrefix(rest, "<!--"[k:]) {
					overlap, start = k, 0
					break
				}
			}
		}
		if start < 0 {
			break
		}
		from := start + max(2-overlap, 0)
		end := -1
		if overlap == 3 && strings.HasPrefix(rest, "->") {
			end = 2
		} else if i := strings.Index(rest[min(from, len(rest)):], "-->"); i >= 0 {
			end = from + i + 3
		}
		if end < 0 {
			break
		}
		out = append(out[:len(out)-overlap], rest[:start]...)
		rest = rest[end:]
	}
	rest = string(append(out, rest...))
	out = out[:0]
	for {
		start := strings.IndexByte(rest, '<')
		if start < 0 {
			break
		}
		end := strings.IndexByte(rest[start:], '>')
		if end < 0 {
			break
		}
		out = append(out, rest[:start]...)
		rest = rest[start+end+1:]
	}
	out = append(out, rest...)
	return unescape(strings.Join(strings.FieldsFunc(string(out), isSpace), " "))
}

func filterTruncate(f *frame, in value, a []value) value {
	length, leeway, end := int64(255), int64(f.x.engine.leeway()), stringValue("...")
	if a[0].given() {
		length = wantSize("truncate", a[0])
	}
	if a[2].given() {
		end = a[2]
	}
	if !a[3].isZeroArgument() {
		leeway = wantSize("truncate", a[3])
	}
	endText := ""
	if !end.isUndefined() || end.undefined().mode == UndefinedStrict { // else it fails where it is used
		endText = wantString("truncate", end)
	}
	cut := length - int64(runeCount(endText))
	if cut < 0 || leeway < 0 {
		panic(runtimeError("truncate: the length must not be less than that of the end, and the leeway not negative"))
	}
	in = in.plain()
	if !in.isString() {
		n, ok := lengthOf(in)
		if !ok {
			panic(runtimeError("truncate: object of type '%s' has no length", in.typeName()))
		}
		if int64(n) <= length+leeway {
			return in
		}
		panic(runtimeError("truncate: expected a string, not '%s'", in.typeName()))
	}
	s := in.str()
	if int64(len(s)) <= length+leeway || int64(runeCount(s)) <= length+leeway {
		return in
	}
	s = s[:byteOffset(s, int(cut))]
	if !a[1].truth() {
		if i := strings.LastIndexByte(s, ' '); i >= 0 {
			s = s[:i]
		}
	}
	if end.isUndefined() {
		end.undefined().fail()
	}
	return concatTwo(f.x, textValue(s, in.kind == kindSafe), end)
}

// byteOffset gives where the n-th code point begins.
func byteOffset(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

func filterIndent(f *frame, in value, a []value) value {
	indent := "    "
	if a[0].given() {
		if w := a[0].plain(); w.isString() {
			indent = w.str()
		} else {
			n := wantSize("indent", w)
			f.x.allowProduct(1, n)
			indent = strings.Repeat(" ", int(max(n, 0)))
		}
	}
	first, blank := a[1].truth(), a[2].truth()
	in = in.plain()
	if in.isUndefined() {
		in.undefined().fail()
	}
	if !in.isString() {
		panic(runtimeError("indent: expected a string, not '%s'", in.typeName()))
	}
	lines := splitLines(in.str()+"\n", false)
	f.x.allowProduct(len(indent), int64(len(lines)))
	var sb strings.Builder
	if first {
		sb.WriteString(indent)
	}
	for i, l := range lines {
		if i > 0 {
			sb.WriteByte('\n')
			if blank || l != "" {
				sb.WriteString(indent)
			}
		}
		sb.WriteString(l)
	}
	return textValue(sb.String(), in.kind == kindSafe)
}

// filterWordcount counts runs of letters, digits and underscores.
func filterWordcount(_ *frame, in value, _ []value) value {
	n := int64(0)
	inside := false
	for _, r := range soft(in).str() {
		w := isWord(r)
		if w && !inside {
			n++
		}
		inside = w
	}
	return intValue(n)
}

func isWord(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r)
}

func filterWordwrap(f *frame, in value, a []value) value {
	width, breakLong, sep, hyphens := int64(79), true, f.x.engine.syntax.newline, true
	if a[0].given() {
		width = wantSize("wordwrap", a[0])
	}
	if a[1].given() {
		breakLong = a[1].truth()
	}
	if !a[2].isZeroArgument() {
		sep = wantString("wordwrap", a[2])
	}
	if a[3].given() {
		hyphens = a[3].truth()
	}
	in = in.plain()
	if in.isUndefined() {
		in.undefined().fail()
	}
	if !in.isString() {
		panic(runtimeError("wordwrap: expected a string, not '%s'", in.typeName()))
	}
	lines := splitLines(in.str(), false)
	if width <= 0 && len(lines) > 0 {
		panic(runtimeError("wordwrap: invalid width %d (must be > 0)", width))
	}
	var out []string
	for _, l := range lines {
		out = append(out, strings.Join(wrapLine(l, int(min(width, 1<<30)), breakLong, hyphens), sep))
	}
	f.x.allowProduct(len(sep)+1, int64(len(in.str())))
	return stringValue(strings.Join(out, sep))
}

func filterFormat(f *frame, in value, a *callArgs) value {
	if len(a.pos) > 0 && len(a.kw) > 0 {
		panic(runtimeError("format() takes positional or keyword arguments, not both"))
	}
	if len(a.kw) > 0 {
		d := NewDict()
		for _, k := range a.kw {
			d.set(stringValue(k.name), k.v)
		}
		return formatPercent(f.x, soft(in), dictValue(d))
	}
	return formatPercent(f.x, soft(in), tupleValue(append([]value(nil), a.pos...)...))
}

// wantInt and the like read an argument or fail with the filter's name.
func wantInt(what string, v value) int64 {
	v = v.plain()
	switch v.kind {
	case kindInt, kindBool:
		return v.int()
	case kindBig:
		panic(runtimeError("%s: the integer is too large", what))
	}
	panic(runtimeError("%s: expected an integer, not '%s'", what, v.typeName()))
}

// isSet reads a switch such as reverse, which Python takes as an integer.
func isSet(what string, v value) bool {
	return v.given() && wantInt(what, v) != 0
}

func wantString(what string, v value) string {
	v = v.plain()
	if v.isString() {
		return v.str()
	}
	panic(runtimeError("%s: expected a string, not '%s'", what, v.typeName()))
}

// wantSize is wantInt where an undefined argument is computed with first and
// fails as undefined.
func wantSize(what string, v value) int64 {
	if v.kind == kindUndefined {
		v.undefined().fail()
	}
	return wantInt(what, v)
}

func (e *Engine) leeway() int {
	switch n := e.options.Policies.TruncateLeeway; {
	case n == 0:
		return 5
	case n < 0:
		return 0
	default:
		return n
	}
}
