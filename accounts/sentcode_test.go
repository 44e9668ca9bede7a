package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/internal/testsite"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/retorttest"
)

// codeSite is a site whose users may have codes mailed.
type codeSite struct {
	*site
	counts *testsite.Counts
}

func newCodeSite(t *testing.T, o accounts.Options, more ...retort.Extension) *codeSite {
	t.Helper()
	s := &codeSite{counts: testsite.NewCounts()}
	o.MailCodes = true
	s.site = newSiteWith(t, o, auth.Options{Counts: s.counts, SecondFactorURL: "accounts.second_factor"}, nil, append(more, vault{})...)
	return s
}

// vault is a page that needs a second factor.
type vault struct{}

func (vault) Name() string { return "vault" }

func (vault) Install(app *retort.App) error {
	app.Get("/vault", func(c *retort.Ctx) error { return c.Text("gold") }).Use(auth.RequireSecondFactor)
	return nil
}

var mailedCode = regexp.MustCompile(`(?m)^([0-9]{6})$`)

// code is that of the next mail; another can be asked for at once.
func (s *codeSite) code(to string) string {
	s.t.Helper()
	m, path := s.mailed(to)
	found := mailedCode.FindStringSubmatch(m.Text)
	if found == nil || path != "/password/reset" || strings.Contains(m.Subject, found[1]) {
		s.t.Fatalf("%s: %s", m.Subject, m.Text)
	}
	s.counts.ForgetAll()
	return found[1]
}

// enrolMail switches codes by mail on for who has logged in.
func (s *codeSite) enrolMail(to string) (recovery []string) {
	s.t.Helper()
	s.post("/second-factor/sent/mail/send").RedirectsTo("/second-factor/sent/mail")
	made := s.post("/second-factor/sent/mail", "code", s.code(to)).Status(200)
	for _, m := range inCode.FindAllStringSubmatch(made.Text(), -1) {
		recovery = append(recovery, m[1])
	}
	if len(recovery) != 10 {
		s.t.Fatal(made.Text())
	}
	if m, _ := s.mailed(to); !strings.Contains(m.Text, "switched on") {
		s.t.Error(m.Text)
	}
	return recovery
}

