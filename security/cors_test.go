package security_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/security"
)

func ask(client *retorttest.Client, method, path string, headers ...string) *retorttest.Response {
	r := client.NewRequest(method, path, nil)
	r.Header.Del("Sec-Fetch-Site")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return client.Do(r)
}

func corsHeaders(h http.Header) (names []string) {
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			names = append(names, fmt.Sprint(strings.TrimPrefix(name, "Access-Control-"), "=", h.Get(name)))
		}
	}
	slices.Sort(names)
	return names
}

func TestSecurityCORS(t *testing.T) {
	t.Parallel()
	named := security.CORSOptions{Origins: []string{"https://app.example.com", "https://*.partner.example", "http://localhost:3000"}}
	with := func(change func(o *security.CORSOptions)) security.CORSOptions {
		o := named
		change(&o)
		return o
	}
	for _, tt := range []struct {
		name    string
		options security.CORSOptions
		method  string
		headers []string
		want    string // the headers that scripts go by
		vary    string
	}{
		{"no origin", named, "GET", nil, "", "Origin"},
		{"one that may", named, "GET", []string{"Origin", "https://app.example.com"}, "Allow-Origin=https://app.example.com", "Origin"},
		{"in capitals", named, "GET", []string{"Origin", "HTTPS://APP.example.com"}, "Allow-Origin=HTTPS://APP.example.com", "Origin"},
		{"a subdomain", named, "GET", []string{"Origin", "https://a.b.partner.example"}, "Allow-Origin=https://a.b.partner.example", "Origin"},
		{"not the domain itself", named, "GET", []string{"Origin", "https://partner.example"}, "", "Origin"},
		{"a look-alike", named, "GET", []string{"Origin", "https://evilpartner.example"}, "", "Origin"},
		{"a longer name", named, "GET", []string{"Origin", "https://app.example.com.evil.example"}, "", "Origin"},
		{"a path before the suffix", named, "GET", []string{"Origin", "https://evil.example/.partner.example"}, "", "Origin"},
		{"a user before the suffix", named, "GET", []string{"Origin", "https://evil.example#.partner.example"}, "", "Origin"},
		{"another scheme", named, "GET", []string{"Origin", "http://app.example.com"}, "", "Origin"},
		{"another port", named, "GET", []string{"Origin", "http://localhost:3001"}, "", "Origin"},
		{"origin null", named, "GET", []string{"Origin", "null"}, "", "Origin"},
		{"a stranger", named, "GET", []string{"Origin", "https://evil.example"}, "", "Origin"},
		{
			"exposed and with cookies", with(func(o *security.CORSOptions) { o.Credentials, o.Expose = true, []string{"X-Total"} }), "GET",
			[]string{"Origin", "https://app.example.com"},
			"Allow-Credentials=true Allow-Origin=https://app.example.com Expose-Headers=X-Total", "Origin",
		},
		{"everyone", security.CORSOptions{Origins: []string{"*"}}, "GET", []string{"Origin", "https://x.example"}, "Allow-Origin=*", ""},
		{"everyone but null", security.CORSOptions{Origins: []string{"*"}}, "GET", []string{"Origin", "null"}, "", ""},
		{
			"a function",
			security.CORSOptions{OriginFunc: func(_ *retort.Ctx, origin string) bool { return origin == "https://x.example" }},
			"GET",
			[]string{"Origin", "https://x.example"},
			"Allow-Origin=https://x.example", "Origin",
		},
		{
			"preflight", with(func(o *security.CORSOptions) { o.MaxAge, o.Methods = time.Hour, []string{"PUT"} }), "OPTIONS",
			[]string{"Origin", "https://app.example.com", "Access-Control-Request-Method", "PUT"},
			"Allow-Headers=Authorization, Content-Type Allow-Methods=PUT Allow-Origin=https://app.example.com Max-Age=3600",
			"Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
		},
		{
			"preflight of a stranger", named, "OPTIONS",
			[]string{"Origin", "https://evil.example", "Access-Control-Request-Method", "PUT"},
			"",
			"Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
		},
		{
			"preflight from the public net", with(func(o *security.CORSOptions) { o.PrivateNetwork, o.Methods = true, []string{"PUT"} }), "OPTIONS",
			[]string{"Origin", "http://localhost:3000", "Access-Control-Request-Method", "PUT", "Access-Control-Request-Private-Network", "true"},
			"Allow-Headers=Authorization, Content-Type Allow-Methods=PUT Allow-Origin=http://localhost:3000 Allow-Private-Network=true Max-Age=600",
			"Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for place, use := range map[string]func(app *retort.App, m retort.Middleware){
				"app":   func(app *retort.App, m retort.Middleware) { app.Use(m); app.Get("/api", ok); app.Put("/api", ok) },
				"route": func(app *retort.App, m retort.Middleware) { app.Get("/api", ok).Use(m); app.Put("/api", ok).Use(m) },
				"blueprint": func(app *retort.App, m retort.Middleware) {
					b := retort.NewBlueprint("api")
					b.Use(m)
					b.Get("/api", ok)
					b.Put("/api", ok)
					app.Register(b)
				},
			} {
				client := newClient(t, security.Options{}, func(app *retort.App) { use(app, security.CORS(tt.options)) })
				r := ask(client, tt.method, "/api", tt.headers...)
				if tt.method == "OPTIONS" {
					r.Status(204)
				}
				if got := strings.Join(corsHeaders(r.Header()), " "); got != tt.want {
					t.Errorf("%s: headers %q, want %q", place, got, tt.want)
				}
				if got := strings.Join(r.Header().Values("Vary"), ", "); got != tt.vary {
					t.Errorf("%s: Vary %q, want %q", place, got, tt.vary)
				}
			}
		})
	}
}

func ok(c *retort.Ctx) error { return c.Text("ok") }

func TestScriptsMayReadErrorsToo(t *testing.T) {
	t.Parallel()
	client := newClient(t, security.Options{}, func(app *retort.App) {
		m := security.CORS(security.CORSOptions{Origins: []string{"https://app.example.com"}})
		app.Get("/missing", func(*retort.Ctx) error { return retort.NotFound("no such thing") }).Use(m)
		app.Get("/panic", func(*retort.Ctx) error { panic("x") }).Use(m)
	})
	for path, status := range map[string]int{"/missing": 404, "/panic": 500} {
		ask(client, "GET", path, "Origin", "https://app.example.com").Status(status).HasHeader("Access-Control-Allow-Origin", "https://app.example.com")
	}
	// An address that is not for others stays so.
	if got := corsHeaders(ask(client, "GET", "/json", "Origin", "https://app.example.com").Header()); got != nil {
		t.Errorf("headers %v", got)
	}
}

func TestSecurityCORSThatNoSiteShouldHave(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]security.CORSOptions{
		"cookies from everywhere": {Origins: []string{"*"}, Credentials: true},
		"null":                    {Origins: []string{"null"}},
		"a host alone":            {Origins: []string{"app.example.com"}},
		"a path":                  {Origins: []string{"https://app.example.com/"}},
		"a star in the middle":    {Origins: []string{"https://app.*.example.com"}},
		"all of a scheme":         {Origins: []string{"https://*"}},
		"nobody":                  {},
	} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.HasPrefix(fmt.Sprint(v), "security: CORS: ") {
					t.Errorf("%s: %v", name, v)
				}
			}()
			security.CORS(o)
		}()
	}
}
