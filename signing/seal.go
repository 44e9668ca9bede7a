package signing

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

// A sealed token is URL-safe base64 of
//
//	version (1 byte) · nonce (24) · sealed( time (8) · payload ) · tag (16)
//
// under XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), the version being
// authenticated too. Its nonce is long enough to be drawn at random for every
// token; the 12 bytes of AES-GCM would have to be counted, which several
// servers with one key cannot do.
const (
	sealVersion  = 1
	nonceSize    = chacha20poly1305.NonceSizeX
	timeSize     = 8
	sealOverhead = 1 + nonceSize + timeSize + chacha20poly1305.Overhead
)

// Seal returns a token of URL-safe characters that carries payload encrypted:
// nobody but these keys can read it, change it or make another. Its length
// still tells the length of the payload.
func (k *Keys) Seal(purpose string, payload []byte) string {
	// One buffer for the raw token and the plaintext behind it.
	size := sealOverhead + len(payload)
	buf := make([]byte, 1+nonceSize, size+timeSize+len(payload))
	buf[0] = sealVersion
	nonce := buf[1:]
	rand.Read(nonce)

	plain := buf[size:size]
	plain = binary.BigEndian.AppendUint64(plain, uint64(time.Now().Unix()))
	plain = append(plain, payload...)

	raw := k.purpose(purpose).seal[0].Seal(buf, nonce, plain, buf[:1])
	return encoding.EncodeToString(raw)
}

// Open returns the payload of a token that [Keys.Seal] made for the same
// purpose at most maxAge ago ([Forever] for any age; zero and less accept
// none). The error wraps [ErrInvalid] or [ErrExpired]; the payload is nil then.
func (k *Keys) Open(purpose, token string, maxAge time.Duration) ([]byte, error) {
	if err := checkLength(token); err != nil {
		return nil, err
	}
	raw, ok := decode(make([]byte, 0, encoding.DecodedLen(len(token))), token)
	if !ok || len(raw) < sealOverhead || raw[0] != sealVersion {
		return nil, ErrInvalid
	}
	version, nonce, box := raw[:1], raw[1:1+nonceSize], raw[1+nonceSize:]
	plain := make([]byte, 0, len(box))
	for _, aead := range k.purpose(purpose).seal {
		opened, err := aead.Open(plain, nonce, box, version)
		if err != nil {
			continue
		}
		if err := checkAge(int64(binary.BigEndian.Uint64(opened)), maxAge); err != nil {
			return nil, err
		}
		return opened[timeSize:], nil
	}
	return nil, ErrInvalid
}

func newAEAD(key []byte) cipher.AEAD {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		panic("signing: " + err.Error()) // only for keys of another length
	}
	return aead
}
