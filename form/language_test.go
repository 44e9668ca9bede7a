package form_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
)

// foreign speaks a language that has no letter of the English one: each letter is another
// from the Greek alphabet. What stands in braces is left.
type foreign struct{}

var braces = regexp.MustCompile(`\{[a-z_]+\}`)

func (foreign) Text(_ context.Context, text, _ string, _ int) string {
	var b strings.Builder
	done := 0
	for _, at := range append(braces.FindAllStringIndex(text, -1), []int{len(text), len(text)}) {
		b.WriteString(strings.Map(func(c rune) rune {
			switch {
			case 'a' <= c && c <= 'z':
				return 'α' + (c-'a')%24
			case 'A' <= c && c <= 'Z':
				return 'Α' + (c-'A')%17
			}
			return c
		}, text[done:at[0]]))
		b.WriteString(text[at[0]:at[1]])
		done = at[1]
	}
	return b.String()
}

func (foreign) Language() string { return "el" }

func (foreign) Parse(_ context.Context, _, text string) (string, bool) { return text, false }

func (foreign) Format(_ context.Context, _, plain string) string { return plain }

var (
	address  = regexp.MustCompile(`https?://`) // which is no word
	visible  = regexp.MustCompile(`(?s)<(?:script|style)[^>]*>.*?</(?:script|style)>|<[^>]*>`)
	readable = regexp.MustCompile(` (?:placeholder|title|aria-label|label|alt)="([^"]*)"`)
)

// english are the words in what a page shows that the language does not have.
func english(page string) []string {
	text := visible.ReplaceAllString(page, " ")
	for _, m := range readable.FindAllStringSubmatch(page, -1) {
		text += " " + m[1]
	}
	var words []string
	for _, word := range strings.FieldsFunc(address.ReplaceAllString(text, ""), func(c rune) bool { return !unicode.IsLetter(c) }) {
		if word[0] < 0x80 {
			words = append(words, word)
		}
	}
	return words
}

// Worded has something of all that can be said.
type Worded struct {
	Title string    `validate:"required,max=3" help:"Short and clear"`
	Slug  string    `validate:"slug"`
	Kind  string    `validate:"one_of=big|small" widget:"radio"`
	Tags  []string  `validate:"max=1,each,one_of=red|blue"`
	Born  time.Time `widget:"select-date"`
	When  time.Time `widget:"split"`
	Size  int       `validate:"min=1,max=5"`
	Sure  *bool     `label:"Are you sure?"`
	Mail  string    `validate:"email"`
	Link  string    `validate:"url"`
}

func TestNoEnglishIsLeftInAnotherLanguage(t *testing.T) {
	t.Parallel()
	r := post("title", "1234", "slug", "ß", "kind", "3", "tags", "3", "born_year", "2026", "born_month", "13", "born_day", "1",
		"when_date", "1", "when_time", "2", "size", "9", "mail", "1", "link", "1")
	plain(t).serve(r, func(c *retort.Ctx) {
		c = c.WithContext(form.WithLocale(c, foreign{}))
		f := form.For(c, func(w *Worded) form.Options {
			return form.Options{
				Widgets:  form.Widgets{&w.Slug: form.Text{Placeholder: "A name"}},
				Sections: []form.Section{{Legend: "What it is", Help: "All of it", Fields: form.Fields(&w.Title)}},
			}
		})
		if f.Valid() {
			t.Fatal("valid")
		}
		f.AddError(nil, "", "This is a sentence of the program.")
		page, err := f.Render()
		must(t, err)
		if words := english(string(page)); len(words) > 0 {
			t.Errorf("English words %q in\n%s", words, page)
		}
		for _, e := range f.Errors() {
			if words := english(e.Message); len(words) > 0 {
				t.Errorf("%s: %s", e.Field, e.Message)
			}
		}
		if got := form.Translate(c, "Saved"); got == "Saved" {
			t.Error(got)
		}
	})
}

func TestAFormsetHasNoEnglishInAnotherLanguage(t *testing.T) {
	t.Parallel()
	r := post("worded-TOTAL_FORMS", "3", "worded-0-title", "1", "worded-0-slug", "2", "worded-1-title", "1", "worded-1-slug", "2", "worded-2-title", "12345")
	plain(t).serve(r, func(c *retort.Ctx) {
		c = c.WithContext(form.WithLocale(c, foreign{}))
		s := form.FormsetFor(c, func(w *Worded) form.FormsetOptions {
			return form.FormsetOptions{
				Form:   form.Options{Fields: form.Fields(&w.Title, &w.Slug)},
				Prefix: "worded", Max: 2, CanDelete: true, CanOrder: true, Unique: [][]any{{&w.Title, &w.Slug}},
			}
		})
		if s.Valid() {
			t.Fatal("valid")
		}
		page, err := s.Render()
		must(t, err)
		if words := english(string(page)); len(words) > 0 {
			t.Errorf("English words %q in\n%s", words, page)
		}
		for _, e := range s.Errors() {
			if words := english(e.Message); len(words) > 0 {
				t.Errorf("%s: %s", e.Field, e.Message)
			}
		}
	})
}

func TestTimesThatTheClocksLeaveOut(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err) // Go brings the zones along
	}
	for text, code := range map[string]string{
		"2026-03-29T01:59": "", "2026-03-29T02:00": "skipped_time", "2026-03-29T02:30": "skipped_time", "2026-03-29T02:59:59": "skipped_time",
		"2026-03-29T03:00": "", "2026-10-25T02:30": "",
	} {
		plain(t).serve(post("when", text), func(c *retort.Ctx) {
			f := form.For(c, func(e *Every) form.Options { return form.Options{Fields: form.Fields(&e.When), Location: berlin} })
			if ok := f.Valid(); ok != (code == "") || code != "" && !f.HasError(&f.Value().When, code) {
				t.Error(text, ok, f.Errors())
			}
		})
	}
}
