package oidc

import (
	"errors"
	"maps"
	"net/http"
	"slices"

	coreos "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
)

// begin sends a visitor to the provider to log in.
func (e *Extension) begin(c *retort.Ctx) error {
	s := e.provider(c.Param("provider"))
	if s == nil {
		return retort.NotFound("")
	}
	user, err := auth.Current(c)
	if err != nil {
		return err
	}
	return e.leave(c, s, attempt{Provider: s.Name, Next: c.Next(""), Again: user != nil})
}

// leave is the page from which the visitor goes on to the provider. It is a page and no
// redirect: a Content-Security-Policy with form-action 'self' stops a form that is
// redirected to another site.
func (e *Extension) leave(c *retort.Ctx, s *source, a attempt) error {
	d, err := s.discover(c)
	if err != nil {
		return e.failed(c, s, err)
	}
	callback, err := e.callbackURL(c, s)
	if err != nil {
		return err
	}
	if a, err = e.start(c.Session(), a); err != nil {
		return err
	}
	o := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(a.Verifier)}
	if s.OAuth2 == nil {
		o = append(o, coreos.Nonce(a.Nonce))
		if a.Again {
			o = append(o, oauth2.SetAuthURLParam("max_age", "0"))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Parameters)) {
		o = append(o, oauth2.SetAuthURLParam(name, s.Parameters[name]))
	}
	address := s.config(d, callback).AuthCodeURL(a.State, o...)
	c.SetHeader("Refresh", "0; url="+address)
	return c.Render("oidc/leave.html", map[string]any{"label": s.Label, "address": address})
}

// callbackURL is where a provider sends visitors back to: an address of its own for
// each, so that none can pass for another.
func (e *Extension) callbackURL(c *retort.Ctx, s *source) (string, error) {
	return e.app.AbsoluteURL(c, "oidc.callback", "provider", s.Name)
}

// maxCode bounds the code and the state that a visitor brings.
const maxCode = 4096

// callback is where visitors come back to from the provider.
func (e *Extension) callback(c *retort.Ctx) error {
	s := e.provider(c.Param("provider"))
	if s == nil {
		return retort.NotFound("")
	}
	if again := e.sameSite(c); again {
		return nil
	}
	a, err := e.take(c.Session(), c.Query("state"))
	if err != nil {
		return err
	}
	if a == nil || a.Provider != s.Name {
		return e.message(c, http.StatusBadRequest, "over", s)
	}
	d, err := s.discover(c)
	if err != nil {
		return e.failed(c, s, err)
	}
	if iss := c.QueryValues()["iss"]; s.OAuth2 == nil && (len(iss) > 1 || len(iss) == 1 && iss[0] != s.Issuer || len(iss) == 0 && d.sendsIssuer) {
		return e.failed(c, s, &refusedError{errors.New("oidc: the answer comes from another issuer")})
	}
	if code := c.Query("error"); code != "" {
		return e.declined(c, s, a, code)
	}
	code := c.Query("code")
	if code == "" || len(code) > maxCode {
		return e.message(c, http.StatusBadRequest, "over", s)
	}
	address, err := e.callbackURL(c, s)
	if err != nil {
		return err
	}
	profile, err := s.exchange(c, d, a, address, code)
	if err != nil {
		return e.failed(c, s, err)
	}
	s.noteBack()
	if s.Allow != nil {
		if err := s.Allow(c, profile); err != nil {
			return e.failed(c, s, err)
		}
	}
	if a.User != 0 {
		return e.connected(c, s, a, profile)
	}
	user, err := e.enter(c, s, profile)
	if err != nil {
		return e.failed(c, s, err)
	}
	return e.accounts.Enter(c, user, e.options.Remember, a.Next)
}

// sameSite sends a visitor whose cookies came not along, as they are for requests of
// this site alone, here once more from this site.
func (e *Extension) sameSite(c *retort.Ctx) bool {
	if e.app.Config().Session.SameSite != "strict" || c.Query("again") != "" {
		return false
	}
	query := c.QueryValues()
	query.Set("again", "1")
	to, err := c.URL("oidc.callback", "provider", c.Param("provider"))
	if err != nil {
		return false
	}
	c.SetHeader("Refresh", "0; url="+to+"?"+query.Encode())
	return c.Render("oidc/back.html", map[string]any{"address": to + "?" + query.Encode()}) == nil
}

// declined is for a visitor whom the provider has sent back without a code.
func (e *Extension) declined(c *retort.Ctx, s *source, a *attempt, code string) error {
	switch code {
	case "access_denied":
		c.Flash("info", form.Translate(c, "You have not logged in with {provider}.", "provider", s.Label))
		to, err := c.URL("accounts.login")
		if a.User != 0 {
			to, err = c.URL("oidc.settings")
		}
		if err != nil {
			return err
		}
		return c.Redirect(to)
	case "server_error", "temporarily_unavailable":
		return e.failed(c, s, &awayError{errors.New("oidc: the provider says " + code)})
	}
	return e.failed(c, s, &refusedError{errors.New("oidc: the provider says " + short(code) + ": " + short(c.Query("error_description")))})
}

// refusedError says that the provider refuses the visitor, or what it says of them is not
// right.
type refusedError struct{ err error }

func (e *refusedError) Error() string { return e.err.Error() }
func (e *refusedError) Unwrap() error { return e.err }

// pagesOf are the refusals with a page of their own.
var pagesOf = []struct {
	err    error
	status int
	kind   string
	login  bool // it is a failed login, and not a failed change of the settings
}{
	{errClosed, http.StatusForbidden, "closed", true},
	{auth.ErrDenied, http.StatusForbidden, "denied", true},
	{errNoSignUp, http.StatusForbidden, "no_signup", true},
	{errUnverified, http.StatusForbidden, "unverified", true},
	{errKnown, http.StatusConflict, "known", true},
	{errTaken, http.StatusConflict, "taken", false},
	{errUnproven, http.StatusForbidden, "unproven", false},
	{errLast, http.StatusConflict, "last", false},
}

// failed is the page for a login that came to nothing by what the provider or the
// visitor did; other errors are returned.
func (e *Extension) failed(c *retort.Ctx, s *source, err error) error {
	for _, page := range pagesOf {
		if errors.Is(err, page.err) {
			if page.login {
				e.auth.Tell(c, auth.LoginFailed, nil)
			}
			return e.message(c, page.status, page.kind, s)
		}
	}
	if _, away := errors.AsType[*awayError](err); away && c.Err() == nil {
		s.noteAway(err)
		c.SetHeader("Retry-After", "30")
		return e.message(c, http.StatusServiceUnavailable, "away", s)
	}
	if _, refused := errors.AsType[*refusedError](err); refused {
		e.auth.Tell(c, auth.LoginFailed, nil)
		c.Logger().Warn("a login with another failed", "provider", s.Name, "error", short(err.Error()))
		return e.message(c, http.StatusBadRequest, "refused", s)
	}
	return err
}

// message shows a page of a sentence or two.
func (e *Extension) message(c *retort.Ctx, status int, kind string, s *source) error {
	return c.Status(status).Render("oidc/message.html", map[string]any{"kind": kind, "label": s.Label})
}
