package devserver

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// A gate stands between the requests and the program. It is open while the
// program serves, closed while it is built or started, and failed when that
// did not work. Requests wait at a closed gate.
type gate struct {
	// wake gets a value when a request meets a program that has stopped by
	// itself and might run again.
	wake chan struct{}

	mu      sync.Mutex
	closed  bool
	process *process
	failure *failure
	changed chan struct{} // closed at each change of the above
	streams map[*stream]struct{}
}

// errHeld is what a request gets that has waited too long.
var errHeld = errors.New("devserver: the program is still being built")

func newGate() *gate {
	return &gate{wake: make(chan struct{}, 1), closed: true, changed: make(chan struct{}), streams: map[*stream]struct{}{}}
}

func (g *gate) set(closed bool, p *process, f *failure) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed, g.process, g.failure = closed, p, f
	close(g.changed)
	g.changed = make(chan struct{})
}

func (g *gate) hold() {
	select {
	case <-g.wake: // an attempt begins, so this wish is granted
	default:
	}
	g.set(true, nil, nil)
}

func (g *gate) open(p *process) { g.set(false, p, nil) }

func (g *gate) fail(f *failure) { g.set(false, nil, f) }

func (g *gate) serves(p *process) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.closed && g.process == p
}

// pass waits until the gate is open or failed. Not names a process that the
// caller has found dead: it waits for another one.
func (g *gate) pass(ctx context.Context, limit time.Duration, not *process) (*process, *failure, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		g.mu.Lock()
		closed, p, f, changed := g.closed, g.process, g.failure, g.changed
		g.mu.Unlock()
		switch {
		case closed || p != nil && p == not:
		case f != nil && f.stopped && f.shown.Swap(true):
			select {
			case g.wake <- struct{}{}:
			default:
			}
		default:
			return p, f, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-timer.C:
			return nil, nil, errHeld
		}
	}
}

// A stream is a request whose answer may be one that ends only when somebody
// ends it: server-sent events, a WebSocket.
type stream struct {
	request *http.Request // as it came in
	cancel  context.CancelFunc
}

func (g *gate) addStream(s *stream) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.streams[s] = struct{}{}
}

func (g *gate) removeStream(s *stream) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.streams, s)
}

// drain ends the streams, so that the old program can stop at once.
func (g *gate) drain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for s := range g.streams {
		s.cancel()
	}
	clear(g.streams)
}
