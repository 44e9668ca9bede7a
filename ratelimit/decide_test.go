package ratelimit_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/retort-web/retort/ratelimit"
)

// Guessing gets slow: a few tries, and then a hundred a day.
func TestWaitsGrow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := ratelimit.NewMemory(ratelimit.MemoryOptions{})
		charge := ratelimit.Charge{
			Key: "k", Cost: 1,
			Limit: ratelimit.Limit{Requests: 5, Window: 24 * time.Hour, Wait: time.Second, MaxWait: 15 * time.Minute},
		}
		var waits []time.Duration
		for end := time.Now().Add(24 * time.Hour); time.Now().Before(end); {
			result, err := store.Take(t.Context(), charge)
			if err != nil {
				t.Fatal(err)
			}
			if !result.Allowed {
				waits = append(waits, result.RetryAfter)
				time.Sleep(result.RetryAfter)
			}
		}
		s := time.Second
		if want := []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 64 * s, 128 * s, 256 * s, 512 * s, 900 * s, 900 * s}; !slices.Equal(waits[:12], want) {
			t.Errorf("the waits are %v", waits[:12])
		}
		if len(waits) > 115 {
			t.Errorf("%d get through in a day", len(waits))
		}
		time.Sleep(24 * time.Hour)
		if result, _ := store.Take(t.Context(), charge); !result.Allowed || result.Remaining != 4 {
			t.Errorf("a day later it is not forgotten: %+v", result)
		}
	})
}

// A clock may be set while counts are kept: nobody waits for longer than the limit says.
func TestClocksThatJump(t *testing.T) {
	t.Parallel()
	waiting := ratelimit.Limit{Requests: 1, Window: 24 * time.Hour, Wait: time.Second, MaxWait: 15 * time.Minute}
	usual := ratelimit.PerHour(10)
	for _, jump := range []time.Duration{-1000 * time.Hour, -10 * time.Minute, 10 * time.Minute, 1000 * time.Hour} {
		for count := range 100 {
			states := []ratelimit.State{{At: -jump, Count: count}}
			got := ratelimit.Decide(states, []ratelimit.Charge{{Key: "k", Limit: waiting, Cost: 1}})
			if got.RetryAfter > waiting.MaxWait || got.RetryAfter < 0 || got.Reset > waiting.Window || got.Reset < 0 {
				t.Errorf("after a jump of %s, with %d: %+v", jump, count, got)
			}
		}
		states := []ratelimit.State{{At: 30*time.Minute - jump}}
		got := ratelimit.Decide(states, []ratelimit.Charge{{Key: "k", Limit: usual, Cost: 1}})
		if got.RetryAfter > usual.Window || got.RetryAfter < 0 || got.Reset > usual.Window || got.Reset < 0 {
			t.Errorf("after a jump of %s: %+v", jump, got)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]ratelimit.Limit{
		"10/minute":                {ratelimit.PerMinute(10)},
		"100/day;10/minute":        {ratelimit.PerDay(100), ratelimit.PerMinute(10)},
		" 1 per Second , 2 / hour": {ratelimit.PerSecond(1), ratelimit.PerHour(2)},
		"5 per 15 minutes":         {{Requests: 5, Window: 15 * time.Minute}},
		"1/month":                  {{Requests: 1, Window: 720 * time.Hour}},
		"1000/1 year":              {{Requests: 1000, Window: 8760 * time.Hour}},
	} {
		if got, err := ratelimit.Parse(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", ";", "10", "10/", "/minute", "x/minute", "10/fortnight", "0/minute", "-1/minute", "10/0 minutes", "10/-1 minutes",
		"2/2 years", "10/99999999999999999999 seconds", "10 per x minutes", "1 per 1 1 minutes", "100000000/second",
	} {
		if got, err := ratelimit.Parse(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
	for text, limit := range map[string]ratelimit.Limit{
		"10 in 1 minute":             ratelimit.PerMinute(10),
		"5 in 90 minutes":            {Requests: 5, Window: 90 * time.Minute},
		"60 in 1 minute, 20 at once": {Requests: 60, Window: time.Minute, Burst: 20},
		"5, then after a wait of 1 second that doubles up to 15 minutes; forgotten after 1 day": {
			Requests: 5, Window: 24 * time.Hour, Wait: time.Second, MaxWait: 15 * time.Minute,
		},
	} {
		if got := limit.String(); got != text {
			t.Errorf("%q, want %q", got, text)
		}
	}
}
