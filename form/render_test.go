package form_test

import (
	"html"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/template"
)

type Profile struct {
	Name   string    `validate:"required,min=2,max=40" help:"As on your card"`
	Nick   string    `validate:"slug"`
	Zip    string    `validate:"pattern=^[0-9]{5}$"`
	Word   string    `validate:"pattern=^a|b$"`
	Age    int       `validate:"min=18,max=120"`
	Step   int       `validate:"multiple_of=5"`
	Height float64   `label:"Height & width"`
	Bio    string    `widget:"textarea"`
	Born   time.Time `widget:"date"`
	Wakes  time.Time `widget:"time"`
	Agree  bool      `validate:"required"`
	Size   string    `validate:"required,one_of=s|m" widget:"radio"`
	Extras []string  `validate:"each,one_of=a|b"`
	Secret string    `widget:"password" validate:"min=8"`
	Code   string    `widget:"hidden"`
}

// TestHTML compares the HTML of single fields, unbound and with errors.
func TestHTML(t *testing.T) {
	t.Parallel()
	unbound := map[string]string{
		"name": `<div class="field text required">
<label for="id_name">Name</label>
<input type="text" minlength="2" maxlength="40" id="id_name" name="name" required aria-describedby="id_name_help">
<p class="help" id="id_name_help">As on your card</p>
</div>
`,
		"nick": `<div class="field text">
<label for="id_nick">Nick</label>
<input type="text" pattern="[A-Za-z0-9_\-]+" title="Nick must consist of letters, digits, hyphens and underscores." id="id_nick" name="nick">
</div>
`,
		"zip": `<div class="field text">
<label for="id_zip">Zip</label>
<input type="text" pattern="[0-9]{5}" title="Zip has the wrong form." id="id_zip" name="zip">
</div>
`,
		"word": `<div class="field text">
<label for="id_word">Word</label>
<input type="text" id="id_word" name="word">
</div>
`,
		"age": `<div class="field number">
<label for="id_age">Age</label>
<input type="number" min="18" max="120" id="id_age" name="age">
</div>
`,
		"step": `<div class="field number">
<label for="id_step">Step</label>
<input type="number" step="5" id="id_step" name="step">
</div>
`,
		"height": `<div class="field number">
<label for="id_height">Height &amp; width</label>
<input type="number" step="any" id="id_height" name="height">
</div>
`,
		"bio": `<div class="field textarea">
<label for="id_bio">Bio</label>
<textarea rows="6" id="id_bio" name="bio">
</textarea>
</div>
`,
		"born": `<div class="field date">
<label for="id_born">Born</label>
<input type="date" id="id_born" name="born">
</div>
`,
		"agree": `<div class="field checkbox required">
<input type="checkbox" value="true" id="id_agree" name="agree" required>
<label for="id_agree">Agree</label>
</div>
`,
		"size": `<fieldset class="field radio required" id="id_size">
<legend>Size</legend>
<div class="options"><label><input type="radio" id="id_size_0" name="size" value="s" required> S</label><label><input type="radio" id="id_size_1" name="size" value="m" required> M</label></div>
</fieldset>
`,
		"extras": `<fieldset class="field checkboxlist" id="id_extras">
<legend>Extras</legend>
<div class="options"><label><input type="checkbox" id="id_extras_0" name="extras" value="a"> A</label><label><input type="checkbox" id="id_extras_1" name="extras" value="b"> B</label></div>
</fieldset>
`,
		"secret": `<div class="field password">
<label for="id_secret">Secret</label>
<input type="password" minlength="8" id="id_secret" name="secret">
</div>
`,
		"code": `<input type="hidden" name="code" id="id_code" value="">
`,
	}
	bound := map[string]string{
		"name": `<div class="field text required invalid">
<label for="id_name">Name</label>
<input type="text" minlength="2" maxlength="40" id="id_name" name="name" required aria-invalid="true" aria-describedby="id_name_help id_name_errors" autofocus value="&lt;">
<p class="help" id="id_name_help">As on your card</p>
<ul class="errors" id="id_name_errors"><li>Name must have at least 2 characters.</li></ul>
</div>
`,
		"age": `<div class="field number invalid">
<label for="id_age">Age</label>
<input type="number" min="18" max="120" id="id_age" name="age" aria-invalid="true" aria-describedby="id_age_errors" value="x&#34; onfocus=&#34;alert(1)">
<ul class="errors" id="id_age_errors"><li>Age must be a whole number.</li></ul>
</div>
`,
		"bio": `<div class="field textarea">
<label for="id_bio">Bio</label>
<textarea rows="6" id="id_bio" name="bio">
&lt;/textarea&gt;&lt;script&gt;</textarea>
</div>
`,
		"born": `<div class="field date invalid">
<label for="id_born">Born</label>
<input type="date" id="id_born" name="born" aria-invalid="true" aria-describedby="id_born_errors" value="yesterday">
<ul class="errors" id="id_born_errors"><li>Born must be a date such as 2006-01-31.</li></ul>
</div>
`,
		"size": `<fieldset class="field radio required invalid" id="id_size" aria-describedby="id_size_errors">
<legend>Size</legend>
<div class="options"><label><input type="radio" id="id_size_0" name="size" value="s" required> S</label><label><input type="radio" id="id_size_1" name="size" value="m" required> M</label></div>
<ul class="errors" id="id_size_errors"><li>Size is not one of the choices.</li></ul>
</fieldset>
`,
		"extras": `<fieldset class="field checkboxlist" id="id_extras">
<legend>Extras</legend>
<div class="options"><label><input type="checkbox" id="id_extras_0" name="extras" value="a"> A</label><label><input type="checkbox" id="id_extras_1" name="extras" value="b" checked> B</label></div>
</fieldset>
`,
		"secret": `<div class="field password invalid">
<label for="id_secret">Secret</label>
<input type="password" minlength="8" id="id_secret" name="secret" aria-invalid="true" aria-describedby="id_secret_errors">
<ul class="errors" id="id_secret_errors"><li>Secret must have at least 8 characters.</li></ul>
</div>
`,
		"code": `<input type="hidden" name="code" id="id_code" value="&#34;&gt;">
`,
	}
	compare := func(c *retort.Ctx, want map[string]string) {
		f := form.For[Profile](c)
		f.Valid()
		_, err := f.Render()
		must(t, err)
		for name, html := range want {
			for _, field := range fieldsOf(f) {
				if field.Name() == name {
					if diff := cmp.Diff(html, field.HTML()); diff != "" {
						t.Errorf("%s: %s", name, diff)
					}
				}
			}
		}
	}
	plain(t).serve(get(), func(c *retort.Ctx) { compare(c, unbound) })
	plain(t).serve(post("name", "<", "age", `x" onfocus="alert(1)`, "bio", "</textarea><script>", "born", "yesterday", "size", "xxl",
		"extras", "b", "secret", "seven", "code", `">`, "agree", "on"), func(c *retort.Ctx) { compare(c, bound) })
}

