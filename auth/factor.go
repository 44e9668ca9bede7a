package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/retort-web/retort"
)

// Factor is another kind of second factor than codes, such as passkeys. An extension brings it, see [Extension.AddFactor]. After a
// password it is asked for where the user has switched the second factor on, and for
// [RequireSecondFactor] it is one in any case.
type Factor interface {
	// Name is that of the kind, "passkeys".
	Name() string
	// Has reports whether a user has one.
	Has(ctx context.Context, user *User) (bool, error)
	// Holds reports whether what a session was begun with is still the user's: mark
	// is what [Extension.LoginBy] or [Extension.FinishLoginBy] was given.
	Holds(ctx context.Context, user *User, mark string) (bool, error)
}

// AddFactor adds a kind of second factor. Call it from Install of an extension.
func (e *Extension) AddFactor(f Factor) {
	if e.app != nil && e.app.Prepared() {
		panic("auth: the app serves already; add factors in Install of an extension")
	}
	e.factors = append(e.factors, f)
}

// LoginBy is [Extension.Login] of a user who has proved two factors in one, as a
// passkey does that has verified its user. mark says which, and stays in the session.
func (e *Extension) LoginBy(c *retort.Ctx, user *User, remember bool, f Factor, mark string) error {
	if held, err := f.Holds(c, user, mark); err != nil {
		return err
	} else if !held {
		return fmt.Errorf("auth: user %d has no such factor of %s: %w", user.ID, f.Name(), ErrForbidden)
	}
	if err := e.Login(c, user, remember); err != nil {
		return err
	}
	c.Session().Set(passedKey, markOf(f, mark))
	return nil
}

// FinishLoginBy logs in the user whose login waits for a second factor, who has proved
// one of a kind: see [Extension.HalfLogin]. mark says which, and stays in the session.
// The error is [ErrNoHalfLogin], or [ErrForbidden] if the factor is not that user's.
func (e *Extension) FinishLoginBy(c *retort.Ctx, f Factor, mark string) (*User, error) {
	user, half, err := e.halfLogin(c)
	if err != nil {
		return nil, err
	}
	if err := e.LoginBy(c, user, half.Remember, f, mark); err != nil {
		return nil, err
	}
	if half.Sent {
		return user, forgetSentCode(c, user)
	}
	return user, nil
}

// markOf is what a session remembers of a factor of a kind.
func markOf(f Factor, mark string) string { return f.Name() + "\x00" + mark }

// errNoFactor says that a user has no second factor of any kind.
var errNoFactor = errors.New("auth: the user has no second factor")

// passed reports whether a session was begun with a second factor that the user still
// has. The error is errNoFactor if there is none that it could have been.
func (e *Extension) passed(c *retort.Ctx, user *User) (bool, error) {
	mark, _ := c.Session().Get(passedKey).(string)
	factor, err := secondFactorOf(c, user)
	if err != nil {
		return false, err
	}
	if factor != nil && mark == factor.mark() {
		return true, nil
	}
	some := factor != nil
	name, rest, _ := strings.Cut(mark, "\x00")
	for _, f := range e.factors {
		if f.Name() == name {
			if held, err := f.Holds(c, user, rest); held || err != nil {
				return held, err
			}
		}
		if !some {
			if some, err = f.Has(c, user); err != nil {
				return false, err
			}
		}
	}
	if !some {
		return false, errNoFactor
	}
	return false, nil
}
