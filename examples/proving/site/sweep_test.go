package site_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/retort-web/retort/examples/proving/site"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/retorttest"
)

// odd are values that programs have stumbled over.
var odd = []string{
	"", " ", "\x00", "a\x00b", "\xff\xfe", "\xed\xa0\x80", "-1", "0", "-0", "1.0", "99999999999999999999", "9223372036854775808", "-9223372036854775809", "1e309", "NaN", "true", "null", "[]", "{}", "'", `"`, `\`, "%", "%s%n", "%00", "_", "{{7*7}}", "{% endblock %}",
	"<script>alert(1)</script>", `" onfocus="alert(1)`, "\r\n", "\r\nSet-Cookie: a=b", "../../etc/passwd", "//evil.example", "javascript:alert(1)", strings.Repeat("é", 300), strings.Repeat("a\u0300", 2000), strings.Repeat("x", 70_000), "2026-02-30T25:61", "10000-01-01T00:00", "0001-01-01", "\u202e\u2028\u2066", "\ufeff", "١٢", "\U0001F468\u200d\U0001F469",
	"ﬀ", "İ", "CON", "1 OR 1=1 --", "$1", "http://[::1", "=cmd|' /C calc'!A0", "__proto__", "a@b", "a@b.example", "on",
}

// sweep asks, and says what no answer may be.
type sweep struct {
	t     *testing.T
	g     *ground
	asked int
	sent  map[string]bool // forms, by where they go
}

func (s *sweep) do(c *retorttest.Client, r *http.Request, what string) *retorttest.Response {
	s.t.Helper()
	s.asked++
	res := c.Do(r)
	text := res.Text()
	switch found := says(text); {
	case res.Code >= 500 && res.Code != http.StatusNotImplemented:
		s.t.Errorf("%s %s, %.200s: %d", r.Method, r.URL.Path, what, res.Code)
	case found != "":
		s.t.Errorf("%s %s, %.200s: it says %q", r.Method, r.URL.Path, what, found)
	case strings.Contains(text, "of Bob") || strings.Contains(text, site.Bob) || strings.Contains(text, "the file of another"):
		s.t.Errorf("%s %s, %.200s: it shows what is another's", r.Method, r.URL.Path, what)
	}
	if strings.HasPrefix(res.Header().Get("Content-Type"), "text/html") {
		if runs := markup(s.t, text); runs != nil && !strings.Contains(text, "could not be shown") {
			s.t.Errorf("%s %s, %.200s: %q", r.Method, r.URL.Path, what, runs)
		}
	}
	return res
}

// request is one as the client sends it, with a body of a kind.
func (s *sweep) request(c *retorttest.Client, method, path, kind string, body io.Reader) *http.Request {
	r := c.NewRequest(method, path, body)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	return r
}

const (
	urlencoded = "application/x-www-form-urlencoded"
	multipart  = "multipart/form-data; boundary=b"
	asJSON     = "application/json"
)

// queries are what pages read of their addresses.
var queries = map[string]string{
	"/": "q sort page", "/login": "next", "/lab/filter": "key value", "/lab/json": "key value", "/lab/alias": "name", "/lab/order": "by", "/lab/trunc": "unit", "/lab/text": "text filter", "/lab/posts": "order title__icontains created__year author__name", "/lab/separator": "by", "/lab/explain": "format",
	"/lab/contexts": "text", "/lab/attributes": "name value", "/lab/people": "by", "/lab/template": "source", "/lab/redirect": "to", "/lab/header": "value", "/lab/cookie": "value", "/lab/file": "name", "/lab/sign": "text", "/lab/open": "token", "/lab/steps": "step", "/posts/1": "next page",
}

// parameter is what stands in the patterns of routes for a part of an address.
var parameter = regexp.MustCompile(`\{[^}]+\}`)

// later are the fields of a form of many rows but for the first.
var later = regexp.MustCompile(`-([1-9]\d*|__prefix__)-`)

// No input is a 500, shows the inside, or what is another's: every route, every method,
// every field and every part of an address, with odd values, as a visitor, a user and the
// staff. It sends many thousand requests, which take a few seconds.
func TestSweepOddValuesEverywhere(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	bob := g.as(site.Bob)
	bob.PostFiles("/files", nil, retorttest.File{Field: "file", Name: "the file of another.txt", Content: []byte("the file of another")}).Status(303)
	s := &sweep{t: t, g: g, sent: map[string]bool{}}
	paths := []string{}
	for _, route := range g.app.Routes() {
		// These wait, send much, or fail because they are made to.
		if strings.HasPrefix(route.Pattern, "/lab/fail/") || route.Pattern == "/lab/slow" || route.Pattern == "/lab/big" || slices.Contains(paths, route.Pattern) {
			continue
		}
		paths = append(paths, route.Pattern)
	}
	if len(paths) < 50 {
		t.Fatalf("%d routes", len(paths))
	}
	visitor, ann, staff := g.Fresh(), g.as(site.Ann), g.as(site.Staff)
	for _, pattern := range paths {
		path := parameter.ReplaceAllString(pattern, "1")
		s.methods(visitor, path)
		s.queries(visitor, path)
		s.forms(visitor, path)
		if strings.Contains(ann.Get("/whoami").Text(), `"user":null`) {
			ann = g.as(site.Ann) // what was asked has ended the session
		}
		s.bodies(ann, path)
		s.addresses(ann, pattern)
		s.forms(ann, path)
		if strings.HasPrefix(path, "/posts/") {
			s.forms(staff, path)
		}
	}
	s.headers(visitor)
	t.Logf("%d requests", s.asked)
	// Whatever was taken can be shown again.
	ann, staff = g.as(site.Ann), g.as(site.Staff)
	for _, path := range []string{"/", "/?page=2", "/?q=a", "/posts/1", "/contact", "/lab/"} {
		s.do(g.Fresh(), g.NewRequest(http.MethodGet, path, nil), "afterwards")
	}
	for _, path := range []string{"/notes", "/notes.csv", "/notes/all", "/files", "/profile", "/sessions", "/tokens"} {
		if r := s.do(ann, ann.NewRequest(http.MethodGet, path, nil), "afterwards"); r.Code != 200 && r.Code != 302 {
			t.Errorf("%s afterwards: %d", path, r.Code)
		}
	}
	if r := staff.Get("/posts/40"); r.Code != 200 {
		t.Errorf("afterwards: %d", r.Code)
	}
}

// methods asks a route with methods that it has and has not.
func (s *sweep) methods(c *retorttest.Client, path string) {
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "get", "FROB"} {
		s.do(c, s.request(c, method, path, urlencoded, strings.NewReader("a=b")), method)
	}
}

// bodies sends what is no form, or says that it is something else.
func (s *sweep) bodies(c *retorttest.Client, path string) {
	if path == "/logout" {
		return
	}
	for _, kind := range []string{"", "text/plain", asJSON, urlencoded, multipart, "multipart/form-data", "application/json; charset=utf-16", strings.Repeat("x", 3000)} {
		for _, body := range []string{"", "{", `{"a":1}`, "a=%", "--b\r\n\r\n", "\x00\xff"} {
			s.do(c, s.request(c, http.MethodPost, path, kind, strings.NewReader(body)), fmt.Sprintf("%.30q of type %.30q", body, kind))
		}
	}
}

// addresses puts odd values into the parts of an address.
func (s *sweep) addresses(c *retorttest.Client, pattern string) {
	if !strings.Contains(pattern, "{") {
		return
	}
	for _, value := range odd {
		if len(value) > 5000 {
			value = value[:5000]
		}
		path := parameter.ReplaceAllLiteralString(pattern, url.PathEscape(value))
		s.do(c, c.NewRequest(http.MethodGet, path, nil), fmt.Sprintf("address of %.60q", value))
		s.do(c, s.request(c, http.MethodPost, path, urlencoded, strings.NewReader("title=x")), fmt.Sprintf("address of %.60q", value))
	}
}

// queries puts odd values and names into the query.
func (s *sweep) queries(c *retorttest.Client, path string) {
	names := strings.Fields(queries[path])
	for i, value := range odd {
		for _, name := range names {
			for _, query := range []string{url.Values{name: {value}}.Encode(), url.Values{name: {"x", value}}.Encode(), url.Values{name + "[]": {value}}.Encode()} {
				s.do(c, c.NewRequest(http.MethodGet, path+"?"+query, nil), fmt.Sprintf("%s of %.60q", name, value))
			}
		}
		if i%8 == 0 {
			s.do(c, c.NewRequest(http.MethodGet, path+"?"+url.QueryEscape(value)+"=1", nil), fmt.Sprintf("the name %.60q", value))
		}
	}
	for _, raw := range []string{"%", "%zz", "a=%f", ";", "a;b=c", "&&&", "=", "%00=%00", strings.Repeat("a&", 3000)} {
		r := c.NewRequest(http.MethodGet, path, nil)
		r.URL.RawQuery = raw
		s.do(c, r, fmt.Sprintf("query %.30q", raw))
	}
}

// forms fills in the forms of a page, with one odd value at a time.
func (s *sweep) forms(c *retorttest.Client, path string) {
	page := c.Get(path)
	if page.Code != http.StatusOK || !strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") {
		return
	}
	for _, f := range formsOf(s.t, page.Text()) {
		to := f.action
		if to == "" {
			to = path
		}
		if f.method != "post" || to == "/logout" || s.sent[to] {
			continue
		}
		s.sent[to] = true
		for name := range f.fields {
			if name == "csrf_token" || later.MatchString(name) {
				continue
			}
			for i, value := range odd {
				fields := url.Values{}
				for other, values := range f.fields {
					fields[other] = values
				}
				fields[name] = []string{value}
				s.do(c, s.request(c, http.MethodPost, to, urlencoded, strings.NewReader(fields.Encode())), fmt.Sprintf("%s of %.60q", name, value))
				if i%4 > 0 {
					continue
				}
				file := "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"" + strings.NewReplacer(`"`, `\"`, "\r", "", "\n", "").Replace(value) + "\"\r\n\r\nx\r\n"
				s.do(c, s.request(c, http.MethodPost, to, multipart, strings.NewReader(file+"--b--\r\n")), fmt.Sprintf("a file %s of %.60q", name, value))
			}
			for _, body := range []string{name + "=a&" + name + "=b", name + "[]=a", name + "[0]=a", name + "[x][y]=a", name + ".0=a", name + "%00=a", strings.Repeat(name+"=a&", 2000), "__proto__[" + name + "]=a", name + "=%ff%fe", name + "=%", name} {
				s.do(c, s.request(c, http.MethodPost, to, urlencoded, strings.NewReader(body)), body[:min(len(body), 80)])
			}
			for _, value := range []string{"1", "null", "[]", "{}", `["a"]`, "true", "1e999", `"\u0000"`, `"\ud800"`, "99999999999999999999"} {
				s.do(c, s.request(c, http.MethodPost, to, asJSON, strings.NewReader(fmt.Sprintf("{%q:%s}", name, value))), fmt.Sprintf("%s of %s in JSON", name, value))
			}
		}
	}
}

