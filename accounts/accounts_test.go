package accounts_test

import (
	"context"
	"log/slog"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/mail/mailtest"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/password"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session/dbsession"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const secret = "correct horse battery"

type site struct {
	*retorttest.Client
	t     *testing.T
	app   *retort.App
	auth  *auth.Extension
	pages *accounts.Extension
	box   *mailtest.Outbox
	ctx   context.Context //nolint:containedctx // that of the app
	sent  int
}

func newSite(t *testing.T, o accounts.Options, more ...retort.Extension) *site {
	t.Helper()
	return newSiteWith(t, o, auth.Options{}, nil, more...)
}

// newSiteWith is a site with options of package auth and templates of its own.
func newSiteWith(t *testing.T, o accounts.Options, of auth.Options, templates fstest.MapFS, more ...retort.Extension) *site {
	t.Helper()
	if templates == nil {
		templates = fstest.MapFS{"templates/own.html": {Data: []byte("own: {{ offer.url }}, {{ next }}")}}
	}
	app := retort.New(retort.Config{
		Name: "Slow Notes", SecretKey: "a key for these tests only, nowhere else", BaseURL: "https://notes.example",
		DatabaseURL: "sqlite:" + filepath.Join(t.TempDir(), "site.db"), Logger: slog.New(slog.DiscardHandler),
		Assets: retort.Embed(templates),
	})
	of.LoginURL, of.Hash = "accounts.login", password.Options{Memory: 64, Time: 1}
	a := auth.New(of)
	pages := accounts.New(o)
	app.Install(db.Open(""), dbsession.New(), mail.New(mail.Options{From: "site@example.com"}), a, pages)
	app.Install(more...)
	app.Get("/", func(c *retort.Ctx) error {
		return c.RenderString("home of {{ user.email if user else 'nobody' }}", nil)
	})
	s := &site{Client: retorttest.New(t, app), t: t, app: app, auth: a, pages: pages, box: mailtest.New(t, app), ctx: app.Context()}
	conn, err := orm.DBFrom(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	testdb.CreateTables(t, conn)
	return s
}

// known makes a user who can log in.
func (s *site) known(email string) *auth.User {
	s.t.Helper()
	u := auth.Users.New()
	u.Email = email
	if err := s.auth.Create(s.ctx, u, secret); err != nil {
		s.t.Fatal(err)
	}
	if err := s.auth.Verify(s.ctx, u); err != nil {
		s.t.Fatal(err)
	}
	return u
}

// post opens a page, fills its form in and sends it.
func (s *site) post(path string, pairs ...string) *retorttest.Response {
	s.t.Helper()
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return s.PostForm(path, values)
}

func (s *site) login(email, password string) *retorttest.Response {
	s.t.Helper()
	return s.post("/login", "email", email, "password", password)
}

var link = regexp.MustCompile(`https://notes\.example(/\S+)`)

// mailed returns the next mail and the path of its link.
func (s *site) mailed(to string) (*mail.Message, string) {
	s.t.Helper()
	s.sent++
	m := s.box.WaitFor(s.sent)[s.sent-1]
	if len(m.To) != 1 || m.To[0] != to {
		s.t.Errorf("%q went to %v, not to %s", m.Subject, m.To, to)
	}
	if !strings.Contains(m.Subject, "Slow Notes") {
		s.t.Errorf("subject %q", m.Subject)
	}
	found := link.FindStringSubmatch(m.Text)
	if found == nil {
		return m, ""
	}
	return m, found[1]
}

func (s *site) noMore() {
	s.t.Helper()
	if n := len(s.box.Messages()); n != s.sent {
		s.t.Errorf("%d mails, not %d", n, s.sent)
	}
}

func TestSignUpVerifyAndLogIn(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	s.Get("/signup").Status(200).Contains("Sign up", `autocomplete="new-password"`)
	s.post("/signup", "email", "ann", "password", "short").Status(422).Contains("at least 8 characters")
	s.post("/signup", "email", "ann@example.com", "password", "annexample").Status(422).Contains("too much like")
	s.post("/signup", "name", "Ann", "email", "Ann@example.com", "password", secret).Status(200).Contains("Look into your mail")
	_, path := s.mailed("Ann@example.com")
	s.Get("/").Contains("nobody")
	// Without the proof a login sends another link.
	s.login("ann@example.com", secret).Contains("Look into your mail")
	s.mailed("Ann@example.com")
	s.Get("/").Contains("nobody")
	s.Get(path).Status(200).Contains("Ann@example.com")
	s.post(path, "password", "wrong").Status(422)
	s.post(path, "password", secret).RedirectsTo("/")
	s.Get("/").Contains("home of Ann@example.com")
	s.Get(path).Status(400).Contains("not valid any more")
	s.post("/logout").RedirectsTo("/")
	s.Get("/").Contains("nobody")
	s.login("ann@example.com", "wrong").Status(422).Contains("is not right")
	s.login("ann@example.com", secret).RedirectsTo("/")
	s.noMore()
}

// Who signs up with the address of another opens nothing, whoever clicks on what.
func TestSecuritySignUpWithTheAddressOfAnother(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	s.post("/signup", "email", "victim@example.com", "password", "attacker's choice").Status(200)
	_, planted := s.mailed("victim@example.com")
	// The victim does not know that password.
	s.post(planted, "password", secret).Status(422)
	// And signing up puts their own in its place.
	s.post("/signup", "email", "victim@example.com", "password", secret).Status(200)
	_, own := s.mailed("victim@example.com")
	s.Get(planted).Status(400)
	s.post(own, "password", secret).RedirectsTo("/")
	s.Get("/").Contains("victim@example.com")
	s.Fresh().PostForm("/login", url.Values{"email": {"victim@example.com"}, "password": {"attacker's choice"}}).Status(422)
}

// CVE class "enumeration".
func TestSecurityStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{LoginLinks: true})
	s.known("ann@example.com")
	inactive := s.known("gone@example.com")
	inactive.Active = false
	if err := auth.Users.UpdateRow(s.ctx, inactive, &auth.Users.Fields().Active); err != nil {
		t.Fatal(err)
	}
	strip := regexp.MustCompile(`[\w.]+@example\.com|value="[^"]*"`)
	for _, path := range []string{"/signup", "/password/reset", "/login/link", "/login"} {
		var want string
		for _, email := range []string{"none@example.com", "ann@example.com", "gone@example.com"} {
			tried := secret + path
			r := s.post(path, "email", email, "password", tried)
			got := strip.ReplaceAllString(r.Text(), "")
			if want == "" {
				want = got
			}
			if got != want || r.Code != s.post(path, "email", "x"+email, "password", tried).Code {
				t.Errorf("%s tells of %s:\n%s\nnot\n%s", path, email, got, want)
			}
		}
	}
}

