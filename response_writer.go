package retort

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
)

// response is what handlers write to: the outermost writer of a request, and
// one more around each writer that middleware puts in its place. Before the
// first byte it runs the After hooks and commits the session; it remembers
// what was sent.
type response struct {
	out    http.ResponseWriter
	c      *Ctx
	status int
	size   int64
	wrote  bool
}

func (w *response) Header() http.Header { return w.out.Header() }

// WriteHeader sends the header. A second call is ignored with a log line, as
// in net/http.
func (w *response) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.out.WriteHeader(status)
		return
	}
	w.begin(status)
	w.out.WriteHeader(status)
}

// begin notes that an answer of that status begins.
func (w *response) begin(status int) {
	if w.wrote {
		return
	}
	if !w.c.begun {
		w.c.beforeHeader(status)
		if w.c.body != nil {
			w.c.body.leave()
		}
		w.c.begun, w.c.response.status = true, status
	}
	w.wrote, w.status = true, status
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

// Hijack gives the connection to the caller, as for a WebSocket. It fails over
// HTTP/2.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.out).Hijack()
	if err == nil {
		w.c.closed, w.c.begun = true, true
		w.wrote, w.status = true, http.StatusSwitchingProtocols
	}
	return conn, rw, err
}

// Unwrap lets an [http.ResponseController] reach the connection.
func (w *response) Unwrap() http.ResponseWriter { return w.out }

var (
	_ http.Flusher    = (*response)(nil)
	_ http.Hijacker   = (*response)(nil)
	_ io.ReaderFrom   = (*response)(nil)
	_ io.StringWriter = (*response)(nil)
)

// limitedBody refuses a request's body beyond [Limits].Body. The limit is that
// of the route once it is known.
type limitedBody struct {
	x      *exchange
	source io.ReadCloser
	taken  atomic.Int64 // a proxy reads on while it answers
	ended  atomic.Bool
}

// Read takes one byte more than the limit allows to know that there is one.
func (b *limitedBody) Read(p []byte) (int, error) {
	limit := int64(b.x.limits().Body)
	left := limit - b.taken.Load()
	if left < 0 {
		return 0, &http.MaxBytesError{Limit: limit}
	}
	if int64(len(p))-1 > left {
		p = p[:left+1]
	}
	n, err := b.source.Read(p)
	b.taken.Add(int64(n))
	if int64(n) > left {
		b.x.hangUp()
		return int(left), &http.MaxBytesError{Limit: limit}
	}
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		b.ended.Store(true)
	default:
		err = unreadable(err)
	}
	return n, err
}

// unreadable makes a fault of the request of a body that breaks off or is framed
// wrongly, for handlers that read it themselves and return the error.
func unreadable(err error) error {
	if errors.Is(err, http.ErrBodyReadAfterClose) {
		return err // the handler's own fault
	}
	if status, _ := statusOf(err); status != http.StatusInternalServerError && status != http.StatusGatewayTimeout {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return NewError(http.StatusRequestTimeout, "The request body did not arrive in time.").Wrap(err)
	}
	return BadRequest("The request body could not be read to its end.").Wrap(err)
}

func (b *limitedBody) Close() error { return b.source.Close() }

// maxUnread is how much of a body that no handler has read net/http reads
// itself, before it sends the answer, to keep the connection.
const maxUnread = 256 << 10

// leave gives the connection up, before the header of the answer is sent, if
// net/http would wait for a body that is too long to be worth it, or that does
// not come: the client asked first, by "Expect: 100-continue". It sees to that
// itself only where the body is its own.
func (b *limitedBody) leave() {
	r := b.x.request
	if b.ended.Load() || r.ProtoMajor != 1 {
		return
	}
	if r.Header["Expect"] == nil && r.ContentLength-b.taken.Load() <= maxUnread {
		return
	}
	b.x.response.out.Header()["Connection"] = []string{"close"}
	b.x.hangUp()
}

// hangUp makes net/http close the connection after the answer, and wait a moment
// with it, so that the answer gets through to a client that is still sending.
// Only its own reader can tell it so.
func (x *exchange) hangUp() {
	_, _ = http.MaxBytesReader(x.response.out, io.NopCloser(strings.NewReader("x")), 0).Read(make([]byte, 1))
}
