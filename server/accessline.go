package server

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// AccessLine is what the log says about one request. [AccessLog] writes it for any handler;
// a framework that knows more about its requests fills it in itself.
type AccessLine struct {
	Method    string
	Path      string // as [LoggedPath] shows it
	Status    int
	Bytes     int64 // of the body
	Duration  time.Duration
	Remote    string // left out if empty
	RequestID string // left out if empty
	Aborted   bool   // the answer was cut
}

// Log writes the line to logger, at level Info. The request's context may have ended: the line
// is wanted all the same.
func (l AccessLine) Log(ctx context.Context, logger *slog.Logger) {
	if !logger.Enabled(ctx, slog.LevelInfo) {
		return
	}
	var attrs [8]slog.Attr
	line := append(attrs[:0],
		slog.String("method", cutMethod(l.Method)),
		slog.String("path", LoggedPath(l.Path)),
		slog.Int("status", l.Status),
		slog.Int64("bytes", l.Bytes),
		slog.Duration("duration", l.Duration))
	if l.Remote != "" {
		line = append(line, slog.String("remote", l.Remote))
	}
	if l.RequestID != "" {
		line = append(line, slog.String("request_id", l.RequestID))
	}
	if l.Aborted {
		line = append(line, slog.Bool("aborted", true))
	}
	logger.LogAttrs(context.WithoutCancel(ctx), slog.LevelInfo, "request", line...)
}

// maxLoggedPath and maxLoggedMethod are how many bytes of what a stranger chose are logged.
const (
	maxLoggedPath   = 512
	maxLoggedMethod = 16
)

func cutMethod(method string) string {
	if len(method) > maxLoggedMethod {
		return method[:maxLoggedMethod] + "…"
	}
	return method
}

// LoggedPath returns the path of a request as it may stand in a log: cut after 512 bytes, and
// without the control characters that the handlers of log/slog leave as they are.
func LoggedPath(path string) string {
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

// deceivesTerminals reports control characters that JSON leaves as they are; those below it
// escapes, as the text handler does with all.
func deceivesTerminals(r rune) bool { return r >= 0x7f && r <= 0x9f }