func TestResetPassword(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	s.known("Ann@Example.com")
	elsewhere := s.Fresh()
	elsewhere.PostForm("/login", url.Values{"email": {"ann@example.com"}, "password": {secret}}).RedirectsTo("/")
	s.post("/password/reset", "email", "none@example.com").Contains("is on its way")
	// To the address that is kept, not to what was typed.
	s.post("/password/reset", "email", " ANN@example.com").Contains("is on its way")
	_, path := s.mailed("Ann@Example.com")
	s.Get(path).RedirectsTo("/password/new").Lacks(path)
	s.Get("/password/new").HasHeader("Cache-Control", "no-store").HasHeader("Referrer-Policy", "same-origin")
	s.post("/password/new", "password", "password", "again", "password").Status(422).Contains("tried first")
	s.post("/password/new", "password", "one two three four", "again", "another one").Status(422).Contains("not the same")
	s.post("/password/new", "password", "one two three four", "again", "one two three four").Status(200).Contains("was set")
	s.mailed("Ann@Example.com")
	elsewhere.Get("/").Contains("nobody")
	s.Get(path).Status(400)
	s.post("/password/new", "password", "five six seven eight", "again", "five six seven eight").Status(400)
	s.login("ann@example.com", secret).Status(422)
	s.login("ann@example.com", "one two three four").RedirectsTo("/")
	// Without a link nobody sets anything.
	s.Fresh().Get("/password/new").Status(400)
	for _, bad := range []string{"x", strings.Repeat(".", 1000), path[strings.LastIndex(path, "/")+1:] + "x", "1.e30.0.AAAA"} {
		s.Get("/password/reset/" + bad).Status(400)
	}
	s.noMore()
}

