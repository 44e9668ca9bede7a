package form_test

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
)

// write is what somebody else does to a post.
func write(t *testing.T, s *site, row *Post) {
	t.Helper()
	p := Posts.Fields()
	must(t, Posts.UpdateRow(s.ctx, row, &p.Title, &p.Body, &p.Stars, &p.Pinned, &p.Published, &p.Editor))
}

func hiddenPost(p *Post) form.Options {
	fields := form.Fields(&p.Title, &p.Body, &p.Stars, &p.Pinned, &p.Published, &p.Editor, &p.Tags)
	return form.Options{Fields: fields, HiddenInitial: fields}
}

var initialInput = regexp.MustCompile(`<input type="hidden" name="(\w+_initial)" value="([^"]*)">`)

// initials are the hidden inputs with initial values of a page, as pairs.
func initials(page string) (pairs []string) {
	for _, m := range initialInput.FindAllStringSubmatch(page, -1) {
		pairs = append(pairs, m[1], html.UnescapeString(m[2]))
	}
	return pairs
}

// hiddenInPage returns the hidden inputs with initial values of the form of a post.
func hiddenInPage(t *testing.T, s *site, row *Post) (pairs []string) {
	t.Helper()
	s.serve(get(), func(c *retort.Ctx) {
		f := form.For(c, hiddenPost).Instance(row)
		must(t, c.RenderString(`{{ form }}`, map[string]any{"form": f}))
		pairs = initials(string(c.ResponseBody()))
	})
	return pairs
}

// edited is a site with a post, what its page has said of it, and that post as somebody
// else has changed it since.
func edited(t *testing.T) (s *site, row *Post, hidden []string) {
	t.Helper()
	s = newSite(t)
	row, err := Posts.Get(s.ctx)
	must(t, err)
	row.Body = "one\ntwo \"<>"
	write(t, s, row)
	hidden = hiddenInPage(t, s, row)
	row.Title, row.Body, row.Stars, row.Pinned, row.Published = "Theirs", "theirs", 2, true, nil
	row.Editor.SetID(2)
	write(t, s, row)
	third, err := Tags.Where(orm.Eq(&Tags.Fields().ID, 3)).All(s.ctx)
	must(t, err)
	must(t, row.Tags.Set(s.ctx, third...))
	row, err = Posts.Get(s.ctx)
	must(t, err)
	return s, row, hidden
}

