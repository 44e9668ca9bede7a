package testsite_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/internal/testsite"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/session/dbsession"
)

func TestSite(t *testing.T) {
	t.Parallel()
	s := testsite.New(t, testsite.Options{Change: func(cfg *retort.Config) { cfg.Name = "Other" }, Auth: auth.Options{LoginURL: "accounts.login"}}, func(s *testsite.Site) {
		s.App.Install(db.Open(""), dbsession.New(), mail.New(mail.Options{From: "site@example.com"}), s.Auth, accounts.New())
		s.App.Get("/", testsite.Home)
	})
	user := s.User("ann@example.com", testsite.Password)
	user.Name = "Ann"
	s.Update(user, &auth.Users.Fields().Name)
	s.Get("/").Contains("home of nobody")
	s.Told()
	s.PostForm("/login", url.Values{"email": {user.Email}, "password": {testsite.Password}}).RedirectsTo("/")
	s.Get("/").Contains("home of ann@example.com")
	if told := s.Told(); !slices.Equal(told, []auth.EventKind{auth.LoggedIn}) || len(s.Told()) != 0 {
		t.Errorf("told %v", told)
	}
	s.Visitor().Get("/").Contains("home of nobody")
	s.App.Logger().Info("this is in the log")
	if log := s.Log.String(); !strings.Contains(log, "this is in the log") || s.App.Config().Name != "Other" || s.App.Config().BaseURL != testsite.BaseURL {
		t.Errorf("%+v\n%s", s.App.Config(), log)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	c := testsite.NewClock()
	before := c.Now()
	c.Add(time.Hour)
	if got := c.Now().Sub(before); got != time.Hour {
		t.Error(got)
	}
}
