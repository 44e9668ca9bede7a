package retort_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

func TestAPreflightRequestGoesThroughTheMiddlewareOfItsRoute(t *testing.T) {
	t.Parallel()
	ran := 0
	app := retort.New(quiet())
	mark := func(next retort.Handler) retort.Handler {
		return func(c *retort.Ctx) error {
			c.SetHeader("X-Middleware", c.Route())
			return next(c)
		}
	}
	app.Put("/posts/{id}", func(c *retort.Ctx) error { ran++; return c.Text("put") }).Use(mark)
	app.Get("/posts/{id}", func(c *retort.Ctx) error { ran++; return c.Text("got") })
	preflight := func(method string) http.Header {
		rec := ask(app, "OPTIONS", "/posts/1", func(r *http.Request) {
			r.Header.Set("Origin", "https://app.example.com")
			r.Header.Set("Access-Control-Request-Method", method)
		})
		if rec.Code != 200 || !strings.Contains(rec.Header().Get("Allow"), "PUT") {
			t.Errorf("%s: status %d, Allow %q", method, rec.Code, rec.Header().Get("Allow"))
		}
		return rec.Header()
	}
	if got := preflight("PUT").Get("X-Middleware"); got != "/posts/{id}" {
		t.Errorf("the middleware of PUT saw %q", got)
	}
	for _, method := range []string{"GET", "DELETE", "\x00"} {
		if got := preflight(method).Get("X-Middleware"); got != "" {
			t.Errorf("%q: the middleware of PUT saw %q", method, got)
		}
	}
	if ran != 0 {
		t.Error("a handler ran")
	}
}

func TestPagesKnowTheNonceOfTheirPolicy(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.Assets = retort.Embed(fstest.MapFS{
		"templates/page.html": {Data: []byte(`<script nonce="{{ csp_nonce() }}">1</script><style nonce="{{ csp_nonce() }}"></style>`)},
	})
	app := retort.New(cfg)
	var types []string
	app.After(func(c *retort.Ctx) error {
		types = append(types, c.ResponseType())
		c.SetHeader("X-Nonce", c.CSPNonce())
		return nil
	})
	app.Get("/", func(c *retort.Ctx) error { return c.Render("page.html", nil) })
	app.Get("/json", func(c *retort.Ctx) error { return c.JSON(1) })
	app.Get("/none", func(c *retort.Ctx) error { return c.NoContent() })
	app.Get("/fail", func(*retort.Ctx) error { return retort.NotFound("") })
	client := retorttest.New(t, app)
	page := client.Get("/")
	nonce := page.Header().Get("X-Nonce")
	if len(nonce) < 22 || strings.Count(page.Text(), `nonce="`+nonce+`"`) != 2 {
		t.Errorf("nonce %q in %s", nonce, page.Text())
	}
	if again := client.Get("/").Header().Get("X-Nonce"); again == nonce {
		t.Error("two responses have the same nonce")
	}
	client.Get("/json")
	client.Get("/none")
	client.Get("/fail")
	if got := strings.Join(types, "|"); got != "text/html; charset=utf-8|text/html; charset=utf-8|application/json||text/html; charset=utf-8" {
		t.Errorf("types are %s", got)
	}
}

func TestErrorPagesNeedNoUnsafeStyle(t *testing.T) {
	t.Parallel()
	client := retorttest.New(t, retort.New(quiet()))
	page := client.Get("/nothing").Status(404)
	policy := page.Header().Get("Content-Security-Policy")
	_, style, _ := strings.Cut(page.Text(), "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") ||
		!strings.Contains(policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Errorf("policy is %q", policy)
	}
}

func TestDebugModeTellsWhyARequestWasTakenForForged(t *testing.T) {
	t.Parallel()
	for _, debug := range []bool{true, false} {
		cfg := quiet()
		cfg.Debug = debug
		app := retort.New(cfg)
		app.Post("/", text("done"))
		client := retorttest.New(t, app)
		client.EnforceCSRF = true
		client.SetCookie("a", "b")
		for name, change := range map[string]func(r *http.Request){
			"csrf_input": func(*http.Request) {},
			"a login":    func(r *http.Request) { r.Header.Set("X-Csrf-Token", strings.Repeat("A", 86)) },
			"trusted_origins": func(r *http.Request) {
				r.Header.Set("Origin", "https://evil.example")
			},
		} {
			r := client.NewRequest("POST", "/", nil)
			change(r)
			got := client.Do(r).Status(403)
			if strings.Contains(got.Text(), name) != debug {
				t.Errorf("debug %v: the page on %q: %s", debug, name, got.Text())
			}
		}
	}
}
