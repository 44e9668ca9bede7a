package auth

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
)

// impersonatedKey is in the session of a superuser who acts as another: since when, and
// as whom.
const impersonatedKey = "auth impersonated"

// Impersonate lets the superuser who has logged in act as another user in this session,
// to see what they see, until [Extension.EndImpersonation], a logout, or the end of
// [Options].ImpersonateFor. The session stays the superuser's: it is in the list of
// theirs, and a new password of theirs ends it.
//
// Meanwhile [Current] is the other user and [Impersonator] the superuser. What
// [RequireFresh] and [RequireSecondFactor] guard is refused, as it is a user's own affair,
// and each [Event] says who acts. The error is [ErrForbidden] for who is no superuser, has
// come by a token, or acts as somebody already, and for another superuser and a user who
// is not active, as whom nobody acts.
func (e *Extension) Impersonate(c *retort.Ctx, user *User) error {
	by, err := Current(c)
	if err != nil {
		return err
	}
	if by == nil {
		return ErrLoginRequired
	}
	s := c.Session()
	if !by.Superuser || by.byToken() || by.by != nil || s.User() != by.key() || user.Superuser || !user.Active {
		return fmt.Errorf("auth: nobody acts as user %d here: %w", user.ID, ErrForbidden)
	}
	s.Set(impersonatedKey, strconv.FormatInt(e.now().Unix(), 10)+" "+user.key())
	s.Rotate()
	acting := *user
	acting.by, acting.granted = by, nil
	currentKey.Set(c, &current{&acting})
	e.tell(c, ImpersonationStarted, &acting, "")
	return nil
}

// EndImpersonation makes the session the superuser's alone again. Without one who acts as
// another it does nothing.
func (e *Extension) EndImpersonation(c *retort.Ctx) error {
	user, err := Current(c)
	if err != nil || user == nil || user.by == nil {
		return err
	}
	s := c.Session()
	s.Delete(impersonatedKey)
	s.Rotate()
	currentKey.Set(c, &current{user.by})
	e.tell(c, ImpersonationEnded, user, "")
	return nil
}

// Impersonator returns the superuser who acts as the user of a request, or nil. Templates
// have it as impersonator.
func Impersonator(user *User) *User {
	if user == nil {
		return nil
	}
	return user.by
}

// acting returns the user as whom the superuser of a session acts, or the superuser.
func (e *Extension) acting(c *retort.Ctx, by *User) (*User, error) {
	s := c.Session()
	text, _ := s.Get(impersonatedKey).(string)
	if text == "" {
		return by, nil
	}
	since, key, _ := strings.Cut(text, " ")
	begun, err := strconv.ParseInt(since, 10, 64)
	age := e.now().Sub(time.Unix(begun, 0))
	if err != nil || !by.Superuser || age > e.options.ImpersonateFor || age < -time.Minute {
		s.Delete(impersonatedKey)
		return by, nil
	}
	user, err := byKey(c, key)
	if errors.Is(err, orm.ErrNotFound) || err == nil && user.Superuser {
		s.Delete(impersonatedKey)
		return by, nil
	}
	if err != nil {
		return nil, err
	}
	user.by = by
	return user, nil
}
