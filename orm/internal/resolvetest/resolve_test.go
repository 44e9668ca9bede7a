// Package resolvetest has models whose relations lead nowhere. They are apart from
// the other tests because their mistakes show whenever all tables are asked for.
package resolvetest

import (
	"strings"
	"testing"

	"github.com/retort-web/retort/orm"
	_ "github.com/retort-web/retort/orm/sqlite"
)

type (
	Unregistered struct{ orm.Model }
	Target       struct {
		orm.Model
		Name string
	}
	Named struct {
		Code string `orm:"pk"`
	}
	ToUnregistered struct {
		orm.Model
		To orm.FK[Unregistered]
	}
	WrongKey struct {
		orm.Model
		To orm.FK[Named]
	}
	NoWayBack struct {
		orm.Model
		Many orm.HasMany[Target]
	}
	Child struct {
		orm.Model
		A, B orm.FK[Ambiguous]
	}
	Ambiguous struct {
		orm.Model
		Children orm.HasMany[Child]
	}
	WrongReverse struct {
		orm.Model
		Children orm.HasMany[Child] `orm:"reverse=C"`
	}
	WrongManyReverse struct {
		orm.Model
		Targets orm.ManyToMany[Target] `orm:"reverse=Things"`
	}
	NotUnique struct {
		orm.Model
		Child orm.HasOne[OfNotUnique]
	}
	OfNotUnique struct {
		orm.Model
		Parent orm.FK[NotUnique]
	}
	WrongRelated struct {
		orm.Model
		To orm.FK[Target] `orm:"related=Name"`
	}
	Behind struct {
		orm.Model
		Broken orm.FK[NoWayBack]
	}
	ToNothing struct {
		orm.Model
		To orm.ForeignKey[Target, string] `orm:"to=Nothing"`
	}
	ToMany struct {
		orm.Model
		To orm.ForeignKey[Target, string] `orm:"to=Name"`
	}
	ToOtherType struct {
		orm.Model
		To orm.FK[Named] `orm:"to=Code"`
	}
	ToNullable struct {
		orm.Model
		To orm.ForeignKey[Maybe, *string] `orm:"to=Code"`
	}
	Maybe struct {
		orm.Model
		Code *string `orm:"unique,size=9"`
	}
	SelfRelated struct {
		orm.Model
		Friends orm.ManyToMany[SelfRelated]
		Fans    orm.ManyToMany[SelfRelated] `orm:"reverse=Friends"`
	}
)

var (
	Targets           = orm.Register[Target]()
	_                 = orm.Register[Named]()
	ToUnregistereds   = orm.Register[ToUnregistered]()
	WrongKeys         = orm.Register[WrongKey]()
	NoWayBacks        = orm.Register[NoWayBack]()
	_                 = orm.Register[Child]()
	Ambiguouses       = orm.Register[Ambiguous]()
	WrongReverses     = orm.Register[WrongReverse]()
	WrongManyReverses = orm.Register[WrongManyReverse]()
	NotUniques        = orm.Register[NotUnique]()
	_                 = orm.Register[OfNotUnique]()
	WrongRelateds     = orm.Register[WrongRelated]()
	ToNothings        = orm.Register[ToNothing]()
	ToManys           = orm.Register[ToMany]()
	ToOtherTypes      = orm.Register[ToOtherType]()
	ToNullables       = orm.Register[ToNullable]()
	_                 = orm.Register[Maybe]()
	Behinds           = orm.Register[Behind]()
	SelfRelateds      = orm.Register[SelfRelated]()
)

