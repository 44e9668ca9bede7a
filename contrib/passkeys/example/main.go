// Command example is a site whose users log in with passkeys:
//
//	RETORT_DEBUG=yes go run ./example migrate
//	RETORT_DEBUG=yes go run ./example     # then open http://localhost:8000
//
// Who signs up adds a passkey after the address is verified, by the link of a mail that
// is printed.
package main

import (
	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/contrib/passkeys"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/mail"
	_ "github.com/retort-web/retort/orm/sqlite"
	"github.com/retort-web/retort/security"
	"github.com/retort-web/retort/session/dbsession"
)

func main() {
	app := retort.New(retort.Config{Name: "Notes", DatabaseURL: "sqlite:passkeys.db"})
	app.Install(
		db.Open(""),
		dbsession.New(),
		mail.New(mail.Options{From: "Notes <notes@example.com>"}),
		security.New(),
		auth.New(auth.Options{LoginURL: "accounts.login", SecondFactorURL: "accounts.second_factor"}),
		accounts.New(accounts.Options{SignUp: accounts.SignUpOpen, AfterLogin: "accounts.profile", AfterLogout: "accounts.login"}),
		passkeys.New(),
	)
	app.Get("/", func(c *retort.Ctx) error { return c.Redirect("/profile") })
	app.Get("/vault", func(c *retort.Ctx) error { return c.Text("Behind two factors.") }).Use(auth.RequireSecondFactor)
	app.Run()
}
