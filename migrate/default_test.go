package migrate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// TestDefaultsOfExpressionsThroughTheAutodetector adds, changes and removes defaults that the
// database computes, as orm.DBDefault declares them, with and without a column, and goes back.
func TestDefaultsOfExpressionsThroughTheAutodetector(t *testing.T) {
	t.Parallel()
	voucher := func(columns ...schema.Column) []*schema.Table {
		return []*schema.Table{{App: "shop", Model: "Voucher", Name: "shop_voucher", Columns: append([]schema.Column{idColumn()}, columns...)}}
	}
	code := func(value string) schema.Column {
		c := schema.Column{Name: "code", Field: "Code", Type: schema.String, Size: 20}
		if value != "" {
			c.Default = &value
		}
		return c
	}
	amount := func(value string) schema.Column {
		c := schema.Column{Name: "amount", Field: "Amount", Type: schema.Int64}
		if value != "" {
			c.Default = &value
		}
		return c
	}
	since := schema.Column{Name: "since", Field: "Since", Type: schema.DateTime, DefaultNow: true}
	stages := []struct {
		tables []*schema.Table
		want   string // of a row that leaves all out
	}{
		{voucher(code("upper('it''s new')")), "IT'S NEW"},
		{voucher(code("lower('NEWER')"), amount("2 + 3"), since), "newer|5"}, // another expression, a column with one, the moment
		{voucher(code("'plain'"), amount("abs(-4)"), since), "plain|4"},      // an expression to a literal
		{voucher(code("coalesce(NULL, 'x''y')"), amount("7"), since), "x'y|7"},
	}
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		var dumps [][]string
		for i, stage := range stages {
			made := p.make(t, stage.tables, nil)
			if len(made) != 1 || strings.Contains(made[0], "Remove") {
				t.Errorf("stage %d: %v", i, made)
			}
			if left := p.make(t, stage.tables, nil); len(left) > 0 {
				t.Errorf("stage %d leaves %v", i, left)
			}
			p.migrate(t, db)
			insert := fmt.Sprintf("INSERT INTO shop_voucher (id) VALUES (%d)", i+1)
			db.exec(t, insert)
			columns := "code"
			if strings.Contains(stage.want, "|") {
				columns = "code, amount"
			}
			got := db.rows(t, fmt.Sprintf("SELECT %s FROM shop_voucher WHERE id = %d", columns, i+1))
			if !slices.Equal(got, []string{stage.want}) {
				t.Errorf("stage %d: the database fills in %v, want %s", i, got, stage.want)
			}
			dumps = append(dumps, dump(t, db))
		}
		if diff := cmp.Diff(dumpOf(t, kind, stages[len(stages)-1].tables), dumps[len(dumps)-1]); diff != "" {
			t.Errorf("(-created +migrated): %s", diff)
		}
		if got := db.rows(t, "SELECT code, amount FROM shop_voucher ORDER BY id"); !slices.Equal(got, []string{"IT'S NEW|5", "newer|5", "plain|4", "x'y|7"}) {
			t.Errorf("the rows: %v", got)
		}
		// Without a default existing rows keep what they have, and inserts need a value.
		p.make(t, voucher(code(""), amount(""), since), nil)
		p.migrate(t, db)
		if err := db.Exec(t.Context(), "INSERT INTO shop_voucher (id) VALUES (99)"); err == nil {
			t.Error("a value came from nowhere")
		}
		p.to(t, db, Target{App: "shop", Name: "0001"})
		if diff := cmp.Diff(dumps[0], dump(t, db)); diff != "" {
			t.Errorf("back at the first stage: %s", diff)
		}
	})
}
