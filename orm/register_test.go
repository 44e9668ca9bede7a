package orm_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
)

type (
	badNoKey   struct{ Name string }
	badSeveral struct {
		orm.Model
		A string `orm:"nonsense"`
		B string
		C chan int
	}
	badHook struct {
		orm.Model
		A string
	}
	badThrough struct {
		orm.Model
		A string `orm:"through=Post"`
	}
	badArray struct {
		orm.Model
		A string `orm:"array"`
	}
	badVersion struct {
		orm.Model
		A string `orm:"version"`
	}
	badRule struct {
		orm.Model
		A int `orm:"email"`
	}
	badDBDefault struct {
		orm.Model
		A int `orm:"db_default=x"`
	}
	badTag struct {
		orm.Model
		A string `orm:"nonsense"`
	}
	badTagValue struct {
		orm.Model
		A string `orm:"size"`
	}
	badTagNoValue struct {
		orm.Model
		A string `orm:"unique=yes"`
	}
	badTagTwice struct {
		orm.Model
		A string `orm:"unique,unique"`
	}
	badTagQuote struct {
		orm.Model
		A string `orm:"help='x"`
	}
	badSize struct {
		orm.Model
		A string `orm:"size=-1"`
	}
	badSizeKind struct {
		orm.Model
		A int `orm:"size=5"`
	}
	badNull struct {
		orm.Model
		A string `orm:"null"`
	}
	badType struct {
		orm.Model
		A chan int
	}
	badStruct struct {
		orm.Model
		A struct{ X int }
	}
	badOnDelete struct {
		orm.Model
		A orm.FK[User] `orm:"on_delete=explode"`
	}
	badSetNull struct {
		orm.Model
		A orm.FK[User] `orm:"on_delete=set_null"`
	}
	badRelationWord struct {
		orm.Model
		A string `orm:"on_delete=cascade"`
	}
	badColumnWord struct {
		orm.Model
		A orm.FK[User] `orm:"size=5"`
	}
	badDefault struct {
		orm.Model
		A int `orm:"default=many"`
	}
	badColumn struct {
		orm.Model
		A string `orm:"column=x\"; DROP TABLE y"`
	}
	badSameColumn struct {
		orm.Model
		A string
		B string `orm:"column=a"`
	}
	badTwoKeys struct {
		orm.Model
		A string `orm:"pk"`
	}
	badAutoNow struct {
		orm.Model
		A string `orm:"auto_now"`
	}
	badEditable struct {
		orm.Model
		A string `orm:"editable=perhaps"`
	}
	badUnexported struct {
		orm.Model
		a string `orm:"size=5"`
	}
	badDouble struct {
		orm.Model
		A__B string
	}
	badDecimal struct {
		orm.Model
		A string `orm:"type=decimal"`
	}
	badTable  struct{ orm.Model }
	sameTable struct{ orm.Model }
)

func (badTable) Meta(*badTable) orm.Meta   { return orm.Meta{Table: `x"y`} }
func (sameTable) Meta(*sameTable) orm.Meta { return orm.Meta{Table: "orm_test_post"} }

