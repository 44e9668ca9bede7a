package retorttest_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session"
)

func newApp() *retort.App {
	app := retort.New(retort.Config{
		SecretKey: "a key for tests that nobody else uses", Logger: slog.New(slog.DiscardHandler),
		Assets: retort.Embed(fstest.MapFS{
			"templates/page.html": {Data: []byte(`<p>{{ name }}</p><form>{{ csrf_input() }}</form>`)},
			"templates/part.html": {Data: []byte(`part`)},
		}),
	})
	app.Get("/count", func(c *retort.Ctx) error {
		n, _ := session.Get[int](c.Session(), "n")
		c.Session().Set("n", n+1)
		return c.Text(fmt.Sprint(n + 1))
	})
	app.Get("/cookie", func(c *retort.Ctx) error {
		c.SetCookie(retort.Cookie{Name: "site", Value: "all"})
		c.SetCookie(retort.Cookie{Name: "part", Value: "only", Path: "/part"})
		return c.NoContent()
	})
	app.Get("/cookies", func(c *retort.Ctx) error { return c.Text(c.RequestHeader("Cookie")) })
	app.Get("/part/cookies", func(c *retort.Ctx) error { return c.Text(c.RequestHeader("Cookie")) })
	app.Any("/redirect/{status:int}", func(c *retort.Ctx) error {
		status, err := retort.Param[int](c, "status")
		if err != nil {
			return err
		}
		return c.Status(status).Redirect("../echo?from=redirect")
	})
	app.Get("/loop", func(c *retort.Ctx) error { return c.Redirect("/loop") })
	app.Any("/echo", func(c *retort.Ctx) error {
		body, err := io.ReadAll(c.Request().Body)
		if err != nil {
			return err
		}
		return c.JSON(map[string]string{
			"method": c.Method(), "body": string(body), "type": c.RequestHeader("Content-Type"), "accept": c.RequestHeader("Accept"),
			"host": c.Host(), "scheme": c.Scheme(), "ip": c.IP().String(), "from": c.Query("from"), "own": c.RequestHeader("X-Own"),
			"site": c.RequestHeader("Sec-Fetch-Site"),
		})
	})
	app.Post("/upload", func(c *retort.Ctx) error {
		form, err := c.Form()
		if err != nil {
			return err
		}
		f, err := c.FormFile("file")
		if err != nil {
			return err
		}
		return c.Text(fmt.Sprint(form.Values.Get("title"), " ", f.Filename, " ", f.ContentType, " ", f.Size, " ", len(form.Files["file"])))
	})
	app.Get("/page", func(c *retort.Ctx) error {
		if _, err := c.Rendered("part.html", nil); err != nil {
			return err
		}
		return c.Render("page.html", map[string]any{"name": "Ada"})
	})
	app.Post("/page", func(c *retort.Ctx) error { return c.Text("posted") })
	app.Get("/cut", func(c *retort.Ctx) error {
		return c.Stream("text/plain", func(w io.Writer) error { fmt.Fprint(w, "half"); return io.ErrUnexpectedEOF })
	})
	return app
}

type echo struct{ Method, Body, Type, Accept, Host, Scheme, IP, From, Own, Site string }

