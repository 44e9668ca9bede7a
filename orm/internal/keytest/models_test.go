// Package keytest tests primary keys of several columns, in models of their own.
package keytest

import (
	"testing"

	"github.com/retort-web/retort/orm"
)

// Shipment has the key that a part of another is.
type Shipment struct {
	orm.Model
	Name    string `orm:"size=40"`
	Parcels orm.HasMany[Parcel]
}

// ParcelKey is a key of which one column is a foreign key.
type ParcelKey struct {
	Shipment orm.FK[Shipment] `orm:"on_delete=cascade"`
	Number   int
}

type Parcel struct {
	Key    ParcelKey `orm:"pk"`
	Name   string    `orm:"size=40"`
	Weight int
	Scans  orm.HasMany[Scan] `orm:"reverse=Parcel"`
	Labels orm.ManyToMany[Label]
	Inside orm.ForeignKey[Parcel, ParcelKey] `orm:"null,on_delete=set_null,related=Contents"`
	// Contents are the parcels inside.
	Contents orm.HasMany[Parcel] `orm:"reverse=Inside"`
}

func (p *Parcel) String() string { return p.Name }

type Scan struct {
	orm.Model
	Parcel orm.ForeignKey[Parcel, ParcelKey] `orm:"on_delete=cascade,related=Scans"`
	Before orm.ForeignKey[Parcel, ParcelKey] `orm:"null,on_delete=set_null"`
	Place  string                            `orm:"size=40"`
}

func (Scan) Meta(s *Scan) orm.Meta {
	return orm.Meta{Unique: orm.Uniques(orm.UniqueTogether(&s.Parcel, &s.Place))}
}

// LabelKey is a key of plain columns, with a name of their own.
type LabelKey struct {
	Language string `orm:"size=8,column=lang"`
	Code     string `orm:"size=20"`
}

type Label struct {
	Key     LabelKey               `orm:"pk"`
	Text    string                 `orm:"size=40"`
	Parcels orm.ManyToMany[Parcel] `orm:"reverse=Labels"`
}

// Sign refers to a key one of whose columns it shares in name.
type Sign struct {
	orm.Model
	Label orm.ForeignKey[Label, LabelKey] `orm:"columns=label_lang|label_code,unique,on_delete=restrict"`
}

// Note has a key that holds a foreign key of several columns.
type Note struct {
	Key  NoteKey `orm:"pk"`
	Text string  `orm:"size=40"`
}

type NoteKey struct {
	Parcel orm.ForeignKey[Parcel, ParcelKey] `orm:"on_delete=cascade"`
	Page   int
}

type Answer struct {
	orm.Model
	Note orm.ForeignKey[Note, NoteKey] `orm:"on_delete=cascade"`
}

var (
	Shipments = orm.Register[Shipment]()
	Parcels   = orm.Register[Parcel]()
	Scans     = orm.Register[Scan]()
	Labels    = orm.Register[Label]()
	Signs     = orm.Register[Sign]()
	Notes     = orm.Register[Note]()
	Answers   = orm.Register[Answer]()
)

func key(shipment int64, number int) ParcelKey {
	return ParcelKey{Shipment: orm.FK[Shipment]{ID: shipment}, Number: number}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must1[V any](t testing.TB) func(v V, err error) V {
	return func(v V, err error) V {
		t.Helper()
		must(t, err)
		return v
	}
}
