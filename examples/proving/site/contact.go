package site

import (
	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/mail"
)

type contactForm struct {
	Email   string `label:"E-mail address" validate:"required,email,max=254" autocomplete:"email"`
	Subject string `validate:"required,max=120"`
	Text    string `validate:"required,max=5000" widget:"textarea"`
}

// contact mails what a visitor writes. The address is where answers go and never the
// sender, which is the site.
func (s *Site) contact(c *retort.Ctx) error {
	f := form.For[contactForm](c)
	if !f.Submitted() || !f.Valid() {
		return render(c, f.Status(), "contact.html", map[string]any{"form": f})
	}
	in := f.Value()
	err := mail.Send(c, &mail.Message{To: []string{"owner@proving.example"}, ReplyTo: []string{in.Email}, Subject: in.Subject, Text: in.Text})
	if err != nil {
		return retort.ServiceUnavailable(0, "The message could not be sent. Try again later.").Wrap(err)
	}
	c.Flash("success", "Your message was sent.")
	return c.Redirect(c.MustURL("contact"))
}
