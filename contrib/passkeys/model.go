package passkeys

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
)

// Passkey is the public half of a key, and what is known of the other.
type Passkey struct {
	orm.Model
	User orm.FK[auth.User] `orm:"on_delete=cascade"`
	// Digest is the SHA-256 of CredentialID in hexadecimal digits, by which passkeys
	// are found: the ID may be too long for an index.
	Digest string `orm:"size=64,unique" json:"-" form:"-"`
	// CredentialID is what the authenticator calls the key.
	CredentialID []byte `json:"-" form:"-"`
	// PublicKey is in the form of COSE.
	PublicKey []byte `json:"-" form:"-"`
	// SignCount is the counter of the last signature; many keep none, and stay at 0.
	SignCount int64 `json:"-" form:"-"`
	// Transports are how browsers reach it: "internal", "hybrid", "usb".
	Transports []string `orm:"json" json:"-" form:"-"`
	// BackupEligible is set of keys that can be on several devices, and never changes.
	// BackedUp says that one is.
	BackupEligible bool
	BackedUp       bool
	// Name is what the user calls it.
	Name     string    `orm:"size=100"`
	Created  time.Time `orm:"auto_now_add"`
	LastUsed *time.Time
	// Asked is when the question was asked that was answered last, in microseconds:
	// one that is as old is answered already.
	Asked int64 `json:"-" form:"-"`
}

func (p *Passkey) String() string { return p.Name }

// Meta names the table.
func (Passkey) Meta(p *Passkey) orm.Meta {
	return orm.Meta{Table: "passkeys_passkeys", OrderBy: orm.By(orm.Asc(&p.ID))}
}

// Handle is what authenticators know a user by. It is random, and says nothing.
type Handle struct {
	User orm.OneToOne[auth.User] `orm:"pk,on_delete=cascade"`
	// Value is 64 bytes in base64, as URLs have it.
	Value string `orm:"size=86,unique"`
}

// Meta names the table.
func (Handle) Meta(*Handle) orm.Meta { return orm.Meta{Table: "passkeys_handles"} }

// The queries of all passkeys and handles.
var (
	Passkeys = orm.Register[Passkey]()
	Handles  = orm.Register[Handle]()
)

// digest is how a credential is found.
func digest(id []byte) string {
	sum := sha256.Sum256(id)
	return hex.EncodeToString(sum[:])
}

// credential returns the passkey as the library has it.
func (p *Passkey) credential() webauthn.Credential {
	transports := make([]protocol.AuthenticatorTransport, len(p.Transports))
	for i, t := range p.Transports {
		transports[i] = protocol.AuthenticatorTransport(t)
	}
	return webauthn.Credential{
		ID: p.CredentialID, PublicKey: p.PublicKey, Transport: transports,
		Flags:         webauthn.CredentialFlags{UserPresent: true, UserVerified: true, BackupEligible: p.BackupEligible, BackupState: p.BackedUp},
		Authenticator: webauthn.Authenticator{SignCount: uint32(p.SignCount)}, //nolint:gosec // it was one
	}
}

// owner is a user as the library has them.
type owner struct {
	user     *auth.User
	handle   []byte
	passkeys []*Passkey
}

func (o *owner) WebAuthnID() []byte   { return o.handle }
func (o *owner) WebAuthnName() string { return o.user.Email }

func (o *owner) WebAuthnDisplayName() string { return o.user.String() }

func (o *owner) WebAuthnCredentials() []webauthn.Credential {
	list := make([]webauthn.Credential, len(o.passkeys))
	for i, p := range o.passkeys {
		list[i] = p.credential()
	}
	return list
}

// ownerOf reads the handle and the passkeys of a user.
func ownerOf(ctx context.Context, user *auth.User) (*owner, error) {
	h, p := Handles.Fields(), Passkeys.Fields()
	handle, err := Handles.Where(orm.Eq(&h.User.ID, user.ID)).Get(ctx)
	if errors.Is(err, orm.ErrNotFound) {
		return &owner{user: user}, nil
	}
	if err != nil {
		return nil, err
	}
	o := &owner{user: user}
	if o.handle, err = base64.RawURLEncoding.DecodeString(handle.Value); err != nil {
		return nil, err
	}
	o.passkeys, err = Passkeys.Where(orm.Eq(&p.User.ID, user.ID)).All(ctx)
	return o, err
}

// newOwner is ownerOf a user who gets a handle if there is none.
func newOwner(ctx context.Context, user *auth.User) (*owner, error) {
	o, err := ownerOf(ctx, user)
	if err != nil || o.handle != nil {
		return o, err
	}
	random := make([]byte, 64)
	rand.Read(random) // never fails: the runtime ends the program instead
	row := Handles.New()
	row.User.Set(user)
	row.Value = base64.RawURLEncoding.EncodeToString(random)
	err = orm.Atomic(ctx, func(ctx context.Context) error { return Handles.Insert(ctx, row) })
	if err != nil && !orm.IsUnique(err) {
		return nil, err
	}
	return ownerOf(ctx, user) // perhaps that of another request
}
