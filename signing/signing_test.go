package signing_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/retort-web/retort/signing"
)

const (
	oldKey = "old key 0123456789abcdef"
	newKey = "new key 0123456789abcdef"
)

func mustKeys(tb testing.TB, keys ...string) *signing.Keys {
	tb.Helper()
	k, err := signing.New(keys...)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// kinds are the two ways of making a token, which share most rules, each with
// a token of "payload" made for "p" with newKey when the format was young.
var kinds = []struct {
	name string
	make func(*signing.Keys, string, []byte) string
	read func(*signing.Keys, string, string, time.Duration) ([]byte, error)
	past string
}{
	{
		"sign", (*signing.Keys).Sign, (*signing.Keys).Verify,
		"1.cGF5bG9hZA.tosjv8.tXLCPcI12bFVZRBeDXiVHy4FokROynt23-d6Fmjh5y8",
	},
	{
		"seal", (*signing.Keys).Seal, (*signing.Keys).Open,
		"AfkeK5BLTUjeWHH-61ewSIjvCN0yRlUfDxiKy9BsjEAAEqMeSzcW1cDD-ReuqxNUnxaWU8g6wkY",
	},
}

func TestNewRefusesWeakKeys(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		keys []string
		want string
	}{
		{"none at all", nil, "no secret key"},
		{"empty", []string{""}, "key 1 of 1 has 0 bytes"},
		{"one byte short", []string{"123456789abcdef"}, "key 1 of 1 has 15 bytes, at least 16"},
		{"short fallback", []string{newKey, "short"}, "key 2 of 2 has 5 bytes"},
		{"placeholder", []string{strings.Repeat("x", 40)}, "only 1 different bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := signing.New(tt.keys...)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "retort secret") {
				t.Errorf("error is %v, want one with %q and the way to make a key", err, tt.want)
			}
			for _, key := range tt.keys {
				if len(key) > 3 && strings.Contains(err.Error(), key) {
					t.Errorf("error shows the key: %v", err)
				}
			}
		})
	}
}

func TestNewKeyIsAccepted(t *testing.T) {
	t.Parallel()
	a, b := signing.NewKey(), signing.NewKey()
	if a == b {
		t.Error("two new keys are the same")
	}
	if raw, err := base64.RawURLEncoding.DecodeString(a); err != nil || len(raw) != 32 {
		t.Errorf("new key %q is not 32 bytes of base64: %v", a, err)
	}
	mustKeys(t, a, b)
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	k := mustKeys(t, newKey)
	for _, kind := range kinds {
		for _, payload := range []string{"", "x", "hello, world", "with.dots\x00and\xffbytes\n", strings.Repeat("long ", 2000)} {
			token := kind.make(k, "p", []byte(payload))
			got, err := kind.read(k, "p", token, time.Hour)
			if err != nil || string(got) != payload {
				t.Errorf("%s of %.20q: got %.20q, %v", kind.name, payload, got, err)
			}
			if strings.ContainsFunc(token, func(r rune) bool {
				return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", r)
			}) {
				t.Errorf("%s of %.20q: token %.40q is not safe in a URL", kind.name, payload, token)
			}
		}
	}
}

