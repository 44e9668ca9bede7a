//go:build unix

package retort_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/session"
)

const (
	benchLayout = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{% block title %}{% endblock %}</title>
<link rel="stylesheet" href="/style.css"></head><body><header><nav><a href="/">Home</a> <a href="/about">About</a></nav></header>
<main>{% block main %}{% endblock %}</main><footer>&copy; 2026</footer></body></html>`
	benchPosts = `{% extends "layout.html" %}{% block title %}Posts{% endblock %}{% block main %}<h1>Posts</h1>
{% for p in posts %}<article><h2><a href="/posts/{{ loop.index }}">{{ p.title }}</a></h2><p class="meta">{{ p.author }}, <time>{{ p.date }}</time></p>
<p>{{ p.summary }}</p><a href="/posts/{{ loop.index }}#comments">{{ loop.index }} comments</a></article>{% endfor %}
{% block extra %}{% endblock %}{% endblock %}`
	benchForm = `{% extends "posts.html" %}{% block extra %}<p>{{ user }}</p>
{% for m in flashes() %}<p>{{ m.text }}</p>{% endfor %}<form {{ form.attrs }}>{{ form }}<button>Send</button></form>{% endblock %}`
)

type benchPost struct{ Title, Summary, Author, Date string }

type contribution struct {
	Name    string `validate:"required,max=80"`
	Email   string `validate:"required,email"`
	Subject string `validate:"required,max=120"`
	Text    string `widget:"textarea" validate:"required,max=5000"`
	Stars   int    `validate:"min=1,max=5"`
}

// pageSite serves a page of forty posts as "/plain"; the same with a form typed into the
// template as "/typed"; with the session that says who is logged in as "/session"; and with
// session, token, messages and a form of five fields as "/form".
func pageSite(store session.Store) (app *retort.App, cookie string) {
	var posts []benchPost
	for i := range 40 {
		posts = append(posts, benchPost{
			fmt.Sprint("Post number ", i), "Salt & water, and what <becomes> of them when they are heated for long enough", "Ada Lovelace", "28 February 2026",
		})
	}
	files := fstest.MapFS{
		"templates/layout.html": {Data: []byte(benchLayout)}, "templates/posts.html": {Data: []byte(benchPosts)}, "templates/form.html": {Data: []byte(benchForm)},
	}
	cfg := quiet()
	cfg.Assets = retort.Embed(files)
	build := func() *retort.App {
		app := retort.New(cfg)
		if store != nil {
			app.SessionStore(store)
		}
		app.Get("/login", func(c *retort.Ctx) error { c.Session().Login("7", "hash"); c.CSRFToken(); return c.Text("in") })
		app.Get("/plain", func(c *retort.Ctx) error { return c.Render("posts.html", map[string]any{"posts": posts}) })
		app.Get("/typed", func(c *retort.Ctx) error { return c.Render("typed.html", map[string]any{"posts": posts}) })
		app.Get("/session", func(c *retort.Ctx) error {
			return c.Render("posts.html", map[string]any{"posts": posts, "user": c.Session().User()})
		})
		app.Get("/form", func(c *retort.Ctx) error {
			return c.Render("form.html", map[string]any{"posts": posts, "user": c.Session().User(), "form": form.For[contribution](c)})
		})
		return app
	}
	page := ask(build(), http.MethodGet, "/form", nil).Body.String()
	_, page, _ = strings.Cut(page, "</article>\n<p>")
	page, _, _ = strings.Cut(page, "</main>")
	files["templates/typed.html"] = &fstest.MapFile{Data: []byte(`{% extends "posts.html" %}{% block extra %}<p>` + page + `{% endblock %}`)}
	app = build()
	cookie, _, _ = strings.Cut(ask(app, http.MethodGet, "/login", nil).Header().Get("Set-Cookie"), ";")
	return app, cookie
}

// processorTime is what this process has taken so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPageWithAForm measures the pages of pageSite in turns, so that a busy machine is
// as slow for each: processor time of a page, and how many times that of the same page
// without session, token and form the others take. They may take 1.3 times as much.
func BenchmarkPageWithAForm(b *testing.B) {
	cookies, inCookie := pageSite(nil)
	memory, inMemory := pageSite(session.NewMemoryStore(session.MemoryOptions{}))
	pages := []struct {
		name, path, cookie string
		app                *retort.App
		spent              time.Duration
	}{
		{name: "plain", path: "/plain", app: cookies, cookie: inCookie},
		{name: "typed", path: "/typed", app: cookies, cookie: inCookie},
		{name: "session", path: "/session", app: cookies, cookie: inCookie},
		{name: "cookie", path: "/form", app: cookies, cookie: inCookie},
		{name: "memory", path: "/form", app: memory, cookie: inMemory},
	}
	const batch = 50
	turns := 0
	for b.Loop() {
		turns++
		for i := range pages {
			p := &pages[i]
			r := httptest.NewRequest(http.MethodGet, p.path, nil)
			r.Header.Set("Cookie", p.cookie)
			before := processorTime()
			for range batch {
				rec := httptest.NewRecorder()
				p.app.ServeHTTP(rec, r)
				if rec.Code != http.StatusOK {
					b.Fatal(rec.Code, rec.Body)
				}
			}
			p.spent += processorTime() - before
		}
	}
	for _, p := range pages {
		b.ReportMetric(float64(p.spent.Nanoseconds())/float64(turns*batch), p.name+"-ns")
	}
	for _, p := range pages[2:] {
		b.ReportMetric(float64(p.spent)/float64(pages[0].spent), p.name+"/plain")
		b.ReportMetric(float64(p.spent)/float64(pages[1].spent), p.name+"/typed")
	}
}

// BenchmarkPage measures them one by one, with their allocations.
func BenchmarkPage(b *testing.B) {
	app, cookie := pageSite(nil)
	for _, path := range []string{"/plain", "/typed", "/session", "/form"} {
		b.Run(path[1:], func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Header.Set("Cookie", cookie)
			b.ReportAllocs()
			for b.Loop() {
				app.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}
