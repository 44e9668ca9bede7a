//go:build unix

package faulttest_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// A wire is one connection to a site, on which anything can be written.
type wire struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

func (s *site) dial(t testing.TB) *wire {
	t.Helper()
	network := "tcp"
	if strings.HasPrefix(s.addr, "/") {
		network = "unix"
	}
	conn, err := net.DialTimeout(network, s.addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { conn.Close() })
	return &wire{t, conn, bufio.NewReader(conn)}
}

// send writes; that the other side has closed already is no fault.
func (w *wire) send(text string) { _, _ = io.WriteString(w.conn, text) }

// read reads one answer to a request with that method.
func (w *wire) read(method string) (*answer, error) {
	response, err := http.ReadResponse(w.in, &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	return &answer{response.StatusCode, response.Header, string(body)}, err
}

// closed reports whether the other side has closed the connection, without
// sending anything more.
func (w *wire) closed() bool {
	_, err := w.in.ReadByte()
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// An answer is a response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends one request on a connection of its own and reads the answer. A
// refusal without an answer has status 0.
func (s *site) ask(t testing.TB, request string) *answer {
	t.Helper()
	w := s.dial(t)
	defer w.conn.Close()
	w.send(request)
	method, _, _ := strings.Cut(request, " ")
	a, err := w.read(method)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("no answer to %.200q", request)
	}
	if err != nil {
		t.Fatalf("the answer to %.200q: %v", request, err)
	}
	return a
}

// get is a request in order, but for its target and the added header lines.
func get(target string, lines ...string) string { return request("GET", target, "", lines...) }

// request is a message with a body of that length.
func request(method, target, body string, lines ...string) string {
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "Host:") }) {
		lines = append([]string{"Host: blog.example"}, lines...)
	}
	if body != "" || method == "POST" || method == "PUT" {
		lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)))
	}
	return method + " " + target + " HTTP/1.1\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

const (
	urlencoded = "Content-Type: application/x-www-form-urlencoded"
	asJSON     = "Content-Type: application/json"
)

// leaks are texts that belong into a log, or nowhere, and never into an answer.
var leaks = []string{
	secretKey, oldKey, "goroutine ", "runtime error", "runtime/", ".go:", "panic", "secret fault", "secret error",
	"SQLITE", "sqlite", "SQL logic", "no such table", "database/sql", "retort/internal", "0xc0", "blog.db", os.TempDir() + "/", "/src/net/http/",
}

// proper checks what is true of every answer of a site in production.
func (a *answer) proper(t testing.TB) {
	t.Helper()
	for _, leak := range leaks {
		if strings.Contains(strings.ToLower(a.body), strings.ToLower(leak)) {
			t.Errorf("the answer shows %q:\n%.500s", leak, a.body)
		}
	}
	kind := a.header.Get("Content-Type")
	if strings.HasPrefix(kind, "text/html") {
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("a page with %s: %q", name, got)
			}
		}
		if !strings.Contains(kind, "charset=utf-8") {
			t.Errorf("a page with Content-Type: %q", kind)
		}
	}
	if strings.Contains(kind, "json") && a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Error("JSON without nosniff")
	}
	if strings.HasPrefix(a.header.Get("Set-Cookie"), "session=") {
		if got := a.header.Get("Cache-Control"); !strings.Contains(got, "no-store") {
			t.Errorf("a cookie is set with Cache-Control: %q", got)
		}
		if !strings.Contains(strings.Join(a.header["Vary"], ", "), "Cookie") {
			t.Errorf("a cookie is set with Vary: %q", a.header["Vary"])
		}
	}
	for _, name := range []string{"Server", "X-Powered-By"} {
		if got := a.header.Get(name); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}
