package mail

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/textproto"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
)

// Message is a mail. Addresses are "ann@example.com" or "Ann <ann@example.com>".
type Message struct {
	From    string // default: Options.From
	To      []string
	Cc      []string
	Bcc     []string // get it too, and nobody sees that
	ReplyTo []string // default: Options.ReplyTo
	Subject string

	// Text and HTML are the same message in two forms, of which readers show one.
	// With HTML alone, Text is made from it.
	Text string
	HTML string

	// Alternatives are further forms of the same message, the best last: an invitation
	// as text/calendar. Readers show the last that they know.
	Alternatives []Alternative

	Attachments []Attachment

	// Headers are further ones, "List-Unsubscribe" and the like. Those that the
	// fields of Message make cannot be set here.
	Headers map[string]string

	// Date of the message. Default: now.
	Date time.Time
	// ID is the Message-ID without its angle brackets. Default: a random one.
	ID string
	// ReturnPath is where reports of failed delivery go. Default: From.
	ReturnPath string
}

// Alternative is a message in another form than text and HTML.
type Alternative struct {
	Type string // "text/calendar; method=REQUEST"
	Text string
}

// Attachment is a file of a message.
type Attachment struct {
	Name string // "invoice.pdf", without folders
	// Type is its media type. Default: by the name's ending, else
	// application/octet-stream.
	Type string
	Data []byte
	// Inline shows the file within the HTML instead of beside it:
	// <img src="cid:NAME">.
	Inline bool
}

// Envelope is a message on its way, as a [Mailer] gets it: checked, complete,
// and in the form of RFC 5322.
type Envelope struct {
	From    string   // address that failures are reported to
	To      []string // addresses of all who get it, Bcc too; none twice
	Message *Message // with the defaults filled in
	ready   *gomail.Msg
}

// Bytes returns the message in the form of RFC 5322 and MIME. Bcc is not in it.
func (e *Envelope) Bytes() ([]byte, error) {
	var b bytes.Buffer
	if _, err := e.ready.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return b.Bytes(), nil
}

// ErrNoRecipients is the error of a message without To, Cc and Bcc.
var ErrNoRecipients = errors.New("mail: the message has no recipients; set To, Cc or Bcc")

// HeaderError is the error of a message in which a header has what would make it
// another header: a line break or another control character.
type HeaderError struct {
	Header string
	Value  string
}

func (e *HeaderError) Error() string {
	return fmt.Sprintf("mail: %s is %q; a header is one line without control characters", e.Header, e.Value)
}

