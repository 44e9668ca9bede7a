package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// ErrInterrupted is what Run returns if a second signal ended it before all requests were
// answered.
var ErrInterrupted = errors.New("server: interrupted while draining")

// ErrShutdownTimeout is what Run's error wraps if requests had to be cut after
// ShutdownTimeout.
var ErrShutdownTimeout = errors.New("server: draining took too long")

// drainTick is how often connections are looked at while draining.
const drainTick = 10 * time.Millisecond

// Run serves until ctx ends or the process gets SIGTERM or SIGINT, then drains and returns
// nil if every request was answered:
//
//  1. OnDraining is called and the channel of [Draining] closed. From now on
//     responses carry "Connection: close".
//  2. After DrainDelay the listener is closed, once the connections that wait in its queue are accepted.
//  3. Requests under way get their answers. A connection that brings no request for IdleGrace is
//     closed, HTTP/2 connections are told to go away.
//  4. What is not done after ShutdownTimeout is cut, and the error wraps [ErrShutdownTimeout].
//     A second signal does the same at once, and gives [ErrInterrupted].
//
// Connections that a handler took over (WebSocket) are the handler's to end. An error
// before serving, such as a port in use, says what to do.
func (s *Server) Run(ctx context.Context) error {
	// Before listening: whoever sees the port open may send a signal at once.
	signals := make(chan os.Signal, 2)
	if !s.IgnoreSignals {
		signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
		defer signal.Stop(signals)
	}
	v, err := newService(ctx, s)
	if err != nil {
		return err
	}
	accepting := make(chan error, 1)
	go v.serve(v.http1, v.feed1)
	go v.serve(v.http2, v.feed2)
	go func() { accepting <- v.accept() }()
	defer v.end()
	if s.OnReady != nil {
		s.OnReady(v.listener.Addr())
	}
	var failure error
	select {
	case <-ctx.Done():
	case got := <-signals:
		v.logger.Debug("server: draining", "signal", got.String())
	case failure = <-accepting:
		accepting <- nil
	}
	return errors.Join(failure, v.drain(accepting, signals))
}

// serve runs one of the HTTP versions. It fails only for a TLS configuration that HTTP/2
// forbids.
func (v *service) serve(s *http.Server, f *feed) {
	if err := s.Serve(f); !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
		v.logger.Error("server: HTTP is not served", "error", err)
	}
}

// end frees everything, also after a panic of a hook.
func (v *service) end() {
	v.listener.Close()
	v.http1.Close()
	v.http2.Close()
	v.feed1.Close()
	v.feed2.Close()
	for _, g := range v.open() {
		g.Close()
	}
}

func (v *service) drain(accepting <-chan error, signals <-chan os.Signal) error {
	close(v.draining)
	if v.server.OnDraining != nil {
		v.server.OnDraining()
	}
	if delay := v.server.DrainDelay; delay > 0 {
		select {
		case <-time.After(delay):
		case <-signals:
			return ErrInterrupted
		}
	}
	if err := v.closeListener(accepting); err != nil {
		return err
	}
	timeout := duration(v.server.ShutdownTimeout, DefaultShutdownTimeout)
	var tooLate <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		tooLate = timer.C
	}
	ticks := time.NewTicker(drainTick)
	defer ticks.Stop()
	var ended chan error // of HTTP/2, once it was told
	for {
		if ended == nil && v.arriving.Load() == 0 {
			ended = make(chan error, 1)
			go func() { ended <- v.http2.Shutdown(context.Background()) }()
		}
		open := v.open()
		if len(open) == 0 {
			select {
			case err := <-ended:
				return err
			default:
			}
		}
		v.hush(open)
		select {
		case <-ticks.C:
		case <-signals:
			return ErrInterrupted
		case <-tooLate:
			return fmt.Errorf("%w: cut what was left after %v (%d HTTP/1 connections)", ErrShutdownTimeout, timeout, len(open))
		}
	}
}

func (v *service) open() []*guard {
	v.mu.Lock()
	defer v.mu.Unlock()
	open := make([]*guard, 0, len(v.guards))
	for g := range v.guards {
		open = append(open, g)
	}
	return open
}

// hush ends the connections that were idle for IdleGrace.
func (v *service) hush(open []*guard) {
	now := time.Now()
	grace := duration(v.server.IdleGrace, DefaultIdleGrace)
	for _, g := range open {
		begun := g.begun.Load()
		if !g.idle() || g.quietSince.IsZero() || g.quietCount != begun {
			g.quietCount, g.quietSince = begun, now
			continue
		}
		if now.Sub(g.quietSince) >= grace {
			g.interrupt()
		}
	}
}
