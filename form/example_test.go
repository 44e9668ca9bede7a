package form_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// Article is the model of the examples.
type Article struct {
	orm.Model
	Title  string `orm:"size=200"`
	Slug   string `orm:"size=200,unique"`
	Body   string `orm:"text"`
	Status Status `orm:"size=10,default=draft"`
	Author orm.FK[Author]
	Tags   orm.ManyToMany[Tag]
}

var Articles = orm.Register[Article]()

func articleForm(a *Article) form.Options {
	return form.Options{
		Fields:  form.Fields(&a.Title, &a.Slug, &a.Body, &a.Status, &a.Author, &a.Tags),
		Widgets: form.Widgets{&a.Body: form.Textarea{Rows: 12}},
		Labels:  form.Texts{&a.Slug: "Address"},
		Help:    form.Texts{&a.Slug: "The last part of the page's address"},
	}
}

func editArticle(c *retort.Ctx) error {
	article := Articles.New()
	if id := c.Param("id"); id != "" {
		var err error
		if article, err = Articles.Where(orm.Lookup("id", id)).Get(c); err != nil {
			return err
		}
	}
	f := form.For(c, articleForm).Instance(article)
	saved, err := f.Save(c)
	if err != nil {
		return err
	}
	if saved {
		return c.Redirect("/articles")
	}
	return c.Status(f.Status()).Render("edit.html", map[string]any{"form": f})
}

var _ = editArticle

// Signup is a form without a model.
type Signup struct {
	Email    string `validate:"required,email"`
	Password string `validate:"required,min=12" widget:"password" help:"At least 12 characters"`
	Plan     string `validate:"required,one_of=free|team" widget:"radio"`
	News     bool   `label:"Send me news"`
}

func signUp(c *retort.Ctx) error {
	f := form.For[Signup](c)
	if f.Submitted() && f.Valid() {
		in := f.Value()
		if in.Email != "taken@example.com" {
			return c.Text("Welcome, " + in.Email)
		}
		f.AddError(&in.Email, "taken", "has an account already")
	}
	return c.Status(f.Status()).RenderString(`<form {{ form.attrs }}>{{ form.errors_tag }}{{ form.email }}</form>`, map[string]any{"form": f})
}

