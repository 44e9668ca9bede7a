package orm

import (
	"time"

	"github.com/retort-web/retort/bench/internal/model"
)

// What programs without an ORM read into and write from: the columns that the models of the
// ORMs have, all of them.
type (
	handAuthor struct {
		ID          int32
		Name, Email string
	}
	handPost struct {
		ID, AuthorID                 int32
		Title, Slug, Excerpt, Status string
		PublishedAt                  time.Time
		Author                       handAuthor
		Tags                         []model.Tag
	}
	handComment struct {
		ID, PostID        int32
		Name, Email, Body string
		CreatedAt         time.Time
	}
)

const (
	handColumns = "p.id, p.author_id, p.title, p.slug, p.excerpt, p.status, p.published_at, a.id, a.name, a.email"
	handTables  = "post p JOIN author a ON a.id = p.author_id"
)

func newHandComment() *handComment {
	return &handComment{PostID: aComment.PostID, Name: aComment.Name, Email: aComment.Email, Body: aComment.Body, CreatedAt: time.Now().UTC()}
}

// newHandComments makes them as the programs over the ORMs do.
func newHandComments() []*handComment {
	list := make([]*handComment, thousand)
	for i := range list {
		list[i] = newHandComment()
	}
	return list
}
