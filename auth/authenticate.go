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
)

// Authenticate returns the user with this address and password. Unknown users, those
// who are not active and those without a password take as long as a wrong password,
// and the error is [ErrWrong] for all of them. Too many failures are a
// *[ThrottledError].
//
// It logs nobody in: see [Extension.Login].
func (e *Extension) Authenticate(ctx context.Context, login, secret string) (*User, error) {
	address := addressOf(ctx)
	account := LoginOf(login[:min(len(login), 4*maxLogin)])
	attempt, err := e.throttle.begin(account, address)
	if err != nil {
		return nil, err
	}
	user, err := e.ask(ctx, login, secret)
	switch {
	case err == nil && user.Active:
		attempt.succeeded()
		return user, nil
	case err == nil || errors.Is(err, ErrWrong) || errors.Is(err, ErrDenied):
		attempt.failed()
		e.tell(ctx, LoginFailed, nil, account)
		return nil, ErrWrong
	}
	attempt.undecided()
	return nil, err
}

func (e *Extension) ask(ctx context.Context, login, secret string) (*User, error) {
	for _, b := range e.options.Backends {
		user, err := b.Authenticate(ctx, login, secret)
		if err == nil || !errors.Is(err, ErrWrong) {
			return user, err
		}
	}
	return nil, ErrWrong
}

// Passwords returns the backend that knows the users' own passwords.
func (e *Extension) Passwords() Backend { return passwords{e} }

type passwords struct{ e *Extension }

func (b passwords) Authenticate(ctx context.Context, login, secret string) (*User, error) {
	user, err := Find(ctx, login)
	hash := ""
	switch {
	case err == nil && user.Active:
		hash = user.PasswordHash
	case err != nil && !errors.Is(err, orm.ErrNotFound):
		return nil, err
	}
	// Without a hash it takes as long.
	ok, outdated, err := b.e.hasher.Verify(ctx, secret, hash)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrWrong
	}
	if outdated {
		if err := b.rehash(ctx, user, secret); err != nil {
			return nil, err
		}
	}
	return user, nil
}

// rehash keeps the password under the present costs, unless it was changed meanwhile.
func (b passwords) rehash(ctx context.Context, user *User, secret string) error {
	hash, err := b.e.hasher.Hash(ctx, secret)
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
// cannot be asked, mail is sent.
func (e *Extension) CountMail(ctx context.Context, email string) error {
	counts := map[string]ratelimit.Limit{"mail to " + LoginOf(email[:min(len(email), 4*maxLogin)]): ratelimit.PerHour(5)}
	if address := addressOf(ctx); address != "" {
		counts["mail from "+network(address)] = ratelimit.PerHour(30)
	}
	for key, limit := range counts {
		r, err := e.options.Counts.Take(ctx, key, limit, 1)
		if err != nil {
			e.app.Logger().WarnContext(ctx, "mails that strangers ask for are not counted", "error", err)
			return nil
		}
		if !r.Allowed {
			return &ThrottledError{r.RetryAfter}
		}
	}
	return nil
}

// PasswordHelp says in sentences what a new password must be.
func (e *Extension) PasswordHelp() []string { return e.options.Policy.Help() }
