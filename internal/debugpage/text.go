package debugpage

import (
	"strconv"
	"strings"
)

// Text renders the page as plain text: what a terminal gets, and what the
// browser's copy holds. Control characters are made visible, so a hostile
// request cannot steer the terminal that shows it.
func (p *Page) Text() string {
	p = p.withSecrets()
	w := &textWriter{page: p, dir: p.dir()}
	w.line(p.title())
	if p.Request != nil {
		w.line(p.Request.Method + " " + p.target())
	}
	if p.headline() != p.title() || p.firstOwn() != nil {
		w.line("")
	}
	w.headline()
	if hint := p.suggestion(); hint != "" {
		w.line("")
		w.line("Hint: " + p.scrub(hint))
	}
	for i, title := range [...]string{"Caused by", "Source", "Build", "Output", p.stackTitle(), "Routes that were tried", "Request"} {
		w.part(title, [...]func(){w.causes, w.location, w.build, w.output, w.stack, w.routes, w.request}[i])
	}
	for _, s := range p.Sections {
		w.part(s.Title, func() { w.rows(p.maskedRows(s.Rows)) })
	}
	return string(w.b)
}

// textWriter collects lines.
type textWriter struct {
	page   *Page
	dir    string
	b      []byte
	indent string
}

func (w *textWriter) line(s string) {
	if s != "" {
		w.b = append(w.b, w.indent...)
	}
	for _, r := range s {
		w.b = appendVisible(w.b, r)
		if r == '\n' {
			w.b = append(w.b, w.indent...)
		}
	}
	w.b = append(w.b, '\n')
}

// part writes a heading and what f writes under it, or nothing if that is
// nothing.
func (w *textWriter) part(title string, f func()) {
	start := len(w.b)
	w.line("")
	w.line(title)
	begin := len(w.b)
	w.indent = "    "
	f()
	w.indent = ""
	if len(w.b) == begin {
		w.b = w.b[:start]
	}
}

func (w *textWriter) headline() {
	p := w.page
	headline := p.headline()
	if p.ErrorType != "" && !p.bare() {
		headline += " (" + p.ErrorType + ")"
	}
	if headline != p.title() {
		w.line(headline)
	}
	if own := p.firstOwn(); own != nil {
		w.line("in " + shortFunc(own.Func) + " at " + w.place(own.File, own.Line, 0))
	}
}

func (w *textWriter) place(file string, line, column int) string {
	s := shortPath(file, w.dir)
	if line > 0 {
		s += ":" + strconv.Itoa(line)
		if column > 0 {
			s += ":" + strconv.Itoa(column)
		}
	}
	return s
}

func (w *textWriter) causes() {
	for _, c := range w.page.Causes {
		w.line(strings.Repeat("  ", c.Depth-1) + clip(w.page.scrub(c.Message), maxValue) + " (" + c.Type + ")")
	}
}

func (w *textWriter) location() {
	l := w.page.Location
	if l == nil {
		return
	}
	if l.Path != "" {
		w.line(l.Name + " " + w.place(l.Path, l.Line, l.Column))
	} else {
		w.line(l.label())
	}
	w.excerpt(l.excerpt(), l.Line)
}

func (w *textWriter) excerpt(lines []Line, hit int) {
	for _, line := range lines {
		mark := "  "
		if line.Number == hit {
			mark = "> "
		}
		number := strconv.Itoa(line.Number)
		w.line(mark + strings.Repeat(" ", max(0, 5-len(number))) + number + strings.TrimRight("  "+line.Text, " \t"))
	}
}

func (w *textWriter) build() {
	if w.page.BuildOutput != "" {
		w.line(clip(w.page.scrub(strings.TrimSpace(w.page.BuildOutput)), maxText))
	}
}

func (w *textWriter) output() {
	if w.page.Output != "" {
		w.line(w.page.lastOutput())
	}
}

func (w *textWriter) stack() {
	first := true
	for i := range w.page.Frames {
		f := &w.page.Frames[i]
		mark := "  "
		if f.Own {
			mark = "* "
		}
		w.line(mark + shortFunc(f.Func) + "  " + w.place(f.File, f.Line, 0))
		if f.Own && first {
			first = false
			w.excerpt(f.Source, f.Line)
		}
	}
}

func (w *textWriter) routes() {
	routes := w.page.Routes
	for i, r := range routes {
		if i == maxRows {
			w.line("and " + strconv.Itoa(len(routes)-maxRows) + " more")
			break
		}
		s := r.Pattern
		if len(r.Methods) > 0 {
			s = strings.Join(r.Methods, " ") + " " + s
		}
		if r.Why != "" {
			s += "  (" + r.Why + ")"
		}
		w.line(s)
	}
}

func (w *textWriter) request() {
	if w.page.Request != nil {
		w.rows(w.page.requestRows())
		w.rows(w.page.headerRows())
	}
}

func (w *textWriter) rows(rows [][2]string) {
	for _, row := range rows {
		w.line(row[0] + ": " + row[1])
	}
}

// Markdown renders the page for a chat or an issue: a heading, and the plain
// text in a code block whose fence is longer than any in the text.
func (p *Page) Markdown() string {
	p = p.withSecrets()
	text := p.Text()
	fence := strings.Repeat("`", max(3, longestRun(text, '`')+1))
	var b strings.Builder
	b.WriteString("### ")
	b.WriteString(markdownEscape(clip(p.headline(), 200)))
	b.WriteString("\n\n")
	b.WriteString(fence)
	b.WriteString("text\n")
	b.WriteString(text)
	b.WriteString(fence)
	b.WriteString("\n")
	return b.String()
}

// longestRun is the length of the longest run of c in s.
func longestRun(s string, c byte) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] == c {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	return longest
}

// markdownEscape keeps a line of text from being read as markup.
func markdownEscape(s string) string {
	var b []byte
	for _, r := range s {
		switch {
		case r == '\n':
			b = append(b, ' ')
			continue
		case strings.ContainsRune("\\`*_{}[]()<>#+-!|~@", r):
			b = append(b, '\\')
		}
		b = appendVisible(b, r)
	}
	return string(b)
}
