package static

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// FileOptions say what [ServeFile] sends: the file Name of FS, the file at Path, or
// Content.
type FileOptions struct {
	// FS has the file called Name. A name may come from a request: none leads out of an
	// embedded folder or one that [Dir] opened, and hidden files are not there.
	FS   fs.FS
	Name string

	// Path is a file on the disk. It must not come from a request.
	Path string

	// Content is sent in place of a file. It is closed if it has a Close method.
	Content io.ReadSeeker

	// AttachmentName makes browsers save the content, under this name, rather than show it.
	AttachmentName string

	// ContentType is the media type. Default: a Content-Type already in the header of the
	// response, or else that of the extension of Name, Path or AttachmentName, the first
	// that is set: see [ContentType].
	ContentType string

	// ETag is the entity tag, with its quotes. Default: made of time and size of the file,
	// none for Content without ModTime.
	ETag string

	// ModTime is when the content changed. Default: the time of the file.
	ModTime time.Time

	// MaxAge is how long the content may be kept without asking again, by anyone who gets
	// it: set the header Cache-Control for what only one user may see. Default: no-cache,
	// unless Cache-Control is set already.
	MaxAge time.Duration
}

// ServeFile answers a request with a file, or content, as [FileOptions] say: RFC 9110
// conditional requests (304, 412), ranges (206, 416) and HEAD included. It closes what it
// opened and Content.
//
// An error is returned before anything was written. It wraps fs.ErrNotExist for a file that
// is not there, a folder, or a name in FS that is not to be served.
func ServeFile(w http.ResponseWriter, r *http.Request, o FileOptions) error {
	content, modified, size, err := o.open()
	if closer, ok := content.(io.Closer); ok {
		defer closer.Close()
	}
	if err != nil {
		return err
	}
	if !o.ModTime.IsZero() {
		modified = o.ModTime
	}
	header := w.Header()
	switch {
	case o.ContentType != "":
		header.Set("Content-Type", o.ContentType)
	case header.Get("Content-Type") == "":
		header.Set("Content-Type", ContentType(o.name()))
	}
	header.Set("X-Content-Type-Options", "nosniff")
	if o.AttachmentName != "" {
		header.Set("Content-Disposition", ContentDisposition("attachment", o.AttachmentName))
	}
	switch {
	case o.MaxAge > 0:
		header.Set("Cache-Control", "public, max-age="+strconv.FormatInt(int64(o.MaxAge/time.Second), 10))
	case header.Get("Cache-Control") == "":
		header.Set("Cache-Control", "no-cache")
	}
	switch {
	case o.ETag != "":
		header.Set("Etag", o.ETag)
	case header.Get("Etag") == "" && !modified.IsZero():
		header.Set("Etag", fmt.Sprintf(`"%x-%x"`, modified.UnixNano(), size))
	}
	http.ServeContent(w, repairRange(r, size), "", modified, content)
	return nil
}

func (o *FileOptions) name() string {
	for _, name := range []string{o.Name, o.Path, o.AttachmentName} {
		if name != "" {
			return name
		}
	}
	return ""
}

// open returns the content, which the caller closes also in case of an error.
func (o *FileOptions) open() (content io.ReadSeeker, modified time.Time, size int64, err error) {
	if o.Content != nil {
		if size, err = o.Content.Seek(0, io.SeekEnd); err == nil {
			_, err = o.Content.Seek(0, io.SeekStart)
		}
		return o.Content, time.Time{}, size, err
	}
	fsys, name := o.FS, o.Name
	switch {
	case fsys == nil && o.Path == "":
		return nil, time.Time{}, 0, errors.New("static: FileOptions needs FS and Name, Path, or Content")
	case fsys == nil:
		fsys, name = os.DirFS(filepath.Dir(o.Path)), filepath.Base(o.Path)
	}
	notThere := &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	if o.FS != nil && !servable(name) {
		return nil, time.Time{}, 0, notThere
	}
	info, err := fs.Stat(fsys, name)
	if err != nil {
		if o.FS != nil && !errors.Is(err, fs.ErrPermission) {
			err = notThere // also for a link that leads out of the folder
		}
		return nil, time.Time{}, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, time.Time{}, 0, notThere
	}
	content, closer, err := openSeeker(fsys, name)
	if err != nil {
		return nil, time.Time{}, 0, err
	}
	return closingSeeker{content, closer}.simplest(), info.ModTime(), info.Size(), nil
}

type closingSeeker struct {
	io.ReadSeeker
	io.Closer
}

// simplest returns the file itself if it is what is read: only then can the system send it
// by itself.
func (c closingSeeker) simplest() io.ReadSeeker {
	if file, ok := c.ReadSeeker.(*os.File); ok {
		return file
	}
	return c
}

// ContentDisposition returns a Content-Disposition header (RFC 6266) of the given kind,
// "attachment" or "inline", for a file name that may come from anywhere. Folders are cut
// off, control characters dropped. A name with more than plain characters is given twice:
// as ASCII with underscores, and exactly (RFC 8187).
func ContentDisposition(kind, name string) string {
	if n := strings.LastIndexAny(name, `/\`); n >= 0 {
		name = name[n+1:]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case r < ' ', r >= 0x7f && r < 0xa0: // control characters
			return -1
		case r >= '\u2028' && r <= '\u202e', r >= '\u2066' && r <= '\u2069': // line ends, and what makes a name read backwards
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, string(utf8.RuneError)))
	if name = strings.TrimSpace(name); name == "" || name == "." || name == ".." {
		name = "download"
	}
	fallback := strings.Map(func(r rune) rune {
		if r >= 0x7f || r == '"' || r == '%' || r == ';' {
			return '_'
		}
		return r
	}, name)
	header := kind + `; filename="` + fallback + `"`
	if fallback != name {
		header += "; filename*=UTF-8''" + extendedValue(name)
	}
	return header
}

// extendedValue percent-encodes all but the attr-char of RFC 8187.
func extendedValue(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("!#$&+-.^_`|~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}
