package migrate

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/retort-web/retort/orm/schema"
)

// dump describes the tables of a database as SQLite itself sees them, in an
// order that does not depend on how they came about.
func dump(t testing.TB, db *testDatabase) []string {
	t.Helper()
	var all []string
	for _, table := range db.rows(t, sqliteTables) {
		if table == HistoryTable {
			continue
		}
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
func dumpOf(t testing.TB, tables []*schema.Table) []string {
	t.Helper()
	db := openTest(t)
	for _, table := range tables {
		db.exec(t, db.Dialect().CreateTable(table)...)
	}
	return dump(t, db)
}
