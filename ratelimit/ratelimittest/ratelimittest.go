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
		result, err := store.Take(t.Context(), key, l, n)
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
					result, err := store.Take(t.Context(), key, l, 1)
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
		} {
			if got, err := store.Take(t.Context(), rand.Text(), l, 1); err == nil {
				t.Errorf("%+v: %+v", l, got)
			}
		}
	})
}
