package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"

	"github.com/retort-web/retort/orm/schema"
)

func post() *schema.Table {
	return &schema.Table{
		App: "blog", Model: "Post", Name: "blog_post",
		Columns: []schema.Column{
			{Name: "id", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
			{Name: "title", Type: schema.String, Size: 200},
			{Name: "author_id", Type: schema.Int64, Null: true, References: &schema.Reference{Table: "auth_user", Column: "id", OnDelete: schema.SetNull}},
		},
		Indexes: []schema.Index{{Name: "by_title", Columns: []schema.IndexColumn{{Name: "title"}, {Name: "id", Desc: true}}}},
		Checks:  []schema.Check{{Name: "title_not_empty", SQL: `"title" <> ''`}},
	}
}

func TestColumnDefinitions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		column schema.Column
		want   string
	}{
		{schema.Column{Name: "c", Type: schema.Bool}, `"c" INTEGER NOT NULL`},
		{schema.Column{Name: "c", Type: schema.Bool, Default: new("TRUE")}, `"c" INTEGER NOT NULL DEFAULT TRUE`},
		{schema.Column{Name: "c", Type: schema.Int16, Null: true}, `"c" INTEGER`},
		{schema.Column{Name: "c", Type: schema.Duration, Unique: true}, `"c" INTEGER NOT NULL UNIQUE`},
		{schema.Column{Name: "c", Type: schema.Float64, Default: new("-1.5")}, `"c" REAL NOT NULL DEFAULT -1.5`},
		{schema.Column{Name: "c", Type: schema.Decimal, Size: 15, Scale: 2}, `"c" decimal(15,2) NOT NULL`},
		{schema.Column{Name: "c", Type: schema.Decimal, Size: 16, Scale: 2}, `"c" TEXT NOT NULL`},
		{schema.Column{Name: "c", Type: schema.String, Size: 20, Collation: "nocase"}, `"c" varchar(20) COLLATE "nocase" NOT NULL`},
		{schema.Column{Name: "c", Type: schema.String}, `"c" TEXT NOT NULL`},
		{schema.Column{Name: "c", Type: schema.Text, Default: new("'it''s'")}, `"c" TEXT NOT NULL DEFAULT 'it''s'`},
		{schema.Column{Name: "c", Type: schema.Bytes, Default: new("x'00'")}, `"c" BLOB NOT NULL DEFAULT x'00'`},
		{schema.Column{Name: "c", Type: schema.DateTime, Default: new("CURRENT_TIMESTAMP")}, `"c" TEXT NOT NULL DEFAULT (CURRENT_TIMESTAMP)`},
		{schema.Column{Name: "c", Type: schema.UUID, PrimaryKey: true, Null: true}, `"c" TEXT NOT NULL PRIMARY KEY`},
		{schema.Column{Name: "c", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true}, `"c" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT`},
		{schema.Column{Name: "c", Type: schema.DateTime, DefaultNow: true}, `"c" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now'))`},
		{schema.Column{Name: "c", Type: schema.Date, DefaultNow: true}, `"c" TEXT NOT NULL DEFAULT (date('now'))`},
		{schema.Column{Name: "c", Type: schema.Int64, Generated: `"a" * 2`, Stored: true}, `"c" INTEGER NOT NULL GENERATED ALWAYS AS ("a" * 2) STORED`},
		{schema.Column{Name: "c", Type: schema.Int64, Null: true, Generated: `"a"`}, `"c" INTEGER GENERATED ALWAYS AS ("a") VIRTUAL`},
		{schema.Column{Name: "c", Type: schema.Array, Elem: schema.Text}, `"c" TEXT NOT NULL CHECK (json_valid("c"))`},
		{schema.Column{Name: "c", Type: schema.Text, Native: map[string]string{"sqlite": "CLOB"}}, `"c" CLOB NOT NULL`},
		{schema.Column{Name: "c", Type: schema.JSON}, `"c" TEXT NOT NULL CHECK (json_valid("c"))`},
		{schema.Column{Name: `a"b`, Type: schema.Int64, References: &schema.Reference{Table: `x"y`, Column: "id"}}, `"a""b" INTEGER NOT NULL REFERENCES "x""y" ("id")`},
		{schema.Column{Name: "c", Type: schema.Int64, References: &schema.Reference{Table: "x", Column: "id", OnDelete: schema.Restrict}}, `"c" INTEGER NOT NULL REFERENCES "x" ("id") ON DELETE RESTRICT`},
	} {
		if got := columnDefinition(&test.column, true); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func TestIsLiteral(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]bool{
		"1": true, "-1": true, "+1.5": true, "1.": true, "'a'": true, "''": true, "'it''s'": true, "x'00'": true, "X'00'": true,
		"null": true, "TRUE": true, "False": true,
		"": false, "-": false, ".": false, "--1": false, "1.2.3": false, "1+1": false, "'a' || 'b'": false, "'a'b'": false, "'": false,
		"CURRENT_TIMESTAMP": false, "(1)": false, "random()": false, "x": false,
	} {
		if got := isLiteral(sql); got != want {
			t.Errorf("%s: %t", sql, got)
		}
	}
}

