package retort_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

func TestSecurityForgedRequests(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.TrustedOrigins = []string{"https://app.example.net", "http://legacy.example.net"}
	app := retort.New(cfg)
	app.Any("/", text("done"))
	app.Post("/hook", text("hooked")).DisableCSRF()
	api := retort.NewBlueprint("api", retort.BlueprintOptions{Prefix: "/api", DisableCSRF: true})
	inner := retort.NewBlueprint("inner", retort.BlueprintOptions{Prefix: "/inner"})
	inner.Post("/", text("inner"))
	api.Register(inner)
	app.Register(api)
	app.Register(inner)
	app.Mount("/mounted", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "mounted") }))
	for _, test := range []struct {
		name, method, target string
		headers              map[string]string
		want                 int
	}{
		{"a GET from anywhere", "GET", "/", map[string]string{"Sec-Fetch-Site": "cross-site", "Cookie": "a=b"}, 200},
		{"a HEAD from anywhere", "HEAD", "/", map[string]string{"Sec-Fetch-Site": "cross-site"}, 200},
		{"same origin", "POST", "/", map[string]string{"Sec-Fetch-Site": "same-origin", "Cookie": "a=b"}, 200},
		{"typed by the user", "POST", "/", map[string]string{"Sec-Fetch-Site": "none", "Cookie": "a=b"}, 200},
		{"cross site", "POST", "/", map[string]string{"Sec-Fetch-Site": "cross-site", "Cookie": "a=b"}, 403},
		{"cross site without cookies", "POST", "/", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"a sibling subdomain", "POST", "/", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://blog.example.com"}, 403},
		{"unsafe methods of every kind", "DELETE", "/", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"a method nobody knows", "FROB", "/", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"own origin", "POST", "/", map[string]string{"Origin": "https://example.com", "Cookie": "a=b"}, 200},
		{"another origin", "POST", "/", map[string]string{"Origin": "https://evil.example", "Cookie": "a=b"}, 403},
		{"origin null", "POST", "/", map[string]string{"Origin": "null", "Cookie": "a=b"}, 403},
		{"own host over http to an https site", "POST", "/", map[string]string{"Origin": "http://example.com", "Cookie": "a=b"}, 403},
		{"a trusted origin", "POST", "/", map[string]string{"Origin": "https://app.example.net", "Sec-Fetch-Site": "cross-site"}, 200},
		{"a trusted origin over http", "POST", "/", map[string]string{"Origin": "http://legacy.example.net"}, 200},
		{"an origin that begins like a trusted one", "POST", "/", map[string]string{"Origin": "https://app.example.net.evil.example"}, 403},
		{"a program without cookies", "POST", "/", nil, 200},
		{"cookies and not a word about the origin", "POST", "/", map[string]string{"Cookie": "a=b"}, 403},
		{"an empty Sec-Fetch-Site says nothing", "POST", "/", map[string]string{"Cookie": "a=b", "Sec-Fetch-Site": ""}, 403},
		{"an empty Origin says nothing", "POST", "/", map[string]string{"Cookie": "a=b", "Origin": ""}, 403},
		{"a route that is open", "POST", "/hook", map[string]string{"Sec-Fetch-Site": "cross-site", "Cookie": "a=b"}, 200},
		{"a blueprint that is open", "POST", "/api/inner/", map[string]string{"Sec-Fetch-Site": "cross-site", "Cookie": "a=b"}, 200},
		{"the same blueprint elsewhere", "POST", "/inner/", map[string]string{"Sec-Fetch-Site": "cross-site", "Cookie": "a=b"}, 403},
		{"a mounted handler checks for itself", "POST", "/mounted/x", map[string]string{"Sec-Fetch-Site": "cross-site"}, 200},
		{"no route is a 404", "POST", "/nothing", map[string]string{"Sec-Fetch-Site": "cross-site"}, 404},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rec := ask(app, test.method, "https://example.com"+test.target, func(r *http.Request) {
				for name, v := range test.headers {
					r.Header[name] = []string{v}
				}
			})
			if rec.Code != test.want {
				t.Errorf("status %d, want %d", rec.Code, test.want)
			}
		})
	}
}

