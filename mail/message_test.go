package mail_test

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	mailer "github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/mail/mailtest"
)

// site returns an app that keeps its mail.
func site(t testing.TB, o mailer.Options) (*retort.App, *mailtest.Outbox) {
	t.Helper()
	if o.From == "" {
		o.From = "Shop <shop@example.com>"
	}
	app := retort.New(retort.Config{Name: "shop", BaseURL: "https://shop.example"})
	app.Install(mailer.New(o))
	return app, mailtest.New(t, app)
}

// wire sends a message and reads what went out.
func wire(t testing.TB, m *mailer.Message) (*mail.Message, []byte) {
	t.Helper()
	kept := new(mailer.Memory)
	app, _ := site(t, mailer.Options{})
	app.Extension("mail").(*mailer.Extension).Replace("*", kept)
	if err := mailer.Send(app.Context(), m); err != nil {
		t.Fatal(err)
	}
	data, err := kept.Sent()[0].Bytes()
	if err != nil {
		t.Fatal(err)
	}
	read, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return read, data
}

func TestMessageOnTheWire(t *testing.T) {
	t.Parallel()
	read, data := wire(t, &mailer.Message{
		To: []string{"Änn Müller <ann@bücher.example>", "bob@example.com"}, Cc: []string{"c@example.com"}, Bcc: []string{"secret@example.com"},
		ReplyTo: []string{"answers@example.com"}, Subject: "Grüße – und ein Betreff, der so lang ist, dass er gefaltet werden muss, weil er es sonst nicht ist",
		Text: "Schöne Grüße\n.\nFrom here", HTML: "<p>Schöne Grüße<img src=\"cid:logo.png\">",
		Alternatives: []mailer.Alternative{{Type: "text/calendar; method=REQUEST; charset=latin1", Text: "BEGIN:VCALENDAR"}},
		Headers:      map[string]string{"List-Unsubscribe": "<https://example.com/u>"},
		Attachments:  []mailer.Attachment{{Name: "logo.png", Data: []byte("\x89PNG"), Inline: true}, {Name: "rechnung ü.pdf", Data: []byte("%PDF")}},
	})
	word := new(mime.WordDecoder)
	subject, _ := word.DecodeHeader(read.Header.Get("Subject"))
	if !strings.HasPrefix(subject, "Grüße – und") || !strings.HasSuffix(subject, "nicht ist") {
		t.Errorf("subject %q", subject)
	}
	to, err := read.Header.AddressList("To")
	if err != nil || len(to) != 2 || to[0].Name != "Änn Müller" || to[0].Address != "ann@xn--bcher-kva.example" {
		t.Error(to, err)
	}
	if bytes.Contains(data, []byte("secret")) || read.Header.Get("Bcc") != "" {
		t.Error("Bcc is in the message")
	}
	for header, want := range map[string]string{"From": `"Shop" <shop@example.com>`, "Reply-To": "<answers@example.com>", "List-Unsubscribe": "<https://example.com/u>", "Mime-Version": "1.0"} {
		if got := read.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	if id := read.Header.Get("Message-Id"); !strings.HasPrefix(id, "<") || !strings.Contains(id, "@") {
		t.Errorf("Message-ID %q", id)
	}
	if _, err := read.Header.Date(); err != nil {
		t.Error(err)
	}
	parts := map[string]string{}
	collect(t, read.Header.Get("Content-Type"), read.Body, parts)
	for _, want := range []string{"text/plain", "text/html", "text/calendar", "image/png", "application/pdf"} {
		if _, ok := parts[want]; !ok {
			t.Errorf("no part %s in %v", want, parts)
		}
	}
	for line := range bytes.SplitSeq(data, []byte("\r\n")) {
		if len(line) > 998 {
			t.Errorf("a line of %d bytes; RFC 5322 allows 998", len(line))
		}
		if bytes.ContainsAny(line, "\r\n") {
			t.Errorf("a bare line break in %q", line)
		}
	}
}

// collect finds the parts of a multipart body by their types.
func collect(t *testing.T, contentType string, body io.Reader, parts map[string]string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		text, _ := io.ReadAll(body)
		parts[kind] = string(text)
		return
	}
	r := multipart.NewReader(body, params["boundary"])
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		collect(t, p.Header.Get("Content-Type"), p, parts)
	}
}

