package auth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/ratelimit"
)

// SentCode is the code that was sent to a user last, until it is used. There is one for
// each user at most, so that nothing piles up.
type SentCode struct {
	User orm.OneToOne[User] `orm:"pk,on_delete=cascade"`
	// Hash is made of the code, the user, where it was sent and what for, with the app's
	// keys.
	Hash    string `orm:"size=64" json:"-" form:"-"`
	Expires time.Time
}

// Meta names the table.
func (SentCode) Meta(*SentCode) orm.Meta { return orm.Meta{Table: "auth_sent_codes"} }

// SentCodes is the query of all codes that were sent and not used.
var SentCodes = orm.Register[SentCode]()

const (
	sentCodePurpose = "auth sent code"
	sentDigits      = 6
	// sentAge is how long a code that was sent is valid.
	sentAge = 10 * time.Minute
	// sendTimeout bounds the time that a CodeSender takes.
	sendTimeout = time.Minute

	// What a code is sent for.
	forLogin     = "login"
	forEnrolment = "enrolment"
)

// How often codes are sent. What is sent to one address counts for all who name it, so
// that nobody has codes sent to another's phone by many accounts.
var (
	sentGap       = ratelimit.Limit{Requests: 1, Window: 30 * time.Second}
	sentToUser    = ratelimit.PerHour(5)
	sentToAddress = ratelimit.PerHour(10)
)

// EnrolSentCode sends a user a code in a way of [Options].CodeSenders. With it
// [Extension.ConfirmSentCode] makes such codes their second factor. A code is sent once in
// half a minute and five times an hour at most, and it is not told whether it was. The
// error is [ErrNoCodeWay] or [ErrSecondFactorOn].
func (e *Extension) EnrolSentCode(c *retort.Ctx, user *User, way string) error {
	if has, err := HasSecondFactor(c, user); err != nil {
		return err
	} else if has {
		return ErrSecondFactorOn
	}
	s := e.sender(way)
	if s == nil {
		return ErrNoCodeWay
	}
	sent, err := e.sendCode(c, user, s, forEnrolment)
	if err == nil && !sent {
		err = ErrNoCodeWay
	}
	return err
}

// ConfirmSentCode makes codes that are sent in a way the user's second factor if the code
// is the one that [Extension.EnrolSentCode] sent, and returns ten recovery codes, as
// [Extension.ConfirmSecondFactor] does. The error is [ErrWrongCode], [ErrSecondFactorOn],
// [ErrNoCodeWay] or a *[ThrottledError].
func (e *Extension) ConfirmSentCode(c *retort.Ctx, user *User, way, code string) (codes []string, err error) {
	if e.sender(way) == nil {
		return nil, ErrNoCodeWay
	}
	attempt, err := e.throttle.beginCode(c, user.key())
	if err != nil {
		return nil, err
	}
	defer attempt.end(c)
	switch ok, err := e.useSentCode(c, user, way, forEnrolment, plainCode(code)); {
	case err != nil:
		return nil, err
	case !ok:
		attempt.failed()
		e.tell(c, CodeFailed, user, "")
		return nil, ErrWrongCode
	}
	attempt.succeeded(c)
	row := SecondFactors.New()
	row.Way = way
	return e.switchOn(c, user, row)
}

// SendCode sends another code to the user whose login waits for one, see
// [Extension.BeginLogin], which has sent the first. A code is sent once in half a minute
// and five times an hour at most, and it is not told whether it was: the one before is
// valid then. Who has an authenticator app is sent nothing. The error is [ErrNoHalfLogin].
func (e *Extension) SendCode(c *retort.Ctx) error {
	user, _, err := e.halfLogin(c)
	if err != nil {
		return err
	}
	factor, err := secondFactorOf(c, user)
	if err != nil || factor == nil {
		return err
	}
	return e.sendLoginCode(c, user, factor)
}

func (e *Extension) sendLoginCode(c *retort.Ctx, user *User, factor *SecondFactor) error {
	if s := e.sender(factor.Way); s != nil {
		_, err := e.sendCode(c, user, s, forLogin)
		return err
	}
	if factor.Way != "" {
		e.app.Logger().ErrorContext(c, "auth: a user gets codes in a way that the site has no more; put it back into auth.Options.CodeSenders, or run removesecondfactor for the user",
			slog.String("way", factor.Way), slog.Int64("user", user.ID))
	}
	return nil
}

