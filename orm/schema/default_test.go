package schema_test

import (
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// A default that is an expression is made, changed and taken away like any other.
func TestDefaultsThatAreExpressions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		db := kind.Open(t)
		run := func(statements ...string) {
			t.Helper()
			for _, statement := range statements {
				if _, err := db.Exec(t.Context(), statement); err != nil {
					t.Fatalf("%v in %s", err, statement)
				}
			}
		}
		table := &schema.Table{Name: "voucher", Columns: []schema.Column{{Name: "id", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true}, {Name: "n", Type: schema.Int64, Null: true}}}
		run(db.Schema().CreateTable(table)...)
		run("INSERT INTO voucher (n) VALUES (1)")
		code := schema.Column{Name: "code", Type: schema.String, Size: 20, Default: new("upper('it''s new')")}
		run(db.Schema().AddColumn(table, &code, nil)...)
		table.Columns = append(table.Columns, code)
		run("INSERT INTO voucher (n) VALUES (2)")
		after := table.Clone()
		after.Columns[2].Default = new("lower('NEWER')")
		run(db.Schema().AlterColumn(table, after, &table.Columns[2], &after.Columns[2], nil)...)
		run("INSERT INTO voucher (n) VALUES (3)")
		rows, err := db.Values(t.Context(), "SELECT code FROM voucher ORDER BY n")
		if err != nil || len(rows) != 3 || rows[0][0] != "IT'S NEW" || rows[1][0] != "IT'S NEW" || rows[2][0] != "newer" {
			t.Errorf("%v, %v", rows, err)
		}
	})
}
