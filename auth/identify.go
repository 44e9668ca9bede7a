package auth

import (
	"errors"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
)

// Identifier finds the user of a request by something else than a session: see
// [Options].Identify. It returns nil, and no error, for a request that says nothing. Who
// is not active is nobody.
type Identifier func(c *retort.Ctx) (*User, error)

// RemoteUser are the details of [RemoteUsers].
type RemoteUser struct {
	// Header has the name of the user. Default: "X-Remote-User".
	Header string
	// Email makes the e-mail address of a name. Default: the name is the address, or
	// one of [Options].LoginFields.
	Email func(name string) string
	// Create makes an account of a user who has none, whose name must be an address
	// then, or Email make one. Nobody can log in to it with a password.
	Create bool
	// Persistent begins a session, which goes on where the proxy does not ask for a
	// login, and ends when the header has a name that the site does not know. Default: the
	// header must be in each request.
	Persistent bool
}

// remoteKey is in sessions that RemoteUsers began: the proxy decides whose they are, as
// it does not of others.
const remoteKey = "auth remote user"

// RemoteUsers is the identifier of sites behind a proxy that logs people in and says in a
// header who they are. It counts only if the connection comes from one of the app's
// trusted proxies, which must take the header from what clients send, and if it is there
// once.
func RemoteUsers(o RemoteUser) Identifier {
	if o.Header == "" {
		o.Header = "X-Remote-User"
	}
	return func(c *retort.Ctx) (*User, error) {
		values := c.Request().Header.Values(o.Header)
		if len(values) != 1 || strings.TrimSpace(values[0]) == "" || !c.FromProxy() {
			return nil, nil
		}
		e, err := Of(c)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSpace(values[0])
		user, err := o.find(c, e, name)
		if err == nil && user == nil && o.Persistent && c.Session().Get(remoteKey) != nil {
			c.Session().Clear() // it is another person's
			return nil, nil
		}
		if err != nil || user == nil || !user.Active || !o.Persistent {
			return user, err
		}
		if c.Session().User() == user.key() {
			return nil, nil // the session says so, too
		}
		if err := e.Login(c, user, false); err != nil {
			return nil, err
		}
		c.Session().Set(remoteKey, true)
		return user, nil
	}
}

func (o *RemoteUser) find(c *retort.Ctx, e *Extension, name string) (*User, error) {
	email := name
	if o.Email != nil {
		email = o.Email(name)
	}
	user, err := Find(c, email)
	if errors.Is(err, orm.ErrNotFound) && o.Email == nil {
		user, err = e.FindLogin(c, name)
	}
	if !errors.Is(err, orm.ErrNotFound) {
		return user, err
	}
	if !o.Create {
		return nil, nil
	}
	user = Users.New()
	user.Email = email
	if err := e.Create(c, user, ""); errors.Is(err, ErrTaken) {
		return Find(c, email) // by another request at the same time
	} else if err != nil {
		return nil, err
	}
	e.tell(c, SignedUp, user, "")
	return user, nil
}

// identify asks the identifiers. One that names somebody who may not come in decides that
// it is nobody, whatever the session says.
func (e *Extension) identify(c *retort.Ctx) (user *User, decided bool, err error) {
	for _, find := range e.options.Identify {
		user, err := find(c)
		switch {
		case err != nil:
			return nil, false, err
		case user != nil && !user.Active && !e.options.AllowInactive:
			return nil, true, nil
		case user != nil:
			return user, true, nil
		}
	}
	return nil, false, nil
}
