package redislimit_test

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

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
	if result, err := store.Take(t.Context(), "k", ratelimit.PerDay(1), 1); err != nil || !result.Allowed {
		t.Fatal(result, err)
	}
	server.Stop()
	atOnce := 0
	for range 1000 {
		_, err := store.Take(t.Context(), "k", ratelimit.PerDay(1), 1)
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
		if _, err := store.Take(t.Context(), "k", ratelimit.PerDay(1), 1); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
