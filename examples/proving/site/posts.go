package site

import (
	"net/http"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
)

// postsQuery is what the list may be asked for: nothing else reaches the database.
type postsQuery struct {
	Q    string `query:"q" validate:"max=200"`
	Sort string `query:"sort" default:"-created" validate:"one_of=created|-created|title|-title"`
	Page int    `query:"page" default:"1" validate:"min=1,max=100000"`
}

func (s *Site) posts(c *retort.Ctx) error {
	var in postsQuery
	if err := c.Bind(&in); err != nil {
		return err
	}
	p := Posts.Fields()
	orders := map[string]orm.Order{
		"created": orm.Asc(&p.Created), "-created": orm.Desc(&p.Created), "title": orm.Asc(&p.Title), "-title": orm.Desc(&p.Title),
	}
	order, ok := orders[in.Sort]
	if !ok {
		order = orders["-created"] // nothing was asked for
	}
	list, err := auth.Visible(c, auth.View, Posts)
	if err != nil {
		return err
	}
	if in.Q != "" {
		list = list.Where(orm.Or(orm.IContains(&p.Title, in.Q), orm.IContains(&p.Body, in.Q)))
	}
	page, err := list.With(&p.Author).OrderBy(order, orm.Asc(&p.ID)).Page(c, in.Page, 10)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, "posts.html", map[string]any{"page": page, "q": in.Q, "sort": in.Sort})
}

// visiblePost is the post of the address, if the visitor may see it: what they may not
// see is not there.
func (s *Site) visiblePost(c *retort.Ctx, action auth.Action) (*Post, error) {
	id, err := retort.Param[int64](c, "id")
	if err != nil {
		return nil, err
	}
	list, err := auth.Visible(c, action, Posts)
	if err != nil {
		return nil, err
	}
	p := Posts.Fields()
	return list.With(&p.Author).Where(orm.Eq(&p.ID, id)).Get(c)
}

// post shows a post and takes comments.
func (s *Site) post(c *retort.Ctx) error {
	post, err := s.visiblePost(c, auth.View)
	if err != nil {
		return err
	}
	f := form.For(c, func(m *Comment) form.Options {
		return form.Options{Fields: form.Fields(&m.Name, &m.URL, &m.Text)}
	})
	row := Comments.New()
	row.Post.Set(post)
	saved, err := f.Instance(row).Save(c)
	if err != nil {
		return err
	}
	if saved {
		c.Flash("success", "Thank you for your comment.")
		return c.Redirect(c.MustURL("post", "id", post.ID))
	}
	m := Comments.Fields()
	comments, err := Comments.Where(orm.Eq(&m.Post.ID, post.ID)).OrderBy(orm.Asc(&m.ID)).Limit(200).All(c)
	if err != nil {
		return err
	}
	return render(c, f.Status(), "post.html", map[string]any{"post": post, "comments": comments, "form": f})
}

// editPost is for the staff with the permission.
func (s *Site) editPost(c *retort.Ctx) error {
	post := Posts.New()
	if c.Param("id") != "" {
		var err error
		if post, err = s.visiblePost(c, auth.Change); err != nil {
			return err
		}
	} else {
		post.Author.Set(auth.Must(c))
	}
	f := form.For(c, func(p *Post) form.Options {
		return form.Options{Fields: form.Fields(&p.Title, &p.Body, &p.Published)}
	}).Instance(post)
	saved, err := f.Save(c)
	if err != nil {
		return err
	}
	if saved {
		return c.Redirect(c.MustURL("post", "id", post.ID))
	}
	return render(c, f.Status(), "edit.html", map[string]any{"form": f, "title": "Post"})
}

// addPost is editPost for programs, which send JSON and an API token.
func addPost(c *retort.Ctx) error {
	var in struct {
		Title string `json:"title" validate:"required,max=120"`
		Body  string `json:"body" validate:"required,max=20000"`
	}
	if err := c.Bind(&in); err != nil {
		return err
	}
	post := Posts.New()
	post.Title, post.Body, post.Created = in.Title, in.Body, time.Now().UTC()
	post.Author.Set(auth.Must(c))
	if err := Posts.Insert(c, post); err != nil {
		return err
	}
	return c.Status(http.StatusCreated).JSON(map[string]any{"id": post.ID, "title": post.Title})
}
