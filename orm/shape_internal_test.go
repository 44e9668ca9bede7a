package orm

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

type shapeAuthor struct {
	Model
	Name string
}

type shapeTag struct {
	Model
	Word string
}

type shapePost struct {
	Model
	Title  string
	Note   *string
	Views  int
	Score  float64
	Added  time.Time
	Shown  time.Time
	Author ForeignKey[shapeAuthor, int64]
	Editor ForeignKey[shapeAuthor, int64] `orm:"null"`
	Tags   ManyToMany[shapeTag]
	SoftDelete
}

// silentBackend has a dialect and nothing else.
type silentBackend struct{ Backend }

func (silentBackend) Dialect() Dialect { return portable{} }

var (
	_          = Register[shapeAuthor]()
	_          = Register[shapeTag]()
	shapePosts = Register[shapePost]()
)

// shapeQueries are pairs: i chooses the values, and nothing else.
func shapeQueries(i int) map[string]*query {
	p := shapePosts.Fields()
	note := fmt.Sprint("note ", i)
	day := time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC)
	named := map[string]QuerySet[shapePost]{
		"all":       shapePosts,
		"key":       shapePosts.Where(Eq(&p.ID, int64(i))),
		"views":     shapePosts.Where(Eq(&p.Views, i)),
		"not equal": shapePosts.Where(Ne(&p.Note, &note)),
		"less":      shapePosts.Where(Lt(&p.Views, i)),
		"at most":   shapePosts.Where(Le(&p.Views, i)),
		"and":       shapePosts.Where(Eq(&p.Title, note), Gt(&p.Views, i)),
		"two calls": shapePosts.Where(Eq(&p.Title, note)).Where(Gt(&p.Views, i)),
		"or":        shapePosts.Where(Or(Eq(&p.Title, note), Gt(&p.Views, i))),
		"nested":    shapePosts.Where(Or(And(Eq(&p.Title, note), Lt(&p.Views, i)), Not(Between(&p.Score, float64(i), 9)))),
		"fields":    shapePosts.Where(EqField(&p.Shown, &p.Added)),
		"in 2":      shapePosts.Where(In(&p.Views, i, i+1)),
		"in 3":      shapePosts.Where(In(&p.Views, i, i+1, i+2)),
		"not in":    shapePosts.Where(NotIn(&p.Views, i, i+1)),
		"null":      shapePosts.Where(IsNull(&p.Note), Eq(&p.Added, day)),
		"not null":  shapePosts.Where(NotNull(&p.Note), Eq(&p.Added, day)),
		"joined":    shapePosts.Where(Eq(&p.Author.To().Name, note)),
		"related":   shapePosts.Where(Eq(&p.Tags.To().Word, note), Gt(&p.Views, i)),
		"has":       shapePosts.Where(Has(&p.Tags), Not(Has(&p.Tags)), Gt(&p.Views, i)),
		"with":      shapePosts.With(&p.Author).Where(Gt(&p.Views, i)),
		"with two":  shapePosts.With(&p.Author, &p.Tags).Where(Gt(&p.Views, i)),
		"ordered":   shapePosts.OrderBy(Desc(&p.Views)).Where(Gt(&p.Views, i)),
		"upwards":   shapePosts.OrderBy(Asc(&p.Views)).Where(Gt(&p.Views, i)),
		"nulls":     shapePosts.OrderBy(Asc(&p.Note).NullsLast()).Where(Gt(&p.Views, i)),
		"limit 5":   shapePosts.Limit(5).Where(Gt(&p.Views, i)),
		"limit 6":   shapePosts.Limit(6).Where(Gt(&p.Views, i)),
		"far limit": shapePosts.Limit(5000 + i),
		"offset":    shapePosts.Offset(1 + i),
		"a page":    shapePosts.Limit(5).Offset(1 + i).Where(Gt(&p.Views, i)),
		"distinct":  shapePosts.Distinct().Where(Gt(&p.Views, i)),
		"deleted":   shapePosts.WithDeleted().Where(Gt(&p.Views, i)),
	}
	queries := map[string]*query{}
	for name, s := range named {
		queries[name] = s.use()
	}
	return queries
}

