package site_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/examples/proving/site"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/retorttest"
)

// Open redirect: 2017-7233, 2017-7234, 2018-14574; Werkzeug 2020-28724, echo 2022-40083,
// chi (2025).
func TestClassOpenRedirect(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	leads := func(r *retorttest.Response) string {
		location := r.Header().Get("Location")
		if location == "" {
			return ""
		}
		// As a browser reads it: backslashes are slashes, controls are not there.
		seen := strings.Map(func(r rune) rune {
			switch {
			case r == '\\':
				return '/'
			case r < ' ':
				return -1
			}
			return r
		}, location)
		u, err := url.Parse("http://localhost/login")
		if err == nil {
			u, err = u.Parse(seen)
		}
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host != "localhost" {
			return location
		}
		return ""
	}
	for _, to := range []string{
		"//evil.example", "///evil.example", "////evil.example", `/\evil.example`, `\\evil.example`, `/\/evil.example`, "/\t/evil.example", "\t//evil.example", "/\r\n/evil.example", "https:evil.example", "https:/evil.example",
		"http:///evil.example", "https://evil.example", "HTTPS://evil.example", "ftp://evil.example", "javascript:alert(1)", " javascript:alert(1)", "data:text/html,x", "http://localhost@evil.example/", "http://localhost.evil.example/",
		"http://2130706433/", "//0x7f000001/", "http://[::1]/", "http://localhost:80@evil.example", "http://localhost%2eevil.example", "http://evil.example#localhost", "http://evil.example\x00.localhost/", "/%2f/evil.example", "/%5cevil.example",
		"//evil.example/%2e%2e", "/..//evil.example", "/.//evil.example", "/x/..//evil.example", "?//evil.example", "http:evil.example", "//localhost:evil.example", "https://localhost/", "\u2028//evil.example", "／／evil.example", "/／evil.example",
	} {
		for name, r := range map[string]*retorttest.Response{
			"redirect": g.Get("/lab/redirect?to=" + url.QueryEscape(to)), "login": g.Fresh().PostForm("/login?next="+url.QueryEscape(to), url.Values{"email": {site.Ann}, "password": {password}, "next": {to}}),
		} {
			if r.Code >= 500 || leads(r) != "" {
				t.Errorf("%s to %q: %d, Location %q", name, to, r.Code, r.Header().Get("Location"))
			}
		}
	}
	// Paths that the router cleans or completes.
	for _, path := range []string{"//evil.example", "//evil.example/", "//evil.example/..", "/%2f%2fevil.example/", `/%5cevil.example/`, "//evil.example/lab", "/lab//evil.example/..", "//evil.example/%2e%2e/lab", "/abs", "//abs", "/lab"} {
		r := g.NewRequest(http.MethodGet, "/", nil)
		r.URL = &url.URL{Path: mustUnescape(t, path), RawPath: path}
		r.RequestURI = path
		if res := g.Do(r); res.Code >= 500 || leads(res) != "" {
			t.Errorf("%s: %d, Location %q", path, res.Code, res.Header().Get("Location"))
		}
	}
	g.Get("/lab/redirect?to=" + url.QueryEscape("/posts/1?a=b#c")).RedirectsTo("/posts/1?a=b#c")
}

