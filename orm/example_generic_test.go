package orm_test

import (
	"fmt"

	"github.com/retort-web/retort/orm"
)

// Remark is about a row of any model.
type Remark struct {
	orm.Model
	On   orm.GenericForeignKey
	Text string `orm:"size=200"`
}

var Remarks = orm.Register[Remark]()

// The remarks of one post, and of what kind the row is that each remark is about.
func ExampleGenericForeignKey() {
	ctx, done := exampleBlog()
	defer done()
	r := Remarks.Fields()
	post, _ := Posts.Where(orm.Eq(&Posts.Fields().Slug, "Hello")).Get(ctx)
	tag := &Tag{Name: "orm"}
	fmt.Println(Tags.Insert(ctx, tag))
	for _, row := range []any{post, tag} {
		remark := &Remark{Text: fmt.Sprintf("about a %T", row)}
		if err := remark.On.Set(row); err != nil {
			fmt.Println(err)
		}
		fmt.Println(Remarks.Insert(ctx, remark))
	}
	n, err := Remarks.Where(orm.BelongsTo(&r.On, post)).Count(ctx)
	fmt.Println(n, err)

	remarks, _ := Remarks.OrderBy(orm.Asc(&r.ID)).All(ctx)
	fmt.Println(orm.LoadGeneric(ctx, remarks, &r.On))
	for _, remark := range remarks {
		row, _ := remark.On.Get()
		switch row := row.(type) {
		case *Post:
			fmt.Println("post", row.Title)
		case *Tag:
			fmt.Println("tag", row.Name)
		case nil:
			fmt.Println("it is gone")
		}
	}
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// 1 <nil>
	// <nil>
	// post Hello
	// tag orm
}
