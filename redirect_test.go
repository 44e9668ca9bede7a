package retort_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

func TestRedirectStatusAndLocation(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Any("/go", func(c *retort.Ctx) error { return c.Redirect("/there?q=ä b&x=\"<>\"") })
	app.Get("/moved", func(c *retort.Ctx) error { return c.Status(http.StatusMovedPermanently).Redirect("/there") })
	app.Get("/wrong", func(c *retort.Ctx) error { return c.Status(200).Redirect("/there") })
	app.Get("/out", func(c *retort.Ctx) error { return c.RedirectExternal("https://other.example/a?b=c") })
	app.Get("/bad-out", func(c *retort.Ctx) error { return c.RedirectExternal("javascript:alert(1)") })
	app.Get("/absolute", func(c *retort.Ctx) error { return c.Redirect("http://localhost/there") })
	client := retorttest.New(t, app)
	client.Get("/go").Status(302).RedirectsTo("/there?q=%C3%A4%20b&x=%22%3C%3E%22").Contains(`href="/there?q=%C3%A4%20b&amp;x=`)
	client.PostForm("/go", nil).Status(303)
	client.JSON("PUT", "/go", nil).Status(303)
	client.Get("/moved").Status(301).RedirectsTo("/there")
	client.Get("/wrong").Status(500)
	client.Get("/out").Status(302).RedirectsTo("https://other.example/a?b=c")
	client.Get("/bad-out").Status(500)
	client.Get("/absolute").Status(302).RedirectsTo("http://localhost/there")
}

// nexts are addresses and whether each stays on https://example.com.
var nexts = map[string]bool{
	"/": true, "/a/b?c=d#e": true, "?page=2": true, "a/b": true, "/a:b": true, "./a:b": true,
	"https://example.com/x": true, "https://EXAMPLE.com/x": true, "/%2f%2fevil.example": true, "/a//b": true,
	"/?next=//evil.example": true, "/ä": true,

	"": false, "//evil.example": false, "///evil.example": false, `/\evil.example`: false, `\\evil.example`: false, `\/evil.example`: false,
	"/\t/evil.example": false, "/\n/evil.example": false, "\t//evil.example": false, " //evil.example": false, "/ /evil.example": true, "/?q=a b": true, "/ ": false,
	"\x00//evil.example": false, "/\x7f/evil.example": false, "\u00a0//evil.example": true, // a path: browsers strip only C0 and space
	"http://example.com/": false, "https://evil.example": false, "https:/evil.example": false, "https:evil.example": false,
	"https:///evil.example": false, "http:evil.example": false, "HTTPS://evil.example": false,
	"https://example.com@evil.example": false, "https://user@example.com/": false, "https://example.com.evil.example": false,
	"https://example.com:8443/": false, "https://evil.example/https://example.com": false, `https://example.com\@evil.example`: false,
	"javascript:alert(1)": false, "JavaScript:alert(1)": false, "java\nscript:alert(1)": false, "data:text/html,x": false, "x:y": false,
	"ftp://example.com/": false, "mailto:a@b": false, "https://[::1]/": false, "https://0x7f.1/": false, "https://2130706433/": false,
	"https://example.com%2eevil.example/": false, "https://example.com\u3002evil.example": false, "https://evil\uff0eexample": false,
	"/" + strings.Repeat("a", 5000): false,
}

func TestSecurityNextStaysOnTheSite(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	app.Any("/next", func(c *retort.Ctx) error { return c.Text(c.Next("/fallback")) })
	app.Get("/redirect", func(c *retort.Ctx) error { return c.Redirect(c.Query("next")) })
	client := retorttest.New(t, app)
	client.Host, client.Secure = "example.com", true
	for next, inside := range nexts {
		want := "/fallback"
		if inside {
			want = next
		}
		if got := client.Get("/next?next=" + url.QueryEscape(next)).Status(200).Text(); got != want {
			t.Errorf("Next of %q is %q", next, got)
		}
		if got := client.PostForm("/next", url.Values{"next": {next}}).Status(200).Text(); got != want {
			t.Errorf("Next of a form's %q is %q", next, got)
		}
		r := client.Get("/redirect?next=" + url.QueryEscape(next))
		if status := map[bool]int{true: 302, false: 400}[inside]; r.Code != status || !inside && r.Header().Get("Location") != "" {
			t.Errorf("redirect to %q: %d to %q", next, r.Code, r.Header().Get("Location"))
		}
	}
	if strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("logged as an error: %s", log)
	}
}

func TestNextOnARequestWithoutAHost(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", func(c *retort.Ctx) error { return c.Text(c.Next("/fallback")) })
	for _, next := range []string{"https:/evil.example", "http:///evil.example", "http://"} {
		rec := ask(app, "GET", "/?next="+url.QueryEscape(next), func(r *http.Request) { r.Host, r.ProtoMinor = "", 0 })
		if rec.Body.String() != "/fallback" {
			t.Errorf("%q: %q", next, rec.Body)
		}
	}
}

// FuzzNext holds [retort.Ctx.Next] against how a browser resolves an address
// (WHATWG URL standard): strip, drop tabs and line breaks, read "\" as "/".
func FuzzNext(f *testing.F) {
	for next := range nexts {
		f.Add(next)
	}
	app := retort.New(quiet())
	app.Get("/dir/page", func(c *retort.Ctx) error { return c.Text(c.Next("")) })
	f.Fuzz(func(t *testing.T, next string) {
		rec := ask(app, "GET", "https://example.com/dir/page?next="+url.QueryEscape(next), nil)
		if rec.Code != 200 {
			t.Fatalf("status %d for %q", rec.Code, next)
		}
		got := rec.Body.String()
		if got == "" {
			return
		}
		if host, ok := browserHost(got); !ok || host != "example.com" {
			t.Errorf("%q leads to host %q", got, host)
		}
	})
}

// browserHost returns the host a browser on https://example.com/dir/page goes
// to, and false for what is no web page.
func browserHost(address string) (string, bool) {
	address = strings.TrimFunc(address, func(r rune) bool { return r <= ' ' })
	address = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(address)
	scheme, rest := "", address
	for i, b := range []byte(address) {
		letter := b|0x20 >= 'a' && b|0x20 <= 'z'
		if b == ':' && i > 0 {
			scheme, rest = strings.ToLower(address[:i]), address[i+1:]
			break
		}
		if !letter && (i == 0 || (b < '0' || b > '9') && b != '+' && b != '-' && b != '.') {
			break
		}
	}
	if scheme != "" && scheme != "http" && scheme != "https" {
		return "", false
	}
	slashed := strings.ReplaceAll(rest, `\`, "/")
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		slashed = strings.ReplaceAll(rest[:i], `\`, "/")
	}
	switch {
	case scheme == "" && !strings.HasPrefix(slashed, "//"):
		return "example.com", true
	case scheme == "https" && !strings.HasPrefix(slashed, "/"):
		return "example.com", true // relative with the scheme of the page, an old rule
	}
	authority, _, _ := strings.Cut(strings.TrimLeft(slashed, "/"), "/")
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	authority = strings.ToLower(strings.TrimSuffix(authority, ":443"))
	return authority, true
}
