package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/internal/testredis"
	"github.com/retort-web/retort/password"
	"github.com/retort-web/retort/ratelimit"
	"github.com/retort-web/retort/ratelimit/redislimit"
)

func throttled(t *testing.T, o Throttle, store ratelimit.Store) *throttle {
	t.Helper()
	th, err := newThrottle(o, store, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return th
}

// fail tries a login with a wrong password and returns how long it has to wait.
func (t *throttle) fail(account, address string) time.Duration {
	a, err := t.begin(context.Background(), account, address)
	if late, ok := errors.AsType[*ThrottledError](err); ok {
		return late.RetryAfter
	}
	a.failed()
	a.end(context.Background())
	return 0
}

// eachStore runs a test on a throttle that counts in memory, with a clock that the test
// moves by sleeping, and on one that counts in a server.
func eachStore(t *testing.T, o Throttle, test func(t *testing.T, th *throttle, sleep func(time.Duration) bool)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			test(t, throttled(t, o, nil), func(d time.Duration) bool { time.Sleep(d); return true })
		})
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		store, err := redislimit.Open(testredis.URL(t), redislimit.Options{Prefix: "test:" + rand.Text() + ":"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		// Nobody waits for a quarter of an hour there.
		test(t, throttled(t, o, store), func(time.Duration) bool { return false })
	})
}

func TestGuessingGetsSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		th := throttled(t, Throttle{}, nil)
		for i := range 5 {
			if wait := th.fail("ann", "192.0.2.1"); wait != 0 {
				t.Fatalf("try %d waits %s", i, wait)
			}
		}
		tries := 0
		for end := time.Now().Add(24 * time.Hour); time.Now().Before(end); {
			wait := th.fail("ann", "192.0.2.1")
			if wait == 0 {
				tries++
				continue
			}
			time.Sleep(wait)
		}
		if tries > 120 {
			t.Errorf("%d guesses a day", tries)
		}
	})
}

// CVE class of lock-outs: failures from elsewhere do not keep the owner out.
func TestSecurityNobodyIsLockedOut(t *testing.T) {
	t.Parallel()
	// Long times, as a slow machine must not give anything back meanwhile.
	o := Throttle{AccountWindow: 24 * time.Hour, PairWait: 5 * time.Minute}
	eachStore(t, o, func(t *testing.T, th *throttle, sleep func(time.Duration) bool) {
		login := func(address string) error {
			a, err := th.begin(t.Context(), "ann", address)
			if err == nil {
				a.succeeded(t.Context())
				a.end(t.Context())
			}
			return err
		}
		if err := login("192.0.2.1"); err != nil {
			t.Fatal(err)
		}
		refused := 0
		for i := range 3000 {
			if th.fail("ann", fmt.Sprintf("198.51.%d.%d", i/250, i%250)) > 0 {
				refused++
			}
		}
		if refused < 1900 {
			t.Errorf("a botnet is throttled %d times only", refused)
		}
		for range 5 {
			if err := login("192.0.2.1"); err != nil {
				t.Fatal("the owner is locked out:", err)
			}
		}
		for range 5 {
			th.fail("ann", "192.0.2.1")
		}
		if wait := th.fail("ann", "192.0.2.1"); wait == 0 || wait > 5*time.Minute {
			t.Errorf("from where the owner is, guesses wait %s", wait)
		}
		// From a new place the owner waits, but not for ever.
		late, ok := errors.AsType[*ThrottledError](login("203.0.113.7"))
		if !ok || late.RetryAfter > 15*time.Minute {
			t.Error(late, ok)
		}
		if sleep(15 * time.Minute) {
			if err := login("203.0.113.7"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestOneAddressAgainstAllAccounts(t *testing.T) {
	t.Parallel()
	eachStore(t, Throttle{AddressWindow: 24 * time.Hour}, func(t *testing.T, th *throttle, sleep func(time.Duration) bool) {
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
		if sleep(15*time.Minute) && th.fail("another", "2001:db8::ffff") != 0 {
			t.Error("it waits for longer than the window")
		}
	})
}

func TestManyAtOnceAreNoWayAround(t *testing.T) {
	t.Parallel()
	eachStore(t, Throttle{PairWait: time.Hour, PairWindow: time.Hour}, func(t *testing.T, th *throttle, _ func(time.Duration) bool) {
		begun := make(chan *attempt, 1000)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 50 {
					if a, err := th.begin(t.Context(), "ann", "192.0.2.1"); err == nil {
						begun <- a
					}
				}
			})
		}
		wg.Wait()
		close(begun)
		if len(begun) != 5 {
			t.Errorf("%d are tried at once", len(begun))
		}
		// What was not decided, as the database is away, does not count.
		for a := range begun {
			a.end(t.Context())
		}
		for range 5 {
			if wait := th.fail("ann", "192.0.2.1"); wait > 0 {
				t.Errorf("what was not decided counts: wait %s", wait)
			}
		}
	})
}

// Many names and addresses do not make the throttle forget the account they are after.
func TestFailuresOfManyAreNotForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // no time passes, which would give some back
		th := throttled(t, Throttle{}, ratelimit.NewMemory(ratelimit.MemoryOptions{Max: 6400}))
		address := func(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255) }
		for i := range 1000 {
			th.fail("ann", address(i))
		}
		for i := range 20_000 {
			th.fail(fmt.Sprint("nobody", i), address(i))
		}
		if th.fail("ann", "192.0.2.1") == 0 {
			t.Error("the failures of the account are forgotten")
		}
	})
}

