package retort

import (
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/retort-web/retort/config"
)

// Handler answers a request. What it returns as an error is answered by the
// error handlers.
type Handler func(c *Ctx) error

// Middleware wraps a handler in another: around every request of the app, of
// a blueprint, or of one route.
type Middleware func(next Handler) Handler

// scope is what an app and a blueprint have in common: a set of routes with
// middleware, hooks and error handlers.
type scope struct {
	sealed     atomic.Bool // an app that has it was prepared
	middleware []Middleware
	routes     []*Route
	before     []Handler
	after      []Handler
	teardown   []func(c *Ctx, err error)
	statuses   map[int]ErrorHandler
	types      []typeHandler
	context    []func(c *Ctx) map[string]any
	blueprints []registration
}

// Route is one registered route, to be described further:
//
//	app.Get("/posts/{id:int}", show).Name("post")
type Route struct {
	scope       *scope
	methods     []string
	pattern     string
	host        string
	name        string
	where       string
	handler     Handler
	middleware  []Middleware
	disableCSRF bool
	limits      *Limits
	values      map[any]any
}

// Get registers a handler for GET, and HEAD, on a pattern. See package router
// for the language of patterns.
func (s *scope) Get(pattern string, h Handler) *Route { return s.route(pattern, h, http.MethodGet) }

// Post registers a handler for POST.
func (s *scope) Post(pattern string, h Handler) *Route { return s.route(pattern, h, http.MethodPost) }

// Put registers a handler for PUT.
func (s *scope) Put(pattern string, h Handler) *Route { return s.route(pattern, h, http.MethodPut) }

// Patch registers a handler for PATCH.
func (s *scope) Patch(pattern string, h Handler) *Route {
	return s.route(pattern, h, http.MethodPatch)
}

// Delete registers a handler for DELETE.
func (s *scope) Delete(pattern string, h Handler) *Route {
	return s.route(pattern, h, http.MethodDelete)
}

// Any registers a handler for every method.
func (s *scope) Any(pattern string, h Handler) *Route { return s.route(pattern, h) }

// Methods registers a handler for the methods named.
func (s *scope) Methods(methods []string, pattern string, h Handler) *Route {
	return s.route(pattern, h, methods...)
}

// Handle registers any [http.Handler] on a pattern, for the methods named or
// for all. The handler finds the route's parameters by r.PathValue, and the
// Ctx by [From].
func (s *scope) Handle(pattern string, h http.Handler, methods ...string) *Route {
	if h == nil {
		panic("retort: Handle " + pattern + ": the handler is nil")
	}
	return s.route(pattern, fromHTTP(h, true), methods...)
}

// Mount gives everything below a prefix to any [http.Handler], which sees the
// path without the prefix: another router, a file server, another app. The
// check of forged requests is left to it.
func (s *scope) Mount(prefix string, h http.Handler) *Route {
	prefix = strings.TrimSuffix(prefix, "/")
	if h == nil {
		panic("retort: Mount " + prefix + ": the handler is nil")
	}
	mounted := fromHTTP(http.StripPrefix(prefix, h), false)
	if strings.ContainsRune(prefix, '{') {
		mounted = fromHTTP(stripVariablePrefix(h), false)
	}
	if prefix != "" {
		s.route(prefix+"/", mounted).disableCSRF = true
	} else {
		s.route("/", mounted).disableCSRF = true
	}
	r := s.route(prefix+"/{"+mountRest+":path}", mounted)
	r.disableCSRF = true
	return r
}

// mountRest is the parameter that holds the path below a mounted handler.
const mountRest = "retort_rest"

// stripVariablePrefix is http.StripPrefix for a prefix with variables in it:
// what remains is what the route matched as the rest.
func stripVariablePrefix(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r2 := r.Clone(r.Context())
		r2.URL.Path, r2.URL.RawPath = "/"+r.PathValue(mountRest), ""
		h.ServeHTTP(w, r2)
	})
}

