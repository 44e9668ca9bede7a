package oidc

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/form/formtest"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/template"
)

func TestEveryTemplateIsTranslated(t *testing.T) {
	t.Parallel()
	templates, err := fs.Sub(assets, "templates")
	if err != nil {
		t.Fatal(err)
	}
	found, err := formtest.UntranslatedTemplates(templates)
	if err != nil || len(found) > 0 {
		t.Errorf("%q %v", found, err)
	}
}

func TestPagesAndMailsAreInTheVisitorsLanguage(t *testing.T) {
	t.Parallel()
	speaking := form.New(form.Config{Locale: func(*retort.Ctx) form.Locale { return formtest.Locale{} }})
	s, f := pair(t, options{more: []retort.Extension{speaking, strict{}}, session: retort.SessionConfig{SameSite: "strict"}})
	data := []string{"ann@example.com", "bob@example.com", "Fake one", "UTC"}
	sees := func(r *retorttest.Response) *retorttest.Response {
		t.Helper()
		for _, text := range formtest.Untranslated(r.Text(), data...) {
			t.Errorf("not translated: %q\n%s", text, r.Text())
		}
		return r
	}
	s.User("bob@example.com", secret)
	sees(s.Get("/login").Status(200)).Contains("⟦Log in with Fake one⟧")
	sees(s.post(begin).Status(200)).Contains("⟦Go on to Fake one⟧")
	query := f.visit(s.leave(begin))
	sees(s.fresh().Get(callback + query.Encode()).Status(200)).Contains("⟦Almost there⟧")
	query.Set("again", "1")
	query.Set("error", "access_denied")
	query.Del("code")
	s.Get(callback + query.Encode()).RedirectsTo("/login")
	sees(s.Get("/login").Status(200)).Contains("⟦You have not logged in with Fake one.⟧")

	s.login("bob@example.com")
	sees(s.Get("/profile").Status(200)).Contains("⟦Logins elsewhere⟧")
	sees(s.Get("/logins").Status(200)).Contains("⟦Connect Fake one⟧")
	query = f.visit(s.leave(connect))
	query.Set("again", "1")
	s.Get(callback + query.Encode()).RedirectsTo("/logins")
	sees(s.Get("/logins").Status(200)).Contains("⟦You can log in with Fake one from now on.⟧", "⟦Disconnect Fake one ann@example.com⟧", "⟦Connected <time")
	s.post(fmt.Sprintf("/logins/%d/disconnect", s.identities()[0].ID)).RedirectsTo("/logins")
	sees(s.Get("/logins").Status(200)).Contains("⟦Fake one was disconnected.⟧")
	for _, m := range s.box.WaitFor(2) {
		for _, text := range []string{m.Subject, m.Text} {
			for _, rest := range formtest.UntranslatedText(text, data...) {
				t.Errorf("not translated: %q\n%s", rest, text)
			}
		}
	}
}

// TestEveryRefusalIsInTheVisitorsLanguage comes to the pages of all that can go wrong.
func TestEveryRefusalIsInTheVisitorsLanguage(t *testing.T) {
	t.Parallel()
	speaking := form.New(form.Config{Locale: func(*retort.Ctx) form.Locale { return formtest.Locale{} }})
	s, _ := pair(t, options{more: []retort.Extension{speaking, strict{}, refusals{}}})
	kinds := []string{"over", "refused", "away"}
	for _, page := range pagesOf {
		if page.kind != "last" { // which is a flash
			kinds = append(kinds, page.kind)
		}
	}
	for _, kind := range kinds {
		r := s.Get("/refused/" + kind).Status(400)
		for _, text := range formtest.Untranslated(r.Text()) {
			t.Errorf("%s: not translated: %q\n%s", kind, text, r.Text())
		}
		if strings.Contains(r.Text(), "<h1></h1>") || strings.Contains(r.Text(), "<p></p>") {
			t.Errorf("%s has no words:\n%s", kind, r.Text())
		}
	}
}

// strict takes undefined names in templates for errors.
type strict struct{}

func (strict) Name() string { return "strict" }

func (strict) Install(app *retort.App) error {
	app.TemplateOptions(func(o *template.Options) { o.Undefined = template.UndefinedStrict })
	return nil
}

// refusals has the pages of what can go wrong.
type refusals struct{}

func (refusals) Name() string { return "refusals" }

func (refusals) Install(app *retort.App) error {
	e, _ := app.Extension("oidc").(*Extension)
	app.Get("/refused/{kind}", func(c *retort.Ctx) error { return e.message(c, 400, c.Param("kind"), e.provider("one")) })
	return nil
}
