package browsertest

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/chromedp"
)

// TestLoginsWithOthersInABrowser logs in with a provider, connects it and disconnects it,
// and meets what can go wrong.
func TestLoginsWithOthersInABrowser(t *testing.T) {
	base := startOIDC(t)
	b := open(t)
	b.mustBeQuiet()
	const password = "a chair of ash and oak"
	// with is the way to the provider and back, as somebody there.
	with := func(button, name string) {
		b.press(button)
		b.until("wait for the provider", `document.querySelector('input[name=username]') !== null && location.origin !== `+quoted(base))
		b.do("log in there", chromedp.SendKeys("input[name=username]", name, chromedp.ByQuery), chromedp.SendKeys("input[name=password]", "verysecure", chromedp.ByQuery))
		b.submit("button[type=submit], input[type=submit]")
	}
	logout := func() {
		b.visit(base + "/profile")
		b.press("Log out")
		b.at(base + "/login")
	}
	look := func(name string) {
		b.shoot("oidc-" + name)
		b.accessible(name)
	}

	// Who has nothing here gets an account, with one way into it.
	b.visit(base + "/login")
	look("login")
	with("Log in with Demo", "ann")
	b.at(base + "/profile")
	b.sees("You are logged in as ann@example.com")
	b.follow("Logins elsewhere")
	b.sees("This is your only way to log in.", "Connected")
	look("only-way")
	b.follow("Set a password to have another")
	b.fill("password", password, "again", password)
	b.submit("main form:last-of-type button:not([type=button])")

	// With a password the login elsewhere can go, and come again.
	b.visit(base + "/logins")
	b.sees("Last used")
	look("connected")
	b.press("Disconnect")
	b.sees("Demo was disconnected.", "Connect Demo")
	look("disconnected")
	with("Connect Demo", "ann")
	b.at(base + "/logins")
	b.sees("You can log in with Demo from now on.")
	b.press("Connect Away")
	b.sees("Away does not answer")
	look("away")
	b.follow("Logins elsewhere")

	// What the page between the sites says while the other one is slow.
	logout()
	stay := b.noWayTo("*/auth?*")
	b.press("Log in with Demo")
	b.sees("On to Demo", "Your browser should go on by itself.", "Go on to Demo")
	look("leaving")
	var address string
	b.do("read the address", chromedp.AttributeValue("main a", "href", &address, nil, chromedp.ByQuery))
	stay()
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	back := func(pairs ...string) {
		query := url.Values{"state": to.Query()["state"]}
		for i := 0; i < len(pairs); i += 2 {
			query.Set(pairs[i], pairs[i+1])
		}
		b.visit(base + "/login/with/demo/callback?" + query.Encode())
	}
	back("error", "access_denied")
	b.at(base + "/login")
	b.sees("You have not logged in with Demo.")
	look("declined")
	back("code", "again") // the state is worth nothing now
	b.sees("This login is over")
	look("over")

	// Two who are one, or not, are not made one by an address.
	b.visit(base + "/signup")
	b.fill("name", "Ben Beck", "email", "ben@example.com", "password", password)
	b.submit("main form:last-of-type button:not([type=button])")
	b.visit(base + "/logins")
	b.sees("Your address is not verified yet.")
	look("unproven")
	logout()
	with("Log in with Demo", "ben")
	b.sees("There is an account with your address")
	look("known")
	b.visit(base + "/login")
	with("Log in with Demo", "cleo")
	b.visit(base + "/logins")
	with("Connect Demo", "ann")
	b.sees("It is connected with another account")
	look("taken")
}

// startOIDC builds and runs the example of logins with others.
func startOIDC(t *testing.T) string {
	t.Helper()
	program := buildIn(t, "../../contrib/oidc", "./example")
	dir := t.TempDir()
	environ := append(os.Environ(), "DATABASE_URL=sqlite:"+filepath.Join(dir, "oidc.db"), "RETORT_ADDR=127.0.0.1:0", "RETORT_DEBUG=yes", "SECRET_KEY=a key of this test only, and of no other")
	runOnce(t, dir, environ, program, "migrate")
	return serve(t, dir, environ, program)
}

// noWayTo lets no page of such addresses load, so that the page that leads there stays,
// until the function that it returns is called.
func (b *tab) noWayTo(pattern string) (end func()) {
	b.t.Helper()
	chromedp.ListenTarget(b.ctx, func(event any) {
		if e, ok := event.(*fetch.EventRequestPaused); ok {
			go func() { _ = chromedp.Run(b.ctx, fetch.FulfillRequest(e.RequestID, 204)) }()
		}
	})
	b.do("stop pages", fetch.Enable().WithPatterns([]*fetch.RequestPattern{{URLPattern: pattern}}))
	return func() { b.do("let pages through", fetch.Disable()) }
}
