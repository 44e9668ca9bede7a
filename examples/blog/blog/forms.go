package blog

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// edit writes a new post or changes one.
func edit(c *retort.Ctx) error {
	post, data := Posts.New(), map[string]any{}
	if c.Param("slug") != "" {
		var err error
		if post, err = postBySlug(c, auth.Change); err != nil {
			return err
		}
		data["post"] = post
	} else if c.Method() == http.MethodPost {
		author, err := authorOf(c, auth.Must(c))
		if err != nil {
			return err
		}
		post.Author.Set(author)
	}
	f := form.For(c, postForm).Instance(post)
	saved, err := f.Save(c)
	if err != nil {
		return err
	}
	if saved {
		c.Flash("success", "“"+post.Title+"” is saved.")
		return c.Redirect(c.MustURL(".post", "slug", post.Slug))
	}
	data["form"] = f
	return c.Status(f.Status()).Render("blog/edit.html", data)
}

// postForm describes the form of a post.
func postForm(p *Post) form.Options {
	return form.Options{
		Fields: form.Fields(&p.Title, &p.Summary, &p.Body, &p.Tags, &p.Status, &p.Published, &p.Slug),
		Widgets: form.Widgets{
			&p.Summary: form.Textarea{Rows: 2},
			&p.Body:    form.Textarea{Rows: 14},
		},
		Labels: form.Texts{&p.Slug: "Address", &p.Published: "Publish at (UTC)"},
		Help:   form.Texts{&p.Published: "Left empty, a post is published as soon as it is saved as such."},
		Check:  form.Checks{&p.Slug: form.Check(checkSlug)},
		Clean:  form.Clean(completePost),
	}
}

// checkSlug refuses addresses that would not lead to the post.
func checkSlug(_ context.Context, slug string) (string, error) {
	switch {
	case slug == "new":
		return slug, validate.NewError("", "reserved", "is the address of another page")
	case slug != "" && slug != slugify(slug):
		return slug, validate.NewError("", "slug", "must consist of lower-case letters, digits and hyphens")
	}
	return slug, nil
}

// completePost fills in what may be left empty.
func completePost(ctx context.Context, post *Post) error {
	if post.Status == Live && post.Published == nil {
		post.Published = new(time.Now().UTC().Truncate(time.Second))
	}
	if post.Slug != "" {
		return nil
	}
	base := slugify(post.Title)
	if base == "" || base == "new" {
		base = "post"
	}
	p := Posts.Fields()
	var err error
	post.Slug, err = freeSlug(base, func(slug string) (bool, error) {
		return Posts.Where(orm.Eq(&p.Slug, slug), orm.Ne(&p.ID, post.ID)).Exists(ctx)
	})
	return err
}

// freeSlug is the address, with a number after it if it is taken.
func freeSlug(base string, taken func(slug string) (bool, error)) (string, error) {
	slug := base
	for n := 2; ; n++ {
		if some, err := taken(slug); err != nil || !some {
			return slug, err
		}
		slug = fmt.Sprintf("%s-%d", base, n)
	}
}

// authorOf is the author that a user is, made with their first post.
func authorOf(ctx context.Context, user *auth.User) (*Author, error) {
	a := Authors.Fields()
	own := Authors.Where(orm.Eq(&a.User.ID, user.ID))
	author, err := own.Get(ctx)
	if !errors.Is(err, orm.ErrNotFound) {
		return author, err
	}
	author = &Author{Name: nameOf(user, "A new author")}
	author.User.Set(user)
	base := slugify(author.Name)
	if base == "" {
		base = "author"
	}
	author.Slug, err = freeSlug(base, func(slug string) (bool, error) {
		return Authors.Where(orm.Eq(&a.Slug, slug)).Exists(ctx)
	})
	if err != nil {
		return nil, err
	}
	err = Authors.Insert(ctx, author)
	if orm.IsUnique(err) { // made by another request in the meantime
		if theirs, err := own.Get(ctx); err == nil {
			return theirs, nil
		}
	}
	return author, err
}

// nameOf is what others see of a user: never the e-mail address.
func nameOf(user *auth.User, nameless string) string {
	const most = 80
	name := []rune(strings.TrimSpace(user.Name))
	if len(name) == 0 {
		return nameless
	}
	return string(name[:min(len(name), most)])
}

// comment adds a comment to a post.
func comment(c *retort.Ctx) error {
	post, err := postBySlug(c, auth.View)
	if err != nil {
		return err
	}
	f, err := commentForm(c, post)
	if err != nil {
		return err
	}
	saved, err := f.Save(c)
	if err != nil {
		return err
	}
	if saved {
		c.Flash("success", "Thank you. Your comment is below.")
		return c.Redirect(c.MustURL(".post", "slug", post.Slug, "_anchor", "comments"))
	}
	return showPost(c, post, f)
}

// commentForm is the form of a new comment on a post. Users have a name already, guests
// give one.
func commentForm(c *retort.Ctx, post *Post) (*form.Form[Comment], error) {
	user, err := auth.Current(c)
	if err != nil {
		return nil, err
	}
	comment := Comments.New()
	comment.Post.Set(post)
	if user != nil {
		comment.User.Set(user)
		comment.Name = nameOf(user, "A reader")
	}
	return form.For(c, func(c *Comment) form.Options {
		o := form.Options{
			Fields:  form.Fields(&c.Name, &c.Text),
			Widgets: form.Widgets{&c.Text: form.Textarea{Rows: 4}},
			Labels:  form.Texts{&c.Name: "Your name", &c.Text: "Comment"},
		}
		if user != nil {
			o.Fields = form.Fields(&c.Text)
			delete(o.Labels, &c.Name)
		}
		return o
	}).Instance(comment), nil
}

// maxComments is how many comments a page shows: the newest.
const maxComments = 100

// showPost is the page of a post, with the form for comments as it is.
func showPost(c *retort.Ctx, post *Post, f *form.Form[Comment]) error {
	m := Comments.Fields()
	comments, err := post.Comments.Query().OrderBy(orm.Desc(&m.Created), orm.Desc(&m.ID)).Page(c, 1, maxComments)
	if err != nil {
		return err
	}
	slices.Reverse(comments.Items) // they are read from old to new
	user, err := auth.Current(c)
	if err != nil {
		return err
	}
	own := false
	if user != nil {
		if own, err = auth.Can(c, auth.Change, Posts, post); err != nil {
			return err
		}
	}
	return c.Status(f.Status()).Render("blog/post.html", map[string]any{"post": post, "comments": comments, "form": f, "own": own})
}
