package form_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
)

// Card has a picture that a store keeps.
type Card struct {
	orm.Model
	Title   string `orm:"size=20,unique"`
	Picture string `orm:"size=80,blank"`
}

var Cards = orm.Register[Card]()

// shelf is a store in memory.
type shelf struct {
	mu    sync.Mutex
	files map[string]int64
	full  bool
	count int
}

var errFull = errors.New("the shelf is full")

func (s *shelf) Save(_ context.Context, f *bind.File) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return "", errFull
	}
	s.count++
	name := fmt.Sprintf("cards/%d-%s", s.count, f.CleanName())
	s.files[name] = f.Size
	return name, nil
}

func (s *shelf) Delete(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.files, name)
	return nil
}

func (s *shelf) URL(name string) string { return "/media/" + name }

func (s *shelf) names() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name := range s.files {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func pngOf(t *testing.T, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))))
	return b.Bytes()
}

// flood is a small file that claims to be an image of many pixels.
func flood(t *testing.T, width, height uint32) []byte {
	t.Helper()
	content := pngOf(t, 1, 1)
	binary.BigEndian.PutUint32(content[16:], width)
	binary.BigEndian.PutUint32(content[20:], height)
	crc := crc32.ChecksumIEEE(content[12:29])
	binary.BigEndian.PutUint32(content[29:], crc)
	return content
}

func TestStoredFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	store := &shelf{files: map[string]int64{}}
	app := s.app
	edit := func(c *retort.Ctx) error {
		row := Cards.New()
		if c.Param("id") != "" {
			var err error
			if row, err = Cards.Where(orm.Lookup("id", c.Param("id"))).Get(c); err != nil {
				return err
			}
		}
		f := form.For(c, func(p *Card) form.Options {
			return form.Options{
				Fields:  form.Fields(&p.Title, &p.Picture),
				Uploads: form.Uploads{&p.Picture: {Image: true, MaxSize: 100 << 10, Store: store, Replace: true}},
			}
		}).Instance(row)
		if saved, err := f.Save(c); err != nil || saved {
			return errOr(err, c.Redirect("/"))
		}
		return c.Status(f.Status()).RenderString(`<form {{ form.attrs }}>{{ form }}</form>`, map[string]any{"form": f})
	}
	app.Methods([]string{"GET", "POST"}, "/new", edit)
	app.Methods([]string{"GET", "POST"}, "/{id:int}", edit)
	client := retorttest.New(t, app)
	picture := func(name string, content []byte) retorttest.File {
		return retorttest.File{Field: "picture", Name: name, Content: content}
	}
	title := func(pairs ...string) url.Values {
		v := url.Values{"title": {"card"}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	client.Get("/new").Contains(`enctype="multipart/form-data"`, `<input type="file" accept="image/*" id="id_picture" name="picture">`).Lacks("Currently")
	for name, content := range map[string][]byte{
		"a.png":  []byte("<html>"),
		"b.png":  flood(t, 50_000, 50_000),
		"c.png":  flood(t, 30_000, 2),
		"d.html": pngOf(t, 2, 2),
		"e.jpg":  pngOf(t, 2, 2),
		"f.png":  {},
		"g.png":  append(pngOf(t, 2, 2), make([]byte, 200<<10)...),
		"h.svg":  []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`),
	} {
		client.PostFiles("/new", title(), picture(name, content)).Status(422).Contains("error-summary")
	}
	if store.count != 0 {
		t.Error("a file that was refused was stored: ", store.names())
	}
	client.PostFiles("/new", title(), picture("../../etc/a.png", pngOf(t, 2, 2))).Status(303)
	if got := store.names(); got != "cards/1-a.png" {
		t.Error(got)
	}
	page := client.Get("/1").Status(200).Contains(`Currently: <a href="/media/cards/1-a.png">1-a.png</a>`, `name="picture_clear"`)
	if strings.Contains(page.Text(), `value="cards/`) {
		t.Error("the name is in an input")
	}
	// Neither a text in its place nor a file that is not there changes what is kept.
	client.PostForm("/1", title("picture", "/etc/passwd")).Status(303)
	client.PostFiles("/1", title(), retorttest.File{Field: "picture"}).Status(303)
	client.Get("/1").Contains("/media/cards/1-a.png")
	client.PostFiles("/1", title("picture_clear", "true"), picture("b.png", pngOf(t, 2, 2))).Status(422).Contains("both a new file and the mark")
	// Of a row that could not be written no file stays.
	client.PostFiles("/new", title(), picture("c.png", pngOf(t, 2, 2))).Status(422).Contains("taken already")
	if got := store.names(); got != "cards/1-a.png" {
		t.Error(got)
	}
	client.PostFiles("/1", title(), picture("b.png", pngOf(t, 2, 2))).Status(303)
	if got := store.names(); got != "cards/2-b.png" {
		t.Error("after a change there is ", got)
	}
	store.full = true
	client.PostFiles("/1", title(), picture("c.png", pngOf(t, 2, 2))).Status(500)
	store.full = false
	client.PostForm("/1", title("picture_clear", "true")).Status(303)
	client.Get("/1").Lacks("Currently")
	if got := store.names(); got != "" {
		t.Error("after clearing there is ", got)
	}
}

// TestNothingIsStoredWhenTheRowIsRefused: the check finds nothing, the database refuses.
func TestNothingIsStoredWhenTheRowIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	store := &shelf{files: map[string]int64{}}
	s.app.Methods([]string{"POST"}, "/", func(c *retort.Ctx) error {
		f := form.For(c, func(p *Card) form.Options {
			return form.Options{Fields: form.Fields(&p.Title, &p.Picture), Uploads: form.Uploads{&p.Picture: {Store: store}}}
		})
		if !f.Valid() {
			return errors.New("not valid")
		}
		if err := Cards.Insert(c, &Card{Title: "card"}); err != nil {
			return err
		}
		saved, err := f.Save(c)
		return errOr(err, c.Text(fmt.Sprint(saved, f.Errors())))
	})
	client := retorttest.New(t, s.app)
	client.PostFiles("/", url.Values{"title": {"card"}}, retorttest.File{Field: "picture", Name: "a", Content: []byte("x")}).Contains("false title: is taken already")
	if store.count != 1 || store.names() != "" {
		t.Error(store.count, store.names())
	}
}

