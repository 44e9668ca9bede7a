//go:build unix

package devserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is a net/http program that understands serve --debug --addr. Each
// test edits its copy.
const program = `package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const greeting = "version 1"

func main() {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	debug := flags.Bool("debug", false, "")
	addr := flags.String("addr", "", "")
	name := flags.String("name", "", "")
	flags.Parse(os.Args[2:])
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><body><p>%s</p></body>", greeting)
	})
	http.HandleFunc("/about", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, os.Args[1], *debug, *name, os.Getenv("RETORT_DEV"), r.Host, r.Header.Get("X-Forwarded-For"), os.Getpid())
	})
	http.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", greeting, b)
	})
	http.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: %s\n\n", greeting)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	http.HandleFunc("/upgrade", func(w http.ResponseWriter, r *http.Request) {
		conn, rw, _ := w.(http.Hijacker).Hijack()
		defer conn.Close()
		fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		rw.Flush()
		line, _ := bufio.NewReader(rw).ReadString('\n')
		fmt.Fprintf(conn, "%s says %s", greeting, line)
		io.Copy(io.Discard, conn)
	})
	http.HandleFunc("/crash", func(w http.ResponseWriter, r *http.Request) {
		go explode(nil)
		time.Sleep(time.Minute)
	})
	server := &http.Server{Addr: *addr}
	stopped := make(chan struct{})
	go func() {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		<-signals
		server.Shutdown(context.Background())
		close(stopped)
	}()
	server.ListenAndServe()
	<-stopped
}

func explode(m map[string]int) { m["tea"]++ }
`

// A site is a development server with a program of its own.
type site struct {
	t    *testing.T
	dir  string
	base string
	log  *journal
	gate func() *gate
	stop func()
}

func develop(t *testing.T, source string, options ...func(*Server)) *site {
	t.Helper()
	d := &site{t: t, dir: t.TempDir(), log: &journal{}}
	d.write("go.mod", "module example.com/site\n\ngo 1.26\n")
	d.write("main.go", source)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan net.Addr, 1)
	done := make(chan error, 1)
	server := &Server{Dir: d.dir, Addr: "127.0.0.1:0", Args: []string{"--name", "tea"}, Log: d.log, Stderr: d.log, OnReady: func(a net.Addr) { ready <- a }}
	for _, set := range options {
		set(server)
	}
	d.gate = func() *gate { return server.gate }
	go func() { done <- server.Run(ctx) }()
	select {
	case a := <-ready:
		d.base = "http://" + a.String()
	case err := <-done:
		cancel()
		t.Fatal(err)
	}
	d.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if left, _ := filepath.Glob(filepath.Join(temp, "retort-dev-*")); len(left) > 0 {
			t.Errorf("%v is left", left)
		}
		if t.Failed() {
			t.Logf("the log:\n%s", d.log)
		}
	})
	t.Cleanup(d.stop)
	return d
}

func (d *site) write(name, text string) { write(d.t, filepath.Join(d.dir, name), text) }

// next is closed when the gate changes.
func (g *gate) next() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changed
}

// edit replaces text in the program, as an editor would save it.
func (d *site) edit(old, new string) {
	d.t.Helper()
	path := filepath.Join(d.dir, "main.go")
	b, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(b), old) {
		d.t.Fatalf("main.go has no %q: %v", old, err)
	}
	d.write("main.go", strings.Replace(string(b), old, new, 1))
}

