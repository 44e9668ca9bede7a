package migrate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

func table(app, model string, columns ...schema.Column) *schema.Table {
	return &schema.Table{App: app, Model: model, Name: app + "_" + strings.ToLower(model), Columns: append([]schema.Column{idColumn()}, columns...)}
}

func foreignKey(name, target string, null bool) schema.Column {
	app, model, _ := strings.Cut(target, ".")
	return schema.Column{Name: name, Type: schema.Int64, Null: null, References: &schema.Reference{
		Table: app + "_" + strings.ToLower(model), Column: "id", OnDelete: schema.Cascade, Model: target,
	}}
}

func TestReferencesGoInCircles(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		tables []*schema.Table
		want   []string
	}{
		{
			"declared before its target",
			[]*schema.Table{table("a", "Post", foreignKey("author_id", "a.User", false)), table("a", "User")},
			[]string{"a.0001_initial: Create model User; Create model Post"},
		},
		{
			"to itself",
			[]*schema.Table{table("a", "Node", foreignKey("parent_id", "a.Node", true))},
			[]string{"a.0001_initial: Create model Node"},
		},
		{
			"within an app",
			[]*schema.Table{table("a", "User", foreignKey("pinned_id", "a.Post", false)), table("a", "Post", foreignKey("author_id", "a.User", false))},
			[]string{"a.0001_initial: Create model User; Create model Post; Alter field pinned_id on User"},
		},
		{
			"between apps: one of them gets two migrations",
			[]*schema.Table{
				table("auth", "User", foreignKey("pinned_id", "blog.Post", true)),
				table("auth", "Group"),
				table("blog", "Post", foreignKey("author_id", "auth.User", false)),
			},
			[]string{
				"auth.0001_initial: Create model Group; Create model User",
				"blog.0001_initial: Create model Post",
				"auth.0002_alter_user_pinned_id: Alter field pinned_id on User",
			},
		},
		{
			"over three apps",
			[]*schema.Table{
				table("a", "X", foreignKey("y", "b.Y", false)),
				table("b", "Y", foreignKey("z", "c.Z", false)),
				table("c", "Z", foreignKey("x", "a.X", false)),
			},
			[]string{
				"a.0001_initial: Create model X",
				"c.0001_initial: Create model Z",
				"b.0001_initial: Create model Y",
				"a.0002_alter_x_y: Alter field y on X",
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, db := newProject(), openTest(t)
			if diff := cmp.Diff(test.want, p.make(t, test.tables, nil)); diff != "" {
				t.Fatal(diff)
			}
			p.migrate(t, db)
			if diff := cmp.Diff(dumpOf(t, testdb.SQLite, test.tables), dump(t, db)); diff != "" {
				t.Error(diff)
			}
			p.make(t, nil, nil) // and all of it goes away again
			p.migrate(t, db)
			if got := dump(t, db); got != nil {
				t.Errorf("left after deleting all: %v", got)
			}
			p.to(t, db, Target{App: test.tables[0].App, Name: "0001"})
			for app := range p.sets {
				p.to(t, db, Target{App: app, Name: Zero})
			}
			if got := dump(t, db); got != nil {
				t.Errorf("left after undoing all: %v", got)
			}
		})
	}
}

