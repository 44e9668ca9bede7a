package orm

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/orm"
	_ "github.com/retort-web/retort/orm/postgres"
	_ "github.com/retort-web/retort/orm/sqlite"
)

type World struct {
	ID           int32 `orm:"pk"`
	RandomNumber int32 `orm:"column=randomnumber"`
}

type Author struct {
	ID    int32  `orm:"pk"`
	Name  string `orm:"size=100"`
	Email string `orm:"size=200"`
}

type Tag struct {
	ID   int32  `orm:"pk"`
	Name string `orm:"size=60"`
	Slug string `orm:"size=60,unique"`
}

type Post struct {
	ID          int32                         `orm:"pk"`
	Author      orm.ForeignKey[Author, int32] `orm:"on_delete=cascade"`
	Title       string                        `orm:"size=200"`
	Slug        string                        `orm:"size=200,unique"`
	Excerpt     string                        `orm:"text"`
	Status      string                        `orm:"size=20"`
	PublishedAt time.Time
	Tag         orm.ManyToMany[Tag]
}

type Comment struct {
	ID        int32                       `orm:"pk"`
	Post      orm.ForeignKey[Post, int32] `orm:"on_delete=cascade"`
	Name      string                      `orm:"size=100"`
	Email     string                      `orm:"size=200"`
	Body      string                      `orm:"text"`
	CreatedAt time.Time                   `orm:"auto_now_add"`
}

func (World) Meta(*World) orm.Meta     { return orm.Meta{Table: "world"} }
func (Author) Meta(*Author) orm.Meta   { return orm.Meta{Table: "author"} }
func (Tag) Meta(*Tag) orm.Meta         { return orm.Meta{Table: "tag"} }
func (Post) Meta(*Post) orm.Meta       { return orm.Meta{Table: "post"} }
func (Comment) Meta(*Comment) orm.Meta { return orm.Meta{Table: "comment"} }

var (
	worlds   = orm.Register[World]()
	_        = orm.Register[Author]()
	_        = orm.Register[Tag]()
	posts    = orm.Register[Post]()
	comments = orm.Register[Comment]()
)

// retortPG is the URL of the harness's libpq keywords, with one connection.
func retortPG() string {
	values := url.Values{"pool_max_conns": {"1"}}
	for word := range strings.FieldsSeq(kit.DSN) {
		key, value, _ := strings.Cut(word, "=")
		values.Set(key, value)
	}
	name := values.Get("dbname")
	values.Del("dbname")
	return "postgres:///" + name + "?" + values.Encode()
}

// retortOps is Retort as its guide tells a user to write it.
func retortOps(url string) ops {
	db, err := orm.Open(ctx, url)
	kit.Must(err)
	ctx := orm.WithDB(context.Background(), db)
	w, p := worlds.Fields(), posts.Fields()
	one := func() error {
		_, err := worlds.Where(orm.Eq(&w.ID, kit.RandID())).Get(ctx)
		return err
	}
	published := func() orm.QuerySet[Post] {
		return posts.Where(orm.Eq(&p.Status, "published")).With(&p.Author).OrderBy(orm.Desc(&p.ID)).Limit(50)
	}
	comment := func() *Comment {
		c := &Comment{Name: aComment.Name, Email: aComment.Email, Body: aComment.Body}
		c.Post.SetID(aComment.PostID)
		return c
	}
	return ops{
		name: "retort",
		one:  one,
		twenty: func() error {
			for range 20 {
				if err := one(); err != nil {
					return err
				}
			}
			return nil
		},
		list:   func() error { ps, err := published().All(ctx); return check(len(ps), 50, err) },
		page:   func() error { ps, err := published().With(&p.Tag).All(ctx); return check(len(ps), 50, err) },
		insert: func() error { return comments.Insert(ctx, comment()) },
		update: func() error {
			_, err := worlds.Where(orm.Eq(&w.ID, kit.RandID())).Update(ctx, orm.Set(&w.RandomNumber, kit.RandID()))
			return err
		},
		stream: func() error {
			n := 0
			for _, err := range worlds.Each(ctx) {
				if err != nil {
					return err
				}
				n++
			}
			return check(n, worlds10k, nil)
		},
		bulkKeys: func() error {
			rows := make([]*Comment, thousand)
			for i := range rows {
				rows[i] = comment()
			}
			return comments.Insert(ctx, rows...)
		},
	}
}
