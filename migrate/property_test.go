package migrate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// randomTables returns tables of two apps whose names come from a small pool,
// so that two calls give tables that differ in every possible way. References
// go in circles, between the apps too.
func randomTables(r *rand.Rand) []*schema.Table {
	var tables []*schema.Table
	for _, app := range []string{"a", "b"} {
		for m := range 3 {
			if r.IntN(4) == 0 {
				continue
			}
			model := fmt.Sprintf("M%d", m)
			t := &schema.Table{App: app, Model: model, Name: app + "_m" + fmt.Sprint(m)}
			tables = append(tables, t)
			switch r.IntN(6) {
			case 0:
				t.Columns = []schema.Column{{Name: "k0", Type: schema.Int64, PrimaryKey: true}, {Name: "k1", Type: schema.Text, PrimaryKey: true}}
			case 1:
				t.Columns = []schema.Column{{Name: "k1", Type: schema.Text, PrimaryKey: true}, {Name: "k2", Type: schema.Bool, Null: true}}
			default:
				t.Columns = []schema.Column{idColumn()}
			}
		}
	}
	for _, t := range tables {
		for n := range 6 {
			if r.IntN(3) > 0 {
				t.Columns = append(t.Columns, randomColumn(r, fmt.Sprintf("c%d", n), tables))
			}
		}
		r.Shuffle(len(t.Columns), func(i, j int) { t.Columns[i], t.Columns[j] = t.Columns[j], t.Columns[i] })
		// The order of a key's columns is that of the model; only a change of
		// the key itself changes it.
		if a, b := keyPlaces(t); b > 0 && t.Columns[a].Name > t.Columns[b].Name {
			t.Columns[a], t.Columns[b] = t.Columns[b], t.Columns[a]
		}
		for n := range 3 {
			first, second := t.Columns[r.IntN(len(t.Columns))].Name, t.Columns[r.IntN(len(t.Columns))].Name
			if r.IntN(2) == 0 || first == second {
				continue
			}
			index := schema.Index{Name: fmt.Sprintf("%s_i%d", t.Name, n), Unique: r.IntN(2) == 0, Columns: []schema.IndexColumn{{Name: first, Desc: r.IntN(2) == 0}, {Name: second}}}
			if r.IntN(3) == 0 {
				index.Where = `"` + first + `" IS NOT NULL`
			}
			t.Indexes = append(t.Indexes, index)
		}
		for n := range 2 {
			if r.IntN(3) == 0 {
				t.Checks = append(t.Checks, schema.Check{Name: fmt.Sprintf("%s_k%d", t.Name, n), SQL: fmt.Sprintf(`"%s" <> %d`, t.Columns[r.IntN(len(t.Columns))].Name, r.IntN(2))})
			}
		}
	}
	return tables
}

// keyPlaces returns the places of the first two key columns; 0 for no second.
func keyPlaces(t *schema.Table) (first, second int) {
	first = -1
	for i := range t.Columns {
		switch {
		case !t.Columns[i].PrimaryKey:
		case first < 0:
			first = i
		default:
			return first, i
		}
	}
	return first, 0
}

func randomColumn(r *rand.Rand, name string, tables []*schema.Table) schema.Column {
	types := []schema.Type{
		schema.Bool, schema.Int16, schema.Int64, schema.Float64, schema.Decimal, schema.String, schema.Text,
		schema.Bytes, schema.Date, schema.DateTime, schema.Duration, schema.UUID, schema.JSON,
	}
	c := schema.Column{Name: name, Type: types[r.IntN(len(types))], Null: r.IntN(2) == 0, Unique: r.IntN(5) == 0}
	switch c.Type {
	case schema.String:
		c.Size = 10 * (1 + r.IntN(3))
	case schema.Decimal:
		c.Size, c.Scale = 10+r.IntN(10), 2
	}
	switch r.IntN(6) {
	case 0:
		c.Default = new("'1'")
	case 1:
		c.Default = new("(1 + 1)")
	case 2, 3:
		actions := []schema.OnDelete{"", schema.NoAction, schema.Cascade, schema.Restrict, schema.SetNull}
		target := tables[r.IntN(len(tables))]
		if target.Column("id") == nil {
			break
		}
		c.Type, c.Size, c.Scale = schema.Int64, 0, 0
		c.References = &schema.Reference{Table: target.Name, Column: "id", OnDelete: actions[r.IntN(len(actions))], Model: target.Key()}
	}
	return c
}

// anything answers every question: nothing was renamed, and rows get what
// suits the type.
type anything struct{ unasked }

func (anything) Backfill(_ *schema.Table, c *schema.Column, _ bool) (*string, error) {
	switch c.Type {
	case schema.Bool:
		return new("true"), nil
	case schema.Date, schema.DateTime:
		return new("2026-01-02"), nil
	case schema.UUID:
		return new("00000000-0000-4000-8000-000000000000"), nil
	case schema.Bytes:
		return new("00"), nil
	}
	return new("5"), nil
}

