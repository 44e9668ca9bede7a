package jwt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
)

// Bearer is middleware for routes that programs call with an access token:
//
//	Authorization: Bearer eyJ…
//
// [auth.Current] is then the user of the token, with those of their permissions that are
// in its scopes, whatever session the request brings along; auth.RequireFresh and
// auth.RequireSecondFactor let none through. What is no token of an issuer that is
// known, for this site, in its time and of an active user is answered with 401 and
// invalid_token (RFC 6750). As behind auth.Bearer, say [retort.Route.DisableCSRF] and on
// a site with SiteWide [auth.Public].
//
// API tokens of package auth, which begin with "rt_", are taken as well.
func (e *Extension) Bearer(next retort.Handler) retort.Handler {
	byAPIToken := auth.Bearer(next)
	return func(c *retort.Ctx) error {
		text := c.BearerToken()
		if strings.HasPrefix(text, "rt_") {
			return byAPIToken(c)
		}
		if text == "" {
			return retort.Unauthorized(`Bearer`, "Send an access token: Authorization: Bearer …")
		}
		user, claims, scopes, err := e.read(c, text)
		if err == nil {
			err = auth.ActByToken(c, user, scopes)
		}
		if err != nil {
			return refused(c, err)
		}
		claimsKey.Set(c, claims)
		return next(c)
	}
}

// invalidError says what is wrong with a token.
type invalidError struct{ err error }

func (e *invalidError) Error() string { return "jwt: " + e.err.Error() }
func (e *invalidError) Unwrap() error { return e.err }

func invalid(format string, args ...any) error { return &invalidError{fmt.Errorf(format, args...)} }

var errShape = invalid("it is longer than %d bytes, or not three parts", maxToken)

// refused makes the answer to a token that is not right. What is wrong is for the log:
// only that a token has expired helps who sent it, and nobody else.
func refused(c *retort.Ctx, err error) error {
	if _, away := errors.AsType[*awayError](err); away { // logged when it began
		return retort.ServiceUnavailable(keysRest, "The keys to verify the access token cannot be had now.")
	}
	_, wrong := errors.AsType[*invalidError](err)
	if !wrong && !errors.Is(err, auth.ErrForbidden) {
		return err
	}
	c.Logger().Debug("an access token was refused", slog.Any("error", err))
	if errors.Is(err, jwt.ErrTokenExpired) {
		return retort.Unauthorized(`Bearer error="invalid_token", error_description="The access token has expired"`, "The access token has expired.")
	}
	return retort.Unauthorized(`Bearer error="invalid_token"`, "The access token is not valid.")
}

// read returns the user of a token and the permissions that it leaves them.
func (e *Extension) read(ctx context.Context, text string) (*auth.User, *Claims, []auth.Permission, error) {
	claims, issuer, err := e.verify(ctx, text)
	if err != nil {
		return nil, nil, nil, err
	}
	if issuer == nil {
		user, scopes, err := e.ownUser(ctx, claims)
		return user, claims, scopes, err
	}
	user, err := issuer.User(ctx, claims)
	if errors.Is(err, orm.ErrNotFound) || err == nil && user == nil {
		return nil, nil, nil, invalid("no user of %s has the subject %q", claims.Issuer, claims.Subject)
	}
	var scopes []auth.Permission
	for _, s := range claims.Scopes {
		scopes = append(scopes, issuer.Scopes[s]...)
	}
	return user, claims, scopes, err
}

// verify checks a token. The issuer is nil for the site's own.
func (e *Extension) verify(ctx context.Context, text string) (*Claims, *Issuer, error) {
	// Before anything is split or decoded: what is sent is anybody's.
	if len(text) > maxToken || strings.Count(text, ".") != 2 {
		return nil, nil, errShape
	}
	all := jwt.MapClaims{}
	var issuer *Issuer
	var away error
	_, err := e.parser.ParseWithClaims(text, all, func(token *jwt.Token) (any, error) {
		if _, ok := token.Header["crit"]; ok {
			return nil, errors.New("its header has what must be understood and is not")
		}
		name, _ := all["iss"].(string)
		id, _ := token.Header["kid"].(string)
		kind, _ := token.Header["typ"].(string)
		var keys Keys
		if issuer = e.issuers[name]; issuer != nil {
			if issuer.Type != "" && !strings.EqualFold(strings.TrimPrefix(kind, "application/"), issuer.Type) {
				return nil, fmt.Errorf("its type is %q", kind)
			}
			keys = issuer.Keys
		} else if name == e.issuer() {
			if kind != ownType {
				return nil, fmt.Errorf("its type is %q", kind)
			}
			keys = e.ownKeys().public
		} else {
			return nil, errors.New("its issuer is not known")
		}
		key, err := keys.find(ctx, id)
		if err != nil {
			if !errors.Is(err, errNoKey) {
				away = err
			}
			return nil, err
		}
		if token.Method.Alg() != key.Algorithm {
			return nil, fmt.Errorf("its algorithm is not that of the key, %s", key.Algorithm)
		}
		return key.Public, nil
	})
	if away != nil {
		return nil, nil, away
	}
	if err != nil {
		return nil, nil, &invalidError{err}
	}
	claims := claimsOf(all)
	audience := e.audience()
	if issuer != nil {
		audience = issuer.Audience
	}
	err = jwt.NewValidator(
		jwt.WithTimeFunc(e.now), jwt.WithLeeway(e.options.Leeway), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithIssuer(claims.Issuer), jwt.WithAudience(audience),
	).Validate(all)
	if err != nil {
		return nil, nil, &invalidError{err}
	}
	if claims.Subject == "" {
		return nil, nil, invalid("it has no subject")
	}
	return claims, issuer, nil
}
