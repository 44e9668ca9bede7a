package auth

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/retort-web/retort"
	_ "github.com/retort-web/retort/auth/migrations" // of the tables
	"github.com/retort-web/retort/internal/counts"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/password"
	"github.com/retort-web/retort/ratelimit"
)

// Options are the details of [New].
type Options struct {
	// Hash is the cost of passwords, and how many are hashed at once.
	Hash password.Options
	// Policy judges new passwords.
	Policy password.Policy
	// Backends are asked in order whether an address and a password are right.
	// Default: [Passwords], those of the users.
	Backends []Backend
	// Throttle bounds failed logins. The zero value is right for most sites.
	Throttle Throttle
	// Counts counts failed logins, and the mail that visitors have sent to others.
	// Default: the memory of this process, so that each of several allows as many;
	// package redislimit counts for all together. See [Throttle].WhenAway.
	Counts ratelimit.Store
	// LoginFields are the fields by which users log in, as orm.Fields(&m.Username) of a
	// model that extends [User]: text that is unique whatever its case, by
	// orm.UniqueTogether(orm.Lower(&m.Username)) in its Meta. With &m.Email among them
	// the e-mail address is one too, and no name has an @. Mail goes to Email in any
	// case. Default: the e-mail address.
	LoginFields []any
	// Identify finds users by something else than a session, such as a header of the
	// proxy: they are asked in order, for each request in which somebody asks for its
	// user, and before the session. Default: none.
	Identify []Identifier
	// VisitorPermissions are what everybody may do, also who has not logged in. Default:
	// nothing.
	VisitorPermissions []Permission
	// PermissionLabels are what people are shown for permissions, where what
	// [Extension.PermissionLabel] makes of their names does not do. Default: none.
	PermissionLabels map[Permission]string
	// AllowInactive lets users log in who are not active, and who have no permissions,
	// so that the site can tell them what to do. Default: they are like unknown users.
	AllowInactive bool
	// Protect says what becomes of a session that is used from elsewhere than where its
	// user logged in. Default: nothing.
	Protect Protection
	// ImpersonateFor is how long a superuser acts as another at most. Default: 1 hour.
	ImpersonateFor time.Duration
	// CodeSenders are the ways in which codes are sent to users who want no authenticator
	// app for their second factor, such as SMS. Default: none. For mail there is
	// accounts.Options.MailCodes.
	CodeSenders []CodeSender
	// SiteWide asks for a login on every route that is not marked [Public].
	SiteWide bool
	// LoginURL is where visitors are sent to log in, a path or the name of a
	// route. Default: "/login".
	LoginURL string
	// SecondFactorURL is where [RequireSecondFactor] sends users who have none, a path
	// or the name of a route. Default: "/second-factor".
	SecondFactorURL string
	// FreshFor is how long after a login [RequireFresh] is content. Default: 15
	// minutes.
	FreshFor time.Duration
	// RememberFor is how long a session lives unused whose user wants to stay logged in.
	// Default: as long as others, by the setting session.lifetime.
	RememberFor time.Duration
	// OnEvent is told what happens to accounts: see [Event]. It is called after it
	// happened, in the request; of CodeSent in the background.
	OnEvent func(ctx context.Context, e Event)
}

// Backend decides whether an address and a password are those of a user: the user's
// own, or another directory such as LDAP.
type Backend interface {
	// Authenticate returns the user, ErrWrong if this backend knows that the
	// password is not right or that it does not know the user, so that the next is
	// asked, ErrDenied to let nobody else be asked, or ErrUnavailable if it cannot
	// tell now.
	Authenticate(ctx context.Context, login, secret string) (*User, error)
}

// Extension is the accounts of an app. [New] makes it.
type Extension struct {
	options  Options
	app      *retort.App
	hasher   *password.Hasher
	throttle *throttle
	mails    *counts.Counter
	logins   []loginField     // Options.LoginFields but for the e-mail address
	byEmail  bool             // it is one of them
	now      func() time.Time // of second factors
	factors  []Factor         // beside codes
	senders  []CodeSender     // of codes
}

// New returns the extension.
func New(options ...Options) *Extension {
	e := &Extension{now: time.Now}
	if len(options) > 0 {
		e.options = options[0]
	}
	if e.options.LoginURL == "" {
		e.options.LoginURL = "/login"
	}
	if e.options.SecondFactorURL == "" {
		e.options.SecondFactorURL = "/second-factor"
	}
	if e.options.ImpersonateFor == 0 {
		e.options.ImpersonateFor = time.Hour
	}
	if e.options.FreshFor == 0 {
		e.options.FreshFor = 15 * time.Minute
	}
	return e
}

// Name returns "auth".
func (e *Extension) Name() string { return "auth" }

// extensionKey is where the extension is on the context of an app.
type extensionKey struct{}

// Of returns the extension of the app that a context belongs to.
func Of(ctx context.Context) (*Extension, error) {
	e, ok := ctx.Value(extensionKey{}).(*Extension)
	if !ok {
		return nil, errors.New("auth: the context has no accounts; install auth.New() and pass the context of a request, command or background function, or app.Context()")
	}
	return e, nil
}

