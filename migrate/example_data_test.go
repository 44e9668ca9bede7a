package migrate_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
	_ "github.com/retort-web/retort/orm/sqlite"
)

// fillSlugs makes the slugs of posts that have none from their titles.
func fillSlugs() migrate.Operation {
	type post struct { // blog.Post as it is at this point
		ID    int64
		Title string
		Slug  *string
	}
	posts := migrate.RowsOf[post]("Post")
	return migrate.RunCode{
		Name:   "fill the slugs",
		Models: []migrate.Historical{posts},
		Code: func(ctx context.Context, db migrate.Database) error {
			return posts.Update(ctx, db, migrate.Batches{Where: "slug IS NULL"}, func(p *post) error {
				p.Slug = new(strings.ReplaceAll(strings.ToLower(p.Title), " ", "-"))
				return nil
			})
		},
		ReverseCode: migrate.NoCode, // the column goes with the migration before
	}
}

// CreateView creates a view, which no operation of Retort's does.
type CreateView struct {
	Name, Query string
}

// Describe tells people what it does.
func (o CreateView) Describe() string { return "Create view " + o.Name }

// ChangeState does nothing: the state is the tables of models.
func (o CreateView) ChangeState(string, *migrate.State) error { return nil }

// Forward creates the view.
func (o CreateView) Forward(migrate.Change) ([]migrate.Action, error) {
	return []migrate.Action{{SQL: "CREATE VIEW " + o.Name + " AS " + o.Query}}, nil
}

// Reverse drops it.
func (o CreateView) Reverse(migrate.Change) ([]migrate.Action, error) {
	return []migrate.Action{{SQL: "DROP VIEW " + o.Name}}, nil
}

// database is what migrations need, made of a connection of package orm.
type database struct{ *orm.DB }

func (d database) Dialect() schema.Dialect { return d.Schema() }

func (d database) Exec(ctx context.Context, sql string, args ...any) error {
	_, err := d.DB.Exec(ctx, sql, args...)
	return err
}

func (d database) Query(ctx context.Context, sql string, args ...any) ([][]any, error) {
	return d.Values(ctx, sql, args...)
}

func (d database) Transaction(ctx context.Context, options migrate.TransactionOptions, fn func(ctx context.Context) error) error {
	return d.Atomic(ctx, orm.TxOptions{WithoutForeignKeys: options.WithoutForeignKeys}, fn)
}

func (d database) Lock(ctx context.Context, name string) (unlock func(), err error) {
	return d.DB.Lock(ctx, name)
}

// Rows are changed by Go code that knows the models as they were, and a view is
// made by an operation of one's own.
func ExampleRows() {
	all := exampleSet()
	all.Add(migrate.Migration{
		Name: "0002_slug", Dependencies: []string{"blog.0001_initial"},
		Operations: []migrate.Operation{
			migrate.RunSQL{SQL: "INSERT INTO blog_post (title) VALUES ('Hello World'), ('On Go')", ReverseSQL: "DELETE FROM blog_post"},
			migrate.AddField{Model: "Post", Column: schema.Column{Name: "slug", Field: "Slug", Type: schema.Text, Null: true}},
		},
	})
	all.Add(migrate.Migration{Name: "0003_fill_slugs", Dependencies: []string{"blog.0002_slug"}, Operations: []migrate.Operation{fillSlugs()}})
	all.Add(migrate.Migration{Name: "0004_slugs", Dependencies: []string{"blog.0003_fill_slugs"}, Operations: []migrate.Operation{
		CreateView{Name: "slugs", Query: "SELECT slug FROM blog_post"},
	}})
	graph, err := migrate.Load(all)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	conn, err := orm.Open(ctx, "sqlite::memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if _, err := graph.Apply(ctx, database{conn}, migrate.Target{}, migrate.Options{}); err != nil {
		log.Fatal(err)
	}
	rows, err := conn.Values(ctx, "SELECT slug FROM slugs ORDER BY slug")
	fmt.Println(rows, err)
	steps, err := graph.Apply(ctx, database{conn}, migrate.Target{App: "blog", Name: migrate.Zero}, migrate.Options{})
	fmt.Println(len(steps), "steps back", err)
	// Output:
	// [[hello-world] [on-go]] <nil>
	// 4 steps back <nil>
}
