package site_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/internal/testdb"
)

// served serves the site on a free port until the test ends.
func served(t *testing.T) (addr string) {
	t.Helper()
	g := newGround(t, testdb.SQLite, func(cfg *retort.Config) { cfg.Addr = "127.0.0.1:0" })
	ready := make(chan net.Addr, 1)
	g.app.OnReady(func(addr net.Addr) { ready <- addr })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.app.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case a := <-ready:
		return a.String()
	case err := <-ended:
		ended <- err
		t.Fatal("the site ended")
		return ""
	}
}

// talk sends bytes to the site and returns all that comes back until it hangs up, or, if
// it waits for more, until the client has sent all and closes its half.
func talk(t *testing.T, addr, message string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(60 * time.Second))
	go func() {
		_, _ = io.WriteString(conn, message)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	var all bytes.Buffer
	_, _ = io.Copy(&all, conn) // that the site hangs up in the middle is no fault
	return all.String()
}

// Request smuggling: gunicorn 2024-1135, 2024-6827; Go 2025-22871; echo GO-2026-6839.
func TestClassRequestSmuggling(t *testing.T) {
	t.Parallel()
	addr := served(t)
	const hidden = "GET /abs/?smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
	if all := talk(t, addr, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"+hidden); strings.Count(all, "HTTP/1.1 200") != 2 {
		t.Errorf("two good requests: %s", all)
	}
	post := func(header, body string) string {
		return "POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n" + header + "\r\n\r\n" + body
	}
	for name, first := range map[string]string{
		"both lengths":           post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
		"another encoding":       post("Transfer-Encoding: xchunked", "0\r\n\r\n"),
		"encodings":              post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"),
		"chunked twice":          post("Transfer-Encoding: chunked, chunked", "0\r\n\r\n"),
		"a blank before colon":   post("Transfer-Encoding : chunked\r\nContent-Length: 5", "0\r\n\r\n"),
		"a tab in the encoding":  post("Transfer-Encoding:\tchunked\v", "0\r\n\r\n"),
		"a folded encoding":      post("Transfer-Encoding:\r\n chunked", "0\r\n\r\n"),
		"quotes":                 post(`Transfer-Encoding: "chunked"`, "0\r\n\r\n"),
		"bare LF in a chunk":     post("Transfer-Encoding: chunked", "5\nhello\r\n0\r\n\r\n"),
		"LF ends an extension":   post("Transfer-Encoding: chunked", "2;\nxx\r\n3a\r\n0\r\n\r\n"),
		"a size with a sign":     post("Transfer-Encoding: chunked", "+0\r\n\r\n"),
		"a size in hexadecimal":  post("Transfer-Encoding: chunked", "0x0\r\n\r\n"),
		"a size that overflows":  post("Transfer-Encoding: chunked", "10000000000000000\r\n\r\n"),
		"two lengths":            post("Content-Length: 0\r\nContent-Length: 60", ""),
		"a list of lengths":      post("Content-Length: 0, 60", ""),
		"a length with a sign":   post("Content-Length: +60", ""),
		"a length below nothing": post("Content-Length: -1", ""),
		"a header without name":  post(": x\r\nContent-Length: 0", ""),
		"a refused upgrade":      post("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nContent-Length: 500", ""),
		"chunked in HTTP/1.0":    "POST /echo HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"a line ended by CR":     "GET /healthz HTTP/1.1\rHost: 127.0.0.1\r\r",
		"two hosts":              "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
	} {
		if all := talk(t, addr, first+hidden); strings.Contains(all, "/abs/") || strings.Count(all, "HTTP/1.1 ") > 1 {
			t.Errorf("%s: the hidden request was answered:\n%.600s", name, all)
		}
	}
}

// Framing cost in Go: 2023-39325/44487, 2023-45288, 2023-39326, 2024-24791, 2026-78663.
// What is about frames of HTTP/2 is in internal/faulttest, with a server that speaks it.
func TestClassFramingCost(t *testing.T) {
	t.Parallel()
	addr := served(t)
	chunked := "POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, c := range map[string]struct {
		message string
		want    []string
	}{
		"extensions of chunks":  {chunked + strings.Repeat("1;"+strings.Repeat("x", 4000)+"\r\na\r\n", 500) + "0\r\n\r\n", []string{"400", "413"}},
		"an endless extension":  {chunked + "1;" + strings.Repeat("x", 1<<20) + "\r\na\r\n0\r\n\r\n", []string{"400", "413"}},
		"endless trailers":      {chunked + "0\r\n" + strings.Repeat("X: x\r\n", 50_000) + "\r\n", []string{"400", "413", "431"}},
		"many headers":          {"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + strings.Repeat("X: x\r\n", 5_000) + "\r\n", []string{"431"}},
		"a megabyte of headers": {"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", []string{"431"}},
		"a long address":        {"GET /?" + strings.Repeat("x", 1<<20) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", []string{"431", "414"}},
		"expecting":             {"POST /posts/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Length: 400000000\r\n\r\n", []string{"403", "413", "415"}},
		"expecting the unknown": {"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\nx", []string{"417"}},
	} {
		all := talk(t, addr, c.message)
		status, _, _ := strings.Cut(strings.TrimPrefix(all, "HTTP/1.1 "), " ")
		good := false
		for _, want := range c.want {
			good = good || status == want
		}
		if !good {
			t.Errorf("%s: %.100q, not %v", name, all, c.want)
		}
	}
	if all := talk(t, addr, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"); !strings.Contains(all, "200 OK") {
		t.Errorf("afterwards: %s", all)
	}
}
