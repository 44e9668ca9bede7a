package auth

import (
	"strings"
	"time"

	"github.com/retort-web/retort"
)

// RequireLogin lets only users who have logged in through; others are sent to log in
// and come back, or get 401 if they are programs.
func RequireLogin(next retort.Handler) retort.Handler {
	return func(c *retort.Ctx) error {
		user, err := Current(c)
		if err != nil {
			return err
		}
		if user == nil {
			return askForLogin(c)
		}
		return next(c)
	}
}

// RequireFresh lets only users through who logged in a short time ago, see
// [Options].FreshFor: before what cannot be undone. Others give their password again.
// A program with a token gets 403.
func RequireFresh(next retort.Handler) retort.Handler {
	return RequireLogin(func(c *retort.Ctx) error {
		if Must(c).byToken() {
			return ErrForbidden // the session, if there is one, may be anyone's
		}
		e, err := Of(c)
		if err != nil {
			return err
		}
		if Must(c).by != nil {
			return ErrForbidden // that is for the user alone
		}
		if time.Since(c.Session().LoggedIn()) > e.options.FreshFor || e.options.Protect != "" && e.elsewhere(c) {
			return askForLogin(c)
		}
		return next(c)
	})
}

// RequireStaff lets only staff through, and of their API tokens those of [AllScopes].
func RequireStaff(next retort.Handler) retort.Handler {
	return RequireLogin(func(c *retort.Ctx) error {
		switch user := Must(c); {
		case !user.Staff && !user.Superuser:
			return ErrForbidden
		case !user.scope.all():
			return &ScopeError{AllScopes}
		}
		return next(c)
	})
}

// publicMark marks routes for everyone.
type publicMark struct{}

// Public lets everyone use a route of a site whose [Options].SiteWide asks for a login
// elsewhere:
//
//	auth.Public(app.Get("/about", about))
func Public(r *retort.Route) *retort.Route { return r.Mark(publicMark{}, true) }

// siteWide asks for a login on all routes that are not public. What is no route is a
// 404 as before, and static files are for everyone.
func (e *Extension) siteWide(c *retort.Ctx) error {
	if c.Route() == "" || c.RouteName() == "static" || c.RouteMark(publicMark{}) != nil {
		return nil
	}
	user, err := Current(c)
	if err != nil || user != nil {
		return err
	}
	return askForLogin(c)
}

// isProgram reports whether a request is none for a page, to which one could be sent.
func isProgram(c *retort.Ctx) bool {
	c.Vary("Accept")
	return c.PrefersJSON() || !strings.Contains(c.Request().Header.Get("Accept"), "text/html")
}

// askForLogin sends a person to the page for that, and tells a program.
func askForLogin(c *retort.Ctx) error {
	e, err := Of(c)
	if err != nil {
		return err
	}
	if isProgram(c) {
		return ErrLoginRequired
	}
	return e.sendTo(c, e.options.LoginURL)
}
