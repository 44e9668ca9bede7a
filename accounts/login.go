package accounts

import (
	"errors"
	"net/http"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
)

type loginForm struct {
	Email    string `label:"E-mail address" validate:"required" widget:"email" autocomplete:"username"`
	Password string `validate:"required" widget:"password" autocomplete:"current-password"`
	Remember bool   `label:"Stay logged in on this device"`
	Next     string `widget:"hidden"`
}

func (e *Extension) login(c *retort.Ctx) error {
	next, err := e.Next(c)
	if err != nil {
		return err
	}
	f := e.loginForm(c)
	valid := f.Submitted() && f.Valid()
	status := f.Status() // as it is once the form was looked at
	if valid {
		in := f.Value()
		// A script sends it in its object, where Next does not look.
		if c.PrefersJSON() && c.Query("next") == "" && c.SameSite(in.Next) {
			next = in.Next
		}
		user, err := e.auth.Authenticate(c, in.Email, in.Password)
		if err == nil && e.waits(user) {
			// The account is there, and its address not proven: a new link, for the
			// owner of the address.
			if err := e.auth.CountMail(c, user.Email); err != nil {
				return err
			}
			if err := e.mailVerify(c, user); err != nil {
				return err
			}
			return e.message(c, http.StatusOK, "signed_up")
		}
		late, throttled := errors.AsType[*auth.ThrottledError](err)
		switch {
		case err == nil:
			return e.Enter(c, user, in.Remember, next)
		case throttled:
			c.Header().Set("Retry-After", seconds(late.RetryAfter))
			f.AddError(nil, "throttled", "There were too many failed logins. Try again later.")
			status = http.StatusTooManyRequests
		case errors.Is(err, auth.ErrWrong):
			f.AddError(nil, "wrong", e.wrong(c))
			status = http.StatusUnprocessableEntity
		default:
			return err
		}
	}
	f.Value().Next = next
	others, err := shown(c, e.offers.login, next, false)
	if err != nil {
		return err
	}
	return e.page(c, status, "login.html", map[string]any{"form": f, "offers": others, "next": next})
}

// loginForm returns the form to log in with.
func (e *Extension) loginForm(c *retort.Ctx) *form.Form[loginForm] {
	label := e.loginLabel(c)
	if label == "" {
		return form.For[loginForm](c)
	}
	return form.For(c, func(in *loginForm) form.Options {
		return form.Options{
			Labels: form.Texts{&in.Email: label}, Widgets: form.Widgets{&in.Email: form.Text{}},
			Attrs: form.Attrs{&in.Email: {"autocapitalize", "none", "spellcheck", "false"}},
		}
	})
}

// wrong says that a login failed, and not why.
func (e *Extension) wrong(c *retort.Ctx) string {
	label := e.loginLabel(c)
	if label == "" {
		return "The e-mail address or the password is not right."
	}
	return form.Translate(c, "{label} or password is not right.", "label", label)
}

// loginLabel is what people log in with in the visitor's language, by Options.LoginLabel or
// auth.Options.LoginFields; "" if it is their address.
func (e *Extension) loginLabel(c *retort.Ctx) string {
	if e.options.LoginLabel != "" {
		return form.Translate(c, e.options.LoginLabel)
	}
	fields := e.auth.LoginFields()
	if len(fields) == 1 && fields[0].Name == "Email" {
		return ""
	}
	label := ""
	for _, f := range fields {
		text := f.Label
		if f.Name == "Email" {
			text = "E-mail address"
		}
		text = form.Translate(c, text)
		if label == "" {
			label = text
			continue
		}
		if form.Language(c) == "en" { // others have rules of their own
			text = strings.ToLower(text[:1]) + text[1:]
		}
		label = form.Translate(c, "{one} or {other}", "one", label, "other", text)
	}
	return label
}

func (e *Extension) logout(c *retort.Ctx) error {
	if err := e.auth.Logout(c); err != nil {
		return err
	}
	return e.goTo(c, e.options.AfterLogout)
}

type emailForm struct {
	Email string `label:"E-mail address" validate:"required,email,max=254" autocomplete:"email"`
}

// askLink mails a link to log in with, to addresses that have an account.
func (e *Extension) askLink(c *retort.Ctx) error {
	f := form.For[emailForm](c)
	if !f.Submitted() || !f.Valid() {
		return e.page(c, f.Status(), "link.html", map[string]any{"form": f})
	}
	if err := e.auth.CountMail(c, f.Value().Email); err != nil {
		return err
	}
	user, err := e.find(c, f.Value().Email)
	if err != nil {
		return err
	}
	if user != nil {
		if err := e.mail(c, user.Email, "link", map[string]any{"user": user, "token": e.auth.Token(auth.LoginLink, user, "")}); err != nil {
			return err
		}
	}
	return e.message(c, http.StatusOK, "link_sent")
}

// followLink asks for a click: programs that look at links in mails send none.
func (e *Extension) followLink(c *retort.Ctx) error {
	user, _, err := e.auth.ReadToken(c, auth.LoginLink, c.Param("token"), e.options.LoginLinkAge)
	if errors.Is(err, auth.ErrBadToken) {
		return e.message(c, http.StatusBadRequest, "bad_link")
	}
	if err != nil {
		return err
	}
	if c.Method() != http.MethodPost {
		return e.page(c, http.StatusOK, "confirm.html", map[string]any{"kind": "login", "email": ""})
	}
	if e.waits(user) || e.options.SignUp == SignUpOpen && e.Unproven(user) {
		// Whoever signed up may be somebody else, and the link has asked for no password.
		if err := e.auth.SetPassword(c, user, ""); err != nil {
			return err
		}
		if err := e.auth.RevokeAPITokens(c, user); err != nil {
			return err
		}
	}
	if user.Verified == nil {
		if err := e.auth.Verify(c, user); err != nil {
			return err
		}
	}
	return e.Enter(c, user, false, "")
}

// waits reports whether nobody has proved yet that the account is that of the owner of its
// address, where that must be proved before the first login.
func (e *Extension) waits(user *auth.User) bool {
	return e.options.SignUp == SignUpVerified && user.Verified == nil && user.LastLogin == nil && !user.Superuser
}
