// Package static serves files: style sheets, scripts, images, fonts, downloads.
//
// [New] takes folders, embedded ([embed.FS]) or on disk ([Dir]), and gives a handler for
// them.
//
//	//go:embed static
//	var embedded embed.FS
//
//	folder, _ := fs.Sub(embedded, "static")
//	files := static.New(static.Options{}, static.Source{FS: folder})
//	mux.Handle("GET /static/", files)
//
// # Names with a hash
//
// [Files.URL] puts a hash of the content into the name of a file, as in
// /static/css/site.3f9a1c2b4d5e.css. A browser may keep what such a URL gives for ever, as
// a change makes another URL. References between files in style sheets (url and @import)
// are rewritten to such names. A URL with a hash that is not the current one, from a page
// that an older or newer release made, gives the file as it is now, but without leave to
// keep it; so does the plain name: browsers ask each time and mostly get 304.
//
// # Compression
//
// A file with a ready-made sibling (site.css.br, .zst, .gz) is served from that if the
// client takes it. Other compressible files are compressed with gzip once, and kept in
// memory.
//
// # What is not served
//
// Folders, names with a part that begins with a dot, and names that some system would take
// for another file do not exist as far as clients can tell.
//
// [ServeFile] answers one request with one file, for downloads and pages.
package static

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/retort-web/retort/internal/closest"
)

// Defaults of [Options].
const (
	DefaultPrefix     = "/static/"
	DefaultCacheBytes = 64 << 20
)

// ErrUnknown is wrapped by the error of [Files.URL] for a file that no source has.
var ErrUnknown = errors.New("no such static file")

// Options say how files are served. The zero value is for production.
type Options struct {
	// Prefix is the path below which the files are served, and with which URLs begin; it
	// may be a whole URL of another host that serves the same files. Default: "/static/".
	Prefix string

	// MaxAge is how long browsers and proxies may keep a file asked for by its plain name
	// without asking again. Default: 0, ask each time (no-cache).
	MaxAge time.Duration

	// Development looks for changes whenever a URL is made, and lets browsers keep nothing.
	Development bool

	// CacheBytes limits the memory for what was compressed here; the least recently used
	// goes first. Negative: never compress here. Default: 64 MiB.
	CacheBytes int64

	// NotFound answers for files that are not there. Default: a short text with status 404.
	NotFound http.Handler
}

// A Source is a folder of files.
type Source struct {
	// FS holds the files.
	FS fs.FS

	// Prefix goes before the names of the files, so that "blog/" makes style.css of FS
	// known as blog/style.css. Default: none.
	Prefix string
}

// Files serves the files of its sources. It is safe for concurrent use.
type Files struct {
	options  Options
	path     string // the path of Options.Prefix
	sources  []Source
	notFound http.Handler
	cache    *cache

	building sync.Mutex // held while an asset is made: each is made once
	mu       sync.RWMutex
	assets   map[string]*asset // by plain name
}

// New returns a handler for the files of sources. If several have a file of the same name,
// the first one wins: put what overrides before what is overridden. It panics if a source
// has no FS or Options.Prefix is no path: both are errors in the program.
func New(o Options, sources ...Source) *Files {
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if !strings.HasSuffix(o.Prefix, "/") {
		o.Prefix += "/"
	}
	prefix, err := url.Parse(o.Prefix)
	if err != nil || !strings.HasPrefix(prefix.Path, "/") || prefix.RawQuery != "" || prefix.Fragment != "" {
		panic(fmt.Sprintf("static: prefix %q must be a path such as /static/ or a URL", o.Prefix))
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	f := &Files{
		options: o, path: prefix.Path, sources: slices.Clone(sources), notFound: o.NotFound,
		cache: newCache(max(0, o.CacheBytes)), assets: make(map[string]*asset),
	}
	for i, s := range f.sources {
		if s.FS == nil {
			panic(fmt.Sprintf("static: source %d (prefix %q) has no FS", i+1, s.Prefix))
		}
		if s.Prefix != "" && !strings.HasSuffix(s.Prefix, "/") {
			f.sources[i].Prefix += "/"
		}
	}
	if f.notFound == nil {
		f.notFound = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "404 Not Found", http.StatusNotFound)
		})
	}
	return f
}

// Prefix returns the path below which the files are served.
func (f *Files) Prefix() string { return f.path }

// URL returns where the named file is served, with the hash of its content in the name.
// Query and fragment of a name are not looked at: they are part of the name. The error for
// an unknown file suggests a similar name and wraps [ErrUnknown].
func (f *Files) URL(name string) (string, error) {
	name = strings.TrimPrefix(name, "/")
	a, err := f.asset(name, f.options.Development)
	if errors.Is(err, fs.ErrNotExist) {
		message := fmt.Sprintf("static: %q is not in any source", name)
		if near := closest.Name(name, slices.Values(f.Names())); near != "" {
			message += fmt.Sprintf("; did you mean %q?", near)
		}
		return "", &unknownError{message}
	}
	if err != nil {
		return "", fmt.Errorf("static: %s: %w", name, err)
	}
	return a.url, nil
}

type unknownError struct{ message string }

func (e *unknownError) Error() string { return e.message }
func (e *unknownError) Unwrap() error { return ErrUnknown }

// Names returns the names of all files that are served, sorted, without the ready-made
// compressed forms of others.
func (f *Files) Names() []string {
	seen := make(map[string]bool)
	for _, s := range f.sources {
		// A folder that cannot be read has no names; Check tells about it.
		_ = fs.WalkDir(s.FS, ".", func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				if entry != nil && entry.IsDir() {
					return fs.SkipDir
				}
				return nil
			case entry.IsDir():
				if name != "." && !servable(s.Prefix+name) {
					return fs.SkipDir
				}
				return nil
			}
			if servable(s.Prefix + name) {
				seen[s.Prefix+name] = true
			}
			return nil
		})
	}
	names := make([]string, 0, len(seen))
	for name := range seen {
		if ext := path.Ext(name); isEncodingSuffix(ext) && seen[strings.TrimSuffix(name, ext)] {
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func isEncodingSuffix(ext string) bool {
	return slices.ContainsFunc(encodings[:], func(e encoding) bool { return e.suffix == ext })
}

// Check reads every file and returns what is wrong: folders and files that cannot be read,
// style sheets that refer to files that are not there.
func (f *Files) Check() []error {
	var errs []error
	for i, s := range f.sources {
		err := fs.WalkDir(s.FS, ".", func(name string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			errs = append(errs, fmt.Errorf("static: source %d (prefix %q): %w", i+1, s.Prefix, err))
		}
	}
	for _, name := range f.Names() {
		a, err := f.asset(name, true)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) { // a dangling or escaping link is not served
				errs = append(errs, fmt.Errorf("static: %s: %w", name, err))
			}
			continue
		}
		for _, ref := range a.missing {
			errs = append(errs, fmt.Errorf("static: %s refers to %q, which is not in any source", name, ref))
		}
	}
	return errs
}