func TestSignIsReadableAndSealIsNot(t *testing.T) {
	t.Parallel()
	k := mustKeys(t, newKey)
	payload := []byte("user=42, a text long enough to be found")
	coded := base64.RawURLEncoding.EncodeToString(payload)
	if token := k.Sign("p", payload); !strings.Contains(token, coded) {
		t.Errorf("signed token %q does not carry the payload in the open", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(k.Seal("p", payload))
	if err != nil || bytes.Contains(raw, payload[:8]) {
		t.Errorf("sealed token shows the payload: %q (%v)", raw, err)
	}
	if first, second := k.Seal("p", payload), k.Seal("p", payload); first == second {
		t.Error("sealing the same payload twice gives the same token")
	}
}

// Tokens are out in the world: a change of the format must keep reading them.
func TestTokensOfThePastAreRead(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		payload, err := kind.read(mustKeys(t, newKey), "p", kind.past, signing.Forever)
		if err != nil || string(payload) != "payload" {
			t.Errorf("%s: got %q, %v", kind.name, payload, err)
		}
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	before := mustKeys(t, oldKey)
	during := mustKeys(t, newKey, oldKey)
	after := mustKeys(t, newKey)
	for _, kind := range kinds {
		old := kind.make(before, "p", []byte("x"))
		if _, err := kind.read(during, "p", old, time.Hour); err != nil {
			t.Errorf("%s: a fallback key does not read: %v", kind.name, err)
		}
		if _, err := kind.read(after, "p", old, time.Hour); !errors.Is(err, signing.ErrInvalid) {
			t.Errorf("%s: a dropped key still reads: %v", kind.name, err)
		}
		// The newest key makes, never a fallback (Flask CVE-2025-47278).
		fresh := kind.make(during, "p", []byte("x"))
		if _, err := kind.read(after, "p", fresh, time.Hour); err != nil {
			t.Errorf("%s: not made with the first key: %v", kind.name, err)
		}
		if _, err := kind.read(before, "p", fresh, time.Hour); !errors.Is(err, signing.ErrInvalid) {
			t.Errorf("%s: made with a fallback key: %v", kind.name, err)
		}
	}
}

func TestPurposesDoNotMix(t *testing.T) {
	t.Parallel()
	k := mustKeys(t, newKey)
	// Purpose and payload, shifted against each other (Django CVE-2026-6873).
	for _, pair := range [][2]string{{"reset", "unsubscribe"}, {"reset", "reset "}, {"a", "a\x00"}, {"", "x"}, {"ab", "a"}} {
		for _, kind := range kinds {
			token := kind.make(k, pair[0], []byte("bc"))
			if _, err := kind.read(k, pair[1], token, time.Hour); !errors.Is(err, signing.ErrInvalid) {
				t.Errorf("%s: a token for %q is read for %q: %v", kind.name, pair[0], pair[1], err)
			}
		}
	}
	if _, err := k.Open("p", k.Sign("p", []byte("x")), time.Hour); !errors.Is(err, signing.ErrInvalid) {
		t.Errorf("a signed token is opened: %v", err)
	}
	if _, err := k.Verify("p", k.Seal("p", []byte("x")), time.Hour); !errors.Is(err, signing.ErrInvalid) {
		t.Errorf("a sealed token is verified: %v", err)
	}
}

func TestEveryChangeIsNoticed(t *testing.T) {
	t.Parallel()
	k := mustKeys(t, newKey)
	for _, kind := range kinds {
		token := kind.make(k, "p", []byte("payload!"))
		for i := range len(token) {
			for _, c := range []byte("A.\n=~") {
				if token[i] == c {
					continue
				}
				changed := token[:i] + string(c) + token[i+1:]
				if _, err := kind.read(k, "p", changed, time.Hour); !errors.Is(err, signing.ErrInvalid) {
					t.Errorf("%s: %q for byte %d is accepted: %v", kind.name, c, i, err)
				}
			}
			if _, err := kind.read(k, "p", token[:i], time.Hour); !errors.Is(err, signing.ErrInvalid) {
				t.Errorf("%s: the first %d bytes are accepted: %v", kind.name, i, err)
			}
		}
		// One token has one spelling: no padding, line break or second half.
		for _, changed := range []string{token + "=", token + "\n", "\r\n" + token, token[:9] + "\n" + token[9:], token + ".", token + "." + token, " " + token} {
			if _, err := kind.read(k, "p", changed, time.Hour); !errors.Is(err, signing.ErrInvalid) {
				t.Errorf("%s: %q is accepted: %v", kind.name, changed, err)
			}
		}
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		for _, tt := range []struct {
			name   string
			after  time.Duration
			maxAge time.Duration
			want   error
		}{
			{"at once", 0, time.Minute, nil},
			{"at the limit", time.Minute, time.Minute, nil},
			{"past the limit", time.Minute + time.Second, time.Minute, signing.ErrExpired},
			{"no age is allowed", 0, 0, signing.ErrExpired},
			{"a negative age is allowed", 0, -time.Hour, signing.ErrExpired},
			{"any age is allowed", 50 * 365 * 24 * time.Hour, signing.Forever, nil},
		} {
			t.Run(kind.name+" "+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					k := mustKeys(t, newKey)
					token := kind.make(k, "p", []byte("x"))
					time.Sleep(tt.after)
					payload, err := kind.read(k, "p", token, tt.maxAge)
					if !errors.Is(err, tt.want) {
						t.Errorf("error is %v, want %v", err, tt.want)
					}
					if err != nil && payload != nil {
						t.Errorf("a refused token still gives %q", payload)
					}
				})
			})
		}
	}
}

