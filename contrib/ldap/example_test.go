package ldap_test

import (
	"context"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/contrib/ldap"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/session/dbsession"
)

func Example() {
	app := retort.New(retort.Config{Name: "notes", BaseURL: "https://notes.example"})
	directory := ldap.New(ldap.Options{
		Servers:     []string{"ldaps://ldap1.example.com", "ldaps://ldap2.example.com"},
		BindDN:      "cn=site,ou=services,dc=example,dc=com",
		Base:        "ou=people,dc=example,dc=com",
		StaffGroups: ldap.DNs{"cn=editors,ou=groups,dc=example,dc=com"},
		WhenAway:    ldap.Next,
	})
	app.Install(
		db.Open(""),
		dbsession.New(),
		mail.New(mail.Options{From: "Notes <notes@example.com>"}),
		auth.New(auth.Options{LoginURL: "accounts.login", Backends: []auth.Backend{directory, auth.Passwords()}}),
		accounts.New(accounts.Options{SignUp: accounts.SignUpClosed}),
		directory,
	)
	app.Run()
}

func ExampleNew_activeDirectory() {
	_ = ldap.New(ldap.Options{
		Kind:          ldap.ActiveDirectory,
		Servers:       []string{"ldaps://dc1.corp.example.com", "ldaps://dc2.corp.example.com"},
		UserDN:        "{login}@corp.example.com", // users find themselves, so that no account must
		Base:          "dc=corp,dc=example,dc=com",
		GroupBase:     "ou=groups,dc=corp,dc=example,dc=com",
		NestedGroups:  true,
		RequireGroups: ldap.DNs{"cn=notes users,ou=groups,dc=corp,dc=example,dc=com"},
		OnLogin: func(ctx context.Context, user *auth.User, entry *ldap.Entry) error {
			return keepPhone(ctx, user, entry.Get("telephoneNumber"))
		},
		Attributes: []string{"telephoneNumber"},
	})
}

func keepPhone(context.Context, *auth.User, string) error { return nil }
