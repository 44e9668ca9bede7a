package auth

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/retort-web/retort"
)

// CodeSender is a way in which codes for the second step of a login come to users who
// want no authenticator app: by mail, as [Options].MailCodes of package accounts has
// it, by SMS, or by whatever else a function can send. See [Options].CodeSenders.
//
// How strong such a factor is depends on who else can read what is sent. Where a new
// password is set by a link in a mail, codes by mail help against a password that was
// guessed or stolen, and not against who has the mailbox.
type CodeSender struct {
	// Name is that of the way, "sms": small letters, digits and hyphens. It is kept with
	// each user who has chosen it, so it stays. "app" is none.
	Name string
	// Label is what pages call it: "Codes by SMS".
	Label string
	// Address returns where the codes of a user go, or "" if they can have none. Return
	// only what the user has proved to be theirs, or what nobody but the site sets: the
	// way can be chosen by who gives a code that came there.
	//
	// It is asked for each code that is sent or given. What was sent to another address
	// than the present one is worth nothing.
	Address func(ctx context.Context, user *User) (string, error)
	// Send sends a code to the address. It is called after the answer, in the background,
	// so that it may take its time, a minute at most. That it failed is logged: the user
	// asks for another code, or gives one for recovery.
	Send func(ctx context.Context, user *User, to, code string) error
	// Compose is there in place of Send where the message has words in the language of
	// the visitor: it is called in the request and returns what sends the message, which
	// is called as Send is. The returned function must not use c. It is composed for
	// nothing if a code is not sent since there were too many.
	Compose func(c *retort.Ctx, user *User, to, code string) (send func(ctx context.Context) error, err error)
}

// CodeWay is a way in which a user gets codes, or could.
type CodeWay struct {
	// Name and Label are those of the [CodeSender]. One that the site has no more has no
	// Label.
	Name, Label string
	// To is where the codes go, so that the user knows the address and nobody else learns
	// it: "a…@example.com", "…67". It is "" if there is none now.
	To string
}

// AppWay is the name of the codes that an authenticator app makes, beside those of
// [CodeSender].
const AppWay = "app"

// ErrNoCodeWay says that the site sends no codes in this way, or has no address of the
// user for it.
var ErrNoCodeWay = errors.New("auth: no codes can be sent to the user in this way")

const maxWay = 30 // the column

var wayName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

func (s *CodeSender) check(others []CodeSender) error {
	switch {
	case len(s.Name) > maxWay || !wayName.MatchString(s.Name) || s.Name == AppWay:
		return fmt.Errorf("auth: %q is no Name for a CodeSender; use small letters, digits and hyphens, %d at most, and not %q", s.Name, maxWay, AppWay)
	case s.Label == "" || s.Address == nil || (s.Send == nil) == (s.Compose == nil):
		return fmt.Errorf("auth: the CodeSender %s needs a Label, an Address, and either Send or Compose", s.Name)
	}
	for i := range others {
		if others[i].Name == s.Name {
			return fmt.Errorf("auth: two CodeSenders are named %s; the name says in the table how a user gets codes", s.Name)
		}
	}
	return nil
}

// prepareSenders looks at Options.CodeSenders when the app starts.
func (e *Extension) prepareSenders() error {
	for _, s := range e.options.CodeSenders {
		if err := s.check(e.senders); err != nil {
			return err
		}
		e.senders = append(e.senders, s)
	}
	return nil
}

// AddCodeSender adds a way to send codes to those of [Options].CodeSenders. Call it from
// Install of an extension that is installed after this one. The error says what is wrong
// with it.
func (e *Extension) AddCodeSender(s CodeSender) error {
	if e.app == nil || e.app.Prepared() {
		panic("auth: add ways to send codes in Install of an extension that is installed after auth.New()")
	}
	if err := s.check(e.senders); err != nil {
		return err
	}
	e.senders = append(e.senders, s)
	return nil
}

// sender returns the way of a name, or nil.
func (e *Extension) sender(way string) *CodeSender {
	for i := range e.senders {
		if e.senders[i].Name == way {
			return &e.senders[i]
		}
	}
	return nil
}

// CodeWays returns the ways in which codes could be sent to a user: those that have an
// address of them.
func (e *Extension) CodeWays(ctx context.Context, user *User) ([]CodeWay, error) {
	var ways []CodeWay
	for i := range e.senders {
		s := &e.senders[i]
		if to := e.codeAddress(ctx, user, s); to != "" {
			ways = append(ways, CodeWay{s.Name, s.Label, masked(to)})
		}
	}
	return ways, ctx.Err()
}

// CodeWay returns the way in which a user gets the codes of their second factor, or nil
// if an authenticator app makes them or there is no second factor.
func (e *Extension) CodeWay(ctx context.Context, user *User) (*CodeWay, error) {
	factor, err := secondFactorOf(ctx, user)
	if err != nil || factor == nil || factor.Way == "" {
		return nil, err
	}
	w := &CodeWay{Name: factor.Way}
	if s := e.sender(factor.Way); s != nil {
		w.Label, w.To = s.Label, masked(e.codeAddress(ctx, user, s))
	}
	return w, ctx.Err()
}

// codeAddress returns where codes go, "" also if that cannot be found out now: a
// directory that is away keeps nobody from giving a recovery code.
func (e *Extension) codeAddress(ctx context.Context, user *User, s *CodeSender) string {
	to, err := s.Address(ctx, user)
	if err != nil {
		e.logUnsent(ctx, user, s, err)
		return ""
	}
	return to
}

// masked is an address that is told to who may not be its owner.
func masked(to string) string {
	const dots = "…"
	if local, domain, ok := strings.Cut(to, "@"); ok {
		_, n := utf8.DecodeRuneInString(local)
		return local[:n] + dots + "@" + domain
	}
	runes := []rune(to)
	if len(runes) < 6 { // two of them would tell too much
		return strings.Repeat(dots, min(len(runes), 1))
	}
	return dots + string(runes[len(runes)-2:])
}
