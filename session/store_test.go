package session_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/retort-web/retort/session"
	"github.com/retort-web/retort/session/sessiontest"
	"github.com/retort-web/retort/signing"
)

// memoryStore is the smallest store on the server, for one process.
type memoryStore struct {
	mu   sync.Mutex
	rows map[[sha256.Size]byte][]byte // by the hash of the ID
}

func newMemoryStore() *memoryStore {
	return &memoryStore{rows: map[[sha256.Size]byte][]byte{}}
}

func row(id string) [sha256.Size]byte { return sha256.Sum256([]byte(id)) }

func (m *memoryStore) Load(_ context.Context, token string) (*session.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.rows[row(token)]
	if !ok {
		return session.New(), nil
	}
	s, err := session.Restore(token, data)
	if err != nil {
		return session.New(), nil
	}
	return s, nil
}

func (m *memoryStore) Save(_ context.Context, s *session.Session) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := s.StoredID()
	if _, ok := m.rows[row(old)]; !ok && old == s.ID() {
		return "", session.ErrGone
	}
	delete(m.rows, row(old))
	m.rows[row(s.ID())] = s.Encode()
	return s.ID(), nil
}

func (m *memoryStore) Delete(_ context.Context, s *session.Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, row(s.StoredID()))
	return nil
}

func TestStores(t *testing.T) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		sessiontest.Server(t, func(*testing.T) session.Store { return newMemoryStore() })
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
	current, err := s.manager.Load(r, s.secure)
	if err != nil {
		return nil, err
	}
	handler(current, w.Header())
	if err := s.manager.Commit(w, r, current, s.secure); err != nil {
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
