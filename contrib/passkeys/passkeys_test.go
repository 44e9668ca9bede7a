package passkeys_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/contrib/passkeys"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/mail/mailtest"
	_ "github.com/retort-web/retort/orm/sqlite"
	"github.com/retort-web/retort/password"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/security"
	"github.com/retort-web/retort/session"
	"github.com/retort-web/retort/session/dbsession"
)

const secret = "correct horse battery"

// site is an app whose users may have passkeys.
type site struct {
	*retorttest.Client
	t    *testing.T
	app  *retort.App
	auth *auth.Extension
	box  *mailtest.Outbox
	ctx  context.Context //nolint:containedctx // that of the app

	mu     sync.Mutex
	events []auth.EventKind
}

func newSite(t *testing.T, o passkeys.Options) *site { return newSiteOf(t, o, true, 0) }

// newSiteOf is newSite with sessions on the server, or in cookies, and with logins that
// stay fresh for so long.
func newSiteOf(t *testing.T, o passkeys.Options, onServer bool, fresh time.Duration) *site {
	t.Helper()
	s := &site{t: t}
	app := retort.New(retort.Config{
		Name: "Slow Notes", SecretKey: "a key for these tests only, nowhere else", BaseURL: siteOrigin + "/",
		DatabaseURL: "sqlite:" + filepath.Join(t.TempDir(), "site.db"), Logger: slog.New(slog.DiscardHandler),
	})
	a := auth.New(auth.Options{
		LoginURL: "accounts.login", SecondFactorURL: "accounts.second_factor", Hash: password.Options{Memory: 64, Time: 1}, FreshFor: fresh,
		OnEvent: func(_ context.Context, e auth.Event) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.events = append(s.events, e.Kind)
		},
	})
	app.Install(db.Open(""))
	if onServer {
		app.Install(dbsession.New())
	}
	app.Install(mail.New(mail.Options{From: "site@example.com"}), a, security.New(), accounts.New(), passkeys.New(o))
	app.Get("/", func(c *retort.Ctx) error {
		return c.RenderString("home of {{ user.email if user else 'nobody' }}", nil)
	})
	app.Get("/vault", func(c *retort.Ctx) error { return c.Text("gold") }).Use(auth.RequireSecondFactor)
	s.app, s.auth = app, a
	s.Client, s.box, s.ctx = retorttest.New(t, app), mailtest.New(t, app), app.Context()
	if _, err := app.Call(t.Context(), "migrate"); err != nil {
		t.Fatal(err)
	}
	return s
}

