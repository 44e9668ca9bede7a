package orm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// Player and Club are related through a model of its own; players are friends of each
// other.
type (
	Player struct {
		orm.Model
		Name    string
		Friends orm.ManyToMany[Player] `orm:"symmetrical"`
		Follows orm.ManyToMany[Player]
		Clubs   orm.ManyToMany[Club] `orm:"reverse=Members"`
	}
	Club struct {
		orm.Model
		Name    string
		Members orm.ManyToMany[Player] `orm:"through=Joining,through_fields=Club|Player"`
	}
	Joining struct {
		orm.Model
		Club    orm.FK[Club]   `orm:"on_delete=cascade"`
		Player  orm.FK[Player] `orm:"on_delete=cascade"`
		Inviter orm.FK[Player] `orm:"null,on_delete=set_null"`
		Role    string         `orm:"size=10,default=member"`
	}
)

func (j *Joining) AfterDelete(ctx context.Context, _ orm.Event) error {
	hear(ctx, fmt.Sprint("left ", j.Player.ID))
	return nil
}

var (
	Players  = orm.Register[Player]()
	Clubs    = orm.Register[Club]()
	Joinings = orm.Register[Joining]()
)

func players(t *testing.T, ctx context.Context) (a, b, c *Player) {
	t.Helper()
	a, b, c = &Player{Name: "a"}, &Player{Name: "b"}, &Player{Name: "c"}
	must(t, Players.Insert(ctx, a, b, c))
	return a, b, c
}

func namesOf(t *testing.T, rows []*Player, err error) string {
	t.Helper()
	must(t, err)
	list := make([]string, len(rows))
	for i, row := range rows {
		list[i] = row.Name
	}
	slices.Sort(list)
	return strings.Join(list, "")
}

func TestSymmetricalRelation(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		a, b, c := players(t, ctx)
		friends := func(p *Player) string {
			rows, err := p.Friends.Query().All(ctx)
			return namesOf(t, rows, err)
		}
		must(t, a.Friends.Add(ctx, b, c, a, b))
		if friends(a) != "abc" || friends(b) != "a" || friends(c) != "a" {
			t.Error(friends(a), friends(b), friends(c))
		}
		must(t, b.Friends.Remove(ctx, a))
		if friends(a) != "ac" || friends(b) != "" {
			t.Error(friends(a), friends(b))
		}
		must(t, a.Friends.Set(ctx, b))
		if friends(a) != "b" || friends(b) != "a" || friends(c) != "" {
			t.Error(friends(a), friends(b), friends(c))
		}
		must(t, a.Friends.Clear(ctx))
		if friends(b) != "" {
			t.Error(friends(b))
		}
		must(t, a.Follows.Add(ctx, b))
		if rows, err := b.Follows.Query().All(ctx); len(rows) != 0 || err != nil {
			t.Error(rows, err)
		}
	})
}

func TestRelationThroughAModel(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx, h := hearing(open(t, kind))
		a, b, c := players(t, ctx)
		club := &Club{Name: "chess"}
		must(t, Clubs.Insert(ctx, club))
		must(t, Joinings.Insert(ctx, &Joining{Club: orm.FK[Club]{ID: club.ID}, Player: orm.FK[Player]{ID: a.ID}, Role: "head"}))
		must(t, club.Members.Add(ctx, a, b))
		must(t, club.Members.Add(ctx, b))
		j := Joinings.Fields()
		rows, err := Joinings.OrderBy(orm.Asc(&j.ID)).All(ctx)
		if err != nil || len(rows) != 2 || rows[0].Role != "head" || rows[1].Role != "member" || rows[1].Player.ID != b.ID {
			t.Fatalf("%+v, %v", rows, err)
		}
		k := Clubs.Fields()
		got, err := Clubs.With(&k.Members).Where(orm.Eq(&k.Members.To().Name, "b")).Get(ctx)
		must(t, err)
		if members, err := got.Members.Get(); namesOf(t, members, err) != "ab" {
			t.Error(members)
		}
		if clubs, err := b.Clubs.Query().All(ctx); err != nil || len(clubs) != 1 {
			t.Error(clubs, err)
		}
		must(t, club.Members.Set(ctx, b, c))
		if heard := h.take(); heard != fmt.Sprint("left ", a.ID) {
			t.Error(heard)
		}
		must(t, c.Clubs.Clear(ctx))
		members, err := club.Members.Query().All(ctx)
		if namesOf(t, members, err) != "b" {
			t.Error(members)
		}
		must(t, Clubs.DeleteRow(ctx, club))
		count(t, ctx, Joinings, 0)
	})
}

func TestChangesOfRelationsAreHeard(t *testing.T) {
	t.Parallel()
	// Listeners hear of all databases: that of another may be the one that refuses.
	refuse := errors.New("refused")
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		a, b, c := players(t, ctx)
		must(t, a.Follows.Add(ctx, b))
		ctx, h := hearing(ctx)
		for _, at := range []orm.EventKind{orm.BeforeRelate, orm.AfterRelate} {
			stop := Players.Listen(at, func(ctx context.Context, row *Player, e orm.Event) error {
				if e.Relation.Name != "Follows" || row != nil || e.Key != a.ID {
					return nil
				}
				hear(ctx, fmt.Sprint(kind.Name, at == orm.AfterRelate, len(e.Added), len(e.Removed)))
				if len(e.Added) == 3 {
					return refuse
				}
				return nil
			})
			defer stop()
		}
		own := func() string {
			list := slices.DeleteFunc(strings.Split(h.take(), ", "), func(s string) bool { return !strings.HasPrefix(s, kind.Name) })
			return strings.ReplaceAll(strings.Join(list, " "), kind.Name, "")
		}
		must(t, a.Follows.Add(ctx, b))
		if got := own(); got != "" {
			t.Error("nothing changed:", got)
		}
		must(t, a.Follows.Set(ctx, a, c))
		if got := own(); got != "false2 1 true2 1" && got != "false 2 1 true 2 1" {
			t.Error(got)
		}
		must(t, a.Follows.Remove(ctx, a, b))
		if got := own(); !strings.Contains(got, "0 1") {
			t.Error(got)
		}
		d := &Player{Name: "d"}
		must(t, Players.Insert(ctx, d))
		if err := a.Follows.Set(ctx, a, b, d); !errors.Is(err, refuse) {
			t.Error(err)
		}
		rows, err := a.Follows.Query().All(ctx)
		if namesOf(t, rows, err) != "c" {
			t.Error(rows)
		}
	})
}
