package oidc_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/contrib/oidc"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/mail"
)

// Visitors log in with Google, or with GitHub, or with the site of their company, whose
// users of the group "editors" get into the one of the same name here.
func Example() {
	google, github := oidc.Google(), oidc.GitHub()
	google.ClientID, github.ClientID = "from Google", "from GitHub" // or RETORT_OIDC_GOOGLE_CLIENT_ID …
	staff := oidc.Keycloak("staff", "https://sso.example.com/realms/staff")
	staff.Label, staff.ClientID, staff.TrustEmail = "Example Inc.", "notes", true

	app := retort.New(retort.Config{
		SecretKey: "thirty-two characters or more, at random", BaseURL: "https://notes.example", DatabaseURL: "sqlite::memory:",
		Logger: slog.New(slog.DiscardHandler),
	})
	app.Install(
		db.Open(""), mail.New(),
		auth.New(auth.Options{LoginURL: "accounts.login"}),
		accounts.New(),
		oidc.New(oidc.Options{
			Providers: []oidc.Provider{google, github, staff},
			OnLogin: func(ctx context.Context, user *auth.User, p *oidc.Profile) error {
				if p.Claims["group"] == "editors" {
					return auth.Grant(ctx, user, "notes.change_note")
				}
				return nil
			},
		}),
	)
	w := httptest.NewRecorder()
	app.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://notes.example/login", nil))
	for line := range strings.Lines(w.Body.String()) {
		if _, label, found := strings.Cut(line, "<button>Log in with "); found {
			fmt.Println(strings.TrimSuffix(label, "</button></form></li>\n"))
		}
	}
	// Output:
	// Google
	// GitHub
	// Example Inc.
}
