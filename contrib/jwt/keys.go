package jwt

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
)

// algorithms are those that tokens may be signed by. None of them is symmetric: who can
// verify a token must not be able to make one.
var algorithms = []string{"EdDSA", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}

// minRSA is the least size of RSA keys in bits (RFC 7518, section 3.3).
const minRSA = 2048

// Key is a public key of an issuer.
type Key struct {
	// ID is the kid that tokens have of it. Without one it is for tokens without, and
	// must be the only key.
	ID string
	// Algorithm is the one that this key signs by. Default: EdDSA for Ed25519, ES256,
	// ES384 or ES512 by the curve, and RS256 for RSA.
	Algorithm string
	// Public is an ed25519.PublicKey, *ecdsa.PublicKey or *rsa.PublicKey.
	Public crypto.PublicKey
}

// Keys are the keys of an issuer, [KeysAt] or [StaticKeys].
type Keys interface {
	// find returns the key of an ID, errNoKey, or an error of what is away.
	find(ctx context.Context, id string) (*Key, error)
}

var errNoKey = errors.New("jwt: the issuer has no such key")

// awayError says that an issuer's keys cannot be had now.
type awayError struct{ err error }

func (e *awayError) Error() string { return e.err.Error() }
func (e *awayError) Unwrap() error { return e.err }

// StaticKeys are keys that never change. It panics if one cannot be used.
func StaticKeys(keys ...Key) Keys {
	set := keySet{}
	for _, k := range keys {
		if err := k.complete(); err != nil {
			panic(err)
		}
		set = append(set, &k)
	}
	return set
}

type keySet []*Key

func (s keySet) find(_ context.Context, id string) (*Key, error) {
	if id == "" {
		if len(s) == 1 {
			return s[0], nil
		}
		return nil, errNoKey
	}
	// Keys without an ID are for tokens without.
	if i := slices.IndexFunc(s, func(k *Key) bool { return k.ID == id }); i >= 0 {
		return s[i], nil
	}
	return nil, errNoKey
}

// complete fills in the algorithm and refuses what is not safe.
func (k *Key) complete() error {
	var fit []string
	switch public := k.Public.(type) {
	case ed25519.PublicKey:
		if len(public) == ed25519.PublicKeySize {
			fit = []string{"EdDSA"}
		}
	case *ecdsa.PublicKey:
		switch public.Curve.Params().BitSize {
		case 256:
			fit = []string{"ES256"}
		case 384:
			fit = []string{"ES384"}
		case 521:
			fit = []string{"ES512"}
		}
	case *rsa.PublicKey:
		if public.N.BitLen() < minRSA {
			return fmt.Errorf("jwt: the key %q has %d bits, and RSA needs %d", k.ID, public.N.BitLen(), minRSA)
		}
		fit = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	}
	if len(fit) == 0 {
		return fmt.Errorf("jwt: the key %q is a %T; give an ed25519.PublicKey, *ecdsa.PublicKey or *rsa.PublicKey", k.ID, k.Public)
	}
	if k.Algorithm == "" {
		k.Algorithm = fit[0]
	}
	if !slices.Contains(fit, k.Algorithm) {
		return fmt.Errorf("jwt: the key %q cannot be for %s, but for one of %v", k.ID, k.Algorithm, fit)
	}
	return nil
}
