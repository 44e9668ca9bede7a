package retort_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/retort-web/retort"
)

func TestHostCheck(t *testing.T) {
	t.Parallel()
	list := []string{"example.com", ".shop.example", "::1"}
	for _, test := range []struct {
		hosts []string
		debug bool
		host  string
		want  int
	}{
		{list, false, "example.com", 200},
		{list, false, "EXAMPLE.com", 200},
		{list, false, "example.com:8000", 200},
		{list, false, "example.com.", 200},
		{list, false, "www.example.com", 400},
		{list, false, "notexample.com", 400},
		{list, false, "shop.example", 200},
		{list, false, "a.b.shop.example", 200},
		{list, false, "evilshop.example", 400},
		{list, false, "[::1]:8000", 200},
		{list, false, "", 400},
		{[]string{"*"}, false, "anything.example", 200},
		{[]string{"*"}, false, "any thing", 400},
		{nil, false, "anything.example", 200},
		{nil, false, "203.0.113.7:80", 200},
		{nil, true, "localhost:8000", 200},
		{nil, true, "blog.localhost:8000", 200},
		{nil, true, "127.0.0.1", 200},
		{nil, true, "127.9.9.9:80", 200},
		{nil, true, "[::1]", 200},
		{nil, true, "evil.example", 400},
		{nil, true, "localhost.evil.example", 400},
		{nil, true, "127.0.0.1.evil.example", 400},
		{[]string{"dev.example"}, true, "dev.example", 200},
		{[]string{"dev.example"}, true, "localhost", 400},
	} {
		cfg := quiet()
		cfg.Hosts, cfg.Debug = test.hosts, test.debug
		app := retort.New(cfg)
		app.Get("/", text("ok"))
		rec := ask(app, "GET", "/", func(r *http.Request) { r.Host = test.host })
		if rec.Code != test.want {
			t.Errorf("hosts %q, debug %v: %q is answered with %d, want %d", test.hosts, test.debug, test.host, rec.Code, test.want)
		}
	}
}

func TestSecurityMalformedHostsAreRefused(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	app.Use(func(retort.Handler) retort.Handler {
		return func(*retort.Ctx) error { t.Error("the middleware saw a bad host"); return nil }
	})
	app.Get("/", text("ok"))
	for _, host := range []string{
		"a b", "a/b", "a,b", "a@b", "a%00", "a%2eb", "a:80:81", "a:x", "a:123456", ":80", "[::1", "::1]", "[::1]x", "[::1]:x",
		"[fe80::1%25eth0]", "[127.0.0.1]", "ä.example", "a\tb", "a\r\nX: y", "a;b", "a<b", ".example.com", strings.Repeat("a", 256), "",
	} {
		rec := ask(app, "GET", "/", func(r *http.Request) { r.Host = host })
		if rec.Code != 400 || host != "" && strings.Contains(rec.Body.String(), host) {
			t.Errorf("%q: status %d, %s", host, rec.Code, rec.Body)
		}
	}
	if log.Len() > 0 {
		t.Errorf("logged: %s", log)
	}
}

func TestHTTP10NeedsNoHost(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", text("ok"))
	for _, test := range []struct{ major, minor, want int }{{1, 0, 200}, {1, 1, 400}, {2, 0, 400}} {
		rec := ask(app, "GET", "/", func(r *http.Request) {
			r.Host, r.ProtoMajor, r.ProtoMinor = "", test.major, test.minor
		})
		if rec.Code != test.want {
			t.Errorf("HTTP/%d.%d without a host: %d, want %d", test.major, test.minor, rec.Code, test.want)
		}
	}
}

func TestRoutesOfHosts(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", text("any host"))
	app.Get("/", text("api")).Host("api.example.com").Name("api")
	tenants := retort.NewBlueprint("tenants", retort.BlueprintOptions{Host: "{tenant}.example.com"})
	tenants.Get("/", func(c *retort.Ctx) error {
		own, err := c.URL(".home", "tenant", "two")
		if err != nil {
			return err
		}
		external, err := c.URL("api", "_external", true)
		return c.Text(fmt.Sprint("tenant ", c.Param("tenant"), " ", own, " ", external, " ", err))
	}).Name("home")
	tenants.OnStatus(404, func(c *retort.Ctx, _ error) error { return c.Text("no page of a tenant") })
	app.Register(tenants)
	for host, want := range map[string]string{
		"example.com":          "any host",
		"API.example.com:8000": "api",
		"one.example.com":      "tenant one //two.example.com/ http://api.example.com/ <nil>",
		"one.example.com:8000": "tenant one //two.example.com:8000/ http://api.example.com:8000/ <nil>",
		"a.b.example.com":      "any host",
	} {
		rec := ask(app, "GET", "/", func(r *http.Request) { r.Host = host })
		if rec.Body.String() != want {
			t.Errorf("%s: %q, want %q", host, rec.Body, want)
		}
	}
	rec := ask(app, "GET", "/nothing", func(r *http.Request) { r.Host = "one.example.com" })
	if rec.Code != 404 || rec.Body.String() != "no page of a tenant" {
		t.Errorf("404 on a tenant's host: %d %q", rec.Code, rec.Body)
	}
}
