package retort_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/session"
)

// BenchmarkPageWithAForm is a page of forty posts, and the same with what a page
// for its visitor has beside it: the session that says who is logged in, a CSRF
// token, and a form of five fields. It may cost 1.3 times as much.
func BenchmarkPageWithAForm(b *testing.B) {
	type post struct{ Title, Summary, Author, Date string }
	type contribution struct {
		Name    string `validate:"required,max=80"`
		Email   string `validate:"required,email"`
		Subject string `validate:"required,max=120"`
		Text    string `widget:"textarea" validate:"required,max=5000"`
		Stars   int    `validate:"min=1,max=5"`
	}
	var posts []post
	for i := range 40 {
		posts = append(posts, post{
			fmt.Sprint("Post number ", i), "Salt & water, and what <becomes> of them when they are heated for long enough", "Ada Lovelace", "28 February 2026",
		})
	}
	const layout = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{% block title %}{% endblock %}</title>
<link rel="stylesheet" href="/style.css"></head><body><header><nav><a href="/">Home</a> <a href="/about">About</a></nav></header>
<main>{% block main %}{% endblock %}</main><footer>&copy; 2026</footer></body></html>`
	const list = `{% extends "layout.html" %}{% block title %}Posts{% endblock %}{% block main %}<h1>Posts</h1>
{% for p in posts %}<article><h2><a href="/posts/{{ loop.index }}">{{ p.title }}</a></h2><p class="meta">{{ p.author }}, <time>{{ p.date }}</time></p>
<p>{{ p.summary }}</p><a href="/posts/{{ loop.index }}#comments">{{ loop.index }} comments</a></article>{% endfor %}
{% block extra %}{% endblock %}{% endblock %}`
	const withForm = `{% extends "list.html" %}{% block extra %}<p>{{ user }}</p>
{% for m in flashes() %}<p>{{ m.text }}</p>{% endfor %}<form method="post">{{ csrf_input() }}{{ form }}<button>Send</button></form>{% endblock %}`
	cfg := quiet()
	cfg.Assets = retort.Embed(fstest.MapFS{
		"templates/layout.html": {Data: []byte(layout)}, "templates/list.html": {Data: []byte(list)}, "templates/form.html": {Data: []byte(withForm)},
	})
	app := retort.New(cfg)
	app.Get("/login", func(c *retort.Ctx) error { c.Session().Login("7", "hash"); c.CSRFToken(); return c.Text("in") })
	app.Get("/plain", func(c *retort.Ctx) error { return c.Render("list.html", map[string]any{"posts": posts}) })
	app.Get("/form", func(c *retort.Ctx) error {
		f := form.For[contribution](c)
		return c.Render("form.html", map[string]any{"posts": posts, "user": c.Session().User(), "form": f})
	})
	app.Get("/session", func(c *retort.Ctx) error {
		return c.Render("list.html", map[string]any{"posts": posts, "user": c.Session().User()})
	})
	for _, kind := range []string{"cookie", "memory"} {
		if kind == "memory" {
			memory := retort.New(cfg)
			memory.SessionStore(session.NewMemoryStore(session.MemoryOptions{}))
			memory.Get("/login", func(c *retort.Ctx) error { c.Session().Login("7", "hash"); c.CSRFToken(); return c.Text("in") })
			memory.Get("/form", func(c *retort.Ctx) error {
				return c.Render("form.html", map[string]any{"posts": posts, "user": c.Session().User(), "form": form.For[contribution](c)})
			})
			app = memory
		}
		cookie := ask(app, http.MethodGet, "/login", nil).Header().Get("Set-Cookie")
		for _, path := range []string{"/plain", "/session", "/form"} {
			if kind == "memory" && path != "/form" {
				continue
			}
			b.Run(kind+path, func(b *testing.B) {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.Header.Set("Cookie", cookie[:strings.IndexByte(cookie, ';')])
				b.ReportAllocs()
				for b.Loop() {
					rec := httptest.NewRecorder()
					app.ServeHTTP(rec, r)
					if rec.Code != http.StatusOK {
						b.Fatal(rec.Code, rec.Body)
					}
				}
			})
		}
	}
}
