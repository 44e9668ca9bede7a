package security

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/internal/counts"
	"github.com/retort-web/retort/ratelimit"
)

// limiter is RateLimitOptions made ready.
type limiter struct {
	RateLimitOptions
	names   []string // of Limits, in the headers
	policy  string   // the header RateLimit-Policy
	counter *counts.Counter
}

func newLimiter(o RateLimitOptions) (*limiter, error) {
	l := &limiter{RateLimitOptions: o, counter: counts.New(o.Store, o.WhenAway)}
	if len(o.Limits) == 0 && o.LimitsFor == nil {
		return nil, errors.New("security: RateLimit: no Limits; give it ratelimit.PerMinute(60) for example")
	}
	if l.Key == nil {
		l.Key = ByAddress
	}
	l.Detail = cmp.Or(o.Detail, "Too many requests. Try again later.")
	if strings.ContainsFunc(o.Name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' }) {
		return nil, fmt.Errorf("security: RateLimit: the name %q has more than plain characters", o.Name)
	}
	for _, limit := range o.Limits {
		if err := limit.Check(); err != nil {
			return nil, err
		}
	}
	l.names, l.policy = l.describe(o.Limits)
	return l, nil
}

// describe writes limits as the headers have them.
func (l *limiter) describe(limits []ratelimit.Limit) (names []string, header string) {
	texts := make([]string, len(limits))
	for i, limit := range limits {
		name := cmp.Or(l.Name, "default")
		if i > 0 {
			name += "-" + strconv.Itoa(i+1)
		}
		window := limit.Window
		if limit.Wait == 0 {
			window = limit.Interval() * time.Duration(limit.BurstSize())
		}
		texts[i] = `"` + name + `";q=` + strconv.Itoa(limit.BurstSize()) + `;w=` + ceilSeconds(window)
		names = append(names, name)
	}
	return names, strings.Join(texts, ", ")
}

// middleware is what RateLimit returns.
func (l *limiter) middleware(next retort.Handler) retort.Handler {
	return func(c *retort.Ctx) error {
		charge, err := l.take(c)
		if err != nil || charge == nil || l.CountWhen == nil {
			if err != nil {
				return err
			}
			return next(c)
		}
		decided := false
		defer func() {
			if !decided { // the handler has panicked
				l.settle(c, charge, http.StatusInternalServerError)
			}
		}()
		err = next(c)
		decided = true
		status := c.ResponseStatus()
		if err != nil {
			status = retort.StatusOf(err)
		}
		l.settle(c, charge, status)
		return err
	}
}

// settle takes back what does not count after all.
func (l *limiter) settle(c *retort.Ctx, t *taking, status int) {
	if !l.CountWhen(c, status) {
		t.Return(c, t.charges...)
	}
}

// before is the limiter as a hook, which counts each route by itself.
func (l *limiter) before(c *retort.Ctx) error {
	if l.leavesOut(c.RouteName(), c.RouteMark(unlimited{})) {
		return nil
	}
	_, err := l.take(c)
	return err
}

// leavesOut reports whether the limit of each route is none for one.
func (l *limiter) leavesOut(name string, mark any) bool {
	return mark != nil || name == "static" || name == "healthz" || name == "readyz"
}

// taking is what a request was charged.
type taking struct {
	counts.Taken
	charges []ratelimit.Charge
}

// take counts a request, and returns an error if it is one too many. It is nil for a
// request that is not limited.
func (l *limiter) take(c *retort.Ctx) (*taking, error) {
	if len(l.Methods) > 0 && !contains(l.Methods, c.Method()) {
		return nil, nil
	}
	limits, names, policy := l.Limits, l.names, l.policy
	if l.LimitsFor != nil {
		if limits = l.LimitsFor(c); len(limits) == 0 {
			return nil, nil
		}
		names, policy = l.describe(limits)
	}
	whose := l.Key(c)
	if whose == "" {
		return nil, nil
	}
	cost := 1
	if l.Cost != nil {
		cost = l.Cost(c)
	}
	what := l.Name
	if route := c.Route(); what == "" && route != "" {
		what = c.Method() + " " + route
	}
	charges := make([]ratelimit.Charge, len(limits))
	for i, limit := range limits {
		charges[i] = ratelimit.Charge{Key: what + " " + strconv.Itoa(i) + " " + whose, Limit: limit, Cost: cost}
	}
	taken, err := l.counter.Take(c, c.App().Logger(), charges...)
	if errors.Is(err, counts.ErrAway) {
		return nil, retort.ServiceUnavailable(5*time.Second, "The site cannot count requests at the moment. Try again soon.")
	}
	if err != nil || taken.Uncounted {
		return nil, err
	}
	h := c.Header()
	h.Set("RateLimit-Policy", policy)
	h.Set("RateLimit", `"`+names[taken.Index]+`";r=`+strconv.Itoa(taken.Remaining)+`;t=`+ceilSeconds(cmp.Or(taken.RetryAfter, taken.Reset)))
	if !taken.Allowed {
		return nil, retort.TooManyRequests(max(taken.RetryAfter, time.Second), l.Detail)
	}
	return &taking{taken, charges}, nil
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
