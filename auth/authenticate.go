package auth

import (
	"context"
	"errors"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/ratelimit"
)

// The errors of a login.
var (
	// ErrWrong says that address and password are not those of a user who can log
	// in. It does not say why: whether there is such a user is nobody's business.
	ErrWrong = errors.New("auth: the address or the password is not right")
	// ErrDenied ends the question: no other backend is asked.
	ErrDenied = errors.New("auth: the login is denied")
	// ErrUnavailable says that a backend cannot tell at the moment. The others are
	// asked, and a login that none of them knows is answered with 503.
	ErrUnavailable = errors.New("auth: logins cannot be checked at the moment")
)

// Authenticate returns the user with this address, or name, and password. Unknown users, those
// who are not active and those without a password take as long as a wrong password,
// and the error is [ErrWrong] for all of them. Too many failures are a
// *[ThrottledError].
//
// It logs nobody in: see [Extension.Login].
func (e *Extension) Authenticate(ctx context.Context, login, secret string) (*User, error) {
	address := addressOf(ctx)
	account := LoginOf(login[:min(len(login), 4*maxLogin)])
	attempt, err := e.throttle.begin(ctx, account, address)
	if err != nil {
		return nil, err
	}
	defer attempt.end(ctx) // also if a backend panics
	user, wrong, err := e.ask(ctx, login, secret)
	switch {
	case err == nil && (user.Active || e.options.AllowInactive):
		attempt.succeeded(ctx)
		return user, nil
	case err == nil || errors.Is(err, ErrWrong) || errors.Is(err, ErrDenied):
		attempt.failed()
		e.tell(ctx, LoginFailed, nil, account)
		return nil, ErrWrong
	case wrong:
		// It is a guess at the passwords of that backend, while another is away.
		attempt.failed()
	}
	return nil, err
}

// ask asks the backends. wrong says that one of them knows that the password is not
// right, whatever the error.
func (e *Extension) ask(ctx context.Context, login, secret string) (user *User, wrong bool, err error) {
	var away error
	for _, b := range e.options.Backends {
		user, err := b.Authenticate(ctx, login, secret)
		switch {
		case errors.Is(err, ErrUnavailable):
			away = err
		case errors.Is(err, ErrWrong):
			wrong = true
		default:
			return user, wrong, err
		}
	}
	if away != nil {
		return nil, wrong, away
	}
	return nil, true, ErrWrong
}

// Passwords is the backend that knows the users' own passwords.
func Passwords() Backend { return passwords{} }

type passwords struct{}

// PasswordKeeper is a [Backend] that keeps the passwords of some users itself.
type PasswordKeeper interface {
	// KeepsPassword reports whether a user logs in by this backend.
	KeepsPassword(ctx context.Context, user *User) (bool, error)
}

// PasswordElsewhere reports whether a backend other than [Passwords] keeps the
// password of a user, who then can set none here by themselves.
func (e *Extension) PasswordElsewhere(ctx context.Context, user *User) (bool, error) {
	for _, b := range e.options.Backends {
		if keeper, ok := b.(PasswordKeeper); ok {
			if kept, err := keeper.KeepsPassword(ctx, user); kept || err != nil {
				return kept, err
			}
		}
	}
	return false, nil
}

func (passwords) Authenticate(ctx context.Context, login, secret string) (*User, error) {
	e, err := Of(ctx)
	if err != nil {
		return nil, err
	}
	user, err := e.FindLogin(ctx, login)
	hash := ""
	switch {
	case err == nil && (user.Active || e.options.AllowInactive):
		hash = user.PasswordHash
	case err != nil && !errors.Is(err, orm.ErrNotFound):
		return nil, err
	}
	// Without a hash it takes as long.
	ok, outdated, err := e.hasher.Verify(ctx, secret, hash)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrWrong
	}
	if outdated {
		if err := e.rehash(ctx, user, secret); err != nil {
			return nil, err
		}
	}
	return user, nil
}

// rehash keeps the password under the present costs, unless it was changed meanwhile.
func (e *Extension) rehash(ctx context.Context, user *User, secret string) error {
	hash, err := e.hasher.Hash(ctx, secret)
	if err != nil {
		return err
	}
	p := Users.Fields()
	n, err := Users.Where(orm.Eq(&p.ID, user.ID), orm.Eq(&p.PasswordHash, user.PasswordHash)).Update(ctx, orm.Set(&p.PasswordHash, hash))
	if err == nil && n == 1 {
		user.PasswordHash = hash
	}
	return err
}

// addressOf returns where a request comes from, "" outside of one.
func addressOf(ctx context.Context) string {
	if c := retort.From(ctx); c != nil {
		return c.IP().String()
	}
	return ""
}

// CountMail notes that a visitor has a mail sent to an address: five an hour to one
// address, and thirty from one. More are a *[ThrottledError]. While [Options].Counts
// cannot be asked, this process counts for itself.
func (e *Extension) CountMail(ctx context.Context, email string) error {
	charges := []ratelimit.Charge{
		{Key: counted("mail to", LoginOf(email[:min(len(email), 4*maxLogin)]), ""), Limit: ratelimit.PerHour(5), Cost: 1},
	}
	if address := addressOf(ctx); address != "" {
		charges = append(charges, ratelimit.Charge{Key: counted("mail from", network(address), ""), Limit: ratelimit.PerHour(30), Cost: 1})
	}
	taken, err := e.mails.Take(ctx, e.app.Logger(), charges...)
	if err == nil && !taken.Allowed {
		return &ThrottledError{taken.RetryAfter}
	}
	return err
}
