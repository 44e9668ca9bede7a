package session_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/session"
)

func TestGetIsTyped(t *testing.T) {
	t.Parallel()
	type item struct {
		SKU   string
		Count int
	}
	when := time.Date(2026, 11, 20, 9, 30, 0, 123, time.UTC)
	s := session.New()
	s.Set("int", math.MaxInt64)
	s.Set("text", "hello")
	s.Set("bytes", []byte{0, 255})
	s.Set("time", when)
	s.Set("cart", []item{{"a", 1}, {"b", 2}})
	s.Set("nothing", nil)

	if n, ok := session.Get[int64](s, "int"); !ok || n != math.MaxInt64 {
		t.Errorf("int is %d, %v", n, ok)
	}
	if b, ok := session.Get[[]byte](s, "bytes"); !ok || !bytes.Equal(b, []byte{0, 255}) {
		t.Errorf("bytes are %v, %v", b, ok)
	}
	if got, ok := session.Get[time.Time](s, "time"); !ok || !got.Equal(when) {
		t.Errorf("time is %v, %v", got, ok)
	}
	if cart, ok := session.Get[[]item](s, "cart"); !ok || !slices.Equal(cart, []item{{"a", 1}, {"b", 2}}) {
		t.Errorf("cart is %v, %v", cart, ok)
	}
	if p, ok := session.Get[*item](s, "nothing"); !ok || p != nil {
		t.Errorf("nothing is %v, %v", p, ok)
	}
	for _, key := range []string{"text", "unknown"} {
		if n, ok := session.Get[int](s, key); ok || n != 0 {
			t.Errorf("%s as a number is %d, %v", key, n, ok)
		}
	}
	if half, ok := session.Get[[]item](s, "text"); ok || half != nil {
		t.Errorf("text as items is %v, %v", half, ok)
	}
}

func TestGetForTemplates(t *testing.T) {
	t.Parallel()
	s := session.New()
	s.Set("v", map[string]any{"id": int64(1)<<53 + 1, "rate": 0.5, "tags": []any{"a", 1, nil, true}})
	want := map[string]any{"id": int64(1)<<53 + 1, "rate": 0.5, "tags": []any{"a", int64(1), nil, true}}
	if diff := cmp.Diff(want, s.Get("v")); diff != "" {
		t.Errorf("value differs (-want +got):\n%s", diff)
	}
	if got := s.Get("unknown"); got != nil {
		t.Errorf("unknown key is %v", got)
	}
}

// In Flask a change inside a value is lost without session.modified = True;
// here a value is a copy, so it never looks as if it were kept.
func TestValuesAreCopies(t *testing.T) {
	t.Parallel()
	s := session.New()
	list := []string{"a"}
	s.Set("list", list)
	list[0] = "changed"
	got, _ := session.Get[[]string](s, "list")
	got[0] = "changed too"
	if again, _ := session.Get[[]string](s, "list"); again[0] != "a" {
		t.Errorf("list is %v", again)
	}
}

