package mail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/retort-web/retort"
	mailer "github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/mail/mailtest"
)

func TestNamedMailers(t *testing.T) {
	t.Parallel()
	var bulk mailer.Memory
	dir := filepath.Join(t.TempDir(), "out", "mail")
	app := retort.New()
	app.Install(mailer.New(mailer.Options{
		From: "a@example.com", URL: "file:" + dir, SubjectPrefix: "[test] ", Admins: []string{"boss@example.com"},
		Mailers: map[string]any{"bulk": &bulk, "nowhere": "discard:"},
	}))
	if err := app.Prepare(); err != nil {
		t.Fatal(err)
	}
	ctx := app.Context()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := mailer.Send(ctx, to("b@example.com", "hello")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := mailer.Send(mailer.Using(ctx, "bulk"), to("c@example.com", "many"), to("d@example.com", "many")); err != nil {
		t.Error(err)
	}
	if err := mailer.Send(mailer.Using(ctx, "nowhere"), to("c@example.com", "many")); err != nil {
		t.Error(err)
	}
	if err := mailer.SendAdmins(mailer.Using(ctx, "bulk"), "disk full", "now"); err != nil {
		t.Error(err)
	}
	sent := bulk.Sent()
	if len(sent) != 3 || sent[0].Message.Subject != "[test] many" || sent[2].To[0] != "boss@example.com" {
		t.Errorf("bulk has %d messages", len(sent))
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil || info.Mode().Perm() != 0o600 || filepath.Ext(f) != ".eml" {
			t.Errorf("%s: %v %v", f, info.Mode(), err)
		}
		text, err := os.ReadFile(f)
		if err != nil || !bytes.Contains(text, []byte("Subject: [test] hello\r\n")) {
			t.Errorf("%q, %v", text, err)
		}
	}
}

func TestConsoleShowsNoControlCharacters(t *testing.T) {
	t.Parallel()
	app, _ := site(t, mailer.Options{})
	var out bytes.Buffer
	app.Extension("mail").(*mailer.Extension).Replace("*", &mailer.Console{Writer: &out})
	err := mailer.Send(app.Context(), &mailer.Message{
		To: []string{"a@example.com"}, Subject: "Grüße", Text: "red \x1b[31m link https://example.com/reset?t=1",
		Attachments: []mailer.Attachment{{Name: "a.txt", Data: []byte("abc")}},
	})
	text := out.String()
	if err != nil || strings.Contains(text, "\x1b") || !strings.Contains(text, "Subject: Grüße\n") || !strings.Contains(text, "https://example.com/reset?t=1") || !strings.Contains(text, "a.txt, 3 bytes") {
		t.Errorf("%q, %v", text, err)
	}
}

var mails = fstest.MapFS{
	"templates/mail/welcome.subject.txt": {Data: []byte("Welcome,\n{{ name }}!\n")},
	"templates/mail/welcome.txt":         {Data: []byte("Dear {{ name }}, see {{ url(\"home\") }}")},
	"templates/mail/welcome.html":        {Data: []byte("<p>Dear {{ name }}, <a href='{{ url(\"home\") }}'>home</a>")},
	"templates/mail/only.html":           {Data: []byte("<p>Dear {{ name }}")},
	"templates/mail/broken.txt":          {Data: []byte("{% include 'mail/none.txt' %}")},
}

func templated(t *testing.T, debug bool) (*retort.App, *mailtest.Outbox) {
	t.Helper()
	app := retort.New(retort.Config{BaseURL: "https://shop.example", Assets: retort.Embed(mails), Debug: debug})
	app.Get("/", func(c *retort.Ctx) error { return c.Text("home") }).Name("home")
	app.Install(mailer.New(mailer.Options{
		From: "a@example.com",
		Previews: map[string]func(ctx context.Context) (*mailer.Message, error){
			"welcome": func(ctx context.Context) (*mailer.Message, error) {
				return mailer.Template(ctx, "mail/welcome", map[string]any{"name": "<Ann>"})
			},
		},
	}))
	return app, mailtest.New(t, app)
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	app, box := templated(t, false)
	m, err := mailer.Template(app.Context(), "mail/welcome", map[string]any{"name": "Ann & <Bob>\r\nBcc: x@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	m.To = []string{"ann@example.com"}
	if err := m.Send(app.Context()); err != nil {
		t.Fatal(err)
	}
	got := box.Only()
	if got.Subject != "Welcome, Ann & <Bob> Bcc: x@example.com!" {
		t.Errorf("subject %q", got.Subject)
	}
	if !strings.HasPrefix(got.Text, "Dear Ann & <Bob>") || !strings.Contains(got.Text, "see https://shop.example/") {
		t.Errorf("text %q", got.Text)
	}
	if !strings.Contains(got.HTML, "Ann &amp; &lt;Bob&gt;") || !strings.Contains(got.HTML, "href='https://shop.example/'") {
		t.Errorf("html %q", got.HTML)
	}
	only, err := mailer.Template(app.Context(), "mail/only", map[string]any{"name": "Ann"})
	if err != nil || only.Subject != "" || only.HTML != "<p>Dear Ann" {
		t.Errorf("%+v, %v", only, err)
	}
	if _, err := mailer.Template(app.Context(), "mail/none", nil); err == nil || !strings.Contains(err.Error(), "no template mail/none.txt or mail/none.html") {
		t.Error(err)
	}
	// A template that includes what does not exist is broken, not missing.
	if _, err := mailer.Template(app.Context(), "mail/broken", nil); err == nil || !strings.Contains(err.Error(), "mail/none.txt") || strings.Contains(err.Error(), "there is no template mail/broken") {
		t.Error(err)
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	app, box := templated(t, true)
	get := func(path, remote string) (int, string, string) {
		r := httptest.NewRequest("GET", "http://127.0.0.1"+path, nil)
		r.RemoteAddr = remote
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		return w.Code, w.Body.String(), w.Header().Get("Content-Security-Policy")
	}
	const here = "127.0.0.1:1234"
	if code, page, _ := get("/_mail/", here); code != 200 || !strings.Contains(page, "Nothing was sent") || !strings.Contains(page, "/_mail/preview/welcome") {
		t.Error(code, page)
	}
	m := to("ann@example.com", "<b>Hello</b>")
	m.HTML = `<p>x<img src="cid:p.png"><script>alert(1)</script>`
	m.Attachments = []mailer.Attachment{{Name: "p.png", Inline: true, Data: []byte("<script>")}}
	if err := mailer.Send(app.Context(), m); err != nil {
		t.Fatal(err)
	}
	box.Only()
	for path, want := range map[string]string{
		"/_mail/":                     "&lt;b&gt;Hello&lt;/b&gt;",
		"/_mail/sent/1":               `sandbox src="/_mail/sent/1/html"`,
		"/_mail/sent/1/html":          `<img src="file0">`,
		"/_mail/sent/1/source":        "Content-Type: multipart/",
		"/_mail/sent/1/file0":         "<script>",
		"/_mail/preview/welcome":      "Welcome, &lt;Ann&gt;!",
		"/_mail/preview/welcome/html": "Dear &lt;Ann&gt;",
	} {
		code, page, policy := get(path, here)
		if code != 200 || !strings.Contains(page, want) || strings.Contains(path, "/html") && !strings.HasPrefix(policy, "sandbox;") {
			t.Errorf("%s: %d %q %q", path, code, policy, page)
		}
		if code, page, _ := get(path, "203.0.113.9:1"); code != 404 || strings.Contains(page, "Ann") {
			t.Errorf("%s is shown to strangers: %d", path, code)
		}
	}
	for _, path := range []string{"/_mail/sent/99", "/_mail/sent/1/file7", "/_mail/sent/1/file-1", "/_mail/sent/1/etc", "/_mail/preview/none"} {
		if code, _, _ := get(path, here); code != 404 {
			t.Errorf("%s: %d", path, code)
		}
	}
	production, _ := templated(t, false)
	r := httptest.NewRequest("GET", "http://127.0.0.1/_mail/", nil)
	r.RemoteAddr = here
	w := httptest.NewRecorder()
	production.ServeHTTP(w, r)
	if w.Code != 404 {
		t.Errorf("in production: %d", w.Code)
	}
}

func TestSendTestMail(t *testing.T) {
	t.Parallel()
	app, box := site(t, mailer.Options{Admins: []string{"boss@example.com"}, Managers: []string{"editor@example.com"}})
	out, err := app.Call(t.Context(), "sendtestmail", "ann@example.com", "bob@example.com")
	if err != nil || !strings.Contains(out, "sent to ann@example.com, bob@example.com") {
		t.Error(out, err)
	}
	if m := box.Only(); m.Subject != "Test mail of shop" || len(m.To) != 2 {
		t.Errorf("%+v", m)
	}
	box.Reset()
	if _, err := app.Call(t.Context(), "sendtestmail"); err != nil || len(box.To("boss@example.com")) != 1 {
		t.Error(err)
	}
	box.Reset()
	if _, err := app.Call(t.Context(), "sendtestmail", "--admins", "--managers", "ann@example.com"); err != nil || len(box.Only().To) != 3 || len(box.To("editor@example.com")) != 1 {
		t.Error(err)
	}
}

func TestManagersAndOnSent(t *testing.T) {
	t.Parallel()
	var told []string
	app, box := site(t, mailer.Options{
		Managers: []string{"editor@example.com"},
		OnSent: func(_ context.Context, m *mailer.Message, err error) {
			told = append(told, fmt.Sprint(m.Subject, " ", err))
		},
	})
	if err := mailer.SendManagers(app.Context(), "a new post", "to be read"); err != nil || len(box.To("editor@example.com")) != 1 {
		t.Error(err)
	}
	if err := mailer.SendAdmins(app.Context(), "nobody", "is one"); err != nil || len(box.Messages()) != 1 {
		t.Error(err)
	}
	app.Extension("mail").(*mailer.Extension).Replace("*", refusing{})
	if err := mailer.Send(app.Context(), to("a@example.com", "one"), to("b@example.com", "two")); err == nil {
		t.Error("no error")
	}
	if got := strings.Join(told, ", "); got != "a new post <nil>, one <nil>, two refused" {
		t.Errorf("told %s", got)
	}
}

// refusing takes all messages but the last.
type refusing struct{}

func (refusing) Send(_ context.Context, envelopes []*mailer.Envelope) error {
	last := envelopes[len(envelopes)-1]
	return &mailer.SendError{Failures: []mailer.Failure{{Message: last.Message, Err: errors.New("refused")}}}
}

func TestCheckDeploy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options mailer.Options
		want    string
	}{
		"none":       {mailer.Options{}, "mail.url mail.from"},
		"console":    {mailer.Options{URL: "console:", From: "a@example.com"}, "mail.url"},
		"a folder":   {mailer.Options{URL: "file:/var/mail", From: "a@example.com"}, "mail.url"},
		"clear text": {mailer.Options{URL: "smtp://mail.example.com?tls=none", From: "a@example.com"}, "mail.tls"},
		"good":       {mailer.Options{URL: "smtp://mail.example.com", From: "a@example.com"}, ""},
		"own":        {mailer.Options{Mailers: map[string]any{"default": new(mailer.Memory)}, From: "a@example.com"}, ""},
	} {
		app := retort.New()
		app.Install(mailer.New(c.options))
		var got []string
		for _, f := range app.RunChecks(t.Context(), true) {
			if strings.HasPrefix(f.ID, "mail.") {
				got = append(got, f.ID)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
	for want, o := range map[string]mailer.Options{
		"Options.From is": {From: "nobody"}, "is a int": {Mailers: map[string]any{"a": 1}}, "mailer a:": {Mailers: map[string]any{"a": "x:"}}, "no kind of mailer": {URL: "pigeon:"},
	} {
		app := retort.New()
		app.Install(mailer.New(o))
		if err := app.Prepare(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
