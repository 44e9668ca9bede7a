package accounts_test

import (
	"context"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/form/formtest"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/template"
)

// speaking gives a site the language of brackets.
func speaking() retort.Extension {
	return form.New(form.Config{Locale: func(*retort.Ctx) form.Locale { return formtest.Locale{} }})
}

// TestEveryTemplateIsTranslated looks at the sources, so that no branch is missed.
func TestEveryTemplateIsTranslated(t *testing.T) {
	t.Parallel()
	found, err := formtest.UntranslatedTemplates(os.DirFS("templates"))
	if err != nil || len(found) > 0 {
		t.Errorf("%q %v", found, err)
	}
}

// reader looks at all that a site shows.
type reader struct {
	*codeSite
	data []string // what users have given, and names
	seen []string // templates
}

// sees checks what visitors see of an answer.
func (r *reader) sees(res *retorttest.Response) *retorttest.Response {
	r.t.Helper()
	for _, used := range res.Templates {
		r.seen = append(r.seen, used.Name)
	}
	for _, text := range formtest.Untranslated(res.Text(), r.data...) {
		r.t.Errorf("not translated: %q\n%s", text, res.Text())
	}
	if !strings.Contains(res.Text(), `<html lang="en-XA">`) {
		r.t.Errorf("the page says another language:\n%s", res.Text())
	}
	return res
}

// get opens a page.
func (r *reader) get(path string) *retorttest.Response {
	r.t.Helper()
	return r.sees(r.Get(path).Status(200))
}

// send sends what a page refuses or answers.
func (r *reader) send(status int, path string, pairs ...string) *retorttest.Response {
	r.t.Helper()
	return r.sees(r.post(path, pairs...).Status(status))
}

