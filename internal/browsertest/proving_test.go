package browsertest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestProvingInABrowser is the way of a new user through the proving ground.
func TestProvingInABrowser(t *testing.T) {
	s := start(t, "proving", []string{"--reset"})
	b := open(t)
	const email, password, name = "new@example.com", "a chair of ash and oak", "Nell New"

	b.visit(s.base + "/signup")
	b.fill("name", name, "email", email, "password", password)
	b.press("Sign up")
	b.sees("Look into your mail")

	b.visit(s.mailed(email, regexp.MustCompile(`http://[^\s]+/verify/[^\s]+`)))
	b.sees("You signed up as " + email)
	b.shoot("proving-verify")
	b.fill("password", password)
	b.press("Yes, log in")
	b.at(s.base + "/")
	b.sees(name)

	// Out and in again, by hand.
	b.logOut(s)
	b.visit(s.base + "/notes")
	b.at(s.base + "/login?next=%2Fnotes")
	b.fill("email", strings.ToUpper(email), "password", password)
	b.press("Log in")
	b.at(s.base + "/notes")
	b.sees("There are none yet.")

	b.visit(s.base + "/posts/1")
	b.fill("name", name, "url", "https://nell.example/", "text", "A comment <b>from</b> a browser.")
	b.press("Send")
	b.at(s.base + "/posts/1")
	b.sees("Thank you for your comment.", "A comment <b>from</b> a browser.")
	b.shoot("proving-comment")

	b.notes(s)
	b.files(s)

	b.logOut(s)
	b.visit(s.base + "/files")
	b.at(s.base + "/login?next=%2Ffiles")
	b.visit(s.base + "/whoami")
	b.sees(`"user":null`)
}

// logOut presses the button in the profile.
func (b *tab) logOut(s *example) {
	b.t.Helper()
	b.visit(s.base + "/profile")
	b.press("Log out")
	b.at(s.base + "/")
	b.sees("Log in")
}

// logIn fills in the login, up to the page after it.
func (b *tab) logIn(s *example, email, password string) {
	b.t.Helper()
	b.visit(s.base + "/login")
	b.fill("email", email, "password", password)
	b.press("Log in")
}

// notes adds notes, changes and deletes them, one by one and all at once, and exports
// them.
func (b *tab) notes(s *example) {
	b.t.Helper()
	for _, title := range []string{"A note from a browser", "=1+1"} {
		b.visit(s.base + "/notes/new")
		b.fill("title", title, "text", "Mine alone.")
		b.press("Save")
		b.sees(title, "Mine alone.")
	}
	b.follow("Edit")
	b.fill("text", "Mine alone. And changed.")
	b.press("Save")
	b.sees("Mine alone. And changed.")
	b.visit(s.base + "/notes")
	b.sees("A note from a browser")
	b.shoot("proving-notes")
	if name, content := b.saved("Export as CSV"); name != "notes.csv" || !strings.Contains(content, "A note from a browser,") || !strings.Contains(content, "'=1+1") {
		b.t.Errorf("%s has %q", name, content)
	}
	b.visit(s.base + "/notes/all")
	b.shoot("proving-notes-all")
	b.fill("notes-1-title", "A note from a browser, again")
	b.do("choose a note to delete", chromedp.Click(`main form [name="notes-0-DELETE"]`, chromedp.ByQuery))
	b.press("Save")
	b.at(s.base + "/notes")
	b.sees("Your notes are saved.", "A note from a browser, again")
	b.lacks("=1+1")
	b.follow("A note from a browser, again")
	b.follow("Delete")
	b.sees("Delete “A note from a browser, again”?")
	b.press("Delete")
	b.sees("There are none yet.")
}

// files uploads two files at once and downloads one.
func (b *tab) files(s *example) {
	b.t.Helper()
	dir := b.t.TempDir()
	var paths []string
	for name, text := range map[string]string{"letter.txt": "Dear reader", "page.html": "<script>alert(1)</script>"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			b.t.Fatal(err)
		}
		paths = append(paths, path)
	}
	b.visit(s.base + "/files")
	b.do("choose the files", chromedp.SetUploadFiles(`main input[type=file]`, paths, chromedp.ByQuery))
	b.press("Upload")
	b.at(s.base + "/files")
	b.sees("Uploaded.", "letter.txt", "page.html")
	b.shoot("proving-files")
	for link, want := range map[string]string{"letter.txt": "Dear reader", "page.html": "<script>alert(1)</script>"} {
		if name, content := b.saved(link); name != link || content != want {
			b.t.Errorf("%s of %s has %q", name, link, content)
		}
	}
}

