package mail_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	mailer "github.com/retort-web/retort/mail"
)

// server is a mail server on this machine.
type server struct {
	addr string
	pool *x509.CertPool

	mu          sync.Mutex
	connections int
	logins      []string
	mails       []received
	refuse      map[string]*smtp.SMTPError // recipients
	hold        chan struct{}              // DATA waits for it
}

type received struct {
	from string
	to   []string
	data string
}

// serve starts a mail server. Mode is "starttls", "tls" or "none".
func serve(t *testing.T, mode string) *server {
	t.Helper()
	s := &server{refuse: map[string]*smtp.SMTPError{}}
	certificate := certificate(t)
	s.pool = x509.NewCertPool()
	s.pool.AddCert(certificate.Leaf)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = listener.Addr().String()
	backend := smtp.NewServer(s)
	backend.Domain = "localhost"
	backend.EnableSMTPUTF8 = true
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	switch mode {
	case "starttls":
		backend.TLSConfig = config
	case "tls":
		listener = tls.NewListener(listener, config)
	case "none":
		backend.AllowInsecureAuth = true
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = backend.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = backend.Close()
		<-done
	})
	return s
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func (s *server) NewSession(*smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections++
	return &conversation{server: s}, nil
}

func (s *server) got() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.mails...)
}

type conversation struct {
	server *server
	now    received
}

func (c *conversation) AuthMechanisms() []string { return []string{sasl.Plain} }

func (c *conversation) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		c.server.mu.Lock()
		defer c.server.mu.Unlock()
		if password != "p@ss/word" {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "no"}
		}
		c.server.logins = append(c.server.logins, user)
		return nil
	}), nil
}

func (c *conversation) Mail(from string, _ *smtp.MailOptions) error {
	c.now = received{from: from}
	return nil
}

func (c *conversation) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if err := c.server.refuse[to]; err != nil {
		return err
	}
	c.now.to = append(c.now.to, to)
	return nil
}

func (c *conversation) Data(r io.Reader) error {
	if c.server.hold != nil {
		<-c.server.hold
	}
	data, err := io.ReadAll(r)
	c.now.data = string(data)
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.server.mails = append(c.server.mails, c.now)
	return err
}

func (c *conversation) Reset()        {}
func (c *conversation) Logout() error { return nil }

// sender returns a context whose mail goes to a URL.
func sender(t *testing.T, url string, s *server) context.Context {
	t.Helper()
	app, _ := site(t, mailer.Options{})
	o := mailer.Options{Timeout: 20 * time.Second}
	if s != nil {
		o.TLS = &tls.Config{RootCAs: s.pool}
	}
	m, err := mailer.Open(url, o)
	if err != nil {
		t.Fatal(err)
	}
	app.Extension("mail").(*mailer.Extension).Replace("*", m)
	return app.Context()
}

func to(address, subject string) *mailer.Message {
	return &mailer.Message{To: []string{address}, Subject: subject, Text: "hello\n.\nend\n"}
}

func TestSMTP(t *testing.T) {
	t.Parallel()
	for mode, url := range map[string]string{"starttls": "smtp://ann:p%40ss%2Fword@", "tls": "smtps://ann:p%40ss%2Fword@", "none": "smtp://"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := serve(t, mode)
			url += s.addr
			if mode == "none" {
				url += "?tls=none"
			}
			ctx := sender(t, url, s)
			hidden := to("a@example.com", "one")
			hidden.Bcc = []string{"secret@example.com", "a@example.com"}
			hidden.ReturnPath = "bounces@example.com"
			if err := mailer.Send(ctx, hidden, to("b@example.com", "two")); err != nil {
				t.Fatal(err)
			}
			got := s.got()
			if len(got) != 2 || s.connections > 2 || mode != "none" && (len(s.logins) != 1 || s.logins[0] != "ann") {
				t.Fatalf("%d messages, %d connections, logins %v", len(got), s.connections, s.logins)
			}
			if got[0].from != "bounces@example.com" || strings.Join(got[0].to, " ") != "a@example.com secret@example.com" {
				t.Errorf("envelope %q %q", got[0].from, got[0].to)
			}
			if strings.Contains(got[0].data, "secret") || !strings.Contains(got[0].data, "Subject: one") || !strings.Contains(got[0].data, "hello\r\n.\r\nend") {
				t.Errorf("message %q", got[0].data)
			}
			if got[1].from != "shop@example.com" {
				t.Errorf("from %q", got[1].from)
			}
		})
	}
}

