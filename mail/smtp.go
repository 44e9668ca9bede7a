package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// smtpMailer speaks SMTP (RFC 5321), one connection for the messages of a Send.
type smtpMailer struct {
	host    string
	options []gomail.Option
	tls     *tls.Config // where TLS comes before SMTP
}

// newSMTP reads the URL of a mail server. Clear text must be asked for by tls=none:
// what STARTTLS fails on fails as a whole.
func newSMTP(u *url.URL, o Options) (Mailer, error) {
	host := u.Hostname()
	if host == "" || u.Path != "" && u.Path != "/" {
		return nil, errors.New("mail: the URL of a mail server is smtp://user:password@host:port")
	}
	query := u.Query()
	implicit := u.Scheme == "smtps"
	port, policy := 587, gomail.TLSMandatory
	if implicit {
		port = 465
	}
	switch mode := query.Get("tls"); {
	case mode == "none" && !implicit:
		port, policy = 25, gomail.NoTLS
	case mode != "" && mode != "starttls", mode != "" && implicit:
		return nil, fmt.Errorf("mail: tls=%s of the mail server; smtp has starttls (the default) and none, smtps needs neither", mode)
	}
	query.Del("tls")
	for name := range query {
		return nil, fmt.Errorf("mail: %s is no option of a mail server's URL; there is tls", name)
	}
	if given := u.Port(); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 || n > 65535 {
			return nil, fmt.Errorf("mail: %q is no port", given)
		}
		port = n
	}
	s := &smtpMailer{host: host, options: []gomail.Option{gomail.WithPort(port), gomail.WithTimeout(cmp.Or(o.Timeout, defaultTimeout)), gomail.WithoutNoop()}}
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.TLS != nil {
		secure = o.TLS.Clone()
	}
	secure.ServerName = host
	s.options = append(s.options, gomail.WithTLSConfig(secure))
	if implicit {
		s.tls = secure
		s.options = append(s.options, gomail.WithSSL())
	} else {
		s.options = append(s.options, gomail.WithTLSPolicy(policy))
	}
	if name, err := os.Hostname(); err == nil && name != "" {
		s.options = append(s.options, gomail.WithHELO(name))
	}
	if u.User != nil {
		password, _ := u.User.Password()
		if policy == gomail.NoTLS && !implicit {
			return nil, errors.New("mail: a password is not sent in clear text; leave tls=none out, or leave user and password out")
		}
		s.options = append(s.options, gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	return s, nil
}

// Send implements [Mailer].
func (s *smtpMailer) Send(ctx context.Context, envelopes []*Envelope) error {
	c, err := s.dial(ctx)
	if err != nil {
		return notConnected(envelopes, err)
	}
	err = c.Send(ctx, envelopes)
	// What the server has taken it has taken, also if it hangs up without a word.
	_ = c.hangUp()
	return err
}

// Connect implements [Connector].
func (s *smtpMailer) Connect(ctx context.Context) (Mailer, func() error, error) {
	c, err := s.dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	return c, c.hangUp, nil
}

// smtpConnection is a conversation with a mail server.
type smtpConnection struct {
	client  *gomail.Client
	session *smtp.Client
	line    net.Conn
}

func (s *smtpMailer) dial(ctx context.Context) (*smtpConnection, error) {
	// The line is known here so that the end of the context can cut a conversation
	// in the middle, and so that it is closed however that ends.
	c := &smtpConnection{}
	dial := func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
		if s.tls != nil {
			conn, err = (&tls.Dialer{Config: s.tls}).DialContext(ctx, network, addr)
		} else {
			conn, err = new(net.Dialer).DialContext(ctx, network, addr)
		}
		if err == nil {
			c.line = conn
		}
		return conn, err
	}
	var err error
	if c.client, err = gomail.NewClient(s.host, append(slices.Clone(s.options), gomail.WithDialContextFunc(dial))...); err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	if c.session, err = c.client.DialToSMTPClientWithContext(ctx); err != nil {
		if c.line != nil {
			_ = c.line.Close()
		}
		_, away := errors.AsType[*net.OpError](err)
		return nil, &connectError{fmt.Errorf("mail server %s: %w", s.host, err), away || ctx.Err() != nil}
	}
	return c, nil
}

func (c *smtpConnection) hangUp() error {
	err := c.client.CloseWithSMTPClient(c.session)
	_ = c.line.Close() // it is closed by now, as a rule
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	return nil
}

// Send implements [Mailer].
func (c *smtpConnection) Send(ctx context.Context, envelopes []*Envelope) error {
	stop := context.AfterFunc(ctx, func() { _ = c.line.Close() })
	defer stop()
	messages := make([]*gomail.Msg, len(envelopes))
	for i, e := range envelopes {
		messages[i] = e.ready
	}
	sent := c.client.SendWithSMTPClient(c.session, messages...)
	if sent == nil {
		return nil
	}
	var failed []Failure
	for _, e := range envelopes {
		if e.ready.IsDelivered() {
			continue
		}
		failure := Failure{Message: e.Message, Err: e.ready.SendError(), Temporary: e.ready.SendErrorIsTemp()}
		if failure.Err == nil {
			failure.Err = sent
		}
		if ctx.Err() != nil {
			failure.Err, failure.Temporary = fmt.Errorf("%w: %w", context.Cause(ctx), failure.Err), true
		}
		failed = append(failed, failure)
	}
	if len(failed) == 0 {
		return nil // all is delivered; the server stumbled over the end of the conversation
	}
	return &SendError{failed}
}
