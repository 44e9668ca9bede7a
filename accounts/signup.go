package accounts

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

type signUpForm struct {
	Name     string `validate:"max=150" autocomplete:"name"`
	Email    string `label:"E-mail address" validate:"required,email,max=254" autocomplete:"email"`
	Password string `validate:"required" widget:"password" autocomplete:"new-password"`
}

func (e *Extension) signUp(c *retort.Ctx) error {
	f := form.For(c, func(in *signUpForm) form.Options {
		return form.Options{
			Help: form.Texts{&in.Password: e.passwordHelp(c)},
			Clean: form.Clean(func(_ context.Context, in *signUpForm) error {
				return e.auth.CheckPassword(&auth.User{Email: in.Email, Name: in.Name}, "password", in.Password)
			}),
		}
	})
	more, err := e.options.SignUpFields.of(c, nil)
	if err != nil {
		return err
	}
	if !f.Submitted() || !allValid(f, more) {
		return e.signUpPage(c, statusOf(f, more), f, more)
	}
	in := f.Value()
	if err := e.auth.CountMail(c, in.Email); err != nil {
		return err
	}
	user, made, err := e.create(c, more, func(u *auth.User) { u.Email, u.Name = in.Email, in.Name }, in.Password)
	taken := errors.Is(err, auth.ErrTaken)
	switch {
	case err == nil && !made:
		return e.signUpPage(c, http.StatusUnprocessableEntity, f, more)
	case err != nil && !taken:
		return err
	case e.options.SignUp == SignUpOpen && taken:
		f.AddError(&in.Email, "taken", "has an account already")
		return e.signUpPage(c, http.StatusUnprocessableEntity, f, more)
	case taken:
		// Who owns the address learns it by mail, and who has typed it nothing.
		known, err := e.find(c, in.Email)
		if err != nil {
			return err
		}
		if err := e.signUpAgain(c, known, in); err != nil {
			return err
		}
	default:
		if err := e.mailVerify(c, user); err != nil {
			return err
		}
	}
	if e.options.SignUp == SignUpOpen {
		if err := e.auth.Login(c, user, false); err != nil {
			return err
		}
		return e.goTo(c, e.options.AfterLogin)
	}
	return e.message(c, http.StatusOK, "signed_up")
}

func (e *Extension) signUpPage(c *retort.Ctx, status int, f *form.Form[signUpForm], more moreForm) error {
	next, err := e.Next(c)
	if err != nil {
		return err
	}
	others, err := shown(c, e.offers.login, next, true)
	if err != nil {
		return err
	}
	return e.page(c, status, "signup.html", showMore(map[string]any{"form": f, "offers": others, "next": next}, more))
}

func (e *Extension) mailVerify(c *retort.Ctx, user *auth.User) error {
	return e.mail(c, user.Email, "verify", map[string]any{"user": user, "token": e.auth.Token(auth.VerifyEmail, user, "")})
}

// signUpAgain is for an address that has an account. If nobody has proved that the
// address is theirs, the present try counts in place of the last.
func (e *Extension) signUpAgain(c *retort.Ctx, known *auth.User, in *signUpForm) error {
	switch {
	case known == nil: // not active
		return nil
	case known.Verified != nil || known.LastLogin != nil || known.Staff || known.Superuser:
		// Staff was made by the site's people, who give no proof of the address: nobody
		// signs up in their place.
		return e.mail(c, known.Email, "known", map[string]any{"user": known})
	}
	// Its owner may prove the address at this very moment.
	if done, err := e.auth.SetPasswordUnproven(c, known, in.Password); err != nil {
		return err
	} else if !done {
		return e.mail(c, known.Email, "known", map[string]any{"user": known})
	}
	known.Name = in.Name
	if err := auth.Users.UpdateRow(c, known, &auth.Users.Fields().Name); err != nil {
		return err
	}
	return e.mailVerify(c, known)
}

type verifyForm struct {
	Password string `validate:"required" widget:"password" autocomplete:"current-password"`
}

// verify notes that the address is the user's. It asks for the password: somebody else
// may have signed up with the address, and its owner must not open their account for
// them.
func (e *Extension) verify(c *retort.Ctx) error {
	user, _, err := e.auth.ReadToken(c, auth.VerifyEmail, c.Param("token"), e.options.VerifyAge)
	if errors.Is(err, auth.ErrBadToken) {
		return e.message(c, http.StatusBadRequest, "bad_link")
	}
	if err != nil {
		return err
	}
	f := form.For(c, func(*verifyForm) form.Options {
		return form.Options{Clean: form.Clean(func(ctx context.Context, in *verifyForm) error {
			err := e.auth.Confirm(ctx, user, in.Password)
			if errors.Is(err, auth.ErrWrong) {
				return validate.NewError("password", "wrong", "is not right")
			}
			return err
		})}
	})
	if !f.Submitted() || !f.Valid() {
		if err := f.Err(); err != nil {
			return err
		}
		return e.page(c, f.Status(), "verify.html", map[string]any{"form": f, "email": user.Email})
	}
	if err := e.auth.Verify(c, user); errors.Is(err, auth.ErrBadToken) {
		return e.message(c, http.StatusBadRequest, "bad_link")
	} else if err != nil {
		return err
	}
	return e.Enter(c, user, false, "")
}

// Unproven reports whether an account may be somebody else's than the owner's of its
// address, who has not proved yet that it is theirs. Who made it must not leave a way in
// behind for when the owner takes it over: other ways to log in are added to no such
// account. There is none where the site's people make the accounts, as they do those of
// staff.
func (e *Extension) Unproven(user *auth.User) bool {
	return user.Verified == nil && e.options.SignUp != SignUpClosed && !user.Staff && !user.Superuser
}

// find returns the active user with an address, or nil.
func (e *Extension) find(ctx context.Context, email string) (*auth.User, error) {
	user, err := auth.Find(ctx, email)
	if errors.Is(err, orm.ErrNotFound) || err == nil && !user.Active {
		return nil, nil
	}
	return user, err
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d.Round(time.Second)/time.Second) + 1) }

// passwordHelp says in the visitor's language what a new password must be.
func (e *Extension) passwordHelp(c *retort.Ctx) string {
	return strings.Join(e.auth.PasswordHelpIn(func(one, other string, n int) string {
		if other == "" {
			return form.Translate(c, one)
		}
		return form.TranslatePlural(c, one, other, n)
	}), " ")
}
