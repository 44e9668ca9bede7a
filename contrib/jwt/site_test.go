package jwt

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/internal/testsite"
	"github.com/retort-web/retort/retorttest"
)

const (
	secret = testsite.Password
	newKey = testsite.Key
	oldKey = "an older one for these tests, nowhere else"
)

// site is a site with routes for programs.
type site struct {
	*testsite.Site
	tokens *Extension
	clock  *testsite.Clock
}

func newSite(t *testing.T, o Options, change ...func(cfg *retort.Config)) *site {
	t.Helper()
	s := &site{tokens: New(o), clock: testsite.NewClock()}
	s.tokens.now = s.clock.Now
	options := testsite.Options{Auth: auth.Options{SiteWide: true}}
	if len(change) > 0 {
		options.Change = change[0]
	}
	s.Site = testsite.New(t, options, func(site *testsite.Site) {
		site.App.Install(db.Open(""), site.Auth, s.tokens)
		api := func(r *retort.Route) *retort.Route { return auth.Public(r).DisableCSRF() }
		ok := func(c *retort.Ctx) error { return c.Text("ok " + auth.Must(c).Email) }
		api(site.App.Post("/api/who", ok)).Use(s.tokens.Bearer)
		api(site.App.Post("/api/print", ok)).Use(s.tokens.Bearer, auth.RequirePermission("notes.print"))
		api(site.App.Post("/api/staff", ok)).Use(s.tokens.Bearer, auth.RequireStaff)
		api(site.App.Post("/api/fresh", ok)).Use(s.tokens.Bearer, auth.RequireFresh)
		api(site.App.Post("/api/token", s.tokens.Exchange)).Use(auth.Bearer)
	})
	s.EnforceCSRF, s.Header = true, http.Header{"Accept": {"application/json"}}
	return s
}

// user makes one who may print, if they are allowed to.
func (s *site) user(email string, permissions ...auth.Permission) *auth.User {
	s.T.Helper()
	u := s.User(email, secret)
	if err := auth.Grant(s.Ctx, u, permissions...); err != nil {
		s.T.Fatal(err)
	}
	return u
}

func (s *site) issue(u *auth.User, scopes ...auth.Permission) string {
	s.T.Helper()
	text, _, err := s.tokens.Issue(s.Ctx, u, IssueOptions{Scopes: scopes})
	if err != nil {
		s.T.Fatal(err)
	}
	return text
}

// call sends a token.
func (s *site) call(path, token string) *retorttest.Response {
	s.T.Helper()
	r := s.NewRequest(http.MethodPost, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return s.Do(r)
}

const invalidToken = `Bearer error="invalid_token"`

// refused fails the test unless a token is refused as one that is not valid.
func (s *site) refused(token string) {
	s.T.Helper()
	s.call("/api/who", token).Status(401).HasHeader("Www-Authenticate", invalidToken).Lacks("ok ")
}

func newLogger() *slog.Logger { return slog.New(slog.DiscardHandler) }
