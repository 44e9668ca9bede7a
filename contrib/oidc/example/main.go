// Command example is a site whose users log in with a provider, which it runs beside
// itself so that it can be tried without one, and with one that never answers:
//
//	RETORT_DEBUG=yes go run ./example migrate
//	RETORT_DEBUG=yes go run ./example     # then open http://127.0.0.1:8000
//
// At the provider log in as ann, ben or cleo with the password "verysecure".
package main

import (
	"log"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/contrib/oidc"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/mail"
	_ "github.com/retort-web/retort/orm/sqlite"
	"github.com/retort-web/retort/security"
	"github.com/retort-web/retort/session/dbsession"
)

func main() {
	issuer, err := serveProvider("/login/with/demo/callback")
	if err != nil {
		log.Fatal(err)
	}
	app := retort.New(retort.Config{Name: "Notes", DatabaseURL: "sqlite:oidc.db"})
	app.Install(
		db.Open(""),
		dbsession.New(),
		mail.New(mail.Options{From: "Notes <notes@example.com>"}),
		security.New(),
		auth.New(auth.Options{LoginURL: "accounts.login"}),
		accounts.New(accounts.Options{SignUp: accounts.SignUpOpen, AfterLogin: "accounts.profile", AfterLogout: "accounts.login"}),
		oidc.New(oidc.Options{Providers: []oidc.Provider{
			{Name: "demo", Label: "Demo", Issuer: issuer, ClientID: client},
			{Name: "away", Label: "Away", Issuer: "http://127.0.0.1:9/", ClientID: client},
		}}),
	)
	app.Get("/", func(c *retort.Ctx) error { return c.Redirect("/profile") })
	app.Run()
}
