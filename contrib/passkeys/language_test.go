package passkeys_test

import (
	"net/url"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/contrib/passkeys"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/form/formtest"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/template"
)

func TestEveryTemplateIsTranslated(t *testing.T) {
	t.Parallel()
	found, err := formtest.UntranslatedTemplates(os.DirFS("templates"))
	// That one is of attributes, whose values are all translated.
	found = slices.DeleteFunc(found, func(text string) bool {
		return text == `words.html: data-unsupported="" data-cancelled="" data-failed=""`
	})
	if err != nil || len(found) > 0 {
		t.Errorf("%q %v", found, err)
	}
}

func TestPagesAndMailsAreInTheVisitorsLanguage(t *testing.T) {
	t.Parallel()
	speaking := form.New(form.Config{Locale: func(*retort.Ctx) form.Locale { return formtest.Locale{} }})
	s := newSiteOf(t, testdb.SQLite, passkeys.Options{PerUser: 2}, true, 0, speaking, strict{})
	data := []string{"ann@example.com", "Work", "UTC"}
	sees := func(r *retorttest.Response) *retorttest.Response {
		t.Helper()
		for _, text := range formtest.Untranslated(r.Text(), data...) {
			t.Errorf("not translated: %q\n%s", text, r.Text())
		}
		return r
	}
	s.User("ann@example.com", secret)
	stranger := retorttest.New(t, s.App)
	sees(stranger.Get("/login").Status(200)).Contains("⟦Log in with a passkey⟧", `data-cancelled="⟦No passkey was given. Try again when you are ready.⟧"`)
	post(stranger, "/passkeys/login", "{}").RedirectsTo(refused)
	sees(stranger.Get("/login").Status(200)).Contains("⟦That passkey did not work here.")

	client := s.in("ann@example.com")
	sees(client.Get("/profile").Status(200)).Contains("⟦Passkeys⟧")
	sees(client.Get("/passkeys").Status(200)).Contains("⟦You have none yet.⟧")
	sees(post(client, "/passkeys", "{}").Status(422)).Contains("⟦The passkey was not made. Try again.⟧")
	first := newDevice(t)
	s.add(client, first, "")
	sees(client.Get("/passkeys").Status(200)).Contains("⟦Passkey of "+time.Now().UTC().Format(time.DateOnly)+"⟧", "⟦Not used yet⟧")
	sees(post(client, "/passkeys", first.create(ask(t, client, "/passkeys/options"))).Status(409))
	sees(client.PostForm("/passkeys/1/name", url.Values{"name": {" "}}).Status(422)).Contains("⟦A passkey needs a name.⟧")
	client.PostForm("/passkeys/1/name", url.Values{"name": {"Work"}}).RedirectsTo("/passkeys")
	sees(client.Get("/passkeys").Status(200)).Contains("⟦The passkey is called Work now.⟧", `aria-label="⟦Rename Work⟧"`)
	s.add(client, newDevice(t), "Work")
	sees(post(client, "/passkeys", "{}").Status(422)).Contains("⟦You have as many passkeys as there may be. Delete one first.⟧")
	s.enter(retorttest.New(t, s.App), first, "/")
	sees(client.Get("/passkeys").Status(200)).Contains("⟦Last used <time")
	client.PostForm("/passkeys/2/delete", nil).RedirectsTo("/passkeys")
	sees(client.Get("/passkeys").Status(200)).Contains("⟦The passkey Work was deleted here.")
	for _, m := range s.box.WaitFor(3) {
		for _, text := range []string{m.Subject, m.Text} {
			for _, rest := range formtest.UntranslatedText(text, data...) {
				t.Errorf("not translated: %q\n%s", rest, text)
			}
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
