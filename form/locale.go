package form

import (
	"context"
	"maps"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/validate"
)

// Locale is the language of a form's visitor. A battery for translations gives one
// to [New], or a program to [WithLocale]; without one forms speak English.
//
// Numbers and dates are localized where the widget is a [Text]: the inputs that
// browsers have for numbers and dates are localized by them and always send and take
// the plain form.
type Locale interface {
	// Text returns an English text in the visitor's language, as it is if it is not
	// known. Everything that a form shows goes through it: labels, helps, choices, the
	// sentences of errors, which [validate.Template] has by code and parameters, and the
	// words that this package adds. What stands in braces, "at least {min}", is filled in
	// afterwards. Texts that count something come with the English plural in other and the
	// number; of the rest other is empty.
	Text(ctx context.Context, text, other string, n int) string
	// Parse turns what was typed into the plain form: "1.234,5" into "1234.5",
	// "31.1.2026" into "2026-01-31". Kind is "number", "date", "time" or
	// "local-date-time". What it does not understand is refused as it is: ok is false.
	Parse(ctx context.Context, kind, text string) (plain string, ok bool)
	// Format turns the plain form into what the visitor would type.
	Format(ctx context.Context, kind, plain string) string
}

type localeKey struct{}

// WithLocale gives all forms made with the context a language.
func WithLocale(ctx context.Context, l Locale) context.Context {
	return context.WithValue(ctx, localeKey{}, l)
}

// translate puts a text of the form itself into the visitor's language.
func (f *core) translate(text string) string {
	if f.locale == nil || text == "" {
		return text
	}
	return f.locale.Text(f.c, text, "", 0)
}

// message puts what is wrong into the visitor's language. The message of a code is
// translated by its template, any other one as it is.
func (f *core) message(e *validate.FieldError) string {
	if f.locale == nil {
		return e.Message
	}
	one, other, plural := validate.Template(e.Code, e.Params)
	english := one
	if plural {
		english = other
	}
	if validate.Fill(english, e.Params) != e.Message {
		return f.locale.Text(f.c, e.Message, "", 0)
	}
	params := f.localParams(e.Params)
	if n, counts := validate.Count(e.Code, e.Params); counts {
		return validate.Fill(f.locale.Text(f.c, one, other, n), params)
	}
	return validate.Fill(f.locale.Text(f.c, one, "", 0), params)
}

// localParams are parameters of a message with lists as the visitor's language joins them.
func (f *core) localParams(params map[string]any) map[string]any {
	local := maps.Clone(params)
	for name, value := range params {
		if list, ok := value.([]string); ok {
			local[name] = f.joined(list, "or")
		}
	}
	return local
}

// joined is a list in words: "a, b or c".
func (f *core) joined(list []string, word string) string {
	last := len(list) - 1
	if last < 1 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:last], ", ") + " " + f.translate(word) + " " + list[last]
}

// lower is a label within a sentence. Where English is not spoken it stays as it is: other
// languages have rules of their own.
func (f *core) lower(label string) string {
	if f.locale != nil {
		return label
	}
	return strings.ToLower(label)
}

// Translate returns an English text in the language of the request's visitor, which the app's
// [Config] or [WithLocale] has, for pages and messages around a form. Without one it is
// the text itself.
func Translate(c *retort.Ctx, english string) string {
	f := core{c: c}
	f.common()
	return f.translate(english)
}

// spoken are failures with their messages in the visitor's language.
func (f *core) spoken(all validate.Errors) validate.Errors {
	if f.locale != nil {
		for i := range all {
			all[i].Message = f.message(&all[i])
		}
	}
	return all
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
