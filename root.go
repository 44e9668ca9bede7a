package retort

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Root returns the path that the client sees the site under, "" for a site of
// its own: the X-Forwarded-Prefix of a trusted proxy, or [Config].Root. Routes
// and [Ctx.Path] do not have it; the addresses that [Ctx.URL] and
// [Ctx.StaticURL] make begin with it.
func (c *Ctx) Root() string {
	if p := &c.app.proxies; p.peerTrusted(c.request) {
		if root, ok := cleanRoot(p.forwarded(c.request, "X-Forwarded-Prefix")); ok {
			return root
		}
	}
	return c.app.config.Root
}

// maxRoot bounds what a proxy may put before every address.
const maxRoot = 256

// cleanRoot returns a prefix of paths without a slash at its end. It refuses
// what could be more than that: "//host", dot segments, quotes.
func cleanRoot(s string) (string, bool) {
	s = strings.TrimRight(s, "/")
	if s == "" || s[0] != '/' || len(s) > maxRoot {
		return "", false
	}
	for segment := range strings.SplitSeq(s[1:], "/") {
		if segment == "" || segment == "." || segment == ".." {
			return "", false
		}
	}
	for i := range len(s) {
		if b := s[i]; (b|0x20 < 'a' || b|0x20 > 'z') && (b < '0' || b > '9') && strings.IndexByte("/-_.~", b) < 0 {
			return "", false
		}
	}
	return s, true
}

// checkRoot puts Root into its one form.
func (cfg *Config) checkRoot() error {
	if strings.Trim(cfg.Root, "/") == "" {
		cfg.Root = ""
		return nil
	}
	root, ok := cleanRoot(cfg.Root)
	if !ok {
		return fmt.Errorf("config: root is %q; give a path such as /shop, of letters, digits and -_.~", cfg.Root)
	}
	cfg.Root = root
	return nil
}

// belowRoot returns the request without [Config].Root in its path, for a proxy
// that passes paths on as they are. One that has taken the prefix off, or asks
// for the health of the program by itself, gets the same.
func (a *App) belowRoot(r *http.Request) *http.Request {
	path, ok := strings.CutPrefix(r.URL.Path, a.config.Root)
	if !ok || path != "" && path[0] != '/' {
		return r
	}
	if path == "" {
		path = "/"
	}
	r2, u := new(http.Request), new(url.URL)
	*r2, *u = *r, *r.URL
	u.Path = path
	if raw, ok := strings.CutPrefix(u.RawPath, a.config.Root); ok {
		u.RawPath = raw
	} else {
		u.RawPath = "" // the prefix itself was encoded
	}
	r2.URL = u
	return r2
}

// underRoot puts a root before a path, or behind the host of an address with
// one.
func underRoot(root, address string) string {
	if root == "" {
		return address
	}
	if !hasHost(address) {
		return root + address
	}
	end := len(address)
	if i := strings.IndexByte(address[2:], '/'); i >= 0 {
		end = 2 + i
	}
	return address[:end] + root + address[end:]
}