func TestCookiesAreKept(t *testing.T) {
	t.Parallel()
	client := retorttest.New(t, newApp())
	client.Get("/count").Contains("1")
	client.Get("/count").Contains("2")
	client.Fresh().Get("/count").Contains("1")
	client.Get("/cookie")
	if v, ok := client.Cookie("site"); v != "all" || !ok {
		t.Errorf("cookie %q %v", v, ok)
	}
	if _, ok := client.Cookie("part"); ok {
		t.Error("a cookie of another path is sent to the whole site")
	}
	client.Get("/cookies").Contains("site=all").Lacks("part=only")
	client.Get("/part/cookies").Contains("site=all", "part=only")
	client.SetCookie("own", "value")
	client.Get("/cookies").Contains("own=value")
	client.Host = "other.example"
	client.Get("/cookies").Lacks("own", "site")
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	client := retorttest.New(t, newApp())
	client.Get("/redirect/302").Status(302).RedirectsTo("../echo?from=redirect")

	client.FollowRedirects = true
	for status, want := range map[int]struct{ method, body string }{
		301: {"GET", ""}, 302: {"GET", ""}, 303: {"GET", ""}, 307: {"PUT", `{"a":1}` + "\n"}, 308: {"PUT", `{"a":1}` + "\n"},
	} {
		var got echo
		r := client.JSON("PUT", fmt.Sprint("/redirect/", status), map[string]int{"a": 1}).Status(200).JSON(&got)
		if got.Method != want.method || strings.TrimSpace(got.Body) != strings.TrimSpace(want.body) || got.From != "redirect" {
			t.Errorf("%d: %+v", status, got)
		}
		if want.body != "" && got.Type != "application/json" {
			t.Errorf("%d: content type %q", status, got.Type)
		}
		if len(r.History) != 1 || r.History[0].Code != status {
			t.Errorf("%d: history %v", status, r.History)
		}
	}
}

func TestWhatARequestLooksLike(t *testing.T) {
	t.Parallel()
	client := retorttest.New(t, newApp())
	var got echo
	client.Get("/echo").JSON(&got)
	if got.Method != "GET" || got.Host != "localhost" || got.Scheme != "http" || got.IP != "127.0.0.1" || !strings.HasPrefix(got.Accept, "text/html") || got.Site != "" {
		t.Errorf("%+v", got)
	}
	client.Header.Set("X-Own", "header")
	client.Host, client.Secure, client.RemoteAddr = "example.com", true, "203.0.113.9:1"
	client.PostForm("/echo", url.Values{"a": {"b c"}}).JSON(&got)
	if got.Method != "POST" || got.Host != "example.com" || got.Scheme != "https" || got.IP != "203.0.113.9" || got.Own != "header" ||
		got.Body != "a=b+c" || got.Type != "application/x-www-form-urlencoded" || got.Site != "same-origin" {
		t.Errorf("%+v", got)
	}
	fresh := client.Fresh()
	fresh.JSON("PATCH", "/echo", []int{1}).JSON(&got)
	if got.Method != "PATCH" || got.Body != "[1]" || got.Accept != "application/json" || got.Host != "example.com" || got.Own != "header" {
		t.Errorf("%+v", got)
	}
	fresh.Header.Set("X-Own", "changed")
	client.Get("https://third.example/echo").JSON(&got)
	if got.Host != "third.example" || got.Own != "header" {
		t.Errorf("%+v", got)
	}
	for method, send := range map[string]func(string) *retorttest.Response{"DELETE": client.Delete, "OPTIONS": client.Options} {
		send("/echo").Status(200).Contains(`"method":"` + method + `"`)
	}
}

func TestPostFiles(t *testing.T) {
	t.Parallel()
	client := retorttest.New(t, newApp())
	client.PostFiles("/upload", url.Values{"title": {"Tea"}},
		retorttest.File{Field: "file", Name: `a "b".txt`, ContentType: "text/plain", Content: []byte("12345")},
		retorttest.File{Field: "file", Name: "second"},
	).Status(200).Contains(`Tea a "b".txt text/plain 5 2`)
}

func TestSessionEditing(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		client := retorttest.New(t, newApp())
		client.Secure = secure
		client.Session(func(s *session.Session) { s.Set("n", 41) })
		client.Get("/count").Contains("42")
		client.Session(func(s *session.Session) {
			if n, _ := session.Get[int](s, "n"); n != 42 {
				t.Errorf("the session has %d", n)
			}
			s.Clear()
		})
		client.Get("/count").Contains("1")
	}
}

func TestEnforceCSRF(t *testing.T) {
	t.Parallel()
	client := retorttest.New(t, newApp())
	client.PostForm("/page", nil).Status(200)
	client.EnforceCSRF = true
	token := client.Get("/page").Field("csrf_token")
	client.PostForm("/page", nil).Status(403)
	client.PostForm("/page", url.Values{"csrf_token": {token}}).Status(200)
}

