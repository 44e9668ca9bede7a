package keytest

import "github.com/retort-web/retort/orm"

// Country is referred to by each of its unique fields.
type Country struct {
	orm.Model
	Code   string                      `orm:"size=2,unique"`
	Number int64                       `orm:"unique"`
	Name   string                      `orm:"size=40"`
	Cities orm.HasMany[City]           `orm:"reverse=Country"`
	Twins  orm.HasMany[City]           `orm:"reverse=Twin"`
	Anthem orm.HasOne[Anthem]          `orm:"reverse=Country"`
	Sights orm.ManyToMany[Attractions] // by the primary key, as always
}

func (c *Country) String() string { return c.Name }

type City struct {
	orm.Model
	Name    string                          `orm:"size=40"`
	People  int                             `orm:"default=1"`
	Country orm.ForeignKey[Country, string] `orm:"to=Code,on_delete=cascade,related=Cities"`
	Twin    orm.ForeignKey[Country, int64]  `orm:"to=Number,null,on_delete=set_null,related=Twins"`
	Streets orm.HasMany[Street]             `orm:"reverse=City"`
}

// Street makes a delete of countries look at cities.
type Street struct {
	orm.Model
	Name string       `orm:"size=40"`
	City orm.FK[City] `orm:"on_delete=cascade,related=Streets"`
}

type Anthem struct {
	orm.Model
	Title   string                                `orm:"size=40"`
	Country orm.UniqueForeignKey[Country, string] `orm:"to=Code,on_delete=restrict,related=Anthem"`
}

type Attractions struct {
	orm.Model
	Name string `orm:"size=40"`
}

var (
	Countries = orm.Register[Country]()
	Cities    = orm.Register[City]()
	Streets   = orm.Register[Street]()
	Anthems   = orm.Register[Anthem]()
	Sights    = orm.Register[Attractions]()
)
