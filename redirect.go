package retort

import (
	"net/http"
	"net/url"
	"strings"
)

// Redirect sends the client to another page of this site: a path, or an
// absolute address on the host that was asked for. An address elsewhere is an
// error, so that one taken from the request cannot lead away: see
// [Ctx.RedirectExternal]. The status is 302 after GET and 303 after the rest,
// which makes the browser get the new page, unless [Ctx.Status] says another.
func (c *Ctx) Redirect(to string) error {
	if !c.SameSite(to) {
		return &HTTPError{Status: http.StatusInternalServerError, Cause: redirectError(to)}
	}
	return c.redirect(to)
}

// RedirectExternal sends the client anywhere on the web. The address must be
// the program's own: one taken from the request is an open redirect.
func (c *Ctx) RedirectExternal(to string) error {
	u, err := url.Parse(to)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return &HTTPError{Status: http.StatusInternalServerError, Cause: redirectError(to)}
	}
	return c.redirect(u.String())
}

type redirectError string

func (e redirectError) Error() string {
	return "retort: redirect to " + strings.ToValidUTF8(string(e), "?") + " would leave the site; use RedirectExternal if it is meant to"
}

func (c *Ctx) redirect(to string) error {
	if c.status == 0 {
		c.status = http.StatusFound
		if m := c.request.Method; m != http.MethodGet && m != http.MethodHead {
			c.status = http.StatusSeeOther
		}
	}
	to = escapeLocation(to)
	c.writer.Header()["Location"] = []string{to}
	b := append(make([]byte, 0, 64+len(to)), "<!doctype html>\n<title>Redirecting</title>\n<a href=\""...)
	b = appendEscaped(b, to)
	b = append(b, "\">Go on</a>\n"...)
	return c.answer(typeHTML, "", b)
}

// escapeLocation percent-encodes what may not be in a header or a URL.
func escapeLocation(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch ch := s[i]; {
		case ch <= ' ' || ch >= 0x7f || ch == '"' || ch == '<' || ch == '>' || ch == '\\' || ch == '^' || ch == '`' || ch == '{' || ch == '|' || ch == '}':
			b.WriteByte('%')
			b.WriteByte(hex[ch>>4])
			b.WriteByte(hex[ch&15])
		default:
			b.WriteByte(ch)
		}
	}
	return b.String()
}

// Next returns where to go after a form: the field or query parameter "next"
// if it is a page of this site, else the fallback.
func (c *Ctx) Next(fallback string) string {
	next := c.Query("next")
	if next == "" && hasForm(c.request) {
		next = c.FormValue("next")
	}
	if next != "" && c.SameSite(next) {
		return next
	}
	return fallback
}

// SameSite reports whether an address is a page of this site: a path, or http
// or https on the host that was asked for. What browsers read differently
// than it looks is refused: backslashes, control characters, "//host".
func (c *Ctx) SameSite(to string) bool {
	return sameSite(to, c.Host(), c.Secure())
}

func sameSite(to, host string, secure bool) bool {
	if to == "" || len(to) > 4096 {
		return false
	}
	for i := range len(to) {
		// Browsers drop tabs and line breaks wherever they stand and read a
		// backslash as a slash; no address of ours has either.
		if to[i] <= ' ' || to[i] == '\\' || to[i] == 0x7f {
			return false
		}
	}
	if strings.HasPrefix(to, "//") {
		return false
	}
	u, err := url.Parse(to)
	if err != nil || u.Opaque != "" || u.User != nil {
		return false
	}
	if u.Scheme == "" && u.Host == "" {
		// "///x" and "/%2f/x" are paths; "javascript:x" has a scheme. A path
		// that resolves to "//x" is as bad as one that begins with it.
		return !strings.HasPrefix(u.EscapedPath(), "//") && !startsWithScheme(to)
	}
	if u.Scheme == "http" && secure || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	return strings.EqualFold(u.Host, host)
}

// startsWithScheme reports whether a browser would read a scheme where
// url.Parse saw a path: a colon before the first slash.
func startsWithScheme(s string) bool {
	i := strings.IndexAny(s, ":/?#")
	return i >= 0 && s[i] == ':'
}
