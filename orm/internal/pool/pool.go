// Package pool keeps the connections of a database whose driver is used without package
// database/sql.
package pool

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Options say what a pool is made of. Wait, IdleTime, Look and Fits may be left out.
type Options[C any] struct {
	// Size is how many connections there are at most.
	Size int
	// Wait is how long Take waits for one; ErrQueue is its error then.
	Wait     time.Duration
	ErrQueue error
	// ErrClosed is the error of a pool that was closed.
	ErrClosed error
	// IdleTime is how long a connection is kept without use. Default: as long as the pool.
	IdleTime time.Duration

	// Look tells before a connection is chosen of which generation it must be. Its error is
	// that of Take. Default: all are of generation 0.
	Look func() (generation int, err error)
	// Open opens a connection.
	Open func(ctx context.Context, generation int) (C, error)
	// Fits reports whether an idle connection may be used; it is closed otherwise.
	// Default: it may.
	Fits func(ctx context.Context, c C, generation int) bool
	// Broken reports whether a connection is of no more use.
	Broken func(c C) bool
	Close  func(c C) error
}

// Pool holds connections of one kind. A connection is opened when there may be one more and
// none is idle.
type Pool[C any] struct {
	options Options[C]

	mu      sync.Mutex
	free    int             // connections that may be taken
	waiting []chan struct{} // each gets one, in the order in which they came
	idle    []idle[C]       // used most recently at the end
	reaper  *time.Timer
	closed  bool
}

type idle[C any] struct {
	conn  C
	since time.Time // where IdleTime is set
}

// New makes a pool.
func New[C any](o Options[C]) *Pool[C] { return &Pool[C]{options: o, free: o.Size} }

// Take returns a connection, waiting for one if all are taken. It must be given back with
// Give or Discard.
func (p *Pool[C]) Take(ctx context.Context) (C, error) {
	if err := p.acquire(ctx, true); err != nil {
		var none C
		return none, err
	}
	c, err := p.connection(ctx)
	if err != nil {
		p.release()
	}
	return c, err
}

// connection returns an idle connection, or a new one.
func (p *Pool[C]) connection(ctx context.Context) (c C, err error) {
	o := &p.options
	generation := 0
	if o.Look != nil {
		if generation, err = o.Look(); err != nil {
			return c, err
		}
	}
	for {
		found, c, err := p.pop()
		switch {
		case err != nil:
			return c, err
		case !found:
			return o.Open(ctx, generation)
		case o.Fits == nil || o.Fits(ctx, c, generation):
			return c, nil
		}
		_ = o.Close(c)
	}
}

// pop takes the idle connection used most recently.
func (p *Pool[C]) pop() (found bool, c C, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	switch {
	case p.closed:
		return false, c, p.options.ErrClosed
	case n == 0:
		return false, c, nil
	}
	c = p.idle[n-1].conn
	p.idle[n-1] = idle[C]{}
	p.idle = p.idle[:n-1]
	return true, c, nil
}

// Give returns a connection to the pool, unless it is of no more use.
func (p *Pool[C]) Give(c C) {
	keep := !p.options.Broken(c)
	if keep {
		entry := idle[C]{conn: c}
		if p.options.IdleTime > 0 {
			entry.since = time.Now()
		}
		p.mu.Lock()
		if keep = !p.closed; keep {
			p.idle = append(p.idle, entry)
			if p.reaper == nil && p.options.IdleTime > 0 {
				p.reaper = time.AfterFunc(p.options.IdleTime, p.reap)
			}
		}
		p.mu.Unlock()
	}
	if !keep {
		_ = p.options.Close(c)
	}
	p.release()
}

// Discard closes a connection that is in an unknown state.
func (p *Pool[C]) Discard(c C) {
	_ = p.options.Close(c)
	p.release()
}

// reap closes connections that have been idle for too long.
func (p *Pool[C]) reap() {
	p.mu.Lock()
	old := time.Now().Add(-p.options.IdleTime)
	n := 0
	for n < len(p.idle) && !p.idle[n].since.After(old) {
		n++
	}
	expired := p.idle[:n:n]
	p.idle = append([]idle[C](nil), p.idle[n:]...)
	p.reaper = nil
	if len(p.idle) > 0 && !p.closed {
		p.reaper = time.AfterFunc(time.Until(p.idle[0].since.Add(p.options.IdleTime)), p.reap)
	}
	p.mu.Unlock()
	for _, entry := range expired {
		_ = p.options.Close(entry.conn)
	}
}

// Close closes the pool when all connections have been given back. It may be called again.
func (p *Pool[C]) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	if p.reaper != nil {
		p.reaper.Stop()
	}
	p.mu.Unlock()
	for range p.options.Size {
		_ = p.acquire(context.Background(), false) // which does not end before it has one
	}
	p.mu.Lock()
	list := p.idle
	p.idle = nil
	p.mu.Unlock()
	var errs []error
	for _, entry := range list {
		errs = append(errs, p.options.Close(entry.conn))
	}
	for range p.options.Size {
		p.release()
	}
	return errors.Join(errs...)
}

// acquire takes the right to a connection. With limit it waits as long as the options say.
func (p *Pool[C]) acquire(ctx context.Context, limit bool) error {
	p.mu.Lock()
	if p.free > 0 {
		p.free--
		p.mu.Unlock()
		return nil
	}
	turn := make(chan struct{}, 1)
	p.waiting = append(p.waiting, turn)
	p.mu.Unlock()
	var end <-chan time.Time
	if limit {
		timer := time.NewTimer(p.options.Wait)
		defer timer.Stop()
		end = timer.C
	}
	err := p.options.ErrQueue
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-end:
	}
	p.leave(turn)
	return err
}

// leave ends a wait. A right that came in the last moment goes to the next.
func (p *Pool[C]) leave(turn chan struct{}) {
	p.mu.Lock()
	for i, other := range p.waiting {
		if other == turn {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			p.mu.Unlock()
			return
		}
	}
	p.mu.Unlock()
	p.release()
}

// release gives back the right to a connection, to who has waited longest.
func (p *Pool[C]) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		p.free++
		return
	}
	turn := p.waiting[0]
	p.waiting = p.waiting[1:]
	turn <- struct{}{} // has room
}
