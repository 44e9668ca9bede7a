package oidc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/orm"
)

// connection is an identity as the page shows it.
type connection struct {
	*Identity
	Label string
}

// settings lists the identities of the user, and the providers to connect.
func (e *Extension) settings(c *retort.Ctx) error {
	user := auth.Must(c)
	f := Identities.Fields()
	list, err := Identities.Where(orm.Eq(&f.User.ID, user.ID)).All(c)
	if err != nil {
		return err
	}
	connections := make([]connection, len(list))
	for i, identity := range list {
		connections[i] = connection{identity, identity.Provider}
		for _, s := range e.providers {
			if s.Issuer == identity.Issuer {
				connections[i].Label = s.Label
			}
		}
	}
	ways, err := e.accounts.Ways(c, user)
	if err != nil {
		return err
	}
	return c.Render("oidc/settings.html", map[string]any{
		"connections": connections, "providers": e.providers, "last": ways == 1, "has_password": user.HasPassword(),
		"unproven": e.accounts.Unproven(user),
	})
}

// connect sends a user to the provider to connect it to their account.
func (e *Extension) connect(c *retort.Ctx) error {
	s, user := e.provider(c.Param("provider")), auth.Must(c)
	if s == nil {
		return retort.NotFound("")
	}
	if e.accounts.Unproven(user) {
		return e.failed(c, s, errUnproven)
	}
	return e.leave(c, s, attempt{Provider: s.Name, User: user.ID})
}

// connected ends it. The account is that of who began, if they are still logged in.
func (e *Extension) connected(c *retort.Ctx, s *source, a *attempt, p *Profile) error {
	user, err := auth.Current(c)
	if err != nil {
		return err
	}
	if user == nil || user.ID != a.User {
		return e.message(c, http.StatusBadRequest, "over", s)
	}
	if e.accounts.Unproven(user) {
		return e.failed(c, s, errUnproven)
	}
	if err := e.connectTo(c, s, p, user); err != nil {
		return e.failed(c, s, err)
	}
	c.Flash("success", form.Translate(c, "You can log in with {provider} from now on.", "provider", s.Label))
	return e.toSettings(c)
}

func (e *Extension) disconnect(c *retort.Ctx) error {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return retort.NotFound("")
	}
	user := auth.Must(c)
	removed, err := e.remove(c, user, id)
	switch {
	case errors.Is(err, errLast):
		c.Flash("error", form.Translate(c, "This is your only way to log in. Set a password first, or connect another."))
		return e.toSettings(c)
	case errors.Is(err, orm.ErrNotFound):
		return retort.NotFound("")
	case err != nil:
		return err
	}
	label := removed.Provider
	if s := e.provider(label); s != nil {
		label = s.Label
	}
	e.auth.Tell(c, Disconnected, user)
	if err := e.mail(c, user, label, false); err != nil {
		return err
	}
	c.Flash("success", form.Translate(c, "{provider} was disconnected.", "provider", label))
	return e.toSettings(c)
}

func (e *Extension) toSettings(c *retort.Ctx) error {
	to, err := c.URL("oidc.settings")
	if err != nil {
		return err
	}
	return c.Redirect(to)
}

// mail tells a user, after the answer, that there is another way into their account or
// one less. A failure is logged.
func (e *Extension) mail(ctx context.Context, user *auth.User, label string, connected bool) error {
	m, err := mail.Template(ctx, "oidc/mail/changed", map[string]any{"site": e.app.Config().Name, "label": label, "connected": connected})
	if err != nil {
		return err
	}
	m.To = []string{user.Email}
	e.app.Go("mail about a login elsewhere", func(ctx context.Context) {
		if err := mail.Send(ctx, m); err != nil {
			e.app.Logger().Error("a mail about an account was not sent", "template", "oidc/mail/changed", slog.Any("error", err))
		}
	})
	return nil
}
