package session_test

import (
	"fmt"
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
