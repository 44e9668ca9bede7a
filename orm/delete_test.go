package orm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// The models of the tests of deletes: a music shop.

type Artist struct {
	orm.Model
	Name string
}

func (a *Artist) String() string { return a.Name }

type Album struct {
	orm.Model
	Title  string
	Artist orm.FK[Artist] `orm:"on_delete=cascade"`
	Genres orm.ManyToMany[Genre]
}

type Song struct {
	orm.Model
	Title  string
	Album  orm.FK[Album]  `orm:"on_delete=restrict"`
	Artist orm.FK[Artist] `orm:"on_delete=cascade"`
}

func (s *Song) String() string { return s.Title }

type Review struct {
	orm.Model
	Album orm.FK[Album] `orm:"on_delete=cascade"`
	Song  orm.FK[Song]  `orm:"null,on_delete=set_null"`
}

type Genre struct {
	orm.Model
	Name string
}

type Contract struct {
	orm.Model
	Album orm.FK[Album] `orm:"on_delete=protect"`
}

func (c *Contract) String() string { return fmt.Sprint("contract ", c.ID) }

// Folder is a tree.
type Folder struct {
	orm.Model
	Name   string
	Parent orm.FK[Folder] `orm:"null,on_delete=cascade"`
}

// heard is what the hooks and listeners of one test heard.
type heard struct {
	mu   sync.Mutex
	list []string
}

type heardKey struct{}

// hearing returns a context whose events are noted.
func hearing(ctx context.Context) (context.Context, *heard) {
	h := &heard{}
	return context.WithValue(ctx, heardKey{}, h), h
}

// hear notes something, if the test wants to know.
func hear(ctx context.Context, what string) {
	if h, ok := ctx.Value(heardKey{}).(*heard); ok {
		h.mu.Lock()
		h.list = append(h.list, what)
		h.mu.Unlock()
	}
}

// take returns what was heard since the last time.
func (h *heard) take() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	text := strings.Join(h.list, ", ")
	h.list = nil
	return text
}

func (f *Folder) BeforeDelete(ctx context.Context, e orm.Event) error {
	if f.Name == "locked" {
		return errLocked
	}
	if e.Kind == orm.BeforeDelete && e.Row == any(f) {
		hear(ctx, "-"+f.Name)
	}
	return nil
}

var errLocked = errors.New("this folder is locked")

var (
	Artists   = orm.Register[Artist]()
	Albums    = orm.Register[Album]()
	Songs     = orm.Register[Song]()
	Reviews   = orm.Register[Review]()
	Genres    = orm.Register[Genre]()
	Contracts = orm.Register[Contract]()
	Folders   = orm.Register[Folder]()
)

func count[T any](t *testing.T, ctx context.Context, q orm.QuerySet[T], want int64) {
	t.Helper()
	if n, err := q.Count(ctx); n != want || err != nil {
		t.Errorf("%d rows of %s, want %d (%v)", n, q.Info().Name, want, err)
	}
}

// shop has two artists; the first has two albums with two songs and a review each.
func shop(t *testing.T, kind testdb.Kind) context.Context {
	t.Helper()
	ctx := kind.Context(t)
	genre := &Genre{Name: "jazz"}
	must(t, Genres.Insert(ctx, genre))
	for _, name := range []string{"Ella", "Nina"} {
		artist := &Artist{Name: name}
		must(t, Artists.Insert(ctx, artist))
		for i := range 2 {
			album := &Album{Title: fmt.Sprint(name, " ", i)}
			album.Artist.Set(artist)
			must(t, Albums.Insert(ctx, album))
			must(t, album.Genres.Add(ctx, genre))
			for j := range 2 {
				song := &Song{Title: fmt.Sprint(album.Title, ".", j)}
				song.Album.Set(album)
				song.Artist.Set(artist)
				must(t, Songs.Insert(ctx, song))
				review := &Review{}
				review.Album.Set(album)
				review.Song.Set(song)
				must(t, Reviews.Insert(ctx, review))
			}
		}
	}
	return ctx
}

