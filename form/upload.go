package form

import (
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // the formats of images
	_ "image/jpeg"
	_ "image/png"
	"path"
	"slices"
	"strings"

	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// Uploads are the rules for files by field:
//
//	form.Uploads{&p.Picture: {Image: true, MaxSize: 5 << 20, Store: pictures}}
type Uploads map[any]Upload

// Upload says which files a field takes. The rules are for each of several files, and are
// about the content: the name and type that a client claims are never believed.
type Upload struct {
	// MaxSize is the size in bytes of one file. Default: what the app's limits allow.
	MaxSize int64
	// Types are the types of content: "image/*", "application/pdf"; see
	// [bind.File.DetectType] for what can be told apart. Default: any.
	Types []string
	// Extensions are those that the name may have: ".csv". They say nothing of the
	// content. Default: any.
	Extensions []string
	// AllowEmpty takes files without content.
	AllowEmpty bool
	// Image takes images only: those whose header can be read, in the formats that
	// package image knows (GIF, JPEG and PNG, and what the program imports). Nothing is
	// decoded; what is too large to be decoded is refused.
	Image bool
	// MaxPixels, MaxWidth and MaxHeight bound an image. Default: 40 million pixels, and
	// no width or height of more than 20,000.
	MaxPixels, MaxWidth, MaxHeight int
	// Store keeps the file of a text field, which then holds the name that the store
	// has for it. A field that is a *bind.File has none: the program saves it.
	Store Storage
	// Replace removes from the store what a new file replaces, or a cleared field no
	// longer names, once the row is committed. Default: it stays.
	Replace bool
}

// Storage keeps the files of forms; a battery or the program brings one.
type Storage interface {
	// Save keeps the content of a file and returns the name by which it is found again.
	// The name is the store's own: f.Filename is what a client made up, and
	// f.CleanName() fit to be a part of it at most.
	Save(ctx context.Context, f *bind.File) (name string, err error)
	// Delete removes a file. One that is not there is no error.
	Delete(ctx context.Context, name string) error
	// URL is the address of a file, for the link in the form; "" for none.
	URL(name string) string
}

const (
	maxPixels = 40_000_000
	maxSide   = 20_000
)

// clearSuffix is what the checkbox that removes a kept file is called beside the field.
const clearSuffix = "_clear"

// stores reports that the field holds the name of a file that a store keeps.
func (f *Field) stores() bool { return f.upload != nil && f.upload.Store != nil }

// applyUploads gives the fields their rules.
func (f *core) applyUploads(uploads Uploads) error {
	for ptr, u := range uploads {
		field, err := f.named(ptr)
		if err != nil {
			return err
		}
		isText := field.spec.shape == single && field.spec.codec.kind == textKind && field.spec.typ == field.spec.elem
		switch {
		case isText && u.Store == nil:
			return fmt.Errorf("%s is a text and needs Upload.Store to keep its file", field.spec.goName)
		case !isText && (field.spec.shape != file && field.spec.shape != files || u.Store != nil):
			return fmt.Errorf("%s takes no Upload with these options: it is for a *bind.File or []*bind.File, and with Store for a text", field.spec.goName)
		}
		field.change().upload = &u
	}
	return nil
}

// takeStored handles a file that is kept by a store. Without an upload the field keeps
// the one it has.
func (f *Field) takeStored() error {
	v := f.in(f.form.value)
	f.changed = len(f.files.sent) > 0 || f.files.cleared && v.Len() > 0
	switch {
	case len(f.files.sent) > 0 && f.files.cleared:
		f.fail(validate.Fault("file_and_clear", nil))
	case len(f.files.sent) > 0:
		return f.checkUploads()
	case f.files.cleared && !f.required:
		v.SetString("")
	case f.required && v.Len() == 0:
		f.fail(validate.Fault("required", nil))
	}
	return nil
}

// checkUploads checks each file; the first fault of each is enough.
func (f *Field) checkUploads() error {
	var rule Upload
	if f.upload != nil {
		rule = *f.upload
	}
	for _, upload := range f.files.sent {
		fault, err := rule.check(upload)
		if err != nil {
			return fmt.Errorf("form: %s: %w", f.spec.goName, err)
		}
		if fault != nil {
			f.fail(fault)
		}
	}
	return nil
}

func (u *Upload) check(file *bind.File) (*validate.FieldError, error) {
	if file.Size == 0 && !u.AllowEmpty {
		return validate.Fault("file_empty", nil), nil
	}
	if u.MaxSize > 0 && file.Size > u.MaxSize {
		return validate.Fault("file_size", map[string]any{"max": bytesText(u.MaxSize)}), nil
	}
	extension := strings.ToLower(path.Ext(file.CleanName()))
	if len(u.Extensions) > 0 && !slices.ContainsFunc(u.Extensions, func(e string) bool { return strings.EqualFold(e, extension) }) {
		return validate.Fault("file_extension", map[string]any{"extensions": u.Extensions}), nil
	}
	if len(u.Types) > 0 {
		kind, err := file.DetectType()
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(u.Types, func(pattern string) bool { return typeMatches(pattern, kind) }) {
			return validate.Fault("file_type", map[string]any{"types": u.Types}), nil
		}
	}
	if u.Image {
		return u.checkImage(file, extension)
	}
	return nil, nil
}

func typeMatches(pattern, kind string) bool {
	if family, any := strings.CutSuffix(pattern, "/*"); any {
		return strings.HasPrefix(kind, family+"/")
	}
	return strings.EqualFold(pattern, kind)
}

// imageExtensions are those that the names of images of a format have. A name that
// claims another format is refused: it would be served as what it is not.
var imageExtensions = map[string][]string{
	"gif": {".gif"}, "jpeg": {".jpg", ".jpeg", ".jpe", ".jfif"}, "png": {".png"}, "webp": {".webp"}, "bmp": {".bmp"}, "tiff": {".tif", ".tiff"},
}

// checkImage reads the header of an image, which tells its size, and no pixel.
func (u *Upload) checkImage(file *bind.File, extension string) (*validate.FieldError, error) {
	r, err := file.Open()
	if err != nil {
		return nil, err
	}
	header, format, err := image.DecodeConfig(r)
	if err != nil || header.Width <= 0 || header.Height <= 0 {
		return validate.Fault("image", map[string]any{"formats": []string{"GIF", "JPEG", "PNG"}}), nil
	}
	if known, ok := imageExtensions[format]; ok && !slices.Contains(known, extension) {
		return validate.Fault("file_extension", map[string]any{"extensions": known}), nil
	}
	pixels, width, height := u.MaxPixels, u.MaxWidth, u.MaxHeight
	if pixels <= 0 {
		pixels = maxPixels
	}
	if width <= 0 {
		width = maxSide
	}
	if height <= 0 {
		height = maxSide
	}
	if header.Width > width || header.Height > height || int64(header.Width)*int64(header.Height) > int64(pixels) {
		return validate.Fault("image_size", map[string]any{"pixels": pixels, "width": width, "height": height}), nil
	}
	return nil, nil
}

// bytesText is a size for people.
func bytesText(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.0f kB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

// keepFiles hands the uploads to their stores, before the row that names them is written.
func (f *core) keepFiles(ctx context.Context) error {
	for _, field := range f.fields {
		if !field.stores() || field.disabled || !field.changed {
			continue
		}
		v := field.in(f.value)
		if old := field.in(f.initial).String(); old != "" && field.upload.Replace {
			store := field.upload.Store
			logger := f.c.Logger()
			orm.OnCommit(ctx, func(ctx context.Context) {
				if err := store.Delete(ctx, old); err != nil {
					logger.WarnContext(ctx, "form: a replaced file could not be removed", "file", old, "error", err)
				}
			})
		}
		if len(field.files.sent) == 0 {
			continue
		}
		name, err := field.upload.Store.Save(ctx, field.files.sent[0])
		if err != nil {
			return fmt.Errorf("form: %s: %w", field.spec.goName, err)
		}
		field.files.kept = name
		v.SetString(name)
	}
	return nil
}

// dropFiles removes what keepFiles stored, when the row was not written after all.
func (f *core) dropFiles(ctx context.Context) error {
	var err error
	for _, field := range f.fields {
		if field.stores() && field.files.kept != "" {
			err = errors.Join(err, field.upload.Store.Delete(context.WithoutCancel(ctx), field.files.kept))
			field.files.kept = ""
		}
	}
	return err
}

// appendKept writes what file the field has, with a link, and the checkbox that removes
// it.
func (f *Field) appendKept(dst []byte) []byte {
	name := f.in(f.form.initial).String()
	if name == "" {
		return dst
	}
	dst = append(dst, `<span class="current">`...)
	dst = appendText(dst, f.form.translate("Currently"))
	dst = append(dst, ": "...)
	if u := f.upload.Store.URL(name); strings.HasPrefix(u, "/") || strings.HasPrefix(u, "https://") || strings.HasPrefix(u, "http://") {
		dst = append(dst, `<a href="`...)
		dst = appendText(dst, u)
		dst = append(dst, `">`...)
		dst = appendText(dst, path.Base(name))
		dst = append(dst, "</a>"...)
	} else {
		dst = appendText(dst, path.Base(name))
	}
	dst = append(dst, "</span> "...)
	if f.required || f.disabled {
		return dst
	}
	dst = append(dst, `<label class="clear"><input type="checkbox" value="true" id="`...)
	dst = append(dst, f.ID()...)
	dst = append(dst, clearSuffix+`" name="`...)
	dst = append(dst, f.name...)
	dst = append(dst, clearSuffix+`"`...)
	if f.files.cleared {
		dst = append(dst, " checked"...)
	}
	dst = append(dst, "> "...)
	dst = appendText(dst, f.form.translate("Remove"))
	return append(dst, "</label> "...)
}
