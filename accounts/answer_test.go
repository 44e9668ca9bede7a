package accounts_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/retorttest"
)

// told is any answer to a script.
type told struct {
	Page         string
	Kind         string
	Message      string
	Next         *string
	SecondFactor bool   `json:"second_factor"`
	CSRFToken    string `json:"csrf_token"`
	Way, Send    string
	SentTo       string `json:"sent_to"`
	Ways         []struct {
		Way, Label, Send string
		SentTo           string `json:"sent_to"`
	}
	User *struct {
		ID          int64
		Email, Name string
		Verified    bool
	}
	Fields []struct {
		Name, Kind, Label, Value string
		Required                 bool
	}
	Messages  []string
	Codes     []string
	Text      string
	Left      int64
	Enrolment struct{ URI, Secret string }
	Sessions  []struct {
		Key, Agent, Browser, System string
		Current                     bool
	}
	Tokens []struct {
		ID   int64
		Name string
	}
	Status int
	Errors []struct{ Field, Code, Message string }
}

// script asks for JSON, with a body of the pairs, if there are any.
func script(c *retorttest.Client, t *testing.T, status int, method, path string, pairs ...string) *told {
	t.Helper()
	var body any
	if len(pairs) > 0 {
		object := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			object[pairs[i]] = pairs[i+1]
		}
		body = object
	}
	r := c.JSON(method, path, body).Status(status)
	if kind := r.Header().Get("Content-Type"); !strings.Contains(kind, "json") {
		t.Fatalf("%s %s is %s: %s", method, path, kind, r.Text())
	}
	if !strings.Contains(r.Header().Get("Vary"), "Accept") {
		t.Errorf("%s %s varies by %q", method, path, r.Header().Get("Vary"))
	}
	r.Lacks("argon2", "password_hash", "PasswordHash")
	answer := new(told)
	r.JSON(answer)
	return answer
}

func (s *site) script(status int, method, path string, pairs ...string) *told {
	s.t.Helper()
	return script(s.Client, s.t, status, method, path, pairs...)
}

func (a *told) next() string {
	if a.Next == nil {
		return "none"
	}
	return *a.Next
}

// wrong are the codes of what is wrong, with their fields.
func (a *told) wrong() string {
	var all []string
	for _, e := range a.Errors {
		all = append(all, e.Field+":"+e.Code)
	}
	return strings.Join(all, " ")
}

func (a *told) expect(t *testing.T, what, got, want string) *told {
	t.Helper()
	if got != want {
		t.Errorf("%s is %q, not %q: %+v", what, got, want, a)
	}
	return a
}