func mustUnescape(t *testing.T, path string) string {
	t.Helper()
	plain, err := url.PathUnescape(path)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// Header injection: 2021-32052, 2022-36359, gunicorn 2018-1000164, gin 2023-29401. That of
// mail is beside the mails.
func TestClassHeaderInjection(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	ann := g.as(site.Ann)
	for _, evil := range []string{
		"a\r\nSet-Cookie: evil=1", "a\nX-Evil: 1", "a\rX-Evil: 1", "\r\n\r\n<script>", "a\x00b", "a\u0085X-Evil: 1", "a\u2028X-Evil: 1", "é\r\n", `a"; filename="evil.exe`, `a.txt"; x="`, "a;b", "a\\\"b", "\xff\xfe\r\nX-Evil: 1", "%0d%0aX-Evil: 1", strings.Repeat("é", 5000), "a\v\fb", "",
		"../../etc/passwd", "setup.bat\";x=.txt", "a\tb",
	} {
		answers := []*retorttest.Response{g.Get("/lab/header?value=" + url.QueryEscape(evil)), g.Get("/lab/cookie?value=" + url.QueryEscape(evil)), g.Get("/lab/redirect?to=" + url.QueryEscape("/"+evil))}
		ann.PostFiles("/files", nil, retorttest.File{Field: "file", Name: evil, Content: []byte("x")})
		for _, path := range uploads(ann) {
			answers = append(answers, ann.Get(path).Status(200))
		}
		for _, r := range answers {
			if r.Code >= 500 {
				t.Errorf("%s: %d", r.Request.URL, r.Code)
			}
			for name, values := range r.Header() {
				if strings.Contains(name, "Evil") || strings.ContainsAny(name, "\r\n\x00 ") {
					t.Errorf("%q: the header %q", evil, name)
				}
				for _, v := range values {
					if strings.ContainsAny(v, "\r\n\x00\v\f") {
						t.Errorf("%q: %s has %q", evil, name, v)
					}
				}
			}
			if d := r.Header().Get("Content-Disposition"); d != "" {
				kind, parameters, err := mime.ParseMediaType(d)
				if err != nil || kind != "attachment" || len(parameters) > 1 || strings.ContainsAny(parameters["filename"], "\r\n\x00") {
					t.Errorf("%q: Content-Disposition %q, %v", evil, d, err)
				}
			}
			for _, cookie := range r.Result().Cookies() {
				if cookie.Name == "evil" {
					t.Errorf("%q sets a cookie", evil)
				}
			}
		}
	}
}

// uploads are the addresses of the files that a user has.
func uploads(c *retorttest.Client) []string {
	var paths []string
	for part := range strings.SplitSeq(c.Get("/files").Status(200).Text(), `href="`) {
		if path, _, _ := strings.Cut(part, `"`); strings.HasPrefix(path, "/files/") {
			paths = append(paths, path)
		}
	}
	return paths
}

// Log injection: 2025-48432.
func TestClassLogInjection(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	for _, path := range []string{"/a%0aFORGED", "/a%0d%0aFORGED", "/lab/redirect?to=//evil%0aFORGED", "/a%1b[31mFORGED", "/lab/filter?key=a%0aFORGED&value=1", "/posts/1?x=%0aFORGED", "/lab/fail/handler?x=%0aFORGED", "/a%e2%80%a8FORGED", "/a%00FORGED", "/a%c2%9bFORGED"} {
		g.Get(path)
	}
	for _, header := range []string{"User-Agent", "Referer", "X-Forwarded-For", "X-Request-Id", "Accept-Language"} {
		r := g.NewRequest(http.MethodGet, "/lab/fail/error", nil)
		r.Header[header] = []string{"a\nFORGED \x1b[31m"}
		g.Do(r)
	}
	g.PostForm("/login", url.Values{"email": {"a@example.com\nFORGED"}, "password": {"x\nFORGED"}})
	g.PostForm("/login", url.Values{"email": {"a@example.com"}, "password": {"the password of somebody"}})
	text := g.log.String()
	if text == "" {
		t.Fatal("nothing is logged")
	}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "time=") {
			t.Errorf("a line that no record begins: %.200q", line)
		}
		if strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\x1b\x00\r\u2028\u009b") {
			t.Errorf("control characters in %.200q", line)
		}
	}
	if strings.Contains(text, "the password of somebody") {
		t.Error("the log has a password")
	}
}

