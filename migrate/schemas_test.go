package migrate

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// newSchemas names schemas of a test's own, which go when it ends.
func newSchemas(t testing.TB, db *testDatabase, n int) []string {
	t.Helper()
	// By this beginning those of killed tests are found.
	base := "retort_test_" + strconv.FormatInt(time.Now().Unix(), 36) + "_" + strings.ToLower(rand.Text()[:8])
	drop := map[string]string{"postgres": "DROP SCHEMA IF EXISTS %s CASCADE", "mysql": "DROP DATABASE IF EXISTS %s"}[db.Dialect().Name()]
	names := make([]string, n)
	for i := range names {
		names[i] = base + strconv.Itoa(i)
		t.Cleanup(func() {
			ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
			defer stop()
			if drop == "" {
				return
			}
			if db.Dialect().Name() == "mysql" {
				_ = db.Exec(ctx, "DROP TABLE IF EXISTS shop_thing") // it refers to the other
			}
			if err := db.Exec(ctx, strings.Replace(drop, "%s", names[i], 1)); err != nil {
				t.Error(err)
			}
		})
	}
	return names
}

// storeTables are tables of two apps of which one is in a schema.
func storeTables(shelf string) []*schema.Table {
	prefix := strings.ReplaceAll(shelf, ".", "_")
	reference := func(table, model string, action schema.OnDelete) *schema.Reference {
		return &schema.Reference{Table: table, Column: "id", OnDelete: action, Model: model}
	}
	return []*schema.Table{
		{App: "auth", Model: "Owner", Name: "auth_owner", Columns: []schema.Column{idColumn(), {Name: "name", Field: "Name", Type: schema.String, Size: 40}}},
		{
			App: "shop", Model: "Shelf", Name: shelf, Comment: "where things are",
			Columns: []schema.Column{
				idColumn(),
				{Name: "code", Field: "Code", Type: schema.String, Size: 20, Unique: true, Comment: "on the label"},
				{Name: "place", Field: "Place", Type: schema.Int32},
				{Name: "owner_id", Field: "Owner", Type: schema.Int64, References: reference("auth_owner", "auth.Owner", schema.Cascade)},
				{Name: "inside_id", Field: "Inside", Type: schema.Int64, Null: true, References: reference(shelf, "shop.Shelf", schema.SetNull)},
			},
			Indexes: []schema.Index{{Name: prefix + "_owner_id_idx", Columns: []schema.IndexColumn{{Name: "owner_id"}}}},
			Checks:  []schema.Check{{Name: "place_positive", SQL: `"place" > 0`}},
		},
		{
			App: "shop", Model: "Thing", Name: "shop_thing",
			Columns: []schema.Column{idColumn(), {Name: "shelf_id", Field: "Shelf", Type: schema.Int64, References: reference(shelf, "shop.Shelf", schema.Restrict)}},
			Indexes: []schema.Index{{Name: "shop_thing_shelf_id_idx", Columns: []schema.IndexColumn{{Name: "shelf_id"}}}},
		},
	}
}

