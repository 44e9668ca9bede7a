package jwt

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
)

// ownType is the type of own tokens (RFC 9068).
const ownType = "at+jwt"

// stateClaim ties a token to the password of its user.
const stateClaim = "state"

// ownKeys are the keys of own tokens, the present one first.
type ownKeys struct {
	once    sync.Once
	private ed25519.PrivateKey
	public  keySet
	set     jose.JSONWebKeySet
}

// ownKeys derives them from the app's secret keys: each gives the seed of one.
func (e *Extension) ownKeys() *ownKeys {
	o := &e.own
	o.once.Do(func() {
		for i, seed := range e.app.Keys().Digests("jwt signing key", nil) {
			raw, err := base64.RawURLEncoding.DecodeString(seed)
			if err != nil || len(raw) != ed25519.SeedSize {
				panic("jwt: a digest of package signing is not 32 bytes")
			}
			private := ed25519.NewKeyFromSeed(raw)
			public, _ := private.Public().(ed25519.PublicKey)
			sum := sha256.Sum256(public)
			key := &Key{ID: base64.RawURLEncoding.EncodeToString(sum[:12]), Algorithm: "EdDSA", Public: public}
			if i == 0 {
				o.private = private
			}
			o.public = append(o.public, key)
			o.set.Keys = append(o.set.Keys, jose.JSONWebKey{Key: public, KeyID: key.ID, Algorithm: key.Algorithm, Use: "sig"})
		}
	})
	return o
}

// publish answers with the public keys of own tokens.
func (e *Extension) publish(c *retort.Ctx) error {
	c.SetHeader("Cache-Control", "public, max-age=300")
	return c.JSON(e.ownKeys().set)
}

// IssueOptions are the details of [Extension.Issue].
type IssueOptions struct {
	// Scopes are the permissions that the token has as far as its user has them;
	// [auth.AllScopes] is all of them. Default: none, for a token that only says who its
	// user is.
	Scopes []auth.Permission
	// Age is how long it is valid, at most a day. Default: [Options].Age.
	Age time.Duration
}

// Issue makes an access token of a user who is active and returns it with when it ends.
// Nobody can revoke it; it also ends when the user is not active, is deleted, or has
// another password.
func (e *Extension) Issue(_ context.Context, user *auth.User, o IssueOptions) (token string, expires time.Time, err error) {
	if o.Age == 0 {
		o.Age = e.options.Age
	}
	if o.Age < 0 || o.Age > maxAge {
		return "", time.Time{}, fmt.Errorf("jwt: a token for %s: one that nobody can revoke must end within a day", o.Age)
	}
	if !user.Active {
		return "", time.Time{}, fmt.Errorf("jwt: user %d is not active: %w", user.ID, auth.ErrForbidden)
	}
	names := make([]string, len(o.Scopes))
	for i, p := range o.Scopes {
		if names[i] = string(p); names[i] == "" || strings.ContainsAny(names[i], " \t\r\n\f\v") {
			return "", time.Time{}, fmt.Errorf("jwt: a scope has no spaces, %q cannot be one", p)
		}
	}
	now := e.now()
	expires = now.Add(o.Age).Truncate(time.Second)
	keys := e.ownKeys()
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{
		"iss": e.issuer(), "aud": e.audience(), "sub": strconv.FormatInt(user.ID, 10), "iat": now.Unix(), "exp": expires.Unix(),
		"jti": rand.Text(), "scope": strings.Join(names, " "), stateClaim: e.states(user)[0],
	})
	t.Header["typ"], t.Header["kid"] = ownType, keys.public[0].ID
	token, err = t.SignedString(keys.private)
	return token, expires, err
}

// states are digests of what ends the tokens of a user, by each of the app's keys.
func (e *Extension) states(user *auth.User) []string {
	return e.app.Keys().Digests("jwt user", []byte(strconv.FormatInt(user.ID, 10)+"\x00"+user.PasswordHash))
}

// ownUser returns the user of an own token that is right.
func (e *Extension) ownUser(ctx context.Context, c *Claims) (*auth.User, []auth.Permission, error) {
	id, err := strconv.ParseInt(c.Subject, 10, 64)
	if err != nil {
		return nil, nil, invalid("its subject is no user")
	}
	p := auth.Users.Fields()
	user, err := auth.Users.Where(orm.Eq(&p.ID, id), orm.Eq(&p.Active, true)).Get(ctx)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, nil, invalid("its user is gone")
	}
	if err != nil {
		return nil, nil, err
	}
	if !slices.Contains(e.states(user), c.Text(stateClaim)) {
		return nil, nil, invalid("its user has another password now")
	}
	scopes := make([]auth.Permission, len(c.Scopes))
	for i, s := range c.Scopes {
		scopes[i] = auth.Permission(s)
	}
	return user, scopes, nil
}

// Exchange is the handler of a route behind [auth.Bearer], by which a program gets an
// access token for its API token:
//
//	app.Post("/api/token", tokens.Exchange).Use(auth.Bearer).DisableCSRF()
//
// The access token has the scopes of the API token, or those of the field "scope" of the
// form, if the API token has them. The answer is that of RFC 6749, section 5.1.
func (e *Extension) Exchange(c *retort.Ctx) error {
	held := auth.CurrentAPIToken(c)
	if held == nil {
		return retort.Unauthorized(`Bearer`, "Send an API token: Authorization: Bearer rt_…")
	}
	scopes := held.Scopes
	if asked := strings.Fields(c.FormValue("scope")); len(asked) > 0 {
		scopes = nil
		for _, s := range asked {
			p := auth.Permission(s)
			if !slices.Contains(held.Scopes, p) && !slices.Contains(held.Scopes, auth.AllScopes) {
				c.SetHeader("Cache-Control", "no-store")
				return c.Status(http.StatusBadRequest).JSON(map[string]string{"error": "invalid_scope", "error_description": "the API token does not have all of these scopes"})
			}
			scopes = append(scopes, p)
		}
	}
	token, expires, err := e.Issue(c, auth.Must(c), IssueOptions{Scopes: scopes})
	if err != nil {
		return err
	}
	c.SetHeader("Cache-Control", "no-store")
	names := make([]string, len(scopes))
	for i, p := range scopes {
		names[i] = string(p)
	}
	return c.JSON(map[string]any{
		"access_token": token, "token_type": "Bearer", "expires_in": int(expires.Sub(e.now()).Seconds()), "scope": strings.Join(names, " "),
	})
}
