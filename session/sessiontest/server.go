package sessiontest

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort/session"
)

// users checks what a store on the server knows of a user's sessions.
func users(t *testing.T, open func(t *testing.T) session.ServerStore) {
	t.Run("the sessions of a user are listed", func(t *testing.T) {
		store := open(t)
		m := manager(t, store, session.Options{})
		first, second := login(t, m, "7", "Browser 1"), login(t, m, "7", "Browser\r\n2"+strings.Repeat("x", 1000))
		login(t, m, "8", "Browser 3")
		saved(t, store) // nobody's
		current := load(t, store, second)
		list, err := m.List(t.Context(), "7", current)
		if err != nil || len(list) != 2 {
			t.Fatalf("%d sessions, %v", len(list), err)
		}
		for _, info := range list {
			want := session.Info{Key: session.Key(first), User: "7", Agent: "Browser 1"}
			if info.Current {
				want.Key, want.Agent = session.Key(second), info.Agent
				if len(info.Agent) > 200 || !strings.HasPrefix(info.Agent, "Browser2x") {
					t.Errorf("the browser is %q", info.Agent)
				}
			}
			if info.Key != want.Key || info.User != want.User || info.Agent != want.Agent || info.Address != "192.0.2.1" {
				t.Errorf("%+v, want %+v", info, want)
			}
			if since := time.Since(info.LastSeen); since < -time.Minute || since > time.Hour || !info.Expires.After(info.LastSeen) || info.LoggedIn.IsZero() {
				t.Errorf("logged in %v, last seen %v, expires %v", info.LoggedIn, info.LastSeen, info.Expires)
			}
		}
		if list, err := m.List(t.Context(), "9", nil); err != nil || len(list) != 0 {
			t.Errorf("a user who never came has %d sessions, %v", len(list), err)
		}
	})
	t.Run("a user ends sessions", func(t *testing.T) {
		store := open(t)
		m := manager(t, store, session.Options{})
		mine, phone, laptop, stranger := login(t, m, "7", ""), login(t, m, "7", ""), login(t, m, "7", ""), login(t, m, "8", "")
		if done, err := m.End(t.Context(), "7", session.Key(stranger)); done || err != nil {
			t.Errorf("ending a session of somebody else: %v, %v", done, err)
		}
		if done, err := m.End(t.Context(), "7", phone); done || err != nil {
			t.Errorf("ending by ID: %v, %v", done, err)
		}
		if done, err := m.End(t.Context(), "7", session.Key(phone)); !done || err != nil {
			t.Errorf("ending one: %v, %v", done, err)
		}
		if n, err := m.EndOthers(t.Context(), load(t, store, mine)); n != 1 || err != nil {
			t.Errorf("ending the others: %d, %v", n, err)
		}
		expect(t, store, map[string]bool{mine: true, phone: false, laptop: false, stranger: true})
		if list, err := m.List(t.Context(), "7", nil); len(list) != 1 || err != nil {
			t.Errorf("%d sessions are listed, %v", len(list), err)
		}
		if n, err := m.EndAll(t.Context(), "7"); n != 1 || err != nil {
			t.Errorf("ending all: %d, %v", n, err)
		}
		expect(t, store, map[string]bool{mine: false, stranger: true})
	})
	t.Run("sessions of nobody cannot be ended together", func(t *testing.T) {
		store := open(t)
		m := manager(t, store, session.Options{})
		token := saved(t, store)
		if _, err := m.EndOthers(t.Context(), session.New()); err == nil {
			t.Error("EndOthers without a user is no error")
		}
		if _, err := m.EndAll(t.Context(), ""); err == nil {
			t.Error("EndAll without a user is no error")
		}
		expect(t, store, map[string]bool{token: true})
	})
	t.Run("a logged out session is no longer listed", func(t *testing.T) {
		store := open(t)
		m := manager(t, store, session.Options{})
		s := load(t, store, login(t, m, "7", ""))
		s.Clear()
		s.Flash("info", "See you")
		save(t, store, s)
		if list, err := m.List(t.Context(), "7", nil); len(list) != 0 || err != nil {
			t.Errorf("%d sessions are listed, %v", len(list), err)
		}
	})
	t.Run("expired sessions are deleted", func(t *testing.T) {
		store := open(t)
		short := manager(t, store, session.Options{})
		kept := login(t, short, "7", "")
		gone := make([]string, 5)
		for i := range gone {
			gone[i] = request(t, short, "", "", func(s *session.Session) {
				s.Login("7", "")
				s.ExpireAfter(time.Nanosecond) // a second, as that is what times are kept in
			})
		}
		deadline := time.Now().Add(time.Minute)
		for _, token := range gone {
			for !load(t, store, token).IsNew() {
				if time.Now().After(deadline) {
					t.Fatal("an expired session is still found")
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
		if n, err := store.DeleteExpired(t.Context(), 2); n > 2 || err != nil {
			t.Errorf("%d deleted where 2 was the limit, %v", n, err)
		}
		if _, err := short.DeleteExpired(t.Context()); err != nil {
			t.Error(err)
		}
		if n, err := store.DeleteExpired(t.Context(), 10); n != 0 || err != nil {
			t.Errorf("%d were left, %v", n, err)
		}
		if list, err := short.List(t.Context(), "7", nil); len(list) != 1 || err != nil {
			t.Errorf("%d sessions are listed, %v", len(list), err)
		}
		expect(t, store, map[string]bool{kept: true})
	})
}

// concurrency checks that requests of one visitor at the same time do not undo
// each other's work.
func concurrency(t *testing.T, open func(t *testing.T) session.ServerStore) {
	t.Run("changes of two requests are both kept", func(t *testing.T) {
		store := open(t)
		token := saved(t, store)
		one, two := load(t, store, token), load(t, store, token)
		one.Set("a", 1)
		one.Flash("info", "one")
		two.Set("b", 2)
		two.Delete("n")
		two.Flash("info", "two")
		oneToken, twoToken := one.CSRFToken(), two.CSRFToken()
		save(t, store, one)
		save(t, store, two)
		got := load(t, store, token)
		if keys := fmt.Sprint(got.Keys()); keys != "[a b]" {
			t.Errorf("keys are %s", keys)
		}
		if m := fmt.Sprint(got.Flashes()); m != "[{info one} {info two}]" {
			t.Errorf("messages are %s", m)
		}
		if !got.VerifyCSRF(oneToken) || !got.VerifyCSRF(twoToken) {
			t.Error("the form of one of them is refused")
		}
	})
	t.Run("a message is not shown twice", func(t *testing.T) {
		store := open(t)
		s := session.New()
		s.Set("n", 1)
		s.Flash("info", "one")
		token := save(t, store, s)
		one, two := load(t, store, token), load(t, store, token)
		one.Flashes()
		two.Set("a", 1)
		save(t, store, one)
		save(t, store, two)
		if m := load(t, store, token).Flashes(); len(m) != 0 {
			t.Errorf("messages are %v", m)
		}
	})
	t.Run("a rotation keeps what another request wrote", func(t *testing.T) {
		store := open(t)
		token := saved(t, store)
		one, two := load(t, store, token), load(t, store, token)
		one.Set("a", 1)
		save(t, store, one)
		two.Login("7", "")
		if got := load(t, store, save(t, store, two)); got.User() != "7" || fmt.Sprint(got.Keys()) != "[a n]" {
			t.Errorf("user %q, keys %v", got.User(), got.Keys())
		}
		expect(t, store, map[string]bool{token: false})
	})
	t.Run("a logout takes nothing over", func(t *testing.T) {
		store := open(t)
		token := saved(t, store)
		one, two := load(t, store, token), load(t, store, token)
		one.Set("a", 1)
		save(t, store, one)
		two.Clear()
		two.Flash("info", "See you")
		if got := load(t, store, save(t, store, two)); got.Len() != 0 {
			t.Errorf("keys are %v", got.Keys())
		}
		expect(t, store, map[string]bool{token: false})
	})
	t.Run("many requests at once lose nothing", func(t *testing.T) {
		store := open(t)
		token := saved(t, store)
		const requests = 8
		var begin sync.WaitGroup
		begin.Add(requests)
		var wg sync.WaitGroup
		for i := range requests {
			wg.Go(func() {
				s, err := store.Load(t.Context(), token)
				begin.Done()
				if err != nil {
					t.Errorf("Load: %v", err)
					return
				}
				begin.Wait()
				s.Set(fmt.Sprint("key ", i), i)
				if _, err := store.Save(t.Context(), s); err != nil {
					t.Errorf("Save: %v", err)
				}
			})
		}
		wg.Wait()
		if got := load(t, store, token).Len(); got != requests+1 {
			t.Errorf("%d values, want %d", got, requests+1)
		}
	})
	t.Run("a deleted session stays deleted under load", func(t *testing.T) {
		store := open(t)
		token := saved(t, store)
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				for j := range 5 {
					s, err := store.Load(t.Context(), token)
					if err != nil {
						t.Errorf("Load: %v", err)
						return
					}
					if s.IsNew() {
						return
					}
					s.Set("n", 10*i+j)
					if _, err := store.Save(t.Context(), s); err != nil && !errors.Is(err, session.ErrGone) {
						t.Errorf("Save: %v", err)
					}
				}
			})
		}
		if err := store.Delete(t.Context(), load(t, store, token)); err != nil {
			t.Errorf("Delete: %v", err)
		}
		wg.Wait()
		expect(t, store, map[string]bool{token: false})
	})
}

