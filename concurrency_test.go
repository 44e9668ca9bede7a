package retort_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session"
)

// manyFeatures is an app with about everything there is. In debug mode it reads
// the folder static beside this file, package static, in place of its own.
func manyFeatures(cfg retort.Config) *retort.App {
	cfg.Assets = retort.Embed(templateFiles(map[string]string{
		"templates/page.html": `{% for m in flashes() %}{{ m.text }}{% endfor %}{{ name }} {{ url("post", id=3) }} {% if not debug %}{{ static("site.css") }}{% endif %} {{ csrf_input() }}{{ request.path }}`,
		"static/site.css":     "body{color:red}",
	}))
	cfg.AccessLog = true
	app := retort.New(cfg)
	app.HealthRoutes()
	app.Use(func(next retort.Handler) retort.Handler {
		return func(c *retort.Ctx) error { c.Set("seen", true); return next(c) }
	})
	app.UseHTTP(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), seenKey{}, true)))
		})
	})
	app.Before(func(c *retort.Ctx) error { c.RequestID(); return nil })
	app.After(func(c *retort.Ctx) error { c.Vary("Accept-Language"); return nil })
	app.OnStatus(410, func(c *retort.Ctx, _ error) error { return c.Text("gone") })
	app.Get("/{name}", func(c *retort.Ctx) error { return c.Text("hello " + c.Param("name")) })
	app.Get("/posts/{id:int}", func(c *retort.Ctx) error {
		id, err := retort.Param[int](c, "id")
		if err != nil {
			return err
		}
		page, err := retort.Query(c, "page", 1)
		if err != nil {
			return err
		}
		return c.JSON([]any{id, page, c.QueryValues(), c.IP().String(), c.Host(), c.Accepts("text/html", "application/json"), c.AcceptsLanguage("en", "de")})
	}).Name("post")
	app.Put("/posts/{id:int}", retort.Typed(func(_ context.Context, in *typedIn) (*typedOut, error) {
		return &typedOut{in.ID, in.Title, in.Draft}, nil
	}))
	app.Any("/form", func(c *retort.Ctx) error {
		form, err := c.Form()
		if err != nil {
			return err
		}
		return c.Text(fmt.Sprint(len(form.Values), len(form.Files), c.FormValue("a")))
	})
	app.Post("/json", func(c *retort.Ctx) error {
		var v any
		if err := c.DecodeJSON(&v); err != nil {
			return err
		}
		return c.JSON(v)
	})
	app.Any("/bind", func(c *retort.Ctx) error {
		var in struct {
			A    int       `query:"a" form:"a" json:"a"`
			When time.Time `form:"when" json:"when"`
			List []string  `form:"list" json:"list" validate:"max=3"`
			Own  string    `header:"X-Own" validate:"max=10"`
			Seen string    `cookie:"seen"`
		}
		if err := c.Bind(&in); err != nil {
			return err
		}
		return c.JSON(in)
	})
	app.Any("/session", func(c *retort.Ctx) error {
		n, _ := session.Get[int](c.Session(), "n")
		c.Session().Set("n", n+1)
		c.Flash("info", c.Query("flash"))
		return c.Text(fmt.Sprint(n))
	})
	app.Get("/page", func(c *retort.Ctx) error { return c.Render("page.html", map[string]any{"name": c.Query("name")}) })
	app.Any("/next", func(c *retort.Ctx) error { return c.Redirect(c.Next("/")) })
	app.Any("/go", func(c *retort.Ctx) error { return c.Redirect(c.Query("to")) })
	app.Get("/cookie", func(c *retort.Ctx) error {
		v, _ := c.Cookie("seen")
		c.SetCookie(retort.Cookie{Name: "seen", Value: v + c.Query("v")})
		return c.NoContent()
	})
	app.Get("/file/{name:path}", func(c *retort.Ctx) error {
		return c.Attachment(fstest.MapFS{"a.txt": {Data: []byte("0123456789")}}, c.Param("name"), c.Query("as"))
	})
	app.Get("/stream", func(c *retort.Ctx) error {
		return c.Stream("text/plain", func(w io.Writer) error { _, err := io.WriteString(w, c.Query("s")); return err })
	})
	app.Get("/events", func(c *retort.Ctx) error {
		return c.SSE(func(s *retort.EventStream) error {
			return s.Send(retort.Event{Data: c.Query("data"), ID: s.LastEventID()})
		})
	})
	app.Get("/gone", func(*retort.Ctx) error { return retort.Gone("") })
	app.Mount("/mounted", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }))
	app.Get("/host", text("host")).Host("{sub}.example.com")
	blog := retort.NewBlueprint("blog", retort.BlueprintOptions{Prefix: "/blog/{lang:any(de,en)}"})
	blog.Get("/{path:path}", func(c *retort.Ctx) error { return c.Text(c.Param("lang") + c.Param("path")) })
	blog.OnStatus(404, func(c *retort.Ctx, _ error) error { return c.Text("no such page of the blog") })
	app.Register(blog)
	return app
}

