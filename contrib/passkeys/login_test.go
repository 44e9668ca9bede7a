package passkeys_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/contrib/passkeys"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/retorttest"
)

func TestAddAndLogIn(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		for name, d := range map[string]*device{"ES256": newDevice(t), "EdDSA": newDevice(t).edwards()} {
			s := newSiteOn(t, kind, passkeys.Options{})
			s.User("ann@example.com", secret)
			client := s.in("ann@example.com")
			client.Get("/profile").Contains(`<a href="/passkeys">Passkeys</a>`)
			client.Get("/passkeys").Status(200).Contains("You have none yet", "data-passkey=\"create\"")
			q := ask(t, client, "/passkeys/options")
			if q.RP.ID != siteDomain || q.RP.Name != "Slow Notes" || q.Attestation != "none" || q.AuthenticatorSelection.ResidentKey != "required" ||
				q.AuthenticatorSelection.UserVerification != "required" || q.User.Name != "ann@example.com" || len(q.User.ID) != 86 {
				t.Errorf("%s: %+v", name, q)
			}
			s.Told()
			post(client, "/passkeys", d.create(q), "name", " My  <phone>\x00 ").RedirectsTo("/passkeys")
			client.Get("/passkeys").Contains("My &lt;phone&gt;", "Not used yet", "Kept by a password manager", "was added")
			if m := s.box.WaitFor(1)[0]; !strings.Contains(m.Text, "was added to your account") || m.To[0] != "ann@example.com" {
				t.Errorf("%s: %+v", name, m)
			}
			if got := s.Told(); !slices.Equal(got, []auth.EventKind{passkeys.Added}) {
				t.Errorf("%s: %v", name, got)
			}

			other := retorttest.New(t, s.App)
			login := ask(t, other, "/passkeys/login/options")
			if login.RPID != siteDomain || login.UserVerification != "required" || len(login.AllowCredentials) > 0 {
				t.Errorf("%s: %+v", name, login)
			}
			before, _ := other.Cookie("session")
			post(other, "/passkeys/login", d.get(login), "next", "/vault").RedirectsTo("/vault")
			if after, _ := other.Cookie("session"); after == before {
				t.Errorf("%s: the session kept its id", name)
			}
			other.Get("/").Contains("home of ann@example.com")
			// It has verified its user, so it is both factors.
			other.Get("/vault").Status(200)
			other.Get("/passkeys").Contains("Last used")
			if got := s.Told(); !slices.Equal(got, []auth.EventKind{auth.LoggedIn}) {
				t.Errorf("%s: %v", name, got)
			}
		}
	})
}

func TestDeletedUsers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSiteOn(t, kind, passkeys.Options{})
		ann := s.User("ann@example.com", secret)
		d := newDevice(t)
		s.add(s.in("ann@example.com"), d, "phone")
		client := retorttest.New(t, s.App)
		answer := d.get(ask(t, client, "/passkeys/login/options"))
		if err := auth.Users.DeleteRow(s.Ctx, ann); err != nil {
			t.Fatal(err)
		}
		keys, err := passkeys.Passkeys.Count(s.Ctx)
		if err != nil {
			t.Fatal(err)
		}
		handles, err := passkeys.Handles.Count(s.Ctx)
		if keys+handles != 0 || err != nil {
			t.Errorf("%d passkeys and %d handles are left, %v", keys, handles, err)
		}
		post(client, "/passkeys/login", answer).RedirectsTo(refused)
	})
}
