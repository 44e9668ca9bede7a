// Package testsite gives tests a site with accounts on a database of its own, to embed in
// the site of their own:
//
//	type site struct {
//		*testsite.Site
//		tokens *jwt.Extension
//	}
//
//	func newSite(t *testing.T, o jwt.Options) *site {
//		s := &site{tokens: jwt.New(o)}
//		s.Site = testsite.New(t, testsite.Options{}, func(s *testsite.Site) {
//			s.App.Install(db.Open(""), s.Auth, tokens)
//		})
//		return s
//	}
package testsite

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	_ "github.com/retort-web/retort/orm/sqlite" // the driver
	"github.com/retort-web/retort/password"
	"github.com/retort-web/retort/retorttest"
)

const (
	// Host is the site's name in the net.
	Host = "notes.example"
	// BaseURL is its address.
	BaseURL = "https://" + Host
	// Key is its secret key.
	Key = "a key for these tests only, nowhere else"
	// Password is that of the users whom tests make.
	Password = "correct horse battery"
)

// Site is a site with accounts and its one visitor.
type Site struct {
	*retorttest.Client
	T    testing.TB
	App  *retort.App
	Auth *auth.Extension
	Ctx  context.Context //nolint:containedctx // that of the app
	Log  *Log

	events *events
}

// events are what happened since somebody asked.
type events struct {
	mu   sync.Mutex
	list []auth.EventKind
}

// Options say how a site differs from the usual one.
type Options struct {
	// Change is given what the app is configured with: the constants above, a new file as
	// the database, and Site.Log. Default: it stays as it is.
	Change func(cfg *retort.Config)
	// Auth are the options of accounts. Passwords are hashed as quickly as can be, and
	// what happens is kept for [Site.Told].
	Auth auth.Options
}

// New makes a site. The function installs what the site has, s.Auth too, and adds its
// routes; then the site is migrated.
func New(t testing.TB, o Options, build func(s *Site)) *Site {
	t.Helper()
	s := &Site{T: t, Log: &Log{}, events: &events{}}
	cfg := retort.Config{
		Name: "Slow Notes", SecretKey: Key, BaseURL: BaseURL, DatabaseURL: "sqlite:" + filepath.Join(t.TempDir(), "site.db"),
		Logger: slog.New(slog.NewTextHandler(s.Log, nil)),
	}
	if o.Change != nil {
		o.Change(&cfg)
	}
	o.Auth.Hash = password.Options{Memory: 64, Time: 1}
	o.Auth.OnEvent = func(_ context.Context, e auth.Event) {
		s.events.mu.Lock()
		defer s.events.mu.Unlock()
		s.events.list = append(s.events.list, e.Kind)
	}
	s.App, s.Auth = retort.New(cfg), auth.New(o.Auth)
	build(s)
	s.Client, s.Ctx = retorttest.New(t, s.App), s.App.Context()
	if out, err := s.App.Call(s.Ctx, "migrate"); err != nil {
		t.Fatal(err, out)
	}
	return s
}

// Home is a page that says who reads it.
func Home(c *retort.Ctx) error {
	return c.RenderString("home of {{ user.email if user else 'nobody' }}", nil)
}

// Told returns the kinds of the events of accounts since the last call, in order.
func (s *Site) Told() []auth.EventKind {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	list := s.events.list
	s.events.list = nil
	return list
}

// Visitor returns the same site with another visitor, who has no cookies yet.
func (s *Site) Visitor() *Site {
	other := *s
	other.Client = s.Fresh()
	return &other
}

// User makes a user whose address is verified, who logs in with the password, if it is
// not "".
func (s *Site) User(email, password string) *auth.User {
	s.T.Helper()
	u := auth.Users.New()
	u.Email = email
	if err := s.Auth.Create(s.Ctx, u, password); err != nil {
		s.T.Fatal(err)
	}
	if err := s.Auth.Verify(s.Ctx, u); err != nil {
		s.T.Fatal(err)
	}
	return u
}

// Update saves fields of a user.
func (s *Site) Update(u *auth.User, fields ...any) {
	s.T.Helper()
	if err := auth.Users.UpdateRow(s.Ctx, u, fields...); err != nil {
		s.T.Fatal(err)
	}
}
