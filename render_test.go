package retort_test

import (
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

func templateFiles(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func TestRender(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.Assets = retort.Embed(templateFiles(map[string]string{
		"templates/base.html":      `<title>{% block title %}{% endblock %}</title>{% for m in flashes() %}[{{ m.category }}: {{ m.text }}]{% endfor %}{% block body %}{% endblock %}`,
		"templates/home.html":      `{% extends "base.html" %}{% block title %}{{ title }}{% endblock %}{% block body %}<a href="{{ url("blog.post", id=3, q="a b") }}">{{ site }}</a><link href="{{ static("site.css") }}">{{ request.path }} {{ late }}{% endblock %}`,
		"templates/blog/own.html":  `the app's`,
		"templates/plain.txt":      `{{ title }}`,
		"templates/broken.html":    "one\n{{ nothing.at.all }}",
		"templates/form.html":      `<form method="post">{{ csrf_input() }}</form>`,
		"static/site.css":          `body{}`,
		"templates/shouted.html":   `{{ title|shout }}`,
		"templates/never/used.txt": ``,
	}))
	app := retort.New(cfg)
	app.TemplateFilter("shout", func(s string) string { return s + "!" })
	app.TemplateGlobal("site", "The <Site>")
	app.TemplateContext(func(*retort.Ctx) map[string]any { return map[string]any{"title": "from the context"} })
	blog := retort.NewBlueprint("blog", retort.BlueprintOptions{Prefix: "/blog", Assets: retort.Embed(templateFiles(map[string]string{
		"templates/own.html": `the blueprint's`, "templates/post.html": `post {{ id }} {{ url(".post", id=id) }} {{ static("blog/b.css") }}`, "static/b.css": "b{}",
	}))})
	blog.Get("/{id:int}", func(c *retort.Ctx) error { return c.Render("blog/post.html", map[string]any{"id": c.Param("id")}) }).Name("post")
	blog.Get("/own", func(c *retort.Ctx) error { return c.Render("blog/own.html", nil) })
	app.Install(blog)
	app.Get("/", func(c *retort.Ctx) error {
		c.Set("late", "value")
		return c.Render("home.html", map[string]any{"title": "<Home>"})
	})
	app.Get("/context", func(c *retort.Ctx) error { return c.Render("plain.txt", nil) })
	app.Get("/shout", func(c *retort.Ctx) error { return c.Render("shouted.html", struct{ Title string }{"hey"}) })
	app.Get("/broken", func(c *retort.Ctx) error { return c.Render("broken.html", nil) })
	app.Get("/missing", func(c *retort.Ctx) error { return c.Render("missing.html", nil) })
	app.Get("/flash", func(c *retort.Ctx) error {
		c.Flash("info", "Saved & done")
		return c.Redirect("/")
	})
	app.Get("/form", func(c *retort.Ctx) error { return c.Render("form.html", nil) })
	client := retorttest.New(t, app)

	r := client.Get("/").Status(200).Contains("<title>&lt;Home&gt;</title>", `href="/blog/3?q=a+b"`, "The &lt;Site&gt;", "/static/site.", "/ value")
	if data := r.Used("home.html").(map[string]any); data["title"] != "<Home>" {
		t.Errorf("captured data %v", data)
	}
	client.Get("/context").HasHeader("Content-Type", "text/plain; charset=utf-8").Contains("from the context")
	client.Get("/shout").Contains("hey!")
	client.Get("/blog/4").Contains("post 4 /blog/4 /static/blog/b.")
	client.Get("/blog/own").Contains("the app's")
	client.Get("/broken").Status(500).Lacks("nothing")
	client.Get("/missing").Status(500)
	client.FollowRedirects = true
	client.Get("/flash").Status(200).Contains("[info: Saved &amp; done]")
	client.Get("/").Lacks("Saved")
	if token := client.Get("/form").Field("csrf_token"); len(token) < 20 {
		t.Errorf("token %q", token)
	}
}

func TestStaticFilesOfAnApp(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.Assets = retort.Embed(templateFiles(map[string]string{"static/css/site.css": "body{color:red}"}))
	app := retort.New(cfg)
	client := retorttest.New(t, app)
	u, err := app.StaticURL("css/site.css")
	if err != nil {
		t.Fatal(err)
	}
	client.Get(u).Status(200).HasHeader("Cache-Control", "public, max-age=31536000, immutable").Contains("color:red")
	client.Get("/static/css/site.css").Status(200).Contains("color:red")
	client.Get("/static/css/nothing.css").Status(404)
	client.Get("/static/..%2f..%2fapp.go").Status(404)
}

func TestWhatTemplatesSeeOfTheRequest(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.Assets = retort.Embed(templateFiles(map[string]string{
		"templates/data.json.j2": `{"a": 1}`, "templates/list.txt": `part {{ n }}`, "templates/odd.bin": `x`,
	}))
	app := retort.New(cfg)
	app.Get("/posts/{id:int}", func(c *retort.Ctx) error {
		c.Session().Set("user", "ada")
		return c.RenderString(`{{ request.method }} {{ request.path }} {{ request.arg("q") }} {{ request.params.id }} {{ request.route }} `+
			`{{ request.host }} {{ request.secure }} {{ session.get("user") }} {{ session.has("nobody") }} {{ debug }} {{ extra }}`, map[string]any{"extra": "<b>"})
	}).Name("post")
	app.Get("/part", func(c *retort.Ctx) error {
		s, err := c.Rendered("list.txt", map[string]any{"n": 3})
		if err != nil {
			return err
		}
		return c.Text("[" + s + "]")
	})
	for path, name := range map[string]string{"/json": "data.json.j2", "/odd": "odd.bin"} {
		app.Get(path, func(c *retort.Ctx) error { return c.Render(name, nil) })
	}
	app.Get("/url", func(c *retort.Ctx) error { return c.RenderString(`{{ url("nothing") }}`, nil) })
	app.Get("/url2", func(c *retort.Ctx) error { return c.RenderString(`{{ url(3) }}`, nil) })
	app.Get("/syntax", func(c *retort.Ctx) error { return c.RenderString(`{% if %}`, nil) })
	client := retorttest.New(t, app)
	client.Get("/posts/7?q=%3Ci%3E").Status(200).Contains("GET /posts/7 &lt;i&gt; 7 post localhost False ada False False &lt;b&gt;")
	client.Get("/part").Contains("[part 3]")
	client.Get("/json").HasHeader("Content-Type", "application/json")
	client.Get("/odd").HasHeader("Content-Type", "text/html; charset=utf-8")
	for _, path := range []string{"/url", "/url2", "/syntax"} {
		client.Get(path).Status(500)
	}
}

func TestSecurityTemplatesReachOnlyWhatTheyAreShown(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", func(c *retort.Ctx) error { return c.RenderString(c.Query("t"), nil) }) // as no site would do
	client := retorttest.New(t, app)
	for _, source := range []string{
		"{{ request.header }}", "{{ session.c.app.config.secret_key }}", "{{ session.c }}", "{{ request.ctx }}", "{{ url.app }}", "{{ static.app }}",
		"{{ csrf_token.c }}", "{{ flashes.app.config }}", "{{ session }}",
	} {
		if r := client.Get("/?t=" + url.QueryEscape(source)); strings.Contains(r.Text(), quiet().SecretKey) {
			t.Errorf("%s shows the secret key", source)
		}
	}
}