// Install implements [retort.Extension].
func (e *Extension) Install(app *retort.App) (err error) {
	if e.app != nil {
		return errors.New("auth: the extension is installed already; make one with auth.New for each app")
	}
	e.app = app
	if err := errors.Join(prepareModel(), e.prepareLogins(), e.prepareSenders()); err != nil {
		return err
	}
	if e.hasher, err = password.New(e.options.Hash); err != nil {
		return err
	}
	if e.throttle, err = newThrottle(e.options.Throttle, e.options.Counts, app.Logger()); err != nil {
		return err
	}
	e.mails = counts.New(e.options.Counts, ratelimit.CountHere)
	if e.options.Backends == nil {
		e.options.Backends = []Backend{Passwords()}
	}
	app.ExtendContext(func(ctx context.Context) context.Context { return context.WithValue(ctx, extensionKey{}, e) })
	app.TemplateContext(func(c *retort.Ctx) map[string]any {
		return map[string]any{"user": view{c}, "impersonator": impersonatorView{c}}
	})
	if e.options.SiteWide {
		app.Before(e.siteWide)
	}
	app.TranslateError(translate)
	app.Check(e.check)
	app.Command(e.createSuperuserCommand(), e.changePasswordCommand(), e.removeSecondFactorCommand())
	return nil
}

// translate gives the errors of this package their HTTP status.
func translate(err error) error {
	if scope, ok := errors.AsType[*ScopeError](err); ok {
		e := retort.Forbidden("The API token may not do this.")
		e.Header = http.Header{"Www-Authenticate": {scope.challenge()}}
		return e.Wrap(err)
	}
	switch {
	case errors.Is(err, password.ErrBusy):
		return retort.ServiceUnavailable(5*time.Second, "Too many logins at once. Try again in a moment.").Wrap(err)
	case errors.Is(err, ErrUnavailable): // its backend logs why
		return retort.ServiceUnavailable(5*time.Second, "Logins cannot be checked at the moment. Try again soon.")
	case errors.Is(err, ErrForbidden):
		return retort.Forbidden("You may not do this.").Wrap(err)
	case errors.Is(err, ErrLoginRequired):
		return retort.NewError(http.StatusUnauthorized, "Log in to do this.").Wrap(err)
	}
	if late, ok := errors.AsType[*ThrottledError](err); ok {
		return retort.TooManyRequests(late.RetryAfter, "Too many tries. Try again later.").Wrap(err)
	}
	return nil
}

// EventKind says what happened to an account.
type EventKind string

// The kinds of events.
const (
	LoggedIn        EventKind = "logged_in"
	LoggedOut       EventKind = "logged_out"
	LoginFailed     EventKind = "login_failed"
	PasswordChanged EventKind = "password_changed"
	EmailChanged    EventKind = "email_changed"
	SignedUp        EventKind = "signed_up"
	Deleted         EventKind = "deleted"
	TokenCreated    EventKind = "token_created"
	TokenRevoked    EventKind = "token_revoked"

	SecondFactorOn    EventKind = "second_factor_on"
	SecondFactorOff   EventKind = "second_factor_off"
	CodeSent          EventKind = "code_sent"   // see [CodeSender]
	CodeFailed        EventKind = "code_failed" // of a user who gave the password
	RecoveryCodeUsed  EventKind = "recovery_code_used"
	RecoveryCodesMade EventKind = "recovery_codes_made"

	ImpersonationStarted EventKind = "impersonation_started"
	ImpersonationEnded   EventKind = "impersonation_ended"
)

// Event is something that happened to an account. It never holds a password.
type Event struct {
	Kind  EventKind
	User  *User  // nil for a failed login of nobody
	Login string // what was typed, of a failed login
	Time  time.Time
	By    *User // the superuser who acts as the user, mostly nil
}

// Tell logs that something happened to an account and passes it to [Options].OnEvent:
// for extensions, with kinds of their own.
func (e *Extension) Tell(ctx context.Context, kind EventKind, user *User) {
	e.tell(ctx, kind, user, "")
}

func (e *Extension) tell(ctx context.Context, kind EventKind, user *User, login string) {
	args := []any{"event", string(kind)}
	if user != nil {
		args = append(args, "user", user.ID)
	}
	by := Impersonator(user)
	if by != nil {
		args = append(args, "by", by.ID)
	}
	e.app.Logger().InfoContext(ctx, "account", args...)
	if e.options.OnEvent != nil {
		e.options.OnEvent(ctx, Event{kind, user, login, time.Now(), by})
	}
}

// key is the user's name in sessions and tokens.
func (u *User) key() string { return strconv.FormatInt(u.ID, 10) }

// byKey returns the user of a session or token, who must be active, unless the site lets
// others in.
func byKey(ctx context.Context, key string) (*User, error) {
	id, err := strconv.ParseInt(key, 10, 64)
	if err != nil {
		return nil, errNoUser
	}
	e, err := Of(ctx)
	if err != nil {
		return nil, err
	}
	s := allUsers()
	user, err := s.get(ctx, orm.Eq(&s.names.ID, id))
	if err == nil && !user.Active && !e.options.AllowInactive {
		return nil, errNoUser
	}
	return user, err
}
