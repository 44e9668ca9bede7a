package faulttest_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// resident returns the memory of a process, in bytes.
func (s *site) resident(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid()))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// descriptors counts the open files of a process.
func (s *site) descriptors() int {
	names, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.pid()))
	return len(names)
}

// goroutines ends a process by SIGQUIT, upon which Go writes them all down.
func (s *site) goroutines(t testing.TB) int {
	t.Helper()
	s.checkLog()
	s.faulty = true
	s.signal(syscall.SIGQUIT)
	if err := s.wait(); err == nil {
		t.Error("SIGQUIT ended the process in order")
	}
	return strings.Count(s.logged(), "\ngoroutine ")
}

// fewGoroutines is more than a site has that nobody asks anything.
const fewGoroutines = 40

// settles waits until a site has given back what it used.
func (s *site) settles(t testing.TB, descriptors int) {
	t.Helper()
	await(t, "descriptors to be closed", func() bool { return s.descriptors() <= descriptors })
	left, err := filepath.Glob(filepath.Join(s.dir, "retort-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v %v", left, err)
	}
	if n := s.goroutines(t); n == 0 || n > fewGoroutines {
		t.Errorf("%d goroutines are left", n)
	}
}

// TestSlowClientsAreCut has clients that send or read next to nothing, and one
// that must not notice them.
func TestSlowClientsAreCut(t *testing.T) {
	t.Parallel()
	const deadline = 400 * time.Millisecond
	s := start(t, labProgram, options{env: []string{
		"RETORT_SERVER_READ_HEADER_TIMEOUT=" + deadline.String(), "RETORT_SERVER_READ_TIMEOUT=" + deadline.String(),
		"RETORT_SERVER_WRITE_TIMEOUT=" + deadline.String(), "RETORT_SERVER_IDLE_TIMEOUT=" + deadline.String(),
	}})
	if a := s.ask(t, get("/")); a.status != 200 {
		t.Fatal(a.status)
	}
	time.Sleep(deadline) // so that the base line has no connection
	base := s.descriptors()
	var slow sync.WaitGroup
	for i := range 20 {
		for _, message := range []string{
			"",
			"GET / HTTP/1.1\r\nHost: blog.example\r\n",
			"POST /form HTTP/1.1\r\nHost: blog.example\r\n" + urlencoded + "\r\nContent-Length: 1000\r\n\r\n",
			"POST /nothing HTTP/1.1\r\nHost: blog.example\r\nTransfer-Encoding: chunked\r\n\r\n",
			get("/download?size=16777216"),
			get("/endless"),
		} {
			w := s.dial(t)
			w.send(message)
			slow.Go(func() { w.trickle(deadline / 4) })
		}
		if a := s.ask(t, get("/")); a.status != 200 {
			t.Errorf("beside %d slow clients: %d", i, a.status)
		}
	}
	begin := time.Now()
	await(t, "slow clients to be cut", func() bool { return s.descriptors() <= base })
	if took := time.Since(begin); took > 12*deadline {
		t.Errorf("it took %v", took)
	}
	slow.Wait()
	s.settles(t, base)
}

// trickle sends a byte now and then, and reads nothing, until it is cut.
func (w *wire) trickle(pause time.Duration) {
	for {
		if _, err := io.WriteString(w.conn, "a"); err != nil {
			return
		}
		time.Sleep(pause) // slowness is what this client is about
	}
}