func TestBatchKeepsOneConnection(t *testing.T) {
	t.Parallel()
	s := serve(t, "starttls")
	s.refuse["full@example.com"] = &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 2, 2}, Message: "full"}
	ctx := sender(t, "smtp://ann:p%40ss%2Fword@"+s.addr, s)
	var wg sync.WaitGroup
	err := mailer.Batch(ctx, func(ctx context.Context) error {
		for range 5 {
			wg.Go(func() {
				if err := mailer.Send(ctx, to("a@example.com", "one"), to("b@example.com", "two")); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		return nil
	})
	if n := len(s.logged()); err != nil || len(s.got()) != 10 || n != 1 {
		t.Fatalf("%d messages with %d logins, %v", len(s.got()), n, err)
	}
	// What is refused is refused alone, and the rest goes on.
	err = mailer.Batch(ctx, func(ctx context.Context) error {
		var failed *mailer.SendError
		if err := mailer.Send(ctx, to("full@example.com", "one")); !errors.As(err, &failed) {
			t.Error(err)
		}
		return mailer.Send(ctx, to("a@example.com", "three"))
	})
	if n := len(s.logged()); err != nil || len(s.got()) != 11 || n != 3 {
		t.Errorf("%d messages with %d logins, %v", len(s.got()), n, err)
	}
	// A batch without a message connects to nobody, and its error is the function's.
	mine := errors.New("mine")
	if err := mailer.Batch(ctx, func(context.Context) error { return mine }); !errors.Is(err, mine) || len(s.logged()) != 3 {
		t.Error(err)
	}
	away := sender(t, "smtp://127.0.0.1:1", nil)
	err = mailer.Batch(away, func(ctx context.Context) error { return mailer.Send(ctx, to("a@example.com", "one")) })
	var failed *mailer.SendError
	if !errors.As(err, &failed) || len(failed.Failures) != 1 || !failed.Failures[0].Temporary {
		t.Errorf("%v", err)
	}
}

func (s *server) logged() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins
}

// CVE class "mail": failed STARTTLS falls back to clear text.
func TestSecurityNoClearText(t *testing.T) {
	t.Parallel()
	s := serve(t, "none") // offers no STARTTLS
	err := mailer.Send(sender(t, "smtp://ann:p%40ss%2Fword@"+s.addr, s), to("a@example.com", "x"))
	if err == nil || len(s.got()) != 0 || len(s.logins) != 0 {
		t.Errorf("sent without TLS: %v, %v", err, s.logins)
	}
	// A certificate that nobody vouches for is as bad.
	for mode, scheme := range map[string]string{"starttls": "smtp", "tls": "smtps"} {
		s := serve(t, mode)
		err := mailer.Send(sender(t, scheme+"://ann:p%40ss%2Fword@"+s.addr, nil), to("a@example.com", "x"))
		var unknown x509.UnknownAuthorityError
		if !errors.As(err, &unknown) || len(s.got()) != 0 || len(s.logins) != 0 {
			t.Errorf("%s: sent to an unknown server: %v", mode, err)
		}
	}
	for _, url := range []string{
		"smtp://ann:pass@mail.example.com?tls=none", "smtp://mail.example.com?tls=maybe", "smtps://mail.example.com?tls=none",
		"smtp://mail.example.com?starttls=off", "smtp://", "smtp://mail.example.com:99999", "smtp://h/path", "pigeon:", "nothing", "file:",
		"smtp://ann:p%zz@h",
	} {
		if m, err := mailer.Open(url, mailer.Options{}); err == nil {
			t.Errorf("%s is taken: %T", url, m)
		} else if strings.Contains(err.Error(), "pass@") || strings.Contains(err.Error(), "p%zz") {
			t.Errorf("%s: the error shows the password: %v", url, err)
		}
	}
}

func TestSMTPFailures(t *testing.T) {
	t.Parallel()
	s := serve(t, "starttls")
	s.refuse["gone@example.com"] = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	s.refuse["later@example.com"] = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again"}
	ctx := sender(t, "smtp://"+s.addr, s)
	err := mailer.Send(ctx, to("gone@example.com", "one"), to("a@example.com", "two"), to("later@example.com", "three"))
	var failed *mailer.SendError
	if !errors.As(err, &failed) || len(failed.Failures) != 2 {
		t.Fatal(err)
	}
	for i, want := range []struct {
		subject   string
		temporary bool
		text      string
	}{{"one", false, "no such user"}, {"three", true, "try again"}} {
		f := failed.Failures[i]
		if f.Message.Subject != want.subject || f.Temporary != want.temporary || !strings.Contains(f.Err.Error(), want.text) {
			t.Errorf("%+v, want %+v", f, want)
		}
	}
	if got := s.got(); len(got) != 1 || got[0].to[0] != "a@example.com" {
		t.Errorf("%+v", got)
	}
	// A wrong password.
	err = mailer.Send(sender(t, "smtp://ann:wrong@"+s.addr, s), to("a@example.com", "x"))
	if err == nil || strings.Contains(err.Error(), "wrong@") {
		t.Error(err)
	}
	// Nobody there.
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := closed.Addr().String()
	_ = closed.Close()
	err = mailer.Send(sender(t, "smtp://"+addr, nil), to("a@example.com", "x"))
	if !errors.As(err, &failed) || !failed.Failures[0].Temporary {
		t.Error(err)
	}
}

// A server that says nothing any more holds nobody longer than the context.
func TestSMTPEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := serve(t, "none")
	s.hold = make(chan struct{})
	t.Cleanup(func() { close(s.hold) })
	ctx, cancel := context.WithCancel(sender(t, "smtp://"+s.addr+"?tls=none", nil))
	result := make(chan error, 1)
	go func() { result <- mailer.Send(ctx, to("a@example.com", "x")) }()
	for {
		s.mu.Lock()
		begun := s.connections > 0
		s.mu.Unlock()
		if begun {
			break
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	var failed *mailer.SendError
	if err := <-result; !errors.As(err, &failed) || !errors.Is(err, context.Canceled) || !failed.Failures[0].Temporary {
		t.Error(err)
	}
}

// What the server has taken is sent, whatever it says to the end of the conversation: a
// failure would have it sent twice.
func TestSMTPServerThatStumblesAtTheEnd(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	taken := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		in := bufio.NewReader(conn)
		answer := "220 here"
		for {
			_, _ = io.WriteString(conn, answer+"\r\n")
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			switch verb, _, _ := strings.Cut(strings.TrimSpace(line), " "); verb {
			case "DATA":
				_, _ = io.WriteString(conn, "354 go on\r\n")
				var text strings.Builder
				for line != ".\r\n" && err == nil {
					line, err = in.ReadString('\n')
					text.WriteString(line)
				}
				taken <- text.String()
				answer = "250 taken"
			case "EHLO", "MAIL", "RCPT":
				answer = "250 ok"
			default: // RSET, QUIT
				answer = "502 what?"
			}
		}
	}()
	ctx := sender(t, "smtp://"+l.Addr().String()+"?tls=none", nil)
	if err := mailer.Send(ctx, to("a@example.com", "one")); err != nil {
		t.Errorf("what was taken is reported as failed: %v", err)
	}
	if text := <-taken; !strings.Contains(text, "Subject: one") {
		t.Error(text)
	}
}
