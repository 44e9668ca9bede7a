package jwt

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/db"
	_ "github.com/retort-web/retort/orm/sqlite"
	"github.com/retort-web/retort/password"
	"github.com/retort-web/retort/retorttest"
)

const (
	secret = "correct horse battery"
	newKey = "a key for these tests only, nowhere else"
	oldKey = "an older one for these tests, nowhere else"
)

// site is a site with routes for programs.
type site struct {
	*retorttest.Client
	t      *testing.T
	app    *retort.App
	auth   *auth.Extension
	tokens *Extension
	ctx    context.Context //nolint:containedctx // that of the app
	log    *logText
	clock  *clock
}

type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newSite(t *testing.T, o Options, change ...func(cfg *retort.Config)) *site {
	t.Helper()
	s := &site{t: t, log: &logText{}, clock: &clock{now: time.Now()}}
	cfg := retort.Config{
		Name: "notes", SecretKey: newKey, BaseURL: "https://notes.example", DatabaseURL: "sqlite:" + filepath.Join(t.TempDir(), "site.db"),
		Logger: slog.New(slog.NewTextHandler(s.log, nil)),
	}
	for _, c := range change {
		c(&cfg)
	}
	s.app, s.tokens = retort.New(cfg), New(o)
	s.tokens.now = s.clock.Now
	s.auth = auth.New(auth.Options{SiteWide: true, Hash: password.Options{Memory: 64, Time: 1}})
	s.app.Install(db.Open(""), s.auth, s.tokens)
	api := func(r *retort.Route) *retort.Route { return auth.Public(r).DisableCSRF() }
	ok := func(c *retort.Ctx) error { return c.Text("ok " + auth.Must(c).Email) }
	api(s.app.Post("/api/who", ok)).Use(s.tokens.Bearer)
	api(s.app.Post("/api/print", ok)).Use(s.tokens.Bearer, auth.RequirePermission("notes.print"))
	api(s.app.Post("/api/staff", ok)).Use(s.tokens.Bearer, auth.RequireStaff)
	api(s.app.Post("/api/fresh", ok)).Use(s.tokens.Bearer, auth.RequireFresh)
	api(s.app.Post("/api/token", s.tokens.Exchange)).Use(auth.Bearer)
	s.Client, s.ctx = retorttest.New(t, s.app), s.app.Context()
	s.EnforceCSRF, s.Header = true, http.Header{"Accept": {"application/json"}}
	if out, err := s.app.Call(s.ctx, "migrate"); err != nil {
		t.Fatal(err, out)
	}
	return s
}

// user makes one who may print, if they are allowed to.
func (s *site) user(email string, permissions ...auth.Permission) *auth.User {
	s.t.Helper()
	u := auth.Users.New()
	u.Email = email
	if err := s.auth.Create(s.ctx, u, secret); err != nil {
		s.t.Fatal(err)
	}
	if err := s.auth.Verify(s.ctx, u); err != nil {
		s.t.Fatal(err)
	}
	if err := auth.Grant(s.ctx, u, permissions...); err != nil {
		s.t.Fatal(err)
	}
	return u
}

func (s *site) update(u *auth.User, fields ...any) {
	s.t.Helper()
	if err := auth.Users.UpdateRow(s.ctx, u, fields...); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) issue(u *auth.User, scopes ...auth.Permission) string {
	s.t.Helper()
	text, _, err := s.tokens.Issue(s.ctx, u, IssueOptions{Scopes: scopes})
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// call sends a token.
func (s *site) call(path, token string) *retorttest.Response {
	s.t.Helper()
	r := s.NewRequest(http.MethodPost, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return s.Do(r)
}

const invalidToken = `Bearer error="invalid_token"`

// refused fails the test unless a token is refused as one that is not valid.
func (s *site) refused(token string) {
	s.t.Helper()
	s.call("/api/who", token).Status(401).HasHeader("Www-Authenticate", invalidToken).Lacks("ok ")
}

func newLogger() *slog.Logger { return slog.New(slog.DiscardHandler) }
