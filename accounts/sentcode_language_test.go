package accounts_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/retorttest"
)

// bracketed is a language in which each text stands in brackets.
type bracketed struct{}

func (bracketed) Language() string { return "de" }

func (bracketed) Text(_ context.Context, text, other string, n int) string {
	if other != "" && n != 1 {
		text = other
	}
	return "⟦" + text + "⟧"
}

func (bracketed) Parse(_ context.Context, _, text string) (string, bool) { return text, false }

func (bracketed) Format(_ context.Context, _, plain string) string { return plain }

var (
	visible   = regexp.MustCompile(`<[^>]*>`)
	bracketOf = regexp.MustCompile(`(?s)⟦[^⟦⟧]*⟧`)
	letters   = regexp.MustCompile(`\pL\pL`)
)

// untranslated is what is left of a text without what stands in brackets, codes and
// addresses.
func untranslated(text string) string {
	text = visible.ReplaceAllString(regexp.MustCompile(`(?s)<code>.*?</code>`).ReplaceAllString(text, ""), "\n")
	for bracketOf.MatchString(text) {
		text = bracketOf.ReplaceAllString(text, "")
	}
	text = regexp.MustCompile(`https://\S+`).ReplaceAllString(text, "")
	if letters.MatchString(text) {
		return strings.TrimSpace(text)
	}
	return ""
}

// Pages and mails of the second factor are in the visitor's language.
func TestSecondFactorSpeaksTheVisitorsLanguage(t *testing.T) {
	t.Parallel()
	s := newCodeSite(t, accounts.Options{}, form.New(form.Config{Locale: func(*retort.Ctx) form.Locale { return bracketed{} }}))
	s.known("ann@example.com")
	s.login("ann@example.com", secret).RedirectsTo("/")
	page := func(r *retorttest.Response) {
		t.Helper()
		if rest := untranslated(r.Text()); rest != "" {
			t.Errorf("not translated: %s\n%s", rest, r.Text())
		}
		if m := regexp.MustCompile(`(?:alt|aria-label|placeholder)="([^"]+)"`).FindStringSubmatch(r.Text()); m != nil && untranslated(m[1]) != "" {
			t.Errorf("not translated: %s", m[1])
		}
	}
	page(s.Get("/second-factor").Status(200))
	s.post("/second-factor/sent/mail/send").RedirectsTo("/second-factor/sent/mail")
	code := s.code("ann@example.com")
	page(s.Get("/second-factor/sent/mail").Status(200).Contains("⟦A code is on its way"))
	page(s.post("/second-factor/sent/mail", "code", otherThan(code)).Status(422).Contains("⟦is not right"))
	page(s.post("/second-factor/sent/mail", "code", code).Status(200))
	s.mailed("ann@example.com")
	page(s.Get("/second-factor").Status(200).Contains("⟦You have 10 recovery codes left.⟧"))
	s.login("ann@example.com", secret).RedirectsTo("/login/code?next=%2F")
	code = s.code("ann@example.com")
	page(s.Get("/login/code").Status(200))
	s.post("/login/code", "code", code).RedirectsTo("/")
	for _, m := range s.box.Messages() {
		for _, text := range []string{m.Subject, m.Text} {
			if rest := untranslated(text); rest != "" {
				t.Errorf("not translated: %s\n%s", rest, text)
			}
		}
	}
}
