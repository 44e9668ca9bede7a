package retort_test

import (
	"bufio"
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzRequest sends requests of any kind to an app with about every feature:
// no input is a panic, a 500, or an error in the log.
func FuzzRequest(f *testing.F) {
	for _, seed := range []struct{ method, target, header, body string }{
		{"GET", "/", "Host: localhost", ""},
		{"GET", "/posts/7?page=2&page=%zz", "Accept: text/*;q=0.5, */*;q=x\nAccept-Language: de-CH, *;q=0", ""},
		{"PUT", "/posts/7", "Content-Type: application/json", `{"title":"T"}`},
		{"POST", "/form", "Content-Type: application/x-www-form-urlencoded", "a=1&a=%zz&%00=;"},
		{"POST", "/form", "Content-Type: multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\ndata\r\n--b--\r\n"},
		{"POST", "/json", "Content-Type: application/json", `[1e999,"\ud800",{"a":null}]`},
		{"POST", "/bind?a=x", "Content-Type: application/json\nX-Own: 12345678901\nCookie: seen=%00", `{"when":"never","list":[1]}`},
		{"GET", "/session?flash=%ff", "Cookie: session=abc; =x; session=", ""},
		{"GET", "/page?name=%3Cscript%3E", "Cookie: session=abc", ""},
		{"GET", "/next?next=//evil.example", "", ""},
		{"GET", "/go?to=https:/evil.example%0d%0aX:y", "", ""},
		{"GET", "/cookie?v=%0d%0a;\"\\", "Cookie: seen=\"a b\"", ""},
		{"GET", "/file/a.txt?as=%22%0d%0a", "Range: bytes=-0,5-,9-1\nIf-Range: W/\nIf-None-Match: *,\"", ""},
		{"HEAD", "/stream?s=x", "", ""},
		{"GET", "/events?data=a%0db", "Last-Event-Id: 1", ""},
		{"OPTIONS", "/posts/7", "", ""},
		{"POST", "/form", "Cookie: a=b", "x"},
		{"DELETE", "/blog/de//x/../y", "Sec-Fetch-Site: cross-site", ""},
		{"GET", "//evil.example/..//static/site.css", "Accept-Encoding: gzip;q=0, *", ""},
		{"GET", "/static/%2e%2e/go.mod", "", ""},
		{"GET", "/mounted/%2f%00", "X-Forwarded-For: 1.1.1.1, ,\nX-Forwarded-Host: a b", ""},
		{"GET", "/host", "Host: a.example.com:99999", ""},
	} {
		f.Add(seed.method, seed.target, seed.header, seed.body)
	}
	cfg, log := logged()
	cfg.TrustedProxies = []string{"loopback"}
	app := manyFeatures(cfg)
	cfg.Debug = true // whose pages show much of the request
	development := manyFeatures(cfg)
	f.Fuzz(func(t *testing.T, method, target, header, body string) {
		r := request(method, target, header, body)
		if r == nil {
			return
		}
		page := httptest.NewRecorder()
		development.ServeHTTP(page, request(method, target, header, body))
		if page.Code >= 500 || strings.Contains(page.Body.String(), quiet().SecretKey) {
			t.Fatalf("in debug mode %s %q\n%s\nis answered with %d; log: %s", method, target, header, page.Code, log)
		}
		log.Reset()
		rec := httptest.NewRecorder()
		app.ServeHTTP(rec, r)
		if rec.Code >= 500 || strings.Contains(log.String(), "level=ERROR") {
			t.Fatalf("%s %q\n%s\n%q\nis answered with %d; log: %s", method, target, header, body, rec.Code, log)
		}
		if rec.Code < 200 {
			t.Fatalf("status %d", rec.Code)
		}
		for name, values := range rec.Header() {
			for _, v := range values {
				if strings.ContainsAny(v, "\r\n\x00") {
					t.Fatalf("header %s: %q", name, v)
				}
			}
		}
		location := rec.Header().Get("Location")
		if host, ok := browserHost(location); location != "" && (!ok || host != "example.com" && !strings.EqualFold(host, r.Host)) {
			t.Fatalf("%q redirects to %q", target, location)
		}
	})
}

// request makes a request as lenient as a server may let through: what
// net/http parses, and what code that calls ServeHTTP may make up. It returns
// nil for what no one can send.
func request(method, target, header, body string) *http.Request {
	if method == "" || strings.ContainsAny(method, " \r\n\t/:") {
		return nil
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n")))
	if err != nil {
		// Not on the wire, but a middleware may make it.
		r = httptest.NewRequest("GET", "/", nil)
		path, query, _ := strings.Cut(target, "?")
		r.Method, r.URL = method, &url.URL{Path: path, RawQuery: query}
	}
	r.RemoteAddr, r.Host = "127.0.0.1:1234", "localhost"
	for line := range strings.SplitSeq(header, "\n") {
		name, v, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		name, v = http.CanonicalHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(v)
		if name == "Host" {
			r.Host = v
			continue
		}
		r.Header.Add(name, v)
	}
	if body != "" {
		r.Body, r.ContentLength = http.NoBody, int64(len(body))
		r.Body = readCloser{bytes.NewReader([]byte(body))}
	}
	return r
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }
