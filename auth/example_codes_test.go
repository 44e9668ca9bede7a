package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
)

// smsByGateway sends codes to the telephones of members, by a provider that takes a form.
func smsByGateway(provider string, client *http.Client) auth.CodeSender {
	return auth.CodeSender{
		Name: "sms", Label: "Codes by SMS",
		Address: func(ctx context.Context, user *auth.User) (string, error) {
			p := Profiles.Fields()
			profile, err := Profiles.Where(orm.Eq(&p.User.ID, user.ID)).Get(ctx)
			if errors.Is(err, orm.ErrNotFound) {
				return "", nil
			}
			if err != nil {
				return "", err
			}
			return profile.Phone, nil
		},
		Send: func(ctx context.Context, _ *auth.User, to, code string) error {
			form := url.Values{"to": {to}, "text": {"Your code: " + code}}
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, provider, strings.NewReader(form.Encode()))
			if err != nil {
				return err
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			answer, err := client.Do(r)
			if err != nil {
				return err
			}
			defer answer.Body.Close()
			if answer.StatusCode >= 300 {
				return fmt.Errorf("the provider of SMS answers %s", answer.Status)
			}
			return nil
		},
	}
}

// Codes by SMS go through the program's own function.
func ExampleCodeSender() {
	provider := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println(r.FormValue("to"), r.FormValue("text"))
	}))
	defer provider.Close()
	sms := smsByGateway(provider.URL, provider.Client())
	_ = auth.New(auth.Options{CodeSenders: []auth.CodeSender{sms}}) // the one of the app

	if err := sms.Send(context.Background(), &auth.User{Email: "ann@example.com"}, "+491512345667", "042424"); err != nil {
		fmt.Println(err)
	}
	// Output: +491512345667 Your code: 042424
}
