package auth_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/internal/testsite"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session"
)

// factorSite is a site with logins in two steps and a clock.
type factorSite struct {
	*site
	counts *testsite.Counts
	clock  *testsite.Clock
}

func newFactorSite(t *testing.T, kind testdb.Kind, senders ...auth.CodeSender) *factorSite {
	t.Helper()
	s := &factorSite{counts: testsite.NewCounts(), clock: testsite.NewClock()}
	s.site = newSite(t, kind, auth.Options{CodeSenders: senders, Counts: s.counts})
	s.auth.SetClock(s.clock.Now)
	answer := func(c *retort.Ctx, err error) error {
		switch {
		case errors.Is(err, auth.ErrWrongCode), errors.Is(err, auth.ErrWrong), errors.Is(err, auth.ErrNoHalfLogin):
			return retort.Unprocessable(nil)
		case err != nil:
			return err
		}
		return c.Text("ok")
	}
	s.app.Post("/begin", func(c *retort.Ctx) error {
		user, err := s.auth.Authenticate(c, c.FormValue("email"), c.FormValue("password"))
		if err == nil {
			_, err = s.auth.BeginLogin(c, user, false)
		}
		return answer(c, err)
	}).DisableCSRF()
	s.app.Post("/code", func(c *retort.Ctx) error {
		_, err := s.auth.FinishLogin(c, c.FormValue("code"))
		return answer(c, err)
	}).DisableCSRF()
	s.app.Get("/enrol", func(c *retort.Ctx) error {
		enrolment, err := s.auth.EnrolSecondFactor(c, auth.Must(c))
		if err != nil {
			return err
		}
		return c.JSON(enrolment)
	}).Use(auth.RequireFresh)
	s.app.Post("/confirm", func(c *retort.Ctx) error {
		codes, err := s.auth.ConfirmSecondFactor(c, auth.Must(c), c.FormValue("code"))
		if err != nil {
			return answer(c, err)
		}
		return c.JSON(codes)
	}).Use(auth.RequireFresh).DisableCSRF()
	s.app.Get("/vault", func(c *retort.Ctx) error { return c.Text("gold") }).Use(auth.RequireSecondFactor)
	auth.Public(s.app.Get("/api/vault", func(c *retort.Ctx) error { return c.Text("gold") })).Use(auth.Bearer, auth.RequireSecondFactor)
	return s
}

func (s *factorSite) code(t *testing.T, secret string) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, s.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func begin(c *retorttest.Client, email, password string) *retorttest.Response {
	return c.PostForm("/begin", url.Values{"email": {email}, "password": {password}})
}

func give(c *retorttest.Client, code string) *retorttest.Response {
	return c.PostForm("/code", url.Values{"code": {code}})
}

// enrol logs a user in and makes an app their second factor; the time goes on so that
// there is another code.
func (s *factorSite) enrol(t *testing.T, email string) (client *retorttest.Client, secretOfApp string, recovery []string) {
	t.Helper()
	client = retorttest.New(t, s.app)
	begin(client, email, secret).Status(200)
	var enrolment auth.Enrolment
	client.Get("/enrol").Status(200).JSON(&enrolment)
	client.PostForm("/confirm", url.Values{"code": {s.code(t, enrolment.Secret)}}).Status(200).JSON(&recovery)
	s.clock.Add(time.Minute)
	return client, enrolment.Secret, recovery
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newFactorSite(t, kind)
		ann := s.user(t, "ann@example.com")
		client := retorttest.New(t, s.app)
		begin(client, ann.Email, secret).Status(200)
		client.Get("/whoami").Contains("ann@example.com")
		client.Get("/vault").RedirectsTo("/second-factor?next=%2Fvault")
		var enrolment, same auth.Enrolment
		client.Get("/enrol").JSON(&enrolment)
		if !strings.HasPrefix(enrolment.URI, "otpauth://totp/site:ann@example.com?") || !strings.Contains(enrolment.URI, "secret="+enrolment.Secret) {
			t.Error(enrolment.URI)
		}
		if client.Get("/enrol").JSON(&same); same != enrolment {
			t.Error("the page shows another secret when it is loaded again")
		}
		client.PostForm("/confirm", url.Values{"code": {"000000"}}).Status(422)
		if has, err := auth.HasSecondFactor(s.ctx, ann); has || err != nil {
			t.Error(has, err)
		}
		var recovery []string
		client.PostForm("/confirm", url.Values{"code": {s.code(t, enrolment.Secret)}}).Status(200).JSON(&recovery)
		if n, err := auth.RecoveryCodesLeft(s.ctx, ann); n != 10 || len(recovery) != 10 || err != nil {
			t.Error(n, recovery, err)
		}
		client.Get("/vault").Contains("gold")
		client.PostForm("/confirm", url.Values{"code": {s.code(t, enrolment.Secret)}}).Status(422)

		s.clock.Add(time.Minute)
		other := retorttest.New(t, s.app)
		begin(other, ann.Email, secret).Status(200)
		other.Get("/whoami").Contains("nobody")
		give(other, "12 34 56").Status(422)
		code := s.code(t, enrolment.Secret)
		give(other, code[:3]+" "+code[3:]).Status(200)
		other.Get("/whoami").Contains("ann@example.com")
		other.Get("/vault").Contains("gold")

		third := retorttest.New(t, s.app)
		begin(third, ann.Email, secret).Status(200)
		give(third, strings.ToLower(recovery[3])).Status(200)
		third.Get("/vault").Contains("gold")
		if n, err := auth.RecoveryCodesLeft(s.ctx, ann); n != 9 || err != nil {
			t.Error(n, err)
		}
		want := []auth.EventKind{
			auth.LoggedIn, auth.CodeFailed, auth.SecondFactorOn, auth.CodeFailed, auth.LoggedIn, auth.RecoveryCodeUsed, auth.LoggedIn,
		}
		if got := s.kinds(); !slices.Equal(got, want) {
			t.Error(got)
		}
		if out, err := s.app.Call(s.ctx, "removesecondfactor", "ANN@example.com"); err != nil || !strings.Contains(out, "no second factor any more") {
			t.Error(out, err)
		}
		if n, err := auth.RecoveryCodes.Count(s.ctx); n != 0 || err != nil {
			t.Error(n, err)
		}
		begin(third, ann.Email, secret).Status(200)
		third.Get("/whoami").Contains("ann@example.com")
		third.Get("/vault").RedirectsTo("/second-factor?next=%2Fvault")
	})
}

