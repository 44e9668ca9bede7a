package migrate

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// backfiller knows what was renamed, and what existing rows get.
type backfiller struct{ Answers }

func (backfiller) Backfill(_ *schema.Table, c *schema.Column, _ bool) (*string, error) {
	return new(sample(c.Type, 9)), nil
}

// sample is a value of a type, another one for each number but of Bool.
func sample(t schema.Type, n int) string {
	switch t {
	case schema.Bool:
		return strconv.FormatBool(n%2 == 1)
	case schema.Float64, schema.Decimal:
		return fmt.Sprintf("%d.5", n)
	case schema.Date:
		return fmt.Sprintf("2026-01-%02d", 1+n%28)
	case schema.DateTime:
		return fmt.Sprintf("2026-01-%02d 10:20:30", 1+n%28)
	case schema.UUID:
		return fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
	case schema.JSON:
		return fmt.Sprintf(`{"n": %d}`, n)
	}
	return strconv.Itoa(n)
}

// insert adds a row with an id, whose references are to the rows of that id.
func insert(t testing.TB, db *testDatabase, table *schema.Table, id int) {
	t.Helper()
	var names, values []string
	for i := range table.Columns {
		c := &table.Columns[i]
		if c.Generated != "" {
			continue
		}
		value := sample(c.Type, id)
		if c.References != nil && c.References.Table == table.Name {
			value = "1"
		}
		literal, err := Literal(c, value)
		if err != nil {
			t.Fatal(err)
		}
		names, values = append(names, `"`+c.Name+`"`), append(values, literal)
	}
	db.exec(t, fmt.Sprintf(`INSERT INTO "%s" (%s) VALUES (%s)`, table.Name, strings.Join(names, ", "), strings.Join(values, ", ")))
}

// values returns the values of all columns, in the order of the keys, by
// "table.column".
func values(t testing.TB, db *testDatabase, tables []*schema.Table) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, table := range tables {
		var names []string
		for i := range table.Columns {
			names = append(names, `"`+table.Columns[i].Name+`"`)
		}
		rows, err := db.Query(t.Context(), fmt.Sprintf(`SELECT %s FROM "%s" ORDER BY "%s"`, strings.Join(names, ", "), table.Name, table.PrimaryKey()[0].Name))
		if err != nil {
			t.Fatal(err)
		}
		for i := range table.Columns {
			list := []string{}
			for _, row := range rows {
				list = append(list, plain(row[i]))
			}
			all[table.Name+"."+table.Columns[i].Name] = list
		}
	}
	return all
}

// plain writes what is the same value after a change of the type in one way.
func plain(value any) string {
	s := "NULL"
	if value != nil {
		s = text(value)
	}
	switch s {
	case "true":
		return "1"
	case "false":
		return "0"
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return s
}

// stage is a site as it was before a round of changes.
type stage struct {
	tables  []*schema.Table
	dump    []string
	targets []Target
	was     map[string]string
}

// TestRandomChangesOfModels changes models at random, as a person might, and
// after each round compares the migrated database with one created directly,
// and its rows with what they were; then it undoes all of it, comparing again.
// The same seed makes the same changes on every database.
func TestRandomChangesOfModels(t *testing.T) {
	t.Parallel()
	first, seeds, rounds := 0, 4, 6
	if text := os.Getenv(proofVariable); text != "" {
		// "5+200" is 200 seeds from 5.
		if _, err := fmt.Sscanf(text, "%d+%d", &first, &seeds); err != nil {
			seeds = 100
		}
		rounds = 10
	}
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		seeds, rounds := seeds, rounds
		if kind.Name != "sqlite" && os.Getenv(proofVariable) == "" {
			seeds, rounds = 1, 3
		}
		for seed := first; seed < first+seeds; seed++ {
			t.Run(fmt.Sprint("seed", seed), func(t *testing.T) { proveSeed(t, kind, seed, rounds, false) })
			t.Run(fmt.Sprint("seed", seed, " without downtime"), func(t *testing.T) { proveSeed(t, kind, seed, rounds, true) })
		}
	})
}

