package retort_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/server"
)

// serving serves an app on a free port until stop is called.
func serving(t *testing.T, app *retort.App) (addr string, stop func() error) {
	t.Helper()
	ready := make(chan net.Addr, 1)
	app.OnReady(func(addr net.Addr) { ready <- addr })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- app.Serve(ctx) }()
	t.Cleanup(cancel)
	select {
	case a := <-ready:
		return a.String(), func() error { cancel(); return <-ended }
	case err := <-ended:
		t.Fatal(err)
		return "", nil
	}
}

func TestShutdownEndsEventStreams(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.Addr = "127.0.0.1:0"
	app := retort.New(cfg)
	afterwards := make(chan error, 1)
	app.Get("/events", func(c *retort.Ctx) error {
		c.Defer(func() { afterwards <- c.Err() })
		return c.SSE(func(s *retort.EventStream) error {
			if err := s.Send(retort.Event{Data: "hello"}); err != nil {
				return err
			}
			<-c.Done()
			return s.Send(retort.Event{Data: "too late"})
		})
	})
	addr, stop := serving(t, app)
	res, err := http.Get("http://" + addr + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body := bufio.NewReader(res.Body)
	if line, err := body.ReadString('\n'); line != "data: hello\n" {
		t.Fatalf("%q, %v", line, err)
	}
	start := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("shutting down took %v", took)
	}
	if rest, err := io.ReadAll(body); err != nil || strings.Contains(string(rest), "too late") {
		t.Errorf("the stream ended with %q, %v", rest, err)
	}
	if err := <-afterwards; err != nil {
		t.Errorf("after the stream the request had ended: %v", err)
	}
}

func TestShutdownWaitsForStreams(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.Addr = "127.0.0.1:0"
	app := retort.New(cfg)
	app.Get("/export", func(c *retort.Ctx) error {
		return c.Stream("text/csv", func(w io.Writer) error {
			if _, err := io.WriteString(w, "a\n"); err != nil {
				return err
			}
			<-server.Draining(c)
			_, err := io.WriteString(w, "b\n")
			return err
		})
	})
	addr, stop := serving(t, app)
	res, err := http.Get("http://" + addr + "/export")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if body, err := io.ReadAll(res.Body); string(body) != "a\nb\n" {
		t.Errorf("%q, %v", body, err)
	}
}

func TestCertificateWithoutTLSIsAnError(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.Server.CertFile, cfg.Server.KeyFile = "cert.pem", "key.pem"
	err := retort.New(cfg).Prepare()
	if err == nil || !strings.Contains(err.Error(), `add TLS: server.TLSFiles("", "")`) {
		t.Errorf("got %v", err)
	}
	cfg.TLS = server.TLSFiles("", "")
	if err := retort.New(cfg).Prepare(); err != nil {
		t.Error(err)
	}
}
