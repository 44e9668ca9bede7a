package accounts_test

import (
	"errors"
	"net/url"
	"testing"

	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
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

// Who signs up with another's address, where that logs in at once, leaves no way in for
// when its owner takes the account over by a mail.
func TestSecurityNothingIsLeftOfAPlantedAccount(t *testing.T) {
	t.Parallel()
	for way, ask := range map[string]string{"reset": "/password/reset", "link": "/login/link"} {
		s := newSite(t, accounts.Options{SignUp: accounts.SignUpOpen, LoginLinks: true})
		s.post("/signup", "email", "victim@example.com", "password", "attacker's choice").RedirectsTo("/")
		s.mailed("victim@example.com") // to verify the address
		planted := found(t, s, "victim@example.com")
		if _, _, err := s.auth.CreateAPIToken(s.ctx, planted, auth.APITokenOptions{Name: "left behind", Scopes: []auth.Permission{auth.AllScopes}}); err != nil {
			t.Fatal(err)
		}
		owner := retorttest.New(t, s.app)
		owner.PostForm(ask, url.Values{"email": {"victim@example.com"}}).Status(200)
		_, path := s.mailed("victim@example.com")
		if way == "reset" {
			owner.Get(path).RedirectsTo("/password/new")
			owner.PostForm("/password/new", url.Values{"password": {secret}, "again": {secret}}).Status(200)
		} else {
			owner.PostForm(path, nil).RedirectsTo("/")
		}
		s.Get("/").Contains("nobody") // the session of who planted it
		s.login("victim@example.com", "attacker's choice").Status(422)
		p := auth.APITokens.Fields()
		if n, err := auth.APITokens.Where(orm.IsNull(&p.Revoked)).Count(s.ctx); n != 0 || err != nil {
			t.Errorf("%s: %d tokens are still good, %v", way, n, err)
		}
		if u := found(t, s, "victim@example.com"); u.Verified == nil {
			t.Errorf("%s: the address is not verified", way)
		}
	}
}

// A sign-up that is under way while the owner of the address proves it sets no password of
// the account, and what was proved of an account counts for no other.
func TestSecuritySignUpWhileTheOwnerVerifies(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	s.post("/signup", "email", "ann@example.com", "password", secret).Status(200)
	s.mailed("ann@example.com")
	before, early := found(t, s, "ann@example.com"), found(t, s, "ann@example.com")
	// The sign-up comes first: the owner's confirmation is of the account as it was.
	if done, err := s.auth.SetPasswordUnproven(s.ctx, early, "attacker's choice"); !done || err != nil {
		t.Fatal(done, err)
	}
	if err := s.auth.Verify(s.ctx, before); !errors.Is(err, auth.ErrBadToken) {
		t.Errorf("verifying another's password: %v", err)
	}
	// The owner comes first.
	owner := found(t, s, "ann@example.com")
	late := *owner
	if err := s.auth.Verify(s.ctx, owner); err != nil {
		t.Fatal(err)
	}
	if done, err := s.auth.SetPasswordUnproven(s.ctx, &late, "another choice"); done || err != nil {
		t.Errorf("the password of a verified account is set: %v %v", done, err)
	}
}

// found is the user with an address, as the database has it.
func found(t *testing.T, s *site, email string) *auth.User {
	t.Helper()
	user, err := auth.Find(s.ctx, email)
	if err != nil {
		t.Fatal(err)
	}
	return user
}
