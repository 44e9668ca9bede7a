package testdb_test

import (
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

type Node struct {
	orm.Model
	Name string
	Next orm.FK[Other] `orm:"null"`
}

type Other struct {
	orm.Model
	Back orm.FK[Node]  `orm:"null"`
	Self orm.FK[Other] `orm:"null"`
}

var (
	Nodes  = orm.Register[Node]()
	Others = orm.Register[Other]()
)

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		one, two := kind.Context(t), kind.Context(t)
		if err := Nodes.Insert(one, &Node{Name: "a"}); err != nil {
			t.Fatal(err)
		}
		if n, err := Nodes.Count(two); n != 0 || err != nil {
			t.Error(n, err)
		}
		if db, err := orm.DBFrom(one); err != nil || db.Dialect() != kind.Name {
			t.Error(db.Dialect(), err)
		}
	})
}

func TestReferencesInACircle(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		if err := Nodes.Insert(ctx, &Node{Next: orm.FK[Other]{ID: 1}}); !orm.IsForeignKey(err) {
			t.Errorf("the reference to the later table: %v", err)
		}
		if err := Others.Insert(ctx, &Other{Back: orm.FK[Node]{ID: 1}}); !orm.IsForeignKey(err) {
			t.Errorf("the reference back: %v", err)
		}
		if err := Others.Insert(ctx, &Other{Self: orm.FK[Other]{ID: 9}}); !orm.IsForeignKey(err) {
			t.Errorf("the reference to itself: %v", err)
		}
	})
}
