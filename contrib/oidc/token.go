package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode"

	"golang.org/x/oauth2"

	"github.com/retort-web/retort/validate"
)

// leeway is how far the provider's clock may be ahead of or behind ours.
const leeway = 5 * time.Minute

// maxSubject is the longest name of a user at a provider, as the standard has it.
const maxSubject = 255

// maxEmail is the longest address, in bytes.
const maxEmail = 254

// exchange gives the provider the code that a visitor came back with and returns who
// they are. The error is an *awayError or a *refusedError.
func (s *source) exchange(ctx context.Context, d *discovered, a *attempt, callback, code string) (*Profile, error) {
	p, err := s.exchangeCode(ctx, d, a, callback, code)
	if err == nil {
		return p, nil
	}
	if _, away := errors.AsType[*awayError](err); !away {
		err = &refusedError{err}
	}
	return nil, err
}

func (s *source) exchangeCode(ctx context.Context, d *discovered, a *attempt, callback, code string) (*Profile, error) {
	ctx = s.context(ctx)
	token, err := s.config(d, callback).Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && (refused.Response == nil || refused.Response.StatusCode < 500) {
			// Its text quotes the whole answer.
			return nil, fmt.Errorf("oidc: the provider does not take the code: %q", short(refused.ErrorCode))
		}
		return nil, &awayError{err}
	}
	var p *Profile
	if s.OAuth2 != nil {
		p, err = s.OAuth2.Profile(ctx, func(ctx context.Context, address string, into any) error { return s.get(ctx, token, address, into) })
	} else {
		p, err = s.profile(ctx, d, a, token)
	}
	if err != nil {
		return nil, err
	}
	if p == nil || p.Subject == "" || len(p.Subject) > maxSubject || strings.ContainsRune(p.Subject, 0) {
		return nil, errors.New("oidc: the provider does not say who the user is")
	}
	if p.Email = strings.TrimSpace(p.Email); len(p.Email) > maxEmail || !validate.Email(p.Email) {
		p.Email, p.EmailVerified = "", false
	}
	p.Name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, p.Name)
	return p, nil
}

// claims are those that this package looks at itself.
type claims struct {
	Subject       string `json:"sub"`
	Party         string `json:"azp"`
	Email         string `json:"email"`
	EmailVerified any    `json:"email_verified"` // some write it as text
	Name          string `json:"name"`
	AuthTime      *int64 `json:"auth_time"`
}

// profile checks the ID token and makes a profile of it.
func (s *source) profile(ctx context.Context, d *discovered, a *attempt, token *oauth2.Token) (*Profile, error) {
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return nil, errors.New("oidc: the provider sends no ID token")
	}
	id, err := d.verifier.Verify(ctx, raw)
	if err != nil {
		if strings.Contains(err.Error(), "fetching keys") { // the library keeps no chain
			return nil, &awayError{err}
		}
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1 {
		return nil, errors.New("oidc: the ID token has another nonce")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return nil, err
		}
	}
	var c claims
	all := map[string]any{}
	if err := errors.Join(id.Claims(&c), id.Claims(&all)); err != nil {
		return nil, fmt.Errorf("oidc: the claims of the ID token: %w", err)
	}
	if c.Party != "" && c.Party != s.ClientID || c.Party == "" && len(id.Audience) > 1 {
		return nil, fmt.Errorf("oidc: the ID token is meant for %q", short(c.Party))
	}
	now := s.now()
	if id.IssuedAt.After(now.Add(leeway)) {
		return nil, fmt.Errorf("oidc: the ID token is of a time to come, %s", id.IssuedAt.UTC())
	}
	// The standard has providers prove it; some do not know how and say nothing.
	if a.Again && c.AuthTime != nil && time.Unix(*c.AuthTime, 0).Before(time.Unix(a.Time, 0).Add(-leeway)) {
		return nil, errors.New("oidc: the provider has not asked the user anew")
	}
	if c.Email == "" && d.provider.UserInfoEndpoint() != "" {
		if err := s.userInfo(ctx, d, token, &c, all); err != nil {
			return nil, err
		}
	}
	return &Profile{Subject: c.Subject, Email: c.Email, EmailVerified: s.verified(c.EmailVerified), Name: c.Name, Claims: all}, nil
}

// userInfo adds what the provider has not put into the ID token.
func (s *source) userInfo(ctx context.Context, d *discovered, token *oauth2.Token, c *claims, all map[string]any) error {
	var raw json.RawMessage
	if err := s.get(ctx, token, d.provider.UserInfoEndpoint(), &raw); err != nil {
		return err
	}
	var more claims
	added := map[string]any{}
	if err := errors.Join(json.Unmarshal(raw, &more), json.Unmarshal(raw, &added)); err != nil {
		return fmt.Errorf("oidc: the userinfo: %w", err)
	}
	if more.Subject != c.Subject {
		return errors.New("oidc: the userinfo is of another user")
	}
	c.Email, c.EmailVerified = more.Email, more.EmailVerified
	if c.Name == "" {
		c.Name = more.Name
	}
	maps.Copy(added, all) // what is signed counts more
	maps.Copy(all, added)
	return nil
}

func (s *source) verified(claim any) bool {
	switch v := claim.(type) {
	case bool:
		return v
	case string:
		return v == "true"
	case nil:
		return s.AssumeVerified
	}
	return false
}
