package retort_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

// quiet is a configuration that logs nothing.
func quiet() retort.Config {
	return retort.Config{SecretKey: "a key for tests that nobody else uses", Logger: slog.New(slog.DiscardHandler)}
}

// logged is a configuration that logs into a buffer.
func logged() (retort.Config, *logBuffer) {
	log := &logBuffer{}
	cfg := quiet()
	cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	return cfg, log
}

// logBuffer keeps a log that several goroutines write.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *logBuffer) Len() int { return len(b.String()) }

func (b *logBuffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.Reset()
}

// eventually waits until the log has the text so many times.
func (b *logBuffer) eventually(t *testing.T, text string, times int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); strings.Count(b.String(), text) < times; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log lacks %d times %q:\n%s", times, text, b)
		}
	}
}

func text(s string) retort.Handler {
	return func(c *retort.Ctx) error { return c.Text(s) }
}

func TestMethodsAndParameters(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/posts/{id:int}", func(c *retort.Ctx) error {
		id, err := retort.Param[int](c, "id")
		if err != nil {
			return err
		}
		return c.Text(fmt.Sprint("post ", id+1))
	}).Name("post")
	app.Post("/posts", func(c *retort.Ctx) error { return c.Status(http.StatusCreated).JSON(map[string]int{"id": 7}) })
	app.Any("/any", text("any"))
	app.Handle("/std/{name}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.PathValue("name"), " ", retort.From(r.Context()).Param("name"))
	}), http.MethodGet)
	client := retorttest.New(t, app)

	client.Get("/posts/41").Status(200).Contains("post 42")
	client.Get("/posts/x").Status(404)
	client.JSON("POST", "/posts", map[string]string{"title": "x"}).Status(201).Contains(`{"id":7}`)
	client.Delete("/any").Status(200).Contains("any")
	client.Get("/std/ada").Status(200).Contains("ada ada")

	t.Run("HEAD has the length and no body", func(t *testing.T) {
		r := client.Head("/posts/41").Status(200).HasHeader("Content-Length", "7")
		if r.Text() != "post 42" && r.Text() != "" {
			t.Errorf("body %q", r.Text())
		}
	})
	t.Run("OPTIONS lists the methods", func(t *testing.T) {
		client.Options("/posts/41").Status(200).HasHeader("Allow", "GET, HEAD, OPTIONS").HasHeader("Content-Length", "0")
	})
	t.Run("a wrong method is a 405 with Allow", func(t *testing.T) {
		client.Delete("/posts").Status(405).HasHeader("Allow", "OPTIONS, POST")
	})
	t.Run("an unknown path is a 404 also for OPTIONS", func(t *testing.T) {
		client.Options("/nowhere").Status(404)
	})
}

func TestTrailingSlashRedirectKeepsQueryAndStaysOnSite(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/dir/", text("dir"))
	app.Get("/{a}/{b}/", text("deep"))
	client := retorttest.New(t, app)
	client.Get("/dir?a=1&b=2").Status(308).RedirectsTo("/dir/?a=1&b=2")
	for _, path := range []string{"//evil.example/dir", "///evil.example/dir", "/\\evil.example/dir", "//evil.example//dir//"} {
		r := client.NewRequest("GET", "/x", nil)
		r.URL = &url.URL{Path: path}
		if l := client.Do(r).Header().Get("Location"); strings.HasPrefix(l, "//") || strings.HasPrefix(l, "/\\") {
			t.Errorf("%s redirects to %q, another site", path, l)
		}
	}
}

func TestConflictingRoutesNameBothPlaces(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/a/{x}", text("1"))
	app.Get("/a/{y}", text("2"))
	err := app.Prepare()
	if err == nil || strings.Count(err.Error(), "app_test.go:") != 2 {
		t.Errorf("error %v does not name both places", err)
	}
}

