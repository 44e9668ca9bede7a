// Package propertytest_test asks all databases random questions and computes the answers
// in memory as well: conditions, orders, computed values and groups must mean the same
// everywhere.
package propertytest_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/orm"
)

// Item is what is asked for.
type Item struct {
	orm.Model
	A      *int
	B      int
	F      *float64
	Name   *string `orm:"size=60"`
	Code   string  `orm:"size=60"`
	Flag   bool
	At     *time.Time
	Group  orm.FK[Group]     `orm:"null"`
	Parent orm.FK[Item]      `orm:"null"`
	Kids   orm.HasMany[Item] `orm:"reverse=Parent"`
	Parts  orm.HasMany[Part] // reverse of Part.Item
	Labels orm.ManyToMany[Label]
}

// Group has many items.
type Group struct {
	orm.Model
	Rank  *int
	Name  string            `orm:"size=60"`
	Items orm.HasMany[Item] // reverse of Item.Group
}

// Part belongs to one item.
type Part struct {
	orm.Model
	Item orm.FK[Item]
	Size *int
	Word string `orm:"size=60"`
}

// Label is on many items.
type Label struct {
	orm.Model
	Weight int
	Word   string               `orm:"size=60"`
	Items  orm.ManyToMany[Item] `orm:"reverse=Labels"`
}

var (
	Items  = orm.Register[Item]()
	Groups = orm.Register[Group]()
	Parts  = orm.Register[Part]()
	Labels = orm.Register[Label]()
)

// world is the rows, as they are in memory and in the databases.
type world struct {
	items  []*Item
	groups []*Group
	parts  []*Part
	labels []*Label

	partsOf  map[int64][]*Part
	labelsOf map[int64][]*Label
	kidsOf   map[int64][]*Item
	itemsOf  map[int64][]*Item // of a group
}

const (
	letters = `aAbBzZ%_\'" -.éÉß日🙂`
	ascii   = `aAbBzZ 09%_\'`
)

// text is a short text, so that texts often are alike.
func text(r *rand.Rand, alphabet string) string {
	runes := []rune(alphabet)
	var b strings.Builder
	for range r.IntN(5) {
		b.WriteRune(runes[r.IntN(len(runes))])
	}
	return b.String()
}

func maybe[V any](r *rand.Rand, v V) *V {
	if r.IntN(4) == 0 {
		return nil
	}
	return &v
}

func number(r *rand.Rand) int { return r.IntN(15) - 5 }

// quarter is a number that floats hold exactly.
func quarter(r *rand.Rand) float64 { return float64(r.IntN(61)-20) / 4 }

// moment is a time, around the ends of years and weeks more often than by chance.
func moment(r *rand.Rand) time.Time {
	t := time.Date(2020+r.IntN(6), time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1_000_000)*1000, time.UTC)
	switch r.IntN(4) {
	case 0:
		t = time.Date(t.Year(), 12, 27+r.IntN(9), 23*r.IntN(2), 0, 0, 0, time.UTC)
	case 1:
		t = t.Truncate(24 * time.Hour)
	}
	return t
}

func newWorld(r *rand.Rand, items int) *world {
	w := &world{partsOf: map[int64][]*Part{}, labelsOf: map[int64][]*Label{}, kidsOf: map[int64][]*Item{}, itemsOf: map[int64][]*Item{}}
	for id := range int64(5) {
		g := &Group{Rank: maybe(r, number(r)), Name: text(r, letters)}
		g.ID = id + 1
		w.groups = append(w.groups, g)
		l := &Label{Weight: number(r), Word: text(r, letters)}
		l.ID = id + 1
		w.labels = append(w.labels, l)
	}
	for id := range int64(items) {
		i := &Item{
			A: maybe(r, number(r)), B: number(r), F: maybe(r, quarter(r)), Name: maybe(r, text(r, letters)),
			Code: text(r, ascii), Flag: r.IntN(2) == 0, At: maybe(r, moment(r)),
		}
		i.ID = id + 1
		if r.IntN(4) > 0 {
			i.Group = orm.FK[Group]{ID: w.groups[r.IntN(4)].ID} // the last has none
			w.itemsOf[i.Group.ID] = append(w.itemsOf[i.Group.ID], i)
		}
		if id > 0 && r.IntN(2) == 0 {
			i.Parent = orm.FK[Item]{ID: 1 + r.Int64N(id)}
			w.kidsOf[i.Parent.ID] = append(w.kidsOf[i.Parent.ID], i)
		}
		for _, l := range w.labels {
			if r.IntN(3) == 0 {
				w.labelsOf[i.ID] = append(w.labelsOf[i.ID], l)
			}
		}
		for range max(0, r.IntN(6)-2) {
			p := &Part{Item: orm.FK[Item]{ID: i.ID}, Size: maybe(r, number(r)), Word: text(r, letters)}
			p.ID = int64(len(w.parts)) + 1
			w.parts = append(w.parts, p)
			w.partsOf[i.ID] = append(w.partsOf[i.ID], p)
		}
		w.items = append(w.items, i)
	}
	return w
}

// group is that of an item, nil if it has none.
func (w *world) group(i *Item) *Group {
	if i.Group.ID == 0 {
		return nil
	}
	return w.groups[i.Group.ID-1]
}

// store writes the rows to the database of the context.
func (w *world) store(t *testing.T, ctx context.Context) {
	t.Helper()
	// What Insert sets in the rows must not be shared.
	must(t, Groups.Insert(ctx, copies(w.groups)...))
	must(t, Labels.Insert(ctx, copies(w.labels)...))
	items := copies(w.items)
	for _, i := range items { // one after the other: parents first
		must(t, Items.Insert(ctx, i))
		if on := copies(w.labelsOf[i.ID]); len(on) > 0 {
			must(t, i.Labels.Add(ctx, on...))
		}
	}
	must(t, Parts.Insert(ctx, copies(w.parts)...))
}

func copies[T any](rows []*T) []*T {
	list := make([]*T, len(rows))
	for i, row := range rows {
		own := *row
		list[i] = &own
	}
	return list
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
