package retort_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/retort-web/retort"
)

// rooted is a site with a few addresses of its own.
func rooted(t *testing.T, change func(cfg *retort.Config)) *retort.App {
	t.Helper()
	cfg := quiet()
	cfg.BaseURL = "https://example.com"
	cfg.Assets = retort.Embed(fstest.MapFS{
		"static/a.css":     {Data: []byte("a{}")},
		"templates/a.html": {Data: []byte(`{{ url("page", id=1) }} {{ static("a.css") }} {{ request.root }}{{ request.path }}`)},
	})
	change(&cfg)
	app := retort.New(cfg)
	app.Get("/", text("home"))
	app.Get("/pages/{id:int}/", func(c *retort.Ctx) error { return c.Render("a.html", nil) }).Name("page")
	app.Get("/away", func(c *retort.Ctx) error { return c.Redirect(c.MustURL("page", "id", 2)) })
	app.Get("/api", func(c *retort.Ctx) error { return c.Text(c.MustURL("api")) }).Host("api.example.com").Name("api")
	if err := app.Prepare(); err != nil {
		t.Fatal(err)
	}
	return app
}

func TestRoot(t *testing.T) {
	t.Parallel()
	app := rooted(t, func(cfg *retort.Config) { cfg.Root = "/shop/" })
	const page = "/shop/pages/1/ /shop/static/a."
	for _, test := range []struct{ path, location, body string }{
		{"/shop/pages/7/", "", page},
		{"/pages/7/", "", page},
		{"/shop", "", "home"},
		{"/shop/", "", "home"},
		{"/shop/away", "/shop/pages/2/", ""},
		{"/shop/pages/7?a=b", "/shop/pages/7/?a=b", ""},
		{"/pages/7", "/shop/pages/7/", ""},
		{"/shopping", "", "Not Found"},
		{"/shop/static/a.css", "", "a{}"},
		{"/shop//evil.example/", "", "Not Found"},
	} {
		w := ask(app, "GET", test.path, nil)
		if location := w.Header().Get("Location"); location != test.location {
			t.Errorf("%s leads to %q, want %q", test.path, location, test.location)
		}
		if !strings.Contains(w.Body.String(), test.body) {
			t.Errorf("%s: got %.200s", test.path, w.Body)
		}
	}
	if got := ask(app, "GET", "/shop/api", func(r *http.Request) { r.Host = "api.example.com" }).Body.String(); got != "//api.example.com/shop/api" {
		t.Errorf("a route with a host: %s", got)
	}
	for values, want := range map[bool]string{false: "/shop/pages/3/", true: "https://example.com/shop/pages/3/"} {
		if got, err := app.URL("page", "id", 3, "_external", values); got != want || err != nil {
			t.Errorf("external %v: %s, %v", values, got, err)
		}
	}
	app = rooted(t, func(cfg *retort.Config) { cfg.Root, cfg.BaseURL = "/shop", "https://example.com/other/" })
	if got, err := app.URL("page", "id", 3, "_external", true); got != "https://example.com/other/pages/3/" || err != nil {
		t.Errorf("with a path in base_url: %s, %v", got, err)
	}
}

func TestRootOfTheProxy(t *testing.T) {
	t.Parallel()
	app := rooted(t, func(cfg *retort.Config) { cfg.TrustedProxies = []string{"192.0.2.0/24"} })
	for prefix, want := range map[string]string{
		"/shop": "/shop/pages/2/", "/shop/": "/shop/pages/2/", "/a/b-c": "/a/b-c/pages/2/", "": "/pages/2/", "/": "/pages/2/",
		"//evil.example": "/pages/2/", "/\\evil": "/pages/2/", "evil": "/pages/2/", "/a/../b": "/pages/2/", "/a\"b": "/pages/2/", "https://evil.example": "/pages/2/",
	} {
		for remote, want := range map[string]string{"192.0.2.1:99": want, "198.51.100.1:99": "/pages/2/"} {
			w := ask(app, "GET", "/away", func(r *http.Request) {
				r.RemoteAddr = remote
				r.Header.Set("X-Forwarded-Prefix", prefix)
			})
			if got := w.Header().Get("Location"); got != want {
				t.Errorf("prefix %q from %s: %s, want %s", prefix, remote, got, want)
			}
		}
	}
}

func TestRootMustBeAPath(t *testing.T) {
	t.Parallel()
	for _, root := range []string{"shop", "//shop", "/a//b", "/a b", "/..", "/a?b"} {
		cfg := quiet()
		cfg.Root = root
		if err := retort.New(cfg).Prepare(); err == nil || !strings.Contains(err.Error(), "config: root is") {
			t.Errorf("%q: %v", root, err)
		}
	}
}