func TestScriptSignsUpAndLogsIn(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	a := s.script(200, "GET", "/signup")
	if a.Page != "signup" || a.CSRFToken == "" || len(a.Fields) != 3 || a.Fields[2].Kind != "password" || !a.Fields[2].Required {
		t.Errorf("%+v", a)
	}
	a = s.script(422, "POST", "/signup", "email", "ann", "password", "short")
	a.expect(t, "wrong", a.wrong(), "email:email")
	a = s.script(422, "POST", "/signup", "email", "ann@example.com", "password", "short")
	a.expect(t, "wrong", a.wrong(), "password:min_length")
	a = s.script(422, "POST", "/signup", "name", "Ann")
	a.expect(t, "wrong", a.wrong(), "email:required password:required")
	a = s.script(200, "POST", "/signup", "name", "Ann", "email", "ann@example.com", "password", secret)
	a.expect(t, "kind", a.Kind, "signed_up")
	_, path := s.mailed("ann@example.com")
	a = s.script(200, "POST", "/login", "email", "ann@example.com", "password", secret)
	a.expect(t, "kind", a.Kind, "signed_up") // without the proof another link
	s.mailed("ann@example.com")
	s.Get("/").Contains("nobody")
	a = s.script(200, "GET", path)
	a.expect(t, "page", a.Page, "verify")
	a = s.script(422, "POST", path, "password", "wrong")
	a.expect(t, "wrong", a.wrong(), "password:wrong")
	a = s.script(200, "POST", path, "password", secret)
	a.expect(t, "next", a.next(), "/")
	if a.User == nil || a.User.Email != "ann@example.com" || a.User.Name != "Ann" || !a.User.Verified || a.User.ID == 0 {
		t.Errorf("%+v", a.User)
	}
	a = s.script(400, "GET", path)
	a.expect(t, "wrong", a.wrong(), ":bad_link")
	a = s.script(200, "POST", "/logout")
	if a.next() != "/" || a.User != nil {
		t.Errorf("%+v", a)
	}
	s.Get("/").Contains("nobody")
	a = s.script(422, "POST", "/login", "email", "ann@example.com")
	a.expect(t, "wrong", a.wrong(), "password:required")
	s.post("/login", "email", "ann@example.com").Status(422).Contains("is required")
	a = s.script(422, "POST", "/login", "email", "ann@example.com", "password", "wrong")
	a.expect(t, "wrong", a.wrong(), ":wrong")
	a = s.script(200, "POST", "/login", "email", "ann@example.com", "password", secret, "next", "/profile")
	a.expect(t, "next", a.next(), "/profile")
	a = s.script(200, "POST", "/login", "email", "ann@example.com", "password", secret, "next", "https://evil.example/")
	a.expect(t, "next", a.next(), "/")
	// A form of a script is as good, and a page stays one.
	r := s.NewRequest("POST", "/login", strings.NewReader(url.Values{"email": {"ann@example.com"}, "password": {secret}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	s.Do(r).Status(200).Contains(`"next":"/"`).HasHeader("Cache-Control", "no-store")
	s.Get("/login").Contains("<h1>Log in</h1>")
	s.noMore()
}

func TestScriptIsTheUserWhoSignsUpWhereThatIsOpen(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{SignUp: accounts.SignUpOpen})
	a := s.script(200, "POST", "/signup", "email", "ann@example.com", "password", secret)
	if a.next() != "/" || a.User == nil || a.User.Email != "ann@example.com" {
		t.Errorf("%+v", a)
	}
	fresh := s.Fresh()
	a = script(fresh, t, 422, "POST", "/signup", "email", "ann@example.com", "password", secret)
	a.expect(t, "wrong", a.wrong(), "email:taken")
}

func TestScriptAndTheSecondFactor(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	s.known("ann@example.com")
	s.script(401, "GET", "/second-factor")
	s.script(200, "POST", "/login", "email", "ann@example.com", "password", secret)
	a := s.script(200, "GET", "/second-factor")
	app := a.Enrolment.Secret
	if app == "" || !strings.HasPrefix(a.Enrolment.URI, "otpauth://") {
		t.Fatalf("%+v", a)
	}
	a = s.script(422, "POST", "/second-factor", "code", "")
	a.expect(t, "wrong", a.wrong(), "code:required")
	a = s.script(422, "POST", "/second-factor", "code", "000000")
	a.expect(t, "wrong", a.wrong(), "code:wrong")
	a = s.script(200, "POST", "/second-factor", "code", s.code(app))
	if len(a.Codes) != 10 {
		t.Fatalf("%+v", a)
	}
	recovery := a.Codes[0]
	if a = s.script(200, "GET", "/second-factor"); a.Left != 10 || len(a.Codes) != 0 || a.Enrolment.Secret != "" {
		t.Errorf("%+v", a)
	}
	s.script(200, "POST", "/logout")
	s.script(401, "GET", "/login/code")
	a = s.script(200, "POST", "/login", "email", "ann@example.com", "password", secret, "next", "/profile")
	if !a.SecondFactor || a.User != nil || a.next() != "/login/code?next=%2Fprofile" {
		t.Errorf("%+v", a)
	}
	s.script(401, "GET", "/profile")
	code := a.next()
	a = s.script(422, "POST", code, "code", "")
	a.expect(t, "wrong", a.wrong(), "code:required")
	a = s.script(422, "POST", code, "code", "123")
	a.expect(t, "wrong", a.wrong(), "code:wrong")
	a = s.script(200, "POST", "/login/code?next=/profile", "code", recovery)
	a.expect(t, "next", a.next(), "/profile")
	if a.User == nil {
		t.Errorf("%+v", a)
	}
	a = s.script(200, "POST", "/second-factor/codes")
	if len(a.Codes) != 10 {
		t.Errorf("%+v", a)
	}
	a = s.script(200, "POST", "/second-factor/off")
	if a.next() != "/profile" || len(a.Messages) != 1 || !strings.Contains(a.Messages[0], "password alone") {
		t.Errorf("%+v", a)
	}
	s.Get("/profile").Lacks("password alone") // it was said
}

func TestScriptSetsPasswordsAndAddresses(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{LoginLinks: true})
	s.known("ann@example.com")
	a := s.script(200, "POST", "/password/reset", "email", "ann@example.com")
	a.expect(t, "kind", a.Kind, "reset_sent")
	_, path := s.mailed("ann@example.com")
	a = s.script(200, "GET", path)
	a.expect(t, "next", a.next(), "/password/new")
	a = s.script(422, "POST", "/password/new", "password", "one two three four", "again", "another one")
	a.expect(t, "wrong", a.wrong(), "again:different")
	a = s.script(200, "POST", "/password/new", "password", "one two three four", "again", "one two three four")
	a.expect(t, "kind", a.Kind, "reset_done")
	s.mailed("ann@example.com")
	a = script(s.Fresh(), t, 400, "POST", "/password/new", "password", "x", "again", "x")
	a.expect(t, "wrong", a.wrong(), ":bad_link")

	a = s.script(200, "POST", "/login/link", "email", "ann@example.com")
	a.expect(t, "kind", a.Kind, "link_sent")
	_, path = s.mailed("ann@example.com")
	a = s.script(200, "GET", path)
	a.expect(t, "page", a.Page, "confirm")
	s.Get("/").Contains("nobody")
	a = s.script(200, "POST", path)
	a.expect(t, "next", a.next(), "/")

	a = s.script(422, "POST", "/password/change", "old", "wrong", "password", secret, "again", secret)
	a.expect(t, "wrong", a.wrong(), "old:wrong")
	a = s.script(200, "POST", "/password/change", "old", "one two three four", "password", secret, "again", secret)
	a.expect(t, "next", a.next(), "/profile")
	s.mailed("ann@example.com")

	a = s.script(422, "POST", "/email/change", "email", "ann@example.com")
	a.expect(t, "wrong", a.wrong(), "email:same")
	a = s.script(200, "POST", "/email/change", "email", "ann@new.example")
	a.expect(t, "kind", a.Kind, "email_sent")
	s.sent += 2
	s.box.WaitFor(s.sent)
	user, err := auth.Find(s.ctx, "ann@example.com")
	if err != nil {
		t.Fatal(err)
	}
	path = "/email/confirm/" + s.auth.Token(auth.ChangeEmail, user, "ann@new.example")
	s.known("ann@new.example")
	a = s.script(409, "POST", path)
	a.expect(t, "wrong", a.wrong(), ":email_taken")
	s.noMore()
}

func TestScriptProfileSessionsAndTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{TokenScopes: []auth.Permission{auth.AllScopes}})
	s.known("ann@example.com")
	clients := []*retorttest.Client{s.Client, s.Fresh(), s.Fresh()}
	for _, c := range clients {
		script(c, t, 200, "POST", "/login", "email", "ann@example.com", "password", secret)
	}
	a := s.script(200, "GET", "/profile")
	if a.Page != "profile" || len(a.Fields) != 1 || a.Fields[0].Name != "name" {
		t.Errorf("%+v", a)
	}
	a = s.script(200, "POST", "/profile", "name", "Ann M.", "email", "eve@example.com")
	if a.next() != "/profile" || a.User.Name != "Ann M." || a.User.Email != "ann@example.com" {
		t.Errorf("%+v", a.User)
	}
	a = s.script(422, "POST", "/profile", "name", strings.Repeat("x", 151))
	a.expect(t, "wrong", a.wrong(), "name:max_length")

	a = s.script(200, "GET", "/sessions")
	if len(a.Sessions) != 3 {
		t.Fatalf("%+v", a)
	}
	key := ""
	for _, one := range a.Sessions {
		if one.Agent != "" && one.Browser == "" {
			t.Errorf("%+v", one)
		}
		if !one.Current {
			key = one.Key
		}
	}
	// What cannot be read ends no session.
	r := s.NewRequest("POST", "/sessions", strings.NewReader(`{"key": `))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	s.Do(r).Status(400)
	a = script(s.Client, t, 422, "POST", "/sessions", "key", strings.Repeat("x", 501))
	a.expect(t, "wrong", a.wrong(), "key:max_length")
	s.script(200, "POST", "/sessions", "key", key)
	if a = s.script(200, "GET", "/sessions"); len(a.Sessions) != 2 {
		t.Errorf("%+v", a)
	}
	s.JSON("POST", "/sessions", map[string]string{}).Status(200)
	if a = s.script(200, "GET", "/sessions"); len(a.Sessions) != 1 {
		t.Errorf("%+v", a)
	}

	var made told
	s.JSON("POST", "/tokens", map[string]any{"name": "a robot", "scopes": []string{"*"}, "days": "30"}).Status(200).JSON(&made)
	if made.Text == "" || len(made.Tokens) != 1 {
		t.Fatalf("%+v", made)
	}
	a = s.script(200, "GET", "/tokens")
	if len(a.Tokens) != 1 || a.Text != "" || a.Tokens[0].Name != "a robot" {
		t.Errorf("%+v", a)
	}
	a = s.script(422, "POST", "/account/delete", "email", "bob@example.com")
	a.expect(t, "wrong", a.wrong(), "email:different")
	a = s.script(200, "POST", "/account/delete", "email", "ann@example.com")
	a.expect(t, "kind", a.Kind, "deleted")
	s.script(401, "GET", "/profile")
}

