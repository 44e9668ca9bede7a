package session_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/retort-web/retort/session"
	"github.com/retort-web/retort/signing"
)

func set(key string, value any) func(*session.Session, http.Header) {
	return func(s *session.Session, _ http.Header) { s.Set(key, value) }
}

func TestCookieFlags(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		options session.Options
		secure  bool
		want    string // the Set-Cookie header without the value
	}{
		{"plain", session.Options{}, false, "session=; Path=/; HttpOnly; SameSite=Lax"},
		{"TLS", session.Options{}, true, "__Host-session=; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{"secure by option", session.Options{Secure: true}, false, "__Host-session=; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{"path under TLS", session.Options{Path: "/shop"}, true, "__Secure-session=; Path=/shop; HttpOnly; Secure; SameSite=Lax"},
		{"domain under TLS", session.Options{Domain: "example.org"}, true, "__Secure-session=; Path=/; Domain=example.org; HttpOnly; Secure; SameSite=Lax"},
		{"name and strict", session.Options{Name: "sid", SameSite: http.SameSiteStrictMode}, false, "sid=; Path=/; HttpOnly; SameSite=Strict"},
		{"other sites", session.Options{SameSite: http.SameSiteNoneMode, Secure: true, Partitioned: true}, true, "__Host-session=; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"},
		{"partitioned without TLS", session.Options{Partitioned: true}, false, "session=; Path=/; HttpOnly; SameSite=Lax"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			site := cookieSite(t, tt.options)
			site.secure = tt.secure
			got := site.request(set("a", 1)).Header.Get("Set-Cookie")
			if name, rest, _ := strings.Cut(got, "="); name+"="+rest[strings.Index(rest, ";"):] != tt.want {
				t.Errorf("cookie is %q, want %q", got, tt.want)
			}
			if got := site.value("a"); got != "1" {
				t.Errorf("the next request reads %s", got)
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	store := session.NewCookieStore(nil, session.CookieOptions{})
	for _, tt := range []struct {
		name    string
		store   session.Store
		options session.Options
		want    string
	}{
		{"no store", nil, session.Options{}, "no store"},
		{"negative lifetime", store, session.Options{Lifetime: -1}, "negative"},
		{"SameSite=None without Secure", store, session.Options{SameSite: http.SameSiteNoneMode}, "set Secure"},
		{"prefixed name", store, session.Options{Name: "__Host-x"}, "leave it out"},
		{"name with a space", store, session.Options{Name: "a b"}, "no valid cookie"},
		{"path without slash", store, session.Options{Path: "shop"}, "begin with a slash"},
		{"path with a semicolon", store, session.Options{Path: "/;Domain=x"}, "no valid cookie"},
		{"bad domain", store, session.Options{Domain: "a b"}, "no valid cookie"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := session.NewManager(tt.store, tt.options); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestPermanentCookieHasAnAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site := cookieSite(t, session.Options{Lifetime: time.Hour, AbsoluteLifetime: 90 * time.Minute})
		age := func(want string, do func(*session.Session, http.Header)) {
			t.Helper()
			got := site.request(do).Header.Get("Set-Cookie")
			if strings.Contains(got, "Max-Age") != (want != "") || !strings.Contains(got, want) {
				t.Errorf("cookie is %q, want %q", got, want)
			}
		}
		age("", set("a", 1))
		age("Max-Age=3600;", func(s *session.Session, _ http.Header) { s.Permanent = true })
		time.Sleep(50 * time.Minute)
		age("Max-Age=2400;", set("a", 2)) // no longer than the absolute end
		age("", func(s *session.Session, _ http.Header) { s.Permanent = false })
	})
}

// What a response tells caches and the browser, row by row.
func TestResponseHeaders(t *testing.T) {
	t.Parallel()
	const private = "private, no-store"
	for _, tt := range []struct {
		name    string
		before  bool // the visitor has a session
		do      func(s *session.Session, h http.Header)
		cookie  string // "", "set" or "deleted"
		vary    string
		caching string
	}{
		{"untouched", true, func(*session.Session, http.Header) {}, "", "", ""},
		{"read", true, func(s *session.Session, _ http.Header) { s.Get("a") }, "", "Cookie", private},
		{"peeked at", true, func(s *session.Session, _ http.Header) { s.Has("x") }, "", "Cookie", private},
		{"read without one", false, func(s *session.Session, _ http.Header) { s.Get("a") }, "", "Cookie", private},
		{"changed", true, set("a", 2), "set", "Cookie", private},
		{"begun", false, set("a", 2), "set", "Cookie", private},
		{"emptied", true, func(s *session.Session, _ http.Header) { s.Delete("a") }, "deleted", "Cookie", private},
		{"ended", true, func(s *session.Session, _ http.Header) { s.Clear() }, "deleted", "Cookie", private},
		{"begun and ended", false, func(s *session.Session, _ http.Header) { s.Set("b", 1); s.Clear() }, "", "Cookie", private},
		{"rotated while empty", false, func(s *session.Session, _ http.Header) { s.Rotate() }, "", "Cookie", private},
		{"given up", true, func(s *session.Session, _ http.Header) { s.Set("a", 2); s.Discard() }, "", "Cookie", private},
		{"permanent and empty", false, func(s *session.Session, _ http.Header) { s.Permanent = true }, "", "Cookie", private},
		{
			"Vary of the handler is kept", true,
			func(s *session.Session, h http.Header) { s.Get("a"); h.Set("Vary", "Accept-Encoding") },
			"", "Accept-Encoding|Cookie", private,
		},
		{
			"Vary names it already", true,
			func(s *session.Session, h http.Header) { s.Get("a"); h.Set("Vary", "Accept , cookie") },
			"", "Accept , cookie", private,
		},
		{
			"Vary is everything", true,
			func(s *session.Session, h http.Header) { s.Get("a"); h.Set("Vary", "* ") },
			"", "* ", private,
		},
		{
			"a handler that knows better is left alone", true,
			func(s *session.Session, h http.Header) { s.Get("a"); h.Set("Cache-Control", "private, max-age=60") },
			"", "Cookie", "private, max-age=60",
		},
		{
			"public with a cookie cannot be", true,
			func(s *session.Session, h http.Header) {
				s.Set("a", 2)
				h.Set("Cache-Control", "PUBLIC , max-age=60, S-MaxAge=9,, immutable")
			},
			"set", "Cookie", "max-age=60, immutable, private",
		},
		{
			"a cookie and no word of caches", true,
			func(s *session.Session, h http.Header) { s.Set("a", 2); h.Set("Cache-Control", "max-age=60") },
			"set", "Cookie", "max-age=60, private",
		},
		{
			"private for one header is not private", true,
			func(s *session.Session, h http.Header) {
				s.Set("a", 2)
				h.Set("Cache-Control", `private="X-A, X-B", public`)
			},
			"set", "Cookie", `private="X-A, X-B", private`,
		},
		{
			"deleting is no more public", true,
			func(s *session.Session, h http.Header) { s.Clear(); h.Set("Cache-Control", "public") },
			"deleted", "Cookie", "private",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			site := cookieSite(t, session.Options{})
			if tt.before {
				site.request(set("a", 1))
			}
			h := site.request(tt.do).Header
			cookie := ""
			if line := h.Get("Set-Cookie"); line != "" {
				cookie = "set"
				if strings.Contains(line, "Max-Age=0") {
					cookie = "deleted"
				}
			}
			if cookie != tt.cookie {
				t.Errorf("cookie is %q (%q), want %q", cookie, h.Get("Set-Cookie"), tt.cookie)
			}
			if got := strings.Join(h.Values("Vary"), "|"); got != tt.vary {
				t.Errorf("Vary is %q, want %q", got, tt.vary)
			}
			if got := strings.Join(h.Values("Cache-Control"), "|"); got != tt.caching {
				t.Errorf("Cache-Control is %q, want %q", got, tt.caching)
			}
		})
	}
}

func TestDeletedCookieMatchesTheOneThatWasSet(t *testing.T) {
	t.Parallel()
	site := cookieSite(t, session.Options{Path: "/shop", Domain: "example.org"})
	site.secure = true
	site.request(set("a", 1))
	got := site.request(func(s *session.Session, _ http.Header) { s.Clear() }).Header.Get("Set-Cookie")
	want := "__Secure-session=; Path=/shop; Domain=example.org; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax"
	if got != want {
		t.Errorf("cookie is %q, want %q", got, want)
	}
}

func TestLifetime(t *testing.T) {
	t.Parallel()
	read := func(s *session.Session, _ http.Header) { s.Get("a") }
	for _, tt := range []struct {
		name    string
		options session.Options
		steps   []time.Duration // between requests that read the session
		want    string
	}{
		{"just in time", session.Options{Lifetime: time.Hour}, []time.Duration{time.Hour}, "1"},
		{"too late, also for a cookie without an age", session.Options{Lifetime: time.Hour}, []time.Duration{time.Hour + time.Second}, "<nil>"},
		{"31 days by default", session.Options{}, []time.Duration{31 * 24 * time.Hour}, "1"},
		{"not longer by default", session.Options{}, []time.Duration{31*24*time.Hour + time.Second}, "<nil>"},
		{"kept alive by use", session.Options{Lifetime: time.Hour}, []time.Duration{50 * time.Minute, 50 * time.Minute, 50 * time.Minute}, "1"},
		{"use within a tenth is not noted", session.Options{Lifetime: time.Hour}, []time.Duration{5 * time.Minute, 56 * time.Minute}, "<nil>"},
		{"use is noted at once if asked for", session.Options{Lifetime: time.Hour, RefreshEachRequest: true}, []time.Duration{5 * time.Minute, 56 * time.Minute}, "1"},
		{"absolute end", session.Options{Lifetime: time.Hour, AbsoluteLifetime: 2 * time.Hour}, []time.Duration{50 * time.Minute, 50 * time.Minute, 21 * time.Minute}, "<nil>"},
		{"before the absolute end", session.Options{Lifetime: time.Hour, AbsoluteLifetime: 2 * time.Hour}, []time.Duration{50 * time.Minute, 50 * time.Minute, 19 * time.Minute}, "1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for name, store := range map[string]session.Store{
					"cookie": session.NewCookieStore(keys(t, testKey), session.CookieOptions{}),
					"memory": session.NewMemoryStore(session.MemoryOptions{}),
				} {
					site := newSite(t, store, tt.options)
					site.request(set("a", 1))
					for i, step := range tt.steps {
						time.Sleep(step)
						if i < len(tt.steps)-1 {
							site.request(read)
						}
					}
					if got := site.value("a"); got != tt.want {
						t.Errorf("%s: value is %s, want %s", name, got, tt.want)
					}
				}
			})
		})
	}
}

