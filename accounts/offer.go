package accounts

import (
	"context"
	"net/url"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
)

// Offer is what another extension adds to the pages: a way to log in, see
// [Extension.OfferLogin] and [Extension.OfferCode], or a page of settings, see
// [Extension.OfferSetting]. It is a link, a button or a template.
type Offer struct {
	// Label is the text of the link or button in English: "Passkeys". Names stand in it in
	// braces, "Log in with {provider}", and Params has them in pairs of a name and a
	// value, as for [form.Translate].
	Label  string
	Params []any
	// Route is the name of the route that it leads to, and Values are those of its
	// pattern, in pairs as for [retort.Ctx.URL].
	Route  string
	Values []any
	// Post makes it a button that sends a form of nothing but the CSRF token and
	// "next", where the visitor wants to go. It is for routes that change something,
	// be it only the session. Default: a link, with "next" in its query.
	Post bool
	// Template is included in place of a link or button, for those that need a script.
	// It sees "offer", "offer.url" if there is a Route, and "next".
	Template string
	// SignsUp shows a way to log in on the page to sign up as well: it makes accounts.
	SignsUp bool
	// Show says whether the offer is there for a visitor. Default: for all.
	Show func(c *retort.Ctx) (bool, error)
}

// offered is an offer as templates see it.
type offered struct {
	Label, URL, Template string
	Post                 bool
}

// OfferLogin adds a way to log in to the page for that, below the form. The route ends
// with [Extension.Enter]. Call it from Install of an extension that is installed after
// this one:
//
//	pages, ok := app.Extension("accounts").(*accounts.Extension)
//
// It panics once the app serves, as do the others here.
func (e *Extension) OfferLogin(o Offer) { e.offer(&e.offers.login, o) }

// OfferCode adds a way to give the second factor to the page on which users give a
// code, after their password: see [auth.Extension.HalfLogin].
func (e *Extension) OfferCode(o Offer) { e.offer(&e.offers.code, o) }

// OfferSetting adds a page on which users set something to those that the profile
// leads to.
func (e *Extension) OfferSetting(o Offer) { e.offer(&e.offers.setting, o) }

// offers are what other extensions have added.
type offers struct {
	login, code, setting []Offer
	ways                 []func(ctx context.Context, user *auth.User) (int, error)
}

func (e *Extension) offer(list *[]Offer, o Offer) {
	if o.Route == "" && o.Template == "" || o.Template == "" && o.Label == "" {
		panic("accounts: an offer needs a Label and a Route, or a Template")
	}
	e.mustBeStarting()
	*list = append(*list, o)
}

func (e *Extension) mustBeStarting() {
	if e.app != nil && e.app.Prepared() {
		panic("accounts: the app serves already; add to the pages in Install of an extension")
	}
}

// CountWays adds a way to log in: the function counts how many of its kind a user has,
// such as passkeys. See [Extension.Ways].
func (e *Extension) CountWays(count func(ctx context.Context, user *auth.User) (int, error)) {
	e.mustBeStarting()
	e.offers.ways = append(e.offers.ways, count)
}

// Ways returns how many ways to log in a user has: a password, links that are mailed
// to a verified address if the site has them, and those that other extensions count.
// One who takes a way from a user asks first, in the transaction in which it goes, and
// leaves the last. That a new password can be mailed is not counted.
func (e *Extension) Ways(ctx context.Context, user *auth.User) (int, error) {
	n := 0
	if user.HasPassword() {
		n++
	}
	if e.options.LoginLinks && user.Verified != nil {
		n++
	}
	for _, count := range e.offers.ways {
		more, err := count(ctx, user)
		if err != nil {
			return 0, err
		}
		n += more
	}
	return n, nil
}

// shown returns what a visitor sees of offers.
func shown(c *retort.Ctx, list []Offer, next string, signUp bool) ([]offered, error) {
	var out []offered
	for _, o := range list {
		if signUp && !o.SignsUp {
			continue
		}
		if o.Show != nil {
			if ok, err := o.Show(c); err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		to := ""
		if o.Route != "" {
			var err error
			if to, err = c.URL(o.Route, o.Values...); err != nil {
				return nil, err
			}
			if next != "" && !o.Post {
				to += "?" + url.Values{"next": {next}}.Encode()
			}
		}
		out = append(out, offered{form.Translate(c, o.Label, o.Params...), to, o.Template, o.Post})
	}
	return out, nil
}

// SignUp returns who may make an account: other ways to make one keep to it.
func (e *Extension) SignUp() SignUp { return e.options.SignUp }

// Next returns where to go after a login: the "next" of the request if that is a page
// of this site, else [Options].AfterLogin.
func (e *Extension) Next(c *retort.Ctx) (string, error) {
	fallback, err := e.address(c, e.options.AfterLogin)
	if err != nil {
		return "", err
	}
	return c.Next(fallback), nil
}

// Enter ends the login of a user who has proved who they are by one factor: it logs
// them in and redirects to next (a script gets the address, see the package), or to the page for the code first if they have a
// second factor, as the page with the password does. What is no page of this site is
// not gone to, "" is [Options].AfterLogin. remember keeps the session for long. A user
// who is not active is refused with [auth.ErrForbidden].
func (e *Extension) Enter(c *retort.Ctx, user *auth.User, remember bool, next string) error {
	if !user.Active {
		return auth.ErrForbidden
	}
	if next == "" || !c.SameSite(next) {
		var err error
		if next, err = e.address(c, e.options.AfterLogin); err != nil {
			return err
		}
	}
	done, err := e.auth.BeginLogin(c, user, remember)
	if err != nil {
		return err
	}
	if done {
		return e.sendTo(c, next)
	}
	to, err := addressWithNext(c, next, "accounts.login_code")
	if err != nil {
		return err
	}
	if c.PrefersJSON() {
		way, err := e.halfWay(c, user, next)
		if err != nil {
			return err
		}
		return c.JSON(halfAnswer{SecondFactor: true, Way: way.Name, SentTo: way.To, Send: way.Send, Next: to, CSRFToken: c.CSRFToken()})
	}
	return c.Redirect(to)
}
