package accounts_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
)

// The code of docs/languages.md.

// German is a language: English texts and what they are in it.
type German map[string]string

func (German) Language() string { return "de" }

// Text translates; other is the plural of what counts n things.
func (g German) Text(_ context.Context, text, other string, n int) string {
	if other != "" && n != 1 {
		text = other
	}
	if german, known := g[text]; known {
		return german
	}
	return text
}

// Parse reads "1.234,5", and leaves the rest as it is.
func (German) Parse(_ context.Context, kind, text string) (string, bool) {
	if kind != "number" {
		return "", false
	}
	return strings.NewReplacer(".", "", ",", ".").Replace(text), true
}

// Format writes it.
func (German) Format(_ context.Context, kind, plain string) string {
	if kind == "number" {
		return strings.ReplaceAll(plain, ".", ",")
	}
	return plain
}

var german = German{
	"Log in": "Anmelden", "Forgotten password": "Passwort vergessen?",
	"is required": "ist nötig", "must have at most {max} characters": "darf höchstens {max} Zeichen haben",
	"Log in to do this.": "Melden Sie sich dazu an.", "Unauthorized": "Nicht angemeldet",
	"Your link to log in (%(site)s)": "Ihr Link zum Anmelden (%(site)s)",
	"Hello %(name)s!":                "Guten Tag, %(name)s!", "%(n)s note": "%(n)s Notiz", "%(n)s notes": "%(n)s Notizen",
	"{title} was saved.": "{title} wurde gespeichert.",
}

// languages gives a site the visitor's language.
func languages() *form.Extension {
	return form.New(form.Config{Locale: func(c *retort.Ctx) form.Locale {
		c.Vary("Accept-Language")
		if c.AcceptsLanguage("en", "de") == "de" {
			return german
		}
		return nil // English
	}})
}

// Note is what one writes down.
type Note struct {
	Title string  `validate:"required,max=20"`
	Hours float64 `widget:"text"`
}

func saveNote(c *retort.Ctx) error {
	f := form.For[Note](c)
	if !f.Submitted() || !f.Valid() {
		return c.Status(f.Status()).Render("note.html", map[string]any{"form": f})
	}
	c.Flash("success", form.Translate(c, "{title} was saved.", "title", f.Value().Title))
	return c.Redirect("/")
}

func apiNote(c *retort.Ctx) error {
	var in Note
	if err := c.Bind(&in); err != nil {
		return err
	}
	return c.JSON(in)
}

func TestThePageOfOtherLanguages(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, accounts.Options{LoginLinks: true}, auth.Options{}, fstest.MapFS{
		"templates/home.html": {Data: []byte(`<html lang="{{ language }}">
{% for f in flashes() %}{{ f.text }}{% endfor %}
{% blocktranslate with name=user.email %}Hello {{ name }}!{% endblocktranslate %}
{% blocktranslate count n=notes %}{{ n }} note{% plural %}{{ n }} notes{% endblocktranslate %}`)},
		"templates/note.html": {Data: []byte(`{{ form }}`)},
	}, languages(), notes{})
	s.known("ann@example.com")
	for language, want := range map[string][]string{
		"de-AT,de;q=0.9": {
			`<html lang="de">`, "<h1>Anmelden</h1>", "Passwort vergessen?", "Ihr Link zum Anmelden (Slow Notes)", "Guten Tag, ann@example.com!", "3 Notizen",
			`value="1,5"`, "Title ist nötig.", "Tee wurde gespeichert.", `"title":"Nicht angemeldet","status":401,"detail":"Melden Sie sich dazu an."`,
			`"message":"darf höchstens 20 Zeichen haben"`,
		},
		"fr": {
			`<html lang="en">`, "<h1>Log in</h1>", "Forgotten password", "Your link to log in (Slow Notes)", "Hello ann@example.com!", "3 notes",
			`value="1,5"`, "Title is required.", "Tee was saved.", `"title":"Unauthorized","status":401,"detail":"Log in to do this."`,
			`"message":"must have at most 20 characters"`,
		},
	} {
		s.Header.Set("Accept-Language", language)
		login := s.Get("/login").Status(200).Contains(want[:3]...)
		if vary := login.Header().Values("Vary"); !slices.Contains(vary, "Accept-Language") {
			t.Errorf("%s: Vary %q", language, vary)
		}
		s.post("/login/link", "email", "ann@example.com").Status(200)
		if m, _ := s.mailed("ann@example.com"); m.Subject != want[3] {
			t.Errorf("%s: %s", language, m.Subject)
		}
		s.JSON("GET", "/profile", nil).Status(401).Contains(want[9])
		s.login("ann@example.com", secret).RedirectsTo("/")
		s.Get("/notes").Status(200).Contains(want[0], want[4], want[5])
		s.post("/note", "title", "", "hours", "1,5").Status(422).Contains(want[6], want[7])
		s.post("/note", "title", "Tee", "hours", "1").RedirectsTo("/")
		s.Get("/notes").Contains(want[8])
		s.JSON("POST", "/api/notes", map[string]any{"Title": strings.Repeat("x", 21)}).Status(400).Contains(want[10])
		s.post("/logout").RedirectsTo("/")
	}
}

// notes has the pages of the site.
type notes struct{}

func (notes) Name() string { return "notes" }

func (notes) Install(app *retort.App) error {
	app.Get("/notes", func(c *retort.Ctx) error { return c.Render("home.html", map[string]any{"notes": 3}) })
	app.Methods([]string{"GET", "POST"}, "/note", saveNote)
	app.Post("/api/notes", apiNote)
	return nil
}
