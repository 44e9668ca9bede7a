package retort

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/retort-web/retort/server"
)

// logger makes the logger that the configuration asks for.
func (cfg *Config) logger() *slog.Logger {
	if cfg.Logger != nil {
		return cfg.Logger
	}
	var level slog.Level
	if cfg.LogLevel != "" {
		_ = level.UnmarshalText([]byte(cfg.LogLevel)) // checked by the config
	} else if cfg.Debug {
		level = slog.LevelDebug
	}
	options := &slog.HandlerOptions{Level: level}
	format := cfg.LogFormat
	if format == "" && (cfg.Debug || isTerminal(os.Stderr)) {
		format = "text"
	}
	if format == "text" {
		return slog.New(slog.NewTextHandler(os.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, options))
}

// isTerminal reports whether a file is a character device, which is near
// enough for choosing a log format.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// logAccess logs a request that has ended.
func (a *App) logAccess(c *Ctx) {
	line := server.AccessLine{
		Method: c.request.Method, Path: c.request.URL.Path, Status: c.response.status, Bytes: c.response.size,
		Duration: time.Since(c.seldom.started), RequestID: c.seldom.id, Aborted: c.broken || errors.Is(c.err, http.ErrAbortHandler),
	}
	if !c.response.wrote {
		line.Status = c.status
	}
	if ip := c.IP(); ip.IsValid() {
		line.Remote = ip.String()
	}
	line.Log(c.context(), a.logger)
}
