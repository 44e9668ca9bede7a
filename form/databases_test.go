package form_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// Region is chosen by its code, and Spot has a key of several columns.
type Region struct {
	orm.Model
	Code string `orm:"size=4,unique"`
	Name string `orm:"size=40"`
}

func (r *Region) String() string { return r.Name }

type Spot struct {
	Key    SpotKey                        `orm:"pk"`
	Name   string                         `orm:"size=20"`
	Region orm.ForeignKey[Region, string] `orm:"to=Code"`
	Beside orm.ForeignKey[Spot, SpotKey]  `orm:"null,on_delete=set_null"`
	Near   orm.ManyToMany[Spot]
}

type SpotKey struct {
	Row    string `orm:"size=8"`
	Number int
}

func (s *Spot) String() string { return s.Name }

var (
	Regions = orm.Register[Region]()
	Spots   = orm.Register[Spot]()
)

// TestModelFormsOnEveryDatabase saves and changes a row, and submits what constraints refuse:
// found before the row is written, and, where somebody else was quicker, by the database.
func TestModelFormsOnEveryDatabase(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSiteOn(t, kind)
		p := Posts.Fields()
		s.serve(post(complete()...), func(c *retort.Ctx) {
			f := form.For(c, postForm)
			if saved, err := f.Save(c); !saved || err != nil {
				t.Fatal(saved, err, f.Errors())
			}
			if got := tagNames(t, c, f.Value()); got != "go <b>" {
				t.Error(got)
			}
		})
		edited := func(pairs []string, want string) {
			t.Helper()
			s.serve(post(pairs...), func(c *retort.Ctx) {
				row, err := Posts.Where(orm.Eq(&p.Slug, "new")).Get(c)
				must(t, err)
				f := form.For(c, postForm).Instance(row)
				saved, err := f.Save(c)
				if saved != (want == "") || err != nil || want != "" && f.Errors().Error() != want {
					t.Errorf("%v %v\n got %s\nwant %s", saved, err, f.Errors(), want)
				}
			})
		}
		edited(complete("title", "Other", "tags", "2"), "")
		row, err := Posts.Where(orm.Eq(&p.Title, "Other")).Get(s.ctx)
		must(t, err)
		if got := tagNames(t, s.ctx, row); got != "go web <b>" && got != "go web" && got != "web" {
			t.Error(got)
		}
		edited(complete("slug", "hello"), "slug: is taken already")
		edited(complete("number", "1"), "A post with this year and number exists already")
		edited(complete("title", "Macbeth"), "title: is not allowed")
		edited(complete("author", "99"), "author: is not one of the choices")
		edited(complete("title", "a\x00b"), "title: must not contain the null character")
		edited(complete("title", strings.Repeat("é", 21)), "title: must have at most 20 characters")
		edited(complete("year", "99999999999999999999"), "year: must be between -9223372036854775808 and 9223372036854775807")

		other := 0
		for _, late := range []struct {
			meanwhile func(ctx context.Context) error
			want      string
		}{
			{func(ctx context.Context) error {
				return Posts.Insert(ctx, &Post{Title: "t", Slug: "late", Year: 1, Author: orm.FK[Author]{ID: 1}})
			}, "slug: is taken already"},
			{func(ctx context.Context) error {
				return Posts.Insert(ctx, &Post{Title: "t", Slug: "t", Year: 2027, Number: 2, Author: orm.FK[Author]{ID: 1}})
			}, "A post with this year and number exists already"},
			{func(ctx context.Context) error {
				_, err := Authors.Where(orm.Eq(&Authors.Fields().Name, fmt.Sprint("author ", other))).Delete(ctx)
				return err
			}, "Something chosen here has been deleted meanwhile"},
		} {
			other++
			author := &Author{Name: fmt.Sprint("author ", other)}
			must(t, Authors.Insert(s.ctx, author))
			slug, year := "late", "2025"
			if late.want != "slug: is taken already" {
				slug, year = fmt.Sprint("late", other), "2027"
			}
			if strings.HasPrefix(late.want, "Something") {
				year = "2028"
			}
			s.serve(post(complete("slug", slug, "year", year, "author", fmt.Sprint(author.ID))...), func(c *retort.Ctx) {
				f := form.For(c, postForm)
				if !f.Valid() {
					t.Fatal(f.Errors())
				}
				must(t, late.meanwhile(c))
				before, _ := Posts.Count(c)
				saved, err := f.Save(c)
				if saved || err != nil || f.Errors().Error() != late.want {
					t.Errorf("%v %v\n got %s\nwant %s", saved, err, f.Errors(), late.want)
				}
				if after, _ := Posts.Count(c); after != before {
					t.Error("a part of it was written")
				}
			})
		}
	})
}

