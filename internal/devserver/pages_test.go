package devserver

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestMayDebug(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		remote, host, forwarded string
		ok                      bool
	}{
		{"127.0.0.1:1234", "localhost:5000", "", true},
		{"127.0.0.1:1234", "127.0.0.1:5000", "", true},
		{"[::1]:1234", "[::1]:5000", "", true},
		{"127.0.0.1:1234", "blog.localhost", "", true},
		{"[::ffff:127.0.0.1]:1234", "LOCALHOST", "", true},
		{"192.168.1.7:1234", "localhost:5000", "", false},
		{"127.0.0.1:1234", "evil.example:5000", "", false},
		{"127.0.0.1:1234", "localhost.evil.example", "", false},
		{"127.0.0.1:1234", "", "", false},
		{"127.0.0.1:1234", "localhost:5000", "203.0.113.7", false},
		{"@", "localhost", "", false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Host = test.remote, test.host
		if test.forwarded != "" {
			r.Header.Set("X-Forwarded-For", test.forwarded)
		}
		if got := mayDebug(r); got != test.ok {
			t.Errorf("from %s to %q through %q: %v", test.remote, test.host, test.forwarded, got)
		}
	}
}

func TestShowFailure(t *testing.T) {
	t.Parallel()
	s := &Server{project: &project{dir: t.TempDir()}, reloader: newReloader()}
	f := &failure{title: "The program does not build", build: "# x\n./main.go:1:2: undefined: Tea\n", cause: errors.New("exit status 1")}
	show := func(accept, remote string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "http://localhost:5000/", nil)
		r.RemoteAddr = remote
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		s.showFailure(w, r, f)
		return w
	}
	page := show("text/html", "127.0.0.1:9")
	if page.Code != 500 || !strings.Contains(page.Body.String(), "undefined: Tea") || strings.Count(page.Body.String(), "reload.js") != 1 {
		t.Errorf("the page is %d %s", page.Code, page.Body)
	}
	if _, ok := scriptAllowed(page.Header()); !ok {
		t.Error("the page's policy forbids its own reload")
	}
	text := show("*/*", "127.0.0.1:9")
	if !strings.HasPrefix(text.Header().Get("Content-Type"), "text/plain") || !strings.HasPrefix(text.Body.String(), "The program does not build\n") {
		t.Errorf("the text is %s", text.Body)
	}
	stranger := show("text/html", "192.168.1.7:9")
	if stranger.Code != http.StatusServiceUnavailable || strings.Contains(stranger.Body.String(), "Tea") {
		t.Errorf("a stranger sees %d %s", stranger.Code, stranger.Body)
	}
}

func TestReasonOfAFailure(t *testing.T) {
	t.Parallel()
	tail := "log line\npanic: open blog.db: no such file\n\ngoroutine 1 [running]:\nmain.main()\n\t/blog/main.go:9 +0x1\nexit status 2\n"
	for name, test := range map[string]struct {
		f    *failure
		want string
	}{
		"crash":   {&failure{tail: tail, crash: lastCrash(tail)}, "panic: open blog.db: no such file"},
		"message": {&failure{tail: "starting\nconfig: PORT must be a number\n"}, "config: PORT must be a number"},
		"silence": {&failure{cause: errors.New("it ended: exit status 1")}, "it ended: exit status 1"},
	} {
		if got := test.f.reason(); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	if lastCrash("a panic: in the middle of a line") != "" {
		t.Error("a log line about a panic is no crash")
	}
}

func TestGateHoldsRequests(t *testing.T) {
	t.Parallel()
	g := newGate()
	if _, _, err := g.pass(t.Context(), time.Millisecond, nil); !errors.Is(err, errHeld) {
		t.Errorf("a closed gate answers %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := g.pass(gone, time.Minute, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that left gets %v", err)
	}
	first, second := &process{addr: "1"}, &process{addr: "2"}
	passed := make(chan *process)
	pass := func(not *process) {
		p, _, _ := g.pass(t.Context(), time.Minute, not)
		passed <- p
	}
	go pass(nil)
	g.open(first)
	if p := <-passed; p != first {
		t.Errorf("passed to %v", p)
	}
	go pass(first)
	g.hold()
	g.open(second)
	if p := <-passed; p != second {
		t.Errorf("a request that found its program dead passed to %v", p)
	}
}

// The first request shows why the program stopped; the next one starts it.
func TestGateWakesAStoppedProgram(t *testing.T) {
	t.Parallel()
	g := newGate()
	g.fail(&failure{stopped: true})
	if _, f, _ := g.pass(t.Context(), time.Minute, nil); f == nil {
		t.Error("the first request does not see the failure")
	}
	if len(g.wake) != 0 {
		t.Error("the first request starts the program")
	}
	if _, _, err := g.pass(t.Context(), time.Millisecond, nil); !errors.Is(err, errHeld) {
		t.Errorf("the second request gets %v", err)
	}
	if len(g.wake) != 1 {
		t.Error("the second request does not start the program")
	}
	g.hold()
	if len(g.wake) != 0 {
		t.Error("the wish outlives the attempt that grants it")
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	t.Parallel()
	var tl tail
	for range 10 {
		_, _ = tl.Write([]byte(strings.Repeat("x", tailSize/4)))
	}
	_, _ = tl.Write([]byte("end"))
	if s := tl.String(); len(s) != tailSize || !strings.HasSuffix(s, "xend") {
		t.Errorf("%d bytes are kept, the last are %q", len(s), s[len(s)-5:])
	}
}
