package retort

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/config"
	"github.com/retort-web/retort/internal/outage"
	"github.com/retort-web/retort/router"
	"github.com/retort-web/retort/session"
	"github.com/retort-web/retort/signing"
	"github.com/retort-web/retort/static"
	"github.com/retort-web/retort/template"
)

// App is a site: an [http.Handler] with a configuration and a command line.
// Make one with [New], describe it, then [App.Run] it. Once it has been
// prepared, by the first request or by Run, it can no longer be described, and
// is safe for concurrent use.
type App struct {
	scope
	config    Config
	report    *config.Report
	configErr error
	logger    *slog.Logger
	dir       string // of the source that called New

	extensions []Extension
	installErr error
	commands   []Command
	checks     []Check
	converters map[string]router.Converter
	onRender   []func(c *Ctx, name string, data any)
	translate  []func(err error) error
	sections   []func(c *Ctx) (title string, rows [][2]string)
	filters    map[string]any
	tests      map[string]any
	tags       map[string]template.Tag
	globals    map[string]any

	templateData map[string]any // examples for the command check
	makeEngine   func(a *App) (engine, error)
	engineChange []func(o *template.Options)

	prepare    sync.Once
	started    atomic.Bool
	prepareErr error
	root       *mounted
	scopes     []*mounted // root first
	router     *router.Router
	entry      Handler
	plainPages plainPages
	onProblem  func(c *Ctx, p *Problem) string
	proxies    trustedProxies
	csrf       *http.CrossOriginProtection
	secretOnce sync.Once
	keys       *signing.Keys
	sessions   *session.Manager
	store      session.Store
	outage     outage.Log // of the store
	files      *static.Files
	engine     engine
	engineOnce sync.Once
	engineErr  error
	base       context.Context

	life             lifecycle
	startOnce        sync.Once
	startErr         error
	startLogged      sync.Once
	stopOnce         sync.Once
	draining         atomic.Bool
	background       sync.WaitGroup
	backgroundCtx    context.Context
	cancelBackground context.CancelFunc
}

// New makes an app. The configuration given in code is overridden by
// retort.toml, .env and the environment; a wrong value there fails [App.Run]
// with its name and what is allowed.
func New(cfg ...Config) *App {
	a := &App{base: context.Background()}
	a.backgroundCtx, a.cancelBackground = context.WithCancel(context.Background())
	if len(cfg) > 0 {
		a.config = cfg[0]
	}
	if file, _ := callerOutside(); file != "" {
		a.dir = filepath.Dir(file)
	}
	a.report, a.configErr = a.config.load()
	a.logger = a.config.logger()
	return a
}

// Config returns the app's configuration, as it is after all sources.
func (a *App) Config() Config { return a.config }

// SetConfig changes the configuration before the app is prepared: it is how a
// command line flag, an extension or a test decides over all other sources.
func (a *App) SetConfig(change func(cfg *Config)) {
	a.mustNotBeFrozen("a setting")
	change(&a.config)
	if a.config.Logger == nil {
		a.logger = a.config.logger()
	}
}

// Logger returns the app's logger.
func (a *App) Logger() *slog.Logger { return a.logger }

// Extension is something that [App.Install] adds to an app: a battery, a
// blueprint, or a part of the user's own site. It may bring routes,
// middleware, hooks, templates, static files, commands and checks, all through
// the app's public methods.
type Extension interface {
	// Name tells extensions apart; two with one name are an error.
	Name() string
	// Install is called once, by App.Install.
	Install(app *App) error
}

// Install adds extensions, in order. An error of one is reported by Run.
func (a *App) Install(extensions ...Extension) {
	a.mustNotBeFrozen("an extension")
	for _, e := range extensions {
		for _, other := range a.extensions {
			if other.Name() == e.Name() {
				a.installErr = errors.Join(a.installErr, fmt.Errorf("retort: two extensions are named %s", e.Name()))
			}
		}
		a.extensions = append(a.extensions, e)
		if err := e.Install(a); err != nil {
			a.installErr = errors.Join(a.installErr, fmt.Errorf("retort: extension %s: %w", e.Name(), err))
		}
	}
}

// Extension returns the installed extension of that name, or nil.
func (a *App) Extension(name string) Extension {
	for _, e := range a.extensions {
		if e.Name() == name {
			return e
		}
	}
	return nil
}

// ExtendContext puts values on the context of every request, command and
// background function: it is how a database connection gets there.
func (a *App) ExtendContext(extend func(ctx context.Context) context.Context) {
	a.base = extend(a.base)
}

// Context returns a context that carries what the app puts on every request's.
func (a *App) Context() context.Context { return a.base }

// withBase returns ctx with the app's values below it.
func (a *App) withBase(ctx context.Context) context.Context { return baseContext{ctx, a} }

type baseContext struct {
	context.Context
	app *App
}

func (b baseContext) Value(key any) any {
	if v := b.Context.Value(key); v != nil {
		return v
	}
	return b.app.base.Value(key)
}

// Converter adds a kind of route variable: Converter("date", …) makes
// "/{day:date}" a pattern. A text that it refuses is tried on the next route.
func (a *App) Converter(name string, c router.Converter) {
	a.mustNotBeFrozen("a converter")
	if a.converters == nil {
		a.converters = map[string]router.Converter{}
	}
	a.converters[name] = c
}

