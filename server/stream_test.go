package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// clearHTTP2 is a client that speaks HTTP/2 without TLS.
func clearHTTP2() *http.Client {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{Protocols: protocols}}
}

func TestH2C(t *testing.T) {
	t.Parallel()
	addr, stop := run(t, &Server{H2C: true, Handler: http.HandlerFunc(describe)})
	client := clearHTTP2()
	for range 3 {
		response, err := client.Post("http://"+addr, "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(response.Body); string(body) != "HTTP/2.0 tls=false body=1 <nil> X_A=" {
			t.Errorf("got %q", body)
		}
	}
	for cut := range 8 { // HTTP/1 beside it, also if the first bytes look like the other
		conn := dial(t, addr)
		raw := crlf("PRI / HTTP/1.1", "Host: a", "Connection: close", "", "")
		io.WriteString(conn, raw[:cut])
		time.Sleep(2 * time.Millisecond)
		io.WriteString(conn, raw[cut:])
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(response.Body); !strings.HasPrefix(string(body), "HTTP/1.1 ") {
			t.Errorf("got %q", body)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	off, _ := run(t, &Server{Handler: http.HandlerFunc(describe)})
	if answer := exchange(t, off, preface); !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
		t.Errorf("H2C not asked for: %q", answer)
	}
}

func TestSlowHTTP2BodyIsCut(t *testing.T) {
	t.Parallel()
	result := make(chan error, 1)
	addr, _ := run(t, &Server{H2C: true, ReadTimeout: 150 * time.Millisecond, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		result <- err
	})})
	client := clearHTTP2()
	r, w := io.Pipe()
	defer w.Close()
	go func() {
		request, _ := http.NewRequest("POST", "http://"+addr, r)
		if response, err := client.Do(request); err == nil {
			response.Body.Close()
		}
	}()
	io.WriteString(w, "x")
	select {
	case err := <-result:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("not cut")
	}
}

// TestBusyHTTP2HandlerIsNotDisturbed: only waiting for the client counts.
func TestBusyHTTP2HandlerIsNotDisturbed(t *testing.T) {
	t.Parallel()
	addr, _ := run(t, &Server{H2C: true, ReadTimeout: 100 * time.Millisecond, WriteTimeout: 100 * time.Millisecond, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, err1 := io.CopyN(io.Discard, r.Body, 10)
		time.Sleep(250 * time.Millisecond)
		rest, err2 := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, first, err1, rest, err2)
		w.(http.Flusher).Flush()
		time.Sleep(250 * time.Millisecond)
		io.WriteString(w, " end")
	})})
	response, err := clearHTTP2().Post("http://"+addr, "text/plain", strings.NewReader(strings.Repeat("x", 500000)))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(response.Body); string(body) != "10 <nil> 499990 <nil> end" {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestStalledHTTP2ReaderIsCut(t *testing.T) {
	t.Parallel()
	result := make(chan error, 1)
	addr, _ := run(t, &Server{H2C: true, WriteTimeout: 200 * time.Millisecond, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/own" {
			if err := http.NewResponseController(w).SetWriteDeadline(time.Time{}); err != nil {
				t.Error(err)
			}
		}
		_, err := w.Write(make([]byte, 16<<20))
		result <- err
	})})
	client := clearHTTP2()
	response, err := client.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	select {
	case err := <-result:
		if err == nil {
			t.Error("all was written to a client that does not read")
		}
	case <-time.After(5 * time.Second):
		t.Error("not cut")
	}
	if response, err = client.Get("http://" + addr + "/own"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(400 * time.Millisecond)
	if n, err := io.Copy(io.Discard, response.Body); n != 16<<20 || err != nil || <-result != nil {
		t.Errorf("with a deadline of its own: %d bytes, %v", n, err)
	}
}

func TestHTTP2DrainsUnderLoad(t *testing.T) {
	t.Parallel()
	addr, stop := run(t, &Server{H2C: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		time.Sleep(10 * time.Millisecond)
		io.WriteString(w, "done")
	})})
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			client := clearHTTP2() // so that connections are also idle at times
			for {
				response, err := client.Post("http://"+addr, "text/plain", strings.NewReader("x"))
				if err != nil {
					if !strings.Contains(err.Error(), "connection refused") {
						t.Errorf("lost a request: %v", err)
					}
					return
				}
				if body, err := io.ReadAll(response.Body); err != nil || string(body) != "done" {
					t.Errorf("got %q, %v", body, err)
				}
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	if err := stop(); err != nil {
		t.Error(err)
	}
	wait.Wait()
}
