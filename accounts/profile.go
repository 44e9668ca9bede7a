package accounts

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/session"
	"github.com/retort-web/retort/validate"
)

func (e *Extension) profile(c *retort.Ctx) error {
	user := auth.Must(c)
	f := form.For(c, func(u *auth.User) form.Options {
		return form.Options{Fields: form.Fields(&u.Name), Attrs: form.Attrs{&u.Name: {"autocomplete", "name"}}}
	}).Instance(user)
	saved, err := f.Save(c)
	if err != nil {
		return err
	}
	if saved {
		c.Flash("success", "Your profile was saved.")
		return e.goTo(c, "accounts.profile")
	}
	return e.page(c, f.Status(), "profile.html", map[string]any{"form": f, "account": user})
}

// changeEmail mails a link to the new address, and a note to the present one.
func (e *Extension) changeEmail(c *retort.Ctx) error {
	user := auth.Must(c)
	f := form.For(c, func(*emailForm) form.Options {
		return form.Options{Clean: form.Clean(func(_ context.Context, in *emailForm) error {
			if auth.LoginOf(in.Email) == user.Login {
				return validate.NewError("email", "same", "is your address already")
			}
			return nil
		})}
	})
	if !f.Submitted() || !f.Valid() {
		return e.page(c, f.Status(), "email.html", map[string]any{"form": f, "account": user})
	}
	wanted := strings.TrimSpace(f.Value().Email)
	if err := e.auth.CountMail(c, wanted); err != nil {
		return err
	}
	other, err := e.find(c, wanted)
	if err != nil {
		return err
	}
	if other == nil {
		data := map[string]any{"user": user, "email": wanted, "token": e.auth.Token(auth.ChangeEmail, user, wanted)}
		if err := e.mail(c, wanted, "email", data); err != nil {
			return err
		}
	} else if err := e.mail(c, other.Email, "known", map[string]any{"user": other}); err != nil {
		return err
	}
	if err := e.mail(c, user.Email, "email_note", map[string]any{"user": user, "email": wanted}); err != nil {
		return err
	}
	return e.message(c, http.StatusOK, "email_sent")
}

func (e *Extension) confirmEmail(c *retort.Ctx) error {
	user, wanted, err := e.auth.ReadToken(c, auth.ChangeEmail, c.Param("token"), e.options.ResetAge)
	if errors.Is(err, auth.ErrBadToken) {
		return e.message(c, http.StatusBadRequest, "bad_link")
	}
	if err != nil {
		return err
	}
	if c.Method() != http.MethodPost {
		return e.page(c, http.StatusOK, "confirm.html", map[string]any{"kind": "email", "email": wanted})
	}
	switch err := e.auth.SetEmail(c, user, wanted); {
	case errors.Is(err, auth.ErrTaken):
		return e.message(c, http.StatusConflict, "email_taken")
	case err != nil:
		return err
	}
	return e.message(c, http.StatusOK, "email_changed")
}

// sessions shows where the user is logged in, and ends the others or one of them.
func (e *Extension) sessions(c *retort.Ctx) error {
	user := auth.Must(c)
	manager := e.app.Sessions()
	if c.Method() == http.MethodPost {
		var err error
		if key := c.FormValue("key"); key != "" {
			_, err = manager.End(c, c.Session().User(), key)
		} else {
			_, err = manager.EndOthers(c, c.Session())
		}
		if err != nil && !errors.Is(err, session.ErrNotOnServer) {
			return err
		}
		return e.goTo(c, "accounts.sessions")
	}
	list, err := manager.List(c, c.Session().User(), c.Session())
	if err != nil && !errors.Is(err, session.ErrNotOnServer) {
		return err
	}
	return e.page(c, http.StatusOK, "sessions.html", map[string]any{"sessions": list, "account": user, "listed": err == nil})
}

// deleteAccount asks for the word, as there is no way back.
func (e *Extension) deleteAccount(c *retort.Ctx) error {
	user := auth.Must(c)
	type deletion struct {
		Email string `label:"Your e-mail address, to be sure" validate:"required" autocomplete:"off"`
	}
	f := form.For(c, func(*deletion) form.Options {
		return form.Options{Clean: form.Clean(func(_ context.Context, in *deletion) error {
			if auth.LoginOf(in.Email) != user.Login {
				return validate.NewError("email", "different", "is not the address of this account")
			}
			return nil
		})}
	})
	if !f.Submitted() || !f.Valid() {
		return e.page(c, f.Status(), "delete.html", map[string]any{"form": f, "account": user})
	}
	if err := e.auth.Delete(c, user); err != nil {
		return err
	}
	return e.message(c, http.StatusOK, "deleted")
}
