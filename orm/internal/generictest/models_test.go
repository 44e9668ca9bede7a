// Package generictest tests generic foreign keys, in models of their own.
package generictest

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/retort-web/retort/orm"
)

// Comment is about a row of any model, and perhaps in answer to one of another.
type Comment struct {
	orm.Model
	On    orm.GenericForeignKey
	About orm.GenericForeignKey `orm:"null,no_index,label=Topic"`
	Text  string                `orm:"size=40"`
}

// Vote goes with its comment.
type Vote struct {
	orm.Model
	Comment orm.FK[Comment] `orm:"on_delete=cascade"`
}

type Author struct {
	orm.Model
	Name string `orm:"size=40"`
}

type Post struct {
	orm.Model
	Title  string         `orm:"size=40"`
	Author orm.FK[Author] `orm:"null,on_delete=cascade"`
}

// Photo, Page and Seat have keys of other types.
type Photo struct {
	ID   uuid.UUID `orm:"pk,default=uuid"`
	Name string    `orm:"size=40"`
}

type Page struct {
	Path string `orm:"pk,size=60"`
	Name string `orm:"size=40"`
}

type SeatKey struct {
	Row    string `orm:"size=8"`
	Number int
}

type Seat struct {
	Key  SeatKey `orm:"pk"`
	Name string  `orm:"size=40"`
}

// Draft is marked and not deleted.
type Draft struct {
	orm.Model
	orm.SoftDelete
	Title string `orm:"size=40"`
}

type Person struct {
	orm.Model
	Name string `orm:"size=40"`
}

// Member is a person with more columns.
type Member struct {
	Person
	Phone string `orm:"size=40,default="`
}

// Stranger is no model.
type Stranger struct{ orm.Model }

var (
	Comments = orm.Register[Comment]()
	Votes    = orm.Register[Vote]()
	Authors  = orm.Register[Author]()
	Posts    = orm.Register[Post]()
	Photos   = orm.Register[Photo]()
	Pages    = orm.Register[Page]()
	Seats    = orm.Register[Seat]()
	Drafts   = orm.Register[Draft]()
	Persons  = orm.Register[Person]()
	Members  = orm.Extend[Member](Persons)
)

func init() {
	on := &Comments.Fields().On
	orm.CascadeGeneric(on, Posts)
	orm.CascadeGeneric(on, Photos)
	orm.CascadeGeneric(on, Seats)
	orm.CascadeGeneric(on, Drafts)
	orm.CascadeGeneric(on, Members)
	orm.CascadeGeneric(on, Posts) // again, which changes nothing
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must1[V any](t testing.TB) func(v V, err error) V {
	return func(v V, err error) V {
		t.Helper()
		must(t, err)
		return v
	}
}

// rows are one of each model that a comment can be on.
type rows struct {
	post, other *Post
	photo       *Photo
	page        *Page
	seat        *Seat
	draft       *Draft
	member      *Member
}

// fill stores the rows, and for each a comment of its name.
func fill(t testing.TB, ctx context.Context) rows {
	t.Helper()
	author := &Author{Name: "ann"}
	must(t, Authors.Insert(ctx, author))
	r := rows{
		post: &Post{Title: "post"}, other: &Post{Title: "other"}, photo: &Photo{Name: "photo"}, page: &Page{Path: "/a,b c", Name: "page"},
		seat: &Seat{Key: SeatKey{"a,b", 7}, Name: "seat"}, draft: &Draft{Title: "draft"}, member: &Member{Person: Person{Name: "member"}},
	}
	r.post.Author.Set(author)
	must(t, Posts.Insert(ctx, r.post, r.other))
	must(t, Photos.Insert(ctx, r.photo))
	must(t, Pages.Insert(ctx, r.page))
	must(t, Seats.Insert(ctx, r.seat))
	must(t, Drafts.Insert(ctx, r.draft))
	must(t, Members.Insert(ctx, r.member))
	comment(t, ctx, "post", r.post)
	comment(t, ctx, "photo", r.photo)
	comment(t, ctx, "page", r.page)
	comment(t, ctx, "seat", r.seat)
	comment(t, ctx, "draft", r.draft)
	comment(t, ctx, "member", r.member)
	comment(t, ctx, "other", r.other)
	comment(t, ctx, "post again", r.post)
	return r
}

func comment(t testing.TB, ctx context.Context, text string, on any) *Comment {
	t.Helper()
	c := &Comment{Text: text}
	must(t, c.On.Set(on))
	must(t, Comments.Insert(ctx, c))
	return c
}
