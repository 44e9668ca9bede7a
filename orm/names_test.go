package orm_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

type Base struct {
	Code string `orm:"size=10"`
}

type empty struct{}

// Layout has what makes addresses ambiguous: embedded structs that begin where
// their first field does, and fields of no size.
type Layout struct {
	orm.Model
	Base
	Gap   empty
	After string
	Last  empty
}

var Layouts = orm.Register[Layout]()

func sqlOf[T any](t *testing.T, q orm.QuerySet[T]) string {
	t.Helper()
	ctx := open(t, testdb.SQLite)
	sql, _, err := q.SQL(ctx)
	must(t, err)
	_, where, _ := strings.Cut(sql, " FROM ")
	return where
}

func TestFirstFieldsShareAnAddress(t *testing.T) {
	p := Layouts.Fields()
	for _, tt := range []struct {
		name string
		cond orm.Cond
		want string
	}{
		{"first field of the first embedded struct", orm.Eq(&p.ID, 1), `"orm_test_layout"."id" = ?`},
		{"through the embedded struct's name", orm.Eq(&p.Model.ID, 1), `"orm_test_layout"."id" = ?`},
		{"first field of the second embedded struct", orm.Eq(&p.Code, "x"), `"orm_test_layout"."code" = ?`},
		{"field after one of no size", orm.Eq(&p.After, "x"), `"orm_test_layout"."after" = ?`},
	} {
		if got := sqlOf(t, Layouts.Where(tt.cond)); !strings.HasSuffix(got, tt.want) {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
	for name, cond := range map[string]orm.Cond{
		"embedded struct":        orm.IsNull(&p.Model),
		"second embedded struct": orm.IsNull(&p.Base),
		"field of no size":       orm.IsNull(&p.Gap),
		"last field of no size":  orm.IsNull(&p.Last),
	} {
		if _, err := Layouts.Where(cond).All(open(t, testdb.SQLite)); err == nil || !strings.Contains(err.Error(), "not one of its fields") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestForeignKeyAndItsIDAreOneColumn(t *testing.T) {
	p := Posts.Fields()
	author := orm.FK[User]{ID: 7}
	for _, cond := range []orm.Cond{orm.Eq(&p.Author.ID, 7), orm.Eq(&p.Author, author), orm.Eq(&p.Author.To().ID, 7), orm.Is(&p.Author, &User{Model: orm.Model{ID: 7}})} {
		if got := sqlOf(t, Posts.Where(cond).OrderBy()); got != `"orm_test_post" WHERE "orm_test_post"."author_id" = ?` {
			t.Error(got)
		}
	}
}

func TestUnknownAddressesAreErrors(t *testing.T) {
	ctx := open(t, testdb.SQLite)
	p, u := Posts.Fields(), Users.Fields()
	row := &Post{}
	clone := *p
	local := ""
	var null *string
	for _, tt := range []struct {
		name string
		cond orm.Cond
		want string
	}{
		{"a row", orm.Eq(&row.Title, "x"), "not from its Fields()"},
		{"a copy of the prototype", orm.Eq(&clone.Title, "x"), "not from its Fields()"},
		{"a local variable", orm.Eq(&local, "x"), "not from its Fields()"},
		{"nil", orm.Eq(null, "x"), "nil pointer"},
		{"another model", orm.Eq(&u.Username, "x"), "User.Username is named in a query of Post"},
		{"a path of another model", orm.Eq(&u.Country.To().Code, "NO"), "Country.Code (country__code of User) is named in a query of Post"},
		{"nested in And", orm.And(orm.Eq(&p.Title, "x"), orm.Not(orm.Eq(&row.Title, "x"))), "not from its Fields()"},
		{"an empty condition", orm.Cond{}, "empty Cond"},
	} {
		for verb, run := range map[string]func(q orm.QuerySet[Post]) error{
			"All":    func(q orm.QuerySet[Post]) error { _, err := q.All(ctx); return err },
			"Count":  func(q orm.QuerySet[Post]) error { _, err := q.Count(ctx); return err },
			"Delete": func(q orm.QuerySet[Post]) error { _, err := q.Delete(ctx); return err },
			"Update": func(q orm.QuerySet[Post]) error { _, err := q.Update(ctx, orm.Set(&p.Views, 1)); return err },
		} {
			if err := run(Posts.Where(tt.cond)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s, %s: error %v", tt.name, verb, err)
			}
		}
	}
	for name, q := range map[string]orm.QuerySet[Post]{
		"OrderBy":         Posts.OrderBy(orm.Asc(&row.Title)),
		"OrderBy value":   Posts.OrderBy(orm.Asc(row.Title)),
		"OrderBy to many": Posts.OrderBy(orm.Asc(&p.Tags.To().Name)),
		"With":            Posts.With(&row.Author),
		"With value":      Posts.With("author"),
		"With column":     Posts.With(&p.Title),
		"never":           Posts.Where(orm.In(&p.ID), orm.Eq(&row.Title, "x")),
		"empty order":     Posts.OrderBy(orm.Order{}),
	} {
		if _, err := q.All(ctx); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestZeroQuerySetIsAnError(t *testing.T) {
	var q orm.QuerySet[Post]
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("panic: %v", r)
		}
	}()
	if _, err := q.All(open(t, testdb.SQLite)); err == nil {
		t.Error("no error")
	}
}

func TestDeepPathsJoinOnce(t *testing.T) {
	p := Posts.Fields()
	got := sqlOf(t, Posts.OrderBy().Where(
		orm.Eq(&p.Author.To().Boss.To().Country.To().Code, "NO"),
		orm.Eq(&p.Author.To().Boss.To().Username, "b"),
		orm.Eq(&p.Editor.To().Username, "e")))
	want := `"orm_test_post" JOIN "orm_test_user" AS "author" ON "author"."id" = "orm_test_post"."author_id"` +
		` LEFT JOIN "orm_test_user" AS "author__boss" ON "author__boss"."id" = "author"."boss_id"` +
		` LEFT JOIN "orm_test_country" AS "author__boss__country" ON "author__boss__country"."id" = "author__boss"."country_id"` +
		` LEFT JOIN "orm_test_user" AS "editor" ON "editor"."id" = "orm_test_post"."editor_id"` +
		` WHERE "author__boss__country"."code" = ? AND "author__boss"."username" = ? AND "editor"."username" = ?`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Race shares one prototype and one query between goroutines that step into paths
// nobody stepped into before.
type Race struct {
	orm.Model
	Name string
	Next orm.FK[Race]      `orm:"null"`
	All  orm.HasMany[Race] `orm:"reverse=Next"`
}

var Races = orm.Register[Race]()

func TestSharedByGoroutines(t *testing.T) {
	ctx := open(t, testdb.SQLite)
	base := Races.Where(orm.Ne(&Races.Fields().Name, "")).Limit(5)
	before, _, err := base.SQL(ctx)
	must(t, err)
	var wg sync.WaitGroup
	errs := make(chan error, 64)
	for g := range 8 {
		wg.Go(func() {
			for i := range 40 {
				p := Races.Fields()
				at := p.Next.To()
				for range i % 5 {
					at = at.Next.To()
				}
				name := fmt.Sprint(g, i)
				q := base.Where(orm.Eq(&at.Name, name)).OrderBy(orm.Asc(&at.ID)).With(&p.Next, &p.All)
				if i%8 == 0 {
					runtime.GC()
				}
				_, args, err := q.SQL(ctx)
				if err == nil && (len(args) != 2 || args[1] != name) {
					err = fmt.Errorf("another goroutine's arguments: %v", args)
				}
				if err == nil {
					_, err = q.All(ctx)
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	if after, _, _ := base.SQL(ctx); after != before {
		t.Errorf("the shared query changed:\n%s\n%s", before, after)
	}
}

func TestDerivingNeverChangesTheParent(t *testing.T) {
	ctx := open(t, testdb.SQLite)
	p := Posts.Fields()
	parent := Posts.Where(orm.Eq(&p.Title, "a")).Where(orm.Eq(&p.Title, "b")).Where(orm.Eq(&p.Title, "c")).
		OrderBy(orm.Asc(&p.Title)).GroupBy(&p.ID).Limit(3)
	one := parent.Where(orm.Eq(&p.Views, 1)).GroupBy(&p.Views)
	two := parent.Where(orm.Eq(&p.Rating, 2)).GroupBy(&p.Rating)
	first, _, _ := orm.Select[int64](one, orm.As("", &p.ID)).SQL(ctx)
	second, _, _ := orm.Select[int64](two, orm.As("", &p.ID)).SQL(ctx)
	if strings.Contains(first, "rating") || strings.Contains(second, "views") {
		t.Errorf("siblings share memory:\n%s\n%s", first, second)
	}
}

func TestMissingDatabaseIsAClearError(t *testing.T) {
	if _, err := Posts.All(t.Context()); !errors.Is(err, orm.ErrNoDatabase) {
		t.Error(err)
	}
	if err := Posts.Insert(t.Context(), &Post{}); !errors.Is(err, orm.ErrNoDatabase) {
		t.Error(err)
	}
	if err := orm.Atomic(t.Context(), nil); !errors.Is(err, orm.ErrNoDatabase) {
		t.Error(err)
	}
}
