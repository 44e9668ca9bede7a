package migratetest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/migrate/migratedb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
)

// Row is the values of a row by the names of the columns in the database.
type Row map[string]any

// Migration is a migration under test, with a database of its own.
type Migration struct {
	t     testing.TB
	ctx   context.Context
	db    migratedb.Connection
	graph *migrate.Graph
	app   string
	name  string
	// before is the tables before the migration.
	before []string
}

// Start returns a migration, or the one whose name begins so, with a database in which
// everything is applied that it depends on, and nothing else.
func Start(t testing.TB, app, name string, options ...Options) *Migration {
	t.Helper()
	o := only(options)
	address := fileURL(filepath.Join(t.TempDir(), "test.db"))
	if o.URL != "" {
		address = newServerDatabase(t, o.URL)
	}
	db := open(t, address)
	graph, err := o.graph()
	if err != nil {
		t.Fatal(err)
	}
	m := &Migration{t: t, ctx: orm.WithDB(t.Context(), db), db: migratedb.Connection{DB: db}, graph: graph, app: app, name: name}
	m.apply(migrate.Target{App: app, Name: name, Before: true})
	return m
}

func (m *Migration) apply(target migrate.Target) {
	m.t.Helper()
	if _, err := m.graph.Apply(m.ctx, m.db, target, migrate.Options{}); err != nil {
		m.t.Fatal(err)
	}
}

// Context returns a context with the database of the test.
func (m *Migration) Context() context.Context { return m.ctx }

// Insert inserts rows into a table.
func (m *Migration) Insert(table string, rows ...Row) {
	m.t.Helper()
	for _, row := range rows {
		var names, parameters []string
		var values []any
		for _, name := range slices.Sorted(maps.Keys(row)) {
			values = append(values, row[name])
			names = append(names, m.quote(name))
			parameters = append(parameters, m.db.Dialect().Placeholder(len(values)))
		}
		m.Exec(fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", m.quote(table), strings.Join(names, ", "), strings.Join(parameters, ", ")), values...)
	}
}

func (m *Migration) quote(name string) string {
	if m.db.Dialect().Name() == "mysql" {
		return "`" + name + "`"
	}
	return `"` + name + `"`
}

// Exec runs a statement.
func (m *Migration) Exec(sql string, args ...any) {
	m.t.Helper()
	if err := m.db.Exec(m.ctx, sql, args...); err != nil {
		m.t.Fatalf("%s: %v", sql, err)
	}
}

// Forward applies the migration.
func (m *Migration) Forward() {
	m.t.Helper()
	m.before = m.tables()
	m.apply(migrate.Target{App: m.app, Name: m.name})
}

// Fails applies the migration, which must fail, and returns the error. Nothing of it may be
// left on a database whose DDL is transactional, unless it is NonAtomic.
func (m *Migration) Fails() error {
	m.t.Helper()
	_, err := m.graph.Apply(m.ctx, m.db, migrate.Target{App: m.app, Name: m.name}, migrate.Options{})
	if err == nil {
		m.t.Fatalf("%s.%s did not fail", m.app, m.name)
	}
	return err
}

// Backward undoes the migration. The tables must then be as they were before Forward.
func (m *Migration) Backward() {
	m.t.Helper()
	m.apply(migrate.Target{App: m.app, Name: m.name, Before: true})
	if m.before == nil {
		return
	}
	if diff := difference(m.before, m.tables()); diff != "" {
		m.t.Errorf("%s.%s undone leaves other tables than before (-before +undone):\n%s", m.app, m.name, diff)
	}
}

// Want fails the test unless a query returns these rows, each with its values separated by
// "|": "1|hello|NULL". Instants are as in RFC 3339, in UTC. Booleans are true and false on
// PostgreSQL, and 1 and 0 on other databases.
func (m *Migration) Want(query string, rows ...string) {
	m.t.Helper()
	found, err := m.db.Query(m.ctx, query)
	if err != nil {
		m.t.Fatalf("%s: %v", query, err)
	}
	got := make([]string, len(found))
	for i, row := range found {
		values := make([]string, len(row))
		for n, value := range row {
			values[n] = text(value)
		}
		got[i] = strings.Join(values, "|")
	}
	if !slices.Equal(rows, got) {
		m.t.Errorf("%s\nreturns\n\t%s\nwant\n\t%s", query, strings.Join(got, "\n\t"), strings.Join(rows, "\n\t"))
	}
}

// difference lists the lines that are only in one of two lists.
func difference(before, after []string) string {
	var b strings.Builder
	for _, line := range before {
		if !slices.Contains(after, line) {
			b.WriteString("- " + line + "\n")
		}
	}
	for _, line := range after {
		if !slices.Contains(before, line) {
			b.WriteString("+ " + line + "\n")
		}
	}
	return b.String()
}

func text(value any) string {
	switch v := value.(type) {
	case nil:
		return "NULL"
	case []byte:
		return string(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(value)
}

// tables describes the tables, line by line, in an order that does not depend on how they
// came about.
func (m *Migration) tables() []string {
	m.t.Helper()
	inspector, ok := m.db.Dialect().(schema.Inspector)
	if !ok {
		return nil
	}
	live, err := inspector.Inspect(m.ctx, m.db.Query)
	if err != nil {
		m.t.Fatal(err)
	}
	lines := []string{}
	for _, table := range live {
		if table.Name == migrate.HistoryTable || table.Name == migrate.JournalTable {
			continue
		}
		add := func(kind string, value any) {
			line, err := json.Marshal(value)
			if err != nil {
				m.t.Fatal(err)
			}
			lines = append(lines, table.Name+" "+kind+" "+string(line))
		}
		for _, c := range table.Columns {
			add("column", c)
		}
		for _, i := range table.Indexes {
			add("index", i)
		}
		for _, k := range table.ForeignKeys {
			add("foreign key", k)
		}
		for _, c := range table.Checks {
			add("check", c)
		}
		add("rest", []any{table.Comment, table.Triggers, table.View})
	}
	slices.Sort(lines)
	return lines
}
