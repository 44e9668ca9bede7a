// Package passkeys lets users log in with passkeys: keys that their device, password
// manager or security key keeps, and uses after a fingerprint, a look or a PIN
// (WebAuthn level 3, FIDO2).
//
//	app.Install(
//		db.Open(""),
//		dbsession.New(),
//		mail.New(),
//		auth.New(auth.Options{LoginURL: "accounts.login"}),
//		accounts.New(),
//		passkeys.New(),
//	)
//
// The page to log in then has a button for it, and browsers offer passkeys in the
// field of the address; users add, name and delete theirs on a page that the profile
// leads to. A passkey that is asked for on the page to log in has verified its user,
// and counts as both factors. After a password it can be given in place of the code
// of an authenticator app.
//
// # Which site
//
// Passkeys belong to a domain, for ever: [Options].Domain, by default the host of
// [retort.Config].BaseURL. Where requests come from and what they say their host is
// never matters. In debug mode a site that is opened as http://localhost:8000 works
// without a setting; browsers have no passkeys for http://127.0.0.1:8000.
package passkeys

import (
	"context"
	"embed"
	"errors"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	_ "github.com/retort-web/retort/contrib/passkeys/migrations" // of the tables
	"github.com/retort-web/retort/orm"
)

// Options are the details of [New].
type Options struct {
	// Prefix is the path of the pages. Default: "/passkeys".
	Prefix string
	// Domain is what passkeys belong to, "example.com": the host of the site, or one
	// that it is below. Another one makes all of them worthless. Default: the host of
	// [retort.Config].BaseURL.
	Domain string
	// Origins are where the site is, "https://www.example.com", each on the Domain or
	// below it. Default: that of BaseURL.
	Origins []string
	// SiteName is what people see when they are asked for a passkey. Default:
	// [retort.Config].Name.
	SiteName string
	// PerUser is how many passkeys a user may have. Default: 20.
	PerUser int
}

// The kinds of events, beside those of package auth.
const (
	Added   auth.EventKind = "passkey_added"
	Removed auth.EventKind = "passkey_removed"
	// Cloned is of a passkey whose counter went back, as that of a copy does; it was
	// refused.
	Cloned auth.EventKind = "passkey_cloned"
)

//go:embed templates static
var assets embed.FS

// Extension lets users log in with passkeys. [New] makes it.
type Extension struct {
	options Options
	app     *retort.App
	auth    *auth.Extension
	pages   *accounts.Extension
	party   *webauthn.WebAuthn // nil in debug mode without a domain
}

// New returns the extension.
func New(options ...Options) *Extension {
	e := &Extension{}
	if len(options) > 0 {
		e.options = options[0]
	}
	if e.options.Prefix == "" {
		e.options.Prefix = "/passkeys"
	}
	if e.options.PerUser == 0 {
		e.options.PerUser = 20
	}
	return e
}

// Name is part of [retort.Extension], and of [auth.Factor].
func (e *Extension) Name() string { return "passkeys" }

// Install is part of [retort.Extension].
func (e *Extension) Install(app *retort.App) (err error) {
	if e.app != nil {
		return errors.New("passkeys: the extension is installed already; make one with passkeys.New for each app")
	}
	e.app = app
	var ok bool
	if e.pages, ok = app.Extension("accounts").(*accounts.Extension); !ok {
		return errors.New("passkeys: install accounts.New() before passkeys.New()")
	}
	e.auth, _ = app.Extension("auth").(*auth.Extension)
	if e.options.SiteName == "" {
		e.options.SiteName = app.Config().Name
	}
	if e.party, err = e.configured(app.Config()); err != nil {
		return err
	}
	b := retort.NewBlueprint("passkeys", retort.BlueprintOptions{Prefix: e.options.Prefix, Assets: retort.Embed(assets)})
	b.After(func(c *retort.Ctx) error {
		c.Header().Set("Cache-Control", "no-store")
		return nil
	})
	auth.Public(b.Post("/login/options", e.loginOptions)).Name("login_options")
	auth.Public(b.Post("/login", e.login)).Name("login")
	auth.Public(b.Post("/code/options", e.codeOptions)).Name("code_options")
	auth.Public(b.Post("/code", e.code)).Name("code")
	b.Get("", e.list).Name("list").Use(auth.RequireFresh)
	b.Post("/options", e.addOptions).Name("add_options").Use(auth.RequireFresh)
	b.Post("", e.add).Name("add").Use(auth.RequireFresh)
	b.Post("/{id:int}/name", e.rename).Name("rename").Use(auth.RequireFresh)
	b.Post("/{id:int}/delete", e.remove).Name("delete").Use(auth.RequireFresh)
	app.Register(b)
	e.pages.OfferLogin(accounts.Offer{Template: "passkeys/login.html", Route: "passkeys.login", Post: true})
	e.pages.OfferCode(accounts.Offer{Template: "passkeys/code.html", Route: "passkeys.code", Post: true, Show: e.codeHelps})
	e.pages.OfferSetting(accounts.Offer{Label: "Passkeys", Route: "passkeys.list"})
	e.pages.CountWays(e.count)
	e.auth.AddFactor(e)
	return nil
}

// count returns how many passkeys a user has.
func (e *Extension) count(ctx context.Context, user *auth.User) (int, error) {
	p := Passkeys.Fields()
	n, err := Passkeys.Where(orm.Eq(&p.User.ID, user.ID)).Count(ctx)
	return int(n), err
}

// Has is part of [auth.Factor].
func (e *Extension) Has(ctx context.Context, user *auth.User) (bool, error) {
	n, err := e.count(ctx, user)
	return n > 0, err
}

// Holds is part of [auth.Factor]: the mark is that of a passkey that is still there.
func (e *Extension) Holds(ctx context.Context, user *auth.User, mark string) (bool, error) {
	p := Passkeys.Fields()
	return Passkeys.Where(orm.Eq(&p.User.ID, user.ID), orm.Eq(&p.Digest, mark)).Exists(ctx)
}
