package retort

import (
	"fmt"
	"net/http"
	"net/url"
)

// Use wraps every request of the app, also one that no route takes, or every
// request of the blueprint's routes. The first is the outermost. A request for
// a host that is not ours does not get that far. A panic of a handler reaches
// the middleware around it as an error.
func (s *scope) Use(middleware ...Middleware) {
	s.mustNotBeFrozen("middleware")
	for _, m := range middleware {
		if m == nil {
			panic("retort: Use at " + callerPlace() + " was given nil")
		}
	}
	s.middleware = append(s.middleware, middleware...)
}

// UseHTTP is Use for middleware written for net/http. What the handlers inside
// it answer, errors too, is written before it gets control back. It must call
// the next handler on its own goroutine and wait for it. [http.TimeoutHandler]
// does not, and is refused with a panic: a deadline on the context does the same.
func (s *scope) UseHTTP(middleware ...func(http.Handler) http.Handler) {
	for _, m := range middleware {
		s.Use(FromHTTP(m))
	}
}

// FromHTTP turns middleware written for net/http into ours, for [Route.Use].
func FromHTTP(middleware func(http.Handler) http.Handler) Middleware {
	where := callerPlace()
	return func(next Handler) Handler {
		// Built once: the request's Ctx comes back out of its context.
		h := middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := From(r.Context())
			if c == nil {
				panic("retort: a net/http middleware replaced the request's context by one that is not derived from it")
			}
			outer, request, encoding := c.writer, c.request, c.seldom.encoding
			defer func() {
				c.writer, c.request = outer, request
				c.setEncoding(encoding)
			}()
			c = c.WithContext(r.Context())
			if w != outer {
				c.writer = &response{out: w, c: c}
				c.setEncoding(w.Header()["Content-Encoding"])
			}
			c.request = r
			// A panic must not pass the middleware, which may hold what was
			// written so far.
			if err := c.guard(next); err != nil {
				c.app.handleError(c, err)
			}
			if err := c.send(); err != nil {
				c.fail(err)
			}
		}))
		if fmt.Sprintf("%T", h) == "*http.timeoutHandler" {
			panic("retort: the http.TimeoutHandler given at " + where + " goes on while its handler still works on the same request; " +
				"use middleware that calls next(c.WithContext(ctx)) with a context.WithTimeout of c")
		}
		return func(c *Ctx) error {
			h.ServeHTTP(c.writer, c.standard())
			return nil
		}
	}
}

// fromHTTP turns a handler written for net/http into ours.
func fromHTTP(h http.Handler, pathValues bool) Handler {
	return func(c *Ctx) error {
		r := c.standard()
		for i := range c.params.Len() {
			if name, v := c.params.At(i); pathValues || name == mountRest {
				r.SetPathValue(name, v)
			}
		}
		if c.form != nil {
			// The check of forged requests has read the body; the handler finds
			// the form where net/http would put it.
			r.PostForm = c.form.Values
			r.Form = url.Values{}
			for _, values := range []url.Values{c.form.Values, c.QueryValues()} {
				for name, list := range values {
					r.Form[name] = append(r.Form[name], list...)
				}
			}
		}
		h.ServeHTTP(c.writer, r)
		if !c.Answered() {
			// net/http's contract: a handler that writes nothing answers 200.
			c.writer.WriteHeader(http.StatusOK)
		}
		return nil
	}
}

// chain wraps h so that the first middleware is the outermost.
func chain(h Handler, middleware []Middleware) Handler {
	for i := len(middleware) - 1; i >= 0; i-- {
		h = middleware[i](h)
	}
	return h
}
