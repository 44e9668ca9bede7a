package validate

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Every check in this file takes time linear in the text, and matches the whole
// of it: a final newline or a null byte is never let through.

// Text reports whether s is valid UTF-8 without null characters: what a
// database, a file name or a page can hold.
func Text(s string) bool {
	return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// TextFault says what is wrong with a string that is not [Text]; nil if it is.
func TextFault(s string) *FieldError {
	switch {
	case !utf8.ValidString(s):
		return Fault("encoding", nil)
	case strings.IndexByte(s, 0) >= 0:
		return Fault("null_character", nil)
	}
	return nil
}

// SingleLine reports whether s is [Text] without control characters and line
// ends of any kind, so that it is safe in a header, a subject or a log line.
func SingleLine(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return false
		}
	}
	return true
}

// Length reports whether s has at least minimum and at most maximum characters
// (Unicode code points). A negative maximum is no limit.
func Length(s string, minimum, maximum int) bool {
	n := utf8.RuneCountInString(s)
	return n >= minimum && (maximum < 0 || n <= maximum)
}

// IntList reports whether s is a list of whole numbers with commas between, such as
// "1,2,30". Spaces around the numbers are allowed.
func IntList(s string) bool {
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimPrefix(strings.Trim(part, " "), "-")
		if part == "" || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}

// Slug reports whether s consists of ASCII letters, digits, hyphens and
// underscores, at least one of them.
func Slug(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isAlphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return s != ""
}

// UUID reports whether s is a UUID in the text form of RFC 9562: 32 hexadecimal
// digits of either case, in groups of 8, 4, 4, 4 and 12.
func UUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !isHex(c) {
				return false
			}
		}
	}
	return true
}

// IP reports whether s is an IPv4 or IPv6 address without a zone.
func IP(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Zone() == ""
}

// Hostname reports whether s is a host name of RFC 1123: labels of letters,
// digits and inner hyphens, up to 63 bytes each and 253 in all, the last one not
// a number. Letters of other scripts are accepted, as in international names.
func Hostname(s string) bool {
	if s == "" || len(s) > 253 || !utf8.ValidString(s) {
		return false
	}
	last := ""
	for rest, more := s, true; more; {
		last, rest, more = strings.Cut(rest, ".")
		if !isLabel(last) {
			return false
		}
	}
	for i := 0; i < len(last); i++ {
		if last[i] < '0' || last[i] > '9' {
			return true
		}
	}
	return false
}

// Email reports whether s is an e-mail address as browsers accept it in an
// input of type email, whose domain has at least two labels. The part before
// the @ is a dot-string of RFC 5321 (up to 64 bytes, no quotes); the whole has at
// most 254 bytes.
func Email(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 || len(s) > 254 {
		return false
	}
	local, domain := s[:at], s[at+1:]
	for i := 0; i < len(local); i++ {
		c := local[i]
		if c == '.' {
			if i == 0 || i == len(local)-1 || local[i-1] == '.' {
				return false
			}
			continue
		}
		if !isAlphanumeric(c) && strings.IndexByte("!#$%&'*+/=?^_`{|}~-", c) < 0 {
			return false
		}
	}
	return strings.Contains(domain, ".") && Hostname(domain)
}

// URL reports whether s is an absolute URL with a host and one of the schemes,
// http and https when none is given. Spaces, control characters and
// backslashes, which browsers read in ways of their own, are refused.
func URL(s string, schemes ...string) bool {
	if s == "" || !SingleLine(s) || strings.ContainsAny(s, " \\") {
		return false
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return false
	}
	if len(schemes) == 0 {
		schemes = webSchemes
	}
	known := false
	for _, scheme := range schemes {
		known = known || strings.EqualFold(scheme, u.Scheme)
	}
	if !known {
		return false
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return false
	}
	host := u.Hostname()
	return Hostname(strings.TrimSuffix(host, ".")) || IP(host)
}

var webSchemes = []string{"http", "https"}

func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for _, r := range s {
		if r < utf8.RuneSelf {
			if !isAlphanumeric(byte(r)) && r != '-' {
				return false
			}
		} else if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
