// Package ratelimittest checks that a [ratelimit.Store] follows the rules its
// interface states. A store's own tests call it:
//
//	func TestStore(t *testing.T) { ratelimittest.Store(t, openStore(t)) }
package ratelimittest

import (
	"crypto/rand"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/retort-web/retort/ratelimit"
)

// Store checks a store. Its keys are random, so that it may hold others.
func Store(t *testing.T, store ratelimit.Store) {
	slow := ratelimit.PerDay(3) // nothing comes back while the test runs
	take := func(t *testing.T, key string, l ratelimit.Limit, n int) ratelimit.Result {
		t.Helper()
		result, err := store.Take(t.Context(), ratelimit.Charge{Key: key, Limit: l, Cost: n})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	t.Run("so many and no more", func(t *testing.T) {
		key := rand.Text()
		for i := range 3 {
			if got := take(t, key, slow, 1); !got.Allowed || got.Remaining != 2-i || got.RetryAfter != 0 || got.Reset <= 0 {
				t.Errorf("request %d: %+v", i, got)
			}
		}
		for range 3 {
			got := take(t, key, slow, 1)
			if got.Allowed || got.Remaining != 0 || got.RetryAfter <= 7*time.Hour || got.RetryAfter > 8*time.Hour || got.Reset <= 23*time.Hour || got.Reset > 24*time.Hour {
				t.Errorf("one too many: %+v", got)
			}
		}
		if got := take(t, key+"x", slow, 1); !got.Allowed || got.Remaining != 2 {
			t.Errorf("another key: %+v", got)
		}
	})
	t.Run("a look costs nothing", func(t *testing.T) {
		key := rand.Text()
		for range 5 {
			if got := take(t, key, slow, 0); !got.Allowed || got.Remaining != 3 {
				t.Errorf("%+v", got)
			}
		}
		take(t, key, slow, 3)
		if got := take(t, key, slow, 0); got.Allowed || got.Remaining != 0 || got.RetryAfter <= 0 {
			t.Errorf("when all is used: %+v", got)
		}
	})
	t.Run("what costs more", func(t *testing.T) {
		key := rand.Text()
		if got := take(t, key, slow, 2); !got.Allowed || got.Remaining != 1 {
			t.Errorf("%+v", got)
		}
		if got := take(t, key, slow, 2); got.Allowed || got.Remaining != 1 {
			t.Errorf("too dear: %+v", got)
		}
		if got := take(t, key, slow, 1); !got.Allowed {
			t.Errorf("a refused one was counted: %+v", got)
		}
		for _, n := range []int{4, -1, 1 << 40} {
			if got := take(t, rand.Text(), slow, n); got.Allowed {
				t.Errorf("%d at once: %+v", n, got)
			}
		}
	})
	t.Run("a burst may be smaller", func(t *testing.T) {
		key := rand.Text()
		l := ratelimit.Limit{Requests: 100, Window: 100 * time.Hour, Burst: 2}
		take(t, key, l, 2)
		if got := take(t, key, l, 1); got.Allowed || got.RetryAfter <= 0 || got.RetryAfter > time.Hour {
			t.Errorf("%+v", got)
		}
	})
	t.Run("time gives it back", func(t *testing.T) {
		key := rand.Text()
		l := ratelimit.Limit{Requests: 1, Window: 50 * time.Millisecond}
		deadline := time.Now().Add(time.Minute)
		for allowed := 0; allowed < 3; {
			if take(t, key, l, 1).Allowed {
				allowed++
			} else if time.Now().After(deadline) {
				t.Fatal("it never comes back")
			} else {
				time.Sleep(5 * time.Millisecond)
			}
		}
	})
	t.Run("a key may be forgotten", func(t *testing.T) {
		key := rand.Text()
		take(t, key, slow, 3)
		for range 2 {
			if err := store.Forget(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		if got := take(t, key, slow, 3); !got.Allowed {
			t.Errorf("%+v", got)
		}
	})
	t.Run("any key will do", func(t *testing.T) {
		long := strings.Repeat("k", 1<<16)
		for _, key := range []string{"", " ", "a\r\nb", "\x00\xff", long, long + "x", "clé: {} * ?"} {
			key = rand.Text() + key
			if got := take(t, key, slow, 3); !got.Allowed {
				t.Errorf("%.20q: %+v", key, got)
			}
			if got := take(t, key, slow, 1); got.Allowed {
				t.Errorf("%.20q is not counted: %+v", key, got)
			}
		}
	})
	t.Run("of many at once only so many get through", func(t *testing.T) {
		key := rand.Text()
		l := ratelimit.Limit{Requests: 25, Window: 100 * time.Hour}
		var allowed atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 10 {
					result, err := store.Take(t.Context(), ratelimit.Charge{Key: key, Limit: l, Cost: 1})
					if err != nil {
						t.Error(err)
						return
					}
					if result.Allowed {
						allowed.Add(1)
					}
				}
			})
		}
		wg.Wait()
		if allowed.Load() != 25 {
			t.Errorf("%d got through, want 25", allowed.Load())
		}
	})
	t.Run("limits that allow nothing are refused", func(t *testing.T) {
		for _, l := range []ratelimit.Limit{
			{},
			{Requests: 1},
			{Window: time.Second},
			{Requests: -1, Window: time.Second},
			{Requests: 1, Window: -time.Second},
			{Requests: 1, Window: 1 << 62},
			{Requests: 1 << 40, Window: time.Second},
			{Requests: 1, Window: time.Hour, Burst: 1 << 50},
			{Requests: 1, Window: time.Hour, Burst: -1},
			{Requests: 1, Window: time.Hour, Wait: -1},
			{Requests: 1, Window: time.Hour, Wait: 1},
			{Requests: 1, Window: time.Hour, Wait: 2 * time.Hour},
			{Requests: 1, Window: time.Hour, Wait: time.Minute, MaxWait: time.Second},
			{Requests: 1, Window: time.Hour, Wait: time.Minute, MaxWait: 2 * time.Hour},
			{Requests: 1, Window: time.Hour, Wait: time.Minute, Burst: 2},
			{Requests: 1, Window: time.Hour, MaxWait: time.Minute},
		} {
			if got, err := store.Take(t.Context(), ratelimit.Charge{Key: rand.Text(), Limit: l, Cost: 1}); err == nil {
				t.Errorf("%+v: %+v", l, got)
			}
		}
	})
	several(t, store)
	waits(t, store)
}

