package site_test

import (
	"encoding/csv"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/examples/proving/site"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	passwords "github.com/retort-web/retort/password"
	"github.com/retort-web/retort/retorttest"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const password = "a password for tests"

// ground is the site in a folder of its own.
type ground struct {
	*retorttest.Client
	t      *testing.T
	app    *retort.App
	folder string
	log    *lines
}

// newGround makes a site; a change of its configuration comes before it starts.
func newGround(t *testing.T, kind testdb.Kind, changes ...func(cfg *retort.Config)) *ground {
	t.Helper()
	folder := t.TempDir()
	location := kind.URL(t)
	if kind.Name == "sqlite" {
		location = "sqlite:" + filepath.Join(folder, "data", "proving.db")
	}
	g := &ground{t: t, folder: folder, log: &lines{}}
	cfg := retort.Config{
		Name: "proving", DatabaseURL: location, SecretKey: "a key for these tests only, nowhere else", BaseURL: "https://proving.example",
		Logger: slog.New(slog.NewTextHandler(g.log, nil)),
	}
	for _, change := range changes {
		change(&cfg)
	}
	g.app = retort.New(cfg)
	g.app.Install(site.New(site.Options{
		Folder: filepath.Join(folder, "data"), Mails: filepath.Join(folder, "mails"), Uploads: filepath.Join(folder, "uploads"), Password: password,
		Hash: passwords.Options{Memory: 64, Time: 1},
	}))
	g.Client = retorttest.New(t, g.app)
	return g
}

// lines are what was logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// as returns a client that has logged in.
func (g *ground) as(email string) *retorttest.Client {
	g.t.Helper()
	c := g.Fresh()
	c.PostForm("/login", url.Values{"email": {email}, "password": {password}}).RedirectsTo("/")
	return c
}

func TestPagesOfStrangers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		g := newGround(t, kind)
		g.Get("/").Status(200).Contains("Post number 39", "Page 1 of 4").Lacks("not published")
		g.Get("/?sort=title&page=2").Status(200).Contains("Page 2 of 4")
		g.Get("/?q=number+7").Contains("Post number 7").Lacks("Post number 8<")
		g.Get("/?q=%25").Contains("Nothing was found")
		for _, bad := range []string{"/?sort=author", "/?page=0", "/?page=x", "/?sort=title;drop"} {
			if code := g.Get(bad).Code; code != 400 && code != 422 {
				t.Errorf("%s: %d", bad, code)
			}
		}
		g.Get("/posts/1").Status(200).Contains("The first comment.", `href="https://ann.example/"`)
		g.Get("/posts/40").Status(404)
		g.Get("/posts/99999999999999999999").Status(404)
		g.PostForm("/posts/1", url.Values{"name": {"Eve"}, "url": {"javascript:alert(1)"}, "text": {"x"}}).Status(422)
		g.PostForm("/posts/1", url.Values{"name": {"<b>Eve"}, "url": {"https://eve.example/"}, "text": {"<script>alert(1)</script> www.example.com"}, "post": {"40"}, "id": {"1"}}).RedirectsTo("/posts/1")
		g.Get("/posts/1").Contains("&lt;b&gt;Eve", "&lt;script&gt;").Lacks("<script>alert")
		for _, own := range []string{"/notes", "/notes.csv", "/notes/new", "/notes/1", "/files", "/files/1", "/posts/new", "/posts/1/edit", "/profile"} {
			g.Get(own).RedirectsTo("/login?next=" + url.QueryEscape(own))
		}
		g.Get("/healthz").Status(200)
		g.Get("/whoami").Contains(`"user":null`)
		g.Get("/abs/").Contains("/abs/")
	})
}

func TestEchoCountsWhatItReads(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	r := g.NewRequest(http.MethodPost, "/echo", strings.NewReader("12345"))
	r.Header.Set("Origin", "https://elsewhere.example")
	g.Do(r).Status(200).Contains("len=5")
}

