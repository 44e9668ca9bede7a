package orm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// Page is a model with hooks, a version and times.
type Page struct {
	orm.Model
	Path    string `orm:"size=100,unique"`
	Title   string `orm:"size=100"`
	Body    []byte
	Visits  int
	Version int `orm:"version"`
	orm.Timestamps
	log *[]string
}

func (p *Page) note(e orm.Event, what string) {
	if p.log == nil {
		return
	}
	names := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		names[i] = f.Name
	}
	*p.log = append(*p.log, fmt.Sprint(what, " insert=", e.Insert, " ", strings.Join(names, ",")))
}

func (p *Page) BeforeSave(_ context.Context, e orm.Event) error {
	p.note(e, "before")
	if p.Path == "" {
		p.Path = "/" + strings.ToLower(p.Title)
	}
	if p.Title == "refused" {
		return errRefused
	}
	return nil
}

func (p *Page) AfterSave(_ context.Context, e orm.Event) error {
	p.note(e, "after")
	if p.Title == "too late" {
		return errRefused
	}
	return nil
}

var errRefused = errors.New("refused by the model")

var Pages = orm.Register[Page]()

func TestHooksOfSaves(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		p := Pages.Fields()
		var log []string
		page := &Page{Title: "Home", log: &log}
		must(t, Pages.Insert(ctx, page))
		if page.Path != "/home" || page.Version != 1 || page.Created.IsZero() {
			t.Errorf("%+v", page)
		}
		page.Title = "House"
		must(t, Pages.UpdateRow(ctx, page, &p.Title))
		want := []string{"before insert=true ", "after insert=true ", "before insert=false Title,Updated", "after insert=false Title,Updated"}
		if !slices.Equal(log, want) {
			t.Errorf("%q", log)
		}
		for _, title := range []string{"refused", "too late"} {
			if err := Pages.Insert(ctx, &Page{Title: "ok"}, &Page{Title: title}); !errors.Is(err, errRefused) {
				t.Error(title, err)
			}
			page.Title = title
			if err := Pages.UpdateRow(ctx, page, &p.Title); !errors.Is(err, errRefused) {
				t.Error(title, err)
			}
			must(t, Pages.Reload(ctx, page, &p.Version))
		}
		if n, err := Pages.Where(orm.Eq(&p.Title, "House")).Count(ctx); n != 1 || err != nil {
			t.Error(n, err)
		}
		count(t, ctx, Pages, 1)
	})
}

func TestListenersAreOrderedAndRemovable(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx, h := hearing(open(t, kind))
		listen := func(name string) func() {
			return Genres.Listen(orm.AfterSave, func(ctx context.Context, g *Genre, e orm.Event) error {
				hear(ctx, name+" "+kind.Name+" "+g.Name)
				return nil
			})
		}
		stopA, stopB := listen("a"), listen("b")
		stopAll := orm.Listen(orm.AfterSave, func(ctx context.Context, e orm.Event) error {
			hear(ctx, "all "+kind.Name+" "+e.Model.Name)
			return nil
		})
		must(t, Genres.Insert(ctx, &Genre{Name: "listen 1"}))
		stopA()
		stopA()
		stopAll()
		must(t, Genres.Insert(ctx, &Genre{Name: "listen 2"}))
		stopB()
		must(t, Genres.Insert(ctx, &Genre{Name: "listen 3"}))
		// The listeners of the same test on other databases hear it too.
		mine := slices.DeleteFunc(strings.Split(h.take(), ", "), func(s string) bool { return !strings.Contains(s, " "+kind.Name+" ") })
		if got := strings.ReplaceAll(strings.Join(mine, ", "), kind.Name+" ", ""); got != "a listen 1, b listen 1, all Genre, b listen 2" {
			t.Error(got)
		}
	})
}

