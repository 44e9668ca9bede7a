package form

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"unsafe"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/session"
)

// Wizard is a form in several steps, a page each. What was answered is kept in the
// session until the last step; then all of it is checked again, and Done is called.
//
//	var order = &form.Wizard{
//		Name:     "order",
//		Template: "order.html",
//		Steps: []form.Step{
//			form.StepOf("contact", contactForm),
//			form.StepOf("address", addressForm).If(func(a *form.Answers) bool {
//				return form.Answer[Contact](a, "contact").Deliver
//			}),
//		},
//		Done: func(c *retort.Ctx, a *form.Answers) error { … },
//	}
//	app.Methods([]string{"GET", "POST"}, "/order", order.Serve)
//
// The page sees the step as form, and wizard with its attributes name, title, number,
// count, steps (each with name, title, url, current and answered) and back, the address of
// the step before. A step is the parameter "step" of the address, so that the browser's own
// way back works, too; a step whose predecessors are not answered leads to the first of
// those.
type Wizard struct {
	// Name tells wizards of one session apart.
	Name string
	// Template is the page of each step that has none of its own.
	Template string
	// Steps are the steps in order.
	Steps []Step
	// Done makes something of the answers and answers the request, as a rule by a
	// redirect. The session has forgotten them by then, so that sending the last page
	// again starts anew; after an error it knows them again.
	Done func(c *retort.Ctx, a *Answers) error
}

// Step is one page of a [Wizard], made by [StepOf].
type Step struct {
	// Name is the step in addresses.
	Name string
	// Title is for people. Default: the name.
	Title string
	// Template is the page. Default: that of the wizard.
	Template string

	when func(a *Answers) bool
	make func(c *retort.Ctx) *core
}

// StepOf makes a step of a struct and the options of its form, which are as for [For]. Its
// files need an [Upload] with a Store: a session holds none.
func StepOf[T any](name string, options ...func(v *T) Options) Step {
	return stepOf(name, reflect.TypeFor[T](), describe(options))
}

func stepOf(name string, t reflect.Type, options func(v unsafe.Pointer) Options) Step {
	return Step{Name: name, make: func(c *retort.Ctx) *core {
		p := planOf(t)
		o := p.options(options)
		o.Query, o.Prefix = false, ""
		f := newForm(c, p, o)
		if f.err != nil {
			f.err = fmt.Errorf("form: the step %s: %w", name, f.err)
		}
		for _, field := range f.fields {
			if field.isFile() && !field.stores() && f.err == nil {
				f.err = fmt.Errorf("form: the step %s: %s is a file; make it a text with an Upload that has a Store, which keeps the file until the last step", name, field.spec.goName)
			}
		}
		return f
	}}
}

// If makes the step one that is asked only if the answers to the steps before say so.
func (s Step) If(asked func(a *Answers) bool) Step {
	s.when = asked
	return s
}

// Titled gives the step a title.
func (s Step) Titled(title string) Step {
	s.Title = title
	return s
}

// Answers are what was answered so far.
type Answers struct {
	values map[string]any
	id     string
}

// Answer returns the value of a step; nil for one that was not asked or not answered yet,
// or that has another type.
func Answer[T any](a *Answers, step string) *T {
	v, _ := a.values[step].(*T)
	return v
}

// ID is a random text that stays the same from the first step to the last. A row that keeps
// it in a unique field is made once, whatever a browser sends at the same time.
func (a *Answers) ID() string { return a.id }

// progress is what a session knows of a wizard.
type progress struct {
	ID    string                       `json:"id"`
	Texts map[string]url.Values        `json:"texts"`
	Files map[string]map[string]string `json:"files,omitempty"` // of steps, by field
}

func (w *Wizard) key() string { return "wizard:" + w.Name }

// load reads the session.
func (w *Wizard) load(c *retort.Ctx) *progress {
	p := &progress{}
	if kept, ok := session.Get[progress](c.Session(), w.key()); ok {
		p = &kept
	}
	if p.ID == "" {
		p.ID = rand.Text()
	}
	if p.Texts == nil {
		p.Texts = map[string]url.Values{}
	}
	if p.Files == nil {
		p.Files = map[string]map[string]string{}
	}
	return p
}

// answered makes the form of a step with what was answered.
func (p *progress) answered(c *retort.Ctx, s *Step) (*core, bool) {
	f := s.make(c)
	f.use(f.value)
	for _, field := range f.fields {
		if name := p.Files[s.Name][field.spec.name]; name != "" && field.stores() {
			field.in(f.initial).SetString(name)
			field.in(f.value).SetString(name)
		}
	}
	texts, ok := p.Texts[s.Name]
	if ok && f.err == nil {
		f.take(sent{data: &bind.FormData{Values: texts}})
	}
	return f, ok
}

// way are the steps that a visitor has come by and the one to answer next.
type way struct {
	steps   []*Step // asked, as far as that is known
	reached int     // how many of them may be seen
	answers *Answers
	done    bool
}

