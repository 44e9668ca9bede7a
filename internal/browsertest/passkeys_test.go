package browsertest

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// TestPasskeysInABrowser adds a passkey and logs in with it, in every way there is.
func TestPasskeysInABrowser(t *testing.T) {
	site := startPasskeys(t)
	base := site.base
	b := open(t)
	device := b.authenticator()
	b.mustBeQuiet()
	const email, password = "new@example.com", "a chair of ash and oak"

	b.visit(base + "/signup")
	b.fill("name", "Nell New", "email", email, "password", password)
	b.submit("main form button")
	b.at(base + "/profile")
	// Who has not proved that the address is theirs gets none.
	b.visit(base + "/passkeys")
	b.sees("Your address is not verified yet.")
	b.lacks("Add a passkey")
	b.shoot("passkeys-unproven")
	b.accessible("unproven")
	b.visit(site.mailed(email, regexp.MustCompile(`http://localhost:\d+/verify/\S+`)))
	b.fill("password", password)
	b.submit("main form button")
	b.at(base + "/profile")
	b.visit(base + "/passkeys")
	b.sees("You have none yet.")
	b.fill("name", "This laptop")
	b.submit("form[data-passkey] button")
	b.sees("The passkey This laptop was added", "Not used yet")
	b.shoot("passkeys-list")
	b.accessible("list")

	// The device has one already, and says so.
	b.do("add it again", chromedp.Click("form[data-passkey] button", chromedp.ByQuery))
	b.sees("has a passkey for your account already")
	b.visit(base + "/passkeys")

	logout := func() {
		b.visit(base + "/profile")
		b.submit(`form[action="/logout"] button`)
		b.at(base + "/login")
	}
	// Nobody touches the device: the offer in the field of the address waits.
	b.do("hold the device", present(device, false))
	logout()
	b.sees("Log in with a passkey")
	b.until("wait for the offer", `document.querySelector('[autocomplete="username webauthn"]') !== null`)
	b.shoot("passkeys-login")
	b.accessible("login")
	b.do("press", chromedp.Click("form[data-passkey] button", chromedp.ByQuery), present(device, true))
	b.at(base + "/profile")
	b.sees("You are logged in as " + email)
	b.visit(base + "/passkeys")
	b.sees("Last used")

	// Both factors in one: what needs two is open, and no app was asked for.
	b.visit(base + "/vault")
	b.sees("Behind two factors.")

	// By the offer in the field of the address alone: of this page, not of the one that the
	// logout leads to.
	b.do("hold the device", present(device, false))
	logout()
	b.visit(base + "/signup")
	b.do("touch the device", present(device, true))
	b.visit(base + "/login?next=/passkeys")
	b.at(base + "/passkeys")

	// The user cannot be verified, so it is no login.
	b.do("fail", webauthn.SetUserVerified(device, false))
	logout()
	b.do("press", chromedp.Click("form[data-passkey] button", chromedp.ByQuery))
	b.sees("No passkey was given.")
	b.shoot("passkeys-refused")
	b.accessible("refused")
	b.do("mend", webauthn.SetUserVerified(device, true))

	// A passkey that is deleted here is worth nothing.
	b.fill("email", email, "password", password)
	b.submit("main form button")
	b.visit(base + "/passkeys")
	b.submit(`form[action$="/delete"] button`)
	b.sees("was deleted here", "You have none yet.")
	b.do("hold the device", present(device, false))
	logout()
	b.do("press", chromedp.Click("form[data-passkey] button", chromedp.ByQuery), present(device, true))
	b.sees("That passkey did not work here.")
}

// startPasskeys builds and runs the example of passkeys. Browsers have none for
// addresses, so it is visited as localhost.
func startPasskeys(t *testing.T) *example {
	t.Helper()
	program := buildIn(t, "../../contrib/passkeys", "./example")
	dir := t.TempDir()
	environ := append(os.Environ(), "DATABASE_URL=sqlite:"+filepath.Join(dir, "passkeys.db"), "RETORT_ADDR=127.0.0.1:0", "RETORT_DEBUG=yes", "SECRET_KEY=a key of this test only, and of no other")
	e := &example{t: t, mails: filepath.Join(dir, "mails")}
	environ = append(environ, "MAIL_URL=file:"+e.mails)
	runOnce(t, dir, environ, program, "migrate")
	e.base = "http://localhost" + serve(t, dir, environ, program)[len("http://127.0.0.1"):]
	return e
}

// authenticator gives the browser a device that makes passkeys and whose user is
// always there.
func (b *tab) authenticator() (id webauthn.AuthenticatorID) {
	b.t.Helper()
	b.do("plug in a device", webauthn.Enable(), chromedp.ActionFunc(func(ctx context.Context) (err error) {
		id, err = webauthn.AddVirtualAuthenticator(&webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}).Do(ctx)
		return err
	}))
	return id
}

// present says whether somebody touches the device when it is asked.
func present(id webauthn.AuthenticatorID, yes bool) chromedp.Action {
	return webauthn.SetAutomaticPresenceSimulation(id, yes)
}