// fieldsOf lists a form's fields as a template does.
func fieldsOf[T any](f *form.Form[T]) []*form.Field {
	v, err := f.TemplateValue()
	if err != nil {
		panic(err)
	}
	fields, _ := v.(interface{ TemplateAttr(string) (any, bool) }).TemplateAttr("fields")
	return fields.([]*form.Field)
}

func TestErrorSummary(t *testing.T) {
	t.Parallel()
	plain(t).serve(post("email", "x", "password", "short", "remember", "perhaps", "next", "\x00"), func(c *retort.Ctx) {
		f := form.For[Login](c)
		f.Valid()
		f.AddError(nil, "x", "No <such> user")
		v, err := f.TemplateValue()
		must(t, err)
		got, _ := v.(interface{ TemplateAttr(string) (any, bool) }).TemplateAttr("errors_tag")
		want := `<div class="error-summary" role="alert">
<p>Please correct what is marked.</p>
<ul>
<li>No &lt;such&gt; user.</li>
<li><a href="#id_email">Email must be an e-mail address.</a></li>
<li><a href="#id_password">Password must have at least 8 characters.</a></li>
<li><a href="#id_remember">Stay signed in must be true or false.</a></li>
<li>Next must not contain the null character.</li>
</ul>
</div>
`
		if diff := cmp.Diff(want, textOf(got)); diff != "" {
			t.Error(diff)
		}
	})
}

