package site_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/examples/proving/site"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/retorttest"
)

// XSS by framework widgets: 2017-12794, 2018-25045, 2019-11358, 2019-12308, 2020-13596,
// 2020-25626, 2022-22818, 2024-21520, 2026-15920. What was typed comes back in the forms
// of the site, in messages and in pages of errors.
func TestClassXSSByWidgets(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	ann := g.as(site.Ann)
	for _, evil := range []string{
		`"><script>alert(1)</script>`, `' onfocus='alert(1)' autofocus='`, `</textarea><script>alert(1)</script>`, "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "\x01javascript:alert(1)",
		"data:text/html,<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "`onmouseover=alert(1)`",
	} {
		values := func(names ...string) url.Values {
			v := url.Values{}
			for _, name := range names {
				v.Set(name, evil)
			}
			return v
		}
		answers := map[string]*retorttest.Response{
			"comment": g.PostForm("/posts/1", values("name", "url", "text")), "contact": g.PostForm("/contact", values("email", "subject", "text")),
			"login": g.PostForm("/login", values("email", "password")), "sign-up": g.PostForm("/signup", values("name", "email", "password")),
			"search": g.Get("/?q=" + url.QueryEscape(evil)), "no page": g.Get("/" + url.PathEscape(evil)), "next": g.Get("/login?next=" + url.QueryEscape(evil)),
			"profile": ann.PostForm("/profile", url.Values{"name": {strings.Repeat(evil, 50)}}), "guests": g.PostForm("/lab/guests", url.Values{
				"guests-TOTAL_FORMS": {"1"}, "guests-INITIAL_FORMS": {"0"}, "guests-0-name": {evil}, "guests-0-email": {evil}, "guests-0-ORDER": {evil}, "guests-0-DELETE": {""},
			}),
			"reset": g.PostForm("/password/reset", values("email")), "notes": ann.PostForm("/notes/new", url.Values{"title": {strings.Repeat(evil, 30)}, "text": {evil}}),
		}
		ann.PostFiles("/files", nil, retorttest.File{Field: "file", Name: evil, Content: []byte("x")})
		ann.PostForm("/notes/new", values("title", "text"))
		g.PostForm("/posts/1", url.Values{"name": {evil}, "url": {""}, "text": {evil}})
		answers["files"], answers["note list"], answers["post"] = ann.Get("/files").Status(200), ann.Get("/notes").Status(200), g.Get("/posts/1").Status(200)
		answers["note"], answers["delete"], answers["all notes"] = ann.Get("/notes/7"), ann.Get("/notes/7/delete"), ann.Get("/notes/all").Status(200)
		for name, r := range answers {
			if runs := markup(t, r.Text()); runs != nil {
				t.Errorf("%s for %q: %q", name, evil, runs)
			}
		}
	}
}

// Escaping of names, not values: Jinja 2024-22195, 2024-34064.
func TestClassNamesOfAttributes(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	g.Get("/lab/attributes?name=title&value=" + url.QueryEscape(`"><script>`)).Status(200).Contains(` title="&#34;&gt;&lt;script&gt;">`)
	for _, name := range append([]string{
		"onclick", "ONCLICK", "onclick=alert(1) x", "a b", "a/b", "a>b", "a=b", "a\tb", "a\nb", "a\fb", "a\x00b", `a"b`, "a'b", "style", "srcdoc", "href", "formaction", "xlink:href", "a\u00a0b", "/onclick", "x:onclick",
	}, hostile...) {
		for _, value := range []string{"alert(1)", "javascript:alert(1)", "<script>alert(1)</script>"} {
			r := g.Get("/lab/attributes?name=" + url.QueryEscape(name) + "&value=" + url.QueryEscape(value))
			if r.Code != http.StatusOK {
				continue // refused
			}
			if runs := markup(t, r.Text()); runs != nil {
				t.Errorf("%.60q = %q: %q", name, value, runs)
			}
			if text, ok := element(t, r.Text(), "p"); !ok || text != "some text" {
				t.Errorf("%.60q = %q: the element has the text %.60q", name, value, text)
			}
		}
	}
}

