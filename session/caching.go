package session

import (
	"net/http"
	"strings"
)

// vary notes in the header that the response depends on the cookie.
func vary(h http.Header) {
	for _, line := range h.Values("Vary") {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name == "*" || strings.EqualFold(name, "Cookie") {
				return
			}
		}
	}
	h.Add("Vary", "Cookie")
}

// keepPrivate takes back a handler's permission for shared caches to store the
// response: one that sets a cookie would hand it to strangers.
func keepPrivate(h http.Header) {
	var kept []string
	private := false
	for _, line := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			directive = strings.TrimSpace(directive)
			name, argument, _ := strings.Cut(directive, "=")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "", "public", "s-maxage":
				continue
			case "no-store":
				private = true
			case "private":
				// With an argument it covers the named headers only.
				private = private || argument == ""
			}
			kept = append(kept, directive)
		}
	}
	if !private {
		kept = append(kept, "private")
	}
	h.Set("Cache-Control", strings.Join(kept, ", "))
}
