package oidc

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/config"
)

// Options are the details of [New].
type Options struct {
	// Providers are whom visitors log in with, in the order of the buttons.
	Providers []Provider
	// Prefix is put before all addresses, as in accounts.Options. Default: none. A
	// provider knows the address to come back to, so it must be told of another.
	Prefix string
	// NoSignUp lets only those in who have connected a provider to their account.
	// Default: who has no account gets one, unless accounts.SignUpClosed.
	NoSignUp bool
	// Remember keeps the sessions that begin here for long.
	Remember bool
	// OnLogin is called at each login before it ends, in the transaction in which a new
	// user is made: to put users into groups by what the provider says. An error
	// refuses the login, [auth.ErrDenied] with a page that says so.
	OnLogin func(ctx context.Context, user *auth.User, p *Profile) error
	// Timeout bounds each request to a provider. Default: 10s.
	Timeout time.Duration
	// Transport sends the requests to providers: for a proxy or the certificates of a
	// private authority. Default: a copy of http.DefaultTransport.
	Transport http.RoundTripper
}

// Provider is whom visitors log in with. [Google], [Microsoft], [GitLab], [Keycloak]
// and [GitHub] make the usual ones; any other of OpenID Connect needs a Name and an
// Issuer. Issuer, client ID and secret, scopes and label may come from the environment
// and retort.toml, from the section oidc.NAME, which comes before what is given here.
type Provider struct {
	// Name is the provider's in addresses and settings: small letters, digits and
	// underscores. It is required.
	Name string `config:"-"`

	// Label is the provider's name for people. Default: Name.
	Label string `config:"label" help:"name of the provider for people"`

	// Issuer is the address that the provider calls itself by, as its
	// .well-known/openid-configuration has it. It is https, but for a provider on this
	// machine. With OAuth2 it only tells one provider's users from another's.
	Issuer string `config:"issuer" help:"issuer of an OpenID Connect provider"`

	// ClientID and ClientSecret are what the provider has given the site. A public
	// client has no secret.
	ClientID     string `config:"client_id" help:"what the provider calls this site"`
	ClientSecret string `config:"client_secret" secret:"true" help:"the site's secret at the provider"`

	// Scopes are what the site asks for. Default: openid, email and profile.
	Scopes []string `config:"scopes" help:"scopes to ask the provider for"`

	// Parameters are sent along when the login begins: {"hd": "example.com"}.
	Parameters map[string]string `config:"-"`

	// TrustEmail lets who is not known into the account that has their address, if
	// both the provider and this site have verified it. It is for a provider whose
	// administrators are this site's: whoever can give themselves an address there gets
	// into the account of that address here.
	TrustEmail bool `config:"-"`

	// AssumeVerified takes addresses for verified of which the provider does not say
	// whether they are: those of a company's own directory.
	AssumeVerified bool `config:"-"`

	// Allow refuses those whom it returns an error for, [auth.ErrDenied] with a page
	// that says so: users of another domain. Default: all users of the provider.
	Allow func(ctx context.Context, p *Profile) error `config:"-"`

	// OAuth2 is a provider without OpenID Connect.
	OAuth2 *OAuth2 `config:"-"`
}

// OAuth2 is how to learn who a visitor is from a provider that has OAuth 2 and not
// OpenID Connect, see [GitHub].
type OAuth2 struct {
	// AuthURL is where the visitor goes to, and TokenURL takes the code that they come
	// back with.
	AuthURL, TokenURL string
	// Profile asks the provider who the visitor is. get fetches JSON from an address as
	// the visitor, at most 1 MiB.
	Profile func(ctx context.Context, get func(ctx context.Context, address string, into any) error) (*Profile, error)
}

// Profile is what a provider says of a user.
type Profile struct {
	// Subject is what the provider calls the user by, for ever.
	Subject string
	// Email is empty if the provider does not tell it. EmailVerified says that the
	// user has proved there that it is theirs.
	Email         string
	EmailVerified bool
	Name          string
	// Claims are those of the ID token and, if it was asked for, of the userinfo, or
	// whatever an [OAuth2] puts there.
	Claims map[string]any
}

// The kinds of events that this package adds to those of package auth.
const (
	Connected    auth.EventKind = "identity_connected"
	Disconnected auth.EventKind = "identity_disconnected"
)

//go:embed templates
var assets embed.FS

// Extension is the login with others. [New] makes it.
type Extension struct {
	options   Options
	app       *retort.App
	auth      *auth.Extension
	accounts  *accounts.Extension
	providers []*source
	now       func() time.Time
}

// New returns the extension.
func New(o Options) *Extension {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	o.Providers = slices.Clone(o.Providers)
	return &Extension{options: o, now: time.Now}
}

// Name returns "oidc".
func (e *Extension) Name() string { return "oidc" }