// told returns what happened since the last call.
func (s *site) told() []auth.EventKind {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.events
	s.events = nil
	return list
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

// in logs a new browser in by the password.
func (s *site) in(email string) *retorttest.Client {
	s.t.Helper()
	client := retorttest.New(s.t, s.app)
	client.PostForm("/login", url.Values{"email": {email}, "password": {secret}}).RedirectsTo("/")
	return client
}

// ask gets a question of the site.
func ask(t *testing.T, client *retorttest.Client, path string) (q asked) {
	t.Helper()
	res := client.PostForm(path, nil)
	res.Status(200)
	if err := json.Unmarshal(res.Body.Bytes(), &q); err != nil {
		t.Fatal(err)
	}
	return q
}

func post(client *retorttest.Client, path, credential string, pairs ...string) *retorttest.Response {
	values := url.Values{"credential": {credential}}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return client.PostForm(path, values)
}

// add adds a passkey of a device.
func (s *site) add(client *retorttest.Client, d *device, name string) {
	s.t.Helper()
	q := ask(s.t, client, "/passkeys/options")
	post(client, "/passkeys", d.create(q), "name", name).RedirectsTo("/passkeys")
}

// enter logs in by a passkey and wants to be sent to a page.
func (s *site) enter(client *retorttest.Client, d *device, to string, pairs ...string) *retorttest.Response {
	s.t.Helper()
	return post(client, "/passkeys/login", d.get(ask(s.t, client, "/passkeys/login/options")), pairs...).RedirectsTo(to)
}

const refused = "/login?next=%2F"

func TestAddAndLogIn(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]*device{"ES256": newDevice(t), "EdDSA": newDevice(t).edwards()} {
		s := newSite(t, passkeys.Options{})
		s.known("ann@example.com")
		client := s.in("ann@example.com")
		client.Get("/profile").Contains(`<a href="/passkeys">Passkeys</a>`)
		client.Get("/passkeys").Status(200).Contains("You have none yet", "data-passkey=\"create\"")
		q := ask(t, client, "/passkeys/options")
		if q.RP.ID != siteDomain || q.RP.Name != "Slow Notes" || q.Attestation != "none" || q.AuthenticatorSelection.ResidentKey != "required" ||
			q.AuthenticatorSelection.UserVerification != "required" || q.User.Name != "ann@example.com" || len(q.User.ID) != 86 {
			t.Errorf("%s: %+v", name, q)
		}
		s.told()
		post(client, "/passkeys", d.create(q), "name", " My  <phone>\x00 ").RedirectsTo("/passkeys")
		client.Get("/passkeys").Contains("My &lt;phone&gt;", "not used yet", "Kept by a password manager", "was added")
		if m := s.box.WaitFor(1)[0]; !strings.Contains(m.Text, "was added to your account") || m.To[0] != "ann@example.com" {
			t.Errorf("%s: %+v", name, m)
		}
		if got := s.told(); !slices.Equal(got, []auth.EventKind{passkeys.Added}) {
			t.Errorf("%s: %v", name, got)
		}

		other := retorttest.New(t, s.app)
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
		other.Get("/passkeys").Contains("last used")
		if got := s.told(); !slices.Equal(got, []auth.EventKind{auth.LoggedIn}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSecurityAnswersThatAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, passkeys.Options{})
	s.known("ann@example.com")
	bob := s.known("bob@example.com")
	d, bobs := newDevice(t), newDevice(t)
	d.counts = true
	s.add(s.in("ann@example.com"), d, "phone")
	s.add(s.in("bob@example.com"), bobs, "phone")
	right := *d
	for name, spoil := range map[string]func(d *device){
		"another site":                  func(d *device) { d.origin = "https://evil.example" },
		"another origin below":          func(d *device) { d.origin = "https://evil.notes.example" },
		"not over TLS":                  func(d *device) { d.origin = "http://notes.example" },
		"another port":                  func(d *device) { d.origin = "https://notes.example:8443" },
		"in a frame elsewhere":          func(d *device) { d.crossOrigin = true },
		"another domain":                func(d *device) { d.domain = "evil.example" },
		"a creation":                    func(d *device) { d.kind = "webauthn.create" },
		"user not verified":             func(d *device) { d.flags = present | eligible | backedUp },
		"user not present":              func(d *device) { d.flags = verified | eligible | backedUp },
		"on several devices at once":    func(d *device) { d.flags = present | verified },
		"another's key":                 func(d *device) { d.key = bobs.key },
		"another's handle":              func(d *device) { d.handle = bobs.handle },
		"another's passkey, own handle": func(d *device) { d.id = bobs.id },
		"no handle":                     func(d *device) { d.handle = nil },
		"unknown passkey":               func(d *device) { d.id = []byte("never seen before, and 32 bytes!") },
		"no passkey":                    func(d *device) { d.id = nil },
	} {
		hostile := right
		spoil(&hostile)
		client := retorttest.New(t, s.app)
		s.enter(client, &hostile, refused)
		// The same words for all.
		client.Get("/login").Contains("That passkey did not work here.")
		client.Get("/").Contains("nobody")
		if t.Failed() {
			t.Fatalf("%s was taken", name)
		}
	}
	client := retorttest.New(t, s.app)
	for _, text := range []string{"", "{}", "[]", "null", "\x00", `{"id":1}`, strings.Repeat("[", 10_000), strings.Repeat("x", 100_000)} {
		post(client, "/passkeys/login", text).RedirectsTo(refused)
	}
	// Who is not active is not let in, in the same words.
	bob.Active = false
	if err := auth.Users.UpdateRow(s.ctx, bob, &auth.Users.Fields().Active); err != nil {
		t.Fatal(err)
	}
	s.enter(client, bobs, refused)
	client.Get("/").Contains("nobody")
	// And all that time the right one works.
	s.enter(client, &right, "/")
}

func TestSecurityAnswersWorkOnce(t *testing.T) {
	t.Parallel()
	for _, onServer := range []bool{true, false} {
		s := newSiteOf(t, passkeys.Options{}, onServer, 0)
		s.known("ann@example.com")
		d := newDevice(t) // without a counter
		s.add(s.in("ann@example.com"), d, "phone")

		client := retorttest.New(t, s.app)
		q := ask(t, client, "/passkeys/login/options")
		cookie, _ := client.Cookie("session")
		answer := d.get(q)
		post(client, "/passkeys/login", answer).RedirectsTo("/")
		client.PostForm("/logout", nil)
		post(client, "/passkeys/login", answer).RedirectsTo(refused)
		// Nor with the cookie of then, which a session in a cookie takes as the present.
		thief := retorttest.New(t, s.app)
		thief.SetCookie("session", cookie)
		post(thief, "/passkeys/login", answer).RedirectsTo(refused)
		thief.Get("/").Contains("nobody")

		// A question of another session, of another kind and one that was never asked.
		mine := retorttest.New(t, s.app)
		ask(t, mine, "/passkeys/login/options")
		post(mine, "/passkeys/login", d.get(ask(t, retorttest.New(t, s.app), "/passkeys/login/options"))).RedirectsTo(refused)
		in := s.in("ann@example.com")
		post(in, "/passkeys/login", d.get(ask(t, in, "/passkeys/options"))).RedirectsTo(refused)
		post(mine, "/passkeys/login", d.get(asked{Challenge: b64(make([]byte, 32))})).RedirectsTo(refused)
		mine.Get("/").Contains("nobody")

		// After a wrong answer the question is over as well.
		q = ask(t, mine, "/passkeys/login/options")
		wrong := *d
		wrong.flags = present
		post(mine, "/passkeys/login", wrong.get(q)).RedirectsTo(refused)
		post(mine, "/passkeys/login", d.get(q)).RedirectsTo(refused)

		// Five minutes, and not longer.
		q = ask(t, mine, "/passkeys/login/options")
		mine.Session(func(ses *session.Session) {
			text, _ := ses.Get("passkeys login").(string)
			var list []struct {
				C string `json:"c"`
				T int64  `json:"t"`
			}
			if err := json.Unmarshal([]byte(text), &list); err != nil || len(list) == 0 {
				t.Fatal(text, err)
			}
			for i := range list {
				list[i].T -= (5*time.Minute + time.Second).Microseconds()
			}
			old, err := json.Marshal(list)
			if err != nil {
				t.Fatal(err)
			}
			ses.Set("passkeys login", string(old))
		})
		post(mine, "/passkeys/login", d.get(q)).RedirectsTo(refused)

		// Several tabs each have a question, up to five.
		first := ask(t, mine, "/passkeys/login/options")
		ask(t, mine, "/passkeys/login/options")
		post(mine, "/passkeys/login", d.get(first)).RedirectsTo("/")
	}
}

// Of two answers to one question at the same time one is taken.
func TestAnswersAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, passkeys.Options{})
	s.known("ann@example.com")
	d := newDevice(t)
	s.add(s.in("ann@example.com"), d, "phone")
	client := retorttest.New(t, s.app)
	answer := d.get(ask(t, client, "/passkeys/login/options"))
	cookie, _ := client.Cookie("session")
	var wait sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 8 {
		wait.Go(func() {
			other := retorttest.New(t, s.app)
			other.SetCookie("session", cookie)
			res := post(other, "/passkeys/login", answer)
			mu.Lock()
			defer mu.Unlock()
			if res.Header().Get("Location") == "/" {
				taken++
			}
		})
	}
	wait.Wait()
	if taken != 1 {
		t.Errorf("%d answers were taken", taken)
	}
}

func TestSecurityCounterThatGoesBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, passkeys.Options{})
	s.known("ann@example.com")
	d := newDevice(t)
	d.counts = true
	s.add(s.in("ann@example.com"), d, "key")
	copied := *d
	client := retorttest.New(t, s.app)
	s.enter(client, d, "/")
	s.enter(client, d, "/")
	s.told()
	thief := retorttest.New(t, s.app)
	s.enter(thief, &copied, refused)
	thief.Get("/").Contains("nobody")
	if got := s.told(); !slices.Equal(got, []auth.EventKind{passkeys.Cloned}) {
		t.Errorf("%v", got)
	}
	s.enter(client, d, "/")
}

// enrol makes an authenticator app the second factor and returns its secret.
func (s *site) enrol(client *retorttest.Client, user *auth.User) string {
	s.t.Helper()
	text := client.Get("/second-factor").Text()
	_, rest, found := strings.Cut(text, "<code>")
	app, _, _ := strings.Cut(rest, "</code>")
	app = strings.ReplaceAll(app, " ", "")
	if !found {
		s.t.Fatal(text)
	}
	client.PostForm("/second-factor", url.Values{"code": {s.codeOf(app)}}).Status(200)
	has, err := auth.HasSecondFactor(s.ctx, user)
	if err != nil || !has {
		s.t.Fatal("no second factor", err)
	}
	return app
}

