package oidc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retort-web/retort/auth"
	_ "github.com/retort-web/retort/contrib/oidc/migrations" // of the table
	"github.com/retort-web/retort/orm"
)

// Identity is the account of a user at a provider, by which they log in.
type Identity struct {
	orm.Model
	User orm.FK[auth.User] `orm:"on_delete=cascade"`
	// Provider is the name of the provider.
	Provider string `orm:"size=40"`
	// Issuer and Subject are who the user is there. A provider that gets another issuer
	// has other users, whatever it calls them by.
	Issuer  string `orm:"size=255"`
	Subject string `orm:"size=255"`
	// Email is the address there when the user last logged in.
	Email    string    `orm:"size=254,blank"`
	Created  time.Time `orm:"auto_now_add"`
	LastUsed *time.Time
}

func (i *Identity) String() string { return i.Provider + " " + i.Email }

// Meta names the table.
func (Identity) Meta(i *Identity) orm.Meta {
	return orm.Meta{
		Table: "oidc_identities", OrderBy: orm.By(orm.Asc(&i.ID)),
		Unique: orm.Uniques(orm.UniqueTogether(&i.Issuer, &i.Subject)),
	}
}

// Identities is the query of all identities.
var Identities = orm.Register[Identity]()

// The refusals of a login, each of which has a page that says what to do.
var (
	errClosed     = errors.New("oidc: the account is not active")
	errNoSignUp   = errors.New("oidc: nobody has connected this identity, and it makes no account")
	errUnverified = errors.New("oidc: the provider has not verified the address")
	errKnown      = errors.New("oidc: another account has this address")
	errTaken      = errors.New("oidc: the identity is connected with another account")
	errUnproven   = errors.New("oidc: the account has not proved its address")
	errLast       = errors.New("oidc: it is the last way to log in")
)

// find returns the identity of a profile with its user, or nil.
func (s *source) find(ctx context.Context, p *Profile) (*Identity, error) {
	f := Identities.Fields()
	found, err := Identities.Where(orm.Eq(&f.Issuer, s.Issuer), orm.Eq(&f.Subject, p.Subject)).With(&f.User).Get(ctx)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, nil
	}
	// A database that compares without regard to case would mix users up.
	if err == nil && (found.Subject != p.Subject || found.Issuer != s.Issuer) {
		err = fmt.Errorf("oidc: the database takes the subject %q for %q; give the columns of oidc_identities a binary collation", p.Subject, found.Subject)
	}
	return found, err
}

// enter returns the user whom a profile lets in: a known one, or a new one.
func (e *Extension) enter(ctx context.Context, s *source, p *Profile) (user *auth.User, err error) {
	for range 2 {
		var made, linked bool
		err = orm.Atomic(ctx, func(ctx context.Context) error {
			user, made, linked, err = e.userOf(ctx, s, p)
			if err != nil || e.options.OnLogin == nil {
				return err
			}
			return e.options.OnLogin(ctx, user, p)
		})
		// Somebody else may have come first, the same visitor in another tab: they are
		// known now. An account with the address may be theirs, made between the looks for
		// the identity and for the account.
		if orm.IsUnique(err) || errors.Is(err, auth.ErrTaken) || errors.Is(err, errKnown) {
			err = errKnown
			continue
		}
		if err != nil {
			return nil, err
		}
		if made {
			e.auth.Tell(ctx, auth.SignedUp, user)
		}
		if linked {
			e.auth.Tell(ctx, Connected, user)
			return user, e.mail(ctx, user, s.Label, true)
		}
		return user, nil
	}
	return nil, err
}

// userOf finds the user of a profile or makes one, in a transaction. linked says that
// a user who was there got this identity.
func (e *Extension) userOf(ctx context.Context, s *source, p *Profile) (user *auth.User, made, linked bool, err error) {
	known, err := s.find(ctx, p)
	if err != nil {
		return nil, false, false, err
	}
	if known != nil {
		user := known.User.To()
		if !user.Active {
			return nil, false, false, errClosed
		}
		return user, false, false, touch(ctx, known, p, e.now())
	}
	if p.EmailVerified {
		user, err = auth.Find(ctx, p.Email)
		switch {
		case errors.Is(err, orm.ErrNotFound):
		case err != nil:
			return nil, false, false, err
		case !s.TrustEmail || user.Verified == nil:
			return nil, false, false, errKnown
		case !user.Active:
			return nil, false, false, errClosed
		default:
			return user, false, true, e.insert(ctx, s, p, user)
		}
	}
	if e.options.NoSignUp {
		return nil, false, false, errNoSignUp
	}
	if !p.EmailVerified {
		return nil, false, false, errUnverified
	}
	now := e.now().UTC().Truncate(time.Microsecond)
	user = auth.Users.New()
	user.Email, user.Name, user.Verified = p.Email, cut(p.Name, 150), &now
	if err := e.auth.Create(ctx, user, ""); err != nil {
		return nil, false, false, err
	}
	return user, true, false, e.insert(ctx, s, p, user)
}

