package orm_test

import (
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// OddName has a table and columns as other programs name them: with spaces, reserved
// words, capitals, digits first, and letters of other scripts.
type OddName struct {
	Key    int64  `orm:"pk,column=Größe"`
	Group  string `orm:"size=20,column=group,unique"`
	First  int    `orm:"column=1st"`
	Price  int    `orm:"column=unit price"`
	Double int    `orm:"column=unit price doubled"`
	Name   string `orm:"size=20,column=名前"`
	Note   *string
	Parent orm.FK[OddName] `orm:"null,column=select,on_delete=set_null"`
	Peers  orm.ManyToMany[User]
}

func (OddName) Meta(o *OddName) orm.Meta {
	return orm.Meta{
		Table:    "Order Details?",
		Indexes:  orm.Indexes(orm.Index(&o.First, orm.Desc(&o.Price)).Named("idx of 1st")),
		Unique:   orm.Uniques(orm.UniqueTogether(&o.Name, &o.First)),
		Checks:   orm.Checks(orm.Check("price > 0", orm.Gt(&o.Price, 0))),
		Computed: orm.Computed(orm.Compute(&o.Double, orm.Mul(&o.Price, 2)).Stored()),
	}
}

var OddNames = orm.Register[OddName]()

func TestNamesThatNeedQuotes(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		o := OddNames.Fields()
		one := &OddName{Group: "a", First: 1, Price: 5, Name: "ä"}
		if err := OddNames.Insert(ctx, one); err != nil {
			t.Fatal(err)
		}
		two := &OddName{Group: "b", First: 2, Price: 7, Name: "b"}
		two.Parent.Set(one)
		three := &OddName{Group: "c", First: 3, Price: 9, Name: "c"}
		if err := OddNames.Insert(ctx, two, three); err != nil {
			t.Fatal(err)
		}
		if one.Double != 10 || three.Double != 18 {
			t.Errorf("computed: %d, %d", one.Double, three.Double)
		}
		two.Price, three.Price = 70, 90
		if err := OddNames.UpdateRows(ctx, []*OddName{two, three}, &o.Price); err != nil {
			t.Fatal(err)
		}
		one.Price = 6
		if err := OddNames.UpdateRow(ctx, one, &o.Price); err != nil || one.Double != 12 {
			t.Errorf("%d, %v", one.Double, err)
		}
		if n, err := OddNames.Where(orm.Eq(&o.Group, "c")).Update(ctx, orm.Set(&o.First, orm.Add(&o.Price, 1))); n != 1 || err != nil {
			t.Error(n, err)
		}
		if err := OddNames.Upsert(ctx, &OddName{Group: "a", First: 11, Price: 1, Name: "again"}, orm.Conflict{Fields: orm.Fields(&o.Group), Update: orm.Fields(&o.First)}); err != nil {
			t.Error(err)
		}
		got, err := OddNames.Where(orm.Lookup("parent__group__in", []string{"a", "z"}), orm.Gt(&o.Price, 6)).With(&o.Parent).OrderBy(orm.Desc(&o.Parent.To().Price)).All(ctx)
		if err != nil || len(got) != 1 || got[0].Parent.To().First != 11 || got[0].Name != "b" {
			t.Errorf("%v, %v", got, err)
		}
		type sum struct {
			Group string
			Price int64
		}
		sums, err := orm.Select[sum](OddNames.GroupBy(&o.Group).OrderBy(orm.Asc(&o.Group)), orm.As("Group", &o.Group), orm.As("Price", orm.Sum(&o.Price))).All(ctx)
		if err != nil || len(sums) != 3 || sums[2].Price != 90 {
			t.Errorf("%v, %v", sums, err)
		}
		user := &User{Username: "peer"}
		if err := Users.Insert(ctx, user); err != nil {
			t.Fatal(err)
		}
		if err := one.Peers.Add(ctx, user); err != nil {
			t.Fatal(err)
		}
		if n, err := OddNames.Where(orm.Eq(&o.Peers.To().Username, "peer")).Count(ctx); n != 1 || err != nil {
			t.Error(n, err)
		}
		if err := OddNames.Insert(ctx, &OddName{Group: "b", First: 1, Price: 5}); !orm.IsUnique(err) {
			t.Errorf("a second b: %v", err)
		}
		if err := OddNames.Insert(ctx, &OddName{Group: "e", First: 1}); !orm.IsCheck(err) {
			t.Errorf("a price of 0: %v", err)
		}
		if err := OddNames.DeleteRow(ctx, one); err != nil {
			t.Fatal(err)
		}
		if err := OddNames.Reload(ctx, two); err != nil || two.Parent.ID != 0 {
			t.Errorf("%v, %v", two, err)
		}
	})
}
