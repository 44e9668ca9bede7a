package retort

import (
	"io"
	"net/http"
)

// response is the outermost writer of a request: whatever is sent passes it.
// It runs the After hooks and commits the session before the first byte, and
// remembers what was sent.
type response struct {
	out    http.ResponseWriter
	c      *Ctx
	status int
	size   int64
	wrote  bool
	closed bool // the hooks that run before the header have run
}

func (w *response) Header() http.Header { return w.out.Header() }

// WriteHeader sends the header. A second call is ignored with a log line, as
// in net/http.
func (w *response) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.out.WriteHeader(status)
		return
	}
	if !w.wrote {
		w.c.beforeHeader(status)
		w.wrote, w.status = true, status
	}
	w.out.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.out.Write(p)
	w.size += int64(n)
	return n, err
}

// WriteString saves the copy that Write([]byte(s)) would make.
func (w *response) WriteString(s string) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	n, err := io.WriteString(w.out, s)
	w.size += int64(n)
	return n, err
}

// ReadFrom keeps the kernel's file to socket copy working.
func (w *response) ReadFrom(r io.Reader) (int64, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	n, err := io.Copy(w.out, r)
	w.size += n
	return n, err
}

// Flush sends what is buffered.
func (w *response) Flush() {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	_ = http.NewResponseController(w.out).Flush()
}

// Unwrap lets an [http.ResponseController] reach the connection.
func (w *response) Unwrap() http.ResponseWriter { return w.out }

var (
	_ http.Flusher    = (*response)(nil)
	_ io.ReaderFrom   = (*response)(nil)
	_ io.StringWriter = (*response)(nil)
)
