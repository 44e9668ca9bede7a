package migrate_test

import (
	"fmt"
	"log"

	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm/schema"
	"github.com/retort-web/retort/orm/schema/postgres"
)

// The page docs/migrations.md quotes the functions of this file, so that its code runs.

// Makemigrations with ZeroDowntime writes a required field in two migrations: one that old
// code does not notice, and one that takes its time.
func ExampleGraph_Make_zeroDowntime() {
	graph, err := migrate.Load(exampleSet())
	if err != nil {
		log.Fatal(err)
	}
	post := &schema.Table{
		App: "blog", Model: "Post", Name: "blog_post",
		Columns: []schema.Column{
			{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
			{Name: "title", Field: "Title", Type: schema.String, Size: 200},
			{Name: "note", Field: "Note", Type: schema.Text},
		},
		Indexes: []schema.Index{{Name: "blog_post_title", Columns: []schema.IndexColumn{{Name: "title"}}}},
	}
	files, err := graph.Make([]*schema.Table{post}, migrate.MakeOptions{
		DryRun: true, ZeroDowntime: true, Lint: "postgres",
		Asker: migrate.Answers{Backfills: map[string]string{"blog.Post.note": ""}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range files {
		fmt.Println(f.Name, f.Operations, f.Warnings)
	}
	// Output:
	// 0002_post_note [Add field Note to Post] []
	// 0003_require_post_note_blog_post_title [Forbid NULL in note of Post Create index blog_post_title on Post] []
}

// titleIndex is a migration of a big table by hand.
var titleIndex = migrate.Migration{
	Name:         "0002_title",
	Dependencies: []string{"blog.0001_initial"},
	NonAtomic:    true,
	Operations: []migrate.Operation{
		migrate.AddIndex{
			Model:        "Post",
			Index:        schema.Index{Name: "blog_post_title", Columns: []schema.IndexColumn{{Name: "title"}}},
			Concurrently: true,
		},
		migrate.AddUnique{Model: "Post", Column: "title"},
	},
}

func ExampleGraph_SQL_concurrently() {
	set := exampleSet()
	set.Add(titleIndex)
	graph, err := migrate.Load(set)
	if err != nil {
		log.Fatal(err)
	}
	script, err := graph.SQL("blog", "0002", postgres.Dialect{}, true)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(script[len(script)-len("DROP INDEX CONCURRENTLY \"blog_post_title\";\n"):])
	// Output:
	// DROP INDEX CONCURRENTLY "blog_post_title";
}

// withoutSubtitle is a migration that accepts a hazard.
var withoutSubtitle = migrate.Migration{
	Name:         "0002_without_title",
	Dependencies: []string{"blog.0001_initial"},
	Operations:   []migrate.Operation{migrate.RemoveField{Model: "Post", Column: "title"}},
	Ignore: []migrate.Ignore{
		{Rule: "drop-field", Reason: "no release has read it since May"},
	},
}

func ExampleGraph_Lint() {
	set := exampleSet()
	set.Add(withoutSubtitle)
	graph, err := migrate.Load(set)
	if err != nil {
		log.Fatal(err)
	}
	hazards, err := graph.Lint("postgres", nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, h := range hazards {
		fmt.Printf("%s.%s, %s: %s\n", h.App, h.Migration, h.Rule, h.Problem)
		fmt.Println("instead:", h.Advice)
		fmt.Println("ignored:", h.Ignored)
	}
	// Output:
	// blog.0002_without_title, drop-field: code that is still running reads and writes blog_post.title
	// instead: deploy code that does not use the field first, and remove it with the next release
	// ignored: no release has read it since May
}
