package auth

import (
	"context"

	"github.com/retort-web/retort"
)

var tokenKey = retort.NewKey[*APIToken]("auth API token")

// Bearer is middleware for routes that programs call with an API token:
//
//	Authorization: Bearer rt_…
//
// [Current] is then the user of the token, with those of their permissions that are
// in its scopes, whatever session the request brings along. Without a token that is
// live, of an active user, the answer is 401; what the token may not do is answered
// with 403 by [RequirePermission], [Check] and the others that ask. [RequireStaff]
// lets only tokens of [AllScopes] through, and [RequireFresh] and
// [RequireSecondFactor] none: nobody has just proved who they are.
//
// No browser sends such a header by itself, so these routes need no protection from
// forged requests; to let other sites' programs call them say so by
// [retort.Route.DisableCSRF]. On a site with [Options].SiteWide they are marked
// [Public], as it is Bearer that asks.
func Bearer(next retort.Handler) retort.Handler {
	return func(c *retort.Ctx) error {
		secret := c.BearerToken()
		if secret == "" {
			return retort.Unauthorized(`Bearer`, "Send an API token: Authorization: Bearer rt_…")
		}
		token, err := tokenOf(c, secret)
		if err != nil {
			return err
		}
		if token == nil {
			return retort.Unauthorized(`Bearer error="invalid_token"`, "The API token is not valid, or not any more.")
		}
		if err := token.touch(c); err != nil {
			return err
		}
		if err := ActByToken(c, token.User.To(), token.Scopes); err != nil {
			return err
		}
		tokenKey.Set(c, token)
		return next(c)
	}
}

// ActByToken makes a user the one of a request that a program has sent with a token of
// the caller's own kind: [Current], with those of their permissions that are in scopes,
// as behind [Bearer]. The user value is the request's own from then on. One who is not
// active is refused with [ErrForbidden].
func ActByToken(c *retort.Ctx, user *User, scopes []Permission) error {
	if !user.Active {
		return ErrForbidden
	}
	user.scope, user.granted = &scope{scopes}, nil
	currentKey.Set(c, &current{user})
	return nil
}

// byToken reports whether a token has brought the user, and not a session.
func (u *User) byToken() bool { return u.scope != nil }

// CurrentAPIToken returns the token that the request was sent with, behind [Bearer],
// or nil.
func CurrentAPIToken(ctx context.Context) *APIToken {
	token, _ := tokenKey.Get(ctx)
	return token
}
