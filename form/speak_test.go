package form_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/template"
	"github.com/retort-web/retort/validate"
)

// marked speaks a language in which each text stands in brackets.
type marked struct{ tag string }

func (m marked) Language() string { return m.tag }

func (m marked) Text(_ context.Context, text, other string, n int) string {
	if other != "" && n != 1 {
		text = other
	}
	return "⟦" + text + "⟧"
}

func (marked) Parse(_ context.Context, _, text string) (string, bool) { return text, false }

func (marked) Format(_ context.Context, _, plain string) string { return plain }

// catalogs is a Locale that knows contexts.
type catalogs struct{ marked }

func (c catalogs) Gettext(ctx context.Context, message string) string {
	return c.Text(ctx, message, "", 0)
}

func (c catalogs) NGettext(ctx context.Context, singular, plural string, n int) string {
	return c.Text(ctx, singular, plural, n)
}

func (c catalogs) PGettext(ctx context.Context, msgctxt, message string) string {
	return c.Text(ctx, msgctxt+"|"+message, "", 0)
}

func (c catalogs) NPGettext(ctx context.Context, msgctxt, singular, plural string, n int) string {
	return c.Text(ctx, msgctxt+"|"+singular, msgctxt+"|"+plural, n)
}

// speaking is a site whose visitors choose the language in the query.
func speaking(t *testing.T, files fstest.MapFS, asked *int) *retort.App {
	t.Helper()
	app := retort.New(retort.Config{SecretKey: testKey, BaseURL: "https://example.com", Logger: slog.New(slog.DiscardHandler), Assets: retort.Embed(files)})
	app.Install(form.New(form.Config{Locale: func(c *retort.Ctx) form.Locale {
		*asked++
		switch tag := c.Query("lang"); tag {
		case "":
			return nil
		case "ca":
			return catalogs{marked{tag}}
		default:
			return marked{tag}
		}
	}}))
	return app
}

const spokenPage = `<html lang="{{ language }}"{% if right_to_left %} dir="rtl"{% endif %} title="{% translate "A title" %}">
{% translate "Log in" %}|{% translate "Open" context "menu" %}|{% blocktranslate with name="<Ann>" %}Hello {{ name }}{% endblocktranslate %}|
{%- blocktranslate count n=n %}{{ n }} post{% plural %}{{ n }} posts{% endblocktranslate %}|
{%- blocktranslate count n=n context "menu" %}{{ n }} file{% plural %}{{ n }} files{% endblocktranslate %}|
{%- trans name="Bob" %}Bye {{ name }}{% endtrans %}|{{ _("Save") }}|{{ ngettext("one", "many", n) }}`

func TestOneLocaleSpeaksInTemplates(t *testing.T) {
	t.Parallel()
	asked := 0
	app := speaking(t, fstest.MapFS{
		"templates/page.html": {Data: []byte(spokenPage)},
		"templates/mail.txt":  {Data: []byte(`{% blocktranslate %}At {{ site }}{% endblocktranslate %}`)},
	}, &asked)
	mail := ""
	app.Get("/", func(c *retort.Ctx) (err error) {
		if mail, err = app.Rendered(c, "mail.txt", map[string]any{"site": "<site>"}); err != nil {
			return err
		}
		return c.Render("page.html", map[string]any{"n": 2})
	})
	client := retorttest.New(t, app)
	for query, want := range map[string]string{
		"":         `<html lang="en" title="A title">|Log in|Open|Hello &lt;Ann&gt;|2 posts|2 files|Bye Bob|Save|many|At <site>`,
		"?lang=xx": `<html lang="xx" title="⟦A title⟧">|⟦Log in⟧|⟦Open⟧|⟦Hello &lt;Ann&gt;⟧|⟦2 posts⟧|⟦2 files⟧|⟦Bye Bob⟧|⟦Save⟧|⟦many⟧|⟦At <site>⟧`,
		"?lang=ar": `<html lang="ar" dir="rtl" title="⟦A title⟧">|`,
		"?lang=ca": `<html lang="ca" title="⟦A title⟧">|⟦Log in⟧|⟦menu|Open⟧|⟦Hello &lt;Ann&gt;⟧|⟦2 posts⟧|⟦menu|2 files⟧|⟦Bye Bob⟧|⟦Save⟧|⟦many⟧|⟦At <site>⟧`,
	} {
		asked = 0
		got := strings.ReplaceAll(client.Get("/"+query).Status(200).Text(), ">\n", ">|") + "|" + mail
		if !strings.HasPrefix(got, want) {
			t.Errorf("%q:\n%s\nand not\n%s", query, got, want)
		}
		if asked != 1 {
			t.Errorf("%q: the locale of the request was asked for %d times", query, asked)
		}
	}
}

