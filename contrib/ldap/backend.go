package ldap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
)

// Authenticate is part of [auth.Backend]. Who is not in the directory, or gives
// another password, is auth.ErrWrong, so that the next backend is asked; who is
// disabled there or kept out by a group is auth.ErrDenied.
func (e *Extension) Authenticate(ctx context.Context, login, secret string) (*auth.User, error) {
	if e.app == nil {
		return nil, errors.New("ldap: the directory is a backend but not installed; give it to app.Install as well")
	}
	login = strings.TrimSpace(login)
	if !plausible(login) || secret == "" || len(secret) > maxSecret || strings.ContainsRune(secret, 0) {
		// An empty password would be a bind as nobody, which succeeds.
		return nil, auth.ErrWrong
	}
	asking, cancel := context.WithTimeout(ctx, e.options.Timeout)
	defer cancel()
	entry, found, err := e.ask(asking, login, secret)
	switch _, away := errors.AsType[*awayError](err); {
	case away && ctx.Err() != nil:
		return nil, ctx.Err()
	case away && e.options.WhenAway == Next:
		return nil, fmt.Errorf("%w: %w", auth.ErrUnavailable, err)
	case away:
		return nil, unavailable()
	case err != nil:
		return nil, err
	}
	return e.user(ctx, entry, found, login)
}

// KeepsPassword is part of [auth.PasswordKeeper]: those who have logged in by the
// directory set no password here.
func (e *Extension) KeepsPassword(ctx context.Context, user *auth.User) (bool, error) {
	l := Links.Fields()
	return Links.Where(orm.Eq(&l.Directory, e.options.Name), orm.Eq(&l.User.ID, user.ID)).Exists(ctx)
}

// unavailable is without a cause: what is wrong was logged once.
func unavailable() error {
	return retort.ServiceUnavailable(5*time.Second, "The directory of users does not answer. Try again in a moment.")
}

// The longest login and password that are sent, in bytes.
const (
	maxLogin  = 254
	maxSecret = 1024
)

// plausible reports whether something can be the login of an entry.
func plausible(login string) bool {
	return login != "" && len(login) <= maxLogin && utf8.ValidString(login) &&
		!strings.ContainsFunc(login, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// ask returns the entry whose password it is, and its groups.
func (e *Extension) ask(ctx context.Context, login, secret string) (*Entry, groups, error) {
	c, err := e.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer c.Close()
	var found groups
	entry, err := c.prove(login, secret)
	if err == nil {
		found, err = c.mayEnter(entry)
	}
	if away, ok := errors.AsType[*awayError](err); ok {
		e.fault(ctx, c.server, away.err)
	}
	return entry, found, err
}

// prove finds the entry of a login and binds as it.
func (c *conversation) prove(login, secret string) (*Entry, error) {
	o := &c.e.options
	if o.bindsByDN() {
		dn := strings.ReplaceAll(o.UserDN, loginMark, ldap.EscapeDN(login))
		if err := c.bindUser(dn, secret); err != nil {
			return nil, err
		}
		if err := c.readAgain(); err != nil {
			return nil, err
		}
		list, err := c.search(dn, ldap.ScopeBaseObject, anyEntry, 1, o.attributes()...)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return nil, &awayError{fmt.Errorf("%s could log in but its entry cannot be read; give it the right to, or give BindDN", dn)}
		}
		return list[0], nil
	}
	if o.UserDN != "" { // to search as the user
		if strings.ContainsAny(login, `"/\[]:;|=,+*?<>@`) {
			return nil, auth.ErrWrong
		}
		if err := c.bindUser(strings.ReplaceAll(o.UserDN, loginMark, login), secret); err != nil {
			return nil, err
		}
	}
	list, err := c.search(o.Base, ldap.ScopeWholeSubtree, strings.ReplaceAll(o.Filter, loginMark, ldap.EscapeFilter(login)), 1, o.attributes()...)
	if errors.Is(err, errTooMany) {
		c.e.app.Logger().Warn("the filter finds several entries for a login, and none is let in", "directory", o.Name, "login", login)
		list, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		// It takes as long as a password that is wrong.
		if err := c.bindUser("cn=no such user,"+o.Base, secret); err != nil {
			return nil, err
		}
		return nil, auth.ErrWrong
	}
	// This entry's password, whoever the server took the first bind for.
	return list[0], c.bindUser(list[0].DN, secret)
}

// bindUser proves a password. The error is auth.ErrWrong, or an *awayError.
func (c *conversation) bindUser(name, secret string) error {
	err := c.Bind(name, secret)
	switch {
	case err == nil:
		return nil
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax,
		ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultConstraintViolation, ldap.LDAPResultUnwillingToPerform,
		ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultNamingViolation):
		return auth.ErrWrong
	}
	return &awayError{fmt.Errorf("bind as a user: %w", err)}
}

// readAgain makes the connection the reader's again after a bind as a user; without a
// reader it stays the user's.
func (c *conversation) readAgain() error {
	if err := c.e.bindReader(c.Conn); err != nil {
		return &awayError{err}
	}
	return nil
}

// mayEnter returns the groups of an entry whose password was right.
func (c *conversation) mayEnter(entry *Entry) (groups, error) {
	o := &c.e.options
	if entry.disabled() {
		return nil, auth.ErrDenied
	}
	if err := c.readAgain(); err != nil {
		return nil, err
	}
	found, err := c.groupsOf(entry)
	if err != nil {
		return nil, err
	}
	if found.any(o.DenyGroups) || len(o.RequireGroups) > 0 && !found.any(o.RequireGroups) {
		return nil, auth.ErrDenied
	}
	return found, nil
}
