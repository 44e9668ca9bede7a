package retort

import "net/http"

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
