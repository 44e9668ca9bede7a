package ratelimit_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/retort-web/retort/ratelimit"
	"github.com/retort-web/retort/ratelimit/ratelimittest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	ratelimittest.Store(t, ratelimit.NewMemory(ratelimit.MemoryOptions{}))
}

// Two windows back to back do not let twice as many through.
func TestTheWindowSlides(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := ratelimit.NewMemory(ratelimit.MemoryOptions{})
		l := ratelimit.PerMinute(60)
		var times []time.Time
		for range 3000 {
			if result, err := store.Take(t.Context(), ratelimit.Charge{Key: "k", Limit: l, Cost: 1}); err != nil {
				t.Fatal(err)
			} else if result.Allowed {
				times = append(times, time.Now())
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := len(times); n < 340 || n > 361 { // 60 at once, then one a second for 300 s
			t.Errorf("%d got through in five minutes", n)
		}
		last := times[100:] // when the burst is used up
		for i := range last {
			if i >= 61 && last[i].Sub(last[i-61]) < time.Minute {
				t.Fatalf("62 in %v", last[i].Sub(last[i-61]))
			}
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	store := ratelimit.NewMemory(ratelimit.MemoryOptions{Max: 3200})
	take := func(key string) ratelimit.Result {
		result, err := store.Take(t.Context(), ratelimit.Charge{Key: key, Limit: ratelimit.PerDay(10), Cost: 1})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	for range 10 {
		take("the attacker")
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 200_000 {
		take(fmt.Sprintf("2001:db8:%x:%x::/64", i>>16, i&0xffff))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("200,000 keys take %d bytes", grown)
	}
	if take("the attacker").Allowed {
		t.Error("who has used up the limit is forgotten before those who have just come")
	}
	runtime.KeepAlive(store)
}

func BenchmarkMemory(b *testing.B) {
	store := ratelimit.NewMemory(ratelimit.MemoryOptions{})
	keys := make([]string, 1000)
	for i := range keys {
		keys[i] = fmt.Sprint("192.0.2.", i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := store.Take(context.Background(), ratelimit.Charge{Key: keys[i%len(keys)], Limit: ratelimit.PerMinute(100), Cost: 1}); err != nil {
			b.Fatal(err)
		}
	}
}

// Five attempts a minute.
func ExampleStore() {
	store := ratelimit.NewMemory(ratelimit.MemoryOptions{})
	for range 6 {
		result, err := store.Take(context.Background(), ratelimit.Charge{Key: "login 192.0.2.1", Limit: ratelimit.PerMinute(5), Cost: 1})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(result.Allowed, result.Remaining, result.RetryAfter > 11*time.Second)
	}
	// Output:
	// true 4 false
	// true 3 false
	// true 2 false
	// true 1 false
	// true 0 false
	// false 0 true
}

// Guesses: a few at once, and then a wait that doubles.
func ExampleLimit() {
	guesses := ratelimit.Limit{Requests: 3, Window: 24 * time.Hour, Wait: time.Minute, MaxWait: 15 * time.Minute}
	store := ratelimit.NewMemory(ratelimit.MemoryOptions{})
	for range 4 {
		result, err := store.Take(context.Background(), ratelimit.Charge{Key: "ada@example.com", Limit: guesses, Cost: 1})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(result.Allowed, result.RetryAfter.Round(time.Second))
	}
	// Output:
	// true 0s
	// true 0s
	// true 0s
	// false 1m0s
}

func ExampleParse() {
	limits, err := ratelimit.Parse("100/day; 10 per minute")
	fmt.Println(limits, err)
	// Output: [100 in 1 day 10 in 1 minute] <nil>
}
