package migrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// dump describes the tables of a database as it sees them itself, in an order
// that does not depend on how they came about.
func dump(t testing.TB, db *testDatabase) []string {
	t.Helper()
	if db.Dialect().Name() == "sqlite" {
		return dumpSQLite(t, db)
	}
	return dumpLive(t.Context(), t, db)
}

func dumpLive(ctx context.Context, t testing.TB, db *testDatabase) []string {
	t.Helper()
	live, err := db.Dialect().(schema.Inspector).Inspect(ctx, db.Values)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, table := range live {
		if table.Name == HistoryTable || table.Name == JournalTable {
			continue
		}
		add := func(kind string, lines []string) {
			sort.Strings(lines)
			for _, line := range lines {
				all = append(all, table.Name+" "+kind+" "+line)
			}
		}
		var columns, indexes, checks []string
		for _, c := range table.Columns {
			columns = append(columns, oneLine(t, c))
		}
		for _, i := range table.Indexes {
			indexes = append(indexes, oneLine(t, i))
		}
		for _, c := range table.Checks {
			checks = append(checks, oneLine(t, c))
		}
		add("column", columns)
		add("key", []string{columnNames(&schema.Table{Columns: table.PrimaryKey()})})
		add("index", indexes)
		add("check", checks)
		add("other", []string{table.Comment, fmt.Sprint(table.Triggers, table.ForeignKeys)})
	}
	return all
}

func oneLine(t testing.TB, value any) string {
	t.Helper()
	line, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}

func dumpSQLite(t testing.TB, db *testDatabase) []string {
	t.Helper()
	var all []string
	for _, table := range db.tables(t) {
		add := func(kind string, lines []string) {
			sort.Strings(lines)
			for _, line := range lines {
				all = append(all, table+" "+kind+" "+line)
			}
		}
		add("column", db.rows(t, fmt.Sprintf(`SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo('%s')`, table)))
		add("reference", db.rows(t, fmt.Sprintf(`SELECT "from", "table", "to", on_delete FROM pragma_foreign_key_list('%s')`, table)))
		var indexes []string
		for _, row := range db.rows(t, fmt.Sprintf(`SELECT name, "unique", origin, partial FROM pragma_index_list('%s')`, table)) {
			name, _, _ := strings.Cut(row, "|")
			columns := db.rows(t, fmt.Sprintf(`SELECT name, "desc" FROM pragma_index_xinfo('%s') WHERE key`, name))
			where := db.rows(t, fmt.Sprintf(`SELECT substr(sql, instr(sql, ' WHERE ')) FROM sqlite_schema WHERE name = '%s' AND sql LIKE '%% WHERE %%'`, name))
			if strings.HasPrefix(name, "sqlite_autoindex") {
				row = strings.TrimPrefix(row, name)
			}
			indexes = append(indexes, fmt.Sprint(row, columns, where))
		}
		add("index", indexes)
		sql := db.rows(t, fmt.Sprintf(`SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = '%s'`, table))[0]
		add("check", checkPattern.FindAllString(strings.ReplaceAll(sql, ",\n", "\n"), -1))
		if strings.Contains(sql, "AUTOINCREMENT") {
			add("auto", []string{"increment"})
		}
	}
	return all
}

var checkPattern = regexp.MustCompile(`(?m)CONSTRAINT "\w+" CHECK .*\)$|CHECK \(json_valid\("\w+"\)\)`)

// dumpOf describes a database in which the tables were created directly.
func dumpOf(t testing.TB, kind testdb.Kind, tables []*schema.Table) []string {
	t.Helper()
	db := openKind(t, kind)
	if kind.Name == "postgres" {
		return dumpAndForget(t, db, tables)
	}
	defer db.Close()
	db.exec(t, schema.CreateTables(db.Dialect(), tables)...)
	return dump(t, db)
}

// errForget undoes a transaction.
var errForget = errors.New("forget")

// dumpAndForget describes tables that are created in a transaction, which is
// undone.
func dumpAndForget(t testing.TB, db *testDatabase, tables []*schema.Table) []string {
	t.Helper()
	var lines []string
	err := db.Transaction(t.Context(), TransactionOptions{}, func(ctx context.Context) error {
		for _, statement := range schema.CreateTables(db.Dialect(), tables) {
			if err := db.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		lines = dumpLive(ctx, t, db)
		return errForget
	})
	if !errors.Is(err, errForget) {
		t.Fatal(err)
	}
	return lines
}
