package template

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// Loader finds the sources of templates by name.
type Loader interface {
	// Load gives the source. If there is none of that name the error must be
	// fs.ErrNotExist by errors.Is. It is called by several goroutines.
	Load(name string) (Source, error)
}

// Lister is implemented by loaders that know all their templates.
type Lister interface {
	Names() ([]string, error)
}

// Source is what a loader found.
type Source struct {
	Text string
	// Path is shown in errors; may be empty.
	Path string
	// Changed reports whether the source is no longer current. Nil: never.
	Changed func() bool
}

// LoaderFunc is a function as a loader. An error that is fs.ErrNotExist says
// that there is no template of that name.
type LoaderFunc func(name string) (Source, error)

// Load calls the function.
func (f LoaderFunc) Load(name string) (Source, error) { return f(name) }

// FS loads from a file system. Names are slash-separated paths without ".."
// or a leading slash; others do not exist.
func FS(fsys fs.FS) Loader { return fsLoader{fsys} }

type fsLoader struct{ fsys fs.FS }

func (l fsLoader) Load(name string) (Source, error) {
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00") {
		return Source{}, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	info, err := fs.Stat(l.fsys, name)
	if err != nil {
		return Source{}, err
	}
	if info.IsDir() {
		return Source{}, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	text, err := fs.ReadFile(l.fsys, name)
	if err != nil {
		return Source{}, err
	}
	src := Source{Text: string(text), Path: name}
	if mod := info.ModTime(); !mod.IsZero() {
		src.Changed = func() bool { return changedSince(l.fsys, name, mod, info.Size()) }
	}
	return src, nil
}

func changedSince(fsys fs.FS, name string, mod time.Time, size int64) bool {
	info, err := fs.Stat(fsys, name)
	return err != nil || !info.ModTime().Equal(mod) || info.Size() != size
}

func (l fsLoader) Names() ([]string, error) {
	var names []string
	err := fs.WalkDir(l.fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, p)
		}
		return err
	})
	return names, err
}

// Map loads from a map of names to sources, which must not change any more.
func Map(sources map[string]string) Loader { return mapLoader(sources) }

type mapLoader map[string]string

func (l mapLoader) Load(name string) (Source, error) {
	text, ok := l[name]
	if !ok {
		return Source{}, notExist(name)
	}
	return Source{Text: text, Path: name}, nil
}

func (l mapLoader) Names() ([]string, error) { return slices.Collect(maps.Keys(l)), nil }

func notExist(name string) error {
	return fmt.Errorf("template %q: %w", name, fs.ErrNotExist)
}

// Choice asks several loaders; the first that has the template gives it.
func Choice(loaders ...Loader) Loader { return choiceLoader(loaders) }

type choiceLoader []Loader

func (l choiceLoader) Load(name string) (Source, error) {
	for i, one := range l {
		src, err := one.Load(name)
		if err != nil && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && i > 0 {
			src.Changed = l[:i].appears(name, src.Changed)
		}
		return src, err
	}
	return Source{}, notExist(name)
}

// appears says that a source has changed also when one of the loaders, which
// come before its own, has the template now.
func (l choiceLoader) appears(name string, changed func() bool) func() bool {
	return func() bool {
		if changed != nil && changed() {
			return true
		}
		_, err := l.Load(name)
		return err == nil
	}
}

func (l choiceLoader) Names() ([]string, error) {
	var all []string
	for _, one := range l {
		names, err := namesOf(one)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	return all, nil
}

// Prefix gives each loader a name of its own: "blog/list.html" is the
// template "list.html" of the loader "blog". A name may have several parts, of
// which the longest that fits counts. No template name leaves its loader.
func Prefix(loaders map[string]Loader) Loader { return prefixLoader(loaders) }

type prefixLoader map[string]Loader

func (l prefixLoader) Load(name string) (Source, error) {
	for end := strings.LastIndexByte(name, '/'); end >= 0; end = strings.LastIndexByte(name[:end], '/') {
		one, rest := l[name[:end]], name[end+1:]
		if one == nil {
			continue
		}
		if rest == "" || path.Clean("/"+rest) != "/"+rest {
			break
		}
		return one.Load(rest)
	}
	return Source{}, notExist(name)
}

func (l prefixLoader) Names() ([]string, error) {
	var all []string
	for prefix, one := range l {
		names, err := namesOf(one)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			all = append(all, prefix+"/"+n)
		}
	}
	return all, nil
}

func namesOf(l Loader) ([]string, error) {
	if lister, ok := l.(Lister); ok {
		return lister.Names()
	}
	return nil, fmt.Errorf("template: the loader %T cannot list its templates", l)
}
