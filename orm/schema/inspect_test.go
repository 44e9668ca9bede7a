package schema_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// rich has something of everything that a table can have.
func rich() []*schema.Table {
	return []*schema.Table{
		{Name: "author", Columns: []schema.Column{
			{Name: "id", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
			{Name: "name", Type: schema.String, Size: 40, Unique: true},
		}},
		{
			Name: "post",
			Columns: []schema.Column{
				{Name: "id", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "author_id", Type: schema.Int64, Null: true, References: &schema.Reference{Table: "author", Column: "id", OnDelete: schema.SetNull}},
				{Name: "title", Type: schema.String, Size: 80, Default: new("'it''s, (well'")},
				{Name: "live", Type: schema.Bool, Default: new("TRUE")},
				{Name: "small", Type: schema.Int16, Default: new("7")},
				{Name: "price", Type: schema.Decimal, Size: 10, Scale: 2},
				{Name: "double", Type: schema.Int64, Null: true, Generated: `"price" * (2 + 1)`, Stored: true},
				{Name: "made", Type: schema.DateTime, DefaultNow: true},
				{Name: "day", Type: schema.Date, Null: true},
				{Name: "data", Type: schema.JSON},
				{Name: "raw", Type: schema.Bytes, Null: true},
				{Name: "body", Type: schema.Text},
				{Name: "key", Type: schema.UUID, Null: true},
				{Name: "ratio", Type: schema.Float64},
			},
			Indexes: []schema.Index{
				{Name: "post_pair", Columns: []schema.IndexColumn{{Name: "live"}, {Name: "price", Desc: true}}},
				{Name: "post_part", Unique: true, Columns: []schema.IndexColumn{{Name: "title"}}, Where: `"price" > 1`},
			},
			Checks: []schema.Check{{Name: "dear", SQL: `"price" > 0`}},
		},
		{
			Name: "post_tags",
			Columns: []schema.Column{
				{Name: "post_id", Type: schema.Int64, PrimaryKey: true, References: &schema.Reference{Table: "post", Column: "id", OnDelete: schema.Cascade}},
				{Name: "tag_id", Type: schema.Int64, PrimaryKey: true},
			},
		},
	}
}

// What a dialect writes is read back as it was, but for the words of conditions.
func TestInspectReadsWhatWasWritten(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		db := kind.Open(t)
		for _, statement := range schema.CreateTables(db.Schema(), rich()) {
			if _, err := db.Exec(t.Context(), statement); err != nil {
				t.Fatalf("%v in %s", err, statement)
			}
		}
		if _, err := db.Exec(t.Context(), "CREATE VIEW titles AS SELECT id, title FROM post"); err != nil {
			t.Fatal(err)
		}
		found, err := db.Schema().(schema.Inspector).Inspect(t.Context(), db.Values)
		if err != nil {
			t.Fatal(err)
		}
		live := map[string]*schema.Live{}
		for _, l := range found {
			live[l.Name] = l
		}
		for _, want := range rich() {
			got := live[want.Name]
			if got == nil {
				t.Fatalf("%s is missing in %v", want.Name, live)
			}
			inPlainWords(want)
			inPlainWords(&got.Table)
			forgive(kind.Name, want)
			if diff := cmp.Diff(want, &got.Table); diff != "" {
				t.Errorf("%s (-written +read): %s", want.Name, diff)
			}
		}
		if v := live["titles"]; v == nil || !v.View || len(v.Columns) != 2 {
			t.Errorf("the view: %+v", v)
		}
		one, err := db.Schema().(schema.Inspector).Inspect(t.Context(), db.Values, "post_tags")
		if err != nil || len(one) != 1 || one[0].Columns[0].References == nil {
			t.Error(one, err)
		}
	})
}

var (
	casts  = regexp.MustCompile(`::[a-z ]+`)
	quotes = strings.NewReplacer(`"`, "", "`", "", "(", "", ")", "", " ", "")
)

// inPlainWords takes out of conditions what every database writes in its own way.
func inPlainWords(t *schema.Table) {
	plain := func(sql *string) { *sql = quotes.Replace(casts.ReplaceAllString(*sql, "")) }
	for i := range t.Columns {
		plain(&t.Columns[i].Generated)
	}
	for i := range t.Indexes {
		plain(&t.Indexes[i].Where)
	}
	for i := range t.Checks {
		plain(&t.Checks[i].SQL)
	}
}

// forgive puts in place what a kind of database cannot tell apart.
func forgive(kind string, want *schema.Table) {
	for i := range want.Columns {
		w := &want.Columns[i]
		if kind == "sqlite" {
			switch w.Type {
			case schema.Bool, schema.Int16:
				w.Type = schema.Int64
			case schema.UUID, schema.Date:
				w.Type = schema.Text
			}
		}
	}
}