func TestDependenciesOfNewMigrations(t *testing.T) {
	t.Parallel()
	p := newProject()
	user := table("auth", "User")
	p.make(t, []*schema.Table{user}, nil)
	p.make(t, []*schema.Table{user, table("auth", "Group")}, nil)
	tables := []*schema.Table{user, table("auth", "Group"), table("blog", "Post", foreignKey("author_id", "auth.User", false))}
	p.make(t, tables, nil)
	check := func(id string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, p.graph(t).nodes[id].Dependencies); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
	check("auth.0002_group", "auth.0001_initial")
	check("blog.0001_initial", "auth.0002_group")
	// A rename comes after what other apps did with the old name: a new
	// database must not create a reference to a table that has gone already.
	member := table("auth", "Member")
	tables = []*schema.Table{member, tables[1], table("blog", "Post", foreignKey("author_id", "auth.Member", false))}
	got := p.make(t, tables, Answers{Renames: map[string]string{"auth.User": "Member"}})
	if diff := cmp.Diff([]string{"auth.0003_rename_user_member: Rename model User to Member"}, got); diff != "" {
		t.Fatal(diff)
	}
	check("auth.0003_rename_user_member", "auth.0002_group", "blog.0001_initial")
	db := openTest(t)
	p.migrate(t, db)
	if diff := cmp.Diff(dumpOf(t, testdb.SQLite, tables), dump(t, db)); diff != "" {
		t.Error(diff)
	}
	// So does a deletion, although nothing refers to the model any more.
	p.make(t, []*schema.Table{member, tables[1], table("blog", "Post")}, nil)
	p.make(t, []*schema.Table{tables[1], table("blog", "Post")}, nil)
	check("auth.0004_delete_member", "auth.0003_rename_user_member", "blog.0002_remove_post_author_id")
	p.migrate(t, openTest(t))
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	before := []*schema.Table{table("blog", "Post",
		schema.Column{Name: "title", Field: "Title", Type: schema.String, Size: 100},
		schema.Column{Name: "note", Field: "Note", Type: schema.Text, Null: true})}
	headline := schema.Column{Name: "headline", Field: "Headline", Type: schema.String, Size: 100}
	wider := headline
	wider.Size = 300
	note := schema.Column{Name: "note", Field: "Note", Type: schema.Text, Null: true}
	noteNow := note
	noteNow.Null = false
	text := func(s string) map[string]string {
		return map[string]string{"blog.Post.headline": s, "blog.Post.note": s}
	}
	rename := func(pairs ...string) map[string]string {
		all := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			all[pairs[i]] = pairs[i+1]
		}
		return all
	}
	for _, test := range []struct {
		name  string
		after []*schema.Table
		asker Asker
		want  string // the operations
		fails []string
	}{
		{"a rename without an answer", []*schema.Table{table("blog", "Post", headline, note)}, Answers{}, "", []string{"--rename blog.Post.title=headline", "--no-rename"}},
		{"a rename", []*schema.Table{table("blog", "Post", headline, note)}, Answers{Renames: rename("blog.Post.title", "headline")}, "Rename field title on Post to headline", nil},
		{"a rename that also alters", []*schema.Table{table("blog", "Post", wider, note)}, Answers{Renames: rename("blog.Post.title", "headline")}, "Rename field title on Post to headline; Alter field Headline on Post", nil},
		{"no rename, and no value", []*schema.Table{table("blog", "Post", headline, note)}, Answers{NoRenames: true}, "", []string{"blog.Post.headline is new", "--default blog.Post.headline=VALUE"}},
		{"no rename", []*schema.Table{table("blog", "Post", headline, note)}, Answers{NoRenames: true, Backfills: text("x")}, "Add field Headline to Post; Remove field title from Post", nil},
		{"a value that does not fit", []*schema.Table{table("blog", "Post", headline, note)}, Answers{NoRenames: true, Backfills: text(strings.Repeat("x", 101))}, "", []string{"not a value of column headline"}},
		{"a rename that fits nothing", []*schema.Table{table("blog", "Post", headline, note)}, Answers{Renames: rename("blog.Post.titel", "headline"), NoRenames: true, Backfills: text("x")}, "", []string{"blog.Post.titel", "no such change"}},
		{"another type is another field", []*schema.Table{table("blog", "Post", schema.Column{Name: "views", Type: schema.Int64, Default: new("0")}, note)}, Answers{}, "Add field views to Post; Remove field title from Post", nil},
		{"a column name of its own for the same field", []*schema.Table{table("blog", "Post", schema.Column{Name: "headline", Field: "Title", Type: schema.String, Size: 100}, note)}, Answers{}, "Rename field title on Post to headline", nil},
		{"another Go name for the same column", []*schema.Table{table("blog", "Post", schema.Column{Name: "title", Field: "Headline", Type: schema.String, Size: 100}, note)}, Answers{}, "", nil},
		{"NULL no longer allowed, without an answer", []*schema.Table{table("blog", "Post", before[0].Columns[1], noteNow)}, Answers{}, "", []string{"no longer allows NULL", "--default blog.Post.note=VALUE"}},
		{"NULL no longer allowed", []*schema.Table{table("blog", "Post", before[0].Columns[1], noteNow)}, Answers{Backfills: text("")}, "Alter field Note on Post", nil},
		{"a model without an answer", []*schema.Table{table("blog", "Article", before[0].Columns[1:]...)}, Answers{}, "", []string{"--rename blog.Post=Article"}},
		{"a model and its field", []*schema.Table{table("blog", "Article", headline, note)}, Answers{Renames: rename("blog.Post", "Article", "blog.Article.title", "headline")}, "Rename model Post to Article; Rename field title on Article to headline", nil},
		{"a model that is another", []*schema.Table{table("blog", "Article", before[0].Columns[1:]...)}, Answers{NoRenames: true}, "Create model Article; Delete model Post", nil},
		{"one of two", []*schema.Table{table("blog", "Article", before[0].Columns[1:]...), table("blog", "Essay", before[0].Columns[1:]...)}, Answers{Renames: rename("blog.Post", "Essay")}, "Rename model Post to Essay; Create model Article", nil},
		{"a model that keeps its table", []*schema.Table{{App: "blog", Model: "Article", Name: "blog_post", Columns: before[0].Columns}}, Answers{}, "Rename model Post to Article", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newProject()
			p.make(t, cloneTables(before), nil)
			lines, err := p.tryMake(t, test.after, test.asker)
			if test.fails != nil {
				contains(t, err, nil, test.fails...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if len(lines) > 0 {
				_, got, _ = strings.Cut(lines[0], ": ")
			}
			if got != test.want || len(lines) > 1 {
				t.Errorf("got %v, want %q", lines, test.want)
			}
			if again := p.make(t, test.after, nil); len(again) != 0 {
				t.Errorf("made again: %v", again)
			}
		})
	}
}