func TestUseThatIsNotedSeldomSendsACookie(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site := cookieSite(t, session.Options{Lifetime: 10 * time.Hour})
		site.request(set("a", 1))
		for i := range 5 {
			time.Sleep(20 * time.Minute)
			sent := site.request(func(s *session.Session, _ http.Header) { s.Get("a") }).Header.Get("Set-Cookie") != ""
			if want := i == 2; sent != want {
				t.Errorf("after %d minutes: cookie sent is %v, want %v", 20*(i+1), sent, want)
			}
		}
	})
}

func TestALoginBeginsTheAbsoluteLifetimeAnew(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do   func(s *session.Session, h http.Header)
		want string
	}{
		"login":    {func(s *session.Session, _ http.Header) { s.Login("7", "") }, "1"},
		"rotation": {func(s *session.Session, _ http.Header) { s.Rotate() }, "<nil>"}, // else an old one could live for ever
	} {
		synctest.Test(t, func(t *testing.T) {
			site := cookieSite(t, session.Options{AbsoluteLifetime: time.Hour})
			site.request(set("a", 1))
			time.Sleep(50 * time.Minute)
			site.request(tt.do)
			time.Sleep(50 * time.Minute)
			if got := site.value("a"); got != tt.want {
				t.Errorf("%s: value is %s, want %s", name, got, tt.want)
			}
		})
	}
}

func TestASessionMayHaveALifetimeOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]session.Store{
		"cookie": session.NewCookieStore(keys(t, testKey), session.CookieOptions{}),
		"memory": session.NewMemoryStore(session.MemoryOptions{}),
	} {
		synctest.Test(t, func(t *testing.T) {
			site := newSite(t, store, session.Options{Lifetime: 10 * time.Hour})
			site.request(func(s *session.Session, _ http.Header) {
				s.Set("a", 1)
				s.ExpireAfter(time.Hour)
			})
			for _, step := range []struct {
				after time.Duration
				want  string
			}{{50 * time.Minute, "1"}, {50 * time.Minute, "1"}, {70 * time.Minute, "<nil>"}} {
				time.Sleep(step.after)
				if got := site.value("a"); got != step.want {
					t.Errorf("%s: after %v more: %s, want %s", name, step.after, got, step.want)
				}
			}
		})
	}
}

// A crawler leaves a session behind for each form that it fetches.
func TestSessionsOfFormsAloneEndSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := session.NewMemoryStore(session.MemoryOptions{})
		for range 10 {
			newSite(t, store, session.Options{}).request(func(s *session.Session, _ http.Header) { s.CSRFToken() })
		}
		visitor := newSite(t, store, session.Options{})
		visitor.request(func(s *session.Session, _ http.Header) { s.CSRFToken(); s.Set("a", 1) })
		time.Sleep(25 * time.Hour)
		if n, err := store.DeleteExpired(t.Context(), 100); n != 10 || err != nil {
			t.Errorf("%d sessions had expired, %v", n, err)
		}
		if got := visitor.value("a"); got != "1" {
			t.Errorf("value is %s", got)
		}
	})
}

