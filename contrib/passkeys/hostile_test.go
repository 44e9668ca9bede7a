package passkeys_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/contrib/passkeys"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session"
)

func TestSecurityAnswersThatAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, passkeys.Options{})
	s.User("ann@example.com", secret)
	bob := s.User("bob@example.com", secret)
	d, bobs := newDevice(t), newDevice(t)
	d.counts = true
	s.add(s.in("ann@example.com"), d, "phone")
	s.add(s.in("bob@example.com"), bobs, "phone")
	right := *d
	for name, spoil := range map[string]func(d *device){
		"another site":                  func(d *device) { d.origin = "https://evil.example" },
		"another origin below":          func(d *device) { d.origin = "https://evil.notes.example" },
		"not over TLS":                  func(d *device) { d.origin = "http://notes.example" },
		"another port":                  func(d *device) { d.origin = "https://notes.example:8443" },
		"in a frame elsewhere":          func(d *device) { d.crossOrigin = true },
		"another domain":                func(d *device) { d.domain = "evil.example" },
		"a creation":                    func(d *device) { d.kind = "webauthn.create" },
		"user not verified":             func(d *device) { d.flags = present | eligible | backedUp },
		"user not present":              func(d *device) { d.flags = verified | eligible | backedUp },
		"on several devices at once":    func(d *device) { d.flags = present | verified },
		"another's key":                 func(d *device) { d.key = bobs.key },
		"another's handle":              func(d *device) { d.handle = bobs.handle },
		"another's passkey, own handle": func(d *device) { d.id = bobs.id },
		"no handle":                     func(d *device) { d.handle = nil },
		"unknown passkey":               func(d *device) { d.id = []byte("never seen before, and 32 bytes!") },
		"no passkey":                    func(d *device) { d.id = nil },
	} {
		hostile := right
		spoil(&hostile)
		client := retorttest.New(t, s.App)
		s.enter(client, &hostile, refused)
		// The same words for all.
		client.Get("/login").Contains("That passkey did not work here.")
		client.Get("/").Contains("nobody")
		if t.Failed() {
			t.Fatalf("%s was taken", name)
		}
	}
	client := retorttest.New(t, s.App)
	for _, text := range []string{"", "{}", "[]", "null", "\x00", `{"id":1}`, strings.Repeat("[", 10_000), strings.Repeat("x", 100_000)} {
		post(client, "/passkeys/login", text).RedirectsTo(refused)
	}
	// Who is not active is not let in, in the same words.
	bob.Active = false
	s.Update(bob, &auth.Users.Fields().Active)
	s.enter(client, bobs, refused)
	client.Get("/").Contains("nobody")
	// And all that time the right one works.
	s.enter(client, &right, "/")
}

func TestSecurityAnswersWorkOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		for _, onServer := range []bool{true, false} {
			s := newSiteOf(t, kind, passkeys.Options{}, onServer, 0)
			s.User("ann@example.com", secret)
			d := newDevice(t) // without a counter
			s.add(s.in("ann@example.com"), d, "phone")

			client := retorttest.New(t, s.App)
			q := ask(t, client, "/passkeys/login/options")
			cookie, _ := client.Cookie("session")
			answer := d.get(q)
			post(client, "/passkeys/login", answer).RedirectsTo("/")
			client.PostForm("/logout", nil)
			post(client, "/passkeys/login", answer).RedirectsTo(refused)
			// Nor with the cookie of then, which a session in a cookie takes as the present.
			thief := retorttest.New(t, s.App)
			thief.SetCookie("session", cookie)
			post(thief, "/passkeys/login", answer).RedirectsTo(refused)
			thief.Get("/").Contains("nobody")

			// A question of another session, of another kind and one that was never asked.
			mine := retorttest.New(t, s.App)
			ask(t, mine, "/passkeys/login/options")
			post(mine, "/passkeys/login", d.get(ask(t, retorttest.New(t, s.App), "/passkeys/login/options"))).RedirectsTo(refused)
			in := s.in("ann@example.com")
			post(in, "/passkeys/login", d.get(ask(t, in, "/passkeys/options"))).RedirectsTo(refused)
			post(mine, "/passkeys/login", d.get(asked{Challenge: b64(make([]byte, 32))})).RedirectsTo(refused)
			mine.Get("/").Contains("nobody")

			// After a wrong answer the question is over as well.
			q = ask(t, mine, "/passkeys/login/options")
			wrong := *d
			wrong.flags = present
			post(mine, "/passkeys/login", wrong.get(q)).RedirectsTo(refused)
			post(mine, "/passkeys/login", d.get(q)).RedirectsTo(refused)

			// Five minutes, and not longer.
			q = ask(t, mine, "/passkeys/login/options")
			mine.Session(func(ses *session.Session) {
				text, _ := ses.Get("passkeys login").(string)
				var list []struct {
					C string `json:"c"`
					T int64  `json:"t"`
				}
				if err := json.Unmarshal([]byte(text), &list); err != nil || len(list) == 0 {
					t.Fatal(text, err)
				}
				for i := range list {
					list[i].T -= (5*time.Minute + time.Second).Microseconds()
				}
				old, err := json.Marshal(list)
				if err != nil {
					t.Fatal(err)
				}
				ses.Set("passkeys login", string(old))
			})
			post(mine, "/passkeys/login", d.get(q)).RedirectsTo(refused)

			// Several tabs each have a question, up to five.
			first := ask(t, mine, "/passkeys/login/options")
			ask(t, mine, "/passkeys/login/options")
			post(mine, "/passkeys/login", d.get(first)).RedirectsTo("/")
		}
	})
}

