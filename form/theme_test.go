package form_test

import (
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/retorttest"
)

// Visit is a form to be laid out.
type Visit struct {
	Name  string `validate:"required" help:"In full"`
	Zip   string
	City  string
	When  string `widget:"date"`
	Kind  string `validate:"one_of=a|b" widget:"radio"`
	Token string `widget:"hidden"`
}

// themed serves a form with options on a page of the source.
func themed(t *testing.T, files fstest.MapFS, theme form.Theme, options func(v *Visit) form.Options, page string) *retorttest.Client {
	t.Helper()
	app := retort.New(retort.Config{SecretKey: testKey, Logger: slog.New(slog.DiscardHandler), Assets: retort.Embed(files)})
	app.Install(form.New(form.Config{Theme: theme, Locale: func(c *retort.Ctx) form.Locale {
		if c.Query("lang") == "de" {
			return german{}
		}
		return nil
	}}))
	app.Methods([]string{"GET", "POST"}, "/", func(c *retort.Ctx) error {
		f := form.For(c, options)
		f.Valid()
		return c.Status(f.Status()).RenderString(page, map[string]any{"form": f})
	})
	return retorttest.New(t, app)
}

func TestTemplatesOfOnesOwn(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"templates/form.html":   {Data: []byte(`<section>{{ form.errors_tag }}{% for f in form %}{{ f }}{% endfor %}|{{ form }}</section>`)},
		"templates/field.html":  {Data: []byte(`[{{ field.kind }} {{ field.label_tag }} {{ field.input }}{{ field.errors|join }}]`)},
		"templates/zip.html":    {Data: []byte(`<i>{{ field }}</i>`)},
		"templates/text.html":   {Data: []byte(`<input {{ field.attributes }} data-own value="{{ field.value }}">`)},
		"templates/stars.html":  {Data: []byte(`<b>{{ data.max }} {{ field.name }}</b>`)},
		"templates/broken.html": {Data: []byte(`{{ 1 // 0 }}`)},
	}
	all := func(v *Visit) form.Options {
		return form.Options{
			Fields:     form.Fields(&v.Name, &v.Zip, &v.City),
			Templates:  form.Texts{&v.Zip: "zip.html"},
			Widgets:    form.Widgets{&v.City: form.Template{Name: "stars.html", Data: map[string]any{"max": 5}}},
			NoValidate: true, IDPrefix: "x-",
		}
	}
	theme := form.Theme{Form: "form.html", Field: "field.html", Widgets: map[string]string{"text": "text.html"}, LabelSuffix: ":"}
	client := themed(t, files, theme, all, `<form {{ form.attrs }}>{{ form }}</form>`)
	page := client.PostForm("/", url.Values{"name": {""}, "zip": {`"<`}}).Status(422)
	page.Contains(
		`<form method="post" novalidate><section><div class="error-summary" role="alert">`, `<a href="#x-name">Name is required.</a>`,
		`[text <label for="x-name">Name:</label> <input id="x-name" name="name" required aria-invalid="true" aria-describedby="x-name_help x-name_errors" autofocus data-own value="">Name is required.]`,
		`<i><div class="field text">`, `<input id="x-zip" name="zip" data-own value="&#34;&lt;">`, `<b>5 city</b>`,
		// The form within its own template is the one of this package.
		`|<input type="hidden" name="csrf_token"`,
	)
	broken := func(v *Visit) form.Options { return form.Options{Template: "broken.html"} }
	themed(t, files, form.Theme{}, broken, `{{ form }}`).Get("/").Status(500)
	missing := func(v *Visit) form.Options { return form.Options{Theme: &form.Theme{Field: "nothing.html"}} }
	themed(t, files, form.Theme{}, missing, `{{ form }}`).Get("/").Status(500)
	own := func(v *Visit) form.Options {
		return form.Options{Theme: &form.Theme{RequiredClass: "needed"}, Fields: form.Fields(&v.Name)}
	}
	themed(t, files, theme, own, `{{ form }}`).Get("/?lang=de").Contains(`class="field text required needed"`).Lacks("section")
	themed(t, files, form.Theme{}, own, `{{ form }}`).PostForm("/?lang=de", nil).Contains(`Name ist erforderlich.`)
}

