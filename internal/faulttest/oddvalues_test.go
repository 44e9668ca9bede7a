//go:build unix

package faulttest_test

import (
	"encoding/json"
	"encoding/xml"
	"net/url"
	"strings"
	"testing"
)

// oddValues are what programs have stumbled over.
var oddValues = []string{
	"", " ", "\t", "\x00", "a\x00b", "\xff\xfe", "\xed\xa0\x80", "-1", "0", "-0", "1.0", "99999999999999999999", "-9223372036854775809", "1e309", "NaN", "-Infinity",
	"true", "null", "undefined", "[]", "{}", "'", `"`, `\`, "%", "%s%n", "_", "{{7*7}}", "{% endblock %}", "<script>alert(1)</script>", "\r\n", "\r\nSet-Cookie: a=b",
	"../../etc/passwd", "//evil.example", "javascript:alert(1)", strings.Repeat("é", 300), strings.Repeat("a\u0300", 2000), strings.Repeat("<", 5000),
	"2026-02-30T25:61", "0001-01-01T00:00", "9999-12-31T23:59", "10000-01-01T00:00", "1969-12-31T23:59", "\u202e", "\u2028", "\ufeff", "١٢", "１", "\U0001F468\u200d\U0001F469", "ﬀ", "ı", "İ", "ß",
	"CON", "null\x00.html", "1;DROP TABLE blog_post", "1 OR 1=1", "draft", "live", "http://[::1", "=cmd|' /C calc'!A0",
}

func TestOddValuesEverywhere(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{})
	w := s.dial(t)
	ask := func(message string) *answer {
		t.Helper()
		w.send(message)
		a, err := w.read("GET")
		if err != nil {
			t.Fatalf("%.300q: %v", message, err)
		}
		a.proper(t)
		if a.status >= 500 {
			t.Errorf("%d is the answer to %.300q", a.status, message)
		}
		if a.header.Get("Connection") == "close" {
			w.conn.Close()
			w = s.dial(t)
		}
		return a
	}
	as := "Origin: http://blog.example\r\nCookie: " + author(t, s)
	post := url.Values{
		"title": {"A title"}, "summary": {"A summary."}, "body": {"A body."}, "tags": {"1"}, "status": {"live"}, "published": {"2026-01-02T03:04"}, "slug": {""},
	}
	for _, odd := range oddValues {
		for _, target := range []string{"/?page=", "/search?q=", "/search?q=a&page=", "/api/posts?page=", "/api/posts?size=", "/api/posts?q=", "/api/posts?tag=", "/tags/bread?page=", "/drafts?page="} {
			ask(get(target + url.QueryEscape(odd)))
		}
		for _, target := range []string{"/", "/posts/", "/posts/*/edit", "/posts/*/delete", "/tags/", "/authors/", "/api/posts/", "/static/", "/static/blog/"} {
			if !strings.Contains(target, "*") {
				target += "*"
			}
			ask(get(strings.Replace(target, "*", url.PathEscape(odd), 1)))
		}
		ask(get("/?" + url.QueryEscape(odd) + "=1"))
		for field := range post {
			form := url.Values{}
			for name, values := range post {
				form[name] = values
			}
			form.Set(field, odd)
			ask(request("POST", "/posts/new", form.Encode(), urlencoded, as))
		}
		for _, form := range []url.Values{{"name": {odd}, "text": {"x"}}, {"name": {"a"}, "text": {odd}}, {odd: {"x"}}} {
			ask(request("POST", "/posts/"+anyPost, form.Encode(), urlencoded))
		}
	}
	// Whatever was taken can be shown again.
	for _, target := range []string{"/", "/?page=2", "/drafts", "/posts/" + anyPost} {
		if a := ask(get(target, as)); a.status != 200 || strings.Contains(a.body, "<script>") {
			t.Errorf("%s afterwards: %d", target, a.status)
		}
	}
	if a := ask(get("/feed.xml")); a.status != 200 || xml.Unmarshal([]byte(a.body), new(struct{})) != nil {
		t.Errorf("the feed afterwards: %d", a.status)
	}
	if a := ask(get("/api/posts?size=100")); a.status != 200 || !json.Valid([]byte(a.body)) {
		t.Errorf("the interface afterwards: %d", a.status)
	}
}