// sendCode sends a code after the answer if the limits allow it. sent is false if there
// is no address. The request does the same and takes as long whether it is sent or not.
func (e *Extension) sendCode(c *retort.Ctx, user *User, s *CodeSender, purpose string) (sent bool, err error) {
	to := e.codeAddress(c, user, s)
	if to == "" {
		return false, c.Err()
	}
	allowed, err := e.maySend(c, user, s, to)
	if err != nil {
		return false, err
	}
	code, err := newSentCode()
	if err != nil {
		return false, err
	}
	var send func(ctx context.Context) error
	if s.Compose != nil {
		if send, err = s.Compose(c, user, to, code); err != nil {
			e.logUnsent(c, user, s, err)
			return true, nil
		}
	}
	key, hash := user.key(), e.sentHashes(user, s.Name, purpose, to, code)[0]
	orm.OnCommit(c, func(context.Context) {
		e.app.Go("send a code by "+s.Name, func(ctx context.Context) {
			if !allowed {
				return
			}
			ctx, cancel := context.WithTimeout(ctx, sendTimeout)
			defer cancel()
			// The request may go on with its own.
			user, err := byKey(ctx, key)
			if errors.Is(err, errNoUser) {
				return
			}
			if err == nil {
				err = e.keepAndSend(ctx, user, hash, func(ctx context.Context) error {
					if send != nil {
						return send(ctx)
					}
					return s.Send(ctx, user, to, code)
				})
			}
			if err != nil {
				e.logUnsent(ctx, user, s, err)
				return
			}
			e.tell(ctx, CodeSent, user, "")
		})
	})
	return true, nil
}

// newSentCode returns one of all codes, each as likely as the others.
func newSentCode() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("auth: a code: %w", err)
	}
	return fmt.Sprintf("%0*d", sentDigits, n), nil
}

// keepAndSend keeps the hash of a code in place of that of the one before, and sends it.
func (e *Extension) keepAndSend(ctx context.Context, user *User, hash string, send func(ctx context.Context) error) error {
	row := SentCodes.New()
	row.User.Set(user)
	row.Hash, row.Expires = hash, e.now().UTC().Add(sentAge).Truncate(time.Microsecond)
	p := SentCodes.Fields()
	if err := SentCodes.Upsert(ctx, row, orm.Conflict{Fields: orm.Fields(&p.User)}); err != nil {
		return err
	}
	return send(ctx)
}

func (e *Extension) logUnsent(ctx context.Context, user *User, s *CodeSender, err error) {
	args := []any{slog.String("way", s.Name), slog.Any("error", err)}
	if user != nil {
		args = append(args, slog.Int64("user", user.ID))
	}
	e.app.Logger().ErrorContext(ctx, "auth: a code was not sent", args...)
}

// maySend counts a code that is to be sent.
func (e *Extension) maySend(ctx context.Context, user *User, s *CodeSender, to string) (bool, error) {
	taken, err := e.mails.Take(ctx, e.app.Logger(),
		ratelimit.Charge{Key: counted("code gap", user.key(), ""), Limit: sentGap, Cost: 1},
		ratelimit.Charge{Key: counted("code for", user.key(), ""), Limit: sentToUser, Cost: 1},
		ratelimit.Charge{Key: counted("code to", s.Name, to), Limit: sentToAddress, Cost: 1})
	return taken.Allowed, err
}

// useSentCode takes the code that was sent last, once: of two requests with it one
// deletes it.
func (e *Extension) useSentCode(ctx context.Context, user *User, way, purpose, code string) (bool, error) {
	s := e.sender(way)
	if s == nil || len(code) != sentDigits {
		return false, nil
	}
	to, err := s.Address(ctx, user)
	if err != nil {
		e.app.Logger().ErrorContext(ctx, "auth: a code cannot be checked, as there is no telling where it was sent",
			slog.String("way", way), slog.Int64("user", user.ID), slog.Any("error", err))
		return false, ErrUnavailable
	}
	if to == "" {
		return false, nil
	}
	p := SentCodes.Fields()
	n, err := SentCodes.Where(orm.Eq(&p.User.ID, user.ID), orm.Gt(&p.Expires, e.now().UTC()),
		orm.In(&p.Hash, e.sentHashes(user, way, purpose, to, code)...)).Delete(ctx)
	return n == 1, err
}

// sentHashes are what is kept of a code, by each of the app's keys.
func (e *Extension) sentHashes(user *User, way, purpose, to, code string) []string {
	body, err := json.Marshal([]string{user.key(), way, purpose, to, code})
	if err != nil {
		panic(err) // texts
	}
	return e.app.Keys().Digests(sentCodePurpose, body)
}

// forgetSentCode makes a code that was sent and not used worthless.
func forgetSentCode(ctx context.Context, user *User) error {
	p := SentCodes.Fields()
	_, err := SentCodes.Where(orm.Eq(&p.User.ID, user.ID)).Delete(ctx)
	return err
}
