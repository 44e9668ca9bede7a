package retort

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/retort-web/retort/internal/debugpage"
)

// DebugSection adds a table to the error page of development, such as the SQL
// that ran before the error. Names that look secret are masked.
func (a *App) DebugSection(fn func(c *Ctx) (title string, rows [][2]string)) {
	a.mustNotBeFrozen("a debug section")
	a.sections = append(a.sections, fn)
}

// DebugAllowed reports whether the client may see what is for development only: the
// app is in debug mode, and the connection and every proxy before it are on this
// machine. A proxy need not say that it is one, so what no browser does is taken for
// a sign of it: HTTP/1.0, which nginx has long spoken to those behind it, and a Unix
// socket.
func (c *Ctx) DebugAllowed() bool {
	if !c.app.config.Debug || !c.request.ProtoAtLeast(1, 1) || c.request.Header["Via"] != nil {
		return false
	}
	peer, ok := peerAddr(c.request)
	if ok && !peer.IsLoopback() || !ok && c.request.Header["X-Forwarded-For"] == nil {
		return false
	}
	for _, line := range c.request.Header.Values("X-Forwarded-For") {
		for entry := range strings.SplitSeq(line, ",") {
			if a, ok := parseForwardedAddr(entry); !ok || !a.IsLoopback() {
				return false
			}
		}
	}
	for _, name := range []string{"Forwarded", "X-Real-Ip"} {
		if v := c.request.Header.Get(name); v != "" {
			if a, ok := parseForwardedAddr(v); !ok || !a.IsLoopback() {
				return false
			}
		}
	}
	for _, host := range append(c.request.Header.Values("X-Forwarded-Host"), c.request.Host) {
		if !loopbackName(strings.ToLower(hostname(host))) {
			return false
		}
	}
	return true
}

// debugPage answers with the error page of development, if the client may see
// it and takes a page or text; a program gets the problem document.
func (a *App) debugPage(c *Ctx, err error, status int) bool {
	if status < 500 && status != http.StatusNotFound && status != http.StatusMethodNotAllowed || !c.DebugAllowed() {
		return false
	}
	if c.PrefersJSON() {
		return false
	}
	page := debugpage.New(status, err, c.request)
	page.Secrets = append([]string{a.config.SecretKey, a.config.DatabaseURL}, a.config.SecretKeyFallbacks...)
	page.LiveReload = underDevTool()
	if p, ok := errors.AsType[*panicError](err); ok {
		page.ErrorType = fmt.Sprintf("panic(%T)", p.value)
		page.Frames = debugpage.FramesFromStack(p.stack)
	} else if c.endpoint != nil {
		page.Frames = debugpage.FunctionFrame(reflect.ValueOf(c.endpoint.route.handler).Pointer())
	}
	if located, ok := errors.AsType[interface {
		error
		TemplateLocation() (name, path string, line int)
	}](err); ok {
		name, path, line := located.TemplateLocation()
		page.Location = &debugpage.Location{Name: name, Path: path, Line: line, Source: a.templateSource(name)}
	}
	if c.endpoint == nil {
		page.Routes = a.tried(c.request)
	}
	page.Sections = c.debugSections()
	page.SetHeaders(c.writer.Header())
	delete(c.writer.Header(), "Content-Type") // the answer brings its own
	c.status = status
	if c.errorType() == "text/html" && strings.Contains(c.request.Header.Get("Accept"), "html") {
		_ = c.answer(typeHTML, "", page.HTML())
	} else {
		_ = c.answer(typeText, page.Text(), nil)
	}
	c.pending.problem = true
	return true
}

// underDevTool reports whether the program was started by `retort dev`, which
// serves on another address and reloads pages.
func underDevTool() bool { return os.Getenv("RETORT_DEV") == "1" }

// templateSource returns the text of a template, for an excerpt.
func (a *App) templateSource(name string) string {
	sources, _, err := a.assetSources()
	if err != nil {
		return ""
	}
	for _, s := range sources {
		if below, ok := strings.CutPrefix(name, s.prefix); ok {
			if text, err := fs.ReadFile(s.fsys, below); err == nil {
				return string(text)
			}
		}
	}
	return ""
}

// tried lists the routes that a request did not take, and why.
func (a *App) tried(r *http.Request) []debugpage.Tried {
	attempts := a.router.Explain(r.Method, a.host(r), r.URL.Path)
	// The route that was meant is most likely one that nearly fits.
	for i := range attempts {
		for j := i; j > 0 && attempts[j].Reached > attempts[j-1].Reached; j-- {
			attempts[j], attempts[j-1] = attempts[j-1], attempts[j]
		}
	}
	var list []debugpage.Tried
	for _, t := range attempts {
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
		for _, name := range slices.Sorted(maps.Keys(c.form.Values)) {
			rows = append(rows, [2]string{name, strings.Join(c.form.Values[name], ", ")})
		}
		add("Form", rows)
	}
	var rows [][2]string
	seen := map[string]bool{}
	for l := c.late.Load(); l != nil; l = l.next {
		if key, ok := l.key.(string); ok && !seen[key] {
			seen[key] = true
			rows = append(rows, [2]string{key, fmt.Sprintf("%T", l.value)})
		}
	}
	slices.Reverse(rows)
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