func TestRegistrationAfterStartPanics(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", text("home"))
	retorttest.New(t, app).Get("/").Status(200)
	defer func() {
		if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "before the first request") {
			t.Errorf("panic %v", v)
		}
	}()
	app.Get("/late", text("late"))
}

func TestHookOrder(t *testing.T) {
	t.Parallel()
	var order []string
	note := func(name string) retort.Handler {
		return func(*retort.Ctx) error { order = append(order, name); return nil }
	}
	wrap := func(name string) retort.Middleware {
		return func(next retort.Handler) retort.Handler {
			return func(c *retort.Ctx) error {
				order = append(order, name+" in")
				err := next(c)
				order = append(order, name+" out")
				return err
			}
		}
	}
	app := retort.New(quiet())
	app.Use(wrap("app"))
	app.UseHTTP(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			order = append(order, "std in")
			next.ServeHTTP(w, r)
			order = append(order, "std out")
		})
	})
	app.Before(note("before app"))
	app.After(note("after app 1"))
	app.After(note("after app 2"))
	app.Teardown(func(*retort.Ctx, error) { order = append(order, "teardown app") })
	parent, child := retort.NewBlueprint("parent", retort.BlueprintOptions{Prefix: "/p"}), retort.NewBlueprint("child", retort.BlueprintOptions{Prefix: "/c"})
	parent.Use(wrap("parent"))
	parent.Before(note("before parent"))
	parent.After(note("after parent"))
	child.Before(note("before child"))
	child.After(note("after child"))
	child.Teardown(func(*retort.Ctx, error) { order = append(order, "teardown child") })
	child.Get("/x", func(c *retort.Ctx) error {
		order = append(order, "handler")
		return c.Text("x")
	}).Use(wrap("route"))
	parent.Register(child)
	app.Install(parent)
	client := retorttest.New(t, app)

	client.Get("/p/c/x").Status(200)
	want := []string{
		"app in", "std in", "before app", "before parent", "before child", "parent in", "route in", "handler", "route out", "parent out",
		"after child", "after parent", "after app 2", "after app 1", "std out", "app out", "teardown child", "teardown app",
	}
	if !slices.Equal(order, want) {
		t.Errorf("order\n%s\nwant\n%s", strings.Join(order, "\n"), strings.Join(want, "\n"))
	}

	order = nil
	client.Get("/nowhere").Status(404)
	want = []string{"app in", "std in", "before app", "after app 2", "after app 1", "std out", "app out", "teardown app"}
	if !slices.Equal(order, want) {
		t.Errorf("without a route: order\n%s\nwant\n%s", strings.Join(order, "\n"), strings.Join(want, "\n"))
	}
}

func TestBeforeHookThatAnswersSkipsTheHandler(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Before(func(c *retort.Ctx) error {
		if c.Query("stop") != "" {
			return c.Status(http.StatusTeapot).Text("stopped")
		}
		return nil
	})
	app.After(func(c *retort.Ctx) error { c.SetHeader("X-After", "ran"); return nil })
	app.Get("/", func(*retort.Ctx) error { panic("the handler ran") })
	retorttest.New(t, app).Get("/?stop=1").Status(http.StatusTeapot).Contains("stopped").HasHeader("X-After", "ran")
}

func TestAfterHookMayChangeTheAnswer(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.After(func(c *retort.Ctx) error {
		return c.Text(strings.ToUpper(string(c.ResponseBody())))
	})
	app.Get("/", text("hello"))
	retorttest.New(t, app).Get("/").Status(200).Contains("HELLO")
}

type oddError struct{ n int }

func (e *oddError) Error() string { return fmt.Sprint("odd ", e.n) }

