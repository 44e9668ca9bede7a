package form

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/validate"
)

// Locale is the language of a visitor. A program gives it to [New] by [Config].Locale, or
// an extension to [SetLocale], and then not only forms speak it but the whole site:
// templates by their tags and functions for that, the pages and mails of accounts and
// other batteries, flashes made with [Translate], and what errors say. Without one all of
// it is English.
//
// Numbers and dates are localized where the widget is a [Text]: the inputs that
// browsers have for numbers and dates are localized by them and always send and take
// the plain form.
type Locale interface {
	// Language is the language's tag, "de" or "pt-BR": for the attribute lang of pages,
	// by which screen readers choose a voice.
	Language() string
	// Text returns an English text in the visitor's language, as it is if it is not
	// known. Everything that a form shows goes through it: labels, helps, choices, the
	// sentences of errors, which [validate.Template] has by code and parameters, and the
	// words that this package adds. What stands in braces, "at least {min}", is filled in
	// afterwards; in texts of templates "%(name)s" is, and a percent sign is doubled.
	// Texts that count something come with the English plural in other and the number; of
	// the rest other is empty. What joins words into a sentence is a text as well, for
	// languages that do it otherwise: "{label} {message}", "{sentence}.". A text may come again when it is translated already, and is
	// not known then.
	//
	// A Locale that is a [template.Translator] as well is asked as such for the texts of
	// templates, which may have a context.
	Text(ctx context.Context, text, other string, n int) string
	// Parse turns what was typed into the plain form: "1.234,5" into "1234.5",
	// "31.1.2026" into "2026-01-31". Kind is "number", "date", "time" or
	// "local-date-time". What it does not understand is refused as it is: ok is false.
	Parse(ctx context.Context, kind, text string) (plain string, ok bool)
	// Format turns the plain form into what the visitor would type.
	Format(ctx context.Context, kind, plain string) string
}

type localeKey struct{}

// WithLocale gives what is made with the context a language, before [SetLocale]: a
// mail that a job sends in the language of whom it is for.
func WithLocale(ctx context.Context, l Locale) context.Context {
	return context.WithValue(ctx, localeKey{}, l)
}

// askedLocale keeps what the function of [SetLocale] gave for a request, nil or not: a page has dozens of
// texts.
var askedLocale = retort.NewKey[*Locale]("the visitor's language")

// localeOf returns the language of a context: that of [WithLocale], or by [SetLocale] of the
// request that the context belongs to. It is nil for English.
func localeOf(ctx context.Context) Locale {
	switch l := ctx.Value(localeKey{}).(type) {
	case Locale:
		return l
	case func(c *retort.Ctx) Locale:
		c := retort.From(ctx)
		if c == nil {
			return nil
		}
		if asked, ok := askedLocale.Get(c); ok {
			return *asked
		}
		locale := l(c)
		askedLocale.Set(c, &locale)
		return locale
	}
	return nil
}

// Language returns the tag of the visitor's language, "en" without a [Locale].
func Language(ctx context.Context) string {
	if l := localeOf(ctx); l != nil {
		return l.Language()
	}
	return "en"
}

// Translate returns an English text in the language of the request that the context belongs
// to, which the app's [Config] or [WithLocale] has, for pages and messages around a form.
// Without one it is the text itself. What stands in braces is filled in from params, which
// are pairs of a name and a value:
//
//	c.Flash("success", form.Translate(c, "{title} was saved.", "title", post.Title))
func Translate(ctx context.Context, english string, params ...any) string {
	return speech{ctx, localeOf(ctx)}.text(english, "", 0, params)
}

// TranslatePlural is [Translate] for a text that counts something: one is the English text
// for a single thing, and other for any other number, which both have as {n}:
//
//	form.TranslatePlural(c, "{n} row was deleted.", "{n} rows were deleted.", n)
func TranslatePlural(ctx context.Context, one, other string, n int, params ...any) string {
	return speech{ctx, localeOf(ctx)}.text(one, other, n, append(params[:len(params):len(params)], "n", n))
}

// TranslateErrors returns failures, such as those of [retort.Ctx.Bind], with their messages
// in the language that [Translate] speaks, for pages and answers of the program's own. The
// app's own pages of errors have them in it.
func TranslateErrors(ctx context.Context, all validate.Errors) validate.Errors {
	l := localeOf(ctx)
	if l == nil {
		return all
	}
	return speech{ctx, l}.errors(slices.Clone(all))
}

// speech puts texts into a language; nil is English.
type speech struct {
	ctx    context.Context
	locale Locale
}

