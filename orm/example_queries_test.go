package orm_test

import (
	"fmt"
	"net/url"

	"github.com/retort-web/retort/orm"
)

// Aggregates over relations to many are computed for each row, and never multiply each
// other.
func ExampleCount() {
	ctx, done := exampleBlog()
	defer done()
	u := Users.Fields()
	type row struct {
		Name  string
		Posts int
		Views int
	}
	rows, err := orm.Select[row](Users.OrderBy(orm.Asc(&u.Username)), orm.As("Name", &u.Username),
		orm.As("Posts", orm.Count(&u.Posts)), orm.As("Views", orm.Sum(&u.Posts.To().Views))).All(ctx)
	fmt.Println(rows, err)
	// Output:
	// [{alice 2 10} {bob 1 20}] <nil>
}

// The posts that are read more than those of their author on average.
func ExampleSubquery() {
	ctx, done := exampleBlog()
	defer done()
	p := Posts.Fields()
	average := orm.Subquery(Posts.Where(orm.EqField(&p.Author.ID, orm.Outer(&p.Author.ID))), orm.Avg(&p.Views))
	titles, err := orm.Pluck(ctx, Posts.Where(orm.F(&p.Views).Gt(average)), &p.Title)
	fmt.Println(titles, err)
	// Output:
	// [Templates] <nil>
}

// The post of each author that is read most.
func ExampleWindow() {
	ctx, done := exampleBlog()
	defer done()
	p := Posts.Fields()
	byAuthor := orm.Window{PartitionBy: orm.Fields(&p.Author.ID), OrderBy: orm.By(orm.Desc(&p.Views))}
	titles, err := orm.Pluck(ctx, Posts.Where(orm.Rank().Over(byAuthor).Eq(1)).OrderBy(orm.Asc(&p.Title)), &p.Title)
	fmt.Println(titles, err)
	// Output:
	// [Routing Templates] <nil>
}

// Relations of rows that are there already come by one query for all of them.
func ExampleLoad() {
	ctx, done := exampleBlog()
	defer done()
	p := Posts.Fields()
	posts, _ := Posts.OrderBy(orm.Asc(&p.ID)).All(ctx)
	err := orm.Load(ctx, posts, &p.Author)
	for _, post := range posts {
		fmt.Println(post.Title, post.Author.To().Username)
	}
	fmt.Println(err)
	// Output:
	// Hello alice
	// Templates alice
	// Routing bob
	// <nil>
}

// Pages by a cursor go on where the one before ended, whatever was inserted meanwhile.
func ExampleQuerySet_CursorPage() {
	ctx, done := exampleBlog()
	defer done()
	p := Posts.Fields()
	cursor := ""
	for {
		page, err := Posts.OrderBy(orm.Asc(&p.Title)).CursorPage(ctx, cursor, 2)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(page.Items)
		if cursor = page.Next; cursor == "" {
			return
		}
	}
	// Output:
	// [Hello Routing]
	// [Templates]
}

// A request chooses among the lookups that the program lists.
func ExampleAllow() {
	ctx, done := exampleBlog()
	defer done()
	p := Posts.Fields()
	filters := orm.Allow(Posts, "author__username", "views__gte")
	query := url.Values{"author__username": {"alice"}, "views__gte": {"5"}, "page": {"2"}}
	titles, err := orm.Pluck(ctx, Posts.Where(filters.Where(query)...), &p.Title)
	fmt.Println(titles, err)
	// Output:
	// [Templates] <nil>
}
