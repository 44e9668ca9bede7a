package orm_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// Models whose keys are of several kinds, each with relations to many.

type Rack struct {
	ID    int32 `orm:"pk"`
	Name  string
	Books orm.ManyToMany[RackBook]
	Signs orm.HasMany[RackSign]
}

type RackBook struct {
	Code   string `orm:"pk,size=20"`
	Title  string
	Topics orm.ManyToMany[RackTopic]
	Racks  orm.ManyToMany[Rack] `orm:"reverse=Books"`
}

type RackTopic struct {
	ID   int16 `orm:"pk"`
	Name string
	Area orm.ForeignKey[RackArea, int32] `orm:"null,on_delete=set_null"`
}

type RackArea struct {
	ID   int32 `orm:"pk"`
	Name string
}

type RackSign struct {
	orm.Model
	Rack orm.ForeignKey[Rack, int32] `orm:"null,on_delete=cascade"`
	Text string
}

var (
	Racks     = orm.Register[Rack]()
	RackBooks = orm.Register[RackBook]()
	Topics    = orm.Register[RackTopic]()
	Areas     = orm.Register[RackArea]()
	Signs     = orm.Register[RackSign]()
)

// racks makes n racks: rack i has the books i and i+1 and i%3 signs; book i has the topics i%5
// and i%7, and topics below 3 an area.
func racks(t *testing.T, kind testdb.Kind, n int) context.Context {
	t.Helper()
	ctx := open(t, kind)
	must(t, Areas.Insert(ctx, &RackArea{ID: 1, Name: "area"}))
	topics := make([]*RackTopic, 7)
	for i := range topics {
		topics[i] = &RackTopic{ID: int16(i + 1), Name: fmt.Sprint("topic ", i)}
		if i < 3 {
			topics[i].Area.SetID(1)
		}
	}
	must(t, Topics.Insert(ctx, topics...))
	books := make([]*RackBook, n+1)
	for i := range books {
		books[i] = &RackBook{Code: fmt.Sprintf("b%03d", i), Title: fmt.Sprint("book ", i)}
	}
	must(t, RackBooks.Insert(ctx, books...))
	for i, book := range books {
		must(t, book.Topics.Add(ctx, topics[i%5], topics[i%7]))
	}
	for i := range n {
		rack := &Rack{ID: int32(1000 + i), Name: fmt.Sprint("rack ", i)}
		must(t, Racks.Insert(ctx, rack))
		must(t, rack.Books.Add(ctx, books[i], books[i+1]))
		for k := range i % 3 {
			sign := &RackSign{Text: fmt.Sprintf("sign %d of %d", k, i)}
			sign.Rack.SetID(rack.ID)
			must(t, Signs.Insert(ctx, sign))
		}
	}
	return ctx
}

// TestLoadManyOfManyOwners loads relations of few and of many owners, again and again, so that
// also what is kept between queries is right.
func TestLoadManyOfManyOwners(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		const n = 70
		ctx := racks(t, kind, n)
		s := Racks.Fields()
		for _, limit := range []int{1, 2, 8, 24, 25, 60, 1, 25, n, 2} {
			rows, err := Racks.With(&s.Books, &s.Signs, &s.Books.To().Topics, &s.Books.To().Topics.To().Area).OrderBy(orm.Asc(&s.ID)).Limit(limit).All(ctx)
			must(t, err)
			if len(rows) != limit {
				t.Fatalf("%d rows, want %d", len(rows), limit)
			}
			seen := map[string]*RackBook{}
			topics := map[int16]*RackTopic{}
			for i, row := range rows {
				if row.Name != fmt.Sprint("rack ", i) || row.ID != int32(1000+i) {
					t.Fatalf("row %d is %+v", i, row)
				}
				checkRack(t, i, row, seen, topics)
			}
		}
	})
}

func checkRack(t *testing.T, i int, row *Rack, seen map[string]*RackBook, topics map[int16]*RackTopic) {
	t.Helper()
	books, err := row.Books.Get()
	must(t, err)
	if len(books) != 2 || books[0].Title != fmt.Sprint("book ", i) || books[1].Title != fmt.Sprint("book ", i+1) {
		t.Fatalf("rack %d has %d books: %+v", i, len(books), books)
	}
	for k, book := range books {
		if first := seen[book.Code]; first != nil && first != book {
			t.Fatalf("book %s is two rows in memory", book.Code)
		}
		seen[book.Code] = book
		want := map[int16]bool{int16((i+k)%5 + 1): true, int16((i+k)%7 + 1): true}
		list, err := book.Topics.Get()
		must(t, err)
		if len(list) != len(want) {
			t.Fatalf("book %s has %d topics, want %v", book.Code, len(list), want)
		}
		for _, topic := range list {
			if first := topics[topic.ID]; !want[topic.ID] || first != nil && first != topic {
				t.Fatalf("book %s has the topic %+v, want %v, each one row in memory", book.Code, topic, want)
			}
			topics[topic.ID] = topic
			area, err := topic.Area.Get()
			if err != nil || (area != nil) != (topic.ID <= 3) || area != nil && area.Name != "area" {
				t.Fatalf("the area of topic %d: %v %v", topic.ID, area, err)
			}
		}
	}
	signs, err := row.Signs.Get()
	must(t, err)
	if len(signs) != i%3 {
		t.Fatalf("rack %d has %d signs, want %d", i, len(signs), i%3)
	}
	for k, sign := range signs {
		if back, err := sign.Rack.Get(); err != nil || back != row || sign.Text != fmt.Sprintf("sign %d of %d", k, i) {
			t.Fatalf("sign %+v of rack %d leads to %v (%v)", sign, i, back, err)
		}
	}
}

// TestRelatedListsAreApart: the lists of several owners share memory, which appending to one
// must not show.
func TestRelatedListsAreApart(t *testing.T) {
	t.Parallel()
	ctx := racks(t, testdb.SQLite, 9)
	s := Racks.Fields()
	rows, err := Racks.With(&s.Signs).OrderBy(orm.Asc(&s.ID)).All(ctx)
	must(t, err)
	for _, row := range rows {
		signs, err := row.Signs.Get()
		must(t, err)
		_ = append(signs, nil, nil)
	}
	for i, row := range rows {
		signs, err := row.Signs.Get()
		must(t, err)
		for _, sign := range signs {
			if sign == nil || len(signs) != i%3 {
				t.Fatalf("rack %d has %v", i, signs)
			}
		}
	}
}
