package accounts_test

import (
	"testing"

	"github.com/retort-web/retort/accounts"
)

// Sites whose users log in by a name say so on the page.
func TestLoginLabel(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{LoginLabel: "User name"})
	s.Get("/login").Status(200).Contains("User name", `type="text"`, `autocomplete="username"`).Lacks("E-mail", `type="email"`)
	s.login("ann", "wrong").Status(422).Contains("User name or password is not right")
}
