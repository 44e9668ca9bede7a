package accounts_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
)

var inCode = regexp.MustCompile(`<code>([A-Z2-7-]+)</code>`)

// code is one of an authenticator app that has not been used.
func (s *site) code(app string) string {
	s.t.Helper()
	p := auth.SecondFactors.Fields()
	if _, err := auth.SecondFactors.Where(orm.Ne(&p.LastStep, 0)).Update(s.ctx, orm.Set(&p.LastStep, 0)); err != nil {
		s.t.Fatal(err)
	}
	code, err := totp.GenerateCode(app, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return code
}

// enrol switches the second factor of who has logged in on.
func (s *site) enrol() (app string, recovery []string) {
	s.t.Helper()
	page := s.Get("/second-factor").Status(200).Contains(`src="data:image/png;base64,`, `href="otpauth://totp/Slow%20Notes:`)
	app = inCode.FindStringSubmatch(page.Text())[1]
	s.post("/second-factor", "code", "000000").Status(422).Contains("is not right", app)
	made := s.post("/second-factor", "code", s.code(app)).Status(200)
	for _, m := range inCode.FindAllStringSubmatch(made.Text(), -1) {
		recovery = append(recovery, m[1])
	}
	if len(recovery) != 10 {
		s.t.Fatal(made.Text())
	}
	return app, recovery
}

func TestSecondFactorPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{LoginLinks: true})
	s.known("ann@example.com")
	elsewhere := retorttest.New(t, s.app)
	elsewhere.PostForm("/login", map[string][]string{"email": {"ann@example.com"}, "password": {secret}}).RedirectsTo("/")
	s.login("ann@example.com", secret).RedirectsTo("/")
	s.Get("/profile").Contains("Second factor")
	app, recovery := s.enrol()
	if m, _ := s.mailed("ann@example.com"); !strings.Contains(m.Text, "switched on") {
		t.Error(m.Text)
	}
	elsewhere.Get("/").Contains("nobody")
	s.Get("/second-factor").Contains("10 recovery codes left").Lacks(app, recovery[0])
	s.post("/logout").RedirectsTo("/")
	s.Get("/login/code").RedirectsTo("/login?next=%2F")

	s.post("/login?next=/profile", "email", "ann@example.com", "password", secret).RedirectsTo("/login/code?next=%2Fprofile")
	s.Get("/").Contains("nobody")
	s.Get("/login/code?next=/profile").Status(200).Contains(`autocomplete="one-time-code"`)
	s.post("/login/code?next=/profile", "code", "123").Status(422).Contains("is not right")
	s.post("/login/code?next=https://evil.example/", "code", s.code(app)).RedirectsTo("/")
	s.Get("/").Contains("ann@example.com")
	s.post("/logout").RedirectsTo("/")

	// A link in a mail is a first factor, too.
	s.post("/login/link", "email", "ann@example.com").Status(200)
	_, path := s.mailed("ann@example.com")
	s.post(path).RedirectsTo("/login/code?next=%2F")
	s.post("/login/code", "code", strings.ToLower(recovery[0])).RedirectsTo("/")
	s.Get("/second-factor").Contains("9 recovery codes left")

	made := s.post("/second-factor/codes").Status(200)
	if got := inCode.FindAllStringSubmatch(made.Text(), -1); len(got) != 10 || strings.Contains(made.Text(), recovery[1]) {
		t.Error(made.Text())
	}
	s.post("/second-factor/off").RedirectsTo("/profile")
	if m, _ := s.mailed("ann@example.com"); !strings.Contains(m.Text, "switched off") {
		t.Error(m.Text)
	}
	s.post("/logout").RedirectsTo("/")
	s.login("ann@example.com", secret).RedirectsTo("/")
	s.noMore()
}

// Who has the session but not the second factor cannot switch it off, nor get codes.
func TestSecuritySecondFactorIsSwitchedOffWithIt(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	ann := s.known("ann@example.com")
	s.login("ann@example.com", secret).RedirectsTo("/")
	app, _ := s.enrol()
	other := retorttest.New(t, s.app)
	other.PostForm("/login", map[string][]string{"email": {"ann@example.com"}, "password": {secret}}).RedirectsTo("/login/code?next=%2F")
	for _, path := range []string{"/second-factor/off", "/second-factor/codes", "/second-factor", "/profile"} {
		other.PostForm(path, nil).RedirectsTo("/login")
	}
	if has, err := auth.HasSecondFactor(s.ctx, ann); !has || err != nil {
		t.Error(has, err)
	}
	other.PostForm("/login/code", map[string][]string{"code": {s.code(app)}}).RedirectsTo("/")
	other.Get("/second-factor/off").Status(405)
	other.PostForm("/second-factor/off", nil).RedirectsTo("/profile")
	if has, err := auth.HasSecondFactor(s.ctx, ann); has || err != nil {
		t.Error(has, err)
	}
}