// Template sandbox: Jinja 2016-10745, 2019-10906, 2024-56201, 2024-56326, 2025-27516.
func TestClassTemplateSandbox(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	g.Get("/lab/template?source=" + url.QueryEscape("Hello {{ person.name|upper }}, {{ person.age + 1 }}")).Status(200).Contains("Hello ADA, 37")
	for _, source := range []string{
		"{{ person.secret }}", "{{ person['secret'] }}", "{{ person|attr('secret') }}", "{{ '{0.secret}'.format(person) }}", "{{ '{p.secret}'.format_map({'p': person}) }}",
		"{% set f = '{0.secret}'.format %}{{ f(person) }}", "{{ ['{0.secret}'.format]|map('string')|join }}", "{{ [person]|map(attribute='secret')|join }}", "{{ ('{.secret}'|attr('format'))(person) }}",
		"{{ ''.__class__.__mro__ }}", "{{ person.__class__ }}", "{{ cycler.__init__.__globals__ }}", "{{ [person]|sort(attribute='secret')|map('string')|join }}", "{{ person|pprint }}", "{{ person|tojson }}",
		"{% include 'base.html' %}", "{% import 'base.html' as b %}", "{% extends 'base.html' %}", "{% include '/etc/passwd' %}", "{{ config }}", "{{ request }}", "{{ app }}", "{{ session }}", "{{ csrf_token() }}", "{{ user }}",
		"{% for a in range(10**9) %}x{% endfor %}", "{% for a in range(999) %}{% for b in range(999) %}{% for c in range(999) %}x{% endfor %}{% endfor %}{% endfor %}", "{{ 'x' * 10**9 }}", "{{ 10 ** 10 ** 10 }}", "{{ '%0999999999d' % 1 }}",
		"{{ '{:999999999}'.format(1) }}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{{ lipsum(n=100000) }}", "{{ 'x'|center(999999999) }}", "{{ 'x'|indent(999999999) }}", strings.Repeat("{% if 1 %}", 200), strings.Repeat("(", 1_900), "{{ " + strings.Repeat("[", 900) + strings.Repeat("]", 900) + " }}",
	} {
		r := g.Get("/lab/template?source=" + url.QueryEscape(source))
		if r.Code != 200 && r.Code != 422 || strings.Contains(r.Text(), "the secret of") || strings.Contains(r.Text(), "root:") || len(r.Text()) > 200_000 {
			t.Errorf("%.100s: %d, %d bytes, %.200s", source, r.Code, len(r.Text()), r.Text())
		}
	}
	for _, input := range hostile {
		if r := g.Get("/lab/template?source=" + url.QueryEscape(input)); r.Code >= 500 {
			t.Errorf("%.60q: %d", input, r.Code)
		}
	}
}

