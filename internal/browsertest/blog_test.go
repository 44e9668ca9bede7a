package browsertest

import "testing"

// TestBlogInABrowser is the way of a new author through the blog, and of a reader beside
// them.
func TestBlogInABrowser(t *testing.T) {
	const password = "slow bread and old chairs"
	s := start(t, "blog", nil, "BLOG_DEMO_PASSWORD="+password)
	b := open(t)
	b.visit(s.base + "/")
	b.sees("Things made slowly", "Sign up")
	b.shoot("blog-front")
	b.follow("Sign up")
	b.fill("name", "Nell New", "email", "nell@example.com", "password", "password")
	b.press("Sign up")
	b.sees("Please correct")
	b.shoot("blog-signup-wrong")
	b.fill("password", "a chair of ash and oak")
	b.press("Sign up")
	b.at(s.base + "/")
	b.sees("Nell New")

	// A draft is there for its author alone.
	b.follow("Write")
	b.press("Save the post")
	b.sees("Please correct")
	b.shoot("blog-write-wrong")
	b.fill("title", "A stool in an afternoon", "summary", "Three legs, no glue.", "body", "It stands <b>on</b> uneven floors.\n\nThe seat is elm.")
	b.press("Save the post")
	b.at(s.base + "/posts/a-stool-in-an-afternoon")
	b.sees("is saved.", "It stands <b>on</b> uneven floors.", "draft")
	reader := b.other()
	reader.visit(s.base + "/posts/a-stool-in-an-afternoon")
	reader.sees("This page is not here")
	reader.shoot("blog-missing")
	b.follow("Drafts")
	b.sees("A stool in an afternoon")

	// Published, it is for all.
	b.visit(s.base + "/posts/a-stool-in-an-afternoon/edit")
	b.choose("status", "live")
	b.fill("title", "A stool in an afternoon, twice")
	b.press("Save the changes")
	b.at(s.base + "/posts/a-stool-in-an-afternoon")
	b.sees("A stool in an afternoon, twice")
	reader.visit(s.base + "/posts/a-stool-in-an-afternoon")
	reader.sees("A stool in an afternoon, twice", "Nell New")
	reader.lacks("Edit\n", "Delete\n")
	reader.fill("name", "A reader", "text", "Does it <i>wobble</i>?")
	reader.press("Send the comment")
	reader.sees("1 comment", "A reader", "Does it <i>wobble</i>?")
	b.visit(s.base + "/posts/a-stool-in-an-afternoon")
	b.fill("text", "Three legs never do.")
	b.press("Send the comment")
	b.sees("2 comments", "Three legs never do.")
	b.shoot("blog-post")

	// What is another's can be read, and neither changed nor deleted.
	demo := b.other()
	demo.logIn(s, "demo@blog.example", password)
	demo.at(s.base + "/")
	demo.visit(s.base + "/posts/a-stool-in-an-afternoon")
	demo.sees("Say something as")
	demo.lacks("Edit\n", "Delete\n")
	for _, path := range []string{"/edit", "/delete"} {
		demo.visit(s.base + "/posts/a-stool-in-an-afternoon" + path)
		demo.sees("This page is not here")
		reader.visit(s.base + "/posts/a-stool-in-an-afternoon" + path)
		reader.sees("Log in")
	}
	demo.visit(s.base + "/search?q=stool+elm")
	demo.sees("1 post found.")
	demo.shoot("blog-search")

	b.follow("Delete")
	b.sees("This cannot be undone.")
	b.shoot("blog-delete")
	b.press("Delete it")
	b.sees("was deleted.")
	reader.visit(s.base + "/posts/a-stool-in-an-afternoon")
	reader.sees("This page is not here")

	b.logOut(s)
	b.visit(s.base + "/posts/new")
	b.at(s.base + "/login?next=%2Fposts%2Fnew")
	b.shoot("blog-login")
}
