package retort_test

import (
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

func urlApp(base string) *retort.App {
	cfg := quiet()
	cfg.BaseURL = base
	app := retort.New(cfg)
	app.Get("/", text("")).Name("home")
	app.Get("/posts/{id:int}", text("")).Name("post")
	app.Get("/files/{name:path}", text("")).Name("file")
	app.Get("/{slug}", text("")).Name("page")
	app.Get("/in/{room}", text("")).Host("{team}.example.com").Name("room")
	app.Get("/from", func(c *retort.Ctx) error {
		u, err := c.URL(c.Query("name"), "id", 3, "_external", c.Query("external") != "")
		if err != nil {
			return err
		}
		return c.Text(u)
	})
	return app
}

func TestURLOutsideARequest(t *testing.T) {
	t.Parallel()
	app := urlApp("https://example.com:8443/shop/")
	for _, test := range []struct {
		name   string
		values []any
		want   string
	}{
		{"home", nil, "/"},
		{"home", []any{"_external", true}, "https://example.com:8443/shop/"},
		{"home", []any{"_external", false}, "/"},
		{"post", []any{"_external", true, "id", 3, "tag", []string{"a", "b"}}, "https://example.com:8443/shop/posts/3?tag=a&tag=b"},
		{"post", []any{map[string]any{"id": 3, "_external": true}}, "https://example.com:8443/shop/posts/3"},
		{"post", []any{"page", 2, map[string]any{"_external": true, "id": 3}}, "https://example.com:8443/shop/posts/3?page=2"},
		{"post", []any{map[string]any{"id": 3}, "_external", true}, "https://example.com:8443/shop/posts/3"},
		{"post", []any{"id", 3, "gone", nil}, "/posts/3"},
		{"page", []any{"slug", "_external"}, "/_external"},
		{"page", []any{"slug", "a/b ü?"}, "/a%2Fb%20%C3%BC%3F"},
		{"room", []any{"team", "red", "room", "a"}, "//red.example.com/in/a"},
		{"room", []any{"team", "red", "room", "a", "_external", true}, "https://red.example.com:8443/in/a"},
	} {
		got, err := app.URL(test.name, test.values...)
		if err != nil || got != test.want {
			t.Errorf("URL(%q, %v) = %q, %v; want %q", test.name, test.values, got, err, test.want)
		}
	}
	if _, err := urlApp("").URL("home", "_external", true); err == nil || !strings.Contains(err.Error(), "RETORT_BASE_URL") {
		t.Errorf("without a base: %v", err)
	}
}

func TestURLInARequest(t *testing.T) {
	t.Parallel()
	client := retorttest.New(t, urlApp(""))
	client.Host = "example.com:8000"
	client.Get("/from?name=post").Contains("/posts/3")
	client.Get("/from?name=post&external=1").Contains("http://example.com:8000/posts/3")
	client.Secure = true
	client.Get("/from?name=post&external=1").Contains("https://example.com:8000/posts/3")
	client.Get("/from?name=posts").Status(500)
}

func TestSecurityURLsNeverLeaveTheSite(t *testing.T) {
	t.Parallel()
	app := urlApp("")
	for _, v := range []string{"/evil.example", "//evil.example", `\evil.example`, "..", "../..", ".", "a/../../b"} {
		for _, name := range []string{"page", "file"} {
			key := map[string]string{"page": "slug", "file": "name"}[name]
			if u, err := app.URL(name, key, v); err == nil && (strings.HasPrefix(u, "//") || strings.Contains(u, `\`) || strings.Contains(u, "/../") || strings.HasSuffix(u, "/..")) {
				t.Errorf("URL of %s with %q is %q", name, v, u)
			}
		}
	}
	if u, err := app.URL("room", "team", "evil.example/", "room", "x"); err == nil {
		t.Errorf("a host was made of %q", u)
	}
}

func TestMustURLPanicsWithTheClosestName(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	app.Get("/", func(c *retort.Ctx) error { return c.Text(c.MustURL("hom")) }).Name("home")
	retorttest.New(t, app).Get("/").Status(500)
	if !strings.Contains(log.String(), `did you mean`) {
		t.Errorf("log: %s", log)
	}
}

func TestRouteNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a.b", "a b"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("name %q was taken", name)
				}
			}()
			retort.New(quiet()).Get("/", text("")).Name(name)
		}()
	}
	app := retort.New(quiet())
	app.Get("/a", text("")).Name("same")
	app.Get("/b", text("")).Name("same")
	// Names may be shared; the first whose variables have values is taken.
	if u, err := app.URL("same"); u != "/a" || err != nil {
		t.Errorf("URL %q, %v", u, err)
	}
}
