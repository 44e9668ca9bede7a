package migrate

import (
	"flag"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/orm/schema"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run the test with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), -update accepts it:\n%s", file, diff)
	}
}

// writtenOperations has every operation that Make or a person writes, with
// every detail that a column can have.
func writtenOperations() []Operation {
	tables := blogTables()
	return []Operation{
		CreateModel{Table: schema.Table{
			Model: "Post", Name: "blog_post", Comment: "What people read.",
			Columns: append(tables[1].Columns,
				schema.Column{Name: "price", Type: schema.Decimal, Size: 10, Scale: 2, Null: true, Comment: `with "tax"`},
				schema.Column{Name: "slug", Type: schema.String, Size: 50, Unique: true, Collation: "nocase"},
				schema.Column{Name: "editor_id", Type: schema.Int64, Null: true, References: &schema.Reference{Table: "auth_user", Column: "id", OnDelete: "CUSTOM"}}),
			Indexes: append(tables[1].Indexes, schema.Index{Name: "live", Unique: true, Columns: []schema.IndexColumn{{Name: "slug"}}, Where: `"status" = 'live'`}),
			Checks:  tables[1].Checks,
		}},
		DeleteModel{Model: "Old"},
		RenameModel{From: "Tag", To: "Label", Table: "blog_label"},
		RenameModel{From: "Note", To: "Remark"},
		AlterComment{Model: "Post", Comment: "more\nlines"},
		AddField{Model: "Post", Column: schema.Column{Name: "subtitle", Field: "Subtitle", Type: schema.Text}, Backfill: new("'it''s'")},
		AlterField{Model: "Post", Column: schema.Column{Name: "title", Field: "Title", Type: schema.String, Size: 300, Default: new(`'a "b" \ c'`)}},
		RemoveField{Model: "Post", Column: "status"},
		RenameField{Model: "Post", From: "title", To: "headline", Field: "Headline"},
		RenameField{Model: "Post", From: "body", To: "text"},
		AlterPrimaryKey{Model: "Post_tags", Columns: []string{"post_id", "tag_id"}},
		AlterPrimaryKey{Model: "Post_tags"},
		AddIndex{Model: "Post", Index: schema.Index{Name: "i", Columns: []schema.IndexColumn{{Name: "a"}, {Name: "b", Desc: true}}}},
		AddIndex{Model: "Post", Index: schema.Index{
			Name: "e", Columns: []schema.IndexColumn{{Expr: `LOWER("a")`, OpClass: "text_pattern_ops"}},
			Unique: true, Include: []string{"b"}, Method: "btree", NullsNotDistinct: true,
		}},
		AddField{Model: "Post", Column: schema.Column{Name: "total", Type: schema.Int64, Generated: `"a" * 2`, Stored: true}},
		AddField{Model: "Post", Column: schema.Column{Name: "at", Type: schema.DateTime, DefaultNow: true}},
		AddField{Model: "Post", Column: schema.Column{Name: "words", Type: schema.Array, Elem: schema.Text, Native: map[string]string{"mysql": "text"}}},
		RemoveIndex{Model: "Post", Name: "i"},
		AddCheck{Model: "Post", Check: schema.Check{Name: "c", SQL: `"title" <> '' AND "title" <> '` + "`" + `'`}},
		RemoveCheck{Model: "Post", Name: "c"},
		AddIndex{Model: "Post", Index: schema.Index{Name: "j", Columns: []schema.IndexColumn{{Name: "a"}}}, Concurrently: true},
		RemoveIndex{Model: "Post", Name: "j", Concurrently: true},
		AddCheck{Model: "Post", Check: schema.Check{Name: "d", SQL: "a > 0"}, NotValid: true},
		ValidateCheck{Model: "Post", Name: "d"},
		AddForeignKey{Model: "Post", ForeignKey: schema.ForeignKey{Columns: []string{"a", "b"}, Table: "x", References: []string{"c", "d"}}, NotValid: true},
		ValidateForeignKey{Model: "Post", Columns: []string{"a", "b"}},
		AlterField{Model: "Post", Column: schema.Column{Name: "a", Type: schema.Int64, References: &schema.Reference{Table: "x", Column: "id"}}, NotValid: true},
		SetNotNull{Model: "Post", Column: "a", Value: new("'x'"), BatchSize: 10},
		FillField{Model: "Post", Column: "a", Value: `lower("b")`},
		AddUnique{Model: "Post", Column: "a"},
		RunSQL{SQL: "UPDATE x\nSET a = \"b\"", ReverseSQL: Noop},
	}
}

