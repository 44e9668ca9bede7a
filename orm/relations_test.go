package orm_test

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

func TestWithLoadsRelations(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		db, _ := orm.DBFrom(ctx)
		log := &queryLog{}
		db.AddHook(log)
		rows, err := Posts.OrderBy(orm.Asc(&p.ID)).
			With(&p.Author, &p.Author.To().Country, &p.Author.To().Boss, &p.Editor, &p.Tags, &p.Comments, &p.Author.To().Posts, &p.Tags.To().Posts.To().Author).
			All(ctx)
		must(t, err)
		if n := len(log.all()); n != 5 {
			t.Errorf("%d statements, want 1 for the posts and 1 for each of 4 relations to many", n)
		}
		a, c, d, e := rows[0], rows[2], rows[3], rows[4]
		if a.Author.To().Username != "alice" || a.Author.To().Country.To().Code != "NO" || a.Editor.To().Username != "bob" {
			t.Errorf("a: %+v", a)
		}
		if boss, err := a.Author.To().Boss.Get(); boss != nil || err != nil {
			t.Error(boss, err)
		}
		if c.Author.To().Boss.To().Username != "alice" {
			t.Errorf("boss: %+v", c.Author.To())
		}
		if d.Editor.To() != nil || !d.Editor.IsNull() || !d.Editor.Loaded() {
			t.Errorf("editor of d: %+v", d.Editor)
		}
		if country, err := e.Author.To().Country.Get(); country != nil || err != nil {
			t.Error(country, err)
		}
		tags, err := a.Tags.Get()
		if err != nil || len(tags) != 2 || tags[0].Name != "go" || tags[1].Name != "web" {
			t.Error(tags, err)
		}
		if none, err := d.Tags.Get(); err != nil || len(none) != 0 {
			t.Error(none, err)
		}
		comments, err := a.Comments.Get()
		if err != nil || len(comments) != 2 || comments[1].Votes != 5 {
			t.Error(comments, err)
		}
		if back, err := comments[0].Post.Get(); err != nil || back != a {
			t.Error("the comment does not lead back to the post's own row", back, err)
		}
		byAlice, err := a.Author.To().Posts.Get()
		if err != nil || len(byAlice) != 2 {
			t.Error(byAlice, err)
		}
		others, err := tags[1].Posts.Get()
		if err != nil || len(others) != 3 {
			t.Fatal(others, err)
		}
		for _, other := range others {
			if other.Author.To().Username == "" {
				t.Error("a relation behind a relation to many is not loaded")
			}
		}
	})
}

func TestReadingWhatIsNotLoadedNamesTheWith(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		post, err := Posts.Where(orm.Eq(&Posts.Fields().Title, "a")).Get(ctx)
		must(t, err)
		for name, get := range map[string]func() error{
			"Post.Author":   func() error { _, err := post.Author.Get(); return err },
			"Post.Tags":     func() error { _, err := post.Tags.Get(); return err },
			"Post.Comments": func() error { _, err := post.Comments.TemplateValue(); return err },
			"Post.Editor":   func() error { _, err := post.Editor.TemplateValue(); return err },
		} {
			err := get()
			notLoaded, ok := errors.AsType[*orm.NotLoadedError](err)
			if !ok || notLoaded.Model+"."+notLoaded.Field != name || !strings.Contains(err.Error(), "add With(&p."+notLoaded.Field+")") {
				t.Errorf("%s: %v", name, err)
			}
		}
		func() {
			defer func() {
				if err, ok := recover().(*orm.NotLoadedError); !ok {
					t.Error("To of a row that is not loaded panics with", err)
				}
			}()
			post.Author.To()
		}()
		func() {
			defer func() {
				if recover() == nil {
					t.Error("To of a relation to many of a row does not panic")
				}
			}()
			post.Tags.To()
		}()
		author, err := post.Author.Load(ctx)
		if err != nil || author.Username != "alice" || post.Author.To() != author {
			t.Error(author, err)
		}
		if editor, err := (&Post{}).Editor.Load(ctx); editor != nil || err != nil {
			t.Error(editor, err)
		}
		gone := orm.FK[User]{ID: 999}
		if _, err := gone.Load(ctx); !errors.Is(err, orm.ErrNotFound) {
			t.Error(err)
		}
		tags, err := post.Tags.All(ctx)
		if err != nil || len(tags) != 2 || !post.Tags.Loaded() {
			t.Error(tags, err)
		}
		comments, err := post.Comments.Query().Where(orm.Gt(&Comments.Fields().Votes, 2)).All(ctx)
		if err != nil || len(comments) != 1 {
			t.Error(comments, err)
		}
		if all, err := post.Comments.All(ctx); err != nil || len(all) != 2 {
			t.Error(all, err)
		}
		found, err := post.Tags.Query().Where(orm.Eq(&Tags.Fields().Name, "web")).All(ctx)
		if err != nil || len(found) != 1 {
			t.Error(found, err)
		}
		if _, err := (&Post{}).Tags.All(ctx); err == nil {
			t.Error("relation of a row that was never saved: no error")
		}
		if err := (&Post{}).Tags.Add(ctx, tags[0]); err == nil {
			t.Error("relation of a row that was never saved: no error")
		}
		if err := post.Tags.Add(ctx, &Tag{Name: "new"}); err == nil || !strings.Contains(err.Error(), "not saved") {
			t.Error(err)
		}
		if err := post.Tags.Add(ctx, nil); err == nil {
			t.Error("nil row: no error")
		}
	})
}

