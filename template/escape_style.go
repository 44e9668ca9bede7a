package template

import "strings"

// blockedStyle stands for a value that could be more than one of a property.
const blockedStyle = "blocked"

// styleContent appends what a value is at a place in a style sheet.
func (p position) styleContent() content {
	if p.inner == inCode {
		return func(_ *exec, dst []byte, v value) []byte {
			if isPlainNumber(v) {
				return appendText(dst, v)
			}
			s := plainText(v)
			if !v.isTrusted(markCSS) && !styleAllowed(s) {
				s = blockedStyle
			}
			return append(dst, s...)
		}
	}
	return func(_ *exec, dst []byte, v value) []byte { return appendStyleText(dst, plainText(v)) }
}

// styleAllowed accepts words, numbers, units, colours and lists of them: what
// cannot end a declaration or call a function.
func styleAllowed(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c < 0x80 && digitValue(c) >= 36 && strings.IndexByte(" #.,%+-!_\t", c) < 0 {
			return false
		}
	}
	lower := strings.ToLower(s)
	return !strings.Contains(s, "--") && !strings.Contains(lower, "expression") && !strings.Contains(lower, "moz-binding")
}

// appendStyleText escapes text for a string of a style sheet.
func appendStyleText(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	for i := range len(s) {
		c := s[i]
		switch {
		case c == 0:
			dst = append(dst, `\fffd `...)
		case c < ' ' || c == 0x7f || strings.IndexByte("\"'()/:;<>&+\\{}@`", c) >= 0:
			dst = append(dst, '\\')
			if c > 15 {
				dst = append(dst, hex[c>>4])
			}
			dst = append(dst, hex[c&15], ' ')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
