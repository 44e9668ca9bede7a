package testsite

import (
	"context"
	"sync"

	"github.com/retort-web/retort/ratelimit"
)

// Counts is a store of limits that a test makes forget everything, so that what is sent
// or tried next is not too much.
type Counts struct {
	mu    sync.Mutex
	store ratelimit.Store
}

// NewCounts returns an empty store.
func NewCounts() *Counts {
	c := &Counts{}
	c.ForgetAll()
	return c
}

// ForgetAll makes it as it was when new.
func (c *Counts) ForgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store = ratelimit.NewMemory(ratelimit.MemoryOptions{})
}

func (c *Counts) now() ratelimit.Store {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.store
}

// Take implements [ratelimit.Store], as the methods below do.
func (c *Counts) Take(ctx context.Context, charges ...ratelimit.Charge) (ratelimit.Result, error) {
	return c.now().Take(ctx, charges...)
}

// Return gives back what was taken.
func (c *Counts) Return(ctx context.Context, charges ...ratelimit.Charge) error {
	return c.now().Return(ctx, charges...)
}

// Forget drops what is counted under keys.
func (c *Counts) Forget(ctx context.Context, keys ...string) error {
	return c.now().Forget(ctx, keys...)
}
