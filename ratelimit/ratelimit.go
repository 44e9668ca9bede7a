// Package ratelimit counts how often something is done, and says when it is too
// often: so many times in a window, with everything that a client may do at once.
//
//	store := ratelimit.NewMemory(ratelimit.MemoryOptions{})
//	result, err := store.Take(ctx, "login "+address, ratelimit.PerMinute(5), 1)
//	if !result.Allowed { … }
//
// It counts by the generic cell rate algorithm (GCRA): each key has one time, at
// which its quota is whole again, so that a window slides and a check is one atomic
// step. Package security makes middleware of it, package redislimit counts for
// several processes together.
package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// Limit is how often something may be done.
type Limit struct {
	// Requests may be done in each Window.
	Requests int
	Window   time.Duration
	// Burst is how many of them may come at once. Default: Requests.
	Burst int
}

// PerSecond allows n in a second.
func PerSecond(n int) Limit { return Limit{Requests: n, Window: time.Second} }

// PerMinute allows n in a minute.
func PerMinute(n int) Limit { return Limit{Requests: n, Window: time.Minute} }

// PerHour allows n in an hour.
func PerHour(n int) Limit { return Limit{Requests: n, Window: time.Hour} }

// PerDay allows n in 24 hours.
func PerDay(n int) Limit { return Limit{Requests: n, Window: 24 * time.Hour} }

// maxWindow keeps sums of times in range.
const maxWindow = 366 * 24 * time.Hour

// Check returns an error that says what is wrong with a limit that allows nothing
// or cannot be counted.
func (l Limit) Check() error {
	switch {
	case l.Requests <= 0 || l.Burst < 0:
		return errors.New("ratelimit: a limit needs a positive number of Requests")
	case l.Window <= 0 || l.Window > maxWindow:
		return errors.New("ratelimit: a limit needs a Window of at most a year")
	case l.Window/time.Duration(l.Requests) < time.Microsecond:
		return fmt.Errorf("ratelimit: %d in %s is more than one in a microsecond", l.Requests, l.Window)
	case l.Burst > 0 && time.Duration(l.Burst) > maxWindow/(l.Window/time.Duration(l.Requests)):
		return errors.New("ratelimit: the Burst is what is allowed in more than a year")
	}
	return nil
}

// BurstSize returns how many may come at once.
func (l Limit) BurstSize() int {
	if l.Burst > 0 {
		return l.Burst
	}
	return l.Requests
}

// Interval is the time that gives back one request.
func (l Limit) Interval() time.Duration { return l.Window / time.Duration(l.Requests) }

// Result is what a [Store] says of one request.
type Result struct {
	Allowed    bool
	Remaining  int           // may still come at once
	RetryAfter time.Duration // until one like this is allowed; 0 if it was
	Reset      time.Duration // until the quota is whole again
}

// Store counts. It is safe for concurrent use, and a check is one atomic step: of
// two requests for the last place one gets it. Package ratelimittest checks that a
// store follows these rules.
type Store interface {
	// Take counts n against the limit of key, if that still allows it. With n = 0
	// it only looks. Two limits are counted apart under different keys only.
	//
	// An error says that the store cannot be asked now.
	Take(ctx context.Context, key string, l Limit, n int) (Result, error)

	// Forget lets a key begin anew, as after a login that succeeded.
	Forget(ctx context.Context, key string) error
}

// Decide is the arithmetic for stores: whole is how long it takes until the quota
// of a key is whole again, 0 or less if it is now. It returns the new value of
// that, to be kept if the result is Allowed and n is not 0.
func Decide(whole time.Duration, l Limit, n int) (Result, time.Duration) {
	interval := l.Interval()
	capacity := interval * time.Duration(l.BurstSize())
	whole = max(whole, 0)
	if n < 0 || n > l.BurstSize() {
		return Result{Remaining: remaining(capacity-whole, interval), RetryAfter: l.Window, Reset: whole}, whole
	}
	after := whole + interval*time.Duration(n)
	if after > capacity || n == 0 && whole+interval > capacity {
		wait := max(after, whole+interval) - capacity
		return Result{Remaining: remaining(capacity-whole, interval), RetryAfter: wait, Reset: whole}, whole
	}
	return Result{Allowed: true, Remaining: remaining(capacity-after, interval), Reset: after}, after
}

func remaining(free, interval time.Duration) int {
	return int(min(max(free, 0)/interval, math.MaxInt32))
}
