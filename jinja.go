package retort

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"

	"github.com/retort-web/retort/template"
)

// jinja is the engine of package template with the app's templates.
type jinja struct {
	app    *App
	engine *template.Engine
}

func newEngine(a *App) (engine, error) {
	sources, _, err := a.assetSources()
	if err != nil {
		return nil, err
	}
	var loaders []template.Loader
	prefixed := map[string]template.Loader{}
	for _, s := range sources {
		if s.prefix == "" {
			loaders = append(loaders, template.FS(s.fsys))
		} else {
			prefixed[s.prefix[:len(s.prefix)-1]] = template.FS(s.fsys)
		}
	}
	if len(prefixed) > 0 {
		loaders = append(loaders, template.Prefix(prefixed))
	}
	o := template.Options{
		AutoReload: a.config.Debug,
		Filters:    withOwn(nil, a.filters), Tests: withOwn(nil, a.tests), Globals: withOwn(nil, a.globals), Tags: withOwn(templateTags(), a.tags),
		Extensions: template.Extensions{Do: true, LoopControls: true, Django: true, Debug: a.config.Debug},
	}
	for _, change := range a.engineChange {
		change(&o)
	}
	if o.Loader != nil {
		loaders = append(loaders, o.Loader)
	}
	// The pages of extensions are written with Django's filters and in context.
	o.Loader, o.Contextual, o.Extensions.Django = template.Choice(loaders...), true, true
	e, err := template.New(o)
	if err != nil {
		return nil, err
	}
	return &jinja{a, e}, nil
}

// withOwn adds the app's own to what there is.
func withOwn[V any](all, own map[string]V) map[string]V {
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, own)
	return all
}

func (j *jinja) render(c *Ctx, dst []byte, name string, data any) ([]byte, error) {
	t, err := j.get(name)
	if err != nil {
		return nil, err
	}
	return j.run(c, t, dst, data)
}

// rendered renders outside of a page.
func (j *jinja) rendered(ctx context.Context, name string, data any) ([]byte, error) {
	t, err := j.get(name)
	if err != nil {
		return nil, err
	}
	o := outside{ctx, j.app}
	b, err := t.Append(nil, template.Execution{Context: o, Data: data, Globals: func(name string) (any, bool) {
		switch name {
		case "url":
			return template.Func(o.templateURL), true
		case "static":
			return j.app.StaticURL, true
		case "debug":
			return j.app.config.Debug, true
		}
		return nil, false
	}})
	return b, withStack(err)
}

func (j *jinja) stream(c *Ctx, w io.Writer, name string, data any) error {
	t, err := j.get(name)
	if err != nil {
		return err
	}
	_, err = t.Stream(w, j.execution(c, data))
	return withStack(err)
}

func (j *jinja) get(name string) (*template.Template, error) {
	t, err := j.engine.Get(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("retort: template %s: %w; put it into the folder templates", name, err)
	}
	return t, err
}

func (j *jinja) renderString(c *Ctx, dst []byte, source string, data any) ([]byte, error) {
	t, err := j.engine.FromString(source)
	if err != nil {
		return nil, err
	}
	return j.run(c, t, dst, data)
}

func (j *jinja) run(c *Ctx, t *template.Template, dst []byte, data any) ([]byte, error) {
	b, err := t.Append(dst, j.execution(c, data))
	return b, withStack(err)
}

// withStack gives the log and the error page the stack of a panic in a
// template, as they have it for a panic of a handler.
func withStack(err error) error {
	if p, ok := errors.AsType[*template.Panic](err); ok {
		return &panicError{value: err, stack: p.Stack}
	}
	return err
}

// check reads all templates.
func (j *jinja) check() (found []Finding) {
	globals := map[string]any{}
	for _, name := range [...]string{"url", "static", "csrf_token", "csrf_input", "csp_nonce", "flashes", "session", "debug"} {
		globals[name] = nil
	}
	globals["request"] = requestView{}
	problems, err := j.engine.Check(template.CheckOptions{Data: j.app.templateData, Globals: globals})
	if err != nil {
		return []Finding{{ID: "retort.template", Level: LevelError, Message: err.Error()}}
	}
	for _, p := range problems {
		level := LevelError
		if p.Warning {
			level = LevelWarning
		}
		found = append(found, Finding{ID: "retort.template", Level: level, Message: p.String()})
	}
	return found
}

// execution gives a template the request's own names.
func (j *jinja) execution(c *Ctx, data any) template.Execution {
	var added map[string]any
	loaded := false
	return template.Execution{
		Context: c, Data: data,
		Globals: func(name string) (any, bool) {
			if !loaded {
				loaded = true
				added = c.templateContext()
			}
			if v, ok := added[name]; ok {
				return v, true
			}
			if v, ok := c.lateValue(name); ok {
				return v, true
			}
			return c.templateGlobal(name)
		},
	}
}

// templateContext collects what the TemplateContext functions add, the app's
// first, so that a blueprint's win.
func (c *Ctx) templateContext() map[string]any {
	functions := c.scope().context
	if len(functions) == 0 {
		return nil
	}
	all := map[string]any{}
	for _, fn := range functions {
		for k, v := range fn(c) {
			all[k] = v
		}
	}
	return all
}