func (s *scope) route(pattern string, h Handler, methods ...string) *Route {
	s.mustNotBeFrozen("a route")
	if h == nil {
		panic("retort: route " + pattern + ": the handler is nil")
	}
	upper := make([]string, len(methods))
	for i, m := range methods {
		upper[i] = strings.ToUpper(m)
	}
	r := &Route{scope: s, methods: upper, pattern: pattern, handler: h, where: callerPlace()}
	s.routes = append(s.routes, r)
	return r
}

// callerPlace returns file:line of the first caller outside this package.
func callerPlace() string {
	file, line := callerOutside()
	if file == "" {
		return "unknown place"
	}
	return filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file) + ":" + strconv.Itoa(line)
}

// callerOutside returns the first caller that is not part of this package; its
// own tests count as outside.
func callerOutside() (file string, line int) {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		inside := strings.HasPrefix(f.Function, packagePath+".") && !strings.HasSuffix(f.File, "_test.go")
		if f.File != "" && !inside {
			return f.File, f.Line
		}
		if !more {
			return "", 0
		}
	}
}

const packagePath = "github.com/retort-web/retort"

func (s *scope) mustNotBeFrozen(what string) {
	if s.sealed.Load() {
		panic(fmt.Sprintf("retort: %s was added at %s after the app had started; add it before the first request", what, callerPlace()))
	}
}

// Name names the route for [Ctx.URL]; inside a blueprint the blueprint's name
// and a dot come before it.
func (r *Route) Name(name string) *Route {
	r.scope.mustNotBeFrozen("a route's name")
	if name == "" || strings.ContainsAny(name, ". ") {
		panic(fmt.Sprintf("retort: route name %q at %s must not be empty nor hold dots or spaces", name, callerPlace()))
	}
	r.name = name
	return r
}

// Host limits the route to a host, "api.example.com", or to a pattern of
// hosts, "{tenant}.example.com", whose variables are parameters.
func (r *Route) Host(host string) *Route {
	r.scope.mustNotBeFrozen("a route's host")
	r.host = host
	return r
}

// Use wraps this route alone; the first is the outermost.
func (r *Route) Use(middleware ...Middleware) *Route {
	r.scope.mustNotBeFrozen("middleware")
	r.middleware = append(r.middleware, middleware...)
	return r
}

// DisableCSRF lets cross-site requests reach the route: for a webhook or an
// API that never looks at cookies.
func (r *Route) DisableCSRF() *Route {
	r.scope.mustNotBeFrozen("a route's setting")
	r.disableCSRF = true
	return r
}

// Mark keeps a value with the route, for the hooks and middleware that judge
// requests by where they go: see [Ctx.RouteMark]. Batteries use keys of types of
// their own.
func (r *Route) Mark(key, value any) *Route {
	r.scope.mustNotBeFrozen("a mark of a route")
	if r.values == nil {
		r.values = map[any]any{}
	}
	r.values[key] = value
	return r
}

// BodyLimit sets how many bytes the body of a request to this route may have,
// in place of [Limits].Body.
func (r *Route) BodyLimit(n config.Size) *Route {
	return r.Limits(Limits{Body: n})
}

// Limits sets the limits of this route; zero fields keep the app's.
func (r *Route) Limits(l Limits) *Route {
	r.scope.mustNotBeFrozen("a route's limit")
	r.limits = &l
	return r
}

// or returns l with the zero fields taken from base.
func (l Limits) or(base Limits) Limits {
	if l.Body == 0 {
		l.Body = base.Body
	}
	if l.FormFields == 0 {
		l.FormFields = base.FormFields
	}
	if l.FormMemory == 0 {
		l.FormMemory = base.FormMemory
	}
	if l.Parts == 0 {
		l.Parts = base.Parts
	}
	if l.Files == 0 {
		l.Files = base.Files
	}
	if l.JSONDepth == 0 {
		l.JSONDepth = base.JSONDepth
	}
	return l
}
