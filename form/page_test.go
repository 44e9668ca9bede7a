package form_test

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
)

func TestTheWholeWay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	edit := func(c *retort.Ctx) error {
		row := Posts.New()
		if id := c.Param("id"); id != "" {
			var err error
			if row, err = Posts.Where(orm.Lookup("id", id)).Get(c); err != nil {
				return retort.NotFound("").Wrap(err)
			}
		}
		f := form.For(c, postForm).Instance(row)
		if saved, err := f.Save(c); err != nil {
			return err
		} else if saved {
			return c.Redirect("/done")
		}
		return c.Status(f.Status()).RenderString(`<form {{ form.attrs }}>{{ form }}<button>Save</button></form>`, map[string]any{"form": f})
	}
	s.app.Methods([]string{"GET", "POST"}, "/new", edit)
	s.app.Methods([]string{"GET", "POST"}, "/{id:int}", edit)
	client := retorttest.New(t, s.app)
	client.EnforceCSRF = true

	page := client.Get("/new").Status(200).Contains(`<form method="post">`, `<option value="2">adam</option>`).Lacks("error-summary", "aria-invalid")
	values := url.Values{"csrf_token": {page.Field("csrf_token")}, "title": {`"quoted"`}, "slug": {"hello"}, "author": {"2"}, "tags": {"3"}, "number": {"x"}}
	page = client.PostForm("/new", values).Status(422)
	page.Contains(`value="&#34;quoted&#34;"`, `value="x"`, `<option value="2" selected>adam`, `value="3" checked> &lt;b&gt;`,
		`<a href="#id_slug">Slug is taken already.</a>`, `<a href="#id_number">Number must be a whole number.</a>`, `<a href="#id_year">Year is required.</a>`)
	values.Set("csrf_token", page.Field("csrf_token"))
	values.Set("slug", "quoted")
	values.Set("year", "2027")
	values.Set("number", "1")
	values.Set("stars", "2")
	client.PostForm("/new", values).Status(303).RedirectsTo("/done")

	page = client.Get("/2").Status(200).Contains(`value="&#34;quoted&#34;"`, `value="3" checked`, `name="stars" required value="2"`)
	values.Set("csrf_token", page.Field("csrf_token"))
	values.Set("title", "plain")
	values.Set("status", "draft")
	values.Del("tags")
	client.PostForm("/2", values).Status(303)
	row, err := Posts.Where(orm.Eq(&Posts.Fields().ID, 2)).Get(s.ctx)
	must(t, err)
	if row.Title != "plain" || row.Stars != 2 || tagNames(t, s.ctx, row) != "" {
		t.Errorf("%+v", row)
	}
	client.Get("/99").Status(404)
	values.Set("csrf_token", "forged")
	client.PostForm("/2", values).Status(403)
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ template, unbound, bound string }{
		"attributes of the form": {`{{ form.attrs }} {{ form.multipart }} {{ form.submitted }} {{ form.valid }} {{ form.changed|join(" ") }}`, `method="post" False False False `, `method="post" False True False email password`},
		"the visible fields":     {`{% for field in form %}{{ loop.index }}/{{ loop.length }} {{ field.name }} {% endfor %}{{ form|length }}`, "1/3 email 2/3 password 3/3 remember 3", "1/3 email 2/3 password 3/3 remember 3"},
		"all fields":             {`{% for field in form.fields if field.hidden %}{{ field.input }}{% endfor %}`, `<input type="hidden" name="next" id="id_next" value="">`, `<input type="hidden" name="next" id="id_next" value="">`},
		"a field by name":        {`{{ form.email.id }} {{ form["email"].name }} {{ form.nothing is defined }}`, "id_email email False", "id_email email False"},
		"texts":                  {`{{ form.password.label }}: {{ form.password.help }}. {{ form.remember.label }}`, "Password: At least 8 characters. Stay signed in", "Password: At least 8 characters. Stay signed in"},
		"elements":               {`{{ form.email.label_tag }}{{ form.password.help_tag|trim }}`, `<label for="id_email">Email</label><p class="help" id="id_password_help">At least 8 characters</p>`, `<label for="id_email">Email</label><p class="help" id="id_password_help">At least 8 characters</p>`},
		"errors of a field":      {`{% for e in form.email.errors %}{{ e }}{% else %}none{% endfor %} {{ form.email.errors_tag|trim }}`, "none ", `Email must be an e-mail address. <ul class="errors" id="id_email_errors"><li>Email must be an e-mail address.</li></ul>`},
		"errors of the whole":    {`{{ form.errors|join }}`, "", "No &lt;entry&gt;"},
		"state":                  {`{{ form.email.required }} {{ form.email.value }} {{ form.email.changed }} {{ form.password.value }}`, "True  False ", "True &lt;x&gt; True "},
		"attributes of an input": {`{{ form.email.attr("class", "wide", "maxlength", 9, "required", false).input }}`, `<input type="email" id="id_email" name="email" class="wide" maxlength="9">`, `<input type="email" id="id_email" name="email" aria-invalid="true" aria-describedby="id_email_errors" autofocus class="wide" maxlength="9" value="&lt;x&gt;">`},
		"a field with the rest":  {`{{ form.remember }}`, "<div class=\"field checkbox\">\n<input type=\"checkbox\" value=\"true\" id=\"id_remember\" name=\"remember\">\n<label for=\"id_remember\">Stay signed in</label>\n</div>\n", "<div class=\"field checkbox\">\n<input type=\"checkbox\" value=\"true\" id=\"id_remember\" name=\"remember\">\n<label for=\"id_remember\">Stay signed in</label>\n</div>\n"},
		"in a macro":             {`{% macro row(f) %}<p>{{ f.label_tag }}</p>{% endmacro %}{{ row(form.email) }}`, `<p><label for="id_email">Email</label></p>`, `<p><label for="id_email">Email</label></p>`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := retort.New(retort.Config{SecretKey: testKey})
			app.Methods([]string{"GET", "POST"}, "/", func(c *retort.Ctx) error {
				f := form.For[Login](c)
				if f.Submitted() && !f.Valid() {
					f.AddError(nil, "x", "No <entry>")
				}
				return c.Status(f.Status()).RenderString(tt.template, map[string]any{"form": f})
			})
			client := retorttest.New(t, app)
			if diff := cmp.Diff(tt.unbound, client.Get("/").Status(200).Text()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.bound, client.PostForm("/", url.Values{"email": {"<x>"}, "password": {"short"}}).Status(422).Text()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAFormWithoutFields(t *testing.T) {
	t.Parallel()
	type Nothing struct{}
	app := retort.New(retort.Config{SecretKey: testKey})
	app.Methods([]string{"GET", "POST"}, "/", func(c *retort.Ctx) error {
		f := form.For[Nothing](c)
		if f.Valid() {
			return c.Text("deleted")
		}
		return c.RenderString(`{% for field in form %}x{% endfor %}{{ form }}`, map[string]any{"form": f})
	})
	client := retorttest.New(t, app)
	client.Get("/").Contains(`name="csrf_token"`).Lacks("x<")
	client.PostForm("/", url.Values{}).Status(200).Contains("deleted")
}

func TestErrorsEndTheRender(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	app := retort.New(retort.Config{SecretKey: testKey, Logger: slog.New(slog.DiscardHandler)})
	app.TranslateError(func(err error) error {
		if errors.Is(err, orm.ErrNoDatabase) || errors.Is(err, away) {
			return retort.ServiceUnavailable(0, "").Wrap(err)
		}
		return nil
	})
	app.Methods([]string{"GET", "POST"}, "/", func(c *retort.Ctx) error {
		return c.RenderString(`<h1>Form</h1>{{ form }}`, map[string]any{"form": form.For(c, postForm)})
	})
	app.Methods([]string{"GET", "POST"}, "/login", func(c *retort.Ctx) error {
		return c.RenderString(`{{ form }}`, map[string]any{"form": form.For[Login](c)})
	})
	app.Get("/attr", func(c *retort.Ctx) error {
		return c.RenderString(`{{ form.email.attr("on click", 1).input }}`, map[string]any{"form": form.For[Login](c)})
	})
	client := retorttest.New(t, app)
	client.Get("/").Status(503).Lacks("<h1>Form")
	client.JSON("POST", "/login", []int{1}).Status(400)
	client.Get("/attr").Status(500)
}

func TestFiles(t *testing.T) {
	t.Parallel()
	type Letter struct {
		Title   string `validate:"required"`
		Picture *bind.File
		More    []*bind.File `validate:"max=2"`
	}
	app := retort.New(retort.Config{SecretKey: testKey})
	app.Methods([]string{"GET", "POST"}, "/", func(c *retort.Ctx) error {
		f := form.For(c, func(l *Letter) form.Options {
			return form.Options{
				Required: form.Fields(&l.Picture),
				Widgets:  form.Widgets{&l.Picture: form.File{Accept: "image/*"}},
			}
		})
		if f.Valid() {
			v := f.Value()
			return c.Text(v.Title + " " + v.Picture.Filename + " " + strings.Join(f.Changed(), ","))
		}
		return c.Status(f.Status()).RenderString(`<form {{ form.attrs }}>{{ form }}`, map[string]any{"form": f})
	})
	client := retorttest.New(t, app)
	client.Get("/").Contains(`enctype="multipart/form-data"`, `<input type="file" accept="image/*" id="id_picture" name="picture" required>`, `<input type="file" multiple id="id_more"`)
	title := url.Values{"title": {"t"}}
	client.PostFiles("/", title, retorttest.File{Field: "picture"}).Status(422).Contains("Picture is required.", `value="t"`)
	picture := retorttest.File{Field: "picture", Name: "a.png", Content: []byte("x")}
	client.PostFiles("/", title, picture).Status(200).Contains("t a.png title,picture")
	more := retorttest.File{Field: "more", Name: "b", Content: []byte("x")}
	client.PostFiles("/", title, picture, more, more).Status(200).Contains("title,picture,more")
	client.PostFiles("/", title, picture, more, more, more).Status(422).Contains("More must have at most 2 items.")
	client.PostForm("/", url.Values{"title": {"t"}, "picture": {"a.png"}}).Status(422).Contains("Picture is required.")
}
