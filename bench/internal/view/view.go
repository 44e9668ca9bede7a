// Package view holds the two pages, once as html/template files with layout
// inheritance and once written by hand as appends, which is what a template
// compiler can reach at best.
package view

import (
	"embed"
	"html/template"
	"io"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/retort-web/retort/bench/internal/model"
)

//go:embed html/*.html
var Files embed.FS

var (
	Fortunes = parse("fortunes")
	Page     = parse("page")
)

func parse(name string) *template.Template {
	t := template.Must(template.ParseFS(Files, "html/base.html", "html/"+name+".html"))
	return t.Lookup("base.html")
}

// Execute renders fortunes or page by name.
func Execute(w io.Writer, name string, data any) error {
	if name == "fortunes" {
		return Fortunes.Execute(w, data)
	}
	return Page.Execute(w, data)
}

// Set is the shape echo and gin's renderers ask for.
type Set struct{}

func (Set) ExecuteTemplate(w io.Writer, name string, data any) error { return Execute(w, name, data) }

type Buf struct{ B []byte }

func (b *Buf) Write(p []byte) (int, error) { b.B = append(b.B, p...); return len(p), nil }

var Bufs = sync.Pool{New: func() any { return &Buf{B: make([]byte, 0, 64<<10)} }}

func GetBuf() *Buf  { b := Bufs.Get().(*Buf); b.B = b.B[:0]; return b }
func PutBuf(b *Buf) { Bufs.Put(b) }

// Esc appends s with the five characters escaped as html/template does.
func Esc(b []byte, s string) []byte {
	last := 0
	for i := 0; i < len(s); i++ {
		var r string
		switch s[i] {
		case '<':
			r = "&lt;"
		case '>':
			r = "&gt;"
		case '&':
			r = "&amp;"
		case '"':
			r = "&#34;"
		case '\'':
			r = "&#39;"
		default:
			continue
		}
		b = append(append(b, s[last:i]...), r...)
		last = i + 1
	}
	return append(b, s[last:]...)
}

// urlPath appends s as a path segment (the slugs need no more than a check).
func urlPath(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf || !(c == '-' || c == '.' || c == '_' || c == '~' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return template2(b, s)
		}
	}
	return append(b, s...)
}

func template2(b []byte, s string) []byte { return append(b, template.URLQueryEscaper(s)...) }

const (
	head1 = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>"
	head2 = " - Bench Blog</title>\n<link rel=\"stylesheet\" href=\"/static/site.css\">\n</head>\n<body>\n<header>\n<nav><a href=\"/\">Home</a> <a href=\"/page\">Posts</a> <a href=\"/about\">About</a></nav>\n"
	main1 = "\n</header>\n<main>\n"
	foot  = "\n</main>\n<footer><p>Bench Blog</p></footer>\n</body>\n</html>\n"
)

func AppendFortunes(b []byte, fs []model.Fortune) []byte {
	b = append(b, head1+"Fortunes"+head2+main1+"<table>\n<tr><th>id</th><th>message</th></tr>\n"...)
	for i := range fs {
		b = append(b, "<tr><td>"...)
		b = strconv.AppendInt(b, int64(fs[i].ID), 10)
		b = append(b, "</td><td>"...)
		b = Esc(b, fs[i].Message)
		b = append(b, "</td></tr>\n"...)
	}
	return append(b, "</table>"+foot...)
}

func AppendPage(b []byte, p *model.Page) []byte {
	b = append(b, head1+"Latest posts"+head2+`<p class="user">`...)
	if p.User != "" {
		b = append(b, "Signed in as <b>"...)
		b = Esc(b, p.User)
		b = append(b, "</b>"...)
	} else {
		b = append(b, `<a href="/login">Sign in</a>`...)
	}
	b = append(b, "</p>"+main1+"<h1>Latest posts</h1>\n"...)
	for i := range p.Posts {
		q := &p.Posts[i]
		b = append(b, `<article id="post-`...)
		b = strconv.AppendInt(b, int64(q.ID), 10)
		b = append(b, "\">\n<h2><a href=\"/posts/"...)
		b = urlPath(b, q.Slug)
		b = append(b, `">`...)
		b = Esc(b, q.Title)
		b = append(b, "</a></h2>\n<p class=\"meta\">by "...)
		b = Esc(b, q.Author.Name)
		b = append(b, ` on <time datetime="`...)
		b = q.PublishedAt.AppendFormat(b, "2006-01-02")
		b = append(b, `">`...)
		b = q.PublishedAt.AppendFormat(b, "02 Jan 2006")
		b = append(b, "</time></p>\n<p>"...)
		b = Esc(b, q.Excerpt)
		b = append(b, "</p>\n<ul class=\"tags\">"...)
		for k := range q.Tags {
			b = append(b, `<li><a href="/tags/`...)
			b = urlPath(b, q.Tags[k].Slug)
			b = append(b, `">`...)
			b = Esc(b, q.Tags[k].Name)
			b = append(b, "</a></li>"...)
		}
		b = append(b, "</ul>\n</article>\n"...)
	}
	b = append(b, "<form method=\"post\" action=\"/create\">\n<input type=\"hidden\" name=\""...)
	b = Esc(b, p.CSRFName)
	b = append(b, `" value="`...)
	b = Esc(b, p.CSRFToken)
	return append(b, "\">\n<input type=\"number\" name=\"post_id\" value=\"7\">\n<input type=\"text\" name=\"name\">\n<input type=\"email\" name=\"email\">\n<textarea name=\"body\"></textarea>\n<button type=\"submit\">Comment</button>\n</form>"+foot...)
}
