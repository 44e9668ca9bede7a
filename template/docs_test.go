package template_test

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/template"
)

// The templates on the pages are rendered. A block of jinja that begins with a
// comment "{# name.html #}" is a file for the blocks after it; any other is
// rendered, and the block of text that follows is its output, whitespace aside. An HTML comment
// "<!-- data {…} -->" is what the blocks after it see. A row of a table that
// ends with a template and what it gives is rendered too.
var docsPages = []string{"templates.md", "templates-reference.md", "templates-from-flask.md", "templates-from-django.md"}

var (
	docsBlocks = regexp.MustCompile("(?s)\n```(\\w*)\n(.*?)```|<!-- data (.*?) -->")
	docsRow    = regexp.MustCompile("(?m)^\\| .* \\| `(.*)` \\| `(.*)` \\|$")
	docsName   = regexp.MustCompile(`^\{# (\S+\.\w+) #\}\n`)
)

func TestDocumentationRenders(t *testing.T) {
	t.Parallel()
	for _, page := range docsPages {
		text, err := os.ReadFile("../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		data := map[string]any{}
		output, line, pending := "", 0, false
		for _, m := range docsBlocks.FindAllSubmatchIndex(text, -1) {
			part := func(i int) string {
				if m[2*i] < 0 {
					return ""
				}
				return string(text[m[2*i]:m[2*i+1]])
			}
			at := 1 + strings.Count(string(text[:m[0]]), "\n")
			if raw := part(3); raw != "" {
				d := json.NewDecoder(strings.NewReader(raw))
				d.UseNumber()
				if err := d.Decode(&data); err != nil {
					t.Errorf("%s:%d: %v", page, at, err)
				}
				continue
			}
			kind, source := part(1), part(2)
			if pending && kind != "text" {
				t.Errorf("%s:%d: the output of the template is missing", page, line)
			}
			switch kind {
			case "jinja":
				if name := docsName.FindStringSubmatch(source); name != nil {
					files[name[1]] = strings.TrimPrefix(source, name[0])
					continue
				}
				line, pending = at, true
				if output, err = docsRender(files, data, source); err != nil {
					t.Errorf("%s:%d: %v", page, at, err)
				}
			case "text":
				if pending && collapsed(output) != collapsed(source) {
					t.Errorf("%s:%d: got\n%s\nthe page says\n%s", page, line, output, source)
				}
				pending = false
			case "html":
				if strings.Contains(source, "{{") || strings.Contains(source, "{%") {
					t.Errorf("%s:%d: a template that is not run; make it a block of jinja", page, at)
				}
			}
		}
		if pending {
			t.Errorf("%s:%d: the output of the template is missing", page, line)
		}
		for _, row := range docsRow.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(row[1], "{{") {
				continue
			}
			output, err := docsRender(files, data, strings.ReplaceAll(row[1], `\|`, "|"))
			if err != nil {
				t.Errorf("%s: %s: %v", page, row[1], err)
			} else if want := strings.ReplaceAll(row[2], `\|`, "|"); strings.TrimSpace(output) != want {
				t.Errorf("%s: %s: got %s, the page says %s", page, row[1], output, want)
			}
		}
	}
}

// collapsed writes text with single spaces.
func collapsed(s string) string { return strings.Join(strings.Fields(s), " ") }

func docsRender(files map[string]string, data map[string]any, source string) (string, error) {
	e, err := template.New(template.Options{
		Loader: template.Map(files), Contextual: true, // as in apps
		Extensions: template.Extensions{Do: true, LoopControls: true, I18n: true, Django: true},
		NewStyle:   true, Translator: docsTranslator{}, Filters: docsFilters, Tests: docsTests, Tags: docsTags,
		Globals: map[string]any{"link": docsLink},
		Now:     func() time.Time { return time.Date(2026, 5, 6, 14, 30, 0, 0, time.UTC) },
	})
	if err != nil {
		return "", err
	}
	t, err := e.FromString(source)
	if err != nil {
		return "", err
	}
	all := map[string]any{
		"published": time.Date(2026, 5, 4, 9, 5, 0, 0, time.UTC),
	}
	for k, v := range data {
		all[k] = v
	}
	out, err := t.Append(nil, template.Execution{Data: all})
	return string(out), err
}

// What the pages say that a program has registered.

var docsFilters = map[string]any{
	"shout": func(s string) string { return strings.ToUpper(s) + "!" },
	"badge": func(s string, o docsBadge) template.Safe {
		return `<span class="` + template.Escape(o.Kind) + `">` + template.Escape(s) + `</span>`
	},
}

type docsBadge struct {
	template.Keywords
	Kind string `default:"info"`
}

var docsTests = map[string]any{"longer": func(s string, n int) bool { return len(s) > n }}

var docsTags = map[string]template.Tag{
	"panel": template.BlockTag(func(body template.Safe, title string) template.Safe {
		return "<section><h2>" + template.Escape(title) + "</h2>" + body + "</section>"
	}),
	"stars": template.SimpleTag(func(n int) string { return strings.Repeat("*", n) }),
}

var docsLink = template.Func(func(c *template.Call) (any, error) {
	a, err := c.Bind("text", "to?")
	if err != nil {
		return nil, err
	}
	if a[1] == nil {
		a[1] = "/"
	}
	return "<a href='" + template.Escape(c.Text(a[1])) + "'>" + template.Escape(c.Text(a[0])) + "</a>", nil
})

// docsTranslator gives every message back.
type docsTranslator struct{}

func (docsTranslator) Gettext(_ context.Context, message string) string { return message }

func (docsTranslator) NGettext(_ context.Context, one, many string, n int) string {
	if n == 1 {
		return one
	}
	return many
}

func (docsTranslator) PGettext(_ context.Context, _, message string) string { return message }

func (t docsTranslator) NPGettext(ctx context.Context, _, one, many string, n int) string {
	return t.NGettext(ctx, one, many, n)
}
