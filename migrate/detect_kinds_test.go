package migrate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// TestKindsOfChanges makes changes that say little to rows: comments, computed
// columns, the words of a check. Each is found once, reaches what a database
// created directly has, and is undone.
func TestKindsOfChanges(t *testing.T) {
	t.Parallel()
	double := schema.Column{Name: "double", Field: "Double", Type: schema.Int64, Null: true, Generated: `"author_id" * 2`, Stored: true}
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		p.migrate(t, db)
		seed(t, db)
		dumps := [][]string{dump(t, db)}
		tables := blogTables()
		for i, round := range []struct {
			change func(post *schema.Table)
			want   string
		}{
			{func(post *schema.Table) { post.Comment = "What it's about." }, "Alter comment of Post"},
			{func(post *schema.Table) { post.Column("title").Comment = "Of the post." }, "Alter field Title on Post"},
			{func(post *schema.Table) { post.Comment, post.Column("title").Comment = "", "" }, "Alter field Title on Post; Alter comment of Post"},
			{func(post *schema.Table) { post.Columns = append(post.Columns, double) }, "Add field Double to Post"},
			{func(post *schema.Table) { post.Column("double").Generated = `"author_id" * 3` }, "Alter field Double on Post"},
			{func(post *schema.Table) { post.Checks[0].SQL = `"title" <> 'x'` }, "Remove check title_not_empty from Post; Create check title_not_empty on Post"},
			{func(post *schema.Table) { post.Columns = post.Columns[:len(post.Columns)-1] }, "Remove field double from Post"},
		} {
			tables = cloneTables(tables)
			round.change(pick(t, tables, "Post"))
			got := p.make(t, tables, nil)
			if len(got) != 1 || !strings.HasSuffix(got[0], ": "+round.want) {
				t.Fatalf("round %d: got %v, want %s", i, got, round.want)
			}
			if again := p.make(t, tables, nil); len(again) > 0 {
				t.Fatalf("round %d again: %v", i, again)
			}
			p.migrate(t, db)
			if diff := cmp.Diff(dumpOf(t, kind, tables), dump(t, db)); diff != "" {
				t.Fatalf("round %d (-created +migrated):\n%s", i, diff)
			}
			if i == 4 {
				if got := db.rows(t, `SELECT "double" FROM blog_post ORDER BY id`); fmt.Sprint(got) != "[3 3 6]" {
					t.Errorf("computed %v", got)
				}
			}
			dumps = append(dumps, dump(t, db))
		}
		for i := len(dumps) - 2; i >= 0; i-- {
			p.back(t, db, "blog", fmt.Sprintf("%04d", i+1))
			if diff := cmp.Diff(dumps[i], dump(t, db)); diff != "" {
				t.Fatalf("undone to %d:\n%s", i, diff)
			}
		}
		if got := db.rows(t, "SELECT title FROM blog_post ORDER BY id"); fmt.Sprint(got) != "[One Two Three]" {
			t.Error(got)
		}
	})
}

// TestTypeChangesConvertTheRows changes types of columns with values that the
// new type has too, and back.
func TestTypeChangesConvertTheRows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		tests := []struct {
			from, to schema.Column
			value    string
			want     string
		}{
			{schema.Column{Type: schema.Text}, schema.Column{Type: schema.Int64}, "'42'", "42"},
			{schema.Column{Type: schema.Text}, schema.Column{Type: schema.Decimal, Size: 10, Scale: 2}, "'4.25'", "4.25"},
			{schema.Column{Type: schema.Text}, schema.Column{Type: schema.Float64}, "'4.5'", "4.5"},
			{schema.Column{Type: schema.String, Size: 20}, schema.Column{Type: schema.Int16}, "'7'", "7"},
			{schema.Column{Type: schema.Int64}, schema.Column{Type: schema.String, Size: 20}, "42", "42"},
			{schema.Column{Type: schema.Bool}, schema.Column{Type: schema.Int32}, "TRUE", "1"},
			{schema.Column{Type: schema.Int16}, schema.Column{Type: schema.Bool}, "1", "1"},
			{schema.Column{Type: schema.Text}, schema.Column{Type: schema.Bool}, "'1'", "1"},
			{schema.Column{Type: schema.Int64}, schema.Column{Type: schema.Float64}, "3", "3"},
			{schema.Column{Type: schema.Text}, schema.Column{Type: schema.UUID}, "'00000000-0000-4000-8000-000000000001'", "00000000-0000-4000-8000-000000000001"},
			{schema.Column{Type: schema.Text}, schema.Column{Type: schema.JSON}, "'[]'", "[]"},
		}
		from, to := table("blog", "Post"), table("blog", "Post")
		var names, values []string
		for i, test := range tests {
			name := fmt.Sprintf("c%d", i)
			test.from.Name, test.to.Name = name, name
			from.Columns, to.Columns = append(from.Columns, test.from), append(to.Columns, test.to)
			names, values = append(names, name), append(values, test.value)
		}
		p, db := newProject(), openKind(t, kind)
		p.make(t, []*schema.Table{from}, nil)
		p.migrate(t, db)
		list := strings.Join(names, ", ")
		db.exec(t, "INSERT INTO blog_post ("+list+") VALUES ("+strings.Join(values, ", ")+")")
		row := func() []any {
			t.Helper()
			rows, err := db.Query(t.Context(), "SELECT "+list+" FROM blog_post")
			if err != nil {
				t.Fatal(err)
			}
			return rows[0]
		}
		before := row()
		p.make(t, []*schema.Table{to}, nil)
		p.migrate(t, db)
		if diff := cmp.Diff(dumpOf(t, kind, []*schema.Table{to}), dump(t, db)); diff != "" {
			t.Errorf("(-created +migrated):\n%s", diff)
		}
		for i, value := range row() {
			if got := plain(value); got != tests[i].want {
				t.Errorf("%s to %s: %s became %s, want %s", tests[i].from.Type, tests[i].to.Type, tests[i].value, got, tests[i].want)
			}
		}
		p.back(t, db, "blog", "0001")
		for i, value := range row() {
			if plain(value) != plain(before[i]) {
				t.Errorf("%s to %s and back: %s became %s", tests[i].from.Type, tests[i].to.Type, before[i], value)
			}
		}
	})
}
