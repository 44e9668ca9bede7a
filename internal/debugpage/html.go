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
		{"stack", "Stack", len(p.Frames) > 0},
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

// place writes a file and line, as a link if an editor can open it.
func (w *htmlWriter) place(file string, line, column int) {
	link := w.page.editorURL(file, line)
	if link != "" {
		w.raw("<a class=\"place\" title=\"Open in the editor\" href=\"")
		w.text(link)
		w.raw("\">")
	} else {
		w.raw("<span class=\"place\">")
	}
	w.text(shortPath(file, w.dir))
	if line > 0 {
		w.raw(":")
		w.number(line)
		if column > 0 {
			w.raw(":")
			w.number(column)
		}
	}
	if link != "" {
		w.raw("</a>")
	} else {
		w.raw("</span>")
	}
}

// excerpt writes lines with one of them marked, and a caret under column.
func (w *htmlWriter) excerpt(lines []Line, hit, column int, goCode bool, state lexState) {
	if len(lines) == 0 {
		return
	}
	w.raw("<pre tabindex=\"0\"><code class=\"in\">")
	var tokens []token
	for _, line := range lines {
		w.raw("<span class=\"l")
		if line.Number == hit {
			w.raw(" hit")
		}
		w.raw("\" data-n=\"")
		w.number(line.Number)
		w.raw("\">")
		if goCode {
			state, tokens = lexLine(line.Text, state, tokens[:0])
			for _, t := range tokens {
				w.token(t)
			}
		} else {
			w.text(line.Text)
		}
		w.raw("</span>")
		if line.Number == hit && column > 0 && column <= len(line.Text)+1 {
			w.raw("<span class=\"l at\" data-n=\"\">")
			for _, r := range line.Text[:column-1] {
				if r == '\t' {
					w.raw("\t")
				} else {
					w.raw(" ")
				}
			}
			w.raw("^</span>")
		}
	}
	w.raw("</code></pre>")
}

func (w *htmlWriter) token(t token) {
	if t.class == 0 {
		w.text(t.text)
		return
	}
	w.raw("<span class=\"")
	w.b = append(w.b, t.class)
	w.raw("\">")
	w.text(t.text)
	w.raw("</span>")
}

func (w *htmlWriter) location() {
	l := w.page.Location
	if l == nil {
		return
	}
	w.raw("<section id=\"location\"><h2>Source</h2>\n<div class=\"card\"><div class=\"bar\"><span class=\"fn\"><code>")
	w.text(l.label())
	w.raw("</code></span>")
	if l.Path != "" {
		w.place(l.Path, l.Line, l.Column)
	}
	w.raw("</div>")
	w.excerpt(l.excerpt(), l.Line, l.Column, false, lexCode)
	w.raw("</div></section>\n")
}

// label is the name, with the line if the path will not show it.
func (l *Location) label() string {
	if l.Path != "" && l.Name != "" || l.Line == 0 {
		return l.Name
	}
	return l.Name + ":" + strconv.Itoa(l.Line)
}

// excerpt cuts from Source, or from the file if there is none.
func (l *Location) excerpt() []Line {
	text := l.Source
	if text == "" && l.Path != "" {
		text, _ = readSource(l.Path)
	}
	lines, _ := cutExcerpt(text, l.Line)
	return lines
}

// build shows the compiler's messages, the first of them in their source.
func (w *htmlWriter) build() {
	output := w.page.BuildOutput
	if output == "" {
		return
	}
	w.raw("<section id=\"build\"><h2>Build</h2>\n")
	for i, e := range buildErrors(output, w.dir) {
		if i == maxExcerpts {
			break
		}
		w.raw("<div class=\"card\"><div class=\"bar\"><span class=\"fn\">")
		w.text(clip(w.page.scrub(e.message), maxValue))
		w.raw("</span>")
		w.place(e.path, e.line, e.column)
		w.raw("</div>")
		lines, state := goExcerpt(e.path, e.line)
		w.excerpt(lines, e.line, e.column, true, state)
		w.raw("</div>\n")
	}
	w.raw("<details")
	if len(buildErrors(output, w.dir)) == 0 {
		w.raw(" open")
	}
	w.raw("><summary>Output of the Go command</summary><pre class=\"plain\" tabindex=\"0\">")
	w.text(clip(w.page.scrub(strings.TrimSpace(output)), maxText))
	w.raw("</pre></details></section>\n")
}

func (w *htmlWriter) output() {
	if w.page.Output == "" {
		return
	}
	w.raw("<section id=\"output\"><h2>Output</h2>\n<div class=\"card\"><pre class=\"plain\" tabindex=\"0\">")
	w.text(w.page.lastOutput())
	w.raw("</pre></div></section>\n")
}

