// Package sessiontest checks that a [session.Store] follows the rules its
// interface states. A store's own tests call it:
//
//	func TestStore(t *testing.T) {
//		sessiontest.Server(t, func(t *testing.T) session.ServerStore { return openStore(t) })
//	}
package sessiontest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort/session"
)

// Server checks a store that keeps sessions on the server. Every part of the
// test opens a store of its own, which is empty.
func Server(t *testing.T, open func(t *testing.T) session.ServerStore) {
	Cookie(t, func(t *testing.T) session.Store { return open(t) })
	users(t, open)
	concurrency(t, open)
	ended(t, open)
	t.Run("the token is the ID", func(t *testing.T) {
		s := session.New()
		s.Set("user", 1)
		if token := save(t, open(t), s); token != s.ID() {
			t.Errorf("token is %q, the ID %q", token, s.ID())
		}
	})
	t.Run("a rotated session leaves its old token", func(t *testing.T) {
		store := open(t)
		old := saved(t, store)
		s := load(t, store, old)
		s.Rotate()
		fresh := save(t, store, s)
		if fresh == old {
			t.Error("the token is still the old one")
		}
		if !load(t, store, old).IsNew() {
			t.Error("the old token still finds the session")
		}
		if n, _ := session.Get[int](load(t, store, fresh), "n"); n != 1 {
			t.Error("the new token does not find the values")
		}
	})
	t.Run("a deleted session is gone", func(t *testing.T) {
		store := open(t)
		token, other := saved(t, store), saved(t, store)
		s := load(t, store, token)
		for range 2 { // that there is nothing any more is no error
			if err := store.Delete(t.Context(), s); err != nil {
				t.Fatalf("Delete: %v", err)
			}
		}
		if !load(t, store, token).IsNew() {
			t.Error("it is still found")
		}
		if load(t, store, other).IsNew() {
			t.Error("another one is gone too")
		}
	})
	t.Run("a session deleted meanwhile is not created again", func(t *testing.T) {
		store := open(t)
		token := saved(t, store)
		slow := load(t, store, token)
		if err := store.Delete(t.Context(), load(t, store, token)); err != nil {
			t.Fatalf("Delete: %v", err)
		}
		slow.Set("n", 2)
		if _, err := store.Save(t.Context(), slow); !errors.Is(err, session.ErrGone) {
			t.Errorf("Save answers %v, want ErrGone", err)
		}
		slow.Rotate()
		if _, err := store.Save(t.Context(), slow); !errors.Is(err, session.ErrGone) {
			t.Errorf("Save under a new ID answers %v, want ErrGone", err)
		}
		if !load(t, store, token).IsNew() || !load(t, store, slow.ID()).IsNew() {
			t.Error("it is back")
		}
	})
	t.Run("a login in a session deleted meanwhile counts", func(t *testing.T) {
		store := open(t)
		token := saved(t, store)
		s := load(t, store, token)
		if err := store.Delete(t.Context(), load(t, store, token)); err != nil {
			t.Fatalf("Delete: %v", err)
		}
		s.Login("7", "")
		if got := load(t, store, save(t, store, s)); got.User() != "7" {
			t.Errorf("the user is %q", got.User())
		}
	})
	t.Run("a logout keeps what is set after it", func(t *testing.T) {
		store := open(t)
		old := saved(t, store)
		s := load(t, store, old)
		s.Clear()
		s.Flash("info", "See you")
		fresh := save(t, store, s)
		if !load(t, store, old).IsNew() {
			t.Error("the old token still finds the session")
		}
		if m := load(t, store, fresh).Flashes(); len(m) != 1 {
			t.Errorf("messages are %v", m)
		}
	})
}

