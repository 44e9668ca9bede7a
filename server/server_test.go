package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// run starts a server on a free port and stops it when the test ends.
func run(t testing.TB, s *Server) (addr string, stop func() error) {
	t.Helper()
	if s.Addr == "" && s.Listener == nil {
		s.Addr = "127.0.0.1:0"
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	s.IgnoreSignals = true
	ready := make(chan string, 1)
	s.OnReady = func(a net.Addr) { ready <- a.String() }
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { stop() })
	select {
	case addr = <-ready:
	case err := <-ended:
		ended <- err
		t.Fatal(err)
	}
	return addr, stop
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, body)
}

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

// exchange sends raw bytes and returns all that comes back until the server closes.
func exchange(t testing.TB, addr, raw string) string {
	t.Helper()
	conn := dial(t, addr)
	go io.WriteString(conn, raw)
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("reading the answer: %v (got %q)", err, answer)
	}
	return string(answer)
}

// TestRefusedOnTheWire sends each message to a real server: what the parser refuses is
// answered 400 or 431 and ends the connection, and no handler sees it.
func TestRefusedOnTheWire(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	served := make(map[string]int)
	addr, _ := run(t, &Server{MaxHeaders: 8, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		served[r.RemoteAddr]++
		mu.Unlock()
		io.Copy(io.Discard, r.Body)
	})})
	for _, c := range framingCases {
		if c.want == "" || c.want == badChunk || strings.Contains(c.stream, "\r\n\r\n0\r\n") || strings.Contains(c.stream, "\r\n\r\n1") {
			continue // bodies are tested below
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, addr)
			go io.WriteString(conn, c.stream)
			answer, err := io.ReadAll(conn)
			if err != nil {
				t.Fatalf("reading the answer: %v", err)
			}
			last := string(answer)[strings.LastIndex(string(answer), "HTTP/1."):]
			want := "HTTP/1.1 400 "
			if c.want == tooManyHeaders {
				want = "HTTP/1.1 431 "
			}
			if !strings.HasPrefix(last, want) || !strings.Contains(last, "Connection: close") {
				t.Errorf("got %q, want %q", answer, want)
			}
			mu.Lock()
			defer mu.Unlock()
			if n := served[conn.LocalAddr().String()]; n != int(c.begun)-1 {
				t.Errorf("%d requests reached the handler", n)
			}
		})
	}
}

// TestRefusedByteByByte sends refused heads one byte at a time.
func TestRefusedByteByByte(t *testing.T) {
	t.Parallel()
	addr, _ := run(t, &Server{Handler: http.HandlerFunc(echo)})
	for _, stream := range []string{
		crlf("POST / HTTP/1.1", "Host: a", "Content-Length: 5", "Transfer-Encoding: chunked", "", ""),
		"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
	} {
		conn := dial(t, addr)
		go func() {
			for i := range len(stream) {
				if _, err := io.WriteString(conn, stream[i:i+1]); err != nil {
					return
				}
			}
		}()
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
			t.Errorf("%q: got %q, %v", stream, answer, err)
		}
	}
}

// TestBadBodies checks that a body with broken framing gives the handler an error, and that
// the connection does not go on.
func TestBadBodies(t *testing.T) {
	t.Parallel()
	errs := make(chan error, 100)
	addr, _ := run(t, &Server{MaxHeaders: 8, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		errs <- err
		w.WriteHeader(http.StatusBadRequest)
	})})
	const head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, body := range []string{
		"\r\n", "+1\r\nx\r\n0\r\n\r\n", "0x1\r\nx\r\n0\r\n\r\n", "1\nx\r\n0\r\n\r\n", "1;a\nx\r\n0\r\n\r\n", "1\r\nxy\r\n0\r\n\r\n",
		"1\r\nx\n0\r\n\r\n", "0\r\nX: a\n\r\n", "0\r\n X: a\r\n\r\n", "0\r\n" + strings.Repeat("X: y\r\n", 10) + "\r\n", "10000000000000000\r\n",
	} {
		answer := exchange(t, addr, head+body+"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
		if err := <-errs; err == nil {
			t.Errorf("%q: the handler read the body without an error", body)
		}
		if strings.Count(answer, "HTTP/1.1 ") != 1 {
			t.Errorf("%q: the connection went on: %q", body, answer)
		}
	}
}

