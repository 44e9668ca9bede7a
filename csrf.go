package retort

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// CSRFField is the form field, and CSRFHeader the request header, that carry
// the token of [Ctx.CSRFToken].
const (
	CSRFField  = "csrf_token"
	CSRFHeader = "X-Csrf-Token"
)

// errForged is the answer to a request that another site may have made the
// browser send.
var errForged = &HTTPError{
	Status: http.StatusForbidden,
	Detail: "The request was not sent from this site. Load the page again and repeat it.",
}

// CSRFToken returns the token that proves a form came from this site, for the
// field [CSRFField]. It belongs to the session and is masked anew each time,
// so that compression does not leak it.
func (c *Ctx) CSRFToken() string { return c.Session().CSRFToken() }

// checkCSRF refuses requests that change something and that another site may
// have sent with the visitor's cookies. Browsers say where a request comes
// from, by Sec-Fetch-Site or Origin, and that decides. A request that says
// neither is no browser's of the last years: it is let through if it carries
// no cookies, and otherwise must have the session's token.
func (a *App) checkCSRF(c *Ctx) error {
	r := c.request
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	if a.config.DisableCSRF || c.endpoint.route.disableCSRF || c.endpoint.mounted.noCSRF {
		return nil
	}
	if first(r.Header["Sec-Fetch-Site"]) != "" || first(r.Header["Origin"]) != "" {
		if err := a.checkOrigin(r); err != nil {
			return c.forged(err, "a site that may send such requests stands in trusted_origins, and a route that never looks at cookies has DisableCSRF")
		}
		return nil
	}
	if r.Header["Cookie"] == nil {
		return nil
	}
	token := r.Header.Get(CSRFHeader)
	if token == "" && hasForm(r) {
		form, err := c.Form()
		if err != nil {
			return err
		}
		token = form.Values.Get(CSRFField)
	}
	if token == "" {
		return c.forged(errNoToken, "put {{ csrf_input() }} into the form, or the value of c.CSRFToken() into the header "+CSRFHeader)
	}
	if !c.Session().VerifyCSRF(token) {
		return c.forged(errWrongToken, "a login and a logout make the forms of other tabs worthless; load the page again")
	}
	return nil
}

var (
	errNoToken    = errors.New("csrf: neither Sec-Fetch-Site nor Origin is there, and no token")
	errWrongToken = errors.New("csrf: the token is not one of this session")
)

// forged refuses a request. The page tells the developer why.
func (c *Ctx) forged(cause error, hint string) error {
	err := errForged.Wrap(cause)
	if c.app.config.Debug && c.DebugAllowed() {
		err.Detail += " In debug mode the reason is shown: " + cause.Error() + "; " + hint + "."
	}
	return err
}

// first returns the first of a header's values, or "".
func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// checkOrigin checks what a browser says about where a request comes from.
func (a *App) checkOrigin(r *http.Request) error {
	if host := a.host(r); host != r.Host {
		// The Origin names the host that the browser sees, not the proxy.
		seen := *r
		seen.Host = host
		r = &seen
	}
	if err := a.csrf.Check(r); err != nil {
		return err
	}
	origin := r.Header.Get("Origin")
	if r.Header.Get("Sec-Fetch-Site") == "" && strings.HasPrefix(origin, "http://") && a.secure(r) &&
		!slices.Contains(a.config.TrustedOrigins, origin) {
		// Someone on the way can answer for the site over http, not over https.
		return errors.New("an https site was sent a request from an http origin")
	}
	return nil
}