// Nobody sees, changes or takes what is another's.
func TestSecurityOwnThings(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		g := newGround(t, kind)
		ann, bob, staff := g.as(site.Ann), g.as(site.Bob), g.as(site.Staff)
		n := site.Notes.Fields()
		theirs, err := site.Notes.Where(orm.Eq(&n.Owner.To().Email, site.Bob)).OrderBy(orm.Asc(&n.ID)).First(g.app.Context())
		if err != nil {
			t.Fatal(err)
		}
		path := fmt.Sprintf("/notes/%d", theirs.ID)
		bob.Get(path).Status(200).Contains("Note 1 of Bob")
		for _, c := range []*retorttest.Client{ann, staff} {
			c.Get(path).Status(404)
			c.Get(path + "/edit").Status(404)
			c.PostForm(path+"/edit", url.Values{"title": {"mine now"}}).Status(404)
			c.PostForm(path+"/delete", nil).Status(404)
			c.Get("/notes").Lacks("Bob")
			c.Get("/notes.csv").Lacks("Bob")
		}
		// The owner cannot be given by the form.
		ann.PostForm("/notes/new", url.Values{"title": {"A new one"}, "owner": {"1"}, "id": {"1"}}).Status(303)
		ann.Get("/notes").Contains("A new one")
		bob.Get("/notes").Lacks("A new one")
		bob.Get(path + "/delete").Contains("Delete “Note 1 of Bob”?")
		bob.PostForm(path+"/delete", nil).RedirectsTo("/notes")
		bob.Get(path).Status(404)

		ann.PostFiles("/files", nil, retorttest.File{Field: "file", Name: `..\..\evil.html`, Content: []byte("<script>alert(1)</script>")}).RedirectsTo("/files")
		found := regexp.MustCompile(`/files/(\d+)`).FindString(ann.Get("/files").Contains("evil.html").Text())
		down := ann.Get(found).Status(200).HasHeader("Content-Type", "application/octet-stream").HasHeader("X-Content-Type-Options", "nosniff")
		if d := down.Header().Get("Content-Disposition"); !strings.HasPrefix(d, "attachment") || strings.ContainsAny(d, `\/`) {
			t.Errorf("Content-Disposition %q", d)
		}
		bob.Get(found).Status(404)
		ann.PostFiles("/files", nil, retorttest.File{Field: "file", Name: "big", Content: make([]byte, 6<<20)}).Status(422)
		kept, err := os.ReadDir(filepath.Join(g.folder, "uploads"))
		if err != nil || len(kept) != 1 || strings.Contains(kept[0].Name(), "evil") {
			t.Errorf("%v, %v", kept, err)
		}
	})
}

func TestStaff(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	staff, ann, admin := g.as(site.Staff), g.as(site.Ann), g.as(site.Admin)
	staff.Get("/").Contains("not published")
	staff.Get("/posts/40").Status(200)
	ann.Get("/posts/new").Status(403)
	ann.PostForm("/posts/1/edit", url.Values{"title": {"mine"}, "body": {"x"}}).Status(403)
	staff.PostForm("/posts/new", url.Values{"title": {"By staff"}, "body": {"x"}, "published": {"true"}, "author": {"3"}}).Status(303)
	g.Get("/?sort=title&q=By+staff").Contains("By staff", "Sam Staff")
	staff.PostForm("/posts/40/edit", url.Values{"title": {"Published now"}, "body": {"x"}, "published": {"true"}}).Status(303)
	g.Get("/posts/40").Contains("Published now")
	admin.Get("/whoami").Contains(`"superuser":true`, `"user":"`+site.Admin)
	for _, who := range []string{site.Inactive, site.NoPassword, "nobody@proving.example"} {
		g.Fresh().PostForm("/login", url.Values{"email": {who}, "password": {password}}).Status(422)
	}
}

func TestNotesAsCSV(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	ann := g.as(site.Ann)
	for _, title := range []string{`=HYPERLINK("https://evil.example")`, "+1", "@x", "-2", "a,\"b\"\nc"} {
		ann.PostForm("/notes/new", url.Values{"title": {strings.ReplaceAll(title, "\n", " ")}, "text": {title}}).Status(303)
	}
	r := ann.Get("/notes.csv").Status(200).HasHeader("Content-Disposition", `attachment; filename="notes.csv"`)
	rows, err := csv.NewReader(strings.NewReader(r.Text())).ReadAll()
	if err != nil || len(rows) != 1+3+5 {
		t.Fatal(len(rows), err)
	}
	for _, row := range rows[4:] {
		for _, cell := range row[1:] {
			if strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("%q is a formula", cell)
			}
		}
	}
}