// walk checks all that was answered, in order: conditions may have changed, and rows gone.
func (w *Wizard) walk(c *retort.Ctx, p *progress) (*way, error) {
	found := &way{answers: &Answers{values: map[string]any{}, id: p.ID}, done: true}
	for i := range w.Steps {
		s := &w.Steps[i]
		if s.when != nil && found.done && !s.when(found.answers) {
			continue
		}
		found.steps = append(found.steps, s)
		if !found.done {
			continue
		}
		found.reached++
		f, ok := p.answered(c, s)
		if err := f.err; err != nil {
			return nil, err
		}
		if ok && f.valid() {
			found.answers.values[s.Name] = f.value.Addr().Interface()
			continue
		}
		if err := f.err; err != nil {
			return nil, err
		}
		found.done = false
	}
	return found, nil
}

// Serve is the handler: register it for GET and POST.
func (w *Wizard) Serve(c *retort.Ctx) error {
	if len(w.Steps) == 0 || w.Done == nil || w.Name == "" {
		return errors.New("form: a Wizard needs a Name, Steps and Done")
	}
	p := w.load(c)
	found, err := w.walk(c, p)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(found.steps, func(s *Step) bool { return s.Name == c.Query("step") })
	if at < 0 || at >= found.reached {
		return w.to(c, found.steps[found.reached-1])
	}
	step := found.steps[at]
	f, _ := p.answered(c, step)
	if c.Method() != http.MethodPost {
		return w.show(c, found, at, f)
	}
	f.bound = false
	if f.read(); f.err != nil {
		return f.err
	}
	if !f.valid() {
		if f.err != nil {
			return f.err
		}
		return w.show(c, found, at, f)
	}
	if err := p.keep(c, step, f); err != nil {
		return err
	}
	c.Session().Set(w.key(), p)
	if found, err = w.walk(c, p); err != nil {
		return err
	}
	if next := at + 1; next < len(found.steps) && next < found.reached {
		return w.to(c, found.steps[next])
	}
	if !found.done {
		return w.to(c, found.steps[found.reached-1])
	}
	c.Session().Delete(w.key())
	if err := w.Done(c, found.answers); err != nil {
		c.Session().Set(w.key(), p)
		return err
	}
	return nil
}

// Reset forgets what was answered, and the files that were kept for it.
func (w *Wizard) Reset(c *retort.Ctx) error {
	p := w.load(c)
	var err error
	for i := range w.Steps {
		f := w.Steps[i].make(c)
		for _, field := range f.fields {
			if name := p.Files[w.Steps[i].Name][field.spec.name]; name != "" && field.stores() {
				err = errors.Join(err, field.upload.Store.Delete(c, name))
			}
		}
	}
	c.Session().Delete(w.key())
	return err
}

func (w *Wizard) to(c *retort.Ctx, s *Step) error {
	return c.Redirect(stepURL(c, s))
}

func stepURL(c *retort.Ctx, s *Step) string {
	return c.Root() + c.Request().URL.EscapedPath() + "?step=" + url.QueryEscape(s.Name)
}

// wizardView is what templates see as wizard.
type wizardView struct {
	Name, Title   string
	Number, Count int
	Back          string
	Steps         []stepView
}

type stepView struct {
	Name, Title, URL  string
	Current, Answered bool
}

// show answers with the page of a step.
func (w *Wizard) show(c *retort.Ctx, found *way, at int, f *core) error {
	view := wizardView{Number: at + 1, Count: len(found.steps)}
	for i, s := range found.steps {
		step := stepView{Name: s.Name, Title: s.Title, Current: i == at}
		if step.Title == "" {
			step.Title = words(s.Name)
		}
		step.Title = f.translate(step.Title)
		if _, step.Answered = found.answers.values[s.Name]; i < found.reached {
			step.URL = stepURL(c, s)
		}
		view.Steps = append(view.Steps, step)
	}
	view.Name, view.Title = view.Steps[at].Name, view.Steps[at].Title
	if at > 0 {
		view.Back = view.Steps[at-1].URL
	}
	name := found.steps[at].Template
	if name == "" {
		name = w.Template
	}
	return c.Status(f.status()).Render(name, map[string]any{"form": f, "wizard": view})
}

// keep takes over what was answered in a step: its texts, and the names of its files.
func (p *progress) keep(c *retort.Ctx, s *Step, f *core) error {
	if err := f.keepFiles(c); err != nil {
		return errors.Join(err, f.dropFiles(c))
	}
	texts := url.Values{}
	files := map[string]string{}
	for _, field := range f.fields {
		switch {
		case field.stores():
			name := field.in(f.value).String()
			if name != "" {
				files[field.spec.name] = name
			}
			if old := p.Files[s.Name][field.spec.name]; old != "" && old != name {
				if err := field.upload.Store.Delete(c, old); err != nil {
					return err
				}
			}
		case len(field.raw) > 0 && !field.disabled:
			texts[field.name] = field.raw
		}
	}
	p.Texts[s.Name], p.Files[s.Name] = texts, files
	return nil
}
