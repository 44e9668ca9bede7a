package static

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// minCompress is the size from which compressing pays for its headers.
	minCompress = 200
	// maxCompress bounds the time and memory that one file costs to compress.
	maxCompress = 8 << 20

	immutable = "public, max-age=31536000, immutable"
)

// ServeHTTP answers GET and HEAD for a file below the prefix: conditional and range
// requests as RFC 9110 has them, compressed as the client likes. The request must still
// have the prefix in its path.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "405 Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, f.path)
	if !ok {
		f.notFound.ServeHTTP(w, r)
		return
	}
	a, current, err := f.resolve(name)
	if err != nil {
		f.fail(w, r, err)
		return
	}
	cacheControl := "no-cache"
	switch {
	case f.options.Development:
	case current:
		cacheControl = immutable
	case name == a.name && f.options.MaxAge > 0:
		cacheControl = "public, max-age=" + strconv.FormatInt(int64(f.options.MaxAge/time.Second), 10)
	}
	if err := f.serve(w, r, a, cacheControl); err != nil {
		f.fail(w, r, err)
	}
}

// resolve finds what a name below the prefix means, and whether it has the current hash.
func (f *Files) resolve(name string) (a *asset, current bool, err error) {
	plain, hash, hashed := plainName(name)
	if hashed {
		f.mu.RLock()
		a = f.assets[plain]
		f.mu.RUnlock()
		if a != nil && a.hash == hash {
			a, err = f.asset(plain, true)
			return a, err == nil && a.hash == hash, err
		}
	}
	a, err = f.asset(name, true)
	if hashed && errors.Is(err, fs.ErrNotExist) {
		a, err = f.asset(plain, true)
		return a, err == nil && a.hash == hash, err
	}
	return a, false, err
}

func (f *Files) fail(w http.ResponseWriter, r *http.Request, err error) {
	for _, name := range []string{"Cache-Control", "Content-Encoding", "Content-Length", "Content-Type", "Etag"} {
		w.Header().Del(name)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		f.notFound.ServeHTTP(w, r)
		return
	}
	http.Error(w, "500 Internal Server Error", http.StatusInternalServerError)
}

func (f *Files) serve(w http.ResponseWriter, r *http.Request, a *asset, cacheControl string) error {
	header := w.Header()
	accept := strings.Join(r.Header.Values("Accept-Encoding"), ",")
	squeezes := f.cache.limit > 0 && compressible(a.contentType) && a.length() >= minCompress && a.length() <= maxCompress
	if squeezes || len(a.ready) > 0 {
		header.Add("Vary", "Accept-Encoding")
	}
	coding, content, closer, err := f.represent(a, accept, squeezes)
	if err != nil {
		return err
	}
	if content == nil {
		http.Error(w, "406 Not Acceptable: no content coding is left that Accept-Encoding allows", http.StatusNotAcceptable)
		return nil
	}
	defer closer.Close()
	size, err := content.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return err
	}
	header.Set("Cache-Control", cacheControl)
	header.Set("Content-Type", a.contentType)
	header.Set("X-Content-Type-Options", "nosniff")
	modified := a.modified
	if a.content != nil {
		modified = time.Time{} // what it refers to may be newer
	}
	if coding == "" {
		header.Set("Etag", `"`+a.hash+`"`)
	} else {
		header.Set("Etag", `"`+a.hash+"-"+coding+`"`)
		header.Set("Content-Encoding", coding)
		header.Set("Content-Length", strconv.FormatInt(size, 10))
	}
	http.ServeContent(w, repairRange(r, size), "", modified, content)
	return nil
}

// represent chooses the form of an asset that the client likes best; none is left if
// content is nil.
func (f *Files) represent(a *asset, accept string, squeezes bool) (coding string, content io.ReadSeeker, closer io.Closer, err error) {
	best := 0
	ready := ""
	if accept != "" {
		for _, e := range a.ready {
			if q := quality(accept, e.coding); q > best {
				best, coding, ready = q, e.coding, e.suffix
			}
		}
		if q := quality(accept, "gzip"); squeezes && q > best {
			squeezed, err := f.squeezed(a)
			if err != nil {
				return "", nil, nil, err
			}
			if squeezed != nil {
				best, coding, ready = q, "gzip", ""
				content, closer = bytes.NewReader(squeezed), io.NopCloser(nil)
			}
		}
	}
	identity := 1
	if accept != "" {
		identity = quality(accept, "identity")
	}
	switch {
	case identity > best:
		content, closer, err = a.open()
		return "", content, closer, err
	case ready != "":
		content, closer, err = openSeeker(a.source.FS, a.sourceName+ready)
	}
	return coding, content, closer, err
}

// squeezed returns the content in gzip, compressing it if that was not done or is
// forgotten, or nil if it would not be smaller.
func (f *Files) squeezed(a *asset) ([]byte, error) {
	key := a.name + "\x00" + a.hash
	if content := f.cache.get(key); content != nil {
		return content, nil
	}
	a.gzip.Lock()
	defer a.gzip.Unlock()
	if a.incompressible {
		return nil, nil
	}
	if content := f.cache.get(key); content != nil {
		return content, nil
	}
	plain, closer, err := a.open()
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	content, err := compress(plain, a.length())
	if err != nil {
		return nil, err
	}
	if content == nil {
		a.incompressible = true
		return nil, nil
	}
	f.cache.put(key, content)
	return content, nil
}

// maxRanges is how many ranges of one file a request may ask for. Each costs a header of
// its own in the answer, so that a few bytes of request could make many of response.
const maxRanges = 20

// repairRange makes net/http answer ranges as RFC 9110 has it. Units other than bytes are
// ignored (section 14.2), and so, as the same section allows, are more than maxRanges. Ranges
// of no bytes, as in "bytes=-0", are taken out: net/http answers them with an empty 206,
// section 14.1.2 calls them unsatisfiable.
func repairRange(r *http.Request, size int64) *http.Request {
	header := r.Header.Get("Range")
	if header == "" {
		return r
	}
	ranges, ok := strings.CutPrefix(header, "bytes=")
	if !ok || strings.Count(ranges, ",") >= maxRanges {
		return withRange(r, "")
	}
	if !strings.Contains(ranges, "-0") {
		return r
	}
	var kept []string
	changed := false
	for item := range strings.SplitSeq(ranges, ",") {
		suffix, isSuffix := strings.CutPrefix(strings.TrimSpace(item), "-")
		if isSuffix && suffix != "" && strings.Trim(suffix, "0") == "" {
			changed = true
			continue
		}
		kept = append(kept, item)
	}
	if !changed {
		return r
	}
	if kept == nil {
		kept = []string{strconv.FormatInt(size, 10) + "-"}
	}
	return withRange(r, "bytes="+strings.Join(kept, ","))
}

// withRange returns a copy of a request with another Range header, or none.
func withRange(r *http.Request, value string) *http.Request {
	repaired := *r
	repaired.Header = r.Header.Clone()
	repaired.Header.Del("Range")
	if value != "" {
		repaired.Header.Set("Range", value)
	}
	return &repaired
}