// TestIdleConnectionsAreCheap has 2,000 of them, or as many as the variable
// RETORT_IDLE_CONNECTIONS says: for more, both processes need as many open files.
func TestIdleConnectionsAreCheap(t *testing.T) {
	t.Parallel()
	const most = 40 << 10
	connections := 2000
	if n, err := strconv.Atoi(os.Getenv("RETORT_IDLE_CONNECTIONS")); err == nil {
		connections = n
	}
	s := start(t, blogProgram, options{})
	if a := s.ask(t, get("/")); a.status != 200 {
		t.Fatal(a.status)
	}
	base, before := s.descriptors(), s.resident(t)
	var all []net.Conn
	for range connections {
		w := s.dial(t)
		all = append(all, w.conn)
		w.send(get("/static/blog/icon.svg"))
		if a, err := w.read("GET"); err != nil || a.status != 200 {
			t.Fatalf("connection %d: %v", len(all), err)
		}
	}
	each := (s.resident(t) - before) / connections
	t.Logf("%d bytes for each idle connection", each)
	if each > most {
		t.Errorf("an idle connection takes %d bytes, more than %d", each, most)
	}
	if a := s.ask(t, get("/")); a.status != 200 {
		t.Errorf("beside them: %d", a.status)
	}
	for _, conn := range all {
		conn.Close()
	}
	s.settles(t, base)
}

func TestAbortedTransfersLeaveNothing(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{})
	if a := s.ask(t, get("/")); a.status != 200 {
		t.Fatal(a.status)
	}
	await(t, "the first connection to close", func() bool { return s.descriptors() < 12 })
	base := s.descriptors()
	// Above what is kept in memory, so that there is a file to forget.
	upload := multipart("/upload", part(`form-data; name="file"; filename="a"`, strings.Repeat("u", 3<<20))+"--b--\n")
	var aborted sync.WaitGroup
	for i := range 10 {
		aborted.Go(func() {
			for range 50 {
				w := s.dial(t)
				switch i % 5 {
				case 0:
					w.send(upload[:len(upload)*2/3])
				case 1:
					w.send(upload[:2000])
				case 2:
					w.send(get("/download?size=8388608"))
					_, _ = w.in.ReadByte()
				case 3:
					w.send(get("/endless"))
					_, _ = w.in.ReadByte()
				case 4:
					w.send(get("/events"))
					_, _ = w.in.ReadByte()
				}
				if i >= 5 {
					_ = w.conn.(*net.TCPConn).SetLinger(0) // a reset rather than an end
				}
				w.conn.Close()
			}
		})
	}
	aborted.Wait()
	if a := s.ask(t, upload); a.status != 200 || len(a.body) != 64 {
		t.Errorf("a whole upload afterwards: %d %s", a.status, a.body)
	}
	s.settles(t, base)
}

// TestMemoryStaysFlat asks a site for what it has, many times.
func TestMemoryStaysFlat(t *testing.T) {
	t.Parallel()
	const clients, warmUp, requests, growth = 4, 4000, 20_000, 20 << 20
	s := start(t, blogProgram, options{})
	form := "name=A+reader&text="
	mixed := []struct {
		message string
		want    int
	}{
		{get("/"), 200},
		{get("/posts/" + anyPost), 200},
		{get("/search?q=salt+water"), 200},
		{get("/posts/none"), 404},
		{get("/api/posts?page=3", "Accept: application/json"), 200},
		{get("/api/posts?page=x"), 400},
		{get("/static/blog/style.css", "Accept-Encoding: gzip"), 200},
		{get("/login"), 200},
		{get("/login", "Cookie: session=broken"), 200},
		{request("POST", "/posts/"+anyPost, form, urlencoded), 422},
		{request("POST", "/posts/"+anyPost, form, urlencoded, "Origin: http://evil.example"), 403},
		{request("DELETE", "/", ""), 405},
	}
	run := func(total int) {
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				w := s.dial(t)
				defer w.conn.Close()
				for n := range total / clients {
					m := mixed[(n+i)%len(mixed)]
					_ = w.conn.SetDeadline(time.Now().Add(patience))
					w.send(m.message)
					method, _, _ := strings.Cut(m.message, " ")
					if a, err := w.read(method); err != nil || a.status != m.want {
						t.Errorf("%.60q: %+v %v", m.message, a, err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	run(warmUp)
	before, descriptors := s.resident(t), s.descriptors()
	run(requests)
	grown := s.resident(t) - before
	t.Logf("%d bytes at first, %d more after %d requests", before, grown, requests)
	if grown > growth {
		t.Errorf("memory grew by %d bytes, more than %d", grown, growth)
	}
	s.settles(t, descriptors)
}