// Context tracking: Go 2023-24538, 24539, 24540, 29400, 39318, 39319, 2024-24785,
// GO-2026-4603, 4865, 4980, 4982, 6091.
func TestClassContextTracking(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	quoted := regexp.MustCompile(`"(\\.|[^"\\\n])*"|'(\\.|[^'\\\n])*'`)
	for _, evil := range append([]string{
		"x onclick=alert(1)", "`;alert(1)//", "${alert(1)}", "'-alert(1)-'", `\'-alert(1)//`, "</script><script>alert(1)</script>", "<!--<script>", "-->", "--><script>alert(1)</script>", "*/", "</style><script>alert(1)</script>",
		"red; background: url(javascript:alert(1))", "expression(alert(1))", "}*{background:url(//evil.example)}", "\\3c/style>", "javascript:alert(1)", "  javascript:alert(1)", "//evil.example 1x, javascript:alert(1)", "\u2028alert(1)", "/*", "//", "]]>", "x\" onload=\"alert(1)", "=x/onclick=alert(1)",
	}, hostile...) {
		r := g.Get("/lab/contexts?text=" + url.QueryEscape(evil))
		text := r.Text()
		if r.Code >= 500 {
			t.Errorf("%.60q: %d", evil, r.Code)
		}
		if r.Code != http.StatusOK {
			continue
		}
		if runs := markup(t, text); runs != nil {
			t.Errorf("%.60q: %q", evil, runs)
		}
		code, _ := element(t, text, "script")
		rules, ok := element(t, text, "style")
		if !ok {
			t.Fatalf("%.60q: the elements are gone: %s", evil, text)
		}
		// Everything stays within its quotes: what is outside of them is the template's.
		outside := strings.Join(strings.Fields(quoted.ReplaceAllString(code, "S")), " ")
		if outside != "var text = S, quoted = S, data = {S: S};" && outside != "var text = S, quoted = S, data = {S:S};" {
			t.Errorf("%.60q: the script is %s", evil, code)
		}
		if strings.ContainsAny(strings.TrimSuffix(strings.TrimPrefix(rules, "p.none { color: "), " }"), "(){};<>@\\") {
			t.Errorf("%.60q: the style is %q", evil, rules)
		}
	}
}

// Text routines, slow or fat: 2018-7536, 7537, 2019-6975, 2019-14232 to 14235, 2021-45115,
// 2022-41323, 2023-23969, 2023-36053, 2023-41164, 2023-43665, 2023-46695, 2024-24680,
// 2024-27351, 2024-38875, 2024-39614, 2024-41989 to 41991, 2024-45230, 2024-53907,
// 2024-56374, 2025-26699, 2025-27556, 2025-32873, 2025-64458, 2025-14550, 2026-1285,
// 2026-15337, 2026-25673, 2026-77050, 2026-84429; Jinja 2020-28493.
func TestClassTextRoutines(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	page := g.Get("/lab/").Status(200).Text()
	filters := regexp.MustCompile(`<option>(\w+)</option>`).FindAllStringSubmatch(page, -1)
	if len(filters) < 40 {
		t.Fatalf("%d filters in the laboratory", len(filters))
	}
	for _, f := range filters {
		for _, input := range hostile {
			r := g.Get("/lab/text?filter=" + f[1] + "&text=" + url.QueryEscape(input))
			if r.Code >= 500 {
				t.Errorf("%s of %.40q: %d %.200s", f[1], input, r.Code, r.Text())
			}
			if strings.Contains(r.Text(), "<script>alert(1)") {
				t.Errorf("%s of %.40q lets a script through", f[1], input)
			}
		}
		g.Get("/lab/text?filter=" + f[1] + "&text=some+text").Status(200)
	}
	g.Get("/lab/text?filter=upper&text=" + strings.Repeat("x", 100_001)).Status(413)
	g.Get("/lab/text?filter=system").Status(400)
	// Those of forms: addresses of mail and pages, passwords that are compared with
	// names, numbers, and the languages that a browser asks for.
	for _, long := range []string{strings.Repeat("a@", 40_000), "a@" + strings.Repeat("a.", 40_000) + "com", "http://" + strings.Repeat("a", 80_000), "http://[" + strings.Repeat(":", 80_000), strings.Repeat("١", 40_000), strings.Repeat("a\u0301", 20_000), strings.Repeat("9", 80_000)} {
		for path, names := range map[string][]string{"/signup": {"name", "email", "password"}, "/contact": {"email", "subject", "text"}, "/posts/1": {"name", "url", "text"}, "/password/reset": {"email"}} {
			for _, name := range names {
				g.PostForm(path, url.Values{name: {long}}).Status(422)
			}
		}
		r := g.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", long)
		r.Header.Set("Accept", long)
		r.Header.Set("If-None-Match", long)
		if res := g.Do(r); res.Code >= 500 {
			t.Errorf("headers of %.20q: %d", long, res.Code)
		}
	}
}

