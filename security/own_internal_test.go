package security

import (
	"runtime"
	"slices"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/ratelimit"
)

// Middleware is known by what it is, without being called: also its copies, and others that
// the same function made are not it.
func TestOwnMiddlewareIsToldApart(t *testing.T) {
	t.Parallel()
	o := RateLimitOptions{Limits: ratelimit.MustParse("5/second")}
	foreign := func(retort.Handler) retort.Handler { panic("called") }
	wrapped := func(next retort.Handler) retort.Handler { return RateLimit(o)(next) }
	var list []retort.Middleware
	for range 100 {
		list = append(list, RateLimit(o), foreign, CORS(CORSOptions{Origins: []string{"https://app.example.com"}}), wrapped, nil)
	}
	// Nothing is known by an address that somebody else has by now.
	runtime.GC()
	list = append(slices.Clone(list), list...)
	limiters, policies := ownLimits.among(list), ownCORS.among(list)
	if len(limiters) != 200 || len(policies) != 200 {
		t.Fatal(len(limiters), len(policies))
	}
	for i := range 100 {
		if slices.Index(limiters, limiters[i]) != i || limiters[i] != limiters[i+100] || slices.Index(policies, policies[i]) != i || policies[i] != policies[i+100] {
			t.Fatal(i)
		}
	}
}
