package keytest

import (
	"errors"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// Event refers to rows that may be gone, of which the database does not know.
type Event struct {
	orm.Model
	Name    string                            `orm:"size=40"`
	Source  orm.FK[Feed]                      `orm:"no_constraint,on_delete=no_action,related=Events"`
	Cause   orm.FK[Event]                     `orm:"no_constraint,null,on_delete=set_null"`
	Channel orm.FK[Channel]                   `orm:"no_constraint,null,on_delete=cascade,related=Events"`
	Parcel  orm.ForeignKey[Parcel, ParcelKey] `orm:"no_constraint,null,on_delete=restrict"`
}

type Feed struct {
	orm.Model
	Name   string             `orm:"size=40"`
	Events orm.HasMany[Event] `orm:"reverse=Source"`
}

// Visit and Click go with their feed without this package looking at them.
type Visit struct {
	orm.Model
	Place string       `orm:"size=40"`
	Feed  orm.FK[Feed] `orm:"on_delete=db_cascade"`
	Last  orm.FK[Feed] `orm:"null,on_delete=db_set_null"`
}

type Click struct {
	orm.Model
	Place string        `orm:"size=40"`
	Visit orm.FK[Visit] `orm:"on_delete=db_cascade"`
}

type Channel struct {
	orm.Model
	Name   string             `orm:"size=40"`
	Events orm.HasMany[Event] `orm:"reverse=Channel"`
}

var (
	Events   = orm.Register[Event]()
	Feeds    = orm.Register[Feed]()
	Channels = orm.Register[Channel]()
	Visits   = orm.Register[Visit]()
	Clicks   = orm.Register[Click]()
)

func TestForeignKeysThatTheDatabaseDoesNotKnow(t *testing.T) {
	t.Parallel()
	e, f := Events.Fields(), Feeds.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		feed, channel := &Feed{Name: "a"}, &Channel{Name: "c"}
		must(t, Feeds.Insert(ctx, feed))
		must(t, Channels.Insert(ctx, channel))
		lost := &Event{Name: "lost", Source: orm.FK[Feed]{ID: 999}, Parcel: orm.ForeignKey[Parcel, ParcelKey]{ID: key(7, 7)}}
		must(t, Events.Insert(ctx, lost))
		kept := &Event{Name: "kept", Source: orm.FK[Feed]{ID: feed.ID}, Cause: orm.FK[Event]{ID: lost.ID}, Channel: orm.FK[Channel]{ID: channel.ID}}
		must(t, Events.Insert(ctx, kept))
		rows, err := Events.With(&e.Source, &e.Parcel).OrderBy(orm.Asc(&e.ID)).All(ctx)
		if err != nil || len(rows) != 2 || rows[0].Source.Loaded() || rows[1].Source.To().Name != "a" {
			t.Fatalf("loaded %v, %v", rows, err)
		}
		if _, err := rows[0].Source.Load(ctx); !errors.Is(err, orm.ErrNotFound) {
			t.Errorf("loading what is not there: %v", err)
		}
		if n, err := Events.Where(orm.Ne(&e.Source.To().Name, "a")).Count(ctx); err != nil || n != 1 {
			t.Errorf("%d events are of no feed of that name, %v", n, err)
		}
		if n, err := Feeds.Where(orm.Has(&f.Events)).Count(ctx); err != nil || n != 1 {
			t.Errorf("%d feeds have events, %v", n, err)
		}
		must(t, Feeds.DeleteRow(ctx, feed))
		must(t, Events.DeleteRow(ctx, lost))
		must(t, Events.Reload(ctx, kept))
		if !kept.Cause.IsNull() || kept.Source.ID != feed.ID {
			t.Errorf("after the deletes: %+v", kept)
		}
		must(t, Channels.DeleteRow(ctx, channel))
		if n, err := Events.Count(ctx); err != nil || n != 0 {
			t.Errorf("%d events are left of a channel that is gone, %v", n, err)
		}
		ship := &Shipment{Name: "s"}
		must(t, Shipments.Insert(ctx, ship))
		parcel := &Parcel{Key: key(ship.ID, 1)}
		must(t, Parcels.Insert(ctx, parcel))
		must(t, Events.Insert(ctx, &Event{Name: "x", Source: orm.FK[Feed]{ID: 1}, Parcel: orm.ForeignKey[Parcel, ParcelKey]{ID: parcel.Key}}))
		if _, ok := errors.AsType[*orm.ProtectedError](Parcels.DeleteRow(ctx, parcel)); !ok {
			t.Error("deleted a parcel with an event")
		}
	})
}

func TestDeletionShowsWhatTheDatabaseDoes(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		feed, other := &Feed{Name: "a"}, &Feed{Name: "b"}
		must(t, Feeds.Insert(ctx, feed, other))
		visit := &Visit{Place: "x", Feed: orm.FK[Feed]{ID: feed.ID}}
		must(t, Visits.Insert(ctx, visit, &Visit{Place: "y", Feed: orm.FK[Feed]{ID: other.ID}, Last: orm.FK[Feed]{ID: feed.ID}}))
		must(t, Clicks.Insert(ctx, &Click{Place: "x", Visit: orm.FK[Visit]{ID: visit.ID}}))
		plan, err := Feeds.Where(orm.Eq(&Feeds.Fields().Name, "a")).Deletion(ctx)
		must(t, err)
		found := map[string]int64{}
		for _, rows := range plan.Models {
			found[rows.Model.Name] += rows.Rows
		}
		if len(found) != 3 || found["Feed"] != 1 || found["Visit"] != 1 || found["Click"] != 1 || len(plan.Changed) != 1 || plan.Changed[0].Rows != 1 {
			t.Errorf("the delete concerns %v, and changes %v", found, plan.Changed)
		}
		must(t, Feeds.DeleteRow(ctx, feed))
		if visits, err := Visits.Count(ctx); err != nil || visits != 1 {
			t.Errorf("%d visits are left, %v", visits, err)
		}
		if clicks, err := Clicks.Count(ctx); err != nil || clicks != 0 {
			t.Errorf("%d clicks are left, %v", clicks, err)
		}
	})
}
