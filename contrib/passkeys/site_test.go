package passkeys_test

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/contrib/passkeys"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/internal/testsite"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/mail/mailtest"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/security"
	"github.com/retort-web/retort/session/dbsession"
)

const secret = testsite.Password

// site is an app whose users may have passkeys.
type site struct {
	*testsite.Site
	box *mailtest.Outbox
}

func newSite(t *testing.T, o passkeys.Options) *site {
	t.Helper()
	return newSiteOn(t, testdb.SQLite, o)
}

// newSiteOn is newSite with a database of that kind.
func newSiteOn(t *testing.T, kind testdb.Kind, o passkeys.Options) *site {
	t.Helper()
	return newSiteOf(t, kind, o, true, 0)
}

// newSiteOf is newSiteOn with sessions on the server, or in cookies, and with logins that
// stay fresh for so long.
func newSiteOf(t *testing.T, kind testdb.Kind, o passkeys.Options, onServer bool, fresh time.Duration, more ...retort.Extension) *site {
	t.Helper()
	options := testsite.Options{
		Change: func(cfg *retort.Config) {
			cfg.BaseURL = siteOrigin + "/"
			if kind.Name != testdb.SQLite.Name { // that of testsite is a file
				cfg.DatabaseURL = kind.URL(t)
			}
		},
		Auth: auth.Options{LoginURL: "accounts.login", SecondFactorURL: "accounts.second_factor", FreshFor: fresh},
	}
	s := testsite.New(t, options, func(s *testsite.Site) {
		s.App.Install(db.Open(""))
		if onServer {
			s.App.Install(dbsession.New())
		}
		s.App.Install(mail.New(mail.Options{From: "site@example.com"}), s.Auth, security.New(), accounts.New(), passkeys.New(o))
		s.App.Install(more...)
		s.App.Get("/", testsite.Home)
		s.App.Get("/vault", func(c *retort.Ctx) error { return c.Text("gold") }).Use(auth.RequireSecondFactor)
	})
	return &site{s, mailtest.New(t, s.App)}
}

// in logs a new browser in by the password.
func (s *site) in(email string) *retorttest.Client {
	s.T.Helper()
	client := retorttest.New(s.T, s.App)
	client.PostForm("/login", url.Values{"email": {email}, "password": {secret}}).RedirectsTo("/")
	return client
}

// ask gets a question of the site.
func ask(t testing.TB, client *retorttest.Client, path string) (q asked) {
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
	s.T.Helper()
	q := ask(s.T, client, "/passkeys/options")
	post(client, "/passkeys", d.create(q), "name", name).RedirectsTo("/passkeys")
}

// enter logs in by a passkey and wants to be sent to a page.
func (s *site) enter(client *retorttest.Client, d *device, to string, pairs ...string) *retorttest.Response {
	s.T.Helper()
	return post(client, "/passkeys/login", d.get(ask(s.T, client, "/passkeys/login/options")), pairs...).RedirectsTo(to)
}

const refused = "/login?next=%2F"
