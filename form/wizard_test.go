package form_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/retorttest"
)

// The steps of an order.
type (
	Who struct {
		Name    string `validate:"required"`
		Deliver bool
		Photo   string
	}
	Where struct {
		Street string `validate:"required"`
		Day    string `widget:"select-date"`
	}
	Sure struct {
		Agree bool `validate:"required"`
	}
)

// wizardSite serves the wizard; done counts how often it came to its end.
func wizardSite(t *testing.T, store form.Storage, done func(c *retort.Ctx, a *form.Answers) error) *retorttest.Client {
	t.Helper()
	app := retort.New(retort.Config{SecretKey: testKey, Logger: slog.New(slog.DiscardHandler), Assets: retort.Embed(fstest.MapFS{
		"templates/step.html": {Data: []byte(`{{ wizard.number }}/{{ wizard.count }} {{ wizard.title }} back={{ wizard.back }}
{% for s in wizard.steps %}{{ s.name }}:{{ s.answered }}:{{ s.url }} {% endfor %}<form {{ form.attrs }}>{{ form }}</form>`)},
	})})
	w := &form.Wizard{
		Name: "order", Template: "step.html",
		Steps: []form.Step{
			form.StepOf("who", func(v *Who) form.Options {
				return form.Options{Uploads: form.Uploads{&v.Photo: {Store: store}}}
			}).Titled("Who are you"),
			form.StepOf[Where]("where").If(func(a *form.Answers) bool { return form.Answer[Who](a, "who").Deliver }),
			form.StepOf[Sure]("sure"),
		},
		Done: done,
	}
	app.Methods([]string{"GET", "POST"}, "/order", w.Serve)
	app.Post("/reset", func(c *retort.Ctx) error { return errOr(w.Reset(c), c.Text("reset")) })
	return retorttest.New(t, app)
}

func TestWizard(t *testing.T) {
	t.Parallel()
	store := &shelf{files: map[string]int64{}}
	var done, fail atomic.Int64
	client := wizardSite(t, store, func(c *retort.Ctx, a *form.Answers) error {
		if fail.Load() > 0 {
			return errors.New("not now")
		}
		done.Add(1)
		who, where := form.Answer[Who](a, "who"), form.Answer[Where](a, "where")
		if form.Answer[Where](a, "who") != nil || a.ID() == "" {
			t.Error("an answer of another type, or no id")
		}
		street := "nowhere"
		if where != nil {
			street = where.Street + " " + where.Day
		}
		return c.Text(who.Name + " " + who.Photo + " " + street)
	})
	client.Get("/order").Status(302).RedirectsTo("/order?step=who")
	client.Get("/order?step=sure").RedirectsTo("/order?step=who")
	client.Get("/order?step=nothing").RedirectsTo("/order?step=who")
	client.Get("/order?step=who").Status(200).Contains("1/3 Who are you back=\n", "who:False:/order?step=who where:False: sure:False: ", "multipart")
	client.PostForm("/order?step=who", nil).Status(422).Contains("Name is required.")
	// A step further on cannot be sent before its time.
	client.PostForm("/order?step=sure", url.Values{"agree": {"on"}}).RedirectsTo("/order?step=who")
	photo := retorttest.File{Field: "photo", Name: "me.png", Content: []byte("x")}
	client.PostFiles("/order?step=who", url.Values{"name": {"Ann"}, "deliver": {"on"}}, photo).RedirectsTo("/order?step=where")
	client.Get("/order?step=who").Status(200).Contains(`value="Ann"`, "checked", "1-me.png").Lacks("error-summary")
	client.Get("/order?step=where").Contains("2/3 Where back=/order?step=who", "where:False:/order?step=where sure:False: ")
	client.PostForm("/order?step=where", url.Values{"street": {"Main"}, "day_year": {"2026"}, "day_month": {"2"}, "day_day": {"3"}}).RedirectsTo("/order?step=sure")
	client.Get("/order?step=where").Contains(`<option value="2" selected>February`)
	// Going back changes which steps there are; what was answered stays.
	client.PostForm("/order?step=who", url.Values{"name": {"Bob"}}).RedirectsTo("/order?step=sure")
	client.Get("/order?step=sure").Contains("2/2 Sure")
	client.Get("/order?step=where").RedirectsTo("/order?step=sure")
	client.PostForm("/order?step=who", url.Values{"name": {"Bob"}, "deliver": {"on"}}).RedirectsTo("/order?step=where")
	fail.Store(1)
	client.PostForm("/order?step=sure", url.Values{"agree": {"on"}}).Status(500)
	fail.Store(0)
	client.PostForm("/order?step=sure", nil).Status(422)
	client.PostForm("/order?step=sure", url.Values{"agree": {"on"}}).Status(200).Contains("Bob cards/1-me.png Main 2026-02-03")
	client.PostForm("/order?step=sure", url.Values{"agree": {"on"}}).RedirectsTo("/order?step=who")
	if done.Load() != 1 {
		t.Error("done ", done.Load(), " times")
	}
	client.Get("/order?step=who").Lacks("Bob", "me.png")
}

func TestWizardFiles(t *testing.T) {
	t.Parallel()
	store := &shelf{files: map[string]int64{}}
	client := wizardSite(t, store, func(c *retort.Ctx, a *form.Answers) error { return c.Text("done") })
	send := func(name string, pairs ...string) {
		values := url.Values{"name": {"Ann"}}
		for i := 0; i < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		if name == "" {
			client.PostForm("/order?step=who", values).Status(303)
			return
		}
		client.PostFiles("/order?step=who", values, retorttest.File{Field: "photo", Name: name, Content: []byte("x")}).Status(303)
	}
	for _, step := range []struct {
		name  string
		pairs []string
		want  string
	}{
		{"a", nil, "cards/1-a"},
		{"b", nil, "cards/2-b"},
		{"", nil, "cards/2-b"},
		{"", []string{"photo", "cards/9-forged"}, "cards/2-b"},
		{"", []string{"photo_clear", "on"}, ""},
		{"c", nil, "cards/3-c"},
	} {
		if send(step.name, step.pairs...); store.names() != step.want {
			t.Errorf("%q %v: %s, want %s", step.name, step.pairs, store.names(), step.want)
		}
	}
	client.PostForm("/reset", nil).Status(200)
	if store.names() != "" {
		t.Error("after a reset there is ", store.names())
	}
	client.Get("/order?step=sure").RedirectsTo("/order?step=who")
}

func TestMistakesInWizards(t *testing.T) {
	t.Parallel()
	plain(t).serve(get(), func(c *retort.Ctx) {
		if err := (&form.Wizard{}).Serve(c); err == nil {
			t.Error("a wizard without steps")
		}
		w := &form.Wizard{
			Name: "x", Steps: []form.Step{form.StepOf[Every]("a")},
			Done: func(*retort.Ctx, *form.Answers) error { return nil },
		}
		if err := w.Serve(c); err == nil || !strings.Contains(fmt.Sprint(err), "make it a text with an Upload") {
			t.Error(err)
		}
	})
}
