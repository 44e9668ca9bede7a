package session

import (
	"net/http"
	"strings"
)

// Most pages with a session have these, so that all share them.
var (
	varyCookie   = []string{"Cookie"}
	privateStore = []string{"private, no-store"}
)

// vary notes in the header that the response depends on the cookie.
func vary(h http.Header) {
	if len(h["Vary"]) == 0 {
		h["Vary"] = varyCookie
		return
	}
	for _, name := range items(h["Vary"]) {
		if name == "*" || strings.EqualFold(name, "Cookie") {
			return
		}
	}
	h.Add("Vary", "Cookie")
}

// items are the items of a header with commas between them.
func items(lines []string) []string {
	all := strings.Split(strings.Join(lines, ","), ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// keepPrivate takes back a handler's permission for shared caches to store the
// response: one that sets a cookie would hand it to strangers.
func keepPrivate(h http.Header) {
	var kept []string
	private := false
	for _, directive := range items(h["Cache-Control"]) {
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
	if !private {
		kept = append(kept, "private")
	}
	h.Set("Cache-Control", strings.Join(kept, ", "))
}
