package accounts

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
)

type tokenForm struct {
	Name   string   `validate:"required,max=100" help:"What it is for" autocomplete:"off"`
	Scopes []string `label:"What it may do" widget:"checkboxes"`
	Days   string   `label:"It ends after" validate:"required" widget:"select"`
}

var tokenDays = form.Choices{
	{Value: "30", Label: "30 days"},
	{Value: "90", Label: "90 days"},
	{Value: "365", Label: "a year"},
	{Value: "0", Label: "never by itself"},
}

// tokens lists the API tokens of the user, and makes another.
func (e *Extension) tokens(c *retort.Ctx) error {
	user := auth.Must(c)
	f := form.For(c, func(in *tokenForm) form.Options {
		scopes := make(form.Choices, len(e.options.TokenScopes))
		for i, p := range e.options.TokenScopes {
			scopes[i] = form.Choice{Value: string(p), Label: form.Translate(c, e.auth.PermissionLabel(p))}
			if p != auth.AllScopes {
				scopes[i].Label += " (" + string(p) + ")"
			}
		}
		return form.Options{From: form.Sources{&in.Scopes: scopes, &in.Days: tokenDays}}
	})
	data := map[string]any{"form": f}
	if f.Submitted() && f.Valid() {
		in := f.Value()
		o := auth.APITokenOptions{Name: in.Name}
		for _, p := range in.Scopes { // the form takes no others than those that are offered
			o.Scopes = append(o.Scopes, auth.Permission(p))
		}
		if days, err := strconv.Atoi(in.Days); err == nil && days > 0 {
			o.Expires = time.Now().AddDate(0, 0, days)
		}
		text, token, err := e.auth.CreateAPIToken(c, user, o)
		if err != nil {
			return err
		}
		data = map[string]any{"text": text, "made": token}
	}
	p := auth.APITokens.Fields()
	list, err := auth.APITokens.Where(orm.Eq(&p.User.ID, user.ID), orm.IsNull(&p.Revoked)).All(c)
	if err != nil {
		return err
	}
	data["tokens"] = list
	data["scopes"] = e.scopesOf(c, list)
	return e.page(c, f.Status(), "tokens.html", data)
}

// tokenScope is a scope of a token as its page shows it.
type tokenScope struct{ Label, Code string }

// scopesOf are the scopes of tokens by their ids.
func (e *Extension) scopesOf(c *retort.Ctx, tokens []*auth.APIToken) map[int64][]tokenScope {
	all := make(map[int64][]tokenScope, len(tokens))
	for _, t := range tokens {
		for _, p := range t.Scopes {
			scope := tokenScope{Label: form.Translate(c, e.auth.PermissionLabel(p))}
			if p != auth.AllScopes {
				scope.Code = string(p)
			}
			all[t.ID] = append(all[t.ID], scope)
		}
	}
	return all
}

func (e *Extension) revokeToken(c *retort.Ctx) error {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return retort.NotFound("")
	}
	if err := e.auth.RevokeAPIToken(c, auth.Must(c), id); errors.Is(err, orm.ErrNotFound) {
		return retort.NewError(http.StatusNotFound, "You have no such token.")
	} else if err != nil {
		return err
	}
	c.Flash("success", form.Translate(c, "The token was revoked."))
	return e.goTo(c, "accounts.tokens")
}
