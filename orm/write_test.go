package orm_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

func TestInsertWritesWhatTheRowHolds(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		before := time.Now().Add(-time.Second)
		post := &Post{Title: "new", Slug: "new", Author: orm.FK[User]{ID: 1}}
		must(t, Posts.Insert(ctx, post))
		if post.ID != 6 || post.Status != Draft || post.Created.Before(before) || !post.Created.Equal(post.Updated) {
			t.Errorf("%+v", post)
		}
		got, err := Posts.Where(orm.Eq(&p.ID, post.ID)).Get(ctx)
		must(t, err)
		if !got.Created.Equal(post.Created) || got.Created.Location() != time.UTC || got.Views != 0 || got.Body != "" {
			t.Errorf("%+v", got)
		}
		keyed := &Post{Model: orm.Model{ID: 100}, Title: "keyed", Slug: "keyed", Author: orm.FK[User]{ID: 1}}
		free := &Post{Title: "free", Slug: "free", Author: orm.FK[User]{ID: 1}}
		must(t, Posts.Insert(ctx, free, keyed))
		if keyed.ID != 100 || free.ID != 101 {
			t.Error(keyed.ID, free.ID)
		}
		must(t, Posts.Insert(ctx))
	})
}

func TestInsertManyInBatches(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		tags := make([]*Tag, 1234)
		for i := range tags {
			tags[i] = &Tag{Name: fmt.Sprint("tag ", i)}
		}
		must(t, Tags.Insert(ctx, tags...))
		names := map[int64]string{}
		for tag, err := range Tags.Each(ctx) {
			must(t, err)
			names[tag.ID] = tag.Name
		}
		for _, tag := range tags {
			if names[tag.ID] != tag.Name {
				t.Fatalf("%d is %q, not %q", tag.ID, names[tag.ID], tag.Name)
			}
		}
		more := []*Tag{{Name: "x"}, {Name: "y"}, {Name: "tag 5"}}
		if err := Tags.Insert(ctx, more...); !orm.IsUnique(err) {
			t.Error(err)
		}
		if n, _ := Tags.Count(ctx); n != 1234 {
			t.Errorf("a part of the rows was inserted: %d", n)
		}
		if more[0].ID != 0 {
			t.Error("a row that was not inserted has a key")
		}
		if err := Items.Insert(ctx, &Item{Price: 1}); err == nil || !strings.Contains(err.Error(), "Item.SKU: is empty") {
			t.Error(err)
		}
	})
}

func TestInsertRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		for name, tt := range map[string]struct {
			post *Post
			want string
		}{
			"foreign key not set":       {&Post{Title: "x"}, "Post.Author: is not set"},
			"foreign key to unsaved":    {postBy(&User{Username: "unsaved"}), "refers to a User that is not saved"},
			"nil row":                   {nil, "is nil"},
			"foreign key to no row":     {&Post{Title: "x", Author: orm.FK[User]{ID: 999}}, "foreign key constraint"},
			"check":                     {&Post{Title: "", Slug: "x", Author: orm.FK[User]{ID: 1}}, "check constraint title_not_empty"},
			"unique":                    {&Post{Title: "x", Slug: "slug-1", Author: orm.FK[User]{ID: 1}}, "unique constraint on orm_test_post.slug"},
			"primary key there already": {&Post{Model: orm.Model{ID: 1}, Title: "x", Slug: "x", Author: orm.FK[User]{ID: 1}}, "unique constraint on orm_test_post.id"},
		} {
			if err := Posts.Insert(ctx, tt.post); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		var late User
		post := postBy(&late)
		late.Username = "late"
		must(t, Users.Insert(ctx, &late))
		must(t, Posts.Insert(ctx, post))
		if post.Author.ID != late.ID || late.ID == 0 {
			t.Error("a row set before it was inserted does not give its key")
		}
	})
}

func postBy(u *User) *Post {
	p := &Post{Title: "by", Slug: "by"}
	p.Author.Set(u)
	return p
}

