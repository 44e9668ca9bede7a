package mysql

import (
	"context"
	"errors"
	"sync"
	"time"
)

// pool is the connections to a server. The slots bound how many there are; a connection
// is opened when a slot is free and no connection is idle.
type pool struct {
	open    func(ctx context.Context) (*conn, error)
	slots   chan struct{}
	options Options

	mu     sync.Mutex
	idle   []*conn // used most recently at the end
	reaper *time.Timer
	closed bool
}

var (
	errClosed = errors.New("mysql: the database is closed")
	errQueue  = errors.New("mysql: no connection became free; inside orm.Atomic, use the context that it gives to its function, and close rows that are no longer read")
)

func newPool(options Options, open func(ctx context.Context) (*conn, error)) *pool {
	return &pool{open: open, slots: make(chan struct{}, options.MaxConns), options: options}
}

// take returns a connection, waiting for one if all are taken.
func (p *pool) take(ctx context.Context) (*conn, error) {
	select {
	case p.slots <- struct{}{}:
	default:
		timer := time.NewTimer(p.options.QueueTimeout)
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

// connection returns an idle connection that works, or a new one.
func (p *pool) connection(ctx context.Context) (*conn, error) {
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, errClosed
		}
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return p.open(ctx)
		}
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if time.Since(c.born) < p.options.MaxLifetime && c.healthy(ctx) {
			return c, nil
		}
		_ = c.close()
	}
}

// give returns a connection to the pool, unless it is of no more use.
func (p *pool) give(c *conn) {
	keep := !c.broken.Load()
	if keep {
		c.idleSince = time.Now()
		p.mu.Lock()
		if keep = !p.closed; keep {
			p.idle = append(p.idle, c)
			if p.reaper == nil {
				p.reaper = time.AfterFunc(p.options.MaxIdleTime, p.reap)
			}
		}
		p.mu.Unlock()
	}
	if !keep {
		_ = c.close()
	}
	<-p.slots
}

// reap closes connections that have been idle for too long.
func (p *pool) reap() {
	p.mu.Lock()
	old := time.Now().Add(-p.options.MaxIdleTime)
	n := 0
	for n < len(p.idle) && !p.idle[n].idleSince.After(old) {
		n++
	}
	expired := p.idle[:n:n]
	p.idle = append([]*conn(nil), p.idle[n:]...)
	p.reaper = nil
	if len(p.idle) > 0 && !p.closed {
		p.reaper = time.AfterFunc(time.Until(p.idle[0].idleSince.Add(p.options.MaxIdleTime)), p.reap)
	}
	p.mu.Unlock()
	for _, c := range expired {
		_ = c.close()
	}
}

// close closes the pool when all connections have been given back.
func (p *pool) close() error {
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
