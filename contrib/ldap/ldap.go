// Package ldap logs users in with the passwords of a directory: OpenLDAP, Active
// Directory, FreeIPA and others that speak LDAP version 3.
//
//	directory := ldap.New(ldap.Options{
//		Servers:      []string{"ldaps://ldap1.example.com", "ldaps://ldap2.example.com"},
//		BindDN:       "cn=site,ou=services,dc=example,dc=com",
//		Base:         "ou=people,dc=example,dc=com",
//		StaffGroups:  ldap.DNs{"cn=editors,ou=groups,dc=example,dc=com"},
//	})
//	app.Install(
//		db.Open(""),
//		dbsession.New(),
//		mail.New(),
//		auth.New(auth.Options{Backends: []auth.Backend{directory, auth.Passwords()}}),
//		accounts.New(accounts.Options{SignUp: accounts.SignUpClosed}),
//		directory,
//	)
//
// The password of the account that reads the directory is a setting:
// RETORT_LDAP_BIND_PASSWORD, or that with _FILE behind it.
//
// # Users
//
// At the first login an entry gets a user of its own, without a local password, and
// the table ldap_links keeps which entry it is by what stays the same when it is
// renamed. Address, name, flags and groups follow the directory at each login. A user
// that was here before is not taken over unless [Options].LinkByAddress says so.
//
// The directory decides at logins alone: sessions of somebody who was disabled there
// go on until they end. [retort.SessionConfig] bounds them.
//
// # What is refused
//
// Passwords go over TLS, by ldaps:// or StartTLS, with the certificate checked; there
// is no falling back to clear text. An empty password is refused before the directory
// is asked, as many servers take it for a bind as nobody. Referrals are not followed.
// A filter that finds two entries for what was typed lets neither in. After a search
// the password is that of the entry that was found, and of no other.
package ldap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/config"
	_ "github.com/retort-web/retort/contrib/ldap/migrations" // of the table
)

// Extension is a directory: an [auth.Backend], and what [retort.App.Install] takes
// after the packages auth and accounts. [New] makes it.
type Extension struct {
	options Options
	app     *retort.App
	auth    *auth.Extension
	slots   chan struct{} // a place for each connection

	mu      sync.Mutex
	servers []*server
}

var _ auth.Backend = (*Extension)(nil)

// New returns the backend of a directory, which must be installed as well.
func New(o Options) *Extension {
	if o.Name == "" {
		o.Name = "ldap"
	}
	return &Extension{options: o}
}

// Name is part of [retort.Extension].
func (e *Extension) Name() string { return e.options.Name }

// Install is part of [retort.Extension].
func (e *Extension) Install(app *retort.App) (err error) {
	if e.app != nil {
		return errors.New("ldap: the directory is installed already; make one with ldap.New for each app")
	}
	o := &e.options
	if !nameForm.MatchString(o.Name) {
		return fmt.Errorf("ldap: Options.Name %q is no name; small letters, digits and _", o.Name)
	}
	var ok bool
	if e.auth, ok = app.Extension("auth").(*auth.Extension); !ok {
		return errors.New("ldap: install auth.New(auth.Options{Backends: …}) before the directory")
	}
	if _, err := config.Load(o, config.Options{Section: o.Name, Allow: []string{"*"}}); err != nil {
		return err
	}
	if err := o.complete(); err != nil {
		return err
	}
	if e.servers, err = o.servers(); err != nil {
		return err
	}
	e.app, e.slots = app, make(chan struct{}, o.MaxConnections)
	app.Command(e.checkCommand())
	app.Check(e.check)
	if pages, ok := app.Extension("accounts").(countsWays); ok {
		pages.CountWays(func(ctx context.Context, user *auth.User) (int, error) {
			if kept, err := e.KeepsPassword(ctx, user); !kept {
				return 0, err
			}
			return 1, nil
		})
	}
	return nil
}

// countsWays is package accounts, which sites may do without.
type countsWays interface {
	CountWays(count func(ctx context.Context, user *auth.User) (int, error))
}

// check finds what must not be in production.
func (e *Extension) check(_ context.Context, _ *retort.App, deploy bool) (found []retort.Finding) {
	if !deploy {
		return nil
	}
	for _, s := range e.servers {
		switch {
		case s.tls == nil:
			found = append(found, retort.Finding{
				ID: "ldap.plaintext", Level: retort.LevelError,
				Message: fmt.Sprintf("passwords go to %s in clear text", s.url),
				Hint:    "use ldaps://, or ldap:// with StartTLS, and drop allow_plaintext",
			})
		case s.tls.InsecureSkipVerify:
			found = append(found, retort.Finding{
				ID: "ldap.certificate", Level: retort.LevelError,
				Message: fmt.Sprintf("the certificate of %s is not checked, so that anybody can be the directory", s.url),
				Hint:    "name the authority by ca_file, and drop InsecureSkipVerify",
			})
		}
	}
	if o := &e.options; strings.EqualFold(o.BindDN, "cn=Directory Manager") || strings.HasPrefix(strings.ToLower(o.BindDN), "cn=admin,") {
		found = append(found, retort.Finding{
			ID: "ldap.bind_dn", Level: retort.LevelWarning,
			Message: fmt.Sprintf("the site reads the directory as its administrator, %s", o.BindDN),
			Hint:    "make an account that may read users and groups and nothing else",
		})
	}
	return found
}