func TestAcceptedOnTheWire(t *testing.T) {
	t.Parallel()
	addr, _ := run(t, &Server{Handler: http.HandlerFunc(echo)})
	for _, c := range []struct{ name, raw, want string }{
		{"pipelined", crlf("GET /1 HTTP/1.1", "Host: a", "", "GET /2 HTTP/1.1", "Host: a", "", "GET /3 HTTP/1.1", "Host: a", "Connection: close", "", ""), "GET /1 |GET /2 |GET /3 "},
		{"pipelined bodies", crlf("POST /1 HTTP/1.1", "Host: a", "Content-Length: 3", "", "oneP") + crlf("OST /2 HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "", "3", "two", "0", "", "GET /3 HTTP/1.1", "Host: a", "Connection: close", "", ""), "POST /1 one|POST /2 two|GET /3 "},
		{"HTTP/1.0", crlf("GET /old HTTP/1.0", "", ""), "GET /old "},
		{"refused after an answer", crlf("GET /1 HTTP/1.1", "Host: a", "", "GET /2 HTTP/1.1", "Host: a,b", "", ""), "GET /1 |400 Bad Request"},
		{"refused upgrade, then a request", crlf("GET /1 HTTP/1.1", "Host: a", "Connection: upgrade", "Upgrade: websocket", "", "GET /2 HTTP/1.1", "Host: a", "Connection: close", "", ""), "GET /1 |GET /2 "},
		{"refused upgrade, then a refused request", crlf("GET /1 HTTP/1.1", "Host: a", "Connection: upgrade", "Upgrade: websocket", "", "GET /2 HTTP/1.1", "Host: a b", "", ""), "GET /1 |400 Bad Request"},
		{"refused upgrade with a body, then a request", crlf("POST /1 HTTP/1.1", "Host: a", "Connection: upgrade", "Upgrade: h2c", "Content-Length: 3", "", "oneGET /2 HTTP/1.1", "Host: a", "Connection: close", "", ""), "POST /1 one|GET /2 "},
	} {
		for _, cut := range []int{0, 1, len(c.raw) / 2, len(c.raw) - 1} {
			conn := dial(t, addr)
			go func() {
				io.WriteString(conn, c.raw[:cut])
				time.Sleep(5 * time.Millisecond)
				io.WriteString(conn, c.raw[cut:])
			}()
			if got := bodies(t, conn); got != c.want {
				t.Errorf("%s, cut at %d: got %q, want %q", c.name, cut, got, c.want)
			}
		}
	}
}

// bodies reads responses until the connection ends.
func bodies(t *testing.T, conn net.Conn) string {
	t.Helper()
	var all []string
	r := bufio.NewReader(conn)
	for {
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			return strings.Join(all, "|")
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(body))
	}
}

func TestExpectContinue(t *testing.T) {
	t.Parallel()
	addr, _ := run(t, &Server{Handler: http.HandlerFunc(echo)})
	conn := dial(t, addr)
	io.WriteString(conn, crlf("PUT /x HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 2", "", ""))
	r := bufio.NewReader(conn)
	line, _ := r.ReadString('\n')
	if !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("got %q, want 100 Continue", line)
	}
	r.ReadString('\n')
	io.WriteString(conn, "ok")
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(response.Body); string(body) != "PUT /x ok" {
		t.Errorf("got %q", body)
	}
}

// TestHijack checks that the guard stands aside after a 101, also for bytes that came with
// the request.
func TestHijack(t *testing.T) {
	t.Parallel()
	addr, _ := run(t, &Server{WriteTimeout: 50 * time.Millisecond, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond) // lets the background read take a byte
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: raw\r\n\r\n")
		io.CopyN(conn, buffered, 9)
		time.Sleep(150 * time.Millisecond)
		io.WriteString(conn, "late")
	})})
	head := crlf("GET / HTTP/1.1", "Host: a", "Connection: upgrade", "Upgrade: raw", "", "")
	const early, late = "\x81\x00\n\n", "\x00\xff\r\n:"
	for cut := range len(early) + 1 {
		conn := dial(t, addr)
		io.WriteString(conn, head+early[:cut])
		r := bufio.NewReader(conn)
		response, err := http.ReadResponse(r, nil)
		if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("got %v, %v", response, err)
		}
		io.WriteString(conn, early[cut:]+late)
		if got, err := io.ReadAll(r); string(got) != early+late+"late" {
			t.Errorf("%d bytes early: got %q, %v", cut, got, err)
		}
	}
}

