package jwt

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
)

// Claims are what a token says.
type Claims struct {
	Issuer, Subject string
	Expires         time.Time
	// Scopes are those of the claim scope, or scp.
	Scopes []string
	// All are all claims, with numbers as [json.Number].
	All map[string]any
}

// Text returns a claim that is a text, or "".
func (c *Claims) Text(name string) string {
	s, _ := c.All[name].(string)
	return s
}

var claimsKey = retort.NewKey[*Claims]("jwt claims")

// Current returns what the token says that a request was sent with, behind
// [Extension.Bearer], or nil.
func Current(ctx context.Context) *Claims {
	c, _ := claimsKey.Get(ctx)
	return c
}

// ByVerifiedEmail finds the user of a token by its claim email, if the issuer says that
// it is verified and the user has verified it here too. It is for issuers whose
// administrators are this site's: whoever can give themselves an address there is the
// user of that address here.
func ByVerifiedEmail(ctx context.Context, c *Claims) (*auth.User, error) {
	if verified, _ := c.All["email_verified"].(bool); !verified {
		return nil, fmt.Errorf("jwt: the address is not verified: %w", orm.ErrNotFound)
	}
	user, err := auth.Find(ctx, c.Text("email"))
	if err == nil && user.Verified == nil {
		return nil, fmt.Errorf("jwt: the user has not verified the address: %w", orm.ErrNotFound)
	}
	return user, err
}

// claimsOf makes claims of those that were read.
func claimsOf(all jwt.MapClaims) *Claims {
	c := &Claims{All: all}
	c.Issuer, c.Subject = c.Text("iss"), c.Text("sub")
	if t, err := all.GetExpirationTime(); err == nil && t != nil {
		c.Expires = t.Time
	}
	for _, name := range []string{"scope", "scp"} {
		switch v := all[name].(type) {
		case string:
			c.Scopes = append(c.Scopes, strings.Fields(v)...)
		case []any:
			for _, one := range v {
				if s, ok := one.(string); ok {
					c.Scopes = append(c.Scopes, s)
				}
			}
		}
	}
	return c
}
