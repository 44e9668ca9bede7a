package migrate

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// ticketTables are a table with a key of several columns and one that refers to it.
func ticketTables() []*schema.Table {
	return []*schema.Table{
		{
			App: "hall", Model: "Seat", Name: "hall_seat",
			Columns: []schema.Column{
				{Name: "row", Field: "Key.Row", Type: schema.String, Size: 8, PrimaryKey: true},
				{Name: "number", Field: "Key.Number", Type: schema.Int64, PrimaryKey: true},
				{Name: "name", Field: "Name", Type: schema.String, Size: 20},
			},
		},
		{
			App: "hall", Model: "Ticket", Name: "hall_ticket",
			Columns: []schema.Column{
				idColumn(),
				{Name: "seat_row", Field: "Seat.Row", Type: schema.String, Size: 8},
				{Name: "seat_number", Field: "Seat.Number", Type: schema.Int64},
			},
			ForeignKeys: []schema.ForeignKey{{Columns: []string{"seat_row", "seat_number"}, Table: "hall_seat", References: []string{"row", "number"}, OnDelete: schema.Cascade, Model: "hall.Seat"}},
			Indexes:     []schema.Index{{Name: "hall_ticket_seat_idx", Columns: []schema.IndexColumn{{Name: "seat_row"}, {Name: "seat_number"}}}},
		},
	}
}

// TestKeysOfSeveralColumnsThroughTheAutodetector changes a table with such a key, and the
// reference to it, in every way that models can, with rows in the tables, and goes back.
func TestKeysOfSeveralColumnsThroughTheAutodetector(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		tables := ticketTables()
		p.make(t, tables, nil)
		p.migrate(t, db)
		first := dump(t, db)
		if diff := cmp.Diff(dumpOf(t, kind, tables), first); diff != "" {
			t.Errorf("(-created +migrated): %s", diff)
		}
		db.exec(t, `INSERT INTO hall_seat ("row", "number", name) VALUES ('a', 1, 'a1')`, "INSERT INTO hall_ticket (seat_row, seat_number) VALUES ('a', 1)")
		step := func(name string, asker Asker, change func(seat, ticket *schema.Table)) {
			t.Helper()
			tables = cloneTables(tables)
			change(pick(t, tables, "Seat"), pick(t, tables, "Ticket"))
			if made := p.make(t, tables, asker); len(made) == 0 {
				t.Errorf("%s: nothing to migrate", name)
			}
			if left := p.make(t, tables, nil); len(left) > 0 {
				t.Errorf("%s leaves %v", name, left)
			}
			p.migrate(t, db)
			if got := db.rows(t, "SELECT count(*) FROM hall_ticket"); !slices.Equal(got, []string{"1"}) {
				t.Errorf("%s: %v tickets", name, got)
			}
		}
		// MySQL does not change what a foreign key holds on to, so a longer key is three steps.
		step("without the reference", nil, func(_, ticket *schema.Table) { ticket.ForeignKeys = nil })
		step("another column of the key", nil, func(seat, ticket *schema.Table) {
			seat.Columns = slices.Insert(seat.Columns, 2, schema.Column{Name: "floor", Field: "Key.Floor", Type: schema.Int32, PrimaryKey: true, Default: new("0")})
			ticket.Columns = append(ticket.Columns, schema.Column{Name: "seat_floor", Field: "Seat.Floor", Type: schema.Int32, Default: new("0")})
		})
		step("the reference again", nil, func(_, ticket *schema.Table) {
			ticket.ForeignKeys = []schema.ForeignKey{{Columns: []string{"seat_row", "seat_number", "seat_floor"}, Table: "hall_seat", References: []string{"row", "number", "floor"}, OnDelete: schema.SetNull, Model: "hall.Seat"}}
			for i := range ticket.Columns[1:] {
				ticket.Columns[i+1].Null = true
			}
		})
		step("another name of a part", Answers{Renames: map[string]string{"hall.Seat.number": "place"}}, func(seat, ticket *schema.Table) {
			seat.Columns[1].Name, seat.Columns[1].Field = "place", "Key.Place"
			ticket.ForeignKeys[0].References[1] = "place"
		})
		if diff := cmp.Diff(dumpOf(t, kind, tables), dump(t, db)); diff != "" {
			t.Errorf("in the end (-created +migrated): %s", diff)
		}
		if got := db.rows(t, `SELECT t.seat_floor, s.name FROM hall_ticket t JOIN hall_seat s ON s."row" = t.seat_row AND s.place = t.seat_number`); !slices.Equal(got, []string{"0|a1"}) {
			t.Errorf("the rows: %s", strings.Join(got, ", "))
		}
		p.to(t, db, Target{App: "hall", Name: "0001"})
		if diff := cmp.Diff(first, dump(t, db)); diff != "" {
			t.Errorf("back at the first (-first +now): %s", diff)
		}
	})
}
