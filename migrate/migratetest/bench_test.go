package migratetest_test

import (
	"fmt"
	"testing"

	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/migrate/migratetest"
	"github.com/retort-web/retort/orm/schema"
)

// siteSet is the migrations of a site with 50 models, each with ten columns, an index and
// a reference, made in two migrations.
func siteSet() []*migrate.Set {
	set := migrate.NewSet("site", "")
	var create, alter []migrate.Operation
	for i := range 50 {
		model, table := fmt.Sprintf("Model%d", i), fmt.Sprintf("site_model%d", i)
		t := schema.Table{Model: model, Name: table, Columns: []schema.Column{{Name: "id", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true}}}
		for n := range 7 {
			t.Columns = append(t.Columns, schema.Column{Name: fmt.Sprintf("c%d", n), Type: schema.String, Size: 100})
		}
		if i > 0 {
			t.Columns = append(t.Columns, schema.Column{Name: "previous_id", Type: schema.Int64, Null: true, References: &schema.Reference{Table: fmt.Sprintf("site_model%d", i-1), Column: "id"}})
		}
		t.Indexes = []schema.Index{{Name: table + "_c0", Columns: []schema.IndexColumn{{Name: "c0"}}}}
		create = append(create, migrate.CreateModel{Table: t})
		alter = append(alter, migrate.AddField{Model: model, Column: schema.Column{Name: "late", Type: schema.Text, Null: true}})
	}
	set.Add(migrate.Migration{Name: "0001_initial", Operations: create})
	set.Add(migrate.Migration{Name: "0002_late", Dependencies: []string{"site.0001_initial"}, Operations: alter})
	return []*migrate.Set{set}
}

// BenchmarkContext makes a database as each test but the first of a program with 50 models
// does.
func BenchmarkContext(b *testing.B) {
	o := migratetest.Options{Migrated: true, Sets: siteSet()}
	migratetest.Context(b, o)
	b.ResetTimer()
	for b.Loop() {
		migratetest.Context(b, o)
	}
}

// BenchmarkFirstContext makes that of the first test, by its migrations.
func BenchmarkFirstContext(b *testing.B) {
	var kept [][]*migrate.Set // so that each has an address of its own
	for b.Loop() {
		kept = append(kept, siteSet())
		migratetest.Context(b, migratetest.Options{Migrated: true, Sets: kept[len(kept)-1]})
	}
}
