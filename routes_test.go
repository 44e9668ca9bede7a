package retort_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

// evenNumber is a converter of our own that refuses odd numbers.
type evenNumber struct{}

func (evenNumber) Parse(s string) (any, error) {
	var n int
	if _, err := fmt.Sscanf(s, "%d", &n); err != nil || n%2 != 0 {
		return nil, errors.New("not an even number")
	}
	return n, nil
}

func (evenNumber) Format(v any) (string, error) { return fmt.Sprint(v), nil }

func TestRoutesBySpecificityNotByOrder(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Converter("even", evenNumber{})
	app.Get("/{rest:path}", text("path"))
	app.Get("/posts/{slug}", text("slug"))
	app.Get("/posts/{id:int}", text("int"))
	app.Get("/posts/{n:even}", text("even"))
	app.Get("/posts/new", text("static"))
	app.Get("/{name}.{ext}", func(c *retort.Ctx) error { return c.Text(c.Param("name") + "|" + c.Param("ext")) })
	app.Post("/posts/{id:int}", text("posted"))
	app.Any("/posts/any", text("any"))
	client := retorttest.New(t, app)
	for path, want := range map[string]string{
		"/posts/new": "static", "/posts/7": "int", "/posts/tea": "slug", "/posts/tea/leaf": "path", "/a.tar.gz": "a.tar|gz",
	} {
		if got := client.Get(path).Status(200).Text(); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	client.PostForm("/posts/7", nil).Status(200).Contains("posted")
	client.PostForm("/posts/tea", nil).Status(405).HasHeader("Allow", "GET, HEAD, OPTIONS")
	client.Options("/posts/7").Status(200).HasHeader("Allow", "GET, HEAD, OPTIONS, POST")
	client.Do(client.NewRequest("FROB", "/posts/any", nil)).Status(200).Contains("any")
	client.Do(client.NewRequest("get", "/posts/new", nil)).Status(405) // methods are case-sensitive
}

func TestMethodNamesAreUpperedAtRegistration(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Methods([]string{"get", "Report"}, "/", text("x"))
	app.Patch("/part", text("patched"))
	app.Delete("/part", text("deleted"))
	client := retorttest.New(t, app)
	client.Get("/").Status(200)
	client.Do(client.NewRequest("REPORT", "/", nil)).Status(200)
	client.Do(client.NewRequest("PATCH", "/part", nil)).Status(200).Contains("patched")
	client.Delete("/part").Status(200).Contains("deleted")
}

func TestHooksRunForAutomaticAnswers(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.After(func(c *retort.Ctx) error { c.SetHeader("X-After", fmt.Sprint(c.ResponseStatus())); return nil })
	app.Get("/dir/", text("dir"))
	client := retorttest.New(t, app)
	client.Options("/dir/").HasHeader("X-After", "200")
	client.Get("/dir?q=ü&x=%22").HasHeader("X-After", "308").RedirectsTo("/dir/?q=%C3%BC&x=%22")
	client.Delete("/dir/").HasHeader("X-After", "405")
	client.Get("/none").HasHeader("X-After", "404")
}

func TestRouteLimitsKeepTheOthers(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Post("/", func(c *retort.Ctx) error {
		form, err := c.Form()
		if err != nil {
			return err
		}
		return c.Text(fmt.Sprint(len(form.Values)))
	}).Limits(retort.Limits{FormFields: 2})
	client := retorttest.New(t, app)
	client.PostForm("/", map[string][]string{"a": {"1"}, "b": {"2"}}).Status(200)
	client.PostForm("/", map[string][]string{"a": {"1"}, "b": {"2"}, "c": {"3"}}).Status(413)
	client.PostForm("/", map[string][]string{"a": {strings.Repeat("x", 600_000)}}).Status(413)
}

func TestWithContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	app := retort.New(quiet())
	var outer *retort.Ctx
	app.Use(func(next retort.Handler) retort.Handler {
		return func(c *retort.Ctx) error {
			outer = c
			ctx, cancel := context.WithTimeout(context.WithValue(c, key{}, "inner"), time.Minute)
			defer cancel()
			return next(c.WithContext(ctx))
		}
	})
	app.Get("/", func(c *retort.Ctx) error {
		c.Set("late", "seen by both")
		_, outside := outer.Deadline()
		_, inside := c.Deadline()
		return c.Text(fmt.Sprint(c.Value(key{}), outer.Value(key{}), inside, outside, outer.Value("late"), retort.From(c) == c, c.App() == outer.App()))
	})
	app.Teardown(func(c *retort.Ctx, _ error) {
		if c.Err() != nil {
			t.Error("what middleware made and ended is not the request's end")
		}
	})
	retorttest.New(t, app).Get("/").Status(200).Contains("inner<nil> true falseseen by bothtrue true")
}

func TestValuesOfARequest(t *testing.T) {
	t.Parallel()
	one, two := retort.NewKey[int]("one"), retort.NewKey[int]("one")
	app := retort.New(quiet())
	app.Get("/", func(c *retort.Ctx) error {
		one.Set(c, 1)
		one.Set(c, 2)
		c.Set("one", "text")
		_, other := two.Get(c)
		number, isNumber := retort.Get[int](c, "one")
		s, isText := retort.Get[string](c, "one")
		return c.Text(fmt.Sprint(one.Must(c), other, number, isNumber, s, isText))
	})
	app.Get("/must", func(c *retort.Ctx) error { return c.Text(fmt.Sprint(two.Must(c))) })
	cfg, log := logged()
	broken := retort.New(cfg)
	broken.Get("/must", func(c *retort.Ctx) error { return c.Text(fmt.Sprint(two.Must(c))) })
	retorttest.New(t, app).Get("/").Contains("2 false 0 falsetexttrue")
	retorttest.New(t, broken).Get("/must").Status(500)
	if !strings.Contains(log.String(), "no value one on this context") {
		t.Errorf("log: %s", log)
	}
	if retort.From(context.Background()) != nil {
		t.Error("From finds a Ctx where none is")
	}
}

func TestHEADOfStreamsHasNoBodyAndDoesNotRun(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/events", func(c *retort.Ctx) error {
		return c.SSE(func(*retort.EventStream) error { t.Error("events for HEAD"); return nil })
	})
	retorttest.New(t, app).Head("/events").Status(http.StatusOK).HasHeader("Content-Type", "text/event-stream")
}
