package keytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// Seat has a key of several columns and everything else that a row may need to be told by.
type Seat struct {
	Key SeatKey `orm:"pk"`
	orm.SoftDelete
	Name    string    `orm:"size=20,unique"`
	Price   *int      `orm:"index"`
	Version int       `orm:"version"`
	Updated time.Time `orm:"auto_now"`
	Tickets orm.HasMany[Ticket]
	Next    orm.ForeignKey[Seat, SeatKey] `orm:"null,on_delete=set_null,related=Before"`
	Before  orm.HasMany[Seat]             `orm:"reverse=Next"`
}

type SeatKey struct {
	Row    string `orm:"size=4"`
	Number int
}

// Ticket goes with its seat, marked or in earnest.
type Ticket struct {
	Key TicketKey `orm:"pk"`
	orm.SoftDelete
	Holder string `orm:"size=20"`
}

type TicketKey struct {
	Seat orm.ForeignKey[Seat, SeatKey] `orm:"on_delete=cascade,related=Tickets"`
	Day  orm.Date
}

// Invoice keeps tickets from being deleted.
type Invoice struct {
	orm.Model
	Ticket orm.ForeignKey[Ticket, TicketKey] `orm:"on_delete=protect"`
	Text   string                            `orm:"size=20"`
}

var (
	Seats    = orm.Register[Seat]()
	Tickets  = orm.Register[Ticket]()
	Invoices = orm.Register[Invoice]()
)

// hall stores A1 to A3 and B1 to B3, whose prices are 10, 20 and none.
func hall(t testing.TB, ctx context.Context) map[string]*Seat {
	t.Helper()
	seats := map[string]*Seat{}
	for _, row := range []string{"A", "B"} {
		for n := 1; n <= 3; n++ {
			seat := &Seat{Key: SeatKey{row, n}, Name: fmt.Sprint(row, n)}
			if n < 3 {
				seat.Price = new(10 * n)
			}
			seats[seat.Name] = seat
			must(t, Seats.Insert(ctx, seat))
		}
	}
	return seats
}

func seatNames(seats []*Seat, err error) string {
	if err != nil {
		return err.Error()
	}
	var list []string
	for _, s := range seats {
		list = append(list, s.Name)
	}
	return strings.Join(list, " ")
}

func day(n int) orm.Date { return orm.NewDate(2026, time.May, n) }