// TestEveryPageAndMailIsInTheVisitorsLanguage comes to all templates, so that what the
// program says in them is seen as well. The site takes undefined names for errors.
func TestEveryPageAndMailIsInTheVisitorsLanguage(t *testing.T) {
	t.Parallel()
	const email, other = "ann@example.com", "lee@example.com"
	s := &reader{
		codeSite: newCodeSite(t, accounts.Options{
			LoginLinks: true, TokenScopes: []auth.Permission{"notes.print", auth.AllScopes}, Impersonate: true,
		}, speaking(), &badge{shown: true}, options{func(o *template.Options) { o.Undefined = template.UndefinedStrict }}),
		data: []string{email, other, "deploy", "notes.print", "UTC", "own: /badges?next=%2F, /"},
	}

	// Signing up.
	s.get("/signup")
	s.send(422, "/signup", "email", "no address", "password", "1")
	s.send(200, "/signup", "email", email, "password", secret)
	_, link := s.mailed(email)
	s.get(link)
	s.send(422, link, "password", "another")
	s.post(link, "password", secret).RedirectsTo("/")
	s.send(200, "/signup", "email", email, "password", secret)
	s.mailed(email) // that there is an account already
	s.post("/logout").RedirectsTo("/")

	// Logging in.
	s.get("/login")
	s.send(422, "/login")
	s.send(422, "/login", "email", email, "password", "wrong")
	s.get("/login/link")
	s.send(422, "/login/link", "email", "no address")
	s.send(200, "/login/link", "email", email)
	_, link = s.mailed(email)
	s.get(link)
	s.sees(s.Get("/login/link/made-up").Status(400))
	s.get("/password/reset")
	s.send(200, "/password/reset", "email", email)
	_, link = s.mailed(email)
	s.Get(link).RedirectsTo("/password/new")
	s.get("/password/new")
	s.send(422, "/password/new", "password", "1", "again", "2")
	s.send(422, "/password/new", "password", "password1", "again", "password1")
	s.send(422, "/password/new", "password", "12345678", "again", "12345678")
	s.send(422, "/password/new", "password", "é", "again", "é")
	s.send(200, "/password/new", "password", secret, "again", secret)
	s.mailed(email) // that it was changed
	s.login(email, secret).RedirectsTo("/")

	// The account.
	s.get("/profile")
	s.post("/profile", "name", "").RedirectsTo("/profile")
	s.get("/profile").Contains("⟦Your profile was saved.⟧")
	s.send(422, "/profile", "name", strings.Repeat("x", 200)+"\n")
	s.get("/password/change")
	s.send(422, "/password/change", "old", "wrong", "password", secret+"x", "again", secret+"x")
	s.get("/email/change")
	s.send(422, "/email/change", "email", email)
	s.send(200, "/email/change", "email", other)
	var confirm string
	for range 2 {
		s.sent++
		for _, m := range s.box.WaitFor(s.sent)[s.sent-1:] {
			if found := regexp.MustCompile(`/email/confirm/\S+`).FindString(m.Text); found != "" {
				confirm = found
			}
		}
	}
	s.get(confirm)
	retorttest.New(t, s.app).PostForm("/login", map[string][]string{"email": {email}, "password": {secret}}).RedirectsTo("/")
	s.get("/sessions")
	s.get("/tokens")
	s.send(422, "/tokens", "days", "31")
	s.send(200, "/tokens", "name", "deploy", "scopes", string(auth.AllScopes), "days", "30")
	s.send(200, "/tokens", "name", "deploy", "days", "0")
	s.get("/tokens")
	s.post("/tokens/1/revoke").RedirectsTo("/tokens")
	s.get("/tokens").Contains("⟦The token was revoked.⟧")
	s.sees(s.post("/tokens/99/revoke").Status(404)).Contains("⟦Not Found⟧", "⟦You have no such token.⟧")

	// The second factor, by an app and by mail.
	page := s.get("/second-factor")
	app := inCode.FindStringSubmatch(page.Text())[1]
	s.send(422, "/second-factor", "code", "000000")
	s.send(200, "/second-factor", "code", s.site.code(app))
	s.mailed(email) // that it was switched on
	s.get("/second-factor")
	s.send(200, "/second-factor/codes")
	s.post("/second-factor/off").RedirectsTo("/profile")
	s.mailed(email) // that it was switched off
	s.post("/second-factor/sent/mail/send").RedirectsTo("/second-factor/sent/mail")
	code := s.code(email)
	s.get("/second-factor/sent/mail").Contains("⟦A code is on its way")
	s.send(422, "/second-factor/sent/mail", "code", otherThan(code))
	s.send(200, "/second-factor/sent/mail", "code", code)
	s.mailed(email)
	s.get("/second-factor").Contains("⟦You have 10 recovery codes left.⟧")
	s.post("/logout").RedirectsTo("/")
	s.login(email, secret)
	code = s.code(email)
	s.get("/login/code")
	s.send(422, "/login/code", "code", otherThan(code))
	s.post("/login/code", "code", code).RedirectsTo("/")

	// A new address, and the end.
	s.send(200, confirm)
	s.login(other, secret)
	s.post("/login/code", "code", s.code(other)).RedirectsTo("/")
	s.get("/account/delete")
	s.send(422, "/account/delete", "email", "eve@example.com")
	s.send(200, "/account/delete", "email", other)

	// What errors say.
	s.sees(s.Get("/nowhere").Status(404))
	s.Get("/profile").RedirectsTo("/login?next=%2Fprofile")
	s.JSON("GET", "/profile", nil).Status(401).Contains(`"detail":"⟦Log in to do this.⟧"`)

	for _, m := range s.box.Messages() {
		for _, text := range []string{m.Subject, m.Text} {
			for _, rest := range formtest.UntranslatedText(text, s.data...) {
				t.Errorf("not translated: %q\n%s", rest, text)
			}
		}
	}
	s.missesNone()
}

// within are templates that others include or extend, and of the first user, who has a test
// of their own.
var within = []string{"base.html", "offer.html", "offers.html", "setup.html"}

// missesNone checks that all templates were come to.
func (r *reader) missesNone() {
	r.t.Helper()
	pages, err := fs.Glob(os.DirFS("templates"), "*.html")
	if err != nil || len(pages) < 20 {
		r.t.Fatal(pages, err)
	}
	for _, name := range pages {
		if !slices.Contains(within, name) && !slices.Contains(r.seen, "accounts/"+name) {
			r.t.Errorf("the test does not come to %s", name)
		}
	}
	subjects, err := fs.Glob(os.DirFS("templates"), "mail/*.subject.txt")
	if err != nil || len(subjects) < 8 {
		r.t.Fatal(subjects, err)
	}
	for _, name := range subjects {
		source, err := os.ReadFile(path.Join("templates", name))
		if err != nil {
			r.t.Fatal(err)
		}
		subject := strings.ReplaceAll(regexp.MustCompile(`\{%.*?%\}`).ReplaceAllString(strings.TrimSpace(string(source)), ""), "{{ site }}", "Slow Notes")
		if !slices.ContainsFunc(r.box.Messages(), func(m *mail.Message) bool { return m.Subject == "⟦"+subject+"⟧" }) {
			r.t.Errorf("the test gets no mail of %s", name)
		}
	}
}

