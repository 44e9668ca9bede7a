package template

import "strings"

// blockedAddress stands for an address that was refused.
const blockedAddress = "#blocked"

// addressAllowed reports whether an address has no scheme or one that runs
// nothing.
func addressAllowed(s string) bool {
	end := strings.IndexAny(s, ":/?#")
	if end < 0 || s[end] != ':' {
		return true
	}
	scheme := strings.TrimLeft(s[:end], " \t\r\n\f")
	for _, ok := range [...]string{"http", "https", "mailto", "tel"} {
		if strings.EqualFold(scheme, ok) {
			return true
		}
	}
	return false
}

// addressContent appends what a value is in the part of an address where it
// stands.
func (p position) addressContent() content {
	if p.address == addressQuery {
		return func(_ *exec, dst []byte, v value) []byte {
			switch {
			case v.isTrusted(markURL):
				return appendAddress(dst, v.str())
			case isPlainNumber(v):
				return appendText(dst, v)
			}
			return appendQuery(dst, plainText(v))
		}
	}
	filter := p.address != addressPath
	return func(_ *exec, dst []byte, v value) []byte {
		if isPlainNumber(v) {
			return appendText(dst, v)
		}
		s := plainText(v)
		if filter && !v.isTrusted(markURL) && !addressAllowed(s) {
			return append(dst, blockedAddress...)
		}
		return appendAddress(dst, s)
	}
}

// addressBytes are the characters that mean themselves in an address or divide
// it, without the quotes and brackets that could end it where it stands.
var addressBytes = func() (ok [256]bool) {
	for c := range 128 {
		ok[c] = digitValue(byte(c)) < 36
	}
	for _, c := range "-._~!#$&*+,/:;=?@[]" {
		ok[c] = true
	}
	return ok
}()

const upperHex = "0123456789ABCDEF"

// appendAddress encodes what may not stand in an address and leaves what is
// encoded already.
func appendAddress(dst []byte, s string) []byte {
	start := 0
	for i := range len(s) {
		c := s[i]
		if addressBytes[c] || c == '%' && i+2 < len(s) && digitValue(s[i+1]) < 16 && digitValue(s[i+2]) < 16 {
			continue
		}
		dst = append(append(dst, s[start:i]...), '%', upperHex[c>>4], upperHex[c&15])
		start = i + 1
	}
	return append(dst, s[start:]...)
}

// appendQuery encodes all that means something in an address.
func appendQuery(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if digitValue(c) < 36 || strings.IndexByte("-._~", c) >= 0 {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// srcsetText checks each address of a list of images: "a.png 1x, b.png 2x".
func srcsetText(v value) string {
	s := plainText(v)
	if v.isTrusted(markURL) {
		return s
	}
	var out []byte
	for i, candidate := range strings.Split(s, ",") {
		if i > 0 {
			out = append(out, ',')
		}
		address := strings.TrimLeft(candidate, " \t\r\n\f")
		out = append(out, candidate[:len(candidate)-len(address)]...)
		address, size, sized := strings.Cut(address, " ")
		if !addressAllowed(address) || strings.ContainsFunc(size, func(r rune) bool { return r != ' ' && r != '.' && (r >= 0x80 || digitValue(byte(r)) >= 36) }) {
			out = append(out, blockedAddress...)
			continue
		}
		out = appendAddress(out, address)
		if sized {
			out = append(append(out, ' '), size...)
		}
	}
	return string(out)
}

// refreshText checks the content of a meta element, in case it is a refresh:
// seconds, and an address behind a semicolon or comma.
func refreshText(s string) string {
	seconds := strings.TrimLeft(s, " \t\r\n\f")
	address := strings.TrimLeft(seconds, "0123456789. \t\r\n\f")
	if address == "" || seconds == "" || digitValue(seconds[0]) > 9 && seconds[0] != ';' && seconds[0] != ',' && seconds[0] != '.' {
		return s
	}
	address = strings.TrimLeft(address, ";, \t\r\n\f")
	if len(address) >= 3 && strings.EqualFold(address[:3], "url") {
		if after, ok := strings.CutPrefix(strings.TrimLeft(address[3:], " \t\r\n\f"), "="); ok {
			address = strings.TrimLeft(after, " \t\r\n\f'\"")
		}
	}
	if !addressAllowed(address) {
		return blockedAddress
	}
	return s
}
