package oidc

import (
	"bytes"
	"context"
	"errors"
	"html"
	"log/slog"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/mail/mailtest"
	"github.com/retort-web/retort/orm"
	_ "github.com/retort-web/retort/orm/sqlite"
	"github.com/retort-web/retort/password"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/security"
	"github.com/retort-web/retort/session/dbsession"
)

const secret = "correct horse battery"

// site is a site and its one visitor.
type site struct {
	*retorttest.Client
	t      *testing.T
	app    *retort.App
	auth   *auth.Extension
	oidc   *Extension
	box    *mailtest.Outbox
	ctx    context.Context //nolint:containedctx // that of the app
	log    *logText
	events *events
}

type options struct {
	Options
	accounts accounts.Options
	config   retort.Config
	database string
	fresh    time.Duration
}

// logText is a log that several may write.
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

// events are the kinds of events of accounts, in order.
type events struct {
	mu   sync.Mutex
	list []auth.EventKind
}

func (e *events) take() (list []auth.EventKind) {
	e.mu.Lock()
	defer e.mu.Unlock()
	list, e.list = e.list, nil
	return list
}

func newSite(t *testing.T, o options) *site {
	t.Helper()
	cfg := o.config
	cfg.Name, cfg.SecretKey, cfg.BaseURL = "Slow Notes", "a key for these tests only, nowhere else", "https://notes.example"
	if cfg.DatabaseURL = o.database; cfg.DatabaseURL == "" {
		cfg.DatabaseURL = "sqlite:" + filepath.Join(t.TempDir(), "site.db")
	}
	s := &site{t: t, log: &logText{}, events: &events{}}
	cfg.Logger = slog.New(slog.NewTextHandler(s.log, nil))
	s.app = retort.New(cfg)
	s.auth = auth.New(auth.Options{
		LoginURL: "accounts.login", FreshFor: o.fresh, Hash: password.Options{Memory: 64, Time: 1},
		OnEvent: func(_ context.Context, e auth.Event) {
			s.events.mu.Lock()
			defer s.events.mu.Unlock()
			s.events.list = append(s.events.list, e.Kind)
		},
	})
	s.oidc = New(o.Options)
	s.app.Install(db.Open(""), dbsession.New(), security.New(), mail.New(mail.Options{From: "site@example.com"}), s.auth, accounts.New(o.accounts), s.oidc)
	s.app.Get("/", func(c *retort.Ctx) error {
		return c.RenderString("home of {{ user.email if user else 'nobody' }}", nil)
	})
	s.Client, s.box, s.ctx = retorttest.New(t, s.app), mailtest.New(t, s.app), s.app.Context()
	s.Client.Secure, s.Client.Host = true, "notes.example"
	if out, err := s.app.Call(s.ctx, "migrate"); err != nil {
		t.Fatal(err, out)
	}
	return s
}

// known makes a user who can log in with the password, if it is not "".
func (s *site) known(email, secret string) *auth.User {
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

func (s *site) find(email string) *auth.User {
	s.t.Helper()
	u, err := auth.Find(s.ctx, email)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

// update saves fields of a user.
func (s *site) update(u *auth.User, fields ...any) {
	s.t.Helper()
	if err := auth.Users.UpdateRow(s.ctx, u, fields...); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) identities() (list []*Identity) {
	s.t.Helper()
	list, err := Identities.All(s.ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

func (s *site) post(path string, pairs ...string) *retorttest.Response {
	s.t.Helper()
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return s.PostForm(path, values)
}

func (s *site) login(email string) {
	s.t.Helper()
	s.post("/login", "email", email, "password", secret).RedirectsTo("/")
}

var onward = regexp.MustCompile(`<a href="([^"]+)">Go on to`)

// leave begins a login and returns the address that the visitor is sent to.
func (s *site) leave(path string, pairs ...string) *url.URL {
	s.t.Helper()
	page := s.post(path, pairs...).Status(200)
	found := onward.FindStringSubmatch(page.Text())
	if found == nil {
		s.t.Fatal(page.Text())
	}
	to := html.UnescapeString(found[1])
	if refresh := page.Header().Get("Refresh"); refresh != "0; url="+to {
		s.t.Errorf("Refresh %q, and a link to %q", refresh, to)
	}
	u, err := url.Parse(to)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

// back is where a provider sends the visitor to, as a path of this site.
func back(t *testing.T, address string) string {
	t.Helper()
	path, ok := strings.CutPrefix(address, "https://notes.example")
	if !ok {
		t.Fatalf("the provider sends the visitor to %s", address)
	}
	return path
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

func exists(t *testing.T, ctx context.Context, email string) bool { //nolint:revive // t comes first in a test's helpers
	t.Helper()
	_, err := auth.Find(ctx, email)
	if err != nil && !errors.Is(err, orm.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}
