package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/config"
)

// Options are the details of [New]. What the environment or retort.toml says,
// MAIL_URL and the section mail, comes before what is given here.
type Options struct {
	// URL of the mailer, see the package. Default: "console:" in debug mode; else
	// none, and sending is an error.
	URL string `config:"url" env:"MAIL_URL" secret:"true" help:"mailer: smtp://user:password@host, smtps:, console:, file:/folder"`

	// From is the sender of messages that name none: "Shop <shop@example.com>".
	From string `config:"from" env:"MAIL_FROM" help:"sender of messages that name none"`

	// ReplyTo is where answers go, of messages that do not say. Default: From.
	ReplyTo []string `config:"reply_to" help:"where answers go"`

	// SubjectPrefix is put before every subject: "[staging] ".
	SubjectPrefix string `config:"subject_prefix" help:"put before every subject"`

	// Admins get what [SendAdmins] sends.
	Admins []string `config:"admins" help:"addresses of those who run the site"`

	// Managers get what [SendManagers] sends.
	Managers []string `config:"managers" help:"addresses of those who run what the site is about"`

	// Timeout bounds connecting to a server and each step of the conversation.
	// Default: 30s.
	Timeout time.Duration `config:"timeout" default:"30s" min:"1ms" help:"for each step of a conversation with the mail server"`

	// TLS is for mail servers whose certificate a private authority has issued, or
	// that ask for one. Default: the system's authorities, TLS 1.2 and later.
	TLS *tls.Config `config:"-"`

	// Mailers are further mailers, by the names that [Using] knows: a URL, or a
	// [Mailer] of one's own. "default" replaces the one of URL.
	Mailers map[string]any `config:"-"`

	// OnSent is told of each message that was given to a mailer, with the error if it
	// was not delivered. It is called before Send returns, perhaps by several goroutines.
	OnSent func(ctx context.Context, m *Message, err error) `config:"-"`

	// Previews are examples of the app's mails, for /_mail/ in debug mode.
	Previews map[string]func(ctx context.Context) (*Message, error) `config:"-"`
}

// DefaultMailer is the name of the mailer of [Options].URL.
const DefaultMailer = "default"

const defaultTimeout = 30 * time.Second

// Extension sends the mail of an app. [New] makes it.
type Extension struct {
	options Options
	app     *retort.App
	mailers map[string]Mailer
	recent  recent
}

// New returns the extension that lets an app send mail.
func New(options ...Options) *Extension {
	e := &Extension{mailers: map[string]Mailer{}}
	if len(options) > 0 {
		e.options = options[0]
	}
	return e
}

// Name returns "mail".
func (e *Extension) Name() string { return "mail" }

// Install implements [retort.Extension].
func (e *Extension) Install(app *retort.App) error {
	if e.app != nil {
		return errors.New("mail: the extension is installed already; make one with mail.New for each app")
	}
	e.app = app
	if _, err := config.Load(&e.options, config.Options{Section: "mail", Allow: []string{"*"}}); err != nil {
		return err
	}
	if e.options.URL == "" && app.Config().Debug {
		e.options.URL = "console:"
	}
	if e.options.URL != "" {
		m, err := Open(e.options.URL, e.options)
		if err != nil {
			return err
		}
		e.mailers[DefaultMailer] = m
	}
	for name, given := range e.options.Mailers {
		switch m := given.(type) {
		case Mailer:
			e.mailers[name] = m
		case string:
			opened, err := Open(m, e.options)
			if err != nil {
				return fmt.Errorf("mailer %s: %w", name, err)
			}
			e.mailers[name] = opened
		default:
			return fmt.Errorf("mail: mailer %s is a %T; give a URL or a mail.Mailer", name, given)
		}
	}
	for header, values := range map[string][]string{"From": {e.options.From}, "ReplyTo": e.options.ReplyTo, "Admins": e.options.Admins, "Managers": e.options.Managers} {
		for _, v := range values {
			if v == "" {
				continue
			}
			if _, err := ParseAddress("Options."+header, v); err != nil {
				return err
			}
		}
	}
	app.ExtendContext(func(ctx context.Context) context.Context { return context.WithValue(ctx, extensionKey{}, e) })
	app.Command(e.testCommand())
	app.Check(e.check)
	if app.Config().Debug {
		e.addPreview(app)
	}
	return nil
}

