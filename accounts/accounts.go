package accounts

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/mail"
)

// SignUp says who may make an account.
type SignUp string

// The ways to sign up.
const (
	// SignUpVerified makes an account that can be used when its owner has opened the
	// link that was mailed to them. It is the default.
	SignUpVerified SignUp = "verified"
	// SignUpOpen logs the new user in at once. It must tell when an address has an
	// account already.
	SignUpOpen SignUp = "open"
	// SignUpClosed has no page for it.
	SignUpClosed SignUp = "closed"
)

// Options are the details of [New].
type Options struct {
	// Prefix is put before all addresses: "/accounts". Default: none.
	Prefix string
	// SignUp says who may make an account. Default: SignUpVerified.
	SignUp SignUp
	// LoginLabel is what the page to log in calls the field beside the password, where
	// [auth.Options].Backends know users by something else than an address: "User
	// name". Default: "E-mail address", and browsers check that it is one.
	LoginLabel string
	// LoginLinks lets users log in by a link that is mailed to them. Who has not verified
	// their address before has no password and no API token from then on, as somebody else
	// may have signed up with it.
	LoginLinks bool
	// MailCodes lets users have a code mailed to their verified address as the second factor
	// of their logins, in place of an authenticator app. For other ways to send codes see
	// [auth.Options].CodeSenders.
	MailCodes bool
	// TokenScopes are what users may allow the API tokens that they make for
	// themselves, [auth.AllScopes] for all that they may. Default: none, and no page
	// for tokens.
	TokenScopes []auth.Permission
	// SignUpFields are further fields of the page to sign up, and of the one for the
	// first user, and ProfileFields of the profile: see [MoreFields]. Default: none.
	SignUpFields, ProfileFields *More
	// Impersonate has an address at which a superuser begins to act as another user, see
	// [auth.Extension.Impersonate]: POST to accounts.impersonate with the user's id. All
	// pages that extend accounts/base.html say so then, with a button to end it.
	Impersonate bool
	// KeepAccounts leaves the page out on which users delete their account.
	KeepAccounts bool
	// AfterLogin and AfterLogout are where to go then, paths or names of routes.
	// Default: "/".
	AfterLogin, AfterLogout string
	// How long links in mails are valid. Default: 1 hour for passwords and addresses,
	// 15 minutes for logins, 3 days to verify an address.
	ResetAge, LoginLinkAge, VerifyAge time.Duration
}

//go:embed templates static
var assets embed.FS

// Extension is the pages of accounts. [New] makes it.
type Extension struct {
	options Options
	app     *retort.App
	auth    *auth.Extension
	pages   *retort.Blueprint
	setup   setup
	offers  offers
}

// New returns the extension.
func New(options ...Options) *Extension {
	e := &Extension{setup: setup{out: os.Stderr}}
	if len(options) > 0 {
		e.options = options[0]
	}
	o := &e.options
	if o.SignUp == "" {
		o.SignUp = SignUpVerified
	}
	for _, d := range []struct {
		age   *time.Duration
		usual time.Duration
	}{{&o.ResetAge, time.Hour}, {&o.LoginLinkAge, 15 * time.Minute}, {&o.VerifyAge, 3 * 24 * time.Hour}} {
		if *d.age == 0 {
			*d.age = d.usual
		}
	}
	for _, to := range []*string{&o.AfterLogin, &o.AfterLogout} {
		if *to == "" {
			*to = "/"
		}
	}
	return e
}

// Name returns "accounts".
func (e *Extension) Name() string { return "accounts" }

var both = []string{"GET", "POST"}

