package accounts_test

import (
	"context"
	"errors"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/retorttest"
)

// badge is an extension that lets the user in whose address a visitor wears.
type badge struct{ shown bool }

func (*badge) Name() string { return "badge" }

func (b *badge) Install(app *retort.App) error {
	pages, ok := app.Extension("accounts").(*accounts.Extension)
	if !ok {
		return errors.New("badge: install accounts.New() first")
	}
	app.Post("/badge/{email}", func(c *retort.Ctx) error {
		user, err := auth.Find(c, c.Param("email"))
		if err != nil {
			return err
		}
		next, err := pages.Next(c)
		if err != nil {
			return err
		}
		return pages.Enter(c, user, false, next)
	}).Name("badge")
	app.Get("/badges", func(c *retort.Ctx) error { return c.Text("badges") }).Name("badges").Use(auth.RequireLogin)
	hidden := func(*retort.Ctx) (bool, error) { return b.shown, nil }
	pages.OfferLogin(accounts.Offer{Label: "Wear Ann's <badge>", Route: "badge", Values: []any{"email", "ann@example.com"}, Post: true, SignsUp: true})
	pages.OfferLogin(accounts.Offer{Label: "Look at badges", Route: "badges"})
	pages.OfferLogin(accounts.Offer{Label: "Not there", Route: "badges", Show: hidden})
	pages.OfferLogin(accounts.Offer{Template: "own.html", Route: "badges"})
	pages.OfferCode(accounts.Offer{Label: "Show the badge again", Route: "badges"})
	pages.OfferSetting(accounts.Offer{Label: "Your badges", Route: "badges"})
	pages.CountWays(func(context.Context, *auth.User) (int, error) { return 2, nil })
	return nil
}

func TestOffers(t *testing.T) {
	t.Parallel()
	b := &badge{}
	s := newSite(t, accounts.Options{LoginLinks: true}, b)
	ann := s.known("ann@example.com")
	s.Get("/login?next=/profile").Status(200).
		Contains(`action="/badge/ann@example.com"`, `<button>Wear Ann&#39;s &lt;badge&gt;</button>`, `name="next" value="/profile"`,
			`<a href="/badges?next=%2Fprofile">Look at badges</a>`, "own: /badges?next=%2Fprofile, /profile").
		Lacks("Not there", "Show the badge again")
	s.Get("/signup").Contains("Wear Ann").Lacks("Look at badges")
	b.shown = true
	s.Get("/login").Contains("Not there")
	s.post("/badge/ann@example.com?next=/profile").RedirectsTo("/profile")
	s.Get("/profile").Contains(`<a href="/badges">Your badges</a>`)
	if n, err := s.pages.Ways(s.ctx, ann); n != 4 || err != nil { // password, mailed link, two badges
		t.Error(n, err)
	}
	if err := s.auth.SetPassword(s.ctx, ann, ""); err != nil {
		t.Fatal(err)
	}
	if n, err := s.pages.Ways(s.ctx, ann); n != 3 || err != nil {
		t.Error(n, err)
	}
}

// Entering in another way than by the password is no way around the second factor,
// nor off the site, nor into an account that is closed.
func TestSecurityEnter(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{}, &badge{})
	s.known("ann@example.com")
	gone := s.known("gone@example.com")
	gone.Active = false
	if err := auth.Users.UpdateRow(s.ctx, gone, &auth.Users.Fields().Active); err != nil {
		t.Fatal(err)
	}
	s.post("/badge/gone@example.com").Status(403)
	s.Get("/").Contains("nobody")
	for _, evil := range []string{"//evil.example", "https://evil.example/", `/\evil.example`} {
		other := retorttest.New(t, s.app)
		other.PostForm("/badge/ann@example.com?next="+evil, nil).RedirectsTo("/")
	}
	s.post("/badge/ann@example.com").RedirectsTo("/")
	app, _ := s.enrol()
	s.post("/logout")
	s.post("/badge/ann@example.com?next=/profile").RedirectsTo("/login/code?next=%2Fprofile")
	s.Get("/").Contains("nobody")
	s.Get("/login/code?next=/profile").Contains(`<a href="/badges?next=%2Fprofile">Show the badge again</a>`)
	s.post("/login/code?next=/profile", "code", s.code(app)).RedirectsTo("/profile")
}

func TestOffersComeBeforeTheSiteServes(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	s.Get("/login").Status(200).Lacks("<h2>Or</h2>")
	for name, late := range map[string]func(){
		"late":      func() { s.pages.OfferLogin(accounts.Offer{Label: "Late", Route: "home"}) },
		"late ways": func() { s.pages.CountWays(nil) },
		"empty":     func() { accounts.New().OfferLogin(accounts.Offer{}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			late()
		}()
	}
}
