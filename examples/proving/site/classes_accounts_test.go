package site_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/examples/proving/site"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/mail/mailtest"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
)

// mails are those in the folder, as text.
func (g *ground) mails() []string {
	g.t.Helper()
	names, err := filepath.Glob(filepath.Join(g.folder, "mails", "*.eml"))
	if err != nil {
		g.t.Fatal(err)
	}
	texts := make([]string, len(names))
	for i, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			g.t.Fatal(err)
		}
		texts[i] = strings.NewReplacer("=\r\n", "", "=3D", "=").Replace(string(data))
	}
	return texts
}

// mailed waits for a mail to an address.
func (g *ground) mailed(to string) string {
	g.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		for _, text := range g.mails() {
			if strings.Contains(text, "To: <"+to+">") {
				return text
			}
		}
	}
	g.t.Fatalf("no mail to %s", to)
	return ""
}

// linkOf is what follows a path in a mail.
func linkOf(t *testing.T, mail, path string) string {
	t.Helper()
	found := regexp.MustCompile(regexp.QuoteMeta(path) + `([^\s]+)`).FindStringSubmatch(mail)
	if found == nil {
		t.Fatalf("no %s in\n%s", path, mail)
	}
	return found[1]
}

// same are the words of a page without what is new on each.
func same(r *retorttest.Response, typed ...string) string {
	text := regexp.MustCompile(`(name="csrf_token" value|nonce)="[^"]*"|<small>[^<]*</small>`).ReplaceAllString(r.Text(), "")
	for _, t := range typed {
		text = strings.ReplaceAll(text, t, "TYPED")
	}
	return text
}

// Enumeration: 2018-6188, 2024-39329, 2024-45231, 2025-13473. That unknown users cost the
// same hash is a test of package auth.
func TestClassEnumeration(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	wrong := func(email string) (int, string) {
		r := g.Fresh().PostForm("/login", url.Values{"email": {email}, "password": {"not the password"}})
		return r.Code, same(r, email)
	}
	code, words := wrong("nobody@proving.example")
	for _, email := range []string{site.Ann, site.Admin, site.Inactive, site.NoPassword} {
		if c, w := wrong(email); c != code || w != words {
			t.Errorf("a login of %s: %d and\n%s\nand not %d and\n%s", email, c, w, code, words)
		}
	}
	// The right password of one who is not active tells nothing either.
	if r := g.Fresh().PostForm("/login", url.Values{"email": {site.Inactive}, "password": {password}}); r.Code != code || same(r, site.Inactive) != words {
		t.Errorf("the inactive user: %d", r.Code)
	}
	for _, away := range []bool{false, true} {
		if away {
			// A mail server that is away is nobody's business.
			g = newGround(t, testdb.SQLite)
			g.app.Extension("mail").(*mail.Extension).Replace("*", awayMailer{})
		}
		for _, path := range []string{"/password/reset", "/login/link", "/signup"} {
			ask := func(email string) (int, string) {
				r := g.Fresh().PostForm(path, url.Values{"email": {email}, "password": {"a chair of ash and oak"}, "name": {"X"}})
				return r.Code, same(r, email)
			}
			code, words := ask("nobody@proving.example")
			if code != 200 {
				t.Errorf("%s: %d", path, code)
			}
			for _, email := range []string{site.Ann, strings.ToUpper(site.Bob), site.Inactive, site.NoPassword} {
				if c, w := ask(email); c != code || w != words {
					t.Errorf("%s of %s: %d and\n%s\nand not %d and\n%s", path, email, c, w, code, words)
				}
			}
		}
	}
}

type awayMailer struct{}

func (awayMailer) Send(context.Context, []*mail.Envelope) error {
	return errors.New("the mail server is away")
}