type seenKey struct{}

func TestAHundredVisitorsAtOnce(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := manyFeatures(cfg)
	retorttest.New(t, app) // starts it, and ends it after the test
	var group sync.WaitGroup
	for visitor := range 100 {
		group.Go(func() {
			client := retorttest.New(t, app)
			name := fmt.Sprint("visitor", visitor)
			client.Get("/" + name).Contains("hello " + name)
			client.Get(fmt.Sprint("/posts/", visitor, "?page=2")).Contains(fmt.Sprint("[", visitor, ",2,"))
			client.JSON("PUT", fmt.Sprint("/posts/", visitor), map[string]string{"title": "T"}).Contains(fmt.Sprint(`{"id":`, visitor))
			client.JSON("PUT", "/posts/1", map[string]string{}).Status(400)
			client.PostForm("/form", url.Values{"a": {name}}).Contains(name)
			client.PostFiles("/form", url.Values{"a": {name}}, retorttest.File{Field: "f", Name: "f", Content: []byte(name)}).Contains("1 1" + name)
			for i := range 3 {
				if got := client.Get("/session?flash=" + name).Text(); got != fmt.Sprint(i) {
					t.Errorf("%s: session %s, want %d", name, got, i)
				}
			}
			client.Get("/page?name="+name).Contains(name+name+name+name, "/posts/3", "/page")
			client.Get("/stream?s=" + name).Contains(name)
			client.Get("/events?data=" + name).Contains("data: " + name)
			client.Get("/file/a.txt").Contains("0123456789")
			client.Get("/static/site.css").Contains("color:red")
			client.Get("/gone").Status(410)
			client.Get("/blog/de/").Contains("no such page")
			client.Get("/mounted/" + name).Contains("/" + name)
			client.Get("/nothing/at/all").Status(404)
			client.Delete("/posts/1").Status(405)
		})
	}
	group.Wait()
	if strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("log: %s", log)
	}
}

// A goroutine may keep the Ctx as a context: it belongs to its request for
// ever, whatever the request's own goroutine and its middleware do meanwhile.
func TestGoroutinesMayKeepTheCtx(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.UseHTTP(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithCancel(context.WithValue(r.Context(), seenKey{}, r.URL.Path))
			defer cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	})
	user := retort.NewKey[string]("user")
	var group sync.WaitGroup
	app.Get("/{name}", func(c *retort.Ctx) error {
		name := c.Param("name")
		user.Set(c, name)
		started := make(chan struct{})
		group.Go(func() {
			close(started)
			for i := range 200 {
				derived, cancel := context.WithTimeout(c, time.Minute)
				if got, ok := user.Get(derived); !ok || !strings.HasPrefix(got, name) {
					t.Errorf("round %d: the goroutine of %s sees %q", i, name, got)
				}
				_, _, _ = derived.Err(), derived.Value(seenKey{}), c.Value("late")
				cancel()
			}
		})
		<-started
		for i := range 20 {
			c.Set("late", i)
			user.Set(c, name+fmt.Sprint(i))
		}
		return c.Text(name)
	})
	client := retorttest.New(t, app)
	for i := range 50 {
		name := string(rune('a' + i%26))
		client.Get("/" + name).Contains(name)
	}
	group.Wait()
}
