package retort_test

import (
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

// A template shows the messages of the categories it names, in place of a lowest level;
// the others are kept until a page asks for them.
func TestTemplatesShowMessagesByCategory(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.Assets = retort.Embed(templateFiles(map[string]string{
		"templates/important.html": `{% for m in flashes("warning", "error") %}[{{ m.category }}: {{ m.text }}]{% endfor %}`,
		"templates/all.html":       `{% for m in flashes() %}<p class="{{ m.category }}">{{ m.text }}</p>{% endfor %}`,
		"templates/none.html":      `nothing`,
	}))
	app := retort.New(cfg)
	app.Get("/do", func(c *retort.Ctx) error {
		c.Flash("debug", "12 queries")
		c.Flash("error", "<Not> sent")
		c.Flash("success fade", "Saved")
		return c.NoContent()
	})
	app.Get("/fail", func(c *retort.Ctx) error {
		if n := len(c.Flashes()); n != 2 {
			t.Errorf("%d messages", n)
		}
		return retort.NewError(500, "sorry")
	})
	for _, page := range []string{"important", "all", "none"} {
		app.Get("/"+page, func(c *retort.Ctx) error { return c.Render(page+".html", nil) })
	}
	client := retorttest.New(t, app)
	client.Get("/do")
	client.Get("/none").Status(200)
	if got := client.Get("/important").Text(); got != "[error: &lt;Not&gt; sent]" {
		t.Errorf("the important ones are %s", got)
	}
	if got := client.Get("/important").Text(); got != "" {
		t.Errorf("they are shown again: %s", got)
	}
	client.Get("/fail").Status(500) // nobody has seen them there
	if got := client.Get("/all").Text(); got != `<p class="debug">12 queries</p><p class="success fade">Saved</p>` {
		t.Errorf("the others are %s", got)
	}
	if _, there := client.Cookie("session"); there {
		t.Error("a session without anything left keeps its cookie")
	}
}
