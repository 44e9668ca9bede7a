package db_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
)

// key is the usual primary key.
func key() schema.Column {
	return schema.Column{Name: "id", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true}
}

// refer is a column that refers to a table by its usual key.
func refer(name, table string, action schema.OnDelete) schema.Column {
	return schema.Column{Name: name, Type: schema.Int64, References: &schema.Reference{Table: table, Column: "id", OnDelete: action}}
}

// indexOn is an index over columns.
func indexOn(name string, columns ...string) schema.Index {
	index := schema.Index{Name: name}
	for _, column := range columns {
		index.Columns = append(index.Columns, schema.IndexColumn{Name: column})
	}
	return index
}

// legacy are the tables of a database that was there before its models, with something of
// everything that models can say.
func legacy() []*schema.Table {
	inKey := func(c schema.Column) schema.Column {
		c.PrimaryKey = true
		return c
	}
	optional := func(c schema.Column) schema.Column {
		c.Null = true
		return c
	}
	alone := inKey(refer("author_id", "author", schema.Cascade))
	unique := indexOn("reader_pair", "author_id", "tag_id")
	unique.Unique = true
	return []*schema.Table{
		{Name: "author", Comment: "who writes, and 'signs'", Columns: []schema.Column{
			key(),
			{Name: "name", Type: schema.String, Size: 40, Unique: true, Comment: "as on the cover, with `quotes`"},
			optional(refer("mentor_id", "author", schema.SetNull)),
		}, Indexes: []schema.Index{indexOn("author_mentor_id_idx", "mentor_id")}},
		{Name: "profile", Columns: []schema.Column{alone, {Name: "homepage_url", Type: schema.Text}}},
		{
			Name: "post",
			Columns: []schema.Column{
				key(), optional(refer("author_id", "author", schema.SetNull)), refer("checked_by", "author", schema.Restrict),
				{Name: "title", Type: schema.String, Size: 80, Default: new("'it''s, (well'")},
				{Name: "live", Type: schema.Bool, Default: new("TRUE")},
				{Name: "small", Type: schema.Int16, Default: new("7")},
				{Name: "code", Type: schema.String, Size: 20, Default: new("lower('NEW')")},
				{Name: "middle", Type: schema.Int32, Null: true},
				{Name: "price", Type: schema.Decimal, Size: 10, Scale: 2},
				{Name: "double", Type: schema.Int64, Null: true, Generated: `"price" * (2 + 1)`, Stored: true},
				{Name: "made", Type: schema.DateTime, DefaultNow: true},
				{Name: "day", Type: schema.Date, Null: true},
				{Name: "opens", Type: schema.Time, Null: true},
				{Name: "data", Type: schema.JSON},
				{Name: "raw", Type: schema.Bytes, Null: true},
				{Name: "body", Type: schema.Text},
				{Name: "uuid", Type: schema.UUID, Null: true},
				{Name: "ratio", Type: schema.Float64},
				{Name: "meta", Type: schema.Int64},
				{Name: "model", Type: schema.Int64},
			},
			Indexes: []schema.Index{
				indexOn("post_author_id_idx", "author_id"), indexOn("checked", "checked_by"), indexOn("post_small_idx", "small"),
				{Name: "post_pair", Columns: []schema.IndexColumn{{Name: "live"}, {Name: "price", Desc: true}}},
				{Name: "post_part", Unique: true, Columns: []schema.IndexColumn{{Name: "title"}}, Where: `"price" > 1`},
			},
			Checks: []schema.Check{{Name: "dear", SQL: `"price" > 0`}},
		},
		{Name: "tag", Columns: []schema.Column{key(), {Name: "name", Type: schema.String, Size: 20}}},
		{
			Name:    "post_tags", // as a relation makes it
			Columns: []schema.Column{inKey(refer("post_id", "post", schema.Cascade)), inKey(refer("tag_id", "tag", schema.Cascade))},
			Indexes: []schema.Index{indexOn("post_tags_tag_id_idx", "tag_id")},
		},
		{
			Name:    "reader", // as other programs make it
			Columns: []schema.Column{key(), refer("author_id", "author", schema.Cascade), refer("tag_id", "tag", schema.Cascade)},
			Indexes: []schema.Index{unique},
		},
		{
			Name: "line",
			Columns: []schema.Column{
				inKey(refer("post_id", "post", schema.Cascade)),
				{Name: "number", Type: schema.Int32, PrimaryKey: true},
				{Name: "text", Type: schema.Text},
			},
		},
		{
			Name: "remark",
			Columns: []schema.Column{
				key(),
				{Name: "line_post_id", Type: schema.Int64},
				{Name: "line_number", Type: schema.Int32},
				{Name: "old_post", Type: schema.Int64, Null: true},
				{Name: "old_number", Type: schema.Int32, Null: true},
			},
			ForeignKeys: []schema.ForeignKey{
				{Columns: []string{"line_post_id", "line_number"}, Table: "line", References: []string{"post_id", "number"}, OnDelete: schema.Cascade},
				{Columns: []string{"old_post", "old_number"}, Table: "line", References: []string{"post_id", "number"}, OnDelete: schema.SetNull},
			},
			Indexes: []schema.Index{indexOn("remark_line_post_id_line_number_idx", "line_post_id", "line_number"), indexOn("remark_old", "old_post", "old_number")},
		},
		{Name: "Order Details", Columns: []schema.Column{ // names that need care
			{Name: "Größe", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
			{Name: "group", Type: schema.Int64, Null: true},
			{Name: "1st", Type: schema.String, Size: 10},
			{Name: "unit price", Type: schema.Float64},
			{Name: "UnitPrice", Type: schema.Float64},
			{Name: "名前", Type: schema.Text},
			{Name: "URL", Type: schema.Text},
			{Name: "select", Type: schema.Text},
		}, Indexes: []schema.Index{indexOn("idx of 1st", "1st")}, Checks: []schema.Check{{Name: "Größe > 0", SQL: `"unit price" > 0`}}},
		{Name: "user", Columns: []schema.Column{key(), refer("order", "post", schema.NoAction)}, Indexes: []schema.Index{indexOn("user_order_idx", "order")}},
	}
}

// databaseURL is the URL of a new database that several connections can share.
func databaseURL(t *testing.T, kind testdb.Kind) string {
	t.Helper()
	if kind.Name == "sqlite" {
		return file(t)
	}
	return kind.URL(t)
}

func execute(t *testing.T, db *orm.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%v in %s", err, statement)
		}
	}
}