func TestStatements(t *testing.T) {
	t.Parallel()
	var d Dialect
	table := post()
	plain := schema.Column{Name: "note", Type: schema.Text, Null: true}
	renamed := post()
	renamed.Name = "Blog_Post"
	noChecks := post()
	noChecks.Checks = nil
	noChecks.Columns = append(noChecks.Columns, plain)
	sized := post()
	sized.Columns[1].Size = 0
	same := post()
	same.Columns[1].Comment = "for people"
	for _, test := range []struct {
		name string
		got  []string
		want []string
	}{
		{"create", d.CreateTable(table), []string{
			"CREATE TABLE \"blog_post\" (\n\t\"id\" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,\n\t\"title\" varchar(200) NOT NULL,\n\t\"author_id\" INTEGER REFERENCES \"auth_user\" (\"id\") ON DELETE SET NULL,\n\tCONSTRAINT \"title_not_empty\" CHECK (\"title\" <> '')\n)",
			`CREATE INDEX "by_title" ON "blog_post" ("title", "id" DESC)`,
		}},
		{"a key of two columns", d.CreateTable(&schema.Table{Name: "t", Columns: []schema.Column{{Name: "a", Type: schema.Int64, PrimaryKey: true}, {Name: "b", Type: schema.Text, PrimaryKey: true}}}), []string{
			"CREATE TABLE \"t\" (\n\t\"a\" INTEGER NOT NULL,\n\t\"b\" TEXT NOT NULL,\n\tPRIMARY KEY (\"a\", \"b\")\n)",
		}},
		{"drop", d.DropTable(table), []string{`DROP TABLE "blog_post"`}},
		{"rename to the same", d.RenameTable(table, table), nil},
		{"rename in case only", d.RenameTable(table, renamed), []string{
			`ALTER TABLE "blog_post" RENAME TO "new__Blog_Post"`, `ALTER TABLE "new__Blog_Post" RENAME TO "Blog_Post"`,
		}},
		{"comment", d.CommentTable(table), nil},
		{"add in place", d.AddColumn(table, &plain, nil), []string{`ALTER TABLE "blog_post" ADD COLUMN "note" TEXT`}},
		{"drop in place", d.DropColumn(noChecks, &plain), []string{`ALTER TABLE "blog_post" DROP COLUMN "note"`}},
		{"rename a column", d.RenameColumn(table, &table.Columns[1], &schema.Column{Name: "head"}), []string{`ALTER TABLE "blog_post" RENAME COLUMN "title" TO "head"`}},
		{"rename a column to the same", d.RenameColumn(table, &table.Columns[1], &table.Columns[1]), nil},
		{"an alteration that SQLite does not see", d.AlterColumn(table, same, &table.Columns[1], &same.Columns[1], nil), nil},
		{"rebuild", d.AlterColumn(table, sized, &table.Columns[1], &sized.Columns[1], nil), []string{
			"CREATE TABLE \"new__blog_post\" (\n\t\"id\" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,\n\t\"title\" TEXT NOT NULL,\n\t\"author_id\" INTEGER REFERENCES \"auth_user\" (\"id\") ON DELETE SET NULL,\n\tCONSTRAINT \"title_not_empty\" CHECK (\"title\" <> '')\n)",
			"INSERT INTO \"new__blog_post\" (\"id\", \"title\", \"author_id\")\nSELECT \"id\", \"title\", \"author_id\" FROM \"blog_post\"",
			`DELETE FROM sqlite_sequence WHERE name = 'new__blog_post'`,
			`INSERT INTO sqlite_sequence (name, seq) SELECT 'new__blog_post', seq FROM sqlite_sequence WHERE name = 'blog_post'`,
			`DROP TABLE "blog_post"`,
			`PRAGMA legacy_alter_table = ON`,
			`ALTER TABLE "new__blog_post" RENAME TO "blog_post"`,
			`PRAGMA legacy_alter_table = OFF`,
			`CREATE INDEX "by_title" ON "blog_post" ("title", "id" DESC)`,
		}},
		{"unique partial index", d.CreateIndex(table, &schema.Index{Name: "i", Unique: true, Columns: []schema.IndexColumn{{Name: "title"}}, Where: `"id" > 1`}), []string{
			`CREATE UNIQUE INDEX "i" ON "blog_post" ("title") WHERE "id" > 1`,
		}},
		{"drop index", d.DropIndex(table, &table.Indexes[0]), []string{`DROP INDEX "by_title"`}},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestAddColumnInPlace holds the rule against SQLite itself: what it would
// refuse must be a rebuild, and what is added in place must be accepted.
func TestAddColumnInPlace(t *testing.T) {
	t.Parallel()
	reference := &schema.Reference{Table: "auth_user", Column: "id"}
	for _, test := range []struct {
		name     string
		column   schema.Column
		backfill *string
		inPlace  bool
	}{
		{"nullable", schema.Column{Type: schema.Text, Null: true}, nil, true},
		{"nullable with a literal", schema.Column{Type: schema.Text, Null: true, Default: new("'x'")}, nil, true},
		{"nullable with an expression", schema.Column{Type: schema.Text, Null: true, Default: new("CURRENT_TIMESTAMP")}, nil, false},
		{"nullable reference", schema.Column{Type: schema.Int64, Null: true, References: reference}, nil, true},
		{"reference with a default", schema.Column{Type: schema.Int64, Null: true, Default: new("1"), References: reference}, nil, false},
		{"nullable and unique", schema.Column{Type: schema.Text, Null: true, Unique: true}, nil, false},
		{"not null", schema.Column{Type: schema.Text}, nil, false},
		{"not null with a literal", schema.Column{Type: schema.Text, Default: new("''")}, nil, true},
		{"not null with NULL", schema.Column{Type: schema.Text, Default: new("NULL")}, nil, false},
		{"not null with a value once", schema.Column{Type: schema.Text}, new("'x'"), false},
		{"JSON", schema.Column{Type: schema.JSON, Null: true}, nil, true},
		{"JSON with a literal", schema.Column{Type: schema.JSON, Default: new("'{}'")}, nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "x.db")+"?_pragma=foreign_keys(1)")
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			db.SetMaxOpenConns(1)
			exec := func(statement string) error {
				_, err := db.Exec(statement)
				return err
			}
			for _, statement := range append([]string{"CREATE TABLE auth_user (id INTEGER PRIMARY KEY)", "INSERT INTO auth_user VALUES (1)"}, Dialect{}.CreateTable(post())...) {
				if err := exec(statement); err != nil {
					t.Fatal(err)
				}
			}
			if err := exec("INSERT INTO blog_post (title) VALUES ('x')"); err != nil {
				t.Fatal(err)
			}
			column := test.column
			column.Name = "c"
			refused := exec("ALTER TABLE blog_post ADD COLUMN " + columnDefinition(&column, false))
			statements := Dialect{}.AddColumn(post(), &column, test.backfill)
			if inPlace := len(statements) == 1; inPlace != test.inPlace {
				t.Errorf("in place: %t, want %t", inPlace, test.inPlace)
			}
			if test.inPlace && refused != nil {
				t.Errorf("SQLite refuses it in place: %v", refused)
			}
			if !test.inPlace && refused == nil && test.backfill == nil {
				t.Error("SQLite would do it in place")
			}
		})
	}
}

