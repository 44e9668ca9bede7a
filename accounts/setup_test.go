package accounts_test

import (
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/password"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session/dbsession"
)

// setupSite is a site that was just begun.
type setupSite struct {
	*retorttest.Client
	t     *testing.T
	app   *retort.App
	auth  *auth.Extension
	pages *accounts.Extension
}

func newSetupSite(t *testing.T, debug bool, more ...retort.Extension) *setupSite {
	t.Helper()
	s := &setupSite{t: t, pages: accounts.New(), auth: auth.New(auth.Options{Hash: password.Options{Memory: 64, Time: 1}})}
	s.app = retort.New(retort.Config{
		Name: "notes", SecretKey: "a key for these tests only, nowhere else", Debug: debug,
		DatabaseURL: "sqlite:" + filepath.Join(t.TempDir(), "site.db"), Logger: slog.New(slog.DiscardHandler),
	})
	s.app.Install(db.Open(""), dbsession.New(), mail.New(mail.Options{From: "site@example.com"}), s.auth, s.pages)
	s.app.Install(more...)
	s.app.Get("/", func(c *retort.Ctx) error {
		return c.RenderString("home of {{ user.email if user else 'nobody' }}", nil)
	})
	s.Client = retorttest.New(t, s.app)
	conn, err := orm.DBFrom(s.app.Context())
	if err != nil {
		t.Fatal(err)
	}
	testdb.CreateTables(t, conn)
	return s
}

var setupLink = regexp.MustCompile(`http://localhost:8000(/setup/\w{26})\n`)

// offered serves the site and returns the path that is printed, or "".
func (s *setupSite) offered() string {
	s.t.Helper()
	var out strings.Builder
	s.pages.OfferSetup(&net.TCPAddr{IP: net.IPv6unspecified, Port: 8000}, &out)
	found := setupLink.FindStringSubmatch(out.String())
	if found == nil {
		if out.String() != "" {
			s.t.Errorf("printed %q", out.String())
		}
		return ""
	}
	return found[1]
}

func setupFields(email, password string) url.Values {
	return url.Values{"email": {email}, "password": {password}, "again": {password}}
}

func TestFirstLogin(t *testing.T) {
	t.Parallel()
	s := newSetupSite(t, true)
	path := s.offered()
	if path == "" {
		t.Fatal("no link")
	}
	s.Get(path).Status(200).Contains("The first user", `autocomplete="new-password"`)
	s.PostForm(path, setupFields("ann@example.com", "short")).Status(422).Contains("at least 8 characters")
	s.PostForm(path, url.Values{"email": {"ann@example.com"}, "password": {secret}, "again": {"other"}}).Status(422).Contains("not the same")
	s.PostForm(path, setupFields("Ann@example.com", secret)).RedirectsTo("/")
	s.Get("/").Contains("home of Ann@example.com")
	ann, err := auth.Find(s.app.Context(), "ann@example.com")
	if err != nil || !ann.Superuser || !ann.Staff || !ann.Active || ann.Verified == nil {
		t.Errorf("%+v, %v", ann, err)
	}
	s.Get(path).Status(404)
	if again := s.offered(); again != "" {
		t.Error("a site with users offers", again)
	}
}

// The page is in debug mode alone, for this machine alone, with its token alone, as long
// as there is no user, and makes one.
func TestSecurityFirstLogin(t *testing.T) {
	t.Parallel()
	production := newSetupSite(t, false)
	if path := production.offered(); path != "" {
		t.Error("printed in production:", path)
	}
	production.Get("/setup/").Status(404)
	production.Get("/setup/x").Status(404)

	s := newSetupSite(t, true)
	s.Get("/setup/x").Status(404) // before anything was offered
	path := s.offered()
	for _, wrong := range []string{"/setup/x", "/setup/", path[:len(path)-1], path + "A", strings.ToLower(path)} {
		s.Get(wrong).Status(404)
		s.PostForm(wrong, setupFields("eve@example.com", secret)).Status(404)
	}
	elsewhere := retorttest.New(t, s.app)
	elsewhere.RemoteAddr = "192.168.1.7:4711"
	elsewhere.Get(path).Status(404)
	elsewhere.PostForm(path, setupFields("eve@example.com", secret)).Status(404)
	proxied := s.NewRequest("GET", path, nil)
	proxied.Header.Set("X-Forwarded-For", "203.0.113.9")
	s.Do(proxied).Status(404)
	// Another start has another link.
	second := s.offered()
	s.Get(path).Status(404)
	s.Get(second).Status(200)

	// Two at once make one user.
	var wait sync.WaitGroup
	codes := make([]int, 4)
	for i, email := range []string{"a@example.com", "b@example.com", "c@example.com", "d@example.com"} {
		client := retorttest.New(t, s.app)
		wait.Go(func() { codes[i] = client.PostForm(second, setupFields(email, secret)).Code })
	}
	wait.Wait()
	if n, err := auth.Users.Count(s.app.Context()); n != 1 || err != nil {
		t.Error(n, err, codes)
	}

	// A user who is made elsewhere ends it.
	other := newSetupSite(t, true)
	path = other.offered()
	u := auth.Users.New()
	u.Email = "ann@example.com"
	if err := other.auth.Create(other.app.Context(), u, secret); err != nil {
		t.Fatal(err)
	}
	other.PostForm(path, setupFields("eve@example.com", secret)).Status(404)
	if _, err := auth.Users.DeleteAll(other.app.Context()); err != nil {
		t.Fatal(err)
	}
	other.Get(path).Status(404)
}
