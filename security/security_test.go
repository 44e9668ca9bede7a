package security_test

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/config"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/security"
)

// production is a configuration that nothing is wrong with.
func production() retort.Config {
	return retort.Config{
		SecretKey: "kqVzN1c0m3X9wLr7TgYh2BdPfJ8sEuAi", Hosts: []string{"shop.example.com"}, BaseURL: "https://shop.example.com",
		TrustedProxies: []string{"loopback"}, Logger: slog.New(slog.DiscardHandler),
		Assets: retort.Embed(fstest.MapFS{
			"templates/page.html": {Data: []byte(`<!doctype html><script nonce="{{ csp_nonce() }}">1</script>`)},
			"static/logo.svg":     {Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)},
		}),
	}
}

// newClient is a client, on https, of an app behind the gate.
func newClient(t *testing.T, o security.Options, describe ...func(app *retort.App)) *retorttest.Client {
	t.Helper()
	app := retort.New(production())
	app.Install(security.New(o))
	app.Get("/", func(c *retort.Ctx) error { return c.Render("page.html", nil) })
	app.Get("/json", func(c *retort.Ctx) error { return c.JSON(1) })
	app.Get("/fail", func(*retort.Ctx) error { return io.ErrUnexpectedEOF })
	app.Any("/echo", func(c *retort.Ctx) error { return c.Text(c.Method()) })
	for _, d := range describe {
		d(app)
	}
	client := retorttest.New(t, app)
	client.Host, client.Secure = "shop.example.com", true
	return client
}

func TestPagesGetAStrictPolicyWithANonce(t *testing.T) {
	t.Parallel()
	client := newClient(t, security.Options{})
	page := client.Get("/").Status(200)
	policy := page.Header().Get("Content-Security-Policy")
	_, rest, _ := strings.Cut(page.Text(), `nonce="`)
	nonce, _, _ := strings.Cut(rest, `"`)
	want := "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; img-src 'self' data:; object-src 'none'; " +
		"script-src 'nonce-" + nonce + "' 'strict-dynamic'; style-src 'self' 'nonce-" + nonce + "'"
	if policy != want || len(nonce) < 22 {
		t.Errorf("policy is\n%s\nwant\n%s", policy, want)
	}
	if again := client.Get("/").Header().Get("Content-Security-Policy"); again == policy {
		t.Error("two pages have the same nonce")
	}
	for name, want := range map[string]string{
		"Strict-Transport-Security": "max-age=31536000; includeSubDomains", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
		"X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin",
	} {
		page.HasHeader(name, want)
	}
	if !strings.Contains(page.Header().Get("Permissions-Policy"), "camera=()") {
		t.Errorf("Permissions-Policy is %q", page.Header().Get("Permissions-Policy"))
	}
	data := client.Get("/json")
	data.HasHeader("Content-Security-Policy", "").HasHeader("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	for _, path := range []string{"/nothing", "/fail"} {
		own := client.Get(path).Header().Values("Content-Security-Policy")
		if len(own) != 1 || !strings.Contains(own[0], "default-src 'none'") || strings.Contains(own[0], "unsafe") {
			t.Errorf("%s: policy %q", path, own)
		}
	}
	if got := client.Get("/static/logo.svg").Header().Get("Content-Security-Policy"); !strings.Contains(got, "script-src 'nonce-") {
		t.Errorf("a picture that can run scripts has the policy %q", got)
	}
}

