package security_test

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/ratelimit"
	"github.com/retort-web/retort/security"
)

// The gate as it is.
func ExampleNew() {
	app := retort.New(retort.Config{TrustedProxies: []string{"192.0.2.1"}, Logger: slog.New(slog.DiscardHandler)})
	app.Install(security.New())
	app.Get("/", func(c *retort.Ctx) error {
		return c.HTML(`<script nonce="` + c.CSPNonce() + `">hello()</script>`)
	})

	for _, scheme := range []string{"http", "https"} {
		r := httptest.NewRequest("GET", "/?a=b", nil)
		r.RemoteAddr = "192.0.2.1:1234" // the proxy, which tells
		r.Header.Set("X-Forwarded-Proto", scheme)
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		policy := w.Header().Get("Content-Security-Policy")
		fmt.Println(w.Code, w.Header().Get("Location"), w.Header().Get("Strict-Transport-Security"), strings.Contains(policy, "script-src 'nonce-"))
	}
	// Output:
	// 308 https://example.com/?a=b  true
	// 200  max-age=31536000; includeSubDomains true
}

// Scripts of one other site may read an address.
func ExampleCORS() {
	app := retort.New(retort.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Get("/prices", func(c *retort.Ctx) error { return c.JSON(1) }).
		Use(security.CORS(security.CORSOptions{Origins: []string{"https://app.example.com"}}))

	for _, origin := range []string{"https://app.example.com", "https://evil.example"} {
		r := httptest.NewRequest("GET", "/prices", nil)
		r.Header.Set("Origin", origin)
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		fmt.Printf("%q %s\n", w.Header().Get("Access-Control-Allow-Origin"), w.Header().Get("Vary"))
	}
	// Output:
	// "https://app.example.com" Origin
	// "" Origin
}

// Two attempts a minute.
func ExampleRateLimit() {
	app := retort.New(retort.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Post("/login", func(c *retort.Ctx) error { return c.Text("welcome") }).
		Use(security.RateLimit(security.RateLimitOptions{Limits: []ratelimit.Limit{ratelimit.PerMinute(2)}}))

	for range 3 {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest("POST", "/login", nil))
		fmt.Println(w.Code, w.Header().Get("RateLimit-Policy"), w.Header().Get("Retry-After") != "")
	}
	// Output:
	// 200 "default";q=2;w=60 false
	// 200 "default";q=2;w=60 false
	// 429 "default";q=2;w=60 true
}
