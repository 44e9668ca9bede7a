package template

import (
	"strings"
	"unicode/utf8"
)

// escaper appends a value in the form its place asks for. A nil escaper is
// that of HTML text.
type escaper func(x *exec, dst []byte, v value) []byte

// content appends a value as it must read to the script, style sheet or address
// that it is printed into.
type content func(x *exec, dst []byte, v value) []byte

// escaper picks the escaper for a value that is printed in text, in a comment,
// in an attribute's value or in the content of an element; first says that
// nothing of the attribute's value stands before.
func (p position) escaper(first bool) escaper {
	var inside content
	switch {
	case p.state == inText, p.state == inDeclaration:
		return nil
	case p.state == inComment, p.inner == inLineComment, p.inner == inBlockComment:
		return escapeToNothing
	case p.address != noAddress:
		inside = p.addressContent()
	case p.state == inContent && p.element == scriptElement, p.attr == scriptAttr:
		inside = p.scriptContent()
	case p.state == inContent && p.element == styleElement, p.attr == styleAttr:
		inside = p.styleContent()
	case p.state == inContent:
		return escapeRaw
	case p.attr == srcsetAttr:
		inside = func(_ *exec, dst []byte, v value) []byte { return append(dst, srcsetText(v)...) }
	case p.attr == contentAttr:
		inside = func(_ *exec, dst []byte, v value) []byte { return append(dst, refreshText(plainText(v))...) }
	case p.attr == documentAttr:
		inside = func(_ *exec, dst []byte, v value) []byte { return appendHTML(dst, v) }
	case p.quote != 0:
		return escapeQuoted
	default:
		inside = func(_ *exec, dst []byte, v value) []byte { return append(dst, plainText(v)...) }
	}
	switch {
	case p.state == inContent:
		return escaper(inside)
	case p.quote != 0:
		return func(x *exec, dst []byte, v value) []byte {
			start := len(dst)
			return escapeFrom(inside(x, dst, v), start)
		}
	}
	return func(x *exec, dst []byte, v value) []byte {
		return appendUnquoted(dst, string(inside(x, nil, v)), first)
	}
}

// escapeFrom escapes what was appended from start on. Most of it needs nothing.
func escapeFrom(dst []byte, start int) []byte {
	for _, c := range dst[start:] {
		if escapes[c] != "" {
			return appendEscaped(dst[:start], string(dst[start:]))
		}
	}
	return dst
}

// isPlainNumber reports whether a value prints as digits and the like, which
// mean themselves everywhere but in code.
func isPlainNumber(v value) bool {
	return v.kind == kindInt || v.kind == kindBool || v.kind == kindFloat
}

func escapeToNothing(_ *exec, dst []byte, _ value) []byte { return dst }

// markupOf is the printed form of a value and whether it is HTML.
func markupOf(v value) (s string, html bool) {
	switch v.kind {
	case kindString:
		return v.str(), false
	case kindSafe:
		return v.str(), v.typ != markJS
	case kindGo, kindObject:
		if isEscaped(v) {
			return string(appendHTML(nil, v)), true
		}
	case kindUndefined:
		return v.undefined().text(), false
	}
	return string(appendText(nil, v)), false
}

// plainText is what a value says to a reader: HTML without tags and references.
func plainText(v value) string {
	s, html := markupOf(v)
	if html {
		return unescape(withoutTags(s))
	}
	return s
}

// withoutTags leaves out the tags and comments of HTML.
func withoutTags(s string) string {
	at := strings.IndexByte(s, '<')
	if at < 0 {
		return s
	}
	var out []byte
	var p position
	for i := 0; i < len(s); {
		next, n, err := p.htmlStep(s, i)
		if err != nil {
			break
		}
		if p.state == inText {
			text := s[i:n]
			if next.state == inTagOpen {
				text = text[:len(text)-1]
			}
			out = append(out, text...)
		}
		if p.state == inTagOpen && next.state == inText {
			out = append(out, s[i-1:n]...)
		}
		p, i = next, n
	}
	return string(out)
}

// appendNormal appends HTML as text: its references stay, its tags show.
func appendNormal(dst []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c > '>' || c == '&' || escapes[c] == "" {
			continue
		}
		dst = append(append(dst, s[start:i]...), escapes[c]...)
		start = i + 1
	}
	return append(dst, s[start:]...)
}

