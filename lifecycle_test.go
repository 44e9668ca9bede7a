package retort_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/retort-web/retort"
)

func TestLifecycleOrder(t *testing.T) {
	t.Parallel()
	type key struct{}
	var mu sync.Mutex
	var order []string
	note := func(s string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, s)
	}
	cfg := quiet()
	cfg.Addr = "127.0.0.1:0"
	app := retort.New(cfg)
	app.ExtendContext(func(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, "database") })
	app.OnStartup(func(ctx context.Context) error { note("startup 1 " + ctx.Value(key{}).(string)); return nil })
	app.OnStartup(func(context.Context) error { note("startup 2"); return nil })
	app.OnShutdown(func(ctx context.Context) error { note("shutdown 1 " + ctx.Value(key{}).(string)); return nil })
	app.OnShutdown(func(context.Context) error { note("shutdown 2"); return nil })
	app.OnReady(func(net.Addr) { note("ready 1") })
	app.OnReady(func(net.Addr) { panic("in a ready hook") })
	app.Get("/", func(c *retort.Ctx) error {
		app.Go("mail", func(ctx context.Context) {
			<-ctx.Done()
			note("background " + ctx.Value(key{}).(string))
		})
		note("request")
		return c.NoContent()
	})
	addr, stop := serving(t, app)
	res, err := http.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if err := stop(); err != nil {
		t.Error(err)
	}
	want := []string{"startup 1 database", "startup 2", "ready 1", "request", "background database", "shutdown 2", "shutdown 1 database"}
	if !slices.Equal(order, want) {
		t.Errorf("order\n%s\nwant\n%s", strings.Join(order, "\n"), strings.Join(want, "\n"))
	}
	if err := app.Shutdown(context.Background()); err != nil || len(order) != len(want) {
		t.Errorf("a second shutdown: %v, %q", err, order)
	}
}

func TestStartupThatFails(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	app.OnStartup(func(context.Context) error { return errors.New("no database") })
	app.OnStartup(func(context.Context) error { t.Error("the second hook ran"); return nil })
	app.Get("/", func(*retort.Ctx) error { t.Error("the handler ran"); return nil })
	for range 3 {
		if rec := ask(app, "GET", "/", nil); rec.Code != 500 || strings.Contains(rec.Body.String(), "database") {
			t.Errorf("%d %q", rec.Code, rec.Body)
		}
	}
	if strings.Count(log.String(), "no database") != 1 {
		t.Errorf("log: %s", log)
	}
	if err := app.Serve(t.Context()); err == nil || err.Error() != "no database" {
		t.Errorf("Serve: %v", err)
	}
}

func TestRequestsWaitForTheStartup(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	var started atomic.Bool
	app.OnStartup(func(ctx context.Context) error {
		time.Sleep(20 * time.Millisecond)
		started.Store(true)
		return ctx.Err()
	})
	app.Get("/", func(c *retort.Ctx) error {
		if !started.Load() {
			t.Error("served before the startup hooks had ended")
		}
		return c.NoContent()
	})
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			cancel() // a first client that goes away does not spoil the start
			ask(app, "GET", "/", func(r *http.Request) { *r = *r.WithContext(ctx) })
		})
		time.Sleep(2 * time.Millisecond)
	}
	group.Wait()
	if rec := ask(app, "GET", "/", nil); rec.Code != 204 {
		t.Errorf("status %d", rec.Code)
	}
}

func TestGoSurvivesAPanic(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	app.Go("report", func(context.Context) { panic("in the background") })
	if err := app.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if got := log.String(); !strings.Contains(got, "panic in report") || !strings.Contains(got, "in the background") || !strings.Contains(got, "lifecycle_test.go") {
		t.Errorf("log: %s", got)
	}
}

func TestShutdownDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	release := make(chan struct{})
	defer close(release)
	app.Go("stubborn", func(context.Context) { <-release })
	closed := false
	app.OnShutdown(func(context.Context) error { closed = true; return errors.New("close: broken") })
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	err := app.Shutdown(ctx)
	if err == nil || !strings.Contains(err.Error(), "did not end in time") || !strings.Contains(err.Error(), "close: broken") || !closed {
		t.Errorf("error %v, closed %v", err, closed)
	}
}

func TestShutdownHookThatPanics(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	closed := false
	app.OnShutdown(func(context.Context) error { closed = true; return nil })
	app.OnShutdown(func(context.Context) error { panic("cannot close") })
	err := app.Shutdown(context.Background())
	if err == nil || !strings.Contains(err.Error(), "cannot close") || !closed || !strings.Contains(log.String(), "lifecycle_test.go") {
		t.Errorf("error %v, closed %v, log %s", err, closed, log)
	}
}

func TestLateDescriptionsPanicWithTheirPlace(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	route := app.Get("/", text("home"))
	if err := app.Prepare(); err != nil {
		t.Fatal(err)
	}
	for what, late := range map[string]func(){
		"a route":            func() { app.Get("/late", text("")) },
		"a route's name":     func() { route.Name("late") },
		"middleware":         func() { app.Use(func(h retort.Handler) retort.Handler { return h }) },
		"route middleware":   func() { route.Use() },
		"a Before hook":      func() { app.Before(text("")) },
		"an After hook":      func() { app.After(text("")) },
		"a Teardown hook":    func() { app.Teardown(nil) },
		"an error handler":   func() { app.OnStatus(404, nil) },
		"a blueprint":        func() { app.Register(retort.NewBlueprint("late")) },
		"a setting":          func() { app.SetConfig(func(*retort.Config) {}) },
		"a converter":        func() { app.Converter("late", nil) },
		"a session store":    func() { app.SessionStore(nil) },
		"a template filter":  func() { app.TemplateFilter("late", nil) },
		"a template global":  func() { app.TemplateGlobal("late", nil) },
		"a template context": func() { app.TemplateContext(nil) },
		"a render hook":      func() { app.OnRender(nil) },
		"a debug section":    func() { app.DebugSection(nil) },
		"an error transl":    func() { app.TranslateError(nil) },
		"a route's setting":  func() { route.DisableCSRF() },
		"a route's limit":    func() { route.BodyLimit(1) },
		"a route's host":     func() { route.Host("x") },
		"health as a route":  func() { app.HealthRoutes() },
		"a mounted handler":  func() { app.Mount("/x", app) },
		"an error type":      func() { retort.OnError(app, func(*retort.Ctx, *rowError) error { return nil }) },
		"an extension":       func() { app.Install(retort.NewBlueprint("later")) },
		"a startup hook":     func() { app.OnStartup(nil) },
	} {
		func() {
			defer func() {
				if v, _ := recover().(string); !strings.Contains(v, "lifecycle_test.go:") || !strings.Contains(v, "before the first request") {
					t.Errorf("%s: %q", what, v)
				}
			}()
			late()
		}()
	}
}

func TestServeOnAUnixSocket(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "s") // short: the path of a socket has about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	cfg, log := logged()
	cfg.Addr = "unix:" + filepath.Join(dir, "app.sock")
	cfg.TrustedProxies, cfg.AccessLog = []string{"unix"}, true
	app := retort.New(cfg)
	app.Get("/", who)
	addr, stop := serving(t, app)
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", addr)
	}}}
	r, err := http.NewRequest("GET", "http://localhost/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Forwarded-For", "198.51.100.7")
	r.Header.Set("X-Forwarded-Proto", "https")
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	client.CloseIdleConnections()
	if err != nil || string(body) != "198.51.100.7 https localhost" {
		t.Errorf("%q, %v", body, err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "remote=198.51.100.7") {
		t.Errorf("log: %s", log)
	}
	if _, err := os.Stat(filepath.Join(dir, "app.sock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}