func TestEditWritesWhatChanged(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		p := Pages.Fields()
		page := &Page{Path: "/a", Title: "a", Body: []byte("body")}
		must(t, Pages.Insert(ctx, page))
		edit, err := Pages.Edit(page)
		must(t, err)
		db, _ := orm.DBFrom(ctx)
		log := &queryLog{}
		db.AddHook(log)
		must(t, edit.Save(ctx))
		if n := len(log.all()); n != 0 {
			t.Errorf("%d statements for nothing", n)
		}
		page.Title = "b"
		page.Body[0] = 'B'
		changed, err := edit.Changed()
		if err != nil || len(changed) != 2 || changed[0].Name != "Title" || changed[1].Name != "Body" {
			t.Error(changed, err)
		}
		if has, err := edit.Has(&p.Visits); has || err != nil {
			t.Error(has, err)
		}
		if _, err := Pages.Where(orm.Eq(&p.ID, page.ID)).Update(ctx, orm.Set(&p.Visits, 7)); err != nil {
			t.Fatal(err)
		}
		must(t, edit.Save(ctx))
		if changed, err := edit.Changed(); len(changed) != 0 || err != nil {
			t.Error(changed, err)
		}
		must(t, Pages.Reload(ctx, page))
		if page.Title != "b" || string(page.Body) != "Body" || page.Visits != 7 || page.Version != 2 {
			t.Errorf("%+v", page)
		}
		if _, err := Pages.Edit(nil); err == nil {
			t.Error("no error")
		}
	})
}

func TestVersionTellsThatSomebodyWasFaster(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		p := Pages.Fields()
		mine := &Page{Path: "/v", Title: "v"}
		must(t, Pages.Insert(ctx, mine))
		theirs, err := Pages.Get(ctx)
		must(t, err)
		theirs.Title = "theirs"
		must(t, Pages.UpdateRow(ctx, theirs, &p.Title))
		mine.Title = "mine"
		for name, err := range map[string]error{
			"UpdateRow":  Pages.UpdateRow(ctx, mine, &p.Title),
			"UpdateRows": Pages.UpdateRows(ctx, []*Page{theirs, mine}, &p.Title),
		} {
			if !errors.Is(err, orm.ErrStale) {
				t.Error(name, err)
			}
		}
		must(t, Pages.Reload(ctx, mine))
		mine.Title = "mine"
		must(t, Pages.UpdateRow(ctx, mine, &p.Title))
		if err := Pages.UpdateRow(ctx, &Page{Model: orm.Model{ID: 99}}, &p.Title); !errors.Is(err, orm.ErrNotFound) {
			t.Error(err)
		}
		if err := Pages.UpdateRow(ctx, mine, &p.Version); err == nil {
			t.Error("the version is written by hand")
		}
	})
}

func TestUpdateRowsWithVersions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		p := Pages.Fields()
		pages := make([]*Page, 700)
		for i := range pages {
			pages[i] = &Page{Path: fmt.Sprint("/", i)}
		}
		must(t, Pages.Insert(ctx, pages...))
		must(t, Pages.UpdateRow(ctx, pages[3], &p.Title)) // versions differ
		for i, page := range pages {
			page.Title = fmt.Sprint("title ", i)
		}
		must(t, Pages.UpdateRows(ctx, pages, &p.Title))
		got, err := Pages.OrderBy(orm.Asc(&p.ID)).All(ctx)
		must(t, err)
		for i, page := range got {
			if page.Title != pages[i].Title || page.Version != pages[i].Version || page.Version != map[bool]int{false: 2, true: 3}[i == 3] {
				t.Fatalf("%d: %+v, not %+v", i, page, pages[i])
			}
		}

		must(t, Pages.UpdateRow(ctx, got[650], &p.Title))
		for _, page := range pages {
			page.Title = "stale"
		}
		if err := Pages.UpdateRows(ctx, pages, &p.Title); !errors.Is(err, orm.ErrStale) || pages[0].Version != 2 {
			t.Error(err, pages[0].Version)
		}
		if n, err := Pages.Where(orm.Eq(&p.Title, "stale")).Count(ctx); n != 0 || err != nil {
			t.Error(n, err)
		}
		must(t, Pages.DeleteRow(ctx, got[650]))
		if err := Pages.UpdateRows(ctx, pages, &p.Title); !errors.Is(err, orm.ErrNotFound) {
			t.Error(err)
		}
	})
}

// Proposal is a model with a version that is marked and not deleted.
type Proposal struct {
	orm.Model
	orm.SoftDelete
	Title   string `orm:"size=20"`
	Version int    `orm:"version"`
}

