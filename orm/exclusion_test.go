package orm_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// Booking has constraints that only PostgreSQL holds rows to as they are meant.
type Booking struct {
	orm.Model
	Place int
	From  time.Time
	Until time.Time
	Live  bool
}

func (Booking) Meta(b *Booking) orm.Meta {
	return orm.Meta{
		Unique: orm.Uniques(orm.UniqueTogether(&b.Place).Named("booking_place").Deferred()),
		Exclusions: orm.Exclusions(
			orm.Exclude("booking_overlap").Over(orm.Period(&b.From, &b.Until), "&&").Where(orm.Eq(&b.Live, true)),
		),
	}
}

var Bookings = orm.Register[Booking]()

func TestExclusionConstraint(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		if kind.Name != "postgres" {
			t.Skip("a constraint of PostgreSQL")
		}
		ctx := open(t, kind)
		day := func(n int) time.Time { return time.Date(2026, 5, n, 0, 0, 0, 0, time.UTC) }
		must(t, Bookings.Insert(ctx,
			&Booking{Place: 1, From: day(1), Until: day(3), Live: true},
			&Booking{Place: 2, From: day(3), Until: day(4), Live: true},
			&Booking{Place: 3, From: day(1), Until: day(9)},
		))
		err := Bookings.Insert(ctx, &Booking{Place: 4, From: day(2), Until: day(3), Live: true})
		if e, ok := errors.AsType[*orm.ConstraintError](err); !orm.IsUnique(err) || !ok || e.Constraint != "booking_overlap" {
			t.Errorf("%#v", err)
		}
	})
}

func TestDeferredUnique(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		b := Bookings.Fields()
		now := time.Now()
		one, two := &Booking{Place: 1, From: now, Until: now}, &Booking{Place: 2, From: now, Until: now}
		must(t, Bookings.Insert(ctx, one, two))
		exchange := func(last int) error {
			return orm.Atomic(ctx, func(ctx context.Context) error {
				one.Place, two.Place = 2, last
				if err := Bookings.UpdateRow(ctx, one, &b.Place); err != nil {
					return err
				}
				return Bookings.UpdateRow(ctx, two, &b.Place)
			})
		}
		if err := exchange(2); !orm.IsUnique(err) {
			t.Error(err)
		}
		if err := exchange(1); kind.Name == "postgres" && err != nil || kind.Name != "postgres" && !orm.IsUnique(err) {
			t.Error(err)
		}
	})
}
