package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/session"
)

// current is the user of a request, or that there is none.
type current struct{ user *User }

var currentKey = retort.NewKey[*current]("auth user")

var errNoUser = fmt.Errorf("auth: no such user: %w", orm.ErrNotFound)

// Current returns the user who has logged in, or nil. The database is asked once in
// a request, and not at all for visitors without a login. A session of an account
// that is not active, was deleted or has another password now is nobody's.
//
// Outside of a request, and in commands, there is no user unless [As] names one.
func Current(ctx context.Context) (*User, error) {
	if known, ok := currentKey.Get(ctx); ok {
		return known.user, nil
	}
	if user, ok := ctx.Value(asKey{}).(*User); ok {
		return user, nil
	}
	c := retort.From(ctx)
	if c == nil {
		return nil, nil
	}
	e, err := Of(c)
	if err != nil {
		return nil, err
	}
	user, decided, err := e.identify(c)
	if err == nil && !decided {
		user, err = e.load(c)
	}
	if err != nil {
		return nil, err
	}
	currentKey.Set(c, &current{user})
	return user, nil
}

// load reads the user of the session.
func (e *Extension) load(c *retort.Ctx) (*User, error) {
	s := c.Session()
	key := s.User()
	if key == "" {
		return nil, nil
	}
	user, err := byKey(c, key)
	if errors.Is(err, orm.ErrNotFound) {
		s.Clear()
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !e.holds(s, user) || e.options.Protect == ProtectAll && e.elsewhere(c) {
		s.Clear()
		return nil, nil
	}
	return e.acting(c, user)
}

// holds reports whether the session was begun with the user's present password. One
// of an older secret key is renewed.
func (e *Extension) holds(s *session.Session, user *User) bool {
	for i, hash := range e.authHashes(user) {
		if s.HasAuthHash(hash) {
			if i > 0 {
				s.Renew(e.authHashes(user)[0])
			}
			return true
		}
	}
	return false
}

// authHashes are what a session keeps of a password, so that another password ends
// it: see session.Session.Login.
func (e *Extension) authHashes(user *User) []string {
	return e.app.Keys().Digests("auth session", []byte(user.key()+"\x00"+user.PasswordHash+user.version()))
}

// Must returns the user who has logged in; it panics if there is none, which
// [RequireLogin] prevents.
func Must(ctx context.Context) *User {
	user, err := Current(ctx)
	if err != nil {
		panic(err)
	}
	if user == nil {
		panic("auth: nobody has logged in; put auth.RequireLogin before the handler")
	}
	return user
}

type asKey struct{}

// As returns a context in which a user acts: for commands, background functions and
// tests. It does not log anyone in.
func As(ctx context.Context, user *User) context.Context {
	if c := retort.From(ctx); c != nil {
		// The request's own user must not be taken instead.
		ctx = currentOf(ctx, user)
	}
	return context.WithValue(ctx, asKey{}, user)
}

func currentOf(ctx context.Context, user *User) context.Context {
	return context.WithValue(ctx, currentKey, &current{user})
}

// Login begins a session of a user who has proved who they are: with a new ID, and
// kept for long if remember is set. It does not ask whether the user may log in, nor
// for a second factor: see [Extension.BeginLogin].
func (e *Extension) Login(c *retort.Ctx, user *User, remember bool) error {
	if !user.Active && !e.options.AllowInactive {
		return fmt.Errorf("auth: user %d is not active: %w", user.ID, ErrForbidden)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	p := Users.Fields()
	if _, err := Users.Where(orm.Eq(&p.ID, user.ID)).Update(c, orm.Set(&p.LastLogin, &now)); err != nil {
		return err
	}
	user.LastLogin = &now
	s := c.Session()
	s.Login(user.key(), e.authHashes(user)[0])
	s.Delete(passedKey, pendingKey, enrolmentKey, impersonatedKey, clientKey)
	if e.options.Protect != "" {
		s.Set(clientKey, e.clients(c)[0])
	}
	if s.Permanent = remember; remember && e.options.RememberFor > 0 {
		s.ExpireAfter(e.options.RememberFor)
	} else {
		s.ExpireAfter(0)
	}
	currentKey.Set(c, &current{user})
	e.tell(c, LoggedIn, user, "")
	return nil
}

// ChangePassword gives the user of this session another password: the session goes on
// under a new ID, and all others of the user end.
func (e *Extension) ChangePassword(c *retort.Ctx, user *User, secret string) error {
	if err := e.SetPassword(c, user, secret); err != nil {
		return err
	}
	if s := c.Session(); s.User() == user.key() {
		s.Renew(e.authHashes(user)[0])
	}
	e.tell(c, PasswordChanged, user, "")
	return nil
}

// Delete deletes a user with all that hangs on them, and ends the session if it is
// theirs.
func (e *Extension) Delete(c *retort.Ctx, user *User) error {
	whole, err := wholeOf(c, user)
	if err != nil {
		return err
	}
	if err := allUsers().rows.DeleteRow(c, whole); err != nil {
		return err
	}
	if s := c.Session(); s.User() == user.key() {
		s.Clear()
		currentKey.Set(c, &current{nil})
	}
	e.tell(c, Deleted, user, "")
	return nil
}

// Logout ends the session, on the server too where it is kept there.
func (e *Extension) Logout(c *retort.Ctx) error {
	user, err := Current(c)
	if err != nil {
		return err
	}
	if user != nil {
		e.tell(c, LoggedOut, user, "")
	}
	c.Session().Clear()
	currentKey.Set(c, &current{nil})
	return nil
}

// impersonatorView is what templates see as impersonator.
type impersonatorView struct{ c *retort.Ctx }

// TemplateValue gives templates the superuser who acts as the user, or nil.
func (v impersonatorView) TemplateValue() (any, error) {
	user, err := Current(v.c)
	if by := Impersonator(user); by != nil {
		return by, err
	}
	return nil, err
}

// view is what templates see as user: asked for only where a template does.
type view struct{ c *retort.Ctx }

// TemplateValue gives templates the user, or nil.
func (v view) TemplateValue() (any, error) {
	user, err := Current(v.c)
	if err != nil || user == nil {
		return nil, err
	}
	return wholeOf(v.c, user)
}