// Cookie checks a store that keeps sessions in the token itself. Nothing is
// asked that only a server can do, such as forgetting a token.
func Cookie(t *testing.T, open func(t *testing.T) session.Store) {
	t.Run("an unknown token gives a new session", func(t *testing.T) {
		store := open(t)
		genuine := saved(t, store)
		for _, token := range []string{
			"", "x", "../../etc/passwd", "\x00", "' OR 1=1 --", "\xff\xfe", "%s%n", strings.Repeat("A", 43),
			strings.Repeat("A", 1<<20), genuine + "A", genuine[1:], strings.ToUpper(genuine), " " + genuine,
		} {
			s := load(t, store, token)
			if !s.IsNew() || !s.IsEmpty() || s.StoredID() != "" {
				t.Errorf("token %.50q gives a session with %v", token, s.Keys())
			}
			// An ID that a client chose is one that an attacker knows.
			if s.ID() == token || len(s.ID()) < 32 {
				t.Errorf("token %.50q is adopted", token)
			}
		}
	})
	t.Run("everything of a session comes back", func(t *testing.T) {
		store := open(t)
		s := session.New()
		s.Permanent = true
		s.Set("name", "Zoë \x00 <&>")
		s.Set("big", int64(1)<<62+1)
		s.Set("list", []string{"a", "b"})
		s.Flash("info", "Saved")
		s.Login("7", "hash")
		s.ExpireAfter(time.Hour)
		csrf := s.CSRFToken()
		got := load(t, store, save(t, store, s))
		if got.IsNew() || got.Modified() || got.Accessed() || !got.Permanent {
			t.Errorf("new %v, modified %v, accessed %v, permanent %v", got.IsNew(), got.Modified(), got.Accessed(), got.Permanent)
		}
		if !got.Created().Equal(s.Created()) {
			t.Errorf("created %v, want %v", got.Created(), s.Created())
		}
		if want := []string{"big", "list", "name"}; !slices.Equal(got.Keys(), want) {
			t.Errorf("keys are %q, want %q", got.Keys(), want)
		}
		if name, _ := session.Get[string](got, "name"); name != "Zoë \x00 <&>" {
			t.Errorf("name is %q", name)
		}
		if big, _ := session.Get[int64](got, "big"); big != int64(1)<<62+1 {
			t.Errorf("big is %d", big)
		}
		if m := got.Flashes(); len(m) != 1 || m[0] != (session.FlashMessage{Category: "info", Text: "Saved"}) {
			t.Errorf("messages are %v", m)
		}
		if got.User() != "7" || !got.HasAuthHash("hash") || !got.LoggedIn().Equal(s.LoggedIn()) {
			t.Errorf("user %q, logged in %v", got.User(), got.LoggedIn())
		}
		if !got.VerifyCSRF(csrf) {
			t.Error("the CSRF token is refused")
		}
	})
	t.Run("a change is kept only by saving it", func(t *testing.T) {
		store := open(t)
		token := saved(t, store)
		s := load(t, store, token)
		s.Set("n", 2)
		s.Set("more", true)
		if got := load(t, store, token); got.Len() != 1 || got.Get("n") != int64(1) {
			t.Errorf("an unsaved change is seen: %v", got.Keys())
		}
		if got := load(t, store, save(t, store, s)); got.Len() != 2 || got.Get("n") != int64(2) {
			t.Errorf("a saved change is lost: %v", got.Keys())
		}
	})
	t.Run("sessions do not mix under load", func(t *testing.T) {
		store := open(t)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for j := range 5 {
					s := session.New()
					s.Set("n", fmt.Sprint(i, j))
					token, err := store.Save(t.Context(), s)
					if err != nil {
						t.Errorf("Save: %v", err)
						return
					}
					got, err := store.Load(t.Context(), token)
					if err != nil {
						t.Errorf("Load: %v", err)
						return
					}
					if n, _ := session.Get[string](got, "n"); n != fmt.Sprint(i, j) {
						t.Errorf("n is %q, want %d %d", n, i, j)
					}
				}
			})
		}
		wg.Wait()
	})
}

// saved keeps a session with n = 1 and returns its token.
func saved(t *testing.T, store session.Store) string {
	t.Helper()
	s := session.New()
	s.Set("n", 1)
	return save(t, store, s)
}

func save(t *testing.T, store session.Store, s *session.Session) string {
	t.Helper()
	token, err := store.Save(t.Context(), s)
	if err != nil {
		t.Fatalf("Save: %v", err)
	}
	return token
}

func load(t *testing.T, store session.Store, token string) *session.Session {
	t.Helper()
	s, err := store.Load(t.Context(), token)
	if err != nil || s == nil {
		t.Fatalf("Load of %.50q: %v, %v", token, s, err)
	}
	return s
}
