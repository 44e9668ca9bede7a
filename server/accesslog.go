package server

import (
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// An AccessLogger writes one line per request. Use [AccessLog] where its defaults do.
type AccessLogger struct {
	// Logger gets the lines, at level Info. Default: slog.Default() at the time of each
	// request.
	Logger *slog.Logger

	// Skip lists the paths that are not logged unless they fail with 5xx, such as
	// "/healthz".
	Skip []string

	// RequestID returns the id of a request, or "". Default: the header X-Request-Id of the
	// response, which middleware further in may set.
	RequestID func(http.ResponseWriter, *http.Request) string

	// Remote returns the address of the client. Default: Request.RemoteAddr, which behind a
	// proxy is the proxy's.
	Remote func(*http.Request) string
}

// AccessLog is a handler that calls next and then writes a line to logger: method, path
// (without the query, which may hold secrets; see [LoggedPath]), status, bytes of the
// body, duration, remote address and request id. Requests for one of the paths in skip are
// logged only if they fail with 5xx.
//
// Control characters in a path arrive in the log as the handler of logger writes them:
// those of log/slog quote them. A panic of next, also http.ErrAbortHandler, is logged with
// status 500 or the status already sent, and goes on.
func AccessLog(next http.Handler, logger *slog.Logger, skip ...string) http.Handler {
	return AccessLogger{Logger: logger, Skip: skip}.Wrap(next)
}

// Wrap returns next with a log line after each request.
func (a AccessLogger) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counted := &countingWriter{ResponseWriter: w}
		// Middleware further in may change the request.
		method, path, start := r.Method, r.URL.Path, time.Now()
		finished := false
		defer func() { a.log(counted, r, method, path, time.Since(start), finished) }()
		next.ServeHTTP(counted, r)
		finished = true
	})
}

func (a AccessLogger) log(w *countingWriter, r *http.Request, method, path string, took time.Duration, finished bool) {
	status := w.status
	switch {
	case status == 0 && finished:
		status = http.StatusOK
	case status == 0:
		status = http.StatusInternalServerError
	}
	if status < 500 && slices.Contains(a.Skip, path) {
		return
	}
	logger := a.Logger
	if logger == nil {
		logger = slog.Default()
	}
	AccessLine{
		Method: method, Path: path, Status: status, Bytes: w.bytes, Duration: took,
		Remote: a.remote(r), RequestID: a.requestID(w, r), Aborted: !finished,
	}.Log(r.Context(), logger)
}

func (a AccessLogger) remote(r *http.Request) string {
	if a.Remote != nil {
		return a.Remote(r)
	}
	return r.RemoteAddr
}

func (a AccessLogger) requestID(w http.ResponseWriter, r *http.Request) string {
	if a.RequestID != nil {
		return a.RequestID(w, r)
	}
	return w.Header().Get("X-Request-Id")
}

// countingWriter notes status and size. It hands on the abilities of the writer below by
// Unwrap, and sends files as that one does.
type countingWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *countingWriter) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.begin()
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

func (w *countingWriter) WriteString(s string) (int, error) {
	w.begin()
	n, err := io.WriteString(w.ResponseWriter, s)
	w.bytes += int64(n)
	return n, err
}

func (w *countingWriter) ReadFrom(src io.Reader) (int64, error) {
	w.begin()
	n, err := io.Copy(w.ResponseWriter, src)
	w.bytes += n
	return n, err
}

// Flush is here for code that asks for http.Flusher rather than a ResponseController.
func (w *countingWriter) Flush() {
	w.begin()
	_ = http.NewResponseController(w.ResponseWriter).Flush() // the interface has no error
}

func (w *countingWriter) begin() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
}
