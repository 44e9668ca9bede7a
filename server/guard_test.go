package server

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// scriptConn gives out a stream in pieces of a given size.
type scriptConn struct {
	net.Conn
	stream string
	size   int
}

func (c *scriptConn) Read(p []byte) (int, error) {
	if c.stream == "" {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.size)], c.stream)
	c.stream = c.stream[n:]
	return n, nil
}

func (c *scriptConn) SetReadDeadline(time.Time) error { return nil }
func (c *scriptConn) RemoteAddr() net.Addr            { return &net.TCPAddr{} }

// throughGuard returns what a reader with a buffer of the given size gets.
func throughGuard(t testing.TB, stream string, size, buffer int) string {
	t.Helper()
	g := newGuard(&scriptConn{stream: stream, size: size}, &service{maxHeaders: 8, logger: slog.New(slog.DiscardHandler), pace: pace{time.Second, time.Second, 1}})
	var out bytes.Buffer
	p := make([]byte, buffer)
	for {
		n, err := g.Read(p)
		out.Write(p[:n])
		if err != nil {
			return out.String()
		}
		if n == 0 {
			t.Fatal("a read of nothing without an error")
		}
		if out.Len() > len(stream)+1000 {
			return out.String() // endless header
		}
	}
}

// TestGuardPassesExactlyWhatIsAccepted: nothing is lost, doubled or reordered, however the
// stream and the reader's buffer are cut.
func TestGuardPassesExactlyWhatIsAccepted(t *testing.T) {
	t.Parallel()
	upgrade := crlf("GET / HTTP/1.1", "Host: a", "Upgrade: x", "", "")
	streams := []string{upgrade + upgrade + "GET / HTTP/1.1\r\nHost: a\r\n\r\n", upgrade + "G", upgrade}
	for _, c := range framingCases {
		streams = append(streams, c.stream)
	}
	for _, stream := range streams {
		f := framing{maxHeaders: 8}
		_, why := scanAll(&f, stream, len(stream)+1)
		for _, size := range []int{1, 2, 3, 7, 1000} {
			for _, buffer := range []int{1, 2, 5, 4096} {
				got := throughGuard(t, stream, size, buffer)
				if why == "" {
					if got != stream {
						t.Fatalf("pieces of %d, buffer of %d: %q became %q", size, buffer, stream, got)
					}
					continue
				}
				head, ok := strings.CutSuffix(got, poison)
				if !ok {
					head = strings.TrimRight(got, "x")
				}
				if !strings.HasPrefix(stream, head) || got == stream {
					t.Fatalf("pieces of %d, buffer of %d: %q became %q", size, buffer, stream, got)
				}
			}
		}
	}
}

func FuzzGuard(f *testing.F) {
	for _, c := range framingCases {
		f.Add(c.stream, uint8(3), uint8(5))
	}
	f.Fuzz(func(t *testing.T, stream string, size, buffer uint8) {
		got := throughGuard(t, stream, int(size)+1, int(buffer)+1)
		rest := strings.TrimPrefix(stream, got)
		if got != stream && (rest == stream && got != "") && !strings.HasSuffix(got, poison) && !strings.HasSuffix(got, "xx") {
			t.Fatalf("%q became %q", stream, got)
		}
	})
}

// fileConn notes what it is asked to send.
type fileConn struct {
	scriptConn
	sources []string
}

func (c *fileConn) ReadFrom(src io.Reader) (int64, error) {
	kind := fmt.Sprintf("%T", src)
	if l, ok := src.(*io.LimitedReader); ok {
		kind += fmt.Sprintf(" of %d of %T", l.N, l.R)
	}
	c.sources = append(c.sources, kind)
	return io.Copy(io.Discard, src)
}

func (c *fileConn) SetWriteDeadline(time.Time) error { return nil }