// text translates and fills in.
func (s speech) text(one, other string, n int, params []any) string {
	text := one
	switch {
	case s.locale != nil && one != "":
		text = s.locale.Text(s.ctx, one, other, n)
	case other != "" && n != 1:
		text = other
	}
	if len(params) == 0 {
		return text
	}
	values := make(map[string]any, len(params)/2)
	for i := 0; i+1 < len(params); i += 2 {
		if name, ok := params[i].(string); ok {
			values[name] = params[i+1]
		}
	}
	return validate.Fill(text, values)
}

// message puts what is wrong into the language. The message of a code is translated by its
// template, any other one as it is.
func (s speech) message(e *validate.FieldError) string {
	if s.locale == nil {
		return e.Message
	}
	one, other, plural := validate.Template(e.Code, e.Params)
	english := one
	if plural {
		english = other
	}
	if validate.Fill(english, e.Params) != e.Message {
		return s.locale.Text(s.ctx, e.Message, "", 0)
	}
	params := s.params(e.Params)
	if n, counts := validate.Count(e.Code, e.Params); counts {
		return validate.Fill(s.locale.Text(s.ctx, one, other, n), params)
	}
	return validate.Fill(s.locale.Text(s.ctx, one, "", 0), params)
}

// params are parameters of a message with lists as the language joins them.
func (s speech) params(all map[string]any) map[string]any {
	local := maps.Clone(all)
	for name, value := range all {
		if list, ok := value.([]string); ok {
			local[name] = s.joined(list, "or")
		}
	}
	return local
}

// joined is a list in words: "a, b or c".
func (s speech) joined(list []string, word string) string {
	last := len(list) - 1
	if last < 1 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:last], ", ") + " " + s.text(word, "", 0, nil) + " " + list[last]
}

// subject puts a label before a message that has no subject.
func (s speech) subject(label, message string) string {
	if s.locale == nil {
		return label + " " + message
	}
	return s.text("{label} {message}", "", 0, []any{"label", label, "message", message})
}

// stop ends a sentence that has no end yet.
func (s speech) stop(message string) string {
	switch last, _ := utf8.DecodeLastRuneInString(message); {
	case !unicode.IsLetter(last) && !unicode.IsDigit(last):
		return message
	case s.locale == nil:
		return message + "."
	}
	return s.text("{sentence}.", "", 0, []any{"sentence", message})
}

// errors are failures with their messages in the language.
func (s speech) errors(all validate.Errors) validate.Errors {
	for i := range all {
		all[i].Message = s.message(&all[i])
	}
	return all
}

// speech is the language of the form.
func (f *core) speech() speech { return speech{f.c, f.locale} }

// translate puts a text of the form itself into the visitor's language.
func (f *core) translate(text string) string { return f.speech().text(text, "", 0, nil) }

// message puts what is wrong into the visitor's language.
func (f *core) message(e *validate.FieldError) string { return f.speech().message(e) }

// joined is a list in words: "a, b or c".
func (f *core) joined(list []string, word string) string { return f.speech().joined(list, word) }

// lower is a label within a sentence. Where English is not spoken it stays as it is: other
// languages have rules of their own.
func (f *core) lower(label string) string {
	if f.locale != nil {
		return label
	}
	return strings.ToLower(label)
}

// spoken are failures with their messages in the visitor's language.
func (f *core) spoken(all validate.Errors) validate.Errors {
	if f.locale == nil {
		return all
	}
	return f.speech().errors(all)
}

// localKind is the kind of text that the visitor's language writes in its own way in
// this field; "" if there is none.
func (f *Field) localKind() string {
	if _, plainText := f.widget.(Text); !plainText || f.form.locale == nil || f.spec.codec == nil || f.exact {
		return ""
	}
	switch {
	case f.spec.shape != single:
		return ""
	case f.spec.codec.kind == intKind, f.spec.codec.kind == floatKind, f.spec.decimal():
		return "number"
	case f.spec.elem == dateType:
		return "date"
	case f.spec.elem == timeOfDayType:
		return "time"
	case f.spec.codec.kind == timeKind:
		return "local-date-time"
	}
	return ""
}

// plainForm is a typed text in the form that types are read from.
func (f *Field) plainForm(text string) string {
	if kind := f.localKind(); kind != "" && text != "" {
		if plain, ok := f.form.locale.Parse(f.form.c, kind, text); ok {
			return plain
		}
	}
	return text
}

// localForm are the texts as the visitor writes them.
func (f *Field) localForm(texts []string) []string {
	kind := f.localKind()
	if kind == "" || len(texts) == 0 {
		return texts
	}
	return []string{f.form.locale.Format(f.form.c, kind, texts[0])}
}
