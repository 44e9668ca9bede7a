// Package counts asks a store of limits, and knows what to do while it is away.
package counts

import (
	"context"
	"errors"
	"log/slog"

	"github.com/retort-web/retort/internal/outage"
	"github.com/retort-web/retort/ratelimit"
)

// ErrAway says that the store is away and that nothing may pass meanwhile.
var ErrAway = errors.New("the store of the limits is away")

// Counter counts in a store or, while that is away, as it is told to. It is safe for
// concurrent use.
type Counter struct {
	store, here ratelimit.Store
	away        ratelimit.WhenAway
	log         outage.Log
}

// New returns the counter of a store, nil being the memory of this process.
func New(store ratelimit.Store, away ratelimit.WhenAway) *Counter {
	here := ratelimit.NewMemory(ratelimit.MemoryOptions{})
	if store == nil {
		store = here
	}
	return &Counter{store: store, here: here, away: away}
}

// Taken is what was counted, and where: there it is taken back.
type Taken struct {
	ratelimit.Result
	// Uncounted says that nobody counts at the moment.
	Uncounted bool
	store     ratelimit.Store
}

// Take counts the charges, all or none. The error is [ErrAway], that of a caller who did
// not wait, or that of charges that cannot be.
func (c *Counter) Take(ctx context.Context, logger *slog.Logger, charges ...ratelimit.Charge) (Taken, error) {
	if err := ratelimit.CheckCharges(charges); err != nil {
		return Taken{}, err
	}
	result, err := c.store.Take(ctx, charges...)
	if err == nil {
		c.log.Back(logger, "the store of the limits is back")
		return Taken{Result: result, store: c.store}, nil
	}
	if ctx.Err() != nil {
		return Taken{}, context.Cause(ctx)
	}
	switch c.away {
	case ratelimit.Refuse:
		c.log.Away(logger, "the store of the limits is away: nothing that it would count passes", err)
		return Taken{}, errors.Join(ErrAway, err)
	case ratelimit.Pass:
		c.log.Away(logger, "the store of the limits is away: all passes uncounted", err)
		return Taken{Result: ratelimit.Result{Allowed: true}, Uncounted: true}, nil
	default:
		c.log.Away(logger, "the store of the limits is away: this process counts for itself", err)
	}
	result, err = c.here.Take(ctx, charges...)
	return Taken{Result: result, store: c.here}, err
}

// Return takes back what was counted, also for a caller who did not wait. That the
// store has gone meanwhile is no error: the charges expire.
func (t Taken) Return(ctx context.Context, charges ...ratelimit.Charge) {
	if t.store != nil && len(charges) > 0 {
		_ = t.store.Return(context.WithoutCancel(ctx), charges...) // see above
	}
}

// Forget lets keys begin anew where the charges were counted.
func (t Taken) Forget(ctx context.Context, keys ...string) {
	if t.store != nil && len(keys) > 0 {
		_ = t.store.Forget(context.WithoutCancel(ctx), keys...) // as above
	}
}

// Add counts something more where the charges were counted.
func (t Taken) Add(ctx context.Context, charges ...ratelimit.Charge) {
	if t.store != nil {
		_, _ = t.store.Take(context.WithoutCancel(ctx), charges...) // as above
	}
}