func TestATextIsFilledInAfterItIsTranslated(t *testing.T) {
	t.Parallel()
	asked := 0
	app := speaking(t, nil, &asked)
	app.Get("/", func(c *retort.Ctx) error {
		return c.Text(strings.Join([]string{
			form.Language(c),
			form.Translate(c, "Saved."),
			form.Translate(c, "{title} was saved.", "title", "{title} by {n}"),
			form.TranslatePlural(c, "{n} row", "{n} rows", 1),
			form.TranslatePlural(c, "{n} row of {what}", "{n} rows of {what}", 3, "what", "posts"),
		}, "|"))
	})
	client := retorttest.New(t, app)
	for query, want := range map[string]string{
		"":         "en|Saved.|{title} by {n} was saved.|1 row|3 rows of posts",
		"?lang=de": "de|⟦Saved.⟧|⟦{title} by {n} was saved.⟧|⟦1 row⟧|⟦3 rows of posts⟧",
	} {
		if got := client.Get("/" + query).Text(); got != want {
			t.Errorf("%q: %s", query, got)
		}
	}
	// Outside of a request it is English, unless the context says otherwise.
	if got := form.Translate(t.Context(), "Saved.") + form.Language(t.Context()); got != "Saved.en" {
		t.Error(got)
	}
	ctx := form.WithLocale(t.Context(), marked{"de"})
	if got := form.Translate(ctx, "Saved.") + form.Language(ctx); got != "⟦Saved.⟧de" {
		t.Error(got)
	}
}

func TestATranslatorOfTheSitesOwnComesBefore(t *testing.T) {
	t.Parallel()
	asked := 0
	app := speaking(t, fstest.MapFS{"templates/page.html": {Data: []byte(`{% translate "Log in" %}`)}}, &asked)
	app.TemplateOptions(func(o *template.Options) { o.Translator = catalogs{marked{"own"}} })
	app.Get("/", func(c *retort.Ctx) error { return c.Render("page.html", nil) })
	if got := retorttest.New(t, app).Get("/").Text(); got != "⟦Log in⟧" {
		t.Error(got)
	}
}

func TestWhichLanguagesAreWrittenFromTheRight(t *testing.T) {
	t.Parallel()
	asked := 0
	app := speaking(t, fstest.MapFS{"templates/page.html": {Data: []byte(`{{ right_to_left }}`)}}, &asked)
	app.Get("/", func(c *retort.Ctx) error { return c.Render("page.html", nil) })
	client := retorttest.New(t, app)
	for tag, want := range map[string]string{
		"de": "False", "ar-EG": "True", "he": "True", "pa-Arab": "True", "az-Arab-IR": "True", "ur-Latn": "False", "fa": "True", "pt-BR": "False",
	} {
		if got := client.Get("/?lang=" + tag).Text(); got != want {
			t.Errorf("%s: %s", tag, got)
		}
	}
}

// battery is an extension that brings a language.
type battery struct{ tag string }

func (battery) Name() string { return "battery" }

func (b battery) Install(app *retort.App) error {
	form.SetLocale(app, func(*retort.Ctx) form.Locale { return marked(b) })
	return nil
}

// TestAnExtensionBringsALanguage: it needs nothing of the site, and the last one counts.
func TestAnExtensionBringsALanguage(t *testing.T) {
	t.Parallel()
	for name, install := range map[string][]retort.Extension{
		"alone":          {battery{"xx"}},
		"before a theme": {battery{"xx"}, form.New(form.Config{Theme: form.Theme{LabelSuffix: "?"}})},
		"after another":  {form.New(form.Config{Locale: func(*retort.Ctx) form.Locale { return marked{"yy"} }}), battery{"xx"}},
	} {
		app := retort.New(retort.Config{SecretKey: testKey, Logger: slog.New(slog.DiscardHandler)})
		app.Install(install...)
		app.Get("/", func(c *retort.Ctx) error {
			return c.RenderString(`{{ language }} {% translate "Hello" %} {{ text }} {{ form }}`, map[string]any{
				"text": form.Translate(c, "Bye"), "form": form.For[Visit](c),
			})
		})
		client := retorttest.New(t, app)
		client.Get("/").Status(200).Contains("xx ⟦Hello⟧ ⟦Bye⟧ ", "⟦Name⟧")
		if page := client.Get("/nowhere").Status(404).Text(); !strings.Contains(page, "⟦Not Found⟧") || !strings.Contains(page, `<html lang="xx">`) {
			t.Errorf("%s:\n%s", name, page)
		}
	}
}