// A link to log in is worth nothing as one for another password, and the other way.
func TestSecurityLinksHaveOnePurpose(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{LoginLinks: true})
	u := s.known("ann@example.com")
	for _, purpose := range []auth.Purpose{auth.ResetPassword, auth.VerifyEmail, auth.ChangeEmail, auth.LoginLink} {
		token := s.auth.Token(purpose, u, "eve@example.com")
		for path, own := range map[string]auth.Purpose{
			"/password/reset/": auth.ResetPassword, "/verify/": auth.VerifyEmail, "/email/confirm/": auth.ChangeEmail, "/login/link/": auth.LoginLink,
		} {
			if code := s.Fresh().Get(path + token).Code; (code == 400) != (purpose != own) {
				t.Errorf("%s at %s: %d", purpose, path, code)
			}
		}
	}
}

func TestLoginLink(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{LoginLinks: true})
	s.known("ann@example.com")
	s.post("/login/link", "email", "ann@example.com").Status(200)
	_, path := s.mailed("ann@example.com")
	s.Get(path).Status(200) // a scanner looks at it
	s.Get("/").Contains("nobody")
	s.post(path).RedirectsTo("/")
	s.Get("/").Contains("ann@example.com")
	s.Fresh().Get(path).Status(400)
	plain := newSite(t, accounts.Options{SignUp: accounts.SignUpClosed, KeepAccounts: true})
	for _, gone := range []string{"/login/link", "/signup", "/account/delete"} {
		plain.Get(gone).Status(404)
	}
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	s.known("ann@example.com")
	s.Get("/password/change").RedirectsTo("/login?next=%2Fpassword%2Fchange")
	other := s.Fresh()
	other.PostForm("/login", url.Values{"email": {"ann@example.com"}, "password": {secret}})
	s.post("/login?next=/password/change", "email", "ann@example.com", "password", secret).RedirectsTo("/password/change")
	before, _ := s.Cookie("session")
	s.post("/password/change", "password", "one two three four", "again", "one two three four").Status(422).Contains("Present password is required")
	s.post("/password/change", "old", "wrong", "password", "one two three four", "again", "one two three four").Status(422).Contains("is not right")
	s.post("/password/change", "old", secret, "password", "one two three four", "again", "one two three four").RedirectsTo("/profile")
	s.mailed("ann@example.com")
	s.Get("/profile").Contains("Your password was changed", "ann@example.com")
	if after, _ := s.Cookie("session"); after == before {
		t.Error("the session keeps its id")
	}
	other.Get("/profile").RedirectsTo("/login?next=%2Fprofile")
	s.post("/profile", "name", "Ann M.", "email", "eve@example.com", "superuser", "on", "staff", "on").RedirectsTo("/profile")
	u, err := auth.Find(s.ctx, "ann@example.com")
	if err != nil || u.Name != "Ann M." || u.Superuser || u.Staff {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestChangeEmail(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	s.known("ann@example.com")
	s.known("bob@example.com")
	s.login("ann@example.com", secret)
	s.post("/email/change", "email", "ANN@example.com").Status(422)
	want := s.post("/email/change", "email", "Ann@new.example").Status(200).Text()
	var path string
	for range 2 { // in either order: they are sent in the background
		s.sent++
		m := s.box.WaitFor(s.sent)[s.sent-1]
		if m.To[0] == "Ann@new.example" {
			path = link.FindStringSubmatch(m.Text)[1]
		}
	}
	// Whether the new address has an account is not said here either.
	if got := s.post("/email/change", "email", "bob@example.com").Status(200).Text(); got != want {
		t.Error(got)
	}
	s.sent += 2
	s.box.WaitFor(s.sent)
	s.Get(path).Contains("Ann@new.example")
	if _, err := auth.Find(s.ctx, "ann@example.com"); err != nil {
		t.Error("the address has changed by looking at the link")
	}
	s.post(path).Contains("was changed")
	s.post(path).Status(400)
	u, err := auth.Find(s.ctx, "ann@new.example")
	if err != nil || u.Email != "Ann@new.example" || u.Verified == nil {
		t.Errorf("%+v, %v", u, err)
	}
	s.Get("/").Contains("Ann@new.example")
}

func TestSessionsPageAndDeletion(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	s.known("ann@example.com")
	s.known("bob@example.com")
	other, stranger := s.Fresh(), s.Fresh()
	s.login("ann@example.com", secret)
	other.PostForm("/login", url.Values{"email": {"ann@example.com"}, "password": {secret}})
	stranger.PostForm("/login", url.Values{"email": {"bob@example.com"}, "password": {secret}})
	page := s.Get("/sessions").Status(200).Contains("this session</span>", "End this session")
	key := page.Field("key")
	stranger.PostForm("/sessions", url.Values{"key": {key}})
	other.Get("/").Contains("ann@example.com")
	s.post("/sessions", "key", key).RedirectsTo("/sessions")
	other.Get("/").Contains("nobody")
	s.Get("/sessions").Lacks("End this session")
	s.post("/account/delete", "email", "bob@example.com").Status(422)
	s.post("/account/delete", "email", "Ann@example.com ").Status(200).Contains("was deleted")
	s.Get("/").Contains("nobody")
	s.login("ann@example.com", secret).Status(422)
	stranger.Get("/").Contains("bob@example.com")
}

// The page says what people call their programs, and the text itself only in a title.
func TestSessionsPageNamesPrograms(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	s.known("ann@example.com")
	const linux = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
	for _, agent := range []string{linux, `<b>"curl"/1`, "", "(Windows NT 10.0)"} {
		c := s.Fresh()
		c.Header.Set("User-Agent", agent)
		c.PostForm("/login", url.Values{"email": {"ann@example.com"}, "password": {secret}}).Status(303)
	}
	s.login("ann@example.com", secret)
	page := s.Get("/sessions").Status(200).Contains(
		`<strong title="`+linux+`">Firefox on Linux</strong>`,
		`<strong title="&lt;b&gt;&#34;curl&#34;/1">&lt;b&gt;&#34;curl&#34;</strong>`,
		"<strong>An unknown program</strong>",
		`<strong title="(Windows NT 10.0)">Windows</strong>`,
		"127.0.0.1<br>",
	)
	if n := strings.Count(page.Text(), "this session</span>"); n != 1 {
		t.Errorf("%d sessions are this one", n)
	}
	used := regexp.MustCompile(`Last used <time datetime="(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00)" title="[A-Z][a-z.]+ \d+, \d{4}, [^"]+ UTC">(now|[a-z0-9 ]+ ago)</time>`)
	found := used.FindStringSubmatch(page.Text())
	if found == nil {
		t.Fatal(page.Text())
	}
	if at, err := time.Parse(time.RFC3339, found[1]); err != nil || time.Since(at) > time.Hour || time.Since(at) < -time.Minute {
		t.Error(at, err)
	}
}

func TestMailIsLimited(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	s.known("ann@example.com")
	for range 5 {
		s.post("/password/reset", "email", "ann@example.com").Status(200)
	}
	s.post("/password/reset", "email", "ann@example.com").Status(429)
	s.box.WaitFor(5)
	for range 7 {
		s.post("/login", "email", "ann@example.com", "password", "wrong")
	}
	r := s.login("ann@example.com", secret).Status(429).Contains("too many failed logins")
	if r.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// CVE class "open redirect".
func TestSecurityLoginStaysOnTheSite(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	s.known("ann@example.com")
	for _, evil := range []string{"//evil.example", "https://evil.example/", `/\evil.example`, "javascript:alert(1)", "/%09/evil.example\t", "http:evil.example"} {
		s.post("/login?next="+url.QueryEscape(evil), "email", "ann@example.com", "password", secret).RedirectsTo("/")
		s.post("/login", "email", "ann@example.com", "password", secret, "next", evil).RedirectsTo("/")
	}
	s.post("/login?next=/profile", "email", "ann@example.com", "password", secret).RedirectsTo("/profile")
}