func TestReadingAServerSessionWritesSeldom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &countingStore{ServerStore: session.NewMemoryStore(session.MemoryOptions{})}
		site := newSite(t, store, session.Options{})
		site.request(set("a", 1))
		for range 60 {
			time.Sleep(time.Minute)
			site.value("a")
		}
		if store.saves != 1+6 { // every ten minutes
			t.Errorf("%d writes in an hour of reading", store.saves)
		}
		saves := store.saves
		site.request(set("a", 1)) // what it is
		if store.saves != saves {
			t.Error("nothing changed, and it was written")
		}
	})
}

// countingStore counts how often something is saved.
type countingStore struct {
	session.ServerStore
	saves int
}

func (c *countingStore) Save(ctx context.Context, s *session.Session) (string, error) {
	c.saves++
	return c.ServerStore.Save(ctx, s)
}

// A clock that was set back must not end sessions, and one that was far ahead
// must not make them immortal.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		ahead time.Duration
		want  string
	}{
		{signing.ClockSkew - time.Second, "1"},
		{time.Hour, "<nil>"},
	} {
		for name, store := range map[string]session.Store{
			"cookie": session.NewCookieStore(keys(t, testKey), session.CookieOptions{}),
			"memory": session.NewMemoryStore(session.MemoryOptions{}),
		} {
			var site *site
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(tt.ahead)
				site = newSite(t, store, session.Options{})
				site.request(set("a", 1))
			})
			synctest.Test(t, func(t *testing.T) { // begins at the same time again
				site.t = t
				if got := site.value("a"); got != tt.want {
					t.Errorf("%s, %v ahead: value is %s, want %s", name, tt.ahead, got, tt.want)
				}
			})
		}
	}
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	const oldKey = "the key of last year"
	store := func(secrets ...string) session.Store {
		return session.NewCookieStore(keys(t, secrets...), session.CookieOptions{})
	}
	site := newSite(t, store(oldKey), session.Options{})
	site.request(set("a", 1))

	rotated := newSite(t, store(testKey, oldKey), session.Options{})
	rotated.cookie = site.cookie
	if got := rotated.value("a"); got != "1" {
		t.Errorf("with the old key as fallback the value is %s", got)
	}
	rotated.request(set("b", 1))

	after := newSite(t, store(testKey), session.Options{})
	after.cookie = rotated.cookie
	if got := after.value("a"); got != "1" {
		t.Errorf("the cookie was not made anew with the first key: value is %s", got)
	}
	after.cookie = site.cookie
	if got := after.value("a"); got != "<nil>" {
		t.Errorf("a dropped key still reads: value is %s", got)
	}
}

// Browsers send several cookies of a name if they were set for several paths
// or domains; one of them may have been planted.
func TestSeveralCookies(t *testing.T) {
	t.Parallel()
	site := cookieSite(t, session.Options{})
	site.secure = true
	cookie := func(value int) string {
		site.cookie = nil
		site.request(set("a", value))
		return site.cookie.Value
	}
	one, two := cookie(1), cookie(2)
	for _, tt := range []struct {
		name   string
		header string
		want   any
	}{
		{"the first counts", "__Host-session=" + one + "; __Host-session=" + two, int64(1)},
		{"a broken one is passed over", "__Host-session=broken; __Host-session=" + two, int64(2)},
		{"an empty one is passed over", "__Host-session=; __Host-session=" + two, int64(2)},
		{"a quoted one is read", `__Host-session="` + one + `"`, int64(1)},
		{"a cookie without a name is none", "=__Host-session=" + one, nil},
		{"the name without the prefix is none", "session=" + one, nil},
		{"another case is none", "__host-session=" + one, nil},
		{"only the first few are tried", strings.Repeat("__Host-session=broken; ", 50) + "__Host-session=" + one, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Cookie", tt.header)
			s, err := site.manager.Load(r.Context(), r, true)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Get("a"); got != tt.want {
				t.Errorf("value is %v, want %v", got, tt.want)
			}
		})
	}
}

