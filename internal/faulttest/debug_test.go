//go:build unix

package faulttest_test

import (
	"strings"
	"testing"
)

// showsDebugPage reports whether an answer has what only a developer may see.
func showsDebugPage(a *answer) bool {
	for _, mark := range []string{"main.go", "goroutine", "secret fault", "app.Get(", "/panic/", "testdata"} {
		if strings.Contains(a.body, mark) {
			return true
		}
	}
	return false
}

func TestDebugPageIsForThisMachineOnly(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{args: []string{"serve", "--debug"}, faulty: true})
	const html = "Accept: text/html"
	port := s.addr[strings.LastIndexByte(s.addr, ':'):]
	for _, host := range []string{"127.0.0.1" + port, "localhost" + port, "lab.localhost" + port, "[::1]" + port} {
		for _, target := range []string{"/panic/handler", "/nothing-at-all", "/panic/template"} {
			a := s.ask(t, get(target, "Host: "+host, html))
			if !showsDebugPage(a) {
				t.Errorf("%s of %s shows nothing to the developer: %d\n%.300s", target, host, a.status, a.body)
			}
			if strings.Contains(a.body, secretKey) || strings.Contains(a.body, oldKey) {
				t.Errorf("%s shows a secret key", target)
			}
			if a := s.ask(t, get(target, "Host: "+host, html, "Cookie: session=hush", "Authorization: Bearer hush-hush", "X-Api-Key: hush")); strings.Contains(a.body, "hush") {
				t.Errorf("%s shows what proves who one is", target)
			}
		}
	}
	for _, lines := range [][]string{
		{"Host: evil.example"},
		{"Host: evil.example" + port},
		{"Host: 127.0.0.1.evil.example"},
		{"Host: localhost.evil.example"},
		{"Host: notlocalhost"},
		{"Host: 192.168.0.7"},
		{"Host: 0.0.0.0" + port},
		{"Host: 2130706433"},
		{"Host: 127.1"},
		{"Host: localhost", "X-Forwarded-For: 203.0.113.5"},
		{"Host: localhost", "X-Forwarded-For: 127.0.0.1, 203.0.113.5"},
		{"Host: localhost", "X-Forwarded-For: 203.0.113.5, 127.0.0.1"},
		{"Host: localhost", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-For: 203.0.113.5"},
		{"Host: localhost", "X-Forwarded-For: unknown"},
		{"Host: localhost", "X-Forwarded-For: 127.0.0.1@203.0.113.5"},
		{"Host: localhost", "Forwarded: for=203.0.113.5"},
		{"Host: localhost", "X-Real-IP: 203.0.113.5"},
		{"Host: localhost", "X-Forwarded-Host: evil.example"},
		{"Host: localhost", "Via: 1.1 proxy"},
	} {
		for _, target := range []string{"/panic/handler", "/nothing-at-all", "/panic/template", "/error"} {
			a := s.ask(t, get(target, append(lines, html)...))
			if a.status < 400 || showsDebugPage(a) {
				t.Errorf("%s with %q: %d\n%.300s", target, lines, a.status, a.body)
			}
		}
	}
}

// TestDebugPageBehindAProxyThatDoesNotSay has one hide who asks: nginx, as it
// comes, names itself as the host and adds no header.
func TestDebugPageBehindAProxyThatDoesNotSay(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{args: []string{"serve", "--debug"}, faulty: true})
	if a := s.ask(t, "GET /panic/handler HTTP/1.0\r\nHost: localhost\r\nAccept: text/html\r\n\r\n"); a.status != 500 || showsDebugPage(a) {
		t.Errorf("over HTTP/1.0: %d\n%.300s", a.status, a.body)
	}
	s = start(t, labProgram, options{args: []string{"serve", "--debug"}, faulty: true, env: []string{"RETORT_ADDR=unix:" + t.TempDir() + "/s"}})
	if a := s.ask(t, get("/panic/handler", "Host: localhost", "Accept: text/html")); a.status != 500 || showsDebugPage(a) {
		t.Errorf("over a socket: %d\n%.300s", a.status, a.body)
	}
	if a := s.ask(t, get("/panic/handler", "Host: localhost", "Accept: text/html", "X-Forwarded-For: 127.0.0.1")); !showsDebugPage(a) {
		t.Errorf("over a socket, for this machine: %d\n%.300s", a.status, a.body)
	}
}

func TestProductionHasNothingOfDebugMode(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{faulty: true})
	for _, lines := range [][]string{
		{"Host: localhost", "Accept: text/html"},
		{"Host: 127.0.0.1", "Accept: text/plain"},
		{"Host: localhost", "Accept: application/json"},
		{"Host: localhost", "X-Retort-Debug: 1", "X-Debug: 1", "Cookie: debug=1; RETORT_DEBUG=1"},
	} {
		for _, target := range []string{
			"/panic/handler", "/panic/handler?debug=1&RETORT_DEBUG=1", "/nothing-at-all", "/broken/template", "/nothing?__debugger__=yes",
			"/console", "/debug", "/debug/pprof/", "/debug/vars", "/_retort", "/_retort/reload", "/__retort/", "/routes", "/metrics", "/server-status",
		} {
			a := s.ask(t, get(target, lines...))
			if a.status < 400 || showsDebugPage(a) {
				t.Errorf("%s with %q: %d\n%.300s", target, lines, a.status, a.body)
			}
			a.proper(t)
		}
	}
}
