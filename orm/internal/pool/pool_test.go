package pool_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/retort-web/retort/orm/internal/pool"
)

type conn struct {
	broken, closed atomic.Bool
	inUse          atomic.Bool
	generation     int
}

var (
	errQueue  = errors.New("queue")
	errClosed = errors.New("closed")
)

// options are those of a pool that counts in opened.
func options(size int, opened *atomic.Int64) pool.Options[*conn] {
	return pool.Options[*conn]{
		Size: size, Wait: time.Second, ErrQueue: errQueue, ErrClosed: errClosed,
		Open: func(_ context.Context, generation int) (*conn, error) {
			opened.Add(1)
			return &conn{generation: generation}, nil
		},
		Broken: func(c *conn) bool { return c.broken.Load() },
		Close: func(c *conn) error {
			if c.closed.Swap(true) {
				return errors.New("closed twice")
			}
			return nil
		},
	}
}

func take(t *testing.T, p *pool.Pool[*conn]) *conn {
	t.Helper()
	c, err := p.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestConnectionsAreUsedAgainUnlessBroken(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	p := pool.New(options(2, &opened))
	first := take(t, p)
	p.Give(first)
	if again := take(t, p); again != first || opened.Load() != 1 {
		t.Error("a connection that works is not used again")
	}
	first.broken.Store(true)
	p.Give(first)
	second := take(t, p)
	if second == first || !first.closed.Load() {
		t.Error("a broken connection is used again, or was not closed")
	}
	p.Discard(second)
	if third := take(t, p); third == second || !second.closed.Load() || opened.Load() != 3 {
		t.Error("a discarded connection is used again, or was not closed")
	}
}

func TestWaitingEndsInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var opened atomic.Int64
		p := pool.New(options(1, &opened))
		only := take(t, p)
		if _, err := p.Take(t.Context()); !errors.Is(err, errQueue) {
			t.Error("after the longest wait:", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var order []int
		for i := range 4 {
			go func() {
				own := t.Context()
				if i == 1 {
					own = ctx
				}
				c, err := p.Take(own)
				if (err != nil) != (i == 1) || i == 1 && !errors.Is(err, context.Canceled) {
					t.Error(i, err)
				}
				if err == nil {
					order = append(order, i)
					p.Give(c)
				}
			}()
			synctest.Wait()
		}
		cancel()
		synctest.Wait()
		p.Give(only)
		synctest.Wait()
		if len(order) != 3 || order[0] != 0 || order[1] != 2 || order[2] != 3 {
			t.Error("served in the order", order)
		}
		if last := take(t, p); last != only || opened.Load() != 1 {
			t.Error("the right to the connection was lost")
		}
	})
}

func TestConnectionsOfAnotherGenerationAreClosed(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	o := options(1, &opened)
	generation, failure := 1, error(nil)
	o.Look = func() (int, error) { return generation, failure }
	o.Fits = func(_ context.Context, c *conn, generation int) bool { return c.generation == generation }
	p := pool.New(o)
	old := take(t, p)
	p.Give(old)
	generation = 2
	if c := take(t, p); c.generation != 2 || !old.closed.Load() {
		t.Error("a connection of the old generation was kept")
	} else {
		p.Give(c)
	}
	failure = errors.New("gone")
	if _, err := p.Take(t.Context()); !errors.Is(err, failure) {
		t.Error(err)
	}
	failure = nil
	p.Give(take(t, p)) // the right to it came back
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var opened atomic.Int64
		o := options(3, &opened)
		o.IdleTime = time.Minute
		p := pool.New(o)
		a, b := take(t, p), take(t, p)
		p.Give(a)
		time.Sleep(40 * time.Second)
		p.Give(b)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if !a.closed.Load() || b.closed.Load() {
			t.Error("after 70 and 30 seconds without use:", a.closed.Load(), b.closed.Load())
		}
		time.Sleep(40 * time.Second)
		synctest.Wait()
		if !b.closed.Load() {
			t.Error("the second is open after 70 seconds without use")
		}
	})
}

func TestCloseWaitsForWhatIsTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var opened atomic.Int64
		p := pool.New(options(2, &opened))
		idle, taken := take(t, p), take(t, p)
		p.Give(idle)
		done := make(chan error, 1)
		go func() { done <- p.Close() }()
		synctest.Wait()
		if len(done) != 0 {
			t.Error("closed while a connection is taken")
		}
		p.Give(taken)
		if err := <-done; err != nil || !idle.closed.Load() || !taken.closed.Load() {
			t.Error(err, idle.closed.Load(), taken.closed.Load())
		}
		if _, err := p.Take(t.Context()); !errors.Is(err, errClosed) {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestManyTakers: no connection is used by two at once, and none is lost, whatever their
// contexts do.
func TestManyTakers(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	p := pool.New(options(4, &opened))
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			for n := range 300 {
				ctx, cancel := t.Context(), func() {}
				if (i+n)%3 == 0 {
					ctx, cancel = context.WithTimeout(ctx, time.Duration(n%7)*time.Microsecond)
				}
				c, err := p.Take(ctx)
				cancel()
				if err != nil {
					continue
				}
				if c.inUse.Swap(true) {
					t.Error("a connection is used by two")
				}
				c.inUse.Store(false)
				c.broken.Store((i+n)%50 == 0)
				p.Give(c)
			}
		})
	}
	wg.Wait()
	for range 4 {
		take(t, p)
	}
}
