//go:build unix

package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// childVariable makes the test binary a server on a free port: "server", or "bare" for
// net/http alone.
const childVariable = "RETORT_SERVER_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childVariable) {
	case "":
		os.Exit(m.Run())
	case "bare":
		serveBare()
	default:
		serveAsChild()
	}
}

func childHandler(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery == "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Content-Length", "13")
		io.WriteString(w, "Hello, world!")
		return
	}
	wait, _ := time.ParseDuration(r.URL.Query().Get("wait"))
	body, err := io.ReadAll(r.Body)
	time.Sleep(wait)
	fmt.Fprintf(w, "%s %v", body, err)
}

func serveAsChild() {
	s := &Server{
		Addr: "127.0.0.1:0", Handler: http.HandlerFunc(childHandler),
		Logger:  slog.New(slog.DiscardHandler),
		OnReady: func(a net.Addr) { fmt.Println(a) },
	}
	if err := s.Run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serveBare() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(ln.Addr())
	s := &http.Server{Handler: http.HandlerFunc(childHandler), ReadHeaderTimeout: DefaultReadHeaderTimeout, IdleTimeout: DefaultIdleTimeout}
	panic(s.Serve(ln)) // until it is killed
}

// child starts this binary as a server.
func child(t testing.TB, kind string, stderr io.Writer) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+kind)
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cmd, strings.TrimSpace(line)
}

// A rawClient sends requests without the retries of http.Client, which would hide a loss.
type rawClient struct {
	addr  string
	conn  net.Conn
	r     *bufio.Reader
	fresh bool // a new connection for each request
	used  bool // the connection brought an answer before
}

// errRefused: nobody listens any more.
var errRefused = errors.New("connection refused")

// do sends one request. Any error but errRefused is a lost request.
func (c *rawClient) do(query string) error {
	err := c.try(query)
	if err != nil && !c.used && runtime.GOOS != "linux" {
		return errRefused // see refuseHandshakes
	}
	return err
}

func (c *rawClient) try(query string) error {
	if c.conn != nil && c.ended() {
		c.close()
	}
	if c.conn == nil {
		conn, err := net.Dial("tcp", c.addr)
		if err != nil {
			return errRefused
		}
		c.conn, c.r, c.used = conn, bufio.NewReader(conn), false
	}
	if _, err := fmt.Fprintf(c.conn, "POST /?%s HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", query); err != nil {
		return err
	}
	response, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if string(body) != "hello <nil>" {
		return fmt.Errorf("answer %d %q", response.StatusCode, body)
	}
	c.used = true
	if response.Close || c.fresh {
		c.close()
	}
	return nil
}

// ended looks, as every client has to, whether the server closed an idle connection.
func (c *rawClient) ended() bool {
	c.conn.SetReadDeadline(time.Now().Add(100 * time.Microsecond))
	defer c.conn.SetReadDeadline(time.Time{})
	_, err := c.r.Peek(1)
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

func (c *rawClient) close() {
	c.conn.Close()
	c.conn = nil
}

// TestNoRequestIsLostOnSIGTERM stops a real process under load: every request that was sent
// is answered.
func TestNoRequestIsLostOnSIGTERM(t *testing.T) {
	cmd, addr := child(t, "server", os.Stderr)
	var answered, lost atomic.Int64
	var wait sync.WaitGroup
	client := func(fresh bool, query string, pause time.Duration) {
		wait.Go(func() {
			c := &rawClient{addr: addr, fresh: fresh}
			for {
				err := c.do(query)
				if errors.Is(err, errRefused) {
					return
				}
				if err != nil {
					lost.Add(1)
					t.Errorf("lost a request (new connection each: %v, %q): %v", fresh, query, err)
					return
				}
				answered.Add(1)
				time.Sleep(pause)
			}
		})
	}
	for range 4 {
		client(false, "x", 0)
		client(true, "x", 0)
		client(false, "wait=20ms", 0)
		client(false, "x", 40*time.Millisecond)
	}
	client(true, "wait=600ms", 0)
	client(false, "wait=600ms", 0)
	time.Sleep(300 * time.Millisecond)
	start := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	wait.Wait()
	if err := cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	t.Logf("%d requests answered, %d lost, drained in %v", answered.Load(), lost.Load(), time.Since(start))
	if answered.Load() < 100 {
		t.Errorf("only %d requests were answered: no load to speak of", answered.Load())
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	cmd, addr := child(t, "server", nil)
	ended := make(chan error, 1)
	go func() { ended <- (&rawClient{addr: addr}).do("wait=20s") }()
	time.Sleep(200 * time.Millisecond)
	start := time.Now()
	cmd.Process.Signal(syscall.SIGTERM)
	time.Sleep(100 * time.Millisecond)
	cmd.Process.Signal(os.Interrupt)
	var status *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &status) || status.ExitCode() != 1 || time.Since(start) > 20*time.Second {
		t.Errorf("ended with %v after %v", err, time.Since(start))
	}
	if err := <-ended; err == nil {
		t.Error("the request was answered all the same")
	}
}

// TestInheritedSocketOutlivesTheServer: a supervisor goes on listening, and the next server
// finds what came in between.
func TestInheritedSocketOutlivesTheServer(t *testing.T) {
	t.Parallel()
	supervisor, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer supervisor.Close()
	addr := supervisor.Addr().String()
	serve := func() func() error {
		file, err := supervisor.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		fd := int(file.Fd())
		inherited, err := syscall.Dup(fd)
		if err != nil {
			t.Fatal(err)
		}
		file.Close()
		_, stop := run(t, &Server{Addr: fmt.Sprint("fd:", inherited), Handler: http.HandlerFunc(echo)})
		return stop
	}
	request := crlf("GET /x HTTP/1.1", "Host: a", "Connection: close", "", "")
	stop := serve()
	if answer := exchange(t, addr, request); !strings.HasSuffix(answer, "GET /x ") {
		t.Errorf("got %q", answer)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	between := dial(t, addr)
	io.WriteString(between, request)
	serve()
	if answer, err := io.ReadAll(between); !strings.HasSuffix(string(answer), "GET /x ") {
		t.Errorf("between two servers: %q, %v", answer, err)
	}
}
