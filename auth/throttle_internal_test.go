package auth

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// clock is a throttle with a time of its own.
func clock(o Throttle) (*throttle, *time.Time) {
	t := newThrottle(o)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	t.now = func() time.Time { return now }
	return t, &now
}

// fail tries a login with a wrong password and returns how long it has to wait.
func (t *throttle) fail(account, address string) time.Duration {
	a, err := t.begin(account, address)
	if late, ok := errors.AsType[*ThrottledError](err); ok {
		return late.RetryAfter
	}
	a.failed()
	return 0
}

func TestGuessingGetsSlow(t *testing.T) {
	t.Parallel()
	th, now := clock(Throttle{})
	for i := range 5 {
		if wait := th.fail("ann", "192.0.2.1"); wait != 0 {
			t.Fatalf("try %d waits %s", i, wait)
		}
	}
	tries := 0
	for end := now.Add(24 * time.Hour); now.Before(end); {
		wait := th.fail("ann", "192.0.2.1")
		if wait == 0 {
			tries++
			continue
		}
		*now = now.Add(wait)
	}
	if tries > 120 {
		t.Errorf("%d guesses a day", tries)
	}
}

// CVE class of lock-outs: failures from elsewhere do not keep the owner out.
func TestSecurityNobodyIsLockedOut(t *testing.T) {
	t.Parallel()
	th, now := clock(Throttle{})
	a, err := th.begin("ann", "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	a.succeeded()
	throttled := 0
	for i := range 5000 {
		if th.fail("ann", fmt.Sprintf("198.51.%d.%d", i/250, i%250)) > 0 {
			throttled++
		}
	}
	if throttled < 3900 {
		t.Errorf("a botnet is throttled %d times only", throttled)
	}
	if a, err = th.begin("ann", "192.0.2.1"); err != nil {
		t.Fatal("the owner is locked out:", err)
	}
	a.succeeded()
	// From a new place the owner waits, but not for ever.
	_, err = th.begin("ann", "203.0.113.7")
	late, ok := errors.AsType[*ThrottledError](err)
	if !ok || late.RetryAfter > 15*time.Minute {
		t.Error(err)
	}
	*now = now.Add(15 * time.Minute)
	if a, err = th.begin("ann", "203.0.113.7"); err != nil {
		t.Fatal(err)
	}
	a.succeeded()
}

func TestOneAddressAgainstAllAccounts(t *testing.T) {
	t.Parallel()
	th, now := clock(Throttle{})
	// All addresses of an IPv6 network are one.
	for i := range 100 {
		if wait := th.fail(fmt.Sprint("user", i), fmt.Sprintf("2001:db8::%x", i+1)); wait != 0 {
			t.Fatalf("try %d waits %s", i, wait)
		}
	}
	if wait := th.fail("another", "2001:db8::ffff"); wait == 0 {
		t.Error("the hundred-and-first account is tried")
	}
	if wait := th.fail("another", "2001:db8:1::1"); wait != 0 {
		t.Error("another network waits")
	}
	*now = now.Add(15 * time.Minute)
	if wait := th.fail("another", "2001:db8::ffff"); wait != 0 {
		t.Error("it waits for longer than the window")
	}
}

func TestManyAtOnceAreNoWayAround(t *testing.T) {
	t.Parallel()
	th, _ := clock(Throttle{})
	var open []*attempt
	for range 100 {
		if a, err := th.begin("ann", "192.0.2.1"); err == nil {
			open = append(open, a)
		}
	}
	if len(open) != 5 {
		t.Errorf("%d are tried at once", len(open))
	}
	for _, a := range open {
		a.undecided()
	}
	if len(th.counts) != 0 {
		t.Errorf("%d counts are left of what was not decided", len(th.counts))
	}
}

func TestClocksThatJump(t *testing.T) {
	t.Parallel()
	th, now := clock(Throttle{})
	for range 20 {
		th.fail("ann", "192.0.2.1")
	}
	*now = now.Add(-24 * time.Hour)
	if wait := th.fail("ann", "192.0.2.1"); wait > 15*time.Minute {
		t.Errorf("after the clock went back, %s", wait)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	th, _ := clock(Throttle{})
	for i := range 3 * maxThrottled {
		th.fail("ann", fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
	}
	if len(th.counts) > maxThrottled+3 {
		t.Errorf("%d counts are kept", len(th.counts))
	}
}