func TestReadingByAKeyOfSeveralColumns(t *testing.T) {
	t.Parallel()
	s, tk := Seats.Fields(), Tickets.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		seats := hall(t, ctx)
		for i, name := range []string{"A1", "A1", "B2"} {
			ticket := &Ticket{Key: TicketKey{Day: day(i + 1)}, Holder: "ann"}
			ticket.Key.Seat.Set(seats[name])
			must(t, Tickets.Insert(ctx, ticket))
		}
		bulk, err := orm.InBulk(ctx, Seats, &s.Key, SeatKey{"A", 2}, SeatKey{"B", 9}, SeatKey{"B", 1})
		if err != nil || len(bulk) != 2 || bulk[SeatKey{"B", 1}].Name != "B1" {
			t.Errorf("in bulk: %v, %v", bulk, err)
		}
		if keys, err := orm.Pluck(ctx, Seats.OrderBy(orm.Desc(&s.Key)).Limit(2), &s.Key); err != nil || !slices.Equal(keys, []SeatKey{{"B", 3}, {"B", 2}}) {
			t.Errorf("keys alone: %v, %v", keys, err)
		}
		byKey := Seats.OrderBy(orm.Asc(&s.Key))
		for _, q := range []struct {
			name string
			rows orm.QuerySet[Seat]
			want string
		}{
			{"union", byKey.Limit(1).Union(Seats.OrderBy(orm.Desc(&s.Key)).Limit(1)).OrderBy(orm.Asc(&s.Key)), "A1 B3"},
			{"except", Seats.Except(Seats.Where(orm.Eq(&s.Key.Row, "A"))).OrderBy(orm.Asc(&s.Key)), "B1 B2 B3"},
			{"derived", Seats.OrderBy(orm.Desc(&s.Key)).Limit(4).Derived().Where(orm.Gt(&s.Key, SeatKey{"A", 3})).OrderBy(orm.Asc(&s.Key)), "B1 B2 B3"},
			{"window", byKey.Where(orm.RowNumber().Over(orm.Window{PartitionBy: orm.Fields(&s.Key.Row), OrderBy: orm.By(orm.Desc(&s.Key))}).Eq(1)), "A3 B3"},
			{"distinct on", byKey.DistinctOn(&s.Key.Row), "A1 B1"},
			{"counted", byKey.Where(orm.Count(&s.Tickets).Ge(1)), "A1 B2"},
			{"by the other side", byKey.Where(orm.Eq(&s.Tickets.To().Key.Day, day(3))), "B2"},
			{"exists", byKey.Where(orm.Exists(Tickets.Where(orm.EqField(&tk.Key.Seat.ID, orm.Outer(&s.Key)), orm.Eq(&tk.Key.Day, day(2))))), "A1"},
			{"only", byKey.LoadOnly(&s.Name).Limit(2), "A1 A2"},
		} {
			if got := seatNames(q.rows.All(ctx)); got != q.want {
				t.Errorf("%s: %s, want %s", q.name, got, q.want)
			}
		}
		rows := must1[[]*Seat](t)(byKey.With(orm.Only(&s.Tickets, Tickets.OrderBy(orm.Desc(&tk.Key.Day)).Limit(1))).All(ctx))
		if of := must1[[]*Ticket](t)(rows[0].Tickets.Get()); len(of) != 1 || of[0].Key.Day != day(2) || of[0].Key.Seat.To() != rows[0] {
			t.Errorf("the last ticket of A1: %v", of)
		}
		rows = must1[[]*Seat](t)(byKey.All(ctx))
		must(t, orm.Load(ctx, rows, &s.Tickets))
		if of := must1[[]*Ticket](t)(rows[0].Tickets.Get()); len(of) != 2 {
			t.Errorf("loaded onto A1: %v", of)
		}
		tickets := must1[[]*Ticket](t)(Tickets.OrderBy(orm.Asc(&tk.Key)).All(ctx))
		must(t, orm.Load(ctx, tickets, &tk.Key.Seat))
		if tickets[0].Key.Seat.To() != tickets[1].Key.Seat.To() || tickets[2].Key.Seat.To().Name != "B2" {
			t.Error("loaded onto tickets")
		}
		must(t, orm.Atomic(ctx, func(ctx context.Context) error {
			n := 0
			for seat, err := range byKey.With(&s.Tickets).ForUpdate().Each(ctx) {
				must(t, err)
				n += len(must1[[]*Ticket](t)(seat.Tickets.Get()))
			}
			if n != 3 {
				t.Errorf("%d tickets of the seats one by one", n)
			}
			return nil
		}))
		for _, order := range [][]orm.Order{
			{orm.Asc(&s.Price)}, {orm.Desc(&s.Price)}, {orm.Asc(&s.Price).NullsLast()}, {orm.Desc(&s.Key)}, {orm.Asc(&s.Key.Number), orm.Desc(&s.Key.Row)},
		} {
			all := seatNames(Seats.OrderBy(append(slices.Clone(order), orm.Asc(&s.Key))...).All(ctx))
			var pages, back []string
			var last string
			for cursor := ""; ; {
				page := must1[orm.CursorPage[Seat]](t)(Seats.OrderBy(order...).CursorPage(ctx, cursor, 2))
				pages = append(pages, seatNames(page.Items, nil))
				if last = page.Previous; page.Next == "" {
					break
				}
				cursor = page.Next
			}
			if got := strings.Join(pages, " "); got != all {
				t.Errorf("page by page %s, at once %s", got, all)
			}
			for last != "" {
				page := must1[orm.CursorPage[Seat]](t)(Seats.OrderBy(order...).CursorPage(ctx, last, 2))
				back = append([]string{seatNames(page.Items, nil)}, back...)
				last = page.Previous
			}
			if got := strings.Join(back, " "); !strings.HasPrefix(all, got) || len(back) != len(pages)-1 {
				t.Errorf("the way back %s, of %s", got, all)
			}
		}
		next := must1[*Seat](t)(Seats.Next(ctx, seats["A2"], &s.Price))
		if next.Name != "B2" {
			t.Errorf("after A2 comes %s", next.Name)
		}
	})
}

func TestMarkingRowsWithAKeyOfSeveralColumns(t *testing.T) {
	t.Parallel()
	s, tk := Seats.Fields(), Tickets.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		seats := hall(t, ctx)
		seats["A2"].Next.Set(seats["A1"])
		must(t, Seats.UpdateRow(ctx, seats["A2"], &s.Next))
		for n, name := range []string{"A1", "A2"} {
			ticket := &Ticket{Key: TicketKey{Day: day(n + 1)}, Holder: name}
			ticket.Key.Seat.Set(seats[name])
			must(t, Tickets.Insert(ctx, ticket))
		}
		must(t, Seats.DeleteRow(ctx, seats["A1"]))
		if got := seatNames(Seats.OnlyDeleted().All(ctx)); got != "A1" {
			t.Errorf("marked: %s", got)
		}
		if n := must1[int64](t)(Tickets.Count(ctx)); n != 1 {
			t.Errorf("%d tickets are not marked", n)
		}
		if err := Seats.Insert(ctx, &Seat{Key: SeatKey{"A", 1}, Name: "again"}); !orm.IsUnique(err) {
			t.Errorf("the key of a marked row: %v", err)
		}
		if n := must1[int64](t)(Seats.Where(orm.Eq(&s.Key, SeatKey{"A", 1})).Restore(ctx)); n != 1 {
			t.Errorf("%d restored", n)
		}
		must1[int64](t)(Tickets.Where(orm.Eq(&tk.Key.Seat.ID, SeatKey{"A", 1})).Restore(ctx))
		plan := must1[*orm.Deletion](t)(Seats.Where(orm.In(&s.Key, SeatKey{"A", 1}, SeatKey{"A", 3})).Deletion(ctx))
		if plan.Total() != 3 {
			t.Errorf("the delete concerns %d rows: %+v", plan.Total(), plan.Models)
		}
		ticket := must1[*Ticket](t)(Tickets.Where(orm.Eq(&tk.Holder, "A2")).Get(ctx))
		must(t, Invoices.Insert(ctx, &Invoice{Ticket: orm.ForeignKey[Ticket, TicketKey]{ID: ticket.Key}, Text: "x"}))
		if _, err := Seats.Where(orm.Eq(&s.Key, SeatKey{"A", 2})).HardDelete(ctx); err == nil {
			t.Error("deleted a seat whose ticket has an invoice")
		} else if p, ok := errors.AsType[*orm.ProtectedError](err); !ok || len(p.By) != 1 || p.By[0].Field.Model().Name != "Invoice" {
			t.Errorf("a seat whose ticket has an invoice: %v", err)
		}
		must1[int64](t)(Seats.Where(orm.Eq(&s.Key, SeatKey{"A", 1})).HardDelete(ctx))
		must(t, Seats.Reload(ctx, seats["A2"]))
		if !seats["A2"].Next.IsNull() {
			t.Errorf("A2 is before %v", seats["A2"].Next)
		}
		if n := must1[int64](t)(Tickets.WithDeleted().Count(ctx)); n != 1 {
			t.Errorf("%d tickets are left", n)
		}
	})
}