func TestConstraintErrors(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		err := Posts.Insert(ctx, &Post{Title: "x", Slug: "slug-1", Author: orm.FK[User]{ID: 1}})
		e, ok := errors.AsType[*orm.ConstraintError](err)
		if !ok || e.Kind != orm.UniqueConstraint || e.Table != "orm_test_post" || len(e.Columns) != 1 || e.Columns[0] != "slug" {
			t.Fatalf("%+v", e)
		}
		if f := e.Fields(); len(f) != 1 || f[0].Name != "Slug" {
			t.Errorf("%+v", f)
		}
		if !orm.IsUnique(err) || orm.IsForeignKey(err) || orm.IsCheck(err) || orm.IsNotNull(err) {
			t.Error("kinds are mixed up")
		}
		if e.Unwrap() == nil {
			t.Error("the driver's error is lost")
		}
		db, _ := orm.DBFrom(ctx)
		_, err = db.Exec(ctx, `INSERT INTO orm_test_tag (name) VALUES (NULL)`)
		if !orm.IsNotNull(err) {
			t.Error(err)
		}
		pair := &Pair{A: 1, B: 2}
		must(t, Pairs.Insert(ctx, pair))
		err = Pairs.Insert(ctx, &Pair{A: 1, B: 2})
		if e, ok := errors.AsType[*orm.ConstraintError](err); !ok || len(e.Fields()) != 2 {
			t.Errorf("%v", err)
		}
		err = Pairs.Insert(ctx, &Pair{A: -1, B: 2})
		if e, ok := errors.AsType[*orm.ConstraintError](err); !ok || !orm.IsCheck(err) || e.Constraint != "a_positive" {
			t.Errorf("%v", err)
		}
	})
}

type Pair struct {
	orm.Model
	A, B int
}

func (Pair) Meta(p *Pair) orm.Meta {
	return orm.Meta{
		Unique: orm.Uniques(orm.UniqueTogether(&p.A, &p.B)),
		Checks: orm.Checks(orm.Check("a_positive", orm.Gt(&p.A, 0))),
	}
}

var Pairs = orm.Register[Pair]()

func TestUpdate(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		summer := time.Date(2025, 6, 1, 12, 0, 0, 0, time.FixedZone("x", 7200))
		get := func() *Post {
			post, err := Posts.Where(orm.Eq(&p.ID, 1)).Get(ctx)
			must(t, err)
			return post
		}
		updated := get().Updated
		for name, tt := range map[string]struct {
			set  orm.Assignment
			good func(*Post) bool
		}{
			"text":                  {orm.Set(&p.Title, "new"), func(p *Post) bool { return p.Title == "new" }},
			"zero is a value":       {orm.Set(&p.Views, 0), func(p *Post) bool { return p.Views == 0 }},
			"named type":            {orm.Set(&p.Status, Live), func(p *Post) bool { return p.Status == Live }},
			"text for a named type": {orm.Set(&p.Status, "draft"), func(p *Post) bool { return p.Status == Draft }},
			"int for a float":       {orm.Set(&p.Rating, 3), func(p *Post) bool { return p.Rating == 3 }},
			"time for a pointer":    {orm.Set(&p.Published, summer), func(p *Post) bool { return p.Published.Equal(summer) }},
			"nil":                   {orm.Set(&p.Published, nil), func(p *Post) bool { return p.Published == nil }},
			"row for a foreign key": {orm.Set(&p.Author, &User{Model: orm.Model{ID: 2}}), func(p *Post) bool { return p.Author.ID == 2 }},
			"key for a foreign key": {orm.Set(&p.Author, 3), func(p *Post) bool { return p.Author.ID == 3 }},
			"key":                   {orm.Set(&p.Author.ID, 1), func(p *Post) bool { return p.Author.ID == 1 }},
			"foreign key":           {orm.Set(&p.Editor, orm.FK[User]{ID: 1}), func(p *Post) bool { return p.Editor.ID == 1 }},
			"no foreign key":        {orm.Set(&p.Editor, orm.FK[User]{}), func(p *Post) bool { return p.Editor.IsNull() }},
			"expression":            {orm.Set(&p.Views, orm.Add(&p.Views, 41)), func(p *Post) bool { return p.Views == 42 }},
			"field":                 {orm.Set(&p.Body, orm.F(&p.Slug)), func(p *Post) bool { return p.Body == "slug-0" }},
			"sum of fields":         {orm.Set(&p.Views, orm.AddField(&p.Views, &p.Views)), func(p *Post) bool { return p.Views == 2 }},
			"difference":            {orm.Set(&p.Views, orm.Sub(&p.Views, 3)), func(p *Post) bool { return p.Views == -2 }},
		} {
			// The cases come in any order, so each begins with the same number.
			if _, err := Posts.Where(orm.Eq(&p.ID, 1)).Update(ctx, orm.Set(&p.Views, 1)); err != nil {
				t.Fatal(err)
			}
			n, err := Posts.Where(orm.Eq(&p.ID, 1)).Update(ctx, tt.set)
			if post := get(); n != 1 || err != nil || !tt.good(post) {
				t.Errorf("%s: %d, %v, %+v", name, n, err, post)
			}
		}
		if !get().Updated.Equal(updated) {
			t.Error("Update changed a field that was not named")
		}
		for name, tt := range map[string]struct {
			set  []orm.Assignment
			want string
		}{
			"nothing":            {nil, "nothing to set"},
			"wrong type":         {[]orm.Assignment{orm.Set(&p.Title, 5)}, "Post.Title: a int is given where a string is needed"},
			"text for a number":  {[]orm.Assignment{orm.Set(&p.Views, "5")}, "is needed"},
			"nil for not null":   {[]orm.Assignment{orm.Set(&p.Title, nil)}, "cannot be null"},
			"key for not null":   {[]orm.Assignment{orm.Set(&p.Author, nil)}, "cannot be null"},
			"unsaved row":        {[]orm.Assignment{orm.Set(&p.Author, &User{})}, "not saved"},
			"another table":      {[]orm.Assignment{orm.Set(&p.Author.To().Username, "x")}, "another table"},
			"from another table": {[]orm.Assignment{orm.Set(&p.Title, orm.F(&p.Author.To().Username))}, "another table"},
			"to many":            {[]orm.Assignment{orm.Set(&p.Tags, nil)}, "relation to many"},
			"row":                {[]orm.Assignment{orm.Set(&(&Post{}).Title, "x")}, "not from its Fields()"},
			"empty expression":   {[]orm.Assignment{orm.Set(&p.Title, orm.Expr{})}, "empty Expr"},
		} {
			if n, err := Posts.Where(orm.Eq(&p.ID, 1)).Update(ctx, tt.set...); n != 0 || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %d, %v", name, n, err)
			}
		}
	})
}