// Of two answers to one question at the same time one is taken.
func TestAnswersAtOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSiteOn(t, kind, passkeys.Options{})
		s.User("ann@example.com", secret)
		d := newDevice(t)
		s.add(s.in("ann@example.com"), d, "phone")
		client := retorttest.New(t, s.App)
		answer := d.get(ask(t, client, "/passkeys/login/options"))
		cookie, _ := client.Cookie("session")
		var wait sync.WaitGroup
		var mu sync.Mutex
		taken := 0
		for range 8 {
			wait.Go(func() {
				other := retorttest.New(t, s.App)
				other.SetCookie("session", cookie)
				res := post(other, "/passkeys/login", answer)
				mu.Lock()
				defer mu.Unlock()
				if res.Header().Get("Location") == "/" {
					taken++
				}
			})
		}
		wait.Wait()
		if taken != 1 {
			t.Errorf("%d answers were taken", taken)
		}
	})
}

func TestSecurityCounterThatGoesBack(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSiteOn(t, kind, passkeys.Options{})
		s.User("ann@example.com", secret)
		d := newDevice(t)
		d.counts = true
		s.add(s.in("ann@example.com"), d, "key")
		copied := *d
		client := retorttest.New(t, s.App)
		s.enter(client, d, "/")
		s.enter(client, d, "/")
		s.Told()
		thief := retorttest.New(t, s.App)
		s.enter(thief, &copied, refused)
		thief.Get("/").Contains("nobody")
		if got := s.Told(); !slices.Equal(got, []auth.EventKind{passkeys.Cloned}) {
			t.Errorf("%v", got)
		}
		s.enter(client, d, "/")
	})
}

// The host of a request says nothing about whose passkeys are taken.
func TestSecurityForeignHosts(t *testing.T) {
	t.Parallel()
	s := newSite(t, passkeys.Options{})
	r := s.NewRequest("POST", "/passkeys/login/options", nil)
	r.Host = "evil.example"
	r.Header.Set("X-Forwarded-Host", "evil.example")
	if text := s.Do(r).Text(); strings.Contains(text, "evil") || !strings.Contains(text, siteDomain) {
		t.Error(text)
	}
}

// Who makes an account for the address of another leaves no passkey behind.
func TestSecurityUnprovenAccountsGetNoPasskeys(t *testing.T) {
	t.Parallel()
	s := newSite(t, passkeys.Options{})
	u := s.User("victim@example.com", secret)
	client := s.in("victim@example.com")
	q := ask(t, client, "/passkeys/options")
	u.Verified = nil
	s.Update(u, &auth.Users.Fields().Verified)
	client.Get("/passkeys").Contains("not verified yet").Lacks("Add a passkey")
	client.PostForm("/passkeys/options", nil).Status(403)
	post(client, "/passkeys", newDevice(t).create(q)).Status(403)
	u.Staff = true // whom the site's people made
	s.Update(u, &auth.Users.Fields().Staff)
	s.add(client, newDevice(t), "")
}
