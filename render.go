package retort

// engine is the template engine as the rest of the package sees it: a program
// that never renders does not link what is behind it.
type engine interface {
	render(c *Ctx, dst []byte, name string, data any) ([]byte, error)
	renderString(c *Ctx, dst []byte, source string, data any) ([]byte, error)
	check() []error
}

// Render answers with a template. Data is a map, or a struct whose fields are
// the template's variables; templates see also what Set kept, what
// TemplateContext adds, and the functions url, static, csrf_token, csrf_input,
// flashes and the objects request and session.
//
// Templates of a blueprint are found below its name, "blog/list.html"; one in
// the app's own folder at that place comes first.
func (c *Ctx) Render(name string, data any) error {
	e, err := c.app.templates()
	if err != nil {
		return err
	}
	for _, fn := range c.app.onRender {
		fn(c, name, data)
	}
	b, err := e.render(c, nil, name, data)
	if err != nil {
		return err
	}
	contentType := typeHTML
	if t, ok := templateTypes[extension(name)]; ok {
		contentType = t
	}
	return c.answer(contentType, "", b)
}

// RenderString answers with a template given as text, escaped as HTML.
func (c *Ctx) RenderString(source string, data any) error {
	e, err := c.app.templates()
	if err != nil {
		return err
	}
	b, err := e.renderString(c, nil, source, data)
	if err != nil {
		return err
	}
	return c.answer(typeHTML, "", b)
}

// Rendered returns what a template makes, for a mail or a part of a page.
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
	a.filters[name] = fn
}

// TemplateGlobal adds a value or function that every template sees.
func (a *App) TemplateGlobal(name string, v any) {
	a.mustNotBeFrozen("a template global")
	if a.globals == nil {
		a.globals = map[string]any{}
	}
	a.globals[name] = v
}

var templateTypes = map[string][]string{
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
