package passkeys_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/contrib/passkeys"
	"github.com/retort-web/retort/retorttest"
)

// enrol makes an authenticator app the second factor and returns its secret.
func (s *site) enrol(client *retorttest.Client, user *auth.User) string {
	s.T.Helper()
	text := client.Get("/second-factor").Text()
	_, rest, found := strings.Cut(text, "<code>")
	app, _, _ := strings.Cut(rest, "</code>")
	app = strings.ReplaceAll(app, " ", "")
	if !found {
		s.T.Fatal(text)
	}
	client.PostForm("/second-factor", url.Values{"code": {s.codeOf(app)}}).Status(200)
	has, err := auth.HasSecondFactor(s.Ctx, user)
	if err != nil || !has {
		s.T.Fatal("no second factor", err)
	}
	return app
}

func (s *site) codeOf(app string) string {
	s.T.Helper()
	code, err := totp.GenerateCode(app, time.Now())
	if err != nil {
		s.T.Fatal(err)
	}
	return code
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	s := newSite(t, passkeys.Options{})
	ann := s.User("ann@example.com", secret)
	s.User("bob@example.com", secret)
	d, bobs := newDevice(t), newDevice(t)
	client := s.in("ann@example.com")
	s.add(client, d, "phone")
	s.add(s.in("bob@example.com"), bobs, "phone")
	s.enrol(client, ann)

	// A passkey alone is both factors.
	other := retorttest.New(t, s.App)
	s.enter(other, d, "/")
	other.Get("/vault").Status(200)

	// After the password it is in place of the code.
	half := func() *retorttest.Client {
		t.Helper()
		c := retorttest.New(t, s.App)
		c.PostForm("/login", url.Values{"email": {"ann@example.com"}, "password": {secret}, "next": {"/vault"}}).RedirectsTo("/login/code?next=%2Fvault")
		c.Get("/").Contains("nobody")
		return c
	}
	c := half()
	c.Get("/login/code?next=/vault").Contains("Use a passkey", `action="/passkeys/code"`)
	q := ask(t, c, "/passkeys/code/options")
	if q.UserVerification != "discouraged" || len(q.AllowCredentials) != 1 || q.AllowCredentials[0].ID != b64(d.id) {
		t.Errorf("%+v", q)
	}
	touched := *d
	touched.flags = present | eligible | backedUp // the password was the other factor
	post(c, "/passkeys/code", touched.get(q), "next", "/vault").RedirectsTo("/vault")
	c.Get("/vault").Status(200)

	// Not another's, and not without a password.
	const again = "/login/code?next=%2F"
	c = half()
	post(c, "/passkeys/code", bobs.get(ask(t, c, "/passkeys/code/options"))).RedirectsTo(again)
	c.Get("/").Contains("nobody")
	c = retorttest.New(t, s.App)
	c.PostForm("/passkeys/code/options", nil).Status(401)
	post(c, "/passkeys/code", d.get(q)).RedirectsTo(refused)
	// An answer for the second step is none for a login: it need not verify its user.
	c = half()
	post(c, "/passkeys/login", touched.get(ask(t, c, "/passkeys/code/options"))).RedirectsTo(refused)
	post(c, "/passkeys/login", touched.get(ask(t, c, "/passkeys/login/options"))).RedirectsTo(refused)
	c.Get("/").Contains("nobody")

	// Who has no passkey is not offered one.
	s.enrolBob(bobs)

	// What the session was begun with must still be there.
	other.PostForm("/passkeys/1/delete", nil).RedirectsTo("/passkeys")
	r := other.NewRequest("GET", "/vault", nil)
	r.Header.Set("Accept", "text/html")
	other.Do(r).RedirectsTo("/login?next=%2Fvault")
}

// enrolBob gives the code page a user without passkeys.
func (s *site) enrolBob(d *device) {
	s.T.Helper()
	bob, err := auth.Find(s.Ctx, "bob@example.com")
	if err != nil {
		s.T.Fatal(err)
	}
	client := s.in("bob@example.com")
	s.enrol(client, bob)
	client.PostForm("/passkeys/2/delete", nil).RedirectsTo("/passkeys")
	client.PostForm("/logout", nil)
	client.PostForm("/login", url.Values{"email": {"bob@example.com"}, "password": {secret}}).RedirectsTo("/login/code?next=%2F")
	client.Get("/login/code").Lacks("Use a passkey")
	client.PostForm("/passkeys/code/options", nil).Status(404)
	s.enter(client, d, refused)
}