func TestRelationsThatLeadNowhere(t *testing.T) {
	db, err := orm.Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := orm.WithDB(t.Context(), db)
	behind := Behinds.Fields()
	for _, tt := range []struct {
		name string
		set  orm.AnySet
		want string
	}{
		{"target not registered", ToUnregistereds.Any(), "ToUnregistered.To: refers to resolvetest.Unregistered, which is not registered"},
		{"key of another type", WrongKeys.Any(), "use orm.ForeignKey[Named, string]"},
		{"no way back", NoWayBacks.Any(), "Target has no foreign key to NoWayBack"},
		{"several ways back", Ambiguouses.Any(), `say which with orm:"reverse=A"`},
		{"reverse of no foreign key", WrongReverses.Any(), "reverse=C: Child has no foreign key of that name"},
		{"reverse of no relation", WrongManyReverses.Any(), "reverse=Things: Target has no ManyToMany[WrongManyReverse]"},
		{"one of many", NotUniques.Any(), "is not unique"},
		{"related to a column", WrongRelateds.Any(), "does not lead back"},
		{"to no field", ToNothings.Any(), "to=Nothing: Target has no field of that name"},
		{"to a field of several rows", ToManys.Any(), "tag Target.Name unique"},
		{"to a field of another type", ToOtherTypes.Any(), "use orm.ForeignKey[Named, string]"},
		{"to a field that may be NULL", ToNullables.Any(), "may be NULL"},
		{"behind a relation", Behinds.Where(orm.Has(&behind.Broken.To().Many)).Any(), "Target has no foreign key to NoWayBack"},
		{"behind a relation, by text", Behinds.Where(orm.Lookup("broken__many__name", "x")).Any(), "Target has no foreign key to NoWayBack"},
		{"loaded behind a relation", Behinds.With(&behind.Broken.To().Many).Any(), "Target has no foreign key to NoWayBack"},
	} {
		if _, err := tt.set.All(ctx); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
		// It is no less an error the second time.
		if _, err := tt.set.Count(ctx); err == nil {
			t.Errorf("%s: no error the second time", tt.name)
		}
	}
	_, err = orm.Tables()
	if err == nil {
		t.Fatal("Tables of broken models: no error")
	}
	// All of them are told at once, with their lines.
	for _, mistake := range []string{
		"models have mistakes:\n", "ToUnregistered.To: refers to", "WrongKey.", "NoWayBack.Many:", "Ambiguous.", "WrongReverse.", "WrongManyReverse.", "NotUnique.", "WrongRelated.", "resolve_test.go:",
	} {
		if !strings.Contains(err.Error(), mistake) {
			t.Errorf("%q is missing in %v", mistake, err)
		}
	}
	if again := orm.CheckModels(); again == nil || again.Error() != err.Error() {
		t.Error(again)
	}
	if _, err := orm.InfoOf[Unregistered](); err == nil || !strings.Contains(err.Error(), "orm.Register[Unregistered]()") {
		t.Error(err)
	}
}

func TestManyToManyWithItself(t *testing.T) {
	db, err := orm.Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := orm.WithDB(t.Context(), db)
	tables, err := SelfRelateds.Info().Tables()
	if err != nil || len(tables) != 2 {
		t.Fatal(tables, err)
	}
	for _, table := range tables {
		for _, sql := range db.Schema().CreateTable(table) {
			if _, err := db.Exec(ctx, sql); err != nil {
				t.Fatal(err)
			}
		}
	}
	a, b := &SelfRelated{}, &SelfRelated{}
	a.ID, b.ID = 1, 2
	if err := SelfRelateds.Insert(ctx, a, b); err != nil {
		t.Fatal(err)
	}
	if err := a.Friends.Add(ctx, b); err != nil {
		t.Fatal(err)
	}
	s := SelfRelateds.Fields()
	rows, err := SelfRelateds.Where(orm.Eq(&s.Friends.To().ID, 2), orm.Not(orm.Has(&s.Fans))).With(&s.Friends, &s.Friends.To().Fans).All(ctx)
	if err != nil || len(rows) != 1 || rows[0].ID != 1 {
		t.Fatal(rows, err)
	}
	friends, err := rows[0].Friends.Get()
	if err != nil || len(friends) != 1 || friends[0].ID != 2 {
		t.Fatal(friends, err)
	}
	if fans, err := friends[0].Fans.Get(); err != nil || len(fans) != 1 || fans[0].ID != 1 {
		t.Error(fans, err)
	}
}
