package template

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// urlizer turns addresses in escaped text into links. Each word is looked at
// from both ends a bounded number of times, so the work is linear.
type urlizer struct {
	limit int // characters of the address shown; -1 for all
	// badLimit is a limit of the wrong type, which only fails at an address.
	badLimit value
	rel      string
	target   string
	schemes  []string
}

func (u *urlizer) text(s string) string {
	var out []byte
	for s != "" {
		end := strings.IndexFunc(s, isSpace)
		if end < 0 {
			end = len(s)
		}
		out = u.word(out, s[:end])
		s = s[end:]
		next := strings.IndexFunc(s, func(r rune) bool { return !isSpace(r) })
		if next < 0 {
			next = len(s)
		}
		out = append(out, s[:next]...)
		s = s[next:]
	}
	return string(out)
}

func (u *urlizer) word(out []byte, word string) []byte {
	start := 0
	for {
		rest := word[start:]
		if strings.HasPrefix(rest, "(") || strings.HasPrefix(rest, "<") {
			start++
		} else if strings.HasPrefix(rest, "&lt;") {
			start += 4
		} else {
			break
		}
	}
	end := len(word)
	for end > start {
		rest := word[start:end]
		if strings.HasSuffix(rest, "&gt;") {
			end -= 4
		} else if strings.IndexByte(")>.,\n", rest[len(rest)-1]) >= 0 {
			end--
		} else {
			break
		}
	}
	end = u.balance(word, start, end)
	middle := word[start:end]
	out = append(out, word[:start]...)
	out = u.link(out, middle)
	return append(out, word[end:]...)
}

// balance takes closing brackets back into an address that has opening ones.
func (u *urlizer) balance(word string, start, end int) int {
	for _, pair := range [...][2]string{{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}} {
		opened := strings.Count(word[start:end], pair[0])
		if opened <= strings.Count(word[start:end], pair[1]) {
			continue
		}
		for range min(opened, strings.Count(word[end:], pair[1])) {
			end += strings.Index(word[end:], pair[1]) + len(pair[1])
		}
	}
	return end
}

func (u *urlizer) link(out []byte, s string) []byte {
	anchor := func(href, shown string, attrs bool) []byte {
		out = append(append(append(out, `<a href="`...), href...), '"')
		if attrs && u.rel != "" {
			out = append(append(append(out, ` rel="`...), escapeString(u.rel)...), '"')
		}
		if attrs && u.target != "" {
			out = append(append(append(out, ` target="`...), escapeString(u.target)...), '"')
		}
		return append(append(append(out, '>'), shown...), "</a>"...)
	}
	switch {
	case isWebAddress(s):
		shown := s
		if u.badLimit.given() {
			wantSize("urlize", u.badLimit)
		}
		if u.limit >= 0 && runeCount(s) > u.limit {
			shown = s[:byteOffset(s, u.limit)] + "..."
		}
		if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
			return anchor(s, shown, true)
		}
		return anchor("https://"+s, shown, true)
	case strings.HasPrefix(s, "mailto:") && isMailAddress(s[7:]):
		return anchor(s, s[7:], false)
	case strings.Contains(s, "@") && !strings.HasPrefix(s, "www.") && !strings.Contains(s, ":") && isMailAddress(s):
		return anchor("mailto:"+s, s, false)
	}
	for _, scheme := range u.schemes {
		if s != scheme && strings.HasPrefix(s, scheme) {
			return anchor(s, s, true)
		}
	}
	return append(out, s...)
}

