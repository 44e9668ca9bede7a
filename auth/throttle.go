package auth

import (
	"fmt"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// Throttle bounds failed logins.
//
// Those of one account from one address wait longer and longer, so that guessing a
// password takes years; those of one address to all accounts, and of all addresses
// to one account, are bounded too. An account is never closed: a login with the
// right password from an address that has not failed goes through at any time, so
// that nobody can lock another out for longer than AccountWindow.
//
// Counts are kept by the process; several of them each allow as many.
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
	// AccountFailures of one account, from addresses that never logged in to it, are
	// allowed in AccountWindow. Default: 1000, 15m.
	AccountFailures int
	AccountWindow   time.Duration
	// Disabled turns it off: for load tests.
	Disabled bool
}

// ThrottledError says that there were too many failed logins.
type ThrottledError struct{ RetryAfter time.Duration }

func (e *ThrottledError) Error() string {
	return fmt.Sprintf("auth: too many failed logins; try again in %s", e.RetryAfter.Round(time.Second))
}

// forgetPair is how long after its last failure a pair of account and address begins
// anew.
const forgetPair = 24 * time.Hour

// maxThrottled bounds the memory: counts that were not touched longest go first.
const maxThrottled = 100_000

type throttle struct {
	options Throttle
	seed    maphash.Seed
	now     func() time.Time

	mu     sync.Mutex
	counts map[uint64]*count
	trust  map[uint64]time.Time // pairs of account and address that have logged in
}

// count is what is known of one account, address or pair.
type count struct {
	failures int
	running  int       // logins that are not decided: they count until they are
	since    time.Time // of the first failure; of a pair, of the last
	blocked  time.Time // until then
}

func newThrottle(o Throttle) *throttle {
	or := func(n *int, value int) {
		if *n == 0 {
			*n = value
		}
	}
	orTime := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	or(&o.PairFailures, 5)
	or(&o.AddressFailures, 100)
	or(&o.AccountFailures, 1000)
	orTime(&o.PairWait, time.Second)
	orTime(&o.PairWindow, 15*time.Minute)
	orTime(&o.AddressWindow, 15*time.Minute)
	orTime(&o.AccountWindow, 15*time.Minute)
	return &throttle{options: o, seed: maphash.MakeSeed(), now: time.Now, counts: map[uint64]*count{}, trust: map[uint64]time.Time{}}
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

func (t *throttle) key(kind, a, b string) uint64 {
	return maphash.String(t.seed, kind+"\x00"+a+"\x00"+b)
}

// limit is one of the three counts of a login.
type limit struct {
	key    uint64
	allow  int
	window time.Duration
	grows  bool
}

// attempt is a login that is not decided yet.
type attempt struct {
	t      *throttle
	pair   uint64
	limits []limit
}

func (t *throttle) limits(account, address string) []limit {
	o := &t.options
	list := []limit{{t.key("pair", account, address), o.PairFailures, o.PairWindow, true}}
	if address != "" {
		list = append(list, limit{t.key("address", address, ""), o.AddressFailures, o.AddressWindow, false})
	}
	if _, trusted := t.trust[list[0].key]; !trusted {
		list = append(list, limit{t.key("account", account, ""), o.AccountFailures, o.AccountWindow, false})
	}
	return list
}

// begin asks whether a login may be tried, and counts it as failed until it is
// decided, so that a thousand at once are no way around the limit.
func (t *throttle) begin(account, address string) (*attempt, error) {
	return t.start(func() []limit { return t.limits(account, network(address)) })
}

// The wrong codes of a second factor that a user may give, wherever from: who guesses
// has one chance in 3,000 a day. Only who knows the password can use them up.
const (
	wrongCodes = 10
	codeWindow = 15 * time.Minute
)

// code asks whether a user may give a code, as begin does.
func (t *throttle) code(user string) (*attempt, error) {
	return t.start(func() []limit { return []limit{{t.key("code", user, ""), wrongCodes, codeWindow, false}} })
}

func (t *throttle) start(limits func() []limit) (*attempt, error) {
	if t.options.Disabled {
		return &attempt{t: t}, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	list := limits()
	for _, l := range list {
		if c := t.counts[l.key]; c != nil {
			if wait := c.wait(l, now); wait > 0 {
				return nil, &ThrottledError{wait}
			}
		}
	}
	t.makeRoom(now)
	for _, l := range list {
		c := t.counts[l.key]
		if c == nil {
			c = &count{since: now}
			t.counts[l.key] = c
		}
		c.running++
	}
	return &attempt{t, list[0].key, list}, nil
}

// wait returns how long the next login has to wait.
func (c *count) wait(l limit, now time.Time) time.Duration {
	forget := l.window
	if l.grows {
		forget = forgetPair
	}
	if age := now.Sub(c.since); age >= forget && !c.blocked.After(now) || age < -l.window {
		c.failures, c.since, c.blocked = 0, now, time.Time{}
	}
	if c.blocked.After(now) {
		return c.blocked.Sub(now)
	}
	if c.failures+c.running < l.allow {
		return 0
	}
	if l.grows && c.running == 0 {
		return 0 // the wait is over: one at a time
	}
	return max(time.Second, c.since.Add(l.window).Sub(now))
}

// end decides the login.
func (a *attempt) end(decide func(c *count, l limit, now time.Time)) {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	now := a.t.now()
	for _, l := range a.limits {
		if c := a.t.counts[l.key]; c != nil {
			c.running = max(0, c.running-1)
			decide(c, l, now)
			if c.failures == 0 && c.running == 0 {
				delete(a.t.counts, l.key)
			}
		}
	}
}

func (a *attempt) failed() {
	a.end(func(c *count, l limit, now time.Time) {
		if c.failures == 0 || l.grows {
			c.since = now
		}
		c.failures++
		if l.grows && c.failures >= l.allow {
			wait := l.window
			if steps := c.failures - l.allow; steps < 30 {
				wait = min(wait, a.t.options.PairWait<<steps)
			}
			c.blocked = now.Add(wait)
		}
	})
}

func (a *attempt) succeeded() {
	a.end(func(c *count, l limit, now time.Time) {
		if l.grows {
			c.failures, c.blocked = 0, time.Time{}
			if len(a.t.trust) >= maxThrottled {
				clear(a.t.trust)
			}
			a.t.trust[a.pair] = now
		}
	})
}

func (a *attempt) undecided() { a.end(func(*count, limit, time.Time) {}) }

// makeRoom forgets what is over, and if that is not enough the rest that is not
// running.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.counts) < maxThrottled {
		return
	}
	window := max(forgetPair, t.options.AddressWindow, t.options.AccountWindow)
	for key, c := range t.counts {
		if c.running == 0 && now.Sub(c.since) >= window {
			delete(t.counts, key)
		}
	}
	for key, c := range t.counts {
		if len(t.counts) < maxThrottled*9/10 {
			return
		}
		if c.running == 0 {
			delete(t.counts, key)
		}
	}
}