// TestShapesAreExact compares what a shape makes of each query with what the compiler
// makes of it.
func TestShapesAreExact(t *testing.T) {
	t.Parallel()
	db := NewDB(silentBackend{})
	for round := range 3 {
		texts := map[string]string{}
		for name, q := range shapeQueries(round) {
			for kind := forRows; kind <= forExistence; kind++ {
				if kind == forExistence {
					q = q.anyRow()
				}
				want, _, err := q.compileAnew(db, kind, q.order)
				if err != nil {
					t.Fatal(name, err)
				}
				got, err := q.compile(db, kind, q.order)
				if err != nil {
					t.Fatal(name, err)
				}
				if got.SQL != want.SQL || !slices.Equal(got.Args, want.Args) {
					t.Errorf("%s: %s %v, but anew it is %s %v", name, got.SQL, got.Args, want.SQL, want.Args)
				}
				if round > 0 && got.shape == nil {
					t.Errorf("%s, kind %d: not kept", name, kind)
				}
				got.done()
				if kind == forRows {
					if other := texts[got.SQL]; other != "" && name != "with" && name != "with two" {
						t.Errorf("%s is the same as %s", name, other)
					}
					texts[got.SQL] = name
				}
			}
		}
	}
}

// TestShapesAndNULL has values of which the text depends.
func TestShapesAndNULL(t *testing.T) {
	t.Parallel()
	db := NewDB(silentBackend{})
	p := shapePosts.Fields()
	for _, note := range []*string{new("a"), nil, new("b"), nil} {
		for name, q := range map[string]QuerySet[shapePost]{
			"equal":     shapePosts.Where(Eq(&p.Note, note)),
			"not equal": shapePosts.Where(Ne(&p.Note, note)),
			"in":        shapePosts.Where(In(&p.Note, note, new("c"))),
			"not in":    shapePosts.Where(NotIn(&p.Note, note, new("c"))),
			"less":      shapePosts.Where(Lt(&p.Note, note)),
		} {
			want, _, wantErr := q.q.compileAnew(db, forRows, nil)
			got, err := q.q.compile(db, forRows, nil)
			if got.SQL != want.SQL || !slices.Equal(got.Args, want.Args) || (err == nil) != (wantErr == nil) {
				t.Errorf("%s: %s %v %v, but anew it is %s %v %v", name, got.SQL, got.Args, err, want.SQL, want.Args, wantErr)
			}
		}
	}
}

// TestShapesAtOnce is for the race detector, and fills the cache beyond its bound.
func TestShapesAtOnce(t *testing.T) {
	t.Parallel()
	db := NewDB(silentBackend{})
	p := shapePosts.Fields()
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range maxShapes {
				q := shapePosts.Where(Eq(&p.Views, i)).Limit(i % 7 * (g + 1)).With(&p.Author).use()
				if i%2 == 0 {
					q = shapePosts.Where(Eq(&p.Views, i)).Limit(1 + i%plainLimit).OrderBy(Desc(&p.Score)).use()
				}
				s, err := q.compile(db, forRows, q.order)
				if err != nil || len(s.Args) != 1 || s.Args[0] != int64(i) || len(s.reader.cells) < 8 {
					t.Error(s.SQL, s.Args, err)
				}
				s.done()
			}
		})
	}
	all.Wait()
	for i := range maxShapes + 10 {
		q := shapePosts.Where(Or(Eq(&p.Views, i), And(make([]Cond, 0)...))).Limit(i%plainLimit + 1).use()
		if i > plainLimit {
			q = q.derive()
			q.distinct = true
		}
		if i > 2*plainLimit {
			q.withDeleted = true
		}
		if _, err := q.compile(db, forRows, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(db.shapes.byName); n > maxShapes {
		t.Errorf("%d shapes are kept", n)
	}
}