// isWebAddress recognises an address with a scheme or "www." and any domain,
// one without but with a well-known top-level domain, or a scheme and an IP
// address; each with an optional port and path.
func isWebAddress(s string) bool {
	scheme, rest := "", s
	for _, p := range [...]string{"https://", "http://", "www."} {
		if len(s) >= len(p) && strings.EqualFold(s[:len(p)], p) {
			scheme, rest = p, s[len(p):]
			break
		}
	}
	if scheme != "" && endsAddress(rest, hostLength(rest)) && anyDomain(rest[:hostLength(rest)]) {
		return true
	}
	if n := hostLength(s); endsAddress(s, n) && knownDomain(s[:n]) {
		return true
	}
	if strings.HasPrefix(scheme, "http") {
		if strings.HasPrefix(rest, "[") {
			if n := strings.IndexByte(rest, ']'); n > 0 {
				return endsAddress(rest, n+1) && ipv6(rest[1:n])
			}
			return false
		}
		n := hostLength(rest)
		return endsAddress(rest, n) && ipv4(rest[:n])
	}
	return false
}

func hostLength(s string) int {
	if n := strings.IndexAny(s, ":/?#"); n >= 0 {
		return n
	}
	return len(s)
}

// endsAddress checks the port and path after the host.
func endsAddress(s string, n int) bool {
	rest := s[n:]
	if strings.HasPrefix(rest, ":") {
		i := 1
		for i < len(rest) && i <= 5 && rest[i] >= '0' && rest[i] <= '9' {
			i++
		}
		if i == 1 {
			return false
		}
		rest = rest[i:]
	}
	return rest == "" || strings.IndexByte("/?#", rest[0]) >= 0
}

func domainLabels(host string, least, most int) ([]string, bool) {
	labels := strings.Split(host, ".")
	for _, l := range labels[:len(labels)-1] {
		if n := runeCount(l); n < least || n > most {
			return nil, false
		}
		for _, r := range l {
			if !isWord(r) && r != '%' && r != '-' {
				return nil, false
			}
		}
	}
	return labels, true
}

func anyDomain(host string) bool {
	labels, ok := domainLabels(host, 1, 1<<30)
	if !ok {
		return false
	}
	last := strings.ToLower(labels[len(labels)-1])
	if name, ok := strings.CutPrefix(last, "xn--"); ok {
		n := runeCount(name)
		return n >= 2 && n <= 59 && strings.IndexFunc(name, func(r rune) bool { return !isWord(r) && r != '%' }) < 0
	}
	return len(last) >= 2 && len(last) <= 63 && strings.IndexFunc(last, func(r rune) bool { return r < 'a' || r > 'z' }) < 0
}

func knownDomain(host string) bool {
	labels, ok := domainLabels(host, 2, 63)
	if !ok || len(labels) < 2 {
		return false
	}
	return slices.Contains([]string{"com", "net", "int", "edu", "gov", "org", "info", "mil"}, strings.ToLower(labels[len(labels)-1]))
}

func ipv4(host string) bool {
	labels := strings.Split(host, ".")
	if len(labels) != 4 {
		return false
	}
	for _, l := range labels {
		if len(l) < 1 || len(l) > 3 || strings.Trim(l, "0123456789") != "" {
			return false
		}
	}
	return true
}

func ipv6(host string) bool {
	groups := strings.Split(host, ":")
	if len(groups) < 3 || len(groups) > 9 {
		return false
	}
	for _, g := range groups {
		if len(g) > 4 || strings.Trim(g, "0123456789abcdefABCDEF") != "" {
			return false
		}
	}
	return true
}

func isMailAddress(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 {
		return false
	}
	domain := s[at+1:]
	first, n := utf8.DecodeRuneInString(domain)
	if n == 0 || !isWord(first) {
		return false
	}
	dot := strings.LastIndexByte(domain, '.')
	if dot < n || dot == len(domain)-1 {
		return false
	}
	for _, r := range domain[:dot] {
		if !isWord(r) && r != '.' && r != '-' {
			return false
		}
	}
	for _, r := range domain[dot+1:] {
		if !isWord(r) || unicode.IsSpace(r) {
			return false
		}
	}
	return true
}

// limitBy sets how many characters of an address are shown.
func (u *urlizer) limitBy(v value) {
	p := v.plain()
	switch {
	case p.kind == kindBig && p.big().Sign() > 0:
	case p.isInteger() && p.kind != kindBig:
		u.limit = int(min(max(p.int(), 0), math.MaxInt32))
	default:
		u.badLimit = v
	}
}