// inspected reads the tables of a database, in the order of names.
func inspected(t *testing.T, db *orm.DB) []*schema.Table {
	t.Helper()
	found, err := db.Schema().(schema.Inspector).Inspect(t.Context(), db.Values)
	if err != nil {
		t.Fatal(err)
	}
	var tables []*schema.Table
	for _, l := range found {
		if !l.View {
			slices.SortFunc(l.Indexes, func(a, b schema.Index) int { return strings.Compare(a.Name, b.Name) })
			withoutParentheses(&l.Table)
			slices.SortFunc(l.Checks, func(a, b schema.Check) int { return strings.Compare(a.Name, b.Name) })
			tables = append(tables, &l.Table)
		}
	}
	slices.SortFunc(tables, func(a, b *schema.Table) int { return strings.Compare(a.Name, b.Name) })
	return tables
}

// withoutParentheses takes off what encloses a whole expression in SQLite, which keeps
// the text it was given.
func withoutParentheses(t *schema.Table) {
	bare := func(sql *string) {
		if strings.HasPrefix(*sql, "(") && strings.HasSuffix(*sql, ")") {
			*sql = (*sql)[1 : len(*sql)-1]
		}
	}
	for i := range t.Checks {
		bare(&t.Checks[i].SQL)
	}
	for i := range t.Columns {
		bare(&t.Columns[i].Generated)
		if t.Columns[i].Default != nil {
			bare(t.Columns[i].Default)
		}
	}
	for i := range t.Indexes {
		bare(&t.Indexes[i].Where)
	}
}

// tablesOf compiles a file of models in package main and returns the tables of its models.
func tablesOf(t *testing.T, models string) []*schema.Table {
	t.Helper()
	dir := t.TempDir()
	main := `package main

import (
	"encoding/json"
	"os"

	"github.com/retort-web/retort/orm"
)

func main() {
	tables, err := orm.Tables()
	if err != nil {
		panic(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(tables); err != nil {
		panic(err)
	}
}
`
	files := []string{filepath.Join(dir, "main.go"), filepath.Join(dir, "models.go")}
	for i, source := range []string{main, models} {
		if err := os.WriteFile(files[i], []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.CommandContext(t.Context(), "go", "run", files[0], files[1]) //nolint:gosec // the test's own files
	var out, problems bytes.Buffer
	run.Stdout, run.Stderr = &out, &problems
	if err := run.Run(); err != nil {
		t.Fatalf("%v: %s\n%s", err, &problems, models)
	}
	var tables []*schema.Table
	if err := json.Unmarshal(out.Bytes(), &tables); err != nil {
		t.Fatal(err)
	}
	return tables
}

// The models that inspectdb writes make the tables that they were written from.
func TestInspectedModelsMakeTheSameTables(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		url := databaseURL(t, kind)
		db := testdb.OpenURL(t, url)
		execute(t, db, schema.CreateTables(db.Schema(), legacy())...)
		if kind.Name == "postgres" {
			execute(t, db,
				`CREATE TABLE special (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, names text[] NOT NULL, numbers integer[], since timestamptz, until timestamptz,
					CONSTRAINT special_free EXCLUDE USING gist (tstzrange(since, until) WITH &&), CONSTRAINT special_since UNIQUE (since) DEFERRABLE INITIALLY DEFERRED)`,
				`CREATE INDEX special_lower ON special (lower(names[1]), until DESC) INCLUDE (since) WHERE until IS NOT NULL`,
				`CREATE INDEX special_names ON special USING gin (names)`)
		}
		models, code := call(t, newApp(t, url), "inspectdb", "--package", "main")
		if code != 0 {
			t.Fatal(models)
		}
		for _, want := range []string{
			"Tags   orm.ManyToMany[Tag]", "`orm:\"through=Reader\"`", "`orm:\"pk,on_delete=cascade\"`", "Line   orm.ForeignKey[Line, LineKey]",
			"columns=old_post|old_number", "orm.OneToOne[Author]", "json.RawMessage", "orm.DBDefault(&m.Code, orm.RawExpr(", "db_default=now", "*uuid.UUID",
		} {
			if !strings.Contains(strings.Join(strings.Fields(models), " "), strings.Join(strings.Fields(want), " ")) && kind.Name != "sqlite" {
				t.Errorf("%s is missing in\n%s", want, models)
			}
		}
		again := kind.Open(t)
		execute(t, again, schema.CreateTables(again.Schema(), tablesOf(t, models))...)
		if diff := cmp.Diff(inspected(t, db), inspected(t, again)); diff != "" {
			t.Errorf("the tables (-first +of the models): %s\n%s", diff, models)
		}
	})
}