func TestWrittenMigrations(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file string
		m    Migration
	}{
		{"everything.golden", Migration{Name: "0002_everything", Dependencies: []string{"blog.0001_initial", "auth.0001_initial"}, Operations: writtenOperations(), NonAtomic: true}},
		{"empty.golden", Migration{Name: "0003_custom", Dependencies: []string{"blog.0002_everything"}, Operations: []Operation{}}},
		{"merge.golden", Migration{Name: "0004_merge", Dependencies: []string{"blog.0003_left", "blog.0003_right"}}},
		{"no_schema.golden", Migration{Name: "0001_initial", Operations: []Operation{DeleteModel{Model: "Post"}}}},
	} {
		content, err := writeMigration("migrations", test.m)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, test.file, string(content))
		if _, err := parser.ParseFile(token.NewFileSet(), test.file, content, parser.SkipObjectResolution); err != nil {
			t.Error(err)
		}
	}
	content, err := writeRegister("migrations", "blog")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "register.golden", string(content))
	_, err = writeMigration("migrations", Migration{Name: "0001", Operations: []Operation{RunCode{Name: "fill"}}})
	contains(t, err, nil, "Run Go code: fill", "cannot be written")
}

// TestWrittenMigrationsRun writes migrations into a module, builds and runs
// it, and compares the state that they reach there with the declared tables.
func TestWrittenMigrationsRun(t *testing.T) {
	t.Parallel()
	here, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module example.com/site\n\ngo 1.26\n\nrequire github.com/retort-web/retort v0.0.0\n\nreplace github.com/retort-web/retort => "+here+"\n")
	write("auth/auth.go", "package auth\n")
	write("blog/blog.go", "package blog\n")
	write("main.go", `package main

import (
	"fmt"

	_ "example.com/site/auth/migrations"
	_ "example.com/site/blog/migrations"
	"github.com/retort-web/retort/migrate"
)

func main() {
	g, err := migrate.Load(migrate.Sets()...)
	if err != nil {
		panic(err)
	}
	state, err := g.State()
	if err != nil {
		panic(err)
	}
	for _, t := range state.Tables() {
		fmt.Printf("%s %s", t.Key(), t.Name)
		for _, c := range t.Columns {
			fmt.Printf(" %s:%s:%d", c.Name, c.Type, c.Size)
		}
		fmt.Println()
	}
}
`)
	g, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	options := MakeOptions{Root: root, Folders: map[string]string{"auth": filepath.Join(root, "auth"), "blog": filepath.Join(root, "blog")}}
	files, err := g.Make(blogTables(), options)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		relative, err := filepath.Rel(root, f.Path)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, filepath.ToSlash(relative)+" "+f.NewPackage)
	}
	want := []string{
		"auth/migrations/migrations.go example.com/site/auth/migrations", "auth/migrations/0001_initial.go ",
		"blog/migrations/migrations.go example.com/site/blog/migrations", "blog/migrations/0001_initial.go ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	run := func(arguments ...string) string {
		t.Helper()
		c := exec.Command("go", arguments...)
		c.Dir = root
		c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "CGO_ENABLED=0")
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(arguments, " "), err, out)
		}
		return string(out)
	}
	run("vet", "./...")
	wantState := `auth.User auth_user id:int64:0 username:string:150
blog.Post blog_post id:int64:0 title:string:200 status:string:20 author_id:int64:0 parent_id:int64:0
blog.Post_tags blog_post_tags post_id:int64:0 tag_id:int64:0
blog.Tag blog_tag id:int64:0 name:string:50
`
	if diff := cmp.Diff(wantState, run("run", ".")); diff != "" {
		t.Error(diff)
	}

	// The files are there, but this program does not import them.
	_, err = g.Make(blogTables(), options)
	contains(t, err, nil, "does not import", `import _ "example.com/site/auth/migrations"`)
}

