package auth_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/retorttest"
)

func TestEndSessions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSite(t, kind, auth.Options{})
		ann, bob := s.user(t, "ann@example.com"), s.user(t, "bob@example.com")
		clients := []*retorttest.Client{retorttest.New(t, s.app), retorttest.New(t, s.app), retorttest.New(t, s.app)}
		login(clients[0], ann.Email, secret).Status(200)
		login(clients[1], ann.Email, secret).Status(200)
		login(clients[2], bob.Email, secret).Status(200)
		clients[0].PostForm("/everywhere", nil).Status(200)
		for i, want := range []string{ann.Email, "nobody", bob.Email} {
			clients[i].Get("/whoami").Contains(want)
		}
		// Outside of a request all end.
		if err := s.auth.EndSessions(s.ctx, ann); err != nil {
			t.Fatal(err)
		}
		clients[0].Get("/whoami").Contains("nobody")
		login(clients[0], ann.Email, secret).Status(200)
		clients[0].Get("/whoami").Contains(ann.Email)
	})
}

// Requests under way with the cookie from before a login neither take part in it nor
// undo it, whether they come before it or after it, and whatever they write.
func TestLoginsAndRequestsAtTheSameTime(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSite(t, kind, auth.Options{})
		inside, release := make(chan struct{}), make(chan struct{})
		s.app.Get("/slow", func(c *retort.Ctx) error {
			c.Session().Set("seen", true)
			close(inside)
			<-release
			return c.Text("slow")
		})
		s.app.Get("/writes", func(c *retort.Ctx) error {
			c.Session().Set("cart", 1)
			return c.RenderString("{{ csrf_input() }} {{ user.email if user else 'nobody' }}", nil)
		})
		ann := s.user(t, "ann@example.com")
		client := retorttest.New(t, s.app)
		client.Get("/writes").Status(200)
		old, _ := client.Cookie("session")
		slow := client.Fresh()
		slow.SetCookie("session", old)
		answer := make(chan *retorttest.Response)
		go func() { answer <- slow.Get("/slow") }()
		<-inside
		login(client, ann.Email, secret).Status(200)
		close(release)
		late := client.Fresh()
		late.SetCookie("session", old)
		for name, r := range map[string]*retorttest.Response{"before the login": <-answer, "after it": late.Get("/writes").Contains("nobody")} {
			if cookies := r.Header().Values("Set-Cookie"); len(cookies) > 0 {
				t.Errorf("a request from %s is answered with %q", name, cookies)
			}
		}
		client.Get("/whoami").Contains(ann.Email)
		client.Get("/writes").Contains(ann.Email)
	})
}

// A cookie that holds the session itself is worth nothing either.
func TestEndSessionsInCookies(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t, auth.Options{})
	ann := s.user(t, "ann@example.com")
	client := retorttest.New(t, s.app)
	login(client, ann.Email, secret).Status(200)
	old, _ := client.Cookie("session")
	client.PostForm("/everywhere", nil).Status(200)
	client.Get("/whoami").Contains(ann.Email)
	thief := client.Fresh()
	thief.SetCookie("session", old)
	thief.Get("/whoami").Contains("nobody")
}

func TestProtection(t *testing.T) {
	t.Parallel()
	for protect, want := range map[auth.Protection][2]string{"": {"ann@example.com", "fresh"}, auth.ProtectFresh: {"ann@example.com", "login"}, auth.ProtectAll: {"nobody", "login"}} {
		s := newSite(t, testdb.SQLite, auth.Options{Protect: protect, FreshFor: time.Hour})
		s.user(t, "ann@example.com")
		client := retorttest.New(t, s.app)
		login(client, "ann@example.com", secret).Status(200)
		client.Get("/fresh").Status(200)
		stolen, _ := client.Cookie("session")
		thief := client.Fresh()
		thief.SetCookie("session", stolen)
		get := func(path string) *retorttest.Response {
			r := thief.NewRequest("GET", path, nil)
			r.Header.Set("User-Agent", "another browser")
			r.Header.Set("Accept", "text/html")
			return thief.Do(r)
		}
		get("/whoami").Contains(want[0])
		if r := get("/fresh"); (want[1] == "fresh") != (r.Code == 200) {
			t.Errorf("%q: a fresh login is answered with %d", protect, r.Code)
		}
	}
}

func TestRememberedSessions(t *testing.T) {
	t.Parallel()
	for remember, want := range map[string]time.Duration{"": 0, "1": 365 * 24 * time.Hour} {
		s := newSite(t, testdb.SQLite, auth.Options{RememberFor: 365 * 24 * time.Hour})
		ann := s.user(t, "ann@example.com")
		client := retorttest.New(t, s.app)
		r := client.PostForm("/in", url.Values{"email": {ann.Email}, "password": {secret}, "remember": {remember}}).Status(200)
		cookies := r.Result().Cookies()
		if len(cookies) != 1 {
			t.Fatal(cookies)
		}
		if age := time.Duration(cookies[0].MaxAge) * time.Second; age > want || age < want-time.Hour {
			t.Errorf("remembered %q: a cookie for %s", remember, age)
		}
	}
}

func TestInactiveUsersOfASite(t *testing.T) {
	t.Parallel()
	s := newSite(t, testdb.SQLite, auth.Options{AllowInactive: true})
	ann := s.superuser(t, "ann@example.com")
	ann.Active = false
	if err := auth.Users.UpdateRow(s.ctx, ann, &auth.Users.Fields().Active); err != nil {
		t.Fatal(err)
	}
	client := retorttest.New(t, s.app)
	login(client, ann.Email, "wrong").Status(401)
	login(client, ann.Email, secret).Status(200)
	client.Get("/whoami").Contains(ann.Email)
	client.Get("/change").Status(403) // she may do nothing, superuser or not
}
