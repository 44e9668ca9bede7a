package retort

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"sort"
	"strings"

	"github.com/retort-web/retort/internal/debugpage"
)

// DebugSection adds a table to the error page of development, such as the SQL
// that ran before the error. Names that look secret are masked.
func (a *App) DebugSection(fn func(c *Ctx) (title string, rows [][2]string)) {
	a.mustNotBeFrozen("a debug section")
	a.sections = append(a.sections, fn)
}

// debugAllowed reports whether the client may see debug pages: the connection,
// and every proxy before it, are on this machine.
func (c *Ctx) debugAllowed() bool {
	if peer, ok := peerAddr(c.request); ok && !peer.IsLoopback() {
		return false
	}
	for _, line := range c.request.Header.Values("X-Forwarded-For") {
		for entry := range strings.SplitSeq(line, ",") {
			if a, ok := parseForwardedAddr(entry); !ok || !a.IsLoopback() {
				return false
			}
		}
	}
	return loopbackName(strings.ToLower(hostname(c.request.Host)))
}

// debugPage answers with the error page of development, if the client may see
// it and takes a page or text; a program gets the problem document.
func (a *App) debugPage(c *Ctx, err error, status int) bool {
	if status < 500 && status != http.StatusNotFound && status != http.StatusMethodNotAllowed || !c.debugAllowed() {
		return false
	}
	if c.errorType() == "application/json" || c.errorType() == "application/problem+json" {
		return false
	}
	page := debugpage.New(status, err, c.request)
	page.Secrets = append([]string{a.config.SecretKey, a.config.DatabaseURL}, a.config.SecretKeyFallbacks...)
	page.LiveReload = true
	var p *panicError
	var located interface {
		TemplateLocation() (name, path string, line int)
	}
	if errors.As(err, &p) {
		page.ErrorType = fmt.Sprintf("panic(%T)", p.value)
		page.Frames = debugpage.FramesFromStack(p.stack)
	} else if c.endpoint != nil {
		page.Frames = debugpage.FunctionFrame(reflect.ValueOf(c.endpoint.route.handler).Pointer())
	}
	if errors.As(err, &located) {
		name, path, line := located.TemplateLocation()
		page.Location = &debugpage.Location{Name: name, Path: path, Line: line}
	}
	if c.endpoint == nil {
		page.Routes = a.tried(c.request)
	}
	page.Sections = c.debugSections()
	h := c.writer.Header()
	for _, name := range []string{"Content-Encoding", "Content-Length", "Etag", "Last-Modified"} {
		delete(h, name)
	}
	h["Content-Security-Policy"] = []string{page.ContentSecurityPolicy()}
	h["Cache-Control"] = []string{"no-store"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	c.status = status
	if c.errorType() == "text/html" && strings.Contains(c.request.Header.Get("Accept"), "html") {
		_ = c.answer(typeHTML, "", page.HTML())
	} else {
		_ = c.answer(typeText, page.Text(), nil)
	}
	c.pending.problem = true
	return true
}

// tried lists the routes that a request did not take, and why.
func (a *App) tried(r *http.Request) []debugpage.Tried {
	var list []debugpage.Tried
	for _, t := range a.router.Explain(r.Method, r.Host, r.URL.Path) {
		list = append(list, debugpage.Tried{Pattern: t.Route.Pattern, Methods: t.Route.Methods, Why: t.Reason})
	}
	return list
}

// debugSections tells what the framework knows of the request.
func (c *Ctx) debugSections() []debugpage.Section {
	var sections []debugpage.Section
	add := func(title string, rows [][2]string) {
		if len(rows) > 0 {
			sections = append(sections, debugpage.Section{Title: title, Rows: rows})
		}
	}
	if c.endpoint != nil {
		rows := [][2]string{{"pattern", c.endpoint.match.Pattern}, {"name", c.endpoint.name}, {"registered at", c.endpoint.route.where}}
		for i := range c.params.Len() {
			name, v := c.params.At(i)
			rows = append(rows, [2]string{"{" + name + "}", v})
		}
		add("Route", rows)
	}
	if c.form != nil {
		var rows [][2]string
		for name, values := range c.form.Values {
			rows = append(rows, [2]string{name, strings.Join(values, ", ")})
		}
		sort.Slice(rows, func(i, j int) bool { return rows[i][0] < rows[j][0] })
		add("Form", rows)
	}
	var rows [][2]string
	for _, v := range c.values {
		if key, ok := v.key.(string); ok {
			rows = append(rows, [2]string{key, fmt.Sprintf("%T", v.value)})
		}
	}
	add("Values", rows)
	if c.session != nil {
		rows = nil
		for _, key := range c.session.Keys() {
			rows = append(rows, [2]string{key, "set"})
		}
		add("Session", rows)
	}
	for _, fn := range c.app.sections {
		add(fn(c))
	}
	return sections
}
