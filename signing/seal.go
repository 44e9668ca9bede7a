package signing

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// A sealed token is URL-safe base64 of
//
//	version (1 byte) · salt (24) · sealed( time (8) · payload ) · tag (16)
//
// under AES-256-GCM (NIST SP 800-38D), the version being authenticated too.
// Every token has a key of its own, HKDF-Expand (RFC 5869) of the purpose's
// key and the random salt, and so needs no nonce: the 12 bytes that GCM takes
// are too few to be drawn at random for ever, and servers that share a key
// cannot count them.
const (
	sealVersion  = 1
	saltSize     = 24
	timeSize     = 8
	tagSize      = 16
	sealOverhead = 1 + saltSize + timeSize + tagSize
)

var noNonce [12]byte

// Seal returns a token of URL-safe characters that carries payload encrypted:
// nobody but these keys can read it, change it or make another. Its length
// still tells the length of the payload.
func (k *Keys) Seal(purpose string, payload []byte) string {
	// One buffer for the raw token and the plaintext behind it.
	size := sealOverhead + len(payload)
	buf := make([]byte, 1+saltSize, size+timeSize+len(payload))
	buf[0] = sealVersion
	salt := buf[1:]
	rand.Read(salt)

	plain := buf[size:size]
	plain = binary.BigEndian.AppendUint64(plain, uint64(time.Now().Unix()))
	plain = append(plain, payload...)

	raw := k.purpose(purpose).seal[0].aead(salt).Seal(buf, noNonce[:], plain, buf[:1])
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
	version, salt, box := raw[:1], raw[1:1+saltSize], raw[1+saltSize:]
	keys := k.purpose(purpose).seal
	for i, key := range keys {
		sealed, known := key.recent(salt)
		if !known {
			sealed = &saltCipher{string(salt), key.aead(salt)}
		}
		plain := box[:0] // in place, unless another key needs the box when this one fails
		if i < len(keys)-1 {
			plain = make([]byte, 0, len(box))
		}
		opened, err := sealed.aead.Open(plain, noNonce[:], box, version)
		if err != nil {
			continue
		}
		if !known && key.opened != nil {
			key.opened[salt[0]].Store(sealed)
		}
		if err := checkAge(int64(binary.BigEndian.Uint64(opened)), maxAge); err != nil {
			return nil, err
		}
		return opened[timeSize:], nil
	}
	return nil, ErrInvalid
}

// saltCipher is the cipher of one token.
type saltCipher struct {
	salt string
	aead cipher.AEAD
}

// recent returns the cipher of a token that was opened before, if it is still known: a
// browser sends the same cookie with each request, and a cipher costs more than its use.
// Only tokens that proved to be ours are remembered, 256 of them at most for each key.
func (p *macPool) recent(salt []byte) (*saltCipher, bool) {
	if p.opened == nil {
		return nil, false
	}
	c, ok := p.opened[salt[0]].Load().(*saltCipher)
	return c, ok && c.salt == string(salt)
}

// aead returns the cipher of the one token with this salt.
func (p *macPool) aead(salt []byte) cipher.AEAD {
	var key [sha256.Size]byte
	mac := p.get()
	mac.Write(salt)
	mac.Write([]byte{1}) // the number of the block, of which there is one
	mac.Sum(key[:0])
	p.put(mac)
	block, err := aes.NewCipher(key[:])
	if err == nil {
		var aead cipher.AEAD
		if aead, err = cipher.NewGCM(block); err == nil {
			return aead
		}
	}
	panic("signing: " + err.Error()) // only for keys of another length
}
