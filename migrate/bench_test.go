package migrate

import (
	"fmt"
	"testing"

	"github.com/retort-web/retort/orm/schema"
)

// benchProject has 100 tables, each with 12 columns and made in 3 migrations.
func benchProject(b *testing.B) (*Graph, []*schema.Table) {
	b.Helper()
	p := newProject()
	var tables []*schema.Table
	for i := range 100 {
		t := table(fmt.Sprintf("app%d", i%10), fmt.Sprintf("Model%d", i))
		for n := range 8 {
			t.Columns = append(t.Columns, schema.Column{Name: fmt.Sprintf("c%d", n), Type: schema.String, Size: 100})
		}
		if i > 0 {
			t.Columns = append(t.Columns, foreignKey("previous_id", tables[i-1].Key(), true))
		}
		tables = append(tables, t)
	}
	p.make(b, tables, nil)
	for n := range 2 {
		for _, t := range tables {
			t.Columns = append(t.Columns, schema.Column{Name: fmt.Sprintf("late%d", n), Type: schema.Text, Null: true})
		}
		p.make(b, tables, nil)
	}
	return p.graph(b), tables
}

// BenchmarkState replays every migration of a large program.
func BenchmarkState(b *testing.B) {
	g, _ := benchProject(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.State(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheck compares a large program that has not changed.
func BenchmarkCheck(b *testing.B) {
	g, tables := benchProject(b)
	b.ReportAllocs()
	for b.Loop() {
		if steps, err := g.Check(tables); err != nil || len(steps) > 0 {
			b.Fatal(steps, err)
		}
	}
}

// BenchmarkApply migrates a new database of a small site, as each test of a
// program does.
func BenchmarkApply(b *testing.B) {
	p := newProject()
	p.make(b, blogTables(), nil)
	g := p.graph(b)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		db := openTest(b)
		b.StartTimer()
		if _, err := g.Apply(b.Context(), db, Target{}, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// largeSite has 200 models with 20 fields each, in ten apps, that refer to each
// other.
func largeSite() []*schema.Table {
	types := []schema.Type{schema.Int64, schema.Text, schema.DateTime, schema.Bool, schema.Decimal}
	var tables []*schema.Table
	for i := range 200 {
		t := table(fmt.Sprintf("app%d", i%10), fmt.Sprintf("Model%d", i))
		for n := range 18 {
			t.Columns = append(t.Columns, schema.Column{Name: fmt.Sprintf("c%d", n), Field: fmt.Sprintf("C%d", n), Type: types[n%len(types)], Null: true, Size: 10})
		}
		if i > 0 {
			t.Columns = append(t.Columns, foreignKey("previous_id", tables[i-1].Key(), true))
		}
		t.Indexes = []schema.Index{{Name: t.Name + "_c0_idx", Columns: []schema.IndexColumn{{Name: "c0"}}}}
		tables = append(tables, t)
	}
	return tables
}

// BenchmarkMake writes the migrations of 200 models with 20 fields: the first
// ones, and those of a change of every model.
func BenchmarkMake(b *testing.B) {
	make := func(b *testing.B, p *project, tables []*schema.Table, asker Asker) {
		b.Helper()
		folders := map[string]string{}
		for n := range 10 {
			folders[fmt.Sprintf("app%d", n)] = b.TempDir()
		}
		for _, s := range p.sets {
			s.directory = folders[s.app]
		}
		g := p.graph(b)
		b.ReportAllocs()
		for b.Loop() {
			files, err := g.Make(tables, MakeOptions{DryRun: true, Folders: folders, Asker: asker})
			if err != nil || len(files) == 0 {
				b.Fatal(len(files), err)
			}
		}
	}
	b.Run("first", func(b *testing.B) { make(b, newProject(), largeSite(), nil) })
	b.Run("every_model_changed", func(b *testing.B) {
		p, tables := newProject(), largeSite()
		p.make(b, tables, nil)
		tables = cloneTables(tables)
		for _, t := range tables {
			t.Columns = append(t.Columns, schema.Column{Name: "note", Type: schema.Text, Null: true})
			t.Column("c1").Null, t.Column("c1").Default = false, new("''")
			t.Indexes[0].Name += "2"
		}
		make(b, p, tables, nil)
	})
	b.Run("field_renamed_in_every_model", func(b *testing.B) {
		p, tables := newProject(), largeSite()
		p.make(b, tables, nil)
		tables = cloneTables(tables)
		renames := map[string]string{}
		for i := range tables {
			renames[tables[i].Key()+".c3"] = "renamed"
			tables[i] = renameColumn(tables[i], "c3", "renamed", "Renamed")
		}
		make(b, p, tables, Answers{Renames: renames, NoRenames: true})
	})
}

// BenchmarkReplay replays 1,000 migrations of a program with 200 models.
func BenchmarkReplay(b *testing.B) {
	p := newProject()
	tables := largeSite()
	p.make(b, tables, nil)
	g := p.graph(b)
	last := map[string]string{}
	for app := range p.sets {
		last[app] = g.leaves(app)[0].Name
	}
	for n := range 1000 - len(g.order) {
		t := tables[n%len(tables)]
		m := Migration{
			Name: fmt.Sprintf("%04d_late", 100+n), Dependencies: []string{t.App + "." + last[t.App]},
			Operations: []Operation{addText(t.Model, fmt.Sprintf("late%d", n))},
		}
		p.sets[t.App].Add(m)
		last[t.App] = m.Name
	}
	var sets []*Set
	for _, s := range p.sets {
		sets = append(sets, s)
	}
	b.ReportAllocs()
	for b.Loop() {
		g, err := Load(sets...)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := g.State(); err != nil || len(g.order) != 1000 {
			b.Fatal(len(g.order), err)
		}
	}
}

// BenchmarkSquash makes one migration of a hundred.
func BenchmarkSquash(b *testing.B) {
	operations := []Operation{CreateModel{Table: *table("blog", "Post")}}
	for n := range 100 {
		name := fmt.Sprintf("c%d", n)
		operations = append(operations, addText("Post", name),
			AlterField{Model: "Post", Column: schema.Column{Name: name, Type: schema.String, Size: 20, Null: true}},
			AddIndex{Model: "Post", Index: schema.Index{Name: "i" + name, Columns: []schema.IndexColumn{{Name: name}}}},
			CreateModel{Table: *table("blog", "M"+name, foreignKey("post_id", "blog.Post", false))})
	}
	b.ReportAllocs()
	for b.Loop() {
		fewer, err := optimize(operations, "blog", NewState())
		if err != nil || len(fewer) != 101 {
			b.Fatal(len(fewer), err)
		}
	}
}