// Reset hijack: 2019-19844. Also the Host in the link, and links that are used again.
func TestClassResetHijack(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	box := mailtest.New(t, g.app)
	for _, alike := range []string{"ann@proving.example\u0131", "ann@prov\u0131ng.example", "ann@proving.examp\u2113e", "\uff41nn@proving.example", "ann@proving\u3002example", "a\u200dnn@proving.example", "ann@proving.example.", "ann+x@proving.example", "ann@proving.example\x00", "ann@proving.example\r\nBcc: eve@example.com", "ann@proving.example,eve@example.com", "ann@proving.example eve@example.com", "eve@example.com;ann@proving.example", "\u1d43nn@proving.example", "ann@sub.proving.example"} {
		for _, path := range []string{"/password/reset", "/login/link"} {
			if r := g.Fresh().PostForm(path, url.Values{"email": {alike}}); r.Code != 200 && r.Code != 422 && r.Code != 429 {
				t.Errorf("%s of %q: %d", path, alike, r.Code)
			}
		}
	}
	// Several addresses in one request are one at most.
	g.Fresh().PostForm("/password/reset", url.Values{"email": {site.Bob, "eve@example.com"}})
	c := g.Fresh()
	c.Host = "evil.example"
	c.Header.Set("X-Forwarded-Host", "evil.example")
	c.PostForm("/password/reset", url.Values{"email": {strings.ToUpper(site.Ann)}})
	deadline := time.Now().Add(30 * time.Second)
	for !strings.Contains(texts(box.To(site.Ann)), "/password/reset/") && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	for _, m := range box.Messages() {
		if strings.Contains(m.Text+m.HTML, "evil") || strings.Contains(strings.Join(m.To, ","), "eve@") {
			t.Errorf("to %v: %s", m.To, m.Text)
		}
		if len(m.To) != 1 || m.To[0] != site.Ann && m.To[0] != site.Bob || len(m.Cc)+len(m.Bcc) > 0 {
			t.Errorf("a mail to %v %v %v", m.To, m.Cc, m.Bcc)
		}
	}
	var resets []string
	for _, m := range box.To(site.Ann) {
		if strings.Contains(m.Text, "/password/reset/") {
			resets = append(resets, m.Text)
		}
	}
	if len(resets) == 0 {
		t.Fatal("no mail to Ann")
	}
	token := linkOf(t, resets[0], "https://proving.example/password/reset/")
	// The link of one is not that of another, and works once.
	for _, bad := range []string{token[1:], token + "A", strings.ToUpper(token), strings.Repeat(".", 100_000), "1-" + token, "null"} {
		if r := g.Fresh().Get("/password/reset/" + url.PathEscape(bad)); r.Code < 400 || r.Code > 499 {
			t.Errorf("the token %.50q: %d", bad, r.Code)
		}
	}
	owner, thief := g.Fresh(), g.Fresh()
	owner.Get("/password/reset/" + token).RedirectsTo("/password/new")
	thief.PostForm("/password/new", url.Values{"password": {"a bench of elm"}, "again": {"a bench of elm"}}).Status(400)
	owner.PostForm("/password/new", url.Values{"password": {"a chair of ash and oak"}, "again": {"a chair of ash and oak"}}).Status(200)
	if r := thief.Get("/password/reset/" + token); r.Code != 400 {
		t.Errorf("the link again: %d", r.Code)
	}
	g.Fresh().PostForm("/login", url.Values{"email": {site.Ann}, "password": {"a chair of ash and oak"}}).Status(303)
}

func texts(messages []*mail.Message) string {
	all := ""
	for _, m := range messages {
		all += m.Text
	}
	return all
}