func TestDetectedChangesReachWhatIsDeclared(t *testing.T) {
	t.Parallel()
	rounds := 40
	if testing.Short() {
		rounds = 15
	}
	for seed := range rounds + rounds/2 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			gentle := seed >= rounds // some are also made without downtime
			seed := seed % rounds
			r := rand.New(rand.NewPCG(uint64(seed), 1))
			first, second := randomTables(r), randomTables(r)
			if len(first) == 0 || len(second) == 0 {
				return
			}
			p, db := newProject(), openTest(t)
			p.zeroDowntime = gentle
			p.make(t, first, anything{})
			middle := p.graph(t).order
			p.migrate(t, db)
			if diff := cmp.Diff(dumpOf(t, testdb.SQLite, first), dump(t, db)); diff != "" {
				t.Fatalf("first (-created directly +migrated):\n%s", diff)
			}
			t.Log(p.make(t, second, anything{}))
			if again := p.make(t, second, nil); len(again) != 0 {
				t.Fatalf("made again: %v", again)
			}
			p.migrate(t, db)
			if diff := cmp.Diff(dumpOf(t, testdb.SQLite, second), dump(t, db)); diff != "" {
				t.Fatalf("second (-created directly +migrated):\n%s", diff)
			}
			last := map[string]string{"a": Zero, "b": Zero}
			for _, n := range middle {
				if last[n.app] == Zero || last[n.app] < n.Name {
					last[n.app] = n.Name
				}
			}
			for app, name := range last {
				if len(p.sets) > 1 || p.sets[app] != nil {
					p.back(t, db, app, name)
				}
			}
			if diff := cmp.Diff(dumpOf(t, testdb.SQLite, first), dump(t, db)); diff != "" {
				t.Errorf("undone (-created directly +undone):\n%s", diff)
			}
		})
	}
}

// fill puts two rows into each table, all whose values are 5 and 6, which are
// also their keys.
func fill(t testing.TB, db *testDatabase, tables []*schema.Table) {
	t.Helper()
	err := db.Transaction(t.Context(), TransactionOptions{WithoutForeignKeys: true}, func(ctx context.Context) error {
		for _, table := range tables {
			for _, value := range []string{"5", "6"} {
				statement := `INSERT INTO "` + table.Name + `" (` + columnNames(table) + `) VALUES (` + value + strings.Repeat(", "+value, len(table.Columns)-1) + ")"
				if err := db.Exec(ctx, statement); err != nil {
					return fmt.Errorf("%s: %w", statement, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRowsSurviveOrNothingChanges migrates tables with rows to others. Values
// of columns that are in both must stay; and when the rows do not fit the new
// tables, all must be as before.
func TestRowsSurviveOrNothingChanges(t *testing.T) {
	t.Parallel()
	rounds := 60
	if testing.Short() {
		rounds = 10
	}
	survived := 0
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 2))
		first, second := randomTables(r), randomTables(r)
		p, db := newProject(), openTest(t)
		p.make(t, first, anything{})
		p.migrate(t, db)
		fill(t, db, first)
		steps := p.make(t, second, anything{})
		for _, step := range p.pending(t, db) {
			before := contents(t, db)
			_, err := p.graph(t).Apply(t.Context(), db, Target{App: step.App, Name: step.Name}, Options{})
			after := contents(t, db)
			if err != nil {
				if diff := cmp.Diff(before, after); diff != "" {
					t.Fatalf("seed %d failed with %v and left (-before +after):\n%s", seed, err, diff)
				}
				break
			}
			survived++
			for name, values := range before {
				if strings.HasPrefix(name, HistoryTable) {
					continue
				}
				if now, kept := after[name]; kept && fmt.Sprint(now) != fmt.Sprint(values) {
					t.Fatalf("seed %d, %s: %v became %v by %v", seed, name, values, now, steps)
				}
			}
		}
	}
	if survived < rounds/4 {
		t.Errorf("only %d migrations went through: the test shows little", survived)
	}
}

// contents returns the values of each column as whole numbers, since 5 may
// become 5.0 and '5' when the type changes.
func contents(t testing.TB, db *testDatabase) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, table := range db.tables(t) {
		for _, column := range db.rows(t, fmt.Sprintf("SELECT name FROM pragma_table_info('%s')", table)) {
			all[table+"."+column] = db.rows(t, fmt.Sprintf(`SELECT CAST("%s" AS INTEGER) FROM "%s" ORDER BY 1`, column, table))
		}
	}
	return all
}

func (p *project) pending(t testing.TB, db Database) []Step {
	t.Helper()
	steps, err := p.graph(t).Pending(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

// back undoes what comes after a migration, and does nothing if it is not
// applied any more.
func (p *project) back(t testing.TB, db Database, app, name string) {
	t.Helper()
	if p.sets[app] == nil {
		return
	}
	p.to(t, db, Target{App: app, Name: name})
}