func TestForeignKeyFollowsItsKey(t *testing.T) {
	t.Parallel()
	alice := &User{Model: orm.Model{ID: 1}, Username: "alice"}
	var post Post
	post.Author.Set(alice)
	if post.Author.ID != 1 || post.Author.To() != alice {
		t.Errorf("%+v", post.Author)
	}
	post.Author.ID = 2
	if _, err := post.Author.Get(); err == nil {
		t.Error("another key still has the old row")
	}
	post.Author.SetID(1)
	if _, err := post.Author.Get(); err == nil {
		t.Error("SetID keeps the old row")
	}
	post.Author.Set(nil)
	if !post.Author.IsNull() || post.Author.To() != nil {
		t.Error("Set(nil) is not NULL")
	}
	clone := post // rows can be copied
	clone.Author.SetID(3)
	if post.Author.ID != 0 {
		t.Error("a copy shares its key")
	}
}

func TestConditionOnAnUnsavedRowIsNotNULL(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		late := &User{Username: "late"}
		cond := orm.Is(&p.Editor, late)
		if n, err := Posts.Where(cond).Count(ctx); err == nil || !strings.Contains(err.Error(), "not saved") {
			t.Error(n, err)
		}
		must(t, Users.Insert(ctx, late))
		if n, err := Posts.Where(cond).Count(ctx); n != 0 || err != nil {
			t.Error(n, err)
		}
	})
}

func TestRelationsAsText(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		post, err := Posts.Where(orm.Eq(&Posts.Fields().Title, "b")).Get(ctx)
		must(t, err)
		if got := fmt.Sprintf("%v %v %v", post.Author, post.Editor, post.Tags); got != "1 NULL (not loaded)" {
			t.Error(got)
		}
		type view struct {
			Author orm.FK[User]
			Editor orm.FK[User]
			Tags   orm.ManyToMany[Tag]
		}
		b, err := json.Marshal(view{post.Author, post.Editor, post.Tags})
		if err != nil || string(b) != `{"Author":1,"Editor":null,"Tags":null}` {
			t.Error(string(b), err)
		}
		var back struct{ Author, Editor orm.FK[User] }
		must(t, json.Unmarshal([]byte(`{"Author":7,"Editor":null}`), &back))
		if back.Author.ID != 7 || !back.Editor.IsNull() {
			t.Errorf("%+v", back)
		}
		if err := json.Unmarshal([]byte(`{"Author":"x"}`), &back); err == nil {
			t.Error("a text as key: no error")
		}
		if v, err := post.Editor.TemplateValue(); v != nil || err != nil {
			t.Error(v, err)
		}
		_, err = post.Author.Load(ctx)
		must(t, err)
		if v, err := post.Author.TemplateValue(); err != nil || v.(*User).Username != "alice" {
			t.Error(v, err)
		}
		_, err = post.Tags.All(ctx)
		must(t, err)
		if v, err := post.Tags.TemplateValue(); err != nil || len(v.([]*Tag)) != 1 {
			t.Error(v, err)
		}
		if got := fmt.Sprint(post.Tags); got != "(1 rows)" {
			t.Error(got)
		}
	})
}

