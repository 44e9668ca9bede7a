package retort

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/retort-web/retort/template"
)

// engine is the template engine as the rest of the package sees it: a program
// that never renders does not link what is behind it.
type engine interface {
	render(c *Ctx, dst []byte, name string, data any) ([]byte, error)
	renderString(c *Ctx, dst []byte, source string, data any) ([]byte, error)
	rendered(ctx context.Context, name string, data any) ([]byte, error)
	stream(c *Ctx, w io.Writer, name string, data any) error
	check() []Finding
}

// Render answers with a template. Data is a map, or a struct whose fields are
// the template's variables; templates see also what Set kept, what
// TemplateContext adds, and the functions url, static, csrf_token, csrf_input,
// csp_nonce, flashes and the objects request and session.
//
// Templates of a blueprint are found below its name, "blog/list.html"; one in
// the app's own folder at that place comes first.
func (c *Ctx) Render(name string, data any) error {
	e, err := c.engineFor(name, data)
	if err != nil {
		return err
	}
	return c.answerPage(templateType(name), func(dst []byte) ([]byte, error) { return e.render(c, dst, name, data) })
}

// pageBuffer holds a page until it is sent.
type pageBuffer struct{ data []byte }

var pageBuffers = sync.Pool{New: func() any { return new(pageBuffer) }}

func (b *pageBuffer) release() {
	if cap(b.data) <= maxKept {
		pageBuffers.Put(b)
	}
}

// answerPage answers with what render appends to a buffer.
func (c *Ctx) answerPage(contentType *[1]string, render func(dst []byte) ([]byte, error)) error {
	buf := pageBuffers.Get().(*pageBuffer)
	page, err := render(buf.data[:0])
	if err == nil {
		err = c.answer(contentType, "", page)
	}
	if err != nil {
		buf.release()
		return err
	}
	buf.data = page
	c.pending.buffer = buf
	return nil
}

// engineFor gives the templates to answer with.
func (c *Ctx) engineFor(name string, data any) (engine, error) {
	e, err := c.app.templates()
	if err == nil {
		for _, fn := range c.app.onRender {
			fn(c, name, data)
		}
	}
	return e, err
}

// RenderStream is Render for long pages: it sends the page in pieces of 8 KB
// while the template runs, so that a report of a million rows, read from an
// iter.Seq, takes no more memory than one of ten. The template stops when the
// client has gone.
//
// Until the first piece is sent an error is answered as one of Render is; after
// that it cuts the response, so that the client sees it is incomplete. After
// hooks do not see the body, and what the template puts into the session comes
// too late if a piece has gone.
func (c *Ctx) RenderStream(name string, data any) error {
	e, err := c.engineFor(name, data)
	if err != nil {
		return err
	}
	p := &pageStream{c: c, contentType: templateType(name)[0]}
	err = e.stream(c, p, name, data)
	if err == nil && p.w == nil {
		err = p.start()
	}
	if errors.Is(err, errHeadOnly) {
		return nil
	}
	return err
}

// pageStream begins the response when the first piece of the page is there.
type pageStream struct {
	c           *Ctx
	contentType string
	w           *streamWriter
}

// errHeadOnly ends a page of which only the header is asked for.
var errHeadOnly = errors.New("retort: the request has the method HEAD")

func (p *pageStream) start() (err error) {
	if !p.c.app.config.DisableSecurityHeaders {
		addSecurityHeaders(p.c.writer.Header())
	}
	p.w, err = p.c.startStream(p.contentType)
	return err
}

func (p *pageStream) Write(piece []byte) (int, error) {
	if p.w == nil {
		if err := p.start(); err != nil {
			return 0, err
		}
	}
	if p.c.request.Method == http.MethodHead {
		return 0, errHeadOnly
	}
	return p.w.Write(piece)
}

// RenderString answers with a template given as text, escaped as HTML.
func (c *Ctx) RenderString(source string, data any) error {
	e, err := c.app.templates()
	if err != nil {
		return err
	}
	return c.answerPage(typeHTML, func(dst []byte) ([]byte, error) { return e.renderString(c, dst, source, data) })
}

// Rendered returns what a template makes, for a part of a page. For a mail see
// [App.Rendered].
func (c *Ctx) Rendered(name string, data any) (string, error) {
	e, err := c.app.templates()
	if err != nil {
		return "", err
	}
	b, err := e.render(c, nil, name, data)
	return string(b), err
}

