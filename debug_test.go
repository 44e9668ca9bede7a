package retort_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

// failing is an app in which everything fails, with secrets all about.
func failing(debug bool) (*retort.App, *logBuffer) {
	cfg, log := logged()
	cfg.Debug = debug
	cfg.Hosts = []string{"*"}
	cfg.SecretKey = "hunter2-secret-key-of-the-app"
	cfg.DatabaseURL = "postgres://blog:hunter2-password@db/blog"
	app := retort.New(cfg)
	app.Get("/error/{id:int}", func(c *retort.Ctx) error {
		c.Set("user", "ada")
		c.Session().Set("token", "hunter2-in-session")
		return errors.New("dial postgres://blog:hunter2-password@db/blog: refused")
	}).Name("error")
	app.Any("/panic", func(c *retort.Ctx) error {
		_ = c.FormValue("password")
		missing, _ := retort.Get[map[string]int](c, "missing")
		missing["a"] = 1
		return nil
	})
	app.Get("/forbidden", func(*retort.Ctx) error { return retort.Forbidden("not for you") })
	app.Get("/posts/{id:int}", text("post"))
	app.Post("/posts", text("new"))
	app.DebugSection(func(*retort.Ctx) (string, [][2]string) {
		return "SQL", [][2]string{{"query", "SELECT 1"}, {"api_key", "hunter2-row"}}
	})
	return app, log
}

func TestDebugPage(t *testing.T) {
	t.Parallel()
	app, _ := failing(true)
	client := retorttest.New(t, app)
	client.Header.Set("Authorization", "Bearer hunter2-token")
	client.SetCookie("session_id", "hunter2-cookie")
	client.Get("/error/3?password=hunter2-query&page=2").Status(500).
		HasHeader("Content-Type", "text/html; charset=utf-8").HasHeader("Cache-Control", "no-store").
		Contains("refused", "/error/{id:int}", "debug_test.go", "SELECT 1", "page", "user").
		Lacks("hunter2")
	r := client.PostForm("/panic", url.Values{"password": {"hunter2-form"}, "name": {"Ada"}}).Status(500).
		Contains("assignment to entry in nil map", "debug_test.go", "Ada").Lacks("hunter2")
	if policy := r.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy %q", policy)
	}

	t.Run("text for curl", func(t *testing.T) {
		r := client.NewRequest("GET", "/panic", nil)
		r.Header.Set("Accept", "*/*")
		client.Do(r).Status(500).HasHeader("Content-Type", "text/plain; charset=utf-8").Contains("nil map", "debug_test.go").Lacks("<html", "hunter2")
	})
	t.Run("a problem document for programs", func(t *testing.T) {
		client.JSON("GET", "/panic", nil).Status(500).HasHeader("Content-Type", "application/problem+json").Lacks("nil map")
	})
	t.Run("a 403 is the plain page", func(t *testing.T) {
		client.Get("/forbidden").Status(403).Contains("not for you").Lacks("debug_test.go")
	})
	t.Run("an error handler of one's own comes first", func(t *testing.T) {
		own, _ := failing(true)
		own.OnStatus(500, func(c *retort.Ctx, _ error) error { return c.Text("ours") })
		retorttest.New(t, own).Get("/panic").Status(500).Contains("ours").Lacks("nil map")
	})
}

func TestDebugPageOfA404ListsTheRoutesNearestFirst(t *testing.T) {
	t.Parallel()
	app, _ := failing(true)
	client := retorttest.New(t, app)
	page := client.Get("/posts/abc").Status(404).Contains("/posts/{id:int}", "/error/{id:int}", "does not accept").Text()
	if strings.Index(page, "/posts/{id:int}") > strings.Index(page, "/error/{id:int}") {
		t.Error("the nearest route is not first")
	}
	client.Delete("/posts").Status(405).HasHeader("Allow", "OPTIONS, POST").Contains("answers POST, not DELETE")
}

func TestSecurityDebugPageIsForThisMachineOnly(t *testing.T) {
	t.Parallel()
	app, _ := failing(true)
	for _, test := range []struct {
		name   string
		edit   func(r *http.Request)
		debugs bool
	}{
		{"loopback", func(*http.Request) {}, true},
		{"loopback v6", func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:1", "[::1]:8000" }, true},
		{"a subdomain of localhost", func(r *http.Request) { r.Host = "blog.localhost:8000" }, true},
		{"through a proxy on this machine", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "127.0.0.1, ::1") }, true},
		{"another machine", func(r *http.Request) { r.RemoteAddr = "192.168.1.5:1" }, false},
		{"another name for this machine", func(r *http.Request) { r.Host = "rebound.evil.example" }, false},
		{"a proxy's client", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "203.0.113.5") }, false},
		{"one of several clients", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "127.0.0.1, 203.0.113.5") }, false},
		{"a proxy that hides its client", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "unknown") }, false},
		{"X-Real-IP", func(r *http.Request) { r.Header.Set("X-Real-Ip", "203.0.113.5") }, false},
		{"Forwarded", func(r *http.Request) { r.Header.Set("Forwarded", "for=203.0.113.5") }, false},
		{"X-Forwarded-Host", func(r *http.Request) { r.Header.Set("X-Forwarded-Host", "blog.example.com") }, false},
	} {
		for _, path := range []string{"/panic", "/nothing"} {
			rec := ask(app, "GET", path, func(r *http.Request) {
				r.RemoteAddr, r.Host = "127.0.0.1:1", "localhost:8000"
				r.Header.Set("Accept", "text/html")
				test.edit(r)
			})
			shown := strings.Contains(rec.Body.String(), "debug_test.go") || strings.Contains(rec.Body.String(), "/posts/{id:int}")
			if shown != test.debugs {
				t.Errorf("%s, %s: shown %v", test.name, path, shown)
			}
		}
	}
}

func TestSecurityNothingOfTheDebugModeInProduction(t *testing.T) {
	t.Parallel()
	app, log := failing(false)
	client := retorttest.New(t, app)
	client.Header.Set("X-Debug", "1")
	client.SetCookie("debug", "1")
	for _, path := range []string{"/error/1", "/panic", "/nothing", "/posts/abc", "/panic?debug=1&__debugger__=yes", "/__retort__", "/debug/pprof/", "/debug/vars"} {
		client.Get(path).Lacks("debug_test.go", "goroutine", "nil map", "refused", "/posts/{id", "hunter2", "SELECT 1", "<script")
	}
	if strings.Contains(log.String(), "hunter2-secret-key") {
		t.Error("the log shows the secret key")
	}
}

func TestDebugPageOfATemplateError(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.Debug = true
	cfg.Assets = retort.Embed(templateFiles(map[string]string{"templates/page.html": "first line\n{{ nothing.at.all }}\nlast line"}))
	app := retort.New(cfg)
	app.Get("/", func(c *retort.Ctx) error { return c.Render("page.html", nil) })
	retorttest.New(t, app).Get("/").Status(500).Contains("page.html", "nothing.at.all")
}