// headers puts odd values where browsers and proxies say who they are.
func (s *sweep) headers(c *retorttest.Client) {
	var some []string
	for i, value := range odd {
		if i%4 == 0 {
			some = append(some, value)
		}
	}
	for _, name := range []string{
		"Accept", "Accept-Language", "Accept-Encoding", "Authorization", "Cookie", "Content-Length", "Content-Encoding", "If-Modified-Since", "If-None-Match", "If-Match", "If-Range", "Range", "Origin", "Referer", "Sec-Fetch-Site", "User-Agent", "X-Csrf-Token", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
		"X-Http-Method-Override", "X-Request-Id", "Last-Event-Id", "Upgrade", "Expect", "Forwarded", "Traceparent",
	} {
		for _, value := range append([]string{"bytes=0-0,1-1,2-2,-1,5-1", "bytes=-0", "bytes=99999999999999999999-", "W/\"x\", *", "gzip;q=2, *;q=x", "Basic x", "Bearer x", "session=x; session=y; __Host-session=z", "Thu, 32 Foo 99999 25:61:61 GMT", ", ,,", "a/b;c=\"d"}, some...) {
			if len(value) > 5000 {
				value = value[:5000]
			}
			for _, path := range []string{"/", "/static/style.css", "/files"} {
				r := c.NewRequest(http.MethodGet, path, nil)
				r.Header[name] = []string{value}
				s.do(c, r, fmt.Sprintf("%s: %.60q", name, value))
			}
			r := c.NewRequest(http.MethodPost, "/posts/1", strings.NewReader("text=x"))
			r.Header[name] = []string{value}
			s.do(c, r, fmt.Sprintf("%s: %.60q", name, value))
		}
	}
}

// formOf is a form of a page, with what its fields have, or might have.
type formOf struct {
	action, method string
	fields         url.Values
}

// formsOf reads the forms of a page.
func formsOf(t *testing.T, page string) (list []formOf) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" {
			continue
		}
		f := formOf{action: get(n, "action"), method: strings.ToLower(get(n, "method")), fields: url.Values{}}
		f.action, _, _ = strings.Cut(f.action, "#")
		for field := range n.Descendants() {
			name := get(field, "name")
			if field.Type != html.ElementNode || name == "" || field.Data == "button" {
				continue
			}
			value := get(field, "value")
			switch kind := get(field, "type"); {
			case value != "":
			case kind == "email":
				value = "somebody@example.com"
			case kind == "password":
				value = "a word that is not right"
			default:
				value = "x"
			}
			f.fields.Set(name, value)
		}
		list = append(list, f)
	}
	return list
}

func get(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
