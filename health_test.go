package retort_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

func TestHealthRoutes(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	cfg.Hosts = []string{"example.com"}
	app := retort.New(cfg)
	app.HealthRoutes()
	var broken error
	app.ReadinessCheck("database", func(ctx context.Context) error {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("the check has no deadline")
		}
		return broken
	})
	app.ReadinessCheck("cache", func(context.Context) error { return nil })
	client := retorttest.New(t, app)
	client.Host = "example.com"
	client.Get("/healthz").Status(200).HasHeader("Cache-Control", "no-store").Contains("ok")
	client.Head("/healthz").Status(200)
	client.Get("/readyz").Status(200).Contains("ready")
	broken = errors.New("dial tcp 10.0.0.7:5432: refused")
	client.Get("/readyz").Status(503).HasHeader("Cache-Control", "no-store").Contains("database: failed").Lacks("10.0.0.7", "cache")
	client.Get("/healthz").Status(200)
	if !strings.Contains(log.String(), "10.0.0.7") || strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("log: %s", log)
	}
}

func TestHealthIsTheSameUnderAnyHost(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.Hosts = []string{"example.com"}
	app := retort.New(cfg)
	app.HealthRoutes()
	app.Get("/", text("home"))
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/": 400, "/healthz/x": 400} {
		if rec := ask(app, "GET", path, func(r *http.Request) { r.Host = "10.1.2.3:8080" }); rec.Code != want {
			t.Errorf("%s: %d, want %d", path, rec.Code, want)
		}
	}
	if rec := ask(app, "GET", "/healthz", func(r *http.Request) { r.Host = "a b" }); rec.Code != 400 {
		t.Errorf("a malformed host: %d", rec.Code)
	}
}

func TestNoHealthRoutesUnlessAskedFor(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	retorttest.New(t, app).Get("/healthz").Status(404)
}
