package signing

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// A signed token is "1.payload.time.mac": the version, the payload in URL-safe
// base64, the time it was made in seconds since 1970 in base 36, and
// HMAC-SHA256 (RFC 2104) over all that stands before the last dot.
const signPrefix = "1."

// Sign returns a token of URL-safe characters that carries payload, readable
// for everyone, and proves that it was made here for this purpose.
func (k *Keys) Sign(purpose string, payload []byte) string {
	pool := k.purpose(purpose).sign[0]
	b := make([]byte, 0, len(signPrefix)+encoding.EncodedLen(len(payload))+16+encoding.EncodedLen(sha256.Size))
	b = append(b, signPrefix...)
	b = encoding.AppendEncode(b, payload)
	b = append(b, '.')
	b = strconv.AppendInt(b, time.Now().Unix(), 36)

	var sum [sha256.Size]byte
	mac := pool.get()
	mac.Write(b)
	mac.Sum(sum[:0])
	pool.put(mac)

	b = append(b, '.')
	b = encoding.AppendEncode(b, sum[:])
	return string(b)
}

// Verify returns the payload of a token that [Keys.Sign] made for the same
// purpose at most maxAge ago ([Forever] for any age; zero and less accept
// none). The error wraps [ErrInvalid] or [ErrExpired]; the payload is nil then.
func (k *Keys) Verify(purpose, token string, maxAge time.Duration) ([]byte, error) {
	if err := checkLength(token); err != nil {
		return nil, err
	}
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 {
		return nil, ErrInvalid
	}
	signed := token[:dot]
	body, ok := strings.CutPrefix(signed, signPrefix)
	if !ok {
		return nil, ErrInvalid
	}
	text, made, ok := strings.Cut(body, ".")
	if !ok {
		return nil, ErrInvalid
	}
	var sum [sha256.Size]byte
	got, ok := decode(sum[:0], token[dot+1:])
	if !ok || len(got) != sha256.Size || !k.signed(purpose, signed, got) {
		return nil, ErrInvalid
	}
	// Only text that was ours from here on.
	seconds, err := strconv.ParseInt(made, 36, 64)
	if err != nil {
		return nil, ErrInvalid
	}
	if err := checkAge(seconds, maxAge); err != nil {
		return nil, err
	}
	payload, ok := decode(nil, text)
	if !ok {
		return nil, ErrInvalid
	}
	return payload, nil
}

// Digests returns keyed digests of a payload, as 43 characters of URL-safe base64:
// that of the newest key, which is the one to keep, and those of the older ones, to
// compare what was kept before with. It is always the same for the same payload and
// purpose, unlike a token, and nobody without the keys can make it.
func (k *Keys) Digests(purpose string, payload []byte) []string {
	pools := k.purpose(purpose).sign
	all := make([]string, len(pools))
	for i, pool := range pools {
		mac := pool.get()
		// No token begins so: it begins with the version.
		mac.Write([]byte("digest\x00"))
		mac.Write(payload)
		all[i] = base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		pool.put(mac)
	}
	return all
}

// signed reports whether any key made sum over text.
func (k *Keys) signed(purpose, text string, sum []byte) bool {
	input := []byte(text)
	var want [sha256.Size]byte
	for _, pool := range k.purpose(purpose).sign {
		mac := pool.get()
		mac.Write(input)
		mac.Sum(want[:0])
		pool.put(mac)
		if subtle.ConstantTimeCompare(want[:], sum) == 1 {
			return true
		}
	}
	return false
}

// newMACPool is not inlined, as it is called seldom.
//
//go:noinline
func newMACPool(key []byte) *macPool {
	p := &macPool{}
	p.New = func() any { return hmac.New(sha256.New, key) }
	return p
}
