package devserver

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"time"
)

// handler answers what belongs to the server itself and passes on the rest.
func (s *Server) handler() http.Handler {
	proxy := s.proxy()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.NoReload && r.Method == http.MethodGet {
			switch r.URL.Path {
			case reloadScriptPath:
				s.reloader.serveScript(w, r)
				return
			case reloadEventsPath:
				s.reloader.serveEvents(w, r)
				return
			}
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		one := &stream{cancel: cancel, request: r}
		defer s.gate.removeStream(one)
		r = r.WithContext(context.WithValue(ctx, streamKey{}, one))
		if r.Body != nil {
			r.Body = &keptBody{ReadCloser: r.Body}
		}
		proxy.ServeHTTP(w, r)
	})
}

// streamKey finds a request's stream on its context.
type streamKey struct{}

// keptBody is a request's body that outlives a connection that was refused:
// it is closed by the server, when the request is over.
type keptBody struct {
	io.ReadCloser
	touched bool
}

func (b *keptBody) Read(p []byte) (int, error) {
	b.touched = true
	return b.ReadCloser.Read(p)
}

func (b *keptBody) Close() error { return nil }

func (s *Server) proxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme = "http"
			r.Out.Host = r.In.Host
			// The chain of a tunnel in front is kept: the program must see that
			// its client is not on this machine.
			r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
			r.SetXForwarded()
			if !s.NoReload && wantsHTML(r.In) {
				r.Out.Header.Set("Accept-Encoding", "identity") // so that the page can be added to
			}
		},
		Transport:     &heldTransport{server: s, base: newTransport()},
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0), // what matters becomes a page
		ModifyResponse: func(r *http.Response) error {
			if one, ok := r.Request.Context().Value(streamKey{}).(*stream); ok && endless(r) {
				s.gate.addStream(one)
			}
			if s.NoReload {
				return nil
			}
			return s.reloader.inject(r)
		},
		ErrorHandler: s.proxyError,
	}
}

// endless answers end when somebody ends them.
func endless(r *http.Response) bool {
	return r.StatusCode == http.StatusSwitchingProtocols || strings.HasPrefix(r.Header.Get("Content-Type"), "text/event-stream")
}

// proxyError answers when the program did not.
func (s *Server) proxyError(w http.ResponseWriter, r *http.Request, err error) {
	if one, ok := r.Context().Value(streamKey{}).(*stream); ok {
		r = one.request
	}
	var failed *failedError
	switch {
	case errors.As(err, &failed):
		s.showFailure(w, r, failed.failure)
	case errors.Is(err, errHeld):
		s.showFailure(w, r, &failure{title: "The program is still being built", cause: errHeld})
	case r.Context().Err() != nil:
		// The client went away, or the stream was ended for a restart.
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		s.showFailure(w, r, &failure{title: "The program broke off its answer", cause: err})
	}
}

// A failedError carries the page to show through the reverse proxy.
type failedError struct{ failure *failure }

func (e *failedError) Error() string { return "devserver: " + e.failure.title }

// newTransport keeps connections to the program. It asks for no compression of
// its own: the client gets what the program sent.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		DisableCompression:  true,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     30 * time.Second,
	}
}

// A heldTransport sends each request to the program that serves now, after
// waiting for it. A request that met a program on its way out is sent again to
// the next one, if nothing of it can have been acted on.
type heldTransport struct {
	server *Server
	base   *http.Transport
}

// maxTries bounds how many dying programs one request may meet.
const maxTries = 5

func (t *heldTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	var dead *process
	for try := 1; ; try++ {
		p, failed, err := t.server.gate.pass(r.Context(), t.server.Hold, dead)
		switch {
		case err != nil:
			return nil, err
		case failed != nil:
			return nil, &failedError{failed}
		}
		response, err := t.base.RoundTrip(addressed(r, p.addr))
		if err == nil || r.Context().Err() != nil || try == maxTries || !repeatable(r, err) {
			return response, err
		}
		// The process is being replaced, or the gate will soon learn of its end.
		if p.isEnding(time.Second) {
			dead = p
		}
	}
}

// addressed is a copy of r that goes to addr; its Host header stays.
func addressed(r *http.Request, addr string) *http.Request {
	sent, target := *r, *r.URL
	target.Host = addr
	sent.URL = &target
	return &sent
}

// repeatable reports whether the program cannot have acted on the request: the
// connection was refused before anything was read of the body, or the method
// promises to change nothing.
func repeatable(r *http.Request, err error) bool {
	body, kept := r.Body.(*keptBody)
	if kept && body.touched {
		return false
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return true
	}
	return r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
}
