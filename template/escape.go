package template

import (
	"encoding/binary"
	"strings"
	"unsafe"
)

// escapes holds the replacement of each byte that has a meaning in HTML text
// or in a quoted attribute.
var escapes = [256]string{
	'&': "&amp;", '<': "&lt;", '>': "&gt;", '\'': "&#39;", '"': "&#34;",
}

// appendEscaped appends s with the five special characters replaced. Most text
// has none, so it is looked through eight bytes at a time.
func appendEscaped(dst []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); i++ {
		for i+8 <= len(s) && !hasSpecial(wordAt(s, i)) {
			i += 8
		}
		if i == len(s) {
			break
		}
		c := s[i]
		if c > '>' || escapes[c] == "" {
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = append(dst, escapes[c]...)
		start = i + 1
	}
	return append(dst, s[start:]...)
}

const (
	eachByte = 0x0101010101010101
	topBits  = 0x8080808080808080
)

// wordAt reads eight bytes of s.
func wordAt(s string, i int) uint64 {
	return binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(s[i:]), 8))
}

// hasSpecial reports whether one of eight bytes has to be escaped: & and '
// differ in their last bit only, < and > in the one before.
func hasSpecial(w uint64) bool {
	return hasZero(w|eachByte^'\''*eachByte)|hasZero(w|2*eachByte^'>'*eachByte)|hasZero(w^'"'*eachByte) != 0
}

// hasZero is not zero if one of eight bytes is.
func hasZero(w uint64) uint64 { return (w - eachByte) &^ w & topBits }

// Escape replaces the characters &, <, >, " and ' by references, for use in
// HTML text and in quoted attributes.
func Escape(s string) Safe { return Safe(escapeString(s)) }

func escapeString(s string) string {
	if !strings.ContainsAny(s, `&<>'"`) {
		return s
	}
	return string(appendEscaped(make([]byte, 0, len(s)+len(s)/4), s))
}

// appendHTML appends the printed form of v, escaped unless it is safe.
func appendHTML(dst []byte, v value) []byte {
	switch v.kind {
	case kindString:
		return appendEscaped(dst, v.str())
	case kindSafe:
		return append(dst, v.str()...)
	case kindNone, kindBool, kindInt, kindFloat, kindBig, kindRange:
		return appendText(dst, v)
	case kindGo:
		if out, ok := v.typ.appendHTML(dst, v); ok {
			return out
		}
		if s, ok := v.typ.text(v); ok {
			return appendEscaped(dst, s)
		}
	case kindObject:
		if h, ok := v.object().(interface{ appendHTML(dst []byte) []byte }); ok {
			return h.appendHTML(dst)
		}
	case kindUndefined:
		// A chainable undefined says of itself that it is safe.
		return append(dst, escapeString(v.undefined().text())...)
	}
	return appendEscaped(dst, string(appendText(nil, v)))
}

// escaped is v as safe text.
func escaped(v value) value {
	if v.kind == kindSafe {
		return v
	}
	if v.kind == kindString {
		return safeValue(escapeString(v.str()))
	}
	return safeValue(string(appendHTML(nil, v)))
}

// isEscaped reports whether v has an HTML form of its own.
func isEscaped(v value) bool {
	switch v.kind {
	case kindSafe:
		return true
	case kindGo:
		return v.typ.caps&capHTML != 0
	case kindObject:
		_, ok := v.object().(interface{ appendHTML(dst []byte) []byte })
		return ok
	case kindUndefined:
		return v.undefined().mode == UndefinedChainable
	}
	return false
}

// soft makes a string of v that keeps safe strings safe.
func soft(v value) value {
	if v.isString() {
		return v
	}
	if v.kind == kindUndefined {
		return stringValue(v.undefined().text())
	}
	return stringValue(v.text())
}
