package migrate

import (
	"errors"
	"strings"
	"testing"

	"github.com/retort-web/retort/orm/schema"
)

// blogTables returns the tables of a small site: auth.User, blog.Post,
// blog.Tag and the join table of a post's tags.
func blogTables() []*schema.Table {
	return []*schema.Table{
		{
			App: "auth", Model: "User", Name: "auth_user",
			Columns: []schema.Column{
				idColumn(),
				{Name: "username", Field: "Username", Type: schema.String, Size: 150, Unique: true},
			},
		},
		{
			App: "blog", Model: "Post", Name: "blog_post",
			Columns: []schema.Column{
				idColumn(),
				{Name: "title", Field: "Title", Type: schema.String, Size: 200},
				{Name: "status", Field: "Status", Type: schema.String, Size: 20, Default: new("'draft'")},
				{Name: "author_id", Field: "Author", Type: schema.Int64, References: &schema.Reference{
					Table: "auth_user", Column: "id", OnDelete: schema.Cascade, Model: "auth.User",
				}},
				{Name: "parent_id", Field: "Parent", Type: schema.Int64, Null: true, References: &schema.Reference{
					Table: "blog_post", Column: "id", OnDelete: schema.SetNull, Model: "blog.Post",
				}},
			},
			Indexes: []schema.Index{
				{Name: "blog_post_status_idx", Columns: []schema.IndexColumn{{Name: "status"}, {Name: "id", Desc: true}}},
			},
			Checks: []schema.Check{{Name: "title_not_empty", SQL: `"title" <> ''`}},
		},
		{
			App: "blog", Model: "Tag", Name: "blog_tag",
			Columns: []schema.Column{idColumn(), {Name: "name", Field: "Name", Type: schema.String, Size: 50, Unique: true}},
		},
		{
			App: "blog", Model: "Post_tags", Name: "blog_post_tags",
			Columns: []schema.Column{
				{Name: "post_id", Type: schema.Int64, PrimaryKey: true, References: &schema.Reference{Table: "blog_post", Column: "id", OnDelete: schema.Cascade, Model: "blog.Post"}},
				{Name: "tag_id", Type: schema.Int64, PrimaryKey: true, References: &schema.Reference{Table: "blog_tag", Column: "id", OnDelete: schema.Cascade, Model: "blog.Tag"}},
			},
			Indexes: []schema.Index{{Name: "blog_post_tags_tag_id_idx", Columns: []schema.IndexColumn{{Name: "tag_id"}}}},
		},
	}
}

func idColumn() schema.Column {
	return schema.Column{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true}
}

func cloneTables(tables []*schema.Table) []*schema.Table {
	all := make([]*schema.Table, len(tables))
	for i, t := range tables {
		all[i] = t.Clone()
	}
	return all
}

// pick returns a table by its model.
func pick(t testing.TB, tables []*schema.Table, model string) *schema.Table {
	t.Helper()
	for _, table := range tables {
		if table.Model == model {
			return table
		}
	}
	t.Fatalf("no table of model %s", model)
	return nil
}

// project is the migrations of a program as a test sees them: it makes new
// ones without the detour over Go files.
type project struct {
	sets         map[string]*Set
	zeroDowntime bool // makes migrations so
}

func newProject() *project { return &project{sets: map[string]*Set{}} }

func (p *project) graph(t testing.TB) *Graph {
	t.Helper()
	var sets []*Set
	for _, s := range p.sets {
		sets = append(sets, s)
	}
	g, err := Load(sets...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// add adds a migration with the given operations after the last of its app.
func (p *project) add(t testing.TB, app, name string, operations ...Operation) {
	t.Helper()
	m := Migration{Name: name, Operations: operations}
	if p.sets[app] == nil {
		p.sets[app] = NewSet(app, "")
	} else {
		for _, leaf := range p.graph(t).leaves(app) {
			m.Dependencies = append(m.Dependencies, leaf.id)
		}
	}
	p.sets[app].Add(m)
}

// make adds what is needed to reach the tables and returns the new migrations
// as lines of "app.name: operation; operation".
func (p *project) make(t testing.TB, tables []*schema.Table, asker Asker) []string {
	t.Helper()
	lines, err := p.tryMake(t, tables, asker)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func (p *project) tryMake(t testing.TB, tables []*schema.Table, asker Asker) ([]string, error) {
	t.Helper()
	g := p.graph(t)
	drafts, err := g.drafts(tables, MakeOptions{Asker: asker, ZeroDowntime: p.zeroDowntime})
	if err != nil {
		return nil, err
	}
	lines := []string{}
	for i, m := range g.number(drafts, "") {
		app := drafts[i].app
		if p.sets[app] == nil {
			p.sets[app] = NewSet(app, "")
		}
		p.sets[app].Add(m)
		lines = append(lines, app+"."+m.Name+": "+strings.Join(descriptions(m.Operations), "; "))
	}
	return lines, nil
}

// migrate applies everything.
func (p *project) migrate(t testing.TB, db Database) {
	t.Helper()
	p.to(t, db, Target{})
}

func (p *project) to(t testing.TB, db Database, target Target) []Step {
	t.Helper()
	steps, err := p.graph(t).Apply(t.Context(), db, target, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

// contains fails the test unless err is target (if not nil) and has the words.
func contains(t testing.TB, err, target error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", words)
	}
	if target != nil && !errors.Is(err, target) {
		t.Errorf("error %q is not %q", err, target)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}
