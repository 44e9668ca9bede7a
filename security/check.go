package security

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/config"
)

// rule is something to be wary of in production.
type rule struct {
	id      string
	level   retort.Level
	message string
	hint    string
	found   func(e *Extension, cfg *retort.Config) bool
}

const (
	longSession = 400 * 24 * time.Hour // browsers forget any cookie then
	largeBody   = 100 * config.MB
	shortHSTS   = 180 * 24 * time.Hour
)

// check adds to the command `check --deploy`.
func (e *Extension) check(_ context.Context, app *retort.App, deploy bool) (found []retort.Finding) {
	if !deploy {
		return nil
	}
	cfg := app.Config()
	for _, r := range rules {
		if r.found(e, &cfg) {
			found = append(found, retort.Finding{ID: "security." + r.id, Level: r.level, Message: r.message, Hint: r.hint})
		}
	}
	return found
}

var rules = []rule{
	{
		"redirect", retort.LevelError, "requests over plain http are answered", "unset DisableRedirect, unless a proxy redirects them",
		func(e *Extension, _ *retort.Config) bool { return e.options.DisableRedirect },
	},
	{
		"hsts", retort.LevelError, "browsers are not told to keep to https (HSTS)", "leave HSTS.MaxAge at its default",
		func(e *Extension, _ *retort.Config) bool { return e.hsts == "" },
	},
	{
		"hsts_short", retort.LevelWarning, "HSTS lasts less than half a year", "leave HSTS.MaxAge at its default once https works",
		func(e *Extension, _ *retort.Config) bool {
			return e.hsts != "" && e.options.HSTS.MaxAge > 0 && e.options.HSTS.MaxAge < shortHSTS
		},
	},
	{
		"hsts_subdomains", retort.LevelWarning, "HSTS leaves the subdomains out, from which cookies can be planted over plain http",
		"unset HSTS.ExcludeSubdomains when all subdomains speak https",
		func(e *Extension, _ *retort.Config) bool { return e.hsts != "" && e.options.HSTS.ExcludeSubdomains },
	},
	{
		"csp", retort.LevelError, "pages have no Content-Security-Policy", "unset DisablePolicy; security.Strict is a policy that works",
		func(e *Extension, _ *retort.Config) bool { return e.options.DisablePolicy },
	},
	{
		"csp_scripts", retort.LevelError, "the Content-Security-Policy runs injected scripts: it has 'unsafe-inline', 'unsafe-eval' or a source as wide as https:",
		"put security.Nonce and security.StrictDynamic into script-src, and nonce=\"{{ csp_nonce() }}\" into the pages",
		func(e *Extension, _ *retort.Config) bool {
			return !e.options.DisablePolicy && e.options.Policy.runsAnything()
		},
	},
	{
		"csp_base", retort.LevelError, "the Content-Security-Policy lacks base-uri or object-src, by which an injected tag takes over the page's scripts",
		`add "base-uri": {security.None} and "object-src": {security.None}`,
		func(e *Extension, _ *retort.Config) bool {
			p := e.options.Policy
			return !e.options.DisablePolicy && (p["base-uri"] == nil || p["object-src"] == nil && p["default-src"] == nil)
		},
	},
	{
		"frames", retort.LevelWarning, "any site may show the pages in a frame", `add "frame-ancestors": {security.None} to the policy`,
		func(e *Extension, _ *retort.Config) bool {
			ancestors := e.options.Policy["frame-ancestors"]
			return e.options.DisablePolicy && e.options.FrameOptions == "-" || !e.options.DisablePolicy && (ancestors == nil || slices.Contains(ancestors, "*"))
		},
	},
	{
		"trusted_proxies", retort.LevelError, "trusted_proxies has a network so wide that nearly everyone may say which address they come from",
		"name the proxies' own addresses, or say by proxy_hops how many there are",
		func(_ *Extension, cfg *retort.Config) bool {
			return cfg.ProxyHops == 0 && slices.ContainsFunc(cfg.TrustedProxies, func(s string) bool {
				prefix, err := netip.ParsePrefix(s)
				return err == nil && prefix.Bits() < 8
			})
		},
	},
	{
		"trusted_origins", retort.LevelError, "trusted_origins has an origin without https: whoever is on the way to it may act as any visitor", "use https, or take it out",
		func(_ *Extension, cfg *retort.Config) bool {
			return slices.ContainsFunc(cfg.TrustedOrigins, func(s string) bool { return strings.HasPrefix(s, "http:") })
		},
	},
	{
		"headers", retort.LevelError, "the security headers of the core are off", "unset disable_security_headers; a handler that sets one of them wins anyway",
		func(_ *Extension, cfg *retort.Config) bool { return cfg.DisableSecurityHeaders },
	},
	{
		"session_domain", retort.LevelWarning, "the session cookie goes to all subdomains, each of which can read and replace it", "unset session.domain",
		func(_ *Extension, cfg *retort.Config) bool { return cfg.Session.Domain != "" },
	},
	{
		"session_same_site", retort.LevelWarning, "requests from other sites carry the session cookie", "use lax, unless pages of other sites embed this one",
		func(_ *Extension, cfg *retort.Config) bool { return cfg.Session.SameSite == "none" },
	},
	{
		"session_lifetime", retort.LevelWarning, "a stolen session is good for more than a year", "set session.lifetime to some weeks, or session.absolute_lifetime",
		func(_ *Extension, cfg *retort.Config) bool {
			return cfg.Session.Lifetime > longSession && cfg.Session.AbsoluteLifetime == 0
		},
	},
	{
		"limits_body", retort.LevelWarning, "every route takes bodies of more than 100 MB", "use Route.BodyLimit on the routes that need it",
		func(_ *Extension, cfg *retort.Config) bool { return cfg.Limits.Body > largeBody },
	},
	{
		"server_timeouts", retort.LevelError, "a timeout of the server is off or longer than an hour, so that slow clients hold connections", "set the timeouts of server to some seconds",
		func(_ *Extension, cfg *retort.Config) bool {
			return slices.ContainsFunc([]time.Duration{cfg.Server.ReadHeaderTimeout, cfg.Server.ReadTimeout, cfg.Server.WriteTimeout, cfg.Server.IdleTimeout},
				func(timeout time.Duration) bool { return timeout <= 0 || timeout > time.Hour })
		},
	},
	{
		"limits_form", retort.LevelWarning, "a request may have so many fields, files or levels that reading it costs more than it should",
		"use Route.Limits on the routes that need more than limits.form_fields 10,000, parts 10,000, files 1,000, json_depth 1,000 and form_memory 10MB",
		func(_ *Extension, cfg *retort.Config) bool {
			l := cfg.Limits
			return l.FormFields > 10_000 || l.Parts > 10_000 || l.Files > 1000 || l.JSONDepth > 1000 || l.FormMemory > 10*config.MB
		},
	},
	{
		"server_headers", retort.LevelWarning, "the header of a request may be larger than 1 MB or have more than 1,000 lines", "unset server.max_header_bytes and server.max_headers",
		func(_ *Extension, cfg *retort.Config) bool {
			return cfg.Server.MaxHeaderBytes > config.MB || cfg.Server.MaxHeaders > 1000
		},
	},
	{
		"referrer", retort.LevelWarning, "other sites are told the addresses of the pages that link to them", "leave ReferrerPolicy at its default",
		func(e *Extension, _ *retort.Config) bool {
			return slices.ContainsFunc(strings.Split(e.options.ReferrerPolicy, ","), func(p string) bool {
				p = strings.TrimSpace(p)
				return p == "unsafe-url" || p == "no-referrer-when-downgrade"
			})
		},
	},
	{
		"opener", retort.LevelWarning, "pages of other sites keep a hold on the windows of this one", "leave OpenerPolicy at its default",
		func(e *Extension, _ *retort.Config) bool { return e.options.OpenerPolicy == "unsafe-none" },
	},
	{
		"permissions", retort.LevelWarning, "pages may ask for cameras, microphones and the like", "leave PermissionsPolicy at its default, or name what the site uses",
		func(e *Extension, _ *retort.Config) bool { return e.options.PermissionsPolicy == "-" },
	},
	{
		"cors", retort.LevelError, "scripts of an origin without https may act as any visitor, and so may whoever is on the way to it", "use https in CORSOptions.Origins, or unset Credentials",
		func(e *Extension, _ *retort.Config) bool {
			return slices.ContainsFunc(e.app.Routes(), func(r retort.RouteInfo) bool {
				return slices.ContainsFunc(ownCORS.among(r.Middleware), func(policy *corsPolicy) bool {
					return policy.Credentials && slices.ContainsFunc(policy.Origins, func(o string) bool { return !strings.HasPrefix(strings.ToLower(o), "https://") })
				})
			})
		},
	},
	{
		"log_level", retort.LevelWarning, "the log has what is for developers", "set log_level to info",
		func(_ *Extension, cfg *retort.Config) bool { return cfg.LogLevel == "debug" },
	},
}

// runsAnything reports whether the policy lets scripts run that are not the
// site's. With a nonce or a hash browsers ignore 'unsafe-inline', and with
// 'strict-dynamic' all hosts, which then are for old browsers.
func (p Policy) runsAnything() bool {
	sources, ok := p["script-src"]
	if !ok {
		if sources, ok = p["default-src"]; !ok {
			return true
		}
	}
	guarded := slices.ContainsFunc(sources, func(s string) bool {
		return s == Nonce || strings.HasPrefix(s, "'nonce-") || strings.HasPrefix(s, "'sha")
	})
	strict := slices.Contains(sources, StrictDynamic)
	return slices.ContainsFunc(sources, func(s string) bool {
		switch s {
		case UnsafeEval:
			return true
		case UnsafeInline:
			return !guarded
		case "*", "https:", "http:", "data:", "blob:":
			return !strict
		}
		return false
	})
}
