package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/retorttest"
)

const (
	begin    = "/login/with/one"
	callback = "/login/with/one/callback?"
)

// pair is a site and its provider "one".
func pair(t *testing.T, o options) (*site, *fake) {
	t.Helper()
	f := newFake(t)
	if o.Providers == nil {
		o.Providers = []Provider{f.provider("one")}
	}
	return newSite(t, o), f
}

// through logs in with the provider and returns the site's answer.
func (s *site) through(f *fake, path string, pairs ...string) *retorttest.Response {
	s.T.Helper()
	return s.Get(callback + f.visit(s.leave(path, pairs...)).Encode())
}

func TestSignUpThenLogIn(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	s.Get("/login?next=/profile").Contains(`action="/login/with/one"`, `name="next" value="/profile"`, "Log in with Fake one")
	s.Get("/signup").Contains("Log in with Fake one")
	to := s.leave(begin, "next", "/profile")
	q := to.Query()
	if to.Path != "/authorize" || q.Get("redirect_uri") != "https://notes.example/login/with/one/callback" || q.Get("response_type") != "code" ||
		q.Get("scope") != "openid email profile" || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("max_age") != "" {
		t.Error(to)
	}
	s.Get(callback + f.visit(to).Encode()).RedirectsTo("/profile")
	s.Get("/").Contains("home of ann@example.com")
	u := s.find("ann@example.com")
	if u.Verified == nil || u.HasPassword() || u.Name != "Ann" || u.Staff || u.Superuser {
		t.Errorf("%+v", u)
	}
	if got := s.Told(); !slices.Equal(got, []auth.EventKind{auth.SignedUp, auth.LoggedIn}) {
		t.Error(got)
	}
	s.post("/logout")
	// The address there may change, and another's be the same: the subject counts.
	f.set(func() { f.claims["email"], f.claims["email_verified"] = "new@example.com", false })
	s.through(f, begin).RedirectsTo("/")
	s.Get("/").Contains("home of ann@example.com")
	list := s.identities()
	if len(list) != 1 || list[0].Subject != "subject-1" || list[0].Issuer != f.URL || list[0].Email != "new@example.com" || list[0].LastUsed == nil {
		t.Errorf("%+v", list)
	}
	if n := len(s.box.Messages()); n != 0 {
		t.Errorf("%d mails", n)
	}
}

// CVE class "account taken over by an unverified address": PocketBase 2024-38351.
func TestSecurityNobodyIsLetInByAnAddress(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		trust  bool
		change func(s *site, f *fake, u *auth.User)
		status int
		text   string
	}{
		"verified there":                 {false, nil, 409, "There is an account with your address"},
		"not verified there":             {false, func(_ *site, f *fake, _ *auth.User) { f.claims["email_verified"] = false }, 403, "has not verified"},
		"not said":                       {true, func(_ *site, f *fake, _ *auth.User) { f.claims["email_verified"] = nil }, 403, "has not verified"},
		"no truth":                       {true, func(_ *site, f *fake, _ *auth.User) { f.claims["email_verified"] = 1 }, 403, "has not verified"},
		"trusted, not verified there":    {true, func(_ *site, f *fake, _ *auth.User) { f.claims["email_verified"] = "false" }, 403, "has not verified"},
		"another way to write it":        {false, func(_ *site, f *fake, _ *auth.User) { f.claims["email"] = "ANN@example.com" }, 409, "There is an account"},
		"no address":                     {true, func(_ *site, f *fake, _ *auth.User) { f.claims["email"] = nil }, 403, "has not verified"},
		"no address that could be":       {true, func(_ *site, f *fake, _ *auth.User) { f.claims["email"] = "ann@example.com\x00" }, 403, "has not verified"},
		"trusted, not verified here":     {true, func(s *site, _ *fake, u *auth.User) { u.Verified = nil; s.Update(u, &auth.Users.Fields().Verified) }, 409, "There is an account"},
		"trusted, the account is closed": {true, func(s *site, _ *fake, u *auth.User) { u.Active = false; s.Update(u, &auth.Users.Fields().Active) }, 403, "This account is closed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			p := f.provider("one")
			p.TrustEmail = test.trust
			s := newSite(t, options{Options: Options{Providers: []Provider{p}}})
			u := s.User("ann@example.com", secret)
			if test.change != nil {
				test.change(s, f, u)
			}
			s.through(f, begin).Status(test.status).Contains(test.text)
			s.Get("/").Contains("home of nobody")
			if list := s.identities(); len(list) != 0 {
				t.Error(list)
			}
			if got := s.Told(); !slices.Equal(got, []auth.EventKind{auth.LoginFailed}) {
				t.Error(got)
			}
		})
	}
}

