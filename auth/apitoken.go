package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort/orm"
)

// APIToken lets a program act as a user: see [Bearer]. The token itself is shown
// once, by [Extension.CreateAPIToken]; what is kept is its SHA-256, from which nobody
// gets back to it.
type APIToken struct {
	orm.Model
	User orm.FK[User] `orm:"on_delete=cascade"`
	// Name is what the owner knows the token by.
	Name string `orm:"size=100"`
	// Prefix is how the token begins, to tell it from others.
	Prefix string `orm:"size=20"`
	// Hash is the SHA-256 of the token in hexadecimal digits.
	Hash string `orm:"size=64,unique" json:"-" form:"-"`
	// Scopes are the permissions of the user that the token has as well.
	Scopes []Permission `orm:"json"`
	// Expires is when the token ends by itself; nil is never.
	Expires *time.Time
	// LastUsed is to within a minute.
	LastUsed *time.Time
	Created  time.Time `orm:"auto_now_add"`
	Revoked  *time.Time
}

func (t *APIToken) String() string { return t.Name }

// Meta names the table.
func (APIToken) Meta(t *APIToken) orm.Meta {
	return orm.Meta{Table: "auth_api_tokens", VerboseName: "API token", OrderBy: orm.By(orm.Desc(&t.ID))}
}

// APITokens is the query of all API tokens, those that have ended among them.
var APITokens = orm.Register[APIToken]()

// AllScopes is the scope of tokens that may do whatever their user may.
const AllScopes Permission = "*"

// Live reports whether the token is neither revoked nor expired.
func (t *APIToken) Live() bool {
	return t.Revoked == nil && (t.Expires == nil || t.Expires.After(time.Now()))
}

// APITokenOptions are the details of [Extension.CreateAPIToken].
type APITokenOptions struct {
	// Name is what the owner knows the token by, at most 100 characters. It is
	// required.
	Name string
	// Scopes are the permissions that the token has as far as its user has them;
	// [AllScopes] is all of them. Default: none, for a token that only says who
	// its user is.
	Scopes []Permission
	// Expires is when the token ends by itself. Default: never.
	Expires time.Time
}

const (
	tokenMark   = "rt_" // which scanners for leaked secrets look for
	tokenShown  = len(tokenMark) + 6
	tokenLength = len(tokenMark) + 52
	// touchTokens is how often the last use of a token is written at most.
	touchTokens = time.Minute
)

var tokenText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// CreateAPIToken makes a token of a user and returns it as the text that the program
// sends, which is kept nowhere and cannot be shown again: "rt_" and 256 random bits.
func (e *Extension) CreateAPIToken(ctx context.Context, user *User, o APITokenOptions) (secret string, token *APIToken, err error) {
	name := strings.TrimSpace(o.Name)
	switch {
	case name == "" || len([]rune(name)) > 100:
		return "", nil, errors.New("auth: the name of an API token has 1 to 100 characters")
	case !o.Expires.IsZero() && !o.Expires.After(time.Now()):
		return "", nil, errors.New("auth: the API token would have expired already; give it a time to come, or none")
	}
	var random [32]byte
	rand.Read(random[:]) // never fails: the runtime ends the program instead
	secret = tokenMark + tokenText.EncodeToString(random[:])
	token = APITokens.New()
	token.User.Set(user)
	token.Name, token.Prefix, token.Hash = name, secret[:tokenShown], hashOf(secret)
	token.Scopes = append([]Permission{}, o.Scopes...)
	if !o.Expires.IsZero() {
		token.Expires = new(o.Expires.UTC().Truncate(time.Microsecond))
	}
	if err := APITokens.Insert(ctx, token); err != nil {
		return "", nil, err
	}
	e.tell(ctx, TokenCreated, user, "")
	return secret, token, nil
}

// RevokeAPIToken ends a token of a user. The error is [orm.ErrNotFound] if the user
// has no such token that is not revoked.
func (e *Extension) RevokeAPIToken(ctx context.Context, user *User, id int64) error {
	p := APITokens.Fields()
	n, err := e.revoke(ctx, user, orm.Eq(&p.ID, id))
	if err == nil && n == 0 {
		err = fmt.Errorf("auth: no such API token: %w", orm.ErrNotFound)
	}
	return err
}

// RevokeAPITokens ends all tokens of a user, as is right when someone else had the
// account: a new password alone does not end them.
func (e *Extension) RevokeAPITokens(ctx context.Context, user *User) error {
	_, err := e.revoke(ctx, user)
	return err
}

func (e *Extension) revoke(ctx context.Context, user *User, which ...orm.Cond) (int64, error) {
	p := APITokens.Fields()
	n, err := APITokens.Where(orm.Eq(&p.User.ID, user.ID), orm.IsNull(&p.Revoked)).Where(which...).
		Update(ctx, orm.Set(&p.Revoked, new(time.Now().UTC().Truncate(time.Microsecond))))
	if err == nil && n > 0 {
		e.tell(ctx, TokenRevoked, user, "")
	}
	return n, err
}

// hashOf is what is kept of a secret that nobody can guess.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// tokenOf returns the live token of a text, with its user, or nil if there is none.
// The time it takes tells nothing of the hashes, which are not what is sent.
func tokenOf(ctx context.Context, secret string) (*APIToken, error) {
	if len(secret) != tokenLength || !strings.HasPrefix(secret, tokenMark) {
		return nil, nil
	}
	hash := hashOf(secret)
	p := APITokens.Fields()
	token, err := APITokens.Where(orm.Eq(&p.Hash, hash)).With(&p.User).Get(ctx)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(token.Hash), []byte(hash)) != 1 || !token.Live() || !token.User.To().Active {
		return nil, nil
	}
	return token, nil
}

// touch notes that the token was used, unless that was noted a moment ago.
func (t *APIToken) touch(ctx context.Context) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	since := now.Add(-touchTokens)
	if t.LastUsed != nil && t.LastUsed.After(since) {
		return nil
	}
	p := APITokens.Fields()
	_, err := APITokens.Where(orm.Eq(&p.ID, t.ID), orm.Or(orm.IsNull(&p.LastUsed), orm.Le(&p.LastUsed, &since))).
		Update(ctx, orm.Set(&p.LastUsed, &now))
	return err
}

// scope is what a token leaves of its user's permissions; nil leaves all.
type scope struct{ permissions []Permission }

func (s *scope) allows(p Permission) bool {
	return s == nil || slices.Contains(s.permissions, AllScopes) || slices.Contains(s.permissions, p)
}

// ScopeError is an [ErrForbidden] of a request whose API token has not the permission in
// its scopes, whatever its user may do.
type ScopeError struct{ Permission Permission }

func (e *ScopeError) Error() string {
	return fmt.Sprintf("auth: the scopes of the API token do not have %q", string(e.Permission))
}

// Is makes the error one of those that are [ErrForbidden].
func (e *ScopeError) Is(target error) bool { return target == ErrForbidden }

// challenge tells a program what its token lacks, as RFC 6750 has it.
func (e *ScopeError) challenge() string {
	text := `Bearer error="insufficient_scope"`
	// Only these signs may stand in a scope there.
	if outside := func(r rune) bool { return r <= ' ' || r == '"' || r == '\\' || r > '~' }; e.Permission != "" && !strings.ContainsFunc(string(e.Permission), outside) {
		text += `, scope="` + string(e.Permission) + `"`
	}
	return text
}

func (s *scope) all() bool { return s.allows(AllScopes) }