// Limits that cannot be counted are an error of the program.
func TestThrottleOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for _, o := range []Throttle{{PairFailures: -1}, {PairWait: -1}, {AddressWindow: -1}, {AccountFailures: 1 << 60}} {
		if _, err := newThrottle(o, nil, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}

// failing is a backend that is out of order.
type failing struct{ panics bool }

func (f failing) Authenticate(context.Context, string, string) (*User, error) {
	if f.panics {
		panic("out of order")
	}
	return nil, errors.New("the directory is away")
}

// A backend that cannot answer, or panics, is no failure of the user.
func TestFailuresOfABackendDoNotCount(t *testing.T) {
	t.Parallel()
	for _, panics := range []bool{false, true} {
		app := retort.New(retort.Config{SecretKey: rand.Text() + rand.Text(), Logger: slog.New(slog.DiscardHandler)})
		e := New(Options{Backends: []Backend{failing{panics}}})
		app.Install(e)
		if err := app.Prepare(); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			func() {
				defer func() {
					if (recover() != nil) != panics {
						t.Error("the backend did not do as it was told")
					}
				}()
				if _, err := e.Authenticate(t.Context(), "ann@example.com", "secret"); err == nil || strings.Contains(err.Error(), "too many") {
					t.Error(err)
				}
			}()
		}
	}
}

// While the store is away each process counts for itself, or nobody logs in.
func TestTheStoreOfTheFailuresMayBeAway(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	store, err := redislimit.Open(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	here, closed := throttled(t, Throttle{PairWait: 15 * time.Minute}, store), throttled(t, Throttle{WhenAway: ratelimit.Refuse}, store)
	server.Stop()
	for i := range 10 {
		if wait := here.fail("ann", "192.0.2.1"); (wait > 0) != (i >= 5) {
			t.Errorf("try %d waits %s", i, wait)
		}
		if _, err := closed.begin(t.Context(), "ann", "192.0.2.1"); retort.StatusOf(err) != http.StatusServiceUnavailable {
			t.Error(err)
		}
	}
	server.Restart()
	deadline := time.Now().Add(time.Minute)
	for {
		a, err := closed.begin(t.Context(), "ann", "192.0.2.1")
		if err == nil {
			a.succeeded(t.Context())
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestSecurityDeployRules(t *testing.T) {
	t.Parallel()
	for id, o := range map[string]Options{
		"":              {},
		"auth.throttle": {Throttle: Throttle{Disabled: true}},
		"auth.hash":     {Hash: password.Options{Memory: 64, Time: 1}},
	} {
		app := retort.New(retort.Config{SecretKey: rand.Text() + rand.Text(), Logger: slog.New(slog.DiscardHandler)})
		app.Install(New(o))
		found := ""
		for _, f := range app.RunChecks(t.Context(), true) {
			if strings.HasPrefix(f.ID, "auth.") {
				found += f.ID
			}
		}
		if found != id {
			t.Errorf("found %q, want %q", found, id)
		}
	}
	for _, o := range []password.Options{{Time: 3, Memory: 12288}, {Time: 9, Memory: 7168}, {Memory: 1 << 16}} {
		if tooCheap(o) {
			t.Errorf("%+v is enough", o)
		}
	}
}