func TestTrustEmailLetsIntoTheAccountOfTheAddress(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	p := f.provider("one")
	p.TrustEmail = true
	s := newSite(t, options{Options: Options{Providers: []Provider{p}, Remember: true}, accounts: accounts.Options{SignUp: accounts.SignUpClosed}})
	s.User("Ann@Example.com", secret)
	f.claims["email_verified"] = "true"
	s.through(f, begin).RedirectsTo("/")
	s.Get("/").Contains("home of Ann@Example.com")
	if got := s.Told(); !slices.Equal(got, []auth.EventKind{Connected, auth.LoggedIn}) {
		t.Error(got)
	}
	if m := s.box.WaitFor(1)[0]; m.To[0] != "Ann@Example.com" || !strings.Contains(m.Subject, "Fake one was connected") {
		t.Errorf("%+v", m)
	}
	// Nobody else gets an account.
	f.claims["sub"], f.claims["email"] = "subject-2", "bob@example.com"
	other := s.fresh()
	other.through(f, begin).Status(403).Contains("Nobody here is known", "/login?next=%2Flogins")
	if exists(t, s.Ctx, "bob@example.com") {
		t.Error("an account was made")
	}
	s.Get("/signup").Status(404)
}

// fresh is another visitor.
func (s *site) fresh() *site {
	other := *s
	other.Site = s.Visitor()
	return &other
}

func TestAssumeVerified(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	p := f.provider("one")
	p.AssumeVerified = true
	s := newSite(t, options{Options: Options{Providers: []Provider{p}}})
	f.claims["email_verified"] = false // it does say
	s.through(f, begin).Status(403)
	f.claims["email_verified"] = nil
	s.through(f, begin).RedirectsTo("/")
	s.Get("/").Contains("home of ann@example.com")
}

func TestClosedAccountsStayClosed(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	s.through(f, begin).RedirectsTo("/")
	s.post("/logout")
	u := s.find("ann@example.com")
	u.Active = false
	s.Update(u, &auth.Users.Fields().Active)
	s.through(f, begin).Status(403).Contains("This account is closed")
	s.Get("/").Contains("home of nobody")
}

func TestSecurityTheSecondFactorIsAskedFor(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	s.through(f, begin).RedirectsTo("/")
	user := s.find("ann@example.com")
	p := auth.SecondFactors.New()
	p.User.Set(user)
	p.Secret = "sealed"
	if err := auth.SecondFactors.Insert(s.Ctx, p); err != nil {
		t.Fatal(err)
	}
	s.post("/logout")
	s.through(f, begin, "next", "/profile").RedirectsTo("/login/code?next=%2Fprofile")
	s.Get("/").Contains("home of nobody")
}

func TestHooks(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	p := f.provider("one")
	p.Parameters = map[string]string{"hd": "example.com"}
	p.Allow = func(_ context.Context, p *Profile) error {
		if !strings.HasSuffix(p.Email, "@example.com") {
			return auth.ErrDenied
		}
		return nil
	}
	denied := errors.New("no such group")
	s := newSite(t, options{Options: Options{Providers: []Provider{p}, OnLogin: func(ctx context.Context, u *auth.User, p *Profile) error {
		switch p.Claims["group"] {
		case "none":
			return auth.ErrDenied
		case "bad":
			return denied
		case "staff":
			u.Staff = true
			return auth.Users.UpdateRow(ctx, u, &auth.Users.Fields().Staff)
		}
		return nil
	}}})
	f.claims["email"] = "ann@other.example"
	s.through(f, begin).Status(403).Contains("You may not log in here")
	f.claims["email"], f.claims["group"] = "ann@example.com", "none"
	s.through(f, begin).Status(403).Contains("You may not log in here")
	f.claims["group"] = "bad"
	s.through(f, begin).Status(500)
	if exists(t, s.Ctx, "ann@example.com") {
		t.Error("a login that was denied made an account")
	}
	f.claims["group"] = "staff"
	to := s.leave(begin)
	if to.Query().Get("hd") != "example.com" {
		t.Error(to)
	}
	s.Get(callback + f.visit(to).Encode()).RedirectsTo("/")
	if !s.find("ann@example.com").Staff {
		t.Error("no staff")
	}
}

