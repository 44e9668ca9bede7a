package session

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"io"
	"sync"

	"github.com/retort-web/retort/signing"
)

const (
	// compressFrom is the size of a body in bytes from which it is compressed
	// for a cookie: below it there is little to win.
	compressFrom = 1 << 10

	// maxBody bounds a decompressed body.
	maxBody = 64 << 10
)

// ErrNoKey says that something was to be kept without a secret key.
var ErrNoKey = errors.New("session: no secret key, so nothing can be remembered; " +
	"make one with `retort secret` and give it to the program as SECRET_KEY")

// CookieOptions change how [NewCookieStore] keeps sessions.
type CookieOptions struct {
	// Purpose separates these sessions from everything else that is sealed
	// with the same keys. Default: "retort session".
	Purpose string

	// NoCompression leaves long sessions uncompressed.
	NoCompression bool
}

// NewCookieStore returns a store that keeps everything in the cookie,
// encrypted and authenticated with k: visitors can neither read nor change it.
// Cookies made with an older key of k are read, and made anew with the first
// when they are next saved. If k is nil there is never a session to be found,
// and keeping one is [ErrNoKey].
func NewCookieStore(k *signing.Keys, o CookieOptions) Store {
	if o.Purpose == "" {
		o.Purpose = "retort session"
	}
	return &cookieStore{keys: k, options: o}
}

type cookieStore struct {
	keys    *signing.Keys
	options CookieOptions
}

// Load opens the cookie. Its age is the [Manager]'s to judge.
func (c *cookieStore) Load(_ context.Context, token string) (*Session, error) {
	if c.keys == nil {
		return New(), nil
	}
	data, err := c.keys.Open(c.options.Purpose, token, signing.Forever)
	if err != nil {
		return New(), nil
	}
	s, err := decodeCookie(data)
	if err != nil {
		return New(), nil
	}
	return s, nil
}

func (c *cookieStore) Save(_ context.Context, s *Session) (string, error) {
	if c.keys == nil {
		return "", ErrNoKey
	}
	return c.keys.Seal(c.options.Purpose, encodeCookie(s, !c.options.NoCompression)), nil
}

func (c *cookieStore) Delete(context.Context, *Session) error { return nil }

// encodeCookie compresses nothing but the body: next to text that a stranger
// can choose, the length of the result would give away the CSRF secret.
func encodeCookie(s *Session, compress bool) []byte {
	body := s.appendBody(nil)
	if compress && len(body) >= compressFrom && len(body) <= maxBody {
		if packed := deflate(body); len(packed) < len(body) {
			return append(s.appendHead(nil, s.id, flagCompressed), packed...)
		}
	}
	return append(s.appendHead(nil, s.id, 0), body...)
}

func decodeCookie(data []byte) (*Session, error) {
	s, body, flags, err := decodeHead(data)
	if err != nil {
		return nil, err
	}
	if flags&flagCompressed != 0 {
		if body, err = inflate(body); err != nil {
			return nil, err
		}
	}
	if err := s.decodeBody(body); err != nil {
		return nil, err
	}
	return s, nil
}

// compressors are kept, for one takes hundreds of kilobytes to set up. The
// fastest level is nearly as good on texts this short.
var compressors = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic("session: " + err.Error()) // only for an unknown level
	}
	return w
}}

// deflate compresses b, or returns it as it is if that fails.
func deflate(b []byte) []byte {
	var out bytes.Buffer
	w := compressors.Get().(*flate.Writer)
	defer compressors.Put(w)
	w.Reset(&out)
	if _, err := w.Write(b); err != nil {
		return b
	}
	if err := w.Close(); err != nil {
		return b
	}
	return out.Bytes()
}

// decompressors are kept for the same reason.
var decompressors = sync.Pool{New: func() any { return flate.NewReader(nil) }}

func inflate(b []byte) ([]byte, error) {
	r := decompressors.Get().(io.Reader)
	defer decompressors.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(b), nil); err != nil {
		return nil, errEncoding
	}
	out, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err != nil || len(out) > maxBody {
		return nil, errEncoding
	}
	return out, nil
}