// TestTablesInSchemas makes, changes and moves a table that is in a schema of its own, with
// references to it and from it.
func TestTablesInSchemas(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		db, p := openKind(t, kind), newProject()
		names := newSchemas(t, db, 2)
		quoted := func(table string) string {
			if kind.Name == "sqlite" {
				return `"` + table + `"`
			}
			return `"` + strings.ReplaceAll(table, ".", `"."`) + `"`
		}
		shelf := names[0] + ".shop_shelf"
		tables := storeTables(shelf)
		p.make(t, tables, nil)
		p.migrate(t, db)
		db.exec(
			t, "INSERT INTO auth_owner (name) VALUES ('ann')",
			"INSERT INTO "+quoted(shelf)+" (code, place, owner_id) VALUES ('a', 1, 1)",
			"INSERT INTO shop_thing (shelf_id) VALUES (1)",
		)
		live := func(asked ...string) map[string]*schema.Live {
			t.Helper()
			found, err := db.Dialect().(schema.Inspector).Inspect(t.Context(), db.Query, asked...)
			if err != nil {
				t.Fatal(err)
			}
			byName := map[string]*schema.Live{}
			for _, l := range found {
				byName[l.Name] = l
			}
			return byName
		}
		found := live(names[0]+".*", "shop_thing")
		if l := found[shelf]; l == nil || l.Column("owner_id").References.Table != "auth_owner" ||
			l.Column("inside_id").References.Table != shelf || !l.Column("code").Unique || len(l.Checks) != 1 {
			t.Fatalf("found %+v", l)
		}
		if l := found["shop_thing"]; len(found) != 2 || l == nil || l.Column("shelf_id").References.Table != shelf {
			t.Errorf("found %v", found)
		}

		changed := cloneTables(tables)
		at := pick(t, changed, "Shelf")
		at.Columns[2].Type = schema.Int64
		at.Columns = append(at.Columns, schema.Column{Name: "room", Field: "Room", Type: schema.String, Size: 20, Default: new("'hall'")})
		at.Indexes = append(at.Indexes, schema.Index{Name: strings.ReplaceAll(shelf, ".", "_") + "_room_idx", Columns: []schema.IndexColumn{{Name: "room"}}})
		at.Checks, at.Comment = nil, "another comment"
		p.make(t, changed, nil)
		p.migrate(t, db)
		if got := db.rows(t, "SELECT code, place, room FROM "+quoted(shelf)); !slices.Equal(got, []string{"a|1|hall"}) {
			t.Errorf("after the changes: %v", got)
		}
		for _, to := range []string{names[1] + ".shop_rack", "shop_shelf"} {
			moved := cloneTables(changed)
			for _, table := range moved {
				for i := range table.Columns {
					if r := table.Columns[i].References; r != nil && r.Table == at.Name {
						r.Table = to
					}
				}
			}
			// The names of indexes begin with that of the table.
			from, prefix := strings.ReplaceAll(at.Name, ".", "_"), strings.ReplaceAll(to, ".", "_")
			at = pick(t, moved, "Shelf")
			at.Name = to
			for i := range at.Indexes {
				at.Indexes[i].Name = prefix + strings.TrimPrefix(at.Indexes[i].Name, from)
			}
			changed = moved
			p.make(t, changed, nil)
			p.migrate(t, db)
			if got := db.rows(t, "SELECT code, room FROM "+quoted(to)); !slices.Equal(got, []string{"a|hall"}) {
				t.Errorf("after the move to %s: %v", to, got)
			}
			if l := live(to, "shop_thing")["shop_thing"]; l.Column("shelf_id").References.Table != to {
				t.Errorf("after the move the reference leads to %s", l.Column("shelf_id").References.Table)
			}
			if left := p.make(t, changed, nil); len(left) > 0 {
				t.Errorf("after the move there is left: %v", left)
			}
			db.exec(t, "INSERT INTO "+quoted(to)+" (code, place, owner_id, inside_id, room) VALUES ('b', 2, 1, 1, 'attic')", "DELETE FROM "+quoted(to)+" WHERE code = 'b'")
		}
		p.to(t, db, Target{App: "shop", Name: Zero})
		if found := live(names[0]+".*", names[1]+".*"); len(found) > 0 {
			t.Errorf("left after the way back: %v", found)
		}
	})
}

func TestFakeInitialFindsTablesInSchemas(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		db, p := openKind(t, kind), newProject()
		tables := storeTables(newSchemas(t, db, 1)[0] + ".shop_shelf")
		p.make(t, tables, nil)
		db.exec(t, schema.CreateTables(db.Dialect(), tables)...)
		if _, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{FakeInitial: true}); err != nil {
			t.Fatal(err)
		}
		p.to(t, db, Target{App: "shop", Name: Zero})
	})
}