func textOf(v any) string { return string(v.(template.Safe)) }

func TestWhatWasTypedIsShownAgain(t *testing.T) {
	t.Parallel()
	plain(t).serve(post("int", " 4.5 ", "email", "a\x00b\xff", "words", "a,,b", "when", "soon", "color", "<i>", "bool", "on"), func(c *retort.Ctx) {
		f := form.For[Every](c)
		f.Valid()
		page, err := f.Render()
		must(t, err)
		for _, want := range []string{
			`name="int" aria-invalid="true" aria-describedby="id_int_errors" value=" 4.5 "`,
			`value="ab` + "\uFFFD" + `"`, `value="a,,b"`, `value="soon"`, `id="id_bool" name="bool" checked>`,
		} {
			if !strings.Contains(string(page), want) {
				t.Errorf("no %s in\n%s", want, page)
			}
		}
		if strings.Contains(string(page), "<i>") || strings.ContainsRune(string(page), 0) {
			t.Error("the page has what it must not")
		}
	})
}

func TestValuesOfARowAreShown(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	row := Every{
		Text: `"x"`, Secret: "hidden", Area: "\nfirst line", Int: -3, Float: 0.1, Bool: true, Maybe: new(false), When: noon, Day: noon, Clock: noon,
		Wait: time.Minute, Words: []string{"a", "b"}, Colors: []string{"red"}, Status: Live,
	}
	plain(t).serve(get(), func(c *retort.Ctx) {
		f := form.For(c, func(*Every) form.Options {
			return form.Options{Location: time.FixedZone("", 2*60*60)}
		}).Instance(&row)
		page, err := f.Render()
		must(t, err)
		for _, want := range []string{
			`value="&#34;x&#34;"`, ">\n\nfirst line</textarea>", `value="-3"`, `value="0.1"`, `name="bool" checked`, `<option value="false" selected>No`,
			`value="2026-01-02T14:00"`, `value="2026-01-02"`, `value="14:00"`, `value="1m0s"`, `value="a, b"`, `value="red" checked`, `<option value="live" selected>`,
			`name="tiny" value="0"`,
		} {
			if !strings.Contains(string(page), want) {
				t.Errorf("no %s in\n%s", want, page)
			}
		}
		if strings.Contains(string(page), `value="hidden"`) {
			t.Error("the password is on the page")
		}
	})
}

func TestTooManyRowsAreNotListed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var authors []*Author
	for i := range 250 {
		authors = append(authors, &Author{Name: "author " + strconv.Itoa(i)})
	}
	must(t, Authors.Insert(s.ctx, authors...))
	options := func(most int) func(p *Post) form.Options {
		return func(p *Post) form.Options {
			return form.Options{Fields: form.Fields(&p.Author, &p.Tags), MaxOptions: most}
		}
	}
	s.serve(get(), func(c *retort.Ctx) {
		row, err := Posts.First(c)
		must(t, err)
		page, err := form.For(c, options(0)).Instance(row).Render()
		must(t, err)
		want := `<input type="number" list="id_author_list" autocomplete="off" placeholder="Key" min="1" id="id_author" name="author" required value="1"><datalist id="id_author_list">`
		if !strings.Contains(string(page), want) || strings.Count(string(page), "<option") != 200 {
			t.Errorf("%d options, %s", strings.Count(string(page), "<option"), page)
		}
		page, err = form.For(c, options(2)).Instance(row).Render()
		must(t, err)
		want = `<input type="text" list="id_tags_list" autocomplete="off" placeholder="Keys, with commas between" id="id_tags" name="tags" value="1, 2">`
		if !strings.Contains(string(page), want) || strings.Contains(string(page), "fieldset") {
			t.Error(string(page))
		}
	})
	s.serve(post("author", "252", "tags", "3, 1"), func(c *retort.Ctx) {
		f := form.For(c, options(2))
		if !f.Valid() || f.Value().Author.ID != 252 {
			t.Error(f.Errors(), f.Err())
		}
	})
}

