package mail

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// textOf makes the plain form of a message from its HTML: paragraphs and rows are
// lines, links have their address behind them, and what is not shown is left out.
func textOf(page string) string {
	w := &plainText{}
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			return w.String()
		case html.TextToken:
			if w.hidden == 0 {
				w.words(string(z.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			w.tag(z.Token())
		}
	}
}

type plainText struct {
	b      strings.Builder
	space  bool // before the next word
	lines  int  // before the next word
	hidden int
	links  []string
	label  int // where the words of the innermost link begin
}

// String returns the text, which ends with a line break if there is any.
func (w *plainText) String() string {
	if w.b.Len() == 0 {
		return ""
	}
	return w.b.String() + "\n"
}

// words adds text of which any white space is one space.
func (w *plainText) words(text string) {
	isSpace := func(s string) bool { return s != "" && strings.TrimSpace(s) == "" }
	w.space = w.space || text != "" && isSpace(text[:1])
	for word := range strings.FieldsSeq(text) {
		w.put(word)
		w.space = true
	}
	if text != "" {
		w.space = isSpace(text[len(text)-1:])
	}
}

func (w *plainText) put(word string) {
	if w.b.Len() > 0 {
		switch {
		case w.lines > 0:
			w.b.WriteString("\n\n"[:min(w.lines, 2)])
		case w.space:
			w.b.WriteByte(' ')
		}
	}
	w.lines, w.space = 0, false
	w.b.WriteString(word)
}

func (w *plainText) tag(t html.Token) {
	open := t.Type != html.EndTagToken
	switch t.DataAtom {
	case atom.Script, atom.Style, atom.Head, atom.Title, atom.Template:
		if t.Type == html.StartTagToken {
			w.hidden++
		} else if !open && w.hidden > 0 {
			w.hidden--
		}
	case atom.Br, atom.Tr, atom.Div, atom.Table, atom.Dt, atom.Dd:
		w.lines = max(w.lines, 1)
	case atom.Li:
		w.lines = max(w.lines, 1)
		if open {
			w.put("-")
			w.space = true
		}
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Blockquote, atom.Hr, atom.Pre:
		w.lines = 2
	case atom.Td, atom.Th:
		w.space = true
	case atom.Img:
		for _, a := range t.Attr {
			if a.Key == "alt" && a.Val != "" {
				w.words(a.Val)
			}
		}
	case atom.A:
		w.link(t, open)
	}
}

// link puts the address behind the words of a link, unless they are the same.
func (w *plainText) link(t html.Token, open bool) {
	if open {
		address := ""
		for _, a := range t.Attr {
			if a.Key == "href" && (strings.HasPrefix(a.Val, "http") || strings.HasPrefix(a.Val, "mailto:")) {
				address = strings.TrimPrefix(a.Val, "mailto:")
			}
		}
		w.links = append(w.links, address)
		w.label = w.b.Len()
		return
	}
	if len(w.links) == 0 {
		return
	}
	address := w.links[len(w.links)-1]
	w.links = w.links[:len(w.links)-1]
	if address != "" && strings.TrimSpace(w.b.String()[w.label:]) != address {
		w.space = true
		w.put("(" + address + ")")
	}
}
