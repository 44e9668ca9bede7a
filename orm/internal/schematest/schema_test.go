package schematest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

func TestQueriesOfASchema(t *testing.T) { //nolint:paralleltest // one schema for all
	s, k, th := Shelves.Fields(), Keepers.Fields(), Things.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		ann, bob := fill(t, ctx)
		if got := Shelves.Info().Table; got != store+".schematest_shelf" {
			t.Errorf("the table is %s", got)
		}
		for _, c := range []struct {
			name string
			rows orm.QuerySet[Shelf]
			want string
		}{
			{"all", Shelves, "ann1 ann2 bob1 bob2"},
			{"joined", Shelves.Where(orm.Eq(&s.Keeper.To().Name, "bob")), "bob1 bob2"},
			{"to many", Shelves.Where(orm.Eq(&s.Things.To().Amount, 2)), "ann2 bob2"},
			{"not to many", Shelves.Where(orm.Not(orm.Eq(&s.Things.To().Amount, 2))), "ann1 bob1"},
			{"aggregate", Shelves.Where(orm.Sum(&s.Things.To().Amount).Gt(1)), "ann2 bob2"},
			{"subquery", Shelves.Where(orm.InQuery(&s.ID, Things.Where(orm.Eq(&th.Amount, 1)), &th.Shelf.ID)), "ann1 bob1"},
			{"exists", Shelves.Where(orm.Exists(Things.Where(orm.EqField(&th.Shelf.ID, orm.Outer(&s.ID)), orm.Eq(&th.Name, "tann1")))), "ann1"},
			{"of itself", Shelves.Where(orm.Exists(Shelves.Where(orm.EqField(&s.Place, orm.Outer(&s.Place)), orm.Eq(&s.Code, "bob1")))), "bob1"},
			{"union", Shelves.Where(orm.Eq(&s.Code, "ann1")).Union(Shelves.Where(orm.Eq(&s.Code, "bob1"))), "ann1 bob1"},
			{"derived", Shelves.OrderBy(orm.Desc(&s.Place)).Limit(2).Derived(), "bob1 bob2"},
			{"window", Shelves.Where(orm.RowNumber().Over(orm.Window{PartitionBy: orm.Fields(&s.Keeper.ID), OrderBy: orm.By(orm.Desc(&s.Place))}).Eq(1)), "ann2 bob2"},
			{"omitted", Shelves.Omit(&s.Place), "ann1 ann2 bob1 bob2"},
		} {
			got, err := c.rows.OrderBy(orm.Asc(&s.Code)).All(ctx)
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			} else if codes(got) != c.want {
				t.Errorf("%s: %q, want %q", c.name, codes(got), c.want)
			}
		}
		loaded, err := Keepers.With(&k.Shelves, &k.Shelves.To().Things).OrderBy(orm.Asc(&k.Name)).All(ctx)
		must(t, err)
		shelves, err := loaded[0].Shelves.Get()
		must(t, err)
		things, err := shelves[1].Things.Get()
		must(t, err)
		if codes(shelves) != "ann1 ann2" || len(things) != 1 || things[0].Name != "tann2" {
			t.Errorf("loaded %s, and %v", codes(shelves), things)
		}
		if thing, err := Things.With(&th.Shelf.To().Keeper).Where(orm.Eq(&th.Name, "tbob2")).Get(ctx); err != nil || thing.Shelf.To().Keeper.To().Name != "bob" {
			t.Errorf("loaded by a join: %v, %v", thing, err)
		}
		type total struct{ Keeper, Things int64 }
		rows, err := orm.Select[total](Shelves.GroupBy(&s.Keeper.ID).OrderBy(orm.Asc(&s.Keeper.ID)), orm.As("Keeper", &s.Keeper.ID), orm.As("Things", orm.Sum(&s.Things.To().Amount))).All(ctx)
		if err != nil || len(rows) != 2 || rows[1] != (total{bob.ID, 3}) {
			t.Errorf("grouped: %v, %v", rows, err)
		}
		cte := orm.NewCTE("schematest_shelf", orm.Select[total](Shelves, orm.As("Keeper", &s.Keeper.ID), orm.As("Things", orm.Count(&s.Things))))
		if n, err := Keepers.Join(cte, orm.EqField(&k.ID, &cte.Fields().Keeper)).Where(orm.Eq(&k.Name, "ann")).Count(ctx); err != nil || n != 2 {
			t.Errorf("joined with a common table expression of the table's name: %d, %v", n, err)
		}
		inner := &Shelf{Code: "inner", Place: 99, Keeper: orm.FK[Keeper]{ID: ann.ID}, Inside: orm.FK[Shelf]{ID: shelves[0].ID}}
		must(t, Shelves.Insert(ctx, inner))
		up, err := Shelves.Where(orm.Eq(&s.Code, "inner")).Walk(&s.Inside).OrderBy(orm.Asc(&s.Code)).All(ctx)
		if err != nil || codes(up) != "ann1 inner" {
			t.Errorf("walked: %q, %v", codes(up), err)
		}
		must(t, orm.Atomic(ctx, func(ctx context.Context) error {
			_, err := Shelves.Where(orm.Eq(&s.Code, "inner")).With(&s.Keeper).ForUpdate(orm.LockOf(s)).Get(ctx)
			if kind.Name == "mysql" && err != nil && strings.Contains(err.Error(), "OF") {
				err = nil // MariaDB has no OF
			}
			return err
		}))
		n := 0
		for _, err := range Shelves.Each(ctx) {
			must(t, err)
			n++
		}
		if n != 5 {
			t.Errorf("%d rows one by one", n)
		}
	})
}

