package mysql_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
	"github.com/retort-web/retort/orm/schema/mysql"
)

// open opens a new database, or skips the test without a server.
func open(t *testing.T) *orm.DB {
	t.Helper()
	for _, k := range testdb.Kinds() {
		if k.Name == "mysql" {
			return k.Open(t)
		}
	}
	t.Skip("RETORT_TEST_MYSQL names no server")
	return nil
}

func author() *schema.Table {
	return &schema.Table{App: "blog", Model: "Author", Name: "blog_author", Comment: "who's who", Columns: []schema.Column{
		{Name: "id", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
		{Name: "name", Type: schema.String, Size: 50, Unique: true, Comment: "the 'full' name"},
	}}
}

func post() *schema.Table {
	return &schema.Table{
		App: "blog", Model: "Post", Name: "blog_post",
		Columns: []schema.Column{
			{Name: "id", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
			{Name: "author_id", Type: schema.Int64, References: &schema.Reference{Table: "blog_author", Column: "id", OnDelete: schema.Cascade}},
			{Name: "title", Type: schema.String, Size: 200, Default: new("'it''s new'")},
			{Name: "body", Type: schema.Text, Default: new("''")},
			{Name: "slug", Type: schema.Text, Null: true},
			{Name: "live", Type: schema.Bool, Default: new("FALSE")},
			{Name: "price", Type: schema.Decimal, Size: 10, Scale: 2, Null: true},
			{Name: "data", Type: schema.JSON, Null: true},
			{Name: "uid", Type: schema.UUID, Null: true},
			{Name: "day", Type: schema.Date, Null: true, DefaultNow: true},
			{Name: "at", Type: schema.Time, Null: true},
			{Name: "created", Type: schema.DateTime, DefaultNow: true},
			{Name: "photo", Type: schema.Bytes, Null: true},
			{Name: "weight", Type: schema.Float64, Default: new("1.5")},
			{Name: "upper_title", Type: schema.String, Size: 200, Null: true, Generated: `UPPER("title")`, Stored: true},
		},
		Indexes: []schema.Index{
			{Name: "post_author_idx", Columns: []schema.IndexColumn{{Name: "author_id"}}},
			{Name: "post_body_idx", Columns: []schema.IndexColumn{{Name: "body"}, {Name: "created", Desc: true}}},
			{Name: "post_live_slug", Columns: []schema.IndexColumn{{Name: "slug"}, {Name: "author_id"}}, Unique: true, Where: `"live"`},
			{Name: "post_lower_title", Columns: []schema.IndexColumn{{Expr: `LOWER("title")`}}, Unique: true},
			{Name: "post_expr_idx", Columns: []schema.IndexColumn{{Expr: `LOWER("title")`}}},
		},
		Checks: []schema.Check{{Name: "title_not_empty", SQL: `"title" <> ''`}},
	}
}

func run(t *testing.T, db *orm.DB, statements []string) {
	t.Helper()
	for _, sql := range statements {
		if _, err := db.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%v\nin %s", err, sql)
		}
	}
}

// insert writes a row and returns what refuses it.
func insert(t *testing.T, db *orm.DB, values string) error {
	t.Helper()
	columns, list, _ := strings.Cut(values, "=")
	_, err := db.Exec(t.Context(), "INSERT INTO blog_post ("+columns+") VALUES ("+list+")")
	return err
}

func tables(t *testing.T) (*orm.DB, schema.Dialect) {
	t.Helper()
	db := open(t)
	d := db.Schema()
	run(t, db, schema.CreateTables(d, []*schema.Table{post(), author()}))
	run(t, db, []string{"INSERT INTO blog_author (name) VALUES ('a'), ('A'), ('a ')"})
	return db, d
}

func TestConstraints(t *testing.T) {
	t.Parallel()
	db, _ := tables(t)
	for _, tt := range []struct {
		row  string
		is   func(error) bool
		want string
	}{
		{"author_id=1", nil, ""},
		{"author_id,title=1,'IT''S NEW'", orm.IsUnique, ""},
		{"author_id,title=1,''", orm.IsCheck, "title_not_empty"},
		{"author_id,title=99,'x'", orm.IsForeignKey, "author_id"},
		{"author_id,title=NULL,'x'", orm.IsNotNull, "author_id"},
		{"author_id,title,slug,live=1,'b','s',FALSE", nil, ""},
		{"author_id,title,slug,live=1,'c','s',FALSE", nil, ""},
		{"author_id,title,slug,live=1,'d','s',TRUE", nil, ""},
		{"author_id,title,slug,live=1,'e','s',TRUE", orm.IsUnique, "slug, author_id"},
		{"author_id,title,slug,live=2,'e','s',TRUE", nil, ""},
		{"author_id,title,slug,live=1,'f',NULL,TRUE", nil, ""},
		{"author_id,title,slug,live=1,'g',NULL,TRUE", nil, ""},
	} {
		err := insert(t, db, tt.row)
		switch {
		case tt.is == nil && err != nil, tt.is != nil && !tt.is(err):
			t.Errorf("%s: %v", tt.row, err)
		case err != nil && !strings.Contains(err.Error(), tt.want):
			t.Errorf("%s: %v lacks %s", tt.row, err, tt.want)
		}
	}
	rows, err := db.Values(t.Context(), "SELECT title, upper_title, day = UTC_DATE(), ABS(TIMESTAMPDIFF(SECOND, created, UTC_TIMESTAMP())) < 60 FROM blog_post WHERE id = 1")
	if err != nil || fmt.Sprint(rows) != "[[it's new IT'S NEW 1 1]]" {
		t.Error(rows, err)
	}
}

// described tells what the server knows of a column.
func described(t *testing.T, db *orm.DB, column string) string {
	t.Helper()
	rows, err := db.Values(t.Context(), "SELECT CONCAT_WS(' ', column_type, is_nullable, column_default, NULLIF(extra, ''), column_comment) FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name = ? AND table_name LIKE 'blog%post'", column)
	if err != nil || len(rows) == 0 {
		return fmt.Sprint("none ", err)
	}
	return strings.TrimSpace(rows[0][0].(string))
}

func TestChanges(t *testing.T) {
	t.Parallel()
	db, d := tables(t)
	if err := insert(t, db, "author_id,title=1,'x'"); err != nil {
		t.Fatal(err)
	}
	now := post()
	// change runs what turns the table into what edit makes of it.
	change := func(edit func(after *schema.Table) []string) {
		t.Helper()
		after := now.Clone()
		run(t, db, edit(after))
		now = after
	}
	column := func(t *schema.Table, name string) *schema.Column { return t.Column(name) }

	change(func(after *schema.Table) []string { // longer, with a comment, and NOT NULL
		c := column(after, "slug")
		c.Type, c.Size, c.Null, c.Comment = schema.String, 300, false, "part of the URL"
		return d.AlterColumn(now, after, column(now, "slug"), c, new("'-'"))
	})
	if got := described(t, db, "slug"); got != "varchar(300) NO part of the URL" {
		t.Error(got)
	}
	change(func(after *schema.Table) []string { // a reference may become NULL
		c := column(after, "author_id")
		c.Null, c.References.OnDelete = true, schema.SetNull
		return d.AlterColumn(now, after, column(now, "author_id"), c, nil)
	})
	change(func(after *schema.Table) []string { // renamed with its reference
		c := column(after, "author_id")
		c.Name = "writer_id"
		after.Indexes[0].Columns[0].Name, after.Indexes[2].Columns[1].Name = "writer_id", "writer_id"
		return d.RenameColumn(now, column(now, "author_id"), c)
	})
	change(func(after *schema.Table) []string {
		after.Name = "blog_blogpost"
		return d.RenameTable(now, after)
	})
	change(func(after *schema.Table) []string { // no longer a reference
		c := column(after, "writer_id")
		c.References = nil
		return d.AlterColumn(now, after, column(now, "writer_id"), c, nil)
	})
	change(func(after *schema.Table) []string { // and one again
		c := column(after, "writer_id")
		c.References = &schema.Reference{Table: "blog_author", Column: "id", OnDelete: schema.Restrict}
		return d.AlterColumn(now, after, column(now, "writer_id"), c, nil)
	})
	change(func(after *schema.Table) []string { // the index that the reference needs
		statements := d.DropIndex(now, &now.Indexes[0])
		after.Indexes = after.Indexes[1:]
		return statements
	})
	change(func(after *schema.Table) []string {
		statements := d.DropIndex(now, now.Index("post_live_slug"))
		after.Indexes = []schema.Index{*now.Index("post_body_idx"), *now.Index("post_lower_title")}
		return statements
	})
	if got := described(t, db, "post_live_slug_if0"); !strings.HasPrefix(got, "none") {
		t.Error(got)
	}
	change(func(after *schema.Table) []string { // text without a size becomes a key
		after.Indexes = append(after.Indexes, schema.Index{Name: "u", Columns: []schema.IndexColumn{{Name: "body"}}, Unique: true})
		return d.CreateIndex(now, &after.Indexes[2])
	})
	change(func(after *schema.Table) []string {
		c := column(after, "uid")
		c.Unique = true
		return d.AlterColumn(now, after, column(now, "uid"), c, nil)
	})
	change(func(after *schema.Table) []string {
		c := column(after, "uid")
		c.Name = "public_id"
		return d.RenameColumn(now, column(now, "uid"), c)
	})
	change(func(after *schema.Table) []string {
		c := column(after, "public_id")
		c.Unique = false
		return d.AlterColumn(now, after, column(now, "public_id"), c, nil)
	})
	change(func(after *schema.Table) []string { // a generated column becomes a plain one
		c := column(after, "upper_title")
		c.Generated, c.Stored = "", false
		return d.AlterColumn(now, after, column(now, "upper_title"), c, nil)
	})
	change(func(after *schema.Table) []string {
		statements := d.DropCheck(now, after, &now.Checks[0])
		after.Checks = nil
		return statements
	})
	change(func(after *schema.Table) []string {
		after.Checks = []schema.Check{{Name: "heavy", SQL: `"weight" > 0`}}
		return d.AddCheck(now, after, &after.Checks[0])
	})
	for _, c := range []schema.Column{
		{Name: "added", Type: schema.Int32},
		{Name: "lead", Type: schema.Text},
		{Name: "editor_id", Type: schema.Int64, Null: true, References: &schema.Reference{Table: "blog_author", Column: "id"}},
	} {
		change(func(after *schema.Table) []string {
			after.Columns = append(after.Columns, c)
			backfill := new("7")
			if c.Null {
				backfill = nil
			}
			return d.AddColumn(now, &c, backfill)
		})
	}
	if got := described(t, db, "added"); got != "int(11) NO" && got != "int NO" {
		t.Error(got)
	}
	rows, err := db.Values(t.Context(), "SELECT added, `lead`, editor_id FROM blog_blogpost")
	if err != nil || fmt.Sprint(rows) != "[[7 7 <nil>]]" {
		t.Error(rows, err)
	}
	change(func(after *schema.Table) []string {
		statements := d.DropColumn(now, column(now, "editor_id"))
		after.Columns = after.Columns[:len(after.Columns)-1]
		return statements
	})
	change(func(after *schema.Table) []string {
		after.Comment = "what's written"
		return d.CommentTable(after)
	})
	run(t, db, d.DropTable(now))
}

func TestAColumnWithoutAValueForRows(t *testing.T) {
	t.Parallel()
	db, d := tables(t)
	c := &schema.Column{Name: "added", Type: schema.Int32}
	if err := insert(t, db, "author_id=1"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), d.AddColumn(post(), c, nil)[0]); err == nil {
		t.Error("rows got a zero value that nobody gave")
	}
	run(t, db, []string{"DELETE FROM blog_post"})
	run(t, db, d.AddColumn(post(), c, nil))
	if err := insert(t, db, "author_id=1"); !orm.IsNotNull(err) {
		t.Error(err)
	}
}

