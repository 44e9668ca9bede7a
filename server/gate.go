package server

import (
	"io"
	"net/http"
	"strings"
	"time"
)

type guardKey struct{}

// gate is the outermost handler.
type gate struct {
	next    http.Handler
	service *service
}

func (h *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 {
		if g, ok := r.Context().Value(guardKey{}).(*guard); !ok || g.underscore.Load() {
			cleanHeaders(r)
		}
		if h.service.isDraining() {
			w.Header().Set("Connection", "close")
		}
	} else {
		cleanHeaders(r)
		if !ValidHost(r.Host) {
			http.Error(w, "400 Bad Request: malformed authority", http.StatusBadRequest)
			return
		}
		if countHeaders(r.Header) > h.service.maxHeaders {
			http.Error(w, "431 Request Header Fields Too Large", http.StatusRequestHeaderFieldsTooLarge)
			return
		}
		if h.service.pace.allowance > 0 && r.Body != nil && r.Body != http.NoBody {
			r.Body = &pacedBody{ReadCloser: r.Body, control: http.NewResponseController(w), pace: h.service.pace}
		}
	}
	if r.Method == http.MethodTrace || r.Method == "TRACK" {
		// It would echo cookies that scripts must not see. An Allow header, which 405
		// asks for, depends on the target, which nobody looks at here.
		http.Error(w, "501 Not Implemented: this server does not echo requests", http.StatusNotImplemented)
		return
	}
	h.next.ServeHTTP(w, r)
}

// CleanHeaders removes the headers of a request whose names contain an underscore before next sees
// it. Gateways of old turned both "-" and "_" into "_", and a stranger's X_Forwarded_For
// then passed for the proxy's X-Forwarded-For. [Server] does this by itself.
func CleanHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cleanHeaders(r)
		next.ServeHTTP(w, r)
	})
}

func cleanHeaders(r *http.Request) {
	for name := range r.Header {
		if strings.IndexByte(name, '_') >= 0 {
			delete(r.Header, name)
		}
	}
}

func countHeaders(h http.Header) (n int) {
	for _, values := range h {
		n += len(values)
	}
	return n
}

// pacedBody keeps the body of an HTTP/2 request to its pace.
type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	pace    pace
	armed   time.Time
}

func (b *pacedBody) Read(p []byte) (int, error) {
	start := time.Now()
	if until := b.pace.until(start); until.Before(b.armed) || b.armed.Sub(start) < b.pace.allowance/2 {
		b.armed = until
		b.control.SetReadDeadline(until)
	}
	n, err := b.ReadCloser.Read(p)
	b.pace.spend(time.Since(start), n)
	if err != nil {
		b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
