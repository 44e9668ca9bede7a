package blog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// edit writes a new post or changes one.
func edit(c *retort.Ctx) error {
	post, data := Posts.New(), map[string]any{}
	if c.Param("slug") != "" {
		var err error
		if post, err = postBySlug(c); err != nil {
			return err
		}
		data["post"] = post
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
		Fields: form.Fields(&p.Title, &p.Summary, &p.Body, &p.Tags, &p.Author, &p.Status, &p.Published, &p.Slug),
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
	for n := 1; ; n++ {
		post.Slug = base
		if n > 1 {
			post.Slug = fmt.Sprintf("%s-%d", base, n)
		}
		taken, err := Posts.Where(orm.Eq(&p.Slug, post.Slug), orm.Ne(&p.ID, post.ID)).Exists(ctx)
		if err != nil || !taken {
			return err
		}
	}
}

// comment adds a comment to a post.
func comment(c *retort.Ctx) error {
	post, err := postBySlug(c)
	if err != nil {
		return err
	}
	f := commentForm(c, post)
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

// commentForm is the form of a new comment on a post.
func commentForm(c *retort.Ctx, post *Post) *form.Form[Comment] {
	comment := Comments.New()
	comment.Post.Set(post)
	return form.For(c, func(c *Comment) form.Options {
		return form.Options{
			Fields:  form.Fields(&c.Name, &c.Text),
			Widgets: form.Widgets{&c.Text: form.Textarea{Rows: 4}},
			Labels:  form.Texts{&c.Name: "Your name", &c.Text: "Comment"},
		}
	}).Instance(comment)
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
	return c.Status(f.Status()).Render("blog/post.html", map[string]any{"post": post, "comments": comments, "form": f})
}