func TestHeadersWithUnderscoreAreDropped(t *testing.T) {
	t.Parallel()
	addr, _ := run(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header["X_forwarded_for"], r.Header["X-Forwarded-For"], r.Header["X_y"], len(r.Header))
	})})
	answer := exchange(t, addr, crlf("GET / HTTP/1.1", "Host: a", "X_Forwarded_For: evil", "X_Y: 1", "X-Forwarded-For: proxy", "Connection: close", "", ""))
	if !strings.HasSuffix(answer, "[] [proxy] [] 2") { // the other one is Connection
		t.Errorf("got %q", answer)
	}
}

func TestTargetsWithoutAPathAreRefused(t *testing.T) {
	t.Parallel()
	addr, _ := run(t, &Server{Handler: http.HandlerFunc(echo)})
	for _, target := range []string{"javascript:x", "a:b", "mailto:x@a", "a:b//a"} {
		if answer := exchange(t, addr, crlf("GET "+target+" HTTP/1.1", "Host: a", "Connection: close", "", "")); !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
			t.Errorf("%s: got %q", target, answer)
		}
	}
}

func TestTraceIsRefused(t *testing.T) {
	t.Parallel()
	addr, _ := run(t, &Server{Handler: http.HandlerFunc(echo)})
	answer := exchange(t, addr, crlf("TRACE / HTTP/1.1", "Host: a", "Cookie: secret", "Connection: close", "", ""))
	if !strings.HasPrefix(answer, "HTTP/1.1 501 ") || strings.Contains(answer, "secret") {
		t.Errorf("got %q", answer)
	}
}

func TestHeaderBytesLimit(t *testing.T) {
	t.Parallel()
	addr, _ := run(t, &Server{Handler: http.HandlerFunc(echo)})
	answer := exchange(t, addr, "GET / HTTP/1.1\r\nHost: a\r\nX: "+strings.Repeat("x", 80<<10)+"\r\n\r\n")
	if !strings.HasPrefix(answer, "HTTP/1.1 431 ") {
		t.Errorf("got %.80q", answer)
	}
}

func TestSlowHeadIsCut(t *testing.T) {
	t.Parallel()
	addr, _ := run(t, &Server{ReadHeaderTimeout: 100 * time.Millisecond, Handler: http.HandlerFunc(echo)})
	conn := dial(t, addr)
	start := time.Now()
	go func() {
		for range 100 {
			if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nX: y"[:1]); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	io.ReadAll(conn)
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("cut after %v", took)
	}
}

func TestSlowBodyIsCutAndASteadyOneIsNot(t *testing.T) {
	t.Parallel()
	result := make(chan error, 1)
	addr, _ := run(t, &Server{ReadTimeout: 200 * time.Millisecond, MinReadRate: 1000, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		result <- err
	})})
	send := func(piece string, every time.Duration, times int) (time.Duration, error) {
		conn := dial(t, addr)
		start := time.Now()
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", len(piece)*times)
		go func() {
			for range times {
				if _, err := io.WriteString(conn, piece); err != nil {
					return
				}
				time.Sleep(every)
			}
		}()
		err := <-result
		return time.Since(start), err
	}
	if took, err := send("x", 20*time.Millisecond, 1000); !errors.Is(err, os.ErrDeadlineExceeded) || took > 2*time.Second {
		t.Errorf("50 bytes per second: %v after %v, want a deadline", err, took)
	}
	if took, err := send(strings.Repeat("x", 200), 20*time.Millisecond, 30); err != nil || took < 500*time.Millisecond {
		t.Errorf("10,000 bytes per second: %v after %v", err, took)
	}
}

