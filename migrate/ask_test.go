package migrate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/orm/schema"
)

func TestTerminalAsks(t *testing.T) {
	t.Parallel()
	text := schema.Column{Name: "subtitle", Field: "Subtitle", Type: schema.Text}
	number := schema.Column{Name: "views", Field: "Views", Type: schema.Int64}
	nullable := schema.Column{Name: "note", Type: schema.Text, Null: true}
	noteNow := nullable
	noteNow.Null = false
	title := schema.Column{Name: "title", Field: "Title", Type: schema.String, Size: 10}
	head := schema.Column{Name: "head", Field: "Head", Type: schema.String, Size: 10}
	before := []*schema.Table{table("blog", "Post", title, nullable)}
	for _, test := range []struct {
		name   string
		after  []*schema.Table
		input  string
		want   string
		prompt string
	}{
		{"a model renamed", []*schema.Table{table("blog", "Article", title, nullable)}, "y\n", "Rename model Post to Article", "Was the model blog.Post renamed to Article? [y/N] "},
		{"a model not renamed", []*schema.Table{table("blog", "Article", title, nullable)}, "perhaps\n\n", "Create model Article; Delete model Post", "[y/N] Was the model"},
		{"a field renamed", []*schema.Table{table("blog", "Post", head, nullable)}, "YES\r\n", "Rename field title on Post to head", "Was title of blog.Post renamed to head? [y/N] "},
		{"a value", []*schema.Table{table("blog", "Post", title, nullable, number)}, "many\n3", "Add field Views to Post", "\"many\" is not a value of column views, which is of type int64\nValue for existing rows: "},
		{"an empty value", []*schema.Table{table("blog", "Post", title, nullable, text)}, "n\n\n", "Add field Subtitle to Post", "is new, does not allow NULL"},
		{"no rows with NULL", []*schema.Table{table("blog", "Post", title, noteNow)}, "n\n", "Alter field note on Post", "Do existing rows hold NULL there? [y/N] "},
		{"rows with NULL", []*schema.Table{table("blog", "Post", title, noteNow)}, "y\nnone\n", "Alter field note on Post", "Value for existing rows: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newProject()
			p.make(t, before, nil)
			var out strings.Builder
			lines := p.make(t, test.after, NewTerminal(strings.NewReader(test.input), &out))
			if _, got, _ := strings.Cut(strings.Join(lines, " | "), ": "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if !strings.Contains(out.String(), test.prompt) {
				t.Errorf("it wrote %q, want %q in it", out.String(), test.prompt)
			}
			// The input ends: that is no answer, and nothing is made of it.
			p = newProject()
			p.make(t, before, nil)
			_, err := p.tryMake(t, test.after, NewTerminal(strings.NewReader(""), &out))
			contains(t, err, ErrUnanswered, "the input ended")
		})
	}
}

func TestTerminalKnowsAnswersBeforehand(t *testing.T) {
	t.Parallel()
	p := newProject()
	p.make(t, []*schema.Table{table("blog", "Post", schema.Column{Name: "title", Type: schema.Text})}, nil)
	asker := NewTerminal(strings.NewReader(""), &strings.Builder{})
	asker.Answers = Answers{Renames: map[string]string{"blog.Post": "Article"}, Backfills: map[string]string{"blog.Article.slug": ""}, NoRenames: true}
	got := p.make(t, []*schema.Table{table("blog", "Article", schema.Column{Name: "slug", Type: schema.Text})}, asker)
	want := []string{"blog.0002_rename_post_article_article_slug_and_more: Rename model Post to Article; Add field slug to Article; Remove field title from Article"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
