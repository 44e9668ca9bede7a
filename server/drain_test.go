package server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

func TestDrainingAnswersWhatWasBegun(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{}, 10)
	release := make(chan struct{})
	addr, stop := run(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			entered <- struct{}{}
			<-release
		}
		io.WriteString(w, "done")
	})})
	slow, half, idle, silent := dial(t, addr), dial(t, addr), dial(t, addr), dial(t, addr)
	io.WriteString(slow, crlf("GET /slow HTTP/1.1", "Host: a", "", ""))
	<-entered
	io.WriteString(idle, crlf("GET / HTTP/1.1", "Host: a", "", ""))
	idleReader := bufio.NewReader(idle)
	if response, err := http.ReadResponse(idleReader, nil); err != nil || response.Close {
		t.Fatalf("%v, %v", response, err)
	} else {
		io.ReadAll(response.Body)
	}
	io.WriteString(half, "GET / HTT")
	time.Sleep(50 * time.Millisecond)
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	time.Sleep(300 * time.Millisecond)
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Error("still listening")
	}
	if _, err := idleReader.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("idle connection: %v", err)
	}
	if _, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("connection that never said anything: %v", err)
	}
	io.WriteString(half, "P/1.1\r\nHost: a\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(half), nil)
	if err != nil || !response.Close {
		t.Errorf("half a head when draining began: %v, %v", response, err)
	}
	close(release)
	if _, err = http.ReadResponse(bufio.NewReader(slow), nil); err != nil {
		t.Errorf("slow request: %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestShutdownTimeoutCuts(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	addr, stop := run(t, &Server{ShutdownTimeout: 100 * time.Millisecond, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(gone)
	})})
	io.WriteString(dial(t, addr), crlf("GET / HTTP/1.1", "Host: a", "", ""))
	time.Sleep(50 * time.Millisecond)
	if err := stop(); !errors.Is(err, ErrShutdownTimeout) {
		t.Errorf("got %v", err)
	}
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Error("the handler's context was not cancelled")
	}
}

func TestDrainingEndsStreamsAndDelayKeepsAccepting(t *testing.T) {
	t.Parallel()
	var told atomic.Bool
	entered := make(chan struct{})
	addr, stop := run(t, &Server{DrainDelay: 300 * time.Millisecond, OnDraining: func() { told.Store(true) }, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			close(entered)
			<-Draining(r.Context())
		}
		io.WriteString(w, "end")
	})})
	stream := dial(t, addr)
	io.WriteString(stream, crlf("GET /stream HTTP/1.1", "Host: a", "", ""))
	<-entered
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	if response, err := http.ReadResponse(bufio.NewReader(stream), nil); err != nil || !told.Load() {
		t.Errorf("%v, %v; OnDraining was called: %v", response, err, told.Load())
	}
	conn := dial(t, addr)
	io.WriteString(conn, crlf("GET / HTTP/1.1", "Host: a", "", ""))
	if response, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || !response.Close {
		t.Errorf("during DrainDelay: %v, %v", response, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if Draining(context.Background()) != nil {
		t.Error("a context without a server has a Draining channel")
	}
}

func TestDrainingAnIdleServerIsQuick(t *testing.T) {
	t.Parallel()
	_, stop := run(t, &Server{Handler: http.HandlerFunc(echo)})
	start := time.Now()
	if err := stop(); err != nil || time.Since(start) > 200*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}
