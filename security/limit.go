package security

import (
	"cmp"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/internal/outage"
	"github.com/retort-web/retort/ratelimit"
)

// RateLimitOptions say how often something may be asked for.
type RateLimitOptions struct {
	// Limits all hold: five a minute, but no more than thirty an hour.
	Limits []ratelimit.Limit

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

	// Store counts. Default: one in the memory of this process; see package
	// redislimit for several processes.
	Store ratelimit.Store

	// FailClosed answers 503 while the store is away. Default: requests pass
	// uncounted, with one log line a minute.
	FailClosed bool

	// Detail is what a refused client is told. Default: to try again later.
	Detail string
}

// RateLimit refuses with 429 what comes too often. Answers tell by RateLimit and
// RateLimit-Policy what is left (draft-ietf-httpapi-ratelimit-headers-10), and by
// Retry-After when to come again. It panics if the limits cannot be.
func RateLimit(o RateLimitOptions) retort.Middleware {
	l := newLimiter(o)
	return func(next retort.Handler) retort.Handler {
		return func(c *retort.Ctx) error {
			if err := l.take(c); err != nil {
				return err
			}
			return next(c)
		}
	}
}

// limiter is RateLimitOptions made ready.
type limiter struct {
	RateLimitOptions
	names  []string // of the policies
	policy string   // the header RateLimit-Policy
	outage outage.Log
}

func newLimiter(o RateLimitOptions) *limiter {
	l := &limiter{RateLimitOptions: o}
	if len(o.Limits) == 0 {
		panic("security: RateLimit: no Limits; give it ratelimit.PerMinute(60) for example")
	}
	if l.Store == nil {
		l.Store = ratelimit.NewMemory(ratelimit.MemoryOptions{})
	}
	if l.Key == nil {
		l.Key = ByAddress
	}
	l.Detail = cmp.Or(o.Detail, "Too many requests. Try again later.")
	name := cmp.Or(o.Name, "default")
	if strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' }) {
		panic("security: RateLimit: the name " + strconv.Quote(name) + " has more than plain characters")
	}
	var policies []string
	for i, limit := range o.Limits {
		if err := limit.Check(); err != nil {
			panic(err)
		}
		if i > 0 {
			name = cmp.Or(o.Name, "default") + "-" + strconv.Itoa(i+1)
		}
		l.names = append(l.names, name)
		policies = append(policies, `"`+name+`";q=`+strconv.Itoa(limit.BurstSize())+`;w=`+ceilSeconds(limit.Interval()*time.Duration(limit.BurstSize())))
	}
	l.policy = strings.Join(policies, ", ")
	return l
}

// take counts a request, and returns an error if it is one too many.
func (l *limiter) take(c *retort.Ctx) error {
	if len(l.Methods) > 0 && !contains(l.Methods, c.Method()) {
		return nil
	}
	whose := l.Key(c)
	if whose == "" {
		return nil
	}
	cost := 1
	if l.Cost != nil {
		cost = l.Cost(c)
	}
	what := l.Name
	if route := c.Route(); what == "" && route != "" {
		what = c.Method() + " " + route
	}
	tightest, place := ratelimit.Result{Remaining: math.MaxInt}, 0
	for i, limit := range l.Limits {
		result, err := l.Store.Take(c, what+" "+strconv.Itoa(i)+" "+whose, limit, cost)
		if err != nil {
			l.outage.Away(c.App().Logger(), "the store of the rate limits is away", err)
			if l.FailClosed {
				return retort.ServiceUnavailable(5*time.Second, "The site cannot count requests at the moment. Try again soon.")
			}
			return nil
		}
		if !result.Allowed || result.Remaining < tightest.Remaining {
			tightest, place = result, i
		}
		if !result.Allowed {
			break
		}
	}
	l.outage.Back(c.App().Logger(), "the store of the rate limits is back")
	h := c.Header()
	h.Set("RateLimit-Policy", l.policy)
	h.Set("RateLimit", `"`+l.names[place]+`";r=`+strconv.Itoa(tightest.Remaining)+`;t=`+ceilSeconds(cmp.Or(tightest.RetryAfter, tightest.Reset)))
	if !tightest.Allowed {
		return retort.TooManyRequests(max(tightest.RetryAfter, time.Second), l.Detail)
	}
	return nil
}

// contains reports whether a method is among those named, in whatever case.
func contains(methods []string, method string) bool {
	for _, m := range methods {
		if strings.EqualFold(m, method) {
			return true
		}
	}
	return false
}

// ceilSeconds writes a duration in whole seconds, rounded up.
func ceilSeconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

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