func (s *site) codeOf(app string) string {
	s.t.Helper()
	code, err := totp.GenerateCode(app, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return code
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	s := newSite(t, passkeys.Options{})
	ann := s.known("ann@example.com")
	s.known("bob@example.com")
	d, bobs := newDevice(t), newDevice(t)
	client := s.in("ann@example.com")
	s.add(client, d, "phone")
	s.add(s.in("bob@example.com"), bobs, "phone")
	s.enrol(client, ann)

	// A passkey alone is both factors.
	other := retorttest.New(t, s.app)
	s.enter(other, d, "/")
	other.Get("/vault").Status(200)

	// After the password it is in place of the code.
	half := func() *retorttest.Client {
		t.Helper()
		c := retorttest.New(t, s.app)
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
	c = retorttest.New(t, s.app)
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
	s.t.Helper()
	bob, err := auth.Find(s.ctx, "bob@example.com")
	if err != nil {
		s.t.Fatal(err)
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

func TestSettings(t *testing.T) {
	t.Parallel()
	s := newSite(t, passkeys.Options{PerUser: 2})
	ann := s.known("ann@example.com")
	s.known("bob@example.com")
	client, bob := s.in("ann@example.com"), s.in("bob@example.com")
	first, second := newDevice(t), newDevice(t)
	s.add(client, first, "")
	client.Get("/passkeys").Contains("Passkey of " + time.Now().UTC().Format("2 January 2006"))

	// The authenticator hears which are there, and one that makes it twice is refused.
	q := ask(t, client, "/passkeys/options")
	if len(q.ExcludeCredentials) != 1 || q.ExcludeCredentials[0].ID != b64(first.id) {
		t.Errorf("%+v", q)
	}
	post(client, "/passkeys", first.create(q)).Status(409).Contains("is here already")
	// Nobody else takes it either.
	stolen := *first
	post(bob, "/passkeys", stolen.create(ask(t, bob, "/passkeys/options"))).Status(409)
	// What is wrong with a new one.
	for name, spoil := range map[string]func(d *device){
		"another site":      func(d *device) { d.origin = "https://evil.example" },
		"another domain":    func(d *device) { d.domain = "evil.example" },
		"user not verified": func(d *device) { d.flags = present },
		"an answer":         func(d *device) { d.kind = "webauthn.get" },
	} {
		hostile := *second
		spoil(&hostile)
		if res := post(client, "/passkeys", hostile.create(ask(t, client, "/passkeys/options"))); res.Code != 422 {
			t.Errorf("%s: %d", name, res.Code)
		}
	}
	q = ask(t, client, "/passkeys/options")
	post(bob, "/passkeys", second.create(q)).Status(422) // of another session
	post(client, "/passkeys", second.create(q), "name", strings.Repeat("ä", 200)).RedirectsTo("/passkeys")
	post(client, "/passkeys", newDevice(t).create(ask(t, client, "/passkeys/options"))).Status(422).Contains("as many passkeys as there may be")
	client.Get("/passkeys").Contains(strings.Repeat("ä", 50)).Lacks("Add a passkey")

	client.PostForm("/passkeys/1/name", url.Values{"name": {"Work"}}).RedirectsTo("/passkeys")
	client.Get("/passkeys").Contains("Rename Work")
	client.PostForm("/passkeys/1/name", url.Values{"name": {" "}}).Status(422).Contains("needs a name")
	for _, path := range []string{"/passkeys/1/name", "/passkeys/1/delete", "/passkeys/99/delete"} {
		bob.PostForm(path, url.Values{"name": {"mine"}}).Status(404)
	}
	client.Get("/passkeys").Contains("Rename Work").Lacks("mine")

	// The last way in stays.
	if err := s.auth.SetPassword(s.ctx, ann, ""); err != nil {
		t.Fatal(err)
	}
	client = retorttest.New(t, s.app)
	s.enter(client, first, "/")
	client.PostForm("/passkeys/2/delete", nil).RedirectsTo("/passkeys")
	client.Get("/passkeys").Contains("only way in which you can log in").Lacks("/passkeys/1/delete")
	client.PostForm("/passkeys/1/delete", nil).Status(409).Contains("only way")
	s.enter(client, second, refused)
	s.enter(client, first, "/")
}

// Two deletions at once do not take the last two passkeys.
func TestLastTwoPasskeysAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, passkeys.Options{})
	ann := s.known("ann@example.com")
	client := s.in("ann@example.com")
	first, second := newDevice(t), newDevice(t)
	s.add(client, first, "first")
	s.add(client, second, "second")
	if err := s.auth.SetPassword(s.ctx, ann, ""); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for i, d := range []*device{first, second} {
		other := retorttest.New(t, s.app)
		s.enter(other, d, "/")
		wait.Go(func() { other.PostForm([]string{"/passkeys/1/delete", "/passkeys/2/delete"}[i], nil) })
	}
	wait.Wait()
	if n, err := passkeys.Passkeys.Count(s.ctx); n < 1 || err != nil {
		t.Errorf("%d passkeys are left, %v", n, err)
	}
}

func TestPagesAreForTheirOwners(t *testing.T) {
	t.Parallel()
	s := newSite(t, passkeys.Options{})
	s.known("ann@example.com")
	client := retorttest.New(t, s.app)
	client.Get("/passkeys").RedirectsTo("/login?next=%2Fpasskeys")
	json := func(c *retorttest.Client, path string) *retorttest.Response {
		r := c.NewRequest("POST", path, nil)
		r.Header.Set("Accept", "application/json")
		return c.Do(r)
	}
	json(client, "/passkeys/options").Status(401)
	// A login that is long ago is not enough.
	late := newSiteOf(t, passkeys.Options{}, true, time.Nanosecond)
	late.known("ann@example.com")
	client = late.in("ann@example.com")
	client.Get("/passkeys").RedirectsTo("/login?next=%2Fpasskeys")
	json(client, "/passkeys/options").Status(401)
	post(client, "/passkeys", "{}").RedirectsTo("/login")

	forged := s.NewRequest("POST", "/passkeys/login/options", nil)
	forged.Header.Set("Sec-Fetch-Site", "cross-site")
	forged.Header.Set("Origin", "https://evil.example")
	s.Do(forged).Status(403)
	r := retorttest.New(t, s.app).Get("/login")
	r.Contains(`src="/static/passkeys/passkeys`, `nonce="`, "Log in with a passkey").Lacks("onclick", "javascript:")
}

func TestDeletedUsers(t *testing.T) {
	t.Parallel()
	s := newSite(t, passkeys.Options{})
	ann := s.known("ann@example.com")
	d := newDevice(t)
	s.add(s.in("ann@example.com"), d, "phone")
	client := retorttest.New(t, s.app)
	answer := d.get(ask(t, client, "/passkeys/login/options"))
	if err := auth.Users.DeleteRow(s.ctx, ann); err != nil {
		t.Fatal(err)
	}
	keys, err := passkeys.Passkeys.Count(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	handles, err := passkeys.Handles.Count(s.ctx)
	if keys+handles != 0 || err != nil {
		t.Errorf("%d passkeys and %d handles are left, %v", keys, handles, err)
	}
	post(client, "/passkeys/login", answer).RedirectsTo(refused)
}

// The host of a request says nothing about whose passkeys are taken.
func TestSecurityForeignHosts(t *testing.T) {
	t.Parallel()
	s := newSite(t, passkeys.Options{})
	r := s.NewRequest("POST", "/passkeys/login/options", nil)
	r.Host = "evil.example"
	r.Header.Set("X-Forwarded-Host", "evil.example")
	if text := s.Do(r).Text(); strings.Contains(text, "evil") || !strings.Contains(text, siteDomain) {
		t.Error(text)
	}
}

func TestDomains(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cfg  retort.Config
		o    passkeys.Options
		want string
	}{
		{retort.Config{}, passkeys.Options{}, "set base_url"},
		{retort.Config{BaseURL: "http://notes.example"}, passkeys.Options{}, "over https alone"},
		{retort.Config{BaseURL: "https://192.0.2.1"}, passkeys.Options{}, "names alone"},
		{retort.Config{BaseURL: "https://notes.example"}, passkeys.Options{Domain: "other.example"}, "is not on other.example"},
		{retort.Config{BaseURL: "https://evilnotes.example"}, passkeys.Options{Domain: "notes.example"}, "is not on notes.example"},
		{retort.Config{}, passkeys.Options{Domain: "notes.example", Origins: []string{"notes.example"}}, "is no origin"},
		{retort.Config{BaseURL: "https://www.notes.example"}, passkeys.Options{Domain: "notes.example"}, ""},
		{retort.Config{BaseURL: "http://localhost:8000"}, passkeys.Options{}, ""},
		{retort.Config{Debug: true}, passkeys.Options{}, ""},
	} {
		c.cfg.Logger, c.cfg.DatabaseURL, c.cfg.SecretKey = slog.New(slog.DiscardHandler), "sqlite::memory:", "a key for these tests only, nowhere else"
		app := retort.New(c.cfg)
		app.Install(db.Open(""), dbsession.New(), mail.New(), auth.New(), accounts.New(), passkeys.New(c.o))
		err := app.Prepare()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v, %s: %v", c.o, c.cfg.BaseURL, err)
		}
	}
	app := retort.New(retort.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Install(passkeys.New())
	if err := app.Prepare(); err == nil || !strings.Contains(err.Error(), "install accounts.New") {
		t.Error(err)
	}
}

func TestMigrationsAreWhole(t *testing.T) {
	t.Parallel()
	s := newSite(t, passkeys.Options{})
	if out, err := s.app.Call(t.Context(), "makemigrations", "--check"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
