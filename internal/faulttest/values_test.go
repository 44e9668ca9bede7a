//go:build unix

package faulttest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestValuesInHeadersStayValues(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{})
	for _, value := range []string{
		"a\r\nX-Injected: yes", "a\nX-Injected: yes", "a\rX-Injected: yes", "a\r\n\r\n<script>", "a\x00b", "a\x7fb", "é\u2028\r\nX-Injected: yes",
		`a"; filename=b.exe; x="`, `..\..\a`, "../../etc/passwd", "a;b=c", strings.Repeat("a", 6000),
	} {
		for _, target := range []string{"/to-header?v=", "/to-cookie?v=", "/to-name?v=", "/next?next=", "/redirect?v="} {
			a := s.ask(t, get(target+url.QueryEscape(value)))
			if a.status >= 500 || a.header["X-Injected"] != nil || strings.Contains(a.body, "<script>") {
				t.Errorf("%s%.40q: %d %v", target, value, a.status, a.header)
			}
			a.proper(t)
		}
	}
	a := s.ask(t, get("/to-name?v="+url.QueryEscape(`a"; filename=b.exe; x="`)))
	if got := a.header.Get("Content-Disposition"); strings.Contains(got, `"; filename=b.exe`) {
		t.Errorf("a file name adds parameters: %s", got)
	}
}

func TestNextStaysOnTheSite(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{})
	for _, next := range []string{
		"//evil.example", "///evil.example", "////evil.example/x", `/\evil.example`, `\\evil.example`, `\/evil.example`, "/\t/evil.example", "\t//evil.example",
		"/\n/evil.example", " //evil.example", "https://evil.example", "http:evil.example", "http:/evil.example", "http:///evil.example", "https:evil.example",
		"//evil.example:80/", "//blog.example@evil.example", "http://blog.example@evil.example/", "http://blog.example.evil.example/", "http://evil.example#blog.example",
		"http://blog.example:81/", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "mailto:a@b",
		"/%2f/evil.example/../", "/..//evil.example", "/.//evil.example", "//[::1]", "//2130706433", "//0x7f.1", "http://\u2025evil.example", "/\u2028/evil.example", "\x00//evil.example", "ftp://blog.example/",
	} {
		a := s.ask(t, get("/next?next="+url.QueryEscape(next)))
		to := a.header.Get("Location")
		if a.status != http.StatusFound || leaves(to) || strings.HasPrefix(to, "//") || strings.Contains(to, `\`) {
			t.Errorf("next=%q leads to %q (%d)", next, to, a.status)
		}
		if a := s.ask(t, get("/redirect?v="+url.QueryEscape(next))); a.status == http.StatusFound && leaves(a.header.Get("Location")) || a.status >= 500 {
			t.Errorf("redirect to %q: %d %v", next, a.status, a.header)
		}
	}
	for _, next := range []string{"/posts?page=2#top", "/a/b", "http://blog.example/a", "/?next=//evil.example"} {
		if a := s.ask(t, get("/next?next="+url.QueryEscape(next))); a.header.Get("Location") != next {
			t.Errorf("next=%q leads to %q", next, a.header.Get("Location"))
		}
	}
}

// leaves reports whether a browser would go to another host: it drops "/./" and
// "/../" before it looks.
func leaves(location string) bool {
	base, _ := url.Parse("http://blog.example/a/b")
	to, err := base.Parse(location)
	return err == nil && (to.Host != "blog.example" || to.Scheme != "http")
}
