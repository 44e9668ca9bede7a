package generictest

import (
	"context"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
)

func TestMigrationsOfGenericForeignKeys(t *testing.T) {
	t.Parallel()
	graph := must1[*migrate.Graph](t)(migrate.Load(migrate.NewSet("generictest", t.TempDir())))
	tables := must1[[]*schema.Table](t)(orm.Tables())
	files := must1[[]migrate.File](t)(graph.Make(tables, migrate.MakeOptions{Apps: []string{"generictest"}, DryRun: true}))
	var code strings.Builder
	for _, file := range files {
		code.Write(file.Content)
	}
	for _, want := range []string{
		`{Name: "on_model", Field: "OnModel", Type: schema.String, Size: 100}`,
		`{Name: "on_key", Field: "OnKey", Type: schema.String, Size: 255}`,
		`{Name: "about_key", Field: "AboutKey", Type: schema.String, Size: 255, Null: true}`,
		`{Name: "generictest_comment_on_model_on_key_idx", Columns: []schema.IndexColumn{{Name: "on_model"}, {Name: "on_key"}}}`,
	} {
		if !strings.Contains(code.String(), want) {
			t.Errorf("no %s in\n%s", want, code.String())
		}
	}
	if strings.Contains(code.String(), "about_model_about_key_idx") {
		t.Error("no_index is not heard")
	}
	if f := Comments.Info().FieldNamed("about_model"); f == nil || f.Label != "Topic model" {
		t.Errorf("the label of %v", f)
	}
}

func TestGenericForeignKeysAcrossDatabases(t *testing.T) {
	t.Parallel()
	kind := testdb.Kinds()[0]
	here, there := must1[*orm.DB](t)(orm.DBFrom(kind.Context(t))), must1[*orm.DB](t)(orm.DBFrom(kind.Context(t)))
	databases := &orm.Databases{
		Default: orm.Opened(here), Named: map[string]orm.Opener{"pictures": orm.Opened(there)},
		Routers: []orm.Router{orm.RouterFunc(func(_ context.Context, m *orm.ModelInfo, _ orm.Operation) string {
			if m.Name == "Photo" {
				return "pictures"
			}
			return ""
		})},
	}
	ctx := databases.Context(t.Context())
	r := fill(t, ctx)
	c := Comments.Fields()
	all := must1[[]*Comment](t)(Comments.OrderBy(orm.Asc(&c.ID)).All(ctx))
	must(t, orm.LoadGeneric(ctx, all, &c.On))
	for i, want := range []string{"post", "photo", "page"} {
		if row := must1[any](t)(all[i].On.Get()); name(row) != want {
			t.Errorf("%s: %s", want, name(row))
		}
	}
	if err := Photos.DeleteRow(ctx, r.photo); err == nil || !strings.Contains(err.Error(), "in another database") {
		t.Errorf("a delete across databases: %v", err)
	}
	if n := must1[int64](t)(Photos.Count(ctx)); n != 1 {
		t.Errorf("%d photos are left", n)
	}
}