var Proposals = orm.Register[Proposal]()

// Letter is a model with a version that the database deletes alone.
type Letter struct {
	orm.Model
	Title   string `orm:"size=20"`
	Version int    `orm:"version"`
}

var Letters = orm.Register[Letter]()

func TestDeleteRowWithVersions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		deletesUnchanged(t, ctx, Pages, &Page{Path: "/a"}, &Page{Path: "/b"}, func(p *Page) any { return &p.Title })
		deletesUnchanged(t, ctx, Letters, &Letter{}, &Letter{}, func(l *Letter) any { return &l.Title })
		a := &Proposal{}
		deletesUnchanged(t, ctx, Proposals, a, &Proposal{}, func(d *Proposal) any { return &d.Title })
		marked, err := Proposals.WithDeleted().Where(orm.Eq(&Proposals.Fields().ID, a.ID)).Get(ctx)
		must(t, err)
		if !a.IsDeleted() || marked.Version != a.Version || a.Version != 3 {
			t.Errorf("%+v, not %+v", marked, a)
		}
	})
}

// deletesUnchanged deletes two rows of a model after one was changed behind its back.
func deletesUnchanged[T any](t *testing.T, ctx context.Context, s orm.QuerySet[T], a, b *T, field func(*T) any) {
	t.Helper()
	must(t, s.Insert(ctx, a, b))
	before := *a
	must(t, s.UpdateRow(ctx, a, field(s.Fields())))
	if err := s.DeleteRow(ctx, b, &before); !errors.Is(err, orm.ErrStale) {
		t.Errorf("%T: %v", a, err)
	}
	if n, err := s.Count(ctx); n != 2 || err != nil {
		t.Errorf("%T: %d rows are left, %v", a, n, err)
	}
	must(t, s.DeleteRow(ctx, b))
	if err := s.DeleteRow(ctx, a, b); !errors.Is(err, orm.ErrNotFound) {
		t.Errorf("%T: %v", a, err)
	}
	if n, err := s.Count(ctx); n != 0 || err != nil {
		t.Errorf("%T: %d rows are left, %v", a, n, err)
	}
}

func TestUpdateRows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		posts, err := Posts.All(ctx)
		must(t, err)
		for i, post := range posts {
			post.Title, post.Views, post.Body = fmt.Sprint("title ", i), i*10, "not named"
			if i%2 == 0 {
				post.Published = nil
			} else {
				post.Published = new(time.Date(2030, 1, i+1, 0, 0, 0, 0, time.UTC))
			}
			post.Editor.SetID(int64(i%3 + 1))
		}
		must(t, Posts.UpdateRows(ctx, posts, &p.Title, &p.Views, &p.Published, &p.Editor))
		for _, post := range posts {
			got, err := Posts.Where(orm.Eq(&p.ID, post.ID)).Get(ctx)
			must(t, err)
			same := got.Published == nil && post.Published == nil || got.Published != nil && post.Published != nil && got.Published.Equal(*post.Published)
			if got.Title != post.Title || got.Views != post.Views || !same || got.Body == "not named" || got.Editor.ID != post.Editor.ID || !got.Updated.Equal(post.Updated) {
				t.Errorf("%+v, not %+v", got, post)
			}
		}
		tags := make([]*Tag, 1234)
		for i := range tags {
			tags[i] = &Tag{Name: fmt.Sprint("bulk ", i)}
		}
		must(t, Tags.Insert(ctx, tags...))
		for i, tag := range tags {
			tag.Name = fmt.Sprint("changed ", i)
		}
		g := Tags.Fields()
		must(t, Tags.UpdateRows(ctx, tags, &g.Name))
		if n, err := Tags.Where(orm.StartsWith(&g.Name, "changed ")).Count(ctx); n != 1234 || err != nil {
			t.Error(n, err)
		}
		tags[1].Name = "lost"
		if err := Tags.UpdateRows(ctx, []*Tag{tags[1], {Model: orm.Model{ID: 99999}, Name: "gone"}}, &g.Name); !errors.Is(err, orm.ErrNotFound) {
			t.Error(err)
		}
		if n, err := Tags.Where(orm.Eq(&g.Name, "lost")).Count(ctx); n != 0 || err != nil {
			t.Error("a part was written", n, err)
		}
		for name, err := range map[string]error{
			"no fields": Tags.UpdateRows(ctx, tags), "nil row": Tags.UpdateRows(ctx, []*Tag{nil}, &g.Name),
			"not saved": Tags.UpdateRows(ctx, []*Tag{{}}, &g.Name), "key": Tags.UpdateRows(ctx, tags[:1], &g.ID),
		} {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		must(t, Tags.UpdateRows(ctx, nil, &g.Name))
	})
}