// CVE class "enumeration".
func TestSecurityScriptsOfStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{LoginLinks: true})
	s.known("ann@example.com")
	for _, path := range []string{"/signup", "/password/reset", "/login/link", "/login"} {
		want := s.JSON("POST", path, map[string]string{"email": "none@example.com", "password": secret + path})
		got := s.JSON("POST", path, map[string]string{"email": "ann@example.com", "password": secret + path})
		if got.Code != want.Code || got.Text() != want.Text() || len(got.Header()) != len(want.Header()) {
			t.Errorf("%s: %d %v %s\nnot\n%d %v %s", path, got.Code, got.Header(), got.Text(), want.Code, want.Header(), want.Text())
		}
	}
}

func TestScriptIsThrottled(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	s.known("ann@example.com")
	for range 7 {
		s.JSON("POST", "/login", map[string]string{"email": "ann@example.com", "password": "wrong"})
	}
	a := s.script(429, "POST", "/login", "email", "ann@example.com", "password", secret)
	a.expect(t, "wrong", a.wrong(), ":throttled")
	r := s.JSON("POST", "/login", map[string]string{"email": "ann@example.com", "password": secret}).Status(429)
	if len(r.Header().Values("Retry-After")) != 1 {
		t.Error(r.Header())
	}
	for range 5 {
		s.script(200, "POST", "/password/reset", "email", "ann@example.com")
	}
	if r := s.JSON("POST", "/password/reset", map[string]string{"email": "ann@example.com"}).Status(429); r.Header().Get("Retry-After") == "" {
		t.Error(r.Header())
	}
}

