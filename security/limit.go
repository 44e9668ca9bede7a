package security

import (
	"net/netip"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/ratelimit"
)

// RateLimitOptions say how often something may be asked for.
type RateLimitOptions struct {
	// Limits all hold: five a minute, but no more than thirty an hour. Of a request
	// that one of them refuses none is charged. [ratelimit.Parse] reads them from a
	// configuration.
	Limits []ratelimit.Limit

	// LimitsFor returns the limits of a request in place of Limits, as those of what
	// its user has paid for. An empty list does not limit it; one that cannot be
	// counted is an error of the program. Default: nil.
	LimitsFor func(c *retort.Ctx) []ratelimit.Limit

	// Key says whose requests are counted together; "" is not counted at all.
	// Default: [ByAddress].
	Key func(c *retort.Ctx) string

	// Name makes the routes that have this middleware, or another of the same
	// Name and Store, share one quota; it is also the name of the policy in the
	// headers. Default: each route has its own, named "default".
	Name string

	// Methods are those that count. Default: all.
	Methods []string

	// Cost is how much a request counts. Default: 1.
	Cost func(c *retort.Ctx) int

	// CountWhen is asked after the handler, with the status of the answer, whether
	// the request counts after all: failed ones only, for example. Until then it
	// does, so that many at once are no way around. Default: all count.
	CountWhen func(c *retort.Ctx, status int) bool

	// Store counts. Default: one in the memory of this process; see package
	// redislimit for several processes.
	Store ratelimit.Store

	// WhenAway says what is done while the store is away: each process counts for
	// itself, requests pass uncounted, or they are answered 503. Default: each
	// process counts for itself.
	WhenAway ratelimit.WhenAway

	// Detail is what a refused client is told. Default: to try again later.
	Detail string
}

// RateLimit refuses with 429 what comes too often. Answers tell by RateLimit and
// RateLimit-Policy what is left (draft-ietf-httpapi-ratelimit-headers-10), and by
// Retry-After when to come again. It panics if the limits cannot be.
//
// Given to [retort.App].Use it counts the requests of all routes together, also of
// paths that are none: each route by itself is what [Options].RateLimit is for.
//
// Make it while the program starts: it is remembered for the command limits.
func RateLimit(o RateLimitOptions) retort.Middleware {
	l, err := newLimiter(o)
	if err != nil {
		panic(err)
	}
	return ownLimits.add(l.middleware, l)
}

// unlimited is the mark of routes that Options.RateLimit leaves out.
type unlimited struct{}

// Unlimited leaves a route out of [Options].RateLimit: it has no limit, or one of its
// own. It returns the route.
//
//	security.Unlimited(app.Get("/badge.svg", badge))
//	security.Unlimited(app.Post("/login", login)).Use(security.RateLimit(…))
func Unlimited(r *retort.Route) *retort.Route { return r.Mark(unlimited{}, true) }

// ByAddress counts by the client's address, see [retort.Ctx.IP]. Addresses of IPv6
// count by their first 64 bits, since a client has all the others.
func ByAddress(c *retort.Ctx) string {
	address := c.IP()
	if !address.IsValid() {
		return "unknown"
	}
	if address.Is6() {
		return netip.PrefixFrom(address.WithZone(""), 64).Masked().String()
	}
	return address.String()
}

// ByUser counts by the user whom the session belongs to, and by the address for
// visitors nobody has logged in.
func ByUser(c *retort.Ctx) string {
	if user := c.Session().User(); user != "" {
		return "user " + user
	}
	return ByAddress(c)
}
