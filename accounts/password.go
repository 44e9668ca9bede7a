package accounts

import (
	"context"
	"errors"
	"net/http"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/validate"
)

// askReset mails a link to set a new password, to addresses that have an account.
func (e *Extension) askReset(c *retort.Ctx) error {
	f := form.For[emailForm](c)
	if !f.Submitted() || !f.Valid() {
		return e.page(c, f.Status(), "reset.html", map[string]any{"form": f})
	}
	if err := e.auth.CountMail(c, f.Value().Email); err != nil {
		return err
	}
	user, err := e.find(c, f.Value().Email)
	if err != nil {
		return err
	}
	elsewhere := false
	if user != nil {
		if elsewhere, err = e.auth.PasswordElsewhere(c, user); err != nil {
			return err
		}
	}
	if user != nil && !elsewhere {
		// To the address that is kept, never to the one that was typed.
		if err := e.mail(c, user.Email, "reset", map[string]any{"user": user, "token": e.auth.Token(auth.ResetPassword, user, "")}); err != nil {
			return err
		}
	}
	return e.message(c, http.StatusOK, "reset_sent")
}

// resetKey is where the token waits in the session while its address is cleaned.
const resetKey = "accounts reset"

// openReset moves the token into the session, so that neither the history nor the
// Referer of the next page has it.
func (e *Extension) openReset(c *retort.Ctx) error {
	_, _, err := e.auth.ReadToken(c, auth.ResetPassword, c.Param("token"), e.options.ResetAge)
	if errors.Is(err, auth.ErrBadToken) {
		return e.message(c, http.StatusBadRequest, "bad_link")
	}
	if err != nil {
		return err
	}
	c.Session().Set(resetKey, c.Param("token"))
	return e.goTo(c, "accounts.reset_set")
}

type newPassword struct {
	Password string `label:"New password" validate:"required" widget:"password" autocomplete:"new-password"`
	Again    string `label:"New password again" validate:"required" widget:"password" autocomplete:"new-password"`
}

// Validate compares the two.
func (n *newPassword) Validate() error {
	if n.Password != n.Again {
		return validate.NewError("again", "different", "is not the same as above")
	}
	return nil
}

func (e *Extension) newPasswordForm(c *retort.Ctx, user *auth.User) *form.Form[newPassword] {
	return form.For(c, func(in *newPassword) form.Options {
		return form.Options{
			Help: form.Texts{&in.Password: e.passwordHelp(c)},
			Clean: form.Clean(func(_ context.Context, in *newPassword) error {
				return e.auth.CheckPassword(user, "password", in.Password)
			}),
		}
	})
}

func (e *Extension) reset(c *retort.Ctx) error {
	token, _ := c.Session().Get(resetKey).(string)
	user, _, err := e.auth.ReadToken(c, auth.ResetPassword, token, e.options.ResetAge)
	if errors.Is(err, auth.ErrBadToken) {
		return e.message(c, http.StatusBadRequest, "bad_link")
	}
	if err != nil {
		return err
	}
	if elsewhere, err := e.auth.PasswordElsewhere(c, user); err != nil {
		return err
	} else if elsewhere {
		return e.message(c, http.StatusForbidden, "password_elsewhere")
	}
	f := e.newPasswordForm(c, user)
	if !f.Submitted() || !f.Valid() {
		return e.page(c, f.Status(), "reset_set.html", map[string]any{"form": f})
	}
	if err := e.auth.ChangePassword(c, user, f.Value().Password); err != nil {
		return err
	}
	// Whoever reads the mail of the address has it, and who had the account before may
	// have been somebody else.
	if user.Verified == nil {
		if err := e.auth.Verify(c, user); err != nil {
			return err
		}
		if err := e.auth.RevokeAPITokens(c, user); err != nil {
			return err
		}
	}
	c.Session().Delete(resetKey)
	if err := e.mail(c, user.Email, "changed", map[string]any{"user": user}); err != nil {
		return err
	}
	return e.message(c, http.StatusOK, "reset_done")
}

type changePassword struct {
	Old string `label:"Present password" validate:"required" widget:"password" autocomplete:"current-password"`
	newPassword
}

func (e *Extension) changePassword(c *retort.Ctx) error {
	user := auth.Must(c)
	if auth.Impersonator(user) != nil {
		return auth.ErrForbidden // it may have none, and is theirs
	}
	if elsewhere, err := e.auth.PasswordElsewhere(c, user); err != nil {
		return err
	} else if elsewhere {
		return e.message(c, http.StatusForbidden, "password_elsewhere")
	}
	if !user.HasPassword() {
		// There is none to ask for, so the login must be fresh.
		return auth.RequireFresh(e.firstPassword)(c)
	}
	f := form.For(c, func(in *changePassword) form.Options {
		return form.Options{
			Help: form.Texts{&in.Password: e.passwordHelp(c)},
			Clean: form.Clean(func(ctx context.Context, in *changePassword) error {
				if err := in.Validate(); err != nil {
					return err
				}
				if err := e.auth.Confirm(ctx, user, in.Old); errors.Is(err, auth.ErrWrong) {
					return validate.NewError("old", "wrong", "is not right")
				} else if err != nil {
					return err
				}
				return e.auth.CheckPassword(user, "password", in.Password)
			}),
		}
	})
	if !f.Submitted() || !f.Valid() {
		if err := f.Err(); err != nil {
			return err
		}
		return e.page(c, f.Status(), "password.html", map[string]any{"form": f})
	}
	return e.passwordChanged(c, user, f.Value().Password)
}

// firstPassword gives one to a user who logs in otherwise.
func (e *Extension) firstPassword(c *retort.Ctx) error {
	user := auth.Must(c)
	f := e.newPasswordForm(c, user)
	if !f.Submitted() || !f.Valid() {
		return e.page(c, f.Status(), "password.html", map[string]any{"form": f})
	}
	return e.passwordChanged(c, user, f.Value().Password)
}

func (e *Extension) passwordChanged(c *retort.Ctx, user *auth.User, secret string) error {
	if err := e.auth.ChangePassword(c, user, secret); err != nil {
		return err
	}
	if err := e.mail(c, user.Email, "changed", map[string]any{"user": user}); err != nil {
		return err
	}
	c.Flash("success", form.Translate(c, "Your password was changed. Your other sessions have ended."))
	return e.goTo(c, "accounts.profile")
}
