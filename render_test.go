package retort_test

import (
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/template"
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
		"templates/django.html":    `{% csrf_token %}{% url "blog.post" id=3 as u %}<a href="{{ u }}{% querystring page=2 %}">{% static "site.css" %}`,
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
	app.Get("/django", func(c *retort.Ctx) error { return c.Render("django.html", nil) })
	client := retorttest.New(t, app)

	client.Get("/django?page=1&q=x").Status(200).Contains(`type="hidden" name="csrf_token"`, `href="/blog/3?page=2&amp;q=x"`, "/static/site.")
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

// Values in templates of apps are escaped by where they stand.
func TestTemplatesEscapeByContext(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", func(c *retort.Ctx) error {
		return c.RenderString(`<a href="{{ u }}" onclick="go({{ t }})" nonce="{{ n }}">{{ t }}</a><script>x = {{ t }}</script><p {{ {"title": t}|xmlattr }}>`,
			map[string]any{"u": "javascript:x", "t": `<'">`, "n": "a+b/c=="})
	})
	want := `<a href="#blocked" onclick="go(&#34;\u003c\u0027\&#34;\u003e&#34;)" nonce="a+b/c==">&lt;&#39;&#34;&gt;</a><script>x = "\u003c\u0027\"\u003e"</script><p  title="&lt;&#39;&#34;&gt;">`
	if got := retorttest.New(t, app).Get("/").Status(200).Text(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRenderStream(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	cfg.Assets = retort.Embed(templateFiles(map[string]string{
		"templates/rows.csv":   `{% for n in rows %}{{ n }},{{ request.path }}{{ 1 // (2500 - n) }}` + "\n{% endfor %}",
		"templates/early.html": `text {{ nothing.at.all }}`,
		"templates/short.html": `{{ rows|length }}`,
		"templates/empty.html": ``,
	}))
	app := retort.New(cfg)
	rendered := 0
	app.Get("/rows/{n:int}", func(c *retort.Ctx) error {
		n, _ := strconv.Atoi(c.Param("n"))
		rows := iter.Seq[int](func(yield func(int) bool) {
			for i := range n {
				if rendered = i; !yield(i) {
					return
				}
			}
		})
		return c.RenderStream("rows.csv", map[string]any{"rows": rows})
	})
	for _, name := range []string{"early", "short", "empty", "missing"} {
		app.Get("/"+name, func(c *retort.Ctx) error {
			return c.Status(203).RenderStream(name+".html", map[string]any{"rows": []int{1, 2}})
		})
	}
	client := retorttest.New(t, app)
	client.Get("/short").Status(203).HasHeader("Content-Type", "text/html; charset=utf-8").HasHeader("X-Content-Type-Options", "nosniff").Contains("2")
	client.Get("/empty").Status(203).HasHeader("Content-Type", "text/html; charset=utf-8")
	client.Get("/early").Status(500).Lacks("text ")
	client.Get("/missing").Status(500)
	client.Get("/rows/2000").Status(200).HasHeader("Content-Type", "text/csv; charset=utf-8").Contains("0,/rows/20000\n", "1999,/rows/2000")

	server := httptest.NewServer(app)
	defer server.Close()
	res, err := http.Get(server.URL + "/rows/3000")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil || len(body) < 8<<10 || res.StatusCode != 200 {
		t.Errorf("status %d, %d bytes, ended with %v", res.StatusCode, len(body), err)
	}
	if head, err := http.Head(server.URL + "/rows/1000000"); err != nil || head.StatusCode != 200 || rendered > 10_000 {
		t.Errorf("HEAD: %v, rendered up to %d", err, rendered)
	}
	if !strings.Contains(log.String(), "rows.csv:1:") {
		t.Errorf("log: %s", log)
	}
}

func TestWhatAnAppAddsToTemplates(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.Assets = retort.Embed(templateFiles(map[string]string{
		"templates/page.html": `{% stars 3 %} {{ 4 is even_more }} {{ at|date("H") }} {% include "stored.html" %} {% get_static_prefix %}{% debug %}`,
		"templates/hole.html": `{{ missing }}`,
		"static/a.css":        ``,
	}))
	app := retort.New(cfg)
	app.TemplateTag("stars", template.SimpleTag(func(n int) string { return strings.Repeat("*", n) }))
	app.TemplateTest("even_more", func(n int) bool { return n%4 == 0 })
	app.TemplateOptions(func(o *template.Options) {
		o.Location = time.FixedZone("", 3600)
		o.Undefined = template.UndefinedStrict
		o.Contextual = false // is not for anybody to decide
		o.Loader = template.Map(map[string]string{"stored.html": `<a href="{{ 'javascript:x' }}">`, "page.html": "never"})
	})
	app.Get("/", func(c *retort.Ctx) error {
		return c.Render("page.html", map[string]any{"at": time.Date(2026, 5, 6, 7, 0, 0, 0, time.UTC)})
	})
	app.Get("/hole", func(c *retort.Ctx) error { return c.Render("hole.html", nil) })
	client := retorttest.New(t, app)
	client.Get("/").Status(200).Contains(`*** True 08 <a href="#blocked"> /static/`)
	client.Get("/hole").Status(500)
	if found := app.RunChecks(t.Context(), false); len(found) > 0 {
		t.Error(found)
	}
}