func TestTemplatesAreCaptured(t *testing.T) {
	t.Parallel()
	r := retorttest.New(t, newApp()).Get("/page").Status(200).Contains("<p>Ada</p>")
	if data := r.Used("page.html").(map[string]any); data["name"] != "Ada" {
		t.Errorf("data %v", data)
	}
	if len(r.Templates) != 1 {
		t.Errorf("templates %v", r.Templates)
	}
}

func TestCutResponses(t *testing.T) {
	t.Parallel()
	r := retorttest.New(t, newApp()).Get("/cut").Status(200)
	if !r.Aborted || r.Text() != "half" {
		t.Errorf("aborted %v: %q", r.Aborted, r.Text())
	}
}

func TestTwoClientsOfOneApp(t *testing.T) {
	t.Parallel()
	app := newApp()
	one, two := retorttest.New(t, app), retorttest.New(t, app)
	one.Get("/count").Contains("1")
	one.Get("/count").Contains("2")
	two.Get("/count").Contains("1")
	two.Get("/page").Used("page.html")
}

// failures counts what a check reports instead of failing the test.
type failures struct {
	testing.TB
	errors, fatals []string
}

type stop struct{}

func (f *failures) Helper() {}
func (f *failures) Errorf(format string, a ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, a...))
}

func (f *failures) Fatalf(format string, a ...any) {
	f.fatals = append(f.fatals, fmt.Sprintf(format, a...))
	panic(stop{})
}
func (f *failures) Fatal(a ...any) { f.Fatalf("%s", fmt.Sprint(a...)) }

func TestChecksReportWhatIsWrong(t *testing.T) {
	t.Parallel()
	app := newApp()
	retorttest.New(t, app)
	for name, test := range map[string]struct {
		check func(c *retorttest.Client)
		want  string
	}{
		"Status":      {func(c *retorttest.Client) { c.Get("/page").Status(404) }, "status 200, want 404"},
		"Contains":    {func(c *retorttest.Client) { c.Get("/page").Contains("Bob") }, `lacks "Bob"`},
		"Lacks":       {func(c *retorttest.Client) { c.Get("/page").Lacks("Ada") }, `has "Ada"`},
		"HasHeader":   {func(c *retorttest.Client) { c.Get("/page").HasHeader("X-A", "b") }, `header X-A is "", want "b"`},
		"RedirectsTo": {func(c *retorttest.Client) { c.Get("/page").RedirectsTo("/x") }, `want a redirect to "/x"`},
		"JSON":        {func(c *retorttest.Client) { c.Get("/page").JSON(new(int)) }, "not the JSON expected"},
		"Used":        {func(c *retorttest.Client) { c.Get("/page").Used("other.html") }, "other.html was not rendered"},
		"Field":       {func(c *retorttest.Client) { c.Get("/page").Field("title") }, "no field title"},
		"a path":      {func(c *retorttest.Client) { c.Get("no path") }, "is no path"},
		"a loop":      {func(c *retorttest.Client) { c.FollowRedirects = true; c.Get("/loop") }, "more than ten redirects"},
		"the body":    {func(c *retorttest.Client) { c.JSON("PUT", "/echo", make(chan int)) }, "unsupported type"},
	} {
		f := &failures{TB: t}
		func() {
			defer func() {
				if v := recover(); v != nil && v != (stop{}) {
					panic(v)
				}
			}()
			test.check(retorttest.New(f, app))
		}()
		if got := strings.Join(append(f.errors, f.fatals...), "\n"); !strings.Contains(got, test.want) {
			t.Errorf("%s reports %q, want %q", name, got, test.want)
		}
	}
}

func TestAnAppThatCannotStartFailsTheTest(t *testing.T) {
	t.Parallel()
	app := retort.New(retort.Config{SecretKey: "short"})
	f := &failures{TB: t}
	func() {
		defer func() { _ = recover() }()
		retorttest.New(f, app)
	}()
	if len(f.fatals) != 1 || !strings.Contains(f.fatals[0], "cannot start") {
		t.Errorf("reported %q", f.fatals)
	}
}
