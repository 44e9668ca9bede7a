package retort

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/retort-web/retort/server"
)

// Redirect sends the client to another page of this site: a path, or an
// absolute address on the host that was asked for. An address elsewhere is
// answered with 400 and a warning in the log, so that one taken from the
// request cannot lead away: see [Ctx.RedirectExternal] and [Ctx.Next]. The
// status is 302 after GET and 303 after the rest,
// which makes the browser get the new page, unless [Ctx.Status] says another.
func (c *Ctx) Redirect(to string) error {
	if !c.SameSite(to) {
		err := redirectError(to)
		c.Logger().Warn("redirect refused", "route", c.Route(), "error", err)
		return BadRequest("The address to go on to is not a page of this site.").Wrap(err)
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
	return "retort: redirect to " + strings.ToValidUTF8(server.LoggedPath(string(e)), "?") + " would leave the site; use RedirectExternal if it is meant to"
}

func (c *Ctx) redirect(to string) error {
	if c.status == 0 {
		c.status = http.StatusFound
		if m := c.request.Method; m != http.MethodGet && m != http.MethodHead {
			c.status = http.StatusSeeOther
		}
	} else if (c.status < 300 || c.status > 399) && c.status != http.StatusCreated {
		return fmt.Errorf("retort: Redirect with Status(%d), which no client follows; use one of 301, 302, 303, 307 and 308", c.status)
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
	return escapeBytes(s, func(b byte) bool { return b > ' ' && b < 0x7f && strings.IndexByte("\"<>\\^`{|}", b) < 0 })
}

// escapeBytes percent-encodes the bytes that are not safe.
func escapeBytes(s string, safe func(b byte) bool) string {
	const hex = "0123456789ABCDEF"
	var out []byte // nil as long as nothing had to be encoded
	for i := range len(s) {
		switch {
		case !safe(s[i]):
			if out == nil {
				out = append(make([]byte, 0, len(s)+16), s[:i]...)
			}
			out = append(out, '%', hex[s[i]>>4], hex[s[i]&15])
		case out != nil:
			out = append(out, s[i])
		}
	}
	if out == nil {
		return s
	}
	return string(out)
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
		// Browsers drop tabs and line breaks wherever they stand, spaces at the
		// ends, and read a backslash as a slash; no address of ours has either.
		if to[i] < ' ' || to[i] == ' ' && (i == 0 || i == len(to)-1) || to[i] == '\\' || to[i] == 0x7f {
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
	return host != "" && strings.EqualFold(u.Host, host)
}

// startsWithScheme reports whether a browser would read a scheme where
// url.Parse saw a path: a colon before the first slash.
func startsWithScheme(s string) bool {
	i := strings.IndexAny(s, ":/?#")
	return i >= 0 && s[i] == ':'
}