// otherThan is a code that is not this one.
func otherThan(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func TestCodesByMail(t *testing.T) {
	t.Parallel()
	s := newCodeSite(t, accounts.Options{LoginLinks: true}, &badge{})
	s.known("ann@example.com")
	elsewhere := retorttest.New(t, s.app)
	elsewhere.PostForm("/login", url.Values{"email": {"ann@example.com"}, "password": {secret}}).RedirectsTo("/")
	s.login("ann@example.com", secret).RedirectsTo("/")

	// From the page of the app to that of the code, and on to where one wanted to go.
	s.Get("/vault").RedirectsTo("/second-factor?next=%2Fvault")
	s.Get("/second-factor?next=/vault").Status(200).
		Contains(`action="/second-factor/sent/mail/send?next=%2Fvault"`, "Codes by mail to a…@example.com").Lacks("ann@example.com</button>")
	s.Get("/second-factor/sent/mail/send").Status(405)
	s.post("/second-factor/sent/mail/send?next=/vault").RedirectsTo("/second-factor/sent/mail?next=%2Fvault")
	code := s.code("ann@example.com")
	s.Get("/second-factor/sent/mail?next=/vault").Status(200).
		Contains("a…@example.com", `autocomplete="one-time-code"`, `action="/second-factor/sent/mail/send?next=%2Fvault"`, "A code is on its way, unless").
		Lacks(code)
	s.post("/second-factor/sent/mail", "code", "").Status(422).Contains("is required")
	s.post("/second-factor/sent/mail", "code", otherThan(code)).Status(422).Contains("is not right")
	s.Get("/vault").RedirectsTo("/second-factor?next=%2Fvault")
	made := s.post("/second-factor/sent/mail?next=/vault", "code", code).Status(200).Contains(`href="/vault"`)
	recovery := inCode.FindStringSubmatch(made.Text())[1]
	if m, _ := s.mailed("ann@example.com"); !strings.Contains(m.Text, "switched on") {
		t.Error(m.Text)
	}
	s.Get("/vault").Contains("gold")
	elsewhere.Get("/").Contains("nobody")
	s.Get("/second-factor").Contains("a code that we send to a…@example.com", "10 recovery codes left").Lacks("ann@example.com", "authenticator")
	for _, path := range []string{"/second-factor/sent/mail", "/second-factor/sent/mail/send"} {
		s.post(path).RedirectsTo("/second-factor") // there is one
	}
	s.post("/logout").RedirectsTo("/")

	s.post("/login?next=/profile", "email", "ann@example.com", "password", secret).RedirectsTo("/login/code?next=%2Fprofile")
	code = s.code("ann@example.com")
	s.Get("/").Contains("nobody")
	s.Get("/login/code?next=/profile").Status(200).
		Contains("We send a code to a…@example.com", `action="/login/code/send?next=%2Fprofile"`, "Send another code", "Show the badge again").
		Lacks("ann@example.com", "authenticator", code)
	s.post("/login/code?next=/profile", "code", otherThan(code)).Status(422).Contains("is not right", "a…@example.com")
	s.post("/login/code/send?next=/profile").RedirectsTo("/login/code?next=%2Fprofile")
	s.Get("/login/code").Contains("A code is on its way, unless")
	second := s.code("ann@example.com")
	if second != code {
		s.post("/login/code?next=/profile", "code", code).Status(422)
	}
	s.post("/login/code?next=https://evil.example/", "code", second).RedirectsTo("/")
	s.Get("/vault").Contains("gold")
	s.post("/logout").RedirectsTo("/")

	// After a link in a mail as well, and a recovery code does.
	s.post("/login/link", "email", "ann@example.com").Status(200)
	_, path := s.mailed("ann@example.com")
	s.post(path).RedirectsTo("/login/code?next=%2F")
	s.code("ann@example.com")
	s.post("/login/code", "code", strings.ToLower(recovery)).RedirectsTo("/")
	s.Get("/second-factor").Contains("9 recovery codes left")
	s.post("/second-factor/codes").Status(200)
	s.post("/second-factor/off").RedirectsTo("/profile")
	if m, _ := s.mailed("ann@example.com"); !strings.Contains(m.Text, "switched off") {
		t.Error(m.Text)
	}
	s.post("/logout").RedirectsTo("/")
	s.login("ann@example.com", secret).RedirectsTo("/")
	s.noMore()
}

// Codes go to an address that is the user's own, and sites without them have none of it.
func TestCodesGoToVerifiedAddresses(t *testing.T) {
	t.Parallel()
	s := newCodeSite(t, accounts.Options{SignUp: accounts.SignUpOpen})
	s.post("/signup", "email", "bob@example.com", "password", secret).RedirectsTo("/")
	s.mailed("bob@example.com") // the link that would verify it
	s.Get("/second-factor").Status(200).Lacks("Codes by mail", "b…@example.com")
	s.post("/second-factor/sent/mail/send").Status(404)
	s.post("/second-factor/sent/mail").Status(404)
	s.post("/second-factor/sent/pigeon/send").Status(404)
	s.Get("/second-factor/sent/pigeon").Status(404)
	s.Fresh().Get("/second-factor/sent/mail").RedirectsTo("/login?next=%2Fsecond-factor%2Fsent%2Fmail")
	s.noMore()

	without := newSite(t, accounts.Options{})
	without.known("ann@example.com")
	without.login("ann@example.com", secret).RedirectsTo("/")
	without.Get("/second-factor").Status(200).Lacks("Codes by mail", "Without an app")
	without.post("/second-factor/sent/mail/send").Status(404)
	without.noMore()
}

// After a change of the address codes go to the new one.
func TestSecurityCodesFollowTheAddress(t *testing.T) {
	t.Parallel()
	s := newCodeSite(t, accounts.Options{})
	ann := s.known("ann@example.com")
	s.login("ann@example.com", secret).RedirectsTo("/")
	s.enrolMail("ann@example.com")
	s.post("/logout").RedirectsTo("/")
	s.login("ann@example.com", secret).RedirectsTo("/login/code?next=%2F")
	old := s.code("ann@example.com")
	if err := s.auth.SetEmail(s.ctx, ann, "ann@new.example"); err != nil {
		t.Fatal(err)
	}
	s.Get("/login/code").Contains("a…@new.example")
	s.post("/login/code", "code", old).Status(422)
	s.post("/login/code/send").RedirectsTo("/login/code?next=%2F")
	s.post("/login/code", "code", s.code("ann@new.example")).RedirectsTo("/")
	s.Get("/").Contains("ann@new.example")
	s.noMore()
}

// The half of a login that somebody has the cookie of ends with a new password.
func TestSecurityHalfLoginsEndWithThePassword(t *testing.T) {
	t.Parallel()
	s := newCodeSite(t, accounts.Options{})
	ann := s.known("ann@example.com")
	s.login("ann@example.com", secret).RedirectsTo("/")
	s.enrolMail("ann@example.com")
	thief := retorttest.New(t, s.app)
	thief.PostForm("/login", url.Values{"email": {"ann@example.com"}, "password": {secret}}).RedirectsTo("/login/code?next=%2F")
	code := s.code("ann@example.com")
	if err := s.auth.SetPassword(s.ctx, ann, "another password"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/login/code", "/login/code/send"} {
		thief.PostForm(path, url.Values{"code": {code}}).RedirectsTo("/login?next=%2F")
	}
	thief.Get("/").Contains("nobody")
	s.noMore()
}

var csrfInput = regexp.MustCompile(`<input[^>]*type="hidden"[^>]*>`)

// CVE class "flooding": however often it is asked, one code is sent, and pages do not tell.
func TestSecurityFewCodesAreMailed(t *testing.T) {
	t.Parallel()
	s := newCodeSite(t, accounts.Options{})
	s.known("ann@example.com")
	s.login("ann@example.com", secret).RedirectsTo("/")
	s.enrolMail("ann@example.com")
	other := retorttest.New(t, s.app)
	var first string
	for i := range 6 {
		other.PostForm("/login", url.Values{"email": {"ann@example.com"}, "password": {secret}}).RedirectsTo("/login/code?next=%2F")
		got := other.PostForm("/login/code/send", nil).RedirectsTo("/login/code?next=%2F")
		page := other.Get("/login/code").Contains("A code is on its way").Text()
		text := fmt.Sprint(got.Code, got.Text(), len(got.Header()), csrfInput.ReplaceAllString(page, ""))
		if i == 0 {
			first = text
		} else if text != first {
			t.Errorf("%s\nis not\n%s", text, first)
		}
	}
	s.code("ann@example.com")
	s.noMore()
}

// awayMailer is a mail server that is away.
type awayMailer struct{ tried chan struct{} }

func (a awayMailer) Send(context.Context, []*mail.Envelope) error {
	a.tried <- struct{}{}
	return errors.New("connection refused")
}

// Without a mail server the pages are there, and recovery codes let users in.
func TestTheMailServerIsAway(t *testing.T) {
	t.Parallel()
	s := newCodeSite(t, accounts.Options{})
	s.known("ann@example.com")
	s.login("ann@example.com", secret).RedirectsTo("/")
	recovery := s.enrolMail("ann@example.com")
	s.post("/logout").RedirectsTo("/")
	away := awayMailer{make(chan struct{}, 10)}
	s.app.Extension("mail").(*mail.Extension).Replace("*", away)
	s.login("ann@example.com", secret).RedirectsTo("/login/code?next=%2F")
	<-away.tried
	s.Get("/login/code").Status(200).Contains("If none comes, give one of your recovery codes")
	s.counts.ForgetAll()
	s.post("/login/code/send").RedirectsTo("/login/code?next=%2F")
	<-away.tried
	s.post("/login/code", "code", "123456").Status(422)
	s.post("/login/code", "code", recovery[0]).RedirectsTo("/")
	s.Get("/vault").Contains("gold")
}

func TestScriptAndSentCodes(t *testing.T) {
	t.Parallel()
	s := newCodeSite(t, accounts.Options{})
	s.known("ann@example.com")
	s.script(401, "POST", "/login/code/send")
	s.script(401, "POST", "/second-factor/sent/mail/send")
	s.script(200, "POST", "/login", "email", "ann@example.com", "password", secret)
	a := s.script(200, "GET", "/second-factor")
	if len(a.Ways) != 1 || a.Ways[0].Way != "mail" || a.Ways[0].SentTo != "a…@example.com" || a.Ways[0].Label != "Codes by mail" || a.Enrolment.Secret == "" {
		t.Fatalf("%+v", a)
	}
	a = s.script(200, "POST", a.Ways[0].Send)
	a.expect(t, "next", a.next(), "/second-factor/sent/mail")
	if len(a.Messages) != 1 || !strings.Contains(a.Messages[0], "on its way") {
		t.Errorf("%+v", a)
	}
	code := s.code("ann@example.com")
	a = s.script(200, "GET", "/second-factor/sent/mail")
	if a.Page != "second_factor_sent" || a.Way != "mail" || a.SentTo != "a…@example.com" || len(a.Fields) != 1 || a.Send != "/second-factor/sent/mail/send" {
		t.Errorf("%+v", a)
	}
	a = s.script(422, "POST", "/second-factor/sent/mail", "code", otherThan(code))
	a.expect(t, "wrong", a.wrong(), "code:wrong")
	a = s.script(200, "POST", "/second-factor/sent/mail", "code", code)
	if len(a.Codes) != 10 {
		t.Fatalf("%+v", a)
	}
	s.mailed("ann@example.com")
	a = s.script(200, "GET", "/second-factor")
	if a.Way != "mail" || a.SentTo != "a…@example.com" || a.Left != 10 {
		t.Errorf("%+v", a)
	}
	s.script(200, "POST", "/logout")

	a = s.script(200, "POST", "/login", "email", "ann@example.com", "password", secret, "next", "/profile")
	if !a.SecondFactor || a.Way != "mail" || a.SentTo != "a…@example.com" || a.Send != "/login/code/send?next=%2Fprofile" || a.next() != "/login/code?next=%2Fprofile" {
		t.Errorf("%+v", a)
	}
	first := s.code("ann@example.com")
	form := a.next()
	a = s.script(200, "POST", a.Send)
	a.expect(t, "next", a.next(), form)
	if a.User != nil {
		t.Errorf("%+v", a)
	}
	second := s.code("ann@example.com")
	a = s.script(200, "GET", form)
	if a.Page != "login_code" || a.Way != "mail" || a.SentTo != "a…@example.com" || a.Send != "/login/code/send?next=%2Fprofile" {
		t.Errorf("%+v", a)
	}
	if first != second {
		a = s.script(422, "POST", form, "code", first)
		a.expect(t, "wrong", a.wrong(), "code:wrong")
	}
	a = s.script(200, "POST", form, "code", second)
	a.expect(t, "next", a.next(), "/profile")
	s.script(200, "POST", "/second-factor/off")
	s.mailed("ann@example.com")

	// With an app there is nothing to be sent.
	a = s.script(200, "GET", "/second-factor")
	s.script(200, "POST", "/second-factor", "code", s.site.code(a.Enrolment.Secret))
	s.mailed("ann@example.com")
	s.script(200, "POST", "/logout")
	a = s.script(200, "POST", "/login", "email", "ann@example.com", "password", secret)
	if !a.SecondFactor || a.Way != "app" || a.SentTo != "" || a.Send != "" {
		t.Errorf("%+v", a)
	}
	s.script(200, "POST", "/login/code/send")
	s.noMore()
}

// CVE class "forged requests": no other site has codes sent.
func TestSecurityCodesAreSentToNoOtherSite(t *testing.T) {
	t.Parallel()
	s := newCodeSite(t, accounts.Options{})
	s.known("ann@example.com")
	s.login("ann@example.com", secret).RedirectsTo("/")
	for _, path := range []string{"/login/code/send", "/second-factor/sent/mail/send", "/second-factor/sent/mail"} {
		r := s.NewRequest(http.MethodPost, path, nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		s.Do(r).Status(403)
	}
	s.noMore()
}

// The mail is a template, and one of the site's own comes first.
func TestOwnMailOfCodes(t *testing.T) {
	t.Parallel()
	s := &codeSite{counts: testsite.NewCounts()}
	s.site = newSiteWith(t, accounts.Options{MailCodes: true}, auth.Options{Counts: s.counts}, fstest.MapFS{
		"templates/accounts/mail/login_code.txt":  {Data: []byte("{{ user.name }}, {{ code }} is for {{ site }}: {{ url('accounts.reset') }}")},
		"templates/accounts/mail/login_code.html": {Data: []byte("<b>{{ code }}</b>")},
	})
	ann := s.known("ann@example.com")
	s.login("ann@example.com", secret).RedirectsTo("/")
	s.post("/second-factor/sent/mail/send").RedirectsTo("/second-factor/sent/mail")
	m, _ := s.mailed(ann.Email)
	if !regexp.MustCompile(`^, [0-9]{6} is for Slow Notes: `).MatchString(m.Text) || !regexp.MustCompile(`^<b>[0-9]{6}</b>$`).MatchString(m.HTML) {
		t.Errorf("%s\n%s", m.Text, m.HTML)
	}
}

// A way of the program's own is one beside the mail, and no second one has its name.
func TestOwnWaysToSendCodes(t *testing.T) {
	t.Parallel()
	sent := make(chan string, 1)
	sms := auth.CodeSender{
		Name: "sms", Label: "Codes by SMS",
		Address: func(context.Context, *auth.User) (string, error) { return "+491512345667", nil },
		Send: func(_ context.Context, _ *auth.User, to, code string) error {
			sent <- to + " " + code
			return nil
		},
	}
	s := newSiteWith(t, accounts.Options{MailCodes: true}, auth.Options{CodeSenders: []auth.CodeSender{sms}}, nil)
	s.known("ann@example.com")
	s.login("ann@example.com", secret).RedirectsTo("/")
	s.Get("/second-factor").Contains("Codes by SMS to …67", "Codes by mail to a…@example.com")
	s.post("/second-factor/sent/sms/send").RedirectsTo("/second-factor/sent/sms")
	to, code, _ := strings.Cut(<-sent, " ")
	if to != "+491512345667" {
		t.Error(to)
	}
	s.post("/second-factor/sent/mail", "code", code).Status(422) // not in this way
	s.post("/second-factor/sent/sms", "code", code).Status(200).Contains("recovery codes")
	s.Get("/second-factor").Contains("that we send to …67")

	sms.Name = "mail"
	app := retort.New(retort.Config{SecretKey: "a key for these tests only, nowhere else"})
	app.Install(mail.New(), auth.New(auth.Options{CodeSenders: []auth.CodeSender{sms}}), accounts.New(accounts.Options{MailCodes: true}))
	if err := app.Prepare(); err == nil || !strings.Contains(err.Error(), "two CodeSenders are named mail") {
		t.Error(err)
	}
}
