package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log"
	"log/slog"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A service is the state of one Run.
type service struct {
	server       *Server
	logger       *slog.Logger
	listener     net.Listener
	tls          *tls.Config
	maxHeaders   int
	headTimeout  time.Duration
	writeTimeout time.Duration
	pace         pace
	http1, http2 *http.Server
	feed1, feed2 *feed

	draining  chan struct{}
	isClosing atomic.Bool  // the listener takes no more than what already queues
	arriving  atomic.Int64 // connections in their TLS handshake or their first bytes

	mu     sync.Mutex
	guards map[*guard]struct{}
}

func newService(ctx context.Context, s *Server) (*service, error) {
	v := &service{
		server:       s,
		logger:       s.Logger,
		maxHeaders:   number(s.MaxHeaders, DefaultMaxHeaders),
		headTimeout:  duration(s.ReadHeaderTimeout, DefaultReadHeaderTimeout),
		writeTimeout: duration(s.WriteTimeout, DefaultWriteTimeout),
		draining:     make(chan struct{}),
		guards:       make(map[*guard]struct{}),
	}
	if v.logger == nil {
		v.logger = slog.Default()
	}
	if v.maxHeaders == 0 {
		v.maxHeaders = math.MaxInt
	}
	allowance := duration(s.ReadTimeout, DefaultReadTimeout)
	v.pace = pace{allowance: allowance, most: allowance, rate: max(1, number(s.MinReadRate, DefaultMinReadRate))}
	if err := v.setTLS(); err != nil {
		return nil, err
	}
	var err error
	if v.listener, err = s.listen(ctx); err != nil {
		return nil, err
	}
	v.feed1, v.feed2 = newFeed(v.listener.Addr()), newFeed(v.listener.Addr())
	v.http1 = v.newHTTP(ctx)
	v.http1.Protocols = new(http.Protocols)
	v.http1.Protocols.SetHTTP1(true)
	v.http1.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, guardKey{}, c.(guarded).self())
	}
	v.http1.ConnState = func(c net.Conn, state http.ConnState) {
		switch state {
		case http.StateIdle:
			c.(guarded).self().endRequest()
		case http.StateHijacked:
			c.(guarded).self().stepAside()
		}
	}
	v.http2 = v.newHTTP(ctx)
	v.http2.Protocols = new(http.Protocols)
	v.http2.Protocols.SetHTTP2(true)
	v.http2.Protocols.SetUnencryptedHTTP2(s.H2C)
	v.http2.TLSConfig = v.tls.Clone() // net/http writes into it
	v.http2.HTTP2 = &http.HTTP2Config{
		WriteByteTimeout: v.writeTimeout,
		SendPingTimeout:  v.http2.IdleTimeout,
	}
	return v, nil
}

func (v *service) setTLS() error {
	s := v.server
	if !s.TLS.Active(s.CertFile, s.KeyFile) {
		if s.CertFile != "" || s.KeyFile != "" {
			return errors.New("server: a certificate file is named, but the program was built without TLS; set Server.TLS to server.TLSFiles(\"\", \"\")")
		}
		return nil
	}
	t := s.TLS.names(s.CertFile, s.KeyFile)
	var err error
	v.tls, err = t.prepare(t, v.logger)
	return err
}

func (v *service) newHTTP(ctx context.Context) *http.Server {
	s := v.server
	base := func(net.Listener) context.Context {
		base := context.WithoutCancel(ctx)
		if s.BaseContext != nil {
			base = s.BaseContext(v.listener)
		}
		return context.WithValue(base, drainingKey{}, v.draining)
	}
	handler := s.Handler
	if handler == nil {
		handler = http.DefaultServeMux
	}
	return &http.Server{
		Handler:           &gate{next: handler, service: v},
		BaseContext:       base,
		ReadHeaderTimeout: v.headTimeout,
		IdleTimeout:       duration(s.IdleTimeout, DefaultIdleTimeout),
		MaxHeaderBytes:    cmp.Or(number(s.MaxHeaderBytes, DefaultMaxHeaderBytes), math.MaxInt32),
		ErrorLog:          log.New(errorLog{v.logger}, "", 0),
	}
}

func (v *service) forget(g *guard) {
	v.mu.Lock()
	delete(v.guards, g)
	v.mu.Unlock()
}

func (v *service) refused(remote net.Addr, why violation) {
	v.logger.Debug("server: request refused", "remote", remote, "reason", string(why))
}

func (v *service) isDraining() bool {
	select {
	case <-v.draining:
		return true
	default:
		return false
	}
}

// errorLog sorts what net/http says by who is at fault.
type errorLog struct{ logger *slog.Logger }

func (l errorLog) Write(p []byte) (int, error) {
	text := strings.TrimSuffix(string(p), "\n")
	level := slog.LevelWarn
	switch {
	case strings.Contains(text, ": panic serving "):
		level = slog.LevelError
	case strings.HasPrefix(text, "http: URL query contains semicolon"), strings.HasPrefix(text, "http2: "):
		level = slog.LevelDebug
	}
	l.logger.Log(context.Background(), level, text)
	return len(p), nil
}