func TestBrokenCookieIsNobody(t *testing.T) {
	t.Parallel()
	site := cookieSite(t, session.Options{})
	site.request(set("a", 1))
	good := *site.cookie
	for _, value := range []string{"x", good.Value[:len(good.Value)-1], strings.Repeat("A", 1<<20), "%00", "AQ"} {
		site.cookie = &http.Cookie{Name: good.Name, Value: value}
		response := site.request(func(s *session.Session, _ http.Header) {
			if !s.IsNew() || s.Has("a") {
				t.Errorf("%.20q is somebody", value)
			}
		})
		if got := response.Header.Get("Set-Cookie"); got != "" {
			t.Errorf("%.20q is answered with %q", value, got)
		}
	}
}

// TestMessagesThatNobodyReads fills a session with more than a cookie holds.
func TestMessagesThatNobodyReads(t *testing.T) {
	t.Parallel()
	site := cookieSite(t, session.Options{})
	last := ""
	for range 100 {
		last = fmt.Sprintf("%x%x%x%x%x%x", rand.Uint64(), rand.Uint64(), rand.Uint64(), rand.Uint64(), rand.Uint64(), rand.Uint64())
		if _, err := site.try(func(s *session.Session, _ http.Header) {
			s.Set("user", 1)
			s.Flash("info", last)
		}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := site.try(func(s *session.Session, _ http.Header) {
		messages := s.Flashes()
		if n := len(messages); n < 5 || messages[n-1].Text != last || !s.Has("user") {
			t.Errorf("%d messages are left: %v", n, messages)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	site := cookieSite(t, session.Options{})
	text := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rand.IntN(256)) // nothing to compress
		}
		return base64.StdEncoding.EncodeToString(b)
	}
	_, err := site.try(func(s *session.Session, _ http.Header) {
		s.Set("user", 1)
		s.Set("cart", text(2000))
		s.Set("history", text(3000))
	})
	var tooLarge *session.TooLargeError
	if !errors.As(err, &tooLarge) {
		t.Fatalf("error is %v, want a TooLargeError", err)
	}
	if tooLarge.Size < 6000 || len(tooLarge.Largest) != 3 || tooLarge.Largest[0] != "history" {
		t.Errorf("error is %+v", tooLarge)
	}
	for _, part := range []string{"at most 4093", "store on the server", "history, cart, user"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if site.cookie != nil {
		t.Error("a cookie was set nevertheless")
	}
}

func TestLongTextIsCompressed(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("the same words again and again, ", 400)
	site := cookieSite(t, session.Options{})
	site.request(set("a", long))
	if n := len(site.cookie.Value); n > 500 {
		t.Errorf("cookie has %d bytes", n)
	}
	if got := site.value("a"); got != long {
		t.Errorf("value is %.40q…", got)
	}
	plain := newSite(t, session.NewCookieStore(keys(t, testKey), session.CookieOptions{NoCompression: true}), session.Options{})
	if _, err := plain.try(set("a", long)); err == nil {
		t.Error("compressed against the option")
	}
}

func TestNoKey(t *testing.T) {
	t.Parallel()
	site := newSite(t, session.NewCookieStore(nil, session.CookieOptions{}), session.Options{})
	site.cookie = &http.Cookie{Name: "session", Value: "x"}
	if got := site.value("a"); got != "<nil>" {
		t.Errorf("value is %s", got)
	}
	_, err := site.try(set("a", 1))
	if !errors.Is(err, session.ErrNoKey) || !strings.Contains(err.Error(), "SECRET_KEY") {
		t.Errorf("error is %v, want ErrNoKey with advice", err)
	}
}

func TestPurposesOfCookieStores(t *testing.T) {
	t.Parallel()
	site := cookieSite(t, session.Options{})
	site.request(set("a", 1))
	other := newSite(t, session.NewCookieStore(keys(t, testKey), session.CookieOptions{Purpose: "other app"}), session.Options{})
	other.cookie = site.cookie
	if got := other.value("a"); got != "<nil>" {
		t.Errorf("another app's cookie is read: %s", got)
	}
}

// awayStore is a database that cannot be reached.
type awayStore struct{ session.Store }

var errAway = errors.New("connection refused")

func (awayStore) Load(context.Context, string) (*session.Session, error) { return nil, errAway }
func (awayStore) Save(context.Context, *session.Session) (string, error) { return "", errAway }
func (awayStore) Delete(context.Context, *session.Session) error         { return errAway }

func TestStoreIsAway(t *testing.T) {
	t.Parallel()
	site := newSite(t, awayStore{}, session.Options{})
	if _, err := site.try(func(s *session.Session, _ http.Header) { s.Get("a") }); err != nil {
		t.Errorf("a visitor without a cookie needs no store, but: %v", err)
	}
	if _, err := site.try(set("a", 1)); !errors.Is(err, errAway) {
		t.Errorf("Commit answers %v", err)
	}
	site.cookie = &http.Cookie{Name: "session", Value: "x"}
	if _, err := site.try(func(*session.Session, http.Header) {}); !errors.Is(err, errAway) {
		t.Errorf("Load answers %v", err)
	}
}

func TestTokenThatIsNoCookieValue(t *testing.T) {
	t.Parallel()
	site := newSite(t, oddStore{awayStore{}}, session.Options{})
	if _, err := site.try(set("a", 1)); err == nil || !strings.Contains(err.Error(), "does not fit into a cookie") {
		t.Errorf("Commit answers %v", err)
	}
}

type oddStore struct{ awayStore }

func (oddStore) Save(context.Context, *session.Session) (string, error) { return "a;b", nil }

// A logout in another window wins over a request that was on its way.
func TestLogoutDuringARequest(t *testing.T) {
	t.Parallel()
	site := newSite(t, session.NewMemoryStore(session.MemoryOptions{}), session.Options{})
	site.request(set("user", 1))
	cookie := site.cookie
	var late *session.Session
	response, err := site.try(func(s *session.Session, _ http.Header) {
		site.request(func(s *session.Session, _ http.Header) { s.Clear() })
		site.cookie = cookie
		s.Set("late", true)
		late = s
	})
	if !errors.Is(err, session.ErrGone) || !errors.Is(late.Err(), session.ErrGone) {
		t.Errorf("the handler's change is lost, and the errors are %v and %v", err, late.Err())
	}
	if got := response.Header.Get("Set-Cookie"); got != "" {
		t.Errorf("the late response sets %q", got)
	}
	if got := site.value("user"); got != "<nil>" {
		t.Errorf("the session is back: user is %s", got)
	}
}

// To have noted the use of a session that has ended meanwhile is nobody's loss.
func TestLogoutDuringARequestThatOnlyReads(t *testing.T) {
	t.Parallel()
	site := newSite(t, session.NewMemoryStore(session.MemoryOptions{}), session.Options{RefreshEachRequest: true})
	site.request(set("user", 1))
	cookie := site.cookie
	site.request(func(s *session.Session, _ http.Header) {
		site.request(func(s *session.Session, _ http.Header) { s.Clear() })
		site.cookie = cookie
		s.Get("user")
		t.Cleanup(func() {
			if s.Err() != nil {
				t.Errorf("the error is %v", s.Err())
			}
		})
	})
}

func TestSessionsAreSavedOnlyIfChanged(t *testing.T) {
	t.Parallel()
	store := &countingStore{ServerStore: session.NewMemoryStore(session.MemoryOptions{})}
	site := newSite(t, store, session.Options{})
	site.request(set("a", 1))
	for _, tt := range []struct {
		name  string
		do    func(*session.Session, http.Header)
		saves int
	}{
		{"untouched", func(*session.Session, http.Header) {}, 0},
		{"read", func(s *session.Session, _ http.Header) { s.Get("a") }, 0},
		{"set to what it is", set("a", 1), 0},
		{"changed", set("a", 2), 1},
		{"marked", func(s *session.Session, _ http.Header) { s.SetModified() }, 1},
		{"given up", func(s *session.Session, _ http.Header) { s.Set("a", 3); s.Discard() }, 0},
		{"emptied", func(s *session.Session, _ http.Header) { s.Delete("a") }, 0},
	} {
		store.saves = 0
		site.request(tt.do)
		if store.saves != tt.saves {
			t.Errorf("%s: saved %d times, want %d", tt.name, store.saves, tt.saves)
		}
	}
}
