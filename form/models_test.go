package form_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/form"
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

type Author struct {
	orm.Model
	Name string `orm:"size=80"`
}

func (a *Author) String() string { return a.Name }

type Tag struct {
	orm.Model
	Name string `orm:"size=30,unique"`
}

func (t *Tag) String() string { return t.Name }

type Post struct {
	orm.Model
	Title     string `orm:"size=20,help='Shown in lists'"`
	Slug      string `orm:"size=20,unique" validate:"slug"`
	Body      string `orm:"text,blank"`
	Status    Status `orm:"size=10,default=draft"`
	Stars     int    `orm:"default=3" validate:"min=1,max=5"`
	Year      int
	Number    int
	Pinned    bool
	Published *time.Time
	Author    orm.FK[Author]      `orm:"on_delete=cascade"`
	Editor    orm.FK[Author]      `orm:"null,on_delete=set_null"`
	Tags      orm.ManyToMany[Tag] `validate:"max=2"`
	Created   time.Time           `orm:"auto_now_add"`
}

func (Post) Meta(p *Post) orm.Meta {
	return orm.Meta{
		Unique: orm.Uniques(orm.UniqueTogether(&p.Year, &p.Number)),
		Checks: orm.Checks(orm.Check("not_cursed", orm.Ne(&p.Title, "Macbeth"))),
	}
}

var (
	Authors = orm.Register[Author]()
	Tags    = orm.Register[Tag]()
	Posts   = orm.Register[Post]()
)

// site is an app with a database that has two authors, three tags and a post.
type site struct {
	t   testing.TB
	app *retort.App
	ctx context.Context
}

func newSite(t testing.TB) *site {
	t.Helper()
	return newSiteOn(t, testdb.SQLite)
}

func newSiteOn(t testing.TB, kind testdb.Kind) *site {
	t.Helper()
	ctx := kind.Context(t)
	db, err := orm.DBFrom(ctx)
	must(t, err)
	must(t, Authors.Insert(ctx, &Author{Name: "Zoe"}, &Author{Name: "adam"}))
	must(t, Tags.Insert(ctx, &Tag{Name: "go"}, &Tag{Name: "web"}, &Tag{Name: "<b>"}))
	post := &Post{
		Title: "Hello", Slug: "hello", Status: Live, Stars: 5, Year: 2026, Number: 1,
		Published: new(time.Date(2026, 1, 2, 3, 4, 5, 678000, time.UTC)), Author: orm.FK[Author]{ID: 1},
	}
	must(t, Posts.Insert(ctx, post))
	tags, err := Tags.Limit(2).All(ctx)
	must(t, err)
	must(t, post.Tags.Set(ctx, tags...))
	app := retort.New(retort.Config{SecretKey: testKey})
	app.ExtendContext(func(ctx context.Context) context.Context { return orm.WithDB(ctx, db) })
	return &site{t, app, ctx}
}

// serve runs fn for one request.
func (s *site) serve(r *http.Request, fn func(c *retort.Ctx)) {
	s.t.Helper()
	app := retort.New(retort.Config{SecretKey: testKey})
	if s.ctx != nil {
		db, err := orm.DBFrom(s.ctx)
		must(s.t, err)
		app.ExtendContext(func(ctx context.Context) context.Context { return orm.WithDB(ctx, db) })
	}
	app.Any("/", func(c *retort.Ctx) error {
		fn(c)
		return c.NoContent()
	})
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	if w.Code != http.StatusNoContent {
		s.t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

func get() *http.Request { return httptest.NewRequest(http.MethodGet, "/", nil) }

// post makes a request that sends pairs of name and value.
func post(pairs ...string) *http.Request { return send(http.MethodPost, pairs...) }

func send(method string, pairs ...string) *http.Request {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest(method, "/", strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// plain is a site without a database.
func plain(t testing.TB) *site { return &site{t: t} }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Every is a struct with a field of each kind.
type Every struct {
	Text     string
	Email    string `validate:"email"`
	Link     string `validate:"url"`
	Secret   string `widget:"password"`
	Area     string `widget:"textarea" validate:"max=30"`
	Color    string `validate:"one_of=red|green"`
	Status   Status
	Int      int `validate:"min=-5,max=100"`
	Tiny     int8
	Count    uint16
	Float    float64
	Ratio    float32
	Bool     bool
	Maybe    *bool
	Age      *int
	When     time.Time
	Day      time.Time `widget:"date"`
	Clock    time.Time `widget:"time"`
	Wait     time.Duration
	Words    []string
	Numbers  []int
	Colors   []string `validate:"each,one_of=red|green|blue"`
	Token    string   `widget:"hidden"`
	Upload   *bind.File
	Uploads  []*bind.File
	Internal string `form:"-"`
	ID       int    `path:"id"`
}

type Login struct {
	Email    string `validate:"required,email"`
	Password string `validate:"required,min=8" widget:"password" help:"At least 8 characters"`
	Remember bool   `label:"Stay signed in"`
	Next     string `widget:"hidden"`
}

func postForm(p *Post) form.Options {
	return form.Options{
		Fields: form.Fields(&p.Title, &p.Slug, &p.Body, &p.Status, &p.Stars, &p.Year, &p.Number, &p.Pinned,
			&p.Published, &p.Author, &p.Editor, &p.Tags),
		Widgets: form.Widgets{&p.Body: form.Textarea{Rows: 12}},
	}
}

const testKey = "a-key-of-the-tests-0123456789-abcdef"