func TestWritesInASchema(t *testing.T) { //nolint:paralleltest // one schema for all
	s, k := Shelves.Fields(), Keepers.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		ann, bob := fill(t, ctx)
		all, err := Shelves.OrderBy(orm.Asc(&s.Code)).All(ctx)
		must(t, err)
		for _, shelf := range all {
			shelf.Place += 100
		}
		must(t, Shelves.UpdateRows(ctx, all, &s.Place))
		all[0].Code = "first"
		must(t, Shelves.UpdateRow(ctx, all[0], &s.Code))
		stale := *all[0]
		stale.Version--
		if err := Shelves.UpdateRow(ctx, &stale, &s.Code); !errors.Is(err, orm.ErrStale) {
			t.Errorf("an old version: %v", err)
		}
		if n, err := Shelves.Where(orm.Eq(&s.Keeper.To().Name, "ann")).Update(ctx, orm.Set(&s.Place, orm.Add(&s.Place, 1))); err != nil || n != 2 {
			t.Errorf("update of joined rows: %d, %v", n, err)
		}
		if n, err := Shelves.Where(orm.Has(&s.Things)).Update(ctx, orm.Set(&s.Place, orm.Coalesce(orm.Subquery(Shelves.Where(orm.EqField(&s.ID, orm.Outer(&s.ID))), &s.Place), 1))); err != nil || n != 4 {
			t.Errorf("update by the table itself: %d, %v", n, err)
		}
		must(t, Shelves.Reload(ctx, all[0]))
		if all[0].Place != 102 || all[0].Code != "first" {
			t.Errorf("after the updates: %+v", all[0])
		}

		again := &Shelf{Code: "first", Place: 5, Keeper: orm.FK[Keeper]{ID: bob.ID}}
		err = Shelves.Insert(ctx, again)
		refused, ok := errors.AsType[*orm.ConstraintError](err)
		if !ok || !orm.IsUnique(err) || len(refused.Fields()) != 1 || refused.Fields()[0].Name != "Code" {
			t.Errorf("the same code: %v, of %+v", err, refused)
		}
		if err := Shelves.Insert(ctx, &Shelf{Code: "x", Place: -1, Keeper: orm.FK[Keeper]{ID: bob.ID}}); !orm.IsCheck(err) {
			t.Errorf("a place below the check: %v", err)
		}
		if err := Shelves.Insert(ctx, &Shelf{Code: "x", Place: 1, Keeper: orm.FK[Keeper]{ID: 999}}); !orm.IsForeignKey(err) {
			t.Errorf("nobody's: %v", err)
		}
		must(t, Shelves.Upsert(ctx, again, orm.Conflict{Fields: orm.Fields(&s.Code), Update: orm.Fields(&s.Place)}))
		if again.ID != all[0].ID {
			t.Errorf("upserted %d, not %d", again.ID, all[0].ID)
		}
		row := &Shelf{Code: "made", Place: 3, Keeper: orm.FK[Keeper]{ID: bob.ID}}
		made, err := Shelves.GetOrInsert(ctx, row, &s.Code)
		if err != nil || !made || row.ID == 0 {
			t.Errorf("get or insert: %v, %v, %v", row, made, err)
		}
		must(t, Shelves.Insert(ctx, &Shelf{Model: orm.Model{ID: 500}, Code: "own", Place: 1, Keeper: orm.FK[Keeper]{ID: bob.ID}}))
		next := &Shelf{Code: "next", Place: 1, Keeper: orm.FK[Keeper]{ID: bob.ID}}
		must(t, Shelves.Insert(ctx, next))
		if next.ID != 501 {
			t.Errorf("the key after 500 is %d", next.ID)
		}
		label := &Label{Text: "red"}
		must(t, Labels.Insert(ctx, label))
		must(t, all[0].Labels.Add(ctx, label))
		must(t, ann.Likes.Add(ctx, all[0], all[1]))
		if n, err := Keepers.Where(orm.Eq(&k.Likes.To().Labels.To().Text, "red")).Count(ctx); err != nil || n != 1 {
			t.Errorf("through both join tables: %d, %v", n, err)
		}
		red := &Extended{Label: Label{Text: "red, too"}, Color: "red"}
		must(t, Extends.Insert(ctx, red))
		must(t, red.Thanks.Add(ctx, ann))
		err = Extends.Insert(ctx, &Extended{Color: "red"})
		if refused, ok := errors.AsType[*orm.ConstraintError](err); !ok || len(refused.Fields()) != 1 || refused.Fields()[0].Name != "Color" {
			t.Errorf("the same color: %v", err)
		}
		if n, err := Labels.Count(ctx); err != nil || n != 2 {
			t.Errorf("%d labels, %v", n, err)
		}
		must(t, Keeps.Insert(ctx, &Kept{Key: KeptKey{orm.FK[Shelf]{ID: next.ID}, 1}, Amount: 2}))
		kept := Keeps.Fields()
		if n, err := Keeps.Where(orm.Eq(&kept.Key.Shelf.To().Code, "next")).Update(ctx, orm.Set(&kept.Amount, 3)); err != nil || n != 1 {
			t.Errorf("update by a key of several columns: %d, %v", n, err)
		}
		if n, err := Things.Count(ctx); err != nil || n != 4 {
			t.Errorf("the table of the same name: %d, %v", n, err)
		}
		if _, err := Shelves.Where(orm.Eq(&s.Code, "first")).HardDelete(ctx); err == nil {
			t.Error("deleted a shelf with things")
		} else if p, ok := errors.AsType[*orm.ProtectedError](err); !ok || len(p.By) != 1 || p.By[0].Field.Name != "Shelf" {
			t.Errorf("deleting a shelf with things: %v", err)
		}
		if _, err := Shelves.Where(orm.Eq(&s.Code, "next")).HardDelete(ctx); err != nil {
			t.Error(err)
		}
		if n, err := Keeps.Count(ctx); err != nil || n != 0 {
			t.Errorf("%d kept after their shelf is gone, %v", n, err)
		}
		_, err = Things.DeleteAll(ctx)
		must(t, err)
		must(t, Keepers.DeleteRow(ctx, bob))
		if n, err := Shelves.WithDeleted().Count(ctx); err != nil || n != 2 {
			t.Errorf("%d shelves after their keeper is gone, %v", n, err)
		}
	})
}