// Data shown by template filters: 2021-45116.
func TestClassDataShownByFilters(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	g.Get("/lab/people?by=age").Status(200).Contains("Ben Ada")
	for _, by := range append([]string{"secret", "Secret", "SECRET", "0.secret", "name.secret", "__class__", "_secret", "secret.0", "name.__class__"}, hostile...) {
		r := g.Get("/lab/people?by=" + url.QueryEscape(by))
		if strings.Contains(r.Text(), "the secret of") || r.Code == 200 && strings.Contains(r.Text(), "<script>") {
			t.Errorf("%.60q: %s", by, r.Text())
		}
	}
}

// Caching of private pages: 2020-13254, 2026-6907, 8404, 35192, 35193, 48587, 48588; Flask
// 2023-30861, 2026-27205.
func TestClassCachingOfPrivatePages(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	ann := g.as(site.Ann)
	varies := func(r *retorttest.Response, name string) bool {
		for _, line := range r.Header().Values("Vary") {
			for part := range strings.SplitSeq(line, ",") {
				if strings.EqualFold(strings.TrimSpace(part), name) {
					return true
				}
			}
		}
		return false
	}
	for _, path := range []string{"/", "/posts/1", "/contact", "/notes", "/notes/1", "/notes.csv", "/files", "/profile", "/sessions", "/whoami", "/lab/", "/lab/fail/error", "/nothing", "/lab/shared", "/login"} {
		r := ann.Get(path)
		if control := r.Header().Get("Cache-Control"); !strings.Contains(control, "no-store") && !strings.Contains(control, "private") && !strings.Contains(control, "no-cache") {
			t.Errorf("%s of a user: Cache-Control %q", path, control)
		}
		if r.Header().Get("Vary") == "*" {
			t.Errorf("%s: Vary is *", path)
		}
		// A visitor's page, too, is another one with a cookie.
		if r := g.Fresh().Get(path); r.Code == 200 && !varies(r, "Cookie") && !strings.Contains(r.Header().Get("Cache-Control"), "no-store") {
			t.Errorf("%s of a visitor: Vary %q, Cache-Control %q", path, r.Header().Get("Vary"), r.Header().Get("Cache-Control"))
		}
	}
	for _, path := range []string{"/", "/posts/1", "/whoami"} {
		// An answer that sets a cookie is nobody else's.
		r := g.Fresh().PostForm("/login", url.Values{"email": {site.Ann}, "password": {password}, "next": {path}})
		if control := r.Header().Get("Cache-Control"); !strings.Contains(control, "no-store") {
			t.Errorf("a login: Cache-Control %q", control)
		}
		// What is given to the bearer of a token is not for others, either.
		r = bearing(g, path, "a token that is none")
		if control := r.Header().Get("Cache-Control"); r.Code == 200 && !strings.Contains(control, "no-store") && !strings.Contains(control, "private") && !varies(r, "Authorization") {
			t.Errorf("%s with a token: Vary %q, Cache-Control %q", path, r.Header().Get("Vary"), control)
		}
	}
	if control := g.Get("/static/style.css").Status(200).Header().Get("Set-Cookie"); control != "" {
		t.Errorf("a static file sets %q", control)
	}
}

// bearing asks with a token in the header.
func bearing(g *ground, path, token string) *retorttest.Response {
	c := g.Fresh()
	c.Header.Set("Authorization", "Bearer "+token)
	return c.Get(path)
}