func TestSecurityOriginIsComparedWithTheForwardedHost(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.TrustedProxies = []string{"10.0.0.1"}
	app := retort.New(cfg)
	app.Post("/", text("done"))
	post := func(peer, origin string) int {
		return ask(app, "POST", "http://backend:8000/", func(r *http.Request) {
			r.RemoteAddr = peer
			r.Header.Set("X-Forwarded-Host", "shop.example")
			r.Header.Set("Origin", origin)
		}).Code
	}
	if got := post("10.0.0.1:1", "https://shop.example"); got != 200 {
		t.Errorf("own origin behind a proxy: %d", got)
	}
	if got := post("10.0.0.1:1", "http://backend:8000"); got != 403 {
		t.Errorf("the proxy's name for us as origin: %d", got)
	}
	if got := post("203.0.113.5:1", "https://shop.example"); got != 403 {
		t.Errorf("a forwarded host of a stranger: %d", got)
	}
}

func tokenApp() *retort.App {
	app := retort.New(quiet())
	app.Get("/form", func(c *retort.Ctx) error {
		return c.HTML(`<input name="csrf_token" value="` + c.CSRFToken() + `">`)
	})
	app.Post("/form", func(c *retort.Ctx) error { return c.Text("saved " + c.FormValue("name")) })
	app.Handle("/std", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "std "+r.FormValue("name"))
	}), "POST")
	app.Post("/logout", func(c *retort.Ctx) error { c.Session().Clear(); return c.Text("bye") })
	return app
}

func TestTokenOfTheSession(t *testing.T) {
	t.Parallel()
	app := tokenApp()
	client := retorttest.New(t, app)
	client.EnforceCSRF = true
	first := client.Get("/form").Status(200).HasHeader("Vary", "Cookie").Field("csrf_token")
	second := client.Get("/form").Field("csrf_token")
	if first == second {
		t.Error("the token is not masked anew")
	}
	client.PostForm("/form", url.Values{"name": {"Ada"}}).Status(403)
	client.PostForm("/form", url.Values{"name": {"Ada"}, "csrf_token": {"nonsense"}}).Status(403)
	client.PostForm("/form", url.Values{"name": {"Ada"}, "csrf_token": {first}}).Status(200).Contains("saved Ada")
	client.PostForm("/form", url.Values{"name": {"Bob"}, "csrf_token": {second}}).Status(200).Contains("saved Bob")
	client.PostFiles("/form", url.Values{"name": {"Eve"}, "csrf_token": {second}}).Status(200).Contains("saved Eve")
	client.PostForm("/std", url.Values{"name": {"Cid"}, "csrf_token": {second}}).Status(200).Contains("std Cid")
	// The token of a query is not taken: it would be in logs and Referers.
	client.PostForm("/form?csrf_token="+url.QueryEscape(first), nil).Status(403)

	r := client.NewRequest("POST", "/form", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(retort.CSRFHeader, first)
	client.Do(r).Status(200)
}

func TestSecurityTokenBelongsToItsSession(t *testing.T) {
	t.Parallel()
	app := tokenApp()
	mine, other := retorttest.New(t, app), retorttest.New(t, app)
	mine.EnforceCSRF, other.EnforceCSRF = true, true
	stolen := other.Get("/form").Field("csrf_token")
	mine.Get("/form")
	mine.PostForm("/form", url.Values{"csrf_token": {stolen}}).Status(403)

	token := mine.Get("/form").Field("csrf_token")
	mine.PostForm("/logout", url.Values{"csrf_token": {token}}).Status(200)
	mine.SetCookie("something", "else")
	mine.PostForm("/form", url.Values{"csrf_token": {token}}).Status(403)
}

func TestSecurityTokenInAHugeOrBrokenForm(t *testing.T) {
	t.Parallel()
	app := tokenApp()
	for name, test := range map[string]struct {
		contentType, body string
		want              int
	}{
		"over the limit":     {"application/x-www-form-urlencoded", "a=" + strings.Repeat("x", 600_000), 413},
		"malformed":          {"multipart/form-data; boundary=b", "--b\r\nnonsense", 400},
		"without a boundary": {"multipart/form-data", "x", 400},
	} {
		r := httptest.NewRequest("POST", "/form", strings.NewReader(test.body))
		r.Header.Set("Content-Type", test.contentType)
		r.Header.Set("Cookie", "a=b")
		rec := httptest.NewRecorder()
		app.ServeHTTP(rec, r)
		if rec.Code != test.want {
			t.Errorf("%s: status %d, want %d", name, rec.Code, test.want)
		}
	}
}

func TestDisableCSRF(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.DisableCSRF = true
	app := retort.New(cfg)
	app.Post("/", text("done"))
	rec := ask(app, "POST", "/", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	if rec.Code != 200 {
		t.Errorf("status %d", rec.Code)
	}
}
