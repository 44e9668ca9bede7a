package retort

import (
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"
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

// maxLoggedPath bounds what a hostile path can put into the log.
const maxLoggedPath = 512

// loggedPath returns the path of a request for a log line.
func loggedPath(r *http.Request) string {
	path := r.URL.Path
	if len(path) > maxLoggedPath {
		path = strings.ToValidUTF8(path[:maxLoggedPath], "") + "…"
	}
	if !strings.ContainsFunc(path, deceivesTerminals) {
		return path
	}
	return strings.Map(func(r rune) rune {
		if deceivesTerminals(r) {
			return '\ufffd'
		}
		return r
	}, path)
}

// deceivesTerminals reports control characters that JSON leaves as they are;
// those below it escapes, as the text handler does with all.
func deceivesTerminals(r rune) bool { return r >= 0x7f && r <= 0x9f }

// logAccess logs a request that has ended. Control characters in the path are
// quoted by slog.
func (a *App) logAccess(c *Ctx) {
	status := c.response.status
	if !c.response.wrote {
		status = c.status
	}
	args := make([]slog.Attr, 0, 8)
	args = append(args,
		slog.String("method", c.request.Method), slog.String("path", loggedPath(c.request)), slog.Int("status", status),
		slog.Int64("bytes", c.response.size), slog.Duration("duration", time.Since(c.started)),
	)
	if ip := c.IP(); ip.IsValid() {
		args = append(args, slog.String("remote", ip.String()))
	}
	if c.id != "" {
		args = append(args, slog.String("request_id", c.id))
	}
	a.logger.LogAttrs(c.context(), slog.LevelInfo, "request", args...)
}