// one is a charge of 1.
func one(key string, l ratelimit.Limit) ratelimit.Charge {
	return ratelimit.Charge{Key: key, Limit: l, Cost: 1}
}

// several checks charges of one call, and what is taken back.
func several(t *testing.T, store ratelimit.Store) {
	take := func(t *testing.T, charges ...ratelimit.Charge) ratelimit.Result {
		t.Helper()
		result, err := store.Take(t.Context(), charges...)
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	day, hour := ratelimit.PerDay(5), ratelimit.PerHour(2)
	t.Run("all are counted or none", func(t *testing.T) {
		a, b := rand.Text(), rand.Text()
		for i := range 2 {
			if got := take(t, one(a, day), one(b, hour)); !got.Allowed || got.Index != 1 || got.Remaining != 1-i {
				t.Errorf("%+v", got)
			}
		}
		for range 5 {
			got := take(t, one(a, day), one(b, hour))
			if got.Allowed || got.Index != 1 || got.RetryAfter <= 0 || got.RetryAfter > time.Hour {
				t.Errorf("%+v", got)
			}
		}
		if got := take(t, ratelimit.Charge{Key: a, Limit: day}); got.Remaining != 3 {
			t.Errorf("the first limit was charged for what the second refused: %+v", got)
		}
		take(t, ratelimit.Charge{Key: a, Limit: day, Cost: 3})
		if got := take(t, one(b, hour), one(a, day)); got.Allowed || got.Index != 1 || got.RetryAfter < 4*time.Hour {
			t.Errorf("of two refusals that with the longer wait counts: %+v", got)
		}
		if got := take(t); !got.Allowed {
			t.Errorf("nothing is charged: %+v", got)
		}
	})
	t.Run("a key twice is an error", func(t *testing.T) {
		key := rand.Text()
		if got, err := store.Take(t.Context(), one(key, day), one(key, hour)); err == nil {
			t.Errorf("%+v", got)
		}
	})
	t.Run("what is taken back does not count", func(t *testing.T) {
		a, b := rand.Text(), rand.Text()
		take(t, one(a, day), one(b, hour))
		take(t, one(a, day), one(b, hour))
		if err := store.Return(t.Context(), one(a, day), one(b, hour), one(rand.Text(), day)); err != nil {
			t.Fatal(err)
		}
		if got := take(t, one(b, hour)); !got.Allowed || got.Remaining != 0 {
			t.Errorf("%+v", got)
		}
		if got := take(t, ratelimit.Charge{Key: a, Limit: day}); got.Remaining != 4 {
			t.Errorf("%+v", got)
		}
		for range 3 { // more than was counted
			if err := store.Return(t.Context(), ratelimit.Charge{Key: a, Limit: day, Cost: 1 << 40}); err != nil {
				t.Fatal(err)
			}
		}
		if got := take(t, ratelimit.Charge{Key: a, Limit: day, Cost: 5}); !got.Allowed || got.Remaining != 0 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("many calls of several at once", func(t *testing.T) {
		a, b := rand.Text(), rand.Text()
		l := ratelimit.Limit{Requests: 25, Window: 100 * time.Hour}
		more := ratelimit.Limit{Requests: 60, Window: 100 * time.Hour}
		var allowed atomic.Int64
		var wg sync.WaitGroup
		for i := range 8 {
			charges := []ratelimit.Charge{one(a, l), one(b, more)}
			if i%2 == 0 {
				charges[0], charges[1] = charges[1], charges[0]
			}
			wg.Go(func() {
				for range 10 {
					if result, err := store.Take(t.Context(), charges...); err != nil {
						t.Error(err)
						return
					} else if result.Allowed {
						allowed.Add(1)
					}
				}
			})
		}
		wg.Wait()
		if got := take(t, ratelimit.Charge{Key: b, Limit: more}); allowed.Load() != 25 || got.Remaining != 35 {
			t.Errorf("%d got through, want 25; %+v", allowed.Load(), got)
		}
	})
}

// waits checks limits whose waits grow.
func waits(t *testing.T, store ratelimit.Store) {
	take := func(t *testing.T, charges ...ratelimit.Charge) ratelimit.Result {
		t.Helper()
		result, err := store.Take(t.Context(), charges...)
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	slow := ratelimit.Limit{Requests: 3, Window: 24 * time.Hour, Wait: time.Minute, MaxWait: time.Hour}
	t.Run("a few and then a wait", func(t *testing.T) {
		key := rand.Text()
		for i := range 3 {
			if got := take(t, one(key, slow)); !got.Allowed || got.Remaining != 2-i || got.RetryAfter != 0 || got.Reset <= 23*time.Hour || got.Reset > 24*time.Hour {
				t.Errorf("request %d: %+v", i, got)
			}
		}
		for _, cost := range []int{0, 1, 3} {
			if got := take(t, ratelimit.Charge{Key: key, Limit: slow, Cost: cost}); got.Allowed || got.Remaining != 0 || got.RetryAfter <= 0 || got.RetryAfter > time.Minute {
				t.Errorf("one too many, of cost %d: %+v", cost, got)
			}
		}
		for range 2 {
			if err := store.Return(t.Context(), one(key, slow)); err != nil {
				t.Fatal(err)
			}
		}
		if got := take(t, ratelimit.Charge{Key: key, Limit: slow}); !got.Allowed || got.Remaining != 2 {
			t.Errorf("after two were taken back: %+v", got)
		}
		take(t, ratelimit.Charge{Key: key, Limit: slow, Cost: 3})
		if got := take(t, one(key, slow)); got.Allowed || got.RetryAfter <= time.Minute || got.RetryAfter > 2*time.Minute {
			t.Errorf("a second wait is twice as long: %+v", got)
		}
		if err := store.Forget(t.Context(), key, rand.Text()); err != nil {
			t.Fatal(err)
		}
		if got := take(t, one(key, slow)); !got.Allowed || got.Remaining != 2 {
			t.Errorf("when it is forgotten: %+v", got)
		}
	})
	t.Run("together with other limits", func(t *testing.T) {
		a, b := rand.Text(), rand.Text()
		for range 3 {
			take(t, one(a, slow), one(b, ratelimit.PerDay(10)))
		}
		if got := take(t, one(b, ratelimit.PerDay(10)), one(a, slow)); got.Allowed || got.Index != 1 {
			t.Errorf("%+v", got)
		}
		if got := take(t, ratelimit.Charge{Key: b, Limit: ratelimit.PerDay(10)}); got.Remaining != 7 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("one goes through after each wait", func(t *testing.T) {
		key := rand.Text()
		l := ratelimit.Limit{Requests: 1, Window: time.Hour, Wait: 10 * time.Millisecond, MaxWait: 40 * time.Millisecond}
		deadline := time.Now().Add(time.Minute)
		for allowed := 0; allowed < 5; {
			got := take(t, one(key, l))
			switch {
			case got.Allowed:
				allowed++
			case got.RetryAfter > 10*time.Millisecond<<min(allowed-1, 2):
				t.Errorf("after %d: %+v", allowed, got)
				allowed++
			case time.Now().After(deadline):
				t.Fatal("the wait does not end")
			default:
				time.Sleep(got.RetryAfter)
			}
		}
	})
	t.Run("of many at once only so many get through before the wait", func(t *testing.T) {
		key := rand.Text()
		var allowed atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 10 {
					if result, err := store.Take(t.Context(), one(key, slow)); err != nil {
						t.Error(err)
						return
					} else if result.Allowed {
						allowed.Add(1)
					}
				}
			})
		}
		wg.Wait()
		if allowed.Load() != 3 {
			t.Errorf("%d got through, want 3", allowed.Load())
		}
	})
}