func TestUserInfoFillsWhatTheTokenLacks(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	f.metadata["userinfo_endpoint"] = f.URL + "/userinfo"
	f.claims["email"], f.claims["name"] = nil, nil
	answer := `{"sub": "subject-2", "email": "eve@example.com", "email_verified": true}`
	f.userInfo = func(w http.ResponseWriter) { _, _ = w.Write([]byte(answer)) }
	s.through(f, begin).Status(400).Contains("could not be logged in") // of somebody else
	f.set(func() {
		answer = `{"sub": "subject-1", "email": "ann@example.com", "email_verified": true, "name": "Ann\u0000 Miller", "iss": "eve"}`
	})
	s.through(f, begin).RedirectsTo("/")
	if u := s.find("ann@example.com"); u.Name != "Ann Miller" {
		t.Errorf("%q", u.Name)
	}
}

// A login with the same identity in several tabs at once makes one account.
func TestLoginsAtTheSameTime(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	const visitors = 4
	codes := make(chan int, visitors)
	for range visitors {
		other := s.fresh()
		query := f.visit(other.leave(begin)).Encode()
		go func() { codes <- other.Get(callback + query).Code }()
	}
	for range visitors {
		if code := <-codes; code != http.StatusFound {
			t.Error(code)
		}
	}
	if list := s.identities(); len(list) != 1 {
		t.Error(list)
	}
	if n, err := auth.Users.Count(s.Ctx); n != 1 || err != nil {
		t.Error(n, err)
	}
}

func TestSeveralTabs(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	var tabs []*url.URL
	for i := range 5 {
		tabs = append(tabs, s.leave(begin, "next", fmt.Sprintf("/tab%d", i)))
	}
	s.Get(callback + f.visit(tabs[3]).Encode()).RedirectsTo("/tab3")
	s.Get(callback + f.visit(tabs[0]).Encode()).Status(400) // three wait at most
	s.Get(callback + f.visit(tabs[4]).Encode()).RedirectsTo("/tab4")
}

func TestProviderSaysNo(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	for code, want := range map[string]string{"access_denied": "", "temporarily_unavailable": "does not answer", "invalid_scope": "could not be logged in"} {
		query := f.visit(s.leave(begin))
		query.Del("code")
		query.Set("error", code)
		query.Set("error_description", "<script>")
		r := s.Get(callback + query.Encode())
		if want == "" {
			r.RedirectsTo("/login")
			s.Get("/login").Contains("You have not logged in with Fake one.")
		} else {
			r.Contains(want).Lacks("<script>")
		}
	}
}

func TestStrictCookiesComeAlongTheSecondTime(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{session: retort.SessionConfig{SameSite: "strict"}})
	query := f.visit(s.leave(begin)).Encode()
	page := s.fresh().Get(callback + query).Status(200).Contains("Almost there")
	again, ok := strings.CutPrefix(page.Header().Get("Refresh"), "0; url=")
	if !ok {
		t.Fatal(page.Header())
	}
	s.Get(again).RedirectsTo("/")
	s.fresh().Get(again).Status(400)
}

func TestFormsNeedNoRedirectThatAPolicyStops(t *testing.T) {
	t.Parallel()
	s, _ := pair(t, options{})
	policy := s.Get("/login").Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "form-action 'self'") {
		t.Fatal(policy)
	}
	s.post(begin).Status(200).HasHeader("Cache-Control", "no-store").HasHeader("Referrer-Policy", "no-referrer")
	s.Get(begin).Status(405)
	s.post("/login/with/other").Status(404)
	s.Get("/login/with/other/callback").Status(404)
	if found := s.App.RunChecks(s.Ctx, false); slices.ContainsFunc(found, func(f retort.Finding) bool { return strings.HasPrefix(f.ID, "oidc.") }) {
		t.Error(found)
	}
}