func TestDeleteForgivesRestrictForRowsThatGoToo(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := shop(t, kind)
		a := Artists.Fields()
		d, err := Artists.Where(orm.Eq(&a.Name, "Ella")).Deletion(ctx)
		must(t, err)
		var plan []string
		for _, rows := range d.Models {
			name := rows.Model.Name
			if rows.Join != nil {
				name += "." + rows.Join.Name
			}
			plan = append(plan, fmt.Sprint(name, " ", rows.Rows))
		}
		slices.Sort(plan)
		if got := strings.Join(plan, ", "); got != "Album 2, Album.Genres 2, Artist 1, Review 4, Song 4" || d.Total() != 13 || d.Protected != nil {
			t.Error(got, d.Total(), d.Protected)
		}
		n, err := Artists.Where(orm.Eq(&a.Name, "Ella")).Delete(ctx)
		if n != 1 || err != nil {
			t.Fatal(n, err)
		}
		count(t, ctx, Artists, 1)
		count(t, ctx, Albums, 2)
		count(t, ctx, Songs, 4)
		count(t, ctx, Reviews, 4)
		// Alone, an album cannot go while its songs are there.
		_, err = Albums.Where(orm.Eq(&Albums.Fields().Title, "Nina 0")).Delete(ctx)
		e, ok := errors.AsType[*orm.ProtectedError](err)
		if !ok || len(e.By) != 1 || e.By[0].Field.Name != "Album" || len(e.By[0].Rows) != 2 || !orm.IsForeignKey(err) {
			t.Fatal(err)
		}
		if got := err.Error(); got != `orm: the album cannot be deleted: it is referred to by Song.Album of "Nina 0.0", "Nina 0.1"` {
			t.Error(got)
		}
		count(t, ctx, Reviews, 4)
	})
}

func TestDeleteNamesProtectedRows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := shop(t, kind)
		album, err := Albums.OrderBy(orm.Asc(&Albums.Fields().ID)).First(ctx)
		must(t, err)
		for range 5 {
			c := &Contract{}
			c.Album.Set(album)
			must(t, Contracts.Insert(ctx, c))
		}
		artist, err := album.Artist.Load(ctx)
		must(t, err)
		err = Artists.DeleteRow(ctx, artist)
		if e, ok := errors.AsType[*orm.ProtectedError](err); !ok || !strings.HasSuffix(e.Error(), `"contract 3" and 2 more`) || e.Model != Artists.Info() {
			t.Error(err)
		}
		count(t, ctx, Artists, 2)
		count(t, ctx, Songs, 8)
		d, err := Artists.Deletion(ctx)
		if err != nil || d.Protected == nil {
			t.Error(d, err)
		}
		// A refusal inside a transaction leaves it usable.
		must(t, orm.Atomic(ctx, func(ctx context.Context) error {
			if err := Genres.DeleteRow(ctx, &Genre{Model: orm.Model{ID: 1}}); err != nil {
				return err
			}
			if _, err := Profiles.Where(orm.Eq(&Profiles.Fields().ID, 1)).Delete(ctx); err != nil {
				return err
			}
			if err := Artists.DeleteRow(ctx, artist); !orm.IsForeignKey(err) {
				t.Error(err)
			}
			_, err := Artists.Count(ctx)
			return err
		}))
	})
}

func TestDeleteRefusedByTheDatabaseIsExplained(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		profile := &Profile{Bio: "x"}
		must(t, Profiles.Insert(ctx, profile))
		u := Users.Fields()
		_, err := Users.Where(orm.Eq(&u.Username, "alice")).Update(ctx, orm.Set(&u.Profile, profile))
		must(t, err)
		refused := func(ctx context.Context) {
			err := Profiles.DeleteRow(ctx, profile)
			if e, ok := errors.AsType[*orm.ProtectedError](err); !ok || len(e.By) != 1 || e.By[0].Field.Name != "Profile" || e.By[0].Rows[0].(*User).Username != "alice" {
				t.Error(err)
			}
		}
		refused(ctx)
		must(t, orm.Atomic(ctx, func(ctx context.Context) error {
			refused(ctx)
			return Tags.Insert(ctx, &Tag{Name: "the transaction goes on"})
		}))
	})
}

func TestDeleteOfATreeRunsHooks(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx, h := hearing(open(t, kind))
		var parent *Folder
		for _, name := range []string{"a", "b", "c", "d"} {
			f := &Folder{Name: name}
			f.Parent.Set(parent)
			must(t, Folders.Insert(ctx, f))
			parent = f
		}
		stop := Folders.Listen(orm.AfterDelete, func(ctx context.Context, f *Folder, e orm.Event) error {
			hear(ctx, "+"+kind.Name+" "+f.Name)
			return nil
		})
		defer stop()
		f := Folders.Fields()
		n, err := Folders.Where(orm.Eq(&f.Name, "b")).Delete(ctx)
		if got := h.take(); n != 1 || err != nil || !strings.HasPrefix(got, "-b, -c, -d, +") || !strings.Contains(got, "+"+kind.Name+" d") {
			t.Error(n, err, got)
		}
		count(t, ctx, Folders, 1)
		locked := &Folder{Name: "locked"}
		must(t, Folders.Insert(ctx, locked))
		if err := Folders.DeleteRow(ctx, locked); !errors.Is(err, errLocked) {
			t.Error(err)
		}
		if _, err := Folders.DeleteAll(ctx); !errors.Is(err, errLocked) {
			t.Error(err)
		}
		count(t, ctx, Folders, 2)
		a, err := Folders.Where(orm.Eq(&f.Name, "a")).Get(ctx)
		must(t, err)
		h.take()
		err = Folders.DeleteRow(ctx, a, &Folder{Model: orm.Model{ID: 999}})
		if got := h.take(); !errors.Is(err, orm.ErrNotFound) || !strings.HasPrefix(got, "-a, +") {
			t.Error(err, got)
		}
		count(t, ctx, Folders, 1)
		stop()
		locked.Name = "open"
		must(t, Folders.DeleteRow(ctx, locked))
		if got := h.take(); !strings.HasPrefix(got, "-open") || strings.Contains(got, "+"+kind.Name) {
			t.Error(got)
		}
	})
}

