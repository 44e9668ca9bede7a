// Package password stores passwords so that they cannot be read back, and judges
// new ones.
//
//	hasher, err := password.New(password.Options{})
//	encoded, err := hasher.Hash(ctx, "correct horse battery staple")
//	ok, outdated, err := hasher.Verify(ctx, "correct horse battery staple", encoded)
//
// New hashes are argon2id (RFC 9106) in the PHC string format. Those that Django
// and Werkzeug (Flask) have written are verified too, so that accounts can be moved
// as they are: Verify says that they are outdated, and the program hashes the
// password it has just seen anew.
//
// Hashing is meant to be slow and to take memory. A [Hasher] therefore computes a
// few at a time and lets the others wait, so that a hundred logins at once take
// neither all memory nor all processors.
//
// A [Policy] judges new passwords: their length, how common they are, and whether
// they are the user's own name.
package password

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
)

// MaxLength is the length in bytes above which a password is refused: nobody types
// it, and hashing it is work for nothing.
const MaxLength = 4096

// ErrTooLong says that a password to be hashed is longer than [MaxLength].
var ErrTooLong = fmt.Errorf("password: longer than %d bytes", MaxLength)

// ErrBusy says that more passwords wait to be hashed than [Options].MaxWaiting. A
// site answers 503 with Retry-After.
var ErrBusy = errors.New("password: too many passwords are being checked; try again in a moment")

// Options are the cost of a hash. The zero value is what OWASP recommends for
// argon2id: 19 MiB and two passes, about 30 ms of one processor.
type Options struct {
	// Memory of one hash in KiB. Default: 19456.
	Memory uint32
	// Time is the number of passes. Default: 2.
	Time uint32
	// Threads of one hash. Default: 1.
	Threads uint8
	// MaxConcurrent is how many hashes are computed at once; the memory that
	// hashing takes is at most this times Memory. Default: half of the processors,
	// at least one.
	MaxConcurrent int
	// MaxWaiting is how many more may wait. Default: 1000.
	MaxWaiting int
}

// Hasher makes and verifies hashes. It is safe for concurrent use; a program has one.
type Hasher struct {
	options Options
	slots   chan struct{}
	waiting atomic.Int64
}

// New checks the options and returns a hasher.
func New(o Options) (*Hasher, error) {
	if o.Memory == 0 {
		o.Memory = 19456
	}
	if o.Time == 0 {
		o.Time = 2
	}
	if o.Threads == 0 {
		o.Threads = 1
	}
	if o.MaxConcurrent == 0 {
		o.MaxConcurrent = max(1, runtime.GOMAXPROCS(0)/2)
	}
	if o.MaxWaiting == 0 {
		o.MaxWaiting = 1000
	}
	switch {
	case o.Memory < 8*uint32(o.Threads) || o.Memory > maxMemory:
		return nil, fmt.Errorf("password: Memory is %d KiB; it is between 8 for each thread and %d", o.Memory, maxMemory)
	case o.Time > maxTime:
		return nil, fmt.Errorf("password: Time is %d; it is at most %d", o.Time, maxTime)
	case o.MaxConcurrent < 0 || o.MaxWaiting < 0:
		return nil, errors.New("password: MaxConcurrent and MaxWaiting cannot be negative")
	}
	return &Hasher{options: o, slots: make(chan struct{}, o.MaxConcurrent)}, nil
}

// enter waits for its turn, and returns what ends it.
func (h *Hasher) enter(ctx context.Context) (leave func(), err error) {
	select {
	case h.slots <- struct{}{}:
		return h.leave, nil
	default:
	}
	if h.waiting.Add(1) > int64(h.options.MaxWaiting) {
		h.waiting.Add(-1)
		return nil, ErrBusy
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
		return h.leave, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (h *Hasher) leave() { <-h.slots }

// Hash returns the hash of a password, with a salt of its own. It waits for its turn;
// the error is [ErrTooLong], [ErrBusy] or that of the context.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > MaxLength {
		return "", ErrTooLong
	}
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	var salt [16]byte
	_, _ = rand.Read(salt[:]) // never fails
	return newArgon2(h.options, salt[:]).encode(password), nil
}

// Verify reports whether a password is the one that was hashed, and whether the hash
// is outdated: of another kind, or cheaper than the options ask for. An encoded text
// that is no hash matches nothing, and takes as long to find out as a wrong password,
// so that the time does not tell which accounts have none. The error is [ErrBusy] or
// that of the context.
func (h *Hasher) Verify(ctx context.Context, password, encoded string) (ok, outdated bool, err error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return false, false, err
	}
	defer leave()
	known := parse(encoded)
	if known == nil || len(password) > MaxLength {
		newArgon2(h.options, make([]byte, 16)).derive("")
		return false, false, nil
	}
	ok = known.matches(password)
	a, isArgon := known.(*argon2id)
	outdated = !isArgon || a.cheaperThan(h.options)
	if !ok && outdated {
		// Of an account whose hash costs less than others' the time would tell.
		newArgon2(h.options, make([]byte, 16)).derive(password)
	}
	return ok, ok && outdated, nil
}

// unusable begins what stands in place of a hash where no password is right.
const unusable = "!"

// Unusable returns what stands in place of the hash of an account without a
// password: nothing matches it, and no two are alike.
func Unusable() string { return unusable + rand.Text() }

// IsUsable reports whether the text is the hash of a password that could be right.
func IsUsable(encoded string) bool {
	return encoded != "" && !strings.HasPrefix(encoded, unusable) && parse(encoded) != nil
}
