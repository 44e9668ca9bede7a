package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// everyType has a column of each type, some of which may be NULL.
func everyType() *schema.Table {
	return table("shop", "Item",
		schema.Column{Name: "on_sale", Field: "Sale", Type: schema.Bool},
		schema.Column{Name: "small", Type: schema.Int16},
		schema.Column{Name: "owner_id", Field: "Owner", Type: schema.Int64, Null: true},
		schema.Column{Name: "ratio", Type: schema.Float64},
		schema.Column{Name: "price", Type: schema.Decimal, Size: 10, Scale: 2},
		schema.Column{Name: "title", Type: schema.String, Size: 50},
		schema.Column{Name: "body", Type: schema.Text, Null: true},
		schema.Column{Name: "raw", Type: schema.Bytes, Null: true},
		schema.Column{Name: "day", Type: schema.Date},
		schema.Column{Name: "at", Type: schema.DateTime, Null: true},
		schema.Column{Name: "opens", Type: schema.Time},
		schema.Column{Name: "took", Type: schema.Duration},
		schema.Column{Name: "code", Type: schema.UUID},
		schema.Column{Name: "data", Type: schema.JSON},
	)
}

type status string

type item struct {
	ID     int64
	Sale   bool
	Small  int
	Owner  *int64
	Ratio  float64
	Price  string
	Title  status
	Body   *string
	Raw    []byte
	Day    time.Time
	When   *time.Time `column:"at"`
	Opens  string
	Took   time.Duration
	Code   string
	Data   string
	hidden int //nolint:unused // fields that are not exported are nobody's columns
}

func newItem(n int) item {
	return item{
		Sale: true, Small: n, Owner: new(int64(7)), Ratio: 0.5, Price: "12.50", Title: "title", Body: new("it's"), Raw: []byte{0, 1, 255},
		Day: time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC), When: new(time.Date(2026, 2, 28, 10, 11, 12, 131415000, time.UTC)), Opens: "09:30:00",
		Took: 90 * time.Second, Code: "00000000-0000-4000-8000-000000000001", Data: `{"a": 1}`,
	}
}

// code adds a migration of shop that runs Go code, and applies it.
func runCode(t testing.TB, p *project, db Database, code func(context.Context, Database) error) error {
	t.Helper()
	p.add(t, "shop", fmt.Sprintf("%04d_code", len(p.sets["shop"].migrations)+1), RunCode{Code: code, ReverseCode: code})
	_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{})
	return err
}

