// Package ratelimit counts how often something is done, and says when it is too
// often: so many times in a window, with everything that a client may do at once.
//
//	store := ratelimit.NewMemory(ratelimit.MemoryOptions{})
//	result, err := store.Take(ctx, ratelimit.Charge{Key: "login " + address, Limit: ratelimit.PerMinute(5), Cost: 1})
//	if !result.Allowed { … }
//
// It counts by the generic cell rate algorithm (GCRA): each key has one time, at
// which its quota is whole again, so that a window slides and a check is one atomic
// step. A limit with a [Limit].Wait makes each further one wait longer instead, as is
// right for guesses. Of several charges of one call all are counted or none.
//
// Package security makes middleware of it, package auth bounds failed logins by it,
// package redislimit counts for several processes together.
package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limit is how often something may be done.
type Limit struct {
	// Requests may be done in each Window.
	Requests int
	Window   time.Duration
	// Burst is how many of them may come at once. Default: Requests.
	Burst int
	// Wait makes waits grow: Requests may come at once, and each after them has to
	// wait for the one before it, Wait at first and twice as long each time, up to
	// MaxWait. Window after the last that was allowed all are forgotten. Such a
	// limit has no Burst. Default: 0, the waits of the others do not grow.
	Wait time.Duration
	// MaxWait is the longest wait of those that grow. Default: Window.
	MaxWait time.Duration
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
	case l.Wait != 0 || l.MaxWait != 0:
		return l.checkWait()
	case l.Window/time.Duration(l.Requests) < time.Microsecond:
		return fmt.Errorf("ratelimit: %d in %s is more than one in a microsecond", l.Requests, l.Window)
	case l.Burst > 0 && time.Duration(l.Burst) > maxWindow/(l.Window/time.Duration(l.Requests)):
		return errors.New("ratelimit: the Burst is what is allowed in more than a year")
	}
	return nil
}

func (l Limit) checkWait() error {
	switch {
	case l.Wait < time.Millisecond:
		return errors.New("ratelimit: a Wait is at least a millisecond")
	case l.LongestWait() < l.Wait || l.LongestWait() > l.Window:
		return errors.New("ratelimit: MaxWait is between Wait and Window")
	case l.Burst != 0:
		return errors.New("ratelimit: a limit with a Wait has no Burst; Requests may come at once")
	case l.Requests > maxCount:
		return fmt.Errorf("ratelimit: a limit with a Wait allows at most %d Requests", maxCount)
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

// LongestWait returns MaxWait, or its default.
func (l Limit) LongestWait() time.Duration {
	if l.MaxWait > 0 {
		return l.MaxWait
	}
	return l.Window
}

// String describes the limit in words: "10 in 1m0s".
func (l Limit) String() string {
	text := fmt.Sprintf("%d in %s", l.Requests, shortDuration(l.Window))
	if l.Wait > 0 {
		return fmt.Sprintf("%d, then after a wait of %s that doubles up to %s; forgotten after %s",
			l.Requests, shortDuration(l.Wait), shortDuration(l.LongestWait()), shortDuration(l.Window))
	}
	if l.Burst > 0 && l.Burst != l.Requests {
		text += fmt.Sprintf(", %d at once", l.Burst)
	}
	return text
}

// Charge is one count of a call of [Store].Take.
type Charge struct {
	// Key says what is counted: "login 192.0.2.1". Two limits are counted apart
	// under different keys only.
	Key   string
	Limit Limit
	// Cost is how much is counted. 0 only looks whether one would be allowed.
	Cost int
}

// Result is what a [Store] says of the charges of one call: whether all are allowed,
// and the numbers of the one that is nearest to its end or, if any was refused, of the
// one that has to wait longest.
type Result struct {
	Allowed    bool
	Index      int           // of the charge that the numbers are of
	Remaining  int           // may still come at once
	RetryAfter time.Duration // until one like this is allowed; 0 if it was
	Reset      time.Duration // until nothing is counted any more
}

// Store counts. It is safe for concurrent use, and Take is one atomic step: of two
// requests for the last place one gets it. Package ratelimittest checks that a
// store follows these rules.
//
// An error says that the store cannot be asked now, or that a charge cannot be: see
// [CheckCharges].
type Store interface {
	// Take counts all charges, or none of them if one is not allowed.
	Take(ctx context.Context, charges ...Charge) (Result, error)

	// Return takes back charges that were counted and turned out not to count, such
	// as that of a login which succeeded.
	Return(ctx context.Context, charges ...Charge) error

	// Forget lets keys begin anew.
	Forget(ctx context.Context, keys ...string) error
}

// maxCharges is more than anybody needs, and lets stores plan.
const maxCharges = 32

// CheckCharges returns an error for charges that no store takes: of limits that
// cannot be, or twice the same key. Stores call it first.
func CheckCharges(charges []Charge) error {
	if len(charges) > maxCharges {
		return fmt.Errorf("ratelimit: %d charges at once; there may be %d", len(charges), maxCharges)
	}
	for i := range charges {
		if err := charges[i].Limit.Check(); err != nil {
			return err
		}
		for j := range i {
			if charges[i].Key == charges[j].Key {
				return fmt.Errorf("ratelimit: two charges of the key %.100q in one call", charges[i].Key)
			}
		}
	}
	return nil
}
