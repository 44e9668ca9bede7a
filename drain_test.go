package retort_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
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
	app.Teardown(func(c *retort.Ctx, _ error) { afterwards <- c.Err() })
	app.Get("/events", func(c *retort.Ctx) error {
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

func TestSettingsOfTheServer(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.Addr, cfg.Server.MaxHeaders, cfg.Server.H2C = "127.0.0.1:0", 5, true
	app := retort.New(cfg)
	app.Get("/", func(c *retort.Ctx) error { return c.Text(c.Request().Proto) })
	addr, _ := serving(t, app)

	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	defer client.CloseIdleConnections()
	res, err := client.Get("http://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); string(body) != "HTTP/2.0" {
		t.Errorf("without TLS: %q, %v", body, err)
	}

	for lines, want := range map[int]int{3: http.StatusOK, 8: http.StatusRequestHeaderFieldsTooLarge} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		for range lines - 3 { // the client adds some of its own
			request.Header.Add("X-Line", "x")
		}
		res, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%d lines: status %d, want %d", lines, res.StatusCode, want)
		}
	}
}

func TestMissingStaticFileGetsTheAppsPage(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.Assets = retort.Embed(fstest.MapFS{"static/a.txt": {Data: []byte("a")}})
	app := retort.New(cfg)
	app.OnStatus(http.StatusNotFound, func(c *retort.Ctx, _ error) error {
		return c.Status(http.StatusNotFound).Text("our own page")
	})
	client := retorttest.New(t, app)
	client.Get("/static/a.txt").Status(200).Contains("a")
	client.Get("/static/b.txt").Status(404).Contains("our own page")
	client.Get("/static/../a").Status(404)
}
