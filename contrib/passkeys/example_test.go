package passkeys_test

import (
	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/contrib/passkeys"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/session/dbsession"
)

func Example() {
	app := retort.New(retort.Config{Name: "notes", BaseURL: "https://notes.example"})
	app.Install(
		db.Open(""),
		dbsession.New(),
		mail.New(mail.Options{From: "Notes <notes@example.com>"}),
		auth.New(auth.Options{LoginURL: "accounts.login", SecondFactorURL: "accounts.second_factor"}),
		accounts.New(),
		passkeys.New(),
	)
	app.Run()
}

// A site that has several hosts keeps its passkeys on the domain that they share.
func ExampleNew_severalHosts() {
	_ = passkeys.New(passkeys.Options{
		Domain:  "notes.example",
		Origins: []string{"https://notes.example", "https://www.notes.example", "https://admin.notes.example"},
	})
}
