package blog

import (
	"context"
	"time"

	"github.com/retort-web/retort/orm"
)

// postsQuery is what the list of posts may be asked for.
type postsQuery struct {
	Page int    `query:"page" default:"1" validate:"min=1,max=100000"`
	Size int    `query:"size" default:"20" validate:"min=1,max=100"`
	Q    string `query:"q" validate:"max=200"`
	Tag  string `query:"tag" validate:"max=50"`
}

// postsAnswer is a page of posts.
type postsAnswer struct {
	Page  int        `json:"page"`
	Pages int        `json:"pages"`
	Total int64      `json:"total"`
	Posts []postJSON `json:"posts"`
}

// postJSON is a post as programs see it. Lists leave the body out.
type postJSON struct {
	ID        int64      `json:"id"`
	Title     string     `json:"title"`
	Slug      string     `json:"slug"`
	Summary   string     `json:"summary"`
	Body      string     `json:"body,omitempty"`
	Author    string     `json:"author"`
	Tags      []string   `json:"tags"`
	Published *time.Time `json:"published"`
}

func newPostJSON(post *Post, withBody bool) (postJSON, error) {
	author, err := post.Author.Get()
	if err != nil {
		return postJSON{}, err
	}
	tags, err := post.Tags.Get()
	if err != nil {
		return postJSON{}, err
	}
	j := postJSON{
		ID: post.ID, Title: post.Title, Slug: post.Slug, Summary: post.Summary,
		Author: author.Name, Tags: []string{}, Published: post.Published,
	}
	for _, tag := range tags {
		j.Tags = append(j.Tags, tag.Slug)
	}
	if withBody {
		j.Body = post.Body
	}
	return j, nil
}

// apiList answers GET /api/posts.
func apiList(ctx context.Context, in *postsQuery) (*postsAnswer, error) {
	p := Posts.Fields()
	posts := matching(livePosts(), searchWords(in.Q))
	if in.Tag != "" {
		posts = posts.Where(orm.Eq(&p.Tags.To().Slug, in.Tag))
	}
	rows, err := listed(posts).Page(ctx, in.Page, in.Size)
	if err != nil {
		return nil, err
	}
	out := &postsAnswer{Page: rows.Number, Pages: rows.Pages, Total: rows.Total, Posts: []postJSON{}}
	for _, post := range rows.Items {
		j, err := newPostJSON(post, false)
		if err != nil {
			return nil, err
		}
		out.Posts = append(out.Posts, j)
	}
	return out, nil
}

// apiPost answers GET /api/posts/{id}.
func apiPost(ctx context.Context, in *struct {
	ID int64 `path:"id"`
},
) (*postJSON, error) {
	p := Posts.Fields()
	post, err := listed(livePosts()).Where(orm.Eq(&p.ID, in.ID)).Get(ctx)
	if err != nil {
		return nil, err
	}
	j, err := newPostJSON(post, true)
	return &j, err
}
