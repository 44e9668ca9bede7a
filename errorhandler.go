package retort

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"

	"github.com/retort-web/retort/server"
	"github.com/retort-web/retort/validate"
)

// ErrorHandler answers a request that failed with err.
type ErrorHandler func(c *Ctx, err error) error

// typeHandler is an error handler for errors of a Go type.
type typeHandler struct {
	match  func(err error) bool
	handle ErrorHandler
}

// OnStatus answers errors of a status: one of the [HTTPError] family, and for
// 500 any other error too. A blueprint's comes before the app's.
func (s *scope) OnStatus(status int, fn ErrorHandler) {
	s.mustNotBeFrozen("an error handler")
	if status < 400 || status > 599 {
		panic("retort: OnStatus(" + strconv.Itoa(status) + ") at " + callerPlace() + ": give a status from 400 to 599")
	}
	if s.statuses == nil {
		s.statuses = map[int]ErrorHandler{}
	}
	s.statuses[status] = fn
}

func (s *scope) onError(h typeHandler) {
	s.mustNotBeFrozen("an error handler")
	s.types = append(s.types, h)
}

// ErrorScope is an [App] or a [Blueprint].
type ErrorScope interface{ onError(h typeHandler) }

// OnError answers errors that are of type E by [errors.As]:
//
//	retort.OnError(app, func(c *retort.Ctx, err *orm.NotFoundError) error { … })
//
// An error with a status of its own is given to the handlers of that status
// first, a blueprint's before the app's, then to those of its type.
func OnError[E error](s ErrorScope, fn func(c *Ctx, err E) error) {
	s.onError(typeHandler{
		match: func(err error) bool { _, ok := errors.AsType[E](err); return ok },
		handle: func(c *Ctx, err error) error {
			e, _ := errors.AsType[E](err)
			return fn(c, e)
		},
	})
}

// TranslateError lets an extension say how errors it knows are answered: fn
// returns an error with a status in place of err, such as a [NotFound] that
// wraps it, or nil if err is not its own. Handlers of that status then apply.
func (a *App) TranslateError(fn func(err error) error) {
	a.mustNotBeFrozen("an error translation")
	a.translate = append(a.translate, fn)
}

// translated returns what TranslateError makes of an error that has no status.
func (a *App) translated(err error) error {
	if isHTTPError(err) {
		return err
	}
	for _, fn := range a.translate {
		if known := fn(err); known != nil {
			return known
		}
	}
	return err
}

// handleError answers a request that failed. A handler that fails itself is
// answered by the plain page of a 500.
func (a *App) handleError(c *Ctx, err error) {
	c.err = err
	if c.begun {
		c.fail(err)
		c.broken = true
		return
	}
	if errors.Is(err, context.Canceled) && c.clientGone() {
		// The client has gone; nobody reads the answer.
		c.status = statusClientClosed
		_ = c.answer(nil, "", nil)
		return
	}
	err = a.translated(err)
	status := StatusOf(err)
	if status >= 500 && !isDeliberate(err) {
		a.logError(c, err, status)
	}
	c.pending, c.status = pending{}, 0
	c.clearContent()
	scope := c.scope()
	if c.endpoint == nil {
		scope = a.errorScope(a.host(c.request), c.request.URL.Path)
	}
	detail, fields, header := describe(err, status)
	for name, values := range header {
		c.writer.Header()[name] = values
	}
	if h := findHandler(scope, err, status); h != nil {
		failed := c.guard(func(c *Ctx) error { c.status = status; return h(c, err) })
		switch {
		case failed == nil && c.Answered():
			return
		case failed == nil:
			failed = errors.New("retort: the error handler for " + strconv.Itoa(status) + " returned without an answer")
			fallthrough
		default:
			if c.begun {
				c.fail(failed)
				c.broken = true
				return
			}
			if !errors.Is(err, failed) {
				// The handler fails, or says by an error with a status what err means.
				// A page that asks the database fails for what err is about as well.
				failed = a.translated(failed)
				if err, status = failed, StatusOf(failed); status >= 500 {
					a.logError(c, err, status)
				}
				for name := range header {
					delete(c.writer.Header(), name)
				}
				detail, fields, header = describe(err, status)
			}
			c.pending, c.status = pending{}, 0
			c.clearContent()
			for name, values := range header {
				c.writer.Header()[name] = values
			}
		}
	}
	if a.config.Debug && a.debugPage(c, err, status) {
		return
	}
	if status == http.StatusRequestEntityTooLarge {
		// The rest of the body is not read, so the connection is of no more use.
		c.writer.Header()["Connection"] = []string{"close"}
	}
	c.problem(status, detail, fields)
}

// isDeliberate reports whether an error is a 503 without a cause: an answer that
// somebody decided on, and logs as often as is useful.
func isDeliberate(err error) bool {
	e, ok := errors.AsType[*HTTPError](err)
	return ok && e.Status == http.StatusServiceUnavailable && e.Cause == nil
}

