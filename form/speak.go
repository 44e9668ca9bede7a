package form

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/template"
)

// SetLocale gives a site the language of its visitors, as [Config].Locale does. It is for
// extensions, from their Install: the last one to call it is asked. locale returns the
// language of a request's visitor, nil for English, and is asked once for a request.
//
// Templates get it by the tags translate, blocktranslate and trans and the functions of
// gettext, unless the app has a translator of its own, and have the variables language and
// right_to_left.
func SetLocale(app *retort.App, locale func(c *retort.Ctx) Locale) {
	app.ExtendContext(func(ctx context.Context) context.Context { return context.WithValue(ctx, localeKey{}, locale) })
	app.OnProblem(speakProblem)
	app.TemplateOptions(func(o *template.Options) {
		o.Extensions.I18n = true
		if o.Translator == nil {
			o.Translator = translator{}
		}
	})
	app.TemplateContext(func(c *retort.Ctx) map[string]any {
		language := Language(c)
		return map[string]any{"language": language, "right_to_left": rightToLeft(language)}
	})
}

// speakProblem puts what is said of an error into the visitor's language. It is asked when
// something has failed already, so that a Locale that fails as well is not asked further.
func speakProblem(c *retort.Ctx, p *retort.Problem) (language string) {
	english := *p
	defer func() {
		if v := recover(); v != nil {
			c.Logger().Error("the page of an error was not translated", "panic", v)
			*p, language = english, "en"
		}
	}()
	l := localeOf(c)
	if l == nil {
		return "en"
	}
	s := speech{c, l}
	p.Title, p.Detail = s.text(p.Title, "", 0, nil), s.detail(p.Detail)
	p.Errors = s.errors(slices.Clone(p.Errors)) // those of the error are not ours to change
	return l.Language()
}

var number = regexp.MustCompile(`\d+`)

// detail is what an error says. One with a number, such as a limit, is known by {n} in its
// place.
func (s speech) detail(english string) string {
	text := s.text(english, "", 0, nil)
	if found := number.FindAllString(english, 2); text == english && len(found) == 1 {
		return s.text(number.ReplaceAllString(english, "{n}"), "", 0, []any{"n", found[0]})
	}
	return text
}

// translator is the [Locale] of a render's context as templates ask for it.
type translator struct{}

// Gettext is part of [template.Translator].
func (translator) Gettext(ctx context.Context, message string) string {
	l := localeOf(ctx)
	if t, ok := l.(template.Translator); ok {
		return t.Gettext(ctx, message)
	}
	return speech{ctx, l}.text(message, "", 0, nil)
}

// NGettext is part of [template.Translator].
func (translator) NGettext(ctx context.Context, singular, plural string, n int) string {
	l := localeOf(ctx)
	if t, ok := l.(template.Translator); ok {
		return t.NGettext(ctx, singular, plural, n)
	}
	return speech{ctx, l}.text(singular, plural, n, nil)
}

// PGettext is part of [template.Translator].
func (translator) PGettext(ctx context.Context, msgctxt, message string) string {
	l := localeOf(ctx)
	if t, ok := l.(template.Translator); ok {
		return t.PGettext(ctx, msgctxt, message)
	}
	return speech{ctx, l}.text(message, "", 0, nil)
}

// NPGettext is part of [template.Translator].
func (translator) NPGettext(ctx context.Context, msgctxt, singular, plural string, n int) string {
	l := localeOf(ctx)
	if t, ok := l.(template.Translator); ok {
		return t.NPGettext(ctx, msgctxt, singular, plural, n)
	}
	return speech{ctx, l}.text(singular, plural, n, nil)
}

// rightToLeft reports whether a language is written so, by its script or, without one, by
// the script that it mostly has.
func rightToLeft(tag string) bool {
	language, rest, _ := strings.Cut(strings.ToLower(tag), "-")
	script, _, _ := strings.Cut(rest, "-")
	switch script {
	case "arab", "hebr", "syrc", "thaa", "nkoo", "adlm":
		return true
	case "latn", "cyrl":
		return false
	}
	switch language {
	case "ar", "arc", "ckb", "dv", "fa", "he", "iw", "ps", "sd", "syr", "ug", "ur", "yi":
		return true
	}
	return false
}

var _ template.Translator = translator{}
