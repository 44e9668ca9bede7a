package migrate_test

import (
	"fmt"
	"log"

	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm/schema"
	"github.com/retort-web/retort/orm/schema/sqlite"
)

// exampleSet is what the package migrations of an app "blog" amounts to. There
// it begins with migrate.Register("blog").
func exampleSet() *migrate.Set {
	all := migrate.NewSet("blog", "testdata")
	all.Add(migrate.Migration{
		Name: "0001_initial",
		Operations: []migrate.Operation{
			migrate.CreateModel{Table: schema.Table{
				Model: "Post",
				Name:  "blog_post",
				Columns: []schema.Column{
					{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
					{Name: "title", Field: "Title", Type: schema.String, Size: 200},
				},
			}},
		},
	})
	return all
}

func ExampleGraph_SQL() {
	graph, err := migrate.Load(exampleSet())
	if err != nil {
		log.Fatal(err)
	}
	script, err := graph.SQL("blog", "0001", sqlite.Dialect{}, false)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(script)
	// Output:
	// BEGIN;
	// -- Create model Post
	// CREATE TABLE "blog_post" (
	// 	"id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	// 	"title" varchar(200) NOT NULL
	// );
	// COMMIT;
}

func ExampleGraph_Make() {
	graph, err := migrate.Load(exampleSet())
	if err != nil {
		log.Fatal(err)
	}
	// The model as it is now: its title became a headline, and it has a note.
	post := &schema.Table{
		App: "blog", Model: "Post", Name: "blog_post",
		Columns: []schema.Column{
			{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
			{Name: "headline", Field: "Headline", Type: schema.String, Size: 200},
			{Name: "note", Field: "Note", Type: schema.Text},
		},
	}
	files, err := graph.Make([]*schema.Table{post}, migrate.MakeOptions{
		DryRun: true,
		Asker: migrate.Answers{
			Renames:   map[string]string{"blog.Post.title": "headline"},
			Backfills: map[string]string{"blog.Post.note": ""},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", files[0].Content)
	// Output:
	// package migrations
	//
	// import (
	// 	"github.com/retort-web/retort/migrate"
	// 	"github.com/retort-web/retort/orm/schema"
	// )
	//
	// var _ = All.Add(migrate.Migration{
	// 	Name: "0002_rename_title_post_headline_post_note",
	// 	Dependencies: []string{
	// 		"blog.0001_initial",
	// 	},
	// 	Operations: []migrate.Operation{
	// 		migrate.RenameField{Model: "Post", From: "title", To: "headline", Field: "Headline"},
	// 		migrate.AddField{
	// 			Model:    "Post",
	// 			Column:   schema.Column{Name: "note", Field: "Note", Type: schema.Text},
	// 			Backfill: new("''"),
	// 		},
	// 	},
	// })
}

func ExampleAnswers() {
	graph, err := migrate.Load(exampleSet())
	if err != nil {
		log.Fatal(err)
	}
	post := &schema.Table{
		App: "blog", Model: "Post", Name: "blog_post",
		Columns: []schema.Column{
			{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
			{Name: "headline", Field: "Headline", Type: schema.String, Size: 200},
		},
	}
	_, err = graph.Make([]*schema.Table{post}, migrate.MakeOptions{DryRun: true, Asker: migrate.Answers{}})
	fmt.Println(err)
	// Output:
	// migrate: a question needs an answer: field blog.Post.title is gone and headline is new and alike; if it was renamed give --rename blog.Post.title=headline, if nothing was renamed --no-rename
}

func ExampleLiteral() {
	for _, c := range []schema.Column{
		{Name: "title", Type: schema.String, Size: 20},
		{Name: "views", Type: schema.Int64},
		{Name: "published", Type: schema.DateTime},
	} {
		literal, err := migrate.Literal(&c, "2026")
		fmt.Println(literal, err)
	}
	// Output:
	// '2026' <nil>
	// 2026 <nil>
	//  migrate: "2026" is not a value of column published, which is of type datetime
}
