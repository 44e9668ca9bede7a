package accounts

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/session"
	"github.com/retort-web/retort/template"
)

type codeForm struct {
	Code string `validate:"required,max=100" autocomplete:"one-time-code"`
}

// loginCode is the second step of a login.
func (e *Extension) loginCode(c *retort.Ctx) error {
	next, err := e.Next(c)
	if err != nil {
		return err
	}
	user, err := e.auth.HalfLogin(c)
	if errors.Is(err, auth.ErrNoHalfLogin) {
		return e.noHalfLogin(c, next)
	}
	if err != nil {
		return err
	}
	f := form.For[codeForm](c)
	valid := f.Submitted() && f.Valid()
	status := f.Status() // as it is once the form was looked at
	if valid {
		_, err := e.auth.FinishLogin(c, f.Value().Code)
		if err == nil {
			return e.sendTo(c, next)
		}
		if status, err = wrongCode(c, f, err); err != nil {
			return err
		}
	}
	way, err := e.halfWay(c, user, next)
	if err != nil {
		return err
	}
	others, err := shown(c, e.offers.code, next, false)
	if err != nil {
		return err
	}
	return e.page(c, status, "login_code.html", way.into(map[string]any{"form": f, "offers": others, "next": next}))
}

// noHalfLogin sends to the page for the password.
func (e *Extension) noHalfLogin(c *retort.Ctx, next string) error {
	if c.PrefersJSON() {
		return auth.ErrLoginRequired
	}
	to, err := addressWithNext(c, next, "accounts.login")
	if err != nil {
		return err
	}
	return c.Redirect(to)
}

// addressWithNext is that of a route from where one goes on to next, unless it is "".
func addressWithNext(c *retort.Ctx, next, route string, values ...any) (string, error) {
	to, err := c.URL(route, values...)
	if err == nil && next != "" {
		to += "?" + url.Values{"next": {next}}.Encode()
	}
	return to, err
}

// wrongCode says what is wrong with a code on the form, or returns another error.
func wrongCode(c *retort.Ctx, f *form.Form[codeForm], err error) (int, error) {
	if late, ok := errors.AsType[*auth.ThrottledError](err); ok {
		c.Header().Set("Retry-After", seconds(late.RetryAfter))
		f.AddError(nil, "throttled", "There were too many wrong codes. Try again later.")
		return http.StatusTooManyRequests, nil
	}
	if errors.Is(err, auth.ErrWrongCode) {
		f.AddError(&f.Value().Code, "wrong", "is not right, is over, or was used")
		return http.StatusUnprocessableEntity, nil
	}
	return 0, err
}

// secondFactor makes an authenticator app the second factor, offers codes that are sent,
// or shows what there is.
func (e *Extension) secondFactor(c *retort.Ctx) error {
	user := auth.Must(c)
	has, err := auth.HasSecondFactor(c, user)
	if err != nil {
		return err
	}
	if has {
		left, err := auth.RecoveryCodesLeft(c, user)
		if err != nil {
			return err
		}
		way, err := e.wayOf(c, user)
		if err != nil {
			return err
		}
		return e.page(c, http.StatusOK, "second_factor.html", way.into(map[string]any{"left": left}))
	}
	f := form.For[codeForm](c)
	valid := f.Submitted() && f.Valid()
	status := f.Status() // as it is once the form was looked at
	if valid {
		codes, err := e.auth.ConfirmSecondFactor(c, user, f.Value().Code)
		if errors.Is(err, auth.ErrSecondFactorOn) {
			return e.goTo(c, "accounts.second_factor")
		}
		if err == nil {
			return e.switchedOn(c, user, codes)
		}
		if status, err = wrongCode(c, f, err); err != nil {
			return err
		}
	}
	enrolment, err := e.auth.EnrolSecondFactor(c, user)
	if err != nil {
		return err
	}
	picture, err := enrolment.QR()
	if err != nil {
		return err
	}
	ways, err := e.waysFor(c, user)
	if err != nil {
		return err
	}
	return e.page(c, status, "second_factor_enrol.html", map[string]any{
		"form": f, "enrolment": enrolment, "ways": ways, "qr": template.SafeURL("data:image/png;base64," + base64.StdEncoding.EncodeToString(picture)),
	})
}

// switchedOn tells a user who has a second factor by now.
func (e *Extension) switchedOn(c *retort.Ctx, user *auth.User, codes []string) error {
	// A session that somebody else has must not outlive this.
	if _, err := e.app.Sessions().EndOthers(c, c.Session()); err != nil && !errors.Is(err, session.ErrNotOnServer) {
		return err
	}
	if err := e.mail(c, user.Email, "second_factor", map[string]any{"user": user, "on": true}); err != nil {
		return err
	}
	return e.recoveryCodes(c, codes)
}

// recoveryCodes shows them, this once.
func (e *Extension) recoveryCodes(c *retort.Ctx, codes []string) error {
	next, err := e.address(c, "accounts.second_factor")
	if err != nil {
		return err
	}
	return e.page(c, http.StatusOK, "recovery_codes.html", map[string]any{"codes": codes, "next": c.Next(next)})
}

func (e *Extension) newRecoveryCodes(c *retort.Ctx) error {
	codes, err := e.auth.NewRecoveryCodes(c, auth.Must(c))
	if err != nil {
		return err
	}
	return e.recoveryCodes(c, codes)
}

func (e *Extension) removeSecondFactor(c *retort.Ctx) error {
	user := auth.Must(c)
	if err := e.auth.RemoveSecondFactor(c, user); err != nil {
		return err
	}
	if err := e.mail(c, user.Email, "second_factor", map[string]any{"user": user, "on": false}); err != nil {
		return err
	}
	c.Flash("success", form.Translate(c, "You log in with your password alone from now on."))
	return e.goTo(c, "accounts.profile")
}
