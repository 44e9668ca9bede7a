package extendtest_test

import (
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/mail/mailtest"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/password"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session/dbsession"
)

// pages is a site with the pages of accounts, whose members have names.
func pages(t *testing.T) *site {
	t.Helper()
	s := &site{app: retort.New(retort.Config{
		Name: "site", SecretKey: "a key for these tests only, nowhere else", BaseURL: "https://site.example", Logger: slog.New(slog.DiscardHandler),
		DatabaseURL: "sqlite:" + filepath.Join(t.TempDir(), "site.db"),
	})}
	m := Members.Fields()
	s.auth = auth.New(auth.Options{LoginURL: "accounts.login", LoginFields: orm.Fields(&m.Username, &m.Email), Hash: password.Options{Memory: 64, Time: 1}})
	s.app.Install(db.Open(""), dbsession.New(), mail.New(mail.Options{From: "site@example.com"}), s.auth, accounts.New(accounts.Options{
		SignUp: accounts.SignUpOpen, Impersonate: true,
		SignUpFields: accounts.MoreFields(func(m *Member) form.Options {
			return form.Options{Fields: form.Fields(&m.Username, &m.Phone), Required: form.Fields(&m.Username)}
		}),
		ProfileFields: accounts.MoreFields(func(m *Member) form.Options {
			return form.Options{Fields: form.Fields(&m.Phone, &m.Country)}
		}),
	}))
	s.app.Get("/", func(c *retort.Ctx) error {
		return c.RenderString("{% if user %}{{ user.username }} {{ user.phone }} {{ user.country }}{% else %}nobody{% endif %}", nil)
	})
	s.ctx = s.app.Context()
	mailtest.New(t, s.app)
	conn, err := orm.DBFrom(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	testdb.CreateTables(t, conn)
	return s
}

func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func TestPagesWithFieldsOfTheSite(t *testing.T) {
	t.Parallel()
	s := pages(t)
	client := retorttest.New(t, s.app)
	client.Get("/signup").Status(200).Contains(`name="username"`).Contains(`name="phone"`).Contains(`name="password"`)
	whole := []string{"name", "Ann", "email", "ann@example.com", "password", secret, "username", "Ann", "phone", "112"}
	client.PostForm("/signup", values(whole[:6]...)).Status(422).Contains("username")
	client.PostForm("/signup", values(append(whole[:len(whole):len(whole)], "username", "a@b")...)).Status(422)
	if n, err := Members.Count(s.ctx); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	client.PostForm("/signup", values(append(whole[:len(whole):len(whole)], "country", "xx", "superuser", "true")...)).Status(303)
	client.Get("/").Contains("Ann 112 de") // what is not among the fields is not taken
	ann, err := auth.Find(s.ctx, "ann@example.com")
	if err != nil || ann.Superuser || ann.Name != "Ann" {
		t.Fatalf("%+v, %v", ann, err)
	}

	client.Get("/profile").Contains(`value="112"`).Contains(`name="country"`)
	client.PostForm("/profile", values("name", "Ann S.", "phone", "113", "country", "much too long")).Status(422)
	if row, err := auth.RowOf[Member](s.ctx, ann); err != nil || row.Name != "Ann" || row.Phone != "112" {
		t.Errorf("half a form was saved: %+v, %v", row, err)
	}
	client.PostForm("/profile", values("name", "Ann S.", "phone", "113", "country", "fr")).Status(303)
	client.Get("/").Contains("Ann 113 fr")
	client.PostForm("/password/change", values("old", secret, "password", "another password", "again", "another password")).Status(303)

	other := retorttest.New(t, s.app)
	other.Get("/login").Contains("Username or e-mail address")
	if strings.Contains(other.Get("/login").Text(), `type="email"`) {
		t.Error("browsers refuse names")
	}
	other.PostForm("/login", values("email", "ann", "password", secret)).Status(422).Contains("Username or e-mail address")
	other.PostForm("/login", values("email", "ANN", "password", "another password")).Status(303)
	other.Get("/").Contains("Ann 113 fr")
	third := retorttest.New(t, s.app)
	third.PostForm("/signup", values("name", "", "email", "b@example.com", "password", secret, "username", "aNN")).Status(422)
	third.PostForm("/signup", values("name", "", "email", "b@example.com", "password", secret, "username", "bob")).Status(303)
	third.Get("/").Contains("bob")
}

func TestImpersonationPages(t *testing.T) {
	t.Parallel()
	s := pages(t)
	root, ann := s.member(t, "root@example.com", "root"), s.member(t, "ann@example.com", "ann")
	root.Superuser = true
	if err := auth.Users.UpdateRow(s.ctx, &root.User, &auth.Users.Fields().Superuser); err != nil {
		t.Fatal(err)
	}
	path, err := s.app.URL("accounts.impersonate", "id", ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	client := retorttest.New(t, s.app)
	client.PostForm("/login", values("email", "ann", "password", secret)).Status(303)
	client.PostForm(path, nil).Status(403)
	client.PostForm("/logout", nil)
	client.PostForm("/login", values("email", "root", "password", secret)).Status(303)
	client.PostForm("/impersonate/99999", nil).Status(404)
	client.PostForm(path, nil).Status(303)
	client.Get("/").Contains("ann")
	client.Get("/profile").Contains("root@example.com, you act as ann@example.com")
	for _, own := range []string{"/sessions", "/password/change", "/email/change", "/account/delete", "/second-factor"} {
		client.Get(own).Status(403)
	}
	client.PostForm("/impersonation/end", nil).Status(303)
	client.Get("/").Contains("root")
}
