package template

import (
	"strings"
	"unicode/utf8"
)

// parseSpec reads [[fill]align][sign][z][#][0][width][grouping][.precision][type].
func parseSpec(s string) *formatSpec {
	f := &formatSpec{precision: -1}
	aligns := func(i int) bool { return i < len(s) && strings.IndexByte("<>=^", s[i]) >= 0 }
	i := 0
	if _, n := utf8.DecodeRuneInString(s); n > 0 && aligns(n) {
		f.fill, f.align, i = s[:n], s[n], n+1
	} else if aligns(0) {
		f.align, i = s[0], 1
	}
	at := func(set string) bool { return i < len(s) && strings.IndexByte(set, s[i]) >= 0 }
	if at("+- ") {
		f.signed = true
		if s[i] != '-' {
			f.sign = s[i]
		}
		i++
	}
	if at("z") {
		f.noNegativeZero = true
		i++
	}
	if at("#") {
		f.alternate = true
		i++
	}
	if at("0") {
		f.zero = true
		i++
	}
	if f.fill == "" {
		f.fill = " "
		if f.zero {
			f.fill = "0"
		}
	}
	f.width, i = number(s, i)
	for at(",_") {
		if f.comma != 0 {
			panic(runtimeError("format: cannot specify two grouping characters"))
		}
		f.comma = s[i]
		i++
	}
	if at(".") {
		start := i + 1
		if f.precision, i = number(s, start); i == start {
			panic(runtimeError("format: format specifier missing precision"))
		}
	}
	if i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		if n > 1 {
			panic(runtimeError("format: unknown format code %q", r))
		}
		f.verb = s[i]
		i++
	}
	if i < len(s) {
		panic(runtimeError("format: invalid format specifier %s", string(appendQuoted(nil, s))))
	}
	f.check()
	f.checkGrouping(f.verb)
	return f
}

// checkGrouping fails where digits of that code are not grouped.
func (f *formatSpec) checkGrouping(verb byte) {
	switch {
	case f.comma == 0, verb == 0, strings.IndexByte("defgEFG%", verb) >= 0:
	case f.comma == '_' && strings.IndexByte("boxX", verb) >= 0:
	default:
		panic(runtimeError("format: cannot specify '%c' with '%c'", f.comma, verb))
	}
}

// grouped puts separators between the digits before the point; with width it
// puts zeros in front until the whole is that wide.
func (f *formatSpec) grouped(digits string, width int) string {
	if f.comma == 0 {
		return digits
	}
	size := 3
	end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
	if f.verb != 0 && strings.IndexByte("boxX", f.verb) >= 0 {
		size, end = 4, -1
	}
	if end < 0 {
		end = len(digits)
	}
	whole, rest := digits[:end], digits[end:]
	length := func(n int) int { return n + max(n-1, 0)/size }
	n := len(whole)
	for length(n) < width-len(rest) {
		n++
	}
	whole = strings.Repeat("0", n-len(whole)) + whole
	var sb strings.Builder
	for i := range n {
		if i > 0 && (n-i)%size == 0 {
			sb.WriteByte(f.comma)
		}
		sb.WriteByte(whole[i])
	}
	return sb.String() + rest
}
