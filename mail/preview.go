package mail

import (
	"fmt"
	"html"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/retort-web/retort"
)

// keptMessages is how many messages /_mail/ shows.
const keptMessages = 50

// recent are the messages that were sent last, in debug mode.
type recent struct {
	mu    sync.Mutex
	count int
	sent  []sent // the newest last
}

type sent struct {
	number   int
	envelope *Envelope
	err      error
	at       time.Time
}

func (r *recent) add(envelopes []*Envelope, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range envelopes {
		r.count++
		r.sent = append(r.sent, sent{r.count, e, err, time.Now()})
	}
	r.sent = r.sent[max(0, len(r.sent)-keptMessages):]
}

func (r *recent) list() []sent {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.Clone(r.sent)
	slices.Reverse(list)
	return list
}

func (r *recent) find(number int) *Envelope {
	for _, s := range r.list() {
		if s.number == number {
			return s.envelope
		}
	}
	return nil
}

// addPreview adds the pages of development. Who is not on this machine finds no
// such page.
func (e *Extension) addPreview(app *retort.App) {
	page := func(pattern string, h func(c *retort.Ctx) error) {
		app.Get(pattern, func(c *retort.Ctx) error {
			if !c.DebugAllowed() {
				return retort.NotFound("There is no such mail.")
			}
			c.Header().Set("Cache-Control", "no-store")
			return h(c)
		})
	}
	page("/_mail/", e.listPage)
	page("/_mail/sent/{number:int}", func(c *retort.Ctx) error {
		return e.messagePage(c, "/_mail/sent/"+c.Param("number"), e.sentMessage(c))
	})
	page("/_mail/sent/{number:int}/{part}", func(c *retort.Ctx) error { return part(c, e.sentMessage(c)) })
	page("/_mail/preview/{name}", func(c *retort.Ctx) error {
		found, err := e.example(c)
		if err != nil {
			return err
		}
		return e.messagePage(c, "/_mail/preview/"+c.Param("name"), found)
	})
	page("/_mail/preview/{name}/{part}", func(c *retort.Ctx) error {
		found, err := e.example(c)
		if err != nil {
			return err
		}
		return part(c, found)
	})
}

func (e *Extension) sentMessage(c *retort.Ctx) *Envelope {
	n, _ := strconv.Atoi(c.Param("number"))
	return e.recent.find(n)
}

// example makes one of the messages of Options.Previews. It is never sent, so it
// may lack what sending needs.
func (e *Extension) example(c *retort.Ctx) (*Envelope, error) {
	make, ok := e.options.Previews[c.Param("name")]
	if !ok {
		return nil, retort.NotFound("There is no such mail.")
	}
	m, err := make(c)
	if err != nil {
		return nil, err
	}
	complete := *m
	if len(m.To)+len(m.Cc)+len(m.Bcc) == 0 {
		complete.To = []string{"reader@example.com"}
	}
	o := e.options
	if o.From == "" {
		o.From = "site@example.com"
	}
	return complete.envelope(&o)
}

func (e *Extension) listPage(c *retort.Ctx) error {
	var b strings.Builder
	b.WriteString("<h1>Mail</h1><h2>Sent</h2>")
	list := e.recent.list()
	if len(list) == 0 {
		b.WriteString("<p>Nothing was sent since the program started.</p>")
	} else {
		b.WriteString("<table><thead><tr><th scope=col>When<th scope=col>To<th scope=col>Subject</tr></thead><tbody>")
		for _, s := range list {
			note := ""
			if s.err != nil {
				note = " <strong>failed:</strong> " + html.EscapeString(s.err.Error())
			}
			fmt.Fprintf(&b, `<tr><td>%s<td>%s<td><a href="%s/_mail/sent/%d">%s</a>%s`, s.at.Format("15:04:05"), html.EscapeString(strings.Join(s.envelope.To, ", ")),
				c.Root(), s.number, html.EscapeString(titleOf(s.envelope.Message)), note)
		}
		b.WriteString("</tbody></table>")
	}
	b.WriteString("<h2>Examples</h2>")
	if len(e.options.Previews) == 0 {
		b.WriteString("<p>mail.Options.Previews has none.</p>")
	} else {
		b.WriteString("<ul>")
		for _, name := range slices.Sorted(maps.Keys(e.options.Previews)) {
			fmt.Fprintf(&b, `<li><a href="%s/_mail/preview/%s">%s</a>`, c.Root(), html.EscapeString(name), html.EscapeString(name))
		}
		b.WriteString("</ul>")
	}
	return c.HTML(document(c.CSPNonce(), "Mail", b.String()))
}

