package passkeys_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort/contrib/passkeys"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/retorttest"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSiteOn(t, kind, passkeys.Options{PerUser: 2})
		ann := s.User("ann@example.com", secret)
		s.User("bob@example.com", secret)
		client, bob := s.in("ann@example.com"), s.in("bob@example.com")
		first, second := newDevice(t), newDevice(t)
		s.add(client, first, "")
		client.Get("/passkeys").Contains("Passkey of " + time.Now().UTC().Format(time.DateOnly))

		// The authenticator hears which are there, and one that makes it twice is refused.
		q := ask(t, client, "/passkeys/options")
		if len(q.ExcludeCredentials) != 1 || q.ExcludeCredentials[0].ID != b64(first.id) {
			t.Errorf("%+v", q)
		}
		post(client, "/passkeys", first.create(q)).Status(409).Contains("is here already")
		// Nobody else takes it either.
		stolen := *first
		post(bob, "/passkeys", stolen.create(ask(t, bob, "/passkeys/options"))).Status(409)
		// What is wrong with a new one.
		for name, spoil := range map[string]func(d *device){
			"another site":      func(d *device) { d.origin = "https://evil.example" },
			"another domain":    func(d *device) { d.domain = "evil.example" },
			"user not verified": func(d *device) { d.flags = present },
			"an answer":         func(d *device) { d.kind = "webauthn.get" },
		} {
			hostile := *second
			spoil(&hostile)
			if res := post(client, "/passkeys", hostile.create(ask(t, client, "/passkeys/options"))); res.Code != 422 {
				t.Errorf("%s: %d", name, res.Code)
			}
		}
		q = ask(t, client, "/passkeys/options")
		post(bob, "/passkeys", second.create(q)).Status(422) // of another session
		post(client, "/passkeys", second.create(q), "name", strings.Repeat("ä", 200)).RedirectsTo("/passkeys")
		post(client, "/passkeys", newDevice(t).create(ask(t, client, "/passkeys/options"))).Status(422).Contains("as many passkeys as there may be")
		client.Get("/passkeys").Contains(strings.Repeat("ä", 50)).Lacks("Add a passkey")

		// What was refused may have used up numbers.
		list, err := passkeys.Passkeys.All(s.Ctx)
		if err != nil || len(list) != 2 {
			t.Fatal(list, err)
		}
		of := func(i int, what string) string { return fmt.Sprintf("/passkeys/%d/%s", list[i].ID, what) }
		client.PostForm(of(0, "name"), url.Values{"name": {"Work"}}).RedirectsTo("/passkeys")
		client.Get("/passkeys").Contains("Rename Work")
		client.PostForm(of(0, "name"), url.Values{"name": {" "}}).Status(422).Contains("needs a name")
		for _, path := range []string{of(0, "name"), of(0, "delete"), "/passkeys/99/delete"} {
			bob.PostForm(path, url.Values{"name": {"mine"}}).Status(404)
		}
		client.Get("/passkeys").Contains("Rename Work").Lacks("mine")

		// The last way in stays.
		if err := s.Auth.SetPassword(s.Ctx, ann, ""); err != nil {
			t.Fatal(err)
		}
		client = retorttest.New(t, s.App)
		s.enter(client, first, "/")
		client.PostForm(of(1, "delete"), nil).RedirectsTo("/passkeys")
		client.Get("/passkeys").Contains("only way in which you can log in").Lacks(of(0, "delete"))
		client.PostForm(of(0, "delete"), nil).Status(409).Contains("only way")
		s.enter(client, second, refused)
		s.enter(client, first, "/")
	})
}

// Two deletions at once do not take the last two passkeys.
func TestLastTwoPasskeysAtOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSiteOn(t, kind, passkeys.Options{})
		ann := s.User("ann@example.com", secret)
		client := s.in("ann@example.com")
		first, second := newDevice(t), newDevice(t)
		s.add(client, first, "first")
		s.add(client, second, "second")
		if err := s.Auth.SetPassword(s.Ctx, ann, ""); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for i, d := range []*device{first, second} {
			other := retorttest.New(t, s.App)
			s.enter(other, d, "/")
			wait.Go(func() { other.PostForm([]string{"/passkeys/1/delete", "/passkeys/2/delete"}[i], nil) })
		}
		wait.Wait()
		if n, err := passkeys.Passkeys.Count(s.Ctx); n < 1 || err != nil {
			t.Errorf("%d passkeys are left, %v", n, err)
		}
	})
}

func TestPagesAreForTheirOwners(t *testing.T) {
	t.Parallel()
	s := newSite(t, passkeys.Options{})
	s.User("ann@example.com", secret)
	client := retorttest.New(t, s.App)
	client.Get("/passkeys").RedirectsTo("/login?next=%2Fpasskeys")
	json := func(c *retorttest.Client, path string) *retorttest.Response {
		r := c.NewRequest("POST", path, nil)
		r.Header.Set("Accept", "application/json")
		return c.Do(r)
	}
	json(client, "/passkeys/options").Status(401)
	// A login that is long ago is not enough.
	late := newSiteOf(t, testdb.SQLite, passkeys.Options{}, true, time.Nanosecond)
	late.User("ann@example.com", secret)
	client = late.in("ann@example.com")
	client.Get("/passkeys").RedirectsTo("/login?next=%2Fpasskeys")
	json(client, "/passkeys/options").Status(401)
	post(client, "/passkeys", "{}").RedirectsTo("/login")

	forged := s.NewRequest("POST", "/passkeys/login/options", nil)
	forged.Header.Set("Sec-Fetch-Site", "cross-site")
	forged.Header.Set("Origin", "https://evil.example")
	s.Do(forged).Status(403)
	r := retorttest.New(t, s.App).Get("/login")
	r.Contains(`src="/static/passkeys/passkeys`, `nonce="`, "Log in with a passkey").Lacks("onclick", "javascript:")
}