func TestRulesForUploads(t *testing.T) {
	t.Parallel()
	type Sheet struct {
		Data  *bind.File
		Files []*bind.File
	}
	app := retort.New(retort.Config{SecretKey: testKey})
	app.Methods([]string{"POST"}, "/", func(c *retort.Ctx) error {
		f := form.For(c, func(s *Sheet) form.Options {
			return form.Options{Uploads: form.Uploads{
				&s.Data:  {Types: []string{"text/plain"}, Extensions: []string{".csv"}},
				&s.Files: {Types: []string{"image/*", "application/pdf"}, MaxSize: 1000},
			}}
		})
		return errOr(f.Err(), c.Text(fmt.Sprint(f.Valid(), f.Errors())))
	})
	client := retorttest.New(t, app)
	for _, tt := range []struct {
		name    string
		content string
		want    string
	}{
		{"data/a.csv", "a,b\n1,2\n", "true"},
		{"data/A.CSV", "a,b\n1,2\n", "true"},
		{"data/a.txt", "a,b\n", "data: must have a name that ends in .csv"},
		{"data/a.csv", "%PDF-1.7", "data: must be of the type text/plain"},
		{"files/a", "%PDF-1.7", "true"},
		{"files/a.png", "MZ\x90", "files: must be of the type image/* or application/pdf"},
		{"files/a.pdf", "%PDF-1.7" + strings.Repeat("x", 1000), "files: must not be larger than 1000 B"},
	} {
		field, name, _ := strings.Cut(tt.name, "/")
		client.PostFiles("/", nil, retorttest.File{Field: field, Name: name, Content: []byte(tt.content)}).Status(200).Contains(tt.want)
	}
	// Each of several files is checked, not the last one alone.
	bad, good := retorttest.File{Field: "files", Name: "a", Content: []byte("MZ")}, retorttest.File{Field: "files", Name: "b", Content: []byte("%PDF-1.7")}
	client.PostFiles("/", nil, bad, good).Contains("false")
	client.PostFiles("/", nil, good, bad).Contains("false")
	client.PostFiles("/", nil, good, good).Contains("true")
	plain(t).serve(get(), func(c *retort.Ctx) {
		if err := form.For(c, func(s *Signup) form.Options { return form.Options{Uploads: form.Uploads{&s.Email: {}}} }).Err(); err == nil || !strings.Contains(err.Error(), "needs Upload.Store") {
			t.Error(err)
		}
	})
}
