package passkeys_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math/big"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// device is an authenticator in software: it makes keys and signs as those of people
// do, and as hostile ones might.
type device struct {
	t      *testing.T
	key    crypto.Signer
	id     []byte
	handle []byte // the user's, that it was given
	count  uint32
	// counts says that it keeps a counter; keys that are on several devices do not.
	counts bool
	flags  byte

	// What it gets wrong on purpose.
	origin, domain, kind string
	crossOrigin          bool
}

// The flags of authenticators.
const (
	present  = 0x01
	verified = 0x04
	eligible = 0x08
	backedUp = 0x10
	attested = 0x40
)

const (
	siteOrigin = "https://notes.example"
	siteDomain = "notes.example"
)

func newDevice(t *testing.T) *device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := &device{t: t, key: key, id: make([]byte, 32), flags: present | verified | eligible | backedUp, origin: siteOrigin, domain: siteDomain}
	rand.Read(d.id)
	return d
}

// edwards gives it a key of Ed25519.
func (d *device) edwards() *device {
	d.t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	d.key = key
	return d
}

// public is the public key in the form of COSE.
func (d *device) public() []byte {
	d.t.Helper()
	var m map[int]any
	switch key := d.key.Public().(type) {
	case *ecdsa.PublicKey:
		m = map[int]any{1: 2, 3: -7, -1: 1, -2: fixed(key.X), -3: fixed(key.Y)} //nolint:staticcheck // the form of COSE is of coordinates
	case ed25519.PublicKey:
		m = map[int]any{1: 1, 3: -8, -1: 6, -2: []byte(key)}
	}
	return d.encode(m)
}

func fixed(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }

func (d *device) encode(v any) []byte {
	d.t.Helper()
	mode, err := cbor.CTAP2EncOptions().EncMode()
	if err != nil {
		d.t.Fatal(err)
	}
	b, err := mode.Marshal(v)
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

// asked is what the site asks, of both kinds.
type asked struct {
	Challenge string `json:"challenge"`
	RPID      string `json:"rpId"`
	RP        struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"rp"`
	User struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"user"`
	UserVerification       string       `json:"userVerification"`
	Attestation            string       `json:"attestation"`
	AllowCredentials       []descriptor `json:"allowCredentials"`
	ExcludeCredentials     []descriptor `json:"excludeCredentials"`
	AuthenticatorSelection struct {
		ResidentKey      string `json:"residentKey"`
		UserVerification string `json:"userVerification"`
	} `json:"authenticatorSelection"`
}

type descriptor struct {
	ID string `json:"id"`
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (d *device) clientData(kind, challenge string) []byte {
	d.t.Helper()
	if d.kind != "" {
		kind = d.kind
	}
	b, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": d.origin, "crossOrigin": d.crossOrigin})
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

func (d *device) authData(flags byte) []byte {
	hash := sha256.Sum256([]byte(d.domain))
	if d.counts {
		d.count++
	}
	return binary.BigEndian.AppendUint32(append(hash[:], flags), d.count)
}

// create makes a passkey, and returns what the browser sends.
func (d *device) create(q asked) string {
	d.t.Helper()
	var err error
	if d.handle, err = base64.RawURLEncoding.DecodeString(q.User.ID); err != nil {
		d.t.Fatal(err)
	}
	data := d.authData(d.flags | attested)
	data = append(data, make([]byte, 16)...) // it does not say what it is
	data = binary.BigEndian.AppendUint16(data, uint16(len(d.id)))
	data = append(append(data, d.id...), d.public()...)
	return d.wrap(map[string]any{
		"clientDataJSON":    b64(d.clientData("webauthn.create", q.Challenge)),
		"attestationObject": b64(d.encode(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})),
		"transports":        []string{"internal", "hybrid"},
	})
}

// get answers a question of the site.
func (d *device) get(q asked) string {
	d.t.Helper()
	client, data := d.clientData("webauthn.get", q.Challenge), d.authData(d.flags)
	hash := sha256.Sum256(client)
	signed := append(append([]byte{}, data...), hash[:]...)
	var signature []byte
	var err error
	if _, ok := d.key.(ed25519.PrivateKey); ok {
		signature, err = d.key.Sign(rand.Reader, signed, crypto.Hash(0))
	} else {
		sum := sha256.Sum256(signed)
		signature, err = d.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return d.wrap(map[string]any{
		"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(d.handle),
	})
}

func (d *device) wrap(response map[string]any) string {
	d.t.Helper()
	b, err := json.Marshal(map[string]any{
		"id": b64(d.id), "rawId": b64(d.id), "type": "public-key", "response": response,
		"clientExtensionResults": map[string]any{}, "authenticatorAttachment": "platform",
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}