// A header that was never sent: fiber 2026-53624. HSTS and the redirect to https go by the
// scheme that the client has used.
func TestClassHeaderNeverSent(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite, func(cfg *retort.Config) { cfg.TrustedProxies = []string{"10.0.0.1"} })
	secure := g.Fresh()
	secure.Secure = true
	proxied := g.Fresh()
	proxied.RemoteAddr = "10.0.0.1:443"
	proxied.Header.Set("X-Forwarded-Proto", "https")
	proxied.Header.Set("X-Forwarded-For", "192.0.2.7")
	for name, c := range map[string]*retorttest.Client{"TLS": secure, "a proxy with TLS": proxied} {
		for _, path := range []string{"/", "/login", "/nothing", "/lab/fail/error", "/lab/fail/handler", "/static/style.css", "/healthz", "/lab/big?mb=1"} {
			r := c.Get(path)
			if hsts := r.Header().Get("Strict-Transport-Security"); !strings.Contains(hsts, "max-age=31536000") || !strings.Contains(hsts, "includeSubDomains") {
				t.Errorf("%s, %s: %d, Strict-Transport-Security %q", name, path, r.Code, hsts)
			}
		}
	}
	g.Get("/posts/1?a=b").RedirectsTo("https://localhost/posts/1?a=b")
	stranger := g.Fresh()
	stranger.RemoteAddr = "192.0.2.66:5000"
	stranger.Header.Set("X-Forwarded-Proto", "https")
	stranger.Get("/posts/1").RedirectsTo("https://localhost/posts/1")
}

// Content spoofing: 2019-3498.
func TestClassContentSpoofing(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	for _, accept := range []string{"text/html", "application/json", "text/plain", "*/*"} {
		c := g.Fresh()
		c.Header.Set("Accept", accept)
		const message = "Your-account-is-locked-call-0800-123"
		for _, path := range []string{"/" + message, "/posts/" + message, "/static/" + message, "/verify/" + message, "/lab/" + message, "/?page=" + message, "/?sort=" + message, "/lab/text?filter=" + message, "/password/reset/" + message, "/files/" + message} {
			if r := c.Get(path); strings.Contains(r.Text(), message) {
				t.Errorf("%s of %s says what it was told to", accept, path)
			}
		}
		r := c.NewRequest(http.MethodGet, "/", nil)
		r.Host = "locked.call-0800-123.example"
		c.Do(r).Lacks("call-0800-123")
		r = c.NewRequest(message, "/", nil)
		c.Do(r).Lacks(message)
	}
}

// Debugger: Werkzeug 2024-34069.
func TestClassDebugger(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	for _, path := range []string{"/_debug", "/_mail/", "/console", "/_retort/", "/debug/pprof/", "/?__debugger__=yes&cmd=1", "/lab/fail/handler?__debugger__=yes", "/.git/config", "/.env"} {
		g.Get(path).Lacks("goroutine", "lab.go", "SecretKey", "nowhere else")
	}
	for _, path := range []string{"handler", "error", "template", "database"} {
		g.Get("/lab/fail/"+path).Status(500).Lacks("hunter2", "no_such_table", "goroutine", ".go:", "the first words")
	}
	debug := newGround(t, testdb.SQLite, func(cfg *retort.Config) { cfg.Debug = true })
	debug.Get("/lab/fail/handler").Status(500).Contains("the handler fails")
	for name, change := range map[string]func(c *retorttest.Client){
		"another machine":              func(c *retorttest.Client) { c.RemoteAddr = "192.0.2.7:1000" },
		"another name of this machine": func(c *retorttest.Client) { c.Host = "rebound.example" },
		"a proxy":                      func(c *retorttest.Client) { c.Header.Set("X-Forwarded-For", "192.0.2.7") },
	} {
		c := debug.Fresh()
		change(c)
		for _, path := range []string{"/lab/fail/handler", "/_mail/"} {
			if r := c.Get(path); strings.Contains(r.Text(), "the handler fails") || strings.Contains(r.Text(), "lab.go") || path == "/_mail/" && r.Code == 200 {
				t.Errorf("%s sees %s: %d", name, path, r.Code)
			}
		}
	}
}