// CVE class "header and mail injection".
func TestSecurityHeaderInjection(t *testing.T) {
	t.Parallel()
	app, box := site(t, mailer.Options{})
	for _, evil := range []string{"a\nBcc: x@example.com", "a\r\nBcc: x@example.com", "a\r", "a\x00b", "a\u2028b", "a\x7f", "a\u0085b", "a\xff"} {
		for name, m := range map[string]*mailer.Message{
			"subject":    {To: []string{"a@example.com"}, Subject: evil},
			"to":         {To: []string{evil + "@example.com"}},
			"to name":    {To: []string{evil + " <a@example.com>"}},
			"end of to":  {To: []string{"a@example.com" + evil[1:]}},
			"cc":         {Cc: []string{"a@example.com" + evil}},
			"from":       {To: []string{"a@example.com"}, From: evil + " <b@example.com>"},
			"reply to":   {To: []string{"a@example.com"}, ReplyTo: []string{evil + "@example.com"}},
			"header":     {To: []string{"a@example.com"}, Headers: map[string]string{"X-A": evil}},
			"name":       {To: []string{"a@example.com"}, Headers: map[string]string{"X-" + evil: "a"}},
			"id":         {To: []string{"a@example.com"}, ID: evil + "@example.com"},
			"attachment": {To: []string{"a@example.com"}, Attachments: []mailer.Attachment{{Name: evil + ".txt"}}},
			"type":       {To: []string{"a@example.com"}, Attachments: []mailer.Attachment{{Name: "a.txt", Type: "text/plain" + evil[1:]}}},
			"return":     {To: []string{"a@example.com"}, ReturnPath: evil + "@example.com"},
		} {
			if err := mailer.Send(app.Context(), m); err == nil {
				t.Errorf("%s with %q was sent", name, evil)
			}
		}
	}
	if n := len(box.Messages()); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
	var bad *mailer.HeaderError
	err := mailer.Send(app.Context(), &mailer.Message{To: []string{"a@example.com"}, Subject: "a\nb"})
	if !errors.As(err, &bad) || bad.Header != "Subject" {
		t.Error(err)
	}
}

func TestMessagesThatCannotBeSent(t *testing.T) {
	t.Parallel()
	app, _ := site(t, mailer.Options{})
	to := []string{"a@example.com"}
	for want, m := range map[string]*mailer.Message{
		"no recipients":           {Subject: "x"},
		"which is no address":     {To: []string{"ann"}},
		"\"\", which is no":       {To: []string{""}},
		"in brackets":             {To: []string{"root@[127.0.0.1]"}},
		"is no domain":            {To: []string{"a@" + strings.Repeat("x", 70) + ".example"}},
		"254 are allowed":         {To: []string{strings.Repeat("x", 250) + "@example.com"}},
		"made from a field":       {To: to, Headers: map[string]string{"bcc": "b@example.com"}},
		"is no name of a header":  {To: to, Headers: map[string]string{"X Y": "b"}},
		"without folders":         {To: to, Attachments: []mailer.Attachment{{Name: "../../etc/passwd"}}},
		"is no name of an attach": {To: to, Attachments: []mailer.Attachment{{Name: `..\x`}}},
		"not UTF-8 text":          {To: to, Text: "\xff"},
		"give it as name@example": {To: to, ID: "<a@b>"},
	} {
		if err := mailer.Send(app.Context(), m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	if err := mailer.Send(app.Context(), &mailer.Message{}); !errors.Is(err, mailer.ErrNoRecipients) {
		t.Error(err)
	}
	if err := mailer.Send(t.Context(), &mailer.Message{To: to}); err == nil || !strings.Contains(err.Error(), "install mail.New()") {
		t.Error(err)
	}
	if err := mailer.Send(mailer.Using(app.Context(), "bulk"), &mailer.Message{To: to}); err == nil || !strings.Contains(err.Error(), `"bulk"`) {
		t.Error(err)
	}
	bare := retort.New()
	bare.Install(mailer.New())
	if err := mailer.Send(bare.Context(), &mailer.Message{To: to}); err == nil || !strings.Contains(err.Error(), "MAIL_URL") {
		t.Error(err)
	}
}

func TestTextOfHTML(t *testing.T) {
	t.Parallel()
	for page, want := range map[string]string{
		"<html><head><title>x</title><style>p{}</style></head><body><h1>Hello</h1>\n<p>Dear <b>Ann</b>,<br>it is  here.</p><script>x</script>": "Hello\n\nDear Ann,\nit is here.\n",
		`<p>See <a href="https://example.com/a?b&amp;c">the page</a>.</p>`:                                                                     "See the page (https://example.com/a?b&c).\n",
		`<a href="https://example.com/">https://example.com/</a> <a href="mailto:a@example.com">us</a>`:                                        "https://example.com/ us (a@example.com)\n",
		"<ul><li>one<li>two</ul><p>end":                                                    "- one\n- two\n\nend\n",
		"<table><tr><td>a<td>b</tr><tr><td>c<td>d</table>":                                 "a b\nc d\n",
		`<img src="x" alt="A picture"> of <em>us</em>`:                                     "A picture of us\n",
		"</a></script></style><a><a href=https://x.example/>" + strings.Repeat("</a>", 10): "(https://x.example/)\n",
		"a<b": "a\n",
	} {
		app, out := site(t, mailer.Options{})
		if err := mailer.Send(app.Context(), &mailer.Message{To: []string{"a@example.com"}, HTML: page}); err != nil {
			t.Fatal(err)
		}
		if got := out.Only().Text; got != want {
			t.Errorf("%q\n got %q\nwant %q", page, got, want)
		}
	}
}
