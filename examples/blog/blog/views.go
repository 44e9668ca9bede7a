package blog

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
)

// perPage is how many posts a page of a list shows.
const perPage = 10

// list is the front page.
func list(c *retort.Ctx) error {
	page, err := postsPage(c, livePosts())
	if err != nil {
		return err
	}
	topics, err := topics(c)
	if err != nil {
		return err
	}
	return c.Render("blog/list.html", map[string]any{"page": page, "topics": topics})
}

// tagged lists the posts with a tag.
func tagged(c *retort.Ctx) error {
	t := Tags.Fields()
	tag, err := Tags.Where(orm.Eq(&t.Slug, c.Param("slug"))).Get(c)
	if err != nil {
		return err
	}
	p := Posts.Fields()
	page, err := postsPage(c, livePosts().Where(orm.Eq(&p.Tags.To().ID, tag.ID)))
	if err != nil {
		return err
	}
	return c.Render("blog/tag.html", map[string]any{"tag": tag, "page": page})
}

// written lists the posts of an author.
func written(c *retort.Ctx) error {
	a := Authors.Fields()
	author, err := Authors.Where(orm.Eq(&a.Slug, c.Param("slug"))).Get(c)
	if err != nil {
		return err
	}
	p := Posts.Fields()
	page, err := postsPage(c, livePosts().Where(orm.Eq(&p.Author.ID, author.ID)))
	if err != nil {
		return err
	}
	return c.Render("blog/author.html", map[string]any{"author": author, "page": page})
}

// drafts lists what the user has not published yet.
func drafts(c *retort.Ctx) error {
	p := Posts.Fields()
	waiting := orm.Or(orm.Ne(&p.Status, Live), orm.Gt(&p.Published, new(time.Now())))
	own, err := auth.Visible(c, auth.Change, Posts.Where(waiting))
	if err != nil {
		return err
	}
	page, err := postsPage(c, own.OrderBy(orm.Desc(&p.Updated)))
	if err != nil {
		return err
	}
	return c.Render("blog/drafts.html", map[string]any{"page": page})
}

// search finds posts that have all the words asked for.
func search(c *retort.Ctx) error {
	words := searchWords(c.Query("q"))
	data := map[string]any{"q": strings.Join(words, " ")}
	if len(words) > 0 {
		page, err := postsPage(c, matching(livePosts(), words))
		if err != nil {
			return err
		}
		found := make([]result, len(page.Items))
		for i, post := range page.Items {
			found[i] = result{post, highlight(post.Title, words), excerpt(post, words)}
		}
		data["page"], data["found"] = page, found
	}
	return c.Render("blog/search.html", data)
}

// detail shows a post with its comments.
func detail(c *retort.Ctx) error {
	post, err := postBySlug(c, auth.View)
	if err != nil {
		return err
	}
	f, err := commentForm(c, post)
	if err != nil {
		return err
	}
	return showPost(c, post, f)
}

// remove deletes a post, after asking.
func remove(c *retort.Ctx) error {
	post, err := postBySlug(c, auth.Delete)
	if err != nil {
		return err
	}
	if c.Method() != http.MethodPost {
		return c.Render("blog/delete.html", map[string]any{"post": post})
	}
	if err := Posts.DeleteRow(c, post); err != nil && !errors.Is(err, orm.ErrNotFound) {
		return err
	}
	c.Flash("success", "“"+post.Title+"” was deleted.")
	return c.Redirect(c.MustURL(".list"))
}

// feed is the newest posts for feed readers.
func feed(c *retort.Ctx) error {
	posts, err := listed(livePosts()).Limit(20).All(c)
	if err != nil {
		return err
	}
	updated := time.Unix(0, 0)
	for _, post := range posts {
		if post.Updated.After(updated) {
			updated = post.Updated
		}
	}
	return c.Render("blog/feed.xml", map[string]any{"posts": posts, "updated": updated.UTC().Format(time.RFC3339)})
}

// postBySlug finds the post that the address names, if the visitor may do with it
// what they want to: for others it is not there.
func postBySlug(c *retort.Ctx, action auth.Action) (*Post, error) {
	posts, err := auth.Visible(c, action, listed(Posts))
	if err != nil {
		return nil, err
	}
	p := Posts.Fields()
	return posts.Where(orm.Eq(&p.Slug, c.Param("slug"))).Get(c)
}

// topic is a tag with the number of its posts.
type topic struct {
	Name, Slug string
	Posts      int
}

// topics counts the posts that readers see under each tag.
func topics(c *retort.Ctx) ([]topic, error) {
	p := Posts.Fields()
	name, slug := &p.Tags.To().Name, &p.Tags.To().Slug
	return orm.Select[topic](
		livePosts().Where(orm.Has(&p.Tags)).GroupBy(name, slug).OrderBy(orm.Asc(name)),
		orm.As("Name", name), orm.As("Slug", slug), orm.As("Posts", orm.Count(&p.ID)),
	).All(c)
}