func TestChangesNeedACondition(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		if _, err := Posts.Update(ctx, orm.Set(&p.Views, 0)); !errors.Is(err, orm.ErrNoCondition) {
			t.Error(err)
		}
		if _, err := Posts.Where().OrderBy(orm.Asc(&p.ID)).Delete(ctx); !errors.Is(err, orm.ErrNoCondition) {
			t.Error(err)
		}
		if n, err := Posts.UpdateAll(ctx, orm.Set(&p.Views, 0)); n != 5 || err != nil {
			t.Error(n, err)
		}
		if n, err := Comments.DeleteAll(ctx); n != 4 || err != nil {
			t.Error(n, err)
		}
	})
}

func TestChangesThroughRelations(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		if n, err := Posts.Where(orm.Eq(&p.Author.To().Username, "alice")).Update(ctx, orm.Set(&p.Views, 100)); n != 2 || err != nil {
			t.Error(n, err)
		}
		if n, err := Posts.Where(orm.Eq(&p.Tags.To().Name, "go"), orm.Lt(&p.Views, 50)).Update(ctx, orm.Set(&p.Views, orm.Add(&p.Views, 1)), orm.Set(&p.Title, "cc")); n != 1 || err != nil {
			t.Error(n, err)
		}
		if n, err := Posts.Where(orm.Ge(&p.Views, 0)).OrderBy(orm.Desc(&p.ID)).Limit(2).Delete(ctx); n != 2 || err != nil {
			t.Error(n, err)
		}
		if got := titles(t, ctx, Posts); got != "abc" {
			t.Error(got)
		}
		if n, err := Posts.Where(orm.Eq(&p.Author.To().Country.To().Code, "NO")).Delete(ctx); n != 2 || err != nil {
			t.Error(n, err)
		}
		if _, err := Posts.Distinct().Where(orm.Eq(&p.ID, 1)).Delete(ctx); err == nil {
			t.Error("Delete of Distinct: no error")
		}
	})
}

