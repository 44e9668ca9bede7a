// Package signing makes tokens that only this program could have made: for
// cookies, links in e-mails, hidden form fields and anything else that leaves
// the server and must come back unchanged.
//
//	keys, err := signing.New(os.Getenv("SECRET_KEY"))
//	token := keys.Sign("unsubscribe", []byte("42"))
//	payload, err := keys.Verify("unsubscribe", token, 7*24*time.Hour)
//
// There are two kinds of token. [Keys.Sign] leaves the payload readable and
// proves who wrote it; [Keys.Seal] hides it as well. Both carry the time they
// were made, and reading one always states how old it may be.
//
// # Purposes
//
// Every call names a purpose, and each purpose has keys of its own, derived
// with HKDF (RFC 5869). A token made for one purpose is worthless for every
// other, so an unsubscribe link can never be replayed as a password reset.
// Purposes are constants of the program ("session", "password reset"), not
// data; put data such as a user's id into the payload.
//
// # Keys and rotation
//
// [New] takes one secret or several. The first makes all tokens, every one of
// them reads: to rotate, put a new secret in front and drop the old one when
// the longest-lived token made with it has expired. [NewKey] makes a secret.
//
// # What a token does not do
//
// A token can be used as often as its age allows. For single use, put
// something into the payload that changes when the token is used, such as the
// hash of the password it resets.
package signing

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"maps"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// MinKeyLength is the length in bytes under which [New] refuses a secret.
	// 32 random bytes, as [NewKey] makes them, are the recommendation.
	MinKeyLength = 16

	// MaxTokenLength is the length in bytes above which a token is refused
	// before anything of it is decoded. It bounds what a hostile token costs;
	// a larger thing belongs on the server, with its id in the token.
	MaxTokenLength = 64 << 10

	// ClockSkew is how far in the future a token may have been made. It lets
	// tokens survive a clock that was set back and servers whose clocks differ.
	ClockSkew = 5 * time.Minute

	// Forever is the maximal age of a token that does not expire.
	Forever time.Duration = math.MaxInt64
)

// minDistinct is the number of different bytes under which a secret is taken
// for a placeholder ("aaaa…"), as Django's deployment check does.
const minDistinct = 5

// maxCachedPurposes bounds the derived keys kept in memory, for programs that
// put data into a purpose. Purposes past it are derived at every call.
const maxCachedPurposes = 256

var (
	// ErrInvalid says that a token was not made by one of these keys for this
	// purpose, or was changed since, or claims to be from the future.
	ErrInvalid = errors.New("signing: invalid token")

	// ErrExpired says that a token is genuine but older than it may be.
	ErrExpired = errors.New("signing: expired token")
)

// Keys makes and reads tokens. It is safe for concurrent use and prints as a
// placeholder, never as its secrets.
type Keys struct {
	roots [][]byte // HKDF pseudorandom keys, the newest first

	// Read by every call and written once for each purpose of the program, so
	// the map is replaced instead of locked.
	purposes atomic.Pointer[map[string]*purposeKeys]
	growing  sync.Mutex
}

// purposeKeys are the keys of one purpose, in the order of Keys.roots.
type purposeKeys struct {
	seal, sign []*macPool
}

// macPool lends out HMAC states of one key: keying one costs two hash blocks
// and five allocations, resetting one costs neither.
type macPool struct {
	sync.Pool

	opened []atomic.Value // a *saltCipher by the first byte of its salt; nil if none are kept
}

func (p *macPool) get() hash.Hash  { return p.Get().(hash.Hash) }
func (p *macPool) put(h hash.Hash) { h.Reset(); p.Put(h) }

