package template

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// scriptContent appends what a value is at a place in a script: a literal in
// code, escaped text in strings.
func (p position) scriptContent() content {
	further := ""
	switch p.inner {
	case inCode:
		return appendScriptValue
	case inRegexp, inRegexpClass:
		further = `-[]{}()*?.,^$|#:`
	case inTemplateLiteral:
		further = "${}"
	}
	empty := ""
	if p.inner == inRegexp {
		empty = "(?:)" // two slashes would begin a comment
	}
	return func(_ *exec, dst []byte, v value) []byte {
		if v.kind == kindInt && p.inner != inRegexp && p.inner != inRegexpClass {
			return appendText(dst, v)
		}
		s, _ := markupOf(v)
		if s == "" {
			return append(dst, empty...)
		}
		return appendScriptText(dst, s, further)
	}
}

// appendScriptValue appends a value as a literal: JSON, in which nothing can
// end the script or begin a comment.
func appendScriptValue(x *exec, dst []byte, v value) []byte {
	switch {
	case v.isTrusted(markJS):
		return append(dst, v.str()...)
	case v.isString():
		start := len(dst)
		dst = appendJSONString(dst, v.str(), !x.engine.options.Policies.JSONUnicode)
		return scriptSafeFrom(x, dst, start)
	case v.isUndefined():
		if m := v.undefined(); m.mode == UndefinedStrict {
			m.fail()
		}
		return append(dst, "null"...)
	case isPlainNumber(v):
		return append(appendJSONNumber(append(dst, ' '), v), ' ')
	}
	w := jsonWriter{x: x, policies: &x.engine.options.Policies}
	if v.kind == kindObject && isEscaped(v) {
		s, _ := markupOf(v)
		w.string(s)
	} else {
		w.value(v, 0)
	}
	if w.out[0] == '"' {
		return scriptSafeFrom(x, append(dst, w.out...), len(dst))
	}
	// It must not run into a word or an operator beside it.
	start := len(dst)
	dst = append(append(dst, ' '), w.out...)
	return append(scriptSafeFrom(x, dst, start), ' ')
}

// scriptSafeFrom writes <, >, &, ' and / of JSON as escapes, which only occur
// in its strings, in what was appended from start on.
func scriptSafeFrom(x *exec, dst []byte, start int) []byte {
	if !bytes.ContainsFunc(dst[start:], unsafeInScript) {
		return dst
	}
	b := append(x.scratch(), dst[start:]...)
	dst = dst[:start]
	escaped := false
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '<' || c == '>' || c == '&' || c == '\'':
			dst = appendHex(append(dst, '\\', 'u'), uint32(c), 4)
		case c == '/' && !escaped:
			dst = append(dst, '\\', '/')
		case c == 0xe2 && i+2 < len(b) && b[i+1] == 0x80 && b[i+2]&^1 == 0xa8:
			dst = appendHex(append(dst, '\\', 'u'), 0x2000|uint32(b[i+2]&0x3f), 4)
			i += 2
		default:
			dst = append(dst, c)
		}
		escaped = c == '\\' && !escaped
	}
	x.returnScratch(b)
	return dst
}

func unsafeInScript(r rune) bool {
	return r == '<' || r == '>' || r == '&' || r == '\'' || r == '/' || r == 0x2028 || r == 0x2029
}

// appendScriptText escapes text for a string of a script, and the further
// characters for a template literal or a regular expression.
func appendScriptText(dst []byte, s, further string) []byte {
	for i, r := range s {
		switch {
		case r == utf8.RuneError:
			dst = append(dst, `\ufffd`...)
		case r == '/':
			dst = append(dst, `\/`...)
		case r < ' ', r == '\\', r == '"', r == '\'', r == '`', r == '<', r == '>', r == '&', r == '+', r == '=', r == 0x7f, r == 0x2028, r == 0x2029,
			i == 0 && r == '!', further != "" && strings.ContainsRune(further, r):
			dst = appendHex(append(dst, '\\', 'u'), uint32(r), 4)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
