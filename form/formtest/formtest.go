// Package formtest keeps a site translatable: a language in which each text stands in
// brackets, and what finds the texts of pages, mails and templates that do not.
//
//	app.Install(form.New(form.Config{Locale: func(*retort.Ctx) form.Locale { return formtest.Locale{} }}))
//	…
//	for _, text := range formtest.Untranslated(client.Get("/login").Text(), "ann@example.com") {
//		t.Errorf("%q cannot be translated", text)
//	}
package formtest

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/html"

	"github.com/retort-web/retort/form"
)

// Locale is a language in which each text is the English one between ⟦ and ⟧. It has the
// tag en-XA, which is that of no language.
type Locale struct{}

// Language returns "en-XA".
func (Locale) Language() string { return "en-XA" }

// Text returns the text in brackets, the one for several if n is not 1. A text that has
// some already is left as it is.
func (Locale) Text(_ context.Context, text, other string, n int) string {
	if other != "" && n != 1 {
		text = other
	}
	if strings.Contains(text, "⟦") {
		return text
	}
	return "⟦" + text + "⟧"
}

// Parse takes what was typed for the plain form.
func (Locale) Parse(_ context.Context, _, text string) (plain string, ok bool) { return text, true }

// Format returns the plain form.
func (Locale) Format(_ context.Context, _, plain string) string { return plain }

var _ form.Locale = Locale{}

// seen are attributes with texts that people see or hear.
var seen = []string{"title", "placeholder", "alt", "aria-label", "aria-description", "aria-valuetext", "label", "summary"}

// mute are elements whose content is no language.
var mute = []string{"script", "style", "code", "kbd", "samp", "pre"}

// Untranslated returns the texts of an HTML page in [Locale] that do not stand in brackets:
// text, titles, placeholders and other attributes that people see or hear, labels of
// buttons, and what data- attributes have of more than one word, but nothing within code. Data are texts that need no
// translation, such as names that users have given.
func Untranslated(page string, data ...string) []string {
	var s search
	s.data = longestFirst(data)
	z := html.NewTokenizer(strings.NewReader(page))
	within := "" // the element whose content is no language
	for {
		switch z.Next() {
		case html.ErrorToken:
			return s.done()
		case html.TextToken:
			if within == "" {
				s.text(string(z.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if within == "" && t.Type == html.StartTagToken && slices.Contains(mute, t.Data) {
				within = t.Data
			}
			for _, a := range t.Attr {
				if isSeen(t, a) {
					s.apart(a.Val)
				}
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) == within {
				within = ""
			}
		}
	}
}

// isSeen reports whether an attribute has a text for people.
func isSeen(t html.Token, a html.Attribute) bool {
	switch {
	case slices.Contains(seen, a.Key):
		return true
	case strings.HasPrefix(a.Key, "data-"):
		return strings.Contains(strings.TrimSpace(a.Val), " ")
	case a.Key == "content":
		return slices.ContainsFunc(t.Attr, func(b html.Attribute) bool { return b.Key == "name" && b.Val == "description" })
	case a.Key == "value" && t.Data == "input":
		return slices.ContainsFunc(t.Attr, func(b html.Attribute) bool {
			return b.Key == "type" && slices.Contains([]string{"submit", "button", "reset"}, b.Val)
		})
	}
	return false
}

// UntranslatedText is [Untranslated] for what is no HTML: the text or subject of a mail, a
// flash, a message of JSON. Addresses of pages need no translation.
func UntranslatedText(text string, data ...string) []string {
	var s search
	s.data = longestFirst(data)
	s.text(address.ReplaceAllString(text, " "))
	return s.done()
}

var address = regexp.MustCompile(`https?://\S+`)

func longestFirst(data []string) []string {
	data = slices.Clone(data)
	slices.SortFunc(data, func(a, b string) int { return len(b) - len(a) })
	return data
}

// search collects what stands outside of brackets. A text may begin before an element and
// end behind it.
type search struct {
	data  []string
	depth int
	found []string
}

func (s *search) text(text string) {
	var outside strings.Builder
	for _, c := range text {
		switch {
		case c == '⟦':
			s.depth++
		case c == '⟧':
			s.depth--
		case s.depth <= 0:
			outside.WriteRune(c)
			continue
		}
		outside.WriteByte('\n') // what is on both sides of brackets is no text
	}
	rest := outside.String()
	for _, d := range s.data {
		if d != "" {
			rest = strings.ReplaceAll(rest, d, "\n")
		}
	}
	for line := range strings.SplitSeq(rest, "\n") {
		if strings.ContainsFunc(line, unicode.IsLetter) {
			s.found = append(s.found, strings.TrimSpace(line))
		}
	}
}

// apart searches a text that has nothing to do with those around it.
func (s *search) apart(text string) {
	own := search{data: s.data}
	own.text(text)
	s.found = append(s.found, own.done()...)
}

func (s *search) done() []string {
	if s.depth != 0 {
		s.found = append(s.found, "a ⟦ without its ⟧, or the other way round")
	}
	return s.found
}