// New prepares secrets for use. The first makes tokens, all of them read
// tokens. It refuses an empty list, secrets under [MinKeyLength] bytes and
// secrets of hardly any different bytes. The errors tell which by its place in
// the list and never contain it.
func New(keys ...string) (*Keys, error) {
	if len(keys) == 0 {
		return nil, errors.New("signing: no secret key; " + howToMake)
	}
	k := &Keys{roots: make([][]byte, 0, len(keys))}
	k.purposes.Store(&map[string]*purposeKeys{})
	for i, key := range keys {
		if len(key) < MinKeyLength {
			return nil, fmt.Errorf("signing: secret key %d of %d has %d bytes, at least %d are needed; "+howToMake,
				i+1, len(keys), len(key), MinKeyLength)
		}
		if n := distinct(key); n < minDistinct {
			return nil, fmt.Errorf("signing: secret key %d of %d has only %d different bytes, so it can be guessed; "+howToMake,
				i+1, len(keys), n)
		}
		root, err := hkdf.Extract(sha256.New, []byte(key), []byte("retort/signing/v1"))
		if err != nil {
			return nil, fmt.Errorf("signing: secret key %d of %d: %w", i+1, len(keys), err)
		}
		k.roots = append(k.roots, root)
	}
	return k, nil
}

const howToMake = "make one with `retort secret` or `openssl rand -base64 32`"

// NewKey returns a new secret for [New]: 32 bytes from the system's random
// source as 43 characters of URL-safe base64.
func NewKey() string {
	var b [32]byte
	rand.Read(b[:]) // never fails: the runtime ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Format prints a placeholder whatever the verb, so that no log or debug page
// shows a key.
func (k *Keys) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "signing.Keys(%d)", len(k.roots))
}

// purpose returns the keys of one purpose, derived at its first use.
func (k *Keys) purpose(name string) *purposeKeys {
	if p, ok := (*k.purposes.Load())[name]; ok {
		return p
	}
	p := &purposeKeys{
		seal: make([]*macPool, len(k.roots)),
		sign: make([]*macPool, len(k.roots)),
	}
	for i, root := range k.roots {
		p.seal[i] = newMACPool(derive(root, "seal", name))
		p.sign[i] = newMACPool(derive(root, "sign", name))
	}
	k.growing.Lock()
	defer k.growing.Unlock()
	if known := *k.purposes.Load(); len(known) < maxCachedPurposes {
		for _, pool := range p.seal {
			pool.opened = make([]atomic.Value, 256)
		}
		grown := maps.Clone(known)
		grown[strings.Clone(name)] = p
		k.purposes.Store(&grown)
	}
	return p
}

// derive expands a root into the 32-byte key of one kind of token and one
// purpose. The kind holds no NUL, so the joint of the two is unambiguous.
func derive(root []byte, kind, purpose string) []byte {
	key, err := hkdf.Expand(sha256.New, root, kind+"\x00"+purpose, 32)
	if err != nil {
		panic("signing: " + err.Error()) // only for lengths over 255 hashes
	}
	return key
}

// checkAge judges the time a genuine token was made, in seconds since 1970.
func checkAge(made int64, maxAge time.Duration) error {
	now := time.Now().Unix()
	if made < 0 || made > now+int64(ClockSkew/time.Second) {
		return ErrInvalid
	}
	if maxAge == Forever {
		return nil
	}
	// Compared in whole seconds: a Duration cannot hold the age of a token
	// that claims to be from 1970, and its overflow would look young.
	if maxAge <= 0 || now-made > int64(maxAge/time.Second) {
		return ErrExpired
	}
	return nil
}

// checkLength refuses what is too long to be looked at.
func checkLength(token string) error {
	if len(token) > MaxTokenLength {
		return fmt.Errorf("%w: %d bytes, at most %d are read", ErrInvalid, len(token), MaxTokenLength)
	}
	return nil
}

// decode reads URL-safe base64 in its one canonical form. The library skips
// line breaks even in strict mode, which would give a token many spellings.
func decode(dst []byte, src string) ([]byte, bool) {
	if strings.IndexByte(src, '\n') >= 0 || strings.IndexByte(src, '\r') >= 0 {
		return nil, false
	}
	b, err := encoding.AppendDecode(dst, []byte(src))
	return b, err == nil
}

var encoding = base64.RawURLEncoding.Strict()

func distinct(s string) int {
	var seen [256]bool
	n := 0
	for i := range len(s) {
		if !seen[s[i]] {
			seen[s[i]] = true
			n++
		}
	}
	return n
}
