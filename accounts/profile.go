package accounts

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/session"
	"github.com/retort-web/retort/validate"
)

func (e *Extension) profile(c *retort.Ctx) error {
	user := auth.Must(c)
	f := form.For(c, func(u *auth.User) form.Options {
		return form.Options{Fields: form.Fields(&u.Name), Attrs: form.Attrs{&u.Name: {"autocomplete", "name"}}}
	}).Instance(user)
	more, err := e.options.ProfileFields.of(c, user)
	if err != nil {
		return err
	}
	if f.Submitted() && allValid(f, more) {
		err := orm.Atomic(c, func(ctx context.Context) error {
			_, err := f.Save(ctx)
			if err == nil && more != nil {
				_, err = more.Save(ctx)
			}
			return err
		})
		if err != nil {
			return err
		}
		c.Flash("success", form.Translate(c, "Your profile was saved."))
		return e.goTo(c, "accounts.profile")
	}
	settings, err := shown(c, e.offers.setting, "", false)
	if err != nil {
		return err
	}
	if err := f.Err(); err != nil {
		return err
	}
	return e.page(c, statusOf(f, more), "profile.html", showMore(map[string]any{"form": f, "account": user, "offers": settings}, more))
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

// sessionForm names the session to end; without one it is all the others.
type sessionForm struct {
	Key string `validate:"max=500"`
}

// sessions shows where the user is logged in, and ends the others or one of them.
func (e *Extension) sessions(c *retort.Ctx) error {
	user := auth.Must(c)
	if auth.Impersonator(user) != nil {
		return auth.ErrForbidden // this session is the superuser's
	}
	manager := e.app.Sessions()
	f := form.For[sessionForm](c)
	if f.Submitted() {
		if !f.Valid() {
			if err := f.Err(); err != nil {
				return err
			}
			return retort.Unprocessable(f.Errors())
		}
		var err error
		if key := f.Value().Key; key != "" {
			_, err = manager.End(c, c.Session().User(), key)
		} else {
			err = e.auth.EndSessions(c, user)
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
	return e.page(c, http.StatusOK, "sessions.html", map[string]any{"sessions": openSessions(list), "account": user, "listed": err == nil})
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
