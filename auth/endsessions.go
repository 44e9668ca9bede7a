package auth

import (
	"context"
	"errors"
	"strconv"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/session"
)

// EndSessions ends all sessions of a user, wherever they are kept: those in cookies, which
// nobody can delete, are worth nothing from then on. That of the request goes on, under a
// new ID, if it is the user's. API tokens stay, see [Extension.RevokeAPITokens].
func (e *Extension) EndSessions(ctx context.Context, user *User) error {
	p := Users.Fields()
	one := Users.Where(orm.Eq(&p.ID, user.ID))
	if _, err := one.Update(ctx, orm.Set(&p.SessionVersion, orm.Add(&p.SessionVersion, 1))); err != nil {
		return err
	}
	now, err := one.Get(ctx)
	if err != nil {
		return err
	}
	user.SessionVersion = now.SessionVersion
	c := retort.From(ctx)
	if c == nil || c.Session().User() != user.key() {
		_, err := e.app.Sessions().EndAll(ctx, user.key())
		return ended(err)
	}
	c.Session().Renew(e.authHashes(user)[0])
	_, err = e.app.Sessions().EndOthers(ctx, c.Session())
	return ended(err)
}

func ended(err error) error {
	if errors.Is(err, session.ErrNotOnServer) {
		return nil
	}
	return err
}

// version is what the hashes of sessions have of SessionVersion: nothing of the first.
func (u *User) version() string {
	if u.SessionVersion == 0 {
		return ""
	}
	return "\x00" + strconv.FormatInt(u.SessionVersion, 10)
}
