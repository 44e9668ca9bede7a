package auth

import (
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/internal/counts"
	"github.com/retort-web/retort/ratelimit"
)

// A user has a code sent once in half a minute and five times an hour, and an address
// gets ten an hour from all users.
func TestSecurityHowOftenCodesAreSent(t *testing.T) {
	t.Parallel()
	app := retort.New(retort.Config{SecretKey: "a key for these tests only, nowhere else", Logger: slog.New(slog.DiscardHandler)})
	synctest.Test(t, func(t *testing.T) {
		e := &Extension{app: app, mails: counts.New(nil, ratelimit.CountHere)}
		sms := &CodeSender{Name: "sms"}
		ask := func(id int64, to string) bool {
			t.Helper()
			user := &User{}
			user.ID = id
			ok, err := e.maySend(t.Context(), user, sms, to)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		for i := range 5 {
			if !ask(1, "+1") {
				t.Errorf("code %d is not sent", i+1)
			}
			time.Sleep(29 * time.Second)
			if ask(1, "+1") {
				t.Errorf("another after 29 seconds")
			}
			time.Sleep(time.Second)
		}
		if ask(1, "+1") {
			t.Error("a sixth in three minutes")
		}
		if !ask(2, "+2") {
			t.Error("another user waits")
		}
		// What did not go is not counted.
		time.Sleep(12 * time.Minute)
		if !ask(1, "+1") || ask(1, "+1") {
			t.Error("not one after twelve minutes")
		}
		sent := 0
		for end := time.Now().Add(24 * time.Hour); time.Now().Before(end); time.Sleep(10 * time.Second) {
			if ask(1, "+1") {
				sent++
			}
		}
		if sent > 5*24+5 {
			t.Errorf("%d a day", sent)
		}
		// Many accounts that name one phone.
		sent = 0
		for id := range int64(100) {
			if ask(100+id, "+3") {
				sent++
			}
		}
		if sent != 10 {
			t.Errorf("%d users had codes sent to one phone at once", sent)
		}
	})
}

func TestNewSentCode(t *testing.T) {
	t.Parallel()
	first := map[byte]int{}
	for range 5000 {
		code, err := newSentCode()
		if err != nil || len(code) != sentDigits {
			t.Fatal(code, err)
		}
		first[code[0]]++
	}
	for digit := byte('0'); digit <= '9'; digit++ {
		if n := first[digit]; n < 350 || n > 650 { // seven standard deviations
			t.Errorf("%d of 5000 codes begin with %c", n, digit)
		}
	}
}

// A code that was sent before the secret key was rotated is taken after it.
func TestSentHashesOfOlderKeys(t *testing.T) {
	t.Parallel()
	user := &User{}
	user.ID = 7
	hashes := func(key string, older ...string) []string {
		app := retort.New(retort.Config{SecretKey: key, SecretKeyFallbacks: older, Logger: slog.New(slog.DiscardHandler)})
		e := New()
		app.Install(e)
		if err := app.Prepare(); err != nil {
			t.Fatal(err)
		}
		return e.sentHashes(user, "sms", forLogin, "+1", "042424")
	}
	const before, after = "the key of before, for these tests only", "the key of after, for these tests only"
	kept := hashes(before)[0]
	if rotated := hashes(after, before); len(rotated) != 2 || rotated[0] == kept || !slices.Contains(rotated, kept) {
		t.Error(kept, rotated)
	}
	if slices.Contains(hashes(after), kept) {
		t.Error("a key that was dropped still counts")
	}
}

func TestMasked(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]string{
		"ann@example.com": "a…@example.com", "a@example.com": "a…@example.com", "ärmel@example.com": "ä…@example.com", "@example.com": "…@example.com",
		"+49 151 2345667": "…67", "12345": "…", "123456": "…56", "": "", "日本語日本語": "…本語",
	} {
		if got := masked(to); got != want {
			t.Errorf("%q is %q, want %q", to, got, want)
		}
	}
}
