package debugpage

import (
	"crypto/sha256"
	_ "embed" // the page's style and script
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

var (
	//go:embed page.css
	style string
	//go:embed page.js
	script string
)

// ContentSecurityPolicy is the header that the page is to be sent with: it
// names the page's style and script by their SHA-256 and permits nothing else.
func (p *Page) ContentSecurityPolicy() string {
	policy := "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src " + hashSource(style) +
		"; script-src " + hashSource(script)
	if p.LiveReload {
		policy += " 'self'; connect-src 'self'"
	}
	return policy
}

func hashSource(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// HTML renders the page as a complete document.
func (p *Page) HTML() []byte {
	p = p.withSecrets()
	w := &htmlWriter{page: p, dir: p.dir(), b: make([]byte, 0, 32<<10)}
	w.raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\"><title>")
	if headline := p.headline(); headline != p.title() {
		w.text(clip(headline, 200))
		w.raw(" · ")
	}
	w.text(p.title())
	w.raw("</title><style>")
	w.raw(style)
	w.raw("</style></head><body class=\"s" + strconv.Itoa(p.Status/100) + "\">\n")
	w.header()
	w.raw("<div class=\"wrap\">\n")
	w.navigation()
	w.raw("<main>\n")
	w.location()
	w.build()
	w.output()
	w.frames()
	w.causes()
	w.routes()
	w.request()
	w.sections()
	w.copyable()
	w.raw("</main>\n<footer>This page is shown in debug mode and to this machine only. Values with secret names are hidden.</footer>\n</div>\n<script>")
	w.raw(script)
	w.raw("</script></body></html>\n")
	return w.b
}

// bare reports whether the error says no more than the status does.
func (p *Page) bare() bool { return p.Error == "" || p.Error == p.title() }

// headline is what went wrong in the fewest words.
func (p *Page) headline() string {
	switch {
	case !p.bare():
		return clip(p.scrub(p.Error), maxText)
	case p.Status == http.StatusNotFound && p.Request != nil && len(p.Routes) > 0:
		return clip("No route answers "+p.Request.Method+" "+p.path(), maxValue)
	case p.Status == http.StatusMethodNotAllowed && p.Request != nil:
		return clip("No route at "+p.path()+" answers "+p.Request.Method, maxValue)
	}
	return p.title()
}

// htmlWriter appends to a buffer. Only raw writes markup; whatever came from
// outside goes through text, also inside attributes, which are all quoted.
type htmlWriter struct {
	page *Page
	dir  string
	b    []byte
}

func (w *htmlWriter) raw(s string) { w.b = append(w.b, s...) }

func (w *htmlWriter) number(n int) { w.b = strconv.AppendInt(w.b, int64(n), 10) }

// text escapes for HTML, and makes visible what would deceive the eye: control
// characters, marks that reverse the direction of writing, broken UTF-8.
func (w *htmlWriter) text(s string) {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '&':
			w.raw("&amp;")
		case r == '<':
			w.raw("&lt;")
		case r == '>':
			w.raw("&gt;")
		case r == '"':
			w.raw("&#34;")
		case r == '\'':
			w.raw("&#39;")
		default:
			w.b = appendVisible(w.b, r)
		}
		i += n
	}
}

// prose is text in which backquotes mark code.
func (w *htmlWriter) prose(s string) {
	for {
		before, rest, found := strings.Cut(s, "`")
		code, after, closed := strings.Cut(rest, "`")
		if !found || !closed {
			w.text(s)
			return
		}
		w.text(before)
		w.raw("<code>")
		w.text(code)
		w.raw("</code>")
		s = after
	}
}

// appendVisible appends r, or a picture of it if it has none of its own.
func appendVisible(b []byte, r rune) []byte {
	switch {
	case r == '\n' || r == '\t':
	case r < 0x20:
		r += 0x2400 // the block of control pictures
	case r == 0x7f:
		r = 0x2421
	case 0x80 <= r && r < 0xa0:
		r = utf8.RuneError
	case r == 0x200e || r == 0x200f || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 || r == 0x061c:
		return append(strconv.AppendInt(append(b, "[U+"...), int64(r), 16), ']')
	}
	return utf8.AppendRune(b, r)
}

func (w *htmlWriter) header() {
	p := w.page
	w.raw("<header><div class=\"wrap\"><p class=\"status\"><b>")
	w.text(p.title())
	w.raw("</b>")
	if r := p.Request; r != nil {
		w.raw("<code>")
		w.text(clip(r.Method+" "+p.target(), 400))
		w.raw("</code>")
	}
	w.raw("</p>\n<h1")
	headline := p.headline()
	if len(headline) > 240 || strings.Contains(headline, "\n") {
		w.raw(" class=\"long\"")
	}
	w.raw(">")
	w.text(headline)
	w.raw("</h1>\n")
	typed := p.ErrorType != "" && !p.bare()
	if own := p.firstOwn(); typed || own != nil {
		w.raw("<p class=\"type\">")
		if typed {
			w.raw("<code>")
			w.text(clip(p.ErrorType, 300))
			w.raw("</code>")
		}
		if own != nil {
			w.raw(" in <code>")
			w.text(shortFunc(own.Func))
			w.raw("</code> at ")
			w.place(own.File, own.Line, 0)
		}
		w.raw("</p>\n")
	}
	if hint := p.suggestion(); hint != "" {
		w.raw("<p class=\"hint\">")
		w.prose(clip(p.scrub(hint), maxText))
		w.raw("</p>\n")
	}
	w.raw("</div></header>\n")
}

func (w *htmlWriter) navigation() {
	p := w.page
	w.raw("<nav aria-label=\"Parts of this page\">")
	for _, part := range [...]struct {
		id, label string
		shown     bool
	}{
		{"location", "Source", p.Location != nil},
		{"build", "Build", p.BuildOutput != ""},
		{"output", "Output", p.Output != ""},
		{"stack", p.stackTitle(), len(p.Frames) > 0},
		{"causes", "Causes", len(p.Causes) > 0},
		{"routes", "Routes", len(p.Routes) > 0},
		{"request", "Request", p.Request != nil},
	} {
		if part.shown {
			w.raw("<a href=\"#" + part.id + "\">" + part.label + "</a>")
		}
	}
	for i, s := range p.Sections {
		w.raw("<a href=\"#section-")
		w.number(i)
		w.raw("\">")
		w.text(clip(s.Title, 40))
		w.raw("</a>")
	}
	w.raw("<a href=\"#copy\">Copy as text</a></nav>\n")
}

// copyable holds the other two renderings in text areas, which can be selected
// and copied where scripts do not run.
func (w *htmlWriter) copyable() {
	w.raw("<section id=\"copy\"><h2>Copy</h2>\n")
	for i, form := range [...]struct{ label, text string }{
		{"Plain text", w.page.Text()},
		{"Markdown", w.page.Markdown()},
	} {
		id := "copy-" + strconv.Itoa(i)
		w.raw("<div class=\"card\"><div class=\"bar\"><label class=\"fn\" for=\"" + id + "\">" + form.label +
			"</label><button type=\"button\" hidden data-copy=\"" + id + "\">Copy</button></div>")
		w.raw("<textarea readonly spellcheck=\"false\" id=\"" + id + "\">\n")
		w.text(form.text)
		w.raw("</textarea></div>\n")
	}
	w.raw("</section>\n")
}
