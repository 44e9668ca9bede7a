package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// Mailer delivers messages. One of the user's own, over the interface of a
// provider, goes to [Options].Mailers.
type Mailer interface {
	// Send delivers the messages, over one connection where there is one. An error
	// of single messages is a *[SendError]; the others have been delivered.
	Send(ctx context.Context, envelopes []*Envelope) error
}

// SendError says which of several messages were not delivered.
type SendError struct{ Failures []Failure }

// Failure is why a message was not delivered.
type Failure struct {
	Message *Message
	Err     error
	// Temporary says that the server may take the message later.
	Temporary bool
}

func (e *SendError) Error() string {
	lines := make([]string, len(e.Failures))
	for i, f := range e.Failures {
		lines[i] = fmt.Sprintf("mail: %q was not sent: %v", f.Message.Subject, f.Err)
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the errors of the messages.
func (e *SendError) Unwrap() []error {
	all := make([]error, len(e.Failures))
	for i, f := range e.Failures {
		all[i] = f.Err
	}
	return all
}

// Open returns the mailer of a URL; see the package for the forms. Of the options,
// Timeout and TLS count.
func Open(rawURL string, o Options) (Mailer, error) {
	scheme, rest, ok := strings.Cut(rawURL, ":")
	switch {
	case !ok:
		return nil, errors.New("mail: the URL of a mailer begins with smtp://, smtps://, console:, file:, memory: or discard:")
	case scheme == "console" && rest == "":
		return &Console{Writer: os.Stderr}, nil
	case scheme == "memory" && rest == "":
		return new(Memory), nil
	case scheme == "discard" && rest == "":
		return discard{}, nil
	case scheme == "file":
		dir := strings.TrimPrefix(rest, "//")
		if dir == "" {
			return nil, errors.New("mail: file: needs a folder, file:/var/mail/outgoing")
		}
		return &Files{Dir: dir}, nil
	case scheme == "smtp" || scheme == "smtps":
		u, err := url.Parse(rawURL)
		if err != nil {
			// The error of url.Parse would show the password.
			return nil, errors.New("mail: the smtp URL cannot be read; characters of a password such as @ and / are written in percent form")
		}
		return newSMTP(u, o)
	}
	return nil, fmt.Errorf("mail: %q is no kind of mailer; there are smtp, smtps, console, file, memory and discard", scheme)
}

// Console writes messages to a stream.
type Console struct {
	Writer io.Writer
	mu     sync.Mutex
}

// Send implements [Mailer].
func (c *Console) Send(_ context.Context, envelopes []*Envelope) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range envelopes {
		text, err := e.readable()
		if err != nil {
			return err
		}
		if _, err := io.WriteString(c.Writer, text); err != nil {
			return fmt.Errorf("mail: %w", err)
		}
	}
	return nil
}

// readable is a message for people: the text is not encoded, and files are named
// only. Control characters of the text cannot reach a terminal.
func (e *Envelope) readable() (string, error) {
	m := e.Message
	var b strings.Builder
	rule := strings.Repeat("-", 72)
	fmt.Fprintf(&b, "%s\nFrom: %s\nTo: %s\nSubject: %s\nDate: %s\n", rule, m.From, strings.Join(e.To, ", "), m.Subject, m.Date.Format(time.RFC1123Z))
	for _, a := range m.Attachments {
		fmt.Fprintf(&b, "Attachment: %s, %d bytes\n", a.Name, len(a.Data))
	}
	b.WriteByte('\n')
	b.WriteString(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, m.Text))
	fmt.Fprintf(&b, "\n%s\n", rule)
	return b.String(), nil
}

// Memory keeps messages; it is safe for concurrent use.
type Memory struct {
	mu   sync.Mutex
	sent []*Envelope
}

// Send implements [Mailer].
func (m *Memory) Send(_ context.Context, envelopes []*Envelope) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent = append(m.sent, envelopes...)
	return nil
}

// Sent returns what was sent, the oldest first.
func (m *Memory) Sent() []*Envelope {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]*Envelope(nil), m.sent...)
}

// Reset forgets what was sent.
func (m *Memory) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent = nil
}

type discard struct{}

func (discard) Send(context.Context, []*Envelope) error { return nil }
