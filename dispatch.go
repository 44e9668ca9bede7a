package retort

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"
)

// ServeHTTP answers one request: it makes the app an [http.Handler].
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !a.started.Load() {
		// What starts with the first request outlives it.
		if err := a.Startup(context.WithoutCancel(r.Context())); err != nil {
			a.startLogged.Do(func() { a.logger.Error("the app cannot start", "error", err) })
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
	}
	if a.config.Root != "" {
		r = a.belowRoot(r)
	}
	c := newCtx(a, w, r)
	if a.config.AccessLog {
		c.rarely().started = time.Now()
	}
	defer a.finish(c)
	err := a.checkHost(r)
	if err == nil {
		err = a.entry(c)
	}
	if err != nil {
		a.handleError(c, err)
	}
	if err := c.send(); err != nil {
		c.fail(err)
	}
}

// finish ends a request, also one whose handler panicked. It is deferred, so
// that recover works.
func (a *App) finish(c *Ctx) {
	if v := recover(); v != nil {
		if isAbort(v) {
			c.err = http.ErrAbortHandler
			a.close(c)
			panic(v)
		}
		a.handleError(c, newPanic(v))
		if err := c.send(); err != nil {
			c.fail(err)
		}
	}
	a.close(c)
	if c.broken {
		// Part of the answer has gone and the rest will not come: the
		// connection is cut, so that the client sees it is incomplete.
		panic(http.ErrAbortHandler)
	}
}

// isAbort reports whether a panic is net/http's way to cut a response.
func isAbort(v any) bool {
	err, ok := v.(error)
	return ok && errors.Is(err, http.ErrAbortHandler)
}

func (a *App) close(c *Ctx) {
	if scope := c.scope(); len(scope.teardown) > 0 || c.seldom.deferred != nil || c.form != nil || c.session != nil {
		c.runTeardown(scope)
	}
	if a.config.AccessLog {
		a.logAccess(c)
	}
}

// dispatch finds the route and runs what belongs to it. It is the innermost
// of the app's middleware.
func (a *App) dispatch(c *Ctx) error {
	r := c.request
	result := a.router.Lookup(r.Method, a.host(r), r.URL.Path, r.URL.RawPath, &c.params)
	if result.Route != nil {
		c.endpoint = result.Route.Value.(*endpoint)
	}
	if own := a.root.own; own != nil {
		if done, err := c.runBefore(own); done {
			return err
		}
	}
	if c.endpoint == nil {
		return a.miss(c, result.Allow, result.Redirect)
	}
	if before := c.endpoint.mounted.before; before != nil {
		if done, err := c.runBefore(before); done {
			return err
		}
	}
	if err := a.checkCSRF(c); err != nil {
		return err
	}
	if err := c.endpoint.handler(c); err != nil {
		return err
	}
	if !c.Answered() {
		return fmt.Errorf("retort: the handler of %s (%s) returned without an answer; end it with c.Text, c.NoContent, an error …",
			c.endpoint.match.Pattern, c.endpoint.route.where)
	}
	return nil
}

func (c *Ctx) runBefore(hooks []Handler) (done bool, err error) {
	for _, fn := range hooks {
		if err := fn(c); err != nil {
			return true, err
		}
		if c.Answered() {
			return true, nil
		}
	}
	return false, nil
}

// miss answers a request that no route takes.
func (a *App) miss(c *Ctx, allow, redirect string) error {
	switch {
	case redirect != "":
		if q := c.request.URL.RawQuery; q != "" {
			redirect += "?" + q
		}
		c.Header()["Location"] = []string{escapeLocation(underRoot(c.Root(), redirect))}
		return c.Status(http.StatusPermanentRedirect).answer(nil, "", nil)
	case allow != "" && c.request.Method == http.MethodOptions:
		return a.options(c, allow)
	case allow != "":
		return MethodNotAllowed(allow)
	}
	return errNoRoute
}

// options answers OPTIONS for a path whose routes leave it to us. A preflight
// request of CORS goes through the middleware of the route that it asks for,
// which knows who may call it.
func (a *App) options(c *Ctx, allow string) error {
	r := c.request
	method := first(r.Header["Access-Control-Request-Method"])
	if method == "" || r.Header["Origin"] == nil {
		return c.allow(allow)
	}
	result := a.router.Lookup(method, a.host(r), r.URL.Path, r.URL.RawPath, &c.params)
	if result.Route == nil {
		return c.allow(allow)
	}
	c.endpoint = result.Route.Value.(*endpoint)
	c.rarely().preflight = allow
	return c.endpoint.handler(c)
}

// allow answers OPTIONS.
func (c *Ctx) allow(methods string) error {
	c.Header()["Allow"] = []string{methods}
	return c.answer(nil, "", nil)
}

// errNoRoute is the 404 of a path no route takes; one value, as it is a path
// that scanners take often.
var errNoRoute = &HTTPError{Status: http.StatusNotFound}

// scope returns where the request belongs: its route's blueprint, or the one
// whose prefix it is under.
func (c *Ctx) scope() *mounted {
	if c.endpoint != nil {
		return c.endpoint.mounted
	}
	return c.app.root
}

// panicError is a panic turned into an error.
type panicError struct {
	value any
	stack []byte
}

func newPanic(v any) *panicError { return &panicError{v, debug.Stack()} }

func (p *panicError) Error() string { return fmt.Sprint("panic: ", p.value) }

func (p *panicError) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// HTTPStatus keeps a panic a 500, whatever error it was made of.
func (p *panicError) HTTPStatus() int { return http.StatusInternalServerError }