func (d *site) get(path string) (int, string) {
	d.t.Helper()
	r, err := http.NewRequest(http.MethodGet, d.base+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	return d.do(r)
}

func (d *site) do(r *http.Request) (int, string) {
	d.t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return response.StatusCode, string(b)
}

// until asks again until the answer contains text. No answer may be anything
// but what the program or the error page says.
func (d *site) until(path, text string) string {
	d.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		status, body := d.get(path)
		if strings.Contains(body, text) {
			return body
		}
		if status == http.StatusBadGateway || time.Now().After(deadline) {
			d.t.Fatalf("%s answers %d without %q:\n%s\nthe log:\n%s", path, status, text, body, d.log)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (d *site) waitForLog(text string) {
	d.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !strings.Contains(d.log.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("no %q in the log:\n%s", text, d.log)
		}
	}
}

// A journal collects what is logged.
type journal struct {
	mu sync.Mutex
	b  strings.Builder
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// One program lives through everything that a morning's work does to it.
func TestDevelop(t *testing.T) {
	d := develop(t, program)

	// The first request is held until the first build is done.
	if status, body := d.get("/"); status != 200 || !strings.Contains(body, "version 1") || !strings.Contains(body, "reload.js") {
		t.Fatalf("the first answer is %d %s", status, body)
	}
	_, about := d.get("/about")
	field := strings.Fields(about)
	if len(field) != 7 || strings.Join(field[:4], " ") != "serve true tea 1" || field[4] != strings.TrimPrefix(d.base, "http://") || field[5] != "127.0.0.1" {
		t.Errorf("the program was told %q", about)
	}

	// A stream and an upgraded connection go through, and end at the restart.
	stream := d.openStream()
	upgraded := d.openUpgrade()
	pages := d.openPage()

	start := time.Now()
	d.edit("version 1", "version 2")
	d.until("/", "version 2")
	t.Logf("edit to answer: %v", time.Since(start).Round(time.Millisecond))
	pages.expect(t, "event: reload")
	for name, r := range map[string]io.Reader{"stream": stream, "upgraded connection": upgraded} {
		if _, err := io.Copy(io.Discard, r); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the %s outlives its program: %v", name, err)
		}
	}

	// A request that comes with the edit is held, body and all.
	held := d.gate().next()
	d.edit("version 2", "version 3")
	<-held
	r, _ := http.NewRequest(http.MethodPost, d.base+"/echo", strings.NewReader("tea please"))
	if status, body := d.do(r); status != 200 || body != "version 3 tea please" {
		t.Errorf("the held request got %d %s", status, body)
	}

	// What does not compile is shown, then forgotten.
	pages = d.openPage()
	d.edit("fmt.Fprintf(w, \"<!doctype", "fmt.Fprint_(w, \"<!doctype")
	page := d.until("/", "The program does not build")
	for _, want := range []string{"undefined: fmt.Fprint_", `class="l hit"`, "main.go:", "reload.js"} {
		if !strings.Contains(page, want) {
			t.Errorf("the error page lacks %q", want)
		}
	}
	pages.expect(t, "event: reload")
	d.edit("fmt.Fprint_", "fmt.Fprintf")
	d.until("/", "version 3")

	// A style needs no build.
	pages = d.openPage()
	before := pid(t, d)
	d.write("static/site.css", "p{color:red}")
	pages.expect(t, "event: styles")
	pages.expect(t, `data: ["site.css"`)
	d.write("templates/page.html", "<p>")
	pages.expect(t, "event: reload")
	if after := pid(t, d); after != before {
		t.Error("a style restarted the program")
	}

	// Code that is no part of the program does not restart it.
	d.write("other/other.go", "package other\n")
	d.waitForLog("the program is the same")
	if after := pid(t, d); after != before {
		t.Error("code of no consequence restarted the program")
	}

	// A setting restarts it.
	pages = d.openPage()
	d.write(".env", "A=b\n")
	pages.expect(t, "event: reload")
	if after := pid(t, d); after == before {
		t.Error("a setting did not restart the program")
	}

	// A crash is shown once; the next request starts the program again.
	crash := d.until("/crash", "The program stopped")
	for _, want := range []string{"assignment to entry in nil map", "main.explode", `class="l hit"`} {
		if !strings.Contains(crash, want) {
			t.Errorf("the crash page lacks %q", want)
		}
	}
	d.until("/", "version 3")

	d.stop()
	if _, err := http.Get(d.base); err == nil {
		t.Error("the server goes on")
	}
}

// A program that ends at once is shown with what it printed.
func TestDevelopProgramThatCannotStart(t *testing.T) {
	const broken = "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nfunc main() {\n\tfmt.Fprintln(os.Stderr, \"config: PORT <tea> must be a number\")\n\tos.Exit(1)\n}\n"
	d := develop(t, broken)
	status, body := d.get("/")
	if status != 500 || !strings.Contains(body, "The program did not start") || !strings.Contains(body, "PORT &lt;tea&gt; must be a number") {
		t.Errorf("the page is %d %s", status, body)
	}
	d.write("main.go", program)
	d.until("/", "version 1")
}

// A program that does not heed SIGTERM delays nobody, and does not stay.
func TestDevelopProgramThatDoesNotStop(t *testing.T) {
	stubborn := strings.Replace(program, "<-signals\n", "<-signals\n\t\tselect {}\n", 1)
	d := develop(t, stubborn, func(s *Server) { s.StopTime = time.Second })
	old := pid(t, d)
	d.edit("version 1", "version 2")
	d.until("/", "version 2")
	for deadline := time.Now().Add(20 * time.Second); alive(old); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the old program goes on")
		}
	}
}