func TestInspectSaysWhatModelsCannot(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		url := databaseURL(t, kind)
		db := testdb.OpenURL(t, url)
		execute(t, db,
			"CREATE TABLE log (at timestamp, text varchar(20))",
			"CREATE TABLE shop_item (id integer PRIMARY KEY, code varchar(10) NOT NULL UNIQUE)",
			"CREATE TABLE shop_sale (id integer PRIMARY KEY, code varchar(10), log_id integer, FOREIGN KEY (code) REFERENCES shop_item (code))",
			"CREATE VIEW shop_codes AS SELECT id, code FROM shop_item")
		app := newApp(t, url)
		all, code := call(t, app, "inspectdb", "--package", "shop", "--views")
		if code != 0 {
			t.Fatal(all)
		}
		for _, want := range []string{
			"package shop", "The table has no primary key. at stands for one", "Unmanaged: true", "orm.ForeignKey[Item, string]", "to=Code",
			"type Item struct", "var Items = orm.Register[Item]()", "type Code struct", "The view has no primary key",
		} {
			if !strings.Contains(all, want) {
				t.Errorf("%q is missing in\n%s", want, all)
			}
		}
		if names := tablesOf(t, strings.Replace(all, "package shop", "package main", 1)); len(names) != 2 {
			t.Errorf("%d tables are managed: %v", len(names), names)
		}
		some, code := call(t, app, "inspectdb", "shop_item")
		if code != 0 || !strings.Contains(some, "package models") || !strings.Contains(some, "type ShopItem struct") || strings.Contains(some, "Sale") {
			t.Errorf("one table: code %d\n%s", code, some)
		}
		for _, args := range [][]string{{"nothing"}, {"--package", "a b"}, {"--database", "elsewhere"}} {
			if out, code := call(t, app, append([]string{"inspectdb"}, args...)...); code == 0 {
				t.Errorf("%v is no mistake:\n%s", args, out)
			}
		}
	})
}

func TestInspectOfASchema(t *testing.T) {
	t.Parallel()
	url := file(t)
	execute(t, testdb.OpenURL(t, url),
		`CREATE TABLE "sales.shop_item" (id integer PRIMARY KEY, code varchar(10) NOT NULL)`, `CREATE INDEX sales_shop_item_code_idx ON "sales.shop_item" (code)`,
		`CREATE TABLE "sales.order" (id integer PRIMARY KEY, item_id integer NOT NULL REFERENCES "sales.shop_item" (id))`, "CREATE TABLE other (id integer PRIMARY KEY)")
	app := newApp(t, url)
	all, code := call(t, app, "inspectdb", "--schema", "sales", "--package", "shop")
	if code != 0 || strings.Count(all, `Schema: "sales"`) != 2 || strings.Count(all, "Table:") != 1 || strings.Contains(all, "Other") || !strings.Contains(all, "orm.FK[Item]") || !strings.Contains(all, `orm:"size=10,index"`) {
		t.Errorf("code %d\n%s", code, all)
	}
	some, code := call(t, app, "inspectdb", "--schema", "sales", "order")
	if code != 0 || !strings.Contains(some, `Table:`) || strings.Contains(some, "Item struct") {
		t.Errorf("one table: code %d\n%s", code, some)
	}
	if out, code := call(t, app, "inspectdb", "--schema", "sales", "nothing"); code == 0 {
		t.Errorf("no such table:\n%s", out)
	}
}