func TestRelationToItselfFollowsItsModel(t *testing.T) {
	t.Parallel()
	join := func(model, column string) *schema.Table {
		return table("a", model+"_friends", foreignKey("from_"+column, "a."+model, false), foreignKey("to_"+column, "a."+model, false))
	}
	p := newProject()
	p.make(t, []*schema.Table{table("a", "User"), join("User", "user_id")}, nil)
	got := p.make(t, []*schema.Table{table("a", "Member"), join("Member", "member_id")}, Answers{Renames: map[string]string{"a.User": "Member"}})
	want := []string{"a.0002_rename_user_member_and_more: " +
		"Rename model User to Member; Rename model User_friends to Member_friends; " +
		"Rename field from_user_id on Member_friends to from_member_id; Rename field to_user_id on Member_friends to to_member_id"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRenamedTargetRenamesTheColumnOfItsJoinTables(t *testing.T) {
	t.Parallel()
	p := newProject()
	p.make(t, []*schema.Table{table("a", "Post"), table("a", "Tag"), table("a", "Post_tags", foreignKey("post_id", "a.Post", false), foreignKey("tag_id", "a.Tag", false))}, nil)
	after := []*schema.Table{table("a", "Post"), table("a", "Label"), table("a", "Post_tags", foreignKey("post_id", "a.Post", false), foreignKey("label_id", "a.Label", false))}
	got := p.make(t, after, Answers{Renames: map[string]string{"a.Tag": "Label"}})
	want := []string{"a.0002_rename_tag_label_rename_tag_id_post_tags_label_id: Rename model Tag to Label; Rename field tag_id on Post_tags to label_id"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNamesThatAreFreedAreTakenAgain(t *testing.T) {
	t.Parallel()
	index := func(column string) []schema.Index {
		return []schema.Index{{Name: "the_index", Columns: []schema.IndexColumn{{Name: column}}}}
	}
	old, unrelated := table("a", "Old"), table("a", "Other", schema.Column{Name: "x", Type: schema.Int64, Null: true})
	old.Name, old.Indexes = "things", index("id")
	for _, test := range []struct {
		name  string
		after func() []*schema.Table
	}{
		{"a table's by another app", func() []*schema.Table {
			n := table("b", "New", schema.Column{Name: "y", Type: schema.Text, Null: true})
			n.Name, n.Indexes = "things", index("y")
			return []*schema.Table{n, unrelated}
		}},
		{"an index's by another table", func() []*schema.Table {
			o, u := old.Clone(), unrelated.Clone()
			o.Indexes, u.Indexes = nil, index("x")
			return []*schema.Table{u, o}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, db := newProject(), openTest(t)
			p.make(t, []*schema.Table{old, unrelated}, nil)
			p.migrate(t, db)
			tables := test.after()
			p.make(t, tables, nil)
			p.migrate(t, db)
			if diff := cmp.Diff(dumpOf(t, testdb.SQLite, tables), dump(t, db)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDeclarationsThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		tables []*schema.Table
		want   string
	}{
		{"a model twice", []*schema.Table{table("a", "X"), table("a", "X")}, "a.X is declared twice"},
		{"one table for two models", []*schema.Table{table("a", "X"), {App: "b", Model: "Y", Name: "A_X"}}, `both have the table "A_X"`},
		{"a reference to nothing", []*schema.Table{table("a", "X", foreignKey("y", "b.Y", false))}, `a.X.y references table "b_y"`},
		{"a reference to no column", []*schema.Table{table("a", "X", schema.Column{Name: "y", Type: schema.Int64, References: &schema.Reference{Table: "a_x", Column: "nr"}})}, `column "nr"`},
		{"an unknown type", []*schema.Table{table("a", "X", schema.Column{Name: "y", Type: "money"})}, `unknown type "money"`},
	} {
		_, err := newProject().tryMake(t, test.tables, nil)
		contains(t, err, nil, test.want)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	field := func(name string) Operation {
		return AddField{Model: "Post", Column: schema.Column{Name: name}}
	}
	for _, test := range []struct {
		operations []Operation
		want       string
	}{
		{nil, "custom"},
		{[]Operation{RunSQL{}}, "custom"},
		{[]Operation{CreateModel{Table: schema.Table{Model: "Post"}}}, "post"},
		{[]Operation{field("subtitle")}, "post_subtitle"},
		{[]Operation{field("subtitle"), field("views")}, "post_subtitle_post_views"},
		{[]Operation{field("subtitle"), field("views"), field("a_rather_long_name_of_a_column")}, "post_subtitle_post_views_and_more"},
		{[]Operation{field("test")}, "post_test_change"},
		{[]Operation{field("windows")}, "post_windows_change"},
		{[]Operation{field("arm64")}, "post_arm64_change"},
		{[]Operation{AlterComment{Model: "Post"}}, "comment_post"},
		{[]Operation{AddIndex{Index: schema.Index{Name: "Weird-Name idx"}}}, "weird_name_idx"},
	} {
		if got := describe(false, test.operations); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	if got := migrationName(12, false, []Operation{field("x")}); got != "0012_post_x" {
		t.Error(got)
	}
	for name, want := range map[string]int{"0012_x": 12, "x": 0, "-1_x": 0, "12": 12} {
		if got := migrationNumber(name); got != want {
			t.Errorf("%s: %d", name, got)
		}
	}
}

func TestSameDeclarationsGiveTheSameMigrations(t *testing.T) {
	t.Parallel()
	make := func() string {
		p := newProject()
		lines := p.make(t, blogTables(), nil)
		tables := blogTables()
		pick(t, tables, "Post").Columns[1].Size = 9
		pick(t, tables, "User").Columns[1].Size = 9
		tables = append(tables, table("shop", "Item", foreignKey("post_id", "blog.Post", false)))
		return fmt.Sprint(lines, p.make(t, tables, nil))
	}
	first := make()
	for range 10 {
		if again := make(); again != first {
			t.Fatalf("first %s, then %s", first, again)
		}
	}
}