func TestUpdateRow(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		post, err := Posts.Where(orm.Eq(&p.ID, 1)).Get(ctx)
		must(t, err)
		created := post.Updated
		post.Title, post.Body, post.Views, post.Published = "changed", "not named", 0, nil
		must(t, Posts.UpdateRow(ctx, post, &p.Title, &p.Views, &p.Published, &p.Author))
		got, err := Posts.Where(orm.Eq(&p.ID, 1)).Get(ctx)
		must(t, err)
		if got.Title != "changed" || got.Body != "" || got.Views != 0 || got.Published != nil || !got.Updated.After(created) || !got.Updated.Equal(post.Updated) {
			t.Errorf("%+v", got)
		}
		for name, err := range map[string]error{
			"no fields":   Posts.UpdateRow(ctx, post),
			"no row":      Posts.UpdateRow(ctx, nil, &p.Title),
			"not saved":   Posts.UpdateRow(ctx, &Post{}, &p.Title),
			"a row's":     Posts.UpdateRow(ctx, post, &post.Title),
			"primary key": Posts.UpdateRow(ctx, post, &p.ID),
			"to many":     Posts.UpdateRow(ctx, post, &p.Tags),
			"related":     Posts.UpdateRow(ctx, post, &p.Author.To().Username),
			"null author": Posts.UpdateRow(ctx, &Post{Model: orm.Model{ID: 1}}, &p.Author),
		} {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if err := Posts.UpdateRow(ctx, &Post{Model: orm.Model{ID: 999}, Title: "x"}, &p.Title); !errors.Is(err, orm.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestDeleteRow(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		must(t, Comments.DeleteRow(ctx))
		rows, err := Comments.All(ctx)
		must(t, err)
		must(t, Comments.DeleteRow(ctx, rows[0], rows[1]))
		if err := Comments.DeleteRow(ctx, rows[0]); !errors.Is(err, orm.ErrNotFound) {
			t.Error(err)
		}
		if err := Comments.DeleteRow(ctx, &Comment{}); err == nil {
			t.Error("unsaved row: no error")
		}
		if err := Comments.DeleteRow(ctx, nil); err == nil {
			t.Error("nil row: no error")
		}
		if n, _ := Comments.Count(ctx); n != 2 {
			t.Error(n)
		}
	})
}

func TestUpsert(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		by := orm.Conflict{Fields: orm.Fields(&p.Slug)}
		fresh := &Post{Title: "up", Slug: "up", Author: orm.FK[User]{ID: 1}}
		must(t, Posts.Upsert(ctx, fresh, by))
		if fresh.ID != 6 {
			t.Error(fresh.ID)
		}
		again := &Post{Title: "again", Slug: "up", Views: 9, Author: orm.FK[User]{ID: 2}}
		must(t, Posts.Upsert(ctx, again, by))
		got, err := Posts.Where(orm.Eq(&p.Slug, "up")).Get(ctx)
		must(t, err)
		if again.ID != 6 || got.Title != "again" || got.Views != 9 || got.Author.ID != 2 || !got.Created.Equal(fresh.Created) || got.Updated.Before(fresh.Updated) {
			t.Errorf("%+v", got)
		}
		must(t, Posts.Upsert(ctx, &Post{Title: "only views", Slug: "up", Views: 1, Author: orm.FK[User]{ID: 1}}, orm.Conflict{Fields: by.Fields, Update: orm.Fields(&p.Views)}))
		got, err = Posts.Where(orm.Eq(&p.Slug, "up")).Get(ctx)
		must(t, err)
		if got.Title != "again" || got.Views != 1 || got.Author.ID != 2 {
			t.Errorf("%+v", got)
		}
		ignored := &Post{Title: "ignored", Slug: "up", Author: orm.FK[User]{ID: 1}}
		must(t, Posts.Upsert(ctx, ignored, orm.Conflict{Fields: by.Fields, Nothing: true}))
		if ignored.ID != 0 {
			t.Error(ignored.ID)
		}
		item := &Item{SKU: "x", Price: 1}
		must(t, Items.Upsert(ctx, item, orm.Conflict{}))
		must(t, Items.Upsert(ctx, &Item{SKU: "x", Price: 2}, orm.Conflict{}))
		if got, err := Items.Get(ctx); err != nil || got.Price != 2 {
			t.Error(got, err)
		}
		if err := Posts.Upsert(ctx, nil, by); err == nil {
			t.Error("nil: no error")
		}
		if err := Posts.Upsert(ctx, fresh, orm.Conflict{Fields: orm.Fields("slug")}); err == nil {
			t.Error("not a field: no error")
		}
	})
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		row := Defaulted.New()
		if row.Kind != "plain" || row.Count != 7 || !row.On || row.Rate != 0.5 || row.When.IsZero() || *row.Maybe != 3 {
			t.Errorf("%+v", row)
		}
		literal := &Default{}
		must(t, Defaulted.Insert(ctx, literal))
		got, err := Defaulted.Get(ctx)
		must(t, err)
		if got.Kind != "plain" || got.When.IsZero() || *got.Maybe != 3 || got.Count != 0 || got.On || got.Rate != 0 {
			t.Errorf("%+v", got)
		}
		zero := &Default{Kind: "x", Maybe: new(0)}
		must(t, Defaulted.Insert(ctx, zero))
		got, err = Defaulted.Where(orm.Eq(&Defaulted.Fields().Kind, "x")).Get(ctx)
		must(t, err)
		if *got.Maybe != 0 {
			t.Errorf("%+v", got)
		}
	})
}

