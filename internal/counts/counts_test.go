package counts_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/counts"
	"github.com/retort-web/retort/ratelimit"
)

// flaky is a store that may be away.
type flaky struct {
	ratelimit.Store
	away bool
}

func (s *flaky) Take(ctx context.Context, charges ...ratelimit.Charge) (ratelimit.Result, error) {
	if err := ctx.Err(); err != nil {
		return ratelimit.Result{}, err
	}
	if s.away {
		return ratelimit.Result{}, errors.New("connection refused")
	}
	return s.Store.Take(ctx, charges...)
}

func TestCounter(t *testing.T) {
	t.Parallel()
	charge := ratelimit.Charge{Key: "k", Limit: ratelimit.PerDay(3), Cost: 1}
	for name, tt := range map[string]struct {
		when   ratelimit.WhenAway
		passes int // of ten while it is away
		err    error
	}{
		"here":   {ratelimit.CountHere, 3, nil},
		"pass":   {ratelimit.Pass, 10, nil},
		"refuse": {ratelimit.Refuse, 0, counts.ErrAway},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			logger := slog.New(slog.NewTextHandler(&log, nil))
			store := &flaky{Store: ratelimit.NewMemory(ratelimit.MemoryOptions{})}
			c := counts.New(store, tt.when)
			first, err := c.Take(t.Context(), logger, charge)
			if err != nil || !first.Allowed || first.Remaining != 2 {
				t.Fatalf("%+v %v", first, err)
			}
			store.away = true
			passed := 0
			for range 10 {
				taken, err := c.Take(t.Context(), logger, charge)
				if !errors.Is(err, tt.err) {
					t.Errorf("%v, want %v", err, tt.err)
				}
				if taken.Allowed {
					passed++
				}
				taken.Add(t.Context(), ratelimit.Charge{Key: "other", Limit: ratelimit.PerDay(3), Cost: 1})
			}
			if passed != tt.passes {
				t.Errorf("%d pass while it is away, want %d", passed, tt.passes)
			}
			if n := strings.Count(log.String(), "\n"); n != 1 {
				t.Errorf("%d lines:\n%s", n, &log)
			}
			store.away = false
			// What is taken back is where it was counted.
			first.Return(t.Context(), charge)
			second, err := c.Take(t.Context(), logger, charge)
			if err != nil || !second.Allowed || second.Remaining != 2 {
				t.Errorf("%+v %v", second, err)
			}
			second.Forget(t.Context(), charge.Key)
			if third, err := c.Take(t.Context(), logger, charge); err != nil || third.Remaining != 2 {
				t.Errorf("%+v %v", third, err)
			}
			if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "is back") {
				t.Errorf("%d lines:\n%s", n, &log)
			}
		})
	}
}

// A client who did not wait says nothing about the store, nor does a limit that cannot
// be counted.
func TestCallersWhoDoNotWait(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	c := counts.New(&flaky{}, ratelimit.CountHere)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Take(gone, logger, ratelimit.Charge{Key: "k", Limit: ratelimit.PerDay(1)}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := c.Take(t.Context(), logger, ratelimit.Charge{Key: "k"}); err == nil {
		t.Error("a limit of nothing is counted")
	}
	if log.Len() > 0 {
		t.Error(log.String())
	}
}