// Replace puts a mailer in the place of another, "default" or one of
// Options.Mailers; "*" stands for all. Tests keep mail in memory so. It
// must not be called while the app serves.
func (e *Extension) Replace(name string, m Mailer) {
	if name != "*" {
		e.mailers[name] = m
		return
	}
	for n := range e.mailers {
		e.mailers[n] = m
	}
	e.mailers[DefaultMailer] = m
}

type (
	extensionKey struct{}
	mailerKey    struct{}
)

// of returns the extension that a context belongs to.
func of(ctx context.Context) (*Extension, error) {
	e, ok := ctx.Value(extensionKey{}).(*Extension)
	if !ok {
		return nil, errors.New("mail: the context has no mailer; install mail.New() and pass the context of a request, command or background function, or app.Context()")
	}
	return e, nil
}

// Using returns a context in which the named mailer sends.
func Using(ctx context.Context, mailer string) context.Context {
	return context.WithValue(ctx, mailerKey{}, mailer)
}

// mailer is the one that a context has chosen.
func (e *Extension) mailer(ctx context.Context) (name string, m Mailer, err error) {
	name, _ = ctx.Value(mailerKey{}).(string)
	if name == "" {
		name = DefaultMailer
	}
	m, ok := e.mailers[name]
	switch {
	case !ok && name == DefaultMailer:
		return "", nil, errors.New("mail: no mailer is set; set MAIL_URL (mail.url in retort.toml), such as smtp://user:password@mail.example.com")
	case !ok:
		return "", nil, fmt.Errorf("mail: no mailer is named %q; Options.Mailers has %s", name, strings.Join(slices.Sorted(maps.Keys(e.mailers)), ", "))
	}
	return name, m, nil
}

// Send sends messages, over one connection where there is one. All are checked
// before the first is sent. The error of what was checked is about the message;
// that of delivery is a *[SendError], which names the messages that failed.
//
// Send waits for the mail server. What must happen with a change of the database
// belongs after its commit: orm.OnCommit.
func Send(ctx context.Context, messages ...*Message) error {
	e, err := of(ctx)
	if err != nil {
		return err
	}
	name, m, err := e.mailer(ctx)
	if err != nil {
		return err
	}
	if b, ok := ctx.Value(batchKey{}).(*batch); ok && b.name == name {
		m = b
	}
	envelopes := make([]*Envelope, len(messages))
	for i, message := range messages {
		if envelopes[i], err = message.envelope(&e.options); err != nil {
			return err
		}
	}
	if len(envelopes) == 0 {
		return nil
	}
	err = m.Send(ctx, envelopes)
	if tell := e.options.OnSent; tell != nil {
		for _, envelope := range envelopes {
			tell(ctx, envelope.Message, failureOf(envelope.Message, err))
		}
	}
	if e.app.Config().Debug {
		e.recent.add(envelopes, err)
	}
	return err
}

// failureOf is why a message was not delivered, or nil.
func failureOf(m *Message, err error) error {
	failed, ok := errors.AsType[*SendError](err)
	if !ok {
		return err
	}
	for _, f := range failed.Failures {
		if f.Message == m {
			return f.Err
		}
	}
	return nil
}

// SendAdmins sends a message to [Options].Admins; without any it does nothing.
func SendAdmins(ctx context.Context, subject, text string) error {
	return sendTo(ctx, func(o *Options) []string { return o.Admins }, subject, text)
}

// SendManagers sends a message to [Options].Managers; without any it does nothing.
func SendManagers(ctx context.Context, subject, text string) error {
	return sendTo(ctx, func(o *Options) []string { return o.Managers }, subject, text)
}

func sendTo(ctx context.Context, list func(o *Options) []string, subject, text string) error {
	e, err := of(ctx)
	if err != nil || len(list(&e.options)) == 0 {
		return err
	}
	return Send(ctx, &Message{To: list(&e.options), Subject: subject, Text: text})
}
