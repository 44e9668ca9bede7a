package jwt_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/contrib/jwt"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/password"
)

// Tokens of another issuer are taken, for users who have the address in them.
func Example_issuer() {
	staff := jwt.Issuer{
		Issuer: "https://sso.example.com/realms/staff", Audience: "notes-api",
		Keys:   jwt.KeysAt("https://sso.example.com/realms/staff/protocol/openid-connect/certs"),
		Scopes: map[string][]auth.Permission{"print": {"notes.print"}},
		User:   jwt.ByVerifiedEmail,
	}
	tokens := jwt.New(jwt.Options{Issuers: []jwt.Issuer{staff}})
	app := retort.New(retort.Config{SecretKey: "thirty-two characters or more, at random", Logger: slog.New(slog.DiscardHandler)})
	app.Install(auth.New(), tokens)
	app.Get("/api/me", func(c *retort.Ctx) error { return c.Text(auth.Must(c).Email) }).Use(tokens.Bearer).DisableCSRF()
	fmt.Println(call(app, "of.some.body"))
	// Output: 401 Bearer error="invalid_token"
}

// A program gets an access token for its API token, and calls with it.
func Example() {
	app := retort.New(retort.Config{
		SecretKey: "thirty-two characters or more, at random", BaseURL: "https://notes.example", DatabaseURL: "sqlite::memory:",
		Logger: slog.New(slog.DiscardHandler),
	})
	accounts := auth.New(auth.Options{Hash: password.Options{Memory: 64, Time: 1}})
	tokens := jwt.New()
	app.Install(db.Open(""), accounts, tokens)
	app.Post("/api/token", tokens.Exchange).Use(auth.Bearer).DisableCSRF()
	app.Get("/api/me", func(c *retort.Ctx) error {
		return c.Text(auth.Must(c).Email)
	}).Use(tokens.Bearer).DisableCSRF()

	ctx := app.Context()
	if _, err := app.Call(ctx, "migrate"); err != nil {
		fmt.Println(err)
	}
	ann := auth.Users.New()
	ann.Email = "ann@example.com"
	if err := accounts.Create(ctx, ann, ""); err != nil {
		fmt.Println(err)
	}
	token, _, err := tokens.Issue(ctx, ann, jwt.IssueOptions{})
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(call(app, token))
	fmt.Println(call(app, token+"x"))
	// Output:
	// 200 ann@example.com
	// 401 Bearer error="invalid_token"
}

// call sends a token to the app.
func call(app http.Handler, token string) (int, string) {
	r, err := http.NewRequest(http.MethodGet, "https://notes.example/api/me", nil)
	if err != nil {
		return 0, err.Error()
	}
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	if challenge := w.Header().Get("Www-Authenticate"); challenge != "" {
		return w.Code, challenge
	}
	return w.Code, w.Body.String()
}