func TestLayouts(t *testing.T) {
	t.Parallel()
	sections := func(v *Visit) form.Options {
		return form.Options{Sections: []form.Section{
			{Legend: "Who & where", Help: "All of it", Class: "wide", Fields: form.Fields(&v.Name)},
			{Fields: form.Fields(&v.Zip, &v.City)},
		}}
	}
	page := themed(t, nil, form.Theme{}, sections, `{{ form }}|{% for s in form.sections %}{{ s.legend }}:{{ s.fields|length }} {% endfor %}|{% for f in form %}{{ f.name }} {% endfor %}`).Get("/").Status(200).Text()
	for _, want := range []string{
		"<fieldset class=\"section wide\">\n<legend>Who &amp; where</legend>\n<p class=\"help\">All of it</p>\n<div class=\"field text required\">",
		"<div class=\"row\">\n<div class=\"field text\">\n<label for=\"id_zip\">",
		"</div>\n</div>\n<div class=\"field date\">",
		"|Who &amp; where:1 :2 |name zip city when kind ",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	plainly := func(v *Visit) form.Options { return form.Options{Fields: form.Fields(&v.Name, &v.Kind)} }
	client := themed(t, nil, form.Theme{}, plainly, `{{ form.as_table }}{{ form.as_list }}{{ form.as_p }}`)
	client.PostForm("/", nil).Contains(
		"<table>\n<tr class=\"field text required invalid\"><th scope=\"row\"><label for=\"id_name\">Name</label></th><td><input type=\"text\"",
		"<tr class=\"field radio\"><th scope=\"row\"></th><td><fieldset class=\"field radio\" id=\"id_kind\">",
		"<ul>\n<li><div class=\"field text required invalid\">",
		"<ul class=\"errors\" id=\"id_name_errors\"><li>Name is required.</li></ul>\n<p class=\"field text required invalid\"><label for=\"id_name\">Name</label> <input",
		"<span class=\"help\" id=\"id_name_help\">In full</span></p>",
	)
	twice := func(v *Visit) form.Options {
		return form.Options{Sections: []form.Section{{Fields: form.Fields(&v.Name)}, {Fields: form.Fields(&v.Name)}}}
	}
	plain(t).serve(get(), func(c *retort.Ctx) {
		if err := form.For(c, twice).Err(); err == nil || !strings.Contains(err.Error(), "Sections lists Visit.Name twice") {
			t.Error(err)
		}
		if err := form.For(c, func(*Visit) form.Options { return form.Options{IDPrefix: `"`} }).Err(); err == nil {
			t.Error("an id with quotes")
		}
	})
}

func TestAttributesByName(t *testing.T) {
	t.Parallel()
	only := func(v *Visit) form.Options { return form.Options{Fields: form.Fields(&v.Zip)} }
	themed(t, nil, form.Theme{}, only, `{{ form.zip.attrs(class="wide", data_unit="km", required=true).input }}`).Get("/").
		Contains(`<input type="text" id="id_zip" name="zip" class="wide" data-unit="km" required>`)
	themed(t, nil, form.Theme{}, only, `{{ form.zip.attrs(**{"on x": 1}).input }}`).Get("/").Status(500)
}

// picker is a widget with files.
type picker struct {
	form.Text
	media form.Media
}

func (p picker) Media() form.Media { return p.media }

func TestMedia(t *testing.T) {
	t.Parallel()
	options := func(v *Visit) form.Options {
		return form.Options{Widgets: form.Widgets{
			&v.Name: picker{media: form.Media{Styles: []string{"/a.css"}, Scripts: []string{"/b.js", "/c.js"}}},
			&v.Zip:  picker{media: form.Media{Styles: []string{"/a.css"}, Scripts: []string{"/a.js", "/b.js"}}},
			&v.City: form.Suggest{URL: "/cities"},
		}}
	}
	client := themed(t, fstest.MapFS{"static/x.css": {}}, form.Theme{}, options, `{{ form.media }}`)
	page := client.Get("/").Status(200).Text()
	var files []string
	for line := range strings.Lines(page) {
		line, _, _ = strings.Cut(line, ` nonce="`)
		files = append(files, strings.TrimSpace(line))
	}
	if len(files) != 5 || files[0] != `<link rel="stylesheet" href="/a.css"` || strings.Count(page, ` nonce="`) != 5 {
		t.Fatal(page)
	}
	order := ""
	for _, script := range files[1:] {
		for _, name := range []string{"/a.js", "/b.js", "/c.js", "/form."} {
			if strings.Contains(script, name) {
				order += name
			}
		}
	}
	if diff := cmp.Diff("/a.js/b.js/c.js/form.", order); diff != "" {
		t.Error(diff, page)
	}
	_, script, _ := strings.Cut(files[4], `src="`)
	script, _, _ = strings.Cut(script, `"`)
	client.Get(script).Status(200).Contains("TOTAL_FORMS")
	css := themed(t, nil, form.Theme{}, options, `{{ static("form/form.css") }}`).Get("/").Text()
	client.Get(css).Status(200).Contains(".error-summary")
}

func TestMediaWithAttributes(t *testing.T) {
	t.Parallel()
	options := func(v *Visit) form.Options {
		return form.Options{Widgets: form.Widgets{
			&v.Name: picker{media: form.Media{
				Styles: []string{"/print.css"}, Scripts: []string{"/map.js", "/old.js"},
				Attrs: map[string][]any{
					"/print.css": {"media", "print"},
					"/map.js":    {"integrity", `sha384-"x"`, "async", true},
				},
			}},
			&v.Zip: picker{media: form.Media{Scripts: []string{"/old.js"}, Attrs: map[string][]any{"/old.js": {"type", "text/javascript", "nonce", "mine"}}}},
		}}
	}
	page := themed(t, nil, form.Theme{}, options, `{{ form.media }}`).Get("/").Status(200).Text()
	for _, want := range []string{
		`<link rel="stylesheet" href="/print.css" media="print" nonce="`,
		`<script type="module" src="/map.js" integrity="sha384-&#34;x&#34;" async nonce="`,
		`<script type="text/javascript" src="/old.js" nonce="`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	if strings.Contains(page, "mine") || strings.Count(page, "/old.js") != 1 {
		t.Error(page)
	}
	wrong := func(v *Visit) form.Options {
		return form.Options{Widgets: form.Widgets{&v.Name: picker{media: form.Media{Styles: []string{"/a.css"}, Attrs: map[string][]any{"/a.css": {"x>y", "1"}}}}}}
	}
	themed(t, nil, form.Theme{}, wrong, `{{ form.media }}`).Get("/").Status(500)
}
