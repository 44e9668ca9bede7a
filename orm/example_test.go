package orm_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/retort-web/retort/orm"
	_ "github.com/retort-web/retort/orm/sqlite"
)

// exampleBlog opens a database in memory with a small blog.
func exampleBlog() (context.Context, func()) {
	ctx := context.Background()
	db, err := orm.Open(ctx, "sqlite::memory:")
	if err != nil {
		log.Fatal(err)
	}
	ctx = orm.WithDB(ctx, db)
	check := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	tables, err := orm.Tables()
	check(err)
	check(orm.Atomic(ctx, func(ctx context.Context) error {
		for _, table := range tables {
			for _, sql := range db.Schema().CreateTable(table) {
				if _, err := db.Exec(ctx, sql); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	alice, bob := &User{Username: "alice"}, &User{Username: "bob"}
	check(Users.Insert(ctx, alice, bob))
	golang, web := &Tag{Name: "go"}, &Tag{Name: "web"}
	check(Tags.Insert(ctx, golang, web))
	for i, title := range []string{"Hello", "Templates", "Routing"} {
		post := &Post{Title: title, Slug: title, Status: Live, Views: 10 * i, Published: new(time.Date(2025, 1, i+1, 0, 0, 0, 0, time.UTC))}
		post.Author.Set(alice)
		if i == 2 {
			post.Author.Set(bob)
		}
		check(Posts.Insert(ctx, post))
		check(post.Tags.Add(ctx, golang))
		if i > 0 {
			check(post.Tags.Add(ctx, web))
		}
	}
	return ctx, func() { db.Close() }
}

func Example() {
	ctx, done := exampleBlog()
	defer done()

	p := Posts.Fields()
	posts, err := Posts.
		Where(orm.Eq(&p.Status, Live), orm.Lt(&p.Published, new(time.Now()))).
		Where(orm.Or(orm.Eq(&p.Author.To().Username, "alice"), orm.Eq(&p.Tags.To().Name, "web"))).
		With(&p.Author, &p.Tags).
		OrderBy(orm.Desc(&p.Published)).
		Limit(20).
		All(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, post := range posts {
		tags, err := post.Tags.Get()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(post.Title, "by", post.Author.To().Username, "with", len(tags), "tags")
	}
	// Output:
	// Routing by bob with 2 tags
	// Templates by alice with 2 tags
	// Hello by alice with 1 tags
}

func ExampleQuerySet_Insert() {
	ctx, done := exampleBlog()
	defer done()

	author, err := Users.Where(orm.Eq(&Users.Fields().Username, "bob")).Get(ctx)
	if err != nil {
		log.Fatal(err)
	}
	post := Posts.New() // with the defaults of the fields
	post.Title, post.Slug = "Forms", "forms"
	post.Author.Set(author)
	if err := Posts.Insert(ctx, post); err != nil {
		log.Fatal(err)
	}
	fmt.Println(post.ID, post.Status)

	again := *post
	again.ID = 0
	err = Posts.Insert(ctx, &again)
	fmt.Println(orm.IsUnique(err), err)
	// Output:
	// 4 draft
	// true orm: unique constraint on orm_test_post.slug failed
}

func ExampleQuerySet_Update() {
	ctx, done := exampleBlog()
	defer done()

	p := Posts.Fields()
	n, err := Posts.Where(orm.Eq(&p.Author.To().Username, "alice")).
		Update(ctx, orm.Set(&p.Views, orm.Add(&p.Views, 1)), orm.Set(&p.Status, Draft))
	fmt.Println(n, err)

	_, err = Posts.Update(ctx, orm.Set(&p.Views, 0))
	fmt.Println(err)
	// Output:
	// 2 <nil>
	// orm: no condition: Update of Post would change every row; use UpdateAll for that
}

func ExampleQuerySet_UpdateRow() {
	ctx, done := exampleBlog()
	defer done()

	p := Posts.Fields()
	post, err := Posts.Where(orm.Eq(&p.Slug, "Hello")).Get(ctx)
	if err != nil {
		log.Fatal(err)
	}
	post.Title, post.Views = "Hello again", 0
	fmt.Println(Posts.UpdateRow(ctx, post, &p.Title, &p.Views))
	// Output: <nil>
}

func ExampleQuerySet_Page() {
	ctx, done := exampleBlog()
	defer done()

	page, err := Posts.Page(ctx, 2, 2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Number, "of", page.Pages, "with", page.Items, "previous:", page.HasPrevious(), "next:", page.HasNext())
	// Output: 2 of 2 with [Hello] previous: true next: false
}

func ExampleQuerySet_Each() {
	ctx, done := exampleBlog()
	defer done()

	for post, err := range Posts.OrderBy(orm.Asc(&Posts.Fields().ID)).Each(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(post)
	}
	// Output:
	// Hello
	// Templates
	// Routing
}

func ExampleForeignKey_Get() {
	ctx, done := exampleBlog()
	defer done()

	post, err := Posts.First(ctx)
	if err != nil {
		log.Fatal(err)
	}
	_, err = post.Author.Get()
	fmt.Println(err)

	author, err := post.Author.Load(ctx)
	fmt.Println(author.Username, err)
	// Output:
	// orm: Post.Author was not loaded; add With(&p.Author) to the query, or call Load(ctx)
	// bob <nil>
}

func ExampleManyToMany() {
	ctx, done := exampleBlog()
	defer done()

	post, err := Posts.Where(orm.Eq(&Posts.Fields().Slug, "Hello")).Get(ctx)
	if err != nil {
		log.Fatal(err)
	}
	web, err := Tags.Where(orm.Eq(&Tags.Fields().Name, "web")).Get(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if err := post.Tags.Set(ctx, web); err != nil {
		log.Fatal(err)
	}
	tags, err := post.Tags.All(ctx)
	fmt.Println(len(tags), tags[0].Name, err)
	// Output: 1 web <nil>
}

func ExampleSelect() {
	ctx, done := exampleBlog()
	defer done()

	type row struct {
		Author string
		Posts  int
	}
	p := Posts.Fields()
	stats, err := orm.Select[row](Posts.GroupBy(&p.Author.To().Username).OrderBy(orm.Desc(orm.Count(&p.ID))),
		orm.As("Author", &p.Author.To().Username), orm.As("Posts", orm.Count(&p.ID))).All(ctx)
	fmt.Println(stats, err)
	// Output: [{alice 2} {bob 1}] <nil>
}

// Rows of a model together with values computed for each.
func ExampleSelect_wholeRows() {
	ctx, done := exampleBlog()
	defer done()

	type row struct {
		User
		Posts int
	}
	u := Users.Fields()
	authors, err := orm.Select[row](Users.OrderBy(orm.Asc(&u.Username)),
		orm.As("User", u), orm.As("Posts", orm.Count(&u.Posts).Filter(orm.Eq(&u.Posts.To().Status, Live)))).All(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, author := range authors {
		fmt.Println(author.Username, author.Posts)
	}
	// Output:
	// alice 2
	// bob 1
}

func ExampleLookup() {
	ctx, done := exampleBlog()
	defer done()

	n, err := Posts.Where(orm.Lookup("author__username__icontains", "LIC")).Count(ctx)
	fmt.Println(n, err)

	_, err = Posts.Where(orm.Lookup("author__nmae", "x")).Count(ctx)
	_, fault := errors.AsType[*orm.LookupError](err)
	fmt.Println(fault)
	// Output:
	// 2 <nil>
	// true
}

func ExampleAtomic() {
	ctx, done := exampleBlog()
	defer done()

	err := orm.Atomic(ctx, func(ctx context.Context) error {
		if err := Tags.Insert(ctx, &Tag{Name: "new"}); err != nil {
			return err
		}
		orm.OnCommit(ctx, func(context.Context) { fmt.Println("written") })

		// What may fail gets an Atomic of its own.
		err := orm.Atomic(ctx, func(ctx context.Context) error {
			return Tags.Insert(ctx, &Tag{Name: "go"})
		})
		fmt.Println("there already:", orm.IsUnique(err))
		return nil
	})
	n, _ := Tags.Count(ctx)
	fmt.Println(n, err)
	// Output:
	// there already: true
	// written
	// 3 <nil>
}

func ExampleQuerySet_Upsert() {
	ctx, done := exampleBlog()
	defer done()

	tag := &Tag{Name: "go"}
	err := Tags.Upsert(ctx, tag, orm.Conflict{Fields: orm.Fields(&Tags.Fields().Name)})
	fmt.Println(tag.ID, err)
	// Output: 1 <nil>
}
