package debugpage

import (
	"strconv"
	"strings"
)

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
	lines, _ := cutExcerpt(text, l.Line, excerptRadius, excerptRadius)
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

// stackTitle names a stack of one, which FunctionFrame made, for what it is.
func (p *Page) stackTitle() string {
	if len(p.Frames) == 1 {
		return "Handler"
	}
	return "Stack"
}

// frames shows the stack in its order: the user's own frames opened, what lies
// between them folded into one line each.
func (w *htmlWriter) frames() {
	frames := w.page.Frames
	if len(frames) == 0 {
		return
	}
	w.raw("<section id=\"stack\"><h2>" + w.page.stackTitle())
	if len(frames) > 1 {
		w.raw(" <small>innermost call first</small>")
	}
	w.raw("</h2>\n")
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
	w.raw("</code></summary><p class=\"none\">") // a summary is a button, which has no link in it
	w.place(f.File, f.Line, 0)
	w.raw("</p>")
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
