package static

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"
)

// maxSheet is the size up to which style sheets are rewritten.
const maxSheet = 16 << 20

// An asset is what is known about a file. It does not change once made.
type asset struct {
	name        string
	source      *Source
	sourceName  string // within source
	modified    time.Time
	size        int64 // of the file in source
	hash        string
	url         string
	contentType string
	content     []byte // of a style sheet that was rewritten; nil if the file is served as it is
	uses        []use
	missing     []string
	ready       []encoding // coded forms that lie beside the file

	gzip           sync.Mutex // held while compressing
	incompressible bool       // guarded by gzip
}

// A use is a file that a style sheet refers to, with the hash that was written into it, or
// "" if there was none.
type use struct{ name, hash string }

func (a *asset) length() int64 {
	if a.content != nil {
		return int64(len(a.content))
	}
	return a.size
}

// open returns the content of the asset.
func (a *asset) open() (io.ReadSeeker, io.Closer, error) {
	if a.content != nil {
		return bytes.NewReader(a.content), io.NopCloser(nil), nil
	}
	return openSeeker(a.source.FS, a.sourceName)
}

// openSeeker opens a file, reading it into memory if its system cannot seek.
func openSeeker(fsys fs.FS, name string) (io.ReadSeeker, io.Closer, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, nil, err
	}
	if seeker, ok := file.(io.ReadSeeker); ok {
		return seeker, file, nil
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil {
		return nil, nil, err
	}
	return bytes.NewReader(content), io.NopCloser(nil), nil
}

// find returns the source that has the named file. Whatever keeps a file from being seen,
// such as a link out of its folder, makes it not exist.
func (f *Files) find(name string) (source *Source, sourceName string, info fs.FileInfo, err error) {
	if servable(name) {
		for i := range f.sources {
			s := &f.sources[i]
			sourceName, ok := strings.CutPrefix(name, s.Prefix)
			if !ok || sourceName == "" {
				continue
			}
			if info, err := fs.Stat(s.FS, sourceName); err == nil && info.Mode().IsRegular() {
				return s, sourceName, info, nil
			}
		}
	}
	return nil, "", nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// asset returns what is known about a file. With fresh it looks whether that still holds.
func (f *Files) asset(name string, fresh bool) (*asset, error) {
	f.mu.RLock()
	a := f.assets[name]
	f.mu.RUnlock()
	if a != nil && (!fresh || f.holds(a)) {
		return a, nil
	}
	if _, _, _, err := f.find(name); err != nil {
		if a != nil {
			f.mu.Lock()
			delete(f.assets, name)
			f.mu.Unlock()
		}
		return nil, err
	}
	f.building.Lock()
	defer f.building.Unlock()
	return f.build(name, fresh)
}

// holds reports whether an asset is still what its file gives.
func (f *Files) holds(a *asset) bool {
	source, _, info, err := f.find(a.name)
	if err != nil || source != a.source || info.Size() != a.size || !info.ModTime().Equal(a.modified) {
		return false
	}
	if !f.options.Development {
		return true
	}
	for _, u := range a.uses {
		if u.hash == "" {
			if _, _, _, err := f.find(u.name); err == nil {
				return false
			}
			continue
		}
		f.mu.RLock()
		used := f.assets[u.name]
		f.mu.RUnlock()
		if used == nil || used.hash != u.hash || !f.holds(used) {
			return false
		}
	}
	return true
}

// build makes an asset unless another caller has just done so. f.building is held.
func (f *Files) build(name string, fresh bool) (*asset, error) {
	f.mu.RLock()
	a := f.assets[name]
	f.mu.RUnlock()
	if a != nil && (!fresh || f.holds(a)) {
		return a, nil
	}
	source, sourceName, info, err := f.find(name)
	if err != nil {
		return nil, err
	}
	a = &asset{
		name: name, source: source, sourceName: sourceName, modified: info.ModTime(), size: info.Size(),
		contentType: ContentType(name),
	}
	if isSheet(name) && a.size <= maxSheet {
		err = f.buildSheet(a, fresh)
	} else {
		err = a.hashFile()
	}
	if err != nil {
		return nil, err
	}
	if a.content == nil && !f.options.Development {
		a.findReady()
	}
	a.url = f.options.Prefix + escapePath(hashedName(name, a.hash))
	f.mu.Lock()
	f.assets[name] = a
	f.mu.Unlock()
	return a, nil
}

func isSheet(name string) bool { return strings.EqualFold(path.Ext(name), ".css") }

func (a *asset) hashFile() error {
	file, err := a.source.FS.Open(a.sourceName)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	a.hash = hex.EncodeToString(sum.Sum(nil))[:hashLength]
	return nil
}

// findReady notes which coded forms lie beside the file. One older than the file was
// forgotten when the file was changed.
func (a *asset) findReady() {
	for _, e := range encodings {
		info, err := fs.Stat(a.source.FS, a.sourceName+e.suffix)
		if err == nil && info.Mode().IsRegular() && !info.ModTime().Before(a.modified) {
			a.ready = append(a.ready, e)
		}
	}
}

// buildSheet rewrites the references of a style sheet to names with hashes.
func (f *Files) buildSheet(a *asset, fresh bool) error {
	raw, err := fs.ReadFile(a.source.FS, a.sourceName)
	if err != nil {
		return err
	}
	css := string(raw)
	var out []byte
	done := 0
	for _, r := range references(css) {
		ref := css[r.start:r.end]
		name, length, ok := localName(a.name, ref, f.path)
		if !ok {
			continue
		}
		if isSheet(name) && f.reaches(name, a.name, make(map[string]bool)) {
			// Each of two style sheets that import each other would need the hash of the
			// other.
			continue
		}
		used, err := f.build(name, fresh)
		if errors.Is(err, fs.ErrNotExist) {
			a.missing = append(a.missing, ref)
			a.uses = append(a.uses, use{name: name})
			continue
		}
		if err != nil {
			return err
		}
		a.uses = append(a.uses, use{name, used.hash})
		folder := ref[:strings.LastIndexByte(ref[:length], '/')+1]
		out = append(out, css[done:r.start]...)
		out = append(out, folder...)
		out = append(out, url.PathEscape(path.Base(hashedName(name, used.hash)))...)
		done = r.start + length
	}
	if out != nil {
		a.content = append(out, css[done:]...)
		raw = a.content
	}
	sum := sha256.Sum256(raw)
	a.hash = hex.EncodeToString(sum[:])[:hashLength]
	return nil
}

// reaches reports whether a style sheet is, or refers to, another one, directly or through
// others.
func (f *Files) reaches(name, target string, seen map[string]bool) bool {
	if name == target {
		return true
	}
	if seen[name] {
		return false
	}
	seen[name] = true
	source, sourceName, info, err := f.find(name)
	if err != nil || info.Size() > maxSheet {
		return false
	}
	raw, err := fs.ReadFile(source.FS, sourceName)
	if err != nil {
		return false
	}
	css := string(raw)
	for _, r := range references(css) {
		next, _, ok := localName(name, css[r.start:r.end], f.path)
		if ok && isSheet(next) && f.reaches(next, target, seen) {
			return true
		}
	}
	return false
}

func escapePath(name string) string { return (&url.URL{Path: name}).EscapedPath() }
