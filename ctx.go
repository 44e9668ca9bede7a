package retort

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/router"
	"github.com/retort-web/retort/session"
)

// Ctx is one request and the response being made for it. It is the request's
// [context.Context]: it ends when the client goes away or the handler has
// returned, and carries what the app and its middleware put on it.
//
// A Ctx is made fresh for each request and never reused, and its context never
// changes: see [Ctx.WithContext]. Its methods are for the goroutine that serves
// the request; another goroutine may use it as a context, for as long as it
// likes.
type Ctx struct {
	*exchange
	base   context.Context
	within atomic.Pointer[context.Context] // one below base: see Ctx.SSE
}

// exchange is what all the Ctx of one request share.
//
// It is made for each request, so its size counts: what few requests need is in
// seldom.
type exchange struct {
	first    Ctx // saves its allocation
	app      *App
	request  *http.Request
	late     atomic.Pointer[late]
	body     *limitedBody // nil without a body
	writer   http.ResponseWriter
	response response
	pending  pending
	endpoint *endpoint
	params   router.Params
	query    url.Values
	form     *bind.FormData
	session  *session.Session
	err      error   // what the request failed with, for teardown and the log
	seldom   *seldom // see [exchange.rarely]
	status   int     // for the next answer; 0 is 200
	begun    bool    // the answer's first byte was written, if only to middleware
	closed   bool    // the hooks that run before the header have run
	broken   bool    // the answer failed after it had begun
	saved    bool    // the session was changed when it was committed
}

// seldom is what few requests need.
type seldom struct {
	encoding []string // Content-Encoding of what c.writer writes, set by middleware
	formErr  error
	id       string
	started  time.Time
	deferred []func()

	nonce     string
	preflight string // the Allow of the answer, if CORS middleware gives none
	storeAway bool   // the store of the sessions did not answer
}

// nothing is what a request has that needs none of it. It is never written to.
var nothing seldom

// rarely returns what few requests need, to write to.
func (x *exchange) rarely() *seldom {
	if x.seldom == &nothing {
		x.seldom = new(seldom)
	}
	return x.seldom
}

// setEncoding notes the Content-Encoding that middleware has set.
func (x *exchange) setEncoding(values []string) {
	if values != nil || x.seldom.encoding != nil {
		x.rarely().encoding = values
	}
}

// limits returns those of the route, once it is known, or the app's.
func (x *exchange) limits() *Limits {
	if x.endpoint != nil && x.endpoint.limits != nil {
		return x.endpoint.limits
	}
	return &x.app.config.Limits
}

// newCtx makes the first Ctx of a request.
func newCtx(a *App, w http.ResponseWriter, r *http.Request) *Ctx {
	x := &exchange{app: a, request: r, seldom: &nothing}
	c := &x.first
	c.exchange, c.base = x, r.Context()
	x.response.out, x.response.c = w, c
	x.writer = &x.response
	if r.Body != nil && r.Body != http.NoBody {
		x.body = &limitedBody{x: x, source: r.Body}
		r.Body = x.body
	}
	return c
}

// late is one value put on a request after its start. The list grows only at
// its head and its links never change, so that other goroutines may read it at
// any time. A request has few.
type late struct {
	next       *late
	key, value any
}

// lateValue returns the value last kept under the key.
func (c *Ctx) lateValue(key any) (any, bool) {
	for l := c.late.Load(); l != nil; l = l.next {
		if l.key == key {
			return l.value, true
		}
	}
	return nil, false
}

// App returns the app that serves the request.
func (c *Ctx) App() *App { return c.app }

// Request returns the request as net/http has it. Its body is limited to
// [Limits].Body.
func (c *Ctx) Request() *http.Request { return c.request }

// Writer returns the response as net/http has it. What is written to it is
// sent at once; the After hooks and the session cookie go out with the first
// byte.
func (c *Ctx) Writer() http.ResponseWriter { return c.writer }

// Logger returns the app's logger with the request's id.
func (c *Ctx) Logger() *slog.Logger {
	return c.app.logger.With("request_id", c.RequestID())
}

// WithContext returns a Ctx for the same request whose context is ctx, which is
// derived from this one. Middleware gives it to the next handler:
//
//	ctx, cancel := context.WithTimeout(c, time.Second)
//	defer cancel()
//	return next(c.WithContext(ctx))
//
// The context of the Ctx itself stays as it is, for goroutines that keep it.
func (c *Ctx) WithContext(ctx context.Context) *Ctx {
	return &Ctx{exchange: c.exchange, base: ctx}
}

// context returns the context below the Ctx.
func (c *Ctx) context() context.Context {
	if ctx := c.within.Load(); ctx != nil {
		return *ctx
	}
	return c.base
}

// Deadline is part of [context.Context].
func (c *Ctx) Deadline() (time.Time, bool) { return c.context().Deadline() }

// Done is part of [context.Context].
func (c *Ctx) Done() <-chan struct{} { return c.context().Done() }

// Err is part of [context.Context].
func (c *Ctx) Err() error {
	// Who has the Done of base must not see it closed without an error.
	if err := c.base.Err(); err != nil {
		return err
	}
	return c.context().Err()
}

// Value is part of [context.Context]: a late value, then what the request's
// context holds, then what the app's does.
func (c *Ctx) Value(key any) any {
	if _, ok := key.(ctxKey); ok {
		return c
	}
	if v, ok := c.lateValue(key); ok {
		return v
	}
	if v := c.context().Value(key); v != nil {
		return v
	}
	return c.app.base.Value(key)
}

type ctxKey struct{}

// From returns the Ctx that a context or a request's context belongs to, or
// nil: it is how a mounted [http.Handler] reaches the app it is mounted in.
func From(ctx context.Context) *Ctx {
	c, _ := ctx.Value(ctxKey{}).(*Ctx)
	return c
}

// standard returns the request for code that only knows net/http.
func (c *Ctx) standard() *http.Request { return c.request.WithContext(c) }

// Set keeps a value for the rest of the request, under a name. Templates see
// it; handlers read it with [Get]. Keys that are not strings are for package
// use: see [NewKey].
func (c *Ctx) Set(key string, v any) { c.set(key, v) }

func (c *Ctx) set(key, v any) {
	c.late.Store(&late{next: c.late.Load(), key: key, value: v})
}

// Get returns the value that Set kept under the name, and whether it is there
// and of that type.
func Get[T any](c *Ctx, key string) (T, bool) {
	v, ok := c.Value(key).(T)
	return v, ok
}

// Key is a typed name for a request's value that no other package can guess.
type Key[T any] struct{ name *string }

// NewKey makes a key; the name is shown when a value is missed.
func NewKey[T any](name string) Key[T] { return Key[T]{&name} }

// Set keeps v for the rest of the request.
func (k Key[T]) Set(c *Ctx, v T) { c.set(k, v) }

// Get returns the value kept, and whether there is one. ctx may be the Ctx or
// any context derived from it.
func (k Key[T]) Get(ctx context.Context) (T, bool) {
	v, ok := ctx.Value(k).(T)
	return v, ok
}

// Must returns the value kept, and panics naming the key when there is none.
func (k Key[T]) Must(ctx context.Context) T {
	v, ok := k.Get(ctx)
	if !ok {
		panic("retort: no value " + *k.name + " on this context; is the middleware that sets it installed before?")
	}
	return v
}

// Defer runs fn after the response has been sent, last one first.
func (c *Ctx) Defer(fn func()) {
	s := c.rarely()
	s.deferred = append(s.deferred, fn)
}