func TestAccessedAndModified(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name               string
		do                 func(*session.Session)
		accessed, modified bool
	}{
		{"nothing", func(*session.Session) {}, false, false},
		{"facts about it", func(s *session.Session) { s.IsNew(); s.Created(); s.IsEmpty(); s.Err() }, false, false},
		{"get", func(s *session.Session) { s.Get("a") }, true, false},
		{"typed get", func(s *session.Session) { session.Get[int](s, "a") }, true, false},
		{"has", func(s *session.Session) { s.Has("x") }, true, false},
		{"len", func(s *session.Session) { s.Len() }, true, false},
		{"keys", func(s *session.Session) { s.Keys() }, true, false},
		{"set", func(s *session.Session) { s.Set("a", 2) }, true, true},
		{"set to what it is", func(s *session.Session) { s.Set("a", 1) }, true, false},
		{"set what cannot be kept", func(s *session.Session) { s.Set("a", func() {}) }, true, false},
		{"delete", func(s *session.Session) { s.Delete("a") }, true, true},
		{"delete nothing", func(s *session.Session) { s.Delete("x") }, true, false},
		{"clear", (*session.Session).Clear, true, true},
		{"rotate", (*session.Session).Rotate, true, true},
		{"user", func(s *session.Session) { s.User() }, true, false},
		{"auth hash", func(s *session.Session) { s.HasAuthHash("x") }, true, false},
		{"time of the login", func(s *session.Session) { s.LoggedIn() }, true, false},
		{"login", func(s *session.Session) { s.Login("7", "") }, true, true},
		{"lifetime", func(s *session.Session) { s.ExpireAfter(time.Hour) }, true, true},
		{"csrf token", func(s *session.Session) { s.CSRFToken() }, true, true},
		{"set modified", (*session.Session).SetModified, true, true},
		{"permanent", func(s *session.Session) { s.Permanent = true }, false, true},
		{"flash", func(s *session.Session) { s.Flash("info", "x") }, true, true},
		{"read flashes", func(s *session.Session) { s.Flashes() }, true, false},
		{"csrf token", func(s *session.Session) { s.CSRFToken() }, true, true},
		{"csrf check", func(s *session.Session) { s.VerifyCSRF("x") }, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			site := cookieSite(t, session.Options{})
			site.request(func(s *session.Session, _ http.Header) { s.Set("a", 1) })
			site.request(func(s *session.Session, _ http.Header) {
				tt.do(s)
				if s.Accessed() != tt.accessed || s.Modified() != tt.modified {
					t.Errorf("accessed %v, modified %v; want %v, %v", s.Accessed(), s.Modified(), tt.accessed, tt.modified)
				}
				s.Discard()
			})
		})
	}
}

func TestValueThatCannotBeKept(t *testing.T) {
	t.Parallel()
	site := cookieSite(t, session.Options{})
	site.request(func(s *session.Session, _ http.Header) { s.Set("a", 1) })
	_, err := site.try(func(s *session.Session, _ http.Header) {
		s.Set("a", make(chan int))
		if got := s.Get("a"); got != int64(1) {
			t.Errorf("a is %v after a failed Set", got)
		}
	})
	if err == nil || !errors.Is(err, session.ErrValue) || !strings.Contains(err.Error(), `value of "a"`) {
		t.Errorf("Commit answers %v", err)
	}
}

func TestRotateKeepsValuesAndChangesIdentity(t *testing.T) {
	t.Parallel()
	s := session.New()
	s.Set("cart", "full")
	id, token := s.ID(), s.CSRFToken()
	s.Rotate()
	if got := s.Get("cart"); got != "full" {
		t.Errorf("cart is %v", got)
	}
	if s.ID() == id {
		t.Error("the ID is the same")
	}
	if s.VerifyCSRF(token) {
		t.Error("a CSRF token from before is accepted")
	}
}

func TestALoginKeepsWhatTheVisitorHadAndChangesTheIdentity(t *testing.T) {
	t.Parallel()
	s := session.New()
	s.Set("cart", "full")
	id, token := s.ID(), s.CSRFToken()
	s.Login("7", "hash")
	if s.User() != "7" || s.Get("cart") != "full" || time.Since(s.LoggedIn()) > time.Minute {
		t.Errorf("user %q, cart %v, logged in %v", s.User(), s.Get("cart"), s.LoggedIn())
	}
	if s.ID() == id || s.VerifyCSRF(token) {
		t.Error("what was known before the login still counts")
	}
	if !s.HasAuthHash("hash") || s.HasAuthHash("") || s.HasAuthHash("other") {
		t.Error("the auth hash is not that of the login")
	}
	id = s.ID()
	s.Login("7", "hash") // confirmed
	if s.Get("cart") != "full" || s.ID() == id {
		t.Error("a confirmed login loses the values or keeps the ID")
	}
	s.Renew("new hash")
	if s.User() != "7" || !s.HasAuthHash("new hash") || s.Get("cart") != "full" {
		t.Error("a new password ends the session it was set in")
	}
	s.Login("7", "hash") // of the old password
	if s.Has("cart") {
		t.Error("values outlive a change of the auth hash")
	}
	s.Set("cart", "full")
	s.Login("8", "hash")
	if s.User() != "8" || s.Has("cart") {
		t.Error("one user sees the values of another")
	}
	s.Clear()
	if s.User() != "" || !s.LoggedIn().IsZero() || s.HasAuthHash("hash") {
		t.Error("the user is still there after the logout")
	}
}