// Install implements [retort.Extension].
func (e *Extension) Install(app *retort.App) error {
	if e.app != nil {
		return errors.New("accounts: the extension is installed already; make one with accounts.New for each app")
	}
	e.app = app
	var ok bool
	if e.auth, ok = app.Extension("auth").(*auth.Extension); !ok {
		return errors.New("accounts: install auth.New() before accounts.New()")
	}
	if app.Extension("mail") == nil {
		return errors.New("accounts: install mail.New() before accounts.New(), for what is mailed to users")
	}
	if e.options.MailCodes {
		if err := e.auth.AddCodeSender(e.mailCodes()); err != nil {
			return err
		}
	}
	b := retort.NewBlueprint("accounts", retort.BlueprintOptions{Prefix: e.options.Prefix, Assets: retort.Embed(assets)})
	e.pages = b
	b.After(private)
	auth.Public(b.Methods(both, "/login", e.login)).Name("login")
	auth.Public(b.Methods(both, "/login/code", e.loginCode)).Name("login_code")
	auth.Public(b.Post("/login/code/send", e.sendLoginCode)).Name("login_code_send")
	auth.Public(b.Post("/logout", e.logout)).Name("logout")
	if e.options.SignUp != SignUpClosed {
		auth.Public(b.Methods(both, "/signup", e.signUp)).Name("signup")
	}
	auth.Public(b.Methods(both, "/verify/{token}", e.verify)).Name("verify")
	auth.Public(b.Methods(both, "/password/reset", e.askReset)).Name("reset")
	auth.Public(b.Get("/password/reset/{token}", e.openReset)).Name("reset_open")
	auth.Public(b.Methods(both, "/password/new", e.reset)).Name("reset_set")
	b.Methods(both, "/password/change", e.changePassword).Name("password").Use(auth.RequireLogin)
	b.Methods(both, "/email/change", e.changeEmail).Name("email").Use(auth.RequireFresh)
	auth.Public(b.Methods(both, "/email/confirm/{token}", e.confirmEmail)).Name("email_confirm")
	b.Methods(both, "/profile", e.profile).Name("profile").Use(auth.RequireLogin)
	b.Methods(both, "/sessions", e.sessions).Name("sessions").Use(auth.RequireLogin)
	b.Methods(both, "/second-factor", e.secondFactor).Name("second_factor").Use(auth.RequireFresh)
	b.Methods(both, "/second-factor/sent/{way}", e.sentFactor).Name("second_factor_sent").Use(auth.RequireFresh)
	b.Post("/second-factor/sent/{way}/send", e.sendFirstCode).Name("second_factor_send").Use(auth.RequireFresh)
	b.Post("/second-factor/codes", e.newRecoveryCodes).Name("recovery_codes").Use(auth.RequireFresh, auth.RequireSecondFactor)
	b.Post("/second-factor/off", e.removeSecondFactor).Name("second_factor_off").Use(auth.RequireFresh, auth.RequireSecondFactor)
	if e.options.Impersonate {
		b.Post("/impersonate/{id}", e.impersonate).Name("impersonate").Use(auth.RequireFresh)
	}
	b.Post("/impersonation/end", e.endImpersonation).Name("impersonate_end").Use(auth.RequireLogin)
	if len(e.options.TokenScopes) > 0 {
		b.Methods(both, "/tokens", e.tokens).Name("tokens").Use(auth.RequireFresh)
		b.Post("/tokens/{id}/revoke", e.revokeToken).Name("token_revoke").Use(auth.RequireLogin)
	}
	if !e.options.KeepAccounts {
		b.Methods(both, "/account/delete", e.deleteAccount).Name("delete").Use(auth.RequireFresh)
	}
	if e.options.LoginLinks {
		auth.Public(b.Methods(both, "/login/link", e.askLink)).Name("link")
		auth.Public(b.Methods(both, "/login/link/{token}", e.followLink)).Name("link_open")
	}
	auth.Public(b.Methods(both, "/setup/{token}", e.setUp)).Name("setup")
	app.OnReady(e.offerSetup)
	app.Register(b)
	return nil
}

// private keeps pages of accounts out of caches, and addresses with tokens out of the
// Referer of whatever the page links to.
func private(c *retort.Ctx) error {
	c.Header().Set("Cache-Control", "no-store")
	c.Header().Set("Referrer-Policy", "same-origin")
	c.Vary("Accept")
	return nil
}

// mail sends a message after the answer, so that its time tells nothing, and in the
// background, as a mail server may be slow. A failure is logged and shown to nobody.
func (e *Extension) mail(c *retort.Ctx, to, template string, data map[string]any) error {
	m, err := e.composed(c, to, template, data)
	if err != nil {
		return err
	}
	e.app.Go("mail "+template, func(ctx context.Context) {
		if err := mail.Send(ctx, m); err != nil {
			e.app.Logger().Error("a mail about an account was not sent", "template", template, slog.Any("error", err))
		}
	})
	return nil
}

// composed returns a message. Its links need the request for the host, and its words for
// the language, so it is composed there.
func (e *Extension) composed(c *retort.Ctx, to, template string, data map[string]any) (*mail.Message, error) {
	data["site"] = e.app.Config().Name
	m, err := mail.Template(c, "accounts/mail/"+template, data)
	if err != nil {
		return nil, err
	}
	m.To = []string{to}
	return m, nil
}

func (e *Extension) address(c *retort.Ctx, to string) (string, error) {
	if to[0] == '/' {
		return c.Root() + to, nil
	}
	return c.URL(to)
}