func TestAttr(t *testing.T) {
	t.Parallel()
	plain(t).serve(get(), func(c *retort.Ctx) {
		f := form.For[Login](c)
		field := f.Field(&f.Value().Email)
		wide, err := field.Attr("class", "wide", "data-x", `"<&'`, "required", false, "readonly", true, "rows", 4)
		must(t, err)
		wide, err = wide.Attr("class", "tall")
		must(t, err)
		got, _ := wide.TemplateAttr("input")
		want := `<input type="email" id="id_email" name="email" class="wide tall" data-x="` + html.EscapeString(`"<&'`) + `" readonly rows="4">`
		if diff := cmp.Diff(want, textOf(got)); diff != "" {
			t.Error(diff)
		}
		if got, _ := field.TemplateAttr("input"); textOf(got) != `<input type="email" id="id_email" name="email" required>` {
			t.Error("the field itself changed: ", got)
		}
		for _, pairs := range [][]any{
			{"class"}, {"", "x"}, {"a b", "x"}, {"a>", "x"}, {"a=b", "x"}, {`a"`, "x"}, {"a/", "x"}, {1, "x"}, {"a\n", "x"}, {"ä", "x"},
		} {
			if _, err := field.Attr(pairs...); err == nil || !strings.HasPrefix(err.Error(), "form: ") {
				t.Errorf("%q: %v", pairs, err)
			}
		}
	})
}

// Stars is a widget of one's own.
type Stars struct{}

func (Stars) UsesOptions() bool { return true }

func (Stars) Render(dst []byte, f *form.Field) []byte {
	attributes, err := f.Attributes("class", "stars")
	if err != nil {
		return dst
	}
	dst = append(dst, "<star-rating"+attributes+">"...)
	for _, o := range f.Options() {
		dst = append(dst, o.Value+"="+html.EscapeString(o.Label)+";"...)
	}
	return append(dst, "</star-rating>"...)
}

func TestWidgetOfOnesOwn(t *testing.T) {
	t.Parallel()
	type Review struct{ Stars int }
	plain(t).serve(get(), func(c *retort.Ctx) {
		page, err := form.For(c, func(r *Review) form.Options {
			return form.Options{
				Widgets: form.Widgets{&r.Stars: Stars{}},
				From:    form.Sources{&r.Stars: form.Choices{{Value: 1, Label: "bad"}, {Value: 2, Label: "<good>"}}},
			}
		}).Render()
		must(t, err)
		want := `<div class="field stars">
<label for="id_stars">Stars</label>
<star-rating class="stars" id="id_stars" name="stars">1=bad;2=&lt;good&gt;;</star-rating>
</div>`
		if !strings.Contains(string(page), want) {
			t.Error(string(page))
		}
	})
	plain(t).serve(post("stars", "3"), func(c *retort.Ctx) {
		f := form.For(c, func(r *Review) form.Options {
			return form.Options{From: form.Sources{&r.Stars: form.Choices{{Value: 1}, {Value: 2}}}}
		})
		if f.Valid() || !f.Errors().Has("stars", "choice") {
			t.Error(f.Errors())
		}
	})
}

func TestRowsWithoutANameOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.serve(get(), func(c *retort.Ctx) {
		f := form.For(c, func(n *Note) form.Options { return form.Options{Fields: form.Fields(&n.About)} })
		_, err := f.Render()
		must(t, err)
		if got := f.Field(&f.Value().About).Options(); len(got) != 1 || got[0].Label != "Post 1" {
			t.Error(got)
		}
	})
}

// Note refers to a model that has no String method.
type Note struct {
	orm.Model
	About orm.FK[Post] `orm:"on_delete=cascade"`
}

var _ = orm.Register[Note]()
