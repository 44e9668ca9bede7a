package sessiontest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/retort-web/retort/session"
)

// ended checks what a request is told whose session was deleted while it ran.
func ended(t *testing.T, open func(t *testing.T) session.ServerStore) {
	for _, tt := range []struct {
		name string
		do   func(s *session.Session)
		want error
	}{
		{"is read", func(s *session.Session) { s.Get("n") }, nil},
		{"is shown its messages", func(s *session.Session) { s.Flashes() }, nil},
		{"is given a token", func(s *session.Session) { s.CSRFToken() }, nil},
		{"is changed", func(s *session.Session) { s.Set("n", 2) }, session.ErrGone},
		{"loses a value", func(s *session.Session) { s.Delete("n") }, session.ErrGone},
		{"gets a message", func(s *session.Session) { s.Flash("info", "Saved") }, session.ErrGone},
		{"is renewed", func(s *session.Session) { s.Renew("hash") }, session.ErrGone},
		{"is to last", func(s *session.Session) { s.ExpireAfter(time.Hour) }, session.ErrGone},
		{"is made permanent", func(s *session.Session) { s.Permanent = true }, session.ErrGone},
		{"is cleared", (*session.Session).Clear, nil},
	} {
		t.Run("a session deleted meanwhile "+tt.name, func(t *testing.T) {
			store := open(t)
			m := manager(t, store, session.Options{RefreshEachRequest: true})
			token := request(t, m, "", "", func(s *session.Session) {
				s.Login("7", "")
				s.Set("n", 1)
				s.Flash("info", "Welcome")
			})
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.AddCookie(&http.Cookie{Name: m.CookieName(false), Value: token})
			s, err := m.Load(t.Context(), r, false)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := m.EndAll(t.Context(), "7"); n != 1 || err != nil {
				t.Fatalf("EndAll ends %d: %v", n, err)
			}
			tt.do(s)
			w := httptest.NewRecorder()
			if err := m.Commit(t.Context(), w, r, s, false); !errors.Is(err, tt.want) {
				t.Errorf("Commit answers %v, want %v", err, tt.want)
			}
			if !errors.Is(s.Err(), tt.want) {
				t.Errorf("the session's error is %v, want %v", s.Err(), tt.want)
			}
			for _, c := range w.Result().Cookies() {
				if c.MaxAge >= 0 {
					t.Errorf("the cookie %s is sent", c)
				}
			}
			if !load(t, store, token).IsNew() || !load(t, store, s.ID()).IsNew() {
				t.Error("the session is back")
			}
		})
	}
}