type Default struct {
	orm.Model
	Kind  string    `orm:"default=plain"`
	Count int       `orm:"default=7"`
	On    bool      `orm:"default=true"`
	Rate  float64   `orm:"default=0.5"`
	When  time.Time `orm:"default=now"`
	Maybe *int      `orm:"default=3"`
}

var Defaulted = orm.Register[Default]()

func TestSizeIsHeldOnEveryWrite(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		c := Countries.Fields()
		if err := Countries.Insert(ctx, &Country{Code: "NOR"}); err == nil || err.Error() != "orm: Country.Code: has 3 characters where 2 are allowed" {
			t.Error(err)
		}
		no := &Country{Code: "Ø漢"}
		must(t, Countries.Insert(ctx, no))
		no.Code = "SWE"
		err := Countries.UpdateRow(ctx, no, &c.Code)
		if e, ok := errors.AsType[*orm.ValueError](err); !ok || e.Field.Name != "Code" {
			t.Error(err)
		}
		if _, err := Countries.UpdateAll(ctx, orm.Set(&c.Code, "SWE")); err == nil {
			t.Error("no error")
		}
	})
}

func TestGetOrInsert(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		post := &Post{Title: "other", Slug: "slug-0", Author: orm.FK[User]{ID: 3}}
		inserted, err := Posts.GetOrInsert(ctx, post, &p.Slug)
		if inserted || err != nil || post.ID != 1 || post.Title != "a" || post.Author.ID != 1 {
			t.Error(inserted, err, post)
		}
		post = &Post{Title: "fresh", Slug: "fresh", Author: orm.FK[User]{ID: 3}}
		inserted, err = Posts.GetOrInsert(ctx, post, &p.Slug, &p.Author)
		if !inserted || err != nil || post.ID != 6 {
			t.Error(inserted, err, post)
		}
		if _, err = Posts.GetOrInsert(ctx, &Post{Title: "fresh", Slug: "slug-1", Author: orm.FK[User]{ID: 3}}, &p.Title, &p.Slug); !orm.IsUnique(err) {
			t.Error("another field in the way:", err)
		}
		for name, run := range map[string]func() error{
			"no fields": func() error { _, err := Posts.GetOrInsert(ctx, post); return err },
			"no row":    func() error { _, err := Posts.GetOrInsert(ctx, nil, &p.Slug); return err },
			"no column": func() error { _, err := Posts.GetOrInsert(ctx, post, &p.Tags); return err },
		} {
			if run() == nil {
				t.Errorf("%s: no error", name)
			}
		}
		var wg sync.WaitGroup
		var count atomic.Int64
		for range 8 {
			wg.Go(func() {
				tag := &Tag{Name: "raced"}
				inserted, err := Tags.GetOrInsert(ctx, tag, &Tags.Fields().Name)
				if err != nil || tag.ID == 0 {
					t.Error(tag, err)
				}
				if inserted {
					count.Add(1)
				}
			})
		}
		wg.Wait()
		if count.Load() != 1 {
			t.Errorf("inserted %d times", count.Load())
		}
	})
}

func TestReload(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		post, err := Posts.With(&Posts.Fields().Tags).First(ctx)
		must(t, err)
		title := post.Title
		post.Title = "changed"
		must(t, Posts.Reload(ctx, post))
		if post.Title != title || post.Tags.Loaded() {
			t.Errorf("%+v", post)
		}
		must(t, Posts.DeleteRow(ctx, post))
		if err := Posts.Reload(ctx, post); !errors.Is(err, orm.ErrNotFound) {
			t.Error(err)
		}
		if Posts.Reload(ctx, nil) == nil || Posts.Reload(ctx, &Post{}) == nil {
			t.Error("no error")
		}
	})
}