// TestSlowHandlerKeepsItsContext: a handler that takes longer than all timeouts is not
// disturbed.
func TestSlowHandlerKeepsItsContext(t *testing.T) {
	t.Parallel()
	addr, _ := run(t, &Server{
		ReadHeaderTimeout: 50 * time.Millisecond, ReadTimeout: 50 * time.Millisecond, WriteTimeout: 50 * time.Millisecond, IdleTimeout: 50 * time.Millisecond,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(200 * time.Millisecond)
			body, err := io.ReadAll(r.Body)
			time.Sleep(200 * time.Millisecond)
			fmt.Fprint(w, len(body), err, r.Context().Err())
		}),
	})
	response, err := http.Post("http://"+addr, "text/plain", bytes.NewReader(make([]byte, 100<<10)))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(response.Body); string(body) != "102400 <nil> <nil>" {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestReaderThatStallsIsCutAndASlowOneIsNot(t *testing.T) {
	t.Parallel()
	result := make(chan error, 1)
	addr, _ := run(t, &Server{WriteTimeout: 300 * time.Millisecond, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := w.Write(make([]byte, 16<<20))
		result <- err
	})})
	conn := dial(t, addr)
	conn.(*net.TCPConn).SetReadBuffer(64 << 10)
	io.WriteString(conn, crlf("GET / HTTP/1.1", "Host: a", "", ""))
	if err := <-result; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a reader that stalls: %v, want a deadline", err)
	}
	conn = dial(t, addr)
	conn.(*net.TCPConn).SetReadBuffer(64 << 10)
	io.WriteString(conn, crlf("GET / HTTP/1.1", "Host: a", "Connection: close", "", ""))
	start := time.Now()
	for {
		if n, err := io.CopyN(io.Discard, conn, 1<<20); n == 0 || err != nil {
			break
		}
		time.Sleep(40 * time.Millisecond)
	}
	if err := <-result; err != nil || time.Since(start) < 300*time.Millisecond {
		t.Errorf("a slow reader: %v after %v", err, time.Since(start))
	}
}

func TestFileGoesThroughReadFrom(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	name := filepath.Join(t.TempDir(), "f.bin")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	addr, _ := run(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) })})
	response, err := http.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(response.Body); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	var conn net.Conn = newGuard(&net.TCPConn{}, &service{})
	if _, ok := conn.(io.ReaderFrom); !ok {
		t.Error("the guard of a TCP connection has no ReadFrom")
	}
}

// TestContextEndsWithTheClient: a handler learns that nobody waits any more.
func TestContextEndsWithTheClient(t *testing.T) {
	t.Parallel()
	entered, ended := make(chan struct{}), make(chan error, 1)
	addr, _ := run(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		select {
		case <-r.Context().Done():
			ended <- r.Context().Err()
		case <-time.After(5 * time.Second):
			ended <- nil
		}
	})})
	conn := dial(t, addr)
	io.WriteString(conn, crlf("GET / HTTP/1.1", "Host: a", "", ""))
	<-entered
	conn.Close()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestPanicIsLoggedAsAnError, and an abort is not.
func TestPanicIsLoggedAsAnError(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	addr, stop := run(t, &Server{Logger: slog.New(slog.NewTextHandler(&out, nil)), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		panic("the reason")
	})})
	for _, path := range []string{"/abort", "/panic"} {
		if answer := exchange(t, addr, crlf("GET "+path+" HTTP/1.1", "Host: a", "", "")); answer != "" {
			t.Errorf("%s: %q", path, answer)
		}
	}
	exchange(t, addr, "broken\r\n\r\n")
	if err := stop(); err != nil {
		t.Error(err)
	}
	if log := out.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "the reason") {
		t.Errorf("logged %s", log)
	}
}

func TestBaseContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	addr, _ := run(t, &Server{
		BaseContext: func(net.Listener) context.Context { return context.WithValue(context.Background(), key{}, "base") },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.Context().Value(key{}), Draining(r.Context()) != nil)
		}),
	})
	if answer := exchange(t, addr, crlf("GET / HTTP/1.0", "", "")); !strings.HasSuffix(answer, "basetrue") {
		t.Errorf("got %q", answer)
	}
}

func TestNegativeLimitsMeanNone(t *testing.T) {
	t.Parallel()
	addr, _ := run(t, &Server{
		ReadHeaderTimeout: -1, ReadTimeout: -1, WriteTimeout: -1, IdleTimeout: -1, MaxHeaderBytes: -1, MaxHeaders: -1, MinReadRate: -1,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, len(r.Header["X"])) }),
	})
	raw := "GET / HTTP/1.0\r\n" + strings.Repeat("X: "+strings.Repeat("y", 100)+"\r\n", 20000) + "\r\n"
	if answer := exchange(t, addr, raw); !strings.HasSuffix(answer, "\r\n\r\n20000") {
		t.Errorf("got %q", answer)
	}
}