func TestManyToManyWrites(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		post, err := Posts.Where(orm.Eq(&p.Title, "a")).Get(ctx)
		must(t, err)
		all, err := Tags.OrderBy(orm.Asc(&Tags.Fields().ID)).All(ctx)
		must(t, err)
		golang, web, db, unused := all[0], all[1], all[2], all[3]
		stored := func() string {
			fresh, err := Posts.Where(orm.Eq(&p.ID, post.ID)).With(&p.Tags).Get(ctx)
			must(t, err)
			rows, err := fresh.Tags.Get()
			must(t, err)
			var names []string
			for _, tag := range rows {
				names = append(names, tag.Name)
			}
			return strings.Join(names, " ")
		}
		loaded := func() string {
			rows, err := post.Tags.Get()
			must(t, err)
			var names []string
			for _, tag := range rows {
				names = append(names, tag.Name)
			}
			return strings.Join(names, " ")
		}
		_, err = post.Tags.All(ctx)
		must(t, err)
		for _, tt := range []struct {
			name string
			do   func() error
			want string
		}{
			{"add, one of them there", func() error { return post.Tags.Add(ctx, web, db) }, "go web db"},
			{"add nothing", func() error { return post.Tags.Add(ctx) }, "go web db"},
			{"remove, one of them not there", func() error { return post.Tags.Remove(ctx, golang, unused) }, "web db"},
			{"set", func() error { return post.Tags.Set(ctx, web, unused) }, "web unused"},
			{"clear", func() error { return post.Tags.Clear(ctx) }, ""},
			{"set after clear", func() error { return post.Tags.Set(ctx, golang) }, "go"},
		} {
			must(t, tt.do())
			if got := stored(); got != tt.want {
				t.Errorf("%s: stored %q, want %q", tt.name, got, tt.want)
			}
			if got := loaded(); got != tt.want {
				t.Errorf("%s: loaded %q, want %q", tt.name, got, tt.want)
			}
		}
		// The other side sees and writes the same pairs.
		must(t, unused.Posts.Add(ctx, post))
		if got := stored(); got != "go unused" {
			t.Error(got)
		}
		if posts, err := golang.Posts.Query().Count(ctx); err != nil || posts != 2 {
			t.Error(posts, err)
		}
		if err := post.Tags.Add(ctx, &Tag{Model: orm.Model{ID: 999}}); !orm.IsForeignKey(err) {
			t.Error(err)
		}
	})
}

func TestOnDelete(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		u, p := Users.Fields(), Posts.Fields()
		alice, err := Users.Where(orm.Eq(&u.Username, "alice")).Get(ctx)
		must(t, err)
		must(t, Users.DeleteRow(ctx, alice))
		if got := titles(t, ctx, Posts); got != "cde" {
			t.Errorf("cascade left %q", got)
		}
		if n, err := Comments.Count(ctx); err != nil || n != 1 {
			t.Errorf("cascade of a cascade left %d comments", n)
		}
		c, err := Posts.Where(orm.Eq(&p.Title, "c")).With(&p.Author).Get(ctx)
		must(t, err)
		if !c.Editor.IsNull() || !c.Author.To().Boss.IsNull() {
			t.Error("set_null did not")
		}
		owner := &Owner{Name: "o"}
		must(t, Owners.Insert(ctx, owner))
		must(t, Pets.Insert(ctx, &Pet{Owner: orm.FK[Owner]{ID: owner.ID}}))
		if err := Owners.DeleteRow(ctx, owner); !orm.IsForeignKey(err) {
			t.Error("restrict is the default:", err)
		}
	})
}

type Owner struct {
	orm.Model
	Name string
}

type Pet struct {
	orm.Model
	Owner orm.FK[Owner]
}

// Meta names a field of a model that is registered later.
func (Pet) Meta(p *Pet) orm.Meta {
	return orm.Meta{OrderBy: orm.By(orm.Desc(&p.Owner.To().Name))}
}

var (
	Pets   = orm.Register[Pet]()
	Owners = orm.Register[Owner]()
)

func TestMetaNamesAModelRegisteredLater(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		a, b := &Owner{Name: "a"}, &Owner{Name: "b"}
		must(t, Owners.Insert(ctx, a, b))
		must(t, Pets.Insert(ctx, &Pet{Owner: orm.FK[Owner]{ID: a.ID}}, &Pet{Owner: orm.FK[Owner]{ID: b.ID}}))
		pets, err := Pets.With(&Pets.Fields().Owner).All(ctx)
		if err != nil || pets[0].Owner.To().Name != "b" {
			t.Error(pets, err)
		}
		if n, err := Pets.Count(ctx); n != 2 || err != nil {
			t.Error(n, err)
		}
	})
}

