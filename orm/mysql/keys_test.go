package mysql_test

import (
	"strconv"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/mysql"
)

// Tag has a key that the database does not make, and two ways to be the same.
type Tag struct {
	Code string `orm:"pk,size=20"`
	Name string `orm:"size=20,unique"`
	Uses int
}

var Tags = orm.Register[Tag]()

// TestKeys runs on both ways to learn the keys of rows: MariaDB's RETURNING, and what
// MySQL has instead.
func TestKeys(t *testing.T) {
	t.Parallel()
	for _, returning := range []bool{true, false} {
		t.Run(strconv.FormatBool(returning), func(t *testing.T) {
			t.Parallel()
			url := kind(t).URL(t)
			db := testdb.OpenURL(t, url)
			testdb.CreateTables(t, db)
			if !returning {
				var err error
				db, err = mysql.OpenAsMySQL(t.Context(), url)
				must(t, err)
				t.Cleanup(func() { must(t, db.Close()) })
			}
			ctx := orm.WithDB(t.Context(), db)
			a := Accounts.Fields()

			rows := make([]*Account, 250)
			for i := range rows {
				rows[i] = &Account{Name: "n" + strconv.Itoa(i)}
			}
			must(t, Accounts.Insert(ctx, rows...))
			stored, err := Accounts.OrderBy(orm.Asc(&a.ID)).All(ctx)
			must(t, err)
			for i, row := range stored {
				if rows[i].ID != row.ID || rows[i].Name != row.Name {
					t.Fatalf("row %d: given %d %s, stored %d %s", i, rows[i].ID, rows[i].Name, row.ID, row.Name)
				}
			}

			same := orm.Conflict{Fields: orm.Fields(&a.Name), Update: orm.Fields(&a.Balance)}
			fresh := &Account{Name: "fresh", Balance: 1}
			must(t, Accounts.Upsert(ctx, fresh, same))
			again := &Account{Name: "fresh", Balance: 2, Note: "not written"}
			must(t, Accounts.Upsert(ctx, again, same))
			got, err := Accounts.Where(orm.Eq(&a.Name, "fresh")).Get(ctx)
			must(t, err)
			if fresh.ID == 0 || again.ID != fresh.ID || got.ID != fresh.ID || got.Balance != 2 || got.Note != "" {
				t.Errorf("%d, %d, stored %+v", fresh.ID, again.ID, got)
			}

			nothing := orm.Conflict{Fields: orm.Fields(&a.Name), Nothing: true}
			known, unknown := &Account{Name: "fresh", Balance: 3}, &Account{Name: "other", Balance: 3}
			must(t, Accounts.Upsert(ctx, known, nothing))
			must(t, Accounts.Upsert(ctx, unknown, nothing))
			if known.ID != 0 || unknown.ID <= fresh.ID {
				t.Errorf("keys %d and %d", known.ID, unknown.ID)
			}

			g := Tags.Fields()
			must(t, Tags.Insert(ctx, &Tag{Code: "a", Name: "A", Uses: 1}, &Tag{Code: "b", Name: "B", Uses: 1}))
			must(t, Tags.Upsert(ctx, &Tag{Code: "a", Name: "A", Uses: 5}, orm.Conflict{}))
			moved := &Tag{Code: "new", Name: "B", Uses: 6}
			must(t, Tags.Upsert(ctx, moved, orm.Conflict{Fields: orm.Fields(&g.Name), Update: orm.Fields(&g.Uses)}))
			if moved.Code != "b" {
				t.Errorf("the key of the row that was there: %q", moved.Code)
			}
			// A row in the way by another column than the one meant is an error, and stays.
			err = Tags.Upsert(ctx, &Tag{Code: "c", Name: "A", Uses: 9}, orm.Conflict{})
			if !orm.IsUnique(err) {
				t.Error(err)
			}
			if err := Tags.Upsert(ctx, &Tag{Code: "c", Name: "A"}, orm.Conflict{Nothing: true}); !orm.IsUnique(err) {
				t.Error(err)
			}
			uses, err := Tags.OrderBy(orm.Asc(&g.Code)).All(ctx)
			must(t, err)
			if len(uses) != 2 || *uses[0] != (Tag{"a", "A", 5}) || *uses[1] != (Tag{"b", "B", 6}) {
				t.Errorf("%+v %+v", uses[0], uses[1])
			}
		})
	}
}