// A clock that was set back, or another server's, makes tokens look as if they
// came from the future.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		for _, tt := range []struct {
			ahead time.Duration
			want  error
		}{
			{signing.ClockSkew - time.Second, nil},
			{signing.ClockSkew + 2*time.Second, signing.ErrInvalid},
			{24 * time.Hour, signing.ErrInvalid},
		} {
			var token string
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(tt.ahead)
				token = kind.make(mustKeys(t, newKey), "p", []byte("x"))
			})
			synctest.Test(t, func(t *testing.T) { // begins at the same time again
				for _, maxAge := range []time.Duration{time.Minute, signing.Forever} {
					if _, err := kind.read(mustKeys(t, newKey), "p", token, maxAge); !errors.Is(err, tt.want) {
						t.Errorf("%s made %v ahead, allowed age %v: error is %v, want %v", kind.name, tt.ahead, maxAge, err, tt.want)
					}
				}
			})
		}
	}
}

func TestLongTokensAreRefused(t *testing.T) { // alone, to count allocations
	k := mustKeys(t, newKey)
	for _, kind := range kinds {
		token := kind.make(k, "p", make([]byte, signing.MaxTokenLength))
		_, err := kind.read(k, "p", token, time.Hour)
		if !errors.Is(err, signing.ErrInvalid) || !strings.Contains(err.Error(), "at most 65536") {
			t.Errorf("%s: error is %v, want ErrInvalid with the limit", kind.name, err)
		}
		huge := strings.Repeat("A", 1<<20)
		allocations := testing.AllocsPerRun(10, func() { kind.read(k, "p", huge, time.Hour) })
		if allocations > 10 { // the race detector makes pools forget
			t.Errorf("%s: refusing a megabyte takes %v allocations", kind.name, allocations)
		}
	}
}

func TestManyPurposes(t *testing.T) {
	t.Parallel()
	k := mustKeys(t, newKey)
	for i := range 600 {
		purpose := fmt.Sprint("purpose ", i)
		if _, err := k.Verify(purpose, k.Sign(purpose, nil), time.Hour); err != nil {
			t.Fatalf("%s: %v", purpose, err)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	k := mustKeys(t, newKey, oldKey)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 50 {
				purpose, payload := fmt.Sprint(i%7), fmt.Sprint(i)
				for _, kind := range kinds {
					got, err := kind.read(k, purpose, kind.make(k, purpose, []byte(payload)), time.Hour)
					if err != nil || string(got) != payload {
						t.Errorf("%s: got %q, %v", kind.name, got, err)
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestKeysPrintAsPlaceholder(t *testing.T) {
	t.Parallel()
	k := mustKeys(t, newKey)
	k.Sign("p", nil)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "keys", k)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		fmt.Fprintf(&log, verb+" ", k)
	}
	if got := strings.Count(log.String(), "signing.Keys(1)"); got != 8 {
		t.Errorf("keys print as %q", log.String())
	}
}

func FuzzVerify(f *testing.F) { fuzz(f, 0) }

func FuzzOpen(f *testing.F) { fuzz(f, 1) }

// fuzz looks for a token that is accepted though it was not made here.
func fuzz(f *testing.F, i int) {
	k, kind := mustKeys(f, newKey, oldKey), kinds[i]
	for _, seed := range []string{"", ".", "1.", "1..", "1...", "1.eA.1.", strings.Repeat(".", 100), "AQ", kind.past} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		payload, err := kind.read(k, "p", token, signing.Forever)
		if err == nil && token != kind.past {
			t.Errorf("%q is accepted as %q", token, payload)
		}
		if err != nil && !errors.Is(err, signing.ErrInvalid) {
			t.Errorf("%q: %v", token, err)
		}
	})
}

func BenchmarkKeys(b *testing.B) {
	k := mustKeys(b, newKey)
	payload := bytes.Repeat([]byte("0123456789abcdef"), 16)
	for _, kind := range kinds {
		b.Run(kind.name+"/make", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				kind.make(k, "session", payload)
			}
		})
		token := kind.make(k, "session", payload)
		b.Run(kind.name+"/read", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := kind.read(k, "session", token, time.Hour); err != nil {
					b.Fatal(err)
				}
			}
		})
		long := strings.Repeat("A", 1<<20)
		b.Run(kind.name+"/megabyte", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := kind.read(k, "session", long, time.Hour); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}
