package form

import (
	"embed"

	"github.com/retort-web/retort"
)

//go:embed static
var assets embed.FS

// Config is what all forms of an app have in common.
type Config struct {
	// Theme has the templates and classes of forms. Default: those of this package.
	Theme Theme
	// Locale gives the language of a request's visitor; nil is English. It is asked once
	// for a request, when the first text is needed, and all of the site speaks it.
	Locale func(c *retort.Ctx) Locale
}

// Extension gives an app's forms a common look, and the whole site the language of its
// visitors, see [Locale]. It serves a style sheet and script for forms as "form/form.css" and
// "form/form.js". Forms work without it.
//
//	app.Install(form.New(form.Config{Theme: form.Theme{Field: "field.html"}}))
type Extension struct{ config Config }

// New makes the extension.
func New(config ...Config) *Extension {
	e := &Extension{}
	if len(config) > 0 {
		e.config = config[0]
		t := &e.config.Theme
		t.plain = t.Form == "" && t.Field == "" && len(t.Widgets) == 0 && t.LabelSuffix == "" && t.RequiredClass == "" && t.InvalidClass == ""
	}
	return e
}

// Name returns "form".
func (e *Extension) Name() string { return "form" }

// Install implements [retort.Extension].
func (e *Extension) Install(app *retort.App) error {
	app.Register(retort.NewBlueprint("form", retort.BlueprintOptions{Assets: retort.Embed(assets)}))
	if e.config.Locale != nil {
		SetLocale(app, e.config.Locale)
	}
	return nil
}

// common takes over what the app's extension says.
func (f *core) common() {
	f.locale = localeOf(f.c)
	if e, ok := f.c.App().Extension("form").(*Extension); ok {
		f.theme = &e.config.Theme
	}
}