// SessionStore keeps sessions elsewhere than in the encrypted cookie. Packages
// session/dbsession and session/redissession are extensions that call it; a
// program of one process may give it a [session.NewMemoryStore].
func (a *App) SessionStore(s session.Store) {
	a.mustNotBeFrozen("a session store")
	if a.store != nil {
		a.installErr = errors.Join(a.installErr, errors.New("retort: the app is given two session stores; keep one"))
	}
	a.store = s
}

// Keys returns the app's signing keys, for tokens of your own: a link to
// confirm an address, a download that expires. Each purpose has its own key.
func (a *App) Keys() *signing.Keys {
	if err := a.Prepare(); err != nil {
		panic(err)
	}
	return a.keys
}

// Sessions returns what loads and saves the app's sessions. Handlers use
// [Ctx.Session]; this is for what comes without a Ctx, such as a test.
func (a *App) Sessions() *session.Manager {
	if err := a.Prepare(); err != nil {
		panic(err)
	}
	return a.sessions
}

// Prepared reports whether the app has been prepared, so that it can no longer
// be described.
func (a *App) Prepared() bool { return a.sealed.Load() }

// Prepare checks the whole description of the app and makes it ready to
// serve. Run and the first request call it; a test calls it to see the error.
func (a *App) Prepare() error {
	a.prepare.Do(func() {
		a.prepareErr = errors.Join(a.configErr, a.installErr)
		if a.prepareErr == nil {
			a.prepareErr = a.build()
		}
		a.sealed.Store(true)
	})
	return a.prepareErr
}

func (a *App) build() error {
	if a.config.Debug {
		a.config.AccessLog = true // however debug mode was turned on
	}
	a.root = a.place(nil, "", "", "", "the app")
	a.scopes = []*mounted{a.root}
	if err := errors.Join(a.mount(a.root), a.config.checkTLS()); err != nil {
		return err
	}
	var err error
	if a.proxies, err = parseProxies(a.config.TrustedProxies); err != nil {
		return err
	}
	a.proxies.hops = a.config.ProxyHops
	if err := a.buildKeys(); err != nil {
		return err
	}
	a.csrf = http.NewCrossOriginProtection()
	for _, origin := range a.config.TrustedOrigins {
		if err := a.csrf.AddTrustedOrigin(origin); err != nil {
			return fmt.Errorf("retort: trusted origin: %w", err)
		}
	}
	if err := a.buildStatic(); err != nil {
		return err
	}
	if err := errors.Join(a.buildRoutes(), a.addStaticRoute()); err != nil {
		return err
	}
	a.entry = chain(a.dispatch, a.middleware)
	return nil
}

// buildRoutes fills the router with the routes of all scopes. All conflicts
// are reported at once.
func (a *App) buildRoutes() error {
	a.router = router.New(router.Options{Converters: a.converters})
	var errs []error
	for _, m := range a.scopes {
		for _, r := range m.scope.routes {
			e := &endpoint{route: r, mounted: m}
			host := r.host
			if host == "" {
				host = m.host
			}
			if r.name != "" {
				e.name = r.name
				if m.name != "" {
					e.name = m.name + "." + r.name
				}
			}
			if r.limits != nil {
				limits := r.limits.or(a.config.Limits)
				e.limits = &limits
			}
			e.handler = chain(contained(r.handler), r.middleware)
			for p := m; p.parent != nil; p = p.parent {
				e.handler = chain(e.handler, p.scope.middleware)
			}
			pattern := m.prefix + r.pattern
			if m.prefix != "" && r.pattern == "" {
				pattern = m.prefix
			}
			rt, err := a.router.Add(router.Route{
				Methods: r.methods, Host: host, Pattern: pattern, Name: e.name, Value: e, Where: r.where,
			})
			if err != nil {
				errs = append(errs, err)
				continue
			}
			e.match = rt
			errs = append(errs, r.check(rt))
		}
	}
	return errors.Join(errs...)
}

// endpoint is a route at its place.
type endpoint struct {
	route   *Route
	mounted *mounted
	match   *router.Route
	name    string
	handler Handler
	limits  *Limits
}

func (a *App) buildKeys() error {
	keys := append([]string{a.config.SecretKey}, a.config.SecretKeyFallbacks...)
	if a.config.SecretKey == "" {
		keys[0] = signing.NewKey()
	}
	var err error
	if a.keys, err = signing.New(keys...); err != nil {
		return err
	}
	s := a.config.Session
	if a.store == nil {
		a.store = session.NewCookieStore(a.keys, session.CookieOptions{})
	}
	sameSite := map[string]http.SameSite{
		"lax": http.SameSiteLaxMode, "strict": http.SameSiteStrictMode, "none": http.SameSiteNoneMode,
	}
	a.sessions, err = session.NewManager(a.store, session.Options{
		Name: s.Name, Path: s.Path, Domain: s.Domain, Lifetime: s.Lifetime, AbsoluteLifetime: s.AbsoluteLifetime,
		Address: func(r *http.Request) string {
			if address := a.proxies.client(r); address.IsValid() {
				return address.String()
			}
			return ""
		},
		RefreshEachRequest: s.Refresh, SameSite: sameSite[s.SameSite], Partitioned: s.Partitioned,
		Secure: s.SameSite == "none", // which browsers take over TLS only
	})
	return err
}

// bindLimits returns the limits of a request in the words of package bind.
func (l *Limits) bindLimits() bind.Limits {
	return bind.Limits{
		Body: int64(l.Body), FormFields: l.FormFields, FormMemory: int64(l.FormMemory),
		Parts: l.Parts, Files: l.Files, JSONDepth: l.JSONDepth, QueryFields: l.FormFields,
	}
}
