package oidc

import (
	"cmp"
	"context"
	"errors"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/internal/testsite"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/mail/mailtest"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/security"
	"github.com/retort-web/retort/session/dbsession"
)

const secret = testsite.Password

// site is a site and its one visitor.
type site struct {
	*testsite.Site
	oidc *Extension
	box  *mailtest.Outbox
}

type options struct {
	Options
	accounts accounts.Options
	session  retort.SessionConfig
	database string
	fresh    time.Duration
	more     []retort.Extension
}

func newSite(t *testing.T, o options) *site {
	t.Helper()
	s := &site{oidc: New(o.Options)}
	change := func(cfg *retort.Config) {
		cfg.DatabaseURL, cfg.Session = cmp.Or(o.database, cfg.DatabaseURL), o.session
	}
	s.Site = testsite.New(t, testsite.Options{Change: change, Auth: auth.Options{LoginURL: "accounts.login", FreshFor: o.fresh}}, func(site *testsite.Site) {
		site.App.Install(db.Open(""), dbsession.New(), security.New(), mail.New(mail.Options{From: "site@example.com"}), site.Auth, accounts.New(o.accounts), s.oidc)
		site.App.Install(o.more...)
		site.App.Get("/", testsite.Home)
	})
	s.box = mailtest.New(t, s.App)
	s.Secure, s.Host = true, testsite.Host
	return s
}

func (s *site) find(email string) *auth.User {
	s.T.Helper()
	u, err := auth.Find(s.Ctx, email)
	if err != nil {
		s.T.Fatal(err)
	}
	return u
}

func (s *site) identities() (list []*Identity) {
	s.T.Helper()
	list, err := Identities.All(s.Ctx)
	if err != nil {
		s.T.Fatal(err)
	}
	return list
}

func (s *site) post(path string, pairs ...string) *retorttest.Response {
	s.T.Helper()
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return s.PostForm(path, values)
}

func (s *site) login(email string) {
	s.T.Helper()
	s.post("/login", "email", email, "password", secret).RedirectsTo("/")
}

var onward = regexp.MustCompile(`<a href="([^"]+)">⟦?Go on to`)

// leave begins a login and returns the address that the visitor is sent to.
func (s *site) leave(path string, pairs ...string) *url.URL {
	s.T.Helper()
	page := s.post(path, pairs...).Status(200)
	found := onward.FindStringSubmatch(page.Text())
	if found == nil {
		s.T.Fatal(page.Text())
	}
	to := html.UnescapeString(found[1])
	if refresh := page.Header().Get("Refresh"); refresh != "0; url="+to {
		s.T.Errorf("Refresh %q, and a link to %q", refresh, to)
	}
	u, err := url.Parse(to)
	if err != nil {
		s.T.Fatal(err)
	}
	return u
}

// back is where a provider sends the visitor to, as a path of this site.
func back(t *testing.T, address string) string {
	t.Helper()
	path, ok := strings.CutPrefix(address, testsite.BaseURL)
	if !ok {
		t.Fatalf("the provider sends the visitor to %s", address)
	}
	return path
}

func exists(t *testing.T, ctx context.Context, email string) bool { //nolint:revive // t comes first in a test's helpers
	t.Helper()
	_, err := auth.Find(ctx, email)
	if err != nil && !errors.Is(err, orm.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}