// TestUpdateRowsOfNumbers has fields that a database may take as arrays.
func TestUpdateRowsOfNumbers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		author, err := Users.First(ctx)
		must(t, err)
		posts := make([]*Post, 250)
		for i := range posts {
			posts[i] = &Post{Title: fmt.Sprint("numbered ", i), Slug: fmt.Sprint("numbered-", i)}
			posts[i].Author.Set(author)
		}
		must(t, Posts.Insert(ctx, posts...))
		want := map[int64]*Post{}
		for i, post := range posts {
			post.Views = i - 100
			if i%2 == 0 {
				post.Editor.SetID(author.ID)
				post.Published = new(time.Date(2030, 1, i%28+1, 0, 0, 0, 1000*i, time.UTC))
			}
			want[post.ID] = post
		}
		must(t, Posts.UpdateRows(ctx, posts, &p.Views, &p.Published, &p.Editor))
		found, err := Posts.Where(orm.StartsWith(&p.Title, "numbered ")).All(ctx)
		must(t, err)
		if len(found) != len(posts) {
			t.Fatal(len(found))
		}
		for _, got := range found {
			post := want[got.ID]
			same := got.Published == nil && post.Published == nil || got.Published != nil && post.Published != nil && got.Published.Equal(*post.Published)
			if got.Views != post.Views || !same || got.Editor.ID != post.Editor.ID || !got.Updated.Equal(post.Updated) {
				t.Errorf("%+v, not %+v", got, post)
			}
		}
		gone := &Post{Model: orm.Model{ID: 99999}, Views: 7}
		if err := Posts.UpdateRows(ctx, []*Post{posts[0], gone}, &p.Views); !errors.Is(err, orm.ErrNotFound) {
			t.Error(err)
		}
		must(t, Posts.UpdateRows(ctx, posts[:1], &p.Views))
	})
}

func TestUpdateOrInsert(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		p := Pages.Fields()
		visit := func() error {
			page := &Page{Path: "/visited", Title: "Visited", Visits: 1}
			_, err := Pages.UpdateOrInsert(ctx, page, orm.Fields(&p.Path), func(found *Page) error {
				found.Visits++
				return nil
			})
			return err
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if err := visit(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		page, err := Pages.Get(ctx)
		if err != nil || page.Visits != 20 || page.Version != 20 {
			t.Errorf("%+v, %v", page, err)
		}
		_, err = Pages.UpdateOrInsert(ctx, &Page{Path: "/visited"}, orm.Fields(&p.Path), func(*Page) error { return errRefused })
		if !errors.Is(err, errRefused) {
			t.Error(err)
		}
		got := &Page{Path: "/visited"}
		if inserted, err := Pages.UpdateOrInsert(ctx, got, orm.Fields(&p.Path), func(*Page) error { return nil }); inserted || err != nil || got.ID != page.ID || got.Visits != 20 {
			t.Error(inserted, err, got)
		}
	})
}

func TestReloadAndLock(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		post, err := Posts.OrderBy(orm.Asc(&p.ID)).First(ctx)
		must(t, err)
		post.Title, post.Body = "in memory", "in memory"
		must(t, Posts.Reload(ctx, post, &p.Title))
		if post.Title == "in memory" || post.Body != "in memory" {
			t.Errorf("%+v", post)
		}
		if err := Posts.ForUpdate().Reload(ctx, post); err == nil {
			t.Error("a lock outside of a transaction: no error")
		}
		must(t, orm.Atomic(ctx, func(ctx context.Context) error { return Posts.ForUpdate().Reload(ctx, post) }))
		if post.Body == "in memory" {
			t.Error("not all is read again")
		}
	})
}