// TestFormsOfKeysOnEveryDatabase chooses rows by keys of several columns, and by another
// field than the primary key.
func TestFormsOfKeysOnEveryDatabase(t *testing.T) {
	t.Parallel()
	sp := Spots.Fields()
	options := func(s *Spot) form.Options {
		return form.Options{Fields: form.Fields(&s.Name, &s.Region, &s.Beside, &s.Near)}
	}
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSiteOn(t, kind)
		must(t, Regions.Insert(s.ctx, &Region{Code: "N", Name: "north"}, &Region{Code: "S", Name: "south"}))
		must(t, Spots.Insert(
			s.ctx, &Spot{Key: SpotKey{"a", 1}, Name: "a1", Region: orm.ForeignKey[Region, string]{ID: "N"}},
			&Spot{Key: SpotKey{"a,b", 2}, Name: "b2", Region: orm.ForeignKey[Region, string]{ID: "N"}},
		))
		s.serve(get(), func(c *retort.Ctx) {
			row, err := Spots.Where(orm.Eq(&sp.Key, SpotKey{"a", 1})).Get(c)
			must(t, err)
			f := form.For(c, options).Instance(row)
			html, err := f.Render()
			must(t, err)
			regions, spots := f.Field(&f.Value().Region).Options(), f.Field(&f.Value().Beside).Options()
			if len(regions) != 2 || regions[1].Value != "S" || len(spots) < 2 || spots[len(spots)-1].Value != "a%2Cb,2" {
				t.Errorf("%v, %v", regions, spots)
			}
			if !strings.Contains(string(html), `value="N" selected`) {
				t.Errorf("the region is not chosen: %s", html)
			}
		})
		s.serve(post("name", "first", "region", "S", "beside", "a%2Cb,2", "near", "a%2Cb,2"), func(c *retort.Ctx) {
			row, err := Spots.Where(orm.Eq(&sp.Key, SpotKey{"a", 1})).Get(c)
			must(t, err)
			f := form.For(c, options).Instance(row)
			if saved, err := f.Save(c); !saved || err != nil {
				t.Fatal(saved, err, f.Errors())
			}
		})
		row, err := Spots.With(&sp.Region, &sp.Beside, &sp.Near).Where(orm.Eq(&sp.Key, SpotKey{"a", 1})).Get(s.ctx)
		must(t, err)
		near, err := row.Near.Get()
		if err != nil || row.Name != "first" || row.Region.To().Name != "south" || row.Beside.To().Name != "b2" || len(near) != 1 {
			t.Errorf("%+v, %v", row, err)
		}
		for _, pairs := range [][]string{
			{"region", "X"}, {"region", "1"}, {"beside", "a,9"}, {"beside", "a"}, {"beside", "a,1,1"}, {"near", "zz,1"},
		} {
			submitted := append([]string{"name", "x"}, pairs...)
			if pairs[0] != "region" {
				submitted = append(submitted, "region", "N")
			}
			s.serve(post(submitted...), func(c *retort.Ctx) {
				row, err := Spots.Where(orm.Eq(&sp.Key, SpotKey{"a", 1})).Get(c)
				must(t, err)
				f := form.For(c, options).Instance(row)
				if f.Valid() || f.Errors().Error() != pairs[0]+": is not one of the choices" {
					t.Errorf("%v: %v", pairs, f.Errors())
				}
			})
		}
	})
}
