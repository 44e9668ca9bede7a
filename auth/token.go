package auth

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/signing"
)

// Purpose is what a token of an account is good for: one of another purpose is worth
// nothing.
type Purpose string

// The purposes of tokens, each with what ends it beside its age.
const (
	// ResetPassword ends with the next login, a new password or another address.
	ResetPassword Purpose = "auth reset password"
	// VerifyEmail ends when the address is verified or another one, or with a new
	// password.
	VerifyEmail Purpose = "auth verify email"
	// ChangeEmail ends with a new password or another address; its data is the new
	// one.
	ChangeEmail Purpose = "auth change email"
	// LoginLink ends with the next login.
	LoginLink Purpose = "auth login link"
)

// ErrBadToken says that a token is not one, too old, or was used.
var ErrBadToken = errors.New("auth: the link is not valid any more")

// tokenBody is what a token says; State is a digest of what ends it.
type tokenBody struct {
	User  string `json:"u"`
	State string `json:"s"`
	Data  string `json:"d,omitempty"`
}

// Token returns a token for a link in a mail to a user. It is kept nowhere: it stands
// for the state of the account, and is worth nothing once that has changed, so that it
// works once. The data is readable for whoever has the token.
func (e *Extension) Token(purpose Purpose, user *User, data string) string {
	body, err := json.Marshal(tokenBody{user.key(), e.states(purpose, user)[0], data})
	if err != nil {
		panic(err) // three texts
	}
	return e.app.Keys().Sign(string(purpose), body)
}

// ReadToken returns the user and the data of a token that is at most maxAge old. The
// error is [ErrBadToken], whatever is wrong with it, unless the database failed.
func (e *Extension) ReadToken(ctx context.Context, purpose Purpose, token string, maxAge time.Duration) (*User, string, error) {
	payload, err := e.app.Keys().Verify(string(purpose), token, maxAge)
	if errors.Is(err, signing.ErrInvalid) || errors.Is(err, signing.ErrExpired) {
		return nil, "", ErrBadToken
	}
	if err != nil {
		return nil, "", err
	}
	var body tokenBody
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if d.Decode(&body) != nil {
		return nil, "", ErrBadToken
	}
	user, err := byKey(ctx, body.User)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, "", ErrBadToken
	}
	if err != nil {
		return nil, "", err
	}
	for _, state := range e.states(purpose, user) {
		if subtle.ConstantTimeCompare([]byte(state), []byte(body.State)) == 1 {
			return user, body.Data, nil
		}
	}
	return nil, "", ErrBadToken
}

// states are digests of what a token of a purpose depends on, by each of the keys.
func (e *Extension) states(purpose Purpose, user *User) []string {
	moment := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return strconv.FormatInt(t.UnixMicro(), 10)
	}
	parts := []string{user.key(), user.Login}
	switch purpose {
	case ResetPassword, LoginLink:
		parts = append(parts, user.PasswordHash, moment(user.LastLogin))
	case ChangeEmail:
		parts = append(parts, user.PasswordHash)
	case VerifyEmail:
		parts = append(parts, moment(user.Verified), user.PasswordHash)
	}
	body, err := json.Marshal(parts)
	if err != nil {
		panic(err) // texts
	}
	return e.app.Keys().Digests(string(purpose), body)
}

// Verify notes that the address is the user's own: they have opened a link that was
// sent to it. The error is [ErrBadToken] if the user has another address or password by
// now than user says: what was proved is not of that account.
func (e *Extension) Verify(ctx context.Context, user *User) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	p := Users.Fields()
	// Somebody who signs up for the address at this moment sets another password.
	n, err := Users.Where(orm.Eq(&p.ID, user.ID), orm.Eq(&p.Login, user.Login), orm.Eq(&p.PasswordHash, user.PasswordHash)).Update(ctx, orm.Set(&p.Verified, &now))
	if err == nil && n == 0 {
		err = ErrBadToken
	}
	if err == nil {
		user.Verified = &now
	}
	return err
}

// SetEmail gives a user another address, which is theirs: the error is [ErrTaken] if it
// is another user's.
func (e *Extension) SetEmail(ctx context.Context, user *User, email string) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	p := Users.Fields()
	_, err := Users.Where(orm.Eq(&p.ID, user.ID)).Update(ctx, orm.Set(&p.Email, email), orm.Set(&p.Login, LoginOf(email)), orm.Set(&p.Verified, &now))
	if orm.IsUnique(err) {
		return ErrTaken
	}
	if err == nil {
		user.Email, user.Login, user.Verified = email, LoginOf(email), &now
		e.tell(ctx, EmailChanged, user, "")
	}
	return err
}