// clearContent takes back what the header says of an answer that an error
// replaces.
func (c *Ctx) clearContent() {
	h := c.writer.Header()
	if len(h) == 0 {
		return
	}
	for _, name := range []string{
		"Accept-Ranges", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length",
		"Content-Location", "Content-Range", "Content-Type", "Etag", "Expires", "Last-Modified", "Location",
	} {
		delete(h, name)
	}
	if _, ok := h["Cache-Control"]; ok {
		h["Cache-Control"] = []string{"no-store"}
	}
	if e := c.seldom.encoding; e != nil {
		h["Content-Encoding"] = e
	}
}

// findHandler finds who answers err: for an error with a status first by
// status, then by type; for any other first by type, then as a 500. Each is
// looked up from the innermost blueprint to the app.
func findHandler(m *mounted, err error, status int) ErrorHandler {
	byStatus := func() ErrorHandler {
		for p := m; p != nil; p = p.parent {
			if h := p.scope.statuses[status]; h != nil {
				return h
			}
		}
		return nil
	}
	byType := func() ErrorHandler {
		for p := m; p != nil; p = p.parent {
			for _, h := range p.scope.types {
				if h.match(err) {
					return h.handle
				}
			}
		}
		return nil
	}
	first, second := byType, byStatus
	if isHTTPError(err) {
		first, second = byStatus, byType
	}
	if h := first(); h != nil {
		return h
	}
	return second()
}

// logError logs an error of ours, with the stack when it was a panic.
func (a *App) logError(c *Ctx, err error, status int) {
	args := []any{
		slog.Int("status", status), slog.String("method", c.request.Method), slog.String("path", server.LoggedPath(c.request.URL.Path)),
		slog.String("request_id", c.RequestID()), slog.Any("error", err),
	}
	if c.endpoint != nil {
		args = append(args, slog.String("route", c.endpoint.match.Pattern))
	}
	if p, ok := errors.AsType[*panicError](err); ok {
		args = append(args, slog.String("stack", string(p.stack)))
	}
	a.logger.Error("request failed", args...)
}

// clientGone reports whether the request itself has ended, and not only a
// context that middleware made for it.
func (c *Ctx) clientGone() bool { return c.first.base.Err() != nil }

// fail notes an error that came when the answer was on its way.
func (c *Ctx) fail(err error) {
	c.err = err
	if !c.clientGone() && !errors.Is(err, context.Canceled) {
		c.app.logError(c, err, StatusOf(err))
	}
}

// Problem is the body of an error for programs (RFC 9457).
type Problem struct {
	Type      string          `json:"type"`
	Title     string          `json:"title"`
	Status    int             `json:"status"`
	Detail    string          `json:"detail,omitempty"`
	Errors    validate.Errors `json:"errors,omitempty"`
	RequestID string          `json:"request_id,omitempty"`
}

var (
	typeProblem  = &[1]string{"application/problem+json"}
	headerAccept = []string{"Accept"}
	errorPolicy  = []string{"default-src 'none'; style-src 'sha256-GyFil4NFhiZLOI3JLOQIR7bPQX03hH9m6Q9mbrA4xOE='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
	errorTypes   = []string{"text/html", "application/json", "application/problem+json", "text/plain"}
)

// OnProblem lets an extension put what is said of an error into the visitor's language,
// where no error handler answers it: fn changes the texts of p and returns the language's
// tag. A later fn takes the place of an earlier one.
func (a *App) OnProblem(fn func(c *Ctx, p *Problem) (language string)) {
	a.mustNotBeFrozen("a translation of problems")
	a.onProblem = fn
}

// problem answers with the plain error page, or the same as JSON or text, by
// what the client accepts. It shows nothing that came with the request.
func (c *Ctx) problem(status int, detail string, fields validate.Errors) {
	c.status = status
	p := Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Errors: fields}
	if status >= 500 {
		p.RequestID = c.RequestID()
	}
	h := c.writer.Header()
	if _, ok := h["Vary"]; ok {
		c.Vary("Accept")
	} else {
		h["Vary"] = headerAccept
	}
	if p.Title == "" {
		p.Title = "Error"
	}
	language := "en"
	if c.app.onProblem != nil {
		language = c.app.onProblem(c, &p)
	}
	switch c.errorType() {
	case "text/html":
		h["Content-Security-Policy"] = errorPolicy
		if p.Detail == "" && p.Errors == nil && p.RequestID == "" && c.app.onProblem == nil {
			_ = c.answer(typeHTML, "", c.app.plainPages.of(&p))
		} else {
			_ = c.answer(typeHTML, "", errorPage(&p, language))
		}
	case "text/plain":
		text := strconv.Itoa(status) + " " + p.Title + "\n"
		if p.Detail != "" {
			text += p.Detail + "\n"
		}
		for _, f := range p.Errors {
			text += f.Field + ": " + f.Message + "\n"
		}
		_ = c.answer(typeText, text, nil)
	default:
		data, err := json.Marshal(&p)
		if err != nil {
			data = []byte(`{"type":"about:blank","title":"Internal Server Error","status":500}`)
		}
		_ = c.answer(typeProblem, "", append(data, '\n'))
	}
	c.pending.problem = true
}

