package retort

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"

	"github.com/retort-web/retort/session"
)

// Before runs fn before each request's handler: the app's in the order they
// were added, also when no route matches, then each blueprint's from the outer
// to the inner. The first that answers or fails ends the request; the After
// hooks still run.
func (s *scope) Before(fn Handler) {
	s.mustNotBeFrozen("a Before hook")
	s.before = append(s.before, fn)
}

// After runs fn when the response is decided and nothing of it has been sent:
// it may change status, header and, unless the response streams, answer anew.
// They run in reverse order, inner blueprints first, also for error pages.
func (s *scope) After(fn Handler) {
	s.mustNotBeFrozen("an After hook")
	s.after = append(s.after, fn)
}

// Teardown runs fn when the response has been sent, with what the request
// failed with or nil. They run in reverse order, all of them, even if one
// panics.
func (s *scope) Teardown(fn func(c *Ctx, err error)) {
	s.mustNotBeFrozen("a Teardown hook")
	s.teardown = append(s.teardown, fn)
}

// TemplateContext adds values to what templates see, made for each request
// that renders. Values given to Render win.
func (s *scope) TemplateContext(fn func(c *Ctx) map[string]any) {
	s.mustNotBeFrozen("a template context")
	s.context = append(s.context, fn)
}

// runAfter runs the After hooks of a request. One that fails replaces the
// answer by an error page, and the rest still run.
func (c *Ctx) runAfter(m *mounted) {
	for _, fn := range m.after {
		if err := c.guard(fn); err != nil {
			if c.begun {
				c.fail(err)
				continue
			}
			c.app.handleError(c, fmt.Errorf("retort: After hook: %w", err))
		}
	}
}

// guard runs a handler or hook and turns its panic into an error.
func (c *Ctx) guard(fn Handler) (err error) {
	defer func() {
		if v := recover(); v != nil {
			if isAbort(v) {
				panic(v)
			}
			err = newPanic(v)
		}
	}()
	return fn(c)
}

// contained makes the middleware around a handler see its panic as an error. For a
// preflight request it stands in for the handler.
func contained(h Handler) Handler {
	return func(c *Ctx) error {
		if allow := c.seldom.preflight; allow != "" {
			return c.allow(allow)
		}
		return c.guard(h)
	}
}

// runTeardown runs what comes after the response.
func (c *Ctx) runTeardown(m *mounted) {
	if c.within.Load() != nil {
		c = c.WithContext(c.base) // what ended with the answer goes on for the hooks
	}
	for i := len(c.seldom.deferred) - 1; i >= 0; i-- {
		c.app.protect("deferred function", c.seldom.deferred[i])
	}
	if c.session != nil {
		err := c.session.Err()
		if err == nil && c.session.Modified() && !c.saved {
			err = session.ErrCommitted
		}
		if err != nil {
			level := slog.LevelError
			if errors.Is(err, session.ErrGone) {
				level = slog.LevelInfo // the visitor's doing
			}
			c.Logger().Log(c, level, "the session", "error", err)
		}
	}
	for _, fn := range m.teardown {
		c.app.protect("Teardown hook", func() { fn(c, c.err) })
	}
	if c.form != nil {
		if err := c.form.Close(); err != nil {
			c.app.logger.Warn("uploaded files were not removed", "error", err)
		}
	}
}

// protect runs fn; a panic in it is logged and goes no further.
func (a *App) protect(what string, fn func()) {
	defer func() {
		if v := recover(); v != nil {
			a.logger.Error("panic in "+what, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	fn()
}

// lifecycle are the hooks around serving.
type lifecycle struct {
	startup  []func(ctx context.Context) error
	ready    []func(addr net.Addr)
	shutdown []func(ctx context.Context) error
	checks   []healthCheck

	healthRoutes bool
}

// OnStartup runs fn before the program serves or runs a command that needs
// the app; an error ends the program.
func (a *App) OnStartup(fn func(ctx context.Context) error) {
	a.mustNotBeFrozen("a startup hook")
	a.life.startup = append(a.life.startup, fn)
}

// OnReady runs fn when the address is listened on.
func (a *App) OnReady(fn func(addr net.Addr)) { a.life.ready = append(a.life.ready, fn) }

// OnShutdown runs fn when the last request has ended, last added first.
func (a *App) OnShutdown(fn func(ctx context.Context) error) {
	a.life.shutdown = append(a.life.shutdown, fn)
}

// Startup runs the startup hooks, once. Run and the test client call it.
func (a *App) Startup(ctx context.Context) error {
	if err := a.Prepare(); err != nil {
		return err
	}
	a.startOnce.Do(func() {
		for _, w := range a.report.Warnings {
			a.logger.Warn("configuration", "problem", w.String())
		}
		for _, fn := range a.life.startup {
			if a.startErr = fn(a.withBase(ctx)); a.startErr != nil {
				return
			}
		}
		a.started.Store(true)
	})
	return a.startErr
}

// Shutdown waits for the goroutines started by [App.Go] and runs the shutdown
// hooks, once; their errors are joined.
func (a *App) Shutdown(ctx context.Context) error {
	var errs []error
	a.stopOnce.Do(func() {
		a.cancelBackground()
		done := make(chan struct{})
		go func() { a.background.Wait(); close(done) }()
		select {
		case <-done:
		case <-ctx.Done():
			errs = append(errs, errors.New("retort: background work did not end in time"))
		}
		for _, fn := range slices.Backward(a.life.shutdown) {
			errs = append(errs, a.shutdownHook(ctx, fn))
		}
	})
	return errors.Join(errs...)
}

// shutdownHook runs one hook; a panic in it must not keep the others from
// closing what is theirs.
func (a *App) shutdownHook(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("retort: shutdown hook: %w", newPanic(v))
			a.logger.Error("panic in a shutdown hook", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	return fn(a.withBase(ctx))
}

// Go runs fn in a goroutine that the app knows of: a panic in it is logged and
// not fatal, its context ends when the app shuts down, and shutdown waits for
// it. It is for work that may be lost with the process; a job queue is for the
// rest.
func (a *App) Go(name string, fn func(ctx context.Context)) {
	a.background.Add(1)
	go func() {
		defer a.background.Done()
		a.protect(name, func() { fn(a.withBase(a.backgroundCtx)) })
	}()
}
