package redislimit_test

import (
	"crypto/rand"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/retort-web/retort/internal/redisclient"
	"github.com/retort-web/retort/internal/testredis"
	"github.com/retort-web/retort/ratelimit"
	"github.com/retort-web/retort/ratelimit/ratelimittest"
	"github.com/retort-web/retort/ratelimit/redislimit"
)

func open(t *testing.T, url string) *redislimit.Store {
	t.Helper()
	store, err := redislimit.Open(url, redislimit.Options{Prefix: "test:" + rand.Text() + ":"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestStore(t *testing.T) {
	t.Parallel()
	ratelimittest.Store(t, open(t, testredis.URL(t)))
}

func TestAServerThatIsAwayIsAnErrorAtOnce(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	store := open(t, server.URL)
	if result, err := store.Take(t.Context(), ratelimit.Charge{Key: "k", Limit: ratelimit.PerDay(1), Cost: 1}); err != nil || !result.Allowed {
		t.Fatal(result, err)
	}
	server.Stop()
	atOnce := 0
	for range 1000 {
		_, err := store.Take(t.Context(), ratelimit.Charge{Key: "k", Limit: ratelimit.PerDay(1), Cost: 1})
		if err == nil {
			t.Fatal("nobody counts, and it is no error")
		}
		if errors.Is(err, redisclient.ErrAway) {
			atOnce++
		}
	}
	if atOnce < 900 {
		t.Errorf("%d of 1000 requests did not wait for it", atOnce)
	}
	server.Restart()
	deadline := time.Now().Add(time.Minute)
	for {
		if _, err := store.Take(t.Context(), ratelimit.Charge{Key: "k", Limit: ratelimit.PerDay(1), Cost: 1}); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// The clock of the server was set back after something was counted.
func TestAClockThatIsSetBack(t *testing.T) {
	t.Parallel()
	url := testredis.URL(t)
	prefix := "test:" + rand.Text() + ":"
	store, err := redislimit.Open(url, redislimit.Options{Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	tomorrow := strconv.FormatInt(time.Now().Add(24*time.Hour).UnixMicro(), 10)
	waiting := ratelimit.Limit{Requests: 3, Window: time.Hour, Wait: time.Second, MaxWait: time.Minute}
	for key, limit := range map[string]ratelimit.Limit{"usual": ratelimit.PerHour(3), "waiting": waiting} {
		// In turn what was kept of it, of a limit of the other kind, and of nobody.
		for _, kept := range []string{"100:" + tomorrow, tomorrow, "x", ":", "-1:-1", "1e400", "99999999999999999999:1"} {
			if err := client.Set(t.Context(), prefix+key, kept, time.Minute).Err(); err != nil {
				t.Fatal(err)
			}
			got, err := store.Take(t.Context(), ratelimit.Charge{Key: key, Limit: limit, Cost: 1})
			if err != nil || got.RetryAfter > time.Hour || got.RetryAfter < 0 {
				t.Errorf("%s, %q: %+v %v", key, kept, got, err)
			}
		}
	}
}
