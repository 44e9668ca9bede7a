package session

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

const csrfSecretSize = 32

var csrfEncoding = base64.RawURLEncoding.Strict()

// CSRFToken returns a token for a form or an X-CSRF-Token header, 86
// characters of URL-safe base64. It stands for a secret of this session that
// lasts until [Session.Rotate], but looks different at every call (a random
// mask and the secret under it), so that a compressed page does not leak it
// byte by byte (BREACH, CVE-2013-3587).
func (s *Session) CSRFToken() string {
	var text [4 * csrfSecretSize]byte
	return string(s.AppendCSRFToken(text[:0]))
}

// AppendCSRFToken appends what [Session.CSRFToken] returns to dst, for pages that are
// being written.
func (s *Session) AppendCSRFToken(dst []byte) []byte {
	s.accessed = true
	if s.ID(); !s.tokens {
		s.tokens = true
		s.note()
	}
	var token [2 * csrfSecretSize]byte
	mask, masked := token[:csrfSecretSize], token[csrfSecretSize:]
	rand.Read(mask)
	subtle.XORBytes(masked, mask, s.csrfSecret())
	return csrfEncoding.AppendEncode(dst, token[:])
}

// csrfSecret is made from the ID: nothing more has to be kept, two pages that
// are made at once have the same, and from a token nobody gets to the ID.
func (s *Session) csrfSecret() []byte {
	if !s.hasSecret {
		var room [64]byte
		s.secret = sha256.Sum256(append(append(room[:0], "retort csrf\x00"...), s.id...))
		s.hasSecret = true
	}
	return s.secret[:]
}

// VerifyCSRF reports whether token was made by [Session.CSRFToken] for this
// session since its last [Session.Rotate]. It compares in constant time.
func (s *Session) VerifyCSRF(token string) bool {
	s.accessed = true
	if s.id == "" || !s.tokens || len(token) != csrfEncoding.EncodedLen(2*csrfSecretSize) {
		return false
	}
	var raw [2 * csrfSecretSize]byte
	if n, err := csrfEncoding.Decode(raw[:], []byte(token)); err != nil || n != len(raw) {
		return false
	}
	mask, masked := raw[:csrfSecretSize], raw[csrfSecretSize:]
	subtle.XORBytes(masked, masked, mask)
	return subtle.ConstantTimeCompare(masked, s.csrfSecret()) == 1
}