func TestMakeWritesAllFilesOrNone(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	set := NewSet("auth", folder)
	g, err := Load(set, NewSet("blog", folder))
	if err != nil {
		t.Fatal(err)
	}
	tables := []*schema.Table{table("auth", "User"), table("blog", "Post")}
	files, err := g.Make(tables, MakeOptions{DryRun: true})
	if err != nil || len(files) != 2 {
		t.Fatalf("dry run: %v, %v", files, err)
	}
	left := func() int {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	if left() != 0 {
		t.Error("a dry run wrote files")
	}
	// Both want the same file here: the second cannot be written.
	_, err = g.Make(tables, MakeOptions{})
	contains(t, err, os.ErrExist, "nothing was written")
	if left() != 0 {
		t.Error("the first file was left behind")
	}
}

func TestMakeOptions(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	load := func() *Graph {
		s := NewSet("blog", folder)
		s.Add(Migration{Name: "0007_squashed", Operations: []Operation{CreateModel{Table: *table("", "Post")}}})
		g, err := Load(s)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	tables := []*schema.Table{
		{App: "blog", Model: "Post", Name: "_post", Columns: []schema.Column{idColumn(), {Name: "x", Type: schema.Text, Null: true}}},
		table("shop", "Item", foreignKey("owner_id", "auth.User", false)),
		table("auth", "User"), table("news", "Item"),
	}
	folders := map[string]string{"shop": folder, "auth": folder, "news": folder}
	names := func(options MakeOptions) string {
		options.DryRun, options.Folders = true, folders
		files, err := load().Make(tables, options)
		if err != nil {
			return err.Error()
		}
		var all []string
		for _, f := range files {
			if f.Name != "" {
				all = append(all, f.App+"."+f.Name)
			}
		}
		return strings.Join(all, " ")
	}
	for _, test := range []struct {
		options MakeOptions
		want    string
	}{
		{MakeOptions{}, "auth.0001_initial blog.0008_post_x news.0001_initial shop.0001_initial"},
		{MakeOptions{Apps: []string{"blog"}}, "blog.0008_post_x"},
		{MakeOptions{Apps: []string{"shop"}}, "auth.0001_initial shop.0001_initial"},
		{MakeOptions{Apps: []string{"shop", "blog"}}, "auth.0001_initial blog.0008_post_x shop.0001_initial"},
		{MakeOptions{Apps: []string{"blog"}, Name: "Add x!"}, "blog.0008_add_x_"},
		{MakeOptions{Apps: []string{"blog"}, Empty: true}, "blog.0008_custom"},
		{MakeOptions{Apps: []string{"blog"}, Empty: true, Name: "fill"}, "blog.0008_fill"},
		{MakeOptions{Empty: true}, "migrate: name the apps to make an empty migration for"},
		{MakeOptions{Apps: []string{"blgo"}}, `migrate: no app "blgo" in the program; it has auth, blog, news, shop`},
		{MakeOptions{Merge: true}, ""},
	} {
		if got := names(test.options); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.options, got, test.want)
		}
	}

	_, err := load().Make(tables, MakeOptions{})
	contains(t, err, nil, `source of app "auth" is not on this machine`, "-trimpath")
	_, err = load().Make(tables, MakeOptions{Folders: folders, Root: filepath.Join(folder, "elsewhere")})
	contains(t, err, nil, "belongs to a library")

	// A link to the root is the root.
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(folder, link); err != nil {
		t.Fatal(err)
	}
	if _, err := load().Make(tables, MakeOptions{DryRun: true, Folders: folders, Root: link}); err != nil {
		t.Error(err)
	}

	steps, err := load().Check(tables)
	if err != nil || planned(steps) != "+auth.0001_initial +blog.0008_post_x +news.0001_initial +shop.0001_initial" {
		t.Errorf("check: %s, %v", planned(steps), err)
	}
}

func TestMakeWarns(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := NewSet("blog", folder)
	s.Add(Migration{Name: "0001_initial", Operations: []Operation{
		CreateModel{Table: *table("blog", "Post", schema.Column{Name: "title", Type: schema.Text})}, CreateModel{Table: *table("blog", "Old")},
	}})
	g, err := Load(s)
	if err != nil {
		t.Fatal(err)
	}
	tables := []*schema.Table{table("blog", "Post", schema.Column{Name: "slug", Type: schema.Text, Unique: true}, schema.Column{Name: "note", Type: schema.Text, Null: true})}
	files, err := g.Make(tables, MakeOptions{DryRun: true, Asker: Answers{NoRenames: true, Backfills: map[string]string{"blog.Post.slug": "x"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Add field slug to Post: all rows get one value, but it is unique; with several rows let it be NULL first, fill it, and forbid NULL then",
		"Remove field title from Post: what it holds is lost",
		"Delete model Old: its rows are lost",
	}
	if diff := cmp.Diff(want, files[0].Warnings); diff != "" {
		t.Error(diff)
	}
}

func TestMakeUsesThePackageNameOfTheFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "all.go"), []byte("package steps\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	g, err := Load(NewSet("blog", folder))
	if err != nil {
		t.Fatal(err)
	}
	files, err := g.Make([]*schema.Table{table("blog", "Post")}, MakeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(files[0].Path); err != nil || !strings.HasPrefix(string(content), "package steps\n") {
		t.Errorf("%s, %v", content, err)
	}
}