// A code works once, also for two requests at the same time, and for a minute.
func TestSecurityCodesWorkOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newFactorSite(t, kind)
		ann := s.user(t, "ann@example.com")
		_, app, recovery := s.enrol(t, ann.Email)
		for _, code := range []string{s.code(t, app), recovery[0]} {
			clients := make([]*retorttest.Client, 5)
			got := make([]int, len(clients))
			for i := range clients {
				clients[i] = retorttest.New(t, s.app)
				begin(clients[i], ann.Email, secret).Status(200)
			}
			var wait sync.WaitGroup
			for i, client := range clients {
				wait.Go(func() { got[i] = give(client, code).Code })
			}
			wait.Wait()
			slices.Sort(got)
			if !slices.Equal(got, []int{200, 422, 422, 422, 422}) {
				t.Errorf("five logins at once with one code: %v", got)
			}
		}
		// Codes of the step before and after are taken, as clocks differ.
		s2 := newFactorSite(t, kind)
		bob := s2.user(t, "bob@example.com")
		_, app, _ = s2.enrol(t, bob.Email)
		client := retorttest.New(t, s2.app)
		begin(client, bob.Email, secret).Status(200)
		late := s2.code(t, app)
		s2.clock.Add(61 * time.Second)
		give(client, late).Status(422)
		early, err := totp.GenerateCode(app, s2.clock.Now().Add(61*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		give(client, early).Status(422)
		now := s2.code(t, app)
		ahead, err := totp.GenerateCode(app, s2.clock.Now().Add(30*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		give(client, ahead).Status(200)
		// What came before the last is over with it.
		begin(client, bob.Email, secret).Status(200)
		give(client, now).Status(422)
	})
}

// Half a login is none, ends soon, and belongs to its session and password.
func TestSecurityHalfLogin(t *testing.T) {
	t.Parallel()
	s := newFactorSite(t, testdb.SQLite)
	ann := s.user(t, "ann@example.com")
	_, app, _ := s.enrol(t, ann.Email)
	client := retorttest.New(t, s.app)
	give(client, s.code(t, app)).Status(422) // no password
	client.Session(func(s *session.Session) { s.Set("cart", "3") })
	planted, _ := client.Cookie("session")
	begin(client, ann.Email, secret).Status(200)
	for _, path := range []string{"/private", "/fresh", "/vault"} {
		client.Get(path).RedirectsTo("/login?next=%2F" + path[1:])
	}
	// Whoever planted the session does not share the half.
	thief := client.Fresh()
	thief.SetCookie("session", planted)
	give(thief, s.code(t, app)).Status(422)
	client.Get("/whoami").Contains("nobody")
	s.clock.Add(6 * time.Minute)
	give(client, s.code(t, app)).Status(422)
	begin(client, ann.Email, secret).Status(200)
	if err := s.auth.SetPassword(s.ctx, ann, "another password"); err != nil {
		t.Fatal(err)
	}
	give(client, s.code(t, app)).Status(422)
	client.Get("/whoami").Contains("nobody")
	begin(client, ann.Email, "another password").Status(200)
	give(client, s.code(t, app)).Status(200)
	client.Get("/whoami").Contains("ann@example.com")
}

// Guesses are bounded for the user, whatever sessions and addresses they come from, and
// the code of the app of another is worth nothing.
func TestSecurityCodesAreThrottled(t *testing.T) {
	t.Parallel()
	s := newFactorSite(t, testdb.SQLite)
	ann, bob := s.user(t, "ann@example.com"), s.user(t, "bob@example.com")
	_, annApp, _ := s.enrol(t, ann.Email)
	_, bobApp, bobCodes := s.enrol(t, bob.Email)
	for i := range 10 {
		client := retorttest.New(t, s.app)
		begin(client, ann.Email, secret).Status(200)
		give(client, []string{s.code(t, bobApp), bobCodes[0], "", "x", strings.Repeat("1", 100_000)}[i%5]).Status(422)
	}
	client := retorttest.New(t, s.app)
	begin(client, ann.Email, secret).Status(200)
	got := give(client, s.code(t, annApp)).Status(429)
	if got.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	// Others go on.
	begin(client, bob.Email, secret).Status(200)
	give(client, s.code(t, bobApp)).Status(200)
}

// A login with the password alone, in the same session too, is not one with a code;
// nor is one with a factor that has gone since, or a token.
func TestSecurityRequireSecondFactor(t *testing.T) {
	t.Parallel()
	s := newFactorSite(t, testdb.SQLite)
	ann := s.user(t, "ann@example.com")
	client, app, _ := s.enrol(t, ann.Email)
	client.Get("/vault").Contains("gold")
	login(client, ann.Email, secret).Status(200) // by Login, which asks for no code
	client.Get("/vault").RedirectsTo("/login?next=%2Fvault")
	begin(client, ann.Email, secret).Status(200)
	client.Get("/vault").RedirectsTo("/login?next=%2Fvault")
	give(client, s.code(t, app)).Status(200)
	client.Get("/vault").Contains("gold")
	program := client.NewRequest("GET", "/vault", nil)
	program.Header.Set("Accept", "application/json")
	client.Do(program).Status(200)
	text, _ := s.token(t, ann, auth.AllScopes)
	bearer(client, "GET", "/api/vault", text).Status(403)
	// Another factor, made elsewhere, asks again here.
	if err := s.auth.RemoveSecondFactor(s.ctx, ann); err != nil {
		t.Fatal(err)
	}
	client.Get("/vault").RedirectsTo("/second-factor?next=%2Fvault")
	program = client.NewRequest("GET", "/vault", nil)
	program.Header.Set("Accept", "application/json")
	client.Do(program).Status(403)
	s.enrol(t, ann.Email)
	client.Get("/vault").RedirectsTo("/login?next=%2Fvault")
}

// What the tables have lets nobody in: the secret is sealed for its user, codes are
// hashed.
func TestSecuritySecondFactorsAtRest(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newFactorSite(t, kind)
		ann, bob := s.user(t, "ann@example.com"), s.user(t, "bob@example.com")
		_, annApp, annCodes := s.enrol(t, ann.Email)
		_, bobApp, _ := s.enrol(t, bob.Email)
		rows, err := auth.SecondFactors.All(s.ctx)
		if err != nil || len(rows) != 2 {
			t.Fatal(rows, err)
		}
		for _, row := range rows {
			for _, app := range []string{annApp, bobApp} {
				if strings.Contains(row.Secret, app) {
					t.Error("the table has the secret")
				}
			}
		}
		codes, err := auth.RecoveryCodes.All(s.ctx)
		if err != nil || len(codes) != 20 {
			t.Fatal(len(codes), err)
		}
		for _, row := range codes {
			if plain := strings.ReplaceAll(annCodes[0], "-", ""); len(row.Hash) != 64 || strings.Contains(row.Hash, plain) {
				t.Error("the table has a recovery code")
			}
		}
		if log := s.log.String(); strings.Contains(log, annApp) || strings.Contains(log, annCodes[0]) {
			t.Error("the log has a secret")
		}
		// Bob's secret put into Ann's row does not make Bob's app Ann's.
		p := auth.SecondFactors.Fields()
		for _, row := range rows {
			if row.User.ID == bob.ID {
				if _, err := auth.SecondFactors.Where(orm.Eq(&p.User.ID, ann.ID)).Update(s.ctx, orm.Set(&p.Secret, row.Secret)); err != nil {
					t.Fatal(err)
				}
			}
		}
		client := retorttest.New(t, s.app)
		begin(client, ann.Email, secret).Status(200)
		give(client, s.code(t, bobApp)).Status(500)
		client.Get("/whoami").Contains("nobody")
	})
}