// errorType picks the form of an error: what the client prefers, and where it
// does not mind, JSON for one that sent JSON.
func (c *Ctx) errorType() string {
	accept := c.request.Header.Get("Accept")
	if accept == "" || accept == "*/*" {
		if isJSON(c.request.Header.Get("Content-Type")) {
			return "application/json"
		}
		return "text/html"
	}
	if t := c.Accepts(errorTypes...); t != "" {
		return t
	}
	return "text/plain"
}

// PrefersJSON reports whether the client wants JSON rather than a page: by its Accept
// header, and where it does not mind, if it sent JSON. Errors are answered by the same
// rule. An answer that depends on it needs [Ctx.Vary] with "Accept".
func (c *Ctx) PrefersJSON() bool {
	t := c.errorType()
	return t == "application/json" || t == "application/problem+json"
}

// plainPages are the pages of a status alone, each made once: scanners ask for many
// pages that are not there. They are few, so that a list is searched as fast as a map.
type plainPages struct {
	mu    sync.RWMutex
	pages []plainPage
}

type plainPage struct {
	status int
	page   []byte
}

func (p *plainPages) of(what *Problem) []byte {
	p.mu.RLock()
	pages := p.pages
	p.mu.RUnlock()
	for i := range pages {
		if pages[i].status == what.Status {
			return pages[i].page
		}
	}
	page := errorPage(what, "en")
	p.mu.Lock() // who made the same meanwhile has added it as well, which does no harm
	p.pages = append(p.pages, plainPage{what.Status, page})
	p.mu.Unlock()
	return page
}

// errorStyle is the style sheet of the plain error page, which its policy names
// by hash.
const errorStyle = ":root{color-scheme:light dark}\nbody{font:17px/1.6 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center}\nmain{max-width:34rem;padding:2rem}\nh1{font-size:1.6rem;line-height:1.25;margin:0 0 .6rem}\nspan,small{opacity:.6}\nspan{font-weight:400;margin-inline-end:.35em}\np{margin:.4rem 0}"

// errorPage is the page of an error, complete in itself: it is shown when
// little else works. It has no words but those of the problem, and runs in the
// direction of its title.
func errorPage(p *Problem, language string) []byte {
	b := make([]byte, 0, 2048)
	b = append(b, "<!doctype html>\n<html lang=\""...)
	b = appendEscaped(b, language)
	b = append(b, "\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>"...)
	b = strconv.AppendInt(b, int64(p.Status), 10)
	b = append(b, ' ')
	b = appendEscaped(b, p.Title)
	b = append(b, "</title>\n<style>"...)
	b = append(b, errorStyle...)
	b = append(b, "</style>\n<main dir=\"auto\">\n<h1><span>"...)
	b = strconv.AppendInt(b, int64(p.Status), 10)
	b = append(b, "</span>"...)
	b = appendEscaped(b, p.Title)
	b = append(b, "</h1>\n"...)
	if p.Detail != "" {
		b = append(b, "<p>"...)
		b = appendEscaped(b, p.Detail)
		b = append(b, "</p>\n"...)
	}
	if len(p.Errors) > 0 {
		b = append(b, "<ul>\n"...)
		for i := range p.Errors {
			b = append(b, "<li><b>"...)
			b = appendEscaped(b, p.Errors[i].Field)
			b = append(b, "</b>: "...)
			b = appendEscaped(b, p.Errors[i].Message)
			b = append(b, "</li>\n"...)
		}
		b = append(b, "</ul>\n"...)
	}
	if p.RequestID != "" {
		b = append(b, "<p><small>ID "...)
		b = appendEscaped(b, p.RequestID)
		b = append(b, "</small></p>\n"...)
	}
	return append(b, "</main>\n"...)
}

// appendEscaped appends text escaped for HTML. It is not inlined, as it is called
// often and not in a hurry.
//
//go:noinline
func appendEscaped(b []byte, s string) []byte {
	for i := range len(s) {
		switch s[i] {
		case '&':
			b = append(b, "&amp;"...)
		case '<':
			b = append(b, "&lt;"...)
		case '>':
			b = append(b, "&gt;"...)
		case '"':
			b = append(b, "&#34;"...)
		case '\'':
			b = append(b, "&#39;"...)
		default:
			b = append(b, s[i])
		}
	}
	return b
}