func TestRowsOfEveryType(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.add(t, "shop", "0001_initial", CreateModel{Table: *everyType()})
		items := RowsOf[item]("Item")
		empty := newItem(2)
		empty.Owner, empty.Body, empty.Raw, empty.When = nil, nil, nil, nil
		var read []item
		err := runCode(t, p, db, func(ctx context.Context, db Database) error {
			if err := items.Insert(ctx, db, newItem(1), empty); err != nil {
				return err
			}
			return items.Each(ctx, db, Batches{}, func(_ context.Context, row *item) error {
				read = append(read, *row)
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		full := newItem(1)
		full.ID, empty.ID = 1, 2
		for i := range read {
			read[i].Data = strings.ReplaceAll(strings.ReplaceAll(read[i].Data, " ", ""), `":`, `": `)
			read[i].Price = strings.TrimSuffix(read[i].Price, "0") + "0"
			read[i].Opens = read[i].Opens[:8]
			read[i].Day = read[i].Day.UTC()
		}
		if diff := cmp.Diff([]item{full, empty}, read, cmp.AllowUnexported(item{})); diff != "" {
			t.Error(diff)
		}
		// What is read is written as it was.
		err = runCode(t, p, db, func(ctx context.Context, db Database) error {
			return items.Update(ctx, db, Batches{Size: 1}, func(row *item) error {
				row.Small += 10
				row.Owner = nil
				row.Took *= 2
				row.Day = row.Day.AddDate(0, 0, 1)
				row.Sale = !row.Sale
				row.Raw = append(row.Raw, 9)
				row.When = new(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
				row.Price, row.Data = "1.00", "[]"
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		got := db.rows(t, `SELECT small, owner_id, took, body FROM shop_item WHERE price = 1 ORDER BY id`)
		if diff := cmp.Diff([]string{"11|NULL|180000000000|it's", "12|NULL|180000000000|NULL"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRowsAreComparedWithTheColumns(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		model Historical
		want  string
	}{
		"no model":  {RowsOf[struct{ ID int64 }]("Thing"), "no model shop.Thing exists at this point"},
		"no column": {RowsOf[struct{ Name string }]("Item"), "shop.Item has no column for the field Name of"},
		"wrong tag": {RowsOf[struct {
			X string `column:"x"`
		}]("shop.Item"), "no column for the field X"},
		"wrong type":    {RowsOf[struct{ Title int }]("Item"), "the column shop.Item.title needs string"},
		"too small":     {RowsOf[struct{ ID int32 }]("Item"), "needs int64"},
		"NULL":          {RowsOf[struct{ Body string }]("Item"), "needs a pointer to string"},
		"not a struct":  {RowsOf[int]("Item"), "need a struct"},
		"no fields":     {RowsOf[struct{ x int }]("Item"), "has no fields"},
		"time for text": {RowsOf[struct{ Title time.Time }]("Item"), "needs string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject()
			p.add(t, "shop", "0001_initial", CreateModel{Table: *everyType()})
			p.add(t, "shop", "0002_code", RunCode{Name: "fill", Models: []Historical{test.model}, Code: NoCode})
			// Before there is a database: makemigrations and check find it.
			_, err := p.graph(t).Check(nil)
			contains(t, err, nil, "shop.0002_code", "Run Go code: fill", test.want)
		})
	}
	// As they are at that point, not as they become.
	p, db := newProject(), openTest(t)
	p.add(t, "shop", "0001_initial", CreateModel{Table: *everyType()})
	type before struct {
		ID    int64
		Title string
	}
	p.add(t, "shop", "0002_code", RunCode{Models: []Historical{RowsOf[before]("Item")}, Code: func(ctx context.Context, db Database) error {
		return RowsOf[before]("Item").Each(ctx, db, Batches{}, func(context.Context, *before) error { return nil })
	}})
	p.add(t, "shop", "0003_rename", RenameModel{From: "Item", To: "Thing", Table: "shop_thing"}, RenameField{Model: "Thing", From: "title", To: "name"})
	p.migrate(t, db)
	err := RowsOf[before]("Item").Insert(t.Context(), db)
	contains(t, err, nil, "with the context that it is given")
}

func TestUpdateInBatches(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		pairs := table("shop", "Pair", schema.Column{Name: "b", Type: schema.String, Size: 10, PrimaryKey: true}, schema.Column{Name: "n", Type: schema.Int64})
		pairs.Columns[0] = schema.Column{Name: "a", Type: schema.Int32, PrimaryKey: true}
		p.add(t, "shop", "0001_initial", CreateModel{Table: *pairs})
		type pair struct {
			A int32
			B string
			N int64
		}
		rows := RowsOf[pair]("Pair")
		var told []int
		err := runCode(t, p, db, func(ctx context.Context, db Database) error {
			for a := range int32(3) {
				for _, b := range []string{"x", "y", "z"} {
					if err := rows.Insert(ctx, db, pair{a, b, 1}); err != nil {
						return err
					}
				}
			}
			return rows.Update(ctx, db, Batches{Size: 2, Where: `a <> ? AND b <> '?'`, Args: []any{1}, Progress: func(done int) { told = append(told, done) }},
				func(row *pair) error {
					row.N += 10
					return nil
				})
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := db.rows(t, `SELECT count(*) FROM shop_pair WHERE n = 11`); got[0] != "6" || fmt.Sprint(told) != "[2 4 6 6]" {
			t.Error(got, told)
		}
		for _, test := range []struct {
			batches Batches
			change  func(*pair) error
			want    string
		}{
			{Batches{Where: "a = ?"}, nil, "more parameters"},
			{Batches{Where: "a = 1", Args: []any{1}}, nil, "1 more values"},
			{Batches{}, func(row *pair) error { row.A = 9; return nil }, "the key a"},
			{Batches{Where: "nothing = 1"}, nil, "read shop.Pair"},
		} {
			err := runCode(t, p, db, func(ctx context.Context, db Database) error { return rows.Update(ctx, db, test.batches, test.change) })
			contains(t, err, nil, test.want)
			delete(p.sets["shop"].migrations, fmt.Sprintf("%04d_code", len(p.sets["shop"].migrations)))
			if kind.Name == "mysql" { // what was broken off must be finished there
				db.exec(t, "DELETE FROM "+JournalTable)
			}
		}
		type keyless struct{ N int64 }
		err = runCode(t, p, db, func(ctx context.Context, db Database) error {
			return RowsOf[keyless]("Pair").Each(ctx, db, Batches{}, func(context.Context, *keyless) error { return nil })
		})
		contains(t, err, nil, "needs a field for each column of the primary key")
	})
}

// TestBatchesGoOnWhereTheyWereBrokenOff breaks a migration that is not one
// transaction off in each batch. What it does to a row must not be done twice.
func TestBatchesGoOnWhereTheyWereBrokenOff(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		type account struct {
			ID    int64
			Cents int64
		}
		accounts := RowsOf[account]("Account")
		p.add(t, "shop", "0001_initial", CreateModel{Table: *table("shop", "Account", schema.Column{Name: "cents", Type: schema.Int64})})
		p.migrate(t, db)
		for n := range 10 {
			db.exec(t, fmt.Sprintf("INSERT INTO shop_account (cents) VALUES (%d)", n))
		}
		broken := errors.New("broken off")
		seen, until := 0, 0
		multiply := func(row *account) error {
			if seen++; seen > until {
				return broken
			}
			row.Cents = row.Cents*100 + 1
			return nil
		}
		add := func(row *account) error {
			if seen++; seen > until {
				return broken
			}
			row.Cents++
			return nil
		}
		code := func(ctx context.Context, db Database) error {
			if err := accounts.Update(ctx, db, Batches{Size: 3}, multiply); err != nil {
				return err
			}
			return accounts.Update(ctx, db, Batches{Size: 4, Where: "cents > ?", Args: []any{0}}, add)
		}
		p.sets["shop"].Add(Migration{Name: "0002_cents", Dependencies: []string{"shop.0001_initial"}, NonAtomic: true, Operations: []Operation{RunCode{Name: "cents", Code: code}}})
		runs := 0
		for until = 2; ; until += 2 {
			runs++
			seen = 0
			until = min(until, 5)
			_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{})
			if err == nil {
				break
			}
			contains(t, err, broken, "shop.0002_cents", JournalTable)
			if runs > 20 {
				t.Fatal("it never ends")
			}
		}
		want := []string{}
		for n := range 10 {
			want = append(want, fmt.Sprint(n*100+2))
		}
		if diff := cmp.Diff(want, db.rows(t, "SELECT cents FROM shop_account ORDER BY id")); diff != "" {
			t.Error(diff)
		}
		if runs < 4 {
			t.Errorf("it was broken off %d times only", runs)
		}
	})
}

func TestRunSQLWithArguments(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		placeholder := db.Dialect().Placeholder
		p.add(t, "blog", "0002_tags",
			RunSQL{
				SQL: fmt.Sprintf("INSERT INTO blog_tag (name) VALUES (%s), (%s)", placeholder(1), placeholder(2)), Args: []any{"it's; fine?", "go"},
				ReverseSQL: "DELETE FROM blog_tag WHERE name = " + placeholder(1), ReverseArgs: []any{"go"},
			})
		p.migrate(t, db)
		if got := db.rows(t, "SELECT name FROM blog_tag ORDER BY id"); fmt.Sprint(got) != "[it's; fine? go]" {
			t.Error(got)
		}
		p.back(t, db, "blog", "0001")
		if got := db.rows(t, "SELECT name FROM blog_tag"); fmt.Sprint(got) != "[it's; fine?]" {
			t.Error(got)
		}
	})
}
