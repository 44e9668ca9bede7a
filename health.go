package retort

import (
	"context"
	"net/http"
	"time"
)

// healthCheck is one condition of being ready.
type healthCheck struct {
	name  string
	check func(ctx context.Context) error
}

// ReadinessCheck adds a condition of being ready to serve, such as an
// answering database. It has two seconds.
func (a *App) ReadinessCheck(name string, check func(ctx context.Context) error) {
	a.life.checks = append(a.life.checks, healthCheck{name, check})
}

// The paths of the health routes.
const (
	healthPath = "/healthz"
	readyPath  = "/readyz"
)

func isHealthPath(path string) bool { return path == healthPath || path == readyPath }

// readinessTimeout bounds one readiness check.
const readinessTimeout = 2 * time.Second

// HealthRoutes adds GET /healthz, which answers 200 while the process lives,
// and GET /readyz, which answers 200 when every readiness check passes and 503
// when one fails or the program is shutting down. Details go to the log; the
// answer names the checks that failed and no more. Both answer for any host
// name, as whoever probes often asks by address.
func (a *App) HealthRoutes() {
	a.life.healthRoutes = true
	a.Get(healthPath, func(c *Ctx) error {
		c.SetHeader("Cache-Control", "no-store")
		return c.Text("ok\n")
	}).Name("healthz")
	a.Get(readyPath, func(c *Ctx) error {
		c.SetHeader("Cache-Control", "no-store")
		if a.draining.Load() {
			return c.Status(http.StatusServiceUnavailable).Text("shutting down\n")
		}
		failed := ""
		for _, h := range a.life.checks {
			ctx, cancel := context.WithTimeout(c, readinessTimeout)
			err := h.check(ctx)
			cancel()
			if err != nil {
				a.logger.Warn("not ready", "check", h.name, "error", err)
				failed += h.name + ": failed\n"
			}
		}
		if failed != "" {
			return c.Status(http.StatusServiceUnavailable).Text(failed)
		}
		return c.Text("ready\n")
	}).Name("readyz")
}
