package blog

import (
	"time"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
)

// Status says whether readers see a post.
type Status string

// The states of a post.
const (
	Draft Status = "draft"
	Live  Status = "live"
)

// Choices are the states with their names for people.
func (Status) Choices() []orm.Choice {
	return []orm.Choice{{Value: Draft, Label: "Draft"}, {Value: Live, Label: "Published"}}
}

// Author writes posts. Users become authors with their first post; an author whose
// account is gone stays with what they wrote.
type Author struct {
	orm.Model
	Name  string                  `orm:"size=100"`
	Slug  string                  `orm:"size=100,unique"`
	Bio   string                  `orm:"text"`
	User  orm.OneToOne[auth.User] `orm:"null,on_delete=set_null"`
	Posts orm.HasMany[Post]
}

func (a *Author) String() string { return a.Name }

// Meta orders authors by name.
func (Author) Meta(a *Author) orm.Meta {
	return orm.Meta{OrderBy: orm.By(orm.Asc(&a.Name))}
}

// Tag is a topic of posts.
type Tag struct {
	orm.Model
	Name  string               `orm:"size=50,unique"`
	Slug  string               `orm:"size=50,unique"`
	Posts orm.ManyToMany[Post] `orm:"reverse=Tags"`
}

func (t *Tag) String() string { return t.Name }

// Meta orders tags by name.
func (Tag) Meta(t *Tag) orm.Meta {
	return orm.Meta{OrderBy: orm.By(orm.Asc(&t.Name))}
}

// Post is one article.
type Post struct {
	orm.Model
	Title     string `orm:"size=200"`
	Slug      string `orm:"size=200,unique,blank,help='The last part of the address. Left empty, it is made from the title.'"`
	Summary   string `orm:"size=300,help='One or two sentences for lists and feeds.'"`
	Body      string `orm:"text,help='An empty line begins a new paragraph.'"`
	Status    Status `orm:"size=10,default=draft"`
	Published *time.Time
	Author    orm.FK[Author] `orm:"related=Posts"`
	Tags      orm.ManyToMany[Tag]
	Comments  orm.HasMany[Comment]
	Created   time.Time `orm:"auto_now_add"`
	Updated   time.Time `orm:"auto_now"`
}

func (p *Post) String() string { return p.Title }

// Meta orders posts from new to old, and has an index for that.
func (Post) Meta(p *Post) orm.Meta {
	return orm.Meta{
		OrderBy: orm.By(orm.Desc(&p.Published), orm.Desc(&p.ID)),
		Indexes: orm.Indexes(orm.Index(&p.Status, &p.Published)),
		Checks:  orm.Checks(orm.Check("title_not_empty", orm.Ne(&p.Title, ""))),
	}
}

// Comment is what a reader says about a post. Those of users have the name of their
// account, and the user.
type Comment struct {
	orm.Model
	Post    orm.FK[Post]      `orm:"on_delete=cascade"`
	User    orm.FK[auth.User] `orm:"null,on_delete=set_null"`
	Name    string            `orm:"size=80"`
	Text    string            `orm:"text"`
	Created time.Time         `orm:"default=now"`
}

// Meta orders comments from old to new.
func (Comment) Meta(c *Comment) orm.Meta {
	return orm.Meta{OrderBy: orm.By(orm.Asc(&c.Created), orm.Asc(&c.ID))}
}

// The queries from which all others start.
var (
	Authors  = orm.Register[Author]()
	Tags     = orm.Register[Tag]()
	Posts    = orm.Register[Post]()
	Comments = orm.Register[Comment]()
)

// Readers see what is live, and authors what is theirs.
func init() {
	auth.SetPolicy(Posts, func(user *auth.User, action auth.Action, p *Post) orm.Cond {
		allowed := orm.Or() // no row
		if action == auth.View {
			allowed = live(p)
		}
		if user != nil {
			allowed = orm.Or(allowed, orm.Eq(&p.Author.To().User.ID, user.ID))
		}
		return allowed
	})
}

// livePosts are the posts that readers see.
func livePosts() orm.QuerySet[Post] { return Posts.Where(live(Posts.Fields())) }

// live is the condition that readers see a post.
func live(p *Post) orm.Cond {
	return orm.And(orm.Eq(&p.Status, Live), orm.Le(&p.Published, new(time.Now())))
}

// listed loads with posts all that a list of them shows.
func listed(posts orm.QuerySet[Post]) orm.QuerySet[Post] {
	p := Posts.Fields()
	return posts.With(&p.Author, &p.Tags)
}
