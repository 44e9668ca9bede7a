package auth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
)

// whoami asks as a proxy does, with headers.
func whoami(c *retorttest.Client, headers ...string) string {
	r := c.NewRequest("GET", "/whoami", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return strings.TrimSpace(c.Do(r).Status(http.StatusOK).Text())
}

func TestRemoteUsers(t *testing.T) {
	t.Parallel()
	short := func(name string) string { return strings.ToLower(name) + "@corp.example" }
	s := newProxiedSite(t, []string{"loopback", "192.0.2.0/24"}, auth.Options{Identify: []auth.Identifier{auth.RemoteUsers(auth.RemoteUser{Email: short, Create: true})}})
	gone := s.user(t, "gone@corp.example")
	gone.Active = false
	if err := auth.Users.UpdateRow(s.ctx, gone, &auth.Users.Fields().Active); err != nil {
		t.Fatal(err)
	}
	client := retorttest.New(t, s.app)
	for _, test := range []struct {
		want    string
		headers []string
	}{
		{"nobody", nil},
		{"ann@corp.example", []string{"X-Remote-User", "Ann"}},
		{"ann@corp.example", []string{"X-Remote-User", " ANN "}},
		{"nobody", []string{"X-Remote-User", ""}},
		{"nobody", []string{"X-Remote-User", "ann", "X-Remote-User", "root"}},
		{"nobody", []string{"X-Remote_User", "ann"}},
		{"nobody", []string{"X-Remote-User", "gone"}},
		{"nobody", nil}, // nothing has stayed
	} {
		if got := whoami(client, test.headers...); got != test.want {
			t.Errorf("%q: %s, want %s", test.headers, got, test.want)
		}
	}
	if n, err := auth.Users.Count(s.ctx); n != 2 || err != nil {
		t.Error(n, err)
	}
}

// CVE class "header spoofing": without a trusted proxy the header is what a client says.
func TestSecurityRemoteUsersWithoutProxy(t *testing.T) {
	t.Parallel()
	for _, proxies := range [][]string{nil, {"203.0.113.7"}} {
		s := newProxiedSite(t, proxies, auth.Options{Identify: []auth.Identifier{auth.RemoteUsers(auth.RemoteUser{})}})
		s.user(t, "ann@example.com")
		if got := whoami(retorttest.New(t, s.app), "X-Remote-User", "ann@example.com"); got != "nobody" {
			t.Errorf("%v: %s", proxies, got)
		}
	}
}

func TestPersistentRemoteUsers(t *testing.T) {
	t.Parallel()
	s := newProxiedSite(t, []string{"loopback", "192.0.2.0/24"}, auth.Options{Identify: []auth.Identifier{auth.RemoteUsers(auth.RemoteUser{Persistent: true})}})
	s.user(t, "ann@example.com")
	s.user(t, "bob@example.com")
	client := retorttest.New(t, s.app)
	for _, step := range [][2]string{{"", "nobody"}, {"nobody@example.com", "nobody"}, {"ann@example.com", "ann@example.com"}, {"", "ann@example.com"}, {"bob@example.com", "bob@example.com"}, {"", "bob@example.com"}, {"stranger@example.com", "nobody"}, {"", "nobody"}} {
		var headers []string
		if step[0] != "" {
			headers = []string{"X-Remote-User", step[0]}
		}
		if got := whoami(client, headers...); got != step[1] {
			t.Errorf("%q: %s, want %s", step[0], got, step[1])
		}
	}
}

// Where only some log in by the proxy, what it says of a stranger to the site ends no login
// that it did not begin.
func TestPersistentRemoteUsersBesidePasswords(t *testing.T) {
	t.Parallel()
	s := newProxiedSite(t, []string{"loopback", "192.0.2.0/24"}, auth.Options{Identify: []auth.Identifier{auth.RemoteUsers(auth.RemoteUser{Persistent: true})}})
	ann := s.user(t, "ann@example.com")
	client := retorttest.New(t, s.app)
	login(client, ann.Email, secret).Status(200)
	if got := whoami(client, "X-Remote-User", "stranger@example.com"); got != ann.Email {
		t.Errorf("%s, want %s", got, ann.Email)
	}
}

func TestIdentifiers(t *testing.T) {
	t.Parallel()
	failed := errors.New("the directory is away")
	s := newSite(t, testdb.SQLite, auth.Options{Identify: []auth.Identifier{
		func(c *retort.Ctx) (*auth.User, error) {
			if c.Request().Header.Get("X-Fails") != "" {
				return nil, failed
			}
			return nil, nil
		},
		func(c *retort.Ctx) (*auth.User, error) {
			key := c.Request().Header.Get("X-Key")
			if key == "" {
				return nil, nil
			}
			user, err := auth.Find(c, key+"@example.com")
			if errors.Is(err, orm.ErrNotFound) {
				return nil, nil
			}
			return user, err
		},
	}})
	ann, bob := s.user(t, "ann@example.com"), s.user(t, "bob@example.com")
	client := retorttest.New(t, s.app)
	login(client, bob.Email, secret).Status(200)
	for key, want := range map[string]string{"ann": ann.Email, "": bob.Email, "none": bob.Email} {
		if got := whoami(client, "X-Key", key); got != want {
			t.Errorf("%q: %s, want %s", key, got, want)
		}
	}
	r := client.NewRequest("GET", "/whoami", nil)
	r.Header.Set("X-Fails", "1")
	client.Do(r).Status(http.StatusInternalServerError)
}