// TestFilesReachTheConnection: net sends a file by the system only if it gets the file
// itself, below one limit.
func TestFilesReachTheConnection(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(sendStep + 10); err != nil {
		t.Fatal(err)
	}
	conn := new(fileConn)
	g := newGuard(conn, &service{writeTimeout: time.Second}).(io.ReaderFrom)
	limited := &io.LimitedReader{R: file, N: sendStep + 7}
	if n, err := g.ReadFrom(limited); n != sendStep+7 || err != nil || limited.N != 0 {
		t.Errorf("sent %d, %v", n, err)
	}
	if n, err := g.ReadFrom(file); n != 3 || err != nil {
		t.Errorf("sent %d, %v", n, err)
	}
	want := []string{"*io.LimitedReader of 262144 of *os.File", "*io.LimitedReader of 7 of *os.File", "*io.LimitedReader of 262144 of *os.File"}
	if !slices.Equal(conn.sources, want) {
		t.Errorf("got %q, want %q", conn.sources, want)
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	p := pace{allowance: 10 * time.Second, most: 10 * time.Second, rate: 100}
	p.spend(4*time.Second, 100)
	if p.allowance != 7*time.Second {
		t.Errorf("after a late start: %v", p.allowance)
	}
	p.spend(time.Second, 1<<30)
	if p.allowance != 10*time.Second {
		t.Errorf("after a burst: %v", p.allowance)
	}
	p.spend(time.Minute, 1)
	if p.allowance > time.Millisecond || p.allowance <= 0 {
		t.Errorf("after a stall: %v", p.allowance)
	}
	p = pace{allowance: time.Second, most: time.Second, rate: 1}
	p.spend(0, 1<<40)
	if p.allowance != time.Second {
		t.Errorf("after more bytes than a duration counts: %v", p.allowance)
	}
}

// TestIdleDeadlineDoesNotReachTheNextRequest: the deadline of the wait before a request is
// left on the connection, and is of no consequence when it passes while a handler runs.
func TestIdleDeadlineDoesNotReachTheNextRequest(t *testing.T) {
	t.Parallel()
	addr, _ := run(t, &Server{
		IdleTimeout: 100 * time.Millisecond, ReadHeaderTimeout: 100 * time.Millisecond,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				select {
				case <-r.Context().Done():
				case <-time.After(300 * time.Millisecond):
				}
			}
			fmt.Fprint(w, r.Context().Err())
		}),
	})
	conn := dial(t, addr)
	answers := bufio.NewReader(conn)
	for _, path := range []string{"/", "/slow", "/", "/slow"} {
		io.WriteString(conn, crlf("GET "+path+" HTTP/1.1", "Host: a", "", ""))
		response, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(response.Body); string(body) != "<nil>" {
			t.Errorf("%s: the context of the request: %s, %v", path, body, err)
		}
	}
	start := time.Now()
	if _, err := answers.ReadByte(); err != io.EOF || time.Since(start) < 50*time.Millisecond {
		t.Errorf("an idle connection: %v after %v", err, time.Since(start))
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	now := time.Now()
	soon, later := deadlineAt(now.Add(time.Hour)), deadlineAt(now.Add(2*time.Hour))
	for _, test := range []struct{ a, b, earlier deadline }{
		{noDeadline, noDeadline, noDeadline},
		{noDeadline, soon, soon},
		{soon, noDeadline, soon},
		{soon, later, soon},
		{later, soon, soon},
		{passed, soon, passed},
		{noDeadline, passed, passed},
	} {
		if got := test.a.orEarlier(test.b); got != test.earlier {
			t.Errorf("%d or %d: got %d", test.a, test.b, got)
		}
	}
	if d := deadlineAt(longAgo); d != passed || !d.isOver() || soon.isOver() || noDeadline.isOver() {
		t.Errorf("long ago is %d", d)
	}
	if got := soon.time().Sub(now); got != time.Hour {
		t.Errorf("in an hour became in %v", got)
	}
	if !noDeadline.time().IsZero() || !passed.time().Equal(longAgo) {
		t.Error("none and passed")
	}
}
