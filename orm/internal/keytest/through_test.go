package keytest

import (
	"context"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// Student and Course are joined by a model whose key is the pair, with values and a hook of
// its own.
type Student struct {
	orm.Model
	Name    string                 `orm:"size=20"`
	Courses orm.ManyToMany[Course] `orm:"through=Enrolment"`
}

type Course struct {
	Code     string                  `orm:"pk,size=10"`
	Students orm.ManyToMany[Student] `orm:"reverse=Courses"`
}

type EnrolmentKey struct {
	Student orm.FK[Student]                `orm:"on_delete=cascade"`
	Course  orm.ForeignKey[Course, string] `orm:"on_delete=cascade"`
}

type Enrolment struct {
	Key   EnrolmentKey `orm:"pk"`
	Grade int          `orm:"default=3"`
	Note  string       `orm:"size=20"`
}

func (e *Enrolment) BeforeSave(_ context.Context, event orm.Event) error {
	if event.Insert {
		e.Note = "hooked"
	}
	return nil
}

var (
	Students   = orm.Register[Student]()
	Courses    = orm.Register[Course]()
	Enrolments = orm.Register[Enrolment]()
)

func TestThroughAModelWithACompositeKey(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		ada, bob := &Student{Name: "ada"}, &Student{Name: "bob"}
		check(Students.Insert(ctx, ada, bob))
		art, law := &Course{Code: "art"}, &Course{Code: "law"}
		check(Courses.Insert(ctx, art, law))
		check(ada.Courses.Add(ctx, art, law))
		check(ada.Courses.Add(ctx, art)) // it is there
		check(law.Students.Add(ctx, bob))
		e, s := Enrolments.Fields(), Students.Fields()
		rows, err := Enrolments.OrderBy(orm.Asc(&e.Key)).With(&e.Key.Student, &e.Key.Course).All(ctx)
		check(err)
		if len(rows) != 3 || rows[0].Key.Student.To().Name != "ada" || rows[0].Key.Course.To().Code != "art" || rows[0].Note != "hooked" {
			t.Fatalf("%+v", rows)
		}
		rows[1].Grade = 5
		check(Enrolments.UpdateRow(ctx, rows[1], &e.Grade))
		best, err := Students.Where(orm.Eq(&s.Courses.To().Code, "law")).With(&s.Courses).OrderBy(orm.Asc(&s.ID)).All(ctx)
		check(err)
		if len(best) != 2 {
			t.Fatalf("%v", best)
		}
		if list, err := best[0].Courses.Get(); err != nil || len(list) != 2 {
			t.Errorf("%v, %v", list, err)
		}
		check(ada.Courses.Set(ctx, law))
		check(law.Students.Remove(ctx, bob))
		left, err := Enrolments.All(ctx)
		check(err)
		if len(left) != 1 || left[0].Grade != 5 || left[0].Key.Course.ID != "law" {
			t.Errorf("%+v", left)
		}
		check(Enrolments.DeleteRow(ctx, left[0]))
		check(bob.Courses.Add(ctx, art))
		check(Students.DeleteRow(ctx, bob))
		if n, err := Enrolments.Count(ctx); n != 0 || err != nil {
			t.Errorf("%d are left: %v", n, err)
		}
	})
}