// escapeQuoted is for attributes in quotes.
func escapeQuoted(_ *exec, dst []byte, v value) []byte {
	switch {
	case v.kind == kindString:
		return appendEscaped(dst, v.str())
	case isPlainNumber(v):
		return appendText(dst, v)
	}
	s, html := markupOf(v)
	if html {
		return appendNormal(dst, withoutTags(s))
	}
	return appendEscaped(dst, s)
}

// escapeRaw is for title, textarea and other elements that hold text only.
func escapeRaw(_ *exec, dst []byte, v value) []byte {
	s, html := markupOf(v)
	if html {
		return appendNormal(dst, s)
	}
	return appendEscaped(dst, s)
}

// appendUnquoted appends an attribute's value that has no quotes around it, or
// the first or a later part of one. An empty value gets quotes of its own.
func appendUnquoted(dst []byte, s string, first bool) []byte {
	if s == "" && first {
		return append(dst, `""`...)
	}
	for i := range len(s) {
		switch c := s[i]; c {
		case '\t', '\n', '\v', '\f', '\r', ' ', '=', '`', '&', '<', '>', '\'', '"':
			dst = append(dst, '&', '#')
			dst = append(dst, '0'+c/10, '0'+c%10, ';')
		case 0:
			dst = utf8.AppendRune(dst, utf8.RuneError)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// blockedName stands for what may not be printed as an attribute.
const blockedName = "data-blocked"

// escapeAttributes is for values between the attributes of a tag.
func escapeAttributes(element elementKind, spaced bool) escaper {
	return func(_ *exec, dst []byte, v value) []byte {
		s, html := markupOf(v)
		switch {
		case v.isTrusted(markAttr):
		case html && !attributesAllowed(s, element), !html && !namesAllowed(s, element):
			s = blockedName
		}
		if spaced && s != "" && s[0] != ' ' {
			dst = append(dst, ' ')
		}
		return append(dst, s...)
	}
}

// escapeName is for a value that is the name of an attribute.
func escapeName(element elementKind) escaper {
	return func(_ *exec, dst []byte, v value) []byte {
		if s := plainText(v); plainName(s, element) {
			return append(dst, s...)
		}
		return append(dst, blockedName...)
	}
}

// escapeNamePart is for the end of a name that begins with data- or aria-.
func escapeNamePart(_ *exec, dst []byte, v value) []byte {
	s := plainText(v)
	if !nameLetters(s) || attrNamed("data-"+s, plainElement) != plainAttr {
		s = "blocked"
	}
	return append(dst, s...)
}

func namesAllowed(s string, element elementKind) bool {
	for name := range strings.FieldsSeq(s) {
		if !plainName(name, element) {
			return false
		}
	}
	return true
}

// attributesAllowed checks HTML that stands between attributes, such as the
// result of xmlattr: it must be whole attributes, with their values in quotes,
// none of which runs scripts.
func attributesAllowed(s string, element elementKind) bool {
	for {
		s = strings.TrimLeft(s, " \t\r\n\f")
		if s == "" {
			return true
		}
		n := strings.IndexAny(s, " \t\r\n\f=")
		if n < 0 {
			n = len(s)
		}
		name := s[:n]
		if strings.ContainsAny(name, "<>\"'/`") || name == "" {
			return false
		}
		kind := attrNamed(name, element)
		s = strings.TrimLeft(s[n:], " \t\r\n\f")
		text := ""
		if after, ok := strings.CutPrefix(s, "="); ok {
			after = strings.TrimLeft(after, " \t\r\n\f")
			if after == "" || after[0] != '"' && after[0] != '\'' {
				return false
			}
			end := strings.IndexByte(after[1:], after[0])
			if end < 0 {
				return false
			}
			text, s = after[1:end+1], after[end+2:]
		}
		if !valueAllowed(kind, unescape(text)) {
			return false
		}
	}
}

func valueAllowed(kind attrKind, text string) bool {
	switch kind {
	case plainAttr:
		return true
	case addressAttr:
		return addressAllowed(text)
	case contentAttr:
		return refreshText(text) == text
	case srcsetAttr:
		return srcsetText(stringValue(text)) == text
	}
	return false
}
