package security_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

var errAway = errors.New("connection refused")

func (awayStore) Take(context.Context, ...ratelimit.Charge) (ratelimit.Result, error) {
	return ratelimit.Result{}, errAway
}

func (awayStore) Return(context.Context, ...ratelimit.Charge) error { return errAway }

func (awayStore) Forget(context.Context, ...string) error { return errAway }

func TestTheStoreOfTheRateLimitsMayBeAway(t *testing.T) {
	t.Parallel()
	for when, want := range map[ratelimit.WhenAway]int{ratelimit.CountHere: 429, ratelimit.Pass: 200, ratelimit.Refuse: 503} {
		log := &lockedLog{}
		cfg := production()
		cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
		app := retort.New(cfg)
		app.Get("/", ok).Use(security.RateLimit(security.RateLimitOptions{Limits: []ratelimit.Limit{ratelimit.PerDay(1)}, Store: awayStore{}, WhenAway: when}))
		client := retorttest.New(t, app)
		client.Host = "shop.example.com"
		if first := client.Get("/"); first.Code != want && want != 429 || want == 429 && first.Code != 200 {
			t.Errorf("%v: the first is %d", when, first.Code)
		}
		for range 200 {
			if r := client.Get("/").Status(want); want == 503 {
				r.HasHeader("Retry-After", "5")
			}
		}
		if n := strings.Count(log.text.String(), "the store of the limits is away"); n != 1 {
			t.Errorf("%v: %d lines of 200 requests:\n%s", when, n, log.text.String())
		}
	}
}

// Of what the second limit refuses the first is not charged.
func TestLimitsAreChargedTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	store := ratelimit.NewMemory(ratelimit.MemoryOptions{})
	client := limited(t, security.RateLimitOptions{Name: "api", Limits: ratelimit.MustParse("10/day; 2/hour"), Store: store, Key: func(*retort.Ctx) string { return "me" }})
	for i := range 20 {
		if want := map[bool]int{true: 200, false: 429}[i < 2]; client.Get("/login").Code != want {
			t.Errorf("request %d: not %d", i, want)
		}
	}
	left, err := store.Take(t.Context(), ratelimit.Charge{Key: "api 0 me", Limit: ratelimit.PerDay(10)})
	if err != nil || left.Remaining != 8 {
		t.Errorf("%+v %v", left, err)
	}
}

func TestLimitsOfTheUsersPlan(t *testing.T) {
	t.Parallel()
	client := limited(t, security.RateLimitOptions{
		Name: "api",
		Key:  func(c *retort.Ctx) string { return c.Query("plan") },
		LimitsFor: func(c *retort.Ctx) []ratelimit.Limit {
			switch c.Query("plan") {
			case "free":
				return ratelimit.MustParse("1/day")
			case "paid":
				return ratelimit.MustParse("3/day; 100/year")
			}
			return nil
		},
	})
	client.Get("/login?plan=free").Status(200).HasHeader("RateLimit-Policy", `"api";q=1;w=86400`)
	client.Get("/login?plan=free").Status(429)
	for range 3 {
		client.Get("/login?plan=paid").Status(200).HasHeader("RateLimit-Policy", `"api";q=3;w=86400, "api-2";q=100;w=31536000`)
	}
	client.Get("/login?plan=paid").Status(429)
	for range 5 {
		client.Get("/login?plan=own").Status(200).HasHeader("RateLimit-Policy", "")
	}
}

func TestWhatCountsIsKnownAfterwards(t *testing.T) {
	t.Parallel()
	limit := security.RateLimit(security.RateLimitOptions{
		Limits: []ratelimit.Limit{ratelimit.PerDay(2)}, Name: "failures",
		CountWhen: func(_ *retort.Ctx, status int) bool { return status >= 400 },
	})
	client := newClient(t, security.Options{}, func(app *retort.App) {
		app.Get("/{how}", func(c *retort.Ctx) error {
			switch c.Param("how") {
			case "wrong":
				return retort.Forbidden("")
			case "said":
				return c.Status(403).Text("no")
			case "panic":
				panic("the handler fails")
			}
			return c.Text("fine")
		}).Use(limit)
	})
	for range 5 {
		client.Get("/right").Status(200)
	}
	client.Get("/wrong").Status(403)
	client.Get("/right").Status(200)
	client.Get("/said").Status(403)
	client.Get("/right").Status(429)
	other := client.Fresh()
	other.RemoteAddr = "198.51.100.1:5"
	for range 2 {
		other.Get("/panic").Status(500)
	}
	other.Get("/panic").Status(429)
}

