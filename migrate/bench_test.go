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