// frames shows the stack in its order: the user's own frames opened, what lies
// between them folded into one line each.
func (w *htmlWriter) frames() {
	frames := w.page.Frames
	if len(frames) == 0 {
		return
	}
	w.raw("<section id=\"stack\"><h2>Stack <small>innermost call first</small></h2>\n")
	opened := 0
	for i := 0; i < len(frames); {
		if f := &frames[i]; f.Own {
			w.ownFrame(f, opened < openFrames)
			opened++
			i++
			continue
		}
		end := i
		for end < len(frames) && !frames[end].Own {
			end++
		}
		w.libraryFrames(frames[i:end])
		i = end
	}
	w.raw("</section>\n")
}

func (w *htmlWriter) ownFrame(f *Frame, open bool) {
	w.raw("<details class=\"own\"")
	if open {
		w.raw(" open")
	}
	w.raw("><summary><code class=\"fn\">")
	w.text(shortFunc(f.Func))
	w.raw("</code>")
	w.place(f.File, f.Line, 0)
	w.raw("</summary>")
	if len(f.Source) > 0 {
		w.excerpt(f.Source, f.Line, 0, true, f.state)
	} else {
		w.raw("<p class=\"none\">The source could not be read.</p>")
	}
	w.raw("</details>\n")
}

func (w *htmlWriter) libraryFrames(frames []Frame) {
	w.raw("<details class=\"lib\"><summary><span>")
	w.text(summary(frames))
	w.raw("</span></summary><ol class=\"calls\">")
	for i := range frames {
		w.raw("<li><b><code>")
		w.text(shortFunc(frames[i].Func))
		w.raw("</code></b> ")
		w.place(frames[i].File, frames[i].Line, 0)
		w.raw("</li>")
	}
	w.raw("</ol></details>\n")
}

// summary names the packages of a run of frames: "4 calls in net/http, retort".
func summary(frames []Frame) string {
	var b strings.Builder
	b.WriteString(strconv.Itoa(len(frames)))
	if len(frames) == 1 {
		b.WriteString(" call in ")
	} else {
		b.WriteString(" calls in ")
	}
	seen := map[string]bool{}
	for i := range frames {
		pkg := packagePath(frames[i].Func)
		if pkg == framework {
			pkg = "retort"
		} else if rest, ok := strings.CutPrefix(pkg, framework+"/"); ok {
			pkg = "retort/" + rest
		}
		if seen[pkg] {
			continue
		}
		if len(seen) == 4 {
			b.WriteString(" …")
			break
		}
		if len(seen) > 0 {
			b.WriteString(", ")
		}
		seen[pkg] = true
		b.WriteString(pkg)
	}
	return b.String()
}

func (w *htmlWriter) causes() {
	if len(w.page.Causes) == 0 {
		return
	}
	w.raw("<section id=\"causes\"><h2>Caused by</h2>\n<div class=\"card\"><table class=\"cause\"><tbody>")
	for _, c := range w.page.Causes {
		w.raw("<tr><td>")
		w.text(clip(w.page.scrub(c.Message), maxValue))
		w.raw("</td><td>")
		w.text(clip(c.Type, 300))
		w.raw("</td></tr>")
	}
	w.raw("</tbody></table></div></section>\n")
}

func (w *htmlWriter) routes() {
	routes := w.page.Routes
	if len(routes) == 0 {
		return
	}
	w.raw("<section id=\"routes\"><h2>Routes that were tried</h2>\n<div class=\"card\"><table class=\"routes\"><tbody>")
	for _, r := range routes[:min(len(routes), maxRows)] {
		w.raw("<tr><td class=\"m\">")
		w.text(strings.Join(r.Methods, " "))
		w.raw("</td><td>")
		w.text(r.Pattern)
		if r.Why != "" {
			w.raw("\n<i>")
			w.text(r.Why)
			w.raw("</i>")
		}
		w.raw("</td></tr>")
	}
	w.raw("</tbody></table>")
	if n := len(routes) - maxRows; n > 0 {
		w.raw("<p class=\"none\">and ")
		w.number(n)
		w.raw(" more</p>")
	}
	w.raw("</div></section>\n")
}

func (w *htmlWriter) request() {
	if w.page.Request == nil {
		return
	}
	w.raw("<section id=\"request\"><h2>Request</h2>\n")
	w.table(w.page.requestRows())
	w.raw("</section>\n")
}

func (w *htmlWriter) sections() {
	for i, s := range w.page.Sections {
		w.raw("<section id=\"section-")
		w.number(i)
		w.raw("\"><h2>")
		w.text(s.Title)
		w.raw("</h2>\n")
		w.table(w.page.maskedRows(s.Rows))
		w.raw("</section>\n")
	}
}

// table writes rows that are masked already.
func (w *htmlWriter) table(rows [][2]string) {
	w.raw("<div class=\"card\">")
	if len(rows) == 0 {
		w.raw("<p class=\"none\">Nothing.</p>")
	} else {
		w.raw("<table><tbody>")
		for _, row := range rows {
			w.raw("<tr><th scope=\"row\">")
			w.text(row[0])
			w.raw("</th><td>")
			w.text(row[1])
			w.raw("</td></tr>")
		}
		w.raw("</tbody></table>")
	}
	w.raw("</div>")
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
