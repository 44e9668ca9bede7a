package devserver

import (
	"net/http"
	"strings"
)

// scriptAllowed reports whether a page's Content-Security-Policy permits the
// reload script and its connection, and with which nonce. Where it does not,
// the page is left alone: a policy that the developer wrote is to behave in
// development as it will in production.
//
// See Content Security Policy Level 3, section 6.
func scriptAllowed(h http.Header) (nonce string, ok bool) {
	for _, line := range h.Values("Content-Security-Policy") {
		for policy := range strings.SplitSeq(line, ",") {
			n, ok := policyAllows(policy)
			if !ok || n != "" && nonce != "" && n != nonce {
				return "", false
			}
			if n != "" {
				nonce = n
			}
		}
	}
	return nonce, true
}

func policyAllows(policy string) (nonce string, ok bool) {
	directives := map[string][]string{}
	for directive := range strings.SplitSeq(policy, ";") {
		field := strings.Fields(directive)
		if len(field) == 0 {
			continue
		}
		name := strings.ToLower(field[0])
		if _, seen := directives[name]; !seen { // the first one counts
			directives[name] = field[1:]
		}
	}
	if flags, sandboxed := directives["sandbox"]; sandboxed && !contains(flags, "allow-scripts") {
		return "", false
	}
	first := func(names ...string) ([]string, bool) {
		for _, name := range names {
			if sources, ok := directives[name]; ok {
				return sources, true
			}
		}
		return nil, false
	}
	if sources, ok := first("connect-src", "default-src"); ok && !contains(sources, "'self'") && !contains(sources, "*") {
		return "", false
	}
	sources, limited := first("script-src-elem", "script-src", "default-src")
	if !limited {
		return "", true
	}
	for _, source := range sources {
		if value, ok := strings.CutPrefix(source, "'nonce-"); ok {
			return validNonce(strings.TrimSuffix(value, "'"))
		}
	}
	if contains(sources, "'strict-dynamic'") {
		return "", false
	}
	return "", contains(sources, "'self'") || contains(sources, "*")
}

func contains(sources []string, wanted string) bool {
	for _, source := range sources {
		if strings.EqualFold(source, wanted) {
			return true
		}
	}
	return false
}

// validNonce accepts base64 only, because the nonce is written into the page.
func validNonce(s string) (string, bool) {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("+/-_=", c) >= 0) {
			return "", false
		}
	}
	return s, s != ""
}
