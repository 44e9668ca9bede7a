package oidc

import (
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

// real is a provider of the certified library of Zitadel, with its pages to log in.
func real(t *testing.T) string {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	issuer := "http://" + server.Listener.Addr().String() + "/"
	client := storage.WebClient("notes", "s3cret", "https://notes.example/login/with/one/callback")
	users := storage.NewUserStore(issuer)
	server.Config.Handler = exampleop.SetupServer(issuer, storage.NewStorageWithClients(users, map[string]*storage.Client{"notes": client}), slog.New(slog.DiscardHandler), false)
	server.Start()
	t.Cleanup(server.Close)
	return issuer
}

// at is a visitor's browser at the provider: it logs in and returns where the provider
// sends the visitor to.
func at(t *testing.T, issuer, to, username string) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var last string
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if last = r.URL.String(); r.URL.Host == "notes.example" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := browser.Get(to)
	if err != nil {
		t.Fatal(err)
	}
	_ = page.Body.Close()
	id := page.Request.URL.Query().Get("authRequestID")
	if id == "" {
		t.Fatalf("the provider shows %s, %s", page.Request.URL, page.Status)
	}
	answer, err := browser.PostForm(issuer+"login/username", url.Values{"id": {id}, "username": {username}, "password": {"verysecure"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return last
}

func TestRealProvider(t *testing.T) {
	t.Parallel()
	issuer := real(t)
	s := newSite(t, options{Options: Options{Providers: []Provider{{Name: "one", Label: "Zitadel", Issuer: issuer, ClientID: "notes", ClientSecret: "s3cret"}}}})
	s.Get(back(t, at(t, issuer, s.leave(begin).String(), "test-user2"))).RedirectsTo("/")
	s.Get("/").Contains("home of test-user2@zitadel.ch")
	// Again, as before what cannot be undone: the provider says when the user logged in.
	to := s.leave(begin, "next", "/logins")
	if to.Query().Get("max_age") != "0" {
		t.Error(to)
	}
	s.Get(back(t, at(t, issuer, to.String(), "test-user2"))).RedirectsTo("/logins")
	s.Get("/logins").Contains("Zitadel", "test-user2@zitadel.ch", "your only way")
	s.post("/logout")
	s.User("bob@example.com", secret)
	s.login("bob@example.com")
	s.Get(back(t, at(t, issuer, s.leave(connect).String(), "test-user@127.0.0.1"))).RedirectsTo("/logins")
	list := s.identities()
	if len(list) != 2 || list[0].Subject != "id2" || list[1].Subject != "id1" || list[1].Email != "test-user@zitadel.ch" {
		t.Errorf("%+v", list)
	}
}

func TestRealProviderRefusesTheSite(t *testing.T) {
	t.Parallel()
	issuer := real(t)
	s := newSite(t, options{Options: Options{Providers: []Provider{{Name: "one", Label: "Zitadel", Issuer: issuer, ClientID: "notes", ClientSecret: "wrong"}}}})
	s.Get(back(t, at(t, issuer, s.leave(begin).String(), "test-user2"))).Status(400).Contains("could not be logged in")
	s.nobodyCameIn()
}