func TestErrorHandlers(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	retort.OnError(app, func(c *retort.Ctx, err *oddError) error { return c.Status(409).Text(fmt.Sprint("app saw odd ", err.n)) })
	app.OnStatus(404, func(c *retort.Ctx, _ error) error { return c.Text("app 404") })
	app.OnStatus(500, func(c *retort.Ctx, _ error) error { return c.Text("app 500") })
	app.OnStatus(400, func(*retort.Ctx, error) error { return errors.New("the handler is broken") })
	app.Get("/odd", func(*retort.Ctx) error { return fmt.Errorf("wrapped: %w", &oddError{3}) })
	app.Get("/plain", func(*retort.Ctx) error { return errors.New("secret detail") })
	app.Get("/panic", func(*retort.Ctx) error { panic("secret panic") })
	app.Get("/bad", func(*retort.Ctx) error { return retort.BadRequest("no") })
	app.Get("/none", func(*retort.Ctx) error { return nil })
	blog := retort.NewBlueprint("blog", retort.BlueprintOptions{Prefix: "/blog"})
	retort.OnError(blog, func(c *retort.Ctx, err *oddError) error { return c.Text("blog saw odd") })
	blog.OnStatus(404, func(c *retort.Ctx, _ error) error { return c.Text("blog 404") })
	blog.OnStatus(405, func(c *retort.Ctx, _ error) error { return c.Text("blog 405") })
	blog.Get("/odd", func(*retort.Ctx) error { return &oddError{1} })
	blog.Get("/gone", func(*retort.Ctx) error { return retort.NotFound("") })
	app.Register(blog)
	client := retorttest.New(t, app)

	client.Get("/odd").Status(409).Contains("app saw odd 3")
	client.Get("/blog/odd").Status(500).Contains("blog saw odd")
	client.Get("/plain").Status(500).Contains("app 500").Lacks("secret")
	client.Get("/panic").Status(500).Contains("app 500").Lacks("secret")
	client.Get("/none").Status(500).Contains("app 500")
	client.Get("/nowhere").Status(404).Contains("app 404")
	client.Get("/blog/nowhere").Status(404).Contains("blog 404")
	client.Get("/blogger").Status(404).Contains("app 404")
	client.Get("/blog/gone").Status(404).Contains("blog 404")
	client.JSON("DELETE", "/blog/odd", nil).Status(405).Contains("blog 405").HasHeader("Allow", "GET, HEAD, OPTIONS")
	client.Get("/bad").Status(500).Lacks("broken").Contains("Internal Server Error")
}

func TestErrorsComeInTheFormTheClientAccepts(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", func(*retort.Ctx) error { return retort.Forbidden("members <only>") })
	client := retorttest.New(t, app)
	client.Get("/").Status(403).HasHeader("Content-Type", "text/html; charset=utf-8").Contains("members &lt;only&gt;")
	client.JSON("GET", "/", nil).Status(403).HasHeader("Content-Type", "application/problem+json").Contains(`"status":403`, `"type":"about:blank"`)
	r := client.NewRequest("GET", "/", nil)
	r.Header.Set("Accept", "text/plain")
	client.Do(r).Status(403).HasHeader("Content-Type", "text/plain; charset=utf-8").HasHeader("Vary", "Accept").Contains("members <only>")
}

func TestPanicIsLoggedWithItsStack(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	app.Get("/", func(*retort.Ctx) error { panic("boom") })
	retorttest.New(t, app).Get("/").Status(500).Lacks("boom")
	if !strings.Contains(log.String(), "boom") || !strings.Contains(log.String(), "app_test.go") {
		t.Errorf("log lacks the panic or its stack: %s", log)
	}
}

func TestClientErrorsAreNotLogged(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	app.Get("/", func(*retort.Ctx) error { return retort.BadRequest("x") })
	client := retorttest.New(t, app)
	client.Get("/").Status(400)
	client.Get("/nowhere").Status(404)
	if log.Len() > 0 {
		t.Errorf("logged: %s", log)
	}
}

func TestFailureInTheMiddleCutsTheResponse(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", func(c *retort.Ctx) error {
		return c.Stream("text/plain", func(w io.Writer) error {
			if _, err := io.WriteString(w, "half"); err != nil {
				return err
			}
			return errors.New("the other half is lost")
		})
	})
	r := retorttest.New(t, app).Get("/")
	if !r.Aborted || r.Text() != "half" {
		t.Errorf("aborted %v with %q", r.Aborted, r.Text())
	}
}

