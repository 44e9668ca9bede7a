package sqlite

import (
	"context"
	"errors"
	"sync"
	"time"
)

// pool holds connections of one kind. The slots bound how many there are; a
// connection is opened when a slot is free and no connection is idle.
type pool struct {
	open  func(ctx context.Context) (*conn, error)
	slots chan struct{}
	wait  time.Duration // longest wait for a slot

	place  *place
	writes bool

	mu     sync.Mutex
	idle   []*conn
	closed bool
}

var (
	errClosed = errors.New("sqlite: the database is closed")
	errQueue  = errors.New("sqlite: no connection became free; inside orm.Atomic, use the context that it gives to its function, and close rows that are no longer read")
)

func newPool(size int, wait time.Duration, open func(ctx context.Context) (*conn, error)) *pool {
	return &pool{open: open, slots: make(chan struct{}, size), wait: wait}
}

// take returns a connection, waiting for one if all are taken.
func (p *pool) take(ctx context.Context) (*conn, error) {
	select {
	case p.slots <- struct{}{}:
	default:
		timer := time.NewTimer(p.wait)
		defer timer.Stop()
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
			return nil, errQueue
		}
	}
	c, err := p.connection(ctx)
	if err != nil {
		<-p.slots
	}
	return c, err
}

// connection returns an idle connection, or a new one.
func (p *pool) connection(ctx context.Context) (*conn, error) {
	number, err := p.place.look(p.writes)
	if err != nil {
		return nil, err
	}
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, errClosed
		}
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			break
		}
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if c.file == number {
			return c, nil
		}
		_ = c.close() // of the file that was here before
	}
	c, err := p.open(ctx)
	if err == nil {
		c.file = number
	}
	return c, err
}

// give returns a connection to the pool, unless it is of no more use.
func (p *pool) give(c *conn) {
	if c.broken.Load() {
		p.discard(c)
		return
	}
	p.mu.Lock()
	closed := p.closed
	if !closed {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if closed {
		_ = c.close()
	}
	<-p.slots
}

// discard closes a connection that is in an unknown state.
func (p *pool) discard(c *conn) {
	_ = c.close()
	<-p.slots
}

// close closes the pool when all connections have been given back.
func (p *pool) close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	p.mu.Unlock()
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	var errs []error
	for _, c := range p.idle {
		errs = append(errs, c.close())
	}
	p.idle = nil
	for range cap(p.slots) {
		<-p.slots
	}
	return errors.Join(errs...)
}
