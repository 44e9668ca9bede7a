package auth_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
)

// actingSite is a site on which superusers act as others.
func actingSite(t *testing.T, o auth.Options) *site {
	t.Helper()
	s := newSite(t, testdb.SQLite, o)
	s.app.Post("/act/{id}", func(c *retort.Ctx) error {
		id, err := strconv.ParseInt(c.Param("id"), 10, 64)
		if err != nil {
			return err
		}
		p := auth.Users.Fields()
		user, err := auth.Users.Where(orm.Eq(&p.ID, id)).Get(c)
		if err != nil {
			return err
		}
		return errors.Join(s.auth.Impersonate(c, user), c.Text("acting"))
	}).DisableCSRF()
	s.app.Post("/act/end", func(c *retort.Ctx) error { return errors.Join(s.auth.EndImpersonation(c), c.Text("ended")) }).DisableCSRF()
	s.app.Get("/both", func(c *retort.Ctx) error {
		return c.RenderString("{% if impersonator %}{{ impersonator.email }} as {% endif %}{{ user.email }}", nil)
	})
	s.app.Get("/factor", func(c *retort.Ctx) error { return c.Text("factor") }).Use(auth.RequireSecondFactor)
	return s
}

func (s *site) superuser(t testing.TB, email string) *auth.User {
	t.Helper()
	u := s.user(t, email)
	u.Superuser, u.Staff = true, true
	if err := auth.Users.UpdateRow(s.ctx, u, &auth.Users.Fields().Superuser, &auth.Users.Fields().Staff); err != nil {
		t.Fatal(err)
	}
	return u
}

func act(c *retorttest.Client, u *auth.User) *retorttest.Response {
	return c.PostForm("/act/"+strconv.FormatInt(u.ID, 10), nil)
}

func TestImpersonate(t *testing.T) {
	t.Parallel()
	s := actingSite(t, auth.Options{FreshFor: time.Hour})
	root, ann := s.superuser(t, "root@example.com"), s.user(t, "ann@example.com")
	client := retorttest.New(t, s.app)
	login(client, root.Email, secret).Status(200)
	before, _ := client.Cookie("session")
	act(client, ann).Status(200)
	if after, _ := client.Cookie("session"); after == before {
		t.Error("the session has the ID that it had")
	}
	client.Get("/both").Contains("root@example.com as ann@example.com")
	client.Get("/whoami").Contains("ann@example.com")
	client.Get("/private").Contains("hello ann@example.com")
	client.Get("/staff").Status(403)
	// What is the user's alone is refused.
	client.Get("/fresh").Status(403)
	client.Get("/factor").Status(403)
	// Nobody acts as somebody who acts.
	act(client, ann).Status(403)
	// The session is the superuser's.
	if list, err := s.app.Sessions().List(s.ctx, strconv.FormatInt(root.ID, 10), nil); err != nil || len(list) != 1 {
		t.Error(list, err)
	}
	client.PostForm("/act/end", nil).Status(200)
	client.Get("/both").Contains("root@example.com")
	client.Get("/staff").Status(200)
	client.PostForm("/act/end", nil).Status(200)

	act(client, ann).Status(200)
	client.PostForm("/out", nil).Status(200)
	client.Get("/whoami").Contains("nobody")
	want := []auth.EventKind{auth.LoggedIn, auth.ImpersonationStarted, auth.ImpersonationEnded, auth.ImpersonationStarted, auth.LoggedOut}
	if got := s.kinds(); !slices.Equal(got, want) {
		t.Error(got)
	}
	for _, e := range s.told[1:] {
		if e.User.ID != ann.ID || e.By == nil || e.By.ID != root.ID {
			t.Errorf("%s of %v by %v", e.Kind, e.User, e.By)
		}
	}
}

// CVE class "privilege escalation": only a superuser acts as others, never as another
// superuser, and no longer than they are one.
func TestSecurityImpersonation(t *testing.T) {
	t.Parallel()
	s := actingSite(t, auth.Options{})
	root, other, ann, bob := s.superuser(t, "root@example.com"), s.superuser(t, "other@example.com"), s.user(t, "ann@example.com"), s.user(t, "bob@example.com")
	p := auth.Users.Fields()
	client := retorttest.New(t, s.app)
	act(client, ann).Status(401)
	login(client, ann.Email, secret).Status(200)
	act(client, bob).Status(403)
	login(client, root.Email, secret).Status(200)
	act(client, other).Status(403)
	act(client, root).Status(403)
	for name, end := range map[string]func() error{
		"the superuser is none any more": func() error {
			root.Superuser = false
			return auth.Users.UpdateRow(s.ctx, root, &p.Superuser)
		},
		"the user becomes one": func() error {
			ann.Superuser = true
			return auth.Users.UpdateRow(s.ctx, ann, &p.Superuser)
		},
		"the user is not active": func() error {
			ann.Active = false
			return auth.Users.UpdateRow(s.ctx, ann, &p.Active)
		},
		"time passes": func() error {
			s.auth.SetClock(func() time.Time { return time.Now().Add(2 * time.Hour) })
			return nil
		},
	} {
		s.auth.SetClock(time.Now)
		root.Superuser, ann.Superuser, ann.Active = true, false, true
		if err := errors.Join(auth.Users.UpdateRow(s.ctx, root, &p.Superuser), auth.Users.UpdateRow(s.ctx, ann, &p.Superuser, &p.Active)); err != nil {
			t.Fatal(err)
		}
		act(client, ann).Status(200)
		client.Get("/whoami").Contains("ann@")
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if got := client.Get("/whoami").Status(200).Text(); got != "root@example.com" {
			t.Errorf("%s: %s", name, got)
		}
	}
	s.auth.SetClock(time.Now)
	root.Superuser = true
	if err := auth.Users.UpdateRow(s.ctx, root, &p.Superuser); err != nil {
		t.Fatal(err)
	}
	// Another password of the superuser's ends it all.
	act(client, bob).Status(200)
	if err := s.auth.SetPassword(s.ctx, root, "another password"); err != nil {
		t.Fatal(err)
	}
	client.Get("/whoami").Contains("nobody")
}