// TestTheFirstUserIsGreetedInTheirLanguage is of the page for the developer of a new site.
func TestTheFirstUserIsGreetedInTheirLanguage(t *testing.T) {
	t.Parallel()
	s := newSetupSite(t, true, speaking())
	page := s.offered()
	for _, res := range []*retorttest.Response{s.Get(page).Status(200), s.PostForm(page, setupFields("no address", "1")).Status(422)} {
		for _, text := range formtest.Untranslated(res.Text()) {
			t.Errorf("not translated: %q\n%s", text, res.Text())
		}
	}
}

// TestActingAsAnotherIsSaidInTheVisitorsLanguage is of the top of all pages.
func TestActingAsAnotherIsSaidInTheVisitorsLanguage(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{Impersonate: true}, speaking())
	root := s.known("root@example.com")
	s.known("ann@example.com")
	root.Superuser = true
	if err := auth.Users.UpdateRow(s.ctx, root, &auth.Users.Fields().Superuser); err != nil {
		t.Fatal(err)
	}
	s.login("root@example.com", secret).RedirectsTo("/")
	s.post("/impersonate/2").RedirectsTo("/")
	res := s.Get("/profile").Status(200).Contains("⟦End that⟧", "⟦root@example.com, you act as ann@example.com.⟧")
	for _, text := range formtest.Untranslated(res.Text(), "ann@example.com") {
		t.Errorf("not translated: %q\n%s", text, res.Text())
	}
}

// TestLabelsOfLoginsAreTranslated: those of the site, and of fields to log in by.
func TestLabelsOfLoginsAreTranslated(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{LoginLabel: "Staff number"}, speaking())
	s.Get("/login").Contains("⟦Staff number⟧")
	s.login("1", "wrong").Status(422).Contains("⟦⟦Staff number⟧ or password is not right.⟧")
}

// TestPagesDoNotDependOnHowASiteReadsTemplates: what a site changes for its own templates
// leaves those that come with the package as they are.
func TestPagesDoNotDependOnHowASiteReadsTemplates(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(o *template.Options){
		"strict":       func(o *template.Options) { o.Undefined = template.UndefinedStrict },
		"chained":      func(o *template.Options) { o.Undefined = template.UndefinedChainable },
		"blocks":       func(o *template.Options) { o.TrimBlocks, o.LstripBlocks, o.KeepTrailingNewline = true, true, true },
		"trimmed":      func(o *template.Options) { o.Policies.TrimTranslations = true },
		"gettext":      func(o *template.Options) { o.Extensions.I18n, o.Translator, o.NewStyle = true, gettext{}, true },
		"i18n alone":   func(o *template.Options) { o.Extensions = template.Extensions{I18n: true} },
		"nothing else": func(o *template.Options) { o.Extensions = template.Extensions{} },
		"lines":        func(o *template.Options) { o.LineStatementPrefix, o.LineCommentPrefix = "%%", "##" },
	} {
		s := newSite(t, accounts.Options{LoginLinks: true, TokenScopes: []auth.Permission{"notes.print"}}, options{change})
		s.known("ann@example.com")
		s.Get("/login").Status(200).Contains("<title>Log in</title>", `<html lang="en">`, `"/password/reset">Forgotten password</a>`)
		s.post("/login/link", "email", "ann@example.com").Status(200)
		m, path := s.mailed("ann@example.com")
		if m.Subject != "Your link to log in (Slow Notes)" || !strings.HasPrefix(m.Text, "Log in at Slow Notes by this link:\n") || path == "" {
			t.Errorf("%s: %+v", name, m)
		}
		s.Get(path).Status(200).Contains("<h1>Log in</h1>")
		s.login("ann@example.com", secret).RedirectsTo("/")
		s.post("/tokens", "name", "<deploy>", "days", "30").Status(200).Contains("This is the token &lt;deploy&gt;.", `aria-label="Revoke &lt;deploy&gt;"`)
		s.Get("/tokens").Status(200).Contains("Made <time", "Ends <time", "Never used")
		s.Get("/sessions").Status(200).Contains("Last used <time")
		s.Get("/profile").Status(200).Contains("You are logged in as ann@example.com.")
	}
}

// options changes how a site reads templates.
type options struct{ change func(o *template.Options) }

func (options) Name() string { return "options" }

func (o options) Install(app *retort.App) error {
	app.TemplateOptions(o.change)
	return nil
}

// gettext is a translator that knows nothing.
type gettext struct{}

func (gettext) Gettext(_ context.Context, message string) string { return message }

func (gettext) NGettext(_ context.Context, singular, plural string, n int) string {
	if n == 1 {
		return singular
	}
	return plural
}

func (gettext) PGettext(_ context.Context, _, message string) string { return message }

func (g gettext) NPGettext(ctx context.Context, _, singular, plural string, n int) string {
	return g.NGettext(ctx, singular, plural, n)
}
