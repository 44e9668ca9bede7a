package accounts_test

import (
	"testing"

	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
)

// A superuser of the command line has not verified an address, and may not have logged
// in yet: who signs up with the address must not choose their password.
func TestSecuritySignUpWithTheAddressOfASuperuser(t *testing.T) {
	t.Parallel()
	for _, flags := range []auth.User{{Superuser: true}, {Staff: true}} {
		s := newSite(t, accounts.Options{})
		u := auth.Users.New()
		u.Email, u.Staff, u.Superuser = "root@example.com", flags.Staff, flags.Superuser
		if err := s.auth.Create(s.ctx, u, secret); err != nil {
			t.Fatal(err)
		}
		s.post("/signup", "email", "root@example.com", "password", "attacker's choice").Status(200).Contains("Look into your mail")
		s.mailed("root@example.com")
		s.login("root@example.com", "attacker's choice").Status(422)
		s.Get("/").Contains("nobody")
		if _, err := s.auth.Authenticate(s.ctx, "root@example.com", secret); err != nil {
			t.Errorf("the password is another now: %v", err)
		}
	}
}

// A link to log in proves an address, and not that who signed up with it is its owner:
// the password of whoever that was ends.
func TestSecurityLoginLinkOfAPlantedAccount(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{LoginLinks: true})
	s.post("/signup", "email", "victim@example.com", "password", "attacker's choice").Status(200)
	s.mailed("victim@example.com")
	s.post("/login/link", "email", "victim@example.com").Status(200)
	_, path := s.mailed("victim@example.com")
	s.post(path).RedirectsTo("/")
	s.Get("/").Contains("home of victim@example.com")
	s.post("/logout").RedirectsTo("/")
	s.login("victim@example.com", "attacker's choice").Status(422)
	s.Get("/").Contains("nobody")
}
