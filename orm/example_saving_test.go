package orm_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// Only what changed since Edit was called is written.
func ExampleQuerySet_Edit() {
	ctx, done := exampleBlog()
	defer done()
	p := Posts.Fields()
	post, _ := Posts.Where(orm.Eq(&p.Slug, "Hello")).Get(ctx)
	edit, _ := Posts.Edit(post)
	post.Title = "Hello again"
	changed, _ := edit.Changed()
	fmt.Println(changed[0].Name, len(changed))
	fmt.Println(edit.Save(ctx))
	// Output:
	// Title 1
	// <nil>
}

// The row found stays locked until what changed is written.
func ExampleQuerySet_UpdateOrInsert() {
	ctx, done := exampleBlog()
	defer done()
	p := Pages.Fields()
	for range 2 {
		page := &Page{Path: "/", Title: "Home", Visits: 1}
		inserted, err := Pages.UpdateOrInsert(ctx, page, orm.Fields(&p.Path), func(found *Page) error {
			found.Visits++
			return nil
		})
		fmt.Println(inserted, page.Visits, err)
	}
	// Output:
	// true 1 <nil>
	// false 2 <nil>
}

func ExampleQuerySet_Listen() {
	ctx, done := exampleBlog()
	defer done()
	stop := Tags.Listen(orm.AfterSave, func(_ context.Context, tag *Tag, e orm.Event) error {
		fmt.Println(tag.Name, e.Insert)
		return nil
	})
	defer stop()
	fmt.Println(Tags.Insert(ctx, &Tag{Name: "sql"}))
	// Output:
	// sql true
	// <nil>
}

func ExampleQuerySet_Validate() {
	ctx, done := exampleBlog()
	defer done()
	err := Tags.Validate(ctx, &Tag{Name: "go"})
	faults, _ := errors.AsType[validate.Errors](err)
	fmt.Println(faults.Has("name", "taken"), err)
	// Output:
	// true name: is taken already
}

// Deletion tells what a delete would do.
func ExampleQuerySet_Deletion() {
	ctx, done := exampleBlog()
	defer done()
	u := Users.Fields()
	plan, err := Users.Where(orm.Eq(&u.Username, "alice")).Deletion(ctx)
	for _, rows := range plan.Models {
		if rows.Join == nil {
			fmt.Println(rows.Rows, rows.Model.VerboseName)
		}
	}
	fmt.Println(plan.Total(), err)
	n, err := Users.Where(orm.Eq(&u.Username, "alice")).Delete(ctx)
	fmt.Println(n, err)
	// Output:
	// 1 user
	// 2 post
	// 6 <nil>
	// 1 <nil>
}

func ExampleQuerySet_UpsertRows() {
	ctx, done := exampleBlog()
	defer done()
	g := Tags.Fields()
	tags := []*Tag{{Name: "go"}, {Name: "new"}}
	err := Tags.UpsertRows(ctx, tags, orm.Conflict{Fields: orm.Fields(&g.Name), Nothing: true})
	fmt.Println(tags[0].ID, tags[1].ID > 2, err)
	// Output:
	// 1 true <nil>
}