// TestErrorsAreInTheVisitorsLanguage: those of pages, for people, and of JSON, for programs
// that show them to people.
func TestErrorsAreInTheVisitorsLanguage(t *testing.T) {
	t.Parallel()
	asked := 0
	app := speaking(t, nil, &asked)
	type post struct {
		Title string   `json:"title" validate:"required,min=3"`
		Kind  string   `json:"kind" validate:"one_of=big|small"`
		Tags  []string `json:"tags" validate:"max=1"`
	}
	app.Post("/posts", func(c *retort.Ctx) error {
		var in post
		return c.Bind(&in)
	})
	app.Post("/own", func(c *retort.Ctx) error {
		var in post
		if invalid, ok := errors.AsType[validate.Errors](c.Bind(&in)); ok {
			return c.JSON(form.TranslateErrors(c, invalid))
		}
		return c.NoContent()
	})
	shared := validate.Errors{{Field: "a", Code: "required", Message: "is required"}}
	app.Post("/shared", func(*retort.Ctx) error { return retort.Unprocessable(shared) })
	ask := asking(t, app)

	wrong := map[string]any{"title": "ab", "kind": "odd", "tags": []string{"a", "b"}}
	said := []string{"⟦must have at least 3 characters⟧", "⟦must be one of big ⟦or⟧ small⟧", "⟦must have at most 1 item⟧"}
	ask("POST", "/posts?lang=xx", wrong).Status(400).Contains(said...).Contains(`"title":"⟦Bad Request⟧"`, `"detail":"⟦several fields are not valid⟧"`)
	ask("POST", "/posts?lang=xx", wrong, "Accept", "text/html").Status(400).Contains(said...).Contains(`<html lang="xx">`, "⟦Bad Request⟧")
	ask("POST", "/own?lang=xx", wrong).Status(200).Contains(said...)
	ask("POST", "/posts", wrong).Status(400).Contains(`"must have at least 3 characters"`, `"must be one of big or small"`).Lacks("⟦")
	ask("POST", "/own", wrong).Status(200).Contains(`"must be one of big or small"`)
	ask("GET", "/nowhere?lang=xx", nil, "Accept", "text/html").Status(404).Contains("⟦Not Found⟧", `<html lang="xx">`)
	ask("POST", "/posts?lang=xx", nil, "Accept", "text/html", "Sec-Fetch-Site", "cross-site").Status(403).
		Contains("⟦The request was not sent from this site. Load the page again and repeat it.⟧")
	for range 2 { // what is translated is a copy
		ask("POST", "/shared?lang=xx", nil).Status(422).Contains(`"⟦is required⟧"`)
	}
	if shared[0].Message != "is required" {
		t.Error(shared)
	}
}

// TestANumberInAnErrorIsFilledIn: the limits of requests are in what is said of them.
func TestANumberInAnErrorIsFilledIn(t *testing.T) {
	t.Parallel()
	app := retort.New(retort.Config{SecretKey: testKey, Logger: slog.New(slog.DiscardHandler)})
	app.Install(form.New(form.Config{Locale: func(*retort.Ctx) form.Locale {
		return known{"the request body is larger than {n} bytes": "mehr als {n} Bytes", "No room for 2 of 3.": "Kein Platz für 2 von 3."}
	}}))
	for path, detail := range map[string]string{
		"/limit": "the request body is larger than 1024 bytes", "/two": "No room for 2 of 3.", "/other": "No room for 4 of 5.", "/unknown": "Only 7.",
	} {
		app.Get(path, func(*retort.Ctx) error { return retort.BadRequest(detail) })
	}
	ask := asking(t, app)
	for path, want := range map[string]string{
		"/limit": "mehr als 1024 Bytes", "/two": "Kein Platz für 2 von 3.", "/other": "No room for 4 of 5.", "/unknown": "Only 7.",
	} {
		ask("GET", path, nil).Status(400).Contains(`"detail":"` + want + `"`)
	}
}

// known is a language of few texts.
type known map[string]string

func (known) Language() string { return "de" }

func (k known) Text(_ context.Context, text, _ string, _ int) string {
	if found, ok := k[text]; ok {
		return found
	}
	return text
}

func (known) Parse(_ context.Context, _, text string) (string, bool) { return text, false }

func (known) Format(_ context.Context, _, plain string) string { return plain }

func TestALocaleThatFailsCostsNoPageOfAnError(t *testing.T) {
	t.Parallel()
	app := retort.New(retort.Config{SecretKey: testKey, Logger: slog.New(slog.DiscardHandler)})
	app.Install(form.New(form.Config{Locale: func(*retort.Ctx) form.Locale { panic("no catalogs") }}))
	asking(t, app)("GET", "/nowhere", nil, "Accept", "text/html").Status(404).Contains(`<html lang="en">`, "404 Not Found")
}

// asking returns a function that sends JSON, or nothing, with headers in pairs.
func asking(t *testing.T, app *retort.App) func(method, path string, v any, headers ...string) *retorttest.Response {
	t.Helper()
	client := retorttest.New(t, app)
	return func(method, path string, v any, headers ...string) *retorttest.Response {
		data, err := json.Marshal(v)
		must(t, err)
		r := client.NewRequest(method, path, bytes.NewReader(data))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json")
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return client.Do(r)
	}
}
