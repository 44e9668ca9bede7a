package sqlite_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
	"github.com/retort-web/retort/orm/schema/sqlite"
	_ "github.com/retort-web/retort/orm/sqlite"
)

// What the dialect writes is read back as it was.
func TestInspectReadsWhatWasWritten(t *testing.T) {
	t.Parallel()
	author := &schema.Table{Name: "author", Columns: []schema.Column{
		{Name: "id", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
		{Name: `na"me`, Type: schema.String, Size: 40, Unique: true, Collation: "NOCASE"},
	}}
	post := &schema.Table{
		Name: "post",
		Columns: []schema.Column{
			{Name: "id", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
			{Name: "author_id", Type: schema.Int64, Null: true, References: &schema.Reference{Table: "author", Column: "id", OnDelete: schema.SetNull}},
			{Name: "title", Type: schema.Text, Default: new("'it''s, (well'")},
			{Name: "price", Type: schema.Decimal, Size: 10, Scale: 2},
			{Name: "double", Type: schema.Int64, Null: true, Generated: `"id" * (2 + 1)`, Stored: true},
			{Name: "virtual", Type: schema.Int64, Null: true, Generated: `"id" + 1`},
			{Name: "made", Type: schema.DateTime, DefaultNow: true},
			{Name: "data", Type: schema.JSON},
			{Name: "raw", Type: schema.Bytes, Null: true},
			{Name: "ratio", Type: schema.Float64},
		},
		Indexes: []schema.Index{
			{Name: "post_expr", Columns: []schema.IndexColumn{{Expr: `lower("title")`}, {Name: "price", Desc: true}}},
			{Name: "post_part", Unique: true, Columns: []schema.IndexColumn{{Name: "title"}}, Where: `"price" > 1 AND "title" <> 'where'`},
		},
		Checks: []schema.Check{{Name: "dear", SQL: `"price" > 0 AND "title" <> ')'`}},
	}
	pair := &schema.Table{Name: "post_tags", Columns: []schema.Column{
		{Name: "post_id", Type: schema.Int64, PrimaryKey: true, References: &schema.Reference{Table: "post", Column: "id", OnDelete: schema.Cascade}},
		{Name: "tag_id", Type: schema.Int64, PrimaryKey: true},
	}}
	db, err := orm.Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	written := []*schema.Table{author, post, pair}
	statements := append(schema.CreateTables(sqlite.Dialect{}, written),
		`CREATE VIEW titles AS SELECT id, title FROM post`,
		`CREATE TRIGGER watch AFTER INSERT ON post BEGIN SELECT 1; END`,
		`CREATE TABLE line ([order] integer, number int, PRIMARY KEY ("order", number))`,
		"CREATE TABLE part (a integer, -- one, two (three\n b int /* ) */ check (b > 0), FOREIGN KEY (a, b) REFERENCES line ON DELETE CASCADE, CHECK (a < 9))",
	)
	for _, statement := range statements {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%v in %s", err, statement)
		}
	}
	found, err := sqlite.Dialect{}.Inspect(t.Context(), db.Values)
	if err != nil {
		t.Fatal(err)
	}
	live := map[string]*schema.Live{}
	for _, l := range found {
		live[l.Name] = l
	}
	for _, want := range written {
		if diff := cmp.Diff(want, &live[want.Name].Table); diff != "" {
			t.Errorf("%s (-written +read): %s", want.Name, diff)
		}
	}
	if diff := cmp.Diff([]string{"watch"}, live["post"].Triggers); diff != "" {
		t.Error(diff)
	}
	if v := live["titles"]; v == nil || !v.View || len(v.Columns) != 2 {
		t.Errorf("the view: %+v", v)
	}
	want := []schema.ForeignKey{{Columns: []string{"a", "b"}, Table: "line", References: []string{"order", "number"}, OnDelete: schema.Cascade}}
	if diff := cmp.Diff(want, live["part"].ForeignKeys); diff != "" {
		t.Error(diff)
	}
	if checks := live["part"].Checks; len(checks) != 1 || checks[0].SQL != "a < 9" {
		t.Errorf("the check without a name: %+v", checks)
	}
	if one, err := (sqlite.Dialect{}).Inspect(t.Context(), db.Values, "line"); err != nil || len(one) != 1 {
		t.Error(one, err)
	}
}
