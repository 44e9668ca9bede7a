// Package schematest tests models whose tables are in a schema of their own. The schema is
// one for all of the process, so that tests run one after the other on each database.
package schematest

import (
	"context"
	"crypto/rand"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// store is the name of the schema. Its beginning is that by which schemas of killed tests
// are found and dropped.
var store = "retort_test_" + strconv.FormatInt(time.Now().Unix(), 36) + "_" + strings.ToLower(rand.Text()[:8])

// Keeper is in the schema of the connection.
type Keeper struct {
	orm.Model
	Name    string                `orm:"size=40,unique"`
	Shelves orm.HasMany[Shelf]    `orm:"reverse=Keeper"`
	Likes   orm.ManyToMany[Shelf] // the join table is beside this one
}

// Shelf refers to a table of the connection's schema.
type Shelf struct {
	orm.Model
	orm.SoftDelete
	Code    string             `orm:"size=20,unique"`
	Place   int                `orm:"index"`
	Keeper  orm.FK[Keeper]     `orm:"on_delete=cascade,related=Shelves"`
	Inside  orm.FK[Shelf]      `orm:"null,on_delete=set_null"`
	Version int                `orm:"version"`
	Things  orm.HasMany[Thing] `orm:"reverse=Shelf"`
	Labels  orm.ManyToMany[Label]
}

func (Shelf) Meta(s *Shelf) orm.Meta {
	return orm.Meta{
		Schema: store, Comment: "where things are",
		Checks:  orm.Checks(orm.Check("shelf_place_positive", orm.Gt(&s.Place, 0))),
		Indexes: orm.Indexes(orm.Index(&s.Keeper, orm.Desc(&s.Place))),
	}
}

type Label struct {
	orm.Model
	Text string `orm:"size=40"`
}

func (Label) Meta(*Label) orm.Meta { return orm.Meta{Schema: store} }

// Thing of another schema refers to the one with the shelf; it has the same name as a table
// of this schema, if that were taken for its beginning.
type Thing struct {
	orm.Model
	Name   string        `orm:"size=40"`
	Amount int           `orm:"index"`
	Shelf  orm.FK[Shelf] `orm:"on_delete=restrict,related=Things"`
}

func (Thing) Meta(*Thing) orm.Meta { return orm.Meta{Table: "thing"} }

// Kept has the key of several columns, and the name of the table of another schema.
type Kept struct {
	Key    KeptKey `orm:"pk"`
	Amount int
}

type KeptKey struct {
	Shelf orm.FK[Shelf] `orm:"on_delete=cascade"`
	Slot  int
}

func (Kept) Meta(*Kept) orm.Meta { return orm.Meta{Schema: store, Table: "thing"} }

// Extended is a Label with more columns.
type Extended struct {
	Label
	Color  string                 `orm:"size=20,unique,default=''"`
	Thanks orm.ManyToMany[Keeper] // its join table is in the schema too
}

var (
	Keepers = orm.Register[Keeper]()
	Shelves = orm.Register[Shelf]()
	Labels  = orm.Register[Label]()
	Things  = orm.Register[Thing]()
	Keeps   = orm.Register[Kept]()
	Extends = orm.Extend[Extended](Labels)
)

// open makes the tables of the models; the schema goes when the test ends.
func open(t *testing.T, kind testdb.Kind) context.Context {
	t.Helper()
	db := kind.Open(t)
	t.Cleanup(func() {
		drop := map[string]string{"postgres": "DROP SCHEMA IF EXISTS " + store + " CASCADE", "mysql": "DROP DATABASE IF EXISTS " + store}[kind.Name]
		ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
		defer stop()
		if drop == "" {
			return
		}
		if kind.Name == "mysql" {
			if _, err := db.Exec(ctx, "DROP TABLE IF EXISTS thing, schematest_keeper_likes"); err != nil {
				t.Error(err)
			}
		}
		if _, err := db.Exec(ctx, drop); err != nil {
			t.Error(err)
		}
	})
	testdb.CreateTables(t, db)
	return orm.WithDB(t.Context(), db)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fill stores two keepers with two shelves each, which have a thing each.
func fill(t testing.TB, ctx context.Context) (ann, bob *Keeper) {
	t.Helper()
	ann, bob = &Keeper{Name: "ann"}, &Keeper{Name: "bob"}
	must(t, Keepers.Insert(ctx, ann, bob))
	for i, k := range []*Keeper{ann, bob} {
		for n := 1; n <= 2; n++ {
			shelf := &Shelf{Code: k.Name + strconv.Itoa(n), Place: 10*i + n, Keeper: orm.FK[Keeper]{ID: k.ID}}
			must(t, Shelves.Insert(ctx, shelf))
			must(t, Things.Insert(ctx, &Thing{Name: "t" + shelf.Code, Amount: n, Shelf: orm.FK[Shelf]{ID: shelf.ID}}))
		}
	}
	return ann, bob
}

func codes(shelves []*Shelf) string {
	var list []string
	for _, s := range shelves {
		list = append(list, s.Code)
	}
	return strings.Join(list, " ")
}
