package auth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/internal/counts"
	"github.com/retort-web/retort/ratelimit"
)

// Throttle bounds failed logins.
//
// Those of one account from one address wait longer and longer, so that guessing a
// password takes years; those of one address to all accounts, and of all addresses
// to one account, are bounded too. An account is never closed: a login with the
// right password from an address that has not failed, and that has logged in to it
// before, goes through at any time, so that nobody can lock another out for longer
// than AccountWindow.
//
// [Options].Counts keeps the counts; a login counts as failed until it has succeeded,
// so that many at once are no way around.
type Throttle struct {
	// PairFailures is how many failed logins of one account from one address are
	// allowed before the next has to wait; the wait begins with PairWait and
	// doubles up to PairWindow. Default: 5, 1s, 15m.
	// It ends a day after the last failure, or with the right password.
	PairFailures int
	PairWait     time.Duration
	PairWindow   time.Duration
	// AddressFailures from one address, an IPv6 network of /64 counting as one, are
	// allowed in AddressWindow. Default: 100, 15m.
	AddressFailures int
	AddressWindow   time.Duration
	// AccountFailures of one account are allowed in AccountWindow; addresses that
	// logged in to it are let through beyond that. Default: 1000, 15m.
	AccountFailures int
	AccountWindow   time.Duration
	// WhenAway says what is done while Counts cannot be asked. Default: each process
	// counts for itself.
	WhenAway ratelimit.WhenAway
	// Disabled turns it off: for load tests.
	Disabled bool
}

// ThrottledError says that there were too many failed logins.
type ThrottledError struct{ RetryAfter time.Duration }

func (e *ThrottledError) Error() string {
	return fmt.Sprintf("auth: too many failed logins; try again in %s", e.RetryAfter.Round(time.Second))
}

const (
	// forgetPair is how long after its last failure a pair of account and address begins
	// anew.
	forgetPair = 24 * time.Hour
	// knownFor is how long after its last login an address is known to an account.
	knownFor = 90 * 24 * time.Hour
)

// throttle is a Throttle made ready.
type throttle struct {
	disabled               bool
	pair, address, account ratelimit.Limit
	known                  ratelimit.Limit // used up: the address has logged in to the account
	code                   ratelimit.Limit
	counter                *counts.Counter
	logger                 *slog.Logger
}

func newThrottle(o Throttle, store ratelimit.Store, logger *slog.Logger) (*throttle, error) {
	t := &throttle{
		disabled: o.Disabled,
		pair: ratelimit.Limit{
			Requests: cmp.Or(o.PairFailures, 5), Window: max(forgetPair, o.PairWindow),
			Wait: cmp.Or(o.PairWait, time.Second), MaxWait: cmp.Or(o.PairWindow, 15*time.Minute),
		},
		address: ratelimit.Limit{Requests: cmp.Or(o.AddressFailures, 100), Window: cmp.Or(o.AddressWindow, 15*time.Minute)},
		account: ratelimit.Limit{Requests: cmp.Or(o.AccountFailures, 1000), Window: cmp.Or(o.AccountWindow, 15*time.Minute)},
		known:   ratelimit.Limit{Requests: 1, Window: knownFor},
		// The wrong codes of a second factor, wherever from: who guesses has one chance
		// in 3,000 a day. Only who knows the password can use them up.
		code:    ratelimit.Limit{Requests: 10, Window: forgetPair, Wait: time.Minute, MaxWait: 15 * time.Minute},
		counter: counts.New(store, o.WhenAway),
		logger:  logger,
	}
	for _, l := range []ratelimit.Limit{t.pair, t.address, t.account} {
		if err := l.Check(); err != nil {
			return nil, fmt.Errorf("auth: Throttle: %w", err)
		}
	}
	return t, nil
}

// network is what counts as one address.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap(); ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}

// counted is a key of the store: what is typed as an account is as long as a stranger
// likes, and who may look at the counts is not told the accounts.
func counted(kind, a, b string) string {
	sum := sha256.Sum256([]byte(a + "\x00" + b))
	return "auth " + kind + " " + base64.RawURLEncoding.EncodeToString(sum[:18])
}

// attempt is a login that is not decided yet. Until it is, it counts as failed.
type attempt struct {
	t       *throttle
	taken   counts.Taken
	charges []ratelimit.Charge
	known   string // key to remember that the address logged in to the account
	decided bool
}

// begin asks whether a login may be tried, and counts it as failed. The caller decides
// it, and defers end.
func (t *throttle) begin(ctx context.Context, account, address string) (*attempt, error) {
	if t.disabled {
		return &attempt{}, nil
	}
	address = network(address)
	charges := []ratelimit.Charge{{Key: counted("pair", account, address), Limit: t.pair, Cost: 1}}
	if address != "" {
		charges = append(charges, ratelimit.Charge{Key: counted("address", address, ""), Limit: t.address, Cost: 1})
	}
	of := len(charges)
	charges = append(charges, ratelimit.Charge{Key: counted("account", account, ""), Limit: t.account, Cost: 1})
	known := counted("known", account, address)
	a, err := t.start(ctx, charges, known)
	if late, ok := errors.AsType[*ThrottledError](err); ok && a.taken.Index == of {
		// Of all others there are too many; one who has been here before is asked for
		// the password all the same.
		look, err := t.counter.Take(ctx, t.logger, ratelimit.Charge{Key: known, Limit: t.known})
		if err != nil || look.Allowed {
			return nil, cmp.Or[error](err, late)
		}
		a, err = t.start(ctx, charges[:of], known)
		if err != nil {
			return nil, err
		}
		return a, nil
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// beginCode asks whether a user may give a code, as begin does.
func (t *throttle) beginCode(ctx context.Context, user string) (*attempt, error) {
	if t.disabled {
		return &attempt{}, nil
	}
	a, err := t.start(ctx, []ratelimit.Charge{{Key: counted("code", user, ""), Limit: t.code, Cost: 1}}, "")
	if err != nil {
		return nil, err
	}
	return a, nil
}

// start returns the attempt with what the store says, also beside a *ThrottledError.
func (t *throttle) start(ctx context.Context, charges []ratelimit.Charge, known string) (*attempt, error) {
	taken, err := t.counter.Take(ctx, t.logger, charges...)
	switch {
	case errors.Is(err, counts.ErrAway):
		return nil, retort.ServiceUnavailable(5*time.Second, "The site cannot check logins at the moment. Try again soon.")
	case err != nil:
		return nil, err
	}
	a := &attempt{t: t, taken: taken, charges: charges, known: known}
	if !taken.Allowed {
		return a, &ThrottledError{max(taken.RetryAfter, time.Second)}
	}
	return a, nil
}

// failed leaves the attempt counted.
func (a *attempt) failed() { a.decided = true }

// succeeded takes the attempt back, and forgets failures of the account from the
// address: whoever has the password need not guess it.
func (a *attempt) succeeded(ctx context.Context) {
	a.decided = true
	if len(a.charges) == 0 {
		return
	}
	a.taken.Return(ctx, a.charges[1:]...)
	if a.known == "" {
		a.taken.Forget(ctx, a.charges[0].Key)
		return
	}
	a.taken.Forget(ctx, a.charges[0].Key, a.known)
	a.taken.Add(ctx, ratelimit.Charge{Key: a.known, Limit: a.t.known, Cost: 1})
}

// end takes an attempt back that was not decided.
func (a *attempt) end(ctx context.Context) {
	if !a.decided {
		a.taken.Return(ctx, a.charges...)
	}
}
