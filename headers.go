package retort

import (
	"crypto/rand"
	"net/http"
)

var (
	headerNosniff = []string{"nosniff"}
	headerSame    = []string{"same-origin"}
	headerDeny    = []string{"DENY"}
)

// addSecurityHeaders adds what browsers protect pages by, unless the handler
// has decided otherwise: contents are what their type says, addresses of the
// site are not told to others, and no other site may frame a page or reach its
// window.
func addSecurityHeaders(h http.Header) {
	setDefault(h, "X-Content-Type-Options", headerNosniff)
	if t := h["Content-Type"]; len(t) == 0 || len(t[0]) < 9 || t[0][:9] != "text/html" {
		return
	}
	setDefault(h, "Referrer-Policy", headerSame)
	setDefault(h, "X-Frame-Options", headerDeny)
	setDefault(h, "Cross-Origin-Opener-Policy", headerSame)
}

// setDefault sets a header that is not there; name is in canonical form.
func setDefault(h http.Header, name string, value []string) {
	if _, ok := h[name]; !ok {
		h[name] = value
	}
}

// CSPNonce returns what the inline scripts and styles of this page carry as their
// nonce, so that a Content-Security-Policy tells them from injected ones: random
// text of 26 characters, the same for the whole response. Templates call it
// csp_nonce. Package security sends the policy.
func (c *Ctx) CSPNonce() string {
	if c.seldom.nonce == "" {
		c.rarely().nonce = rand.Text()
	}
	return c.seldom.nonce
}

// ResponseType returns the Content-Type of the response that is decided or sent,
// "" if there is none, for an After hook.
func (c *Ctx) ResponseType() string {
	if t := c.writer.Header()["Content-Type"]; len(t) > 0 && !c.pending.problem {
		return t[0]
	}
	if c.pending.contentType != nil {
		return c.pending.contentType[0]
	}
	return ""
}