// Keys that are not int64.
type Item struct {
	SKU   string `orm:"pk,size=20"`
	Price float64
	Lines orm.HasMany[Line]
	Boxes orm.ManyToMany[Box]
}

type Box struct {
	orm.Model
	Items orm.ManyToMany[Item] `orm:"reverse=Boxes"`
}

type Line struct {
	orm.Model
	Item orm.ForeignKey[Item, string] `orm:"on_delete=cascade"`
	N    int
}

var (
	Items = orm.Register[Item]()
	Lines = orm.Register[Line]()
	Boxes = orm.Register[Box]()
)

func TestKeysThatAreNotIntegers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		item, line, box := &Item{SKU: "a-1", Price: 2.5}, &Line{N: 3}, &Box{Items: orm.ManyToMany[Item]{}}
		must(t, Items.Insert(ctx, item, &Item{SKU: "b-2"}))
		line.Item.Set(item)
		must(t, Lines.Insert(ctx, line))
		l := Lines.Fields()
		got, err := Lines.Where(orm.Eq(&l.Item.ID, "a-1"), orm.Eq(&l.Item.To().Price, 2.5)).With(&l.Item, &l.Item.To().Lines).Get(ctx)
		must(t, err)
		if got.Item.To().SKU != "a-1" {
			t.Errorf("%+v", got)
		}
		if lines, err := got.Item.To().Lines.Get(); err != nil || len(lines) != 1 {
			t.Error(lines, err)
		}
		if lines, err := item.Lines.All(ctx); err != nil || len(lines) != 1 {
			t.Error(lines, err)
		}
		box.ID = 5
		must(t, Boxes.Insert(ctx, box))
		must(t, box.Items.Add(ctx, item))
		boxes, err := item.Boxes.All(ctx)
		if err != nil || len(boxes) != 1 || boxes[0].ID != 5 {
			t.Error(boxes, err)
		}
		with, err := Items.With(&Items.Fields().Boxes).OrderBy(orm.Asc(&Items.Fields().SKU)).All(ctx)
		must(t, err)
		if b, err := with[0].Boxes.Get(); err != nil || len(b) != 1 {
			t.Error(b, err)
		}
		if err := Items.Insert(ctx, &Item{SKU: "a-1"}); !orm.IsUnique(err) {
			t.Error(err)
		}
		must(t, Items.UpdateRow(ctx, item, &Items.Fields().Price))
		must(t, Items.DeleteRow(ctx, item))
		if n, _ := Lines.Count(ctx); n != 0 {
			t.Error(n)
		}
	})
}

func TestOnlyLoadsSomeRows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p, c, tag := Posts.Fields(), Comments.Fields(), Tags.Fields()
		rows, err := Posts.OrderBy(orm.Asc(&p.ID)).With(
			orm.Only(&p.Comments, Comments.Where(orm.Gt(&c.Votes, 1)).With(&c.Post)),
			orm.Only(&p.Tags, Tags.OrderBy(orm.Desc(&tag.Name)).With(&tag.Posts))).All(ctx)
		must(t, err)
		comments, err := rows[0].Comments.Get()
		if err != nil || len(comments) != 1 || comments[0].Name != "y" {
			t.Error(comments, err)
		}
		tags, err := rows[0].Tags.Get()
		if err != nil || len(tags) != 2 || tags[0].Name != "web" || !tags[0].Posts.Loaded() {
			t.Error(tags, err)
		}
		for name, relation := range map[string]any{
			"to one":      orm.Only(&p.Author, Users),
			"other model": orm.Only(&p.Comments, Tags),
			"broken":      orm.Only(&p.Comments, Comments.Limit(-1)),
			"not a field": orm.Only("comments", Comments),
			"zero":        orm.Only(&p.Comments, orm.QuerySet[Comment](nil)),
		} {
			if _, err := Posts.With(relation).All(ctx); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})
}

type Passport struct {
	orm.Model
	Number string
	Person orm.FK[Person] `orm:"unique,on_delete=cascade"`
}

type Person struct {
	orm.Model
	Name     string
	Passport orm.HasOne[Passport]
}

var (
	Passports = orm.Register[Passport]()
	Persons   = orm.Register[Person]()
)