// A shop whose rows are only marked.
type (
	Shelf struct {
		orm.Model
		Name string
		orm.SoftDelete
		Books orm.HasMany[Book]
	}
	Book struct {
		orm.Model
		Title string
		Shelf orm.FK[Shelf] `orm:"on_delete=cascade"`
		orm.SoftDelete
	}
	Sticker struct {
		orm.Model
		Shelf orm.FK[Shelf] `orm:"on_delete=cascade"`
	}
)

var (
	Shelves  = orm.Register[Shelf]()
	Books    = orm.Register[Book]()
	Stickers = orm.Register[Sticker]()
)

func TestSoftDelete(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		s := Shelves.Fields()
		for _, name := range []string{"x", "y"} {
			shelf := &Shelf{Name: name}
			must(t, Shelves.Insert(ctx, shelf))
			must(t, Stickers.Insert(ctx, &Sticker{Shelf: orm.FK[Shelf]{ID: shelf.ID}}))
			for i := range 3 {
				must(t, Books.Insert(ctx, &Book{Title: fmt.Sprint(name, i), Shelf: orm.FK[Shelf]{ID: shelf.ID}}))
			}
		}
		shelf, err := Shelves.With(&s.Books).Where(orm.Eq(&s.Name, "x")).Get(ctx)
		must(t, err)
		books, _ := shelf.Books.Get()
		must(t, Books.DeleteRow(ctx, books[0]))
		count(t, ctx, Books, 5)
		count(t, ctx, Books.WithDeleted(), 6)
		count(t, ctx, Books.OnlyDeleted(), 1)
		if err := Books.DeleteRow(ctx, books[0]); !errors.Is(err, orm.ErrNotFound) {
			t.Error("a row marked already:", err)
		}
		shelf, err = Shelves.With(&s.Books).Where(orm.Eq(&s.Name, "x")).Get(ctx)
		must(t, err)
		if books, _ := shelf.Books.Get(); len(books) != 2 {
			t.Error("a relation has marked rows")
		}
		d, err := Shelves.Where(orm.Eq(&s.Name, "x")).Deletion(ctx)
		if err != nil || len(d.Models) != 2 || !d.Models[0].Soft || d.Total() != 3 {
			t.Errorf("%+v %v", d, err)
		}
		if n, err := Shelves.Where(orm.Eq(&s.Name, "x")).Delete(ctx); n != 1 || err != nil {
			t.Error(n, err)
		}
		count(t, ctx, Shelves, 1)
		count(t, ctx, Books, 3)
		count(t, ctx, Stickers, 2)
		if _, err := Shelves.Where(orm.Eq(&s.Name, "x")).Get(ctx); !errors.Is(err, orm.ErrNotFound) {
			t.Error(err)
		}
		book, err := Books.WithDeleted().With(&Books.Fields().Shelf).OrderBy(orm.Asc(&Books.Fields().ID)).First(ctx)
		must(t, err)
		if !book.IsDeleted() || book.Shelf.To().Name != "x" {
			t.Error("a foreign key to a marked row is not loaded")
		}
		if n, err := Shelves.Where(orm.Eq(&s.Name, "x")).Restore(ctx); n != 1 || err != nil {
			t.Error(n, err)
		}
		count(t, ctx, Shelves, 2)
		if n, err := Shelves.Where(orm.Eq(&s.Name, "x")).HardDelete(ctx); n != 1 || err != nil {
			t.Error(n, err)
		}
		count(t, ctx, Shelves.WithDeleted(), 1)
		count(t, ctx, Books.WithDeleted(), 3)
		count(t, ctx, Stickers, 1)
		if _, err := Artists.Restore(ctx); err == nil {
			t.Error("Restore of a model that is not soft-deleted: no error")
		}
	})
}