// expect checks which tokens find a session.
func expect(t *testing.T, store session.Store, there map[string]bool) {
	t.Helper()
	for token, want := range there {
		if got := !load(t, store, token).IsNew(); got != want {
			t.Errorf("a session is there: %v, want %v", got, want)
		}
	}
}

func manager(t *testing.T, store session.Store, o session.Options) *session.Manager {
	t.Helper()
	o.Address = func(*http.Request) string { return "192.0.2.1" }
	m, err := session.NewManager(store, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// login logs a user in with a browser of that name and returns the token.
func login(t *testing.T, m *session.Manager, user, agent string) string {
	t.Helper()
	return request(t, m, "", agent, func(s *session.Session) { s.Login(user, "") })
}

// request runs a handler with the session of a token and returns the new token.
func request(t *testing.T, m *session.Manager, token, agent string, handler func(s *session.Session)) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("User-Agent", agent)
	if token != "" {
		r.AddCookie(&http.Cookie{Name: m.CookieName(false), Value: token})
	}
	s, err := m.Load(t.Context(), r, false)
	if err != nil {
		t.Fatal(err)
	}
	handler(s)
	w := httptest.NewRecorder()
	if err := m.Commit(t.Context(), w, r, s, false); err != nil {
		t.Fatal(err)
	}
	for _, c := range w.Result().Cookies() {
		token = c.Value
	}
	return token
}