func TestHasOne(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		with, without := &Person{Name: "with"}, &Person{Name: "without"}
		must(t, Persons.Insert(ctx, with, without))
		must(t, Passports.Insert(ctx, &Passport{Number: "N1", Person: orm.FK[Person]{ID: with.ID}}))
		p := Persons.Fields()
		rows, err := Persons.With(&p.Passport).OrderBy(orm.Asc(&p.ID)).All(ctx)
		must(t, err)
		if got := rows[0].Passport.To(); got.Number != "N1" || got.Person.To() != rows[0] {
			t.Errorf("%+v", got)
		}
		if rows[1].Passport.To() != nil {
			t.Error("a passport from nowhere")
		}
		if n, err := Persons.Where(orm.Eq(&p.Passport.To().Number, "N1")).Count(ctx); n != 1 || err != nil {
			t.Error(n, err)
		}
		if n, err := Persons.Where(orm.Not(orm.Has(&p.Passport))).Count(ctx); n != 1 || err != nil {
			t.Error(n, err)
		}
		row, err := Persons.First(ctx)
		must(t, err)
		if _, err := row.Passport.Get(); err == nil {
			t.Error("not loaded: no error")
		}
		if passport, err := row.Passport.Load(ctx); err != nil || passport.Number != "N1" {
			t.Error(passport, err)
		}
		if v, err := row.Passport.TemplateValue(); err != nil || v.(*Passport).Number != "N1" {
			t.Error(v, err)
		}
		if v, err := rows[1].Passport.TemplateValue(); err != nil || v != nil {
			t.Error(v, err)
		}
		if b, err := json.Marshal(rows[1]); err != nil || !strings.Contains(string(b), `"Passport":null`) {
			t.Error(string(b), err)
		}
		if err := Passports.Insert(ctx, &Passport{Person: orm.FK[Person]{ID: with.ID}}); !orm.IsUnique(err) {
			t.Error(err)
		}
	})
}

// Hash is a key that is stored as bytes, which no map takes.
type Hash [4]byte

func (h Hash) Value() (driver.Value, error) { return h[:], nil }

func (h *Hash) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != len(h) {
		return fmt.Errorf("a hash of %T", v)
	}
	copy(h[:], b)
	return nil
}

type Blob struct {
	Hash  Hash `orm:"pk"`
	Parts orm.HasMany[Part]
	Links orm.ManyToMany[Part]
}

type Part struct {
	Number int32 `orm:"pk"`
	Blob   orm.ForeignKey[Blob, Hash]
	In     orm.ManyToMany[Blob] `orm:"reverse=Links"`
}

var (
	Blobs = orm.Register[Blob]()
	Parts = orm.Register[Part]()
)

func TestKeysOfBytesAndSmallIntegers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		blobs := make([]*Blob, 30) // more than are written one by one
		for i := range blobs {
			blobs[i] = &Blob{Hash: Hash{byte(i), 1}}
		}
		must(t, Blobs.Insert(ctx, blobs...))
		var part Part
		part.Blob.Set(blobs[3])
		other := &Part{Blob: orm.ForeignKey[Blob, Hash]{ID: Hash{4, 1}}}
		must(t, Parts.Insert(ctx, &part, other))
		if part.Number != 1 || other.Number != 2 {
			t.Error(part.Number, other.Number)
		}
		third := &Part{Blob: part.Blob}
		must(t, Parts.Insert(ctx, third))
		must(t, blobs[3].Links.Add(ctx, &part, other))
		must(t, blobs[3].Links.Remove(ctx, other))
		b := Blobs.Fields()
		rows, err := Blobs.OrderBy(orm.Asc(&b.Hash)).With(&b.Parts, &b.Links.To().In).All(ctx)
		must(t, err)
		parts, err := rows[3].Parts.Get()
		if err != nil || len(parts) != 2 || parts[0].Blob.To() != rows[3] {
			t.Error(parts, err)
		}
		links, err := rows[3].Links.Get()
		if err != nil || len(links) != 1 {
			t.Fatal(links, err)
		}
		if in, err := links[0].In.Get(); err != nil || len(in) != 1 || in[0].Hash != rows[3].Hash {
			t.Error(in, err)
		}
		if n, err := Blobs.Where(orm.In(&b.Hash, Hash{3, 1}, Hash{9, 9})).Count(ctx); n != 1 || err != nil {
			t.Error(n, err)
		}
		if err := (&Blob{}).Links.Add(ctx, &part); err == nil {
			t.Error("a blob that was not inserted: no error")
		}
		var unsaved Part
		if err := blobs[3].Links.Add(ctx, &unsaved); err == nil {
			t.Error("a part that was not inserted: no error")
		}
	})
}