// Two failed, and the third has to wait: a second, two, four …
func TestLimitsWhoseWaitsGrow(t *testing.T) {
	t.Parallel()
	client := limited(t, security.RateLimitOptions{Limits: []ratelimit.Limit{{Requests: 2, Window: 24 * time.Hour, Wait: time.Hour, MaxWait: 4 * time.Hour}}})
	client.Get("/login").Status(200).HasHeader("RateLimit-Policy", `"default";q=2;w=86400`)
	client.Get("/login").Status(200)
	if retry := client.Get("/login").Status(429).Header().Get("Retry-After"); retry != "3600" {
		t.Errorf("Retry-After: %s", retry)
	}
}

func TestEachRouteIsLimited(t *testing.T) {
	t.Parallel()
	client := newClient(t, security.Options{RateLimit: &security.RateLimitOptions{Limits: []ratelimit.Limit{ratelimit.PerDay(2)}}}, func(app *retort.App) {
		app.HealthRoutes()
		app.Get("/a", ok)
		app.Post("/a", ok)
		app.Get("/b", ok)
		security.Unlimited(app.Get("/free", ok))
		security.Unlimited(app.Get("/own", ok)).Use(security.RateLimit(security.RateLimitOptions{Limits: []ratelimit.Limit{ratelimit.PerDay(4)}}))
	})
	for range 2 {
		client.Get("/a").Status(200)
		client.Get("/b").Status(200)
	}
	client.Get("/a").Status(429)
	client.PostForm("/a", nil).Status(200)
	for range 4 {
		client.Get("/own").Status(200)
		client.Get("/free").Status(200)
		client.Get("/healthz").Status(200)
	}
	client.Get("/own").Status(429)
	client.Get("/none").Status(404)
	client.Get("/not/there").Status(404)
	client.Get("/whatever").Status(429)
	app := retort.New(production())
	app.Install(security.New(security.Options{RateLimit: &security.RateLimitOptions{
		Limits: []ratelimit.Limit{ratelimit.PerDay(2)}, CountWhen: func(*retort.Ctx, int) bool { return true },
	}}))
	if err := app.Prepare(); err == nil {
		t.Error("a CountWhen that nobody asks is no error")
	}
}

func TestLimitsAreListed(t *testing.T) {
	t.Parallel()
	app := retort.New(production())
	app.Install(security.New(security.Options{RateLimit: &security.RateLimitOptions{Limits: ratelimit.MustParse("300/minute"), Key: security.ByUser}}))
	app.Use(security.RateLimit(security.RateLimitOptions{Name: "all", Limits: ratelimit.MustParse("1000/minute; 9000/hour")}))
	app.Get("/", ok)
	security.Unlimited(app.Get("/free", ok))
	security.Unlimited(app.Post("/login", ok)).Use(security.RateLimit(security.RateLimitOptions{
		LimitsFor: func(*retort.Ctx) []ratelimit.Limit { return nil }, Key: func(*retort.Ctx) string { return "" }, Store: awayStore{}, WhenAway: ratelimit.Refuse,
	}))
	api := retort.NewBlueprint("api", retort.BlueprintOptions{Prefix: "/api"})
	api.Use(security.RateLimit(security.RateLimitOptions{Name: "api", Limits: ratelimit.MustParse("5/second"), Methods: []string{"POST"}}))
	api.Any("/things", ok)
	app.Register(api)
	var out, errs bytes.Buffer
	if err := app.Execute(t.Context(), []string{"limits"}, strings.NewReader(""), &out, &errs); err != nil {
		t.Fatal(err, errs.String())
	}
	want := `ANY   all routes together  1000 in 1 minute; 9000 in 1 hour  by address     all  memory of the process
GET   /                    300 in 1 minute                   by user        -    memory of the process
POST  /login               by request                        by a function  -    security_test.awayStore; while away, none pass
ANY   /api/things          300 in 1 minute                   by user        -    memory of the process
POST  /api/things          5 in 1 second                     by address     api  memory of the process
`
	if out.String() != want {
		t.Errorf("\n%s\nwant\n%s", out.String(), want)
	}
	out.Reset()
	if err := app.Execute(t.Context(), []string{"limits", "--json"}, strings.NewReader(""), &out, &errs); err != nil || !strings.Contains(out.String(), `"5 in 1 second"`) {
		t.Errorf("%v\n%s", err, out.String())
	}
}
