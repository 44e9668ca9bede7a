// Package security is the gate before an app: what browsers are told about its
// pages, who may call it from elsewhere, and how often.
//
//	app.Install(security.New())
//
// Installed as it is, it sends every request to https and keeps browsers there
// (HSTS), gives each page a strict Content-Security-Policy with a nonce, switches
// off what pages seldom need (Permissions-Policy), and adds its rules to the
// command `check --deploy`.
//
// The rest is put where it is wanted:
//
//	api.Use(security.CORS(security.CORSOptions{Origins: []string{"https://app.example.com"}}))
//	app.Post("/login", login).Use(security.RateLimit(security.RateLimitOptions{
//		Limits: []ratelimit.Limit{ratelimit.PerMinute(5), ratelimit.PerHour(30)},
//	}))
//
// What is not here the core does by itself: it checks the Host, refuses forged
// requests, keeps redirects on the site, and sends X-Content-Type-Options,
// X-Frame-Options, Referrer-Policy and Cross-Origin-Opener-Policy.
package security

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/retort-web/retort"
)

// Options change what [New] makes. The zero value is right for most sites.
type Options struct {
	// DisableRedirect leaves requests over plain http alone. Without it they are
	// redirected to https, in an app that can tell them apart as it has TLS or
	// trusted proxies, and not in debug mode. Health checks and certificates'
	// challenges are answered in any case.
	DisableRedirect bool

	// HTTPPaths are further paths that are answered over plain http; one that
	// ends in a slash stands for all below it.
	HTTPPaths []string

	// HSTS says how long browsers keep to https.
	HSTS HSTS

	// Policy is the Content-Security-Policy of pages that set none themselves.
	// Default: [Strict].
	Policy Policy

	// DisablePolicy sends no Content-Security-Policy.
	DisablePolicy bool

	// RateLimit limits each route of the app by itself, but those that are [Unlimited],
	// static files and health checks. Paths that are no route count together. It has
	// no CountWhen. Default: none.
	RateLimit *RateLimitOptions

	// ReportOnly is a policy that browsers try out: they report what it would
	// block, and block nothing. Default: none.
	ReportOnly Policy

	// ReportPath is where browsers send what a policy has blocked, and where it is
	// logged, bounded in size and number. Default: "", nowhere.
	ReportPath string

	// PermissionsPolicy is the header of that name. Default: no camera,
	// microphone, geolocation, payment, USB and the like. "-" sends none.
	PermissionsPolicy string

	// FrameOptions, ReferrerPolicy and OpenerPolicy are the headers
	// X-Frame-Options, Referrer-Policy and Cross-Origin-Opener-Policy of pages, in
	// place of those of the core: DENY, same-origin and same-origin.
	FrameOptions, ReferrerPolicy, OpenerPolicy string
}

// HSTS is the header Strict-Transport-Security, which browsers believe over https
// only.
type HSTS struct {
	// MaxAge is how long browsers keep to https after a visit. Default: 365
	// days; negative sends no header.
	MaxAge time.Duration
	// ExcludeSubdomains leaves the subdomains out.
	ExcludeSubdomains bool
	// Preload asks to be put on the list that browsers come with, from which
	// a site is not soon removed. See https://hstspreload.org.
	Preload bool
}

const year = 365 * 24 * time.Hour

// defaultPermissions switches off what a page that was taken over could ask a
// visitor for.
const defaultPermissions = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), geolocation=(), gyroscope=(), " +
	"magnetometer=(), microphone=(), midi=(), payment=(), usb=(), xr-spatial-tracking=()"

// Extension is the gate of an app. [New] makes it.
type Extension struct {
	options    Options
	app        *retort.App
	hsts       string
	policy     *compiled
	reportOnly *compiled
	limiter    *limiter
}

// New returns the extension. Install it first, so that what it refuses reaches
// nothing else.
func New(options ...Options) *Extension {
	e := &Extension{}
	if len(options) > 0 {
		e.options = options[0]
	}
	return e
}

// Name returns "security".
func (e *Extension) Name() string { return "security" }

// Install implements [retort.Extension].
func (e *Extension) Install(app *retort.App) error {
	if e.app != nil {
		return errors.New("security: the extension is installed already; make one with security.New for each app")
	}
	e.app = app
	o := &e.options
	e.hsts = o.HSTS.header()
	o.PermissionsPolicy = cmp.Or(o.PermissionsPolicy, defaultPermissions)
	if o.Policy == nil {
		o.Policy = Strict()
	}
	for _, v := range []string{o.PermissionsPolicy, o.FrameOptions, o.ReferrerPolicy, o.OpenerPolicy} {
		if strings.ContainsAny(v, "\r\n\x00") {
			return errors.New("security: a header has a line break")
		}
	}
	if o.ReportPath != "" && !strings.HasPrefix(o.ReportPath, "/") {
		return errors.New("security: ReportPath must begin with a slash")
	}
	var err error
	if !o.DisablePolicy {
		if e.policy, err = o.Policy.compile(o.ReportPath); err != nil {
			return err
		}
	}
	if o.ReportOnly != nil {
		if e.reportOnly, err = o.ReportOnly.compile(o.ReportPath); err != nil {
			return err
		}
	}
	if o.RateLimit != nil {
		if e.limiter, err = newLimiter(*o.RateLimit); err != nil {
			return err
		}
		if o.RateLimit.CountWhen != nil {
			return errors.New("security: Options.RateLimit has no CountWhen; give it to RateLimit on the routes that need it")
		}
		app.Before(e.limiter.before)
	}
	if o.ReportPath != "" {
		app.Post(o.ReportPath, newReports().receive).DisableCSRF().BodyLimit(maxReport)
	}
	if !o.DisableRedirect {
		app.Use(e.redirect)
	}
	app.After(e.headers)
	app.Check(e.check)
	app.Command(e.limitsCommand())
	return nil
}

// headers adds what browsers are told, unless the handler has said it.
func (e *Extension) headers(c *retort.Ctx) error {
	h := c.Header()
	set := func(name, value string) {
		if _, ok := h[name]; !ok && value != "" {
			h[name] = []string{value}
		}
	}
	if e.hsts != "" && c.Secure() {
		set("Strict-Transport-Security", e.hsts)
	}
	if !isPage(c.ResponseType()) {
		return nil
	}
	if e.options.PermissionsPolicy != "-" {
		set("Permissions-Policy", e.options.PermissionsPolicy)
	}
	set("X-Frame-Options", e.options.FrameOptions)
	set("Referrer-Policy", e.options.ReferrerPolicy)
	set("Cross-Origin-Opener-Policy", e.options.OpenerPolicy)
	policy := e.policy
	if own, ok := ownPolicy.Get(c); ok {
		policy = own
	}
	if policy != nil {
		if _, ok := h["Content-Security-Policy"]; !ok {
			h["Content-Security-Policy"] = []string{policy.header(c)}
		}
	}
	if e.reportOnly != nil {
		if _, ok := h["Content-Security-Policy-Report-Only"]; !ok {
			h["Content-Security-Policy-Report-Only"] = []string{e.reportOnly.header(c)}
		}
	}
	return nil
}

// isPage reports whether a browser shows a content type as a document that can run
// scripts.
func isPage(contentType string) bool {
	t, _, _ := strings.Cut(contentType, ";")
	t = strings.TrimSpace(t)
	return strings.EqualFold(t, "text/html") || strings.EqualFold(t, "application/xhtml+xml") ||
		strings.EqualFold(t, "image/svg+xml") || strings.EqualFold(t, "text/xml") || strings.EqualFold(t, "application/xml")
}

var _ retort.Extension = (*Extension)(nil)
