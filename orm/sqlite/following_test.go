package sqlite_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/sqlite"
)

// Entry is inserted many at a time.
type Entry struct {
	ID   int64 `orm:"pk"`
	Name string
}

func (Entry) Meta(*Entry) orm.Meta { return orm.Meta{Table: "entry"} }

var entries = orm.Register[Entry]()

// TestManyRowsGetTheirOwnKeys inserts so many rows that keys are counted where that is known
// to be right, into tables in which it is and in which it is not.
func TestManyRowsGetTheirOwnKeys(t *testing.T) {
	t.Parallel()
	const table = "CREATE TABLE entry (id INTEGER PRIMARY KEY, name TEXT NOT NULL)"
	counting := "CREATE TABLE entry (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL)"
	for name, setup := range map[string][]string{
		"plain":          {table},
		"rows before":    {table, "INSERT INTO entry VALUES (70, 'x'), (5, 'y')"},
		"autoincrement":  {counting},
		"greatest gone":  {counting, "INSERT INTO entry VALUES (9000, 'x')", "DELETE FROM entry"},
		"nearly full":    {table, "INSERT INTO entry VALUES (9223372036854775340, 'x')"},
		"trigger adds":   {table, "CREATE TRIGGER more AFTER INSERT ON entry WHEN new.name NOT LIKE 'more%' BEGIN INSERT INTO entry (name) VALUES ('more ' || new.name); END"},
		"trigger before": {table, "CREATE TRIGGER more BEFORE INSERT ON Entry WHEN new.name LIKE '%7' BEGIN INSERT INTO entry (name) VALUES ('more ' || new.name); END"},
		"other trigger":  {table, "CREATE TABLE log (name TEXT)", "CREATE TRIGGER more AFTER INSERT ON log BEGIN DELETE FROM entry; END"},
		"replacing":      {"CREATE TABLE entry (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE ON CONFLICT REPLACE)", "INSERT INTO entry VALUES (500, 'n 300')"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, db := open(t, ":memory:", sqlite.Options{})
			for _, sql := range setup {
				exec(t, ctx, db, sql)
			}
			rows := make([]*Entry, 450)
			for i := range rows {
				rows[i] = &Entry{Name: "n " + strconv.Itoa(i)}
			}
			if err := entries.Insert(ctx, rows...); err != nil {
				t.Fatal(err)
			}
			e := entries.Fields()
			for i, row := range rows {
				stored, err := entries.Where(orm.Eq(&e.ID, row.ID)).Get(ctx)
				if err != nil || stored.Name != row.Name {
					t.Fatalf("row %d got the key %d, which is that of %+v (%v)", i, row.ID, stored, err)
				}
			}
		})
	}
}

func TestRowsThatATableLeavesOutAreMissed(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, ":memory:", sqlite.Options{})
	exec(t, ctx, db, "CREATE TABLE entry (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE ON CONFLICT IGNORE)")
	rows := make([]*Entry, 450)
	for i := range rows {
		rows[i] = &Entry{Name: "n " + strconv.Itoa(i)}
	}
	rows[310].Name = "n 100"
	if err := entries.Insert(ctx, rows...); err == nil {
		t.Error("no error, where a row was not inserted")
	}
	if rows[0].ID != 0 || one(t, ctx, db, "SELECT count(*) FROM entry") != int64(0) {
		t.Error("rows of an insert that failed keep their keys, or are there")
	}
}

// texts are the statements sent.
type texts []string

func (l *texts) QueryStart(ctx context.Context, e *orm.QueryEvent) context.Context {
	*l = append(*l, e.SQL)
	return ctx
}

func (*texts) QueryEnd(context.Context, *orm.QueryEvent) {}

// TestKeysAreCountedOnce looks at what is sent: one batch returns its keys, the others do not.
func TestKeysAreCountedOnce(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, ":memory:", sqlite.Options{})
	exec(t, ctx, db, "CREATE TABLE entry (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
	sent := &texts{}
	db.AddHook(sent)
	rows := make([]*Entry, 350)
	for i := range rows {
		rows[i] = &Entry{Name: "n"}
	}
	if err := entries.Insert(ctx, rows...); err != nil {
		t.Fatal(err)
	}
	returning, inserts := 0, 0
	for _, sql := range *sent {
		if strings.HasPrefix(sql, "INSERT") {
			inserts++
		}
		if strings.HasSuffix(sql, `RETURNING "id"`) {
			returning++
		}
	}
	if inserts != 4 || returning != 2 {
		t.Errorf("%d INSERTs, %d of them RETURNING; want 4, the first and the short one at the end RETURNING", inserts, returning)
	}
}