func proveSeed(t *testing.T, kind testdb.Kind, seed, rounds int, zeroDowntime bool) {
	t.Helper()
	s := newSite(rand.New(rand.NewPCG(uint64(seed), 3)))
	p, db := newProject(), openKind(t, kind)
	p.zeroDowntime = zeroDowntime
	direct := func() []string { return dumpOf(t, kind, s.tables) }
	if kind.Name == "postgres" {
		other := openKind(t, kind)
		direct = func() []string { return dumpAndForget(t, other, s.tables) }
	}
	p.make(t, s.tables, backfiller{})
	p.migrate(t, db)
	count := map[string]int{} // rows by table
	fillNew := func() {
		for _, table := range ordered(s.tables) {
			for old, now := range s.was {
				if from, _, _ := strings.Cut(now, "."); strings.HasPrefix(old, table.Name+".") && count[table.Name] == 0 {
					count[table.Name] = count[from]
				}
			}
			for count[table.Name] < 3 {
				count[table.Name]++
				insert(t, db, table, count[table.Name])
			}
		}
	}
	fillNew()
	var stages []stage
	for range rounds {
		stages = append(stages, stage{tables: cloneTables(s.tables), dump: dump(t, db), targets: p.targets(t, db)})
		before := values(t, db, s.tables)
		s.change()
		stages[len(stages)-1].was = s.was
		made := p.make(t, s.tables, backfiller{Answers{Renames: s.renames, NoRenames: true}})
		t.Log(made)
		if again := p.make(t, s.tables, nil); len(again) != 0 {
			t.Fatalf("made again: %v", again)
		}
		p.migrate(t, db)
		if diff := cmp.Diff(direct(), dump(t, db)); diff != "" {
			t.Fatalf("by %v (-created directly +migrated):\n%s", made, diff)
		}
		compareValues(t, before, values(t, db, s.tables), s.was)
		fillNew()
		db.keysAreOn(t)
	}
	for i := len(stages) - 1; i >= 0; i-- {
		before := values(t, db, s.tables)
		for _, target := range stages[i].targets {
			p.back(t, db, target.App, target.Name)
		}
		if diff := cmp.Diff(stages[i].dump, dump(t, db)); diff != "" {
			t.Fatalf("undone to round %d (-before +undone):\n%s", i, diff)
		}
		s.tables = stages[i].tables
		back := map[string]string{}
		for now, old := range stages[i].was {
			back[old] = now
		}
		compareValues(t, before, values(t, db, s.tables), back)
		db.keysAreOn(t)
	}
}

// ordered puts tables behind those that they reference.
func ordered(tables []*schema.Table) []*schema.Table {
	var all []*schema.Table
	placed := map[string]bool{}
	var place func(t *schema.Table)
	place = func(t *schema.Table) {
		if placed[t.Name] {
			return
		}
		placed[t.Name] = true
		for _, c := range t.Columns {
			for _, target := range tables {
				if c.References != nil && c.References.Table == target.Name {
					place(target)
				}
			}
		}
		all = append(all, t)
	}
	for _, t := range tables {
		place(t)
	}
	return all
}

// compareValues fails the test unless each column that was there holds what it
// held, but for NULL, which may have become a value.
func compareValues(t testing.TB, before, after map[string][]string, was map[string]string) {
	t.Helper()
	for name, now := range after {
		old := name
		if renamed, ok := was[name]; ok {
			old = renamed
		}
		then, kept := before[old]
		if !kept {
			continue
		}
		if len(then) != len(now) {
			t.Fatalf("%s had %v, and %s has %v", old, then, name, now)
		}
		for i := range now {
			if then[i] != now[i] && then[i] != "NULL" {
				t.Fatalf("%s had %v, and %s has %v", old, then, name, now)
			}
		}
	}
}

// targets is how far each app is migrated.
func (p *project) targets(t testing.TB, db Database) []Target {
	t.Helper()
	status, err := p.graph(t).Status(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	all := []Target{}
	for _, app := range []string{"a", "b"} {
		target := Target{App: app, Name: Zero}
		for _, s := range status {
			for _, m := range s.Migrations {
				if s.App == app && m.Applied {
					target.Name = m.Name
				}
			}
		}
		all = append(all, target)
	}
	return all
}
