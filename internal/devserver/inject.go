package devserver

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// inject adds the reload script to an answer that is a whole HTML page. It
// leaves alone: fragments, compressed and partial answers, and pages whose
// policy forbids the script.
func (l *reloader) inject(r *http.Response) error {
	h := r.Header
	mediaType, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || mediaType != "text/html" || r.StatusCode == http.StatusPartialContent || r.Body == nil {
		return nil
	}
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil
	}
	switch r.Request.Header.Get("Sec-Fetch-Dest") {
	case "", "document", "iframe", "frame":
	default:
		return nil // fetched by a script, which puts it into a page that has ours
	}
	nonce, ok := scriptAllowed(h)
	if !ok {
		return nil
	}
	// A page that the browser takes from its cache would carry an old state.
	h.Del("ETag")
	h.Del("Last-Modified")
	h.Set("Cache-Control", "no-store")
	if r.Request.Method == http.MethodHead {
		return nil
	}
	body := &pageReader{body: r.Body, tag: l.tag(nonce)}
	whole, err := body.isDocument()
	if err != nil {
		return err
	}
	r.Body = body
	if !whole {
		body.tag = ""
		return nil
	}
	if r.ContentLength >= 0 {
		r.ContentLength += int64(len(body.tag))
		h.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
	}
	return nil
}

// bodyEnd is what the tag is put before. The first one in the stream is taken:
// waiting for the last would hold back a page that is sent in pieces.
const bodyEnd = "</body"

// A pageReader inserts a tag into the HTML that it reads, before </body or at
// the end. It passes on what it has as soon as it comes.
type pageReader struct {
	body  io.ReadCloser
	tag   string // "" once it was inserted
	ahead []byte // read, to be searched
	out   []byte // to be given out
	err   error

	buffer []byte
}

// documentStart is how far a page is read to see that it is one.
const documentStart = 1 << 10

// isDocument reads the beginning and reports whether it is that of a whole
// document: a doctype or an html element, after white space and comments.
func (p *pageReader) isDocument() (bool, error) {
	buffer := make([]byte, documentStart)
	for len(p.ahead) < documentStart {
		n, err := p.body.Read(buffer[:documentStart-len(p.ahead)])
		p.ahead = append(p.ahead, buffer[:n]...)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				return false, err
			}
			p.err = err
			break
		}
		if s := skipComments(p.ahead); len(s) > len("<!doctype") {
			break
		}
	}
	s := bytes.ToLower(skipComments(p.ahead))
	return bytes.HasPrefix(s, []byte("<!doctype")) || bytes.HasPrefix(s, []byte("<html")), nil
}

func skipComments(s []byte) []byte {
	for {
		s = bytes.TrimLeft(bytes.TrimPrefix(s, []byte("\ufeff")), " \t\r\n\f")
		if !bytes.HasPrefix(s, []byte("<!--")) {
			return s
		}
		end := bytes.Index(s, []byte("-->"))
		if end < 0 {
			return nil
		}
		s = s[end+len("-->"):]
	}
}

func (p *pageReader) Read(b []byte) (int, error) {
	for len(p.out) == 0 {
		if len(p.ahead) == 0 && p.err != nil && (p.tag == "" || !errors.Is(p.err, io.EOF)) {
			return 0, p.err
		}
		p.fill()
	}
	n := copy(b, p.out)
	p.out = p.out[n:]
	return n, nil
}

// fill moves bytes from ahead to out, and reads more if there is too little to
// decide about.
func (p *pageReader) fill() {
	if p.tag == "" {
		if len(p.ahead) == 0 {
			p.read()
		}
		p.out, p.ahead = p.ahead, nil
		return
	}
	if i := indexFold(p.ahead, bodyEnd); i >= 0 {
		p.out = append(append(bytes.Clone(p.ahead[:i]), p.tag...), p.ahead[i:]...)
		p.tag, p.ahead = "", nil
		return
	}
	if p.err != nil {
		p.out, p.ahead = p.ahead, nil
		if errors.Is(p.err, io.EOF) {
			p.out = append(p.out, p.tag...)
			p.tag = ""
		}
		return
	}
	if keep := partial(p.ahead); keep < len(p.ahead) {
		p.out = bytes.Clone(p.ahead[:len(p.ahead)-keep])
		p.ahead = p.ahead[len(p.ahead)-keep:]
		return
	}
	p.read()
}

func (p *pageReader) read() {
	if p.buffer == nil {
		p.buffer = make([]byte, 32<<10)
	}
	n, err := p.body.Read(p.buffer)
	p.ahead = append(p.ahead, p.buffer[:n]...)
	p.err = err
}

// indexFold finds an ASCII string in any case.
func indexFold(s []byte, wanted string) int {
	for i := 0; ; i++ {
		j := bytes.IndexByte(s[i:], wanted[0])
		if j < 0 || i+j+len(wanted) > len(s) {
			return -1
		}
		i += j
		if strings.EqualFold(string(s[i:i+len(wanted)]), wanted) {
			return i
		}
	}
}

// partial is how many of the last bytes could begin bodyEnd.
func partial(s []byte) int {
	for n := min(len(bodyEnd)-1, len(s)); n > 0; n-- {
		if strings.EqualFold(string(s[len(s)-n:]), bodyEnd[:n]) {
			return n
		}
	}
	return 0
}

func (p *pageReader) Close() error { return p.body.Close() }
