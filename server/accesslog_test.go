package server

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// logged serves one request and returns the line, as decoded, that AccessLog wrote.
func logged(t *testing.T, h http.HandlerFunc, r *http.Request, skip ...string) map[string]any {
	t.Helper()
	var out bytes.Buffer
	func() {
		defer func() {
			if v := recover(); v != nil && v != any(http.ErrAbortHandler) {
				panic(v)
			}
		}()
		AccessLog(h, slog.New(slog.NewJSONHandler(&out, nil)), skip...).ServeHTTP(httptest.NewRecorder(), r)
	}()
	if out.Len() == 0 {
		return nil
	}
	if strings.Count(out.String(), "\n") != 1 {
		t.Fatalf("not one line: %q", out.String())
	}
	line := make(map[string]any)
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	return line
}

func TestAccessLog(t *testing.T) {
	t.Parallel()
	get := func(path string) *http.Request {
		r := httptest.NewRequest("GET", "/?secret=1", nil)
		r.URL.Path = path
		return r
	}
	for _, c := range []struct {
		name    string
		path    string
		handler http.HandlerFunc
		want    map[string]any
	}{
		{"text", "/a", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }, map[string]any{"status": 200.0, "bytes": 5.0, "method": "GET", "path": "/a"}},
		{"nothing", "/a", func(w http.ResponseWriter, r *http.Request) {}, map[string]any{"status": 200.0, "bytes": 0.0}},
		{"status", "/a", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) }, map[string]any{"status": 404.0}},
		{"early hints", "/a", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(103); w.WriteHeader(201) }, map[string]any{"status": 201.0}},
		{"copied", "/a", func(w http.ResponseWriter, r *http.Request) { io.Copy(w, strings.NewReader("hello")) }, map[string]any{"bytes": 5.0}},
		{"flushed", "/a", func(w http.ResponseWriter, r *http.Request) { http.NewResponseController(w).Flush() }, map[string]any{"status": 200.0}},
		{"request id", "/a", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X-Request-Id", "id1") }, map[string]any{"request_id": "id1"}},
		{"abort", "/a", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, map[string]any{"status": 500.0, "aborted": true}},
		{"abort after the head", "/a", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "x"); panic(http.ErrAbortHandler) }, map[string]any{"status": 200.0, "bytes": 1.0, "aborted": true}},
		{"changed path", "/a", func(w http.ResponseWriter, r *http.Request) { r.URL.Path = "/b" }, map[string]any{"path": "/a"}},
		{"forged line", "/a\n{\"status\":1}\x1b[31m", func(w http.ResponseWriter, r *http.Request) {}, map[string]any{"path": "/a\n{\"status\":1}\x1b[31m"}},
		{"long path", "/" + strings.Repeat("a", 5000), func(w http.ResponseWriter, r *http.Request) {}, map[string]any{"path": "/" + strings.Repeat("a", 511) + "…"}},
		{"failed and skipped", "/healthz", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }, map[string]any{"status": 503.0}},
	} {
		line := logged(t, c.handler, get(c.path), "/healthz")
		for key, want := range c.want {
			if line[key] != want {
				t.Errorf("%s: %s is %v, want %v", c.name, key, line[key], want)
			}
		}
		if line["remote"] != "192.0.2.1:1234" || line["duration"] == nil || strings.Contains(line["path"].(string), "secret") {
			t.Errorf("%s: %v", c.name, line)
		}
	}
	if line := logged(t, func(http.ResponseWriter, *http.Request) {}, get("/healthz"), "/healthz"); line != nil {
		t.Errorf("skipped: %v", line)
	}
}

func TestAccessLogTextQuotesControlCharacters(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := httptest.NewRequest("GET", "/", nil)
	r.URL.Path = "/a\nlevel=ERROR msg=forged"
	AccessLog(http.NotFoundHandler(), slog.New(slog.NewTextHandler(&out, nil))).ServeHTTP(httptest.NewRecorder(), r)
	if strings.Count(out.String(), "\n") != 1 || !strings.Contains(out.String(), `path="/a\nlevel=ERROR msg=forged"`) {
		t.Errorf("got %q", out.String())
	}
}

func TestAccessLoggerFields(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h := AccessLogger{
		Logger:    slog.New(slog.NewTextHandler(&out, nil)),
		Remote:    func(*http.Request) string { return "203.0.113.9" },
		RequestID: func(http.ResponseWriter, *http.Request) string { return "r7" },
	}.Wrap(http.NotFoundHandler())
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	if !strings.Contains(out.String(), "remote=203.0.113.9 request_id=r7") {
		t.Errorf("got %q", out.String())
	}
}

// lockedBuffer may be written and read at the same time.
type lockedBuffer struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.String()
}

// TestAccessLogKeepsAbilities: what handlers ask of the writer still works below the log.
func TestAccessLogKeepsAbilities(t *testing.T) {
	t.Parallel()
	name := t.TempDir() + "/f"
	if err := os.WriteFile(name, make([]byte, 100000), 0o600); err != nil {
		t.Fatal(err)
	}
	out := new(lockedBuffer) // Run does not wait for handlers that took a connection over
	addr, stop := run(t, &Server{Handler: AccessLog(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hijack" {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(conn, "raw")
			conn.Close()
			return
		}
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
		http.ServeFile(w, r, name)
	}), slog.New(slog.NewTextHandler(out, nil)))})
	if answer := exchange(t, addr, crlf("GET /hijack HTTP/1.1", "Host: a", "", "")); answer != "raw" {
		t.Errorf("got %q", answer)
	}
	response, err := http.Get("http://" + addr + "/file")
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(response.Body); len(body) != 100000 || err != nil {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "bytes=100000") {
		t.Errorf("got %q", out.String())
	}
}

func BenchmarkAccessLog(b *testing.B) {
	h := AccessLog(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }), slog.New(slog.NewTextHandler(io.Discard, nil)))
	r := httptest.NewRequest("GET", "/articles/42", nil)
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		w.Body.Reset()
		h.ServeHTTP(w, r)
	}
}
