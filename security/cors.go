package security

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/retort-web/retort"
)

// CORSOptions say which pages of other sites may call an address by script and
// read the answer.
type CORSOptions struct {
	// Origins that may: "https://app.example.com", "https://*.example.com" for
	// its subdomains (one or more levels, not itself), "*" for all.
	Origins []string
	// OriginFunc is asked about those that are not among Origins. Default: nil.
	OriginFunc func(c *retort.Ctx, origin string) bool
	// Methods that may be used. Default: GET, HEAD, POST, PUT, PATCH, DELETE.
	Methods []string
	// Headers that may be sent beside the harmless ones. Default: Content-Type and
	// Authorization.
	Headers []string
	// Expose are headers of the answer that scripts may read. Default: none but
	// the harmless ones.
	Expose []string
	// Credentials lets cookies be sent along. It cannot be combined with the
	// origin "*". The origins must be among [retort.Config].TrustedOrigins as
	// well, if they are to send more than GET.
	Credentials bool
	// MaxAge is how long a browser remembers what it may do. Default: 10 minutes.
	MaxAge time.Duration
	// PrivateNetwork lets pages of the public net call a site in a private one.
	PrivateNetwork bool
}

// CORS answers scripts of other sites (Fetch Standard, section 3.2). Put it
// before other middleware of the app, a blueprint or a route: browsers ask first,
// by a preflight request without cookies, which it answers.
//
//	api.Use(security.CORS(security.CORSOptions{Origins: []string{"https://app.example.com"}}))
//
// It panics if the options allow what no site should: cookies from everywhere, or
// the origin "null", which any page can have. Make it while the program starts: it is
// remembered for the command check.
func CORS(o CORSOptions) retort.Middleware {
	p := newCORS(o)
	return ownCORS.add(p.middleware, p)
}

func (p *corsPolicy) middleware(next retort.Handler) retort.Handler {
	return func(c *retort.Ctx) error {
		if p.answer(c) {
			return c.NoContent()
		}
		return next(c)
	}
}

// corsPolicy is CORSOptions made ready.
type corsPolicy struct {
	CORSOptions
	any      bool
	exact    []string
	suffixes []corsSuffix

	methods, headers, expose, maxAge string
}

// corsSuffix is an origin with subdomains: "https://" and ".example.com:8443".
type corsSuffix struct{ scheme, end string }

func newCORS(o CORSOptions) *corsPolicy {
	p := &corsPolicy{CORSOptions: o}
	for _, origin := range o.Origins {
		if origin == "*" {
			p.any = true
			continue
		}
		scheme, host, ok := strings.Cut(origin, "://")
		u, err := url.Parse(strings.Replace(origin, "://*.", "://x.", 1))
		if !ok || err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil || strings.ContainsRune(u.Host, '*') {
			panic("security: CORS: the origin " + strconv.Quote(origin) + " is not one; write scheme and host as in https://app.example.com or https://*.example.com")
		}
		origin = strings.ToLower(origin)
		if end, ok := strings.CutPrefix(strings.ToLower(host), "*"); ok {
			p.suffixes = append(p.suffixes, corsSuffix{strings.ToLower(scheme) + "://", end})
		} else {
			p.exact = append(p.exact, origin)
		}
	}
	if p.any && o.Credentials {
		panic(`security: CORS: the origin "*" with Credentials would let every site act as its visitors; name the origins`)
	}
	if len(o.Origins) == 0 && o.OriginFunc == nil {
		panic("security: CORS: no Origins; name those that may call")
	}
	if len(o.Methods) == 0 {
		o.Methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
	}
	if len(o.Headers) == 0 {
		o.Headers = []string{"Authorization", "Content-Type"}
	}
	if o.MaxAge == 0 {
		o.MaxAge = 10 * time.Minute
	}
	p.methods, p.headers, p.expose = strings.Join(o.Methods, ", "), strings.Join(o.Headers, ", "), strings.Join(o.Expose, ", ")
	p.maxAge = strconv.FormatInt(int64(max(o.MaxAge, 0)/time.Second), 10)
	return p
}

// allows reports whether pages of an origin may call.
func (p *corsPolicy) allows(c *retort.Ctx, origin string) bool {
	if origin == "" || origin == "null" {
		return false
	}
	if p.any {
		return true
	}
	lower := strings.ToLower(origin)
	if slices.Contains(p.exact, lower) {
		return true
	}
	for _, s := range p.suffixes {
		middle, ok := strings.CutPrefix(lower, s.scheme)
		if !ok {
			continue
		}
		if middle, ok = strings.CutSuffix(middle, s.end); ok && middle != "" && !strings.ContainsAny(middle, "/@:?#\\") {
			return true
		}
	}
	return p.OriginFunc != nil && p.OriginFunc(c, origin)
}

// answer adds the headers, and reports whether the request was a preflight, to
// which they are the answer.
func (p *corsPolicy) answer(c *retort.Ctx) bool {
	r := c.Request()
	origin := r.Header.Get("Origin")
	preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" && origin != ""
	// Caches must not give one site the answer to another, nor to none.
	if !p.any || p.Credentials || p.OriginFunc != nil {
		c.Vary("Origin")
	}
	if preflight {
		c.Vary("Access-Control-Request-Method", "Access-Control-Request-Headers")
	}
	if !p.allows(c, origin) {
		return preflight
	}
	h := c.Header()
	if p.any && !p.Credentials {
		origin = "*"
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if p.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if !preflight {
		if p.expose != "" {
			h.Set("Access-Control-Expose-Headers", p.expose)
		}
		return false
	}
	h.Set("Access-Control-Allow-Methods", p.methods)
	h.Set("Access-Control-Allow-Headers", p.headers)
	h.Set("Access-Control-Max-Age", p.maxAge)
	if p.PrivateNetwork && r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		h.Set("Access-Control-Allow-Private-Network", "true")
	}
	return true
}
