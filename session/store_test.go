package session_test

import (
	"encoding/base64"
	"fmt"
	"math/bits"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/retort-web/retort/session"
	"github.com/retort-web/retort/session/sessiontest"
	"github.com/retort-web/retort/signing"
)

func TestStores(t *testing.T) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		sessiontest.Server(t, func(*testing.T) session.ServerStore { return session.NewMemoryStore(session.MemoryOptions{}) })
	})
	t.Run("cookie", func(t *testing.T) {
		sessiontest.Cookie(t, func(t *testing.T) session.Store {
			return session.NewCookieStore(keys(t, testKey), session.CookieOptions{})
		})
	})
}

const testKey = "a key for these tests only"

func keys(tb testing.TB, secrets ...string) *signing.Keys {
	tb.Helper()
	k, err := signing.New(secrets...)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// site is a manager and a browser that keeps one cookie.
type site struct {
	t       testing.TB
	manager *session.Manager
	secure  bool
	cookie  *http.Cookie // as the browser keeps it
}

func newSite(t testing.TB, store session.Store, o session.Options) *site {
	t.Helper()
	m, err := session.NewManager(store, o)
	if err != nil {
		t.Fatal(err)
	}
	return &site{t: t, manager: m}
}

func cookieSite(t testing.TB, o session.Options) *site {
	t.Helper()
	return newSite(t, session.NewCookieStore(keys(t, testKey), session.CookieOptions{}), o)
}

// request runs a handler and keeps the cookie it sets.
func (s *site) request(handler func(s *session.Session, h http.Header)) *http.Response {
	s.t.Helper()
	response, err := s.try(handler)
	if err != nil {
		s.t.Fatal(err)
	}
	return response
}

func (s *site) try(handler func(s *session.Session, h http.Header)) (*http.Response, error) {
	s.t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	if s.cookie != nil {
		r.AddCookie(&http.Cookie{Name: s.cookie.Name, Value: s.cookie.Value})
	}
	w := httptest.NewRecorder()
	current, err := s.manager.Load(s.t.Context(), r, s.secure)
	if err != nil {
		return nil, err
	}
	handler(current, w.Header())
	if err := s.manager.Commit(s.t.Context(), w, r, current, s.secure); err != nil {
		return w.Result(), err
	}
	response := w.Result()
	for _, c := range response.Cookies() {
		if s.cookie = c; c.MaxAge < 0 {
			s.cookie = nil
		}
	}
	return response, nil
}

// value reads what the next request finds under a key.
func (s *site) value(key string) string {
	s.t.Helper()
	var v any
	s.request(func(s *session.Session, _ http.Header) { v = s.Get(key) })
	return fmt.Sprint(v)
}

// A client that brings an ID of its own, as an attacker makes a victim do, gets
// another one (CVE-2024-38513), and one that was known before the login is worthless
// after it.
func TestSecurityTheClientNeverChoosesTheSessionID(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]session.Store{
		"cookie": session.NewCookieStore(keys(t, testKey), session.CookieOptions{}),
		"memory": session.NewMemoryStore(session.MemoryOptions{}),
	} {
		site := newSite(t, store, session.Options{})
		planted := session.New().ID()
		site.cookie = &http.Cookie{Name: "session", Value: planted}
		site.request(func(s *session.Session, _ http.Header) {
			if s.ID() == planted || !s.IsNew() {
				t.Errorf("%s: the planted ID is adopted", name)
			}
			s.Set("cart", "full")
		})
		before := site.cookie.Value
		if before == planted {
			t.Errorf("%s: the planted cookie is sent back", name)
		}
		site.request(func(s *session.Session, _ http.Header) { s.Login("ada", "") })
		if site.cookie.Value == before {
			t.Errorf("%s: the login keeps the cookie", name)
		}
		if name == "memory" {
			site.cookie = &http.Cookie{Name: "session", Value: before}
			site.request(func(s *session.Session, _ http.Header) {
				if s.User() != "" || s.Has("cart") {
					t.Error("the cookie from before the login is logged in")
				}
			})
		}
	}
}

// IDs come from the system's source, and there is no other (CVE-2025-66630).
func TestSecuritySessionIDsAreRandom(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	ones := 0
	for range 2000 {
		id := session.New().ID()
		raw, err := base64.RawURLEncoding.DecodeString(id)
		if err != nil || len(raw) != 32 || seen[id] {
			t.Fatalf("ID %q: %v", id, err)
		}
		seen[id] = true
		for _, b := range raw {
			ones += bits.OnesCount8(b)
		}
	}
	if half := 2000 * 128; ones < half*99/100 || ones > half*101/100 {
		t.Errorf("%d of %d bits are set", ones, 2*half)
	}
}
