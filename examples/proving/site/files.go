package site

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
)

// store keeps uploads under names of its own in a folder that only this program reads.
type store struct {
	dir  string
	fsys fs.FS
}

func openStore(dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &store{dir, root.FS()}, nil
}

func (s *store) save(f *bind.File) (name string, err error) {
	name = rand.Text()
	return name, f.Save(filepath.Join(s.dir, name))
}

func (s *store) remove(name string) error {
	err := os.Remove(filepath.Join(s.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

type uploadForm struct {
	File []*bind.File `label:"File" validate:"required,max=10" help:"At most 5 MB each, ten at a time"`
}

const maxUpload = 5 << 20

func (s *Site) files(c *retort.Ctx) error {
	f := form.For(c, func(in *uploadForm) form.Options {
		return form.Options{Uploads: form.Uploads{&in.File: {MaxSize: maxUpload}}}
	})
	if f.Submitted() && f.Valid() {
		if err := s.keep(c, f.Value().File); err != nil {
			return err
		}
		c.Flash("success", "Uploaded.")
		return c.Redirect(c.MustURL("files"))
	}
	if err := f.Err(); err != nil {
		return err
	}
	list, err := auth.Visible(c, auth.View, Uploads)
	if err != nil {
		return err
	}
	u := Uploads.Fields()
	rows, err := list.OrderBy(orm.Desc(&u.ID)).Limit(200).All(c)
	if err != nil {
		return err
	}
	return render(c, f.Status(), "files.html", map[string]any{"form": f, "uploads": rows})
}

// keep saves the files first and then their rows, all or none, so that there is no row
// without a file; without the rows the files go again.
func (s *Site) keep(c *retort.Ctx, given []*bind.File) (err error) {
	rows := make([]*Upload, 0, len(given))
	defer func() {
		if err != nil {
			for _, row := range rows {
				err = errors.Join(err, s.uploads.remove(row.Kept))
			}
		}
	}()
	for _, file := range given {
		kind, err := file.DetectType()
		if err != nil {
			return err
		}
		name, err := s.uploads.save(file)
		if err != nil {
			return err
		}
		row := &Upload{Name: file.CleanName(), Kept: name, Type: kind, Size: file.Size}
		row.Owner.Set(auth.Must(c))
		rows = append(rows, row)
	}
	return Uploads.Insert(c, rows...)
}

// download sends a file of the visitor's own as one to be saved: browsers neither show
// it as a page of this site nor guess what it is.
func (s *Site) download(c *retort.Ctx) error {
	id, err := retort.Param[int64](c, "id")
	if err != nil {
		return err
	}
	list, err := auth.Visible(c, auth.View, Uploads)
	if err != nil {
		return err
	}
	u := Uploads.Fields()
	row, err := list.Where(orm.Eq(&u.ID, id)).Get(c)
	if err != nil {
		return err
	}
	c.SetHeader("Content-Security-Policy", "sandbox; default-src 'none'")
	c.SetHeader("Content-Type", "application/octet-stream")
	return c.Attachment(s.uploads.fsys, row.Kept, row.Name)
}
