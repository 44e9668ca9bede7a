package oidc

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
)

const connect = "/logins/one/connect"

func TestConnectAndDisconnect(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	s.User("bob@example.com", secret)
	s.Get("/logins").RedirectsTo("/login?next=%2Flogins")
	s.login("bob@example.com")
	s.Get("/profile").Contains(`<a href="/logins">Logins elsewhere</a>`)
	s.Get("/logins").Contains("Connect Fake one").Lacks("Disconnect")
	s.Told()
	for range 2 { // the second changes nothing
		s.through(f, connect).RedirectsTo("/logins")
		s.Get("/logins").Contains("You can log in with Fake one from now on.", "ann@example.com", "Disconnect")
	}
	if got := s.Told(); !slices.Equal(got, []auth.EventKind{Connected}) {
		t.Error(got)
	}
	if m := s.box.WaitFor(1)[0]; m.To[0] != "bob@example.com" || m.Subject != "Fake one was connected with your account (Slow Notes)" ||
		!strings.Contains(m.Text, "https://notes.example/logins") {
		t.Errorf("%+v", m)
	}
	if u := s.find("bob@example.com"); u.Email != "bob@example.com" {
		t.Error(u)
	}
	s.post("/logout")
	s.through(f, begin).RedirectsTo("/")
	s.Get("/").Contains("home of bob@example.com")
	id := s.identities()[0].ID
	other := s.fresh()
	s.User("eve@example.com", secret)
	other.login("eve@example.com")
	other.post(fmt.Sprintf("/logins/%d/disconnect", id)).Status(404)
	other.through(f, connect).Status(409).Contains("It is connected with another account")
	s.Told()
	s.post(fmt.Sprintf("/logins/%d/disconnect", id)).RedirectsTo("/logins")
	s.Get("/logins").Contains("Fake one was disconnected.")
	s.post(fmt.Sprintf("/logins/%d/disconnect", id)).Status(404)
	s.post("/logins/x/disconnect").Status(404)
	s.post("/logins/other/connect").Status(404)
	if got := s.Told(); !slices.Equal(got, []auth.EventKind{Disconnected}) {
		t.Error(got)
	}
	if m := s.box.WaitFor(2)[1]; !strings.Contains(m.Subject, "disconnected from") {
		t.Errorf("%+v", m)
	}
	s.post("/logout")
	s.through(f, begin).RedirectsTo("/") // a new account, of the address there
	s.Get("/").Contains("home of ann@example.com")
}

// Who is logged in is led back to where they began, and not to the login.
func TestConnectWhileTheProviderIsAway(t *testing.T) {
	t.Parallel()
	away := Provider{Name: "one", Label: "Away", Issuer: "http://127.0.0.1:9/", ClientID: "notes"}
	s := newSite(t, options{Options: Options{Providers: []Provider{away}}})
	const page, login = `<a href="/logins">Logins elsewhere</a>`, `<a href="/login">Log in</a>`
	s.post(begin).Status(503).Contains("Away does not answer", "or log in in another way", login).Lacks(page)
	s.User("bob@example.com", secret)
	s.login("bob@example.com")
	s.post(connect).Status(503).Contains("Away does not answer", "Try again in a moment.", page).Lacks(login)
}

// The address of an account leads into it by a login and a click, and by nothing else.
func TestKnownAddressConnectsAfterALogin(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	s.User("ann@example.com", secret)
	s.through(f, begin).Status(409).Contains("/login?next=%2Flogins")
	s.post("/login?next=/logins", "email", "ann@example.com", "password", secret).RedirectsTo("/logins")
	s.through(f, connect).RedirectsTo("/logins")
	s.post("/logout")
	s.through(f, begin).RedirectsTo("/")
	s.Get("/").Contains("home of ann@example.com")
}