// Install implements [retort.Extension].
func (e *Extension) Install(app *retort.App) error {
	if e.app != nil {
		return errors.New("oidc: the extension is installed already; make one with oidc.New for each app")
	}
	e.app = app
	var hasAuth, hasPages bool
	e.auth, hasAuth = app.Extension("auth").(*auth.Extension)
	e.accounts, hasPages = app.Extension("accounts").(*accounts.Extension)
	if !hasAuth || !hasPages {
		return errors.New("oidc: install auth.New() and accounts.New() before oidc.New()")
	}
	if e.options.Transport == nil {
		e.options.Transport = http.DefaultTransport
		if t, ok := http.DefaultTransport.(*http.Transport); ok {
			e.options.Transport = t.Clone()
		}
	}
	for _, p := range e.options.Providers {
		if err := e.add(p); err != nil {
			return err
		}
	}
	if e.accounts.SignUp() == accounts.SignUpClosed {
		e.options.NoSignUp = true
	}
	app.Check(e.check)
	e.routes()
	e.accounts.CountWays(e.ways)
	return nil
}

func (e *Extension) routes() {
	b := retort.NewBlueprint("oidc", retort.BlueprintOptions{Prefix: e.options.Prefix, Assets: retort.Embed(assets)})
	b.After(func(c *retort.Ctx) error {
		c.Header().Set("Cache-Control", "no-store")
		c.Header().Set("Referrer-Policy", "no-referrer")
		return nil
	})
	auth.Public(b.Post("/login/with/{provider}", e.begin)).Name("begin")
	auth.Public(b.Get("/login/with/{provider}/callback", e.callback)).Name("callback")
	b.Get("/logins", e.settings).Name("settings").Use(auth.RequireFresh)
	b.Post("/logins/{provider}/connect", e.connect).Name("connect").Use(auth.RequireFresh)
	b.Post("/logins/{id}/disconnect", e.disconnect).Name("disconnect").Use(auth.RequireFresh)
	e.app.Register(b)
	for _, s := range e.providers {
		e.accounts.OfferLogin(accounts.Offer{
			Label: "Log in with {provider}", Params: []any{"provider", s.Label}, Route: "oidc.begin", Values: []any{"provider", s.Name},
			Post: true, SignsUp: !e.options.NoSignUp,
		})
	}
	e.accounts.OfferSetting(accounts.Offer{Label: "Logins elsewhere", Route: "oidc.settings"})
}

var providerName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// add reads the settings of a provider and takes it into the list, unless it has no
// client ID.
func (e *Extension) add(p Provider) error {
	if !providerName.MatchString(p.Name) {
		return fmt.Errorf("oidc: the provider's name %q must be small letters, digits and underscores, at most 40, a letter first", p.Name)
	}
	if _, err := config.Load(&p, config.Options{Section: "oidc." + p.Name, Allow: []string{"*"}}); err != nil {
		return err
	}
	if p.Label == "" {
		p.Label = p.Name
	}
	if e.provider(p.Name) != nil {
		return fmt.Errorf("oidc: two providers are named %s", p.Name)
	}
	if p.ClientID == "" {
		e.app.Logger().Warn("no login with "+p.Name, "reason", "it has no client ID; set "+p.setting("client_id"))
		return nil
	}
	if err := p.validate(); err != nil {
		return err
	}
	e.providers = append(e.providers, newSource(e, p))
	return nil
}

// setting is the name of the variable of a setting.
func (p *Provider) setting(key string) string {
	return "RETORT_OIDC_" + strings.ToUpper(p.Name) + "_" + strings.ToUpper(key)
}

// own are the parameters that are not a provider's to choose.
var own = []string{
	"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
	"response_mode", "request", "request_uri", "max_age",
}

func (p *Provider) validate() error {
	for name := range maps.Keys(p.Parameters) {
		if slices.Contains(own, name) {
			return fmt.Errorf("oidc: provider %s: Parameters must not have %s, which this package sends itself", p.Name, name)
		}
	}
	if p.Issuer == "" {
		return fmt.Errorf("oidc: provider %s has no issuer; set Provider.Issuer or %s", p.Name, p.setting("issuer"))
	}
	addresses := []string{p.Issuer}
	if p.OAuth2 != nil {
		if p.OAuth2.Profile == nil {
			return fmt.Errorf("oidc: provider %s: OAuth2 has no Profile", p.Name)
		}
		addresses = append(addresses, p.OAuth2.AuthURL, p.OAuth2.TokenURL)
	}
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
			return fmt.Errorf("oidc: provider %s: %q is no https address", p.Name, address)
		}
		if strings.ContainsAny(address, "{}") {
			return fmt.Errorf("oidc: provider %s: put the name in the place of {…} in %q", p.Name, address)
		}
	}
	return nil
}

// provider returns the provider of a name, or nil.
func (e *Extension) provider(name string) *source {
	for _, s := range e.providers {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// check tells of providers that visitors cannot log in with.
func (e *Extension) check(_ context.Context, app *retort.App, _ bool) (found []retort.Finding) {
	for _, p := range e.options.Providers {
		if e.provider(p.Name) == nil {
			found = append(found, retort.Finding{
				ID: "oidc.client_id", Level: retort.LevelWarning, Message: "nobody can log in with " + p.Name + ": it has no client ID",
				Hint: "set " + p.setting("client_id") + " and " + p.setting("client_secret"),
			})
		}
	}
	cfg := app.Config()
	if len(e.providers) > 0 && cfg.BaseURL == "" && (len(cfg.Hosts) == 0 || slices.Contains(cfg.Hosts, "*")) {
		found = append(found, retort.Finding{
			ID: "oidc.base_url", Level: retort.LevelWarning, Message: "logins with others cannot begin outside of debug mode: the site does not know its address",
			Hint: "set RETORT_BASE_URL",
		})
	}
	return found
}
