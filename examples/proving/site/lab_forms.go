package site

import (
	"net/http"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
)

// formExperiments are those about what is read from bodies.
func (s *Site) formExperiments(b *retort.Blueprint) {
	b.Methods([]string{http.MethodPost, http.MethodPut}, "/bind", labBind).Name("bind").DisableCSRF()
	b.Methods(both, "/guests", labGuests).Name("guests")
	b.Methods(both, "/steps", labSteps.Serve).Name("steps")
}

// labBind reads an order, with lists and mappings in it, from a form or JSON and tells
// what it has read.
func labBind(c *retort.Ctx) error {
	var in struct {
		Name  string            `form:"name" json:"name" validate:"max=100"`
		Count int32             `form:"count" json:"count"`
		When  *time.Time        `form:"when" json:"when"`
		Tags  []string          `form:"tags" json:"tags" validate:"max=50"`
		Extra map[string]string `form:"-" json:"extra"`
		Lines []struct {
			Product string `form:"product" json:"product" validate:"max=100"`
			Number  uint8  `form:"number" json:"number"`
		} `form:"lines" json:"lines" validate:"max=50"`
	}
	if err := c.Bind(&in); err != nil {
		return err
	}
	return c.JSON(in)
}

type guest struct {
	Name  string `validate:"required,max=60" autocomplete:"off"`
	Email string `label:"E-mail address" validate:"email,max=254" autocomplete:"off"`
}

// labGuests is a list of guests, several forms in one page, and keeps none of them.
func labGuests(c *retort.Ctx) error {
	guests := form.FormsetFor(c, func(g *guest) form.FormsetOptions {
		return form.FormsetOptions{Extra: 2, Max: 20, CanDelete: true, CanOrder: true}
	})
	if guests.Submitted() && guests.Valid() {
		c.Flash("success", "The list is in order. It is not kept.")
		return c.Redirect(c.MustURL("lab.guests"))
	}
	if err := guests.Err(); err != nil {
		return err
	}
	return render(c, guests.Status(), "guests.html", map[string]any{"guests": guests})
}

type (
	whoStep struct {
		Name  string `validate:"required,max=60" autocomplete:"name"`
		Ships bool   `label:"Send it by post"`
	}
	whereStep struct {
		Street string `validate:"required,max=120" autocomplete:"street-address"`
	}
	lastStep struct {
		Agreed bool `label:"That is right" validate:"required"`
	}
)

// labSteps is a form in steps, of which one is asked only if it matters.
var labSteps = &form.Wizard{
	Name: "steps", Template: "steps.html",
	Steps: []form.Step{
		form.StepOf[whoStep]("who"),
		form.StepOf[whereStep]("where").If(func(a *form.Answers) bool { return form.Answer[whoStep](a, "who").Ships }),
		form.StepOf[lastStep]("confirm"),
	},
	Done: func(c *retort.Ctx, a *form.Answers) error {
		c.Flash("success", "Thank you, "+form.Answer[whoStep](a, "who").Name+". Nothing of it is kept.")
		return c.Redirect(c.MustURL("lab.index"))
	},
}