func titleOf(m *Message) string {
	if m.Subject == "" {
		return "(no subject)"
	}
	return m.Subject
}

func (e *Extension) messagePage(c *retort.Ctx, at string, found *Envelope) error {
	if found == nil {
		return retort.NotFound("There is no such mail.")
	}
	m := found.Message
	at = c.Root() + at
	var b strings.Builder
	fmt.Fprintf(&b, `<p><a href="%s/_mail/">All mail</a></p><h1>%s</h1><dl>`, c.Root(), html.EscapeString(titleOf(m)))
	for _, line := range []struct{ name, value string }{
		{"From", m.From},
		{"To", strings.Join(m.To, ", ")},
		{"Cc", strings.Join(m.Cc, ", ")},
		{"Bcc", strings.Join(m.Bcc, ", ")},
		{"Reply-To", strings.Join(m.ReplyTo, ", ")},
		{"Date", m.Date.Format(time.RFC1123Z)},
	} {
		if line.value != "" {
			fmt.Fprintf(&b, "<dt>%s<dd>%s", line.name, html.EscapeString(line.value))
		}
	}
	for i, a := range m.Attachments {
		fmt.Fprintf(&b, `<dt>Attachment<dd><a href="%s/file%d">%s</a>, %d bytes`, html.EscapeString(at), i, html.EscapeString(a.Name), len(a.Data))
	}
	b.WriteString("</dl>")
	if m.HTML != "" {
		fmt.Fprintf(&b, `<h2>HTML</h2><iframe title="The message as HTML" sandbox src="%s/html"></iframe>`, html.EscapeString(at))
	}
	fmt.Fprintf(&b, `<h2>Text</h2><pre tabindex=0>%s</pre><p><a href="%s/source">Source</a></p>`, html.EscapeString(m.Text), html.EscapeString(at))
	return c.HTML(document(c.CSPNonce(), titleOf(m), b.String()))
}

// part answers with the HTML of a message, its source, or one of its files. The
// HTML cannot run scripts, ask other sites for anything or be more than a picture
// of itself.
func part(c *retort.Ctx, found *Envelope) error {
	if found == nil {
		return retort.NotFound("There is no such mail.")
	}
	m := found.Message
	switch name := c.Param("part"); name {
	case "html":
		page := m.HTML
		for i, a := range m.Attachments {
			if a.Inline {
				page = strings.ReplaceAll(page, "cid:"+a.Name, fmt.Sprintf("file%d", i))
			}
		}
		c.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'; img-src * data:; style-src 'unsafe-inline'")
		c.Header().Set("X-Frame-Options", "SAMEORIGIN")
		return c.HTML(page)
	case "source":
		text, err := found.Bytes()
		if err != nil {
			return err
		}
		return c.Text(string(text))
	default:
		n, err := strconv.Atoi(strings.TrimPrefix(name, "file"))
		if err != nil || !strings.HasPrefix(name, "file") || n < 0 || n >= len(m.Attachments) {
			return retort.NotFound("There is no such mail.")
		}
		a := m.Attachments[n]
		kind := a.Type
		if kind == "" {
			kind = http.DetectContentType(a.Data)
		}
		c.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
		return c.Bytes(kind, a.Data)
	}
}

// document is a page of development: it needs no templates of the app. The nonce
// makes its style sheet pass a strict policy for content.
func document(nonce, title, body string) string {
	return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>` +
		html.EscapeString(title) + `</title><style nonce="` + nonce + `">
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
main{overflow-wrap:anywhere}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8886;vertical-align:top}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dd{margin:0}
iframe{width:100%;height:26rem;border:1px solid #8886;background:#fff}
pre{white-space:pre-wrap;border:1px solid #8886;padding:1rem}
</style></head><body><main>` + body + `</main></body></html>`
}