func TestTheLastWayInStays(t *testing.T) {
	t.Parallel()
	one, two := newFake(t), newFake(t)
	s := newSite(t, options{Options: Options{Providers: []Provider{one.provider("one"), two.provider("two")}}})
	s.through(one, begin).RedirectsTo("/")
	s.Get("/logins").Contains("This is your only way to log in.", "Set a password").Lacks("Disconnect")
	first := s.identities()[0].ID
	s.post(fmt.Sprintf("/logins/%d/disconnect", first)).RedirectsTo("/logins")
	s.Get("/logins").Contains("your only way to log in. Set a password first")
	s.Get("/login/with/two/callback?" + two.visit(s.leave("/logins/two/connect")).Encode()).RedirectsTo("/logins")
	// Two at once take one of the two.
	codes := make(chan string, 2)
	ids := []int64{first, s.identities()[1].ID}
	for _, id := range ids {
		go func() {
			codes <- s.post(fmt.Sprintf("/logins/%d/disconnect", id)).Header().Get("Location")
		}()
	}
	for range ids {
		if to := <-codes; to != "/logins" {
			t.Error(to)
		}
	}
	if n := len(s.identities()); n != 1 {
		t.Errorf("%d identities are left", n)
	}
	// With a password the last goes, too.
	if err := s.Auth.SetPassword(s.Ctx, s.find("ann@example.com"), secret); err != nil {
		t.Fatal(err)
	}
	s.login("ann@example.com")
	s.post(fmt.Sprintf("/logins/%d/disconnect", s.identities()[0].ID)).RedirectsTo("/logins")
	if n := len(s.identities()); n != 0 {
		t.Errorf("%d identities are left", n)
	}
}

func TestPasswordOfWhoHasNone(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	s.through(f, begin).RedirectsTo("/")
	s.Get("/password/change").Status(200).Contains("New password").Lacks("Present password")
	s.post("/password/change", "password", secret, "again", "another one").Status(422)
	s.post("/password/change", "password", secret, "again", secret).RedirectsTo("/profile")
	s.Get("/password/change").Contains("Present password")
	s.post("/logout")
	s.login("ann@example.com")
}

// Who finds a session open gives the account no password of theirs.
func TestSecurityFirstPasswordNeedsAFreshLogin(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{fresh: time.Nanosecond})
	s.through(f, begin).RedirectsTo("/")
	s.Get("/password/change").RedirectsTo("/login?next=%2Fpassword%2Fchange")
	s.post("/password/change", "password", secret, "again", secret).RedirectsTo("/login")
	if s.find("ann@example.com").HasPassword() {
		t.Error("it has a password")
	}
}

// What begins as a connection of one user ends as one of that user or not at all.
func TestSecurityConnectionsAreOfWhoBegan(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	s.User("bob@example.com", secret)
	s.User("eve@example.com", secret)
	s.login("bob@example.com")
	query := f.visit(s.leave(connect)).Encode()
	s.login("eve@example.com")
	s.Get(callback + query).Status(400)
	s.login("bob@example.com")
	query = f.visit(s.leave(connect)).Encode()
	s.post("/logout")
	s.Get(callback + query).Status(400)
	// Eve has a victim come back with a code of Eve's: no account of the victim gets it.
	s.login("bob@example.com")
	eve := s.fresh()
	eve.login("eve@example.com")
	s.Get(callback + f.visit(eve.leave(connect)).Encode()).Status(400)
	if list := s.identities(); len(list) != 0 {
		t.Error(list)
	}
}

// Who makes an account for the address of another leaves no way in behind.
func TestSecurityUnprovenAccountsConnectNothing(t *testing.T) {
	t.Parallel()
	s, _ := pair(t, options{accounts: accounts.Options{SignUp: accounts.SignUpOpen}})
	s.post("/signup", "email", "victim@example.com", "password", secret).RedirectsTo("/")
	s.Get("/logins").Contains("not verified yet").Lacks("Connect Fake one")
	s.post(connect).Status(403).Contains("Your address is not verified")
	closed, f := pair(t, options{accounts: accounts.Options{SignUp: accounts.SignUpClosed}})
	u := closed.User("bob@example.com", secret)
	u.Verified = nil
	closed.Update(u, &auth.Users.Fields().Verified)
	closed.login("bob@example.com")
	closed.through(f, connect).RedirectsTo("/logins")
}

// An issuer that is put in the place of another has other users.
func TestSecurityAnotherIssuerIsAnotherUser(t *testing.T) {
	t.Parallel()
	old, other := newFake(t), newFake(t)
	o := options{Options: Options{Providers: []Provider{old.provider("one")}}, database: "sqlite:" + t.TempDir() + "/site.db"}
	s := newSite(t, o)
	s.through(old, begin).RedirectsTo("/")
	o.Providers = []Provider{other.provider("one")}
	moved := newSite(t, o)
	moved.through(other, begin).Status(409)
	if n, err := moved.oidc.ways(moved.Ctx, moved.find("ann@example.com")); n != 0 || err != nil {
		t.Error(n, err)
	}
}

func TestIdentitiesGoWithTheirUser(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	s.through(f, begin).RedirectsTo("/")
	s.post("/account/delete", "email", "ann@example.com").Status(200)
	if list := s.identities(); len(list) != 0 {
		t.Error(list)
	}
	if exists(t, s.Ctx, "ann@example.com") {
		t.Error("the account is there")
	}
}