// alive asks the kernel, which knows of it until it has ended.
func alive(pid string) bool {
	n, err := strconv.Atoi(pid)
	return err == nil && syscall.Kill(n, 0) == nil
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	library := t.TempDir()
	write(t, filepath.Join(library, "go.mod"), "module example.com/library\n\ngo 1.26\n")
	write(t, filepath.Join(library, "a.go"), "package library\n")
	site := t.TempDir()
	write(t, filepath.Join(site, "go.mod"), "module example.com/site\n\ngo 1.26\n")
	write(t, filepath.Join(site, "main.go"), "package main\n\nfunc main() {}\n")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, test := range []struct {
		server *Server
		want   string
	}{
		{&Server{Dir: library}, "is a library (package library)"},
		{&Server{Dir: t.TempDir()}, "go.mod file not found"},
		{&Server{Dir: site, Package: "./absent"}, "there is no Go package"},
		{&Server{Dir: site, Addr: taken.Addr().String()}, "is in use"},
		{&Server{Dir: site, Addr: "no address"}, "cannot listen"},
	} {
		if err := test.server.Run(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error is %v, want %q", err, test.want)
		}
	}
}

func pid(t *testing.T, d *site) string {
	t.Helper()
	_, about := d.get("/about")
	field := strings.Fields(about)
	if len(field) == 0 {
		t.Fatal("no pid")
	}
	return field[len(field)-1]
}

func (d *site) dial() net.Conn {
	d.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(d.base, "http://"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(60 * time.Second))
	return conn
}

func (d *site) openStream() io.Reader {
	d.t.Helper()
	conn := d.dial()
	fmt.Fprint(conn, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
	return d.readUntil(conn, "data: version 1")
}

func (d *site) openUpgrade() io.Reader {
	d.t.Helper()
	conn := d.dial()
	fmt.Fprint(conn, "GET /upgrade HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	r := d.readUntil(conn, "101 Switching Protocols")
	fmt.Fprint(conn, "hello\n")
	return d.readUntil(r, "version 1 says hello")
}

func (d *site) readUntil(r io.Reader, text string) io.Reader {
	d.t.Helper()
	b := bufio.NewReader(r)
	for {
		line, err := b.ReadString('\n')
		if strings.Contains(line, text) {
			return b
		}
		if err != nil {
			d.t.Fatalf("no %q: %v", text, err)
		}
	}
}

// A page is an open connection for events, as the script makes it.
type page struct{ r io.Reader }

func (d *site) openPage() *page {
	d.t.Helper()
	_, body := d.get("/")
	_, since, _ := strings.Cut(body, `data-since="`)
	since, _, _ = strings.Cut(since, `"`)
	conn := d.dial()
	fmt.Fprintf(conn, "GET /-/retort/reload?since=%s HTTP/1.1\r\nHost: localhost\r\n\r\n", since)
	return &page{d.readUntil(conn, "retry: ")}
}

func (p *page) expect(t *testing.T, text string) {
	t.Helper()
	b := bufio.NewReader(p.r)
	p.r = b
	for {
		line, err := b.ReadString('\n')
		if strings.Contains(line, text) {
			return
		}
		if err != nil {
			t.Fatalf("no %q: %v", text, err)
		}
	}
}
