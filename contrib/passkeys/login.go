package passkeys

import (
	"errors"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
)

// refused are the words for an answer that is worth nothing, whatever is wrong with it.
const refused = "That passkey did not work here. Try again, or log in in another way."

// loginOptions asks whoever wants in. It is the same for everybody.
func (e *Extension) loginOptions(c *retort.Ctx) error {
	party, err := e.partyOf(c)
	if err != nil {
		return err
	}
	asked, session, err := party.BeginDiscoverableLogin()
	if err != nil {
		return err
	}
	if err := ask(c, forLogin, session.Challenge); err != nil {
		return err
	}
	asked.Response.Timeout = int(askedFor.Milliseconds())
	return c.JSON(asked.Response)
}

// login lets in whose passkey answers. It has verified its user, so that it is the
// second factor as well.
func (e *Extension) login(c *retort.Ctx) error {
	next, err := e.pages.Next(c)
	if err != nil {
		return err
	}
	key, err := e.answered(c, forLogin, c.FormValue("credential"), nil)
	if errors.Is(err, errRefused) {
		return e.again(c, "accounts.login", next)
	}
	if err != nil {
		return err
	}
	user, err := key.User.Get()
	if err != nil {
		return err
	}
	if err := e.auth.LoginBy(c, user, c.FormValue("remember") != "", e, key.Digest); err != nil {
		return err
	}
	return c.Redirect(next)
}

// again sends back to a page with a word about what happened.
func (e *Extension) again(c *retort.Ctx, route, next string) error {
	to, err := c.URL(route)
	if err != nil {
		return err
	}
	c.Flash("error", form.Translate(c, refused))
	return c.Redirect(to + "?" + url.Values{"next": {next}}.Encode())
}

// codeHelps reports whether who has given the password has a passkey to go on with.
func (e *Extension) codeHelps(c *retort.Ctx) (bool, error) {
	user, err := e.auth.HalfLogin(c)
	if errors.Is(err, auth.ErrNoHalfLogin) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return e.Has(c, user)
}

// codeOptions asks for one of the passkeys of who has given the password.
func (e *Extension) codeOptions(c *retort.Ctx) error {
	user, err := e.auth.HalfLogin(c)
	if errors.Is(err, auth.ErrNoHalfLogin) {
		return auth.ErrLoginRequired
	}
	if err != nil {
		return err
	}
	party, err := e.partyOf(c)
	if err != nil {
		return err
	}
	of, err := ownerOf(c, user)
	if err != nil {
		return err
	}
	if len(of.passkeys) == 0 {
		return retort.NotFound("")
	}
	asked, session, err := party.BeginLogin(of, webauthn.WithUserVerification(protocol.VerificationDiscouraged))
	if err != nil {
		return err
	}
	if err := ask(c, forCode, session.Challenge); err != nil {
		return err
	}
	asked.Response.Timeout = int(askedFor.Milliseconds())
	return c.JSON(asked.Response)
}

// code is the second step of a login, by a passkey.
func (e *Extension) code(c *retort.Ctx) error {
	next, err := e.pages.Next(c)
	if err != nil {
		return err
	}
	user, err := e.auth.HalfLogin(c)
	if errors.Is(err, auth.ErrNoHalfLogin) {
		return e.again(c, "accounts.login", next)
	}
	if err != nil {
		return err
	}
	key, err := e.answered(c, forCode, c.FormValue("credential"), user)
	if errors.Is(err, errRefused) {
		return e.again(c, "accounts.login_code", next)
	}
	if err != nil {
		return err
	}
	if _, err := e.auth.FinishLoginBy(c, e, key.Digest); err != nil {
		return err
	}
	return c.Redirect(next)
}