// CSRF: fiber 2023-45128, 45141; gorilla/csrf 2025-24358, 2025-47909; nosurf 2025-46721.
func TestClassCSRF(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	note := url.Values{"title": {"Forged"}, "text": {"x"}}
	for name, header := range map[string]http.Header{
		"another site": {"Sec-Fetch-Site": {"cross-site"}}, "a sibling": {"Sec-Fetch-Site": {"same-site"}}, "an origin": {"Origin": {"https://evil.example"}}, "no origin": {"Origin": {"null"}},
		"the site over http": {"Origin": {"http://proving.example"}}, "one that begins like it": {"Origin": {"http://localhost.evil.example"}}, "another port": {"Origin": {"http://localhost:81"}},
		"a Referer alone": {"Referer": {"https://evil.example/localhost"}}, "a good Referer": {"Referer": {"http://localhost/"}}, "nothing": {}, "a method of its own": {"X-HTTP-Method-Override": {"GET"}},
		"a token of nobody": {"X-Csrf-Token": {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}, "an empty token": {"X-Csrf-Token": {""}},
	} {
		ann := g.as(site.Ann)
		ann.EnforceCSRF = true
		for _, path := range []string{"/notes/new", "/notes/1/delete", "/logout", "/contact", "/posts/1", "/lab/guests", "/password/change", "/files"} {
			r := ann.NewRequest(http.MethodPost, path, strings.NewReader(note.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for name, values := range header {
				r.Header[name] = values
			}
			if res := ann.Do(r); res.Code != http.StatusForbidden {
				t.Errorf("%s, %s: %d", name, path, res.Code)
			}
		}
		ann.EnforceCSRF = false
		ann.Get("/notes").Status(200).Lacks("Forged")
	}
	// The token is that of a session, also when it was another's, or the session has ended.
	ann, bob := g.as(site.Ann), g.as(site.Bob)
	ann.EnforceCSRF, bob.EnforceCSRF = true, true
	send := func(c *retorttest.Client, token string) int {
		return c.PostForm("/notes/new", url.Values{"title": {"With a token"}, "csrf_token": {token}}).Code
	}
	own, other, again := ann.Get("/notes/new").Field("csrf_token"), bob.Get("/notes/new").Field("csrf_token"), ann.Get("/notes/new").Field("csrf_token")
	if own == again || len(own) < 40 {
		t.Errorf("tokens %q and %q", own, again)
	}
	if a, b, c := send(ann, own), send(ann, again), send(ann, other); a != 303 || b != 303 || c != 403 {
		t.Errorf("own tokens: %d, %d; another's: %d", a, b, c)
	}
	for _, broken := range []string{own[1:], own + "A", strings.ToLower(own), own[:len(own)/2], strings.Repeat(own, 1000), "\x00", own + "\x00"} {
		if code := send(ann, broken); code != 403 {
			t.Errorf("the token %.100q: %d", broken, code)
		}
	}
	ann.PostForm("/logout", url.Values{"csrf_token": {own}}).Status(303)
	ann.EnforceCSRF = false
	ann.PostForm("/login", url.Values{"email": {site.Ann}, "password": {password}}).Status(303)
	ann.EnforceCSRF = true
	if code := send(ann, own); code != 403 {
		t.Errorf("the token of the session before: %d", code)
	}
	// Nothing is changed by GET.
	before := rows(t, g.app.Context(), site.Notes)
	for _, path := range []string{"/logout", "/notes/1/delete?csrf_token=" + own, "/notes/new?title=Forged", "/contact?email=a@b.example&subject=a&text=b", "/posts/1?name=a&text=b"} {
		g.as(site.Ann).Get(path)
	}
	if after := rows(t, g.app.Context(), site.Notes); after != before {
		t.Errorf("%d notes of %d", after, before)
	}
}

// CORS: fiber 2024-25124.
func TestClassCORS(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	ann := g.as(site.Ann)
	ask := func(method, path, origin string) http.Header {
		r := ann.NewRequest(method, path, nil)
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if method == http.MethodOptions {
			r.Header.Set("Access-Control-Request-Method", "GET")
		}
		r.Header.Del("Sec-Fetch-Site")
		return ann.Do(r).Header()
	}
	for _, method := range []string{http.MethodGet, http.MethodOptions} {
		h := ask(method, "/lab/shared", site.Partner)
		if h.Get("Access-Control-Allow-Origin") != site.Partner || h.Get("Access-Control-Allow-Credentials") != "true" || !strings.Contains(strings.Join(h.Values("Vary"), ","), "Origin") {
			t.Errorf("%s of the partner: %v", method, h)
		}
		for _, origin := range []string{
			"", "null", "https://evil.example", "http://partner.example", "https://partner.example.evil.example", "https://evilpartner.example", "https://partner.example:8443", "https://PARTNER.example.", "https://partner.example@evil.example", "https://partner.example, https://evil.example", "*", "file://", "https://sub.partner.example",
		} {
			h := ask(method, "/lab/shared", origin)
			if h.Get("Access-Control-Allow-Origin") != "" || h.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s of %q: %v", method, origin, h)
			}
			if !strings.Contains(strings.Join(h.Values("Vary"), ","), "Origin") && (origin != "" || method == http.MethodGet) {
				t.Errorf("%s of %q: Vary %q", method, origin, h.Values("Vary"))
			}
		}
		for _, path := range []string{"/whoami", "/notes.csv", "/", "/echo", "/profile", "/lab/bind"} {
			if h := ask(method, path, site.Partner); h.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s %s: %v", method, path, h)
			}
		}
	}
}

// Who is the client, which scheme, which host: 2019-12781, 2026-3902, 2021-23336; gin
// 2020-28483, 2023-26125; chi and echo (2026), fiber 2023-41338.
func TestClassWhoIsTheClient(t *testing.T) {
	t.Parallel()
	lies := http.Header{
		"X-Forwarded-For": {"10.0.0.1", "127.0.0.1, 192.0.2.9"}, "X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Port": {"4444"}, "X-Forwarded-Prefix": {"//evil.example"},
		"Forwarded": {`for=10.0.0.1;host=evil.example;proto=https`}, "X-Real-Ip": {"10.0.0.1"}, "X-Original-Url": {"/notes"}, "X-Rewrite-Url": {"/notes"}, "X-Host": {"evil.example"}, "True-Client-Ip": {"10.0.0.1"}, "X-Http-Method-Override": {"DELETE"},
		"X-Forwarded-Scheme": {"https"}, "X-Url-Scheme": {"https"}, "Front-End-Https": {"on"}, "X_Forwarded_Host": {"evil.example"}, "X-Script-Name": {"/evil"}, "Script-Name": {"/evil"}, "Cf-Connecting-Ip": {"10.0.0.1"},
	}
	g := newGround(t, testdb.SQLite, func(cfg *retort.Config) { cfg.BaseURL = ""; cfg.Hosts = []string{"localhost", "proving.example"} })
	liar := g.Fresh()
	for name, values := range lies {
		liar.Header[name] = values
	}
	liar.Get("/abs/").Status(200).Contains("http://localhost/abs/").Lacks("evil", "https:")
	liar.Get("/notes").RedirectsTo("/login?next=%2Fnotes")
	liar.Get("/abs").Lacks("evil")
	liar.PostForm("/password/reset", url.Values{"email": {site.Ann}}).Status(200)
	if mail := g.mailed(site.Ann); strings.Contains(mail, "evil") || !strings.Contains(mail, "http://localhost/password/reset/") {
		t.Errorf("the mail is\n%s", mail)
	}
	for _, host := range []string{"evil.example", "localhost.evil.example", "localhost:80:80", "localhost@evil.example", "", "proving.example,evil.example", "localhost/evil", "[::1", "loc%61lhost", "evil.example#localhost", "localhost\x00.evil"} {
		r := g.NewRequest(http.MethodGet, "/abs/", nil)
		r.Host = host
		if res := g.Do(r); res.Code != 400 || strings.Contains(res.Text(), "evil") {
			t.Errorf("Host %q: %d %s", host, res.Code, res.Text())
		}
	}
	// Behind a proxy what it says counts, and nothing that the client has said before.
	g = newGround(t, testdb.SQLite, func(cfg *retort.Config) {
		cfg.BaseURL, cfg.Hosts, cfg.TrustedProxies = "", []string{"localhost", "proving.example"}, []string{"10.0.0.1"}
	})
	proxied := g.Fresh()
	proxied.RemoteAddr = "10.0.0.1:1234"
	proxied.Header = http.Header{"X-Forwarded-For": {"127.0.0.1", "192.0.2.7"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"proving.example"}}
	proxied.Get("/abs/").Status(200).Contains("https://proving.example/abs/")
	proxied.Header.Set("X-Forwarded-Host", "evil.example")
	proxied.Get("/abs/").Status(400)
	// Failed logins are counted for the address that the proxy saw, whatever is in front.
	codes := map[int]int{}
	for i := range 400 {
		attacker := g.Fresh()
		attacker.RemoteAddr = "10.0.0.1:1234"
		attacker.Header = http.Header{"X-Forwarded-For": {fmt.Sprintf("203.0.113.%d", i%250), "192.0.2.66"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"proving.example"}}
		codes[attacker.PostForm("/login", url.Values{"email": {fmt.Sprintf("user%d@example.com", i)}, "password": {"wrong"}}).Code]++
		if codes[429] > 0 {
			break
		}
	}
	if codes[429] == 0 {
		t.Errorf("nobody was held up: %v", codes)
	}
}

// Decompression: echo (2026), many.
func TestClassDecompression(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, _ = w.Write(bytes.Repeat([]byte("a"), 50<<20))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, encoding := range []string{"gzip", "x-gzip", "deflate", "br", "zstd", "gzip, gzip", "GZIP", "compress", "identity, gzip"} {
		for path, kind := range map[string]string{"/lab/bind": "application/json", "/posts/1": "application/x-www-form-urlencoded", "/files": "multipart/form-data; boundary=b", "/echo": "text/plain"} {
			c := g.Fresh()
			r := c.NewRequest(http.MethodPost, path, bytes.NewReader(bomb.Bytes()))
			r.Header.Set("Content-Encoding", encoding)
			r.Header.Set("Content-Type", kind)
			res := c.Do(r)
			if path == "/echo" && res.Code == 200 {
				res.Contains("len=" + strconv.Itoa(bomb.Len()))
			} else if res.Code < 300 || res.Code > 499 {
				t.Errorf("%s with %s: %d", path, encoding, res.Code)
			}
		}
	}
}

// Form decoding into slices: gorilla/schema 2024-37298; fiber 2025-48075, 2025-54801.
func TestClassFormsIntoSlices(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	ann := g.as(site.Ann)
	post := func(kind, body string) *retorttest.Response {
		r := g.NewRequest(http.MethodPost, "/lab/bind", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		return g.Do(r)
	}
	const urlencoded, asJSON = "application/x-www-form-urlencoded", "application/json"
	for _, body := range []string{
		"a[999999999]=1", "tags[999999999]=1", "tags.999999999=1", "lines[999999999].number=1", "lines.999999999.number=1", "lines[999999999][number]=1", "lines[-1].number=1", "lines[0x1].number=1", "lines[99999999999999999999].number=1",
		"lines[0].number=300", "lines[0].number=-1", "extra[__proto__]=1&extra.__proto__.x=1&__proto__[x]=1&constructor[prototype][x]=1", strings.Repeat("tags=a&", 60), strings.Repeat("tags=a&", 20_000), strings.Repeat("lines[0]", 5_000) + "=1",
		strings.Repeat("a[", 20_000) + "=1", "lines" + strings.Repeat("[0]", 20_000) + "=1", "lines[0][product]=a&lines[50000].product=b", "=1", "&&&&", "count=99999999999999999999", "count=1&count=2", "when=2026-02-30", "name=%ff%00", "tags[]=a&tags[]=b", strings.Repeat("x=1&", 50_000),
	} {
		r := post(urlencoded, body)
		if r.Code >= 500 || len(r.Text()) > 100_000 {
			t.Errorf("%.80q: %d, %d bytes", body, r.Code, len(r.Text()))
		}
	}
	for _, body := range []string{
		strings.Repeat("[", 10_000), strings.Repeat(`{"a":`, 10_000), `{"lines":` + strings.Repeat("[", 10_000), `{"lines":[` + strings.Repeat(`{},`, 100_000) + `{}]}`, `{"count":1e999}`, `{"count":2147483648}`, `{"name":"\ud800"}`, `{"name":null,"Name":"a","NAME":"b"}`, `{"name":"a","name":"b"}`, "{\"name\":\"\x00\"}", "null", "1", "[]", "", "{", `{"when":"0000"}`,
		`{"extra":{"__proto__":"x"}}`, `{"lines":[{"number":256}]}`, `{"tags":{"0":"a"}}`, "\xef\xbb\xbf{}", `{"count":"1"}`, `{"name":["a"]}`, `{"name":{"$gt":""}}`,
	} {
		if r := post(asJSON, body); r.Code >= 500 || len(r.Text()) > 10_000 {
			t.Errorf("%.80q: %d, %d bytes", body, r.Code, len(r.Text()))
		}
	}
	for _, kind := range []string{"", "text/plain", "application/xml", "application/json; charset=utf-16", "application/json;", "multipart/form-data", "multipart/form-data; boundary=", "application/x-www-form-urlencoded; charset=shift_jis", "a/b/c", strings.Repeat("a", 10_000)} {
		if r := post(kind, `{"name":"a"}`); r.Code >= 500 {
			t.Errorf("%.80q: %d", kind, r.Code)
		}
	}
	post(urlencoded, "name=Ada&tags=a&tags=b&lines[0].product=x&lines[0].number=7").Status(200).Contains(`"Ada"`)
	// How many forms there are is for the page to say.
	for _, total := range []string{"999999999", "99999999999999999999", "-1", "1e9", "x", ""} {
		r := g.PostForm("/lab/guests", url.Values{"guests-TOTAL_FORMS": {total}, "guests-INITIAL_FORMS": {total}, "guests-999999999-name": {"a"}})
		if r.Code < 300 || r.Code > 499 || len(r.Text()) > 200_000 {
			t.Errorf("%q guests: %d, %d bytes", total, r.Code, len(r.Text()))
		}
		if r := ann.PostForm("/notes/all", url.Values{"notes-TOTAL_FORMS": {total}, "notes-INITIAL_FORMS": {total}}); r.Code >= 500 || len(r.Text()) > 200_000 {
			t.Errorf("%q notes: %d", total, r.Code)
		}
	}
}
