package auth

import (
	"crypto/subtle"
	"encoding/base32"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
)

// totpEncoding is how authenticator apps write secrets.
var totpEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

const (
	passedKey  = "auth second factor" // in the session: the factor that it gave a code of
	pendingKey = "auth half login"    // in the session: who has given the password alone
	// pendingAge is how long after the password the code of an app may come.
	pendingAge = 5 * time.Minute
)

// ErrNoHalfLogin says that nobody has given a password in this session a short time
// ago: the login begins anew.
var ErrNoHalfLogin = errors.New("auth: no login waits for a code, or it waited too long")

// halfLogin is a login that waits for its code.
type halfLogin struct {
	User     string `json:"u"`
	AuthHash string `json:"h"` // another password ends it
	Time     int64  `json:"t"`
	Remember bool   `json:"r,omitempty"`
	Sent     bool   `json:"s,omitempty"` // the code is one that is sent
}

// age is how long the code may take.
func (h *halfLogin) age() time.Duration {
	if h.Sent {
		return sentAge
	}
	return pendingAge
}

// BeginLogin logs in a user who has proved who they are by a password or a link, as
// [Extension.Login] does, and returns true. If the user has a second factor it
// returns false instead: the session is no user's yet, and for five minutes
// [Extension.FinishLogin] takes the code. If it is one that is sent, see [CodeSender], it
// is on its way, and may take ten minutes; [Extension.SendCode] sends another.
func (e *Extension) BeginLogin(c *retort.Ctx, user *User, remember bool) (done bool, err error) {
	factor, err := secondFactorOf(c, user)
	if err != nil {
		return false, err
	}
	if factor == nil {
		return true, e.Login(c, user, remember)
	}
	body, err := json.Marshal(halfLogin{user.key(), e.authHashes(user)[0], e.now().Unix(), remember, factor.Way != ""})
	if err != nil {
		return false, err
	}
	s := c.Session()
	s.Set(pendingKey, string(body))
	// A session that someone planted must not share the half that is done.
	s.Rotate()
	return false, e.sendLoginCode(c, user, factor)
}

// HalfLogin returns the user who has given the password and not yet the code, or
// [ErrNoHalfLogin].
func (e *Extension) HalfLogin(c *retort.Ctx) (*User, error) {
	user, _, err := e.halfLogin(c)
	return user, err
}

func (e *Extension) halfLogin(c *retort.Ctx) (*User, *halfLogin, error) {
	body, _ := c.Session().Get(pendingKey).(string)
	var half halfLogin
	if body == "" || json.Unmarshal([]byte(body), &half) != nil {
		return nil, nil, ErrNoHalfLogin
	}
	if age := e.now().Sub(time.Unix(half.Time, 0)); age > half.age() || age < -pendingAge {
		c.Session().Delete(pendingKey)
		return nil, nil, ErrNoHalfLogin
	}
	user, err := byKey(c, half.User)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, nil, ErrNoHalfLogin
	}
	if err != nil {
		return nil, nil, err
	}
	for _, hash := range e.authHashes(user) {
		if subtle.ConstantTimeCompare([]byte(hash), []byte(half.AuthHash)) == 1 {
			return user, &half, nil
		}
	}
	return nil, nil, ErrNoHalfLogin
}

// FinishLogin logs in the user whose login waits for a code, with one of the
// authenticator app, the one that was sent last, or a recovery code, each of which works
// once. The error is
// [ErrWrongCode], [ErrNoHalfLogin], or a *[ThrottledError] after too many wrong codes
// for the user.
func (e *Extension) FinishLogin(c *retort.Ctx, code string) (*User, error) {
	user, half, err := e.halfLogin(c)
	if err != nil {
		return nil, err
	}
	factor, err := secondFactorOf(c, user)
	if err != nil {
		return nil, err
	}
	if factor == nil { // it was removed a moment ago
		return user, e.Login(c, user, half.Remember)
	}
	if err := e.useCode(c, user, factor, code); err != nil {
		return nil, err
	}
	if err := e.Login(c, user, half.Remember); err != nil {
		return nil, err
	}
	c.Session().Set(passedKey, factor.mark())
	return user, nil
}

// RequireSecondFactor lets only users through who have a second factor and gave it,
// a code or a [Factor] of another kind, when they logged in to this session. Who has
// none is sent to [Options].SecondFactorURL to get one, and programs get 403.
func RequireSecondFactor(next retort.Handler) retort.Handler {
	return RequireLogin(func(c *retort.Ctx) error {
		if Must(c).by != nil {
			return ErrForbidden
		}
		e, err := Of(c)
		if err != nil {
			return err
		}
		if Must(c).byToken() {
			return ErrForbidden
		}
		switch passed, err := e.passed(c, Must(c)); {
		case errors.Is(err, errNoFactor):
			return e.askForSecondFactor(c)
		case err != nil:
			return err
		case !passed:
			return askForLogin(c)
		}
		return next(c)
	})
}

// askForSecondFactor sends a person to the page for that, and tells a program.
func (e *Extension) askForSecondFactor(c *retort.Ctx) error {
	if isProgram(c) {
		return ErrForbidden
	}
	return e.sendTo(c, e.options.SecondFactorURL)
}

// sendTo redirects to a path or a route, from where one comes back.
func (e *Extension) sendTo(c *retort.Ctx, to string) (err error) {
	if !strings.HasPrefix(to, "/") {
		if to, err = c.URL(to); err != nil {
			return err
		}
	} else {
		to = c.Root() + to
	}
	// After another method than GET the page itself would not come back.
	if m := c.Method(); m == http.MethodGet || m == http.MethodHead {
		back := c.Root() + c.Request().URL.RequestURI()
		to += "?" + url.Values{"next": {back}}.Encode()
	}
	return c.Redirect(to)
}
