package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.sock")
	stale, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	stale.(*net.UnixListener).SetUnlinkOnClose(false)
	stale.Close()
	s := &Server{Addr: "unix:" + path, SocketMode: 0o600, Handler: http.HandlerFunc(echo)}
	addr, stop := run(t, s)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || addr != path {
		t.Errorf("address %q, mode %v, %v", addr, info.Mode(), err)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}}
	response, err := client.Get("http://app/x")
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(response.Body); string(body) != "GET /x " {
		t.Errorf("got %q", body)
	}
	if err := (&Server{Addr: "unix:" + path}).Run(context.Background()); err == nil || !strings.Contains(err.Error(), "another program answers") {
		t.Errorf("second server on the socket: %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&Server{Addr: "unix:" + path}).Run(context.Background()); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("a file in place of the socket: %v", err)
	}
}

// TestListenerWithoutDeadlines: any net.Listener will do.
func TestListenerWithoutDeadlines(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr, stop := run(t, &Server{Listener: struct{ net.Listener }{inner}, Handler: http.HandlerFunc(echo)})
	if answer := exchange(t, addr, crlf("GET /x HTTP/1.0", "", "")); !strings.HasSuffix(answer, "GET /x ") {
		t.Errorf("got %q", answer)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// failingListener fails for a while, and then for good.
type failingListener struct {
	net.Listener
	failures []error
}

func (l *failingListener) Accept() (net.Conn, error) {
	err := l.failures[0]
	l.failures = l.failures[1:]
	return nil, err
}

func TestAcceptErrors(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken for good")
	var out bytes.Buffer
	s := &Server{Listener: &failingListener{inner, []error{syscall.EMFILE, syscall.EMFILE, broken}}, IgnoreSignals: true, Logger: slog.New(slog.NewTextHandler(&out, nil))}
	if err := s.Run(context.Background()); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if strings.Count(out.String(), "cannot accept a connection") != 2 {
		t.Errorf("logged %s", out.String())
	}
}

func TestListenErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	addr, _ := run(t, &Server{Handler: http.HandlerFunc(echo)})
	for address, want := range map[string]string{
		addr:              "is in use: stop the program",
		"fd:1":            "3 or more",
		"fd:x":            "3 or more",
		"fd:999":          "not a listening socket",
		"unix:":           "needs a path",
		"127.0.0.1:99999": "cannot listen",
		"nonsense":        "cannot listen",
	} {
		if err := (&Server{Addr: address, IgnoreSignals: true}).Run(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", address, err, want)
		}
	}
}