// envelope checks a message and makes it ready to be sent.
func (m *Message) envelope(o *Options) (*Envelope, error) {
	complete := *m
	complete.From = cmp.Or(m.From, o.From)
	if len(m.ReplyTo) == 0 {
		complete.ReplyTo = o.ReplyTo
	}
	if complete.From == "" {
		return nil, errors.New("mail: the message has no From; set it, or mail.Options.From (MAIL_FROM) for all")
	}
	if len(m.To)+len(m.Cc)+len(m.Bcc) == 0 {
		return nil, ErrNoRecipients
	}
	if complete.Date.IsZero() {
		complete.Date = time.Now()
	}
	if complete.Text == "" && complete.HTML != "" {
		complete.Text = textOf(complete.HTML)
	}
	complete.Subject = o.SubjectPrefix + m.Subject
	e := &Envelope{Message: &complete, ready: gomail.NewMsg(gomail.WithNoDefaultUserAgent())}
	for _, fill := range []func() error{e.addresses, e.headers, e.body, e.attach} {
		if err := fill(); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *Envelope) addresses() error {
	m := e.Message
	from, err := ParseAddress("From", m.From)
	if err != nil {
		return err
	}
	e.ready.FromMailAddress(from)
	e.From = from.Address
	if m.ReturnPath != "" {
		back, err := ParseAddress("ReturnPath", m.ReturnPath)
		if err != nil {
			return err
		}
		e.ready.EnvelopeFromMailAddress(back)
		e.From = back.Address
	}
	for _, list := range []struct {
		header string
		values []string
		set    func(...*address)
	}{
		{"To", m.To, e.ready.ToMailAddress},
		{"Cc", m.Cc, e.ready.CcMailAddress},
		{"Bcc", m.Bcc, e.ready.BccMailAddress},
		{"Reply-To", m.ReplyTo, e.ready.ReplyToMailAddress},
	} {
		var all []*address
		for _, v := range list.values {
			a, err := ParseAddress(list.header, v)
			if err != nil {
				return err
			}
			if list.header != "Reply-To" {
				if slices.Contains(e.To, a.Address) {
					continue // nobody gets it twice
				}
				e.To = append(e.To, a.Address)
			}
			all = append(all, a)
		}
		if len(all) > 0 {
			list.set(all...)
		}
	}
	return nil
}

// ownHeaders are made from the fields of a message.
var ownHeaders = []string{
	"From", "To", "Cc", "Bcc", "Reply-To", "Subject", "Date", "Message-Id", "Return-Path", "Sender",
	"Mime-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition",
}

func (e *Envelope) headers() error {
	m := e.Message
	if err := checkHeader("Subject", m.Subject); err != nil {
		return err
	}
	e.ready.Subject(m.Subject)
	e.ready.SetDateWithValue(m.Date)
	if m.ID == "" {
		e.ready.SetMessageID()
		m.ID = strings.Trim(e.ready.GetMessageID(), "<>")
	} else {
		if err := checkHeader("Message-ID", m.ID); err != nil {
			return err
		}
		if strings.ContainsAny(m.ID, "<> \t") || !strings.Contains(m.ID, "@") {
			return fmt.Errorf("mail: ID is %q; give it as name@example.com without brackets", m.ID)
		}
		e.ready.SetMessageIDWithValue(m.ID)
	}
	for name, value := range m.Headers {
		if err := checkHeader(name, value); err != nil {
			return err
		}
		if !validHeaderName(name) {
			return fmt.Errorf("mail: %q is no name of a header", name)
		}
		if slices.Contains(ownHeaders, textproto.CanonicalMIMEHeaderKey(name)) {
			return fmt.Errorf("mail: Headers has %s, which is made from a field of Message; set that", name)
		}
		e.ready.SetGenHeader(gomail.Header(name), value)
	}
	return nil
}

func (e *Envelope) body() error {
	m := e.Message
	for name, text := range map[string]string{"Text": m.Text, "HTML": m.HTML} {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return fmt.Errorf("mail: %s is not UTF-8 text", name)
		}
	}
	e.ready.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		e.ready.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	for _, a := range m.Alternatives {
		if err := checkHeader("the type of an alternative", a.Type); err != nil {
			return err
		}
		kind, parameters, err := mime.ParseMediaType(a.Type)
		if err != nil || !strings.HasPrefix(kind, "text/") {
			return fmt.Errorf("mail: the type of an alternative is %q; it is one of text, such as text/calendar", a.Type)
		}
		if !utf8.ValidString(a.Text) || strings.ContainsRune(a.Text, 0) {
			return fmt.Errorf("mail: the alternative %s is not UTF-8 text", kind)
		}
		delete(parameters, "charset") // it is UTF-8, and said to be
		e.ready.AddAlternativeString(gomail.ContentType(mime.FormatMediaType(kind, parameters)), a.Text)
	}
	return nil
}

func (e *Envelope) attach() error {
	for _, a := range e.Message.Attachments {
		if err := checkHeader("the name of an attachment", a.Name); err != nil {
			return err
		}
		if a.Name == "" || a.Name != path.Base(strings.ReplaceAll(a.Name, `\`, "/")) || a.Name == "." || a.Name == ".." || a.Name == "/" {
			return fmt.Errorf("mail: %q is no name of an attachment; give a file name without folders", a.Name)
		}
		kind := cmp.Or(a.Type, mime.TypeByExtension(path.Ext(a.Name)), "application/octet-stream")
		if err := checkHeader("the type of an attachment", kind); err != nil {
			return err
		}
		if _, _, err := mime.ParseMediaType(kind); err != nil {
			return fmt.Errorf("mail: the type of attachment %s is %q: %w", a.Name, kind, err)
		}
		options := []gomail.FileOption{gomail.WithFileContentType(gomail.ContentType(kind))}
		add := e.ready.AttachReader
		if a.Inline {
			add = e.ready.EmbedReader
			options = append(options, gomail.WithFileContentID(a.Name))
		}
		if err := add(a.Name, bytes.NewReader(a.Data), options...); err != nil {
			return fmt.Errorf("mail: attachment %s: %w", a.Name, err)
		}
	}
	return nil
}

// checkHeader refuses what would begin another header, or end them.
func checkHeader(name, value string) error {
	if strings.ContainsFunc(name+value, func(r rune) bool {
		return r < ' ' && r != '\t' || r == 0x7f || r == utf8.RuneError || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029
	}) {
		return &HeaderError{name, value}
	}
	return nil
}

// validHeaderName reports whether RFC 5322 3.6.8 allows the name.
func validHeaderName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' })
}

// Send sends the message by the mailer of the context, see [Send].
func (m *Message) Send(ctx context.Context) error { return Send(ctx, m) }