// OnRender runs fn before each template that a handler answers with; tests
// learn from it which template was used with what.
func (a *App) OnRender(fn func(c *Ctx, name string, data any)) {
	a.mustNotBeFrozen("a render hook")
	a.onRender = append(a.onRender, fn)
}

// TemplateFilter adds a filter for templates; see package template for what
// the function may take and return.
func (a *App) TemplateFilter(name string, fn any) {
	a.mustNotBeFrozen("a template filter")
	if a.filters == nil {
		a.filters = map[string]any{}
	}
	a.makeEngine = newEngine
	a.filters[name] = fn
}

// TemplateTest adds a test for templates, a function that gives a bool:
//
//	app.TemplateTest("adult", func(u *User) bool { return u.Age >= 18 })
//
// which templates write as {% if user is adult %}.
func (a *App) TemplateTest(name string, fn any) {
	a.mustNotBeFrozen("a template test")
	if a.tests == nil {
		a.tests = map[string]any{}
	}
	a.makeEngine = newEngine
	a.tests[name] = fn
}

// TemplateTag adds a tag for templates, made by [template.SimpleTag],
// [template.BlockTag] or [template.InclusionTag].
func (a *App) TemplateTag(name string, tag template.Tag) {
	a.mustNotBeFrozen("a template tag")
	if a.tags == nil {
		a.tags = map[string]template.Tag{}
	}
	a.makeEngine = newEngine
	a.tags[name] = tag
}

// TemplateOptions changes how the app's templates are read and shown, before
// the first is: the translator, the time zone, what is undefined, the limits.
// Filters and the like hold what the app has already; a Loader is asked for what
// the app's folders do not have; Contextual and Extensions.Django stay on, as the pages
// of extensions need them.
//
//	app.TemplateOptions(func(o *template.Options) {
//		o.Undefined = template.UndefinedStrict
//		o.Extensions.I18n, o.Translator = true, catalogs
//	})
func (a *App) TemplateOptions(change func(o *template.Options)) {
	a.mustNotBeFrozen("a template option")
	a.makeEngine = newEngine
	a.engineChange = append(a.engineChange, change)
}

// TemplateGlobal adds a value or function that every template sees.
func (a *App) TemplateGlobal(name string, v any) {
	a.mustNotBeFrozen("a template global")
	if a.globals == nil {
		a.globals = map[string]any{}
	}
	a.makeEngine = newEngine
	a.globals[name] = v
}

// TemplateData tells the command check what a template is rendered with, so
// that it finds attributes the types do not have. The example is such as Render
// takes; only its types count, so nil pointers and empty slices will do:
//
//	app.TemplateData("posts/list.html", listPage{})
//	app.TemplateData("posts/post.html", map[string]any{"post": &Post{}})
func (a *App) TemplateData(name string, example any) {
	a.mustNotBeFrozen("the data of a template")
	if a.templateData == nil {
		a.templateData = map[string]any{}
	}
	a.makeEngine = newEngine
	a.templateData[name] = example
}

// templateType is the content type of what a template makes, by its name.
func templateType(name string) *[1]string {
	if t, ok := templateTypes[extension(name)]; ok {
		return t
	}
	return typeHTML
}

var templateTypes = map[string]*[1]string{
	".txt":  {"text/plain; charset=utf-8"},
	".xml":  {"application/xml; charset=utf-8"},
	".svg":  {"image/svg+xml"},
	".json": {"application/json"},
	".js":   {"text/javascript; charset=utf-8"},
	".css":  {"text/css; charset=utf-8"},
	".csv":  {"text/csv; charset=utf-8"},
}

// extension returns the last extension of a template's name; a last ".j2" or
// ".jinja" is not one.
func extension(name string) string {
	for i := len(name) - 1; i >= 0 && name[i] != '/'; i-- {
		if name[i] == '.' {
			if ext := name[i:]; ext != ".j2" && ext != ".jinja" && ext != ".jinja2" {
				return ext
			}
			name = name[:i]
		}
	}
	return ""
}

// templates returns the engine, made at first use.
func (a *App) templates() (engine, error) {
	a.engineOnce.Do(func() {
		if a.engine == nil {
			a.engine, a.engineErr = newEngine(a)
		}
	})
	return a.engine, a.engineErr
}