func TestRegisterRefuses(t *testing.T) {
	_ = badUnexported{}.a
	for name, tt := range map[string]struct {
		register func() error
		want     string
	}{
		"no primary key":         {orm.TryRegister[badNoKey], "embed orm.Model"},
		"not a struct":           {orm.TryRegister[int], "not a struct"},
		"unknown word":           {orm.TryRegister[badTag], `A: unknown word "nonsense" in the orm tag; known: array, auto_now`},
		"word without value":     {orm.TryRegister[badTagValue], "needs a value"},
		"word with value":        {orm.TryRegister[badTagNoValue], "takes no value"},
		"word twice":             {orm.TryRegister[badTagTwice], "twice"},
		"open quote":             {orm.TryRegister[badTagQuote], "not closed"},
		"size below one":         {orm.TryRegister[badSize], "positive"},
		"size of a number":       {orm.TryRegister[badSizeKind], "size"},
		"null string":            {orm.TryRegister[badNull], "make it a *string"},
		"channel":                {orm.TryRegister[badType], `add orm:"json"`},
		"struct":                 {orm.TryRegister[badStruct], `add orm:"json"`},
		"several mistakes":       {orm.TryRegister[badSeveral], "badSeveral has 2 mistakes:\n\tbadSeveral.A: unknown word"},
		"hook without event":     {orm.TryRegister[badHook], "badHook.BeforeSave is not called; write it as BeforeSave(ctx context.Context, e orm.Event) error"},
		"through of a column":    {orm.TryRegister[badThrough], "is for relations"},
		"array of a string":      {orm.TryRegister[badArray], "array in the orm tag is for slices"},
		"version of a string":    {orm.TryRegister[badVersion], "version is for an int"},
		"e-mail of an int":       {orm.TryRegister[badRule], "email"},
		"db_default of an int":   {orm.TryRegister[badDBDefault], "db_default"},
		"on_delete":              {orm.TryRegister[badOnDelete], "allowed are cascade, db_cascade"},
		"set_null without null":  {orm.TryRegister[badSetNull], "needs null"},
		"relation word":          {orm.TryRegister[badRelationWord], "is for relations"},
		"column word":            {orm.TryRegister[badColumnWord], "no sense for a foreign key"},
		"default":                {orm.TryRegister[badDefault], "default"},
		"column name":            {orm.TryRegister[badColumn], "cannot be a column name"},
		"same column":            {orm.TryRegister[badSameColumn], "also that of A"},
		"two keys":               {orm.TryRegister[badTwoKeys], "primary key already"},
		"auto_now of a string":   {orm.TryRegister[badAutoNow], "for times"},
		"editable":               {orm.TryRegister[badEditable], "true and false"},
		"tag of unexported":      {orm.TryRegister[badUnexported], "not exported"},
		"double underscore":      {orm.TryRegister[badDouble], "two underscores"},
		"decimal without digits": {orm.TryRegister[badDecimal], "needs size"},
		"table name":             {orm.TryRegister[badTable], "cannot be a table name"},
		"registered twice":       {orm.TryRegister[Post], "the first is at"},
		"same table":             {orm.TryRegister[sameTable], "have the same table orm_test_post; the other is registered at"},
	} {
		if err := tt.register(); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "register_test.go:") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func (*badHook) BeforeSave(context.Context) error { return nil }

// Models whose relations lead nowhere are found out at first use; they are not
// among those of the other tests, which Tables would fail for.
type (
	stranger struct{ orm.Model }
	lost     struct {
		orm.Model
		To orm.FK[stranger]
	}
)

func TestUnregisteredTargetIsAnErrorAtFirstUse(t *testing.T) {
	ctx := open(t, testdb.SQLite)
	// Register would put it among the models of all other tests.
	p := Posts.Fields()
	_ = p
	var zero lost
	_, err := zero.To.Load(ctx)
	if err != nil {
		t.Error("NULL needs no registration:", err)
	}
	zero.To.SetID(5)
	if _, err = zero.To.Load(ctx); err == nil || !strings.Contains(err.Error(), "orm.Register[stranger]()") {
		t.Error(err)
	}
}

func TestTables(t *testing.T) {
	t.Parallel()
	tables, err := orm.Tables()
	must(t, err)
	again, err := orm.Tables()
	must(t, err)
	if d := cmp.Diff(tables, again); d != "" {
		t.Error(d)
	}
	byName := map[string]*schema.Table{}
	for i, table := range tables {
		byName[table.Name] = table
		if i > 0 && tables[i-1].Key() >= table.Key() {
			t.Errorf("%s after %s", table.Key(), tables[i-1].Key())
		}
	}
	want := &schema.Table{
		App: "orm_test", Model: "Post", Name: "orm_test_post",
		Columns: []schema.Column{
			{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
			{Name: "title", Field: "Title", Type: schema.String, Size: 200},
			{Name: "slug", Field: "Slug", Type: schema.String, Size: 200, Unique: true},
			{Name: "body", Field: "Body", Type: schema.Text},
			{Name: "status", Field: "Status", Type: schema.String, Size: 20, Default: new("'draft'")},
			{Name: "views", Field: "Views", Type: schema.Int64},
			{Name: "rating", Field: "Rating", Type: schema.Float64},
			{Name: "published", Field: "Published", Type: schema.DateTime, Null: true},
			{Name: "author_id", Field: "Author", Type: schema.Int64, References: &schema.Reference{Table: "orm_test_user", Column: "id", OnDelete: schema.Cascade, Model: "orm_test.User"}},
			{Name: "editor_id", Field: "Editor", Type: schema.Int64, Null: true, References: &schema.Reference{Table: "orm_test_user", Column: "id", OnDelete: schema.SetNull, Model: "orm_test.User"}},
			{Name: "created", Field: "Created", Type: schema.DateTime},
			{Name: "updated", Field: "Updated", Type: schema.DateTime},
		},
		Indexes: []schema.Index{
			{Name: "orm_test_post_status_idx", Columns: []schema.IndexColumn{{Name: "status"}}},
			{Name: "orm_test_post_author_id_idx", Columns: []schema.IndexColumn{{Name: "author_id"}}},
			{Name: "orm_test_post_editor_id_idx", Columns: []schema.IndexColumn{{Name: "editor_id"}}},
			{Name: "orm_test_post_status_published_idx", Columns: []schema.IndexColumn{{Name: "status"}, {Name: "published", Desc: true}}},
		},
		Checks: []schema.Check{{Name: "title_not_empty", SQL: `"title" <> ''`}},
	}
	if d := cmp.Diff(want, byName["orm_test_post"]); d != "" {
		t.Error(d)
	}
	join := &schema.Table{
		App: "orm_test", Model: "Post_tags", Name: "orm_test_post_tags",
		Columns: []schema.Column{
			{Name: "post_id", Field: "post_id", Type: schema.Int64, PrimaryKey: true, References: &schema.Reference{Table: "orm_test_post", Column: "id", OnDelete: schema.Cascade, Model: "orm_test.Post"}},
			{Name: "tag_id", Field: "tag_id", Type: schema.Int64, PrimaryKey: true, References: &schema.Reference{Table: "orm_test_tag", Column: "id", OnDelete: schema.Cascade, Model: "orm_test.Tag"}},
		},
		Indexes: []schema.Index{{Name: "orm_test_post_tags_tag_id_idx", Columns: []schema.IndexColumn{{Name: "tag_id"}}}},
	}
	if d := cmp.Diff(join, byName["orm_test_post_tags"]); d != "" {
		t.Error(d)
	}
	if byName["orm_test_tag_posts"] != nil {
		t.Error("the reverse side makes a table too")
	}
	partial := byName["orm_test_partial"]
	if partial == nil || len(partial.Indexes) != 1 || partial.Indexes[0].Where != `("name" <> '' OR "n" >= 5) AND "done_at" IS NULL` {
		t.Errorf("%+v", partial)
	}
}

type Partial struct {
	orm.Model
	Name   string
	N      int
	DoneAt *string
}

func (Partial) Meta(p *Partial) orm.Meta {
	return orm.Meta{Indexes: orm.Indexes(orm.Index(&p.Name).Named("open_names").Where(
		orm.And(orm.Or(orm.Ne(&p.Name, ""), orm.Ge(&p.N, 5)), orm.IsNull(&p.DoneAt))))}
}

var Partials = orm.Register[Partial]()

func TestModelInfo(t *testing.T) {
	t.Parallel()
	info := Posts.Info()
	if info.App != "orm_test" || info.Name != "Post" || info.Table != "orm_test_post" || info.Label() != "orm_test.Post" ||
		info.VerboseName != "post" || info.VerboseNamePlural != "posts" || info.PrimaryKey.Name != "ID" ||
		!strings.HasSuffix(info.File, "blog_test.go") || !strings.HasSuffix(info.Package, "orm_test") {
		t.Errorf("%+v", info)
	}
	var names []string
	for _, f := range info.Fields {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "ID Title Slug Body Status Views Rating Published Author Editor Tags Comments Created Updated" {
		t.Error(got)
	}
	status, title, id, created := info.FieldNamed("status"), info.FieldNamed("Title"), info.FieldNamed("id"), info.FieldNamed("created")
	if len(status.Choices) != 2 || status.Default != "draft" || !status.HasDefault || !status.Editable {
		t.Errorf("%+v", status)
	}
	if title.Help != "Shown in lists, and on top" || title.Label != "Title" || title.Size != 200 {
		t.Errorf("%+v", title)
	}
	if id.Editable || created.Editable || !created.AutoAdd || created.AutoNow {
		t.Error("keys and automatic times are not for forms")
	}
	tags := info.FieldNamed("tags")
	if tags.Relation.Kind != orm.ManyMany || tags.Relation.Target().Name != "Tag" || tags.Column != "" {
		t.Errorf("%+v", tags.Relation)
	}
	if f := Users.Info().FieldNamed("profile"); !f.Relation.OneToOne {
		t.Error("a unique foreign key is one to one")
	}
	if name := Everythings.Info().VerboseNamePlural; name != "things" {
		t.Error(name)
	}
}

// A program with mistakes in several models is told of all of them when it opens a database.
func TestMistakesOfAllModelsAtOnce(t *testing.T) {
	t.Parallel()
	const source = `package main

import (
	"context"
	"fmt"

	"github.com/retort-web/retort/orm"
	_ "github.com/retort-web/retort/orm/sqlite"
)

type One struct {
	orm.Model
	A string ` + "`orm:\"nonsense\"`" + `
	B chan int
}

type Two struct{ Name string }

type Three struct {
	orm.Model
	Two orm.FK[Two]
}

var (
	Ones   = orm.Register[One]()
	Twos   = orm.Register[Two]()
	Threes = orm.Register[Three]()
	name   = &Threes.Fields().Two.To().Name
)

func main() {
	ctx := context.Background()
	_, err := orm.Open(ctx, "sqlite::memory:")
	fmt.Println(err)
	_, err = Ones.Where(orm.Eq(&Ones.Fields().ID, 1)).All(ctx)
	fmt.Println("query:", err)
	fmt.Println("all:", orm.CheckModels())
}
`
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "run", file).CombinedOutput() //nolint:gosec // the test's own file
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{
		"orm: 2 models have mistakes:\n", "One.A: unknown word", "main.go:13)", "One.B: type chan int", "main.go:14)", "Two has no primary key; embed orm.Model", "main.go:26)",
		"query: orm: One has 2 mistakes", "all: orm: 3 models have mistakes:", "Three.Two: ", "main.go:21)",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}