// TestAccountsInABrowser changes what is secret: the password, by hand and by mail, the
// sessions, and the second factor.
func TestAccountsInABrowser(t *testing.T) {
	const email, first, second, third = "spare@proving.example", "the first of the passwords", "the second of the passwords", "the third of the passwords"
	s := start(t, "proving", []string{"--reset"}, "PROVING_PASSWORD="+first)
	b := open(t)
	b.logIn(s, email, "not the password")
	b.sees("Please correct")
	b.shoot("accounts-login-wrong")
	b.logIn(s, email, first)
	b.at(s.base + "/")
	elsewhere := b.other()
	elsewhere.logIn(s, email, first)
	elsewhere.at(s.base + "/")

	// The list of sessions ends the other one.
	b.visit(s.base + "/sessions")
	b.sees("this session", "End all others")
	b.shoot("accounts-sessions")
	b.press("End this session")
	b.lacks("End all others")
	elsewhere.visit(s.base + "/profile")
	elsewhere.at(s.base + "/login?next=%2Fprofile")

	// So does another password.
	elsewhere.logIn(s, email, first)
	elsewhere.at(s.base + "/")
	b.visit(s.base + "/password/change")
	b.fill("old", first, "password", second, "again", third)
	b.press("Change the password")
	b.sees("is not the same as above")
	b.shoot("accounts-password-wrong")
	b.fill("old", first, "password", second, "again", second)
	b.press("Change the password")
	b.at(s.base + "/profile")
	b.sees("Your password was changed.")
	b.shoot("accounts-profile")
	elsewhere.visit(s.base + "/whoami")
	elsewhere.sees(`"user":null`)
	s.mailed(email, regexp.MustCompile(`http://[^\s]+/password/reset`))

	// Forgotten, and set anew by a link in the mail.
	b.logOut(s)
	b.visit(s.base + "/login")
	b.follow("Forgotten password")
	b.fill("email", email)
	b.press("Send the link")
	b.sees("Look into your mail")
	b.shoot("accounts-mailed")
	b.visit(s.mailed(email, regexp.MustCompile(`http://[^\s]+/password/reset/[^\s]+`)))
	b.at(s.base + "/password/new")
	b.shoot("accounts-new-password")
	b.fill("password", third, "again", third)
	b.press("Set the password")
	b.sees("Your password was set")
	b.logIn(s, email, second)
	b.sees("Please correct")
	b.logIn(s, email, third)
	b.at(s.base + "/")

	// A second factor.
	b.visit(s.base + "/profile")
	b.follow("Second factor")
	b.sees("A second factor")
	b.shoot("accounts-second-factor")
	secret := b.text("main code")
	b.fill("code", "000000")
	b.press("Switch it on")
	b.sees("Please correct")
	b.fill("code", codeOf(t, secret, time.Now()))
	b.press("Switch it on")
	b.sees("Your recovery codes")
	b.shoot("accounts-recovery-codes")
	recovery := b.text("main ul.codes li")
	b.follow("I have kept them")
	b.logOut(s)
	b.logIn(s, email, third)
	b.sees("Your code")
	b.visit(s.base + "/whoami")
	b.sees(`"user":null`)
	b.visit(s.base + "/login/code")
	b.shoot("accounts-code")
	// The present code was used, and works no more.
	b.fill("code", codeOf(t, secret, time.Now().Add(30*time.Second)))
	b.press("Log in")
	b.at(s.base + "/")
	b.logOut(s)
	b.logIn(s, email, third)
	b.fill("code", recovery)
	b.press("Log in")
	b.at(s.base + "/")
	b.visit(s.base + "/second-factor")
	b.sees("9 recovery codes")
	b.press("Switch the second factor off")
	b.logOut(s)
	b.logIn(s, email, third)
	b.at(s.base + "/")

	// One by mail in its place; the next code may be asked for half a minute later.
	b.visit(s.base + "/second-factor")
	b.press("Codes by mail to s…@proving.example")
	b.at(s.base + "/second-factor/sent/mail")
	b.shoot("accounts-second-factor-sent")
	b.fill("code", s.mailed(email, regexp.MustCompile(`(?m)^[0-9]{6}\b`)))
	b.press("Switch it on")
	b.sees("Your recovery codes")
	recovery = b.text("main ul.codes li")
	b.logOut(s)
	b.logIn(s, email, third)
	b.sees("We send a code to s…@proving.example")
	b.press("Send another code")
	b.sees("A code is on its way, unless")
	b.shoot("accounts-code-sent")
	b.fill("code", recovery)
	b.press("Log in")
	b.at(s.base + "/")
	b.visit(s.base + "/second-factor")
	b.press("Switch the second factor off")

	// An API token, and the end of the account.
	b.visit(s.base + "/tokens")
	b.choose("days", "30")
	b.fill("name", "of a browser")
	b.press("Make a token")
	b.sees("This is the token of a browser")
	b.shoot("accounts-token")
	b.visit(s.base + "/account/delete")
	b.shoot("accounts-delete")
	b.fill("email", email)
	b.press("Delete the account for ever")
	b.sees("Your account was deleted")
	b.logIn(s, email, third)
	b.sees("Please correct")
}

// codeOf is the code that an authenticator app shows at a time (RFC 6238).
func codeOf(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(strings.ReplaceAll(secret, " ", "")))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30)
	sum := mac.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&15:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}
