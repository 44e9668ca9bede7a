package security_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/ratelimit"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/security"
	"github.com/retort-web/retort/session"
)

// limited is a client of an app whose POST /login takes two a day.
func limited(t *testing.T, o security.RateLimitOptions) *retorttest.Client {
	t.Helper()
	if o.Limits == nil {
		o.Limits = []ratelimit.Limit{ratelimit.PerDay(2)}
	}
	return newClient(t, security.Options{}, func(app *retort.App) {
		limit := security.RateLimit(o)
		app.Post("/login", ok).Use(limit)
		app.Get("/login", ok).Use(limit)
		app.Get("/other/{id}", ok).Use(limit)
	})
}

func TestSecurityTooManyRequests(t *testing.T) {
	t.Parallel()
	client := limited(t, security.RateLimitOptions{})
	client.PostForm("/login", nil).Status(200).HasHeader("RateLimit-Policy", `"default";q=2;w=86400`).HasHeader("RateLimit", `"default";r=1;t=43200`)
	if limit := client.PostForm("/login", nil).Status(200).Header().Get("RateLimit"); !strings.HasPrefix(limit, `"default";r=0;t=86`) {
		t.Errorf("RateLimit is %q", limit)
	}
	for range 3 {
		r := client.PostForm("/login", nil).Status(429).Contains("Too many requests")
		if retry := r.Header().Get("Retry-After"); len(retry) != 5 || retry[:2] != "43" {
			t.Errorf("Retry-After is %q", retry)
		}
		if limit := r.Header().Get("RateLimit"); !strings.HasPrefix(limit, `"default";r=0;t=43`) {
			t.Errorf("RateLimit is %q", limit)
		}
	}
	client.Get("/login").Status(200) // another route
	client.Get("/other/1").Status(200)
	client.Get("/other/2").Status(200)
	client.Get("/other/3").Status(429) // the same route
	stranger := client.Fresh()
	stranger.RemoteAddr = "198.51.100.1:5"
	stranger.PostForm("/login", nil).Status(200)
}

func TestSecurityRateLimitsGoByTheRealAddress(t *testing.T) {
	t.Parallel()
	client := limited(t, security.RateLimitOptions{})
	client.RemoteAddr = "198.51.100.1:5"
	codes := func(header string, values ...string) (codes []int) {
		for _, v := range values {
			client.Header.Set(header, v)
			codes = append(codes, client.PostForm("/login", nil).Code)
		}
		client.Header.Del(header)
		return codes
	}
	if got := codes("X-Forwarded-For", "1.1.1.1", "2.2.2.2", "3.3.3.3"); got[2] != 429 {
		t.Errorf("a client that is no proxy chooses its address: %v", got)
	}
	client.RemoteAddr = "127.0.0.1:5" // the proxy
	if got := codes("X-Forwarded-For", "9.9.9.9, 203.0.113.5", "8.8.8.8, 203.0.113.5", "203.0.113.5"); got[2] != 429 {
		t.Errorf("a client behind the proxy chooses its address: %v", got)
	}
	if got := codes("X-Forwarded-For", "2001:db8::1", "2001:db8::2", "2001:db8::3:4:5:6"); got[2] != 429 {
		t.Errorf("each address of a client's own network counts apart: %v", got)
	}
	if got := codes("X-Forwarded-For", "2001:db8:0:1::1"); got[0] != 200 {
		t.Errorf("another network: %v", got)
	}
}