func ExampleFor() {
	app := retort.New(retort.Config{SecretKey: testKey})
	app.Methods([]string{"GET", "POST"}, "/signup", signUp)

	send := func(email string) {
		values := url.Values{"email": {email}, "password": {"correct horse"}, "plan": {"free"}}
		r := httptest.NewRequest(http.MethodPost, "/signup", strings.NewReader(values.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	send("ann@example.com")
	send("taken@example.com")
	// Output:
	// 200 Welcome, ann@example.com
	// 422 <form method="post"><div class="error-summary" role="alert">
	// <p>Please correct what is marked.</p>
	// <ul>
	// <li><a href="#id_email">Email has an account already.</a></li>
	// </ul>
	// </div>
	// <div class="field email required invalid">
	// <label for="id_email">Email</label>
	// <input type="email" id="id_email" name="email" required aria-invalid="true" aria-describedby="id_email_errors" autofocus value="taken@example.com">
	// <ul class="errors" id="id_email_errors"><li>Email has an account already.</li></ul>
	// </div>
	// </form>
}

func ExampleCheck() {
	options := func(s *Signup) form.Options {
		return form.Options{Check: form.Checks{
			&s.Email: form.Check(func(_ context.Context, email string) (string, error) {
				if strings.HasSuffix(email, "@example.org") {
					return email, validate.NewError("", "blocked", "is at a provider that we do not accept")
				}
				return strings.ToLower(email), nil
			}),
		}}
	}
	request(func(c *retort.Ctx) {
		f := form.For(c, options)
		fmt.Println(f.Valid(), f.Errors())
	}, "email", "ann@example.org", "password", "correct horse", "plan", "free")
	// Output: false email: is at a provider that we do not accept
}

// Trip has a rule about two fields.
type Trip struct {
	From int `validate:"required"`
	To   int `validate:"required"`
}

func ExampleClean() {
	options := func(*Trip) form.Options {
		return form.Options{
			Clean: form.Clean(func(_ context.Context, t *Trip) error {
				if t.To < t.From {
					return validate.NewError("to", "order", "is before the beginning")
				}
				return nil
			}),
		}
	}
	request(func(c *retort.Ctx) {
		f := form.For(c, options)
		fmt.Println(f.Valid(), f.Errors())
	}, "from", "5", "to", "3")
	// Output: false to: is before the beginning
}

// Seat is a row of a formset.
type Seat struct {
	Name string `validate:"required"`
	Row  int    `validate:"min=1,max=20"`
}

func ExampleFormsetFor() {
	options := func(s *Seat) form.FormsetOptions {
		return form.FormsetOptions{Max: 10, CanDelete: true, Unique: [][]any{{&s.Row}}}
	}
	request(func(c *retort.Ctx) {
		seats := form.FormsetFor(c, options)
		if !seats.Valid() {
			fmt.Println(seats.Errors())
		}
		for _, seat := range seats.Values() {
			fmt.Println(seat.Name, seat.Row)
		}
	}, "seats-TOTAL_FORMS", "3", "seats-0-name", "Ann", "seats-0-row", "1", "seats-1-name", "Bob", "seats-1-row", "1", "seats-2-name", "", "seats-2-row", "")
	// Output:
	// seats-1-row: is the same as in another entry
	// Ann 1
	// Bob 1
}

// Customer and Delivery are the steps of a wizard.
type (
	Customer struct {
		Name    string `validate:"required"`
		Deliver bool
	}
	Delivery struct {
		Street string `validate:"required"`
	}
)

func ExampleWizard() {
	w := &form.Wizard{
		Name: "order", Template: "step.html",
		Steps: []form.Step{
			form.StepOf[Customer]("customer"),
			form.StepOf[Delivery]("delivery").If(func(a *form.Answers) bool {
				return form.Answer[Customer](a, "customer").Deliver
			}),
		},
		Done: func(c *retort.Ctx, a *form.Answers) error {
			return c.Text("Thank you, " + form.Answer[Customer](a, "customer").Name)
		},
	}
	app := retort.New(retort.Config{SecretKey: testKey})
	app.Methods([]string{"GET", "POST"}, "/order", w.Serve)

	r := post("name", "Ann")
	r.URL.Path, r.URL.RawQuery = "/order", "step=customer"
	answer := httptest.NewRecorder()
	app.ServeHTTP(answer, r)
	fmt.Println(answer.Code, answer.Body)

	r = post("name", "Ann", "deliver", "on")
	r.URL.Path, r.URL.RawQuery = "/order", "step=customer"
	answer = httptest.NewRecorder()
	app.ServeHTTP(answer, r)
	fmt.Println(answer.Code, answer.Header().Get("Location"))
	// Output:
	// 200 Thank you, Ann
	// 303 /order?step=delivery
}

func ExampleField_Attr() {
	request(func(c *retort.Ctx) {
		page := `{{ form.from.attr("class", "narrow", "data-unit", "km").input }}`
		if err := c.RenderString(page, map[string]any{"form": form.For[Trip](c)}); err != nil {
			fmt.Println(err)
		}
		fmt.Printf("%s\n", c.ResponseBody())
	})
	// Output: <input type="number" id="id_from" name="from" required class="narrow" data-unit="km">
}

// request runs a handler for a request that sends a form, if pairs are given.
func request(fn func(c *retort.Ctx), pairs ...string) {
	app := retort.New(retort.Config{SecretKey: testKey})
	app.Any("/", func(c *retort.Ctx) error {
		fn(c)
		return c.NoContent()
	})
	r := get()
	if len(pairs) > 0 {
		r = post(pairs...)
	}
	app.ServeHTTP(httptest.NewRecorder(), r)
}