// Admin permission holes: 2018-16984, 2019-19118, 2026-4277, 2026-4292. There is no admin
// here; what stands for it are the staff's pages, and several rows in one form.
func TestClassPermissionHoles(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		g := newGround(t, kind)
		ctx := g.app.Context()
		ann, bob, staff := g.as(site.Ann), g.as(site.Bob), g.as(site.Staff)
		// Who may not write posts cannot, whatever the page shows.
		for _, path := range []string{"/posts/new", "/posts/1/edit"} {
			ann.Get(path).Status(403)
			ann.PostForm(path, url.Values{"title": {"Taken"}, "body": {"x"}, "published": {"on"}}).Status(403)
		}
		// Who may writes the fields of the form, and no others.
		before, err := site.Posts.Where(orm.Eq(&site.Posts.Fields().ID, 1)).Get(ctx)
		if err != nil {
			t.Fatal(err)
		}
		staff.PostForm("/posts/1/edit", url.Values{
			"title": {"Changed"}, "body": {"x"}, "published": {"on"}, "author": {"3"}, "author_id": {"3"}, "Author": {"3"}, "id": {"2"}, "pk": {"2"}, "created": {"2001-01-01"}, "data": {"{}"}, "author.superuser": {"on"}, "author[superuser]": {"on"}, "author__superuser": {"on"},
		}).Status(303)
		after, err := site.Posts.Where(orm.Eq(&site.Posts.Fields().ID, 1)).Get(ctx)
		if err != nil || after.Title != "Changed" || after.Author.ID != before.Author.ID || !after.Created.Equal(before.Created) || len(after.Data) != len(before.Data) {
			t.Errorf("%+v, %v", after, err)
		}
		// Nobody makes themselves more than they are.
		for _, path := range []string{"/profile", "/signup", "/email/change", "/second-factor", "/tokens"} {
			ann.PostForm(path, url.Values{"name": {"Ann"}, "email": {"new@example.com"}, "password": {password}, "staff": {"on"}, "superuser": {"on"}, "Superuser": {"true"}, "active": {"on"}, "groups": {"1"}, "password_hash": {"x"}, "scopes": {"*"}, "days": {"30"}})
		}
		u := auth.Users.Fields()
		if n, err := auth.Users.Where(orm.Eq(&u.Superuser, true)).Count(ctx); n != 1 || err != nil {
			t.Errorf("%d superusers, %v", n, err)
		}
		// Rows of a form of many are those of the user alone, and none can be added where
		// none may be.
		n := site.Notes.Fields()
		theirs, err := site.Notes.Where(orm.Eq(&n.Owner.To().Email, site.Bob)).OrderBy(orm.Asc(&n.ID)).All(ctx)
		if err != nil || len(theirs) != 3 {
			t.Fatal(theirs, err)
		}
		count := rows(t, ctx, site.Notes)
		page := ann.Get("/notes/all").Status(200).Contains("Note 1 of Ann").Lacks("of Bob")
		values := url.Values{}
		for _, field := range regexp.MustCompile(`<input[^>]*type="hidden"[^>]*>`).FindAllString(page.Text(), -1) {
			name, value := attribute(field, "name"), attribute(field, "value")
			values.Set(name, value)
		}
		for i := range 5 {
			prefix := "notes-" + strconv.Itoa(i) + "-"
			values.Set(prefix+"title", "Taken")
			values.Set(prefix+"text", "x")
			for _, name := range []string{"id", "pk", "ID"} {
				values.Set(prefix+name, strconv.FormatInt(theirs[i%3].ID, 10))
			}
			values.Set(prefix+"owner", "1")
			values.Set(prefix+"DELETE", "on")
		}
		for _, total := range []string{"3", "5"} {
			values.Set("notes-TOTAL_FORMS", total)
			if r := ann.PostForm("/notes/all", values); r.Code >= 500 {
				t.Errorf("forged: %d", r.Code)
			}
		}
		for _, note := range theirs {
			kept, err := site.Notes.Where(orm.Eq(&n.ID, note.ID)).Get(ctx)
			if err != nil || kept.Title != note.Title || kept.Owner.ID != note.Owner.ID {
				t.Errorf("%+v, %v", kept, err)
			}
		}
		if now := rows(t, ctx, site.Notes); now > count {
			t.Errorf("%d notes of %d", now, count)
		}
		bob.Get("/notes").Contains("Note 1 of Bob", "Note 2 of Bob", "Note 3 of Bob").Lacks("Taken")
		// No page of the staff shows a hash.
		for _, path := range []string{"/", "/posts/40", "/posts/40/edit", "/profile", "/whoami", "/lab/", "/tokens", "/sessions"} {
			for _, c := range []*retorttest.Client{staff, g.as(site.Admin)} {
				if r := c.Get(path); strings.Contains(r.Text(), "argon2") {
					t.Errorf("%s shows a hash", path)
				}
			}
		}
	})
}