func TestMailGoesToAFolder(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	g.PostForm("/contact", url.Values{"email": {"eve@example.com\r\nBcc: x@example.com"}, "subject": {"x"}, "text": {"x"}}).Status(422)
	g.PostForm("/contact", url.Values{"email": {"eve@example.com"}, "subject": {"x\r\nBcc: x@example.com"}, "text": {"x"}}).Status(422)
	g.PostForm("/contact", url.Values{"email": {"eve@example.com"}, "subject": {"Hello"}, "text": {"All well?"}}).RedirectsTo("/contact")
	g.PostForm("/password/reset", url.Values{"email": {site.Ann}}).Status(200)
	g.PostForm("/password/reset", url.Values{"email": {"nobody@example.com"}}).Status(200)
	var mails []string
	for deadline := time.Now().Add(30 * time.Second); len(mails) < 2 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		mails, _ = filepath.Glob(filepath.Join(g.folder, "mails", "*.eml"))
	}
	var all strings.Builder
	for _, name := range mails {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, want := range []string{"Subject: Hello", "Reply-To: <eve@example.com>", "To: <" + site.Ann + ">", "https://proving.example/password/reset/"} {
		if !strings.Contains(strings.ReplaceAll(all.String(), "=\r\n", ""), want) {
			t.Errorf("no %q in\n%s", want, all.String())
		}
	}
	if len(mails) != 2 {
		t.Errorf("%d mails", len(mails))
	}
}

// A second factor by mail: what is mailed to one user is worth nothing for another.
func TestSecurityCodesByMail(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	ann := g.as(site.Ann)
	ann.Get("/second-factor").Status(200).Contains("Codes by mail to a…@proving.example")
	for range 20 {
		ann.PostForm("/second-factor/sent/mail/send", nil).RedirectsTo("/second-factor/sent/mail")
	}
	found := regexp.MustCompile(`(?m)^([0-9]{6})\r?$`).FindStringSubmatch(g.mailed(site.Ann))
	if found == nil {
		t.Fatal(g.mails())
	}
	code := url.Values{"code": {found[1]}}
	g.as(site.Bob).PostForm("/second-factor/sent/mail", code).Status(422)
	ann.PostForm("/second-factor/sent/mail", code).Status(200).Contains("Your recovery codes")
	ann.PostForm("/logout", nil)
	ann.PostForm("/login", url.Values{"email": {site.Ann}, "password": {password}}).RedirectsTo("/login/code?next=%2F")
	ann.PostForm("/login/code", code).Status(422) // it was used
	if n := strings.Count(strings.Join(g.mails(), ""), "Subject: Your code"); n != 1 {
		t.Errorf("%d codes were mailed within half a minute", n)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	for _, path := range []string{"handler", "error", "template", "database"} {
		r := g.Get("/lab/fail/"+path).Status(500).Lacks("hunter2", "no_such_table", "goroutine", ".go:", "the first words")
		if !slices.Contains([]string{"text/html; charset=utf-8"}, r.Header().Get("Content-Type")) {
			t.Error(r.Header())
		}
	}
	g.Get("/lab/fail/goroutine").Status(200)
	g.Get("/healthz").Status(200)
	g.Get("/lab/slow?ms=1").Contains("done")
	if n := g.Get("/lab/big?mb=3").Status(200).Body.Len(); n != 3<<20 {
		t.Errorf("%d bytes", n)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	for _, path := range []string{"/", "/login", "/contact", "/nothing/here", "/lab/fail/error"} {
		h := g.Get(path).Header()
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, "object-src 'none'") || strings.Contains(policy, "'unsafe-inline'") && !strings.Contains(policy, "'nonce-") {
			t.Errorf("%s: policy %q", path, policy)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s %q", path, name, h.Get(name))
			}
		}
	}
}
