// Package mail sends mail from an app.
//
//	app.Install(mail.New(mail.Options{From: "Shop <shop@example.com>"}))
//
//	err := mail.Send(c, &mail.Message{
//		To:      []string{"ann@example.com"},
//		Subject: "Your order",
//		Text:    "It is on its way.",
//	})
//
// # Where mail goes
//
// A URL names a mailer; MAIL_URL sets it, or mail.url in retort.toml:
//
//	smtp://user:password@mail.example.com:587    STARTTLS, and nothing without it
//	smtps://user:password@mail.example.com:465   TLS from the start
//	smtp://127.0.0.1:25?tls=none                 clear text, to this machine or where it is asked for
//	console:                                     written to standard error
//	file:/var/mail/outgoing                      one file a message
//	memory:                                      kept, for tests: see package mailtest
//	discard:                                     thrown away
//
// In debug mode the console is the default, and /_mail/ shows what was sent and
// the app's templates of mails with example data. In production there is no
// default: sending fails and says what to set. Several mailers have names, and
// [Using] chooses one.
//
// # Templates
//
// [Template] makes a message from templates/mail/welcome.txt (and .html, and
// .subject.txt):
//
//	m, err := mail.Template(c, "mail/welcome", data)
//
// # What cannot happen
//
// A line break or another control character in a header is an error and never
// another header. Bcc is never in the text of a message. A server that offers no
// STARTTLS gets no message and no password. Addresses are read as RFC 5322 says;
// names of domains that are not ASCII are sent as IDNA 2008 (UTS #46) writes them.
package mail