func attribute(tag, name string) string {
	found := regexp.MustCompile(`\b` + name + `="([^"]*)"`).FindStringSubmatch(tag)
	if found == nil {
		return ""
	}
	return found[1]
}

// Mail: 2026-7666, a failed STARTTLS falls back to clear text; and header injection in
// mails.
func TestClassMail(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	box := mailtest.New(t, g.app)
	for _, evil := range []string{"a\r\nBcc: eve@example.com", "a\nBcc: eve@example.com", "a\rBcc: eve@example.com", "a\r\n\r\nbody", "a\u2028Bcc: eve@example.com", "a\u0085Bcc: x", "a\x00b", "\xff"} {
		for _, values := range []url.Values{
			{"email": {"eve@example.com"}, "subject": {evil}, "text": {"x"}}, {"email": {"eve@example.com" + evil}, "subject": {"x"}, "text": {"x"}}, {"email": {`"` + evil + `"@example.com`}, "subject": {"x"}, "text": {"x"}},
		} {
			g.PostForm("/contact", values).Status(422)
		}
	}
	if n := len(box.Messages()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
	g.PostForm("/contact", url.Values{"email": {"eve@example.com"}, "subject": {"=?utf-8?q?a=0d=0aBcc:_eve@example.com?="}, "text": {".\r\n.\r\nRCPT TO:<eve@example.com>"}, "to": {"eve@example.com"}, "bcc": {"eve@example.com"}}).Status(303)
	if m := box.Only(); len(m.To) != 1 || m.To[0] != "owner@proving.example" || len(m.Cc)+len(m.Bcc) > 0 {
		t.Errorf("%+v", m)
	}
	for name, offer := range map[string]string{"no STARTTLS": "250 mail\r\n", "STARTTLS refused": "250-mail\r\n250 STARTTLS\r\n"} {
		addr, heard := plainServer(t, offer)
		away, err := mail.Open("smtp://user:hunter2@"+addr, mail.Options{Timeout: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		g.app.Extension("mail").(*mail.Extension).Replace("*", away)
		g.PostForm("/contact", url.Values{"email": {"eve@example.com"}, "subject": {"x"}, "text": {"a secret"}}).Status(503).Lacks("hunter2", addr)
		for _, line := range heard() {
			if verb := strings.ToUpper(line); strings.HasPrefix(verb, "MAIL") || strings.HasPrefix(verb, "AUTH") || strings.HasPrefix(verb, "DATA") || strings.Contains(line, "secret") {
				t.Errorf("%s: it was told %q", name, line)
			}
		}
	}
}

// plainServer is a mail server without TLS. What it has heard is complete when asked for.
func plainServer(t *testing.T, offer string) (addr string, heard func() []string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "220 mail ESMTP\r\n")
		for in := bufio.NewScanner(conn); in.Scan(); {
			lines = append(lines, in.Text())
			switch verb, _, _ := strings.Cut(strings.ToUpper(in.Text()), " "); verb {
			case "EHLO", "HELO":
				_, _ = io.WriteString(conn, offer)
			case "STARTTLS":
				_, _ = io.WriteString(conn, "454 not now\r\n")
			case "QUIT":
				_, _ = io.WriteString(conn, "221 bye\r\n")
				return
			default:
				_, _ = io.WriteString(conn, "250 ok\r\n")
			}
		}
	}()
	t.Cleanup(func() { l.Close() })
	return l.Addr().String(), func() []string {
		l.Close()
		<-done
		return lines
	}
}

// Tokens: golang-jwt 2025-30204; PocketBase 2024-38351.
func TestClassTokens(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	const none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIiwiYWRtaW4iOnRydWV9."
	for _, token := range []string{none, strings.Repeat(".", 60_000), "a.b.c", "null", "undefined", "0", "1", "' OR 1=1 --", strings.Repeat("A", 43), "retort_" + strings.Repeat("A", 43), "\x00", "é"} {
		if r := bearing(g, "/api/whoami", token); r.Code != 401 {
			t.Errorf("%.50q: %d %s", token, r.Code, r.Text())
		}
		for _, path := range []string{"/notes", "/notes.csv", "/posts/new", "/files/1"} {
			if r := bearing(g, path, token); r.Code == 200 || r.Code >= 500 {
				t.Errorf("%s with %.50q: %d", path, token, r.Code)
			}
		}
		for _, path := range []string{"/verify/", "/password/reset/", "/login/link/", "/email/confirm/"} {
			if r := g.Get(path + url.PathEscape(token)); r.Code < 400 || r.Code > 499 {
				t.Errorf("%s%.50q: %d", path, token, r.Code)
			}
		}
	}
	for _, scheme := range []string{"Basic YWRtaW46YWRtaW4=", "Bearer", "Bearer ", "bearer x y", "Digest username=\"admin\"", strings.Repeat("Bearer ", 1000), "Token x"} {
		c := g.Fresh()
		c.Header.Set("Authorization", scheme)
		if r := c.Get("/notes"); r.Code == 200 || r.Code >= 500 {
			t.Errorf("%.30q: %d", scheme, r.Code)
		}
	}
	// Who signs up with the address of another has no account before its owner says so,
	// and the owner's word is not theirs to use.
	attacker := g.Fresh()
	attacker.PostForm("/signup", url.Values{"name": {"Eve"}, "email": {"victim@example.com"}, "password": {"the attacker chose it"}}).Status(200)
	attacker.PostForm("/login", url.Values{"email": {"victim@example.com"}, "password": {"the attacker chose it"}}).Status(200).Contains("Look into your mail")
	attacker.Get("/whoami").Contains(`"user":null`)
	token := linkOf(t, g.mailed("victim@example.com"), "https://proving.example/verify/")
	victim := g.Fresh()
	victim.Get("/verify/" + token).Status(200)
	victim.PostForm("/verify/"+token, url.Values{"password": {"what the victim thinks"}}).Status(422)
	victim.Get("/whoami").Contains(`"user":null`)
	// A token of an API does what it was made for.
	staff, err := auth.Find(g.app.Context(), site.Staff)
	if err != nil {
		t.Fatal(err)
	}
	accounts, err := auth.Of(g.app.Context())
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := accounts.CreateAPIToken(g.app.Context(), staff, auth.APITokenOptions{Name: "reads", Scopes: []auth.Permission{auth.On(site.Posts, auth.View)}, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	bearing(g, "/api/whoami", secret).Status(200).Contains(site.Staff)
	bearing(g, "/whoami", secret).Contains(`"user":null`) // where no tokens are taken
	program := g.Fresh()
	program.Header.Set("Authorization", "Bearer "+secret)
	program.JSON(http.MethodPost, "/api/posts", map[string]string{"title": "By a program", "body": "x"}).Status(403)
	for _, bad := range []string{secret + "A", secret[:len(secret)-1], strings.ToUpper(secret), " " + secret + " x"} {
		bearing(g, "/api/whoami", bad).Status(401)
	}
	writes, _, err := accounts.CreateAPIToken(g.app.Context(), staff, auth.APITokenOptions{Name: "writes", Scopes: []auth.Permission{auth.On(site.Posts, auth.Add)}})
	if err != nil {
		t.Fatal(err)
	}
	program.Header.Set("Authorization", "Bearer "+writes)
	program.JSON(http.MethodPost, "/api/posts", map[string]string{"title": "By a program", "body": "x"}).Status(201)
}
