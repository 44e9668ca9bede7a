package server

import (
	"net/http"
	"strings"
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
		h.answer(w, r)
		return
	}
	cleanHeaders(r)
	switch {
	case !ValidHost(r.Host):
		http.Error(w, "400 Bad Request: malformed authority", http.StatusBadRequest)
	case countHeaders(r.Header) > h.service.maxHeaders:
		http.Error(w, "431 Request Header Fields Too Large", http.StatusRequestHeaderFieldsTooLarge)
	default:
		stream := newStream(w, r, h.service)
		h.answer(stream, r)
		stream.end()
	}
}

func (h *gate) answer(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodTrace || r.Method == "TRACK" {
		// It would echo cookies that scripts must not see. An Allow header, which 405 asks
		// for, depends on the target, which nobody looks at here.
		http.Error(w, "501 Not Implemented: this server does not echo requests", http.StatusNotImplemented)
		return
	}
	if r.URL.Opaque != "" {
		// "javascript:x" is none of the forms of a target (RFC 9112 section 3.2), but
		// net/http takes it for one whose path is empty.
		http.Error(w, "400 Bad Request: malformed request target", http.StatusBadRequest)
		return
	}
	h.next.ServeHTTP(w, r)
}

// cleanHeaders removes the headers of a request whose names contain an underscore. Gateways
// of old turned both "-" and "_" into "_", and a stranger's X_Forwarded_For then passed for the
// proxy's X-Forwarded-For.
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
