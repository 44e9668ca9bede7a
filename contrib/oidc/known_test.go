package oidc

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/internal/testsite"
	"github.com/retort-web/retort/mail"
)

// gitHubServer answers as GitHub does.
type gitHubServer struct {
	*httptest.Server
	emails, user string
}

func newGitHub(t *testing.T) *gitHubServer {
	t.Helper()
	g := &gitHubServer{
		user:   `{"id": 583231, "login": "octocat", "name": null, "email": "public@example.com"}`,
		emails: `[{"email": "old@example.com", "primary": false, "verified": true}, {"email": "ann@example.com", "primary": true, "verified": true}]`,
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login/oauth/access_token", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-www-form-urlencoded")
		if r.FormValue("code") != "good" || r.FormValue("client_secret") != "s3cret" || r.FormValue("code_verifier") == "" {
			// With the status of success, as GitHub has it.
			_, _ = io.WriteString(w, "error=bad_verification_code&error_description=wrong")
			return
		}
		_, _ = io.WriteString(w, "access_token=gho_1&scope=read%3Auser%2Cuser%3Aemail&token_type=bearer")
	})
	serve := func(text *string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer gho_1" {
				http.Error(w, "{}", http.StatusUnauthorized)
				return
			}
			_, _ = io.WriteString(w, *text)
		}
	}
	mux.HandleFunc("GET /api/user", serve(&g.user))
	mux.HandleFunc("GET /api/user/emails", serve(&g.emails))
	g.Server = httptest.NewServer(mux)
	t.Cleanup(g.Close)
	return g
}

func TestGitHub(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	p := gitHub(g.URL, g.URL+"/api")
	p.ClientID, p.ClientSecret = "site", "s3cret"
	s := newSite(t, options{Options: Options{Providers: []Provider{p}}})
	come := func(code string) string {
		to := s.leave("/login/with/github")
		if q := to.Query(); to.Path != "/login/oauth/authorize" || q.Get("scope") != "read:user user:email" || q.Has("nonce") || q.Get("code_challenge") == "" {
			t.Error(to)
		}
		return "/login/with/github/callback?" + url.Values{"state": {to.Query().Get("state")}, "code": {code}}.Encode()
	}
	s.Get(come("wrong")).Status(400).Contains("could not be logged in")
	s.Get(come("good")).RedirectsTo("/")
	s.Get("/").Contains("home of ann@example.com")
	if list := s.identities(); len(list) != 1 || list[0].Subject != "583231" || list[0].Issuer != g.URL {
		t.Errorf("%+v", list)
	}
	for name, answers := range map[string][2]string{
		"not verified": {`{"id": 2}`, `[{"email": "bob@example.com", "primary": true, "verified": false}]`},
		"no primary":   {`{"id": 2}`, `[{"email": "bob@example.com", "verified": true}]`},
		"no id":        {`{"login": "octocat"}`, `[{"email": "bob@example.com", "primary": true, "verified": true}]`},
		"no JSON":      {`<html>`, `[]`},
	} {
		g.user, g.emails = answers[0], answers[1]
		other := s.fresh()
		to := other.leave("/login/with/github").Query().Get("state")
		r := other.Get("/login/with/github/callback?" + url.Values{"state": {to}, "code": {"good"}}.Encode())
		if r.Code < 400 || r.Code == 500 || exists(t, s.Ctx, "bob@example.com") {
			t.Errorf("%s: %d", name, r.Code)
		}
	}
}

func TestKnownProviders(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]Provider{
		"https://accounts.google.com":                    Google(),
		"https://login.microsoftonline.com/1111-22/v2.0": Microsoft("1111-22"),
		"https://gitlab.com":                             GitLab(),
		"https://git.example.com":                        GitLab("https://git.example.com/"),
		"https://sso.example.com/realms/staff":           Keycloak("staff", "https://sso.example.com/realms/staff"),
		"https://github.com":                             GitHub(),
	} {
		if p.Issuer != want {
			t.Errorf("%s: %s", p.Name, p.Issuer)
		}
		if err := p.validate(); err != nil {
			t.Error(err)
		}
	}
}

// install returns the error of an app with these providers, and its log.
func install(t *testing.T, o Options) (app *retort.App, log string, err error) {
	t.Helper()
	text := &testsite.Log{}
	app = retort.New(retort.Config{SecretKey: "a key for these tests only, nowhere else", DatabaseURL: "sqlite:" + filepath.Join(t.TempDir(), "x.db"), Logger: slog.New(slog.NewTextHandler(text, nil))})
	app.Install(db.Open(""), mail.New(), auth.New(), accounts.New(), New(o))
	err = app.Prepare()
	return app, text.String(), err
}

func TestWrongOptionsAreToldAtTheStart(t *testing.T) {
	t.Parallel()
	right := Provider{Name: "one", Issuer: "https://one.example", ClientID: "x"}
	for want, change := range map[string]func(p *Provider){
		"small letters":                func(p *Provider) { p.Name = "One Login" },
		"is no https address":          func(p *Provider) { p.Issuer = "http://one.example" },
		"no issuer; set Provider":      func(p *Provider) { p.Issuer = "" },
		"put the name in the place of": func(p *Provider) { *p = Microsoft("common"); p.ClientID = "x" },
		"must not have nonce":          func(p *Provider) { p.Parameters = map[string]string{"nonce": "1"} },
		"OAuth2 has no Profile":        func(p *Provider) { p.OAuth2 = &OAuth2{} },
	} {
		p := right
		change(&p)
		if _, _, err := install(t, Options{Providers: []Provider{p}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, not %q", err, want)
		}
	}
	if _, _, err := install(t, Options{Providers: []Provider{right, right}}); err == nil || !strings.Contains(err.Error(), "two providers are named one") {
		t.Error(err)
	}
	app := retort.New(retort.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Install(New(Options{}))
	if err := app.Prepare(); err == nil || !strings.Contains(err.Error(), "install auth.New()") {
		t.Error(err)
	}
}

func TestSettingsComeFromTheEnvironment(t *testing.T) {
	t.Setenv("RETORT_OIDC_KEYCLOAK_CLIENT_ID", "the site")
	t.Setenv("RETORT_OIDC_KEYCLOAK_ISSUER", "https://sso.example.com/realms/other")
	t.Setenv("RETORT_OIDC_KEYCLOAK_SCOPES", "openid, groups")
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("RETORT_OIDC_KEYCLOAK_CLIENT_SECRET_FILE", file)
	app, log, err := install(t, Options{Providers: []Provider{Google(), Keycloak("keycloak", "https://sso.example.com/realms/staff")}})
	if err != nil {
		t.Fatal(err)
	}
	e, _ := app.Extension("oidc").(*Extension)
	if len(e.providers) != 1 {
		t.Fatal(e.providers)
	}
	p := e.providers[0]
	if p.ClientID != "the site" || p.ClientSecret != "s3cret" || p.Issuer != "https://sso.example.com/realms/other" || !slices.Equal(p.Scopes, []string{"openid", "groups"}) {
		t.Errorf("%+v", p.Provider)
	}
	if !strings.Contains(log, "RETORT_OIDC_GOOGLE_CLIENT_ID") {
		t.Error(log)
	}
	var ids []string
	for _, f := range app.RunChecks(t.Context(), false) {
		ids = append(ids, f.ID)
	}
	if !slices.Contains(ids, "oidc.client_id") || !slices.Contains(ids, "oidc.base_url") {
		t.Error(ids)
	}
}
