package auth

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/retort-web/retort/orm"
)

// PermissionLabel says a permission in words that people understand: those of
// [Options].PermissionLabels; for the permission of a model's rows "Change posts", with
// the name that its Meta gives for many; and for any other the words after the point,
// "Print invoices" for "office.print_invoices". They are English: what shows them
// translates them.
func (e *Extension) PermissionLabel(p Permission) string {
	if label := e.options.PermissionLabels[p]; label != "" {
		return label
	}
	if p == AllScopes {
		return "Everything that you may"
	}
	app, words, named := strings.Cut(string(p), ".")
	if !named {
		words = app
	}
	for _, info := range orm.Models() {
		if info.App != app {
			continue
		}
		for _, action := range Actions {
			if On(described{info}, action) == p {
				return sentence(string(action) + " " + info.VerboseNamePlural)
			}
		}
	}
	words = strings.Join(strings.FieldsFunc(words, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }), " ")
	if words == "" {
		return string(p)
	}
	return sentence(words)
}

// described is a model by its info alone.
type described struct{ info *orm.ModelInfo }

func (d described) Info() *orm.ModelInfo { return d.info }

// sentence is a text with a capital.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}
