package form_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// Show has a field for every widget.
type Show struct {
	Name    string `validate:"required,min=2" help:"As on your card" autocomplete:"name"`
	Email   string `validate:"required,email"`
	Web     string `validate:"url"`
	Search  string `widget:"search"`
	Phone   string `widget:"tel"`
	Secret  string `widget:"password" validate:"required"`
	Bio     string `widget:"textarea" validate:"required"`
	Count   int    `validate:"required"`
	Volume  int    `widget:"range" validate:"min=0,max=10"`
	Tint    string `widget:"color"`
	Day     orm.Date
	Clock   orm.TimeOfDay
	When    time.Time
	Month   string    `widget:"month"`
	Week    string    `widget:"week"`
	Start   time.Time `widget:"split" validate:"required" help:"Both"`
	Born    orm.Date  `widget:"select-date" validate:"required"`
	Agree   bool      `validate:"required"`
	Maybe   *bool
	Plan    string   `validate:"required,one_of=free|team|firm" widget:"radio" help:"Choose"`
	Size    string   `validate:"required,one_of=s|m|l"`
	Colors  []string `validate:"required,each,one_of=red|green|blue"`
	Extra   []string `validate:"each,one_of=a|b" widget:"select"`
	Words   []string
	Wait    time.Duration
	Upload  *bind.File `validate:"required"`
	Uploads []*bind.File
	Data    map[string]int `widget:"json"`
	Picture string
	Zip     string `widget:"hidden"`
}

// TestAccessibleByConstruction reads pages with every widget, empty and full of errors, alone
// and in formsets, and asks of each input what assistive technology needs.
func TestAccessibleByConstruction(t *testing.T) {
	t.Parallel()
	s := orders(t, testdb.SQLite)
	store := &shelf{files: map[string]int64{}}
	page := func(layout string) func(c *retort.Ctx) {
		return func(c *retort.Ctx) {
			f := form.For(c, func(v *Show) form.Options {
				return form.Options{
					Uploads: form.Uploads{&v.Picture: {Store: store}},
					From:    form.Sources{&v.Size: form.Groups{{"Small", form.Choices{{Value: "s"}}}, {"Large", form.Choices{{Value: "l"}}}}},
				}
			}).Instance(&Show{Picture: "cards/me.png"})
			f.Valid()
			relations := form.For(c, func(p *Post) form.Options {
				return form.Options{
					Fields: form.Fields(&p.Author, &p.Editor, &p.Tags), Prefix: "post",
					Widgets: form.Widgets{&p.Author: form.Key{}, &p.Editor: form.Suggest{URL: "/x"}},
				}
			}).Instance(&Post{Author: orm.FK[Author]{ID: 1}})
			lines := form.FormsetFor(c, lineForm).From(Lines.OrderBy(orm.Asc(&Lines.Fields().ID)))
			lines.Valid()
			must(t, c.RenderString(`{{ f`+layout+` }}{{ r`+layout+` }}{{ lines }}`, map[string]any{"f": f, "r": relations, "lines": lines}))
			checkPage(t, string(c.ResponseBody()))
		}
	}
	wrong := []string{"name", "x", "count", "many", "lines-TOTAL_FORMS", "2", "lines-0-text", "x", "lines-1-price", "y", "lines-1-ID", "99"}
	for _, layout := range []string{"", ".as_table", ".as_list", ".as_p"} {
		for _, r := range []*http.Request{get(), post(wrong...)} {
			s.serve(r, page(layout))
		}
	}
}

// checkPage looks at ids, labels and what they refer to.
func checkPage(t *testing.T, page string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	must(t, err)
	ids, labelled := map[string]int{}, map[string]bool{}
	var inputs, referring []*html.Node
	focus := 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if id := attr(n, "id"); id != "" {
			ids[id]++
		}
		if attr(n, "aria-describedby") != "" || n.Data == "a" {
			referring = append(referring, n)
		}
		if has(n, "autofocus") {
			focus++
		}
		switch n.Data {
		case "label":
			labelled[attr(n, "for")] = true
		case "input", "select", "textarea":
			if attr(n, "type") != "hidden" {
				inputs = append(inputs, n)
			}
		case "fieldset":
			if first := n.FirstChild; first.NextSibling == nil || first.NextSibling.Data != "legend" {
				t.Errorf("a fieldset without a legend: %s", attr(n, "id"))
			}
		case "optgroup":
			if attr(n, "label") == "" {
				t.Error("choices under no heading")
			}
		}
	}
	if len(inputs) < 40 {
		t.Errorf("%d inputs on a page with every widget", len(inputs))
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%d elements with the id %s", n, id)
		}
	}
	for _, n := range inputs {
		if !labelled[attr(n, "id")] && !within(n, "label") {
			t.Errorf("no label for %s", attr(n, "name"))
		}
	}
	for _, n := range referring {
		for _, id := range strings.Fields(attr(n, "aria-describedby")) {
			if ids[id] == 0 {
				t.Errorf("%s is described by %s, which is not there", attr(n, "id"), id)
			}
		}
		if to, ok := strings.CutPrefix(attr(n, "href"), "#"); ok && ids[to] == 0 {
			t.Errorf("a link to %s, which is not there", to)
		}
	}
	if strings.Contains(page, "error-summary") && focus == 0 {
		t.Error("nothing has the focus")
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func within(n *html.Node, element string) bool {
	for p := range n.Ancestors() {
		if p.Data == element {
			return true
		}
	}
	return false
}
