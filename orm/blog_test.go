package orm_test

import (
	"context"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// The models of the tests: a blog.

type Status string

const (
	Draft Status = "draft"
	Live  Status = "live"
)

func (Status) Choices() []orm.Choice {
	return []orm.Choice{{Value: Draft, Label: "Draft"}, {Value: Live, Label: "Live"}}
}

type Country struct {
	orm.Model
	Code string `orm:"size=2,unique"`
	Name string `orm:"size=100"`
}

type User struct {
	orm.Model
	Username string            `orm:"size=150,unique"`
	Country  orm.FK[Country]   `orm:"null,on_delete=set_null,related=Citizens"`
	Boss     orm.FK[User]      `orm:"null,on_delete=set_null"`
	Posts    orm.HasMany[Post] // reverse of Post.Author
	Profile  orm.FK[Profile]   `orm:"null,unique"`
	Staff    orm.HasMany[User] `orm:"reverse=Boss"`
}

type Profile struct {
	orm.Model
	Bio string `orm:"text"`
}

type Tag struct {
	orm.Model
	Name  string               `orm:"size=50,unique"`
	Posts orm.ManyToMany[Post] `orm:"reverse=Tags"`
}

type Post struct {
	orm.Model
	Title     string `orm:"size=200,help='Shown in lists, and on top'"`
	Slug      string `orm:"size=200,unique"`
	Body      string `orm:"text"`
	Status    Status `orm:"size=20,default=draft,index"`
	Views     int
	Rating    float64
	Published *time.Time
	Author    orm.FK[User] `orm:"on_delete=cascade,related=Posts"`
	Editor    orm.FK[User] `orm:"null,on_delete=set_null"`
	Tags      orm.ManyToMany[Tag]
	Comments  orm.HasMany[Comment]
	Created   time.Time `orm:"auto_now_add"`
	Updated   time.Time `orm:"auto_now"`
}

func (p *Post) String() string { return p.Title }

func (Post) Meta(p *Post) orm.Meta {
	return orm.Meta{
		OrderBy: orm.By(orm.Desc(&p.Published), orm.Asc(&p.ID)),
		Indexes: orm.Indexes(orm.Index(&p.Status, orm.Desc(&p.Published))),
		Checks:  orm.Checks(orm.Check("title_not_empty", orm.Ne(&p.Title, ""))),
	}
}

type Comment struct {
	orm.Model
	Post  orm.FK[Post] `orm:"on_delete=cascade"`
	Name  string       `orm:"size=80"`
	Text  string       `orm:"text"`
	Votes int
}

var (
	Countries = orm.Register[Country]()
	Users     = orm.Register[User]()
	Profiles  = orm.Register[Profile]()
	Tags      = orm.Register[Tag]()
	Posts     = orm.Register[Post]()
	Comments  = orm.Register[Comment]()
)

// open returns a context with a new database that has the tables of all models.
func open(t testing.TB, kind testdb.Kind) context.Context {
	t.Helper()
	return kind.Context(t)
}

func openURL(t testing.TB, url string) context.Context {
	t.Helper()
	db := testdb.OpenURL(t, url)
	testdb.CreateTables(t, db)
	return orm.WithDB(t.Context(), db)
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