func TestFrame(t *testing.T) {
	t.Parallel()
	var d Dialect
	if diff := cmp.Diff(schema.Frame{}, d.Frame([]string{"CREATE TABLE x (id)", "ALTER TABLE x ADD COLUMN y"})); diff != "" {
		t.Errorf("plain: %s", diff)
	}
	renames := d.Frame(d.RenameTable(post(), &schema.Table{Name: "x"}))
	if renames.WithoutForeignKeys || renames.Rebuilt != nil || len(renames.Begin) != 1 {
		t.Errorf("rename: %+v", renames)
	}
	odd := post()
	odd.Name = `a"b`
	rebuild := d.Frame(d.DropCheck(odd, odd, &odd.Checks[0]))
	if !rebuild.WithoutForeignKeys || rebuild.Guard == "" || rebuild.Check == "" || fmt.Sprint(rebuild.Rebuilt) != `[a"b]` || len(rebuild.Before) != 1 || len(rebuild.After) != 1 {
		t.Errorf("rebuild: %+v", rebuild)
	}
	if drop := d.Frame([]string{"-- hand-written\ndrop table x"}); !drop.WithoutForeignKeys {
		t.Errorf("drop: %+v", drop)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"database is locked (5) (SQLITE_BUSY)": true, "orm: database is locked": true, "no such table: x": false,
	} {
		if got := (Dialect{}).Busy(errors.New(text)); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
	if (Dialect{}).Busy(nil) {
		t.Error("nil is busy")
	}
}

func ExampleDialect() {
	var d Dialect
	tag := &schema.Table{Name: "blog_tag", Columns: []schema.Column{
		{Name: "id", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
		{Name: "name", Type: schema.String, Size: 50, Unique: true},
	}}
	fmt.Println(strings.Join(d.CreateTable(tag), ";\n"))
	fmt.Println(d.AddColumn(tag, &schema.Column{Name: "note", Type: schema.Text, Null: true}, nil)[0])
	// Output:
	// CREATE TABLE "blog_tag" (
	// 	"id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	// 	"name" varchar(50) NOT NULL UNIQUE
	// )
	// ALTER TABLE "blog_tag" ADD COLUMN "note" TEXT
}

// FuzzDefault checks that no default can break out of its column.
func FuzzDefault(f *testing.F) {
	for _, sql := range []string{"1", "'it''s'", "x'00'", "CURRENT_TIMESTAMP", "'a'b'", "-1.5", "''''"} {
		f.Add(sql)
	}
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		f.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	f.Fuzz(func(t *testing.T, text string) {
		if !isLiteral(text) {
			return
		}
		var value, end any
		if err := db.QueryRow("SELECT "+text+", 'end'").Scan(&value, &end); err != nil && !strings.HasPrefix(strings.ToUpper(text), "X") || err == nil && end != "end" {
			t.Fatalf("%q is not one literal: %v, %v", text, end, err)
		}
	})
}
