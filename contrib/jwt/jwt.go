package jwt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
)

// Options are the details of [New].
type Options struct {
	// Issuers are others whose tokens are taken. Default: none.
	Issuers []Issuer
	// Issuer is what the site's own tokens name as theirs, and Audience whom they are
	// meant for. Default: base_url, or without one "urn:retort:" and the app's name; and
	// the issuer itself.
	Issuer, Audience string
	// Age is how long own tokens are valid, at most a day. Default: 10 minutes.
	Age time.Duration
	// Leeway is how far the clocks of issuers may be ahead of or behind ours. Default:
	// 30 seconds.
	Leeway time.Duration
	// Timeout bounds each request for keys. Default: 10s.
	Timeout time.Duration
	// Transport sends these requests. Default: a copy of http.DefaultTransport.
	Transport http.RoundTripper
}

// Issuer is another whose tokens are taken. Issuer, Audience, Keys and User are
// required.
type Issuer struct {
	// Issuer is what its tokens name as theirs, exactly.
	Issuer string
	// Audience is what they must name this site, so that tokens for others do not open
	// it.
	Audience string
	// Type is what the header of its tokens must have as typ, such as "at+jwt". Default:
	// whatever it is.
	Type string
	// Keys are those that it signs with: [KeysAt] or [StaticKeys].
	Keys Keys
	// Scopes are the permissions that each scope of a token stands for, as far as its
	// user has them. Others stand for none.
	Scopes map[string][]auth.Permission
	// User returns the user of a token that is right, or [orm.ErrNotFound]:
	// [ByVerifiedEmail], or oidc.UserOf for users who log in with the same issuer.
	User func(ctx context.Context, c *Claims) (*auth.User, error)
}

const (
	// maxToken is the longest token that is read, in bytes.
	maxToken = 8 << 10
	maxAge   = 24 * time.Hour
)

// Extension is the tokens of an app. [New] makes it.
type Extension struct {
	options Options
	app     *retort.App
	issuers map[string]*Issuer
	parser  *jwt.Parser
	now     func() time.Time
	own     ownKeys
}

// New returns the extension.
func New(options ...Options) *Extension {
	e := &Extension{issuers: map[string]*Issuer{}, now: time.Now}
	if len(options) > 0 {
		e.options = options[0]
	}
	for _, d := range []struct {
		value *time.Duration
		usual time.Duration
	}{{&e.options.Age, 10 * time.Minute}, {&e.options.Leeway, 30 * time.Second}, {&e.options.Timeout, 10 * time.Second}} {
		if *d.value == 0 {
			*d.value = d.usual
		}
	}
	// Claims are judged when the issuer is known, and the algorithm by the key.
	e.parser = jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding(), jwt.WithJSONNumber(), jwt.WithValidMethods(algorithms))
	return e
}

// Name returns "jwt".
func (e *Extension) Name() string { return "jwt" }

// Install implements [retort.Extension].
func (e *Extension) Install(app *retort.App) error {
	if e.app != nil {
		return errors.New("jwt: the extension is installed already; make one with jwt.New for each app")
	}
	e.app = app
	if _, ok := app.Extension("auth").(*auth.Extension); !ok {
		return errors.New("jwt: install auth.New() before jwt.New()")
	}
	if e.options.Age < 0 || e.options.Age > maxAge {
		return fmt.Errorf("jwt: Options.Age is %s, and a token that nobody can revoke must end within a day; a program that needs longer has an API token", e.options.Age)
	}
	for _, i := range e.options.Issuers {
		if i.Issuer == "" || i.Audience == "" || i.Keys == nil || i.User == nil {
			return fmt.Errorf("jwt: the issuer %q needs Issuer, Audience, Keys and User", i.Issuer)
		}
		if e.issuers[i.Issuer] != nil {
			return fmt.Errorf("jwt: the issuer %s is there twice", i.Issuer)
		}
		if remote, ok := i.Keys.(*remoteKeys); ok {
			if err := remote.install(e, i.Issuer); err != nil {
				return err
			}
		}
		e.issuers[i.Issuer] = &i
	}
	auth.Public(app.Get("/.well-known/jwks.json", e.publish)).Name("jwt_keys")
	return nil
}

// issuer is what the site's own tokens name as theirs.
func (e *Extension) issuer() string {
	cfg := e.app.Config()
	switch {
	case e.options.Issuer != "":
		return e.options.Issuer
	case cfg.BaseURL != "":
		return cfg.BaseURL
	}
	return "urn:retort:" + cfg.Name
}

func (e *Extension) audience() string {
	if e.options.Audience != "" {
		return e.options.Audience
	}
	return e.issuer()
}