// connectTo gives a user who has logged in a further identity. The error is errTaken if
// it is another user's.
func (e *Extension) connectTo(ctx context.Context, s *source, p *Profile, user *auth.User) error {
	known, err := s.find(ctx, p)
	if err != nil {
		return err
	}
	if known == nil {
		if err = e.insert(ctx, s, p, user); err == nil {
			e.auth.Tell(ctx, Connected, user)
			return e.mail(ctx, user, s.Label, true)
		}
		if !orm.IsUnique(err) {
			return err
		}
		if known, err = s.find(ctx, p); err != nil {
			return err
		}
	}
	if known == nil || known.User.To().ID != user.ID {
		return errTaken
	}
	return touch(ctx, known, p, e.now())
}

func (e *Extension) insert(ctx context.Context, s *source, p *Profile, user *auth.User) error {
	now := e.now().UTC().Truncate(time.Microsecond)
	row := Identities.New()
	row.User.Set(user)
	row.Provider, row.Issuer, row.Subject, row.Email, row.LastUsed = s.Name, s.Issuer, p.Subject, p.Email, &now
	// In a transaction of its own, should there be one around: that the row is there
	// already must not spoil it.
	return orm.Atomic(ctx, func(ctx context.Context) error { return Identities.Insert(ctx, row) })
}

func touch(ctx context.Context, i *Identity, p *Profile, now time.Time) error {
	now = now.UTC().Truncate(time.Microsecond)
	f := Identities.Fields()
	i.Email, i.LastUsed = p.Email, &now
	return Identities.UpdateRow(ctx, i, &f.Email, &f.LastUsed)
}

// ways counts the identities that a user can log in by: those of providers that are
// still there.
func (e *Extension) ways(ctx context.Context, user *auth.User) (int, error) {
	if len(e.providers) == 0 {
		return 0, nil
	}
	issuers := make([]string, len(e.providers))
	for i, s := range e.providers {
		issuers[i] = s.Issuer
	}
	f := Identities.Fields()
	n, err := Identities.Where(orm.Eq(&f.User.ID, user.ID), orm.In(&f.Issuer, issuers...)).Count(ctx)
	return int(n), err
}

// remove takes an identity from a user, unless it is their last way to log in: then
// the error is errLast. It is orm.ErrNotFound if the user has no such identity.
func (e *Extension) remove(ctx context.Context, user *auth.User, id int64) (removed *Identity, err error) {
	err = orm.Atomic(ctx, func(ctx context.Context) error {
		// Two at once must not each leave the other's.
		u, f := auth.Users.Fields(), Identities.Fields()
		locked, err := auth.Users.Where(orm.Eq(&u.ID, user.ID)).ForUpdate().Get(ctx)
		if err != nil {
			return err
		}
		if removed, err = Identities.Where(orm.Eq(&f.ID, id), orm.Eq(&f.User.ID, user.ID)).Get(ctx); err != nil {
			return err
		}
		before, err := e.accounts.Ways(ctx, locked)
		if err != nil {
			return err
		}
		if err := Identities.DeleteRow(ctx, removed); err != nil {
			return err
		}
		after, err := e.accounts.Ways(ctx, locked)
		if err == nil && after == 0 && before > 0 {
			err = errLast
		}
		return err
	})
	return removed, err
}

// cut shortens what others have written to a number of characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// UserOf returns the user whom an issuer calls by a subject. The error is
// [orm.ErrNotFound] if nobody has connected that identity, or the user is not active. It
// is what contrib/jwt needs to know whose an access token of the same issuer is.
func UserOf(ctx context.Context, issuer, subject string) (*auth.User, error) {
	found, err := (&source{Provider: Provider{Issuer: issuer}}).find(ctx, &Profile{Subject: subject})
	if err != nil {
		return nil, err
	}
	if found == nil || !found.User.To().Active {
		return nil, fmt.Errorf("oidc: nobody is known by this identity: %w", orm.ErrNotFound)
	}
	return found.User.To(), nil
}