func TestChangingRowsWithAKeyOfSeveralColumns(t *testing.T) {
	t.Parallel()
	s := Seats.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		seats := hall(t, ctx)
		var list []*Seat
		for _, seat := range seats {
			seat.Price = new(len(list))
			list = append(list, seat)
		}
		must(t, Seats.UpdateRows(ctx, list, &s.Price))
		if n := must1[int64](t)(Seats.Where(orm.Eq(&s.Version, 2)).Count(ctx)); n != 6 {
			t.Errorf("%d seats have the second version", n)
		}
		stale := *seats["B1"]
		stale.Version--
		stale.Price = new(99)
		if err := Seats.UpdateRows(ctx, []*Seat{seats["A1"], &stale}, &s.Price); !errors.Is(err, orm.ErrStale) {
			t.Errorf("an old version among others: %v", err)
		}
		if err := Seats.DeleteRow(ctx, &stale); !errors.Is(err, orm.ErrStale) {
			t.Errorf("deleting an old version: %v", err)
		}
		must(t, Seats.UpsertRows(ctx, []*Seat{{Key: SeatKey{"A", 1}, Name: "first", Price: new(1)}, {Key: SeatKey{"C", 1}, Name: "C1"}},
			orm.Conflict{Fields: orm.Fields(&s.Key), Update: orm.Fields(&s.Name)}))
		if got := seatNames(Seats.OrderBy(orm.Asc(&s.Key)).All(ctx)); got != "first A2 A3 B1 B2 B3 C1" {
			t.Errorf("after the upsert: %s", got)
		}
		if n := must1[int64](t)(Seats.Where(orm.Gt(&s.Key, SeatKey{"B", 1})).Limit(2).OrderBy(orm.Desc(&s.Key)).Update(ctx, orm.Set(&s.Price, new(7)))); n != 2 {
			t.Errorf("%d of the last two changed", n)
		}
		if got := seatNames(Seats.Where(orm.Eq(&s.Price, new(7)), orm.Gt(&s.Key, SeatKey{"B", 1})).OrderBy(orm.Asc(&s.Key)).All(ctx)); !strings.HasSuffix(got, "B3 C1") {
			t.Errorf("those of the price: %s", got)
		}

		// Many at once that look for a row by its key end up with one.
		var group sync.WaitGroup
		inserted := make(chan bool, 8)
		for n := range 8 {
			group.Go(func() {
				row := &Seat{Key: SeatKey{"D", 1}, Name: "D1"}
				var made bool
				var err error
				if n%2 == 0 {
					made, err = Seats.GetOrInsert(ctx, row, &s.Key)
				} else {
					made, err = Seats.UpdateOrInsert(ctx, row, orm.Fields(&s.Key), func(found *Seat) error {
						found.Price = new(n)
						return nil
					})
				}
				if err != nil {
					t.Error(err)
				}
				inserted <- made
			})
		}
		group.Wait()
		close(inserted)
		n := 0
		for made := range inserted {
			if made {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d of those at once have inserted the row", n)
		}
		if err := Seats.Validate(ctx, &Seat{Key: SeatKey{"D", 1}, Name: "A2"}); err == nil || !strings.Contains(err.Error(), "name") {
			t.Errorf("a name that is taken: %v", err)
		}
		if err := Seats.Insert(ctx, &Seat{Key: SeatKey{"long row", 1}, Name: "x"}); !errors.Is(err, orm.ErrValue) {
			t.Errorf("a key that is too long: %v", err)
		}
	})
}