// templateGlobal returns one of the names every template knows.
func (c *Ctx) templateGlobal(name string) (any, bool) {
	switch name {
	case "url":
		return template.Func(c.templateURL), true
	case "static":
		return c.StaticURL, true
	case "csrf_token":
		return withoutArguments(func() any { return c.CSRFToken() }), true
	case "csrf_input":
		return withoutArguments(func() any { return c.csrfInput() }), true
	case "csp_nonce":
		return withoutArguments(func() any { return c.CSPNonce() }), true
	case "flashes":
		return template.Func(c.templateFlashes), true
	case "session":
		return sessionView{c}, true
	case "request":
		return requestView{
			Method: c.Method(), Path: c.Path(), Root: c.Root(), Query: c.QueryValues(), Host: c.Host(), Secure: c.Secure(),
			Route: c.RouteName(), Params: c.paramMap(),
		}, true
	case "debug":
		return c.app.config.Debug, true
	}
	return nil, false
}

// withoutArguments is a function of templates that is called often: as a template.Func it
// needs no reflection.
func withoutArguments(fn func() any) template.Func {
	return func(call *template.Call) (any, error) {
		if call.NumArgs() > 0 || len(call.Keywords()) > 0 {
			return nil, errors.New("takes no arguments")
		}
		return fn(), nil
	}
}

// templateFlashes is the function flashes of templates, which takes categories.
func (c *Ctx) templateFlashes(call *template.Call) (any, error) {
	if len(call.Keywords()) > 0 {
		return nil, errors.New("takes the names of categories and no keywords")
	}
	var categories []string
	for i := range call.NumArgs() {
		switch category := call.Arg(i).(type) {
		case string:
			categories = append(categories, category)
		case template.Safe:
			categories = append(categories, string(category))
		default:
			return nil, fmt.Errorf("takes the names of categories, not a %T", category)
		}
	}
	return c.Flashes(categories...), nil
}

// templateTags are the tags of Django's that need the request, beside the
// functions of templateGlobal.
func templateTags() map[string]template.Tag {
	return map[string]template.Tag{
		"csrf_token": template.SimpleTag(func(c *template.Call) template.Safe {
			if ctx, ok := c.Context().(*Ctx); ok {
				return ctx.csrfInput()
			}
			return ""
		}),
		"static": template.SimpleTag(func(c *template.Call, path string) (string, error) {
			switch ctx := c.Context().(type) {
			case *Ctx:
				return ctx.app.StaticURL(path)
			case outside:
				return ctx.app.StaticURL(path)
			}
			return "", errors.New("retort: the tag static needs an app")
		}),
		"get_static_prefix": template.SimpleTag(func(c *template.Call) string {
			if ctx, ok := c.Context().(*Ctx); ok {
				return underRoot(ctx.Root(), StaticPrefix)
			}
			return StaticPrefix
		}),
		"url": template.SimpleTag(template.Func(func(c *template.Call) (any, error) {
			switch ctx := c.Context().(type) {
			case *Ctx:
				return ctx.templateURL(c)
			case outside:
				return ctx.templateURL(c)
			}
			return nil, errors.New("retort: the tag url needs an app")
		})),
	}
}

// templateURL is the function url of templates.
func (c *Ctx) templateURL(call *template.Call) (any, error) {
	route, values, err := urlArguments(call)
	if err != nil {
		return nil, err
	}
	return c.URL(route, values...)
}

// outside is the context of a template that makes no page.
type outside struct {
	context.Context
	app *App
}

func (o outside) templateURL(call *template.Call) (any, error) {
	route, values, err := urlArguments(call)
	if err != nil {
		return nil, err
	}
	return o.app.AbsoluteURL(o.Context, route, values...)
}

func urlArguments(call *template.Call) (route string, values []any, err error) {
	route, ok := call.Arg(0).(string)
	if !ok || call.NumArgs() != 1 {
		return "", nil, errors.New("retort: url() takes the name of a route and values by name: url(\"post\", id=post.id)")
	}
	values = make([]any, 0, 8)
	for _, name := range call.Keywords() {
		v, _ := call.Keyword(name)
		values = append(values, name, v)
	}
	return route, values, nil
}

func (c *Ctx) csrfInput() template.Safe {
	return template.Safe(`<input type="hidden" name="` + CSRFField + `" value="` + c.CSRFToken() + `">`)
}

// requestView is what templates see as request.
type requestView struct {
	Method, Path, Root, Host, Route string
	Query                           map[string][]string
	Params                          map[string]string
	Secure                          bool
}

// Arg returns the first value of a query parameter, or "".
func (r requestView) Arg(name string) string {
	if v := r.Query[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (c *Ctx) paramMap() map[string]string {
	m := make(map[string]string, c.params.Len())
	for i := range c.params.Len() {
		name, v := c.params.At(i)
		m[name] = v
	}
	return m
}

// sessionView is what templates see as session.
type sessionView struct{ c *Ctx }

// Get returns a value of the session, or nil.
func (s sessionView) Get(key string) any { return s.c.Session().Get(key) }

// Has reports whether the session has a value of that name.
func (s sessionView) Has(key string) bool { return s.c.Session().Has(key) }