func TestPrimaryKeys(t *testing.T) {
	t.Parallel()
	db := open(t)
	d := db.Schema()
	before := &schema.Table{Name: "pair", Columns: []schema.Column{
		{Name: "a", Type: schema.Text, PrimaryKey: true}, {Name: "b", Type: schema.String, Size: 10},
	}}
	after := before.Clone()
	after.Columns[1].PrimaryKey = true
	run(t, db, d.CreateTable(before))
	run(t, db, d.AlterPrimaryKey(before, after))
	run(t, db, []string{"INSERT INTO pair VALUES ('x', 'y'), ('x', 'z')"})
	if _, err := db.Exec(t.Context(), "INSERT INTO pair VALUES ('x', 'y')"); !orm.IsUnique(err) {
		t.Error(err)
	}
	names, err := db.Values(context.Background(), d.TableNames())
	if err != nil || fmt.Sprint(names) != "[[pair]]" {
		t.Error(names, err)
	}
}

// What MySQL is told and MariaDB cannot run.
func TestMySQL(t *testing.T) {
	t.Parallel()
	d := mysql.Dialect{}
	sql := strings.Join(d.CreateTable(post()), ";\n")
	for _, want := range []string{
		"COLLATE=utf8mb4_0900_bin", "UNIQUE KEY `post_lower_title` ((LOWER(\"title\")))", "KEY `post_expr_idx` ((LOWER(\"title\")))",
		"KEY `post_body_idx` (`body`(255), `created` DESC)", "`body` LONGTEXT NOT NULL DEFAULT ('')", "`title` VARCHAR(200) NOT NULL DEFAULT 'it''s new'",
		"CONSTRAINT `blog_post_author_id_fk` FOREIGN KEY (`author_id`) REFERENCES `blog_author` (`id`) ON DELETE CASCADE",
		"ADD COLUMN `post_live_slug_if0` VARCHAR(255) GENERATED ALWAYS AS (CASE WHEN \"live\" THEN `slug` END) VIRTUAL INVISIBLE COMMENT 'for slug'",
	} {
		if !strings.Contains(sql, want) {
			t.Errorf("no %s in\n%s", want, sql)
		}
	}
	long := &schema.Table{Name: strings.Repeat("long", 15)}
	ref := schema.Column{Name: "reference", References: &schema.Reference{Table: "x", Column: "id"}}
	for _, statement := range d.AddColumn(long, &ref, new("1")) {
		for name := range strings.SplitSeq(statement, "`") {
			if !strings.Contains(name, " ") && len(name) > 64 {
				t.Errorf("%s is too long for a name", name)
			}
		}
	}
}