func TestBlueprintTwiceUnderTwoNames(t *testing.T) {
	t.Parallel()
	shop := retort.NewBlueprint("shop", retort.BlueprintOptions{Prefix: "/shop"})
	shop.Get("/item/{id:int}", func(c *retort.Ctx) error {
		u, err := c.URL(".item", "id", 2)
		if err != nil {
			return err
		}
		return c.Text(c.RouteName() + " " + u)
	}).Name("item")
	app := retort.New(quiet())
	app.Register(shop)
	app.Register(shop, retort.At{Name: "outlet", Prefix: "/outlet"})
	client := retorttest.New(t, app)
	client.Get("/shop/item/1").Contains("shop.item /shop/item/2")
	client.Get("/outlet/item/1").Contains("outlet.item /outlet/item/2")

	twice := retort.New(quiet())
	twice.Register(shop)
	twice.Register(shop)
	if err := twice.Prepare(); err == nil || !strings.Contains(err.Error(), "At{Name") {
		t.Errorf("two blueprints of one name: %v", err)
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.BaseURL = "https://example.com"
	app := retort.New(cfg)
	app.Get("/posts/{id:int}", text("")).Name("post")
	app.Get("/files/{name:path}", text("")).Name("files")
	for _, test := range []struct {
		name   string
		values []any
		want   string
		err    string
	}{
		{"post", []any{"id", 3}, "/posts/3", ""},
		{"post", []any{"id", 3, "page", 2, "_anchor", "c 1"}, "/posts/3?page=2#c%201", ""},
		{"post", []any{"id", 3, "_external", true}, "https://example.com/posts/3", ""},
		{"files", []any{"name", "a/b c"}, "/files/a/b%20c", ""},
		{"pots", nil, "", "post"},
		{"post", nil, "", "id"},
		{"post", []any{"id", "x"}, "", "id"},
	} {
		got, err := app.URL(test.name, test.values...)
		if got != test.want || test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("URL(%q, %v) = %q, %v; want %q, error with %q", test.name, test.values, got, err, test.want, test.err)
		}
	}
}

func TestCtxIsTheRequestsContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	user := retort.NewKey[string]("user")
	app := retort.New(quiet())
	app.ExtendContext(func(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, "from the app") })
	app.UseHTTP(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), "std", "from middleware"))) //nolint:staticcheck // any key will do
		})
	})
	app.Use(func(next retort.Handler) retort.Handler {
		return func(c *retort.Ctx) error {
			user.Set(c, "ada")
			return next(c.WithContext(context.WithValue(c, "ours", "from ours"))) //nolint:staticcheck // any key will do
		}
	})
	app.Get("/", func(c *retort.Ctx) error {
		derived, cancel := context.WithCancel(c)
		defer cancel()
		name, _ := user.Get(derived)
		return c.Text(fmt.Sprint(derived.Value(key{}), ", ", derived.Value("std"), ", ", derived.Value("ours"), ", ", name, ", ", derived.Value("nothing"), ", ", retort.From(derived) == c))
	})
	retorttest.New(t, app).Get("/").Status(200).Contains("from the app, from middleware, from ours, ada, <nil>, true")
}

func TestServesWithoutAServer(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", text("home"))
	rec := httptest.NewRecorder()
	app.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	if rec.Code != 200 || rec.Body.String() != "home" {
		t.Errorf("%d %q", rec.Code, rec.Body)
	}
}

func TestMount(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Mount("/api", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Method, " ", r.URL.Path) }))
	app.Get("/api/own", text("own"))
	client := retorttest.New(t, app)
	client.Get("/api/x/y").Contains("GET /x/y")
	client.Get("/api/own").Contains("own")
	client.PostForm("/api/z", nil).Status(200).Contains("POST /z")
}
