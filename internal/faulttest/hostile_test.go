//go:build unix

package faulttest_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// An attack is one request and the statuses that answer it well.
type attack struct {
	name    string
	request string
	want    []int
}

func is(statuses ...int) []int { return statuses }

// try sends every attack; none may find more than the answer it deserves.
func try(t *testing.T, s *site, attacks []attack) {
	t.Helper()
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			got := s.ask(t, a.request)
			if !slices.Contains(a.want, got.status) {
				t.Errorf("%.200q was answered with %d, want %v:\n%.300s", a.request, got.status, a.want, got.body)
			}
			got.proper(t)
		})
	}
}

func repeat(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestMalformedMessages(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{})
	const host = "Host: blog.example\r\n"
	try(t, s, []attack{
		{"target without slash", "GET posts HTTP/1.1\r\n" + host + "\r\n", is(400)},
		{"empty target", "GET  HTTP/1.1\r\n" + host + "\r\n", is(400)},
		{"space in target", "GET /a b HTTP/1.1\r\n" + host + "\r\n", is(400)},
		{"broken escape", get("/posts/%zz"), is(400)},
		{"escape cut off", get("/posts/%4"), is(400)},
		{"escaped NUL", get("/posts/a%00b"), is(404)},
		{"raw NUL", get("/posts/a\x00b"), is(400)},
		{"raw control character", get("/posts/a\x01b"), is(400)},
		{"tab in target", get("/posts/a\tb"), is(400)},
		{"raw UTF-8", get("/posts/é"), is(404)},
		{"invalid UTF-8", get("/posts/\xff\xfe"), is(404)},
		{"escaped invalid UTF-8", get("/posts/%ff%fe"), is(404)},
		{"overlong UTF-8 of a slash", get("/posts/%c0%af"), is(404)},
		{"asterisk", "GET * HTTP/1.1\r\n" + host + "\r\n", is(400, 404)},
		{"OPTIONS asterisk", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", is(200, 204)},
		{"CONNECT", "CONNECT blog.example:80 HTTP/1.1\r\n" + host + "\r\n", is(400, 404, 405)},
		{"absolute form", get("http://blog.example/"), is(200)},
		{"absolute form of another host", get("http://evil.example/"), is(400)},
		{"absolute form of another scheme", get("ftp://blog.example/"), is(200, 400)},
		{"absolute form with user", get("http://a:b@blog.example/"), is(400)},
		{"target with a scheme alone", get("javascript:alert(1)"), is(400)},
		{"target with a scheme and slashes", get("javascript:alert//blog.example"), is(400)},
		{"fragment", get("/#part"), is(200, 400, 404)},
		{"target of 70 kB", get("/" + strings.Repeat("a", 70_000)), is(414, 431)},
		{"target of 60 kB", get("/" + strings.Repeat("a", 60_000)), is(404, 414)},
		{"20,000 segments", get(strings.Repeat("/a", 20_000)), is(404, 414)},

		{"lower-case method", "get / HTTP/1.1\r\n" + host + "\r\n", is(400, 405, 501)},
		{"method with NUL", "G\x00T / HTTP/1.1\r\n" + host + "\r\n", is(400)},
		{"invented method", request("BREW", "/", ""), is(405, 501)},
		{"method of 10 kB", request(strings.Repeat("M", 10_000), "/", ""), is(400, 405, 431, 501)},
		{"TRACE", request("TRACE", "/", ""), is(405, 501)},
		{"TRACK", request("TRACK", "/", ""), is(405, 501)},
		{"PRI of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", is(400, 505)},
		{"DELETE of a page", request("DELETE", "/", ""), is(405)},
		{"PUT of a post", request("PUT", "/posts/new", "x"), is(405)},

		{"no version", "GET /\r\n" + host + "\r\n", is(400)},
		{"HTTP/0.9", "GET / HTTP/0.9\r\n" + host + "\r\n", is(400, 505)},
		{"HTTP/1.2", "GET / HTTP/1.2\r\n" + host + "\r\n", is(200, 400, 505)},
		{"HTTP/2.0", "GET / HTTP/2.0\r\n" + host + "\r\n", is(400, 505)},
		{"HTTP/11", "GET / HTTP/11\r\n" + host + "\r\n", is(400, 505)},
		{"lower-case version", "GET / http/1.1\r\n" + host + "\r\n", is(400, 505)},
		{"TLS to a clear port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", is(400)},
		{"not HTTP", "SSH-2.0-OpenSSH_9.6\r\n\r\n", is(400)},

		{"no Host", "GET / HTTP/1.1\r\n\r\n", is(400)},
		{"empty Host", get("/", "Host:"), is(400)},
		{"two Hosts", get("/", "Host: blog.example", "Host: evil.example"), is(400)},
		{"Host with a path", get("/", "Host: blog.example/x"), is(400)},
		{"Host with a user", get("/", "Host: a@blog.example"), is(400)},
		{"Host with two ports", get("/", "Host: blog.example:80:80"), is(400)},
		{"Host with letters as port", get("/", "Host: blog.example:http"), is(400)},
		{"Host with an open bracket", get("/", "Host: [::1"), is(400)},
		{"Host with a comma", get("/", "Host: blog.example,evil.example"), is(400)},
		{"Host with markup", get("/", "Host: <script>alert(1)</script>"), is(400)},
		{"Host with an escape", get("/", "Host: blog%2eexample"), is(400)},
		{"Host of 1 kB", get("/", "Host: "+strings.Repeat("a", 1000)), is(400)},
		{"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", is(200)},

		{"header without colon", get("/", "nothing"), is(400)},
		{"header without name", get("/", ": x"), is(400)},
		{"space before colon", get("/", "Accept : */*"), is(400)},
		{"folded header", get("/", "X-A: 1\r\n 2"), is(400)},
		{"NUL in a header", get("/", "X-A: 1\x002"), is(400)},
		{"bare CR in a header", get("/", "X-A: 1\r2"), is(400)},
		{"bare LF", "GET / HTTP/1.1\nHost: blog.example\n\n", is(400)},
		{"non-ASCII header name", get("/", "X-É: 1"), is(400)},
		{"header of 70 kB", get("/", "X-A: "+strings.Repeat("a", 70_000)), is(431)},
		{"101 header lines", get("/", strings.TrimSuffix(repeat(101, "X-%d: 1\r\n"), "\r\n")), is(431)},
		{"Accept full of rubbish", get("/nothing", "Accept: "+strings.Repeat("a/b;q=9.9.9;;,", 500)), is(404)},
		{"Accept-Language full of rubbish", get("/", "Accept-Language: "+strings.Repeat("-x-,;q=,", 500)), is(200)},
		{"If-Modified-Since of rubbish", get("/static/blog/style.css", "If-Modified-Since: yesterday"), is(200)},
		{"If-None-Match of rubbish", get("/static/blog/style.css", `If-None-Match: "a, W/"b`), is(200)},
		{"Range of rubbish", get("/static/blog/style.css", "Range: bytes=-0"), is(200, 416)},
		{"Range overflowing", get("/static/blog/style.css", "Range: bytes=0-99999999999999999999"), is(200, 206, 416)},
		{"Range of a thousand parts", get("/static/blog/style.css", "Range: bytes=0-1"+strings.Repeat(",0-1", 1000)), is(200)},
		{"Expect of rubbish", get("/", "Expect: a miracle"), is(417)},
		{"Upgrade to a WebSocket", get("/", "Connection: Upgrade", "Upgrade: websocket"), is(200, 400)},
		{"Authorization of rubbish", get("/", "Authorization: Bearer \xff\xfe"), is(200)},
		{"X-Request-Id of markup", get("/nothing", "X-Request-Id: <script>"), is(404)},

		{"both lengths", get("/", "Content-Length: 5", "Transfer-Encoding: chunked") + "0\r\n\r\n", is(400)},
		{"two lengths", get("/", "Content-Length: 5", "Content-Length: 6") + "hello", is(400)},
		{"length list", get("/", "Content-Length: 5, 5") + "hello", is(400)},
		{"negative length", get("/", "Content-Length: -5"), is(400)},
		{"signed length", get("/", "Content-Length: +5") + "hello", is(400)},
		{"hexadecimal length", get("/", "Content-Length: 0x5") + "hello", is(400)},
		{"length overflowing", get("/", "Content-Length: 99999999999999999999"), is(400)},
		{"empty length", get("/", "Content-Length:"), is(400)},
		{"unknown encoding", get("/", "Transfer-Encoding: gzip"), is(400, 501)},
		{"encoding list", get("/", "Transfer-Encoding: chunked, identity"), is(400, 501)},
		{"encoding twice", get("/", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + "0\r\n\r\n", is(400)},
		{"encoding with a vertical tab", get("/", "Transfer-Encoding: \x0bchunked") + "0\r\n\r\n", is(400)},
		{"encoding in HTTP/1.0", "GET / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", is(400)},
		{"chunk size of rubbish", chunked("zz\r\nhello\r\n0\r\n\r\n"), is(400)},
		{"chunk size negative", chunked("-5\r\nhello\r\n0\r\n\r\n"), is(400)},
		{"chunk size overflowing", chunked("fffffffffffffffff\r\nhello\r\n0\r\n\r\n"), is(400)},
		{"chunk ended by LF", chunked("5\nhello\r\n0\r\n\r\n"), is(400)},
		{"chunk longer than said", chunked("3\r\nhello\r\n0\r\n\r\n"), is(400)},
		{"chunk without its size", chunked("\r\nhello\r\n0\r\n\r\n"), is(400)},
		{"chunk extension of 70 kB", chunked("5;" + strings.Repeat("a", 70_000) + "\r\nhello\r\n0\r\n\r\n"), is(400)},
		{"trailer with a space", chunked("0\r\nX A: 1\r\n\r\n"), is(400)},
	})
}

// chunked is a comment whose body is given with its framing.
func chunked(body string) string {
	return "POST /posts/" + anyPost + " HTTP/1.1\r\nHost: blog.example\r\n" + urlencoded + "\r\nTransfer-Encoding: chunked\r\n\r\n" + body
}

// anyPost is the address of a post that the blog invents at its first start.
const anyPost = "a-dovetailed-box-and-the-case-for-going-slowly"

func TestPathsAndQueries(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{})
	long := strings.Repeat("x", 5000)
	attacks := []attack{
		{"id too large", get("/api/posts/99999999999999999999"), is(404)},
		{"id at the limit", get("/api/posts/9223372036854775807"), is(404)},
		{"id negative", get("/api/posts/-1"), is(404)},
		{"id with a plus", get("/api/posts/+1"), is(404)},
		{"id zero", get("/api/posts/0"), is(404)},
		{"id with zeros in front", get("/api/posts/007"), is(200, 308, 404)},
		{"id in Arabic digits", get("/api/posts/" + url.PathEscape("١٢")), is(404)},
		{"id in full-width digits", get("/api/posts/" + url.PathEscape("１")), is(404)},
		{"id as a float", get("/api/posts/1.0"), is(404)},
		{"id hexadecimal", get("/api/posts/0x1"), is(404)},
		{"id with an exponent", get("/api/posts/1e3"), is(404)},
		{"id with a NUL", get("/api/posts/1%00"), is(404)},
		{"id with a line break", get("/api/posts/1%0a"), is(404)},
		{"id with a space", get("/api/posts/%201"), is(404)},
		{"slug too large for an id", get("/posts/99999999999999999999"), is(404)},
		{"slug negative", get("/posts/-1"), is(404)},
		{"slug in other digits", get("/posts/" + url.PathEscape("١٢")), is(404)},
		{"slug of 5 kB", get("/posts/" + long), is(404)},
		{"slug with SQL", get("/posts/" + url.PathEscape("x' OR '1'='1")), is(404)},
		{"slug with a template", get("/posts/" + url.PathEscape("{{7*7}}")), is(404)},
		{"slug with a wildcard", get("/posts/%25"), is(404)},
		{"slug with markup", get("/posts/%3Cscript%3E"), is(404)},
		{"tag with SQL", get("/tags/x'--"), is(404)},
		{"author of nobody", get("/authors/nobody"), is(404)},

		{"dots above the root", get("/../../etc/passwd"), is(301, 308, 400, 404)},
		{"dots escaped", get("/%2e%2e/%2e%2e/etc/passwd"), is(301, 308, 400, 404)},
		{"dots twice escaped", get("/%252e%252e/etc/passwd"), is(404)},
		{"static: dots", get("/static/../main.go"), is(301, 308, 400, 404)},
		{"static: dots escaped", get("/static/%2e%2e/%2e%2e/etc/passwd"), is(301, 308, 400, 404)},
		{"static: slashes escaped", get("/static/..%2f..%2fetc%2fpasswd"), is(400, 404)},
		{"static: backslashes", get("/static/..%5c..%5cetc%5cpasswd"), is(400, 404)},
		{"static: absolute", get("/static//etc/passwd"), is(301, 308, 400, 404)},
		{"static: absolute, escaped", get("/static/%2fetc/passwd"), is(400, 404)},
		{"static: folder", get("/static/"), is(404)},
		{"static: folder below", get("/static/blog/"), is(404)},
		{"static: templates", get("/static/blog/base.html"), is(404)},
		{"static: templates beside", get("/static/blog/../templates/base.html"), is(301, 308, 400, 404)},
		{"static: NUL", get("/static/blog/style.css%00.png"), is(400, 404)},
		{"static: invalid UTF-8", get("/static/blog/%ff"), is(400, 404)},
		{"static: Windows device", get("/static/blog/CON"), is(404)},
		{"static: stream of NTFS", get("/static/blog/style.css::$DATA"), is(404)},
		{"static: hash of nothing", get("/static/blog/nothing.000000000000.css"), is(404)},
		{"static: name of 5 kB", get("/static/" + long), is(400, 404)},
		{"static: POST", request("POST", "/static/blog/style.css", "x"), is(405)},
		{"database file", get("/blog.db"), is(404)},
		{"environment file", get("/.env"), is(404)},
		{"git", get("/.git/config"), is(404)},
		{"debug of net/http", get("/debug/pprof/"), is(404)},

		{"two slashes", get("//evil.example/"), is(301, 308, 400, 404)},
		{"two slashes, then a page", get("//evil.example/.."), is(301, 308, 400, 404)},
		{"slash and backslash", get("/%5cevil.example/"), is(404)},
		{"trailing slash", get("/search/?q=a"), is(308, 404)},
	}
	for _, page := range []string{"0", "-1", "99999999999999999999", "NaN", "Inf", "1e3", "0x10", "1.5", "x", "%00", "%ff", "١", "1;2"} {
		attacks = append(attacks,
			attack{"page of the list " + page, get("/?page=" + url.QueryEscape(page)), is(200, 400, 404)},
			attack{"page of the interface " + page, get("/api/posts?page=" + url.QueryEscape(page)), is(400)},
			attack{"size " + page, get("/api/posts?size=" + url.QueryEscape(page)), is(400)},
		)
	}
	for _, page := range []string{"2147483647", "9223372036854775807", "922337203685477581"} {
		attacks = append(attacks, attack{"page of the list " + page, get("/?page=" + page), is(200, 400, 404)})
	}
	attacks = append(attacks,
		attack{"page twice", get("/?page=1&page=2"), is(200, 400)},
		attack{"page without value", get("/?page"), is(200, 400)},
		attack{"query with a broken escape", get("/?page=%zz"), is(200, 400)},
		attack{"query with semicolons", get("/api/posts?page=1;size=2"), is(200, 400)},
		attack{"query of 5,000 fields", get("/api/posts?" + repeat(5000, "a%d&")), is(400, 413)},
		attack{"query of 60 kB", get("/search?q=" + strings.Repeat("x", 60_000)), is(200, 400, 414)},
		attack{"query field with an index", get("/api/posts?q[999999999]=1"), is(200, 400)},
		attack{"query field of a prototype", get("/api/posts?__proto__[x]=1"), is(200)},
	)
	for _, q := range []string{
		"' OR 1=1 --", `"; DROP TABLE blog_post; --`, "%' UNION SELECT 1,2,3 --", `\`, "%", "_", "{{7*7}}", "{% raw %}", "{{ config }}",
		"${7*7}", "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "a\x00b", "\xff\xfe", "\u202e", strings.Repeat("%", 200),
		strings.Repeat("a ", 500), "\r\nSet-Cookie: x=1", "*", "NEAR(", "a\ufffdb", "\U0001F4A9",
	} {
		attacks = append(attacks,
			attack{fmt.Sprintf("search %.20q", q), get("/search?q=" + url.QueryEscape(q)), is(200)},
			attack{fmt.Sprintf("search of programs %.20q", q), get("/api/posts?q=" + url.QueryEscape(q)), is(200, 400)},
		)
	}
	try(t, s, attacks)
}

func TestSearchShowsTextAsText(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{})
	for q, never := range map[string]string{
		"<script>alert(1)</script>": "<script>alert", "{{7*7}}": "49", `"><img src=x>`: "<img src=x", "{{ self }}": "Template",
	} {
		for _, target := range []string{"/search?q=", "/?page=2&q=", "/nothing/"} {
			a := s.ask(t, get(target+url.QueryEscape(q)))
			if _, main, _ := strings.Cut(a.body, "<main"); strings.Contains(main, never) {
				t.Errorf("%s%s shows %s", target, q, never)
			}
		}
	}
	if a := s.ask(t, get("/search?q="+url.QueryEscape("' OR '1'='1"))); !strings.Contains(a.body, "0 posts found") {
		t.Error("a search with SQL finds posts")
	}
}