func TestRateLimitOptions(t *testing.T) {
	t.Parallel()
	t.Run("several limits", func(t *testing.T) {
		t.Parallel()
		client := limited(t, security.RateLimitOptions{Limits: []ratelimit.Limit{ratelimit.PerDay(3), ratelimit.PerHour(2)}})
		client.Get("/login").Status(200).HasHeader("RateLimit-Policy", `"default";q=3;w=86400, "default-2";q=2;w=3600`).HasHeader("RateLimit", `"default-2";r=1;t=1800`)
		client.Get("/login").Status(200)
		client.Get("/login").Status(429)
	})
	t.Run("shared by name", func(t *testing.T) {
		t.Parallel()
		client := limited(t, security.RateLimitOptions{Name: "api"})
		client.Get("/login").Status(200).HasHeader("RateLimit-Policy", `"api";q=2;w=86400`)
		client.Get("/other/1").Status(200)
		client.PostForm("/login", nil).Status(429)
	})
	t.Run("methods", func(t *testing.T) {
		t.Parallel()
		client := limited(t, security.RateLimitOptions{Name: "api", Methods: []string{"post"}})
		for range 3 {
			client.Get("/login").Status(200).HasHeader("RateLimit", "")
		}
		client.PostForm("/login", nil).HasHeader("RateLimit", `"api";r=1;t=43200`)
	})
	t.Run("user", func(t *testing.T) {
		t.Parallel()
		client := limited(t, security.RateLimitOptions{Key: security.ByUser})
		ada, eve := client.Fresh(), client.Fresh()
		ada.Session(func(s *session.Session) { s.Login("ada", "") })
		eve.Session(func(s *session.Session) { s.Login("eve", "") })
		for _, c := range []*retorttest.Client{client, ada, eve} {
			c.Get("/login").Status(200)
			c.Get("/login").Status(200)
			c.Get("/login").Status(429)
		}
		ada.RemoteAddr = "198.51.100.1:5"
		ada.Get("/login").Status(429)
	})
	t.Run("exempt and dear", func(t *testing.T) {
		t.Parallel()
		client := limited(t, security.RateLimitOptions{
			Key:    func(c *retort.Ctx) string { return c.Query("who") },
			Cost:   func(c *retort.Ctx) int { return len(c.Query("cost")) },
			Detail: "Not so fast.",
		})
		for range 3 {
			client.Get("/login").Status(200)
		}
		client.Get("/login?who=me&cost=xx").Status(200)
		client.Get("/login?who=me&cost=x").Status(429).Contains("Not so fast.")
		client.Get("/login?who=you&cost=xxx").Status(429)
	})
	for name, o := range map[string]security.RateLimitOptions{
		"no limits": {}, "nothing": {Limits: []ratelimit.Limit{{}}}, "a name that ends": {Limits: []ratelimit.Limit{ratelimit.PerDay(1)}, Name: "a\"b"},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			security.RateLimit(o)
		}()
	}
}

func TestOfManyRequestsAtOnceOnlySoManyGetThrough(t *testing.T) {
	t.Parallel()
	client := limited(t, security.RateLimitOptions{Limits: []ratelimit.Limit{ratelimit.PerDay(10)}})
	var passed atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		one := client.Fresh()
		wg.Go(func() {
			for range 5 {
				if one.Get("/login").Code == 200 {
					passed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if passed.Load() != 10 {
		t.Errorf("%d got through, want 10", passed.Load())
	}
}

// awayStore is a store that does not answer.
type awayStore struct{}

func (awayStore) Take(context.Context, string, ratelimit.Limit, int) (ratelimit.Result, error) {
	return ratelimit.Result{}, errors.New("connection refused")
}

func (awayStore) Forget(context.Context, string) error { return errors.New("connection refused") }

func TestTheStoreOfTheRateLimitsMayBeAway(t *testing.T) {
	t.Parallel()
	for _, closed := range []bool{false, true} {
		log := &lockedLog{}
		cfg := production()
		cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
		app := retort.New(cfg)
		app.Get("/", ok).Use(security.RateLimit(security.RateLimitOptions{Limits: []ratelimit.Limit{ratelimit.PerDay(1)}, Store: awayStore{}, FailClosed: closed}))
		client := retorttest.New(t, app)
		client.Host = "shop.example.com"
		for range 200 {
			r := client.Get("/")
			if closed {
				r.Status(503).HasHeader("Retry-After", "5")
			} else {
				r.Status(200)
			}
		}
		if n := strings.Count(log.text.String(), "\n"); n == 0 || n > 3 {
			t.Errorf("closed %v: %d lines of 200 requests", closed, n)
		}
	}
}
