package accounts

import (
	"context"
	"errors"
	"maps"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/mail"
)

// mailCodes sends codes by mail, to addresses that users have proved to be theirs.
func (e *Extension) mailCodes() auth.CodeSender {
	return auth.CodeSender{
		Name: "mail", Label: "Codes by mail",
		Address: func(_ context.Context, user *auth.User) (string, error) {
			if user.Verified == nil {
				return "", nil
			}
			return user.Email, nil
		},
		Compose: func(c *retort.Ctx, user *auth.User, to, code string) (func(ctx context.Context) error, error) {
			m, err := e.composed(c, to, "login_code", map[string]any{"user": user, "code": code})
			if err != nil {
				return nil, err
			}
			return func(ctx context.Context) error { return mail.Send(ctx, m) }, nil
		},
	}
}

// codeWay is where the codes of a user come from, or could, as templates and scripts see
// it. Send is where one posts to for a code, "" if none can be sent.
type codeWay struct{ Name, Label, To, Send string }

// into adds the way to the data of a page.
func (w *codeWay) into(data map[string]any) map[string]any {
	maps.Copy(data, map[string]any{"way": w.Name, "label": w.Label, "sent_to": w.To, "send": w.Send})
	return data
}

// wayOf returns that of a user's second factor, which is that of the app if none is sent.
func (e *Extension) wayOf(c *retort.Ctx, user *auth.User) (*codeWay, error) {
	w, err := e.auth.CodeWay(c, user)
	if err != nil {
		return nil, err
	}
	if w == nil {
		return &codeWay{Name: auth.AppWay}, nil
	}
	return &codeWay{Name: w.Name, Label: form.Translate(c, w.Label), To: w.To}, nil
}

// halfWay returns that of a user who has given the password.
func (e *Extension) halfWay(c *retort.Ctx, user *auth.User, next string) (*codeWay, error) {
	way, err := e.wayOf(c, user)
	if err == nil && way.To != "" {
		way.Send, err = addressWithNext(c, next, "accounts.login_code_send")
	}
	return way, err
}

// waysFor returns the ways in which codes could be sent to a user.
func (e *Extension) waysFor(c *retort.Ctx, user *auth.User) ([]codeWay, error) {
	found, err := e.auth.CodeWays(c, user)
	if err != nil {
		return nil, err
	}
	ways := make([]codeWay, len(found))
	for i, w := range found {
		to, err := addressWithNext(c, c.Next(""), "accounts.second_factor_send", "way", w.Name)
		if err != nil {
			return nil, err
		}
		ways[i] = codeWay{w.Name, form.Translate(c, w.Label), w.To, to}
	}
	return ways, nil
}

// flashSent says that a code was sent, in words that are true if there were too many.
func flashSent(c *retort.Ctx) {
	c.Flash("success", form.Translate(c, "A code is on its way, unless one was sent less than half a minute ago, or five within the hour."))
}

// sendLoginCode sends another code to who has given the password.
func (e *Extension) sendLoginCode(c *retort.Ctx) error {
	next, err := e.Next(c)
	if err != nil {
		return err
	}
	err = e.auth.SendCode(c)
	if errors.Is(err, auth.ErrNoHalfLogin) {
		return e.noHalfLogin(c, next)
	}
	if err != nil {
		return err
	}
	flashSent(c)
	to, err := addressWithNext(c, next, "accounts.login_code")
	if err != nil {
		return err
	}
	return e.sendTo(c, to)
}

// sendFirstCode sends the code that switches a way on.
func (e *Extension) sendFirstCode(c *retort.Ctx) error {
	way := c.Param("way")
	switch err := e.auth.EnrolSentCode(c, auth.Must(c), way); {
	case errors.Is(err, auth.ErrNoCodeWay):
		return retort.NotFound("")
	case errors.Is(err, auth.ErrSecondFactorOn):
		return e.goTo(c, "accounts.second_factor")
	case err != nil:
		return err
	}
	flashSent(c)
	to, err := addressWithNext(c, c.Next(""), "accounts.second_factor_sent", "way", way)
	if err != nil {
		return err
	}
	return e.sendTo(c, to)
}

// sentFactor makes codes that are sent the second factor, by the first of them.
func (e *Extension) sentFactor(c *retort.Ctx) error {
	user := auth.Must(c)
	if has, err := auth.HasSecondFactor(c, user); err != nil {
		return err
	} else if has {
		return e.goTo(c, "accounts.second_factor")
	}
	ways, err := e.waysFor(c, user)
	if err != nil {
		return err
	}
	var way *codeWay
	for i := range ways {
		if ways[i].Name == c.Param("way") {
			way = &ways[i]
		}
	}
	if way == nil {
		return retort.NotFound("")
	}
	f := form.For[codeForm](c)
	valid := f.Submitted() && f.Valid()
	status := f.Status() // as it is once the form was looked at
	if valid {
		codes, err := e.auth.ConfirmSentCode(c, user, way.Name, f.Value().Code)
		switch {
		case err == nil:
			return e.switchedOn(c, user, codes)
		case errors.Is(err, auth.ErrSecondFactorOn):
			return e.goTo(c, "accounts.second_factor")
		}
		if status, err = wrongCode(c, f, err); err != nil {
			return err
		}
	}
	return e.page(c, status, "second_factor_sent.html", way.into(map[string]any{"form": f}))
}
