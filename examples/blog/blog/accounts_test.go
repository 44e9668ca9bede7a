package blog_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/examples/blog/blog"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
)

// signUp returns a client of a new user.
func (s *site) signUp(name, email string) *retorttest.Client {
	c := s.Fresh()
	c.PostForm("/signup", url.Values{"name": {name}, "email": {email}, "password": {"kettles and chairs"}}).RedirectsTo("/")
	return c
}

func TestSignUpAndWrite(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Get("/").Contains(`href="/login"`, `href="/signup"`).Lacks("Drafts", ">Write<", "Log out")
	s.Get("/login").Contains("Slow <span>Notes</span>", "<h1>Log in</h1>") // in the look of the blog
	ada := s.signUp("Ada", "ada@example.com")
	ada.Get("/").Contains(">Ada</a>", ">Write</a>", ">Drafts</a>").Lacks(`href="/signup"`)

	ada.PostForm("/posts/new", fields("title", "")).Status(422)
	ada.PostForm("/posts/new", fields("title", "Hers", "author", "1", "author_id", "1")).RedirectsTo("/posts/hers")
	s.Get("/posts/hers").Contains(`<a href="/authors/ada">Ada</a>`).Lacks("/posts/hers/edit", "/posts/hers/delete")
	ada.Get("/posts/hers").Contains("/posts/hers/edit", "/posts/hers/delete")
	ada.PostForm("/posts/new", fields("title", "Second")).RedirectsTo("/posts/second")
	s.Get("/authors/ada").Status(200).Contains("Hers", "Second")

	// Another of the same name, and one without, are authors of their own.
	s.signUp("Ada", "other@example.com").PostForm("/posts/new", fields("title", "Other")).Status(303)
	s.Get("/posts/other").Contains("/authors/ada-2")
	s.signUp("", "secret@example.com").PostForm("/posts/new", fields("title", "Nameless")).Status(303)
	s.Get("/posts/nameless").Contains("A new author").Lacks("secret@example.com")
	// The profile does without mail, and out is out.
	ada.Get("/profile").Contains("ada@example.com", "Slow <span>Notes</span>")
	ada.PostForm("/logout", nil).RedirectsTo("/")
	ada.Get("/").Contains(`href="/login"`)
}

func TestOnlyAuthorsChangeTheirPosts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.asDemo().PostForm("/posts/new", fields("slug", "mine")).Status(303)
	s.PostForm("/posts/new", fields("slug", "waiting", "title", "Waiting", "status", "draft")).Status(303)
	ada, guest := s.signUp("Ada", "ada@example.com"), s.Fresh()
	for _, path := range []string{"/posts/mine/edit", "/posts/mine/delete", "/posts/waiting/edit", "/posts/waiting/delete"} {
		ada.Get(path).Status(404)
		ada.PostForm(path, fields("title", "Taken")).Status(404)
		guest.Get(path).RedirectsTo("/login?next=" + url.QueryEscape(path))
		guest.PostForm(path, fields("title", "Taken")).Status(303)
		s.Get(path).Status(200)
	}
	// A draft is its author's alone.
	s.Get("/posts/waiting").Status(200).Contains("· draft")
	s.Get("/drafts").Contains("/posts/waiting")
	ada.Get("/drafts").Status(200).Contains("Nothing is waiting").Lacks("/posts/waiting")
	for _, c := range []*retorttest.Client{ada, guest} {
		c.Get("/posts/waiting").Status(404)
		c.PostForm("/posts/waiting", url.Values{"name": {"Eve"}, "text": {"x"}}).Status(404)
	}
	s.Get("/posts/mine").Contains("A new kettle")
}

func TestCommentsOfUsers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	path := "/posts/" + s.newest(t).Slug
	ada := s.signUp(strings.Repeat("Ada ", 30), "ada@example.com")
	ada.Get(path).Contains("Say something as Ada").Lacks("Your name")
	ada.PostForm(path, url.Values{"text": {"By a user."}, "name": {"Somebody else"}, "user": {"1"}}).RedirectsTo(path + "#comments")
	s.Get(path).Contains("By a user.", "Your name").Lacks("Somebody else")
	s.Fresh().PostForm(path, url.Values{"name": {"A guest"}, "text": {"By a guest."}}).Status(303)
	s.signUp("", "secret@example.com").PostForm(path, url.Values{"text": {"By one without a name."}}).Status(303)
	s.Get(path).Contains("A reader").Lacks("secret@example.com")
	c := blog.Comments.Fields()
	if n, err := blog.Comments.Where(orm.Eq(&c.User.To().Email, "ada@example.com"), orm.Eq(&c.Text, "By a user.")).Count(s.ctx()); n != 1 || err != nil {
		t.Errorf("%d comments of the user, %v", n, err)
	}
	// What a user wrote stays when the account goes.
	user, err := auth.Find(s.ctx(), "ada@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if err := auth.Users.DeleteRow(s.ctx(), user); err != nil {
		t.Fatal(err)
	}
	s.Get(path).Contains("By a user.")
}