// CVE class "forged requests": JSON is no way around, and the token that an answer has is
// good for the next request, also after a login.
func TestSecurityScriptsAreCheckedForForgery(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	s.known("ann@example.com")
	s.EnforceCSRF = true
	post := func(token, path, body string) *retorttest.Response {
		r := s.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json")
		if token != "" {
			r.Header.Set("X-Csrf-Token", token)
		}
		return s.Do(r)
	}
	login := `{"email": "ann@example.com", "password": "` + secret + `"}`
	token := s.script(200, "GET", "/login").CSRFToken
	crossSite := s.NewRequest(http.MethodPost, "/login", strings.NewReader(login))
	crossSite.Header.Set("Content-Type", "application/json")
	crossSite.Header.Set("Accept", "application/json")
	crossSite.Header.Set("Sec-Fetch-Site", "cross-site")
	s.Do(crossSite).Status(403)
	post("", "/login", login).Status(403)
	var a told
	post(token, "/login", login).Status(200).JSON(&a)
	post(token, "/logout", "").Status(403)
	post(a.CSRFToken, "/logout", "").Status(200)
}

// Who prefers a page is sent to it, and a script is told.
func TestScriptsAreNotSentToLogIn(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{})
	for accept, status := range map[string]int{
		"application/json": 401, "application/json, text/plain, */*": 401, "application/json, text/html;q=0.5": 401, "*/*": 401,
		"text/html,application/xhtml+xml,*/*;q=0.8": 302, "text/html, application/json;q=0.9": 302,
	} {
		r := s.NewRequest(http.MethodGet, "/profile", nil)
		r.Header.Set("Accept", accept)
		s.Do(r).Status(status)
	}
}
