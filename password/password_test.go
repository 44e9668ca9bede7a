package password_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/retort-web/retort/password"
)

// cheap is for tests that hash much.
func cheap(t testing.TB, o password.Options) *password.Hasher {
	t.Helper()
	o.Memory, o.Time = 64, 1
	h, err := password.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func ExampleHasher() {
	h, err := password.New(password.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	encoded, _ := h.Hash(ctx, "correct horse battery staple")
	ok, outdated, err := h.Verify(ctx, "correct horse battery staple", encoded)
	fmt.Println(encoded[:31], ok, outdated, err)
	// Output: $argon2id$v=19$m=19456,t=2,p=1$ true false <nil>
}

func TestHashAndVerify(t *testing.T) {
	t.Parallel()
	h := cheap(t, password.Options{})
	for _, secret := range []string{"", "a", "with\x00null", "lètmein", "\xff\xfe", strings.Repeat("x", password.MaxLength)} {
		encoded, err := h.Hash(t.Context(), secret)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := h.Hash(t.Context(), secret)
		if again == encoded {
			t.Error("two hashes have the same salt")
		}
		ok, outdated, err := h.Verify(t.Context(), secret, encoded)
		if !ok || outdated || err != nil {
			t.Errorf("%.20q: %v %v %v", secret, ok, outdated, err)
		}
		for _, wrong := range []string{secret + "x", strings.TrimSuffix(secret, "x") + "y", "\x00" + secret} {
			if ok, outdated, _ := h.Verify(t.Context(), wrong, encoded); ok || outdated {
				t.Errorf("%.20q is taken for %.20q", wrong, secret)
			}
		}
	}
	if _, err := h.Hash(t.Context(), strings.Repeat("x", password.MaxLength+1)); !errors.Is(err, password.ErrTooLong) {
		t.Error(err)
	}
}

// The hashes are of "lètmein", made by Python's hashlib and crypt in the formats of
// Django and Werkzeug.
var foreign = map[string]string{
	"django pbkdf2_sha256":   "pbkdf2_sha256$1000$seasalt$JgZryXe2Ga8ysg6XbzkLpTdyPQrHqsinbL9BnnhgX4A=",
	"django pbkdf2_sha1":     "pbkdf2_sha1$1000$seasalt$ljleU4wBmTtz/MoG5YTwxpM0d7I=",
	"django scrypt":          "scrypt$16384$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw==",
	"django bcrypt":          "bcrypt$$2b$10$abcdefghijklmnopqrstuuxmM2LWfxFfsw7CBLfyuCzOrhaxxlSDy",
	"django bcrypt_sha256":   "bcrypt_sha256$$2b$10$abcdefghijklmnopqrstuuceGkYFpXphVzL69Cw7e8GJM81v2yfV.",
	"plain bcrypt":           "$2b$10$abcdefghijklmnopqrstuuxmM2LWfxFfsw7CBLfyuCzOrhaxxlSDy",
	"werkzeug scrypt":        "scrypt:32768:8:1$seasalt$234adc1bad217ba78ba38755879749e79e0bd9e15594146d46e6420f2313e6228332c0781cdf9077cf34c4a818d359fe2eb589d29206092aba3cb6ee4afcac2f",
	"werkzeug pbkdf2":        "pbkdf2:sha256:1000$seasalt$26066bc977b619af32b20e976f390ba537723d0ac7aac8a76cbf419e78605f80",
	"werkzeug pbkdf2 sha512": "pbkdf2:sha512:1000$seasalt$32fa58cd16fdb7c20750ed54edc09c18f7c8f892dc15104e51b92dcbebc7997ccca063b71069f9643c45c2490e1d54f9e44973dd0733b36f853690ca523bff44",
}

func TestHashesOfDjangoAndWerkzeug(t *testing.T) {
	t.Parallel()
	h := cheap(t, password.Options{})
	own, err := h.Hash(t.Context(), "lètmein")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"django argon2": "argon2" + own}
	for name, encoded := range foreign {
		all[name] = encoded
	}
	for name, encoded := range all {
		ok, outdated, err := h.Verify(t.Context(), "lètmein", encoded)
		if !ok || err != nil || outdated != (name != "django argon2") {
			t.Errorf("%s: %v, outdated %v, %v", name, ok, outdated, err)
		}
		if ok, outdated, _ := h.Verify(t.Context(), "letmein", encoded); ok || outdated {
			t.Errorf("%s: a wrong password is right", name)
		}
		if !password.IsUsable(encoded) {
			t.Errorf("%s is not usable", name)
		}
	}
	dear, err := password.New(password.Options{Memory: 128, Time: 1})
	if err != nil {
		t.Fatal(err)
	}
	if ok, outdated, _ := dear.Verify(t.Context(), "lètmein", own); !ok || !outdated {
		t.Error("a hash of half the memory is not outdated")
	}
	// bcrypt sees 72 bytes; a longer password must not match by its beginning.
	if ok, _, _ := h.Verify(t.Context(), "lètmein"+strings.Repeat("\x00", 80), all["plain bcrypt"]); ok {
		t.Error("a password of more than 72 bytes matches")
	}
}

func TestBrokenHashes(t *testing.T) {
	t.Parallel()
	h := cheap(t, password.Options{})
	unusable := password.Unusable()
	if unusable == password.Unusable() {
		t.Error("two accounts without password have the same text")
	}
	for _, encoded := range []string{
		"", "!", unusable, "plain", "$", "$argon2id$", "$argon2id$v=19$m=64,t=1,p=1$$", "$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=99999999,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "$argon2id$v=19$m=64,t=4294967295,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=64,t=1,p=0$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "$argon2id$v=19$t=1,m=64,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"pbkdf2_sha256$99999999999$salt$aGFzaGhhc2hoYXNoaGFzaA==", "pbkdf2_sha256$-1$salt$aGFzaGhhc2hoYXNoaGFzaA==", "pbkdf2_sha256$1000$salt$", "pbkdf2_md5$1$s$aGFzaGhhc2hoYXNoaGFzaA==",
		"scrypt$1073741824$salt$8$1$aGFzaGhhc2hoYXNoaGFzaA==", "scrypt:1073741824:8:1$salt$61616161616161616161616161616161", "scrypt:32768:8$salt$61",
		"pbkdf2:md5:1000$salt$61616161616161616161616161616161", "pbkdf2:sha256$salt$zz", "bcrypt$$2b$31$abcdefghijklmnopqrstuuxmM2LWfxFfsw7CBLfyuCzOrhaxxlSDy", "$2b$10$short",
		strings.Repeat("$", 2000), "md5$salt$hash",
	} {
		for _, secret := range []string{"", "x", encoded, strings.Repeat("x", password.MaxLength+1)} {
			if ok, outdated, err := h.Verify(t.Context(), secret, encoded); ok || outdated || err != nil {
				t.Errorf("%q with %.20q: %v %v %v", encoded, secret, ok, outdated, err)
			}
		}
		if password.IsUsable(encoded) {
			t.Errorf("%q is usable", encoded)
		}
	}
}

func FuzzVerify(f *testing.F) {
	for _, encoded := range foreign {
		f.Add("lètmein", encoded)
	}
	h := cheap(f, password.Options{})
	f.Fuzz(func(t *testing.T, secret, encoded string) {
		if strings.ContainsAny(encoded, "56789") {
			return // cheap ones only
		}
		if _, _, err := h.Verify(t.Context(), secret, encoded); err != nil {
			t.Error(err)
		}
	})
}

func TestOnlyAFewAtATime(t *testing.T) {
	t.Parallel()
	h := cheap(t, password.Options{MaxConcurrent: 1, MaxWaiting: 2})
	encoded, err := h.Hash(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	// Many at once: each gets an answer, or is told that there are too many.
	var wg sync.WaitGroup
	var mu sync.Mutex
	done, busy := 0, 0
	for range 50 {
		wg.Go(func() {
			ok, _, err := h.Verify(t.Context(), "x", encoded)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && ok:
				done++
			case errors.Is(err, password.ErrBusy):
				busy++
			default:
				t.Error(ok, err)
			}
		})
	}
	wg.Wait()
	if done == 0 || done+busy != 50 {
		t.Errorf("%d done, %d refused", done, busy)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	full := cheap(t, password.Options{MaxConcurrent: 1})
	hold := make(chan struct{})
	go func() {
		for {
			select {
			case <-hold:
				return
			default:
				_, _ = full.Hash(context.Background(), "y")
			}
		}
	}()
	for { // until it meets the other inside
		if _, err := full.Hash(ended, "x"); err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			break
		}
	}
	close(hold)
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []password.Options{{Memory: 1}, {Memory: 1 << 30}, {Time: 1000}, {MaxConcurrent: -1}, {MaxWaiting: -1}, {Memory: 16, Threads: 4}} {
		if _, err := password.New(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	about := []string{"ann.miller@example.com", "Ann Miller"}
	for secret, want := range map[string]string{
		"correct horse battery": "", "kräftiger Tee": "", "Tr0ub4dor&3x": "",
		"":                              "min_length",
		"short":                         "min_length",
		"password":                      "password_common",
		"Password1!":                    "password_common",
		"PASSWORD":                      "password_common",
		"１２３４５６７８":                      "password_common",
		"84629175":                      "password_numeric",
		"ann.miller":                    "password_similar",
		"annmiller1":                    "password_similar",
		"ANN.MILLER@EXAMPLE.COM":        "password_similar",
		"nul\x00nul\x00nul":             "encoding",
		"\xff\xff\xff\xff\xff\xff\xff":  "encoding",
		strings.Repeat("ab", 3000):      "password_too_long",
		strings.Repeat("correct ", 500): "",
	} {
		var codes []string
		for _, e := range (password.Policy{}).Check(secret, about...) {
			codes = append(codes, e.Code)
			if e.Message == "" || e.Message == "is not valid" || secret != "password" && secret != "" && strings.Contains(e.Message, secret) {
				t.Errorf("%.20q: message %q", secret, e.Message)
			}
		}
		if got := strings.Join(codes, " "); got != want && !(want != "" && strings.Contains(got, want)) {
			t.Errorf("%.20q: %q, want %q", secret, got, want)
		}
	}
	// Much text about the user takes no time to compare with.
	if found := (password.Policy{}).Check(strings.Repeat("ab", 100), strings.Repeat("ba ", 1_000_000)); len(found) > 1 {
		t.Error(found)
	}
	if lines := (password.Policy{MinLength: 12}).Help(); len(lines) != 3 || !strings.Contains(lines[0], "12 characters") {
		t.Error(lines)
	}
}

func BenchmarkVerify(b *testing.B) {
	h, err := password.New(password.Options{})
	if err != nil {
		b.Fatal(err)
	}
	encoded, err := h.Hash(b.Context(), "correct horse")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ok, _, err := h.Verify(b.Context(), "correct horse", encoded); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