func TestClearLeavesNothing(t *testing.T) {
	t.Parallel()
	s := session.New()
	s.Permanent = true
	s.Set("user", 1)
	s.Flash("info", "x")
	id, token := s.ID(), s.CSRFToken()
	s.Clear()
	if !s.IsEmpty() || s.Permanent || s.Has("user") || len(s.Flashes()) > 0 || s.VerifyCSRF(token) || s.ID() == id {
		t.Error("something is left")
	}
}

func TestFlashes(t *testing.T) {
	t.Parallel()
	site := cookieSite(t, session.Options{})
	flashes := func(want string, categories ...string) {
		t.Helper()
		site.request(func(s *session.Session, _ http.Header) {
			for range 2 { // a second part of the page sees them too
				if got := fmt.Sprint(s.Flashes(categories...)); got != want {
					t.Errorf("messages are %s, want %s", got, want)
				}
			}
		})
	}
	site.request(func(s *session.Session, _ http.Header) {
		s.Flash("info", "one")
		s.Flash("error", "two")
		s.Flash("info", "three")
	})
	site.request(func(s *session.Session, _ http.Header) { s.Len() }) // a page without messages
	flashes("[{error two}]", "error", "fatal")
	flashes("[{info one} {info three}]")
	flashes("[]")
	if site.cookie != nil {
		t.Errorf("a session without anything left keeps its cookie %v", site.cookie)
	}
}

func TestFlashInTheSameRequest(t *testing.T) {
	t.Parallel()
	s := session.New()
	s.Flash("info", "one")
	s.Flashes()
	s.Flash("info", "two")
	if got := fmt.Sprint(s.Flashes()); got != "[{info one} {info two}]" {
		t.Errorf("messages are %s", got)
	}
	if !s.IsEmpty() {
		t.Error("messages already shown are kept for the next request")
	}
}

func TestCSRFToken(t *testing.T) {
	t.Parallel()
	s, other := session.New(), session.New()
	if s.VerifyCSRF("") || s.VerifyCSRF(strings.Repeat("A", 86)) {
		t.Error("a session without a secret accepts a token")
	}
	one, two := s.CSRFToken(), s.CSRFToken()
	if one == two {
		t.Error("two tokens are the same, so a compressed page leaks them")
	}
	if !s.VerifyCSRF(one) || !s.VerifyCSRF(two) || !s.VerifyCSRF(one) {
		t.Error("a token of the session is refused")
	}
	other.CSRFToken()
	if other.VerifyCSRF(one) {
		t.Error("a token of another session is accepted")
	}
	for _, wrong := range []string{"", "x", one[:85], one + "A", one[:85] + "=", one[:40] + "\n" + one[41:], strings.Repeat("A", 86), strings.Repeat("A", 1<<20), one[43:] + one[:43]} {
		if s.VerifyCSRF(wrong) {
			t.Errorf("%.90q is accepted", wrong)
		}
	}
}

func TestChangeAfterCommitIsReported(t *testing.T) {
	t.Parallel()
	site := cookieSite(t, session.Options{})
	var kept *session.Session
	site.request(func(s *session.Session, _ http.Header) {
		s.Set("a", 1)
		kept = s
	})
	if kept.Err() != nil {
		t.Errorf("error before: %v", kept.Err())
	}
	kept.Set("a", 2)
	if !errors.Is(kept.Err(), session.ErrCommitted) {
		t.Errorf("error is %v, want ErrCommitted", kept.Err())
	}
}

func TestSessionPrintsAsPlaceholder(t *testing.T) {
	t.Parallel()
	s := session.New()
	s.Set("card", "4111111111111111")
	s.CSRFToken()
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "session", s)
	fmt.Fprintf(&log, "%v %+v %#v %s %d", s, s, s, s, s)
	if got := strings.Count(log.String(), "session.Session(1)"); got != 6 || strings.Contains(log.String(), "4111") {
		t.Errorf("session prints as %s", log.String())
	}
}