func TestWhatTheVisitorLeftAloneStaysAsItIsByNow(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		sent    []string
		changed []string
		want    string
	}{
		"all left alone": {
			[]string{"title", "Hello", "body", "one\r\ntwo \"<>", "stars", "05", "published", "2026-01-02T03:04:05", "editor", "", "tags", "2", "tags", "1"},
			nil, "Theirs|theirs|2|true|none|2|<b>",
		},
		"some changed": {
			[]string{"title", "Mine", "body", "one\r\ntwo \"<>", "stars", "4", "pinned", "true", "published", "2026-01-02T03:04:05", "editor", "1", "tags", "1"},
			[]string{"title", "stars", "pinned", "editor", "tags"},
			"Mine|theirs|4|true|none|1|go",
		},
		"all emptied": {
			[]string{"title", "x", "body", "", "stars", "1", "published", "", "editor", ""},
			[]string{"title", "body", "stars", "published", "tags"},
			"x||1|true|none|2|",
		},
		"to what it is by now": {
			[]string{"title", "Theirs", "body", "theirs", "stars", "2", "pinned", "true", "published", "", "editor", "2", "tags", "3"},
			[]string{"title", "body", "stars", "pinned", "published", "editor", "tags"},
			"Theirs|theirs|2|true|none|2|<b>",
		},
	} {
		s, row, hidden := edited(t)
		want := []string{
			"title_initial", "Hello", "body_initial", "one\ntwo \"<>", "stars_initial", "5", "pinned_initial", "false",
			"published_initial", "2026-01-02T03:04:05", "editor_initial", "", "tags_initial", "", "tags_initial", "1", "tags_initial", "2",
		}
		if diff := cmp.Diff(want, hidden); diff != "" {
			t.Fatal(diff)
		}
		s.serve(post(append(hidden, tt.sent...)...), func(c *retort.Ctx) {
			f := form.For(c, hiddenPost).Instance(row)
			saved, err := f.Save(c)
			must(t, err)
			if !saved {
				t.Errorf("%s: %v", name, f.Errors())
			}
			if diff := cmp.Diff(tt.changed, f.Changed()); diff != "" {
				t.Errorf("%s: changed: %s", name, diff)
			}
		})
		got, err := Posts.Get(s.ctx)
		must(t, err)
		published := "none"
		if got.Published != nil {
			published = got.Published.Format(time.RFC3339)
		}
		texts := []string{got.Title, got.Body, fmt.Sprint(got.Stars), fmt.Sprint(got.Pinned), published, fmt.Sprint(got.Editor.ID), tagNames(t, s.ctx, got)}
		if diff := cmp.Diff(tt.want, strings.Join(texts, "|")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A form that comes back with errors keeps what the page said, and shows what is there by
// now where the visitor has left it alone.
func TestTheInitialValueStaysWithTheFormThatComesBack(t *testing.T) {
	t.Parallel()
	s, row, hidden := edited(t)
	s.serve(post(append(hidden, "title", "Hello", "body", "b", "stars", "9", "published", "2026-01-02T03:04:05", "tags", "1", "tags", "2")...), func(c *retort.Ctx) {
		f := form.For(c, hiddenPost).Instance(row)
		if f.Valid() {
			t.Error("nine stars are right")
		}
		must(t, c.RenderString(`{{ form.title.input }}{{ form.stars.input }}`, map[string]any{"form": f}))
		page := string(c.ResponseBody())
		for _, want := range []string{`value="Theirs"><input type="hidden" name="title_initial" value="Theirs">`, `value="9"><input type="hidden" name="stars_initial" value="5">`} {
			if !strings.Contains(page, want) {
				t.Errorf("no %s in %s", want, page)
			}
		}
	})
}

type visit struct {
	Name  string    `validate:"required,max=10"`
	When  time.Time `validate:"required"`
	Count int
}

func hiddenVisit(v *visit) form.Options {
	return form.Options{HiddenInitial: form.Fields(&v.Name, &v.When)}
}

// Who makes up an initial value decides nothing but that the field is what it was.
func TestAnInitialValueThatIsMadeUp(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		sent []string
		want map[string]string
	}{
		"the same as what is sent":         {[]string{"name", "x", "name_initial", "x", "when", "2026-01-02T03:04", "when_initial", "2026-01-02T03:04"}, map[string]string{"name": "required", "when": "required"}},
		"of a field that keeps none":       {[]string{"name", "x", "when", "2026-01-02T03:04", "count", "x", "count_initial", "x"}, map[string]string{"count": "number"}},
		"no value of the field":            {[]string{"name", "x", "name_initial", "\xff", "when", "x", "when_initial", "x"}, map[string]string{"when": "required"}},
		"too long, and sent without input": {[]string{"name_initial", strings.Repeat("x", 100), "when", "2026-01-02T03:04"}, map[string]string{"name": "required"}},
	} {
		plain(t).serve(post(tt.sent...), func(c *retort.Ctx) {
			f := form.For(c, hiddenVisit)
			got := map[string]string{}
			if !f.Valid() {
				for _, e := range f.Errors() {
					got[e.Field] = e.Code
				}
			}
			must(t, f.Err())
			for field, code := range tt.want {
				if !strings.Contains(got[field], code) && code != "number" || got[field] == "" {
					t.Errorf("%s: %s is %q, want %s; all are %v", name, field, got[field], code, got)
				}
			}
			if len(got) != len(tt.want) {
				t.Errorf("%s: %v, want %v", name, got, tt.want)
			}
		})
	}
}

// The value that a new form starts from may be another one when it comes back.
func TestFormsThatAreLeftEmptyThoughTheirDefaultsMove(t *testing.T) {
	t.Parallel()
	options := func(v *visit) form.FormsetOptions { return form.FormsetOptions{Form: hiddenVisit(v)} }
	for name, tt := range map[string]struct {
		when string
		want int
	}{
		"left alone": {"2026-01-02T03:04", 0},
		"emptied":    {"", 0},
		"changed":    {"2026-01-02T03:05", 1},
	} {
		plain(t).serve(post("visits-TOTAL_FORMS", "1", "visits-0-name", "", "visits-0-name_initial", "", "visits-0-when", tt.when, "visits-0-when_initial", "2026-01-02T03:04"), func(c *retort.Ctx) {
			set := form.FormsetFor(c, options)
			if valid := set.Valid(); valid != (tt.want == 0) || len(set.Values()) != 0 && tt.want == 0 {
				t.Errorf("%s: valid %v, %d values, errors %v", name, valid, len(set.Values()), set.Errors())
			}
		})
	}
}

func TestPasswordsAndFilesDoNotGoIntoAPage(t *testing.T) {
	t.Parallel()
	plain(t).serve(get(), func(c *retort.Ctx) {
		err := form.For(c, func(l *Login) form.Options { return form.Options{HiddenInitial: form.Fields(&l.Password)} }).Err()
		if err == nil || !strings.Contains(err.Error(), "HiddenInitial lists Login.Password") {
			t.Errorf("a password: %v", err)
		}
	})
}
