package debugpage

import (
	"strings"
)

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
	if rows := w.page.headerRows(); len(rows) > 0 {
		w.raw("<details><summary>Headers <small class=\"place\">")
		w.number(len(rows))
		w.raw("</small></summary>")
		w.rows(rows)
		w.raw("</details>")
	}
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
		w.rows(rows)
	}
	w.raw("</div>")
}

func (w *htmlWriter) rows(rows [][2]string) {
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