func TestPoliciesOfOnesOwn(t *testing.T) {
	t.Parallel()
	strict := security.Strict()
	strict["img-src"] = append(strict["img-src"], "https://images.example.com")
	client := newClient(t, security.Options{
		Policy: strict, ReportOnly: security.Policy{"default-src": {security.None}, "script-src": {security.Nonce}},
		HSTS: security.HSTS{MaxAge: time.Hour, ExcludeSubdomains: true, Preload: true}, PermissionsPolicy: "-", FrameOptions: "SAMEORIGIN",
	}, func(app *retort.App) {
		app.Get("/map", func(c *retort.Ctx) error { return c.Render("page.html", nil) }).Use(security.ContentPolicy(security.Policy{"default-src": {"https://maps.example.com"}}))
		app.Get("/none", func(c *retort.Ctx) error { return c.Render("page.html", nil) }).Use(security.ContentPolicy(nil))
		app.Get("/set", func(c *retort.Ctx) error {
			c.SetHeader("Content-Security-Policy", "sandbox")
			return c.HTML("x")
		})
		app.Get("/stream", func(c *retort.Ctx) error {
			return c.RenderStream("page.html", nil)
		})
	})
	page := client.Get("/").HasHeader("Strict-Transport-Security", "max-age=3600; preload").HasHeader("Permissions-Policy", "").HasHeader("X-Frame-Options", "SAMEORIGIN")
	if got := page.Header().Get("Content-Security-Policy"); !strings.Contains(got, "img-src 'self' data: https://images.example.com;") {
		t.Errorf("policy is %q", got)
	}
	if got := page.Header().Get("Content-Security-Policy-Report-Only"); !strings.HasPrefix(got, "default-src 'none'; script-src 'nonce-") {
		t.Errorf("policy that reports is %q", got)
	}
	client.Get("/map").HasHeader("Content-Security-Policy", "default-src https://maps.example.com")
	client.Get("/none").HasHeader("Content-Security-Policy", "")
	client.Get("/set").HasHeader("Content-Security-Policy", "sandbox")
	stream := client.Get("/stream")
	_, rest, _ := strings.Cut(stream.Text(), `nonce="`)
	nonce, _, _ := strings.Cut(rest, `"`)
	if !strings.Contains(stream.Header().Get("Content-Security-Policy"), "'nonce-"+nonce+"'") || nonce == "" {
		t.Errorf("a page that streams: policy %q, nonce %q", stream.Header().Get("Content-Security-Policy"), nonce)
	}
	if slices.Contains(security.Strict()["img-src"], "https://images.example.com") {
		t.Error("changing one policy changes the next")
	}
}

func TestPoliciesThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]security.Policy{
		"no directive":    {"scripts": {security.Self}},
		"two in one":      {"script-src": {"'self' https://x.example"}},
		"next directive":  {"script-src": {"x;", "y"}},
		"line break":      {"script-src": {"x\r\nSet-Cookie: a=b"}},
		"without quotes":  {"script-src": {"self"}},
		"none and others": {"script-src": {security.None, security.Self}},
		"empty":           {"script-src": {""}},
	} {
		app := retort.New(production())
		app.Install(security.New(security.Options{Policy: p}))
		if err := app.Prepare(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	app := retort.New(production())
	app.Install(security.New(security.Options{PermissionsPolicy: "camera=()\r\nSet-Cookie: a=b"}))
	if err := app.Prepare(); err == nil {
		t.Error("a header with a line break is no error")
	}
}

func TestSecurityPlainHTTPIsRedirected(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(cfg *retort.Config)
		path   string
		host   string
		proto  string // of the trusted proxy
		want   int
		to     string
	}{
		{"plain", nil, "/echo?a=b%2Fc", "shop.example.com", "http", 308, "https://shop.example.com/echo?a=b%2Fc"},
		{"secure", nil, "/echo", "shop.example.com", "https", 200, ""},
		{"a port goes", nil, "/echo", "shop.example.com:8080", "http", 308, "https://shop.example.com/echo"},
		{"the port of the base URL comes", func(cfg *retort.Config) { cfg.BaseURL = "https://shop.example.com:8443" }, "/echo", "shop.example.com:8080", "http", 308, "https://shop.example.com:8443/echo"},
		{"a path that looks like a host", nil, "//evil.example/x", "shop.example.com", "http", 308, "https://shop.example.com//evil.example/x"},
		{"odd bytes", nil, "/a%0d%0aSet-Cookie:x", "shop.example.com", "http", 308, "https://shop.example.com/a%0d%0aSet-Cookie:x"},
		{"another host is none of ours", nil, "/echo", "evil.example", "http", 400, ""},
		{"health", nil, "/healthz", "shop.example.com", "http", 404, ""},
		{"certificates", nil, "/.well-known/acme-challenge/x", "shop.example.com", "http", 404, ""},
		{"a path left out", nil, "/plain/x", "shop.example.com", "http", 404, ""},
		{"one that begins like it", nil, "/plainer", "shop.example.com", "http", 308, "https://shop.example.com/plainer"},
		{"debug mode", func(cfg *retort.Config) { cfg.Debug = true }, "/echo", "shop.example.com", "http", 200, ""},
		{"nobody knows of TLS", func(cfg *retort.Config) { cfg.TrustedProxies = nil }, "/echo", "shop.example.com", "https", 200, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, security.Options{HTTPPaths: []string{"/plain/"}}, func(app *retort.App) {
				if tt.change != nil {
					app.SetConfig(tt.change)
				}
			})
			client.Secure, client.Host = false, tt.host
			client.Header.Set("X-Forwarded-Proto", tt.proto)
			r := client.Get("http://"+tt.host+tt.path).Status(tt.want).HasHeader("Location", tt.to)
			if hsts := r.Header().Get("Strict-Transport-Security"); (hsts != "") != (tt.want == 200 && tt.proto == "https" && tt.to == "" && tt.name == "secure") {
				t.Errorf("HSTS is %q", hsts)
			}
		})
	}
	client := newClient(t, security.Options{DisableRedirect: true})
	client.Secure = false
	client.Get("/echo").Status(200)
}

type lockedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func TestReportsAreLoggedWithinBounds(t *testing.T) {
	t.Parallel()
	log := &lockedLog{}
	cfg := production()
	cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	app := retort.New(cfg)
	app.Install(security.New(security.Options{ReportPath: "/csp"}))
	app.Get("/", func(c *retort.Ctx) error { return c.HTML("x") })
	client := retorttest.New(t, app)
	client.Host, client.Secure = "shop.example.com", true
	if got := client.Get("/").Header().Get("Content-Security-Policy"); !strings.HasSuffix(got, "; report-uri /csp") {
		t.Errorf("policy is %q", got)
	}
	send := func(body string) *retorttest.Response {
		r := client.NewRequest("POST", "/csp", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/csp-report")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		return client.Do(r)
	}
	send(`{"csp-report":{"document-uri":"https://shop.example.com/x?token=hunter2","effective-directive":"script-src-elem","blocked-uri":"https://evil.example/\n` +
		strings.Repeat("x", 1000) + `","line-number":7}}`).Status(204)
	text := log.text.String()
	if !strings.Contains(text, "script-src-elem") || strings.Contains(text, "hunter2") || strings.Count(text, "\n") != 1 || len(text) > 1200 {
		t.Errorf("log:\n%s", text)
	}
	for range 1000 {
		send(`{"csp-report":{"blocked-uri":"inline"}}`).Status(204)
	}
	if n := strings.Count(log.text.String(), "\n"); n > 100 {
		t.Errorf("%d lines of 1000 reports", n)
	}
	send("nonsense").Status(400)
	send(`{"csp-report":{"blocked-uri":"` + strings.Repeat("x", 1<<20) + `"}}`).Status(413)
}

func TestSecurityDeployRules(t *testing.T) {
	t.Parallel()
	ids := func(o security.Options, change func(cfg *retort.Config)) (errors, warnings []string) {
		cfg := production()
		cfg.TrustedProxies = []string{"10.0.0.0/24"}
		app := retort.New(cfg)
		app.Install(security.New(o))
		if change != nil {
			app.SetConfig(change)
		}
		for _, f := range app.RunChecks(context.Background(), true) {
			if f.Hint == "" || f.Message == "" {
				t.Errorf("%s does not say what to do", f.ID)
			}
			if f.Level == retort.LevelError {
				errors = append(errors, f.ID)
			} else {
				warnings = append(warnings, f.ID)
			}
		}
		return errors, warnings
	}
	if errors, warnings := ids(security.Options{}, nil); len(errors)+len(warnings) > 0 {
		t.Errorf("nothing is wrong, and it finds %v %v", errors, warnings)
	}
	policy := func(directive string, sources ...string) security.Options {
		p := security.Strict()
		if p[directive] = sources; sources == nil {
			delete(p, directive)
		}
		return security.Options{Policy: p}
	}
	for _, tt := range []struct {
		id      string
		fails   bool
		options security.Options
		change  func(cfg *retort.Config)
	}{
		{"redirect", true, security.Options{DisableRedirect: true}, nil},
		{"hsts", true, security.Options{HSTS: security.HSTS{MaxAge: -1}}, nil},
		{"hsts_short", false, security.Options{HSTS: security.HSTS{MaxAge: time.Hour}}, nil},
		{"hsts_subdomains", false, security.Options{HSTS: security.HSTS{ExcludeSubdomains: true}}, nil},
		{"csp", true, security.Options{DisablePolicy: true}, nil},
		{"csp_scripts", true, policy("script-src", security.Self, security.UnsafeInline), nil},
		{"csp_scripts", true, policy("script-src", security.Nonce, security.UnsafeEval), nil},
		{"csp_scripts", true, policy("script-src", security.Nonce, "https:"), nil},
		{"csp_scripts", true, policy("script-src", "data:"), nil},
		{"csp_base", true, policy("base-uri"), nil},
		{"frames", false, policy("frame-ancestors"), nil},
		{"frames", false, policy("frame-ancestors", "*"), nil},
		{"trusted_proxies", true, security.Options{}, func(cfg *retort.Config) { cfg.TrustedProxies = []string{"0.0.0.0/0"} }},
		{"trusted_proxies", true, security.Options{}, func(cfg *retort.Config) { cfg.TrustedProxies = []string{"10.0.0.1", "::/0"} }},
		{"trusted_origins", true, security.Options{}, func(cfg *retort.Config) { cfg.TrustedOrigins = []string{"http://app.example.com"} }},
		{"headers", true, security.Options{}, func(cfg *retort.Config) { cfg.DisableSecurityHeaders = true }},
		{"session_domain", false, security.Options{}, func(cfg *retort.Config) { cfg.Session.Domain = "example.com" }},
		{"session_same_site", false, security.Options{}, func(cfg *retort.Config) { cfg.Session.SameSite = "none" }},
		{"session_lifetime", false, security.Options{}, func(cfg *retort.Config) { cfg.Session.Lifetime = 10_000 * time.Hour }},
		{"limits_body", false, security.Options{}, func(cfg *retort.Config) { cfg.Limits.Body = config.GB }},
		{"server_timeouts", true, security.Options{}, func(cfg *retort.Config) { cfg.Server.ReadTimeout = 24 * time.Hour }},
		{"server_timeouts", true, security.Options{}, func(cfg *retort.Config) { cfg.Server.IdleTimeout = 0 }},
		{"limits_form", false, security.Options{}, func(cfg *retort.Config) { cfg.Limits.JSONDepth = 100_000 }},
		{"limits_form", false, security.Options{}, func(cfg *retort.Config) { cfg.Limits.FormFields = 1_000_000 }},
		{"server_headers", false, security.Options{}, func(cfg *retort.Config) { cfg.Server.MaxHeaderBytes = 10 * config.MB }},
		{"referrer", false, security.Options{ReferrerPolicy: "no-referrer, unsafe-url"}, nil},
		{"opener", false, security.Options{OpenerPolicy: "unsafe-none"}, nil},
		{"permissions", false, security.Options{PermissionsPolicy: "-"}, nil},
		{"log_level", false, security.Options{}, func(cfg *retort.Config) { cfg.LogLevel = "debug" }},
	} {
		errors, warnings := ids(tt.options, tt.change)
		if slices.Contains(errors, "security."+tt.id) != tt.fails || slices.Contains(warnings, "security."+tt.id) == tt.fails || len(errors)+len(warnings) != 1 {
			t.Errorf("%s (fails %v): errors %v, warnings %v", tt.id, tt.fails, errors, warnings)
		}
	}
	for name, o := range map[string]security.Options{
		"hosts for old browsers": policy("script-src", security.Nonce, security.StrictDynamic, "https:", security.UnsafeInline),
		"only one's own":         policy("script-src", security.Self),
	} {
		if errors, _ := ids(o, nil); len(errors) > 0 {
			t.Errorf("%s: %v", name, errors)
		}
	}
}

// Origins that may send cookies are looked at wherever CORS is used.
func TestSecurityDeployRuleOfCORS(t *testing.T) {
	t.Parallel()
	for origin, found := range map[string]bool{"http://app.example.com": true, "https://app.example.com": false} {
		cfg := production()
		cfg.TrustedProxies = []string{"10.0.0.0/24"}
		app := retort.New(cfg)
		app.Install(security.New())
		api := retort.NewBlueprint("api", retort.BlueprintOptions{Prefix: "/api"})
		api.Use(security.CORS(security.CORSOptions{Origins: []string{origin}, Credentials: true}))
		api.Get("/", ok)
		app.Register(api)
		app.Get("/", ok).Use(func(next retort.Handler) retort.Handler { return next })
		rules := app.RunChecks(context.Background(), true)
		if got := slices.ContainsFunc(rules, func(f retort.Finding) bool { return f.ID == "security.cors" && f.Level == retort.LevelError }); got != found {
			t.Errorf("%s: %v", origin, rules)
		}
	}
}

func TestTheGateIsInstalledOnce(t *testing.T) {
	t.Parallel()
	gate := security.New()
	retort.New(production()).Install(gate)
	app := retort.New(production())
	app.Install(gate)
	if err := app.Prepare(); err == nil {
		t.Error("one extension in two apps is no error")
	}
}
